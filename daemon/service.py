"""The daemon itself: what it is made of, one whole cycle, and the loops that repeat it until told to stop.

`Daemon.cycle` is the day's work in its order. `serve` spreads the same work over three loops, so that a
slow mail server never delays an answer: mail comes in on the main thread, letters go out on one of their
own, and the calendar ticks by APScheduler.
"""

from __future__ import annotations

import logging
import os
import random
import signal
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from time import monotonic
from typing import Any

from apscheduler.schedulers.background import BackgroundScheduler

from daemon import intake, schedule
from daemon.config import Config, Server, load, password
from daemon.connection import Security, ServerSettings, backoff
from daemon.desk import Office, open_office
from daemon.errors import ConfigError, Failure, Permanent
from daemon.journal import event
from daemon.mailbox import Mailbox
from daemon.outbox import Outbox
from daemon.reader import Reader
from daemon.sender import Sender, SenderSettings
from daemon.store import questions
from daemon.store.engine import Store
from daemon.store.opening import now as now, opened_store as opened_store
from parsers.content import Limits

LAST_CYCLE = "last_cycle"
FIRST_CYCLE = "first_cycle"
TICK_SECONDS = 20
LEASE = "mailbox"
STANDBY_SECONDS = 3.0

log = logging.getLogger(__name__)

Clock = Callable[[], datetime]


def mailbox_settings(config: Config) -> ServerSettings:
    """Where the office's mail comes in. Raises ConfigError without a password."""
    return ServerSettings(**_server(config.mailbox.imap, config, "imap_password"))


def sender_settings(config: Config) -> SenderSettings:
    """Where the office's letters go out. Raises ConfigError without a password."""
    return SenderSettings(
        **_server(config.mailbox.smtp, config, "smtp_password"),
        seconds_between=config.mailbox.smtp.seconds_between,
    )


def _server(server: Server, config: Config, credential: str) -> dict[str, Any]:
    return {
        "host": server.host,
        "port": server.port,
        "security": Security(server.security),
        "username": server.username or config.mailbox.address,
        "password": password(server, credential),
        "address": config.mailbox.address,
        "ca_file": server.ca_file,
    }


@dataclass
class Daemon:
    """Everything the daemon works with; one of them works on a mailbox at a time."""

    office: Office
    store: Store
    mailbox: Mailbox
    reader: Reader
    sender: Sender

    def collect(self, moment: datetime) -> int:
        """Fetch what is new and give every pending mail its fate; how many mails were handled."""
        self.mailbox.connect()
        intake.collect(self.store, self.mailbox, self.office, moment)
        return self.handle(moment)

    def handle(self, moment: datetime) -> int:
        """Give every pending mail its fate."""
        return intake.handle_pending(self.store, self.reader, self.office, moment)

    def outbox(self, stopping: Callable[[], bool] = lambda: False) -> Outbox:
        return Outbox(self.store, self.sender, self.office, self.was_sent, stopping)

    def was_sent(self, message_id: str) -> bool | None:
        """Whether the Sent folder has the letter; None if the server does not keep or show one."""
        try:
            with Mailbox(mailbox_settings(self.office.config)) as mailbox:
                found = mailbox.sent_message_ids()
        except Failure:
            return None
        return message_id in found if found else None

    def cycle(self, clock: Clock) -> tuple[int, int]:
        """One whole cycle: (mails handled, letters sent). Temporary or Permanent: the mailbox is out of reach.

        The calendar and the outbox do their work even then.
        """
        begin(self.store, clock())
        failure: Failure | None = None
        handled = 0
        try:
            handled = self.collect(clock())
        except Failure as error:
            failure = error
            handled = self.handle(clock())
        schedule.tick(self.store, self.office, clock())
        sent = self.outbox().drain(clock)
        if failure is not None:
            raise failure
        with self.store.transaction() as session:
            questions.set_note(session, LAST_CYCLE, "done", clock())
        return handled, sent


