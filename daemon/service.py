"""The daemon itself: what it is made of, one whole cycle, and the loops that repeat it until told to stop.

`Daemon.cycle` is the day's work in its order. `serve` spreads the same work over three loops, so that a
slow mail server never delays an answer: mail comes in on the main thread, letters go out on one of their
own, and the calendar ticks by APScheduler.
"""

from __future__ import annotations

import logging
import multiprocessing
import os
import random
import signal
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from time import monotonic
from typing import Any

from apscheduler.schedulers.background import BackgroundScheduler

from daemon import intake, letters, rendering, schedule
from daemon.clock import local_day
from daemon.config import Config, Server, load, password
from daemon.connection import Security, ServerSettings, backoff
from daemon.desk import Desk, Office, open_office
from daemon.envelope import compose, new_message_id
from daemon.errors import ConfigError, Failure, Permanent
from daemon.journal import event
from daemon.mailbox import Mailbox
from daemon.outbox import Outbox
from daemon.reader import Reader
from daemon.sender import Sender, SenderSettings, Sent
from daemon.store import questions
from daemon.store.engine import Store
from daemon.store.lease import Lease
from daemon.store.memory import FIRST_CYCLE, LAST_CYCLE
from daemon.store.opening import now as now, opened_store as opened_store
from daemon.troubles import Trouble
from parsers.content import Limits

TICK_SECONDS = 20
LEASE = "mailbox"
STANDBY_SECONDS = 3.0
OUTBOX_SECONDS = 5.0
GRACE_SECONDS = 5.0
"""How long the loops may take to end in good order."""
LONGEST_SILENCE = 600.0
"""Seconds without a sign of life after which a loop is taken for stuck."""
SOON = 5.0
"""The longest pause before a mailbox that is out of reach is tried again."""

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

    def collect(self, clock: Clock, leaving: Callable[[], bool] = lambda: False) -> int:
        """Fetch what is new and give every pending mail its fate; how many mails were handled.

        Temporary or Permanent: the mailbox is out of reach; what was fetched before has its fate.
        """
        try:
            self.mailbox.connect()
        except Failure:
            self.handle(clock, leaving)
            raise
        handled = intake.take_in(self.store, self.mailbox, self.reader, self.office, clock, leaving)
        intake.tidy(self.store, self.mailbox, self.office)
        return handled

    def handle(self, clock: Clock, leaving: Callable[[], bool] = lambda: False) -> int:
        """Give every pending mail its fate; how many got it."""
        handling = intake.Handling(self.store, self.reader, self.office, clock, leaving)
        handling.finish()
        return handling.count

    def outbox(self, stopping: Callable[[], bool] = lambda: False) -> Outbox:
        return Outbox(self.store, self.sender, self.office, self.sent_mail, stopping)

    def sent_mail(self) -> frozenset[str] | None:
        """Message-IDs of the newest sent letters; None if the server does not keep or show them."""
        try:
            with Mailbox(mailbox_settings(self.office.config)) as mailbox:
                return mailbox.sent_message_ids() or None
        except Failure:
            return None

    def cycle(self, clock: Clock) -> tuple[int, int]:
        """One whole cycle: (mails handled, letters sent). Temporary or Permanent: the mailbox is out of reach.

        The calendar and the outbox do their work even then.
        """
        begin(self.store, clock())
        failure: Failure | None = None
        handled = 0
        try:
            handled = self.collect(clock)
        except Failure as error:
            failure = error
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
    """Letters that a daemon was sending when it died are due at once. Only for the holder of the lease."""
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


@contextmanager
def measured(store: Store, config: Config) -> Iterator[None]:
    """Metrics for Prometheus, if the configuration wants them; without them the daemon works as well."""
    if config.metrics.port is None:
        yield
        return
    try:
        from daemon.metrics import served
    except ModuleNotFoundError:
        event(
            log, "metrics_missing", '监控指标未提供：请安装 pip install "djb[metrics]"', level=logging.WARNING
        )
        yield
        return
    with ExitStack() as stack:
        try:
            stack.enter_context(served(store, config, now))
        except OSError as error:
            event(log, "metrics_failed", f"监控端口无法使用：{error.strerror}", level=logging.WARNING)
        yield


