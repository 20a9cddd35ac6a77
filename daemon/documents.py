"""The documents that go with letters: blank and prefilled forms, a school's own file marked for mending.

Every form carries its hidden identity in a custom document property, so that it is known when it returns.
"""

from __future__ import annotations

import io
import re
import zipfile
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from typing import Any, Literal

import docx
import openpyxl
from docx.enum.section import WD_ORIENT
from docx.enum.table import WD_CELL_VERTICAL_ALIGNMENT, WD_TABLE_ALIGNMENT
from docx.enum.text import WD_ALIGN_PARAGRAPH
from docx.opc.constants import RELATIONSHIP_TYPE
from docx.opc.exceptions import PackageNotFoundError
from docx.opc.packuri import PackURI
from docx.opc.part import Part
from docx.oxml import OxmlElement
from docx.oxml.ns import qn
from docx.shared import Cm, Pt, RGBColor
from docx.table import _Cell
from docx.text.paragraph import Paragraph
from icalendar import Calendar, Event, vCalAddress, vText
from lxml import etree
from openpyxl.comments import Comment
from openpyxl.packaging.custom import StringProperty
from openpyxl.styles import Alignment, Border, Font, PatternFill, Side
from openpyxl.utils import get_column_letter
from openpyxl.worksheet.datavalidation import DataValidation
from openpyxl.worksheet.properties import PageSetupProperties

from daemon.envelope import DOCX, XLSX, Attachment
from daemon.typesetting import clean_text, one_line, signature_date
from parsers.content import IDENTITY_PROPERTY, TICK_OFF, TICK_ON
from parsers.drafts import with_identity
from parsers.forms import BY_NAME, Field, FormKind, bare_label
from parsers.values import FindingKind, Form, Place, Severity, Value

FormName = Literal["problem_report", "statistics"]
FileFormat = Literal["docx", "xlsx"]

YELLOW = "FFFF00"
PALE = "FFF9DB"
"""Cells that are there to be filled in."""
OFFICE = "工委办"
SONG, TITLE_FONT, FANG_SONG = "宋体", "方正小标宋简体", "仿宋_GB2312"
CUSTOM_PROPERTIES = "application/vnd.openxmlformats-officedocument.custom-properties+xml"

# What a damaged or unusual office file makes these libraries raise: then a fresh form is sent instead.
_UNFIT = (
    PackageNotFoundError,
    zipfile.BadZipFile,
    etree.XMLSyntaxError,
    KeyError,
    ValueError,
    TypeError,
    IndexError,
    AttributeError,
    NotImplementedError,
    OSError,
)


@dataclass(frozen=True, slots=True)
class Sheet:
    """An official form as it is printed: where the blanks stand and how wide they are."""

    kind: FormKind
    head: tuple[tuple[str, tuple[str, ...]], ...]
    """Printed label, and the fields that are written behind it."""
    widths: tuple[float, ...]
    """Of the table's columns, in centimetres; together the width of the page."""
    columns: tuple[str, ...]
    notes: tuple[str, ...]
    row_height: float


SHEETS: Mapping[FormName, Sheet] = {
    "problem_report": Sheet(
        BY_NAME["problem_report"],
        (
            ("填报单位（盖章）", ("reporting_unit",)),
            ("主要负责人签字", ("principal",)),
            ("联系人及电话", ("contact_name", "contact_phone")),
        ),
        (5.0, 9.2, 7.5, 3.0),
        ("problem", "details", "levels", "remarks"),
        (
            "说明：（1）各市直学校如有需要市委教育工委书记，或市局相关科室配合解决的事项，请及时将此表报送工委办。"
            "邮箱：{address}，联系电话：{phone}。",
        ),
        6.5,
    ),
    "statistics": Sheet(
        BY_NAME["statistics"],
        (
            ("填报单位", ("reporting_unit",)),
            ("填报时间", ("reported_on",)),
            ("联系人及电话", ("contact_name", "contact_phone")),
        ),
        (5.4, 3.0, 5.2, 4.2, 3.6, 3.3),
        ("unit", "party_branches", "platforms", "sessions_held", "problems_solved", "remarks"),
        (
            "说明：（1）此表由各市直学校填报校本级平台开展情况；",
            "（2）此表每两个月报送一次，分别1月5日、3月5日、5月5日、7月5日、9月5日、11月5日前报送至工委办。"
            "邮箱：{address}，联系电话：{phone}。",
        ),
        1.6,
    ),
}
COUNTS = ("party_branches", "platforms", "sessions_held", "problems_solved")
LEVEL_LINES = (
    ("secretary", "市委教育工委书记", "（需报告工委书记协调解决的难点问题请勾选此项）"),
    ("section", "市局相关科室，具体是", "（需市局相关科室配合解决的难点问题请勾选此项，请列出具体科室）"),
)


