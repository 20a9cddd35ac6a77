"""The circular (通报) of a statistics period as an official document, from its frozen figures. Pure.

Page, type and numbering follow GB/T 9704 as far as a school's printer has the fonts: A4, title in 小标宋
22 pt, text in 仿宋 16 pt on fixed lines of 28 pt, headings in 黑体, page number — 1 — below.
"""

from __future__ import annotations

import io
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any, Final

from docx import Document
from docx.enum.section import WD_ORIENT
from docx.enum.table import WD_TABLE_ALIGNMENT
from docx.enum.text import WD_ALIGN_PARAGRAPH, WD_LINE_SPACING
from docx.oxml import OxmlElement
from docx.oxml.ns import qn
from docx.shared import Mm, Pt

from daemon.clock import chinese_day
from daemon.documents import identify
from daemon.figures import Figures, SchoolFigures, Sum
from daemon.returns import COUNT_NAMES
from parsers.drafts import DRAFT_MARK

TITLE, BODY, FIRST_LEVEL = "方正小标宋简体", "仿宋", "黑体"
BODY_SIZE: Final = Pt(16)
LINE: Final = Pt(28)
_NOT_IN_XML: Final = re.compile("[\x00-\x08\x0b-\x1f\ufffe\uffff\ud800-\udfff]")


@dataclass(frozen=True, slots=True)
class OverdueMatter:
    """One thing about a problem that a section has missed in spite of its chases."""

    number: str
    problem: str
    section: str
    deadline: date | None
    days: int
    """Working days past the day by which it should have been done."""
    work: str = "办结"


@dataclass(frozen=True, slots=True)
class Paragraph:
    """One paragraph of the circular: `level` 0 is text, 1 a heading 一、."""

    text: str
    level: int = 0


def circular_title(figures: Figures) -> str:
    """关于2021年11月至12月“难点问题书记一线办”开展情况的通报."""
    return f"关于{figures.covers}“难点问题书记一线办”开展情况的通报"


def circular_paragraphs(figures: Figures, overdue: Sequence[OverdueMatter] = ()) -> tuple[Paragraph, ...]:
    """The words of the circular, for the document and for the letter that carries it."""
    opening = (
        "根据《关于建立“难点问题书记一线办”党建工作平台的方案》关于每两个月填报一次开展情况统计表的要求，"
        f"现将{figures.covers}各市直学校“难点问题书记一线办”开展情况通报如下。"
    )
    return (
        Paragraph(opening),
        Paragraph("一、报送情况", 1),
        *_filing(figures),
        Paragraph("二、开展情况", 1),
        *_activity(figures),
        Paragraph("三、存在问题", 1),
        *_shortcomings(figures, overdue),
        Paragraph("四、工作要求", 1),
        *_demands(figures, overdue),
    )


def addressees(overdue: Sequence[OverdueMatter]) -> str:
    """主送: the schools, and the sections if the circular names any."""
    return "各市直学校，市教育局有关科室：" if overdue else "各市直学校："


def _filing(figures: Figures) -> Iterator[Paragraph]:
    total = figures.total
    late = sum(school.in_directory for school in figures.late)
    text = f"截至{chinese_day(date.fromisoformat(figures.as_of[:10]))}，应报送学校 {total.expected} 所，"
    if total.filed == total.expected and not late:
        yield Paragraph(f"{text}全部按时报送。")
        return
    yield Paragraph(
        f"{text}已报送 {total.filed} 所，其中按时报送 {total.filed - late} 所、迟报 {late} 所；"
        f"{_not_filed(figures)}。"
    )


def _not_filed(figures: Figures) -> str:
    """How many have not filed, apart from those whose form or word is still being looked into."""
    kinds = (
        ("已来件、待补正", figures.to_mend),
        ("已来件或者声明已报、正在核实", figures.unverified),
    )
    others = "".join(f"；{what} {len(schools)} 所" for what, schools in kinds if schools)
    return f"未报送 {len(figures.silent)} 所{others}"


def _activity(figures: Figures) -> Iterator[Paragraph]:
    counts = figures.total.counts
    yield Paragraph(
        f"已报送学校共有党支部 {counts.party_branches} 个，建立“难点问题书记一线办”党建工作平台 {counts.platforms} 个；"
        f"{figures.covers}共举办“难点问题书记一线办”活动 {counts.sessions_held} 次，解决问题 {counts.problems_solved} 个。"
    )
    compared = [_compared(label, then, figures.total) for label, then in _thens(figures) if then is not None]
    if compared:
        yield Paragraph("；".join(compared) + "。")


def _thens(figures: Figures) -> tuple[tuple[str, Sum | None], ...]:
    return (("上期", figures.previous), ("上年同期", figures.last_year))


def _compared(label: str, then: Sum, now: Sum) -> str:
    sessions = _more_or_less(now.counts.sessions_held - then.counts.sessions_held, "次")
    solved = _more_or_less(now.counts.problems_solved - then.counts.problems_solved, "个")
    return f"与{label}（{then.filed} 所学校报送）相比，举办活动{sessions}，解决问题{solved}"


