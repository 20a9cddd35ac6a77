"""What time has made due is decided, written down as done, and put into the outbox."""

from __future__ import annotations

from datetime import datetime

from daemon.desk import Office
from daemon.store.engine import Store


def tick(store: Store, office: Office, now: datetime) -> int:
    """Do all that the calendar wants by `now`; how many things were done."""
    return 0
