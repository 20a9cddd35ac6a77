"""What root makes in another user's directory belongs to that user, as if he had made it himself.

The daemon runs as a user of its own, but an administrator runs `djb check` or `djb restore` as root:
nothing that these make may later stand in the daemon's way. SQLite does the same with its own files.
"""

from __future__ import annotations

import os
from pathlib import Path


def hand_over(made: Path) -> None:
    """Gives a file or directory just made by root to the owner of the directory that it lies in."""
    if os.geteuid() == 0:
        owner = made.parent.stat()
        os.chown(made, owner.st_uid, owner.st_gid, follow_symlinks=False)


def make_directory(path: Path) -> None:
    """Makes a directory (0700) and those above it that are missing."""
    if path.is_dir():
        return
    make_directory(path.parent)
    path.mkdir(mode=0o700, exist_ok=True)
    hand_over(path)
