"""What an administrator meets first: help, `djb init`, `djb check`."""

from __future__ import annotations

import re
import stat
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import openpyxl
import pytest
from pydantic import BaseModel

from daemon import checks, config, setup
from daemon.__main__ import GROUPS, SUMMARIES, main
from daemon.commands import COMMANDS
from daemon.errors import Failure
from daemon.model import Unit, UnitKind
from daemon.workdays import KNOWN_YEARS, Calendar
from tests.journeys.town import Town
from tests.servers.mailstack import MailStack

ROOT = Path(__file__).parents[2]
NOW = datetime(2026, 3, 4, 1, 0, tzinfo=UTC)


def keys(model: type[BaseModel], path: str = "") -> Iterator[str]:
    """Every key of the configuration, `deadlines.plan`, except tables."""
    for name, info in model.model_fields.items():
        kind = info.annotation
        if isinstance(kind, type) and issubclass(kind, BaseModel):
            yield from keys(kind, f"{path}{name}.")
        elif path:
            yield f"{path}{name}"


def flat(table: dict[str, Any], path: str = "") -> Iterator[str]:
    for name, value in table.items():
        if isinstance(value, dict):
            yield from flat(value, f"{path}{name}.")
        else:
            yield f"{path}{name}"


# --- help --------------------------------------------------------------------------------------------


def output(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> tuple[int, str, str]:
    try:
        status = main(arguments)
    except SystemExit as ended:
        status = int(ended.code or 0)
    said = capsys.readouterr()
    return status, said.out, said.err


def test_the_overview_names_every_command_once() -> None:
    assert set(SUMMARIES) == set(COMMANDS)
    assert len(SUMMARIES) == sum(len(group) for group in GROUPS.values())


@pytest.mark.parametrize("command", sorted(SUMMARIES))
def test_every_help_is_chinese_and_has_an_example(command: str, capsys: pytest.CaptureFixture[str]) -> None:
    status, text, _ = output([command, "--help"], capsys)
    assert status == 0
    assert f"示例：\n  djb {command}" in text or f" {command} " in text.partition("示例：")[2]
    for english in ("usage", "options", "positional", "show this help", "required"):
        assert english not in text


def test_a_mistyped_command_is_told_the_nearest(capsys: pytest.CaptureFixture[str]) -> None:
    status, _, errors = output(["stauts"], capsys)
    assert status == 2
    assert "是不是 status？" in errors


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["file", "x"], "x 不是来信的序号"),
        (["plan"], "缺少参数：--from, --to"),
        (["once", "--at"], "后面应有一个值"),
        (["export", "brief", "x.xlsx"], "没有 'brief'；可用的有：'ledger', 'returns', 'problem-list'"),
        (["mail", "--jsno"], "不认识的参数：--jsno"),
    ],
)
def test_a_wrong_command_line_is_explained_in_chinese(
    arguments: list[str], said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    status, _, errors = output(arguments, capsys)
    assert status == 2
    assert said in errors.replace("：brief", "：'brief'")


def test_the_lists_start_without_what_they_do_not_need() -> None:
    program = (
        "import sys, daemon.commands, daemon.display, daemon.lights, daemon.store.lists, daemon.store.opening\n"
        "print([n for n in ('alembic', 'openpyxl', 'docx', 'jinja2', 'apscheduler', 'imapclient') if n in sys.modules])"
    )
    found = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True, cwd=ROOT
    )
    assert found.stdout.strip() == "[]"


# --- init --------------------------------------------------------------------------------------------


def test_the_first_files_can_be_loaded_and_leave_the_past_of_the_mailbox_alone(tmp_path: Path) -> None:
    setup.write_first_files(tmp_path / "djb", date(2026, 3, 4))
    loaded = config.load(tmp_path / "djb" / "djb.toml")
    assert loaded.mailbox.ignore_before == date(2026, 3, 4)
    assert (loaded.mailbox.imap.host, loaded.mailbox.smtp.port) == ("imap.163.com", 465)
    assert loaded.deadlines == config.Deadlines()
    book = openpyxl.load_workbook(tmp_path / "djb" / "通讯录.xlsx")
    assert book.sheetnames == ["学校", "科室", "办公室"]
    assert stat.S_IMODE((tmp_path / "djb" / "通讯录.xlsx").stat().st_mode) & 0o007 == 0


def test_every_key_stands_in_the_first_file_and_is_right_when_its_comment_is_taken_away(
    tmp_path: Path,
) -> None:
    text = setup.configuration(date(2026, 3, 4))
    uncommented = re.sub(r"^# (?=[a-z_]+ = )", "", text, flags=re.MULTILINE)
    assert set(flat(tomllib.loads(uncommented))) == set(keys(config.Config))
    (tmp_path / "djb.toml").write_text(uncommented, encoding="utf-8")
    assert config.load(tmp_path / "djb.toml").deadlines == config.Deadlines()


