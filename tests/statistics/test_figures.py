"""Sums, workbooks and the circular of a statistics period, read back with other means."""

from __future__ import annotations

import io
import json
import shutil
import subprocess
from dataclasses import replace
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import openpyxl
import pytest
from docx import Document
from hypothesis import given, settings, strategies as st

from daemon.circulars import OverdueMatter, circular_document, circular_paragraphs, circular_title
from daemon.figures import (
    Figures,
    School,
    Sum,
    changes,
    figures,
    figures_from_json,
    in_chinese,
    platforms,
    standing,
)
from daemon.model import ReturnState
from daemon.periods import Timeline
from daemon.returns import Counts, FiledReturn, Row
from daemon.statistics_workbooks import returns_workbook, rollup_workbook

SHANGHAI = ZoneInfo("Asia/Shanghai")
TIMELINE = Timeline()
JANUARY = TIMELINE.period("TJ-2022-01")
AS_OF = datetime(2022, 1, 12, 9, tzinfo=SHANGHAI)
SCHOOLS = (
    School(3, "贵港市望江中学"),
    School(1, "贵港市白鹭小学"),
    School(2, "贵港市青枫幼儿园"),
    School(9, "贵港市榕湖中学"),
)


def filed(unit_id: int, *counts: int, period: str = "TJ-2022-01", **other: Any) -> FiledReturn:
    due = TIMELINE.period(period).due
    name = next((school.name for school in SCHOOLS if school.unit_id == unit_id), f"第{unit_id}学校")
    branches, platform, sessions, solved = counts
    one = FiledReturn(
        period, unit_id, name, ReturnState.ACCEPTED, 1,
        datetime(due.year, due.month, due.day, 10, tzinfo=SHANGHAI),
        (Row(name, branches, platform, sessions, solved),),
    )  # fmt: skip
    return replace(one, **other)


RETURNS = (
    filed(3, 5, 1, 2, 8, version=1, superseded=True),
    filed(3, 5, 1, 3, 7, version=2),
    filed(1, 2, 0, 0, 0, state=ReturnState.LATE, late=True),
    filed(2, 1, 1, 2, 4, state=ReturnState.RETURNED),
    filed(77, 1, 1, 2, 1),
    filed(3, 5, 1, 2, 1, period="TJ-2021-11"),
    filed(1, 2, 0, 2, 1, period="TJ-2021-11"),
    filed(3, 4, 1, 1, 3, period="TJ-2021-01"),
)


def january(returns: tuple[FiledReturn, ...] = RETURNS, **other: Any) -> Figures:
    return figures(JANUARY, SCHOOLS, returns, TIMELINE, AS_OF, **other)


def load(data: bytes, *, values: bool = False) -> Any:
    return openpyxl.load_workbook(io.BytesIO(data), data_only=values)


def lines(sheet: Any) -> list[tuple[Any, ...]]:
    return [tuple(row) for row in sheet.iter_rows(min_row=4, values_only=True)]


def test_schools_stand_in_the_order_of_the_directory_and_those_that_left_it_come_last() -> None:
    found = january()
    assert [school.unit_id for school in found.schools] == [3, 1, 2, 9, 77]
    assert [school.in_directory for school in found.schools] == [True, True, True, True, False]


def test_only_the_version_that_stands_is_summed() -> None:
    total = january().total
    assert total.counts == Counts(8, 2, 5, 8)
    assert (total.expected, total.filed, total.late) == (4, 2, 1)
    assert total.rate == 0.5


def test_a_form_that_went_back_is_missing_and_said_to_be_under_correction() -> None:
    found = january()
    assert [(school.name, school.state) for school in found.missing] == [
        ("贵港市青枫幼儿园", ReturnState.RETURNED),
        ("贵港市榕湖中学", ReturnState.MISSING),
    ]
    assert [school.name for school in found.late] == ["贵港市白鹭小学"]


def test_the_period_is_compared_with_the_last_one_and_the_same_one_last_year() -> None:
    found = january()
    assert found.previous is not None and found.last_year is not None
    assert (found.previous.period, found.previous.counts) == ("TJ-2021-11", Counts(7, 1, 4, 2))
    assert (found.last_year.period, found.last_year.counts) == ("TJ-2021-01", Counts(4, 1, 1, 3))
    assert [one.period for one in found.trend] == ["TJ-2021-01", "TJ-2021-11", "TJ-2022-01"]


