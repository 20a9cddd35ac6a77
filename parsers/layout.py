"""Where the blanks of a form stand in a file: labels found, and the texts that belong to them.

A `Content` becomes `Draft`s: one for each form that stands in it, with the raw text and the place of every
field. What the texts mean is for `extract`.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cache
from itertools import pairwise

from openpyxl.utils import get_column_letter

from parsers import fields, forms
from parsers.content import Cell, Content, Paragraph, Table
from parsers.forms import FormKind
from parsers.options import MARKS
from parsers.values import Place

MAX_LABEL = 40


@dataclass(frozen=True, slots=True)
class Raw:
    """The text of one blank as it stands in the file."""

    text: str
    place: Place
    emphasised: tuple[str, ...] = ()
    struck: tuple[str, ...] = ()
    doubt: str | None = None

    @property
    def filled(self) -> bool:
        return bool(self.text.strip() or self.struck or self.doubt)


Item = dict[str, Raw]


@dataclass(slots=True)
class Draft:
    """One form found in a file, before its texts are understood."""

    kind: FormKind
    head: dict[str, Raw] = field(default_factory=dict)
    items: list[Item] = field(default_factory=list)
    totals: list[Item] = field(default_factory=list)
    examples: list[Item] = field(default_factory=list)
    columns: frozenset[str] = frozenset()
    """Item fields for which there is a label at all."""
    place: Place | None = None
    unread: list[str] = field(default_factory=list)
    """Headings of columns that hold data but belong to no field."""
    hidden_rows: int = 0
    hidden_columns: frozenset[str] = frozenset()
    conflicts: list[tuple[str, str]] = field(default_factory=list)
    """Head fields given twice with different texts."""
    title_seen: bool = False
    borrowed_head: bool = False
    instruction: bool = False
    """Stands on a sheet that is called 示例, 填写说明 or the like."""


def drafts(content: Content) -> list[Draft]:
    """The forms that stand in the content, in order."""
    found: list[Draft] = []
    for blocks in _sections(content):
        here = _Reader(blocks).drafts()
        name = blocks[0].name if isinstance(blocks[0], Table) else None
        for draft in here:
            draft.instruction = bool(name and forms.INSTRUCTION_SHEET.search(name))
        found += here
    real = [draft for draft in found if not draft.instruction]
    return real or found


def _sections(content: Content) -> Iterator[Sequence[Paragraph | Table]]:
    """Parts of the content that stand by themselves: each sheet, else the whole."""
    gathered: list[Paragraph | Table] = []
    for block in content.blocks:
        if isinstance(block, Table) and block.name is not None:
            yield [block]
        else:
            gathered.append(block)
    if gathered:
        yield gathered


# ---------------------------------------------------------------- labels


@cache
def item_field(form: FormKind, label: str) -> str | None:
    """The item field whose label this compact text is."""
    if not label or len(label) > MAX_LABEL:
        return None
    for candidate in form.item:
        if label in candidate.exact:
            return candidate.name
    matching = [f.name for f in form.item if f.loose is not None and f.loose.fullmatch(label)]
    return matching[0] if matching else None


@cache
def head_field(label: str) -> str | None:
    """The head field whose label this compact text is."""
    if not label or len(label) > 20:
        return None
    for candidate in forms.HEAD_FIELDS:
        if label in candidate.exact:
            return candidate.name
    for candidate in forms.HEAD_FIELDS:
        if candidate.loose is not None and candidate.loose.fullmatch(label):
            return candidate.name
    return None


def _label_of(cell: Cell | None) -> str:
    """The cell's text as a compact label; empty if it is too long to be one."""
    if cell is None or len(cell.text) > 120:
        return ""
    text = fields.normalise(cell.text)
    return forms.bare_label(_without_hint(text))


def _without_hint(text: str) -> str:
    return text.split("\n(")[0] if "\n(" in text else text


STRONG_HEADS = (
    r"(?:填报|报送|上报|填表|报告|申报|呈报)(?:单位|学校|部门)(?:名称|全称)?",
    r"(?:填报|填表|上报|报送|报告|统计|填写)(?:时间|日期)",
    r"(?:(?:填报)?单位|学校|党组织|党支部)?主要负责人(?:签字|签名|签章|审签|审核)?",
    r"(?:(?:填报)?单位|学校|党组织|党支部)负责人(?:签字|签名|签章|审签|审核)?",
    r"(?:(?:填报)?单位|学校|党组织|党支部)?(?:主管|主要)?(?:负责人|领导|书记|校长|园长)(?:签字|签名|签章|审签)",
    r"(?:联系人|经办人|填报人|填表人|联络人|联络员)(?:姓名)?(?:及|和|与|、|/|,|以及|\()(?:其)?(?:联系|办公|手机)*(?:电话|方式|手机|号码)+(?:号码?)?\)?",
    r"(?:联系|填报|填表|经办)人(?:姓名)?(?:联系)?电话(?:号码)?",
)
"""Labels that are known as such wherever they stand, if a bracket or colon follows or a blank precedes."""
WEAK_HEADS = (
    r"联系人(?:姓名)?",
    r"经办人|填报人|填表人|联络人|联络员|制表人",
    r"(?:联系|办公|移动|固定)?(?:电话|手机|座机)(?:号码?)?|联系方式",
    r"负责人|校长|园长|书记|负责同志|学校领导",
    r"单位(?:名称|全称)?|学校(?:名称|全称)?",
    r"时间|日期",
)
"""Labels that are common words: only with a colon or a bracket, and only behind a blank or at the start."""