def begin(store: Store, moment: datetime) -> None:
    """Note the daemon's first cycle: what was due before it is not chased."""
    with store.reading() as session:
        known = questions.note(session, FIRST_CYCLE)
    if known is None:
        with store.transaction() as session:
            questions.set_note(session, FIRST_CYCLE, moment.astimezone(UTC).isoformat(), moment)


def expire_claims(store: Store, moment: datetime) -> None:
    """Letters that a daemon was sending when it died are due at once, where only one daemon sends."""
    if store.is_sqlite:
        with store.transaction() as session:
            questions.expire_claims(session, moment)


@contextmanager
def assembled(config: Config, sleep: Callable[[float], object] | None = None) -> Iterator[Daemon]:
    """A daemon ready to work, taken apart again afterwards."""
    store = opened_store(config, create=True)
    mailbox = Mailbox(mailbox_settings(config))
    sender = Sender(sender_settings(config), sleep=sleep or time.sleep)
    limits = Limits(mail_bytes=config.mailbox.max_message_mb << 20)
    try:
        with Reader(workers=readers(), limits=limits, own_address=config.mailbox.address) as reader:
            yield Daemon(open_office(config), store, mailbox, reader, sender)
    finally:
        sender.close()
        mailbox.close()
        store.close()


def readers() -> int:
    """How many reading processes this machine has room for."""
    return max(1, min(4, len(os.sched_getaffinity(0))))


# --------------------------------------------------------------------------------------------- serving


class Notifier:
    """Speaks sd_notify(3) where systemd listens, and is silent elsewhere."""

    def __init__(self) -> None:
        self._address = os.environ.get("NOTIFY_SOCKET")
        watchdog = os.environ.get("WATCHDOG_USEC")
        self.watchdog_seconds = int(watchdog) / 1e6 / 3 if watchdog else None

    def say(self, **variables: str) -> None:
        if not self._address:
            return
        address = "\0" + self._address[1:] if self._address.startswith("@") else self._address
        message = "\n".join(f"{name}={value}" for name, value in variables.items())
        with suppress(OSError), socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as channel:
            channel.connect(address)
            channel.sendall(message.encode())


class Heartbeats:
    """When each loop was last seen alive."""

    def __init__(self, allowed: float) -> None:
        self._allowed = allowed
        self._seen: dict[str, float] = {}

    def beat(self, name: str) -> None:
        self._seen[name] = monotonic()

    def all_well(self) -> bool:
        return all(monotonic() - seen < self._allowed for seen in self._seen.values())


