"""What a file really is, told by its bytes; its name only settles which of two labels of one format to use."""

from __future__ import annotations

import io
import re
import struct
import zipfile
from dataclasses import dataclass
from itertools import islice

UNKNOWN = "unknown"
ENCRYPTED_OFFICE = "encrypted-office"
LINK = "link"

MAGIC: tuple[tuple[bytes, int, str], ...] = (
    (b"%PDF-", 0, "pdf"),
    (b"{\\rtf", 0, "rtf"),
    (b"\x78\x9f\x3e\x22", 0, "tnef"),
    (b"7z\xbc\xaf\x27\x1c", 0, "7z"),
    (b"Rar!\x1a\x07", 0, "rar"),
    (b"\x1f\x8b\x08", 0, "gz"),
    (b"BZh", 0, "bz2"),
    (b"\xfd7zXZ\x00", 0, "xz"),
    (b"ustar", 257, "tar"),
    (b"\xff\xd8\xff", 0, "jpg"),
    (b"\x89PNG\r\n\x1a\n", 0, "png"),
    (b"GIF8", 0, "gif"),
    (b"II*\x00", 0, "tif"),
    (b"MM\x00*", 0, "tif"),
    (b"WEBP", 8, "webp"),
    (b"BM", 0, "bmp"),
    (b"ftypheic", 4, "heic"),
    (b"ftypheix", 4, "heic"),
    (b"ftypmif1", 4, "heic"),
    (b"ftypmsf1", 4, "heic"),
    (b"ftyp", 4, "video"),
    (b"RIFF", 0, "audio"),
    (b"ID3", 0, "audio"),
    (b"OggS", 0, "audio"),
    (b"\x1aE\xdf\xa3", 0, "video"),
    (b"MZ", 0, "executable"),
    (b"\x7fELF", 0, "executable"),
    (b"\xca\xfe\xba\xbe", 0, "executable"),
    (b"\xcf\xfa\xed\xfe", 0, "executable"),
    (b"\xce\xfa\xed\xfe", 0, "executable"),
    (b"L\x00\x00\x00\x01\x14\x02\x00", 0, "executable"),
    (b"ITSF", 0, "executable"),
    (b"#!", 0, "executable"),
    (b"SQLite format 3\x00", 0, UNKNOWN),
)
"""Leading bytes, their offset, the format. The first that fits counts."""

EXECUTABLE_NAME = re.compile(
    r"\.(exe|com|scr|pif|bat|cmd|vbs|vbe|js|jse|wsf|wsh|hta|ps1|msi|lnk|jar|apk|cpl|dll|reg|chm|sh|iso|img|vhd)$",
    re.IGNORECASE,
)
"""Names that a double click would run, whatever the bytes look like."""

ZIP_MEMBERS: tuple[tuple[str, str], ...] = (
    ("word/", "docx"),
    ("xl/workbook.bin", "xlsb"),
    ("xl/", "xlsx"),
    ("ppt/", "pptx"),
    ("classes.dex", "executable"),
    ("META-INF/MANIFEST.MF", "executable"),
)
ODF_TYPES = {
    b"application/vnd.oasis.opendocument.text": "odt",
    b"application/vnd.oasis.opendocument.spreadsheet": "ods",
    b"application/vnd.oasis.opendocument.presentation": "odp",
}
OLE_MAGIC = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
OLE_STREAMS: tuple[tuple[str, str], ...] = (
    ("EncryptedPackage", ENCRYPTED_OFFICE),
    ("__properties_version1.0", "msg"),
    ("WordDocument", "doc"),
    ("Workbook", "xls"),
    ("Book", "xls"),
    ("PowerPoint Document", "ppt"),
)
MACRO_STREAMS = frozenset({"Macros", "VBA", "_VBA_PROJECT", "_VBA_PROJECT_CUR"})

LABELS = {("doc", ".wps"): "wps", ("doc", ".wpt"): "wps", ("xls", ".et"): "et", ("xls", ".ett"): "et"}
"""One format, two names: schools say .wps and .et."""