def _spaced(pattern: str) -> str:
    """The pattern with blanks allowed between its Chinese characters."""
    return re.sub(r"(?<=[一-龥])(?=[一-龥]|\(\?:)", r"[ \\t]*", pattern)


BRACKET = r"(?:[ \t]*\([^()\n]{0,12}\))?"
HEAD_LABEL = re.compile(
    "|".join(
        [
            rf"(?P<strong>{'|'.join(map(_spaced, STRONG_HEADS))}){BRACKET}[ \t]*:",
            rf"(?:(?<=^)|(?<=[\s;,。、|)_]))(?P<plain>{'|'.join(map(_spaced, STRONG_HEADS))})(?:[ \t]*\([^()\n]{{0,12}}\)|(?=[ \t\n_]|$))",
            rf"(?:(?<=^)|(?<=[\s;,。、|)_(]))(?P<weak>{'|'.join(map(_spaced, WEAK_HEADS))}){BRACKET}[ \t]*:",
            r"(?:(?<=^)|(?<=[\s;,。、|)_]))(?P<sealed>(?:单位|学校)(?:名称|全称)?)[ \t]*\((?:盖章|公章|章|加盖公章)\)",
        ]
    ),
    re.MULTILINE,
)


BARE_HEAD = re.compile(rf"(?:(?<=^)|(?<=[ \t;,。]))(?P<strong>{'|'.join(STRONG_HEADS)})", re.MULTILINE)
"""A label with its value right behind it; believed only if the line has several."""
SPACED_OUT = re.compile(r"(?<![一-龥])(?:[一-龥] ){2,}[一-龥](?=[ :(\n]|$)")
"""A word whose characters are set apart: 联 系 人."""


def head_pairs(text: str) -> list[tuple[str, str]]:
    """Head fields and their texts in running text: 填报单位：… 联系人及电话：…"""
    plain = SPACED_OUT.sub(
        lambda match: match.group(0).replace(" ", ""), fields.normalise(_column_gaps(text))
    )
    matches = list(HEAD_LABEL.finditer(plain))
    if not matches and len(found := list(BARE_HEAD.finditer(plain))) > 1:
        matches = found
    pairs: list[tuple[str, str]] = []
    for number, match in enumerate(matches):
        label = next(group for group in match.groups() if group)
        name = head_field(forms.bare_label(label)) or "contact"
        end = matches[number + 1].start() if number + 1 < len(matches) else len(plain)
        pairs.append((name, plain[match.end() : end].strip(" \n:;,。|")))
    return pairs


def _column_gaps(text: str) -> str:
    return text.replace("\t", "   ")


def is_note(text: str) -> bool:
    """Whether the text is the printed 说明, or a line of it."""
    plain = fields.normalise(text)
    return bool(forms.NOTE_START.match(plain) or forms.OFFICE_LINE.search(plain))


def title_of(text: str) -> FormKind | None:
    """The form whose title this line is."""
    label = fields.compact(text)
    if not 4 <= len(label) <= MAX_LABEL or re.search(r"[。;:]", label):
        return None
    label = re.sub(r"^附(?:件|表)?[一二三123]?[:：.、]?", "", label)
    return next((form for form in forms.FORMS if form.titles.fullmatch(label)), None)


# ---------------------------------------------------------------- grids


class Grid:
    """A table by positions; a merged cell stands at every position that it covers."""

    def __init__(self, table: Table) -> None:
        self.table = table
        self.at: dict[tuple[int, int], Cell] = {}
        for cell in table.cells:
            for row in range(cell.row, cell.row + cell.row_span):
                for column in range(cell.column, cell.column + cell.column_span):
                    self.at.setdefault((row, column), cell)
        self.rows = table.rows
        self.columns = table.columns

    def row(self, number: int) -> list[Cell]:
        """Different cells of a row, left to right."""
        cells: list[Cell] = []
        for column in range(self.columns):
            cell = self.at.get((number, column))
            if cell is not None and (not cells or cells[-1] is not cell):
                cells.append(cell)
        return cells

    def filled(self, number: int) -> list[Cell]:
        return [cell for cell in self.row(number) if cell.text or cell.struck or cell.doubt]

    def label(self, row: int, column: int) -> str:
        return _label_of(self.at.get((row, column)))


def joined(cells: Iterable[Cell], beside: str = "  ") -> Raw | None:
    """Several cells as one text: rows by a line break, cells of a row by `beside`."""
    distinct: list[Cell] = []
    for cell in cells:
        if not any(cell is other for other in distinct):
            distinct.append(cell)
    if not distinct:
        return None
    filled = [cell for cell in distinct if cell.text or cell.struck or cell.doubt] or distinct[:1]
    text = ""
    for number, cell in enumerate(filled):
        if number:
            text += "\n" if cell.row != filled[number - 1].row else beside
        text += cell.text
    return Raw(
        text,
        filled[0].place,
        tuple(piece for cell in filled for piece in cell.emphasised),
        tuple(piece for cell in filled for piece in cell.struck),
        next((cell.doubt for cell in filled if cell.doubt), None),
    )


