"""How the problems in hand stand at a moment, and how letters say so: lights, lines, what was missed."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime

from daemon import letters, milestones, typesetting
from daemon.clock import at, local_day
from daemon.desk import Desk
from daemon.events import CallbackSilent, course
from daemon.letters import Fact, Offer, ProblemLine
from daemon.milestones import CHASES, Due, Work
from daemon.model import ENDED_STATES, LetterKind, Light, Measure, Problem, State, Unit
from daemon.problems import Circumstances
from daemon.store import questions, tables
from parsers import replies

WATCHED = (*(state for state in State if state not in ENDED_STATES), State.CLOSED)
"""States in which the calendar may have something to do; archived problems are not even read."""


def circumstances(desk: Desk) -> Circumstances:
    """The moment and the rules of every decision of this transaction."""
    return Circumstances(desk.now, desk.office.workflow_rules, desk.calendar, zone=desk.config.zone)


def light_of(desk: Desk, problem: Problem) -> Light:
    """The problem's light at the moment."""
    return lights_of(desk, (problem,))[problem.number]


def lights_of(desk: Desk, found: Iterable[Problem]) -> dict[str, Light]:
    """The lights of many problems by number, with one look at their histories."""
    problems = tuple(found)
    numbers = [problem.number for problem in problems if problem.state not in ENDED_STATES]
    said = questions.histories(desk.session, numbers)
    now = circumstances(desk)
    return {
        problem.number: milestones.light(problem, replace(now, course=course(said.get(problem.number, ()))))
        if problem.state not in ENDED_STATES
        else Light.NONE
        for problem in problems
    }


@dataclass(frozen=True, slots=True)
class Watched:
    """A problem with what falls due for it."""

    problem: Problem
    at: Circumstances


def watch(desk: Desk, today: date) -> list[Watched]:
    """Every problem that may fall due, as its history leaves it."""
    general = replace(circumstances(desk), now=at_nine(desk, today))
    found = questions.problems(desk.session, states=WATCHED)
    said = questions.histories(desk.session, [problem.number for problem in found])
    return [
        Watched(problem, replace(general, course=course(said.get(problem.number, ())))) for problem in found
    ]


Dated = tuple[Watched, Due]
"""What falls due, with the problem that it falls due for."""


def dated(watched: Iterable[Watched], until: date) -> list[Dated]:
    """Everything that the calendar does about these problems up to a day."""
    return [(one, due) for one in watched for due in milestones.timers(one.problem, one.at, until)]


def at_nine(desk: Desk, day: date) -> datetime:
    """The moment of a day at which the calendar's letters go out."""
    return at(day, desk.config.deadlines.working_hours[0], desk.config.zone)


def missed(desk: Desk, day: date) -> list[tuple[Problem, Due]]:
    """Everything that a section has missed by a day and has not done yet, the longest overdue first."""
    found = [
        (one.problem, due)
        for one in watch(desk, day)
        for due in milestones.missed(milestones.timers(one.problem, one.at, day), day)
    ]
    return sorted(found, key=lambda pair: (pair[1].missed_since, pair[1].key))


def work(problem: Problem, due: Due) -> str:
    """What was to be done by a missed day: 签收, or 完成任务措施“更换灯具”."""
    assert due.milestone is not None
    place = due.milestone.position
    if place is not None and place < len(problem.measures):
        measure = problem.measures[place]
        return f"完成任务措施“{typesetting.short(measure.measure, 20)}”（{measure.department}）"
    return due.milestone.work.chinese


def departments(desk: Desk, measures: Iterable[Measure]) -> dict[str, tuple[int, ...]]:
    """The sections that these measures name as responsible, one or several, as far as the directory knows them."""
    named = {measure.department for measure in measures if measure.department}
    found = {name: desk.directory.sections_named(name)[0] for name in named}
    return {name: tuple(unit.id for unit in units) for name, units in found.items() if units}


def responsible(desk: Desk, problem: Problem, due: Due) -> tuple[int, ...]:
    """The sections that owe what is due: a measure's own if the directory knows any, else the lead."""
    place = due.milestone.position if due.milestone is not None else None
    lead = (problem.lead_section_id,) if problem.lead_section_id is not None else ()
    if place is None or place >= len(problem.measures):
        return lead
    measure = problem.measures[place]
    return departments(desk, (measure,)).get(measure.department, lead)


def offers(
    desk: Desk, unit: Unit | None, dues: Iterable[tuple[Problem, Due | None]], day: date
) -> letters.Offers:
    """What a section may answer about these problems, of which this or that is due, or nothing."""
    found: dict[Offer, str] = {}
    for problem, due in dues:
        for offer in _offers(desk, unit, problem, due, day):
            found.setdefault(offer, problem.number)
    return tuple((offer, found[offer]) for offer in Offer if offer in found)


def _offers(desk: Desk, unit: Unit | None, problem: Problem, due: Due | None, day: date) -> set[Offer]:
    leads = unit is None or unit.id == problem.lead_section_id
    waits = due.milestone.work if due is not None and due.milestone is not None else None
    found = {Offer.PROGRESS} if due and due.letter is LetterKind.SECTION_DIGEST else TO_A_CHASE
    if waits is Work.MEASURE or (due is None and not leads):
        return {*found, Offer.SHEET} if leads else {*found, Offer.SHEET, Offer.MEASURE}
    if problem.state is State.ASSIGNED:
        rules = desk.office.workflow_rules
        assigned = course(questions.history_of(desk.session, problem.number)).assigned_at
        since = local_day(assigned or problem.state_since, desk.config.zone)
        late = day > desk.calendar.workdays_after(since, rules.decline)
        found = {*found, Offer.ACCEPT} if late else {*found, Offer.ACCEPT, Offer.DECLINE}
    if waits is Work.ACCEPTANCE:
        return found
    if waits is Work.PLAN:
        found = {*found, Offer.PLAN}
    in_time = problem.deadline is not None and day <= problem.deadline
    return {*found, Offer.COMPLETE, Offer.EXTEND} if in_time else {*found, Offer.COMPLETE}


