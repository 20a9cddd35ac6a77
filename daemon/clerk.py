"""The clerk's hand at the command line: file a held mail, let it through, put it away, or read it anew.

It does what the office's answer to a question does, through the same functions; the history says `admin`.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime

from daemon import answering, deciding
from daemon.config import Config
from daemon.desk import Desk, open_office
from daemon.directory import Directory
from daemon.errors import Failure
from daemon.filing import Outcome
from daemon.holding import Fate
from daemon.model import Disposition, Unit
from daemon.store import questions, tables
from daemon.store.engine import Store

ADMINISTRATOR = "admin"
ABOUT_HELD_MAIL = frozenset({"held_mail", "period", "held_text"})
"""Kinds of questions to the office that ask what to do with a held mail."""
SET_ASIDE = frozenset({Disposition.HELD, Disposition.QUARANTINED})
"""Fates of mails that a person may put away."""


def file(store: Store, config: Config, mail_id: int, unit_name: str | None, now: datetime) -> list[str]:
    """File a held mail as a unit's, by default the one suggested to the office; what happened, line by line.

    Failure: the mail or the unit is unknown, or the mail is not held.
    """
    with desk_at(store, config, now) as desk:
        mail = _held(desk, mail_id)
        _with_forms(desk, mail)
        unit = _named(desk, unit_name) if unit_name else _suggested(desk, mail)
        return _accept(desk, mail, unit)


def release(store: Store, config: Config, mail_id: int, now: datetime, *, ignore: bool) -> list[str]:
    """Let a held mail through as it was read, or put it away; what happened, line by line.

    A quarantined mail is handled again. Failure: the mail is unknown or settled, or nobody knows whose it is.
    """
    with desk_at(store, config, now) as desk:
        mail = _known(desk, mail_id)
        if ignore:
            return _put_away(desk, mail)
        if mail.disposition == Disposition.QUARANTINED.value:
            return [_handle_again(desk, mail)]
        _held(desk, mail_id)
        _with_forms(desk, mail)
        return _accept(desk, mail, _own_unit(desk, mail) or _suggested(desk, mail))


@contextmanager
def desk_at(store: Store, config: Config, now: datetime) -> Iterator[Desk]:
    office = open_office(config)
    with store.transaction() as session:
        yield Desk(office, session, Directory(questions.units(session)), now)


# ------------------------------------------------------------------------------------------- which mail


def _known(desk: Desk, mail_id: int) -> tables.Mail:
    mail = questions.mail(desk.session, mail_id)
    if mail is None:
        raise Failure(f"没有来信 {mail_id}", "用 djb held 查看等待核实的来信，djb mail 查看全部")
    return mail


def _held(desk: Desk, mail_id: int) -> tables.Mail:
    mail = _known(desk, mail_id)
    fate = Disposition(mail.disposition)
    if fate is Disposition.QUARANTINED:
        raise Failure(f"来信 {mail_id} 处理时出过错，已隔离", f"先重新办理：djb replay {mail_id} --apply")
    if fate is not Disposition.HELD:
        raise Failure(f"来信 {mail_id} 不在待核实之列（{fate.chinese}）", "用 djb held 查看等待核实的来信")
    return mail


def _with_forms(desk: Desk, mail: tables.Mail) -> None:
    """Failure: no form was read in the mail, so there is nothing to file."""
    filings = questions.filings_of(desk.session, mail.id)
    if not any(filing.outcome == Outcome.HELD.value for filing in filings):
        raise Failure(
            f"来信 {mail.id} 里没有读出表格，无可登记（{mail.reason or '原因未记录'}）",
            f"阅后搁置：djb release {mail.id} --ignore；升级或装好读表程序后重新读取：djb replay {mail.id}",
        )


# -------------------------------------------------------------------------------------------- which unit


def _named(desk: Desk, name: str) -> Unit:
    match = desk.directory.school(name)
    if match.unit is not None:
        return match.unit
    near = "、".join(unit.name for unit in match.candidates)
    raise Failure(
        f"通讯录中没有“{name}”",
        f"是不是：{near}？" if near else "用 djb directory export 通讯录.xlsx 查看有哪些单位",
    )


def _suggested(desk: Desk, mail: tables.Mail) -> Unit:
    for question in open_questions(desk, mail):
        unit = desk.directory.unit(question.payload.get("suggestion_id"))
        if unit is not None:
            return unit
    raise Failure(f"还不知道来信 {mail.id} 是哪个单位的表", f"请指明：djb file {mail.id} --as 单位名称")


def _own_unit(desk: Desk, mail: tables.Mail) -> Unit | None:
    """The unit that was certain when the mail was held for another reason."""
    held = [f for f in questions.filings_of(desk.session, mail.id) if f.outcome == Outcome.HELD.value]
    return next((unit for filing in held if (unit := desk.directory.unit(filing.unit_id))), None)


# ------------------------------------------------------------------------------------------ what is done


def open_questions(desk: Desk, mail: tables.Mail) -> list[tables.Question]:
    """What the office was asked about holding this mail, and has not answered."""
    found = questions.questions_of_mail(desk.session, mail.id)
    return [q for q in found if q.answered_at is None and q.kind in ABOUT_HELD_MAIL]


def _accept(desk: Desk, mail: tables.Mail, unit: Unit) -> list[str]:
    asked = open_questions(desk, mail)
    period = next((q.payload["if_yes"] for q in asked if q.payload.get("if_yes")), None)
    fate = answering.accept(desk, mail, unit, by=ADMINISTRATOR, period=period)
    if fate.disposition is not Disposition.HELD:
        for question in asked:
            deciding.close_question(desk, question, f"管理员登记为{unit.name}", ADMINISTRATOR)
    return list(_told(desk, mail, unit, fate))


def _told(desk: Desk, mail: tables.Mail, unit: Unit, fate: Fate) -> Iterator[str]:
    numbers = [problem.number for problem in questions.problems_of_mail(desk.session, mail.id)]
    numbers += [row.period for row in questions.returns_of_mail(desk.session, mail.id) if not row.superseded]
    about = f"：{'、'.join(numbers)}" if numbers else ""
    reason = f"（{fate.reason}）" if fate.reason else ""
    yield f"来信 {mail.id}，{unit.name}：{fate.disposition.chinese}{reason}{about}"
    desk.session.flush()
    waiting = [letter for letter in questions.answers_to(desk.session, mail.id) if letter.state == "queued"]
    for letter in waiting:
        yield f"待发：{'、'.join(letter.to)}　{letter.subject}"
    if waiting:
        yield "由运行中的守护进程发出；没有运行时用 djb once"


def _put_away(desk: Desk, mail: tables.Mail) -> list[str]:
    fate = Disposition(mail.disposition)
    if fate not in SET_ASIDE:
        raise Failure(f"来信 {mail.id} 已了结（{fate.chinese}），不能搁置", "用 djb held 查看等待核实的来信")
    answering.set_aside(desk, mail, "管理员搁置", ADMINISTRATOR)
    for question in open_questions(desk, mail):
        deciding.close_question(desk, question, "管理员搁置", ADMINISTRATOR)
    return [f"来信 {mail.id} 已搁置，不再办理；发件人不会收到通知"]


def _handle_again(desk: Desk, mail: tables.Mail) -> str:
    mail.disposition, mail.reason, mail.attempts, mail.trouble = Disposition.PENDING.value, None, 0, None
    desk.record(f"mail:{mail.id}", "released", by=ADMINISTRATOR, mail=mail, text="重新办理")
    return f"来信 {mail.id} 将重新办理：由运行中的守护进程，或 djb once"