@dataclass(slots=True)
class Header:
    """The heading row of a table of items."""

    form: FormKind
    row: int
    """Its last row, where it has two."""
    first_row: int
    columns: dict[int, str]
    """Column -> item field, or head field for a column such as 填报单位, or `option:secretary`."""
    unknown: dict[int, str]

    @property
    def fields(self) -> frozenset[str]:
        return frozenset(self.columns.values())


def headers(grid: Grid) -> list[Header]:
    """Every heading row of the table, top down."""
    found: list[Header] = []
    row = 0
    while row < grid.rows:
        header = _header_at(grid, row)
        if header is None:
            row += 1
            continue
        lower = _header_at(grid, row + 1) if row + 1 < grid.rows else None
        if lower is not None and len(lower.fields) > len(header.fields) and lower.first_row <= row:
            header = lower
        found.append(header)
        row = header.row + 1
    return found


def _header_at(grid: Grid, row: int) -> Header | None:
    if not grid.row(row):
        return None
    best: Header | None = None
    for form in forms.FORMS:
        header = _header_for(form, grid, row)
        if header is not None and (best is None or len(header.fields) > len(best.fields)):
            best = header
    return best


def _header_for(form: FormKind, grid: Grid, row: int) -> Header | None:
    columns: dict[int, str] = {}
    unknown: dict[int, str] = {}
    first_row = row
    for column in range(grid.columns):
        cell = grid.at.get((row, column))
        upper = grid.at.get((row - 1, column)) if row else None
        name = _column_field(form, cell, upper)
        if name is None:
            label = _label_of(cell)
            if label in form.foreign:
                return None
            if label and label not in forms.NUMBER_HEADINGS:
                unknown[column] = cell.text if cell else ""
            continue
        columns[column] = name
        if cell is not None:
            first_row = min(first_row, cell.row)
        if upper is not None and upper is not cell and not item_field(form, _label_of(cell)):
            first_row = min(first_row, upper.row)
    present = frozenset(columns.values()) | (
        {"levels"} if any(n.startswith("option:") for n in columns.values()) else set()
    )
    if not any(signature <= present for signature in form.signature):
        return None
    own = [
        c
        for c in columns
        if (cell := grid.at.get((row, c))) is not None
        and cell.row + cell.row_span - 1 == row
        and _label_of(cell)
    ]
    if len(own) < 2:
        return None
    return Header(form, row, first_row, columns, unknown)


def _column_field(form: FormKind, cell: Cell | None, upper: Cell | None) -> str | None:
    """The field of a column, by its own heading, or by the heading above and its own together."""
    label = _label_of(cell)
    above = _label_of(upper) if upper is not None and upper is not cell else ""
    if form is forms.PROBLEM_REPORT and above and item_field(form, above) == "levels" and label:
        for option, words in (("secretary", "书记"), ("section", "科室")):
            if words in label:
                return f"option:{option}"
    name = item_field(form, label)
    if name is not None:
        return name
    if (
        above
        and (combined := item_field(form, above)) is not None
        and (not label or (upper is not None and upper.column_span == 1))
    ):
        return combined if not label else None
    head = head_field(label) if label else None
    return head if head is not None and form.key != head else None


# ---------------------------------------------------------------- reading a sequence of blocks


@dataclass(slots=True)
class _HeadText:
    pairs: list[tuple[str, Raw]]


@dataclass(slots=True)
class _Title:
    form: FormKind | None


@dataclass(slots=True)
class _Anchor:
    draft: Draft


_Element = _HeadText | _Title | _Anchor


class _Reader:
    """Finds the forms in blocks that stand together."""

    def __init__(self, blocks: Sequence[Paragraph | Table]) -> None:
        self.blocks = blocks

    def drafts(self) -> list[Draft]:
        elements: list[_Element] = []
        above: Header | None = None
        for block in self.blocks:
            if isinstance(block, Paragraph):
                elements += _paragraph(block)
                continue
            grid = Grid(block)
            if above is not None and _goes_on(grid, above):
                draft, _last, between = _items(grid, replace(above, row=-1, first_row=-1), grid.rows)
                elements.append(_Anchor(draft))
                for row in between:
                    elements += _text_row(grid, row)
                continue
            headings = headers(grid)
            above = headings[-1] if headings else None
            elements += _headed(grid, headings) if headings else _labelled(grid)
        found = _assembled(elements)
        if not found:
            found = _typed_forms(self.blocks)
        return found


def _paragraph(block: Paragraph) -> list[_Element]:
    if is_note(block.text):
        return []
    title = _title_element(block.text)
    pairs = [(name, Raw(text, block.place, doubt=block.doubt)) for name, text in head_pairs(block.text)]
    return [*title, _HeadText(pairs)] if pairs else list(title)


