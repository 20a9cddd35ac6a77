"""The circular of a statistics period: drafted, approved by the committee or bureau office, sent to all.

What goes out is what was approved, word for word: the question that asks for the approval keeps it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from datetime import date, datetime
from typing import Any, Final

from daemon import letters
from daemon.circulars import OverdueMatter, circular_document, circular_paragraphs, circular_title
from daemon.desk import Desk
from daemon.envelope import Attachment
from daemon.figures import Figures, figures_from_json
from daemon.model import LetterKind, Unit, UnitKind
from daemon.period_records import PeriodRecords
from daemon.periods import Period, Step, step_key
from daemon.standing import missed, work
from daemon.statistics_letters import DOCX, Prepared, office_of, rollup_file
from daemon.store import questions, tables

CIRCULAR_QUESTION: Final = "statistics_circular"
REPLACED: Final = "已由新稿替代"
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

    def files(self, desk: Desk, *, final: bool) -> tuple[Attachment, ...]:
        """The official document and the table of all schools."""
        document = circular_document(
            self.figures, desk.config.office.name, desk.today, self.overdue, draft=not final
        )
        name = f"{self.title}{'' if final else '（送审稿）'}.docx"
        return (Attachment(name, document, DOCX), rollup_file(desk, self.figures, for_circular=True))

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
    total = draft.figures.total
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
            letters.Fact(
                "送审", "文稿见附件，同时送局办公室审定，任一方答复“同意”即印发" if bureau else None
            ),
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
    draft = new_draft(desk, figures)
    files = draft.files(desk, final=False)
    question, for_bureau = draft_letters(desk, draft, desk.today)
    assert isinstance(question.letter, letters.Question)
    suffix = f":{len(earlier) + 1}" if earlier else ""
    code = desk.code()
    note = (letters.Fact("说明", why),) if why else ()
    asked = desk.ask(
        replace(question.letter, number=period.code, code=code, facts=(*question.letter.facts, *note)),
        kind=CIRCULAR_QUESTION,
        about=period.code,
        text=f"{draft.title}已拟就，请审定",
        payload={"period": period.code, "suffix": suffix, **draft.to_json()},
        key=f"question:circular:{period.code}{suffix}",
        due_at=due_at,
        attachments=files,
    )
    count = int(asked.letter_id is not None)
    if office_only or not for_bureau.to:
        return count
    row = desk.write(
        replace(for_bureau.letter, number=period.code, code=code),
        key=step_key(Step.CIRCULAR_DRAFT, period.code) + suffix,
        to=for_bureau.to,
        about=(period.code,),
        unit=for_bureau.unit,
        due_at=due_at,
        attachments=files,
        context={"question": asked.id},
    )
    return count + (row is not None)


# --- sent ------------------------------------------------------------------------------------------------


def send(desk: Desk, question: tables.Question) -> int:
    """Send the circular that a question asked about to everybody; how many letters were written."""
    code, draft = question.payload["period"], draft_from_json(question.payload)
    files = draft.files(desk, final=True)
    rules = desk.office.timeline_rules
    due_at = desk.calendar.next_working_moment(desk.now, rules.working_hours, rules.zone)
    written = [
        desk.write(
            letters.Circular(
                to_name=unit.name,
                date=desk.today,
                number=code,
                code=desk.code(),
                title=draft.title,
                paragraphs=draft.paragraphs,
            ),
            key=f"circular:{code}{question.payload['suffix']}:unit:{unit.id}",
            to=_addresses(unit),
            about=(code,),
            unit=unit,
            due_at=due_at,
            attachments=files,
        )
        for unit in desk.directory.of_kind(*RECIPIENTS)
    ]
    count = sum(row is not None for row in written)
    desk.record(code, "circular_sent", by="djb", text=f"{draft.title}，发 {count} 个单位")
    return count


def _addresses(unit: Unit) -> Sequence[str]:
    return unit.addresses[:1] if unit.kind is UnitKind.SCHOOL else unit.addresses
