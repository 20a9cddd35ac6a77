"""The circular of a statistics period: drafted, approved by the committee or bureau office, sent to all.

What goes out is what was approved, word for word: the question that asks for the approval keeps it.
"""

from __future__ import annotations

import difflib
from base64 import b64decode, b64encode
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from datetime import date, datetime
from hashlib import sha256
from typing import Any, Final

from daemon import letters, typesetting
from daemon.circulars import OverdueMatter, circular_document, circular_paragraphs, circular_title
from daemon.clock import local_day
from daemon.desk import Desk
from daemon.envelope import Attachment
from daemon.figures import Figures, figures_from_json
from daemon.model import LetterKind, ReturnState, Unit, UnitKind
from daemon.period_records import PeriodRecords
from daemon.periods import Period, Step, step_key
from daemon.recipients import recipient
from daemon.standing import missed, work
from daemon.statistics_letters import DOCX, Prepared, office_of, rollup_file
from daemon.store import questions, tables
from parsers import drafts
from parsers.drafts import DRAFT_MARK, marked
from parsers.values import ReturnedDocument

CIRCULAR_QUESTION: Final = "statistics_circular"
REPLACED: Final = "已由新稿替代"
BOTH_DECIDE: Final = "文稿见附件，同时送局办公室审定，任一方答复“同意”即印发"
RECIPIENTS: Final = tuple(UnitKind)


@dataclass(frozen=True)
class Draft:
    """A circular before it is sent: its figures, and the overdue problems that it names."""

    figures: Figures
    overdue: tuple[OverdueMatter, ...] = ()

    @property
    def title(self) -> str:
        return circular_title(self.figures)

    @property
    def paragraphs(self) -> tuple[str, ...]:
        return tuple(paragraph.text for paragraph in circular_paragraphs(self.figures, self.overdue))

    def files(
        self, desk: Desk, identity: str | None = None, day: date | None = None
    ) -> tuple[Attachment, ...]:
        """The official document of a day and the table of all schools.

        With an identity they are a draft, else they are ready to be sent.
        """
        document = circular_document(
            self.figures, desk.config.office.name, day or desk.today, self.overdue, draft=identity
        )
        name = f"{self.title}{DRAFT_MARK if identity else ''}.docx"
        table = rollup_file(desk, self.figures, for_circular=True, draft=identity)
        return (Attachment(name, document, DOCX), table)

    def to_json(self) -> dict[str, Any]:
        overdue = [
            asdict(matter) | {"deadline": matter.deadline.isoformat() if matter.deadline else None}
            for matter in self.overdue
        ]
        return {"figures": self.figures.to_json(), "overdue": overdue}


def draft_from_json(value: dict[str, Any]) -> Draft:
    """The draft that `Draft.to_json` wrote."""
    overdue = (
        OverdueMatter(**{**one, "deadline": date.fromisoformat(one["deadline"]) if one["deadline"] else None})
        for one in value["overdue"]
    )
    return Draft(figures_from_json(value["figures"]), tuple(overdue))


def new_draft(desk: Desk, figures: Figures) -> Draft:
    """The circular about these figures and what is long overdue today."""
    return Draft(figures, tuple(_overdue_matters(desk)))


def _overdue_matters(desk: Desk) -> list[OverdueMatter]:
    """What the third chase has carried to the bureau office and is still not done."""
    found = []
    for problem, due in missed(desk, desk.today):
        section = desk.directory.unit(problem.lead_section_id)
        if section is not None and due.letter is LetterKind.OVERDUE_LIST:
            since = due.missed_since
            days = desk.calendar.workdays_between(since, desk.today)
            found.append(
                OverdueMatter(problem.number, problem.problem, section.name, since, days, work(problem, due))
            )
    return found


# --- drafted ---------------------------------------------------------------------------------------------


