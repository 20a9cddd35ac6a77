"""What an administrator sees and does at work: status, show, file, release, replay, once --dry-run."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from sqlalchemy import text

from daemon.config import load
from daemon.store.engine import Store
from daemon.store.opening import opened_store
from tests.journeys.test_main_job import NAME, report, statistics
from tests.journeys.town import Town, school_address, text_of
from tests.servers.mailstack import OFFICE, MailStack


@pytest.fixture
def town(mail_stack: MailStack, tmp_path: Path) -> Town:
    return Town(mail_stack, tmp_path / "town")


def store_of(town: Town) -> Store:
    return opened_store(load(town.config))


def error_of(town: Town, *arguments: str, status: int = 1) -> str:
    """What a command complains."""
    with pytest.raises(AssertionError, match=rf": {status}\n") as failed:
        town.djb(*arguments, status=99)
    return str(failed.value)


def stranger_reports(town: Town) -> str:
    stranger = town.stack.add_person("stranger@qq.com")
    town.write(stranger, "报表", "", [report()])
    town.once()
    return stranger


# --- status ------------------------------------------------------------------------------------------


def test_after_a_cycle_at_another_time_commands_see_the_town_as_it_was_then(town: Town) -> None:
    at = "2022-02-08T09:00:00+08:00"
    form = report(levels=("section",), sections=("基教科",))
    town.write(school_address(0), "报表", "", [form], at=at)
    town.once(at)
    (row,) = town.rows("problems")
    assert (row["light"], row["overdue"]) == ("none", False)
    assert json.loads(town.djb("status", "--json"))["faults"] == []
    town.once("2022-02-10T09:00:00+08:00")
    assert town.rows("problems")[0]["light"] == "yellow"
    town.once()
    assert (town.rows("problems")[0]["light"], town.rows("problems")[0]["overdue"]) == ("red", True)


def test_what_the_clerk_releases_after_such_a_cycle_is_answered_in_the_next(town: Town) -> None:
    stranger = town.stack.add_person("stranger@qq.com")
    town.write(stranger, "报表", "", [report()], at="2022-02-08T09:00:00+08:00")
    town.once("2022-02-08T09:00:00+08:00")
    town.djb("file", "1", "--as", NAME)
    town.once("2022-02-08T09:01:00+08:00")
    assert [
        row["kind"] for row in town.rows("letters") if row["state"] == "sent" and stranger in row["to"]
    ] == [
        "held_notice",
        "receipt",
    ]


def test_a_town_at_work_has_no_faults_and_its_status_fits_a_small_screen(
    town: Town, monkeypatch: pytest.MonkeyPatch
) -> None:
    town.write(school_address(0), "报表", "", [report()])
    town.write(school_address(1), "请问", "附件2还要报吗？")
    town.once()
    monkeypatch.setenv("COLUMNS", "80")
    lines = town.djb("status").splitlines()
    assert len(lines) <= 24
    assert "一切正常" in lines[0]
    found = json.loads(town.djb("status", "--json"))
    assert found["faults"] == []
    assert found["mail"]["held"] == 1
    assert found["problems"]["by_state"] == {"registered": 1}
    assert found["outbox"]["sent_today"] == 3
    assert found["returns"]["schools"] == town.schools


def test_a_daemon_that_has_not_polled_a_letter_that_failed_and_a_mail_set_apart_are_faults(
    town: Town,
) -> None:
    assert any(
        "还没有收过信" in fault for fault in json.loads(town.djb("status", "--json", status=1))["faults"]
    )
    town.write(school_address(0), "报表", "", [report()])
    town.once()
    store = store_of(town)
    with store.transaction() as session:
        session.execute(text("UPDATE folder SET polled_at = '2022-01-01 00:00:00'"))
        session.execute(text("UPDATE delivery SET state = 'failed', error = '550 no such user'"))
        session.execute(text("UPDATE letter SET state = 'failed'"))
        session.execute(text("UPDATE mail SET disposition = 'quarantined'"))
    store.close()
    faults = "\n".join(json.loads(town.djb("status", "--json", status=1))["faults"])
    assert "没有收信" in faults
    assert school_address(0) in faults
    assert "已隔离" in faults


def test_a_failed_letter_is_forgiven_once_its_address_is_reached_again(town: Town) -> None:
    town.write(school_address(0), "报表", "", [report()])
    town.once()
    store = store_of(town)
    with store.transaction() as session:
        session.execute(text("UPDATE delivery SET state = 'failed'"))
    town.write(school_address(0), "统计表", "", [statistics()])
    town.once()
    assert json.loads(town.djb("status", "--json"))["faults"] == []
    store.close()


# --- show --------------------------------------------------------------------------------------------


def test_everything_about_a_problem_a_period_a_mail_and_a_letter_can_be_seen(town: Town) -> None:
    town.write(school_address(0), "难点问题", "", [report(levels=())], at="2022-02-08T09:00:00+08:00")
    town.write(school_address(0), "统计表", "请查收", [statistics()], at="2022-01-04T09:30:00+08:00")
    town.once("2022-02-08T09:05+08:00")
    (problem,) = town.rows("problems")
    shown = town.djb("show", problem["number"].lower())
    for said in (problem["number"], "待补正", NAME, "课桌面照度", "退回补正", "补正通知", "反馈层级"):
        assert said in shown, said
    period = town.djb("show", "TJ-2022-01")
    assert NAME in period
    assert "2021年11月至12月" in period
    mail = town.djb("show", "2")
    for said in ("来信 2", "请查收", "达观中学", "统计表回执", ".eml"):
        assert said in mail, said
    assert "收悉" in town.djb("show", "letter:2")


@pytest.mark.parametrize(
    "number", ["99", "ND-2022-999", "TJ-2022-02", "QC-2022-01", "letter:99", "abc", "9" * 30]
)
def test_an_unknown_number_is_said_to_be_unknown(town: Town, number: str) -> None:
    assert town.djb("show", number, status=1) == ""


# --- file and release --------------------------------------------------------------------------------


def test_a_held_form_is_filed_as_the_suggested_school_and_answered(town: Town) -> None:
    stranger = stranger_reports(town)
    said = town.djb("file", "1")
    assert "已登记" in said
    (problem,) = town.rows("problems")
    assert problem["number"] in said
    assert (problem["state"], problem["reporting_unit"]) == ("registered", NAME)
    assert town.rows("held") == []
    town.once()
    assert problem["number"] in town.new_letters_to(stranger, 2)[-1]["Subject"]
    # Its address is known from now on, and the office's late answer changes nothing.
    town.write(stranger, "再报一个", "", [report(problem="校内道路积水", details="一遇大雨积水。")])
    town.once()
    assert [p["state"] for p in town.rows("problems")] == ["registered", "registered"]


def test_a_held_form_can_be_filed_as_another_school(town: Town) -> None:
    stranger_reports(town)
    town.djb("file", "1", "--as", "榕湖小学")
    assert town.rows("problems")[0]["reporting_unit"] == "贵港市榕湖小学"


def test_wrong_mails_and_units_are_named_and_change_nothing(town: Town) -> None:
    stranger_reports(town)
    town.write(school_address(1), "请问", "附件2还要报吗？")
    town.once()
    before = town.rows("mail")
    assert "没有来信 9" in error_of(town, "file", "9")
    assert "贵港市榕湖小学" in error_of(town, "file", "1", "--as", "榕湖小学校")
    assert "没有读出表格" in error_of(town, "release", "2")
    assert "没有读出表格" in error_of(town, "file", "2", "--as", NAME)
    assert town.rows("mail") == before
    town.djb("file", "1")
    assert "不在待核实之列" in error_of(town, "file", "1")
    assert "已了结" in error_of(town, "release", "1", "--ignore")


def test_what_is_put_away_is_answered_no_more_and_its_problem_declined(town: Town) -> None:
    stranger = stranger_reports(town)
    town.djb("release", "1", "--ignore")
    assert town.rows("mail")[0]["disposition"] == "ignored"
    assert town.rows("problems")[0]["state"] == "declined"
    assert town.rows("held") == []
    town.once()
    assert len(town.letters_to(stranger)) == 1


# --- replay ------------------------------------------------------------------------------------------


def test_mails_that_read_the_same_differ_in_nothing(town: Town) -> None:
    town.write(school_address(0), "报表", "", [report(), statistics()])
    town.once()
    assert "0 封与原来不同" in town.djb("replay")
    assert json.loads(town.djb("replay", "1", "--json"))[0]["differences"] == []


def test_what_would_be_read_otherwise_is_shown_and_changed_only_for_what_is_not_settled(town: Town) -> None:
    stranger = stranger_reports(town)
    town.write(school_address(1), "统计表", "", [statistics("贵港市木格实验学校")])
    town.once()
    store = store_of(town)
    with store.transaction() as session:  # as an earlier version of the reader might have read them
        session.execute(text("UPDATE filing SET \"values\" = replace(\"values\", '300', '30')"))
        session.execute(
            text('UPDATE filing SET "values" = replace("values", \'"platforms": 1\', \'"platforms": 7\')')
        )
    store.close()
    before = town.rows("problems"), town.rows("returns"), town.rows("letters")
    found = {row["mail"]: row["differences"] for row in json.loads(town.djb("replay", "--json"))}
    assert [d["field"] for d in found[1]] == ["problems[0].details"]
    assert [(d["field"], d["before"], d["after"]) for d in found[2]] == [("rows[0].platforms", 7, 1)]
    assert (town.rows("problems"), town.rows("returns"), town.rows("letters")) == before
    rows = {row["mail"]: row for row in json.loads(town.djb("replay", "--apply", "--json"))}
    assert (rows[1]["applied"], rows[2]["applied"]) == (True, False)
    assert town.rows("letters") == before[2]
    town.djb("file", "1")
    (problem,) = town.rows("problems")
    assert "300" in problem["details"]
    town.once()
    assert len(town.new_letters_to(stranger, 2)) == 2


def test_a_held_form_is_filed_once_its_sender_is_known_and_it_is_read_again(town: Town) -> None:
    stranger = stranger_reports(town)
    (number,) = (p["number"] for p in town.rows("problems"))
    store = store_of(town)
    with store.transaction() as session:
        unit = session.execute(text("SELECT id FROM unit WHERE name = :name"), {"name": NAME}).scalar_one()
        session.execute(
            text(
                "INSERT INTO address (unit_id, email, role, position) VALUES (:u, 'stranger@qq.com', 'unit', 9)"
            ),
            {"u": unit},
        )
    store.close()
    assert "已登记" in town.djb("replay", "1", "--apply")
    (problem,) = town.rows("problems")
    assert (problem["number"], problem["state"]) == (number, "registered")
    assert town.rows("held") == []
    town.once()
    kinds = [letter["kind"] for letter in town.rows("letters") if stranger in letter["to"]]
    assert kinds == ["held_notice", "receipt"]


def test_a_quarantined_mail_is_handled_when_it_is_read_again(town: Town) -> None:
    town.write(school_address(0), "报表", "", [report()])
    town.stack.wait_for(OFFICE, 1)
    town.once()
    store = store_of(town)
    with store.transaction() as session:
        session.execute(text("UPDATE mail SET disposition = 'quarantined', attempts = 4"))
    store.close()
    town.djb("replay", "1", "--apply")
    assert town.rows("mail")[0]["disposition"] == "filed"
    assert len(town.rows("problems")) == 1
    assert len(town.rows("letters")) == 1


# --- once --dry-run ----------------------------------------------------------------------------------


def everything(town: Town) -> list[object]:
    """All that a dry run must leave as it is: lists, archive, mailbox."""
    files = [
        (str(path), path.stat().st_mtime_ns) for path in sorted((town.folder / "var" / "mail").rglob("*"))
    ]
    lists = [town.rows(name) for name in ("mail", "letters", "problems", "returns", "held")]
    return [*lists, files, town.stack.mails(OFFICE)]


def test_a_dry_run_tells_what_would_happen_and_changes_nothing(town: Town) -> None:
    town.write(school_address(0), "报表", "", [report()])
    town.once()
    town.write(school_address(1), "再报", "", [report("贵港市木格实验学校")])
    before = everything(town)
    said = town.djb("once", "--dry-run", "--at", "2021-12-21T09:30")
    assert school_address(1) in said
    assert "已登记" in said
    assert "收件回执" in said
    assert everything(town) == before
    assert town.letters_to(school_address(1)) == []
    town.once()
    assert [mail["disposition"] for mail in town.rows("mail")] == ["filed", "filed"]
    assert "收悉" in text_of(town.new_letters_to(school_address(1), 1)[0])


def test_a_dry_run_before_the_first_run_creates_no_database(mail_stack: MailStack, tmp_path: Path) -> None:
    town = Town(mail_stack, tmp_path / "town")
    database = town.folder / "var" / "djb.sqlite3"
    for path in database.parent.glob("djb.sqlite3*"):
        path.unlink()
    town.write(school_address(0), "报表", "", [report()])
    assert "待人工核实" in town.djb("once", "--dry-run")
    assert not database.exists()


def test_a_dry_run_without_mail_servers_says_so_and_still_tells_of_the_calendar(town: Town) -> None:
    text_ = town.config.read_text(encoding="utf-8").replace(f"port = {town.stack.imaps_port}", "port = 1")
    town.config.write_text(text_, encoding="utf-8")
    assert "试运行" in town.djb("once", "--dry-run", status=1)
