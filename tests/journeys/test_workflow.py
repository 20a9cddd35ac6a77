"""One problem after the other on its way by mail: referral, handling, closing, and orders that do nothing."""

from __future__ import annotations

from collections.abc import Sequence
from email.message import EmailMessage
from pathlib import Path
from typing import Any

import pytest

from daemon.envelope import Attachment
from tests.journeys.test_main_job import report
from tests.journeys.town import BUREAU, CLERK, Town, files_of, school_address, section_address, text_of
from tests.servers.mailstack import MailStack

SCHOOL = school_address(0)
SECTION = section_address(0)
NAME = "基础教育科"


@pytest.fixture
def town(mail_stack: MailStack, tmp_path: Path) -> Town:
    return Town(mail_stack, tmp_path / "town")


def problem(town: Town, number: str | None = None) -> dict[str, Any]:
    rows = town.rows("problems")
    return rows[0] if number is None else next(row for row in rows if row["number"] == number)


def letter(town: Town, address: str, *words: str) -> EmailMessage:
    """The newest letter to somebody whose subject has these words."""
    found = [one for one in town.letters_to(address) if all(word in one["Subject"] for word in words)]
    assert found, [one["Subject"] for one in town.letters_to(address)]
    return found[-1]


def reply(
    town: Town,
    sender: str,
    answered: EmailMessage,
    text: str,
    at: str,
    attachments: Sequence[Attachment] = (),
    headers: Sequence[tuple[str, str]] = (),
) -> dict[str, Any]:
    """Answer a letter, run a cycle, and give what became of the answer."""
    moment = f"{at}+08:00"
    subject = f"回复：{answered['Subject']}"
    town.write(sender, subject, text, attachments, answers=answered, at=moment, headers=headers)
    town.once(moment)
    return town.rows("mail")[-1]


def referred(town: Town, at: str = "2022-02-08T09:30:00", section: str = NAME) -> EmailMessage:
    """A school's problem in a section's hands; gives the assignment letter."""
    town.write(SCHOOL, "难点问题", "", [report(levels=("section",), sections=(section,))], at=f"{at}+08:00")
    town.once(f"{at}+08:00")
    return letter(town, SECTION, "交办")


def test_a_referred_problem_goes_to_its_section_with_sheet_and_form(town: Town) -> None:
    assignment = referred(town)
    row = problem(town)
    assert (row["state"], row["lead_section"]) == ("assigned", NAME)
    assert CLERK in str(assignment["Cc"])
    names = list(files_of(assignment))
    assert any("办理单" in name and name.endswith(".xlsx") for name in names)
    assert any(name.endswith(".docx") for name in names)
    assert row["number"] in assignment["Subject"]
    # The school reads of it in its receipt, and gets no second letter about the same event.
    (receipt,) = town.letters_to(SCHOOL)
    assert f"已转{NAME}办理，办结时限为2022年3月" in text_of(receipt)


def test_a_problem_lives_from_assignment_to_closing_and_mechanism(town: Town) -> None:
    assignment = referred(town)
    assert reply(town, SECTION, assignment, "签收", "2022-02-08T10:00:00")["disposition"] == "replied"
    assert problem(town)["state"] == "accepted"
    reply(town, SECTION, assignment, "进展：已现场勘察，正在编制预算。", "2022-02-10T10:00:00")
    assert problem(town)["state"] == "in_progress"
    reply(town, SECTION, assignment, "延期至 2022-04-30：招标公示期未满", "2022-02-11T10:00:00")
    reply(town, CLERK, letter(town, CLERK, "延期"), "同意", "2022-02-11T14:00:00")
    assert problem(town)["deadline"] == "2022-04-30"
    assert "同意延期" in letter(town, SECTION, "延期")["Subject"]
    reply(town, SECTION, assignment, "办结：21间教室照明全部改造完毕", "2022-03-01T10:00:00")
    assert problem(town)["state"] == "completion_reported"
    callback = letter(town, SCHOOL, "评价")
    assert "21间教室照明" in text_of(callback)
    reply(town, CLERK, letter(town, CLERK, "办结待审核"), "同意", "2022-03-01T11:00:00")
    assert problem(town)["state"] == "completion_reported"
    reply(town, SCHOOL, callback, "满意，谢谢！", "2022-03-02T09:10:00")
    assert problem(town)["state"] == "closed"
    assert "21间" in text_of(letter(town, SCHOOL, "办理结果"))
    assert letter(town, SECTION, "长效机制")
    kinds = [row["kind"] for row in town.rows("letters")]
    assert len(kinds) == len({row["message_id"] for row in town.rows("letters")})
    events = [line["event"] for line in problem(town)["history"]]
    assert events.index("called_back") < events.index("closed")


def test_a_dissatisfied_school_sends_the_problem_back(town: Town) -> None:
    assignment = referred(town)
    reply(town, SECTION, assignment, "办结：已换灯管", "2022-02-15T10:00:00")
    reply(town, SCHOOL, letter(town, SCHOOL, "评价"), "不满意：仍有五间教室未改", "2022-02-16T10:00:00")
    assert problem(town)["state"] == "rework"
    rework = letter(town, SECTION, "请继续办理")
    assert "仍有五间教室未改" in text_of(rework)
    reply(town, SECTION, rework, "办结：余下五间已改好", "2022-02-20T10:00:00")
    assert problem(town)["state"] == "completion_reported"
    assert len([one for one in town.letters_to(SCHOOL) if "请评价" in one["Subject"]]) == 2