@dataclass(frozen=True, slots=True)
class Filling:
    """What is already known of a form, by the parser's names of fields, and what must be mended."""

    fields: Mapping[str, Value] = field(default_factory=dict)
    items: Sequence[Mapping[str, Value]] = ()
    mends: Mapping[str, str] = field(default_factory=dict)
    """Field path -> what is wrong with it."""


@dataclass(frozen=True, slots=True)
class OfficeContact:
    """Whom a form's printed notes name: the mailbox it goes to, and the telephone for questions."""

    address: str
    phone: str


NOTICE_CONTACT = OfficeContact("djb3916@163.com", "4573916")
"""As the notice's own forms have it."""


def blank_form(
    kind: FormName,
    format: FileFormat = "docx",
    *,
    prefill: Filling | None = None,
    identity: str | None = None,
    office: OfficeContact = NOTICE_CONTACT,
) -> Attachment:
    """The official form, empty or prefilled, A4 landscape, the cells to fill in clearly coloured."""
    filling = prefill or Filling()
    notes = [note.format(address=office.address, phone=office.phone) for note in SHEETS[kind].notes]
    make = _docx_form if format == "docx" else _xlsx_form
    data = make(SHEETS[kind], filling, identity, notes)
    suffix = "（请补正）" if filling.mends else ""
    sheet = SHEETS[kind].kind
    name = f"{sheet.annex} {sheet.title}{suffix}.{format}"
    return Attachment(name, data, DOCX if format == "docx" else XLSX)


def marked_copy(
    form: Form, *, identity: str | None = None, office: OfficeContact = NOTICE_CONTACT
) -> Attachment:
    """The form to mend: the school's own file with the faulty cells yellow and commented.

    A file that is no docx or xlsx, or that cannot be written back whole, is replaced by a fresh form
    with what was understood of it.
    """
    mends = mends_of(form)
    marked: bytes | None = None
    try:
        if form.document is not None and form.format == "docx":
            marked = _marked_docx(form, form.document, mends, identity)
        elif form.document is not None and form.format == "xlsx" and _is_plain_workbook(form.document):
            marked = _marked_xlsx(form, form.document, mends, identity)
    except _UNFIT:
        marked = None
    if marked is None:
        kind: FormName = "statistics" if form.kind == "statistics" else "problem_report"
        filling = Filling(form.fields, form.items, mends)
        return blank_form(kind, prefill=filling, identity=identity, office=office)
    stem = re.sub(r"\.[A-Za-z]{1,5}$", "", form.part.replace("\\", "/").rpartition("/")[2])
    stem = re.sub(r"（请补正）(?:[(（]\d+[)）])?$", "", stem)
    return Attachment(f"{stem}（请补正）.{form.format}", marked, DOCX if form.format == "docx" else XLSX)


def mends_of(form: Form) -> dict[str, str]:
    """What must be mended, by field path: errors, and readings that are uncertain."""
    mends: dict[str, str] = {}
    for finding in form.findings:
        if finding.severity is Severity.ERROR or finding.kind is FindingKind.UNCERTAIN:
            known = mends.get(finding.field)
            mends[finding.field] = f"{known}；{finding.text}" if known else finding.text
    return mends


