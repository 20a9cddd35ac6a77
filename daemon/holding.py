"""Mails that a person must decide about: the sender hears that it arrived, the office is asked once."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import cache
from typing import Any

from daemon import documents, letters
from daemon.desk import Desk
from daemon.envelope import Attachment
from daemon.filing import Sender
from daemon.model import Disposition, LetterKind, Unit, UnitKind
from daemon.recipients import recipient
from daemon.store import questions, tables
from parsers.values import Part, PartOutcome, Reading, ReturnedWorkbook

Answers = tuple[letters.Answer, ...]


@dataclass(frozen=True)
class Fate:
    """What became of a mail; `reason` in Chinese."""

    disposition: Disposition
    reason: str | None = None


@dataclass(frozen=True)
class Proposal:
    """What a held mail orders in so many words, to be carried out as its unit's if the office says 是."""

    text: str
    unit_id: int
    letter_id: int | None = None


def unreadable(desk: Desk, mail: tables.Mail, reason: str) -> Fate:
    """A mail that could not be read at all: nothing is known of its sender, so nobody is answered."""
    _ask(desk, mail, letters.QuestionKind.UNREADABLE, reason)
    return Fate(Disposition.HELD, reason)


def no_form(desk: Desk, mail: tables.Mail, reading: Reading, sender: Sender) -> Fate:
    """A mail without a form: held with its text, answered once with what the sender can do."""
    unread = tuple(_with_reason(part) for part in reading.parts if part.outcome in UNUSABLE)
    links = reading.mail.oversize_links if reading.mail else ()
    if links:
        notice, kind, reason = (
            letters.HeldReason.OVERSIZE,
            letters.QuestionKind.UNREADABLE,
            "附件是超大附件链接，不是真正的附件",
        )
    elif unread:
        notice, kind = letters.HeldReason.UNREADABLE, letters.QuestionKind.UNREADABLE
        reason = "附件无法读取：" + _listed(unread)
    else:
        notice, kind, reason = letters.HeldReason.NO_FORM, letters.QuestionKind.NO_FORM, "来信中没有表格"
    blank = notice is letters.HeldReason.NO_FORM and reading.mail is not None
    _notice(desk, mail, sender, notice, files=unread_files(reading), blank_forms=blank)
    _ask(desk, mail, kind, reason, unread)
    return Fate(Disposition.HELD, reason)


def too_large(desk: Desk, mail: tables.Mail, sender: Sender) -> Fate:
    """A mail of which only the header was fetched: its sender is asked for the form alone."""
    limit = desk.config.mailbox.max_message_mb
    reason = f"邮件过大（{mail.size / (1 << 20):.1f} MB，上限 {limit} MB），只收取了信头，原信仍在邮箱中"
    _notice(desk, mail, sender, letters.HeldReason.TOO_LARGE)
    _ask(desk, mail, letters.QuestionKind.UNREADABLE, reason)
    return Fate(Disposition.HELD, reason)


def unclear(
    desk: Desk,
    mail: tables.Mail,
    sender: Sender,
    why: str,
    answered: tables.Letter | None = None,
    answers: tuple[letters.Answer, ...] = (),
    proposal: Proposal | None = None,
    books: Sequence[ReturnedWorkbook] = (),
) -> Fate:
    """Words that order nothing for certain: they change nothing and reach a person with their text."""
    if sender.trusted and sender.unit_of(UnitKind.COMMITTEE_OFFICE) is not None:
        # The office reads of its own mail once: in the question, which says why nothing was done.
        kind = letters.QuestionKind.UNCLEAR_REPLY
        _ask(desk, mail, kind, why, about=answered, proposal=proposal, books=books)
        return Fate(Disposition.HELD, why)
    # Who is known hears why it was not carried out, and can put it right himself.
    told = why if sender.trusted else None
    # What is offered is answered to the notice: so that speaks of the same problems.
    about = tuple(answered.about) if answers and answered is not None else ()
    _notice(desk, mail, sender, letters.HeldReason.UNCLEAR_REPLY, answers=answers, why=told, about=about)
    kind = letters.QuestionKind.UNCLEAR_REPLY
    _ask(desk, mail, kind, why, about=answered, proposal=proposal, books=books)
    return Fate(Disposition.HELD, why)


def asked_again(
    desk: Desk,
    mail: tables.Mail,
    sender: Sender,
    question: tables.Question,
    why: str,
    answers: Answers,
) -> Fate:
    """An answer to a question that decides nothing: its writer hears why, and may answer that letter, too."""
    _notice(
        desk,
        mail,
        sender,
        letters.HeldReason.PLAIN_ANSWER,
        answers=answers,
        why=why,
        about=(question.about,),
        context={"question": question.id},
    )
    return Fate(Disposition.HELD, why)


def answered_after_all(desk: Desk, question: tables.Question) -> None:
    """Once a question is answered, earlier answers that decided nothing wait no longer."""
    if question.answered_at is None:
        return
    for letter in questions.letters_about(desk.session, question.about, LetterKind.HELD_NOTICE):
        mail = questions.mail(desk.session, letter.mail_id) if letter.mail_id else None
        if letter.context.get("question") != question.id or mail is None:
            continue
        if mail.disposition == Disposition.HELD.value:
            mail.disposition, mail.handled_at = Disposition.IGNORED.value, desk.now
            mail.reason = "来信人已另行答复"


def courtesy(
    desk: Desk, mail: tables.Mail, sender: Sender, answered: tables.Letter | None, answers: Answers = ()
) -> Fate:
    """A mere 谢谢 is recorded and answered by nothing.

    `answers`: the words that were asked for, if 好的 was said to a question; its writer is told them, once.
    """
    if not answers or answered is None:
        return Fate(Disposition.REPLIED, "来信仅为致意或知悉，没有需要办理的内容")
    reason = letters.HeldReason.PLAIN_ANSWER
    _notice(desk, mail, sender, reason, answers=answers, key=f"held_notice:letter:{answered.id}")
    return Fate(Disposition.REPLIED, "来信未给出所问的明确意见，已请来信人写明")


