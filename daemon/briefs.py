"""The regular letters: the office's morning, the secretary's week, the month's ledger."""

from __future__ import annotations

import json
from collections.abc import Container, Iterable, Sequence
from dataclasses import replace
from datetime import date, datetime, timedelta

from daemon import dispatch, letters, recipients, registers, standing, statistics, typesetting
from daemon.clock import local_day
from daemon.desk import Desk
from daemon.letters import Figure, HeldMail, SchoolLine, SectionLoad
from daemon.model import Disposition, LetterKind, Light, OnSiteOutcome, Problem, State, UnitKind
from daemon.problems import HANDLED
from daemon.sessions import Stage
from daemon.standing import lights_of
from daemon.store import questions

LONGEST = 40
"""Lines of one list in a brief; who wants more has the ledger."""
LAST_BRIEF = "morning_brief"
LAST_SECRETARY = "secretary_brief"
QUESTION_NAMES = {
    "extension": "延期申请",
    "completion": "办结审核",
    "close_alone": "回访未答复",
    "referral": "转办审核",
    "unknown_section": "科室待确定",
    "reassignment": "科室退回",
    "withdrawal": "撤回申请",
    "claim": "已报声明",
    "statistics_claim": "已报声明",
    "reopening": "办结异议",
    "order": "指令待确认",
    "choice_pending": "书记选题",
    "circular": "通报审定",
    "correction_overdue": "逾期未补正",
    "deadline": "办结时限",
    "visit": "一线办理时间",
    "assist_declined": "协办科室退回",
    "which_problem": "待书记明示",
    "statistics_circular": "通报审定",
    "statistics_order": "指令待确认",
    "remake_rollup": "迟报处理",
}
WAITING_FOR_OFFICE = {
    Stage.CHOSEN.value: "书记选题待确认，交办单待填定",
    Stage.CONFIRMED.value: "交办单待填定",
}
MAIL_QUESTIONS = frozenset({"held_mail", "held_text", "period"})
"""Shown with the mail that they are about."""


def morning(desk: Desk) -> letters.MorningBrief:
    """What the office should know this morning."""
    since = _since(desk, LAST_BRIEF)
    lit = lit_problems(desk)
    new = questions.problems(desk.session, received_since=since)
    held = _held(desk)
    pending = _pending(desk)
    figures = _compared(
        desk,
        LAST_BRIEF,
        {
            "在办": sum(p.state in HANDLED or p.state is State.COMPLETION_REPORTED for p, _ in lit),
            "新收": len(new),
            "待核实来信": len(held),
            "待审批事项": len(pending),
            "超过时限": sum(light is Light.RED for _, light in lit),
            "节点逾期": sum(light is Light.YELLOW for _, light in lit),
        },
    )
    progress = statistics.progress(desk)
    resting = standing.resting_problems(desk)
    return letters.MorningBrief(
        to_name=recipients.TO_NAMES[UnitKind.COMMITTEE_OFFICE],
        date=desk.today,
        figures=figures,
        new=_lines(desk, new),
        held=held[:LONGEST],
        pending=pending[:LONGEST],
        due_soon=_lines(desk, (p for p, light in lit if light is Light.BLUE)),
        overdue=_lines(desk, (p for p, light in lit if light is Light.RED), resting),
        behind=_lines(desk, (p for p, light in lit if light is Light.YELLOW), resting),
        sections=section_loads(desk, lit),
        bounced=_bounced(desk),
        returns=progress.returns,
        covers=progress.period.covers_in_chinese,
        due=progress.period.due,
        skipped=statistics.skipped_since(desk, since),
        failed=tuple(
            f"{letter.subject}（{'、'.join(letter.to)}）：{letter.error or '原因不明'}"
            for letter in questions.failed_since(desk.session, since)
        )[:LONGEST],
    )


def lit_problems(desk: Desk) -> list[tuple[Problem, Light]]:
    """Every open problem with its light."""
    found = questions.open_problems(desk.session)
    lights = lights_of(desk, found)
    return [(problem, lights[problem.number]) for problem in found]


def _since(desk: Desk, name: str) -> datetime:
    """When the last of these letters was written; the first one reports all since the daemon first worked."""
    earliest = min(desk.first_cycle(), desk.now - timedelta(days=1))
    return questions.note_taken_at(desk.session, name) or earliest


