"""An IMAP proxy that makes any server behave like imap.163.com, and misbehave when a test says so."""

from __future__ import annotations

import contextlib
import re
import socket
import ssl
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from typing import BinaryIO

from imapclient.imap_utf7 import encode as encode_utf7

from tests.servers.link import Listener, hang_up

CAPABILITIES = (
    b"IMAP4rev1 XLIST SPECIAL-USE ID LITERAL+ STARTTLS APPENDLIMIT=71680000 XAPPLEPUSHSERVICE UIDPLUS"
    b" X-CM-EXT-1 SASL-IR AUTH=XOAUTH2"
)
FLAGS = rb"\Answered \Seen \Deleted \Draft \Flagged"
UNSAFE = b"Unsafe Login. Please contact kefu@188.com for help"
LITERAL = re.compile(rb"\{(\d+)\+?\}\r\n$")
UNKNOWN_COMMANDS = {b"IDLE", b"MOVE", b"ENABLE", b"UNSELECT", b"NAMESPACE", b"SORT", b"THREAD"}


@dataclass
class ImapFaults:
    """Switches that a test may turn at any time; all are off at first."""

    drop_in_fetch: int = 0
    """So many of the next bodies break off in their middle, and the connection with them."""
    drop_on_uids: frozenset[int] = frozenset()
    """Asking for the body of one of these ends the connection, always."""
    refuse_uids: frozenset[int] = frozenset()
    """Asking for the body of one of these is answered with NO."""
    refuse_login: bytes | None = None
    """Text of a NO to every LOGIN."""
    uidvalidity: int | None = None
    missing_folder: str | None = None
    """A folder that has been renamed or deleted."""
    range_search: str = "works"
    """What `UID n:*` does: works, empty (nothing found), error."""


class ImapProxy(Listener):
    """Stands before the plain IMAP port of a server; with `netease` it is imap.163.com to its clients."""

    def __init__(
        self, upstream_port: int, tls: ssl.SSLContext | None = None, netease: bool = True, port: int = 0
    ) -> None:
        self.upstream_port = upstream_port
        self.netease = netease
        self.faults = ImapFaults()
        if netease:
            self.faults.uidvalidity = 1
        self.commands: list[bytes] = []
        """Every command line seen, without passwords."""
        super().__init__(port, tls)

    def serve(self, client: socket.socket) -> None:
        with socket.create_connection(("127.0.0.1", self.upstream_port)) as upstream:
            upstream.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            conversation = _Conversation(self, client, upstream)
            down = threading.Thread(target=conversation.carry_answers, daemon=True)
            down.start()
            with contextlib.suppress(OSError):
                conversation.carry_commands()
            hang_up(upstream)
            hang_up(client)
            down.join(5)


