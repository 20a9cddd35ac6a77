"""The program as it is handed out: built from a copy of the tree, installed into an environment of its own."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import sysconfig
from dataclasses import dataclass
from pathlib import Path

TREE = Path(__file__).parents[2]
PACKAGES = ("daemon", "parsers", "mail_templates")
FILES = (
    *("pyproject.toml", "LICENSE", "Makefile", "requirements.lock"),
    *("README.md", "README.zh-CN.md", "CHANGELOG.md"),
)


def copied_tree(place: Path) -> Path:
    """What the build looks at, copied, so that it leaves nothing in the tree that is being worked in."""
    for name in (*PACKAGES, "systemd"):
        shutil.copytree(TREE / name, place / name, ignore=shutil.ignore_patterns("__pycache__"))
    for name in FILES:
        shutil.copy(TREE / name, place / name)
    return place


def built(tree: Path, kind: str) -> Path:
    """The wheel or sdist of a tree, built with the build backend at hand: no network."""
    program = f"from hatchling import build; print(build.build_{kind}('dist'))"
    (tree / "dist").mkdir(exist_ok=True)
    done = subprocess.run([sys.executable, "-c", program], cwd=tree, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return tree / "dist" / done.stdout.split()[-1]


@dataclass(frozen=True)
class Installation:
    """A virtual environment that holds the wheel, and borrows its dependencies from ours."""

    place: Path

    def djb(self, *arguments: object, at: Path) -> subprocess.CompletedProcess[str]:
        """Runs a command as on a machine without a language, outside of any tree."""
        environment = {
            "PATH": f"{self.place / 'bin'}{os.pathsep}{os.defpath}",
            "HOME": str(at),
            "LC_ALL": "C",
        }
        command = [str(self.place / "bin" / "djb"), *map(str, arguments)]
        return subprocess.run(command, cwd=at, env=environment, capture_output=True, encoding="utf-8")


def installed(wheel: Path, place: Path) -> Installation:
    """The wheel in a new virtual environment."""
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", place], check=True)
    python = place / "bin" / "python"
    pip = [sys.executable, "-m", "pip", "--disable-pip-version-check", "--python", str(python)]
    subprocess.run([*pip, "install", "--quiet", "--no-index", "--no-deps", str(wheel)], check=True)
    own = place / "lib" / f"python{sysconfig.get_python_version()}" / "site-packages"
    # A bare path: the tree, which is installed there for editing, does not come with it.
    (own / "borrowed.pth").write_text(f"{sysconfig.get_path('purelib')}\n", encoding="utf-8")
    return Installation(place)
