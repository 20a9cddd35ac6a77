"""PDF files: text and ruled tables of those that were printed to PDF, pictures of those that were scanned.

Fillable fields, typed annotations and ticks that are only drawn are read too: what a person sees on the
page is what counts, not what the text layer holds.
"""

from __future__ import annotations

import io
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import pdfplumber
import pypdfium2
from pdfminer.pdfdocument import PDFPasswordIncorrect
from pdfminer.pdfexceptions import PDFException
from pdfminer.psexceptions import PSException
from pdfplumber.utils.exceptions import PdfminerException

from parsers import glyphs, picture
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
from parsers.values import Place

if TYPE_CHECKING:
    from PIL.Image import Image

ENCRYPTED = "PDF 文件已加密，无法打开，请发送未加密的文件"
DAMAGED = "PDF 文件已损坏，无法打开"
BORDERLESS = "表格没有边框，按文字位置推断，请对照原件核对"
CROSSED_OUT = "文字上有划线"
DRAWN_OVER = "此处有手写批注，请对照原件核对"

SCAN_DPI = 200
BOX_SCALE = 300 / 72
FULL_PAGE = 0.6
"""Share of a page from which a picture is the page itself, and text over it only what a scanner guessed."""
EMPTY, TICKED = 0.10, 0.20
"""Share of ink inside a drawn box up to which it is empty, and from which it is ticked."""
OPTION = re.compile(
    r"(?:中共)?(?:贵港)?市委教育工委|(?<!市委)教育工委书记|市(?:教育)?局(?:的)?(?:相关|有关)|(?<!局)相关科室"
)
MARKS = glyphs.ON | glyphs.OFF | glyphs.CROSS | {TICK_UNKNOWN}
SYMBOL_FONT = re.compile(r"(wingdings ?[23]?|webdings|marlett)", re.IGNORECASE)
PEN = frozenset({"Ink", "Line", "PolyLine", "Polygon", "Square", "Circle", "StrikeOut", "Stamp"})
TEXT_LINES = {"snap_tolerance": 3, "intersection_tolerance": 4}

_BROKEN = (PdfminerException, PDFException, PSException, ValueError, KeyError, IndexError, TypeError)
_BROKEN_DEEPER = (AttributeError, AssertionError, RecursionError, OverflowError, ZeroDivisionError, OSError)


@dataclass(frozen=True, slots=True)
class Rect:
    """An area of a page in points, from its upper left corner."""

    left: float
    top: float
    right: float
    bottom: float

    def holds(self, x: float, y: float, margin: float = 1.0) -> bool:
        inside = self.left - margin <= x <= self.right + margin
        return inside and self.top - margin <= y <= self.bottom + margin

    def meets(self, other: Rect) -> bool:
        across = self.left < other.right and other.left < self.right
        return across and self.top < other.bottom and other.top < self.bottom


@dataclass(frozen=True, slots=True)
class Sign:
    """A character, or a filled field, where it stands."""

    text: str
    at: Rect
    white: bool = False
    """Printed in white: seen on a dark ground only."""

    @property
    def size(self) -> float:
        return self.at.bottom - self.at.top


@dataclass(frozen=True, slots=True)
class Mark:
    """A box drawn on the page, or a checkbox of a fillable form."""

    at: Rect
    state: str | None = None
    """The glyph of a fillable checkbox; None for a drawn box, whose ink must be looked at."""


@dataclass(frozen=True, slots=True)
class Sheet:
    """One page with all that can be seen on it."""

    number: int | None
    signs: tuple[Sign, ...]
    marks: tuple[Mark, ...]
    strokes: tuple[Rect, ...]
    """Thin level strokes: rules, underlines, strokes through words."""
    pen: tuple[Rect, ...]
    """Annotations drawn by hand."""
    ink: Callable[[Rect], float]
    """Share of dark pixels in an area of the page as it is printed."""


def content(data: bytes, limits: Limits) -> Content:
    """What a PDF shows; raises Unreadable with the reason in Chinese for an encrypted or damaged one."""
    try:
        with pdfplumber.open(io.BytesIO(data)) as document:
            return _content(document, data, limits)
    except (*_BROKEN, *_BROKEN_DEEPER) as error:
        raise Unreadable(ENCRYPTED if _is_password(error) else DAMAGED) from error
    except pypdfium2.PdfiumError as error:
        raise Unreadable(DAMAGED) from error