def _title_element(text: str) -> list[_Element]:
    form = title_of(text)
    if form is not None:
        return [_Title(form)]
    if re.fullmatch(r"附(?:件|表)[一二三123][:.、]?", fields.compact(text)):
        return [_Title(None)]
    return []


def _goes_on(grid: Grid, header: Header) -> bool:
    """Whether a table without headings continues the one before it, on the next page perhaps."""
    if grid.columns != max([*header.columns, *header.unknown], default=0) + 1 or headers(grid):
        return False
    if _labelled_form(grid)[0] is not None or not grid.rows:
        return False
    return any(
        len(grid.filled(row)) >= 2
        and not _is_text_row(grid, row)
        and not any(map(_is_head_label, grid.filled(row)))
        for row in range(grid.rows)
    )


def _headed(grid: Grid, found: Sequence[Header]) -> list[_Element]:
    """Elements of a table with heading rows: text rows above, items, text rows below."""
    elements: list[_Element] = []
    at = 0
    for number, header in enumerate(found):
        for row in range(at, header.first_row):
            elements += _text_row(grid, row)
        limit = found[number + 1].first_row if number + 1 < len(found) else grid.rows
        draft, at, between = _items(grid, header, limit)
        elements.append(_Anchor(draft))
        for row in between:
            elements += _text_row(grid, row)
    for row in range(at, grid.rows):
        elements += _text_row(grid, row)
    return elements


def _text_row(grid: Grid, row: int) -> list[_Element]:
    """Title, and labels with their values, in a row that holds no item."""
    elements: list[_Element] = []
    pairs: list[tuple[str, Raw]] = []
    cells = [cell for cell in grid.row(row) if cell.row == row]
    number = 0
    while number < len(cells):
        cell = cells[number]
        number += 1
        if not cell.text or is_note(cell.text):
            continue
        elements += _title_element(cell.text)
        name = head_field(_label_of(cell))
        inline = [(n, t) for n, t in head_pairs(cell.text) if t]
        if name is not None and not inline:
            values: list[Cell] = []
            while number < len(cells) and not _is_head_label(cells[number]):
                values.append(cells[number])
                number += 1
            raw = joined(values) if values else _under(grid, cell)
            pairs.append((name, raw or Raw("", cell.place)))
        else:
            pairs += [
                (n, Raw(t, cell.place, doubt=cell.doubt, struck=cell.struck))
                for n, t in head_pairs(cell.text)
            ]
    if pairs:
        elements.append(_HeadText(pairs))
    return elements


def _under(grid: Grid, label: Cell) -> Raw | None:
    """The text below a head label that stands in a row of nothing but labels."""
    if (
        not all(head_field(_label_of(cell)) for cell in grid.filled(label.row))
        or len(grid.filled(label.row)) < 2
    ):
        return None
    below = grid.at.get((label.row + label.row_span, label.column))
    if (
        below is None
        or _is_head_label(below)
        or any(item_field(form, _label_of(below)) for form in forms.FORMS)
    ):
        return None
    return joined([below])


def _is_head_label(cell: Cell) -> bool:
    return bool(cell.text) and (head_field(_label_of(cell)) is not None or bool(head_pairs(cell.text)))


def _items(grid: Grid, header: Header, limit: int) -> tuple[Draft, int, list[int]]:
    """The items below a heading row, the row after the last, and the rows of text between them."""
    draft = Draft(header.form, columns=header.fields)
    first = grid.row(header.row)
    draft.place = first[0].place if first else None
    row = header.row + 1
    last = header.row + 1
    skipped: list[int] = []
    while row < limit:
        group = _group(grid, header, row, limit)
        if _is_repeated_header(grid, header, row):
            row, last = row + 1, row + 1
            continue
        if _is_text_row(grid, row):
            skipped.append(row)
            row += 1
            continue
        item = _item(grid, header, range(row, row + group))
        _sort_in(draft, item, grid, row)
        row += group
        last = row
    draft.hidden_rows = sum(1 for hidden in grid.table.hidden_rows if header.row < hidden < max(limit, last))
    hidden_columns = grid.table.hidden_columns
    draft.hidden_columns = frozenset(
        name for column, name in header.columns.items() if column in hidden_columns
    )
    draft.unread = _unread(grid, header, range(header.row + 1, last))
    return draft, last, [row for row in skipped if row < last]


def _group(grid: Grid, header: Header, row: int, limit: int) -> int:
    """How many rows one item takes: those that its key cell, or its running number, spans."""
    if header.form.key == "unit":
        return 1
    keys = [c for c, name in header.columns.items() if name == header.form.key]
    numbers = [c for c in range(grid.columns) if grid.label(header.row, c) in forms.NUMBER_HEADINGS]
    spans = [
        cell.row + cell.row_span - row for c in keys + numbers if (cell := grid.at.get((row, c))) is not None
    ]
    return max(1, min(max(spans, default=1), limit - row))


def _is_repeated_header(grid: Grid, header: Header, row: int) -> bool:
    same = [c for c, name in header.columns.items() if item_field(header.form, grid.label(row, c)) == name]
    return len(same) >= 2 and len(same) * 2 > len(header.columns)


