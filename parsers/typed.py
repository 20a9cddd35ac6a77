"""Forms that somebody typed as lines of label and value, without a table."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace

from parsers import fields, forms
from parsers.content import Cell, Paragraph, Table
from parsers.forms import FormKind
from parsers.labels import (
    HEAD_LABEL,
    HEAD_OF_FORM,
    Draft,
    Grid,
    Item,
    Raw,
    head_field,
    head_pairs,
    is_note,
    item_field,
    label_of,
    title_of,
)

# ---------------------------------------------------------------- tables typed with single blanks

SINGLE_BLANKS = "各栏之间只有一个空格，各数属于哪一栏不能确定，请核对"
LEAST_COLUMNS = 4


def with_typed_tables(blocks: Sequence[Paragraph | Table]) -> list[Paragraph | Table]:
    """The blocks with lines of headings and figures, parted by single blanks, as tables."""
    shown: list[Paragraph | Table] = []
    at = 0
    while at < len(blocks):
        block = blocks[at]
        names = _heading_line(block) if isinstance(block, Paragraph) else []
        rows = _figure_lines(blocks[at + 1 :]) if names else []
        if isinstance(block, Paragraph) and rows:
            shown.append(_typed_table(block, names, rows))
            at = next(i for i, each in enumerate(blocks) if each is rows[-1]) + 1
        else:
            shown.append(block)
            at += 1
    return shown


def _heading_line(line: Paragraph) -> list[str]:
    """The fields that the words of a line head; empty if it is no heading of the statistics."""
    words = line.text.split()
    if len(words) < LEAST_COLUMNS or "平台" not in line.text:
        return []
    names = [item_field(forms.STATISTICS, forms.bare_label(word)) for word in words]
    known = [name for name in names if name is not None]
    whole = len(known) == len(names) == len(set(known))
    return known if whole and any(each <= set(known) for each in forms.STATISTICS.signature) else []


def _figure_lines(blocks: Sequence[Paragraph | Table]) -> list[Paragraph]:
    rows: list[Paragraph] = []
    for block in blocks:
        if not isinstance(block, Paragraph):
            break
        words = block.text.split()
        if words and (len(words) < LEAST_COLUMNS or sum(map(_is_count, words)) < LEAST_COLUMNS - 1):
            break
        if words:
            rows.append(block)
    return rows


def _is_count(word: str) -> bool:
    return fields.count(word).value is not None


def _row_words(text: str, names: Sequence[str]) -> list[str]:
    """The words of a row, the name of the unit as one and the remark as one."""
    words = text.split()
    first = next((place for place, word in enumerate(words) if _is_count(word)), 0)
    if names[0] == "unit" and first > 1:
        words = ["".join(words[:first]), *words[first:]]
    return [*words[: len(names) - 1], *filter(None, [" ".join(words[len(names) - 1 :])])]


def _typed_table(heading: Paragraph, names: Sequence[str], rows: Sequence[Paragraph]) -> Table:
    cells = [Cell(word, 0, column, heading.place) for column, word in enumerate(heading.text.split())]
    counts = {blank.name for blank in forms.STATISTICS.item if blank.kind is forms.Kind.COUNT}
    for number, row in enumerate(rows, 1):
        words = _row_words(row.text, names)
        fits = len(words) >= len(names) - (names[-1] == "remarks") and all(
            _is_count(word) == (name in counts)
            for name, word in zip(names, words, strict=False)
            if name != "remarks"
        )
        doubt = row.doubt or (None if fits else SINGLE_BLANKS)
        for column, word in enumerate(words):
            place = replace(row.place, row=number, column=column)
            cells.append(Cell(word, number, column, place, doubt=doubt))
    return Table(tuple(cells), len(rows) + 1, len(names))


# ---------------------------------------------------------------- forms typed as lines


def typed_forms(blocks: Sequence[Paragraph | Table]) -> list[Draft]:
    """Forms typed as lines of label and value, without a table."""
    lines = list(_lines(blocks))
    labels = {label_of(cell) for block in blocks if isinstance(block, Table) for cell in block.cells}
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


RUNNING_NUMBER = re.compile(r"(?:序号|编号)[:.]?[ \t]*\d{0,3}")
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
        if RUNNING_NUMBER.fullmatch(text):
            open_field = None
            continue
        pairs = list(_item_pairs(form, text))
        if open_field == "details" and [name for name, _ in pairs] == ["details"] and item["details"].filled:
            # 诉求：… under 具体内容：… is the second paragraph of one text, not another problem.
            item["details"] = replace(item["details"], text=f"{item['details'].text}\n{text}")
            continue
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
    names = {f.name for f in draft.kind.head} | {forms.FILLER.name}
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
                and HEAD_OF_FORM.search(part.group("label"))
            )
        ):
            if piece is pieces[0]:
                return
            continue
        pairs.append((name, part.group("value").strip(" ,;。" if form.key == "unit" else " ")))
    yield from pairs
