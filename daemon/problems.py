"""The workflow of one problem as one table: (state, event) -> Decision or Refusal. Pure.

Read `_table` aloud: it is product.md, "One problem". `carry_out` follows a decision's consequences
(a registered problem is referred and assigned in the same breath), each one line of history.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta
from enum import StrEnum
from typing import Any, Literal
from zoneinfo import ZoneInfo

from daemon.clock import chinese_day
from daemon.events import (
    ASSIGNMENT_QUESTIONED,
    NOTED,
    VISIT_ASKED,
    WITHDRAWAL_ASKED,
    Accepted,
    Actor,
    Archived,
    Assigned,
    Bounced,
    CallbackSilent,
    CalledBack,
    Chased,
    ClaimChecked,
    Claimed,
    Closed,
    CompletionReported,
    Corrected,
    CorrectionNeeded,
    Course,
    Declined,
    DeclinedAssignment,
    Event,
    ExtensionAsked,
    ExtensionDecided,
    Held,
    HistoryLine,
    Inspected,
    Instructed,
    Listed,
    MeasureDone,
    MeasuresSet,
    MechanismNoted,
    Merged,
    OfficeDecided,
    OnSite,
    Planned,
    ProcedureAsked,
    Progressed,
    Reachable,
    Reassigned,
    Referred,
    Registered,
    Reopened,
    Resumed,
    Selected,
    Submitted,
    Surveyed,
    Suspended,
    Verified,
    VisitArranged,
    VisitDeclined,
    Withdrawn,
    course,
    visit_text,
)
from daemon.model import (
    ENDED_STATES,
    LEVEL_NAMES,
    LetterKind,
    Measure,
    OnSiteOutcome,
    Problem,
    State,
    UnitKind,
)
from daemon.workdays import Calendar

SHANGHAI = ZoneInfo("Asia/Shanghai")


@dataclass(frozen=True, slots=True)
class WorkflowRules:
    """Every time rule of a problem, in working days unless said otherwise; `[deadlines]`, `[workflow]`."""

    referral: Literal["automatic", "confirm"] = "automatic"
    correction: int = 3
    registration: int = 2
    session_list: int = 10
    session_choice_reminder: int = 3
    session_picks: int = 2
    accept: int = 1
    decline: int = 2
    plan: int = 5
    progress: int = 10
    chase_first: int = 1
    chase_head: int = 2
    chase_bureau: int = 5
    due_soon: int = 3
    completion_check: int = 3
    callback: int = 3
    mechanism: int = 20
    handling: int = 30
    """For a problem assigned without a deadline."""
    rework: int = 10
    """For rework and reopening, when the old deadline leaves less."""
    reopen_days: int = 30
    """Calendar days for an objection."""


@dataclass(frozen=True, slots=True)
class Circumstances:
    """What a decision needs to know besides the problem: the moment, the rules, the course so far."""

    now: datetime
    rules: WorkflowRules = WorkflowRules()
    calendar: Calendar = field(default_factory=Calendar)
    course: Course = field(default_factory=Course)
    zone: ZoneInfo = SHANGHAI
    departments: Mapping[str, tuple[int, ...]] = field(default_factory=dict)
    """The sections that measures name as responsible, as far as the directory knows them."""

    @property
    def today(self) -> date:
        return self.day(self.now)

    def day(self, moment: datetime) -> date:
        return moment.astimezone(self.zone).date()


class Party(StrEnum):
    """To whom a letter goes; the shell finds the addresses."""

    SCHOOL = "school"
    SCHOOL_HEAD = "school_head"
    SENDER = "sender"
    """Whoever sent the mail, also from an unknown address."""
    LEAD_SECTION = "lead_section"
    LEAD_HEAD = "head_of_lead"
    ASSIST_SECTIONS = "assist_sections"
    FORMER_SECTION = "former_section"
    """The section that led before; its id stands in the facts as `former_section_id`."""
    COMMITTEE_OFFICE = "committee_office"
    BUREAU_OFFICE = "bureau_office"
    SECRETARY = "secretary"
    ALL = "all"


@dataclass(frozen=True, slots=True)
class LetterOrder:
    """A letter to be written about the problem as it stands after the decision."""

    kind: LetterKind
    to: Party
    cc: tuple[Party, ...] = ()
    facts: Mapping[str, Any] = field(default_factory=dict)
    at_once: bool = True
    """An answer goes out at any hour; what the calendar sends waits for working hours."""


@dataclass(frozen=True, slots=True)
class QuestionOrder:
    """Something the office must decide; `kind` and `payload` say what its answer carries out."""

    kind: str
    text: str
    suggestion: str | None = None
    payload: Mapping[str, Any] = field(default_factory=dict)
    to: Party = Party.COMMITTEE_OFFICE


@dataclass(frozen=True, slots=True)
class Decision:
    """What one event does: the new state, changed fields, the line of history, letters, questions."""

    state: State
    event: str
    text: str
    """Chinese, for the history."""
    changes: Mapping[str, Any] = field(default_factory=dict)
    letters: tuple[LetterOrder, ...] = ()
    questions: tuple[QuestionOrder, ...] = ()
    then: tuple[Event, ...] = ()
    """What follows of itself, to be decided next."""


@dataclass(frozen=True, slots=True)
class Refusal:
    """The event changes nothing, and why; a person reads it."""

    reason: str


Outcome = Decision | Refusal

BEFORE_ASSIGNMENT = frozenset(
    {State.RECEIVED, State.NEEDS_CORRECTION, State.HELD, State.REGISTERED, State.LISTED, State.SUBMITTED}
    | {State.REFERRED}
)
HANDLED = frozenset(
    {State.ASSIGNED, State.ACCEPTED, State.PLANNED, State.SURVEYED, State.ON_SITE, State.IN_PROGRESS}
    | {State.REWORK, State.REOPENED}
)
"""A section has it in hand."""
WITH_SECTIONS = HANDLED | {State.REFERRED}
"""A section has it in hand, or is being sought: whichever, the secretary may have it on his list too."""
ON_THE_WAY = HANDLED | {State.SELECTED}
OPEN = frozenset(State) - ENDED_STATES
WITH_RESULT = frozenset({State.COMPLETION_REPORTED, State.CLOSED, State.ARCHIVED})
"""A mechanism may still be written down."""

DAEMON_ONLY: frozenset[UnitKind | None] = frozenset({None})
OFFICE: frozenset[UnitKind | None] = frozenset({None, UnitKind.COMMITTEE_OFFICE})
SECTIONS: frozenset[UnitKind | None] = frozenset({UnitKind.SECTION})
ALLOWED: Mapping[type[Event], frozenset[UnitKind | None]] = {
    CorrectionNeeded: OFFICE,
    Held: OFFICE,
    Verified: OFFICE,
    Registered: OFFICE,
    Corrected: OFFICE | {UnitKind.SCHOOL},
    Claimed: frozenset({UnitKind.SCHOOL, UnitKind.SECTION}),
    ClaimChecked: OFFICE,
    Bounced: DAEMON_ONLY,
    Reachable: DAEMON_ONLY,
    Declined: OFFICE,
    Merged: OFFICE,
    Withdrawn: OFFICE | {UnitKind.SCHOOL},
    Suspended: OFFICE,
    Resumed: OFFICE,
    ProcedureAsked: OFFICE,
    Chased: OFFICE | {UnitKind.BUREAU_OFFICE},
    Listed: OFFICE,
    Submitted: OFFICE,
    Selected: OFFICE | {UnitKind.SECRETARY},
    Referred: OFFICE | {UnitKind.SECRETARY},
    Instructed: OFFICE | {UnitKind.SECRETARY},
    Assigned: OFFICE,
    Reassigned: OFFICE,
    VisitArranged: OFFICE | SECTIONS,
    VisitDeclined: OFFICE,
    Accepted: SECTIONS,
    DeclinedAssignment: SECTIONS,
    Planned: SECTIONS,
    Surveyed: SECTIONS,
    OnSite: OFFICE | SECTIONS,
    MeasuresSet: OFFICE | SECTIONS,
    MeasureDone: OFFICE | SECTIONS,
    Progressed: SECTIONS,
    ExtensionAsked: SECTIONS,
    ExtensionDecided: OFFICE,
    CompletionReported: OFFICE | SECTIONS,
    MechanismNoted: OFFICE | SECTIONS,
    OfficeDecided: OFFICE,
    CalledBack: frozenset({UnitKind.SCHOOL}),
    CallbackSilent: DAEMON_ONLY,
    Closed: OFFICE,
    Archived: OFFICE,
    Reopened: OFFICE | {UnitKind.SCHOOL},
    Inspected: frozenset({UnitKind.BUREAU_OFFICE}),
}
"""Who may do what. Beyond this a section acts only on what it leads, a school on what it reported."""

SHARED_WITH_ASSISTS = (
    *(Accepted, DeclinedAssignment, Progressed, MeasureDone, CompletionReported, Claimed, VisitArranged),
)
"""What an assisting section may say too."""

SATISFACTION_NAMES: Mapping[str, str] = {
    "satisfied": "满意",
    "mostly_satisfied": "基本满意",
    "dissatisfied": "不满意",
}


def decide(problem: Problem, event: Event, circumstances: Circumstances) -> Outcome:
    """What an event does to a problem, or why it may not; never raises."""
    return _not_entitled(problem, event) or _table(problem, event, circumstances)


def carry_out(
    problem: Problem, event: Event, circumstances: Circumstances, history: tuple[HistoryLine, ...] = ()
) -> tuple[tuple[Decision, ...], Problem] | Refusal:
    """Every decision that follows from one event, and the problem after the last; or the first's refusal."""
    first = decide(problem, event, replace(circumstances, course=course(history)))
    if isinstance(first, Refusal):
        return first
    done: list[Decision] = []
    waiting: list[tuple[Event, Outcome | None]] = [(event, first)]
    lines: list[HistoryLine] = list(history)
    while waiting:
        following, outcome = waiting.pop(0)
        if outcome is None:
            outcome = decide(problem, following, replace(circumstances, course=course(lines)))
        if isinstance(outcome, Refusal):
            continue
        lines.append(Line(circumstances.now, outcome.event, problem.state, outcome.state))
        problem = applied(problem, outcome, circumstances.now)
        done.append(outcome)
        waiting = [(consequence, None) for consequence in outcome.then] + waiting
    return tuple(done), problem


