"""Loaded by every Python that has this directory in PYTHONPATH: lets a test end the daemon at a chosen step.

`DJB_DIE_AT` is `module:function:when:count`, such as `daemon.intake:_keep:after:2`: the process kills itself
with SIGKILL before or after that call. Nothing of it is in the daemon. Reader processes are left alone: they
are forked from a server that has no such module imported as ours is.
`DJB_CLOCK_SHIFT` is a number of seconds by which the clock that the daemon looks at is wrong, or a file in which
that number stands and may change.
`DJB_SILENCE` is after how many seconds the daemon takes a loop for stuck.
"""

from __future__ import annotations

import functools
import importlib.abc
import importlib.machinery
import importlib.util
import os
import signal
import sys
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from types import ModuleType
from typing import Any


class _Changed(importlib.abc.Loader):
    """Loads a module as it is, and then changes one thing in it."""

    def __init__(self, loader: Any, change: Callable[[ModuleType], None]) -> None:
        self._loader, self._change = loader, change

    def create_module(self, spec: importlib.machinery.ModuleSpec) -> ModuleType | None:
        module: ModuleType | None = self._loader.create_module(spec)
        return module

    def exec_module(self, module: ModuleType) -> None:
        self._loader.exec_module(module)
        self._change(module)


class _Finder(importlib.abc.MetaPathFinder):
    def __init__(self, name: str, change: Callable[[ModuleType], None]) -> None:
        self._name, self._change, self._busy = name, change, False

    def find_spec(self, name: str, path: Any, target: ModuleType | None = None) -> Any:
        if name != self._name or self._busy:
            return None
        self._busy = True
        try:
            spec = importlib.util.find_spec(name)
        finally:
            self._busy = False
        if spec is not None:
            spec.loader = _Changed(spec.loader, self._change)
        return spec


def _deadly(function: str, when: str, count: int) -> Callable[[ModuleType], None]:
    def change(module: ModuleType) -> None:
        *owners, name = function.split(".")
        owner: Any = module
        for each in owners:
            owner = getattr(owner, each)
        original = getattr(owner, name)
        calls = 0

        @functools.wraps(original)
        def call(*arguments: Any, **options: Any) -> Any:
            nonlocal calls
            calls += 1
            if calls == count and when == "before":
                os.kill(os.getpid(), signal.SIGKILL)
            result = original(*arguments, **options)
            if calls == count:
                os.kill(os.getpid(), signal.SIGKILL)
            return result

        setattr(owner, name, call)

    return change


def _shifted(seconds: str) -> Callable[[ModuleType], None]:
    file = Path(seconds)

    def shift() -> timedelta:
        return timedelta(seconds=float(file.read_text() if file.is_absolute() else seconds))

    def change(module: ModuleType) -> None:
        original = module.now
        module.now = lambda: original() + shift()  # type: ignore[attr-defined]

    return change


def _impatient(seconds: float) -> Callable[[ModuleType], None]:
    def change(module: ModuleType) -> None:
        module.LONGEST_SILENCE = seconds  # type: ignore[attr-defined]

    return change


if at := os.environ.get("DJB_DIE_AT"):
    module_, function_, when_, count_ = at.split(":")
    sys.meta_path.insert(0, _Finder(module_, _deadly(function_, when_, int(count_))))
if shift_ := os.environ.get("DJB_CLOCK_SHIFT"):
    sys.meta_path.insert(0, _Finder("daemon.store.opening", _shifted(shift_)))
if silence := os.environ.get("DJB_SILENCE"):
    sys.meta_path.insert(0, _Finder("daemon.service", _impatient(float(silence))))
