"""Reads mails in worker processes of bounded memory and time, so that a hostile file harms only itself.

The reader is reusable for the life of the daemon: workers are started once, recycled after a number of
mails, and replaced when they crash, overrun or outgrow their memory.
"""

from __future__ import annotations

import contextlib
import logging
import multiprocessing
import os
import queue
import resource
import signal
import sys
import threading
import time
import traceback
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from multiprocessing.connection import Connection, wait
from multiprocessing.process import BaseProcess
from types import TracebackType

from parsers.content import Limits
from parsers.values import Reading

log = logging.getLogger(__name__)

ADDRESS_SPACE = 1536 << 20
"""Bytes of memory a worker may map; the heaviest honest page, a scan, takes about half."""
SECONDS_PER_MAIL = 120.0
MAILS_PER_WORKER = 500
IN_FLIGHT_BYTES = 64 << 20
AHEAD = 4
"""Mails given to a worker before its first answer, so that it never waits for the next."""
MAKES_WAY = 3
"""How much nicer readers are; on two cores the deciding process then has one to itself."""
TICK = 0.5
READY = b"ready"
PRELOADED = (
    *(
        "parsers.read",
        "parsers.extract",
        "parsers.word",
        "parsers.sheet",
        "parsers.html",
        "parsers.workbooks",
    ),
    *("PIL.Image", "openpyxl", "daemon.reader"),
)
"""Imported once, before workers are forked, so that a new worker is there in milliseconds."""


@dataclass(frozen=True, slots=True)
class ReadingFailed:
    """Why a mail could not be read at all: its reader crashed, overran its time or met an unknown error."""

    reason: str
    """In Chinese, for people."""
    details: str = ""
    """For the journal: signal, exit code or traceback."""


Outcome = Reading | ReadingFailed
Read = Callable[[bytes, str, Limits, str | None], Reading]

TIMED_OUT = "读取超时,已中止,需人工查看"
CRASHED = "读取程序异常退出,需人工查看"
FAILED = "读取时出现意外错误,需人工查看"


@dataclass(frozen=True, slots=True)
class _Task:
    number: int
    raw: bytes
    name: str


@dataclass(slots=True)
class _Worker:
    """A process, our end of its pipe, and what it has been given, oldest first."""

    process: BaseProcess
    pipe: Connection
    given: deque[_Task]
    since: float
    """When the oldest given mail was begun."""
    done: int = 0
    ready: bool = False


