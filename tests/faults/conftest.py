"""The real daemon on real servers, and what may befall it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.faults.running import Running
from tests.journeys.town import Town
from tests.servers.fixtures import imap_link, mail_stack, netease, scripted_smtp, smtp_link
from tests.servers.mailstack import MailStack

__all__ = ["imap_link", "mail_stack", "netease", "scripted_smtp", "smtp_link"]

Begin = Callable[..., Running]


@pytest.fixture
def settle_town(mail_stack: MailStack, tmp_path: Path) -> Callable[..., Town]:
    """Makes the town; `settings` go to the end of its configuration."""

    def make(**options: Any) -> Town:
        return Town(mail_stack, tmp_path / "town", **options)

    return make


@pytest.fixture
def begin() -> Iterator[Begin]:
    """Starts the daemon of a town; whatever still runs at the end is killed."""
    started: list[Running] = []

    def start(town: Town, **options: Any) -> Running:
        started.append(Running(town, **options))
        return started[-1]

    yield start
    for each in started:
        each.kill()
