"""An SMTP server that does at every step of a letter what a test tells it to."""

from __future__ import annotations

import base64
import contextlib
import socket
import ssl
import threading
from collections import deque
from dataclasses import dataclass, field
from enum import Enum
from typing import BinaryIO

from tests.servers.link import Listener


class Act(Enum):
    """What else than an answer the server can do at a step."""

    DROP = "drop"
    """Breaks the connection without a word."""
    TAKE_AND_DROP = "take and drop"
    """At the final dot: takes the letter, and breaks the connection before it says so."""
    HANG = "hang"
    """Says nothing and keeps the connection."""


@dataclass(frozen=True)
class Taken:
    """A letter that the server took."""

    sender: str
    recipients: tuple[str, ...]
    options: str
    raw: bytes


@dataclass
class Script:
    """What to do at a step instead of agreeing: each list is used up from its front.

    Steps: CONNECT, EHLO, AUTH, MAIL, RCPT, DATA, FINAL, RSET, NOOP. An answer is a whole line without its end.
    """

    answers: dict[str, deque[str | Act]] = field(default_factory=dict)

    def next(self, step: str, *answers: str | Act) -> None:
        """Appends what to do the next times at a step."""
        self.answers.setdefault(step, deque()).extend(answers)

    def take(self, step: str) -> str | Act | None:
        """What to do now at a step; None: agree."""
        waiting = self.answers.get(step)
        return waiting.popleft() if waiting else None


class _Dropped(Exception):
    pass


class ScriptedSmtp(Listener):
    """A server with AUTH PLAIN for one password, which remembers the letters that it took."""

    def __init__(
        self,
        tls: ssl.SSLContext | None = None,
        password: str = "secret",
        extensions: tuple[str, ...] = ("8BITMIME", "SMTPUTF8", "SIZE 60000000"),
    ) -> None:
        self.script = Script()
        self.taken: list[Taken] = []
        self.commands: list[str] = []
        self.extensions = extensions
        self.password = password
        self._release = threading.Event()
        super().__init__(tls=tls)

    def stop(self) -> None:
        self._release.set()
        super().stop()

    def serve(self, client: socket.socket) -> None:
        with contextlib.suppress(_Dropped):
            _Session(self, client).talk()

    def hang(self) -> None:
        """Returns when the server is stopped."""
        self._release.wait(30)


class _Session:
    """One client's conversation."""

    def __init__(self, server: ScriptedSmtp, client: socket.socket) -> None:
        self._server = server
        self._client = client
        self._lines: BinaryIO = client.makefile("rb")
        self._sender, self._options = "", ""
        self._recipients: list[str] = []

    def talk(self) -> None:
        with self._lines:
            self._step("CONNECT", "220 scripted ready")
            for line in self._lines:
                command = line.decode("utf-8", "replace").rstrip()
                self._server.commands.append(command)
                verb, _, rest = command.partition(" ")
                if verb.upper() == "QUIT":
                    self._say("221 bye")
                    return
                self._obey(verb.upper(), rest)

    def _obey(self, verb: str, rest: str) -> None:
        if verb == "EHLO":
            self._step("EHLO", self._greeting())
        elif verb == "AUTH":
            self._authenticate(rest)
        elif verb == "MAIL":
            path, _, self._options = rest.partition(">")
            self._sender, self._recipients = path.partition("<")[2], []
            self._step("MAIL", "250 ok")
        elif verb == "RCPT":
            if self._step("RCPT", "250 ok"):
                self._recipients.append(rest.partition("<")[2].partition(">")[0])
        elif verb == "DATA":
            if self._step("DATA", "354 go on"):
                self._letter()
        else:
            self._step(verb, "250 ok")

    def _greeting(self) -> str:
        lines = ["scripted", "AUTH PLAIN", *self._server.extensions]
        return "\r\n".join([*(f"250-{each}" for each in lines), "250 HELP"])

    def _authenticate(self, rest: str) -> None:
        given = base64.b64decode(rest.partition(" ")[2]).split(b"\0")[-1].decode()
        if given != self._server.password:
            self._say("535 Error: authentication failed")
        else:
            self._step("AUTH", "235 welcome")

    def _letter(self) -> None:
        raw = bytearray()
        for line in self._lines:
            if line == b".\r\n":
                break
            raw += line[1:] if line.startswith(b"..") else line
        else:
            raise _Dropped
        letter = Taken(self._sender, tuple(self._recipients), self._options.strip(), bytes(raw))
        act = self._server.script.take("FINAL")
        if act is None or act is Act.TAKE_AND_DROP:
            self._server.taken.append(letter)
        self._do(act, "250 taken")

    def _step(self, step: str, agreement: str) -> bool:
        """Whether the server agreed."""
        act = self._server.script.take(step)
        self._do(act, agreement)
        return act is None

    def _do(self, act: str | Act | None, agreement: str) -> None:
        if act is Act.HANG:
            self._server.hang()
            raise _Dropped
        if isinstance(act, Act):
            raise _Dropped
        said = agreement if act is None else act
        self._say(said)
        if said.startswith("421") or (said[0] == "5" and agreement.startswith("220")):
            raise _Dropped

    def _say(self, text: str) -> None:
        self._client.sendall(text.encode() + b"\r\n")
