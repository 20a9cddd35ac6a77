"""Filing a school's statistics return: period, version, lateness, and what is doubtful."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, strategies as st

from daemon.model import ReturnState
from daemon.periods import Timeline
from daemon.returns import (
    Arrival,
    Counts,
    FiledReturn,
    Past,
    Row,
    SoftRules,
    amend,
    arrival_of,
    current,
    decide_return,
    periods_named,
    row_from_json,
    school_states,
    soft_doubts,
    split_by_school,
    total,
)
from parsers.values import Finding, FindingKind, Form, Severity, Value

SHANGHAI = ZoneInfo("Asia/Shanghai")
TIMELINE = Timeline()
JANUARY = TIMELINE.period("TJ-2022-01")
NAME = "贵港市青枫中学"


def moment(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=SHANGHAI)


def row(
    *counts: int | None, unit: str | None = NAME, unit_id: int | None = 7, remarks: str | None = None
) -> Row:
    branches, platforms, sessions, solved = counts or (3, 1, 2, 5)
    return Row(unit, branches, platforms, sessions, solved, remarks, unit_id)


def arrival(at: str = "2022-01-04T10:00", *rows: Row, **changes: Any) -> Arrival:
    form = Arrival(7, NAME, moment(at), rows or (row(),), reported_on=moment(at).date(), digest="a1")
    return replace(form, **changes)


def filed(period: str = "TJ-2022-01", version: int = 1, **changes: Any) -> FiledReturn:
    form = FiledReturn(
        period, 7, NAME, ReturnState.ACCEPTED, version, moment("2022-01-03T09:00"), (row(),), digest="old"
    )
    return replace(form, **changes)


def test_a_return_belongs_to_the_period_that_was_opened_last() -> None:
    assert decide_return(arrival("2021-12-21T00:00"), Past(), TIMELINE).filed.period == "TJ-2022-01"
    assert decide_return(arrival("2021-12-20T23:59"), Past(), TIMELINE).filed.period == "TJ-2021-11"
    assert decide_return(arrival("2022-02-20T12:00"), Past(), TIMELINE).filed.period == "TJ-2022-01"
    assert decide_return(arrival("2022-02-21T12:00"), Past(), TIMELINE).filed.period == "TJ-2022-03"


@pytest.mark.parametrize(
    ("at", "state"),
    [
        ("2022-01-05T23:59:59", ReturnState.ACCEPTED),
        ("2022-01-06T00:00:00", ReturnState.LATE),
        ("2022-01-11T09:00:00", ReturnState.LATE),
    ],
)
def test_the_fifth_until_midnight_is_in_time(at: str, state: ReturnState) -> None:
    decision = decide_return(arrival(at), Past(), TIMELINE)
    assert decision.filed.state is state
    assert decision.filed.late is (state is ReturnState.LATE)
    assert decision.questions == ()


def test_a_second_return_is_version_two_and_supersedes_the_first() -> None:
    decision = decide_return(arrival("2022-01-05T10:00", row(4, 1, 3, 5)), Past((filed(),)), TIMELINE)
    assert (decision.filed.version, decision.supersedes) == (2, (1,))
    assert decision.changes == ("党支部数：3 → 4", "举办次数：2 → 3")


def test_a_school_that_filed_in_time_is_not_late_by_amending_its_return_before_the_freeze() -> None:
    decision = decide_return(arrival("2022-01-10T10:00", row(4, 1, 2, 5)), Past((filed(),)), TIMELINE)
    assert decision.filed.state is ReturnState.ACCEPTED
    assert not decision.filed.late


def test_a_form_sent_back_for_correction_keeps_its_first_receipt() -> None:
    first = filed(state=ReturnState.RETURNED, received_at=moment("2022-01-05T20:00"))
    decision = decide_return(arrival("2022-01-07T10:00"), Past((first,)), TIMELINE)
    assert decision.filed.state is ReturnState.ACCEPTED


def test_a_return_after_the_freeze_is_late_and_the_office_is_asked_to_remake_the_sums() -> None:
    past = Past(frozen_at=moment("2022-01-12T09:00"))
    decision = decide_return(arrival("2022-01-13T10:00"), past, TIMELINE)
    assert decision.filed.state is ReturnState.LATE
    assert [question.kind for question in decision.questions] == ["remake_rollup"]
    again = decide_return(arrival("2022-01-14T10:00"), Past((filed(),), frozen_at=past.frozen_at), TIMELINE)
    assert again.filed.state is ReturnState.LATE
    assert again.questions == (), "nothing changed, so there is nothing to remake"


def test_a_form_that_came_in_time_and_was_released_after_the_freeze_is_not_late() -> None:
    past = Past(frozen_at=moment("2022-01-12T09:00"))
    decision = decide_return(arrival("2022-01-05T10:00"), past, TIMELINE, decided_period=JANUARY)
    assert decision.filed.state is ReturnState.ACCEPTED
    assert decision.questions[0].kind == "remake_rollup"


@pytest.mark.parametrize(
    ("changes", "target"),
    [
        ({"reported_on": date(2021, 11, 4)}, "TJ-2021-11"),
        ({"reported_on": date(2022, 3, 3)}, "TJ-2022-03"),
        ({"reported_on": date(2021, 1, 4)}, "TJ-2021-01"),
        ({"wording": ("9-10月开展情况统计表",)}, "TJ-2021-11"),
        ({"wording": ("补报 TJ-2021-11 统计表",)}, "TJ-2021-11"),
        ({"wording": ("2022年1—2月统计表",)}, "TJ-2022-03"),
        ({"wording": ("关于3月5日前报送的统计表",)}, "TJ-2022-03"),
        ({"identity": "TJ-2021-11"}, "TJ-2021-11"),
    ],
)
def test_a_form_that_points_to_another_period_is_asked_about(changes: dict[str, Any], target: str) -> None:
    decision = decide_return(arrival("2022-01-04T10:00", **changes), Past(), TIMELINE)
    assert decision.filed.state is ReturnState.HELD
    (question,) = decision.questions
    assert (question.kind, question.if_yes, question.if_no) == ("period", target, "TJ-2022-01")


@pytest.mark.parametrize(
    "changes",
    [
        {"reported_on": None},
        {"reported_on": date(2022, 1, 5)},
        {"reported_on": date(2021, 12, 20)},
        {"wording": ("2021年11-12月“难点问题书记一线办”开展情况统计表",)},
        {"wording": ("1月份统计表", "12月统计表", "1月5日前报送")},
        {"wording": ("我校自2021年9月建立平台以来，1月4日召开会议",)},
        {"wording": ("电话 0775-4573916，2022-01-04 10:00",)},
        {"identity": "TJ-2022-01"},
    ],
)
def test_a_form_that_agrees_with_its_period_is_filed_without_a_question(changes: dict[str, Any]) -> None:
    decision = decide_return(arrival("2022-01-04T10:00", **changes), Past(), TIMELINE)
    assert decision.filed.state is ReturnState.ACCEPTED
    assert decision.questions == ()


def test_an_early_return_that_names_the_coming_period_is_asked_about() -> None:
    early = arrival("2021-12-10T10:00", wording=("11-12月统计表",))
    decision = decide_return(early, Past(), TIMELINE)
    assert decision.questions[0].if_yes == "TJ-2022-01"
    filed_by_answer = decide_return(early, Past(), TIMELINE, decided_period=JANUARY)
    assert filed_by_answer.filed.state is ReturnState.ACCEPTED
    assert not filed_by_answer.filed.late


def test_last_periods_file_sent_again_is_asked_about_and_never_filed_in_silence() -> None:
    last = filed("TJ-2021-11", received_at=moment("2021-11-04T10:00"), digest="a1")
    decision = decide_return(arrival(reported_on=None), Past(other_periods=(last,)), TIMELINE)
    assert decision.filed.state is ReturnState.HELD
    assert (decision.questions[0].kind, decision.questions[0].if_no) == ("resent", None)


def test_equal_figures_of_another_day_are_filed_and_without_a_day_shown_to_the_office() -> None:
    last = filed("TJ-2021-11", reported_on=date(2021, 11, 4))
    past = Past(other_periods=(last,))
    assert decide_return(arrival(), past, TIMELINE).filed.findings == ()
    undated = decide_return(arrival(reported_on=None), past, TIMELINE).filed
    assert undated.state is ReturnState.ACCEPTED
    assert [finding.severity for finding in undated.findings] == [Severity.WARNING]


@pytest.mark.parametrize("broken", [row(None, 1, 2, 5), row(3, -1, 2, 5)])
def test_missing_or_negative_figures_go_back_to_the_school(broken: Row) -> None:
    decision = decide_return(arrival("2022-01-04T10:00", broken), Past((filed(),)), TIMELINE)
    assert decision.filed.state is ReturnState.RETURNED
    assert decision.supersedes == (), "what was filed before still stands"


def test_a_fault_that_the_reader_has_named_is_not_named_twice() -> None:
    known = Finding("rows[0].party_branches", FindingKind.MISSING, Severity.ERROR, "未填写")
    decision = decide_return(
        arrival("2022-01-04T10:00", row(None, 1, 2, 5), findings=(known,)), Past(), TIMELINE
    )
    assert decision.filed.findings == (known,)


def test_one_unit_has_one_row() -> None:
    decision = decide_return(arrival("2022-01-04T10:00", row(), row(1, 1, 1, 1)), Past(), TIMELINE)
    assert decision.filed.state is ReturnState.RETURNED
    assert decision.filed.findings[0].field == "rows[1].unit"


def test_an_empty_table_goes_back() -> None:
    assert decide_return(arrival(rows=()), Past(), TIMELINE).filed.state is ReturnState.RETURNED


def test_a_nil_return_is_valid_and_only_shown_to_the_office() -> None:
    decision = decide_return(arrival("2022-01-04T10:00", row(1, 1, 0, 0)), Past(), TIMELINE)
    assert decision.filed.state is ReturnState.ACCEPTED
    assert {finding.severity for finding in decision.filed.findings} == {Severity.WARNING}


def test_the_campuses_of_a_school_are_rows_of_one_return() -> None:
    rows = (
        row(4, 4, 2, 4, unit=f"{NAME}(本部)", unit_id=None),
        row(2, 1, 1, 0, unit=f"{NAME}(东校区)", unit_id=None),
    )
    (whole,) = split_by_school(arrival("2022-01-04T10:00", *rows), {7: NAME})
    assert decide_return(whole, Past(), TIMELINE).filed.counts == Counts(6, 5, 3, 4)


def test_several_schools_in_one_form_are_several_returns() -> None:
    doubt = Finding("rows[1].platforms", FindingKind.UNCERTAIN, Severity.WARNING, "字迹不清")
    other = row(1, 1, 2, 0, unit="贵港市白鹭小学", unit_id=9)
    form = arrival("2022-01-04T10:00", row(), other, findings=(doubt,))
    mine, theirs = split_by_school(form, {7: NAME, 9: "贵港市白鹭小学"})
    assert (mine.unit_id, mine.rows, mine.findings) == (7, (row(),), ())
    assert (theirs.unit_name, theirs.findings[0].field) == ("贵港市白鹭小学", "rows[0].platforms")


@pytest.mark.parametrize("changes", [{"unit_id": None}, {"held_because": "发件邮箱不在通讯录中"}])
def test_a_form_of_an_unknown_unit_or_sender_is_held_and_counts_nowhere(changes: dict[str, Any]) -> None:
    decision = decide_return(arrival(**changes), Past(), TIMELINE)
    assert decision.filed.state is ReturnState.HELD
    assert not decision.filed.counted
    assert decision.questions[0].kind == "held_return"


@pytest.mark.parametrize(
    ("counts", "previous", "ledger", "fields"),
    [
        (Counts(3, 1, 2, 5), None, None, []),
        (Counts(3, 1, 1, 0), None, None, ["sessions_held"]),
        (Counts(3, 1, 0, 2), None, None, ["sessions_held", "problems_solved"]),
        (Counts(3, 4, 2, 0), None, None, []),
        (Counts(3, 5, 2, 0), None, None, ["platforms"]),
        (Counts(3, 1, 2, 30), Counts(3, 1, 2, 5), None, ["problems_solved"]),
        (Counts(3, 1, 2, 9), Counts(3, 1, 2, 5), None, []),
        (Counts(3, 1, 2, 1), Counts(3, 1, 2, 0), 2, ["problems_solved"]),
        (Counts(3, 1, 2, 2), None, 2, []),
    ],
)
def test_doubtful_figures_are_shown_to_the_office(
    counts: Counts, previous: Counts | None, ledger: int | None, fields: list[str]
) -> None:
    found = soft_doubts(counts, JANUARY, previous, ledger, SoftRules())
    assert [finding.field for finding in found] == [f"rows.{name}" for name in fields]
    assert all(finding.severity is Severity.WARNING for finding in found)


def test_a_word_in_a_reply_corrects_a_field() -> None:
    amendment = amend(
        filed(), [("党支部数", "4"), ("解决问题数", "６个"), ("备注", "更正")], moment("2022-01-04T11:00")
    )
    assert amendment.arrival is not None
    assert amendment.applied[0] == "党支部数：3 → 4"
    decision = decide_return(amendment.arrival, Past((filed(),)), TIMELINE, decided_period=JANUARY)
    assert (decision.filed.version, decision.filed.counts) == (2, Counts(4, 1, 2, 6))
    assert decision.filed.remarks == "更正"


@pytest.mark.parametrize(
    ("pairs", "word"),
    [
        ([("党支部数", "四五个")], "整数"),
        ([("党支部数", "-4")], "整数"),
        ([("学生数", "4")], "不认识"),
        ([("党支部数", "4"), ("学生数", "4")], "不认识"),
        ([], ""),
    ],
)
def test_a_correction_that_is_not_understood_changes_nothing(pairs: list[tuple[str, str]], word: str) -> None:
    amendment = amend(filed(), pairs, moment("2022-01-04T11:00"))
    assert amendment.arrival is None
    assert word in "".join(amendment.refused)


def test_a_correction_of_a_table_with_several_rows_must_name_the_row() -> None:
    two = filed(rows=(row(unit=f"{NAME}(本部)"), row(1, 1, 1, 1, unit=f"{NAME}(东校区)")))
    assert "未写明" in amend(two, [("党支部数", "4")], moment("2022-01-04T11:00")).refused[0]
    named = amend(two, [("党支部数", "4")], moment("2022-01-04T11:00"), unit="东校区")
    assert named.arrival is not None
    assert total(named.arrival.rows).party_branches == 7


def test_what_stands_is_the_last_counted_version() -> None:
    returned = filed(version=2, state=ReturnState.RETURNED)
    assert current([filed(), returned]) == filed()
    assert current([returned]) == returned
    assert current([filed(superseded=True), filed(version=2)]) == filed(version=2)
    assert current([]) is None


def test_the_year_is_taken_from_the_nearest_period_when_a_text_leaves_it_out() -> None:
    assert [p.code for p, _ in periods_named("11、12月统计表", JANUARY, TIMELINE)] == ["TJ-2022-01"]
    may = TIMELINE.period("TJ-2022-05")
    assert [p.code for p, _ in periods_named("3月至4月", may, TIMELINE)] == ["TJ-2022-05"]
    assert [p.code for p, _ in periods_named("2020年11月至12月", JANUARY, TIMELINE)] == ["TJ-2021-01"]
    assert periods_named("TJ-2022-13", JANUARY, TIMELINE) == ()


counts = st.integers(0, 40)
tables = st.lists(st.tuples(counts, counts, counts, counts), min_size=1, max_size=4)


@given(st.lists(st.tuples(tables, st.integers(0, 40)), min_size=1, max_size=6))
def test_however_often_a_school_files_exactly_one_version_counts_and_it_is_the_last(
    filings: list[tuple[list[tuple[int, int, int, int]], int]],
) -> None:
    stored: list[FiledReturn] = []
    start = moment("2021-12-21T09:00")
    for table, days in sorted(filings, key=lambda filing: filing[1]):
        rows = tuple(row(*line, unit=f"{NAME}第{n}支部", unit_id=None) for n, line in enumerate(table))
        form = arrival(rows=rows, received_at=start + timedelta(days=days), digest=None, reported_on=None)
        decision = decide_return(form, Past(tuple(stored)), TIMELINE)
        stored = [
            replace(old, superseded=old.superseded or old.version in decision.supersedes) for old in stored
        ]
        stored.append(decision.filed)
    counted = [one for one in stored if one.counted]
    assert counted == [stored[-1]]
    assert [one.version for one in stored] == list(range(1, len(stored) + 1))
    assert counted[0].counts == total(counted[0].rows)
    assert row_from_json(counted[0].rows[0].to_json()) == counted[0].rows[0]


def test_a_form_as_read_becomes_an_arrival() -> None:
    item: dict[str, Value] = {
        "unit": NAME,
        "party_branches": 3,
        "platforms": 1,
        "sessions_held": 2,
        "problems_solved": 5,
        "remarks": None,
    }
    fields: dict[str, Value] = {
        "reporting_unit": NAME,
        "reported_on": date(2022, 1, 4),
        "contact_name": "梁某",
        "contact_phone": None,
    }
    form = Form(
        "statistics", "附件2.xlsx", "xlsx", fields, "rows", (item, item), document=b"x", identity="TJ-2022-01"
    )
    arrived = arrival_of(form, 7, NAME, moment("2022-01-04T10:00"), row_units=(7,))
    assert arrived.rows == (row(), row(unit_id=None))
    assert (arrived.reported_on, arrived.contact_name, arrived.contact_phone) == (
        date(2022, 1, 4),
        "梁某",
        None,
    )
    assert arrived.digest is not None and arrived.identity == "TJ-2022-01"


def test_schools_stand_in_a_period_as_their_last_return_says() -> None:
    returned = filed(unit_id=8, state=ReturnState.RETURNED)
    states = school_states(
        [(7, NAME), (8, "b"), (9, "c")],
        [filed(), returned],
        claimed={9},
        unreachable={8},
        with_platform={7, 8},
    )
    assert [one.state for one in states] == [ReturnState.ACCEPTED, ReturnState.RETURNED, ReturnState.MISSING]
    assert [one.claimed for one in states] == [False, False, True]
    assert [one.reachable for one in states] == [True, False, True]
    assert [one.without_platform for one in states] == [False, False, True]
