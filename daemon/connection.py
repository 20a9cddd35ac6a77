"""What IMAP and SMTP have in common: where the server is, verified TLS, time limits, words for failures."""

from __future__ import annotations

import ipaddress
import math
import os
import socket
import ssl
import threading
import time
from contextlib import suppress
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from types import TracebackType
from typing import Self

from daemon.errors import ConfigError, Failure, Permanent, Temporary

NETEASE_HOSTS = (".163.com", ".126.com", ".yeah.net", ".188.com")
AUTHORISATION_CODE = (
    "网易邮箱须用“授权码”而不是登录密码：登录网页版，设置 → POP3/SMTP/IMAP，开启 IMAP/SMTP 服务，"
    "新增授权密码，把得到的授权码写入 password_file（改过登录密码后授权码会失效，须重新生成）"
)
CODE_ELSEWHERE = "核对 username 与 password_file（许多邮箱要用专门的“授权码”而不是登录密码）"


class Security(StrEnum):
    TLS = "tls"
    STARTTLS = "starttls"
    NONE = "none"
    """Neither encrypted nor verified: for servers on this machine only."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ServerSettings:
    """Where a mail server is and how to log in there. ConfigError: an open password would leave the machine."""

    host: str
    port: int
    security: Security
    username: str
    password: str = field(repr=False)
    address: str
    """The mailbox's address: sender of all letters."""
    ca_file: Path | None = None
    connect_timeout: float = 10.0
    """Seconds for one connection to be made and greeted."""
    answer_timeout: float = 15.0
    """Seconds without a byte after which a connection is given up."""
    slowest: int = 4096
    """Bytes a second below which a transfer is given up, however steadily it dribbles."""

    def __post_init__(self) -> None:
        if self.security is Security.NONE and not is_loopback(self.host):
            raise ConfigError(
                [
                    f'{self.host}:{self.port} 未加密：security = "none" 只可用于本机地址，请改为 tls 或 starttls'
                ]
            )


@dataclass(frozen=True, slots=True)
class Step:
    """One line of `djb check`: what was tried, whether it worked, and the remedy if not."""

    name: str
    ok: bool
    detail: str = ""
    remedy: str | None = None


def is_loopback(host: str) -> bool:
    """Whether a host name means this machine."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def tls_context(settings: ServerSettings) -> ssl.SSLContext:
    """A context that verifies certificate and host name. ConfigError: the CA file cannot be used."""
    try:
        return ssl.create_default_context(cafile=settings.ca_file)
    except (OSError, ssl.SSLError) as error:
        raise ConfigError([f"ca_file {settings.ca_file} 不能用：{error}；应为 PEM 格式的证书文件"]) from error


def login_remedy(settings: ServerSettings) -> str:
    """What to do when the server refuses user name and password."""
    return AUTHORISATION_CODE if settings.host.lower().endswith(NETEASE_HOSTS) else CODE_ELSEWHERE


def explain(error: OSError, settings: ServerSettings, doing: str) -> Failure:
    """The failure that an operating system's error means, in words for an administrator."""
    server = f"{settings.host}:{settings.port}"
    if isinstance(error, ssl.SSLCertVerificationError):
        return Permanent(
            f"{doing}：{server} 的证书未通过验证（{error.verify_message}）",
            "核对 host；自建服务器请在 ca_file 指定其 CA 证书；也可能本机时间不对或网络被劫持",
        )
    if isinstance(error, ssl.SSLError):
        return Temporary(
            f"{doing}：与 {server} 的加密连接出错（{error.reason or error}）",
            f"若一直如此，核对 port 与 security（现为 {settings.security}）是否相配：tls 通常 993/465，starttls 通常 143/587",
        )
    if isinstance(error, TimeoutError):
        return Temporary(f"{doing}：{server} 迟迟不答复", "将自动重连；若持续，请检查网络与防火墙")
    if isinstance(error, socket.gaierror):
        return Temporary(f"{doing}：找不到主机 {settings.host}", "检查 host 的拼写与本机 DNS")
    if isinstance(error, ConnectionRefusedError):
        return Temporary(f"{doing}：{server} 拒绝连接", "检查 port 是否正确、服务是否在运行")
    return Temporary(f"{doing}：与 {server} 的连接中断（{error}）", "将自动重连；若持续，请检查网络")


class TimeLimit:
    """Cuts a connection on which work takes too long: a byte a second never runs into a socket's timeout.

    The socket may become known only inside the block (`watch`), so that a connection in the making,
    its TLS handshake and its greeting are under the limit too.
    """

    def __init__(self, seconds: float) -> None:
        self.expired = False
        self._seconds = seconds
        self._watched: list[socket.socket] = []
        self._lock = threading.Lock()

    def watch(self, connection: socket.socket) -> Self:
        """Puts a socket under the limit. A duplicate is kept: wrapping in TLS closes the original."""
        with self._lock:
            self._watched.append(socket.socket(fileno=os.dup(connection.fileno())))
        if self.expired:
            self.cut()
        return self

    def cut(self) -> None:
        """Shuts the watched connections down; whoever reads from them learns it at once."""
        with self._lock:
            self.expired = True
            for connection in self._watched:
                with suppress(OSError):  # already gone, which is what we want
                    connection.shutdown(socket.SHUT_RDWR)

    def __enter__(self) -> Self:
        _watchdog.add(self, time.monotonic() + self._seconds)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        _watchdog.remove(self)
        with self._lock:
            for connection in self._watched:
                connection.close()
            self._watched.clear()


class _Watchdog:
    """The one thread that waits for time limits: a thread for each would cost more than sending a letter."""

    def __init__(self) -> None:
        self._deadlines: dict[TimeLimit, float] = {}
        self._changed = threading.Condition()
        self._next_look = math.inf
        self._thread: threading.Thread | None = None

    def add(self, limit: TimeLimit, deadline: float) -> None:
        with self._changed:
            self._deadlines[limit] = deadline
            if self._thread is None or not self._thread.is_alive():
                self._thread = threading.Thread(target=self._watch, name="time-limits", daemon=True)
                self._thread.start()
            elif deadline < self._next_look:
                self._changed.notify()

    def remove(self, limit: TimeLimit) -> None:
        with self._changed:
            self._deadlines.pop(limit, None)

    def _watch(self) -> None:
        with self._changed:
            while True:
                now = time.monotonic()
                for limit in [limit for limit, deadline in self._deadlines.items() if deadline <= now]:
                    del self._deadlines[limit]
                    limit.cut()
                self._next_look = min(self._deadlines.values(), default=math.inf)
                self._changed.wait(None if self._next_look == math.inf else max(0.0, self._next_look - now))


_watchdog = _Watchdog()


def backoff(attempt: int, chance: float, first: float = 1.0, longest: float = 60.0) -> float:
    """Seconds to wait before the attempt after `attempt` failures: doubling, with jitter.

    `chance` is a random number in [0, 1); the wait lies between half and the whole of the step, so that
    daemons that lost the same server do not come back in step.
    """
    step = min(longest, first * 2.0 ** min(max(attempt, 1) - 1, 30))
    return step * (0.5 + chance / 2)