def _comment_text(text: str) -> str:
    return f"请补正：{one_line(clean_text(text, 400))}"


# --- the forms in Word ----------------------------------------------------------------------------------


def _docx_form(sheet: Sheet, filling: Filling, identity: str | None, notes: Sequence[str]) -> bytes:
    document = docx.Document()
    _landscape(document)
    _written(document.add_paragraph(), sheet.kind.annex, size=14)
    title = document.add_paragraph()
    title.alignment = WD_ALIGN_PARAGRAPH.CENTER
    _written(title, sheet.kind.title, size=20, font=TITLE_FONT)
    _docx_head(document, sheet, filling)
    items = list(filling.items) or [{}]
    table = document.add_table(rows=1 + len(items), cols=len(sheet.columns))
    table.style = "Table Grid"
    table.alignment = WD_TABLE_ALIGNMENT.CENTER
    table.autofit = False
    table.rows[0].height = Cm(1.1)
    for column, name in enumerate(sheet.columns):
        heading = table.cell(0, column)
        _cell_written(heading, sheet.kind.field(name).label, bold=True, centred=True)
    for row, item in enumerate(items, 1):
        table.rows[row].height = Cm(sheet.row_height)
        for column, name in enumerate(sheet.columns):
            path = f"{sheet.kind.items_key}[{row - 1}].{name}"
            _docx_cell(document, table.cell(row, column), name, item, filling.mends.get(path))
    for line, width in zip(table.columns, sheet.widths, strict=True):
        line.width = Cm(width)
        for cell in line.cells:
            cell.width = Cm(width)
    for index, note in enumerate(notes):
        paragraph = document.add_paragraph()
        paragraph.paragraph_format.space_before = Pt(0 if index else 8)
        _written(paragraph, note, size=11)
    identify(document, identity)
    return _saved(document)


def _landscape(document: Any) -> None:
    section = document.sections[0]
    section.orientation = WD_ORIENT.LANDSCAPE
    section.page_width, section.page_height = Cm(29.7), Cm(21.0)
    section.left_margin = section.right_margin = Cm(2.5)
    section.top_margin = section.bottom_margin = Cm(2.0)
    normal = document.styles["Normal"]
    normal.font.name = "Times New Roman"
    normal.font.size = Pt(12)
    normal.element.rPr.rFonts.set(qn("w:eastAsia"), FANG_SONG)
    normal.paragraph_format.space_after = Pt(4)


def _docx_head(document: Any, sheet: Sheet, filling: Filling) -> None:
    """The line over the table: each label with what is written behind it."""
    line = document.add_paragraph()
    for index, (label, names) in enumerate(sheet.head):
        _written(line, ("　　" if index else "") + f"{label}：", size=13)
        value = " ".join(text for name in names if (text := _plain(filling.fields.get(name))))
        run = _written(line, value or "　　　　　　", size=13)
        faults = [filling.mends[name] for name in names if name in filling.mends]
        if faults:
            _shade(run._r.get_or_add_rPr(), YELLOW)
            _commented(document, run, "；".join(faults))


def _docx_cell(document: Any, cell: _Cell, name: str, item: Mapping[str, Value], fault: str | None) -> None:
    centred = name in COUNTS or name == "unit"
    text = _levels(item) if name == "levels" else _plain(item.get(name))
    _cell_written(cell, text, centred=centred)
    _shade(cell._tc.get_or_add_tcPr(), YELLOW if fault else PALE)
    if fault:
        run = cell.paragraphs[0].runs[0] if cell.paragraphs[0].runs else cell.paragraphs[0].add_run("")
        _commented(document, run, fault)


def _levels(item: Mapping[str, Value]) -> str:
    """The two boxes of 反馈层级, ticked as known."""
    chosen = item.get("levels") or ()
    sections = item.get("sections") or ()
    named = "、".join(sections) if isinstance(sections, tuple) else str(sections)
    lines: list[str] = []
    for level, label, hint in LEVEL_LINES:
        box = TICK_ON if isinstance(chosen, tuple) and level in chosen else TICK_OFF
        if level == "section":
            label += named or "　　　　　"
        lines.append(f"{box if box == TICK_ON else '□'}{label}{hint}")
    return "\n".join(lines)


