"""The visible cells of spreadsheets: xlsx through openpyxl, xls and et through xlrd, csv by itself.

Hidden sheets are skipped and hidden rows left out but counted; dates keep only the precision that the cell
shows; a formula that was saved without its value is a doubt, never a blank.
"""

from __future__ import annotations

import csv
import io
import os
import re
import struct
import warnings
import zipfile
import zlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, time
from typing import Any

import openpyxl
import xlrd
from lxml import etree
from openpyxl.cell.rich_text import CellRichText, TextBlock
from openpyxl.utils import column_index_from_string, get_column_letter
from openpyxl.utils.exceptions import InvalidFileException
from xlrd.compdoc import CompDocError

from parsers.content import TICK_OFF, TICK_ON, Cell, Content, Limits, Paragraph, Refused, Table, Unreadable
from parsers.floating import Float, floats
from parsers.glyphs import shifted, through_font
from parsers.values import Place

DAMAGED = "文件已损坏，无法打开"
NO_CACHED_VALUE = "单元格是公式，文件中没有保存计算结果"
VALUELESS = re.compile(
    rb"(?:</(?:\w+:)?f>|<(?:\w+:)?f\b[^>]*/>)\s*(?:<(?:\w+:)?v\s*/>|<(?:\w+:)?v>\s*</(?:\w+:)?v>)?\s*</(?:\w+:)?c>"
)
"""A formula's cell that ends without the value it gave."""
DATE_WITHOUT_DAY = re.compile(r"^[^d日]*$", re.IGNORECASE)
STRICT = (
    (
        b"http://purl.oclc.org/ooxml/spreadsheetml/main",
        b"http://schemas.openxmlformats.org/spreadsheetml/2006/main",
    ),
    (
        b"http://purl.oclc.org/ooxml/officeDocument/relationships",
        b"http://schemas.openxmlformats.org/officeDocument/2006/relationships",
    ),
    (
        b"http://purl.oclc.org/ooxml/drawingml/main",
        b"http://schemas.openxmlformats.org/drawingml/2006/main",
    ),
)
"""Namespaces of strict OOXML, which openpyxl does not know, and what they are called otherwise."""

_BROKEN_XLSX = (
    zipfile.BadZipFile,
    zlib.error,
    InvalidFileException,
    KeyError,
    ValueError,
    TypeError,
    IndexError,
    AttributeError,
    EOFError,
    OSError,
    NotImplementedError,
    etree.XMLSyntaxError,
    SyntaxError,
    ArithmeticError,
    RecursionError,
    struct.error,
)
_BROKEN_XLS = (
    xlrd.XLRDError,
    CompDocError,
    struct.error,
    ArithmeticError,
    RecursionError,
    AssertionError,
    IndexError,
    KeyError,
    TypeError,
    ValueError,
    AttributeError,
    MemoryError,
    EOFError,
    OSError,
    NotImplementedError,
)


@dataclass(frozen=True, slots=True)
class _Value:
    """What one grid position shows."""

    text: str
    struck: tuple[str, ...] = ()
    emphasised: tuple[str, ...] = ()
    doubt: str | None = None


# ---------------------------------------------------------------- xlsx


def xlsx_content(data: bytes, limits: Limits) -> Content:
    """What an .xlsx workbook shows; raises Unreadable or Refused with the reason in Chinese."""
    prepared, notes, lacks_values, above = _prepared(data, limits)
    shown = _load(prepared, data_only=True)
    formulas = _load(prepared, data_only=False) if lacks_values else None
    tables: list[Paragraph | Table] = []
    for sheet in shown.worksheets:
        if sheet.sheet_state != "visible":
            notes.append(f"工作表“{sheet.title}”是隐藏的，未读入")
            continue
        written = formulas[sheet.title] if formulas is not None else None
        tables.append(_xlsx_table(sheet, written, above.get(sheet.title, ()), limits))
    properties = {item.name: str(item.value) for item in shown.custom_doc_props if item.value is not None}
    return Content("xlsx", tuple(tables), tuple(notes), properties)


