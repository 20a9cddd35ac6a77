"""The desk at which a decision is carried out: records, history, questions and letters of one transaction.

A letter is rendered and stored here, with its Message-ID, in the same transaction as what it is about;
`outbox` sends it afterwards. Its key says what it is, once and for all: a letter with a key that is
already there is not written again.
"""

from __future__ import annotations

import logging
import secrets
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta
from typing import Any

from sqlalchemy.orm import Session

from daemon import documents, letters, rendering
from daemon.clock import local_day, start_of_day
from daemon.config import Config
from daemon.directory import Directory
from daemon.envelope import Attachment, compose, new_message_id, sendable
from daemon.journal import event
from daemon.model import OFFICE_KINDS, State, Unit, UnitKind
from daemon.periods import StatisticsRules, Timeline
from daemon.problems import WorkflowRules
from daemon.rules import statistics_rules, workflow_rules as workflow_rules, working_calendar
from daemon.store import questions, tables
from daemon.store.memory import FIRST_CYCLE
from daemon.troubles import Troubles
from daemon.workdays import Calendar

QUESTION_PREFIX = "WT"
"""Numbers of questions that are about no problem or return of their own: WT-2022-003."""

log = logging.getLogger(__name__)


class Directories:
    """The directory as it stands in the database, read anew only when it has changed."""

    def __init__(self) -> None:
        self._known: tuple[int, Directory] | None = None

    def current(self, session: Session) -> Directory:
        """The directory as this transaction sees it."""
        version = questions.directory_version(session)
        if self._known is None or self._known[0] != version:
            self._known = version, Directory(questions.units(session))
        return self._known[1]


@dataclass(frozen=True)
class Office:
    """What stays the same from one transaction to the next, until the configuration is read again."""

    config: Config
    templates: rendering.Templates
    calendar: Calendar
    timeline_rules: StatisticsRules
    workflow_rules: WorkflowRules
    random: Callable[[int], bytes] = secrets.token_bytes
    directories: Directories = field(default_factory=Directories)
    troubles: Troubles = field(default_factory=Troubles)

    @property
    def letterhead(self) -> rendering.Letterhead:
        config = self.config
        return rendering.Letterhead(
            config.office.name, config.office.phone, config.mailbox.address, config.zone
        )

    @property
    def contact(self) -> documents.OfficeContact:
        return documents.OfficeContact(self.config.mailbox.address, self.config.office.phone)


def open_office(config: Config) -> Office:
    """The office that a configuration describes."""
    return Office(
        config,
        rendering.Templates(config.templates.directory),
        working_calendar(config),
        statistics_rules(config),
        workflow_rules(config),
    )


ANSWERED_GENEROUSLY = 10
"""Forms, and the office's own mails, are answered so many times as often as the daily limit says."""
ASKED_IN_AN_HOUR = 0.1
"""Questions to the office in an hour, as a part of all the answers that may go out in one."""


class Brakes:
    """Keeps loops and floods within bounds: who was answered too often, and when the next answer may go.

    Whatever they hold back, the mail itself gets its fate; `reasons` says what was held back.
    """

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self._limits = desk.config.limits
        self._answered: dict[str, list[int]] = {}
        self._asked: dict[str, int] = {}
        self._asked_in_hour: int | None = None
        self._ahead: int | None = None
        self.reasons: list[str] = []

    def expect(self, addresses: Iterable[str]) -> None:
        """Look up at once how often these were answered today."""
        found = questions.answered_since(self._desk.session, addresses, self._midnight())
        self._answered.update({address: list(counts) for address, counts in found.items()})

    def answerable(self, addresses: Iterable[str], letter: letters.Letter) -> tuple[str, ...]:
        """Those of the addresses that may be answered once more today."""
        return tuple(address for address in addresses if self._may_answer(address, letter))

    def _may_answer(self, address: str, letter: letters.Letter) -> bool:
        to_form = letter.kind.value in questions.ANSWERS_TO_FORMS
        if address not in self._answered:
            self.expect([address])
        counts = self._answered[address]
        limit = self._limit(address, generously=to_form)
        if counts[not to_form] >= limit:
            self._hold_back(address, f"该邮箱今日已收到 {limit} 封答复，不再答复")
            return False
        counts[not to_form] += 1
        return True

    def may_ask(self, sender: str) -> bool:
        """Whether the office may be asked about one more mail of this sender: else it is in the lists only."""
        session = self._desk.session
        if sender not in self._asked:
            # The question at hand is stored already.
            self._asked[sender] = questions.asked_since(session, sender, self._midnight()) - 1
        if self._asked_in_hour is None:
            hour_ago = self._desk.now - timedelta(hours=1)
            self._asked_in_hour = questions.asked_of_office_since(session, hour_ago) - 1
        limit = self._limit(sender, generously=False)
        if self._asked[sender] >= limit:
            self._hold_back(sender, f"该邮箱今日来信已向工委办请示 {limit} 次，不再逐封请示")
            return False
        if self._asked_in_hour >= self._limits.answers_per_hour * ASKED_IN_AN_HOUR:
            self._tell("questions_held_back", "请示过多，已暂停逐封请示", "待核实的来信请用 djb held 查看")
            self.reasons.append("一小时内请示过多，未逐封请示")
            return False
        self._asked[sender] += 1
        self._asked_in_hour += 1
        return True

    def turn(self) -> datetime:
        """When the next answer may go out: at once, or an hour later for every full hour's worth before it."""
        if self._ahead is None:
            hour_ago = self._desk.now - timedelta(hours=1)
            self._ahead = questions.answers_due_after(self._desk.session, hour_ago)
        hours = self._ahead // self._limits.answers_per_hour
        self._ahead += 1
        if hours:
            what = f"一小时内的答复超过 {self._limits.answers_per_hour} 封，其余推迟发出"
            self._tell("answers_delayed", what, "来信照常登记，答复在发件箱中等候，不会丢失")
        return self._desk.now + timedelta(hours=hours)

    def _limit(self, address: str, *, generously: bool) -> int:
        office = any(unit.kind in OFFICE_KINDS for unit in self._desk.directory.at_address(address))
        times = ANSWERED_GENEROUSLY if generously or office else 1
        return self._limits.letters_per_address_per_day * times

    def _midnight(self) -> datetime:
        return start_of_day(self._desk.today, self._desk.config.zone)

    def _hold_back(self, address: str, why: str) -> None:
        self.reasons.append(why)
        self._tell(f"flood:{address}", f"{address} 来信过多", why + "；来信照常登记")

    def _tell(self, name: str, what: str, detail: str) -> None:
        if self._desk.alarm(name, what, detail, "请查看 djb mail，确认是否有自动回复循环或恶意来信"):
            event(log, "brake", what, level=logging.WARNING, brake=name)


