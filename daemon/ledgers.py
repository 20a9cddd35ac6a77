"""The workbooks of the workflow, as they are sent: problem list, assignment and handling sheet, registers.

Every workbook carries its identity three times (a document property, a very hidden sheet, a hidden column
with each row's own), so that it is known again after Excel, WPS or LibreOffice saved it. What must not be
edited is locked; what may is yellow. Every text is written as text, whatever it begins with.
"""

from __future__ import annotations

import io
import math
import re
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any, Final, cast

from openpyxl import Workbook
from openpyxl.cell import Cell
from openpyxl.packaging.custom import StringProperty
from openpyxl.styles import Alignment, Border, Font, PatternFill, Protection, Side
from openpyxl.utils import get_column_letter
from openpyxl.worksheet.datavalidation import DataValidation
from openpyxl.worksheet.properties import PageSetupProperties
from openpyxl.worksheet.worksheet import Worksheet

from daemon.model import Measure, Problem
from parsers.content import IDENTITY_PROPERTY
from parsers.workbooks import (
    ASSIGNMENT_SHEET,
    CLUE_REGISTER,
    HANDLING_SHEET,
    HIDDEN_SHEET,
    LEDGER,
    MEASURES,
    OVERDUE_LIST,
    PROBLEM_LIST,
    ROW_HEADING,
    Column,
    Holds,
    Layout,
    SentWorkbook,
)

Value = str | int | date | None
Cells = Mapping[str, Value]


@dataclass(frozen=True, slots=True)
class Row:
    """One row of a workbook: its identity, and heading -> value."""

    identity: str
    cells: Cells


@dataclass(frozen=True, slots=True)
class SentFile:
    """A workbook ready to be attached, and what it says, to be kept with the letter."""

    name: str
    data: bytes
    sent: SentWorkbook


@dataclass(frozen=True, slots=True)
class _Sheet:
    """What goes into one workbook."""

    layout: Layout
    about: str
    version: int
    rows: Sequence[Row]
    subtitle: str = ""
    sections: Sequence[str] = ()
    facts: Sequence[tuple[str, str]] = ()
    """Locked lines at the head of a handling sheet: number, school, problem."""
    fields: Cells = field(default_factory=dict)

    @property
    def identity(self) -> str:
        return f"workbook:{self.layout.kind}:{self.about}:{self.version}"


TITLE_FONT: Final = Font(name="黑体", size=16)
NOTE_FONT: Final = Font(name="宋体", size=10, color="404040")
HEADING_FONT: Final = Font(name="宋体", size=10.5, bold=True)
TEXT_FONT: Final = Font(name="宋体", size=10.5)
LINE: Final = Side(style="thin", color="7F7F7F")
BOX: Final = Border(left=LINE, right=LINE, top=LINE, bottom=LINE)
HEADING_FILL: Final = PatternFill("solid", fgColor="DCE6F1")
EDITABLE_FILL: Final = PatternFill("solid", fgColor="FFF9DB")
LOCKED: Final = Protection(locked=True)
OPEN: Final = Protection(locked=False)
CENTRE: Final = Alignment(horizontal="center", vertical="center", wrap_text=True)
LEFT: Final = Alignment(horizontal="left", vertical="center", wrap_text=True)
CENTRED: Final = frozenset(
    {"序号", "编号", "来源", "书记意见", "办理方式", "办结时限", "完成时限", "收到日期", "状态"}
)
INVISIBLE: Final = re.compile("[\x00-\x08\x0b-\x1f\ufffe\uffff\ud800-\udfff]")
LONGEST_CELL: Final = 32_000
CLUE_ROWS: Final = 24
SPARE_MEASURES: Final = 4


# --- the workbooks -----------------------------------------------------------------------------


def problem_list(session: str, version: int, rows: Sequence[Row], subtitle: str = "") -> SentFile:
    """The list for the secretary; one row a problem, `list_row`."""
    return _file(_Sheet(PROBLEM_LIST, session, version, rows, subtitle), f"难点问题清单（{session}）.xlsx")


