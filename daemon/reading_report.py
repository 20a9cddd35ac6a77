"""What `djb read` prints: for people a picture of what was understood and why, for programs JSON Lines."""

from __future__ import annotations

import json
import os
import sys
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from rich.console import Console, Group, RenderableType
from rich.markup import escape
from rich.panel import Panel
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table
from rich.text import Text

from daemon.reader import Outcome, Reader, ReadingFailed
from parsers import forms as printed, message, sniff
from parsers.content import Limits
from parsers.values import (
    Authentication,
    Finding,
    Form,
    Mail,
    MailKind,
    Part,
    PartOutcome,
    Reading,
    ReturnedWorkbook,
    Severity,
    Value,
    Verdict,
)

OWN_ADDRESS = "djb3916@163.com"
"""The mailbox that the notice names; `djb read` knows no configuration, and this tells our own mail."""
READABLE = frozenset(
    ".eml .docx .docm .doc .wps .odt .rtf .xlsx .xlsm .xls .et .ods .csv .txt .pdf .jpg .jpeg .png .bmp .tif .tiff"  # noqa: SIM905
    " .webp .heic .htm .html .zip .7z .rar .msg .mht".split()
)
"""Endings that are read in a folder; a file named on the command line is read whatever it is called."""

VERDICTS: Mapping[Verdict, tuple[str, str, str]] = {
    Verdict.COMPLETE: ("✓", "完整，可直接登记", "green"),
    Verdict.INCOMPLETE: ("✎", "不完整，需补正", "yellow"),
    Verdict.UNCERTAIN: ("?", "有疑问，需人工核对", "magenta"),
    Verdict.NO_FORM: ("–", "没有表格", "dim"),
    Verdict.UNREADABLE: ("✗", "无法读取", "red"),
}
KINDS: Mapping[MailKind, str] = {
    MailKind.PERSON: "来信",
    MailKind.AUTO_REPLY: "自动回复",
    MailKind.BOUNCE: "退信",
    MailKind.RECALL: "撤回通知",
    MailKind.LIST: "群发邮件",
    MailKind.SELF: "本邮箱发出",
}
OUTCOMES: Mapping[PartOutcome, tuple[str, str]] = {
    PartOutcome.FORM: ("表格", "green"),
    PartOutcome.IGNORED: ("略过", "dim"),
    PartOutcome.UNREADABLE: ("读不了", "red"),
    PartOutcome.REFUSED: ("未打开", "red"),
}
AUTHENTICATION: Mapping[Authentication, str] = {
    Authentication.PASS: "发件人经服务器验证",
    Authentication.FAIL: "[red]发件人未通过服务器验证，可能是冒名[/]",
    Authentication.UNKNOWN: "发件人未经验证",
}
LEVELS = {"secretary": "市委教育工委书记", "section": "市局相关科室"}
NOT_OPENED = "无法打开文件：{path}（{why}）"


@dataclass(frozen=True, slots=True)
class _Source:
    """One file to read."""

    path: Path
    shown: str


def run(
    paths: Sequence[str | Path], as_json: bool, console: Console | None = None, workers: int | None = None
) -> int:
    """Reads files and folders and prints what they say; 1 if something could not be opened, else 0."""
    console = console or Console()
    errors = Console(stderr=True)
    sources, missing = _sources(paths)
    for text in missing:
        errors.print(text, style="red", markup=False)
    size = workers or min(len(sources), os.cpu_count() or 1, 4)
    with Reader(workers=size, limits=Limits(), own_address=OWN_ADDRESS) as reader:
        readings = _in_order(_outcomes(reader, sources, missing, errors, not as_json))
        if as_json:
            for reading in readings:
                sys.stdout.write(json.dumps(reading.to_json(), ensure_ascii=False) + "\n")
                sys.stdout.flush()
        else:
            _print_all(readings, console)
    return 1 if missing else 0


def _sources(paths: Iterable[str | Path]) -> tuple[list[_Source], list[str]]:
    """The files to read, folders opened, and complaints about those that are not there."""
    sources: list[_Source] = []
    missing: list[str] = []
    for given in paths:
        path = Path(given)
        if path.is_dir():
            found = sorted(
                each for each in path.rglob("*") if each.is_file() and each.suffix.lower() in READABLE
            )
            sources += [_Source(each, str(each)) for each in found]
            if not found:
                missing.append(f"目录中没有可读的文件：{given}")
        elif path.exists():
            sources.append(_Source(path, str(given)))
        else:
            missing.append(NOT_OPENED.format(path=given, why="文件不存在"))
    return sources, missing


