"""The way of a mail: collected, archived, read, ruled on, answered. Each mail gets exactly one fate.

`collecting` brings new mails from the mailbox into the archive and the database, as `pending`: from then on
nothing can be lost. `Handling` has them read in worker processes, every sender's mails in their order, and
gives each its fate, a batch in one transaction. `take_in` does both
at once, so that mails are read and decided while others are still being fetched.
"""

from __future__ import annotations

import logging
import re
import traceback
from collections import defaultdict, deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from email.utils import parseaddr
from hashlib import sha256

from daemon import answering, holding, numbering, receiving, returning
from daemon.desk import Desk, Office
from daemon.errors import Failure, Permanent, Temporary
from daemon.filing import Sender
from daemon.holding import Fate
from daemon.journal import event
from daemon.mailbox import FetchedMail, FolderMissing, Mailbox
from daemon.model import Disposition, UnitKind
from daemon.reader import Reader, ReadingFailed
from daemon.store import questions, tables
from daemon.store.engine import Store
from daemon.store.failures import fails_for_all
from parsers import replies
from parsers.values import Mail, MailKind, Reading

SWEEP_EVERY = timedelta(hours=1)
"""How often all UIDs are compared, not only those above the last one: for mails moved in from elsewhere."""
FETCHED_AT_ONCE = 2 << 20
"""Bytes of a batch that is fetched and archived, while the readers read the one before."""
BATCH_MAILS = 50
"""Mails decided in one transaction at most: one fsync for all of them."""
ENOUGH = 20
"""Mails read from which on a batch is decided, while the readers go on."""
TAKEN_AT_ONCE = 100
"""Mails taken from the database for reading; so often do the senders take turns."""
MOST_ATTEMPTS = 4
"""A mail whose handling was cut short so often, the last times alone, is quarantined."""
LULL = 0.05
"""Seconds without a mail read after which those that are read are decided, however few."""
WATCHED = 0.25
"""Seconds between two looks at whether to leave."""
MOVED_AT_ONCE = 1000

log = logging.getLogger(__name__)

Outcome = Reading | ReadingFailed
Clock = Callable[[], datetime]


def take_in(
    store: Store,
    mailbox: Mailbox,
    reader: Reader,
    office: Office,
    clock: Clock,
    leaving: Callable[[], bool] = lambda: False,
) -> int:
    """Every new mail is fetched and gets its fate; how many did. Temporary: the connection is lost.

    A batch is fetched and archived while the one before is handled: waiting for the server and the disk
    costs no time of its own. What was fetched before a connection was lost gets its fate all the same.
    """
    handling = Handling(store, reader, office, clock, leaving)
    batches = collecting(store, mailbox, office, clock())
    try:
        with ThreadPoolExecutor(1, "djb-collecting") as collector:
            coming = collector.submit(next, batches, None)
            while coming.result() is not None and not leaving():
                coming = collector.submit(next, batches, None)
                handling.advance()
    except Failure:
        handling.finish()
        raise
    handling.finish()
    return handling.count


# ------------------------------------------------------------------------------------------- collecting


def collect(store: Store, mailbox: Mailbox, office: Office, now: datetime) -> int:
    """Every new mail of every folder is archived and recorded; how many. Temporary: the connection is lost."""
    return sum(collecting(store, mailbox, office, now))


def collecting(store: Store, mailbox: Mailbox, office: Office, now: datetime) -> Iterator[int]:
    """The same batch by batch: how many mails of each were new.

    The first folder comes last, so that it is the open one, of whose news the server tells.
    """
    for folder in reversed(office.config.mailbox.folders):
        yield from _collect_folder(store, mailbox, office, folder, now)