def _compared(desk: Desk, name: str, counts: dict[str, int]) -> tuple[Figure, ...]:
    """The figures beside those of the last brief."""
    kept = questions.note(desk.session, name)
    before = json.loads(kept) if kept else {}
    return tuple(Figure(label, count, before.get(label)) for label, count in counts.items())


def remember(desk: Desk, name: str, figures: Iterable[Figure]) -> None:
    """Keep the figures for the next brief to compare with."""
    kept = json.dumps({figure.label: figure.value for figure in figures}, ensure_ascii=False)
    questions.set_note(desk.session, name, kept, desk.now)


def _lines(
    desk: Desk, problems: Iterable[Problem], resting: Container[str] = ()
) -> tuple[letters.ProblemLine, ...]:
    return tuple(
        standing.line(desk, problem, "暂停催办（来信待核实）" if problem.number in resting else None)
        for problem in list(problems)[:LONGEST]
    )


def section_loads(desk: Desk, lit: Sequence[tuple[Problem, Light]]) -> tuple[SectionLoad, ...]:
    """The open problems of each section by light, the most burdened first."""
    loads = []
    for section in desk.directory.sections:
        lights = [light for problem, light in lit if problem.lead_section_id == section.id]
        if lights:
            counts = {light: lights.count(light) for light in (Light.BLUE, Light.YELLOW, Light.RED)}
            loads.append(
                SectionLoad(
                    section.name, len(lights), counts[Light.BLUE], counts[Light.YELLOW], counts[Light.RED]
                )
            )
    return tuple(sorted(loads, key=lambda load: (-load.red, -load.open)))


def _held(desk: Desk) -> tuple[HeldMail, ...]:
    asked = [q for q in questions.open_questions(desk.session) if q.mail_id and q.kind in MAIL_QUESTIONS]
    found = []
    for question in asked:
        mail = questions.mail(desk.session, question.mail_id or 0)
        if mail is not None and mail.disposition == Disposition.HELD.value:
            why = mail.reason or question.text
            found.append(HeldMail(f"第{mail.id}号", mail.sender, mail.subject, why, mail.received_at))
    for mail in questions.quarantined(desk.session):
        why = f"{mail.reason or '处理时出错'}，尚未办理，请联系管理员"
        found.append(HeldMail(f"第{mail.id}号", mail.sender, mail.subject, why, mail.received_at))
    return tuple(found)


def _pending(desk: Desk) -> tuple[HeldMail, ...]:
    asked = tuple(
        HeldMail(q.about, QUESTION_NAMES.get(q.kind, "待核定"), q.suggestion or "请审定", q.text, q.asked_at)
        for q in questions.open_questions(desk.session)
        if q.kind not in MAIL_QUESTIONS
    )
    return asked + _sessions_waiting(desk)


def _sessions_waiting(desk: Desk) -> tuple[HeldMail, ...]:
    """The sessions that go on when the office has confirmed or returned its assignment sheet."""
    waiting = []
    for row in questions.sessions(desk.session):
        if row.stage not in WAITING_FOR_OFFICE:
            continue
        sheets = [
            letter
            for letter in questions.letters_about(desk.session, row.code)
            if letter.kind == LetterKind.ASSIGNMENT_SHEET.value
        ]
        since = sheets[-1].created_at if sheets else row.opened_at
        what = typesetting.session_name(row.code) + WAITING_FOR_OFFICE[row.stage]
        waiting.append(HeldMail(row.code, "书记选题", "请回复交办单来信", what, since))
    return tuple(waiting)


def _bounced(desk: Desk) -> tuple[SchoolLine, ...]:
    found = []
    for address, since in questions.bounced_addresses(desk.session).items():
        owners = desk.directory.at_address(address)
        note = f"{local_day(since, desk.config.zone).isoformat()}起退信"
        found.append(SchoolLine(owners[0].name if owners else "（已不在通讯录）", address, None, note))
    return tuple(found[:LONGEST])


# ------------------------------------------------------------------------------------- the secretary


