"""The command line `djb`: names the commands and hands each to `daemon.commands`. Wiring only.

Nothing heavy is imported here, so that `djb --help` answers at once.
"""

from __future__ import annotations

import argparse
import re
import sys
from collections.abc import Mapping, Sequence
from difflib import get_close_matches
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


_UNKNOWN_COMMAND = re.compile(r"命令：没有 '(.*?)'")


def _translate(message: str) -> str:
    return _CHINESE.get(message, message)


class Parser(argparse.ArgumentParser):
    """An argument parser that speaks Chinese and ends with exit status 2 on a wrong command line."""

    def error(self, message: str) -> NoReturn:
        """Say what is wrong, with the nearest command for a mistyped one, and end."""
        if mistyped := _UNKNOWN_COMMAND.match(message):
            near = get_close_matches(mistyped[1], SUMMARIES, n=1)
            message = f"没有 {mistyped[1]} 这个命令" + (f"，是不是 {near[0]}？" if near else "")
        self.print_usage(sys.stderr)
        self.exit(2, f"命令有误：{message}\n用 {self.prog} --help 查看说明\n")


def _mail_number(text: str) -> int:
    """The number of a mail in `djb mail`."""
    if not text.isascii() or not text.isdecimal():
        raise argparse.ArgumentTypeError(f"{text} 不是来信的序号（djb mail 第一列的数字）")
    return int(text)


