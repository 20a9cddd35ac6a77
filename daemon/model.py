"""The words of the domain as values: states, roles, kinds, and the records that rules decide about.

Everything here is frozen and knows nothing of databases, mail or the clock.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from enum import StrEnum


class State(StrEnum):
    """States of a problem; product.md, "One problem"."""

    RECEIVED = "received"
    REGISTERED = "registered"
    LISTED = "listed"
    SUBMITTED = "submitted"
    SELECTED = "selected"
    REFERRED = "referred"
    ASSIGNED = "assigned"
    ACCEPTED = "accepted"
    PLANNED = "planned"
    SURVEYED = "surveyed"
    ON_SITE = "on_site"
    IN_PROGRESS = "in_progress"
    COMPLETION_REPORTED = "completion_reported"
    CLOSED = "closed"
    ARCHIVED = "archived"
    NEEDS_CORRECTION = "needs_correction"
    HELD = "held"
    DECLINED = "declined"
    MERGED = "merged"
    WITHDRAWN = "withdrawn"
    SUSPENDED = "suspended"
    REWORK = "rework"
    REOPENED = "reopened"

    @property
    def chinese(self) -> str:
        return STATE_NAMES[self]


STATE_NAMES: Mapping[State, str] = {
    State.RECEIVED: "已收到",
    State.REGISTERED: "已登记",
    State.LISTED: "已列入清单",
    State.SUBMITTED: "已呈报书记",
    State.SELECTED: "书记选定",
    State.REFERRED: "转科室办理",
    State.ASSIGNED: "已交办",
    State.ACCEPTED: "已签收",
    State.PLANNED: "已定方案",
    State.SURVEYED: "已调研",
    State.ON_SITE: "已一线办理",
    State.IN_PROGRESS: "办理中",
    State.COMPLETION_REPORTED: "已报办结",
    State.CLOSED: "已办结",
    State.ARCHIVED: "已归档",
    State.NEEDS_CORRECTION: "待补正",
    State.HELD: "待核实",
    State.DECLINED: "不予受理",
    State.MERGED: "已并案",
    State.WITHDRAWN: "已撤回",
    State.SUSPENDED: "挂账",
    State.REWORK: "返工",
    State.REOPENED: "重新办理",
}

LEVEL_NAMES: Mapping[str, str] = {"secretary": "市委教育工委书记", "section": "市局相关科室"}
"""The feedback levels, as letters name them."""

ENDED_STATES = frozenset({State.CLOSED, State.ARCHIVED, State.DECLINED, State.MERGED, State.WITHDRAWN})


class Source(StrEnum):
    SCHOOL_REPORT = "school_report"
    CITY_LEADER = "city_leader"
    STATE_COUNCIL_PLATFORM = "state_council_platform"
    HOTLINE_12345 = "hotline_12345"
    INSPECTION = "inspection"
    SUPERVISION = "supervision"
    UNANNOUNCED_VISIT = "unannounced_visit"
    LETTERS_AND_VISITS = "letters_and_visits"

    @property
    def chinese(self) -> str:
        return SOURCE_NAMES[self]


SOURCE_NAMES: Mapping[Source, str] = {
    Source.SCHOOL_REPORT: "学校上报",
    Source.CITY_LEADER: "市领导交办",
    Source.STATE_COUNCIL_PLATFORM: "国务院“互联网+督查”平台",
    Source.HOTLINE_12345: "12345热线",
    Source.INSPECTION: "巡视巡察",
    Source.SUPERVISION: "督查检查",
    Source.UNANNOUNCED_VISIT: "明察暗访",
    Source.LETTERS_AND_VISITS: "来信来访",
}


class Light(StrEnum):
    """The flag of a problem's deadline; never a state."""

    NONE = "none"
    BLUE = "blue"
    """Due within three working days."""
    YELLOW = "yellow"
    """A milestone was missed."""
    RED = "red"
    """Past the deadline."""


class OnSiteOutcome(StrEnum):
    SOLVED_ON_SITE = "solved_on_site"
    SOLUTION_SET = "solution_set"
    SECRETARY_HANDLES = "secretary_handles"


ON_SITE_OUTCOME_NAMES: Mapping[OnSiteOutcome, str] = {
    OnSiteOutcome.SOLVED_ON_SITE: "现场解决",
    OnSiteOutcome.SOLUTION_SET: "制定解决方案",
    OnSiteOutcome.SECRETARY_HANDLES: "提请书记办理",
}


