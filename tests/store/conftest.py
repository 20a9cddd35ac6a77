"""Every test of the store runs on SQLite and on PostgreSQL."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from daemon.store.engine import Store, open_store
from daemon.store.schema import create_if_empty
from tests.store import postgres


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[postgres.Server]:
    if postgres.binaries() is None:
        pytest.skip("PostgreSQL is not installed")
    with postgres.server() as running:
        yield running


@pytest.fixture(params=["sqlite", "postgresql"])
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The URL of a database that does not exist yet."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'var' / 'djb.sqlite3'}"
    running: postgres.Server = request.getfixturevalue("postgres_server")
    return running.fresh_url()


@pytest.fixture
def empty_store(database_url: str, tmp_path: Path) -> Iterator[Store]:
    """A store without a schema."""
    store = open_store(database_url, tmp_path / "mail")
    yield store
    store.close()


@pytest.fixture
def store(empty_store: Store) -> Store:
    """A store with an empty schema."""
    create_if_empty(empty_store)
    return empty_store