def draft_letters(desk: Desk, draft: Draft, day: date) -> tuple[Prepared, Prepared]:
    """The question to the committee office, and the draft for the bureau office."""
    recipients = len(desk.directory.of_kind(*RECIPIENTS))
    office, office_addresses = office_of(desk)
    bureau, bureau_addresses = office_of(desk, UnitKind.BUREAU_OFFICE)
    total, open_matters = draft.figures.total, _open_matters(draft.figures)
    question = letters.Question(
        to_name="工委办",
        date=day,
        question=letters.QuestionKind.CIRCULAR,
        about=draft.title,
        facts=(
            letters.Fact("通报标题", draft.title),
            letters.Fact("拟发单位", f"{recipients} 个"),
            letters.Fact(
                "报送情况", f"应报 {total.expected} 所，已报 {total.filed} 所，其中迟报 {total.late} 所"
            ),
            *((letters.Fact("注意", open_matters),) if open_matters else ()),
            *((letters.Fact("送审", BOTH_DECIDE),) if bureau else ()),
        ),
    )
    for_bureau = letters.CircularDraft(
        to_name=bureau.name if bureau else UnitKind.BUREAU_OFFICE.chinese,
        date=day,
        title=draft.title,
        paragraphs=draft.paragraphs,
        recipients=recipients,
        frozen_at=datetime.fromisoformat(draft.figures.as_of),
    )
    return (
        Prepared(question, office_addresses, unit=office),
        Prepared(for_bureau, bureau_addresses, unit=bureau),
    )


def _open_matters(figures: Figures) -> str | None:
    """What the office should look into before it approves; None if there is nothing."""
    kinds = (
        (sum(school.state is ReturnState.HELD for school in figures.unverified), "所学校的来件待核实"),
        (sum(school.claimed for school in figures.unverified), "所学校声明已报、待核对"),
        (len(figures.to_mend), "所学校的来件已退回补正"),
    )
    told = "，".join(f"{number} {what}" for number, what in kinds if number)
    return f"{told}；建议先行核对。除退回补正的外，文稿不点名" if told else None


def forecast_letters(records: PeriodRecords, day: date) -> tuple[Prepared, ...]:
    """The letters that the draft would be today."""
    return draft_letters(records.desk, new_draft(records.desk, records.figures), day)


def submit(
    desk: Desk,
    period: Period,
    figures: Figures,
    due_at: datetime,
    *,
    why: str = "",
    office_only: bool = False,
) -> int:
    """Put a new draft before both offices, in the place of any that waits; how many letters were written.

    `office_only`: the bureau office has spoken already, and the committee office decides alone.
    """
    earlier = questions.questions_of_kind(desk.session, CIRCULAR_QUESTION, period.code)
    for old in earlier:
        if questions.answer_question(desk.session, old.id, REPLACED, "djb", desk.now):
            desk.record(period.code, "circular_replaced", by="djb", text=REPLACED)
    draft, code = new_draft(desk, figures), desk.code()
    files = draft.files(desk, identity(period.code, code))
    question, for_bureau = draft_letters(desk, draft, desk.today)
    assert isinstance(question.letter, letters.Question)
    assert isinstance(for_bureau.letter, letters.CircularDraft)
    suffix = f":{len(earlier) + 1}" if earlier else ""
    note = (letters.Fact("说明", why),) if why else ()
    asked = desk.ask(
        replace(question.letter, number=period.code, code=code, facts=(*question.letter.facts, *note)),
        kind=CIRCULAR_QUESTION,
        about=period.code,
        text=f"{draft.title}已拟就，请审定",
        payload={
            "period": period.code,
            "suffix": suffix,
            "code": code,
            "digests": [sha256(file.data).hexdigest() for file in files],
            **draft.to_json(),
        },
        key=f"question:circular:{period.code}{suffix}",
        due_at=due_at,
        attachments=files,
    )
    count = int(asked.letter_id is not None)
    if office_only or not for_bureau.to:
        return count
    row = desk.write(
        replace(for_bureau.letter, number=period.code, code=code, why=why or None),
        key=step_key(Step.CIRCULAR_DRAFT, period.code) + suffix,
        to=for_bureau.to,
        about=(period.code,),
        unit=for_bureau.unit,
        due_at=due_at,
        attachments=files,
        context={"question": asked.id},
    )
    return count + (row is not None)


