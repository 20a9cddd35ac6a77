"""A small mail system in one process and one thread, for `djb demo`: IMAP by pymap, SMTP by aiosmtpd.

Loopback only, in memory, without TLS; several people, each with a mailbox. Mail from anybody to anybody here is
delivered at once, and what a person sends also lies in their 已发送, as on 163.com.
"""

from __future__ import annotations

import asyncio
import socket
import threading
import uuid
from argparse import ArgumentParser, Namespace
from collections import defaultdict
from collections.abc import Callable, Coroutine, Mapping, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass
from datetime import UTC, datetime
from types import TracebackType
from typing import Any, Self, TypeVar

from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword, Session
from proxyprotocol.result import ProxyResultUnknown
from proxyprotocol.sock import SocketInfo
from pymap.backend.dict import Config, DictBackend, Identity
from pymap.imap import IMAPServer, IMAPService
from pymap.parsing.message import AppendMessage
from pymap.parsing.specials.flag import Seen
from pymap.user import UserMetadata
from pysasl.hashing import Cleartext

HOST = "127.0.0.1"
INBOX = "INBOX"
SENT = "已发送"
FOLDERS = (SENT, "垃圾邮件")
STARTING_SECONDS = 15.0
LARGEST_MAIL = 60 << 20

Result = TypeVar("Result")


@dataclass(frozen=True, slots=True)
class Delivered:
    """A mail as it lies in somebody's mailbox."""

    address: str
    folder: str
    received_at: datetime
    raw: bytes


