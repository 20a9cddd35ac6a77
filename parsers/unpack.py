"""The files inside archives, carried mails and TNEF, read in memory and within limits; nothing is extracted."""

from __future__ import annotations

import bz2
import gzip
import io
import lzma
import re
import struct
import zipfile
import zlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from parsers import decoding, message, sniff
from parsers.content import Limits, Refused, Unreadable
from parsers.message import Attachment, Letter
from parsers.values import MailKind, Part, PartOutcome

CHUNK = 1 << 16
SEPARATOR = "/"
SYSTEM_FILE = re.compile(r"(?:^|/)(?:__MACOSX/|\.DS_Store$|Thumbs\.db$|desktop\.ini$|~\$|\._)", re.IGNORECASE)
ENCRYPTED_ARCHIVE = "压缩包设有密码,无法打开,请去掉密码后重新发送"
DAMAGED_ARCHIVE = "压缩包已损坏或不完整,无法打开,请重新压缩后发送"
EMPTY_ARCHIVE = "压缩包是空的或已损坏,请重新压缩后发送"
EMPTY = {
    "tnef": (PartOutcome.IGNORED, "Outlook附加的格式信息,其中没有文件"),
    "msg": (PartOutcome.UNREADABLE, "Outlook邮件文件中没有附件,请直接附上表格"),
}
"""What a container is that holds no file, and why."""
NOT_INSTALLED = "本系统未安装打开此类压缩包的组件,请改用zip压缩包或直接附上表格"
DAMAGED_TNEF = "Outlook的winmail.dat已损坏,请用普通附件重新发送"
EXECUTABLE = "可执行程序,出于安全未打开"
NAMELESS = "未命名附件"
ENDINGS = {
    "unknown": "bin",
    "encrypted-office": "docx",
    "word-xml": "doc",
    "excel-xml": "xls",
    "video": "mp4",
}
NOT_OPENED = {
    MailKind.SELF: "我方发出的原信,其中的表格不是来件",
    MailKind.BOUNCE: "退信,其中的表格不是来件",
    MailKind.AUTO_REPLY: "自动回复",
    MailKind.RECALL: "撤回通知",
}
"""Carried mails that nobody sends for what is in them."""


@dataclass(frozen=True, slots=True)
class Leaf:
    """One file that is no container: its name with the containers it came out of, and its bytes."""

    name: str
    data: bytes
    sniffed: sniff.Sniffed
    inline: bool = False


@dataclass(frozen=True, slots=True)
class CarriedBody:
    """The body of a mail that the mail carries; a form may stand in it."""

    name: str
    letter: Letter


Found = Leaf | CarriedBody | Part
"""A file to read, a carried mail's body, or a part whose outcome is settled already."""


@dataclass(slots=True)
class _Budget:
    """What may still be unpacked out of one mail."""

    limits: Limits
    own_address: str | None = None
    members: int = 0
    bytes: int = 0

    def member(self) -> None:
        self.members += 1
        if self.members > self.limits.members:
            raise Refused(f"附件和压缩包内文件超过{self.limits.members}个,其余未打开,请分次发送")

    def take(self, count: int) -> None:
        self.bytes += count
        if self.bytes > self.limits.total_bytes:
            raise Refused(f"解压后的内容超过{_size(self.limits.total_bytes)},未打开,请分次发送")


def leaves(
    attachments: Sequence[Attachment], limits: Limits, own_address: str | None = None
) -> Iterator[Found]:
    """Every file among the attachments and inside them, each with a name that tells where it came from."""
    budget = _Budget(limits, own_address)
    for number, attachment in enumerate(attachments, 1):
        try:
            yield from _attached(attachment, number, budget)
        except Refused as refusal:
            name = attachment.name or f"{NAMELESS}{number}"
            yield Part(name, "unknown", PartOutcome.REFUSED, str(refusal))
            if budget.members > limits.members or budget.bytes > limits.total_bytes:
                return


def file_leaves(data: bytes, name: str, limits: Limits) -> Iterator[Found]:
    """The same for one bare file."""
    budget = _Budget(limits)
    try:
        yield from _opened(data, name, name, budget, 0, False)
    except Refused as refusal:
        yield Part(name, sniff.sniffed(data, name).format, PartOutcome.REFUSED, str(refusal))


