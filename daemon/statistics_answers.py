"""What people say about the statistics, carried out: late returns, claims, orders, circulars."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Final

from daemon import dispatch, holding, letters, statistics_circular, typesetting
from daemon.clock import local, local_day
from daemon.desk import Desk
from daemon.figures import Figures, figures_from_json
from daemon.filing import Sender
from daemon.holding import Fate
from daemon.model import Disposition, LetterKind, Unit, UnitKind
from daemon.period_records import (
    CLAIM_HOLDS,
    CLAIM_QUESTION,
    COUNT_IT,
    LATE_QUESTION,
    PeriodRecords,
    figures_now,
)
from daemon.periods import Period, Step, step_key
from daemon.returns import Decision
from daemon.statistics_circular import CIRCULAR_QUESTION
from daemon.statistics_letters import office_of, prefilled_forms, rollup_file, rollup_letter
from daemon.store import questions, tables
from parsers.orders import (
    Agree,
    AlreadyReported,
    Circulate,
    Confirm,
    Disagree,
    No,
    Order,
    Orders,
    RollUp,
    Yes,
)
from parsers.values import Reading

ORDER_QUESTION: Final = "statistics_order"
YES: Final = (Yes, Agree, Confirm)
NO: Final = (No, Disagree)


def _close(
    desk: Desk, question: tables.Question, answer: str, by: str, mail: tables.Mail | None = None
) -> None:
    if questions.answer_question(desk.session, question.id, answer, by, desk.now):
        desk.record(question.about, "answered", by=by, mail=mail, text=f"{question.text} 答复：{answer}")


def _reason(order: Order) -> str:
    reason = order.reason if isinstance(order, NO) else None
    return f"：{reason}" if reason else ""


# --- returns after the freeze -----------------------------------------------------------------------------


def ask_to_count(desk: Desk, mail: tables.Mail, decision: Decision, row: tables.Return) -> None:
    """Ask the office whether a return that came after the freeze changes the sums."""
    asked = next((q for q in decision.questions if q.kind == LATE_QUESTION), None)
    if asked is None:
        return
    for old in questions.questions_of_kind(desk.session, LATE_QUESTION, row.period):
        if old.payload["unit"] == row.unit_id and old.answered_at is None:
            _close(desk, old, "已由后一版替代", "djb")
    filed = decision.filed
    came = typesetting.chinese_moment(local(filed.received_at, desk.config.zone))
    shown = [
        letters.Fact("期次", row.period),
        letters.Fact("单位", row.unit_name),
        letters.Fact("收到时间", f"{came}，{'迟报' if filed.late else '按时收到'}"),
    ]
    shown += [
        letters.Fact(letters.FIELD_LABELS[name], str(value)) for name, value in filed.counts.to_json().items()
    ]
    shown += [letters.Fact("与已汇总数据的不同", "；".join(decision.changes) or "此前未报")]
    desk.ask(
        letters.Question(
            to_name="工委办",
            date=desk.today,
            number=row.period,
            code=desk.code(),
            question=letters.QuestionKind.LATE_RETURN,
            about=f"{row.unit_name} {row.period}",
            facts=tuple(shown),
            suggestion="同意",
        ),
        kind=LATE_QUESTION,
        about=row.period,
        text=asked.text,
        payload={"return": row.id, "unit": row.unit_id, "period": row.period},
        mail=mail,
        key=f"question:{LATE_QUESTION}:return:{row.id}",
    )


def _answer_late(desk: Desk, mail: tables.Mail, question: tables.Question, order: Order) -> Fate | None:
    if isinstance(order, NO):
        _close(desk, question, f"不同意{_reason(order)}", mail.sender, mail)
        return Fate(Disposition.REPLIED)
    if not isinstance(order, YES):
        return None
    _close(desk, question, COUNT_IT[0], mail.sender, mail)
    sum_up(desk, desk.timeline().period(question.payload["period"]), mail)
    return Fate(Disposition.REPLIED)


# --- the rollup, made anew --------------------------------------------------------------------------------


def sum_up(desk: Desk, period: Period, mail: tables.Mail) -> None:
    """The summary of a period as it stands now, to the office; frozen figures are replaced and compared."""
    row = questions.period(desk.session, period.code)
    frozen = row is not None and row.frozen_at is not None
    before: Figures | None = figures_from_json(row.figures) if row is not None and frozen else None
    figures = figures_now(desk, period)
    if row is not None and frozen:
        row.figures = figures.to_json()
        desk.record(period.code, "summed_again", by=mail.sender, mail=mail)
    number = len(questions.letters_about(desk.session, period.code, LetterKind.ROLLUP)) + 1
    unit, to = office_of(desk)
    letter = rollup_letter(period, figures, desk.today, before)
    desk.write(
        replace(letter, number=period.code, code=desk.code()),
        key=f"{step_key(Step.ROLLUP, period.code)}:again:{number}",
        to=to,
        about=(period.code,),
        unit=unit,
        attachments=(rollup_file(desk, figures),),
    )
    waiting = questions.questions_of_kind(desk.session, CIRCULAR_QUESTION, period.code)
    if frozen and any(q.answered_at is None for q in waiting):
        changed = "；".join(letter.changes) or "各校数据未变"
        statistics_circular.submit(
            desk,
            period,
            figures,
            desk.now,
            why=f"汇总数据已更新（{changed}），通报稿随之重拟。此前的送审稿作废，请只答复本信。",
        )


# --- 已报 -----------------------------------------------------------------------------------------------------


def claim(
    desk: Desk, mail: tables.Mail, sender: Sender, answered: tables.Letter | None, orders: Orders
) -> Fate | None:
    """A school says that it has filed: it is left in peace until the office has checked. None if it is no such word."""
    school = sender.unit_of(UnitKind.SCHOOL)
    code = _period_of(answered)
    if school is None or code is None or not all(isinstance(o, AlreadyReported) for o in orders.given):
        return None
    desk.record(f"{code}/{school.name}", "claimed", by=mail.sender, mail=mail, text=mail.text)
    row = questions.latest_return(desk.session, school.id, code)
    open_ones = questions.questions_of_kind(desk.session, CLAIM_QUESTION, code)
    asked = any(q.payload["unit"] == school.id and q.answered_at is None for q in open_ones)
    if asked or (row is not None and row.state != "returned"):
        return Fate(Disposition.REPLIED)
    desk.ask(
        letters.Question(
            to_name="工委办",
            date=desk.today,
            number=code,
            code=desk.code(),
            question=letters.QuestionKind.CLAIM,
            about=f"{school.name} {code}",
            facts=(
                letters.Fact("单位", school.name),
                letters.Fact("期次", code),
                letters.Fact("发件邮箱", mail.sender),
                letters.Fact("系统记录", "已收到，退回补正" if row is not None else "本期未收到"),
            ),
            quoted=mail.text or None,
        ),
        kind=CLAIM_QUESTION,
        about=code,
        text=f"{school.name}来信称 {code} 统计表已报，请核对",
        payload={"unit": school.id, "period": code},
        mail=mail,
        key=f"question:{CLAIM_QUESTION}:{code}:unit:{school.id}:mail:{mail.id}",
    )
    return Fate(Disposition.REPLIED)


def _period_of(answered: tables.Letter | None) -> str | None:
    return next((n for n in answered.about if n.startswith("TJ-")), None) if answered else None


def settle_claims(desk: Desk, code: str, unit_id: int) -> None:
    """The return is here: nobody need check any more whether it came."""
    for question in questions.questions_of_kind(desk.session, CLAIM_QUESTION, code):
        if question.payload["unit"] == unit_id and question.answered_at is None:
            _close(desk, question, "已收到报表", "djb")


def _answer_claim(desk: Desk, mail: tables.Mail, question: tables.Question, order: Order) -> Fate | None:
    if not isinstance(order, (*YES, *NO)):
        return None
    _close(desk, question, CLAIM_HOLDS if isinstance(order, YES) else "否", mail.sender, mail)
    if isinstance(order, NO):
        covers = desk.timeline().period(question.payload["period"]).covers_in_chinese
        why = f"来信称已报送的{covers}统计表，经核对尚未收到，请将填好的统计表作为附件回复本信"
        dispatch.tell_asker(desk, question, why)
    return Fate(Disposition.REPLIED)


# --- 汇总, 通报 ---------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Command:
    """What the office may order of its own accord."""

    word: str
    effect: str
    run: Callable[[Desk, Period, tables.Mail], None]


def _circulate(desk: Desk, period: Period, mail: tables.Mail) -> None:
    records = PeriodRecords(desk, period)
    statistics_circular.submit(
        desk, period, records.figures, desk.now, why=f"应 {mail.sender} 来信要求拟就。"
    )


def _sum_up_all(desk: Desk, period: Period, mail: tables.Mail) -> None:
    """On the office's own order every late return counts that it has not refused."""
    for question in questions.questions_of_kind(desk.session, LATE_QUESTION, period.code):
        if question.answered_at is None:
            _close(desk, question, COUNT_IT[1], mail.sender, mail)
    sum_up(desk, period, mail)


