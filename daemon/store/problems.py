"""Questions about problems and their history. Rows become `daemon.model.Problem` and back here alone."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, fields
from datetime import date, datetime
from enum import Enum
from typing import Any, Final

from sqlalchemy import ColumnElement, bindparam, func, select
from sqlalchemy.orm import Session

from daemon import model
from daemon.model import ENDED_STATES, OnSiteOutcome, Source, State
from daemon.store import tables
from daemon.store.statements import chunks, insert_row, insert_rows, table_of
from daemon.store.tables import Event, Problem

_COLUMNS: Final = tuple(Problem.__table__.columns)
_FIXED: Final = frozenset({"number"})
_COPIED: Final = tuple(field.name for field in fields(model.Problem) if field.name != "measures")
_CHANGEABLE: Final = frozenset({*_COPIED, "measures"}) - _FIXED


@dataclass(frozen=True, slots=True)
class NewProblem:
    """A problem before it is stored, with what the rules need not know."""

    value: model.Problem
    code: str
    mail_id: int | None = None
    filing_id: int | None = None
    item: int = 0
    similar: tuple[Mapping[str, Any], ...] = ()


@dataclass(frozen=True, slots=True)
class NewEvent:
    """One line of history before it is stored."""

    about: str
    at: datetime
    event: str
    by: str
    text: str | None = None
    from_state: str | None = None
    to_state: str | None = None
    mail_id: int | None = None


# ---------------------------------------------------------------- rows and values


def problem_value(row: Problem) -> model.Problem:
    """The problem as the rules see it."""
    return _value(
        {column.key: getattr(row, column.key) for column in _COLUMNS}, [_measure(m) for m in row.measures]
    )


def apply_changes(row: Problem, changes: Mapping[str, Any]) -> None:
    """Write fields of `model.Problem`, by their names, into the row. Raises ValueError for any other name."""
    unknown = changes.keys() - _CHANGEABLE
    if unknown:
        raise ValueError(f"no field of a problem that can change: {', '.join(sorted(unknown))}")
    for name, value in changes.items():
        if name == "measures":
            _write_measures(row, value)
        else:
            setattr(row, name, _plain(value))


def add_problems(session: Session, problems: Sequence[NewProblem]) -> list[int]:
    """The ids of these problems, now stored, in their order."""
    ids = [insert_row(session, Problem, _row(problem)) for problem in problems]
    measures = [
        _measure_row(measure, position) | {"problem_id": number}
        for number, problem in zip(ids, problems, strict=True)
        for position, measure in enumerate(problem.value.measures)
    ]
    insert_rows(session, tables.Measure, measures)
    return ids


def _row(problem: NewProblem) -> dict[str, Any]:
    value = problem.value
    plain = {name: _plain(getattr(value, name)) for name in _COPIED}
    return plain | {
        "code": problem.code,
        "mail_id": problem.mail_id,
        "filing_id": problem.filing_id,
        "item": problem.item,
        "similar": [dict(one) for one in problem.similar],
    }


def _plain(value: Any) -> Any:
    """A value as its column holds it."""
    if isinstance(value, Enum):
        return value.value
    if isinstance(value, tuple):
        return list(value)
    if isinstance(value, Mapping):
        return dict(value)
    return value


def _value(row: Mapping[str, Any], measures: Iterable[model.Measure]) -> model.Problem:
    return model.Problem(
        number=row["number"],
        state=State(row["state"]),
        reporting_unit=row["reporting_unit"],
        problem=row["problem"],
        details=row["details"],
        received_at=row["received_at"],
        state_since=row["state_since"],
        unit_id=row["unit_id"],
        source=Source(row["source"]),
        levels=tuple(row["levels"]),
        sections_asked=tuple(row["sections_asked"]),
        remarks=row["remarks"],
        version=row["version"],
        lead_section_id=row["lead_section_id"],
        assist_section_ids=tuple(row["assist_section_ids"]),
        deadline=row["deadline"],
        session=row["session"],
        merged_into=row["merged_into"],
        instruction=row["instruction"],
        handling=row["handling"],
        on_site_outcome=OnSiteOutcome(row["on_site_outcome"]) if row["on_site_outcome"] else None,
        on_site_date=row["on_site_date"],
        measures=tuple(measures),
        office_agreed=row["office_agreed"],
        satisfaction=row["satisfaction"],
        last_progress_at=row["last_progress_at"],
        closed_at=row["closed_at"],
    )


def _measure(row: Any) -> model.Measure:
    return model.Measure(row.measure, row.department, row.deadline, row.done, row.id, row.completion)


def _measure_row(measure: model.Measure, position: int) -> dict[str, Any]:
    return {
        "position": position,
        "measure": measure.measure,
        "department": measure.department,
        "deadline": measure.deadline,
        "done": measure.done,
        "completion": measure.completion,
    }


def _write_measures(row: Problem, measures: Sequence[model.Measure]) -> None:
    """Measures with an id stay the rows they are; those without are new; those not named are gone."""
    known = {measure.id: measure for measure in row.measures}
    written: list[tables.Measure] = []
    for position, measure in enumerate(measures):
        kept = known.get(measure.id) if measure.id is not None else None
        target = kept or tables.Measure()
        for name, value in _measure_row(measure, position).items():
            setattr(target, name, value)
        written.append(target)
    row.measures = written


# ---------------------------------------------------------------- finding problems


def problem(session: Session, number: str) -> Problem | None:
    """The row of a problem."""
    return session.scalars(select(Problem).where(Problem.number == number)).one_or_none()


def problem_rows(session: Session, numbers: Iterable[str]) -> list[Problem]:
    """The rows of these problems, in the order of the numbers; unknown numbers are left out."""
    wanted = list(dict.fromkeys(numbers))
    found = {
        row.number: row
        for some in chunks(wanted)
        for row in session.scalars(select(Problem).where(Problem.number.in_(some)))
    }
    return [found[number] for number in wanted if number in found]


def problems(
    session: Session,
    *,
    states: Iterable[State] | None = None,
    unit_id: int | None = None,
    lead_section_id: int | None = None,
    in_session: str | None = None,
    received_since: datetime | None = None,
) -> list[model.Problem]:
    """The problems that meet every condition given, in the order of their receipt."""
    conditions: list[ColumnElement[bool]] = []
    if states is not None:
        conditions.append(Problem.state.in_([state.value for state in states]))
    if unit_id is not None:
        conditions.append(Problem.unit_id == unit_id)
    if lead_section_id is not None:
        conditions.append(Problem.lead_section_id == lead_section_id)
    if in_session is not None:
        conditions.append(Problem.session == in_session)
    if received_since is not None:
        conditions.append(Problem.received_at >= received_since)
    return _values(session, conditions)


def open_problems(session: Session) -> list[model.Problem]:
    """Every problem that has not come to its end."""
    return problems(session, states=[state for state in State if state not in ENDED_STATES])


def open_problem_rows(session: Session, unit_id: int) -> list[Problem]:
    """The rows of a school's problems that have not come to their end, oldest first."""
    session.flush()
    # Most schools have none: asking for an id costs a third of asking for entities.
    if session.connection().execute(_ANY_OPEN_OF_UNIT, {"unit_id": unit_id}).first() is None:
        return []
    return list(session.scalars(_OPEN_OF_UNIT, {"unit_id": unit_id}))