class Notifier:
    """Speaks sd_notify(3) where systemd listens, and is silent elsewhere."""

    def __init__(self) -> None:
        self._address = os.environ.get("NOTIFY_SOCKET")
        watchdog = os.environ.get("WATCHDOG_USEC")
        self.watchdog_seconds = int(watchdog) / 1e6 if watchdog else None

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

    def beat(self, name: str, busy: float = 0.0) -> None:
        """The loop is alive, and may be busy for so many seconds with something that ends in any case."""
        self._seen[name] = monotonic() + busy

    def all_well(self) -> bool:
        return all(monotonic() - seen < self._allowed for seen in list(self._seen.values()))


class Bell:
    """Something that a signal handler or another thread rings, and that a wait on sockets hears."""

    def __init__(self) -> None:
        self.hears, self._rings = os.pipe()
        os.set_blocking(self.hears, False)
        os.set_blocking(self._rings, False)

    def ring(self) -> None:
        with suppress(BlockingIOError):
            os.write(self._rings, b"x")

    def silence(self) -> None:
        with suppress(BlockingIOError):
            while os.read(self.hears, 512):
                pass


class Service:
    """`djb run`: serves until SIGTERM, reads its configuration again on SIGHUP.

    Of several daemons on one mailbox the one that holds the lease works; the others stand by.
    """

    def __init__(self, config: Config) -> None:
        self._config = config
        self._stop = threading.Event()
        self._reload = threading.Event()
        self._lost = threading.Event()
        self._broken = threading.Event()
        self._mail_waits = threading.Event()
        self._notifier = Notifier()
        self._beats = Heartbeats(LONGEST_SILENCE)
        self._bell = Bell()

    def run(self) -> int:
        """Serve until told to stop; the exit status."""
        self._listen()
        store = opened_store(self._config, create=True)
        lease = store.lease(LEASE)
        try:
            while not self._stop.is_set():
                if self._stand_by(lease):
                    self._work(lease)
        finally:
            self._notifier.say(STOPPING="1", STATUS="正在结束")
            lease.release()
            store.close()
        return 1 if self._broken.is_set() else 0

    def _listen(self) -> None:
        """Obey signals on a thread of their own: a handler might find a lock held by what it interrupted."""
        ears, mouth = os.pipe()
        os.set_blocking(mouth, False)
        signal.set_wakeup_fd(mouth)
        for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
            signal.signal(number, lambda *_: None)
        threading.Thread(target=self._obey, args=(ears,), name="signals", daemon=True).start()

    def _obey(self, ears: int) -> None:
        while number := os.read(ears, 1):
            self._end(self._reload if number[0] == signal.SIGHUP else self._stop)

    def _end(self, flag: threading.Event) -> None:
        flag.set()
        if flag is self._stop:
            _die_after(GRACE_SECONDS, self._notifier)
        self._bell.ring()

    def _stand_by(self, lease: Lease) -> bool:
        """Wait for the right to work; False if there is no more need of it."""
        standing_by = False
        while not self._stop.is_set():
            try:
                if lease.acquire():
                    return True
                why = "另一个守护进程正在工作，本进程待命"
            except Failure as failure:
                why = f"暂时无法取得工作权：{failure}"
            if not standing_by:
                event(log, "standing_by", why)
                standing_by = True
            self._notifier.say(READY="1", WATCHDOG="1", STATUS=why)
            self._stop.wait(STANDBY_SECONDS)
        return False

    def _work(self, lease: Lease) -> None:
        """Work as long as the lease is ours, with the configuration as it stands."""
        self._lost.clear()
        while not self._stop.is_set() and not self._lost.is_set():
            self._reload.clear()
            self._bell.silence()
            resting = partial(self._rest, "outbox")
            with assembled(self._config, resting) as daemon, measured(daemon.store, self._config):
                self._serve(daemon, lease)
            if self._reload.is_set() and not self._stop.is_set():
                self._read_again()

    def _leaving(self) -> bool:
        return self._stop.is_set() or self._reload.is_set() or self._lost.is_set()

    def _read_again(self) -> None:
        self._notifier.say(RELOADING="1", MONOTONIC_USEC=str(int(monotonic() * 1e6)))
        try:
            config = load(self._config.file)
            if config.store != self._config.store:
                raise ConfigError(["store 的改动须重启服务才能生效"])
            mailbox_settings(config), sender_settings(config), open_office(config)
            self._config = config
            event(log, "reloaded", "已重新读取配置、模板和通讯录")
        except ConfigError as error:
            for fault in error.faults:
                event(log, "reload_refused", f"{fault}；继续按原配置工作", level=logging.ERROR)

    def _serve(self, daemon: Daemon, lease: Lease) -> None:
        begin(daemon.store, now())
        expire_claims(daemon.store, now())
        sending = threading.Thread(target=self._send, args=(daemon,), name="outbox")
        ticker = self._ticker(daemon)
        ticker.start()
        sending.start()
        self._notifier.say(READY="1", WATCHDOG="1", STATUS="正在工作")
        event(log, "started", "开始工作", mailbox=self._config.mailbox.address)
        try:
            self._receive(daemon, lease)
        finally:
            if not self._leaving():  # an error nobody foresaw: whoever supervises us starts us anew
                self._broken.set()
                self._end(self._stop)
            self._mail_waits.set()
            ticker.shutdown(wait=True)
            sending.join()

    def _ticker(self, daemon: Daemon) -> BackgroundScheduler:
        """The calendar, and the sign of life for the watchdog."""
        ticker = BackgroundScheduler(timezone="UTC")
        often = {"misfire_grace_time": None, "coalesce": True, "max_instances": 1, "next_run_time": now()}
        ticker.add_job(lambda: self._tick(daemon), "interval", seconds=TICK_SECONDS, **often)
        if self._notifier.watchdog_seconds is not None:
            ticker.add_job(self._watch, "interval", seconds=self._notifier.watchdog_seconds / 3, **often)
        return ticker

    # --- mail comes in ----------------------------------------------------------------------------------

    def _receive(self, daemon: Daemon, lease: Lease) -> None:
        """Mail comes in, poll after poll, whatever the network does."""
        failures = 0
        troubles = daemon.office.troubles
        daemon.mailbox.takes = partial(self._beats.beat, "mailbox")

        def leaving() -> bool:
            self._beats.beat("mailbox")
            if not lease.still_held():
                self._lost.set()
            return self._leaving()

        while not leaving():
            try:
                if daemon.collect(now, leaving):
                    self._mail_waits.set()
                with daemon.store.transaction() as session:
                    questions.set_note(session, LAST_CYCLE, "done", now())
                troubles.over("mailbox", now())
                failures = 0
                self._notifier.say(STATUS=f"上次收信 {now().astimezone(self._config.zone):%H:%M:%S}")
                if not self._leaving():
                    daemon.mailbox.wait(float(self._config.mailbox.poll_seconds), wake=self._bell.hears)
            except Failure as failure:
                failures += 1
                self._mail_waits.set()
                troubles.met("mailbox", failure, now())
                self._notifier.say(STATUS=f"收信受阻：{failure}")
                if isinstance(failure, Permanent):
                    self._passwords_anew(daemon)
                self._rest("mailbox", self._pause(failure, failures))
        if self._lost.is_set():
            event(log, "lease_lost", "失去工作权，转入待命", level=logging.WARNING)

    def _passwords_anew(self, daemon: Daemon) -> None:
        """Take the passwords as they stand now: one that was put right works without a restart."""
        with suppress(ConfigError):
            daemon.mailbox.settings = mailbox_settings(self._config)
            daemon.sender.settings = sender_settings(self._config)

    def _pause(self, failure: Failure, failures: int) -> float:
        """Seconds until the mailbox is tried again: soon, or at leisure if only a person can mend it."""
        poll = float(self._config.mailbox.poll_seconds)
        longest = max(SOON, poll) if isinstance(failure, Permanent) else min(max(poll, 1.0), SOON)
        return backoff(failures, random.random(), longest=longest)  # noqa: S311 (jitter, no secret)

    def _rest(self, loop: str, seconds: float) -> None:
        """Wait, as long as nobody wants us to leave."""
        until = monotonic() + seconds
        while not self._leaving() and (left := until - monotonic()) > 0:
            self._beats.beat(loop)
            self._stop.wait(min(0.5, left))

    # --- letters go out, days pass ----------------------------------------------------------------------

    def _send(self, daemon: Daemon) -> None:
        """Letters go out as they fall due."""

        def leaving() -> bool:
            self._beats.beat("outbox")
            return self._leaving()

        outbox = daemon.outbox(leaving)
        try:
            while not leaving():
                if daemon.office.troubles.wants_a_person("outbox"):
                    self._passwords_anew(daemon)
                try:
                    outbox.drain(now)
                    daemon.office.troubles.over("outbox_records", now())
                except Failure as failure:
                    daemon.office.troubles.met("outbox_records", failure, now())
                self._mail_waits.wait(timeout=OUTBOX_SECONDS)
                self._mail_waits.clear()
        finally:
            if not self._leaving():
                self._broken.set()
                self._end(self._stop)

    def _tick(self, daemon: Daemon) -> None:
        self._beats.beat("calendar")
        troubles = daemon.office.troubles
        try:
            if schedule.tick(daemon.store, daemon.office, now()):
                self._mail_waits.set()
            tell_of_troubles(daemon.store, daemon.office, now())
            troubles.over("calendar", now())
        except Failure as failure:
            troubles.met("calendar", failure, now())
            with suppress(Failure):
                tell_without_records(daemon.office, now())
        self._watch()

    def _watch(self) -> None:
        if self._beats.all_well():
            self._notifier.say(WATCHDOG="1")