def _collect_folder(
    store: Store, mailbox: Mailbox, office: Office, name: str, now: datetime
) -> Iterator[int]:
    try:
        state = mailbox.open(name)
    except FolderMissing as failure:
        office.troubles.met(f"folder:{name}", failure, now)
        return
    office.troubles.over(f"folder:{name}", now)
    with store.reading() as session:
        mark = questions.folder_mark(session, name, state.uidvalidity)
        if mark.polled_at is None and (earlier := questions.known_uidvalidities(session, name)):
            event(
                log,
                "uidvalidity_changed",
                "文件夹的邮件编号已重编，逐封核对，已处理过的不会重复办理",
                level=logging.WARNING,
                folder=name,
                before=earlier[-1],
                now=state.uidvalidity,
            )
    sweeps = mark.swept_at is None or now - mark.swept_at >= SWEEP_EVERY or now < mark.swept_at
    if not sweeps:
        uids = mailbox.uids_about(mark.last_uid)
        sweeps = not numbering.still_names(store, mailbox, state, uids[:1])
    if sweeps:
        uids = mailbox.all_uids()
        numbering.number_anew(store, mailbox, state, uids)
    with store.reading() as session:
        known = questions.known_uids(session, name, state.uidvalidity, uids)
    new = [uid for uid in uids if uid not in known]
    limit = office.config.mailbox.max_message_mb << 20
    for batch in mailbox.fetch(new, FETCHED_AT_ONCE, limit) if new else ():
        yield _keep(store, batch, now, office.config.mailbox.ignore_before)
    with store.transaction() as session:
        questions.record_poll(
            session, name, state.uidvalidity, now, last_uid=max(uids, default=None), swept=sweeps
        )


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
        sender=apparent_sender(mail.raw or b""),
    )
    if mail.raw is None:
        return replace(row, disposition=Disposition.HELD, reason=mail.reason or "邮件没有取到")
    if ignore_before is not None and row.received_at.date() < ignore_before:
        reason = f"早于启用日期 {ignore_before.isoformat()}，不予处理"
        return replace(row, disposition=Disposition.IGNORED, reason=reason)
    return row


_FROM = re.compile(rb"^from:((?:.*\n[ \t])*.*)$", re.I | re.M)


def apparent_sender(raw: bytes) -> str:
    """Who seems to have sent a mail, before it is read: only to let the senders take turns."""
    head, _, _ = raw[: 1 << 16].partition(b"\r\n\r\n")
    head, _, _ = head.replace(b"\r\n", b"\n").partition(b"\n\n")
    found = _FROM.search(head)
    return parseaddr(found[1].decode("ascii", "replace"))[1].lower() if found else ""


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
    sender: str
    begun_before: bool
    """The daemon ended while it was handled: perhaps because of it, so it is handled alone."""


def handle_pending(store: Store, reader: Reader, office: Office, now: datetime) -> int:
    """Every pending mail gets its fate; how many did."""
    handling = Handling(store, reader, office, lambda: now)
    handling.finish()
    return handling.count


