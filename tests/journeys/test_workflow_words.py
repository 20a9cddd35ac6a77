"""What people write by the way: thanks, 好的, words to a brief, a date that is past."""

from __future__ import annotations

from datetime import date
from email.message import EmailMessage
from pathlib import Path

import pytest

from daemon.filing import Sender
from daemon.ordering import out_of_role
from parsers.values import Authentication
from tests.journeys.test_main_job import report
from tests.journeys.test_workflow import letter, problem, referred, reply
from tests.journeys.test_workflow_sessions import listed
from tests.journeys.town import BUREAU, CLERK, SECRETARY, Town, school_address, section_address, text_of
from tests.servers.mailstack import MailStack

SCHOOL = school_address(0)
SECTION = section_address(0)


@pytest.fixture
def town(mail_stack: MailStack, tmp_path: Path) -> Town:
    return Town(mail_stack, tmp_path / "town")


def test_mere_thanks_are_recorded_and_answered_by_nothing(town: Town) -> None:
    assignment = referred(town)
    receipt = letter(town, SCHOOL, "收件回执")
    before = len(town.rows("letters"))
    for sender, answered, words in (
        (SCHOOL, receipt, "收到，谢谢！"),
        (SCHOOL, receipt, "谢谢领导关心\n贵港市达观中学"),
        (SECTION, assignment, "好的"),
    ):
        mail = reply(town, sender, answered, words, "2022-02-08T15:00:00")
        assert mail["disposition"] == "replied" and "致意" in mail["reason"]
    assert len(town.rows("letters")) == before
    assert problem(town)["state"] == "assigned"
    # A sentence with content is never swallowed.
    mail = reply(town, SCHOOL, receipt, "收到，但是我们认为应由安稳科办理", "2022-02-08T15:10:00")
    assert mail["disposition"] == "held"
    assert "应由安稳科办理" in text_of(letter(town, CLERK, "回复内容待确认"))


def test_well_said_to_a_question_is_asked_back_once_and_decides_nothing(town: Town) -> None:
    assignment = referred(town)
    reply(town, SECTION, assignment, "办结：已换灯管", "2022-02-15T10:00:00")
    callback = letter(town, SCHOOL, "评价")
    asked = len(town.letters_to(CLERK))
    for _ in range(2):
        assert reply(town, SCHOOL, callback, "好的，谢谢", "2022-02-15T11:00:00")["disposition"] == "replied"
    (hint,) = [one for one in town.letters_to(SCHOOL) if "请予明确答复" in one["Subject"]]
    assert "基本满意" in text_of(hint)
    assert len(town.letters_to(CLERK)) == asked
    assert problem(town)["state"] == "completion_reported"
    reply(town, SCHOOL, callback, "满意", "2022-02-15T12:00:00")
    assert "called_back" in [line["event"] for line in problem(town)["history"]]


def brief_of_two(town: Town) -> tuple[list[str], EmailMessage]:
    """The secretary's brief about two problems that he chose; their numbers in its order."""
    listed(town)
    reply(town, SECRETARY, letter(town, SECRETARY, "难点问题清单"), "选定 1、2", "2022-02-09T10:00:00")
    reply(town, CLERK, letter(town, CLERK, "请确认"), "确认", "2022-02-09T11:00:00")
    town.once("2022-02-14T09:30+08:00")
    brief = letter(town, SECRETARY, "简报")
    chosen = [row["number"] for row in town.rows("problems") if row["state"] == "selected"]
    return sorted(chosen, key=text_of(brief).index), brief


def instructions(town: Town, number: str) -> list[str]:
    return [line["text"] for line in problem(town, number)["history"] if line["event"] == "instructed"]


def test_words_that_may_mean_several_problems_are_asked_about(town: Town) -> None:
    numbers, brief = brief_of_two(town)
    words = "请本周内到校现场办理"
    before = len(town.letters_to(CLERK))
    asked = reply(town, SECRETARY, brief, words, "2022-02-14T10:00:00")
    assert asked["disposition"] == "held"
    assert len(town.letters_to(CLERK)) == before
    question = letter(town, SECRETARY, "请明示")
    assert all(number in text_of(question) for number in numbers)
    # The answer finds its way by the subject alone.
    town.write(SECRETARY, f"回复：{question['Subject']}", "第2项", at="2022-02-14T10:30:00+08:00")
    town.once("2022-02-14T10:30+08:00")
    confirm = letter(town, CLERK, "办理事项待确认")
    assert words in text_of(confirm)
    reply(town, CLERK, confirm, "确认", "2022-02-14T11:00:00")
    assert not town.rows("held")
    told = {number: instructions(town, number) for number in numbers}
    assert sum(bool(texts) for texts in told.values()) == 1
    assert any(words in text for text in told[numbers[1]])