@dataclass(frozen=True, slots=True)
class Line:
    """One line of history, as far as the rules read it."""

    at: datetime
    event: str
    from_state: str | None
    to_state: str | None = None


def applied(problem: Problem, decision: Decision, now: datetime) -> Problem:
    """The problem after a decision."""
    since = now if decision.state is not problem.state else problem.state_since
    return replace(problem, state=decision.state, state_since=since, **decision.changes)


def _not_entitled(problem: Problem, event: Event) -> Refusal | None:
    by = event.by
    if by.kind not in ALLOWED[type(event)]:
        return Refusal(f"“{event.chinese}”不属于{by.kind.chinese if by.kind else '系统'}的权限")
    if by.kind is UnitKind.SECTION:
        shared = _assisting(problem, by) and isinstance(event, SHARED_WITH_ASSISTS)
        if by.unit_id is None or (by.unit_id != problem.lead_section_id and not shared):
            return Refusal(f"{by.name}不是{problem.number}的承办科室")
    if by.kind is UnitKind.SCHOOL and (by.unit_id is None or by.unit_id != problem.unit_id):
        return Refusal(f"{problem.number}不是{by.name}上报的问题")
    return None


def _assisting(problem: Problem, by: Actor) -> bool:
    """Whether somebody only assists: what such a section says moves no state."""
    return by.unit_id in problem.assist_section_ids and by.unit_id != problem.lead_section_id


