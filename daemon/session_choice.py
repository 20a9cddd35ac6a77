"""What becomes of a session's list: the choice read back and confirmed, the sheet sent, the problems assigned."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from daemon import (
    dispatch,
    holding,
    ledgers,
    letters,
    recipients,
    session_office,
    sessions,
    standing,
    typesetting,
)
from daemon.clock import local_day
from daemon.desk import Desk
from daemon.events import Event, Instructed, Selected
from daemon.filing import Sender
from daemon.holding import Fate
from daemon.letters import Fact, Filed, ProblemLine
from daemon.model import ENDED_STATES, Disposition, LetterKind, State, Unit, UnitKind
from daemon.problems import Refusal
from daemon.sessions import Choice, Chosen, Questioned, Refused, Session, Stage
from daemon.store import questions, tables
from daemon.workflow import Later, actor, happen
from parsers.orders import Order
from parsers.values import ReturnedWorkbook
from parsers.workbooks import SentWorkbook, changes


def chosen_in_words(
    desk: Desk, mail: tables.Mail, sender: Sender, answered: tables.Letter, orders: Sequence[Order]
) -> Fate:
    """The secretary's choice in a reply."""
    row = session_office.session_of(desk, answered)
    if row is None:
        return holding.unclear(desk, mail, sender, "没有找到来信所说的这一期", answered)
    made = sessions.ordered_choice(session_office.value_of(row, desk), orders)
    return _chosen(desk, mail, sender, answered, row, made)


def chosen_in_workbook(
    desk: Desk, mail: tables.Mail, sender: Sender, answered: tables.Letter | None, back: ReturnedWorkbook
) -> Fate:
    """The secretary's choice in the returned list."""
    row = questions.session_by_code(desk.session, back.about)
    sent = sent_workbook(desk, back)
    if row is None or sent is None:
        return holding.unclear(desk, mail, sender, "来信所附清单不是我办发出的清单", answered, books=(back,))
    changed = changes(sent, back)
    # A row that somebody added chooses nothing: it is refused by itself, and the read-back says so.
    added = [one for one in changed.conflicts if one.identity is None]
    if why := "；".join(one.text for one in changed.conflicts if one.identity is not None):
        return holding.unclear(desk, mail, sender, f"清单中有不能办理的改动：{why}", answered, books=(back,))
    made = sessions.sheet_choice(session_office.value_of(row, desk), replace(changed, conflicts=()))
    doubt = "；".join(f"{one.where}：{one.text}" for one in added) or None
    return _chosen(desk, mail, sender, answered, row, made, doubt)


def sent_workbook(desk: Desk, back: ReturnedWorkbook) -> SentWorkbook | None:
    """What the newest workbook of this kind and subject says; None if none was sent."""
    for letter in reversed(questions.letters_about(desk.session, back.about)):
        kept = letter.context.get("workbook")
        if kept and (kept["kind"], kept["about"]) == (back.kind, back.about):
            return SentWorkbook.from_json(kept)
    return None


def _chosen(
    desk: Desk,
    mail: tables.Mail,
    sender: Sender,
    answered: tables.Letter | None,
    row: tables.Session,
    made: Choice | Refused,
    doubt: str | None = None,
) -> Fate:
    if isinstance(made, Refused):
        return holding.unclear(desk, mail, sender, made.reason, answered)
    outcome = sessions.choose(session_office.value_of(row, desk), made, desk.office.workflow_rules)
    match outcome:
        case Refused(reason=reason):
            return holding.unclear(desk, mail, sender, reason, answered)
        case Questioned(session=session, text=text):
            session_office.keep(row, session)
            desk.record(row.code, "choice_questioned", by=mail.sender, mail=mail, text=text)
            count = len(made.selected)
            doubt = f"来信选定{count}项" if count else "来信没有选定任何一项"
            session_office.submit(desk, row, doubt=doubt, mail=mail)
            return Fate(Disposition.REPLIED, text)
        case Chosen(session=session, readback=text):
            again = row.stage == Stage.CHOSEN.value
            session_office.keep(row, session)
            row.choice = {**row.choice, "round": row.choice.get("round", 0) + 1}
            row.version += again
            desk.record(row.code, "chosen", by=mail.sender, mail=mail, text=text)
            for question in questions.open_questions_about(desk.session, row.code):
                if question.kind == "choice_pending":
                    question.answered_at, question.answered_by = desk.now, mail.sender
                    question.answer = "书记已选定"
            _read_back(desk, row, mail, doubt)
            send_assignment_sheet(desk, row)
            return Fate(Disposition.REPLIED)


def _lines(desk: Desk, numbers: Sequence[str]) -> tuple[ProblemLine, ...]:
    return tuple(standing.line_of(desk, problem) for problem in questions.problem_rows(desk.session, numbers))


