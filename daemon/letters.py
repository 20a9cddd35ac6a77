"""The letters the office sends: what each kind needs to know, and its words as text and HTML.

One frozen dataclass a kind, one folder of mail_templates/ a kind. A template is written once and set
twice, as text and as HTML, so that both say the same. Who gets a letter, and when, is decided elsewhere.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from enum import Enum, StrEnum
from functools import cached_property
from pathlib import Path
from typing import Any, ClassVar, TypeVar, cast
from zoneinfo import ZoneInfo

import jinja2

from daemon import typesetting
from daemon.envelope import (
    Attachment as Attachment,
    Rendered as Rendered,
    compose as compose,
    new_message_id as new_message_id,
    sendable as sendable,
)
from daemon.errors import Permanent
from daemon.model import LetterKind, Light
from parsers.values import Form, Severity, Value

PACKAGED = Path(__file__).resolve().parent.parent / "mail_templates"


# --- what letters are made of ---------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Letterhead:
    """Who writes: the office as it stands over and under every letter."""

    name: str
    phone: str
    address: str
    zone: ZoneInfo


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


@dataclass(frozen=True, slots=True, kw_only=True)
class Callback(Letter):
    """Asks a school whether it is satisfied with the result."""

    kind = LetterKind.CALLBACK
    problem: ProblemLine
    result: str
    answer_by: date


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


@dataclass(frozen=True, slots=True, kw_only=True)
class SectionDigest(Letter):
    """A section's problems of the day, in one letter."""

    kind = LetterKind.SECTION_DIGEST
    due_soon: tuple[ProblemLine, ...] = ()
    to_accept: tuple[ProblemLine, ...] = ()
    progress_due: tuple[ProblemLine, ...] = ()
    in_hand: tuple[ProblemLine, ...] = ()


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
FORM_TITLES: Mapping[str, str] = {
    "problem_report": "《难点问题报告表》",
    "statistics": "《“难点问题书记一线办”开展情况统计表》",
}
LEVEL_NAMES: Mapping[str, str] = {"secretary": "市委教育工委书记", "section": "市局相关科室"}


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
    return Returned(FORM_TITLES.get(form.kind, form.part), errors, facts, attachment)


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
) -> str:
    """What the office does with a filed problem, by its feedback level; `given_to`: whom it went to already."""
    named = "、".join(sections) or "市局相关科室"
    chosen = set(levels)
    listed = "列入下一期难点问题清单，呈报市委教育工委书记研究"
    referred = f"经我办审核后转{named}办理"
    if given_to:
        limit = f"，办结时限为{typesetting.chinese_date(deadline)}" if deadline else ""
        referred = f"已转{given_to}办理{limit}，承办科室将与你校会商，请予配合"
    if chosen >= {"secretary", "section"}:
        return f"{listed}，同时{referred}"
    return referred if "section" in chosen else listed


# --- rendering ----------------------------------------------------------------------------------------


class Templates:
    """The templates of all letters: the administrator's directory first, the packaged ones second."""

    def __init__(self, overrides: Path | None = None) -> None:
        self.directories = tuple(path for path in (overrides, PACKAGED) if path is not None)
        self._text = self._environment("txt", autoescape=False)
        self._html = self._environment("html", autoescape=True)
        self._found: dict[tuple[jinja2.Environment, str, str], jinja2.Template] = {}

    def render(self, letter: Letter, letterhead: Letterhead) -> Rendered:
        """The letter's words. Raises Permanent if a template is faulty; the message names its place."""
        shown = _cleaned(letter, letterhead.zone)
        values = {"letter": shown, "office": letterhead}
        folder = letter.kind.value
        try:
            subject = self._text.get_template(f"{folder}/subject.txt").render(values)
            text = self._body(self._text, folder, "txt").render(values)
            html = self._body(self._html, folder, "html").render(values)
        except jinja2.TemplateError as error:
            raise Permanent(_place(error, folder), "请修改模板，或删去该模板以恢复自带的模板") from error
        tag = f"[{letter.number}#{letter.code}] " if letter.number and letter.code else ""
        text, html = (words.replace(typesetting.LINE, " ").rstrip() + "\n" for words in (text, html))
        return Rendered(tag + typesetting.one_line(subject), text, html)

    def _body(self, environment: jinja2.Environment, folder: str, form: str) -> jinja2.Template:
        """The letter's own template for this form, or the one for both; looked for once."""
        wanted = environment, folder, form
        if wanted not in self._found:
            self._found[wanted] = environment.select_template([f"{folder}/body.{form}", f"{folder}/body.j2"])
        return self._found[wanted]

    def _environment(self, form: str, *, autoescape: bool) -> jinja2.Environment:
        environment = jinja2.Environment(
            loader=jinja2.FileSystemLoader(self.directories),
            autoescape=autoescape,  # noqa: S701 (on for HTML)
            undefined=jinja2.StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
            auto_reload=False,
            cache_size=-1,
        )
        environment.filters.update(FILTERS)
        environment.filters["paragraphs"] = PARAGRAPHS[form]
        environment.globals["layout"] = f"layout/page.{form}"
        environment.globals.update(GLOBALS)
        environment.globals["say"] = _Macros(environment, f"layout/macros.{form}")
        return environment