def test_doubtful_figures_are_named_beside_the_school() -> None:
    found = january(ledger_solved={3: 9})
    doubts = {school.name: "".join(school.doubts) for school in found.doubtful}
    assert "台账" in doubts["贵港市望江中学"] and "变化较大" in doubts["贵港市望江中学"]
    assert "少于 2 次" in doubts["贵港市白鹭小学"]


def test_figures_survive_being_stored() -> None:
    found = january(ledger_solved={3: 9})
    assert figures_from_json(json.loads(json.dumps(found.to_json()))) == found
    bare = figures(JANUARY, (), (), TIMELINE, AS_OF)
    assert figures_from_json(json.loads(json.dumps(bare.to_json()))) == bare
    with pytest.raises(KeyError):
        figures_from_json({"total": None})


def test_a_rollup_that_is_remade_says_what_changed() -> None:
    after = january((*RETURNS, filed(9, 3, 1, 2, 2, state=ReturnState.LATE, late=True)))
    assert changes(january(), after) == (
        "贵港市榕湖中学：未报 → 3 / 1 / 2 / 2",
        "合计党支部数：8 → 11",
        "合计建立平台数：2 → 3",
        "合计举办次数：5 → 7",
        "合计解决问题数量：8 → 10",
    )
    assert changes(after, january((*RETURNS[:4], *RETURNS[5:])))[-5] == "第77学校：不再列入"


def test_the_rollup_lists_every_school_and_sums_by_formula_what_the_daemon_summed_by_itself() -> None:
    data = rollup_workbook(january(), platforms(SCHOOLS, RETURNS, TIMELINE))
    book, shown = load(data), load(data, values=True)
    assert book.sheetnames == ["汇总", "未报", "迟报", "需核对", "趋势", "平台登记"]
    sheet = book["汇总"]
    assert [sheet.cell(row, 2).value for row in range(4, 9)] == [school.name for school in january().schools]
    assert [sheet.cell(9, column).value for column in (2, 3, 6)] == ["合计", "=SUM(C4:C8)", "=SUM(F4:F8)"]
    assert [shown["汇总"].cell(9, column).value for column in range(3, 7)] == [8, 2, 5, 8]
    assert [shown["汇总"].cell(10, column).value for column in range(3, 8)] == [8, 2, 5, 8, "一致"]
    assert "不再" not in str(lines(sheet))


def test_missing_late_and_doubtful_schools_have_sheets_of_their_own() -> None:
    book = load(rollup_workbook(january()))
    assert [line[1:3] for line in lines(book["未报"])] == [
        ("贵港市青枫幼儿园", "待补正"),
        ("贵港市榕湖中学", "未报"),
    ]
    assert [line[1] for line in lines(book["迟报"])] == ["贵港市白鹭小学"]
    assert "贵港市望江中学" in [line[1] for line in lines(book["需核对"])]
    assert len(book["趋势"]._charts) == 2


def test_when_nobody_is_missing_the_sheet_says_so() -> None:
    everybody = tuple(filed(school.unit_id, 1, 1, 2, 2) for school in SCHOOLS)
    book = load(rollup_workbook(january(everybody)))
    assert "全部单位均已报送" in str(lines(book["未报"]))
    assert "无" in str(lines(book["迟报"]))


def test_the_circulars_workbook_does_not_carry_what_only_the_office_should_see() -> None:
    assert load(rollup_workbook(january(), for_circular=True)).sheetnames == ["汇总", "未报", "迟报"]


def test_every_sheet_prints_on_a4_across_with_its_headings_on_every_page() -> None:
    book = load(rollup_workbook(january()))
    for sheet in book:
        assert (int(sheet.page_setup.paperSize), sheet.page_setup.orientation) == (9, "landscape")
        assert sheet.page_setup.fitToWidth == 1 and sheet.sheet_properties.pageSetUpPr.fitToPage
        assert sheet.print_title_rows == "$3:$3"
        assert sheet.freeze_panes in ("A4", "C4")


hostile = st.text(st.characters(codec="utf-8"), max_size=12).flatmap(
    lambda tail: st.sampled_from(
        ["=1+1", "+cmd|' /C calc'!A0", "-2", "@SUM(A1)", "\t=1", "#N/A", "", "{=1}"]
    ).map(lambda head: head + tail)
)


