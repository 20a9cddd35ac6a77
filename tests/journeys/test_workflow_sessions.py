"""A session from 开期 to the assignment, and the handling sheet that travels."""

from __future__ import annotations

import json
from dataclasses import replace
from email.message import EmailMessage
from io import BytesIO
from pathlib import Path

import openpyxl
import pytest

from tests.journeys.sheets import filled, sheet_of
from tests.journeys.test_main_job import report
from tests.journeys.test_workflow import letter, problem, referred, reply
from tests.journeys.town import (
    CLERK,
    NAMES,
    SECRETARY,
    Town,
    files_of,
    school_address,
    section_address,
    text_of,
)
from tests.servers.mailstack import MailStack

TITLES = ("教室照明不达标", "教室照明灯具老化", "校门口上下学时段交通拥堵", "心理健康教师紧缺")
DETAILS = (
    "36间教室中有21间课桌面照度低于300勒克斯，灯管老化频闪。请求统一安排照明改造。",
    "教学楼教室照明灯具使用十年，课桌面照度低于标准，灯管频闪。请求照明改造。",
    "学校位于主干道，上下学车辆与学生混行。请协调交警部门设护学岗。",
    "全校1200名学生没有专职心理健康教师。请求核增编制。",
)


@pytest.fixture
def town(mail_stack: MailStack, tmp_path: Path) -> Town:
    return Town(mail_stack, tmp_path / "town")


def listed(town: Town) -> list[str]:
    """Four schools' problems on the secretary's list after the office's 开期; the numbers in its order."""
    for number, (title, details) in enumerate(zip(TITLES, DETAILS, strict=True)):
        form = report(unit=f"贵港市{NAMES[number]}", problem=title, details=details)
        at = f"2022-02-08T09:0{number}:00+08:00"
        town.write(school_address(number), "难点问题", "", [form], at=at)
    town.write(CLERK, "开期", "开期", at="2022-02-08T09:30:00+08:00")
    town.once("2022-02-08T09:31+08:00")
    reply(town, CLERK, letter(town, CLERK, "办理事项待确认"), "同意", "2022-02-08T09:40:00")
    text = text_of(letter(town, SECRETARY, "难点问题清单"))
    numbers = [row["number"] for row in town.rows("problems")]
    return sorted(numbers, key=text.index)


def problem_school(town: Town, number: str) -> int:
    """Which school reported a problem."""
    names = [f"贵港市{name}" for name in NAMES]
    return names.index(problem(town, number)["reporting_unit"])


def test_a_session_from_its_opening_to_the_assignment(town: Town) -> None:
    numbers = listed(town)
    offer = letter(town, SECRETARY, "难点问题清单")
    assert {row["state"] for row in town.rows("problems")} == {"submitted"}
    assert "2 所学校反映" in text_of(offer) or "2所学校反映" in text_of(offer)
    assert sheet_of(offer, "清单")
    reply(town, SECRETARY, offer, "选定 2，其余转办。\n务必在本学期内解决。", "2022-02-09T10:00:00")
    assert {row["state"] for row in town.rows("problems")} == {"submitted"}
    assert "务必在本学期内解决" in text_of(letter(town, SECRETARY, "呈核"))
    readback, sheet = letter(town, CLERK, "请确认"), letter(town, CLERK, "交办单")
    reply(town, CLERK, readback, "确认", "2022-02-09T11:00:00")
    assert problem(town, numbers[1])["state"] == "selected"
    history = {line["event"]: line for line in problem(town, numbers[1])["history"]}
    mails = {mail["id"]: mail["from"] for mail in town.rows("mail")}
    assert [mails[history[name]["mail"]] for name in ("selected", "confirmed")] == [SECRETARY, CLERK]
    assert history["selected"]["by"] == history["instructed"]["by"] == "书记"
    assert problem(town, numbers[0])["state"] == "referred"
    # Nobody is told of a referral before the section is known that it goes to.
    referred_school = school_address(problem_school(town, numbers[0]))
    assert not [one for one in town.letters_to(referred_school) if "已转有关科室" in one["Subject"]]
    rows = {
        number: {"牵头科室": "基建科", "协办科室": "计财科、安稳科", "办结时限": "2022-04-15"}
        for number in numbers[:3]
    }
    book = filled(sheet, "交办单", rows=rows)
    reply(town, CLERK, sheet, "", "2022-02-09T15:00:00", [book])
    states = {number: problem(town, number)["state"] for number in numbers}
    assert states == {
        numbers[0]: "assigned",
        numbers[1]: "assigned",
        numbers[2]: "assigned",
        numbers[3]: "referred",
    }
    row = problem(town, numbers[1])
    assert (row["lead_section"], row["assist_sections"]) == ("基本建设科", ["计划财务科", "安全稳定科"])
    assert row["deadline"] == "2022-04-15"
    (news,) = [one for one in town.letters_to(referred_school) if "已转有关科室" in one["Subject"]]
    assert "转基本建设科办理" in text_of(news) and "2022年4月15日" in text_of(news)
    back = letter(town, CLERK, "来信办理情况回执")
    assert numbers[3] in text_of(back) and "没有填写牵头科室" in text_of(back)
    assignment = next(one for one in town.letters_to(section_address(4)) if numbers[1] in one["Subject"])
    assert "务必在本学期内解决" in text_of(assignment)
    # The sheet that came too late for its rows assigns nothing twice.
    reply(town, CLERK, sheet, "", "2022-02-10T09:00:00", [book])
    assert len([one for one in town.letters_to(section_address(4)) if "交办" in one["Subject"]]) == 3
    rest = filled(sheet, "交办单", rows={numbers[3]: {"牵头科室": "人事科"}})
    reply(town, CLERK, sheet, "", "2022-02-10T10:00:00", [rest])
    assert problem(town, numbers[3])["state"] == "assigned"


