"""Round-trip workbooks: their columns as data, reading one that came back, and what was changed in it.

Who returns one of our workbooks has given orders. `returned` reads it whatever Excel, WPS or LibreOffice
and people did to it (sorted, filtered, rows inserted or deleted, columns moved); `changes` compares it
with what was sent and says row by row what may be applied and what conflicts. Nothing here raises on
foreign files: they are None.
"""

from __future__ import annotations

import difflib
import io
import re
import unicodedata
import warnings
import zipfile
import zlib
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime, time
from enum import StrEnum
from typing import Any
from xml.etree.ElementTree import ParseError

import openpyxl
from openpyxl.utils.exceptions import InvalidFileException
from openpyxl.worksheet.worksheet import Worksheet

from parsers.content import IDENTITY_PROPERTY
from parsers.values import ReturnedRow, ReturnedWorkbook

HIDDEN_SHEET = "djb"
"""Very hidden sheet with the same identity, for programs that drop custom properties, and the drop-downs."""
ROW_HEADING = "djb-row"
"""Heading of the hidden column that carries each row's identity."""


# --- the workbooks as data ---------------------------------------------------------------------


class Holds(StrEnum):
    """What a cell may hold."""

    TEXT = "text"
    CHOICE = "choice"
    SECTION = "section"
    SECTIONS = "sections"
    DATE = "date"
    MOMENT = "moment"
    """A date, with the hour if it is settled: 2022-01-26 15:00."""


@dataclass(frozen=True, slots=True)
class Column:
    """One heading; a column that is not editable is locked, and a change of it a conflict."""

    heading: str
    width: float = 12
    editable: bool = False
    holds: Holds = Holds.TEXT
    choices: tuple[str, ...] = ()
    needed: bool = False
    """Whether an added row must fill it."""
    label: str | None = None
    """The heading as printed, where it says more than the fixed name."""


@dataclass(frozen=True, slots=True)
class Layout:
    """One kind of workbook: a table, or labels with values and a table below."""

    kind: str
    sheet: str
    columns: tuple[Column, ...]
    title: str
    note: str
    fields: tuple[Column, ...] = ()
    grows: bool = False
    """Whether people add rows of their own."""
    landscape: bool = True

    def column(self, heading: str) -> Column | None:
        return next((column for column in (*self.columns, *self.fields) if column.heading == heading), None)


WAYS = ("选定", "转办")
OUTCOMES = ("现场解决", "制定解决方案", "提请书记办理")
SOURCES = (
    *("学校上报", "市领导交办", "国务院“互联网+督查”平台", "12345热线", "巡视巡察", "督查检查"),
    *("明察暗访", "来信来访"),
)

