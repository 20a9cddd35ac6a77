"""Troubles as the administrator should hear of them: one line when one begins, one when it is over, one letter.

Whoever meets a trouble says so each time; it is told once. A trouble that will not mend itself is worth a
letter at once, one that may pass only if it lasts.
"""

from __future__ import annotations

import logging
import threading
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from daemon.errors import Failure, Permanent
from daemon.journal import event

TROUBLES = {
    "mailbox": "收信受阻",
    "outbox": "发信受阻",
    "outbox_records": "发信结果无法记录",
    "calendar": "定时事项无法办理",
    "folder": "邮箱文件夹不存在",
}

LASTING = timedelta(minutes=1)
"""After so long, a trouble that was expected to pass is worth a letter."""

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Trouble:
    """Something that does not work, since when, and why."""

    name: str
    """`mailbox`, `outbox`, `calendar`, `folder:垃圾邮件`."""
    since: datetime
    failure: Failure
    told: bool = False
    """A letter about it was written."""

    @property
    def what(self) -> str:
        """What it means to the office, in Chinese."""
        return TROUBLES.get(self.name.partition(":")[0], "运行受阻")

    @property
    def mends_itself(self) -> bool:
        return not isinstance(self.failure, Permanent)


class Troubles:
    """What does not work at the moment. May be asked by any thread."""

    def __init__(self) -> None:
        self._met: dict[str, Trouble] = {}
        self._lock = threading.Lock()

    def met(self, name: str, failure: Failure, now: datetime) -> None:
        """Something did not work, perhaps again."""
        with self._lock:
            before = self._met.get(name)
            trouble = replace(before, failure=failure) if before else Trouble(name, now, failure)
            self._met[name] = trouble
        if before is None or (before.mends_itself and not trouble.mends_itself):
            level = logging.WARNING if trouble.mends_itself else logging.ERROR
            event(log, "trouble", str(failure), level=level, where=name)

    def over(self, name: str, now: datetime) -> None:
        """It works, perhaps again."""
        with self._lock:
            before = self._met.pop(name, None)
        if before is not None:
            seconds = max(0, int((now - before.since).total_seconds()))
            event(log, "recovered", "已恢复正常", where=name, after_seconds=seconds)

    def wants_a_person(self, name: str) -> bool:
        """Whether this trouble is there and will not mend itself."""
        with self._lock:
            trouble = self._met.get(name)
        return trouble is not None and not trouble.mends_itself

    def untold(self, now: datetime) -> list[Trouble]:
        """The troubles that the administrator should hear of by letter and has not."""
        with self._lock:
            return [
                trouble
                for trouble in self._met.values()
                if not trouble.told and (not trouble.mends_itself or now - trouble.since >= LASTING)
            ]

    def note_told(self, trouble: Trouble) -> None:
        """A letter about it is written: no other one will be."""
        with self._lock:
            if trouble.name in self._met:
                self._met[trouble.name] = replace(self._met[trouble.name], told=True)
