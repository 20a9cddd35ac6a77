"""The office's answers to questions about problems, sessions and orders, carried out."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import date

from daemon import asking, session_office
from daemon.clock import chinese_day
from daemon.desk import Desk
from daemon.dispatch import read_back, tell_asker, write
from daemon.events import (
    Actor,
    Assigned,
    ClaimChecked,
    Closed,
    Declined,
    Event,
    ExtensionDecided,
    OfficeDecided,
    Reassigned,
    Referred,
    Reopened,
    VisitArranged,
    VisitDeclined,
    Withdrawn,
    visit_moment,
)
from daemon.filing import Sender
from daemon.holding import Fate
from daemon.model import Disposition, LetterKind, State, Unit, UnitKind
from daemon.ordering import (
    Done,
    Given,
    carried,
    conclude,
    happen_to,
    instructed,
    office_event,
    order_json,
)
from daemon.problems import HANDLED, LetterOrder, Party, QuestionOrder, Refusal
from daemon.store import questions, tables
from daemon.workflow import actor, happen
from parsers import replies
from parsers.fields import is_section_like
from parsers.orders import (
    Agree,
    Confirm,
    DeclineProblem,
    Disagree,
    Extend,
    Instruct,
    MergeInto,
    No,
    Order,
    Orders,
    RegisterAs,
    Select,
    Suspend,
    Yes,
)

AGREED = (Agree, Yes, Confirm)
REFUSED = (Disagree, No)


@dataclass(frozen=True, slots=True)
class Answer:
    """One answer to one question."""

    desk: Desk
    mail: tables.Mail
    question: tables.Question
    row: tables.Problem
    unit: Unit
    order: Order

    @property
    def by(self) -> Actor:
        return actor(self.unit)

    @property
    def agreed(self) -> bool:
        return isinstance(self.order, AGREED)

    @property
    def refused(self) -> bool:
        return isinstance(self.order, REFUSED)

    @property
    def reason(self) -> str | None:
        return getattr(self.order, "reason", None) or self.order.remark


@dataclass(frozen=True, slots=True)
class Nothing:
    """The answer is noted, and nothing else follows."""

    text: str


@dataclass(frozen=True, slots=True)
class NotThat:
    """The answer does not fit or cannot be carried out, and why; the question stays open."""

    reason: str


@dataclass(frozen=True, slots=True)
class Overtaken:
    """Events have overtaken the question: no answer to it can be carried out any more."""

    reason: str


Meaning = tuple[Event, ...] | Nothing | NotThat


def answer_question(
    desk: Desk, mail: tables.Mail, sender: Sender, question: tables.Question, order: Order
) -> Fate | str | Overtaken | None:
    """The fate of an answer; a reason in Chinese why it cannot be carried out; None if it does not fit."""
    unit = sender.unit_of(UnitKind.COMMITTEE_OFFICE, UnitKind.BUREAU_OFFICE)
    if unit is None:
        return None
    if question.kind == "order":
        return _order(desk, mail, sender, unit, question, order)
    if question.kind == "choice_pending":
        return _settled(desk, mail, question, "已提请书记") if isinstance(order, AGREED) else None
    row = questions.problem(desk.session, question.about)
    reader = MEANINGS.get(question.kind)
    if row is None or reader is None:
        return None
    answer = Answer(desk, mail, question, row, unit, order)
    if (answer.agreed or answer.refused) and _overtaken(question, row):
        why = f"{row.number}现为“{State(row.state).chinese}”，您的答复（{_said(order)}）未予执行，不需再办"
        close_question(desk, question, f"已不需答复（{_said(order)}）", mail.sender, mail)
        return Overtaken(why)
    general = _general(answer)
    meaning = general if general is not None else reader(answer)
    if isinstance(meaning, NotThat):
        return meaning.reason
    if isinstance(meaning, Nothing):
        return _settled(desk, mail, question, meaning.text)
    for event in meaning:
        refusal = happen(desk, row, event, mail=mail)
        if isinstance(refusal, Refusal):
            return refusal.reason
    return _settled(desk, mail, question, _said(order))


def _overtaken(question: tables.Question, row: tables.Problem) -> bool:
    """Whether a reported completion that the office was to check has been decided otherwise meanwhile."""
    about_completion = question.kind in ("completion", "close_alone")
    return about_completion and row.state != State.COMPLETION_REPORTED.value


def close_question(
    desk: Desk, question: tables.Question, answer: str, by: str, mail: tables.Mail | None = None
) -> None:
    """The question is answered; it cannot be answered again."""
    question.answered_at, question.answer, question.answered_by = desk.now, answer, by
    desk.record(question.about, "answered", by=by, mail=mail, text=answer)


def _settled(desk: Desk, mail: tables.Mail, question: tables.Question, answer: str) -> Fate:
    close_question(desk, question, answer, mail.sender, mail)
    return Fate(Disposition.REPLIED)


def _said(order: Order) -> str:
    word = {
        Agree: "同意",
        Yes: "是",
        Confirm: "确认",
        Disagree: "不同意",
        No: "否",
        RegisterAs: "登记为",
        DeclineProblem: "不予受理",
        MergeInto: "并入",
        Suspend: "挂账",
        Extend: "时限定为",
    }.get(type(order), "已答复")
    tail = getattr(order, "reason", None) or getattr(order, "unit", None) or getattr(order, "into", None)
    tail = order.until.isoformat() if isinstance(order, Extend) else tail
    tail = f"{tail}，{order.remark}" if isinstance(order, RegisterAs) and order.remark else tail
    return f"{word}：{tail}" if tail else word


# ------------------------------------------------------------------------------ what an answer means


def _general(answer: Answer) -> Meaning | None:
    """Words that mean the same whatever was asked about the problem."""
    match answer.order:
        case DeclineProblem(reason=reason):
            return (Declined(by=answer.by, reason=reason),)
        case MergeInto() | Suspend() as order:
            event = office_event(order_json(order), answer.unit)
            return NotThat(event) if isinstance(event, str) else (event,)
    return None


def _extension(answer: Answer) -> Meaning:
    if isinstance(answer.order, Extend):
        # The office grants another day than the one asked for.
        if answer.order.until < answer.desk.today:
            return NotThat("所定的办结时限已经过去")
        until, reason = answer.order.until, answer.order.reason
        return (ExtensionDecided(by=answer.by, agree=True, until=until, reason=reason),)
    if not (answer.agreed or answer.refused):
        return NotThat("延期申请请答复同意或不同意")
    until = date.fromisoformat(answer.question.payload["until"])
    return (ExtensionDecided(by=answer.by, agree=answer.agreed, until=until, reason=answer.reason),)


def _completion(answer: Answer) -> Meaning:
    if not (answer.agreed or answer.refused):
        return NotThat("办结审核请答复同意或不同意")
    return (OfficeDecided(by=answer.by, agree=answer.agreed, reason=answer.reason),)


def _alone(answer: Answer) -> Meaning:
    if answer.agreed:
        return (Closed(by=answer.by),)
    return _completion(answer)


def _withdrawal(answer: Answer) -> Meaning:
    if answer.agreed:
        return (Withdrawn(by=answer.by, reason=answer.question.payload.get("reason")),)
    if not answer.refused:
        return NotThat("撤回申请请答复同意或不同意")
    tell_asker(
        answer.desk, answer.question, f"{answer.row.number}的撤回申请未获同意，继续办理{_because(answer)}"
    )
    return Nothing("不同意撤回，继续办理")


def _because(answer: Answer) -> str:
    return f"，理由：{answer.reason}" if answer.reason else ""


def _reopening(answer: Answer) -> Meaning:
    _settle_order(answer.desk, answer.question, Fate(Disposition.REPLIED))
    if answer.agreed:
        return (Reopened(by=answer.by, reason=answer.question.payload.get("reason")),)
    if not answer.refused:
        return NotThat("请答复同意或不同意")
    tell_asker(answer.desk, answer.question, f"{answer.row.number}经审核不再重新办理{_because(answer)}")
    return Nothing("不重新办理")


def _claim(answer: Answer) -> Meaning:
    if not (answer.agreed or answer.refused):
        return NotThat("请答复是或否")
    if answer.refused:
        why = f"{answer.row.number}来信称已报送的材料，经核对尚未收到，请尽快报送{_because(answer)}"
        tell_asker(answer.desk, answer.question, why)
    return (ClaimChecked(by=answer.by, true=answer.agreed),)


def _referral(answer: Answer) -> Meaning:
    if answer.refused:
        return Nothing("暂不转办")
    named = _named_sections(answer)
    if isinstance(named, NotThat):
        return named
    sections = named or tuple(answer.question.payload.get("sections", ()))
    if not sections:
        return NotThat("请写明承办科室，例如：登记为 基础教育科")
    return _assigned(answer, sections)


def _named_sections(answer: Answer) -> tuple[int, ...] | NotThat:
    """The sections that 登记为 names, a leading one first: 基建科牵头，安保科配合; none if it names none."""
    if not isinstance(answer.order, RegisterAs):
        return ()
    directory, remark = answer.desk.directory, answer.order.remark
    found, unknown = directory.sections_named(answer.order.unit)
    more, others = directory.sections_named(remark) if remark else ((), ())
    unknown += tuple(name for name in others if is_section_like(name))
    if unknown or not found:
        name = next(iter(unknown), answer.order.unit)
        near = "、".join(unit.name for unit in directory.section(name).candidates)
        return NotThat(f"通讯录中没有“{name}”" + (f"，相近的有：{near}" if near else ""))
    return tuple(dict.fromkeys(unit.id for unit in (*found, *more)))


def _assigned(answer: Answer, sections: tuple[int, ...]) -> Meaning:
    """Refer and assign, from wherever the problem stands."""
    row = answer.row
    state = State(row.state)
    if state in HANDLED:
        return (Reassigned(by=answer.by, lead=sections[0], assists=sections[1:]),)
    assigned = Assigned(by=answer.by, lead=sections[0], assists=sections[1:], deadline=row.deadline)
    if state in (State.REFERRED, State.SELECTED):
        return (assigned,)
    return (Referred(by=answer.by), assigned)


def _unknown_section(answer: Answer) -> Meaning:
    """One of the names is settled; when all are, the problem goes to its sections."""
    desk, question = answer.desk, answer.question
    if answer.refused:
        settled: tuple[int, ...] = ()
    elif answer.agreed:
        match = desk.directory.section(question.suggestion or "")
        if match.unit is None:
            return NotThat("请写明承办科室，例如：登记为 基础教育科")
        settled = (match.unit.id,)
    else:
        named = _named_sections(answer)
        if isinstance(named, NotThat):
            return named
        if not named:
            return NotThat("请写明承办科室，例如：登记为 基础教育科")
        settled = named
    question.payload = {**question.payload, "settled": settled}
    others = [
        one
        for one in questions.questions_about(desk.session, answer.row.number, "unknown_section")
        if one.id != question.id
    ]
    if any(one.answered_at is None for one in others):
        return Nothing("科室已定，待其余科室确定后转办")
    chosen = {one.payload.get("name"): one.payload.get("settled", ()) for one in (*others, question)}
    sections = [
        (unit.id,) if (unit := desk.directory.section(name).unit) is not None else chosen.get(name, ())
        for name in answer.row.sections_asked
    ]
    # Who names several says which of them leads, also before those that the school named.
    sections.sort(key=lambda named: len(named) < 2)
    wanted = tuple(dict.fromkeys(section for named in sections for section in named))
    return _assigned(answer, wanted) if wanted else Nothing("不转科室办理")


def _reassignment(answer: Answer) -> Meaning:
    """A section sent its assignment back."""
    named = _named_sections(answer)
    if isinstance(named, NotThat):
        return named
    if named:
        return _assigned(answer, named)
    former = answer.question.payload.get("former_section_id")
    if answer.refused and former is not None:
        assigned = _assigned(answer, (former,))
        if isinstance(assigned, tuple) and isinstance(assigned[-1], Assigned):
            return (*assigned[:-1], replace(assigned[-1], kept_because=answer.reason or ""))
        return assigned
    if answer.agreed:
        order = QuestionOrder("referral", f"{answer.row.number}已同意原科室退回，请另定承办科室")
        count = len(questions.events_of(answer.desk.session, answer.row.number))
        asking.ask(answer.desk, answer.row, order, count, answer.mail)
        return Nothing("同意退回，另定承办科室")
    return NotThat("请答复同意、不同意，或登记为某科室")


def _deadline(answer: Answer) -> Meaning:
    """The day by which a section is to finish, after the old one was past; then it is assigned."""
    payload = answer.question.payload
    if isinstance(answer.order, Extend):
        day = answer.order.until
    elif answer.agreed:
        day = date.fromisoformat(payload["suggested"])
    else:
        return NotThat("请写明办结时限，例如：时限定为 2022-04-30")
    if day < answer.desk.today:
        return NotThat(f"所定的办结时限{chinese_day(day)}已经过去")
    return (Assigned(by=answer.by, lead=payload["lead"], assists=tuple(payload["assists"]), deadline=day),)


def _visit(answer: Answer) -> Meaning:
    """A section proposed a day for the visit; the office may name another one itself."""
    day, start = visit_moment(answer.question.payload["when"])
    other = replies.another_day(answer.reason or "", answer.desk.today) if answer.refused else answer.order
    if isinstance(other, Extend):
        # Without an hour of its own it is the same hour on another day.
        day, start = other.until, replies.hour_in(other.reason or "") or start
        if day < answer.desk.today:
            return NotThat(f"所定的一线办理时间{chinese_day(day)}已经过去")
    elif answer.refused:
        return (VisitDeclined(by=answer.by, reason=answer.reason),)
    elif not answer.agreed:
        return NotThat("请答复同意或不同意，另定时间的写明日期，例如：改到 3月2日下午3点")
    people = answer.question.payload.get("participants")
    return (VisitArranged(by=answer.by, day=day, start=start, participants=people),)


def _assist_declined(answer: Answer) -> Meaning:
    """An assisting section does not want to assist."""
    row, section = answer.row, answer.question.payload["section_id"]
    left = tuple(one for one in row.assist_section_ids if one != section)
    if answer.agreed and row.lead_section_id is not None:
        return (Reassigned(by=answer.by, lead=row.lead_section_id, assists=left),)
    if not answer.refused:
        return NotThat("请答复同意或不同意")
    order = LetterOrder(LetterKind.ASSIGNMENT, Party.ASSIST_SECTIONS, facts={"sections": (section,)})
    count = len(questions.events_of(answer.desk.session, row.number))
    write(answer.desk, row, order, count + 1, answer.mail)
    return Nothing(f"不同意退回，仍请协办{'：' + answer.reason if answer.reason else ''}")


def _correction_overdue(answer: Answer) -> Meaning:
    return Nothing("继续等候补正") if answer.agreed else NotThat("请答复是，或不予受理并写明理由")


MEANINGS: Mapping[str, Callable[[Answer], Meaning]] = {
    "extension": _extension,
    "completion": _completion,
    "close_alone": _alone,
    "withdrawal": _withdrawal,
    "claim": _claim,
    "reopening": _reopening,
    "referral": _referral,
    "unknown_section": _unknown_section,
    "reassignment": _reassignment,
    "correction_overdue": _correction_overdue,
    "deadline": _deadline,
    "visit": _visit,
    "assist_declined": _assist_declined,
}


# --------------------------------------------------------------------------- which problem was meant


def which_problem(
    desk: Desk, mail: tables.Mail, sender: Sender, question: tables.Question, orders: Orders
) -> Fate | None:
    """The secretary says which problems his words are about: now the office confirms; None if he does not."""
    listed = tuple(question.payload["numbers"])
    picked: list[str] = []
    words = [question.payload["text"]]
    for order in orders.given:
        match order:
            case Select(positions=positions, numbers=numbers):
                if any(not 1 <= place <= len(listed) for place in positions):
                    return None
                picked += [*(listed[place - 1] for place in positions), *numbers]
            case Instruct(text=text):
                picked += _named(text, listed)
                words += [text] if not replies.EVERYTHING.fullmatch(text.strip(replies.STOP)) else []
    unit = sender.unit_of(UnitKind.SECRETARY)
    if unit is None or not picked or set(picked) - set(listed):
        return None
    _settled(desk, mail, question, f"所指：{'、'.join(dict.fromkeys(picked))}")
    _settle_order(desk, question, Fate(Disposition.REPLIED))
    given = Given(desk, mail, None, sender, unit, None, orders.given)
    return instructed(given, [(tuple(dict.fromkeys(picked)), "\n".join(words))])


def _named(text: str, listed: tuple[str, ...]) -> tuple[str, ...]:
    target = replies.target_of(text)
    if target.position is not None and 1 <= target.position <= len(listed):
        return (listed[target.position - 1],)
    return listed if target.all else target.numbers


# ------------------------------------------------------------------------------------- confirmed orders


def _order(
    desk: Desk,
    mail: tables.Mail,
    sender: Sender,
    unit: Unit,
    question: tables.Question,
    order: Order,
) -> Fate | str | None:
    """A fresh order of an office is confirmed and carried out, or dropped."""
    if isinstance(order, REFUSED):
        _settle_order(desk, question, Fate(Disposition.IGNORED, "答复不执行"))
        return _settled(desk, mail, question, "不执行")
    if not isinstance(order, AGREED):
        return None
    given = Given(desk, mail, None, sender, unit, None, ())
    done = Done([], [])
    for kept in question.payload["orders"]:
        _execute(_as_ordered(given, question, kept), kept, done)
    _settled(desk, mail, question, "同意执行")
    _settle_order(desk, question, Fate(Disposition.REPLIED))
    if not done.carried:
        return _nothing_done(given, done)
    return conclude(given, done, told=True)


def _as_ordered(given: Given, question: tables.Question, kept: Mapping[str, object]) -> Given:
    """The secretary's words stand under his name and mail; the office only let them through."""
    secretary = next(iter(given.desk.directory.of_kind(UnitKind.SECRETARY)), None)
    source = given.desk.session.get(tables.Mail, question.mail_id) if question.mail_id else None
    if kept["order"] != "Instruct" or secretary is None or source is None:
        return given
    return replace(given, mail=source, unit=secretary) if source.sender in secretary.all_addresses else given