class Service:
    """`djb run`: serves until SIGTERM, reads its configuration again on SIGHUP."""

    def __init__(self, config: Config) -> None:
        self._config = config
        self._stop = threading.Event()
        self._reload = threading.Event()
        self._mail_waits = threading.Event()
        self._notifier = Notifier()
        self._beats = Heartbeats(allowed=240)
        self._wake_read, self._wake_write = os.pipe()
        os.set_blocking(self._wake_write, False)

    def run(self) -> int:
        """Serve until told to stop; the exit status."""
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_: self._end(self._stop))
        signal.signal(signal.SIGHUP, lambda *_: self._end(self._reload))
        store = opened_store(self._config, create=True)
        lease = store.lease(LEASE)
        while not lease.acquire() and not self._stop.is_set():
            self._notifier.say(READY="1", STATUS="另一个守护进程正在工作，本进程待命")
            self._stop.wait(STANDBY_SECONDS)
        try:
            while not self._stop.is_set():
                self._reload.clear()
                with assembled(self._config, self._stop.wait) as daemon:
                    self._serve(daemon, lease.still_held)
                if self._reload.is_set() and not self._stop.is_set():
                    self._read_again()
                if not lease.still_held() and not self._stop.is_set():
                    event(log, "lease_lost", "失去工作权，转入待命", level=logging.WARNING)
                    return 1
        finally:
            lease.release()
            store.close()
            self._notifier.say(STOPPING="1")
        return 0

    def _end(self, flag: threading.Event) -> None:
        flag.set()
        with suppress(BlockingIOError):
            os.write(self._wake_write, b"x")

    def _leaving(self) -> bool:
        return self._stop.is_set() or self._reload.is_set()

    def _read_again(self) -> None:
        self._notifier.say(RELOADING="1", MONOTONIC_USEC=str(int(monotonic() * 1e6)))
        try:
            self._config = load(self._config.file)
            event(log, "reloaded", "已重新读取配置、模板和通讯录")
        except ConfigError as error:
            for fault in error.faults:
                event(log, "reload_refused", fault, level=logging.ERROR)

    def _serve(self, daemon: Daemon, still_ours: Callable[[], bool]) -> None:
        begin(daemon.store, now())
        expire_claims(daemon.store, now())
        ticker = BackgroundScheduler(timezone="UTC")
        ticker.add_job(
            lambda: self._tick(daemon),
            "interval",
            seconds=TICK_SECONDS,
            next_run_time=now(),
            misfire_grace_time=None,
            coalesce=True,
            max_instances=1,
        )
        sending = threading.Thread(target=self._send, args=(daemon,), name="outbox")
        ticker.start()
        sending.start()
        self._notifier.say(READY="1", STATUS="正在工作")
        event(log, "started", "开始工作", mailbox=self._config.mailbox.address)
        try:
            self._receive(daemon, still_ours)
        finally:
            self._mail_waits.set()
            ticker.shutdown(wait=True)
            sending.join()

    def _receive(self, daemon: Daemon, still_ours: Callable[[], bool]) -> None:
        """Mail comes in, poll after poll, whatever the network does."""
        failures = 0
        told: str | None = None
        while not self._leaving() and still_ours():
            self._beats.beat("mailbox")
            wait = float(self._config.mailbox.poll_seconds)
            try:
                handled = daemon.collect(now())
                if told is not None:
                    event(log, "mailbox_back", "邮箱恢复正常")
                failures, told = 0, None
                with daemon.store.transaction() as session:
                    questions.set_note(session, LAST_CYCLE, "done", now())
                if handled:
                    self._mail_waits.set()
                self._watch()
                self._notifier.say(STATUS=f"上次收信 {now().astimezone(self._config.zone):%H:%M:%S}")
                daemon.mailbox.wait(wait, wake=self._wake_read)
            except Failure as failure:
                failures += 1
                if str(failure) != told:
                    level = logging.ERROR if isinstance(failure, Permanent) else logging.WARNING
                    event(log, "mailbox_unreachable", str(failure), level=level)
                    told = str(failure)
                pause = backoff(failures, random.random(), longest=10.0)  # noqa: S311 (jitter, no secret)
                self._stop_or_reload(pause)

    def _stop_or_reload(self, seconds: float) -> None:
        until = monotonic() + seconds
        while not self._leaving() and monotonic() < until:
            self._stop.wait(min(0.5, until - monotonic()))

    def _send(self, daemon: Daemon) -> None:
        """Letters go out as they fall due."""
        outbox = daemon.outbox(self._leaving)
        while not self._leaving():
            self._beats.beat("outbox")
            try:
                outbox.drain(now)
            except Failure as failure:
                event(log, "outbox_failed", str(failure), level=logging.ERROR)
            self._mail_waits.wait(timeout=5)
            self._mail_waits.clear()

    def _tick(self, daemon: Daemon) -> None:
        self._beats.beat("calendar")
        try:
            if schedule.tick(daemon.store, daemon.office, now()):
                self._mail_waits.set()
        except Failure as failure:
            event(log, "calendar_failed", str(failure), level=logging.ERROR)
        self._watch()

    def _watch(self) -> None:
        if self._beats.all_well():
            self._notifier.say(WATCHDOG="1")
