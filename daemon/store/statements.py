"""How statements are put to either engine, and how the frequent ones are put fast.

A batch of mails makes some ten statements a mail. Those are built once, as statements on tables with bound
parameters, and go to the connection directly: as statements on entities, built anew each time, they would
cost several times as much as the engine itself takes.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import cache
from typing import Any, TypeVar, cast

from sqlalchemy import CursorResult, Executable, Insert, Table, insert
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import DeclarativeBase, Session
from sqlalchemy.sql.dml import ReturningInsert

Item = TypeVar("Item")

CHUNK = 500
"""How many values stand in one IN list: SQLite and the plan cache like few distinct lengths."""


def is_postgresql(session: Session) -> bool:
    return session.get_bind().dialect.name == "postgresql"


def insert_into(session: Session, table: type[DeclarativeBase]) -> sqlite.Insert | postgresql.Insert:
    """An INSERT that knows ON CONFLICT."""
    return insert_of(is_postgresql(session), table)


def table_of(entity: type[DeclarativeBase]) -> Table:
    """The table of an entity, for statements that need nothing else of it."""
    return cast(Table, entity.__table__)


def insert_of(postgresql_: bool, table: type[DeclarativeBase]) -> sqlite.Insert | postgresql.Insert:
    """An INSERT of one engine that knows ON CONFLICT, on the table itself."""
    return postgresql.insert(table_of(table)) if postgresql_ else sqlite.insert(table_of(table))


@cache
def _insert(table: type[DeclarativeBase]) -> Insert:
    return insert(table_of(table))


@cache
def _insert_for_id(table: type[DeclarativeBase]) -> ReturningInsert[Any]:
    return insert(table_of(table)).returning(table_of(table).c.id)


def insert_row(session: Session, table: type[DeclarativeBase], row: Mapping[str, Any]) -> int:
    """The id of one new row."""
    return int(session.connection().execute(_insert_for_id(table), dict(row)).scalar_one())


def insert_rows(session: Session, table: type[DeclarativeBase], rows: Sequence[Mapping[str, Any]]) -> None:
    """Write any number of new rows, all with the same columns."""
    if rows:
        session.connection().execute(_insert(table), rows)


def rows_changed(session: Session, statement: Executable) -> int:
    """How many rows an UPDATE or DELETE touched; for an INSERT the drivers do not say it reliably."""
    result = session.execute(statement)
    return result.rowcount if isinstance(result, CursorResult) else 0


def chunks(items: Iterable[Item], size: int = CHUNK) -> Iterator[Sequence[Item]]:
    """The items in lists of at most `size`."""
    everything = list(items)
    for start in range(0, len(everything), size):
        yield everything[start : start + size]