PROBLEM_LIST = Layout(
    "problem_list",
    "问题清单",
    (
        Column("序号", 5),
        Column("编号", 14),
        Column("填报单位", 17),
        Column("难点问题", 22),
        Column("具体内容及诉求", 40),
        Column("来源", 10),
        Column("反馈层级", 12),
        Column("同类情况", 26),
        Column("书记意见", 10, editable=True, holds=Holds.CHOICE, choices=WAYS),
        Column("备注", 16, editable=True),
    ),
    "难点问题清单",
    "请在黄色的“书记意见”栏选择“选定”（1至2项）或“转办”，保存后作为附件回复本邮件；也可直接回复“选定 3、7”。",
)
ASSIGNMENT_SHEET = Layout(
    "assignment_sheet",
    "交办单",
    (
        Column("序号", 5),
        Column("编号", 14),
        Column("填报单位", 18),
        Column("难点问题", 34),
        Column("办理方式", 10, editable=True, holds=Holds.CHOICE, choices=WAYS),
        Column("牵头科室", 16, editable=True, holds=Holds.SECTION),
        Column("协办科室", 20, editable=True, holds=Holds.SECTIONS),
        Column("办结时限", 13, editable=True, holds=Holds.DATE),
        Column("备注", 22, editable=True),
    ),
    "难点问题交办单",
    "请核对黄色各栏，保存后作为附件回复本邮件，即行交办。协办科室有几个的，用顿号隔开；日期写成 2022-03-30。",
)
MEASURE_COLUMNS = (
    Column("任务措施", 28, editable=True, needed=True),
    Column("责任部门", 16, editable=True, needed=True),
    Column("完成时限", 13, editable=True, holds=Holds.DATE, needed=True),
    Column("完成情况", 30, editable=True),
)
HANDLING_SHEET = Layout(
    "handling_sheet",
    "办理单",
    MEASURE_COLUMNS,
    "难点问题办理单",
    "请随办随填黄色各栏，填好哪栏报哪栏，保存后作为附件回复本邮件；任务措施逐项写明责任部门和完成时限。",
    fields=(
        Column("工作方案", editable=True),
        Column("会商情况", editable=True),
        Column("初步解决意见", editable=True),
        Column("调研情况·实质", editable=True),
        Column("调研情况·根源", editable=True),
        Column("调研情况·症结", editable=True),
        Column("一线办理日期", editable=True, holds=Holds.MOMENT),
        Column("参加人员", editable=True),
        Column("一线办理结果", editable=True, holds=Holds.CHOICE, choices=OUTCOMES),
        Column("办理进展", editable=True),
        Column("完成情况", editable=True),
        Column("长效机制", editable=True),
        Column("责任人", editable=True),
        Column("攻坚队伍", editable=True, label="攻坚队伍（党员先锋队、突击队、攻关小组）"),
    ),
    landscape=False,
)
CLUE_REGISTER = Layout(
    "clue_register",
    "问题线索登记表",
    (
        Column("序号", 5, editable=True),
        Column("来源", 20, editable=True, holds=Holds.CHOICE, choices=SOURCES, needed=True),
        Column("反映单位", 20, editable=True),
        Column("难点问题", 26, editable=True, needed=True),
        Column("具体内容及诉求", 44, editable=True),
        Column("收到日期", 13, editable=True, holds=Holds.DATE),
        Column("备注", 18, editable=True),
    ),
    "问题线索登记表",
    "一行登记一条线索，填好后作为附件发来即予登记；来源请从下拉列表选择，日期写成 2022-01-05。",
    grows=True,
)
LEDGER = Layout(
    "ledger",
    "台账",
    (
        Column("序号", 5),
        Column("编号", 13),
        Column("收到日期", 11),
        Column("填报单位", 16),
        Column("难点问题", 22),
        Column("具体内容及诉求", 32),
        Column("来源", 10),
        Column("反馈层级", 11),
        Column("期次", 11),
        Column("状态", 9),
        Column("亮灯", 6),
        Column("牵头科室", 13, editable=True, holds=Holds.SECTION),
        Column("协办科室", 14, editable=True, holds=Holds.SECTIONS),
        Column("办结时限", 11, editable=True, holds=Holds.DATE),
        Column("办理进展", 26),
        Column("完成情况", 20),
        Column("学校评价", 9),
        Column("办结日期", 11),
        Column("长效机制", 20),
        Column("备注", 16, editable=True),
    ),
    "难点问题办理台账",
    "黄色各栏可以修改：改好后作为附件回复本邮件，即按修改办理（改派、调整时限）。其余各栏由系统生成。",
)
OVERDUE_LIST = Layout(
    "overdue_list",
    "逾期清单",
    (
        Column("序号", 5),
        Column("编号", 14),
        Column("牵头科室", 16),
        Column("填报单位", 18),
        Column("难点问题", 32),
        Column("状态", 10),
        Column("亮灯", 7),
        Column("逾期事项", 26),
        Column("应完成日期", 12),
        Column("逾期工作日", 10),
    ),
    "难点问题逾期清单",
    "请会同承办科室督查。督查情况可回复：督查 编号：情况。",
)
LAYOUTS: Mapping[str, Layout] = {
    layout.kind: layout
    for layout in (PROBLEM_LIST, ASSIGNMENT_SHEET, HANDLING_SHEET, CLUE_REGISTER, LEDGER, OVERDUE_LIST)
}
MEASURES = MEASURE_COLUMNS[0].heading
"""Name of the handling sheet's table."""


# --- what was sent -----------------------------------------------------------------------------

Cells = Mapping[str, str | None]


