"""The statistics calendar: periods, their days, and every letter that time makes due. Pure.

`scheduled` says what a daemon does that runs at `now` and then on without a break up to `until`. With
`until == now` that is the work of one cycle, with a later `until` it is the forecast: the same code.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from enum import StrEnum
from functools import lru_cache
from typing import Final
from zoneinfo import ZoneInfo

from daemon.clock import at, local_day
from daemon.model import LetterKind, ReturnState
from daemon.workdays import Calendar, WorkingHours


@dataclass(frozen=True, slots=True)
class StatisticsRules:
    """The settings of the two-monthly statistics; numbers of days are working days."""

    due_day: int = 5
    due_months: tuple[int, ...] = (1, 3, 5, 7, 9, 11)
    due_time: time = time(23, 59)
    """A return that comes within this minute of the due day is still in time."""
    move_due_to_workday: bool = False
    opening: int = 10
    reminder: int = 3
    chases: tuple[int, int] = (1, 3)
    missing_list: int = 5
    freeze: int = 5
    working_hours: WorkingHours = (time(9), time(17))
    zone: ZoneInfo = field(default_factory=lambda: ZoneInfo("Asia/Shanghai"))


@dataclass(frozen=True, slots=True)
class Period:
    """One statistics period with all its days."""

    code: str
    due: date
    covers: tuple[date, ...]
    """First days of the months that the figures are about."""
    closes: datetime
    """The first moment that is no longer in time."""
    opening: date
    reminder: date
    chases: tuple[date, date]
    missing_list: date
    freeze: date
    guessed: bool = False
    """Some of these days lie in a year whose holidays are not known."""

    @property
    def covers_in_chinese(self) -> str:
        """2021年11月至12月, or 2021年12月至2022年1月."""
        first, last = self.covers[0], self.covers[-1]
        if first == last:
            return f"{first.year}年{first.month}月"
        year = "" if first.year == last.year else f"{last.year}年"
        return f"{first.year}年{first.month}月至{year}{last.month}月"


@dataclass(frozen=True, slots=True)
class Timeline:
    """All periods under the present settings, and those whose due day was announced under former ones."""

    rules: StatisticsRules = field(default_factory=StatisticsRules)
    calendar: Calendar = field(default_factory=Calendar)
    announced: Mapping[str, date] = field(default_factory=dict)
    """Code -> due day of each period that was opened: a change of settings does not move it any more."""
    _known: dict[tuple[date, date], tuple[Period, ...]] = field(
        default_factory=dict, init=False, repr=False, compare=False
    )
    """Answers of `between`: of one batch of mails nearly all ask the same."""

    def period(self, code: str) -> Period:
        """The period of a code such as TJ-2022-01. Raises ValueError if it is not one."""
        year, month = _year_and_month(code)
        due = self.announced.get(code) or self._due(year, month)
        return _with_days(self.rules, self.calendar, code, due)

    def between(self, first: date, last: date) -> tuple[Period, ...]:
        """The periods that are due from first to last, by due day."""
        if (first, last) not in self._known:
            self._known[first, last] = self._between(first, last)
        return self._known[first, last]

    def _between(self, first: date, last: date) -> tuple[Period, ...]:
        codes = {code for code, due in self.announced.items() if first <= due <= last}
        for year in range(first.year - 1, last.year + 2):
            codes |= {period_code(year, month) for month in self.rules.due_months}
        found = (self.period(code) for code in codes if self._may_fall(code, first, last))
        return tuple(sorted((p for p in found if first <= p.due <= last), key=lambda p: (p.due, p.code)))

    def period_of(self, moment: datetime) -> Period:
        """The period that a return arriving at a moment belongs to: from one opening up to the next."""
        return self.period_of_day(local_day(moment, self.rules.zone))

    def period_of_day(self, day: date) -> Period:
        """The period that was opened last on or before a day."""
        around = self.between(day - timedelta(days=400), day + timedelta(days=400))
        return [period for period in around if period.opening <= day][-1]

    def before(self, period: Period) -> Period:
        """The period before."""
        return self.between(period.due - timedelta(days=400), period.due - timedelta(days=1))[-1]

    def after(self, period: Period) -> Period:
        """The period after."""
        return self.between(period.due + timedelta(days=1), period.due + timedelta(days=400))[0]

    def year_before(self, period: Period) -> Period:
        """The same period of the year before."""
        year, month = _year_and_month(period.code)
        return self.period(period_code(year - 1, month))

    def open(
        self, first_cycle: datetime, now: datetime, until: datetime, done: Mapping[str, str]
    ) -> tuple[Period, ...]:
        """The periods for which the calendar may have something to do from now to `until`.

        A period that was due before the daemon's first cycle is among them only while its missing list
        still lies ahead of that cycle: the office then gets its sums, but no school is chased.
        """
        zone = self.rules.zone
        started, today, last = (local_day(moment, zone) for moment in (first_cycle, now, until))
        found = self.between(min(started, today) - timedelta(days=400), last + timedelta(days=400))
        return tuple(
            period
            for period in found
            if period.opening <= last
            and not all(step_key(step, period.code) in done for step in OFFICE_STEPS)
            and (period.closes > first_cycle or self._still_to_sum(period, started, today))
        )

    def _still_to_sum(self, period: Period, started: date, today: date) -> bool:
        return started <= period.missing_list and today < self.after(period).opening

    def _may_fall(self, code: str, first: date, last: date) -> bool:
        """Whether a period may be due between two days, told without working out all its days."""
        year, month = _year_and_month(code)
        margin = timedelta(days=31)  # a due day that moves off a long holiday
        due = self.announced.get(code) or date(year, month, self.rules.due_day)
        return first - margin <= due <= last + margin

    def _due(self, year: int, month: int) -> date:
        due = date(year, month, self.rules.due_day)
        return self.calendar.workdays_after(due, 0) if self.rules.move_due_to_workday else due


@lru_cache(maxsize=512)
def _with_days(rules: StatisticsRules, calendar: Calendar, code: str, due: date) -> Period:
    """The period with all its days. Kept, because every cycle asks for the same few."""
    opening = calendar.workdays_before(due, rules.opening)
    freeze = calendar.workdays_after(due, rules.freeze)
    first, second = (calendar.workdays_after(due, count) for count in rules.chases)
    return Period(
        code=code,
        due=due,
        covers=_covered_months(rules.due_months, *_year_and_month(code)),
        closes=at(due, rules.due_time, rules.zone) + timedelta(minutes=1),
        opening=opening,
        reminder=calendar.workdays_before(due, rules.reminder),
        chases=(first, second),
        missing_list=calendar.workdays_after(due, rules.missing_list),
        freeze=freeze,
        guessed=calendar.guessed(opening, freeze),
    )


def period_code(year: int, month: int) -> str:
    """TJ-2022-01 for the period due in January 2022."""
    return f"TJ-{year:04d}-{month:02d}"


def _year_and_month(code: str) -> tuple[int, int]:
    prefix, _, rest = code.partition("-")
    year, _, month = rest.partition("-")
    if prefix != "TJ" or not (len(year) == 4 and len(month) == 2 and (year + month).isdecimal()):
        raise ValueError(f"not a statistics period: {code!r}")
    date(int(year), int(month), 1)
    return int(year), int(month)


def _covered_months(due_months: Sequence[int], year: int, month: int) -> tuple[date, ...]:
    """The months from the last due month up to the one before this due month."""
    earlier = [due for due in due_months if due < month]
    start = max(earlier) - month if earlier else max(due_months) - 12 - month
    return tuple(_month(year, month + offset) for offset in range(start, 0))


def _month(year: int, month: int) -> date:
    """The first day of a month; months before January and after December count on."""
    years, index = divmod(month - 1, 12)
    return date(year + years, index + 1, 1)


# --- what time makes due -------------------------------------------------------------------------


class Step(StrEnum):
    """What the calendar does in a period, in the order in which it is done."""

    OPENING = "opening"
    REMINDER = "reminder"
    CHASE_1 = "chase_1"
    CHASE_2 = "chase_2"
    MISSING_LIST = "missing_list"
    FREEZE = "freeze"
    ROLLUP = "rollup"
    CIRCULAR_DRAFT = "circular_draft"

    @property
    def chinese(self) -> str:
        return STEP_NAMES[self]


STEP_NAMES: Final[Mapping[Step, str]] = {
    Step.OPENING: "填报通知",
    Step.REMINDER: "到期提醒",
    Step.CHASE_1: "第一次催报",
    Step.CHASE_2: "第二次催报",
    Step.MISSING_LIST: "未报名单",
    Step.FREEZE: "数据封存",
    Step.ROLLUP: "汇总表",
    Step.CIRCULAR_DRAFT: "通报稿",
}

OFFICE_STEPS: Final = (Step.MISSING_LIST, Step.FREEZE, Step.ROLLUP, Step.CIRCULAR_DRAFT)

STEP_LETTERS: Final[Mapping[Step, LetterKind | None]] = {
    Step.OPENING: LetterKind.STATISTICS_OPENING,
    Step.REMINDER: LetterKind.STATISTICS_REMINDER,
    Step.CHASE_1: LetterKind.STATISTICS_CHASE,
    Step.CHASE_2: LetterKind.STATISTICS_CHASE,
    Step.MISSING_LIST: LetterKind.MISSING_LIST,
    Step.FREEZE: None,
    Step.ROLLUP: LetterKind.ROLLUP,
    Step.CIRCULAR_DRAFT: LetterKind.CIRCULAR_DRAFT,
}

_DAY_OF: Final[Mapping[Step, Callable[[Period], date]]] = {
    Step.OPENING: lambda period: period.opening,
    Step.REMINDER: lambda period: period.reminder,
    Step.CHASE_1: lambda period: period.chases[0],
    Step.CHASE_2: lambda period: period.chases[1],
    Step.MISSING_LIST: lambda period: period.missing_list,
    Step.FREEZE: lambda period: period.freeze,
    Step.ROLLUP: lambda period: period.freeze,
    Step.CIRCULAR_DRAFT: lambda period: period.freeze,
}

# A step that is caught up is stale from this day on (None: never), for this reason.
_STALE_FROM: Final[Mapping[Step, tuple[Callable[[Period, Period], date | None], str]]] = {
    Step.OPENING: (lambda period, _: period.due + timedelta(days=1), "报送截止日已过"),
    Step.REMINDER: (lambda period, _: period.due + timedelta(days=1), "报送截止日已过"),
    Step.CHASE_1: (lambda period, _: period.chases[1], "第二次催报已到期，不再补发第一次"),
    Step.CHASE_2: (lambda period, _: period.missing_list, "已到汇总未报名单之日，不再催报"),
    Step.MISSING_LIST: (lambda _, following: following.opening, "下一期已开始填报"),
    Step.FREEZE: (lambda _, __: None, ""),
    Step.ROLLUP: (lambda _, following: following.freeze, "下一期已汇总，可用“汇总”或 djb export 另行取得"),
    Step.CIRCULAR_DRAFT: (lambda _, following: following.opening, "下一期已开始填报"),
}


@dataclass(frozen=True, slots=True)
class SchoolState:
    """How one school stands in one period."""

    unit_id: int
    name: str
    state: ReturnState = ReturnState.MISSING
    claimed: bool = False
    """It wrote 已报, and nobody has checked that yet: it is left in peace."""
    reachable: bool = True
    """False while all its addresses bounce or it has none."""
    without_platform: bool = False
    """It has never named a platform of its own: the opening letter reminds it of the notice."""

    @property
    def filed(self) -> bool:
        return self.state not in (ReturnState.MISSING, ReturnState.RETURNED)


@dataclass(frozen=True, slots=True)
class Order:
    """One thing that the calendar wants done, once and for all under its key."""

    step: Step
    period: Period
    key: str
    due_at: datetime
    """When it is due by the calendar."""
    goes_at: datetime
    """When it can be done at the earliest; later than `due_at` only after downtime."""
    unit_id: int | None = None
    skipped: str | None = None
    """Why it is not done any more, in Chinese; None if it is to be done."""
    settles: tuple[str, ...] = ()
    """Keys of other steps that this letter does as well: to be recorded as skipped with it."""
    is_reminder_too: bool = False
    """An opening that goes out so late that it serves as the reminder."""
    first_chase: bool = False
    """No chase went to this school in this period before."""
    copy_to_head: bool = False
    awaiting_correction: bool = False
    """The school has filed, but its form went back for correction."""
    without_platform: bool = False

    @property
    def kind(self) -> LetterKind | None:
        """The letter it is; None for the freeze."""
        return STEP_LETTERS[self.step]


def step_key(step: Step, code: str, unit_id: int | None = None) -> str:
    """What a step is, once and for all: `statistics_chase:TJ-2022-01:1:unit:4`."""
    name, number = {
        Step.CHASE_1: ("statistics_chase", ":1"),
        Step.CHASE_2: ("statistics_chase", ":2"),
        Step.OPENING: ("statistics_opening", ""),
        Step.REMINDER: ("statistics_reminder", ""),
    }.get(step, (step.value, ""))
    return f"{name}:{code}{number}" + (f":unit:{unit_id}" if unit_id is not None else "")


def scheduled(
    period: Period,
    schools: Sequence[SchoolState],
    timeline: Timeline,
    *,
    first_cycle: datetime,
    now: datetime,
    until: datetime,
    done: Mapping[str, str],
) -> tuple[Order, ...]:
    """What is to be done for a period from now up to and including `until`, in the order of doing it.

    `done` holds the keys that were settled (key -> `done` or `skipped`). What downtime has made stale
    comes as an order with `skipped` set, to be recorded and said; what does not apply (the school has
    filed) does not come at all.
    """
    walk = _Walk(period, timeline.after(period), timeline, now, until, done)
    if period.closes > first_cycle:
        orders = [*walk.school_orders(schools), *walk.office_orders()]
    else:
        orders = list(walk.office_orders()) if any(school.filed for school in schools) else []
    rank = {step: number for number, step in enumerate(Step)}
    return tuple(sorted(orders, key=lambda order: (order.goes_at, rank[order.step])))


def steps_due(period: Period, timeline: Timeline, now: datetime) -> tuple[Step, ...]:
    """The steps of a period for which there may be something to do at a moment, whoever has filed."""
    walk = _Walk(period, timeline.after(period), timeline, now, now, {})
    return tuple(step for step in Step if walk.moments(step) is not None)


@dataclass(frozen=True, slots=True)
class _Walk:
    """One look at one period: what is due, and whether it is still of use."""

    period: Period
    following: Period
    timeline: Timeline
    now: datetime
    until: datetime
    done: Mapping[str, str]

    def school_orders(self, schools: Iterable[SchoolState]) -> Iterator[Order]:
        moments = {step: self.moments(step) for step in Step if step not in OFFICE_STEPS}
        for school in schools:
            settled: dict[str, str] = {}
            for step, found in moments.items():
                if found is None or not _concerns(step, school):
                    continue
                order = self.school_order(step, school, found, settled)
                if order is not None:
                    settled[order.key] = "skipped" if order.skipped else "done"
                    settled.update(dict.fromkeys(order.settles, "skipped"))
                    yield order

    def school_order(
        self, step: Step, school: SchoolState, moments: tuple[datetime, datetime], settled: Mapping[str, str]
    ) -> Order | None:
        code, unit_id = self.period.code, school.unit_id
        key = step_key(step, code, unit_id)
        if key in self.done or key in settled:
            return None
        due_at, goes_at = moments
        reminder, first_chase = (step_key(s, code, unit_id) for s in (Step.REMINDER, Step.CHASE_1))
        skipped = self.staleness(step, due_at, goes_at)
        too = (
            step is Step.OPENING
            and skipped is None
            and self.day(goes_at) >= self.period.reminder > self.period.opening
            and reminder not in self.done
        )
        return Order(
            step=step,
            period=self.period,
            key=key,
            due_at=due_at,
            goes_at=goes_at,
            unit_id=unit_id,
            skipped=skipped,
            settles=(reminder,) if too else (),
            is_reminder_too=too,
            first_chase=step is Step.CHASE_1
            or (
                step is Step.CHASE_2 and "done" not in (self.done.get(first_chase), settled.get(first_chase))
            ),
            copy_to_head=step is Step.CHASE_2,
            awaiting_correction=school.state is ReturnState.RETURNED,
            without_platform=school.without_platform,
        )

    def office_orders(self) -> Iterator[Order]:
        for step in OFFICE_STEPS:
            key = step_key(step, self.period.code)
            moments = self.moments(step)
            if moments is not None and key not in self.done:
                skipped = self.staleness(step, *moments)
                yield Order(step, self.period, key, *moments, skipped=skipped)

    def moments(self, step: Step) -> tuple[datetime, datetime] | None:
        """When a step is due, and when it can be done; None if that is after `until`."""
        rules, calendar = self.timeline.rules, self.timeline.calendar
        planned = at(_DAY_OF[step](self.period), rules.working_hours[0], rules.zone)
        due_at = calendar.next_working_moment(planned, rules.working_hours, rules.zone)
        goes_at = calendar.next_working_moment(max(due_at, self.now), rules.working_hours, rules.zone)
        return (due_at, goes_at) if goes_at <= self.until else None

    def staleness(self, step: Step, due_at: datetime, goes_at: datetime) -> str | None:
        """Why a step that comes late is of no use any more; None if it is on its day, or still useful."""
        stale_from, reason = _STALE_FROM[step]
        first_stale = stale_from(self.period, self.following)
        caught_up = self.day(goes_at) > self.day(due_at)
        stale = caught_up and first_stale is not None and self.day(goes_at) >= first_stale
        return reason if stale else None

    def day(self, moment: datetime) -> date:
        return local_day(moment, self.timeline.rules.zone)


def _concerns(step: Step, school: SchoolState) -> bool:
    """Whether a letter is for this school at all."""
    if not school.reachable:
        return False
    if step is Step.OPENING:
        return school.state is ReturnState.MISSING
    return not school.filed and not school.claimed


def skipped_in_words(orders: Iterable[Order]) -> tuple[str, ...]:
    """One Chinese line for each step that was skipped, for the journal and the administrator."""
    counted: dict[tuple[str, Step, str], int] = {}
    for order in orders:
        if order.skipped is not None:
            group = (order.period.code, order.step, order.skipped)
            counted[group] = counted.get(group, 0) + 1
    return tuple(
        f"{code} {step.chinese}未发" + (f"（{count} 件）" if count > 1 else "") + f"：{reason}"
        for (code, step, reason), count in counted.items()
    )