def _load(data: bytes, data_only: bool) -> Any:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return openpyxl.load_workbook(
                io.BytesIO(data), data_only=data_only, rich_text=data_only, keep_links=False
            )
    except _BROKEN_XLSX as error:
        raise Unreadable(DAMAGED) from error


def _prepared(data: bytes, limits: Limits) -> tuple[bytes, list[str], bool, Mapping[str, Sequence[Float]]]:
    """The workbook with endless sheets cut and strict namespaces translated, notes, whether formulas lack values,
    and what floats over each sheet."""
    notes: list[str] = []
    try:
        archive = zipfile.ZipFile(io.BytesIO(data))
        infos = archive.infolist()
        if any(info.file_size > limits.part_bytes for info in infos):
            raise Refused(f"表格展开后过大（超过 {limits.part_bytes >> 20} MB），未打开")
        if sum(info.file_size for info in infos) > limits.total_bytes:
            raise Refused(f"表格展开后过大（超过 {limits.total_bytes >> 20} MB），未打开")
        members = {info.filename: archive.read(info) for info in infos if info.filename and not info.is_dir()}
    except RuntimeError as error:
        raise Unreadable("文件已加密，请发送未加密的文件") from error
    except _BROKEN_XLSX as error:
        raise Unreadable(DAMAGED) from error
    if any(name.endswith("vbaProject.bin") for name in members):
        notes.append("文件带有宏，未运行")
    if any(b"<!DOCTYPE" in part[:1000] for name, part in members.items() if name.endswith((".xml", ".rels"))):
        raise Refused("文件内含外部实体声明，为安全起见未打开")
    changed = {
        name: after
        for name, part in members.items()
        if name.endswith((".xml", ".rels")) and (after := _transitional(_cut(part, name, limits))) is not part
    }
    lacking = any(VALUELESS.search(part) for name, part in members.items() if "worksheets/" in name)
    above = floats(members)
    if not changed:
        return data, notes, lacking, above
    rebuilt = io.BytesIO()
    with zipfile.ZipFile(rebuilt, "w", zipfile.ZIP_STORED) as target:
        for name, part in members.items():
            target.writestr(name, changed.get(name, part))
    return rebuilt.getvalue(), notes, lacking, above


def _transitional(part: bytes) -> bytes:
    if b"http://purl.oclc.org/ooxml" not in part:
        return part
    for strict, transitional in STRICT:
        part = part.replace(strict, transitional)
    return part


def _cut(part: bytes, name: str, limits: Limits) -> bytes:
    """The sheet without the rows beyond the limit, so that formatting down to the last row costs nothing."""
    if "worksheets/" not in name:
        return part
    first = re.search(rb'<(?:\w+:)?row\b[^>]*\br="%d"' % (limits.rows + 1), part)
    end = re.search(rb"</(?:\w+:)?sheetData>", part)
    if first is None or end is None or end.start() < first.start():
        return part
    return part[: first.start()] + part[end.start() :]


def _xlsx_table(sheet: Any, formulas: Any, above: Sequence[Float], limits: Limits) -> Table:
    last_row = min(sheet.max_row or 0, limits.rows)
    last_column = min(sheet.max_column or 0, limits.columns)
    hidden_rows = frozenset(
        number - 1
        for number, row in sheet.row_dimensions.items()
        if (row.hidden or row.height == 0) and number <= last_row
    )
    hidden_columns = _hidden_columns(sheet, last_column)
    spans, covered = _spans(
        (area.min_row - 1, area.max_row - 1, area.min_col - 1, area.max_col - 1)
        for area in sheet.merged_cells.ranges
    )
    values: dict[tuple[int, int], _Value] = {}
    for row in sheet.iter_rows(min_row=1, max_row=last_row, max_col=last_column):
        for cell in row:
            at = (cell.row - 1, cell.column - 1)
            if at in covered:
                continue
            value = _xlsx_value(cell, formulas)
            if value.text or value.struck or value.doubt:
                values[at] = value
    _lay_down(above, values, spans)
    return _table(sheet.title, values, spans, hidden_rows, hidden_columns, limits)


