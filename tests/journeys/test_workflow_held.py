"""Words that are held for the office, and what its answer brings about."""

from __future__ import annotations

from io import BytesIO
from pathlib import Path

import pytest
from openpyxl import Workbook

from daemon.envelope import Attachment
from tests.journeys.test_workflow import letter, problem, referred, reply
from tests.journeys.town import CLERK, Town, school_address, section_address, text_of
from tests.servers.mailstack import MailStack

SCHOOL = school_address(0)
SECTION = section_address(0)
STRANGER = "stranger@qq.com"
FORGED = (
    ("Received", "from evil.test by mx.office.test with ESMTP id 7; Wed, 9 Feb 2022 09:00:00 +0800"),
    ("Authentication-Results", "mx.office.test; dmarc=fail; spf=fail; dkim=fail"),
)


@pytest.fixture
def town(mail_stack: MailStack, tmp_path: Path) -> Town:
    return Town(mail_stack, tmp_path / "town")


def fresh(town: Town, sender: str, words: str, at: str) -> dict[str, object]:
    town.write(sender, "关于难点问题", words, at=f"{at}+08:00")
    town.once(f"{at}+08:00")
    return town.rows("mail")[-1]


def test_an_order_from_a_strange_address_is_carried_out_when_the_office_says_yes(town: Town) -> None:
    assignment = referred(town)
    held = reply(town, STRANGER, assignment, "进展：已完成现场勘察", "2022-02-09T10:00:00")
    assert held["disposition"] == "held" and problem(town)["state"] == "assigned"
    question = letter(town, CLERK, "来信人待核实")
    assert "基础教育科：" in text_of(question) and "已完成现场勘察）”办理的" in text_of(question)
    assert reply(town, CLERK, question, "是", "2022-02-09T11:00:00")["disposition"] == "replied"
    assert problem(town)["state"] == "in_progress"
    assert not town.rows("held")
    assert town.rows("mail")[-2]["disposition"] == "replied"
    assert "现状" in text_of(letter(town, CLERK, "办理情况回执"))


def test_an_order_that_the_office_refuses_stays_undone(town: Town) -> None:
    assignment = referred(town)
    reply(town, STRANGER, assignment, "签收", "2022-02-09T10:00:00")
    reply(town, CLERK, letter(town, CLERK, "来信人待核实"), "否", "2022-02-09T11:00:00")
    assert problem(town)["state"] == "assigned" and not town.rows("held")


def test_what_cannot_be_carried_out_is_not_offered(town: Town) -> None:
    assignment = referred(town)
    reply(town, STRANGER, assignment, "满意", "2022-02-09T10:00:00")
    question = letter(town, CLERK, "来信人待核实")
    assert "已阅并办理完毕的" in text_of(question) and "同意按" not in text_of(question)
    reply(town, CLERK, question, "是", "2022-02-09T11:00:00")
    assert problem(town)["state"] == "assigned" and not town.rows("held")


def test_a_school_s_fresh_order_waits_for_the_office_and_is_then_carried_out(town: Town) -> None:
    referred(town)
    number = problem(town)["number"]
    held = fresh(town, SCHOOL, f"{number} 撤回，问题已自行解决", "2022-02-09T10:00:00")
    assert held["disposition"] == "held"
    question = letter(town, CLERK, "回复内容待确认")
    assert f"{number}" in text_of(question) and "不是对我办来信的直接回复" in text_of(question)
    assert "办理的" in text_of(question) and "贵港市达观中学：" in text_of(question)
    reply(town, CLERK, question, "是", "2022-02-09T11:00:00")
    assert "撤回" in letter(town, CLERK, "撤回待审核")["Subject"] or problem(town)["state"] == "withdrawn"


