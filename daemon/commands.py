"""What each command of `djb` does. Every function takes the parsed arguments and gives the exit status."""

from __future__ import annotations

import argparse
import json
import os
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from daemon.errors import ConfigError, Failure


def guarded(args: argparse.Namespace) -> int:
    """Run the command; what a user can cause ends in a clear message, never in a traceback."""
    command: Callable[[argparse.Namespace], int] = COMMANDS[args.command]
    try:
        return command(args)
    except ConfigError as error:
        for fault in error.faults:
            complain(fault)
        return 2
    except Failure as failure:
        complain(str(failure))
        return 1
    except KeyboardInterrupt:
        complain("已中断")
        return 1
    except BrokenPipeError:
        # The reader of our output went away, as `| head` does.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0


def complain(message: str) -> None:
    print(message, file=sys.stderr)  # noqa: T201


def say(message: str = "") -> None:
    print(message)  # noqa: T201


# --------------------------------------------------------------------------------------- what they share


def _config(args: argparse.Namespace) -> Any:
    from daemon.config import find_config, load

    return load(find_config(args.config))


@contextmanager
def _store(args: argparse.Namespace, *, create: bool = False) -> Iterator[tuple[Any, Any]]:
    """(configuration, store), closed again afterwards."""
    from daemon.store.opening import opened_store

    config = _config(args)
    store = opened_store(config, create=create)
    try:
        yield config, store
    finally:
        store.close()


def _now(store: Any) -> datetime:
    """The moment for a command: the clock's, or that of the last cycle if `once --at` chose it."""
    from daemon.store.memory import moment_of_work
    from daemon.store.opening import now

    with store.reading() as session:
        return moment_of_work(session, now())


def _pretend(store: Any, moment: datetime) -> None:
    """Let what comes after `once --at` look and act at that moment, until there is a cycle at another."""
    from daemon.store.memory import LAST_CYCLE, PRETENDED, set_note

    with store.transaction() as session:
        set_note(session, LAST_CYCLE, PRETENDED, moment)


def _moment(text: str, zone: Any) -> datetime:
    """A moment from the command line; the office's zone where it names none. Raises ConfigError."""
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise ConfigError([f"--at {text}：应为时刻，例如 2022-01-06T09:00+08:00"]) from None
    return moment if moment.tzinfo else moment.replace(tzinfo=zone)