class _Macros:
    """The macros of a layout, loaded at first use: `say.table(…)` in a template."""

    def __init__(self, environment: jinja2.Environment, name: str) -> None:
        self._environment = environment
        self._name = name

    @cached_property
    def _module(self) -> Any:
        return self._environment.get_template(self._name).module

    def __getattr__(self, name: str) -> Any:
        return getattr(self._module, name)


def render(letter: Letter, letterhead: Letterhead, templates: Templates) -> Rendered:
    """The letter's words as subject, text and HTML. Raises Permanent if a template is faulty."""
    return templates.render(letter, letterhead)


T = TypeVar("T")


def _cleaned(value: T, zone: ZoneInfo) -> T:
    """The same value with every text bounded and free of control characters, moments in the office's zone."""
    if isinstance(value, str):
        return value if isinstance(value, Enum) else cast(T, typesetting.clean_text(value))
    if isinstance(value, datetime):
        return cast(T, value.astimezone(zone))
    if isinstance(value, tuple):
        return cast(T, tuple(_cleaned(part, zone) for part in value))
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        fields = {f.name: _cleaned(getattr(value, f.name), zone) for f in dataclasses.fields(value)}
        return cast(T, type(value)(**fields))
    return value


def _place(error: jinja2.TemplateError, folder: str) -> str:
    """Where a template is faulty, in Chinese."""
    if isinstance(error, jinja2.TemplateSyntaxError):
        return f"信件模板 {error.name or folder} 第 {error.lineno} 行有误：{error.message}"
    return f"信件模板 {folder} 有误：{error.message}"


FILTERS: Mapping[str, Any] = {
    "day": typesetting.chinese_date,
    "plain_day": typesetting.signature_date,
    "moment": typesetting.chinese_moment,
    "short": typesetting.short,
    "one_line": typesetting.one_line,
    "session": typesetting.session_name,
    "text_facts": typesetting.text_facts,
    "text_table": typesetting.text_table,
    "text_lines": typesetting.text_lines,
    "text_right": typesetting.text_right,
    "text_centred": typesetting.text_centred,
    "html_lines": typesetting.html_lines,
}
LIGHT_NAMES: Mapping[Light, str] = {
    Light.NONE: "正常",
    Light.BLUE: "蓝灯（临近时限）",
    Light.YELLOW: "黄灯（节点逾期）",
    Light.RED: "红灯（已超时限）",
}
LIGHT_COLOURS: Mapping[Light, str] = {
    Light.NONE: "#3d7a3d",
    Light.BLUE: "#1f5fae",
    Light.YELLOW: "#b07a00",
    Light.RED: "#c01818",
}

SECTION_LEGEND = (
    ("已超时限", LIGHT_COLOURS[Light.RED]),
    ("节点逾期", LIGHT_COLOURS[Light.YELLOW]),
    ("临近时限", LIGHT_COLOURS[Light.BLUE]),
    ("正常", LIGHT_COLOURS[Light.NONE]),
)


def problem_rows(problems: Iterable[ProblemLine]) -> list[tuple[str, str, str]]:
    """Number, problem with its unit, and how it stands: what a list in a letter shows of each problem."""
    return [(line.number, f"{line.problem}（{line.unit}）", standing(line)) for line in problems]


def lead_rows(problems: Iterable[ProblemLine]) -> list[tuple[str, str, str]]:
    """Number, problem with its unit, and who leads: without lights, for invitations."""
    return [(line.number, f"{line.problem}（{line.unit}）", line.lead or "—") for line in problems]


def standing(line: ProblemLine, with_light: bool = True) -> str:
    """Who handles a problem until when, and how it stands."""
    pieces = (
        f"牵头：{line.lead}" if line.lead else None,
        f"时限：{typesetting.signature_date(line.deadline)}" if line.deadline else None,
        line.state,
        LIGHT_NAMES[line.light] if with_light and line.light is not Light.NONE else None,
        line.note,
    )
    return "；".join(piece for piece in pieces if piece) or "—"


def mend_rows(mends: Iterable[Mend]) -> list[tuple[str, str, str]]:
    """Number, fault and place, one row each."""
    return [(str(count), mend.text, mend.where or "—") for count, mend in enumerate(mends, 1)]


def file_rows(files: Iterable[FileNote]) -> list[tuple[str, str]]:
    """Name and reason, one row each."""
    return [(note.name, note.why) for note in files]