def test_more_than_two_picks_are_questioned_once_and_foreign_picks_change_nothing(town: Town) -> None:
    numbers = listed(town)
    offer = letter(town, SECRETARY, "难点问题清单")
    assert reply(town, CLERK, offer, "选定 1", "2022-02-09T09:00:00")["disposition"] == "held"
    assert reply(town, SECRETARY, offer, "选定 9", "2022-02-09T09:30:00")["disposition"] == "held"
    reply(town, SECRETARY, offer, "选定 1、2、3", "2022-02-09T10:00:00")
    doubt = letter(town, SECRETARY, "请明确选题")
    assert not [one for one in town.letters_to(CLERK) if "请确认" in one["Subject"]]
    reply(town, SECRETARY, doubt, "选定 1、2、3", "2022-02-09T11:00:00")
    first = letter(town, CLERK, "请确认")
    reply(town, SECRETARY, doubt, "选定 4", "2022-02-09T12:00:00")
    stale = reply(town, CLERK, first, "确认", "2022-02-09T13:00:00")
    assert stale["disposition"] == "held"
    reply(town, CLERK, letter(town, CLERK, "请确认"), "确认", "2022-02-09T14:00:00")
    assert [problem(town, number)["state"] for number in numbers] == [*["referred"] * 3, "selected"]


def test_the_secretary_chooses_in_the_workbook_and_the_returned_sheet_confirms(town: Town) -> None:
    numbers = listed(town)
    offer = letter(town, SECRETARY, "难点问题清单")
    book = filled(offer, "清单", rows={numbers[0]: {"书记意见": "选定"}, numbers[2]: {"书记意见": "转办"}})
    assert reply(town, SECRETARY, offer, "", "2022-02-09T10:00:00", [book])["disposition"] == "replied"
    sheet = letter(town, CLERK, "交办单")
    rows = {number: {"牵头科室": "基建科"} for number in numbers}
    reply(town, CLERK, sheet, "见附件", "2022-02-09T15:00:00", [filled(sheet, "交办单", rows=rows)])
    assert {problem(town, number)["state"] for number in numbers} == {"assigned"}
    assert "selected" in [line["event"] for line in problem(town, numbers[0])["history"]]


