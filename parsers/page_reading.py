"""One page of a scan: its ruled cells and its lines of text brought together, every doubt said."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from itertools import pairwise

import cv2
import numpy as np
import numpy.typing as npt

from parsers import forms, glyphs, ocr, page, ruling, tick_boxes
from parsers.content import ILLEGIBLE, TICK_OFF, TICK_ON, TICK_UNKNOWN, Cell, Paragraph, Table
from parsers.ocr import Glyph, Line, Picture, Quad
from parsers.page import Page
from parsers.ruling import Box, Grid
from parsers.values import Place

NO_RULES = "未找到表格线，文字可能不全，请对照原件核对"
CUT = "表格超出图片边缘，可能缺少行或列"
FAINT_RULES = "表格线模糊，行列可能有误"
BROKEN = "表格线断开，可能是两个单元格"
UNREAD_INK = "有字迹未能识别"
CROSSED_OUT = "文字上有划线"
LONG_STROKE = "有笔迹跨越几行"
BESIDE_BOX = "勾画在方框之外"
RED_PEN = "有红色笔迹"
ON_RULE = "文字压在表格线上"

SURE = 0.75
"""Confidence of a character from which it is taken without a doubt."""
DOUBTED = 0.5
"""Confidence given to a character that may be the remainder of a longer text."""
ACROSS_RULE = 0.3
"""Share of a line's height beyond its cell from which it may belong to the cell above or below."""
PALE = 12
"""How much darker in grey than its surroundings a spot in an empty cell is, if it may be writing."""
HIGHER_THAN_A_LINE = 2.6
"""Height in lines from which joined ink is a stroke of the pen and no printed letter."""
CLEAR = 0.95
"""Confidence from which a printed label is not read a second time."""
SHORT = 8
"""Texts up to this length are read a second time: a digit by itself is the easiest to misread."""
GUESS = 0.4
"""Confidence from which a doubted reading is shown all the same."""
LIKE_FIGURES = str.maketrans("OoIl|", "00111")
"""Letters that look like a figure: read the second time, they agree with the figure."""
FEWEST_LINES = 3
MANY_TEXTS = 6
MOSTLY_RED = 0.6
FAINT = 0.62
"""A character is a piece of the seal if so much of its ink lies near red, and is so faint against the rest."""

OPTION = re.compile(
    r"(?:(?:中共)?(?:贵港)?市委教育工委|(?<!市委)教育工委书记|市(?:教育)?局(?:的)?(?:相关|有关)|(?<!局)相关科室)"
    r"(?!.{0,6}(?:配合|协调|解决|协助))"
)
"""How the printed options of 反馈层级 begin: a box is expected before each of them."""
BRACKET_AFTER_COLON = re.compile(r"(填报单位[(（]盖章)[:：]([^()（）]*)[)）]?$")
"""The printed label as it is read when its closing bracket is taken for a part of the colon."""
BOX_LIKE = glyphs.ON | glyphs.OFF | glyphs.CROSS | set("口囗日曰回ロロVv凶")
"""What OCR makes of a box, ticked or not."""
MARKS = frozenset({TICK_ON, TICK_OFF, TICK_UNKNOWN, "√"})
SEEN_TICKED = glyphs.ON | set("Vv")
PRINTED = frozenset(field.label for kind in forms.FORMS for field in kind.item)
HEAD_LABEL = re.compile(
    r"^(?:填报|填表|报送|上报|主要负责|负责人|书记|校长|联系|经办|单位|学校|日期|时间|电话)"
)
INNER_LABEL = re.compile(r"(?<=.)(?:主要负责人签[字名]|联系人(?:及|和)?(?:联系)?电话|填报时间)")
"""Labels that OCR may have taken together with the blank before them."""
NOTE = re.compile(r"\W?(?:说\W?明|注|填表说明|备注说明)\W")
NOTE_WIDTH = 0.75
"""Share of the table's width from which a line below it may be a line of the printed notes."""
LABEL_WITHOUT_COLON = re.compile(
    r"(?:填报单位(?:[(（]盖?章?[)）])?|主要负责人签字|联系人及电话|填报时间)(?![:：(（]|.{0,6}[:：])"
)
"""Printed labels of the form's head behind which OCR lost the colon."""


