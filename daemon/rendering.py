"""A letter's words as subject, text and HTML, from the templates: one folder of mail_templates/ a kind.

A template is written once and set twice, as text and as HTML, so that both say the same.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from enum import Enum
from functools import cached_property
from pathlib import Path
from typing import Any, TypeVar, cast
from zoneinfo import ZoneInfo

import jinja2

from daemon import typesetting
from daemon.envelope import Rendered
from daemon.errors import Permanent
from daemon.letters import (
    LIGHT_NAMES,
    Answer,
    Fact,
    Figure,
    FileNote,
    HeldMail,
    Letter,
    Mend,
    Offer,
    Offers,
    ProblemLine,
    SchoolLine,
    SectionLoad,
)
from daemon.model import Light

PACKAGED = Path(__file__).resolve().parent.parent / "mail_templates"


@dataclass(frozen=True, slots=True)
class Letterhead:
    """Who writes: the office as it stands over and under every letter."""

    name: str
    phone: str
    address: str
    zone: ZoneInfo


class Templates:
    """The templates of all letters: the administrator's directory first, the packaged ones second."""

    def __init__(self, overrides: Path | None = None) -> None:
        self.directories = tuple(path for path in (overrides, PACKAGED) if path is not None)
        self._text = self._environment("txt", autoescape=False)
        self._html = self._environment("html", autoescape=True)
        self._found: dict[tuple[jinja2.Environment, str, str], jinja2.Template] = {}

    def render(self, letter: Letter, letterhead: Letterhead) -> Rendered:
        """The letter's words. Raises Permanent if a template is faulty; the message names its place."""
        shown = _cleaned(letter, letterhead.zone)
        values = {"letter": shown, "office": letterhead}
        folder = letter.kind.value
        try:
            subject = self._text.get_template(f"{folder}/subject.txt").render(values)
            text = self._body(self._text, folder, "txt").render(values)
            html = self._body(self._html, folder, "html").render(values)
        except jinja2.TemplateError as error:
            raise Permanent(_place(error, folder), "请修改模板，或删去该模板以恢复自带的模板") from error
        tag = f"[{letter.number}#{letter.code}] " if letter.number and letter.code else ""
        text, html = (words.replace(typesetting.LINE, " ").rstrip() + "\n" for words in (text, html))
        return Rendered(tag + typesetting.one_line(subject), text, html)

    def _body(self, environment: jinja2.Environment, folder: str, form: str) -> jinja2.Template:
        """The letter's own template for this form, or the one for both; looked for once."""
        wanted = environment, folder, form
        if wanted not in self._found:
            self._found[wanted] = environment.select_template([f"{folder}/body.{form}", f"{folder}/body.j2"])
        return self._found[wanted]

    def _environment(self, form: str, *, autoescape: bool) -> jinja2.Environment:
        environment = jinja2.Environment(
            loader=jinja2.FileSystemLoader(self.directories),
            autoescape=autoescape,  # noqa: S701 (on for HTML)
            undefined=jinja2.StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
            auto_reload=False,
            cache_size=-1,
        )
        environment.filters.update(FILTERS)
        environment.filters["paragraphs"] = PARAGRAPHS[form]
        environment.globals["layout"] = f"layout/page.{form}"
        environment.globals.update(GLOBALS)
        environment.globals["say"] = _Macros(environment, f"layout/macros.{form}")
        return environment


class _Macros:
    """The macros of a layout, loaded at first use: `say.table(…)` in a template."""

    def __init__(self, environment: jinja2.Environment, name: str) -> None:
        self._environment = environment
        self._name = name

    @cached_property
    def _module(self) -> Any:
        return self._environment.get_template(self._name).module

    def __getattr__(self, name: str) -> Any:
        return getattr(self._module, name)


def render(letter: Letter, letterhead: Letterhead, templates: Templates) -> Rendered:
    """The letter's words as subject, text and HTML. Raises Permanent if a template is faulty."""
    return templates.render(letter, letterhead)


T = TypeVar("T")


def _cleaned(value: T, zone: ZoneInfo) -> T:
    """The same value with every text bounded and free of control characters, moments in the office's zone."""
    if isinstance(value, str):
        return value if isinstance(value, Enum) else cast(T, typesetting.clean_text(value))
    if isinstance(value, datetime):
        return cast(T, value.astimezone(zone))
    if isinstance(value, tuple):
        return cast(T, tuple(_cleaned(part, zone) for part in value))
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        fields = {f.name: _cleaned(getattr(value, f.name), zone) for f in dataclasses.fields(value)}
        return cast(T, type(value)(**fields))
    return value


