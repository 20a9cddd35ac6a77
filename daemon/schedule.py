"""What time has made due: asked of the rules, carried out once, and forecast by the same functions.

The statistics calendar (`statistics`) and the milestones of problems and sessions (`supervision`) each say
what is due; a key in the table `done` sees to it that everything happens once.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime
from typing import Any

from daemon import statistics, supervision
from daemon.desk import Desk, Office
from daemon.directory import Directory
from daemon.store import questions
from daemon.store.engine import Store


def tick(store: Store, office: Office, now: datetime) -> int:
    """Do all that the calendar wants by `now`; how many letters were written."""
    count = 0
    while written := _statistics(store, office, now):
        count += written
    with store.transaction() as session:
        desk = Desk(office, session, Directory(questions.units(session)), now)
        return count + supervision.tick(desk)


def _statistics(store: Store, office: Office, now: datetime) -> int:
    """Some of the statistics letters that are due: a transaction for each handful, none if nothing is."""
    with store.reading() as session:
        if statistics.nothing_new(Desk(office, session, Directory(()), now)):
            return 0
    with store.transaction() as session:
        return statistics.tick(Desk(office, session, Directory(questions.units(session)), now))


def forecast(store: Store, office: Office, first: date, last: date, now: datetime) -> list[Mapping[str, Any]]:
    """Every letter that goes out on schedule in these days if nothing else arrives, in order of time."""
    with store.reading() as session:
        desk = Desk(office, session, Directory(questions.units(session)), now)
        rows = [*statistics.forecast(desk, first, last), *supervision.forecast(desk, first, last)]
    return sorted(rows, key=lambda row: (row["due_at"], row["kind"], row["to"]))
