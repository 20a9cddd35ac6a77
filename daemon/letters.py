"""The letters the office sends: what each kind needs to know. One frozen dataclass a kind.

Who gets a letter, and when, is decided elsewhere; `rendering` gives it its words.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from typing import ClassVar

from daemon import typesetting
from daemon.envelope import (
    Attachment as Attachment,
    Rendered as Rendered,
    compose as compose,
    new_message_id as new_message_id,
    sendable as sendable,
)
from daemon.model import LEVEL_NAMES as LEVEL_NAMES, LetterKind, Light
from parsers.values import Form, Severity, Value

# --- what letters are made of ---------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Fact:
    """A label and what was understood; no value means 未填. `mend` marks what must be corrected."""

    label: str
    value: str | None = None
    mend: bool = False

    @property
    def shown(self) -> str:
        return self.value or "（未填）"


@dataclass(frozen=True, slots=True)
class Mend:
    """One thing to correct, and where in the document it stands."""

    text: str
    where: str | None = None


@dataclass(frozen=True, slots=True)
class Filed:
    """A form, or one problem of a form, that was filed: the read-back."""

    title: str
    """《难点问题报告表》第1项, 2021年11—12月统计表 …"""
    number: str
    facts: tuple[Fact, ...]
    next_step: str | None = None
    """What the office does with it now, one sentence."""


@dataclass(frozen=True, slots=True)
class Returned:
    """A form that must be corrected."""

    title: str
    mends: tuple[Mend, ...]
    facts: tuple[Fact, ...] = ()
    attachment: str | None = None
    """Name of the marked copy that goes with the letter."""
    fields: tuple[str, ...] = ()
    """What must be mended, by the names of the fields; with a row where there are several."""


@dataclass(frozen=True, slots=True)
class FileNote:
    """A file that came along and could not be used, and why."""

    name: str
    why: str


@dataclass(frozen=True, slots=True)
class Answer:
    """Words that can be answered, and what they bring about."""

    words: str
    effect: str


@dataclass(frozen=True, slots=True)
class ProblemLine:
    """One problem as lists show it."""

    number: str
    problem: str
    unit: str
    lead: str | None = None
    deadline: date | None = None
    light: Light = Light.NONE
    state: str | None = None
    note: str | None = None


@dataclass(frozen=True, slots=True)
class ListedProblem:
    """One problem on the list for the secretary; `order` is the number he may answer with."""

    order: int
    number: str
    unit: str
    problem: str
    details: str
    source: str
    levels: str
    similar: str | None = None
    """Breadth: 6所学校反映同类问题 … and why they are held similar."""


@dataclass(frozen=True, slots=True)
class SectionLoad:
    """A section's open problems by light."""

    section: str
    open: int
    blue: int = 0
    yellow: int = 0
    red: int = 0


@dataclass(frozen=True, slots=True)
class SchoolLine:
    """A school on a list of the statistics: missing, late, to be corrected."""

    unit: str
    contact: str | None = None
    phone: str | None = None
    note: str | None = None


@dataclass(frozen=True, slots=True)
class HeldMail:
    """A mail that waits for a person."""

    mail: str
    sender: str
    subject: str
    why: str
    since: datetime


@dataclass(frozen=True, slots=True)
class Figure:
    """A figure with that of last time beside it."""

    label: str
    value: int
    before: int | None = None


