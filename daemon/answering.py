"""What people order by reply is carried out, if they may; everything else reaches a person."""

from __future__ import annotations

import logging
import re
from collections.abc import Mapping, Sequence
from typing import Any

from daemon import (
    deciding,
    dispatch,
    holding,
    letters,
    ordering,
    receiving,
    statistics_answers,
    statistics_circular,
)
from daemon.desk import Desk
from daemon.events import Bounced
from daemon.filing import Sender
from daemon.holding import Fate
from daemon.journal import event
from daemon.model import OFFICE_KINDS, Disposition, LetterKind, State, Unit, UnitKind
from daemon.store import questions, tables
from daemon.workflow import happen
from parsers import replies
from parsers.orders import (
    Agree,
    Amend,
    Confirm,
    DeclineProblem,
    Disagree,
    Instruct,
    No,
    Order,
    Orders,
    RegisterAs,
    Role,
    Yes,
)
from parsers.values import Authentication, Mail, PartOutcome, Reading

log = logging.getLogger(__name__)


def bounced(desk: Desk, mail: tables.Mail, head: Mail) -> Fate:
    """A delivery report: the letters it is about are marked, and addresses that failed for good rest."""
    told = []
    for recipient in head.bounced:
        error = " ".join(filter(None, (recipient.status, recipient.diagnostic))) or "退信"
        if not recipient.permanent:
            told.append(f"{recipient.address} 暂时未送达（{error}）")
            continue
        told.append(f"{recipient.address} 无法送达（{error}）")
        ours = False
        for message_id in head.bounce_of:
            row = questions.record_bounced(desk.session, message_id, recipient.address, error)
            ours = ours or row is not None
            if row is not None:
                desk.record(f"letter:{row.id}", "bounced", by=mail.sender, mail=mail, text=told[-1])
                _silence(desk, mail, row, recipient.address)
        # Only a report about a letter that we really sent may silence an address.
        if ours:
            desk.bounced(recipient.address)
            event(log, "address_bounced", "邮箱退信，已停止催办", level=logging.WARNING, mail=mail.id)
    return Fate(Disposition.BOUNCE, "退信：" + ("；".join(told) or "未说明收件人"))


def _silence(desk: Desk, mail: tables.Mail, letter: tables.Letter, address: str) -> None:
    """A section that mail does not reach is not chased until its address is mended."""
    for row in questions.problem_rows(desk.session, letter.about):
        lead = desk.directory.unit(row.lead_section_id)
        if lead is not None and address.lower() in lead.addresses[:1]:
            happen(desk, row, Bounced(address=address), mail=mail)


def words(
    desk: Desk, mail: tables.Mail, reading: Reading, sender: Sender, answered: tables.Letter | None
) -> Fate:
    """The fate of a mail without a form: its words are carried out, or a person reads them."""
    text = mail.text or ""
    role = role_of(sender)
    orders = replies.orders(text, role, desk.today) if role and text.strip() else Orders()
    trusted = sender.authentication is not Authentication.FAIL
    if trusted and answered is not None and _read_back_is_right(desk, mail, sender, answered):
        return Fate(Disposition.REPLIED, "书记核对无误，待工委办确认")
    if (fate := _courtesy(desk, mail, reading, sender, answered, orders)) is not None:
        return fate
    foreign = _foreign_letters(desk, reading) if answered is None and text.strip() else ()
    if foreign and not reading.parts:
        why = "来信回复的是我办发给其他单位的信，来信邮箱不是该信的收件单位，未予办理"
        return holding.unauthorised(desk, mail, why, proposal=_of_foreign(desk, mail, reading, foreign))
    question = _question_of(desk, sender, answered)
    if trusted and question is not None and answered is not None:
        fate = statistics_answers.edited_circular(desk, mail, reading, sender, question, answered, orders)
        if fate is not None:
            return fate
    if trusted and question is not None and not orders.given:
        orders = _section_named(desk, question, text) or orders
    if not orders.given:
        if trusted and not reading.parts and (whose := ordering.out_of_role(text, sender, desk.today)):
            return holding.unclear(desk, mail, sender, whose, answered)
        if trusted and question is not None and question.answered_at is None and not reading.parts:
            why = orders.unclear.why if orders.unclear else "回复中没有可以执行的答复"
            return _ask_again(desk, mail, sender, question, why, answered)
        return _no_order(desk, mail, reading, sender, answered, orders)
    if not trusted:
        why = "发件人身份核验未通过，可能系冒用他人邮箱，未予执行"
        unit = ordering.unit_of(sender, answered)
        return holding.unauthorised(
            desk, mail, why, answered, ordering.proposed(desk, mail, reading, unit, answered)
        )
    if question is not None:
        return answer_question(desk, mail, sender, question, orders, answered)
    if answered is not None and all(isinstance(order, Amend) for order in orders.given):
        return _amend(desk, mail, sender, answered, orders)
    for carry_out in (statistics_answers.claim, statistics_answers.ordered):
        if carried_out := carry_out(desk, mail, sender, answered, orders):
            return carried_out
    fate = ordering.carry_out(desk, mail, reading, sender, answered, orders)
    return fate or holding.unclear(desk, mail, sender, "这项答复在此处不能执行", answered)