OPTION = re.compile(r"书记|科室")
NOTE_BOX = re.compile(r"说明|注意|要求|提示")
FLOATING_TEXT = "单元格上有浮动的文本框“{}”，请核对"
FLOATING_CONTROL = "单元格上有复选框控件，不知道勾的是哪一项"


def _lay_down(
    above: Sequence[Float],
    values: dict[tuple[int, int], _Value],
    spans: Mapping[tuple[int, int], tuple[int, int]],
) -> None:
    """Writes what floats over the sheet into the cells below it, with a doubt where it may belong elsewhere."""
    owners = {
        (row, column): at
        for at, (height, width) in spans.items()
        for row in range(at[0], at[0] + height)
        for column in range(at[1], at[1] + width)
    }
    for thing in above:
        covered = [
            owners.get((row, column), (row, column))
            for row in range(thing.top, min(thing.bottom, thing.top + 20) + 1)
            for column in range(thing.left, min(thing.right, thing.left + 20) + 1)
        ]
        known = [at for at in covered if at in values and OPTION.search(values[at].text)]
        at = known[0] if known and thing.tick else covered[0] if covered else (thing.top, thing.left)
        values[at] = _laid(thing, values.get(at, _Value("")))


def _laid(thing: Float, cell: _Value) -> _Value:
    """The cell with what floats over it."""
    if thing.tick is None:
        if NOTE_BOX.search(thing.text[:20]):
            return cell
        doubt = (
            None
            if ":" in thing.text.replace("：", ":") and not cell.text
            else FLOATING_TEXT.format(thing.text[:20])
        )
        return replace(cell, text=cell.text or thing.text, doubt=cell.doubt or doubt)
    if thing.text and thing.text in cell.text:
        return replace(cell, text=cell.text.replace(thing.text, thing.tick + thing.text, 1))
    if thing.text:
        # Boxes that name the options stand for them; beside other text they may belong elsewhere.
        foreign = cell.text and not cell.text.startswith((TICK_ON, TICK_OFF))
        text = f"{cell.text}\n{thing.tick}{thing.text}".strip()
        return replace(cell, text=text, doubt=cell.doubt or (FLOATING_CONTROL if foreign else None))
    if len(OPTION.findall(cell.text)) == 1 and not cell.text.startswith((TICK_ON, TICK_OFF)):
        return replace(cell, text=thing.tick + cell.text)
    return replace(cell, text=cell.text or thing.tick, doubt=FLOATING_CONTROL)


def _hidden_columns(sheet: Any, last_column: int) -> frozenset[int]:
    hidden: set[int] = set()
    for dimension in sheet.column_dimensions.values():
        if dimension.hidden or dimension.width == 0:
            hidden.update(range((dimension.min or 1) - 1, min(dimension.max or 1, last_column)))
    return frozenset(hidden)


def _xlsx_value(cell: Any, formulas: Any) -> _Value:
    value = cell.value
    if value is None:
        written = formulas.cell(cell.row, cell.column) if formulas is not None else None
        if written is None or written.data_type != "f":
            return _Value("")
        added_up = _Sums(formulas).value(str(written.value))
        return _Value("", doubt=NO_CACHED_VALUE) if added_up is None else _Value(str(added_up))
    struck: tuple[str, ...] = ()
    emphasised: tuple[str, ...] = ()
    if isinstance(value, CellRichText):
        text, struck, emphasised = _rich(value, cell.font.name if cell.has_style else None)
    else:
        text = shown_text(value, cell.number_format)
        if cell.has_style:
            text = shifted(through_font(text, cell.font.name), cell.font.vertAlign)
            if cell.font.strike:
                return _Value("", struck=(text,))
            if cell.font.b or cell.font.u:
                emphasised = (text,)
    return _Value(text, struck, emphasised, _invisible(cell) if cell.has_style else None)


INVISIBLE = "此格的内容看不见（文字与底色相同，或格式设为不显示），请核对"
WHITE = "FFFFFF"
INDEXED = {0: "000000", 1: WHITE, 8: "000000", 9: WHITE}
SHOWS_NOTHING = re.compile(r"\s*;\s*;\s*;?\s*")


