"""Questions about statistics periods and the schools' returns."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date, datetime
from typing import Any

from sqlalchemy import bindparam, func, select, update
from sqlalchemy.orm import Session

from daemon.model import ReturnState, UnitKind
from daemon.store.statements import insert_into, insert_row, table_of
from daemon.store.tables import Address, Event, Period, Return, Unit

COUNTED = (ReturnState.ACCEPTED.value, ReturnState.LATE.value)


def period(session: Session, code: str) -> Period | None:
    """The row of a period, TJ-2022-01."""
    return session.scalars(_PERIOD, {"code": code}).one_or_none()


_PERIOD = select(Period).where(Period.code == bindparam("code"))


def ensure_period(session: Session, code: str, due: date) -> Period:
    """The row of a period, made if there is none yet; a period that exists keeps its due day."""
    session.execute(
        insert_into(session, Period)
        .values(code=code, due=due)
        .on_conflict_do_nothing(index_elements=[Period.code])
    )
    return session.scalars(select(Period).where(Period.code == code)).one()


def periods(session: Session) -> list[Period]:
    """Every period that anything is known of, in the order of their due days."""
    return list(session.scalars(select(Period).order_by(Period.due, Period.code)))


def opened_periods(session: Session) -> list[Period]:
    """Every period that was announced to the schools, in the order of their due days."""
    found = select(Period).where(Period.opened_at.is_not(None))
    return list(session.scalars(found.order_by(Period.due, Period.code)))


def announced(session: Session) -> tuple[tuple[str, date], ...]:
    """Code and due day of every period that was announced to the schools, in the order of their due days."""
    session.flush()
    return tuple((code, due) for code, due in session.connection().execute(_ANNOUNCED))


_ANNOUNCED = (
    select(table_of(Period).c.code, table_of(Period).c.due)
    .where(table_of(Period).c.opened_at.is_not(None))
    .order_by(table_of(Period).c.due, table_of(Period).c.code)
)


def add_return(session: Session, values: Mapping[str, Any]) -> int:
    """The id of a new row of `Return` with these columns."""
    return insert_row(session, Return, values)


def supersede(session: Session, return_ids: Iterable[int]) -> None:
    """A later version stands in the place of these."""
    session.execute(update(Return).where(Return.id.in_(list(return_ids))).values(superseded=True))


def returns_of(session: Session, code: str, unit_id: int | None = None) -> list[Return]:
    """Every version of every return for a period, or of one school's; superseded ones too, oldest first."""
    found = select(Return).where(Return.period == code)
    if unit_id is not None:
        found = found.where(Return.unit_id == unit_id)
    return list(session.scalars(found.order_by(Return.unit_id, Return.version, Return.id)))


def all_returns(session: Session) -> list[Return]:
    """Every version of every return for every period."""
    return list(
        session.scalars(select(Return).order_by(Return.period, Return.unit_id, Return.version, Return.id))
    )


def pulse(session: Session) -> tuple[int, ...]:
    """Numbers that change whenever something happened or the directory changed; cheap to ask for."""
    row = session.execute(
        select(
            select(func.max(Event.id)).scalar_subquery(),
            select(func.count()).select_from(Unit).where(Unit.active).scalar_subquery(),
            select(func.max(Unit.id)).scalar_subquery(),
            select(func.count()).select_from(Address).scalar_subquery(),
            select(func.max(Address.id)).scalar_subquery(),
            select(func.count(Address.bounced_at)).scalar_subquery(),
        )
    ).one()
    return tuple(number or 0 for number in row)


def returns_of_unit(session: Session, unit_id: int) -> list[Return]:
    """Every version of every return of a school, oldest period first."""
    return list(session.scalars(_OF_UNIT, {"unit_id": unit_id}))


_OF_UNIT = (
    select(Return).where(Return.unit_id == bindparam("unit_id")).order_by(Return.period, Return.version)
)


def returns_of_mail(session: Session, mail_id: int) -> list[Return]:
    """The returns that came in a mail."""
    return list(session.scalars(select(Return).where(Return.mail_id == mail_id).order_by(Return.id)))


def returns_of_filing(session: Session, filing_id: int) -> list[Return]:
    """The returns that one form made."""
    return list(session.scalars(select(Return).where(Return.filing_id == filing_id).order_by(Return.id)))


def latest_return(session: Session, unit_id: int, code: str) -> Return | None:
    """The return that stands for a school in a period: the last that counts, else the last of all."""
    return standing(returns_of(session, code, unit_id))


def standing(versions: Iterable[Return]) -> Return | None:
    """Of one school's versions for one period, the one that stands."""
    alive = [row for row in versions if not row.superseded]
    return max(alive, key=lambda row: (row.state in COUNTED, row.version, row.id), default=None)


def schools_without_return(session: Session, code: str) -> list[Unit]:
    """The active schools of which nothing came for a period, in directory order."""
    filed = select(Return.unit_id).where(Return.period == code, Return.unit_id.is_not(None))
    schools = select(Unit).where(Unit.kind == UnitKind.SCHOOL.value, Unit.active, Unit.id.not_in(filed))
    return list(session.scalars(schools.order_by(Unit.position, Unit.id)))


def return_counts(session: Session, code: str) -> dict[ReturnState, int]:
    """How many active schools stand how in a period; those of which nothing came are `missing`."""
    by_unit: dict[int, list[Return]] = {}
    for row in returns_of(session, code):
        if row.unit_id is not None:
            by_unit.setdefault(row.unit_id, []).append(row)
    schools = session.scalars(select(Unit.id).where(Unit.kind == UnitKind.SCHOOL.value, Unit.active))
    counts: dict[ReturnState, int] = {}
    for unit_id in schools:
        stands = standing(by_unit.get(unit_id, ()))
        state = ReturnState(stands.state) if stands else ReturnState.MISSING
        counts[state] = counts.get(state, 0) + 1
    return counts


def freeze_period(session: Session, code: str, at: datetime, figures: Mapping[str, Any]) -> None:
    """Hold fast the sums that rollup and circular speak of."""
    session.execute(update(Period).where(Period.code == code).values(frozen_at=at, figures=dict(figures)))