class Disposition(StrEnum):
    """The one fate of a mail; interfaces.md §4."""

    PENDING = "pending"
    FILED = "filed"
    RETURNED = "returned"
    CORRECTED = "corrected"
    REPLIED = "replied"
    HELD = "held"
    AUTOMATIC = "automatic"
    BOUNCE = "bounce"
    DUPLICATE = "duplicate"
    IGNORED = "ignored"
    QUARANTINED = "quarantined"

    @property
    def chinese(self) -> str:
        return DISPOSITION_NAMES[self]


DISPOSITION_NAMES: Mapping[Disposition, str] = {
    Disposition.PENDING: "待处理",
    Disposition.FILED: "已登记",
    Disposition.RETURNED: "已退回补正",
    Disposition.CORRECTED: "补正完成",
    Disposition.REPLIED: "已按回复办理",
    Disposition.HELD: "待人工核实",
    Disposition.AUTOMATIC: "自动邮件",
    Disposition.BOUNCE: "退信",
    Disposition.DUPLICATE: "重复邮件",
    Disposition.IGNORED: "已搁置",
    Disposition.QUARANTINED: "已隔离",
}


class LetterKind(StrEnum):
    """The kinds of letters; product.md, "Letters"."""

    # to schools
    RECEIPT = "receipt"
    CORRECTION_REQUEST = "correction_request"
    HELD_NOTICE = "held_notice"
    PROBLEM_NEWS = "problem_news"
    VISIT_INVITATION = "visit_invitation"
    CALLBACK = "callback"
    STATISTICS_OPENING = "statistics_opening"
    STATISTICS_REMINDER = "statistics_reminder"
    STATISTICS_CHASE = "statistics_chase"
    STATISTICS_RECEIPT = "statistics_receipt"
    # to the secretary
    PROBLEM_LIST = "problem_list"
    DECISION_READBACK = "decision_readback"
    SECRETARY_BRIEF = "secretary_brief"
    # to sections
    ASSIGNMENT = "assignment"
    SECTION_DIGEST = "section_digest"
    SECTION_CHASE = "section_chase"
    EXTENSION_DECISION = "extension_decision"
    REWORK = "rework"
    INSPECTION_FINDING = "inspection_finding"
    MECHANISM_REQUEST = "mechanism_request"
    # to the committee office
    ASSIGNMENT_SHEET = "assignment_sheet"
    QUESTION = "question"
    MORNING_BRIEF = "morning_brief"
    MISSING_LIST = "missing_list"
    ROLLUP = "rollup"
    LEDGER = "ledger"
    # to the bureau office, to all, to the administrator
    OVERDUE_LIST = "overdue_list"
    CIRCULAR_DRAFT = "circular_draft"
    CIRCULAR = "circular"
    ALARM = "alarm"

    @property
    def chinese(self) -> str:
        return LETTER_KIND_NAMES[self]


LETTER_KIND_NAMES: Mapping[LetterKind, str] = {
    LetterKind.RECEIPT: "收件回执",
    LetterKind.CORRECTION_REQUEST: "补正通知",
    LetterKind.HELD_NOTICE: "待核实告知",
    LetterKind.PROBLEM_NEWS: "问题进展",
    LetterKind.VISIT_INVITATION: "一线办理邀请",
    LetterKind.CALLBACK: "回访",
    LetterKind.STATISTICS_OPENING: "填报通知",
    LetterKind.STATISTICS_REMINDER: "填报提醒",
    LetterKind.STATISTICS_CHASE: "催报",
    LetterKind.STATISTICS_RECEIPT: "统计表回执",
    LetterKind.PROBLEM_LIST: "问题清单",
    LetterKind.DECISION_READBACK: "选定复核",
    LetterKind.SECRETARY_BRIEF: "书记专报",
    LetterKind.ASSIGNMENT: "交办",
    LetterKind.SECTION_DIGEST: "科室提要",
    LetterKind.SECTION_CHASE: "催办",
    LetterKind.EXTENSION_DECISION: "延期答复",
    LetterKind.REWORK: "返工通知",
    LetterKind.INSPECTION_FINDING: "督查意见",
    LetterKind.MECHANISM_REQUEST: "长效机制约稿",
    LetterKind.ASSIGNMENT_SHEET: "交办单",
    LetterKind.QUESTION: "请示",
    LetterKind.MORNING_BRIEF: "每日简报",
    LetterKind.MISSING_LIST: "未报名单",
    LetterKind.ROLLUP: "统计汇总",
    LetterKind.LEDGER: "台账",
    LetterKind.OVERDUE_LIST: "超期清单",
    LetterKind.CIRCULAR_DRAFT: "通报稿",
    LetterKind.CIRCULAR: "通报",
    LetterKind.ALARM: "故障告警",
}