MAIL_HEADER = re.compile(
    rb"(received|return-path|from|to|cc|subject|date|message-id|mime-version|content-type|delivered-to|x-[\w-]+|reply-to|sender)"
    rb"[ \t]*:",
    re.IGNORECASE,
)
MARKUP = re.compile(rb"<(?:!doctype\s+html|html|head|body|table|div|meta|p|span|style)\b", re.IGNORECASE)
FLAT_XML = ((b'progid="Word.Document"', "word-xml"), (b'progid="Excel.Sheet"', "excel-xml"))
TEXT_LABELS = {".csv": "csv", ".tsv": "csv", ".ics": "ics", ".vcf": "vcf", ".json": "json", ".xml": "xml"}
MAX_DIRECTORY_SECTORS = 512


@dataclass(frozen=True, slots=True)
class Sniffed:
    """A file's format and what makes it special."""

    format: str
    encrypted: bool = False
    macros: bool = False
    damaged: bool = False
    """Begins like the format but cannot be opened as such."""


def sniffed(data: bytes, name: str | None = None) -> Sniffed:
    """What the bytes are. `name` only settles labels and what a double click would run."""
    if name and EXECUTABLE_NAME.search(name):
        return Sniffed("executable")
    if data.startswith((b"PK\x03\x04", b"PK\x05\x06", b"PK\x07\x08")):
        return _zip(data)
    if data.startswith(OLE_MAGIC):
        return _labelled(_ole(data), name)
    for magic, offset, kind in MAGIC:
        if data.startswith(magic, offset) and not (kind in ("bmp", "executable") and _is_text(data)):
            return Sniffed(kind)
    if data[:2] == b"#!":
        return Sniffed("executable")
    return Sniffed(_text_format(data, name))


def is_mail(data: bytes, name: str | None = None) -> bool:
    """Whether the bytes are a mail: it begins with header lines, or is called .eml and is no office file."""
    if looks_like_mail(data):
        return True
    return bool(name and name.lower().endswith(".eml")) and sniffed(data).format in (UNKNOWN, "txt", "html")


def looks_like_mail(data: bytes) -> bool:
    """Whether the first lines are mail headers."""
    head = data[:4096].lstrip(b"\xef\xbb\xbf\r\n \t")
    if head.startswith(b"From ") and b"\n" in head:
        head = head.split(b"\n", 1)[1]
    known = 0
    for line in islice(head.split(b"\n"), 30):
        if not line.strip():
            break
        if MAIL_HEADER.match(line):
            known += 1
        elif not line.startswith((b" ", b"\t")) and not re.match(rb"[!-9;-~]+[ \t]*:", line):
            break
    return known >= 2


def _labelled(found: Sniffed, name: str | None) -> Sniffed:
    ending = "." + (name or "").lower().rpartition(".")[2]
    label = LABELS.get((found.format, ending), found.format)
    return Sniffed(label, found.encrypted, found.macros, found.damaged)


def _zip(data: bytes) -> Sniffed:
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            return _package(archive)
    except (
        zipfile.BadZipFile,
        OSError,
        ValueError,
        struct.error,
        EOFError,
        NotImplementedError,
        RuntimeError,
    ):
        return Sniffed(_damaged_zip(data), damaged=True)


def _package(archive: zipfile.ZipFile) -> Sniffed:
    names = archive.NameToInfo
    if "mimetype" in names and names["mimetype"].file_size < 200:
        kind = ODF_TYPES.get(archive.read("mimetype").strip().removesuffix(b"-template"))
        if kind:
            return Sniffed(kind, encrypted=_odf_encrypted(archive))
    macros = any(name.endswith("vbaProject.bin") for name in names)
    if "[Content_Types].xml" in names or "_rels/.rels" in names:
        for prefix, kind in ZIP_MEMBERS:
            if any(name.startswith(prefix) for name in names):
                return Sniffed(kind, macros=macros)
    for prefix, kind in ZIP_MEMBERS[4:]:
        if prefix in names:
            return Sniffed(kind)
    return Sniffed("zip", encrypted=any(info.flag_bits & 1 for info in archive.infolist()))


