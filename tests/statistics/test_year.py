"""A year of sixty schools, walked day by day: exactly the letters that the rules demand.

The rules are said here a second time, over holidays written out by hand, so that a fault in the
product's calendar cannot hide behind itself.
"""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest

from daemon.periods import Order, SchoolState, Step, Timeline, scheduled
from daemon.returns import Arrival, FiledReturn, Past, Row, decide_return, school_states

SHANGHAI = ZoneInfo("Asia/Shanghai")
SCHOOLS = {number: f"贵港市第{number}学校" for number in range(1, 61)}
BOUNCING = frozenset({17, 41})
START = date(2021, 12, 13)
END = date(2023, 1, 20)

# --- the rules, said again ---------------------------------------------------------------------

FREE = {
    *(date(2022, 1, 1) + timedelta(n) for n in range(3)),
    *(date(2022, 1, 31) + timedelta(n) for n in range(7)),
    *(date(2022, 4, 3) + timedelta(n) for n in range(3)),
    *(date(2022, 4, 30) + timedelta(n) for n in range(5)),
    *(date(2022, 6, 3) + timedelta(n) for n in range(3)),
    *(date(2022, 9, 10) + timedelta(n) for n in range(3)),
    *(date(2022, 10, 1) + timedelta(n) for n in range(7)),
    *(date(2022, 12, 31) + timedelta(n) for n in range(3)),
}
MADE_UP = {
    date(2022, 1, 29), date(2022, 1, 30), date(2022, 4, 2), date(2022, 4, 24), date(2022, 5, 7),
    date(2022, 10, 8), date(2022, 10, 9),
}  # fmt: skip
ALL_DAYS = [date(2021, 11, 1) + timedelta(n) for n in range(500)]
WORKED = [day for day in ALL_DAYS if day in MADE_UP or (day.weekday() < 5 and day not in FREE)]
DUE_DAYS = [date(2022, month, 5) for month in (1, 3, 5, 7, 9, 11)] + [date(2023, 1, 5)]


def nth_before(due: date, count: int) -> date:
    return [day for day in WORKED if day < due][-count]


def nth_after(due: date, count: int) -> date:
    return [day for day in WORKED if day > due][count - 1]


def nine(day: date) -> datetime:
    return datetime.combine(day, time(9), SHANGHAI)


# --- what sixty schools do -----------------------------------------------------------------------


@dataclass(frozen=True)
class Act:
    """One thing a school does: files well, files a broken form, is held, or writes 已报."""

    at: datetime
    school: int
    what: str
    sessions: int = 2


HABITS = ("early", "last_day", "twice", "broken_then_right", "broken", "after_first_chase", "after_second_chase",
          "after_freeze", "claims", "held", "never", "amends_late")  # fmt: skip


def acts_of(school: int, due: date, chance: random.Random) -> Iterator[Act]:
    habit = HABITS[(school + due.month) % len(HABITS)]
    minute = timedelta(hours=chance.randrange(0, 24), minutes=chance.randrange(0, 60))

    def on(day: date, what: str = "files", sessions: int = 2) -> Act:
        return Act(datetime.combine(day, time(0), SHANGHAI) + minute, school, what, sessions)

    opening, first, second = nth_before(due, 10), nth_after(due, 1), nth_after(due, 3)
    freeze = nth_after(due, 5)
    table = {
        "early": [on(opening + timedelta(days=chance.randrange(0, 5)))],
        "last_day": [on(due)],
        "twice": [on(opening + timedelta(days=2)), on(due, sessions=4)],
        "broken_then_right": [on(opening + timedelta(days=3), "breaks"), on(first)],
        "broken": [on(due - timedelta(days=1), "breaks")],
        "after_first_chase": [on(first + timedelta(days=1))],
        "after_second_chase": [on(second)],
        "after_freeze": [on(freeze + timedelta(days=2))],
        "claims": [on(first, "claims")],
        "held": [on(due - timedelta(days=2), "unknown")],
        "never": [],
        "amends_late": [on(opening + timedelta(days=4)), on(freeze + timedelta(days=3), sessions=7)],
    }
    yield from table[habit]


def year_of_acts() -> list[Act]:
    chance = random.Random(2022)
    acts = [act for due in DUE_DAYS for school in SCHOOLS for act in acts_of(school, due, chance)]
    return sorted(acts, key=lambda act: act.at)


ACTS = year_of_acts()


def code_of(due: date) -> str:
    return f"TJ-{due.year}-{due.month:02d}"


