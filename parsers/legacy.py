"""Formats that are first turned into .docx or .xlsx: Word 97 and WPS files, OpenDocument, RTF.

A .doc is translated by msdoc2docx, which is quick; where that hesitates, LibreOffice translates it too, and
each mends what the other is known to lose. Formulas saved without their values are computed here as well.
"""

from __future__ import annotations

import io
import re
import tempfile
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

import doc2docx
from doc2docx.cfb import CompoundFileLimits
from doc2docx.errors import Doc2DocxError, EncryptedDocumentError

from parsers import glyphs, libreoffice, sheet, word
from parsers.content import (
    TICK_OFF,
    TICK_ON,
    TICK_UNKNOWN,
    Cell,
    Content,
    Limits,
    Paragraph,
    Table,
    Unreadable,
)

ENCRYPTED = "文件已加密，无法打开，请发送未加密的文件"
MISREAD_RISK = "此文件中有文本框、图形或窗体，只读出了一部分，请对照原件核对"
DIFFERENT_READINGS = "两种读法得到的文字不同，请对照原件核对"

WORD_FORMATS = frozenset({"doc", "wps"})
TARGETS: Mapping[str, str] = {
    "odt": "docx", "fodt": "docx", "rtf": "docx", "doc": "docx", "wps": "docx", "word-xml": "docx",
    "ods": "xlsx", "fods": "xlsx", "xlsx": "xlsx", "xlsm": "xlsx", "xls": "xlsx", "et": "xlsx", "xlsb": "xlsx",
    "excel-xml": "xlsx",
}  # fmt: skip
"""What LibreOffice makes of each format."""
ENDINGS: Mapping[str, str] = {
    "wps": "doc", "et": "xls", "xlsm": "xlsx", "word-xml": "xml", "excel-xml": "xml",
}  # fmt: skip
"""The ending by which LibreOffice knows a format, where it is another one."""

HESITATIONS = re.compile(
    r"INLINE_BINARY_DATA_DEFERRED|(?<!_)FIELDS_FLATTENED|TEXTBOX|OFFICEART_|FLOATING_SHAPE|OBJECT_ANCHOR_DEFERRED"
    r"|TABLE_MALFORMED|MALFORMED_TABLE|TABLE_DEPTH_LIMITED|TABLE_MARKER_DEFERRED|UNTERMINATED_FIELD"
)
"""Diagnostics of msdoc2docx after which something visible may be missing from what it wrote."""
FORM_CHECKBOX = (b"FORMCHECKBOX", "FORMCHECKBOX".encode("utf-16-le"))
VOLATILE = re.compile(rb"<(?:\w+:)?f\b[^>]*>[^<]*\b(?:TODAY|NOW|RAND|RANDBETWEEN)\(", re.IGNORECASE)
MARKS = glyphs.ON | glyphs.OFF | glyphs.CROSS | {TICK_UNKNOWN}
MAX_OBJECTS = 4096


def content(data: bytes, format: str, limits: Limits) -> Content:
    """What a file of one of these formats shows; raises Unreadable or Refused with the reason in Chinese."""
    if format in WORD_FORMATS:
        return replace(_word97(data, limits), format=format)
    return replace(_through_office(data, format, limits), format=format)


def recalculated(data: bytes, format: str, shown: Content, limits: Limits) -> Content:
    """The workbook with its formulas computed, where `shown` lacks their values; else `shown` as it is.

    Stays as it is, doubts and all, where no LibreOffice is installed, or where a formula asks for today's date:
    what it gives now is not what the school saw.
    """
    if not _lacks_values(shown) or libreoffice.installed() is None or _is_volatile(data):
        return shown
    try:
        computed = content(data, format, limits)
    except Unreadable:
        return shown
    return replace(computed, notes=shown.notes, properties=shown.properties)


def _lacks_values(shown: Content) -> bool:
    tables = (block for block in shown.blocks if isinstance(block, Table))
    return any(cell.doubt == sheet.NO_CACHED_VALUE for table in tables for cell in table.cells)


def _is_volatile(data: bytes) -> bool:
    """Whether a formula gives another value every time it is computed."""
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            members = [name for name in archive.namelist() if name.startswith("xl/worksheets/")]
            return any(VOLATILE.search(archive.read(name)) for name in members)
    except (zipfile.BadZipFile, OSError, NotImplementedError, RuntimeError):
        return True


def as_workbook(data: bytes, format: str, limits: Limits) -> bytes:
    """The spreadsheet as .xlsx; raises Unreadable or Refused with the reason in Chinese."""
    return libreoffice.converted(data, ENDINGS.get(format, format), "xlsx", limits)


def _through_office(data: bytes, format: str, limits: Limits) -> Content:
    target = TARGETS[format]
    made = libreoffice.converted(data, ENDINGS.get(format, format), target, limits)
    return word.content(made, limits) if target == "docx" else sheet.xlsx_content(made, limits)


# ---------------------------------------------------------------- Word 97


@dataclass(frozen=True, slots=True)
class _Draft:
    """What msdoc2docx made of a file, and whether it may have lost something."""

    content: Content
    hesitates: bool