def _outcomes(
    reader: Reader, sources: Sequence[_Source], missing: list[str], errors: Console, progress: bool
) -> Iterator[tuple[int, Reading]]:
    """Number and reading of each file, as they come; a bar on a terminal tells how far it is."""

    def mails() -> Iterator[tuple[int, bytes, str]]:
        for number, source in enumerate(sources):
            try:
                yield number, source.path.read_bytes(), source.path.name
            except OSError as fault:
                text = NOT_OPENED.format(path=source.shown, why=fault.strerror or str(fault))
                missing.append(text)
                errors.print(text, style="red", markup=False)

    columns = (TextColumn("正在读取"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    bar = Progress(*columns, console=errors, transient=True, disable=not progress or len(sources) < 2)
    with bar:
        task = bar.add_task("", total=len(sources))
        for number, outcome in reader.read_all(mails()):
            bar.advance(task)
            yield number, _reading(sources[number], outcome)


def _in_order(pairs: Iterable[tuple[int, Reading]]) -> Iterator[Reading]:
    """The readings in the order of their files; numbers of files that could not be opened are passed over."""
    early: dict[int, Reading] = {}
    following = 0
    for number, reading in pairs:
        early[number] = reading
        while following in early:
            yield early.pop(following)
            following += 1
    yield from (early[number] for number in sorted(early))


def _reading(source: _Source, outcome: Outcome) -> Reading:
    """The reading under the name that the user gave; a failure becomes a reading that says so."""
    if isinstance(outcome, Reading):
        return replace(outcome, file=source.shown)
    return _failed(source, outcome)


def _failed(source: _Source, failure: ReadingFailed) -> Reading:
    mail: Mail | None = None
    raw = source.path.read_bytes()[: 1 << 20]
    if sniff.is_mail(raw, source.path.name):
        mail = message.head_only(raw, OWN_ADDRESS)
    part = Part(
        source.path.name, sniff.sniffed(raw, source.path.name).format, PartOutcome.UNREADABLE, failure.reason
    )
    return Reading(source.shown, mail, (), (part,), Verdict.UNREADABLE)


# ------------------------------------------------------------------ for people


def _print_all(readings: Iterable[Reading], console: Console) -> None:
    verdicts: Counter[Verdict] = Counter()
    for reading in readings:
        verdicts[reading.verdict] += 1
        console.print(_picture(reading))
    if verdicts.total() > 1:
        console.print(_summary(verdicts))


def _picture(reading: Reading) -> Panel:
    """One file: verdict, mail, forms with findings, parts."""
    mark, text, colour = VERDICTS[reading.verdict]
    blocks: list[RenderableType] = []
    if reading.mail is not None:
        blocks.append(_mail(reading.mail))
    blocks += [form_picture(form) for form in reading.forms]
    blocks += [_workbook(workbook) for workbook in reading.workbooks]
    if reading.parts:
        blocks.append(_parts(reading.parts))
    title = f"[{colour}]{mark} {text}[/]  [bold]{escape(reading.file)}[/]"
    return Panel(Group(*blocks), title=title, title_align="left", border_style=colour)


def _grid() -> Table:
    grid = Table.grid(padding=(0, 2))
    grid.add_column(style="cyan", no_wrap=True)
    grid.add_column(overflow="fold")
    return grid


def _mail(mail: Mail) -> RenderableType:
    grid = _grid()
    sender = f"{mail.from_name or ''} <{mail.sender}>" if mail.sender else "（没有发件人）"
    grid.add_row("发件人", f"{escape(sender.strip())}  [dim]{AUTHENTICATION[mail.authentication]}[/]")
    grid.add_row("主题", escape(mail.subject or "（无）"))
    grid.add_row("日期", mail.date.strftime("%Y-%m-%d %H:%M %z") if mail.date else "（没有有效日期）")
    grid.add_row("类别", KINDS[mail.kind])
    for recipient in mail.bounced:
        sort = "退信" if recipient.permanent else "延迟"
        grid.add_row(
            sort, escape(f"{recipient.address} {recipient.status or ''} {recipient.diagnostic or ''}".strip())
        )
    if mail.reply_text and mail.kind is not MailKind.BOUNCE:
        words = mail.reply_text if len(mail.reply_text) <= 400 else mail.reply_text[:400] + "…"
        grid.add_row("本人所写", Text(words))
    return grid


def form_picture(form: Form) -> RenderableType:
    """One form as it was understood: its head, its items, what is doubtful."""
    kind = printed.BY_NAME.get(form.kind)
    title = kind.title if kind else form.kind
    labels = {field.name: field.label for field in (*kind.head, *kind.item)} if kind else {}
    grid = _grid()
    for name, value in form.fields.items():
        grid.add_row(labels.get(name, FURTHER_LABELS.get(name, name)), _value(value, name in _doubted(form)))
    blocks: list[RenderableType] = [grid, _items(form, labels)]
    if form.signed_copy:
        blocks.append(Text(f"附有签字盖章件：{form.signed_copy}", style="green"))
    if form.findings:
        blocks.append(_findings(form.findings))
    heading = f"《{title}》 [dim]{escape(form.part)} · {form.format}[/]"
    return Panel(Group(*blocks), title=heading, title_align="left", border_style="blue")


FURTHER_LABELS = {"contact_name": "联系人", "contact_phone": "电话"}


def _items(form: Form, labels: Mapping[str, str]) -> Table:
    """A table of the problems or rows; fields under doubt are coloured."""
    names = list(dict.fromkeys(name for item in form.items for name in item))
    doubted = _doubted(form)
    table = Table(show_lines=len(form.items) > 1)
    table.add_column("#", justify="right", style="dim")
    for name in names:
        table.add_column(
            labels.get(name, FURTHER_LABELS.get(name, ITEM_LABELS.get(name, name))), overflow="fold"
        )
    for number, item in enumerate(form.items):
        cells = [_value(item.get(name), f"{form.items_key}[{number}].{name}" in doubted) for name in names]
        table.add_row(str(number + 1), *cells)
    return table


ITEM_LABELS = {"levels": "反馈层级", "sections": "具体科室"}


def _doubted(form: Form) -> frozenset[str]:
    return frozenset(finding.field for finding in form.findings)


def _value(value: Value, doubted: bool) -> Text:
    if value is None or value == ():
        return Text("（空）", style="bold yellow" if doubted else "dim")
    text = "、".join(LEVELS.get(each, each) for each in value) if isinstance(value, tuple) else str(value)
    return Text(text, style="bold yellow" if doubted else "")


def _findings(findings: Sequence[Finding]) -> Table:
    table = Table.grid(padding=(0, 1))
    for finding in findings:
        mark, colour = ("✗", "red") if finding.severity is Severity.ERROR else ("!", "yellow")
        where = f"（{finding.where}）" if finding.where else ""
        table.add_row(Text(mark, style=colour), Text(f"{finding.text}{where}", style=colour))
    return table


def _workbook(workbook: ReturnedWorkbook) -> Text:
    rows = len(workbook.rows) + sum(len(rows) for rows in workbook.tables.values())
    return Text(
        f"退回的工作表 {workbook.kind} {workbook.about}（{workbook.part}，{rows}行，版本{workbook.version}）",
        style="blue",
    )


def _parts(parts: Sequence[Part]) -> Table:
    table = Table(box=None, padding=(0, 2))
    for heading in ("附件", "格式", "结果", "说明"):
        table.add_column(heading, overflow="fold", header_style="cyan")
    for part in parts:
        text, colour = OUTCOMES[part.outcome]
        table.add_row(Text(part.name), part.format, f"[{colour}]{text}[/]", Text(part.reason or ""))
    return table


def _summary(verdicts: Counter[Verdict]) -> Table:
    table = Table(title=f"共 {verdicts.total()} 个文件", title_justify="left")
    table.add_column("结论")
    table.add_column("数量", justify="right")
    for verdict, (mark, text, colour) in VERDICTS.items():
        if verdicts[verdict]:
            table.add_row(f"[{colour}]{mark} {text}[/]", str(verdicts[verdict]))
    return table


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs the report by itself: `python -m daemon.reading_report [--json] FILE…`."""
    given = list(sys.argv[1:] if arguments is None else arguments)
    as_json = "--json" in given
    return run([each for each in given if each != "--json"], as_json)


if __name__ == "__main__":
    sys.exit(main())
