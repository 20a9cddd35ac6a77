"""Questions against loops, floods and a clock that jumps: how much was written to whom, and what waits too long."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from typing import Final

from sqlalchemy import bindparam, func, or_, select, update
from sqlalchemy.orm import Session

from daemon.model import LetterKind
from daemon.store.letters import OPEN
from daemon.store.memory import note, set_note
from daemon.store.statements import chunks, rows_changed
from daemon.store.tables import Delivery, Letter, Mail, Question

ANSWERS_TO_FORMS: Final = (
    LetterKind.RECEIPT.value,
    LetterKind.CORRECTION_REQUEST.value,
    LetterKind.STATISTICS_RECEIPT.value,
)
"""Answers to a form; a loop of machines hardly ever produces one."""

_ANSWERED = (
    select(Delivery.address, Letter.kind, func.count())
    .select_from(Delivery)
    .join(Letter, Delivery.letter_id == Letter.id)
    .where(
        Delivery.address.in_(bindparam("addresses", expanding=True)),
        # What was sent before the moment was written before it: the index leaves that out.
        or_(Delivery.sent_at.is_(None), Delivery.sent_at >= bindparam("since")),
        Letter.created_at >= bindparam("since"),
        Letter.mail_id.is_not(None),
    )
    .group_by(Delivery.address, Letter.kind)
)

_ASKED = (
    select(func.count())
    .select_from(Mail)
    .join(Question, Question.mail_id == Mail.id)
    .where(
        Mail.sender == bindparam("sender"),
        Mail.received_at >= bindparam("lately"),
        Question.asked_at >= bindparam("since"),
    )
)


PAUSE: Final = "outbox_paused_until"
LONGEST_PAUSE: Final = timedelta(days=2)
"""A pause that lies further ahead was set by a clock that was wrong."""


def pause_sending(session: Session, until: datetime, now: datetime) -> None:
    """Let all letters wait until a moment."""
    set_note(session, PAUSE, until.astimezone(UTC).isoformat(), now)


def paused_until(session: Session, now: datetime) -> datetime | None:
    """Until when all letters wait; None if they do not."""
    paused = note(session, PAUSE)
    until = datetime.fromisoformat(paused) if paused else None
    return until if until is not None and now < until < now + LONGEST_PAUSE else None


def answered_since(session: Session, addresses: Iterable[str], since: datetime) -> dict[str, tuple[int, int]]:
    """How many answers each address was written since a moment: to forms, and to anything else."""
    counts = dict.fromkeys(addresses, (0, 0))
    for some in chunks(counts):
        rows = session.connection().execute(_ANSWERED, {"addresses": list(some), "since": since})
        for address, kind, count in rows:
            to_forms, others = counts[address]
            is_form = kind in ANSWERS_TO_FORMS
            counts[address] = (to_forms + count, others) if is_form else (to_forms, others + count)
    return counts


def asked_since(session: Session, sender: str, since: datetime) -> int:
    """How many questions the mails of a sender have put to the office since a moment."""
    asked = {"sender": sender, "since": since, "lately": since - timedelta(days=30)}
    return int(session.connection().execute(_ASKED, asked).scalar_one())


def asked_of_office_since(session: Session, since: datetime) -> int:
    """How many questions mails have put to the office since a moment."""
    counted = select(func.count()).select_from(Question)
    return session.scalars(counted.where(Question.asked_at >= since, Question.mail_id.is_not(None))).one()


def answers_due_after(session: Session, moment: datetime) -> int:
    """How many answers to mails fell, or will fall, due after a moment."""
    written = select(func.count()).select_from(Letter)
    recent = Letter.created_at >= moment - timedelta(days=7)
    return session.scalars(written.where(recent, Letter.mail_id.is_not(None), Letter.due_at > moment)).one()


def mend_clock(session: Session, now: datetime) -> int:
    """Letters that were to go at once, but by a clock that has since been set back, go now; how many."""
    ahead = select(Letter.id).where(Letter.created_at > now, Letter.due_at <= Letter.created_at)
    waiting = update(Delivery).where(
        Delivery.letter_id.in_(ahead), Delivery.state.in_(OPEN), Delivery.next_at > now
    )
    return rows_changed(session, waiting.values(next_at=now))
