"""`djb show`: everything about one problem, period, session, mail or letter, for an administrator to read."""

from __future__ import annotations

import email
import email.policy
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import date, datetime
from email.message import EmailMessage
from typing import Any

from rich import box
from rich.console import Console, RenderableType
from rich.markup import escape
from rich.panel import Panel
from rich.table import Table
from rich.text import Text
from sqlalchemy.orm import Session

from daemon import display, events
from daemon.config import Config
from daemon.lights import light_at
from daemon.model import (
    ON_SITE_OUTCOME_NAMES,
    Disposition,
    LetterKind,
    ReturnState,
    Source,
    State,
)
from daemon.periods import Timeline
from daemon.rules import statistics_rules, working_calendar
from daemon.store import lists, overview, questions, tables
from daemon.store.engine import Store

Rows = Iterable[tuple[str, str | None]]

LEVELS = {"secretary": "市委教育工委书记", "section": "市局相关科室"}
SATISFACTION = {"satisfied": "满意", "mostly_satisfied": "基本满意", "dissatisfied": "不满意"}
MAIL_KINDS = {
    "person": "来信",
    "auto_reply": "自动回复",
    "bounce": "退信",
    "recall": "撤回通知",
    "list": "群发邮件",
    "self": "本邮箱发出",
}
OUTCOMES = {
    "accepted": "[green]已登记[/]",
    "returned": "[yellow]已退回补正[/]",
    "held": "[yellow]待核实[/]",
    "superseded": "[dim]已被新版替代[/]",
    "set_aside": "[dim]已搁置[/]",
}
OTHER_EVENTS: Mapping[str, str] = {
    "received": "收到",
    "amended": "更新",
    "released": "核实放行",
    "version_held": "新版待核实",
    "version_returned": "新版退回补正",
    "address_learned": "记住邮箱",
    "answered": "工委办答复",
    "set_aside": "搁置",
    "needs_correction": "退回补正",
    "letter_not_written": "无法写信",
    "return_accepted": "报送",
    "return_late": "迟报",
    "return_held": "待核实",
    "return_returned": "退回补正",
    "frozen": "数据封存",
    "opened": "开始",
    "step_skipped": "不再进行",
    "summed_again": "重新汇总",
    "circular_sent": "通报发出",
    "circular_replaced": "通报更换",
    "chosen": "书记选定",
    "confirmed": "工委办确认",
    "not_confirmed": "未予确认",
    "readback_right": "书记核对无误",
    "choice_questioned": "选定有疑问",
    "replayed": "重新读取",
}
"""Names of what is recorded outside of `daemon.events`."""


def show(store: Store, config: Config, number: str, now: datetime) -> int:
    """Print all that is known of a number; 1 if nothing is."""
    wanted = number.strip()
    out = display.console()
    with store.reading() as session:
        for pattern, picture in KINDS:
            if found := pattern.fullmatch(wanted):
                parts = picture(session, config, found[1].upper(), now)
                break
        else:
            return _unknown(f"看不懂的编号：{wanted}。{EXPECTED}")
        if parts is None:
            return _unknown(f"没有 {wanted}。{_where_to_look(wanted)}")
        for part in parts:
            out.print(part)
    return 0


EXPECTED = "应为问题 ND-2022-013、统计期 TJ-2022-01、会期 QC-2022-01、请示 WT-2022-001、来信的序号 17，或信件 letter:9"


def _where_to_look(number: str) -> str:
    command = {"N": "problems", "T": "returns", "l": "letters", "W": "letters", "Q": "problems"}.get(
        number[:1], "mail"
    )
    return f"用 djb {command} 查看有哪些"


def _unknown(text: str) -> int:
    Console(stderr=True, highlight=False).print(Text(text), soft_wrap=True)
    return 1


# ------------------------------------------------------------------------------------------------ pieces


def _card(title: str, rows: Rows, colour: str = "cyan") -> RenderableType:
    """Name and value, line by line; what is empty is left out."""
    grid = Table.grid(padding=(0, 2))
    grid.add_column(style="cyan", no_wrap=True)
    grid.add_column(overflow="fold")
    for name, value in rows:
        if value:
            grid.add_row(name, value)
    return Panel(grid, title=f"[bold]{title}[/]", title_align="left", border_style=colour)


