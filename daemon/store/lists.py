"""The lists of interfaces.md §4 as plain data: what `djb mail|letters|problems|returns|held --json` prints.

Moments carry the office's offset. Nothing here decides anything: what colour a problem's light has is given
by the caller, because it depends on the calendar.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import date, datetime
from typing import Any, Final
from zoneinfo import ZoneInfo

from sqlalchemy import select
from sqlalchemy.orm import Session

from daemon import model
from daemon.clock import iso
from daemon.model import Disposition, Light, ReturnState, UnitKind
from daemon.store import problems as problem_questions, returns as return_questions
from daemon.store.tables import Event, Letter, Mail, Problem, Question, Return, Unit

Json = dict[str, Any]

CARRIED_OUT: Final = tuple(
    fate.value
    for fate in (Disposition.FILED, Disposition.RETURNED, Disposition.CORRECTED, Disposition.REPLIED)
)
"""Fates of mails that did something: the numbers in their history are the numbers they are about."""


def _moment(value: datetime | None, zone: ZoneInfo) -> str | None:
    return iso(value, zone) if value is not None else None


def _day(value: date | None) -> str | None:
    return value.isoformat() if value is not None else None


def _batches(session: Session, columns: Sequence[Any], *conditions: Any) -> Iterator[Any]:
    """Plain rows in the order of their first column, a thousand at a time: lists grow long."""
    found = select(*columns).where(*conditions).order_by(columns[0])
    yield from session.execute(found.execution_options(yield_per=1000))


# ---------------------------------------------------------------- mail


_MAIL: Final = (
    Mail.id,
    Mail.folder,
    Mail.uidvalidity,
    Mail.uid,
    Mail.message_id,
    Mail.sha256,
    Mail.sender,
    Mail.subject,
    Mail.received_at,
    Mail.kind,
    Mail.disposition,
    Mail.reason,
)


def mails(session: Session, zone: ZoneInfo) -> list[Json]:
    """Every mail with its one fate, in the order of arrival here."""
    numbers = _numbers_by_mail(session)
    return [
        {
            "id": row.id,
            "folder": row.folder,
            "uidvalidity": row.uidvalidity,
            "uid": row.uid,
            "message_id": row.message_id,
            "sha256": row.sha256,
            "from": row.sender,
            "subject": row.subject,
            "received_at": _moment(row.received_at, zone),
            "kind": row.kind,
            "disposition": row.disposition,
            "reason": row.reason,
            "problems": [n for n in numbers.get(row.id, ()) if n.startswith("ND-")],
            "returns": [n for n in numbers.get(row.id, ()) if n.startswith("TJ-")],
        }
        for row in _batches(session, _MAIL)
    ]


def _numbers_by_mail(session: Session) -> Mapping[int, Sequence[str]]:
    """The numbers of the problems and periods that each mail is about."""
    found: dict[int, dict[str, None]] = defaultdict(dict)
    sources = (
        select(Problem.mail_id, Problem.number).where(Problem.mail_id.is_not(None)).order_by(Problem.id),
        select(Return.mail_id, Return.period).where(Return.mail_id.is_not(None)).order_by(Return.id),
        select(Event.mail_id, Event.about)
        .join(Mail, Mail.id == Event.mail_id)
        .where(Mail.disposition.in_(CARRIED_OUT), Event.about.like("ND-%") | Event.about.like("TJ-%"))
        .order_by(Event.id),
    )
    for source in sources:
        for mail_id, number in session.execute(source):
            # A return's history is told school by school: TJ-2026-11/贵港市….
            found[mail_id or 0][number.partition("/")[0]] = None
    return {mail_id: tuple(numbers) for mail_id, numbers in found.items()}


def held(session: Session, zone: ZoneInfo) -> list[Json]:
    """The mails that wait for a person, each with the question that was put to the office."""
    conditions = Mail.disposition == Disposition.HELD.value
    asked = select(Question.mail_id, Question.text, Question.suggestion).join(
        Mail, Mail.id == Question.mail_id
    )
    asked = asked.where(conditions, Question.answered_at.is_(None)).order_by(Question.id)
    questions = {row.mail_id: row for row in session.execute(asked)}
    columns = (Mail.id, Mail.handled_at, Mail.received_at, Mail.reason)
    return [
        {
            "mail": row.id,
            "since": _moment(row.handled_at or row.received_at, zone),
            "reason": row.reason,
            "question": questions[row.id].text if row.id in questions else None,
            "suggestion": questions[row.id].suggestion if row.id in questions else None,
        }
        for row in _batches(session, columns, conditions)
    ]


# ---------------------------------------------------------------- letters


_LETTER: Final = (
    Letter.id,
    Letter.kind,
    Letter.to,
    Letter.cc,
    Letter.subject,
    Letter.about,
    Letter.state,
    Letter.message_id,
    Letter.in_reply_to,
    Letter.due_at,
    Letter.sent_at,
    Letter.attempts,
    Letter.error,
)


def letters(session: Session, zone: ZoneInfo) -> list[Json]:
    """Every letter that was written, sent or not."""
    return [
        {
            **row._asdict(),
            "due_at": _moment(row.due_at, zone),
            "sent_at": _moment(row.sent_at, zone),
        }
        for row in _batches(session, _LETTER)
    ]


# ---------------------------------------------------------------- problems


def problems(
    session: Session,
    zone: ZoneInfo,
    light_of: Callable[[model.Problem], Light],
    number: str | None = None,
) -> list[Json]:
    """Every problem, or the one of this number, with its light, measures and history."""
    found = problem_questions.problems(session)
    if number is not None:
        found = [problem for problem in found if problem.number == number]
    sections = dict(session.execute(select(Unit.id, Unit.name)).all())
    similar: dict[str, list[Any]] = dict(session.execute(select(Problem.number, Problem.similar)).all())
    history = _history(session, zone, number)
    return [
        _problem(problem, zone, light_of(problem), sections)
        | {
            "similar": [one["number"] if isinstance(one, dict) else one for one in similar[problem.number]],
            "measures": [_measure(measure) for measure in problem.measures],
            "history": history.get(problem.number, []),
        }
        for problem in found
    ]


def _problem(problem: model.Problem, zone: ZoneInfo, light: Light, sections: Mapping[int, str]) -> Json:
    return {
        "number": problem.number,
        "state": problem.state.value,
        "problem": problem.problem,
        "details": problem.details,
        "reporting_unit": problem.reporting_unit,
        "source": problem.source.value,
        "levels": list(problem.levels),
        "sections_asked": list(problem.sections_asked),
        "lead_section": sections.get(problem.lead_section_id or 0),
        "assist_sections": [sections[i] for i in problem.assist_section_ids if i in sections],
        "deadline": _day(problem.deadline),
        "overdue": light is Light.RED,
        "light": light.value,
        "received_at": _moment(problem.received_at, zone),
        "session": problem.session,
    }


def _measure(measure: model.Measure) -> Json:
    return {
        "measure": measure.measure,
        "department": measure.department,
        "deadline": _day(measure.deadline),
        "done": measure.done,
    }


def _history(session: Session, zone: ZoneInfo, number: str | None) -> Mapping[str, list[Json]]:
    """The history of the problems, oldest first."""
    lines: dict[str, list[Json]] = defaultdict(list)
    wanted = Event.about == number if number is not None else Event.about.like("ND-%")
    columns = (
        Event.id,
        Event.about,
        Event.at,
        Event.event,
        Event.from_state,
        Event.to_state,
        Event.by,
        Event.mail_id,
        Event.text,
    )
    for row in _batches(session, columns, wanted):
        lines[row.about].append(
            {
                "at": _moment(row.at, zone),
                "event": row.event,
                "from": row.from_state,
                "to": row.to_state,
                "by": row.by,
                "mail": row.mail_id,
                "text": row.text,
            }
        )
    return lines


# ---------------------------------------------------------------- returns


def returns(
    session: Session, zone: ZoneInfo, period: str | None = None, due: date | None = None
) -> list[Json]:
    """How each school stands in every known period, or in one, whether it filed or not.

    `period` may be written 2022-01 or TJ-2022-01; `due` is its due day in case nothing is known of it yet.
    """
    code = f"TJ-{period.removeprefix('TJ-')}" if period is not None else None
    known: dict[str, date | None] = {code: due} if code is not None else {}
    known |= {row.code: row.due for row in return_questions.periods(session) if code in (None, row.code)}
    found = select(Return).order_by(Return.id)
    if code is not None:
        found = found.where(Return.period == code)
    by_period: dict[str, list[Return]] = defaultdict(list)
    for row in session.scalars(found):
        by_period[row.period].append(row)
    # A period that is known only by a return still shows that return.
    codes = sorted({*known, *by_period})
    schools = _active_schools(session)
    return [
        line
        for one in codes
        for line in _returns_of_period(one, known.get(one), schools, by_period.get(one, ()), zone)
    ]


def _active_schools(session: Session) -> Mapping[int, str]:
    found = select(Unit.id, Unit.name).where(Unit.kind == UnitKind.SCHOOL.value, Unit.active)
    return dict(session.execute(found.order_by(Unit.position, Unit.id)).all())


def _returns_of_period(
    code: str, due: date | None, schools: Mapping[int, str], rows: Iterable[Return], zone: ZoneInfo
) -> Iterator[Json]:
    """The active schools in directory order, then whoever else filed: schools that left, unknown names."""
    versions: dict[int, list[Return]] = defaultdict(list)
    unknown: list[Return] = []
    for row in rows:
        if row.unit_id is None:
            unknown.append(row)
        else:
            versions[row.unit_id].append(row)
    for unit_id in (*schools, *(unit for unit in versions if unit not in schools)):
        stands = return_questions.standing(versions.get(unit_id, ()))
        if stands is not None or unit_id in schools:
            yield _return(code, due, schools.get(unit_id), stands, zone)
    for row in unknown:
        if not row.superseded:
            yield _return(code, due, None, row, zone)


def _return(code: str, due: date | None, unit: str | None, row: Return | None, zone: ZoneInfo) -> Json:
    return {
        "period": code,
        "due": _day(due),
        "unit": unit or (row.unit_name if row else None),
        "state": row.state if row else ReturnState.MISSING.value,
        "version": row.version if row else None,
        "received_at": _moment(row.received_at, zone) if row else None,
        "rows": row.rows if row else [],
        "findings": row.findings if row else [],
    }