# --- edited by an office ---------------------------------------------------------------------------------


def identity(period: str, code: str) -> str:
    """What a draft carries, so that it is known when it comes back."""
    return f"circular:{period}:{code}"


@dataclass(frozen=True)
class Ready:
    """A circular as it goes out."""

    title: str
    paragraphs: tuple[str, ...]
    files: tuple[Attachment, ...]


def final_text(desk: Desk, question: tables.Question, day: date | None = None) -> Ready:
    """What a question asked about, as of a day: our own draft, or what an office has made of it."""
    draft = draft_from_json(question.payload)
    edited = question.payload.get("edited")
    if edited is None:
        return Ready(draft.title, draft.paragraphs, draft.files(desk, day=day))
    files = tuple(Attachment(file["name"], b64decode(file["data"]), file["mime"]) for file in edited["files"])
    return Ready(edited["title"], tuple(edited["paragraphs"]), files)


def untouched(question: tables.Question, documents: Sequence[ReturnedDocument]) -> bool:
    """Whether the files that came back are the very ones that were sent."""
    return all(document.digest in question.payload.get("digests", ()) for document in documents)


def fault_of(question: tables.Question, documents: Sequence[ReturnedDocument]) -> str | None:
    """Why edited files may not take the place of a draft, in Chinese; None if they may."""
    wanted = (question.payload["period"], question.payload.get("code"))
    if any((document.about, document.code) != wanted for document in documents):
        return "所附文稿不是在本次送审稿上修改的（系旧稿或其他文稿），请在最近一次送审稿上修改后回复"
    if len({document.format for document in documents}) < len(documents):
        return "来信附有两份同类文稿，不知以哪一份为准"
    faults = [f"“{document.part}”{fault}" for document in documents for fault in document.faults]
    return "；".join(faults) or None


def read_back_edited(
    desk: Desk,
    mail: tables.Mail,
    question: tables.Question,
    unit: Unit,
    documents: Sequence[ReturnedDocument],
) -> None:
    """Show an office what it has made of the draft: when it confirms, exactly these files go to all."""
    before = final_text(desk, question, local_day(question.asked_at, desk.config.zone))
    ready = _edited(before, documents)
    payload, code = question.payload, desk.code()
    earlier = questions.questions_of_kind(desk.session, CIRCULAR_QUESTION, payload["period"])
    suffix = f":{len(earlier) + 1}"
    mark = identity(payload["period"], code)
    # What is shown can be edited once more, and is then known as the newest draft.
    shown = tuple(replace(file, data=_marked(file, documents, mark)) for file in ready.files)
    stored = [
        {"name": file.name, "mime": file.mime, "data": b64encode(file.data).decode()} for file in ready.files
    ]
    questions.answer_question(desk.session, question.id, REPLACED, mail.sender, desk.now)
    desk.record(payload["period"], "circular_edited", by=mail.sender, mail=mail, text="修改稿替代送审稿")
    desk.ask(
        letters.Question(
            to_name=recipient(unit).name,
            date=desk.today,
            number=payload["period"],
            code=code,
            question=letters.QuestionKind.CIRCULAR_EDITED,
            about=ready.title,
            facts=(
                letters.Fact("通报标题", ready.title),
                letters.Fact("拟发单位", f"{len(desk.directory.of_kind(*RECIPIENTS))} 个"),
                letters.Fact("采用的修改稿", "、".join(document.part for document in documents)),
            ),
            doubts=_differences(before, documents),
        ),
        kind=CIRCULAR_QUESTION,
        about=payload["period"],
        text=f"{ready.title}修改稿已收到，请确认印发",
        payload={
            **payload,
            "suffix": suffix,
            "code": code,
            "digests": [sha256(file.data).hexdigest() for file in shown],
            "edited": {"title": ready.title, "paragraphs": list(ready.paragraphs), "files": stored},
        },
        mail=mail,
        key=f"question:circular:{payload['period']}{suffix}",
        attachments=shown,
        unit=unit,
    )