def _table(
    title: str, columns: Sequence[tuple[str, Mapping[str, Any]]], rows: Iterable[Sequence[RenderableType]]
) -> Iterator[RenderableType]:
    """A table with its title; nothing for no rows."""
    shown = Table(title=title, title_justify="left", box=box.SIMPLE_HEAD, pad_edge=False)
    for name, options in columns:
        shown.add_column(name, **options)
    for row in rows:
        shown.add_row(*row)
    if shown.row_count:
        yield shown


NARROW: Mapping[str, Any] = {"no_wrap": True}
WIDE: Mapping[str, Any] = {"overflow": "fold"}


def _moment(config: Config, moment: datetime | None) -> str:
    return f"{moment.astimezone(config.zone):%Y-%m-%d %H:%M}" if moment else ""


def _day(day: date | None) -> str:
    return day.isoformat() if day else ""


def _history(
    config: Config, history: Iterable[tables.Event], about: bool = False
) -> Iterator[RenderableType]:
    columns = [
        ("时间", NARROW),
        *([("事项", WIDE)] if about else []),
        ("经过", NARROW),
        ("谁", WIDE),
        ("说明", WIDE),
    ]
    yield from _table(
        "经过",
        columns,
        (
            (
                _moment(config, row.at),
                *([escape(_about(row.about))] if about else []),
                _event(row),
                escape(_who(row)),
                escape(row.text or ""),
            )
            for row in history
        ),
    )


def _about(name: str) -> str:
    """What a line of history is about: 贵港市达观中学 for TJ-2022-01/贵港市达观中学, 来信17 for mail:17."""
    kind, colon, number = name.partition(":")
    if colon:
        return ABOUT.get(kind, kind) + number
    return name.rpartition("/")[2]


ABOUT = {"mail": "来信", "unit": "单位", "letter": "信件"}


def _event(row: tables.Event) -> str:
    name = EVENT_NAMES.get(row.event, row.event)
    return f"{name} [dim](来信{row.mail_id})[/]" if row.mail_id else name


def _who(row: tables.Event) -> str:
    return {"djb": "系统", "admin": "管理员"}.get(row.by, row.by)


def _all_events(kind: type[events.Event] = events.Event) -> Iterator[type[events.Event]]:
    for each in kind.__subclasses__():
        yield each
        yield from _all_events(each)


EVENT_NAMES: Mapping[str, str] = {**OTHER_EVENTS, **{e.name: e.chinese for e in _all_events() if e.chinese}}


def _letters(config: Config, letters: Iterable[tables.Letter]) -> Iterator[RenderableType]:
    yield from _table(
        "信件",
        [
            ("序号", NARROW),
            ("种类", NARROW),
            ("收件人", WIDE),
            ("主题", WIDE),
            ("状态", NARROW),
            ("时间", NARROW),
        ],
        (
            (
                str(row.id),
                LetterKind(row.kind).chinese,
                escape("、".join((*row.to, *row.cc))),
                escape(display.titled(row.subject)),
                display.LETTER_STATES[row.state] + (f" {escape(row.error)}" if row.error else ""),
                _moment(config, row.sent_at or row.due_at),
            )
            for row in letters
        ),
    )


def _filings(session: Session, filings: Iterable[tables.Filing]) -> Iterator[RenderableType]:
    """The forms of a mail as they were read, with what is doubtful, and the files themselves."""
    from daemon.reading_report import form_picture
    from daemon.stored_forms import stored_form

    for row in filings:
        unit = questions.unit(session, row.unit_id) if row.unit_id else None
        document = (
            f"，原件 {escape(row.document_name)} {len(row.document) // 1024 + 1} KB"
            if row.document and row.document_name
            else ""
        )
        yield Text.from_markup(
            f"{OUTCOMES.get(row.outcome, row.outcome)}  {escape(unit.name) if unit else '（单位未定）'}"
            f"  第{row.version}版{document}"
        )
        yield form_picture(stored_form(row))


# ------------------------------------------------------------------------------------------- one problem


