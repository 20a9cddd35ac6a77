"""Questions about sessions (期)."""

from __future__ import annotations

from sqlalchemy import select
from sqlalchemy.orm import Session as Transaction

from daemon.store.tables import Session


def session_by_code(transaction: Transaction, code: str) -> Session | None:
    """The row of a session, QC-2022-01."""
    return transaction.scalars(select(Session).where(Session.code == code)).one_or_none()


def sessions(transaction: Transaction) -> list[Session]:
    """Every session, oldest first."""
    return list(transaction.scalars(select(Session).order_by(Session.opened_at, Session.id)))


def latest_session(transaction: Transaction) -> Session | None:
    """The session that was opened last."""
    found = select(Session).order_by(Session.opened_at.desc(), Session.id.desc())
    return transaction.scalars(found.limit(1)).first()


def running_sessions(transaction: Transaction) -> list[Session]:
    """Every session that is not closed, oldest first."""
    found = select(Session).where(Session.stage != "closed")
    return list(transaction.scalars(found.order_by(Session.opened_at, Session.id)))