def _more_or_less(change: int, unit: str) -> str:
    if change == 0:
        return "持平"
    return f"{'增加' if change > 0 else '减少'} {abs(change)} {unit}"


def _shortcomings(figures: Figures, overdue: Sequence[OverdueMatter]) -> Iterator[Paragraph]:
    idle = [s for s in figures.schools if s.counts is not None and s.counts.sessions_held == 0]
    kinds: tuple[tuple[str, Iterable[str]], ...] = (
        ("未按要求报送的学校", _names(figures.silent)),
        ("已来件、尚未补正的学校", _names(figures.to_mend)),
        ("迟报的学校", _names(figures.late)),
        ("本期未开展活动的学校", _names(idle)),
        ("尚未建立校本级平台的学校", figures.without_platform),
    )
    found = False
    for label, names in kinds:
        named = list(names)
        if named:
            found = True
            yield Paragraph(f"{label}（{len(named)} 所）：{'、'.join(named)}。")
    if overdue:
        found = True
        yield Paragraph(f"经催办仍逾期未完成的难点问题办理事项（{len(overdue)} 项）：")
        yield from (Paragraph(_overdue_line(matter)) for matter in overdue)
    if not found:
        yield Paragraph("无。")


def _overdue_line(matter: OverdueMatter) -> str:
    limit = f"应于{chinese_day(matter.deadline)}前{matter.work}，" if matter.deadline else ""
    return (
        f"{matter.number}“{matter.problem}”（承办：{matter.section}），{limit}已逾期 {matter.days} 个工作日。"
    )


def _names(schools: Iterable[SchoolFigures]) -> list[str]:
    return [school.name for school in schools]


def _demands(figures: Figures, overdue: Sequence[OverdueMatter]) -> Iterator[Paragraph]:
    if figures.silent:
        yield Paragraph(
            "未报送的学校要立即填报《“难点问题书记一线办”开展情况统计表》，并查找原因，杜绝再次漏报。"
        )
    if figures.to_mend:
        yield Paragraph("尚未补正的学校要对照退回的表格，尽快补正报送。")
    if figures.without_platform:
        yield Paragraph("尚未建立平台的学校要参照方案，尽快建立校本级“难点问题书记一线办”工作平台。")
    if overdue:
        yield Paragraph(
            "有关承办科室要对照逾期事项逐项查明原因，抓紧办理；确需延期的，及时提出申请并说明理由。"
        )
    yield Paragraph(
        "各学校党组织书记要切实履行第一责任人职责，常态化开展“难点问题书记一线办”活动，每月开展一次，"
        "每两个月按时如实填报一次；对本校无法解决的难点问题，及时填写《难点问题报告表》报告。"
    )


# --- the document -------------------------------------------------------------------------------------


def circular_document(
    figures: Figures,
    office: str,
    day: date,
    overdue: Sequence[OverdueMatter] = (),
    *,
    draft: str | None = None,
) -> bytes:
    """The docx of the circular, with the table of all schools as its annex. `draft`: the identity of a draft."""
    document = Document()
    identify(document, draft)
    _page(document.sections[0])
    if draft:
        _paragraph(document, DRAFT_MARK, FIRST_LEVEL, indent=False)
    _title(document, circular_title(figures))
    _paragraph(document, addressees(overdue), BODY, indent=False)
    for paragraph in circular_paragraphs(figures, overdue):
        written = _paragraph(document, paragraph.text, (BODY, FIRST_LEVEL)[paragraph.level])
        written.paragraph_format.keep_with_next = paragraph.level > 0
    _together(_paragraph(document, "", BODY))
    _together(_paragraph(document, "附件：“难点问题书记一线办”开展情况汇总表", BODY))
    _signature(document, office, day)
    _annex(document, figures)
    out = io.BytesIO()
    document.save(out)
    return out.getvalue()


def _page(section: Any) -> None:
    section.page_width, section.page_height = Mm(210), Mm(297)
    section.top_margin, section.bottom_margin = Mm(37), Mm(35)
    section.left_margin, section.right_margin = Mm(28), Mm(26)
    section.footer_distance = Mm(25)
    paragraph = section.footer.paragraphs[0]
    paragraph.alignment = WD_ALIGN_PARAGRAPH.CENTER
    _run(paragraph, "— ", "宋体", Pt(14))
    run = _run(paragraph, "", "宋体", Pt(14))
    for kind in ("begin", None, "end"):
        run._r.append(_field_character(kind) if kind else _field_code())
    _run(paragraph, " —", "宋体", Pt(14))


def _field_character(kind: str) -> Any:
    element = OxmlElement("w:fldChar")
    element.set(qn("w:fldCharType"), kind)
    return element


def _field_code() -> Any:
    element = OxmlElement("w:instrText")
    element.set(qn("xml:space"), "preserve")
    element.text = " PAGE "
    return element


