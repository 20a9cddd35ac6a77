"""The command line `djb`: names the commands and hands each to `daemon.commands`. Wiring only.

Nothing heavy is imported here, so that `djb --help` answers at once.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Mapping, Sequence
from typing import NoReturn

_CHINESE: Mapping[str, str] = {
    "usage: ": "用法：",
    "positional arguments": "参数",
    "options": "选项",
    "show this help message and exit": "显示本帮助并退出",
    "the following arguments are required: %s": "缺少参数：%s",
    "unrecognized arguments: %s": "不认识的参数：%s",
    "invalid choice: %(value)r (choose from %(choices)s)": "没有 %(value)r；可用的有：%(choices)s",
    "argument %(argument_name)s: %(message)s": "%(argument_name)s：%(message)s",
    "expected one argument": "后面应有一个值",
    "expected at least one argument": "后面应至少有一个值",
    "invalid %(type)s value: %(value)r": "%(value)r 不对，应为 %(type)s",
    "not allowed with argument %s": "不能与 %s 同时使用",
    "ambiguous option: %(option)s could match %(matches)s": "%(option)s 不明确，可能是 %(matches)s",
}


def _translate(message: str) -> str:
    return _CHINESE.get(message, message)


class Parser(argparse.ArgumentParser):
    """An argument parser that speaks Chinese and ends with exit status 2 on a wrong command line."""

    def error(self, message: str) -> NoReturn:
        self.print_usage(sys.stderr)
        self.exit(2, f"命令有误：{message}\n用 {self.prog} --help 查看说明\n")


def _command(
    commands: argparse._SubParsersAction[Parser], name: str, summary: str, example: str = ""
) -> argparse.ArgumentParser:
    epilog = f"示例：\n  {example.replace(chr(10), chr(10) + '  ')}" if example else None
    parser = commands.add_parser(
        name,
        help=summary,
        description=summary,
        epilog=epilog,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.set_defaults(command=name.replace("-", "_"))
    # Without a default of its own, so that a --config given before the command's name survives.
    parser.add_argument("--config", metavar="FILE", default=argparse.SUPPRESS, help="配置文件")
    return parser


def build_parser() -> Parser:
    """The whole command line, as data."""
    parser = Parser(
        prog="djb",
        description="“难点问题书记一线办”平台的邮件守护程序：收表、读表、登记、回复、交办、催办、统计。",
        epilog="每个命令都有自己的说明：djb 命令 --help。命令行、配置有误时退出码为 2，执行失败为 1。",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument(
        "--config",
        metavar="FILE",
        default=None,
        help="配置文件（缺省：$DJB_CONFIG、./djb.toml、/etc/djb/djb.toml）",
    )
    parser.add_argument("--version", action="store_true", help="显示版本号")
    commands = parser.add_subparsers(metavar="命令", title="命令")
    _service_commands(commands)
    _list_commands(commands)
    _clerk_commands(commands)
    _keeping_commands(commands)
    return parser


def _service_commands(commands: argparse._SubParsersAction[Parser]) -> None:
    demo = _command(commands, "demo", "用内置邮件服务器演示一整天的收表、登记、回复", "djb demo --once")
    demo.add_argument("--once", action="store_true", help="演示完就结束；一切正常时退出码为 0")
    demo.add_argument("--directory", metavar="DIR", help="演示数据放在这里（缺省：临时目录，结束时告知位置）")
    init = _command(commands, "init", "写出一份带注释的配置和一本空白通讯录", "djb init /etc/djb")
    init.add_argument(
        "directory", nargs="?", default=".", metavar="DIR", help="写到哪个目录（缺省：当前目录）"
    )
    _command(commands, "check", "逐项检查运行所需的一切，指出不通的地方和办法")
    _command(commands, "run", "守护运行，直到收到 SIGTERM；SIGHUP 重读配置、模板和通讯录")
    once = _command(
        commands, "once", "完整运行一个周期后退出：收信、读表、登记、办理到期事项、发信", "djb once --dry-run"
    )
    once.add_argument(
        "--at", metavar="TIME", help="当作此刻运行，例如 2022-01-06T09:00+08:00（仅限本机测试）"
    )
    once.add_argument("--dry-run", action="store_true", help="只说明会做什么，不发信、不改任何东西")
    read = _command(commands, "read", "读邮件（.eml）或表格文件，显示读懂了什么", "djb read 附件1.docx 来信/")
    read.add_argument("files", nargs="+", metavar="FILE", help="文件或目录")
    read.add_argument("--json", action="store_true", help="每个文件输出一行 JSON")


def _list_commands(commands: argparse._SubParsersAction[Parser]) -> None:
    plan = _command(
        commands, "plan", "预告某段时间内将发出的每一封信", "djb plan --from 2022-01-01 --to 2022-01-31"
    )
    plan.add_argument("--from", dest="start", required=True, metavar="DATE", help="起始日期")
    plan.add_argument("--to", dest="end", required=True, metavar="DATE", help="截止日期（含当天）")
    plan.add_argument("--json", action="store_true", help="输出 JSON")
    for name, summary in (
        ("status", "一屏看清运行情况；有异常时退出码为 1"),
        ("mail", "列出每封来信和它的去向"),
        ("held", "列出等待人工核实的来信"),
        ("letters", "列出每封发出和待发的信"),
        ("problems", "列出难点问题"),
    ):
        _command(commands, name, summary).add_argument("--json", action="store_true", help="输出 JSON")
    returns = _command(commands, "returns", "列出统计表填报情况", "djb returns --period 2022-01")
    returns.add_argument("--period", metavar="2022-01", help="哪一期（缺省：各期）")
    returns.add_argument("--json", action="store_true", help="输出 JSON")
    show = _command(commands, "show", "显示一个问题或一封来信的全部情况", "djb show ND-2022-013\ndjb show 17")
    show.add_argument("number", metavar="NUMBER", help="问题编号，或来信的序号")


def _clerk_commands(commands: argparse._SubParsersAction[Parser]) -> None:
    file = _command(
        commands,
        "file",
        "把待核实的来信按指定单位登记",
        "djb file 17 --as 贵港市达观中学",
    )
    file.add_argument("mail", type=int, metavar="MAIL", help="来信的序号（djb held）")
    file.add_argument("--as", dest="unit", metavar="UNIT", help="登记为哪个单位（缺省：系统建议的单位）")
    replay = _command(
        commands, "replay", "重新读来信（升级或修正以后），先显示会有什么不同", "djb replay 17 18"
    )
    replay.add_argument("mails", nargs="*", type=int, metavar="MAIL", help="来信的序号（缺省：全部）")
    replay.add_argument("--apply", action="store_true", help="按新的读法重新办理（只限未了结的来信）")
    replay.add_argument("--json", action="store_true", help="输出 JSON")
    release = _command(commands, "release", "放行一封待核实的来信：照读到的内容办理", "djb release 17")
    release.add_argument("mail", type=int, metavar="MAIL", help="来信的序号")
    release.add_argument("--ignore", action="store_true", help="不办理，搁置")


def _keeping_commands(commands: argparse._SubParsersAction[Parser]) -> None:
    export = _command(
        commands,
        "export",
        "导出工作簿：台账、统计汇总、问题清单",
        "djb export returns 汇总.xlsx --period 2022-01",
    )
    export.add_argument("what", choices=["ledger", "returns", "problem-list"], help="导出什么")
    export.add_argument("file", metavar="FILE.xlsx", help="写到哪个文件")
    export.add_argument("--period", metavar="2022-01", help="统计表的期（缺省：各期）")
    directory = _command(commands, "directory", "导入或导出通讯录", "djb directory import 通讯录.xlsx")
    directory.add_argument("action", choices=["import", "export"], help="import 导入，export 导出")
    directory.add_argument("file", metavar="FILE.xlsx")
    database = _command(commands, "database", "升级或检查数据库")
    database.add_argument("action", choices=["upgrade", "check"], help="upgrade 升级结构，check 检查一致性")
    backup = _command(
        commands, "backup", "把数据库和来信档案一起备份到一个文件", "djb backup /backup/djb.tar"
    )
    backup.add_argument("file", metavar="FILE")
    restore = _command(commands, "restore", "把备份恢复到空的位置")
    restore.add_argument("file", metavar="FILE")


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; its exit status."""
    argparse._ = _translate  # type: ignore[attr-defined]
    parser = build_parser()
    args = parser.parse_args(arguments)
    if args.version:
        from daemon import __version__

        print(f"djb {__version__}")  # noqa: T201
        return 0
    if not hasattr(args, "command"):
        parser.print_help()
        return 2
    from daemon import commands

    return commands.guarded(args)


if __name__ == "__main__":
    sys.exit(main())
