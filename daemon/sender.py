"""Letters out by SMTP: one recipient a letter, over a kept connection, every answer read for what it means.

yagmail makes and holds the connection (with verified TLS); the transaction is ours, because only so can be
told whether a letter that met a broken connection was surely not taken, or may have been.
"""

from __future__ import annotations

import email
import email.policy
import logging
import re
import smtplib
import socket
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import timedelta
from enum import IntEnum
from types import TracebackType
from typing import Any, Self

import yagmail

from daemon.connection import (
    Security,
    ServerSettings,
    Step,
    TimeLimit,
    explain,
    login_remedy,
    tls_context,
)
from daemon.errors import Failure, Permanent

log = logging.getLogger(__name__)

TRUSTED_IDLE = 10.0
"""Seconds that a kept connection is trusted to live; after that it is asked first."""
OWN_NAME = "[127.0.0.1]"
"""What we say in EHLO: looking up our own name may hang, and would tell the world what it is."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SenderSettings(ServerSettings):
    """An SMTP server and how gently to treat it."""

    seconds_between: float = 2.0
    final_timeout: float = 120.0
    """Seconds to wait for the answer to a whole letter: giving up early means not to know."""
    letters_per_connection: int = 200
    """163 closes its ear (MI:DMC) after too many; ours is closed first."""


@dataclass(frozen=True, slots=True)
class Sent:
    """The server took the letter."""

    text: str


@dataclass(frozen=True, slots=True)
class Deferred:
    """The letter was surely not taken, and may be later."""

    code: int | None
    """None if the server was not reached or said nothing."""
    text: str
    remedy: str | None = None
    retry_after: timedelta | None = None
    """How long to wait, where that is known."""
    tomorrow: bool = False
    """The day's quota is used up: wait for the next day."""
    everything: bool = False
    """It is not about this letter: all others would fare the same, so all wait."""
    tell: bool = False
    """It will not mend itself: tell the administrator."""


@dataclass(frozen=True, slots=True)
class Refused:
    """The letter was not taken and will never be: it has failed."""

    code: int | None
    text: str
    remedy: str | None = None
    pause: timedelta | None = None
    """How long all sending should rest after this, lest the account be locked."""


@dataclass(frozen=True, slots=True)
class Uncertain:
    """The connection broke after the whole letter was out: it may have been taken. Ask the Sent folder."""

    text: str


Outcome = Sent | Deferred | Refused | Uncertain


class Stage(IntEnum):
    """How far a letter got."""

    CONNECT = 0
    LOGIN = 1
    SENDER = 2
    RECIPIENT = 3
    DATA = 4
    FINAL = 5
    """The whole letter is out, the answer is not in."""


DOING = {
    Stage.CONNECT: "连接 SMTP 服务器",
    Stage.LOGIN: "登录 SMTP",
    Stage.SENDER: "发信（报发件人）",
    Stage.RECIPIENT: "发信（报收件人）",
    Stage.DATA: "发信（传正文）",
    Stage.FINAL: "发信（等待最后答复）",
}


@dataclass(frozen=True, slots=True)
class _Family:
    """A family of refusals, known by code and text, and what to do about it."""

    pattern: re.Pattern[str]
    remedy: str
    refused: bool = False
    retry_after: timedelta | None = None
    tomorrow: bool = False
    everything: bool = False
    tell: bool = False
    again: bool = False
    """A new connection mends it: try once more at once."""


def _family(pattern: str, remedy: str, **properties: Any) -> _Family:
    return _Family(re.compile(pattern, re.I | re.S), remedy, **properties)


LOGIN_REFUSED = "login refused"
"""Stands for `login_remedy`, which depends on the server."""