def _table(problem: Problem, event: Event, at: Circumstances) -> Outcome:
    """The workflow. Each line: in this state, this happens."""
    match problem.state, event:
        # 收件与登记
        case ((State.RECEIVED | State.NEEDS_CORRECTION), CorrectionNeeded()):
            return _ask_correction(event, at)
        case ((State.RECEIVED | State.NEEDS_CORRECTION), Held()):
            return _hold(problem, event)
        case State.HELD, Verified():
            registered = Registered(
                by=event.by, sections=event.sections, unknown_sections=event.unknown_sections
            )
            return Decision(State.RECEIVED, event.name, "经核实，准予登记", then=(registered,))
        case ((State.RECEIVED | State.NEEDS_CORRECTION), Registered()):
            return _register(problem, event, at)
        case State.NEEDS_CORRECTION, Corrected():
            return _mend(problem, event)
        case state, Corrected() if state in OPEN and state is not State.COMPLETION_REPORTED:
            return _amend(problem, event)

        # 期与书记批示
        case State.REGISTERED, Listed():
            return Decision(
                State.LISTED, event.name, f"列入{event.session}难点问题清单", {"session": event.session}
            )
        case state, Listed() if (
            state in WITH_SECTIONS and "secretary" in problem.levels and not problem.session
        ):
            text = f"列入{event.session}难点问题清单（科室同步办理）"
            return Decision(state, event.name, text, {"session": event.session})
        case State.LISTED, Submitted():
            return Decision(State.SUBMITTED, event.name, "难点问题清单已呈报书记", letters=(_news("listed"),))
        case state, Submitted() if state in WITH_SECTIONS and problem.session:
            return Decision(state, event.name, "难点问题清单已呈报书记", letters=(_news("listed"),))
        case ((State.LISTED | State.SUBMITTED), Selected()):
            return Decision(
                State.SELECTED, event.name, "书记选定为本期研究解决的问题", letters=(_news("selected"),)
            )
        case state, Selected() if state in WITH_SECTIONS and problem.session:
            return Decision(
                State.SELECTED, event.name, "书记选定，转入一线办理程序", letters=(_news("selected"),)
            )
        case ((State.REGISTERED | State.LISTED | State.SUBMITTED), Referred()):
            return Decision(State.REFERRED, event.name, "转由相关科室办理")
        case state, Referred() if state in WITH_SECTIONS and problem.session:
            return Decision(state, event.name, "书记未选定，由承办科室继续办理")
        case state, Instructed() if state in OPEN:
            return _instruct(problem, event)

        # 交办
        case ((State.SELECTED | State.REFERRED), Assigned()):
            return _assign(problem, event, at)
        case state, DeclinedAssignment() if state in HANDLED and _assisting(problem, event.by):
            return _ask_to_leave(problem, event)
        case ((State.ASSIGNED | State.ACCEPTED), DeclinedAssignment()):
            return _decline_assignment(problem, event, at)
        case state, Reassigned() if state in HANDLED:
            return _reassign(problem, event)
        case state, Accepted() if state in ON_THE_WAY | WITH_RESULT and _assisting(problem, event.by):
            return Decision(state, NOTED, "协办科室签收")
        case State.ASSIGNED, Accepted():
            return Decision(State.ACCEPTED, event.name, "科室已签收")
        case ((State.REWORK | State.REOPENED), Accepted()):
            return Decision(State.IN_PROGRESS, event.name, "科室已签收返工要求")
        case state, Accepted() if state in ON_THE_WAY | WITH_RESULT:
            return Decision(state, NOTED, "科室再次签收")
        case ((State.REFERRED | State.ASSIGNED | State.ACCEPTED | State.IN_PROGRESS), ProcedureAsked()):
            return Decision(
                problem.state, event.name, "工委办要求按一线办理程序办理", letters=(_to_section("procedure"),)
            )

        # 办理
        case ((State.ASSIGNED | State.ACCEPTED), Planned()):
            return _handled(problem, State.PLANNED, event, event.handling, "已报送工作方案")
        case state, Planned() if state in HANDLED:
            return _handled(problem, state, event, event.handling, "更新工作方案")
        case ((State.ASSIGNED | State.ACCEPTED | State.PLANNED), Surveyed()):
            return _handled(problem, State.SURVEYED, event, event.handling, "已报送调研情况")
        case state, Surveyed() if state in HANDLED:
            return _handled(problem, state, event, event.handling, "更新调研情况")
        case state, VisitArranged() if state in ON_THE_WAY:
            return _arrange_visit(problem, event, at)
        case state, VisitDeclined() if state in ON_THE_WAY:
            return _decline_visit(problem, event)
        case state, OnSite() if state in HANDLED:
            return _on_site(problem, event, at)
        case state, MeasuresSet() if state in HANDLED:
            return _set_measures(problem, event, at)
        case state, MeasureDone() if state in HANDLED:
            return _complete_measure(problem, event, at)
        case state, Progressed() if state in HANDLED:
            return _progress(problem, event, at)
        case state, ExtensionAsked() if state in HANDLED:
            return _ask_extension(problem, event, at)
        case state, ExtensionDecided() if state in HANDLED:
            return _decide_extension(problem, event, at)

        # 办结、回访、销号
        case state, CompletionReported() if state in HANDLED and _assisting(problem, event.by):
            return _complete_own_measure(problem, event, at)
        case state, CompletionReported() if state in HANDLED:
            return _report_completion(problem, event)
        case State.COMPLETION_REPORTED, OfficeDecided(agree=True):
            return _agree_completion(problem, event, at)
        case State.COMPLETION_REPORTED, OfficeDecided():
            return _rework(
                problem, event.name, f"工委办不同意办结：{event.reason or '未写理由'}", event.reason, at
            )
        case State.COMPLETION_REPORTED, CalledBack(satisfaction="dissatisfied"):
            return _rework(problem, event.name, f"学校不满意：{event.reason or '未写理由'}", event.reason, at)
        case ((State.REWORK | State.REOPENED), CalledBack(satisfaction="dissatisfied")):
            said = f"学校补充说明不满意的理由：{event.reason or '未写理由'}"
            told = (_to_section("dissatisfied", reason=event.reason),) if event.reason else ()
            return Decision(problem.state, NOTED, said, letters=told)
        case State.COMPLETION_REPORTED, CalledBack():
            return _satisfied(problem, event)
        case State.COMPLETION_REPORTED, CallbackSilent() if problem.satisfaction is None:
            return _silence(problem, event, at)
        case State.COMPLETION_REPORTED, Closed() if _may_close(replace(problem, office_agreed=True), at):
            return _close(problem, event, at)
        case State.CLOSED, (CalledBack(satisfaction="dissatisfied") | Reopened()):
            return _reopen(problem, event, at)
        case State.ARCHIVED, (CalledBack(satisfaction="dissatisfied") | Reopened()):
            return _reopen(problem, event, at)
        case State.CLOSED, CalledBack():
            name = SATISFACTION_NAMES.get(event.satisfaction, event.satisfaction)
            return Decision(
                State.CLOSED, event.name, f"学校回访：{name}", {"satisfaction": event.satisfaction}
            )
        case state, MechanismNoted() if state in HANDLED | WITH_RESULT:
            return _handled(problem, state, event, {"长效机制": event.text}, "已报送长效机制")
        case State.CLOSED, Archived():
            return Decision(State.ARCHIVED, event.name, "归档")

        # 旁支
        case state, Declined() if state in BEFORE_ASSIGNMENT:
            text = f"不予受理：{event.reason or '未写理由'}"
            return Decision(
                State.DECLINED, event.name, text, letters=(_news("declined", reason=event.reason),)
            )
        case state, Merged() if state in OPEN and event.into not in ("", problem.number):
            return _merge(problem, event)
        case state, Withdrawn() if state in BEFORE_ASSIGNMENT or state is State.SUSPENDED:
            return _withdraw(problem, event)
        case state, Withdrawn() if state in ON_THE_WAY:
            return (
                _withdraw(problem, event)
                if event.by.kind is not UnitKind.SCHOOL
                else _ask_withdrawal(problem, event)
            )
        case state, Suspended() if state in OPEN and state is not State.SUSPENDED:
            return _suspend(problem, event)
        case State.SUSPENDED, Resumed():
            back = at.course.suspended_from or State.REGISTERED
            return Decision(
                back, event.name, f"恢复办理（{back.chinese}）", letters=_everybody(problem, "resumed", None)
            )
        case state, Inspected() if state in ON_THE_WAY | {State.COMPLETION_REPORTED}:
            return _inspect(problem, event)
        case state, Chased() if state in HANDLED:
            return _chase_on_order(problem, event, at)
        case State.NEEDS_CORRECTION, Chased():
            return Decision(problem.state, event.name, "催报补正", letters=(_correction(at, "ordered", ()),))
        case state, Claimed() if state in HANDLED | {State.NEEDS_CORRECTION}:
            return _claim(problem, event)
        case state, ClaimChecked() if state in OPEN and at.course.claimed:
            text = "经核对，确已报送" if event.true else "经核对，尚未收到"
            return Decision(state, event.name, text)
        case state, Bounced():
            return Decision(state, event.name, f"发往{event.address}的邮件被退回，暂停催办")
        case state, Reachable():
            return Decision(state, event.name, "邮箱已可送达，恢复催办")
        case _:
            why = IN_WORDS.get(type(event), f"此时不能{event.chinese}")
            return Refusal(f"{problem.number}目前为“{problem.state.chinese}”，{why}")