def _courtesy(
    desk: Desk,
    mail: tables.Mail,
    reading: Reading,
    sender: Sender,
    answered: tables.Letter | None,
    orders: Orders,
) -> Fate | None:
    """The fate of a mere 谢谢 or 好的; None for anything with content, and for files."""
    if not sender.known or any(part.outcome is not PartOutcome.IGNORED for part in reading.parts):
        return None
    kind = replies.courtesy(mail.text or "")
    ordered = [order for order in orders.given if not isinstance(order, Instruct)]
    if kind is None or ordered:
        return None
    asked = _asked_for(desk, answered) if answered is not None else ()
    if kind is replies.Courtesy.THANKS or not asked:
        return holding.courtesy(desk, mail, sender, answered)
    # The choice of a session is too weighty for a hint: a person reads what the secretary wrote.
    choice = answered is not None and answered.kind == LetterKind.PROBLEM_LIST.value
    return None if choice else holding.courtesy(desk, mail, sender, answered, asked)


RATINGS = (
    letters.Answer("满意", "对办理结果满意的"),
    letters.Answer("基本满意", "基本满意的"),
    letters.Answer("不满意:仍有五间教室未改", "不满意的，写明理由"),
)
RECTIFIED = (
    letters.Answer("进展:已按督查意见整改，现已完成", "报告整改情况的"),
    letters.Answer("延期至 2022-03-30:需另行采购", "不能按期办结的，写明日期和理由"),
)
FINDING_REPORTED = (letters.Answer("督查 ND-2022-013:护学岗尚未到位", "反馈督查情况的，写明编号和情况"),)
DECISIONS = (letters.Answer("同意", "同意的"), letters.Answer("不同意:理由", "不同意的，写明理由"))
YES_OR_NO = (letters.Answer("是", "按去信所述办理的"), letters.Answer("否", "不办理的"))
ASKED_FOR_YES = frozenset(
    {"held_mail", "held_text", "period", "claim", "correction_overdue", "choice_pending", "unknown_section"}
)
"""Questions that are answered by 是 or 否."""
CONFIRMATIONS = (
    letters.Answer("确认", "核对无误的"),
    letters.Answer("不同意:请书记重新选定", "有误的，写明理由"),
)


def _asked_for(desk: Desk, answered: tables.Letter) -> tuple[letters.Answer, ...]:
    """The words that a letter asks for, as long as it waits for an answer."""
    match answered.kind:
        case LetterKind.CALLBACK.value:
            row = next(iter(questions.problem_rows(desk.session, answered.about)), None)
            waits = row is not None and row.state == State.COMPLETION_REPORTED.value
            return RATINGS if waits and row is not None and row.satisfaction is None else ()
        case LetterKind.INSPECTION_FINDING.value:
            return RECTIFIED
        case LetterKind.QUESTION.value | LetterKind.CIRCULAR_DRAFT.value:
            asked = answered.context.get("question")
            question = questions.question(desk.session, asked) if asked else None
            if question is None or question.answered_at is not None:
                return ()
            return _answers_to(question)
        case LetterKind.DECISION_READBACK.value | LetterKind.ASSIGNMENT_SHEET.value:
            return CONFIRMATIONS
        case LetterKind.PROBLEM_LIST.value:
            return DECISIONS
    return ()


