"""What becomes of a form that came by mail: accepted, returned for correction, or held for a person.

Pure: the form, its sender and the directory in; a `Ruling` out. `intake` carries it out.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from rapidfuzz import fuzz

from daemon.directory import Directory
from daemon.model import OFFICE_KINDS, Unit, UnitKind
from parsers.values import Authentication, Form, Value

SAME_PROBLEM = 85.0
"""rapidfuzz score of two titles from which a mended form speaks of the same problem."""


class Outcome(StrEnum):
    ACCEPTED = "accepted"
    RETURNED = "returned"
    HELD = "held"


@dataclass(frozen=True, slots=True)
class Sender:
    """Who sent a mail, as far as the directory and the receiving server know."""

    address: str
    units: tuple[Unit, ...]
    authentication: Authentication

    @property
    def known(self) -> bool:
        return bool(self.units)

    @property
    def trusted(self) -> bool:
        """Known, and not proven to be forged."""
        return self.known and self.authentication is not Authentication.FAIL

    @property
    def forwards(self) -> bool:
        """An office or section, which may pass on any school's form."""
        return any(unit.kind in OFFICE_KINDS or unit.kind is UnitKind.SECTION for unit in self.units)

    def unit_of(self, *kinds: UnitKind) -> Unit | None:
        return next((unit for unit in self.units if unit.kind in kinds), None)


@dataclass(frozen=True, slots=True)
class Ruling:
    """The decision about one form."""

    form: Form
    outcome: Outcome
    unit: Unit | None
    """Whose form it is; None if that is the question."""
    reason: str | None = None
    """Why it is held, in Chinese."""
    suggestion: Unit | None = None
    """Whose it may be, for the office's question."""


def rule(form: Form, sender: Sender, directory: Directory) -> Ruling:
    """What becomes of this form from this sender."""
    named = str(form.fields.get("reporting_unit") or "")
    match = directory.school(named)
    guess = match.unit or (match.candidates[0] if match.candidates else None)
    if not sender.known:
        return Ruling(form, Outcome.HELD, None, f"发件邮箱 {sender.address} 不在通讯录中", guess)
    own = _own_unit(sender, match.unit)
    if not sender.trusted:
        reason = "收件服务器的发件人身份核验未通过，可能系冒用他人邮箱"
        return Ruling(form, Outcome.HELD, None, reason, own or guess)
    if sender.forwards and own is None:
        if match.unit is None or match.unit.kind is not UnitKind.SCHOOL:
            return Ruling(form, Outcome.HELD, None, f"填报单位“{named or '未填'}”在通讯录中查不到", guess)
        return _by_findings(form, match.unit)
    if own is None:
        return Ruling(form, Outcome.HELD, None, "发件邮箱不属于任何学校", guess)
    if not named or match.unit == own or (match.unit is None and directory.is_misspelt(named, own)):
        return _by_findings(form, own)
    if match.unit is not None:
        reason = f"发件邮箱属于{own.name}，表上填报单位却是{match.unit.name}"
        return Ruling(form, Outcome.HELD, None, reason, match.unit)
    return Ruling(
        form, Outcome.HELD, None, f"发件邮箱属于{own.name}，表上填报单位“{named}”在通讯录中查不到", own
    )


def _own_unit(sender: Sender, named: Unit | None) -> Unit | None:
    """The school whose address it is; where several share one, the one that the form names."""
    schools = [unit for unit in sender.units if unit.kind is UnitKind.SCHOOL]
    if named in schools:
        return named
    return schools[0] if len(schools) == 1 else None


def _by_findings(form: Form, unit: Unit) -> Ruling:
    # What a scan seems to lack may only have been misread: a person looks before a school is troubled.
    doubtful_scan = form.uncertain and form.format.startswith("scan")
    if form.incomplete and not doubtful_scan:
        return Ruling(form, Outcome.RETURNED, unit)
    if form.uncertain:
        doubts = "；".join(f.text for f in form.findings if f.kind.value == "uncertain")
        return Ruling(form, Outcome.HELD, unit, f"表上有读不准的地方：{doubts}", unit)
    return Ruling(form, Outcome.ACCEPTED, unit)


@dataclass(frozen=True, slots=True)
class KnownProblem:
    """A problem already on file, as far as matching needs it."""

    number: str
    problem: str
    details: str
    correctable: bool
    """It awaits a correction, so that a form with a similar title may be the mended one."""


def match_problems(
    items: Sequence[Mapping[str, Value]], known: Sequence[KnownProblem], *, answering: bool
) -> tuple[str | None, ...]:
    """For each problem of a form the number it already has, or None for a new one.

    `answering`: the form answers a letter about just these problems, so that titles may have changed;
    otherwise only the very same text, or a mended title of a problem that awaits correction, counts.
    """
    left = list(known)
    numbers: list[str | None] = []
    for item in items:
        found = _best(item, left, answering=answering)
        if found is not None:
            left.remove(found)
        numbers.append(found.number if found else None)
    if answering and left and len(items) == len(known):
        # A mended form keeps its order: what its title no longer tells, its place does.
        rest = iter(left)
        numbers = [number or next(rest).number for number in numbers]
    return tuple(numbers)


def _best(
    item: Mapping[str, Value], known: Sequence[KnownProblem], *, answering: bool
) -> KnownProblem | None:
    title, details = _plain(item.get("problem")), _plain(item.get("details"))
    same = [k for k in known if _plain(k.problem) == title and _plain(k.details) == details]
    if same:
        return same[0]
    similar = [
        (fuzz.ratio(title, _plain(k.problem)), k)
        for k in known
        if (answering or k.correctable) and (title or details)
    ]
    score, best = max(similar, key=lambda pair: pair[0], default=(0.0, None))
    return best if score >= SAME_PROBLEM else None


def _plain(value: Value) -> str:
    return re.sub(r"\W+", "", unicodedata.normalize("NFKC", str(value or "")))
