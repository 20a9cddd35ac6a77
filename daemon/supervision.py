"""The milestones of problems and sessions, carried out: digests, chases, lists, briefs.

Everything counts in working days, so the calendar is looked through once a day, at the first tick in the
working hours. What a day sends is a list of `Outgoing`, made by the same functions for the forecast.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from functools import partial
from typing import Any

from daemon import (
    briefs,
    dispatch,
    ledgers,
    letters,
    milestones,
    recipients,
    rendering,
    session_choice,
    session_office,
    sessions,
    standing,
    statistics,
    typesetting,
)
from daemon.clock import chinese_day, iso, local, local_day, start_of_day
from daemon.desk import Desk
from daemon.events import CallbackSilent, Reachable
from daemon.letters import Fact
from daemon.milestones import Due, Work
from daemon.model import LetterKind, Light, Problem, Unit, UnitKind
from daemon.problems import LetterOrder, Party
from daemon.recipients import Recipient
from daemon.standing import Dated, at_nine, lights_of, watch, work
from daemon.store import questions, tables
from daemon.workflow import happen

DAY_DONE = "supervision"
CHASES_DONE = "supervision_chases"


@dataclass(frozen=True, slots=True)
class Question:
    """What makes a letter a question to the office."""

    kind: str
    about: str
    text: str


@dataclass(frozen=True, slots=True)
class Outgoing:
    """One letter that the calendar sends."""

    letter: letters.Letter
    key: str
    to: Recipient
    about: tuple[str, ...]
    cc: tuple[str, ...] = ()
    files: Callable[[], Sequence[letters.Attachment]] = tuple
    question: Question | None = None
    dues: tuple[Due, ...] = field(default=())


# ------------------------------------------------------------------------------------------- carrying out


def tick(desk: Desk) -> int:
    """Do what the milestones want by now; how many letters were written. Once a working day.

    Chases wait until the mailbox has been looked at this day: an answer may lie in it.
    """
    if not in_working_hours(desk):
        return 0
    count = 0
    chases, day = (f"{name}:{desk.today.isoformat()}" for name in (CHASES_DONE, DAY_DONE))
    if not questions.done(desk.session, chases) and statistics.mail_is_read(desk, at_nine(desk, desk.today)):
        questions.do_once(desk.session, chases, desk.now)
        _reach_again(desk)
        count += _chase(desk)
    if questions.done(desk.session, day):
        return count
    questions.do_once(desk.session, day, desk.now)
    count += session_office.open_if_due(desk)
    count += session_choice.remind(desk)
    if _first_day(desk) < desk.today:
        count += sum(_send(desk, one) for one in regular(desk, desk.today))
        count += briefs.send_ledgers(desk) if briefs.first_workday_of_month(desk, desk.today) else 0
    return count


def in_working_hours(desk: Desk) -> bool:
    """Whether letters of the calendar's own may go out now."""
    opens, closes = desk.config.deadlines.working_hours
    return desk.calendar.is_workday(desk.today) and opens <= local(desk.now, desk.config.zone).time() < closes


def _first_day(desk: Desk) -> date:
    """The daemon's first day: there is no news of the day before it."""
    return local_day(desk.first_cycle(), desk.config.zone)


def _reach_again(desk: Desk) -> None:
    """Sections whose returned mail is explained are chased again."""
    bounced = questions.bounced_addresses(desk.session)
    for watched in watch(desk, desk.today):
        lead = desk.directory.unit(watched.problem.lead_section_id)
        if watched.at.course.bounced and lead and any(a not in bounced for a in lead.addresses[:1]):
            row = questions.problem(desk.session, watched.problem.number)
            if row is not None:
                happen(desk, row, Reachable())


