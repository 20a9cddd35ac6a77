"""The configuration is read whole, checked whole, and every fault is said."""

from __future__ import annotations

from pathlib import Path

import pytest

from daemon.config import Config, find_config, load, password
from daemon.errors import ConfigError

GOOD = """
[office]
name = "中共贵港市委教育工委办公室"
[mailbox]
address = "DJB3916@163.com"
[mailbox.imap]
host = "imap.163.com"
port = 993
password_file = "imap.password"
[mailbox.smtp]
host = "smtp.163.com"
port = 465
password_env = "DJB_TEST_PASSWORD"
"""


def written(tmp_path: Path, text: str) -> Path:
    file = tmp_path / "djb.toml"
    file.write_text(text, encoding="utf-8")
    return file


def faults(tmp_path: Path, text: str) -> str:
    with pytest.raises(ConfigError) as error:
        load(written(tmp_path, text))
    return "\n".join(error.value.faults)


def test_defaults_are_those_of_the_interface(tmp_path: Path) -> None:
    config = load(written(tmp_path, GOOD))
    assert config.mailbox.address == "djb3916@163.com"
    assert config.mailbox.folders == ["INBOX"]
    assert config.mailbox.smtp.seconds_between == 2
    assert config.mailbox.smtp.daily_limit == 500
    assert config.workflow.referral == "automatic"
    assert [t.isoformat() for t in config.deadlines.working_hours] == ["09:00:00", "17:00:00"]
    assert config.deadlines.statistics_due_months == [1, 3, 5, 7, 9, 11]


def test_relative_paths_are_relative_to_the_file(tmp_path: Path) -> None:
    config = load(written(tmp_path, GOOD))
    assert config.store.archive == tmp_path / "var/mail"
    assert config.store.database == f"sqlite:///{tmp_path}/var/djb.sqlite3"
    assert config.mailbox.imap.password_file == tmp_path / "imap.password"


def test_every_fault_is_reported_at_once_with_file_key_and_expectation(tmp_path: Path) -> None:
    text = faults(
        tmp_path,
        GOOD.replace("port = 993", 'port = "x"')
        .replace('name = "中共', 'nmae = "中共')
        .replace('"DJB3916@163.com"', '"nobody"'),
    )
    assert "office.nmae，是不是 name？" in text
    assert "mailbox.address：应为一个电子邮箱地址" in text
    assert "mailbox.imap.port：应为整数" in text
    assert text.count(str(tmp_path / "djb.toml")) == len(text.splitlines())


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        (("port = 993", 'port = 993\nsecurity = "none"'), "只允许用于本机"),
        (("port = 993", 'port = 993\nsecurity = "ssl"'), '只能是 "tls"、"starttls" 或 "none"'),
        (("[mailbox]", "[mailbox]\npoll_seconds = 0"), "应不小于 1"),
        (("[mailbox]", "[mailbox]\nfolders = []"), "应有至少 1 项"),
        (("[office]", '[deadlines]\nworking_hours = ["9", "x"]\n[office]'), "应为两个时刻"),
        (("[office]", '[office]\ntimezone = "Mars/Base"'), "应为时区名称"),
        (
            ("[office]", '[store]\ndatabase = "mysql://x"\n[office]'),
            "应以 sqlite:/// 或 postgresql+psycopg:// 开头",
        ),
    ],
)
def test_a_wrong_value_is_explained(tmp_path: Path, change: tuple[str, str], expected: str) -> None:
    assert expected in faults(tmp_path, GOOD.replace(*change))


def test_a_password_in_the_file_is_refused(tmp_path: Path) -> None:
    assert "不认识的键 mailbox.imap.password" in faults(
        tmp_path, GOOD.replace("port = 993", 'port = 993\npassword = "x"')
    )


def test_text_that_is_not_toml_is_said_to_be_so(tmp_path: Path) -> None:
    assert "不是有效的 TOML" in faults(tmp_path, "[office\n")


def test_passwords_come_from_file_environment_or_credential(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    config: Config = load(written(tmp_path, GOOD))
    (tmp_path / "imap.password").write_text("secret-a\n")
    assert password(config.mailbox.imap, "imap_password") == "secret-a"
    monkeypatch.setenv("DJB_TEST_PASSWORD", "secret-b")
    assert password(config.mailbox.smtp, "smtp_password") == "secret-b"
    bare = config.mailbox.smtp.model_copy(update={"password_env": None})
    monkeypatch.setenv("CREDENTIALS_DIRECTORY", str(tmp_path))
    (tmp_path / "smtp_password").write_text("secret-c")
    assert password(bare, "smtp_password") == "secret-c"
    monkeypatch.delenv("CREDENTIALS_DIRECTORY")
    with pytest.raises(ConfigError, match="授权码"):
        password(bare, "smtp_password")


def test_the_file_is_found_by_flag_then_environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("DJB_CONFIG", raising=False)
    # The machine may be one on which the daemon is installed.
    monkeypatch.setattr("daemon.config.SEARCH_PATH", ("djb.toml", str(tmp_path / "etc" / "djb.toml")))
    with pytest.raises(ConfigError, match="djb init"):
        find_config(None)
    written(tmp_path, GOOD)
    assert find_config(None) == Path("djb.toml")
    monkeypatch.setenv("DJB_CONFIG", "other.toml")
    assert find_config(None) == Path("other.toml")
    assert find_config("given.toml") == Path("given.toml")
