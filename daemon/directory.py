"""The directory (通讯录): whose address is it, and which unit does a name mean.

A name leads to a unit for certain only if it is that unit's own name or short name, give or take the
city's prefix and spacing; anything merely similar is a suggestion for a person, never an answer.
Pure: workbook bytes in, values out.
"""

from __future__ import annotations

import io
import re
import unicodedata
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from rapidfuzz import fuzz, process

from daemon.model import Unit, UnitKind
from parsers.fields import leads, sections

SIMILAR = 60.0
"""rapidfuzz score from which a name is offered as a suggestion."""
MISSPELT = 84.0
"""Score from which a name on a form, sent from a unit's own address, is that unit's name misspelt."""

_BRANCH = re.compile(r"[(【\[].*?[)】\]]$|(?:本部|总校|分校|[东西南北新老]校区|校区)$")
_EMAIL = re.compile(r"[\w.+-]+@[\w-]+(?:\.[\w-]+)+", re.ASCII)


def normal(name: str) -> str:
    """A unit's name as it is compared: NFKC, no spaces, no punctuation at its ends."""
    text = unicodedata.normalize("NFKC", name)
    return re.sub(r"^[:,.。、;《》\"'“”]+|[:,.。、;《》\"'“”]+$", "", re.sub(r"\s+", "", text))


def city_of(names: Iterable[str]) -> str | None:
    """The city that most of these units carry at the head of their names, such as 贵港市; None without one."""
    heads = Counter(m[0] for name in names if (m := re.match(r"[一-鿿]{2,3}?市", normal(name))))
    return heads.most_common(1)[0][0] if heads else None


def core(name: str, city: str | None) -> str:
    """A name without the city at its head: 贵港市达观中学, 贵港达观中学 and 市达观中学 are all 达观中学."""
    text = normal(name)
    prefix = f"(?:{re.escape(city)}|{re.escape(city[:-1])}|市)" if city else "市"
    return re.sub(f"^{prefix}", "", text) or text


@dataclass(frozen=True, slots=True)
class Match:
    """What a name may mean: the unit it certainly is, or those it resembles, best first."""

    unit: Unit | None
    candidates: tuple[Unit, ...] = ()

    @property
    def certain(self) -> bool:
        return self.unit is not None


