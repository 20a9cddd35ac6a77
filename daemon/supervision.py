"""The milestones of problems and sessions, carried out: digests, chases, lists, briefs."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Any

from daemon.desk import Desk


def tick(desk: Desk) -> int:
    """Do what the milestones want by now; how many letters were written."""
    return 0


def forecast(desk: Desk, first: date, last: date) -> list[Mapping[str, Any]]:
    """Every letter of the milestones in these days, as `djb plan` shows it."""
    return []
