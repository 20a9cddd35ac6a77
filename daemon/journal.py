"""One line an event for the journal: `event=… mail=… number=…`, then a Chinese message.

Under systemd each line begins with its priority, as sd-daemon(3) wants it; no secrets, no contents of
mails, and of persons only what an administrator needs.
"""

from __future__ import annotations

import logging
import os
import sys
from typing import Any

_PRIORITIES = {logging.DEBUG: 7, logging.INFO: 6, logging.WARNING: 4, logging.ERROR: 3, logging.CRITICAL: 2}


def event(log: logging.Logger, name: str, message: str, *, level: int = logging.INFO, **fields: Any) -> None:
    """Log one event; fields that are None are left out, spaces and line breaks in values are tamed."""
    shown = " ".join(f"{key}={_tame(value)}" for key, value in fields.items() if value is not None)
    log.log(level, "%s", " ".join(part for part in (f"event={name}", shown, message) if part))


def _tame(value: Any) -> str:
    text = str(value)
    return "_".join(text.split()) or "-"


class _Journal(logging.Formatter):
    def format(self, record: logging.LogRecord) -> str:
        line = super().format(record).replace("\n", "\\n")
        return f"<{_PRIORITIES.get(record.levelno, 6)}>{line}"


def set_up(level: int = logging.INFO) -> None:
    """Send the program's log to stderr: with priorities for the journal, with times for a terminal."""
    handler = logging.StreamHandler(sys.stderr)
    if os.environ.get("JOURNAL_STREAM"):
        handler.setFormatter(_Journal("%(message)s"))
    else:
        handler.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(message)s", "%Y-%m-%d %H:%M:%S"))
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(logging.WARNING)
    logging.getLogger("daemon").setLevel(level)