def _is_text_row(grid: Grid, row: int) -> bool:
    """Whether the row is no item: a note, a title, or a line of the head that spans the table."""
    cells = grid.filled(row)
    if not cells:
        return True
    first = cells[0]
    if is_note(first.text):
        return True
    if title_of(first.text) is not None and len(cells) == 1:
        return True
    labelled = [cell for cell in cells if _is_head_label(cell)]
    if labelled and labelled[0] is first and (first.column_span > 1 or len(labelled) * 2 >= len(cells)):
        return bool(head_pairs(first.text)) or len(labelled) > 1 or len(cells) <= 2
    spans_all = first.column_span >= max(2, grid.columns - 1)
    return spans_all and len(cells) == 1 and not _is_total(first)


def _is_total(cell: Cell) -> bool:
    return forms.TOTAL.match(fields.compact(cell.text)) is not None


def _item(grid: Grid, header: Header, rows: range) -> Item:
    by_field: dict[str, list[Cell]] = {}
    for row in rows:
        for column, name in sorted(header.columns.items()):
            cell = grid.at.get((row, column))
            if cell is not None:
                by_field.setdefault(name, []).append(cell)
    item: Item = {}
    owners: dict[int, str] = {}
    doubled = _doubled(grid, header)
    for name, cells in by_field.items():
        raw = joined(cells, beside="  " if name == "levels" else "\n")
        if raw is None:
            continue
        for cell in cells:
            other = owners.setdefault(id(cell), name)
            if other != name and cell.text and not name.startswith("option:"):
                raw = replace(raw, doubt="合并单元格跨越几栏，不能确定属于哪一栏")
        if name in doubled and raw.filled:
            raw = replace(raw, doubt=f"有几栏都像“{header.form.field(name).label}”，不能确定以哪一栏为准")
        item[name] = raw
    _blank_places(grid, header, rows[0], item)
    return _with_options(item)


MAY_BE_PARTED = frozenset({"details", "levels", "remarks"})
"""Fields that people part into several columns."""


def _doubled(grid: Grid, header: Header) -> frozenset[str]:
    """Fields for which several columns with different headings stand in the table."""
    headings: dict[str, set[str]] = {}
    own = {blank.name for blank in header.form.item} - MAY_BE_PARTED
    for column, name in header.columns.items():
        if name in own:
            headings.setdefault(name, set()).add(grid.label(header.row, column))
    return frozenset(name for name, labels in headings.items() if len(labels) > 1)


def _blank_places(grid: Grid, header: Header, row: int, item: Item) -> None:
    """Gives a place to the fields whose cells a sheet does not store."""
    for column, name in header.columns.items():
        if name in item:
            continue
        heading = grid.at.get((header.row, column))
        if heading is not None:
            item[name] = Raw("", _moved(heading.place, row, column))


def _moved(place: Place, row: int, column: int) -> Place:
    """The place of another cell of the same table."""
    if place.sheet is not None:
        where = f"工作表“{place.sheet}”{get_column_letter(column + 1)}{row + 1}"
    else:
        where = re.sub(r"第\d+行第\d+列", f"第{row + 1}行第{column + 1}列", place.where)
    return replace(place, where=where, row=row, column=column)


def _with_options(item: Item) -> Item:
    """Two columns of ticks under 反馈层级 as one text such as the form prints."""
    secretary, section = item.pop("option:secretary", None), item.pop("option:section", None)
    if secretary is None and section is None:
        return item
    lines: list[str] = []
    if secretary is not None:
        lines.append(_option_line(secretary.text, "市委教育工委书记"))
    if section is not None:
        lines.append(_option_line(section.text, "市局相关科室,具体是"))
    item["levels"] = replace(secretary or section or Raw("", Place("")), text="\n".join(lines))
    return item


def _option_line(text: str, label: str) -> str:
    plain = re.sub(r"^(?:是|需要|1)$", "√", fields.normalise(text))
    plain = re.sub(r"^(?:否|不需要|0|无|/|-|—)$", "", plain)
    marks = "".join(char for char in plain if char in MARKS)
    rest = "".join(char for char in plain if char not in MARKS).strip()
    if rest and not marks:
        marks = "√" if label.startswith("市局") else "⍰"
    return f"{marks or '□'}{label} {rest}"


def _sort_in(draft: Draft, item: Item, grid: Grid, row: int) -> None:
    """Puts the item among the items, the totals or the examples; blank rows nowhere."""
    texts = [fields.compact(cell.text) for cell in grid.filled(row)]
    if not texts:
        return
    key = fields.compact(item[draft.kind.key].text) if draft.kind.key in item else ""
    leading = {texts[0], key} - {""}
    if draft.kind.summed and any(forms.TOTAL.match(text) for text in leading):
        draft.totals.append(item)
    elif any(forms.EXAMPLE.search(text) for text in leading) or any(map(forms.SAMPLE_ROW.fullmatch, texts)):
        draft.examples.append(item)
    else:
        draft.items.append(item)


