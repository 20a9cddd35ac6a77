"""Servers that go, freeze, crawl, break off or change: back to work within 15 s, one alarm, no new connections."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from tests.faults.ledger import mail_reports, repeats, wait_until_done
from tests.faults.running import Running
from tests.journeys.town import Town
from tests.servers.certificates import make_certificates
from tests.servers.coremail import ImapProxy
from tests.servers.link import Link
from tests.servers.mailstack import OFFICE, PASSWORD, MailStack
from tests.servers.scripted_smtp import ScriptedSmtp

Settle = Callable[..., Town]
Begin = Callable[..., Running]
BACK_SECONDS = 15
ADMIN = "admin@qq.com"


def five_seconds(town: Town) -> Town:
    text = town.config.read_text(encoding="utf-8")
    town.config.write_text(text.replace("poll_seconds = 1\n", "poll_seconds = 5\n"), encoding="utf-8")
    return town


def with_smtp(town: Town, port: int) -> Town:
    text = town.config.read_text(encoding="utf-8")
    town.config.write_text(text.replace(f"port = {town.stack.smtps_port}", f"port = {port}"))
    return town


def recovers(running: Running, back: Callable[[], object], name: str = "mailbox") -> float:
    """Seconds from the server's return until the daemon says so; it has complained once."""
    running.wait_for("trouble")
    time.sleep(8)
    back()
    begun = time.monotonic()
    running.wait_for("recovered", seconds=BACK_SECONDS + 15)
    seconds = time.monotonic() - begun
    assert running.events["trouble"] == 1, running.lines
    return seconds


def gone(link: Link) -> Callable[[], object]:
    link.close_port()
    return link.open_port


def frozen(link: Link) -> Callable[[], object]:
    link.freeze()
    return link.thaw


def crawling(link: Link) -> Callable[[], object]:
    link.bytes_per_second = 1

    def back() -> None:
        link.bytes_per_second = None

    return back


@pytest.mark.parametrize(
    "fault",
    [gone, pytest.param(frozen, marks=pytest.mark.slow), pytest.param(crawling, marks=pytest.mark.slow)],
)
def test_the_daemon_is_back_soon_after_the_mailbox_server(
    fault: Callable[[Link], Callable[[], object]], settle_town: Settle, begin: Begin, imap_link: Link
) -> None:
    town = five_seconds(settle_town(imap_port=imap_link.port))
    running = begin(town).started()
    running.wait_until(lambda: any(line.startswith("STATUS=上次收信") for line in running.said))
    mail_reports(town, 1, first=50)
    wait_until_done(running, 1)
    before = running.descriptors
    back = fault(imap_link)
    assert recovers(running, back) < BACK_SECONDS
    answered = mail_reports(town, 2)
    wait_until_done(running, 3)
    assert repeats(town, answered) == 0
    assert imap_link.open_connections <= 1
    assert running.descriptors <= before + 4


def test_a_letter_waits_for_its_server_and_the_administrator_hears_once(
    settle_town: Settle, begin: Begin, smtp_link: Link
) -> None:
    town = with_smtp(settle_town(), smtp_link.port)
    smtp_link.close_port()
    running = begin(town).started()
    answered = mail_reports(town, 5)
    running.wait_for("trouble")
    time.sleep(6)
    smtp_link.open_port()
    begun = time.monotonic()
    wait_until_done(running, 5)
    assert time.monotonic() - begun < BACK_SECONDS
    assert repeats(town, answered) == 0
    assert running.events["trouble"] == running.events["recovered"] == 1
    assert smtp_link.open_connections <= 1