def answer_steps(answers: Iterable[Answer]) -> list[tuple[str, str]]:
    """The words of the answers with what they bring about, as an instruction block shows them."""
    return [(answer.words, answer.effect) for answer in answers]


def marked(facts: Iterable[Fact]) -> list[tuple[str, str]]:
    """Facts for plain text, what must be corrected said in words."""
    return [(fact.label, fact.shown + ("　←请补正" if fact.mend else "")) for fact in facts]


def measure_rows(measures: Iterable[tuple[str, str, date | None]]) -> list[tuple[str, str, str]]:
    """Measure, department, and the day it is due."""
    return [
        (measure, department or "—", typesetting.signature_date(due) if due else "—")
        for measure, department, due in measures
    ]


def held_rows(held: Iterable[HeldMail]) -> list[tuple[str, str, str]]:
    """Whose mail about what, why it is held, and since when."""
    return [
        (
            f"{mail.mail}　{mail.sender}：{typesetting.short(mail.subject)}",
            mail.why,
            typesetting.chinese_moment(mail.since),
        )
        for mail in held
    ]


def contact_rows(lines: Iterable[SchoolLine]) -> list[tuple[str, str, str]]:
    """A school, whom to call, and what is to be said of it."""
    return [
        (line.unit, " ".join(part for part in (line.contact, line.phone) if part) or "—", line.note or "—")
        for line in lines
    ]


def school_rows(lines: Iterable[SchoolLine], *names: str) -> list[tuple[str, ...]]:
    """A school and the named particulars."""
    return [(line.unit, *(getattr(line, name) or "—" for name in names)) for line in lines]


def figure_rows(figures: Iterable[Figure], last_time: str = "上期") -> list[tuple[str, str, str]]:
    """Label, figure, and the difference from last time."""
    return [(figure.label, str(figure.value), _difference(figure, last_time)) for figure in figures]


def _difference(figure: Figure, last_time: str) -> str:
    if figure.before is None:
        return "—"
    change = figure.value - figure.before
    return f"{last_time}{figure.before}，" + (
        "持平" if change == 0 else f"{'增加' if change > 0 else '减少'}{abs(change)}"
    )


def text_bars(rows: Iterable[tuple[str, int, Iterable[tuple[int, str]]]]) -> str:
    """Bars for plain text: a label, a bar of at most twenty blocks, the figure."""
    bars = [(label, total) for label, total, _ in rows]
    most = max((total for _, total in bars), default=0) or 1
    return typesetting.text_facts(
        (label, "■" * -(-total * 20 // most) + f" {total}") for label, total in bars
    )


def section_bars(sections: Iterable[SectionLoad]) -> list[tuple[str, int, list[tuple[int, str]]]]:
    """One bar a section: its open problems, parted by light."""
    return [
        (
            load.section,
            load.open,
            [
                (load.red, LIGHT_COLOURS[Light.RED]),
                (load.yellow, LIGHT_COLOURS[Light.YELLOW]),
                (load.blue, LIGHT_COLOURS[Light.BLUE]),
                (max(0, load.open - load.red - load.yellow - load.blue), LIGHT_COLOURS[Light.NONE]),
            ],
        )
        for load in sections
    ]


def figure_bars(figures: Iterable[Figure]) -> list[tuple[str, int, list[tuple[int, str]]]]:
    """One bar a figure."""
    return [(figure.label, figure.value, [(figure.value, LIGHT_COLOURS[Light.BLUE])]) for figure in figures]


REPLY_ABOVE = "回复请写在此线以上"
"""Stands between dashes over every letter; `parsers.own_words` takes all below it as quoted, whatever the
sender's mail program does to a quotation: no read-back of ours is taken for a new form or order."""
GLOBALS: Mapping[str, Any] = {
    "reply_above": REPLY_ABOVE,
    "LINE": typesetting.LINE,
    "light_names": LIGHT_NAMES,
    "light_colours": LIGHT_COLOURS,
    "problem_rows": problem_rows,
    "lead_rows": lead_rows,
    "standing": standing,
    "mend_rows": mend_rows,
    "file_rows": file_rows,
    "answer_steps": answer_steps,
    "marked": marked,
    "measure_rows": measure_rows,
    "held_rows": held_rows,
    "contact_rows": contact_rows,
    "school_rows": school_rows,
    "section_legend": SECTION_LEGEND,
    "figure_rows": figure_rows,
    "text_bars": text_bars,
    "section_bars": section_bars,
    "figure_bars": figure_bars,
    "text_table": typesetting.text_table,
    "text_lines": typesetting.text_lines,
}
PARAGRAPHS: Mapping[str, Any] = {
    "txt": typesetting.text_paragraphs,
    "html": typesetting.html_paragraphs,
}
