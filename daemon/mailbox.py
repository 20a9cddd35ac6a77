"""The office's mailbox over IMAP: what is new, its bytes, and marks on what is done.

Works on 163.com (ID before SELECT, neither IDLE nor MOVE, a search that knows little) and on ordinary
servers. All steps have time limits. A `Temporary` means: look at `connected`, reconnect if it is lost, try
again. Nothing here relies on \\Seen, and nothing is deleted but what was first copied elsewhere.
A `Mailbox` belongs to one thread.
"""

from __future__ import annotations

import imaplib
import logging
import math
import re
import select
import socket
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from types import TracebackType
from typing import Any, Self, TypeVar

from imapclient import IMAPClient, SocketTimeout
from imapclient.datetime_util import parse_to_datetime
from imapclient.exceptions import CapabilityError
from imapclient.imap4 import IMAP4WithTimeout
from imapclient.imapclient import SENT, join_message_ids
from imapclient.tls import IMAP4_TLS

from daemon import __version__
from daemon.connection import (
    Security,
    ServerSettings,
    Step,
    TimeLimit,
    explain,
    login_remedy,
    tls_context,
)
from daemon.errors import Failure, Permanent, Temporary

Item = TypeVar("Item")

log = logging.getLogger(__name__)
logging.getLogger("imapclient").setLevel(logging.ERROR)  # it warns of every answer that is not ASCII

SIZES_AT_ONCE = 500
MAILS_AT_ONCE = 100
"""Beyond this more mails a command are hardly faster, and a lost connection costs more."""
SEARCHED_AT_ONCE = 50_000
"""UIDs asked for in one answer: imaplib takes no line over 1,000,000 bytes."""
HEADER_BYTES = 64 << 10
"""What is fetched of the header of a mail that is too large: no honest one is longer."""
DROPS_FORGIVEN = 8
"""Connections a mail may break while it is fetched alone, before it is reported as unreadable."""
LONGEST_PATIENCE = 8
"""Times `answer_timeout` that a server which has stalled again and again gets in the end."""
LOGIN = "登录 IMAP"
SELECTED_ANEW = 600.0
"""Seconds after which an open folder is selected anew, whatever the server tells."""
SENT_NAMES = ("已发送", "Sent Messages", "Sent", "Sent Items")
HEAD_UID = re.compile(rb"\bUID (\d+)")
HEAD_SIZE = re.compile(rb"\bRFC822\.SIZE (\d+)")
HEAD_TIME = re.compile(rb'\bINTERNALDATE "([^"]*)"')
IDLE_RENEWED = 25 * 60.0
"""Servers may log out a client that idles for half an hour (RFC 2177)."""


class FolderMissing(Temporary):
    """The folder is not there (now). The connection is well: go on with the others and warn."""


@dataclass(frozen=True, slots=True)
class FolderState:
    """A folder as it was opened. Together with a UID, `uidvalidity` names a mail for ever."""

    name: str
    uidvalidity: int
    uidnext: int | None
    """None where the server does not say (163)."""
    exists: int


@dataclass(frozen=True, slots=True)
class FetchedMail:
    """One mail of a folder. If it was not fetched whole, `reason` says why in Chinese.

    Then `raw` is no more than its header, or None.
    """

    folder: str
    uidvalidity: int
    uid: int
    received_at: datetime | None
    """INTERNALDATE in UTC; None if the server gave none."""
    size: int
    raw: bytes | None
    reason: str | None = None


@dataclass(frozen=True, slots=True)
class _Refusal:
    """What a server's NO or BAD means, known by a pattern in its text."""

    pattern: re.Pattern[str]
    failure: type[Failure]
    remedy: str


