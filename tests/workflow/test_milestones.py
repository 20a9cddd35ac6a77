"""What is chased, when, and when not."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from itertools import pairwise

from daemon.events import (
    Accepted,
    Archived,
    Assigned,
    Bounced,
    ClaimChecked,
    Claimed,
    CompletionReported,
    CorrectionNeeded,
    ExtensionAsked,
    ExtensionDecided,
    MeasureDone,
    MechanismNoted,
    OfficeDecided,
    OnSite,
    ProcedureAsked,
    Progressed,
    Reachable,
    Reassigned,
)
from daemon.milestones import Work, answer_by, due_now, light, milestones, missed, overdue
from daemon.model import Light, Measure, OnSiteOutcome, State
from daemon.problems import Line, Party
from tests.workflow.conftest import OFFICE, SECTION, Life, moment, problem


def chases(
    life: Life, work: Work, until: str = "2022-12-31"
) -> list[tuple[date, Party | None, tuple[Party, ...]]]:
    dues = life.calendar(until)
    return [
        (due.day, due.to, due.cc)
        for due in dues
        if due.milestone and due.milestone.work is work and not due.chain.endswith(":soon")
    ]


def test_a_section_that_does_not_accept_is_chased_then_its_head_then_the_bureau_office(
    assigned: Life,
) -> None:
    assert chases(assigned, Work.ACCEPTANCE) == [
        (date(2022, 2, 23), Party.LEAD_SECTION, ()),
        (date(2022, 2, 24), Party.LEAD_SECTION, (Party.LEAD_HEAD,)),
        (date(2022, 3, 1), Party.BUREAU_OFFICE, (Party.COMMITTEE_OFFICE,)),
    ]


def test_a_chosen_problem_needs_a_plan_in_five_working_days(assigned: Life) -> None:
    assigned.happens(Accepted(by=SECTION), "2022-02-21T15:00")
    assert chases(assigned, Work.PLAN) == []
    assigned.happens(ProcedureAsked(by=OFFICE))
    assert [m.due for m in milestones(assigned.problem, assigned.circumstances) if m.work is Work.PLAN] == [
        date(2022, 2, 28)
    ]


def test_the_day_of_the_plan_stays_that_of_the_assignment_however_early_it_is_accepted() -> None:
    life = Life(problem(State.SELECTED), now=moment("2022-02-21T09:00"))
    life.history = [Line(life.now, "selected", "submitted", "selected")]
    life.happens(Assigned(by=OFFICE, lead=11), "2022-02-21T09:00")
    life.happens(Accepted(by=SECTION), "2022-02-21T10:00")
    assert chases(life, Work.PLAN)[0][0] == date(2022, 3, 2)  # the letter said: by 1 March


def test_a_chase_names_the_last_day_before_the_next_one(assigned: Life) -> None:
    steps = [due for due in assigned.calendar("2022-12-31") if due.milestone and due.step <= 3]
    acceptance = [due for due in steps if due.milestone and due.milestone.work is Work.ACCEPTANCE]
    at = assigned.circumstances
    for this, following in pairwise(acceptance):
        named = answer_by([this], this.day, at.rules, at.calendar)
        assert this.day <= named < following.day
        assert at.calendar.workdays_after(named, 1) == following.day
    assert answer_by(acceptance[:1], date(2022, 3, 10), at.rules, at.calendar) == date(2022, 3, 10)


def test_progress_is_due_every_ten_working_days(assigned: Life) -> None:
    assigned.happens(Accepted(by=SECTION), "2022-02-21T15:00")
    assert chases(assigned, Work.PROGRESS)[0][0] == date(2022, 3, 8)
    assigned.happens(Progressed(by=SECTION, text="过半"), "2022-03-04T15:00")
    assert chases(assigned, Work.PROGRESS)[0][0] == date(2022, 3, 21)


def test_each_measure_is_chased_on_its_own(assigned: Life) -> None:
    measures = (Measure("甲", "一科", date(2022, 3, 1)), Measure("乙", "二科", date(2022, 3, 10)))
    assigned.happens(OnSite(by=SECTION, outcome=OnSiteOutcome.SOLUTION_SET, measures=measures))
    assert [day for day, to, _ in chases(assigned, Work.MEASURE) if to is Party.LEAD_SECTION] == [
        *(date(2022, 3, 2), date(2022, 3, 3), date(2022, 3, 11), date(2022, 3, 14))
    ]
    assigned.happens(MeasureDone(by=SECTION, position=0, completion="好了"))
    assert [
        m.position for m in milestones(assigned.problem, assigned.circumstances) if m.work is Work.MEASURE
    ] == [1]


def test_the_extension_is_to_be_asked_before_expiry(assigned: Life) -> None:
    soon = [due for due in assigned.calendar("2022-12-31") if due.chain.endswith(":soon")]
    assert [due.day for due in soon] == [date(2022, 3, 9)]


def test_an_undecided_extension_stops_the_chase_and_an_agreed_one_moves_it(assigned: Life) -> None:
    assigned.happens(Accepted(by=SECTION))
    assigned.happens(ExtensionAsked(by=SECTION, until=date(2022, 3, 31)), "2022-03-14T09:00")
    assert chases(assigned, Work.DEADLINE) == []
    assigned.happens(ExtensionDecided(by=OFFICE, agree=True, until=date(2022, 3, 31)))
    assert chases(assigned, Work.DEADLINE)[0][0] == date(2022, 4, 1)


def test_a_refused_extension_leaves_the_deadline_as_it_was(assigned: Life) -> None:
    assigned.happens(ExtensionAsked(by=SECTION, until=date(2022, 3, 31)), "2022-03-14T09:00")
    assigned.happens(ExtensionDecided(by=OFFICE, agree=False, reason="不充分"))
    assert chases(assigned, Work.DEADLINE)[0][0] == date(2022, 3, 15)


def test_a_claim_stops_the_chase_until_it_is_checked(assigned: Life) -> None:
    assigned.happens(Claimed(by=SECTION))
    assert chases(assigned, Work.ACCEPTANCE) == []
    assigned.happens(ClaimChecked(by=OFFICE, true=False))
    assert chases(assigned, Work.ACCEPTANCE) != []


def test_a_bounce_stops_the_chase_until_the_address_is_mended(assigned: Life) -> None:
    assigned.happens(Bounced(address="a@b.cn"))
    assert chases(assigned, Work.ACCEPTANCE) == []
    assigned.happens(Reachable())
    assert chases(assigned, Work.ACCEPTANCE) != []


def test_a_new_section_gets_its_own_time(assigned: Life) -> None:
    assigned.happens(Reassigned(by=OFFICE, lead=12), "2022-03-01T09:00")
    assert chases(assigned, Work.ACCEPTANCE)[0][0] == date(2022, 3, 3)


def test_a_school_that_does_not_correct_is_chased_then_its_head_then_the_office_asked() -> None:
    life = Life(problem())
    life.happens(CorrectionNeeded(faults=("缺",)))
    assert chases(life, Work.CORRECTION) == [
        (date(2022, 2, 25), Party.SENDER, ()),
        (date(2022, 2, 28), Party.SENDER, (Party.SCHOOL_HEAD,)),
        (date(2022, 3, 3), Party.COMMITTEE_OFFICE, ()),
    ]


def test_after_closing_only_the_mechanism_is_asked_for_and_then_it_is_archived(assigned: Life) -> None:
    assigned.problem = problem(
        State.CLOSED,
        lead_section_id=11,
        closed_at=moment("2022-03-01T09:00"),
        state_since=moment("2022-03-01T09:00"),
    )
    assert [due.milestone.work for due in assigned.calendar("2022-12-31") if due.milestone] == [
        Work.MECHANISM
    ]
    assigned.happens(MechanismNoted(by=SECTION, text="每学期检测"), "2022-03-02T09:00")
    (archive,) = assigned.calendar("2022-12-31")
    assert archive.day == date(2022, 4, 1)
    assert archive.event is not None
    assert archive.event.name == "archived"


def test_silence_of_the_school_is_noted_after_three_working_days(assigned: Life) -> None:
    assigned.happens(CompletionReported(by=SECTION, result="好了"), "2022-03-01T09:00")
    events = [due for due in assigned.calendar("2022-12-31") if due.event]
    assert [(due.day, due.event.name) for due in events if due.event] == [
        (date(2022, 3, 7), "callback_silent")
    ]
    checks = chases(assigned, Work.COMPLETION_CHECK)
    assert checks == [(date(2022, 3, 7), Party.COMMITTEE_OFFICE, ())]
    assigned.happens(OfficeDecided(by=OFFICE, agree=True))
    assert chases(assigned, Work.COMPLETION_CHECK) == []


def test_lights(assigned: Life) -> None:
    def shows(day: str) -> tuple[Light, bool]:
        assigned.now = moment(day)
        return light(assigned.problem, assigned.circumstances), overdue(
            assigned.problem, assigned.circumstances
        )

    assert shows("2022-02-22T09:00") == (Light.NONE, False)
    assert shows("2022-02-23T09:00") == (Light.YELLOW, False)
    assert shows("2022-03-14T09:00") == (Light.YELLOW, False)
    assert shows("2022-03-15T09:00") == (Light.RED, True)
    assigned.now = moment("2022-03-08T09:00")
    assigned.happens(Progressed(by=SECTION, text="过半"))
    assert shows("2022-03-09T09:00") == (Light.BLUE, False)


def test_a_completion_reported_in_time_is_not_overdue_while_others_check_it(assigned: Life) -> None:
    assigned.happens(CompletionReported(by=SECTION, result="好了"), "2022-03-14T16:00")
    assigned.now = moment("2022-03-20T09:00")
    assert light(assigned.problem, assigned.circumstances) is Light.NONE


def test_after_days_of_silence_of_the_daemon_only_the_latest_step_goes_out(assigned: Life) -> None:
    dues = assigned.calendar("2022-02-28")
    now = due_now(dues, date(2022, 2, 28), done=set())
    assert [(due.milestone.work, due.step) for due in now.act if due.milestone] == [(Work.ACCEPTANCE, 2)]
    assert [due.step for due in now.skip] == [1]
    again = due_now(dues, date(2022, 2, 28), done={due.key for due in (*now.act, *now.skip)})
    assert again.act == again.skip == ()


def test_running_each_day_once_or_twice_or_with_gaps_sends_each_step_once(assigned: Life) -> None:
    done: set[str] = set()
    sent: list[str] = []
    day = date(2022, 2, 21)
    while day < date(2022, 3, 31):
        for _ in range(2):
            now = due_now(assigned.calendar(day.isoformat()), day, done)
            sent += [due.key for due in now.act]
            done |= {due.key for due in (*now.act, *now.skip)}
        day += timedelta(days=1)
    assert len(sent) == len(set(sent))


def test_what_waited_with_the_office_goes_on_step_by_step(assigned: Life) -> None:
    dues = [due for due in assigned.calendar("2022-03-01") if due.milestone]
    rested = {due.chain for due in dues}
    done: set[str] = set()
    steps = []
    for day in (date(2022, 3, 1), date(2022, 3, 2), date(2022, 3, 3), date(2022, 3, 4)):
        now = due_now(dues, day, done, rested)
        steps += [due.step for due in now.act]
        assert not now.skip
        done |= {due.key for due in now.act}
    assert steps == [1, 2, 3]


def test_everything_missed_stands_on_the_list_with_the_step_it_has_reached(assigned: Life) -> None:
    found = missed(assigned.calendar("2022-03-20"), date(2022, 3, 15))
    assert [(due.milestone.work, due.step) for due in found if due.milestone] == [
        (Work.ACCEPTANCE, 3),
        (Work.DEADLINE, 1),
    ]
    assert missed(assigned.calendar("2022-03-20"), date(2022, 2, 22)) == ()


def test_a_closed_problem_is_archived_after_the_time_for_objections(assigned: Life) -> None:
    life = Life(
        replace(
            assigned.problem,
            state=State.CLOSED,
            closed_at=moment("2022-03-01T10:00"),
            state_since=moment("2022-03-01T10:00"),
            handling={"长效机制": "每年检测"},
        ),
        now=moment("2022-03-01T10:00"),
    )
    assert [(due.day, due.event) for due in life.calendar("2022-12-31")] == [(date(2022, 4, 1), Archived())]


def test_a_closed_problem_without_a_mechanism_is_asked_once_more_and_then_archived(assigned: Life) -> None:
    life = Life(
        replace(
            assigned.problem,
            state=State.CLOSED,
            closed_at=moment("2022-03-01T10:00"),
            state_since=moment("2022-03-01T10:00"),
        ),
        now=moment("2022-03-01T10:00"),
    )
    asked, archived = life.calendar("2022-12-31")
    assert asked.milestone and asked.milestone.work is Work.MECHANISM
    assert archived.event == Archived()
    assert archived.day >= asked.day and archived.day >= date(2022, 4, 1)
    life.happens(Archived(), archived.day.isoformat() + "T09:00")
    assert life.calendar("2023-12-31") == ()
    assert life.happens(MechanismNoted(by=SECTION, text="每年检测")) is State.ARCHIVED
