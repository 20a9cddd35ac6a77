"""Forms as people fill them, made by chance with what they mean, so that every reading can be judged.

`python -m tests.fuzz.fillings SECONDS` fills and reads forms for that long and prints every silent error with its seed.
A silent error is a value that was read otherwise than it was meant, or that nobody can know, without a doubt said.
"""

from __future__ import annotations

import csv
import html
import io
import random
import re
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from parsers.content import Limits
from parsers.fields import normalise
from parsers.read import read
from parsers.values import Finding, FindingKind, Form, Reading, Severity, Value, Verdict
from tests.forms import office_files as office

LIMITS = Limits()
STYLES: Mapping[str, tuple[str, str]] = {
    "s": (office.STRIKE, "s"),
    "b": (office.BOLD, "b"),
    "u": (office.UNDERLINE, "u"),
}
"""Marks in a text, `{s|3}` for a struck 3: their properties in Word and their elements in HTML."""
STYLED = re.compile(r"\{([sbu])\|([^}]*)\}")


class Unknowable:
    """What a text means that must be asked about, whatever is read."""


UNKNOWABLE = Unknowable()
Meaning = Value | Unknowable
Written = tuple[str, Meaning]
Row = list[str]


@dataclass(frozen=True)
class Filling:
    """One filled form: its texts as they stand on it, and what they mean."""

    kind: str
    title: str
    head: Sequence[tuple[str, str]]
    headings: Sequence[str]
    rows: Sequence[Row]
    fields: Mapping[str, Meaning]
    items: Sequence[Mapping[str, Meaning]]

    @property
    def line(self) -> str:
        return "　　".join(f"{label}：{text}" for label, text in self.head)

    @property
    def styled(self) -> bool:
        return any(STYLED.search(text) for row in self.rows for text in row)


# ---------------------------------------------------------------- what people write

SCHOOLS = ("贵港市荷塘小学", "贵港市第三十一中学", "贵港市港北区榕湖幼儿园", "贵港市特殊教育学校")
PERSONS = ("覃小雨", "韦青山", "欧阳海燕", "莫和平", "陆及第", "李 明", "农　一", "黄 大 山")
PHONES = (
    ("13812345679", "13812345679"),
    ("138 1234 5679", "13812345679"),
    ("138-1234-5679", "13812345679"),
    ("１３８１２３４５６７９", "13812345679"),
    ("+86 13812345679", "13812345679"),
    ("0775-4567891", "0775-4567891"),
    ("（0775）4567891", "0775-4567891"),
    ("0775-4567891转802", "0775-4567891-802"),
)
DAYS: tuple[Written, ...] = (
    *((text, date(2022, 1, 4)) for text in ("2022年1月4日", "2022.1.4", "2022-01-04", "2022年 1 月 4 日")),
    *((text, date(2022, 1, 4)) for text in ("二〇二二年一月四日", "22.1.4", "20220104", "2022/1/4")),
    ("2022年1月", UNKNOWABLE),
    ("2022年13月4日", UNKNOWABLE),
)
UNITS = ("填报单位", "填报单位（盖章）", "填报学校", "单位（盖章）", "报送单位")
SIGNATURES = ("主要负责人签字", "主要负责人（签字）", "负责人签字")
PLATFORMS = ("建立“难点问题书记一线办”党建工作平台数", "建立平台数", "平台数")
SESSIONS = ("“难点问题书记一线办”举办次数", "举办次数", "开展次数")
SOLVED = ("解决问题数量", "解决问题数")
COUNTS = ("party_branches", "platforms", "sessions_held", "problems_solved")
FIGURES = "零一二三四五六七八九"
WIDE = str.maketrans("0123456789", "０１２３４５６７８９")
COUNT_STYLES: tuple[Callable[[int], Written], ...] = (
    lambda n: (str(n), n),
    lambda n: (str(n).translate(WIDE), n),
    lambda n: (FIGURES[n], n),
    lambda n: (f"{n}个", n),
    lambda n: (f"  {n} ", n),
    lambda n: (f"{n} 次", n),
    lambda n: (f"{n}。", n),
    lambda n: (f"{{s|{n + 1}}}{n}", n),
    lambda n: (f"{{s|{n}}}", UNKNOWABLE),
    lambda n: ("无", 0),
    lambda n: ("/", 0),
    lambda n: ("—", 0),
    lambda n: (f"约{n}", UNKNOWABLE),
    lambda n: (f"{n + 1}0余", UNKNOWABLE),
    lambda n: ("若干", UNKNOWABLE),
    lambda n: (f"{n}-{n + 2}", UNKNOWABLE),
    lambda n: (f"{n}、{n + 1}", UNKNOWABLE),
    lambda n: (f"{n}?", UNKNOWABLE),
    lambda n: (f"{n}.5", UNKNOWABLE),
    lambda n: (f"-{n + 1}", UNKNOWABLE),
)
PROBLEMS = ("围墙倒塌", "厕所老旧", "教师编制不足", "3号楼漏雨", "关于解决食堂用房的问题")
DETAILS = (
    "北侧围墙雨后倒塌12米。\n请求安排资金8万元。",
    "1.缺编5人；2.请求增加编制。",
    "现有学生1200人，厕位不足，请市局协调。",
    "（一）基本情况：校舍老旧。\n（二）诉求：请求支持20万元。",
    "□已整改 ☑未整改，请求支持",
)
REMARKS: tuple[Written, ...] = (
    ("", None),
    ("无", None),
    ("急", "急"),
    ("请于3月底前解决", "请于3月底前解决"),
)
SECTIONS = ("基建科", "人事科", "计划财务科", "安全稳定科", "基础教育科")
TICKS = (
    ("☑", "□"),
    ("√", "□"),
    ("■", "□"),
    ("☑", "☐"),
    ("[√]", "[ ]"),
    ("（√）", "（ ）"),
    ("√□", "□"),
    ("●", "○"),
)
SECRETARY, SECTION = "市委教育工委书记", "市局相关科室"


