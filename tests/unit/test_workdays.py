"""The working-day calendar: holidays, make-up days, and honesty about years nobody knows yet."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, strategies as st

from daemon.clock import (
    chinese_day_with_weekday,
    chinese_moment,
    end_of_day,
    iso,
    local_day,
    start_of_day,
)
from daemon.workdays import KNOWN_YEARS, Calendar, calendar_with

SHANGHAI = ZoneInfo("Asia/Shanghai")
HOURS = (time(9), time(17))
PLAIN = Calendar()

known_days = st.dates(date(2005, 1, 1), date(2025, 12, 31))
any_days = st.dates(date(2000, 1, 1), date(2040, 12, 31))
counts = st.integers(0, 40)
sets_of_days = st.frozensets(st.dates(date(2021, 1, 1), date(2023, 12, 31)), max_size=30)
calendars = st.builds(Calendar, sets_of_days, sets_of_days)


def moment(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=SHANGHAI)


@pytest.mark.parametrize(("count", "expected"), [(10, "2021-12-21"), (3, "2021-12-30")])
def test_working_days_before_the_fifth_of_january_are_those_of_the_product(count: int, expected: str) -> None:
    assert PLAIN.workdays_before(date(2022, 1, 5), count) == date.fromisoformat(expected)


@pytest.mark.parametrize(("count", "expected"), [(1, "2022-01-06"), (3, "2022-01-10"), (5, "2022-01-12")])
def test_working_days_after_the_fifth_of_january_are_those_of_the_product(count: int, expected: str) -> None:
    assert PLAIN.workdays_after(date(2022, 1, 5), count) == date.fromisoformat(expected)


@pytest.mark.parametrize(
    ("day", "worked", "why"),
    [
        ("2022-01-29", True, "Saturday made up for Spring Festival"),
        ("2022-01-30", True, "Sunday made up for Spring Festival"),
        ("2022-01-31", False, "eve of Spring Festival, a Monday"),
        ("2022-02-04", False, "Spring Festival, a Friday"),
        ("2022-02-07", True, "first day after Spring Festival"),
        ("2022-10-03", False, "National Day, a Monday"),
        ("2022-10-07", False, "National Day, a Friday"),
        ("2022-10-08", True, "Saturday made up for National Day"),
        ("2022-10-09", True, "Sunday made up for National Day"),
        ("2022-01-03", False, "New Year, moved to a Monday"),
        ("2022-01-08", False, "an ordinary Saturday"),
        ("2023-04-23", True, "Sunday made up for Labour Day"),
        ("2021-09-20", False, "Mid-autumn, a Monday in lieu"),
        ("2021-09-18", True, "Saturday made up for Mid-autumn"),
    ],
)
def test_public_holidays_and_make_up_days_are_observed(day: str, worked: bool, why: str) -> None:
    assert PLAIN.is_workday(date.fromisoformat(day)) is worked, why


def test_counting_crosses_national_day_and_its_make_up_weekend() -> None:
    assert PLAIN.workdays_after(date(2022, 9, 30), 1) == date(2022, 10, 8)
    assert PLAIN.workdays_after(date(2022, 9, 30), 3) == date(2022, 10, 10)
    assert PLAIN.workdays_before(date(2022, 10, 8), 1) == date(2022, 9, 30)
    assert PLAIN.workdays_between(date(2022, 9, 30), date(2022, 10, 10)) == 3


def test_the_administrators_own_days_come_before_the_announced_ones() -> None:
    own = calendar_with([date(2022, 3, 3)], [date(2022, 3, 5)])
    assert not own.is_workday(date(2022, 3, 3))
    assert own.is_workday(date(2022, 3, 5))
    assert own.workdays_after(date(2022, 3, 2), 2) == date(2022, 3, 5)


def test_a_year_that_nobody_has_announced_is_said_to_be_a_guess() -> None:
    far = max(KNOWN_YEARS) + 5
    assert not PLAIN.known(date(far, 5, 5))
    assert PLAIN.guessed(date(far, 1, 3), date(far, 1, 20))
    assert PLAIN.unknown_years(date(2022, 1, 1), date(far, 1, 1))[-1] == far
    assert not PLAIN.guessed(date(2021, 12, 1), date(2022, 3, 1))
    assert PLAIN.unknown_years(date(2021, 12, 1), date(2022, 3, 1)) == ()


def test_the_last_days_of_the_last_announced_year_may_still_change() -> None:
    last = max(KNOWN_YEARS)
    assert PLAIN.known(date(last, 12, 20))
    assert not PLAIN.known(date(last, 12, 30))


def test_a_year_entered_in_the_configuration_is_known_but_one_local_holiday_does_not_make_it_so() -> None:
    far = max(KNOWN_YEARS) + 1
    one_day = calendar_with([date(far, 3, 3)], [])
    whole = calendar_with([date(far, 1, 1), date(far, 10, 1), date(far, 10, 2)], [])
    assert not one_day.known(date(far, 5, 5))
    assert one_day.known(date(far, 3, 3))
    assert whole.known(date(far, 5, 5))


@pytest.mark.parametrize(
    ("at", "expected"),
    [
        ("2022-01-06T09:00", "2022-01-06T09:00"),
        ("2022-01-06T08:59", "2022-01-06T09:00"),
        ("2022-01-06T16:59", "2022-01-06T16:59"),
        ("2022-01-06T17:00", "2022-01-07T09:00"),
        ("2022-01-07T20:00", "2022-01-10T09:00"),
        ("2022-01-08T10:00", "2022-01-10T09:00"),
        ("2022-01-28T18:00", "2022-01-29T09:00"),
        ("2022-09-30T17:30", "2022-10-08T09:00"),
    ],
)
def test_letters_of_the_calendar_wait_for_working_hours(at: str, expected: str) -> None:
    assert PLAIN.next_working_moment(moment(at), HOURS, SHANGHAI) == moment(expected)


def test_working_hours_are_those_of_the_office_whatever_zone_the_moment_is_written_in() -> None:
    before_opening = datetime(2022, 1, 6, 0, 30, tzinfo=UTC)  # 08:30 in Shanghai
    assert PLAIN.next_working_moment(before_opening, HOURS, SHANGHAI) == moment("2022-01-06T09:00")


def test_a_moment_without_time_zone_is_refused() -> None:
    with pytest.raises(ValueError, match="time zone"):
        PLAIN.next_working_moment(datetime(2022, 1, 6, 9), HOURS, SHANGHAI)  # noqa: DTZ001
    with pytest.raises(ValueError, match="negative"):
        PLAIN.workdays_after(date(2022, 1, 6), -1)


@given(calendars, any_days, st.integers(1, 40))
def test_counting_forward_ends_on_a_working_day_and_passes_exactly_that_many(
    calendar: Calendar, day: date, count: int
) -> None:
    end = calendar.workdays_after(day, count)
    assert calendar.is_workday(end)
    passed = [day + timedelta(days=n) for n in range(1, (end - day).days + 1)]
    assert sum(map(calendar.is_workday, passed)) == count == calendar.workdays_between(day, end)


@given(calendars, any_days, counts)
def test_counting_back_undoes_counting_forward_from_a_working_day(
    calendar: Calendar, day: date, count: int
) -> None:
    start = calendar.workdays_after(day, 0)
    assert calendar.workdays_before(calendar.workdays_after(start, count), count) == start


@given(any_days, st.integers(1, 20))
def test_more_working_days_ahead_is_always_later(day: date, count: int) -> None:
    assert PLAIN.workdays_after(day, count) < PLAIN.workdays_after(day, count + 1)
    assert PLAIN.workdays_before(day, count) > PLAIN.workdays_before(day, count + 1)


@given(st.datetimes(datetime(2021, 1, 1), datetime(2023, 12, 1)))  # noqa: DTZ001
def test_the_next_working_moment_is_stable_and_never_earlier(at: datetime) -> None:
    start = at.replace(tzinfo=SHANGHAI)
    found = PLAIN.next_working_moment(start, HOURS, SHANGHAI)
    assert found >= start
    assert PLAIN.is_workday(found.date())
    assert HOURS[0] <= found.time() < HOURS[1]
    assert PLAIN.next_working_moment(found, HOURS, SHANGHAI) == found


@given(known_days)
def test_no_week_is_worked_without_end(day: date) -> None:
    assert any(not PLAIN.is_workday(day + timedelta(days=n)) for n in range(15))


def test_days_and_moments_are_written_as_the_office_writes_them() -> None:
    at = datetime(2022, 1, 4, 16, 5, tzinfo=UTC)
    assert chinese_day_with_weekday(date(2022, 1, 5)) == "2022年1月5日（星期三）"
    assert chinese_moment(at, SHANGHAI) == "2022年1月5日（星期三）0:05"
    assert iso(at, SHANGHAI) == "2022-01-05T00:05:00+08:00"
    assert local_day(at, SHANGHAI) == date(2022, 1, 5)
    assert start_of_day(date(2022, 1, 5), SHANGHAI) <= at < end_of_day(date(2022, 1, 5), SHANGHAI)
