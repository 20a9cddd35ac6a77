"""The two-monthly statistics on real servers: what people answer, what goes wrong, what is asked."""

from __future__ import annotations

import io
import os
import signal
import sqlite3
import subprocess
import sys
import zipfile
from collections import Counter
from contextlib import closing
from datetime import date
from email.message import EmailMessage
from pathlib import Path
from typing import Any

import openpyxl
import pytest
from docx import Document
from docx.oxml.ns import qn

from daemon.documents import Filling, blank_form
from daemon.envelope import Attachment
from daemon.statistics import LETTERS_AT_ONCE
from parsers.values import Value
from tests.journeys.statistics_year import filled_in, form, name_of, on
from tests.journeys.town import (
    BUREAU,
    CLERK,
    Town,
    files_of,
    school_address,
    section_address,
    text_of,
)
from tests.servers.mailstack import BOUNCING, OFFICE, MailStack, wait_until

BEFORE, OPENING, REMINDER = date(2021, 12, 20), date(2021, 12, 21), date(2021, 12, 30)
CHASE_1, CHASE_2, FREEZE = date(2022, 1, 6), date(2022, 1, 10), date(2022, 1, 12)
GOOD = (3, 1, 2, 5)


@pytest.fixture
def town(mail_stack: MailStack, tmp_path: Path) -> Town:
    """Four schools, and a daemon that has worked since the day before the opening."""
    town = Town(mail_stack, tmp_path / "town", schools=4)
    town.once(on(BEFORE))
    return town


def kinds(town: Town, school: int) -> list[str]:
    """The kinds of all letters that went to a school, oldest first."""
    return [row["kind"] for row in town.rows("letters") if school_address(school) in row["to"]]


