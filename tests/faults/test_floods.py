"""Loops and floods die out, and genuine mail still gets through."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from daemon.envelope import Attachment
from tests.faults.ledger import mail_reports, repeats, wait_until_done
from tests.faults.running import Running
from tests.journeys.town import CLERK, Town, school_address, text_of
from tests.servers.mailstack import OFFICE

Settle = Callable[..., Town]
Begin = Callable[..., Running]
ADMIN = "admin@qq.com"
LIMITS = "[limits]\nletters_per_address_per_day = {day}\nanswers_per_hour = {hour}\n"


def alarms(town: Town) -> list[str]:
    return [row["subject"] for row in town.rows("letters") if row["kind"] == "alarm"]


def test_an_auto_replier_without_headers_is_answered_a_few_times_and_then_no_more(
    settle_town: Settle,
) -> None:
    town = settle_town(settings=LIMITS.format(day=5, hour=1000))
    machine = town.stack.add_person("machine@qq.com")
    town.write(machine, "你好", "请问平台怎么用？")
    rounds = 0
    while True:
        town.once()
        letters = town.new_letters_to(machine)
        if not letters:
            break
        rounds += 1
        assert rounds < 20
        for letter in letters:
            town.write(
                machine, f"已收到：{letter['Subject']}", "您的来信已收到，我会尽快处理。", answers=letter
            )
    assert rounds == 5
    assert len(town.letters_to(CLERK)) <= 6
    assert len(alarms(town)) <= 2
    held = [row for row in town.rows("mail") if row["disposition"] == "held"]
    assert len(held) == 6
    assert "不再答复" in held[0]["reason"] + held[-1]["reason"]


def test_in_a_flood_genuine_mail_is_read_first_and_the_flooder_last(settle_town: Settle) -> None:
    town = settle_town(settings=LIMITS.format(day=3, hour=1000))
    flooder = town.stack.add_person("flood@qq.com")
    raws = [
        f"From: {flooder}\r\nTo: {OFFICE}\r\nSubject: x{n}\r\nMessage-ID: <{n}@qq.com>\r\n\r\nx{n}\r\n".encode()
        for n in range(200)
    ]
    town.stack.deposit(OFFICE, raws)
    mail_reports(town, 2)
    town.once()
    rows = town.rows("mail")
    assert len(rows) == 202
    assert len(town.letters_to(flooder)) == 3
    assert len(town.letters_to(CLERK)) <= 3
    assert [len(town.letters_to(school_address(n))) for n in (0, 1)] == [1, 1]
    assert all(row["disposition"] in {"held", "filed"} for row in rows)
    assert len([subject for subject in alarms(town) if flooder in subject]) == 1


@pytest.mark.slow
def test_five_thousand_mails_of_one_sender_neither_stop_the_daemon_nor_the_mails_of_others(
    settle_town: Settle, begin: Begin
) -> None:
    town = settle_town()
    town.stack.add_person(ADMIN)
    flooder = town.stack.add_person("flood@qq.com")
    before = mail_reports(town, 2)
    raws = [
        f"From: {flooder}\r\nTo: {OFFICE}\r\nSubject: x{n}\r\nMessage-ID: <{n}@qq.com>\r\n\r\nx{n}\r\n".encode()
        for n in range(5000)
    ]
    town.stack.deposit(OFFICE, raws)
    running = begin(town, watchdog_seconds=3, silence=30).started()
    running.wait_until(lambda: running.events["mail_handled"] > 1000, 200, "1,000 handled")
    in_between = mail_reports(town, 2, first=2)
    running.wait_until(lambda: running.events["mail_handled"] >= 5004, 600, "all handled")
    wait_until_done(running, 5004, 100)
    assert running.longest_silence < 10, running.longest_silence  # no loop was taken for stuck
    assert repeats(town, [*before, *in_between]) == 0
    assert len(town.letters_to(flooder)) == 30  # letters_per_address_per_day
    assert len([subject for subject in alarms(town) if flooder in subject]) == 1
    assert len(town.letters_to(CLERK)) <= 31
    assert running.memory < 150 << 20


def test_two_offices_that_write_to_each_other_fall_silent(settle_town: Settle, tmp_path: Path) -> None:
    town = settle_town()
    other = town.stack.add_person("other@office.test")
    neighbour = Town(town.stack, tmp_path / "neighbour")
    neighbour.config.write_text(neighbour.config.read_text(encoding="utf-8").replace(OFFICE, other))
    town.write(other, "请问", "请问平台怎么用？")  # as if a person had used the other office's mailbox
    for _ in range(4):
        town.once()
        town.stack.mails(other)
        neighbour.once()
        town.stack.mails(OFFICE)
    assert len(town.letters_to(other)) == 1
    assert [row["disposition"] for row in neighbour.rows("mail")] == ["automatic"]
    assert [row["disposition"] for row in town.rows("mail")] == ["held"]


def test_beyond_the_hourly_limit_answers_wait_and_nothing_is_lost(settle_town: Settle) -> None:
    town = settle_town(settings=LIMITS.format(day=1000, hour=10))
    mail_reports(town, 25)
    town.once("2022-03-01T10:00+08:00")
    letters = [row for row in town.rows("letters") if row["kind"] == "receipt"]
    assert sum(row["state"] == "sent" for row in letters) == 10
    assert all(row["disposition"] == "filed" for row in town.rows("mail"))
    assert len(alarms(town)) == 1
    town.once("2022-03-01T11:01+08:00")
    town.once("2022-03-01T12:02+08:00")
    letters = [row for row in town.rows("letters") if row["kind"] == "receipt"]
    assert [row["state"] for row in letters] == ["sent"] * 25


def test_a_mail_that_is_too_large_is_answered_and_the_office_is_asked(settle_town: Settle) -> None:
    town = settle_town()
    text = town.config.read_text(encoding="utf-8")
    town.config.write_text(text.replace("poll_seconds = 1", "poll_seconds = 1\nmax_message_mb = 1"))
    photo = Attachment("照片.jpg", b"\xff\xd8" * 1_000_000, "image/jpeg")
    town.write(school_address(1), "报送附件1", "请查收。", [photo])
    town.write(school_address(2), "自动回复", "", [photo], headers=[("Auto-Submitted", "auto-replied")])
    town.once()
    held, automatic = town.rows("mail")
    assert (held["disposition"], automatic["disposition"]) == ("held", "automatic")
    assert held["from"] == school_address(1)
    assert held["subject"] == "报送附件1"
    assert "邮件过大（2.6 MB，上限 1 MB）" in held["reason"]
    (letter,) = town.letters_to(school_address(1))
    assert "邮件过大" in str(letter["Subject"])
    assert "只保留填好的表格" in text_of(letter)
    assert letter["In-Reply-To"] == held["message_id"]
    (question,) = town.letters_to(CLERK)
    assert "邮件过大" in text_of(question)
    assert len(town.letters_to("admin@qq.com")) == 0


def test_a_storm_of_bounces_is_recorded_and_answered_by_nothing(settle_town: Settle, tmp_path: Path) -> None:
    town = settle_town()
    bounce = (
        "From: Postmaster@163.com\r\nTo: {to}\r\nSubject: 系统退信\r\nMessage-ID: <b{n}@163.com>\r\n"
        'Content-Type: multipart/report; report-type=delivery-status; boundary="b"\r\n\r\n'
        "--b\r\nContent-Type: text/plain\r\n\r\nno\r\n--b\r\nContent-Type: message/delivery-status\r\n\r\n"
        "Final-Recipient: rfc822; x{n}@qq.com\r\nAction: failed\r\nStatus: 5.1.1\r\n\r\n--b--\r\n"
    )
    town.stack.deposit(OFFICE, [bounce.format(to=OFFICE, n=n).encode() for n in range(100)])
    town.once()
    assert {row["disposition"] for row in town.rows("mail")} == {"bounce"}
    assert town.rows("letters") == []