def test_blanks_left_empty_in_an_older_sheet_contradict_nothing(town: Town) -> None:
    assignment = referred(town)
    section = section_address(0)
    first = filled(assignment, "办理单", labels={"工作方案": "分两批改造"})
    reply(town, section, assignment, "签收", "2022-02-09T10:00:00", [first])
    reply(town, section, assignment, "方案：一次改造完毕", "2022-02-10T10:00:00")
    older = filled(assignment, "办理单", labels={"办理进展": "已勘察"})
    mail = reply(town, section, assignment, "", "2022-02-11T10:00:00", [older])
    assert (mail["disposition"], mail["reason"]) == ("replied", None)
    assert problem(town)["history"][-1]["text"] == "已勘察"
    # A blank that says something else than what was put on file meanwhile is refused, and told.
    stale = filled(assignment, "办理单", labels={"工作方案": "分三批改造"}, again=first.data)
    mail = reply(town, section, assignment, "", "2022-02-11T11:00:00", [stale])
    assert "一次改造完毕" in mail["reason"]
    assert "分三批改造" not in json.dumps(problem(town)["history"], ensure_ascii=False)


def test_a_handling_sheet_travels_and_counts_only_what_is_new(town: Town) -> None:
    assignment = referred(town)
    section = section_address(0)
    first = filled(
        assignment, "办理单", labels={"工作方案": "分两批改造", "责任人": "韦明理", "办理进展": "已勘察"}
    )
    reply(town, section, assignment, "签收", "2022-02-09T10:00:00", [first])
    row = problem(town)
    events = [line["event"] for line in row["history"]]
    assert row["state"] == "in_progress"
    assert events.count("planned") == events.count("progress") == 1
    again = filled(assignment, "办理单", labels={"办理进展": "已勘察\n已招标"}, again=first.data)
    reply(town, section, assignment, "", "2022-02-16T10:00:00", [again])
    events = [line["event"] for line in problem(town)["history"]]
    assert (events.count("planned"), events.count("progress")) == (1, 2)
    assert problem(town)["history"][-1]["text"] == "已招标"
    measures = [
        {"任务措施": "更换灯具", "责任部门": "基建科", "完成时限": "2022-03-15"},
        {"任务措施": "复测照度", "责任部门": "体卫艺科", "完成时限": "2022-03-20"},
    ]
    visit = filled(
        assignment,
        "办理单",
        labels={"一线办理日期": "2022-02-17", "一线办理结果": "制定解决方案"},
        table=measures,
        again=again.data,
    )
    reply(town, section, assignment, "", "2022-02-18T10:00:00", [visit])
    row = problem(town)
    assert row["state"] == "on_site"
    assert [one["deadline"] for one in row["measures"]] == ["2022-03-15", "2022-03-20"]
    done = [measures[0] | {"完成情况": "已更换"}, measures[1]]
    reply(
        town,
        section,
        assignment,
        "",
        "2022-03-14T10:00:00",
        [filled(assignment, "办理单", table=done, again=visit.data)],
    )
    assert [one["done"] for one in problem(town)["measures"]] == [True, False]


def test_a_measure_is_chased_with_the_section_that_is_responsible_for_it(town: Town) -> None:
    assignment = referred(town)
    section, builders = section_address(0), section_address(4)
    measures = [
        {"任务措施": "更换灯具", "责任部门": "基建科", "完成时限": "2022-02-23"},
        {"任务措施": "复测照度", "责任部门": "学校", "完成时限": "2022-03-25"},
    ]
    labels = {"一线办理日期": "2022-02-17", "一线办理结果": "制定解决方案"}
    book = filled(assignment, "办理单", labels=labels, table=measures)
    reply(town, section, assignment, "签收", "2022-02-18T10:00:00", [book])
    assert problem(town)["assist_sections"] == ["基本建设科"]
    told = letter(town, builders, "协办")
    assert "更换灯具（2022年2月23日" in text_of(told) and sheet_of(told, "办理单")
    town.once("2022-02-24T09:05+08:00")
    chase = letter(town, builders, "催办")
    assert "更换灯具" in text_of(chase) and section in str(chase["Cc"])
    assert not [one for one in town.letters_to(section) if one["To"] == section and "催办" in one["Subject"]]
    reply(town, builders, chase, "办结：已全部更换", "2022-02-24T10:00:00")
    row = problem(town)
    assert (row["state"], [one["done"] for one in row["measures"]]) == ("on_site", [True, False])
    again = reply(town, builders, chase, "办结：已全部更换", "2022-02-24T11:00:00")
    assert again["disposition"] == "held" and "牵头科室" in str(again["reason"])


