"""Lists and details as an administrator likes to read them in a terminal, in Chinese.

Takes the rows of `daemon.store.lists`, so that what people and programs see is the same.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from rich import box
from rich.console import Console, Group
from rich.markup import escape
from rich.panel import Panel
from rich.table import Table

from daemon.model import (
    DISPOSITION_NAMES,
    RETURN_STATE_NAMES,
    STATE_NAMES,
    Disposition,
    LetterKind,
    LetterState,
    Light,
    ReturnState,
    State,
)
from daemon.store.units import Difference

Row = Mapping[str, Any]

NO_LIGHT = Light.NONE

LIGHT_SIGNS: Mapping[str, str] = {
    Light.NONE.value: "",
    Light.BLUE.value: "[blue]● 蓝灯[/]",
    Light.YELLOW.value: "[yellow]● 黄灯[/]",
    Light.RED.value: "[red]● 红灯[/]",
}
LETTER_STATES: Mapping[str, str] = {
    LetterState.QUEUED.value: "待发",
    LetterState.SENT.value: "[green]已发[/]",
    LetterState.FAILED.value: "[red]失败[/]",
    LetterState.CANCELLED.value: "[dim]取消[/]",
}
DISPOSITION_STYLES: Mapping[str, str] = {
    "held": "yellow",
    "quarantined": "red",
    "pending": "cyan",
    "filed": "green",
    "corrected": "green",
    "replied": "green",
    "automatic": "dim",
    "duplicate": "dim",
    "ignored": "dim",
}


def console() -> Console:
    return Console(highlight=False, soft_wrap=False)


def minute(value: str | None) -> str:
    """An ISO moment as people read it: 2022-01-04 09:30."""
    return value[:16].replace("T", " ") if value else ""


def times(name: str, values: Sequence[str | None]) -> tuple[str, Callable[[str | None], str]]:
    """Heading and writing of a column of moments: a year that all share stands in the heading alone."""
    years = {value[:4] for value in values if value}
    if len(years) != 1:
        return name, minute
    return f"{name} {years.pop()}", lambda value: minute(value)[5:]


def table(
    title: str, columns: Sequence[tuple[str, Mapping[str, Any]]], rows: Sequence[Sequence[str]]
) -> None:
    """A list with its title and number; says so when there is nothing."""
    out = console()
    if not rows:
        out.print(f"{title}：没有")
        return
    shown = Table(title=f"{title}（{len(rows)}）", title_justify="left", box=box.SIMPLE_HEAD, pad_edge=False)
    for name, options in columns:
        shown.add_column(name, **options)
    for row in rows:
        shown.add_row(*row)
    out.print(shown)


def titled(subject: str) -> str:
    """A subject without the code of our tag, which is for programs: ND-2022-013：收件回执."""
    return _TAG.sub(r"\1：", subject, count=1).rstrip("：")


_TAG = re.compile(r"\[([A-Z]{2}-[\d-]+)#[A-Z0-9]{4}\]\s*")

_NARROW: Mapping[str, Any] = {"no_wrap": True}
_WIDE: Mapping[str, Any] = {"overflow": "fold"}


def mails(rows: Sequence[Row], title: str = "来信") -> None:
    heading, shown = times("收到", [row["received_at"] for row in rows])
    table(
        title,
        [
            ("序号", _NARROW),
            (heading, _NARROW),
            ("发件人", _WIDE),
            ("主题", _WIDE),
            ("去向", _NARROW),
            ("说明", _WIDE),
        ],
        [
            (
                str(row["id"]),
                shown(row["received_at"]),
                escape(row["from"] or ""),
                escape(titled(row["subject"] or "")),
                _disposition(row["disposition"]),
                escape(" ".join((*row["problems"], *row["returns"])) or row["reason"] or ""),
            )
            for row in rows
        ],
    )


def _disposition(value: str) -> str:
    name = DISPOSITION_NAMES[Disposition(value)]
    style = DISPOSITION_STYLES.get(value)
    return f"[{style}]{name}[/]" if style else name


def held(rows: Sequence[Row]) -> None:
    heading, shown = times("自", [row["since"] for row in rows])
    table(
        "待人工核实",
        [("来信", _NARROW), (heading, _NARROW), ("原因", _WIDE), ("问题", _WIDE), ("建议", _WIDE)],
        [
            (
                str(row["mail"]),
                shown(row["since"]),
                escape(row["reason"] or ""),
                escape(row["question"] if row["question"] and row["question"] != row["reason"] else ""),
                escape(row["suggestion"] or ""),
            )
            for row in rows
        ],
    )
    if rows:
        console().print(
            "[dim]登记 djb file 序号 --as 单位  放行 djb release 序号  搁置 djb release 序号 --ignore[/]"
        )


def letters(rows: Sequence[Row]) -> None:
    heading, shown = times("时间", [row["sent_at"] or row["due_at"] for row in rows])
    table(
        "信件",
        [
            ("序号", _NARROW),
            ("种类", _NARROW),
            ("收件人", _WIDE),
            ("主题", _WIDE),
            ("状态", _WIDE),
            (heading, _NARROW),
        ],
        [
            (
                str(row["id"]),
                LetterKind(row["kind"]).chinese,
                escape("、".join((*row["to"], *row["cc"]))),
                escape(titled(row["subject"])),
                LETTER_STATES[row["state"]] + (f" {escape(row['error'])}" if row["error"] else ""),
                shown(row["sent_at"] or row["due_at"]),
            )
            for row in rows
        ],
    )


def problems(rows: Sequence[Row]) -> None:
    table(
        "难点问题",
        [
            ("编号", _NARROW),
            ("单位", _WIDE),
            ("难点问题", _WIDE),
            ("状态", _NARROW),
            ("承办", _WIDE),
            ("时限", _NARROW),
            ("灯", _NARROW),
        ],
        [
            (
                row["number"],
                escape(row["reporting_unit"]),
                escape(row["problem"]),
                STATE_NAMES[State(row["state"])],
                escape(row["lead_section"] or ""),
                row["deadline"] or "",
                LIGHT_SIGNS.get(row["light"] or "none", ""),
            )
            for row in rows
        ],
    )


COUNTS = ("party_branches", "platforms", "sessions_held", "problems_solved")


def total(row: Row, name: str) -> str:
    """One figure of a return, summed over its rows; blank where nothing was filed."""
    return str(sum(r.get(name) or 0 for r in row["rows"])) if row["rows"] else ""


def returns(rows: Sequence[Row]) -> None:
    table(
        "统计表",
        [("期", _NARROW), ("单位", _WIDE), ("状态", _NARROW), ("版", _NARROW), ("收到", _NARROW)]
        + [(name, {"justify": "right", "no_wrap": True}) for name in ("党支部", "平台", "举办", "解决")],
        [
            (
                row["period"],
                escape(row["unit"]),
                RETURN_STATE_NAMES[ReturnState(row["state"])],
                str(row["version"] or ""),
                minute(row["received_at"])[5:],
                *(total(row, name) for name in COUNTS),
            )
            for row in rows
        ],
    )


def plan(rows: Sequence[Row], title: str = "将发出的信") -> None:
    heading, shown = times("时间", [row["due_at"] for row in rows])
    table(
        title,
        [(heading, _NARROW), ("种类", _NARROW), ("收件人", _WIDE), ("主题", _WIDE)],
        [
            (
                shown(row["due_at"]),
                LetterKind(row["kind"]).chinese,
                escape("、".join((*row["to"], *row["cc"]))),
                escape(titled(row["subject"])),
            )
            for row in rows
        ],
    )


# ------------------------------------------------------------------------------------------- one screen

LIGHT_COLOURS: Mapping[str, tuple[str, str]] = {
    Light.RED.value: ("red", "红灯"),
    Light.YELLOW.value: ("yellow", "黄灯"),
    Light.BLUE.value: ("blue", "蓝灯"),
}
DEADLINES_SHOWN = 4
FAULTS_SHOWN = 5


def status(found: Row) -> None:
    """How the daemon is, on one screen of 80 by 24."""
    faults = found["faults"]
    body = Table.grid(padding=(0, 2))
    body.add_column(style="cyan", no_wrap=True)
    body.add_column(overflow="fold")
    for name, text in _status_rows(found):
        body.add_row(name, text)
    parts: list[Any] = [body]
    if faults:
        parts.append("")
        parts += [f"[red]✗[/] {escape(fault)}" for fault in faults[:FAULTS_SHOWN]]
        if len(faults) > FAULTS_SHOWN:
            parts.append(f"[red]  另有 {len(faults) - FAULTS_SHOWN} 处[/]")
    colour, word = ("red", f"有 {len(faults)} 处异常") if faults else ("green", "一切正常")
    console().print(
        Panel(
            Group(*parts),
            title=f"[bold {colour}]● {word}[/]  {escape(found['office'])}  [dim]{minute(found['at'])}[/]",
            title_align="left",
            border_style=colour,
        )
    )


def _status_rows(found: Row) -> Iterator[tuple[str, str]]:
    last, ago = minute(found["last_poll"]), found["last_poll_seconds_ago"]
    yield "收信", f"{escape(found['mailbox'])}，" + (f"{last}（{_ago(ago)}）" if last else "还没有收过信")
    mail = found["mail"]
    yield (
        "来信",
        f"共 {mail['total']} 封，待处理 {mail['pending']}，{_count('待核实', mail['held'], 'yellow')}，"
        f"{_count('隔离', mail['quarantined'], 'red')}；待工委办答复 {found['open_questions']} 件",
    )
    outbox = found["outbox"]
    paused = f"，[red]暂停到 {minute(outbox['paused_until'])}[/]" if outbox["paused_until"] else ""
    yield (
        "发信",
        f"今日已发 {outbox['sent_today']}/{outbox['daily_limit']}，待发 {outbox['queued']}，"
        f"{_count('失败', outbox['failed'], 'red')}{paused}",
    )
    problems = found["problems"]
    lights = "  ".join(
        f"[{colour}]● {name} {problems['by_light'][light]}[/]"
        for light, (colour, name) in LIGHT_COLOURS.items()
        if problems["by_light"][light]
    )
    yield "问题", f"共 {problems['total']} 件，在办 {problems['open']} 件  {lights}".rstrip()
    if problems["by_state"]:
        order = list(State)
        states = sorted(problems["by_state"].items(), key=lambda pair: order.index(State(pair[0])))
        yield "", "  ".join(f"{STATE_NAMES[State(state)]} {count}" for state, count in states)
    returns = found["returns"]
    yield (
        "统计表",
        f"{returns['period']}（{returns['covers']}，{returns['due']} 截止），{returns['schools']} 所学校",
    )
    counts = [(state.chinese, returns[state.value]) for state in ReturnState if returns[state.value]]
    yield "", "  ".join(f"{name} {count}" for name, count in counts) or "还没有学校"
    for line in returns["skipped"]:
        yield "", f"[yellow]{escape(line)}[/]"
    deadlines = found["deadlines"]
    for number, row in enumerate(deadlines[:DEADLINES_SHOWN]):
        yield (
            "" if number else "近期",
            f"{row['date'][5:]}  {escape(row['about'])}  {escape(_short(row['what'], 36))}",
        )
    if len(deadlines) > DEADLINES_SHOWN:
        yield "", f"[dim]另有 {len(deadlines) - DEADLINES_SHOWN} 件（djb status --json）[/]"


def _count(name: str, count: int, colour: str) -> str:
    return f"[{colour}]{name} {count}[/]" if count else f"{name} 0"


def _ago(seconds: int) -> str:
    for size, name in ((86400, "天"), (3600, "小时"), (60, "分钟")):
        if seconds >= 2 * size:
            return f"{seconds // size} {name}前"
    return f"{seconds} 秒前"


def _short(text: str, length: int) -> str:
    return text if len(text) <= length else text[: length - 1] + "…"


def directory_difference(difference: Difference) -> None:
    """What a directory import changed, unit by unit."""
    out = console()
    if not difference:
        out.print("通讯录与原来一致，没有变化")
        return
    for unit in difference.added:
        out.print(
            f"[green]＋ 新增[/] {unit.kind.chinese} {escape(unit.name)}  {escape('、'.join(unit.addresses))}"
        )
    for change in difference.changed:
        out.print(f"[yellow]～ 变更[/] {change.new.kind.chinese} {escape(change.new.name)}")
        for label, getter in _UNIT_FIELDS:
            old, new = getter(change.old), getter(change.new)
            if old != new:
                out.print(f"      {label}：{escape(old or '（空）')} → {escape(new or '（空）')}")
    for unit in difference.removed:
        out.print(f"[red]－ 停用[/] {unit.kind.chinese} {escape(unit.name)}（历史记录保留）")
    out.print(f"新增 {len(difference.added)}，变更 {len(difference.changed)}，停用 {len(difference.removed)}")


_UNIT_FIELDS: Sequence[tuple[str, Callable[[Any], str]]] = (
    ("简称", lambda unit: "、".join(unit.short_names)),
    ("负责人", lambda unit: unit.head or ""),
    ("负责人邮箱", lambda unit: "、".join(unit.head_addresses)),
    ("联系人", lambda unit: unit.contact or ""),
    ("电话", lambda unit: unit.phone or ""),
    ("邮箱", lambda unit: "、".join(unit.addresses)),
)