def in_peace(school: int, due: date, at: datetime) -> bool:
    """Whether the rules forbid to remind or chase a school at a moment."""
    opening = datetime.combine(nth_before(due, 10), time(0), SHANGHAI)
    mine = [act for act in ACTS if act.school == school and opening <= act.at <= at]
    return school in BOUNCING or any(act.what in ("files", "unknown", "claims") for act in mine)


def demanded() -> Counter[tuple[str, str, int | None, datetime]]:
    """Every letter that the rules demand in the year: (period, step, school, moment)."""
    letters: Counter[tuple[str, str, int | None, datetime]] = Counter()
    for due in DUE_DAYS:
        steps = {
            "reminder": nth_before(due, 3), "chase_1": nth_after(due, 1), "chase_2": nth_after(due, 3),
        }  # fmt: skip
        for school in set(SCHOOLS) - BOUNCING:
            opening = nine(nth_before(due, 10))
            filed_by_then = any(
                a.school == school and a.what in ("files", "unknown")
                and datetime.combine(opening.date(), time(0), SHANGHAI) <= a.at <= opening
                for a in ACTS
            )  # fmt: skip
            if not filed_by_then:
                letters[code_of(due), "opening", school, opening] += 1
        for step, day in steps.items():
            for school in SCHOOLS:
                if not in_peace(school, due, nine(day)):
                    letters[code_of(due), step, school, nine(day)] += 1
        for step in ("missing_list", "freeze", "rollup", "circular_draft"):
            letters[code_of(due), step, None, nine(nth_after(due, 5))] += 1
    return letters


# --- a daemon in memory ----------------------------------------------------------------------------


@dataclass
class Office:
    """The pure functions, with dictionaries for a database."""

    timeline: Timeline = field(default_factory=Timeline)
    done: dict[str, str] = field(default_factory=dict)
    returns: list[FiledReturn] = field(default_factory=list)
    claims: set[tuple[str, int]] = field(default_factory=set)
    frozen: dict[str, datetime] = field(default_factory=dict)
    letters: list[tuple[Order, datetime]] = field(default_factory=list)
    handled: int = 0
    first_cycle: datetime | None = None

    def cycle(self, now: datetime, *, killed_after: int | None = None) -> None:
        self.first_cycle = self.first_cycle or now
        while self.handled < len(ACTS) and ACTS[self.handled].at <= now:
            self.receive(ACTS[self.handled])
            self.handled += 1
        for number, order in enumerate(self.due(now)):
            if number == killed_after:
                return
            self.carry_out(order, now)

    def due(self, now: datetime, until: datetime | None = None) -> list[Order]:
        until, first = until or now, self.first_cycle or now
        return [
            order
            for period in self.timeline.open(first, now, until, self.done)
            for order in scheduled(
                period, self.states(period.code), self.timeline,
                first_cycle=first, now=now, until=until, done=self.done,
            )
        ]  # fmt: skip

    def carry_out(self, order: Order, now: datetime) -> None:
        assert order.key not in self.done
        self.done[order.key] = "skipped" if order.skipped else "done"
        self.done |= dict.fromkeys(order.settles, "skipped")
        if order.step is Step.FREEZE:
            self.frozen[order.period.code] = now
        if order.skipped is None:
            self.letters.append((order, now))

    def receive(self, act: Act) -> None:
        period = self.timeline.period_of(act.at)
        if act.what == "claims":
            self.claims.add((period.code, act.school))
            return
        branches = None if act.what == "breaks" else 3
        name = SCHOOLS[act.school]
        rows = (Row(name, branches, 1, act.sessions, act.school, unit_id=act.school),)
        form = Arrival(act.school, name, act.at, rows, reported_on=act.at.date())
        if act.what == "unknown":
            form = replace(form, held_because="发件邮箱不在通讯录中")
        mine = [old for old in self.returns if old.unit_id == act.school]
        past = Past(
            [old for old in mine if old.period == period.code],
            [old for old in mine if old.period != period.code],
            self.frozen.get(period.code),
        )
        decision = decide_return(form, past, self.timeline)
        gone = {(decision.filed.period, act.school, version) for version in decision.supersedes}
        self.returns = [
            replace(r, superseded=r.superseded or (r.period, r.unit_id, r.version) in gone)
            for r in self.returns
        ]
        self.returns.append(decision.filed)

    def states(self, code: str) -> tuple[SchoolState, ...]:
        filed = [one for one in self.returns if one.period == code]
        claimed = {school for period, school in self.claims if period == code}
        return school_states(SCHOOLS.items(), filed, claimed=claimed, unreachable=BOUNCING)

    def sent(self) -> Counter[tuple[str, str, int | None, datetime]]:
        return Counter((o.period.code, o.step.value, o.unit_id, at) for o, at in self.letters)


