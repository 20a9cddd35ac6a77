"""A problem, its people and its days, for the tests of the workflow."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from daemon.events import Actor, Event, course
from daemon.milestones import Due, timers
from daemon.model import Problem, State, UnitKind
from daemon.problems import Circumstances, Decision, Line, Refusal, WorkflowRules, carry_out

SHANGHAI = ZoneInfo("Asia/Shanghai")
SCHOOL = Actor(UnitKind.SCHOOL, 1, "贵港市青山中学")
OTHER_SCHOOL = Actor(UnitKind.SCHOOL, 2, "贵港市绿水中学")
SECTION = Actor(UnitKind.SECTION, 11, "基础教育科")
ASSIST = Actor(UnitKind.SECTION, 12, "计划财务科")
OFFICE = Actor(UnitKind.COMMITTEE_OFFICE, 21, "工委办")
BUREAU = Actor(UnitKind.BUREAU_OFFICE, 22, "局办公室")
SECRETARY = Actor(UnitKind.SECRETARY, 23, "书记")


def moment(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=SHANGHAI)


def problem(state: State = State.RECEIVED, **changes: object) -> Problem:
    base = Problem(
        number="ND-2022-001",
        state=state,
        reporting_unit="贵港市青山中学",
        problem="教室照明不足",
        details="请求更换灯具",
        received_at=moment("2022-02-21T09:00"),
        state_since=moment("2022-02-21T09:00"),
        unit_id=1,
        levels=("secretary",),
    )
    return replace(base, **changes)  # type: ignore[arg-type]


@dataclass
class Life:
    """One problem lived through day by day, with its history and the last decisions."""

    problem: Problem
    now: datetime = moment("2022-02-21T09:00")  # noqa: RUF009
    rules: WorkflowRules = WorkflowRules()  # noqa: RUF009
    history: list[Line] = field(default_factory=list)
    last: tuple[Decision, ...] = ()

    @property
    def circumstances(self) -> Circumstances:
        return Circumstances(self.now, self.rules, course=course(self.history))

    def happens(self, event: Event, at: str | None = None) -> State:
        outcome = self.tries(event, at)
        assert not isinstance(outcome, Refusal), outcome.reason
        return self.problem.state

    def tries(self, event: Event, at: str | None = None) -> Refusal | None:
        self.now = moment(at) if at else self.now + timedelta(minutes=1)
        outcome = carry_out(self.problem, event, self.circumstances, tuple(self.history))
        if isinstance(outcome, Refusal):
            return outcome
        before = self.problem.state
        self.last, self.problem = outcome
        for decision in self.last:
            self.history.append(Line(self.now, decision.event, before, decision.state))
            before = decision.state
        return None

    def letters(self) -> list[tuple[str, str]]:
        return [(letter.kind.value, letter.to.value) for one in self.last for letter in one.letters]

    def questions(self) -> list[str]:
        return [question.kind for decision in self.last for question in decision.questions]

    def calendar(self, until: str) -> tuple[Due, ...]:
        return timers(self.problem, self.circumstances, moment(until).date())


@pytest.fixture
def life() -> Life:
    return Life(problem())


@pytest.fixture
def assigned() -> Life:
    """Referred to a section on Monday 2022-02-21 with three weeks' time."""
    return Life(
        problem(
            State.ASSIGNED,
            levels=("section",),
            lead_section_id=11,
            assist_section_ids=(12,),
            deadline=moment("2022-03-14").date(),
        ),
        history=[
            Line(moment("2022-02-21T09:00"), "registered", "received", "registered"),
            Line(moment("2022-02-21T09:00"), "referred", "registered", "referred"),
            Line(moment("2022-02-21T09:00"), "assigned", "referred", "assigned"),
        ],
    )