def _command(
    commands: argparse._SubParsersAction[Parser], name: str, *, about: str = "", examples: str = ""
) -> argparse.ArgumentParser:
    """A command with its help: what it does, more about it, and examples."""
    summary = SUMMARIES[name]
    parser = commands.add_parser(
        name,
        description=f"{summary}。" + (f"\n\n{about}" if about else ""),
        epilog="示例：\n" + "\n".join(f"  {line}" for line in (examples or f"djb {name}").splitlines()),
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.set_defaults(command=name)
    # Without a default of its own, so that a --config given before the command's name survives.
    parser.add_argument(
        "--config", metavar="FILE", default=argparse.SUPPRESS, help="配置文件（也可写在命令名之前）"
    )
    return parser


def _with_json(parser: argparse.ArgumentParser) -> argparse.ArgumentParser:
    parser.add_argument("--json", action="store_true", help="输出 JSON，供程序使用")
    return parser


GROUPS: Mapping[str, Mapping[str, str]] = {
    "开始使用": {
        "demo": "演示：用内置的邮件服务器走一遍收表、登记、答复",
        "init": "写出一份带注释的配置和一本空白通讯录",
        "check": "逐项检查运行所需的一切，指出不通的地方和办法",
        "directory": "导入或导出通讯录",
    },
    "运行": {
        "run": "守护运行：随到随办，直到被停止",
        "once": "完整运行一个周期后退出：收信、读表、登记、办理到期事项、发信",
        "status": "一屏看清运行情况；有异常时退出码为 1",
        "plan": "预告某段时间内将发出的每一封信",
    },
    "查看": {
        "mail": "列出每封来信和它的去向",
        "held": "列出等待人工核实的来信",
        "letters": "列出每封发出和待发的信",
        "problems": "列出难点问题",
        "returns": "列出各单位统计表填报情况",
        "show": "显示一个问题、一期统计、一封来信或一封信的全部情况",
        "read": "读邮件（.eml）或表格文件，显示读懂了什么",
        "export": "导出工作簿：台账、统计汇总、问题清单",
    },
    "人工处理": {
        "file": "把待核实的来信登记为某单位所报",
        "release": "放行一封待核实的来信，或把它搁置",
        "replay": "重新读来信（升级或修正以后），先显示会有什么不同",
    },
    "数据": {
        "backup": "把数据库和来信档案一起备份到一个文件",
        "restore": "把备份恢复到空的位置",
        "database": "升级或检查数据库",
    },
}
"""The commands as a newcomer looks for them."""

SUMMARIES: Mapping[str, str] = {name: text for group in GROUPS.values() for name, text in group.items()}


def _overview() -> str:
    lines = ["“难点问题书记一线办”平台的邮件守护程序：收表、读表、登记、答复、交办、催办、统计。"]
    for title, group in GROUPS.items():
        lines += ["", f"{title}："]
        lines += [f"  {name:<11}{text}" for name, text in group.items()]
    return "\n".join(lines)


def build_parser() -> Parser:
    """The whole command line, as data."""
    parser = Parser(
        prog="djb",
        usage="djb [--config FILE] 命令 …",
        description=_overview(),
        epilog=(
            "每个命令都有自己的说明和示例：djb 命令 --help\n"
            "初次使用：djb demo 看演示；djb init 写出配置，填好后 djb check，再 djb run\n"
            "退出码：0 成功，1 执行失败，2 命令行或配置有误"
        ),
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument(
        "--config",
        metavar="FILE",
        default=None,
        help="配置文件（缺省依次找：$DJB_CONFIG、./djb.toml、/etc/djb/djb.toml）",
    )
    parser.add_argument("--version", action="store_true", help="显示版本号并退出")
    commands = parser.add_subparsers(metavar="命令", prog="djb", help=argparse.SUPPRESS)
    _first_commands(commands)
    _service_commands(commands)
    _list_commands(commands)
    _clerk_commands(commands)
    _keeping_commands(commands)
    return parser


def _first_commands(commands: argparse._SubParsersAction[Parser]) -> None:
    demo = _command(
        commands,
        "demo",
        about="不需要配置，不联网，不碰任何真实邮箱。演示完继续运行，可以自己写信给它；按 Ctrl-C 结束。",
        examples="djb demo\ndjb demo --once --directory /tmp/djb-demo",
    )
    demo.add_argument("--once", action="store_true", help="演示完就结束；全部如预期时退出码为 0")
    demo.add_argument(
        "--directory", metavar="DIR", help="演示数据放在这里（缺省：新建一个临时目录，并告知位置）"
    )
    init = _command(
        commands,
        "init",
        about="写出 djb.toml（已按 163 邮箱填好）和 通讯录.xlsx，并说明接下来做什么。\n已有同名文件时什么都不写。",
        examples="djb init\ndjb init /etc/djb",
    )
    init.add_argument(
        "directory", nargs="?", default=".", metavar="DIR", help="写到哪个目录（缺省：当前目录）"
    )
    _command(
        commands,
        "check",
        about="✓ 正常，! 可以运行但请留意，✗ 必须解决。有 ✗ 时退出码为 1，配置本身有误时为 2。\n"
        "会登录邮箱的收信、发信服务器，但不收信、不发信。",
    )


def _service_commands(commands: argparse._SubParsersAction[Parser]) -> None:
    _command(
        commands,
        "run",
        about="SIGTERM 或 Ctrl-C 停止；SIGHUP 重新读取配置、模板和通讯录。通常由 systemd 启动：\n"
        "systemctl start djb，systemctl reload djb，日志用 journalctl -u djb 查看。",
        examples="djb run\ndjb --config /etc/djb/djb.toml run",
    )
    once = _command(
        commands,
        "once",
        about="先用 --dry-run 看看会做什么：它只读邮箱，在临时副本上办理，不发信、不改任何东西。",
        examples="djb once --dry-run\ndjb once --dry-run --at 2022-01-06T09:00\ndjb once",
    )
    once.add_argument(
        "--at",
        metavar="TIME",
        help="当作此刻运行，例如 2022-01-06T09:00+08:00（只限发信服务器在本机，或与 --dry-run 同用）",
    )
    once.add_argument("--dry-run", action="store_true", help="只说明会做什么，不发信、不改任何东西")


def _list_commands(commands: argparse._SubParsersAction[Parser]) -> None:
    plan = _command(
        commands,
        "plan",
        about="按现在的情况推算：如果不再有来信，到时会发出哪些信。",
        examples="djb plan --from 2022-01-01 --to 2022-01-31",
    )
    plan.add_argument("--from", dest="start", required=True, metavar="DATE", help="起始日期")
    plan.add_argument("--to", dest="end", required=True, metavar="DATE", help="截止日期（含当天）")
    _with_json(plan)
    about_status = "可用于监控：收信停了、来信出错、信没有送到、发信暂停等，都算异常。"
    _with_json(_command(commands, "status", about=about_status, examples="djb status\ndjb status --json"))
    about_mail = "每封来信只有一个去向。第一列是来信的序号，show、file、release、replay 都用它。"
    _with_json(_command(commands, "mail", about=about_mail, examples="djb mail\ndjb mail --json"))
    about_held = "工委办可以直接回复请示邮件，也可以在这里用 djb file、djb release 处理。"
    _with_json(_command(commands, "held", about=about_held))
    _with_json(_command(commands, "letters", about="正文和投递情况：djb show letter:序号。"))
    _with_json(_command(commands, "problems", about="灯：蓝灯临近时限，黄灯错过节点，红灯超期。"))
    returns = _command(commands, "returns", examples="djb returns\ndjb returns --period 2022-01")
    returns.add_argument(
        "--period", metavar="YYYY-MM", help="哪一期，写到期的年月，例如 2022-01（缺省：已有的各期）"
    )
    _with_json(returns)
    show = _command(
        commands,
        "show",
        examples="djb show ND-2022-013      一个难点问题\ndjb show TJ-2022-01       一期统计\n"
        "djb show QC-2022-01       一期“一线办”\ndjb show WT-2022-003      一件请示\n"
        "djb show 17               一封来信（序号见 djb mail）\n"
        "djb show letter:9         一封发出的信（序号见 djb letters）",
    )
    show.add_argument("number", metavar="NUMBER", help="编号，或来信的序号")
    read = _command(
        commands,
        "read",
        about="不需要配置，不用数据库，不联网。目录会连同子目录一起读。",
        examples="djb read 附件1.docx\ndjb read 来信/ 附件2.xlsx\ndjb read --json 来信.eml",
    )
    read.add_argument("files", nargs="+", metavar="FILE", help="邮件、表格文件，或目录")
    read.add_argument("--json", action="store_true", help="每个文件输出一行 JSON")
    export = _command(
        commands,
        "export",
        about="ledger 台账，returns 统计汇总，problem-list 问题清单。",
        examples="djb export ledger 台账.xlsx\ndjb export returns 汇总.xlsx --period 2022-01",
    )
    export.add_argument(
        "what", choices=["ledger", "returns", "problem-list"], metavar="KIND", help="导出什么"
    )
    export.add_argument("file", metavar="FILE.xlsx", help="写到哪个文件")
    export.add_argument("--period", metavar="YYYY-MM", help="统计汇总的期，例如 2022-01（缺省：各期）")


def _clerk_commands(commands: argparse._SubParsersAction[Parser]) -> None:
    file = _command(
        commands,
        "file",
        about="相当于工委办回复“登记为 某单位”：表格按该单位登记，记住发件邮箱，答复发件人。",
        examples="djb file 17\ndjb file 17 --as 贵港市达观中学",
    )
    file.add_argument("mail", type=_mail_number, metavar="MAIL", help="来信的序号（见 djb held）")
    file.add_argument("--as", dest="unit", metavar="UNIT", help="登记为哪个单位（缺省：系统建议的单位）")
    release = _command(
        commands,
        "release",
        about="照读到的内容登记并答复发件人；出错隔离的来信会重新办理。\n"
        "加 --ignore 则搁置：不再办理，也不告知发件人。",
        examples="djb release 17\ndjb release 17 --ignore",
    )
    release.add_argument("mail", type=_mail_number, metavar="MAIL", help="来信的序号（见 djb held）")
    release.add_argument("--ignore", action="store_true", help="不办理，搁置")
    replay = _command(
        commands,
        "replay",
        about="只显示现在会读得不一样的地方，逐项对照；不加 --apply 什么都不改。\n"
        "加 --apply 时只重新办理未了结的来信（待处理、待核实、已隔离），信不会重复发。",
        examples="djb replay\ndjb replay 17 18\ndjb replay 17 --apply",
    )
    replay.add_argument(
        "mails", nargs="*", type=_mail_number, metavar="MAIL", help="来信的序号（缺省：全部）"
    )
    replay.add_argument("--apply", action="store_true", help="按新的读法重新办理未了结的来信")
    _with_json(replay)


def _keeping_commands(commands: argparse._SubParsersAction[Parser]) -> None:
    directory = _command(
        commands,
        "directory",
        about="导入前先核对：有一处错误就整本不导入，并指出在哪张表哪一行；成功后列出变化。\n"
        "通讯录里没有了的单位停用，历史记录保留。",
        examples="djb directory export 通讯录.xlsx\ndjb directory import 通讯录.xlsx",
    )
    directory.add_argument(
        "action", choices=["import", "export"], metavar="import|export", help="导入还是导出"
    )
    directory.add_argument("file", metavar="FILE.xlsx", help="通讯录工作簿")
    database = _command(
        commands,
        "database",
        about="upgrade：程序升级后升级数据库结构，请先 djb backup。\ncheck：检查数据库与来信档案是否完整一致。",
        examples="djb database check\ndjb database upgrade",
    )
    database.add_argument(
        "action", choices=["upgrade", "check"], metavar="upgrade|check", help="升级结构，还是检查一致性"
    )
    backup = _command(
        commands,
        "backup",
        about="守护进程运行时也可以备份。写好后会自动核对；已有同名文件时不覆盖。\n"
        "加 --release 时，备份核对无误后，把早于 store.keep_mail_years 年、已办结的来信原件移出档案，以后只在这份\n"
        "备份里：请永久保存它。来信的登记、答复和历史不受影响。",
        examples="djb backup /backup/djb-2022-01-06.tar\ndjb backup /backup/djb-2030-原件.tar --release",
    )
    backup.add_argument("file", metavar="FILE", help="备份写到哪个文件")
    backup.add_argument("--release", action="store_true", help="核对无误后，把超过保存年限的来信原件移出档案")
    restore = _command(
        commands,
        "restore",
        about="数据库和档案目录必须是空的：先在配置里指到新的位置，恢复后用 djb database check 核对。",
        examples="djb --config 新配置.toml restore /backup/djb-2022-01-06.tar",
    )
    restore.add_argument("file", metavar="FILE", help="备份文件")


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
