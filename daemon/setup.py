"""The first files of a new installation: a commented configuration and a blank directory workbook.

Every key stands in the file with its default, taken from `daemon.config` itself; `EXPLAINED` holds the words.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date, time
from pathlib import Path
from typing import Any

from pydantic import BaseModel
from rich.cells import cell_len

from daemon import config
from daemon.directory import write_workbook
from daemon.errors import Failure

CONFIG_NAME = "djb.toml"
DIRECTORY_NAME = "通讯录.xlsx"
IMAP_PASSWORD, SMTP_PASSWORD = "imap.password", "smtp.password"
"""Files that the systemd units hand over as credentials."""
SERVICE_CONFIGURATION, SERVICE_STATE = Path("/etc/djb"), Path("/var/lib/djb")
"""A configuration written below the one keeps its data below the other, where the service may write."""
COMMENTS_AT = 44
CONFIG_MODE = 0o644
"""No secrets stand in it."""
DIRECTORY_MODE = 0o640
"""Names and telephone numbers of people do."""


@dataclass(frozen=True)
class _Table:
    """One table of the file: what to say above it, what is set in it, and a word on every key."""

    name: str
    model: type[BaseModel]
    heading: str
    words: Mapping[str, str]
    given: Mapping[str, Any] = field(default_factory=dict)
    """Keys that are set; the others stand there as comments with their defaults."""


SERVER_WORDS = {
    "host": "服务器",
    "port": "端口",
    "security": '"tls"、"starttls"，或 "none"（不加密，仅限本机）',
    "username": "登录名；不写就用 mailbox.address",
    "password_file": "密码文件（一行）。163 邮箱须填“授权码”，不是登录密码",
    "password_env": "或者：从这个环境变量取密码",
    "ca_file": "自建服务器的 CA 证书（PEM）；公共邮箱不需要",
}

EXPLAINED: tuple[_Table, ...] = (
    _Table(
        "office",
        config.Office,
        "办公室：落款和联系方式",
        {
            "name": "每封信的落款",
            "phone": "信末的联系电话",
            "timezone": "时区",
            "admin": "管理员邮箱：程序出故障时写信告知；不写则告知工委办",
        },
        {"name": "中共贵港市委教育工委办公室", "phone": "0775-4573916"},
    ),
    _Table(
        "mailbox",
        config.Mailbox,
        "收表、发信的邮箱",
        {
            "address": "邮箱地址",
            "folders": '收信的文件夹；可加垃圾邮件：["INBOX", "垃圾邮件"]',
            "poll_seconds": "每隔多少秒收一次信",
            "max_message_mb": "超过多少 MB 的邮件不取",
            "ignore_before": "这一天以前收到的旧邮件只记录，不处理、不答复",
            "handled_folder": "办过的邮件移到这个文件夹；不写则不移动（推荐）",
        },
        {"address": "djb3916@163.com"},
    ),
    _Table(
        "mailbox.imap",
        config.Server,
        "收信服务器（IMAP）。163 邮箱：网页版 设置 → POP3/SMTP/IMAP，开启服务并新增授权码",
        SERVER_WORDS,
        {"host": "imap.163.com", "port": 993, "security": "tls", "password_file": IMAP_PASSWORD},
    ),
    _Table(
        "mailbox.smtp",
        config.SmtpServer,
        "发信服务器（SMTP）。163 邮箱与收信用同一个授权码",
        SERVER_WORDS
        | {
            "seconds_between": "两封信之间至少隔多少秒（发得太快会被服务商限制）",
            "daily_limit": "每天最多发多少封；到了上限，余下的次日再发",
        },
        {"host": "smtp.163.com", "port": 465, "security": "tls", "password_file": SMTP_PASSWORD},
    ),
    _Table(
        "store",
        config.Store,
        "数据存放处；相对路径从本文件所在目录算起",
        {
            "database": "数据库：sqlite:///文件，或 postgresql+psycopg://用户@主机/库",
            "archive": "来信原件的档案目录",
            "keep_mail_years": "来信原件在档案里保存几年（缺省：永久）。到期的只由 djb backup 文件 --release 移到核对过的备份里",
        },
    ),
    _Table(
        "workflow",
        config.Workflow,
        "办理流程",
        {
            "referral": '勾选“市局相关科室”的问题："automatic" 直接转科室，"confirm" 先请工委办确认',
            "session_months": "几个月一期；0 表示只在工委办来信“开期”时开",
        },
    ),
    _Table(
        "deadlines",
        config.Deadlines,
        "时限。没有另外说明的，单位都是工作日（按国务院放假安排，含调休）",
        {
            "working_hours": "催办、通知等定时信件只在工作日这段时间发出（对来信的答复随到随发）",
            "extra_holidays": "本地另外放假的日子，例如 [2026-03-03]",
            "extra_workdays": "本地另外上班的日子",
            "statistics_due_day": "统计表：到期月份的几号到期",
            "statistics_due_months": "统计表：哪些月份到期",
            "statistics_opening": "统计表：到期前几天发填报通知",
            "statistics_reminder": "统计表：到期前几天提醒未报单位",
            "statistics_chases": "统计表：到期后第几天催报（两次，第二次抄送书记）",
            "statistics_missing_list": "统计表：到期后第几天把未报名单报工委办",
            "statistics_freeze": "统计表：到期后第几天封存数据并汇总",
            "statistics_due_time": "统计表：到期当天几点前算按时",
            "statistics_move_to_workday": "统计表：到期日逢休息日是否顺延到下一个工作日",
            "correction": "学校补正",
            "registration": "工委办登记",
            "session_list": "开期时问题清单提前多少天呈报书记",
            "session_choice_reminder": "书记几天没有选定，提醒工委办",
            "accept": "科室签收",
            "decline": "科室退回错派的问题",
            "plan": "科室报方案",
            "progress": "科室每隔几天报一次进展",
            "chase_first": "逾期几天后第一次催办",
            "chase_head": "逾期几天后再催，抄送科室负责人",
            "chase_bureau": "逾期几天后报局办公室督查",
            "completion_check": "科室报办结后几天内核查",
            "callback": "学校几天没有评价，工委办可自行销号",
            "mechanism": "销号后几天内报长效机制",
            "due_soon": "到期前几天亮蓝灯",
            "handling": "交办时没有写办结时限的，按几天算",
            "rework": "返工的办理时限",
            "reopen_days": "销号后多少个自然日内学校可以提出异议",
        },
    ),
    _Table(
        "templates",
        config.Templates,
        "信件模板",
        {"directory": "自己改写的模板放在这个目录，与程序自带的同名即可替换"},
    ),
    _Table(
        "limits",
        config.Limits,
        "防止邮件循环、邮件轰炸的闸门",
        {
            "letters_per_address_per_day": "同一个邮箱一天最多收到我们多少封信",
            "answers_per_hour": "一小时最多答复多少封来信；超过即暂停并告知管理员",
        },
    ),
    _Table(
        "metrics",
        config.Metrics,
        "监控",
        {"port": "在本机这个端口提供 Prometheus 指标；不写则不提供"},
    ),
)

EXAMPLES: Mapping[str, Any] = {
    "admin": "guanliyuan@example.cn",
    "username": "djb3916@163.com",
    "password_file": IMAP_PASSWORD,
    "password_env": "DJB_PASSWORD",
    "ca_file": "ca.pem",
    "ignore_before": date(2026, 1, 1),
    "handled_folder": "已办理",
    "keep_mail_years": 10,
    "directory": "templates",
    "port": 9163,
}
"""For keys that are unset by default, so that one sees how they are written."""


def write_first_files(directory: Path, today: date) -> list[str]:
    """Writes both files and gives what to do next, line by line. Failure: one is there already; nothing written."""
    wanted = {
        directory / CONFIG_NAME: (configuration(today, state_directory(directory)).encode(), CONFIG_MODE),
        directory / DIRECTORY_NAME: (write_workbook(()), DIRECTORY_MODE),
    }
    present = [path for path in wanted if path.exists() or path.is_symlink()]
    if present:
        raise Failure(
            f"{'、'.join(str(path) for path in present)} 已经存在，没有写入任何文件",
            "请换一个目录，或先把它改名",
        )
    _write_all(directory, wanted)
    return [
        f"已写好 {directory / CONFIG_NAME} 和 {directory / DIRECTORY_NAME}",
        "接下来：",
        f"  1. 改 {CONFIG_NAME}：单位名称、邮箱地址",
        f"  2. 把邮箱的授权码写入 {directory / IMAP_PASSWORD} 和 {directory / SMTP_PASSWORD}（各一行），并执行 chmod 600 {directory}/*.password",
        f"  3. 填好 {DIRECTORY_NAME}，再执行 djb --config {directory / CONFIG_NAME} directory import {directory / DIRECTORY_NAME}",
        f"  4. djb --config {directory / CONFIG_NAME} check    逐项检查",
        f"  5. djb --config {directory / CONFIG_NAME} once --dry-run    看看会做什么；满意后用 djb run 开始运行",
    ]


def _write_all(directory: Path, wanted: Mapping[Path, tuple[bytes, int]]) -> None:
    written: list[Path] = []
    try:
        directory.mkdir(parents=True, exist_ok=True)
        for path, (data, mode) in wanted.items():
            descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode)
            written.append(path)
            with os.fdopen(descriptor, "wb") as file:
                file.write(data)
    except OSError as error:
        for path in written:
            path.unlink(missing_ok=True)
        raise Failure(f"{directory} 无法写入：{error.strerror}", "请检查目录的属主和权限") from None


# --------------------------------------------------------------------------------- the configuration


def state_directory(directory: Path) -> Path | None:
    """Where the service keeps the data of a configuration in that directory; None if it is not the service's."""
    place = directory.resolve()
    if not place.is_relative_to(SERVICE_CONFIGURATION):
        return None
    return SERVICE_STATE / place.relative_to(SERVICE_CONFIGURATION)