def _marked(file: Attachment, documents: Sequence[ReturnedDocument], mark: str) -> bytes:
    """A file with the mark of a draft, as far as it came back from an office and so can carry one."""
    edited = any(document.data == file.data for document in documents)
    return marked(file.data, mark) if edited else file.data


def _edited(before: Ready, documents: Sequence[ReturnedDocument]) -> Ready:
    """The circular with the edited files in the places of ours, and the words of the edited document."""
    data = {document.format: document for document in documents}
    files = tuple(
        replace(file, data=data[kind].data) if (kind := file.name.rpartition(".")[2]) in data else file
        for file in before.files
    )
    if "docx" not in data:
        return Ready(before.title, before.paragraphs, files)
    title, paragraphs = _words(data["docx"].lines)
    name = f"{title}.docx"
    files = tuple(replace(file, name=name) if file.name.endswith(".docx") else file for file in files)
    return Ready(title or before.title, paragraphs, files)


def _words(lines: Sequence[str]) -> tuple[str, tuple[str, ...]]:
    """Title and text of an edited circular: above and below 主送, up to the list of annexes."""
    start = next((place for place, line in enumerate(lines) if line.endswith((":", "："))), 0)
    end = next((n for n, line in enumerate(lines) if n > start and line.startswith("附件")), len(lines))
    return "".join(lines[:start]), tuple(lines[start + 1 : end]) or ("通报全文见附件。",)


def _differences(before: Ready, documents: Sequence[ReturnedDocument]) -> tuple[letters.Mend, ...]:
    """What an office has changed, line by line: so that a slip is seen before everybody reads it."""
    found: list[letters.Mend] = []
    for document in documents:
        old = next(file for file in before.files if file.name.endswith(f".{document.format}"))
        for line in difflib.ndiff(drafts.text_lines(old.data, document.format), document.lines):
            if line[:2] in ("- ", "+ "):
                what = "删去" if line.startswith("-") else "增加"
                found.append(letters.Mend(f"{what}：{typesetting.short(line[2:], 80)}", document.part))
    shown = found[:MOST_DIFFERENCES]
    if len(found) > len(shown):
        shown.append(letters.Mend(f"另有{len(found) - len(shown)}处改动，请核对附件"))
    return tuple(shown) or (letters.Mend("文字与送审稿相同，仅格式可能有改动"),)


MOST_DIFFERENCES: Final = 30


# --- sent ------------------------------------------------------------------------------------------------


def send(desk: Desk, question: tables.Question) -> int:
    """Send the circular that a question asked about to everybody; how many letters were written."""
    code, ready = question.payload["period"], final_text(desk, question)
    rules = desk.office.timeline_rules
    due_at = desk.calendar.next_working_moment(desk.now, rules.working_hours, rules.zone)
    written = [
        desk.write(
            letters.Circular(
                to_name=unit.name,
                date=desk.today,
                number=code,
                code=desk.code(),
                title=ready.title,
                paragraphs=ready.paragraphs,
            ),
            key=f"circular:{code}{question.payload['suffix']}:unit:{unit.id}",
            to=_addresses(unit),
            about=(code,),
            unit=unit,
            due_at=due_at,
            attachments=ready.files,
        )
        for unit in desk.directory.of_kind(*RECIPIENTS)
    ]
    count = sum(row is not None for row in written)
    desk.record(code, "circular_sent", by="djb", text=f"{ready.title}，发 {count} 个单位")
    return count


def _addresses(unit: Unit) -> Sequence[str]:
    return unit.addresses[:1] if unit.kind is UnitKind.SCHOOL else unit.addresses