def secretary(desk: Desk) -> letters.SecretaryBrief | None:
    """How stands what the secretary chose; None if he chose nothing yet and nothing waits for him."""
    since = _since(desk, LAST_SECRETARY)
    found = questions.open_problems(desk.session)
    chosen = {
        number
        for row in questions.sessions(desk.session)
        if row.stage in ("confirmed", "assigned", "closed")
        for number in row.choice.get("selected", ())
    }
    mine = [problem for problem in found if problem.number in chosen]
    needs = [
        problem
        for problem in found
        if problem.on_site_outcome is OnSiteOutcome.SECRETARY_HANDLES and problem.state in HANDLED
    ]
    closed = [
        problem
        for problem in questions.problems(desk.session, states=[State.CLOSED])
        if problem.closed_at is not None and problem.closed_at >= since and problem.number in chosen
    ]
    if not (mine or needs or closed):
        return None
    lit = lit_problems(desk)
    red = [problem for problem, light in lit if light is Light.RED]
    counts = {
        "书记选定在办": len(mine),
        "提请书记协调": len(needs),
        "全部在办": sum(p.lead_section_id is not None for p in found),
        "超过时限": len(red),
    }
    return letters.SecretaryBrief(
        to_name=recipients.TO_NAMES[UnitKind.SECRETARY],
        date=desk.today,
        figures=_compared(desk, LAST_SECRETARY, counts),
        selected=_lines(desk, mine),
        needs_secretary=_lines(desk, needs),
        overdue=_lines(desk, red),
        closed=_lines(desk, closed),
    )


# ----------------------------------------------------------------------------------------- the ledger


def ledger_letter(desk: Desk, *, report: bool) -> letters.Ledger:
    """The ledger's letter: to the office, which may edit it, or as the report to the committee."""
    states = questions.problem_counts(desk.session)
    closed = states.get(State.CLOSED, 0) + states.get(State.ARCHIVED, 0)
    handled = sum(states.get(state, 0) for state in (*HANDLED, State.COMPLETION_REPORTED))
    kind = UnitKind.COMMITTEE if report else UnitKind.COMMITTEE_OFFICE
    return letters.Ledger(
        to_name=recipients.TO_NAMES[kind],
        date=desk.today,
        figures=(
            Figure("累计收到", sum(states.values())),
            Figure("在办", handled),
            Figure("办结", closed),
            Figure("挂账", states.get(State.SUSPENDED, 0)),
        ),
        as_of=desk.now,
        report=report,
    )


def send_ledgers(desk: Desk) -> int:
    """The ledger of the month, to the office and to the committee."""
    if not questions.problem_counts(desk.session):
        return 0
    count = 0
    for kind in (UnitKind.COMMITTEE_OFFICE, UnitKind.COMMITTEE):
        to = recipients.office(desk, kind)
        if to is None:
            continue
        report = kind is UnitKind.COMMITTEE
        file = registers.ledger(desk, f"LEDGER-{desk.today.isoformat()}", registers.LETTER_ROWS)
        context = {} if report else {"workbook": file.sent.to_json()}
        letter, about = numbered(
            desk, ledger_letter(desk, report=report), (f"LEDGER-{desk.today.isoformat()}",)
        )
        written = desk.write(
            letter,
            key=f"{LetterKind.LEDGER.value}:{desk.today.isoformat()}:{kind.value}",
            to=to.to,
            about=about,
            unit=to.unit,
            attachments=[dispatch.attached(file)],
            context=context,
        )
        count += written is not None
    return count


PREFIX = "JB"
"""Numbers of letters about many things, so that an answer finds its way by the subject too: JB-2022-014."""


def numbered(
    desk: Desk, letter: letters.Letter, about: Sequence[str]
) -> tuple[letters.Letter, tuple[str, ...]]:
    """The letter with a number and a code of its own, and what it is about with that number."""
    number = desk.number(PREFIX, desk.today.year)
    return replace(letter, number=number, code=desk.code()), (*about, number)


def first_workday_of_month(desk: Desk, day: date) -> bool:
    return day == desk.calendar.workdays_after(day.replace(day=1), 0)


def first_workday_of_week(desk: Desk, day: date) -> bool:
    return day == desk.calendar.workdays_after(day - timedelta(days=day.weekday()), 0)
