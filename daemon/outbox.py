"""The outbox: letters that are due go out, one recipient a mail, and every outcome is recorded.

A delivery is claimed and committed before it is sent, so that it is never sent by two. A claim whose end
is not known (a crash, a broken connection) is looked up in the Sent folder first; if nobody knows, the
letter goes out again under the same Message-ID, and that is counted.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from datetime import datetime, time, timedelta

from sqlalchemy.orm import Session

from daemon.clock import start_of_day
from daemon.desk import Desk, Office
from daemon.errors import Permanent, Temporary
from daemon.journal import event
from daemon.model import LetterKind
from daemon.sender import Deferred, Outcome, Refused, Sender, Sent, Uncertain
from daemon.store import questions
from daemon.store.engine import Store
from daemon.store.questions import Due

CLAIM = timedelta(minutes=5)
CLAIMED_AT_ONCE = 10
BACKOFF = tuple(timedelta(minutes=m) for m in (1, 2, 5, 10, 20, 40, 60, 120, 240))
"""Waits after each attempt that the server deferred; a letter that all of them did not help has failed."""
UNREACHABLE = timedelta(seconds=5)
"""Wait when the server cannot be reached at all: it is about no letter."""
TOMORROW = time(0, 10)

Clock = Callable[[], datetime]
SentMail = Callable[[], frozenset[str] | None]
"""Message-IDs of the newest letters in the Sent folder; None if that cannot be known."""

log = logging.getLogger(__name__)


class Outbox:
    """Sends what is due. For one thread."""

    def __init__(
        self,
        store: Store,
        sender: Sender,
        office: Office,
        sent_mail: SentMail,
        stopping: Callable[[], bool] = lambda: False,
    ) -> None:
        self._store = store
        self._sender = sender
        self._office = office
        self._sent_mail = sent_mail
        self._stopping = stopping
        self._owed: list[tuple[Due, Outcome]] = []
        """What became of letters, as long as the database could not be told."""

    def drain(self, clock: Clock) -> int:
        """Send everything that is due by `clock`; how many letters the server took."""
        sent = 0
        self._settle_debts(clock())
        while not self._stopping() and (claims := self._claim(clock())):
            found = self._sent_mail() if any(due.interrupted for due in claims) else None
            left = list(claims)
            for due in claims:
                left.remove(due)
                outcome = self._deliver(due, found)
                sent += isinstance(outcome, Sent)
                rests = self._note(due, outcome, clock())
                if rests or self._stopping():
                    self._give_back([each.delivery_id for each in left], clock())
                    return sent
        return sent

    def _claim(self, now: datetime) -> list[Due]:
        zone = self._office.config.zone
        with self._store.transaction() as session:
            questions.mend_clock(session, now)
            if questions.paused_until(session, now) is not None:
                return []
            if not questions.overdue_deliveries(session, now):
                return []
            day = start_of_day(now.astimezone(zone).date(), zone)
            limit = self._office.config.mailbox.smtp.daily_limit
            left = limit - questions.sent_since(session, day)
            if left <= 0:
                self._pause(session, _tomorrow(now, self._office), "今日发信已达上限", now)
                what = f"今日已发信 {limit} 封，达到上限，其余明日续发"
                self._tell(session, "daily_limit", what, "可调整 mailbox.smtp.daily_limit", now)
                return []
            return questions.claim_deliveries(session, now, now + CLAIM, min(CLAIMED_AT_ONCE, left))

    def _deliver(self, due: Due, sent_mail: frozenset[str] | None) -> Outcome:
        if due.interrupted:
            if sent_mail and due.message_id in sent_mail:
                return Sent("已在“已发送”中找到")
            event(
                log,
                "letter_repeated",
                "上次发送结果不明，以同一 Message-ID 重发",
                level=logging.WARNING,
                letter=due.letter_id,
            )
        return self._sender.send(due.raw, due.address)

    def _note(self, due: Due, outcome: Outcome, now: datetime) -> bool:
        """Write down what became of a letter, now or as soon as that is possible; whether sending should rest."""
        if isinstance(outcome, Deferred) and outcome.everything:
            kind = Permanent if outcome.tell else Temporary
            self._office.troubles.met("outbox", kind(outcome.text, outcome.remedy), now)
        elif isinstance(outcome, Sent):
            self._office.troubles.over("outbox", now)
        self._owed.append((due, outcome))
        return self._settle_debts(now)

    def _settle_debts(self, now: datetime) -> bool:
        """Write down what is not written yet. Temporary or Permanent: the database cannot be told now.

        Until it can, nothing is sent: a letter whose sending was forgotten would be sent again.
        """
        rests = False
        while self._owed:
            rests = self._record(*self._owed[0], now) or rests
            self._owed.pop(0)
        return rests

    def _record(self, due: Due, outcome: Outcome, now: datetime) -> bool:
        with self._store.transaction() as session:
            match outcome:
                case Sent():
                    questions.record_sent(session, due.delivery_id, now)
                    event(log, "letter_sent", "信已发出", letter=due.letter_id, kind=due.kind)
                    return False
                case Uncertain(text=text):
                    # The claim runs out at once: the delivery is due again as interrupted, and looked up.
                    questions.record_uncertain(session, due.delivery_id, text, now + UNREACHABLE)
                    event(log, "letter_uncertain", text, level=logging.WARNING, letter=due.letter_id)
                    return True
                case Refused(text=text, pause=pause):
                    self._fail(session, due, text, now, outcome.remedy)
                    if pause is not None:
                        self._pause(session, now + pause, text, now)
                    return pause is not None
                case Deferred():
                    return self._defer(session, due, outcome, now)

    def _fail(self, session: Session, due: Due, text: str, now: datetime, remedy: str | None = None) -> None:
        """A letter will never arrive: the administrator hears of it, unless it was itself such news."""
        questions.record_failed(session, due.delivery_id, text)
        event(log, "letter_failed", text, level=logging.ERROR, letter=due.letter_id, kind=due.kind)
        if due.kind is not LetterKind.ALARM:
            what = f"发给 {due.address} 的信未能发出：{due.subject}"
            self._tell(session, f"letter_failed:{due.address}", what, text, now, remedy)

    def _tell(
        self, session: Session, name: str, what: str, detail: str, now: datetime, remedy: str | None = None
    ) -> None:
        desk = Desk(self._office, session, self._office.directories.current(session), now)
        desk.alarm(name, what, detail, remedy or "请用 djb letters 查看")

    def _defer(self, session: Session, due: Due, outcome: Deferred, now: datetime) -> bool:
        if outcome.everything:
            questions.release_claims(session, [due.delivery_id], now)
            until = (
                _tomorrow(now, self._office)
                if outcome.tomorrow
                else now + (outcome.retry_after or UNREACHABLE)
            )
            self._pause(session, until, outcome.text, now)
            return True
        if due.attempts > len(BACKOFF):
            self._fail(session, due, f"已试 {due.attempts} 次：{outcome.text}", now, outcome.remedy)
            return False
        event(
            log,
            "letter_deferred",
            outcome.text,
            level=logging.WARNING,
            letter=due.letter_id,
            code=outcome.code,
        )
        wait = max(outcome.retry_after or timedelta(0), BACKOFF[min(due.attempts, len(BACKOFF)) - 1])
        questions.record_retry(session, due.delivery_id, outcome.text, now + wait)
        return False

    def _give_back(self, delivery_ids: list[int], now: datetime) -> None:
        if delivery_ids:
            with self._store.transaction() as session:
                questions.release_claims(session, delivery_ids, now)

    def _pause(self, session: Session, until: datetime, why: str, now: datetime) -> None:
        questions.pause_sending(session, until, now)
        if until - now <= UNREACHABLE:  # the trouble itself has been told of
            return
        event(
            log,
            "outbox_paused",
            f"暂停发信：{why}",
            level=logging.WARNING,
            until=until.isoformat(timespec="seconds"),
        )


def _tomorrow(now: datetime, office: Office) -> datetime:
    zone = office.config.zone
    day = now.astimezone(zone).date() + timedelta(days=1)
    return datetime.combine(day, TOMORROW, zone)


def waiting(store: Store) -> datetime | None:
    """When the next letter is due."""
    with store.reading() as session:
        return questions.next_due(session)