def _settle_order(desk: Desk, question: tables.Question, fate: Fate) -> None:
    """The mail that gave the order has waited for this answer."""
    asked_by = desk.session.get(tables.Mail, question.mail_id) if question.mail_id else None
    if asked_by is not None:
        asked_by.disposition, asked_by.reason = fate.disposition.value, fate.reason
        asked_by.handled_at = desk.now


def _nothing_done(given: Given, done: Done) -> Fate:
    read_back(given.desk, given.mail, given.unit, (), done.refused or ("没有可以执行的事项",))
    return Fate(Disposition.REPLIED, "；".join(done.refused) or None)


def _execute(given: Given, kept: Mapping[str, object], done: Done) -> None:
    match kept["order"]:
        case "OpenSession":
            opened = session_office.open_session(given.desk, by=given.unit.name, mail=given.mail)
            if opened is None:
                done.refused.append("没有可以列入清单的难点问题，未开期")
            else:
                done.carried.append(carried(opened.code, "开启新一期", "清单已呈报书记"))
        case "RollUp" | "Circulate":
            done.refused.append("汇总、通报请单独来信")
        case _:
            event, numbers = office_event(kept, given.unit), kept.get("numbers")
            for number in numbers if isinstance(numbers, list) else ():
                if isinstance(event, str):
                    done.refused.append(event)
                else:
                    happen_to(given, str(number), event, done)