@pytest.mark.parametrize("present", ["djb.toml", "通讯录.xlsx"])
def test_init_overwrites_nothing_and_then_writes_nothing(tmp_path: Path, present: str) -> None:
    (tmp_path / present).write_text("mine")
    with pytest.raises(Failure, match="已经存在"):
        setup.write_first_files(tmp_path, date(2026, 3, 4))
    assert [path.name for path in tmp_path.iterdir()] == [present]
    assert (tmp_path / present).read_text() == "mine"


def test_init_ends_with_status_1_where_it_may_not_write(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "file").write_text("")
    status, _, errors = output(["init", str(tmp_path / "file" / "djb")], capsys)
    assert status == 1
    assert "无法写入" in errors


# --- check -------------------------------------------------------------------------------------------


@pytest.fixture
def town(mail_stack: MailStack, tmp_path: Path) -> Town:
    return Town(mail_stack, tmp_path / "town")


def marks(text: str) -> dict[str, str]:
    """Name -> mark of every line."""
    return {
        line[2:].partition("：")[0]: line[0] for line in text.splitlines() if line.startswith(("✓", "✗", "!"))
    }


def test_a_town_in_order_passes_every_check(town: Town) -> None:
    (town.folder / "password").chmod(0o600)
    found = marks(town.djb("check"))
    assert "✗" not in found.values()
    for name in ("配置", "数据库", "来信档案", "通讯录", "信件模板", "IMAP 连接与登录", "SMTP 连接与登录"):
        assert found[name] == "✓", name
    assert found["IMAP 文件夹“INBOX”"] == "✓"
    assert {"LibreOffice", "时钟", "工作日历"} <= set(found)


def test_a_wrong_password_and_a_bad_template_are_both_told(town: Town) -> None:
    (town.folder / "password").write_text("wrong")
    (town.folder / "templates" / "receipt").mkdir(parents=True)
    (town.folder / "templates" / "receipt" / "body.j2").write_text("{{ nothing_of_the_kind }}")
    with town.config.open("a") as file:
        file.write('[templates]\ndirectory = "templates"\n')
    text = town.djb("check", status=1)
    found = marks(text)
    assert (found["信件模板"], found["IMAP 连接与登录"], found["SMTP 连接与登录"]) == ("✗", "✗", "✗")
    assert "办法：" in text


def test_a_missing_password_is_explained_with_the_authorisation_code_on_163(tmp_path: Path) -> None:
    setup.write_first_files(tmp_path, date(2026, 3, 4))
    loaded = config.load(tmp_path / "djb.toml")
    found = list(checks._imap(loaded, NOW))
    assert found[0].mark is checks.Mark.FAULT
    assert "授权码" in (found[0].remedy or "")


def test_every_fault_of_a_configuration_is_told_with_status_2(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "djb.toml").write_text('[office]\nnane = "x"\n[mailbox]\naddress = "nobody"\n')
    status, text, _ = output(["--config", str(tmp_path / "djb.toml"), "check"], capsys)
    assert status == 2
    assert "是不是 name？" in text
    assert "mailbox.imap" in text


def unit(kind: UnitKind, *addresses: str) -> Unit:
    return Unit(0, kind, f"某{kind.chinese}", addresses=addresses)


def test_a_directory_is_told_what_it_lacks_and_what_that_means() -> None:
    (nothing,) = checks.directory_lines([])
    assert nothing.mark is checks.Mark.FAULT
    lacking = list(
        checks.directory_lines([unit(UnitKind.SCHOOL), unit(UnitKind.SECRETARY, "s@x.cn")], ["s@x.cn"])
    )
    text = "\n".join(line.detail for line in lacking)
    for said in ("没有工委办", "没有科室", "某学校 没有邮箱", "s@x.cn 退信"):
        assert said in text
    assert {line.mark for line in lacking if "没有工委办" in line.detail} == {checks.Mark.FAULT}


def test_the_calendar_says_until_when_it_knows() -> None:
    last = max(KNOWN_YEARS)
    assert checks.calendar_line(Calendar(), date(last, 3, 1)).mark is checks.Mark.WELL
    assert checks.calendar_line(Calendar(), date(last, 12, 1)).mark is checks.Mark.NOTE
    unknown = checks.calendar_line(Calendar(), date(last + 1, 3, 1))
    assert unknown.mark is checks.Mark.NOTE
    assert str(last + 1) in unknown.detail
    entered = Calendar(frozenset({date(last + 1, 1, 1), date(last + 1, 10, 1)}))
    assert checks.calendar_line(entered, date(last, 12, 1)).mark is checks.Mark.WELL


def test_a_clock_that_was_never_set_is_a_fault(tmp_path: Path) -> None:
    setup.write_first_files(tmp_path, date(2026, 3, 4))
    loaded = config.load(tmp_path / "djb.toml")
    (line,) = checks._clock(loaded, datetime(1970, 1, 2, tzinfo=UTC))
    assert line.mark is checks.Mark.FAULT
