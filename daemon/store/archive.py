"""The archive of raw mails: each lies under its SHA-256, written once, never changed.

`store_many` returns only when the bytes and their names are on the disk: a temporary file is written and
fsynced, renamed, and each directory that gained a name is fsynced once.
"""

from __future__ import annotations

import os
import re
import tempfile
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Final

from daemon.errors import Failure, Permanent, Temporary

_NAME = re.compile(r"^[0-9a-f]{64}\.eml$")
_PARALLEL_FSYNCS: Final = 8
"""Concurrent fsyncs share one commit of the file system's journal."""


@dataclass(frozen=True)
class Archive:
    """Raw mails under `directory/ab/ab….eml`; files 0600, directories 0700."""

    directory: Path

    def path(self, digest: str) -> Path:
        """Where the mail with this SHA-256 lies, or would lie."""
        return self.directory / digest[:2] / f"{digest}.eml"

    def store(self, raw: bytes) -> str:
        """The SHA-256 under which these bytes now lie safely on the disk."""
        return self.store_many([raw])[0]

    def store_many(self, raws: Sequence[bytes]) -> list[str]:
        """The SHA-256 of each mail, all of them now safely on the disk.

        Raises Temporary when the disk is full, Permanent when the archive cannot be written.
        """
        digests = [sha256(raw).hexdigest() for raw in raws]
        try:
            self._write(dict(zip(digests, raws, strict=True)))
        except OSError as error:
            raise _failure(error, self.directory) from error
        return digests

    def read(self, digest: str) -> bytes:
        """The mail with this SHA-256. Raises Permanent if it is missing or no longer what it was."""
        try:
            raw = self.path(digest).read_bytes()
        except OSError as error:
            raise Permanent(
                f"归档邮件 {digest[:12]}… 无法读取（{error.strerror}）", "请用 djb database check 检查归档"
            ) from error
        if sha256(raw).hexdigest() != digest:
            raise Permanent(f"归档邮件 {digest[:12]}… 内容已损坏", "请从备份中恢复该文件")
        return raw

    def holds(self, digest: str) -> bool:
        """Whether a file stands under this SHA-256; `read` tells whether it is sound."""
        return self.path(digest).is_file()

    def digests(self) -> Iterator[str]:
        """The SHA-256 of every file in the archive, in order."""
        if not self.directory.is_dir():
            return
        for folder in sorted(path for path in self.directory.iterdir() if path.is_dir()):
            for file in sorted(folder.iterdir()):
                if _NAME.match(file.name):
                    yield file.stem

    @property
    def free_bytes(self) -> int:
        """Bytes that the archive's disk still takes. Raises OSError if there is no such disk."""
        status = os.statvfs(_existing(self.directory))
        return status.f_bavail * status.f_frsize

    @property
    def writable(self) -> bool:
        """Whether a file can be written in the archive, found out by writing one."""
        try:
            _make_directory(self.directory)
            with tempfile.TemporaryFile(dir=self.directory) as probe:
                probe.write(b"djb")
                probe.flush()
        except OSError:
            return False
        return True

    def _write(self, raws: dict[str, bytes]) -> None:
        missing = {digest: raw for digest, raw in raws.items() if not self._stands(digest, len(raw))}
        folders = {self.path(digest).parent for digest in raws}
        made = {folder.parent for folder in folders if _make_directory(folder)}
        written = [(self._temporary(digest, raw), self.path(digest)) for digest, raw in missing.items()]
        _fsync_all(temporary for temporary, _ in written)
        for temporary, final in written:
            temporary.replace(final)
        # Also where nothing was written: the name may be there from a run that died before its fsync.
        _fsync_all(folders | made)

    def _stands(self, digest: str, size: int) -> bool:
        try:
            return self.path(digest).stat().st_size == size
        except OSError:
            return False

    def _temporary(self, digest: str, raw: bytes) -> Path:
        final = self.path(digest)
        temporary = final.with_name(f".{digest[:16]}.{os.getpid()}.part")
        descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(descriptor, "wb") as file:
            file.write(raw)
        return temporary


def _make_directory(path: Path) -> bool:
    """Makes a directory (0700) and those above it; False if it was there already."""
    if path.is_dir():
        return False
    if not path.parent.is_dir():
        _make_directory(path.parent)
    path.mkdir(mode=0o700, exist_ok=True)
    return True


def _fsync_all(paths: Iterable[Path]) -> None:
    paths = list(paths)
    if len(paths) < 2:
        for path in paths:
            _fsync(path)
        return
    with ThreadPoolExecutor(_PARALLEL_FSYNCS) as pool:
        list(pool.map(_fsync, paths))


def _fsync(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _existing(path: Path) -> Path:
    while not path.exists() and path != path.parent:
        path = path.parent
    return path


def _failure(error: OSError, directory: Path) -> Failure:
    said = error.strerror or str(error)
    if error.errno in _PASSING:
        return Temporary(f"邮件归档 {directory} 写不下了（{said}）", "请清理磁盘空间，之后会自动继续")
    return Permanent(f"邮件归档 {directory} 无法写入（{said}）", "请检查目录的属主、权限和磁盘挂载方式")


_PASSING: Final = frozenset({4, 5, 11, 28, 122})
"""EINTR, EIO, EAGAIN, ENOSPC, EDQUOT: they may pass, or pass once room is made."""
