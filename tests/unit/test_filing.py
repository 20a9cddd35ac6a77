"""What becomes of a form depends on whose it is, who sent it, and what is doubtful in it."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given, strategies as st

from daemon.directory import Directory
from daemon.filing import KnownProblem, Outcome, Sender, match_problems, rule
from daemon.model import Unit, UnitKind
from parsers.values import Authentication, Finding, FindingKind, Form, Severity

DAGUAN = Unit(1, UnitKind.SCHOOL, "贵港市达观中学", ("达观中学",), addresses=("a@daguan.test",))
MUGE = Unit(2, UnitKind.SCHOOL, "贵港市木格实验学校", ("木格学校",), addresses=("a@muge.test",))
OFFICE = Unit(3, UnitKind.COMMITTEE_OFFICE, "工委办", addresses=("gwb@ju.test",))
SECTION = Unit(4, UnitKind.SECTION, "基础教育科", ("基教科",), addresses=("jjk@ju.test",))
DIRECTORY = Directory((DAGUAN, MUGE, OFFICE, SECTION))

REPORT = Form(
    "problem_report",
    "附件1.docx",
    "docx",
    {"reporting_unit": "贵港市达观中学"},
    "problems",
    ({"problem": "教室照明不达标", "details": "请求改造。", "levels": ("secretary",)},),
)


def sender(*units: Unit, authentication: Authentication = Authentication.UNKNOWN) -> Sender:
    return Sender("x@y.test", units, authentication)


def named(unit: str | None) -> Form:
    return replace(REPORT, fields={"reporting_unit": unit})


def with_finding(kind: FindingKind, severity: Severity) -> Form:
    return replace(REPORT, findings=(Finding("problems[0].levels", kind, severity, "“反馈层级”未勾选"),))


def test_a_schools_own_complete_form_is_accepted() -> None:
    ruling = rule(REPORT, sender(DAGUAN), DIRECTORY)
    assert (ruling.outcome, ruling.unit) == (Outcome.ACCEPTED, DAGUAN)


def test_a_form_from_an_unknown_address_is_held_with_a_suggestion() -> None:
    ruling = rule(REPORT, sender(), DIRECTORY)
    assert (ruling.outcome, ruling.unit, ruling.suggestion) == (Outcome.HELD, None, DAGUAN)


def test_a_forged_sender_files_nothing() -> None:
    ruling = rule(REPORT, sender(DAGUAN, authentication=Authentication.FAIL), DIRECTORY)
    assert ruling.outcome is Outcome.HELD


@pytest.mark.parametrize("authentication", [Authentication.UNKNOWN, Authentication.PASS])
def test_an_unknown_authentication_does_not_fail(authentication: Authentication) -> None:
    assert rule(REPORT, sender(DAGUAN, authentication=authentication), DIRECTORY).outcome is Outcome.ACCEPTED


def test_another_schools_form_is_held_and_the_office_asked() -> None:
    ruling = rule(named("贵港市木格实验学校"), sender(DAGUAN), DIRECTORY)
    assert (ruling.outcome, ruling.unit, ruling.suggestion) == (Outcome.HELD, None, MUGE)


@pytest.mark.parametrize("forwarder", [OFFICE, SECTION])
def test_an_office_may_pass_on_a_schools_form(forwarder: Unit) -> None:
    ruling = rule(REPORT, sender(forwarder), DIRECTORY)
    assert (ruling.outcome, ruling.unit) == (Outcome.ACCEPTED, DAGUAN)


def test_an_office_form_of_an_unknown_school_is_held() -> None:
    assert rule(named("贵港市无名学校"), sender(OFFICE), DIRECTORY).outcome is Outcome.HELD


def test_a_misspelt_name_from_the_schools_own_address_is_that_school() -> None:
    ruling = rule(named("贵港市达关中学"), sender(DAGUAN), DIRECTORY)
    assert (ruling.outcome, ruling.unit) == (Outcome.ACCEPTED, DAGUAN)


def test_an_error_returns_the_form_and_a_doubt_holds_it() -> None:
    missing = with_finding(FindingKind.MISSING, Severity.ERROR)
    doubtful = with_finding(FindingKind.UNCERTAIN, Severity.WARNING)
    assert rule(missing, sender(DAGUAN), DIRECTORY).outcome is Outcome.RETURNED
    assert rule(doubtful, sender(DAGUAN), DIRECTORY).outcome is Outcome.HELD


def test_a_scan_that_seems_to_lack_something_is_looked_at_by_a_person_first() -> None:
    findings = (
        Finding("principal", FindingKind.UNCERTAIN, Severity.WARNING, "签名未核对"),
        Finding("problems[0].levels", FindingKind.MISSING, Severity.ERROR, "“反馈层级”未勾选"),
    )
    scan = replace(REPORT, format="scan-pdf", findings=findings)
    assert rule(scan, sender(DAGUAN), DIRECTORY).outcome is Outcome.HELD
    assert rule(replace(scan, format="docx"), sender(DAGUAN), DIRECTORY).outcome is Outcome.RETURNED


def test_an_address_that_two_schools_share_files_for_the_one_the_form_names() -> None:
    both = sender(DAGUAN, MUGE)
    assert rule(REPORT, both, DIRECTORY).unit == DAGUAN
    assert rule(named("木格学校"), both, DIRECTORY).unit == MUGE
    assert rule(named(None), both, DIRECTORY).outcome is Outcome.HELD


@given(st.text(max_size=20))
def test_no_name_whatever_files_a_form_for_a_school_of_another_address(name: str) -> None:
    ruling = rule(named(name), sender(DAGUAN), DIRECTORY)
    assert ruling.unit in (DAGUAN, None)


def known(number: str, problem: str, details: str = "", *, correctable: bool = False) -> KnownProblem:
    return KnownProblem(number, problem, details, correctable)


def test_the_same_words_are_the_same_problem_whatever_the_spacing() -> None:
    items = [{"problem": "教室 照明不达标", "details": "请求改造"}]
    assert match_problems(items, [known("ND-1", "教室照明不达标", "请求改造。")], answering=False) == (
        "ND-1",
    )


def test_a_mended_title_is_known_only_where_a_correction_is_awaited() -> None:
    items = [{"problem": "教室照明不达标问题", "details": "新写的内容"}]
    waiting = known("ND-1", "教室照明不达标", "旧内容", correctable=True)
    assert match_problems(items, [waiting], answering=False) == ("ND-1",)
    assert match_problems(items, [replace(waiting, correctable=False)], answering=False) == (None,)


def test_a_mended_form_keeps_its_order_where_titles_have_changed() -> None:
    items = [{"problem": "甲", "details": ""}, {"problem": "完全不同的题目", "details": ""}]
    before = [known("ND-1", "甲"), known("ND-2", "乙")]
    assert match_problems(items, before, answering=True) == ("ND-1", "ND-2")


@given(st.lists(st.text(min_size=1, max_size=8), max_size=5), st.booleans())
def test_no_two_problems_of_a_form_get_the_same_number(titles: list[str], answering: bool) -> None:
    items = [{"problem": title, "details": ""} for title in titles]
    before = [known(f"ND-{n}", title, correctable=True) for n, title in enumerate(titles[:3])]
    numbers = [n for n in match_problems(items, before, answering=answering) if n]
    assert len(numbers) == len(set(numbers))