IN_WORDS: Mapping[type[Event], str] = {
    CalledBack: "此时不需要评价；承办科室报来办理结果后，我办另行请你校评价",
    OfficeDecided: "没有待审核的办结报告",
    ExtensionDecided: "没有待审批的延期申请",
    ClaimChecked: "没有待核对的“已报”声明",
    Instructed: "不再转达书记批示",
    Selected: "此时不能选定",
    DeclinedAssignment: "此时不能退回，请与工委办联系",
    Surveyed: "此时不能报送调研情况",
    MeasuresSet: "此时不能修改任务措施",
    MeasureDone: "此时不能报告措施完成",
    CompletionReported: "不需要再报办结",
    MechanismNoted: "此时不能报送长效机制",
    Claimed: "没有待报送的事项",
}
"""Why something does not happen, where its name would make no sentence."""


# --- letters that many lines order -------------------------------------------------------------


def _news(topic: str, *, to: Party = Party.SCHOOL, **facts: Any) -> LetterOrder:
    return LetterOrder(LetterKind.PROBLEM_NEWS, to, facts={"topic": topic, **facts})


def _to_section(topic: str, **facts: Any) -> LetterOrder:
    return LetterOrder(
        LetterKind.SECTION_DIGEST, Party.LEAD_SECTION, (Party.ASSIST_SECTIONS,), {"topic": topic, **facts}
    )


def _everybody(problem: Problem, topic: str, reason: str | None) -> tuple[LetterOrder, ...]:
    """News to the school, and to the section if one has the problem in hand."""
    letters = [_news(topic, reason=reason)]
    if problem.lead_section_id is not None:
        letters.append(_to_section(topic, reason=reason))
    return tuple(letters)


def _correction(at: Circumstances, topic: str, faults: tuple[str, ...]) -> LetterOrder:
    due = at.calendar.workdays_after(at.today, at.rules.correction)
    facts = {"topic": topic, "faults": faults, "due": due}
    return LetterOrder(LetterKind.CORRECTION_REQUEST, Party.SENDER, facts=facts)


# --- intake ------------------------------------------------------------------------------------


def _ask_correction(event: CorrectionNeeded, at: Circumstances) -> Decision:
    text = "退回补正：" + "；".join(event.faults)
    return Decision(
        State.NEEDS_CORRECTION, event.name, text, letters=(_correction(at, "first", event.faults),)
    )


def _hold(problem: Problem, event: Held) -> Decision:
    question = QuestionOrder("held_problem", f"{problem.number}待核实：{event.reason}")
    notice = LetterOrder(LetterKind.HELD_NOTICE, Party.SENDER, facts={"reason": event.reason})
    return Decision(
        State.HELD, event.name, f"待核实：{event.reason}", letters=(notice,), questions=(question,)
    )


def _register(problem: Problem, event: Registered, at: Circumstances) -> Decision:
    """Registered: the secretary's wait for a session, the sections' go there at once."""
    receipt = LetterOrder(LetterKind.RECEIPT, Party.SENDER)
    questions: list[QuestionOrder] = []
    then: tuple[Event, ...] = ()
    if "section" in problem.levels:
        questions = [_unknown_section(problem, name, nearest) for name, nearest in event.unknown_sections]
        if event.sections and not questions and at.rules.referral == "automatic":
            then = _referral(event.sections, event.by)
        elif event.sections and not questions:
            payload = {"sections": list(event.sections)}
            questions.append(
                QuestionOrder("referral", f"是否将{problem.number}转所列科室办理", "同意", payload)
            )
        elif not questions:
            questions.append(QuestionOrder("referral", f"{problem.number}勾选了市局相关科室，但未写明科室"))
    return Decision(
        State.REGISTERED, event.name, "登记", letters=(receipt,), questions=tuple(questions), then=then
    )


def _referral(sections: tuple[int, ...], by: Actor) -> tuple[Event, ...]:
    return (Referred(by=by), Assigned(by=by, lead=sections[0], assists=sections[1:], in_receipt=True))


def _unknown_section(problem: Problem, name: str, nearest: tuple[str, ...]) -> QuestionOrder:
    hint = f"，相近的有：{'、'.join(nearest)}" if nearest else ""
    text = f"{problem.number}要求“{name}”配合解决，通讯录中没有这个科室{hint}"
    suggestion = nearest[0] if nearest else None
    return QuestionOrder("unknown_section", text, suggestion, {"name": name, "nearest": list(nearest)})


