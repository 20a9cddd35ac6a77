"""附件1 and 附件2 as workbooks and csv: hidden things, dates, formulas, merged cells."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Callable
from datetime import date
from typing import Any

import openpyxl
import pytest
from openpyxl.styles import Font

from parsers import sheet
from parsers.content import Content, Limits, Refused, Table, Unreadable
from tests.forms import office_files as o
from tests.forms.reading import LIMITS, doubts, of_csv, of_xlsx, only, verdict

U = o.UNIT
ROW = (U, 3, 1, 2, 5, None)
VALUES = {
    "unit": U,
    "party_branches": 3,
    "platforms": 1,
    "sessions_held": 2,
    "problems_solved": 5,
    "remarks": None,
}


def first_table(content: Content) -> Table:
    table = content.blocks[0]
    assert isinstance(table, Table)
    return table


ROWS: dict[str, tuple[object, ...]] = {
    "numbers": ROW,
    "floats": (U, 3.0, 1.0, 2.0, 5.0, None),
    "texts": (U, "3", "1", "2", "5", ""),
    "units": (U, "3个", "1个", "2次", "5件", ""),
    "chinese": (U, "三", "一", "两次", "五", "无"),
}


@pytest.mark.parametrize("row", ROWS.values(), ids=ROWS.keys())
def test_a_return_in_a_workbook_is_read(row: tuple[object, ...]) -> None:
    form = only(of_xlsx(o.xlsx(*o.statistics_rows(row))))
    assert [dict(item) for item in form.items] == [VALUES]
    assert form.fields["reported_on"] == date(2022, 1, 4)
    assert form.fields["contact_phone"] == o.PHONE
    assert form.places["rows[0].party_branches"].where == "工作表“Sheet1”B5"
    assert form.places["rows[0].remarks"].where == "工作表“Sheet1”F5"
    assert verdict(form) == "complete"


HEADS: dict[str, tuple[object, ...]] = {
    "label and value in cells": (
        "填报单位：",
        U,
        "填报时间：",
        "2022年1月4日",
        "联系人及电话：",
        f"{o.CONTACT}/{o.PHONE}",
    ),
    "a real date": (
        "填报单位",
        U,
        "填报时间",
        date(2022, 1, 4),
        "联系人及电话",
        f"{o.CONTACT} {o.PHONE}",
    ),
    "one cell": (o.STATISTICS_HEAD,),
    "contact in two cells": ("填报单位", U, "填报时间", "2022-1-4", "联系人及电话", o.CONTACT, int(o.PHONE)),
    "contact apart": ("填报单位", U, "填报时间", "2022.1.4", "联系人", o.CONTACT, "电话", int(o.PHONE)),
}


@pytest.mark.parametrize("head", HEADS.values(), ids=HEADS.keys())
def test_the_head_of_a_sheet_is_read(head: tuple[object, ...]) -> None:
    form = only(of_xlsx(o.xlsx(*o.statistics_rows(ROW, head=head))))
    assert dict(form.fields) == {
        "reporting_unit": U,
        "reported_on": date(2022, 1, 4),
        "contact_name": o.CONTACT,
        "contact_phone": o.PHONE,
    }
    assert verdict(form) == "complete"


def _date_format(pattern: str) -> Callable[[Any], None]:
    def edit(workbook: Any) -> None:
        workbook.active["D3"].number_format = pattern

    return edit


def test_a_date_that_the_cell_shows_without_day_is_no_day() -> None:
    head = ("填报单位", U, "填报时间", date(2022, 1, 1), "联系人及电话", f"{o.CONTACT} {o.PHONE}")
    for pattern in ('yyyy"年"m"月"', "yyyy-mm", "yyyy/m", "mmm-yy"):
        form = only(of_xlsx(o.xlsx(*o.statistics_rows(ROW, head=head), edit=_date_format(pattern))))
        assert form.fields["reported_on"] is None, pattern
    for pattern in (
        'yyyy"年"m"月"d"日"',
        "yyyy-mm-dd",
        "m/d/yyyy",
        '[$-804]yyyy"年"m"月"d"日";@',
        "yyyy/m/d h:mm",
    ):
        form = only(of_xlsx(o.xlsx(*o.statistics_rows(ROW, head=head), edit=_date_format(pattern))))
        assert form.fields["reported_on"] == date(2022, 1, 1), pattern


def test_a_count_that_the_program_made_a_date_is_said() -> None:
    form = only(of_xlsx(o.xlsx(*o.statistics_rows((U, 3, 1, date(2022, 3, 4), 5, None)))))
    assert form.items[0]["sessions_held"] is None
    assert "rows[0].sessions_held" in doubts(form)


def test_hidden_rows_and_sheets_are_no_data() -> None:
    def edit(workbook: Any) -> None:
        workbook.active.row_dimensions[5].hidden = True
        old = workbook.create_sheet("上期")
        for row in o.statistics_rows((U, 8, 8, 8, 8, None)):
            old.append(list(row))
        old.sheet_state = "hidden"

    form = only(of_xlsx(o.xlsx(*o.statistics_rows((U, 9, 9, 9, 9, "上期"), ROW), edit=edit)))
    assert [dict(item) for item in form.items] == [VALUES]
    assert any("隐藏" in f.text for f in form.findings)


def test_an_instruction_sheet_is_no_form() -> None:
    def edit(workbook: Any) -> None:
        guide = workbook.create_sheet("填写示例", 0)
        for row in o.statistics_rows(("贵港市甲小学", 8, 8, 8, 8, None)):
            guide.append(list(row))

    form = only(of_xlsx(o.xlsx(*o.statistics_rows(ROW), edit=edit)))
    assert form.items[0]["party_branches"] == 3


def test_two_sheets_are_two_forms() -> None:
    def edit(workbook: Any) -> None:
        other = workbook.create_sheet("附件1")
        for row in (
            ("难点问题报告表",),
            (o.PROBLEM_HEAD,),
            o.PROBLEM_HEADINGS,
            (o.PROBLEM, o.DETAILS, o.levels(), None),
        ):
            other.append(list(row))

    forms = of_xlsx(o.xlsx(*o.statistics_rows(ROW), edit=edit, title="附件2"))
    assert [form.kind for form in forms] == ["statistics", "problem_report"]
    assert forms[1].items[0]["sections"] == ("基建科",)
    assert forms[1].fields["principal"] == o.PRINCIPAL


def test_merged_cells_of_a_vertical_sheet_are_one() -> None:
    def edit(workbook: Any) -> None:
        for area in ("A1:D1", "B3:D3", "B4:D4", "B5:D5", "A5:A6", "B6:D6", "B7:D7"):
            workbook.active.merge_cells(area)

    rows: list[tuple[object, ...]] = [
        ("难点问题报告表",),
        ("填报单位（盖章）", U, "联系人及电话", f"{o.CONTACT}{o.PHONE}"),
        ("难点问题", o.PROBLEM),
        ("具体内容及诉求", o.DETAILS),
        ("反馈层级", "□市委教育工委书记"),
        (None, "☑市局相关科室，具体是：基建科"),
        ("备注", None),
        ("主要负责人签字", o.PRINCIPAL),
    ]
    form = only(of_xlsx(o.xlsx(*rows, edit=edit)))
    assert dict(form.items[0]) == {
        "problem": o.PROBLEM,
        "details": o.DETAILS,
        "levels": ("section",),
        "sections": ("基建科",),
        "remarks": None,
    }
    assert form.fields["principal"] == o.PRINCIPAL
    assert verdict(form) == "complete"


def test_a_formula_without_its_value_is_a_doubt_and_never_a_blank() -> None:
    form = only(of_xlsx(o.xlsx(*o.statistics_rows((U, 3, 1, "=HOUR(A1)+1", 5, None)))))
    assert form.items[0]["sessions_held"] is None
    assert any(f.field == "rows[0].sessions_held" and f.kind.value == "uncertain" for f in form.findings)


def test_a_plain_sum_without_its_value_is_added_up() -> None:
    rows = (
        ("本部", 3, 1, "=1+1", 5, None),
        ("东区", 1, 1, 2, "=E5-3", None),
        ("合计", "=SUM(B5:B6)", "=SUM(C5:C6)", "=D5+D6", "=SUM(E5:E6)", None),
    )
    form = only(of_xlsx(o.xlsx(*o.statistics_rows(*rows))))
    assert [item["sessions_held"] for item in form.items] == [2, 2]
    assert [item["problems_solved"] for item in form.items] == [5, 2]
    assert verdict(form) == "complete"


def test_a_hidden_column_is_a_doubt() -> None:
    def edit(workbook: Any) -> None:
        workbook.active.column_dimensions["D"].hidden = True

    assert "rows[0].sessions_held" in doubts(only(of_xlsx(o.xlsx(*o.statistics_rows(ROW), edit=edit))))


def test_a_sheet_formatted_to_the_last_row_is_read_at_once() -> None:
    data = o.xlsx(*o.statistics_rows(ROW))
    source = zipfile.ZipFile(io.BytesIO(data))
    rows = b"".join(b'<row r="%d"><c r="A%d"/></row>' % (n, n) for n in range(10, 200_000))
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as archive:
        for name in source.namelist():
            part = source.read(name)
            archive.writestr(name, part.replace(b"</sheetData>", rows + b"</sheetData>"))
    form = only(of_xlsx(target.getvalue()))
    assert dict(form.items[0]) == VALUES


def test_a_bomb_is_refused_and_garbage_unreadable() -> None:
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("xl/worksheets/sheet1.xml", b" " * 3_000_000)
    with pytest.raises(Refused, match="过大"):
        sheet.xlsx_content(target.getvalue(), Limits(part_bytes=1 << 20))
    for data in (b"", b"PK\x03\x04garbage", o.xlsx(("a",))[:900]):
        with pytest.raises(Unreadable, match="损坏"):
            sheet.xlsx_content(data, LIMITS)
    for data in (b"", b"\xd0\xcf\x11\xe0" + b"\0" * 600, b"garbage"):
        with pytest.raises(Unreadable):
            sheet.xls_content(data, LIMITS)


def test_an_external_entity_is_refused() -> None:
    source = zipfile.ZipFile(io.BytesIO(o.xlsx(("a",))))
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w") as archive:
        for name in source.namelist():
            part = source.read(name)
            if name == "xl/workbook.xml":
                part = b'<!DOCTYPE x [<!ENTITY e SYSTEM "file:///etc/passwd">]>' + part
            archive.writestr(name, part)
    with pytest.raises(Refused):
        sheet.xlsx_content(target.getvalue(), LIMITS)


def test_strict_ooxml_is_read() -> None:
    source = zipfile.ZipFile(io.BytesIO(o.xlsx(*o.statistics_rows(ROW))))
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w") as archive:
        for name in source.namelist():
            part = source.read(name)
            if name.startswith("xl/"):
                for strict, usual in sheet.STRICT:
                    part = part.replace(usual, strict)
            archive.writestr(name, part)
    assert dict(only(of_xlsx(target.getvalue())).items[0]) == VALUES


def test_custom_properties_are_kept() -> None:
    def edit(workbook: Any) -> None:
        from openpyxl.packaging.custom import StringProperty

        workbook.custom_doc_props.append(StringProperty(name="djb", value="TJ-2022-01"))

    content = sheet.xlsx_content(o.xlsx(*o.statistics_rows(ROW), edit=edit), LIMITS)
    assert content.properties["djb"] == "TJ-2022-01"


CSV = (
    f"附件2\n{o.STATISTICS_TITLE}\n填报单位：{U},填报时间：2022.1.4,联系人及电话：{o.CONTACT}、{o.PHONE}\n"
    + ",".join(o.STATISTICS_HEADINGS)
    + f"\n{U},3,1,2,5,\n"
)


@pytest.mark.parametrize("encoding", ["gbk", "gb18030", "utf-8", "utf-8-sig", "utf-16"])
@pytest.mark.parametrize("delimiter", [",", "\t", ";"])
def test_a_csv_is_read_in_any_encoding(encoding: str, delimiter: str) -> None:
    form = only(of_csv(CSV.replace(",", delimiter).encode(encoding)))
    assert [dict(item) for item in form.items] == [VALUES]
    assert form.fields["contact_phone"] == o.PHONE
    assert verdict(form) == "complete"


def test_a_quoted_cell_of_a_csv_may_have_lines() -> None:
    text = f'难点问题报告表\n"{o.PROBLEM_HEAD}"\n{",".join(o.PROBLEM_HEADINGS)}\n{o.PROBLEM},"{o.DETAILS}","{o.levels()}",\n'
    form = only(of_csv(text.encode("gbk", "replace").replace(b"?", "☑".encode("gb18030"))))
    assert form.items[0]["details"] == o.DETAILS
    assert form.items[0]["levels"] == ("section",)


def test_cells_of_symbol_fonts_and_struck_cells_are_seen() -> None:
    workbook = openpyxl.Workbook()
    active = workbook.active
    assert active is not None
    active["A1"], active["B1"] = "R", "旧"
    active["A1"].font = Font(name="Wingdings 2")
    active["B1"].font = Font(strike=True)
    target = io.BytesIO()
    workbook.save(target)
    first, second = first_table(sheet.xlsx_content(target.getvalue(), LIMITS)).cells
    assert first.text == "☑"
    assert (second.text, second.struck) == ("", ("旧",))