def _attached(attachment: Attachment, number: int, budget: _Budget) -> Iterator[Found]:
    if attachment.letter is not None:
        name = attachment.name or f"{attachment.letter.mail.subject[:60] or '转发的邮件'}.eml"
        yield from _letter(attachment.letter, _shown(name), budget, 1)
        return
    name = attachment.name or _made_up_name(attachment.data, number)
    yield from _opened(attachment.data, name, _shown(name), budget, 0, attachment.inline)


def _made_up_name(data: bytes, number: int) -> str:
    found = sniff.sniffed(data).format
    return f"{NAMELESS}{number}.{ENDINGS.get(found, found)}"


def _shown(name: str) -> str:
    return name.replace("\n", " ").strip() or NAMELESS


def _opened(data: bytes, name: str, path: str, budget: _Budget, depth: int, inline: bool) -> Iterator[Found]:
    """A file, or what is in it if it holds other files."""
    budget.member()
    found = sniff.sniffed(data, name)
    container = CONTAINERS.get(found.format)
    if container is None:
        budget.take(len(data))
        yield _leaf_or_part(data, path, found, inline)
        return
    if depth >= budget.limits.depth:
        yield Part(
            path, found.format, PartOutcome.REFUSED, f"嵌套超过{budget.limits.depth}层,未打开,请直接附上表格"
        )
        return
    try:
        empty = True
        for each in container(data, path, budget, depth):
            empty = False
            yield each
        if empty:
            yield Part(path, found.format, *EMPTY.get(found.format, (PartOutcome.UNREADABLE, EMPTY_ARCHIVE)))
    except Unreadable as fault:
        yield Part(path, found.format, PartOutcome.UNREADABLE, str(fault))
    except Refused as refusal:
        yield Part(path, found.format, PartOutcome.REFUSED, str(refusal))
        if budget.members > budget.limits.members or budget.bytes > budget.limits.total_bytes:
            raise


def _leaf_or_part(data: bytes, path: str, found: sniff.Sniffed, inline: bool) -> Found:
    if found.format == "executable":
        return Part(path, found.format, PartOutcome.REFUSED, EXECUTABLE)
    if not data:
        return Part(path, found.format, PartOutcome.UNREADABLE, "文件是空的(0字节),请重新添加附件后发送")
    return Leaf(path, data, found, inline)


# ------------------------------------------------------------------ zip


def _zip(data: bytes, path: str, budget: _Budget, depth: int) -> Iterator[Found]:
    if _declared_members(data) > 20 * budget.limits.members:
        raise Refused(f"压缩包内文件超过{budget.limits.members}个,未打开,请只压缩表格")
    try:
        archive = zipfile.ZipFile(io.BytesIO(data))
    except (zipfile.BadZipFile, OSError, ValueError, struct.error, NotImplementedError) as fault:
        raise Unreadable(DAMAGED_ARCHIVE) from fault
    with archive:
        for info in archive.infolist():
            if not info.filename or info.is_dir():
                continue
            name = _zip_name(info)
            inner = f"{path}{SEPARATOR}{_safe_path(name)}"
            if SYSTEM_FILE.search(name):
                budget.member()
                yield Part(inner, "unknown", PartOutcome.IGNORED, "系统附带的文件")
                continue
            try:
                member = _zip_member(archive, info, budget)
            except Unreadable as fault:
                budget.member()
                yield Part(inner, _by_ending(name), PartOutcome.UNREADABLE, str(fault))
                continue
            yield from _opened(member, name, inner, budget, depth + 1, False)


def _declared_members(data: bytes) -> int:
    """How many members the archive's end says it has, before its directory is read into memory."""
    at = data.rfind(b"PK\x05\x06", max(0, len(data) - 66_000))
    if at < 0 or at + 12 > len(data):
        return 0
    count: int = struct.unpack_from("<H", data, at + 10)[0]
    if count == 0xFFFF:
        return data.count(b"PK\x01\x02")
    return count


