"""What happens to a problem is decided by `problems` and carried out here: record, history, letters, questions."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from daemon import asking, dispatch, problems
from daemon.desk import Desk
from daemon.events import Actor, Corrected, Event, HistoryLine, Registered, course
from daemon.model import ENDED_STATES, State, Unit
from daemon.standing import circumstances, departments
from daemon.store import questions, tables

Later = list[Callable[[], None]]
"""Letters to be written when several events of one mail have all happened."""


def happen(
    desk: Desk,
    row: tables.Problem,
    event: Event,
    *,
    mail: tables.Mail | None = None,
    later: Later | None = None,
) -> problems.Refusal | None:
    """Let one event happen to a problem, with all that follows of itself; or say why it may not.

    The letters are written last, about the problem as it stands after everything: a referral names the
    section that the assignment right after it gave the problem to.
    """
    history = questions.history_of(desk.session, row.number)
    before = row.lead_section_id
    outcome = _outcome(desk, row, event, history)
    if isinstance(outcome, problems.Refusal):
        return outcome
    for decision in outcome:
        _record(desk, row, decision, event, mail)
    desk.session.flush()
    former = before if before not in (None, row.lead_section_id) else None
    if len(history) > 1:  # of a problem that has only been received nothing was asked yet
        _settle_questions(desk, row)

    def write() -> None:
        for happening, decision in enumerate(outcome, start=len(history) + 1):
            for letter in decision.letters:
                dispatch.write(desk, row, letter, happening, mail, former)
            for question in decision.questions:
                asking.ask(desk, row, question, happening, mail)

    if later is None:
        write()
    else:
        later.append(write)
    return None


def _outcome(
    desk: Desk, row: tables.Problem, event: Event, history: tuple[HistoryLine, ...]
) -> tuple[problems.Decision, ...] | problems.Refusal:
    """What the rules say of an event: every decision that follows, or why it may not happen."""
    problem = questions.problem_value(row)
    measures = (*problem.measures, *getattr(event, "measures", ()))
    at = replace(circumstances(desk), departments=departments(desk, measures))
    outcome = problems.carry_out(problem, event, at, history)
    return outcome if isinstance(outcome, problems.Refusal) else outcome[0]


def _settle_questions(desk: Desk, row: tables.Problem) -> None:
    """Questions that events have overtaken are put away: a late 同意 to them must not hit what came after."""
    waiting = questions.open_questions_about(desk.session, row.number)
    if not waiting:
        return
    state = State(row.state)
    said = course(questions.history_of(desk.session, row.number))
    moot = {
        "completion": state is not State.COMPLETION_REPORTED or row.office_agreed,
        "close_alone": state is not State.COMPLETION_REPORTED or row.satisfaction is not None,
        "extension": not said.extension_pending or state not in problems.HANDLED,
        "claim": not said.claimed,
        "withdrawal": state in ENDED_STATES,
        "referral": row.lead_section_id is not None or state in ENDED_STATES,
        "unknown_section": row.lead_section_id is not None or state in ENDED_STATES,
        "reassignment": row.lead_section_id is not None or state in ENDED_STATES,
        "visit": state not in problems.ON_THE_WAY,
        "assist_declined": state not in problems.HANDLED,
        "deadline": row.lead_section_id is not None or state in ENDED_STATES,
        "correction_overdue": state is not State.NEEDS_CORRECTION,
        "reopening": state not in (State.CLOSED, State.ARCHIVED),
    }
    for question in waiting:
        older = question.kind == "visit" and question.payload["when"] != row.handling.get("一线办理日期")
        if older or moot.get(question.kind):
            question.answered_at, question.answered_by = desk.now, "djb"
            question.answer = "情况已有变化，不再需要答复"


def _record(
    desk: Desk, row: tables.Problem, decision: problems.Decision, event: Event, mail: tables.Mail | None
) -> None:
    state = row.state
    if decision.state.value != state:
        row.state, row.state_since = decision.state.value, desk.now
    questions.apply_changes(row, decision.changes)
    desk.record(
        row.number,
        decision.event,
        by=event.by.name,
        mail=mail,
        from_state=state,
        to_state=decision.state,
        text=decision.text,
    )


def refusal_of(desk: Desk, row: tables.Problem, event: Event) -> str | None:
    """Why an event may not happen to a problem now; None if it may."""
    outcome = _outcome(desk, row, event, questions.history_of(desk.session, row.number))
    return outcome.reason if isinstance(outcome, problems.Refusal) else None


def amended(desk: Desk, row: tables.Problem, values: Mapping[str, Any], by: Actor, mail: tables.Mail) -> None:
    """A newer version of a problem that is under way; who handles it hears what changed."""
    changes = {
        name: tuple(value) if isinstance(value, list) else value
        for name, value in values.items()
        if getattr(row, name) != value
    }
    happen(desk, row, Corrected(by=by, changes=changes), mail=mail)


def actor(unit: Unit) -> Actor:
    """A unit of the directory as one who acts."""
    return Actor(unit.kind, unit.id, unit.name)


def registered(desk: Desk, row: tables.Problem, mail: tables.Mail) -> problems.Refusal | None:
    """A complete problem is registered, and goes on to its sections if it is for them."""
    known, unknown = [], []
    for name in row.sections_asked:
        match = desk.directory.section(name)
        if match.unit is not None:
            known.append(match.unit.id)
        else:
            unknown.append((name, tuple(unit.name for unit in match.candidates)))
    if row.state == State.HELD.value:
        row.state = State.RECEIVED.value
    event = Registered(by=Actor(), sections=tuple(known), unknown_sections=tuple(unknown))
    return happen(desk, row, event, mail=mail)