def _chase(desk: Desk) -> int:
    """Act on every step that is due; of each chain the latest, the earlier ones are needless then."""
    watched = watch(desk, desk.today)
    problems = {one.problem.number: one.problem for one in watched}
    dues = _not_resting(desk, standing.dated(watched, desk.today))
    keys = questions.outcomes(desk.session, [due.key for due in dues])
    rested = questions.outcomes(desk.session, [_rest_key(due) for due in dues])
    waited = frozenset(due.chain for due in dues if _rest_key(due) in rested)
    now = milestones.due_now(dues, desk.today, frozenset(keys), waited)
    for due in now.skip:
        questions.do_once(desk.session, due.key, desk.now, outcome="skipped", text="已过时，或后一步已到期")
    for due in now.act:
        questions.do_once(desk.session, due.key, desk.now)
    count = 0
    for due in now.act:
        row = questions.problem(desk.session, due.number)
        if due.event is not None and row is not None:
            happen(desk, row, due.event)
    for outgoing in outgoings(desk, now.act, problems, desk.today, milestones.missed(dues, desk.today)):
        count += _send(desk, outgoing)
        for due in outgoing.dues:
            _note_chase(desk, due)
    return count


def _not_resting(desk: Desk, dues: Sequence[Dated]) -> list[Due]:
    """What is due of those whose answer does not lie with the office; that the others rest is noted."""
    resting = standing.resting(desk, dues)
    for due in resting:
        questions.do_once(
            desk.session, _rest_key(due), desk.now, outcome="waited", text="来信待核实，暂缓催办"
        )
    return [due for _, due in dues if due not in resting]


def _rest_key(due: Due) -> str:
    return f"rest:{due.chain}"


def _note_chase(desk: Desk, due: Due) -> None:
    """A chase is part of the problem's history."""
    if due.milestone is None or due.letter is LetterKind.SECTION_DIGEST:
        return
    step = {1: "催办", 2: "再次催办并抄送负责人", 3: "列入逾期清单"}.get(due.step, "催办")
    what = f"应于{due.milestone.due.isoformat()}前{due.milestone.work.chinese}"
    desk.record(due.number, "reminded", by="djb", text=f"{step}：{what}")


def _send(desk: Desk, one: Outgoing) -> int:
    if one.question is not None:
        assert isinstance(one.letter, letters.Question)
        desk.ask(
            replace(one.letter, code=desk.code()),
            kind=one.question.kind,
            about=one.question.about,
            text=one.question.text,
            payload={},
            key=one.key,
        )
        return 1
    letter, about = one.letter, one.about
    if letter.number is None:
        letter, about = briefs.numbered(desk, letter, about)
    written = desk.write(
        letter,
        key=one.key,
        to=one.to.to,
        cc=one.cc,
        about=about,
        unit=one.to.unit,
        attachments=one.files(),
        context={"list": list(one.about)},
    )
    if written is not None and one.letter.kind is LetterKind.MORNING_BRIEF:
        briefs.remember(desk, briefs.LAST_BRIEF, one.letter.figures)  # type: ignore[attr-defined]
    if written is not None and one.letter.kind is LetterKind.SECRETARY_BRIEF:
        briefs.remember(desk, briefs.LAST_SECRETARY, one.letter.figures)  # type: ignore[attr-defined]
    return int(written is not None)


# ------------------------------------------------------------------------------- what one day sends


def outgoings(
    desk: Desk, dues: Iterable[Due], problems: Mapping[str, Problem], day: date, missed: Sequence[Due]
) -> Iterator[Outgoing]:
    """The letters of one day: one a section, one a school's form, one list to the bureau office.

    `missed`: everything that is overdue by that day, for the list.
    """
    by_letter: defaultdict[LetterKind | None, list[Due]] = defaultdict(list)
    for due in dues:
        by_letter[due.letter].append(due)
    chases, notices = by_letter[LetterKind.SECTION_CHASE], by_letter[LetterKind.SECTION_DIGEST]
    yield from _to_sections(desk, chases, notices, problems, day)
    yield from _overdue_list(desk, by_letter[LetterKind.OVERDUE_LIST], missed, problems, day)
    yield from _corrections(desk, by_letter[LetterKind.CORRECTION_REQUEST], day)
    for due in by_letter[LetterKind.MECHANISM_REQUEST]:
        yield from _mechanism(desk, due, day)
    for due in by_letter[LetterKind.QUESTION]:
        if due.milestone is not None and due.milestone.work is Work.CORRECTION:
            yield from _overdue_correction(desk, due, problems[due.number], day)


