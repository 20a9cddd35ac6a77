"""A rendered letter as the bytes that go out: headers, text and HTML, attachments.

Nothing that came from a mail can add a header here: subjects are flattened, addresses and Message-IDs
are let through only in their plain form.
"""

from __future__ import annotations

import base64
import hashlib
import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from email.utils import format_datetime
from typing import Literal
from urllib.parse import quote

from daemon.typesetting import one_line

AutoSubmitted = Literal["auto-replied", "auto-generated"]

LONGEST_SUBJECT = 120
LONGEST_NAME = 80
MOST_REFERENCES = 20

_ADDRESS = re.compile(r"[A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]{1,64}@[A-Za-z0-9-]+(?:\.[A-Za-z0-9-]+)+")
_MESSAGE_ID = re.compile(r"<[\x21-\x3b\x3d\x3f-\x7e]{1,900}>")
_LINES = re.compile(".{1,76}")
_UNPRINTABLE = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]")


@dataclass(frozen=True, slots=True)
class Rendered:
    """A letter in words: one subject, and the same content as text and as HTML."""

    subject: str
    text: str
    html: str


@dataclass(frozen=True, slots=True)
class Attachment:
    name: str
    data: bytes
    mime: str


DOCX = "application/vnd.openxmlformats-officedocument.wordprocessingml.document"
XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"


def sendable(address: str) -> bool:
    """Whether a letter can be addressed to it: plain ASCII `local@domain`, nothing else."""
    return _ADDRESS.fullmatch(address) is not None and len(address) <= 254


def new_message_id(random: Callable[[int], bytes], domain: str) -> str:
    """A Message-ID that nobody can guess; `random` gives so many random bytes (`secrets.token_bytes`)."""
    token = base64.b32encode(random(20)).decode("ascii").lower()
    return f"<djb.{token}@{domain}>"


def compose(
    rendered: Rendered,
    *,
    sender_address: str,
    sender_name: str,
    to: Sequence[str],
    cc: Sequence[str] = (),
    message_id: str,
    date: datetime,
    in_reply_to: str | None = None,
    references: Sequence[str] = (),
    auto_submitted: AutoSubmitted = "auto-generated",
    attachments: Sequence[Attachment] = (),
) -> bytes:
    """The whole message as it goes out, with CRLF line ends and nothing but ASCII in it.

    Raises ValueError for an address that is not `sendable`, or a malformed Message-ID of our own.
    """
    parting = hashlib.sha256(message_id.encode()).hexdigest()[:24]
    letter = _alternatives(rendered, parting)
    content = _mixed(letter, attachments, parting) if attachments else letter
    head = _head(sender_address, sender_name, to, cc, message_id, date)
    head += [("Subject", _words("Subject", subject_line(rendered.subject)))]
    head += _thread(in_reply_to, references)
    head += [
        ("Auto-Submitted", auto_submitted),
        ("X-Auto-Response-Suppress", "All"),
        ("MIME-Version", "1.0"),
    ]
    message = _Part((*head, *content.head), content.body)
    return message.text.replace("\n", "\r\n").encode("ascii")


def subject_line(subject: str) -> str:
    """A subject on one line, without control characters, not longer than a list of mails can show."""
    flat = _UNPRINTABLE.sub(" ", one_line(subject))
    return flat if len(flat) <= LONGEST_SUBJECT else flat[: LONGEST_SUBJECT - 1] + "…"


def _head(
    sender: str, name: str, to: Sequence[str], cc: Sequence[str], message_id: str, date: datetime
) -> list[tuple[str, str]]:
    unfit = [address for address in (sender, *to, *cc) if not sendable(address)]
    if unfit or not to:
        raise ValueError(f"cannot be addressed: {unfit!r}")
    if not _MESSAGE_ID.fullmatch(message_id):
        raise ValueError(f"not a Message-ID: {message_id!r}")
    display = _words("From", _UNPRINTABLE.sub(" ", name))
    return [
        ("From", f"{display}\n <{sender}>"),
        ("To", ",\n ".join(to)),
        *([("Cc", ",\n ".join(cc))] if cc else []),
        ("Date", format_datetime(date)),
        ("Message-ID", message_id),
    ]


