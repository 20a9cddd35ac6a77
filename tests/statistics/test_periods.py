"""The statistics calendar: days of a period, downtime, changed settings, and the forecast."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, strategies as st

from daemon.model import LetterKind, ReturnState
from daemon.periods import (
    Order,
    SchoolState,
    StatisticsRules,
    Step,
    Timeline,
    scheduled,
    skipped_in_words,
    step_key,
)
from daemon.workdays import Calendar

SHANGHAI = ZoneInfo("Asia/Shanghai")
TIMELINE = Timeline()
LONG_AGO = datetime(2021, 1, 1, tzinfo=SHANGHAI)
SCHOOL = SchoolState(4, "贵港市青枫中学")


def moment(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=SHANGHAI)


def orders(
    now: str,
    done: dict[str, str] | None = None,
    *,
    until: str | None = None,
    schools: tuple[SchoolState, ...] = (SCHOOL,),
    code: str = "TJ-2022-01",
    timeline: Timeline = TIMELINE,
    first_cycle: datetime = LONG_AGO,
) -> tuple[Order, ...]:
    return scheduled(
        timeline.period(code),
        schools,
        timeline,
        first_cycle=first_cycle,
        now=moment(now),
        until=moment(until or now),
        done=done or {},
    )


def sent(found: tuple[Order, ...]) -> list[tuple[Step, str]]:
    return [(order.step, f"{order.goes_at:%m-%d %H:%M}") for order in found if order.skipped is None]


def settled(*found: tuple[Order, ...]) -> dict[str, str]:
    done: dict[str, str] = {}
    for order in (order for some in found for order in some):
        done[order.key] = "skipped" if order.skipped else "done"
        done |= dict.fromkeys(order.settles, "skipped")
    return done


def test_the_days_of_the_period_due_on_the_fifth_of_january_2022_are_those_of_the_product() -> None:
    period = TIMELINE.period("TJ-2022-01")
    assert period.due == date(2022, 1, 5)
    assert period.opening == date(2021, 12, 21)
    assert period.reminder == date(2021, 12, 30)
    assert period.chases == (date(2022, 1, 6), date(2022, 1, 10))
    assert period.missing_list == period.freeze == date(2022, 1, 12)
    assert period.closes == moment("2022-01-06T00:00")
    assert period.covers_in_chinese == "2021年11月至12月"
    assert not period.guessed


def test_the_forecast_of_one_period_names_every_letter_with_its_hour() -> None:
    assert sent(orders("2021-12-01T00:00", until="2022-02-01T00:00")) == [
        (Step.OPENING, "12-21 09:00"),
        (Step.REMINDER, "12-30 09:00"),
        (Step.CHASE_1, "01-06 09:00"),
        (Step.CHASE_2, "01-10 09:00"),
        (Step.MISSING_LIST, "01-12 09:00"),
        (Step.FREEZE, "01-12 09:00"),
        (Step.ROLLUP, "01-12 09:00"),
        (Step.CIRCULAR_DRAFT, "01-12 09:00"),
    ]


def test_only_the_second_chase_is_copied_to_the_party_secretary() -> None:
    found = {order.step: order for order in orders("2021-12-01T00:00", until="2022-02-01T00:00")}
    assert [step for step, order in found.items() if order.copy_to_head] == [Step.CHASE_2]
    assert [step for step, order in found.items() if order.first_chase] == [Step.CHASE_1]
    assert found[Step.CHASE_1].key == "statistics_chase:TJ-2022-01:1:unit:4"
    assert found[Step.CHASE_2].kind is LetterKind.STATISTICS_CHASE
    assert found[Step.FREEZE].kind is None


@pytest.mark.parametrize("state", [ReturnState.ACCEPTED, ReturnState.LATE, ReturnState.HELD])
def test_a_school_that_has_filed_is_never_reminded_or_chased(state: ReturnState) -> None:
    found = orders("2021-12-01T00:00", until="2022-02-01T00:00", schools=(replace(SCHOOL, state=state),))
    assert [order.step for order in found if order.unit_id is not None] == []


def test_a_claim_or_a_bounce_stops_the_chase_of_that_school_alone() -> None:
    schools = (SCHOOL, replace(SCHOOL, unit_id=5, claimed=True), replace(SCHOOL, unit_id=6, reachable=False))
    found = orders(
        "2022-01-06T09:00", schools=schools, done={step_key(Step.OPENING, "TJ-2022-01", 5): "done"}
    )
    assert [order.unit_id for order in found if order.step is Step.CHASE_1] == [4]


def test_a_school_whose_form_went_back_is_chased_for_the_correction() -> None:
    found = orders("2022-01-06T09:00", schools=(replace(SCHOOL, state=ReturnState.RETURNED),))
    (chase,) = (order for order in found if order.step is Step.CHASE_1)
    assert chase.awaiting_correction


def test_a_daemon_down_from_the_third_to_the_eighth_does_what_is_useful_and_says_what_it_skipped() -> None:
    before = settled(orders("2021-12-21T09:00"), orders("2021-12-30T09:00"))
    assert orders("2022-01-03T09:00", before) == ()
    assert orders("2022-01-08T09:00", before) == (), "a Saturday: letters wait for Monday"
    found = orders("2022-01-10T09:00", before)
    assert sent(found) == [(Step.CHASE_2, "01-10 09:00")]
    assert found[-1].first_chase, "the letter must not speak of a first chase that never went"
    assert skipped_in_words(found) == ("TJ-2022-01 第一次催报未发：第二次催报已到期，不再补发第一次",)
    assert orders("2022-01-10T09:00", before | settled(found)) == ()


def test_the_first_chase_is_caught_up_while_the_second_is_still_ahead() -> None:
    before = settled(orders("2021-12-21T09:00"), orders("2021-12-30T09:00"))
    found = orders("2022-01-07T14:30", before)
    assert sent(found) == [(Step.CHASE_1, "01-07 14:30")]
    assert found[0].due_at == moment("2022-01-06T09:00")


def test_a_reminder_is_stale_after_the_due_day_and_an_opening_too() -> None:
    found = orders("2022-01-06T09:00")
    assert sent(found) == [(Step.CHASE_1, "01-06 09:00")]
    assert [order.step for order in found if order.skipped] == [Step.OPENING, Step.REMINDER]


def test_an_opening_that_comes_after_the_reminder_day_is_both_in_one_letter() -> None:
    found = orders("2022-01-04T10:00")
    assert sent(found) == [(Step.OPENING, "01-04 10:00")]
    assert found[0].is_reminder_too
    assert orders("2022-01-05T10:00", settled(found)) == ()


def test_a_second_chase_is_not_sent_when_the_missing_list_is_due() -> None:
    before = settled(orders("2021-12-21T09:00"), orders("2021-12-30T09:00"), orders("2022-01-06T09:00"))
    found = orders("2022-01-12T09:00", before)
    assert [step for step, _ in sent(found)] == [
        Step.MISSING_LIST, Step.FREEZE, Step.ROLLUP, Step.CIRCULAR_DRAFT,
    ]  # fmt: skip
    assert skipped_in_words(found) == ("TJ-2022-01 第二次催报未发：已到汇总未报名单之日，不再催报",)


def test_after_a_long_downtime_the_sums_are_still_made_but_nobody_is_blamed_late() -> None:
    found = orders("2022-02-22T10:00")
    assert [step for step, _ in sent(found)] == [Step.FREEZE, Step.ROLLUP]
    half_a_year = orders("2022-07-01T10:00")
    assert [step for step, _ in sent(half_a_year)] == [Step.FREEZE]


def test_nothing_of_the_calendar_goes_out_at_night_or_on_a_day_of_rest() -> None:
    assert orders("2021-12-21T08:59") == ()
    assert orders("2021-12-21T17:00") == ()
    assert orders("2022-01-01T10:00", settled(orders("2021-12-21T09:00"))) == ()
    assert sent(orders("2021-12-21T16:59")) == [(Step.OPENING, "12-21 16:59")]


def test_a_period_that_was_due_before_the_first_cycle_is_not_chased() -> None:
    started = moment("2022-01-06T08:00")
    assert orders("2022-01-12T09:00", first_cycle=started) == ()
    filed = (SCHOOL, replace(SCHOOL, unit_id=5, state=ReturnState.ACCEPTED))
    found = orders("2022-01-12T09:00", first_cycle=started, schools=filed)
    assert [step for step, _ in sent(found)] == [
        Step.MISSING_LIST, Step.FREEZE, Step.ROLLUP, Step.CIRCULAR_DRAFT,
    ]  # fmt: skip


def test_periods_from_before_the_daemon_was_there_are_left_alone() -> None:
    def opened(first_cycle: str, now: str) -> list[str]:
        return [p.code for p in TIMELINE.open(moment(first_cycle), moment(now), moment(now), {})]

    assert opened("2022-01-05T10:00", "2022-01-05T10:00") == ["TJ-2022-01"]
    assert opened("2022-01-20T10:00", "2022-01-20T10:00") == []
    assert opened("2022-01-20T10:00", "2022-02-21T10:00") == ["TJ-2022-03"]
    assert opened("2022-01-08T10:00", "2022-02-21T10:00") == ["TJ-2022-03"]
    assert opened("2022-01-08T10:00", "2022-01-12T10:00") == ["TJ-2022-01"]


def test_a_period_with_all_its_office_letters_done_is_closed() -> None:
    keys = (Step.MISSING_LIST, Step.FREEZE, Step.ROLLUP, Step.CIRCULAR_DRAFT)
    done = {step_key(step, "TJ-2022-01"): "done" for step in keys}
    now = moment("2022-01-13T09:00")
    assert TIMELINE.open(LONG_AGO, now, now, done)[-1].code == "TJ-2021-11"
    assert "TJ-2022-01" in [p.code for p in TIMELINE.open(LONG_AGO, now, now, {})]


def test_a_clock_that_was_moved_back_sends_nothing_again() -> None:
    done = settled(orders("2021-12-21T09:00"), orders("2021-12-30T09:00"), orders("2022-01-06T09:00"))
    for now in ("2021-12-21T09:00", "2021-12-30T10:00", "2022-01-05T09:00", "2022-01-06T09:00"):
        assert orders(now, done) == ()


def test_a_changed_due_day_does_not_move_a_period_that_was_announced() -> None:
    changed = Timeline(StatisticsRules(due_day=10), announced={"TJ-2022-01": date(2022, 1, 5)})
    assert changed.period("TJ-2022-01").due == date(2022, 1, 5)
    assert changed.period("TJ-2022-03").due == date(2022, 3, 10)
    quarterly = Timeline(
        StatisticsRules(due_months=(2, 5, 8, 11)), announced={"TJ-2022-01": date(2022, 1, 5)}
    )
    assert [p.code for p in quarterly.between(date(2022, 1, 1), date(2022, 6, 1))] == [
        "TJ-2022-01", "TJ-2022-02", "TJ-2022-05",
    ]  # fmt: skip
    assert quarterly.period("TJ-2022-05").covers_in_chinese == "2022年2月至4月"


def test_a_due_day_on_a_day_of_rest_moves_only_if_the_setting_says_so() -> None:
    assert TIMELINE.period("TJ-2022-03").due == date(2022, 3, 5), "a Saturday"
    moving = Timeline(StatisticsRules(move_due_to_workday=True))
    assert moving.period("TJ-2022-03").due == date(2022, 3, 7)
    assert moving.period("TJ-2022-03").closes == moment("2022-03-08T00:00")


def test_own_holidays_move_the_letters() -> None:
    own = Timeline(calendar=Calendar(extra_holidays=frozenset({date(2022, 1, 6), date(2022, 1, 7)})))
    assert own.period("TJ-2022-01").chases == (date(2022, 1, 10), date(2022, 1, 12))


def test_a_period_in_a_year_without_a_known_calendar_says_that_its_days_are_a_guess() -> None:
    assert TIMELINE.period("TJ-2045-03").guessed


def test_neighbours_of_a_period_are_found_across_the_year() -> None:
    january = TIMELINE.period("TJ-2022-01")
    assert TIMELINE.before(january).code == "TJ-2021-11"
    assert TIMELINE.after(january).code == "TJ-2022-03"
    assert TIMELINE.year_before(january).code == "TJ-2021-01"
    with pytest.raises(ValueError, match="not a statistics period"):
        TIMELINE.period("2022-01")


codes = st.builds(
    lambda y, m: f"TJ-{y}-{m:02d}", st.integers(2006, 2025), st.sampled_from((1, 3, 5, 7, 9, 11))
)


@given(codes)
def test_the_days_of_every_period_stand_in_their_order_and_on_working_days(code: str) -> None:
    period = TIMELINE.period(code)
    days = (
        period.opening,
        period.reminder,
        *period.chases,
        period.missing_list,
        TIMELINE.after(period).opening,
    )
    assert list(days) == sorted(set(days))
    assert period.reminder < period.due < period.chases[0]
    assert all(map(TIMELINE.calendar.is_workday, days))


@given(codes, st.integers(-30, 60), st.integers(0, 23))
def test_every_moment_belongs_to_the_period_whose_opening_it_follows(code: str, days: int, hour: int) -> None:
    period = TIMELINE.period(code)
    at = datetime.combine(period.due, time(hour), SHANGHAI) + timedelta(days=days)
    found = TIMELINE.period_of(at)
    assert found.opening <= at.date() < TIMELINE.after(found).opening