def configuration(today: date, state: Path | None = None) -> str:
    """A whole djb.toml: what must be set is set, everything else stands there as a comment.

    `state` is where the data go, if not beside the file.
    """
    set_here: dict[str, dict[str, Any]] = {"mailbox": {"ignore_before": today}}
    if state is not None:
        set_here["store"] = {
            "database": f"sqlite:///{state / 'djb.sqlite3'}",
            "archive": str(state / "mail"),
        }
    lines = [
        "# “难点问题书记一线办”邮件守护程序的配置（TOML）。",
        "# 以 # 开头的行不起作用：写的是缺省值或例子，要改时去掉 # 再改。",
        "# 改好以后：djb check 逐项检查；正在运行的守护程序用 systemctl reload djb 重读。",
    ]
    for table in EXPLAINED:
        lines += ["", "", f"# ── {table.heading}", f"[{table.name}]"]
        lines += _keys(table, set_here.get(table.name, {}))
    return "\n".join(lines) + "\n"


def _keys(table: _Table, set_here: Mapping[str, Any]) -> Iterator[str]:
    given = {**table.given, **set_here}
    for name, info in table.model.model_fields.items():
        if name not in table.words:
            continue  # a table of its own
        if name in given:
            setting = f"{name} = {_toml(given[name])}"
        else:
            default = info.get_default(call_default_factory=True)
            setting = f"# {name} = {_toml(EXAMPLES[name] if default is None else default)}"
        yield f"{setting}{' ' * max(0, COMMENTS_AT - cell_len(setting))}  # {table.words[name]}"


def _toml(value: Any) -> str:
    """A value as TOML writes it."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, list | tuple):
        return f"[{', '.join(_toml(item) for item in value)}]"
    if isinstance(value, time):
        return f'"{value:%H:%M}"'
    if isinstance(value, date | int | float):
        return str(value)
    return '"' + str(value).replace("\\", "\\\\").replace('"', '\\"') + '"'