def assignment_sheet(
    session: str, version: int, rows: Sequence[Row], sections: Sequence[str], subtitle: str = ""
) -> SentFile:
    """The sheet by whose return the office assigns, prefilled; `assignment_row`."""
    sheet = _Sheet(ASSIGNMENT_SHEET, session, version, rows, subtitle, sections)
    return _file(sheet, f"难点问题交办单（{session}）.xlsx")


def handling_sheet(problem: Problem, version: int, lead: str, assists: Sequence[str] = ()) -> SentFile:
    """The living 《办理单》 of one problem, with everything known so far."""
    facts = [
        ("编号", problem.number),
        ("填报单位", problem.reporting_unit),
        ("难点问题", problem.problem),
        ("具体内容及诉求", problem.details),
        ("承办科室", "、".join((f"{lead}（牵头）", *assists))),
        ("办结时限", problem.deadline.isoformat() if problem.deadline else "未定"),
    ]
    if problem.instruction:
        facts.append(("书记批示", problem.instruction))
    rows = [_measure_row(position, measure) for position, measure in enumerate(problem.measures, start=1)]
    spare = [Row(f"M{number}", {}) for number in range(len(rows) + 1, len(rows) + 1 + SPARE_MEASURES)]
    sheet = _Sheet(
        HANDLING_SHEET, problem.number, version, (*rows, *spare), facts=facts, fields=problem.handling
    )
    return _file(sheet, f"难点问题办理单（{problem.number}）.xlsx")


def clue_register(about: str, version: int = 1) -> SentFile:
    """An empty register of clues; its rows have identities, so that a second return files nothing twice."""
    rows = [Row(f"{about}-{number:02d}", {"序号": number}) for number in range(1, CLUE_ROWS + 1)]
    return _file(_Sheet(CLUE_REGISTER, about, version, rows), "问题线索登记表.xlsx")


def ledger(
    about: str, version: int, rows: Sequence[Row], sections: Sequence[str], subtitle: str = ""
) -> SentFile:
    """The ledger of all problems; `ledger_row`."""
    return _file(_Sheet(LEDGER, about, version, rows, subtitle, sections), "难点问题办理台账.xlsx")


def overdue_list(about: str, version: int, rows: Sequence[Row], subtitle: str = "") -> SentFile:
    """The list for the bureau office; rows with the headings of `OVERDUE_LIST`."""
    return _file(_Sheet(OVERDUE_LIST, about, version, rows, subtitle), "难点问题逾期清单.xlsx")


LEVEL_NAMES: Mapping[str, str] = {"secretary": "工委书记", "section": "相关科室"}
SATISFACTION_NAMES: Mapping[str, str] = {
    "satisfied": "满意",
    "mostly_satisfied": "基本满意",
    "dissatisfied": "不满意",
}


def list_row(position: int, problem: Problem, similar: str = "", opinion: str | None = None) -> Row:
    """A problem as a row of the problem list."""
    cells: Cells = {
        "序号": position,
        "编号": problem.number,
        "填报单位": problem.reporting_unit,
        "难点问题": problem.problem,
        "具体内容及诉求": problem.details,
        "来源": problem.source.chinese,
        "反馈层级": _levels(problem),
        "同类情况": similar,
        "书记意见": opinion,
        "备注": problem.remarks,
    }
    return Row(problem.number, cells)


def assignment_row(
    position: int,
    problem: Problem,
    way: str,
    lead: str | None = None,
    assists: Sequence[str] = (),
    deadline: date | None = None,
) -> Row:
    """A problem as a row of the assignment sheet, with what is suggested for it."""
    cells: Cells = {
        "序号": position,
        "编号": problem.number,
        "填报单位": problem.reporting_unit,
        "难点问题": problem.problem,
        "办理方式": way,
        "牵头科室": lead,
        "协办科室": "、".join(assists),
        "办结时限": deadline,
        "备注": problem.remarks,
    }
    return Row(problem.number, cells)


