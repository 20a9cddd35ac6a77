"""`djb run` as a process: its log, its notifications, its connections, and ways to end it."""

from __future__ import annotations

import contextlib
import os
import re
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path

from tests.journeys.town import Town

ROOT = Path(__file__).parents[2]
EVENT = re.compile(r"\bevent=(\w+)")


class Running:
    """The daemon of a town, from now until it is ended."""

    def __init__(
        self,
        town: Town,
        *,
        die_at: str | None = None,
        file_bytes: int | None = None,
        watchdog_seconds: float | None = None,
        shift: str | None = None,
        silence: float | None = None,
    ) -> None:
        self.town = town
        self.lines: list[str] = []
        self.said: list[str] = []
        """What it told systemd."""
        self.beats: list[float] = []
        """When it told systemd that it lives."""
        self._notify = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        # Not in the town's folder: its disk may fail.
        self._folder = tempfile.TemporaryDirectory(prefix="notify-")
        address = Path(self._folder.name) / "socket"
        self._notify.bind(str(address))
        environment = os.environ | {
            "PYTHONPATH": f"{ROOT / 'tests/faults/injected'}:{ROOT}",
            "NOTIFY_SOCKET": str(address),
        }
        environment.pop("PYTHONDONTWRITEBYTECODE", None)
        for name, value in (("DJB_DIE_AT", die_at), ("DJB_CLOCK_SHIFT", shift)):
            if value is not None:
                environment[name] = value
        if silence is not None:
            environment["DJB_SILENCE"] = str(silence)
        if watchdog_seconds is not None:
            environment["WATCHDOG_USEC"] = str(int(watchdog_seconds * 1e6))
        command = [sys.executable, "-m", "daemon", "--config", str(town.config), "run"]
        if file_bytes is not None:
            command = ["prlimit", f"--fsize={file_bytes}", *command]
        self.process = subprocess.Popen(
            command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True, env=environment
        )
        self._listening = threading.Thread(target=self._read_log, daemon=True)
        self._listening.start()
        threading.Thread(target=self._read_notifications, daemon=True).start()

    # --- what it says -----------------------------------------------------------------------------------

    def _read_log(self) -> None:
        assert self.process.stderr is not None
        with contextlib.suppress(ValueError):
            for line in self.process.stderr:
                self.lines.append(line.rstrip())

    def _read_notifications(self) -> None:
        with contextlib.suppress(OSError):
            while said := self._notify.recv(4096):
                self.said += said.decode().splitlines()
                if b"WATCHDOG=1" in said:
                    self.beats.append(time.monotonic())

    @property
    def events(self) -> Counter[str]:
        """How often it logged each event."""
        return Counter(match[1] for line in list(self.lines) if (match := EVENT.search(line)))

    def wait_for(self, event: str, times: int = 1, seconds: float = 30) -> None:
        """Returns once it has logged an event so often."""
        self.wait_until(lambda: self.events[event] >= times, seconds, event)

    def wait_until(self, condition: Callable[[], object], seconds: float = 30, what: str = "") -> None:
        """Returns once the condition holds. AssertionError: it does not, or the daemon has ended."""
        until = time.monotonic() + seconds
        while not condition():
            log = "\n".join(self.lines[-40:])
            assert self.process.poll() is None, f"ended with {self.process.returncode}\n{log}"
            assert time.monotonic() < until, f"not within {seconds} s: {what}\n{log}"
            time.sleep(0.02)

    def started(self) -> Running:
        """Itself, once it works."""
        self.wait_for("started")
        return self

    @property
    def longest_silence(self) -> float:
        """Seconds between two signs of life that lay furthest apart, until now."""
        beats = [*self.beats, time.monotonic()]
        return max(later - earlier for earlier, later in pairwise(beats))

    @property
    def memory(self) -> int:
        """Bytes that its main process holds in memory."""
        return int(Path(f"/proc/{self.process.pid}/statm").read_text().split()[1]) * os.sysconf(
            "SC_PAGE_SIZE"
        )

    @property
    def descriptors(self) -> int:
        """How many files and sockets it holds."""
        return len(list(Path(f"/proc/{self.process.pid}/fd").iterdir()))

    # --- its end ----------------------------------------------------------------------------------------

    def dies(self, seconds: float = 60) -> int:
        """Its exit status, once it has ended by itself."""
        return self.process.wait(seconds)

    def stop(self, seconds: float = 15) -> int:
        """Asked to end; its exit status."""
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(seconds)

    def kill(self) -> None:
        """Ended as by a power cut."""
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait(10)
        self._listening.join(5)
        if self.process.stderr is not None and not self._listening.is_alive():
            self.process.stderr.close()
        with contextlib.suppress(OSError):
            self._notify.shutdown(socket.SHUT_RDWR)  # ends the thread that listens
        self._notify.close()
        self._folder.cleanup()
