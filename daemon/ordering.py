"""What people order in words, carried out: replies of sections, schools and offices, and fresh orders.

A reply orders something about a problem only if it answers a letter of ours that went to that unit; the
workflow's table says whether the unit may. An office's order that answers nothing becomes a question.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import cast

from daemon import holding, letters, session_choice, typesetting
from daemon.asking import ask
from daemon.clock import chinese_day, chinese_moment, local_day
from daemon.desk import Desk
from daemon.dispatch import read_back
from daemon.events import (
    Accepted,
    Archived,
    CalledBack,
    Chased,
    Claimed,
    CompletionReported,
    Declined,
    DeclinedAssignment,
    Event,
    ExtensionAsked,
    Inspected,
    Instructed,
    Merged,
    Planned,
    ProcedureAsked,
    Progressed,
    Reopened,
    Resumed,
    Suspended,
    Withdrawn,
)
from daemon.filing import Sender
from daemon.holding import Fate
from daemon.model import Disposition, LetterKind, State, Unit, UnitKind
from daemon.problems import QuestionOrder, Refusal
from daemon.recipients import recipient
from daemon.store import questions, tables
from daemon.workflow import actor, happen, refusal_of
from parsers import orders as words, replies
from parsers.values import Authentication, PartOutcome, Reading

NOT_AN_ANSWER = "来信不是对我办来信的直接回复，为防冒用，未予办理"


@dataclass(frozen=True, slots=True)
class Given:
    """One mail with orders in it."""

    desk: Desk
    mail: tables.Mail
    reading: Reading | None
    sender: Sender
    unit: Unit
    answered: tables.Letter | None
    orders: tuple[words.Order, ...]


@dataclass
class Done:
    """What became of the orders of one mail."""

    carried: list[letters.Filed]
    refused: list[str]


def carry_out(
    desk: Desk,
    mail: tables.Mail,
    reading: Reading,
    sender: Sender,
    answered: tables.Letter | None,
    orders: words.Orders,
) -> Fate | None:
    """The orders of a reply, carried out; None if none of them has a place here."""
    unit = unit_of(sender, answered)
    if unit is None:
        return None
    given = Given(desk, mail, reading, sender, unit, answered, orders.given)
    match unit.kind:
        case UnitKind.SECRETARY:
            return _secretary(given)
        case UnitKind.COMMITTEE_OFFICE | UnitKind.BUREAU_OFFICE:
            return _office(given)
        case UnitKind.SECTION | UnitKind.SCHOOL:
            return _replied(given) if answered is not None else _no_answer(given)
        case _:
            return None


def unit_of(sender: Sender, answered: tables.Letter | None) -> Unit | None:
    """As which unit somebody writes: that of the letter, else by the office's role before a school's."""
    named = next((unit for unit in sender.units if answered and unit.id == answered.unit_id), None)
    order = (UnitKind.SECRETARY, UnitKind.COMMITTEE_OFFICE, UnitKind.BUREAU_OFFICE, UnitKind.SECTION)
    return named or sender.unit_of(*order) or sender.unit_of(UnitKind.SCHOOL)


def _no_answer(given: Given) -> Fate:
    desk, mail = given.desk, given.mail
    if any(isinstance(order, words.Select) for order in given.orders):
        return holding.unclear(desk, mail, given.sender, _how_to_choose(desk))
    proposal = proposed(desk, mail, given.reading, given.unit, None)
    return holding.unclear(desk, mail, given.sender, NOT_AN_ANSWER, proposal=proposal)


def _how_to_choose(desk: Desk) -> str:
    """Why a choice that answers no list chooses nothing, and what would."""
    names = [
        typesetting.session_name(row.code)
        for row in questions.running_sessions(desk.session)
        if row.stage in CHOOSABLE
    ]
    if not names:
        return "目前没有待选定的难点问题清单；下一期清单呈报后，请直接回复该信选定"
    return (
        f"选题须在所呈清单的来信上直接回复，方能确定所指的期次和序号；请找到主题为“{names[-1]}难点问题清单”的来信，"
        "点“回复”，首行写明序号，如“选定 2，其余转办”"
    )


CHOOSABLE = frozenset({"submitted", "chosen"})
"""Stages of a session at which the secretary may still choose."""


def out_of_role(text: str, sender: Sender, today: date) -> str | None:
    """To whom an order belongs that its writer may not give; None if it is none, or nobody known wrote it."""
    if not sender.known or not sender.trusted:
        return None
    kinds = {unit.kind for unit in sender.units}
    for kind, who in ORDERED_BY.items():
        if kind in kinds:
            continue
        for order in replies.orders(text, kind.value, today).given:
            what = (
                "选定难点问题" if isinstance(order, words.Select) else OFFICE_ORDERS.get(type(order).__name__)
            )
            if what is not None and not isinstance(order, words.Instruct):
                return f"{what}由{who}来信办理"
    return None


ORDERED_BY: Mapping[UnitKind, str] = {
    UnitKind.SECRETARY: "市委教育工委书记",
    UnitKind.COMMITTEE_OFFICE: "市委教育工委办公室",
    UnitKind.BUREAU_OFFICE: "市教育局办公室",
}

# ---------------------------------------------------------- held orders that the office may let through


def proposed(
    desk: Desk,
    mail: tables.Mail,
    reading: Reading | None,
    unit: Unit | None,
    letter: tables.Letter | None,
) -> holding.Proposal | None:
    """What a held mail would do as a section's or a school's, said in full; None if it cannot be done so.

    A mail with files is not offered: they would be lost.
    """
    if unit is None or unit.kind not in (UnitKind.SECTION, UnitKind.SCHOOL):
        return None
    if reading is None or any(part.outcome is not PartOutcome.IGNORED for part in reading.parts):
        return None
    given = _as_of(desk, mail, unit, letter)
    said: list[str] = []
    for order in given.orders:
        event, numbers = _event_of(given, order), targets(letter, order.target)
        if isinstance(event, str) or isinstance(numbers, str):
            return None
        rows = questions.problem_rows(desk.session, numbers)
        if len(rows) < len(numbers) or any(refusal_of(desk, row, event) for row in rows):
            return None
        said.append(" ".join(filter(None, (event.chinese, "、".join(numbers), _particulars(order)))))
    if not said:
        return None
    return holding.Proposal(f"{unit.name}：{'；'.join(said)}", unit.id, letter.id if letter else None)


def _as_of(desk: Desk, mail: tables.Mail, unit: Unit, letter: tables.Letter | None) -> Given:
    """A mail's words read as this unit's, on the day they came."""
    day = local_day(mail.received_at, desk.config.zone)
    orders = replies.orders(mail.text or "", unit.kind.value, day).given
    return Given(desk, mail, None, Sender(mail.sender, (unit,), Authentication.UNKNOWN), unit, letter, orders)


def _event_of(given: Given, order: words.Order) -> Event | str:
    return (section_event if given.unit.kind is UnitKind.SECTION else _school_event)(given, order)


def _particulars(order: words.Order) -> str:
    """What an order says beside its name."""
    values = (getattr(order, name, None) for name in ("satisfaction", "until", "text", "result", "reason"))
    shown = [
        chinese_day(value) if isinstance(value, date) else getattr(value, "chinese", None) or str(value)
        for value in values
        if value
    ]
    return f"（{' '.join('；'.join(shown).split())}）" if shown else ""


def carry_out_held(desk: Desk, held: tables.Mail, proposal: Mapping[str, object]) -> Done:
    """What became of a held mail's orders that the office let through as its unit's."""
    unit = desk.directory.unit(cast("int", proposal["unit_id"]))
    letter = desk.session.get(tables.Letter, proposal["letter_id"]) if proposal["letter_id"] else None
    if unit is None:
        return Done([], ["来信单位已不在通讯录中"])
    given = _as_of(desk, held, unit, letter)
    return carry_out_each(given, lambda order: _event_of(given, order))


# ------------------------------------------------------------------------------ which problems are meant


def targets(answered: tables.Letter | None, target: words.Target) -> tuple[str, ...] | str:
    """The numbers that an order speaks of, or in Chinese why that is not clear."""
    about = tuple(number for number in answered.about if number.startswith("ND-")) if answered else ()
    if target.numbers:
        foreign = [number for number in target.numbers if not number.startswith("ND-")]
        return f"{'、'.join(foreign)}不是难点问题的编号" if foreign else target.numbers
    if target.position is not None:
        if not 1 <= target.position <= len(about):
            return f"所回复的来信共{len(about)}项，没有第{target.position}项"
        return (about[target.position - 1],)
    if target.all or len(about) == 1:
        return about
    if not about:
        return "所回复的来信不涉及某个难点问题，请写明编号"
    return f"所回复的来信涉及{len(about)}个难点问题，请在前面写明编号"


def carry_out_each(given: Given, event_of: Callable[[words.Order], Event | str]) -> Done:
    """Let every order happen to every problem it means."""
    done = Done([], [])
    for order in given.orders:
        event, numbers = event_of(order), targets(given.answered, order.target)
        if isinstance(event, str) or isinstance(numbers, str):
            done.refused.append(event if isinstance(event, str) else str(numbers))
            continue
        for number in numbers:
            happen_to(given, number, event, done)
    return done


def happen_to(given: Given, number: str, event: Event, done: Done) -> None:
    """Let an event happen to a problem, and note in `done` what came of it."""
    row = questions.problem(given.desk.session, number)
    if row is None:
        done.refused.append(f"没有编号为{number}的难点问题")
        return
    if isinstance(event, Merged) and not _may_take(given.desk, event.into):
        done.refused.append(f"没有可以并入的难点问题{event.into}")
        return
    refusal = happen(given.desk, row, event, mail=given.mail)
    if isinstance(refusal, Refusal):
        done.refused.append(refusal.reason if number in refusal.reason else f"{number}：{refusal.reason}")
    else:
        done.carried.append(carried(number, event.chinese, State(row.state).chinese))


def _may_take(desk: Desk, into: str) -> bool:
    """Whether another problem can be merged into this one."""
    row = questions.problem(desk.session, into)
    return row is not None and State(row.state) not in (State.MERGED, State.DECLINED, State.WITHDRAWN)


def carried(number: str, what: str, state: str) -> letters.Filed:
    """What was done about a number, as a read-back shows it."""
    return letters.Filed(what, number, (letters.Fact("办理事项", what), letters.Fact("现状", state)))


def conclude(given: Given, done: Done, *, told: bool = False) -> Fate:
    """Say what became of the mail: all carried out, some of it (read back), or nothing (held).

    `told`: what was carried out is read back even if it is all.
    """
    if not done.carried:
        return holding.unclear(
            given.desk, given.mail, given.sender, "；".join(dict.fromkeys(done.refused)), given.answered
        )
    if done.refused or told:
        read_back(given.desk, given.mail, given.unit, tuple(done.carried), tuple(done.refused))
    return Fate(Disposition.REPLIED, "；".join(dict.fromkeys(done.refused)) or None)


# --------------------------------------------------------------------------------- sections and schools


def _replied(given: Given) -> Fate:
    return conclude(given, carry_out_each(given, lambda order: _event_of(given, order)))


def section_event(given: Given, order: words.Order) -> Event | str:
    """The event that a section's word stands for, or why it stands for none."""
    by = actor(given.unit)
    match order:
        case words.Accept():
            return Accepted(by=by)
        case words.DeclineAssignment():
            return DeclinedAssignment(by=by, reason=order.reason)
        case words.Plan():
            plan = order.text or _files(given)
            return Planned(by=by, handling={"工作方案": plan}) if plan else "方案既没有正文，也没有附件"
        case words.Progress():
            return Progressed(by=by, text=order.text)
        case words.Extend():
            return ExtensionAsked(by=by, until=order.until, reason=order.reason)
        case words.Complete():
            return CompletionReported(by=by, result=order.result)
        case words.AlreadyReported():
            return Claimed(by=by)
    return "这项答复不属于科室的办理用语"