def ledger_row(
    position: int,
    problem: Problem,
    *,
    received_on: date,
    lead: str | None = None,
    assists: Sequence[str] = (),
    light: str = "",
    closed_on: date | None = None,
) -> Row:
    """A problem as a row of the ledger; days are the office's own."""
    cells: Cells = {
        "序号": position,
        "编号": problem.number,
        "收到日期": received_on,
        "填报单位": problem.reporting_unit,
        "难点问题": problem.problem,
        "具体内容及诉求": problem.details,
        "来源": problem.source.chinese,
        "反馈层级": _levels(problem),
        "期次": problem.session,
        "状态": problem.state.chinese,
        "亮灯": light,
        "牵头科室": lead,
        "协办科室": "、".join(assists),
        "办结时限": problem.deadline,
        "办理进展": problem.handling.get("办理进展"),
        "完成情况": problem.handling.get("完成情况"),
        "学校评价": SATISFACTION_NAMES.get(problem.satisfaction or ""),
        "办结日期": closed_on,
        "长效机制": problem.handling.get("长效机制"),
        "备注": problem.remarks,
    }
    return Row(problem.number, cells)


def _levels(problem: Problem) -> str:
    names = "、".join(LEVEL_NAMES.get(level, level) for level in problem.levels)
    return names + (f"（{'、'.join(problem.sections_asked)}）" if problem.sections_asked else "")


def _measure_row(position: int, measure: Measure) -> Row:
    cells: Cells = {
        "任务措施": measure.measure,
        "责任部门": measure.department,
        "完成时限": measure.deadline,
        "完成情况": measure.completion,
    }
    return Row(f"M{position}", cells)


# --- writing -----------------------------------------------------------------------------------


def _file(content: _Sheet, name: str) -> SentFile:
    book = Workbook()
    sheet = book.worksheets[0]
    sheet.title = content.layout.sheet
    widths = _widths(content.layout)
    last = len(widths)
    _line(
        sheet,
        1,
        content.layout.title + (content.subtitle and f"（{content.subtitle}）"),
        TITLE_FONT,
        last,
        widths,
    )
    _line(sheet, 2, content.layout.note, NOTE_FONT, last, widths)
    row = 3
    if content.layout.fields:
        row = _labelled_lines(sheet, row, content, widths)
    _table(sheet, row, content)
    _print_setup(sheet, content, row)
    _protect(sheet, content.layout)
    _hide_identity(book, content)
    stream = io.BytesIO()
    book.save(stream)
    return SentFile(name, stream.getvalue(), _sent(content))


def _sent(content: _Sheet) -> SentWorkbook:
    rows = {row.identity: _texts(row.cells, content.layout.columns) for row in content.rows}
    common = (content.layout.kind, content.about, str(content.version))
    if content.layout.fields:
        # Spare rows are empty: a row filled there is a new one.
        filled = {identity: cells for identity, cells in rows.items() if any(cells.values())}
        fields = {
            column.heading: _text(content.fields.get(column.heading)) for column in content.layout.fields
        }
        return SentWorkbook(*common, fields=fields, tables={MEASURES: filled})
    return SentWorkbook(*common, rows={} if content.layout.grows else rows)


def _texts(cells: Cells, columns: Sequence[Column]) -> dict[str, str | None]:
    return {column.heading: _text(cells.get(column.heading)) for column in columns}


def _text(value: Value) -> str | None:
    if value is None or value == "":
        return None
    text = value.isoformat() if isinstance(value, date) else str(value)
    return INVISIBLE.sub("", text)[:LONGEST_CELL]


def _columns(layout: Layout) -> list[Column | None]:
    """The columns as written; None is the hidden one, in the midst so that sorting takes it along."""
    columns: list[Column | None] = list(layout.columns)
    columns.insert(1 if layout.fields or layout.grows else 2, None)
    return columns


def _widths(layout: Layout) -> list[float]:
    return [column.width if column else 0 for column in _columns(layout)]


