"""The directory knows whose address and which unit's name it is, and says when it does not."""

from __future__ import annotations

import io

import openpyxl
import pytest

from daemon.directory import Directory, read_workbook, write_workbook
from daemon.model import Unit, UnitKind

TOWN = (
    Unit(
        1,
        UnitKind.SCHOOL,
        "贵港市达观中学",
        ("达观中学", "达中"),
        "高红梅",
        ("shuji@daguan.test",),
        "马嘉慧",
        "0775-1234567",
        ("bgs@daguan.test", "shuji@daguan.test"),
        order=0,
    ),
    Unit(2, UnitKind.SCHOOL, "贵港市第三十一中学", ("三十一中",), addresses=("a@31.test",), order=1),
    Unit(3, UnitKind.SCHOOL, "贵港市第三十二中学", ("三十二中",), addresses=("a@32.test",), order=2),
    Unit(4, UnitKind.SECTION, "基础教育科", ("基教科",), addresses=("jjk@ju.test",), order=3),
    Unit(5, UnitKind.COMMITTEE_OFFICE, "工委办", addresses=("gwb@ju.test",), order=4),
)
DIRECTORY = Directory(TOWN)


@pytest.mark.parametrize(
    "name",
    [
        "贵港市达观中学",
        "达观中学",
        "达中",
        "贵港达观中学",
        " 贵港市 达观中学 ",
        "达观中学(东校区)",
        "达观中学本部",
    ],
)
def test_a_school_is_known_by_its_names(name: str) -> None:
    assert DIRECTORY.school(name).unit == TOWN[0]


@pytest.mark.parametrize("name", ["贵港市达关中学", "贵港市第三十中学", "三十三中", "基础教育科", ""])
def test_a_similar_name_is_never_taken_for_a_school(name: str) -> None:
    assert DIRECTORY.school(name).unit is None


def test_a_similar_name_suggests_the_school() -> None:
    assert DIRECTORY.school("贵港市达关中学").candidates[0] == TOWN[0]


def test_a_misspelt_name_is_known_only_where_no_other_school_is_as_near() -> None:
    assert DIRECTORY.is_misspelt("贵港市达关中学", TOWN[0])
    assert not DIRECTORY.is_misspelt("贵港市第三十中学", TOWN[1])


@pytest.mark.parametrize("name", ["基教科", "基础教育科(牵头)", "牵头基教科", "基础教育"])
def test_a_section_is_known_by_free_wording(name: str) -> None:
    assert DIRECTORY.section(name).unit == TOWN[3]


def test_any_address_of_an_entry_counts() -> None:
    assert DIRECTORY.at_address("SHUJI@daguan.test") == (TOWN[0],)
    assert DIRECTORY.at_address("nobody@x.test") == ()


def test_a_workbook_written_is_the_workbook_read() -> None:
    file = read_workbook(write_workbook(TOWN, {"贵港市达观中学": "=1+1"}))
    assert file.faults == ()
    assert [(u.kind, u.name, u.short_names, u.addresses) for u in file.units] == [
        (u.kind, u.name, u.short_names, u.addresses) for u in TOWN
    ]
    assert file.remarks == {"贵港市达观中学": "=1+1"}


def edited(sheet: str, cell: str, value: str | None) -> bytes:
    book = openpyxl.load_workbook(io.BytesIO(write_workbook(TOWN)))
    book[sheet][cell] = value
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


@pytest.mark.parametrize(
    ("sheet", "cell", "value", "fault"),
    [
        ("学校", "A2", None, "工作表“学校”第2行：缺少“名称”"),
        ("学校", "G3", "nobody", "工作表“学校”第3行：“邮箱”里的“nobody”不是邮箱地址"),
        ("学校", "B3", "达中", "的名称或简称重复：达中"),
        ("办公室", "A2", "门卫", "“角色”只能是"),
        ("学校", "G1", "信箱", "工作表“学校”：第1行缺少标题“邮箱”"),
    ],
)
def test_a_bad_row_is_named_by_sheet_and_row(sheet: str, cell: str, value: str | None, fault: str) -> None:
    assert fault in "\n".join(read_workbook(edited(sheet, cell, value)).faults)


def test_without_a_secretary_address_the_second_address_is_the_secretarys() -> None:
    units = {u.name: u for u in read_workbook(edited("学校", "D2", None)).units}
    assert units["贵港市达观中学"].head_addresses == ("shuji@daguan.test",)
    assert units["贵港市第三十一中学"].head_addresses == ("a@31.test",)


def test_a_file_that_is_no_workbook_is_said_to_be_so() -> None:
    assert "不是有效的 .xlsx" in read_workbook(b"PK\x03\x04 nonsense").faults[0]