class Reader:
    """A small pool of reading processes; use it as a context."""

    def __init__(
        self,
        workers: int = 2,
        limits: Limits | None = None,
        own_address: str | None = None,
        seconds_per_mail: float = SECONDS_PER_MAIL,
        mails_per_worker: int = MAILS_PER_WORKER,
        read: Read | None = None,
    ) -> None:
        self._size = max(1, workers)
        self._limits = limits or Limits()
        self._own_address = own_address
        self._seconds = seconds_per_mail
        self._mails_per_worker = mails_per_worker
        self._read = read
        self._workers: list[_Worker] = []
        self._context = multiprocessing.get_context("forkserver")
        self._context.set_forkserver_preload(list(PRELOADED))

    def __enter__(self) -> Reader:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Ends the workers; what they are reading is given up."""
        for worker in self._workers:
            _end(worker)
        self._workers.clear()

    def read(self, raw: bytes, name: str) -> Outcome:
        """What one mail or file says, or why it could not be read."""
        return next(outcome for _, outcome in self.read_all([(0, raw, name)]))

    def read_all(self, mails: Iterable[tuple[int, bytes, str]]) -> Iterator[tuple[int, Outcome]]:
        """Pairs of mail id and outcome, each as soon as it is there, for (id, raw, name) in any number.

        Mails are taken from the iterable only as fast as they are read.
        """
        self.forget()
        for number, raw, name in mails:
            while not self.offer(number, raw, name):
                yield from self.answers()
        while self.busy:
            yield from self.answers()

    def offer(self, number: int, raw: bytes, name: str) -> bool:
        """Whether a worker takes this mail now; if not, ask for `answers` and offer it again."""
        task = _Task(number, raw, name)
        worker = self._free_worker(task)
        if worker is not None:
            self._give(worker, task)
        return worker is not None

    def answers(self, seconds: float = TICK) -> Iterator[tuple[int, Outcome]]:
        """What has come back by now of the mails that were taken, waiting so long if nothing has."""
        pipes = {worker.pipe: worker for worker in self._workers}
        for pipe in wait(list(pipes), seconds):
            assert isinstance(pipe, Connection)
            yield from self._answer(pipes[pipe])
        for worker in list(self._workers):
            late = time.monotonic() - worker.since > self._seconds
            if worker.given and late and not worker.pipe.poll():
                yield from self._given_up(worker, ReadingFailed(TIMED_OUT, f"over {self._seconds:g} s"))

    @property
    def busy(self) -> bool:
        """Whether any mail was taken that has not come back."""
        return any(worker.given for worker in self._workers)

    def forget(self) -> None:
        """Gives up the mails that were taken and not asked back: their workers are ended."""
        for worker in [each for each in self._workers if each.given]:
            _end(worker)
            self._workers.remove(worker)

    # ------------------------------------------------------------ giving

    def _free_worker(self, task: _Task) -> _Worker | None:
        """The least busy worker that may take one more, started if need be."""
        in_flight = sum(len(each.raw) for worker in self._workers for each in worker.given)
        if in_flight and in_flight + len(task.raw) > IN_FLIGHT_BYTES:
            return None
        if len(self._workers) < self._size and all(worker.given for worker in self._workers):
            self._workers.append(self._started())
        open_for_more = [worker for worker in self._workers if self._takes(worker)]
        return min(open_for_more, key=lambda worker: len(worker.given), default=None)

    def _takes(self, worker: _Worker) -> bool:
        ahead = AHEAD if worker.ready else 1
        return len(worker.given) < ahead and worker.done + len(worker.given) < self._mails_per_worker

    def _give(self, worker: _Worker, task: _Task) -> None:
        if not worker.given:
            worker.since = time.monotonic()
        worker.given.append(task)
        # A worker that died between two mails is found when its pipe is read; its mails are given anew.
        with contextlib.suppress(BrokenPipeError, ConnectionResetError):
            worker.pipe.send((task.raw, task.name))

    def _started(self) -> _Worker:
        ours, theirs = self._context.Pipe()
        process = self._context.Process(
            target=_serve,
            args=(theirs, self._limits, self._own_address, self._seconds, self._read),
            name="djb-reader",
            daemon=True,
        )
        with _without_main():
            process.start()
        theirs.close()
        return _Worker(process, ours, deque(), time.monotonic())

    # ------------------------------------------------------------ answers

    def _answer(self, worker: _Worker) -> Iterator[tuple[int, Outcome]]:
        try:
            answer = worker.pipe.recv()
        except (EOFError, OSError):
            worker.process.join(5)
            yield from self._given_up(worker, _death(worker.process.exitcode))
            return
        if answer == READY:
            worker.ready = True
            worker.since = time.monotonic()
            return
        task = worker.given.popleft()
        worker.done += 1
        worker.since = time.monotonic()
        yield task.number, answer
        if worker.done >= self._mails_per_worker and not worker.given:
            _end(worker)
            self._workers.remove(worker)

    def _given_up(self, worker: _Worker, failure: ReadingFailed) -> Iterator[tuple[int, Outcome]]:
        """Ends the worker: the mail it was at has failed, the ones behind it go to another."""
        _end(worker)
        self._workers.remove(worker)
        given = list(worker.given)
        if not given:
            return
        log.warning("reader of %s failed: %s", given[0].name, failure.details)
        if worker.ready or failure.reason == TIMED_OUT:
            yield given[0].number, failure
            given = given[1:]
        elif not self._survives_start():
            raise RuntimeError(f"the reading process cannot be started: {failure.details}")
        if given:
            replacement = self._started()
            self._workers.append(replacement)
            for task in given:
                self._give(replacement, task)

    def _survives_start(self) -> bool:
        """Whether a worker can be started at all, before mails are given to one again."""
        worker = self._started()
        alive = worker.pipe.poll(60)
        try:
            return alive and worker.pipe.recv() == READY
        except (EOFError, OSError):
            return False
        finally:
            _end(worker)


def _end(worker: _Worker) -> None:
    """Ends a worker and whatever programs it has started."""
    worker.pipe.close()
    if worker.process.is_alive() and worker.process.pid:
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(worker.process.pid, signal.SIGKILL)
        worker.process.kill()
    worker.process.join()
    worker.process.close()


def _death(code: int | None) -> ReadingFailed:
    """What an exit code tells: a time limit, or a crash."""
    if code is not None and -code in (signal.SIGXCPU, signal.SIGALRM):
        return ReadingFailed(TIMED_OUT, f"signal {-code}")
    return ReadingFailed(CRASHED, f"signal {-code}" if code is not None and code < 0 else f"exit code {code}")


@contextlib.contextmanager
def _without_main() -> Iterator[None]:
    """Keeps a starting worker from importing the program's main module again, which it does not need."""
    main = sys.modules["__main__"]
    spec, file = getattr(main, "__spec__", None), getattr(main, "__file__", None)
    main.__spec__ = None
    main.__file__ = None
    try:
        yield
    finally:
        main.__spec__ = spec
        main.__file__ = file