def _files(given: Given) -> str | None:
    """The files that came along, by name: a plan may be one of them."""
    parts = given.reading.parts if given.reading else ()
    names = [part.name for part in parts if part.outcome is not PartOutcome.REFUSED]
    return f"见来信{given.mail.id}的附件：{'、'.join(names)}" if names else None


def _school_event(given: Given, order: words.Order) -> Event | str:
    by = actor(given.unit)
    match order:
        case words.Rate() if _overtaken(given):
            return "所回复的是此前的评价函，此后承办科室又有新的办理结果，请回复最近一次评价函"
        case words.Rate():
            return CalledBack(by=by, satisfaction=order.satisfaction.value, reason=order.reason)
        case words.Withdraw():
            return Withdrawn(by=by, reason=order.reason)
        case words.AlreadyReported():
            return Claimed(by=by)
    return "这项答复不属于学校的回复用语"


def objection(desk: Desk, mail: tables.Mail, sender: Sender, answered: tables.Letter | None) -> Fate | None:
    """A school's own words about a problem that is closed: the office decides whether it is reopened.

    None if they are about something else, or no more than thanks.
    """
    school, text = sender.unit_of(UnitKind.SCHOOL), (mail.text or "").strip()
    numbers = [number for number in answered.about if number.startswith("ND-")] if answered else []
    row = questions.problem(desk.session, numbers[0]) if len(numbers) == 1 else None
    if row is None or school is None or row.unit_id != school.id or not sender.trusted:
        return None
    if row.state not in (State.CLOSED.value, State.ARCHIVED.value):
        return None
    late = refusal_of(desk, row, Reopened(by=actor(school), reason=text))
    if late is not None:
        return holding.unclear(desk, mail, sender, late, answered)
    order = QuestionOrder("reopening", f"{school.name}对已办结的{row.number}来信", payload={"reason": text})
    ask(desk, row, order, len(questions.events_of(desk.session, row.number)), mail)
    return Fate(Disposition.HELD, "学校对已办结的问题有话要说，待工委办审定是否重新办理")