REFUSALS = (
    _Refusal(
        re.compile(r"unsafe login", re.I),
        Permanent,
        "网易服务器要求登录后先发送 IMAP ID（本程序已发送）：请登录网页版确认已开启 IMAP/SMTP 服务且账号无安全提示，"
        "必要时联系 kefu@188.com",
    ),
    _Refusal(
        re.compile(
            r"\[(UNAVAILABLE|INUSE|LIMIT|SERVERBUG)\]|too many|try again|later|temporar|busy|limit", re.I
        ),
        Temporary,
        "将自动重试；若持续，请减少同时登录该邮箱的程序",
    ),
    _Refusal(
        re.compile(r"not enabled|disabled|not open|未开启|关闭", re.I),
        Permanent,
        "登录网页版，设置 → POP3/SMTP/IMAP，开启 IMAP/SMTP 服务",
    ),
)


class Mailbox:
    """One connection to the mailbox; can be closed and connected again, and remembers what it learnt."""

    def __init__(
        self,
        settings: ServerSettings,
        clock: Callable[[], float] = time.monotonic,
        *,
        read_only: bool = False,
    ) -> None:
        self.settings = settings
        self._clock = clock
        self._read_only = read_only
        self.takes: Callable[[float], object] = lambda _: None
        """Is told before each step how many seconds it may take at most."""
        self._client: _WatchedClient | None = None
        self._folder: FolderState | None = None
        self._writable = True
        self._range_search = True
        self.heads_agree = True
        """Whether the server tells of a mail the same size and time of arrival each time."""
        self._stalls = 0
        self._selected_at = -math.inf
        self._drops: Counter[tuple[str, int, int]] = Counter()

    # --- the connection -------------------------------------------------------------------------------

    @property
    def connected(self) -> bool:
        """Whether there is a connection, as far as is known without asking."""
        return self._client is not None

    @property
    def idles(self) -> bool:
        """Whether the server tells of new mail by itself."""
        return self._client is not None and bool(self._client.has_capability("IDLE"))

    @property
    def capabilities(self) -> frozenset[str]:
        """What the server says it can do, once logged in."""
        with self._talk("询问服务器能力") as client:
            return frozenset(name.decode("ascii", "replace") for name in client.capabilities())

    def connect(self) -> None:
        """A connection, logged in and introduced. Temporary, Permanent or ConfigError: it is not to be had."""
        if self._client is None:
            self._dial()
            self._log_in()
            self._introduce()

    def close(self) -> None:
        """Ends the connection, politely if the server still listens."""
        client, self._client, self._folder = self._client, None, None
        if client is None:
            return
        try:
            with TimeLimit(2).watch(client.socket()):
                client.logout()
        except (imaplib.IMAP4.error, OSError, ValueError):
            _shut(client)

    def __enter__(self) -> Self:
        self.connect()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _dial(self) -> None:
        settings = self.settings
        context = None if settings.security is Security.NONE else tls_context(settings)
        doing = "连接 IMAP 服务器"
        self.takes(settings.connect_timeout)
        with TimeLimit(settings.connect_timeout) as limit:
            try:
                client = _WatchedClient(
                    limit,
                    settings.host,
                    port=settings.port,
                    ssl=settings.security is Security.TLS,
                    ssl_context=context,
                    timeout=SocketTimeout(settings.connect_timeout, self._patience()),
                )
            except (imaplib.IMAP4.error, OSError, ValueError) as error:
                raise self._lost(doing, error, limit.expired) from error
            if settings.security is Security.STARTTLS:
                self._encrypt(client, doing, limit)
        self._client = client

    def _encrypt(self, client: IMAPClient, doing: str, limit: TimeLimit) -> None:
        try:
            client.starttls(tls_context(self.settings))
        except CapabilityError as error:
            _shut(client)
            raise Permanent(
                f"{doing}：服务器不支持 STARTTLS", '请改用 security = "tls" 及其端口（通常 993）'
            ) from error
        except (imaplib.IMAP4.error, OSError, ValueError) as error:
            _shut(client)
            raise self._lost(doing, error, limit.expired) from error

    def _log_in(self) -> None:
        doing = LOGIN
        if not (self.settings.username + self.settings.password).isascii():
            self.close()
            raise Permanent(f"{doing}：用户名或密码含有非 ASCII 字符", login_remedy(self.settings))
        try:
            with self._talk(doing) as client:
                client.login(self.settings.username, self.settings.password)
                client.capabilities()
        except Permanent:
            self.close()
            raise

    def _introduce(self) -> None:
        """Tells the server who we are: 163 opens no folder before (and takes ASCII only)."""
        fields = {"name": "djb", "version": __version__, "vendor": "djb"}
        if self.settings.address.isascii():
            fields["support-email"] = self.settings.address
        try:
            with self._talk("发送 IMAP ID") as client:
                if client.has_capability("ID"):
                    client.id_(fields)
        except Failure as failure:
            if not self.connected:
                raise
            log.warning("event=imap_id_refused %s", failure)

    # --- what is there --------------------------------------------------------------------------------

    def folders(self) -> tuple[str, ...]:
        """Names of all folders, decoded."""
        with self._talk("列出文件夹") as client:
            return tuple(str(name) for _, _, name in client.list_folders())

    def open(self, folder: str) -> FolderState:
        """The folder, selected. FolderMissing: it is not there. Cheap enough for every poll."""
        if self._folder is not None and self._folder.name == folder and self._unchanged():
            return self._folder
        self._folder = None
        doing = f"打开文件夹“{folder}”"
        try:
            with self._talk(doing) as client:
                answer = self._select(client, folder)
        except Temporary as failure:
            if self.connected and not self._has_folder(folder):
                raise FolderMissing(
                    f"{doing}：没有这个文件夹", "核对 mailbox.folders；可用 djb check 列出现有文件夹"
                ) from failure
            raise
        self._folder = FolderState(
            name=folder,
            uidvalidity=int(answer.get(b"UIDVALIDITY", 0)),
            uidnext=int(answer[b"UIDNEXT"]) if b"UIDNEXT" in answer else None,
            exists=int(answer.get(b"EXISTS", 0)),
        )
        return self._folder

    def _unchanged(self) -> bool:
        """Whether a server that would tell of changes to the open folder tells of none.

        Selecting a folder of 100,000 mails anew may take a server a tenth of a second; this does not.
        163 is not trusted to tell.
        """
        if not self.idles or self._clock() - self._selected_at > SELECTED_ANEW:
            return False
        with self._talk("询问新邮件") as client:
            client.noop()
            return not client.told("EXISTS", "EXPUNGE")

    def _select(self, client: _WatchedClient, folder: str) -> Mapping[bytes, Any]:
        """The answer to SELECT; a folder that we may only read is good enough."""
        self._writable = not self._read_only
        try:
            answer = dict(client.select_folder(folder, readonly=self._read_only))
        except imaplib.IMAP4.readonly:
            self._writable = False
            answer = dict(client.select_folder(folder, readonly=True))
        client.forget()
        self._selected_at = self._clock()
        return answer

    def _has_folder(self, folder: str) -> bool:
        with self._talk("查找文件夹") as client:
            return bool(client.folder_exists(folder))

    def uids_after(self, uid: int) -> list[int]:
        """UIDs above `uid` in the opened folder, ascending; costs next to nothing in a large folder."""
        return [each for each in self.uids_about(uid) if each > uid]

    def uids_about(self, uid: int) -> list[int]:
        """The same, and before them the highest UID that is not above: a witness to the folder's numbering."""
        folder = self._opened()
        if folder.exists == 0:
            return []
        found: list[int] = []
        if uid > 0 and self._range_search:
            found = self._search_range(uid)
            if not found:
                # `n:*` always names the last mail (RFC 3501): a server that finds nothing does not know it.
                self._range_search = False
                log.info("event=imap_range_search_unknown folder=%s", folder.name)
        found = found or self.all_uids()
        return [
            *sorted(each for each in found if each <= uid)[-1:],
            *sorted(each for each in found if each > uid),
        ]

    def _search_range(self, uid: int) -> list[int]:
        try:
            with self._talk("查询新邮件") as client:
                return list(client.search(["UID", f"{uid}:*"]))
        except Failure:
            if not self.connected:
                raise
            return []

    def all_uids(self) -> list[int]:
        """All UIDs of the opened folder, ascending. For the first look and for the sweep now and then."""
        folder = self._opened()
        if folder.exists == 0:
            return []
        found: set[int] = set()
        for first in range(1, folder.exists + 1, SEARCHED_AT_ONCE):
            whole = folder.exists <= SEARCHED_AT_ONCE
            criterion = "ALL" if whole else f"{first}:{min(first + SEARCHED_AT_ONCE - 1, folder.exists)}"
            with self._talk("查询全部邮件", SEARCHED_AT_ONCE * 11) as client:
                found.update(client.search([criterion]))
        return sorted(found)

    # --- the mails themselves -------------------------------------------------------------------------

    def heads(self, uids: Iterable[int]) -> Iterator[FetchedMail]:
        """Size and time of arrival of those of the mails that are there, without their bytes."""
        folder = self._opened()
        for chunk in _chunks(list(uids), SIZES_AT_ONCE):
            yield from self._heads(folder, chunk)

    def fetch(
        self, uids: Iterable[int], batch_bytes: int = 8 << 20, max_bytes: int = 50 << 20
    ) -> Iterator[list[FetchedMail]]:
        """The mails in batches of at most `batch_bytes` (or one mail), without marking them as seen.

        Of mails over `max_bytes` only the header comes, and mails that cannot be fetched come without bytes,
        both with a reason; mails that have vanished do not come. Those in hand when a connection broke come
        last, one at a time.
        """
        folder = self._opened()
        wanted = list(uids)
        drops = {uid: self._drops[folder.name, folder.uidvalidity, uid] for uid in wanted}
        for chunk in _chunks([uid for uid in wanted if not drops[uid]], SIZES_AT_ONCE):
            yield from self._fetch_chunk(folder, chunk, batch_bytes, max_bytes)
        # The worst come last: whichever breaks the connection again holds nobody up.
        for uid in sorted((uid for uid in wanted if drops[uid]), key=lambda uid: drops[uid]):
            yield from self._fetch_suspect(folder, uid, batch_bytes, max_bytes)

    def _fetch_chunk(
        self, folder: FolderState, uids: Sequence[int], batch_bytes: int, max_bytes: int
    ) -> Iterator[list[FetchedMail]]:
        heads = self._heads(folder, uids)
        for batch in _chunks([head for head in heads if head.size > max_bytes], MAILS_AT_ONCE):
            yield [self._fetch_header(head, max_bytes) for head in batch]
        for batch in _batches([head for head in heads if head.size <= max_bytes], batch_bytes):
            fetched = self._fetch_bodies(folder, batch)
            if fetched:
                yield fetched

    def _fetch_suspect(
        self, folder: FolderState, uid: int, batch_bytes: int, max_bytes: int
    ) -> Iterator[list[FetchedMail]]:
        drops = self._drops[folder.name, folder.uidvalidity, uid]
        if drops < DROPS_FORGIVEN:
            yield from self._fetch_chunk(folder, [uid], batch_bytes, max_bytes)
            return
        for head in self._heads(folder, [uid]):
            yield [_refused(head, f"取这封信时服务器已 {drops} 次中断连接")]

    def _heads(self, folder: FolderState, uids: Sequence[int]) -> list[FetchedMail]:
        """Sizes and times of the mails, without their bytes."""
        with self._talk("查询邮件大小", len(uids) * 100) as client:
            answer = client.heads(uids)
        return [
            FetchedMail(folder.name, folder.uidvalidity, uid, received_at, size, None)
            for uid, (size, received_at) in answer.items()
        ]

    def _fetch_bodies(self, folder: FolderState, heads: Sequence[FetchedMail]) -> list[FetchedMail]:
        """The mails with their bytes. Where the server refuses one, only that one comes without."""
        keys = [(folder.name, folder.uidvalidity, head.uid) for head in heads]
        try:
            with self._talk("取邮件", sum(head.size for head in heads)) as client:
                answer = client.fetch([head.uid for head in heads], ["BODY.PEEK[]"])
        except Failure as failure:
            if not self.connected:
                self._drops.update(keys)
                raise
            if len(heads) == 1:
                return [_refused(heads[0], f"服务器不给出这封信：{failure.message}")]
            return [mail for head in heads for mail in self._fetch_bodies(folder, [head])]
        for key in keys:
            self._drops.pop(key, None)
        return [_with_body(head, answer[head.uid].get(b"BODY[]")) for head in heads if head.uid in answer]

    def _fetch_header(self, head: FetchedMail, max_bytes: int) -> FetchedMail:
        """A mail that is too large, with its header, which tells whom to answer."""
        reason = f"邮件过大（{_megabytes(head.size)}），超过上限 {_megabytes(max_bytes)}"
        try:
            with self._talk("取邮件头", HEADER_BYTES) as client:
                answer = client.fetch([head.uid], [f"BODY.PEEK[HEADER]<0.{HEADER_BYTES}>"])
        except Failure:
            if not self.connected:
                raise
            return _refused(head, reason)
        header = answer.get(head.uid, {}).get(b"BODY[HEADER]<0>")
        return replace(head, raw=header if isinstance(header, bytes) else None, reason=reason)

    # --- marks on what is done ------------------------------------------------------------------------

    def mark_seen(self, uids: Sequence[int]) -> None:
        """Marks mails as seen, for the eyes of clerks; in a folder that we may only read, does nothing."""
        self._opened()
        if not self._writable:
            return
        for chunk in _chunks(uids, SIZES_AT_ONCE):
            with self._talk("标记已读") as client:
                client.add_flags(chunk, [b"\\Seen"], silent=True)

    def move(self, uids: Sequence[int], folder: str) -> None:
        """Moves mails to another folder, made if need be. Permanent: this server or folder cannot.

        Never by a bare EXPUNGE: it would take the mails that other people have marked for deletion.
        """
        doing = f"移动邮件到“{folder}”"
        self._opened()
        with self._talk(doing) as client:
            moves, expunges = client.has_capability("MOVE"), client.has_capability("UIDPLUS")
        if not self._writable or not (moves or expunges):
            raise Permanent(f"{doing}：该文件夹只读，或服务器不支持 MOVE 与 UIDPLUS", "请关闭移动邮件的设置")
        if not uids:
            return
        self._ensure(folder)
        for chunk in _chunks(uids, MAILS_AT_ONCE):
            with self._talk(doing, len(chunk) * 10_000) as client:
                if moves:
                    client.move(chunk, folder)
                else:
                    client.copy(chunk, folder)
                    client.delete_messages(chunk, silent=True)
                    client.uid_expunge(chunk)

    def _ensure(self, folder: str) -> None:
        if not self._has_folder(folder):
            with self._talk(f"新建文件夹“{folder}”") as client:
                client.create_folder(folder)
                client.subscribe_folder(folder)

    # --- what we have sent ----------------------------------------------------------------------------

    def sent_message_ids(self, newest: int = 200) -> frozenset[str]:
        """Message-IDs of the newest mails in the Sent folder, to learn after a crash what did go out.

        By their headers, not by search: 163 finds nothing. The folder that was open is open again after.
        """
        folder = self.sent_folder()
        if folder is None:
            return frozenset()
        before = self._folder
        try:
            exists = self.open(folder).exists
            return self._message_ids(range(max(1, exists - newest + 1), exists + 1))
        finally:
            if before is not None and self.connected:
                self.open(before.name)

    def sent_folder(self) -> str | None:
        """Name of the folder where sent mail is kept: the one marked so, else one of the usual names."""
        with self._talk("查找“已发送”文件夹") as client:
            folders = [(flags, str(name)) for flags, _, name in client.list_folders()]
        marked = [name for flags, name in folders if SENT in flags]
        names = {name for _, name in folders}
        return next(iter([*marked, *(name for name in SENT_NAMES if name in names)]), None)

    def _message_ids(self, positions: Sequence[int]) -> frozenset[str]:
        found: set[str] = set()
        for chunk in _chunks(positions, SIZES_AT_ONCE):
            with self._talk("查询已发送邮件", len(chunk) * 200) as client:
                client.use_uid = False
                try:
                    answer = client.fetch(chunk, ["BODY.PEEK[HEADER.FIELDS (MESSAGE-ID)]"])
                finally:
                    client.use_uid = True
            found.update(
                match[0].decode("ascii", "replace")
                for fields in answer.values()
                for value in fields.values()
                if isinstance(value, bytes) and (match := re.search(rb"<[^<>]+>", value))
            )
        return frozenset(found)

    def append_sent(self, raw: bytes, at: datetime) -> bool:
        """Keeps a copy of a letter in the Sent folder, if there is one; 163 does so by itself."""
        folder = self.sent_folder()
        if folder is None:
            return False
        with self._talk("保存到已发送", len(raw)) as client:
            client.append(folder, raw, flags=(b"\\Seen",), msg_time=at)
        return True

    # --- waiting --------------------------------------------------------------------------------------

    def wait(self, seconds: float, wake: int | None = None) -> bool:
        """Whether the server told of new mail in the opened folder within `seconds`; a hint, no more.

        After True open the folder again. Where the server cannot tell, this only waits. Bytes on the file descriptor `wake` end it early.
        """
        self._stalls = 0
        self.takes(seconds)
        until = self._clock() + seconds
        hints = self.idles and self._folder is not None
        while (left := until - self._clock()) > 0:
            if not hints:
                _readable([], wake, left)
                return False
            if self._news():
                return True
            with self._talk("等待新邮件") as client:
                client.idle()
            self.takes(left)
            woken = self._idle(min(left, IDLE_RENEWED), wake)
            with self._talk("结束等待") as client:
                _, responses = client.idle_done()
            if _tells_of_mail(responses):
                return True
            if woken:
                return False
        return False

    def _news(self) -> bool:
        """Whether mail came since the folder was opened: during a search, or between it and now."""
        with self._talk("询问新邮件") as client:
            client.noop()
            return client.told("EXISTS")

    def _idle(self, seconds: float, wake: int | None) -> bool:
        """Waits for the server or for `wake`; whether it was `wake`."""
        connection = [] if self._client is None else [self._client.socket()]
        ready = _readable(connection, wake, seconds)
        return wake is not None and wake in ready

    # --- talking --------------------------------------------------------------------------------------

    def _opened(self) -> FolderState:
        if self._client is None:
            raise Temporary("与 IMAP 服务器的连接已断开", "将自动重连")
        if self._folder is None:
            raise ValueError("no folder is open: call open() first")
        return self._folder

    def _patience(self) -> float:
        """Seconds without a byte that this connection is given: more after each stall, up to a bound."""
        return self.settings.answer_timeout * min(2 << self._stalls, 2 * LONGEST_PATIENCE) / 2

    @contextmanager
    def _talk(self, doing: str, expected_bytes: int = 0) -> Iterator[_WatchedClient]:
        """The client, for one command under a time limit; its errors become Temporary or Permanent.

        After a drop or a stall the connection is closed: answers might belong to other commands.
        """
        client = self._client
        if client is None:
            raise Temporary(f"{doing}：与 IMAP 服务器的连接已断开", "将自动重连")
        seconds = 2 * self._patience() + expected_bytes / self.settings.slowest
        self.takes(seconds)
        limit = TimeLimit(seconds)
        try:
            with limit.watch(client.socket()):
                yield client
        except (imaplib.IMAP4.abort, OSError, ValueError) as error:
            self._drop()
            raise self._lost(doing, error, limit.expired) from error
        except imaplib.IMAP4.error as error:
            if isinstance(error.__context__, imaplib.IMAP4.abort):  # imapclient hides a drop during login
                self._drop()
                raise self._lost(doing, error, limit.expired) from error
            raise self._refusal(doing, error) from error

    def _lost(self, doing: str, error: Exception, too_slow: bool) -> Failure:
        if too_slow or isinstance(error, TimeoutError):
            self._stalls += 1
            error = TimeoutError(str(error))
        if not isinstance(error, OSError):
            error = ConnectionError(str(error))
        return explain(error, self.settings, doing)

    def _refusal(self, doing: str, error: Exception) -> Failure:
        text = _words(error)
        for refusal in REFUSALS:
            if refusal.pattern.search(text):
                return refusal.failure(f"{doing}：服务器答复 {text}", refusal.remedy)
        if doing == LOGIN:
            return Permanent(
                f"{doing}：用户名或密码未被接受（服务器答复 {text}）", login_remedy(self.settings)
            )
        return Temporary(f"{doing}：服务器答复 {text}", "将自动重试")

    def _drop(self) -> None:
        client, self._client, self._folder = self._client, None, None
        if client is not None:
            _shut(client)


