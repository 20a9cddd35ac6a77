"""How the problems in hand stand at a moment, and how letters say so: lights, lines, what was missed."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import date, datetime

from daemon import letters, milestones, typesetting
from daemon.clock import at
from daemon.desk import Desk
from daemon.events import course
from daemon.letters import Fact, ProblemLine
from daemon.milestones import Due
from daemon.model import ENDED_STATES, Light, Problem, State
from daemon.problems import Circumstances
from daemon.store import questions, tables

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
        return f"完成任务措施“{typesetting.short(problem.measures[place].measure, 20)}”"
    return due.milestone.work.chinese


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