def _overtaken(given: Given) -> bool:
    """Whether the school answers a call-back after which there was another."""
    answered = given.answered
    if answered is None or answered.kind != LetterKind.CALLBACK.value:
        return False
    about = next((number for number in answered.about if number.startswith("ND-")), "")
    later = questions.letters_about(given.desk.session, about, LetterKind.CALLBACK)
    return any(letter.id > answered.id for letter in later)


# --------------------------------------------------------------------------------------- the secretary


def _secretary(given: Given) -> Fate:
    answered = given.answered
    if answered is None:
        return _no_answer(given)
    if "session" in answered.context:
        return session_choice.chosen_in_words(given.desk, given.mail, given.sender, answered, given.orders)
    return _instruction(given, answered)


def _instruction(given: Given, answered: tables.Letter) -> Fate:
    """Words of the secretary's about problems in hand: the office confirms before they are passed on."""
    clauses = [
        line
        for order in given.orders
        if isinstance(order, words.Instruct)
        for line in order.text.split("\n")
        if line.strip()
    ]
    listed = tuple(number for number in answered.about if number.startswith("ND-"))
    meant = _by_problem(clauses, listed)
    if not clauses or not (listed or meant):
        why = "书记来信未能对应到某个难点问题，请工委办核实后转达"
        return holding.unclear(given.desk, given.mail, given.sender, why, answered)
    if meant is None:
        return _ask_which(given, "\n".join(clauses), listed)
    return instructed(given, meant)