FAMILIES = (
    _family(
        r"^421 .*\bHL:\w+",
        "本机连接网易过频或并发过多，稍后自动再发",
        retry_after=timedelta(minutes=5),
        everything=True,
    ),
    _family(
        r"^45\d .*\bMI:DMC",
        "同一连接发信过多，已换新连接",
        retry_after=timedelta(minutes=1),
        everything=True,
        again=True,
    ),
    _family(
        r"^45\d .*\bMI:SFQ",
        "15 分钟内发信超过网易限额，稍后自动再发",
        retry_after=timedelta(minutes=15),
        everything=True,
    ),
    _family(r"^45\d .*\bDT:SPM", "被暂判为垃圾邮件，两分钟后自动再发", retry_after=timedelta(minutes=2)),
    _family(
        r"\bMI:STC",
        "当日发信数已达网易上限，次日自动续发；可调低 daily_limit",
        tomorrow=True,
        everything=True,
        tell=True,
    ),
    _family(
        r"\bDT:SUM|mail from must equal|sender address rejected: not owned",
        "发件人地址须与登录账号一致：核对 mailbox.address 与 mailbox.smtp.username",
        retry_after=timedelta(minutes=10),
        everything=True,
        tell=True,
    ),
    _family(
        r"^55\d .*\bDT:SPM",
        "被判为垃圾邮件：请人工查看此信，放慢发信（seconds_between），暂停一小时",
        refused=True,
        retry_after=timedelta(hours=1),
    ),
    _family(
        r"^(530|534|535|538) ", LOGIN_REFUSED, retry_after=timedelta(minutes=2), everything=True, tell=True
    ),
    _family(r"^421 ", "服务器暂停服务，将自动重连", everything=True, again=True),
)


