"""Lists and details as an administrator likes to read them in a terminal, in Chinese.

Takes the rows of `daemon.store.lists`, so that what people and programs see is the same.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from rich import box
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from daemon.model import (
    DISPOSITION_NAMES,
    RETURN_STATE_NAMES,
    STATE_NAMES,
    Disposition,
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


_NARROW: Mapping[str, Any] = {"no_wrap": True}
_WIDE: Mapping[str, Any] = {"overflow": "fold"}


def mails(rows: Sequence[Row]) -> None:
    table(
        "来信",
        [
            ("序号", _NARROW),
            ("收到", _NARROW),
            ("发件人", _WIDE),
            ("主题", _WIDE),
            ("去向", _NARROW),
            ("说明", _WIDE),
        ],
        [
            (
                str(row["id"]),
                minute(row["received_at"]),
                escape(row["from"] or ""),
                escape(row["subject"] or ""),
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
    table(
        "待人工核实",
        [("来信", _NARROW), ("自", _NARROW), ("原因", _WIDE), ("问题", _WIDE), ("建议", _WIDE)],
        [
            (
                str(row["mail"]),
                minute(row["since"]),
                escape(row["reason"] or ""),
                escape(row["question"] or ""),
                escape(row["suggestion"] or ""),
            )
            for row in rows
        ],
    )
    if rows:
        console().print(
            "[dim]登记：djb file 序号 --as 单位    放行：djb release 序号    搁置：djb release 序号 --ignore[/]"
        )


def letters(rows: Sequence[Row]) -> None:
    table(
        "信件",
        [
            ("序号", _NARROW),
            ("种类", _NARROW),
            ("收件人", _WIDE),
            ("主题", _WIDE),
            ("状态", _NARROW),
            ("时间", _NARROW),
        ],
        [
            (
                str(row["id"]),
                row["kind"],
                escape("、".join((*row["to"], *row["cc"]))),
                escape(row["subject"]),
                LETTER_STATES[row["state"]] + (f" {escape(row['error'])}" if row["error"] else ""),
                minute(row["sent_at"] or row["due_at"]),
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


def returns(rows: Sequence[Row]) -> None:
    def total(row: Row, name: str) -> str:
        return str(sum(r.get(name) or 0 for r in row["rows"])) if row["rows"] else ""

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
                *(total(row, n) for n in ("party_branches", "platforms", "sessions_held", "problems_solved")),
            )
            for row in rows
        ],
    )


def plan(rows: Sequence[Row]) -> None:
    table(
        "将发出的信",
        [("时间", _NARROW), ("种类", _NARROW), ("收件人", _WIDE), ("主题", _WIDE)],
        [
            (
                minute(row["due_at"]),
                row["kind"],
                escape("、".join((*row["to"], *row["cc"]))),
                escape(row["subject"]),
            )
            for row in rows
        ],
    )


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