def _to_sections(
    desk: Desk,
    chases: Sequence[Due],
    notices: Sequence[Due],
    problems: Mapping[str, Problem],
    day: date,
) -> Iterator[Outgoing]:
    """To each section one letter a day: a chase if it missed anything, else what will soon be due.

    The section is the one that owes it: of a measure the responsible one.
    """
    by_section: defaultdict[int, tuple[list[Due], list[Due]]] = defaultdict(lambda: ([], []))
    for place, dues in enumerate((chases, notices)):
        for due in dues:
            for section in standing.responsible(desk, problems[due.number], due):
                by_section[section][place].append(due)
    for section, (missed, soon) in by_section.items():
        unit = desk.directory.unit(section)
        if unit is not None:
            to = recipients.recipient(unit)
            if missed:
                yield _section_chase(desk, to, missed, soon, problems, day)
            else:
                yield _section_digest(desk, to, soon, problems, day)


def _section_chase(
    desk: Desk,
    to: Recipient,
    missed: Sequence[Due],
    soon: Sequence[Due],
    problems: Mapping[str, Problem],
    day: date,
) -> Outgoing:
    level = max(due.step for due in missed)
    lines = _lines(desk, missed, problems, _missed_note)
    one = problems[missed[0].number]
    row = questions.problem(desk.session, one.number)
    letter = letters.SectionChase(
        to_name=to.name,
        date=day,
        number=one.number,
        code=row.code if row else None,
        level=min(level, 2),
        problems=lines,
        answer_by=milestones.answer_by(missed, day, desk.office.workflow_rules, desk.calendar),
        due_soon=_lines(desk, soon, problems, _soon_note),
        offers=standing.offers(desk, to.unit, [(problems[due.number], due) for due in (*missed, *soon)], day),
    )
    heads = to.unit.head_addresses if to.unit is not None and level >= 2 else ()
    leads = (recipients.recipient(unit).to for unit in _leads(desk, to, missed, problems))
    about = tuple(dict.fromkeys(due.number for due in (*missed, *soon)))
    key = f"section_chase:{to.unit.id if to.unit else 0}:{day.isoformat()}"
    copies = (*heads, *(address for addresses in leads for address in addresses))
    return Outgoing(letter, key, to, about, copies, dues=tuple(missed))


def _leads(desk: Desk, to: Recipient, dues: Iterable[Due], problems: Mapping[str, Problem]) -> list[Unit]:
    """The sections that lead the problems of which another one owes a measure."""
    ids = dict.fromkeys(problems[due.number].lead_section_id for due in dues)
    found = (desk.directory.unit(section) for section in ids)
    return [unit for unit in found if unit is not None and (to.unit is None or unit.id != to.unit.id)]


def _section_digest(
    desk: Desk,
    to: Recipient,
    soon: Sequence[Due],
    problems: Mapping[str, Problem],
    day: date,
) -> Outgoing:
    one = problems[soon[0].number]
    row = questions.problem(desk.session, one.number)
    letter = letters.SectionDigest(
        to_name=to.name,
        date=day,
        number=one.number,
        code=row.code if row else None,
        due_soon=_lines(desk, soon, problems, _soon_note),
        offers=standing.offers(desk, to.unit, [(problems[due.number], due) for due in soon], day),
    )
    about = tuple(dict.fromkeys(due.number for due in soon))
    key = f"section_digest:{to.unit.id if to.unit else 0}:{day.isoformat()}"
    return Outgoing(letter, key, to, about, dues=tuple(soon))