_ANY_OPEN_OF_UNIT: Final = (
    select(table_of(Problem).c.id)
    .where(
        table_of(Problem).c.unit_id == bindparam("unit_id"),
        table_of(Problem).c.state.not_in([state.value for state in ENDED_STATES]),
    )
    .limit(1)
)
_OPEN_OF_UNIT: Final = (
    select(Problem)
    .where(
        Problem.unit_id == bindparam("unit_id"), Problem.state.not_in([state.value for state in ENDED_STATES])
    )
    .order_by(Problem.id)
)


def problems_of_section(session: Session, section_id: int) -> list[model.Problem]:
    """The open problems that a section leads."""
    wanted = [state for state in State if state not in ENDED_STATES]
    return problems(session, states=wanted, lead_section_id=section_id)


def waiting_for_a_session(session: Session) -> list[model.Problem]:
    """Registered problems meant for the secretary that stand on no list yet."""
    found = problems(session, states=[State.REGISTERED])
    return [problem for problem in found if problem.session is None]


def problems_of_mail(session: Session, mail_id: int) -> list[Problem]:
    """The rows of the problems that first came in this mail."""
    return list(session.scalars(select(Problem).where(Problem.mail_id == mail_id).order_by(Problem.id)))


def problem_counts(session: Session) -> dict[State, int]:
    """How many problems are in each state; states without any are left out."""
    rows = session.execute(select(Problem.state, func.count()).group_by(Problem.state))
    return {State(row[0]): row[1] for row in rows}


