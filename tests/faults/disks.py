"""A small file system of its own for the daemon's data, which can run full, turn read-only or lose its power."""

from __future__ import annotations

import fcntl
import os
import struct
import subprocess
import time
from pathlib import Path
from types import TracebackType
from typing import Self

SHUT_DOWN = 0x8004587D
"""EXT4_IOC_SHUTDOWN: the file system ends at once; what is not on the disk yet is lost."""
WITHOUT_FLUSHING = struct.pack("I", 2)


class Disk:
    """An ext4 file system in a file, mounted on a directory. OSError: this machine does not let us."""

    def __init__(self, image: Path, directory: Path, megabytes: int = 64) -> None:
        self._image, self.directory = image, directory
        self._ballast = directory / "ballast"
        with image.open("wb") as file:
            file.truncate(megabytes << 20)
        directory.mkdir(parents=True, exist_ok=True)
        _run("mkfs.ext4", "-q", "-F", "-m", "0", str(image))

    def __enter__(self) -> Self:
        self.mount()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.unmount()

    def mount(self) -> None:
        _run("mount", "-o", "loop,errors=remount-ro", str(self._image), str(self.directory))

    def unmount(self) -> None:
        """Whoever still has a file open there is given a few seconds to let go."""
        for _ in range(50):
            if subprocess.run(["umount", str(self.directory)], capture_output=True).returncode == 0:
                return
            time.sleep(0.1)
        _run("umount", "-l", str(self.directory))

    def cut_power(self) -> None:
        """From now on nothing works here, and what was only in the page cache is gone for good."""
        descriptor = os.open(self.directory, os.O_RDONLY)
        try:
            fcntl.ioctl(descriptor, SHUT_DOWN, WITHOUT_FLUSHING)
        finally:
            os.close(descriptor)

    def restore_power(self) -> None:
        """The disk as it is after a power cut, its journal played back."""
        self.unmount()
        self.mount()

    def fail(self) -> None:
        """The kernel finds a fault in the file system and lets nobody write to it any more."""
        os.sync()
        device = _run("findmnt", "-n", "-o", "SOURCE", str(self.directory)).strip()
        Path("/sys/fs/ext4", Path(device).name, "trigger_fs_error").write_text("a test wants it")

    def fill(self, left: int) -> None:
        """Somebody else's file takes all room but about `left` bytes."""
        with self._ballast.open("wb") as file:
            status = os.statvfs(self.directory)
            os.posix_fallocate(file.fileno(), 0, max(1, status.f_bavail * status.f_frsize - left))

    def make_room(self) -> None:
        self._ballast.unlink()


def _run(*command: str) -> str:
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode != 0:
        raise OSError(f"{' '.join(command)}: {done.stderr.strip()}")
    return done.stdout