def _zip_name(info: zipfile.ZipInfo) -> str:
    """The member's name: UTF-8 if flagged or valid, else the GBK that Chinese Windows writes."""
    if info.flag_bits & 0x800:
        return info.filename
    try:
        return decoding.decoded(info.orig_filename.encode("cp437"))
    except UnicodeEncodeError:
        return info.filename


def _zip_member(archive: zipfile.ZipFile, info: zipfile.ZipInfo, budget: _Budget) -> bytes:
    if info.flag_bits & 1:
        raise Unreadable(ENCRYPTED_ARCHIVE)
    try:
        with archive.open(info) as stream:
            return _bounded(iter(lambda: stream.read(CHUNK), b""), info.compress_size, budget)
    except NotImplementedError as fault:
        raise Unreadable("压缩包用了特殊的压缩方法,无法打开,请用普通zip重新压缩") from fault
    except (
        zipfile.BadZipFile,
        zlib.error,
        OSError,
        EOFError,
        ValueError,
        struct.error,
        RuntimeError,
    ) as fault:
        raise Unreadable(DAMAGED_ARCHIVE) from fault


def _bounded(chunks: Iterator[bytes], packed: int, budget: _Budget) -> bytes:
    """The chunks joined; raises Refused as soon as they are more than an honest file would unpack to."""
    limits = budget.limits
    pieces: list[bytes] = []
    size = 0
    for chunk in chunks:
        size += len(chunk)
        if size > limits.part_bytes:
            raise Refused(f"压缩包内有文件解压后超过{_size(limits.part_bytes)},未打开,请压缩图片或分次发送")
        if packed and size > 1 << 20 and size > packed * limits.ratio:
            raise Refused("压缩包的压缩比异常,疑似压缩炸弹,未打开")
        pieces.append(chunk)
    return b"".join(pieces)


def _safe_path(name: str) -> str:
    """A member's path to show: without drive, root and climbing; it never becomes a real path."""
    steps = [decoding.base_name(step) for step in re.split(r"[/\\]", re.sub(r"^[A-Za-z]:", "", name))]
    return SEPARATOR.join(step for step in steps if step) or NAMELESS


def _by_ending(name: str) -> str:
    ending = name.rpartition(".")[2].lower()
    return ending if re.fullmatch(r"[a-z0-9]{1,5}", ending) else "unknown"


def _size(count: int) -> str:
    return f"{count >> 20}MB"


# ------------------------------------------------------------------ compressed single files


def _compressed(data: bytes, path: str, budget: _Budget, depth: int) -> Iterator[Found]:
    """The one file that gzip, bzip2 or xz has packed; a tar in it is opened in its place."""
    kind = sniff.sniffed(data).format
    stem = COMPRESSED_ENDING.sub("", path.rpartition(SEPARATOR)[2]) or NAMELESS
    try:
        with STREAMS[kind](io.BytesIO(data)) as stream:
            member = _bounded(iter(lambda: stream.read(CHUNK), b""), len(data), budget)
    except (OSError, EOFError, ValueError, zlib.error, lzma.LZMAError) as fault:
        raise Unreadable(DAMAGED_ARCHIVE) from fault
    if sniff.sniffed(member).format == "tar":
        yield from _other_archive(member, path, budget, depth)
    else:
        yield from _opened(member, stem, f"{path}{SEPARATOR}{stem}", budget, depth + 1, False)


COMPRESSED_ENDING = re.compile(r"\.(?:gz|bz2|xz)$", re.IGNORECASE)
STREAMS: dict[str, Callable[[io.BytesIO], Any]] = {"gz": gzip.open, "bz2": bz2.open, "xz": lzma.open}


# ------------------------------------------------------------------ 7z, rar, tar