def _is_password(error: BaseException) -> bool:
    causes = (error, error.__cause__, error.__context__, *error.args)
    return any(
        isinstance(cause, PDFPasswordIncorrect) or "ncrypt" in type(cause).__name__ for cause in causes
    )


def _content(document: Any, data: bytes, limits: Limits) -> Content:
    pages = document.pages[: limits.pages]
    if not document.pages:
        raise Unreadable(DAMAGED)
    notes: list[str] = []
    if len(document.pages) > limits.pages:
        notes.append(f"文件共{len(document.pages)}页，只读了前{limits.pages}页")
    rendered = pypdfium2.PdfDocument(data)
    try:
        rendered.init_forms()
        scans = [number for number, page in enumerate(pages) if _is_scan(page)]
        if scans and len(scans) == len(pages):
            scanned = _scanned(rendered, range(len(pages)), limits, len(pages) > 1)
            return replace(scanned, notes=(*notes, *scanned.notes))
        return _mixed(pages, frozenset(scans), rendered, limits, notes)
    finally:
        rendered.close()


def _mixed(
    pages: Sequence[Any], scans: frozenset[int], rendered: Any, limits: Limits, notes: list[str]
) -> Content:
    """Pages of text, and what OCR reads on those that are pictures."""
    blocks: list[Paragraph | Table] = []
    seal_seen = False
    for number, page in enumerate(pages):
        tables = sum(isinstance(block, Table) for block in blocks)
        if number in scans:
            scanned = _scanned(rendered, [number], limits, several=False)
            blocks += scanned.blocks
            notes += scanned.notes
            seal_seen |= scanned.seal_seen
        else:
            sheet = _sheet(page, rendered, number if len(pages) > 1 else None)
            blocks += _blocks(page, sheet, tables)
        page.close()
    return Content(
        "pdf", tuple(blocks), tuple(dict.fromkeys(notes)), scanned=bool(scans), seal_seen=seal_seen
    )


def _is_scan(page: Any) -> bool:
    """Whether the page is a picture, with or without the text that a scanner put behind it."""
    area = float(page.width * page.height) or 1.0
    covered = max(
        (float((item["x1"] - item["x0"]) * (item["bottom"] - item["top"])) for item in page.images),
        default=0.0,
    )
    return covered >= FULL_PAGE * area or (covered >= 0.15 * area and not page.chars)


def _scanned(rendered: Any, numbers: Sequence[int], limits: Limits, several: bool) -> Content:
    def pictures() -> Iterator[Image]:
        for number in numbers:
            page = rendered[number]
            width, height = page.get_size()
            scale = min(SCAN_DPI / 72, (limits.pixels / max(1.0, width * height)) ** 0.5)
            yield page.render(scale=scale).to_pil()

    return picture.of_pages(pictures(), "scan-pdf", several)


# ---------------------------------------------------------------- one page


WHITE = ((1,), (1, 1, 1), (0, 0, 0, 0), 1)
DARK_GROUND = 0.3
UNSEEN = "有白色的文字“{}”，看不见，请核对"


def _sheet(page: Any, rendered: Any, number: int | None) -> Sheet:
    signs = [sign for char in page.dedupe_chars(tolerance=1).chars for sign in _signs(char)]
    marks: list[Mark] = []
    pen: list[Rect] = []
    for annotation in page.annots:
        _take_annotation(annotation, signs, marks, pen)
    marks += [Mark(rect) for rect in _drawn_boxes(page)]
    strokes = [rect for item in (*page.lines, *page.rects) if (rect := _rect(item)).bottom - rect.top < 2.0]
    return Sheet(
        number,
        tuple(signs),
        tuple(marks),
        tuple(stroke for stroke in strokes if stroke.right - stroke.left > 5),
        tuple(pen),
        _ink_of(rendered, page.page_number - 1),
    )


def _rect(item: Any) -> Rect:
    return Rect(float(item["x0"]), float(item["top"]), float(item["x1"]), float(item["bottom"]))


def _signs(char: Any) -> Iterator[Sign]:
    text = char["text"]
    font = SYMBOL_FONT.search(char.get("fontname", "").replace("-", " "))
    if font and len(text) == 1:
        name = re.sub(r"(?<=s)(?=[23]$)", " ", font.group(1).lower())
        text = glyphs.through_font(text, name)
    if text and text != "\x00":
        yield Sign(text, _rect(char), char.get("non_stroking_color") in WHITE)


