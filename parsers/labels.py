"""Labels of the forms recognised, on a grid of cells or in running text, and the texts found beside them."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import cache, cached_property, lru_cache

from parsers import fields, forms
from parsers.content import Cell, Table
from parsers.forms import FormKind
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


def label_of(cell: Cell | None) -> str:
    """The cell's text as a compact label; empty if it is too long to be one."""
    return "" if cell is None or len(cell.text) > 120 else _label_in(cell.text)


@lru_cache(maxsize=2048)
def _label_in(text: str) -> str:
    label = _without_hint(fields.normalise(text))
    return "" if WITH_VALUE.search(label) else forms.bare_label(label)


WITH_VALUE = re.compile(r":[ \n]*[^\s(:]")
"""A colon with something behind it that is no hint: not a label, but a label with its value."""


def _without_hint(text: str) -> str:
    return text.split("\n(")[0] if "\n(" in text and text.endswith(")") else text


STRONG_HEADS = (
    r"(?:填报|报送|上报|填表|报告|申报|呈报|填写)(?:单位|学校|部门|党组织|党支部)(?:名称|全称)?",
    r"(?:填报|填表|上报|报送|报告|统计|填写|制表)(?:时间|日期|年月日)",
    r"(?:(?:填报)?单位|学校|党组织|党支部)?主要负责人(?:签字|签名|签章|审签|审核)?",
    r"(?:书记|校长|园长)[ \t]*\((?:书记|校长|园长)\)[ \t]*(?:签字|签名|签章|审签)",
    r"(?:(?:填报)?单位|学校|党组织|党支部)负责人(?:签字|签名|签章|审签|审核)?",
    r"(?:(?:填报)?单位|学校|党组织|党支部)?(?:主管|主要)?(?:负责人|领导|书记|校长|园长)(?:签字|签名|签章|审签)",
    r"(?:联系人|经办人|填报人|填表人|联络人|联络员|报送人)(?:姓名)?(?:及|和|与|、|/|,|以及|\()(?:其)?(?:联系|办公|手机)*(?:电话|方式|手机|号码)+(?:号码?)?\)?",
    r"(?:联系|填报|填表|经办)人(?:姓名)?(?:联系)?电话(?:号码)?",
    r"联系人(?:姓名)?|联系(?:电话|手机|方式)(?:号码?)?|(?:办公|移动|固定)电话",
)
"""Labels that are known as such wherever they stand, if a bracket or colon follows or a blank precedes."""
WEAK_HEADS = (
    r"经办人|填报人|填表人|联络人|联络员|制表人|报送人",
    r"(?:联系|办公|移动|固定)?(?:电话|手机|座机)(?:号码?)?|联系方式",
    r"负责人|校长|园长|书记|负责同志|学校领导|(?:分管|主管|主要)领导|法人代表|法定代表人|责任人",
    r"(?:学校)?(?:党委|党总支|总支|党支部|支部|党组织)书记",
    r"(?:所在)?单位(?:名称|全称)?|(?:所在)?学校(?:名称|全称)?|(?:基层|学校)?党组织(?:名称|全称)?",
    r"时间|日期",
)
"""Labels that are common words: only with a colon or a bracket, and only behind a blank or at the start."""


def _spaced(pattern: str) -> str:
    """The pattern with blanks allowed between its Chinese characters."""
    return re.sub(r"(?<=[一-龥])(?=[一-龥]|\(\?:)", r"[ \\t]*", pattern)


HINT = r"[ \t]*\((?:[^()\d\n]|\d{1,2}[位字个])*\)"
"""What a label says of itself in brackets: (盖章), (11位); an area code is no such thing."""
BRACKET = rf"(?:{HINT})?"
HEAD_LABEL = re.compile(
    "|".join(
        [
            rf"(?P<strong>{'|'.join(map(_spaced, STRONG_HEADS))}){BRACKET}[ \t]*:",
            rf"(?:(?<=^)|(?<=[\s;,。、|)_]))(?P<plain>{'|'.join(map(_spaced, STRONG_HEADS))})(?:{HINT}|(?=[ \t\n_]|$))",
            rf"(?:(?<=^)|(?<=[\s;,。、|)_(]))(?P<weak>{'|'.join(map(_spaced, WEAK_HEADS))}){BRACKET}[ \t]*:",
            r"(?:(?<=^)|(?<=[\s;,。、|)_]))(?P<sealed>(?:单位|学校)(?:名称|全称)?)[ \t]*\((?:盖章|公章|章|加盖公章)\)",
        ]
    ),
    re.MULTILINE,
)


