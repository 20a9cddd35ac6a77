"""Whatever a file holds: no crash, no value without its place, nothing missing that is not said."""

from __future__ import annotations

import contextlib
import io
import zipfile
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings, strategies as st

from parsers import extract, forms, sheet, word
from parsers.content import Cell, Content, Limits, Paragraph, Refused, Table, Unreadable
from parsers.values import Form, Place
from tests.forms import office_files as o
from tests.forms.reading import LIMITS, of, only, verdict

FILES = Path(__file__).parent / "files"
SOUND = (
    o.problem_docx(),
    o.xlsx(*o.statistics_rows()),
    (FILES / "statistics.xls").read_bytes(),
    "单位,党支部数".encode(),
)
WORDS = st.sampled_from(
    [
        *o.PROBLEM_HEADINGS, *o.STATISTICS_HEADINGS, "序号", "合计", "示例", "", "3", "约5", "围墙倒塌", o.levels(), o.levels("☑", "□", ""),
        o.PROBLEM_HEAD, o.STATISTICS_HEAD, "难点问题报告表", o.STATISTICS_TITLE, o.PROBLEM_NOTE, "填报单位", "联系人及电话", "来源",
        "反映单位", "收到日期", "市局相关科室", "2022年1月4日", "韦青山13812345678", "附件1", "√", "⍰", "具体科室",
    ]
)  # fmt: skip


@st.composite
def tables(draw: st.DrawFn) -> Table:
    rows, columns = draw(st.integers(1, 6)), draw(st.integers(1, 7))
    cells: list[Cell] = []
    taken: set[tuple[int, int]] = set()
    for row in range(rows):
        for column in range(columns):
            if (row, column) in taken:
                continue
            down, right = draw(st.sampled_from([(1, 1)] * 6 + [(2, 1), (1, 2), (2, 2)]))
            down, right = min(down, rows - row), min(right, columns - column)
            taken |= {(row + i, column + j) for i in range(down) for j in range(right)}
            place = Place(f"表1第{row + 1}行第{column + 1}列", table=0, row=row, column=column)
            cells.append(Cell(draw(WORDS), row, column, place, down, right))
    return Table(tuple(cells), rows, columns, name=draw(st.sampled_from([None, None, "Sheet1", "填写说明"])))


PARAGRAPHS = WORDS.map(lambda text: Paragraph(text, Place("第1段")))


@settings(max_examples=100, suppress_health_check=[HealthCheck.too_slow], deadline=None)
@given(st.lists(st.one_of(PARAGRAPHS, tables()), max_size=5))
def test_every_arrangement_gives_whole_forms(blocks: list[Paragraph | Table]) -> None:
    for form in of(Content("docx", tuple(blocks))):
        _is_whole(form)


def _is_whole(form: Form) -> None:
    kind = forms.BY_NAME[form.kind]
    assert form.items
    said = {finding.field for finding in form.findings}
    for number, item in enumerate(form.items):
        assert [blank.name for blank in kind.item if blank.name in item] == [
            blank.name for blank in kind.item if blank.name != "sections" or form.kind == "problem_report"
        ]
        for blank in kind.item:
            path = f"{form.items_key}[{number}].{blank.name}"
            if item.get(blank.name) in {None, ()} and blank.missing is not None:
                assert path in said or f"{form.items_key}[{number}]" in said, (path, form)
    for finding in form.findings:
        assert finding.field and finding.text
    form.to_json()


@settings(max_examples=100, suppress_health_check=[HealthCheck.too_slow], deadline=None)
@given(st.data())
def test_a_damaged_word_file_is_unreadable_and_no_crash(data: st.DataObject) -> None:
    source = zipfile.ZipFile(io.BytesIO(SOUND[0]))
    body = bytearray(source.read("word/document.xml"))
    for _ in range(data.draw(st.integers(1, 4))):
        at = data.draw(st.integers(0, len(body) - 1))
        body[at : at + data.draw(st.integers(0, 30))] = data.draw(st.binary(max_size=8))
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w") as archive:
        archive.writestr("word/document.xml", bytes(body))
    try:
        content = word.content(target.getvalue(), LIMITS)
    except (Unreadable, Refused):
        return
    extract.forms(content, "附件")


