"""What the calendar does by itself: chases, silences, briefs, regular sessions, the forecast."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from daemon.envelope import Attachment
from tests.journeys.test_main_job import report
from tests.journeys.test_workflow import letter, problem, referred, reply
from tests.journeys.test_workflow_sessions import listed
from tests.journeys.town import (
    BUREAU,
    CLERK,
    COMMITTEE,
    SECRETARY,
    Town,
    files_of,
    school_address,
    section_address,
    text_of,
)
from tests.servers.mailstack import MailStack

SECTION = section_address(0)
HEAD = "sectionhead00@qq.com"
SCHOOL = school_address(0)


@pytest.fixture
def town(mail_stack: MailStack, tmp_path: Path) -> Town:
    return Town(mail_stack, tmp_path / "town")


def chases(town: Town, address: str) -> list[str]:
    return [one["Subject"] for one in town.letters_to(address) if "催办" in one["Subject"]]


def plan(town: Town, first: str, last: str) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = json.loads(town.djb("plan", "--from", first, "--to", last, "--json"))
    return rows


def test_a_section_that_does_not_sign_is_chased_step_by_step_and_never_twice(town: Town) -> None:
    referred(town)
    town.once("2022-02-09T09:05+08:00")
    assert not chases(town, SECTION)
    town.once("2022-02-10T08:30+08:00")
    assert not chases(town, SECTION)
    for moment in ("2022-02-10T09:00", "2022-02-10T09:30", "2022-02-10T15:00"):
        town.once(f"{moment}+08:00")
    assert len(chases(town, SECTION)) == 1
    assert not chases(town, HEAD)
    first = text_of(letter(town, SECTION, "催办"))
    assert "签收" in first and "退回:" in first and "办结:" not in first
    town.once("2022-02-11T09:05+08:00")
    assert len(chases(town, SECTION)) == 2
    assert "退回:" not in text_of(letter(town, SECTION, "催办"))  # too late for that
    assert len(chases(town, HEAD)) == 1
    town.once("2022-02-16T09:05+08:00")
    overdue = letter(town, BUREAU, "逾期清单")
    assert any(name.endswith(".xlsx") for name in files_of(overdue))
    assert "应于2022年2月9日（星期三）前签收" in text_of(overdue)
    assert len(chases(town, SECTION)) == 2


def test_nobody_is_chased_on_a_rest_day_nor_after_closure(town: Town) -> None:
    assignment = referred(town, at="2022-02-10T16:00:00")
    for moment in ("2022-02-11T10:00", "2022-02-12T10:00", "2022-02-13T10:00"):
        town.once(f"{moment}+08:00")
    assert not chases(town, SECTION)
    reply(town, SECTION, assignment, "办结：已全部改造", "2022-02-14T08:10:00")
    reply(town, CLERK, letter(town, CLERK, "办结待审核"), "同意", "2022-02-14T08:20:00")
    reply(town, SCHOOL, letter(town, SCHOOL, "评价"), "满意", "2022-02-14T08:30:00")
    for day in ("14", "15", "16", "21", "28"):
        town.once(f"2022-02-{day}T09:30+08:00")
    assert not chases(town, SECTION)


def test_a_claim_and_an_approved_extension_stop_the_chase(town: Town) -> None:
    assignment = referred(town)
    reply(town, SECTION, assignment, "已报", "2022-02-10T08:00:00")
    for day in ("10", "11", "14", "16"):
        town.once(f"2022-02-{day}T09:30+08:00")
    assert not chases(town, SECTION)
    reply(town, CLERK, letter(town, CLERK, "已报声明"), "否", "2022-02-16T10:00:00")
    town.once("2022-02-17T09:30+08:00")
    assert len(chases(town, SECTION)) == 0
    assert letter(town, BUREAU, "逾期清单")


def test_a_silent_school_is_not_a_satisfied_one(town: Town) -> None:
    assignment = referred(town)
    reply(town, SECTION, assignment, "办结：已全部改造", "2022-02-14T10:00:00")
    reply(town, CLERK, letter(town, CLERK, "办结待审核"), "同意", "2022-02-14T11:00:00")
    for day in ("15", "16", "17"):
        town.once(f"2022-02-{day}T09:30+08:00")
        assert problem(town)["state"] == "completion_reported"
    town.once("2022-02-18T09:30+08:00")
    question = letter(town, CLERK, "回访未答复待审定")
    assert problem(town)["state"] == "completion_reported"
    reply(town, CLERK, question, "同意", "2022-02-18T10:00:00")
    assert problem(town)["state"] == "closed"


def test_a_school_is_reminded_of_its_correction_and_the_office_decides_at_last(town: Town) -> None:
    town.write(SCHOOL, "难点问题", "", [report(levels=())], at="2022-02-08T09:00:00+08:00")
    town.once("2022-02-08T09:05+08:00")
    for day in ("09", "10", "11", "14", "15"):
        town.once(f"2022-02-{day}T09:30+08:00")
    asked = [one for one in town.letters_to(SCHOOL) if "补正" in one["Subject"]]
    assert len(asked) == 3
    assert any(name.endswith(".docx") for name in files_of(asked[-1]))
    assert len([one for one in town.letters_to("head00@school.test") if "补正" in one["Subject"]]) == 1
    town.once("2022-02-18T09:30+08:00")
    question = letter(town, CLERK, "逾期未补正")
    reply(town, CLERK, question, "不予受理：逾期未补正", "2022-02-18T10:00:00")
    assert problem(town)["state"] == "declined"


def test_the_office_gets_one_brief_a_working_day(town: Town) -> None:
    referred(town)
    stranger = town.stack.add_person("nobody@qq.com")
    town.write(stranger, "报表", "", [report()], at="2022-02-08T15:00:00+08:00")
    town.once("2022-02-08T15:05+08:00")
    for moment in ("09T08:00", "09T09:00", "09T14:00", "10T09:30", "12T09:30"):
        town.once(f"2022-02-{moment}+08:00")
    briefs = [one for one in town.letters_to(CLERK) if "晨报" in one["Subject"]]
    assert len(briefs) == 2
    assert "nobody@qq.com" in text_of(briefs[0])
    assert problem(town)["number"] in text_of(briefs[0])


def test_the_regular_session_opens_ten_working_days_ahead_and_the_office_is_reminded(town: Town) -> None:
    town.write(SCHOOL, "难点问题", "", [report()], at="2022-02-08T09:00:00+08:00")
    town.once("2022-02-08T09:05+08:00")
    expected = [row for row in plan(town, "2022-02-08", "2022-03-10") if row["kind"] == "problem_list"]
    assert [row["due_at"] for row in expected] == ["2022-02-15T09:00:00+08:00"]
    town.once("2022-02-14T09:05+08:00")
    assert not [one for one in town.letters_to(SECRETARY) if "清单" in one["Subject"]]
    town.once("2022-02-15T09:05+08:00")
    assert problem(town)["session"] == "QC-2022-01"
    assert letter(town, SECRETARY, "难点问题清单")
    town.once("2022-02-17T09:05+08:00")
    town.once("2022-02-18T09:05+08:00")
    town.once("2022-02-21T09:05+08:00")
    assert len([one for one in town.letters_to(CLERK) if "书记选题待提请" in one["Subject"]]) == 1
    town.once("2022-03-01T09:05+08:00")
    assert len([one for one in town.letters_to(SECRETARY) if "清单" in one["Subject"]]) == 1
    assert letter(town, CLERK, "台账")
    assert letter(town, COMMITTEE, "办理情况报告")


def test_the_forecast_names_what_the_days_then_bring(town: Town) -> None:
    referred(town)
    wanted = ("section_chase", "overdue_list", "morning_brief")
    foreseen = [
        (row["kind"], tuple(row["to"]), row["due_at"][:10])
        for row in plan(town, "2022-02-09", "2022-02-17")
        if row["kind"] in wanted
    ]
    for day in ("09", "10", "11", "14", "15", "16", "17"):
        town.once(f"2022-02-{day}T09:00+08:00")
    came = [
        (row["kind"], tuple(row["to"]), row["due_at"][:10])
        for row in town.rows("letters")
        if row["kind"] in wanted
    ]
    assert sorted(foreseen) == sorted(came)


def test_the_secretary_hears_weekly_of_what_he_chose(town: Town) -> None:
    numbers = listed(town)
    reply(town, SECRETARY, letter(town, SECRETARY, "难点问题清单"), "选定 1", "2022-02-09T10:00:00")
    reply(town, CLERK, letter(town, CLERK, "请确认"), "确认", "2022-02-09T11:00:00")
    for moment in ("10T09:30", "11T09:30", "14T09:30", "15T09:30"):
        town.once(f"2022-02-{moment}+08:00")
    (brief,) = [one for one in town.letters_to(SECRETARY) if "简报" in one["Subject"]]
    assert numbers[0] in text_of(brief)
    reply(town, SECRETARY, brief, f"{numbers[0]}请本周内到校现场办理", "2022-02-15T10:00:00")
    reply(town, CLERK, letter(town, CLERK, "办理事项待确认"), "确认", "2022-02-15T11:00:00")
    said = [line for line in problem(town, numbers[0])["history"] if line["event"] == "instructed"][-1]
    mails = {mail["id"]: mail["from"] for mail in town.rows("mail")}
    assert (said["by"], mails[said["mail"]]) == ("书记", SECRETARY)


def test_the_ledger_and_the_list_are_exported(town: Town) -> None:
    referred(town)
    for what in ("ledger", "problem-list"):
        file = town.folder / f"{what}.xlsx"
        town.djb("export", what, str(file))
        assert file.read_bytes()[:2] == b"PK"
    town.djb("show", problem(town)["number"])


def test_clues_of_other_sources_are_registered_once(town: Town) -> None:
    from daemon.ledgers import clue_register
    from tests.journeys.sheets import filled_bytes

    rows = [
        {"来源": "12345热线", "反映单位": "荷城中学", "难点问题": "校门口摊贩占道", "收到日期": "2022-02-07"},
        {"来源": "市领导交办", "难点问题": "校车线路调整"},
        {"来源": "街谈巷议", "难点问题": "不在来源之列"},
    ]
    data = filled_bytes(clue_register("XS-2022-01").data, rows)
    book = Attachment("问题线索登记表.xlsx", data, "application/octet-stream")
    for _ in range(2):
        town.write(CLERK, "线索", "请登记", [book], at="2022-02-08T10:00:00+08:00")
        town.once("2022-02-08T10:05+08:00")
    found = {row["problem"]: row["source"] for row in town.rows("problems")}
    assert found == {"校门口摊贩占道": "hotline_12345", "校车线路调整": "city_leader"}
    assert "街谈巷议" in text_of(letter(town, CLERK, "来信办理情况回执", "已办理2项"))


def test_a_section_that_mail_does_not_reach_is_not_chased_until_it_writes(town: Town) -> None:
    assignment = referred(town)
    mail = assignment["Message-ID"]
    report_of = f"Reporting-MTA: dns; mx.qq.com\n\nFinal-Recipient: rfc822; {SECTION}\nAction: failed\nStatus: 5.1.1\n"
    raw = (
        f"From: MAILER-DAEMON@mx.qq.com\nTo: djb3916@163.com\nSubject: Undelivered Mail\n"
        f"Date: Tue, 08 Feb 2022 10:00:00 +0800\nMessage-ID: <bounce1@mx.qq.com>\nReturn-Path: <>\n"
        'MIME-Version: 1.0\nContent-Type: multipart/report; report-type=delivery-status; boundary="b"\n\n'
        f"--b\nContent-Type: text/plain\n\nno such user\n--b\nContent-Type: message/delivery-status\n\n{report_of}\n"
        f"--b\nContent-Type: message/rfc822\n\nMessage-ID: {mail}\nSubject: x\n\nx\n--b--\n"
    )
    town.stack.deposit("djb3916@163.com", [raw.encode()])
    for day in ("08", "10", "11", "16"):
        town.once(f"2022-02-{day}T10:30+08:00")
    assert town.rows("mail")[-1]["disposition"] == "bounce"
    assert not chases(town, SECTION)
    assert SECTION in text_of([one for one in town.letters_to(CLERK) if "晨报" in one["Subject"]][-1])
    reply(town, SECTION, assignment, "签收", "2022-02-17T08:00:00")
    assert problem(town)["state"] == "accepted"
    town.once("2022-02-17T09:30+08:00")
    assert "reachable" in [line["event"] for line in problem(town)["history"]]


def test_the_overdue_list_and_the_circular_name_all_that_is_overdue_now(town: Town) -> None:
    referred(town)
    first = problem(town)["number"]
    town.once("2022-02-10T09:05+08:00")
    form = report(
        unit="贵港市木格实验学校", problem="宿舍热水不足", levels=("section",), sections=("基教科",)
    )
    town.write(school_address(1), "难点问题", "", [form], at="2022-02-11T10:00:00+08:00")
    town.once("2022-02-11T10:05+08:00")
    second = town.rows("problems")[-1]["number"]
    for day in ("14", "15", "16", "17", "18", "21"):
        town.once(f"2022-02-{day}T09:05+08:00")
    lists = [one for one in town.letters_to(BUREAU) if "逾期清单" in one["Subject"]]
    assert len(lists) == 2
    assert text_of(lists[0]).index(first) < text_of(lists[0]).index(second)
    both = text_of(lists[1])
    assert first in both and second in both
    assert "其中本次新列入1项" in both
    # The third chase goes into the circular, although the deadline itself is not past.
    town.write(CLERK, "通报", "通报", at="2022-02-22T10:00:00+08:00")
    town.once("2022-02-22T10:05+08:00")
    reply(town, CLERK, letter(town, CLERK, "办理事项待确认"), "同意", "2022-02-22T10:10:00")
    draft = text_of(letter(town, BUREAU, "请审定"))
    assert f"{first}“" in draft and f"{second}“" in draft
    assert "前签收，已逾期" in draft and "有关承办科室要" in draft


def test_a_closed_problem_is_archived_by_itself_and_stays_findable(town: Town) -> None:
    assignment = referred(town)
    number = problem(town)["number"]
    reply(town, SECTION, assignment, "办结：已全部改造", "2022-02-14T10:00:00")
    reply(town, CLERK, letter(town, CLERK, "办结待审核"), "同意", "2022-02-14T10:10:00")
    reply(town, SCHOOL, letter(town, SCHOOL, "评价"), "满意", "2022-02-14T10:20:00")
    town.once("2022-03-16T09:05+08:00")
    assert problem(town)["state"] == "closed"
    for day in ("17", "18"):
        town.once(f"2022-03-{day}T09:05+08:00")
    assert problem(town)["state"] == "archived"
    assert number in town.djb("show", number)
    late = reply(
        town, SCHOOL, letter(town, SCHOOL, "办理结果"), "灯又坏了，请重新办理", "2022-03-21T10:00:00"
    )
    assert late["disposition"] == "held"
    assert "2022年3月16日" in late["reason"] and "新问题" in late["reason"]
    assert "新问题" in text_of(letter(town, SCHOOL, "来信已收到"))
    assert problem(town)["state"] == "archived"


def test_nobody_is_chased_while_an_answer_lies_with_the_office(town: Town) -> None:
    assignment = referred(town)
    reply(town, SECTION, assignment, "我们科觉得此事还要再商量", "2022-02-09T10:00:00")
    for day in ("10", "11", "14"):
        town.once(f"2022-02-{day}T09:05+08:00")
    assert not chases(town, SECTION)
    assert not [one for one in town.letters_to(BUREAU) if "逾期清单" in one["Subject"]]
    reply(town, CLERK, letter(town, CLERK, "回复内容待确认"), "是", "2022-02-14T10:00:00")
    # The delay was the office's: the section is reminded first, and only then is anybody else told.
    town.once("2022-02-15T09:05+08:00")
    assert len(chases(town, SECTION)) == 1 and not chases(town, HEAD)
    town.once("2022-02-16T09:05+08:00")
    assert len(chases(town, HEAD)) == 1


def test_a_mail_that_waits_for_the_office_stops_only_the_chases_that_it_may_answer(town: Town) -> None:
    assignment = referred(town)
    reply(town, SECTION, assignment, "我们科觉得此事还要再商量", "2022-02-09T10:00:00")
    town.once("2022-02-10T09:05+08:00")
    assert not chases(town, SECTION)
    town.once("2022-02-11T09:05+08:00")
    assert "暂停催办（来信待核实）" in text_of(letter(town, CLERK, "晨报"))
    reply(town, SECTION, assignment, "进展：已进场施工", "2022-02-11T10:00:00")
    town.once("2022-02-28T09:05+08:00")
    assert len(chases(town, SECTION)) == 1  # it reported since, and then no more
    reply(town, SECTION, assignment, "办结：已换灯管", "2022-03-01T10:00:00")
    town.once("2022-03-07T09:05+08:00")
    assert letter(town, CLERK, "回访未答复")


def test_a_forged_mail_stops_no_chase(town: Town) -> None:
    assignment = referred(town)
    failing = [
        ("Received", "from evil.test by mx.office.test with ESMTP id 7; Wed, 9 Feb 2022 09:00:00 +0800"),
        ("Authentication-Results", "mx.office.test; dmarc=fail; spf=fail; dkim=fail"),
    ]
    reply(town, SECTION, assignment, "签收", "2022-02-09T10:00:00", headers=failing)
    town.once("2022-02-10T09:05+08:00")
    assert len(chases(town, SECTION)) == 1


def test_nobody_is_chased_while_the_mailbox_is_out_of_reach(town: Town) -> None:
    referred(town)
    other = Town(town.stack, town.folder, imap_port=1, seen=town.seen)
    other.djb("once", "--at", "2022-02-10T09:05+08:00", status=1)
    assert not chases(town, SECTION)
    Town(town.stack, town.folder)
    town.once("2022-02-10T10:05+08:00")
    assert len(chases(town, SECTION)) == 1
