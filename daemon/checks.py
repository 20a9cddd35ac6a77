"""`djb check`: each thing the daemon needs, tried out, one line each, with the remedy where it fails.

A check gives its lines one by one, so that slow ones (mail servers) are seen as they come.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import StrEnum
from pathlib import Path

from rich.console import Console
from rich.table import Table
from rich.text import Text

from daemon.config import Config, Server, load
from daemon.connection import AUTHORISATION_CODE, NETEASE_HOSTS, Step
from daemon.errors import ConfigError, Failure
from daemon.model import Unit, UnitKind
from daemon.rules import working_calendar
from daemon.store import questions
from daemon.store.engine import open_store
from daemon.store.opening import fault_of, schema_version
from daemon.workdays import Calendar

LEAST_FREE = 200 << 20
"""Bytes without which the archive will be full any day."""
LITTLE_FREE = 2 << 30
EARLIEST_CLOCK = date(2024, 1, 1)
"""A clock that shows an earlier day was never set."""
ANNOUNCED = (11, 20)
"""From this day on next year's holidays are usually announced."""


class Mark(StrEnum):
    WELL = "✓"
    NOTE = "!"
    """The daemon works, but less well than it could."""
    FAULT = "✗"


STYLES = {Mark.WELL: "green", Mark.NOTE: "yellow", Mark.FAULT: "red"}


@dataclass(frozen=True, slots=True)
class Line:
    """What one check found."""

    mark: Mark
    name: str
    detail: str
    remedy: str | None = None


def run(config_path: Path, now: datetime) -> int:
    """Checks all and prints it: 0 if nothing essential fails, 1 if something does, 2 if the configuration is wrong."""
    out = Console(highlight=False)
    try:
        config = load(config_path)
    except ConfigError as error:
        for fault in error.faults:
            _print(out, Line(Mark.FAULT, "配置", fault))
        return 2
    marks = []
    for line in lines(config, now):
        _print(out, line)
        marks.append(line.mark)
    faults, notes = marks.count(Mark.FAULT), marks.count(Mark.NOTE)
    also = f"；另有 {notes} 处请留意（!）" if notes else ""
    out.print()
    if faults:
        out.print(Text(f"有 {faults} 处必须解决（✗）{also}", style="bold red"))
        return 1
    out.print(Text(f"可以运行：djb run{also}", style="bold green"))
    return 0


def lines(config: Config, now: datetime) -> Iterator[Line]:
    """Every check, in the order in which one thing depends on another."""
    for check in CHECKS:
        yield from check(config, now)


def _print(out: Console, line: Line) -> None:
    text = f"{line.detail}；办法：{line.remedy}" if line.remedy else line.detail
    if not out.is_terminal:
        # A program, or grep, reads it: one line is one line, however long.
        out.print(Text(f"{line.mark} {line.name}：{text}"), soft_wrap=True)
        return
    grid = Table.grid(padding=(0, 1))
    grid.add_column(style=STYLES[line.mark], no_wrap=True)
    grid.add_column(width=18)
    grid.add_column(overflow="fold")
    shown = Text(line.detail)
    if line.remedy:
        shown.append(f"\n→ {line.remedy}", style=STYLES[line.mark])
    grid.add_row(line.mark, Text(line.name, style="bold"), shown)
    out.print(grid)


# ------------------------------------------------------------------------------------------ on this machine


def _configuration(config: Config, _: datetime) -> Iterator[Line]:
    yield Line(Mark.WELL, "配置", f"{config.file}，邮箱 {config.mailbox.address}")
    servers = (config.mailbox.imap, config.mailbox.smtp)
    for file in dict.fromkeys(server.password_file for server in servers if server.password_file):
        if file.is_file() and _others_may_read(file):
            yield Line(Mark.NOTE, "密码文件", f"{file} 别的用户也能读取", f"chmod 600 {file}")


