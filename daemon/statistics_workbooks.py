"""The statistics workbooks: the rollup of one period, and the export of one or all periods. Pure.

Every text is written as text, never as a formula, whatever it begins with. Formulas carry the value they
give, so that a preview that does not calculate shows the same as Excel; beside the formulas stand the
daemon's own sums to check against.
"""

from __future__ import annotations

import io
import math
import re
import unicodedata
import zipfile
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from functools import partial
from typing import Any, Final
from zoneinfo import ZoneInfo

from openpyxl import Workbook
from openpyxl.cell import Cell, MergedCell
from openpyxl.chart import BarChart, LineChart, Reference
from openpyxl.chart.legend import Legend
from openpyxl.chart.marker import Marker
from openpyxl.packaging.custom import StringProperty
from openpyxl.styles import Alignment, Border, Font, NamedStyle, PatternFill, Side
from openpyxl.utils import get_column_letter
from openpyxl.worksheet.header_footer import HeaderFooterItem
from openpyxl.worksheet.properties import PageSetupProperties
from openpyxl.worksheet.worksheet import Worksheet

from daemon.figures import Figures, Platform, SchoolFigures, Sum
from daemon.model import ReturnState
from daemon.returns import COUNT_NAMES, Counts, FiledReturn
from parsers.content import IDENTITY_PROPERTY

Value = str | int | float | date | None

TITLE_FONT: Final = Font(name="黑体", size=16)
NOTE_FONT: Final = Font(name="宋体", size=10, color="404040")
HEADING_FONT: Final = Font(name="宋体", size=10.5, bold=True)
TEXT_FONT: Final = Font(name="宋体", size=10.5)
TOTAL_FONT: Final = Font(name="宋体", size=10.5, bold=True)
CHECK_FONT: Final = Font(name="宋体", size=9, color="808080")
LINE: Final = Side(style="thin", color="7F7F7F")
BOX: Final = Border(left=LINE, right=LINE, top=LINE, bottom=LINE)
HEADING_FILL: Final = PatternFill("solid", fgColor="DCE6F1")
TOTAL_FILL: Final = PatternFill("solid", fgColor="F2F2F2")
MISSING_FILL: Final = PatternFill("solid", fgColor="FCE4E4")
LATE_FILL: Final = PatternFill("solid", fgColor="FFF2CC")
CENTRE: Final = Alignment(horizontal="center", vertical="center", wrap_text=True)
LEFT: Final = Alignment(horizontal="left", vertical="center", wrap_text=True)

_INVISIBLE: Final = re.compile("[\x00-\x08\x0b-\x1f\ufffe\uffff\ud800-\udfff]")
LONGEST_CELL: Final = 32_000
HEADING_ROW: Final = 3


@dataclass(frozen=True, slots=True)
class Column:
    """One column of a sheet: its heading, its width, and whether it holds figures or words."""

    heading: str
    width: float
    words: bool = False


NUMBER_COLUMNS: Final = tuple(Column(name, 12) for name in COUNT_NAMES.values())
ROLLUP_COLUMNS: Final = (
    Column("序号", 6),
    Column("单位名称", 28, words=True),
    *NUMBER_COLUMNS,
    Column("上期举办次数", 10),
    Column("上期解决数量", 10),
    Column("台账办结数", 10),
    Column("报送情况", 10),
    Column("收到时间", 17),
    Column("备注", 26, words=True),
)
FIRST_COUNT: Final = 3
"""The sheet column of the first of the four figures."""
MISSING_COLUMNS: Final = (
    Column("序号", 6), Column("单位名称", 36, words=True), Column("情况", 14), Column("上期举办次数", 14),
    Column("上期解决数量", 14), Column("备注", 40, words=True),
)  # fmt: skip
LATE_COLUMNS: Final = (
    Column("序号", 6), Column("单位名称", 36, words=True), Column("收到时间", 20), Column("版本", 8),
    Column("备注", 50, words=True),
)  # fmt: skip
DOUBT_COLUMNS: Final = (
    Column("序号", 6), Column("单位名称", 30, words=True), *NUMBER_COLUMNS, Column("需核对事项", 62, words=True),
)  # fmt: skip
TREND_COLUMNS: Final = (
    Column("统计期", 14), Column("已报单位数", 12), Column("迟报单位数", 12), *NUMBER_COLUMNS,
)  # fmt: skip
DETAIL_COLUMNS: Final = (
    Column("统计期", 13), Column("填报单位", 26, words=True), Column("单位名称", 26, words=True), *NUMBER_COLUMNS,
    Column("备注", 24, words=True), Column("版本", 6), Column("状态", 9), Column("是否计入", 9),
    Column("收到时间", 17), Column("填报时间", 12), Column("联系人", 10), Column("联系电话", 15),
)  # fmt: skip


