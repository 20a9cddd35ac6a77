"""What falls due for a problem and when, its light, and which chases go out. Pure.

A milestone is a day by which somebody should have acted. After a missed one come up to three steps:
a chase, a chase copied to the head, the bureau office's overdue list. Every step has a key of its own,
so that it happens once however often the calendar is asked.
"""

from __future__ import annotations

from collections.abc import Container, Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import StrEnum

from daemon.clock import start_of_day
from daemon.events import Archived, CallbackSilent, Event
from daemon.model import ENDED_STATES, LetterKind, Light, Problem, State
from daemon.problems import HANDLED, Circumstances, Party, WorkflowRules
from daemon.workdays import Calendar


class Work(StrEnum):
    """What is waited for."""

    CORRECTION = "correction"
    REGISTRATION = "registration"
    ACCEPTANCE = "acceptance"
    PLAN = "plan"
    PROGRESS = "progress"
    MEASURE = "measure"
    DEADLINE = "deadline"
    COMPLETION_CHECK = "completion_check"
    MECHANISM = "mechanism"

    @property
    def chinese(self) -> str:
        return WORK_NAMES[self]


WORK_NAMES: Mapping[Work, str] = {
    Work.CORRECTION: "补正",
    Work.REGISTRATION: "登记核实",
    Work.ACCEPTANCE: "签收",
    Work.PLAN: "报送工作方案",
    Work.PROGRESS: "报告进展",
    Work.MEASURE: "完成任务措施",
    Work.DEADLINE: "办结",
    Work.COMPLETION_CHECK: "审核办结",
    Work.MECHANISM: "报送长效机制",
}


@dataclass(frozen=True, slots=True)
class Milestone:
    """A day by which a piece of work should be done."""

    work: Work
    due: date
    position: int | None = None
    """Which measure, from 0."""

    @property
    def key(self) -> str:
        place = f"-{self.position + 1}" if self.position is not None else ""
        return f"{self.work.value}{place}:{self.due.isoformat()}"


@dataclass(frozen=True, slots=True)
class Due:
    """Something the calendar does on a day: a letter, or an event of the daemon's own."""

    key: str
    """Once and for all: `section_chase:ND-2022-013:plan:2022-01-10:2`."""
    chain: str
    """The steps of one missed milestone share it; a later step makes the earlier ones needless."""
    step: int
    number: str
    day: date
    letter: LetterKind | None = None
    to: Party | None = None
    cc: tuple[Party, ...] = ()
    milestone: Milestone | None = None
    event: Event | None = None

    @property
    def missed_since(self) -> date:
        """The day by which it should have been done."""
        return self.milestone.due if self.milestone is not None else self.day


@dataclass(frozen=True, slots=True)
class Step:
    """One step after a missed milestone."""

    days: str
    """Name of the rule: how many working days after the missed day."""
    letter: LetterKind
    to: Party
    cc: tuple[Party, ...] = ()


SECTION_STEPS = (
    Step("chase_first", LetterKind.SECTION_CHASE, Party.LEAD_SECTION),
    Step("chase_head", LetterKind.SECTION_CHASE, Party.LEAD_SECTION, (Party.LEAD_HEAD,)),
    Step("chase_bureau", LetterKind.OVERDUE_LIST, Party.BUREAU_OFFICE, (Party.COMMITTEE_OFFICE,)),
)
SCHOOL_STEPS = (
    Step("chase_first", LetterKind.CORRECTION_REQUEST, Party.SENDER),
    Step("chase_head", LetterKind.CORRECTION_REQUEST, Party.SENDER, (Party.SCHOOL_HEAD,)),
    Step("chase_bureau", LetterKind.QUESTION, Party.COMMITTEE_OFFICE),
)
OFFICE_STEPS = (Step("chase_first", LetterKind.QUESTION, Party.COMMITTEE_OFFICE),)
MECHANISM_STEPS = (Step("chase_first", LetterKind.MECHANISM_REQUEST, Party.LEAD_SECTION),)
STEPS: Mapping[Work, tuple[Step, ...]] = {
    Work.CORRECTION: SCHOOL_STEPS,
    Work.REGISTRATION: OFFICE_STEPS,
    Work.ACCEPTANCE: SECTION_STEPS,
    Work.PLAN: SECTION_STEPS,
    Work.PROGRESS: SECTION_STEPS,
    Work.MEASURE: SECTION_STEPS,
    Work.DEADLINE: SECTION_STEPS,
    Work.COMPLETION_CHECK: OFFICE_STEPS,
    Work.MECHANISM: MECHANISM_STEPS,
}
"""What follows each missed milestone."""


# --- milestones --------------------------------------------------------------------------------


def milestones(problem: Problem, at: Circumstances) -> tuple[Milestone, ...]:
    """Every day by which somebody should act on the problem as it stands, soonest first."""
    found = [*_by_state(problem, at), *_by_date(problem)]
    return tuple(
        sorted(found, key=lambda milestone: (milestone.due, milestone.work, milestone.position or 0))
    )