class Desk:
    """One transaction's worth of work at `now`."""

    def __init__(self, office: Office, session: Session, directory: Directory, now: datetime) -> None:
        self.office = office
        self.config = office.config
        self.session = session
        self.directory = directory
        self.now = now
        self.brakes = Brakes(self)
        self._alarms: set[str] = set()
        self._timeline: Timeline | None = None
        self._bounced: set[str] | None = None
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

    def first_cycle(self) -> datetime:
        """When the daemon first worked: what was due before is not chased. Now, if it never did."""
        noted = questions.note(self.session, FIRST_CYCLE)
        return datetime.fromisoformat(noted) if noted is not None else self.now

    def timeline(self) -> Timeline:
        """The statistics calendar, with the due days of the periods that were announced."""
        if self._timeline is None:
            announced = dict(questions.announced(self.session))
            self._timeline = Timeline(self.office.timeline_rules, self.calendar, announced)
        return self._timeline

    def announced(self) -> None:
        """One more period was announced: its due day stays from now on."""
        self._timeline = None

    # --- addresses --------------------------------------------------------------------------------------

    def bounced(self, address: str) -> None:
        """An address returns mail for good."""
        questions.mark_bounced(self.session, address, self.now)
        self._bounced = None

    def sound(self, address: str) -> None:
        """Mail came from an address: if it returned ours before, it is taken for sound again."""
        if self._bounced is None:
            self._bounced = set(questions.bounced_addresses(self.session))
        if address in self._bounced:
            questions.clear_bounce(self.session, address)
            self._bounced.discard(address)

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
        questions.add_events(
            self.session,
            [
                questions.NewEvent(
                    about=about,
                    at=self.now,
                    event=event,
                    from_state=str(from_state) if from_state else None,
                    to_state=str(to_state) if to_state else None,
                    by=by,
                    mail_id=mail.id if mail else None,
                    text=text,
                )
            ],
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
    ) -> int | None:
        """The id of the letter in the outbox; None if nobody can be written to. Written once for its key."""
        if (known := questions.letter_id(self.session, key)) is not None:
            return known
        recipients = self._reachable(to)
        if answers is not None:
            recipients = self.brakes.answerable(recipients, letter)
        copies = tuple(address for address in self._reachable(cc) if address not in recipients)
        if not recipients:
            self.record("letter:" + key, "letter_not_written", by="djb", text="没有可用的收件邮箱")
            return None
        rendered = rendering.render(
            replace(letter, attachments=tuple(a.name for a in attachments)),
            self.office.letterhead,
            self.office.templates,
        )
        message_id = new_message_id(self.office.random, self.config.mailbox.address.rpartition("@")[2])
        due = due_at or (self.brakes.turn() if answers is not None else self.now)
        new = questions.NewLetter(
            key=key,
            kind=letter.kind,
            to=recipients,
            cc=copies,
            subject=rendered.subject,
            about=tuple(about),
            unit_id=unit.id if unit else None,
            message_id=message_id,
            in_reply_to=answers.message_id if answers else None,
            mail_id=answers.id if answers else None,
            created_at=self.now,
            due_at=due,
            context=context or {},
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
        )
        return questions.add_letters(self.session, [new])[0]

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
        known = questions.letter_id(self.session, key)
        if known is not None and (open_one := questions.question_of_letter(self.session, known)):
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
        if mail is not None and not self.brakes.may_ask(mail.sender):
            return question
        office = unit or next(iter(self.directory.of_kind(UnitKind.COMMITTEE_OFFICE)), None)
        question.letter_id = self.write(
            letter,
            key=key,
            to=office.addresses if office else self._administrator(),
            about=(about, letter.number or about),
            unit=office,
            due_at=due_at,
            attachments=attachments,
            context={"question": question.id},
        )
        return question

    # --- alarms -----------------------------------------------------------------------------------------

    def alarm(
        self, name: str, what: str, detail: str, remedy: str = "请用 djb status 和 journalctl 查看"
    ) -> bool:
        """Tell the administrator, once a day at most for the same thing; whether this is the first time."""
        key = f"alarm:{name}:{self.today.isoformat()}"
        if key in self._alarms or questions.letter_id(self.session, key) is not None:
            return False
        self._alarms.add(key)
        self.write(
            letters.Alarm(
                to_name="管理员", date=self.today, what=what, detail=detail, remedy=remedy, since=self.now
            ),
            key=key,
            to=self._administrator() or self.directory.addresses_of(UnitKind.COMMITTEE_OFFICE),
        )
        return True

    def _administrator(self) -> tuple[str, ...]:
        return (self.config.office.admin,) if self.config.office.admin else ()