@dataclass(frozen=True, slots=True)
class SentWorkbook:
    """What we wrote into a workbook: kept with the letter, so that its return can be compared."""

    kind: str
    about: str
    version: str
    rows: Mapping[str, Cells] = field(default_factory=dict)
    """Identity -> heading -> text."""
    fields: Cells = field(default_factory=dict)
    tables: Mapping[str, Mapping[str, Cells]] = field(default_factory=dict)

    def to_json(self) -> dict[str, Any]:
        return {
            "kind": self.kind,
            "about": self.about,
            "version": self.version,
            "rows": {identity: dict(cells) for identity, cells in self.rows.items()},
            "fields": dict(self.fields),
            "tables": {
                name: {key: dict(cells) for key, cells in rows.items()} for name, rows in self.tables.items()
            },
        }

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> SentWorkbook:
        return cls(
            kind=data["kind"],
            about=data["about"],
            version=data["version"],
            rows=data.get("rows", {}),
            fields=data.get("fields", {}),
            tables=data.get("tables", {}),
        )


# --- reading one back --------------------------------------------------------------------------

MAX_FILE = 20 << 20
MAX_UNPACKED = 60 << 20
MAX_ROWS = 3_000
MAX_COLUMNS = 80
HEADING_ROWS = 15
"""People insert lines above the headings; further down no heading is looked for."""
LONGEST_HEADING = 60
OWN = re.compile(r"workbook:(?P<kind>[a-z_]+):(?P<about>[^:]+):(?P<version>[^:]+)")
FAULTS = (
    zipfile.BadZipFile,
    zlib.error,
    InvalidFileException,
    ParseError,
    KeyError,
    ValueError,
    TypeError,
    IndexError,
    AttributeError,
    OSError,
    EOFError,
    RuntimeError,
    NotImplementedError,
    RecursionError,
    OverflowError,
    AssertionError,
)
"""What openpyxl and zipfile raise on broken files."""


def returned(data: bytes, part: str) -> ReturnedWorkbook | None:
    """The workbook of ours that a file is, as it came back; None if it is not one or cannot be read."""
    try:
        if not data.startswith(b"PK") or not carries_mark(data):
            return None
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            book = openpyxl.load_workbook(io.BytesIO(data), data_only=True, keep_links=False)
            formulas = openpyxl.load_workbook(io.BytesIO(data), keep_links=False) if _formulas(data) else book
        identity = _identity(book)
        if identity is None or identity["kind"] not in LAYOUTS:
            return None
        return replace(_read(book, formulas, LAYOUTS[identity["kind"]], identity, part), data=data)
    except FAULTS:
        return None


MARKS = (
    IDENTITY_PROPERTY.encode(),
    b'"%s"' % HIDDEN_SHEET.encode(),
    *(f"workbook:{kind}:".encode(coding) for kind in LAYOUTS for coding in ("ascii", "utf-16-le")),
)
MARKED_MEMBERS = (
    *("docProps/custom.xml", "xl/workbook.xml", "xl/sharedStrings.bin"),
    *("meta.xml", "content.xml"),
)
"""Where a workbook carries what it is: Excel's, Excel's in binary, OpenDocument's."""


def carries_mark(data: bytes) -> bool:
    """Whether a file within the limits carries one of our marks, in whatever program's format it was saved."""
    if len(data) > MAX_FILE:
        return False
    if not data.startswith(b"PK"):
        return any(mark in data for mark in MARKS[2:])
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            members = archive.infolist()
            if sum(member.file_size for member in members) > MAX_UNPACKED or len(members) > 500:
                return False
            present = set(MARKED_MEMBERS).intersection(archive.namelist())
            return any(
                mark in content for name in present for content in [archive.read(name)] for mark in MARKS
            )
    except FAULTS:
        return False


def _formulas(data: bytes) -> bool:
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        sheets = [name for name in archive.namelist() if name.startswith("xl/worksheets/")]
        return any(b"<f" in archive.read(name) for name in sheets)


def _identity(book: Any) -> re.Match[str] | None:
    marks: list[str] = []
    for item in book.custom_doc_props.props:
        if item.name == IDENTITY_PROPERTY:
            marks.append(str(item.value))
    if HIDDEN_SHEET in book.sheetnames:
        marks.append(str(book[HIDDEN_SHEET]["A1"].value))
    return next((found for mark in marks if (found := OWN.fullmatch(mark.strip()))), None)


def _read(
    book: openpyxl.Workbook,
    formulas: openpyxl.Workbook,
    layout: Layout,
    identity: re.Match[str],
    part: str,
) -> ReturnedWorkbook:
    rows: list[ReturnedRow] = []
    fields: dict[str, str | None] = {}
    for sheet in book.worksheets:
        if sheet.title == HIDDEN_SHEET:
            continue
        grid = _Grid(sheet, formulas[sheet.title])
        rows.extend(_rows(grid, layout))
        fields |= _fields(grid, layout)
    tables = {MEASURES: tuple(rows)} if layout.fields else {}
    return ReturnedWorkbook(
        kind=layout.kind,
        about=identity["about"],
        version=identity["version"],
        part=part,
        rows=() if layout.fields else tuple(rows),
        fields=fields,
        tables=tables,
    )


