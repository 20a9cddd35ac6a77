"""Workbooks that go out, live through other people's programs, and come back."""

from __future__ import annotations

import io
import subprocess
import zipfile
from collections.abc import Callable
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

import openpyxl
import pytest
from hypothesis import given, settings, strategies as st

from daemon.events import returned_measures
from daemon.ledgers import (
    SentFile,
    assignment_row,
    assignment_sheet,
    clue_register,
    handling_sheet,
    ledger,
    ledger_row,
    list_row,
    overdue_list,
    problem_list,
)
from daemon.model import Measure, Problem, Source, State
from parsers.values import ReturnedWorkbook
from parsers.workbooks import LAYOUTS, ROW_HEADING, SOURCES, Changes, SentWorkbook, changes, returned
from tests.workflow.conftest import problem

SECTIONS = ["基础教育科", "计划财务科", "安全管理科"]
HOSTILE = '=HYPERLINK("http://x.invalid","点我")'
PROBLEMS = [
    replace(
        problem(State.SUBMITTED),
        number=f"ND-2022-{number:03d}",
        problem=f"第{number}个问题",
        remarks="急" if number == 3 else None,
    )
    for number in range(1, 9)
]


def sent_list() -> SentFile:
    return problem_list("QC-2022-01", 1, [list_row(n, p, "2 所学校反映") for n, p in enumerate(PROBLEMS, 1)])


def sent_assignment() -> SentFile:
    rows = [
        assignment_row(n, p, "转办", "基础教育科", ["计划财务科"], date(2022, 4, 30))
        for n, p in enumerate(PROBLEMS, 1)
    ]
    return assignment_sheet("QC-2022-01", 1, rows, SECTIONS)


def sent_handling() -> SentFile:
    has = replace(
        PROBLEMS[0],
        handling={"工作方案": "先摸底\n后改造"},
        measures=(Measure("更换灯具", "计划财务科", date(2022, 4, 1)),),
        deadline=date(2022, 4, 30),
    )
    return handling_sheet(has, 3, "基础教育科", ["计划财务科"])


def edited(file: SentFile, edit: Callable[[Any], None]) -> bytes:
    """The file after somebody's work in it, through openpyxl."""
    book = openpyxl.load_workbook(io.BytesIO(file.data))
    edit(book.worksheets[0])
    stream = io.BytesIO()
    book.save(stream)
    return stream.getvalue()


def column_of(sheet: Any, heading: str) -> tuple[int, int]:
    found = [(cell.row, cell.column) for row in sheet.iter_rows() for cell in row if cell.value == heading]
    if not found:
        raise LookupError(heading)
    return found[-1]


def put(sheet: Any, number: int, heading: str, value: object) -> None:
    """Writes into the n-th row below the headings."""
    row, column = column_of(sheet, heading)
    sheet.cell(row=row + number, column=column).value = value


def answer(sheet: Any, label: str, value: object) -> None:
    row, column = column_of(sheet, label)
    sheet.cell(row=row, column=column + 1).value = value


def back(data: bytes) -> ReturnedWorkbook:
    found = returned(data, "表.xlsx")
    assert found is not None
    return found


def compared(file: SentFile, data: bytes, **more: Any) -> Changes:
    kept = SentWorkbook.from_json(file.sent.to_json())
    return changes(kept, back(data), sections=SECTIONS, **more)


ALL: list[Callable[[], SentFile]] = [
    sent_list,
    sent_assignment,
    sent_handling,
    lambda: clue_register("XS-2022-01"),
    lambda: ledger("TZ-2022-01", 2, [ledger_row(1, PROBLEMS[0], received_on=date(2022, 1, 4))], SECTIONS),
    lambda: overdue_list("DB-2022-03", 1, []),
]


@pytest.mark.parametrize("make", ALL)
def test_a_workbook_that_nobody_touched_orders_nothing(make: Callable[[], SentFile]) -> None:
    file = make()
    found = back(file.data)
    assert (found.kind, found.about, found.version) == (file.sent.kind, file.sent.about, file.sent.version)
    assert compared(file, file.data).nothing