# --- the letters ------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class Letter:
    """What every letter has: to whom, the day beneath the signature, the tag of its subject."""

    kind: ClassVar[LetterKind]
    to_name: str
    """主送, as in the directory; never a name out of a mail."""
    date: date
    number: str | None = None
    code: str | None = None
    attachments: tuple[str, ...] = ()
    """Names of the files that go with it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Receipt(Letter):
    """A form arrived and is filed; several forms of one mail make one letter."""

    kind = LetterKind.RECEIPT
    received_at: datetime
    filed: tuple[Filed, ...]
    to_mend: tuple[Returned, ...] = ()
    correct_by: date | None = None
    notes: tuple[str, ...] = ()
    """Warnings that were kept and should be looked at."""
    unread: tuple[FileNote, ...] = ()
    corrected: bool = False
    """It answers a correction request: 补正完成."""
    mended_at: datetime | None = None
    """When the correction came; `received_at` stays that of the first mail."""
    version: int = 1
    signed_copy: str | None = None
    orders: bool = False
    """It reads back what was ordered by a returned workbook or in words, not a form."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StatisticsReceipt(Letter):
    """A statistics return is filed."""

    kind = LetterKind.STATISTICS_RECEIPT
    received_at: datetime
    covers: str
    due: date
    filed: tuple[Filed, ...]
    late: bool = False
    frozen: bool = False
    """The period was already summed up: the office decides whether the summary is made anew."""
    nil: bool = False
    notes: tuple[str, ...] = ()
    unread: tuple[FileNote, ...] = ()
    corrected: bool = False
    version: int = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class CorrectionRequest(Letter):
    """A form must be corrected; the marked copy goes with it, the first receipt counts."""

    kind = LetterKind.CORRECTION_REQUEST
    received_at: datetime
    to_mend: tuple[Returned, ...]
    correct_by: date
    filed: tuple[Filed, ...] = ()
    unread: tuple[FileNote, ...] = ()
    again: bool = False
    """An earlier request was answered, but something is still missing."""
    reminder: bool = False
    """An earlier request was not answered."""

    @property
    def example(self) -> str | None:
        """How the missing cells are given in words; None if that is not possible for all of them."""
        fields = dict.fromkeys(field for form in self.to_mend for field in form.fields)
        values = [EXAMPLES.get(field) for field in fields]
        if len(self.to_mend) != 1 or not values or None in values:
            return None
        return "更正 " + "，".join(f"{FIELD_LABELS[field]} {EXAMPLES[field]}" for field in fields)


class HeldReason(StrEnum):
    """Why a mail waits for a person; each has its own words in held_notice/."""

    UNKNOWN_SENDER = "unknown_sender"
    UNCERTAIN = "uncertain"
    NO_FORM = "no_form"
    UNREADABLE = "unreadable"
    OVERSIZE = "oversize"
    UNCLEAR_REPLY = "unclear_reply"
    UNAUTHORISED = "unauthorised"
    PERIOD_UNCLEAR = "period_unclear"
    TOO_LARGE = "too_large"
    PLAIN_ANSWER = "plain_answer"
    """好的 to something that wants a plain answer: the writer alone can give it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class HeldNotice(Letter):
    """A mail arrived but a person must look at it first; says what the sender can do meanwhile."""

    kind = LetterKind.HELD_NOTICE
    reason: HeldReason
    received_at: datetime
    their_subject: str
    facts: tuple[Fact, ...] = ()
    doubts: tuple[Mend, ...] = ()
    files: tuple[FileNote, ...] = ()
    answers: tuple[Answer, ...] = ()
    """For an unclear reply: the words that would have been understood."""
    why: str | None = None
    """For an unclear reply: why it could not be carried out."""
    you: str = "你单位"
    """How the letter speaks to whom it goes to."""


class QuestionKind(StrEnum):
    """What the office is asked; each has its own words in question/."""

    UNKNOWN_SENDER = "unknown_sender"
    UNCERTAIN = "uncertain"
    NO_FORM = "no_form"
    UNREADABLE = "unreadable"
    UNCLEAR_REPLY = "unclear_reply"
    UNAUTHORISED = "unauthorised"
    SECTION_UNKNOWN = "section_unknown"
    PERIOD_UNCLEAR = "period_unclear"
    REFERRAL = "referral"
    DECLINED_ASSIGNMENT = "declined_assignment"
    EXTENSION = "extension"
    COMPLETION = "completion"
    WITHDRAWAL = "withdrawal"
    REOPENING = "reopening"
    CHOICE = "choice"
    CIRCULAR = "circular"
    ORDER = "order"
    LATE_RETURN = "late_return"
    CLAIM = "claim"
    CLOSE_ALONE = "close_alone"
    CHOICE_PENDING = "choice_pending"
    CORRECTION_OVERDUE = "correction_overdue"
    CIRCULAR_EDITED = "circular_edited"
    DEADLINE = "deadline"
    VISIT = "visit"
    ASSIST_DECLINED = "assist_declined"
    WHICH_PROBLEM = "which_problem"
    """To the secretary: which of several problems his words are about."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Question(Letter):
    """Something the office must decide by answering this letter."""

    kind = LetterKind.QUESTION
    question: QuestionKind
    about: str
    """In a few words what it is about; goes into the subject."""
    facts: tuple[Fact, ...] = ()
    quoted: str | None = None
    """The sender's own words."""
    suggestion: str | None = None
    """What the daemon would do: a unit's name, a section, `同意` …"""
    candidates: tuple[str, ...] = ()
    doubts: tuple[Mend, ...] = ()
    answer_by: date | None = None
    detail: str | None = None
    """The value the question turns on: a requested date, an order's wording, a period."""
    no_means: str | None = None
    """What 否 brings about, where that is not simply nothing: the other of two periods."""
    known_sender: bool = False
    """The mailbox stands in the directory: what is unknown is whose the form is."""


