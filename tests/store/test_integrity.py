"""The check finds what is wrong, and nothing where nothing is."""

from __future__ import annotations

from pathlib import Path

import pytest
from sqlalchemy import text

from daemon.store import integrity, questions
from daemon.store.engine import Store, open_store
from daemon.store.schema import create_if_empty
from tests.store.samples import fill, new_problem


def test_a_sound_store_has_no_faults(store: Store) -> None:
    fill(store)
    seen: list[tuple[int, int]] = []
    assert integrity.check(store, progress=lambda done, total: seen.append((done, total))) == []
    assert seen == [(1, 2), (2, 2)]


def test_an_empty_place_is_said_to_be_empty(empty_store: Store) -> None:
    [fault] = integrity.check(empty_store)
    assert "不存在或为空" in fault


def test_a_mail_that_was_lost_or_changed_is_named(store: Store) -> None:
    fill(store)
    first, second = store.archive.digests()
    store.archive.path(first).unlink()
    store.archive.path(second).write_bytes(b"changed")
    lost, changed = integrity.check(store)
    assert first in lost
    assert "损坏" in changed
    assert len(integrity.check(store, contents=False)) == 1


def test_a_counter_behind_its_numbers_is_found_before_it_allots_one_twice(store: Store) -> None:
    with store.transaction() as session:
        questions.next_number(session, "ND", 2022)
        questions.add_problems(session, [new_problem("ND-2022-017")])
    [fault] = integrity.check(store)
    assert "ND-2022" in fault
    assert "17" in fault


@pytest.mark.parametrize(
    ("harm", "said"),
    [
        ("UPDATE letter SET state = 'sent'", "投递记录不一致"),
        ("UPDATE delivery SET state = 'sent'", "投递记录不一致"),
        ("DELETE FROM delivery", "没有投递记录"),
        ("DELETE FROM period", "没有登记的统计期"),
    ],
)
def test_records_that_contradict_each_other_are_found(store: Store, harm: str, said: str) -> None:
    fill(store)
    with store.transaction() as session:
        session.execute(text(harm))
    [fault] = integrity.check(store)
    assert said in fault


def test_an_older_schema_is_not_looked_into(store: Store) -> None:
    with store.transaction() as session:
        session.execute(text("UPDATE alembic_version SET version_num = '0000'"))
    [fault] = integrity.check(store)
    assert "djb database upgrade" in fault


def test_a_damaged_page_of_the_file_is_found(tmp_path: Path) -> None:
    store = open_store(f"sqlite:///{tmp_path / 'djb.sqlite3'}", tmp_path / "mail")
    create_if_empty(store)
    fill(store)
    with store.migration() as connection:
        broken = connection.exec_driver_sql("UPDATE problem SET unit_id = 4711").rowcount
    assert broken == 1
    [fault] = integrity.check(store)
    assert "数据关联断开" in fault
    store.close()
