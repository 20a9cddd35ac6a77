"""Orders out of turn: stale answers, mergers, suspensions, settings, replies that only carry the tag."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.journeys.sheets import filled
from tests.journeys.test_main_job import report
from tests.journeys.test_workflow import letter, problem, referred, reply
from tests.journeys.town import CLERK, SECRETARY, Town, files_of, school_address, section_address, text_of
from tests.servers.mailstack import MailStack

SCHOOL = school_address(0)
SECTION = section_address(0)


@pytest.fixture
def town(mail_stack: MailStack, tmp_path: Path) -> Town:
    return Town(mail_stack, tmp_path / "town", schools=4)


def fresh(town: Town, sender: str, text: str, at: str, subject: str = "") -> dict[str, object]:
    """A mail of its own, not in any thread."""
    town.write(sender, subject or text, text, at=f"{at}+08:00")
    town.once(f"{at}+08:00")
    return town.rows("mail")[-1]


def test_a_late_answer_to_an_overtaken_question_changes_nothing(town: Town) -> None:
    assignment = referred(town)
    reply(town, SECTION, assignment, "办结：已换灯管", "2022-02-15T10:00:00")
    first = letter(town, CLERK, "办结待审核")
    reply(town, SCHOOL, letter(town, SCHOOL, "评价"), "不满意：仍有五间未改", "2022-02-16T10:00:00")
    reply(town, SECTION, assignment, "办结：五间已改", "2022-02-17T10:00:00")
    stale = reply(town, CLERK, first, "同意", "2022-02-17T11:00:00")
    assert stale["disposition"] == "replied"
    assert "不需再办" in text_of(town.letters_to(CLERK)[-1])
    early = next(one for one in town.letters_to(SCHOOL) if "评价" in one["Subject"])
    old = reply(town, SCHOOL, early, "满意", "2022-02-17T11:30:00")
    assert old["disposition"] == "held"
    reply(town, SCHOOL, letter(town, SCHOOL, "评价"), "满意", "2022-02-17T12:00:00")
    assert problem(town)["state"] == "completion_reported"
    reply(town, CLERK, letter(town, CLERK, "办结待审核"), "同意", "2022-02-17T13:00:00")
    assert problem(town)["state"] == "closed"


def test_the_same_answer_given_twice_is_carried_out_once(town: Town) -> None:
    assignment = referred(town)
    reply(town, SECTION, assignment, "延期至 2022-04-30：招标", "2022-02-15T10:00:00")
    question = letter(town, CLERK, "延期")
    reply(town, CLERK, question, "不同意：请按期办结", "2022-02-15T11:00:00")
    again = reply(town, CLERK, question, "同意", "2022-02-15T12:00:00")
    assert again["disposition"] == "replied"
    assert "本次答复未予执行" in text_of(town.letters_to(CLERK)[-1])
    assert problem(town)["deadline"] != "2022-04-30"
    assert "请按期办结" in text_of(letter(town, SECTION, "不同意延期"))


def test_a_reply_that_lost_its_thread_is_known_by_its_tag(town: Town) -> None:
    assignment = referred(town)
    mail = fresh(town, SECTION, "签收", "2022-02-09T10:00:00", f"Re: {assignment['Subject']}")
    assert (mail["disposition"], problem(town)["state"]) == ("replied", "accepted")
    wrong = str(assignment["Subject"]).replace("#", "#Z")[:18] + "] x"
    assert fresh(town, SECTION, "办结：好", "2022-02-09T11:00:00", wrong)["disposition"] == "held"


def test_the_office_confirms_referrals_first_if_it_is_set_so(mail_stack: MailStack, tmp_path: Path) -> None:
    town = Town(mail_stack, tmp_path / "town", schools=4, settings='[workflow]\nreferral = "confirm"\n')
    form = report(levels=("section",), sections=("基教科", "计财科"))
    town.write(SCHOOL, "难点问题", "", [form], at="2022-02-08T09:30:00+08:00")
    town.once("2022-02-08T09:30+08:00")
    assert problem(town)["state"] == "registered"
    reply(town, CLERK, letter(town, CLERK, "转办待审核"), "同意", "2022-02-08T10:00:00")
    row = problem(town)
    assert (row["state"], row["assist_sections"]) == ("assigned", ["计划财务科"])
    assist = letter(town, section_address(2), "协办")
    assert any("办理单" in name for name in files_of(assist))
    assert reply(town, section_address(2), assist, "签收", "2022-02-08T11:00:00")["disposition"] == "replied"
    assert reply(town, section_address(2), assist, "办结：好", "2022-02-08T12:00:00")["disposition"] == "held"


def test_a_problem_is_suspended_resumed_and_merged_by_the_office(town: Town) -> None:
    referred(town)
    number = problem(town)["number"]
    fresh(town, CLERK, f"挂账 {number}：专项资金未下达", "2022-02-09T10:00:00")
    reply(town, CLERK, letter(town, CLERK, "办理事项待确认", "挂账"), "同意", "2022-02-09T10:10:00")
    assert problem(town)["state"] == "suspended"
    assert "专项资金未下达" in text_of(letter(town, SCHOOL, "暂缓办理"))
    for day in ("10", "11", "14", "16"):
        town.once(f"2022-02-{day}T09:30+08:00")
    assert not [one for one in town.letters_to(SECTION) if "催办" in one["Subject"]]
    fresh(town, CLERK, f"恢复办理 {number}", "2022-02-17T10:00:00")
    reply(town, CLERK, letter(town, CLERK, "办理事项待确认", "恢复"), "同意", "2022-02-17T10:10:00")
    assert problem(town)["state"] == "assigned"
    form = report(levels=("secretary",), problem="教室灯具频闪", details="多间教室灯具频闪，请求改造。")
    town.write(SCHOOL, "难点问题", "", [form], at="2022-02-17T11:00:00+08:00")
    town.once("2022-02-17T11:00+08:00")
    second = town.rows("problems")[-1]["number"]
    fresh(town, CLERK, f"{second} 并入 {number}", "2022-02-17T12:00:00")
    reply(town, CLERK, letter(town, CLERK, "办理事项待确认", "并案"), "确认", "2022-02-17T12:10:00")
    assert problem(town, second)["state"] == "merged"
    assert number in text_of(letter(town, SCHOOL, "已并案"))


def test_an_order_that_is_not_confirmed_is_dropped(town: Town) -> None:
    referred(town)
    number = problem(town)["number"]
    asked = fresh(town, CLERK, f"挂账 {number}：误发", "2022-02-09T10:00:00")
    assert asked["disposition"] == "held"
    reply(town, CLERK, letter(town, CLERK, "办理事项待确认"), "不同意：误发", "2022-02-09T10:10:00")
    assert problem(town)["state"] == "assigned"
    assert [mail["disposition"] for mail in town.rows("mail")][-2:] == ["ignored", "replied"]


def test_orders_out_of_role_reach_the_office(town: Town) -> None:
    assignment = referred(town)
    number = problem(town)["number"]
    for sender, text in (
        (SCHOOL, f"办结 {number}"),
        (SECTION, "开期"),
        (SECRETARY, "选定 1"),
        (CLERK, "签收"),
    ):
        assert fresh(town, sender, text, "2022-02-09T10:00:00")["disposition"] == "held"
    assert reply(town, CLERK, assignment, "签收", "2022-02-09T11:00:00")["disposition"] == "held"
    assert problem(town)["state"] == "assigned"
    assert not town.rows("problems")[0]["session"]


def test_the_ledger_comes_back_with_another_section_and_another_day(town: Town) -> None:
    referred(town)
    number = problem(town)["number"]
    town.once("2022-03-01T09:05+08:00")
    ledger = letter(town, CLERK, "难点问题台账")
    book = filled(ledger, "台账", rows={number: {"牵头科室": "基建科", "办结时限": "2022-04-20"}})
    reply(town, CLERK, ledger, "", "2022-03-01T10:00:00", [book])
    row = problem(town)
    assert (row["lead_section"], row["deadline"], row["state"]) == ("基本建设科", "2022-04-20", "assigned")
    assert "承办科室调整" in letter(town, SECTION, "承办科室调整")["Subject"]
    stale = reply(town, CLERK, ledger, "", "2022-03-02T10:00:00", [book])
    assert stale["disposition"] == "replied"
    assert len([one for one in town.letters_to(section_address(4)) if "交办" in one["Subject"]]) == 1


def test_both_levels_go_to_the_section_and_on_the_list(town: Town) -> None:
    form = report(levels=("secretary", "section"), sections=("基教科",))
    town.write(SCHOOL, "难点问题", "", [form], at="2022-02-08T09:30:00+08:00")
    town.once("2022-02-08T09:30+08:00")
    assert problem(town)["state"] == "assigned"
    fresh(town, CLERK, "开期", "2022-02-08T10:00:00")
    reply(town, CLERK, letter(town, CLERK, "办理事项待确认"), "确认", "2022-02-08T10:10:00")
    row = problem(town)
    assert (row["state"], row["session"]) == ("assigned", "QC-2022-01")
    reply(town, SECRETARY, letter(town, SECRETARY, "难点问题清单"), "选定 1", "2022-02-09T10:00:00")
    reply(town, CLERK, letter(town, CLERK, "请确认"), "确认", "2022-02-09T11:00:00")
    assert problem(town)["state"] == "selected"
    sheet = letter(town, CLERK, "交办单")
    rows = {row["number"]: {"牵头科室": "基教科"}}
    reply(town, CLERK, sheet, "", "2022-02-09T12:00:00", [filled(sheet, "交办单", rows=rows)])
    assert problem(town)["state"] == "assigned"


def test_a_section_that_gave_the_problem_away_cannot_close_it(town: Town) -> None:
    assignment = referred(town)
    reply(town, SECTION, assignment, "退回：属基建科职责", "2022-02-09T10:00:00")
    reply(town, CLERK, letter(town, CLERK, "科室申请退回"), "同意", "2022-02-09T10:30:00")
    reply(town, CLERK, letter(town, CLERK, "转办待审核"), "登记为 基本建设科", "2022-02-09T11:00:00")
    late = reply(town, SECTION, assignment, "办结：好了", "2022-02-09T12:00:00")
    assert late["disposition"] == "held"
    assert (problem(town)["state"], problem(town)["lead_section"]) == ("assigned", "基本建设科")


def test_a_correction_by_the_school_reaches_the_section_that_works_on_it(town: Town) -> None:
    referred(town)
    receipt = letter(town, SCHOOL, "收件回执")
    mail = reply(town, SCHOOL, receipt, "更正 具体内容：40间教室中有25间照度不足", "2022-02-09T10:00:00")
    assert mail["disposition"] in {"filed", "corrected"}
    assert "40间教室中有25间" in text_of(letter(town, SECTION, "办理情况变化告知"))