@dataclass(frozen=True, slots=True)
class PageReading:
    """The blocks of one page, what a person should know of it, and whether a red seal is on it."""

    blocks: tuple[Paragraph | Table, ...] = ()
    notes: tuple[str, ...] = ()
    seal_seen: bool = False


@dataclass(slots=True)
class _Draft:
    """The lines that stand in one cell, and the doubts about them."""

    lines: list[Line] = field(default_factory=list)
    doubts: list[str] = field(default_factory=list)

    def doubt(self, reason: str) -> None:
        if reason not in self.doubts:
            self.doubts.append(reason)


def read(picture: Picture, number: int | None, tables_before: int) -> PageReading:
    """What one picture of a page shows. `number` is the page's, None if there is only one."""
    sheet = page.prepared(picture)
    if sheet is None:
        return _illegible(picture, 0)
    rules, grids = ruling.found(sheet.ink, sheet.grey, sheet.red if sheet.seal_seen else None)
    quads, notes_begin = _without_notes(ocr.places(sheet.grey, page.inked_area(sheet.ink)), grids, sheet)
    found = ocr.lines(sheet.grey, quads)
    lines = _without_seal(found, sheet)
    lines += _missed_in_head(grids, lines, sheet)
    lines += notes_begin
    if not grids and len(lines) < FEWEST_LINES:
        return _illegible(picture, sheet.texts)
    drafts = {(at, index): _Draft() for at, grid in enumerate(grids) for index in range(len(grid.boxes))}
    outside = _shared_out(lines, grids, drafts, sheet)
    _doubt_emptied(found, grids, drafts)
    tables = [
        _table(grid, [drafts[at, index] for index in range(len(grid.boxes))], sheet, rules.across)
        for at, grid in enumerate(grids)
    ]
    tables = [_placed(table, number, tables_before + at) for at, table in enumerate(tables)]
    blocks = _in_order(grids, tables, outside, sheet, number)
    notes = () if grids else (NO_RULES,)
    return PageReading(tuple(blocks), notes, sheet.seal_seen)


def _illegible(picture: Picture, texts: int) -> PageReading:
    """Nothing read, and whether there may have been something to read."""
    return PageReading(notes=(ILLEGIBLE,) if texts >= MANY_TEXTS or page.is_out_of_focus(picture) else ())


def _without_notes(
    quads: Sequence[Quad], grids: Sequence[Grid], sheet: Page
) -> tuple[list[Quad], list[Line]]:
    """The places of text but for the long lines of printed notes below a table; of those, the first words.

    Reading takes most of a page's time, and nobody fills in the notes.
    """
    kept, begun = list(quads), []
    for grid in grids:
        width = grid.right - grid.left
        below = [q for q in kept if q[:, 1].mean() > grid.bottom and np.ptp(q[:, 0]) > NOTE_WIDTH * width]
        below.sort(key=lambda quad: float(quad[:, 1].mean()))
        if not below or below[0][:, 1].min() > grid.bottom + 0.5 * width:
            continue
        first = ocr.lines(sheet.grey, [_shortened(below[0])])
        if not any(NOTE.match(line.text) for line in first):
            continue
        # It still ends where it does on the page: what follows it goes on with it.
        begun += [replace(line, right=float(below[0][:, 0].max())) for line in first]
        note = [below[0]]
        for quad in below[1:]:
            beside = abs(float(quad[:, 0].min() - note[-1][:, 0].min())) < 2 * float(np.ptp(note[-1][:, 1]))
            if not beside or quad[:, 1].min() - note[-1][:, 1].max() > np.ptp(note[-1][:, 1]):
                break
            note.append(quad)
        kept = [quad for quad in kept if not any(quad is line for line in note)]
    return kept, begun


def _shortened(quad: Quad) -> Quad:
    """The beginning of a long line."""
    share = 7 * float(np.ptp(quad[:, 1])) / max(1.0, float(np.ptp(quad[:, 0])))
    along = (quad[[1, 2]] - quad[[0, 3]]) * min(1.0, share)
    return np.stack([quad[0], quad[0] + along[0], quad[3] + along[1], quad[3]]).astype(np.float32)


# ---------------------------------------------------------------- what the seal left


