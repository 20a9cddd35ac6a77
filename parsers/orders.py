"""The orders that a reply can give, as values; `parsers.replies` reads them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from enum import StrEnum


class Role(StrEnum):
    """Who writes; the values are those of the directory's kinds of units."""

    SECRETARY = "secretary"
    COMMITTEE_OFFICE = "committee_office"
    SECTION = "section"
    SCHOOL = "school"
    BUREAU_OFFICE = "bureau_office"


@dataclass(frozen=True, slots=True)
class Target:
    """Which problems an order speaks of; nothing named means: what the answered letter is about."""

    numbers: tuple[str, ...] = ()
    position: int | None = None
    """Place in the list of the answered letter, from 1."""
    all: bool = False
    """全部, 均: everything the answered letter is about."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """What every order has: its target, and further words that change nothing."""

    target: Target = Target()
    remark: str | None = None


@dataclass(frozen=True, slots=True)
class Agree(Order):
    """同意."""


@dataclass(frozen=True, slots=True)
class Disagree(Order):
    """不同意:理由."""

    reason: str | None = None


@dataclass(frozen=True, slots=True)
class Yes(Order):
    """是."""


@dataclass(frozen=True, slots=True)
class No(Order):
    """否."""

    reason: str | None = None


@dataclass(frozen=True, slots=True)
class Confirm(Order):
    """确认."""


@dataclass(frozen=True, slots=True)
class RegisterAs(Order):
    """登记为 贵港市××中学."""

    unit: str = ""


@dataclass(frozen=True, slots=True)
class MergeInto(Order):
    """并入 ND-2022-003: the target is the problem that goes, `into` the one that stays."""

    into: str = ""


@dataclass(frozen=True, slots=True)
class DeclineProblem(Order):
    """不予受理:理由."""

    reason: str | None = None


@dataclass(frozen=True, slots=True)
class OpenSession(Order):
    """开期."""


@dataclass(frozen=True, slots=True)
class RollUp(Order):
    """汇总."""


@dataclass(frozen=True, slots=True)
class Chase(Order):
    """催办 ND-…."""


@dataclass(frozen=True, slots=True)
class Circulate(Order):
    """通报."""


@dataclass(frozen=True, slots=True)
class Suspend(Order):
    """挂账 ND-…:理由."""

    reason: str | None = None


@dataclass(frozen=True, slots=True)
class Resume(Order):
    """恢复办理 ND-…."""


@dataclass(frozen=True, slots=True)
class Archive(Order):
    """归档 ND-…."""


@dataclass(frozen=True, slots=True)
class AskProcedure(Order):
    """全程办理 ND-…: a referred problem shall be planned, surveyed and handled on site too."""


@dataclass(frozen=True, slots=True)
class Select(Order):
    """选定 3、7: places in the list or numbers; none at all for 本期不选."""

    positions: tuple[int, ...] = ()
    numbers: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class ReferRest(Order):
    """其余转办."""


@dataclass(frozen=True, slots=True)
class Instruct(Order):
    """Free words of the secretary: 批示."""

    text: str = ""


@dataclass(frozen=True, slots=True)
class Accept(Order):
    """签收."""


@dataclass(frozen=True, slots=True)
class DeclineAssignment(Order):
    """退回:理由."""

    reason: str | None = None


@dataclass(frozen=True, slots=True)
class Plan(Order):
    """方案, with its text or an attachment."""

    text: str | None = None


@dataclass(frozen=True, slots=True)
class Progress(Order):
    """进展:…."""

    text: str = ""


@dataclass(frozen=True, slots=True)
class Extend(Order):
    """延期至 DATE:理由."""

    until: date = date.min
    reason: str | None = None


@dataclass(frozen=True, slots=True)
class Complete(Order):
    """办结:结果."""

    result: str | None = None


@dataclass(frozen=True, slots=True)
class Amendment:
    """One field of a form with its new value, as `党支部数 4` gives it."""

    field: str
    value: str | int | date | tuple[str, ...] | None
    label: str
    """The label as the school wrote it."""
    item: int | None = None
    """Which problem or row of the form, from 0; None if the school named none."""


@dataclass(frozen=True, slots=True)
class Amend(Order):
    """更正 …, or pairs of label and value."""

    amendments: tuple[Amendment, ...] = ()


@dataclass(frozen=True, slots=True)
class Withdraw(Order):
    """撤回."""

    reason: str | None = None


class Satisfaction(StrEnum):
    SATISFIED = "satisfied"
    MOSTLY_SATISFIED = "mostly_satisfied"
    DISSATISFIED = "dissatisfied"


@dataclass(frozen=True, slots=True)
class Rate(Order):
    """满意, 基本满意, 不满意:理由."""

    satisfaction: Satisfaction = Satisfaction.DISSATISFIED
    reason: str | None = None


@dataclass(frozen=True, slots=True)
class AlreadyReported(Order):
    """已报."""


@dataclass(frozen=True, slots=True)
class Inspect(Order):
    """督查 ND-…:情况."""

    text: str = ""


@dataclass(frozen=True, slots=True)
class Unclear:
    """Words that order nothing: a person reads them."""

    text: str
    why: str
    """Chinese, for the office."""
    commanded: bool = False
    """They begin like an order all the same."""


@dataclass(frozen=True, slots=True)
class Orders:
    """All that one reply orders, in its order; either some orders, or the reason why there is none."""

    given: tuple[Order, ...] = ()
    unclear: Unclear | None = None