class Sender:
    """One connection for sending, kept between letters, made anew when it is lost. For one thread."""

    def __init__(
        self,
        settings: SenderSettings,
        sleep: Callable[[float], object] = time.sleep,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.settings = settings
        self._sleep = sleep
        self._clock = clock
        self._yagmail: yagmail.SMTP | None = None
        self._stage = Stage.CONNECT
        self._last_letter: float | None = None
        self._last_answer = 0.0
        self._letters = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def send(self, message: bytes, recipient: str) -> Outcome:
        """What became of one letter, given as bytes with all its headers, to one address.

        What a server or a network does is an outcome, not an exception. ConfigError: the CA file is bad.
        """
        self._throttle()
        try:
            kept = self._yagmail is not None
            outcome, again = self._attempt(message, recipient)
            if again and kept:
                outcome, _ = self._attempt(message, recipient)
            return outcome
        finally:
            self._last_letter = self._clock()

    def probe(self) -> Deferred | None:
        """Why a letter could not be sent now, by connecting and logging in only; None if it could."""
        try:
            self._connect()
            return None
        except _Unwelcome as answer:
            outcome, _ = meaning(answer.stage, answer.code, answer.text, login_remedy(self.settings))
            return outcome if isinstance(outcome, Deferred) else Deferred(answer.code, answer.text)
        except OSError as error:
            failure = self._lost(error)
            return Deferred(None, failure.message, failure.remedy, tell=isinstance(failure, Permanent))

    def close(self) -> None:
        """Ends the connection, politely if the server still listens."""
        if self._yagmail is None:
            return
        with suppress(OSError), TimeLimit(2).watch(self._yagmail.smtp.sock):
            self._yagmail.smtp.quit()
        self._drop()

    # --- the transaction ------------------------------------------------------------------------------

    def _attempt(self, message: bytes, recipient: str) -> tuple[Outcome, bool]:
        """The outcome, and whether a new connection may mend it."""
        try:
            self._connect()
            return Sent(self._transact(message, recipient)), False
        except _Unfit as unfit:
            return Refused(None, str(unfit), "请联系管理员查看此信"), False
        except _Unwelcome as answer:
            outcome, again = meaning(answer.stage, answer.code, answer.text, login_remedy(self.settings))
            self._reset(answer.code, again)
            return outcome, again
        except OSError as error:  # smtplib's own errors among them
            failure = self._lost(error)
            self._drop()
            if self._stage is Stage.FINAL:
                return Uncertain(failure.message), False
            tell = isinstance(failure, Permanent)
            deferred = Deferred(None, failure.message, failure.remedy, everything=True, tell=tell)
            return deferred, self._stage > Stage.LOGIN

    def _transact(self, message: bytes, recipient: str) -> str:
        """The server's answer to a letter that it has taken."""
        smtp = self._smtp()
        letter = _fit(message, recipient, smtp.esmtp_features)
        patience = self.settings.answer_timeout
        with self._limited(4 * patience + len(letter.wire) / self.settings.slowest):
            self._say(Stage.SENDER, {250}, lambda: smtp.mail(self.settings.address, letter.options))
            self._say(Stage.RECIPIENT, {250, 251}, lambda: smtp.rcpt(letter.recipient))
            self._say(Stage.DATA, {354}, lambda: smtp.docmd("DATA"))
            _socket(smtp).settimeout(patience + len(letter.wire) / self.settings.slowest)
            smtp.send(letter.wire)
        with self._limited(self.settings.final_timeout):
            _socket(smtp).settimeout(self.settings.final_timeout)
            text = self._say(Stage.FINAL, {250}, smtp.getreply)
            _socket(smtp).settimeout(patience)
        self._letters += 1
        if self._letters >= self.settings.letters_per_connection:
            self.close()
        return text

    def _say(self, stage: Stage, welcome: set[int], command: Callable[[], tuple[int, bytes]]) -> str:
        """The text of the answer. _Unwelcome: it is none of the welcome ones. OSError: there is none."""
        self._stage = stage
        code, reply = command()
        self._last_answer = self._clock()
        text = reply.decode("utf-8", "replace").strip()
        if code not in welcome:
            raise _Unwelcome(stage, code, text)
        return text

    # --- the connection -------------------------------------------------------------------------------

    def _connect(self) -> None:
        """A connection that is alive and logged in. _Unwelcome or OSError: it is not to be had."""
        if self._yagmail is not None and not self._alive():
            self._drop()
        if self._yagmail is None:
            self._dial()

    def _alive(self) -> bool:
        if self._clock() - self._last_answer < TRUSTED_IDLE:
            return True
        self._stage = Stage.CONNECT
        try:
            with self._limited(self.settings.answer_timeout):
                code, _ = self._smtp().noop()
        except OSError:
            return False
        return code == 250

    def _dial(self) -> None:
        self._stage = Stage.CONNECT
        limit = TimeLimit(self.settings.connect_timeout + 2 * self.settings.answer_timeout)
        client = _Yagmail(limit, self.settings)
        with limit:
            try:
                client.login()
            except (OSError, UnicodeEncodeError) as error:
                _discard(client)
                raise self._not_connected(client, error) from error
        self._yagmail = client
        self._letters = 0
        self._last_answer = self._clock()

    def _not_connected(self, client: yagmail.SMTP, error: OSError | UnicodeEncodeError) -> Exception:
        """The same error, with the stage it belongs to and its answer read."""
        if client.smtp is not None:
            self._stage = Stage.LOGIN
        if isinstance(error, UnicodeEncodeError):
            return _Unwelcome(Stage.LOGIN, 535, "用户名或密码含有非 ASCII 字符")
        if isinstance(error, smtplib.SMTPNotSupportedError):
            return _Unwelcome(Stage.LOGIN, 502, f"服务器不支持登录或 STARTTLS（{error}）")
        if isinstance(error, smtplib.SMTPResponseException):
            text = error.smtp_error
            text = text.decode("utf-8", "replace") if isinstance(text, bytes) else str(text)
            return _Unwelcome(self._stage, error.smtp_code, text)
        return error

    def _smtp(self) -> smtplib.SMTP:
        assert self._yagmail is not None
        smtp: smtplib.SMTP = self._yagmail.smtp
        return smtp

    @contextmanager
    def _limited(self, seconds: float) -> Iterator[None]:
        with TimeLimit(seconds).watch(_socket(self._smtp())):
            yield

    def _reset(self, code: int, again: bool) -> None:
        """Makes the connection ready for the next letter, or gives it up where that is safer."""
        if self._yagmail is None:
            return
        if code == 421 or again or not 400 <= code < 600:
            self._drop()
            return
        try:
            with self._limited(self.settings.answer_timeout):
                self._smtp().rset()
        except OSError:
            self._drop()

    def _drop(self) -> None:
        client, self._yagmail = self._yagmail, None
        if client is not None:
            _discard(client)

    def _lost(self, error: OSError) -> Failure:
        cause = error.__context__ if isinstance(error, smtplib.SMTPServerDisconnected) else None
        doing = DOING[self._stage]
        return explain(cause if isinstance(cause, OSError) else error, self.settings, doing)

    def _throttle(self) -> None:
        if self._last_letter is None:
            return
        rest = self.settings.seconds_between - (self._clock() - self._last_letter)
        if rest > 0:
            self._sleep(rest)


def check(settings: SenderSettings) -> list[Step]:
    """Whether connecting and logging in to send work, with the remedy if not, for `djb check`."""
    name = "SMTP 连接与登录"
    with Sender(settings) as sender:
        outcome = sender.probe()
    if outcome is None:
        return [Step(name, True, f"{settings.host}:{settings.port}，{settings.username}")]
    return [Step(name, False, outcome.text, outcome.remedy)]


def meaning(stage: Stage, code: int, text: str, login_remedy: str) -> tuple[Outcome, bool]:
    """What an unwelcome answer means for the letter, and whether a new connection may mend it at once."""
    for family in FAMILIES:
        if family.pattern.search(f"{code} {text}"):
            remedy = login_remedy if family.remedy == LOGIN_REFUSED else family.remedy
            if family.refused:
                return Refused(code, text, remedy, pause=family.retry_after), family.again
            deferred = Deferred(
                code, text, remedy, family.retry_after, family.tomorrow, family.everything, family.tell
            )
            return deferred, family.again
    ours = stage <= Stage.SENDER
    if 400 <= code < 500:
        return Deferred(code, text, "服务器要求稍后再发", everything=ours), False
    if 500 <= code < 600 and not ours:
        return Refused(code, text, "核对收件地址；若是内容被拒，请人工查看此信"), False
    if 500 <= code < 600:
        remedy = "服务器不接受本机或本账号发信：核对 mailbox.smtp 各项，或询问邮件服务商"
        return Deferred(code, text, remedy, timedelta(minutes=10), everything=True, tell=True), False
    if stage is Stage.FINAL:
        return Uncertain(f"服务器的答复无法理解：{code} {text}"), False
    return Deferred(None, f"服务器的答复无法理解：{code} {text}", everything=True), False


class _Unwelcome(Exception):
    """The server answered otherwise than hoped."""

    def __init__(self, stage: Stage, code: int, text: str) -> None:
        super().__init__(f"{code} {text}")
        self.stage, self.code, self.text = stage, code, text


class _Unfit(Exception):
    """The letter cannot be given to this server at all; says why, in Chinese."""


@dataclass(frozen=True, slots=True)
class _Letter:
    """A letter as it goes over the wire: dots stuffed, final dot and all."""

    wire: bytes
    recipient: str
    options: tuple[str, ...]


def _fit(message: bytes, recipient: str, features: Mapping[str, str]) -> _Letter:
    """The letter made fit for what the server can take. _Unfit: it cannot be."""
    raw = _crlf(message)
    options = []
    wide = not recipient.isascii() or not raw.partition(b"\r\n\r\n")[0].isascii()
    if wide and "smtputf8" not in features:
        raise _Unfit(f"收件地址“{recipient}”或信头含有非 ASCII 字符，发信服务器不支持（SMTPUTF8）")
    if re.fullmatch(r"[^\s<>@\x00-\x1f]+@[^\s<>@\x00-\x1f]+", recipient) is None:
        raise _Unfit(f"收件地址无效：{recipient!r}")
    if wide:
        options += ["SMTPUTF8"]
    if not raw.isascii() and "8bitmime" not in features:
        raw = _seven_bit(raw)
    if not raw.isascii():
        options += ["BODY=8BITMIME"]
    limit = features.get("size", "")
    if limit.isdigit() and 0 < int(limit) < len(raw):
        raise _Unfit(f"信件 {len(raw)} 字节，超过发信服务器的上限 {limit} 字节")
    if "size" in features:
        options += [f"SIZE={len(raw)}"]
    return _Letter(_dotted(raw), recipient, tuple(options))


def _crlf(message: bytes) -> bytes:
    return message.replace(b"\r\n", b"\n").replace(b"\r", b"\n").replace(b"\n", b"\r\n")


def _dotted(raw: bytes) -> bytes:
    """The letter as it goes over the wire: dots that begin a line doubled, a single one at the end."""
    stuffed = (b"\r\n" + raw).replace(b"\r\n.", b"\r\n..").removeprefix(b"\r\n")
    return stuffed + (b".\r\n" if stuffed.endswith(b"\r\n") else b"\r\n.\r\n")


def _seven_bit(raw: bytes) -> bytes:
    """The same letter with 8-bit bodies encoded, for a server that would cut the eighth bit off."""
    parsed = email.message_from_bytes(raw, policy=email.policy.SMTP)
    return parsed.as_bytes(policy=email.policy.SMTP.clone(cte_type="7bit"))


class _Yagmail(yagmail.SMTP):  # type: ignore[misc]  # yagmail has no types
    """yagmail's connection with verified TLS, under a time limit from its first byte on."""

    def __init__(self, limit: TimeLimit, settings: SenderSettings) -> None:
        encrypted = settings.security is not Security.NONE
        context = tls_context(settings) if encrypted else None
        tls = settings.security is Security.TLS
        super().__init__(
            # A mapping: to a bare name yagmail would add "@gmail.com".
            user={settings.username: settings.username},
            password=settings.password,
            host=settings.host,
            port=settings.port,
            smtp_ssl=tls,
            smtp_starttls={"context": context} if encrypted and not tls else False,
            soft_email_validation=False,
            limit=limit,
            timeout=settings.answer_timeout,
            local_hostname=OWN_NAME,
            **({"context": context} if tls else {}),
        )

    @property
    def connection(self) -> type[smtplib.SMTP]:
        return _WatchedTls if self.ssl else _WatchedPlain


class _WatchedPlain(smtplib.SMTP):
    """smtplib's connection: watched, and without Nagle's delay, which costs 40 ms a letter."""

    def __init__(self, *arguments: Any, limit: TimeLimit, **options: Any) -> None:
        self._limit = limit
        super().__init__(*arguments, **options)

    def _get_socket(self, host: str, port: int, timeout: float) -> socket.socket:
        connection: socket.socket = super()._get_socket(host, port, timeout)  # type: ignore[misc]
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._limit.watch(connection)
        return connection


class _WatchedTls(smtplib.SMTP_SSL, _WatchedPlain):
    """The same in TLS from the start: `SMTP_SSL._get_socket` wraps what the next class gives."""

    def __init__(self, *arguments: Any, limit: TimeLimit, **options: Any) -> None:
        self._limit = limit
        smtplib.SMTP_SSL.__init__(self, *arguments, **options)


def _discard(client: yagmail.SMTP) -> None:
    """Closes the socket without a word; yagmail would say QUIT to a dead server when collected."""
    client.is_closed = True
    if client.smtp is not None:
        client.smtp.close()


def _socket(smtp: smtplib.SMTP) -> socket.socket:
    """The connection's socket. SMTPServerDisconnected: it is closed already."""
    if smtp.sock is None:
        raise smtplib.SMTPServerDisconnected("connection already closed")
    return smtp.sock
