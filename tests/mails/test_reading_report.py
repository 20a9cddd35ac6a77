"""`djb read`: JSON Lines in the order given, and for people a picture of what was understood."""

from __future__ import annotations

import io
import json
from pathlib import Path

import pytest
from rich.console import Console

from daemon import reading_report
from tests.mails.letters import SAMPLES, problem_report


def picture(paths: list[str | Path]) -> tuple[int, str]:
    stream = io.StringIO()
    status = reading_report.run(paths, as_json=False, console=Console(file=stream, width=120))
    return status, stream.getvalue()


def test_json_lines_come_in_the_order_given_under_the_names_given(capsys: pytest.CaptureFixture[str]) -> None:
    given = [str(next(SAMPLES.glob(f"{number}-*"))) for number in ("036", "001", "025", "016", "033")]
    assert reading_report.run(given, as_json=True) == 0
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [line["file"] for line in lines] == given
    assert [line["verdict"] for line in lines] == ["no_form", "complete", "complete", "complete", "complete"]
    assert [line["mail"]["kind"] for line in lines] == ["bounce", "person", "person", "person", "person"]


def test_a_file_that_is_not_there_is_named_and_the_others_are_read(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    (tmp_path / "附件1.docx").write_bytes(problem_report())
    assert reading_report.run([tmp_path / "没有.eml", tmp_path / "附件1.docx"], as_json=True) == 1
    printed = capsys.readouterr()
    assert "没有.eml" in printed.err.replace("\n", "")
    assert [json.loads(line)["mail"] for line in printed.out.splitlines()] == [None]


def test_people_see_what_was_understood_and_why(tmp_path: Path) -> None:
    status, text = picture([next(SAMPLES.glob("001-*"))])
    assert status == 0
    for word in ("✓ 完整", "孙德胜", "贵港市木格实验学校", "保安人员年龄偏大", "市局相关科室", "18175466995"):
        assert word in text.replace("│", "").replace("\n", "") or word[:6] in text


def test_a_folder_is_read_whole_with_a_summary() -> None:
    status, text = picture([SAMPLES])
    assert status == 0
    assert f"共 {len(list(SAMPLES.glob('*.eml')))} 个文件" in text
    assert "无法读取" in text


def test_markup_in_a_mail_is_shown_and_not_obeyed(tmp_path: Path) -> None:
    path = tmp_path / "a.eml"
    path.write_text("From: [red]x[/] <a@b.cn>\nSubject: [bold]主题[/bold] [/nonsense]\n\n[link=x]正文[/link]")
    status, text = picture([path])
    assert status == 0
    assert "[bold]主题[/bold] [/nonsense]" in text
    assert "[link=x]正文[/link]" in text