def test_a_measure_of_several_sections_is_chased_with_each_of_them(town: Town) -> None:
    assignment, section = referred(town), section_address(0)
    measures = [
        {"任务措施": "更换灯具", "责任部门": "基建科、计财科", "完成时限": "2022-02-23"},
        {"任务措施": "复测照度", "责任部门": "总务处和人事科", "完成时限": "2022-02-23"},
    ]
    labels = {"一线办理日期": "2022-02-17", "一线办理结果": "制定解决方案"}
    book = filled(assignment, "办理单", labels=labels, table=measures)
    reply(town, section, assignment, "签收", "2022-02-18T10:00:00", [book])
    assert problem(town)["assist_sections"] == ["基本建设科", "计划财务科", "人事科"]
    town.once("2022-02-24T09:05+08:00")
    for place, work in ((4, "更换灯具"), (2, "更换灯具"), (3, "复测照度")):
        chase = letter(town, section_address(place), "催办")
        assert work in text_of(chase) and section in str(chase["Cc"])


def test_the_office_s_own_chase_goes_to_whom_the_measure_belongs(town: Town) -> None:
    assignment, section, builders = referred(town), section_address(0), section_address(4)
    measures = [{"任务措施": "更换灯具", "责任部门": "基建科", "完成时限": "2022-03-23"}]
    labels = {"一线办理日期": "2022-02-17", "一线办理结果": "制定解决方案"}
    book = filled(assignment, "办理单", labels=labels, table=measures)
    reply(town, section, assignment, "签收", "2022-02-18T10:00:00", [book])
    number = problem(town)["number"]
    town.write(CLERK, "催办", f"催办 {number}", at="2022-02-18T11:00:00+08:00")
    town.once("2022-02-18T11:00+08:00")
    reply(town, CLERK, letter(town, CLERK, "催办"), "同意", "2022-02-18T14:00:00")
    chase = letter(town, builders, "催办")
    assert "更换灯具" in text_of(chase) and section in str(chase["Cc"])
    done = reply(town, builders, chase, "办结：已更换", "2022-02-21T10:00:00")
    assert done["disposition"] == "replied" and problem(town)["measures"][0]["done"]


def test_a_visit_that_a_section_proposes_is_announced_when_the_office_agrees(town: Town) -> None:
    assignment = referred(town)
    labels = {"一线办理日期": "2022-03-01 15:00", "参加人员": "书记、科长、校长"}
    book = filled(assignment, "办理单", labels=labels)
    reply(town, section_address(0), assignment, "", "2022-02-18T10:00:00", [book])
    assert not [one for one in town.letters_to(SECRETARY) if "现场办理" in one["Subject"]]
    asked = letter(town, CLERK, "一线办理时间待审定")
    assert "2022年3月1日（星期二）下午3:00" in text_of(asked)
    later = filled(assignment, "办理单", labels={"一线办理日期": "2022-03-02 15:00"}, again=book.data)
    reply(town, section_address(0), assignment, "", "2022-02-18T11:00:00", [later])
    reply(town, CLERK, asked, "同意", "2022-02-18T11:30:00")  # the section has proposed another day since
    assert not [one for one in town.letters_to(SECRETARY) if "现场办理" in one["Subject"]]
    reply(town, CLERK, letter(town, CLERK, "一线办理时间待审定"), "同意", "2022-02-18T12:00:00")
    for address in (school_address(0), section_address(0), SECRETARY, "head00@school.test"):
        invitation = letter(town, address, "现场办理")
        assert b"20220302T150000" in next(
            data for name, data in files_of(invitation).items() if name.endswith(".ics")
        )
    assert letter(town, CLERK, "现场办理通知")
    assert "妥否，请批示" in text_of(letter(town, SECRETARY, "现场办理"))