def walk(days: Iterable[date], times: tuple[time, ...] = (time(9),), office: Office | None = None) -> Office:
    office = office or Office()
    for day in days:
        for clock in times:
            office.cycle(datetime.combine(day, clock, SHANGHAI))
    return office


YEAR = [START + timedelta(days=n) for n in range((END - START).days)]


def test_a_year_walked_day_by_day_sends_exactly_the_letters_that_the_rules_demand() -> None:
    office = walk(YEAR)
    assert office.sent() == demanded()
    assert max(office.sent().values()) == 1


def test_running_every_day_three_times_changes_nothing() -> None:
    assert walk(YEAR, (time(9), time(9), time(16, 59))).sent() == demanded()


def test_skipping_the_days_of_rest_and_those_without_letters_changes_nothing() -> None:
    needed = {at.date() for _, _, _, at in demanded()} | {START}
    assert walk(day for day in YEAR if day in needed).sent() == demanded()


def test_a_process_killed_in_mid_day_goes_on_where_it_stopped() -> None:
    office, chance = Office(), random.Random(7)
    for day in YEAR:
        office.cycle(nine(day), killed_after=chance.randrange(0, 40))
        office.cycle(nine(day), killed_after=chance.randrange(0, 3))
        office.cycle(nine(day))
    assert office.sent() == demanded()


def test_cycles_at_night_send_nothing_of_the_calendar() -> None:
    assert walk(YEAR, (time(3), time(9), time(23, 59))).sent() == demanded()


@pytest.mark.parametrize("seed", range(6))
def test_whatever_days_are_missed_nobody_is_shouted_at_wrongly_or_twice(seed: int) -> None:
    chance = random.Random(seed)
    office = Office()
    for day in YEAR:
        if chance.random() < 0.45:
            clock = time(chance.randrange(0, 24), chance.randrange(0, 60))
            office.cycle(datetime.combine(day, clock, SHANGHAI))
    chases: Counter[tuple[int | None, date]] = Counter()
    for order, at in office.letters:
        due = order.period.due
        assert at.date() in WORKED and time(9) <= at.time() < time(17)
        assert at >= order.due_at
        if order.step in (Step.REMINDER, Step.CHASE_1, Step.CHASE_2):
            assert order.unit_id is not None and not in_peace(order.unit_id, due, at)
            chases[order.unit_id, at.date()] += 1
        if order.step in (Step.OPENING, Step.REMINDER):
            assert at.date() <= due
        if order.step is Step.CHASE_2:
            assert at.date() < nth_after(due, 5)
    assert max(chases.values()) == 1
    keys = Counter(order.key for order, _ in office.letters)
    assert max(keys.values()) == 1
    frozen = [order.period.code for order, _ in office.letters if order.step is Step.FREEZE]
    assert frozen == sorted(frozen)
    assert len(frozen) >= len(DUE_DAYS) - 1


def test_the_forecast_is_what_happens_if_nothing_arrives(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(globals(), "ACTS", [])
    office = Office(first_cycle=nine(START))
    forecast = office.due(nine(START), nine(END))
    planned = Counter((o.period.code, o.step.value, o.unit_id, o.goes_at) for o in forecast if not o.skipped)
    assert walk(YEAR, office=office).sent() == planned


def test_every_return_of_the_year_is_counted_once_and_the_sum_is_that_of_the_mails() -> None:
    office = walk(YEAR)
    for due in DUE_DAYS[:-1]:
        opening = datetime.combine(nth_before(due, 10), time(0), SHANGHAI)
        following = datetime.combine(nth_before(DUE_DAYS[DUE_DAYS.index(due) + 1], 10), time(0), SHANGHAI)
        last = {a.school: a.sessions for a in ACTS if a.what == "files" and opening <= a.at < following}
        counted = [one for one in office.returns if one.period == code_of(due) and one.counted]
        assert sum(one.counts.sessions_held for one in counted) == sum(last.values())
        assert {one.unit_id for one in counted} == set(last)
        closes = datetime.combine(due + timedelta(days=1), time(0), SHANGHAI)
        for one in counted:
            acts = [a for a in ACTS if a.school == one.unit_id and opening <= a.at < following]
            late = acts[0].at >= closes or acts[-1].at >= nine(nth_after(due, 5))
            assert one.late is late