def _missed_note(problem: Problem, due: Due) -> str:
    assert due.milestone is not None
    count = {1: "首次催办", 2: "第2次催办"}.get(due.step, "已列入逾期清单")
    return f"应于{typesetting.chinese_date(due.milestone.due)}前{work(problem, due)}，{count}"


def _soon_note(problem: Problem, due: Due) -> str:
    assert due.milestone is not None
    return f"请于{typesetting.chinese_date(due.milestone.due)}前{work(problem, due)}"


def _lines(
    desk: Desk,
    dues: Sequence[Due],
    problems: Mapping[str, Problem],
    note: Callable[[Problem, Due], str],
) -> tuple[letters.ProblemLine, ...]:
    """One line a problem, with a note of all that is due for it."""
    notes: defaultdict[str, list[str]] = defaultdict(list)
    for due in dues:
        notes[due.number].append(note(problems[due.number], due))
    lights = lights_of(desk, [problems[number] for number in notes])
    return tuple(
        standing.line(desk, problems[number], "；".join(found), lights[number])
        for number, found in notes.items()
    )


def _overdue_list(
    desk: Desk, dues: Sequence[Due], missed: Sequence[Due], problems: Mapping[str, Problem], day: date
) -> Iterator[Outgoing]:
    """On a day that brings something new, the list of everything that is overdue then."""
    to = recipients.office(desk, UnitKind.BUREAU_OFFICE)
    if not dues or to is None:
        return
    office = recipients.office(desk, UnitKind.COMMITTEE_OFFICE)
    new = {due.key for due in dues}
    shown = sorted({*missed, *dues}, key=lambda due: (due.key not in new, due.missed_since, due.key))

    def note(problem: Problem, due: Due) -> str:
        return _missed_note(problem, due) + ("（本次新列入）" if due.key in new else "")

    letter = letters.OverdueList(
        to_name=to.name,
        date=day,
        problems=_lines(desk, shown, problems, note),
        newly=len({due.number for due in dues}),
        sections=briefs.section_loads(desk, briefs.lit_problems(desk)),
    )
    about = tuple(dict.fromkeys(due.number for due in shown))

    def files() -> Sequence[letters.Attachment]:
        lights = lights_of(desk, [problems[due.number] for due in shown])
        rows = [
            _overdue_row(desk, place, problems[due.number], due, day, lights[due.number])
            for place, due in enumerate(shown, start=1)
        ]
        file = ledgers.overdue_list(f"OVERDUE-{day.isoformat()}", 1, rows, f"截至{chinese_day(day)}")
        return (dispatch.attached(file),)

    key = f"overdue_list:{day.isoformat()}"
    yield Outgoing(letter, key, to, about, office.to if office else (), files, dues=tuple(dues))


def _overdue_row(desk: Desk, place: int, problem: Problem, due: Due, day: date, light: Light) -> ledgers.Row:
    assert due.milestone is not None
    lead = next(iter(standing.section_names(desk, (problem.lead_section_id,))), None)
    return ledgers.Row(
        f"{problem.number}-{place}",
        {
            "序号": place,
            "编号": problem.number,
            "牵头科室": lead,
            "填报单位": problem.reporting_unit,
            "难点问题": problem.problem,
            "状态": problem.state.chinese,
            "亮灯": letters.LIGHT_NAMES[light].split("（")[0],
            "逾期事项": work(problem, due),
            "应完成日期": due.milestone.due,
            "逾期工作日": desk.calendar.workdays_between(due.milestone.due, day),
        },
    )