def _by_problem(clauses: Sequence[str], listed: tuple[str, ...]) -> list[tuple[tuple[str, ...], str]] | None:
    """The clauses gathered by the problems they are about; None if one could be about several.

    A clause without a number goes with the one before it.
    """
    found: list[tuple[tuple[str, ...], str]] = []
    for clause in clauses:
        target = replies.target_of(clause)
        numbers = target.numbers or (listed if target.all or len(listed) == 1 else ())
        if not numbers and not found:
            return None
        if found and numbers in ((), found[-1][0]):
            found[-1] = (found[-1][0], f"{found[-1][1]}\n{clause}")
        else:
            found.append((numbers, clause))
    return found


def instructed(given: Given, meant: Sequence[tuple[tuple[str, ...], str]]) -> Fate:
    """The secretary's words, each with its problems, before the office for its 确认."""
    desk = given.desk
    numbers = [number for named, _ in meant for number in named]
    known = {row.number for row in questions.problem_rows(desk.session, numbers)}
    if unknown := [number for number in dict.fromkeys(numbers) if number not in known]:
        why = f"没有编号为{'、'.join(unknown)}的难点问题，请工委办核实后转达"
        return holding.unclear(desk, given.mail, given.sender, why, given.answered)
    orders = [{"order": "Instruct", "numbers": list(named), "text": text} for named, text in meant]
    said = "；".join(f"{'、'.join(named)}：{text}" for named, text in meant)
    return _ask_first(given, orders, f"书记批示：{said}")