@settings(max_examples=60, suppress_health_check=[HealthCheck.too_slow], deadline=None)
@given(st.data())
def test_a_damaged_file_of_any_kind_is_unreadable_and_no_crash(data: st.DataObject) -> None:
    readers = (word.content, sheet.xlsx_content, sheet.xls_content, sheet.csv_content)
    number = data.draw(st.integers(0, 3))
    broken = bytearray(SOUND[number])
    for _ in range(data.draw(st.integers(1, 5))):
        at = data.draw(st.integers(0, len(broken) - 1))
        broken[at : at + data.draw(st.integers(0, 9))] = data.draw(st.binary(max_size=9))
    with contextlib.suppress(Unreadable, Refused):
        readers[number](bytes(broken), LIMITS)


def test_a_word_file_with_an_entity_or_too_much_text_is_refused() -> None:
    def package(body: bytes) -> bytes:
        target = io.BytesIO()
        with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as archive:
            archive.writestr("word/document.xml", body)
        return target.getvalue()

    entity = b'<!DOCTYPE x [<!ENTITY e SYSTEM "file:///etc/passwd">]><w:document xmlns:w="x"><w:body>&e;</w:body></w:document>'
    with pytest.raises((Refused, Unreadable)):
        word.content(package(entity), LIMITS)
    with pytest.raises(Refused, match="过大"):
        word.content(package(b" " * 2_000_000), Limits(part_bytes=1 << 20))
    for data in (b"", b"PK\x03\x04", b"{\\rtf1}", o.problem_docx()[:-100]):
        with pytest.raises(Unreadable):
            word.content(data, LIMITS)


def test_macros_are_noted_and_never_text() -> None:
    data = o.problem_docx(extra={"word/vbaProject.bin": b"Sub AutoOpen()"})
    content = word.content(data, LIMITS)
    assert any("宏" in note for note in content.notes)
    assert "AutoOpen" not in repr(extract.forms(content, "附件"))


def test_custom_properties_carry_our_identity() -> None:
    xml = (
        '<Properties xmlns="http://schemas.openxmlformats.org/officeDocument/2006/custom-properties" xmlns:vt="x">'
        '<property name="djb-identity"><vt:lpwstr>ND-2022-013</vt:lpwstr></property></Properties>'
    )
    data = o.problem_docx(extra={"docProps/custom.xml": xml.encode()})
    assert only(extract.forms(word.content(data, LIMITS), "附件")).identity == "ND-2022-013"


def test_old_workbooks_are_read_like_new_ones() -> None:
    form = only(of(sheet.xls_content((FILES / "statistics.xls").read_bytes(), LIMITS)))
    assert [
        form.items[0][name] for name in ("party_branches", "platforms", "sessions_held", "problems_solved")
    ] == [3, 1, 2, 5]
    assert len(form.items) == 1
    assert str(form.fields["reported_on"]) == "2022-01-04"
    problem = only(of(sheet.xls_content((FILES / "problem.xls").read_bytes(), LIMITS)))
    assert problem.items[0]["sections"] == ("基建科",)
    assert verdict(problem) == "complete"


def test_a_doubt_of_the_reader_becomes_a_finding_on_the_field() -> None:
    cells = [
        Cell(text, row, column, Place("第1页"), doubt="字迹模糊" if (row, column) == (1, 3) else None)
        for row, texts in enumerate((o.STATISTICS_HEADINGS, (o.UNIT, "3", "1", "2", "5", "")))
        for column, text in enumerate(texts)
    ]
    head = Paragraph(o.STATISTICS_HEAD, Place("第1页"), doubt="印章遮挡")
    form = only(of(Content("scan-pdf", (head, Table(tuple(cells), 2, 6)), scanned=True)))
    said = {f.field for f in form.findings if f.kind.value == "uncertain"}
    assert {"rows[0].sessions_held", "reporting_unit", "contact_phone", "reported_on"} <= said
    assert "rows[0].platforms" not in said