class Directory:
    """The directory as one value: looked up by address and by name."""

    def __init__(self, units: Iterable[Unit]) -> None:
        self.units: tuple[Unit, ...] = tuple(sorted(units, key=lambda unit: (unit.order, unit.id)))
        self._city = city_of(unit.name for unit in self.units)
        self._by_id = {unit.id: unit for unit in self.units}
        self._by_address: dict[str, list[Unit]] = defaultdict(list)
        self._by_name: dict[tuple[bool, str], list[Unit]] = defaultdict(list)
        for unit in self.units:
            for address in unit.all_addresses:
                self._by_address[address].append(unit)
            for name in {core(n, self._city) for n in (unit.name, *unit.short_names)}:
                self._by_name[unit.kind is UnitKind.SECTION, name].append(unit)

    def unit(self, unit_id: int | None) -> Unit | None:
        return self._by_id.get(unit_id) if unit_id is not None else None

    def of_kind(self, *kinds: UnitKind) -> tuple[Unit, ...]:
        return tuple(unit for unit in self.units if unit.kind in kinds)

    @property
    def schools(self) -> tuple[Unit, ...]:
        return self.of_kind(UnitKind.SCHOOL)

    @property
    def sections(self) -> tuple[Unit, ...]:
        return self.of_kind(UnitKind.SECTION)

    def at_address(self, address: str) -> tuple[Unit, ...]:
        """Every unit that an address belongs to; usually none or one."""
        return tuple(self._by_address.get(address.strip().lower(), ()))

    def addresses_of(self, *kinds: UnitKind) -> tuple[str, ...]:
        """The contact addresses of all units of these kinds, each once."""
        return tuple(dict.fromkeys(a for unit in self.of_kind(*kinds) for a in unit.addresses))

    def school(self, name: str) -> Match:
        """The school that a name on a form means. A campus in brackets belongs to its school."""
        return self._match(name, section=False)

    def section(self, name: str) -> Match:
        """The section that a name on a form or sheet means; 牵头/协办 remarks do not count."""
        bare = re.sub(r"[(]?(?:牵头|协办|配合|主办)[)]?", "", normal(name))
        match = self._match(bare, section=True)
        if match.unit is None and not bare.endswith(("科", "室", "办")):
            match = next(
                (m for s in ("科", "室", "办公室") if (m := self._match(bare + s, section=True)).unit), match
            )
        return match

    def sections_named(self, text: str) -> tuple[tuple[Unit, ...], tuple[str, ...]]:
        """The sections that a text with one or more names means, a leading one first, and the names unknown."""
        whole = self.section(text).unit  # 计划与财务科 is one section
        if whole is not None:
            return (whole,), ()
        names = sorted((leads(name) for name in sections(text)), key=lambda named: not named[1])
        found = [(name, self.section(name).unit) for name, _ in names]
        known = dict.fromkeys(unit for _, unit in found if unit is not None)
        return tuple(known), tuple(name for name, unit in found if unit is None)

    def is_misspelt(self, name: str, unit: Unit) -> bool:
        """Whether a name can only be this unit's, slightly misspelt: very near to it, and nearer than to any other."""
        # With the city's name before all of them, so that one wrong character weighs the same in a short name.
        wanted = self._whole(name)
        scores = {
            other.id: max(fuzz.ratio(wanted, self._whole(n)) for n in (other.name, *other.short_names))
            for other in self.of_kind(unit.kind)
        }
        own = scores.pop(unit.id, 0.0)
        return own >= MISSPELT and own > max(scores.values(), default=0.0)

    def _whole(self, name: str) -> str:
        return (self._city or "") + core(name, self._city)

    def _match(self, name: str, *, section: bool) -> Match:
        wanted = core(name, self._city)
        if not wanted:
            return Match(None)
        found = self._by_name.get((section, wanted)) or self._by_name.get((section, _BRANCH.sub("", wanted)))
        if found and len(found) == 1:
            return Match(found[0])
        if found:
            return Match(None, tuple(found))
        pool = self.sections if section else tuple(u for u in self.units if u.kind is not UnitKind.SECTION)
        names = {(unit.id, n): core(n, self._city) for unit in pool for n in (unit.name, *unit.short_names)}
        near = process.extract(wanted, names, scorer=fuzz.ratio, score_cutoff=SIMILAR, limit=8)
        ids = list(dict.fromkeys(key[0] for _, _, key in near))
        return Match(None, tuple(self._by_id[i] for i in ids[:3]))


# ---------------------------------------------------------------- the workbook (interfaces.md §5)

SCHOOL_SHEET, SECTION_SHEET, OFFICE_SHEET = "学校", "科室", "办公室"
HEADINGS: Mapping[str, tuple[str, ...]] = {
    SCHOOL_SHEET: ("名称", "简称", "党组织书记", "书记邮箱", "联系人", "电话", "邮箱", "备注"),
    SECTION_SHEET: ("名称", "简称", "负责人", "负责人邮箱", "邮箱", "备注"),
    OFFICE_SHEET: ("角色", "姓名", "邮箱"),
}
REQUIRED: Mapping[str, tuple[str, ...]] = {
    SCHOOL_SHEET: ("名称", "邮箱"),
    SECTION_SHEET: ("名称", "邮箱"),
    OFFICE_SHEET: ("角色", "邮箱"),
}
ROLES: Mapping[str, UnitKind] = {
    "书记": UnitKind.SECRETARY,
    "工委书记": UnitKind.SECRETARY,
    "市委教育工委书记": UnitKind.SECRETARY,
    "工委办": UnitKind.COMMITTEE_OFFICE,
    "局办公室": UnitKind.BUREAU_OFFICE,
    "市教育局办公室": UnitKind.BUREAU_OFFICE,
    "教育工委": UnitKind.COMMITTEE,
    "市委教育工委": UnitKind.COMMITTEE,
}


@dataclass(frozen=True, slots=True)
class DirectoryFile:
    """A directory workbook as read: its units in order, and every bad row by sheet and row."""

    units: tuple[Unit, ...] = ()
    remarks: Mapping[str, str] = field(default_factory=dict)
    faults: tuple[str, ...] = ()


def split_cell(text: str) -> tuple[str, ...]:
    """The several names in one cell, separated by 、 ; or a line break."""
    return tuple(part.strip() for part in re.split(r"[、;；\n\r]+", text) if part.strip())