def _ask_which(given: Given, text: str, listed: tuple[str, ...]) -> Fate:
    """Ask the secretary which of several problems he means: nothing is passed on to all by itself."""
    desk = given.desk
    rows = questions.problem_rows(desk.session, listed)
    desk.ask(
        letters.Question(
            to_name=recipient(given.unit).name,
            date=desk.today,
            question=letters.QuestionKind.WHICH_PROBLEM,
            about=text,
            facts=tuple(
                letters.Fact(f"第{place}项", f"{row.number} {row.problem}（{row.reporting_unit}）")
                for place, row in enumerate(rows, start=1)
            ),
            quoted=text,
        ),
        kind="which_problem",
        about=f"mail:{given.mail.id}",
        text=f"书记批示待明示所指问题：{text}",
        payload={"text": text, "numbers": [row.number for row in rows]},
        mail=given.mail,
        key=f"question:which_problem:mail:{given.mail.id}",
        unit=given.unit,
    )
    return Fate(Disposition.HELD, "批示未写明所指的难点问题，已请书记明示")


# ------------------------------------------------------------------------------------------ the offices

WIDE = (words.OpenSession, words.RollUp, words.Circulate)
"""Orders about no problem: always confirmed first."""


def _office(given: Given) -> Fate | None:
    answered = given.answered
    if answered is not None and (fate := _about_a_session(given, answered)) is not None:
        return fate
    known = [order for order in given.orders if type(order).__name__ in OFFICE_ORDERS]
    if len(known) != len(given.orders):
        return None
    if answered is None or not _about_the_letter(given, answered):
        return _confirm_first(given)
    done = carry_out_each(given, lambda order: office_event(order_json(order), given.unit))
    return conclude(given, done, told=True)


def _about_a_session(given: Given, answered: tables.Letter) -> Fate | None:
    """确认 or 不同意 to a read-back or an assignment sheet."""
    if "session" not in answered.context or len(given.orders) != 1:
        return None
    match given.orders[0]:
        case words.Confirm() | words.Agree():
            return session_choice.confirmed(given.desk, given.mail, given.sender, answered)
        case words.Disagree() | words.No() as order:
            return session_choice.refused(given.desk, given.mail, given.sender, answered, order.reason)
    return None


def _about_the_letter(given: Given, answered: tables.Letter) -> bool:
    """Whether every order speaks of what the answered letter is about, and none of more."""
    if any(isinstance(order, WIDE) for order in given.orders):
        return False
    if answered.kind == LetterKind.OVERDUE_LIST.value and given.unit.kind is UnitKind.BUREAU_OFFICE:
        return True
    meant = [targets(answered, order.target) for order in given.orders]
    return all(not isinstance(numbers, str) and set(numbers) <= set(answered.about) for numbers in meant)


def _confirm_first(given: Given) -> Fate:
    """An order that answers no letter of ours: asked back before it is carried out."""
    if any(isinstance(order, words.RollUp | words.Circulate) for order in given.orders):
        # They are asked about with the figures they stand on, each in a letter of its own.
        why = "汇总、通报由工委办单独来信，信中不写其他事项；其他事项请另行来信"
        return holding.unclear(given.desk, given.mail, given.sender, why, given.answered)
    about = tuple(given.answered.about) if given.answered else ()
    orders = []
    for order in given.orders:
        numbers = order.target.numbers or (about if not isinstance(order, WIDE) and len(about) == 1 else ())
        if not isinstance(order, WIDE):
            rows = questions.problem_rows(given.desk.session, numbers)
            unknown = set(numbers) - {row.number for row in rows}
            if not numbers or unknown:
                why = (
                    f"没有编号为{'、'.join(sorted(unknown))}的难点问题" if unknown else _without_number(order)
                )
                return holding.unclear(given.desk, given.mail, given.sender, why, given.answered)
            if isinstance(order, words.MergeInto) and not _may_take(given.desk, order.into):
                why = f"没有可以并入的难点问题{order.into}"
                return holding.unclear(given.desk, given.mail, given.sender, why, given.answered)
        orders.append(order_json(order) | {"numbers": list(numbers)})
    return _ask_first(given, orders, "；".join(described(order) for order in orders))


def _without_number(order: words.Order) -> str:
    """What is missing in an order about no problem, with an example of how it is written."""
    what = OFFICE_ORDERS[type(order).__name__]
    examples = {"Inspect": "督查 ND-2022-013:护学岗尚未到位", "Chase": "催办 ND-2022-013"}
    example = examples.get(type(order).__name__)
    return f"{what}没有写明难点问题的编号" + (f"，请按“{example}”的格式重新来信" if example else "")