SHOWN_OTHERWISE = "单元格格式使显示的内容与实际的数不同，请核对"
COLOUR_OR_LANGUAGE = re.compile(r"\[(?:\$[^\]]*|DBNum\d|[A-Za-z]+\d*)\]", re.IGNORECASE)
LITERAL = re.compile(r'"([^"]*)"|\\(.)')
UNIT_AFTER_NUMBER = re.compile(r"[\s个次件项条期场家所支部党平台人名题数元]*")
SCALED_DOWN = re.compile(r"[0#?],+(?![0#?])")


def _shows_otherwise(number_format: str) -> bool:
    """Whether a format of numbers writes more than the number and its unit, or less than the number."""
    for part in COLOUR_OR_LANGUAGE.sub("", number_format).split(";")[:1]:
        literals = "".join(quoted or escaped for quoted, escaped in LITERAL.findall(part))
        rest = LITERAL.sub("", part)
        if not UNIT_AFTER_NUMBER.fullmatch(literals) or "[" in rest or SCALED_DOWN.search(rest):
            return True
        if rest and not re.search(r"[0#?@]|General|G/|[ymdhs]", rest, re.IGNORECASE):
            return True
    return False


def _invisible(cell: Any) -> str | None:
    """Why nobody sees what the cell holds; None if it is seen."""
    if SHOWS_NOTHING.fullmatch(cell.number_format or ""):
        return INVISIBLE
    if isinstance(cell.value, int | float) and _shows_otherwise(cell.number_format or ""):
        return SHOWN_OTHERWISE
    letters = _colour(cell.font.color)
    if letters is None:
        return None
    fill = cell.fill
    ground = WHITE if fill is None or fill.fill_type is None else _colour(fill.fgColor)
    return INVISIBLE if letters == ground else None


def _colour(colour: Any) -> str | None:
    """Six hexadecimal digits of a colour; None where only the theme or the program knows it."""
    if colour is None:
        return None
    if colour.type == "rgb" and isinstance(colour.rgb, str):
        return colour.rgb[-6:].upper()
    if colour.type == "theme" and not colour.tint:
        return {0: WHITE, 1: "000000"}.get(colour.theme)
    return INDEXED.get(colour.indexed) if colour.type == "indexed" else None


REFERENCE = re.compile(r"\$?([A-Z]{1,2})\$?(\d{1,4})")
TERM = r"SUM\([A-Z0-9$:,]+\)|\$?[A-Z]{1,2}\$?\d{1,4}|\d{1,9}"
SUMS = re.compile(rf"(?:[+-]?(?:{TERM}))(?:[+-](?:{TERM}))*")


class _Sums:
    """Adds up what a formula of sums and differences gives, where the file does not say it."""

    def __init__(self, sheet: Any) -> None:
        self.sheet = sheet
        self.steps = 2_000

    def value(self, formula: str) -> int | None:
        """The whole number that the formula gives; None for any other formula, or one that goes in circles."""
        plain = formula.removeprefix("=").replace(" ", "").upper()
        if not SUMS.fullmatch(plain):
            return None
        total = 0
        for sign, term in re.findall(rf"([+-]?)({TERM})", plain):
            value = int(term) if term.isdigit() else self._areas(term.removeprefix("SUM(").rstrip(")"))
            if value is None:
                return None
            total += -value if sign == "-" else value
        return total

    def _areas(self, areas: str) -> int | None:
        total = 0
        for area in areas.split(","):
            corners = [REFERENCE.fullmatch(corner) for corner in area.split(":")]
            known = [corner for corner in corners if corner is not None]
            if not 1 <= len(corners) <= 2 or len(known) != len(corners):
                return None
            columns = sorted(column_index_from_string(corner.group(1)) for corner in known)
            rows = sorted(int(corner.group(2)) for corner in known)
            for row in range(rows[0], rows[-1] + 1):
                for column in range(columns[0], columns[-1] + 1):
                    value = self._cell(row, column)
                    if value is None:
                        return None
                    total += value
        return total

    def _cell(self, row: int, column: int) -> int | None:
        self.steps -= 1
        if self.steps < 0 or row < 1:
            return None
        cell = self.sheet.cell(row, column)
        if cell.value is None:
            return 0
        if cell.data_type == "f":
            return self.value(str(cell.value)) if self.steps > 0 else None
        number = cell.value
        if isinstance(number, bool) or not isinstance(number, int | float) or not float(number).is_integer():
            return None
        return int(number)


