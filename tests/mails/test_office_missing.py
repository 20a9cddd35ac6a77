"""What only LibreOffice can read, where LibreOffice is there but does not work."""

from __future__ import annotations

import io
import zipfile
from pathlib import Path

import pytest

from parsers import libreoffice
from parsers.read import read
from parsers.values import PartOutcome, Verdict
from tests.forms.reading import LIMITS

PLAIN = Path(__file__).parents[1] / "forms_scanned" / "files" / "plain.odt"


def test_a_file_is_held_and_not_called_damaged_when_libreoffice_does_not_start(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    broken = tmp_path / "soffice"
    broken.write_text("#!/bin/sh\nexit 1\n")
    broken.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    reading = read(PLAIN.read_bytes(), "上报.odt", LIMITS)
    assert reading.parts[0].outcome is PartOutcome.UNREADABLE
    assert "未能启动" in (reading.parts[0].reason or "")
    assert reading.verdict is Verdict.UNCERTAIN


@pytest.mark.skipif(libreoffice.installed() is None, reason="LibreOffice is not installed")
def test_a_damaged_file_is_called_damaged_when_libreoffice_works() -> None:
    torn = io.BytesIO()
    with zipfile.ZipFile(PLAIN) as whole, zipfile.ZipFile(torn, "w") as target:
        for name in whole.namelist():
            target.writestr(name, whole.read(name)[: 200 if name == "content.xml" else None])
    reading = read(torn.getvalue(), "上报.odt", LIMITS)
    assert "损坏" in (reading.parts[0].reason or "")
    assert reading.verdict is Verdict.UNREADABLE