@pytest.mark.parametrize(
    ("words", "entry"),
    [
        ("不同意，改到3月3日", b"20220303T150000"),
        ("不同意：书记当日有会，请改为3月3日上午9点半", b"20220303T093000"),
        ("改到 3月3日上午9:30", b"20220303T093000"),
    ],
)
def test_the_office_names_another_day_for_a_visit_itself(town: Town, words: str, entry: bytes) -> None:
    assignment = referred(town)
    book = filled(assignment, "办理单", labels={"一线办理日期": "2022-03-01 15:00"})
    reply(town, section_address(0), assignment, "", "2022-02-18T10:00:00", [book])
    mail = reply(town, CLERK, letter(town, CLERK, "一线办理时间待审定"), words, "2022-02-18T11:00:00")
    assert mail["disposition"] == "replied"
    for address in (school_address(0), section_address(0), SECRETARY):
        invitation = letter(town, address, "现场办理")
        assert entry in next(data for name, data in files_of(invitation).items() if name.endswith(".ics"))


def test_a_section_hears_that_its_day_for_a_visit_is_refused_and_proposes_another(town: Town) -> None:
    assignment = referred(town)
    section = section_address(0)
    book = filled(assignment, "办理单", labels={"一线办理日期": "2022-03-01 15:00"})
    reply(town, section, assignment, "", "2022-02-18T10:00:00", [book])
    asked = letter(town, CLERK, "一线办理时间待审定")
    reply(town, CLERK, asked, "不同意：书记当日有会", "2022-02-18T11:00:00")
    told = letter(town, section, "办理情况变化告知")
    assert "2022-03-01 15:00未获同意（书记当日有会）" in text_of(told)
    other = filled(assignment, "办理单", labels={"一线办理日期": "2022-03-04"}, again=book.data)
    reply(town, section, told, "", "2022-02-18T12:00:00", [other])
    again = letter(town, CLERK, "一线办理时间待审定")
    assert again["Message-ID"] != asked["Message-ID"] and "3月4日" in text_of(again)


def test_an_assisting_section_that_declines_is_taken_off_by_the_office(town: Town) -> None:
    form = report(levels=("section",), sections=("基教科", "计财科"))
    town.write(school_address(0), "难点问题", "", [form], at="2022-02-08T09:30:00+08:00")
    town.once("2022-02-08T09:30+08:00")
    asked = letter(town, section_address(2), "协办")
    for words in ("方案:", "延期至"):
        assert words not in text_of(asked)
    reply(town, section_address(2), asked, "退回：与经费无关", "2022-02-08T10:00:00")
    assert (problem(town)["state"], problem(town)["lead_section"]) == ("assigned", "基础教育科")
    reply(town, CLERK, letter(town, CLERK, "协办科室申请退回"), "同意", "2022-02-08T11:00:00")
    assert (problem(town)["state"], problem(town)["assist_sections"]) == ("assigned", [])
    assert "不再请你科协助办理" in text_of(town.letters_to(section_address(2))[-1])


def test_a_stranger_s_workbook_orders_nothing(town: Town) -> None:
    assignment = referred(town)
    book = filled(assignment, "办理单", labels={"完成情况": "全部完成"})
    held = [
        reply(town, section_address(1), assignment, "", "2022-02-18T10:00:00", [book]),
        reply(
            town,
            school_address(0),
            letter(town, school_address(0), "收件回执"),
            "",
            "2022-02-18T10:10:00",
            [book],
        ),
    ]
    town.write(section_address(0), "办理单", "", [book], at="2022-02-18T10:20:00+08:00")
    town.once("2022-02-18T10:20+08:00")
    held.append(town.rows("mail")[-1])
    assert [mail["disposition"] for mail in held] == ["held"] * 3
    # The office sees the sheet itself, under the name that it has among people.
    asked = [one for one in town.letters_to(CLERK) if "WT-" in one["Subject"]]
    assert asked and all(book.data in files_of(one).values() for one in asked)
    assert all(f"“难点问题办理单”（{problem(town)['number']}）" in text_of(one) for one in asked)
    assert problem(town)["state"] == "assigned"