class News(StrEnum):
    """What a school is told of its problem; each has its own words in problem_news/."""

    LISTED = "listed"
    SELECTED = "selected"
    REFERRED = "referred"
    REASSIGNED = "reassigned"
    MEASURES = "measures"
    RESULT = "result"
    DECLINED = "declined"
    MERGED = "merged"
    WITHDRAWN = "withdrawn"
    SUSPENDED = "suspended"
    REOPENED = "reopened"
    RESUMED = "resumed"
    HANDED_OVER = "handed_over"
    """To the section that led before."""
    NOTICE = "notice"
    """To a section or the office: something changed about a problem in hand."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ProblemNews(Letter):
    """What has become of a school's problem."""

    kind = LetterKind.PROBLEM_NEWS
    news: News
    problem: ProblemLine
    reported_at: datetime
    reported: bool = True
    """By the school itself; else it is a clue of another source, of whose origin the school hears nothing."""
    session: str | None = None
    instruction: str | None = None
    detail: str | None = None
    """A reason, a result, the number it was merged into: what the piece of news is about."""
    measures: tuple[tuple[str, str, date | None], ...] = ()
    """任务措施, 责任部门, 完成时限."""


@dataclass(frozen=True, slots=True, kw_only=True)
class VisitInvitation(Letter):
    """An invitation to the on-site visit, with an .ics."""

    kind = LetterKind.VISIT_INVITATION
    session: str
    problems: tuple[ProblemLine, ...]
    day: date
    time: str | None = None
    """上午9:00, if it is settled."""
    place: str | None = None
    participants: tuple[str, ...] = ()
    changed: bool = False
    """It replaces an earlier invitation."""
    to_secretary: bool = False
    """He is asked whether the day suits him."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Callback(Letter):
    """Asks a school whether it is satisfied with the result."""

    kind = LetterKind.CALLBACK
    problem: ProblemLine
    result: str
    answer_by: date
    reported: bool = True
    """By the school itself."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StatisticsOpening(Letter):
    """A statistics period opens; the prefilled form goes with it."""

    kind = LetterKind.STATISTICS_OPENING
    covers: str
    due: date
    prefilled: tuple[Fact, ...] = ()
    last_time: tuple[Fact, ...] = ()
    without_platform: bool = False
    is_reminder: bool = False
    """It goes out so late that it serves as the reminder too."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StatisticsReminder(Letter):
    """The due day is near and nothing has come."""

    kind = LetterKind.STATISTICS_REMINDER
    covers: str
    due: date
    working_days_left: int
    awaiting_correction: bool = False
    """A form came, but went back for correction."""
    without_platform: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class StatisticsChase(Letter):
    """The due day has passed; level 2 is copied to the party secretary."""

    kind = LetterKind.STATISTICS_CHASE
    covers: str
    due: date
    level: int
    listed_on: date | None = None
    """The day the missing list goes to the office."""
    awaiting_correction: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class ProblemList(Letter):
    """The list for the secretary to choose from."""

    kind = LetterKind.PROBLEM_LIST
    session: str
    problems: tuple[ListedProblem, ...]
    choose_by: date
    reminder: bool = False
    doubt: str | None = None
    """Why the first answer is questioned: more than two picks, or none."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DecisionReadback(Letter):
    """What was understood of the secretary's choice; the office's 确认 makes it good."""

    kind = LetterKind.DECISION_READBACK
    session: str
    selected: tuple[ProblemLine, ...]
    referred: tuple[ProblemLine, ...] = ()
    instruction: str | None = None
    for_office: bool = False
    """This copy goes to the office, which confirms; else it goes to the secretary."""
    doubt: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class SecretaryBrief(Letter):
    """The secretary's regular brief on what he chose."""

    kind = LetterKind.SECRETARY_BRIEF
    figures: tuple[Figure, ...]
    selected: tuple[ProblemLine, ...] = ()
    needs_secretary: tuple[ProblemLine, ...] = ()
    overdue: tuple[ProblemLine, ...] = ()
    closed: tuple[ProblemLine, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Assignment(Letter):
    """A problem is given to a section, with the handling sheet and the school's form."""

    kind = LetterKind.ASSIGNMENT
    problem: ProblemLine
    facts: tuple[Fact, ...]
    accept_by: date
    decline_by: date
    plan_by: date | None = None
    lead: bool = True
    lead_name: str | None = None
    assist_names: tuple[str, ...] = ()
    selected: bool = False
    """The secretary chose it: plan, survey and on-site visit are asked for."""
    instruction: str | None = None
    reassigned_from: str | None = None
    kept_because: str | None = None
    """Why the section may not give it back; empty if nobody said why, None if it did not want to."""


class Offer(StrEnum):
    """What a section may answer; in this order letters offer it."""

    ACCEPT = "accept"
    DECLINE = "decline"
    PLAN = "plan"
    MEASURE = "measure"
    """Of a section that is responsible for a measure and leads nothing."""
    SHEET = "sheet"
    PROGRESS = "progress"
    EXTEND = "extend"
    COMPLETE = "complete"
    REPORTED = "reported"


Offers = tuple[tuple[Offer, str], ...]
"""What is offered, each with the number of a problem that it fits."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SectionDigest(Letter):
    """A section's problems of the day, in one letter."""

    kind = LetterKind.SECTION_DIGEST
    due_soon: tuple[ProblemLine, ...] = ()
    to_accept: tuple[ProblemLine, ...] = ()
    progress_due: tuple[ProblemLine, ...] = ()
    in_hand: tuple[ProblemLine, ...] = ()
    offers: Offers


@dataclass(frozen=True, slots=True, kw_only=True)
class SectionChase(Letter):
    """A date was missed: level 1 to the section, 2 also to its head, 3 also to the bureau office.

    Level 0 is the office's own 催办, whether or not a date was missed.
    """

    kind = LetterKind.SECTION_CHASE
    level: int
    problems: tuple[ProblemLine, ...]
    answer_by: date
    due_soon: tuple[ProblemLine, ...] = ()
    """Problems of the same section whose deadline is near: one letter a day, not two."""
    offers: Offers


@dataclass(frozen=True, slots=True, kw_only=True)
class ExtensionDecision(Letter):
    kind = LetterKind.EXTENSION_DECISION
    problem: ProblemLine
    granted: bool
    asked_until: date
    deadline: date
    """The deadline that holds now."""
    reason: str | None = None
    """Why it was refused."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Rework(Letter):
    """A completion was not accepted."""

    kind = LetterKind.REWORK
    problem: ProblemLine
    by_school: bool
    reason: str
    deadline: date


@dataclass(frozen=True, slots=True, kw_only=True)
class InspectionFinding(Letter):
    kind = LetterKind.INSPECTION_FINDING
    problem: ProblemLine
    finding: str
    rectify_by: date
    inspected_by: str


@dataclass(frozen=True, slots=True, kw_only=True)
class MechanismRequest(Letter):
    kind = LetterKind.MECHANISM_REQUEST
    problem: ProblemLine
    result: str
    write_by: date


@dataclass(frozen=True, slots=True, kw_only=True)
class AssignmentSheet(Letter):
    """The prefilled assignment sheet for the office to complete and return."""

    kind = LetterKind.ASSIGNMENT_SHEET
    session: str
    selected: tuple[ProblemLine, ...]
    referred: tuple[ProblemLine, ...] = ()
    return_by: date
    instruction: str | None = None
    reminder: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class MorningBrief(Letter):
    """The office's morning: what is new, held, due, overdue, bounced."""

    kind = LetterKind.MORNING_BRIEF
    figures: tuple[Figure, ...]
    new: tuple[ProblemLine, ...] = ()
    held: tuple[HeldMail, ...] = ()
    due_soon: tuple[ProblemLine, ...] = ()
    overdue: tuple[ProblemLine, ...] = ()
    behind: tuple[ProblemLine, ...] = ()
    """Past a milestone, not yet past the deadline."""
    sections: tuple[SectionLoad, ...] = ()
    bounced: tuple[SchoolLine, ...] = ()
    returns: tuple[Figure, ...] = ()
    """Progress of the open statistics period: 已报, 待补正, 待核实, 未报."""
    covers: str | None = None
    due: date | None = None
    failed: tuple[str, ...] = ()
    """Letters that could not be sent."""
    pending: tuple[HeldMail, ...] = ()
    """Questions that wait for the office's answer."""
    skipped: tuple[str, ...] = ()
    """Letters that downtime made useless: which, and why."""


@dataclass(frozen=True, slots=True, kw_only=True)
class MissingList(Letter):
    kind = LetterKind.MISSING_LIST
    covers: str
    due: date
    expected: int
    missing: tuple[SchoolLine, ...]
    to_mend: tuple[SchoolLine, ...] = ()
    late: tuple[SchoolLine, ...] = ()
    bounced: tuple[SchoolLine, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Rollup(Letter):
    """The summary of a statistics period, with its workbook."""

    kind = LetterKind.ROLLUP
    covers: str
    due: date
    expected: int
    filed: int
    figures: tuple[Figure, ...]
    missing: tuple[str, ...] = ()
    late: tuple[str, ...] = ()
    checks: tuple[Mend, ...] = ()
    """Soft checks: what to look at, by school."""
    changes: tuple[str, ...] = ()
    """What changed, if it was made anew."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Ledger(Letter):
    kind = LetterKind.LEDGER
    figures: tuple[Figure, ...]
    as_of: datetime
    report: bool = False
    """It is the report to the committee, which edits nothing."""


@dataclass(frozen=True, slots=True, kw_only=True)
class OverdueList(Letter):
    """Overdue problems, to the bureau office."""

    kind = LetterKind.OVERDUE_LIST
    problems: tuple[ProblemLine, ...]
    newly: int = 0
    """How many of them stand on the list for the first time."""
    sections: tuple[SectionLoad, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class CircularDraft(Letter):
    """A circular drafted from frozen figures, for 同意 before it goes to all."""

    kind = LetterKind.CIRCULAR_DRAFT
    title: str
    paragraphs: tuple[str, ...]
    recipients: int
    frozen_at: datetime
    why: str | None = None
    """Why there is a new draft, if it takes the place of another."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Circular(Letter):
    """The confirmed circular, to all."""

    kind = LetterKind.CIRCULAR
    title: str
    paragraphs: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Alarm(Letter):
    """Something the administrator must see to."""

    kind = LetterKind.ALARM
    what: str
    detail: str
    remedy: str
    since: datetime
    host: str | None = None


LETTERS: Mapping[LetterKind, type[Letter]] = {
    letter.kind: letter
    for letter in (
        Receipt, CorrectionRequest, HeldNotice, ProblemNews, VisitInvitation, Callback,
        StatisticsOpening, StatisticsReminder, StatisticsChase, StatisticsReceipt,
        ProblemList, DecisionReadback, SecretaryBrief,
        Assignment, SectionDigest, SectionChase, ExtensionDecision, Rework, InspectionFinding,
        MechanismRequest,
        AssignmentSheet, Question, MorningBrief, MissingList, Rollup, Ledger,
        OverdueList, CircularDraft, Circular, Alarm,
    )
}  # fmt: skip


# --- from what was read to what a letter shows --------------------------------------------------------

FIELD_LABELS: Mapping[str, str] = {
    "reporting_unit": "填报单位",
    "principal": "主要负责人",
    "contact_name": "联系人",
    "contact_phone": "联系电话",
    "reported_on": "填报时间",
    "problem": "难点问题",
    "details": "具体内容及诉求",
    "levels": "反馈层级",
    "sections": "涉及科室",
    "remarks": "备注",
    "unit": "单位名称",
    "party_branches": "党支部数",
    "platforms": "建立平台数",
    "sessions_held": "举办次数",
    "problems_solved": "解决问题数量",
}
EXAMPLES: Mapping[str, str] = {
    "reporting_unit": "贵港市××中学",
    "principal": "李××",
    "contact_name": "张××",
    "contact_phone": "0775-4512345",
    "reported_on": "2022年1月4日",
    "problem": "食堂排水管道老化",
    "details": "管道渗漏，请协调维修经费",
    "levels": "市局相关科室",
    "remarks": "无",
    "unit": "贵港市××中学",
    "party_branches": "4",
    "platforms": "1",
    "sessions_held": "2",
    "problems_solved": "3",
}
"""What an example of a correction by words says in a field."""
FORM_TITLES: Mapping[str, str] = {
    "problem_report": "《难点问题报告表》",
    "statistics": "《“难点问题书记一线办”开展情况统计表》",
}


def facts_of(form: Form, item: int) -> tuple[Fact, ...]:
    """The read-back of one item of a form: every field, the empty ones too."""
    faulty = {finding.field for finding in form.findings if finding.severity is Severity.ERROR}
    path = f"{form.items_key}[{item}]"
    head = [_fact(name, value, name in faulty) for name, value in form.fields.items()]
    body = [_fact(name, value, f"{path}.{name}" in faulty) for name, value in form.items[item].items()]
    return (*head, *body)


def _fact(name: str, value: Value, mend: bool) -> Fact:
    return Fact(FIELD_LABELS.get(name, name), _shown(value), mend)


def _shown(value: Value) -> str | None:
    if isinstance(value, tuple):
        return "、".join(LEVEL_NAMES.get(part, part) for part in value) or None
    if isinstance(value, date):
        return typesetting.chinese_date(value)
    return None if value is None else str(value)


def returned_form(form: Form, attachment: str | None = None) -> Returned:
    """What a correction request says about a form: its faults in the form's order, and the read-back."""
    errors = tuple(
        Mend(finding.text, finding.where) for finding in form.findings if finding.severity is Severity.ERROR
    )
    facts = facts_of(form, 0) if len(form.items) == 1 else ()
    fields = (finding.field for finding in form.findings if finding.severity is Severity.ERROR)
    if len(form.items) == 1:
        fields = (field.rpartition(".")[2] for field in fields)
    return Returned(FORM_TITLES.get(form.kind, form.part), errors, facts, attachment, tuple(fields))


def notes_of(form: Form) -> tuple[str, ...]:
    """The warnings about a form, one line each."""
    kept = (finding for finding in form.findings if finding.severity is Severity.WARNING)
    return tuple(f"{finding.text}（{finding.where}）" if finding.where else finding.text for finding in kept)


def next_step(
    levels: Iterable[str],
    sections: Iterable[str],
    *,
    given_to: str | None = None,
    deadline: date | None = None,
    unknown: Sequence[str] = (),
) -> str:
    """What the office does with a filed problem, by its feedback level.

    `given_to`: whom it went to already. `unknown`: the sections that the directory does not know.
    """
    named = "、".join(sections) or "市局相关科室"
    chosen = set(levels)
    listed = "列入下一期难点问题清单，呈报市委教育工委书记研究"
    referred = f"经我办审核后转{named}办理"
    if given_to:
        limit = f"，办结时限为{typesetting.chinese_date(deadline)}" if deadline else ""
        referred = f"已转{given_to}办理{limit}，承办科室将与你校会商，请予配合"
    elif names := "”“".join(unknown):
        referred = f"所填科室“{names}”与现有科室名称不符，由我办先行核定承办科室，再行转办并函告你校"
    if chosen >= {"secretary", "section"}:
        return f"{listed}，同时转办；{referred}" if unknown and not given_to else f"{listed}，同时{referred}"
    return referred if "section" in chosen else listed


LIGHT_NAMES: Mapping[Light, str] = {
    Light.NONE: "正常",
    Light.BLUE: "蓝灯（临近时限）",
    Light.YELLOW: "黄灯（节点逾期）",
    Light.RED: "红灯（已超时限）",
}