def _corrections(desk: Desk, dues: Sequence[Due], day: date) -> Iterator[Outgoing]:
    """One reminder a form that went back, however many problems stand in it."""
    rows = {row.number: row for row in questions.problem_rows(desk.session, [due.number for due in dues])}
    forms: defaultdict[int | None, list[Due]] = defaultdict(list)
    for due in dues:
        forms[rows[due.number].filing_id].append(due)
    for gathered in forms.values():
        first = rows[gathered[0].number]
        order = LetterOrder(LetterKind.CORRECTION_REQUEST, Party.SENDER)
        to = next(iter(recipients.recipients(desk, first, order, Party.SENDER)), None)
        by = milestones.answer_by(gathered, day, desk.office.workflow_rules, desk.calendar)
        mine = [rows[due.number] for due in gathered]
        made = dispatch.correction_reminder(desk, mine, to, by) if to else None
        if to is None or made is None:
            continue
        head = any(Party.SCHOOL_HEAD in due.cc for due in gathered)
        cc = to.unit.head_addresses if head and to.unit is not None else ()
        about = tuple(due.number for due in gathered)
        letter = replace(made.letter, date=day)
        key = gathered[0].key
        yield Outgoing(letter, key, to, about, cc, partial(tuple, made.attachments), dues=tuple(gathered))


def _mechanism(desk: Desk, due: Due, day: date) -> Iterator[Outgoing]:
    row = questions.problem(desk.session, due.number)
    lead = desk.directory.unit(row.lead_section_id) if row else None
    if row is None or lead is None:
        return
    to = recipients.recipient(lead)
    letter = letters.MechanismRequest(
        to_name=to.name,
        date=day,
        number=row.number,
        code=row.code,
        problem=standing.line_of(desk, row),
        result=row.handling.get("完成情况") or "已办结",
        write_by=desk.calendar.workdays_after(day, 5),
    )
    yield Outgoing(letter, due.key, to, (row.number,), dues=(due,))


def _overdue_correction(desk: Desk, due: Due, problem: Problem, day: date) -> Iterator[Outgoing]:
    office = recipients.office(desk, UnitKind.COMMITTEE_OFFICE)
    row = questions.problem(desk.session, due.number)
    if office is None or row is None:
        return
    text = f"{problem.number}退回补正后逾期未补正"
    yield _asked(
        office,
        row,
        letters.QuestionKind.CORRECTION_OVERDUE,
        "correction_overdue",
        text,
        due.key,
        day,
        due,
    )


def _asked(
    office: Recipient,
    row: tables.Problem,
    kind: letters.QuestionKind,
    name: str,
    text: str,
    key: str,
    day: date,
    due: Due,
) -> Outgoing:
    letter = letters.Question(
        to_name=office.name,
        date=day,
        number=row.number,
        code=row.code,
        question=kind,
        about=f"{row.number} {row.problem}",
        facts=(*standing.problem_facts(row)[:3], Fact("事由", text)),
    )
    return Outgoing(
        letter, key, office, (row.number,), question=Question(name, row.number, text), dues=(due,)
    )


def regular(desk: Desk, day: date, brief: letters.MorningBrief | None = None) -> Iterator[Outgoing]:
    """The letters that go out whatever happens: the morning's, and the secretary's of the week."""
    office = recipients.office(desk, UnitKind.COMMITTEE_OFFICE)
    if office is not None:
        brief = replace(brief or briefs.morning(desk), date=day)
        files = partial(_blank_register, day) if briefs.first_workday_of_week(desk, day) else tuple
        yield Outgoing(brief, f"morning_brief:{day.isoformat()}", office, (), files=files)
    secretary = recipients.office(desk, UnitKind.SECRETARY)
    if secretary is not None and briefs.first_workday_of_week(desk, day):
        weekly = briefs.secretary(desk)
        if weekly is not None:
            about = tuple(line.number for line in (*weekly.selected, *weekly.needs_secretary))
            key = f"secretary_brief:{day.isoformat()}"
            yield Outgoing(replace(weekly, date=day), key, secretary, tuple(dict.fromkeys(about)))


def _blank_register(day: date) -> Sequence[letters.Attachment]:
    """The week's register of clues, for the office to fill in."""
    return (dispatch.attached(ledgers.clue_register(f"XS-{day.isoformat()}")),)


# --------------------------------------------------------------------------------------------- forecast


