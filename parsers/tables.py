"""Forms that stand in tables: headings above and items below, or labels left and values right.

A table becomes a sequence of elements: titles, head texts, and anchors with the items.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

from openpyxl.utils import get_column_letter

from parsers import fields, forms, options
from parsers.content import Cell
from parsers.forms import FormKind
from parsers.labels import (
    HEAD_OF_FORM,
    Draft,
    Grid,
    Item,
    Raw,
    begins_with_label,
    head_field,
    head_pairs,
    is_note,
    item_field,
    joined,
    label_of,
    title_of,
)
from parsers.options import MARKS
from parsers.values import Place

# ---------------------------------------------------------------- reading a sequence of blocks


@dataclass(slots=True)
class HeadText:
    pairs: list[tuple[str, Raw]]


@dataclass(slots=True)
class Title:
    form: FormKind | None


@dataclass(slots=True)
class Anchor:
    draft: Draft


Element = HeadText | Title | Anchor


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
    if not grid.row(row) or grid.lists_pairs:
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
            label = label_of(cell)
            if label in form.foreign:
                return None
            if label and label not in forms.NUMBER_HEADINGS:
                unknown[column] = cell.text if cell else ""
            continue
        columns[column] = name
        if cell is not None:
            first_row = min(first_row, cell.row)
        if upper is not None and upper is not cell and not item_field(form, label_of(cell)):
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
        and label_of(cell)
    ]
    if len(own) < 2 or not _side_by_side(grid, row, columns):
        return None
    return Header(form, row, first_row, columns, unknown)


def _side_by_side(grid: Grid, row: int, columns: Mapping[int, str]) -> bool:
    """Whether two headings stand next to each other; where a value follows each label, the row is no heading."""
    starts = [column for column, name in sorted(columns.items()) if columns.get(column - 1) != name]
    cells = [grid.at.get((row, column)) for column in starts]
    return any(
        left is not None and left.column + left.column_span == column
        for left, column in zip(cells, starts[1:], strict=False)
    )


def _column_field(form: FormKind, cell: Cell | None, upper: Cell | None) -> str | None:
    """The field of a column, by its own heading, or by the heading above and its own together."""
    label = label_of(cell)
    above = label_of(upper) if upper is not None and upper is not cell else ""
    if (
        form is forms.PROBLEM_REPORT
        and above
        and item_field(form, above) == "levels"
        and label
        and not _ticked(label)
    ):
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


def _ticked(text: str) -> bool:
    return any(char in MARKS for char in text)


def title_element(text: str) -> list[Element]:
    form = title_of(text)
    if form is not None:
        return [Title(form)]
    if re.fullmatch(r"附(?:件|表)[一二三123][:.、]?", fields.compact(text)):
        return [Title(None)]
    return []


def goes_on(grid: Grid, header: Header) -> bool:
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


def headed(grid: Grid, found: Sequence[Header]) -> list[Element]:
    """Elements of a table with heading rows: text rows above, items, text rows below."""
    elements: list[Element] = []
    at = 0
    for number, header in enumerate(found):
        for row in range(at, header.first_row):
            elements += text_row(grid, row)
        limit = found[number + 1].first_row if number + 1 < len(found) else grid.rows
        draft, at, between = items_below(grid, header, limit)
        elements.append(Anchor(draft))
        for row in between:
            elements += text_row(grid, row)
    for row in range(at, grid.rows):
        elements += text_row(grid, row)
    return elements


def text_row(grid: Grid, row: int) -> list[Element]:
    """Title, and labels with their values, in a row that holds no item."""
    elements: list[Element] = []
    pairs: list[tuple[str, Raw]] = []
    cells = [cell for cell in grid.row(row) if cell.row == row]
    if len(cells) == 2 and all(head_field(label_of(cell)) for cell in cells) and grid.lists_pairs:
        return [HeadText([(head_field(label_of(cells[0])) or "", _like_a_label(cells[1]))])]
    number = 0
    while number < len(cells):
        cell = cells[number]
        number += 1
        if not cell.text or is_note(cell.text):
            continue
        elements += title_element(cell.text)
        name = head_field(label_of(cell))
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
        elements.append(HeadText(pairs))
    return elements


def _under(grid: Grid, label: Cell) -> Raw | None:
    """The text below a head label that stands in a row of nothing but labels."""
    if (
        not all(head_field(label_of(cell)) for cell in grid.filled(label.row))
        or len(grid.filled(label.row)) < 2
    ):
        return None
    below = grid.at.get((label.row + label.row_span, label.column))
    if (
        below is None
        or _is_head_label(below)
        or any(item_field(form, label_of(below)) for form in forms.FORMS)
    ):
        return None
    return joined([below])


def _is_head_label(cell: Cell) -> bool:
    return bool(cell.text) and (head_field(label_of(cell)) is not None or begins_with_label(cell.text))


def items_below(grid: Grid, header: Header, limit: int) -> tuple[Draft, int, list[int]]:
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
        if _is_text_row(grid, row) or _is_numbering(grid, row):
            _foot_remark(grid, row, draft)
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
    together = max(1, min(max(spans, default=1), limit - row))
    return 1 if _choose_differently(grid, header, range(row, row + together)) else together


def _choose_differently(grid: Grid, header: Header, rows: range) -> bool:
    """Whether rows under one merged key each choose levels of their own: then each row is an item."""
    columns = [column for column, name in header.columns.items() if name == "levels"]
    cells = {id(cell): cell for c in columns for row in rows if (cell := grid.at.get((row, c))) is not None}
    read = [options.choice(cell.text, cell.emphasised, cell.struck) for cell in cells.values()]
    return len({(one.levels, one.sections) for one in read if one.levels}) > 1


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
    if len(cells) == 1 and title_element(first.text):
        return True
    labelled = [cell for cell in cells if _is_head_label(cell)]
    if labelled and labelled[0] is first and (first.column_span > 1 or len(labelled) * 2 >= len(cells)):
        return bool(head_pairs(first.text)) or len(labelled) > 1 or len(cells) <= 2
    spans_all = first.column_span >= max(2, grid.columns - 1)
    return spans_all and len(cells) == 1 and not _is_total(first)


UNIT_OF_COLUMN = re.compile(
    r"\((?:单位[::]?)?(?:个|次|件|项|名|人|所)\)|个|次|件|项|单位[::]?(?:个|次|件|项)"
)
COLUMN_NUMBER = re.compile(r"[(]?(?:(\d{1,2})|[甲乙丙丁戊己庚]|[A-H]|栏次)[)]?")


def _is_numbering(grid: Grid, row: int) -> bool:
    """Whether the row only numbers the columns, 甲 1 2 3 4 5, or says what they count: (个) (个) (次) (个)."""
    texts = [fields.compact(cell.text) for cell in grid.filled(row)]
    if len(texts) > 1 and all(map(UNIT_OF_COLUMN.fullmatch, texts)):
        return True
    matches = [COLUMN_NUMBER.fullmatch(fields.compact(cell.text)) for cell in grid.filled(row)]
    if len(matches) < 4 or any(match is None for match in matches):
        return False
    numbers = [int(match.group(1)) for match in matches if match is not None and match.group(1)]
    return all(after == before + 1 for before, after in pairwise(numbers))


def _foot_remark(grid: Grid, row: int, draft: Draft) -> None:
    """Takes a line 备注：… below the only item as its remark."""
    cells = grid.filled(row)
    if len(cells) != 1 or is_note(cells[0].text) or len(draft.items) != 1:
        return
    label, colon, text = fields.normalise(cells[0].text).partition(":")
    before = draft.items[0].get("remarks")
    if colon and label == "备注" and text and (before is None or not before.filled):
        draft.items[0]["remarks"] = Raw(text, cells[0].place, doubt=cells[0].doubt)


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
        if raw.filled and any(_shared(header, name, cell, rows) for cell in cells):
            raw = replace(raw, doubt="一个数合并在几行，不能确定属于哪一行")
        if name == header.form.key != "unit" and any(_reaches_beyond(cell, rows) for cell in cells):
            raw = replace(raw, doubt="此格合并在几行，各行分别勾选，按几个问题记录，请核对")
        if name in doubled and raw.filled:
            raw = replace(raw, doubt=f"有几栏都像“{header.form.field(name).label}”，不能确定以哪一栏为准")
        item[name] = raw
    _blank_places(grid, header, rows[0], item)
    return _with_options(item)


def _shared(header: Header, name: str, cell: Cell, rows: range) -> bool:
    """Whether a count stands in a cell that belongs to other rows as well."""
    counted = name in {blank.name for blank in header.form.item if blank.kind is forms.Kind.COUNT}
    return counted and _reaches_beyond(cell, rows)


def _reaches_beyond(cell: Cell, rows: range) -> bool:
    return cell.row < rows.start or cell.row + cell.row_span > rows.stop


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
    _sort_item(draft, item, [fields.compact(cell.text) for cell in grid.filled(row)])


def _sort_item(draft: Draft, item: Item, texts: Sequence[str]) -> None:
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


def labelled(grid: Grid) -> list[Element]:
    """Elements of a table whose labels stand left of, or above, their values."""
    form, rows = _labelled_form(grid)
    if form is None:
        return [element for row in range(grid.rows) for element in text_row(grid, row)]
    transposed = _transposed(grid, form, rows)
    elements: list[Element] = []
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
            elif not (transposed and row in rows):
                elements += text_row(grid, row)
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
            elements.append(HeadText(head))
        row += band
    if item:
        draft.items.append(item)
    for extra in transposed:
        _sort_item(draft, extra, [fields.compact(raw.text) for raw in extra.values() if raw.text])
        seen |= set(extra)
    draft.columns = frozenset(seen)
    elements.append(Anchor(draft))
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
    labels = {label_of(cell) for cell in grid.table.cells}
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
    if grid.lists_pairs:
        cells = cells[:1]
    names = [item_field(form, label_of(cell)) for cell in cells]
    if any(left and right for left, right in pairwise(names)):
        return []
    return [name for name in names if name]


def _band(grid: Grid, row: int) -> int:
    """How many rows belong together because a label cell spans them."""
    first = next((cell for cell in grid.row(row) if cell.row == row), None)
    if first is None or first.row_span == 1:
        return 1
    others = [cell for cell in grid.row(row) if cell is not first and cell.row == row]
    labels = [c for c in others if c.row_span < first.row_span and label_of(c)]
    return first.row_span if not labels or head_field(label_of(first)) is None else 1


def _row_pairs(grid: Grid, form: FormKind, row: int, band: int) -> list[tuple[str, Raw]]:
    """Labels of a band of rows with the cells right of them."""
    cells = [cell for cell in grid.row(row) if cell.row >= row]
    if len(cells) == 2 and (named := _name(form, cells[0])) and _name(form, cells[1]) and grid.lists_pairs:
        return [(named, _like_a_label(cells[1]))]
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
        own = name in {blank.name for blank in form.item}
        while (
            number < len(cells)
            and _name(form, cells[number]) is None
            and (not _is_head_label(cells[number]) or (own and not columns))
        ):
            columns += range(cells[number].column, cells[number].column + cells[number].column_span)
            number += 1
        raw = _values(grid, range(row, row + band), columns) if columns else _below(grid, form, label)
        pairs.append((name, raw or Raw("", label.place)))
    return pairs


def _name(form: FormKind, cell: Cell) -> str | None:
    label = label_of(cell)
    if not label:
        return None
    found = item_field(form, label)
    head = head_field(label)
    if (
        found == "unit"
        and head == "reporting_unit"
        and (
            HEAD_OF_FORM.search(fields.normalise(cell.text if cell else ""))
            or label not in {"单位名称", "学校名称", "单位", "学校", "名称", "校区"}
        )
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


def _like_a_label(cell: Cell) -> Raw:
    """A value that reads like the name of a blank."""
    return Raw(cell.text, cell.place, doubt=cell.doubt or f"“{cell.text}”与栏目的名称相同，请核对")


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
    for row in rows:
        cells = grid.row(row)
        labels = [cell for cell in cells if _name(form, cell) is not None]
        if len(labels) != 1 or cells[0] is not labels[0]:
            return []
    keys = [row for row, name in rows.items() if name == form.key]
    columns = [cell.column for cell in grid.row(keys[0])[1:] if cell.text] if keys else []
    if len(columns) < 2 or any(_stands_between(grid, row, columns) for row in rows):
        return []
    items: list[Item] = []
    for column in columns:
        item = {name: _raw_at(grid, row, column) for row, name in rows.items()}
        if any(raw.filled for raw in item.values()):
            items.append(item)
    return items


def _stands_between(grid: Grid, row: int, columns: Sequence[int]) -> bool:
    """Whether something of the row belongs to none of these columns, or to several of them."""
    cells = [cell for cell in grid.row(row)[1:] if cell.text]
    return any(
        sum(cell.column <= column < cell.column + cell.column_span for column in columns) != 1
        for cell in cells
    )


def _raw_at(grid: Grid, row: int, column: int) -> Raw:
    """The text at this position; nothing, with its place, where the sheet stores no cell."""
    cell = grid.at.get((row, column))
    if cell is None:
        return Raw("", _moved(grid.row(row)[0].place, row, column))
    return joined([cell]) or Raw("", cell.place)