def _rich(value: CellRichText, cell_font: str | None) -> tuple[str, tuple[str, ...], tuple[str, ...]]:
    shown: list[str] = []
    struck: list[str] = []
    emphasised: list[str] = []
    for piece in value:
        if not isinstance(piece, TextBlock):
            shown.append(through_font(str(piece), cell_font))
            continue
        text = shifted(through_font(piece.text, piece.font.rFont or cell_font), piece.font.vertAlign)
        if piece.font.strike:
            struck.append(text)
            continue
        shown.append(text)
        if piece.font.b or piece.font.u:
            emphasised.append(text)
    return "".join(shown), tuple(struck), tuple(emphasised)


def shown_text(value: object, number_format: str | None) -> str:
    """A cell's value as text: whole numbers without a point, dates only as precise as the cell shows them."""
    if isinstance(value, bool):
        return "是" if value else "否"
    if isinstance(value, datetime | date):
        return _shown_date(value, number_format or "")
    if isinstance(value, time):
        return value.isoformat()
    if isinstance(value, float) and value.is_integer() and abs(value) < 1e15:
        return str(int(value))
    return str(value)


def _shown_date(value: datetime | date, number_format: str) -> str:
    plain_format = re.sub(r"\[[^\]]*\]|;.*", "", number_format)
    literal = re.sub(r'"([^"]*)"', r"\1", plain_format)
    if "y" in plain_format.lower() and DATE_WITHOUT_DAY.match(literal):
        return f"{value.year}年{value.month}月"
    return value.strftime("%Y-%m-%d")


# ---------------------------------------------------------------- xls, et


def xls_content(data: bytes, limits: Limits) -> Content:
    """What an .xls or .et workbook shows; raises Unreadable or Refused with the reason in Chinese."""
    book = _xls_book(data)
    notes: list[str] = []
    tables: list[Paragraph | Table] = []
    for sheet in book.sheets():
        if sheet.visibility != 0:
            notes.append(f"工作表“{sheet.name}”是隐藏的，未读入")
            continue
        try:
            tables.append(_xls_table(book, sheet, limits))
        except _BROKEN_XLS as error:
            raise Unreadable(DAMAGED) from error
    if FLOATING_OBJECT.search(data):
        tables = [_doubted(table) for table in tables if isinstance(table, Table)]
    if b"_\0V\0B\0A\0_\0P\0R\0O\0J\0E\0C\0T\0" in data:
        notes.append("文件带有宏，未运行")
    return Content("xls", tuple(tables), tuple(notes))


FLOATING_OBJECT = re.compile(rb"\x15\x00\x12\x00[\x06\x0b\x0c]\x00", re.DOTALL)
"""The head of an .xls drawing object that is a text box, a check box or an option button."""
NOT_SEEN = "表中有浮动的文本框或复选框，未能读出，请对照原件核对"


def _doubted(table: Table) -> Table:
    return replace(table, cells=tuple(replace(cell, doubt=cell.doubt or NOT_SEEN) for cell in table.cells))


def _xls_book(data: bytes) -> Any:
    with open(os.devnull, "w", encoding="utf-8") as silent:  # noqa: PTH123 (a stream for xlrd's log)
        for options in ({"formatting_info": True}, {"formatting_info": False}):
            try:
                book = xlrd.open_workbook(file_contents=data, logfile=silent, **options)
                if not book.codepage and book.biff_version < 80:
                    book = xlrd.open_workbook(
                        file_contents=data, logfile=silent, encoding_override="gb18030", **options
                    )
                return book
            except xlrd.XLRDError as error:
                if "encrypted" in str(error).lower():
                    raise Unreadable("文件已加密，请发送未加密的文件") from error
                failure: Exception = error
            except _BROKEN_XLS as error:
                failure = error
    raise Unreadable(DAMAGED) from failure


