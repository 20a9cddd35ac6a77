"""The schema: made, brought up, brought down, and the same as the tables say."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from sqlalchemy import inspect, select, text
from sqlalchemy.exc import DBAPIError

from daemon.errors import Permanent
from daemon.store import schema, tables
from daemon.store.engine import Store

NOW = datetime(2022, 1, 4, 1, 30, tzinfo=UTC)


def test_a_database_that_does_not_exist_has_no_version(empty_store: Store) -> None:
    assert schema.schema_version(empty_store) is None
    assert not schema.is_current(empty_store)


def test_the_schema_is_made_once(empty_store: Store) -> None:
    assert schema.create_if_empty(empty_store)
    assert not schema.create_if_empty(empty_store)
    assert schema.schema_version(empty_store) == schema.newest_version()


def test_migrations_make_exactly_the_tables_of_the_program(store: Store) -> None:
    assert schema.differences(store) == []


def test_migrations_go_down_to_nothing_and_up_again(store: Store) -> None:
    for version in reversed(schema.known_versions()):
        assert schema.schema_version(store) == version
        schema.downgrade(store, "-1")
    assert schema.schema_version(store) is None
    with store.migration() as connection:
        assert set(inspect(connection).get_table_names()) <= {"alembic_version"}
    for version in schema.known_versions():
        assert schema.upgrade(store, version)[1] == version
    assert schema.differences(store) == []


def test_history_can_neither_be_changed_nor_removed(store: Store) -> None:
    with store.transaction() as session:
        session.add(tables.Event(about="ND-2022-001", at=NOW, event="received", by="djb"))
    for statement in ("UPDATE event SET by = 'x'", "DELETE FROM event"):
        with pytest.raises(DBAPIError, match="append-only"), store.transaction() as session:
            session.execute(text(statement.replace(" by ", ' "by" ')))
    with store.reading() as session:
        assert session.scalars(select(tables.Event.by)).all() == ["djb"]


def test_a_database_of_somebody_else_is_left_alone(empty_store: Store) -> None:
    schema._create_place(empty_store)
    with empty_store.migration() as connection:
        connection.execute(text("CREATE TABLE customer (id INTEGER)"))
    with pytest.raises(Permanent, match="已有别的表"):
        schema.create_if_empty(empty_store)


def test_a_database_newer_than_the_program_is_refused(store: Store) -> None:
    with store.transaction() as session:
        session.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    assert not schema.is_current(store)
    with pytest.raises(Permanent, match="比本程序新"):
        schema.upgrade(store)
