"""Workbooks of ours that came back, edited: their orders carried out row by row, and read back."""

from __future__ import annotations

from daemon.desk import Desk
from daemon.filing import Sender
from daemon.holding import Fate
from daemon.store import tables
from parsers.values import Reading


def returned(
    desk: Desk, mail: tables.Mail, reading: Reading, sender: Sender, answered: tables.Letter | None
) -> Fate | None:
    """The orders of the workbooks that came back, carried out; None if there is nothing to do in them."""
    return None