def _take_annotation(annotation: Any, signs: list[Sign], marks: list[Mark], pen: list[Rect]) -> None:
    """A field's value as text, a checkbox as a mark, a drawing as a place to look at."""
    data = annotation.get("data") or {}
    at = _rect(annotation)
    kind = _name(data.get("Subtype"))
    if kind == "Widget":
        _take_field(data, at, signs, marks)
    elif kind == "FreeText":
        _type(_string(data.get("Contents")), at, signs)
    elif kind in PEN:
        pen.append(at)


def _take_field(data: Any, at: Rect, signs: list[Sign], marks: list[Mark]) -> None:
    parent = _resolved(data.get("Parent")) or {}
    kind = _name(data.get("FT") or parent.get("FT"))
    value = data.get("V", parent.get("V"))
    if kind == "Btn":
        state = _name(data.get("AS")) or _name(value)
        marks.append(Mark(at, TICK_OFF if state in ("", "Off") else TICK_ON))
    elif kind in ("Tx", "Ch"):
        _type(_string(value), at, signs)


def _type(text: str, at: Rect, signs: list[Sign]) -> None:
    """Puts a field's text on the page, one line below the other, evenly spread."""
    lines = [line for line in re.split(r"[\r\n]+", text) if line.strip()]
    if not lines:
        return
    height = min((at.bottom - at.top) / len(lines), 14.0)
    top = at.top if len(lines) > 1 else (at.top + at.bottom - height) / 2
    for number, line in enumerate(lines):
        step = min((at.right - at.left) / len(line), height)
        for place, char in enumerate(line):
            left = at.left + place * step
            signs.append(
                Sign(char, Rect(left, top + number * height, left + step, top + (number + 1) * height))
            )


def _resolved(value: Any) -> Any:
    from pdfminer.pdftypes import resolve1

    return resolve1(value)


def _name(value: Any) -> str:
    value = _resolved(value)
    name = getattr(value, "name", value)
    return name.decode("latin-1") if isinstance(name, bytes) else str(name or "")


def _string(value: Any) -> str:
    value = _resolved(value)
    if isinstance(value, bytes):
        if value.startswith(b"\xfe\xff"):
            return value[2:].decode("utf-16-be", "replace")
        try:
            return value.decode("utf-8")
        except UnicodeDecodeError:
            return value.decode("gb18030", "replace")
    return value if isinstance(value, str) else ""


def _drawn_boxes(page: Any) -> list[Rect]:
    """Small squares on the page, drawn as one path."""
    found = []
    for item in (*page.rects, *page.curves):
        rect = _rect(item)
        width, height = rect.right - rect.left, rect.bottom - rect.top
        if 5 <= width <= 24 and 5 <= height <= 24 and 0.75 <= width / height <= 1.33:
            found.append(rect)
    return found


def _ink_of(rendered: Any, number: int) -> Callable[[Rect], float]:
    """How dark areas of the page are when it is printed, annotations and fields included; drawn when first asked."""
    drawn: list[Image] = []

    def ink(area: Rect) -> float:
        if not drawn:
            drawn.append(rendered[number].render(scale=BOX_SCALE, may_draw_forms=True).to_pil().convert("L"))
        left, top, right, bottom = (
            round(value * BOX_SCALE) for value in (area.left, area.top, area.right, area.bottom)
        )
        if right <= left or bottom <= top:
            return 0.0
        counts = drawn[0].crop((left, top, right, bottom)).histogram()
        return sum(counts[:160]) / max(1, sum(counts))

    return ink


# ---------------------------------------------------------------- blocks


def _blocks(page: Any, sheet: Sheet, tables_before: int) -> list[Paragraph | Table]:
    """Tables and the text between them, from top to bottom."""
    found = [table for table in page.find_tables(TEXT_LINES) if len(table.cells) > 1]
    outer = [Rect(*(float(value) for value in table.bbox)) for table in found]
    order = [
        index
        for index in sorted(range(len(found)), key=lambda index: outer[index].top)
        if not any(_is_within(outer[index], other) for other in outer)
    ]
    rest = [
        sign
        for sign in sheet.signs
        if not any(outer[i].holds(_middle(sign.at)[0], _middle(sign.at)[1]) for i in order)
    ]
    if not found:
        return _unruled(rest, sheet, float(page.width), tables_before)
    blocks: list[Paragraph | Table] = []
    edge = max(outer[index].right for index in order)
    for at, index in enumerate(order):
        above = [sign for sign in rest if _middle(sign.at)[1] < outer[index].top]
        rest = [sign for sign in rest if _middle(sign.at)[1] >= outer[index].top]
        blocks += _paragraphs(above, sheet, edge)
        blocks.append(_table(found[index], sheet, tables_before + at))
    return [*blocks, *_paragraphs(rest, sheet, edge)]


