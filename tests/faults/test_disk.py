"""Disks that run full, turn read-only or lose power, databases that are locked or ruined: nothing is lost."""

from __future__ import annotations

import random
import sqlite3
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.faults.disks import Disk
from tests.faults.ledger import each_filed_once, mail_reports, repeats, wait_until_done
from tests.faults.running import Running
from tests.journeys.town import Town, text_of

Settle = Callable[..., Town]
Begin = Callable[..., Running]
BACK_SECONDS = 15


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Disk]:
    """A disk under the town's folder."""
    try:
        with Disk(tmp_path / "disk.img", tmp_path / "town") as mounted:
            yield mounted
    except OSError as error:
        pytest.skip(f"no disk of our own: {error}")


def polled(running: Running) -> Running:
    """The daemon, once it has looked into the mailbox."""
    running.wait_until(lambda: any(line.startswith("STATUS=上次收信") for line in running.said))
    return running


def each_trouble_told_once(running: Running) -> None:
    told = Counter(
        word
        for line in running.lines
        if "event=trouble " in line
        for word in line.split()
        if "where=" in word
    )
    assert told, running.lines
    assert set(told.values()) == {1}, running.lines


@pytest.mark.slow
@pytest.mark.parametrize("seed", [1, 2, 3])
def test_what_was_only_in_the_page_cache_at_a_power_cut_is_not_missed(
    seed: int, disk: Disk, settle_town: Settle, begin: Begin
) -> None:
    chance = random.Random(seed)
    town = settle_town(settings="[limits]\nletters_per_address_per_day = 1000\n")
    disk.restore_power()
    answered = mail_reports(town, 120)
    for _ in range(6):
        running = begin(town).started()
        time.sleep(chance.uniform(0, 1.5))
        disk.cut_power()
        running.kill()
        disk.restore_power()
    last = begin(town)
    wait_until_done(last, 120, 90)
    last.stop()
    each_filed_once(town, 120)
    assert repeats(town, answered) == 0
    assert "✗" not in town.djb("database", "check")


def test_a_full_disk_is_told_once_and_work_goes_on_when_there_is_room_again(
    disk: Disk, settle_town: Settle, begin: Begin
) -> None:
    town = settle_town()
    running = polled(begin(town).started())
    disk.fill(left=100_000)
    answered = mail_reports(town, 30)
    running.wait_for("trouble")
    time.sleep(6)
    disk.make_room()
    begun = time.monotonic()
    running.wait_for("recovered", seconds=BACK_SECONDS)
    assert time.monotonic() - begun < BACK_SECONDS
    wait_until_done(running, 30)
    each_trouble_told_once(running)
    each_filed_once(town, 30)
    assert repeats(town, answered) == 0


@pytest.mark.slow
def test_a_disk_that_turns_read_only_loses_nothing(disk: Disk, settle_town: Settle, begin: Begin) -> None:
    town = settle_town()
    running = polled(begin(town).started())
    answered = mail_reports(town, 3)
    wait_until_done(running, 3)
    disk.fail()
    answered += mail_reports(town, 3, first=3)
    running.wait_for("trouble")
    time.sleep(8)
    each_trouble_told_once(running)
    assert running.stop(seconds=9) == 0
    disk.restore_power()
    running = begin(town)
    wait_until_done(running, 6)
    each_filed_once(town, 6)
    assert repeats(town, answered) == 0


def unchangeable(pattern: str, town: Town, sign: str) -> None:
    """Nobody, not even root, may change these files (+) or may again (-)."""
    files = [str(path) for path in (town.folder / "var").glob(pattern)]
    assert files
    subprocess.run(["chattr", "-R", f"{sign}i", *files], check=True)


@pytest.mark.parametrize("locked", ["djb.sqlite3*", "mail"])
def test_a_database_or_archive_that_cannot_be_written_is_told_once_until_it_can(
    locked: str, disk: Disk, settle_town: Settle, begin: Begin
) -> None:
    town = settle_town()
    answered = mail_reports(town, 3)
    running = begin(town)
    wait_until_done(running, 3)
    unchangeable(locked, town, "+")
    try:
        answered += mail_reports(town, 3, first=3)
        running.wait_for("trouble")
        time.sleep(8)
    finally:
        unchangeable(locked, town, "-")
    running.wait_for("recovered", seconds=BACK_SECONDS)
    wait_until_done(running, 6)
    each_trouble_told_once(running)
    each_filed_once(town, 6)
    assert repeats(town, answered) == 0


HOLD = """
import sqlite3, sys, time
connection = sqlite3.connect(sys.argv[1], isolation_level=None)
connection.execute("BEGIN EXCLUSIVE")
print("held", flush=True)
sys.stdin.read()
"""


@pytest.mark.slow
def test_a_database_locked_longer_than_anybody_waits_is_told_once_and_loses_nothing(
    settle_town: Settle, begin: Begin
) -> None:
    town = settle_town()
    admin = town.stack.add_person("admin@qq.com")
    running = polled(begin(town).started())
    with subprocess.Popen(
        [sys.executable, "-c", HOLD, str(town.folder / "var/djb.sqlite3")],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    ) as holder:
        assert holder.stdout is not None
        assert holder.stdout.readline()
        answered = mail_reports(town, 3)
        running.wait_for("trouble", seconds=45)
        town.stack.wait_for(admin, 1, seconds=120)  # though there is no outbox to put it into
    begun = time.monotonic()
    running.wait_for("recovered", seconds=BACK_SECONDS)
    wait_until_done(running, 3, BACK_SECONDS)
    assert time.monotonic() - begun < BACK_SECONDS
    each_trouble_told_once(running)
    each_filed_once(town, 3)
    assert repeats(town, answered) == 0
    (alarm,) = town.letters_to(admin)
    assert "数据库正被另一个程序占用" in text_of(alarm)


def garbage(file: Path) -> None:
    file.write_bytes(random.Random(1).randbytes(file.stat().st_size))


def cut_short(file: Path) -> None:
    file.write_bytes(file.read_bytes()[: file.stat().st_size // 2 + 100])


def emptied(file: Path) -> None:
    """The header is well, the pages are not."""
    size = file.stat().st_size
    file.write_bytes(file.read_bytes()[:4096] + b"\xff" * (size - 4096))


@pytest.mark.parametrize("ruin", [garbage, cut_short, emptied])
def test_a_ruined_database_is_refused_with_a_clear_word_and_comes_back_from_the_backup(
    ruin: Callable[[Path], None], settle_town: Settle, begin: Begin
) -> None:
    town = settle_town()
    answered = mail_reports(town, 2)
    town.once()
    town.djb("backup", str(town.folder / "backup.tar"))
    file = town.folder / "var/djb.sqlite3"
    with sqlite3.connect(file) as connection:
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    connection.close()
    ruin(file)
    running = begin(town)
    assert running.dies() == 1
    said = "\n".join(running.lines)
    assert "djb restore" in said, said
    assert "Traceback" not in said
    for path in (town.folder / "var").glob("djb.sqlite3*"):
        path.unlink()
    (town.folder / "var/mail").rename(town.folder / "old mail")
    town.djb("restore", str(town.folder / "backup.tar"))
    answered += mail_reports(town, 1, first=2)
    wait_until_done(begin(town), 3)
    each_filed_once(town, 3)
    assert repeats(town, answered) == 0