def _problem(session: Session, config: Config, number: str, now: datetime) -> list[RenderableType] | None:
    row = questions.problem(session, number)
    if row is None:
        return None
    value = next(p for p in lists.problems(session, config.zone, light_at(session, config, now), number))
    parts: list[RenderableType] = [
        _card(f"{number}  {escape(row.problem or '（未填）')}", _problem_rows(session, config, row, value))
    ]
    if row.handling:
        parts.append(
            _card("办理单", [(name, escape(str(text))) for name, text in row.handling.items()], "blue")
        )
    parts += _measures(row.measures)
    filing = session.get(tables.Filing, row.filing_id) if row.filing_id else None
    if filing is not None:
        parts += _findings(filing.findings)
    parts += _history(config, questions.events_of(session, number))
    parts += _letters(config, questions.letters_about(session, number))
    return parts


def _problem_rows(session: Session, config: Config, row: tables.Problem, value: Mapping[str, Any]) -> Rows:
    light = display.LIGHT_SIGNS.get(value["light"], "")
    yield "状态", f"[bold]{State(row.state).chinese}[/]（{_moment(config, row.state_since)} 起）  {light}"
    yield "填报单位", escape(row.reporting_unit)
    yield "来源", Source(row.source).chinese
    yield "具体内容及诉求", escape(row.details)
    yield "反馈层级", "、".join(LEVELS.get(str(level), str(level)) for level in row.levels)
    yield "涉及科室", escape("、".join(row.sections_asked))
    yield "备注", escape(row.remarks or "")
    yield (
        "收到",
        f"{_moment(config, row.received_at)}" + (f"，现为第{row.version}版" if row.version > 1 else ""),
    )
    yield "承办", escape(value["lead_section"] or "")
    yield "协办", escape("、".join(value["assist_sections"]))
    yield "办结时限", _day(row.deadline)
    yield "会期", row.session
    yield "书记批示", escape(row.instruction or "")
    outcomes = {outcome.value: name for outcome, name in ON_SITE_OUTCOME_NAMES.items()}
    yield (
        "一线办理",
        " ".join(filter(None, (_day(row.on_site_date), outcomes.get(row.on_site_outcome or "", "")))),
    )
    yield "办结", "工委办已同意" if row.office_agreed else None
    yield "学校评价", SATISFACTION.get(row.satisfaction or "", "")
    yield "销号", _moment(config, row.closed_at)
    yield "并入", row.merged_into
    yield "同类问题", escape("；".join(_similar(one) for one in row.similar))
    mail = questions.mail(session, row.mail_id) if row.mail_id else None
    yield "来信", f"{mail.id}（{escape(mail.sender)}）：djb show {mail.id}" if mail else None


def _similar(one: Any) -> str:
    return f"{one['number']}（{one['why']}）" if isinstance(one, dict) and one.get("why") else str(one)


def _measures(measures: Iterable[tables.Measure]) -> Iterator[RenderableType]:
    yield from _table(
        "任务措施",
        [("任务措施", WIDE), ("责任部门", WIDE), ("完成时限", NARROW), ("完成情况", WIDE)],
        (
            (
                escape(row.measure),
                escape(row.department),
                _day(row.deadline),
                ("[green]✓[/] " if row.done else "") + escape(row.completion or ""),
            )
            for row in measures
        ),
    )


def _findings(findings: Iterable[Mapping[str, Any]]) -> Iterator[RenderableType]:
    yield from _table(
        "读表时的疑问",
        [("", NARROW), ("疑问", WIDE), ("位置", NARROW)],
        (
            (
                "[red]✗[/]" if finding["severity"] == "error" else "[yellow]![/]",
                escape(finding["text"]),
                escape(finding.get("where") or ""),
            )
            for finding in findings
        ),
    )


# ------------------------------------------------------------------------------------ one period, one session