COMMANDS: Final[Mapping[type[Order], Command]] = {
    RollUp: Command("汇总", "按现有报表生成汇总表", _sum_up_all),
    Circulate: Command("通报", "起草通报稿，另行送审", _circulate),
}


def ordered(
    desk: Desk, mail: tables.Mail, sender: Sender, answered: tables.Letter | None, orders: Orders
) -> Fate | None:
    """The office orders a rollup or a circular: done if it answers a letter of ours, else asked back first.

    None if that is not what it orders.
    """
    if sender.unit_of(UnitKind.COMMITTEE_OFFICE) is None or len(orders.given) != 1:
        return None
    order = orders.given[0]
    command = COMMANDS.get(type(order))
    if command is None:
        return None
    period = _period_meant(desk, order, answered)
    if period is None:
        return None
    if answered is not None:
        command.run(desk, period, mail)
        return Fate(Disposition.REPLIED)
    desk.ask(
        letters.Question(
            to_name="工委办",
            date=desk.today,
            question=letters.QuestionKind.ORDER,
            about=f"{command.word} {period.code}",
            facts=(
                letters.Fact("指令", command.word),
                letters.Fact("期次", f"{period.code}（{period.covers_in_chinese}）"),
                letters.Fact("执行后", command.effect),
                letters.Fact("来信邮箱", mail.sender),
            ),
            quoted=mail.text or None,
        ),
        kind=ORDER_QUESTION,
        about=period.code,
        text=f"来信要求{command.word} {period.code}，请确认",
        payload={"word": command.word, "period": period.code},
        mail=mail,
        key=f"question:{ORDER_QUESTION}:mail:{mail.id}",
    )
    return Fate(Disposition.HELD, f"“{command.word}”不是答复我办来信，已请工委办确认后执行")