def _plain(value: Value) -> str:
    if isinstance(value, tuple):
        return "、".join(value)
    if isinstance(value, date):
        return signature_date(value)
    return "" if value is None else clean_text(str(value)).replace("\x1f", "\n")


def _written(paragraph: Any, text: str, *, size: float, font: str = FANG_SONG, bold: bool = False) -> Any:
    run = paragraph.add_run(text)
    run.font.size = Pt(size)
    run.font.bold = bold
    run.font.name = "Times New Roman"
    run.font.color.rgb = RGBColor(0, 0, 0)
    run._element.get_or_add_rPr().get_or_add_rFonts().set(qn("w:eastAsia"), font)
    return run


def _cell_written(cell: _Cell, text: str, *, bold: bool = False, centred: bool = False) -> None:
    cell.vertical_alignment = WD_CELL_VERTICAL_ALIGNMENT.CENTER
    for index, line in enumerate(text.split("\n")):
        paragraph = cell.paragraphs[0] if index == 0 else cell.add_paragraph()
        paragraph.alignment = WD_ALIGN_PARAGRAPH.CENTER if centred else WD_ALIGN_PARAGRAPH.LEFT
        paragraph.paragraph_format.space_after = Pt(2)
        if line:
            _written(paragraph, line, size=12, bold=bold, font=SONG if bold else FANG_SONG)


def _shade(properties: Any, colour: str) -> None:
    """Fills a cell's, paragraph's or run's background."""
    old = properties.find(qn("w:shd"))
    if old is not None:
        properties.remove(old)
    shade = OxmlElement("w:shd")
    shade.set(qn("w:val"), "clear")
    shade.set(qn("w:color"), "auto")
    shade.set(qn("w:fill"), colour)
    followers = {qn(f"w:{name}") for name in _AFTER_SHADE}
    at = next((i for i, node in enumerate(properties) if node.tag in followers), len(properties))
    properties.insert(at, shade)


_AFTER_SHADE = (
    *("noWrap", "tcMar", "textDirection", "tcFitText", "vAlign", "hideMark"),
    *("fitText", "vertAlign", "rtl", "cs", "em", "lang", "eastAsianLayout", "specVanish", "oMath"),
    *("tabs", "suppressAutoHyphens", "kinsoku", "wordWrap", "overflowPunct", "topLinePunct", "autoSpaceDE"),
    *("autoSpaceDN", "bidi", "adjustRightInd", "snapToGrid", "spacing", "ind", "contextualSpacing"),
    *("mirrorIndents", "suppressOverlap", "jc", "textAlignment", "textboxTightWrap", "outlineLvl", "divId"),
    *("cnfStyle", "rPr", "sectPr", "pPrChange", "rPrChange", "tcPrChange"),
)
"""Elements that the schema wants behind a w:shd."""


def _commented(document: Any, run: Any, fault: str) -> None:
    document.add_comment(runs=run, text=_comment_text(fault), author=OFFICE, initials="工")


def _saved(document: Any) -> bytes:
    buffer = io.BytesIO()
    document.save(buffer)
    return buffer.getvalue()


def identify(document: Any, identity: str | None) -> None:
    """Write the identity into docProps/custom.xml and keep what else stands there."""
    if identity is None:
        return
    package = document.part.package
    found = [rel for rel in package.rels.values() if rel.reltype == RELATIONSHIP_TYPE.CUSTOM_PROPERTIES]
    if found:
        part = found[0].target_part
        part._blob = with_identity(part.blob, identity)
        return
    part = Part(PackURI("/docProps/custom.xml"), CUSTOM_PROPERTIES, with_identity(None, identity), package)
    package.relate_to(part, RELATIONSHIP_TYPE.CUSTOM_PROPERTIES)


