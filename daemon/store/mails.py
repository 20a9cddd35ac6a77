"""Questions about mails: which are known, which wait, what became of each."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from sqlalchemy import Row, bindparam, exists, func, select, update
from sqlalchemy.orm import Session

from daemon.model import Disposition
from daemon.store.statements import chunks, insert_into, insert_row, rows_changed, table_of
from daemon.store.tables import Done, Filing, Folder, Mail


@dataclass(frozen=True, slots=True)
class NewMail:
    """A mail as it was fetched; its raw bytes lie in the archive already."""

    folder: str
    uidvalidity: int
    uid: int
    sha256: str
    """Empty for a mail that could not be fetched; of one that is too large, the digest of its header."""
    size: int
    received_at: datetime
    fetched_at: datetime
    sender: str = ""
    subject: str = ""
    message_id: str | None = None
    content_key: str | None = None
    disposition: Disposition = Disposition.PENDING
    reason: str | None = None


def known_uids(session: Session, folder: str, uidvalidity: int, uids: Iterable[int]) -> frozenset[int]:
    """Those of the UIDs whose mails are stored already."""
    wanted = frozenset(uids)
    if not wanted:
        return wanted
    here = select(Mail.uid).where(Mail.folder == folder, Mail.uidvalidity == uidvalidity)
    # A range over the unique index costs no more than a list, and any number of UIDs fits in it.
    found = session.scalars(here.where(Mail.uid.between(min(wanted), max(wanted))))
    return wanted.intersection(found)


def stored_heads(
    session: Session, folder: str, uidvalidity: int, uids: Sequence[int]
) -> dict[int, tuple[int, datetime | None, str]]:
    """Size, time of arrival (None: the server gave none) and SHA-256 of the stored ones of the mails."""
    columns = select(Mail.uid, Mail.size, Mail.received_at, Mail.fetched_at, Mail.sha256)
    here = columns.where(Mail.folder == folder, Mail.uidvalidity == uidvalidity)
    return {
        row[0]: (row[1], row[2] if row[2] != row[3] else None, row[4])
        for some in chunks(uids)
        for row in session.execute(here.where(Mail.uid.in_(some)))
    }


def give_up_uids(session: Session, folder: str, uidvalidity: int, kept: Iterable[int]) -> int:
    """Take their number from the mails of a folder but the `kept` ones: other mails bear it now; how many.

    A mail without its number gets a negative UIDVALIDITY of its own. The folder is as read up to the last kept one.
    """
    here = (Mail.folder == folder, Mail.uidvalidity == uidvalidity)
    staying = frozenset(kept)
    leaving = [
        row[0] for row in session.execute(select(Mail.id, Mail.uid).where(*here)) if row[1] not in staying
    ]
    for some in chunks(leaving):
        session.execute(
            update(Mail).where(Mail.id.in_(some)).values(uidvalidity=-Mail.id),
            execution_options={"synchronize_session": False},
        )
    mark = update(Folder).where(Folder.name == folder, Folder.uidvalidity == uidvalidity)
    session.execute(mark.values(last_uid=max(staying, default=0)))
    return len(leaving)


def add_mails(session: Session, mails: Sequence[NewMail]) -> dict[tuple[str, int, int], int]:
    """The ids of the mails that were new, by (folder, uidvalidity, uid); known ones are passed over."""
    if not mails:
        return {}
    statement = (
        insert_into(session, Mail)
        .on_conflict_do_nothing(index_elements=[Mail.folder, Mail.uidvalidity, Mail.uid])
        .returning(Mail.folder, Mail.uidvalidity, Mail.uid, Mail.id)
    )
    rows = [
        {
            "folder": mail.folder,
            "uidvalidity": mail.uidvalidity,
            "uid": mail.uid,
            "sha256": mail.sha256,
            "size": mail.size,
            "received_at": mail.received_at,
            "fetched_at": mail.fetched_at,
            "sender": mail.sender,
            "subject": mail.subject,
            "message_id": mail.message_id,
            "content_key": mail.content_key,
            "disposition": mail.disposition.value,
            "reason": mail.reason,
        }
        for mail in mails
    ]
    return {(row[0], row[1], row[2]): row[3] for row in session.execute(statement, rows)}


def pending_mails(session: Session, limit: int) -> list[Mail]:
    """The mails that wait to be handled, oldest first."""
    waiting = select(Mail).where(Mail.disposition == Disposition.PENDING.value)
    return list(session.scalars(waiting.order_by(Mail.id).limit(limit)))


def pending_in_turn(
    session: Session, limit: int, begun: Iterable[int] = ()
) -> Sequence[Row[int, str, str, int]]:
    """Id, SHA-256, sender and attempts of mails that wait, without those already `begun`.

    Every sender's first one stands before anybody's second. What was in hand when a daemon died comes last,
    so that it holds up nobody.
    """
    in_hand = list(begun)
    turn = func.row_number().over(partition_by=Mail.sender, order_by=Mail.id)
    waiting = (
        select(Mail.id, turn.label("turn"))
        .where(Mail.disposition == Disposition.PENDING.value, Mail.id.not_in(in_hand))
        .subquery()
    )
    columns = select(Mail.id, Mail.sha256, Mail.sender, Mail.attempts)
    found = columns.join(waiting, Mail.id == waiting.c.id)
    return session.execute(found.order_by(Mail.attempts, waiting.c.turn, Mail.id).limit(limit)).all()


def begin_handling(session: Session, mail_ids: Iterable[int]) -> None:
    """Count one more attempt for each mail. Commit it before the work that may kill the daemon."""
    for some in chunks(mail_ids):
        session.execute(
            update(Mail).where(Mail.id.in_(some)).values(attempts=Mail.attempts + 1),
            execution_options={"synchronize_session": "fetch" if len(some) < 10 else "evaluate"},
        )


def end_attempt(session: Session, mail_ids: Iterable[int]) -> None:
    """Attempts that failed in good order, such as for want of disk space, are not held against the mails."""
    for some in chunks(mail_ids):
        session.execute(
            update(Mail).where(Mail.id.in_(some)).values(attempts=Mail.attempts - 1),
            execution_options={"synchronize_session": False},
        )


def settle_mail(
    session: Session,
    mail_id: int,
    disposition: Disposition,
    at: datetime,
    *,
    reason: str | None = None,
    **others: Any,
) -> None:
    """Write a mail's fate, and any other columns with it (`unit_id`, `kind`, `text`, `trouble`, …)."""
    changes = {"disposition": disposition.value, "reason": reason, "handled_at": at, **others}
    row = session.identity_map.get(session.identity_key(Mail, mail_id))
    if row is None:
        session.connection().execute(_WRITE, {"written": mail_id, **changes})
    for name, value in changes.items() if row is not None else ():
        setattr(row, name, value)