def _without_seal(lines: Iterable[Line], sheet: Page) -> list[Line]:
    """The lines without characters at their ends that are nothing but remains of the seal."""
    if not sheet.seal_seen:
        return list(lines)
    usual = _darkness(sheet.grey, sheet.ink > 0)
    near = np.asarray(cv2.dilate(sheet.red, np.ones((5, 5), np.uint8)), np.uint8)
    kept = []
    for line in lines:
        remains = [_is_remnant(glyph, line, sheet, near, usual) for glyph in line.glyphs]
        start, end = 0, len(remains)
        while start < end and remains[start]:
            start += 1
        while end > start and remains[end - 1]:
            end -= 1
        inner = line.glyphs[start:end]
        if len(inner) == len(line.glyphs):
            kept.append(line)
        elif inner:
            inner = _doubted_beside(line.glyphs[:start], inner, line.glyphs[end:], line.height)
            kept.append(replace(line, glyphs=inner, left=inner[0].left, right=inner[-1].right))
    return kept


def _doubted_beside(
    before: Sequence[Glyph], kept: Sequence[Glyph], behind: Sequence[Glyph], height: float
) -> tuple[Glyph, ...]:
    """The characters kept, those at the ends uncertain where what was taken away looked like one of them."""
    glyphs_kept = list(kept)
    for at, gone, gap in (
        (0, before[-1:], glyphs_kept[0].left - (before[-1].right if before else 0)),
        (-1, behind[:1], (behind[0].left if behind else 0) - glyphs_kept[-1].right),
    ):
        if gone and ocr.is_word_character(gone[0].text) and gone[0].score > SURE and gap < 0.6 * height:
            glyphs_kept[at] = replace(glyphs_kept[at], score=min(glyphs_kept[at].score, DOUBTED))
    return tuple(glyphs_kept)


def _doubt_emptied(
    found: Iterable[Line], grids: Sequence[Grid], drafts: dict[tuple[int, int], _Draft]
) -> None:
    """Doubts every cell that is empty only because what was read in it was taken for remains of the seal."""
    for line in found:
        key = _cell_at((line.left + line.right) / 2, line.middle, grids)
        if key is not None and not drafts[key].lines:
            drafts[key].doubt(UNREAD_INK)


def _is_remnant(glyph: Glyph, line: Line, sheet: Page, near: Picture, usual: float) -> bool:
    """Whether a character stands where red was and is fainter than what is printed on the page."""
    area = (slice(int(line.top), int(line.bottom)), slice(int(glyph.left), int(glyph.right) + 1))
    ink = sheet.ink[area] > 0
    if not ink.any() or float((near[area] > 0)[ink].mean()) < MOSTLY_RED:
        return False
    return _darkness(sheet.grey[area], ink) < FAINT * usual


def _darkness(grey: Picture, ink: npt.NDArray[np.bool_]) -> float:
    """How much darker than the paper the darker half of the ink is."""
    if not ink.any() or ink.all():
        return 0.0
    return float(np.median(grey[~ink])) - float(np.percentile(grey[ink], 25))


# ---------------------------------------------------------------- lines to cells


def _shared_out(
    lines: Iterable[Line], grids: Sequence[Grid], drafts: dict[tuple[int, int], _Draft], sheet: Page
) -> list[Line]:
    """Puts every line into the cell where it stands; gives those outside of all tables.

    The engine sometimes takes the texts of two neighbouring cells for one line: it is parted at the rule.
    """
    outside: list[Line] = []
    for line in lines:
        pieces = _pieces(line, grids)
        for key, piece in pieces:
            if key is None:
                outside.append(piece)
                continue
            draft = drafts[key]
            if len(pieces) > 1:
                box = grids[key[0]].boxes[key[1]]
                piece = _read_within(piece, box, sheet, draft)
            draft.lines.append(piece)
            for other in _cells_touched(piece, key, grids):
                drafts[other].doubt(ON_RULE)
    return outside


def _cells_touched(line: Line, key: tuple[int, int], grids: Sequence[Grid]) -> Iterable[tuple[int, int]]:
    """The line's cell and its neighbour, where the line lies across the rule between them."""
    box = grids[key[0]].boxes[key[1]]
    for beyond, y in ((box.top - line.top, line.top), (line.bottom - box.bottom, line.bottom)):
        if beyond > ACROSS_RULE * line.height:
            yield key
            neighbour = _cell_at((line.left + line.right) / 2, y, grids)
            if neighbour is not None:
                yield neighbour


