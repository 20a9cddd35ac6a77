"""One session from its opening to the assignment."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import pytest

from daemon.events import Assigned, Instructed, Referred, Selected
from daemon.ledgers import assignment_row, assignment_sheet
from daemon.model import State
from daemon.problems import WorkflowRules
from daemon.sessions import (
    Choice,
    Chosen,
    Questioned,
    Refused,
    Session,
    Settled,
    Stage,
    assign,
    choice,
    choose,
    confirm,
    for_list,
    listing,
    next_code,
    next_opening,
    opening_events,
    ordered_choice,
    reminder_day,
    sheet_choice,
    suggestions,
)
from daemon.similarity import Group
from daemon.workdays import Calendar
from parsers.orders import Role
from parsers.replies import orders
from parsers.workbooks import Changes, Conflict, RowChange
from tests.workflow.conftest import OFFICE, problem

CALENDAR = Calendar()
RULES = WorkflowRules()
NUMBERS = tuple(f"ND-2022-{n:03d}" for n in range(1, 8))
SUBMITTED = Session("QC-2022-01", Stage.SUBMITTED, date(2022, 2, 15), NUMBERS)
SECTIONS = {"基础教育科": 11, "计划财务科": 12}


def says(text: str, session: Session = SUBMITTED) -> Choice | Refused:
    return ordered_choice(session, orders(text, Role.SECRETARY).given)


def chosen(*numbers: str) -> Session:
    made = choose(SUBMITTED, choice(SUBMITTED, numbers, None), RULES)
    assert isinstance(made, Chosen)
    return made.session


def test_sessions_open_every_two_months_ten_working_days_ahead() -> None:
    assert next_opening(None, date(2022, 1, 10), 2, RULES, CALENDAR) == date(2022, 2, 15)
    assert next_opening(date(2022, 2, 15), date(2022, 1, 10), 2, RULES, CALENDAR) == date(2022, 4, 19)
    assert next_opening(None, date(2022, 1, 10), 0, RULES, CALENDAR) is None


def test_session_numbers_run_by_the_year() -> None:
    assert next_code(2022, ["QC-2021-06", "QC-2022-01"]) == "QC-2022-02"
    assert next_code(2023, ["QC-2022-01"]) == "QC-2023-01"


def test_the_list_takes_what_is_for_the_secretary_and_in_no_session_yet() -> None:
    assert for_list(problem(State.REGISTERED))
    assert for_list(problem(State.REGISTERED, levels=()))
    assert for_list(problem(State.ASSIGNED, levels=("secretary", "section"), lead_section_id=11))
    assert not for_list(problem(State.REGISTERED, levels=("section",)))
    assert not for_list(problem(State.REGISTERED, session="QC-2021-06"))
    assert not for_list(problem(State.NEEDS_CORRECTION))


def test_widely_reported_problems_come_first_and_similar_ones_together() -> None:
    problems = [replace(problem(State.REGISTERED), number=number) for number in NUMBERS[:4]]
    groups = (
        Group((NUMBERS[0],), 1, ""),
        Group((NUMBERS[1], NUMBERS[3]), 2, "共同词语：照明"),
        Group((NUMBERS[2],), 1, ""),
    )
    entries = listing(problems, groups, {NUMBERS[2]: ["ND-2021-004"]})
    assert [entry.number for entry in entries] == [NUMBERS[1], NUMBERS[3], NUMBERS[0], NUMBERS[2]]
    assert "2 所学校反映" in entries[0].similar
    assert "共同词语：照明" in entries[0].similar
    assert entries[3].similar == "同类问题曾于 ND-2021-004 解决"
    assert len(opening_events(SUBMITTED)) == 14


def test_the_secretary_chooses_by_place_or_number_and_the_rest_is_referred() -> None:
    made = says("选定 2、ND-2022-005，其余转办\n请抓紧")
    assert isinstance(made, Choice)
    assert made.selected == (NUMBERS[1], NUMBERS[4])
    assert len(made.referred) == 5
    assert made.instruction == "请抓紧"


@pytest.mark.parametrize("text", ["选定 9", "选定 ND-2022-099", "请抓紧办理", "选定 0"])
def test_what_is_not_on_the_list_is_not_chosen(text: str) -> None:
    assert isinstance(says(text), Refused)


@pytest.mark.parametrize("text", ["选定 1、2、3", "本期不选", "其余转办"])
def test_more_than_two_or_none_is_questioned_once(text: str) -> None:
    made = says(text)
    assert isinstance(made, Choice)
    first = choose(SUBMITTED, made, RULES)
    assert isinstance(first, Questioned)
    assert isinstance(choose(first.session, made, RULES), Chosen)


def test_the_choice_can_be_made_in_the_workbook() -> None:
    rows = (
        RowChange(NUMBERS[2], {"书记意见": "选定"}, {}, "x"),
        RowChange(NUMBERS[3], {"书记意见": "转办"}, {}, "x"),
    )
    made = sheet_choice(SUBMITTED, Changes(applied=rows))
    assert isinstance(made, Choice)
    assert made.selected == (NUMBERS[2],)
    assert isinstance(sheet_choice(SUBMITTED, Changes()), Refused)


def test_nothing_takes_effect_before_the_office_confirms() -> None:
    made = choose(SUBMITTED, replace(choice(SUBMITTED, NUMBERS[:1], "抓紧")), RULES)
    assert isinstance(made, Chosen)
    assert "选定：ND-2022-001" in made.readback
    settled = confirm(made.session, OFFICE)
    assert isinstance(settled, Settled)
    kinds = [type(event) for _, event in settled.events]
    assert kinds == [Selected, *[Referred] * 6, Instructed]
    assert isinstance(confirm(settled.session, OFFICE), Refused)
    assert isinstance(choose(settled.session, made.session.choice, RULES), Refused)


def test_a_new_choice_replaces_the_old_until_it_is_confirmed() -> None:
    again = choose(chosen(NUMBERS[0]), choice(SUBMITTED, NUMBERS[1:2], None), RULES)
    assert isinstance(again, Chosen)
    assert again.session.choice.selected == NUMBERS[1:2]


def test_the_returned_sheet_confirms_and_assigns_whole_rows_only() -> None:
    session = chosen(NUMBERS[0])
    rows = [
        assignment_row(
            place,
            replace(problem(), number=number),
            "选定" if place == 1 else "转办",
            "基础教育科" if place < 4 else None,
        )
        for place, number in enumerate(NUMBERS, 1)
    ]
    sent = assignment_sheet(session.code, 1, rows, list(SECTIONS)).sent
    changed = Changes(
        applied=(
            RowChange(NUMBERS[0], {"协办科室": "计划财务科", "办结时限": "2022-05-10"}, {}, "x"),
            RowChange(NUMBERS[1], {"办理方式": "选定"}, {}, "x"),
            RowChange(NUMBERS[2], {"办结时限": "2022-01-10"}, {}, "x"),
        ),
        conflicts=(Conflict(NUMBERS[3], "第7行", "ND-2022-004：“牵头科室”所填不在通讯录中"),),
        deleted=(NUMBERS[4],),
    )
    settled = assign(session, sent, changed, SECTIONS, date(2022, 2, 21), OFFICE)
    assert isinstance(settled, Settled)
    assert [(number, event) for number, event in settled.events if isinstance(event, Assigned)] == [
        (NUMBERS[0], Assigned(by=OFFICE, lead=11, assists=(12,), deadline=date(2022, 5, 10)))
    ]
    assert len([event for _, event in settled.events if isinstance(event, Referred)]) == 6
    assert len(settled.faults) == 6


def test_the_sheet_is_prefilled_from_the_form_or_from_an_earlier_case() -> None:
    found = suggestions(
        chosen(NUMBERS[0]), {NUMBERS[0]: (12, 11)}, {NUMBERS[1]: 11}, date(2022, 2, 21), RULES, CALENDAR
    )
    assert (found[0].way, found[0].lead, found[0].assists) == ("选定", 12, (11,))
    assert (found[1].way, found[1].lead) == ("转办", 11)
    assert found[2].lead is None


def test_the_office_is_reminded_after_three_working_days() -> None:
    assert reminder_day(date(2022, 2, 15), RULES, CALENDAR) == date(2022, 2, 18)
