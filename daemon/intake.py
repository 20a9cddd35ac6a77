"""The way of a mail: collected, archived, read, ruled on, answered. Each mail gets exactly one fate.

`collect` brings new mails from the mailbox into the archive and the database, as `pending`: from then on
nothing can be lost. `handle_pending` reads them in worker processes and gives each its fate, a batch in
one transaction and every mail in a savepoint of its own.
"""

from __future__ import annotations

import logging
import re
import traceback
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from hashlib import sha256
from itertools import islice

from daemon import answering, holding, receiving, returning
from daemon.desk import Desk, Office
from daemon.directory import Directory
from daemon.errors import Failure
from daemon.filing import Sender
from daemon.holding import Fate
from daemon.journal import event
from daemon.mailbox import FetchedMail, FolderMissing, Mailbox
from daemon.model import Disposition
from daemon.reader import Reader, ReadingFailed
from daemon.store import questions, tables
from daemon.store.engine import Store
from parsers import replies
from parsers.values import MailKind, Reading

SWEEP_EVERY = timedelta(hours=1)
"""How often all UIDs are compared, not only those above the last one: for mails moved in from elsewhere."""
BATCH_MAILS = 50
"""Mails decided in one transaction: one fsync for all of them."""
PENDING_AT_ONCE = 500
MOST_ATTEMPTS = 3
"""A mail whose handling killed the daemon so often is quarantined."""

log = logging.getLogger(__name__)

Outcome = tuple[int, Reading | ReadingFailed]


# ------------------------------------------------------------------------------------------- collecting


def collect(store: Store, mailbox: Mailbox, office: Office, now: datetime) -> int:
    """Every new mail of every folder is archived and recorded; how many. Temporary: the connection is lost."""
    return sum(
        _collect_folder(store, mailbox, office, folder, now) for folder in office.config.mailbox.folders
    )


def _collect_folder(store: Store, mailbox: Mailbox, office: Office, name: str, now: datetime) -> int:
    try:
        state = mailbox.open(name)
    except FolderMissing as failure:
        event(
            log,
            "folder_missing",
            f"文件夹“{name}”不存在：{failure.remedy}",
            level=logging.WARNING,
            folder=name,
        )
        return 0
    with store.reading() as session:
        mark = questions.folder_mark(session, name, state.uidvalidity)
    sweeps = mark.swept_at is None or now - mark.swept_at >= SWEEP_EVERY or now < mark.swept_at
    uids = mailbox.all_uids() if sweeps else mailbox.uids_after(mark.last_uid)
    with store.reading() as session:
        known = questions.known_uids(session, name, state.uidvalidity, uids)
    new = [uid for uid in uids if uid not in known]
    count = 0
    limit = office.config.mailbox.max_message_mb << 20
    for batch in mailbox.fetch(new, max_bytes=limit) if new else ():
        count += _keep(store, batch, now, office.config.mailbox.ignore_before)
    with store.transaction() as session:
        questions.record_poll(
            session, name, state.uidvalidity, now, last_uid=max(uids, default=None), swept=sweeps
        )
    return count


def _keep(store: Store, batch: list[FetchedMail], now: datetime, ignore_before: date | None) -> int:
    """The mails of one batch, safely in the archive and recorded as pending."""
    digests = iter(store.archive.store_many([mail.raw for mail in batch if mail.raw is not None]))
    rows = [
        _pending(mail, next(digests) if mail.raw is not None else "", now, ignore_before) for mail in batch
    ]
    with store.transaction() as session:
        return len(questions.add_mails(session, rows))


def _pending(mail: FetchedMail, digest: str, now: datetime, ignore_before: date | None) -> questions.NewMail:
    row = questions.NewMail(
        folder=mail.folder,
        uidvalidity=mail.uidvalidity,
        uid=mail.uid,
        sha256=digest,
        content_key=content_key(mail.raw) if mail.raw is not None else None,
        size=mail.size,
        received_at=mail.received_at or now,
        fetched_at=now,
    )
    if mail.raw is None:
        return replace(row, disposition=Disposition.HELD, reason=mail.reason or "邮件没有取到")
    if ignore_before is not None and row.received_at.date() < ignore_before:
        reason = f"早于启用日期 {ignore_before.isoformat()}，不予处理"
        return replace(row, disposition=Disposition.IGNORED, reason=reason)
    return row


_KEPT_HEADERS = re.compile(
    rb"^(?:from|to|cc|subject|date|message-id|in-reply-to|references|mime-version|content-[\w-]+):", re.I
)


def content_key(raw: bytes) -> str:
    """A fingerprint of a mail without its trace headers: the same for every delivery of the same mail."""
    head, _, body = raw.replace(b"\r\n", b"\n").partition(b"\n\n")
    fields = re.split(rb"\n(?![ \t])", head)
    kept = sorted(field for field in fields if _KEPT_HEADERS.match(field))
    return sha256(b"\n".join(kept) + b"\n\n" + body.rstrip(b"\n")).hexdigest()


# -------------------------------------------------------------------------------------------- handling


@dataclass(frozen=True)
class Waiting:
    """A pending mail on its way to a reader process."""

    id: int
    sha256: str


def handle_pending(store: Store, reader: Reader, office: Office, now: datetime) -> int:
    """Every pending mail gets its fate; how many did."""
    count = 0
    while waiting := _claim(store):
        readings = reader.read_all(_raw_mails(store, waiting))
        for batch in _batches(readings, BATCH_MAILS):
            _decide_batch(store, office, batch, now)
            count += len(batch)
    return count