def test_a_row_that_the_secretary_added_does_not_undo_his_choice(town: Town) -> None:
    numbers = listed(town)
    offer = letter(town, SECRETARY, "难点问题清单")
    book = filled(offer, "清单", rows={numbers[0]: {"书记意见": "选定"}, numbers[2]: {"书记意见": "转办"}})
    loaded = openpyxl.load_workbook(BytesIO(book.data))
    sheet = loaded.worksheets[0]
    place = next(cell.row for row in sheet.iter_rows() for cell in row if cell.value == numbers[-1])
    sheet.cell(row=place + 1, column=4).value = "自行添加的问题"
    out = BytesIO()
    loaded.save(out)
    more = replace(book, data=out.getvalue())
    assert reply(town, SECRETARY, offer, "", "2022-02-09T10:00:00", [more])["disposition"] == "replied"
    for reader in (SECRETARY, CLERK):
        assert "此行不在发出的表中" in text_of(letter(town, reader, "选"))
    reply(town, CLERK, letter(town, CLERK, "请确认"), "确认", "2022-02-09T11:00:00")
    assert problem(town, numbers[0])["state"] == "selected"


def test_the_secretary_s_consent_to_his_own_read_back_is_noted_and_the_office_still_confirms(
    town: Town,
) -> None:
    numbers = listed(town)
    reply(town, SECRETARY, letter(town, SECRETARY, "难点问题清单"), "选定 1", "2022-02-09T10:00:00")
    readback = town.letters_to(SECRETARY)[-1]
    for words in ("确认", "无误，同意", "同意"):
        mail = reply(town, SECRETARY, readback, words, "2022-02-09T11:00:00")
        assert mail["disposition"] == "replied" and "核对无误" in mail["reason"]
    assert problem(town, numbers[0])["state"] != "selected" and not town.rows("held")
    reply(town, CLERK, letter(town, CLERK, "请确认"), "确认", "2022-02-09T12:00:00")
    assert problem(town, numbers[0])["state"] == "selected"


def newest_sheet(town: Town, address: str) -> EmailMessage:
    """The newest letter to somebody that carries a handling sheet."""
    return [one for one in town.letters_to(address) if any("办理单" in name for name in files_of(one))][-1]


def stands(town: Town, label: str) -> str:
    """What a problem's handling sheet says now, as `djb show` tells it."""
    card = town.djb("show", problem(town)["number"]).partition("办理单")[2]
    return card.partition(label)[2].split()[0]


def test_an_older_copy_of_a_sheet_undoes_nothing_and_hears_what_stands(town: Town) -> None:
    first, section = referred(town), section_address(0)
    plan = filled(first, "办理单", labels={"工作方案": "甲方案"})
    reply(town, section, first, "签收", "2022-02-09T10:00:00", [plan])
    # A refused cell brings a fresh copy, and is refused again for the same reason when it comes again.
    labels = {"责任人": "韦明理", "一线办理日期": "2022-03-20", "一线办理结果": "现场解决"}
    early = filled(first, "办理单", labels=labels, again=plan.data)
    for hour in (11, 12):
        mail = reply(town, section, first, "", f"2022-02-09T{hour}:00:00", [early])
        assert "尚未到" in mail["reason"]
    second = newest_sheet(town, section)
    untouched = filled(second, "办理单")
    mail = reply(town, section, second, "", "2022-02-10T10:00:00", [untouched])
    assert mail["reason"] == "表中没有新的改动"
    stale = filled(first, "办理单", labels={"工作方案": "乙方案"}, again=plan.data)
    mail = reply(town, section, first, "", "2022-02-11T10:00:00", [stale])
    assert "甲方案" in mail["reason"] and "乙方案" in mail["reason"]
    assert "甲方案" in stands(town, "工作方案")
    third = newest_sheet(town, section)
    renewed = filled(third, "办理单", labels={"工作方案": "乙方案"})
    mail = reply(town, section, third, "", "2022-02-11T11:00:00", [renewed])
    assert mail["reason"] is None and "乙方案" in stands(town, "工作方案")
    assert "由“甲方案”改为“乙方案”" in text_of(town.letters_to(section)[-1])


