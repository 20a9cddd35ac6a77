"""Two daemons on one mailbox: one works, the other takes over when it is killed."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator

import pytest

from tests.faults.ledger import each_filed_once, mail_reports, repeats, wait_until_done
from tests.faults.running import Running
from tests.journeys.town import Town
from tests.store import postgres


@pytest.fixture
def server() -> Iterator[postgres.Server]:
    if postgres.binaries() is None:
        pytest.skip("PostgreSQL is not installed")
    with postgres.server() as running:
        yield running


def taken_over(town: Town, begin: Callable[..., Running]) -> None:
    answered = mail_reports(town, 6)
    first = begin(town).started()
    second = begin(town)
    second.wait_for("standing_by")
    second.wait_until(lambda: len(second.beats) >= 2)  # systemd hears that it lives
    wait_until_done(first, 6)
    assert second.events["started"] == 0
    answered += mail_reports(town, 6, first=6)
    time.sleep(0.7)
    first.kill()
    begun = time.monotonic()
    second.wait_for("started", seconds=15)
    assert time.monotonic() - begun < 15
    wait_until_done(second, 12)
    each_filed_once(town, 12)
    assert repeats(town, answered) == 0
    assert second.stop() == 0


def test_a_standby_takes_over_after_a_kill(
    settle_town: Callable[..., Town], begin: Callable[..., Running]
) -> None:
    taken_over(settle_town(), begin)


def test_a_standby_takes_over_on_postgresql(
    settle_town: Callable[..., Town], begin: Callable[..., Running], server: postgres.Server
) -> None:
    taken_over(settle_town(database=server.fresh_url()), begin)
