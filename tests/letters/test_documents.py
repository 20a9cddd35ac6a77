"""Forms that go out and come back: official in look, safe in content, understood without doubt."""

from __future__ import annotations

import dataclasses
import io
import zipfile
from datetime import UTC, date, datetime, time
from typing import Any
from zoneinfo import ZoneInfo

import docx
import icalendar
import openpyxl
import pytest
from lxml import etree

from daemon.documents import (
    YELLOW,
    Filling,
    OfficeContact,
    blank_form,
    marked_copy,
    visit_calendar,
)
from daemon.envelope import Attachment
from parsers.content import IDENTITY_PROPERTY, Limits
from parsers.read import read
from parsers.values import Finding, FindingKind, Form, Severity, Verdict

KINDS = ("problem_report", "statistics")
FORMATS = ("docx", "xlsx")
W = "{http://schemas.openxmlformats.org/wordprocessingml/2006/main}"
FILLED = Filling(
    {
        "reporting_unit": "贵港市达观中学",
        "principal": "韦明理",
        "contact_name": "覃小燕",
        "contact_phone": "0775-4512345",
        "reported_on": date(2022, 1, 4),
    },
    (
        {
            "problem": "校门口上下学时段交通拥堵",
            "details": "学校位于城区主干道。\n请协调增设护学岗。",
            "levels": ("secretary", "section"),
            "sections": ("安全保卫科",),
            "unit": "贵港市达观中学",
            "party_branches": 3,
            "platforms": 1,
            "sessions_held": 0,
            "problems_solved": 5,
            "remarks": None,
        },
    ),
)


def read_back(attachment: Attachment) -> Form:
    reading = read(attachment.data, attachment.name, Limits())
    assert len(reading.forms) == 1
    return reading.forms[0]


@pytest.mark.parametrize("format", FORMATS)
@pytest.mark.parametrize("kind", KINDS)
def test_a_blank_form_is_recognised_as_blank(kind: Any, format: Any) -> None:
    blank = blank_form(kind, format, identity="TJ-2022-01")
    reading = read(blank.data, blank.name, Limits())
    assert reading.verdict is Verdict.NO_FORM
    assert "空白" in (reading.parts[0].reason or "")


@pytest.mark.parametrize("format", FORMATS)
@pytest.mark.parametrize("kind", KINDS)
def test_a_filled_form_is_read_without_doubt(kind: Any, format: Any) -> None:
    form = read_back(blank_form(kind, format, prefill=FILLED, identity="TJ-2022-01"))
    assert not form.uncertain and not form.incomplete
    assert form.kind == kind
    assert form.identity == "TJ-2022-01"
    assert all(value == FILLED.fields[name] for name, value in form.fields.items())
    assert all(value == FILLED.items[0][name] for name, value in form.items[0].items())


def test_the_statistics_form_takes_whole_numbers_only() -> None:
    book: Any = openpyxl.load_workbook(io.BytesIO(blank_form("statistics", "xlsx").data))
    (rule,) = book.active.data_validations.dataValidation
    assert (rule.type, rule.operator, rule.formula1) == ("whole", "greaterThanOrEqual", "0")
    assert len(list(rule.sqref.ranges)) >= 1
    assert book.active.page_setup.orientation == "landscape"


@pytest.mark.parametrize("evil", ["=HYPERLINK(1)", "+1", "-1", "@SUM(A1)"])
def test_a_text_from_a_mail_never_becomes_a_formula(evil: str) -> None:
    filling = Filling({"reporting_unit": evil}, ({"unit": evil, "remarks": evil},))
    book: Any = openpyxl.load_workbook(io.BytesIO(blank_form("statistics", "xlsx", prefill=filling).data))
    kinds = {cell.data_type for row in book.active.iter_rows() for cell in row if cell.value == evil}
    assert kinds == {"s"}


def school_document() -> bytes:
    """A school's own file: its layout is not ours."""
    document = docx.Document()
    document.core_properties.author = "覃小燕"
    document.add_paragraph("难点问题报告表")
    document.add_paragraph("填报单位（盖章）：贵港市达观中学   主要负责人签字：韦明理   联系人及电话：")
    table = document.add_table(rows=2, cols=4)
    for column, text in enumerate(("难点问题", "具体内容及诉求", "反馈层级", "备注")):
        table.cell(0, column).text = text
    table.cell(1, 0).text = "校门口上下学时段交通拥堵"
    table.cell(1, 1).text = "学校位于城区主干道。"
    table.cell(1, 2).text = "□市委教育工委书记\n□市局相关科室，具体是      "
    buffer = io.BytesIO()
    document.save(buffer)
    return buffer.getvalue()


def school_workbook() -> bytes:
    book = openpyxl.Workbook()
    page: Any = book.active
    page.append(["“难点问题书记一线办”开展情况统计表"])
    page.append(
        [
            "填报单位：贵港市达观中学",
            None,
            "填报时间：2022年1月4日",
            None,
            "联系人及电话：覃小燕 0775-4512345",
        ]
    )
    page.append(["单位名称", "党支部数", "建立平台数", "举办次数", "解决问题数量", "备注"])
    page.append(["贵港市达观中学", 3, None, 2, 5, None])
    buffer = io.BytesIO()
    book.save(buffer)
    return buffer.getvalue()


