"""The main job on real mail servers: a form arrives, is read, filed and answered."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from daemon.documents import FileFormat, Filling, blank_form
from daemon.envelope import Attachment
from parsers.values import Value
from tests.journeys.town import CLERK, Town, files_of, school_address, text_of
from tests.servers.coremail import ImapProxy
from tests.servers.mailstack import MailStack

NAME = "贵港市达观中学"
ODT = Path(__file__).parents[1] / "forms_scanned" / "files" / "plain.odt"


def report(
    unit: str = NAME,
    levels: tuple[str, ...] = ("secretary",),
    file: FileFormat = "docx",
    **changes: str | tuple[str, ...],
) -> Attachment:
    item: dict[str, Value] = {
        "problem": "教室照明不达标",
        "details": "36间教室中有21间课桌面照度低于300勒克斯。请求统一安排改造。",
        "levels": levels,
        "sections": (),
        "remarks": None,
        **changes,
    }
    head: dict[str, Value] = {
        "reporting_unit": unit,
        "principal": "高红梅",
        "contact_name": "马嘉慧",
        "contact_phone": "13800001234",
    }
    return blank_form("problem_report", file, prefill=Filling(head, [item]))


def statistics(unit: str = NAME, file: FileFormat = "xlsx", **changes: int | None) -> Attachment:
    row: dict[str, Value] = {
        "unit": unit,
        "party_branches": 3,
        "platforms": 1,
        "sessions_held": 2,
        "problems_solved": 5,
        "remarks": None,
    }
    head: dict[str, Value] = {
        "reporting_unit": unit,
        "reported_on": None,
        "contact_name": "马嘉慧",
        "contact_phone": "13800001234",
    }
    return blank_form("statistics", file, prefill=Filling(head, [{**row, **changes}]))


@pytest.fixture
def town(mail_stack: MailStack, tmp_path: Path) -> Town:
    return Town(mail_stack, tmp_path / "town")


def test_a_complete_report_is_filed_and_answered_in_its_thread(town: Town) -> None:
    raw = town.write(school_address(0), "报送难点问题报告表", "请查收附件。", [report()])
    town.once()
    (problem,) = town.rows("problems")
    assert problem["state"] == "registered"
    assert problem["reporting_unit"] == NAME
    (mail,) = town.rows("mail")
    assert (mail["disposition"], mail["problems"]) == ("filed", [problem["number"]])
    (letter,) = town.new_letters_to(school_address(0), 1)
    assert problem["number"] in letter["Subject"]
    assert letter["In-Reply-To"] in raw.decode("utf-8", "replace")
    assert letter["Auto-Submitted"] == "auto-replied"
    assert "教室照明不达标" in text_of(letter)
    town.once()
    assert len(town.rows("letters")) == 1


def test_statistics_are_filed_with_their_period(town: Town) -> None:
    town.write(school_address(0), "统计表", "", [statistics()], at="2022-01-04T09:30:00+08:00")
    town.once("2022-01-04T10:00+08:00")
    row = next(r for r in town.rows("returns", "--period", "2022-01") if r["unit"] == NAME)
    assert row["state"] == "accepted"
    assert row["rows"][0]["problems_solved"] == 5
    kinds = [letter["kind"] for letter in town.rows("letters") if school_address(0) in letter["to"]]
    assert "statistics_receipt" in kinds


def test_an_incomplete_form_comes_back_and_its_correction_becomes_version_two(town: Town) -> None:
    town.write(school_address(0), "难点问题", "", [report(levels=())], at="2022-02-08T09:00:00+08:00")
    town.once("2022-02-08T09:05+08:00")
    (problem,) = town.rows("problems")
    assert problem["state"] == "needs_correction"
    assert town.rows("mail")[0]["disposition"] == "returned"
    (letter,) = town.new_letters_to(school_address(0), 1)
    assert "反馈层级" in text_of(letter)
    (name, _), *_ = files_of(letter).items()
    assert name.endswith(".docx")
    town.write(
        school_address(0),
        f"回复：{letter['Subject']}",
        "已补正，请查收。",
        [Attachment(name, report(levels=("secretary",)).data, "application/octet-stream")],
        answers=letter,
        at="2022-02-09T09:00:00+08:00",
    )
    town.once("2022-02-09T09:05+08:00")
    (again,) = town.rows("problems")
    assert (again["number"], again["state"]) == (problem["number"], "registered")
    assert again["received_at"] == problem["received_at"]
    assert [mail["disposition"] for mail in town.rows("mail")] == ["returned", "corrected"]


def test_an_unknown_sender_is_held_until_the_office_says_yes(town: Town) -> None:
    stranger = town.stack.add_person("stranger@qq.com")
    town.write(stranger, "报表", "", [report()])
    town.once()
    assert town.rows("mail")[0]["disposition"] == "held"
    assert town.rows("problems")[0]["state"] == "held"
    assert len(town.new_letters_to(stranger, 1)) == 1
    (question,) = town.new_letters_to(CLERK, 1)
    assert NAME in text_of(question)
    town.write(CLERK, f"Re: {question['Subject']}", "是", answers=question)
    town.once()
    assert [mail["disposition"] for mail in town.rows("mail")] == ["filed", "replied"]
    (problem,) = town.rows("problems")
    assert (problem["state"], problem["reporting_unit"]) == ("registered", NAME)
    (receipt,) = town.new_letters_to(stranger, 1)
    assert problem["number"] in receipt["Subject"]
    town.write(stranger, "再报一个", "", [report(problem="校内道路积水", details="一遇大雨积水三十厘米。")])
    town.once()
    assert [p["state"] for p in town.rows("problems")] == ["registered", "registered"]


def test_machine_mail_is_recorded_and_never_answered(town: Town) -> None:
    town.write(
        school_address(0), "自动回复: 收到", "我正在休假", headers=[("Auto-Submitted", "auto-replied")]
    )
    town.once()
    assert town.rows("mail")[0]["disposition"] == "automatic"
    assert town.rows("letters") == []


def test_a_mail_without_a_form_is_held_and_answered_once_with_blank_forms(town: Town) -> None:
    town.write(school_address(0), "请问", "附件2还要报吗？")
    town.once()
    assert town.rows("mail")[0]["disposition"] == "held"
    (letter,) = town.new_letters_to(school_address(0), 1)
    assert len(files_of(letter)) == 2
    assert len(town.new_letters_to(CLERK, 1)) == 1


def test_the_same_mail_delivered_twice_is_answered_once(town: Town) -> None:
    raw = town.write(school_address(0), "报表", "", [report()])
    town.stack.deposit("djb3916@163.com", [b"Received: from elsewhere\r\n" + raw])
    town.once()
    assert [mail["disposition"] for mail in town.rows("mail")] == ["filed", "duplicate"]
    assert len(town.rows("letters")) == 1


def test_a_word_in_a_reply_mends_a_return(town: Town) -> None:
    town.write(school_address(0), "统计表", "", [statistics()], at="2022-01-04T09:30:00+08:00")
    town.once("2022-01-04T10:00+08:00")
    letter = town.new_letters_to(school_address(0), 1)[-1]
    town.write(
        school_address(0),
        f"回复：{letter['Subject']}",
        "党支部数 4",
        answers=letter,
        at="2022-01-04T11:00:00+08:00",
    )
    town.once("2022-01-04T11:05+08:00")
    row = next(r for r in town.rows("returns", "--period", "2022-01") if r["unit"] == NAME)
    assert (row["version"], row["rows"][0]["party_branches"]) == (2, 4)


def test_twenty_schools_at_once_get_one_receipt_each_on_netease(
    mail_stack: MailStack, netease: ImapProxy, tmp_path: Path
) -> None:
    town = Town(mail_stack, tmp_path / "town", imap_port=netease.port)
    names = [unit["unit"] for unit in town.rows("returns", "--period", "2022-01")]
    for number, name in enumerate(names):
        town.send(
            school_address(number), f"{name}报表", "", [report(name) if number % 2 else statistics(name)]
        )
    mail_stack.wait_for("djb3916@163.com", len(names))
    town.once()
    assert [mail["disposition"] for mail in town.rows("mail")] == ["filed"] * len(names)
    for number, name in enumerate(names):
        (letter,) = town.new_letters_to(school_address(number), 1)
        assert name in text_of(letter)


def test_a_form_mailed_twice_by_a_stranger_is_filed_once(town: Town) -> None:
    stranger = town.stack.add_person("stranger@qq.com")
    town.write(stranger, "报表", "", [report()])
    town.once()
    town.write(stranger, "报表（再发一次）", "", [report()])
    town.once()
    questions = town.new_letters_to(CLERK, 2)
    for question in questions:
        town.write(CLERK, f"Re: {question['Subject']}", "是", answers=question)
        town.once()
    assert sorted(problem["state"] for problem in town.rows("problems")) == ["merged", "registered"]


def test_a_school_that_mails_the_same_report_again_makes_no_second_problem(town: Town) -> None:
    for subject in ("报表", "报表（重发）"):
        town.write(school_address(0), subject, "", [report()])
        town.once()
    (problem,) = town.rows("problems")
    assert problem["state"] == "registered"
    assert len(town.new_letters_to(school_address(0), 2)) == 2


def test_a_form_is_filed_though_the_file_beside_it_lacks_a_reader_and_both_sides_hear_of_that_file(
    town: Town, tmp_path: Path
) -> None:
    broken = tmp_path / "soffice"
    broken.write_text("#!/bin/sh\nexit 1\n")
    broken.chmod(0o755)
    other = Attachment("补充材料.odt", ODT.read_bytes(), "application/vnd.oasis.opendocument.text")
    town.write(school_address(0), "报送难点问题报告表", "请查收附件。", [report(), other])
    # In a process of its own: the readers of this one were forked with the PATH that they keep.
    command = [sys.executable, "-m", "daemon", "--config", str(town.config), "once"]
    subprocess.run(command, check=True, env={**os.environ, "PATH": f"{tmp_path}:{os.environ['PATH']}"})
    (mail,) = town.rows("mail")
    assert mail["disposition"] == "filed"
    (receipt,) = town.new_letters_to(school_address(0), 1)
    assert "补充材料.odt" in text_of(receipt) and "另存为docx" in text_of(receipt)
    assert "管理员" not in text_of(receipt)
    (question,) = town.new_letters_to(CLERK, 1)
    assert "补充材料.odt" in text_of(question) and "LibreOffice" in text_of(question)
    town.write(CLERK, f"Re: {question['Subject']}", "是", answers=question)
    town.once()
    assert [each["disposition"] for each in town.rows("mail")] == ["filed", "replied"]
    assert [problem["state"] for problem in town.rows("problems")] == ["registered"]