class DemoServers:
    """IMAP and SMTP on this machine for the `people` (address → password), from `start` to `stop`.

    `now` gives the time of arrival of what comes by SMTP, so that a sample day can be lived through quickly.
    """

    def __init__(
        self,
        people: Mapping[str, str],
        imap_port: int = 0,
        smtp_port: int = 0,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self.people = {address.lower(): password for address, password in people.items()}
        self.imap_port = imap_port
        self.smtp_port = smtp_port
        self._now = now
        self._delivered: dict[str, list[Delivered]] = defaultdict(list)
        self._arrival = threading.Condition()
        self._conversations: set[asyncio.Task[Any]] = set()
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._run, name="demo-mail", daemon=True)
        self._started = threading.Event()
        self._failure: Exception | None = None
        self._backend: DictBackend

    # --- life -----------------------------------------------------------------------------------------

    def start(self) -> Self:
        """Both servers listening; the ports stand in `imap_port` and `smtp_port`. OSError: a port is taken."""
        self._thread.start()
        if not self._started.wait(STARTING_SECONDS):
            raise TimeoutError("demo mail servers did not start")
        if self._failure is not None:
            self._thread.join()
            raise self._failure
        return self

    def stop(self) -> None:
        """All connections ended and the ports free again; what was delivered can still be read."""
        if self._thread.is_alive():
            self._loop.call_soon_threadsafe(self._stopping.set)
            self._thread.join(STARTING_SECONDS)

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    # --- mail -----------------------------------------------------------------------------------------

    def deliver(
        self, address: str, raw: bytes, received_at: datetime | None = None, folder: str = INBOX
    ) -> None:
        """Puts a mail into somebody's mailbox. KeyError: nobody here has that address."""
        self._in_loop(self._deliver(address.lower(), raw, received_at or self._now(), folder))

    def mails(self, address: str, folder: str = INBOX) -> tuple[Delivered, ...]:
        """What was delivered to somebody, in its order."""
        with self._arrival:
            return tuple(mail for mail in self._delivered[address.lower()] if mail.folder == folder)

    def wait_for(self, address: str, number: int, seconds: float = 20.0) -> tuple[Delivered, ...]:
        """The mails in somebody's inbox once there are at least `number`. TimeoutError: there are not."""
        with self._arrival:
            if not self._arrival.wait_for(lambda: len(self.mails(address)) >= number, seconds):
                raise TimeoutError(f"fewer than {number} mails for {address}")
            return self.mails(address)

    async def _deliver(self, address: str, raw: bytes, received_at: datetime, folder: str) -> None:
        if address not in self.people:
            raise KeyError(address)
        flags = frozenset([Seen]) if folder == SENT else frozenset()
        async with self._identity(address).new_session() as session:
            box = await session.mailbox_set.get_mailbox(folder)
            await box.append(AppendMessage(raw, received_at, flags), recent=True)
        with self._arrival:
            self._delivered[address].append(Delivered(address, folder, received_at, raw))
            self._arrival.notify_all()

    def _identity(self, address: str) -> Identity:
        return Identity(address, self._backend.login, None, frozenset())

    def _in_loop(self, work: Coroutine[Any, Any, Result]) -> Result:
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(STARTING_SECONDS)

    # --- SMTP -----------------------------------------------------------------------------------------

    async def handle_MAIL(  # noqa: N802 (aiosmtpd's name)
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: Sequence[str]
    ) -> str:
        """aiosmtpd asks whether this sender may send."""
        if not session.authenticated:
            return "530 5.7.0 Authentication required"
        envelope.mail_from = address
        envelope.mail_options.extend(options)
        return "250 OK"

    async def handle_RCPT(  # noqa: N802
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: Sequence[str]
    ) -> str:
        """aiosmtpd asks whether there is such a person."""
        if address.lower() not in self.people:
            return f"550 5.1.1 User not found: {address}"
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:  # noqa: N802
        """aiosmtpd hands over a whole mail."""
        now = self._now()
        stamp = f"Return-Path: <{envelope.mail_from}>\r\nReceived: from localhost by demo; {now:%a, %d %b %Y %H:%M:%S %z}\r\n"
        raw = bytes(envelope.original_content or b"")
        for recipient in envelope.rcpt_tos:
            await self._deliver(recipient.lower(), stamp.encode() + raw, now, INBOX)
        login: Any = session.auth_data
        await self._deliver(login.login.decode().lower(), raw, now, SENT)
        return "250 2.0.0 delivered"

    def _authenticate(
        self, server: SMTP, session: Session, envelope: Envelope, mechanism: str, data: Any
    ) -> AuthResult:
        known = isinstance(data, LoginPassword) and self._knows(data)
        # handled=False: aiosmtpd itself says 235 or 535.
        return AuthResult(success=known, handled=False, auth_data=data)

    def _knows(self, given: LoginPassword) -> bool:
        return self.people.get(given.login.decode("utf-8", "replace").lower()) == given.password.decode(
            "utf-8", "replace"
        )

    def _smtp(self) -> SMTP:
        # AUTH is demanded in handle_MAIL: aiosmtpd warns of demanding it without TLS, even on loopback.
        return SMTP(
            self,
            authenticator=self._authenticate,
            auth_require_tls=False,
            data_size_limit=LARGEST_MAIL,
            enable_SMTPUTF8=True,
            hostname="demo",
            loop=self._loop,
        )

    # --- inside ---------------------------------------------------------------------------------------

    def _run(self) -> None:
        asyncio.set_event_loop(self._loop)
        try:
            self._loop.run_until_complete(self._serve())
        finally:
            self._loop.run_until_complete(self._loop.shutdown_asyncgens())
            self._loop.close()

    async def _serve(self) -> None:
        self._stopping = asyncio.Event()
        try:
            async with AsyncExitStack() as stack:
                config = await self._open_mailboxes()
                await self._listen(stack, config)
                self._started.set()
                await self._stopping.wait()
                await self._end_conversations()
        except Exception as error:  # noqa: BLE001 (carried to the thread that waits in start())
            self._failure = error
            self._started.set()

    async def _open_mailboxes(self) -> Config:
        self._backend, config = await DictBackend.init(
            _pymap_arguments(),
            reject_insecure_auth=False,
            hash_context=Cleartext(),  # the default hash takes a quarter of a second a login
            invalid_user_sleep=0.0,
        )
        config.apply_context()
        for address, password in self.people.items():
            self._backend.login.users_dict[address] = UserMetadata(config, address, password=password)
            async with self._identity(address).new_session() as session:
                for folder in FOLDERS:
                    await session.mailbox_set.add_mailbox(folder)
        return config

    async def _listen(self, stack: AsyncExitStack, config: Config) -> None:
        imap_socket = stack.enter_context(socket.create_server((HOST, self.imap_port)))
        smtp_socket = stack.enter_context(socket.create_server((HOST, self.smtp_port)))
        self.imap_port, self.smtp_port = imap_socket.getsockname()[1], smtp_socket.getsockname()[1]
        imap = IMAPServer(self._backend.login, config)

        async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            # pymap's own listener keeps no reference to this task: Python 3.13 may collect it during IDLE.
            task = asyncio.current_task()
            assert task is not None
            self._conversations.add(task)
            try:
                await imap(
                    reader, writer, SocketInfo.get(writer, ProxyResultUnknown(), unique_id=uuid.uuid4().bytes)
                )
            except asyncio.CancelledError:
                writer.close()
            finally:
                self._conversations.discard(task)

        for server in (
            await asyncio.start_server(talk, sock=imap_socket),
            await self._loop.create_server(self._smtp, sock=smtp_socket),
        ):
            stack.callback(server.close)

    async def _end_conversations(self) -> None:
        current = asyncio.current_task()
        others = [task for task in asyncio.all_tasks() if task is not current]
        for task in others:
            task.cancel()
        await asyncio.gather(*others, return_exceptions=True)


def _pymap_arguments() -> Namespace:
    """pymap takes its settings from a command line only."""
    parser = ArgumentParser()
    parser.set_defaults(debug=False, passlib_cfg=None)
    DictBackend.add_subparser("dict", parser.add_subparsers())
    IMAPService.add_arguments(parser)
    return parser.parse_args(["--host", HOST, "--no-tls", "dict"])