def read_workbook(data: bytes) -> DirectoryFile:
    """The units in a directory workbook. Nothing raises: what is wrong stands in `faults`."""
    import openpyxl

    try:
        book = openpyxl.load_workbook(io.BytesIO(data), read_only=False, data_only=True)
    except Exception:  # noqa: BLE001 - openpyxl raises whatever its zip and XML layers do
        return DirectoryFile(
            faults=("文件无法打开：不是有效的 .xlsx 工作簿，请用 Excel 或 WPS 另存为 .xlsx",)
        )
    missing = [name for name in (SCHOOL_SHEET, OFFICE_SHEET) if name not in book.sheetnames]
    if missing:
        return DirectoryFile(faults=tuple(f"缺少工作表“{name}”" for name in missing))
    units: list[Unit] = []
    faults: list[str] = []
    remarks: dict[str, str] = {}
    for sheet in HEADINGS:
        if sheet in book.sheetnames:
            for where, row in _rows(book[sheet], sheet, faults):
                unit = _unit(sheet, row, where, len(units), faults)
                if unit is not None:
                    units.append(unit)
                    if row.get("备注"):
                        remarks[unit.name] = row["备注"]
    faults.extend(_duplicates(units))
    units = _merged_offices(units)
    if not any(unit.kind is UnitKind.COMMITTEE_OFFICE for unit in units) and not faults:
        faults.append(f"工作表“{OFFICE_SHEET}”：没有“工委办”一行，待核实的邮件将无人处理")
    return DirectoryFile(tuple(units), remarks, tuple(faults))


def _rows(sheet: Any, name: str, faults: list[str]) -> Iterator[tuple[str, dict[str, str]]]:
    rows = sheet.iter_rows(
        min_row=1, max_row=min(sheet.max_row, 5000), max_col=min(sheet.max_column, 40), values_only=True
    )
    heading = [normal(str(cell or "")) for cell in next(rows, ())]
    for column in REQUIRED[name]:
        if column not in heading:
            faults.append(f"工作表“{name}”：第1行缺少标题“{column}”")
    for number, cells in enumerate(rows, start=2):
        texts = (unicodedata.normalize("NFKC", _cell_text(cell)).strip() for cell in cells)
        row = {head: text for head, text in zip(heading, texts, strict=False) if head and text}
        if row:
            yield f"工作表“{name}”第{number}行", row


def _cell_text(cell: object) -> str:
    """A cell as text; a phone typed as a number must not become 1.38e10."""
    if cell is None:
        return ""
    return str(int(cell)) if isinstance(cell, float) and cell.is_integer() else str(cell)


def _addresses(text: str, where: str, column: str, faults: list[str]) -> tuple[str, ...]:
    found = []
    for piece in re.split(r"[、;；,，\s]+", text):
        if not piece:
            continue
        if _EMAIL.fullmatch(piece):
            found.append(piece.lower())
        else:
            faults.append(f"{where}：“{column}”里的“{piece}”不是邮箱地址")
    return tuple(dict.fromkeys(found))


def _unit(sheet: str, row: Mapping[str, str], where: str, order: int, faults: list[str]) -> Unit | None:
    lacking = [column for column in REQUIRED[sheet] if not row.get(column)]
    if lacking:
        faults.append(f"{where}：缺少{'、'.join(f'“{c}”' for c in lacking)}")
        return None
    addresses = _addresses(row["邮箱"], where, "邮箱", faults)
    if sheet == OFFICE_SHEET:
        kind = ROLES.get(normal(row["角色"]))
        if kind is None:
            faults.append(f"{where}：“角色”只能是 书记、工委办、局办公室、教育工委，现为“{row['角色']}”")
            return None
        return Unit(
            0,
            kind,
            kind.chinese,
            head=row.get("姓名"),
            head_addresses=addresses[:1],
            addresses=addresses,
            order=order,
        )
    head_column = "书记邮箱" if sheet == SCHOOL_SHEET else "负责人邮箱"
    heads = _addresses(row.get(head_column, ""), where, head_column, faults)
    return Unit(
        id=0,
        kind=UnitKind.SCHOOL if sheet == SCHOOL_SHEET else UnitKind.SECTION,
        name=normal(row["名称"]),
        short_names=tuple(normal(n) for n in split_cell(row.get("简称", ""))),
        head=row.get("党组织书记" if sheet == SCHOOL_SHEET else "负责人"),
        head_addresses=heads or addresses[1:2] or addresses[:1],
        contact=row.get("联系人"),
        phone=row.get("电话"),
        addresses=addresses,
        order=order,
    )