def _thread(in_reply_to: str | None, references: Sequence[str]) -> list[tuple[str, str]]:
    """In-Reply-To and References from well-formed identifiers only; the first and the newest are kept."""
    parent = in_reply_to if in_reply_to and _MESSAGE_ID.fullmatch(in_reply_to) else None
    known = [r for r in dict.fromkeys(references) if _MESSAGE_ID.fullmatch(r) and r != parent]
    chain = [*known, *([parent] if parent else [])]
    chain = chain if len(chain) <= MOST_REFERENCES else [chain[0], *chain[1 - MOST_REFERENCES :]]
    found = [("In-Reply-To", parent)] if parent else []
    return [*found, *([("References", "\n ".join(chain))] if chain else [])]


def _words(header: str, text: str) -> str:
    """A header's text as folded RFC 2047 words, or as it stands if it is short plain ASCII."""
    if text.isascii() and len(text) + len(header) < 70 and re.fullmatch(r"[\w .,:#\[\]-]*", text):
        return text if header == "Subject" else f'"{text}"'
    return "\n ".join(f"=?utf-8?B?{base64.b64encode(piece).decode('ascii')}?=" for piece in _pieces(text, 42))


def _pieces(text: str, most: int) -> list[bytes]:
    """The text in UTF-8, cut between characters into pieces of at most so many bytes."""
    pieces, current = [], b""
    for character in text:
        encoded = character.encode("utf-8", "replace")
        if len(current) + len(encoded) > most:
            pieces.append(current)
            current = b""
        current += encoded
    return [*pieces, current]


@dataclass(frozen=True, slots=True)
class _Part:
    """A part of a message: its header fields, ASCII and folded, and its body, with plain line ends.

    Written by hand, because the standard library's generator would take ten times as long.
    """

    head: tuple[tuple[str, str], ...]
    body: str

    @property
    def text(self) -> str:
        return "".join(f"{name}: {value}\n" for name, value in self.head) + "\n" + self.body


def _multipart(kind: str, parting: str, parts: Iterable[_Part]) -> _Part:
    boundary = f"=_{parting}"
    between = "".join(f"--{boundary}\n{part.text}\n" for part in parts)
    return _Part(
        (("Content-Type", f'multipart/{kind};\n boundary="{boundary}"'),), f"{between}--{boundary}--\n"
    )


def _alternatives(rendered: Rendered, parting: str) -> _Part:
    parts = (_text_part(rendered.text, "plain"), _text_part(rendered.html, "html"))
    return _multipart("alternative", f"words_{parting}", parts)


def _text_part(text: str, subtype: str) -> _Part:
    head = (("Content-Type", f"text/{subtype}; charset=utf-8"), ("Content-Transfer-Encoding", "base64"))
    lines = re.sub(r"\r\n?|\n", "\r\n", text)
    return _Part(head, _base64(lines.encode("utf-8", "replace")))


def _mixed(letter: _Part, attachments: Sequence[Attachment], parting: str) -> _Part:
    return _multipart("mixed", f"parts_{parting}", (letter, *map(_attached, attachments)))


def _attached(attachment: Attachment) -> _Part:
    """The part of an attachment; its name as 163, QQ, Foxmail and Outlook all read it.

    Content-Disposition has the standard form (RFC 2231), Content-Type the encoded words that older
    clients look for: the pair that Thunderbird sends.
    """
    name = _file_name(attachment.name)
    words = "\n ".join(_words("name", name).strip('"').split("\n "))
    standard = f'filename="{name}"' if name.isascii() else f"filename*=utf-8''{quote(name, safe='')}"
    head = (
        ("Content-Type", f'{attachment.mime};\n name="{words}"'),
        ("Content-Disposition", f"attachment;\n {standard}"),
        ("Content-Transfer-Encoding", "base64"),
    )
    return _Part(head, _base64(attachment.data))


def _file_name(name: str) -> str:
    """A file's name without path, quotes and control characters, its suffix kept when it is long."""
    bare = re.sub(r'[\\/:*?"<>|;]', "_", _UNPRINTABLE.sub("", name)).strip(" .") or "附件"
    stem, dot, suffix = bare.rpartition(".")
    return bare if len(bare) <= LONGEST_NAME else f"{stem[: LONGEST_NAME - 8]}{dot}{suffix[:7]}"


def _base64(data: bytes) -> str:
    text = base64.b64encode(data).decode("ascii")
    return "".join(f"{line}\n" for line in _LINES.findall(text))
