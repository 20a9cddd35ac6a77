"""Questions about letters: what was written, what is due, what became of each delivery.

A letter is one message; a delivery is that message to one address. The state of a letter follows from its
deliveries and is kept beside them, so that lists need no join.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import cache
from typing import Any, Final

from sqlalchemy import ColumnElement, and_, bindparam, func, or_, select, update
from sqlalchemy.orm import Session
from sqlalchemy.sql.dml import ReturningInsert

from daemon.model import LetterKind, LetterState
from daemon.store.statements import chunks, insert_of, insert_rows, is_postgresql, rows_changed, table_of
from daemon.store.tables import Delivery, Letter, Mention

QUEUED: Final = "queued"
SENDING: Final = "sending"
SENT: Final = "sent"
FAILED: Final = "failed"
CANCELLED: Final = "cancelled"
BOUNCED: Final = "bounced"
OPEN: Final = (QUEUED, SENDING)


@dataclass(frozen=True, slots=True)
class NewLetter:
    """A letter, rendered, before it is stored."""

    key: str
    kind: LetterKind
    to: tuple[str, ...]
    subject: str
    message_id: str
    created_at: datetime
    due_at: datetime
    raw: bytes
    cc: tuple[str, ...] = ()
    about: tuple[str, ...] = ()
    unit_id: int | None = None
    in_reply_to: str | None = None
    mail_id: int | None = None
    context: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Due:
    """One delivery that this daemon has claimed and now must send."""

    delivery_id: int
    letter_id: int
    kind: LetterKind
    address: str
    message_id: str
    subject: str
    raw: bytes
    attempts: int
    """Counting this one."""
    interrupted: bool
    """An earlier attempt was begun and its end is not known: it may have been delivered."""


def add_letters(session: Session, letters: Sequence[NewLetter]) -> list[int | None]:
    """The id of each letter, now in the outbox; None where a letter with that key was there before."""
    statement, connection = _insert_letter(is_postgresql(session)), session.connection()
    ids = [connection.execute(statement, _letter_row(one)).scalar_one_or_none() for one in letters]
    added = [(number, letter) for number, letter in zip(ids, letters, strict=True) if number is not None]
    deliveries = [
        {"letter_id": number, "address": address, "next_at": letter.due_at}
        for number, letter in added
        for address in dict.fromkeys((*letter.to, *letter.cc))
    ]
    mentions = [
        {"letter_id": number, "number": about}
        for number, letter in added
        for about in dict.fromkeys(letter.about)
    ]
    insert_rows(session, Delivery, deliveries)
    insert_rows(session, Mention, mentions)
    return ids


@cache
def _insert_letter(postgresql: bool) -> ReturningInsert[int]:
    once = insert_of(postgresql, Letter).on_conflict_do_nothing(index_elements=["key"])
    return once.returning(Letter.id)


def _letter_row(letter: NewLetter) -> dict[str, Any]:
    return {
        "key": letter.key,
        "kind": letter.kind.value,
        "to": list(letter.to),
        "cc": list(letter.cc),
        "subject": letter.subject,
        "about": list(dict.fromkeys(letter.about)),
        "unit_id": letter.unit_id,
        "message_id": letter.message_id,
        "in_reply_to": letter.in_reply_to,
        "mail_id": letter.mail_id,
        "created_at": letter.created_at,
        "due_at": letter.due_at,
        "context": dict(letter.context),
        "raw": letter.raw,
    }


# ---------------------------------------------------------------- finding letters


def letter(session: Session, letter_id: int) -> Letter | None:
    """The letter with this id."""
    return session.get(Letter, letter_id)


def letter_by_key(session: Session, key: str) -> Letter | None:
    """The letter that is this, once and for all."""
    return session.scalars(select(Letter).where(Letter.key == key)).one_or_none()


def letter_id(session: Session, key: str) -> int | None:
    """The id of the letter that is this, if it was written already."""
    return session.connection().execute(_ID, {"key": key}).scalar_one_or_none()


_ID = select(table_of(Letter).c.id).where(table_of(Letter).c.key == bindparam("key"))


def letter_by_message_ids(session: Session, message_ids: Sequence[str]) -> Letter | None:
    """The letter of ours that a mail answers: the first of these Message-IDs that is one of ours."""
    if not message_ids:
        return None
    found = {
        row.message_id: row
        for some in chunks(dict.fromkeys(message_ids))
        for row in session.scalars(select(Letter).where(Letter.message_id.in_(some)))
    }
    return next((found[name] for name in message_ids if name in found), None)


def letters_by_tag(session: Session, number: str, code: str) -> list[Letter]:
    """The letters with `[number#code]` in their subject, newest first; whoever replied had one of them."""
    found = select(Letter).where(Letter.tag == f"{number}#{code}".upper())
    return list(session.scalars(found.order_by(Letter.id.desc())))


def letters_about(session: Session, number: str, kind: LetterKind | None = None) -> list[Letter]:
    """The letters that speak of a number, oldest first."""
    found = select(Letter).join(Mention, Mention.letter_id == Letter.id).where(Mention.number == number)
    if kind is not None:
        found = found.where(Letter.kind == kind.value)
    return list(session.scalars(found.order_by(Letter.id)))


def answers_to(session: Session, mail_id: int) -> list[Letter]:
    """The letters that answer a mail, oldest first."""
    return list(session.scalars(select(Letter).where(Letter.mail_id == mail_id).order_by(Letter.id)))


def raw_letter(session: Session, letter_id: int) -> bytes | None:
    """The whole message as it goes out."""
    return session.scalar(select(Letter.raw).where(Letter.id == letter_id))


# ---------------------------------------------------------------- the outbox


def claim_deliveries(session: Session, now: datetime, until: datetime, limit: int) -> list[Due]:
    """Deliveries that are due, claimed for this daemon until `until`; nobody else gets them before.

    Commit at once: sending happens outside of any transaction. A claim that ran out, because its daemon
    died, is due again as `interrupted`.
    """
    due = select(Delivery.id).where(Delivery.state.in_(OPEN), Delivery.next_at <= now)
    due = due.order_by(Delivery.next_at, Delivery.id).limit(limit)
    if is_postgresql(session):
        due = due.with_for_update(skip_locked=True)
    ids = list(session.scalars(due))
    if not ids:
        return []
    columns = (Letter.id, Letter.kind, Letter.message_id, Letter.subject, Letter.raw)
    rows = session.execute(
        select(Delivery.id, Delivery.address, Delivery.attempts, Delivery.state, *columns)
        .join(Letter, Delivery.letter_id == Letter.id)
        .where(Delivery.id.in_(ids))
        .order_by(Delivery.next_at, Delivery.id)
    )
    claimed = [_claimed(*row) for row in rows]
    session.execute(
        update(Delivery)
        .where(Delivery.id.in_(ids))
        .values(state=SENDING, attempts=Delivery.attempts + 1, next_at=until),
        execution_options={"synchronize_session": False},
    )
    letter_ids = {due.letter_id for due in claimed}
    session.execute(
        update(Letter).where(Letter.id.in_(letter_ids)).values(attempts=Letter.attempts + 1),
        execution_options={"synchronize_session": False},
    )
    session.expire_all()
    return claimed


def _claimed(
    delivery_id: int,
    address: str,
    attempts: int,
    state: str,
    letter_id: int,
    kind: str,
    message_id: str,
    subject: str,
    raw: bytes,
) -> Due:
    return Due(
        delivery_id=delivery_id,
        letter_id=letter_id,
        kind=LetterKind(kind),
        address=address,
        message_id=message_id,
        subject=subject,
        raw=raw,
        attempts=attempts + 1,
        interrupted=state == SENDING,
    )


def release_claims(session: Session, delivery_ids: Iterable[int], now: datetime) -> None:
    """Give back claims whose sending was never begun: they are due again, and the attempt does not count."""
    for some in chunks(delivery_ids):
        session.execute(
            update(Delivery)
            .where(Delivery.id.in_(some), Delivery.state == SENDING)
            .values(state=QUEUED, next_at=now, attempts=Delivery.attempts - 1),
            execution_options={"synchronize_session": False},
        )


def record_sent(session: Session, delivery_id: int, at: datetime) -> None:
    """The server has taken the message for this address."""
    _record(session, delivery_id, state=SENT, sent_at=at, error=None)


def record_retry(session: Session, delivery_id: int, error: str, next_at: datetime) -> None:
    """The server said no for now: try again at `next_at`."""
    _record(session, delivery_id, state=QUEUED, error=error, next_at=next_at)


def record_uncertain(session: Session, delivery_id: int, error: str, next_at: datetime) -> None:
    """Whether the server took it is not known: at `next_at` it is due again, as `interrupted`."""
    _record(session, delivery_id, state=SENDING, error=error, next_at=next_at)


def expire_claims(session: Session, now: datetime) -> int:
    """Claims of a daemon that died are due at once. Only for the one daemon that sends."""
    return rows_changed(
        session, update(Delivery).where(Delivery.state == SENDING, Delivery.next_at > now).values(next_at=now)
    )


def record_failed(session: Session, delivery_id: int, error: str) -> None:
    """The server said no for good, or it was tried long enough."""
    _record(session, delivery_id, state=FAILED, error=error)


def record_bounced(session: Session, message_id: str, address: str, error: str) -> Letter | None:
    """The letter of which a delivery report says that it did not reach this address; None if it is none of ours."""
    found = select(Letter).where(Letter.message_id == message_id)
    row = session.scalars(found).one_or_none()
    if row is None:
        return None
    delivery = session.scalars(
        select(Delivery).where(Delivery.letter_id == row.id, Delivery.address == address.lower())
    ).one_or_none()
    if delivery is not None:
        _record(session, delivery.id, state=BOUNCED, error=error)
    return row


def cancel_letter(session: Session, letter_id: int, why: str) -> bool:
    """Whether anything of the letter was still unsent and now never will be."""
    open_here = and_(Delivery.letter_id == letter_id, Delivery.state == QUEUED)
    ids = list(session.scalars(select(Delivery.id).where(open_here)))
    for delivery_id in ids:
        _record(session, delivery_id, state=CANCELLED, error=why)
    return bool(ids)


def _record(session: Session, delivery_id: int, **values: Any) -> None:
    """Write the outcome of one delivery and let its letter's state follow."""
    connection = session.connection()
    letter_id = connection.execute(_OUTCOME, {"delivery": delivery_id, **values}).scalar_one()
    if is_postgresql(session):
        # Two daemons may finish two deliveries of one letter at once: the letter is locked before it is summed.
        connection.execute(_LOCK, {"letter": letter_id})
    rows = connection.execute(_STATES, {"letter": letter_id}).all()
    summed = {
        "state": state_of({row[0] for row in rows}).value,
        "sent_at": max((row[1] for row in rows if row[1]), default=None),
        "error": next((row[2] for row in rows if row[2]), None),
    }
    connection.execute(_SUMMED, {"letter": letter_id, **summed})
    for entity in list(session.identity_map.values()):
        if isinstance(entity, Letter | Delivery):
            session.expire(entity)


