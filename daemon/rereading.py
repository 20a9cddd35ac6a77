"""What a mail, read again, says otherwise than what is on file. Pure.

For `djb replay`: after an upgrade the administrator sees every difference before anything is changed.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from parsers import forms as printed
from parsers.values import Form, PartOutcome, Reading, plain


@dataclass(frozen=True, slots=True)
class Difference:
    """One thing that is read otherwise now."""

    part: str
    """The file; empty for the mail itself."""
    field: str
    """Path of the field, such as `rows[0].platforms`; `form` for a whole form."""
    name: str
    """The same in Chinese."""
    before: Any
    after: Any

    def to_json(self) -> dict[str, Any]:
        return {
            "part": self.part,
            "field": self.field,
            "name": self.name,
            "before": self.before,
            "after": self.after,
        }


def pairs(before: Sequence[Form], after: Sequence[Form]) -> list[tuple[Form | None, Form | None]]:
    """Each form on file with the one that is now read in its place; None where there is no counterpart."""
    left = list(after)
    found: list[tuple[Form | None, Form | None]] = []
    for form in before:
        same = [other for other in left if other.kind == form.kind]
        match = next((other for other in same if other.part == form.part), same[0] if same else None)
        if match is not None:
            left.remove(match)
        found.append((form, match))
    return found + [(None, form) for form in left]


def differences(before: Sequence[Form], reading: Reading) -> list[Difference]:
    """Everything about the forms of a mail that is read otherwise now."""
    return [
        difference for old, new in pairs(before, reading.forms) for difference in _of_forms(old, new, reading)
    ]


def _of_forms(old: Form | None, new: Form | None, reading: Reading) -> Iterator[Difference]:
    if old is not None and new is not None:
        yield from _of_values(old, new)
        yield from _of_findings(old, new)
    elif old is not None:
        yield Difference(old.part, "form", "表格", _title(old), _reason(old.part, reading))
    elif new is not None:
        yield Difference(new.part, "form", "表格", None, _title(new))


def _title(form: Form) -> str:
    kind = printed.BY_NAME.get(form.kind)
    return f"《{kind.title}》" if kind else form.kind


def _reason(part: str, reading: Reading) -> str | None:
    """Why a form is no longer seen in a part, as far as the reading says."""
    return next(
        (p.reason for p in reading.parts if p.name == part and p.outcome is not PartOutcome.FORM), None
    )


def _of_values(old: Form, new: Form) -> Iterator[Difference]:
    before, after = _flat(old), _flat(new)
    for path in dict.fromkeys((*before, *after)):
        if before.get(path) != after.get(path):
            yield Difference(new.part, path, label(new, path), before.get(path), after.get(path))


def _flat(form: Form) -> dict[str, Any]:
    """Every value of a form under its path; what is empty is as if it were not there."""
    values = dict(form.fields)
    for number, item in enumerate(form.items):
        values |= {f"{form.items_key}[{number}].{name}": value for name, value in item.items()}
    return {path: plain(value) for path, value in values.items() if value not in (None, "", ())}


def _of_findings(old: Form, new: Form) -> Iterator[Difference]:
    before, after = _doubts(old), _doubts(new)
    for path in dict.fromkeys((*before, *after)):
        if before.get(path) != after.get(path):
            yield Difference(
                new.part,
                f"findings:{path}",
                f"{label(new, path)}的疑问",
                before.get(path),
                after.get(path),
            )


def _doubts(form: Form) -> dict[str, str]:
    found: dict[str, str] = {}
    for finding in form.findings:
        found[finding.field] = "；".join(filter(None, (found.get(finding.field), finding.text)))
    return found


def label(form: Form, path: str) -> str:
    """The printed name of a field, with the number of its row where there are several."""
    kind = printed.BY_NAME.get(form.kind)
    labels = {field.name: field.label for field in (*kind.head, *kind.item)} if kind else {}
    item, _, name = path.rpartition(".")
    shown = labels.get(name, OTHER_LABELS.get(name, name))
    number = item.partition("[")[2].removesuffix("]")
    return f"第{int(number) + 1}项{shown}" if number.isdecimal() and len(form.items) > 1 else shown


OTHER_LABELS: Mapping[str, str] = {
    "levels": "反馈层级",
    "sections": "涉及科室",
    "contact_name": "联系人",
    "contact_phone": "联系电话",
}


def same_shape(before: Iterable[Form], after: Iterable[Form]) -> bool:
    """Whether both have the same forms with as many items each, so that one can stand for the other."""
    return sorted((f.kind, len(f.items)) for f in before) == sorted((f.kind, len(f.items)) for f in after)