def _count(chance: random.Random) -> Written:
    number = chance.randint(0, 9)
    plainly = chance.random() < 0.5
    return COUNT_STYLES[0](number) if plainly else chance.choice(COUNT_STYLES)(number)


def _levels(chance: random.Random) -> tuple[str, Meaning, Meaning]:
    """The text of 反馈层级, and the levels and sections it means."""
    named = chance.sample(SECTIONS, chance.choice((1, 1, 2, 3)))
    names = chance.choice(("、", "，", " ", "；")).join(named)
    on, off = chance.choice(TICKS)
    first, second = chance.choice(((office.HINT_SECRETARY, office.HINT_SECTION), ("", "")))
    ways: tuple[tuple[str, Meaning, Meaning], ...] = (
        (f"{on}{SECRETARY}{first}\n{off}{SECTION}，具体是　　{second}", ("secretary",), ()),
        (f"{off}{SECRETARY}{first}\n{on}{SECTION}，具体是 {names} {second}", ("section",), tuple(named)),
        (
            f"{on}{SECRETARY}{first}\n{on}{SECTION}，具体是 {names} {second}",
            ("secretary", "section"),
            tuple(named),
        ),
        (f"{off}{SECRETARY}{first}\n{off}{SECTION}，具体是　　{second}", (), ()),
        (SECRETARY, ("secretary",), ()),
        (f"{SECTION}：{names}", ("section",), tuple(named)),
        (f"{SECRETARY}{first} √\n{SECTION}，具体是 {second}", ("secretary",), ()),
        (f"□{{b|{SECRETARY}}}\n□{SECTION}，具体是　　", UNKNOWABLE, ()),
        (f"□{SECRETARY}\n□{{u|{SECTION}，具体是{names}}}", UNKNOWABLE, UNKNOWABLE),
    )
    return chance.choice(ways)


def _contact(chance: random.Random) -> tuple[list[tuple[str, str]], dict[str, Meaning]]:
    name, (phone, number) = chance.choice(PERSONS), chance.choice(PHONES)
    ways: tuple[list[tuple[str, str]], ...] = (
        [("联系人及电话", f"{name}{phone}")],
        [("联系人及电话", f"{name} {phone}")],
        [("联系人", name), ("联系电话", phone)],
        [("联系人及电话", f"{name}（{phone}）")],
        [("联系人及联系电话", f"{name}，{phone}")],
        [("联系人及电话", f"{phone}（{name}）")],
    )
    return chance.choice(ways), {"contact_name": re.sub(r"\s", "", name), "contact_phone": number}


def filled(seed: int) -> Filling:
    """The form that chance fills from this seed."""
    chance = random.Random(seed)
    unit = chance.choice(SCHOOLS)
    contact, fields = _contact(chance)
    head = [(chance.choice(UNITS), unit)]
    fields["reporting_unit"] = unit
    made = _statistics if chance.random() < 0.5 else _problem_report
    return made(chance, unit, head, contact, fields)