def tell_of_troubles(store: Store, office: Office, moment: datetime) -> None:
    """Write to the administrator of what does not work, once."""
    for trouble in office.troubles.untold(moment):
        with store.transaction() as session:
            desk = Desk(office, session, office.directories.current(session), moment)
            remedy = trouble.failure.remedy or "将自动重试"
            desk.alarm(f"trouble:{trouble.name}", trouble.what, _detail(trouble, office), remedy)
        office.troubles.note_told(trouble)


def tell_without_records(office: Office, moment: datetime) -> None:
    """The same in one mail straight to the administrator, when even the outbox cannot be written to."""
    troubles, admin = office.troubles.untold(moment), office.config.office.admin
    if not troubles or admin is None:
        return
    alarm = letters.Alarm(
        to_name="管理员",
        date=local_day(moment, office.config.zone),
        what="；".join(trouble.what for trouble in troubles),
        detail="；".join(_detail(trouble, office) for trouble in troubles),
        remedy="；".join(dict.fromkeys(trouble.failure.remedy or "将自动重试" for trouble in troubles)),
        since=min(trouble.since for trouble in troubles),
    )
    own = office.config.mailbox.address
    message = compose(
        rendering.render(alarm, office.letterhead, office.templates),
        sender_address=own,
        sender_name=office.config.office.name,
        to=[admin],
        message_id=new_message_id(office.random, own.rpartition("@")[2]),
        date=moment.astimezone(office.config.zone),
        auto_submitted="auto-generated",
    )
    with Sender(sender_settings(office.config)) as sender:
        outcome = sender.send(message, admin)
    if isinstance(outcome, Sent):
        for trouble in troubles:
            office.troubles.note_told(trouble)


def _detail(trouble: Trouble, office: Office) -> str:
    since = trouble.since.astimezone(office.config.zone)
    return f"自 {since:%Y年%m月%d日 %H:%M} 起：{trouble.failure.message}"


def _die_after(seconds: float, notifier: Notifier) -> None:
    """End the process though a server keeps a thread waiting: at any moment it may be ended without loss."""

    def die() -> None:
        event(log, "ended_at_once", "服务器迟迟不答复，不再等待", level=logging.WARNING)
        notifier.say(STOPPING="1")
        for child in multiprocessing.active_children():
            child.kill()
        os._exit(0)

    timer = threading.Timer(seconds, die)
    timer.daemon = True
    timer.start()