@pytest.mark.parametrize("make", ALL)
def test_every_fixed_heading_stands_in_its_workbook(make: Callable[[], SentFile]) -> None:
    file = make()
    book = openpyxl.load_workbook(io.BytesIO(file.data))
    written = {cell.value for row in book.worksheets[0].iter_rows() for cell in row}
    layout = LAYOUTS[file.sent.kind]
    assert {column.label or column.heading for column in (*layout.columns, *layout.fields)} <= written


def test_the_headings_are_those_of_the_interface() -> None:
    fixed = {
        "problem_list": "序号 编号 填报单位 难点问题 具体内容及诉求 来源 反馈层级 同类情况 书记意见 备注",
        "assignment_sheet": "序号 编号 填报单位 难点问题 办理方式 牵头科室 协办科室 办结时限 备注",
        "handling_sheet": "任务措施 责任部门 完成时限 完成情况",
        "clue_register": "序号 来源 反映单位 难点问题 具体内容及诉求 收到日期 备注",
    }
    for kind, headings in fixed.items():
        assert [column.heading for column in LAYOUTS[kind].columns] == headings.split()
    labels = "工作方案 会商情况 初步解决意见 调研情况·实质 调研情况·根源 调研情况·症结 一线办理日期 参加人员 一线办理结果 办理进展 完成情况 长效机制 责任人 攻坚队伍"
    assert [column.heading for column in LAYOUTS["handling_sheet"].fields] == labels.split()


def test_the_sources_are_those_of_the_domain() -> None:
    assert tuple(source.chinese for source in Source) == SOURCES


def test_the_secretarys_choice_in_the_workbook() -> None:
    file = sent_list()

    def edit(sheet: Any) -> None:
        put(sheet, 3, "书记意见", "选定")
        put(sheet, 7, "书记意见", " 选 定 ")

    found = compared(file, edited(file, edit))
    assert [(row.identity, dict(row.cells)) for row in found.applied] == [
        ("ND-2022-003", {"书记意见": "选定"}),
        ("ND-2022-007", {"书记意见": "选定"}),
    ]
    assert found.conflicts == ()


def sort_rows(sheet: Any) -> None:
    """Turns the rows under the headings upside down, as sorting does."""
    heading, _ = column_of(sheet, "编号")
    rows = [[cell.value for cell in row] for row in sheet.iter_rows(min_row=heading + 1)]
    for number, values in enumerate(reversed(rows), start=heading + 1):
        for column, value in enumerate(values, start=1):
            sheet.cell(row=number, column=column).value = value


def test_sorting_filtering_inserting_and_deleting_rows_lose_no_identity() -> None:
    file = sent_assignment()

    def edit(sheet: Any) -> None:
        put(sheet, 2, "牵头科室", "安全管理科")
        sort_rows(sheet)
        heading, _ = column_of(sheet, "编号")
        sheet.insert_rows(1)
        sheet.cell(row=1, column=1).value = "请各科室抓紧"
        sheet.delete_rows(heading + 2)
        sheet.insert_rows(heading + 4)
        sheet.row_dimensions[heading + 3].hidden = True

    found = compared(file, edited(file, edit))
    assert [(row.identity, dict(row.cells)) for row in found.applied] == [
        ("ND-2022-002", {"牵头科室": "安全管理科"})
    ]
    assert found.deleted == ("ND-2022-008",)
    assert found.conflicts == ()


def test_moved_and_removed_columns_are_found_by_their_headings() -> None:
    file = sent_assignment()

    def edit(sheet: Any) -> None:
        put(sheet, 1, "办结时限", date(2022, 5, 10))
        _, hidden = column_of(sheet, ROW_HEADING)
        sheet.delete_cols(hidden)
        sheet.insert_cols(1, 2)

    found = compared(file, edited(file, edit))
    assert [(row.identity, dict(row.cells)) for row in found.applied] == [
        ("ND-2022-001", {"办结时限": "2022-05-10"})
    ]


@pytest.mark.parametrize(
    ("heading", "value", "word"),
    [
        ("牵头科室", "基教肓科", "不在通讯录中"),
        ("办结时限", "月底前", "应为日期"),
        ("办结时限", "2022-02-30", "应为日期"),
        ("办理方式", "再议", "应为选定、转办之一"),
        ("难点问题", "改了题目", "不能在表中修改"),
        ("备注", "=1+1", "公式"),
    ],
)
def test_an_invalid_change_is_refused_with_its_row_and_reason(heading: str, value: str, word: str) -> None:
    file = sent_assignment()
    found = compared(file, edited(file, lambda sheet: put(sheet, 4, heading, value)))
    assert found.applied == ()
    (conflict,) = found.conflicts
    assert conflict.identity == "ND-2022-004"
    assert "行" in conflict.where
    assert word in conflict.text