_LETTER, _DELIVERY = table_of(Letter), table_of(Delivery)
_OUTCOME = update(_DELIVERY).where(_DELIVERY.c.id == bindparam("delivery")).returning(_DELIVERY.c.letter_id)
"""Sets whichever columns it is given, as `_SUMMED` does."""
_LOCK = select(_LETTER.c.id).where(_LETTER.c.id == bindparam("letter")).with_for_update()
_STATES = (
    select(_DELIVERY.c.state, _DELIVERY.c.sent_at, _DELIVERY.c.error)
    .where(_DELIVERY.c.letter_id == bindparam("letter"))
    .order_by(_DELIVERY.c.id)
)
_SUMMED = update(_LETTER).where(_LETTER.c.id == bindparam("letter"))


def state_of(deliveries: set[str]) -> LetterState:
    """The state of a letter, from the states of its deliveries."""
    if deliveries & set(OPEN):
        return LetterState.QUEUED
    if deliveries & {FAILED, BOUNCED}:
        return LetterState.FAILED
    return LetterState.SENT if SENT in deliveries else LetterState.CANCELLED


# ---------------------------------------------------------------- counting


def letter_counts(session: Session) -> dict[LetterState, int]:
    """How many letters are in each state; states without any are left out."""
    rows = session.execute(select(Letter.state, func.count()).group_by(Letter.state))
    return {LetterState(row[0]): row[1] for row in rows}


