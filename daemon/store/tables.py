"""The tables: typed SQLAlchemy models of everything the daemon remembers.

Moments are stored in UTC and come back aware; days are plain dates. Nothing is ever deleted by the
daemon itself. `Event` is append-only, held so by triggers of the first migration.
"""

from __future__ import annotations

import re
from datetime import UTC, date, datetime
from typing import Annotated, Any, ClassVar

from sqlalchemy import (
    JSON,
    BigInteger,
    DateTime,
    ForeignKey,
    Index,
    LargeBinary,
    MetaData,
    Text,
    TypeDecorator,
    UniqueConstraint,
    text,
)
from sqlalchemy.engine import Dialect
from sqlalchemy.engine.default import DefaultExecutionContext
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column, relationship

# Named constraints, so that a migration can alter them on SQLite too.
NAMING = {
    "ix": "ix_%(column_0_label)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
    "fk": "fk_%(table_name)s_%(column_0_name)s_%(referred_table_name)s",
    "pk": "pk_%(table_name)s",
}


Unsigned = Annotated[int, mapped_column(BigInteger)]
"""UIDs and UIDVALIDITY are unsigned 32-bit numbers: more than PostgreSQL's INTEGER holds."""

_TAG = re.compile(r"\[([A-Z]{2}-\d{4}-\d{2,}#[A-Z0-9]{4})\]")


class Moment(TypeDecorator[datetime]):
    """An aware moment; stored in UTC because SQLite forgets the offset."""

    impl = DateTime
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError(f"a moment without time zone: {value!r}")
        return value.astimezone(UTC).replace(tzinfo=None)

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        return value.replace(tzinfo=UTC) if value is not None else None


class Base(DeclarativeBase):
    metadata = MetaData(naming_convention=NAMING)
    type_annotation_map: ClassVar[dict[Any, Any]] = {
        datetime: Moment,
        str: Text,
        bytes: LargeBinary,
        dict[str, Any]: JSON,
        list[Any]: JSON,
    }