def _read_back(desk: Desk, row: tables.Session, mail: tables.Mail, doubt: str | None = None) -> None:
    """What was understood, to the secretary in his thread and to the office for its 确认."""
    choice, turn = session_office.value_of(row, desk).choice, row.choice["round"]
    for kind in (UnitKind.SECRETARY, UnitKind.COMMITTEE_OFFICE):
        to = recipients.office(desk, kind)
        if to is None:
            continue
        for_office = kind is UnitKind.COMMITTEE_OFFICE
        desk.write(
            letters.DecisionReadback(
                to_name=to.name,
                date=desk.today,
                number=row.code,
                code=row.tag,
                session=row.code,
                selected=_lines(desk, choice.selected),
                referred=_lines(desk, choice.referred),
                instruction=choice.instruction,
                for_office=for_office,
                doubt=doubt,
            ),
            key=f"decision_readback:{row.code}:{turn}:{kind.value}",
            to=to.to,
            about=(row.code, *choice.selected, *choice.referred),
            unit=to.unit,
            answers=None if for_office else mail,
            context={"session": row.code, "round": turn},
        )


def confirmed(desk: Desk, mail: tables.Mail, sender: Sender, answered: tables.Letter) -> Fate:
    """The office's 确认: to a read-back the choice takes effect, to an assignment sheet it is assigned."""
    row, unit = session_office.session_of(desk, answered), sender.unit_of(UnitKind.COMMITTEE_OFFICE)
    if row is None or unit is None:
        return holding.unclear(desk, mail, sender, "只有工委办可以确认书记的选题", answered)
    if answered.context.get("round") != row.choice.get("round"):
        why = f"{row.code}书记已另行选定，此前的内容作废，请确认最近一次来信"
        return holding.unclear(desk, mail, sender, why, answered)
    if answered.kind == LetterKind.ASSIGNMENT_SHEET.value:
        sent = SentWorkbook.from_json(answered.context["workbook"])
        back = ReturnedWorkbook(sent.kind, sent.about, sent.version, "", ())
        return _assign(desk, mail, unit, sender, answered, row, sent, back, as_sent=True)
    if row.stage in (Stage.CONFIRMED, Stage.ASSIGNED, Stage.CLOSED):
        # The assignment sheet had confirmed it: nothing is left to decide, and nobody need be asked.
        why = f"{typesetting.session_name(row.code)}书记选题此前已确认执行，本次确认不需再办"
        dispatch.read_back(desk, mail, unit, (), (why,))
        return Fate(Disposition.REPLIED, why)
    outcome = sessions.confirm(session_office.value_of(row, desk), actor(unit))
    if isinstance(outcome, Refused):
        return holding.unclear(desk, mail, sender, outcome.reason, answered)
    session_office.keep(row, outcome.session)
    desk.record(row.code, "confirmed", by=mail.sender, mail=mail, text="工委办确认书记选题")
    faults = _carry_out(desk, outcome.events, mail)
    return Fate(Disposition.REPLIED, "；".join(faults) or None)


def refused(
    desk: Desk, mail: tables.Mail, sender: Sender, answered: tables.Letter, reason: str | None
) -> Fate:
    """The office does not confirm: the choice is void, and the secretary may choose again."""
    row = session_office.session_of(desk, answered)
    if row is None or sender.unit_of(UnitKind.COMMITTEE_OFFICE) is None or row.stage != Stage.CHOSEN.value:
        return holding.unclear(desk, mail, sender, "没有待确认的选择", answered)
    row.stage = Stage.SUBMITTED.value
    row.choice = {**row.choice, "round": row.choice.get("round", 0) + 1}
    text = f"工委办未确认书记选题：{reason or '未写理由'}"
    desk.record(row.code, "not_confirmed", by=mail.sender, mail=mail, text=text)
    return Fate(Disposition.REPLIED, text)


def _carry_out(desk: Desk, events: Sequence[tuple[str, Any]], mail: tables.Mail | None) -> list[str]:
    """Let the events of a session happen to its problems; the reasons of those that could not."""
    faults = []
    letters_to_write: Later = []
    for number, event in events:
        problem = questions.problem(desk.session, number)
        if problem is None:
            continue
        said, source = _as_said(desk, problem, event, mail)
        refusal = happen(desk, problem, said, mail=source, later=letters_to_write)
        if isinstance(refusal, Refusal):
            faults.append(f"{number}：{refusal.reason}")
        elif source is not mail and isinstance(said, Selected):
            text = "工委办确认书记选题"
            desk.record(number, "confirmed", by=event.by.name, mail=mail, text=text)
    for write in letters_to_write:
        write()
    return faults