# --- the two workbooks ------------------------------------------------------------------------------


def rollup_workbook(
    figures: Figures,
    registry: Sequence[Platform] = (),
    *,
    for_circular: bool = False,
    draft: str | None = None,
) -> bytes:
    """The xlsx of one period: 汇总, 未报, 迟报, 需核对, 趋势, and 平台登记 if a registry is given.

    For the circular, which everybody gets, without what only the office should look at.
    `draft`: the identity of a draft.
    """
    book, cached = _new_book(), _Cached()
    if draft:
        properties: Any = book
        properties.custom_doc_props.append(StringProperty(name=IDENTITY_PROPERTY, value=draft))
    _rollup_sheet(book.create_sheet("汇总"), figures, cached)
    _missing_sheet(book.create_sheet("未报"), figures)
    _late_sheet(book.create_sheet("迟报"), figures)
    if not for_circular:
        _doubt_sheet(book.create_sheet("需核对"), figures)
        _trend_sheet(book.create_sheet("趋势"), figures.trend, "趋势：历期开展情况")
        if registry:
            _registry_sheet(book.create_sheet("平台登记"), registry)
    return _saved(book, cached)


def returns_workbook(
    sums: Sequence[Sum], returns: Sequence[FiledReturn], registry: Sequence[Platform], zone: ZoneInfo
) -> bytes:
    """The xlsx of any number of periods: sums by period, each school's activity, every version filed."""
    book = _new_book()
    _trend_sheet(book.create_sheet("历期汇总"), sums, "“难点问题书记一线办”开展情况历期汇总")
    _registry_sheet(book.create_sheet("平台登记"), registry)
    _detail_sheet(book.create_sheet("明细"), returns, zone)
    return _saved(book, _Cached())


# --- sheets -----------------------------------------------------------------------------------------


def _rollup_sheet(sheet: Worksheet, figures: Figures, cached: _Cached) -> None:
    _head(sheet, "“难点问题书记一线办”开展情况汇总表", _summary(figures), ROLLUP_COLUMNS)
    first = HEADING_ROW + 1
    for number, school in enumerate(figures.schools, start=1):
        _row(
            sheet, first + number - 1, ROLLUP_COLUMNS, _rollup_line(number, school), fill=_state_fill(school)
        )
    last = first + len(figures.schools) - 1
    _totals(sheet, first, last, figures, cached)
    _comparison(sheet, last + 4, figures)
    sheet.auto_filter.ref = f"A{HEADING_ROW}:{get_column_letter(len(ROLLUP_COLUMNS))}{max(last, HEADING_ROW)}"


def _rollup_line(number: int, school: SchoolFigures) -> list[Value]:
    counts: Sequence[Value] = school.counts.values if school.counts else (None,) * 4
    previous = school.previous
    remarks = school.remarks if school.in_directory else f"（已不在通讯录）{school.remarks}"
    return [
        number, school.name, *counts,
        previous.sessions_held if previous else None, previous.problems_solved if previous else None,
        school.ledger_solved, _situation(school), _stamp(school.received_at), remarks,
    ]  # fmt: skip


def _situation(school: SchoolFigures) -> str:
    if school.counts is None:
        return school.state.chinese
    return "迟报" if school.late else "按时"


def _state_fill(school: SchoolFigures) -> PatternFill | None:
    if school.counts is None:
        return MISSING_FILL
    return LATE_FILL if school.late else None