def _by_state(problem: Problem, at: Circumstances) -> list[Milestone]:
    """Milestones that count from when something last happened."""
    rules = at.rules
    since = _since(problem, at)
    match problem.state:
        case State.NEEDS_CORRECTION:
            return [_after(Work.CORRECTION, since, rules.correction, at)]
        case State.RECEIVED | State.HELD:
            return [_after(Work.REGISTRATION, since, rules.registration, at)]
        case State.ASSIGNED:
            return [_after(Work.ACCEPTANCE, since, rules.accept, at)]
        case State.ACCEPTED if at.course.whole_procedure:
            return [_plan(since, at)]
        case state if state in HANDLED:
            heard = max(since, at.course.last_word_at or since)
            return [_after(Work.PROGRESS, heard, rules.progress, at)]
        case State.COMPLETION_REPORTED if not problem.office_agreed:
            return [_after(Work.COMPLETION_CHECK, since, rules.completion_check, at)]
        case State.CLOSED if not problem.handling.get("长效机制") and problem.lead_section_id is not None:
            return [_after(Work.MECHANISM, problem.closed_at or since, rules.mechanism, at)]
        case _:
            return []


def _plan(since: datetime, at: Circumstances) -> Milestone:
    """The plan, never before the day that the assignment named, however early the section accepted."""
    counted = _after(Work.PLAN, since, at.rules.plan, at)
    if at.course.assigned_at is None or not at.course.plan_asked:
        return counted
    named = _after(Work.PLAN, at.course.assigned_at, at.rules.accept + at.rules.plan, at)
    return max(counted, named, key=lambda milestone: milestone.due)


def _since(problem: Problem, at: Circumstances) -> datetime:
    """When the present state began anew: a problem that was suspended starts afresh."""
    moments = [problem.state_since, at.course.resumed_at or problem.state_since]
    if problem.state is State.ASSIGNED and at.course.assigned_at:
        moments.append(at.course.assigned_at)
    return max(moments)


def answers_count_from(due: Due, problem: Problem, at: Circumstances) -> datetime:
    """The moment from which a mail may be an answer to what is due, if nobody has understood it yet.

    It came after the problem got where it stands, and not so long before a day far off that something else
    must have been meant.
    """
    began = _since(problem, at)
    if due.milestone is None:
        return began
    early = at.calendar.workdays_before(due.milestone.due, at.rules.progress)
    return max(began, start_of_day(early, at.zone))


def _after(work: Work, since: datetime, workdays: int, at: Circumstances) -> Milestone:
    return Milestone(work, at.calendar.workdays_after(at.day(since), workdays))


def _by_date(problem: Problem) -> list[Milestone]:
    """The deadline, and each measure's own."""
    if problem.state not in HANDLED:
        return []
    measures = [
        Milestone(Work.MEASURE, measure.deadline, position)
        for position, measure in enumerate(problem.measures)
        if measure.deadline is not None and not measure.done
    ]
    return [Milestone(Work.DEADLINE, problem.deadline), *measures] if problem.deadline else measures


# --- the light ---------------------------------------------------------------------------------


def overdue(problem: Problem, at: Circumstances) -> bool:
    """Whether the deadline is past and the completion was not reported by then."""
    if problem.deadline is None or problem.state in ENDED_STATES or problem.state is State.SUSPENDED:
        return False
    if problem.state is State.COMPLETION_REPORTED:
        reported = at.day(at.course.completion_reported_at or problem.state_since)
        return reported > problem.deadline
    return problem.state in HANDLED and at.today > problem.deadline


def light(problem: Problem, at: Circumstances) -> Light:
    """Red past the deadline, yellow after a missed milestone, blue shortly before the deadline."""
    if overdue(problem, at):
        return Light.RED
    if problem.state not in HANDLED:
        return Light.NONE
    if any(milestone.due < at.today for milestone in milestones(problem, at)):
        return Light.YELLOW
    if problem.deadline and at.calendar.workdays_between(at.today, problem.deadline) <= at.rules.due_soon:
        return Light.BLUE
    return Light.NONE


# --- what the calendar does --------------------------------------------------------------------


def timers(problem: Problem, at: Circumstances, until: date) -> tuple[Due, ...]:
    """Everything the calendar does about the problem up to a day if nothing else happens, soonest first.

    Nothing while it is suspended, while 已报 is being checked, or while mail to the section is returned;
    nothing about a deadline while an extension is undecided.
    """
    found = [*_own_events(problem, at), *_notices(problem, at)]
    if not (at.course.claimed or at.course.bounced):
        for milestone in milestones(problem, at):
            if milestone.work is Work.DEADLINE and at.course.extension_pending:
                continue
            found.extend(_steps(problem, milestone, at))
    return tuple(sorted((due for due in found if due.day <= until), key=lambda due: (due.day, due.key)))


def _steps(problem: Problem, milestone: Milestone, at: Circumstances) -> list[Due]:
    chain = f"{problem.number}:{milestone.key}"
    return [
        Due(
            key=f"{step.letter.value}:{chain}:{count}",
            chain=chain,
            step=count,
            number=problem.number,
            day=at.calendar.workdays_after(milestone.due, getattr(at.rules, step.days)),
            letter=step.letter,
            to=step.to,
            cc=step.cc,
            milestone=milestone,
        )
        for count, step in enumerate(STEPS[milestone.work], start=1)
    ]