def mail(session: Session, mail_id: int) -> Mail | None:
    """The mail with this id."""
    return session.get(Mail, mail_id)


def quarantined(session: Session, most: int = 100) -> list[Mail]:
    """The mails whose handling met an unexpected error, the oldest first."""
    found = select(Mail).where(Mail.disposition == Disposition.QUARANTINED.value)
    return list(session.scalars(found.order_by(Mail.id).limit(most)))


def mails_with_ids(session: Session, mail_ids: Iterable[int]) -> list[Mail]:
    """The mails with these ids, in the order of their ids."""
    found: list[Mail] = []
    for some in chunks(sorted(set(mail_ids))):
        found += session.scalars(select(Mail).where(Mail.id.in_(some)).order_by(Mail.id))
    return found


def mails_to_settle(session: Session, mail_ids: Iterable[int]) -> dict[int, Mail]:
    """These mails by id, for the one who settles them: what is noted in them is written by name only."""
    rows = {row.id: row for row in mails_with_ids(session, mail_ids)}
    for row in rows.values():
        session.expunge(row)
    return rows


def write_heads(session: Session, mails: Iterable[Mail]) -> None:
    """Write down who sent these mails and what they say, as it is noted in them."""
    _write(session, mails, ("message_id", "kind", "sender", "subject", "text"))