def _period(session: Session, config: Config, number: str, _: datetime) -> list[RenderableType] | None:
    row = questions.period(session, number)
    rules, calendar = statistics_rules(config), working_calendar(config)
    try:
        period = Timeline(rules, calendar, {number: row.due} if row else {}).period(number)
    except ValueError:
        return None
    returns = lists.returns(session, config.zone, number, period.due)
    if row is None and not any(r["version"] for r in returns) and period.due.month not in rules.due_months:
        return None
    counts = [(state.chinese, sum(r["state"] == state.value for r in returns)) for state in ReturnState]
    parts: list[RenderableType] = [
        _card(
            f"{number}  {period.covers_in_chinese}统计表",
            [
                ("报送截止", period.due.isoformat()),
                ("填报通知", f"{period.opening}  提醒 {period.reminder}"),
                ("催报", f"{period.chases[0]}、{period.chases[1]}  未报名单 {period.missing_list}"),
                (
                    "封存",
                    _moment(config, row.frozen_at) if row and row.frozen_at else f"{period.freeze}（预计）",
                ),
                ("报送情况", "  ".join(f"{name} {count}" for name, count in counts if count)),
            ],
        )
    ]
    filed = [r for r in returns if r["version"]]
    parts += _table(
        "各单位",
        [
            *(("单位", WIDE), ("状态", NARROW), ("版", NARROW), ("收到", NARROW)),
            *((name, {"justify": "right", "no_wrap": True}) for name in ("党支部", "平台", "举办", "解决")),
            ("疑问", WIDE),
        ],
        (
            (
                escape(r["unit"] or ""),
                ReturnState(r["state"]).chinese,
                str(r["version"]),
                display.minute(r["received_at"])[5:],
                *(display.total(r, name) for name in display.COUNTS),
                escape("；".join(f["text"] for f in r["findings"])),
            )
            for r in filed
        ),
    )
    missing = [r["unit"] for r in returns if not r["version"]]
    if missing and filed:
        parts.append(_card(f"未报（{len(missing)}）", [("", escape("、".join(missing)))], "yellow"))
    parts += _history(config, overview.events_beginning(session, number), about=True)
    parts += _letters(config, questions.letters_about(session, number))
    return parts


def _session(session: Session, config: Config, number: str, _: datetime) -> list[RenderableType] | None:
    from daemon.sessions import STAGE_NAMES, Stage

    row = questions.session_by_code(session, number)
    if row is None:
        return None
    chosen = {str(key): value for key, value in row.choice.items() if value}
    problems = questions.problem_rows(session, [str(n) for n in row.list_numbers])
    parts: list[RenderableType] = [
        _card(
            number,
            [
                ("阶段", STAGE_NAMES.get(Stage(row.stage), row.stage)),
                ("开期", _moment(config, row.opened_at)),
                ("一线办理日期", _day(row.on_site_date)),
                ("清单", f"{len(row.list_numbers)} 件，第{row.version}版"),
                ("选择", escape("；".join(f"{key}：{_plain(value)}" for key, value in chosen.items()))),
            ],
        )
    ]
    parts += _table(
        "问题清单",
        [("序号", NARROW), ("编号", NARROW), ("单位", WIDE), ("难点问题", WIDE), ("状态", NARROW)],
        (
            (str(place), p.number, escape(p.reporting_unit), escape(p.problem), State(p.state).chinese)
            for place, p in enumerate(problems, start=1)
        ),
    )
    parts += _history(config, questions.events_of(session, number))
    parts += _letters(config, questions.letters_about(session, number))
    return parts


def _plain(value: Any) -> str:
    return "、".join(map(str, value)) if isinstance(value, list | tuple) else str(value)


def _question(session: Session, config: Config, number: str, _: datetime) -> list[RenderableType] | None:
    letters = questions.letters_about(session, number)
    if not letters:
        return None
    parts: list[RenderableType] = []
    for letter in letters:
        asked = questions.question(session, letter.context.get("question", 0))
        if asked is not None:
            parts.append(_card(number, _question_rows(config, asked)))
    return [*parts, *_letters(config, letters)]


def _question_rows(config: Config, asked: tables.Question) -> Rows:
    yield "请示", f"{_moment(config, asked.asked_at)}  {escape(asked.text)}"
    yield "建议", escape(asked.suggestion or "")
    answer = f"{escape(asked.answer or '')}（{_moment(config, asked.answered_at)}，{escape(asked.answered_by or '')}）"
    yield "答复", answer if asked.answered_at else "[yellow]还没有答复[/]"


# ----------------------------------------------------------------------------------- one mail, one letter