def _merged_offices(units: list[Unit]) -> list[Unit]:
    """Several rows of one office role are one unit with all their addresses."""
    merged: dict[tuple[UnitKind, str], Unit] = {}
    for unit in units:
        key = (unit.kind, unit.name)
        if key in merged:
            first = merged[key]
            unit = Unit(
                0,
                first.kind,
                first.name,
                head="、".join(filter(None, (first.head, unit.head))) or None,
                head_addresses=first.head_addresses,
                addresses=tuple(dict.fromkeys((*first.addresses, *unit.addresses))),
                order=first.order,
            )
        merged[key] = unit
    return list(merged.values())


def _duplicates(units: Iterable[Unit]) -> Iterator[str]:
    """A name or short name that two entries of a kind share would make a form ambiguous: refuse it."""
    units = tuple(units)
    city = city_of(unit.name for unit in units)
    seen: dict[tuple[UnitKind, str], str] = {}
    for unit in units:
        if unit.kind not in (UnitKind.SCHOOL, UnitKind.SECTION):
            continue
        for name in {core(n, city) for n in (unit.name, *unit.short_names)}:
            other = seen.setdefault((unit.kind, name), unit.name)
            if other != unit.name:
                yield f"“{unit.name}”与“{other}”的名称或简称重复：{name}"
        if [u.name for u in units if u.kind is unit.kind].count(unit.name) > 1:
            yield f"“{unit.name}”出现了不止一行"


def write_workbook(units: Iterable[Unit], remarks: Mapping[str, str] | None = None) -> bytes:
    """A directory workbook holding these units; blank, with one explaining comment a heading, without any."""
    import openpyxl
    from openpyxl.comments import Comment
    from openpyxl.styles import Alignment, Border, Font, PatternFill, Side
    from openpyxl.utils import get_column_letter
    from openpyxl.worksheet.datavalidation import DataValidation

    book = openpyxl.Workbook()
    del book[book.sheetnames[0]]
    thin = Side(style="thin", color="999999")
    for name, headings in HEADINGS.items():
        sheet = book.create_sheet(name)
        sheet.append(list(headings))
        for cell in sheet[1]:
            cell.font = Font(bold=True)
            cell.fill = PatternFill("solid", fgColor="DDE8F4")
            cell.border = Border(bottom=thin)
            cell.alignment = Alignment(horizontal="center", vertical="center")
            if note := _HEADING_NOTES.get(str(cell.value)):
                cell.comment = Comment(note, "djb", width=260, height=90)
        for column, heading in enumerate(headings, start=1):
            letter = get_column_letter(column)
            sheet.column_dimensions[letter].width = 30 if "邮箱" in heading or heading == "名称" else 16
        sheet.row_dimensions[1].height = 22
        sheet.freeze_panes = "A2"
    validation = DataValidation(type="list", formula1='"书记,工委办,局办公室,教育工委"', allow_blank=True)
    book[OFFICE_SHEET].add_data_validation(validation)
    validation.add("A2:A200")
    for unit in units:
        _append(book, unit, (remarks or {}).get(unit.name))
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


_HEADING_NOTES: Mapping[str, str] = {
    "简称": "学校在报表里可能写的别名，多个用顿号分开，例如：达观中学、达中",
    "邮箱": "报送用的邮箱，多个用顿号分开；第一个是联系人邮箱。从这些邮箱来的邮件都算本单位的",
    "书记邮箱": "不填时用“邮箱”里的第二个，没有第二个就用第一个",
    "负责人邮箱": "不填时用“邮箱”里的第二个，没有第二个就用第一个",
    "角色": "书记、工委办、局办公室、教育工委；同一角色可以有几行",
}


def _append(book: Any, unit: Unit, remark: str | None) -> None:
    emails = "、".join(unit.addresses)
    heads = "、".join(unit.head_addresses)
    if unit.kind is UnitKind.SCHOOL:
        names = "、".join(unit.short_names)
        cells = [unit.name, names, unit.head, heads, unit.contact, unit.phone, emails, remark]
        sheet = book[SCHOOL_SHEET]
    elif unit.kind is UnitKind.SECTION:
        cells = [unit.name, "、".join(unit.short_names), unit.head, heads, emails, remark]
        sheet = book[SECTION_SHEET]
    else:
        cells = [unit.kind.chinese, unit.head, emails]
        sheet = book[OFFICE_SHEET]
    sheet.append(cells)
    for cell in sheet[sheet.max_row]:
        if isinstance(cell.value, str):
            # Text stays text: a name that begins with = must never become a formula.
            cell.data_type = "s"
            cell.number_format = "@"