HEAD_OF_FORM = re.compile(r"^(?:填报|报送|上报|填表)|盖章|公章|\(章\)")
"""What tells the label of the reporting unit from that of a row's unit."""
UNKNOWN_LABEL = re.compile(
    r"[ \t\n]+(?!\S*(?:电话|手机|座机|固话|办公|邮箱|微信|传真|职务|姓名|签[字名])|[办宅手]:)"
    r"[一-龥]{2,12}(?:[ \t]*\([^()\n]{0,12}\))?[ \t]*:"
)
"""A label that belongs to no field: what stands before it ends there."""
SCHOOL_LINE = re.compile(
    r"^(?P<weak>(?:(?:所在)?(?:单位|学校)|(?:基层|学校)?党组织)(?:名称|全称)?)[ \t]+(?=\S+(?:学校|中学|小学|幼儿园|高中|初中|学院|校区|职校|特校|[一二三四五六七八九十]中|大学)$)",
    re.MULTILINE,
)
"""A common word as the label of a line that is nothing but it and the name of a school."""
BARE_HEAD = re.compile(rf"(?:(?<=^)|(?<=[ \t;,。]))(?P<strong>{'|'.join(STRONG_HEADS)})", re.MULTILINE)
"""A label with its value right behind it; believed only if the line has several."""
SPACED_OUT = re.compile(r"(?<![一-龥])(?:[一-龥] ){2,}[一-龥](?=[ :(\n]|$)")
"""A word whose characters are set apart: 联 系 人."""


def head_pairs(text: str) -> list[tuple[str, str]]:
    """Head fields and their texts in running text: 填报单位：… 联系人及电话：…"""
    plain = _one_line(text)
    matches = list(HEAD_LABEL.finditer(plain)) or list(SCHOOL_LINE.finditer(plain))
    if len(found := list(BARE_HEAD.finditer(plain))) > max(1, len(matches)):
        matches = found
    pairs: list[tuple[str, str]] = []
    starts = [_start(plain, match) for match in matches]
    for number, match in enumerate(matches):
        label = next(group for group in match.groups() if group)
        name = head_field(forms.bare_label(label)) or "contact"
        end = starts[number + 1] if number + 1 < len(matches) else len(plain)
        value = plain[match.end() : end]
        foreign = UNKNOWN_LABEL.search(value)
        if foreign and value[: foreign.start()].strip():
            value = value[: foreign.start()]
        value = value.strip(" \n:;,。.|】")
        pairs.append((name, SLASH_BETWEEN.sub("", value)))
    return pairs


SLASH_BETWEEN = re.compile(r"(?<=[^/\s])\s*/+$")
OWNER = re.compile(r"学校|单位|党组织|党支部")


def _start(text: str, match: re.Match[str]) -> int:
    """Where the label begins: in 特殊教育学校负责人签字 without a blank, 学校 belongs to the name before it."""
    owner = OWNER.match(text, match.start())
    joined = match.start() > 0 and re.match(r"[一-龥]", text[match.start() - 1]) is not None
    return owner.end() if owner and joined else match.start()


def begins_with_label(text: str) -> bool:
    """Whether the text begins with the label of a head field."""
    return HEAD_LABEL.match(_one_line(text).lstrip(" *·•-")) is not None


def _one_line(text: str) -> str:
    """Running text with the gaps of columns kept and words whose characters are set apart joined."""
    plain = fields.normalise(_column_gaps(text))
    return SPACED_OUT.sub(lambda match: match.group(0).replace(" ", ""), BOXED.sub(_unboxed, plain))


BOXED = re.compile(r"[ \t]*[【〖\[〔]([^【】〖〗\[\]〔〕\n:]{2,20}):?[】〗\]〕][ \t]*:?")


def _unboxed(match: re.Match[str]) -> str:
    """A label in brackets, 【填报单位】, as one with a colon; other texts in brackets unchanged."""
    return f" {match.group(1)}: " if head_field(forms.bare_label(match.group(1))) else match.group(0)


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

    @cached_property
    def lists_pairs(self) -> bool:
        """Whether the table is two columns, labels left and values right: then no value is a label."""
        if self.columns != 2:
            return False
        left = {self.label(row, 0) for row in range(self.rows)}
        return sum(head_field(label) is not None or _is_item_label(label) for label in left) >= 4

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
        return label_of(self.at.get((row, column)))


def _is_item_label(label: str) -> bool:
    return any(item_field(form, label) for form in forms.FORMS)


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
