"""The few statements that both engines know under a different roof."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import TypeVar

from sqlalchemy import CursorResult, Executable
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import DeclarativeBase, Session

Item = TypeVar("Item")

CHUNK = 500
"""How many values stand in one IN list: SQLite and the plan cache like few distinct lengths."""


def is_postgresql(session: Session) -> bool:
    return session.get_bind().dialect.name == "postgresql"


def insert_into(session: Session, table: type[DeclarativeBase]) -> sqlite.Insert | postgresql.Insert:
    """An INSERT that knows ON CONFLICT."""
    return postgresql.insert(table) if is_postgresql(session) else sqlite.insert(table)


def rows_changed(session: Session, statement: Executable) -> int:
    """How many rows an UPDATE or DELETE touched; for an INSERT the drivers do not say it reliably."""
    result = session.execute(statement)
    return result.rowcount if isinstance(result, CursorResult) else 0


def chunks(items: Iterable[Item], size: int = CHUNK) -> Iterator[Sequence[Item]]:
    """The items in lists of at most `size`."""
    everything = list(items)
    for start in range(0, len(everything), size):
        yield everything[start : start + size]