def _totals(sheet: Worksheet, first: int, last: int, figures: Figures, cached: _Cached) -> None:
    """The sums as formulas, the daemon's own sums below, and whether they agree."""
    total_row, check_row = last + 1, last + 2
    width = len(ROLLUP_COLUMNS)
    _row(
        sheet,
        total_row,
        ROLLUP_COLUMNS,
        [None, "合计", *[None] * (width - 2)],
        font=TOTAL_FONT,
        fill=TOTAL_FILL,
    )
    _row(sheet, check_row, ROLLUP_COLUMNS, [None, "系统核对数", *[None] * (width - 2)], font=CHECK_FONT)
    agree: list[str] = []
    for offset, value in enumerate(figures.total.counts.values):
        letter = get_column_letter(FIRST_COUNT + offset)
        formula = f"=SUM({letter}{first}:{letter}{last})" if last >= first else "=0"
        _formula(sheet, f"{letter}{total_row}", formula, value, cached)
        sheet[f"{letter}{check_row}"].value = value
        agree.append(f"{letter}{total_row}={letter}{check_row}")
    place = f"{get_column_letter(FIRST_COUNT + 4)}{check_row}"
    _formula(sheet, place, f'=IF(AND({",".join(agree)}),"一致","不一致")', "一致", cached)


def _comparison(sheet: Worksheet, row: int, figures: Figures) -> None:
    """This period beside the last one and the same one last year."""
    columns = (Column("", 6), Column("对比", 28, words=True), *NUMBER_COLUMNS, Column("已报单位数", 10))
    _row(
        sheet,
        row,
        columns,
        [None, "对比", *COUNT_NAMES.values(), "已报单位"],
        font=HEADING_FONT,
        fill=HEADING_FILL,
    )
    now = figures.total
    _row(sheet, row + 1, columns, [None, f"本期（{now.period}）", *now.counts.values, now.filed])
    row += 2
    for label, then in (("上期", figures.previous), ("上年同期", figures.last_year)):
        if then is None:
            _row(sheet, row, columns, [None, f"{label}：无数据", *["—"] * 5])
            row += 1
            continue
        _row(sheet, row, columns, [None, f"{label}（{then.period}）", *then.counts.values, then.filed])
        growth = [_signed(a - b) for a, b in zip(now.counts.values, then.counts.values, strict=True)]
        _row(sheet, row + 1, columns, [None, f"比{label}增减", *growth, _signed(now.filed - then.filed)])
        row += 2


def _missing_sheet(sheet: Worksheet, figures: Figures) -> None:
    _head(sheet, "未报单位名单", _summary(figures), MISSING_COLUMNS)
    lines: list[list[Value]] = []
    for number, school in enumerate(figures.missing, start=1):
        previous = school.previous
        then: list[Value] = [previous.sessions_held, previous.problems_solved] if previous else ["—", "—"]
        lines.append([number, school.name, school.state.chinese, *then, _missing_remark(school)])
    _rows_or_none(sheet, MISSING_COLUMNS, lines, "（无，全部单位均已报送）")


def _missing_remark(school: SchoolFigures) -> str | None:
    if school.only_claims:
        return "声明已报，待工委办核对"
    return _MISSING_REMARKS.get(school.state)


_MISSING_REMARKS: Final[Mapping[ReturnState, str]] = {
    ReturnState.RETURNED: "已报来，因填写不完整退回补正，尚未重报",
    ReturnState.HELD: "已报来，待工委办核实后登记",
}


def _late_sheet(sheet: Worksheet, figures: Figures) -> None:
    _head(sheet, "迟报单位名单", _summary(figures), LATE_COLUMNS)
    lines: list[list[Value]] = [
        [number, school.name, _stamp(school.received_at), school.version, school.remarks]
        for number, school in enumerate(figures.late, start=1)
    ]
    _rows_or_none(sheet, LATE_COLUMNS, lines, "（无）")


def _doubt_sheet(sheet: Worksheet, figures: Figures) -> None:
    note = "以下事项供工委办核对参考，均已计入汇总，未退回学校。"
    _head(sheet, "需核对事项", note, DOUBT_COLUMNS)
    lines: list[list[Value]] = [
        [number, school.name, *(school.counts or Counts()).values, "；".join(school.doubts)]
        for number, school in enumerate(figures.doubtful, start=1)
    ]
    _rows_or_none(sheet, DOUBT_COLUMNS, lines, "（无）")


