"""`djb.toml`, read whole, checked whole, and frozen.

Unknown keys are refused by name with the nearest known one, and every fault is reported at once
(`ConfigError.faults`). A password never stands in the file: it comes from `password_file`,
`password_env`, or the systemd credential `imap_password` / `smtp_password`.
"""

from __future__ import annotations

import difflib
import ipaddress
import os
import tomllib
from collections.abc import Iterator, Mapping
from datetime import date, time
from pathlib import Path
from typing import Annotated, Any, Literal
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    ValidationError,
    ValidationInfo,
    field_validator,
)

from daemon.errors import ConfigError

SEARCH_PATH = ("djb.toml", "/etc/djb/djb.toml")


def _address(value: str) -> str:
    local, at, domain = value.strip().partition("@")
    if not (local and at and "." in domain) or any(c.isspace() for c in value.strip()):
        raise ValueError("应为一个电子邮箱地址，例如 djb3916@163.com")
    return value.strip().lower()


def _timezone(value: str) -> str:
    try:
        ZoneInfo(value)
    except (ZoneInfoNotFoundError, ValueError) as error:
        raise ValueError("应为时区名称，例如 Asia/Shanghai") from error
    return value


def _hours(value: Any) -> tuple[time, time]:
    try:
        start, end = (time.fromisoformat(text) for text in value)
    except (ValueError, TypeError) as error:
        raise ValueError('应为两个时刻，例如 ["09:00", "17:00"]') from error
    if start >= end:
        raise ValueError('开始时刻应早于结束时刻，例如 ["09:00", "17:00"]')
    return start, end


Email = Annotated[str, AfterValidator(_address)]
Days = Annotated[int, Field(ge=0, le=366)]


class Section(BaseModel):
    """A table of the file: frozen, and strict about its keys."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class Office(Section):
    name: str = Field(min_length=1)
    phone: str = ""
    timezone: Annotated[str, AfterValidator(_timezone)] = "Asia/Shanghai"
    admin: Email | None = None


class Server(Section):
    """One mail server to log in to."""

    host: str = Field(min_length=1)
    port: int = Field(ge=1, le=65535)
    security: Literal["tls", "starttls", "none"] = "tls"
    username: str | None = None
    password_file: Path | None = None
    password_env: str | None = None
    ca_file: Path | None = None

    @field_validator("security")
    @classmethod
    def _plain_only_on_loopback(cls, value: str, info: ValidationInfo) -> str:
        if value == "none" and not is_loopback(info.data.get("host", "")):
            raise ValueError(
                '"none"（不加密）只允许用于本机（127.0.0.1 / localhost）；请改为 "tls" 或 "starttls"'
            )
        return value


class SmtpServer(Server):
    seconds_between: float = Field(default=2, ge=0, le=600)
    daily_limit: int = Field(default=500, ge=1)


class Mailbox(Section):
    address: Email
    folders: list[str] = Field(default=["INBOX"], min_length=1)
    poll_seconds: int = Field(default=60, ge=1, le=86_400)
    max_message_mb: int = Field(default=50, ge=1, le=200)
    ignore_before: date | None = None
    """Mails received before this day are recorded and left alone: the mailbox's past."""
    handled_folder: str | None = None
    """Move handled mail there; off by default, never needed for correctness."""
    imap: Server
    smtp: SmtpServer


class Store(Section):
    database: str = "sqlite:///var/djb.sqlite3"
    archive: Path = Path("var/mail")
    keep_mail_years: int | None = Field(default=None, ge=1, le=100)
    """After so many years `djb backup --release` takes raw mails out of the archive; absent: never."""

    @field_validator("database")
    @classmethod
    def _known_engine(cls, value: str) -> str:
        if not value.startswith(("sqlite:///", "postgresql+psycopg://")):
            raise ValueError("应以 sqlite:/// 或 postgresql+psycopg:// 开头")
        return value


class Workflow(Section):
    referral: Literal["automatic", "confirm"] = "automatic"
    session_months: int = Field(default=2, ge=0, le=12)