# --- a school's Word file, marked -------------------------------------------------------------------------


def _marked_docx(form: Form, data: bytes, mends: Mapping[str, str], identity: str | None) -> bytes | None:
    """The school's document with its faults marked; None if not every fault finds its place."""
    document = docx.Document(io.BytesIO(data))
    tables = _body_tables(document.element.body)
    for path, fault in mends.items():
        known = BY_NAME[form.kind]
        cell = _docx_target(form, path, known, tables)
        if cell is not None:
            _shade(cell.get_or_add_tcPr(), YELLOW)
            paragraphs = cell.findall(qn("w:p"))
            holder = paragraphs[0] if paragraphs else cell.add_p()
        else:
            found = _docx_line(document, path, known)
            if found is None:
                return None
            holder = found
            _shade(holder.get_or_add_pPr(), YELLOW)
        paragraph = Paragraph(holder, document._body)
        _commented(document, paragraph.runs[0] if paragraph.runs else paragraph.add_run(""), fault)
    identify(document, identity)
    return _saved(document)


def _body_tables(body: Any) -> list[Any]:
    """The tables as the reader of Word files counts them: in document order, without text boxes."""
    skipped = {qn("w:txbxContent"), "{http://schemas.openxmlformats.org/markup-compatibility/2006}Fallback"}
    return [t for t in body.iter(qn("w:tbl")) if not any(a.tag in skipped for a in t.iterancestors())]


def _docx_target(form: Form, path: str, kind: FormKind, tables: Sequence[Any]) -> Any | None:
    """The table cell of a field: where it was read, else below or beside its printed label."""
    place = form.places.get(path)
    if place is not None and _on_grid(place) and place.table is not None and place.table < len(tables):
        return _grid_cell(tables[place.table], place.row or 0, place.column or 0)
    wanted = _field_of(path, kind)
    if wanted is None:
        return None
    row = _row_of_item(form, path)
    for table in tables:
        for at, column, cell in _grid(table):
            if not _is_label(_words(cell), wanted):
                continue
            below = "." in path
            target = (
                _grid_cell(table, row if row is not None else at + 1 + _index(path), column)
                if below
                else None
            )
            return target if below else _grid_cell(table, at, column + _span(cell))
    return None


def _on_grid(place: Place) -> bool:
    return place.row is not None and place.column is not None


def _row_of_item(form: Form, path: str) -> int | None:
    """The row in which the other fields of the same item were read."""
    item = path.rpartition(".")[0]
    rows = (place.row for other, place in form.places.items() if item and other.startswith(f"{item}."))
    return next((row for row in rows if row is not None), None)


def _index(path: str) -> int:
    found = re.search(r"\[(\d+)\]", path)
    return int(found[1]) if found else 0


def _field_of(path: str, kind: FormKind) -> Field | None:
    name = path.rpartition(".")[2]
    return next((known for known in (*kind.head, *kind.item) if known.name == name), None)


def _is_label(text: str, wanted: Field) -> bool:
    bare = bare_label(text)
    return bool(bare) and (bare in wanted.exact or bool(wanted.loose and wanted.loose.fullmatch(bare)))


def _words(cell: Any) -> str:
    return "".join(node.text or "" for node in cell.iter(qn("w:t")))


def _span(cell: Any) -> int:
    spans = cell.findall(f"{qn('w:tcPr')}/{qn('w:gridSpan')}")
    return int(spans[0].get(qn("w:val"), "1")) if spans else 1


def _inner(parent: Any, tag: str) -> Iterable[Any]:
    """Children of that name, looking through content controls and revision marks."""
    wrappers = {qn("w:sdt"), qn("w:sdtContent"), qn("w:customXml"), qn("w:smartTag"), qn("w:ins")}
    for node in parent:
        if node.tag == qn(tag):
            yield node
        elif node.tag in wrappers:
            yield from _inner(node, tag)


