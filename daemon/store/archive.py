"""The archive of raw mails: each lies under its SHA-256, written once, never changed.

`store_many` returns only when the bytes and their names are on the disk: temporary files are written and
synced, then renamed, and the directories that gained a name are synced, each once for the whole batch.
"""

from __future__ import annotations

import ctypes
import os
import re
import tempfile
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Final, cast

from daemon.errors import Failure, Permanent, Temporary
from daemon.store.ownership import hand_over

_NAME = re.compile(r"^[0-9a-f]{64}\.eml$")
WORTH_A_SYNCFS: Final = 8
"""From how many files on the whole file system is synced at once, instead of each file."""
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

    def remove(self, digest: str) -> None:
        """Takes a mail out, which must be safe elsewhere. Raises Permanent if the archive cannot be written."""
        try:
            self.path(digest).unlink(missing_ok=True)
        except OSError as error:
            raise _failure(error, self.directory) from error

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
        _make_directory(self.directory)
        with _Disk(self.directory, len(missing)) as disk:
            made = [folder for folder in folders if _make_folder(folder)]
            written = [(self._temporary(digest, raw), self.path(digest)) for digest, raw in missing.items()]
            disk.sync(temporary for temporary, _ in written)
            for temporary, final in written:
                temporary.replace(final)
            # Also where nothing was written: the name may be there from a run that died before its fsync.
            disk.sync([*folders, self.directory] if made else folders)

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
        hand_over(temporary)
        return temporary


def _make_directory(path: Path) -> None:
    """Makes a directory (0700) and those above it, safely on the disk."""
    if path.is_dir():
        return
    _make_directory(path.parent)
    if _make_folder(path):
        _fsync(path.parent)


def _make_folder(path: Path) -> bool:
    """Makes one directory (0700); False if it was there already."""
    if path.is_dir():
        return False
    path.mkdir(mode=0o700, exist_ok=True)
    hand_over(path)
    return True


class _Disk:
    """The file system of the archive, told to write down what was changed since this was opened.

    One syncfs for a batch costs a fraction of an fsync for each of its files. It tells of failed writes only
    those that happened after its descriptor was opened, hence the context manager.
    """

    def __init__(self, directory: Path, files: int) -> None:
        whole = files >= WORTH_A_SYNCFS and _syncfs is not None
        self._descriptor = os.open(directory, os.O_RDONLY) if whole else -1

    def __enter__(self) -> _Disk:
        return self

    def __exit__(self, *_: object) -> None:
        if self._descriptor >= 0:
            os.close(self._descriptor)

    def sync(self, paths: Iterable[Path]) -> None:
        """These files or directories are on the disk now. Raises OSError if they are not."""
        if self._descriptor < 0 or _syncfs is None:
            _fsync_all(paths)
        elif _syncfs(self._descriptor) != 0:
            error = ctypes.get_errno()
            raise OSError(error, os.strerror(error))


def _find_syncfs() -> Callable[[int], int] | None:
    """The system call, where it exists and says when it failed (Linux 5.8)."""
    release = re.match(r"(\d+)\.(\d+)", os.uname().release)
    if os.uname().sysname != "Linux" or not release or (int(release[1]), int(release[2])) < (5, 8):
        return None
    found = getattr(ctypes.CDLL(None, use_errno=True), "syncfs", None)
    return cast("Callable[[int], int] | None", found)


_syncfs: Final = _find_syncfs()


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
