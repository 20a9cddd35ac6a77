"""What systemd is given: sound, well confined, and at one with what the program and the manuals say."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from datetime import date
from pathlib import Path

import pytest

from daemon.config import load, password
from daemon.setup import configuration, state_directory
from daemon.store import schema
from daemon.store.archive import Archive
from daemon.store.engine import open_store
from tests.installation.wheel import TREE

UNITS = TREE / "systemd"
SERVICES = ("djb.service", "djb@gangbei.service", "djb-backup.service", "djb-backup@gangbei.service")
TIMERS = ("djb-backup.timer", "djb-backup@gangbei.timer")
TWINS = (("djb.service", "djb@.service"), ("djb-backup.service", "djb-backup@.service"))
MANUALS = ("README.md", "README.zh-CN.md")
MOST_EXPOSED = "19"
"""Of 100: under 2.0 as `systemd-analyze security` counts."""
SOMEBODY = 65534
TODAY = date(2026, 1, 5)

needs_systemd = pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="systemd is not installed")
needs_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root can give files away")


@pytest.fixture
def units(tmp_path: Path) -> Path:
    """The units as they are installed, each template also under the name of an instance."""
    for path in UNITS.iterdir():
        shutil.copy(path, tmp_path / path.name)
        if "@." in path.name:
            shutil.copy(path, tmp_path / path.name.replace("@.", "@gangbei."))
    return tmp_path


def analyzed(*arguments: str, at: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(["systemd-analyze", *arguments], cwd=at, capture_output=True, text=True)


@needs_systemd
def test_systemd_finds_nothing_wrong_with_the_units(units: Path) -> None:
    found = analyzed("verify", "--man=no", *(f"./{name}" for name in SERVICES + TIMERS), at=units)
    assert (found.returncode, found.stderr) == (0, "")


@needs_systemd
@pytest.mark.parametrize("service", SERVICES)
def test_services_are_hardly_exposed(units: Path, service: str) -> None:
    found = analyzed(
        "security", "--no-pager", "--offline=true", f"--threshold={MOST_EXPOSED}", f"./{service}", at=units
    )
    assert found.returncode == 0, found.stdout


@pytest.mark.parametrize(("one", "many"), TWINS)
def test_a_mailbox_among_several_is_served_under_the_same_protection(one: str, many: str) -> None:
    alone, among = ((UNITS / name).read_text(encoding="utf-8").splitlines() for name in (one, many))
    assert len(alone) == len(among)
    assert {line.partition("=")[0] for line in set(among) - set(alone)} <= {
        *("Description", "ExecStart", "ExecStartPost", "LoadCredential"),
        *("StateDirectory", "SyslogIdentifier", "WorkingDirectory"),
    }
    assert all("%i" in line for line in set(among) - set(alone))


def test_a_reload_needs_no_program_that_debian_may_lack() -> None:
    for name in ("djb.service", "djb@.service"):
        assert "ExecReload=/bin/sh -c 'kill -HUP $MAINPID'" in (UNITS / name).read_text(encoding="utf-8")


def test_libreoffice_and_the_reader_of_scans_find_in_proc_what_they_need() -> None:
    assert "ProcSubset=pid" not in "".join(path.read_text(encoding="utf-8") for path in UNITS.iterdir())


def test_the_first_configuration_agrees_with_the_unit(tmp_path: Path) -> None:
    unit = (UNITS / "djb.service").read_text(encoding="utf-8")
    place = Path("/etc/djb")
    state = state_directory(place)
    file = tmp_path / "djb.toml"
    file.write_text(configuration(TODAY, state), encoding="utf-8")
    config = load(file)
    assert config.store.database == "sqlite:////var/lib/djb/djb.sqlite3"
    assert config.store.archive == Path("/var/lib/djb/mail")
    for name, server in (("imap", config.mailbox.imap), ("smtp", config.mailbox.smtp)):
        assert server.password_file is not None
        assert f"LoadCredential={name}_password:{place / server.password_file.name}" in unit


def test_each_mailbox_keeps_its_data_where_its_instance_may_write() -> None:
    assert state_directory(Path("/etc/djb/gangbei")) == Path("/var/lib/djb/gangbei")
    assert state_directory(Path("/home/somebody/djb")) is None


def test_the_credential_is_taken_where_only_root_may_read_the_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "djb.toml"
    file.write_text(configuration(TODAY), encoding="utf-8")
    (tmp_path / "credentials").mkdir()
    (tmp_path / "credentials" / "imap_password").write_text("from systemd\n", encoding="utf-8")
    monkeypatch.setenv("CREDENTIALS_DIRECTORY", str(tmp_path / "credentials"))
    assert password(load(file).mailbox.imap, "imap_password") == "from systemd"


@pytest.mark.parametrize("manual", MANUALS)
def test_every_file_that_a_manual_installs_is_there(manual: str) -> None:
    named = set(re.findall(r"(?<![/\w])systemd/[\w@.*-]+", (TREE / manual).read_text(encoding="utf-8")))
    assert named
    assert {name for name in named if not list(TREE.glob(name))} == set()


@needs_systemd
@needs_root
def test_the_user_and_the_directories_are_made(tmp_path: Path) -> None:
    (tmp_path / "etc").mkdir()
    for program, file in (("systemd-sysusers", "djb.sysusers"), ("systemd-tmpfiles", "djb.tmpfiles")):
        words = [program, f"--root={tmp_path}", *(["--create"] if "tmpfiles" in program else [])]
        done = subprocess.run([*words, str(UNITS / file)], capture_output=True, text=True)
        assert done.returncode == 0, done.stderr
    assert "djb:" in (tmp_path / "etc/passwd").read_text(encoding="utf-8")
    assert (tmp_path / "etc/djb").stat().st_mode & 0o7777 == 0o2750
    assert (tmp_path / "var/lib/djb").stat().st_mode & 0o7777 == 0o700
    assert (tmp_path / "var/lib/djb").stat().st_uid == (tmp_path / "var/backups/djb").stat().st_uid != 0


@needs_root
def test_what_root_makes_belongs_to_the_daemon(tmp_path: Path) -> None:
    os.chown(tmp_path, SOMEBODY, SOMEBODY)
    Archive(tmp_path / "mail").store(b"From: a@school.test\r\n\r\n")
    store = open_store(f"sqlite:///{tmp_path / 'state' / 'djb.sqlite3'}", tmp_path / "mail")
    schema.create_if_empty(store)
    with store.lease("mailbox") as lease:
        assert lease
    store.close()
    assert {path.stat().st_uid for path in tmp_path.rglob("*")} == {SOMEBODY}


def commands(unit: str, places: dict[str, str]) -> Iterator[str]:
    """The commands of a unit, as a shell would be given them, at other places."""
    for line in (UNITS / unit).read_text(encoding="utf-8").splitlines():
        if line.startswith(("ExecStart=", "ExecStartPost=")):
            command = (
                line.partition("=")[2].replace("%%", "%").replace("-name djb-*.tar", "-name 'djb-*.tar'")
            )
            for place, other in places.items():
                command = command.replace(place, other)
            yield command


def test_the_nightly_backup_is_made_and_old_ones_go(tmp_path: Path) -> None:
    backups = tmp_path / "backups"
    backups.mkdir()
    old = backups / "djb-20250101-023000.tar"
    old.touch()
    os.utime(old, (0, 0))
    config = tmp_path / "djb.toml"
    config.write_text(configuration(TODAY), encoding="utf-8")
    loaded = load(config)
    store = open_store(loaded.store.database, loaded.store.archive)
    schema.create_if_empty(store)
    store.close()
    places = {
        "/etc/djb/djb.toml": str(config),
        "/var/backups/djb": str(backups),
        "exec djb": f"exec {sys.executable} -m daemon",
    }
    for command in commands("djb-backup.service", places):
        subprocess.run(["/bin/sh", "-c", command], cwd=TREE, check=True, capture_output=True)
    (made,) = backups.iterdir()
    assert made != old
    assert made.stat().st_mode & 0o777 == 0o600