def test_what_can_no_longer_be_done_is_said_to_the_office(town: Town) -> None:
    assignment = referred(town)
    reply(town, STRANGER, assignment, "退回：不属我科职责", "2022-02-09T10:00:00")
    question = letter(town, CLERK, "来信人待核实")
    assert "同意按" in text_of(question)
    reply(town, SECTION, assignment, "办结：已换灯管", "2022-02-09T10:30:00")
    reply(town, CLERK, question, "是", "2022-02-09T11:00:00")
    assert problem(town)["state"] == "completion_reported" and not town.rows("held")
    assert "不能" in text_of(letter(town, CLERK, "回执"))


def test_a_reply_that_may_be_forged_waits_for_the_office_and_is_then_the_section_s(town: Town) -> None:
    assignment = referred(town)
    held = reply(town, SECTION, assignment, "签收", "2022-02-09T10:00:00", headers=FORGED)
    assert held["disposition"] == "held" and problem(town)["state"] == "assigned"
    reply(town, CLERK, letter(town, CLERK, "来信人待核实"), "是", "2022-02-09T11:00:00")
    assert problem(town)["state"] == "accepted"


HEADINGS = ("序号", "来源", "反映单位", "难点问题", "具体内容及诉求", "收到日期", "备注")


def register(*rows: tuple[str, ...]) -> Attachment:
    """A register of clues that the office made itself."""
    book = Workbook()
    sheet = book.active
    assert sheet is not None
    for row in (HEADINGS, *rows):
        sheet.append(row)
    out = BytesIO()
    book.save(out)
    return Attachment("问题线索登记表.xlsx", out.getvalue(), "application/octet-stream")


def test_a_register_of_the_office_s_own_making_is_registered_row_by_row_once(town: Town) -> None:
    rows = (
        ("1", "12345热线", "荷城中学", "校门口摊贩占道", "请协调城管。", "2022-02-07", ""),
        ("2", "街谈巷议", "", "不在来源之列", "", "2022-02-07", ""),
        ("3", "市领导交办", "", "校车线路调整", "", "", ""),
    )
    for hour in ("09", "10"):
        town.write(CLERK, "线索", "请登记", [register(*rows)], at=f"2022-02-08T{hour}:30:00+08:00")
        town.once(f"2022-02-08T{hour}:30+08:00")
    found = {row["problem"]: row["source"] for row in town.rows("problems")}
    assert found == {"校门口摊贩占道": "hotline_12345", "校车线路调整": "city_leader"}
    assert "街谈巷议" in text_of(letter(town, CLERK, "来信办理情况回执", "已办理2项"))


def test_a_school_hears_nothing_of_a_clue_against_it_that_is_declined(town: Town) -> None:
    row = ("1", "12345热线", "荷城中学", "校门口摊贩占道", "请协调城管。", "2022-02-07", "")
    town.write(CLERK, "线索", "请登记", [register(row)], at="2022-02-08T09:30:00+08:00")
    town.once("2022-02-08T09:30+08:00")
    filed = letter(town, CLERK, "来信办理情况回执")
    reply(town, CLERK, filed, "不予受理：属城管部门职责", "2022-02-08T10:00:00")
    assert problem(town)["state"] == "declined"
    assert not town.letters_to(SCHOOL)


def test_a_section_s_plan_is_taken_though_a_form_is_enclosed(town: Town) -> None:
    assignment = referred(town)
    form = next(part for part in assignment.iter_attachments() if "办理单" not in (part.get_filename() or ""))
    enclosed = Attachment(form.get_filename() or "", form.get_content(), "application/octet-stream")
    mail = reply(town, SECTION, assignment, "方案：2月底前完成招标", "2022-02-09T10:00:00", [enclosed])
    assert (mail["disposition"], problem(town)["state"]) == ("replied", "planned")
    assert "未另作报送材料登记" in mail["reason"]
    assert all("通讯录" not in text_of(one) for one in town.letters_to(SECTION))


def test_nobody_but_the_office_registers_clues(town: Town) -> None:
    row = ("1", "12345热线", "荷城中学", "校门口摊贩占道", "", "2022-02-07", "")
    town.write(SCHOOL, "线索", "请登记", [register(row)], at="2022-02-08T09:30:00+08:00")
    town.once("2022-02-08T09:30+08:00")
    assert town.rows("mail")[-1]["disposition"] == "held" and not town.rows("problems")
    assert "由工委办填报" in text_of(letter(town, CLERK, "回复内容待确认"))