def unauthorised(
    desk: Desk,
    mail: tables.Mail,
    why: str,
    answered: tables.Letter | None = None,
    proposal: Proposal | None = None,
    books: Sequence[ReturnedWorkbook] = (),
) -> Fate:
    """An order from somebody who may not give it: it changes nothing, and the office hears of it.

    The sender is not answered: the address may be forged, and its owner would be alarmed.
    """
    kind = letters.QuestionKind.UNAUTHORISED
    _ask(desk, mail, kind, why, about=answered, proposal=proposal, books=books)
    return Fate(Disposition.HELD, why)


def unread_files(reading: Reading) -> tuple[letters.FileNote, ...]:
    """The files of a mail that could not be used, and why, as its sender is told."""
    return tuple(
        letters.FileNote(part.name, UNREAD_HERE) if part.lacks_reader else _with_reason(part)
        for part in reading.parts
        if part.outcome in UNUSABLE
    )


def ask_beside(desk: Desk, mail: tables.Mail, reading: Reading) -> None:
    """The office is asked to look at the files that came with a filed form and lack a reader here."""
    files = tuple(_with_reason(part) for part in reading.parts if part.lacks_reader)
    if files:
        reason = "同信所附文件无法读取，其余表格已登记：" + _listed(files)
        _ask(desk, mail, letters.QuestionKind.UNREADABLE, reason, files)


UNUSABLE = frozenset({PartOutcome.UNREADABLE, PartOutcome.REFUSED})


def _with_reason(part: Part) -> letters.FileNote:
    return letters.FileNote(part.name, part.reason or "无法读取")


def _listed(files: Sequence[letters.FileNote]) -> str:
    return "；".join(f"{note.name}（{note.why}）" for note in files)


UNREAD_HERE = "暂时无法自动读取这种格式，由工委办人工查看；也可另存为docx或xlsx文件后重新发送"
"""What a sender is told of a file that may be in order: the reason itself is the administrator's business."""


WITH_REASON = frozenset(
    {
        letters.QuestionKind.UNREADABLE,
        letters.QuestionKind.UNCLEAR_REPLY,
        letters.QuestionKind.UNAUTHORISED,
    }
)
"""Questions about a mail that tell the office why it was not carried out."""


YOU = {UnitKind.SECRETARY: "您", UnitKind.SECTION: "你科", UnitKind.SCHOOL: "你校"}
"""How a letter speaks to a unit; offices are 你办."""


def _unit(sender: Sender) -> Unit | None:
    return sender.units[0] if sender.units else None


def _notice(
    desk: Desk,
    mail: tables.Mail,
    sender: Sender,
    reason: letters.HeldReason,
    *,
    files: tuple[letters.FileNote, ...] = (),
    answers: tuple[letters.Answer, ...] = (),
    blank_forms: bool = False,
    why: str | None = None,
    key: str | None = None,
    about: Sequence[str] = (),
    context: Mapping[str, Any] | None = None,
) -> None:
    unit = _unit(sender)
    desk.write(
        letters.HeldNotice(
            to_name=recipient(unit).name if unit else "贵单位",
            you=YOU.get(unit.kind, "你办") if unit else "你单位",
            date=desk.today,
            reason=reason,
            received_at=mail.received_at,
            their_subject=mail.subject,
            files=files,
            answers=answers,
            why=why,
        ),
        key=key or f"held_notice:mail:{mail.id}",
        to=(mail.sender,),
        unit=unit,
        answers=mail,
        about=about,
        context=context,
        attachments=_both_forms(desk.office.contact) if blank_forms else (),
    )


@cache
def _both_forms(office: documents.OfficeContact) -> tuple[Attachment, ...]:
    """The blank forms, made once: a flood of mails without a form must not cost more than reading it."""
    return (
        documents.blank_form("problem_report", office=office),
        documents.blank_form("statistics", office=office),
    )


def _ask(
    desk: Desk,
    mail: tables.Mail,
    kind: letters.QuestionKind,
    reason: str,
    files: tuple[letters.FileNote, ...] = (),
    about: tables.Letter | None = None,
    proposal: Proposal | None = None,
    books: Sequence[ReturnedWorkbook] = (),
) -> None:
    says_why = not files and kind in WITH_REASON
    desk.ask(
        letters.Question(
            to_name="工委办",
            date=desk.today,
            question=kind,
            about=f"{mail.sender or '未知发件人'}：{mail.subject or '（无主题）'}",
            facts=(
                letters.Fact("发件邮箱", mail.sender or None),
                letters.Fact("邮件主题", mail.subject or None),
                *([letters.Fact("所回复的信", about.subject)] if about else []),
                *(letters.Fact(f"附件 {note.name}", note.why) for note in files),
                *([letters.Fact("未予办理的原因", reason)] if says_why else []),
            ),
            quoted=mail.text or None,
            suggestion=proposal.text if proposal else None,
            detail=reason,
        ),
        kind="held_text",
        about=f"mail:{mail.id}",
        text=reason,
        payload={
            "answered": about.id if about else None,
            "unauthorised": kind is letters.QuestionKind.UNAUTHORISED,
            "carry_out": asdict(proposal) if proposal else None,
        },
        mail=mail,
        attachments=[_as_it_came(book) for book in books if book.data],
    )


def _as_it_came(book: ReturnedWorkbook) -> Attachment:
    name = book.part.rpartition("/")[2]
    return Attachment(name, book.data, "application/octet-stream")
