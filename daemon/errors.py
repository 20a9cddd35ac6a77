"""Failures, named by what to do next: try again, tell a person, or refuse to start."""

from __future__ import annotations

from collections.abc import Sequence


class Failure(Exception):
    """Something did not work. `message` says what, `remedy` what a person can do; both in Chinese."""

    def __init__(self, message: str, remedy: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.remedy = remedy

    def __str__(self) -> str:
        return f"{self.message}；{self.remedy}" if self.remedy else self.message


class Temporary(Failure):
    """It may work later: try again, after `retry_after` seconds if that is known."""

    def __init__(self, message: str, remedy: str | None = None, retry_after: float | None = None) -> None:
        super().__init__(message, remedy)
        self.retry_after = retry_after


class Permanent(Failure):
    """It will not work until a person mends something: tell one, once, and go on trying slowly."""


class ConfigError(Failure):
    """The configuration is wrong: refuse to start. `faults` lists all that is wrong, one line each."""

    def __init__(self, faults: Sequence[str]) -> None:
        super().__init__("\n".join(faults))
        self.faults = tuple(faults)