def check(settings: ServerSettings, folders: Sequence[str]) -> list[Step]:
    """What works of connecting, logging in and opening each folder, with remedies, for `djb check`."""
    steps: list[Step] = []
    server = f"{settings.host}:{settings.port}"
    mailbox = Mailbox(settings)
    try:
        mailbox.connect()
        steps.append(Step("IMAP 连接与登录", True, f"{server}，{settings.username}"))
        for folder in folders:
            steps.append(_check_folder(mailbox, folder))
    except Failure as failure:
        steps.append(Step("IMAP 连接与登录", False, failure.message, failure.remedy))
    finally:
        mailbox.close()
    return steps


def _check_folder(mailbox: Mailbox, folder: str) -> Step:
    name = f"IMAP 文件夹“{folder}”"
    try:
        state = mailbox.open(folder)
        return Step(name, True, f"{state.exists} 封，UIDVALIDITY {state.uidvalidity}")
    except FolderMissing as failure:
        return Step(name, False, failure.message, "现有文件夹：" + "、".join(mailbox.folders()))
    except Failure as failure:
        return Step(name, False, failure.message, failure.remedy)


class _WatchedPlain(IMAP4WithTimeout):  # type: ignore[misc]  # imapclient has no types
    """imapclient's plain connection, under a time limit from its first byte on."""

    def __init__(self, limit: TimeLimit, host: str, port: int, timeout: float) -> None:
        self._limit = limit
        super().__init__(host, port, timeout)

    def _create_socket(self, timeout: float | None = None) -> socket.socket:
        connection: socket.socket = super()._create_socket(timeout)
        self._limit.watch(connection)
        return connection


