"""Letters about one problem, as a decision of the workflow orders them.

`problems` says what kind of letter goes to which party; here it gets its addresses, words, attachments and
a key of its own: the number of the line of history that ordered it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime

from daemon import documents, ledgers, letters, typesetting
from daemon.desk import Desk
from daemon.letters import Fact, News
from daemon.model import LetterKind, Source, Unit, UnitKind
from daemon.problems import LetterOrder as LetterOrder, Party
from daemon.recipients import TO_NAMES, Recipient, recipient, recipients
from daemon.standing import departments, line_of, offers, problem_facts, section_names
from daemon.store import questions, tables
from daemon.stored_forms import stored_form


def school_form(desk: Desk, row: tables.Problem) -> list[letters.Attachment]:
    """The form that the school had sent, if the problem came by one."""
    filing = desk.session.get(tables.Filing, row.filing_id) if row.filing_id else None
    if filing is None or not filing.document:
        return []
    name = filing.document_name or "难点问题报告表"
    return [letters.Attachment(name, filing.document, "application/octet-stream")]


def handling_sheet(desk: Desk, row: tables.Problem) -> ledgers.SentFile:
    """The problem's handling sheet as it stands, with a version of its own."""
    name = f"workbook:handling_sheet:{row.number}"
    version = int(questions.note(desk.session, name) or 0) + 1
    questions.set_note(desk.session, name, str(version), desk.now)
    lead = next(iter(section_names(desk, (row.lead_section_id,))), "未定")
    assists = section_names(desk, row.assist_section_ids)
    return ledgers.handling_sheet(questions.problem_value(row), version, lead, assists)


XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"


def attached(file: ledgers.SentFile) -> letters.Attachment:
    """A workbook as it goes with a letter."""
    return letters.Attachment(file.name, file.data, XLSX)


# ------------------------------------------------------------------------------------------- letters


@dataclass(frozen=True, slots=True)
class Draft:
    """A letter about a problem on its way: to whom, in which cause."""

    desk: Desk
    row: tables.Problem
    order: LetterOrder
    to: Recipient
    party: Party
    mail: tables.Mail | None
    former: int | None = None
    """The section that led before, if it was another."""

    @property
    def common(self) -> dict[str, object]:
        return {
            "to_name": self.to.name,
            "date": self.desk.today,
            "number": self.row.number,
            "code": self.row.code,
        }

    def fact(self, name: str) -> object:
        return self.order.facts.get(name)

    def text(self, name: str) -> str | None:
        value = self.order.facts.get(name)
        return str(value) if value else None

    def day(self, name: str) -> date | None:
        value = self.order.facts.get(name)
        return value if isinstance(value, date) else None


@dataclass(frozen=True, slots=True)
class Written:
    """A letter's words with what goes along."""

    letter: letters.Letter
    attachments: tuple[letters.Attachment, ...] = ()
    workbook: ledgers.SentFile | None = None


def write(
    desk: Desk,
    row: tables.Problem,
    order: LetterOrder,
    happening: int,
    mail: tables.Mail | None,
    former: int | None = None,
) -> int:
    """Write one ordered letter to everybody it is for; how many were written.

    `happening`: the line of history that ordered it. A letter that somebody else writes is left to them.
    """
    count = 0
    maker = MAKERS.get(order.kind)
    if maker is None:
        return count
    for party, copies in _addressed(order):
        for to in recipients(desk, row, order, party):
            made = maker(Draft(desk, row, order, to, party, mail, former))
            if made is None:
                continue
            cc = [a for c in copies for one in recipients(desk, row, order, c) for a in one.to]
            key = f"{order.kind.value}:{row.number}:{happening}:{party.value}:{to.unit.id if to.unit else 0}"
            count += send(desk, row, made, to, key, cc, mail, order.at_once)
    return count


def _addressed(order: LetterOrder) -> list[tuple[Party, tuple[Party, ...]]]:
    """The letters that one order makes: assisting sections get their own, others a copy."""
    own = tuple(p for p in order.cc if p is Party.ASSIST_SECTIONS and order.kind in OWN_COPY)
    copies = tuple(p for p in order.cc if p not in own)
    return [(order.to, copies), *((party, ()) for party in own)]


OWN_COPY = frozenset({LetterKind.ASSIGNMENT, LetterKind.SECTION_DIGEST})