def _others_may_read(path: Path) -> bool:
    return bool(path.stat().st_mode & (stat.S_IROTH | stat.S_IWOTH))


def _database(config: Config, _: datetime) -> Iterator[Line]:
    try:
        store = open_store(config.store.database, config.store.archive)
    except ConfigError as error:
        yield Line(Mark.FAULT, "数据库", str(error))
        return
    where = store.engine.url.render_as_string()
    try:
        version = schema_version(store)
        if version is None:
            yield _database_to_come(where, store.file)
        elif fault := fault_of(version, config):
            yield Line(Mark.FAULT, "数据库", fault)
        else:
            yield Line(Mark.WELL, "数据库", f"{where}，结构版本 {version}")
            if store.file is not None and _others_may_read(store.file):
                yield Line(
                    Mark.NOTE, "数据库", f"{store.file} 别的用户也能读取", f"chmod o-rwx {store.file.parent}"
                )
            if store.file is not None and not os.access(store.file, os.W_OK):
                yield Line(
                    Mark.FAULT, "数据库", f"{store.file} 当前用户不能写入", "用守护程序的用户运行，或改属主"
                )
    except Failure as failure:
        yield Line(Mark.FAULT, "数据库", failure.message, failure.remedy)
    finally:
        store.close()


def _database_to_come(where: str, file: Path | None) -> Line:
    if file is not None and not os.access(_existing(file.parent), os.W_OK):
        return Line(
            Mark.FAULT,
            "数据库",
            f"{where} 还没有建立，而 {_existing(file.parent)} 当前用户不能写入",
            "改目录的属主或权限，或改 store.database",
        )
    return Line(Mark.NOTE, "数据库", f"{where} 还没有建立", "导入通讯录或第一次运行时会自动建立")


def _existing(path: Path) -> Path:
    """The path, or the nearest directory above it that is there."""
    return path if path.exists() or path == path.parent else _existing(path.parent)


def _archive(config: Config, _: datetime) -> Iterator[Line]:
    archive = open_store(config.store.database, config.store.archive).archive
    if not archive.writable:
        yield Line(
            Mark.FAULT,
            "来信档案",
            f"{archive.directory} 无法写入",
            "检查目录的属主、权限，磁盘是否已满、是否只读",
        )
        return
    free = archive.free_bytes
    room = f"{archive.directory}，剩余空间 {free / (1 << 30):.1f} GB"
    if free < LITTLE_FREE:
        mark = Mark.FAULT if free < LEAST_FREE else Mark.NOTE
        yield Line(mark, "来信档案", room, "请清理或扩充磁盘：写不下时收信会暂停")
    else:
        yield Line(Mark.WELL, "来信档案", room)


def _directory(config: Config, _: datetime) -> Iterator[Line]:
    store = open_store(config.store.database, config.store.archive)
    try:
        if fault_of(schema_version(store), config) is not None:
            units: list[Unit] = []
            bounced: dict[str, datetime] = {}
        else:
            with store.reading() as session:
                units, bounced = questions.units(session), questions.bounced_addresses(session)
    except Failure as failure:
        yield Line(Mark.FAULT, "通讯录", f"无法读取：{failure.message}", failure.remedy)
        return
    finally:
        store.close()
    yield from directory_lines(units, bounced)


IMPORT = "在通讯录.xlsx 中补上，再执行 djb directory import 通讯录.xlsx"
ROLES: tuple[tuple[UnitKind, Mark, str], ...] = (
    (UnitKind.SCHOOL, Mark.FAULT, "所有来表都会等待人工核实"),
    (UnitKind.COMMITTEE_OFFICE, Mark.FAULT, "没有人能核实来信、作出决定"),
    (UnitKind.SECRETARY, Mark.NOTE, "问题清单无处呈报"),
    (UnitKind.SECTION, Mark.NOTE, "问题无法交办"),
    (UnitKind.BUREAU_OFFICE, Mark.NOTE, "超期清单、通报稿无处可送"),
)