@settings(max_examples=40, deadline=None)
@given(hostile, hostile)
def test_no_text_from_a_mail_ever_becomes_a_formula(name: str, remark: str) -> None:
    rows = (Row(name, 1, 1, 2, 2, remarks=remark),)
    one = replace(filed(1, 1, 1, 2, 2), unit_name=name, rows=rows, contact_name=remark, contact_phone=name)
    found = figures(JANUARY, (School(1, name),), (one,), TIMELINE, AS_OF)
    registry = platforms((School(1, name),), (one,), TIMELINE)
    for data in (rollup_workbook(found, registry), returns_workbook(found.trend, (one,), registry, SHANGHAI)):
        for sheet in load(data):
            formulas = [cell.value for row in sheet.iter_rows() for cell in row if cell.data_type in "fe"]
            assert all(str(formula).startswith(("=SUM(", "=IF(AND(")) for formula in formulas)
            assert len(formulas) == (5 if sheet.title == "汇总" else 0)
    assert circular_document(found, name, date(2022, 1, 13))


def test_the_export_holds_every_version_of_every_period() -> None:
    found = january()
    data = returns_workbook(found.trend, RETURNS, platforms(SCHOOLS, RETURNS, TIMELINE), SHANGHAI)
    book = load(data)
    assert book.sheetnames == ["历期汇总", "平台登记", "明细"]
    detail = lines(book["明细"])
    assert len(detail) == len(RETURNS)
    counted = [line for line in detail if line[10] == "是" and line[0] == "TJ-2022-01"]
    assert sum(line[5] for line in counted) == found.total.counts.sessions_held
    assert [line[0] for line in lines(book["历期汇总"])[:3]] == ["TJ-2021-01", "TJ-2021-11", "TJ-2022-01"]


def test_an_empty_history_still_gives_workbooks() -> None:
    bare = figures(JANUARY, (), (), TIMELINE, AS_OF)
    assert load(rollup_workbook(bare)).sheetnames[0] == "汇总"
    assert load(returns_workbook((), (), (), SHANGHAI)).sheetnames == ["历期汇总", "平台登记", "明细"]


def test_the_registry_says_since_when_a_school_has_its_platform_and_how_active_it_is() -> None:
    wang_jiang, bai_lu, _, rong_hu = platforms(SCHOOLS, RETURNS, TIMELINE, {9: date(2021, 6, 1)})
    assert wang_jiang.since == date(2021, 1, 5)
    assert dict(wang_jiang.activity) == {"TJ-2021-01": 0.5, "TJ-2021-11": 1.0, "TJ-2022-01": 1.5}
    assert bai_lu.since is None
    assert rong_hu.since == date(2021, 6, 1)
    assert dict(rong_hu.activity)["TJ-2022-01"] is None
    # Of the two that never filed nobody knows: they are not named.
    assert january().without_platform == ("贵港市白鹭小学",)


def test_returns_of_no_known_school_are_in_no_sum() -> None:
    stray = replace(filed(1, 9, 9, 9, 9), unit_id=None)
    assert standing((stray,)) == {}
    assert january((*RETURNS, stray)).total == january().total


def test_a_period_is_called_by_its_month_and_what_it_covers() -> None:
    assert in_chinese("TJ-2022-01", TIMELINE) == "2022年1月期（2021年11月至12月）"


def test_the_circular_names_the_figures_the_missing_and_the_late() -> None:
    matter = OverdueMatter("ND-2021-003", "校门口交通拥堵", "安全科", date(2021, 12, 30), 6)
    data = circular_document(january(), "中共贵港市委教育工委办公室", date(2022, 1, 13), [matter])
    document = Document(io.BytesIO(data))
    text = "\n".join(paragraph.text for paragraph in document.paragraphs)
    assert circular_title(january()) == "关于2021年11月至12月“难点问题书记一线办”开展情况的通报"
    for words in (
        "应报送学校 4 所，已报送 2 所，其中按时报送 1 所、迟报 1 所；未报送 1 所；已来件、待补正 1 所。",
        "举办“难点问题书记一线办”活动 5 次，解决问题 8 个",
        "未按要求报送的学校（1 所）：贵港市榕湖中学。",
        "已来件、尚未补正的学校（1 所）：贵港市青枫幼儿园。",
        "与上期（2 所学校报送）相比，举办活动增加 1 次，解决问题增加 6 个",
        "ND-2021-003“校门口交通拥堵”（承办：安全科），应于2021年12月30日前办结，已逾期 6 个工作日。",
        "中共贵港市委教育工委办公室",
        "2022年1月13日",
    ):
        assert words in text
    assert "送审稿" not in text
    cells = [[cell.text for cell in row.cells] for row in document.tables[0].rows]
    assert cells[-1] == ["", "合计", "8", "2", "5", "8", ""]
    assert len(cells) == 2 + len(january().schools)