def _mend(problem: Problem, event: Corrected) -> Decision:
    registered = Registered(by=event.by, sections=event.sections, unknown_sections=event.unknown_sections)
    changes = {**event.changes, "version": problem.version + 1}
    if event.by.kind is UnitKind.SCHOOL:
        registered = replace(registered, by=Actor())
    return Decision(State.RECEIVED, event.name, _amendment_text(problem, event), changes, then=(registered,))


def _amend(problem: Problem, event: Corrected) -> Decision:
    letters = [LetterOrder(LetterKind.RECEIPT, Party.SENDER, facts={"topic": "amended"})]
    told = differences(problem, event.changes)
    if not told:
        pass  # The same once more: whoever handles it has nothing to read.
    elif problem.lead_section_id is not None:
        letters.append(_to_section("amended", changes="；".join(told)))
    elif problem.state in (State.LISTED, State.SUBMITTED, State.SELECTED):
        letters.append(_news("amended", to=Party.COMMITTEE_OFFICE, changes="；".join(told)))
    changes = {**event.changes, "version": problem.version + 1}
    return Decision(problem.state, event.name, _amendment_text(problem, event), changes, tuple(letters))


def _amendment_text(problem: Problem, event: Corrected) -> str:
    told = differences(problem, event.changes)
    return f"更正为第{problem.version + 1}版" + (f"（{'；'.join(told)}）" if told else "")


COLUMN_LABELS: Mapping[str, str] = {
    "reporting_unit": "填报单位",
    "problem": "难点问题",
    "details": "具体内容及诉求",
    "levels": "反馈层级",
    "sections_asked": "涉及科室",
    "remarks": "备注",
}


def differences(before: object, values: Mapping[str, object]) -> tuple[str, ...]:
    """What newer values change in a problem, in Chinese, each with the old and the new value."""
    pairs = (
        (label, _in_words(getattr(before, name)), _in_words(values[name]))
        for name, label in COLUMN_LABELS.items()
        if name in values
    )
    return tuple(f"{label}由“{old}”改为“{new}”" for label, old, new in pairs if old != new)


def _in_words(value: object) -> str:
    if isinstance(value, (tuple, list)):
        return "、".join(LEVEL_NAMES.get(str(one), str(one)) for one in value) or "未填"
    return str(value) if value else "未填"


# --- instruction and assignment ----------------------------------------------------------------


def _instruct(problem: Problem, event: Instructed) -> Decision:
    instruction = f"{problem.instruction}\n{event.text}" if problem.instruction else event.text
    letters = (
        (_to_section("instruction", instruction=event.text),) if problem.lead_section_id is not None else ()
    )
    return Decision(
        problem.state, event.name, f"书记批示：{event.text}", {"instruction": instruction}, letters
    )


def _assign(problem: Problem, event: Assigned, at: Circumstances) -> Decision:
    deadline = event.deadline or at.calendar.workdays_after(at.today, at.rules.handling)
    if deadline < at.today:
        return _ask_deadline(problem, event, deadline, at)
    assists = tuple(section for section in event.assists if section != event.lead)
    changes = {"lead_section_id": event.lead, "assist_section_ids": assists, "deadline": deadline}
    letter = LetterOrder(
        LetterKind.ASSIGNMENT,
        Party.LEAD_SECTION,
        (Party.ASSIST_SECTIONS, Party.COMMITTEE_OFFICE),
        {"deadline": deadline, "kept_because": event.kept_because},
    )
    # A school hears of the referral when the section is known that it is to talk to: for it nothing is new
    # where that section wanted to give the problem back and may not.
    kept = event.kept_because is not None
    told = (_news("referred"),) if problem.state is State.REFERRED and not (event.in_receipt or kept) else ()
    text = f"{'退回未获同意，仍' if kept else ''}交办，办结时限{deadline.isoformat()}"
    return Decision(State.ASSIGNED, event.name, text, changes, (letter, *told))


def _ask_deadline(problem: Problem, event: Assigned, past: date, at: Circumstances) -> Decision:
    """Nobody can be given a day that is past: the office sets another, and then the section gets it."""
    fresh = at.calendar.workdays_after(at.today, at.rules.handling)
    payload = {"lead": event.lead, "assists": list(event.assists), "suggested": fresh.isoformat()}
    text = f"{problem.number}的办结时限{chinese_day(past)}已过，请另定"
    question = QuestionOrder("deadline", text, f"定为{chinese_day(fresh)}", payload)
    said = f"办结时限{past.isoformat()}已过，未交办"
    return Decision(problem.state, ASSIGNMENT_QUESTIONED, said, questions=(question,))


def _decline_assignment(problem: Problem, event: DeclinedAssignment, at: Circumstances) -> Outcome:
    assigned = at.day(at.course.assigned_at or problem.state_since)
    last = at.calendar.workdays_after(assigned, at.rules.decline)
    if at.today > last:
        return Refusal(
            f"退回应在交办后{at.rules.decline}个工作日内（{chinese_day(last)}前）提出，请与工委办联系"
        )
    back = State.SELECTED if at.course.selected else State.REFERRED
    question = QuestionOrder(
        "reassignment",
        f"{event.by.name}退回{problem.number}：{event.reason or '未写理由'}。请改派承办科室",
        payload={"former_section_id": problem.lead_section_id},
    )
    changes = {"lead_section_id": None, "assist_section_ids": ()}
    text = f"{event.by.name}退回：{event.reason or '未写理由'}"
    return Decision(back, event.name, text, changes, questions=(question,))


def _ask_to_leave(problem: Problem, event: DeclinedAssignment) -> Decision:
    """An assisting section does not want to: the office decides, and the lead goes on meanwhile."""
    text = f"{event.by.name}申请不再协办：{event.reason or '未写理由'}"
    question = QuestionOrder("assist_declined", text, payload={"section_id": event.by.unit_id})
    return Decision(problem.state, NOTED, text, questions=(question,))


def _change_assists(problem: Problem, event: Reassigned) -> Decision:
    """The lead stays, and so does the state."""
    before, after = problem.assist_section_ids, event.assists
    gone = [section for section in before if section not in after]
    fresh = tuple(section for section in after if section not in before)
    letters = [_news("unassisted", to=Party.FORMER_SECTION, former_section_id=section) for section in gone]
    if fresh:
        letters.append(LetterOrder(LetterKind.ASSIGNMENT, Party.ASSIST_SECTIONS, facts={"sections": fresh}))
    changes = {"assist_section_ids": after, "deadline": event.deadline or problem.deadline}
    return Decision(problem.state, NOTED, "调整协办科室", changes, tuple(letters))


