"""Text out of mail bytes as Chinese clients really write them: mislabelled GB, raw 8-bit, odd encoded words."""

from __future__ import annotations

import base64
import binascii
import codecs
import quopri
import re
from email.message import Message
from urllib.parse import unquote_to_bytes

GB = "gb18030"

GB_LABELS = (
    *(
        "gb2312",
        "gbk",
        "gb_2312-80",
        "gb2312-80",
        "gb-2312",
        "csgb2312",
        "chinese",
        "euc-cn",
        "x-euc-cn",
        "x-gbk",
    ),
    *("cp936", "ms936", "windows-936", "gb18030", "gb_18030", "gb-18030", "gb18030-2000", "x-gb18030"),
    *("x-mac-chinesesimp", "gb2312_charset"),
)
CHARSETS = dict.fromkeys(
    GB_LABELS,
    GB,
) | {
    "utf8mb4": "utf-8",
    "x-utf-8": "utf-8",
    "unicode-1-1-utf-8": "utf-8",
    "utf8": "utf-8",
    "unicode": "utf-8",
    "x-big5": "cp950",
    "big5": "cp950",
    "big5-hkscs": "big5hkscs",
    "hz-gb-2312": "hz",
}
"""What a charset label in the wild means, where Python's codec of that name would lose characters."""

WITHOUT_MEANING = frozenset(
    {"ascii", "us-ascii", "iso-8859-1", "latin-1", "latin1", "windows-1252", "cp1252"}
)
"""Labels that Chinese clients put on anything; believed only when the bytes look Western."""

ENCODED_WORD = re.compile(r"=\?([\w.:+-]+)(?:\*[\w-]*)?\?([bBqQ])\?([^?]*)\?=")
MAX_HEADER = 20_000
"""Characters of a header that are looked at; more is nobody's name."""
HIGH_RUN = re.compile(rb"[\x80-\xff]{2,}")
PERCENT_NAME = re.compile(
    r"(?:[\w.\-() +~]|%[0-9A-Fa-f]{2})*%[0-9A-Fa-f]{2}(?:[\w.\-() +~]|%[0-9A-Fa-f]{2})*", re.ASCII
)


def decoded(data: bytes, label: str | None = None) -> str:
    """The text of bytes; UTF-8 if it is that, else GB18030, whatever a Chinese client calls it."""
    for charset in _candidates(data, label):
        try:
            text = data.decode(charset)
            text.encode("utf-8")
        except (LookupError, UnicodeError, ValueError):
            continue
        return text
    return data.decode(GB, "replace")


def _candidates(data: bytes, label: str | None) -> list[str]:
    charset = _charset(label)
    if data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return ["utf-16"]
    if data.startswith(codecs.BOM_UTF8):
        return ["utf-8-sig"]
    if charset in WITHOUT_MEANING:
        western = not HIGH_RUN.search(data)
        return ["ascii", "cp1252", "latin-1"] if western else [*_utf8_or_gb(data), "latin-1"]
    if charset == "utf-8":
        return ["utf-8", GB]
    if charset in (None, GB):
        return _utf8_or_gb(data)
    return [charset, *_utf8_or_gb(data)]


def _charset(label: str | None) -> str | None:
    if not label:
        return None
    name = label.strip("\"' \t").lower()
    return CHARSETS.get(name, name) or None


def _utf8_or_gb(data: bytes) -> list[str]:
    """Which of the two to try first: GB text that happens to be valid UTF-8 has no character above U+07FF."""
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError:
        return [GB]
    if text.isascii() or any(character > "\u07ff" for character in text):
        return ["utf-8"]
    return [GB, "utf-8"]


def unfolded(value: str) -> str:
    """A header's value on one line, cut if it is longer than any honest one."""
    value = value[:MAX_HEADER]
    return re.sub(r"[\r\n]+(?=[ \t])|[\r\n]+$", "", value) if "\n" in value or "\r" in value else value


def raw_text(value: str) -> str:
    """A header's value with its undeclared 8-bit bytes made text."""
    if value.isascii():
        return value
    try:
        value.encode("utf-8")
    except UnicodeEncodeError:
        return decoded(value.encode("utf-8", "surrogateescape"))
    return value


def words(value: str) -> str:
    """A header's text with its encoded words decoded, also glued, split in mid-character or amid raw bytes."""
    value = unfolded(value)
    if "=?" not in value:
        return _cleaned(raw_text(value))
    pieces: list[str] = []
    position = 0
    run_charset: str | None = None
    run = b""
    for match in ENCODED_WORD.finditer(value):
        gap = value[position : match.start()]
        position = match.end()
        charset, data = match[1].lower(), _word_bytes(match[2], match[3])
        if gap.strip() or charset != run_charset:
            pieces.append(decoded(run, run_charset))
            run = b""
            if gap.strip() or not pieces[-1]:
                pieces.append(raw_text(gap))
        run_charset, run = charset, run + data
    pieces += [decoded(run, run_charset), raw_text(value[position:])]
    return _cleaned("".join(pieces))


def _word_bytes(encoding: str, text: str) -> bytes:
    data = text.encode("utf-8", "surrogateescape")
    if encoding in "qQ":
        return quopri.decodestring(data.replace(b" ", b"_"), header=True)
    return base64_bytes(data)


def base64_bytes(data: bytes) -> bytes:
    """The bytes of a base64 text, whatever stands between its letters and however it ends."""
    letters = re.sub(rb"[^A-Za-z0-9+/]", b"", data)
    if len(letters) % 4 == 1:
        letters = letters[:-1]
    try:
        return base64.b64decode(letters + b"=" * (-len(letters) % 4))
    except binascii.Error:
        return data


def quoted_printable_bytes(data: bytes) -> bytes:
    """The bytes of a quoted-printable text."""
    return quopri.decodestring(data)


def _cleaned(text: str) -> str:
    return re.sub(r"[\x00-\x1f\x7f\u2028\u2029]+", " ", text).strip()


def parameter(part: Message, header: str, name: str) -> str | None:
    """A parameter of a MIME header (`filename`, `name`), whichever way it was encoded; None without it."""
    values = [value for key, value in part.raw_items() if key.lower() == header]
    if not values:
        return None
    view = Message()
    view[header] = raw_text(unfolded(str(values[0])))
    try:
        found = view.get_param(name, header=header)
    except (ValueError, IndexError, TypeError):
        return None
    if isinstance(found, tuple):
        charset, _, text = found
        found = decoded(text.encode("raw-unicode-escape"), charset)
    return words(found) if found else None


def file_name(part: Message) -> str | None:
    """The name that a part gives its file, without any path; None if it gives none."""
    for header, name in (
        ("content-disposition", "filename"),
        ("content-type", "name"),
        ("content-disposition", "name"),
    ):
        found = parameter(part, header, name)
        if found:
            return base_name(found)
    return None


def base_name(name: str) -> str | None:
    """A file's own name, safe to show: no directory, no drive, no control characters; None if nothing is left."""
    if "%" in name and PERCENT_NAME.fullmatch(name):
        name = decoded(unquote_to_bytes(name))
    last = re.split(r"[/\\]", _cleaned(name).strip("\"' "))[-1].strip()
    last = re.sub(r"[\u200b-\u200f\u202a-\u202e\u2066-\u2069\ufeff]", "", last)
    return last[-200:] if last.strip(". ") else None