def test_the_office_hears_once_why_its_own_answer_decided_nothing(town: Town) -> None:
    assignment = referred(town)
    reply(town, SECTION, assignment, "延期至 2022-04-30：招标公示期未满", "2022-02-09T10:00:00")
    question = letter(town, CLERK, "延期申请待审批")
    before = len(town.letters_to(CLERK))
    unclear = reply(town, CLERK, question, "这个再看看吧", "2022-02-09T11:00:00")
    assert unclear["disposition"] == "held"
    assert len(town.letters_to(CLERK)) == before + 1
    again = letter(town, CLERK, "请予明确答复")
    assert "同意" in text_of(again) and "你办" in text_of(again) and "你单位" not in text_of(again)
    assert reply(town, CLERK, question, "同意", "2022-02-09T11:30:00")["disposition"] == "replied"
    assert not town.rows("held") and problem(town)["deadline"] == "2022-04-30"


def test_the_letter_that_asks_again_can_be_answered_itself(town: Town) -> None:
    assignment = referred(town)
    reply(town, SECTION, assignment, "延期至 2022-04-30：招标公示期未满", "2022-02-09T10:00:00")
    reply(town, CLERK, letter(town, CLERK, "延期申请待审批"), "这个再看看吧", "2022-02-09T11:00:00")
    reply(town, CLERK, letter(town, CLERK, "请予明确答复"), "同意", "2022-02-09T11:30:00")
    assert not town.rows("held") and problem(town)["deadline"] == "2022-04-30"


def test_the_office_s_late_consent_is_not_held_but_told_to_be_too_late(town: Town) -> None:
    assignment = referred(town)
    reply(town, SECTION, assignment, "办结：已换灯管", "2022-02-15T10:00:00")
    question = letter(town, CLERK, "办结待审核")
    reply(town, SCHOOL, letter(town, SCHOOL, "评价"), "不满意：仍有五间教室未改", "2022-02-16T10:00:00")
    before = len(town.letters_to(CLERK))
    late = reply(town, CLERK, question, "同意", "2022-02-16T11:00:00")
    assert late["disposition"] == "replied" and problem(town)["state"] == "rework"
    (told,) = town.letters_to(CLERK)[before:]
    assert "不需再办" in text_of(told) and not town.rows("held")


def test_a_circular_ordered_beside_something_else_is_refused_at_once(town: Town) -> None:
    referred(town)
    number = problem(town)["number"]
    fresh(town, CLERK, f"催办 {number}\n通报", "2022-02-09T10:00:00")
    question = letter(town, CLERK, "回复内容待确认")
    assert "汇总、通报由工委办单独来信" in text_of(question)
    assert not [one for one in town.letters_to(CLERK) if "办理事项待确认" in one["Subject"]]


def test_a_request_for_more_time_says_each_thing_once(town: Town) -> None:
    assignment = referred(town)
    reply(town, SECTION, assignment, "延期至 2022-04-30：招标公示期未满", "2022-02-09T10:00:00")
    text = text_of(letter(town, CLERK, "延期申请待审批"))
    assert text.count("招标公示期未满") == 1 and "2022-04-30" not in text


@pytest.mark.parametrize(
    ("words", "section"),
    [
        ("基本建设科", "基本建设科"),
        ("转基建科", "基本建设科"),
        ("由基建科办理", "基本建设科"),
        ("不转基建科", None),
    ],
)
def test_the_office_names_a_section_in_its_own_words(town: Town, words: str, section: str | None) -> None:
    assignment = referred(town)
    reply(town, SECTION, assignment, "退回：属基建科职责", "2022-02-09T10:00:00")
    reply(town, CLERK, letter(town, CLERK, "申请退回"), words, "2022-02-09T11:00:00")
    assert problem(town)["lead_section"] == section
