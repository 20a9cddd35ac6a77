"""A lease: of several daemons on one mailbox, one works and the others stand by.

On PostgreSQL it is an advisory lock held by a connection of its own, on SQLite an flock on a file beside the
database. Both are let go by the operating system when the daemon dies, however it dies.
"""

from __future__ import annotations

import fcntl
import os
from collections.abc import Callable
from hashlib import blake2b
from pathlib import Path
from types import TracebackType
from typing import Protocol
from weakref import WeakSet

from sqlalchemy import Connection, Engine, text
from sqlalchemy.exc import DBAPIError

from daemon.errors import Permanent
from daemon.store.failures import named_failures
from daemon.store.ownership import hand_over


class _Lock(Protocol):
    """Something held: it can be looked at again, and let go."""

    def still_held(self) -> bool: ...

    def release(self) -> None: ...


class Lease:
    """The right to do one thing, taken without waiting: `with store.lease("mailbox") as lease: if lease: …`.

    Whoever did not get it calls `acquire()` again later; whoever has it asks `still_held()` before each
    piece of work, because a connection to PostgreSQL can be lost while the daemon lives.
    """

    def __init__(self, take: Callable[[], _Lock | None]) -> None:
        self._take = take
        self._lock: _Lock | None = None

    def acquire(self) -> bool:
        """Whether it is ours now. Raises Temporary or Permanent if that cannot be found out."""
        if self._lock is not None and self.still_held():
            return True
        self._lock = self._take()
        return self._lock is not None

    def still_held(self) -> bool:
        """Whether it is still ours; a lease that was lost is given up."""
        if self._lock is not None and not self._lock.still_held():
            self._lock.release()
            self._lock = None
        return self._lock is not None

    def release(self) -> None:
        """Let others have it."""
        if self._lock is not None:
            self._lock.release()
            self._lock = None

    @property
    def held(self) -> bool:
        """Whether it was ours when last looked at."""
        return self._lock is not None

    def __bool__(self) -> bool:
        return self.held

    def __enter__(self) -> Lease:
        self.acquire()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.release()


_HELD: WeakSet[_FileLock | _ServerLock] = WeakSet()


def _forget_all() -> None:
    for lock in list(_HELD):
        lock.forget()


# A reader process forked from us must not keep a lease alive after we die. Closing its copy of the
# descriptor leaves the lock with us.
os.register_at_fork(after_in_child=_forget_all)


class _FileLock:
    def __init__(self, path: Path, descriptor: int) -> None:
        self._path = path
        self._descriptor = descriptor
        _HELD.add(self)

    def still_held(self) -> bool:
        """False once somebody removed or replaced the file: another daemon could lock the new one."""
        try:
            there = self._path.stat()
        except OSError:
            return False
        ours = os.fstat(self._descriptor)
        return (there.st_dev, there.st_ino) == (ours.st_dev, ours.st_ino)

    def forget(self) -> None:
        self.release()

    def release(self) -> None:
        if self._descriptor >= 0:
            os.close(self._descriptor)
            self._descriptor = -1


def file_lease(path: Path) -> Lease:
    """A lease by flock on a file."""

    def take() -> _Lock | None:
        try:
            descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
            hand_over(path)
        except OSError as error:
            raise Permanent(
                f"锁文件 {path} 无法打开（{error.strerror}）", "请检查目录的属主与权限"
            ) from error
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(descriptor)
            return None
        lock = _FileLock(path, descriptor)
        if lock.still_held():
            return lock
        lock.release()
        return None

    return Lease(take)


class _ServerLock:
    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        driver = connection.connection.dbapi_connection
        self._socket: int = driver.pgconn.socket if driver is not None else -1
        _HELD.add(self)

    def forget(self) -> None:
        if self._socket >= 0:
            os.close(self._socket)

    def still_held(self) -> bool:
        """False once the connection is gone, and the lock with it."""
        try:
            self._connection.execute(text("SELECT 1"))
        except DBAPIError:
            return False
        return True

    def release(self) -> None:
        _HELD.discard(self)
        # The lock belongs to the session: the connection must be closed, not returned to the pool.
        self._connection.invalidate()
        self._connection.close()


_ON_CONNECT = (
    # The server, too, must notice soon that the machine of a holder is gone.
    "SET tcp_keepalives_idle = 5",
    "SET tcp_keepalives_interval = 2",
    "SET tcp_keepalives_count = 3",
)


def server_lease(engine: Engine, name: str) -> Lease:
    """A lease by a PostgreSQL advisory lock, for one name in one schema."""

    def take() -> _Lock | None:
        with named_failures():
            return _try(engine, name)

    return Lease(take)


def _try(engine: Engine, name: str) -> _ServerLock | None:
    connection = engine.connect().execution_options(isolation_level="AUTOCOMMIT")
    try:
        schema = connection.scalar(text("SELECT current_schema()"))
        for statement in _ON_CONNECT:
            connection.execute(text(statement))
        key = int.from_bytes(blake2b(f"{schema}:{name}".encode(), digest_size=8).digest(), signed=True)
        got = connection.scalar(text("SELECT pg_try_advisory_lock(:key)"), {"key": key})
    except BaseException:
        connection.close()
        raise
    if got:
        return _ServerLock(connection)
    connection.close()
    return None