def write_fates(session: Session, mails: Iterable[Mail]) -> None:
    """Write down what became of these mails, as it is noted in them."""
    _write(session, mails, ("disposition", "reason", "unit_id", "handled_at", "trouble"))


def _write(session: Session, mails: Iterable[Mail], columns: Sequence[str]) -> None:
    rows = [{"written": row.id, **{name: getattr(row, name) for name in columns}} for row in mails]
    session.connection().execute(_WRITE, rows)


_WRITE = update(table_of(Mail)).where(table_of(Mail).c.id == bindparam("written"))
"""Sets whichever columns it is given."""


def mail_by_message_id(session: Session, message_id: str) -> Mail | None:
    """The first mail that came with this Message-ID."""
    found = select(Mail).where(Mail.message_id == message_id)
    return session.scalars(found.order_by(Mail.id).limit(1)).first()


def earlier_twins(session: Session, mail_ids: Iterable[int]) -> dict[int, int]:
    """Of these mails those that repeat an earlier one, with the first that each repeats.

    A mail repeats another with the same content and the same Message-ID, or where both have none.
    """
    asked = {"mail_ids": list(mail_ids)}
    return {row[0]: row[1] for row in session.connection().execute(_TWINS, asked)}


_MAIL, _TWIN = table_of(Mail), table_of(Mail).alias("twin")
_TWINS = (
    select(_MAIL.c.id, func.min(_TWIN.c.id))
    .join(_TWIN, _TWIN.c.content_key == _MAIL.c.content_key)
    .where(
        _MAIL.c.id.in_(bindparam("mail_ids", expanding=True)),
        _TWIN.c.id < _MAIL.c.id,
        _TWIN.c.message_id.is_not_distinct_from(_MAIL.c.message_id),
    )
    .group_by(_MAIL.c.id)
)


def mail_with_bytes(session: Session, sha256: str) -> Mail | None:
    """The first mail with exactly these raw bytes, in whatever folder and under whatever UIDVALIDITY."""
    found = select(Mail).where(Mail.sha256 == sha256, Mail.sha256 != "")
    return session.scalars(found.order_by(Mail.id).limit(1)).first()


def mails_from_since(session: Session, sender: str, since: datetime) -> int:
    """How many mails an address has sent us since a moment."""
    counted = select(func.count()).select_from(Mail)
    return session.scalars(counted.where(Mail.sender == sender, Mail.received_at >= since)).one()


def mails_to_move(session: Session, folder: str, uidvalidity: int, limit: int) -> list[tuple[int, int]]:
    """(id, uid) of settled mails whose housekeeping in the mailbox is not done, oldest first."""
    waiting = select(Mail.id, Mail.uid).where(
        Mail.folder == folder,
        Mail.uidvalidity == uidvalidity,
        ~Mail.moved,
        Mail.disposition.not_in(_LEFT_WHERE_THEY_ARE),
    )
    return [(row[0], row[1]) for row in session.execute(waiting.order_by(Mail.id).limit(limit))]


_LEFT_WHERE_THEY_ARE = [
    each.value
    for each in (Disposition.PENDING, Disposition.QUARANTINED, Disposition.HELD, Disposition.IGNORED)
]


def mark_moved(session: Session, mail_ids: Iterable[int]) -> None:
    """Remember that the housekeeping of these mails is done."""
    for some in chunks(mail_ids):
        session.execute(
            update(Mail).where(Mail.id.in_(some)).values(moved=True),
            execution_options={"synchronize_session": False},
        )


def mail_counts(session: Session) -> dict[Disposition, int]:
    """How many mails have each fate; those that none has are left out."""
    rows = session.execute(select(Mail.disposition, func.count()).group_by(Mail.disposition))
    return {Disposition(row[0]): row[1] for row in rows}


def oldest_pending(session: Session) -> datetime | None:
    """Since when the oldest mail that is not handled lies here."""
    return session.scalar(
        select(func.min(Mail.fetched_at)).where(Mail.disposition == Disposition.PENDING.value)
    )


def undecided_mails(session: Session) -> list[Mail]:
    """The mails that wait for a person, oldest first."""
    waiting = [Disposition.HELD.value, Disposition.QUARANTINED.value]
    return list(session.scalars(select(Mail).where(Mail.disposition.in_(waiting)).order_by(Mail.id)))


