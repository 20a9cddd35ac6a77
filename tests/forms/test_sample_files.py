"""Files as schools' offices sent them in the sample mails, read as a careful clerk reads them."""

from __future__ import annotations

from pathlib import Path

import pytest

from parsers import extract, html, sheet, word
from parsers.content import Unreadable
from parsers.values import Form
from tests.forms.reading import LIMITS, only, verdict

FILES = Path(__file__).parent / "files"


def read(name: str) -> tuple[Form, ...]:
    data = (FILES / name).read_bytes()
    reader = {
        ".docx": word.content,
        ".xlsx": sheet.xlsx_content,
        ".csv": sheet.csv_content,
        ".html": html.html_content,
    }[Path(name).suffix]
    return extract.forms(reader(data, LIMITS), name)


HEADS = {
    "vertical.docx": ("贵港市榕湖小学", "朱倩", "周锦涛", "15089561024"),
    "symbol_font.docx": ("贵港市第三十一中学", "朱雅婷", "胡红梅", "13850007989"),
    "tracked_changes.docx": ("贵港市糖厂路小学", "马月娥", "高倩", "13309075176"),
    "text_box.docx": ("贵港市翰林高级中学", "高晓琳", "何家豪", "15042119133"),
    "pasted.html": ("贵港市榕湖小学", "朱锦涛", "马泽宇", "13682224453"),
}
PROBLEMS = {
    "vertical.docx": [("无障碍设施缺失", ("section",), ("基建科", "计财科"))],
    "symbol_font.docx": [("实验室危化品存放不规范", ("section",), ("安稳科",))],
    "tracked_changes.docx": [("午休场所不足", ("section",), ("计划财务科",))],
    "text_box.docx": [("校内道路积水", ("secretary",), ())],
    "pasted.html": [
        ("音体美教师不足", ("secretary",), ()),
        ("实验室危化品存放不规范", ("section",), ("安全稳定科",)),
    ],
}


@pytest.mark.parametrize("name", HEADS)
def test_a_report_is_read_as_the_clerk_reads_it(name: str) -> None:
    form = only(read(name))
    assert tuple(form.fields.values()) == HEADS[name]
    assert [(i["problem"], i["levels"], i["sections"]) for i in form.items] == PROBLEMS[name]
    assert verdict(form) == "complete"
    assert "被删掉的话" not in repr(form)


ROWS = {
    "campuses.docx": [(4, 4, 2, 4), (3, 4, 2, 9), (1, 1, 4, 3)],
    "hidden_row.xlsx": [(2, 2, 2, 2)],
    "gbk.csv": [(2, 2, 4, 6)],
}


@pytest.mark.parametrize("name", ROWS)
def test_a_return_is_read_as_the_clerk_reads_it(name: str) -> None:
    form = only(read(name))
    counts = ("party_branches", "platforms", "sessions_held", "problems_solved")
    assert [tuple(item[count] for count in counts) for item in form.items] == ROWS[name]
    assert verdict(form) == "complete"


def test_an_unrelated_file_is_no_form_and_a_truncated_one_unreadable() -> None:
    assert read("unrelated.docx") == ()
    with pytest.raises(Unreadable):
        read("truncated.docx")
