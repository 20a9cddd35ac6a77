"""Questions for the one screen of `djb status`: counts and what lies about, in as few statements as can be."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import exists, func, or_, select
from sqlalchemy.orm import Session, aliased

from daemon.model import Disposition, State
from daemon.store.letters import BOUNCED, FAILED, OPEN, SENT
from daemon.store.mails import IN_ARCHIVE
from daemon.store.tables import Address, Delivery, Event, Letter, Mail, Problem, Unit


@dataclass(frozen=True, slots=True)
class Undelivered:
    """A letter that did not reach an address, and nothing has reached that address since."""

    letter_id: int
    subject: str
    address: str
    error: str | None
    due_at: datetime
    listed: bool
    """The address stands in the directory."""


def undelivered(session: Session) -> list[Undelivered]:
    """Letters that failed or bounced at addresses which have not been reached since, oldest first."""
    later = aliased(Delivery)
    reached = exists().where(
        later.address == Delivery.address, later.state == SENT, later.letter_id > Delivery.letter_id
    )
    listed = exists().where(Address.email == Delivery.address, Address.unit_id == Unit.id, Unit.active)
    rows = session.execute(
        select(Letter.id, Letter.subject, Delivery.address, Delivery.error, Letter.due_at, listed)
        .join(Letter, Letter.id == Delivery.letter_id)
        .where(Delivery.state.in_((FAILED, BOUNCED)), ~reached)
        .order_by(Delivery.id)
    )
    return [Undelivered(*row) for row in rows]


def waiting_deliveries(session: Session, now: datetime) -> tuple[int, int, datetime | None]:
    """(all that wait, those of them that are due, when the oldest due one fell due)."""
    waits = Delivery.state.in_(OPEN)
    total = session.scalar(select(func.count()).select_from(Delivery).where(waits)) or 0
    due, oldest = session.execute(
        select(func.count(), func.min(Letter.due_at))
        .select_from(Delivery)
        .join(Letter, Letter.id == Delivery.letter_id)
        .where(waits, Delivery.next_at <= now)
    ).one()
    return total, due, oldest


def histories(session: Session, states: Iterable[State]) -> Mapping[str, Sequence[Event]]:
    """The history of every problem in one of these states, oldest first, in one statement."""
    wanted = select(Problem.number).where(Problem.state.in_([state.value for state in states]))
    found: dict[str, list[Event]] = defaultdict(list)
    for event in session.scalars(select(Event).where(Event.about.in_(wanted)).order_by(Event.id)):
        found[event.about].append(event)
    return found


def events_beginning(session: Session, number: str) -> list[Event]:
    """The history of a period and of every school in it (`TJ-2022-01/…`), oldest first."""
    wanted = or_(Event.about == number, Event.about.startswith(f"{number}/", autoescape=True))
    return list(session.scalars(select(Event).where(wanted).order_by(Event.id)))


def archived_mails(session: Session) -> list[Mail]:
    """Every mail whose raw bytes are in the archive, in the order of arrival here."""
    return list(session.scalars(select(Mail).where(IN_ARCHIVE).order_by(Mail.id)))


def pending_digests(session: Session) -> frozenset[str]:
    """The SHA-256 of every mail that is not handled yet."""
    found = select(Mail.sha256).where(Mail.disposition == Disposition.PENDING.value, Mail.sha256 != "")
    return frozenset(session.scalars(found))