def _reassign(problem: Problem, event: Reassigned) -> Outcome:
    if event.lead == problem.lead_section_id and set(event.assists) == set(problem.assist_section_ids):
        return Refusal(f"{problem.number}已由该科室承办")
    if event.lead == problem.lead_section_id:
        return _change_assists(problem, event)
    deadline = event.deadline or problem.deadline
    changes = {"lead_section_id": event.lead, "assist_section_ids": event.assists, "deadline": deadline}
    letters = (
        LetterOrder(
            LetterKind.ASSIGNMENT, Party.LEAD_SECTION, (Party.ASSIST_SECTIONS,), {"deadline": deadline}
        ),
        _news("reassigned", to=Party.FORMER_SECTION, former_section_id=problem.lead_section_id),
    )
    return Decision(State.ASSIGNED, event.name, "改派承办科室", changes, letters)


# --- handling ----------------------------------------------------------------------------------


def _handled(problem: Problem, state: State, event: Event, given: Mapping[str, str], text: str) -> Decision:
    handling = {**problem.handling, **given}
    said = text if problem.state is not State.ASSIGNED else f"{text}（视同签收）"
    return Decision(state, event.name, said, {"handling": handling})


def _arrange_visit(problem: Problem, event: VisitArranged, at: Circumstances) -> Decision:
    """The day of the visit: a section proposes it, the office's word invites everybody."""
    when = visit_text(event.day, event.start)
    handling = {**problem.handling, "一线办理日期": when}
    if event.participants:
        handling["参加人员"] = event.participants
    if event.day < at.today:  # it took place, or was meant to
        return Decision(problem.state, NOTED, f"一线办理日期：{when}", {"handling": handling})
    facts = {"day": event.day, "start": event.start, "participants": event.participants}
    if event.by.kind is UnitKind.SECTION:
        payload = {"when": when, "participants": event.participants}
        question = QuestionOrder(
            "visit", f"{event.by.name}拟于{when}一线办理{problem.number}", payload=payload
        )
        text = f"拟于{when}一线办理，待工委办审定"
        return Decision(problem.state, VISIT_ASKED, text, {"handling": handling}, questions=(question,))
    letters = tuple(
        LetterOrder(LetterKind.VISIT_INVITATION, party, copies, facts)
        for party, copies in (
            (Party.SCHOOL, ()),
            (Party.LEAD_SECTION, (Party.COMMITTEE_OFFICE,)),
            (Party.ASSIST_SECTIONS, ()),
            (Party.SECRETARY, ()),
        )
    )
    changes = {"on_site_date": event.day, "handling": handling}
    return Decision(problem.state, event.name, f"定于{when}一线办理", changes, letters)


def _decline_visit(problem: Problem, event: VisitDeclined) -> Decision:
    """The proposed day is off: the section names another; a day that was agreed on before stands again."""
    when = problem.handling.get("一线办理日期")
    handling = {name: text for name, text in problem.handling.items() if name != "一线办理日期"}
    if problem.on_site_date is not None:
        handling["一线办理日期"] = problem.on_site_date.isoformat()
    text = f"{event.chinese}（{when}）" + (f"：{event.reason}" if event.reason else "")
    told = _to_section("visit_declined", when=when, reason=event.reason)
    return Decision(problem.state, event.name, text, {"handling": handling}, (told,))


def _on_site(problem: Problem, event: OnSite, at: Circumstances) -> Outcome:
    """The visit's outcome: solved, or measures, or the secretary takes it over."""
    fault = _fault_of_measures(event.measures, needed=event.outcome is OnSiteOutcome.SOLUTION_SET)
    if fault:
        return Refusal(fault)
    if event.day is not None and event.day > at.today:
        return Refusal(f"一线办理日期{chinese_day(event.day)}尚未到，不能填写办理结果")
    changes = {
        "on_site_outcome": event.outcome,
        "on_site_date": event.day or problem.on_site_date or at.today,
        "measures": event.measures,
        "handling": {**problem.handling, **event.handling},
    }
    match event.outcome:
        case OnSiteOutcome.SOLVED_ON_SITE:
            then: tuple[Event, ...] = (CompletionReported(by=event.by, result="现场解决"),)
            return Decision(State.ON_SITE, event.name, "一线办理：现场解决", changes, then=then)
        case OnSiteOutcome.SOLUTION_SET:
            text = f"一线办理：制定解决方案，任务措施{len(event.measures)}项"
            assists, told = _responsible(problem, event.measures, at)
            return Decision(
                State.ON_SITE, event.name, text, {**changes, **assists}, (_news("measures"), *told)
            )
        case OnSiteOutcome.SECRETARY_HANDLES:
            brief = LetterOrder(
                LetterKind.SECRETARY_BRIEF,
                Party.SECRETARY,
                (Party.COMMITTEE_OFFICE,),
                {"topic": "secretary_handles"},
            )
            return Decision(State.ON_SITE, event.name, "一线办理：提请书记协调办理", changes, (brief,))


def _fault_of_measures(measures: tuple[Measure, ...], *, needed: bool) -> str | None:
    if needed and not measures:
        return "制定解决方案须列明任务措施、责任部门和完成时限"
    for position, measure in enumerate(measures, start=1):
        if not (measure.measure.strip() and measure.department.strip() and measure.deadline):
            return f"第{position}项任务措施缺少措施内容、责任部门或完成时限"
    return None


def _responsible(
    problem: Problem, measures: tuple[Measure, ...], at: Circumstances
) -> tuple[Mapping[str, Any], tuple[LetterOrder, ...]]:
    """The sections that measures name assist from now on, and hear of it."""
    named = dict.fromkeys(section for one in measures for section in at.departments.get(one.department, ()))
    known = (problem.lead_section_id, *problem.assist_section_ids)
    fresh = tuple(section for section in named if section not in known)
    if not fresh:
        return {}, ()
    letter = LetterOrder(LetterKind.ASSIGNMENT, Party.ASSIST_SECTIONS, facts={"sections": fresh})
    return {"assist_section_ids": (*problem.assist_section_ids, *fresh)}, (letter,)


