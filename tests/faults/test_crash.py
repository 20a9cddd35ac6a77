"""kill -9 at every step of a mail's way and at random: every mail one fate, every answer once."""

from __future__ import annotations

import random
from collections.abc import Callable
from pathlib import Path
from subprocess import TimeoutExpired

import pytest

from tests.faults.ledger import each_filed_once, mail_reports, repeats, wait_until_done
from tests.faults.running import Running
from tests.journeys.town import Town

MAILS = 8
STEPS = (
    "daemon.store.archive:Archive.store_many:before:1",
    "daemon.store.archive:Archive.store_many:after:1",
    "daemon.store.mails:add_mails:after:1",
    "daemon.intake:_keep:after:1",
    "daemon.store.mails:record_poll:after:1",
    "daemon.intake:Handling._decide_batch:before:1",
    "daemon.intake:settle:before:1",
    "daemon.intake:settle:after:3",
    "daemon.intake:Handling._settle_all:after:1",
    "daemon.outbox:Outbox._claim:after:1",
    "daemon.sender:Sender.send:before:2",
    "daemon.sender:Sender.send:after:3",
    "daemon.outbox:Outbox._record:after:4",
    "daemon.schedule:tick:after:1",
)


@pytest.mark.parametrize(
    "step",
    [
        pytest.param(step, marks=[] if number in (3, 7, 11) else [pytest.mark.slow])
        for number, step in enumerate(STEPS)
    ],
)
def test_a_daemon_killed_at_any_step_loses_and_doubles_nothing(
    step: str, settle_town: Callable[..., Town], begin: Callable[..., Running]
) -> None:
    town = settle_town()
    answered = mail_reports(town, MAILS)
    assert begin(town, die_at=step).dies() == -9
    again = begin(town)
    wait_until_done(again, MAILS)
    assert again.stop() == 0
    each_filed_once(town, MAILS)
    assert repeats(town, answered) == 0  # the Sent folder knew what had gone out


@pytest.mark.slow
@pytest.mark.parametrize("seed", [1, 2])
def test_three_hundred_mails_survive_a_daemon_that_is_killed_again_and_again(
    seed: int, settle_town: Callable[..., Town], begin: Callable[..., Running]
) -> None:
    chance = random.Random(seed)
    town = settle_town(settings="[limits]\nletters_per_address_per_day = 1000\n")
    answered = mail_reports(town, 300)
    for _ in range(8):
        running = begin(town).started()
        with pytest.raises(TimeoutExpired):
            running.process.wait(chance.uniform(0.2, 4))
        running.kill()
    last = begin(town)
    wait_until_done(last, 300, 150)
    last.stop()
    each_filed_once(town, 300)
    assert repeats(town, answered) == 0


@pytest.mark.slow
def test_a_mail_that_kills_the_daemon_again_and_again_is_set_apart_and_the_others_are_not(
    settle_town: Callable[..., Town], begin: Callable[..., Running], tmp_path: Path
) -> None:
    town = settle_town()
    mail_reports(town, 3)
    for _ in range(5):
        # All three are in hand the first time, alone afterwards, the least suspected first.
        begin(town, die_at="daemon.intake:settle:before:1").dies()
    begin(town, die_at="daemon.intake:settle:before:3").dies()
    last = begin(town)
    last.wait_until(lambda: all(row["disposition"] != "pending" for row in town.rows("mail")), 40)
    last.stop()
    fates = sorted(row["disposition"] for row in town.rows("mail"))
    assert set(fates) <= {"filed", "quarantined"}
    assert fates.count("filed") >= 2
