"""Of several daemons on one mailbox, one works."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path

import pytest
from sqlalchemy import text

from daemon.errors import Failure
from daemon.store.engine import Store, open_store
from tests.store import postgres

ROOT = Path(__file__).parents[2]
HOLD = """
import sys, time
from daemon.store.engine import open_store
lease = open_store(sys.argv[1], sys.argv[2]).lease("mailbox")
print(lease.acquire(), flush=True)
if len(sys.argv) > 3:
    import os
    if os.fork() == 0:
        time.sleep(60)
time.sleep(60)
"""


def _hold(url: str, directory: Path, *more: str) -> subprocess.Popen[str]:
    """Another daemon, which takes the lease and lives."""
    other = subprocess.Popen(
        [sys.executable, "-c", HOLD, url, str(directory), *more],
        stdout=subprocess.PIPE,
        text=True,
        start_new_session=True,
        cwd=ROOT,
    )
    assert other.stdout is not None
    assert other.stdout.readline() == "True\n"
    return other


def _eventually_acquired(store: Store) -> bool:
    lease = store.lease("mailbox")
    for _ in range(150):
        if lease.acquire():
            lease.release()
            return True
        time.sleep(0.1)
    return False


def test_only_one_has_it_until_it_lets_go(store: Store) -> None:
    with store.lease("mailbox") as first:
        assert first
        assert first.still_held()
        with store.lease("mailbox") as second:
            assert not second
            assert not second.still_held()
        with store.lease("backup") as other:
            assert other
    with store.lease("mailbox") as third:
        assert third


def test_whoever_has_it_may_ask_for_it_again(store: Store) -> None:
    lease = store.lease("mailbox")
    assert lease.acquire()
    assert lease.acquire()
    lease.release()
    assert not lease.held


@pytest.mark.parametrize("forked", [False, True])
def test_a_daemon_that_was_killed_holds_nothing(
    store: Store, database_url: str, tmp_path: Path, forked: bool
) -> None:
    other = _hold(database_url, tmp_path / "mail", *(["fork"] if forked else []))
    try:
        with store.lease("mailbox") as lease:
            assert not lease
        os.kill(other.pid, signal.SIGKILL)
        other.wait()
        # A reader process that it had forked may still live.
        assert _eventually_acquired(store)
    finally:
        with suppress(ProcessLookupError):
            os.killpg(other.pid, signal.SIGKILL)
        other.wait()
        if other.stdout is not None:
            other.stdout.close()


def test_cities_on_one_server_do_not_stand_in_each_others_way(
    postgres_server: postgres.Server, tmp_path: Path
) -> None:
    first, second = (open_store(postgres_server.fresh_url(), tmp_path) for _ in range(2))
    from daemon.store.schema import create_if_empty

    create_if_empty(first)
    create_if_empty(second)
    with first.lease("mailbox") as here, second.lease("mailbox") as there:
        assert here
        assert there
    first.close()
    second.close()


def test_a_lost_connection_is_a_lost_lease(postgres_server: postgres.Server, tmp_path: Path) -> None:
    store = open_store(postgres_server.fresh_url(), tmp_path)
    lease = store.lease("mailbox")
    assert lease.acquire()
    with store.migration() as connection:
        connection.execute(
            text(
                "SELECT pg_terminate_backend(pid) FROM pg_locks WHERE locktype = 'advisory' AND pid <> pg_backend_pid()"
            )
        )
    assert not lease.still_held()
    assert not lease.held
    assert lease.acquire()
    lease.release()
    store.close()


def test_a_lock_file_that_somebody_removed_is_a_lost_lease(tmp_path: Path) -> None:
    store = open_store(f"sqlite:///{tmp_path / 'djb.sqlite3'}", tmp_path / "mail")
    lease = store.lease("mailbox")
    assert lease.acquire()
    (tmp_path / "djb.sqlite3.mailbox.lock").unlink()
    assert not lease.still_held()
    assert lease.acquire()
    lease.release()


def test_a_lease_of_a_server_that_is_gone_cannot_be_had(tmp_path: Path) -> None:
    store = open_store(f"postgresql+psycopg://djb@/postgres?host={tmp_path}", tmp_path / "mail")
    with pytest.raises(Failure, match="暂时无法使用"):
        store.lease("mailbox").acquire()