RELEASED: Final = "mail_released:"
"""Begins the key, in what is done, of a mail whose raw bytes lie in an export instead of the archive."""
IN_ARCHIVE: Final = (Mail.sha256 != "") & ~exists().where(Done.key == RELEASED + Mail.sha256)


def archived_digests(session: Session) -> Iterator[str]:
    """The SHA-256 of every mail whose raw bytes must lie in the archive, each once, in order."""
    found = select(Mail.sha256).where(IN_ARCHIVE).distinct().order_by(Mail.sha256)
    yield from session.scalars(found.execution_options(yield_per=5000))


def releasable_digests(session: Session, before: datetime) -> frozenset[str]:
    """The SHA-256 of mails in the archive that came before a moment, and with which all is settled."""
    unsettled = [each.value for each in (Disposition.PENDING, Disposition.HELD, Disposition.QUARANTINED)]
    wanted = (Mail.received_at >= before) | Mail.disposition.in_(unsettled)
    kept = frozenset(session.scalars(select(Mail.sha256).where(IN_ARCHIVE, wanted).distinct()))
    return frozenset(session.scalars(select(Mail.sha256).where(IN_ARCHIVE).distinct())) - kept


def record_released(session: Session, digests: Iterable[str], at: datetime, export: str) -> None:
    """Remember in which export the raw bytes of these mails lie from now on."""
    rows = [
        {"key": RELEASED + digest, "at": at, "outcome": "done", "text": export} for digest in sorted(digests)
    ]
    if rows:
        session.execute(insert_into(session, Done).on_conflict_do_nothing(), rows)


# ---------------------------------------------------------------- folders


def folder_mark(session: Session, name: str, uidvalidity: int) -> Folder:
    """How far a folder was read under this UIDVALIDITY, without writing anything; 0 for one never seen."""
    found = select(Folder).where(Folder.name == name, Folder.uidvalidity == uidvalidity)
    return session.scalars(found).one_or_none() or Folder(name=name, uidvalidity=uidvalidity, last_uid=0)


def folder(session: Session, name: str, uidvalidity: int) -> Folder:
    """How far a folder was read under this UIDVALIDITY; a folder never seen begins at 0."""
    session.execute(
        insert_into(session, Folder).values(name=name, uidvalidity=uidvalidity).on_conflict_do_nothing()
    )
    return session.scalars(select(Folder).where(Folder.name == name, Folder.uidvalidity == uidvalidity)).one()


def record_poll(
    session: Session,
    name: str,
    uidvalidity: int,
    at: datetime,
    *,
    last_uid: int | None = None,
    swept: bool = False,
) -> None:
    """Remember that a folder was looked at: up to which UID, and whether all of them were compared."""
    row = folder(session, name, uidvalidity)
    row.polled_at = at
    row.last_uid = max(row.last_uid, last_uid or 0)
    if swept:
        row.swept_at = at


def last_poll(session: Session) -> datetime | None:
    """When any folder was last looked at."""
    return session.scalar(select(func.max(Folder.polled_at)))


def known_uidvalidities(session: Session, name: str) -> tuple[int, ...]:
    """Every UIDVALIDITY under which a folder was seen, oldest first."""
    return tuple(session.scalars(select(Folder.uidvalidity).where(Folder.name == name).order_by(Folder.id)))


# ---------------------------------------------------------------- forms as they came


def add_filing(session: Session, values: Mapping[str, Any]) -> int:
    """The id of a new row of `Filing` with these columns."""
    return insert_row(session, Filing, values)


def filings_of(session: Session, mail_id: int) -> list[Filing]:
    """The forms of a mail, in the order in which they were read."""
    return list(session.scalars(select(Filing).where(Filing.mail_id == mail_id).order_by(Filing.id)))


def set_filing_outcome(session: Session, filing_ids: Iterable[int], outcome: str) -> int:
    """How many filings now have this outcome."""
    return sum(
        rows_changed(session, update(Filing).where(Filing.id.in_(some)).values(outcome=outcome))
        for some in chunks(filing_ids)
    )