def _trend_sheet(sheet: Worksheet, sums: Sequence[Sum], title: str) -> None:
    """The sums by period with two native charts."""
    _head(sheet, title, "各期数字为已计入的最新版本之和。", TREND_COLUMNS)
    lines: list[list[Value]] = [[one.period, one.filed, one.late, *one.counts.values] for one in sums]
    _rows_or_none(sheet, TREND_COLUMNS, lines, "（尚无数据）")
    if not sums:
        return
    last = HEADING_ROW + len(sums)
    place = last + 2
    bars = BarChart()
    bars.type, bars.grouping = "col", "clustered"
    _chart(sheet, bars, "举办次数与解决问题数量", (6, 7), last, f"A{place}")
    lines_chart = LineChart()
    _chart(sheet, lines_chart, "已报单位数与建立平台数", (2, 5), last, f"E{place}")


def _chart(
    sheet: Worksheet, chart: BarChart | LineChart, title: str, columns: Iterable[int], last: int, place: str
) -> None:
    for column in columns:
        data = Reference(sheet, min_col=column, min_row=HEADING_ROW, max_row=last)
        chart.add_data(data, titles_from_data=True)
    for series in chart.series:
        series.smooth = False
        if isinstance(chart, LineChart):
            series.marker = Marker("circle")  # a line of one point would not be seen
    chart.set_categories(Reference(sheet, min_col=1, min_row=HEADING_ROW + 1, max_row=last))
    chart.title = title
    chart.height, chart.width = 8.5, 12.5  # type: ignore[assignment]  # the stubs know whole centimetres only
    chart.x_axis.delete = False
    chart.y_axis.delete = False
    chart.y_axis.scaling.min = 0
    chart.y_axis.number_format = "0"
    chart.legend = Legend(legendPos="b")
    sheet.add_chart(chart, place)


def _registry_sheet(sheet: Worksheet, registry: Sequence[Platform]) -> None:
    codes = [code for code, _ in registry[0].activity] if registry else []
    columns = (
        Column("序号", 6), Column("单位名称", 28, words=True), Column("建立平台", 10), Column("首次报告日期", 14),
        Column("平台数", 8), *(Column(code, 12) for code in codes),
    )  # fmt: skip
    names = [_established(platform) for platform in registry]
    without = names.count("未建立")
    note = f"各期一栏为月均举办次数，空白为未报。尚未建立校本级平台的单位 {without} 个。"
    _head(sheet, "校本级平台登记", note, columns)
    for number, platform in enumerate(registry, start=1):
        monthly: list[Value] = [None if rate is None else round(rate, 1) for _, rate in platform.activity]
        values: list[Value] = [
            number,
            platform.name,
            names[number - 1],
            platform.since,
            platform.platforms,
            *monthly,
        ]
        _row(sheet, HEADING_ROW + number, columns, values, fill=None if platform.since else MISSING_FILL)


def _established(platform: Platform) -> str:
    """Whether a school has a platform; of one that never filed that is not known."""
    if platform.since is not None:
        return "已建立"
    return "未建立" if any(rate is not None for _, rate in platform.activity) else "未报告"


def _detail_sheet(sheet: Worksheet, returns: Sequence[FiledReturn], zone: ZoneInfo) -> None:
    """Every row of every version, one line each, to filter and to count with a pivot table."""
    _head(
        sheet,
        "填报明细（含历次版本）",
        "“是否计入”为否的，是被后来版本替代、退回或待核实的。",
        DETAIL_COLUMNS,
    )
    number = HEADING_ROW
    for one in sorted(returns, key=lambda r: (r.period, r.unit_name, r.version)):
        received = one.received_at.astimezone(zone).strftime("%Y-%m-%d %H:%M")
        for row in one.rows:
            number += 1
            values: list[Value] = [
                one.period, one.unit_name, row.unit or one.unit_name,
                row.party_branches, row.platforms, row.sessions_held, row.problems_solved, row.remarks,
                one.version, one.state.chinese, "是" if one.counted else "否",
                received, one.reported_on, one.contact_name, one.contact_phone,
            ]  # fmt: skip
            _row(sheet, number, DETAIL_COLUMNS, values)
    sheet.auto_filter.ref = f"A{HEADING_ROW}:{get_column_letter(len(DETAIL_COLUMNS))}{number}"