def _line(sheet: Worksheet, row: int, text: str, font: Font, last: int, widths: Sequence[float]) -> None:
    """One line across the whole table."""
    sheet.merge_cells(start_row=row, start_column=1, end_row=row, end_column=last)
    cell = _cell(sheet, row, 1)
    _write(cell, _text(text), font)
    cell.border = Border()
    cell.alignment = CENTRE if font is TITLE_FONT else LEFT
    size = 30 if font is TITLE_FONT else 6 + 14 * _lines(text, sum(widths))
    sheet.row_dimensions[row].height = size


def _labelled_lines(sheet: Worksheet, row: int, content: _Sheet, widths: Sequence[float]) -> int:
    """The head and the labels of a handling sheet; gives the row after them."""
    for label, text in content.facts:
        _labelled(sheet, row, label, text, None, widths)
        row += 1
    for column in content.layout.fields:
        _labelled(
            sheet, row, column.label or column.heading, content.fields.get(column.heading), column, widths
        )
        row += 1
    return row + 1


def _labelled(
    sheet: Worksheet, row: int, label: str, value: Value, column: Column | None, widths: Sequence[float]
) -> None:
    """One line: the label in the first column, the value in the merged rest."""
    _write(_cell(sheet, row, 1), label, HEADING_FONT, HEADING_FILL, CENTRE)
    for place in range(2, len(widths) + 1):
        cell = _cell(sheet, row, place)
        cell.border = BOX
        cell.protection = OPEN if column else LOCKED
        if column:
            cell.fill = EDITABLE_FILL
    cell = _cell(sheet, row, 2)
    _write(cell, _text(value), TEXT_FONT, EDITABLE_FILL if column else None, LEFT)
    cell.protection = OPEN if column else LOCKED
    if column and column.holds in (Holds.DATE, Holds.MOMENT):
        cell.number_format = "@"
    sheet.merge_cells(start_row=row, start_column=2, end_row=row, end_column=len(widths))
    lines = max(_lines(_text(value) or "", sum(widths[1:])), _lines(label, widths[0]))
    sheet.row_dimensions[row].height = 8 + 14 * max(lines, 2 if column and column.holds is Holds.TEXT else 1)
    if column and column.holds is Holds.CHOICE:
        _drop_down(sheet, f'"{",".join(column.choices)}"', f"B{row}", column)


def _table(sheet: Worksheet, heading: int, content: _Sheet) -> None:
    columns = _columns(content.layout)
    for place, column in enumerate(columns, start=1):
        text = column.heading if column else ROW_HEADING
        _write(_cell(sheet, heading, place), text, HEADING_FONT, HEADING_FILL, CENTRE)
        letter = get_column_letter(place)
        sheet.column_dimensions[letter].width = column.width if column else 3
        sheet.column_dimensions[letter].hidden = column is None
    sheet.row_dimensions[heading].height = 26
    for row, entry in enumerate(content.rows, start=heading + 1):
        _table_row(sheet, row, entry, columns)
    last = heading + max(len(content.rows), 1)
    for place, column in enumerate(columns, start=1):
        if column and column.editable:
            span = f"{get_column_letter(place)}{heading + 1}:{get_column_letter(place)}{last + 200}"
            _choices(sheet, span, column, content)
    if not content.layout.fields:
        sheet.auto_filter.ref = f"A{heading}:{get_column_letter(len(columns))}{last}"
        sheet.freeze_panes = f"A{heading + 1}"


def _table_row(sheet: Worksheet, row: int, entry: Row, columns: Sequence[Column | None]) -> None:
    height = 1
    for place, column in enumerate(columns, start=1):
        cell = _cell(sheet, row, place)
        if column is None:
            _write(cell, _text(entry.identity), TEXT_FONT)
            continue
        value = entry.cells.get(column.heading)
        number = value if isinstance(value, int) else None
        fill = EDITABLE_FILL if column.editable else None
        _write(cell, _text(value), TEXT_FONT, fill, CENTRE if column.heading in CENTRED else LEFT)
        if number is not None:
            cell.value = number
        cell.protection = OPEN if column.editable else LOCKED
        if column.holds is Holds.DATE:
            cell.number_format = "@"
        height = max(height, _lines(_text(value) or "", column.width))
    sheet.row_dimensions[row].height = min(8 + 15 * height, 400)