class _Grid:
    """The bounded cells of a sheet as texts, counted from 1."""

    def __init__(self, sheet: Worksheet, formulas: Worksheet) -> None:
        self.name = sheet.title
        self.rows = [
            [_text(value) for value in row] for row in sheet.iter_rows(**_bounds(sheet), values_only=True)
        ]
        if formulas is not sheet:
            self._keep_formulas(formulas)

    def _keep_formulas(self, formulas: Worksheet) -> None:
        """A formula without a saved value must not look like an empty cell."""
        texts = formulas.iter_rows(**_bounds(formulas), values_only=True)
        for row, written in zip(self.rows, texts, strict=False):
            for place, value in enumerate(written):
                if row[place] is None and isinstance(value, str) and value.startswith("="):
                    row[place] = value


def _bounds(sheet: Worksheet) -> dict[str, int]:
    return {"max_row": min(sheet.max_row, MAX_ROWS), "max_col": min(sheet.max_column, MAX_COLUMNS)}


def _text(value: object) -> str | None:
    """The text of a cell: dates ISO, whole numbers without point, NFKC, None when empty."""
    if value is None:
        return None
    if isinstance(value, datetime):
        return value.date().isoformat() if value.time() == time() else f"{value:%Y-%m-%d %H:%M}"
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return tidy(str(value)) or None


def tidy(text: str) -> str:
    """The text as compared: NFKC, without blanks at the ends of lines or of the whole."""
    plain = unicodedata.normalize("NFKC", text).replace("_x000D_", "").replace("\r", "")
    return "\n".join(line.strip() for line in plain.split("\n")).strip()


def _same_heading(text: str | None) -> str:
    return re.sub(r"\s|\(.*\)$", "", tidy(text or ""))