def _word97(data: bytes, limits: Limits) -> Content:
    draft = _quick(data, limits)
    if draft is not None and not draft.hesitates:
        return draft.content
    try:
        office = _through_office(data, "doc", limits)
    except Unreadable:
        if draft is None:
            raise
        return _doubted(draft.content)
    return merged(office, draft.content) if draft else office


def _quick(data: bytes, limits: Limits) -> _Draft | None:
    """The file as msdoc2docx reads it; None if it cannot. Raises Unreadable for an encrypted file."""
    with tempfile.TemporaryDirectory(prefix="djb-word97-") as name:
        source, made = Path(name) / "in.doc", Path(name) / "out.docx"
        source.write_bytes(data)
        try:
            result = doc2docx.convert(source, made, limits=CompoundFileLimits())
            shown = word.content(made.read_bytes(), limits)
        except EncryptedDocumentError as error:
            raise Unreadable(ENCRYPTED) from error
        except (Doc2DocxError, Unreadable, ValueError, LookupError, TypeError, ArithmeticError, OSError):
            return None
        except (AttributeError, RecursionError, AssertionError):  # a damaged file met an unforeseen case
            return None
    codes = " ".join(item.code for item in result.report.diagnostics)
    hesitates = bool(HESITATIONS.search(codes)) or any(mark in data for mark in FORM_CHECKBOX)
    return _Draft(shown, hesitates or not shown.blocks)


def _doubted(shown: Content) -> Content:
    """The content with a doubt on everything, for a draft that nobody could check."""

    def doubt(block: Paragraph | Table) -> Paragraph | Table:
        if isinstance(block, Paragraph):
            return replace(block, doubt=block.doubt or MISREAD_RISK)
        return replace(
            block, cells=tuple(replace(cell, doubt=cell.doubt or MISREAD_RISK) for cell in block.cells)
        )

    return replace(
        shown, blocks=tuple(doubt(block) for block in shown.blocks), notes=(*shown.notes, MISREAD_RISK)
    )


# ---------------------------------------------------------------- two readings


def merged(office: Content, quick: Content) -> Content:
    """LibreOffice's reading with the ticks that only the quick reading kept.

    LibreOffice sees text boxes and form fields, but drops ticks made by overlaying characters (EQ fields).
    """
    readings = [block for block in quick.blocks if isinstance(block, Table)]
    counterparts = iter(readings)
    blocks: list[Paragraph | Table] = []
    for block in office.blocks:
        if isinstance(block, Table):
            other = next(counterparts, None)
            same_shape = other is not None and (other.rows, other.columns) == (block.rows, block.columns)
            blocks.append(_merged_table(block, other) if other is not None and same_shape else block)
        else:
            blocks.append(_merged_paragraph(block, quick))
    return replace(office, blocks=tuple(blocks), notes=tuple(dict.fromkeys((*office.notes, *quick.notes))))


def _merged_table(office: Table, quick: Table) -> Table:
    others = {(cell.row, cell.column): cell for cell in quick.cells}
    cells = []
    for cell in office.cells:
        other = others.get((cell.row, cell.column))
        cells.append(cell if other is None else _merged_cell(cell, other))
    return replace(office, cells=tuple(cells))


def _merged_cell(office: Cell, quick: Cell) -> Cell:
    text, doubt = _reconciled(office.text, quick.text)
    return replace(office, text=text, doubt=office.doubt or doubt)


def _merged_paragraph(office: Paragraph, quick: Content) -> Paragraph:
    for block in quick.blocks:
        if isinstance(block, Paragraph) and _without_marks(block.text) == _without_marks(office.text):
            text, doubt = _reconciled(office.text, block.text)
            return replace(office, text=text, doubt=office.doubt or doubt)
    return office


def _reconciled(office: str, quick: str) -> tuple[str, str | None]:
    """One text out of two, and why it is doubtful."""
    if _without_marks(office) != _without_marks(quick):
        longer = len(_without_marks(quick)) > len(_without_marks(office))
        return office, DIFFERENT_READINGS if longer else None
    ours, theirs = _marks(office), _marks(quick)
    if ours == theirs or len(ours) > len(theirs):
        return office, None
    if len(ours) < len(theirs):
        return quick, None
    conflicting = iter(a if a == b else _agreed(a, b) for a, b in zip(ours, theirs, strict=True))
    return "".join(next(conflicting) if char in MARKS else char for char in office), None


def _agreed(office: str, quick: str) -> str:
    """One mark out of two. A form field that msdoc2docx flattened shows as an empty box, so a tick wins there."""
    both = {
        TICK_ON if mark in glyphs.ON else TICK_OFF if mark in glyphs.OFF else mark for mark in (office, quick)
    }
    return both.pop() if len(both) == 1 else TICK_UNKNOWN


def _without_marks(text: str) -> str:
    return re.sub(r"\s", "", "".join(char for char in text if char not in MARKS))


def _marks(text: str) -> list[str]:
    return [char for char in text if char in MARKS]
