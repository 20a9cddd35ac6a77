"""The two-monthly statistics, carried out: letters of the calendar, freeze, rollup, circular."""

from __future__ import annotations

import json
import logging
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from typing import Any, Final

from daemon import letters, rendering, statistics_circular
from daemon.clock import end_of_day, iso, local_day, start_of_day
from daemon.desk import Desk
from daemon.journal import event
from daemon.model import ReturnState
from daemon.period_records import PeriodRecords, figures_now
from daemon.periods import (
    OFFICE_STEPS,
    Order,
    Period,
    Step,
    scheduled,
    skipped_in_words,
    step_key,
    steps_due,
)
from daemon.statistics_letters import Prepared, prepared
from daemon.store import questions

LOOKED: Final = "statistics_looked"
"""Note of what the last complete look saw: as long as it is the same, nothing can be due."""
LETTERS_AT_ONCE: Final = 8
"""Letters written in one transaction: a mail that arrives meanwhile waits no longer than that takes."""

LATELY: Final = timedelta(minutes=5)
MISSED_POLLS: Final = 5
"""So many polls may be missed before the mailbox counts as out of reach."""

log = logging.getLogger(__name__)


# --- the calendar ------------------------------------------------------------------------------------------


def tick(desk: Desk) -> int:
    """Do what the statistics calendar wants by now, some letters at a time; how many were written.

    Zero means that all is done: ask again until then.
    """
    sight = seen(desk)
    written, waiting = 0, False
    looked_at = [PeriodRecords(desk, period) for period in open_periods(desk, desk.now)]
    wanted = [(records, orders_of(records, desk.now)) for records in looked_at]
    _skip(desk, [order for _, orders in wanted for order in orders if order.skipped is not None])
    for records, orders in wanted:
        for order in orders:
            if order.skipped is not None:
                continue
            if order.step is not Step.OPENING and not mail_is_read(desk, order.due_at):
                waiting = True
                continue
            written += _carry_out(order, records)
            if written >= LETTERS_AT_ONCE:
                return written
    if not written and not waiting and sight is not None:
        questions.set_note(desk.session, LOOKED, sight, desk.now)
    return written


def mail_is_read(desk: Desk, since: datetime) -> bool:
    """Whether the mailbox was looked at since a moment, and lately, and all that was in it is handled.

    Until then nobody is chased: what is missing may lie in a mailbox that could not be reached.
    """
    polled = questions.last_poll(desk.session)
    lately = desk.now - max(LATELY, MISSED_POLLS * timedelta(seconds=desk.config.mailbox.poll_seconds))
    return (
        polled is not None and polled >= max(since, lately) and questions.oldest_pending(desk.session) is None
    )


def nothing_new(desk: Desk) -> bool:
    """Whether a tick would find nothing to do: no step is due, or all was done and nothing happened since."""
    sight = seen(desk)
    return sight is None or sight == questions.note(desk.session, LOOKED)


def seen(desk: Desk) -> str | None:
    """What decides whether anything can be due, as a text to compare; None if nothing is.

    Cheap: it asks for no school and no return. Which steps are due now, and whether anything has
    happened to schools, returns or questions: all of that leaves an event or changes the directory.
    """
    timeline = desk.timeline()
    due = [
        (period.code, step.value, period.due.isoformat())
        for period in open_periods(desk, desk.now)
        for step in steps_due(period, timeline, desk.now)
    ]
    return json.dumps([due, questions.pulse(desk.session)]) if due else None


def open_periods(desk: Desk, until: datetime) -> tuple[Period, ...]:
    """The periods for which the calendar may have something to do up to a moment."""
    first_cycle = desk.first_cycle()
    timeline = desk.timeline()
    ahead = timedelta(days=400)
    first = min(local_day(first_cycle, desk.config.zone), desk.today) - ahead
    near = timeline.between(first, local_day(until, desk.config.zone) + ahead)
    keys = [step_key(step, period.code) for period in near for step in OFFICE_STEPS]
    done = questions.outcomes(desk.session, keys)
    return timeline.open(first_cycle, desk.now, until, done)


def orders_of(records: PeriodRecords, until: datetime) -> tuple[Order, ...]:
    """What is to be done for a period from now up to a moment."""
    desk, code = records.desk, records.period.code
    keys = [step_key(step, code) for step in OFFICE_STEPS]
    keys += [step_key(step, code, unit) for step in Step for unit in records.states]
    return scheduled(
        records.period,
        tuple(records.states.values()),
        desk.timeline(),
        first_cycle=desk.first_cycle(),
        now=desk.now,
        until=until,
        done=questions.outcomes(desk.session, keys),
    )


def _skip(desk: Desk, orders: Sequence[Order]) -> None:
    """Record what came too late to be of use, and say so: in the journal, the history and to the administrator."""
    new = [
        order
        for order in orders
        if questions.do_once(desk.session, order.key, desk.now, outcome="skipped", text=order.skipped)
    ]
    for line in skipped_in_words(new):
        event(log, "statistics_skipped", line, level=logging.WARNING)
        desk.record(line.partition(" ")[0], "step_skipped", by="djb", text=line)
    if new:
        desk.alarm(
            f"statistics_skipped:{new[0].key}",
            "停机期间到期的统计信件已过时，未再发送",
            "；".join(skipped_in_words(new)),
            "请查看 djb status；需要补发的，请与有关学校联系",
        )