def failed_since(session: Session, since: datetime) -> list[Letter]:
    """Letters that were due since a moment and failed, oldest first."""
    found = select(Letter).where(Letter.state == LetterState.FAILED.value, Letter.due_at >= since)
    return list(session.scalars(found.order_by(Letter.id)))


def next_due(session: Session) -> datetime | None:
    """When the next delivery is due."""
    return session.scalar(select(func.min(Delivery.next_at)).where(Delivery.state.in_(OPEN)))


def overdue_deliveries(session: Session, now: datetime) -> int:
    """How many deliveries are due and not sent: the outbox's backlog."""
    counted = select(func.count()).select_from(Delivery)
    return session.scalars(counted.where(Delivery.state.in_(OPEN), Delivery.next_at <= now)).one()


def sent_since(session: Session, since: datetime) -> int:
    """How many messages the server has taken since a moment: for its daily limit."""
    return session.scalars(select(func.count()).select_from(Delivery).where(Delivery.sent_at >= since)).one()


def written_since(session: Session, address: str, since: datetime, kinds: Iterable[LetterKind] = ()) -> int:
    """How many letters were written to an address since a moment, sent or not: for its daily cap."""
    wanted: list[ColumnElement[bool]] = [Delivery.address == address, Letter.created_at >= since]
    named = [kind.value for kind in kinds]
    if named:
        wanted.append(Letter.kind.in_(named))
    # Letters that were sent before the moment were also written before it: the index leaves them out.
    wanted.append(or_(Delivery.sent_at.is_(None), Delivery.sent_at >= since))
    counted = select(func.count()).select_from(Delivery).join(Letter, Delivery.letter_id == Letter.id)
    return session.scalars(counted.where(*wanted)).one()


def answers_since(session: Session, since: datetime) -> int:
    """How many answers to mails were written since a moment: for the global breaker."""
    counted = select(func.count()).select_from(Letter)
    return session.scalars(counted.where(Letter.created_at >= since, Letter.mail_id.is_not(None))).one()