def _unread(grid: Grid, header: Header, rows: range) -> list[str]:
    return [
        heading
        for column, heading in header.unknown.items()
        if any((cell := grid.at.get((row, column))) is not None and cell.text for row in rows)
    ]


# ---------------------------------------------------------------- labels left, values right


def _labelled(grid: Grid) -> list[_Element]:
    """Elements of a table whose labels stand left of, or above, their values."""
    form, rows = _labelled_form(grid)
    if form is None:
        return [element for row in range(grid.rows) for element in _text_row(grid, row)]
    transposed = _transposed(grid, form, rows)
    elements: list[_Element] = []
    draft = Draft(form, place=grid.table.cells[0].place if grid.table.cells else None)
    item: Item = {}
    seen: set[str] = set()
    last_name = form.key
    row = 0
    while row < grid.rows:
        band = _band(grid, row)
        pairs = [] if transposed else _row_pairs(grid, form, row, band)
        if not any(name in {f.name for f in form.item} for name, _raw in pairs):
            if not transposed and item and _continues(grid, row):
                _append_row(grid, row, item, last_name)
            else:
                elements += _text_row(grid, row)
            row += 1
            continue
        head: list[tuple[str, Raw]] = []
        for name, raw in pairs:
            if name in {f.name for f in form.item}:
                if name in item and (
                    name == form.key or name == "levels" or (raw.filled and item[name].filled)
                ):
                    draft.items.append(item)
                    item = {}
                item.setdefault(name, raw)
                seen.add(name)
                last_name = name
            else:
                head.append((name, raw))
        if head:
            elements.append(_HeadText(head))
        row += band
    if item:
        draft.items.append(item)
    for extra in transposed:
        draft.items.append(extra)
        seen |= set(extra)
    draft.columns = frozenset(seen)
    elements.append(_Anchor(draft))
    return elements


def _continues(grid: Grid, row: int) -> bool:
    """Whether a row without a label goes on with the value of the row above."""
    cells = grid.filled(row)
    first = grid.at.get((row, 0))
    return bool(cells) and (first is None or not first.text) and not is_note(cells[0].text)


def _append_row(grid: Grid, row: int, item: Item, name: str) -> None:
    more = joined(grid.filled(row))
    before = item[name]
    if more is not None:
        item[name] = replace(
            before,
            text=f"{before.text}\n{more.text}".strip("\n"),
            emphasised=before.emphasised + more.emphasised,
            struck=before.struck + more.struck,
            doubt=before.doubt or more.doubt,
        )


def _labelled_form(grid: Grid) -> tuple[FormKind | None, dict[int, str]]:
    """The form whose item labels stand in the table one below the other, and their rows."""
    best: tuple[FormKind | None, dict[int, str]] = (None, {})
    labels = {_label_of(cell) for cell in grid.table.cells}
    for form in forms.FORMS:
        if labels & form.foreign:
            continue
        rows: dict[int, str] = {}
        names: set[str] = set()
        for row in range(grid.rows):
            found = _labels_of_row(grid, form, row)
            names.update(found)
            if found:
                rows[row] = found[0]
        if any(signature <= names for signature in form.signature) and len(names) > len(
            set(best[1].values())
        ):
            best = (form, rows)
    return best


def _labels_of_row(grid: Grid, form: FormKind, row: int) -> list[str]:
    """Item labels of a row; none if they stand side by side, for then the row is a heading."""
    cells = [cell for cell in grid.row(row) if cell.row == row]
    names = [item_field(form, _label_of(cell)) for cell in cells]
    if any(left and right for left, right in pairwise(names)):
        return []
    return [name for name in names if name]


def _band(grid: Grid, row: int) -> int:
    """How many rows belong together because a label cell spans them."""
    first = next((cell for cell in grid.row(row) if cell.row == row), None)
    if first is None or first.row_span == 1:
        return 1
    others = [cell for cell in grid.row(row) if cell is not first and cell.row == row]
    labels = [c for c in others if c.row_span < first.row_span and _label_of(c)]
    return first.row_span if not labels or head_field(_label_of(first)) is None else 1


def _row_pairs(grid: Grid, form: FormKind, row: int, band: int) -> list[tuple[str, Raw]]:
    """Labels of a band of rows with the cells right of them."""
    cells = [cell for cell in grid.row(row) if cell.row >= row]
    pairs: list[tuple[str, Raw]] = []
    number = 0
    while number < len(cells):
        label = cells[number]
        number += 1
        name = _name(form, label)
        if name is None:
            inline = _inline_item(form, label)
            if inline is not None:
                pairs.append(inline)
            else:
                pairs += [(n, Raw(t, label.place, doubt=label.doubt)) for n, t in head_pairs(label.text)]
            continue
        columns: list[int] = []
        while (
            number < len(cells) and _name(form, cells[number]) is None and not _is_head_label(cells[number])
        ):
            columns += range(cells[number].column, cells[number].column + cells[number].column_span)
            number += 1
        raw = _values(grid, range(row, row + band), columns) if columns else _below(grid, form, label)
        pairs.append((name, raw or Raw("", label.place)))
    return pairs