def send(
    desk: Desk,
    row: tables.Problem,
    made: Written,
    to: Recipient,
    key: str,
    cc: Iterable[str] = (),
    mail: tables.Mail | None = None,
    at_once: bool = True,
) -> int:
    """Put a letter about a problem into the outbox; 1 if somebody can be written to, else 0."""
    context = {"workbook": made.workbook.sent.to_json()} if made.workbook else {}
    answers = mail if mail is not None and mail.sender in to.to else None
    files = [attached(made.workbook)] if made.workbook else []
    written = desk.write(
        made.letter,
        key=key,
        to=to.to,
        cc=cc,
        about=(row.number,),
        unit=to.unit,
        answers=answers,
        due_at=desk.now if at_once else working_moment(desk),
        attachments=[*files, *made.attachments],
        context=context,
    )
    return int(written is not None)


def working_moment(desk: Desk) -> datetime:
    """The next moment at which letters of the calendar's own go out."""
    return desk.calendar.next_working_moment(desk.now, desk.config.deadlines.working_hours, desk.config.zone)


# --- one maker a kind


TOPICS: Mapping[str, News] = {
    "listed": News.LISTED,
    "selected": News.SELECTED,
    "referred": News.REFERRED,
    "result": News.RESULT,
    "declined": News.DECLINED,
    "merged": News.MERGED,
    "withdrawn": News.WITHDRAWN,
    "suspended": News.SUSPENDED,
    "resumed": News.RESUMED,
    "reopened": News.REOPENED,
    "reassigned": News.REASSIGNED,
    "measures": News.MEASURES,
}
NOTICES: Mapping[str, str] = {
    "instruction": "书记批示：{instruction}",
    "procedure": "请按一线办理程序办理：制定工作方案，开展调研，组织现场会商",
    "amended": "填报单位更正了所报内容：{changes}",
    "merged": "已并入 {into} 办理，本件不再单独办理",
    "withdrawn": "填报单位已撤回，不再办理{reason}",
    "dissatisfied": "填报单位补充说明了不满意的理由{reason}",
    "unassisted": "经研究，此件不再请你科协助办理",
    "visit_declined": "所拟一线办理时间{when}未获同意{reason}，请另拟时间，填入办理单“一线办理日期”栏，作为附件回复本信",
    "suspended": "现予挂账，暂停计时{reason}",
    "resumed": "恢复办理，时限自即日起重新计算",
}
"""What a section or the office is told when something changes about a problem in hand."""


def _news(draft: Draft) -> Written | None:
    topic = draft.text("topic") or ""
    if draft.party is Party.FORMER_SECTION and topic == "reassigned":
        return Written(_told(draft, News.HANDED_OVER, None))
    if draft.party is not Party.SCHOOL:
        return _notice(draft)
    news = TOPICS.get(topic)
    if news is None or not (_reported(draft.row) or news in NEWS_OF_CLUES):
        return None
    detail = draft.text("into") or draft.text("result") or draft.text("reason")
    return Written(_told(draft, news, detail))


NEWS_OF_CLUES = frozenset({News.MEASURES, News.REOPENED})
"""What a school hears of a problem that others reported: what it must help with, and what it said itself.

The rest would only tell it that somebody complained.
"""


def _reported(row: tables.Problem) -> bool:
    """Whether the school reported the problem itself."""
    return row.source == Source.SCHOOL_REPORT.value


def _told(draft: Draft, news: News, detail: str | None) -> letters.ProblemNews:
    row = draft.row
    return letters.ProblemNews(
        **draft.common,  # type: ignore[arg-type]
        news=news,
        problem=line_of(draft.desk, row),
        reported_at=row.received_at,
        reported=_reported(row),
        session=row.session,
        instruction=row.instruction if news is News.SELECTED else None,
        detail=detail,
        measures=tuple((one.measure, one.department, one.deadline) for one in row.measures)
        if news is News.MEASURES
        else (),
    )


def _notice(draft: Draft) -> Written | None:
    wording = NOTICES.get(draft.text("topic") or "")
    if wording is None:
        return None
    reason = f"（{draft.text('reason')}）" if draft.text("reason") else ""
    detail = wording.format(
        instruction=draft.text("instruction") or "",
        changes=draft.text("changes") or "",
        into=draft.text("into") or "",
        when=draft.text("when") or "",
        reason=reason,
    )
    return Written(_told(draft, News.NOTICE, detail))