def _as_said(
    desk: Desk, problem: tables.Problem, event: Event, mail: tables.Mail | None
) -> tuple[Event, tables.Mail | None]:
    """What the secretary chose stands in the history under his name and mail; others as they are."""
    secretary = next(iter(desk.directory.of_kind(UnitKind.SECRETARY)), None)
    if secretary is None or not isinstance(event, (Selected, Instructed)):
        return event, mail
    chosen = [
        line for line in questions.events_of(desk.session, problem.session or "") if line.event == "chosen"
    ]
    source = questions.mail(desk.session, chosen[-1].mail_id or 0) if chosen else None
    return (replace(event, by=actor(secretary)), source) if source is not None else (event, mail)


def send_assignment_sheet(desk: Desk, row: tables.Session, *, reminder: bool = False) -> None:
    """The sheet to the office, prefilled; its return assigns and confirms the choice as well."""
    to = recipients.office(desk, UnitKind.COMMITTEE_OFFICE)
    if to is None:
        return
    session = session_office.value_of(row, desk)
    file = assignment_workbook(desk, row)
    turn = row.choice.get("round")
    desk.write(
        letters.AssignmentSheet(
            to_name=to.name,
            date=desk.today,
            number=row.code,
            code=row.tag,
            session=row.code,
            selected=_lines(desk, session.choice.selected),
            referred=_lines(desk, session.choice.referred),
            return_by=desk.workdays_on(desk.office.workflow_rules.registration),
            instruction=session.choice.instruction,
            reminder=reminder,
        ),
        key=f"assignment_sheet:{row.code}:{turn}" + (":reminder" if reminder else ""),
        to=to.to,
        about=(row.code, *session.choice.selected, *session.choice.referred),
        unit=to.unit,
        attachments=[dispatch.attached(file)],
        context={"session": row.code, "round": turn, "workbook": file.sent.to_json()},
    )


def assignment_workbook(desk: Desk, row: tables.Session) -> ledgers.SentFile:
    """The assignment sheet with a section and a day suggested for every problem that needs one."""
    session = session_office.value_of(row, desk)
    rows = {
        problem.number: problem
        for problem in questions.problem_rows(
            desk.session, (*session.choice.selected, *session.choice.referred)
        )
    }
    asked = {number: _likely_sections(desk, problem) for number, problem in rows.items()}
    earlier = {number: lead for number, p in rows.items() if (lead := _earlier_lead(desk, p))}
    suggested = sessions.suggestions(
        session, asked, earlier, desk.today, desk.office.workflow_rules, desk.calendar
    )
    lines = [
        ledgers.assignment_row(
            place,
            questions.problem_value(rows[one.number]),
            one.way,
            next(iter(standing.section_names(desk, (one.lead,))), None),
            standing.section_names(desk, one.assists),
            one.deadline,
        )
        for place, one in enumerate(
            (one for one in suggested if _needs_a_section(rows[one.number], one.way)), start=1
        )
    ]
    names = [unit.name for unit in desk.directory.sections]
    return ledgers.assignment_sheet(row.code, row.version, lines, names, typesetting.session_name(row.code))


def _needs_a_section(problem: tables.Problem, way: str) -> bool:
    """A problem of both levels that a section has in hand and that was not chosen stays where it is."""
    return way == "选定" or problem.lead_section_id is None


def _likely_sections(desk: Desk, problem: tables.Problem) -> tuple[int, ...]:
    """Those that have it in hand already, else those that the school named: one of these may have given it back."""
    if problem.lead_section_id is not None:
        return (problem.lead_section_id, *problem.assist_section_ids)
    named = [desk.directory.section(name).unit for name in problem.sections_asked]
    return tuple(unit.id for unit in named if unit is not None)


def _earlier_lead(desk: Desk, problem: tables.Problem) -> int | None:
    """Who led the most similar problem of earlier days."""
    numbers = [one["number"] for one in problem.similar]
    return next(
        (row.lead_section_id for row in questions.problem_rows(desk.session, numbers) if row.lead_section_id),
        None,
    )


def assigned_by_workbook(
    desk: Desk, mail: tables.Mail, sender: Sender, answered: tables.Letter | None, back: ReturnedWorkbook
) -> Fate:
    """The office's returned assignment sheet."""
    unit = sender.unit_of(UnitKind.COMMITTEE_OFFICE)
    row, sent = questions.session_by_code(desk.session, back.about), sent_workbook(desk, back)
    if unit is None or row is None or sent is None:
        return holding.unclear(
            desk, mail, sender, "来信所附交办单不是我办发出的交办单", answered, books=(back,)
        )
    return _assign(desk, mail, unit, sender, answered, row, sent, back)