def about_the_period(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The letters of the first period, out of all that are sent or forecast."""
    return [row for row in rows if "TJ-2022-01" in row["about"]]


def files(town: Town, school: int, day: date, figures: tuple[int | None, ...] = GOOD, **given: Any) -> None:
    """A school mails its return."""
    town.write(school_address(school), "统计表", "请查收", [form(school, figures)], at=on(day), **given)


def last(town: Town, address: str, words: str = "") -> EmailMessage:
    """The newest letter that somebody has, with these words in its subject."""
    return [mail for mail in town.letters_to(address) if words in mail["Subject"]][-1]


def reply(town: Town, sender: str, letter: EmailMessage, words: str, day: date, clock: str = "09:30") -> None:
    """An answer to a letter, carried out by a cycle at once."""
    town.write(sender, f"Re: {letter['Subject']}", words, answers=letter, at=on(day, clock))
    town.once(on(day, clock))


def standing(town: Town, school: int, period: str = "2022-01") -> dict[str, Any]:
    return next(r for r in town.rows("returns", "--period", period) if r["unit"] == name_of(school))


def frozen(town: Town, *schools: int) -> Town:
    """The first period, summed up with the returns of these schools."""
    for school in schools:
        files(town, school, OPENING)
    town.once(on(FREEZE))
    return town


# --- the opening and its form -------------------------------------------------------------------------------


def test_the_form_of_the_opening_knows_the_school_and_wants_whole_numbers(town: Town) -> None:
    files(town, 0, OPENING, (4, 1, 2, 5))
    town.once(on(OPENING))
    town.once(on(date(2022, 2, 21)))
    letter = last(town, school_address(0), "请填报")
    attached = files_of(letter)
    assert sorted(name[-5:] for name in attached) == [".docx", ".xlsx"]
    book = next(data for name, data in attached.items() if name.endswith(".xlsx"))
    page = openpyxl.load_workbook(io.BytesIO(book)).worksheets[0]
    values = [str(cell.value) for row in page.iter_rows() for cell in row if cell.value is not None]
    assert {name_of(0), "4", "联系人0 13800001234"} <= set(values)
    (rule,) = page.data_validations.dataValidation
    assert (rule.type, rule.operator, rule.formula1) == ("whole", "greaterThanOrEqual", "0")
    assert page["C6"].value is None
    document = next(data for name, data in attached.items() if name.endswith(".docx"))
    cells = [cell.text for cell in Document(io.BytesIO(document)).tables[-1].rows[1].cells]
    assert cells[:3] == [name_of(0), "4", ""]


@pytest.mark.parametrize("suffix", [".xlsx", ".docx"])
def test_a_prefilled_form_that_is_filled_in_is_filed_without_any_doubt(town: Town, suffix: str) -> None:
    town.once(on(OPENING))
    letter = last(town, school_address(1), "请填报")
    name, data = next(pair for pair in files_of(letter).items() if pair[0].endswith(suffix))
    filled = filled_in(Attachment(name, data, "application/octet-stream"), GOOD)
    town.write(school_address(1), "Re: 统计表", "", [filled], answers=letter, at=on(OPENING, "10:00"))
    town.once(on(OPENING, "10:05"))
    row = standing(town, 1)
    assert row["state"] == "accepted"
    assert not [finding for finding in row["findings"] if finding["field"].startswith("rows")]
    (table,) = row["rows"]
    assert [table[name] for name in ("party_branches", "platforms", "sessions_held", "problems_solved")] == [
        *GOOD
    ]


def test_a_school_that_said_it_has_no_platform_is_reminded_of_the_notice(town: Town) -> None:
    files(town, 0, OPENING, (3, 0, 2, 5))
    files(town, 1, OPENING, (3, 1, 2, 5))
    town.once(on(OPENING))
    assert "尚未建立" not in text_of(last(town, school_address(2), "请填报"))
    town.once(on(date(2022, 2, 21)))
    assert "尚未建立" in text_of(last(town, school_address(0), "请填报"))
    assert "尚未建立" not in text_of(last(town, school_address(1), "请填报"))


# --- downtime, clocks, daemons, settings ---------------------------------------------------------------------


def test_after_downtime_what_is_stale_is_left_out_and_said(town: Town) -> None:
    town.stack.add_person("admin@qq.com")
    town.once(on(OPENING))
    town.once(on(date(2022, 1, 11)))
    assert kinds(town, 0) == ["statistics_opening", "statistics_chase"]
    (row,) = [
        r for r in town.rows("letters") if r["kind"] == "statistics_chase" and school_address(0) in r["to"]
    ]
    assert row["cc"] == ["head00@school.test"]
    assert "再次" not in row["subject"]
    (alarm,) = town.letters_to("admin@qq.com")
    assert "到期提醒未发" in text_of(alarm).replace("\n", "")
    shown = "".join(town.djb("show", "TJ-2022-01").split())
    assert "第一次催报未发（4件）" in shown
    assert "第一次催报未发（4 件）" in text_of(last(town, CLERK, "晨报")).replace("\n", "")
    town.once(on(FREEZE))
    assert "未发" not in text_of(last(town, CLERK, "晨报"))


def test_a_clock_that_jumped_over_periods_is_one_alarm(town: Town) -> None:
    town.stack.add_person("admin@qq.com")
    town.once(on(OPENING))
    town.once(on(date(2022, 5, 25)))
    (alarm,) = town.letters_to("admin@qq.com")
    words = text_of(alarm).replace("\n", "")
    assert all(f"{code} 第一次催报未发" in words for code in ("TJ-2022-01", "TJ-2022-03", "TJ-2022-05"))


def test_a_period_that_was_due_before_the_first_cycle_is_not_chased(
    mail_stack: MailStack, tmp_path: Path
) -> None:
    town = Town(mail_stack, tmp_path / "town", schools=2)
    for day in (CHASE_1, CHASE_2, FREEZE):
        town.once(on(day))
    assert about_the_period(town.rows("letters")) == []


def test_a_clock_that_was_set_back_repeats_nothing(town: Town) -> None:
    town.once(on(OPENING))
    town.once(on(REMINDER))
    for day in (OPENING, BEFORE, REMINDER):
        town.once(on(day))
    assert kinds(town, 0) == ["statistics_opening", "statistics_reminder"]


def test_nothing_goes_out_at_night_or_on_a_day_of_rest(town: Town) -> None:
    for moment in (on(OPENING, "06:00"), on(OPENING, "08:59")):
        town.once(moment)
    assert town.rows("letters") == []
    town.once(on(OPENING, "19:00"))
    assert town.rows("letters") == []
    town.once(on(date(2021, 12, 22), "09:00"))
    assert [kinds(town, school) for school in range(4)] == [["statistics_opening"]] * 4


def test_a_due_day_that_was_announced_stays_when_the_settings_change(town: Town) -> None:
    town.once(on(OPENING))
    text = town.config.read_text(encoding="utf-8")
    town.config.write_text(f"{text}\n[deadlines]\nstatistics_due_day = 15\n", encoding="utf-8")
    town.once(on(CHASE_1))
    assert kinds(town, 0) == ["statistics_opening", "statistics_chase"]
    assert {row["due"] for row in town.rows("returns", "--period", "2022-01")} == {"2022-01-05"}
    rows = town.rows("plan", "--from", "2022-02-01", "--to", "2022-03-31")
    assert "2022年3月15日前" in next(row["subject"] for row in rows if row["kind"] == "statistics_opening")


def process(town: Town, day: date) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        [sys.executable, "-m", "daemon", "--config", str(town.config), "once", "--at", on(day).isoformat()],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        env=os.environ | {"PYTHONPATH": str(Path(__file__).parents[2])},
    )


def test_two_daemons_at_once_write_everything_once(town: Town) -> None:
    both = [process(town, OPENING), process(town, OPENING)]
    assert sorted(one.wait(60) for one in both) in ([0, 0], [0, 1])
    assert [kinds(town, school) for school in range(4)] == [["statistics_opening"]] * 4
    assert all(len(town.letters_to(school_address(school))) == 1 for school in range(4))


def test_a_daemon_killed_in_mid_day_goes_on_where_it_stopped(mail_stack: MailStack, tmp_path: Path) -> None:
    town = Town(mail_stack, tmp_path / "town", schools=45)
    town.once(on(BEFORE))
    database = town.folder / "var/djb.sqlite3"

    def written() -> int:
        with closing(sqlite3.connect(database)) as connection:
            return int(
                connection.execute(
                    "select count(*) from letter where kind = 'statistics_opening'"
                ).fetchone()[0]
            )

    for least in (1, 21, 45):
        one = process(town, OPENING)
        wait_until(lambda least=least: written() >= least, 60)  # type: ignore[misc]
        one.send_signal(signal.SIGKILL)
        one.wait(10)
        assert written() % LETTERS_AT_ONCE in (0, 45 % LETTERS_AT_ONCE)
    town.once(on(OPENING, "10:00"))
    assert [kinds(town, school) for school in range(45)] == [["statistics_opening"]] * 45
    for school in range(45):
        assert len({mail["Message-ID"] for mail in town.letters_to(school_address(school))}) == 1


def test_the_forecast_is_what_goes_out_if_nothing_arrives(town: Town) -> None:
    planned = about_the_period(town.rows("plan", "--from", "2021-12-21", "--to", "2022-01-12"))
    assert set(planned[0]) == {"kind", "to", "cc", "about", "subject", "due_at"}
    for day in (OPENING, REMINDER, CHASE_1, CHASE_2, FREEZE):
        town.once(on(day, "09:00"))
    letters = about_the_period(town.rows("letters"))
    sent = [row | {"subject": row["subject"].partition("] ")[2]} for row in letters]

    def told(rows: list[dict[str, Any]]) -> Counter[tuple[str, ...]]:
        return Counter(
            (row["kind"], *row["to"], *row["cc"], row["about"][0], row["subject"], row["due_at"])
            for row in rows
        )

    assert told(planned) == told(sent)
    assert not about_the_period(town.rows("plan", "--from", "2021-12-21", "--to", "2022-01-12"))


def test_nobody_is_chased_while_the_mailbox_is_out_of_reach(town: Town) -> None:
    town.once(on(REMINDER))
    files(town, 0, CHASE_1, GOOD)
    town.stack.stop_imap()
    for clock in ("09:35", "11:00"):
        town.djb("once", "--at", on(CHASE_1, clock).isoformat(), status=1)
    assert not [row for row in town.rows("letters") if row["kind"] == "statistics_chase"]
    town.stack.start_imap()
    town.once(on(CHASE_1, "12:00"))
    chased = [row["to"] for row in town.rows("letters") if row["kind"] == "statistics_chase"]
    assert chased == [[school_address(number)] for number in (1, 2, 3)]


# --- who is left in peace ------------------------------------------------------------------------------------


def test_who_writes_that_it_has_filed_is_left_in_peace_until_the_office_says_no(town: Town) -> None:
    town.once(on(CHASE_1))
    chase = last(town, school_address(0), "催报")
    reply(town, school_address(0), chase, "已报", CHASE_1, "11:00")
    assert town.rows("mail")[-1]["disposition"] == "replied"
    town.once(on(CHASE_2))
    assert kinds(town, 0).count("statistics_chase") == 1
    assert kinds(town, 1).count("statistics_chase") == 2
    question = last(town, CLERK, "已报")
    assert name_of(0) in text_of(question)
    reply(town, CLERK, question, "否", CHASE_2, "11:00")
    assert kinds(town, 0).count("statistics_chase") == 2


def test_an_address_that_returns_mail_stops_the_chase(mail_stack: MailStack, tmp_path: Path) -> None:
    town = Town(mail_stack, tmp_path / "town", schools=2)
    book = town.folder / "通讯录.xlsx"
    pages = openpyxl.load_workbook(book)
    column = [cell.value for cell in pages["学校"][1]].index("邮箱") + 1
    pages["学校"].cell(2, column).value = f"{BOUNCING}@school.test"
    pages.save(book)
    town.djb("directory", "import", str(book))
    town.once(on(BEFORE))
    town.once(on(OPENING))
    mail_stack.wait_for(OFFICE, 1)
    for day in (REMINDER, CHASE_1, FREEZE):
        town.once(on(day))
    assert town.rows("mail")[0]["disposition"] == "bounce"
    bounced = [row["kind"] for row in town.rows("letters") if f"{BOUNCING}@school.test" in row["to"]]
    assert bounced == ["statistics_opening"]
    assert name_of(0) in text_of(last(town, CLERK, "未报送单位名单")).partition("退信")[2]


# --- what arrives --------------------------------------------------------------------------------------------


def test_a_late_return_changes_the_rollup_only_when_the_office_agrees(town: Town) -> None:
    frozen(town, 0)
    files(town, 1, date(2022, 1, 13), (2, 1, 1, 7))
    files(town, 2, date(2022, 1, 13), (9, 1, 9, 9))
    town.once(on(date(2022, 1, 13)))
    assert [standing(town, school)["state"] for school in (0, 1, 2)] == ["accepted", "late", "late"]
    assert len([m for m in town.letters_to(CLERK) if "开展情况汇总" in m["Subject"]]) == 1
    asked = {
        name: m
        for m in town.letters_to(CLERK)
        if "迟报" in m["Subject"]
        for name in (1, 2)
        if name_of(name) in m["Subject"]
    }
    reply(town, CLERK, asked[2], "不同意:下期再说", date(2022, 1, 14))
    assert len([m for m in town.letters_to(CLERK) if "开展情况汇总" in m["Subject"]]) == 1
    reply(town, CLERK, asked[1], "同意", date(2022, 1, 14))
    again = last(town, CLERK, "开展情况汇总（更新）")
    words = text_of(again)
    assert "未报 → 2 / 1 / 1 / 7" in words and "5 → 12" in words
    exported = town.folder / "汇总.xlsx"
    town.djb("export", "returns", str(exported), "--period", "2022-01")
    sheet = openpyxl.load_workbook(exported, data_only=True)["汇总"]
    total = next(row for row in sheet.iter_rows(values_only=True) if row[1] == "合计")
    assert total[2:6] == (5, 2, 3, 12)
    rollups = len([m for m in town.letters_to(CLERK) if "开展情况汇总" in m["Subject"]])
    reply(town, CLERK, asked[1], "同意", date(2022, 1, 14), "11:00")
    assert "此前" in text_of(town.letters_to(CLERK)[-1])
    assert len([m for m in town.letters_to(CLERK) if "开展情况汇总" in m["Subject"]]) == rollups


def test_last_periods_form_sent_again_is_asked_about_and_not_filed_in_silence(town: Town) -> None:
    mail = form(0, GOOD)
    town.write(school_address(0), "统计表", "", [mail], at=on(OPENING))
    town.once(on(FREEZE))
    town.write(school_address(0), "统计表", "", [mail], at=on(date(2022, 2, 22)))
    town.once(on(date(2022, 2, 22)))
    assert standing(town, 0, "2022-03")["state"] == "held"
    question = last(town, CLERK, "统计期次待核实")
    assert "完全相同" in text_of(question).replace("\n", "")
    reply(town, CLERK, question, "否", date(2022, 2, 22), "11:00")
    assert standing(town, 0, "2022-03")["state"] == "missing"
    letter = last(town, school_address(0))
    assert "重新填报" in text_of(letter).replace("\n", "") and len(files_of(letter)) == 2
    town.once(on(date(2022, 3, 2)))
    assert "statistics_reminder" in kinds(town, 0)


def test_a_form_that_speaks_of_another_period_is_filed_where_the_office_says(town: Town) -> None:
    frozen(town, 1)
    town.write(school_address(0), "补报2021年11-12月统计表", "", [form(0, GOOD)], at=on(date(2022, 2, 22)))
    town.once(on(date(2022, 2, 22)))
    question = last(town, CLERK, "统计期次待核实")
    reply(town, CLERK, question, "是", date(2022, 2, 22), "11:00")
    assert standing(town, 0)["state"] == "late"
    assert standing(town, 0, "2022-03")["state"] == "missing"


def test_a_new_return_in_answer_to_an_old_receipt_is_asked_about(town: Town) -> None:
    files(town, 0, OPENING)
    town.once(on(OPENING))
    receipt = last(town, school_address(0), "收件回执")
    files(town, 0, date(2022, 2, 22), (3, 1, 3, 6), answers=receipt)
    town.once(on(date(2022, 2, 22)))
    assert standing(town, 0)["version"] == 1


def test_a_section_may_send_several_schools_in_one_mail(town: Town) -> None:
    forms = [Attachment(f"{name_of(n)}.xlsx", form(n, GOOD).data, form(n, GOOD).mime) for n in (0, 1, 2)]
    town.write(section_address(0), "三所学校的统计表", "代报", forms, at=on(OPENING, "08:00"))
    town.once(on(OPENING))
    assert [standing(town, school)["state"] for school in range(4)] == ["accepted"] * 3 + ["missing"]
    assert len(town.letters_to(section_address(0))) == 1
    assert [kinds(town, school) for school in range(4)] == [[], [], [], ["statistics_opening"]]


def test_a_school_that_reports_for_another_waits_for_the_office(town: Town) -> None:
    rows: list[dict[str, Value]] = [
        {"unit": name_of(n), "party_branches": 2, "platforms": 1, "sessions_held": 2, "problems_solved": 1}
        for n in (0, 1)
    ]
    head = {"reporting_unit": name_of(0), "contact_name": "张三", "contact_phone": "13800001234"}
    both = blank_form("statistics", "xlsx", prefill=Filling(head, rows))
    town.write(school_address(0), "统计表", "", [both], at=on(OPENING, "08:00"))
    town.once(on(OPENING))
    assert [standing(town, school)["state"] for school in (0, 1)] == ["held", "held"]
    reply(town, CLERK, last(town, CLERK, "读取内容"), "是", OPENING, "11:00")
    assert [standing(town, school)["state"] for school in (0, 1)] == ["accepted", "accepted"]
    assert [len(standing(town, school)["rows"]) for school in (0, 1)] == [1, 1]


def test_soft_checks_reach_the_office_and_never_the_school(town: Town) -> None:
    files(town, 0, OPENING, (2, 9, 0, 4))
    town.once(on(OPENING, "10:00"))
    town.once(on(FREEZE))
    assert standing(town, 0)["state"] == "accepted"
    assert {finding["severity"] for finding in standing(town, 0)["findings"]} == {"warning"}
    receipt = text_of(last(town, school_address(0), "收件回执"))
    assert "少于" not in receipt and "未举办活动" not in receipt
    rollup = text_of(last(town, CLERK, "开展情况汇总")).replace("\n", "")
    assert "未举办活动" in rollup and "多于党支部数" in rollup


def test_a_word_after_the_freeze_is_a_late_change(town: Town) -> None:
    frozen(town, 0)
    receipt = last(town, school_address(0), "收件回执")
    reply(town, school_address(0), receipt, "举办次数 3", date(2022, 1, 13))
    assert (standing(town, 0)["version"], standing(town, 0)["rows"][0]["sessions_held"]) == (2, 3)
    reply(town, CLERK, last(town, CLERK, "迟报"), "同意", date(2022, 1, 13), "11:00")
    assert "2 / 1" not in text_of(last(town, CLERK, "（更新）")).partition("本次更新")[0]
    assert "举办次数：2 → 3" in text_of(last(town, CLERK, "（更新）"))


def test_the_first_return_that_is_filed_is_version_one_also_when_it_was_held(town: Town) -> None:
    for clock, sender in (("08:00", "first@qq.com"), ("08:10", "second@qq.com")):
        town.write(sender, "统计表", "", [form(0, GOOD)], at=on(OPENING, clock))
    town.once(on(OPENING))
    reply(town, CLERK, last(town, CLERK, "来信单位待核实"), "是", OPENING, "10:00")
    assert (standing(town, 0)["state"], standing(town, 0)["version"]) == ("accepted", 1)
    files(town, 0, REMINDER, (4, 1, 2, 5))
    town.once(on(REMINDER))
    assert standing(town, 0)["version"] == 2


def test_a_held_return_that_is_released_after_the_freeze_is_answered_and_its_sum_says_what_changed(
    town: Town,
) -> None:
    town.stack.add_person("other@qq.com")
    town.write("other@qq.com", "统计表", "", [form(1, GOOD)], at=on(OPENING, "08:00"))
    frozen(town, 0)
    reply(town, CLERK, last(town, CLERK, "来信单位待核实"), "是", date(2022, 1, 13))
    assert (standing(town, 1)["state"], standing(town, 1)["version"]) == ("accepted", 1)
    receipt = text_of(last(town, "other@qq.com", "收件回执")).replace("\n", "")
    assert "予补登" in receipt and "迟报" not in receipt
    reply(town, CLERK, last(town, CLERK, "迟报"), "同意", date(2022, 1, 13), "10:00")
    again = text_of(last(town, CLERK, "（更新）")).replace("\n", "")
    assert "未报 → 3 / 1 / 2 / 5" in again and "未报2所、迟报0所" in again


def test_a_return_typed_into_the_mail_is_filed_when_unit_and_figures_are_clear(town: Town) -> None:
    typed = "\n".join(
        (f"填报单位：{name_of(0)}", "党支部数：3", "建立平台数：1", "举办次数：2", "解决问题数量：5")
    )
    town.write(school_address(0), "统计表", typed, at=on(OPENING, "08:00"))
    town.once(on(OPENING))
    assert (standing(town, 0)["state"], standing(town, 0)["version"]) == ("accepted", 1)
    receipt = last(town, school_address(0), "收件回执")
    assert "联系电话未填写" in text_of(receipt).replace("\n", "")
    reply(town, school_address(0), receipt, "更正 联系电话 0775-4512345", OPENING, "10:00")
    assert (standing(town, 0)["state"], standing(town, 0)["version"]) == ("accepted", 2)


def test_a_table_that_names_its_school_in_a_column_only_is_filed(town: Town) -> None:
    lines = ["填报单位,联系人,联系电话,党支部数,建立平台数,举办次数,解决问题数量"]
    lines.append(f"{name_of(0)},张三,13800001234,3,1,2,5")
    table = Attachment("统计表.csv", "\n".join(lines).encode("gb18030"), "text/csv")
    town.write(school_address(0), "统计表", "请查收", [table], at=on(OPENING, "08:00"))
    town.once(on(OPENING))
    assert standing(town, 0)["state"] == "accepted"
    assert standing(town, 0)["rows"][0]["sessions_held"] == 2


def test_what_is_missing_is_asked_for_with_an_example_that_fills_it(town: Town) -> None:
    files(town, 0, OPENING, (3, None, 2, 5))
    town.once(on(OPENING))
    request = last(town, school_address(0), "补正")
    assert "例：更正 建立平台数 1" in text_of(request)
    reply(town, school_address(0), request, "更正 建立平台数 1", OPENING, "10:00")
    assert standing(town, 0)["state"] == "accepted"


# --- orders and the circular ----------------------------------------------------------------------------------


def test_the_circular_goes_to_all_once_when_either_office_agrees(town: Town) -> None:
    frozen(town, 0)
    draft = last(town, BUREAU, "请审定")
    assert sorted(name[-5:] for name in files_of(draft)) == [".docx", ".xlsx"]
    assert not [row for row in town.rows("letters") if row["kind"] == "circular"]
    reply(town, BUREAU, draft, "同意", date(2022, 1, 13))
    sent = [row for row in town.rows("letters") if row["kind"] == "circular"]
    assert sorted(Counter(address for row in sent for address in row["to"]).values()) == [1] * len(sent)
    assert {*(school_address(n) for n in range(4)), CLERK, BUREAU} <= {row["to"][0] for row in sent}
    circular = last(town, school_address(3))
    assert "尚未建立校本级平台" not in text_of(circular)
    assert name_of(3) in text_of(circular) and "送审" not in "".join(files_of(circular))
    reply(town, CLERK, last(town, CLERK, "通报待审定"), "同意", date(2022, 1, 13), "11:00")
    assert len([row for row in town.rows("letters") if row["kind"] == "circular"]) == len(sent)


def test_a_circular_without_a_period_is_about_the_last_one_due_that_was_watched(town: Town) -> None:
    for day in (date(2022, 1, 4), date(2022, 1, 6)):
        town.write(CLERK, "通报", "通报", at=on(day))
        town.once(on(day))
        assert "TJ-2022-01" in text_of(last(town, CLERK, "办理事项待确认"))
        reply(town, CLERK, last(town, CLERK, "办理事项待确认"), "不同意", day, "16:00")


def test_what_the_bureau_office_does_not_want_the_committee_office_decides(town: Town) -> None:
    frozen(town, 0)
    reply(town, BUREAU, last(town, BUREAU, "请审定"), "不同意:请核对数字", date(2022, 1, 13))
    question = last(town, CLERK, "通报待审定")
    assert "请核对数字" in text_of(question)
    reply(town, CLERK, question, "不同意:暂不通报", date(2022, 1, 13), "11:00")
    assert not [row for row in town.rows("letters") if row["kind"] == "circular"]
    town.write(CLERK, "通报", "通报", at=on(date(2022, 1, 14)))
    town.once(on(date(2022, 1, 14)))
    reply(town, CLERK, last(town, CLERK, "办理事项待确认"), "确认", date(2022, 1, 14), "10:00")
    reply(town, CLERK, last(town, CLERK, "通报待审定"), "同意", date(2022, 1, 14), "11:00")
    assert len([row for row in town.rows("letters") if row["kind"] == "circular"]) > 4


def test_a_circular_is_not_sent_when_the_approval_brings_another_text(town: Town) -> None:
    frozen(town, 0)
    draft = last(town, BUREAU, "请审定")
    other = Document()
    other.add_paragraph("关于另一件事的通报")
    changed = Attachment("通报（修改稿）.docx", saved(other), "application/octet-stream")
    answer_with(town, BUREAU, draft, "同意", [changed], "09:30")
    assert town.rows("mail")[-1]["disposition"] == "held"
    assert "不是在送审稿上修改的" in text_of(last(town, BUREAU, "来信已收到"))
    assert not circulars(town)


def circulars(town: Town) -> list[dict[str, Any]]:
    return [row for row in town.rows("letters") if row["kind"] == "circular"]


def saved(document: Any) -> bytes:
    out = io.BytesIO()
    document.save(out)
    return out.getvalue()


def answer_with(
    town: Town, sender: str, letter: EmailMessage, words: str, given: list[Attachment], clock: str
) -> None:
    """An answer to a letter, with files."""
    at = on(date(2022, 1, 13), clock)
    town.write(sender, f"Re: {letter['Subject']}", words, given, answers=letter, at=at)
    town.once(at)


def edited(letter: EmailMessage, old: str, new: str) -> Attachment:
    """The document that came with a letter, with some words changed as Word would save it."""
    name, data = next((name, data) for name, data in files_of(letter).items() if name.endswith(".docx"))
    document = Document(io.BytesIO(data))
    for paragraph in document.paragraphs:
        for run in paragraph.runs:
            run.text = run.text.replace(old, new)
    return Attachment(name, saved(document), "application/octet-stream")


def sent_document(town: Town, address: str) -> str:
    """The text of the circular's document as it reached somebody."""
    data = next(
        data for name, data in files_of(last(town, address, "通报")).items() if name.endswith(".docx")
    )
    return "\n".join(paragraph.text for paragraph in Document(io.BytesIO(data)).paragraphs)


def test_an_edited_circular_is_read_back_and_goes_to_all_when_confirmed(town: Town) -> None:
    frozen(town, 0)
    first = last(town, CLERK, "通报待审定")
    answer_with(town, CLERK, first, "同意发送", [edited(first, "三、存在问题", "三、突出问题")], "09:30")
    assert not circulars(town)
    shown = last(town, CLERK, "通报修改稿待确认")
    assert "增加：三、突出问题" in text_of(shown).replace("\n", "")
    # It can be edited once more; the first draft and the first edition are stale then.
    answer_with(town, CLERK, shown, "", [edited(shown, "三、突出问题", "三、主要问题")], "10:00")
    newest = last(town, CLERK, "通报修改稿待确认")
    answer_with(town, CLERK, first, "同意", [edited(first, "三、存在问题", "三、旧稿")], "10:10")
    answer_with(town, BUREAU, last(town, BUREAU, "请审定"), "同意", [], "10:20")
    answer_with(town, CLERK, newest, "同意", [edited(first, "三、存在问题", "三、旧稿")], "10:30")
    assert [mail["disposition"] for mail in town.rows("mail")[-3:]] == ["held", "replied", "held"]
    assert "未予执行" in text_of(town.letters_to(BUREAU)[-1])
    assert not circulars(town)
    answer_with(town, CLERK, newest, "确认", [], "11:00")
    assert {*(school_address(n) for n in range(4)), CLERK, BUREAU} <= {r["to"][0] for r in circulars(town)}
    text = sent_document(town, school_address(3))
    assert "三、主要问题" in text and "送审" not in text and "旧稿" not in text
    assert "三、主要问题" in text_of(last(town, school_address(3), "通报"))
    answer_with(town, CLERK, newest, "确认", [], "11:30")
    assert len(circulars(town)) == len({row["to"][0] for row in circulars(town)})


def test_a_circular_with_macros_or_open_revisions_is_not_taken(town: Town) -> None:
    frozen(town, 0)
    draft = last(town, CLERK, "通报待审定")
    good = edited(draft, "三、存在问题", "三、突出问题")
    out = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(good.data)) as old, zipfile.ZipFile(out, "w") as new:
        for member in old.namelist():
            new.writestr(member, old.read(member))
        new.writestr("word/vbaProject.bin", b"macro")
    answer_with(town, CLERK, draft, "同意", [Attachment("稿.docx", out.getvalue(), good.mime)], "09:30")
    assert town.rows("mail")[-1]["disposition"] == "held"
    assert "宏" in text_of(town.letters_to(CLERK)[-1])
    document = Document(io.BytesIO(good.data))
    inserted = document.paragraphs[3]._p.makeelement(qn("w:ins"), {qn("w:id"): "1", qn("w:author"): "x"})
    document.paragraphs[3]._p.append(inserted)
    answer_with(town, CLERK, draft, "同意", [Attachment("稿.docx", saved(document), good.mime)], "10:00")
    assert "修订" in text_of(town.letters_to(CLERK)[-1])
    assert not circulars(town)
    # The question is still open: the draft as it was sent may be approved with itself attached.
    name, data = next(iter(files_of(draft).items()))
    answer_with(town, CLERK, draft, "同意", [Attachment(name, data, good.mime)], "10:30")
    assert circulars(town)