class _WatchedTls(IMAP4_TLS):  # type: ignore[misc]
    """imapclient's TLS connection, under a time limit from before the handshake on."""

    def __init__(self, limit: TimeLimit, host: str, port: int, context: Any, timeout: float) -> None:
        self._limit = limit
        super().__init__(host, port, context, timeout)

    def _create_socket(self, timeout: float | None = None) -> socket.socket:
        connection = socket.create_connection((self.host, self.port), timeout or self._timeout)
        self._limit.watch(connection)
        encrypted: socket.socket = self.ssl_context.wrap_socket(connection, server_hostname=self.host)
        return encrypted


class _WatchedClient(IMAPClient):  # type: ignore[misc]
    """IMAPClient over connections that stand under a time limit while they are made."""

    def __init__(self, limit: TimeLimit, *arguments: Any, **options: Any) -> None:
        self._limit = limit
        super().__init__(*arguments, **options)
        # imapclient lets imaplib write down, letter for letter, whatever is fetched.
        self._imap.debug = 0

    def _create_IMAP4(self) -> imaplib.IMAP4:  # noqa: N802 (imapclient's name)
        if self.ssl:
            return _WatchedTls(self._limit, self.host, self.port, self.ssl_context, self._timeout.connect)
        return _WatchedPlain(self._limit, self.host, self.port, self._timeout.connect)

    def told(self, *kinds: str) -> bool:
        """Whether the server has said so beside its answers since the folder was opened."""
        return any(kind in self._imap.untagged_responses for kind in kinds)

    def forget(self) -> None:
        """Begins anew to note what the server says beside its answers."""
        for kind in ("EXISTS", "EXPUNGE"):
            self._imap.untagged_responses.pop(kind, None)

    def heads(self, uids: Sequence[int]) -> dict[int, tuple[int, datetime | None]]:
        """Size and time of arrival of each mail that is there, in the order asked for.

        Read with patterns: imapclient's own parser, which goes letter by letter, takes three times as long.
        """
        state, lines = self._imap.uid("FETCH", join_message_ids(uids), "(RFC822.SIZE INTERNALDATE)")
        self._checkok("fetch", state, lines)
        found: dict[int, tuple[int, datetime | None]] = {}
        for line in lines:
            if not isinstance(line, bytes):
                continue  # None for no answer at all
            uid, size = HEAD_UID.search(line), HEAD_SIZE.search(line)
            if uid and size:
                found[int(uid[1])] = int(size[1]), _moment(HEAD_TIME.search(line))
        return {uid: found[uid] for uid in uids if uid in found}