def _mail(session: Session, config: Config, number: str, _: datetime) -> list[RenderableType] | None:
    row = questions.mail(session, int(number)) if len(number) < 10 else None
    if row is None:
        return None
    unit = questions.unit(session, row.unit_id) if row.unit_id else None
    style = display.DISPOSITION_STYLES.get(row.disposition, "")
    archive = f"{row.sha256[:2]}/{row.sha256}.eml" if row.sha256 else None
    rows = [
        ("去向", f"[bold {style}]{Disposition(row.disposition).chinese}[/]"),
        ("说明", escape(row.reason or "")),
        ("发件人", escape(row.sender) + (f"（{escape(unit.name)}）" if unit else "")),
        ("收到", _moment(config, row.received_at)),
        ("类别", MAIL_KINDS.get(row.kind or "", row.kind)),
        ("办理", _moment(config, row.handled_at)),
        ("邮箱位置", f"{escape(row.folder)}  UID {row.uid}  {row.size // 1024 + 1} KB"),
        ("Message-ID", escape(row.message_id or "")),
        ("档案", str(config.store.archive / archive) if archive else "（没有取回原件）"),
    ]
    parts: list[RenderableType] = [_card(f"来信 {row.id}  {escape(row.subject or '（无主题）')}", rows)]
    if row.text and row.text.strip():
        parts.append(
            Panel(Text(row.text.strip()), title="来信人所写", title_align="left", border_style="dim")
        )
    for asked in questions.questions_of_mail(session, row.id):
        parts.append(_card("向工委办请示", _question_rows(config, asked), "yellow"))
    parts += _filings(session, questions.filings_of(session, row.id))
    history = {
        e.id: e
        for e in (*questions.events_of_mail(session, row.id), *questions.events_of(session, f"mail:{row.id}"))
    }
    parts += _history(config, [history[key] for key in sorted(history)], about=True)
    parts += _letters(config, questions.answers_to(session, row.id))
    if row.trouble:
        parts.append(Panel(Text(row.trouble), title="出错记录", title_align="left", border_style="red"))
    return parts


def _letter(session: Session, config: Config, number: str, _: datetime) -> list[RenderableType] | None:
    row = questions.letter(session, int(number)) if len(number) < 10 else None
    if row is None:
        return None
    message = email.message_from_bytes(row.raw, policy=email.policy.default)
    assert isinstance(message, EmailMessage)
    body = message.get_body(("plain",))
    files = [str(part.get_filename()) for part in message.iter_attachments()]
    rows = [
        ("种类", LetterKind(row.kind).chinese),
        ("收件人", escape("、".join(row.to))),
        ("抄送", escape("、".join(row.cc))),
        ("关于", escape("、".join(row.about))),
        ("应发", _moment(config, row.due_at)),
        ("答复来信", str(row.mail_id) if row.mail_id else None),
        ("Message-ID", escape(row.message_id)),
        ("附件", escape("、".join(files))),
    ]
    parts: list[RenderableType] = [_card(f"信件 {row.id}  {escape(row.subject)}", rows)]
    parts += _table(
        "投递",
        [("邮箱", WIDE), ("状态", NARROW), ("次数", NARROW), ("时间", NARROW), ("说明", WIDE)],
        (
            (
                escape(d.address),
                DELIVERY_STATES.get(d.state, d.state),
                str(d.attempts),
                _moment(config, d.sent_at or d.next_at),
                escape(d.error or ""),
            )
            for d in row.deliveries
        ),
    )
    if body is not None:
        parts.append(Panel(Text(str(body.get_content()).strip()), title="正文", title_align="left"))
    return parts


DELIVERY_STATES: Mapping[str, str] = {
    "queued": "待发",
    "sending": "正在发",
    "sent": "[green]已发[/]",
    "failed": "[red]失败[/]",
    "cancelled": "[dim]取消[/]",
    "bounced": "[red]退信[/]",
}

Picture = Callable[[Session, Config, str, datetime], list[RenderableType] | None]

KINDS: Sequence[tuple[re.Pattern[str], Picture]] = (
    (re.compile(r"(ND-\d{4}-\d+)", re.I), _problem),
    (re.compile(r"(TJ-\d{4}-\d{2})", re.I), _period),
    (re.compile(r"(QC-\d{4}-\d+)", re.I), _session),
    (re.compile(r"(WT-\d{4}-\d+)", re.I), _question),
    (re.compile(r"letter:(\d+)", re.I), _letter),
    (re.compile(r"(?:mail:)?(\d+)", re.I), _mail),
)
"""How each kind of number is written, and who shows it."""