class _Conversation:
    """One client's session through the proxy."""

    def __init__(self, proxy: ImapProxy, client: socket.socket, upstream: socket.socket) -> None:
        self._proxy = proxy
        self._client = client
        self._upstream = upstream
        self._introduced = False
        self._lock = threading.Lock()

    @property
    def faults(self) -> ImapFaults:
        return self._proxy.faults

    # --- from client to server ------------------------------------------------------------------------

    def carry_commands(self) -> None:
        with self._client.makefile("rb") as lines:
            for line in lines:
                self._note(line)
                answer = self._own_answer(line)
                if answer is None:
                    self._upstream.sendall(line)
                    _carry_literal(line, lines, self._upstream)
                elif not answer:
                    return
                else:
                    self._say(answer)

    def _note(self, line: bytes) -> None:
        words = line.split()
        if len(words) > 1 and words[1].upper() == b"LOGIN":
            line = b" ".join(words[:3])
        self._proxy.commands.append(line.rstrip())

    def _own_answer(self, line: bytes) -> bytes | None:
        """What the proxy itself answers: None lets the server answer, nothing at all ends the connection."""
        tag, _, rest = line.rstrip().partition(b" ")
        words = rest.upper().split() or [b""]
        uids = _uids_of_bodies(words)
        if uids & self.faults.drop_on_uids:
            return b""
        if uids & self.faults.refuse_uids:
            return tag + b" NO [SERVERBUG] Some messages could not be FETCHed\r\n"
        if words[0] == b"LOGIN" and self.faults.refuse_login is not None:
            return tag + b" NO " + self.faults.refuse_login + b"\r\n"
        if words[0] in (b"SELECT", b"EXAMINE") and self._is_missing(rest):
            return tag + b" NO SELECT The folder does not exist\r\n"
        if words[0] == b"LIST" and self._is_missing(rest):
            return tag + b" OK LIST completed\r\n"
        return self._search_answer(tag, words) or (
            self._netease_answer(tag, words) if self._proxy.netease else None
        )

    def _is_missing(self, command: bytes) -> bool:
        name = self.faults.missing_folder
        return name is not None and command.endswith(b'"' + encode_utf7(name) + b'"')

    def _search_answer(self, tag: bytes, words: list[bytes]) -> bytes | None:
        ranged = words[:2] == [b"UID", b"SEARCH"] and words[-1].endswith(b":*")
        if ranged and self.faults.range_search == "empty":
            return b"* SEARCH\r\n" + tag + b" OK SEARCH completed\r\n"
        if ranged and self.faults.range_search == "error":
            return tag + b" BAD Parse command error\r\n"
        return None

    def _netease_answer(self, tag: bytes, words: list[bytes]) -> bytes | None:
        command = words[1] if words[0] == b"UID" and len(words) > 1 else words[0]
        if command == b"ID":
            self._introduced = True
        if command in (b"SELECT", b"EXAMINE") and not self._introduced:
            return tag + b" NO " + command + b" " + UNSAFE + b"\r\n"
        if command in UNKNOWN_COMMANDS or (command == b"SEARCH" and b"CHARSET" in words):
            return tag + b" BAD Parse command error\r\n"
        blind = {b"FROM", b"TO", b"SUBJECT", b"HEADER", b"BODY", b"TEXT"}
        if command == b"SEARCH" and blind.intersection(words):
            return b"* SEARCH\r\n" + tag + b" OK SEARCH completed\r\n"
        return None

    # --- from server to client ------------------------------------------------------------------------

    def carry_answers(self) -> None:
        with contextlib.suppress(OSError), self._upstream.makefile("rb") as lines:
            for line in lines:
                for piece in self._pieces(line, lines):
                    self._say(piece)
        hang_up(self._client)

    def _pieces(self, line: bytes, lines: BinaryIO) -> Iterator[bytes]:
        said = self._rewritten(line)
        if said is None:
            return
        literal = LITERAL.search(line)
        body = lines.read(int(literal[1])) if literal else b""
        if literal and b"BODY[]" in line and self.faults.drop_in_fetch > 0:
            self.faults.drop_in_fetch -= 1
            yield said + body[: len(body) // 2]
            raise ConnectionAbortedError
        yield said + body

    def _rewritten(self, line: bytes) -> bytes | None:
        """The server's line as the client gets it; None: not at all."""
        if self.faults.uidvalidity is not None:
            line = re.sub(rb"\[UIDVALIDITY \d+\]", b"[UIDVALIDITY %d]" % self.faults.uidvalidity, line)
        if not self._proxy.netease:
            return line
        if line.startswith((b"* OK [UIDNEXT", b"* OK [HIGHESTMODSEQ", b"* OK [UNSEEN")):
            return None
        if line.startswith(b"* CAPABILITY "):
            return b"* CAPABILITY " + CAPABILITIES + b"\r\n"
        if line.startswith(b"* FLAGS "):
            return b"* FLAGS (" + FLAGS + b")\r\n"
        line = re.sub(rb"(?<=\[PERMANENTFLAGS \()[^)]*", lambda _: FLAGS, line)
        return re.sub(rb"\[(CAPABILITY|COPYUID|APPENDUID) [^\]]*\] ?", b"", line, count=1)

    def _say(self, data: bytes) -> None:
        with self._lock:
            self._client.sendall(data)


def _uids_of_bodies(words: list[bytes]) -> set[int]:
    """The UIDs whose bodies a command asks for."""
    if words[:2] != [b"UID", b"FETCH"] or not any(b"BODY.PEEK[]" in word for word in words):
        return set()
    return {int(each) for each in words[2].split(b",") if each.isdigit()}


def _carry_literal(line: bytes, lines: BinaryIO, upstream: socket.socket) -> None:
    literal = LITERAL.search(line)
    if literal:
        upstream.sendall(lines.read(int(literal[1])))