@pytest.mark.parametrize(
    ("step", "answer", "minutes", "failed"),
    [
        ("MAIL", "421 HL:IFC 12,server busy", 6, 0),
        ("MAIL", "450 MI:DMC 12,too many per connection", 2, 0),
        ("MAIL", "451 MI:SFQ 12,quarter-hour quota", 16, 0),
        ("FINAL", "451 DT:SPM 12,please try again", 3, 0),
        ("MAIL", "554 MI:STC 12,day's quota", 24 * 60, 0),
        ("MAIL", "554 DT:SUM 12,sender must be the login", 11, 0),
        ("FINAL", "554 DT:SPM 12,spam", 61, 1),
        ("RCPT", "550 User unknown", 0, 1),
        ("RCPT", "452 Mailbox full", 2, 0),
    ],
)
def test_each_answer_of_netease_is_waited_out_and_no_letter_lost_or_sent_twice(
    step: str, answer: str, minutes: int, failed: int, settle_town: Settle, mail_stack: MailStack
) -> None:
    at = datetime.fromisoformat("2022-03-19T10:00+08:00")  # a Saturday: the calendar writes nothing
    with ScriptedSmtp(tls=mail_stack.certificates.server_context()) as server:
        town = with_smtp(settle_town(), server.port)
        mail_reports(town, 3)
        server.script.next(step, answer)
        town.once(at)
        if minutes > 2:
            town.once(at + timedelta(minutes=minutes // 2))  # too early
            assert len(server.taken) < 3
        town.once(at + timedelta(minutes=minutes))
    receipts = [row["state"] for row in town.rows("letters") if row["kind"] == "receipt"]
    assert sorted(receipts) == ["failed"] * failed + ["sent"] * (3 - failed)
    to_schools = [letter.recipients for letter in server.taken if letter.recipients != (ADMIN,)]
    assert len(to_schools) == len(set(to_schools)) == 3 - failed
    assert len(server.taken) - len(to_schools) == failed  # one alarm for what has failed, none for a delay


def test_a_fetch_that_breaks_off_is_taken_up_again(
    settle_town: Settle, begin: Begin, netease: ImapProxy
) -> None:
    town = settle_town(imap_port=netease.port)
    answered = mail_reports(town, 6)
    netease.faults.drop_in_fetch = 3
    running = begin(town)
    wait_until_done(running, 6)
    assert repeats(town, answered) == 0
    assert running.events["trouble"] <= 3


@pytest.mark.slow
def test_a_letter_that_breaks_off_in_mid_data_arrives_once(
    settle_town: Settle, begin: Begin, smtp_link: Link
) -> None:
    town = with_smtp(settle_town(), smtp_link.port)
    answered = mail_reports(town, 4)
    smtp_link.cut_after = 4500
    running = begin(town)
    wait_until_done(running, 4)
    assert repeats(town, answered) == 0


@pytest.mark.slow
def test_a_changed_password_is_told_at_once_and_once_and_the_new_one_works_without_a_restart(
    settle_town: Settle, begin: Begin
) -> None:
    town = five_seconds(settle_town())
    running = begin(town).started()
    town.stack.change_password(OFFICE, "another")
    town.stack.stop_imap()
    town.stack.start_imap()
    running.wait_until(lambda: any("用户名或密码未被接受" in line for line in running.lines), 40)
    time.sleep(6)
    assert sum("用户名或密码未被接受" in line for line in running.lines) == 1
    (town.folder / "password").write_text("another")
    running.wait_for("recovered", seconds=BACK_SECONDS)
    answered = mail_reports(town, 1)
    wait_until_done(running, 1)
    assert repeats(town, answered) == 0
    alarms = [row for row in town.rows("letters") if row["kind"] == "alarm"]
    assert len(alarms) <= 1
    assert PASSWORD not in "\n".join(running.lines)


@pytest.mark.slow
def test_a_wrong_certificate_is_refused_told_once_and_forgotten_when_it_is_right(
    settle_town: Settle, begin: Begin, tmp_path: Path
) -> None:
    town = five_seconds(settle_town())
    right = town.stack.ca_file.read_bytes()
    (tmp_path / "foreign").mkdir()
    town.stack.ca_file.write_bytes(make_certificates(tmp_path / "foreign").ca_file.read_bytes())
    running = begin(town)
    running.wait_until(lambda: any("证书未通过验证" in line for line in running.lines))
    time.sleep(4)
    town.stack.ca_file.write_bytes(right)
    running.wait_for("recovered", seconds=BACK_SECONDS)
    assert sum("where=mailbox" in line and "event=trouble" in line for line in running.lines) == 1


def test_new_numbers_for_old_mails_change_nothing(
    settle_town: Settle, begin: Begin, netease: ImapProxy
) -> None:
    town = settle_town(imap_port=netease.port)
    answered = mail_reports(town, 3)
    running = begin(town)
    wait_until_done(running, 3)
    netease.faults.uidvalidity = 77
    running.wait_for("uidvalidity_changed", seconds=40)
    answered += mail_reports(town, 1, first=3)
    wait_until_done(running, 7)
    fates = sorted(row["disposition"] for row in town.rows("mail"))
    assert fates == ["duplicate"] * 3 + ["filed"] * 4
    assert repeats(town, answered) == 0


@pytest.mark.parametrize("like_netease", [True, False])
def test_numbers_given_to_other_mails_under_the_same_uidvalidity_hide_none(
    like_netease: bool, settle_town: Settle, begin: Begin, mail_stack: MailStack
) -> None:
    tls = mail_stack.certificates.server_context()
    with ImapProxy(mail_stack.imap_port, tls, netease=like_netease) as proxy:
        proxy.faults.uidvalidity = 1
        town = settle_town(imap_port=proxy.port)
        answered = mail_reports(town, 5)
        running = begin(town)
        wait_until_done(running, 5)
        mail_stack.stop_imap()
        time.sleep(1.1)  # the new mails come in another second than the old ones
        mail_stack.remove(OFFICE, 3)
        mail_stack.forget_numbers(OFFICE)
        answered += mail_reports(town, 2, first=5)
        mail_stack.start_imap()
        running.wait_for("uids_reused", seconds=BACK_SECONDS)
        wait_until_done(running, 9)
        answered += mail_reports(town, 3, first=7)
        wait_until_done(running, 12)
        fates = sorted(row["disposition"] for row in town.rows("mail"))
        assert fates == ["duplicate"] * 2 + ["filed"] * 10
        assert repeats(town, answered) == 0
        assert running.events["uids_reused"] == 1


@pytest.mark.slow
def test_a_folder_that_was_renamed_is_told_once_and_the_others_are_read(
    settle_town: Settle, begin: Begin, netease: ImapProxy
) -> None:
    town = settle_town(imap_port=netease.port)
    text = town.config.read_text(encoding="utf-8")
    town.config.write_text(
        text.replace("poll_seconds = 1", 'poll_seconds = 1\nfolders = ["INBOX", "没有的"]'), encoding="utf-8"
    )
    running = begin(town).started()
    answered = mail_reports(town, 2)
    wait_until_done(running, 2)
    time.sleep(3)
    assert repeats(town, answered) == 0
    assert running.events["trouble"] == 1