def _summary(figures: Figures) -> str:
    total = figures.total
    as_of = datetime.fromisoformat(figures.as_of)
    in_time = total.filed - len([school for school in figures.late if school.in_directory])
    return (
        f"统计期：{figures.covers}（{figures.period}）　　应报 {total.expected} 个，已报 {total.filed} 个"
        f"（按时 {in_time} 个，迟报 {total.filed - in_time} 个），未报 {total.expected - total.filed} 个"
        f"　　截至{as_of.year}年{as_of.month}月{as_of.day}日{as_of:%H:%M}"
    )


def _stamp(iso: str | None) -> str | None:
    return datetime.fromisoformat(iso).strftime("%Y-%m-%d %H:%M") if iso else None


def _signed(number: int) -> str:
    return f"{number:+d}" if number else "0"


# --- how a sheet is made ------------------------------------------------------------------------------


def _new_book() -> Workbook:
    book = Workbook()
    del book[book.sheetnames[0]]
    book.properties.creator = "djb"
    return book


def _head(sheet: Worksheet, title: str, note: str, columns: Sequence[Column]) -> None:
    """Title, a line about the figures, headings, widths, and the page for A4 across."""
    width = len(columns)
    for row, text, title_font, height in ((1, title, TITLE_FONT, 34.0), (2, note, NOTE_FONT, 22.0)):
        top = sheet.cell(row, 1)
        write_text(top, text)
        top.font = title_font
        top.alignment = Alignment(horizontal="center" if row == 1 else "left", vertical="center")
        sheet.merge_cells(start_row=row, start_column=1, end_row=row, end_column=width)
        sheet.row_dimensions[row].height = height
    headings: list[Value] = [column.heading for column in columns]
    plain = [Column(column.heading, column.width) for column in columns]
    _row(sheet, HEADING_ROW, plain, headings, font=HEADING_FONT, fill=HEADING_FILL)
    sheet.row_dimensions[HEADING_ROW].height = 32
    for number, column in enumerate(columns, start=1):
        sheet.column_dimensions[get_column_letter(number)].width = column.width
    sheet.freeze_panes = f"{'C' if width > 6 else 'A'}{HEADING_ROW + 1}"
    _page(sheet)


def _page(sheet: Worksheet) -> None:
    sheet.page_setup.paperSize = sheet.PAPERSIZE_A4
    sheet.page_setup.orientation = "landscape"
    sheet.page_setup.fitToWidth, sheet.page_setup.fitToHeight = 1, 0
    sheet.sheet_properties.pageSetUpPr = PageSetupProperties(fitToPage=True)
    sheet.print_title_rows = f"{HEADING_ROW}:{HEADING_ROW}"
    sheet.print_options.horizontalCentered = True
    margins = sheet.page_margins
    margins.left = margins.right = 0.5
    margins.top = margins.bottom = 0.7
    footer = HeaderFooterItem()
    footer.center.text = "第 &P 页，共 &N 页"
    sheet.HeaderFooter.oddFooter = footer


def _row(
    sheet: Worksheet,
    row: int,
    columns: Sequence[Column],
    values: Sequence[Value],
    *,
    font: Font = TEXT_FONT,
    fill: PatternFill | None = None,
) -> None:
    words, figures = (_style(sheet, font, fill, alignment) for alignment in (LEFT, CENTRE))
    for number, (column, value) in enumerate(zip(columns, values, strict=True), start=1):
        cell = sheet.cell(row, number)
        cell.style = words if column.words else figures
        if isinstance(value, str):
            write_text(cell, value)
        elif value is not None:
            cell.value = value
        if isinstance(value, date):
            cell.number_format = "yyyy-mm-dd"
    sheet.row_dimensions[row].height = _height(columns, values)