def _odf_encrypted(archive: zipfile.ZipFile) -> bool:
    info = archive.NameToInfo.get("META-INF/manifest.xml")
    if info is None or info.file_size > 1 << 20:
        return False
    return b"encryption-data" in archive.read(info)


def _damaged_zip(data: bytes) -> str:
    """What a broken zip was meant to be, from the names that still stand in its beginning."""
    head = data[: 1 << 16]
    for mark, kind in (
        (b"word/", "docx"),
        (b"xl/", "xlsx"),
        (b"ppt/", "pptx"),
        (b"opendocument.text", "odt"),
    ):
        if mark in head:
            return kind
    return "docx" if b"[Content_Types].xml" in head else "zip"


def ole_streams(data: bytes) -> tuple[str, ...]:
    """Names of the streams and storages of an OLE file, as far as its directory can be read."""
    try:
        return tuple(_ole_names(data))
    except (struct.error, IndexError, ZeroDivisionError):
        return ()


def _ole_names(data: bytes) -> list[str]:
    shift = min(struct.unpack_from("<H", data, 30)[0], 16)
    size = 1 << shift
    fat_sectors = [sector for sector in struct.unpack_from("<109I", data, 76) if sector < 0xFFFFFFF0]
    sector = struct.unpack_from("<I", data, 48)[0]
    names: list[str] = []
    for _ in range(MAX_DIRECTORY_SECTORS):
        start = (sector + 1) * size
        if sector >= 0xFFFFFFF0 or start >= len(data):
            break
        for entry in range(start, min(start + size, len(data) - 127), 128):
            length = struct.unpack_from("<H", data, entry + 64)[0]
            if 2 < length <= 64:
                names.append(data[entry : entry + length - 2].decode("utf-16-le", "replace"))
        fat_index, position = divmod(sector, size // 4)
        sector = struct.unpack_from("<I", data, (fat_sectors[fat_index] + 1) * size + position * 4)[0]
    return names


def _ole(data: bytes) -> Sniffed:
    names = frozenset(ole_streams(data))
    macros = bool(names & MACRO_STREAMS)
    for stream, kind in OLE_STREAMS:
        if stream in names:
            return Sniffed(kind, encrypted=kind == ENCRYPTED_OFFICE, macros=macros)
    wide = data[: 1 << 20]
    for stream, kind in OLE_STREAMS:
        if stream.encode("utf-16-le") in wide:
            return Sniffed(kind, encrypted=kind == ENCRYPTED_OFFICE, macros=macros, damaged=not names)
    return Sniffed(UNKNOWN, damaged=not names)


def _is_text(data: bytes) -> bool:
    head = data[:2048]
    return bool(head) and b"\x00" not in head and sum(byte < 9 for byte in head) == 0


def _text_format(data: bytes, name: str | None) -> str:
    head = data[:8192]
    wide = head.startswith((b"\xff\xfe", b"\xfe\xff"))
    if not head.strip() or (b"\x00" in head and not wide):
        return UNKNOWN
    for mark, kind in FLAT_XML:
        if mark in head:
            return kind
    if looks_like_mail(head):
        return (
            "mht"
            if re.search(rb"multipart/related", head, re.IGNORECASE) and _is_office_name(name)
            else "eml"
        )
    ending = "." + (name or "").lower().rpartition(".")[2]
    if MARKUP.search(head.replace(b"\x00", b"")) and ending not in (".csv", ".txt"):
        return "html"
    if sum(byte < 9 or 14 <= byte < 27 for byte in head) and not wide:
        return UNKNOWN
    return TEXT_LABELS.get(ending, "txt")


def _is_office_name(name: str | None) -> bool:
    return bool(name) and str(name).lower().endswith(
        (".doc", ".docx", ".xls", ".xlsx", ".mht", ".mhtml", ".wps", ".et")
    )