def _statistics(
    chance: random.Random,
    unit: str,
    head: list[tuple[str, str]],
    contact: list[tuple[str, str]],
    fields: dict[str, Meaning],
) -> Filling:
    day, fields["reported_on"] = chance.choice(DAYS)
    head += [(chance.choice(("填报时间", "填报日期")), day), *contact]
    headings = [
        "单位名称",
        "党支部数",
        *(chance.choice(each) for each in (PLATFORMS, SESSIONS, SOLVED)),
        "备注",
    ]
    rows, items = [], []
    for number in range(chance.choice((1, 1, 2, 3))):
        name = unit if number == 0 else f"{unit}（{'东西南'[number]}校区）"
        counts = [_count(chance) for _ in COUNTS]
        remark, meant = chance.choice(REMARKS)
        rows.append([name, *(text for text, _ in counts), remark])
        means = dict(zip(COUNTS, (meaning for _, meaning in counts), strict=True))
        items.append({"unit": name, **means, "remarks": meant})
    return _numbered(
        chance, Filling("statistics", office.STATISTICS_TITLE, head, headings, rows, fields, items)
    )


def _problem_report(
    chance: random.Random,
    unit: str,
    head: list[tuple[str, str]],
    contact: list[tuple[str, str]],
    fields: dict[str, Meaning],
) -> Filling:
    principal = chance.choice(PERSONS)
    fields["principal"] = re.sub(r"\s", "", principal)
    head += [(chance.choice(SIGNATURES), principal), *contact]
    rows, items = [], []
    for problem in chance.sample(PROBLEMS, chance.choice((1, 1, 2, 3))):
        text, levels, sections = _levels(chance)
        details, (remark, meant) = chance.choice(DETAILS), chance.choice(REMARKS)
        rows.append([problem, details, text, remark])
        items.append(
            {
                "problem": problem,
                "details": details,
                "levels": levels,
                "sections": sections,
                "remarks": meant,
            }
        )
    headings = list(office.PROBLEM_HEADINGS)
    return _numbered(chance, Filling("problem_report", "难点问题报告表", head, headings, rows, fields, items))


def _numbered(chance: random.Random, filling: Filling) -> Filling:
    """The filling, sometimes with a column 序号."""
    if chance.random() > 0.2:
        return filling
    rows = [[str(number), *row] for number, row in enumerate(filling.rows, 1)]
    return Filling(
        filling.kind,
        filling.title,
        filling.head,
        ["序号", *filling.headings],
        rows,
        filling.fields,
        filling.items,
    )


# ---------------------------------------------------------------- on which paper


def _word_cell(text: str) -> office.C:
    """A cell of a Word table, its marked pieces with their properties."""
    blocks = []
    for line in text.split("\n"):
        runs: list[str | office.Xml] = []
        for at, piece in enumerate(STYLED.split(line)):
            if at % 3 == 0:
                runs.append(piece)
            elif at % 3 == 2:
                style = STYLED.split(line)[at - 1]
                runs.append(office.run(piece, STYLES[style][0]))
        blocks.append(office.paragraph(*runs))
    return office.C(blocks)


def _word_table(filling: Filling) -> office.Xml:
    return office.table(filling.headings, *([_word_cell(text) for text in row] for row in filling.rows))


def _docx_line(filling: Filling) -> bytes:
    return office.docx(filling.title, filling.line, _word_table(filling))


def _docx_lines(filling: Filling) -> bytes:
    return office.docx(
        filling.title, *(f"{label}：{text}" for label, text in filling.head), _word_table(filling)
    )


def _docx_cells(filling: Filling) -> bytes:
    flat = [text for pair in filling.head for text in pair]
    rows = [flat[at : at + 4] for at in range(0, len(flat), 4)]
    return office.docx(filling.title, office.table(*rows), _word_table(filling))


def _docx_vertical(filling: Filling) -> bytes:
    if len(filling.rows) > 1:
        return _docx_line(filling)
    pairs = [(label, _word_cell(text)) for label, text in zip(filling.headings, filling.rows[0], strict=True)]
    return office.docx(filling.title, office.table(*filling.head, *pairs))


def _xlsx_line(filling: Filling) -> bytes:
    head = tuple(f"{label}：{text}" for label, text in filling.head)
    return office.xlsx((filling.title,), head, tuple(filling.headings), *(tuple(row) for row in filling.rows))


def _xlsx_cells(filling: Filling) -> bytes:
    rows = (tuple(row) for row in filling.rows)
    return office.xlsx((filling.title,), *filling.head, tuple(filling.headings), *rows)


def _csv(filling: Filling) -> bytes:
    out = io.StringIO()
    head = [f"{label}：{text}" for label, text in filling.head]
    csv.writer(out).writerows([[filling.title], head, filling.headings, *filling.rows])
    return out.getvalue().encode("gb18030")


def _html_mail(filling: Filling) -> bytes:
    def shown(text: str) -> str:
        styled = STYLED.sub(lambda mark: f"<{STYLES[mark[1]][1]}>{mark[2]}</{STYLES[mark[1]][1]}>", text)
        return styled.replace("\n", "<br>")

    rows = "".join(
        "<tr>" + "".join(f"<td>{shown(text)}</td>" for text in row) + "</tr>"
        for row in (filling.headings, *filling.rows)
    )
    markup = (
        f"<p>您好，请查收。</p><p>{filling.title}</p><p>{html.escape(filling.line)}</p><table>{rows}</table>"
    )
    return _mail("html", f"<html><body>{markup}</body></html>")