def test_a_section_corrects_itself_in_its_newest_copy_and_clears_nothing(town: Town) -> None:
    assignment, section = referred(town), section_address(0)
    plan = filled(assignment, "办理单", labels={"工作方案": "甲方案", "责任人": "韦明理"})
    reply(town, section, assignment, "签收", "2022-02-09T10:00:00", [plan])
    better = filled(assignment, "办理单", labels={"工作方案": "乙方案"}, again=plan.data)
    mail = reply(town, section, assignment, "", "2022-02-10T10:00:00", [better])
    assert mail["reason"] is None and "乙方案" in stands(town, "工作方案")
    assert "由“甲方案”改为“乙方案”" in text_of(town.letters_to(section)[-1])
    cleared = filled(assignment, "办理单", labels={"责任人": ""}, again=better.data)
    mail = reply(town, section, assignment, "", "2022-02-11T10:00:00", [cleared])
    assert "责任人" in mail["reason"] and "韦明理" in mail["reason"]
    assert "韦明理" in stands(town, "责任人")


def test_measures_of_an_older_copy_do_not_replace_those_that_stand(town: Town) -> None:
    first, section = referred(town), section_address(0)
    measures = [{"任务措施": "更换灯具", "责任部门": "基础教育科", "完成时限": "2022-03-15"}]
    labels = {"一线办理日期": "2022-02-17", "一线办理结果": "制定解决方案", "办理进展": "已勘察"}
    book = filled(first, "办理单", labels=labels, table=measures)
    reply(town, section, first, "签收", "2022-02-18T10:00:00", [book])
    own = filled(first, "办理单", table=[measures[0] | {"完成时限": "2022-03-25"}], again=book.data)
    mail = reply(town, section, first, "", "2022-02-21T10:00:00", [own])
    assert (mail["reason"], problem(town)["measures"][0]["deadline"]) == (None, "2022-03-25")
    # With what was refused comes a newer copy.
    fault = filled(first, "办理单", labels={"攻坚队伍": "攻关小组", "调研情况·实质": "=1+1"}, again=own.data)
    reply(town, section, first, "", "2022-02-22T10:00:00", [fault])
    assert newest_sheet(town, section)["Message-ID"] != first["Message-ID"]
    stale = filled(first, "办理单", table=[measures[0] | {"任务措施": "更换全部灯具"}], again=own.data)
    mail = reply(town, section, first, "", "2022-02-23T10:00:00", [stale])
    assert "更换灯具，" in mail["reason"] and "更换全部灯具" in mail["reason"]
    assert problem(town)["measures"][0]["measure"] == "更换灯具"


def test_a_problem_of_both_levels_stays_with_the_section_that_got_it_in_the_end(town: Town) -> None:
    both = report(levels=("secretary", "section"), sections=("人事科",))
    town.write(school_address(0), "难点问题", "", [both], at="2022-02-08T09:00:00+08:00")
    town.once("2022-02-08T09:01+08:00")
    reply(
        town,
        section_address(3),
        letter(town, section_address(3), "交办"),
        "退回：不属我科职责",
        "2022-02-08T10:00:00",
    )
    town.write(CLERK, "开期", "开期", at="2022-02-08T10:30:00+08:00")
    town.once("2022-02-08T10:31+08:00")
    reply(town, CLERK, letter(town, CLERK, "办理事项待确认"), "同意", "2022-02-08T10:40:00")
    # The list has it also while a section is sought.
    offer = letter(town, SECRETARY, "难点问题清单")
    reply(town, CLERK, letter(town, CLERK, "科室申请退回"), "转基础教育科办理", "2022-02-08T11:00:00")
    reply(town, SECRETARY, offer, "选定 1", "2022-02-09T10:00:00")
    _, data = sheet_of(letter(town, CLERK, "交办单"), "交办单")
    cells = [str(cell.value) for row in openpyxl.load_workbook(BytesIO(data)).worksheets[0] for cell in row]
    assert "基础教育科" in cells
    assert "人事科" not in cells


def test_a_section_that_may_not_give_back_hears_why_and_the_school_hears_nothing_twice(town: Town) -> None:
    assignment = referred(town)
    reply(town, section_address(0), assignment, "退回：不属我科职责", "2022-02-08T10:00:00")
    before = len(town.letters_to(school_address(0)))
    reply(town, CLERK, letter(town, CLERK, "科室申请退回"), "不同意：校舍属该科职责", "2022-02-08T11:00:00")
    told = text_of(letter(town, section_address(0), "交办"))
    assert "仍由你科办理，理由：校舍属该科职责。" in told
    assert len(town.letters_to(school_address(0))) == before
