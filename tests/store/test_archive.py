"""The archive of raw mails: nothing lost, nothing changed unnoticed, nobody else's to read."""

from __future__ import annotations

import os
import stat
from hashlib import sha256
from pathlib import Path

import pytest
from hypothesis import given, strategies as st

from daemon.errors import Permanent
from daemon.store.archive import WORTH_A_SYNCFS, Archive


@given(raws=st.lists(st.binary(max_size=200), max_size=8))
def test_every_mail_comes_back_as_it_was_stored(
    raws: list[bytes], tmp_path_factory: pytest.TempPathFactory
) -> None:
    archive = Archive(tmp_path_factory.mktemp("mail") / "deep" / "mail")
    digests = archive.store_many(raws)
    assert digests == [sha256(raw).hexdigest() for raw in raws]
    assert [archive.read(digest) for digest in digests] == raws
    assert list(archive.digests()) == sorted(set(digests))
    assert archive.store_many(raws) == digests


def test_only_the_service_can_read_a_mail(tmp_path: Path) -> None:
    before = os.umask(0)
    try:
        archive = Archive(tmp_path / "var" / "mail")
        path = archive.path(archive.store(b"secret"))
    finally:
        os.umask(before)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert {stat.S_IMODE(p.stat().st_mode) for p in (path.parent, path.parent.parent, tmp_path / "var")} == {
        0o700
    }


@pytest.mark.parametrize("count", [1, 2, WORTH_A_SYNCFS, 60])
def test_a_batch_of_any_size_lies_whole_on_the_disk(count: int, tmp_path: Path) -> None:
    archive = Archive(tmp_path / "mail")
    raws = [b"mail %d" % number for number in range(count)]
    assert [archive.read(digest) for digest in archive.store_many(raws)] == raws
    assert not list(tmp_path.rglob("*.part"))


def test_a_mail_that_changed_on_the_disk_is_noticed(tmp_path: Path) -> None:
    archive = Archive(tmp_path)
    digest = archive.store(b"as it came")
    archive.path(digest).write_bytes(b"as it went")
    with pytest.raises(Permanent, match="损坏"):
        archive.read(digest)


def test_a_mail_that_is_missing_is_said_to_be(tmp_path: Path) -> None:
    with pytest.raises(Permanent, match="无法读取"):
        Archive(tmp_path).read("ab" * 32)


def test_a_torn_file_of_a_power_cut_is_written_anew(tmp_path: Path) -> None:
    archive = Archive(tmp_path)
    digest = archive.store(b"a whole mail")
    archive.path(digest).write_bytes(b"")
    archive.store(b"a whole mail")
    assert archive.read(digest) == b"a whole mail"


def test_no_half_written_file_is_left_or_taken_for_a_mail(tmp_path: Path) -> None:
    archive = Archive(tmp_path)
    digest = archive.store(b"whole")
    archive.path(digest).with_name(f".{digest[:16]}.4711.part").write_bytes(b"ha")
    assert list(archive.digests()) == [digest]
    assert len([p for p in tmp_path.rglob("*") if p.is_file()]) == 2


def test_an_archive_that_cannot_be_written_says_so(tmp_path: Path) -> None:
    (tmp_path / "mail").write_text("a file where a directory should be")
    archive = Archive(tmp_path / "mail")
    assert not archive.writable
    with pytest.raises(Permanent, match="无法写入"):
        archive.store(b"x")


def test_an_archive_not_yet_made_knows_its_free_space(tmp_path: Path) -> None:
    archive = Archive(tmp_path / "not" / "yet")
    assert archive.free_bytes > 0
    assert archive.writable