class Handling:
    """Pending mails on their way from the database through the readers to their fate."""

    def __init__(
        self,
        store: Store,
        reader: Reader,
        office: Office,
        clock: Clock,
        leaving: Callable[[], bool] = lambda: False,
    ) -> None:
        self.count = 0
        self._store, self._reader, self._office = store, reader, office
        self._clock, self._leaving = clock, leaving
        self._queue: deque[Waiting] = deque()
        self._more = True
        """There may be pending mails beyond those lined up."""
        self._offered: tuple[Waiting, bytes] | None = None
        self._read: dict[int, Outcome] = {}
        self._lines: dict[str, deque[Waiting]] = defaultdict(deque)
        """What is being read, a line for each sender: a later mail never overtakes an earlier one."""
        self._ripe: deque[tuple[Waiting, Outcome]] = deque()
        self._in_hand: set[int] = set()
        self._lost: list[tuple[Waiting, str]] = []
        """Mails whose bytes are not what they were, and why."""
        reader.forget()

    def advance(self) -> None:
        """More mails were recorded: do what can be done without waiting for a reader."""
        self._more = True
        self._go_on()
        if len(self._ripe) >= ENOUGH:
            self._decide_batch()

    def finish(self) -> None:
        """Go on until no mail is pending, or until it is time to leave."""
        while not self._leaving():
            self._go_on()
            if len(self._ripe) >= ENOUGH or (self._ripe and not self._hear(LULL)):
                self._decide_batch()
            elif not self._ripe and not self._in_hand:
                return
            elif not self._ripe:
                self._hear(WATCHED)

    # --- reading ----------------------------------------------------------------------------------------

    def _go_on(self) -> None:
        if self._more and len(self._queue) < BATCH_MAILS:
            self._more = self._take_more()
        self._feed()
        self._set_apart()

    def _feed(self) -> None:
        """Give the readers as much as they take."""
        self._hear(0)
        while (offered := self._offered or self._next()) is not None:
            mail, raw = offered
            self._offered = None
            if not self._reader.offer(mail.id, raw, f"mail-{mail.id}.eml"):
                self._offered = offered
                return
            self._lines[mail.sender].append(mail)

    def _next(self) -> tuple[Waiting, bytes] | None:
        """The next mail to read, with its bytes."""
        while self._queue:
            mail = self._queue.popleft()
            try:
                return mail, self._store.archive.read(mail.sha256)
            except Permanent as failure:
                if not self._store.archive.directory.is_dir():
                    raise Temporary(failure.message, failure.remedy) from failure
                self._lost.append((mail, failure.message))
        return None

    def _take_more(self) -> bool:
        """Line up the next pending mails; whether there may be still more."""
        with self._store.reading() as session:
            rows = questions.pending_in_turn(session, TAKEN_AT_ONCE, self._in_hand)
        for row in rows:
            self._queue.append(Waiting(row.id, row.sha256, row.sender, row.attempts > 0))
            self._in_hand.add(row.id)
        return len(rows) == TAKEN_AT_ONCE

    def _hear(self, seconds: float) -> bool:
        """Take what has been read by now, waiting so long if nothing has; whether anything has."""
        heard = False
        for mail_id, outcome in self._reader.answers(seconds):
            self._read[mail_id] = outcome
            heard = True
        for sender in [sender for sender, line in self._lines.items() if line[0].id in self._read]:
            line = self._lines[sender]
            while line and line[0].id in self._read:
                mail = line.popleft()
                self._ripe.append((mail, self._read.pop(mail.id)))
            if not line:
                del self._lines[sender]
        return heard

    # --- deciding ---------------------------------------------------------------------------------------

    def _decide_batch(self) -> None:
        batch = [self._ripe.popleft()]
        alone = batch[0][0].begun_before
        while self._ripe and not alone and len(batch) < BATCH_MAILS and not self._ripe[0][0].begun_before:
            batch.append(self._ripe.popleft())
        ids = [mail.id for mail, _ in batch]
        # Committed before the work that might be the daemon's death.
        with self._store.transaction() as session:
            questions.begin_handling(session, ids)
        try:
            self._settle_all(batch)
        except Failure:
            with suppress(Failure), self._store.transaction() as session:
                questions.end_attempt(session, ids)
            raise
        self.count += len(batch)
        self._in_hand.difference_update(ids)

    def _settle_all(self, batch: Sequence[tuple[Waiting, Outcome]]) -> None:
        """Every mail of a batch gets its fate. If one goes wrong, all is done over, and only that one fails.

        A savepoint for every mail would cost a tenth of the whole work, and hardly any mail needs it.
        """
        try:
            settled = self._settle(batch, settle)
        except Exception:  # noqa: BLE001 (what is wrong for all goes wrong again)
            settled = self._settle(batch, settle_apart)
        for mail in settled:
            event(
                log,
                "mail_handled",
                f"来信{Disposition(mail.disposition).chinese}",
                mail=mail.id,
                disposition=mail.disposition,
                unit=mail.unit_id,
            )

    def _settle(
        self,
        batch: Sequence[tuple[Waiting, Outcome]],
        settle_one: Callable[[Desk, tables.Mail, Outcome, int | None], None],
    ) -> Iterable[tables.Mail]:
        with self._store.transaction() as session:
            desk = Desk(self._office, session, self._office.directories.current(session), self._clock())
            rows = questions.mails_to_settle(session, [mail.id for mail, _ in batch])
            for mail, outcome in batch:
                note_head(rows[mail.id], outcome)
            questions.write_heads(session, rows.values())
            twins = questions.earlier_twins(session, rows)
            desk.brakes.expect({row.sender for row in rows.values() if row.sender})
            for mail, outcome in batch:
                settle_one(desk, rows[mail.id], outcome, twins.get(mail.id))
                self._feed()
            questions.write_fates(session, rows.values())
        return rows.values()

    def _set_apart(self) -> None:
        """Quarantine the mails whose bytes are lost."""
        while self._lost:
            mail, why = self._lost.pop()
            with self._store.transaction() as session:
                questions.settle_mail(session, mail.id, Disposition.QUARANTINED, self._clock(), reason=why)
            self._in_hand.discard(mail.id)


def settle(desk: Desk, mail: tables.Mail, outcome: Outcome, twin: int | None) -> None:
    """Give a mail its fate; `twin` is the earlier mail that it repeats."""
    desk.brakes.reasons.clear()
    if mail.attempts > MOST_ATTEMPTS:
        why = f"处理这封邮件时程序已 {MOST_ATTEMPTS} 次异常中断"
        _seal(desk, mail, Fate(Disposition.QUARANTINED, why))
        _tell_administrator(desk, mail, why)
        return
    _seal(desk, mail, _with_brakes(desk, decide(desk, mail, outcome, twin)))


def settle_apart(desk: Desk, mail: tables.Mail, outcome: Outcome, twin: int | None) -> None:
    """The same in a savepoint of its own: whatever goes wrong, this mail and the others have their fates."""
    try:
        with desk.session.begin_nested():
            settle(desk, mail, outcome, twin)
    except Exception as error:
        if fails_for_all(error):
            raise
        mail.unit_id, mail.trouble = None, traceback.format_exc()
        reason = f"处理时出现意外错误：{type(error).__name__}"
        _seal(desk, mail, Fate(Disposition.QUARANTINED, reason))
        _tell_administrator(desk, mail, f"{reason}（{error}）")