def _grid(table: Any) -> Iterable[tuple[int, int, Any]]:
    """Row, column and cell of a table as the reader counts them; a merged cell stands at its top."""
    at = 0
    for row in _inner(table, "w:tr"):
        properties = row.find(qn("w:trPr"))
        gone = properties is not None and any(
            properties.find(qn(name)) is not None for name in ("w:del", "w:hidden")
        )
        if gone:
            continue
        before = row.find(f"{qn('w:trPr')}/{qn('w:gridBefore')}")
        column = int(before.get(qn("w:val"), "0")) if before is not None else 0
        for cell in _inner(row, "w:tc"):
            yield at, column, cell
            column += _span(cell)
        at += 1


def _grid_cell(table: Any, row: int, column: int) -> Any | None:
    return next(
        (c for at, start, c in _grid(table) if at == row and start <= column < start + _span(c)), None
    )


def _docx_line(document: Any, path: str, kind: FormKind) -> Any | None:
    """The paragraph outside tables in which the label of a field of the head stands."""
    wanted = _field_of(path, kind)
    if wanted is None or "." in path:
        return None
    for node in document.element.body.iter(qn("w:p")):
        pieces = re.split(r"[:：]", "".join(t.text or "" for t in node.iter(qn("w:t"))))
        labels = [re.split(r"\s{2,}|　", piece)[-1] for piece in pieces[:-1]]
        combined = wanted.name in ("contact_name", "contact_phone")
        also = kind.field("contact") if combined else wanted
        if any(_is_label(label, wanted) or _is_label(label, also) for label in labels):
            return node
    return None


# --- the forms in Excel -------------------------------------------------------------------------------------

_THIN = Side(style="thin", color="000000")
_FRAME = Border(left=_THIN, right=_THIN, top=_THIN, bottom=_THIN)
_WRAPPED = Alignment(wrap_text=True, vertical="center", horizontal="left")
_RIGHT = Alignment(wrap_text=True, vertical="center", horizontal="right")
_CENTRED = Alignment(wrap_text=True, vertical="center", horizontal="center")


def _xlsx_form(sheet: Sheet, filling: Filling, identity: str | None, notes: Sequence[str]) -> bytes:
    book: Any = openpyxl.Workbook()
    page: Any = book.active
    page.title = sheet.kind.annex
    last = len(sheet.columns)
    for column, width in enumerate(sheet.widths, 1):
        page.column_dimensions[get_column_letter(column)].width = width * 5
    _xlsx_line(page, 1, last, sheet.kind.annex, Font(name=SONG, size=12), _WRAPPED)
    _xlsx_line(page, 2, last, sheet.kind.title, Font(name=TITLE_FONT, size=20), _CENTRED)
    page.row_dimensions[2].height = 36
    top = _xlsx_head(page, sheet, filling)
    items = list(filling.items) or [{}]
    for column, name in enumerate(sheet.columns, 1):
        cell = page.cell(top, column, sheet.kind.field(name).label)
        cell.font, cell.alignment, cell.border = Font(name=SONG, size=12, bold=True), _CENTRED, _FRAME
    page.row_dimensions[top].height = 50
    for row, item in enumerate(items, top + 1):
        page.row_dimensions[row].height = max(40, sheet.row_height * 28)
        for column, name in enumerate(sheet.columns, 1):
            path = f"{sheet.kind.items_key}[{row - top - 1}].{name}"
            _xlsx_cell(page.cell(row, column), name, item, filling.mends.get(path))
    for row, note in enumerate(notes, top + 2 + len(items)):
        _xlsx_line(page, row, last, note, Font(name=FANG_SONG, size=11), _WRAPPED)
        page.row_dimensions[row].height = 32
    _validate(page, sheet, range(top + 1, top + 1 + len(items)))
    _print_on_a4(page)
    if identity is not None:
        book.custom_doc_props.append(StringProperty(name=IDENTITY_PROPERTY, value=identity))
    return _workbook_bytes(book)


