"""What can happen to a problem, as values, and what its history says about its course.

An event says who did it (`by`); whether that person may is for `daemon.problems` to decide.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, time
from typing import TYPE_CHECKING, ClassVar, Protocol

from daemon.model import Measure, OnSiteOutcome, Problem, State, UnitKind

if TYPE_CHECKING:  # it brings openpyxl along, for which the lists need not wait
    from parsers.workbooks import RowChange


@dataclass(frozen=True, slots=True)
class Actor:
    """Who does something; kind None is the daemon itself."""

    kind: UnitKind | None = None
    unit_id: int | None = None
    name: str = "djb"


DAEMON = Actor()


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """Something that happens to one problem; `name` stands in the history."""

    name: ClassVar[str] = ""
    chinese: ClassVar[str] = ""
    by: Actor = DAEMON


# --- intake ------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class CorrectionNeeded(Event):
    name = "correction_needed"
    chinese = "退回补正"
    faults: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Held(Event):
    name = "held"
    chinese = "转人工核实"
    reason: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Verified(Event):
    """The office verified who sent it or what it says."""

    name = "verified"
    chinese = "核实"
    sections: tuple[int, ...] = ()
    unknown_sections: tuple[tuple[str, tuple[str, ...]], ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Registered(Event):
    """It is complete and gets its place in the ledger."""

    name = "registered"
    chinese = "登记"
    sections: tuple[int, ...] = ()
    """Sections named in the form that the directory knows, in its order; the first leads."""
    unknown_sections: tuple[tuple[str, tuple[str, ...]], ...] = ()
    """Names that the directory does not know, each with the nearest names it knows."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Corrected(Event):
    """A corrected form or a word in a reply gave new values."""

    name = "corrected"
    chinese = "更正"
    changes: Mapping[str, object] = field(default_factory=dict)
    sections: tuple[int, ...] = ()
    unknown_sections: tuple[tuple[str, tuple[str, ...]], ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Claimed(Event):
    """已报: somebody says that what is chased has been sent already."""

    name = "claimed"
    chinese = "声明已报"


@dataclass(frozen=True, slots=True, kw_only=True)
class ClaimChecked(Event):
    name = "claim_checked"
    chinese = "核对已报声明"
    true: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Bounced(Event):
    name = "bounced"
    chinese = "邮件被退回"
    address: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Reachable(Event):
    """The address that bounced was mended or wrote to us."""

    name = "reachable"
    chinese = "邮箱恢复"


# --- the office's hand -------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class Declined(Event):
    name = "declined"
    chinese = "不予受理"
    reason: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Merged(Event):
    name = "merged"
    chinese = "并案"
    into: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Withdrawn(Event):
    name = "withdrawn"
    chinese = "撤回"
    reason: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Suspended(Event):
    name = "suspended"
    chinese = "挂账"
    reason: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Resumed(Event):
    name = "resumed"
    chinese = "恢复办理"


@dataclass(frozen=True, slots=True, kw_only=True)
class ProcedureAsked(Event):
    """The office wants plan, survey and on-site handling of a referred problem too."""

    name = "procedure_asked"
    chinese = "要求全程办理"


@dataclass(frozen=True, slots=True, kw_only=True)
class Chased(Event):
    """催办 by the office's order."""

    name = "chased"
    chinese = "催办"


# --- the session -------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class Listed(Event):
    name = "listed"
    chinese = "列入清单"
    session: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Submitted(Event):
    name = "submitted"
    chinese = "呈报书记"


@dataclass(frozen=True, slots=True, kw_only=True)
class Selected(Event):
    name = "selected"
    chinese = "书记选定"


@dataclass(frozen=True, slots=True, kw_only=True)
class Referred(Event):
    name = "referred"
    chinese = "转办"


@dataclass(frozen=True, slots=True, kw_only=True)
class Instructed(Event):
    name = "instructed"
    chinese = "书记批示"
    text: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Assigned(Event):
    name = "assigned"
    chinese = "交办"
    lead: int
    assists: tuple[int, ...] = ()
    deadline: date | None = None
    in_receipt: bool = False
    """The school reads of it in the receipt of its own mail: one event, one letter."""
    kept_because: str | None = None
    """Why the section keeps what it wanted to give back; empty if nobody said why."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Reassigned(Event):
    name = "reassigned"
    chinese = "改派"
    lead: int
    assists: tuple[int, ...] = ()
    deadline: date | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class VisitArranged(Event):
    name = "visit_arranged"
    chinese = "安排一线办理"
    day: date
    start: time | None = None
    participants: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class VisitDeclined(Event):
    """The office does not agree to the day that a section proposed."""

    name = "visit_declined"
    chinese = "不同意拟定的一线办理时间"
    reason: str | None = None


# --- the section -------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class Accepted(Event):
    name = "accepted"
    chinese = "签收"


@dataclass(frozen=True, slots=True, kw_only=True)
class DeclinedAssignment(Event):
    name = "assignment_declined"
    chinese = "科室退回"
    reason: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Planned(Event):
    name = "planned"
    chinese = "报送方案"
    handling: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Surveyed(Event):
    name = "surveyed"
    chinese = "调查研究"
    handling: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class OnSite(Event):
    name = "on_site"
    chinese = "一线办理"
    outcome: OnSiteOutcome
    day: date | None = None
    measures: tuple[Measure, ...] = ()
    handling: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class MeasuresSet(Event):
    """Measures added or changed after the visit."""

    name = "measures_set"
    chinese = "明确任务措施"
    measures: tuple[Measure, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class MeasureDone(Event):
    name = "measure_done"
    chinese = "措施完成"
    position: int = 0
    completion: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Progressed(Event):
    name = "progress"
    chinese = "报告进展"
    text: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class ExtensionAsked(Event):
    name = "extension_asked"
    chinese = "申请延期"
    until: date
    reason: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ExtensionDecided(Event):
    name = "extension_decided"
    chinese = "延期审批"
    agree: bool
    until: date | None = None
    reason: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class CompletionReported(Event):
    name = "completion_reported"
    chinese = "报告办结"
    result: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class MechanismNoted(Event):
    name = "mechanism_noted"
    chinese = "建章立制"
    text: str = ""


# --- closing and supervision -------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class OfficeDecided(Event):
    """The office's 同意 or 不同意 to a reported completion."""

    name = "office_decided"
    chinese = "工委办审核"
    agree: bool
    reason: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class CalledBack(Event):
    """The school's answer to the call-back: `satisfied`, `mostly_satisfied` or `dissatisfied`."""

    name = "called_back"
    chinese = "学校回访答复"
    satisfaction: str
    reason: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class CallbackSilent(Event):
    name = "callback_silent"
    chinese = "回访无答复"


@dataclass(frozen=True, slots=True, kw_only=True)
class Closed(Event):
    name = "closed"
    chinese = "办结"


@dataclass(frozen=True, slots=True, kw_only=True)
class Archived(Event):
    name = "archived"
    chinese = "归档"


@dataclass(frozen=True, slots=True, kw_only=True)
class Reopened(Event):
    name = "reopened"
    chinese = "重新办理"
    reason: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Inspected(Event):
    name = "inspected"
    chinese = "督查"
    text: str = ""


# Not `__subclasses__`: a dataclass with slots leaves its first self there.
EVENTS: tuple[type[Event], ...] = tuple(
    kind
    for kind in list(globals().values())
    if isinstance(kind, type) and issubclass(kind, Event) and kind is not Event
)
WITHDRAWAL_ASKED = "withdrawal_asked"
ASSIGNMENT_QUESTIONED = "assignment_questioned"
NOTED = "noted"
VISIT_ASKED = "visit_asked"
EVENT_NAMES: Mapping[str, str] = {kind.name: kind.chinese for kind in EVENTS} | {
    WITHDRAWAL_ASKED: "申请撤回",
    ASSIGNMENT_QUESTIONED: "交办待核",
    NOTED: "记录",
    VISIT_ASKED: "拟定一线办理",
}
"""Name in the history -> Chinese, for lists and letters."""


# --- what the history says ---------------------------------------------------------------------


class HistoryLine(Protocol):
    """One line of a problem's history: an event of the store, or any value with these fields."""

    @property
    def at(self) -> datetime: ...
    @property
    def event(self) -> str: ...
    @property
    def from_state(self) -> str | None: ...


@dataclass(frozen=True, slots=True)
class Course:
    """What the history says that the problem's record does not."""

    selected: bool = False
    """The secretary chose it: it is planned, surveyed and handled on site."""
    procedure_asked: bool = False
    assigned_at: datetime | None = None
    plan_asked: bool = False
    """The assignment itself named the day of the plan."""
    last_word_at: datetime | None = None
    """When the section was last heard of."""
    completion_reported_at: datetime | None = None
    suspended_from: State | None = None
    resumed_at: datetime | None = None
    extension_pending: bool = False
    callback_silent: bool = False
    claimed: bool = False
    bounced: bool = False

    @property
    def whole_procedure(self) -> bool:
        return self.selected or self.procedure_asked


SECTION_WORDS = frozenset(
    kind.name
    for kind in (
        Accepted,
        Planned,
        Surveyed,
        OnSite,
        MeasuresSet,
        MeasureDone,
        Progressed,
        CompletionReported,
    )
)
FLAGS: Mapping[str, Mapping[str, bool]] = {
    Selected.name: {"selected": True},
    ProcedureAsked.name: {"procedure_asked": True},
    ExtensionAsked.name: {"extension_pending": True},
    ExtensionDecided.name: {"extension_pending": False},
    CompletionReported.name: {"extension_pending": False, "callback_silent": False},
    CallbackSilent.name: {"callback_silent": True},
    Claimed.name: {"claimed": True},
    ClaimChecked.name: {"claimed": False},
    Bounced.name: {"bounced": True},
    Reachable.name: {"bounced": False},
    Assigned.name: {"extension_pending": False, "claimed": False},
    Reassigned.name: {"extension_pending": False, "claimed": False, "bounced": False},
}
"""What an event switches on or off."""


def course(history: Iterable[HistoryLine]) -> Course:
    """What a problem's history, oldest first, says about its course."""
    values: dict[str, object] = {}
    for line in history:
        values |= FLAGS.get(line.event, {})
        if line.event in SECTION_WORDS:
            values["last_word_at"] = line.at
            values["claimed"] = False
        match line.event:
            case Assigned.name | Reassigned.name:
                whole = values.get("selected", False) or values.get("procedure_asked", False)
                values |= {"assigned_at": line.at, "plan_asked": whole, "last_word_at": None}
            case CompletionReported.name:
                values["completion_reported_at"] = line.at
            case Suspended.name:
                values["suspended_from"] = State(line.from_state) if line.from_state else None
            case Resumed.name:
                values |= {"resumed_at": line.at, "suspended_from": None}
            case _:
                pass
    return Course(**values)  # type: ignore[arg-type]


# --- the handling sheet as events --------------------------------------------------------------

PLAN_LABELS = ("工作方案", "会商情况", "初步解决意见", "责任人", "攻坚队伍")
SURVEY_LABELS = ("调研情况·实质", "调研情况·根源", "调研情况·症结")
VISIT_LABELS = ("一线办理日期", "参加人员", "一线办理结果")


def handling_events(
    problem: Problem, fields: Mapping[str, str], measures: tuple[Measure, ...] | None, by: Actor
) -> tuple[Event, ...]:
    """The events that changed fields of a returned handling sheet stand for, in the order of the work.

    `fields`: label -> new text, only those that changed; `measures`: the whole table if it changed.
    """
    found: list[Event] = []
    if plan := {label: fields[label] for label in PLAN_LABELS if label in fields}:
        found.append(Planned(by=by, handling=plan))
    if survey := {label: fields[label] for label in SURVEY_LABELS if label in fields}:
        found.append(Surveyed(by=by, handling=survey))
    found.extend(_visit_events(problem, fields, measures, by))
    found.extend(_measure_events(problem, measures, by))
    if text := fields.get("办理进展"):
        found.append(Progressed(by=by, text=text))
    if text := fields.get("完成情况"):
        found.append(CompletionReported(by=by, result=text))
    if text := fields.get("长效机制"):
        found.append(MechanismNoted(by=by, text=text))
    return tuple(found)


def returned_measures(rows: Iterable[RowChange], before: tuple[Measure, ...]) -> tuple[Measure, ...]:
    """The measures that the table of a returned handling sheet says; known ones keep id and done."""
    known = {f"M{position}": measure for position, measure in enumerate(before, start=1)}
    found = []
    for row in rows:
        old = known.get(row.identity or "")
        deadline = row.cells.get("完成时限")
        found.append(
            Measure(
                measure=row.cells.get("任务措施") or "",
                department=row.cells.get("责任部门") or "",
                deadline=date.fromisoformat(deadline) if deadline else None,
                done=old.done if old else False,
                id=old.id if old else None,
                completion=row.cells.get("完成情况"),
            )
        )
    return tuple(found)


def _visit_events(
    problem: Problem, fields: Mapping[str, str], measures: tuple[Measure, ...] | None, by: Actor
) -> list[Event]:
    texts = {label: fields[label] for label in VISIT_LABELS if label in fields}
    if not texts:
        return []
    written = texts.get("一线办理日期")
    day, start = visit_moment(written) if written else (problem.on_site_date, None)
    outcome = OUTCOMES.get(texts.get("一线办理结果", ""))
    if outcome is not None:
        return [
            OnSite(by=by, outcome=outcome, day=day, measures=measures or problem.measures, handling=texts)
        ]
    if day is None:
        return []
    return [VisitArranged(by=by, day=day, start=start, participants=texts.get("参加人员"))]


def visit_moment(text: str) -> tuple[date, time | None]:
    """The day of a visit, and its hour if one was written: 2022-01-26 15:00."""
    moment = datetime.fromisoformat(text)
    return moment.date(), moment.time() if moment.time() != time() else None


def visit_text(day: date, start: time | None) -> str:
    """The same as the handling sheet shows it."""
    return f"{day.isoformat()} {start:%H:%M}" if start else day.isoformat()


OUTCOMES: Mapping[str, OnSiteOutcome] = {
    "现场解决": OnSiteOutcome.SOLVED_ON_SITE,
    "制定解决方案": OnSiteOutcome.SOLUTION_SET,
    "提请书记办理": OnSiteOutcome.SECRETARY_HANDLES,
}


def _measure_events(problem: Problem, measures: tuple[Measure, ...] | None, by: Actor) -> list[Event]:
    """Changed measures as one event, newly completed ones as one each."""
    if measures is None:
        return []

    def bare(items: tuple[Measure, ...]) -> list[tuple[str, str, date | None]]:
        return [(item.measure, item.department, item.deadline) for item in items]

    found: list[Event] = []
    if bare(measures) != bare(problem.measures):
        found.append(MeasuresSet(by=by, measures=measures))
    for position, measure in enumerate(measures):
        before = problem.measures[position] if position < len(problem.measures) else None
        if measure.completion and (before is None or before.completion != measure.completion):
            found.append(MeasureDone(by=by, position=position, completion=measure.completion))
    return found