def forecast(desk: Desk, first: date, last: date) -> list[Mapping[str, Any]]:
    """Every letter of the milestones in these days, as `djb plan` shows it."""
    desk = Desk(
        desk.office,
        desk.session,
        desk.directory,
        min(desk.now, start_of_day(first, desk.config.zone)),
    )
    watched = watch(desk, desk.today)
    problems = {one.problem.number: one.problem for one in watched}
    dues = [due for one in watched for due in milestones.timers(one.problem, one.at, last)]
    done = questions.outcomes(desk.session, [due.key for due in dues])
    by_day: defaultdict[date, list[Due]] = defaultdict(list)
    for due in dues:
        if due.key not in done and first <= due.day <= last:
            by_day[desk.calendar.workdays_after(due.day, 0)].append(due)
    rows: list[Mapping[str, Any]] = []
    day = first
    begun = _first_day(desk)
    brief = briefs.morning(desk)
    while day <= last:
        if desk.calendar.is_workday(day):
            overdue = milestones.missed(dues, day)
            found = [
                *outgoings(desk, by_day[day], problems, day, overdue),
                *_silences(desk, by_day[day], day),
            ]
            found += regular(desk, day, brief) if day > begun else ()
            rows += [_row(desk, one, day) for one in found]
            rows += _ledgers(desk, day) if day > begun else ()
        day += timedelta(days=1)
    rows += _session_rows(desk, first, last)
    return rows


def _silences(desk: Desk, dues: Sequence[Due], day: date) -> Iterator[Outgoing]:
    """What the office is asked when a school does not answer a call-back."""
    office = recipients.office(desk, UnitKind.COMMITTEE_OFFICE)
    for due in dues:
        row = questions.problem(desk.session, due.number)
        if isinstance(due.event, CallbackSilent) and office is not None and row is not None:
            kind = letters.QuestionKind.CLOSE_ALONE
            yield _asked(office, row, kind, "close_alone", "学校未答复回访", due.key, day, due)


def _row(desk: Desk, one: Outgoing, day: date) -> Mapping[str, Any]:
    rendered = rendering.render(one.letter, desk.office.letterhead, desk.office.templates)
    return {
        "kind": one.letter.kind.value,
        "to": list(one.to.to),
        "cc": [address for address in one.cc if address not in one.to.to],
        "about": list(one.about),
        "subject": rendered.subject,
        "due_at": iso(at_nine(desk, day), desk.config.zone),
    }


def _ledgers(desk: Desk, day: date) -> Iterator[Mapping[str, Any]]:
    if not briefs.first_workday_of_month(desk, day) or not questions.problem_counts(desk.session):
        return
    for kind in (UnitKind.COMMITTEE_OFFICE, UnitKind.COMMITTEE):
        to = recipients.office(desk, kind)
        if to is not None:
            letter = briefs.ledger_letter(desk, report=kind is UnitKind.COMMITTEE)
            yield _row(desk, Outgoing(replace(letter, date=day), "", to, (f"LEDGER-{day.isoformat()}",)), day)


def _session_rows(desk: Desk, first: date, last: date) -> Iterator[Mapping[str, Any]]:
    """The next regular list, and the office's reminder of a list without a choice."""
    secretary = recipients.office(desk, UnitKind.SECRETARY)
    opening = session_office.next_opening(desk)
    if opening is not None and first <= opening <= last and secretary is not None:
        letter = session_office.expected_list(desk, opening)
        if letter is not None:
            about = (letter.session, *(item.number for item in letter.problems))
            yield _row(desk, Outgoing(letter, "", secretary, about), opening)
    office = recipients.office(desk, UnitKind.COMMITTEE_OFFICE)
    for row in questions.running_sessions(desk.session):
        opened = local_day(row.opened_at, desk.config.zone)
        day = sessions.reminder_day(opened, desk.office.workflow_rules, desk.calendar)
        if row.stage == sessions.Stage.SUBMITTED.value and first <= day <= last and office is not None:
            pending = session_choice.pending_question(desk, row)
            yield _row(desk, Outgoing(pending, "", office, (row.code,)), day)