def _place(error: jinja2.TemplateError, folder: str) -> str:
    """Where a template is faulty, in Chinese."""
    if isinstance(error, jinja2.TemplateSyntaxError):
        return f"信件模板 {error.name or folder} 第 {error.lineno} 行有误：{error.message}"
    return f"信件模板 {folder} 有误：{error.message}"


FILTERS: Mapping[str, Any] = {
    "day": typesetting.chinese_date,
    "plain_day": typesetting.signature_date,
    "moment": typesetting.chinese_moment,
    "short": typesetting.short,
    "one_line": typesetting.one_line,
    "session": typesetting.session_name,
    "text_facts": typesetting.text_facts,
    "text_table": typesetting.text_table,
    "text_lines": typesetting.text_lines,
    "text_right": typesetting.text_right,
    "text_centred": typesetting.text_centred,
    "html_lines": typesetting.html_lines,
}


LIGHT_COLOURS: Mapping[Light, str] = {
    Light.NONE: "#3d7a3d",
    Light.BLUE: "#1f5fae",
    Light.YELLOW: "#b07a00",
    Light.RED: "#c01818",
}


SECTION_LEGEND = (
    ("已超时限", LIGHT_COLOURS[Light.RED]),
    ("节点逾期", LIGHT_COLOURS[Light.YELLOW]),
    ("临近时限", LIGHT_COLOURS[Light.BLUE]),
    ("正常", LIGHT_COLOURS[Light.NONE]),
)


def problem_rows(problems: Iterable[ProblemLine]) -> list[tuple[str, str, str]]:
    """Number, problem with its unit, and how it stands: what a list in a letter shows of each problem."""
    return [(line.number, f"{line.problem}（{line.unit}）", standing(line)) for line in problems]


def lead_rows(problems: Iterable[ProblemLine]) -> list[tuple[str, str, str]]:
    """Number, problem with its unit, and who leads: without lights, for invitations."""
    return [(line.number, f"{line.problem}（{line.unit}）", line.lead or "—") for line in problems]


OFFERED: Mapping[Offer, tuple[str, str]] = {
    Offer.ACCEPT: ("{} 签收", "受理的"),
    Offer.DECLINE: ("{} 退回:不属我科职责", "认为不属本科职责的，写明理由"),
    Offer.PLAN: ("{} 方案:拟联合交警部门增设护学岗", "报送工作方案"),
    Offer.MEASURE: ("{} 办结:已更换完毕", "由你科负责的任务措施已完成的，写明结果"),
    Offer.SHEET: ("", "任务措施完成的，也可在办理单“任务措施”表该项的“完成情况”栏填写，作为附件回复本信"),
    Offer.PROGRESS: ("{} 进展:已完成现场勘察", "报告办理进展"),
    Offer.EXTEND: ("{} 延期至 2022-03-30:施工招标公示期未满", "需要延期的，在到期前写明日期和理由"),
    Offer.COMPLETE: ("{} 办结:护学岗已到位", "办结的，写明结果"),
    Offer.REPORTED: ("{} 已报", "此前已经报告的，我办核对前不再催办"),
}


def offer_steps(offers: Offers) -> list[tuple[str, str]]:
    """An example of each answer that is offered, and what it is for."""
    return [(OFFERED[offer][0].format(number), OFFERED[offer][1]) for offer, number in offers]


def standing(line: ProblemLine, with_light: bool = True) -> str:
    """Who handles a problem until when, and how it stands."""
    pieces = (
        f"牵头：{line.lead}" if line.lead else None,
        f"时限：{typesetting.signature_date(line.deadline)}" if line.deadline else None,
        line.state,
        LIGHT_NAMES[line.light] if with_light and line.light is not Light.NONE else None,
        line.note,
    )
    return "；".join(piece for piece in pieces if piece) or "—"


def mend_rows(mends: Iterable[Mend]) -> list[tuple[str, str, str]]:
    """Number, fault and place, one row each."""
    return [(str(count), mend.text, mend.where or "—") for count, mend in enumerate(mends, 1)]


def file_rows(files: Iterable[FileNote]) -> list[tuple[str, str]]:
    """Name and reason, one row each."""
    return [(note.name, note.why) for note in files]


def answer_steps(answers: Iterable[Answer]) -> list[tuple[str, str]]:
    """The words of the answers with what they bring about, as an instruction block shows them."""
    return [(answer.words, answer.effect) for answer in answers]


