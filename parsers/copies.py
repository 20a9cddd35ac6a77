"""One form that came several times in one mail: told from several forms, and where its copies disagree.

Schools send the electronic form together with a scan of the signed and sealed print, or the same file
twice. The electronic one is the form; where a copy says something else, a person is asked.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from rapidfuzz import fuzz

from parsers.values import Finding, FindingKind, Form, Severity, Value

RANK = {
    "docx": 0,
    "xlsx": 0,
    "doc": 1,
    "wps": 1,
    "xls": 1,
    "et": 1,
    "odt": 1,
    "ods": 1,
    "rtf": 2,
    "csv": 2,
    "pdf": 3,
}
BODY_RANK = 4
SCAN_RANK = 9
ALIKE_UNIT = 70
ALIKE_TEXT = 60
SAME_TEXT = 92
TITLES = ("problem", "unit")
LONG_TEXTS = frozenset({"problem", "details", "remarks"})
HANDWRITTEN = frozenset({"principal"})
"""Fields that may be empty in one copy only: the signature stands on the print."""


@dataclass(frozen=True, slots=True)
class Combined:
    """The distinct forms, and for each part that held only a copy what it is a copy of."""

    forms: tuple[Form, ...]
    copies: Mapping[str, str]


def combined(forms: Sequence[Form]) -> Combined:
    """The forms with copies of one another joined, in the order in which they came."""
    order = sorted(range(len(forms)), key=lambda index: (_rank(forms[index]), index))
    kept: dict[int, Form] = {}
    copies: dict[str, str] = {}
    for index in order:
        form = forms[index]
        original = next((each for each in kept if _same(kept[each], form)), None)
        if original is None:
            kept[index] = _with_conflict(form, kept.values())
            continue
        kept[original] = _joined(kept[original], form)
        sort = "盖章签字件" if is_scan(form) else "相同的一份"
        copies[form.part] = f"“{kept[original].part}”的{sort},不重复登记"
    remaining = {form.part for form in kept.values()}
    return Combined(
        tuple(kept[index] for index in sorted(kept)),
        {part: text for part, text in copies.items() if part not in remaining},
    )


def is_scan(form: Form) -> bool:
    """Whether the form was read by OCR."""
    return form.format.startswith("scan")


def _rank(form: Form) -> int:
    if is_scan(form):
        return SCAN_RANK
    return BODY_RANK if form.format.startswith("body") else RANK.get(form.format, 3)


def _same(first: Form, second: Form) -> bool:
    """Whether the second is the first once more."""
    if first.kind != second.kind:
        return False
    if is_scan(first) or is_scan(second):
        return _alike(first, second)
    if len(first.items) != len(second.items):
        return False
    return all(_equal(path, one, other) for path, one, other in _pairs(first, second))


def _alike(first: Form, second: Form) -> bool:
    """Whether a scan shows the same form: same school, and nothing else than the same problems."""
    units = [compact(form.fields.get("reporting_unit")) for form in (first, second)]
    if all(units) and fuzz.ratio(*units) < ALIKE_UNIT:
        return False
    title = next((name for name in TITLES if any(name in item for item in first.items)), "problem")
    ours, theirs = (
        [text for item in form.items if (text := compact(item.get(title)))] for form in (first, second)
    )
    if not ours or not theirs:
        return all(units)
    return any(fuzz.partial_ratio(one, other) >= ALIKE_TEXT for one in ours for other in theirs)


def _pairs(first: Form, second: Form) -> Iterable[tuple[str, Value, Value]]:
    for name in {**first.fields, **second.fields}:
        yield name, first.fields.get(name), second.fields.get(name)
    for number, (one, other) in enumerate(zip(first.items, second.items, strict=False)):
        for name in {**one, **other}:
            yield f"{first.items_key}[{number}].{name}", one.get(name), other.get(name)


def _equal(path: str, one: Value, other: Value) -> bool:
    if path in HANDWRITTEN and (one is None or other is None):
        return True
    if isinstance(one, tuple) and isinstance(other, tuple):
        return {compact(each) for each in one} == {compact(each) for each in other}
    return compact(one) == compact(other)


def compact(value: object) -> str:
    """A value as bare letters and digits, for comparing."""
    text = unicodedata.normalize("NFKC", "" if value is None else str(value))
    return re.sub(r"[^\w]+", "", text).lower()


def _joined(form: Form, copy: Form) -> Form:
    """The form with its copy noted, and a doubt on every field where the copy clearly says otherwise."""
    if not is_scan(copy):
        return form
    doubted = {finding.field for finding in (*copy.findings, *form.findings)}
    findings = list(form.findings)
    if len(form.items) != len(copy.items):
        text = f"电子版有{len(form.items)}项,盖章件“{copy.part}”上似为{len(copy.items)}项,请核实"
        findings.append(Finding(form.items_key, FindingKind.UNCERTAIN, Severity.WARNING, text))
    for path, ours, theirs in _pairs(form, copy):
        if path in doubted or any(path.startswith(f"{each}.") for each in doubted) or theirs in (None, ()):
            continue
        if _contradicts(path, ours, theirs):
            text = f"电子版为“{_shown(ours)}”,盖章件“{copy.part}”上似为“{_shown(theirs)}”,请核实"
            place = form.places.get(path)
            finding = Finding(
                path, FindingKind.UNCERTAIN, Severity.WARNING, text, place.where if place else None
            )
            findings.append(finding)
    return replace(form, findings=tuple(findings), signed_copy=form.signed_copy or copy.part)


def _contradicts(path: str, ours: Value, theirs: Value) -> bool:
    """Whether what OCR read can hardly be the same; slips of OCR in long texts do not count."""
    if path in HANDWRITTEN or path == "contact_name" or path.endswith((".sections", ".remarks")):
        return False
    if isinstance(ours, str) and isinstance(theirs, str):
        name = path.rpartition(".")[2]
        likeness = fuzz.partial_ratio(compact(ours), compact(theirs))
        return likeness < (ALIKE_TEXT if name in LONG_TEXTS else ALIKE_UNIT)
    return not _equal(path, ours, theirs)


def _shown(value: Value) -> str:
    text = "、".join(value) if isinstance(value, tuple) else "" if value is None else str(value)
    return text if len(text) <= 30 else f"{text[:30]}…"


def _with_conflict(form: Form, others: Iterable[Form]) -> Form:
    """The form with a doubt, if another file of the same mail gives other numbers for the same school."""
    unit = compact(form.fields.get("reporting_unit"))
    rival = next(
        (
            each
            for each in others
            if each.kind == form.kind
            and unit
            and compact(each.fields.get("reporting_unit")) == unit
            and _rivals(each, form)
        ),
        None,
    )
    if rival is None:
        return form
    text = f"与同一邮件中“{rival.part}”的内容不一致,请核实以哪一份为准"
    differing = [path for path, one, other in _pairs(form, rival) if not _equal(path, one, other)]
    findings = [Finding(path, FindingKind.UNCERTAIN, Severity.WARNING, text) for path in differing[:6]]
    return replace(
        form,
        findings=(
            *form.findings,
            *(findings or [Finding(form.items_key, FindingKind.UNCERTAIN, Severity.WARNING, text)]),
        ),
    )


def _rivals(first: Form, second: Form) -> bool:
    """Whether two files give the same thing differently, instead of two different things."""
    if first.kind == "statistics":
        one, other = first.fields.get("reported_on"), second.fields.get("reported_on")
        units = [{compact(item.get("unit")) for item in form.items} for form in (first, second)]
        return (one == other or one is None or other is None) and bool(units[0] & units[1])
    titles = [[compact(item.get("problem")) for item in form.items] for form in (first, second)]
    return any(
        fuzz.ratio(one, other) >= SAME_TEXT for one in titles[0] for other in titles[1] if one and other
    )