def _is_within(inner: Rect, outer: Rect) -> bool:
    smaller = inner.right - inner.left < outer.right - outer.left - 1
    return smaller and outer.holds(inner.left, inner.top) and outer.holds(inner.right, inner.bottom)


def _middle(at: Rect) -> tuple[float, float]:
    return (at.left + at.right) / 2, (at.top + at.bottom) / 2


def _table(found: Any, sheet: Sheet, index: int) -> Table:
    """A ruled table; a cell merged over several grid places stands once, with its span."""
    areas = sorted(
        {tuple(round(float(v), 1) for v in cell) for cell in found.cells}, key=lambda a: (a[1], a[0])
    )
    columns = _edges([area[0] for area in areas] + [area[2] for area in areas])
    rows = _edges([area[1] for area in areas] + [area[3] for area in areas])
    cells = [_cell(Rect(*area), columns, rows, sheet, index) for area in areas]
    cells.sort(key=lambda cell: (cell.row, cell.column))
    return Table(tuple(cells), len(rows) - 1, len(columns) - 1)


def _edges(values: Sequence[float]) -> list[float]:
    edges: list[float] = []
    for value in sorted(values):
        if not edges or value - edges[-1] > 3:
            edges.append(value)
    return edges


def _nearest(value: float, edges: Sequence[float]) -> int:
    return min(range(len(edges)), key=lambda number: abs(edges[number] - value))


def _cell(area: Rect, columns: Sequence[float], rows: Sequence[float], sheet: Sheet, index: int) -> Cell:
    row, column = _nearest(area.top, rows), _nearest(area.left, columns)
    signs = [sign for sign in sheet.signs if area.holds(*_middle(sign.at), margin=0.5)]
    lines = _lines(signs)
    texts = [_marked(line, area, sheet) for line in lines]
    start = f"第{sheet.number + 1}页" if sheet.number is not None else ""
    return Cell(
        text=_joined(lines, texts, area.right),
        row=row,
        column=column,
        place=Place(
            f"{start}表{index + 1}第{row + 1}行第{column + 1}列",
            page=sheet.number,
            table=index,
            row=row,
            column=column,
        ),
        row_span=max(1, _nearest(area.bottom, rows) - row),
        column_span=max(1, _nearest(area.right, columns) - column),
        doubt=_doubt(lines, area, sheet),
    )


def _doubt(lines: Sequence[Sequence[Sign]], area: Rect | None, sheet: Sheet) -> str | None:
    if any(_is_struck(line, sheet) for line in lines):
        return CROSSED_OUT
    unseen = "".join(s.text for line in lines for s in line if s.white and sheet.ink(s.at) < DARK_GROUND)
    if unseen:
        return UNSEEN.format(unseen[:20])
    if area is not None and any(area.meets(drawing) for drawing in sheet.pen):
        return DRAWN_OVER
    return None


def _is_struck(line: Sequence[Sign], sheet: Sheet) -> bool:
    """Whether a stroke runs through the middle of at least two of its characters, or of its only one."""
    hit = 0
    for sign in line:
        high = sign.at.top + 0.3 * sign.size
        low = sign.at.bottom - 0.28 * sign.size
        x = _middle(sign.at)[0]
        hit += any(high < _middle(s)[1] < low and s.left < x < s.right for s in sheet.strokes)
    return hit >= min(2, len(line)) and hit > 0


# ---------------------------------------------------------------- lines


def _lines(signs: Sequence[Sign]) -> list[list[Sign]]:
    """The characters as visual lines, from top to bottom and left to right."""
    lines: list[list[Sign]] = []
    for sign in sorted((s for s in signs if s.text.strip()), key=lambda s: _middle(s.at)[1]):
        if lines and _middle(sign.at)[1] - _middle(lines[-1][-1].at)[1] < 0.4 * min(
            sign.size, lines[-1][-1].size
        ):
            lines[-1].append(sign)
        else:
            lines.append([sign])
    return [_with_raised(sorted(line, key=lambda s: s.at.left)) for line in lines]