def test_a_schools_own_word_file_comes_back_with_the_faults_yellow_and_commented() -> None:
    form = read_back(Attachment("附件1 达观中学.docx", school_document(), ""))
    assert form.incomplete
    copy = marked_copy(form, identity="ND-2022-013")
    assert copy.name == "附件1 达观中学（请补正）.docx"
    document = docx.Document(io.BytesIO(copy.data))
    assert document.core_properties.author == "覃小燕"
    (table,) = document.tables
    shade: Any = table.cell(1, 2)._tc.find(f".//{W}tcPr/{W}shd")
    assert shade.get(f"{W}fill") == YELLOW
    assert table.cell(1, 0)._tc.find(f".//{W}tcPr/{W}shd") is None
    comments = [comment.text for comment in document.comments]
    assert any("反馈层级" in text for text in comments)
    assert len(comments) == len({f.field for f in form.findings if f.severity is Severity.ERROR})
    again = read_back(copy)
    assert again.identity == "ND-2022-013"
    assert (again.fields, again.items) == (form.fields, form.items)


def test_a_copy_marked_twice_keeps_one_identity_and_one_suffix() -> None:
    first = marked_copy(read_back(Attachment("附件1.docx", school_document(), "")), identity="ND-2022-013")
    second = marked_copy(read_back(first), identity="ND-2022-014")
    assert second.name == "附件1（请补正）.docx"
    with zipfile.ZipFile(io.BytesIO(second.data)) as archive:
        properties = etree.fromstring(archive.read("docProps/custom.xml"))
    assert [node.get("name") for node in properties] == [IDENTITY_PROPERTY]
    assert read_back(second).identity == "ND-2022-014"


def test_a_schools_own_workbook_comes_back_with_the_faults_yellow_and_commented() -> None:
    form = read_back(Attachment("统计表.xlsx", school_workbook(), ""))
    copy = marked_copy(form, identity="TJ-2022-01")
    page: Any = openpyxl.load_workbook(io.BytesIO(copy.data)).active
    assert page["C4"].fill.start_color.rgb.endswith(YELLOW)
    assert "请补正" in page["C4"].comment.text
    assert page["B4"].comment is None
    again = read_back(copy)
    assert again.identity == "TJ-2022-01"
    assert again.items == form.items


@pytest.mark.parametrize("document", [None, b"not a file at all", b"PK\x03\x04 broken"])
def test_a_file_that_cannot_be_marked_is_replaced_by_a_fresh_form(document: bytes | None) -> None:
    form = read_back(Attachment("附件1.docx", school_document(), ""))
    copy = marked_copy(dataclasses.replace(form, document=document), identity="ND-2022-013")
    assert copy.name == "附件1 难点问题报告表（请补正）.docx"
    again = read_back(copy)
    assert again.items == form.items
    assert again.identity == "ND-2022-013"
    assert list(docx.Document(io.BytesIO(copy.data)).comments)


def test_a_fault_without_a_place_in_the_file_is_marked_on_a_fresh_form() -> None:
    form = read_back(Attachment("附件1.docx", school_document(), ""))
    lost = Finding("reported_on", FindingKind.MISSING, Severity.ERROR, "“填报时间”未填")
    copy = marked_copy(dataclasses.replace(form, findings=(lost,), places={}), identity="ND-2022-013")
    assert copy.name == "附件1 难点问题报告表（请补正）.docx"


@pytest.mark.parametrize("start", [None, time(9, 0)])
def test_an_invitation_is_a_calendar_file_that_asks_for_no_reply(start: time | None) -> None:
    attachment = visit_calendar(
        uid="QC-2022-01@djb",
        sequence=0,
        written_at=datetime(2022, 1, 10, 1, 0, tzinfo=UTC),
        day=date(2022, 1, 20),
        start=start,
        summary="一线办理：校门口\n拥堵",
        place="贵港市达观中学",
        description="第一行\n第二行",
        organizer_name="工委办",
        organizer_address="djb3916@163.com",
        zone=ZoneInfo("Asia/Shanghai"),
    )
    calendar = icalendar.Calendar.from_ical(attachment.data)
    assert str(calendar["METHOD"]) == "PUBLISH"
    (event,) = calendar.walk("VEVENT")
    assert str(event["SUMMARY"]) == "一线办理：校门口 拥堵"
    shown = event.decoded("DTSTART")
    assert shown == date(2022, 1, 20) if start is None else shown.astimezone(UTC).hour == 1
    assert b"\n" not in attachment.data.replace(b"\r\n", b"")


def test_the_blank_form_names_the_office_that_it_goes_to() -> None:
    office = OfficeContact("sanbu@example.cn", "0771-1234567")
    form = blank_form("statistics", "xlsx", office=office)
    sheet = openpyxl.load_workbook(io.BytesIO(form.data)).worksheets[0]
    words = " ".join(str(cell.value) for row in sheet.iter_rows() for cell in row if cell.value)
    assert "sanbu@example.cn" in words
    assert "djb3916" not in words