def _xlsx_line(page: Any, row: int, last: int, text: str, font: Font, alignment: Alignment) -> None:
    page.merge_cells(start_row=row, start_column=1, end_row=row, end_column=last)
    cell = page.cell(row, 1, text)
    cell.font, cell.alignment = font, alignment


def _xlsx_head(page: Any, sheet: Sheet, filling: Filling) -> int:
    """Label and blank by turns, each in a cell of its own; gives the row of the table's headings."""
    pairs = len(sheet.columns) // 2
    for index, (label, names) in enumerate(sheet.head):
        row, column = 3 + index // pairs, 2 * (index % pairs) + 1
        page.row_dimensions[row].height = 34
        title, blank = page.cell(row, column, f"{label}："), page.cell(row, column + 1)
        title.font, title.alignment = Font(name=SONG, size=12), _RIGHT
        _as_text(blank, " ".join(t for name in names if (t := _plain(filling.fields.get(name)))))
        blank.font, blank.alignment, blank.border = Font(name=FANG_SONG, size=12), _WRAPPED, _FRAME
        faults = [filling.mends[name] for name in names if name in filling.mends]
        _fill(blank, YELLOW if faults else PALE)
        if faults:
            _note(blank, "；".join(faults))
    return 4 + (len(sheet.head) - 1) // pairs


def _xlsx_cell(cell: Any, name: str, item: Mapping[str, Value], fault: str | None) -> None:
    value = item.get(name)
    if name in COUNTS:
        cell.value = value if isinstance(value, int) else None
        cell.number_format = "0"
    else:
        _as_text(cell, _levels(item) if name == "levels" else _plain(value))
    cell.font, cell.border = Font(name=FANG_SONG, size=12), _FRAME
    cell.alignment = _CENTRED if name in (*COUNTS, "unit") else _WRAPPED
    _fill(cell, YELLOW if fault else PALE)
    if fault:
        _note(cell, fault)


def _as_text(cell: Any, text: str) -> None:
    """Writes a text that can never become a formula."""
    cell.number_format = "@"
    if text:
        cell.value = text
        cell.data_type = "s"
        cell.quotePrefix = text[:1] in "=+-@"


def _fill(cell: Any, colour: str) -> None:
    cell.fill = PatternFill("solid", start_color=colour, end_color=colour)


def _note(cell: Any, fault: str) -> None:
    comment = Comment(_comment_text(fault), OFFICE)
    comment.width, comment.height = 260, 90
    cell.comment = comment


def _validate(page: Any, sheet: Sheet, rows: range) -> None:
    counts = [index for index, name in enumerate(sheet.columns, 1) if name in COUNTS]
    if not counts:
        return
    rule = DataValidation(
        type="whole", operator="greaterThanOrEqual", formula1="0", allow_blank=True, showErrorMessage=True
    )
    rule.errorTitle, rule.error = "请填写整数", "本栏请填写不小于0的整数，没有的填0。"
    rule.promptTitle, rule.prompt = "填写说明", "请填写整数，没有的填0。"
    rule.showInputMessage = True
    page.add_data_validation(rule)
    for row in rows:
        for column in counts:
            rule.add(page.cell(row, column))


def _print_on_a4(page: Any) -> None:
    page.page_setup.orientation = "landscape"
    page.page_setup.paperSize = page.PAPERSIZE_A4
    page.page_setup.fitToWidth, page.page_setup.fitToHeight = 1, 0
    page.sheet_properties.pageSetUpPr = PageSetupProperties(fitToPage=True)
    page.print_options.horizontalCentered = True
    page.page_margins.left = page.page_margins.right = 0.6


def _workbook_bytes(book: Any) -> bytes:
    buffer = io.BytesIO()
    book.save(buffer)
    return buffer.getvalue()


# --- a school's Excel file, marked ----------------------------------------------------------------------------


def _is_plain_workbook(data: bytes) -> bool:
    """Whether openpyxl gives the workbook back whole: no pictures, form controls or macros in it."""
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        names = archive.namelist()
    lost = ("xl/drawings/drawing", "xl/ctrlProps", "xl/activeX", "xl/vbaProject", "xl/media", "xl/embeddings")
    return not any(name.startswith(lost) for name in names)


