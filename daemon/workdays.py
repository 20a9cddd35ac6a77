"""Working days of the Chinese calendar: public holidays, make-up Saturdays and Sundays (调休), own days.

The State Council announces each year's arrangement in the autumn before, so a far year is not known to
anybody. For such a year only the weekends are observed, and `Calendar.guessed` says that it is a guess.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Final
from zoneinfo import ZoneInfo

from chinese_calendar import holidays as announced_holidays, workdays as announced_workdays

ONE_DAY: Final = timedelta(days=1)

KNOWN_YEARS: Final = frozenset(day.year for day in announced_holidays)

# New Year's arrangement is announced with the following year's and may turn the last days of December
# into holidays or workdays; so they are a guess as long as the following year is unknown.
YEAR_END: Final = (12, 26)

WorkingHours = tuple[time, time]
"""From the first moment up to, but not including, the second."""


@dataclass(frozen=True, slots=True)
class Calendar:
    """Which days are worked. Days of the administrator's own come before the announced ones."""

    extra_holidays: frozenset[date] = frozenset()
    extra_workdays: frozenset[date] = frozenset()

    def year_known(self, year: int) -> bool:
        """Whether the arrangement of a year is announced, or was entered by the administrator.

        Who enters a year's arrangement in the configuration names 1 January and 1 October among its
        holidays, even if they fall on a weekend; a single local holiday does not make a year known.
        """
        entered = {date(year, 1, 1), date(year, 10, 1)} <= self.extra_holidays
        return year in KNOWN_YEARS or entered

    def known(self, day: date) -> bool:
        """Whether it is certain that a day is worked or free; if not, weekends alone decide."""
        if day in self.extra_holidays or day in self.extra_workdays:
            return True
        if not self.year_known(day.year):
            return False
        return (day.month, day.day) < YEAR_END or self.year_known(day.year + 1)

    def guessed(self, first: date, last: date) -> bool:
        """Whether any day from first to last, in either order, is not known."""
        start, end = min(first, last), max(first, last)
        return any(not self.known(day) for day in _days(start, end))

    def unknown_years(self, first: date, last: date) -> tuple[int, ...]:
        """The years from first to last of which no arrangement is known."""
        return tuple(y for y in range(first.year, last.year + 1) if not self.year_known(y))

    def is_workday(self, day: date) -> bool:
        """Whether people work on a day; in a year that is not known, whether it is a weekday."""
        if day in self.extra_workdays:
            return True
        if day in self.extra_holidays:
            return False
        return day in announced_workdays or (day.weekday() < 5 and day not in announced_holidays)

    def workdays_before(self, day: date, count: int) -> date:
        """The working day that lies `count` working days before a day, which itself does not count.

        For 0 it is the day itself or, if it is free, the last working day before it.
        """
        return self._step(day, count, -ONE_DAY)

    def workdays_after(self, day: date, count: int) -> date:
        """The working day that lies `count` working days after a day, which itself does not count.

        For 0 it is the day itself or, if it is free, the first working day after it.
        """
        return self._step(day, count, ONE_DAY)

    def workdays_between(self, first: date, last: date) -> int:
        """How many working days come after `first` up to and including `last`; negative if it is before."""
        if last < first:
            return -self.workdays_between(last, first)
        return sum(self.is_workday(day) for day in _days(first + ONE_DAY, last))

    def next_working_moment(self, moment: datetime, hours: WorkingHours, zone: ZoneInfo) -> datetime:
        """The first moment, not before the given one, that lies in the working hours of a working day.

        Raises ValueError for a moment without time zone.
        """
        if moment.tzinfo is None:
            raise ValueError(f"a moment without time zone: {moment!r}")
        local = moment.astimezone(zone)
        opens, closes = hours
        if self.is_workday(local.date()) and local.time() < closes:
            return max(local, datetime.combine(local.date(), opens, zone))
        return datetime.combine(self.workdays_after(local.date(), 1), opens, zone)

    def _step(self, day: date, count: int, step: timedelta) -> date:
        if count < 0:
            raise ValueError(f"a negative number of working days: {count}")
        if count == 0:
            while not self.is_workday(day):
                day += step
        for _ in range(count):
            day += step
            while not self.is_workday(day):
                day += step
        return day


def calendar_with(extra_holidays: Iterable[date], extra_workdays: Iterable[date]) -> Calendar:
    """The calendar with the administrator's own days; a day named as both is worked."""
    return Calendar(frozenset(extra_holidays), frozenset(extra_workdays))


def _days(first: date, last: date) -> Iterator[date]:
    return (first + timedelta(days=offset) for offset in range((last - first).days + 1))
