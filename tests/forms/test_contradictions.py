"""What stands beside a table, or in a name, and makes its figures doubtful: never filed in silence."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from parsers import fields
from tests.forms import office_files as o, reading

ROW = (o.UNIT, "3", "1", "2", "5", "")
OTHER = "贵港市覃塘小学"
MATH = "http://schemas.openxmlformats.org/officeDocument/2006/math"


def report(*blocks: str | o.Xml) -> bytes:
    return o.docx("附件2", o.STATISTICS_TITLE, o.STATISTICS_HEAD, *blocks, o.STATISTICS_NOTE)


@pytest.mark.parametrize(
    "line",
    ["填表示例", "（样表）", "示例：", "（作废）", "上期数据：", "更正：党支部数应为4个", "注：以上数据作废"],
)
def test_a_line_that_revokes_the_table_is_a_doubt(line: str) -> None:
    for blocks in ((line, o.table(o.STATISTICS_HEADINGS, ROW)), (o.table(o.STATISTICS_HEADINGS, ROW), line)):
        assert reading.verdict(reading.only(reading.of_word(report(*blocks)))) == "uncertain"


def test_an_example_above_the_form_is_a_doubt() -> None:
    example = o.table(o.STATISTICS_HEADINGS, ("贵港市实验小学", "9", "9", "9", "9", ""))
    forms = reading.of_word(report("填表示例：", example, "正式填报：", o.table(o.STATISTICS_HEADINGS, ROW)))
    assert all(reading.verdict(form) == "uncertain" for form in forms)


@pytest.mark.parametrize("unit", [OTHER, "贵港市第五中学", f"2、{OTHER}"])
def test_a_row_of_another_school_than_the_form_is_a_doubt(unit: str) -> None:
    form = reading.only(reading.of_word(o.statistics_docx((unit, *ROW[1:]))))
    assert "rows[0].unit" in reading.doubts(form)


@pytest.mark.parametrize("unit", ["荷塘小学", "东校区", "校本部", f"1.{o.UNIT}", f"{o.UNIT}（东校区）"])
def test_a_row_of_the_same_school_is_none(unit: str) -> None:
    form = reading.only(reading.of_word(o.statistics_docx((unit, *ROW[1:]))))
    assert reading.verdict(form) == "complete"


@pytest.mark.parametrize(
    "written", ["1.{}", "（1）{}", "(一){}", "一、{}", "①{}", "1 {}", "01{}", "序号1、{}", "1-{}"]
)
def test_a_running_number_is_no_part_of_a_school(written: str) -> None:
    assert fields.unit(written.format(o.UNIT)) == o.UNIT


@pytest.mark.parametrize(
    "unit", ["八一小学", "五里镇中心小学", "1号小学", "三十五中", "第一中学", "1、基建科"]
)
def test_a_number_in_a_name_stays(unit: str) -> None:
    assert fields.unit(unit) == unit


@pytest.mark.parametrize(
    "unit", ["荷塘小学等3所学校", f"{o.UNIT}、{OTHER}", f"{o.UNIT}\n{OTHER}", "上期", "11月", "第一季度"]
)
def test_a_row_of_several_schools_or_of_a_time_is_a_doubt(unit: str) -> None:
    form = reading.only(reading.of_word(o.statistics_docx((unit, *ROW[1:]))))
    assert "rows[0].unit" in reading.doubts(form)


@pytest.mark.parametrize(
    "drawn",
    [
        f'<m:oMath xmlns:m="{MATH}"><m:sSup><m:e><m:r><m:t>3</m:t></m:r></m:e>'
        "<m:sup><m:r><m:t>2</m:t></m:r></m:sup></m:sSup></m:oMath>",
        f'<m:oMath xmlns:m="{MATH}"><m:f><m:num><m:r><m:t>3</m:t></m:r></m:num>'
        "<m:den><m:r><m:t>2</m:t></m:r></m:den></m:f></m:oMath>",
        o.equation("eq \\o(3,2)").text,
        o.equation("eq \\f(3,2)").text,
        o.run("3").text + o.equation("eq \\s\\up5(2)").text,
    ],
)
def test_a_number_drawn_as_a_formula_is_a_doubt(drawn: str) -> None:
    row = (o.UNIT, o.paragraph(o.Xml(drawn)), *ROW[2:])
    table = o.table(o.STATISTICS_HEADINGS, row)
    form = reading.only(reading.of_word(report(table)))
    assert form.items[0]["party_branches"] in {None, 3}
    assert "rows[0].party_branches" in reading.doubts(form)


def formatted(pattern: str) -> Callable[[Any], None]:
    def edit(workbook: Any) -> None:
        workbook.active["B5"].number_format = pattern

    return edit


@pytest.mark.parametrize(
    ("pattern", "doubtful"),
    [
        ('0"0"', True), ("0,", True), ('"约"0', True), ('"无"', True), ('[=3]"五";0', True),
        ("0", False), ('0"个"', False), ("#,##0_ ", False), ('G/通用格式"次"', False), ("[Red]0", False), ("@", False),
        ('_ * #,##0_ ;_ * -#,##0_ ;_ * "-"_ ;_ @_ ', False), ("[DBNum1][$-804]General", False),
    ],
)  # fmt: skip
def test_a_number_that_its_format_shows_otherwise_is_a_doubt(pattern: str, doubtful: bool) -> None:
    rows = o.statistics_rows((o.UNIT, 3, 1, 2, 5, None))
    form = reading.only(reading.of_xlsx(o.xlsx(*rows, edit=formatted(pattern))))
    assert ("rows[0].party_branches" in reading.doubts(form)) is doubtful


def test_schools_beside_one_another_below_a_wider_head_are_read() -> None:
    head = (f"填报单位：{o.UNIT}", None, "填报时间：2022年1月4日", f"联系人及电话：{o.CONTACT} {o.PHONE}")
    rows = zip(o.STATISTICS_HEADINGS, (o.UNIT, 3, 1, 2, 5, None), (OTHER, 9, 8, 7, 6, None), strict=True)
    form = reading.only(reading.of_xlsx(o.xlsx((o.STATISTICS_TITLE,), head, *rows)))
    assert [item["problems_solved"] for item in form.items] == [5, 6]


def test_a_number_that_may_be_said_in_two_ways_is_none() -> None:
    assert fields.count("二百五").value is None
    assert fields.count("一百零五").value == 105