def test_words_about_each_problem_go_to_each(town: Town) -> None:
    numbers, brief = brief_of_two(town)
    words = f"{numbers[0]}请本周内现场办理。\n{numbers[1]}请商编办一次核定。"
    reply(town, SECRETARY, brief, words, "2022-02-14T10:00:00")
    reply(town, CLERK, letter(town, CLERK, "办理事项待确认"), "同意", "2022-02-14T11:00:00")
    assert "现场办理" in instructions(town, numbers[0])[0]
    assert "编办" in instructions(town, numbers[1])[0]
    assert "编办" not in instructions(town, numbers[0])[0]


def test_an_answer_to_a_brief_finds_its_way_by_the_subject(town: Town) -> None:
    referred(town)
    town.once("2022-02-09T09:05+08:00")
    brief = letter(town, CLERK, "晨报")
    assert str(brief["Subject"]).startswith("[JB-2022-001#")
    subject = f"回复：{brief['Subject']}"
    number = problem(town)["number"]
    town.write(CLERK, subject, f"催办 {number}", at="2022-02-09T10:00:00+08:00")
    town.once("2022-02-09T10:00+08:00")
    reply(town, CLERK, letter(town, CLERK, "办理事项待确认"), "同意", "2022-02-09T10:10:00")
    assert letter(town, SECTION, "催办")


def test_a_deadline_that_is_past_is_asked_about_and_the_answer_assigns(town: Town) -> None:
    assignment = referred(town)
    reply(town, SECTION, assignment, "退回：属基建科职责", "2022-02-09T10:00:00")
    question = letter(town, CLERK, "科室申请退回")
    reply(town, CLERK, question, "登记为 基建科", "2022-05-10T10:00:00")
    assert problem(town)["state"] == "referred"
    other = letter(town, CLERK, "办结时限待核定")
    past = reply(town, CLERK, other, "时限定为 2022-04-01", "2022-05-10T11:00:00")
    assert past["disposition"] == "held" and problem(town)["state"] == "referred"
    assert (
        reply(town, CLERK, other, "办结时限定为：2022年6月30日", "2022-05-10T11:10:00")["disposition"]
        == "replied"
    )
    row = problem(town)
    assert (row["state"], row["lead_section"], row["deadline"]) == ("assigned", "基本建设科", "2022-06-30")
    assert letter(town, section_address(4), "交办")
    assert "转基本建设科办理" in text_of(letter(town, SCHOOL, "已转有关科室"))


def test_an_office_grants_another_day_than_was_asked_for(town: Town) -> None:
    assignment = referred(town)
    reply(town, SECTION, assignment, "延期至 2022-05-30：招标公示期未满", "2022-02-11T10:00:00")
    reply(town, CLERK, letter(town, CLERK, "延期"), "延期至 2022-04-30", "2022-02-11T14:00:00")
    assert problem(town)["deadline"] == "2022-04-30"
    assert "2022年4月30日" in text_of(letter(town, SECTION, "延期"))


def test_nobody_s_report_is_lost_behind_a_greeting(town: Town) -> None:
    assert reply_with_form(town) == "filed"


def reply_with_form(town: Town) -> str:
    referred(town)
    receipt = letter(town, SCHOOL, "收件回执")
    form = report(problem="宿舍热水不足")
    return str(reply(town, SCHOOL, receipt, "收到，谢谢", "2022-02-09T10:00:00", [form])["disposition"])


def fresh(town: Town, sender: str, words: str, at: str) -> None:
    """A mail that answers no letter."""
    town.write(sender, "来信", words, at=f"{at}+08:00")
    town.once(f"{at}+08:00")


def test_a_school_hears_that_its_withdrawal_was_refused_and_why(town: Town) -> None:
    referred(town)
    reply(town, SCHOOL, letter(town, SCHOOL, "收件回执"), "撤回", "2022-02-08T15:00:00")
    question = letter(town, CLERK, "撤回待审核")
    reply(town, CLERK, question, "不同意：隐患尚未消除", "2022-02-08T16:00:00")
    told = text_of(letter(town, SCHOOL, "来信办理情况回执"))
    assert "撤回申请未获同意" in told and "隐患尚未消除" in told
    answered = [line for line in problem(town)["history"] if line["event"] == "answered"]
    assert answered and all(line["mail"] for line in answered)