def _name(form: FormKind, cell: Cell) -> str | None:
    label = _label_of(cell)
    if not label:
        return None
    found = item_field(form, label)
    head = head_field(label)
    if (
        found == "unit"
        and head == "reporting_unit"
        and label not in {"单位名称", "学校名称", "单位", "学校", "名称", "校区"}
    ):
        return head
    return found or head


def _inline_item(form: FormKind, cell: Cell) -> tuple[str, Raw] | None:
    """A cell that holds label and value: 难点问题：厕所老旧."""
    text = fields.normalise(cell.text)
    label, colon, value = text.partition(":")
    if not colon or len(label) > 20:
        return None
    name = item_field(form, forms.bare_label(label))
    return (name, Raw(value.strip(), cell.place, cell.emphasised, cell.struck, cell.doubt)) if name else None


def _values(grid: Grid, rows: range, columns: Sequence[int]) -> Raw | None:
    return joined(
        cell for row in rows for column in columns if (cell := grid.at.get((row, column))) is not None
    )


def _below(grid: Grid, form: FormKind, label: Cell) -> Raw | None:
    """The value under a label that spans its row."""
    under = grid.at.get((label.row + label.row_span, label.column))
    if under is None or label.column_span < grid.columns or _name(form, under) is not None:
        return None
    return joined([under])


def _transposed(grid: Grid, form: FormKind, rows: Mapping[int, str]) -> list[Item]:
    """Items that stand side by side in columns, where labels stand left; empty if there is only one."""
    wide: dict[int, list[Cell]] = {}
    for row in rows:
        cells = grid.row(row)
        labels = [cell for cell in cells if _name(form, cell) is not None]
        if len(labels) != 1 or cells[0] is not labels[0]:
            return []
        wide[row] = cells[1:]
    widths = {len(cells) for cells in wide.values()}
    keys = [row for row, name in rows.items() if name == form.key]
    if len(widths) != 1 or not keys or min(widths) < 2:
        return []
    count = len([cell for cell in wide[keys[0]] if cell.text])
    if count < 2:
        return []
    items: list[Item] = []
    for number in range(min(widths)):
        item = {
            name: joined([wide[row][number]]) or Raw("", wide[row][number].place)
            for row, name in rows.items()
        }
        if any(raw.filled for raw in item.values()):
            items.append(item)
    return items


# ---------------------------------------------------------------- putting heads and items together


def _assembled(elements: Sequence[_Element]) -> list[Draft]:
    """Drafts with their heads: what stands above a table of items, and below it up to the next form."""
    found: list[Draft] = []
    current: Draft | None = None
    pending: list[tuple[str, Raw]] = []
    title: FormKind | None = None
    fresh = False
    for element in elements:
        if isinstance(element, _Title):
            if current is not None:
                current, pending, fresh = None, [], True
            title = element.form or title
        elif isinstance(element, _HeadText):
            if (
                current is not None
                and any(name == "reporting_unit" for name, _raw in element.pairs)
                and ("reporting_unit" in current.head)
            ):
                current, pending = None, []
            if current is None:
                pending += element.pairs
            else:
                _take(current, element.pairs)
        else:
            draft = element.draft
            if current is not None and current.kind is draft.kind and not pending:
                _continue(current, draft)
                continue
            draft.title_seen = title is draft.kind
            _take(draft, pending)
            if not pending and found and not draft.head:
                _borrow(draft, found[-1], fresh)
            found.append(draft)
            current, pending, title, fresh = draft, [], None, False
    return found


def _take(draft: Draft, pairs: Iterable[tuple[str, Raw]]) -> None:
    """Puts head texts into the draft; the same field twice with another text is a conflict."""
    names = {f.name for f in draft.kind.head}
    for name, raw in pairs:
        if name not in names:
            continue
        before = draft.head.get(name)
        if before is None or not before.filled:
            draft.head[name] = raw
        elif raw.filled and fields.compact(raw.text) != fields.compact(before.text):
            draft.conflicts.append((name, raw.text))


def _continue(current: Draft, draft: Draft) -> None:
    """A table that goes on on the next page under the same headings."""
    current.items += draft.items
    current.totals += draft.totals
    current.examples += draft.examples
    current.unread += draft.unread
    current.hidden_rows += draft.hidden_rows
    current.columns |= draft.columns
    _take(current, draft.head.items())


def _borrow(draft: Draft, before: Draft, fresh: bool) -> None:
    """One head line for two tables: the second uses the first one's."""
    _take(draft, before.head.items())
    draft.borrowed_head = fresh and bool(draft.head)


# ---------------------------------------------------------------- forms typed as lines


def _typed_forms(blocks: Sequence[Paragraph | Table]) -> list[Draft]:
    """Forms typed as lines of label and value, without a table."""
    lines = list(_lines(blocks))
    labels = {_label_of(cell) for block in blocks if isinstance(block, Table) for cell in block.cells}
    best: list[Draft] = []
    for form in forms.FORMS:
        if labels & form.foreign:
            continue
        found = _typed(form, lines)
        if sum(len(draft.columns) for draft in found) > sum(len(draft.columns) for draft in best):
            best = found
    return best