def _assignment(draft: Draft) -> Written:
    desk, row = draft.desk, draft.row
    rules, lead = desk.office.workflow_rules, draft.party is Party.LEAD_SECTION
    history = questions.events_of(desk.session, row.number)
    whole = any(event.event in ("selected", "procedure_asked") for event in history)
    sheet = handling_sheet(desk, row)
    letter = letters.Assignment(
        **draft.common,  # type: ignore[arg-type]
        problem=line_of(desk, row),
        facts=(*problem_facts(row), *_own_measures(draft)),
        accept_by=desk.workdays_on(rules.accept),
        decline_by=desk.workdays_on(rules.decline),
        plan_by=desk.workdays_on(rules.accept + rules.plan) if whole and lead else None,
        lead=lead,
        lead_name=next(iter(section_names(desk, (row.lead_section_id,))), None),
        assist_names=section_names(desk, row.assist_section_ids),
        selected=whole,
        instruction=row.instruction,
        reassigned_from=next(iter(section_names(desk, (draft.former,))), None) if lead else None,
        kept_because=draft.order.facts.get("kept_because") if lead else None,
    )
    return Written(letter, tuple(school_form(desk, row)), sheet)


def _own_measures(draft: Draft) -> list[Fact]:
    """The measures of an assisting section."""
    row, unit = draft.row, draft.to.unit
    own = departments(draft.desk, questions.problem_value(row).measures)
    if draft.party is Party.LEAD_SECTION or unit is None:
        return []
    return [
        Fact("由你科负责", f"{one.measure}（{typesetting.chinese_date(one.deadline)}前完成）")
        for one in row.measures
        if unit.id in own.get(one.department, ()) and one.deadline and not one.done
    ]


def _callback(draft: Draft) -> Written:
    letter = letters.Callback(
        **draft.common,  # type: ignore[arg-type]
        problem=line_of(draft.desk, draft.row),
        result=draft.text("result") or "承办科室未写明，详情请向承办科室了解",
        answer_by=draft.desk.workdays_on(draft.desk.office.workflow_rules.callback),
        reported=_reported(draft.row),
    )
    return Written(letter)


def _extension(draft: Draft) -> Written:
    until = draft.day("until") or draft.row.deadline or draft.desk.today
    letter = letters.ExtensionDecision(
        **draft.common,  # type: ignore[arg-type]
        problem=line_of(draft.desk, draft.row),
        granted=bool(draft.fact("agree")),
        asked_until=until,
        deadline=draft.row.deadline or until,
        reason=draft.text("reason"),
    )
    return Written(letter)


def _rework(draft: Draft) -> Written:
    by_school = draft.text("topic") in ("called_back", "reopened")
    letter = letters.Rework(
        **draft.common,  # type: ignore[arg-type]
        problem=line_of(draft.desk, draft.row),
        by_school=by_school,
        reason=draft.text("reason") or "未写明，请主动联系填报单位了解",
        deadline=draft.row.deadline or draft.desk.today,
    )
    return Written(letter)


def _finding(draft: Draft) -> Written:
    letter = letters.InspectionFinding(
        **draft.common,  # type: ignore[arg-type]
        problem=line_of(draft.desk, draft.row),
        finding=draft.text("finding") or "",
        rectify_by=draft.desk.workdays_on(5),
        inspected_by=TO_NAMES[UnitKind.BUREAU_OFFICE],
    )
    return Written(letter)


def _mechanism(draft: Draft) -> Written:
    rules = draft.desk.office.workflow_rules
    letter = letters.MechanismRequest(
        **draft.common,  # type: ignore[arg-type]
        problem=line_of(draft.desk, draft.row),
        result=draft.row.handling.get("完成情况") or "已办结",
        write_by=draft.day("due") or draft.desk.workdays_on(rules.mechanism),
    )
    return Written(letter, (), handling_sheet(draft.desk, draft.row))


def _invitation(draft: Draft) -> Written | None:
    desk, row, day = draft.desk, draft.row, draft.day("day")
    if day is None:
        return None
    earlier = [
        one
        for one in questions.letters_about(desk.session, row.number, LetterKind.VISIT_INVITATION)
        if draft.to.unit is not None and one.unit_id == draft.to.unit.id
    ]
    people, start = draft.text("participants"), draft.order.facts.get("start")
    letter = letters.VisitInvitation(
        **draft.common,  # type: ignore[arg-type]
        session=row.session or row.number,
        problems=(line_of(desk, row),),
        day=day,
        place=row.reporting_unit,
        time=typesetting.visit_hour(start),
        participants=tuple(people.replace("，", "、").split("、")) if people else (),
        to_secretary=draft.party is Party.SECRETARY,
        changed=bool(earlier),
    )
    entry = documents.visit_calendar(
        uid=f"visit-{row.number}-{row.code}@{desk.config.mailbox.address.rpartition('@')[2]}",
        sequence=len(earlier),
        written_at=desk.now,
        day=day,
        start=start,
        summary=f"难点问题书记一线办：{row.problem}",
        place=row.reporting_unit,
        description=f"{row.number} {row.problem}\n填报单位：{row.reporting_unit}",
        organizer_name=desk.config.office.name,
        organizer_address=desk.config.mailbox.address,
        zone=desk.config.zone,
    )
    return Written(letter, (entry,))