def _heading_row(grid: _Grid, layout: Layout) -> tuple[int, dict[str, int]] | None:
    """Which row holds the headings, and where each stands; None if the sheet has none of our tables."""
    wanted = {_same_heading(column.heading): column.heading for column in layout.columns}
    limit = len(grid.rows) if layout.fields else HEADING_ROWS
    best: tuple[int, dict[str, int]] | None = None
    for number, row in enumerate(grid.rows[:limit]):
        places: dict[str, int] = {}
        for place, text in enumerate(row):
            if text is None or len(text) > LONGEST_HEADING:
                continue
            name = _same_heading(text)
            if name in wanted:
                places.setdefault(wanted[name], place)
            elif name == ROW_HEADING:
                places.setdefault(ROW_HEADING, place)
        if len(places) > len(best[1] if best else ()):
            best = (number, places)
    enough = max(2, len(layout.columns) // 2)
    return best if best and len(best[1]) >= enough else None


def _rows(grid: _Grid, layout: Layout) -> Iterator[ReturnedRow]:
    found = _heading_row(grid, layout)
    if found is None:
        return
    heading, places = found
    by_number = places.get("编号")
    labels = {_same_heading(column.label or column.heading) for column in layout.fields}
    for number, row in enumerate(grid.rows[heading + 1 :], start=heading + 2):
        if layout.fields and _same_heading(row[0]) in labels:
            break
        cells = {name: row[place] for name, place in places.items() if name != ROW_HEADING}
        identity = row[places[ROW_HEADING]] if ROW_HEADING in places else None
        if identity is None and by_number is not None:
            identity = row[by_number]
        if any(text for name, text in cells.items() if name != "序号"):
            yield ReturnedRow(identity=identity, cells=cells, where=f"工作表“{grid.name}”第{number}行")


def _fields(grid: _Grid, layout: Layout) -> dict[str, str | None]:
    """Label -> the first text right of it."""
    names = {_same_heading(column.label or column.heading): column.heading for column in layout.fields}
    found: dict[str, str | None] = {}
    heading = _heading_row(grid, layout) if layout.fields else None
    for number, row in enumerate(grid.rows):
        if heading and number >= heading[0] and _same_heading(row[0] if row else None) not in names:
            continue
        name = names.get(_same_heading(row[0])) if row else None
        if name and name not in found and not (heading and number == heading[0]):
            found[name] = next((text for text in row[1:] if text), None)
    return found


# --- what was changed --------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class RowChange:
    """One row with what was changed in it."""

    identity: str | None
    """None for a row that somebody added."""
    cells: Cells
    """Heading -> new value, changed ones only; dates ISO, sections in the directory's names."""
    before: Cells
    where: str


@dataclass(frozen=True, slots=True)
class Conflict:
    """One change that is not applied, and why, in Chinese."""

    identity: str | None
    where: str
    text: str


@dataclass(frozen=True, slots=True)
class Changes:
    """What a returned workbook orders, and what of it cannot be carried out."""

    applied: tuple[RowChange, ...] = ()
    conflicts: tuple[Conflict, ...] = ()
    fields: Cells = field(default_factory=dict)
    """Labels of a handling sheet that changed, with their new text."""
    tables: Mapping[str, tuple[RowChange, ...]] = field(default_factory=dict)
    """Each table that changed, whole, as it now stands."""
    deleted: tuple[str, ...] = ()
    """Rows that were sent and did not come back: nothing happens to them."""

    @property
    def nothing(self) -> bool:
        return not (self.applied or self.conflicts or self.fields or self.tables)


Checked = tuple[str | None, str | None]
"""The value to apply, and the fault that forbids it."""


def changes(
    sent: SentWorkbook,
    back: ReturnedWorkbook,
    *,
    sections: Mapping[str, str] | Collection[str] = (),
    current: SentWorkbook | None = None,
) -> Changes:
    """What was changed in a returned workbook, against what was sent.

    `sections`: names and short names of the directory, each with the full name (or the names alone);
    `current`: what the same workbook would say now, so that what others changed meanwhile is not undone.
    """
    known = dict(sections) if isinstance(sections, Mapping) else {name: name for name in sections}
    layout = LAYOUTS[sent.kind]
    if (back.kind, back.about) != (sent.kind, sent.about):
        return Changes(conflicts=(Conflict(None, back.part, "这份表与所答复的邮件不是同一份"),))
    compare = _Comparison(layout, known, stale=back.version != sent.version, version=sent.version)
    applied, conflicts = compare.rows(sent.rows, back.rows, current.rows if current else {})
    changed, faults = compare.labels(sent.fields, back.fields, current.fields if current else {}, back.part)
    tables: dict[str, tuple[RowChange, ...]] = {}
    for name, rows in back.tables.items():
        now = current.tables.get(name) if current else None
        table, more = compare.table(sent.tables.get(name, {}), rows, now)
        faults.extend(more)
        if table is not None:
            tables[name] = table
    seen = {row.identity for row in back.rows}
    deleted = () if layout.grows else tuple(identity for identity in sent.rows if identity not in seen)
    return Changes(tuple(applied), (*conflicts, *faults), changed, tables, deleted)


@dataclass(frozen=True, slots=True)
class _Comparison:
    """One comparison of a returned workbook with what was sent."""

    layout: Layout
    sections: Mapping[str, str]
    stale: bool
    version: str

    def rows(
        self, sent: Mapping[str, Cells], back: Sequence[ReturnedRow], current: Mapping[str, Cells]
    ) -> tuple[list[RowChange], list[Conflict]]:
        applied: list[RowChange] = []
        conflicts: list[Conflict] = []
        counts: dict[str | None, int] = {}
        for row in back:
            counts[row.identity] = counts.get(row.identity, 0) + 1
        for row in back:
            if row.identity is not None and counts[row.identity] > 1:
                name = _row_name(row)
                conflicts.append(
                    Conflict(row.identity, row.where, f"{name}在表中出现{counts[row.identity]}次，未予办理")
                )
            elif row.identity is None or row.identity not in sent:
                self._added(row, applied, conflicts)
            else:
                self._changed(row, sent[row.identity], current.get(row.identity), applied, conflicts)
        return applied, conflicts

    def _added(self, row: ReturnedRow, applied: list[RowChange], conflicts: list[Conflict]) -> None:
        if not self.layout.grows:
            text = "此行不在发出的表中（可能是自行添加的），未予办理"
            conflicts.append(Conflict(row.identity, row.where, text))
            return
        missing = [
            column.heading
            for column in self.layout.columns
            if column.needed and not row.cells.get(column.heading)
        ]
        if missing:
            conflicts.append(Conflict(row.identity, row.where, f"“{'”“'.join(missing)}”未填写"))
            return
        self._changed(row, {}, None, applied, conflicts)

    def _changed(
        self,
        row: ReturnedRow,
        before: Cells,
        now: Cells | None,
        applied: list[RowChange],
        conflicts: list[Conflict],
    ) -> None:
        cells, faults = self.cells(self.layout.columns, before, row.cells, now)
        if self.stale and (cells or faults):
            text = f"此表是旧表，现行第{self.version}版，请在新表中填写后再发"
            conflicts.append(Conflict(row.identity, row.where, f"{_row_name(row)}：{text}"))
            return
        conflicts.extend(Conflict(row.identity, row.where, f"{_row_name(row)}：{fault}") for fault in faults)
        if cells and not faults:
            applied.append(
                RowChange(row.identity, cells, {name: before.get(name) for name in cells}, row.where)
            )

    def labels(
        self, sent: Cells, back: Cells, current: Cells, part: str
    ) -> tuple[dict[str, str | None], list[Conflict]]:
        cells, faults = self.cells(self.layout.fields, sent, back, current or None)
        if self.stale and (cells or faults):
            stale = f"此表是旧表，现行第{self.version}版，请在新表中填写后再发"
            return {}, [Conflict(None, part, stale)]
        return cells, [Conflict(None, part, fault) for fault in faults]

    def table(
        self, sent: Mapping[str, Cells], back: Sequence[ReturnedRow], current: Mapping[str, Cells] | None
    ) -> tuple[tuple[RowChange, ...] | None, list[Conflict]]:
        """The whole table if anything in it changed; None, and why, if something forbids it."""
        rows: list[RowChange] = []
        conflicts: list[Conflict] = []
        changed = [row.identity for row in back if row.identity in sent] != list(sent)
        for row in back:
            before = sent.get(row.identity or "", {})
            cells, faults = self.cells(self.layout.columns, before, row.cells, None)
            whole = {
                column.heading: cells.get(column.heading, before.get(column.heading))
                for column in self.layout.columns
            }
            faults += [
                f"“{c.heading}”未填写" for c in self.layout.columns if c.needed and not whole[c.heading]
            ]
            conflicts.extend(Conflict(row.identity, row.where, fault) for fault in faults)
            rows.append(RowChange(row.identity, whole, before, row.where))
            changed = changed or bool(cells)
        if not changed and not conflicts:
            return None, []
        if current is not None and _plain(current) != _plain(sent):
            stands, written = _in_short(current.values()), _in_short(row.cells for row in rows)
            if stands == written:
                return None, []
            text = f"任务措施在表发出后已有变动，现为：{stands}；表中所填未予采用：{written}。请在新表中填写"
            return None, [Conflict(None, self.layout.sheet, text)]
        if self.stale:
            return None, [Conflict(None, self.layout.sheet, f"此表是旧表，现行第{self.version}版")]
        return (None, conflicts) if conflicts else (tuple(rows), [])

    def cells(
        self, columns: Sequence[Column], before: Cells, back: Cells, now: Cells | None
    ) -> tuple[dict[str, str | None], list[str]]:
        """The changed cells with their new values, and the faults."""
        cells: dict[str, str | None] = {}
        faults: list[str] = []
        for column in columns:
            if column.heading not in back or (column.heading == "序号"):
                continue
            old, new = _plain_text(before.get(column.heading)), back[column.heading]
            if _plain_text(new) == old:
                continue
            if not column.editable:
                faults.append(f"“{column.heading}”不能在表中修改（原为“{old or ''}”）")
                continue
            value, fault = CHECKS[column.holds](column, new, self.sections)
            if fault:
                faults.append(fault)
            elif _plain_text(value) == old:
                continue
            elif now is not None and _plain_text(now.get(column.heading)) not in (old, _plain_text(value)):
                stands, written = shortened(now.get(column.heading)), shortened(value)
                faults.append(
                    f"“{column.heading}”在表发出后已改为“{stands}”，表中所填“{written}”与此不一致，未予采用"
                )
            else:
                cells[column.heading] = value
        return cells, faults


def _row_name(row: ReturnedRow) -> str:
    return row.cells.get("编号") or row.identity or row.cells.get("难点问题") or "此行"


def _plain_text(text: str | None) -> str | None:
    return re.sub(r"[^\S\n]+", " ", tidy(text)) or None if text else None


def titled(book: ReturnedWorkbook) -> str:
    """What a workbook is to people, whatever its file was called: “难点问题办理单”（ND-2022-013）."""
    return f"“{LAYOUTS[book.kind].title}”（{book.about}）"


def shortened(text: str | None) -> str:
    """A cell's text in so few characters that a sentence can name it."""
    line = " ".join((text or "").split())
    return line if len(line) <= 60 else f"{line[:59]}…"


def _in_short(rows: Iterable[Cells]) -> str:
    """The rows of a table in one line."""
    filled = ([text for text in cells.values() if _plain_text(text)] for cells in rows)
    return "；".join("，".join(shortened(text) for text in row) for row in filled if row) or "无"


def _plain(rows: Mapping[str, Cells]) -> dict[str, dict[str, str]]:
    return {
        key: {name: plain for name, text in cells.items() if (plain := _plain_text(text))}
        for key, cells in rows.items()
    }


def _check_text(column: Column, text: str | None, _sections: Mapping[str, str]) -> Checked:
    if text and text.startswith("="):
        return None, f"“{column.heading}”是公式，请改填文字"
    return text, None


def _check_choice(column: Column, text: str | None, _sections: Mapping[str, str]) -> Checked:
    if text is None:
        return None, None
    plain = re.sub(r"[\s“”\"]", "", text)
    chosen = next(
        (choice for choice in column.choices if re.sub(r"[\s“”\"]", "", tidy(choice)) == plain), None
    )
    if chosen is None:
        return None, f"“{column.heading}”应为{'、'.join(column.choices)}之一，现为“{text}”"
    return chosen, None


def _check_section(column: Column, text: str | None, sections: Mapping[str, str]) -> Checked:
    if text is None:
        return None, None
    name = _known_section(text, sections)
    return (name, None) if name else (None, _unknown(column, text, sections))


def _check_sections(column: Column, text: str | None, sections: Mapping[str, str]) -> Checked:
    names: list[str] = []
    for piece in re.split(r"[、,;，；/\n]+|\s+", text or ""):
        if not piece.strip():
            continue
        name = _known_section(piece, sections)
        if name is None:
            return None, _unknown(column, piece, sections)
        names.append(name)
    return "、".join(dict.fromkeys(names)) or None, None


def _known_section(text: str, sections: Mapping[str, str]) -> str | None:
    plain = {re.sub(r"\s", "", tidy(name)): full for name, full in sections.items()}
    return plain.get(re.sub(r"\s", "", tidy(text)))


def _unknown(column: Column, text: str, sections: Mapping[str, str]) -> str:
    near = difflib.get_close_matches(text, list(sections), n=3, cutoff=0.4)
    hint = f"，相近的有：{'、'.join(dict.fromkeys(sections[name] for name in near))}" if near else ""
    return f"“{column.heading}”所填“{text}”不在通讯录中{hint}"


DAY = re.compile(
    r"(\d{4})[-年./](\d{1,2})[-月./](\d{1,2})日?(?:\s*(?<=[\s日])(\d{1,2})[:时点](\d{2})?(?::00)?分?)?"
)


def _check_date(column: Column, text: str | None, _sections: Mapping[str, str]) -> Checked:
    """A day; an hour beside it is kept only where one belongs."""
    if text is None:
        return None, None
    found = DAY.fullmatch(re.sub(r"\s*([-年月./])\s*", r"\1", text.strip()))
    try:
        if found is None and re.fullmatch(r"\d{8}", text):
            return date(int(text[:4]), int(text[4:6]), int(text[6:])).isoformat(), None
        if found:
            day = date(int(found[1]), int(found[2]), int(found[3])).isoformat()
            hour = time(int(found[4] or 0), int(found[5] or 0))
            return f"{day} {hour:%H:%M}" if column.holds is Holds.MOMENT and hour != time() else day, None
    except ValueError:
        pass
    return None, f"“{column.heading}”应为日期，写成 2022-03-30 的样子，现为“{text}”"


CHECKS: Mapping[Holds, Callable[[Column, str | None, Mapping[str, str]], Checked]] = {
    Holds.TEXT: _check_text,
    Holds.CHOICE: _check_choice,
    Holds.SECTION: _check_section,
    Holds.SECTIONS: _check_sections,
    Holds.DATE: _check_date,
    Holds.MOMENT: _check_date,
}
