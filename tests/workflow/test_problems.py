"""One problem from the school's report to the archive, and everything that may not happen to it."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from hypothesis import given, settings, strategies as st

from daemon.events import (
    EVENTS,
    Accepted,
    Actor,
    Archived,
    Assigned,
    Bounced,
    CallbackSilent,
    CalledBack,
    Chased,
    ClaimChecked,
    Claimed,
    Closed,
    CompletionReported,
    Corrected,
    CorrectionNeeded,
    Declined,
    DeclinedAssignment,
    Event,
    ExtensionAsked,
    ExtensionDecided,
    Held,
    Inspected,
    Instructed,
    Listed,
    MeasureDone,
    MeasuresSet,
    MechanismNoted,
    Merged,
    OfficeDecided,
    OnSite,
    Planned,
    ProcedureAsked,
    Progressed,
    Reachable,
    Reassigned,
    Referred,
    Registered,
    Reopened,
    Resumed,
    Selected,
    Submitted,
    Surveyed,
    Suspended,
    Verified,
    VisitArranged,
    VisitDeclined,
    Withdrawn,
    handling_events,
)
from daemon.milestones import timers
from daemon.model import ENDED_STATES, LetterKind, Measure, OnSiteOutcome, State
from daemon.problems import ALLOWED, HANDLED, Decision, Party, Refusal, WorkflowRules, decide
from daemon.sessions import for_list
from tests.workflow.conftest import (
    ASSIST,
    BUREAU,
    OFFICE,
    OTHER_SCHOOL,
    SCHOOL,
    SECRETARY,
    SECTION,
    Life,
    moment,
    problem,
)

MEASURES = (
    Measure("更换灯具", "基础教育科", date(2022, 4, 1)),
    Measure("检测照度", "计划财务科", date(2022, 4, 15)),
)


def test_a_problem_chosen_by_the_secretary_goes_all_the_way(life: Life) -> None:
    steps: list[tuple[Event, State]] = [
        (Registered(), State.REGISTERED),
        (Listed(session="QC-2022-01"), State.LISTED),
        (Submitted(), State.SUBMITTED),
        (Selected(by=SECRETARY), State.SELECTED),
        (Assigned(by=OFFICE, lead=11, assists=(12,), deadline=date(2022, 4, 30)), State.ASSIGNED),
        (Accepted(by=SECTION), State.ACCEPTED),
        (Planned(by=SECTION, handling={"工作方案": "先摸底"}), State.PLANNED),
        (Surveyed(by=SECTION, handling={"调研情况·根源": "线路老化"}), State.SURVEYED),
        (VisitArranged(by=SECTION, day=date(2022, 2, 21)), State.SURVEYED),
        (OnSite(by=SECTION, outcome=OnSiteOutcome.SOLUTION_SET, measures=MEASURES), State.ON_SITE),
        (MeasureDone(by=SECTION, position=0, completion="已换"), State.IN_PROGRESS),
        (MeasureDone(by=ASSIST, position=1, completion="达标"), State.IN_PROGRESS),
        (CompletionReported(by=SECTION, result="已解决"), State.COMPLETION_REPORTED),
        (CalledBack(by=SCHOOL, satisfaction="satisfied"), State.COMPLETION_REPORTED),
        (OfficeDecided(by=OFFICE, agree=True), State.CLOSED),
        (MechanismNoted(by=SECTION, text="每学期检测一次"), State.CLOSED),
        (Archived(), State.ARCHIVED),
    ]
    for event, expected in steps:
        assert life.happens(event) is expected
    assert life.problem.handling["调研情况·根源"] == "线路老化"
    assert [line.event for line in life.history][-4:] == [
        "office_decided",
        "closed",
        "mechanism_noted",
        "archived",
    ]


def test_a_problem_for_a_section_goes_there_at_once() -> None:
    life = Life(problem(levels=("section",)))
    assert life.happens(Registered(sections=(11, 12))) is State.ASSIGNED
    assert [line.event for line in life.history] == ["registered", "referred", "assigned"]
    assert ("assignment", "lead_section") in life.letters()
    assert life.problem.lead_section_id == 11
    assert life.problem.assist_section_ids == (12,)
    assert life.problem.deadline is not None


def test_with_confirmation_the_office_is_asked_before_a_referral() -> None:
    life = Life(problem(levels=("section",)), rules=WorkflowRules(referral="confirm"))
    assert life.happens(Registered(sections=(11,))) is State.REGISTERED
    assert life.questions() == ["referral"]


def test_an_unknown_section_becomes_a_question_with_the_nearest_names() -> None:
    life = Life(problem(levels=("section",)))
    assert life.happens(Registered(unknown_sections=(("基教肓科", ("基础教育科",)),))) is State.REGISTERED
    question = life.last[0].questions[0]
    assert question.kind == "unknown_section"
    assert "基础教育科" in question.text


def test_both_levels_go_to_the_section_and_onto_the_list() -> None:
    life = Life(problem(levels=("secretary", "section")))
    life.happens(Registered(sections=(11,)))
    assert life.happens(Listed(session="QC-2022-01")) is State.ASSIGNED
    assert life.happens(Submitted()) is State.ASSIGNED
    assert life.happens(Referred()) is State.ASSIGNED
    assert life.happens(Selected()) is State.SELECTED


def test_a_problem_of_both_levels_is_on_the_list_also_while_a_section_is_sought() -> None:
    life = Life(problem(levels=("secretary", "section")))
    life.happens(Registered(sections=(11,)))
    assert life.happens(DeclinedAssignment(by=SECTION, reason="不属我科职责")) is State.REFERRED
    assert for_list(life.problem)
    assert life.happens(Listed(session="QC-2022-01")) is State.REFERRED
    assert life.happens(Submitted()) is State.REFERRED
    assert life.happens(Selected()) is State.SELECTED


def test_a_corrected_problem_is_registered_and_keeps_its_number() -> None:
    life = Life(problem())
    life.happens(CorrectionNeeded(faults=("“反馈层级”未勾选",)))
    assert life.letters() == [("correction_request", "sender")]
    assert life.happens(Corrected(by=SCHOOL, changes={"details": "更换灯具60盏"})) is State.REGISTERED
    assert life.problem.version == 2
    assert life.problem.details == "更换灯具60盏"


def amended(changes: dict[str, object]) -> list[object]:
    """What a section is told when a school corrects a problem in hand."""
    life = Life(problem(levels=("section",), sections_asked=("安全保卫科",)))
    life.happens(Registered(sections=(11,)))
    life.happens(Corrected(by=SCHOOL, changes=changes))
    letters = [letter for decision in life.last for letter in decision.letters]
    return [letter.facts["changes"] for letter in letters if letter.to is Party.LEAD_SECTION]


def test_a_section_hears_what_was_corrected_from_what_to_what() -> None:
    (told,) = amended({"levels": ("secretary", "section"), "remarks": "另附照片", "sections_asked": ()})
    assert told == (
        "反馈层级由“市局相关科室”改为“市委教育工委书记、市局相关科室”；涉及科室由“安全保卫科”改为“未填”；"
        "备注由“未填”改为“另附照片”"
    )


def test_a_section_hears_nothing_of_a_form_that_says_the_same_once_more() -> None:
    assert amended({}) == []


def test_held_and_verified_is_registered() -> None:
    life = Life(problem())
    assert life.happens(Held(reason="发件人不在通讯录")) is State.HELD
    assert life.happens(Verified(by=OFFICE)) is State.REGISTERED


def test_plan_without_a_word_of_acceptance_counts_as_accepted(assigned: Life) -> None:
    assert assigned.happens(Planned(by=SECTION, handling={"工作方案": "x"})) is State.PLANNED
    assert "视同签收" in assigned.last[0].text


def test_a_referred_problem_skips_plan_and_visit(assigned: Life) -> None:
    assigned.happens(Accepted(by=SECTION))
    assert assigned.happens(Progressed(by=SECTION, text="已开工")) is State.IN_PROGRESS


def test_the_office_may_ask_for_the_whole_procedure(assigned: Life) -> None:
    assigned.happens(Accepted(by=SECTION))
    assigned.happens(ProcedureAsked(by=OFFICE))
    assert assigned.happens(Progressed(by=SECTION, text="正在摸底")) is State.ACCEPTED


def test_words_of_an_assisting_section_are_kept_and_leave_the_lead_where_it_was(assigned: Life) -> None:
    due = assigned.calendar("2022-03-31")
    assert assigned.happens(Accepted(by=ASSIST)) is State.ASSIGNED
    assert assigned.happens(Progressed(by=ASSIST, text="经费已落实")) is State.ASSIGNED
    assert "经费已落实" in assigned.problem.handling["办理进展"]
    assert assigned.calendar("2022-03-31") == due
    assert assigned.happens(Accepted(by=SECTION)) is State.ACCEPTED


def test_a_second_acceptance_does_no_harm(assigned: Life) -> None:
    assigned.happens(Progressed(by=SECTION, text="已开工"), "2022-02-22T09:00")
    due = assigned.calendar("2022-03-31")
    assert assigned.happens(Accepted(by=SECTION), "2022-02-24T09:00") is State.IN_PROGRESS
    assert (assigned.letters(), assigned.questions()) == ([], [])
    assert assigned.calendar("2022-03-31") == due


def test_a_section_returns_a_wrong_assignment_within_two_days_only(assigned: Life) -> None:
    decline = DeclinedAssignment(by=SECTION, reason="不属我科")
    refused = assigned.tries(decline, "2022-02-24T09:00")
    assert refused is not None
    assert "2022年2月23日" in refused.reason
    assert assigned.happens(decline, "2022-02-23T16:00") is State.REFERRED
    assert assigned.questions() == ["reassignment"]
    assert assigned.happens(Assigned(by=OFFICE, lead=12)) is State.ASSIGNED


def test_a_reassigned_problem_is_accepted_anew(assigned: Life) -> None:
    assigned.happens(Accepted(by=SECTION))
    assert assigned.happens(Reassigned(by=OFFICE, lead=12)) is State.ASSIGNED
    assert ("problem_news", "former_section") in assigned.letters()
    assert assigned.tries(Progressed(by=SECTION, text="x")) is not None


def test_solved_on_site_goes_straight_to_the_call_back(assigned: Life) -> None:
    assert (
        assigned.happens(OnSite(by=SECTION, outcome=OnSiteOutcome.SOLVED_ON_SITE))
        is State.COMPLETION_REPORTED
    )
    assert ("callback", "school") in assigned.letters()


def test_a_solution_without_measures_is_refused(assigned: Life) -> None:
    assert assigned.tries(OnSite(by=SECTION, outcome=OnSiteOutcome.SOLUTION_SET)) is not None
    half = (Measure("更换灯具", "", None),)
    assert assigned.tries(OnSite(by=SECTION, outcome=OnSiteOutcome.SOLUTION_SET, measures=half)) is not None


def test_what_the_secretary_takes_over_is_told_to_him(assigned: Life) -> None:
    assigned.happens(OnSite(by=SECTION, outcome=OnSiteOutcome.SECRETARY_HANDLES))
    assert ("secretary_brief", "secretary") in assigned.letters()


def test_an_extension_is_asked_before_expiry_and_decided_by_the_office(assigned: Life) -> None:
    assigned.happens(Accepted(by=SECTION))
    assert assigned.tries(ExtensionAsked(by=SECTION, until=date(2022, 3, 1))) is not None
    ask = ExtensionAsked(by=SECTION, until=date(2022, 3, 30), reason="厂家缺货")
    assert assigned.tries(ask, "2022-03-15T09:00") is not None
    assigned.happens(ask, "2022-03-14T09:00")
    assert assigned.questions() == ["extension"]
    assigned.happens(ExtensionDecided(by=OFFICE, agree=True, until=date(2022, 3, 30)))
    assert assigned.problem.deadline == date(2022, 3, 30)
    assert assigned.tries(ExtensionDecided(by=OFFICE, agree=True, until=date(2022, 4, 30))) is not None


@pytest.mark.parametrize("office_first", [True, False])
def test_closing_needs_the_office_and_the_school_in_either_order(assigned: Life, office_first: bool) -> None:
    assigned.happens(CompletionReported(by=SECTION, result="已换灯"))
    both: list[Event] = [
        OfficeDecided(by=OFFICE, agree=True),
        CalledBack(by=SCHOOL, satisfaction="mostly_satisfied"),
    ]
    first, second = both if office_first else reversed(both)
    assert assigned.happens(first) is State.COMPLETION_REPORTED
    assert assigned.happens(second) is State.CLOSED
    assert ("mechanism_request", "lead_section") in assigned.letters()
    assert ("problem_news", "school") in assigned.letters()


def test_silence_is_not_satisfaction_and_the_office_may_close_alone(assigned: Life) -> None:
    assigned.happens(CompletionReported(by=SECTION, result="已换灯"))
    assert assigned.happens(OfficeDecided(by=OFFICE, agree=True)) is State.COMPLETION_REPORTED
    assert assigned.happens(CallbackSilent()) is State.COMPLETION_REPORTED
    assert assigned.questions() == ["close_alone"]
    assert "不视为满意" in assigned.last[0].questions[0].text
    assert assigned.happens(OfficeDecided(by=OFFICE, agree=True)) is State.CLOSED
    assert "学校未答复" in assigned.last[-1].text


@pytest.mark.parametrize(
    "others",
    [
        [OfficeDecided(by=OFFICE, agree=True), CallbackSilent()],
        [CallbackSilent(), CalledBack(by=SCHOOL, satisfaction="satisfied")],
    ],
)
def test_nothing_but_rework_takes_back_the_offices_word_or_the_schools(
    assigned: Life, others: list[Event]
) -> None:
    assigned.happens(CompletionReported(by=SECTION, result="已换灯"))
    for event in others:
        assert assigned.happens(event) is State.COMPLETION_REPORTED
    last: Event = (
        CalledBack(by=SCHOOL, satisfaction="satisfied")
        if assigned.problem.office_agreed
        else OfficeDecided(by=OFFICE, agree=True)
    )
    assert assigned.happens(last) is State.CLOSED


def test_without_a_school_the_office_alone_closes() -> None:
    life = Life(problem(State.ASSIGNED, unit_id=None, lead_section_id=11, deadline=date(2022, 4, 1)))
    life.happens(CompletionReported(by=SECTION, result="已办"))
    assert ("callback", "school") not in life.letters()
    assert life.happens(OfficeDecided(by=OFFICE, agree=True)) is State.CLOSED


@pytest.mark.parametrize(
    "verdict",
    [
        OfficeDecided(by=OFFICE, agree=False, reason="材料不全"),
        CalledBack(by=SCHOOL, satisfaction="dissatisfied", reason="灯没换"),
    ],
)
def test_a_dissatisfied_school_or_office_means_rework(assigned: Life, verdict: Event) -> None:
    assigned.happens(CompletionReported(by=SECTION, result="已换灯"))
    assert assigned.happens(verdict) is State.REWORK
    assert ("rework", "lead_section") in assigned.letters()
    assert (
        assigned.happens(CompletionReported(by=SECTION, result="这次真的换了")) is State.COMPLETION_REPORTED
    )
    assert assigned.problem.satisfaction is None


def test_a_second_and_plainer_dissatisfaction_reaches_the_section(assigned: Life) -> None:
    assigned.happens(CompletionReported(by=SECTION, result="已换灯"))
    assigned.happens(CalledBack(by=SCHOOL, satisfaction="dissatisfied"))
    again = CalledBack(by=SCHOOL, satisfaction="dissatisfied", reason="还有五间未换")
    assert assigned.happens(again) is State.REWORK
    assert assigned.letters() == [("section_digest", "lead_section")]
    refused = assigned.tries(CalledBack(by=SCHOOL, satisfaction="satisfied"))
    assert refused is not None
    assert "目前为“返工”，此时不需要评价" in refused.reason


def test_an_objection_within_thirty_days_reopens(assigned: Life) -> None:
    assigned.happens(CompletionReported(by=SECTION, result="已换灯"), "2022-03-01T09:00")
    assigned.happens(OfficeDecided(by=OFFICE, agree=True))
    assigned.happens(CalledBack(by=SCHOOL, satisfaction="satisfied"))
    objection = CalledBack(by=SCHOOL, satisfaction="dissatisfied", reason="又坏了")
    assert assigned.tries(objection, "2022-04-01T09:00") is not None
    assert assigned.happens(objection, "2022-03-31T09:00") is State.REOPENED
    assert assigned.problem.closed_at is None
    assert assigned.happens(Accepted(by=SECTION)) is State.IN_PROGRESS


def test_once_a_section_works_a_withdrawal_is_for_the_office(assigned: Life) -> None:
    assert assigned.happens(Withdrawn(by=SCHOOL)) is State.ASSIGNED
    assert assigned.questions() == ["withdrawal"]
    assert assigned.happens(Withdrawn(by=OFFICE)) is State.WITHDRAWN


def test_a_suspended_problem_comes_back_where_it_was(assigned: Life) -> None:
    assigned.happens(Accepted(by=SECTION))
    assigned.happens(Suspended(by=OFFICE, reason="资金未到"))
    assert assigned.calendar("2023-01-01") == ()
    assert assigned.happens(Resumed(by=OFFICE)) is State.ACCEPTED


def test_an_inspection_finding_reaches_the_section(assigned: Life) -> None:
    assigned.happens(Inspected(by=BUREAU, text="现场未见整改"))
    assert assigned.letters() == [("inspection_finding", "lead_section")]


def test_the_secretarys_instruction_is_kept_word_for_word(assigned: Life) -> None:
    assigned.happens(Instructed(by=SECRETARY, text="限期解决"))
    assigned.happens(Instructed(by=SECRETARY, text="举一反三"))
    assert assigned.problem.instruction == "限期解决\n举一反三"


@pytest.mark.parametrize(
    "event",
    [
        Accepted(by=OFFICE),
        Accepted(by=SCHOOL),
        Accepted(),
        CompletionReported(by=ASSIST, result="x"),
        Progressed(by=Actor(SECTION.kind, 99, "陌生科")),
        Withdrawn(by=OTHER_SCHOOL),
        CalledBack(by=OTHER_SCHOOL, satisfaction="satisfied"),
        OfficeDecided(by=SECTION, agree=True),
        ExtensionDecided(by=SECTION, agree=True, until=date(2022, 9, 1)),
        Inspected(by=SECTION, text="x"),
        Selected(by=SCHOOL),
        Assigned(by=SECTION, lead=11),
    ],
)
def test_out_of_role_orders_are_refused(assigned: Life, event: Event) -> None:
    before = assigned.problem
    refused = assigned.tries(event)
    assert refused is not None
    assert refused.reason
    assert assigned.problem == before


def test_a_problem_is_not_merged_into_itself(assigned: Life) -> None:
    assert assigned.tries(Merged(by=OFFICE, into="ND-2022-001")) is not None
    assert assigned.happens(Merged(by=OFFICE, into="ND-2022-002")) is State.MERGED


def test_a_returned_handling_sheet_is_a_row_of_events() -> None:
    has = problem(State.ACCEPTED, lead_section_id=11)
    fields = {
        "工作方案": "先摸底",
        "调研情况·实质": "老化",
        "一线办理结果": "制定解决方案",
        "一线办理日期": "2022-03-01",
    }
    events = handling_events(has, fields, MEASURES, SECTION)
    assert [type(event) for event in events] == [Planned, Surveyed, OnSite, MeasuresSet]
    done = (Measure("更换灯具", "基础教育科", date(2022, 4, 1), completion="已换"),)
    only = handling_events(problem(measures=MEASURES[:1]), {}, done, SECTION)
    assert only == (MeasureDone(by=SECTION, position=0, completion="已换"),)


# --- every pair --------------------------------------------------------------------------------

SAMPLES: dict[type[Event], Event] = {
    event.__class__: event
    for event in (
        CorrectionNeeded(faults=("缺",)),
        Held(reason="x"),
        Verified(by=OFFICE, sections=(11,)),
        Registered(sections=(11,)),
        Corrected(by=SCHOOL, changes={"details": "y"}),
        Claimed(by=SCHOOL),
        ClaimChecked(by=OFFICE),
        Bounced(address="a@b.cn"),
        Reachable(),
        Declined(by=OFFICE, reason="x"),
        Merged(by=OFFICE, into="ND-2022-002"),
        Withdrawn(by=SCHOOL),
        Suspended(by=OFFICE),
        Resumed(by=OFFICE),
        ProcedureAsked(by=OFFICE),
        Chased(by=OFFICE),
        Listed(session="QC-2022-01"),
        Submitted(),
        Selected(by=SECRETARY),
        Referred(by=SECRETARY),
        Instructed(by=SECRETARY, text="办"),
        Assigned(by=OFFICE, lead=11, assists=(12,)),
        Reassigned(by=OFFICE, lead=12),
        VisitArranged(by=SECTION, day=date(2022, 3, 1)),
        VisitDeclined(by=OFFICE, reason="书记当日有会"),
        Accepted(by=SECTION),
        DeclinedAssignment(by=SECTION, reason="x"),
        Planned(by=SECTION, handling={"工作方案": "x"}),
        Surveyed(by=SECTION, handling={"调研情况·实质": "x"}),
        OnSite(by=SECTION, outcome=OnSiteOutcome.SOLUTION_SET, measures=MEASURES),
        MeasuresSet(by=SECTION, measures=MEASURES),
        MeasureDone(by=SECTION, position=0, completion="x"),
        Progressed(by=SECTION, text="x"),
        ExtensionAsked(by=SECTION, until=date(2030, 1, 4)),
        ExtensionDecided(by=OFFICE, agree=True, until=date(2030, 1, 4)),
        CompletionReported(by=SECTION, result="x"),
        MechanismNoted(by=SECTION, text="x"),
        OfficeDecided(by=OFFICE, agree=True),
        CalledBack(by=SCHOOL, satisfaction="satisfied"),
        CallbackSilent(),
        Closed(),
        Archived(),
        Reopened(by=OFFICE, reason="x"),
        Inspected(by=BUREAU, text="x"),
    )
}

IN_HAND = frozenset(HANDLED)
OPEN = frozenset(State) - ENDED_STATES
ACCEPTED_IN: dict[type[Event], frozenset[State]] = {
    CorrectionNeeded: frozenset({State.RECEIVED, State.NEEDS_CORRECTION}),
    Held: frozenset({State.RECEIVED, State.NEEDS_CORRECTION}),
    Verified: frozenset({State.HELD}),
    Registered: frozenset({State.RECEIVED, State.NEEDS_CORRECTION}),
    Corrected: OPEN - {State.COMPLETION_REPORTED},
    Claimed: IN_HAND | {State.NEEDS_CORRECTION},
    ClaimChecked: frozenset(),
    Bounced: frozenset(State),
    Reachable: frozenset(State),
    Declined: frozenset(
        {State.RECEIVED, State.NEEDS_CORRECTION, State.HELD, State.REGISTERED, State.LISTED, State.SUBMITTED}
        | {State.REFERRED}
    ),
    Merged: OPEN,
    Withdrawn: OPEN - {State.COMPLETION_REPORTED},
    Suspended: OPEN - {State.SUSPENDED},
    Resumed: frozenset({State.SUSPENDED}),
    ProcedureAsked: frozenset({State.REFERRED, State.ASSIGNED, State.ACCEPTED, State.IN_PROGRESS}),
    Chased: IN_HAND | {State.NEEDS_CORRECTION},
    Listed: IN_HAND | {State.REGISTERED, State.REFERRED},
    Submitted: frozenset({State.LISTED}),
    Selected: frozenset({State.LISTED, State.SUBMITTED}),
    Referred: frozenset({State.REGISTERED, State.LISTED, State.SUBMITTED}),
    Instructed: OPEN,
    Assigned: frozenset({State.SELECTED, State.REFERRED}),
    Reassigned: IN_HAND,
    VisitArranged: IN_HAND | {State.SELECTED},
    VisitDeclined: IN_HAND | {State.SELECTED},
    Accepted: IN_HAND | {State.SELECTED, State.COMPLETION_REPORTED, State.CLOSED, State.ARCHIVED},
    DeclinedAssignment: frozenset({State.ASSIGNED, State.ACCEPTED}),
    Planned: IN_HAND,
    Surveyed: IN_HAND,
    OnSite: IN_HAND,
    MeasuresSet: IN_HAND,
    MeasureDone: IN_HAND,
    Progressed: IN_HAND,
    ExtensionAsked: IN_HAND,
    ExtensionDecided: frozenset(),
    CompletionReported: IN_HAND,
    MechanismNoted: IN_HAND | {State.COMPLETION_REPORTED, State.CLOSED, State.ARCHIVED},
    OfficeDecided: frozenset({State.COMPLETION_REPORTED}),
    CalledBack: frozenset({State.COMPLETION_REPORTED, State.CLOSED}),
    CallbackSilent: frozenset({State.COMPLETION_REPORTED}),
    Closed: frozenset(),
    Archived: frozenset({State.CLOSED}),
    Reopened: frozenset({State.CLOSED, State.ARCHIVED}),
    Inspected: IN_HAND | {State.COMPLETION_REPORTED, State.SELECTED},
}


def test_every_event_says_who_may_do_it_and_is_tried_here() -> None:
    assert set(EVENTS) == set(ALLOWED) == set(SAMPLES) == set(ACCEPTED_IN)
    assert all(kind.name and kind.chinese for kind in EVENTS)


@pytest.mark.parametrize("state", list(State))
@pytest.mark.parametrize("kind", list(EVENTS), ids=lambda kind: kind.name)
def test_each_event_in_each_state_is_decided_or_refused_with_a_reason(
    state: State, kind: type[Event]
) -> None:
    has = problem(state, lead_section_id=11, deadline=date(2022, 12, 30), measures=MEASURES)
    life = Life(has)
    outcome = decide(has, SAMPLES[kind], life.circumstances)
    if state in ACCEPTED_IN[kind]:
        assert isinstance(outcome, Decision), outcome
        assert outcome.text
    else:
        assert isinstance(outcome, Refusal), outcome
        assert has.number in outcome.reason


# --- any life ----------------------------------------------------------------------------------

ACTORS = (SCHOOL, OTHER_SCHOOL, SECTION, ASSIST, OFFICE, BUREAU, SECRETARY, Actor())
MAY_LEAVE = {State.CLOSED: {State.ARCHIVED, State.REOPENED}, State.ARCHIVED: {State.REOPENED}}
AFTER_CLOSING = {LetterKind.MECHANISM_REQUEST}


@settings(max_examples=150, deadline=None)
@given(
    st.lists(
        st.tuples(st.sampled_from(EVENTS), st.sampled_from((None, *ACTORS)), st.integers(0, 5)), max_size=60
    )
)
def test_no_life_loses_history_or_wakes_the_ended(chain: list[tuple[type[Event], Actor | None, int]]) -> None:
    """However events come: history only grows, ended states hold, nothing is chased after the end."""
    from dataclasses import replace

    life = Life(problem(levels=("secretary", "section")))
    for kind, actor, days in chain:
        event = SAMPLES[kind] if actor is None else replace(SAMPLES[kind], by=actor)
        state, lines = life.problem.state, list(life.history)
        life.now += timedelta(days=days)
        refused = life.tries(event)
        assert life.history[: len(lines)] == lines
        assert (len(life.history) > len(lines)) == (refused is None)
        if state in ENDED_STATES and life.problem.state is not state:
            assert life.problem.state in MAY_LEAVE.get(state, set())
        dues = timers(life.problem, life.circumstances, date(2024, 1, 1))
        assert len({due.key for due in dues}) == len(dues)
        if life.problem.state in ENDED_STATES:
            assert {due.letter for due in dues if due.letter} <= AFTER_CLOSING
        if life.problem.state is State.CLOSED:
            assert life.problem.office_agreed
        if life.problem.state in HANDLED:
            assert life.problem.lead_section_id is not None


def test_a_moment_is_never_taken_from_the_clock() -> None:
    assert moment("2022-02-21T09:00").tzinfo is not None