# ------------------------------------------------------------------ in the worker


def _serve(
    pipe: Connection, limits: Limits, own_address: str | None, seconds: float, read: Read | None
) -> None:
    """Reads what comes through the pipe until it is closed."""
    _confine()
    if read is None:
        from parsers.read import read as read_mail

        read = read_mail
    tasks: queue.SimpleQueue[tuple[bytes, str] | None] = queue.SimpleQueue()
    threading.Thread(target=_receive, args=(pipe, tasks), daemon=True).start()
    pipe.send(READY)
    with contextlib.suppress(BrokenPipeError, ConnectionResetError):
        while (task := tasks.get()) is not None:
            _allow(seconds)
            pipe.send(_outcome(read, *task, limits, own_address))


def _receive(pipe: Connection, tasks: queue.SimpleQueue[tuple[bytes, str] | None]) -> None:
    """Takes mails off the pipe at once, so that neither side ever waits for the other to listen."""
    with contextlib.suppress(EOFError, OSError):
        while True:
            tasks.put(pipe.recv())
    tasks.put(None)


def _confine() -> None:
    """Bounds the process and takes terminal and signals from it: it ends when its pipe is closed.

    Readers make way for the process that decides: whoever waits for it is to wait for one only.
    """
    os.nice(MAKES_WAY)
    with contextlib.suppress(OSError):
        os.setpgid(0, 0)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    _, hard = resource.getrlimit(resource.RLIMIT_AS)
    resource.setrlimit(resource.RLIMIT_AS, (ADDRESS_SPACE, hard))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    nothing = os.open(os.devnull, os.O_RDONLY)
    os.dup2(nothing, 0)
    os.close(nothing)


def _allow(seconds: float) -> None:
    """Grants the next mail its processor time; beyond it the process is killed even if nobody watches."""
    used = resource.getrusage(resource.RUSAGE_SELF)
    _, hard = resource.getrlimit(resource.RLIMIT_CPU)
    limit = int(used.ru_utime + used.ru_stime + seconds) + 2
    resource.setrlimit(
        resource.RLIMIT_CPU, (limit if hard == resource.RLIM_INFINITY else min(limit, hard), hard)
    )


def _outcome(read: Read, raw: bytes, name: str, limits: Limits, own_address: str | None) -> Outcome:
    """The reading, or the failure. This is the one broad except around one mail."""
    try:
        return read(raw, name, limits, own_address)
    except MemoryError:
        return ReadingFailed("读取所需内存超过限额,需人工查看", "MemoryError")
    except RecursionError:
        return ReadingFailed("文件嵌套过深,无法读取,需人工查看", "RecursionError")
    except Exception:  # noqa: BLE001
        return ReadingFailed(FAILED, traceback.format_exc(limit=-8))