def _pieces(line: Line, grids: Sequence[Grid]) -> list[tuple[tuple[int, int] | None, Line]]:
    """The parts of a line, each with the cell that holds it."""
    cells = [_cell_at((glyph.left + glyph.right) / 2, line.middle, grids) for glyph in line.glyphs]
    known = [cell for cell in cells if cell is not None]
    if not known or 2 * len(known) < len(cells):
        return [(None, line)]
    if len(set(known)) == 1:
        return [(known[0], line)]
    parts: list[tuple[tuple[int, int] | None, list[Glyph]]] = []
    for cell, glyph in zip(cells, line.glyphs, strict=True):
        at = cell if cell is not None else (parts[-1][0] if parts else known[0])
        if parts and parts[-1][0] == at:
            parts[-1][1].append(glyph)
        else:
            parts.append((at, [glyph]))
    return [
        (at, replace(line, glyphs=tuple(part), left=part[0].left, right=part[-1].right)) for at, part in parts
    ]


def _cell_at(x: float, y: float, grids: Sequence[Grid]) -> tuple[int, int] | None:
    for at, grid in enumerate(grids):
        for index, box in enumerate(grid.boxes):
            if box.holds(x, y, margin=4):
                return at, index
    return None


def _read_within(piece: Line, box: Box, sheet: Page, draft: _Draft) -> Line:
    """A part of a line read again by itself, because the rule it was parted at may have been read as a letter."""
    left, right = max(piece.left - 6, box.left + 3), min(piece.right + 6, box.right - 3)
    [(text, score)] = ocr.read_again([ocr.enlarged(sheet.grey, left, piece.top, right, piece.bottom)])
    if not ocr.same(text, piece.text):
        draft.doubt(_two_readings(piece.text, text))
        return piece if score < 0.5 else _of_text(text, score, piece)
    return _of_text(text, min(score, piece.score), piece)


def _of_text(text: str, score: float, like: Line) -> Line:
    """A line of this text where another one stands."""
    step = (like.right - like.left) / max(1, len(text))
    spread = tuple(
        Glyph(char, score, like.left + at * step, like.left + (at + 1) * step) for at, char in enumerate(text)
    )
    return replace(like, glyphs=spread)


# ---------------------------------------------------------------- tables


def _table(grid: Grid, drafts: Sequence[_Draft], sheet: Page, across: Picture) -> Table:
    usual = _usual_height(drafts)
    for box, draft in zip(grid.boxes, drafts, strict=True):
        _check_cell(box, draft, sheet, across, usual)
    _second_readings(drafts, sheet)
    cells = tuple(_cell(box, draft, sheet, grid) for box, draft in zip(grid.boxes, drafts, strict=True))
    return Table(cells, grid.rows, grid.columns)


def _usual_height(drafts: Sequence[_Draft]) -> float:
    heights = [line.height for draft in drafts for line in draft.lines]
    return float(np.median(heights)) if heights else 30.0


def _cell(box: Box, draft: _Draft, sheet: Page, grid: Grid) -> Cell:
    rows = _visual_rows(draft.lines)
    texts = _with_marks(rows, box, sheet, draft)
    if grid.cut:
        draft.doubt(CUT)
    if grid.faint:
        draft.doubt(FAINT_RULES)
    return Cell(
        text=_joined(rows, texts, box.right),
        row=box.row,
        column=box.column,
        place=Place(""),
        row_span=box.row_span,
        column_span=box.column_span,
        doubt="；".join(draft.doubts[:3]) or None,
    )


def _placed(table: Table, number: int | None, index: int) -> Table:
    start = f"第{number + 1}页" if number is not None else ""
    cells = tuple(
        replace(
            cell,
            place=Place(
                f"{start}表{index + 1}第{cell.row + 1}行第{cell.column + 1}列",
                page=number,
                table=index,
                row=cell.row,
                column=cell.column,
            ),
        )
        for cell in table.cells
    )
    return replace(table, cells=cells)


def _visual_rows(lines: Sequence[Line]) -> list[list[Line]]:
    """The lines as they are seen: from top to bottom, those at one height together from left to right."""
    rows: list[list[Line]] = []
    for line in sorted(lines, key=lambda item: item.middle):
        if rows and abs(line.middle - _middle(rows[-1])) < 0.5 * min(line.height, rows[-1][0].height):
            rows[-1].append(line)
        else:
            rows.append([line])
    return [sorted(row, key=lambda item: item.left) for row in rows]


