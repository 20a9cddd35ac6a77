"""What happens to a problem is decided by `problems` and carried out here: record, history, letters, questions."""

from __future__ import annotations

from daemon import problems
from daemon.desk import Desk
from daemon.events import Actor, Event, Registered
from daemon.filing import Sender
from daemon.holding import Fate
from daemon.model import State
from daemon.store import questions, tables
from parsers.orders import Order, Orders
from parsers.values import Reading


def happen(
    desk: Desk, row: tables.Problem, event: Event, *, mail: tables.Mail | None = None
) -> problems.Refusal | None:
    """Let one event happen to a problem, with all that follows of itself; or say why it may not."""
    history = tuple(questions.events_of(desk.session, row.number))
    outcome = problems.carry_out(questions.problem_value(row), event, circumstances(desk), history)
    if isinstance(outcome, problems.Refusal):
        return outcome
    decisions, _ = outcome
    for decision in decisions:
        before = row.state
        if decision.state.value != before:
            row.state, row.state_since = decision.state.value, desk.now
        questions.apply_changes(row, decision.changes)
        desk.record(
            row.number,
            decision.event,
            by=event.by.name,
            mail=mail,
            from_state=before,
            to_state=decision.state,
            text=decision.text,
        )
    return None


def circumstances(desk: Desk) -> problems.Circumstances:
    """The moment and the rules of every decision of this transaction."""
    return problems.Circumstances(desk.now, desk.office.workflow_rules, desk.calendar, zone=desk.config.zone)


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


def carry_out(
    desk: Desk,
    mail: tables.Mail,
    reading: Reading,
    sender: Sender,
    answered: tables.Letter | None,
    orders: Orders,
) -> Fate | None:
    """The orders of a reply, carried out; None if none of them has a place here."""
    return None


def returned(
    desk: Desk, mail: tables.Mail, reading: Reading, sender: Sender, answered: tables.Letter | None
) -> Fate | None:
    """The orders of the workbooks that came back, carried out; None if there is nothing to do in them."""
    return None


def answer_question(
    desk: Desk, mail: tables.Mail, sender: Sender, question: tables.Question, order: Order
) -> Fate | None:
    """The office's answer to a question about a problem, session or circular; None if it does not fit."""
    return None
