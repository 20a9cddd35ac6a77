"""The forms that a file holds, with their values, places and findings.

`layout` says where the blanks are and `fields` and `options` what their texts mean; here both meet the rules
of `forms`, and every doubt becomes a finding with the place where it stands.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from parsers import fields, forms as printed, options
from parsers.content import IDENTITY_PROPERTY, Content, Paragraph, Table
from parsers.fields import Fault, Read, uncertain
from parsers.forms import Field, FormKind, Kind
from parsers.labels import Draft, Grid, Item, Raw, head_pairs, is_note, title_of
from parsers.layout import drafts
from parsers.values import Finding, FindingKind, Form, Place, Severity, Value

NOWHERE = Place("未找到该栏")
PLAIN_NAME = re.compile(
    r"(?!.*(?:办公室|小学|中学|幼儿园|学校|联系|电话))(?:[^\W\d_A-Za-z]{1,4}(?:老师|主任|校长|书记|同志|园长|副校长|女士|先生)?|[^\W\d_]{1,8}·[^\W\d_]{1,10}|[A-Za-z][A-Za-z .]{2,30})(?:\([^()]{1,10}\))?"
)
"""A name of a person as such forms have it; anything else may be a name and something more."""
SWALLOWED = re.compile(r"联系人|联系(?:电话|方式)|负责人|填[报表]|电话|手机|签[字名章]")
"""Words of labels, which no name of a school has in it."""
TEXT_BOX = "文本框"
NO_UNIT = re.compile(
    r"(?:上|本|下|前|当|同|去|今|每)(?:一)?(?:期|月|季度?|年|次|两月|学期)(?:末|度|份|同期|累计|情况|数据?)*|同比|环比|增减|增长|差额|累计|平均"
    r"|(?:\d{4}年)?(?:\d{1,2}|[一二三四五六七八九十]{1,3})(?:[-~至、](?:\d{1,2}|[一二三四五六七八九十]{1,3}))?月份?|第[一二三四\d]{1,2}(?:次|期|季度|个月)"
)
"""What heads a row that is of a time, and of no unit."""
PARTED_UNITS = re.compile(r"[、,;/|&+\n]|(?<=学|园|校|中)[和与及]|\d{1,2}[.、)]")
SEVERAL_UNITS = re.compile(
    r"等?(?:\d{1,3}|[一二两三四五六七八九十]{1,3}|多|几|各)(?:所|家|间|个)(?:学校|小学|中学|幼儿园|单位|校)?$"
)
ANNEX = re.compile(r"附(?:件|表)\s*[\d一二三]?[:.、]?")
NUMBERED_LINE = re.compile(r"^[(]?(?:\d{1,2}|[一二三四五六七八九十])[.、)]", re.MULTILINE)
SAMPLE_MARK = re.compile(r"^[(【]?(?:填写)?(?:示例|样例|范例)")
DITTO = frozenset({"同上", "〃", "同前", "″", "..."})


def forms(content: Content, part: str) -> tuple[Form, ...]:
    """The forms that the content holds, blank templates left out."""
    return tuple(
        _form(draft, content, part)
        for found in drafts(content)
        if _is_form(found) and not _is_blank(found)
        for draft in _by_unit(found)
    )


def blank_form(content: Content) -> str | None:
    """Title of the form of which the content is a blank template; None if it is filled or no form."""
    found = [draft for draft in drafts(content) if _is_form(draft)]
    return found[0].kind.title if found and all(_is_blank(draft) for draft in found) else None


def resembles(content: Content) -> str | None:
    """Title of a form that stands filled in the text, although no form could be read; else None."""
    lines = [
        line for block in content.blocks if isinstance(block, Paragraph) for line in block.text.split("\n")
    ]
    titled = next((form for line in lines if (form := title_of(line)) is not None), None)
    if titled is None or blank_form(content) is not None:
        return None
    named = any(name == "reporting_unit" and value for line in lines for name, value in head_pairs(line))
    whole = fields.compact("".join(lines))
    labels = [blank for blank in titled.item if fields.compact(blank.label) in whole]
    return titled.title if named and len(labels) >= 3 else None


def _is_form(draft: Draft) -> bool:
    """Whether the table is really the form, and no other list of problems."""
    if draft.kind is not printed.PROBLEM_REPORT:
        return True
    if draft.title_seen or "levels" in draft.columns:
        return True
    return "reporting_unit" in draft.head and bool({"principal", "contact", "contact_name"} & set(draft.head))


def _is_blank(draft: Draft) -> bool:
    head_filled = any(_filled(raw, name) for name, raw in draft.head.items())
    return not head_filled and not any(_has_content(draft.kind, item) for item in draft.items)


def _filled(raw: Raw, name: str) -> bool:
    text = fields.compact(raw.text)
    if name == "reported_on":
        text = text.translate(str.maketrans("", "", "年月日/.-"))
    return bool(text.strip(":;,。、/()"))


def _has_content(form: FormKind, item: Item) -> bool:
    """Whether somebody wrote anything into the item."""
    for blank in form.item:
        raw = item.get(blank.name)
        if raw is None:
            continue
        if blank.kind is Kind.LEVELS:
            if raw.text.strip() and not options.choice(raw.text, (), raw.struck).untouched:
                return True
        elif raw.filled and (fields.long_text(raw.text) or raw.doubt or raw.struck):
            return True
    return False


def _by_unit(draft: Draft) -> list[Draft]:
    """The draft parted by its column 填报单位, where it has one with several schools."""
    owners = [
        fields.unit(item["reporting_unit"].text) if "reporting_unit" in item else None for item in draft.items
    ]
    for name in (*(f.name for f in draft.kind.head), printed.FILLER.name):
        first = next((item[name] for item in draft.items if name in item and item[name].filled), None)
        if first is not None and name not in draft.head:
            draft.head[name] = first
    distinct = list(dict.fromkeys(owner for owner in owners if owner))
    if len(distinct) < 2:
        return [draft]
    parted: list[Draft] = []
    last: str | None = None
    members: dict[str, list[Item]] = {owner: [] for owner in distinct}
    for owner, item in zip(owners, draft.items, strict=True):
        last = owner or last
        if last is not None:
            members[last].append(item)
    for items in members.values():
        head = dict(draft.head) | {
            n: raw for n, raw in items[0].items() if n in {f.name for f in draft.kind.head}
        }
        parted.append(replace(draft, head=head, items=items, totals=[]))
    return parted


@dataclass(slots=True)
class _Notes:
    """Findings and places under construction."""

    scanned: bool
    """Read from a picture: what was not found there may be there all the same."""
    findings: list[Finding] = field(default_factory=list)
    places: dict[str, Place] = field(default_factory=dict)

    def add(self, path: str, fault: Fault, place: Place | None = None) -> None:
        at = place or self.places.get(path)
        finding = Finding(path, fault.kind, fault.severity, fault.text, at.where if at else None)
        if finding not in self.findings:
            self.findings.append(finding)


def _form(draft: Draft, content: Content, part: str) -> Form:
    notes = _Notes(content.scanned)
    head = _head(draft, content, notes)
    items = _items(draft, notes)
    _only_unit(draft, head, items, notes)
    _rules(draft, items, notes)
    _totals(draft, items, notes)
    _remarks_on_reading(draft, items, notes)
    _loose_boxes(content, notes)
    _remarks_beside(draft, content, notes)
    return Form(
        kind=draft.kind.name,
        part=part,
        format=content.format,
        fields=head,
        items_key=draft.kind.items_key,
        items=tuple(items),
        findings=tuple(notes.findings),
        places=notes.places,
        identity=content.properties.get(IDENTITY_PROPERTY),
    )


def _loose_boxes(content: Content, notes: _Notes) -> None:
    """Doubts instead of faults where a text box without a label may hold what is missing."""
    loose = [
        text
        for block in content.blocks
        if isinstance(block, Paragraph) and block.place.where == TEXT_BOX
        if (text := fields.normalise(block.text)) and not is_note(text)
        if not head_pairs(text) and title_of(text) is None and not ANNEX.fullmatch(text)
    ]
    for number, finding in enumerate(notes.findings):
        if loose and finding.kind is FindingKind.MISSING and finding.severity is Severity.ERROR:
            text = f"{finding.text}，但文件中另有文本框“{loose[0][:20]}”，请核对"
            notes.findings[number] = replace(
                finding, kind=FindingKind.UNCERTAIN, severity=Severity.WARNING, text=text
            )


CAPTION = re.compile(
    r"[(【\[]?(?:以[上下](?:为|是)?)?(?:填[写表报])?(?:示例|样例|范例|样表|示范|举例|作废|草稿|初稿|讨论稿|上(?:一)?(?:期|月|次)(?:填?报)?(?:的)?(?:数据|情况|统计表?)?)"
    r"(?:\([^()]*\))?[)】\]]?[:：]?"
)
"""What stands above a table that is no return: 填表示例, 作废, 上期数据."""
CORRECTION = re.compile(
    r"更正[:：]|(?:数据?|表|内容)(?:已|均)?作废|(?:应|更正|改|更改|修改)(?:改)?为[\d一二三四五六七八九十]+"
)
LONGEST_REMARK = 80


def _remarks_beside(draft: Draft, content: Content, notes: _Notes) -> None:
    """Doubts the form where a line beside its table says that the table is an example, or not what it says."""
    sheet = draft.place.sheet if draft.place else None
    tables = [
        Grid(block) for block in content.blocks if isinstance(block, Table) and block.name in {None, sheet}
    ]
    if not tables:
        return
    lines = [block.text for block in content.blocks if isinstance(block, Paragraph)]
    rows = [grid.filled(row) for grid in tables for row in range(grid.rows)]
    lines += [cells[0].text for cells in rows if len(cells) == 1]
    for line in lines:
        text = re.sub(r"^附[:：]?", "", fields.compact(line)) if len(line) <= LONGEST_REMARK else ""
        if text and not is_note(line) and (CAPTION.fullmatch(text) or CORRECTION.search(text)):
            notes.add(
                draft.kind.items_key, uncertain(f"表外另有“{fields.normalise(line)[:30]}”，请核对以何为准")
            )


# ---------------------------------------------------------------- head


def _head(draft: Draft, content: Content, notes: _Notes) -> dict[str, Value]:
    values: dict[str, Value] = {}
    for blank in draft.kind.head:
        if blank.kind not in {Kind.CONTACT, Kind.NAME, Kind.PHONE}:
            values[blank.name] = _simple(blank, draft.head.get(blank.name), blank.name, notes)
    if printed.CONTACT in draft.kind.head:
        _contact(draft, values, notes)
    if content.scanned and "principal" in values:
        notes.add("principal", uncertain("签字为手写，未经人工核对"))
    for name, text in draft.conflicts:
        path = "contact_name" if name == "contact" else name
        shown = draft.kind.field(name).label
        notes.add(path, uncertain(f"“{shown}”在表中有两种填写，另一处为“{text[:30]}”"))
    if draft.borrowed_head:
        notes.add("reporting_unit", uncertain("本表没有单独的表头，沿用了前一张表的填报单位和联系人"))
    return values


def _simple(blank: Field, raw: Raw | None, path: str, notes: _Notes) -> Value:
    """The value of one blank, its place noted and its faults said."""
    if raw is not None:
        notes.places[path] = raw.place
    read: Read[Value] = Read(None) if raw is None else _understood(blank, raw)
    for fault in read.faults:
        notes.add(path, fault)
    if raw is not None and raw.doubt:
        notes.add(path, uncertain(raw.doubt))
    if raw is not None and raw.struck:
        notes.add(path, uncertain(f"“{blank.label}”有{_struck(raw)}，请核对"))
    if read.value is None and not read.faults and blank.missing is not None and not (raw and raw.doubt):
        # In the cells of a table the picture was searched for writing; beside a label it was not.
        unsure = notes.scanned and (raw is None or raw.place.row is None or blank.kind is Kind.PERSON)
        notes.add(path, _missing(blank, raw is not None, unsure))
    return read.value


def _missing(blank: Field, has_label: bool, unsure: bool = False) -> Fault:
    if unsure:
        return uncertain(f"图片中未识别到“{blank.label}”，请对照原件核对")
    text = f"“{blank.label}”未填写" if has_label else f"未找到“{blank.label}”一栏"
    return Fault(FindingKind.MISSING, blank.missing or Severity.WARNING, text)


def _struck(raw: Raw) -> str:
    """What was struck out, short enough to be shown: it may be all that stands there."""
    gone = "、".join(text for each in raw.struck if (text := fields.normalise(each)))
    return f"划去的文字“{gone[:20]}”" if gone else "划去的文字"


def _understood(blank: Field, raw: Raw) -> Read[Value]:
    text = raw.text
    if blank.kind is Kind.COUNT:
        number = fields.count(text)
        return Read(number.value, number.faults)
    if blank.kind is Kind.DAY:
        day = fields.day(text)
        return Read(day.value, day.faults)
    if blank.kind is Kind.UNIT:
        return _suspicious(_whole(fields.unit(text), text), no_unit=True)
    if blank.kind is Kind.PERSON:
        return _named(fields.person(text), blank)
    if blank.kind is Kind.REMARK:
        return _stripped(blank, fields.remark(text))
    read = _suspicious(_stripped(blank, fields.long_text(text)), free=blank.name == "details")
    if blank.name == "problem" and len(NUMBERED_LINE.findall(fields.normalise(text))) > 1:
        return Read(read.value, (*read.faults, uncertain("一格内似填写了几个问题，请核对")))
    return read


def _stripped(blank: Field, text: str | None) -> Read[Value]:
    """The text without its own label repeated before it."""
    if text is None:
        return Read(None)
    label, colon, rest = text.replace("：", ":", 1).partition(":")
    if colon and printed.bare_label(label) == printed.bare_label(blank.label):
        text = rest.strip()
    return Read(text or None)


def _suspicious(
    read: Read[Value] | Read[str | None], free: bool = False, no_unit: bool = False
) -> Read[Value]:
    """The value, with a doubt when it looks like the sample text of a template or nothing at all.

    A free text may well begin with “例如”, so only a plain mark of a sample counts there.
    """
    value = read.value
    if isinstance(value, str):
        plain = fields.compact(value)
        if (SAMPLE_MARK if free else printed.EXAMPLE).search(plain):
            return Read(value, (uncertain(f"“{value[:20]}”似为填写示例，请核对"),))
        if printed.PROMPT.fullmatch(plain):
            return Read(value, (uncertain(f"“{value[:20]}”似为提示文字，未实际填写，请核对"),))
        if plain in fields.NOTHING or plain in DITTO:
            return Read(value, (uncertain(f"填写为“{value}”，请核对"),))
        if no_unit and NO_UNIT.fullmatch(plain):
            return Read(value, (uncertain(f"“{value[:20]}”不是单位名称，各行可能重复计算，请核对"),))
        if plain.startswith("其中"):
            return Read(value, (uncertain("“其中”行与上面的行可能重复计算，请核对"),))
        if "�" in value:
            return Read(value, (uncertain("文字中有无法识别的字符"),))
    return Read(value, read.faults)


def _whole(unit: str | None, text: str) -> Read[Value]:
    """The name of a unit, with a doubt when a label or another unit stands in it: then it is more than a name."""
    if unit and SWALLOWED.search(unit):
        return Read(unit, (uncertain(f"“{unit[:20]}”似含有其他栏目的内容，请核对"),))
    schools = [part for part in PARTED_UNITS.split(fields.normalise(text)) if fields.is_school(part.strip())]
    if unit and (len(schools) > 1 or SEVERAL_UNITS.search(unit)):
        return Read(unit, (uncertain(f"“{unit[:30]}”似为几个单位，请核对是哪一所学校的数据"),))
    return Read(unit)


def _named(name: str | None, blank: Field) -> Read[Value]:
    if name is None:
        return Read(None)
    if any(not PLAIN_NAME.fullmatch(one) for one in name.split("、")):
        return Read(name, (uncertain(f"“{blank.label}”的姓名不能确定，请核对"),))
    prompted = any(printed.PROMPT.fullmatch(one) for one in name.split("、"))
    if prompted or printed.EXAMPLE.search(name) or set(name) <= set("xX×*某○"):
        return Read(name, (uncertain(f"“{name}”似为填写示例，请核对"),))
    return Read(name)


def _contact(draft: Draft, values: dict[str, Value], notes: _Notes) -> None:
    """Fills contact_name and contact_phone from the one or two blanks that hold them."""
    mixed, name, phone = (draft.head.get(key) for key in ("contact", "contact_name", "contact_phone"))
    if name is None or not name.filled:
        known = mixed is not None and fields.contact(mixed.text).name.value is not None
        name = name if known else draft.head.get(printed.FILLER.name, name)
    names: list[str] = []
    phones: list[str] = []
    faults: list[Fault] = []
    for raw in (mixed, name, phone):
        if raw is None:
            continue
        read = fields.contact(raw.text)
        if read.name.value and (raw is not phone or not names):
            names += read.name.value.split("、")
        if read.phone.value:
            phones += read.phone.value.split("/")
        faults += read.phone.faults
        if raw.doubt:
            faults.append(uncertain(raw.doubt))
        if raw.struck:
            faults.append(uncertain(f"联系人或电话有{_struck(raw)}，请核对"))
    places = {"contact_name": name or mixed or phone, "contact_phone": phone or mixed or name}
    notes.places.update({path: raw.place for path, raw in places.items() if raw is not None})
    values["contact_name"] = "、".join(dict.fromkeys(names)) or None
    values["contact_phone"] = "/".join(dict.fromkeys(phones)) or None
    for fault in faults:
        notes.add("contact_phone", fault)
        if fault.kind is FindingKind.UNCERTAIN:
            notes.add("contact_name", fault)
    if notes.scanned and not (mixed or name or phone):
        for path in ("contact_name", "contact_phone"):
            notes.add(path, _missing(printed.CONTACT, False, unsure=True))
        return
    if values["contact_name"]:
        for fault in _named(str(values["contact_name"]), printed.CONTACT_NAME).faults:
            notes.add("contact_name", fault)
    else:
        severity = Severity.WARNING if phones else Severity.ERROR
        notes.add("contact_name", Fault(FindingKind.MISSING, severity, "联系人姓名未填写"))
    if not values["contact_phone"]:
        notes.add("contact_phone", Fault(FindingKind.MISSING, Severity.ERROR, "联系电话未填写"))


# ---------------------------------------------------------------- items


def _items(draft: Draft, notes: _Notes) -> list[dict[str, Value]]:
    kept = [item for item in draft.items if _has_content(draft.kind, item)]
    kept, continued = _continued(draft.kind, kept)
    doubtful = ""
    if not kept and draft.examples:
        kept, doubtful = draft.examples, "此行似为填写示例，请核对"
    if not kept:
        kept = draft.items[:1] or [{}]
    items: list[dict[str, Value]] = []
    for number, item in enumerate(kept):
        path = f"{draft.kind.items_key}[{number}]"
        items.append(_one_item(draft, item, path, notes))
        if doubtful or draft.instruction:
            notes.add(path, uncertain(doubtful or "此表所在的工作表似为填写说明或示例"))
        if number in continued:
            notes.add(f"{path}.{continued[number]}", uncertain("此栏内容分在几行，已合并，请核对"))
    return items


def _only_unit(
    draft: Draft, head: dict[str, Value], items: Sequence[dict[str, Value]], notes: _Notes
) -> None:
    """Gives the single row of a typed return the reporting unit where nobody wrote 单位名称, and the reverse."""
    path = f"{draft.kind.items_key}[0].unit"
    if draft.kind is not printed.STATISTICS or len(items) != 1:
        return
    unit, named = items[0].get("unit"), head.get("reporting_unit")
    if isinstance(unit, str) and isinstance(named, str) and _are_different(unit, named):
        notes.add(
            path, uncertain(f"表头填报单位为“{named}”，表内单位名称为“{unit}”，请核对是哪一所学校的数据")
        )
    if "unit" in draft.columns:
        if "reporting_unit" not in draft.head and not notes.scanned and items[0].get("unit") is not None:
            head["reporting_unit"] = items[0]["unit"]
            notes.findings = [finding for finding in notes.findings if finding.field != "reporting_unit"]
            text = "未找到单独的“填报单位”一栏，按表内单位名称记录"
            notes.add("reporting_unit", Fault(FindingKind.MISSING, Severity.WARNING, text))
        return
    if head.get("reporting_unit") is not None and items[0].get("unit") is None:
        items[0]["unit"] = head["reporting_unit"]
        notes.findings = [finding for finding in notes.findings if finding.field != path]
        text = "未找到“单位名称”一栏，按填报单位记录"
        notes.add(path, Fault(FindingKind.MISSING, Severity.WARNING, text))


def _are_different(unit: str, named: str) -> bool:
    """Whether two names are of schools, and neither can be the other one shortened."""
    if not (fields.is_school(unit) and fields.is_school(named)):
        return False
    short, long = sorted((fields.compact(unit), fields.compact(named)), key=len)
    letters = iter(long)
    return not all(letter in letters for letter in short)


def _continued(form: FormKind, items: Sequence[Item]) -> tuple[list[Item], dict[int, str]]:
    """The items with rows that only go on with the text of the row above joined to it."""
    if form is not printed.PROBLEM_REPORT:
        return list(items), {}
    kept: list[Item] = []
    continued: dict[int, str] = {}
    for item in items:
        texts = {
            name: fields.long_text(raw.text)
            for name, raw in item.items()
            if name in {"problem", "details", "remarks"}
        }
        levels = item.get("levels")
        silent = levels is None or options.choice(levels.text, levels.emphasised, levels.struck).untouched
        if kept and silent and not texts.get("problem") and texts.get("details"):
            before, more = kept[-1].get("details"), item["details"]
            joined = replace(before, text=f"{before.text}\n{more.text}") if before is not None else more
            kept[-1] = kept[-1] | {"details": joined}
            continued[len(kept) - 1] = "details"
        elif kept and levels is not None and not any(texts.values()) and "levels" in kept[-1]:
            above = kept[-1]["levels"]
            together = replace(
                above,
                text=f"{above.text}\n{levels.text}",
                emphasised=above.emphasised + levels.emphasised,
                struck=above.struck + levels.struck,
            )
            kept[-1] = kept[-1] | {"levels": together}
            continued[len(kept) - 1] = "levels"
        else:
            kept.append(item)
    return kept, continued


def _one_item(draft: Draft, item: Item, path: str, notes: _Notes) -> dict[str, Value]:
    values: dict[str, Value] = {}
    for blank in draft.kind.item:
        at = f"{path}.{blank.name}"
        if blank.kind is Kind.LEVELS:
            _choices(item, path, notes, values)
        elif blank.kind is not Kind.SECTIONS:
            values[blank.name] = _simple(blank, item.get(blank.name), at, notes)
            if item.get(blank.name) is None and blank.name not in draft.columns and blank.missing is not None:
                notes.places.setdefault(at, draft.place or NOWHERE)
    return values


def _choices(item: Item, path: str, notes: _Notes, values: dict[str, Value]) -> None:
    """Levels and sections out of 反馈层级, and out of a column 具体科室 if there is one."""
    raw, column = item.get("levels"), item.get("sections")
    place = raw.place if raw else column.place if column else None
    if place is not None:
        notes.places[f"{path}.levels"] = place
        notes.places[f"{path}.sections"] = column.place if column else place
    chosen = options.choice(raw.text, raw.emphasised, raw.struck) if raw else options.choice("")
    named = fields.sections(column.text) if column else ()
    sections = tuple(dict.fromkeys((*chosen.sections, *named)))
    levels, level_faults = chosen.levels, chosen.level_faults
    if named and options.SECTION not in levels:
        level_faults = tuple(f for f in level_faults if f.kind is not FindingKind.MISSING)
        level_faults += (uncertain("写了具体科室，但未勾选“市局相关科室”"),)
        levels = levels or (options.SECTION,)
    for fault in level_faults:
        notes.add(f"{path}.levels", fault)
    for fault in chosen.section_faults:
        if not (fault.kind is FindingKind.MISSING and sections):
            notes.add(f"{path}.sections", fault)
    for source in (raw, column):
        if source is not None and source.doubt:
            notes.add(f"{path}.levels", uncertain(source.doubt))
    values["levels"] = levels
    values["sections"] = sections


# ---------------------------------------------------------------- rules


def _rules(draft: Draft, items: Sequence[Mapping[str, Value]], notes: _Notes) -> None:
    key = draft.kind.items_key
    for number, item in enumerate(items):
        for rule in draft.kind.rules:
            if rule.broken(item):
                notes.add(f"{key}[{number}].{rule.field}", Fault(rule.kind, rule.severity, rule.text))
    if draft.kind.unique is None:
        return
    seen: dict[str, int] = {}
    for number, item in enumerate(items):
        name = fields.compact(str(item.get(draft.kind.unique) or ""))
        if name and seen.setdefault(name, number) != number:
            fault = Fault(FindingKind.INCONSISTENT, Severity.ERROR, f"“{name}”填了两行，每个单位只填一行")
            notes.add(f"{key}[{number}].{draft.kind.unique}", fault)


def _totals(draft: Draft, items: Sequence[Mapping[str, Value]], notes: _Notes) -> None:
    """Compares a 合计 row with the sum of the rows."""
    if len(draft.totals) != 1:
        return
    for name in draft.kind.summed:
        raw = draft.totals[0].get(name)
        total = fields.count(raw.text).value if raw is not None else None
        values = [item.get(name) for item in items]
        numbers = [value for value in values if isinstance(value, int)]
        if raw is None or total is None or len(numbers) != len(values) or sum(numbers) == total:
            continue
        label = draft.kind.field(name).label
        text = f"合计行“{label}”为{total}，与各行之和{sum(numbers)}不一致"
        fault = Fault(FindingKind.INCONSISTENT, Severity.ERROR, text)
        notes.add(f"{draft.kind.items_key}[0].{name}", fault, raw.place)


def _remarks_on_reading(draft: Draft, items: Sequence[Mapping[str, Value]], notes: _Notes) -> None:
    """Says what was seen and not read: hidden rows, columns that belong to no field."""
    key = draft.kind.items_key
    warning = (FindingKind.INCONSISTENT, Severity.WARNING)
    if draft.hidden_rows:
        notes.add(key, Fault(*warning, f"表中有 {draft.hidden_rows} 行被隐藏，未计入"), draft.place)
    for heading in draft.unread:
        shown = fields.normalise(heading)[:20]
        notes.add(key, Fault(*warning, f"“{shown}”一栏不在表式之内，未读入"), draft.place)
        if "remarks" not in draft.columns:
            notes.add(f"{key}[0].remarks", uncertain(f"没有“备注”一栏，“{shown}”一栏是否作为备注，请核对"))
    for number in range(len(items)):
        for name in sorted(draft.hidden_columns):
            if items[number].get(name):
                notes.add(f"{key}[{number}].{name}", uncertain("此列在表格中被隐藏，请核对"))