def _middle(row: Sequence[Line]) -> float:
    return sum(line.middle for line in row) / len(row)


def _joined(rows: Sequence[Sequence[Line]], texts: Sequence[str], edge: float) -> str:
    """The texts of the visual rows, a line break only where a row ends before the cell does."""
    joined = ""
    for number, text in enumerate(texts):
        if number:
            last = rows[number - 1][-1]
            wraps = last.right > edge - 1.9 * 0.8 * last.height
            if text[:1] in MARKS:
                joined = _closed(joined)
            joined += "" if wraps and text[:1] not in MARKS else "\n"
        joined += text
    return _closed(joined)


def _closed(text: str) -> str:
    """The text with a bracket that OCR lost at its end: these forms open none that they do not close."""
    opened = text.count("(") + text.count("（")
    closed = text.count(")") + text.count("）")
    return text + "）" if opened == closed + 1 else text


# ---------------------------------------------------------------- doubts


def _check_cell(box: Box, draft: _Draft, sheet: Page, across: Picture, usual: float) -> None:
    """Looks for what OCR does not tell: ink without text, text without certainty, strokes through the text."""
    if box.broken:
        draft.doubt(BROKEN)
    unread = _unread_ink(box, draft.lines, sheet, usual)
    for area in unread:
        _read_missed(area, draft, sheet)
    if not draft.lines and not draft.doubts and _is_shaded(box, sheet):
        draft.doubt(UNREAD_INK)
    for line in draft.lines:
        if line.score < SURE:
            draft.doubt(f"“{_uncertain_part(line)}”识别不清")
        if _is_struck(line, across) or _is_number_struck(line, sheet):
            draft.doubt(CROSSED_OUT)
    if _has_long_stroke(box, sheet, usual):
        draft.doubt(LONG_STROKE)
    inner = sheet.pen[box.top + 4 : box.bottom - 4, box.left + 4 : box.right - 4]
    if inner.size and int((inner > 0).sum()) > 0.15 * usual * usual:
        draft.doubt(RED_PEN)


def _uncertain_part(line: Line) -> str:
    """The line with its uncertain characters, short enough to be shown."""
    text = line.text
    if len(text) <= 12:
        return text
    at = min(range(len(line.glyphs)), key=lambda number: line.glyphs[number].score)
    return line_slice(line, max(0, at - 4), at + 5)


def line_slice(line: Line, start: int, end: int) -> str:
    return "".join(glyph.text for glyph in line.glyphs[start:end])


def _is_struck(line: Line, across: Picture) -> bool:
    """Whether a level stroke runs through the middle of the line."""
    quarter = line.height / 4
    band = across[
        int(line.top + 1.3 * quarter) : int(line.bottom - 1.3 * quarter), int(line.left) : int(line.right)
    ]
    return band.size > 0 and float((band.max(axis=0) > 0).mean()) > 0.4


def _is_shaded(box: Box, sheet: Page) -> bool:
    """Whether something pale stands in a cell in which neither text nor ink was found."""
    area = (slice(box.top + 10, box.bottom - 10), slice(box.left + 10, box.right - 10))
    part = cv2.GaussianBlur(sheet.grey[area], (0, 0), 2.5) if sheet.grey[area].size else sheet.grey[area]
    clean = cv2.dilate(sheet.red[area], np.ones((15, 15), np.uint8)) == 0 if part.size else part > 0
    if part.size == 0 or clean.sum() < 0.2 * clean.size:
        return False
    # A shadow across the cell is no writing: what counts is how dark a spot is against its surroundings.
    against = cv2.blur(part, (61, 61)).astype(np.int16) - part
    return int(against[clean].max()) > PALE