def marked(facts: Iterable[Fact]) -> list[tuple[str, str]]:
    """Facts for plain text, what must be corrected said in words."""
    return [(fact.label, fact.shown + ("　←请补正" if fact.mend else "")) for fact in facts]


def measure_rows(measures: Iterable[tuple[str, str, date | None]]) -> list[tuple[str, str, str]]:
    """Measure, department, and the day it is due."""
    return [
        (measure, department or "—", typesetting.signature_date(due) if due else "—")
        for measure, department, due in measures
    ]


def held_rows(held: Iterable[HeldMail]) -> list[tuple[str, str, str]]:
    """Whose mail about what, why it is held, and since when."""
    return [
        (
            f"{mail.mail}　{mail.sender}：{typesetting.short(mail.subject)}",
            mail.why,
            typesetting.chinese_moment(mail.since),
        )
        for mail in held
    ]


def contact_rows(lines: Iterable[SchoolLine]) -> list[tuple[str, str, str]]:
    """A school, whom to call, and what is to be said of it."""
    return [
        (line.unit, " ".join(part for part in (line.contact, line.phone) if part) or "—", line.note or "—")
        for line in lines
    ]


def school_rows(lines: Iterable[SchoolLine], *names: str) -> list[tuple[str, ...]]:
    """A school and the named particulars."""
    return [(line.unit, *(getattr(line, name) or "—" for name in names)) for line in lines]


def figure_rows(figures: Iterable[Figure], last_time: str = "上期") -> list[tuple[str, str, str]]:
    """Label, figure, and the difference from last time."""
    return [(figure.label, str(figure.value), _difference(figure, last_time)) for figure in figures]


def _difference(figure: Figure, last_time: str) -> str:
    if figure.before is None:
        return "—"
    change = figure.value - figure.before
    return f"{last_time}{figure.before}，" + (
        "持平" if change == 0 else f"{'增加' if change > 0 else '减少'}{abs(change)}"
    )


def text_bars(rows: Iterable[tuple[str, int, Iterable[tuple[int, str]]]]) -> str:
    """Bars for plain text: a label, a bar of at most twenty blocks, the figure."""
    bars = [(label, total) for label, total, _ in rows]
    most = max((total for _, total in bars), default=0) or 1
    return typesetting.text_facts(
        (label, "■" * -(-total * 20 // most) + f" {total}") for label, total in bars
    )


def section_bars(sections: Iterable[SectionLoad]) -> list[tuple[str, int, list[tuple[int, str]]]]:
    """One bar a section: its open problems, parted by light."""
    return [
        (
            load.section,
            load.open,
            [
                (load.red, LIGHT_COLOURS[Light.RED]),
                (load.yellow, LIGHT_COLOURS[Light.YELLOW]),
                (load.blue, LIGHT_COLOURS[Light.BLUE]),
                (max(0, load.open - load.red - load.yellow - load.blue), LIGHT_COLOURS[Light.NONE]),
            ],
        )
        for load in sections
    ]


def figure_bars(figures: Iterable[Figure]) -> list[tuple[str, int, list[tuple[int, str]]]]:
    """One bar a figure."""
    return [(figure.label, figure.value, [(figure.value, LIGHT_COLOURS[Light.BLUE])]) for figure in figures]


REPLY_ABOVE = "回复请写在此线以上"
"""Stands between dashes over every letter; `parsers.own_words` takes all below it as quoted, whatever the
sender's mail program does to a quotation: no read-back of ours is taken for a new form or order."""


GLOBALS: Mapping[str, Any] = {
    "reply_above": REPLY_ABOVE,
    "LINE": typesetting.LINE,
    "light_names": LIGHT_NAMES,
    "light_colours": LIGHT_COLOURS,
    "problem_rows": problem_rows,
    "lead_rows": lead_rows,
    "standing": standing,
    "mend_rows": mend_rows,
    "file_rows": file_rows,
    "answer_steps": answer_steps,
    "offer_steps": offer_steps,
    "marked": marked,
    "measure_rows": measure_rows,
    "held_rows": held_rows,
    "contact_rows": contact_rows,
    "school_rows": school_rows,
    "section_legend": SECTION_LEGEND,
    "figure_rows": figure_rows,
    "text_bars": text_bars,
    "section_bars": section_bars,
    "figure_bars": figure_bars,
    "text_table": typesetting.text_table,
    "text_lines": typesetting.text_lines,
}


PARAGRAPHS: Mapping[str, Any] = {
    "txt": typesetting.text_paragraphs,
    "html": typesetting.html_paragraphs,
}