def answer_by(dues: Iterable[Due], day: date, rules: WorkflowRules, calendar: Calendar) -> date:
    """The day that a chase names: the last one before the next chase of any of these goes out."""
    tomorrow = calendar.workdays_after(day, 1)
    following = [
        max(calendar.workdays_after(due.milestone.due, getattr(rules, steps[due.step].days)), tomorrow)
        for due in dues
        if due.milestone is not None and due.step < len(steps := STEPS[due.milestone.work])
    ]
    return calendar.workdays_before(min(following), 1) if following else calendar.workdays_after(day, 2)


def _notices(problem: Problem, at: Circumstances) -> list[Due]:
    """Shortly before a deadline: the time for finishing, or for asking for an extension."""
    found = []
    for milestone in _by_date(problem):
        day = at.calendar.workdays_before(milestone.due, at.rules.due_soon)
        chain = f"{problem.number}:{milestone.key}:soon"
        notice = Due(
            key=f"{LetterKind.SECTION_DIGEST.value}:{chain}",
            chain=chain,
            step=1,
            number=problem.number,
            day=day,
            letter=LetterKind.SECTION_DIGEST,
            to=Party.LEAD_SECTION,
            milestone=milestone,
        )
        # A notice that comes on the day of the assignment itself tells nothing that the letter did not.
        if at.course.assigned_at is None or day > at.day(at.course.assigned_at):
            found.append(notice)
    return found


def _own_events(problem: Problem, at: Circumstances) -> list[Due]:
    """What the daemon does itself: noting the school's silence, and archiving."""
    if problem.state is State.COMPLETION_REPORTED and problem.unit_id is not None:
        if problem.satisfaction is not None or at.course.callback_silent:
            return []
        asked = at.day(at.course.completion_reported_at or problem.state_since)
        day = at.calendar.workdays_after(at.calendar.workdays_after(asked, at.rules.callback), 1)
        return [_event(problem, CallbackSilent(), day, asked)]
    if problem.state is State.CLOSED:
        closed = at.day(problem.closed_at or problem.state_since)
        return [_event(problem, Archived(), _archived_on(problem, closed, at), closed)]
    return []


def _archived_on(problem: Problem, closed: date, at: Circumstances) -> date:
    """The day after the time for objections: an archived problem is a settled one.

    A mechanism that is still awaited is asked for once more before that.
    """
    waits = [
        at.calendar.workdays_after(milestone.due, at.rules.chase_head)
        for milestone in milestones(problem, at)
        if milestone.work is Work.MECHANISM
    ]
    return max([closed + timedelta(days=at.rules.reopen_days + 1), *waits])


def _event(problem: Problem, event: Event, day: date, since: date) -> Due:
    chain = f"{problem.number}:{event.name}:{since.isoformat()}"
    return Due(key=f"event:{chain}", chain=chain, step=1, number=problem.number, day=day, event=event)


CHASES = frozenset({LetterKind.SECTION_CHASE, LetterKind.OVERDUE_LIST})


def missed(dues: Iterable[Due], day: date) -> tuple[Due, ...]:
    """Of everything that a section has missed by a day, the step that its chase has reached."""
    latest: dict[str, Due] = {}
    for due in dues:
        if due.letter in CHASES and due.day <= day:
            latest[due.chain] = max(due, latest.get(due.chain, due), key=lambda one: one.step)
    return tuple(latest.values())


def _too_late(due: Due, today: date) -> bool:
    """Whether a notice that a day is near would come after that day: then it is chased, not announced."""
    return due.letter is LetterKind.SECTION_DIGEST and due.milestone is not None and today > due.milestone.due


@dataclass(frozen=True, slots=True)
class DueNow:
    """What to do today, and what has become needless because a later step is due."""

    act: tuple[Due, ...]
    skip: tuple[Due, ...]


def due_now(
    dues: Iterable[Due], today: date, done: Container[str], waited: Container[str] = frozenset()
) -> DueNow:
    """Of each chain the latest step that is due and not done; earlier ones not done are skipped.

    After days without the daemon a section gets one chase, not three at once. `waited`: chains that rested
    because an answer lay with the office; those go on step by step, for the delay was not the section's.
    """
    act: list[Due] = []
    skip: list[Due] = []
    chains: dict[str, list[Due]] = {}
    for due in dues:
        if due.day <= today:
            chains.setdefault(due.chain, []).append(due)
    for steps in chains.values():
        waiting = sorted((due for due in steps if due.key not in done), key=lambda due: due.step)
        if _too_late(steps[0], today):
            skip.extend(waiting)
            continue
        if waiting and waiting[0].chain in waited:
            act.append(waiting[0])
            continue
        latest = max(steps, key=lambda due: due.step)
        act.extend(due for due in waiting if due is latest)
        skip.extend(due for due in waiting if due is not latest)
    return DueNow(tuple(act), tuple(skip))