def _carry_out(order: Order, records: PeriodRecords) -> int:
    """Do one thing of the calendar, once; how many letters it made."""
    desk = records.desk
    if not questions.do_once(desk.session, order.key, desk.now):
        return 0
    for key in order.settles:
        questions.do_once(desk.session, key, desk.now, outcome="skipped", text=f"并入{order.step.chinese}")
    _announce(desk, order.period)
    return CARRY_OUT.get(order.step, _send)(order, records)


def _announce(desk: Desk, period: Period) -> None:
    """From the first letter on the due day of a period stays, whatever becomes of the settings."""
    row = questions.ensure_period(desk.session, period.code, period.due)
    if row.opened_at is None:
        row.due, row.opened_at = period.due, desk.now
        desk.announced()
        desk.record(period.code, "opened", by="djb", text=f"报送截止日 {period.due.isoformat()}")


def _send(order: Order, records: PeriodRecords) -> int:
    desk, ready = records.desk, prepared(order, records)
    row = desk.write(
        replace(ready.letter, number=order.period.code, code=desk.code()),
        key=order.key,
        to=ready.to,
        cc=ready.cc,
        about=(order.period.code,),
        unit=ready.unit,
        due_at=order.due_at,
        attachments=ready.files(),
    )
    return int(row is not None)


def _freeze(order: Order, records: PeriodRecords) -> int:
    desk, code = records.desk, order.period.code
    row = questions.ensure_period(desk.session, code, order.period.due)
    row.frozen_at, row.stage = desk.now, "frozen"
    row.figures = figures_now(desk, order.period).to_json()
    desk.record(code, "frozen", by="djb", text=f"实报 {row.figures['total']['filed']} 所")
    return 0


def _submit_circular(order: Order, records: PeriodRecords) -> int:
    return statistics_circular.submit(records.desk, order.period, records.figures, order.due_at)


CARRY_OUT: Final[Mapping[Step, Callable[[Order, PeriodRecords], int]]] = {
    Step.FREEZE: _freeze,
    Step.CIRCULAR_DRAFT: _submit_circular,
}


# --- the forecast ------------------------------------------------------------------------------------------


def forecast(desk: Desk, first: date, last: date) -> list[Mapping[str, Any]]:
    """Every letter of the statistics calendar in these days, as `djb plan` shows it."""
    zone = desk.config.zone
    desk = Desk(desk.office, desk.session, desk.directory, min(desk.now, start_of_day(first, zone)))
    until = end_of_day(last, zone) - timedelta(seconds=1)
    rows: list[Mapping[str, Any]] = []
    for period in open_periods(desk, until):
        records = PeriodRecords(desk, period)
        for order in orders_of(records, until):
            day = local_day(order.goes_at, zone)
            if order.skipped is None and first <= day <= last:
                rows += (
                    _forecast_row(desk, order, one) for one in _letters_of(order, records, day) if one.to
                )
    return rows


def _letters_of(order: Order, records: PeriodRecords, day: date) -> Iterable[Prepared]:
    if order.step is Step.FREEZE:
        return ()
    if order.step is Step.CIRCULAR_DRAFT:
        return statistics_circular.forecast_letters(records, day)
    return (prepared(order, records),)


def _forecast_row(desk: Desk, order: Order, one: Prepared) -> Mapping[str, Any]:
    rendered = rendering.render(one.letter, desk.office.letterhead, desk.office.templates)
    return {
        "kind": one.letter.kind.value,
        "to": list(one.to),
        "cc": [address for address in one.cc if address not in one.to],
        "about": [order.period.code],
        "subject": rendered.subject,
        "due_at": iso(order.goes_at, desk.config.zone),
    }


# --- for the office's morning and the status ---------------------------------------------------------------


@dataclass(frozen=True)
class Progress:
    """How the current period stands: for the morning brief and `djb status`."""

    period: Period
    returns: tuple[letters.Figure, ...]
    """已报, 待补正, 待核实, 未报."""
    doubts: tuple[letters.Mend, ...]
    """Soft checks: what to look at, by school."""


def skipped_since(desk: Desk, since: datetime) -> tuple[str, ...]:
    """What the calendar left out since a moment because it came too late to be of use, in Chinese."""
    lately = desk.timeline().between(desk.today - timedelta(days=400), desk.today + timedelta(days=100))
    return tuple(
        line.text
        for period in lately
        for line in questions.events_of(desk.session, period.code)
        if line.event == "step_skipped" and line.text and line.at > since
    )


def progress(desk: Desk) -> Progress:
    """How the period stands that was opened last."""
    period = desk.timeline().period_of(desk.now)
    states = [state.state for state in PeriodRecords(desk, period).states.values()]
    shown = (
        ("已报", (ReturnState.ACCEPTED, ReturnState.LATE)),
        ("待补正", (ReturnState.RETURNED,)),
        ("待核实", (ReturnState.HELD,)),
        ("未报", (ReturnState.MISSING,)),
    )
    figures = figures_now(desk, period)
    return Progress(
        period,
        tuple(letters.Figure(label, sum(state in wanted for state in states)) for label, wanted in shown),
        tuple(letters.Mend("；".join(school.doubts), school.name) for school in figures.doubtful),
    )