def _chase_on_order(problem: Problem, event: Chased, at: Circumstances) -> Decision:
    """The office's own 催办: to the sections whose measures are missed, else not done yet; else to the lead."""
    lead = problem.lead_section_id
    undone = [one for one in problem.measures if not one.done]
    missed = [one for one in undone if one.deadline is not None and one.deadline < at.today]
    owing = {section for one in missed or undone for section in at.departments.get(one.department, (lead,))}
    others = tuple(sorted(section for section in owing if section is not None and section != lead))
    to_lead = not others or lead in owing or (problem.deadline is not None and problem.deadline < at.today)
    letters = []
    if to_lead:
        letters.append(LetterOrder(LetterKind.SECTION_CHASE, Party.LEAD_SECTION, facts={"topic": "ordered"}))
    if others:
        facts = {"topic": "ordered", "sections": others}
        copy = () if to_lead else (Party.LEAD_SECTION,)
        letters.append(LetterOrder(LetterKind.SECTION_CHASE, Party.ASSIST_SECTIONS, copy, facts))
    return Decision(problem.state, event.name, f"{event.by.name}催办", letters=tuple(letters))


def _set_measures(problem: Problem, event: MeasuresSet, at: Circumstances) -> Outcome:
    fault = _fault_of_measures(event.measures, needed=True)
    if fault:
        return Refusal(fault)
    text = f"任务措施共{len(event.measures)}项"
    assists, told = _responsible(problem, event.measures, at)
    return Decision(problem.state, event.name, text, {"measures": event.measures, **assists}, told)


def _complete_own_measure(problem: Problem, event: CompletionReported, at: Circumstances) -> Outcome:
    """办结 of a section that does not lead: the one measure that it is responsible for."""
    own = [
        place
        for place, one in enumerate(problem.measures)
        if not one.done and event.by.unit_id in at.departments.get(one.department, ())
    ]
    if not own:
        return Refusal(f"{problem.number}的办结由牵头科室报告，协办科室请报告进展")
    if len(own) > 1:
        return Refusal(
            f"{problem.number}由你科负责的任务措施有{len(own)}项未完成，请在办理单“完成情况”栏逐项填写"
        )
    done = MeasureDone(by=event.by, position=own[0], completion=event.result or "已完成")
    return _complete_measure(problem, done, at)


def _complete_measure(problem: Problem, event: MeasureDone, at: Circumstances) -> Outcome:
    if not 0 <= event.position < len(problem.measures):
        return Refusal(f"没有第{event.position + 1}项任务措施")
    measures = tuple(
        replace(measure, done=True, completion=event.completion or None)
        if position == event.position
        else measure
        for position, measure in enumerate(problem.measures)
    )
    left = sum(not measure.done for measure in measures)
    text = f"第{event.position + 1}项任务措施完成：{event.completion}" + (
        "（全部完成，可报办结）" if not left else ""
    )
    changes = {"measures": measures, "last_progress_at": at.now}
    return Decision(_in_progress(problem, event, at), event.name, text, changes)


def _in_progress(problem: Problem, event: Event, at: Circumstances) -> State:
    """The state after a word of progress: the whole procedure goes on step by step."""
    if _assisting(problem, event.by):
        return problem.state
    if problem.state is State.ASSIGNED and at.course.whole_procedure:
        return State.ACCEPTED
    if problem.state in (State.ACCEPTED, State.PLANNED, State.SURVEYED) and at.course.whole_procedure:
        return problem.state
    return State.IN_PROGRESS


def _progress(problem: Problem, event: Progressed, at: Circumstances) -> Decision:
    entry = f"{at.today.isoformat()} {event.by.name}：{event.text}"
    before = problem.handling.get("办理进展")
    handling = {**problem.handling, "办理进展": f"{before}\n{entry}" if before else entry}
    if _assisting(problem, event.by):  # what the lead section owes, it still owes
        return Decision(problem.state, NOTED, f"协办科室报告进展：{event.text}", {"handling": handling})
    changes = {"handling": handling, "last_progress_at": at.now}
    return Decision(_in_progress(problem, event, at), event.name, event.text, changes)


def _ask_extension(problem: Problem, event: ExtensionAsked, at: Circumstances) -> Outcome:
    deadline = problem.deadline
    if deadline is None:
        return Refusal(f"{problem.number}没有办结时限，不需要延期")
    if at.today > deadline:
        return Refusal(f"办结时限{chinese_day(deadline)}已过，延期应在到期前申请，请与工委办联系")
    if event.until <= deadline:
        return Refusal(f"申请的日期{chinese_day(event.until)}不晚于现办结时限{chinese_day(deadline)}")
    text = f"申请延期至{event.until.isoformat()}：{event.reason or '未写理由'}"
    payload = {"until": event.until.isoformat(), "reason": event.reason}
    question = QuestionOrder("extension", f"{event.by.name}对{problem.number}{text}", payload=payload)
    return Decision(problem.state, event.name, text, questions=(question,))


def _decide_extension(problem: Problem, event: ExtensionDecided, at: Circumstances) -> Outcome:
    if not at.course.extension_pending:
        return Refusal(f"{problem.number}没有待审批的延期申请")
    facts = {"agree": event.agree, "until": event.until, "reason": event.reason, "deadline": problem.deadline}
    letter = LetterOrder(LetterKind.EXTENSION_DECISION, Party.LEAD_SECTION, (Party.ASSIST_SECTIONS,), facts)
    if not event.agree:
        text = f"不同意延期：{event.reason or '未写理由'}"
        return Decision(problem.state, event.name, text, letters=(letter,))
    if event.until is None:
        return Refusal("同意延期须写明延至何日")
    text = f"同意延期至{event.until.isoformat()}（原时限{problem.deadline}）"
    return Decision(problem.state, event.name, text, {"deadline": event.until}, (letter,))


# --- closing -----------------------------------------------------------------------------------


def _report_completion(problem: Problem, event: CompletionReported) -> Decision:
    result = event.result or problem.handling.get("完成情况") or ""
    undone = [measure.measure for measure in problem.measures if not measure.done]
    doubt = f"；另有{len(undone)}项任务措施未报完成" if undone else ""
    handling = {**problem.handling, "完成情况": result} if result else dict(problem.handling)
    changes = {"handling": handling, "office_agreed": False, "satisfaction": None}
    question = QuestionOrder(
        "completion",
        f"{event.by.name}报告{problem.number}办结：{result or '未写结果'}{doubt}。是否同意办结",
        payload={"undone": undone},
    )
    facts = {"result": result}
    letters = (
        (LetterOrder(LetterKind.CALLBACK, Party.SCHOOL, facts=facts),) if problem.unit_id is not None else ()
    )
    text = f"报告办结：{result or '未写结果'}{doubt}"
    return Decision(State.COMPLETION_REPORTED, event.name, text, changes, letters, (question,))


