"""The wheel and the sdist hold all that the program needs, and it works from them."""

from __future__ import annotations

import json
import tarfile
import zipfile
from pathlib import Path

import pytest

from tests.installation.wheel import FILES, PACKAGES, TREE, Installation, built, copied_tree, installed

pytestmark = pytest.mark.xdist_group("wheel")
"""Built and installed once, not once for every worker."""

FORM = TREE / "tests" / "forms" / "files" / "campuses.docx"


@pytest.fixture(scope="module")
def tree(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return copied_tree(tmp_path_factory.mktemp("tree"))


@pytest.fixture(scope="module")
def wheel(tree: Path) -> Path:
    return built(tree, "wheel")


@pytest.fixture(scope="module")
def installation(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Installation:
    return installed(wheel, tmp_path_factory.mktemp("environment") / "djb")


def packaged(tree: Path) -> set[str]:
    """Every file of the packages, by its path below the tree."""
    return {
        str(path.relative_to(tree))
        for package in PACKAGES
        for path in (tree / package).rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }


def test_the_wheel_holds_every_module_template_and_migration(tree: Path, wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        names = set(archive.namelist())
    assert packaged(tree) - names == set()
    assert not {name for name in names if name.startswith("tests")}


def test_the_source_distribution_holds_the_units_and_the_manuals_as_well(tree: Path) -> None:
    archive = built(tree, "sdist")
    with tarfile.open(archive) as members:
        names = {member.name.partition("/")[2] for member in members}
    units = {f"systemd/{path.name}" for path in (TREE / "systemd").iterdir()}
    assert (packaged(tree) | units | set(FILES)) - names == set()


def test_the_installed_program_says_its_version(installation: Installation, tmp_path: Path) -> None:
    said = installation.djb("--version", at=tmp_path)
    assert said.stdout.startswith("djb "), said.stderr


def test_an_administrator_begins_with_the_wheel_alone(installation: Installation, tmp_path: Path) -> None:
    config = tmp_path / "djb" / "djb.toml"
    begun = installation.djb("init", config.parent, at=tmp_path)
    assert begun.returncode == 0, begun.stderr
    assert (config.parent / "通讯录.xlsx").is_file()
    upgraded = installation.djb("--config", config, "database", "upgrade", at=tmp_path)
    assert upgraded.returncode == 0, upgraded.stderr
    checked = installation.djb("--config", config, "database", "check", at=tmp_path)
    assert checked.returncode == 0, checked.stderr
    assert (config.parent / "var" / "djb.sqlite3").is_file()


def test_the_installed_program_reads_a_form(installation: Installation, tmp_path: Path) -> None:
    read = installation.djb("read", FORM, "--json", at=tmp_path)
    assert json.loads(read.stdout)["forms"], read.stderr


def test_the_installed_program_lives_through_the_sample_day(
    installation: Installation, tmp_path: Path
) -> None:
    lived = installation.djb("demo", "--once", "--directory", tmp_path / "day", at=tmp_path)
    assert lived.returncode == 0, lived.stdout[-2000:] + lived.stderr[-2000:]
