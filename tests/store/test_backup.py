"""A backup is only one if it was restored."""

from __future__ import annotations

import stat
import tarfile
import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from daemon.errors import Permanent
from daemon.model import Disposition
from daemon.store import backup, integrity, questions, schema, tables
from daemon.store.engine import Store, open_store
from tests.store import postgres
from tests.store.samples import NOW, fill, new_mail, new_problem

MADE = datetime(2022, 1, 4, 12, tzinfo=UTC)


def everything(store: Store) -> dict[str, list[dict[str, Any]]]:
    """Every row of every table, as values."""
    with store.reading() as session:
        return {
            table.name: [
                dict(row._mapping)
                for row in session.execute(select(table).order_by(*table.primary_key.columns))
            ]
            for table in tables.Base.metadata.sorted_tables
        }


@pytest.fixture(params=["sqlite", "postgresql"])
def empty_place(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Store]:
    """Somewhere else, on either engine, to restore into."""
    if request.param == "sqlite":
        url = f"sqlite:///{tmp_path / 'elsewhere' / 'djb.sqlite3'}"
    else:
        running: postgres.Server = request.getfixturevalue("postgres_server")
        url = running.fresh_url()
    place = open_store(url, tmp_path / "elsewhere" / "mail")
    yield place
    place.close()


def test_what_was_saved_comes_back_on_whichever_engine(
    store: Store, empty_place: Store, tmp_path: Path
) -> None:
    fill(store)
    manifest = backup.backup(store, tmp_path / "djb.tar", MADE)
    assert (manifest.schema, manifest.mails, manifest.missing) == (schema.newest_version(), 2, ())
    assert backup.restore(empty_place, tmp_path / "djb.tar") == manifest
    assert everything(empty_place) == everything(store)
    assert list(empty_place.archive.digests()) == list(store.archive.digests())
    assert integrity.check(empty_place) == []
    with empty_place.transaction() as session:
        # New rows go on after the restored ones.
        assert next(iter(questions.add_mails(session, [new_mail(77)]).values())) == 3
        assert questions.next_number(session, "ND", 2022) == 2
        questions.add_problems(session, [new_problem("ND-2022-002")])


def test_a_backup_is_for_the_service_alone_and_overwrites_nothing(store: Store, tmp_path: Path) -> None:
    target = tmp_path / "djb.tar"
    backup.backup(store, target, MADE)
    assert stat.S_IMODE(target.stat().st_mode) == 0o600
    with pytest.raises(Permanent, match="已存在"):
        backup.backup(store, target, MADE)
    assert not list(tmp_path.glob(".djb.tar*"))


def test_a_backup_made_while_the_daemon_works_agrees_with_itself(store: Store, tmp_path: Path) -> None:
    fill(store)
    stop = threading.Event()

    def work() -> None:
        uid = 100
        while not stop.is_set():
            uid += 1
            digest = store.archive.store(b"Subject: %d\r\n\r\n" % uid)
            with store.transaction() as session:
                added = questions.add_mails(session, [new_mail(uid, digest)])
                event = questions.NewEvent(
                    f"mail:{uid}", NOW, "received", "djb", mail_id=next(iter(added.values()))
                )
                questions.add_events(session, [event])

    worker = threading.Thread(target=work)
    worker.start()
    try:
        manifests = [backup.backup(store, tmp_path / f"{n}.tar", MADE) for n in range(5)]
    finally:
        stop.set()
        worker.join()
    for manifest in manifests:
        assert manifest.missing == ()
        assert manifest.tables["event"].rows == manifest.tables["mail"].rows
        assert manifest.mails == manifest.tables["mail"].rows


def test_a_backup_says_which_mails_the_archive_had_lost(
    store: Store, empty_place: Store, tmp_path: Path
) -> None:
    fill(store)
    lost = next(store.archive.digests())
    store.archive.path(lost).unlink()
    assert backup.backup(store, tmp_path / "djb.tar", MADE).missing == (lost,)
    assert backup.restore(empty_place, tmp_path / "djb.tar").missing == (lost,)
    assert len(integrity.check(empty_place)) == 1


def test_restoring_never_covers_what_is_there(store: Store, tmp_path: Path) -> None:
    fill(store)
    backup.backup(store, tmp_path / "djb.tar", MADE)
    before = everything(store)
    with pytest.raises(Permanent, match="已有数据"):
        backup.restore(store, tmp_path / "djb.tar")
    assert everything(store) == before
    elsewhere = open_store(f"sqlite:///{tmp_path / 'new.sqlite3'}", tmp_path / "other-mail")
    elsewhere.archive.store(b"somebody else's mail")
    with pytest.raises(Permanent, match="已有邮件"):
        backup.restore(elsewhere, tmp_path / "djb.tar")
    elsewhere.close()