def test_one_bad_row_does_not_hold_up_the_others() -> None:
    file = sent_assignment()

    def edit(sheet: Any) -> None:
        put(sheet, 1, "牵头科室", "没有这个科")
        put(sheet, 2, "协办科室", "计划财务科，安全管理科")
        put(sheet, 3, "办结时限", "2022年5月1日")

    found = compared(file, edited(file, edit))
    assert [(row.identity, dict(row.cells)) for row in found.applied] == [
        ("ND-2022-002", {"协办科室": "计划财务科、安全管理科"}),
        ("ND-2022-003", {"办结时限": "2022-05-01"}),
    ]
    assert [conflict.identity for conflict in found.conflicts] == ["ND-2022-001"]


def test_a_row_twice_and_a_row_unknown_are_refused() -> None:
    file = sent_list()

    def edit(sheet: Any) -> None:
        heading, _ = column_of(sheet, "编号")
        for column in range(1, 12):
            sheet.cell(row=heading + 9, column=column).value = sheet.cell(
                row=heading + 2, column=column
            ).value
        sheet.cell(row=heading + 10, column=2).value = "ND-2022-099"
        put(sheet, 10, "书记意见", "选定")

    found = compared(file, edited(file, edit))
    assert found.applied == ()
    assert [c.identity for c in found.conflicts] == ["ND-2022-002", "ND-2022-002", "ND-2022-099"]


def test_a_stale_workbook_is_refused_row_by_row_and_only_where_it_was_edited() -> None:
    old = sent_list()
    new = replace(old.sent, version="2")
    data = edited(old, lambda sheet: put(sheet, 3, "书记意见", "选定"))
    found = changes(new, back(data), sections=SECTIONS)
    assert found.applied == ()
    assert [conflict.identity for conflict in found.conflicts] == ["ND-2022-003"]
    assert "旧表" in found.conflicts[0].text


def test_what_others_changed_meanwhile_is_not_undone() -> None:
    file = sent_assignment()
    now = replace(
        file.sent,
        rows={**file.sent.rows, "ND-2022-001": {**file.sent.rows["ND-2022-001"], "牵头科室": "计划财务科"}},
    )

    def edit(sheet: Any) -> None:
        put(sheet, 1, "牵头科室", "安全管理科")
        put(sheet, 2, "牵头科室", "安全管理科")

    found = compared(file, edited(file, edit), current=now)
    assert [row.identity for row in found.applied] == ["ND-2022-002"]
    assert "已改为“计划财务科”" in found.conflicts[0].text


def test_a_workbook_that_answers_another_letter_is_refused() -> None:
    other = replace(sent_list().sent, about="QC-2022-02")
    assert changes(other, back(sent_list().data)).conflicts


def test_the_handling_sheet_brings_back_plan_visit_and_measures() -> None:
    file = sent_handling()

    def edit(sheet: Any) -> None:
        answer(sheet, "调研情况·根源", "线路老化")
        answer(sheet, "一线办理日期", "2022/3/8")
        answer(sheet, "一线办理结果", "制定解决方案")
        put(sheet, 1, "完成情况", None)
        put(sheet, 2, "任务措施", "检测照度")
        put(sheet, 2, "责任部门", "基础教育科")
        put(sheet, 2, "完成时限", "2022年4月15日")

    found = compared(file, edited(file, edit))
    assert found.conflicts == ()
    assert dict(found.fields) == {
        "调研情况·根源": "线路老化",
        "一线办理日期": "2022-03-08",
        "一线办理结果": "制定解决方案",
    }
    assert [dict(row.cells)["任务措施"] for row in found.tables["任务措施"]] == ["更换灯具", "检测照度"]
    assert found.tables["任务措施"][1].cells["完成时限"] == "2022-04-15"