def _words(error: Exception) -> str:
    said = error.args[0] if error.args else ""
    return (
        said.decode("utf-8", "replace") if isinstance(said, bytes) else re.sub(r"^b'(.*)'$", r"\1", str(said))
    )


def _shut(client: IMAPClient) -> None:
    try:
        client.shutdown()
    except (imaplib.IMAP4.error, OSError, ValueError) as error:
        log.debug("event=imap_close_failed error=%s", error)


def _readable(sockets: list[Any], wake: int | None, seconds: float) -> list[Any]:
    ready, _, _ = select.select([*sockets, *([] if wake is None else [wake])], [], [], max(0.0, seconds))
    return ready


def _tells_of_mail(responses: Iterable[Any]) -> bool:
    return any(len(response) > 1 and response[1] == b"EXISTS" for response in responses)


def _chunks(items: Sequence[Item], size: int) -> Iterator[list[Item]]:
    for start in range(0, len(items), size):
        yield list(items[start : start + size])


def _batches(heads: Sequence[FetchedMail], batch_bytes: int) -> Iterator[list[FetchedMail]]:
    """The mails in batches bounded by bytes and number; a mail larger than that alone."""
    batch: list[FetchedMail] = []
    total = 0
    for head in heads:
        if batch and (total + head.size > batch_bytes or len(batch) >= MAILS_AT_ONCE):
            yield batch
            batch, total = [], 0
        batch.append(head)
        total += head.size
    if batch:
        yield batch


def _refused(head: FetchedMail, reason: str) -> FetchedMail:
    return replace(head, raw=None, reason=reason)


def _with_body(head: FetchedMail, raw: Any) -> FetchedMail:
    if isinstance(raw, bytes):
        return replace(head, raw=raw, size=len(raw))
    return _refused(head, "服务器没有给出这封信的内容")


def _moment(match: re.Match[bytes] | None) -> datetime | None:
    """The time in UTC; a mail with an impossible one is still a mail."""
    try:
        moment = parse_to_datetime(match[1], normalise=False) if match else None
        return moment.astimezone(UTC) if moment and moment.tzinfo else None
    except (ValueError, OverflowError):
        return None


def _megabytes(size: int) -> str:
    return f"{size / (1 << 20):.1f} MB"