def test_an_office_hears_what_became_of_an_order_that_it_confirmed(town: Town) -> None:
    referred(town)
    number = problem(town)["number"]
    fresh(town, CLERK, f"催办 {number}", "2022-02-08T15:00:00")
    reply(town, CLERK, letter(town, CLERK, "办理事项待确认"), "同意", "2022-02-08T15:10:00")
    told = text_of(letter(town, CLERK, "来信办理情况回执"))
    assert number in told and "催办" in told


def test_a_choice_that_answers_no_list_is_told_how_to_choose(town: Town) -> None:
    fresh(town, SECRETARY, "选定 2", "2022-02-08T08:30:00")
    assert "目前没有待选定的难点问题清单" in text_of(letter(town, SECRETARY, "来信已收到"))
    listed(town)
    fresh(town, SECRETARY, "选定 2", "2022-02-09T15:00:00")
    told = text_of(letter(town, SECRETARY, "来信已收到")).replace("\n", "").replace("　", "")
    assert "选题须在所呈清单的来信上直接回复" in told
    assert {row["state"] for row in town.rows("problems")} == {"submitted"}


def test_an_order_out_of_role_is_told_whose_it_is(town: Town) -> None:
    assignment = referred(town)
    number = problem(town)["number"]
    reply(town, SECTION, assignment, f"督查 {number}：尚未更换", "2022-02-08T15:00:00")
    assert "由市教育局办公室来信办理" in text_of(letter(town, SECTION, "来信已收到")).replace("\n", "")
    fresh(town, SCHOOL, f"催办 {number}", "2022-02-08T15:10:00")
    assert "由市委教育工委办公室来信办理" in text_of(letter(town, SCHOOL, "来信已收到")).replace("\n", "")
    stranger = Sender("stranger@example.com", (), Authentication.PASS)
    assert out_of_role(f"催办 {number}", stranger, date(2022, 2, 8)) is None


def test_a_merger_is_asked_about_with_both_problems(town: Town) -> None:
    first, second = listed(town)[:2]
    fresh(town, CLERK, f"{second} 并入 {first}", "2022-02-09T15:00:00")
    question = text_of(letter(town, CLERK, "办理事项待确认"))
    for row in town.rows("problems"):
        if row["number"] in (first, second):
            assert row["number"] in question and row["problem"] in question
    reply(town, CLERK, letter(town, CLERK, "办理事项待确认"), "同意", "2022-02-09T15:10:00")
    assert problem(town, second)["state"] == "merged"


def test_a_receipt_promises_no_section_that_the_directory_does_not_know(town: Town) -> None:
    town.write(
        SCHOOL,
        "难点问题",
        "",
        [report(levels=("section",), sections=("安保办",))],
        at="2022-02-08T09:30:00+08:00",
    )
    town.once("2022-02-08T09:30+08:00")
    receipt = text_of(letter(town, SCHOOL, "收件回执")).replace("\n", "")
    assert "“安保办”" in receipt and "先行核定承办科室" in receipt
    assert "转安保办办理" not in receipt


def test_a_section_reads_what_a_school_corrected(town: Town) -> None:
    referred(town)
    receipt = letter(town, SCHOOL, "收件回执")
    reply(town, SCHOOL, receipt, "更正 难点问题 教室灯具损坏，影响上课", "2022-02-08T15:00:00")
    told = text_of(letter(town, SECTION, "办理情况变化告知")).replace("\n", "").replace("　", "")
    assert f"改为“{problem(town)['problem']}”" in told
    assert "难点问题由“" in told


def test_vague_words_to_a_finding_are_told_how_to_answer_and_the_notice_can_be_answered(town: Town) -> None:
    referred(town)
    number = problem(town)["number"]
    fresh(town, BUREAU, f"督查 {number}：现场尚未动工", "2022-02-09T11:00:00")
    reply(town, BUREAU, letter(town, BUREAU, "办理事项待确认"), "确认", "2022-02-09T11:10:00")
    finding = letter(town, SECTION, "督查反馈")
    assert reply(town, SECTION, finding, "督查所述与实际不符", "2022-02-09T15:00:00")["disposition"] == "held"
    notice = letter(town, SECTION, "来信已收到")
    assert "进展:已按督查意见整改" in text_of(notice)
    answer = reply(town, SECTION, notice, "进展：已更换灯具12盏", "2022-02-09T16:00:00")
    assert answer["disposition"] == "replied"
    assert "progress" in [line["event"] for line in problem(town)["history"]]


def test_an_order_without_a_number_is_told_how_it_is_written(town: Town) -> None:
    referred(town)
    fresh(town, BUREAU, "督查：现场尚未动工", "2022-02-09T11:00:00")
    told = text_of(letter(town, BUREAU, "来信已收到"))
    assert "“督查”须写明问题编号" in told and "督查 ND-2022-013:" in told