def _may_close(problem: Problem, at: Circumstances) -> bool:
    """The office agreed, and the school is content, or silent for long, or there is no school to ask."""
    content = problem.satisfaction in ("satisfied", "mostly_satisfied")
    return problem.office_agreed and (content or problem.unit_id is None or at.course.callback_silent)


def _agree_completion(problem: Problem, event: OfficeDecided, at: Circumstances) -> Decision:
    agreed = replace(problem, office_agreed=True)
    if _may_close(agreed, at):
        closed = (Closed(by=event.by),)
        return Decision(problem.state, event.name, "工委办同意办结", {"office_agreed": True}, then=closed)
    return Decision(problem.state, event.name, "工委办同意办结，待学校回访", {"office_agreed": True})


def _satisfied(problem: Problem, event: CalledBack) -> Outcome:
    name = SATISFACTION_NAMES.get(event.satisfaction)
    if name is None:
        return Refusal("回访答复应为满意、基本满意或不满意")
    changes = {"satisfaction": event.satisfaction}
    if problem.office_agreed:
        return Decision(problem.state, event.name, f"学校回访：{name}", changes, then=(Closed(),))
    return Decision(problem.state, event.name, f"学校回访：{name}，待工委办审核", changes)


def _silence(problem: Problem, event: CallbackSilent, at: Circumstances) -> Decision:
    text = f"学校{at.rules.callback}个工作日内未答复回访"
    question = QuestionOrder("close_alone", f"{problem.number}：{text}，不视为满意。是否由工委办单独办结")
    return Decision(problem.state, event.name, text, questions=(question,))


def _close(problem: Problem, event: Closed, at: Circumstances) -> Decision:
    silent = problem.unit_id is not None and problem.satisfaction is None
    letters = [_news("result", result=problem.handling.get("完成情况"))]
    if not problem.handling.get("长效机制"):
        due = at.calendar.workdays_after(at.today, at.rules.mechanism)
        facts = {"due": due}
        letters.append(LetterOrder(LetterKind.MECHANISM_REQUEST, Party.LEAD_SECTION, facts=facts))
    text = "办结" + ("（学校未答复回访，工委办单独办结）" if silent else "")
    return Decision(
        State.CLOSED, event.name, text, {"office_agreed": True, "closed_at": at.now}, tuple(letters)
    )


def _later(problem: Problem, at: Circumstances) -> date:
    """The deadline of rework: the old one if it leaves time enough, else that of the rules."""
    fresh = at.calendar.workdays_after(at.today, at.rules.rework)
    return max(problem.deadline, fresh) if problem.deadline else fresh


def _rework(problem: Problem, name: str, text: str, reason: str | None, at: Circumstances) -> Decision:
    deadline = _later(problem, at)
    changes = {"office_agreed": False, "satisfaction": None, "deadline": deadline}
    facts = {"reason": reason, "deadline": deadline, "topic": name}
    letter = LetterOrder(
        LetterKind.REWORK, Party.LEAD_SECTION, (Party.ASSIST_SECTIONS, Party.COMMITTEE_OFFICE), facts
    )
    return Decision(State.REWORK, name, text, changes, (letter,))


def _reopen(problem: Problem, event: CalledBack | Reopened, at: Circumstances) -> Outcome:
    closed = at.day(problem.closed_at or problem.state_since)
    last = closed + timedelta(days=at.rules.reopen_days)
    if at.today > last:
        return Refusal(
            f"{problem.number}已于{chinese_day(closed)}办结，异议应在{chinese_day(last)}前提出，可作为新问题上报"
        )
    decision = _rework(
        problem, Reopened.name, f"对办结有异议，重新办理：{event.reason or '未写理由'}", event.reason, at
    )
    return replace(decision, state=State.REOPENED, changes={**decision.changes, "closed_at": None})


# --- side ways ---------------------------------------------------------------------------------


def _merge(problem: Problem, event: Merged) -> Decision:
    letters = [_news("merged", into=event.into)]
    if problem.lead_section_id is not None:
        letters.append(_to_section("merged", into=event.into))
    return Decision(
        State.MERGED, event.name, f"并入{event.into}", {"merged_into": event.into}, tuple(letters)
    )


def _withdraw(problem: Problem, event: Withdrawn) -> Decision:
    letters = list(_everybody(problem, "withdrawn", event.reason))
    if problem.session:
        letters.append(_news("withdrawn", to=Party.COMMITTEE_OFFICE, reason=event.reason))
    text = "撤回" + (f"：{event.reason}" if event.reason else "")
    return Decision(State.WITHDRAWN, event.name, text, letters=tuple(letters))


def _ask_withdrawal(problem: Problem, event: Withdrawn) -> Decision:
    """A section is at work already: the office decides."""
    text = f"{event.by.name}申请撤回" + (f"：{event.reason}" if event.reason else "")
    question = QuestionOrder(
        "withdrawal", f"{problem.number}正在办理，{text}。是否同意", payload={"reason": event.reason}
    )
    return Decision(problem.state, WITHDRAWAL_ASKED, text, questions=(question,))


def _suspend(problem: Problem, event: Suspended) -> Decision:
    text = f"挂账：{event.reason or '未写理由'}"
    return Decision(State.SUSPENDED, event.name, text, letters=_everybody(problem, "suspended", event.reason))


def _inspect(problem: Problem, event: Inspected) -> Outcome:
    if problem.lead_section_id is None:
        return Refusal(f"{problem.number}尚未交办科室，督查情况请直接告知工委办")
    facts = {"finding": event.text}
    letter = LetterOrder(
        LetterKind.INSPECTION_FINDING, Party.LEAD_SECTION, (Party.LEAD_HEAD, Party.COMMITTEE_OFFICE), facts
    )
    return Decision(problem.state, event.name, f"局办公室督查：{event.text}", letters=(letter,))


def _claim(problem: Problem, event: Claimed) -> Decision:
    text = f"{event.by.name}称已报送，核对前暂停催办"
    question = QuestionOrder("claim", f"{problem.number}：{event.by.name}称已报送。经核对是否属实")
    return Decision(problem.state, event.name, text, questions=(question,))