def solved_between(session: Session, unit_id: int, start: datetime, end: datetime) -> int:
    """How many problems of a school the ledger says were closed in a span: compared with its return."""
    session.flush()
    asked = {"unit_id": unit_id, "start": start, "end": end}
    return session.connection().execute(_SOLVED, asked).scalar_one()


_SOLVED: Final = (
    select(func.count())
    .select_from(table_of(Problem))
    .where(
        table_of(Problem).c.unit_id == bindparam("unit_id"),
        table_of(Problem).c.closed_at >= bindparam("start"),
        table_of(Problem).c.closed_at < bindparam("end"),
    )
)


def _values(session: Session, conditions: Sequence[ColumnElement[bool]]) -> list[model.Problem]:
    """Read as plain rows: entities would cost several times as much for fifty thousand problems."""
    measured = (
        select(tables.Measure.__table__)
        .join(Problem, Problem.id == tables.Measure.problem_id)
        .where(*conditions)
        .order_by(tables.Measure.problem_id, tables.Measure.position, tables.Measure.id)
    )
    measures: dict[int, list[model.Measure]] = defaultdict(list)
    for row in session.execute(measured):
        measures[row.problem_id].append(_measure(row))
    rows = session.execute(select(*_COLUMNS).where(*conditions).order_by(Problem.id)).all()
    return [_value(values := row._asdict(), measures.get(values["id"], ())) for row in rows]


# ---------------------------------------------------------------- history

_EVENT: Final = tuple(field.name for field in fields(NewEvent))


def add_events(session: Session, events: Sequence[NewEvent]) -> None:
    """Write lines of history, in their order."""
    insert_rows(session, Event, [{name: getattr(event, name) for name in _EVENT} for event in events])


def events_of(session: Session, about: str) -> list[Event]:
    """The history of a number (or of `mail:17`, `unit:4`, …), oldest first."""
    return list(session.scalars(select(Event).where(Event.about == about).order_by(Event.id)))


@dataclass(frozen=True, slots=True)
class HistoryLine:
    """One line of history, as far as the rules read it."""

    at: datetime
    event: str
    from_state: str | None


def history_of(session: Session, about: str) -> tuple[HistoryLine, ...]:
    """The history of a number, oldest first, as the rules read it."""
    return tuple(HistoryLine(*row) for row in session.connection().execute(_HISTORY, {"about": about}))


_HISTORY: Final = (
    select(table_of(Event).c.at, table_of(Event).c.event, table_of(Event).c.from_state)
    .where(table_of(Event).c.about == bindparam("about"))
    .order_by(table_of(Event).c.id)
)


def histories(session: Session, numbers: Iterable[str]) -> dict[str, list[HistoryLine]]:
    """The histories of many problems at once, each oldest first; a number without history is left out."""
    found: dict[str, list[HistoryLine]] = defaultdict(list)
    columns = (Event.about, Event.at, Event.event, Event.from_state)
    for some in chunks(numbers):
        wanted = select(*columns).where(Event.about.in_(some)).order_by(Event.id)
        for row in session.execute(wanted):
            found[row.about].append(HistoryLine(row.at, row.event, row.from_state))
    return found


def events_of_mail(session: Session, mail_id: int) -> list[Event]:
    """All that a mail brought about, oldest first."""
    return list(session.scalars(select(Event).where(Event.mail_id == mail_id).order_by(Event.id)))


def deadlines_between(session: Session, first: date, last: date) -> list[model.Problem]:
    """Open problems whose deadline lies in these days, the nearest first."""
    wanted = [state.value for state in State if state not in ENDED_STATES]
    found = _values(session, [Problem.state.in_(wanted), Problem.deadline.between(first, last)])
    return sorted(found, key=lambda problem: (problem.deadline or last, problem.number))