def _day(text: str, flag: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise ConfigError([f"{flag} {text}：应为日期，例如 2022-01-05"]) from None


def _period(text: str | None) -> str | None:
    if text is None:
        return None
    code = f"TJ-{text.removeprefix('TJ-')}"
    try:
        date.fromisoformat(f"{code.removeprefix('TJ-')}-01")
    except ValueError:
        raise ConfigError([f"--period {text}：应为期次，例如 2022-01"]) from None
    return code


def _listed(args: argparse.Namespace, rows: Sequence[Mapping[str, Any]], show: Callable[..., None]) -> int:
    """Print rows as one JSON array, or as people like to read them."""
    if args.json:
        say(json.dumps(rows, ensure_ascii=False, indent=2))
    else:
        show(rows)
    return 0


# ------------------------------------------------------------------------------------------- the service


def demo(args: argparse.Namespace) -> int:
    try:
        from daemon.demo.day import run
    except ModuleNotFoundError as error:
        raise ConfigError([f'演示需要另外安装 {error.name}：pip install "djb[demo]"']) from None
    return run(Path(args.directory) if args.directory else None, once=args.once or not sys.stdout.isatty())


def init(args: argparse.Namespace) -> int:
    from daemon.setup import write_first_files

    for line in write_first_files(Path(args.directory), datetime.now(ZoneInfo("Asia/Shanghai")).date()):
        say(line)
    return 0


def check(args: argparse.Namespace) -> int:
    from daemon.checks import run
    from daemon.config import find_config

    return run(find_config(args.config), datetime.now().astimezone())


def run(args: argparse.Namespace) -> int:
    from daemon import journal
    from daemon.service import Service

    journal.set_up()
    return Service(_config(args)).run()


def once(args: argparse.Namespace) -> int:
    from daemon import journal, service
    from daemon.config import is_loopback

    config = _config(args)
    moment = _moment(args.at, config.zone) if args.at else None
    if args.dry_run:
        from daemon.rehearsal import rehearse

        return rehearse(config, moment or service.now())
    if moment is not None and not is_loopback(config.mailbox.smtp.host):
        raise ConfigError(
            [f"--at 只能用于本机测试（发信服务器为 {config.mailbox.smtp.host}），或与 --dry-run 同用"]
        )
    journal.set_up()
    with service.assembled(config) as daemon, daemon.store.lease(service.LEASE) as lease:
        if not lease:
            raise Failure(
                "另一个守护进程正在处理这个邮箱", "请先停止它（systemctl stop djb），或等它自己处理"
            )
        service.expire_claims(daemon.store, moment or service.now())
        handled, sent = daemon.cycle((lambda: moment) if moment else service.now)
        if moment is not None:
            _pretend(daemon.store, moment)
    say(f"处理来信 {handled} 封，发出信件 {sent} 封")
    return 0


def read(args: argparse.Namespace) -> int:
    from daemon.reading_report import run

    return run([Path(name) for name in args.files], args.json)


# --------------------------------------------------------------------------------------------- the lists


def plan(args: argparse.Namespace) -> int:
    from daemon import display, schedule
    from daemon.desk import open_office

    first, last = _day(args.start, "--from"), _day(args.end, "--to")
    if last < first:
        raise ConfigError(["--to 不能早于 --from"])
    with _store(args) as (config, store):
        rows = schedule.forecast(store, open_office(config), first, last, _now(store))
    return _listed(args, rows, display.plan)


def status(args: argparse.Namespace) -> int:
    from daemon import display
    from daemon.condition import condition

    with _store(args) as (config, store):
        found = condition(store, config, _now(store))
    if args.json:
        say(json.dumps(found, ensure_ascii=False, indent=2))
    else:
        display.status(found)
    return 1 if found["faults"] else 0


def mail(args: argparse.Namespace) -> int:
    from daemon import display
    from daemon.store import lists

    with _store(args) as (config, store), store.reading() as session:
        rows = lists.mails(session, config.zone)
    return _listed(args, rows, display.mails)


def held(args: argparse.Namespace) -> int:
    from daemon import display
    from daemon.store import lists

    with _store(args) as (config, store), store.reading() as session:
        rows = lists.held(session, config.zone)
    return _listed(args, rows, display.held)


def letters(args: argparse.Namespace) -> int:
    from daemon import display
    from daemon.store import lists

    with _store(args) as (config, store), store.reading() as session:
        rows = lists.letters(session, config.zone)
    return _listed(args, rows, display.letters)


def problems(args: argparse.Namespace) -> int:
    from daemon import display
    from daemon.lights import light_at
    from daemon.store import lists

    with _store(args) as (config, store):
        moment = _now(store)
        with store.reading() as session:
            rows = lists.problems(session, config.zone, light_at(session, config, moment))
    return _listed(args, rows, display.problems)


def returns(args: argparse.Namespace) -> int:
    from daemon import display
    from daemon.periods import Timeline
    from daemon.rules import statistics_rules, working_calendar
    from daemon.store import lists

    code = _period(args.period)
    with _store(args) as (config, store), store.reading() as session:
        timeline = Timeline(statistics_rules(config), working_calendar(config))
        due = timeline.period(code).due if code else None
        rows = lists.returns(session, config.zone, code, due)
    return _listed(args, rows, display.returns)


def show(args: argparse.Namespace) -> int:
    from daemon import details

    with _store(args) as (config, store):
        return details.show(store, config, args.number, _now(store))


# ------------------------------------------------------------------------------------ the clerk's hand


def file(args: argparse.Namespace) -> int:
    from daemon import clerk

    with _store(args) as (config, store):
        for line in clerk.file(store, config, args.mail, args.unit, _now(store)):
            say(line)
    return 0


def release(args: argparse.Namespace) -> int:
    from daemon import clerk

    with _store(args) as (config, store):
        for line in clerk.release(store, config, args.mail, _now(store), ignore=args.ignore):
            say(line)
    return 0


def replay(args: argparse.Namespace) -> int:
    from daemon import replaying

    with _store(args) as (config, store):
        return replaying.replay(store, config, args.mails, _now(store), apply=args.apply, as_json=args.json)


# ----------------------------------------------------------------------------------------- keeping it


def export(args: argparse.Namespace) -> int:
    from daemon import exports

    with _store(args) as (config, store):
        data = exports.workbook(store, config, args.what, _period(args.period), _now(store))
    _write(Path(args.file), data)
    say(f"已写入 {args.file}")
    return 0


def directory(args: argparse.Namespace) -> int:
    from daemon import display
    from daemon.directory import read_workbook, write_workbook
    from daemon.store import questions

    with _store(args, create=True) as (_, store):
        if args.action == "export":
            with store.reading() as session:
                data = write_workbook(questions.units(session), questions.remarks(session))
            _write(Path(args.file), data)
            say(f"已写入 {args.file}")
            return 0
        book = read_workbook(_read_bytes(Path(args.file)))
        if book.faults:
            for fault in book.faults:
                complain(fault)
            complain(f"通讯录有 {len(book.faults)} 处问题，没有导入任何内容。请改正后重新导入")
            return 1
        with store.transaction() as session:
            difference = questions.apply_directory(session, book.units, book.remarks)
    display.directory_difference(difference)
    return 0


def database(args: argparse.Namespace) -> int:
    from daemon.store import integrity, schema
    from daemon.store.engine import open_store

    config = _config(args)
    store = open_store(config.store.database, config.store.archive)
    try:
        if args.action == "upgrade":
            before, after = schema.upgrade(store)
            say(f"数据库结构版本：{before or '（空）'} → {after}")
            return 0
        faults = integrity.check(store)
    finally:
        store.close()
    for fault in faults:
        complain(fault)
    if not faults:
        say("数据库与邮件档案一致，没有发现问题")
    return 1 if faults else 0


def backup(args: argparse.Namespace) -> int:
    from daemon.store import backup as backups
    from daemon.store.engine import open_store
    from daemon.store.opening import now

    config = _config(args)
    years = config.store.keep_mail_years
    if args.release and years is None:
        raise ConfigError([f"{config.file}：--release 须先设置 store.keep_mail_years（原件保存几年）"])
    store = open_store(config.store.database, config.store.archive)
    try:
        manifest = backups.backup(store, Path(args.file), now())
        backups.verify(Path(args.file))
        say(f"已备份到 {args.file}，并已核对（结构版本 {manifest.schema}）")
        if args.release:
            before = now() - timedelta(days=365.25 * years)
            count = backups.release(store, Path(args.file), before, now())
            say(f"已把 {count} 封 {years} 年以前的来信原件移出档案，只在这份备份里：请永久保存")
    finally:
        store.close()
    return 0


def restore(args: argparse.Namespace) -> int:
    from daemon.store import backup as backups
    from daemon.store.engine import open_store

    config = _config(args)
    store = open_store(config.store.database, config.store.archive)
    try:
        manifest = backups.restore(store, Path(args.file))
    finally:
        store.close()
    say(f"已恢复（结构版本 {manifest.schema}）。请运行 djb database check 核对")
    return 0


def _read_bytes(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise Failure(f"{path} 无法读取：{error.strerror}") from None


def _write(path: Path, data: bytes) -> None:
    try:
        path.write_bytes(data)
    except OSError as error:
        raise Failure(f"{path} 无法写入：{error.strerror}") from None


COMMANDS: Mapping[str, Callable[[argparse.Namespace], int]] = {
    function.__name__: function
    for function in (
        *(demo, init, check, run, once, read),
        *(plan, status, mail, held, letters, problems, returns, show),
        *(file, replay, release),
        *(export, directory, database, backup, restore),
    )
}