def _marked_xlsx(form: Form, data: bytes, mends: Mapping[str, str], identity: str | None) -> bytes | None:
    """The school's workbook with its faults marked; None if not every fault finds its place."""
    book: Any = openpyxl.load_workbook(io.BytesIO(data))
    for path, fault in mends.items():
        cell = _xlsx_target(book, form, path)
        if cell is None:
            return None
        _fill(cell, YELLOW)
        _note(cell, fault)
    if identity is not None:
        if IDENTITY_PROPERTY in book.custom_doc_props.names:
            del book.custom_doc_props[IDENTITY_PROPERTY]
        book.custom_doc_props.append(StringProperty(name=IDENTITY_PROPERTY, value=identity))
    return _workbook_bytes(book)


def _xlsx_target(book: Any, form: Form, path: str) -> Any | None:
    place = form.places.get(path)
    if place is not None and _on_grid(place) and place.sheet in book.sheetnames:
        return _top_left(book[place.sheet], (place.row or 0) + 1, (place.column or 0) + 1)
    wanted = _field_of(path, BY_NAME[form.kind])
    if wanted is None:
        return None
    for page in book.worksheets:
        for cells in page.iter_rows(max_row=min(page.max_row, 200), max_col=min(page.max_column, 60)):
            for cell in cells:
                if isinstance(cell.value, str) and _is_label(cell.value, wanted):
                    return _beside_label(page, cell, form, path)
    return None


def _beside_label(page: Any, label: Any, form: Form, path: str) -> Any:
    """Below the label of a column, right of the label of a line; a merged cell counts as one."""
    area = next((merged for merged in page.merged_cells.ranges if label.coordinate in merged), None)
    bottom, right = (area.max_row, area.max_col) if area else (label.row, label.column)
    if "." not in path:
        return _top_left(page, label.row, right + 1)
    row = _row_of_item(form, path)
    return _top_left(page, row + 1 if row is not None else bottom + 1 + _index(path), label.column)


def _top_left(page: Any, row: int, column: int) -> Any:
    """The cell that can be written: of a merged area its first."""
    for area in page.merged_cells.ranges:
        if area.min_row <= row <= area.max_row and area.min_col <= column <= area.max_col:
            return page.cell(area.min_row, area.min_col)
    return page.cell(row, column)


# --- the invitation ---------------------------------------------------------------------------------------------


def visit_calendar(
    *,
    uid: str,
    sequence: int,
    written_at: datetime,
    day: date,
    start: time | None,
    summary: str,
    place: str | None,
    description: str,
    organizer_name: str,
    organizer_address: str,
    zone: Any,
) -> Attachment:
    """An .ics of the on-site visit; without a time it takes the whole day. Nobody's client is asked to reply."""
    event = Event()
    event.add("uid", uid)
    event.add("sequence", sequence)
    event.add("dtstamp", written_at)
    if start is None:
        event.add("dtstart", day)
        event.add("dtend", day + timedelta(days=1))
    else:
        begins = datetime.combine(day, start, zone)
        event.add("dtstart", begins)
        event.add("dtend", begins + timedelta(hours=3))
    event.add("summary", one_line(clean_text(summary, 200)))
    if place:
        event.add("location", one_line(clean_text(place, 200)))
    event.add("description", clean_text(description).replace("\x1f", "\n"))
    organizer = vCalAddress(f"mailto:{organizer_address}")
    organizer.params["cn"] = vText(organizer_name)
    event["organizer"] = organizer
    calendar = Calendar()
    calendar.add("prodid", "-//djb//CN")
    calendar.add("version", "2.0")
    calendar.add("method", "PUBLISH")
    calendar.add_component(event)
    if start is not None:
        calendar.add_missing_timezones()
    return Attachment("一线办理日程.ics", calendar.to_ical(), "text/calendar; charset=utf-8; method=PUBLISH")