TO_A_CHASE = {Offer.PROGRESS, Offer.REPORTED}


# --- what rests because an answer lies with the office -------------------------------------------------


def resting(desk: Desk, dues: Iterable[Dated]) -> set[Due]:
    """What is due of somebody whose answer to it may lie with the office: nobody is chased meanwhile."""
    unread = _unread(desk)
    return {due for one, due in dues if unread and _may_be_answered(desk, one, due, unread)}


def resting_problems(desk: Desk) -> frozenset[str]:
    """The problems about which a section would be chased by now, did its mail not lie with the office."""
    if not _unread(desk):
        return frozenset()
    dues = [(one, due) for one, due in dated(watch(desk, desk.today), desk.today) if due.letter in CHASES]
    return frozenset(due.number for due in resting(desk, dues))


def _may_be_answered(desk: Desk, one: Watched, due: Due, unread: Mapping[Said, datetime]) -> bool:
    """Whether a mail that waits for a person came after the waiting began, and no other has settled it."""
    units = [desk.directory.unit(asked) for asked in _asked_of(desk, due, one.problem)]
    return any(_may_be_answered_by(desk, one, due, unread, unit) for unit in units if unit is not None)


def _may_be_answered_by(
    desk: Desk, one: Watched, due: Due, unread: Mapping[Said, datetime], unit: Unit
) -> bool:
    came = [unread[key] for key in ((unit.id, due.number), (unit.id, "")) if key in unread]
    if not came or max(came) < milestones.answers_count_from(due, one.problem, one.at):
        return False
    later = (line for line in questions.events_of(desk.session, due.number) if line.mail_id is not None)
    return not any(line.by == unit.name and line.at > max(came) for line in later)


def _asked_of(desk: Desk, due: Due, problem: Problem) -> tuple[int, ...]:
    """Who is waited for."""
    of_school = isinstance(due.event, CallbackSilent) or due.letter is LetterKind.CORRECTION_REQUEST
    if of_school or (due.milestone is not None and due.milestone.work is Work.CORRECTION):
        return (problem.unit_id,) if problem.unit_id is not None else ()
    return responsible(desk, problem, due) if due.letter in (*CHASES, LetterKind.MECHANISM_REQUEST) else ()


Said = tuple[int, str]
"""A unit that wrote, and the problem that it wrote about; empty if its mail names none."""


def _unread(desk: Desk) -> dict[Said, datetime]:
    """When the last mail came that waits for a person, of whom and about what."""
    found: dict[Said, datetime] = {}
    for mail in questions.undecided_mails(desk.session):
        units = desk.directory.at_address(mail.sender)
        asked = questions.questions_of_mail(desk.session, mail.id) if units else []
        if any(question.payload.get("unauthorised") for question in asked):
            continue  # else whoever forges a mail could stop a chase
        for number in _numbers_of(desk, mail, asked) or [""]:
            for unit in units:
                found[unit.id, number] = max(mail.received_at, found.get((unit.id, number), mail.received_at))
    return found


def _numbers_of(desk: Desk, mail: tables.Mail, asked: Sequence[tables.Question]) -> list[str]:
    """The problems that a mail speaks of: by its words, by the letter that it answers, by its forms."""
    numbers = list(replies.numbers_in(f"{mail.subject}\n{mail.text or ''}"))
    for question in asked:
        letter_id = question.payload.get("answered")
        answered = questions.letter(desk.session, letter_id) if letter_id else None
        numbers += answered.about if answered is not None else []
    for filing in questions.filings_of(desk.session, mail.id):
        numbers += filing.values.get("numbers", ())
    return [number for number in dict.fromkeys(numbers) if number.startswith("ND-")]


# --- as letters show them -----------------------------------------------------------------------------


def section_names(desk: Desk, ids: Iterable[int | None]) -> tuple[str, ...]:
    """The names of these sections, as far as the directory knows them."""
    return tuple(unit.name for number in ids if (unit := desk.directory.unit(number)) is not None)


def line(desk: Desk, problem: Problem, note: str | None = None, light: Light | None = None) -> ProblemLine:
    """One problem as lists in letters show it."""
    lead = desk.directory.unit(problem.lead_section_id)
    return ProblemLine(
        number=problem.number,
        problem=problem.problem,
        unit=problem.reporting_unit,
        lead=lead.name if lead else None,
        deadline=problem.deadline,
        light=light if light is not None else light_of(desk, problem),
        state=problem.state.chinese,
        note=note,
    )


def line_of(desk: Desk, row: tables.Problem, note: str | None = None) -> ProblemLine:
    return line(desk, questions.problem_value(row), note)


def problem_facts(row: tables.Problem) -> tuple[Fact, ...]:
    """What a problem is about, for questions and assignments."""
    levels = "、".join(letters.LEVEL_NAMES.get(level, level) for level in row.levels)
    return (
        Fact("编号", row.number),
        Fact("填报单位", row.reporting_unit),
        Fact("难点问题", row.problem),
        Fact("具体内容及诉求", row.details or None),
        Fact("反馈层级", levels or None),
        Fact("涉及科室", "、".join(row.sections_asked) or None),
    )
