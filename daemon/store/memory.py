"""What the calendar has done already, and the daemon's small notes about itself."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Final

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from daemon.store.statements import chunks, insert_into, rows_changed
from daemon.store.tables import Done, Note

FIRST_CYCLE: Final = "first_cycle"
LAST_CYCLE: Final = "last_cycle"
PRETENDED: Final = "--at"
"""Stands in the note of the last cycle if it took another moment for now."""


def done(session: Session, key: str) -> bool:
    """Whether the calendar has this behind it, done or skipped."""
    return session.scalar(select(Done.key).where(Done.key == key)) is not None


def do_once(
    session: Session, key: str, at: datetime, *, outcome: str = "done", text: str | None = None
) -> bool:
    """Whether it is to be done now: True for the first who asks with this key, never again.

    It counts as not asked if the transaction is undone.
    """
    statement = insert_into(session, Done).values(key=key, at=at, outcome=outcome, text=text)
    first = session.scalars(statement.on_conflict_do_nothing().returning(Done.key))
    return first.one_or_none() is not None


def done_keys(session: Session, prefix: str = "") -> frozenset[str]:
    """Every key that is done and begins with `prefix`."""
    found = (
        select(Done.key).where(Done.key.startswith(prefix, autoescape=True)) if prefix else select(Done.key)
    )
    return frozenset(session.scalars(found))


def outcomes(session: Session, keys: Iterable[str]) -> dict[str, str]:
    """Those of the keys that are behind us, each `done` or `skipped`."""
    return {
        key: outcome
        for some in chunks(keys)
        for key, outcome in session.execute(select(Done.key, Done.outcome).where(Done.key.in_(some)))
    }


def note(session: Session, name: str) -> str | None:
    """What was noted under a name; None if nothing was."""
    return session.scalar(select(Note.value).where(Note.name == name))


def note_taken_at(session: Session, name: str) -> datetime | None:
    """When a note was last written."""
    return session.scalar(select(Note.at).where(Note.name == name))


def set_note(session: Session, name: str, value: str, at: datetime) -> None:
    """Write a note, in place of what stood under its name."""
    statement = insert_into(session, Note).values(name=name, value=value, at=at)
    session.execute(
        statement.on_conflict_do_update(index_elements=[Note.name], set_={"value": value, "at": at})
    )


def moment_of_work(session: Session, now: datetime) -> datetime:
    """The moment at which commands look and act: `now`, unless the last cycle took another one for now."""
    pretended = note(session, LAST_CYCLE) == PRETENDED
    return (note_taken_at(session, LAST_CYCLE) if pretended else None) or now


def drop_note(session: Session, name: str) -> bool:
    """Take a note away, such as that of an alarm that is over; whether there was one."""
    return rows_changed(session, delete(Note).where(Note.name == name)) > 0