def _answers_to(question: tables.Question) -> tuple[letters.Answer, ...]:
    return YES_OR_NO if question.kind in ASKED_FOR_YES else DECISIONS


ASKED_FOR_SECTION = frozenset({"unknown_section", "referral", "reassignment"})
"""Questions that a section's bare name answers."""
SECTIONS_NAMED = re.compile(
    r"(?:(?:请|拟)?(?:转交?|交由?|由|改派(?:给|到)?|改由|转由)|请|承办科室[:：]?)?\s*(?P<names>.{2,60}?)"
    r"(?:办理|承办|负责)?[。.!！]?",
    re.DOTALL,
)


def _section_named(desk: Desk, question: tables.Question, text: str) -> Orders | None:
    """登记为 in the office's own way: 转基建科, 由基建科牵头，安保科配合, or bare names; None for anything else."""
    found = SECTIONS_NAMED.fullmatch("\n".join(replies.own_lines(text)))
    if found is None or question.kind not in ASKED_FOR_SECTION or question.answered_at is not None:
        return None
    known, unknown = desk.directory.sections_named(found["names"])
    return Orders((RegisterAs(unit=found["names"]),)) if known and not unknown else None


def _read_back_is_right(desk: Desk, mail: tables.Mail, sender: Sender, answered: tables.Letter) -> bool:
    """Whether the secretary says that his choice was understood: noted; the office still confirms it."""
    if answered.kind != LetterKind.DECISION_READBACK.value or not replies.found_right(mail.text or ""):
        return False
    secretary = sender.unit_of(UnitKind.SECRETARY)
    if secretary is None or secretary.id != answered.unit_id:
        return False
    desk.record(answered.context["session"], "readback_right", by=mail.sender, mail=mail, text="书记核对无误")
    return True


def _foreign_letters(desk: Desk, reading: Reading) -> Sequence[tables.Letter]:
    """The letters to somebody else that a mail may answer."""
    head = reading.mail
    if head is None:
        return ()
    if (named := questions.letter_by_message_ids(desk.session, head.in_reply_to)) is not None:
        return (named,)
    tag = replies.tag(head.subject)
    return questions.letters_by_tag(desk.session, *tag) if tag is not None else ()


def _of_foreign(
    desk: Desk, mail: tables.Mail, reading: Reading, foreign: Sequence[tables.Letter]
) -> holding.Proposal | None:
    """What the mail would do as that unit's whose letter it answers; a tag alone names no letter."""
    if len(foreign) != 1:
        return None
    unit = desk.directory.unit(foreign[0].unit_id)
    return ordering.proposed(desk, mail, reading, unit, foreign[0])


def _question_of(desk: Desk, sender: Sender, answered: tables.Letter | None) -> tables.Question | None:
    """The question that a mail answers, if it comes from the committee office or the unit that was asked."""
    number = answered.context.get("question") if answered is not None else None
    if answered is None or number is None:
        return None
    asked = any(unit.id == answered.unit_id for unit in sender.units)
    if not asked and sender.unit_of(UnitKind.COMMITTEE_OFFICE) is None:
        return None
    return questions.question(desk.session, number)


def _no_order(
    desk: Desk,
    mail: tables.Mail,
    reading: Reading,
    sender: Sender,
    answered: tables.Letter | None,
    orders: Orders,
) -> Fate:
    if answered is None and not reading.parts and orders.unclear and orders.unclear.commanded:
        bureau = sender.unit_of(UnitKind.BUREAU_OFFICE) is not None
        return holding.unclear(
            desk, mail, sender, orders.unclear.why, answers=FINDING_REPORTED if bureau else ()
        )
    if answered is None or reading.parts:
        return holding.no_form(desk, mail, reading, sender)
    if (fate := ordering.objection(desk, mail, sender, answered)) is not None:
        return fate
    why = orders.unclear.why if orders.unclear else "回复中没有可以执行的答复"
    told_how = answered.kind in (LetterKind.CALLBACK.value, LetterKind.INSPECTION_FINDING.value)
    answers = _asked_for(desk, answered) if told_how else ()
    return holding.unclear(desk, mail, sender, why, answered, answers)