def _lines(blocks: Sequence[Paragraph | Table]) -> Iterator[Raw]:
    for block in blocks:
        if isinstance(block, Paragraph):
            for text in block.text.split("\n"):
                yield Raw(text, block.place, block.emphasised, block.struck, block.doubt)
        else:
            grid = Grid(block)
            for row in range(grid.rows):
                cells = [cell for cell in grid.filled(row) if cell.row == row]
                if len(cells) > 2:
                    continue
                for number, cell in enumerate(cells):
                    pair = number == 0 and len(cells) == 2 and ":" not in fields.normalise(cell.text)
                    if pair:
                        value = cells[1]
                        yield Raw(
                            f"{cell.text}:{value.text}",
                            value.place,
                            value.emphasised,
                            value.struck,
                            value.doubt,
                        )
                        break
                    for text in cell.text.split("\n"):
                        yield Raw(text, cell.place, cell.emphasised, cell.struck, cell.doubt)


LINE_LABEL = re.compile(
    r"^[ \t]*(?:[(\[【]?(?:\d{1,2}|[一二三四五六七八九十]{1,3})[)\]】]?[.、, ]?)?[\[【]?(?P<label>[^:\n]{1,45}?)[\]】]?[ \t]*:[ \t]*(?P<value>.*)$"
)
SIGN_OFF = re.compile(
    r"^(?:此致|敬礼|谢谢|特此|以上|请(?:查收|审阅|领导|予)|妥否|顺祝|祝|望|盼|联系人|发自|--|__|==|\d{4}年|20\d\d[-./])"
)


SEVERAL_LINES = frozenset({"problem", "details", "levels", "remarks"})
"""Fields whose text may go on on the next line."""


def _typed(form: FormKind, lines: Sequence[Raw]) -> list[Draft]:
    """Drafts of one form out of lines; a new one begins where 填报单位 stands again."""
    found: list[Draft] = []
    draft = Draft(form)
    item: Item = {}
    open_field: str | None = None
    seen: set[str] = set()

    def close() -> None:
        nonlocal item, draft, seen
        if item:
            draft.items.append(item)
        draft.columns = frozenset(seen)
        if draft.items and any(signature <= seen for signature in form.signature):
            found.append(draft)
        item, draft, seen = {}, Draft(form), set()

    for line in lines:
        text = fields.normalise(line.text)
        if not text:
            if open_field in {"remarks", None} or open_field not in {"details", "levels"}:
                open_field = None
            continue
        if is_note(text):
            open_field = None
            continue
        pairs = list(_item_pairs(form, text))
        if pairs:
            for name, value in pairs:
                if name in item and (name == form.key or item[name].filled):
                    draft.items.append(item)
                    item = {}
                item[name] = replace(line, text=value)
                seen.add(name)
                open_field = name
            continue
        heads = [(name, Raw(value, line.place, doubt=line.doubt)) for name, value in head_pairs(text)]
        if heads:
            if any(name == "reporting_unit" for name, _raw in heads) and (item or draft.items):
                close()
            elif seen and open_field in {"details"} and not re.match(HEAD_LABEL, text):
                heads = []
        if heads:
            _take_first(draft, heads)
            open_field = None
            continue
        if title_of(text) is not None or (open_field != "details" and SIGN_OFF.match(text)):
            open_field = None
        elif open_field is not None:
            before = item.get(open_field)
            if before is not None and (open_field in SEVERAL_LINES or not before.text):
                item[open_field] = replace(
                    before,
                    text=f"{before.text}\n{text}" if before.text else text,
                    emphasised=before.emphasised + line.emphasised,
                )
    close()
    return found


def _take_first(draft: Draft, pairs: Iterable[tuple[str, Raw]]) -> None:
    names = {f.name for f in draft.kind.head}
    for name, raw in pairs:
        if name in names and not (name in draft.head and draft.head[name].filled):
            draft.head[name] = raw


def _item_pairs(form: FormKind, text: str) -> Iterator[tuple[str, str]]:
    """Item labels with a colon in a line; counts may stand several in one line."""
    match = LINE_LABEL.match(text)
    whole = (
        item_field(form, forms.bare_label(text)) if len(text) <= 30 and ":" not in text.rstrip(":") else None
    )
    if whole is not None and len(forms.bare_label(text)) >= 4:
        yield whole, ""
        return
    if match is None:
        return
    pieces = (
        re.split(r"[,;。、](?=[^,;。、:]{2,40}:)| {2,}(?=[^:]{2,40}:)", text)
        if form.key == "unit"
        else [text]
    )
    pairs: list[tuple[str, str]] = []
    for piece in pieces:
        part = LINE_LABEL.match(piece)
        name = item_field(form, forms.bare_label(part.group("label"))) if part else None
        if (
            part is None
            or name is None
            or (
                name == "unit"
                and head_field(forms.bare_label(part.group("label"))) == "reporting_unit"
                and part.group("label").startswith(("填报", "报送", "上报", "填表"))
            )
        ):
            if piece is pieces[0]:
                return
            continue
        pairs.append((name, part.group("value").strip(" ,;。" if form.key == "unit" else " ")))
    yield from pairs