def _with_raised(line: Sequence[Sign]) -> list[Sign]:
    """The line with small digits that stand above it shown as raised."""
    shown: list[Sign] = []
    base: Sign | None = None
    for sign in line:
        if (
            base is not None
            and sign.text.isdigit()
            and sign.size < 0.8 * base.size
            and _middle(base.at)[1] - _middle(sign.at)[1] > 0.06 * base.size
        ):
            shown.append(replace(sign, text=glyphs.shifted(sign.text, "super")))
        else:
            base = sign
            shown.append(sign)
    return shown


def _text(line: Sequence[Sign]) -> str:
    """The characters with a blank wherever there is room for one."""
    pieces: list[str] = []
    for number, sign in enumerate(line):
        gap = sign.at.left - line[number - 1].at.right if number else 0.0
        pieces.append(_blank(gap, sign.size) + sign.text)
    return "".join(pieces)


def _blank(gap: float, size: float) -> str:
    if gap > 1.4 * size:
        return "　　"
    return " " if gap > 0.28 * size else ""


def _joined(lines: Sequence[Sequence[Sign]], texts: Sequence[str], edge: float) -> str:
    """The lines as paragraphs: a line that reaches the edge goes on in the next."""
    pieces: list[str] = []
    for number, text in enumerate(texts):
        if number:
            pieces.append("" if _wraps(lines[number - 1], lines[number], edge) else "\n")
        pieces.append(text)
    return "".join(pieces)


def _wraps(line: Sequence[Sign], following: Sequence[Sign], edge: float) -> bool:
    """Whether a line ends where it does because the first word of the next one had no room on it."""
    word = following[0].at.right - following[0].at.left
    for sign, before in zip(following[1:], following, strict=False):
        if not (sign.text.isascii() and before.text.isascii()) or sign.at.left - before.at.right > 1:
            break
        word += sign.at.right - sign.at.left
    return line[-1].at.right + word > edge - 0.9 * line[-1].size


def _marked(line: Sequence[Sign], area: Rect, sheet: Sheet) -> str:
    """The line's text, with a glyph for each box before an option that is only drawn."""
    text = "".join(sign.text for sign in line)
    inserted = list(line)
    for match in reversed(list(OPTION.finditer(text))):
        at = _sign_at(line, match.start())
        before = inserted[at - 1] if at else None
        if (before is not None and set(before.text) & MARKS) or _is_in_brackets(text[: match.start()]):
            continue
        mark = _drawn_mark(inserted[at], before, area, sheet)
        if mark:
            first = inserted[at].at
            inserted.insert(at, Sign(mark, Rect(first.left, first.top, first.left, first.bottom)))
    return _text(inserted)


def _sign_at(line: Sequence[Sign], offset: int) -> int:
    """Which sign holds this character of the joined text: one sign may be several characters."""
    passed = 0
    for number, sign in enumerate(line):
        passed += len(sign.text)
        if offset < passed:
            return number
    return len(line) - 1


def _is_in_brackets(before: str) -> bool:
    plain = before.replace("（", "(").replace("）", ")")
    return plain.count("(") > plain.count(")") or bool(re.search(r"\w$", before))


def _drawn_mark(label: Sign, before: Sign | None, area: Rect, sheet: Sheet) -> str:
    """The glyph for the box left of an option, by what is drawn there; empty if nothing is."""
    left = max(area.left, label.at.left - 2.2 * label.size, before.at.right if before else area.left)
    reach = Rect(
        left - 1, label.at.top - 0.4 * label.size, label.at.left + 1, label.at.bottom + 0.4 * label.size
    )
    boxes = [mark for mark in sheet.marks if reach.holds(*_middle(mark.at), margin=0)]
    for mark in boxes:
        if mark.state is not None:
            return mark.state
    if boxes:
        inks = [sheet.ink(_inside(mark.at)) for mark in boxes]
        return TICK_OFF if max(inks) <= EMPTY else TICK_ON if max(inks) >= TICKED else TICK_UNKNOWN
    blank = Rect(left + 1.5, label.at.top, label.at.left - 0.5, label.at.bottom)
    # Something is drawn there that is no box we know: a person must look.
    return TICK_UNKNOWN if sheet.ink(blank) > 0.02 else ""


def _inside(at: Rect) -> Rect:
    inset = 0.2 * (at.right - at.left)
    return Rect(at.left + inset, at.top + inset, at.right - inset, at.bottom - inset)