class Mail(Base):
    """One mail of the mailbox; the raw bytes lie in the archive under their sha256."""

    __tablename__ = "mail"
    __table_args__ = (
        UniqueConstraint("folder", "uidvalidity", "uid"),
        Index("ix_mail_disposition_id", "disposition", "id"),
        Index("ix_mail_sender_received_at", "sender", "received_at"),
        Index(
            "ix_mail_unmoved",
            "folder",
            "id",
            sqlite_where=text("NOT moved"),
            postgresql_where=text("NOT moved"),
        ),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    folder: Mapped[str]
    uidvalidity: Mapped[Unsigned]
    uid: Mapped[Unsigned]
    sha256: Mapped[str] = mapped_column(index=True)
    """Of the raw bytes; empty for a mail that was too large to fetch."""
    content_key: Mapped[str | None] = mapped_column(index=True)
    """Fingerprint of the content without trace headers: tells a second delivery of the same mail."""
    size: Mapped[Unsigned]
    received_at: Mapped[datetime]
    """The server's INTERNALDATE; lateness is judged by it."""
    fetched_at: Mapped[datetime]
    message_id: Mapped[str | None] = mapped_column(index=True)
    sender: Mapped[str] = mapped_column(default="")
    subject: Mapped[str] = mapped_column(default="")
    kind: Mapped[str | None]
    disposition: Mapped[str] = mapped_column(default="pending")
    reason: Mapped[str | None]
    unit_id: Mapped[int | None] = mapped_column(ForeignKey("unit.id"), index=True)
    handled_at: Mapped[datetime | None]
    attempts: Mapped[int] = mapped_column(default=0)
    """How often handling was begun: a mail that kills the daemon three times is quarantined."""
    text: Mapped[str | None]
    """The sender's own words, kept for held mail so that the clerk reads them without the archive."""
    trouble: Mapped[str | None]
    """Traceback of an unexpected error; shown by `djb show`."""
    moved: Mapped[bool] = mapped_column(default=False)
    """Housekeeping in the mailbox (mark, move) is done."""


class Folder(Base):
    """How far one folder of the mailbox was read under one UIDVALIDITY."""

    __tablename__ = "folder"
    __table_args__ = (UniqueConstraint("name", "uidvalidity"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str]
    uidvalidity: Mapped[Unsigned]
    last_uid: Mapped[Unsigned] = mapped_column(default=0)
    polled_at: Mapped[datetime | None]
    swept_at: Mapped[datetime | None]
    """When all UIDs were last compared, not only those above last_uid."""


class Unit(Base):
    """A directory entry: school, section or office role."""

    __tablename__ = "unit"
    __table_args__ = (UniqueConstraint("kind", "name"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    kind: Mapped[str]
    name: Mapped[str]
    short_names: Mapped[list[Any]] = mapped_column(default=list)
    head: Mapped[str | None]
    contact: Mapped[str | None]
    phone: Mapped[str | None]
    remarks: Mapped[str | None]
    position: Mapped[int] = mapped_column(default=0)
    active: Mapped[bool] = mapped_column(default=True)
    """False once it left the directory; its history stays."""
    platform_since: Mapped[date | None]
    """The day of the first return that named a platform of the school's own."""
    addresses: Mapped[list[Address]] = relationship(
        back_populates="unit", order_by="Address.position", cascade="all, delete-orphan", lazy="selectin"
    )


class Address(Base):
    """An e-mail address of a unit; lower case."""

    __tablename__ = "address"
    __table_args__ = (UniqueConstraint("unit_id", "email", "role"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    unit_id: Mapped[int] = mapped_column(ForeignKey("unit.id"), index=True)
    email: Mapped[str] = mapped_column(index=True)
    role: Mapped[str] = mapped_column(default="unit")
    """`unit`: 邮箱 column; `head`: 书记邮箱/负责人邮箱; `learned`: confirmed by the office."""
    position: Mapped[int] = mapped_column(default=0)
    bounced_at: Mapped[datetime | None]
    """Since when mail to it is returned for good; cleared by a directory import or a mail from it."""
    unit: Mapped[Unit] = relationship(back_populates="addresses")


class Filing(Base):
    """One form as it came in one mail: what was read, what was doubted, what became of it."""

    __tablename__ = "filing"

    id: Mapped[int] = mapped_column(primary_key=True)
    mail_id: Mapped[int] = mapped_column(ForeignKey("mail.id"), index=True)
    form: Mapped[str]
    part: Mapped[str]
    format: Mapped[str]
    unit_id: Mapped[int | None] = mapped_column(ForeignKey("unit.id"), index=True)
    outcome: Mapped[str]
    """`accepted`, `returned`, `held`, `superseded`, `set_aside`."""
    version: Mapped[int] = mapped_column(default=1)
    received_at: Mapped[datetime]
    """First receipt: a corrected form keeps the receipt of its first version."""
    values: Mapped[dict[str, Any]]
    """The form as JSON, `parsers.values.Form.to_json` without findings."""
    findings: Mapped[list[Any]]
    document_name: Mapped[str | None]
    document: Mapped[bytes | None] = mapped_column(deferred=True)
    """The file itself, for the marked copy and for passing on to sections.

    The last column, so that SQLite finds the others without walking through it.
    """


class Problem(Base):
    """One 难点问题, whatever its source."""

    __tablename__ = "problem"

    id: Mapped[int] = mapped_column(primary_key=True)
    number: Mapped[str] = mapped_column(unique=True)
    code: Mapped[str]
    """The four letters of the subject tag `[ND-2022-013#K7Q4]`."""
    state: Mapped[str] = mapped_column(index=True)
    state_since: Mapped[datetime]
    unit_id: Mapped[int | None] = mapped_column(ForeignKey("unit.id"), index=True)
    reporting_unit: Mapped[str]
    source: Mapped[str] = mapped_column(default="school_report")
    problem: Mapped[str]
    details: Mapped[str] = mapped_column(default="")
    levels: Mapped[list[Any]] = mapped_column(default=list)
    sections_asked: Mapped[list[Any]] = mapped_column(default=list)
    remarks: Mapped[str | None]
    received_at: Mapped[datetime]
    version: Mapped[int] = mapped_column(default=1)
    mail_id: Mapped[int | None] = mapped_column(ForeignKey("mail.id"), index=True)
    filing_id: Mapped[int | None] = mapped_column(ForeignKey("filing.id"))
    item: Mapped[int] = mapped_column(default=0)
    """Which problem of its form it is, from 0."""
    lead_section_id: Mapped[int | None] = mapped_column(ForeignKey("unit.id"), index=True)
    assist_section_ids: Mapped[list[Any]] = mapped_column(default=list)
    deadline: Mapped[date | None]
    session: Mapped[str | None] = mapped_column(index=True)
    merged_into: Mapped[str | None]
    instruction: Mapped[str | None]
    handling: Mapped[dict[str, Any]] = mapped_column(default=dict)
    on_site_outcome: Mapped[str | None]
    on_site_date: Mapped[date | None]
    office_agreed: Mapped[bool] = mapped_column(default=False)
    satisfaction: Mapped[str | None]
    last_progress_at: Mapped[datetime | None]
    closed_at: Mapped[datetime | None]
    similar: Mapped[list[Any]] = mapped_column(default=list)
    """Numbers of problems held similar, with why: [{"number": …, "why": …}]."""
    measures: Mapped[list[Measure]] = relationship(
        order_by="Measure.position", cascade="all, delete-orphan", lazy="selectin"
    )

    def __init__(self, **values: Any) -> None:
        """A new problem; with its defaults, so that the rules can decide about it before it is stored."""
        defaults: dict[str, Any] = {"source": "school_report", "office_agreed": False, "handling": {}}
        lists: dict[str, Any] = {"assist_section_ids": [], "similar": [], "measures": []}
        super().__init__(**defaults | lists | values)


class Measure(Base):
    __tablename__ = "measure"

    id: Mapped[int] = mapped_column(primary_key=True)
    problem_id: Mapped[int] = mapped_column(ForeignKey("problem.id"), index=True)
    position: Mapped[int] = mapped_column(default=0)
    measure: Mapped[str]
    department: Mapped[str] = mapped_column(default="")
    deadline: Mapped[date | None]
    completion: Mapped[str | None]
    done: Mapped[bool] = mapped_column(default=False)


class Event(Base):
    """One line of history; never changed, never removed."""

    __tablename__ = "event"
    __table_args__ = (Index("ix_event_about_id", "about", "id"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    about: Mapped[str]
    """Number of a problem, period or session, or `mail:17`, `unit:4`, `letter:9`."""
    at: Mapped[datetime]
    event: Mapped[str]
    from_state: Mapped[str | None]
    to_state: Mapped[str | None]
    by: Mapped[str]
    """Who: an address, a unit's name, `djb`, or `admin`."""
    mail_id: Mapped[int | None] = mapped_column(ForeignKey("mail.id"), index=True)
    text: Mapped[str | None]
    """What happened, in Chinese, with old and new values."""


class Period(Base):
    """One statistics period, TJ-2022-01."""

    __tablename__ = "period"

    id: Mapped[int] = mapped_column(primary_key=True)
    code: Mapped[str] = mapped_column(unique=True)
    due: Mapped[date]
    opened_at: Mapped[datetime | None]
    frozen_at: Mapped[datetime | None]
    figures: Mapped[dict[str, Any]] = mapped_column(default=dict)
    """The frozen sums that rollup and circular speak of."""
    stage: Mapped[str] = mapped_column(default="open")


class Return(Base):
    """One school's statistics return for one period; the highest version counts.

    What is held has no place of its own among the versions: it keeps the one that it would have got.
    """

    __tablename__ = "statistics_return"
    __table_args__ = (
        Index(
            "uq_statistics_return_version",
            "period",
            "unit_id",
            "version",
            unique=True,
            sqlite_where=text("state != 'held'"),
            postgresql_where=text("state != 'held'"),
        ),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    period: Mapped[str] = mapped_column(index=True)
    code: Mapped[str]
    unit_id: Mapped[int | None] = mapped_column(ForeignKey("unit.id"), index=True)
    unit_name: Mapped[str]
    state: Mapped[str]
    version: Mapped[int] = mapped_column(default=1)
    superseded: Mapped[bool] = mapped_column(default=False)
    received_at: Mapped[datetime]
    reported_on: Mapped[date | None]
    contact_name: Mapped[str | None]
    contact_phone: Mapped[str | None]
    rows: Mapped[list[Any]]
    findings: Mapped[list[Any]] = mapped_column(default=list)
    late: Mapped[bool] = mapped_column(default=False)
    digest: Mapped[str | None]
    """SHA-256 of the file: the very same file is known again in another period."""
    mail_id: Mapped[int | None] = mapped_column(ForeignKey("mail.id"), index=True)
    filing_id: Mapped[int | None] = mapped_column(ForeignKey("filing.id"))


class Session(Base):
    """One 期: its list, the secretary's choice, its on-site visit."""

    __tablename__ = "session"

    id: Mapped[int] = mapped_column(primary_key=True)
    code: Mapped[str] = mapped_column(unique=True)
    tag: Mapped[str]
    opened_at: Mapped[datetime]
    stage: Mapped[str] = mapped_column(default="opened")
    """`opened`, `submitted`, `chosen`, `confirmed`, `assigned`, `closed`."""
    choice: Mapped[dict[str, Any]] = mapped_column(default=dict)
    on_site_date: Mapped[date | None]
    list_numbers: Mapped[list[Any]] = mapped_column(default=list)
    """Numbers in the order of the list the secretary saw."""
    version: Mapped[int] = mapped_column(default=1)


class Question(Base):
    """Something a person of the office must decide by answering a letter."""

    __tablename__ = "question"
    __table_args__ = (
        Index(
            "ix_question_open",
            "id",
            sqlite_where=text("answered_at IS NULL"),
            postgresql_where=text("answered_at IS NULL"),
        ),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    kind: Mapped[str]
    """`held_mail`, `extension`, `completion`, `circular`, `order`, …"""
    about: Mapped[str] = mapped_column(index=True)
    code: Mapped[str]
    asked_at: Mapped[datetime]
    text: Mapped[str]
    suggestion: Mapped[str | None]
    payload: Mapped[dict[str, Any]] = mapped_column(default=dict)
    mail_id: Mapped[int | None] = mapped_column(ForeignKey("mail.id"), index=True)
    letter_id: Mapped[int | None] = mapped_column(ForeignKey("letter.id"), index=True)
    answered_at: Mapped[datetime | None]
    answer: Mapped[str | None]
    answered_by: Mapped[str | None]


def _tag_of_subject(context: DefaultExecutionContext) -> str | None:
    found = _TAG.search(context.get_current_parameters()["subject"])  # type: ignore[no-untyped-call]
    return found[1] if found else None


class Letter(Base):
    """A letter, rendered and stored with what it is about, before it is sent."""

    __tablename__ = "letter"
    __table_args__ = (Index("ix_letter_state_due_at", "state", "due_at"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    key: Mapped[str] = mapped_column(unique=True)
    """What it is, once and for all: `receipt:mail:17`, `statistics_chase:TJ-2022-01:1:unit:4`."""
    kind: Mapped[str] = mapped_column(index=True)
    to: Mapped[list[Any]]
    cc: Mapped[list[Any]] = mapped_column(default=list)
    subject: Mapped[str]
    about: Mapped[list[Any]] = mapped_column(default=list)
    """Numbers it speaks of; `Mention` has the same, to find the letters of a number."""
    tag: Mapped[str | None] = mapped_column(default=_tag_of_subject, index=True)
    """`ND-2022-013#K7Q4`, as it stands in the subject: one of the two ways a reply finds its letter."""
    unit_id: Mapped[int | None] = mapped_column(ForeignKey("unit.id"), index=True)
    """Whose letter it is: a reply commands only if it comes from an address of this unit."""
    state: Mapped[str] = mapped_column(default="queued")
    message_id: Mapped[str] = mapped_column(unique=True)
    in_reply_to: Mapped[str | None]
    mail_id: Mapped[int | None] = mapped_column(ForeignKey("mail.id"), index=True)
    """The mail it answers."""
    created_at: Mapped[datetime] = mapped_column(index=True)
    due_at: Mapped[datetime]
    sent_at: Mapped[datetime | None]
    attempts: Mapped[int] = mapped_column(default=0)
    error: Mapped[str | None]
    context: Mapped[dict[str, Any]] = mapped_column(default=dict)
    """What a reply to it can mean: question id, list order, workbook version."""
    raw: Mapped[bytes] = mapped_column(deferred=True)
    """The whole message as it goes out. The last column, so that SQLite need not walk through it."""
    deliveries: Mapped[list[Delivery]] = relationship(
        back_populates="letter", order_by="Delivery.id", cascade="all, delete-orphan", lazy="selectin"
    )


class Mention(Base):
    """A number that a letter speaks of; written with the letter."""

    __tablename__ = "mention"

    number: Mapped[str] = mapped_column(primary_key=True)
    letter_id: Mapped[int] = mapped_column(ForeignKey("letter.id"), primary_key=True)


class Delivery(Base):
    """One letter to one address: one SMTP transaction."""

    __tablename__ = "delivery"
    __table_args__ = (
        UniqueConstraint("letter_id", "address"),
        Index("ix_delivery_state_next_at", "state", "next_at"),
        Index("ix_delivery_address_sent_at", "address", "sent_at"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    letter_id: Mapped[int] = mapped_column(ForeignKey("letter.id"))
    address: Mapped[str]
    state: Mapped[str] = mapped_column(default="queued")
    """`queued`, `sending`, `sent`, `failed`, `cancelled`, `bounced`."""
    attempts: Mapped[int] = mapped_column(default=0)
    next_at: Mapped[datetime]
    """When to try (again); while `sending`, until when the claim of one daemon holds."""
    sent_at: Mapped[datetime | None] = mapped_column(index=True)
    error: Mapped[str | None]
    letter: Mapped[Letter] = relationship(back_populates="deliveries")


class Counter(Base):
    """Running numbers, allotted in the transaction that uses them."""

    __tablename__ = "counter"

    name: Mapped[str] = mapped_column(primary_key=True)
    value: Mapped[int] = mapped_column(default=0)


class Done(Base):
    """What the calendar has already done: a key can be done once."""

    __tablename__ = "done"

    key: Mapped[str] = mapped_column(primary_key=True)
    at: Mapped[datetime]
    outcome: Mapped[str] = mapped_column(default="done")
    """`done`, or `skipped` with the reason in `text`."""
    text: Mapped[str | None]


class Note(Base):
    """Small facts about the daemon itself: first cycle, last cycle, alarms already raised."""

    __tablename__ = "note"

    name: Mapped[str] = mapped_column(primary_key=True)
    value: Mapped[str]
    at: Mapped[datetime]