def _with_brakes(desk: Desk, fate: Fate) -> Fate:
    """The fate, with what was held back lest a loop or a flood grow."""
    reasons: Sequence[str] = [*filter(None, [fate.reason]), *dict.fromkeys(desk.brakes.reasons)]
    return replace(fate, reason="；".join(reasons) or None)


def _tell_administrator(desk: Desk, mail: tables.Mail, why: str) -> None:
    """Alarm about a mail set apart; that even the alarm cannot be written must not undo the batch."""
    try:
        with desk.session.begin_nested():
            desk.alarm("mail_quarantined", f"来信 {mail.id} 没有办成，已隔离", why)
    except Failure as failure:
        event(log, "alarm_failed", str(failure), level=logging.ERROR, mail=mail.id)


def _seal(desk: Desk, mail: tables.Mail, fate: Fate) -> None:
    """Note the fate in the mail; the batch writes down those of all its mails at once."""
    mail.disposition, mail.reason, mail.handled_at = fate.disposition.value, fate.reason, desk.now


def note_head(mail: tables.Mail, outcome: Outcome) -> None:
    """Who sent the mail and what it is called: known whatever becomes of it."""
    if isinstance(outcome, Reading) and (head := outcome.mail) is not None:
        mail.message_id, mail.kind = head.message_id, head.kind.value
        mail.sender, mail.subject, mail.text = head.sender, head.subject, head.reply_text


def decide(desk: Desk, mail: tables.Mail, outcome: Outcome, twin: int | None) -> Fate:
    """The fate of one mail, with all that follows from it."""
    if isinstance(outcome, ReadingFailed):
        return holding.unreadable(desk, mail, outcome.reason)
    reading = outcome
    if reading.mail is None:
        return holding.unreadable(desk, mail, "不是一封完整的邮件")
    head = reading.mail
    if twin is not None:
        return Fate(Disposition.DUPLICATE, f"与来信 {twin} 是同一封邮件")
    if head.kind is MailKind.BOUNCE:
        return answering.bounced(desk, mail, head)
    if head.kind is not MailKind.PERSON:
        return Fate(Disposition.AUTOMATIC, AUTOMATIC_REASONS[head.kind])
    sender = Sender(head.sender, desk.directory.at_address(head.sender), head.authentication)
    mail.unit_id = sender.units[0].id if sender.units else None
    if sender.trusted:
        desk.sound(sender.address)
    if mail.size > desk.config.mailbox.max_message_mb << 20:
        return holding.too_large(desk, mail, sender)
    answered = _answered_letter(desk, reading, sender)
    if fate := returning.returned(desk, mail, reading, sender, answered):
        return fate
    if reading.forms and not _words_of_section(desk, head, sender, answered):
        return receiving.receive(desk, mail, reading, sender, answered)
    fate = answering.words(desk, mail, reading, sender, answered)
    if reading.forms and fate.reason is None:
        return replace(fate, reason="随信所附表格作为回复的附件存档，未另作报送材料登记")
    return fate


def _words_of_section(desk: Desk, head: Mail, sender: Sender, answered: tables.Letter | None) -> bool:
    """Whether a section's reply orders something, so that a form with it is but its enclosure."""
    if answered is None or answered.unit_id is None or not sender.trusted:
        return False
    if {unit.kind for unit in sender.units} != {UnitKind.SECTION}:
        return False
    return bool(replies.orders(head.reply_text, UnitKind.SECTION.value, desk.today).given)


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


# ---------------------------------------------------------------------------------------- housekeeping


def tidy(store: Store, mailbox: Mailbox, office: Office) -> int:
    """Handled mails are moved to the folder set for them, if one is; how many. Nothing depends on it.

    A mail that was moved before its move was recorded is passed over by the server.
    """
    wanted = office.config.mailbox.handled_folder
    if wanted is None or wanted in office.config.mailbox.folders:
        return 0
    return sum(_tidy_folder(store, mailbox, name, wanted) for name in reversed(office.config.mailbox.folders))


def _tidy_folder(store: Store, mailbox: Mailbox, name: str, wanted: str) -> int:
    try:
        state = mailbox.open(name)
    except FolderMissing:
        return 0
    count = 0
    while True:
        with store.reading() as session:
            rows = questions.mails_to_move(session, name, state.uidvalidity, MOVED_AT_ONCE)
        if not rows:
            return count
        mailbox.move([uid for _, uid in rows], wanted)
        with store.transaction() as session:
            questions.mark_moved(session, [mail_id for mail_id, _ in rows])
        count += len(rows)