def _is_number_struck(line: Line, sheet: Page) -> bool:
    """Whether a stroke that is longer than any figure is wide runs through a number."""
    if not line.text.isdigit():
        return False
    reach = int(0.5 * line.height)
    part = sheet.ink[
        int(line.top) : int(line.bottom), max(0, int(line.left) - reach) : int(line.right) + reach
    ]
    rows = np.flatnonzero(part.any(axis=1))
    if not rows.size:
        return False
    tall = int(rows[-1] - rows[0] + 1)
    level = cv2.dilate(part, np.ones((max(3, tall // 7), 1), np.uint8))
    runs = cv2.morphologyEx(level, cv2.MORPH_OPEN, np.ones((1, max(8, round(1.02 * tall))), np.uint8))
    return bool(runs[rows[0] + tall // 5 : rows[-1] - tall // 6].any())


def _has_long_stroke(box: Box, sheet: Page, usual: float) -> bool:
    """Whether one thin stroke runs over several lines: a tick that meets two boxes, an arrow, a deletion."""
    inset = 6
    part = sheet.ink[box.top + inset : box.bottom - inset, box.left + inset : box.right - inset]
    if min(part.shape) < usual:
        return False
    _, _, stats = page.patches(part)
    return any(
        down > HIGHER_THAN_A_LINE * usual and across > 0.3 * usual and area < 0.38 * across * down
        for _, _, across, down, area in stats[1:]
    )


Area = tuple[float, float, float, float]


def _unread_ink(box: Box, lines: Sequence[Line], sheet: Page, usual: float) -> list[Area]:
    """Where in a cell there is writing that no line of text accounts for."""
    inset = 5
    left, top = box.left + inset, box.top + inset
    part = sheet.ink[top : box.bottom - inset, left : box.right - inset].copy()
    if part.size == 0:
        return []
    red = sheet.red[top : box.bottom - inset, left : box.right - inset]
    part[cv2.dilate(red, np.ones((3, 3), np.uint8)) > 0] = 0
    for line in lines:
        # The frame of a box stands before its line, and is looked at elsewhere.
        before = 2.0 * line.height if OPTION.search(line.text) else 0.4 * line.height
        x0, x1 = int(line.left - before - left), int(line.right + 0.4 * line.height - left)
        y0, y1 = int(line.top - 0.2 * line.height - top), int(line.bottom + 0.3 * line.height - top)
        part[max(0, y0) : max(0, y1), max(0, x0) : max(0, x1)] = 0
    joined = cv2.dilate(part, np.ones((3, max(3, int(usual * 0.35))), np.uint8))
    count, labels, stats = page.patches(np.asarray(joined, np.uint8))
    found: list[Area] = []
    for number in range(1, count):
        x, y, width, height, _ = (int(value) for value in stats[number])
        strokes = int((part[labels == number] > 0).sum())
        if height > 0.4 * usual and strokes > 0.04 * usual * usual and strokes > 20:
            found.append((left + x, top + y, left + x + width, top + y + height))
    return found


def _missed_in_head(grids: Sequence[Grid], lines: Sequence[Line], sheet: Page) -> list[Line]:
    """Lines above the table that the engine did not find, though there is writing: the form's head stands there."""
    if not grids or not lines:
        return []
    usual = float(np.median([line.height for line in lines]))
    height, width = sheet.ink.shape
    reach = int(usual)
    left, right = max(0, grids[0].left - reach), min(width, grids[0].right + reach)
    top, bottom = max(0, grids[0].top - height // 3), grids[0].top - reach // 3
    part = sheet.ink[top:bottom, left:right].copy()
    if part.size == 0:
        return []
    part[cv2.dilate(sheet.red[top:bottom, left:right], np.ones((5, 5), np.uint8)) > 0] = 0
    for line in lines:
        x0, x1 = int(line.left - reach // 2 - left), int(line.right + reach // 2 - left)
        part[
            max(0, int(line.top) - 6 - top) : max(0, int(line.bottom) + 6 - top), max(0, x0) : max(0, x1)
        ] = 0
    joined = cv2.dilate(part, np.ones((3, 2 * reach), np.uint8))
    count, _, stats = page.patches(np.asarray(joined, np.uint8))
    found: list[Line] = []
    for number in range(1, count):
        x, y, across, down, _ = (int(value) for value in stats[number])
        if across < 5 * usual or not 0.5 * usual < down < 2 * usual:
            continue
        area = (left + x + reach - 4, top + y - 5, left + x + across - reach + 4, top + y + down + 5)
        corners = [(area[0], area[1]), (area[2], area[1]), (area[2], area[3]), (area[0], area[3])]
        found += ocr.lines(sheet.grey, [np.array(corners).clip(0, [width, height]).astype(np.float32)])
    return found


def _read_missed(area: Area, draft: _Draft, sheet: Page) -> None:
    """Reads writing that the engine did not find by itself; a doubt where it cannot be read."""
    left, top, right, bottom = area
    reach = 0.25 * (bottom - top) + 3
    wide = (left - reach, top - reach, right + reach, bottom + reach)
    [(text, score)] = ocr.read_again([ocr.enlarged(sheet.grey, *wide)])
    text = text.strip()
    words = any(ocr.is_word_character(char) for char in text)
    if score < SURE or not words:
        draft.doubt(UNREAD_INK)
        if not words or score < GUESS or draft.lines:
            return
        # All there is in the cell: what it may be helps whoever is asked.
    draft.lines.append(_of_text(text, score, Line((), left, top, right, bottom)))


def _second_readings(drafts: Sequence[_Draft], sheet: Page) -> None:
    """Reads short texts again, larger and by themselves, and says where that gives something else."""
    again = [(draft, at) for draft in drafts for at, line in enumerate(draft.lines) if _is_short(draft, line)]
    for (draft, at), (text, score) in zip(
        again, _reread([d.lines[at] for d, at in again], sheet), strict=True
    ):
        draft.lines[at] = _agreed(draft.lines[at], text, score, draft)


def _is_short(draft: _Draft, line: Line) -> bool:
    if line.score > CLEAR and line.text in PRINTED:
        return False
    return sum(len(other.glyphs) for other in draft.lines) <= SHORT and bool(line.glyphs)


def _reread(lines: Sequence[Line], sheet: Page) -> list[tuple[str, float]]:
    return ocr.read_again(
        [
            ocr.enlarged(sheet.sharp, line.left - 3, line.top - 1, line.right + 3, line.bottom + 1)
            for line in lines
        ]
    )


def _agreed(line: Line, text: str, score: float, draft: _Draft) -> Line:
    """The line, doubted if its second reading is another one."""
    if ocr.same(line.text, text) or (line.text.isdigit() and text.translate(LIKE_FIGURES) == line.text):
        return line
    if score < 0.4 and line.score > 0.95 and len(line.text) > 1:
        return line
    draft.doubt(_two_readings(line.text, text))
    figures = re.sub(r"\W", "", text)
    if len(line.text) <= 2 and figures.isdigit() and not line.text.isdigit():
        return _of_text(
            figures, score, line
        )  # a figure by itself is easily taken for a letter, hardly vice versa
    return line


def _two_readings(first: str, second: str) -> str:
    return f"两次识别不一致：“{first}”和“{second}”"


# ---------------------------------------------------------------- boxes


def _with_marks(rows: Sequence[Sequence[Line]], box: Box, sheet: Page, draft: _Draft) -> list[str]:
    """The text of each visual row, with a tick glyph before every printed option."""
    return ["".join(_marked(line, box, sheet, draft) for line in row) for row in rows]


def _marked(line: Line, box: Box, sheet: Page, draft: _Draft) -> str:
    text = line.text
    if len(text) != len(line.glyphs):
        return text
    pieces: list[str] = []
    done = 0
    for match in OPTION.finditer(text):
        start = match.start()
        before = text[:start].replace("（", "(").replace("）", ")")
        if before.count("(") > before.count(")"):
            continue
        first = start
        while first > done and (text[first - 1] in BOX_LIKE or not text[first - 1].strip()):
            first -= 1
        if first == 1 and start == 1:
            first = 0  # a ticked box is often read as some ideograph
        if first > done and ocr.is_word_character(text[first - 1]):
            continue
        pieces.append(text[done:first])
        pieces.append(_mark(line, start, text[first:start], box, sheet, draft))
        done = start
    if pieces and any(char in glyphs.ON for char in text[done:]):
        draft.doubt(BESIDE_BOX)
    return "".join(pieces) + text[done:]


def _mark(line: Line, start: int, seen: str, box: Box, sheet: Page, draft: _Draft) -> str:
    """The glyph for the box before the option that begins at this character of the line."""
    em = 0.8 * line.height
    label = line.glyphs[start].left
    before = line.glyphs[start - len(seen) - 1].right if start > len(seen) else box.left + 3
    area = (max(before, label - 2.4 * em), line.top - 0.3 * em, label + 0.25 * em, line.bottom + 0.3 * em)
    frame = tick_boxes.frame_in(sheet.ink, area, em)
    ticked = any(char in SEEN_TICKED for char in seen)
    if frame is None:
        return "√" if any(char in glyphs.ON for char in seen) else TICK_UNKNOWN
    mark = frame.mark
    if tick_boxes.red_inside(sheet.pen, frame):
        draft.doubt(RED_PEN)
        return mark if mark == TICK_ON else TICK_UNKNOWN
    if mark == TICK_OFF and ticked:
        return TICK_UNKNOWN
    return mark


# ---------------------------------------------------------------- running text


def _in_order(
    grids: Sequence[Grid], tables: Sequence[Table], outside: Sequence[Line], sheet: Page, number: int | None
) -> list[Paragraph | Table]:
    """Tables and the running text between them, from top to bottom."""
    edge = float(max((grid.right for grid in grids), default=0)) or max(
        (line.right for line in outside), default=0.0
    )
    blocks: list[Paragraph | Table] = []
    rest = list(outside)
    for grid, table in zip(grids, tables, strict=True):
        above = [line for line in rest if line.middle < grid.top]
        rest = [line for line in rest if line.middle >= grid.top]
        blocks += _paragraphs(above, edge, sheet, number)
        blocks.append(table)
    blocks += _paragraphs(rest, edge, sheet, number)
    poor = NO_RULES if not grids else FAINT_RULES if any(grid.faint for grid in grids) else None
    if poor is None:
        return blocks
    return [
        replace(block, doubt=block.doubt or poor) if isinstance(block, Paragraph) else block
        for block in blocks
    ]


def _paragraphs(lines: Sequence[Line], edge: float, sheet: Page, number: int | None) -> list[Paragraph]:
    """Running text, parted at the labels of the form's head so that a doubt stays with its own blank."""
    groups: list[list[Line]] = []
    previous: Line | None = None
    for row in _visual_rows(lines):
        for at, line in enumerate(part for whole in row for part in _parted_at_labels(whole)):
            wraps = at == 0 and previous is not None and previous.right > edge - 2.2 * 0.8 * previous.height
            starts = at == 0 or bool(HEAD_LABEL.match(line.text))
            if groups and (wraps or not starts):
                groups[-1].append(line)
            else:
                groups.append([line])
            previous = line
    place = Place(f"第{number + 1}页表格外文字" if number is not None else "表格外文字", page=number)
    return [_paragraph(group, sheet, place) for group in groups]


def _parted_at_labels(line: Line) -> list[Line]:
    """The line in pieces, each beginning with a label of the form's head that stands in it."""
    starts = [match.start() for match in INNER_LABEL.finditer(line.text)]
    if not starts or len(line.text) != len(line.glyphs):
        return [line]
    edges = [0, *starts, len(line.glyphs)]
    return [
        replace(line, glyphs=part, left=part[0].left, right=part[-1].right)
        for start, end in pairwise(edges)
        if (part := line.glyphs[start:end])
    ]


def _paragraph(group: Sequence[Line], sheet: Page, place: Place) -> Paragraph:
    draft = _Draft(list(group))
    for line in group:
        if line.score < SURE:
            draft.doubt(f"“{_uncertain_part(line)}”识别不清")
    worth = [line for line in group if _is_worth_rereading(line)]
    for line, (text, score) in zip(worth, _reread(worth, sheet), strict=True):
        _agreed(line, text, score, draft)
    text = ""
    for at, line in enumerate(group):
        apart = (
            at > 0 and line.left - group[at - 1].right > line.height and line.middle < group[at - 1].bottom
        )
        text += ("　　" if apart else "") + line.text
    text = LABEL_WITHOUT_COLON.sub(r"\g<0>：", text)
    if BRACKET_AFTER_COLON.match(text):
        text = BRACKET_AFTER_COLON.sub(r"\1）：\2", text)
        draft.doubt(f"“{text[:12]}”识别不清")
    return Paragraph(_closed(text), place, doubt="；".join(draft.doubts[:3]) or None)


def _is_worth_rereading(line: Line) -> bool:
    """Whether the line may be a blank of the form's head: it has a label or a long number."""
    if len(line.glyphs) > 40 or NOTE.match(line.text):
        return False
    return bool(re.search(r"[:：]|\d{6}", line.text))