def _assign(
    desk: Desk,
    mail: tables.Mail,
    unit: Unit,
    sender: Sender,
    answered: tables.Letter | None,
    row: tables.Session,
    sent: SentWorkbook,
    back: ReturnedWorkbook,
    *,
    as_sent: bool = False,
) -> Fate:
    changed = changes(sent, back, sections=section_index(desk))
    if as_sent:
        changed = type(changed)()
    elif back.version != sent.version:
        why = f"交办单是旧表（第{back.version}版），现行第{sent.version}版，请在新表中填写后再发"
        return holding.unclear(desk, mail, sender, why, answered, books=(back,))
    ids = {one.name: one.id for one in desk.directory.sections}
    outcome = sessions.assign(session_office.value_of(row, desk), sent, changed, ids, desk.today, actor(unit))
    if isinstance(outcome, Refused):
        return holding.unclear(desk, mail, sender, outcome.reason, answered, books=(back,))
    session_office.keep(row, outcome.session)
    faults = [*outcome.faults, *_carry_out(desk, outcome.events, mail)]
    done = _assigned_now(desk, outcome.events, faults)
    desk.record(row.code, "assigned", by=mail.sender, mail=mail, text=f"交办{len(done)}项")
    dispatch.read_back(desk, mail, unit, done, faults)
    return Fate(Disposition.REPLIED, "；".join(faults) or None)


def section_index(desk: Desk) -> Mapping[str, str]:
    """Names and short names of the sections, each with the full name."""
    return {name: unit.name for unit in desk.directory.sections for name in (unit.name, *unit.short_names)}


def _assigned_now(desk: Desk, events: Sequence[tuple[str, Any]], faults: Sequence[str]) -> tuple[Filed, ...]:
    failed = {fault.split("：", 1)[0] for fault in faults}
    numbers = [number for number, event in events if event.name == "assigned" and number not in failed]
    return tuple(
        Filed(
            "交办",
            problem.number,
            (
                Fact("难点问题", problem.problem),
                Fact("牵头科室", "、".join(standing.section_names(desk, (problem.lead_section_id,)))),
                Fact("协办科室", "、".join(standing.section_names(desk, problem.assist_section_ids)) or "无"),
                Fact("办结时限", typesetting.chinese_date(problem.deadline) if problem.deadline else None),
            ),
        )
        for problem in questions.problem_rows(desk.session, numbers)
    )


def remind(desk: Desk) -> int:
    """Tell the office of a list without choice and of a sheet that did not come back; each once."""
    count = 0
    for row in questions.running_sessions(desk.session):
        session = session_office.value_of(row, desk)
        due = sessions.reminder_day(session.opened_on, desk.office.workflow_rules, desk.calendar)
        if session.stage is Stage.SUBMITTED and desk.today >= due:
            count += _ask_for_choice(desk, row)
        if session.stage in (Stage.CHOSEN, Stage.CONFIRMED):
            events = questions.events_of(desk.session, row.code)
            since = max(e.at for e in events if e.event in ("chosen", "confirmed"))
            again = desk.calendar.workdays_after(
                local_day(since, desk.config.zone), desk.office.workflow_rules.registration + 1
            )
            if desk.today >= again and questions.do_once(
                desk.session, f"assignment_sheet:{row.code}:{row.choice.get('round')}:again", desk.now
            ):
                send_assignment_sheet(desk, row, reminder=True)
                count += 1
        if session.stage is Stage.ASSIGNED and _all_ended(desk, session):
            row.stage = Stage.CLOSED.value
            desk.record(row.code, "closed", by="djb", text="本期问题全部办结")
    return count


def _all_ended(desk: Desk, session: Session) -> bool:
    rows = questions.problem_rows(desk.session, session.numbers)
    return all(State(row.state) in ENDED_STATES for row in rows)


def pending_question(desk: Desk, row: tables.Session) -> letters.Question:
    """What the office is told of a list without a choice."""
    return letters.Question(
        to_name=recipients.TO_NAMES[UnitKind.COMMITTEE_OFFICE],
        date=desk.today,
        number=row.code,
        code=row.tag,
        question=letters.QuestionKind.CHOICE_PENDING,
        about=f"{typesetting.session_name(row.code)}难点问题清单",
        facts=(
            Fact("期次", row.code),
            Fact("呈报时间", typesetting.chinese_date(local_day(row.opened_at, desk.config.zone))),
            Fact("清单项数", str(len(row.list_numbers))),
        ),
    )


def _ask_for_choice(desk: Desk, row: tables.Session) -> int:
    key = f"question:choice_pending:{row.code}"
    if questions.letter_by_key(desk.session, key) is not None:
        return 0
    desk.ask(
        replace(pending_question(desk, row), code=desk.code()),
        kind="choice_pending",
        about=row.code,
        text=f"{row.code}清单已呈报，书记尚未选定",
        payload={},
        key=key,
    )
    return 1