def _ask_first(given: Given, orders: Sequence[Mapping[str, object]], what: str) -> Fate:
    desk = given.desk
    asked = (
        given.unit
        if given.unit.kind is UnitKind.BUREAU_OFFICE
        else next(iter(desk.directory.of_kind(UnitKind.COMMITTEE_OFFICE)), given.unit)
    )
    numbers = [str(n) for order in orders for n in order.get("numbers", ())]  # type: ignore[attr-defined]
    rows = questions.problem_rows(desk.session, numbers)
    taking = questions.problem_rows(desk.session, [str(one["into"]) for one in orders if one.get("into")])
    desk.ask(
        letters.Question(
            to_name=recipient(asked).name,
            date=desk.today,
            question=letters.QuestionKind.ORDER,
            about=what,
            facts=(
                letters.Fact("来信邮箱", given.mail.sender),
                letters.Fact("来信时间", chinese_moment(given.mail.received_at, desk.config.zone)),
                letters.Fact("办理事项", what),
                *(_shown(row) for row in rows),
                *(_shown(row, "并入的问题 ") for row in taking),
            ),
            quoted=given.mail.text or None,
        ),
        kind="order",
        about=numbers[0] if len(set(numbers)) == 1 else f"mail:{given.mail.id}",
        text=what,
        payload={"orders": [dict(order) for order in orders]},
        mail=given.mail,
        key=f"question:order:mail:{given.mail.id}",
        unit=asked,
    )
    return Fate(Disposition.HELD, f"未随来信答复，已请确认后执行：{what}")


def _shown(row: tables.Problem, role: str = "") -> letters.Fact:
    """A problem in a question: whose it is, its title, and a line of its details."""
    details = " ".join((row.details or "").split())
    beginning = details if len(details) <= LINE_OF_DETAILS else f"{details[:LINE_OF_DETAILS]}……"
    told = f"{row.problem}（{row.reporting_unit}）"
    return letters.Fact(f"{role}{row.number}", f"{told}\n{beginning}" if beginning else told)


LINE_OF_DETAILS = 60

# --- orders as they are kept with a question


def order_json(order: words.Order) -> dict[str, object]:
    """An order of an office as it is kept until somebody confirms it."""
    kept: dict[str, object] = {"order": type(order).__name__, "numbers": list(order.target.numbers)}
    for name in ("reason", "into", "text"):
        if (value := getattr(order, name, None)) is not None:
            kept[name] = value
    return kept


OFFICE_ORDERS: Mapping[str, str] = {
    "OpenSession": "开启新一期",
    "RollUp": "重新汇总统计数据",
    "Circulate": "起草通报",
    "Chase": "催办",
    "MergeInto": "并案",
    "DeclineProblem": "不予受理",
    "Suspend": "挂账",
    "Resume": "恢复办理",
    "Archive": "归档",
    "AskProcedure": "要求全程办理",
    "Inspect": "反馈督查情况",
    "Instruct": "转达书记批示",
}


def described(order: Mapping[str, object]) -> str:
    """An order in words, for the question."""
    numbers = order.get("numbers")
    parts = [OFFICE_ORDERS[str(order["order"])]]
    if isinstance(numbers, list) and numbers:
        parts.append("、".join(numbers))
    if order.get("into"):
        parts.append(f"并入{order['into']}")
    tail = order.get("reason") or order.get("text")
    return " ".join(parts) + (f"：{tail}" if tail else "")


def office_event(order: Mapping[str, object], unit: Unit) -> Event | str:
    """The event that an office's order makes happen to a problem."""
    by, reason = actor(unit), order.get("reason")
    why = str(reason) if reason else None
    text = str(order.get("text") or "")
    events: Mapping[str, Event] = {
        "Chase": Chased(by=by),
        "MergeInto": Merged(by=by, into=str(order.get("into") or "")),
        "DeclineProblem": Declined(by=by, reason=why),
        "Suspend": Suspended(by=by, reason=why),
        "Resume": Resumed(by=by),
        "Archive": Archived(by=by),
        "AskProcedure": ProcedureAsked(by=by),
        "Inspect": Inspected(by=by, text=text),
        "Instruct": Instructed(by=by, text=text),
    }
    return events.get(str(order["order"]), "这项指令不能对某个难点问题执行")