def test_forged_quoted_foreign_and_stale_orders_change_nothing(town: Town) -> None:
    assignment = referred(town)
    before = problem(town)
    failing = [
        ("Received", "from evil.test by mx.office.test with ESMTP id 7; Wed, 9 Feb 2022 09:00:00 +0800"),
        ("Authentication-Results", "mx.office.test; dmarc=fail; spf=fail; dkim=fail"),
    ]
    held = [
        reply(town, SECTION, assignment, "办结：好了", "2022-02-09T09:00:00", headers=failing),
        reply(town, section_address(1), assignment, "办结：好了", "2022-02-09T09:10:00"),
        reply(town, SCHOOL, assignment, "满意", "2022-02-09T09:20:00"),
        reply(town, SECTION, assignment, "> 办结：好了", "2022-02-09T09:30:00"),
        reply(town, SECTION, assignment, "可以办结吗？", "2022-02-09T09:40:00"),
    ]
    town.write(SECTION, f"{before['number']} 办结：好了", "办结：好了", at="2022-02-09T09:50:00+08:00")
    town.once("2022-02-09T09:50:00+08:00")
    held.append(town.rows("mail")[-1])
    assert [mail["disposition"] for mail in held] == ["held"] * 6
    after = problem(town)
    assert (after["state"], after["history"]) == (before["state"], before["history"])
    assert len(town.rows("held")) == 6


def test_a_section_that_declines_in_time_is_replaced_by_the_office(town: Town) -> None:
    assignment = referred(town)
    reply(town, SECTION, assignment, "退回：属基建科职责", "2022-02-09T10:00:00")
    assert problem(town)["state"] == "referred"
    question = letter(town, CLERK, "科室申请退回")
    reply(town, CLERK, question, "登记为 基建科", "2022-02-09T11:00:00")
    row = problem(town)
    assert (row["state"], row["lead_section"]) == ("assigned", "基本建设科")
    assert letter(town, section_address(4), "交办")
    late = reply(
        town,
        section_address(4),
        letter(town, section_address(4), "交办"),
        "退回：不属我科",
        "2022-03-09T11:00:00",
    )
    assert late["disposition"] == "held"
    assert problem(town)["state"] == "assigned"


def test_an_unknown_section_becomes_a_question_with_the_nearest_names(town: Town) -> None:
    town.write(
        SCHOOL,
        "难点问题",
        "",
        [report(levels=("section",), sections=("基础教学科",))],
        at="2022-02-08T09:30:00+08:00",
    )
    town.once("2022-02-08T09:30+08:00")
    assert problem(town)["state"] == "registered"
    question = letter(town, CLERK, "涉及科室待确定")
    assert NAME in text_of(question)
    reply(town, CLERK, question, "是", "2022-02-08T10:00:00")
    assert (problem(town)["state"], problem(town)["lead_section"]) == ("assigned", NAME)


@pytest.mark.parametrize(
    "words",
    ["登记为 基建科牵头，安稳科配合", "安稳科配合，基建科牵头", "由基建科牵头\n安稳科配合"],
)
def test_an_unknown_section_is_answered_with_a_leading_and_an_assisting_one(town: Town, words: str) -> None:
    unknown = report(levels=("section",), sections=("量子计算处",))
    town.write(SCHOOL, "难点问题", "", [unknown], at="2022-02-08T09:30:00+08:00")
    town.once("2022-02-08T09:30+08:00")
    question = letter(town, CLERK, "涉及科室待确定")
    assert "通讯录中的科室" in text_of(question) and "安全稳定科" in text_of(question)
    reply(town, CLERK, question, words, "2022-02-08T10:00:00")
    row = problem(town)
    assert (row["lead_section"], row["assist_sections"]) == ("基本建设科", ["安全稳定科"])


def test_a_fresh_order_of_an_office_is_asked_back_first(town: Town) -> None:
    referred(town)
    number = problem(town)["number"]
    town.write(CLERK, "催办", f"催办 {number}", at="2022-02-09T10:00:00+08:00")
    town.once("2022-02-09T10:00+08:00")
    assert not [one for one in town.letters_to(SECTION) if "催办" in one["Subject"]]
    reply(town, CLERK, letter(town, CLERK, "办理事项待确认"), "同意", "2022-02-09T10:10:00")
    assert letter(town, SECTION, "催办")
    town.write(BUREAU, "督查", f"督查 {number}：现场尚未动工", at="2022-02-09T11:00:00+08:00")
    town.once("2022-02-09T11:00+08:00")
    reply(town, BUREAU, letter(town, BUREAU, "办理事项待确认"), "确认", "2022-02-09T11:10:00")
    assert "现场尚未动工" in text_of(letter(town, SECTION, "督查"))


def test_a_school_withdraws_before_anybody_works_and_asks_afterwards(town: Town) -> None:
    assignment = referred(town)
    reply(town, SCHOOL, letter(town, SCHOOL, "收件回执"), "撤回", "2022-02-08T10:00:00")
    assert problem(town)["state"] == "assigned"
    reply(town, CLERK, letter(town, CLERK, "撤回待审核"), "同意", "2022-02-08T11:00:00")
    assert problem(town)["state"] == "withdrawn"
    assert reply(town, SECTION, assignment, "签收", "2022-02-08T12:00:00")["disposition"] == "held"