def _run(paragraph: Any, text: str, font: str, size: Any, *, bold: bool = False) -> Any:
    run = paragraph.add_run(_NOT_IN_XML.sub("", text))
    run.font.name, run.font.size, run.font.bold = font, size, bold
    run._r.get_or_add_rPr().get_or_add_rFonts().set(qn("w:eastAsia"), font)
    return run


def _paragraph(document: Any, text: str, font: str, *, indent: bool = True) -> Any:
    paragraph = document.add_paragraph()
    layout = paragraph.paragraph_format
    layout.line_spacing_rule, layout.line_spacing = WD_LINE_SPACING.EXACTLY, LINE
    layout.space_before = layout.space_after = Pt(0)
    if indent:
        layout.first_line_indent = BODY_SIZE * 2
    _run(paragraph, text, font, BODY_SIZE)
    return paragraph


def _title(document: Any, text: str) -> None:
    for line in _title_lines(text):
        paragraph = document.add_paragraph()
        paragraph.alignment = WD_ALIGN_PARAGRAPH.CENTER
        layout = paragraph.paragraph_format
        layout.line_spacing_rule, layout.line_spacing = WD_LINE_SPACING.EXACTLY, Pt(33)
        layout.space_before, layout.space_after = Pt(0), Pt(0)
        layout.keep_with_next = True
        _run(paragraph, line, TITLE, Pt(22))
    _paragraph(document, "", BODY)


def _title_lines(text: str) -> tuple[str, ...]:
    """The title, broken where a reader would break it: before the name of the activity."""
    head, found, tail = text.partition("“")
    return (head, found + tail) if found and len(text) > 20 else (text,)


def _together(paragraph: Any) -> None:
    """Keep a paragraph on the page of the next one: a signature or its day never stands on a page alone."""
    paragraph.paragraph_format.keep_with_next = True


def _signature(document: Any, office: str, day: date) -> None:
    _together(_paragraph(document, "", BODY))
    _together(_paragraph(document, "", BODY))
    written = chinese_day(day)
    # The date stands four characters from the edge, the shorter of name and date centred on the other.
    overhang = max(0, len(office) - len(written) * 3 // 4)
    for text, right in ((office, max(1, 4 - overhang // 2)), (written, 4)):
        paragraph = _paragraph(document, text, BODY, indent=False)
        paragraph.alignment = WD_ALIGN_PARAGRAPH.RIGHT
        paragraph.paragraph_format.right_indent = BODY_SIZE * right
        paragraph.paragraph_format.keep_together = True
        paragraph.paragraph_format.keep_with_next = text is office


ANNEX_WIDTHS: Final = (Mm(14), Mm(78), Mm(26), Mm(30), Mm(26), Mm(32), Mm(27))


def _annex(document: Any, figures: Figures) -> None:
    section = document.add_section()
    section.orientation = WD_ORIENT.LANDSCAPE
    section.page_width, section.page_height = Mm(297), Mm(210)
    section.top_margin = section.bottom_margin = Mm(25)
    section.left_margin = section.right_margin = Mm(30)
    section.footer_distance = Mm(15)
    _paragraph(document, "附件", FIRST_LEVEL, indent=False)
    heading = document.add_paragraph()
    heading.alignment = WD_ALIGN_PARAGRAPH.CENTER
    _run(heading, "“难点问题书记一线办”开展情况汇总表", TITLE, Pt(18))
    lines = [("序号", "单位名称", *COUNT_NAMES.values(), "报送情况")]
    lines += [_annex_line(number, school) for number, school in enumerate(figures.schools, start=1)]
    lines.append(("", "合计", *map(str, figures.total.counts.values), ""))
    table = document.add_table(rows=len(lines), cols=len(ANNEX_WIDTHS), style="Table Grid")
    table.alignment, table.autofit = WD_TABLE_ALIGNMENT.CENTER, False
    for column, width in zip(table.columns, ANNEX_WIDTHS, strict=True):
        column.width = width
    for number, (row, line) in enumerate(zip(table.rows, lines, strict=True)):
        _annex_row(row, line, bold=number in (0, len(lines) - 1))
    repeated = OxmlElement("w:tblHeader")
    table.rows[0]._tr.get_or_add_trPr().append(repeated)


def _annex_line(number: int, school: SchoolFigures) -> tuple[str, ...]:
    if school.counts is None:
        return (str(number), school.name, "", "", "", "", "未报")
    return (str(number), school.name, *map(str, school.counts.values), "迟报" if school.late else "按时")


def _annex_row(row: Any, line: Sequence[str], *, bold: bool) -> None:
    cannot_split = OxmlElement("w:cantSplit")
    row._tr.get_or_add_trPr().append(cannot_split)
    for column, (cell, text, width) in enumerate(zip(row.cells, line, ANNEX_WIDTHS, strict=True)):
        cell.width = width
        paragraph = cell.paragraphs[0]
        paragraph.alignment = (
            WD_ALIGN_PARAGRAPH.LEFT if column == 1 and not bold else WD_ALIGN_PARAGRAPH.CENTER
        )
        paragraph.paragraph_format.space_after = Pt(0)
        _run(paragraph, text, "宋体", Pt(11), bold=bold)