def role_of(sender: Sender) -> Role | None:
    """In which role a sender writes; an office's role goes before a school's."""
    kinds = [unit.kind for unit in sender.units]
    ordered = sorted(kinds, key=lambda kind: (kind not in OFFICE_KINDS, kind is UnitKind.SCHOOL))
    known = {role.value for role in Role}
    return next((Role(kind.value) for kind in ordered if kind.value in known), None)


# --------------------------------------------------------------------------- the office answers a question


def answer_question(
    desk: Desk,
    mail: tables.Mail,
    sender: Sender,
    question: tables.Question,
    orders: Orders,
    answered: tables.Letter | None,
) -> Fate:
    """The office's answer to a question of ours is carried out, once."""
    if question.answered_at is not None:
        why = f"此事已于此前答复（{question.answer}），本次答复未予执行，不需再办；意见有变的，请另行来信"
        if question.answered_by == "djb":
            why = f"所请核定的事项，{question.answer}；本次答复未予执行，不需再办"
        if question.answer == statistics_circular.REPLACED:
            why = "所答复的送审稿已由新稿替代，本次答复未予执行；请答复最近一次送审的通报稿"
        return _not_executed(desk, mail, sender, why)
    if question.kind == "which_problem":
        meant = deciding.which_problem(desk, mail, sender, question, orders)
        why = "未能看明白所指的难点问题，请写明序号或者编号"
        return meant or holding.unclear(desk, mail, sender, why, answered)
    if len(orders.given) != 1:
        return _ask_again(desk, mail, sender, question, "一次只能给出一个答复", answered)
    order = orders.given[0]
    if question.kind in {"held_mail", "period", "held_text"}:
        fate = _answer_about_mail(desk, mail, sender, question, order)
    elif question.kind in statistics_answers.ANSWERS:
        fate = statistics_answers.answer(desk, mail, question, order)
    else:
        answer = deciding.answer_question(desk, mail, sender, question, order)
        if isinstance(answer, deciding.Overtaken):
            return _not_executed(desk, mail, sender, answer.reason)
        if isinstance(answer, str):
            return _ask_again(desk, mail, sender, question, answer, answered)
        fate = answer
    if fate is None:
        return _ask_again(desk, mail, sender, question, "这项答复不适用于所问的事项", answered)
    holding.answered_after_all(desk, question)
    return fate


def _ask_again(
    desk: Desk,
    mail: tables.Mail,
    sender: Sender,
    question: tables.Question,
    why: str,
    answered: tables.Letter | None,
) -> Fate:
    """The office's answer decided nothing: one letter says why and which words would."""
    if sender.unit_of(UnitKind.COMMITTEE_OFFICE, UnitKind.BUREAU_OFFICE) is None or not sender.trusted:
        return holding.unclear(desk, mail, sender, why, answered)
    return holding.asked_again(desk, mail, sender, question, why, _answers_to(question))


def _not_executed(desk: Desk, mail: tables.Mail, sender: Sender, why: str) -> Fate:
    """An answer that comes too late needs nobody's decision: its writer hears so, and that is all."""
    unit = sender.unit_of(UnitKind.COMMITTEE_OFFICE, UnitKind.BUREAU_OFFICE)
    if unit is None:
        return holding.unclear(desk, mail, sender, why)
    dispatch.read_back(desk, mail, unit, (), (why,))
    return Fate(Disposition.REPLIED, why)


def _answer_about_mail(
    desk: Desk, mail: tables.Mail, sender: Sender, question: tables.Question, order: Order
) -> Fate | None:
    by = mail.sender
    held = desk.session.get(tables.Mail, question.mail_id) if question.mail_id else None
    if held is None:
        return None
    if isinstance(order, No | Disagree | DeclineProblem) and question.kind != "period":
        set_aside(desk, held, f"工委办答复不予登记{'：' + order.reason if order.reason else ''}", by)
        deciding.close_question(desk, question, "否", by, mail)
        return Fate(Disposition.REPLIED)
    unit, period, answer = _chosen(desk, question, order)
    if question.kind == "held_text":
        if not isinstance(order, Yes | Agree | Confirm):
            return None
        if proposal := question.payload.get("carry_out"):
            return _let_through(desk, mail, sender, question, held, proposal)
        set_aside(desk, held, "工委办已阅", by)
        deciding.close_question(desk, question, "已阅", by, mail)
        return Fate(Disposition.REPLIED)
    if unit is None:
        return None
    if question.kind == "period" and period is None:
        set_aside(desk, held, "工委办答复不计入", by)
        deciding.close_question(desk, question, answer, by, mail)
        if question.payload.get("resent") and question.payload.get("if_yes"):
            statistics_answers.ask_for_another(desk, held, unit, question.payload["if_yes"])
        return Fate(Disposition.REPLIED)
    accept(desk, held, unit, by=by, period=period)
    deciding.close_question(desk, question, answer, by, mail)
    return Fate(Disposition.REPLIED)