def directory_lines(units: Iterable[Unit], bounced: Iterable[str] = ()) -> Iterator[Line]:
    """What the directory lacks: roles without an entry, entries without an address, addresses that bounce."""
    units = list(units)
    if not units:
        yield Line(
            Mark.FAULT,
            "通讯录",
            "还没有导入",
            "填好 djb init 写出的通讯录.xlsx，执行 djb directory import 通讯录.xlsx",
        )
        return
    counts = {kind: sum(unit.kind is kind for unit in units) for kind in UnitKind}
    for kind, mark, meaning in ROLES:
        if not counts[kind]:
            yield Line(mark, "通讯录", f"没有{kind.chinese}：{meaning}", IMPORT)
    silent = [unit.name for unit in units if not unit.all_addresses]
    if silent:
        yield Line(Mark.NOTE, "通讯录", f"{_some(silent)} 没有邮箱，收不到任何信", IMPORT)
    if dead := sorted(bounced):
        yield Line(
            Mark.NOTE, "通讯录", f"{_some(dead)} 退信，已停止向其发信", "核对邮箱，改正后重新导入通讯录"
        )
    told = "、".join(f"{kind.chinese} {counts[kind]}" for kind in UnitKind if counts[kind])
    yield Line(Mark.WELL, "通讯录", told)


def _some(names: list[str]) -> str:
    return "、".join(names[:3]) + (f" 等 {len(names)} 个" if len(names) > 3 else "")


def _templates(config: Config, _: datetime) -> Iterator[Line]:
    from daemon.letter_samples import faults_of, samples
    from daemon.rendering import Templates

    own = config.templates.directory
    if own is not None and not own.is_dir():
        yield Line(Mark.FAULT, "信件模板", f"目录 {own} 不存在", "建立它，或从配置中删去 templates.directory")
        return
    faults = faults_of(Templates(own))
    for fault in faults:
        yield Line(Mark.FAULT, "信件模板", fault, "改正这个模板，或删去它而用程序自带的")
    if not faults:
        yield Line(
            Mark.WELL,
            "信件模板",
            f"{len(samples())} 种情形的信都能写成" + (f"，含自改模板目录 {own}" if own else ""),
        )


# ---------------------------------------------------------------------------------------------- the readers


@dataclass(frozen=True, slots=True)
class _Helper:
    """A program or library that reads some formats."""

    name: str
    found: Callable[[], str | None]
    """What is installed; None if nothing is."""
    without: str
    install: str


def _libreoffice() -> str | None:
    from parsers import libreoffice

    return libreoffice.installed()


def _ocr() -> str | None:
    try:
        from parsers import ocr
    except (ImportError, OSError):
        return None
    return ocr.version()


def _libarchive() -> str | None:
    try:
        import libarchive.ffi
    except (ImportError, OSError, AttributeError, TypeError):
        return None
    number = libarchive.ffi.version_number()
    return f"libarchive {number // 1_000_000}.{number // 1000 % 1000}.{number % 1000}"


HELPERS = (
    _Helper(
        "LibreOffice",
        _libreoffice,
        "没有安装：.wps、.et、.odt、.rtf 及部分 .doc 读不了，会转人工核实",
        "apt install libreoffice-writer libreoffice-calc",
    ),
    _Helper(
        "文字识别（OCR）",
        _ocr,
        "没有安装：扫描件、照片读不了，会转人工核实",
        'pip install "djb[ocr]"',
    ),
    _Helper(
        "压缩包（rar、7z）",
        _libarchive,
        "没有安装：rar、7z 打不开，会请对方改用 zip",
        'apt install libarchive13；pip install "djb[archives]"',
    ),
)


def _readers(_: Config, __: datetime) -> Iterator[Line]:
    for helper in HELPERS:
        found = helper.found()
        if found:
            yield Line(Mark.WELL, helper.name, found)
        else:
            yield Line(Mark.NOTE, helper.name, helper.without, helper.install)