# ---------------------------------------------------------------- outside tables


def _paragraphs(signs: Sequence[Sign], sheet: Sheet, edge: float) -> list[Paragraph]:
    """Running text; a line that reaches the right edge goes on in the next one."""
    lines = _lines(signs)
    place = Place(f"第{sheet.number + 1}页" if sheet.number is not None else "表格外文字", page=sheet.number)
    groups: list[list[list[Sign]]] = []
    for number, line in enumerate(lines):
        if groups and _wraps(lines[number - 1], line, edge):
            groups[-1].append(line)
        else:
            groups.append([line])
    return [
        Paragraph("".join(_text(line) for line in group), place, doubt=_doubt(group, None, sheet))
        for group in groups
    ]


def _unruled(signs: Sequence[Sign], sheet: Sheet, width: float, index: int) -> list[Paragraph | Table]:
    """The page's text, with columns where a line of it looks like a row of headings."""
    lines = _lines(signs)
    heading = next((number for number, line in enumerate(lines) if _is_heading(_segments(line))), None)
    edge = max((line[-1].at.right for line in lines), default=width)
    if heading is None:
        return list(_paragraphs(signs, sheet, edge))
    end = next(
        (
            number
            for number in range(heading + 1, len(lines))
            if _text(lines[number]).startswith(("说明", "注"))
        ),
        len(lines),
    )
    above = [sign for line in lines[:heading] for sign in line]
    below = [sign for line in lines[end:] for sign in line]
    table = _aligned(lines[heading:end], sheet, index)
    return [*_paragraphs(above, sheet, edge), table, *_paragraphs(below, sheet, edge)]


def _segments(line: Sequence[Sign]) -> list[list[Sign]]:
    """The parts of a line between wide gaps."""
    parts: list[list[Sign]] = []
    for number, sign in enumerate(line):
        if number and sign.at.left - line[number - 1].at.right < 1.2 * sign.size:
            parts[-1].append(sign)
        else:
            parts.append([sign])
    return parts


HEADINGS = re.compile(r"难点问题|具体内容|反馈层级|备注|单位名称|党支部数|平台数|举办次数|解决问题")


def _is_heading(parts: Sequence[Sequence[Sign]]) -> bool:
    return len(parts) >= 3 and sum(bool(HEADINGS.search(_text(part))) for part in parts) >= 2


def _aligned(lines: Sequence[Sequence[Sign]], sheet: Sheet, index: int) -> Table:
    """A table without rules, its columns those of the headings; doubtful in every cell."""
    heads = [(part[0].at.left, part[-1].at.right) for part in _segments(lines[0])]
    texts: dict[tuple[int, int], list[str]] = {}
    row = 0
    for number, line in enumerate(lines):
        parts = _segments(line)
        columns = [_column_of(part, heads) for part in parts]
        starts = number > 0 and 0 in columns
        if starts and (row == 0 or _gap(lines[number - 1], line) > 0.5 * line[0].size):
            row += 1
        for column, part in zip(columns, parts, strict=True):
            area = Rect(part[0].at.left - 30, part[0].at.top, part[-1].at.right, part[-1].at.bottom)
            texts.setdefault((row, column), []).append(_marked(part, area, sheet))
    cells = tuple(
        Cell(
            "\n".join(pieces),
            at_row,
            column,
            Place(
                f"表{index + 1}第{at_row + 1}行第{column + 1}列",
                page=sheet.number,
                table=index,
                row=at_row,
                column=column,
            ),
            doubt=BORDERLESS if at_row else None,
        )
        for (at_row, column), pieces in sorted(texts.items())
    )
    return Table(cells, row + 1, len(heads))


def _gap(upper: Sequence[Sign], lower: Sequence[Sign]) -> float:
    return min(sign.at.top for sign in lower) - max(sign.at.bottom for sign in upper)


def _column_of(part: Sequence[Sign], heads: Sequence[tuple[float, float]]) -> int:
    """The heading that the part overlaps most, or the nearest."""
    left, right = part[0].at.left, part[-1].at.right

    def distance(head: tuple[float, float]) -> tuple[float, float]:
        overlap = min(right, head[1]) - max(left, head[0])
        return (-max(0.0, overlap), abs((left + right) - (head[0] + head[1])))

    return min(range(len(heads)), key=lambda number: distance(heads[number]))
