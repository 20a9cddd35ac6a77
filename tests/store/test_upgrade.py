"""A database of every earlier schema, filled, comes up to date and keeps everything."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

import pytest
from alembic import command
from sqlalchemy import (
    JSON,
    Boolean,
    Column,
    Connection,
    Date,
    DateTime,
    Integer,
    LargeBinary,
    MetaData,
    Table,
    insert,
    select,
)

from daemon.errors import Failure
from daemon.store import integrity, schema
from daemon.store.engine import Store

ROWS = 3


def _value(column: Column[Any], row: int) -> Any:
    """Something that fits a column, different in every row."""
    kinds: tuple[tuple[type[Any], Any], ...] = (
        (JSON, [f"值{row}"]),
        (DateTime, datetime(2022, 1, row, 9, 30)),  # noqa: DTZ001 (as the columns hold it)
        (Date, date(2022, 1, row)),
        (Boolean, bool(row % 2)),
        (LargeBinary, bytes([row, 255])),
        (Integer, row),
    )
    return next((value for kind, value in kinds if isinstance(column.type, kind)), f"{column.name}值{row}")


def _tables(connection: Connection) -> list[Table]:
    metadata = MetaData()
    metadata.reflect(connection)
    return [table for table in metadata.sorted_tables if table.name != "alembic_version"]


def _fill(store: Store) -> dict[str, list[dict[str, Any]]]:
    with store.migration() as connection:
        tables = _tables(connection)
        for table in tables:
            rows = [{c.name: _value(c, row) for c in table.columns} for row in range(1, ROWS + 1)]
            connection.execute(insert(table), rows)
        return _content(connection, tables)


def _content(connection: Connection, tables: list[Table]) -> dict[str, list[dict[str, Any]]]:
    return {
        table.name: [
            dict(row._mapping)
            for row in connection.execute(select(table).order_by(*table.primary_key.columns))
        ]
        for table in tables
    }


@pytest.mark.parametrize("version", schema.known_versions())
def test_a_filled_database_of_each_schema_comes_up_to_date_and_loses_nothing(
    empty_store: Store, version: str
) -> None:
    schema.upgrade(empty_store, version)
    before = _fill(empty_store)
    assert all(len(rows) == ROWS for rows in before.values())
    schema.upgrade(empty_store)
    with empty_store.migration() as connection:
        after = _content(connection, _tables(connection))
    for name, rows in before.items():
        assert [{key: row[key] for key in old} for row, old in zip(after[name], rows, strict=True)] == rows
    assert schema.is_current(empty_store)
    assert schema.differences(empty_store) == []


def test_an_upgrade_that_fails_leaves_the_database_as_it_was(
    empty_store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(command, "upgrade", _half_done(command.upgrade))
    with pytest.raises(RuntimeError):
        schema.upgrade(empty_store)
    assert schema.schema_version(empty_store) is None
    with empty_store.migration() as connection:
        assert _tables(connection) == []


def _half_done(upgrade: Any) -> Any:
    def fail(*arguments: Any) -> None:
        upgrade(*arguments)
        raise RuntimeError

    return fail


def test_the_filled_database_is_not_mistaken_for_a_sound_one(empty_store: Store) -> None:
    schema.upgrade(empty_store)
    _fill(empty_store)
    assert integrity.check(empty_store)


def test_a_database_that_cannot_be_made_says_why(tmp_path: Any) -> None:
    from daemon.store.engine import open_store

    (tmp_path / "var").write_text("a file where a directory should be")
    store = open_store(f"sqlite:///{tmp_path / 'var' / 'djb.sqlite3'}", tmp_path / "mail")
    with pytest.raises(Failure, match="无法建立"):
        schema.create_if_empty(store)