# ----------------------------------------------------------------------------------------- the mail servers


def _imap(config: Config, _: datetime) -> Iterator[Line]:
    from daemon.mailbox import check
    from daemon.service import mailbox_settings

    yield from _server(
        "IMAP", config.mailbox.imap, lambda: check(mailbox_settings(config), config.mailbox.folders)
    )


def _smtp(config: Config, _: datetime) -> Iterator[Line]:
    from daemon.sender import check
    from daemon.service import sender_settings

    yield from _server("SMTP", config.mailbox.smtp, lambda: check(sender_settings(config)))


def _server(name: str, server: Server, steps: Callable[[], list[Step]]) -> Iterator[Line]:
    try:
        for step in steps():
            yield Line(Mark.WELL if step.ok else Mark.FAULT, step.name, step.detail, step.remedy)
    except Failure as failure:
        # No password, or a CA file that cannot be used.
        netease = server.host.lower().endswith(NETEASE_HOSTS)
        yield Line(
            Mark.FAULT,
            f"{name} {server.host}",
            failure.message,
            failure.remedy or (AUTHORISATION_CODE if netease else None),
        )


# --------------------------------------------------------------------------------------- clock and calendar


def _clock(config: Config, now: datetime) -> Iterator[Line]:
    local = now.astimezone(config.zone)
    shown = f"{local:%Y-%m-%d %H:%M}（{config.office.timezone}）"
    remedy = "校准本机时间（timedatectl set-ntp true）：时限、逾期都按它计算"
    if local.date() < EARLIEST_CLOCK:
        yield Line(Mark.FAULT, "时钟", f"现在是 {shown}，显然不对", remedy)
        return
    last = _last_poll(config)
    if last is not None and last > now + timedelta(minutes=5):
        yield Line(
            Mark.NOTE,
            "时钟",
            f"现在是 {shown}，而上次收信记为 {last.astimezone(config.zone):%Y-%m-%d %H:%M}：时钟可能拨回过",
            remedy,
        )
    else:
        yield Line(Mark.WELL, "时钟", shown)


def _last_poll(config: Config) -> datetime | None:
    store = open_store(config.store.database, config.store.archive)
    try:
        if fault_of(schema_version(store), config) is not None:
            return None
        with store.reading() as session:
            return questions.last_poll(session)
    except Failure:
        return None  # said where the database is checked
    finally:
        store.close()


def _calendar(config: Config, now: datetime) -> Iterator[Line]:
    yield calendar_line(working_calendar(config), now.astimezone(config.zone).date())


def calendar_line(calendar: Calendar, today: date) -> Line:
    """Until when it is known which days are worked, and what to do if that is not far enough."""
    remedy = (
        "升级日历数据：pip install -U chinesecalendar；或把国务院公布的放假、上班日写入 deadlines.extra_holidays"
        "（须含1月1日和10月1日）和 extra_workdays"
    )
    if not calendar.year_known(today.year):
        return Line(
            Mark.NOTE, "工作日历", f"不知道 {today.year} 年的放假安排，只按周一至周五算工作日", remedy
        )
    last = today.year
    while calendar.year_known(last + 1):
        last += 1
    until = f"放假安排已知至 {last} 年底"
    if last == today.year and (today.month, today.day) >= ANNOUNCED:
        return Line(Mark.NOTE, "工作日历", f"{until}，{last + 1} 年的应已公布", remedy)
    return Line(
        Mark.WELL, "工作日历", until if last > today.year else f"{until}（{last + 1} 年的一般在11月公布）"
    )


Check = Callable[[Config, datetime], Iterator[Line]]

CHECKS: tuple[Check, ...] = (
    *(_configuration, _database, _archive, _directory, _templates),
    *(_readers, _imap, _smtp, _clock, _calendar),
)