def _xls_table(book: Any, sheet: Any, limits: Limits) -> Table:
    rows = min(sheet.nrows, limits.rows)
    columns = min(sheet.ncols, limits.columns)
    hidden_rows = frozenset(
        number
        for number, info in sheet.rowinfo_map.items()
        if (info.hidden or info.height == 0) and number < rows
    )
    hidden_columns = frozenset(
        number for number, info in sheet.colinfo_map.items() if info.hidden and number < columns
    )
    spans, covered = _spans(
        (top, bottom - 1, left, right - 1) for top, bottom, left, right in sheet.merged_cells
    )
    values: dict[tuple[int, int], _Value] = {}
    for row in range(rows):
        for column in range(min(columns, sheet.row_len(row))):
            if (row, column) in covered:
                continue
            value = _xls_value(book, sheet, row, column)
            if value.text or value.struck:
                values[(row, column)] = value
    return _table(sheet.name, values, spans, hidden_rows, hidden_columns, limits)


def _xls_value(book: Any, sheet: Any, row: int, column: int) -> _Value:
    cell = sheet.cell(row, column)
    if cell.ctype in {xlrd.XL_CELL_EMPTY, xlrd.XL_CELL_BLANK}:
        return _Value("")
    formatting = book.xf_list[cell.xf_index] if cell.xf_index is not None and book.xf_list else None
    value: object = cell.value
    if cell.ctype == xlrd.XL_CELL_DATE:
        pattern = book.format_map[formatting.format_key].format_str if formatting else ""
        try:
            value = xlrd.xldate_as_datetime(cell.value, book.datemode)
        except (ValueError, OverflowError, xlrd.xldate.XLDateError):
            return _Value(str(cell.value))
        return _Value(shown_text(value, pattern))
    if cell.ctype == xlrd.XL_CELL_BOOLEAN:
        value = bool(cell.value)
    if cell.ctype == xlrd.XL_CELL_ERROR:
        return _Value(xlrd.error_text_from_code.get(cell.value, "#ERROR"))
    text = shown_text(value, None)
    font = book.font_list[formatting.font_index] if formatting and book.font_list else None
    if font is None:
        return _Value(text)
    text = shifted(through_font(text, font.name), ESCAPEMENT.get(font.escapement))
    runs = sheet.rich_text_runlist_map.get((row, column))
    if runs:
        text = _with_runs(book, text, runs)
    if font.struck_out:
        return _Value("", struck=(text,))
    emphasised = (text,) if font.bold or font.underline_type else ()
    return _Value(
        text,
        emphasised=emphasised,
        doubt=_invisible_in_xls(book, formatting, font, cell.ctype == xlrd.XL_CELL_NUMBER),
    )


ESCAPEMENT = {1: "super", 2: "sub"}
AUTOMATIC = frozenset({None, 64, 65, 0x7FFF})
NO_PATTERN = 0


def _with_runs(book: Any, text: str, runs: Sequence[tuple[int, int]]) -> str:
    """The text with what runs of its own set above or below the line."""
    ends = [*(start for start, _font in runs[1:]), len(text)]
    pieces = [
        shifted(text[start:end], ESCAPEMENT.get(book.font_list[number].escapement))
        for (start, number), end in zip(runs, ends, strict=True)
    ]
    return text[: runs[0][0]] + "".join(pieces)


def _invisible_in_xls(book: Any, formatting: Any, font: Any, is_number: bool) -> str | None:
    pattern = book.format_map.get(formatting.format_key)
    if pattern is not None and SHOWS_NOTHING.fullmatch(pattern.format_str):
        return INVISIBLE
    if pattern is not None and is_number and _shows_otherwise(pattern.format_str):
        return SHOWN_OTHERWISE
    ground = formatting.background
    paper = ground.pattern_colour_index if ground.fill_pattern != NO_PATTERN else None
    letters = book.colour_map.get(font.colour_index) if font.colour_index not in AUTOMATIC else (0, 0, 0)
    behind = book.colour_map.get(paper) if paper not in AUTOMATIC else (255, 255, 255)
    return INVISIBLE if letters is not None and letters == behind else None