class Deadlines(Section):
    """Every time rule; numbers are working days unless the name says otherwise."""

    working_hours: Annotated[tuple[time, time], BeforeValidator(_hours)] = (time(9), time(17))
    extra_holidays: list[date] = []
    extra_workdays: list[date] = []
    statistics_due_day: int = Field(default=5, ge=1, le=28)
    statistics_due_months: list[Annotated[int, Field(ge=1, le=12)]] = Field(
        default=[1, 3, 5, 7, 9, 11], min_length=1
    )
    statistics_opening: Days = 10
    statistics_reminder: Days = 3
    statistics_chases: list[Days] = Field(default=[1, 3], min_length=2, max_length=2)
    statistics_missing_list: Days = 5
    statistics_freeze: Days = 5
    statistics_due_time: time = time(23, 59)
    statistics_move_to_workday: bool = False
    correction: Days = 3
    registration: Days = 2
    session_list: Days = 10
    session_choice_reminder: Days = 3
    accept: Days = 1
    decline: Days = 2
    plan: Days = 5
    progress: Days = 10
    chase_first: Days = 1
    chase_head: Days = 2
    chase_bureau: Days = 5
    completion_check: Days = 3
    callback: Days = 3
    mechanism: Days = 20
    due_soon: Days = 3
    handling: Days = 30
    """For a problem that is assigned without a deadline."""
    rework: Days = 10
    reopen_days: Days = 30
    """Calendar days within which a school may object to a closed problem."""


class Limits(Section):
    """Brakes against loops and floods."""

    letters_per_address_per_day: int = Field(default=30, ge=1)
    answers_per_hour: int = Field(default=2000, ge=10)


class Templates(Section):
    directory: Path | None = None


class Metrics(Section):
    port: int | None = Field(default=None, ge=1, le=65535)
    """Prometheus metrics on the loopback; none when absent."""


class Config(Section):
    """The whole configuration; paths are absolute."""

    office: Office
    mailbox: Mailbox
    store: Store = Store()
    workflow: Workflow = Workflow()
    deadlines: Deadlines = Deadlines()
    templates: Templates = Templates()
    limits: Limits = Limits()
    metrics: Metrics = Metrics()
    file: Path = Path("djb.toml")

    @property
    def zone(self) -> ZoneInfo:
        return ZoneInfo(self.office.timezone)