def _other_archive(data: bytes, path: str, budget: _Budget, depth: int) -> Iterator[Found]:
    """Members by way of libarchive, streamed."""
    try:
        import libarchive
        from libarchive.exception import ArchiveError
    except (ImportError, OSError, AttributeError, TypeError) as fault:
        raise Unreadable(NOT_INSTALLED) from fault
    _prefer_utf8()
    try:
        with libarchive.memory_reader(data, _archive_format(data)) as archive:
            for number, entry in enumerate(archive, 1):
                if entry.isdir:
                    continue
                if number > 20 * budget.limits.members:
                    raise Refused(f"压缩包内文件超过{budget.limits.members}个,未打开,请只压缩表格")
                name = _entry_name(entry, path, number)
                inner = f"{path}{SEPARATOR}{_safe_path(name)}"
                if SYSTEM_FILE.search(name) or not entry.isfile:
                    budget.member()
                    yield Part(inner, "unknown", PartOutcome.IGNORED, "系统附带的文件")
                    continue
                member = _bounded(entry.get_blocks(CHUNK), len(data), budget)
                yield from _opened(member, name, inner, budget, depth + 1, False)
    except ArchiveError as fault:
        text = str(fault).lower()
        encrypted = "encrypt" in text or "passphrase" in text or "password" in text
        raise Unreadable(ENCRYPTED_ARCHIVE if encrypted else DAMAGED_ARCHIVE) from fault


def _archive_format(data: bytes) -> str:
    """The name by which libarchive knows it: left to guess, it takes an archive that ends in a .docx for a zip."""
    if data.startswith(b"Rar!\x1a\x07"):
        return "rar5" if data[6:7] == b"\x01" else "rar"
    return "7zip" if data.startswith(b"7z") else "tar"


def _prefer_utf8() -> None:
    """Lets libarchive give names that are not ASCII, where the process has no UTF-8 locale."""
    import locale

    if locale.nl_langinfo(locale.CODESET).upper() == "UTF-8":
        return
    try:
        locale.setlocale(locale.LC_CTYPE, "C.UTF-8")
    except locale.Error:
        return


def _entry_name(entry: object, path: str, number: int) -> str:
    name = getattr(entry, "pathname", None)
    if isinstance(name, bytes):
        name = decoding.decoded(name)
    if not name:
        return f"{path.rpartition(SEPARATOR)[2]}-{number}"
    return decoding.raw_text(str(name))


# ------------------------------------------------------------------ carried mails, TNEF, Outlook messages


def _letter(letter: Letter, path: str, budget: _Budget, depth: int) -> Iterator[Found]:
    """A carried mail's body and files."""
    budget.member()
    if letter.mail.kind in NOT_OPENED:
        yield Part(path, "eml", PartOutcome.IGNORED, NOT_OPENED[letter.mail.kind])
        return
    for note in letter.notes:
        yield Part(path, "eml", PartOutcome.REFUSED, note)
    yield CarriedBody(path, letter)
    for number, attachment in enumerate(letter.attachments, 1):
        if depth >= budget.limits.depth:
            yield Part(
                path, "eml", PartOutcome.REFUSED, f"嵌套超过{budget.limits.depth}层,未打开,请直接附上表格"
            )
            return
        if attachment.letter is not None:
            name = _shown(attachment.name or f"{attachment.letter.mail.subject[:60] or '转发的邮件'}.eml")
            yield from _letter(attachment.letter, f"{path}{SEPARATOR}{name}", budget, depth + 1)
            continue
        name = attachment.name or _made_up_name(attachment.data, number)
        yield from _opened(
            attachment.data, name, f"{path}{SEPARATOR}{_shown(name)}", budget, depth, attachment.inline
        )


def _mail_file(data: bytes, path: str, budget: _Budget, depth: int) -> Iterator[Found]:
    yield from _letter(
        message.opened(data, budget.limits, budget.own_address, depth + 1), path, budget, depth + 1
    )


def _tnef(data: bytes, path: str, budget: _Budget, depth: int) -> Iterator[Found]:
    """The attachments in Outlook's winmail.dat."""
    from tnefparse import TNEF

    try:
        carrier = TNEF(data, do_checksum=False)
    except (
        ValueError,
        IndexError,
        struct.error,
        KeyError,
        AttributeError,
        TypeError,
        OverflowError,
        LookupError,
    ) as fault:
        raise Unreadable(DAMAGED_TNEF) from fault
    if not carrier.objects:
        raise Unreadable(DAMAGED_TNEF)
    for number, attachment in enumerate(carrier.attachments, 1):
        content = bytes(attachment.data or b"")
        name = _tnef_name(attachment) or _made_up_name(content, number)
        yield from _opened(content, name, f"{path}{SEPARATOR}{_shown(name)}", budget, depth + 1, False)