def test_a_settled_period_keeps_the_schools_that_it_had(mail_stack: MailStack, tmp_path: Path) -> None:
    town = Town(mail_stack, tmp_path / "town", schools=4)
    town.once(on(BEFORE))
    frozen(town, 0)
    town = Town(mail_stack, tmp_path / "town", schools=7, seen=town.seen)
    files(town, 1, date(2022, 1, 13))
    town.once(on(date(2022, 1, 13)))
    reply(town, CLERK, last(town, CLERK, "迟报"), "同意", date(2022, 1, 13), "10:00")
    assert "应报4所" in last(town, CLERK, "汇总")["Subject"]


def test_a_draft_is_made_anew_when_the_figures_are(town: Town) -> None:
    frozen(town, 0)
    first = last(town, CLERK, "通报待审定")
    files(town, 1, date(2022, 1, 13))
    town.once(on(date(2022, 1, 13)))
    reply(town, CLERK, last(town, CLERK, "迟报"), "同意", date(2022, 1, 13), "10:00")
    why = text_of(last(town, CLERK, "通报待审定")).replace("\n", "")
    assert "未报 → 3 / 1 / 2 / 5" in why and "作废" in why
    assert "作废" in text_of(last(town, BUREAU, "请审定"))
    reply(town, CLERK, first, "同意", date(2022, 1, 13), "11:00")
    assert "最近一次送审" in text_of(town.letters_to(CLERK)[-1])
    assert not [row for row in town.rows("letters") if row["kind"] == "circular"]
    reply(town, CLERK, last(town, CLERK, "通报待审定"), "同意", date(2022, 1, 13), "12:00")
    words = text_of(last(town, school_address(0))).replace("\n", "")
    assert "已报送 2 所" in words