def _period_meant(desk: Desk, order: Order, answered: tables.Letter | None) -> Period | None:
    """The period that an order names, or its letter, or the one that was opened last.

    A circular is about the last one that was due, unless we did not watch over it yet.
    """
    timeline = desk.timeline()
    named = [n for n in order.target.numbers if n.startswith("TJ-")]
    if order.target.numbers and not named:
        return None
    code = named[0] if named else _period_of(answered)
    if code is not None:
        return timeline.period(code)
    current = timeline.period_of(desk.now)
    if not isinstance(order, Circulate) or desk.today > current.due:
        return current
    earlier = timeline.before(current)
    watched = local_day(desk.first_cycle(), desk.config.zone) <= earlier.due
    return earlier if watched else current


def _answer_order(desk: Desk, mail: tables.Mail, question: tables.Question, order: Order) -> Fate | None:
    if not isinstance(order, (*YES, *NO)):
        return None
    agreed = isinstance(order, YES)
    _close(desk, question, "同意" if agreed else f"不同意{_reason(order)}", mail.sender, mail)
    asked_by = desk.session.get(tables.Mail, question.mail_id) if question.mail_id else None
    if asked_by is not None:
        fate = Fate(Disposition.REPLIED) if agreed else Fate(Disposition.IGNORED, "工委办答复不执行")
        asked_by.disposition, asked_by.reason = fate.disposition.value, fate.reason
        asked_by.handled_at = desk.now
    if agreed:
        command = next(c for c in COMMANDS.values() if c.word == question.payload["word"])
        command.run(desk, desk.timeline().period(question.payload["period"]), mail)
    return Fate(Disposition.REPLIED)


# --- the circular ---------------------------------------------------------------------------------------------