def _chase(draft: Draft) -> Written:
    own = (f"{one.label}：{one.value}" for one in _own_measures(draft))
    note = "；".join(own) or None
    letter = letters.SectionChase(
        **draft.common,  # type: ignore[arg-type]
        level=0,
        problems=(line_of(draft.desk, draft.row, note),),
        answer_by=draft.desk.workdays_on(2),
        offers=offers(
            draft.desk, draft.to.unit, [(questions.problem_value(draft.row), None)], draft.desk.today
        ),
    )
    return Written(letter)


def _secretary_handles(draft: Draft) -> Written:
    letter = letters.SecretaryBrief(
        to_name=draft.to.name,
        date=draft.desk.today,
        number=draft.row.number,
        code=draft.row.code,
        figures=(letters.Figure("提请书记协调办理", 1),),
        needs_secretary=(line_of(draft.desk, draft.row, draft.row.handling.get("调研情况·症结")),),
    )
    return Written(letter)


def correction_reminder(
    desk: Desk, rows: Sequence[tables.Problem], to: Recipient, correct_by: date
) -> Written | None:
    """The correction request once more, with the marked copy made anew; None if there is no form.

    `rows`: the problems of one form.
    """
    first = rows[0]
    filing = desk.session.get(tables.Filing, first.filing_id) if first.filing_id else None
    if filing is None:
        return None
    form = stored_form(filing)
    copy = documents.marked_copy(
        form, identity=" ".join(row.number for row in rows), office=desk.office.contact
    )
    letter = letters.CorrectionRequest(
        to_name=to.name,
        date=desk.today,
        number=first.number,
        code=first.code,
        received_at=filing.received_at,
        to_mend=(letters.returned_form(form, copy.name),),
        correct_by=correct_by,
        reminder=True,
    )
    return Written(letter, (copy,))


def _correction(draft: Draft) -> Written | None:
    """A reminder of a correction; the first request is written where the form is received."""
    if draft.text("topic") != "ordered":
        return None
    by = draft.desk.workdays_on(draft.desk.config.deadlines.correction)
    return correction_reminder(draft.desk, (draft.row,), draft.to, by)


MAKERS: Mapping[LetterKind, Callable[[Draft], Written | None]] = {
    LetterKind.PROBLEM_NEWS: _news,
    LetterKind.SECTION_DIGEST: _notice,
    LetterKind.ASSIGNMENT: _assignment,
    LetterKind.CALLBACK: _callback,
    LetterKind.EXTENSION_DECISION: _extension,
    LetterKind.REWORK: _rework,
    LetterKind.INSPECTION_FINDING: _finding,
    LetterKind.MECHANISM_REQUEST: _mechanism,
    LetterKind.VISIT_INVITATION: _invitation,
    LetterKind.SECTION_CHASE: _chase,
    LetterKind.SECRETARY_BRIEF: _secretary_handles,
    LetterKind.CORRECTION_REQUEST: _correction,
}
"""Receipts and held notices are missing: whoever receives a mail answers it."""


# ----------------------------------------------------------------------------------------- read-backs


def tell_asker(desk: Desk, question: tables.Question, why: str) -> None:
    """Tell whoever's mail made us ask the office that the office decided against it."""
    asked_by = questions.mail(desk.session, question.mail_id) if question.mail_id else None
    units = desk.directory.at_address(asked_by.sender) if asked_by is not None else ()
    if asked_by is not None and units:
        read_back(desk, asked_by, units[0], (), (why,))


def read_back(
    desk: Desk,
    mail: tables.Mail,
    unit: Unit,
    carried: Sequence[letters.Filed],
    refused: Sequence[str],
    sheet: ledgers.SentFile | None = None,
) -> None:
    """Tell the sender what was carried out and what was not, with a handling sheet as it now stands."""
    about = [sheet.sent.about] if sheet else []
    numbers = tuple(dict.fromkeys((*(filed.number for filed in carried), *about)))
    row = questions.problem(desk.session, numbers[0]) if len(numbers) == 1 else None
    desk.write(
        letters.Receipt(
            to_name=recipient(unit).name,
            date=desk.today,
            number=row.number if row else None,
            code=row.code if row else None,
            received_at=mail.received_at,
            filed=tuple(carried),
            notes=tuple(dict.fromkeys(refused)),
            orders=True,
        ),
        key=f"receipt:mail:{mail.id}",
        to=(mail.sender,),
        about=numbers,
        unit=unit,
        answers=mail,
        attachments=[attached(sheet)] if sheet else [],
        context={"workbook": sheet.sent.to_json()} if sheet else {},
    )