def test_a_rollup_on_order_is_asked_back_first_and_made_when_confirmed(town: Town) -> None:
    files(town, 0, OPENING)
    town.once(on(OPENING))
    town.write(CLERK, "", "汇总", at=on(REMINDER))
    town.once(on(REMINDER))
    assert not [row for row in town.rows("letters") if row["kind"] == "rollup"]
    question = last(town, CLERK, "办理事项待确认")
    assert "TJ-2022-01" in text_of(question)
    reply(town, CLERK, question, "同意", REMINDER, "10:00")
    (rollup,) = [row for row in town.rows("letters") if row["kind"] == "rollup"]
    assert "已报1所，应报4所" in rollup["subject"]
    assert [mail["disposition"] for mail in town.rows("mail")[-2:]] == ["replied", "replied"]
    town.once(on(FREEZE))
    assert len([row for row in town.rows("letters") if row["kind"] == "rollup"]) == 2


def test_years_of_history_stand_in_one_workbook(town: Town) -> None:
    files(town, 0, OPENING)
    town.once(on(FREEZE))
    files(town, 0, date(2022, 2, 22), (3, 1, 4, 1))
    town.once(on(date(2022, 2, 22)))
    exported = town.folder / "历年.xlsx"
    town.djb("export", "returns", str(exported))
    book = openpyxl.load_workbook(exported)
    sums = {row[0]: row[3:7] for row in book["历期汇总"].iter_rows(values_only=True)}
    assert sums["TJ-2022-01"] == GOOD and sums["TJ-2022-03"] == (3, 1, 4, 1)
    assert book["平台登记"]["C4"].value == "已建立"