def _cell(sheet: Worksheet, row: int, column: int) -> Cell:
    """A cell to write into; never one that a merge has swallowed."""
    return cast(Cell, sheet.cell(row=row, column=column))


def _write(
    cell: Cell,
    text: str | None,
    font: Font,
    fill: PatternFill | None = None,
    alignment: Alignment = LEFT,
) -> None:
    """Writes a text as a text: Excel calculates nothing that came from a mail."""
    if text:
        cell.value = text
        cell.data_type = "s"
        cell.quotePrefix = text[0] in "=+-@\t\r"
    cell.font = font
    cell.border = BOX
    cell.alignment = alignment
    if fill:
        cell.fill = fill


def _lines(text: str, width: float) -> int:
    """How many lines a text takes in a column; a Chinese character is two wide."""
    room = max(width - 1.5, 2)
    count = 0
    for line in text.split("\n"):
        wide = sum(2.1 if unicodedata.east_asian_width(c) in "WFA" else 1.1 for c in line)
        count += max(1, math.ceil(wide / room))
    return count


def _choices(sheet: Worksheet, span: str, column: Column, content: _Sheet) -> None:
    if column.holds is Holds.CHOICE:
        _drop_down(sheet, f"{HIDDEN_SHEET}!$B$2:$B${len(column.choices) + 1}", span, column)
    elif column.holds in (Holds.SECTION, Holds.SECTIONS) and content.sections:
        _drop_down(sheet, f"{HIDDEN_SHEET}!$C$2:$C${len(content.sections) + 1}", span, column)


def _drop_down(sheet: Worksheet, source: str, span: str, column: Column) -> None:
    """A drop-down; only a warning where several names may be written."""
    rule = DataValidation(type="list", formula1=source, allow_blank=True)
    rule.showDropDown = False
    rule.showErrorMessage = column.holds is not Holds.SECTIONS
    rule.errorStyle = "warning"
    rule.errorTitle, rule.error = "请核对", f"“{column.heading}”请从下拉列表中选择。"
    sheet.add_data_validation(rule)
    rule.add(span)


def _print_setup(sheet: Worksheet, content: _Sheet, heading: int) -> None:
    sheet.page_setup.paperSize = 9  # A4
    sheet.page_setup.orientation = "landscape" if content.layout.landscape else "portrait"
    sheet.page_setup.fitToWidth = 1
    sheet.page_setup.fitToHeight = 0
    sheet.sheet_properties.pageSetUpPr = PageSetupProperties(fitToPage=True)
    if not content.layout.fields:
        sheet.print_title_rows = f"{heading}:{heading}"
    sheet.print_options.horizontalCentered = True
    margins = sheet.page_margins
    margins.left = margins.right = 0.5
    margins.top = margins.bottom = 0.7
    footer: Any = sheet.oddFooter
    footer.center.text = "第 &P 页 共 &N 页"
    footer.right.text = content.about


def _protect(sheet: Worksheet, layout: Layout) -> None:
    """Locks what is not to be edited, without a password: a fence, not a wall."""
    protection = sheet.protection
    protection.sheet = True
    protection.formatColumns = protection.formatRows = protection.formatCells = False
    protection.autoFilter = protection.sort = False
    protection.insertRows = protection.deleteRows = not (layout.grows or bool(layout.fields))


def _hide_identity(book: Workbook, content: _Sheet) -> None:
    properties: Any = book
    properties.custom_doc_props.append(StringProperty(name=IDENTITY_PROPERTY, value=content.identity))
    hidden = book.create_sheet(HIDDEN_SHEET)
    hidden.sheet_state = "veryHidden"
    hidden["A1"] = content.identity
    choices = next((c.choices for c in content.layout.columns if c.holds is Holds.CHOICE), ())
    for column, texts in ((2, choices), (3, content.sections)):
        for row, text in enumerate(texts, start=2):
            _write(_cell(hidden, row, column), _text(text), TEXT_FONT)
