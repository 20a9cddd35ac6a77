"""Digits above the line, hidden text and letters in the colour of the paper: none is read in silence."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from openpyxl.cell.rich_text import CellRichText, TextBlock
from openpyxl.cell.text import InlineFont
from openpyxl.styles import Font, PatternFill

from tests.forms import office_files as o, reading

ROW = (o.UNIT, "3", "1", "2", "5", "")
COUNT = "rows[0].party_branches"
STYLES = (
    f'<w:styles xmlns:w="{o.W}"><w:style w:type="character" w:styleId="a5"><w:rPr>'
    '<w:vertAlign w:val="superscript"/></w:rPr></w:style></w:styles>'
).encode()


def shown_in_word(cell: o.Xml, **others: Any) -> Any:
    row = (o.UNIT, cell, *ROW[2:])
    blocks = (o.STATISTICS_TITLE, o.STATISTICS_HEAD, o.table(o.STATISTICS_HEADINGS, row), o.STATISTICS_NOTE)
    return reading.only(reading.of_word(o.docx("附件2", *blocks, **others)))


@pytest.mark.parametrize(
    ("properties", "others"),
    [
        ('<w:vertAlign w:val="superscript"/>', {}),
        ('<w:vertAlign w:val="subscript"/>', {}),
        ('<w:position w:val="8"/>', {}),
        ('<w:rStyle w:val="a5"/>', {"extra": {"word/styles.xml": STYLES}}),
    ],
)
def test_a_digit_above_the_line_in_word_is_no_digit_of_the_count(
    properties: str, others: dict[str, Any]
) -> None:
    form = shown_in_word(o.paragraph("3", o.run("2", properties)), **others)
    assert form.items[0]["party_branches"] == 3
    assert COUNT in reading.doubts(form)


@pytest.mark.parametrize(
    "count", ["3<sup>2</sup>", "3<sub>2</sub>", '3<span style="vertical-align: super">2</span>']
)
def test_a_digit_above_the_line_in_a_web_page_is_no_digit_of_the_count(count: str) -> None:
    cells = "".join(f"<td>{text}</td>" for text in (o.UNIT, count, *ROW[2:]))
    headings = "".join(f"<td>{text}</td>" for text in o.STATISTICS_HEADINGS)
    form = reading.only(
        reading.of_html(f"<p>{o.STATISTICS_HEAD}</p><table><tr>{headings}</tr><tr>{cells}</tr></table>")
    )
    assert form.items[0]["party_branches"] == 3
    assert COUNT in reading.doubts(form)


def test_a_digit_above_the_line_in_a_sheet_is_no_digit_of_the_count() -> None:
    raised = CellRichText("3", TextBlock(InlineFont(vertAlign="superscript"), "2"))
    form = reading.only(reading.of_xlsx(o.xlsx(*o.statistics_rows((o.UNIT, raised, *ROW[2:])))))
    assert form.items[0]["party_branches"] == 3
    assert COUNT in reading.doubts(form)


def test_a_mark_of_a_note_is_no_part_of_a_name_and_stays_in_a_text() -> None:
    mark = o.run("2", '<w:vertAlign w:val="superscript"/>')
    row = ([o.paragraph(o.UNIT, mark)], "3", "1", "2", "5", [o.paragraph("操场500m", mark)])
    headings = ([o.paragraph("单位名称", mark)], *o.STATISTICS_HEADINGS[1:])
    table = o.table(headings, row)
    form = reading.only(reading.of_word(o.docx(o.STATISTICS_TITLE, o.STATISTICS_HEAD, table)))
    assert form.items[0]["unit"] == o.UNIT
    assert form.items[0]["remarks"] == "操场500m²"
    assert reading.verdict(form) == "complete"


@pytest.mark.parametrize(
    "properties",
    ["<w:vanish/>", '<w:color w:val="FFFFFF"/>', '<w:color w:val="FEFEFE"/>', '<w:sz w:val="2"/>'],
)
def test_a_count_that_nobody_sees_in_word_is_doubted(properties: str) -> None:
    form = shown_in_word(o.paragraph(o.run("3", properties)))
    assert COUNT in reading.doubts(form)
    assert reading.verdict(form) == "uncertain"


def test_white_letters_on_a_dark_ground_are_seen() -> None:
    dark = '<w:color w:val="FFFFFF"/><w:shd w:val="clear" w:fill="1F3864"/>'
    form = shown_in_word(o.paragraph(o.run("3", dark)))
    assert form.items[0]["party_branches"] == 3
    assert COUNT not in reading.doubts(form)


def test_a_row_that_word_hides_is_no_data_and_is_said() -> None:
    table = o.table(o.STATISTICS_HEADINGS, ROW, ("贵港市覃塘小学", "9", "9", "9", "9", "")).text
    before, last = table.rsplit("<w:tr>", 1)
    table = f"{before}<w:tr><w:trPr><w:hidden/></w:trPr>{last}"
    form = reading.only(reading.of_word(o.docx(o.STATISTICS_TITLE, o.STATISTICS_HEAD, o.Xml(table))))
    assert [item["unit"] for item in form.items] == [o.UNIT]
    assert any("隐藏" in finding.text for finding in form.findings)


def white(workbook: Any) -> None:
    workbook.active["B5"].font = Font(color="FFFFFFFF")


def of_its_ground(workbook: Any) -> None:
    workbook.active["B5"].font = Font(color="FF1F3864")
    workbook.active["B5"].fill = PatternFill("solid", fgColor="FF1F3864")


def shown_as_nothing(workbook: Any) -> None:
    workbook.active["B5"].number_format = ";;;"


@pytest.mark.parametrize("edit", [white, of_its_ground, shown_as_nothing])
def test_a_count_that_nobody_sees_in_a_sheet_is_doubted(edit: Callable[[Any], None]) -> None:
    form = reading.only(reading.of_xlsx(o.xlsx(*o.statistics_rows((o.UNIT, 3, 1, 2, 5, None)), edit=edit)))
    assert COUNT in reading.doubts(form)
    assert "rows[0].platforms" not in reading.doubts(form)


@pytest.mark.parametrize(
    "count",
    [
        '<span style="display:none">2</span>3',
        '<span style="color:#FFFFFF">3</span>',
        '<span style="color: white">3</span>',
    ],
)
def test_a_count_that_nobody_sees_in_a_web_page_is_doubted(count: str) -> None:
    cells = "".join(f"<td>{text}</td>" for text in (o.UNIT, count, *ROW[2:]))
    gone = "".join(f"<td>{text}</td>" for text in ("贵港市覃塘小学", "9", "9", "9", "9", ""))
    headings = "".join(f"<th>{text}</th>" for text in o.STATISTICS_HEADINGS)
    form = reading.only(
        reading.of_html(
            f"<p>{o.STATISTICS_HEAD}</p><table><tr>{headings}</tr><tr style='display:none'>{gone}</tr>"
            f"<tr>{cells}</tr></table>"
        )
    )
    assert form.items[0]["party_branches"] == 3
    assert COUNT in reading.doubts(form)
    assert any("行被隐藏" in finding.text for finding in form.findings)
