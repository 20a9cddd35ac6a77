"""The desk at which a decision is carried out: records, history, questions and letters of one transaction.

A letter is rendered and stored here, with its Message-ID, in the same transaction as what it is about;
`outbox` sends it afterwards. Its key says what it is, once and for all: a letter with a key that is
already there is not written again.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import Any

from sqlalchemy.orm import Session

from daemon import letters
from daemon.clock import local_day
from daemon.config import Config
from daemon.directory import Directory
from daemon.envelope import Attachment, compose, new_message_id, sendable
from daemon.model import State, Unit, UnitKind
from daemon.periods import StatisticsRules, Timeline
from daemon.problems import WorkflowRules
from daemon.rules import statistics_rules, workflow_rules as workflow_rules, working_calendar
from daemon.store import questions, tables
from daemon.workdays import Calendar

QUESTION_PREFIX = "WT"
"""Numbers of questions that are about no problem or return of their own: WT-2022-003."""


@dataclass(frozen=True)
class Office:
    """What stays the same from one transaction to the next, until the configuration is read again."""

    config: Config
    templates: letters.Templates
    calendar: Calendar
    timeline_rules: StatisticsRules
    workflow_rules: WorkflowRules
    random: Callable[[int], bytes] = secrets.token_bytes

    @property
    def letterhead(self) -> letters.Letterhead:
        config = self.config
        return letters.Letterhead(
            config.office.name, config.office.phone, config.mailbox.address, config.zone
        )


def open_office(config: Config) -> Office:
    """The office that a configuration describes."""
    return Office(
        config,
        letters.Templates(config.templates.directory),
        working_calendar(config),
        statistics_rules(config),
        workflow_rules(config),
    )


class Desk:
    """One transaction's worth of work at `now`."""

    def __init__(self, office: Office, session: Session, directory: Directory, now: datetime) -> None:
        self.office = office
        self.config = office.config
        self.session = session
        self.directory = directory
        self.now = now
        self._codes = questions.code_source(office.random)

    # --- time -------------------------------------------------------------------------------------------

    @property
    def today(self) -> date:
        return local_day(self.now, self.config.zone)

    @property
    def calendar(self) -> Calendar:
        return self.office.calendar

    def workdays_on(self, count: int) -> date:
        """The day that lies so many working days after today."""
        return self.calendar.workdays_after(self.today, count)

    def timeline(self) -> Timeline:
        """The statistics calendar, with the due days of the periods that were announced."""
        announced = {period.code: period.due for period in questions.opened_periods(self.session)}
        return Timeline(self.office.timeline_rules, self.calendar, announced)

    # --- numbers ----------------------------------------------------------------------------------------

    def number(self, prefix: str, year: int) -> str:
        """The next number, such as ND-2022-013."""
        return f"{prefix}-{year:04d}-{questions.next_number(self.session, prefix, year):03d}"

    def code(self) -> str:
        """Four letters for a subject's tag."""
        return self._codes()

    # --- history ----------------------------------------------------------------------------------------

    def record(
        self,
        about: str,
        event: str,
        *,
        by: str,
        text: str | None = None,
        mail: tables.Mail | None = None,
        from_state: State | str | None = None,
        to_state: State | str | None = None,
    ) -> None:
        """One more line of history."""
        self.session.add(
            tables.Event(
                about=about,
                at=self.now,
                event=event,
                from_state=str(from_state) if from_state else None,
                to_state=str(to_state) if to_state else None,
                by=by,
                mail_id=mail.id if mail else None,
                text=text,
            )
        )

    # --- letters ----------------------------------------------------------------------------------------

    def write(
        self,
        letter: letters.Letter,
        *,
        key: str,
        to: Iterable[str],
        cc: Iterable[str] = (),
        about: Sequence[str] = (),
        unit: Unit | None = None,
        answers: tables.Mail | None = None,
        due_at: datetime | None = None,
        attachments: Sequence[Attachment] = (),
        context: Mapping[str, Any] | None = None,
    ) -> tables.Letter | None:
        """The letter, in the outbox; None if nobody can be written to. Written once for its key."""
        existing = questions.letter_by_key(self.session, key)
        if existing is not None:
            return existing
        recipients = self._reachable(to)
        copies = tuple(address for address in self._reachable(cc) if address not in recipients)
        if not recipients:
            self.record("letter:" + key, "letter_not_written", by="djb", text="没有可用的收件邮箱")
            return None
        rendered = letters.render(
            replace(letter, attachments=tuple(a.name for a in attachments)),
            self.office.letterhead,
            self.office.templates,
        )
        message_id = new_message_id(self.office.random, self.config.mailbox.address.rpartition("@")[2])
        due = due_at or self.now
        row = tables.Letter(
            key=key,
            kind=letter.kind.value,
            to=list(recipients),
            cc=list(copies),
            subject=rendered.subject,
            about=list(dict.fromkeys(about)),
            unit_id=unit.id if unit else None,
            message_id=message_id,
            in_reply_to=answers.message_id if answers else None,
            mail_id=answers.id if answers else None,
            created_at=self.now,
            due_at=due,
            context=dict(context or {}),
            raw=compose(
                rendered,
                sender_address=self.config.mailbox.address,
                sender_name=self.config.office.name,
                to=recipients,
                cc=copies,
                message_id=message_id,
                date=max(due, self.now).astimezone(self.config.zone),
                in_reply_to=answers.message_id if answers else None,
                references=(answers.message_id,) if answers and answers.message_id else (),
                auto_submitted="auto-replied" if answers else "auto-generated",
                attachments=attachments,
            ),
            deliveries=[tables.Delivery(address=address, next_at=due) for address in (*recipients, *copies)],
        )
        self.session.add(row)
        self.session.flush()
        return row

    def _reachable(self, addresses: Iterable[str]) -> tuple[str, ...]:
        """The addresses that a letter can go to: well-formed, not our own, each once."""
        own = self.config.mailbox.address
        wanted = (address.strip().lower() for address in addresses if address)
        return tuple(dict.fromkeys(a for a in wanted if sendable(a) and a != own))

    # --- questions to the office ------------------------------------------------------------------------

    def ask(
        self,
        letter: letters.Question,
        *,
        kind: str,
        about: str,
        text: str,
        payload: Mapping[str, Any],
        mail: tables.Mail | None = None,
        key: str | None = None,
        due_at: datetime | None = None,
        attachments: Sequence[Attachment] = (),
        unit: Unit | None = None,
    ) -> tables.Question:
        """A question to the committee office, or to `unit`, open until answered. Asked once for its key."""
        key = key or f"question:{kind}:{about}"
        known = questions.letter_by_key(self.session, key)
        if known is not None and (open_one := questions.question_of_letter(self.session, known.id)):
            return open_one
        if letter.number is None:
            number = self.number(QUESTION_PREFIX, self.today.year)
            letter = replace(letter, number=number, code=self.code())
        question = tables.Question(
            kind=kind,
            about=about,
            code=letter.code or self.code(),
            asked_at=self.now,
            text=text,
            suggestion=letter.suggestion,
            payload=dict(payload),
            mail_id=mail.id if mail else None,
        )
        self.session.add(question)
        self.session.flush()
        office = unit or next(iter(self.directory.of_kind(UnitKind.COMMITTEE_OFFICE)), None)
        row = self.write(
            letter,
            key=key,
            to=office.addresses if office else self._administrator(),
            about=(about, letter.number or about),
            unit=office,
            due_at=due_at,
            attachments=attachments,
            context={"question": question.id},
        )
        question.letter_id = row.id if row else None
        return question

    # --- alarms -----------------------------------------------------------------------------------------

    def alarm(
        self, name: str, what: str, detail: str, remedy: str = "请用 djb status 和 journalctl 查看"
    ) -> None:
        """Tell the administrator, once a day at most for the same thing."""
        self.write(
            letters.Alarm(
                to_name="管理员", date=self.today, what=what, detail=detail, remedy=remedy, since=self.now
            ),
            key=f"alarm:{name}:{self.today.isoformat()}",
            to=self._administrator() or self.directory.addresses_of(UnitKind.COMMITTEE_OFFICE),
        )

    def _administrator(self) -> tuple[str, ...]:
        return (self.config.office.admin,) if self.config.office.admin else ()
