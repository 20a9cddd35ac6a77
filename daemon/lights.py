"""The light of each problem at a moment, for lists and letters."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime

from sqlalchemy.orm import Session

from daemon import milestones
from daemon.config import Config
from daemon.events import course
from daemon.model import ENDED_STATES, Light, Problem, State
from daemon.problems import Circumstances
from daemon.rules import workflow_rules, working_calendar
from daemon.store import overview


def light_at(session: Session, config: Config, now: datetime) -> Callable[[Problem], Light]:
    """A function that gives a problem's light as it is at `now`."""
    histories = overview.histories(session, [state for state in State if state not in ENDED_STATES])
    general = Circumstances(now, workflow_rules(config), working_calendar(config), zone=config.zone)

    def light(problem: Problem) -> Light:
        if problem.state in ENDED_STATES:
            return Light.NONE
        history = histories.get(problem.number, ())
        return milestones.light(problem, replace(general, course=course(history)))

    return light
