"""Sessions (期), carried out: opened, and the list to the secretary; what he chooses is for `session_choice`."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, timedelta

from daemon import dispatch, ledgers, letters, recipients, sessions, similarity, typesetting
from daemon.clock import local_day
from daemon.desk import Desk
from daemon.letters import ListedProblem
from daemon.model import Problem, State, UnitKind
from daemon.problems import WITH_SECTIONS
from daemon.sessions import Choice, Session, Stage
from daemon.store import questions, tables
from daemon.workflow import happen

SIMILAR_SINCE = timedelta(days=3 * 366)
"""How far back similar problems are looked for."""
SKIPPED = "session_skipped"


# ------------------------------------------------------------------------------------ rows and values


def value_of(row: tables.Session, desk: Desk) -> Session:
    """The session as the rules see it."""
    kept = row.choice
    return Session(
        code=row.code,
        stage=Stage(row.stage),
        opened_on=local_day(row.opened_at, desk.config.zone),
        numbers=tuple(row.list_numbers),
        version=row.version,
        choice=Choice(
            tuple(kept.get("selected", ())), tuple(kept.get("referred", ())), kept.get("instruction")
        ),
        questioned=bool(kept.get("questioned")),
    )


def keep(row: tables.Session, session: Session) -> None:
    """Write the session back; the round counts every new choice."""
    row.stage, row.version = session.stage.value, session.version
    row.choice = {
        **row.choice,
        "selected": list(session.choice.selected),
        "referred": list(session.choice.referred),
        "instruction": session.choice.instruction,
        "questioned": session.questioned,
    }


def session_of(desk: Desk, letter: tables.Letter) -> tables.Session | None:
    """The session that a letter is about."""
    code = letter.context.get("session")
    return questions.session_by_code(desk.session, code) if code else None


# -------------------------------------------------------------------------------------------- opening


def next_opening(desk: Desk) -> date | None:
    """When the next regular session opens; None if sessions are opened by order only."""
    latest = questions.latest_session(desk.session)
    last = local_day(latest.opened_at, desk.config.zone) if latest else None
    started = local_day(desk.first_cycle(), desk.config.zone)
    if skipped := questions.note(desk.session, SKIPPED):
        started = max(started, date.fromisoformat(skipped))
    every = desk.config.workflow.session_months
    return sessions.next_opening(last, started, every, desk.office.workflow_rules, desk.calendar)


def open_if_due(desk: Desk) -> int:
    """Open the regular session on its day; one without problems waits until its day is past."""
    opening = next_opening(desk)
    if opening is None or opening > desk.today:
        return 0
    last_day = desk.calendar.workdays_after(opening, desk.office.workflow_rules.session_list)
    if desk.today >= last_day:
        questions.set_note(desk.session, SKIPPED, desk.today.isoformat(), desk.now)
        return 0
    return 1 if open_session(desk, by="djb") else 0


def open_session(desk: Desk, *, by: str, mail: tables.Mail | None = None) -> tables.Session | None:
    """Compile the list and submit it to the secretary; None if there is nothing to list."""
    known = [p for p in _known_problems(desk) if p.state not in (State.DECLINED, State.WITHDRAWN)]
    waiting = [problem for problem in known if sessions.for_list(problem)]
    if not waiting:
        return None
    index = similarity.index(
        similarity.Subject(p.number, p.problem, p.details, p.reporting_unit) for p in known
    )
    by_number = {problem.number: problem for problem in known}
    alike = {problem.number: similarity.similar(index, problem.number) for problem in waiting}
    solved = {
        number: [one.number for one in found if by_number[one.number].state in (State.CLOSED, State.ARCHIVED)]
        for number, found in alike.items()
    }
    groups = similarity.groups(index, [problem.number for problem in waiting])
    entries = sessions.listing(waiting, groups, solved)
    row = _new_session(desk, [entry.number for entry in entries], by, mail)
    for number, event in sessions.opening_events(value_of(row, desk)):
        problem = questions.problem(desk.session, number)
        if problem is not None:
            problem.similar = [{"number": one.number, "why": one.why} for one in alike[number]]
            happen(desk, problem, event, mail=mail)
    row.choice = {"similar": {entry.number: entry.similar for entry in entries}}
    row.stage = Stage.SUBMITTED.value
    submit(desk, row)
    return row


def _known_problems(desk: Desk) -> list[Problem]:
    return questions.problems(desk.session, received_since=desk.now - SIMILAR_SINCE)


def _new_session(desk: Desk, numbers: Sequence[str], by: str, mail: tables.Mail | None) -> tables.Session:
    codes = [one.code for one in questions.sessions(desk.session)]
    row = tables.Session(
        code=sessions.next_code(desk.today.year, codes),
        tag=desk.code(),
        opened_at=desk.now,
        stage=Stage.OPENED.value,
        choice={},
        list_numbers=list(numbers),
        version=1,
    )
    desk.session.add(row)
    desk.session.flush()
    desk.record(row.code, "opened", by=by, mail=mail, text=f"开期，清单共{len(numbers)}项")
    return row


# ------------------------------------------------------------------------------------------- the list


def list_workbook(desk: Desk, row: tables.Session) -> ledgers.SentFile:
    """The list for the secretary."""
    similar = row.choice.get("similar", {})
    rows = [
        ledgers.list_row(place, questions.problem_value(problem), similar.get(problem.number, ""))
        for place, problem in enumerate(questions.problem_rows(desk.session, row.list_numbers), start=1)
    ]
    return ledgers.problem_list(row.code, row.version, rows, typesetting.session_name(row.code))


def submit(
    desk: Desk,
    row: tables.Session,
    *,
    doubt: str | None = None,
    mail: tables.Mail | None = None,
) -> None:
    """The list, to the secretary: first, or again because his answer leaves a doubt."""
    to = recipients.office(desk, UnitKind.SECRETARY)
    if to is None:
        desk.alarm(
            "no_secretary", "通讯录中没有书记的邮箱", f"{row.code} 难点问题清单无法呈报", "请补充通讯录"
        )
        return
    file = list_workbook(desk, row)
    rules = desk.office.workflow_rules
    desk.write(
        letters.ProblemList(
            to_name=to.name,
            date=desk.today,
            number=row.code,
            code=row.tag,
            session=row.code,
            problems=_listed(desk, row),
            choose_by=desk.workdays_on(rules.session_choice_reminder),
            doubt=doubt,
        ),
        key=f"problem_list:{row.code}:{'doubt' if doubt else 'first'}:{row.version}",
        to=to.to,
        about=(row.code, *row.list_numbers),
        unit=to.unit,
        answers=mail,
        attachments=[dispatch.attached(file)],
        context={"session": row.code, "workbook": file.sent.to_json()},
    )


def _listed(desk: Desk, row: tables.Session) -> tuple[ListedProblem, ...]:
    similar = row.choice.get("similar", {})
    return tuple(
        ListedProblem(
            order=place,
            number=problem.number,
            unit=problem.reporting_unit,
            problem=problem.problem,
            details=problem.details,
            source=questions.problem_value(problem).source.chinese,
            levels=_levels(problem.levels),
            similar=similar.get(problem.number) or None,
        )
        for place, problem in enumerate(questions.problem_rows(desk.session, row.list_numbers), start=1)
    )


def waiting_problems(desk: Desk) -> list[Problem]:
    """What goes on the next list."""
    found = questions.problems(desk.session, states=(State.REGISTERED, *WITH_SECTIONS))
    return [problem for problem in found if sessions.for_list(problem)]


def expected_list(desk: Desk, day: date) -> letters.ProblemList | None:
    """The list as it would go to the secretary on a day if nothing else arrived; None if it is empty."""
    waiting = waiting_problems(desk)
    if not waiting:
        return None
    code = sessions.next_code(day.year, [one.code for one in questions.sessions(desk.session)])
    rules = desk.office.workflow_rules
    return letters.ProblemList(
        to_name=recipients.TO_NAMES[UnitKind.SECRETARY],
        date=day,
        number=code,
        code=None,
        session=code,
        problems=tuple(
            ListedProblem(
                place, p.number, p.reporting_unit, p.problem, p.details, p.source.chinese, _levels(p.levels)
            )
            for place, p in enumerate(waiting, start=1)
        ),
        choose_by=desk.calendar.workdays_after(day, rules.session_choice_reminder),
    )


def _levels(levels: Sequence[str]) -> str:
    return "、".join(letters.LEVEL_NAMES.get(level, level) for level in levels) or "—"