def _tnef_name(attachment: object) -> str | None:
    """The long name, else the short one; Chinese Outlook writes either in GBK."""
    from tnefparse import properties

    names = [
        each.data
        for each in getattr(attachment, "mapi_attrs", ())
        if each.name == properties.MAPI_ATTACH_LONG_FILENAME
    ]
    for value in (*names, getattr(attachment, "_name", None)):
        text = decoding.decoded(value) if isinstance(value, bytes) else value
        if isinstance(text, str) and text.strip("\x00 "):
            return decoding.base_name(text.replace("\x00", ""))
    return None


OUTLOOK_NAMES = ("3707001F", "3704001F", "3707001E", "3704001E")
"""Long and short name of an attachment, in Unicode and in the code page of the machine."""
OUTLOOK_BODIES = (("10130102", "正文.html"), ("1000001F", "正文.txt"), ("1000001E", "正文.txt"))
"""What was typed: as HTML, else as text."""


def _outlook_message(data: bytes, path: str, budget: _Budget, depth: int) -> Iterator[Found]:
    """The words and attachments of a mail saved by Outlook (.msg), which is an OLE file."""
    from xlrd.compdoc import CompDoc, CompDocError

    try:
        yield from _outlook_storage(CompDoc(data, logfile=io.StringIO()), "", 0, path, budget, depth)
    except (CompDocError, struct.error, IndexError, ValueError, AssertionError, KeyError) as fault:
        raise Unreadable("Outlook邮件文件已损坏,请直接附上表格重新发送") from fault


def _outlook_storage(
    document: Any, prefix: str, node: int, path: str, budget: _Budget, depth: int
) -> Iterator[Found]:
    """What stands in one message: the file's own, or one attached to it."""
    if depth >= budget.limits.depth:
        yield Part(path, "msg", PartOutcome.REFUSED, f"嵌套超过{budget.limits.depth}层,未打开,请直接附上表格")
        return
    children = {document.dirlist[child].name: child for child in document.dirlist[node].children}
    for tag, name in OUTLOOK_BODIES:
        words = _outlook_words(document, prefix, tag)
        if words.strip():
            yield from _opened(words.encode(), name, f"{path}{SEPARATOR}{name}", budget, depth + 1, False)
            break
    for number, storage in enumerate(sorted(n for n in children if n.startswith("__attach_version1.0")), 1):
        inner = f"{prefix}{storage}/"
        known = (_outlook_words(document, inner, tag) for tag in OUTLOOK_NAMES)
        name = decoding.base_name(next(filter(None, known), "")) or ""
        below = {document.dirlist[c].name: c for c in document.dirlist[children[storage]].children}
        carried = below.get("__substg1.0_3701000D")
        if carried is not None:
            shown = f"{path}{SEPARATOR}{_shown(name or f'转发的邮件{number}')}"
            budget.member()
            yield from _outlook_storage(
                document, f"{inner}__substg1.0_3701000D/", carried, shown, budget, depth + 1
            )
            continue
        content = bytes(document.get_named_stream(f"{inner}__substg1.0_37010102") or b"")
        if content:
            name = name or _made_up_name(content, number)
            yield from _opened(content, name, f"{path}{SEPARATOR}{_shown(name)}", budget, depth + 1, False)


def _outlook_words(document: Any, prefix: str, tag: str) -> str:
    """A text of the message; empty if it has none."""
    data = bytes(document.get_named_stream(f"{prefix}__substg1.0_{tag}") or b"")
    return data.decode("utf-16-le", "replace") if tag.endswith("1F") else decoding.decoded(data)


Opener = Callable[[bytes, str, _Budget, int], Iterator[Found]]
CONTAINERS: dict[str, Opener] = {
    "zip": _zip,
    **dict.fromkeys(("7z", "rar", "tar"), _other_archive),
    **dict.fromkeys(STREAMS, _compressed),
    "eml": _mail_file,
    "tnef": _tnef,
    "msg": _outlook_message,
}
"""Formats that hold other files, and what opens each."""