def test_returned_measures_keep_what_was_known_of_them() -> None:
    file = sent_handling()
    before = (Measure("更换灯具", "计划财务科", date(2022, 4, 1), id=7),)

    def edit(sheet: Any) -> None:
        put(sheet, 1, "完成情况", "已换120盏")
        put(sheet, 2, "任务措施", "检测照度")
        put(sheet, 2, "责任部门", "基础教育科")
        put(sheet, 2, "完成时限", "2022-04-15")

    table = compared(file, edited(file, edit)).tables["任务措施"]
    assert returned_measures(table, before) == (
        Measure("更换灯具", "计划财务科", date(2022, 4, 1), id=7, completion="已换120盏"),
        Measure("检测照度", "基础教育科", date(2022, 4, 15)),
    )


def test_a_half_written_measure_is_refused() -> None:
    file = sent_handling()
    found = compared(file, edited(file, lambda sheet: put(sheet, 2, "任务措施", "检测照度")))
    assert "任务措施" not in found.tables
    assert any("责任部门" in conflict.text for conflict in found.conflicts)


def test_clues_are_filed_once_though_the_register_comes_twice() -> None:
    file = clue_register("XS-2022-01")

    def edit(sheet: Any) -> None:
        put(sheet, 1, "来源", "12345热线")
        put(sheet, 1, "难点问题", "校门口拥堵")
        put(sheet, 2, "来源", "听说的")
        put(sheet, 2, "难点问题", "食堂排队")
        put(sheet, 3, "难点问题", "没有来源")

    data = edited(file, edit)
    first, second = compared(file, data), compared(file, data)
    assert [(row.identity, row.cells["难点问题"]) for row in first.applied] == [
        ("XS-2022-01-01", "校门口拥堵")
    ]
    assert [row.identity for row in second.applied] == ["XS-2022-01-01"]
    assert [conflict.identity for conflict in first.conflicts] == ["XS-2022-01-02", "XS-2022-01-03"]


@pytest.mark.parametrize(
    "text", [HOSTILE, "+1+1", "-2+3", "@SUM(1)", "\t=1", "=cmd|' /C calc'!A0", "\x00坏\x0b字"]
)
def test_no_text_from_a_mail_becomes_a_formula(text: str) -> None:
    hostile = replace(PROBLEMS[0], problem=text, details=text, reporting_unit=text, remarks=text)
    for file in (
        problem_list("QC-2022-01", 1, [list_row(1, hostile, text)]),
        assignment_sheet("QC-2022-01", 1, [assignment_row(1, hostile, "转办", text)], [text]),
        handling_sheet(replace(hostile, handling={"工作方案": text}), 1, text),
    ):
        with zipfile.ZipFile(io.BytesIO(file.data)) as archive:
            for name in archive.namelist():
                if name.startswith("xl/worksheets/"):
                    assert b"<f>" not in archive.read(name)
        assert compared(file, file.data).nothing


def test_only_the_yellow_cells_can_be_edited() -> None:
    for make in ALL:
        file = make()
        sheet = openpyxl.load_workbook(io.BytesIO(file.data)).worksheets[0]
        assert sheet.protection.sheet
        layout = LAYOUTS[file.sent.kind]
        heading, _ = column_of(sheet, layout.columns[0].heading)
        for column in layout.columns if sheet.max_row > heading else ():
            _, place = column_of(sheet, column.heading)
            assert sheet.cell(row=heading + 1, column=place).protection.locked is not column.editable


def test_a_formula_that_was_never_calculated_is_not_an_empty_cell() -> None:
    file = sent_assignment()
    found = compared(file, edited(file, lambda sheet: put(sheet, 1, "牵头科室", "=C5")))
    assert found.applied == ()
    assert found.conflicts[0].identity == "ND-2022-001"


def test_a_lost_document_property_is_made_good_by_the_hidden_sheet() -> None:
    book: Any = openpyxl.load_workbook(io.BytesIO(sent_list().data))
    book.custom_doc_props.props.clear()
    stream = io.BytesIO()
    book.save(stream)
    assert back(stream.getvalue()).about == "QC-2022-01"