def _answer_circular(desk: Desk, mail: tables.Mail, question: tables.Question, order: Order) -> Fate | None:
    if isinstance(order, YES):
        _close(desk, question, "同意", mail.sender, mail)
        statistics_circular.send(desk, question)
        return Fate(Disposition.REPLIED)
    if not isinstance(order, NO):
        return None
    _close(desk, question, f"不同意{_reason(order)}", mail.sender, mail)
    office = next(iter(desk.directory.of_kind(UnitKind.COMMITTEE_OFFICE)), None)
    if office is None or mail.sender not in office.all_addresses:
        # The bureau office does not want it so: the committee office hears why, and has the last word.
        draft = statistics_circular.draft_from_json(question.payload)
        period = desk.timeline().period(question.payload["period"])
        why = f"局办公室（{mail.sender}）答复不同意{_reason(order)}"
        statistics_circular.submit(desk, period, draft.figures, desk.now, why=why, office_only=True)
    return Fate(Disposition.REPLIED)


def edited_circular(
    desk: Desk,
    mail: tables.Mail,
    reading: Reading,
    sender: Sender,
    question: tables.Question,
    answered: tables.Letter,
    orders: Orders,
) -> Fate | None:
    """The fate of an answer to a draft that brings a document; None if it brings none, or only ours as it was.

    An edited draft is read back; its 确认 sends it. Whatever else comes takes nobody's place.
    """
    if question.kind != CIRCULAR_QUESTION:
        return None
    known = {document.part for document in reading.documents}
    foreign = [part.name for part in reading.parts if part.format in WRITTEN and part.name not in known]
    if not reading.documents and not foreign:
        return None

    def held(why: str) -> Fate:
        return holding.unclear(desk, mail, sender, f"{why}，通报未发", answered)

    if question.answered_at is not None:
        return held(f"本次送审已有结果（{question.answer}），所附文稿未采用")
    if foreign:
        named = "、".join(f"“{name}”" for name in foreign)
        return held(f"来信所附{named}不是在送审稿上修改的，请直接修改送审稿并以docx、xlsx格式保存后回复")
    if statistics_circular.untouched(question, reading.documents):
        return None
    if any(not isinstance(order, YES) for order in orders.given):
        return held("来信既附修改稿，又未表示同意")
    if fault := statistics_circular.fault_of(question, reading.documents):
        return held(fault)
    unit = sender.unit_of(UnitKind.COMMITTEE_OFFICE, UnitKind.BUREAU_OFFICE)
    if unit is None:
        return held("只有工委办和局办公室可以修改通报稿")
    statistics_circular.read_back_edited(desk, mail, question, unit, reading.documents)
    return Fate(Disposition.REPLIED, "修改稿已读回，待确认后印发")


WRITTEN: Final = frozenset({"docx", "doc", "wps", "pdf", "odt", "rtf", "xlsx", "xls", "et", "ods"})
"""Formats of documents: beside one of them 同意 may mean that one, and not ours."""


# --- last period's form again ------------------------------------------------------------------------------------


def ask_for_another(desk: Desk, held: tables.Mail, unit: Unit, code: str) -> None:
    """Tell a school that the form it sent is not this period's, with the right one to fill in."""
    period = desk.timeline().period(code)
    records = PeriodRecords(desk, period)
    forms = prefilled_forms(records, unit)
    mend = letters.Mend(
        f"所报统计表与以前已报的表相同，未计入本期，请按本期（{period.covers_in_chinese}）实际情况重新填报"
    )
    desk.write(
        letters.CorrectionRequest(
            to_name=unit.name,
            date=desk.today,
            number=code,
            code=desk.code(),
            received_at=held.received_at,
            to_mend=(letters.Returned(letters.FORM_TITLES["statistics"], (mend,), (), forms[0].name),),
            correct_by=desk.workdays_on(desk.config.deadlines.correction),
        ),
        key=f"{LetterKind.CORRECTION_REQUEST}:mail:{held.id}",
        to=(held.sender,),
        about=(code,),
        unit=unit,
        answers=held,
        attachments=forms,
    )


# --- which answer goes where ------------------------------------------------------------------------------------

ANSWERS: Final[Mapping[str, Callable[[Desk, tables.Mail, tables.Question, Order], Fate | None]]] = {
    LATE_QUESTION: _answer_late,
    CLAIM_QUESTION: _answer_claim,
    ORDER_QUESTION: _answer_order,
    CIRCULAR_QUESTION: _answer_circular,
}


def answer(desk: Desk, mail: tables.Mail, question: tables.Question, order: Order) -> Fate | None:
    """The office's answer to a question about the statistics; None if it does not fit."""
    return ANSWERS[question.kind](desk, mail, question, order)
