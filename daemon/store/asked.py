"""Questions about what the office was asked and has or has not decided."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import bindparam, func, select
from sqlalchemy.orm import Session

from daemon.store.tables import Question


def question(session: Session, question_id: int) -> Question | None:
    """The row of a question."""
    return session.get(Question, question_id)


def question_of_letter(session: Session, letter_id: int) -> Question | None:
    """The open question that a letter put; None if it put none or it is answered."""
    found = select(Question).where(Question.letter_id == letter_id, Question.answered_at.is_(None))
    return session.scalars(found.order_by(Question.id.desc()).limit(1)).first()


def open_questions(session: Session, kind: str | None = None) -> list[Question]:
    """Every question without an answer, or those of a kind, oldest first."""
    found = select(Question).where(Question.answered_at.is_(None))
    if kind is not None:
        found = found.where(Question.kind == kind)
    return list(session.scalars(found.order_by(Question.id)))


def open_questions_about(session: Session, about: str) -> list[Question]:
    """The questions without an answer about a number (or `mail:17`, …), oldest first."""
    return list(session.scalars(_OPEN_ABOUT, {"about": about}))


_OPEN_ABOUT = (
    select(Question)
    .where(Question.about == bindparam("about"), Question.answered_at.is_(None))
    .order_by(Question.id)
)


def questions_of_kind(session: Session, kind: str, about: str | None = None) -> list[Question]:
    """Every question of a kind, or those of them about a number, answered or not, oldest first."""
    found = select(Question).where(Question.kind == kind)
    if about is not None:
        found = found.where(Question.about == about)
    return list(session.scalars(found.order_by(Question.id)))


def questions_about(session: Session, about: str, kind: str) -> list[Question]:
    """Every question of a kind about a number, answered or not, oldest first."""
    found = select(Question).where(Question.about == about, Question.kind == kind)
    return list(session.scalars(found.order_by(Question.id)))


def questions_of_mail(session: Session, mail_id: int) -> list[Question]:
    """Every question that a mail gave rise to, oldest first."""
    return list(session.scalars(select(Question).where(Question.mail_id == mail_id).order_by(Question.id)))


def answer_question(session: Session, question_id: int, answer: str, by: str, at: datetime) -> bool:
    """Whether this answer is the first; a question that was answered keeps its answer."""
    row = session.get_one(Question, question_id)
    if row.answered_at is not None:
        return False
    row.answer, row.answered_by, row.answered_at = answer, by, at
    return True


def open_question_count(session: Session) -> int:
    """How many questions wait for the office."""
    counted = select(func.count()).select_from(Question)
    return session.scalars(counted.where(Question.answered_at.is_(None))).one()