class LetterState(StrEnum):
    QUEUED = "queued"
    SENT = "sent"
    FAILED = "failed"
    CANCELLED = "cancelled"


class ReturnState(StrEnum):
    """State of one school's return for one period; `missing` is shown, never stored."""

    MISSING = "missing"
    ACCEPTED = "accepted"
    RETURNED = "returned"
    HELD = "held"
    LATE = "late"

    @property
    def chinese(self) -> str:
        return RETURN_STATE_NAMES[self]


RETURN_STATE_NAMES: Mapping[ReturnState, str] = {
    ReturnState.MISSING: "未报",
    ReturnState.ACCEPTED: "已报",
    ReturnState.RETURNED: "待补正",
    ReturnState.HELD: "待核实",
    ReturnState.LATE: "迟报",
}


class UnitKind(StrEnum):
    SCHOOL = "school"
    SECTION = "section"
    SECRETARY = "secretary"
    COMMITTEE_OFFICE = "committee_office"
    BUREAU_OFFICE = "bureau_office"
    COMMITTEE = "committee"
    """教育工委: receives the committee report."""

    @property
    def chinese(self) -> str:
        return UNIT_KIND_NAMES[self]


UNIT_KIND_NAMES: Mapping[UnitKind, str] = {
    UnitKind.SCHOOL: "学校",
    UnitKind.SECTION: "科室",
    UnitKind.SECRETARY: "书记",
    UnitKind.COMMITTEE_OFFICE: "工委办",
    UnitKind.BUREAU_OFFICE: "局办公室",
    UnitKind.COMMITTEE: "教育工委",
}

OFFICE_KINDS = frozenset(
    {UnitKind.COMMITTEE_OFFICE, UnitKind.BUREAU_OFFICE, UnitKind.SECRETARY, UnitKind.COMMITTEE}
)


@dataclass(frozen=True, slots=True)
class Unit:
    """One entry of the directory: a school, a section, or an office role with its addresses."""

    id: int
    kind: UnitKind
    name: str
    short_names: tuple[str, ...] = ()
    head: str | None = None
    """Party secretary of a school, head of a section, the person of an office role."""
    head_addresses: tuple[str, ...] = ()
    """Where the head is reached; never empty for a unit that has any address (interfaces.md §5)."""
    contact: str | None = None
    phone: str | None = None
    addresses: tuple[str, ...] = ()
    """Every address of the entry in directory order, lower case; the first is the contact's."""
    learned_addresses: tuple[str, ...] = ()
    """Addresses that the office confirmed by answering a question."""
    order: int = 0
    """Place in the directory workbook."""

    @property
    def contact_address(self) -> str | None:
        return self.addresses[0] if self.addresses else None

    @property
    def all_addresses(self) -> tuple[str, ...]:
        return tuple(dict.fromkeys((*self.addresses, *self.head_addresses, *self.learned_addresses)))


@dataclass(frozen=True, slots=True)
class Measure:
    """One measure of an on-site solution; each is chased on its own."""

    measure: str
    department: str
    deadline: date | None
    done: bool = False
    id: int | None = None
    completion: str | None = None


@dataclass(frozen=True, slots=True)
class Problem:
    """One problem as the rules see it. Dates of deadlines are days; moments are aware."""

    number: str
    state: State
    reporting_unit: str
    problem: str
    details: str
    received_at: datetime
    state_since: datetime
    unit_id: int | None = None
    source: Source = Source.SCHOOL_REPORT
    levels: tuple[str, ...] = ()
    sections_asked: tuple[str, ...] = ()
    remarks: str | None = None
    version: int = 1
    lead_section_id: int | None = None
    assist_section_ids: tuple[int, ...] = ()
    deadline: date | None = None
    session: str | None = None
    merged_into: str | None = None
    instruction: str | None = None
    """The secretary's 批示, passed on word for word."""
    handling: Mapping[str, str] = field(default_factory=dict)
    """The living handling sheet: heading (interfaces.md §7) -> text."""
    on_site_outcome: OnSiteOutcome | None = None
    on_site_date: date | None = None
    measures: tuple[Measure, ...] = ()
    office_agreed: bool = False
    """The office's 同意 to the completion."""
    satisfaction: str | None = None
    """`satisfied`, `mostly_satisfied`, `dissatisfied`, or None while the school is silent."""
    last_progress_at: datetime | None = None
    closed_at: datetime | None = None