def test_no_circular_names_a_school_whose_form_or_word_is_still_looked_into() -> None:
    held = (filed(3, 5, 1, 3, 7), filed(1, 2, 1, 2, 2), filed(2, 1, 1, 2, 4, state=ReturnState.HELD))
    found = figures_from_json(json.loads(json.dumps(january(held, claimed={9}).to_json())))
    text = "\n".join(paragraph.text for paragraph in circular_paragraphs(found))
    assert "未报送 0 所；已来件或者声明已报、正在核实 2 所" in text
    assert not any(name in text for name in ("青枫幼儿园", "榕湖中学", "未按要求", "立即填报"))
    rows = lines(load(rollup_workbook(found))["未报"])
    assert [row[-1] for row in rows if row[1] in ("贵港市青枫幼儿园", "贵港市榕湖中学")] == [
        "已报来，待工委办核实后登记",
        "声明已报，待工委办核对",
    ]


def test_a_draft_of_the_circular_says_that_it_is_one() -> None:
    data = circular_document(january(), "工委办", date(2022, 1, 13), draft="circular:TJ-2022-01:K7Q4")
    assert Document(io.BytesIO(data)).paragraphs[0].text == "（送审稿）"


def test_a_circular_without_shortcomings_blames_nobody() -> None:
    everybody = tuple(filed(school.unit_id, 1, 1, 2, 2) for school in SCHOOLS)
    texts = [paragraph.text for paragraph in circular_paragraphs(january(everybody))]
    assert any(text.endswith("全部按时报送。") for text in texts)
    assert "无。" in texts
    assert not any("未按要求" in text or "立即填报" in text for text in texts)


@pytest.mark.skipif(shutil.which("soffice") is None, reason="LibreOffice is not installed")
def test_a_spreadsheet_program_calculates_the_same_sums(tmp_path: Path) -> None:
    load(rollup_workbook(january())).save(tmp_path / "rollup.xlsx")  # saved again: without our own values
    profile = (tmp_path / "profile").as_uri()
    subprocess.run(
        ["soffice", f"-env:UserInstallation={profile}", "--headless", "--convert-to", "csv:Text - txt - csv (StarCalc):44,34,76", "--outdir", tmp_path,
         tmp_path / "rollup.xlsx"],
        check=True, capture_output=True, timeout=120,
    )  # fmt: skip
    shown = (tmp_path / "rollup.csv").read_text(encoding="utf-8").splitlines()
    assert next(line for line in shown if "合计" in line).startswith(",合计,8,2,5,8,")
    assert "一致" in next(line for line in shown if "系统核对数" in line)


counts = st.integers(0, 99)


@given(st.dictionaries(st.integers(1, 12), st.tuples(counts, counts, counts, counts)), st.integers(0, 8))
def test_the_sum_is_that_of_the_lines_whatever_was_filed(
    by_school: dict[int, tuple[int, int, int, int]], known: int
) -> None:
    schools = [School(number, f"第{number}学校") for number in range(1, known + 1)]
    returns = [filed(number, *line) for number, line in by_school.items()]
    found = figures(JANUARY, schools, returns, TIMELINE, AS_OF + timedelta(days=1))
    expected = [sum(line[n] for line in by_school.values()) for n in range(4)]
    assert list(found.total.counts.values) == expected
    assert found.total.filed + sum(s.in_directory for s in found.missing) == found.total.expected == known


def test_a_past_period_keeps_the_number_of_schools_that_it_had() -> None:
    before = Sum("TJ-2021-11", 3, 2, 0, Counts(7, 1, 4, 2))
    found = january(frozen={"TJ-2021-11": before})
    assert found.previous == before
    assert [one.expected for one in found.trend] == [4, 3, 4]
    assert found.total.expected == 4