def test_foreign_and_broken_files_are_nobodys_order() -> None:
    foreign = openpyxl.Workbook()
    stream = io.BytesIO()
    foreign.save(stream)
    assert returned(stream.getvalue(), "x.xlsx") is None
    data = sent_list().data
    for broken in (b"", b"PK", b"PK\x03\x04junk", data[:2000], data[: len(data) // 2]):
        assert returned(broken, "x.xlsx") is None


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 20_000), st.binary(min_size=1, max_size=40))
def test_a_damaged_workbook_never_fails(place: int, junk: bytes) -> None:
    data = SAMPLE[: place % len(SAMPLE)] + junk + SAMPLE[place % len(SAMPLE) + len(junk) :]
    found = returned(data, "x.xlsx")
    assert found is None or found.kind == "problem_list"


SAMPLE = sent_list().data


# --- through LibreOffice -----------------------------------------------------------------------


@pytest.fixture(scope="module")
def resaved(tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    """Each workbook, edited, then opened and saved by LibreOffice."""
    folder = tmp_path_factory.mktemp("libreoffice")
    made = {
        "list": edited(sent_list(), lambda sheet: put(sheet, 3, "书记意见", "选定")),
        "assignment": edited(sent_assignment(), _edit_assignment),
        "handling": edited(sent_handling(), lambda sheet: answer(sheet, "办理进展", "已完成一半\n月底装完")),
        "clues": edited(clue_register("XS-2022-01"), _edit_clues),
    }
    for name, data in made.items():
        (folder / f"{name}.xlsx").write_bytes(data)
    convert(folder, "xlsx", [folder / f"{name}.xlsx" for name in made])
    return {name: (folder / "out" / f"{name}.xlsx").read_bytes() for name in made}


def convert(folder: Path, to: str, files: list[Path]) -> None:
    subprocess.run(
        [
            *("soffice", f"-env:UserInstallation=file://{folder}/profile", "--headless"),
            *("--convert-to", to, "--outdir", str(folder / "out"), *map(str, files)),
        ],
        check=True,
        capture_output=True,
        timeout=120,
    )


def _edit_assignment(sheet: Any) -> None:
    put(sheet, 2, "牵头科室", "安全管理科")
    put(sheet, 5, "办结时限", date(2022, 5, 10))
    sort_rows(sheet)


def _edit_clues(sheet: Any) -> None:
    put(sheet, 1, "来源", "12345热线")
    put(sheet, 1, "难点问题", "校门口拥堵")
    put(sheet, 1, "收到日期", date(2022, 1, 5))


def test_the_problem_list_survives_libreoffice(resaved: dict[str, bytes]) -> None:
    found = compared(sent_list(), resaved["list"])
    assert [(row.identity, dict(row.cells)) for row in found.applied] == [
        ("ND-2022-003", {"书记意见": "选定"})
    ]
    assert found.conflicts == ()
    assert found.deleted == ()


def test_the_assignment_sheet_survives_sorting_and_libreoffice(resaved: dict[str, bytes]) -> None:
    found = compared(sent_assignment(), resaved["assignment"])
    assert {row.identity: dict(row.cells) for row in found.applied} == {
        "ND-2022-002": {"牵头科室": "安全管理科"},
        "ND-2022-005": {"办结时限": "2022-05-10"},
    }
    assert found.conflicts == ()


def test_the_handling_sheet_survives_libreoffice(resaved: dict[str, bytes]) -> None:
    found = compared(sent_handling(), resaved["handling"])
    assert dict(found.fields) == {"办理进展": "已完成一半\n月底装完"}
    assert found.conflicts == ()
    assert found.tables == {}


def test_the_clue_register_survives_libreoffice(resaved: dict[str, bytes]) -> None:
    found = compared(clue_register("XS-2022-01"), resaved["clues"])
    assert [(row.identity, dict(row.cells)) for row in found.applied] == [
        ("XS-2022-01-01", {"来源": "12345热线", "难点问题": "校门口拥堵", "收到日期": "2022-01-05"})
    ]


def test_both_identities_survive_libreoffice(resaved: dict[str, bytes]) -> None:
    for data in resaved.values():
        book: Any = openpyxl.load_workbook(io.BytesIO(data))
        assert [item.name for item in book.custom_doc_props.props] == ["djb-identity"]
        assert "djb" in book.sheetnames


def test_a_problem_is_a_problem() -> None:
    assert isinstance(PROBLEMS[0], Problem)