def _claim(store: Store) -> list[Waiting]:
    """The next pending mails; those that were begun too often are quarantined instead."""
    with store.transaction() as session:
        rows = questions.pending_mails(session, PENDING_AT_ONCE)
        claimed = []
        for row in rows:
            row.attempts += 1
            if row.attempts > MOST_ATTEMPTS:
                row.disposition = Disposition.QUARANTINED.value
                row.reason = f"处理这封邮件时程序已 {MOST_ATTEMPTS} 次异常中断"
            else:
                claimed.append(Waiting(row.id, row.sha256))
        return claimed


def _raw_mails(store: Store, waiting: Iterable[Waiting]) -> Iterator[tuple[int, bytes, str]]:
    for mail in waiting:
        try:
            raw = store.archive.read(mail.sha256)
        except Failure as failure:
            with store.transaction() as session:
                row = session.get_one(tables.Mail, mail.id)
                row.disposition, row.reason = Disposition.QUARANTINED.value, failure.message
            continue
        yield mail.id, raw, f"mail-{mail.id}.eml"


def _batches(items: Iterable[Outcome], size: int) -> Iterator[list[Outcome]]:
    iterator = iter(items)
    while batch := list(islice(iterator, size)):
        yield batch


def _decide_batch(store: Store, office: Office, batch: list[Outcome], now: datetime) -> None:
    with store.transaction() as session:
        directory = Directory(questions.units(session))
        desk = Desk(office, session, directory, now)
        for mail_id, outcome in sorted(batch, key=lambda pair: pair[0]):
            mail = session.get_one(tables.Mail, mail_id)
            note_head(mail, outcome)
            session.flush()
            try:
                with session.begin_nested():
                    fate = decide(desk, mail, outcome)
                    _seal(desk, mail, fate)
            except Exception as error:  # noqa: BLE001 - one bad mail must not stop the others
                session.refresh(mail)
                mail.trouble = traceback.format_exc()
                _seal(
                    desk, mail, Fate(Disposition.QUARANTINED, f"处理时出现意外错误：{type(error).__name__}")
                )
                _tell_administrator(desk, mail, error)


def _tell_administrator(desk: Desk, mail: tables.Mail, error: Exception) -> None:
    """Alarm about a mail set apart; that even the alarm cannot be written must not undo the batch."""
    try:
        with desk.session.begin_nested():
            desk.alarm("mail_quarantined", f"来信 {mail.id} 处理时出现意外错误，已隔离", str(error))
    except Failure as failure:
        event(log, "alarm_failed", str(failure), level=logging.ERROR, mail=mail.id)


def _seal(desk: Desk, mail: tables.Mail, fate: Fate) -> None:
    mail.disposition, mail.reason, mail.handled_at = fate.disposition.value, fate.reason, desk.now
    event(
        log,
        "mail_handled",
        f"来信{fate.disposition.chinese}",
        mail=mail.id,
        disposition=mail.disposition,
        unit=mail.unit_id,
    )


def note_head(mail: tables.Mail, outcome: Reading | ReadingFailed) -> None:
    """Who sent the mail and what it is called: known whatever becomes of it."""
    if isinstance(outcome, Reading) and (head := outcome.mail) is not None:
        mail.message_id, mail.kind = head.message_id, head.kind.value
        mail.sender, mail.subject, mail.text = head.sender, head.subject, head.reply_text


def decide(desk: Desk, mail: tables.Mail, outcome: Reading | ReadingFailed) -> Fate:
    """The fate of one mail, with all that follows from it."""
    if isinstance(outcome, ReadingFailed):
        return holding.unreadable(desk, mail, outcome.reason)
    reading = outcome
    if reading.mail is None:
        return holding.unreadable(desk, mail, "不是一封完整的邮件")
    head = reading.mail
    twin = questions.earlier_twin(desk.session, mail.id, mail.content_key, mail.message_id)
    if twin is not None:
        return Fate(Disposition.DUPLICATE, f"与来信 {twin.id} 是同一封邮件")
    if head.kind is MailKind.BOUNCE:
        return answering.bounced(desk, mail, head)
    if head.kind is not MailKind.PERSON:
        return Fate(Disposition.AUTOMATIC, AUTOMATIC_REASONS[head.kind])
    sender = Sender(head.sender, desk.directory.at_address(head.sender), head.authentication)
    mail.unit_id = sender.units[0].id if sender.units else None
    if sender.trusted:
        questions.clear_bounce(desk.session, sender.address)
    answered = _answered_letter(desk, reading, sender)
    if reading.workbooks and (fate := returning.returned(desk, mail, reading, sender, answered)):
        return fate
    if reading.forms:
        return receiving.receive(desk, mail, reading, sender, answered)
    return answering.words(desk, mail, reading, sender, answered)


AUTOMATIC_REASONS = {
    MailKind.AUTO_REPLY: "自动回复，不予答复",
    MailKind.RECALL: "撤回通知，不予答复",
    MailKind.LIST: "群发邮件，不予答复",
    MailKind.SELF: "本邮箱自己发出的邮件",
}


def _answered_letter(desk: Desk, reading: Reading, sender: Sender) -> tables.Letter | None:
    """The letter of ours that a mail answers, if it went to this sender or to the sender's unit."""
    assert reading.mail is not None
    named = questions.letter_by_message_ids(desk.session, reading.mail.in_reply_to)
    found = [named] if named is not None else []
    tag = replies.tag(reading.mail.subject)
    if not found and tag is not None:
        found = questions.letters_by_tag(desk.session, *tag)
    units = {unit.id for unit in sender.units}
    return next(
        (row for row in found if row.unit_id in units or sender.address in (*row.to, *row.cc)),
        None,
    )
