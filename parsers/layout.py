"""Which forms stand in a file, and where their blanks are.

A `Content` becomes `Draft`s: one for each form that stands in it, with the raw text and the place of every
field. What the texts mean is for `extract`.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace

from parsers import fields, forms
from parsers.content import Content, Paragraph, Table
from parsers.forms import FormKind
from parsers.labels import Draft, Grid, Raw, head_pairs, is_note
from parsers.tables import (
    Anchor,
    Element,
    Header,
    HeadText,
    Title,
    goes_on,
    headed,
    headers,
    items_below,
    labelled,
    text_row,
    title_element,
)
from parsers.typed import typed_forms, with_typed_tables


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


class _Reader:
    """Finds the forms in blocks that stand together."""

    def __init__(self, blocks: Sequence[Paragraph | Table]) -> None:
        self.blocks = blocks

    def drafts(self) -> list[Draft]:
        elements: list[Element] = []
        above: Header | None = None
        for block in with_typed_tables(self.blocks):
            if isinstance(block, Paragraph):
                if not _fills(elements, block):
                    elements += _paragraph(block)
                continue
            grid = Grid(block)
            if above is not None and goes_on(grid, above):
                draft, _last, between = items_below(grid, replace(above, row=-1, first_row=-1), grid.rows)
                elements.append(Anchor(draft))
                for row in between:
                    elements += text_row(grid, row)
                continue
            headings = headers(grid)
            above = headings[-1] if headings else None
            elements += headed(grid, headings) if headings else labelled(grid)
        found = _assembled(elements)
        if not found:
            found = typed_forms(self.blocks)
        return found


def _paragraph(block: Paragraph) -> list[Element]:
    if is_note(block.text):
        return []
    title = title_element(block.text)
    pairs = [(name, Raw(text, block.place, doubt=block.doubt)) for name, text in head_pairs(block.text)]
    return [*title, HeadText(pairs)] if pairs else list(title)


SCHOOL = re.compile(r"\S{2,25}(?:学校|中学|小学|幼儿园|高中|初中|学院|校区|大学|[一二三四五六七八九十]中)")


DIGITS_ONLY = re.compile(r"[\d ()/、,;-]{2,40}")


def _wrapped(above: HeadText, text: str) -> bool:
    """Takes the digits that a narrow page put on the line below the contact."""
    name, raw = above.pairs[-1]
    if name not in {"contact", "contact_phone"} or not raw.filled or not DIGITS_ONLY.fullmatch(text):
        return False
    known = fields.contact(raw.text).phone
    if known.value is not None and not known.faults and raw.text.rstrip()[-1:] not in "/、,;":
        return False
    between = "" if raw.text.rstrip()[-1:].isdigit() else " "
    above.pairs[-1] = (name, replace(raw, text=f"{raw.text.rstrip()}{between}{text}"))
    return True


def _fills(elements: Sequence[Element], block: Paragraph) -> bool:
    """Takes a line that is plainly the value of the label which ends the line above it."""
    above = elements[-1] if elements else None
    text = fields.normalise(block.text)
    if not isinstance(above, HeadText) or not above.pairs or not text:
        return False
    if above.pairs[-1][1].filled:
        return _wrapped(above, text)
    name, _raw = above.pairs[-1]
    if len(text) > 40 or head_pairs(text) or title_element(text) or is_note(text):
        return False
    if name == "reporting_unit":
        fits = SCHOOL.fullmatch(text.replace(" ", "")) is not None
    elif name in {"contact", "contact_name", "contact_phone"}:
        fits = fields.contact(text).phone.value is not None and not fields.contact(text).phone.faults
    elif name == "reported_on":
        fits = fields.day(text).value is not None
    else:
        fits = re.fullmatch(r"[一-龥]{2,4}", text.replace(" ", "")) is not None
    if fits:
        above.pairs[-1] = (name, Raw(block.text, block.place, doubt=block.doubt))
    return fits


# ---------------------------------------------------------------- putting heads and items together


def _assembled(elements: Sequence[Element]) -> list[Draft]:
    """Drafts with their heads: what stands above a table of items, and below it up to the next form."""
    found: list[Draft] = []
    current: Draft | None = None
    pending: list[tuple[str, Raw]] = []
    title: FormKind | None = None
    fresh = False
    for element in elements:
        if isinstance(element, Title):
            if current is not None:
                current, pending, fresh = None, [], True
            title = element.form or title
        elif isinstance(element, HeadText):
            if (
                current is not None
                and any(name == "reporting_unit" for name, _raw in element.pairs)
                and ("reporting_unit" in current.head)
            ):
                current, pending = None, []
            if current is None:
                pending += element.pairs
            else:
                _take(current, _not_known(current, element.pairs))
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
    if found and pending and title is None and not fresh:
        _take(found[-1], pending)
    return found


def _not_known(draft: Draft, pairs: Iterable[tuple[str, Raw]]) -> list[tuple[str, Raw]]:
    """The texts below the items without names and phones of others: who filled the form in, who signs the mail."""
    contact = draft.head.get("contact")
    known = fields.contact(contact.text) if contact is not None else None
    if known is None or known.phone.value is None or known.name.value is None:
        return list(pairs)
    return [
        (name, raw) for name, raw in pairs if name not in {"contact_name", "contact_phone", forms.FILLER.name}
    ]


def _take(draft: Draft, pairs: Iterable[tuple[str, Raw]]) -> None:
    """Puts head texts into the draft; the same field twice with another text is a conflict."""
    names = {f.name for f in draft.kind.head} | {forms.FILLER.name}
    for name, raw in pairs:
        if name not in names:
            continue
        before = draft.head.get(name)
        if before is None or not before.filled:
            draft.head[name] = raw
        elif (
            name != forms.FILLER.name
            and raw.filled
            and fields.compact(raw.text) != fields.compact(before.text)
        ):
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