def _text_mail(filling: Filling) -> bytes:
    lines = [filling.title, *(f"{label}：{text}" for label, text in filling.head)]
    for row in filling.rows:
        lines += [f"{label}：{text}" for label, text in zip(filling.headings, row, strict=True)]
    return _mail("plain", "老师您好：\n" + "\n".join(lines))


def _mail(subtype: str, text: str) -> bytes:
    head = (
        "From: hetang@example.com\nTo: djb@example.com\nSubject: report\nMIME-Version: 1.0\n"
        f"Content-Type: text/{subtype}; charset=utf-8\nContent-Transfer-Encoding: 8bit\n\n"
    )
    return (head + text).encode()


STYLED_PAPERS: Mapping[str, tuple[str, Callable[[Filling], bytes]]] = {
    "docx, head in a line": ("a.docx", _docx_line),
    "docx, head in lines": ("a.docx", _docx_lines),
    "docx, head in cells": ("a.docx", _docx_cells),
    "docx, upright": ("a.docx", _docx_vertical),
    "html mail": ("a.eml", _html_mail),
}
PAPERS: Mapping[str, tuple[str, Callable[[Filling], bytes]]] = {
    **STYLED_PAPERS,
    "xlsx, head in a line": ("a.xlsx", _xlsx_line),
    "xlsx, head in cells": ("a.xlsx", _xlsx_cells),
    "csv": ("a.csv", _csv),
    "text mail": ("a.eml", _text_mail),
}


# ---------------------------------------------------------------- how it was read


def judged(seed: int) -> list[str]:
    """The silent errors in reading the form of this seed."""
    filling = filled(seed)
    papers = STYLED_PAPERS if filling.styled else PAPERS
    paper = random.Random(-seed).choice(list(papers))
    name, made = papers[paper]
    reading = read(made(filling), name, LIMITS)
    return [f"seed {seed}, {paper}: {error}" for error in silent_errors(filling, reading)]


def silent_errors(filling: Filling, reading: Reading) -> list[str]:
    """Where what was read differs from what was meant, and nobody was told to look."""
    forms = [form for form in reading.forms if form.kind == filling.kind]
    if len(forms) != 1:
        silent = reading.verdict in {Verdict.COMPLETE, Verdict.NO_FORM}
        return [f"{len(forms)} forms, {reading.verdict}"] if silent else []
    (form,) = forms
    if len(form.items) != len(filling.items):
        told = any(finding.field.startswith(form.items_key) for finding in form.findings)
        return [] if told else [f"{len(form.items)} items instead of {len(filling.items)}"]
    return [
        f"{path} read as {got!r}, meant {'nothing certain' if meant is UNKNOWABLE else repr(meant)}"
        for path, meant, got in _compared(filling, form)
        if not _same(meant, got) and not any(_tells(finding, path, got) for finding in form.findings)
    ]


def _compared(filling: Filling, form: Form) -> list[tuple[str, Meaning, Value]]:
    pairs = [(name, meant, form.fields.get(name)) for name, meant in filling.fields.items()]
    for number, (meanings, item) in enumerate(zip(filling.items, form.items, strict=True)):
        at = f"{form.items_key}[{number}]"
        pairs += [(f"{at}.{name}", meant, item.get(name)) for name, meant in meanings.items()]
    return pairs


def _same(meant: Meaning, got: Value) -> bool:
    if isinstance(meant, str):
        return normalise(meant) == normalise(str(got or ""))
    return meant == got


def _tells(finding: Finding, path: str, got: Value) -> bool:
    """Whether somebody is told to look at the field; of a blank, whether it is said that it is one.

    A doubt about the item is about each of its fields, one about the levels also about their sections.
    """
    serious = finding.severity is Severity.ERROR or finding.kind is FindingKind.UNCERTAIN
    same = path.replace(".sections", ".levels") == finding.field.replace(".sections", ".levels")
    return (serious or got is None) and (same or path.startswith(finding.field + "."))


def main(seconds: float) -> int:
    """Fills and reads for so long; 1 if anything was misread in silence."""
    until, seed, found = time.monotonic() + seconds, random.SystemRandom().randrange(1 << 30), 0
    while time.monotonic() < until:
        for error in judged(seed):
            found += 1
            print(error)  # noqa: T201
        seed += 1
    return bool(found)


if __name__ == "__main__":
    sys.exit(main(float(sys.argv[1])))