def _let_through(
    desk: Desk,
    mail: tables.Mail,
    sender: Sender,
    question: tables.Question,
    held: tables.Mail,
    proposal: Mapping[str, Any],
) -> Fate:
    """The office's 是 to a held mail's orders: they are carried out, and the office reads what was done."""
    done = ordering.carry_out_held(desk, held, proposal)
    if done.carried:
        held.disposition, held.reason, held.handled_at = Disposition.REPLIED.value, None, desk.now
        text = f"工委办核实后办理：{question.suggestion}"
        desk.record(f"mail:{held.id}", "released", by=mail.sender, mail=mail, text=text)
    else:
        set_aside(desk, held, "工委办同意办理，但已不能办理：" + "；".join(done.refused), mail.sender)
    deciding.close_question(desk, question, "是", mail.sender, mail)
    office = sender.unit_of(UnitKind.COMMITTEE_OFFICE) or sender.units[0]
    dispatch.read_back(desk, mail, office, done.carried, done.refused)
    return Fate(Disposition.REPLIED, "；".join(done.refused) or None)


def _chosen(desk: Desk, question: tables.Question, order: Order) -> tuple[Unit | None, str | None, str]:
    """The unit and period that an answer means, and the answer in words."""
    payload = question.payload
    suggested = desk.directory.unit(payload.get("suggestion_id"))
    match order:
        case RegisterAs():
            match = desk.directory.school(order.unit)
            return match.unit, None, f"登记为 {match.unit.name if match.unit else order.unit}"
        case Yes() | Agree() | Confirm():
            return suggested, payload.get("if_yes"), "是"
        case No() | Disagree():
            return suggested, payload.get("if_no"), "否"
    return None, None, ""


def accept(desk: Desk, held: tables.Mail, unit: Unit, *, by: str, period: str | None = None) -> Fate:
    """A held mail is filed as this unit's, its address is remembered, and its sender answered."""
    if not desk.directory.at_address(held.sender):
        questions.learn_address(desk.session, unit.id, held.sender)
        desk.record(f"unit:{unit.id}", "address_learned", by=by, mail=held, text=held.sender)
    fate = receiving.release(desk, held, unit, by=by, period=period)
    held.disposition, held.reason, held.handled_at = fate.disposition.value, fate.reason, desk.now
    held.unit_id = unit.id
    return fate


def set_aside(desk: Desk, held: tables.Mail, reason: str, by: str) -> None:
    """A held mail is put away for good by a person; what was filed of it as held is declined.

    A mail that is not held stays as it is: only a file that came with its form was in question.
    """
    if held.disposition in {Disposition.FILED.value, Disposition.CORRECTED.value, Disposition.RETURNED.value}:
        return
    held.disposition, held.reason, held.handled_at = Disposition.IGNORED.value, reason, desk.now
    desk.record(f"mail:{held.id}", "set_aside", by=by, mail=held, text=reason)
    receiving.discard(desk, held, reason, by)


# ------------------------------------------------------------------------------------- a school corrects


def _amend(desk: Desk, mail: tables.Mail, sender: Sender, answered: tables.Letter, orders: Orders) -> Fate:
    school = sender.unit_of(UnitKind.SCHOOL)
    if school is None:
        return holding.unclear(desk, mail, sender, "只有学校可以更正自己的表格", answered)
    amendments = tuple(a for order in orders.given if isinstance(order, Amend) for a in order.amendments)
    fate = receiving.amend(desk, mail, school, answered, amendments)
    return fate or holding.unclear(desk, mail, sender, "没有找到要更正的那一项", answered)