def _height(columns: Sequence[Column], values: Sequence[Value]) -> float:
    """How high a row must be for its longest text; not every program finds out by itself."""
    lines = [
        sum(max(1, math.ceil(_width(line) / (column.width - 1))) for line in value.split("\n"))
        for column, value in zip(columns, values, strict=True)
        if column.words and isinstance(value, str)
    ]
    return min(400.0, 4.0 + 14.0 * max(lines, default=1))


def _width(text: str) -> int:
    """Width in half-width characters."""
    return sum(2 if unicodedata.east_asian_width(character) in "WFA" else 1 for character in text)


def _style(sheet: Worksheet, font: Font, fill: PatternFill | None, alignment: Alignment) -> str:
    """The name of a boxed cell style, known to the workbook from now on; one name costs less than four parts."""
    colour = fill.fgColor.rgb if fill is not None else "无"
    name = f"{font.name}{font.size:g}{'粗' if font.b else ''} {colour} {alignment.horizontal}"
    book = sheet.parent
    if book is not None and name not in book.style_names:
        style = NamedStyle(name, font=font, border=BOX, alignment=alignment, fill=fill or PatternFill())
        book.add_named_style(style)
    return name


def _rows_or_none(
    sheet: Worksheet, columns: Sequence[Column], lines: Sequence[Sequence[Value]], nothing: str
) -> None:
    for number, values in enumerate(lines, start=HEADING_ROW + 1):
        _row(sheet, number, columns, values)
    if not lines:
        _row(sheet, HEADING_ROW + 1, columns, [None, nothing, *[None] * (len(columns) - 2)])


def write_text(cell: Cell | MergedCell, text: str) -> None:
    """Puts a text into a cell as text, also if it begins like a formula; what no file may hold is left out."""
    safe = _INVISIBLE.sub("", text)[:LONGEST_CELL]
    cell.value = safe
    cell.data_type = "s"
    if safe.startswith(("=", "+", "-", "@", "\t", "\r")):
        cell.quotePrefix = True


# --- formulas that carry their value --------------------------------------------------------------------


class _Cached(dict[tuple[str, str], int | str]):
    """(name of the sheet, place) -> the value that the formula there gives."""


def _formula(sheet: Worksheet, place: str, formula: str, value: int | str, cached: _Cached) -> None:
    sheet[place].value = formula
    cached[sheet.title, place] = value


def _saved(book: Workbook, cached: _Cached) -> bytes:
    book.calculation.fullCalcOnLoad = True
    out = io.BytesIO()
    book.save(out)
    if not cached:
        return out.getvalue()
    by_part: dict[str, dict[str, int | str]] = {}
    for (title, place), value in cached.items():
        part = f"xl/worksheets/sheet{book.sheetnames.index(title) + 1}.xml"
        by_part.setdefault(part, {})[place] = value
    return _with_values(out.getvalue(), by_part)


_FORMULA_CELL: Final = re.compile(rb'<c r="([A-Z]+\d+)"([^>]*)><f>(.*?)</f><v ?(?:/>|></v>)')


def _with_values(data: bytes, by_part: Mapping[str, Mapping[str, int | str]]) -> bytes:
    """The workbook with the values of its formulas written beside them; openpyxl leaves them empty."""
    out = io.BytesIO()
    with (
        zipfile.ZipFile(io.BytesIO(data)) as source,
        zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as target,
    ):
        for item in source.infolist():
            content = source.read(item)
            values = by_part.get(item.filename)
            if values:
                content = _FORMULA_CELL.sub(partial(_valued, values), content)
            target.writestr(item, content)
    return out.getvalue()


def _valued(values: Mapping[str, int | str], match: re.Match[bytes]) -> bytes:
    place, attributes, formula = match[1].decode(), match[2], match[3]
    value: Any = values.get(place)
    if value is None:
        return match[0]
    kind = b' t="str"' if isinstance(value, str) else b""
    attributes = re.sub(rb' t="\w+"', b"", attributes)
    return b'<c r="%s"%s%s><f>%s</f><v>%s</v>' % (match[1], attributes, kind, formula, str(value).encode())