def is_loopback(host: str) -> bool:
    """Whether a host name or address surely means this machine."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def find_config(given: str | None) -> Path:
    """The file to read: as given, else $DJB_CONFIG, else ./djb.toml, else /etc/djb/djb.toml.

    Raises ConfigError if there is none.
    """
    named = given or os.environ.get("DJB_CONFIG")
    if named:
        return Path(named)
    for candidate in SEARCH_PATH:
        if Path(candidate).is_file():
            return Path(candidate)
    raise ConfigError(
        [
            f"找不到配置文件（依次查找了 {'、'.join(SEARCH_PATH)}）。请用 --config 指定，或先运行 djb init 生成一份"
        ]
    )


def load(path: Path) -> Config:
    """The checked configuration in `path`. Raises ConfigError with every fault in it."""
    try:
        raw = tomllib.loads(path.read_text(encoding="utf-8-sig"))
    except FileNotFoundError:
        raise ConfigError([f"{path}：文件不存在。请检查路径，或运行 djb init 生成一份"]) from None
    except UnicodeDecodeError:
        raise ConfigError([f"{path}：不是 UTF-8 编码的文本，请用 UTF-8 重新保存"]) from None
    except tomllib.TOMLDecodeError as error:
        raise ConfigError([f"{path}：不是有效的 TOML（{error}）"]) from None
    except OSError as error:
        raise ConfigError([f"{path}：无法读取（{error.strerror}）"]) from None
    try:
        config = Config.model_validate({key: value for key, value in raw.items() if key != "file"})
    except ValidationError as error:
        faults = list(_faults(path, error))
        raise ConfigError(faults) from None
    if "file" in raw:
        raise ConfigError([f"{path}：不认识的键 file"])
    return _absolute(config, path.resolve())


def _absolute(config: Config, file: Path) -> Config:
    """The same configuration with every path resolved against the directory of the file."""
    base = file.parent

    def rooted(path: Path | None) -> Path | None:
        return base / path if path is not None else None

    def server(settings: Server) -> Server:
        return settings.model_copy(
            update={"password_file": rooted(settings.password_file), "ca_file": rooted(settings.ca_file)}
        )

    database = config.store.database
    if database.startswith("sqlite:///"):
        database = f"sqlite:///{base / database.removeprefix('sqlite:///')}"
    return config.model_copy(
        update={
            "file": file,
            "mailbox": config.mailbox.model_copy(
                update={"imap": server(config.mailbox.imap), "smtp": server(config.mailbox.smtp)}
            ),
            "store": config.store.model_copy(
                update={"database": database, "archive": base / config.store.archive}
            ),
            "templates": Templates(directory=rooted(config.templates.directory)),
        }
    )


def password(server: Server, credential: str) -> str:
    """The password of a server, from the systemd credential, its file or its environment variable.

    The credential comes first: under systemd the file is readable by root alone, from a terminal root reads it.
    Raises ConfigError if none of them gives one.
    """
    directory = os.environ.get("CREDENTIALS_DIRECTORY")
    if directory and (file := Path(directory) / credential).is_file():
        return file.read_text(encoding="utf-8").strip()
    if server.password_file is not None:
        try:
            return server.password_file.read_text(encoding="utf-8").strip()
        except OSError as error:
            raise ConfigError([f"密码文件 {server.password_file} 无法读取：{error.strerror}"]) from None
        except UnicodeDecodeError:
            raise ConfigError([f"密码文件 {server.password_file} 不是文本"]) from None
    if server.password_env is not None:
        value = os.environ.get(server.password_env)
        if value:
            return value
        raise ConfigError([f"环境变量 {server.password_env} 没有设置，无法取得密码"])
    raise ConfigError(
        [
            f"没有给出 {server.host} 的密码：请设置 password_file 或 password_env，或提供 systemd 凭据 {credential}"
            "（163 邮箱须填“授权码”，不是登录密码）"
        ]
    )


_EXPECTED: Mapping[str, str] = {
    "missing": "缺少这一项",
    "string_type": "应为文字（加引号）",
    "string_too_short": "不能为空",
    "int_type": "应为整数",
    "int_parsing": "应为整数",
    "int_from_float": "应为整数",
    "float_type": "应为数字",
    "float_parsing": "应为数字",
    "bool_type": "应为 true 或 false",
    "bool_parsing": "应为 true 或 false",
    "list_type": "应为列表（方括号）",
    "path_type": "应为文件路径（加引号）",
    "model_type": "应为一个表（[名称]）",
    "model_attributes_type": "应为一个表（[名称]）",
    "date_from_datetime_parsing": "应为日期，例如 2022-02-07",
    "date_type": "应为日期，例如 2022-02-07",
    "date_parsing": "应为日期，例如 2022-02-07",
}


def _expected(kind: str, context: Mapping[str, Any], message: str) -> str:
    """What a fault of pydantic's means, in Chinese."""
    if kind == "value_error":
        return str(context["error"])
    if kind == "literal_error":
        return "只能是 " + str(context["expected"]).replace("'", '"').replace(", ", "、").replace(
            " or ", " 或 "
        )
    if kind in {"greater_than_equal", "less_than_equal"}:
        return f"应不{'小' if kind.startswith('greater') else '大'}于 {context.get('ge', context.get('le'))}"
    if kind in {"too_short", "too_long"}:
        return f"应有{'至少' if kind == 'too_short' else '至多'} {context.get('min_length', context.get('max_length'))} 项"
    return _EXPECTED.get(kind, message)


def _faults(path: Path, error: ValidationError) -> Iterator[str]:
    for fault in error.errors(include_url=False):
        location = fault["loc"]
        key = ".".join(str(step) for step in location)
        if fault["type"] == "extra_forbidden":
            yield f"{path}：不认识的键 {key}{_nearest(location)}"
            continue
        given = fault.get("input")
        shown = "" if fault["type"] == "missing" or isinstance(given, dict) else f"（现为 {given!r}）"
        yield f"{path}：{key}：{_expected(fault['type'], fault.get('ctx', {}), fault['msg'])}{shown}"


def _nearest(location: tuple[int | str, ...]) -> str:
    """A suggestion for a misspelt key, in Chinese; empty if nothing is near."""
    model: type[BaseModel] = Config
    for step in location[:-1]:
        annotation = model.model_fields[str(step)].annotation if str(step) in model.model_fields else None
        if not (isinstance(annotation, type) and issubclass(annotation, BaseModel)):
            return ""
        model = annotation
    known = [name for name in model.model_fields if name != "file"]
    near = difflib.get_close_matches(str(location[-1]), known, n=1, cutoff=0.5)
    return f"，是不是 {near[0]}？" if near else f"；可用的键：{'、'.join(known)}"