# ---------------------------------------------------------------- both


def _spans(
    areas: Iterable[tuple[int, int, int, int]],
) -> tuple[Mapping[tuple[int, int], tuple[int, int]], frozenset[tuple[int, int]]]:
    """Size of each merged area by its first position, and the positions that it covers."""
    sizes: dict[tuple[int, int], tuple[int, int]] = {}
    covered: set[tuple[int, int]] = set()
    for top, bottom, left, right in areas:
        bottom, right = min(bottom, top + 2000), min(right, left + 60)
        sizes[(top, left)] = (bottom - top + 1, right - left + 1)
        covered.update(
            (row, column)
            for row in range(top, bottom + 1)
            for column in range(left, right + 1)
            if (row, column) != (top, left)
        )
    return sizes, frozenset(covered)


def _table(
    name: str,
    values: Mapping[tuple[int, int], _Value],
    spans: Mapping[tuple[int, int], tuple[int, int]],
    hidden_rows: frozenset[int],
    hidden_columns: frozenset[int],
    limits: Limits,
) -> Table:
    cells: list[Cell] = []
    rows = columns = 0
    for (row, column), value in sorted(values.items()):
        height, width = spans.get((row, column), (1, 1))
        shown_rows = [r for r in range(row, row + height) if r not in hidden_rows]
        if not shown_rows:
            continue
        rows, columns = max(rows, row + height), max(columns, column + width)
        where = f"工作表“{name}”{get_column_letter(column + 1)}{row + 1}"
        cells.append(
            Cell(
                text=value.text.strip(),
                row=row,
                column=column,
                place=Place(where, sheet=name, row=row, column=column),
                row_span=height,
                column_span=width,
                emphasised=value.emphasised,
                struck=value.struck,
                doubt=value.doubt,
            )
        )
    used = frozenset(row for row in hidden_rows if any(at[0] == row for at in values))
    return Table(
        tuple(cells),
        min(rows, limits.rows),
        min(columns, limits.columns),
        name=name,
        hidden_rows=used,
        hidden_columns=frozenset(column for column in hidden_columns if column < columns),
    )


# ---------------------------------------------------------------- csv


def csv_content(data: bytes, limits: Limits) -> Content:
    """What a csv or tsv file shows; raises Unreadable if it is no text."""
    text = decoded(data)
    if "\0" in text:
        raise Unreadable("不是文本文件，无法按 csv 读取")
    sample = text[:20_000]
    delimiter = max(",\t;|", key=sample.count)
    values: dict[tuple[int, int], _Value] = {}
    try:
        for row, line in enumerate(csv.reader(io.StringIO(text, newline=""), delimiter=delimiter)):
            if row >= limits.rows:
                break
            for column, value in enumerate(line[: limits.columns]):
                if value.strip():
                    values[(row, column)] = _Value(_unescaped(value.strip()))
    except csv.Error as error:
        raise Unreadable("csv 文件格式有误，无法读取") from error
    table = _table("csv", values, {}, frozenset(), frozenset(), limits)
    cells = tuple(
        Cell(c.text, c.row, c.column, Place(f"第{c.row + 1}行第{c.column + 1}列", row=c.row, column=c.column))
        for c in table.cells
    )
    return Content("csv", (Table(cells, table.rows, table.columns),))


def _unescaped(value: str) -> str:
    """The text in Excel's guard against numbers: ="0775…" ."""
    guarded = re.fullmatch(r'="?([^"]*)"?', value)
    return guarded.group(1) if guarded else value.removeprefix("'")


def decoded(data: bytes) -> str:
    """The text in UTF-8, UTF-16 with a mark, else GB18030; what cannot be read stays visible as U+FFFD."""
    if data.startswith((b"\xff\xfe", b"\xfe\xff")):
        return data.decode("utf-16", "replace")
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError:
        return data.decode("gb18030", "replace")
