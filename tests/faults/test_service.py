"""`djb run` towards systemd, signals and the clock."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.faults.ledger import mail_reports, repeats, wait_until_done
from tests.faults.running import Running
from tests.journeys.town import Town, school_address
from tests.servers.coremail import ImapProxy
from tests.servers.mailstack import OFFICE, MailStack

Settle = Callable[..., Town]
Begin = Callable[..., Running]


def test_systemd_is_told_of_readiness_life_and_end(settle_town: Settle, begin: Begin) -> None:
    running = begin(settle_town(), watchdog_seconds=1.5).started()
    running.wait_until(lambda: running.said.count("WATCHDOG=1") >= 5)
    assert "READY=1" in running.said
    assert any(line.startswith("STATUS=上次收信") for line in running.said)
    assert running.stop(seconds=6) == 0
    assert "STOPPING=1" in running.said


def test_a_reload_takes_the_new_configuration_and_keeps_the_old_one_if_it_is_wrong(
    settle_town: Settle, begin: Begin
) -> None:
    town = settle_town()
    running = begin(town).started()
    before = town.config.read_text(encoding="utf-8")
    town.config.write_text(before.replace("poll_seconds = 1", "poll_second = 1"), encoding="utf-8")
    running.process.send_signal(signal.SIGHUP)
    running.wait_for("reload_refused")
    running.wait_for("started", 2)
    town.config.write_text(before.replace("教育工委办公室", "教育工委新办公室"), encoding="utf-8")
    running.process.send_signal(signal.SIGHUP)
    running.wait_for("reloaded")
    running.wait_for("started", 3)
    answered = mail_reports(town, 1)
    wait_until_done(running, 1)
    assert repeats(town, answered) == 0
    (letter,) = town.letters_to(school_address(0))
    assert "新办公室" in str(letter["From"])
    used = _processor_seconds(running)
    time.sleep(1.0)
    assert _processor_seconds(running) - used < 0.5  # it waits for mail, it does not spin
    assert running.stop() == 0


def _processor_seconds(running: Running) -> float:
    fields = Path(f"/proc/{running.process.pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


@pytest.mark.slow
def test_the_daemon_ends_soon_though_the_server_says_nothing(
    settle_town: Settle, begin: Begin, imap_link: object
) -> None:
    from tests.servers.link import Link

    assert isinstance(imap_link, Link)
    town = settle_town(imap_port=imap_link.port)
    running = begin(town).started()
    running.wait_until(lambda: any(line.startswith("STATUS=上次收信") for line in running.said))
    imap_link.freeze()
    time.sleep(2)
    assert running.stop(seconds=9) == 0


@pytest.mark.slow
def test_new_mail_is_answered_without_idle_too_and_spam_folder_is_read(
    settle_town: Settle, begin: Begin, netease: ImapProxy
) -> None:
    town = settle_town(imap_port=netease.port)
    text = town.config.read_text(encoding="utf-8")
    town.config.write_text(
        text.replace("poll_seconds = 1", 'poll_seconds = 1\nfolders = ["INBOX", "垃圾邮件"]'),
        encoding="utf-8",
    )
    running = begin(town).started()
    answered = mail_reports(town, 2)
    wait_until_done(running, 2)
    assert repeats(town, answered) == 0
    assert running.stop() == 0


def test_with_idle_a_mail_is_answered_long_before_the_next_poll(settle_town: Settle, begin: Begin) -> None:
    town = settle_town()
    text = town.config.read_text(encoding="utf-8")
    town.config.write_text(
        text.replace("poll_seconds = 1", 'poll_seconds = 600\nfolders = ["INBOX", "垃圾邮件"]'),
        encoding="utf-8",
    )
    running = begin(town).started()
    running.wait_until(lambda: any(line.startswith("STATUS=上次收信") for line in running.said))
    answered = mail_reports(town, 1)
    wait_until_done(running, 1, 30)
    assert repeats(town, answered) == 0


@pytest.mark.slow
@pytest.mark.parametrize("hours", [-48, 48])
def test_a_clock_that_jumps_leaves_no_letter_behind(settle_town: Settle, begin: Begin, hours: int) -> None:
    town = settle_town()
    answered = mail_reports(town, 3)
    begin(town, shift=str(3600 * hours), die_at="daemon.outbox:Outbox._claim:after:2").dies()
    running = begin(town)
    wait_until_done(running, 3)
    assert repeats(town, answered) == 0


@pytest.mark.slow
def test_a_clock_that_jumps_back_and_forth_under_the_running_daemon_loses_and_doubles_nothing(
    settle_town: Settle, begin: Begin, tmp_path: Path
) -> None:
    town = settle_town()
    town.stack.add_person("admin@qq.com")
    shift = tmp_path / "shift"
    shift.write_text("0")
    running = begin(town, shift=str(shift)).started()
    answered: list[str] = []
    for turn, hours in enumerate((0, 30, -50, 0, 24 * 400, 0)):
        (tmp_path / "new").write_text(str(3600 * hours))
        (tmp_path / "new").replace(shift)
        answered += mail_reports(town, 3, first=3 * turn)
        running.wait_until(lambda: len(town.rows("mail")) >= 3 * turn + 3, 30, f"clock {hours} h off")  # noqa: B023
        time.sleep(2)
    wait_until_done(running, len(answered), 60)
    assert repeats(town, answered) == 0
    assert running.events["trouble"] == 0


@pytest.mark.parametrize("knows_move", [True, False])
def test_handled_mails_are_moved_and_none_is_lost_though_the_daemon_dies_over_it(
    knows_move: bool, settle_town: Settle, begin: Begin, mail_stack: MailStack
) -> None:
    tls = mail_stack.certificates.server_context()
    with ImapProxy(mail_stack.imap_port, tls, netease=not knows_move) as proxy:
        town = settle_town(imap_port=proxy.port)
        text = town.config.read_text(encoding="utf-8")
        town.config.write_text(
            text.replace("poll_seconds = 1", 'poll_seconds = 1\nhandled_folder = "已办"'), encoding="utf-8"
        )
        answered = mail_reports(town, 6)
        town.write(mail_stack.add_person("stranger@qq.com"), "你好", "请问")
        assert begin(town, die_at="daemon.mailbox:Mailbox.move:after:1").dies() == -9
        running = begin(town)
        running.wait_until(lambda: mail_stack.count(OFFICE, "已办") == 6)
        answered += mail_reports(town, 2, first=6)
        running.wait_until(lambda: mail_stack.count(OFFICE, "已办") == 8)
        wait_until_done(running, 9)
        assert running.stop() == 0
        assert mail_stack.count(OFFICE) == 1  # a person must decide about it
        assert repeats(town, answered) == 0
        fates = sorted(row["disposition"] for row in town.rows("mail"))
        assert fates == ["filed"] * 8 + ["held"]
        moved = any(b" MOVE " in command for command in proxy.commands)
        assert moved is knows_move
        assert not any(command.split()[1:] == [b"EXPUNGE"] for command in proxy.commands)
