"""One write transaction at a time, and readers who notice nothing of it."""

from __future__ import annotations

import os
import stat
import threading
from pathlib import Path

import pytest
from sqlalchemy import select, text
from sqlalchemy.exc import DBAPIError

from daemon.errors import ConfigError, Failure, Permanent
from daemon.store import questions, tables
from daemon.store.engine import Store, open_store
from daemon.store.schema import create_if_empty
from tests.store.samples import NOW, new_mail


def test_what_a_failed_decision_wrote_is_gone(store: Store) -> None:
    with pytest.raises(RuntimeError), store.transaction() as session:
        questions.add_mails(session, [new_mail(1)])
        raise RuntimeError
    with store.reading() as session:
        assert session.scalars(select(tables.Mail)).all() == []


def test_one_bad_mail_of_a_batch_undoes_only_itself(store: Store) -> None:
    with store.transaction() as session:
        for uid in (1, 2, 3):
            try:
                with session.begin_nested():
                    questions.add_mails(session, [new_mail(uid)])
                    number = questions.next_number(session, "ND", 2022)
                    if uid == 2:
                        raise RuntimeError
            except RuntimeError:
                continue
            questions.set_note(session, f"mail:{uid}", str(number), NOW)
    with store.reading() as session:
        assert session.scalars(select(tables.Mail.uid).order_by(tables.Mail.uid)).all() == [1, 3]
        assert [questions.note(session, f"mail:{uid}") for uid in (1, 2, 3)] == ["1", None, "2"]


def test_rows_can_be_read_after_their_transaction(store: Store) -> None:
    with store.transaction() as session:
        questions.add_mails(session, [new_mail(1)])
        [mail] = questions.pending_mails(session, 5)
    assert mail.received_at == NOW


def test_a_reader_neither_waits_for_a_writer_nor_sees_its_half(store: Store) -> None:
    with store.transaction() as writing:
        questions.add_mails(writing, [new_mail(1)])
        writing.flush()
        with store.reading() as reading:
            assert questions.mail_counts(reading) == {}
    with store.reading() as reading:
        assert sum(questions.mail_counts(reading).values()) == 1


def test_a_reader_sees_one_moment_however_long_it_looks(store: Store) -> None:
    with store.reading() as reading:
        assert questions.mail_counts(reading) == {}
        with store.transaction() as writing:
            questions.add_mails(writing, [new_mail(1)])
        assert questions.mail_counts(reading) == {}


def test_a_reader_cannot_write(store: Store) -> None:
    with pytest.raises((DBAPIError, Failure)), store.reading() as session:
        session.execute(text("DELETE FROM note"))
    with store.transaction() as session:
        questions.set_note(session, "still", "writable", NOW)


def test_numbers_read_and_written_by_many_at_once_are_all_different(store: Store) -> None:
    seen: list[int] = []

    def allot() -> None:
        for _ in range(15):
            with store.transaction() as session:
                seen.append(questions.next_number(session, "ND", 2022))

    threads = [threading.Thread(target=allot) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(seen) == list(range(1, 61))


def test_a_mistyped_path_is_said_and_makes_no_new_database(tmp_path: Path) -> None:
    store = open_store(f"sqlite:///{tmp_path / 'mistyped.sqlite3'}", tmp_path / "mail")
    with pytest.raises(Permanent, match="不存在或无法打开"), store.transaction() as session:
        questions.mail_counts(session)
    store.close()
    assert list(tmp_path.iterdir()) == []


def test_a_file_that_is_no_database_is_said_so(tmp_path: Path) -> None:
    (tmp_path / "x.sqlite3").write_bytes(b"this is a letter, not a database" * 100)
    store = open_store(f"sqlite:///{tmp_path / 'x.sqlite3'}", tmp_path / "mail")
    with pytest.raises(Permanent, match="不是数据库"), store.reading() as session:
        questions.mail_counts(session)
    store.close()


def test_a_server_that_is_gone_is_worth_another_try(tmp_path: Path) -> None:
    store = open_store(f"postgresql+psycopg://djb@/postgres?host={tmp_path}", tmp_path / "mail")
    with pytest.raises(Failure) as said, store.transaction() as session:
        questions.mail_counts(session)
    assert type(said.value).__name__ == "Temporary"


@pytest.mark.parametrize("url", ["oracle-of-delphi://x", "not a url", "sqlite://"])
def test_an_address_that_means_nothing_is_a_fault_of_the_configuration(url: str, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"store\.database"):
        open_store(url, tmp_path)


def test_only_the_service_can_read_the_database_file(tmp_path: Path) -> None:
    before = os.umask(0)
    try:
        store = open_store(f"sqlite:///{tmp_path / 'var' / 'djb.sqlite3'}", tmp_path / "mail")
        create_if_empty(store)
        with store.transaction() as session:
            questions.set_note(session, "a", "b", NOW)
        modes = {file.name: stat.S_IMODE(file.stat().st_mode) for file in (tmp_path / "var").iterdir()}
        store.close()
    finally:
        os.umask(before)
    assert modes
    assert set(modes.values()) == {0o600}
    assert stat.S_IMODE((tmp_path / "var").stat().st_mode) == 0o700


def test_every_commit_of_sqlite_is_fully_on_the_disk(tmp_path: Path) -> None:
    store = open_store(f"sqlite:///{tmp_path / 'djb.sqlite3'}", tmp_path / "mail")
    create_if_empty(store)
    with store.transaction() as session:
        said = {
            name: session.scalar(text(f"PRAGMA {name}"))
            for name in ("synchronous", "journal_mode", "foreign_keys")
        }
    store.close()
    assert said == {"synchronous": 2, "journal_mode": "wal", "foreign_keys": 1}