def test_a_restore_that_was_cut_short_can_be_repeated(
    store: Store, empty_place: Store, tmp_path: Path
) -> None:
    fill(store)
    backup.backup(store, tmp_path / "djb.tar", MADE)
    schema.create_if_empty(empty_place)
    empty_place.archive.store(store.archive.read(next(store.archive.digests())))
    backup.restore(empty_place, tmp_path / "djb.tar")
    assert everything(empty_place) == everything(store)


@pytest.mark.parametrize("engine", ["sqlite"])
@pytest.mark.parametrize("where", [0.2, 0.5, 0.8])
def test_a_damaged_backup_is_refused_before_anything_is_written(
    engine: str, where: float, tmp_path: Path
) -> None:
    store = open_store(f"sqlite:///{tmp_path / 'djb.sqlite3'}", tmp_path / "mail")
    schema.create_if_empty(store)
    fill(store)
    backup.backup(store, tmp_path / "djb.tar", MADE)
    with tarfile.open(tmp_path / "djb.tar") as tar:
        full = [member for member in tar if member.size]
    member = full[int(len(full) * where)]
    content = bytearray((tmp_path / "djb.tar").read_bytes())
    content[member.offset_data + member.size // 2] ^= 0x01
    (tmp_path / "bad.tar").write_bytes(content)
    elsewhere = open_store(f"sqlite:///{tmp_path / 'new.sqlite3'}", tmp_path / "new-mail")
    with pytest.raises(Permanent, match=r"损坏|不是完整"):
        backup.restore(elsewhere, tmp_path / "bad.tar")
    assert not (tmp_path / "new.sqlite3").exists()
    assert not (tmp_path / "new-mail").exists()
    elsewhere.close()
    store.close()


@pytest.mark.parametrize("share", [0.0, 0.3, 0.9])
def test_a_backup_that_was_cut_off_is_refused(share: float, tmp_path: Path) -> None:
    store = open_store(f"sqlite:///{tmp_path / 'djb.sqlite3'}", tmp_path / "mail")
    schema.create_if_empty(store)
    fill(store)
    backup.backup(store, tmp_path / "djb.tar", MADE)
    whole = (tmp_path / "djb.tar").read_bytes().rstrip(b"\0")
    (tmp_path / "cut.tar").write_bytes(whole[: int(len(whole) * share)])
    with pytest.raises(Permanent, match="不是完整"):
        backup.verify(tmp_path / "cut.tar")
    store.close()


def test_nothing_cannot_be_backed_up(empty_store: Store, tmp_path: Path) -> None:
    with pytest.raises(Permanent, match="没有可备份"):
        backup.backup(empty_store, tmp_path / "djb.tar", MADE)
    with pytest.raises(Permanent, match="无法读取"):
        backup.verify(tmp_path / "none.tar")


def test_what_is_too_old_leaves_the_archive_only_into_a_backup_that_holds_it(
    store: Store, empty_place: Store, tmp_path: Path
) -> None:
    fill(store)
    old, held = list(store.archive.digests())
    with store.transaction() as session:
        mails = {mail.sha256: mail.id for mail in questions.mails_with_ids(session, [1, 2])}
        questions.settle_mail(session, mails[old], Disposition.FILED, NOW)
        questions.settle_mail(session, mails[held], Disposition.HELD, NOW)
    export, later = tmp_path / "originals.tar", tmp_path / "later.tar"
    backup.backup(store, export, MADE)
    assert backup.release(store, export, NOW, MADE) == 0  # nothing came before that
    (tmp_path / "cut.tar").write_bytes(export.read_bytes()[: export.stat().st_size // 2])
    with pytest.raises(Permanent):
        backup.release(store, tmp_path / "cut.tar", NOW + timedelta(days=1), MADE)
    assert len(list(store.archive.digests())) == 2
    assert backup.release(store, export, NOW + timedelta(days=1), MADE) == 1
    assert list(store.archive.digests()) == [held]
    assert integrity.check(store) == []
    assert backup.backup(store, later, MADE).missing == ()
    backup.restore(empty_place, later)
    assert everything(empty_place) == everything(store)
    assert integrity.check(empty_place) == []


def test_a_mail_that_the_backup_does_not_hold_stays_in_the_archive(store: Store, tmp_path: Path) -> None:
    fill(store)
    export = tmp_path / "originals.tar"
    backup.backup(store, export, MADE)
    digest = store.archive.store(b"Subject: 3\r\n\r\nthird")
    with store.transaction() as session:
        (third,) = questions.add_mails(session, [new_mail(3, digest)]).values()
        for mail in (1, 2, third):
            questions.settle_mail(session, mail, Disposition.FILED, NOW)
    assert backup.release(store, export, NOW + timedelta(days=1), MADE) == 2
    assert list(store.archive.digests()) == [digest]
    assert integrity.check(store) == []
