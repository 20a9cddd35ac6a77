"""Wordings and layouts of schools that no list foresaw: labels, sections, totals, dates, conflicts."""

from __future__ import annotations

from datetime import date

import pytest

from parsers import fields, read
from parsers.content import Limits
from tests.forms import office_files as o
from tests.forms.reading import doubts, of_word, only, verdict

U, P, C, T = o.UNIT, o.PRINCIPAL, o.CONTACT, o.PHONE
TABLE = o.table(o.PROBLEM_HEADINGS, (o.PROBLEM, o.DETAILS, o.levels(), ""))
HEAD = {"reporting_unit": U, "principal": P, "contact_name": C, "contact_phone": T}


@pytest.mark.parametrize(
    "line",
    [
        f"所在单位：{U}　　党总支书记：{P}　　报送人及电话：{C} {T}",
        f"填报党组织：{U}　　校长（书记）签字：{P}　　联系人及电话：{C} {T}",
        f"填报单位：{U}　　学校类型：公办　　分管领导：{P}　　联系人及电话：{C} {T}",
        f"填报单位∶{U}　　主要负责人签字∶{P}　　联系人及电话∶{C} {T}",
        f"填报单位（盖章）{U}　　主要负责人签字{P}　　联系人及电话{C} {T}",
        f"填报单位：“{U}”　　主要负责人签字：书记 {P}　　联系人及电话：{C} 手：{T}",
    ],
)
def test_reworded_heads_keep_every_value_apart(line: str) -> None:
    form = only(of_word(o.docx("难点问题报告表", line, TABLE)))
    assert dict(form.fields) == HEAD
    assert verdict(form) == "complete"


def test_an_unknown_label_never_becomes_part_of_the_school() -> None:
    head = f"填报单位：{U}　　学区主任：{P}　　联系人及电话：{C} {T}"
    assert only(of_word(o.docx("难点问题报告表", head, TABLE))).fields["reporting_unit"] == U


def test_values_on_the_line_below_their_labels_are_taken() -> None:
    lines = ("填报单位（盖章）：", U, "主要负责人签字：", P, "联系人及电话：", f"{C} {T}")
    assert dict(only(of_word(o.docx("难点问题报告表", *lines, TABLE))).fields) == HEAD


def test_a_blank_unit_does_not_take_the_line_below() -> None:
    form = only(of_word(o.docx("难点问题报告表", "填报单位：", "请认真填写", TABLE)))
    assert form.fields["reporting_unit"] is None


def test_another_school_named_below_the_table_is_doubted() -> None:
    form = only(of_word(o.docx("难点问题报告表", o.PROBLEM_HEAD, TABLE, "填报单位：贵港市松林中学")))
    assert "reporting_unit" in doubts(form)


def test_a_phone_with_its_own_word_stays_in_the_contact_cell() -> None:
    rows = (
        ("填报单位", U, "主要负责人签字", P),
        ("联系人及电话", f"{C} 办公室电话：0775-4560123 手机：{T}", "", ""),
    )
    form = only(of_word(o.docx("难点问题报告表", o.table(*rows), TABLE)))
    assert form.fields["contact_name"] == C
    assert form.fields["contact_phone"] == f"0775-4560123/{T}"


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("基教科、人事科等科室", ("基教科", "人事科")),
        ("安稳科、计财科两个科室", ("安稳科", "计财科")),
        ("安稳科（主办）计财科（协办）", ("安稳科(牵头)", "计财科")),
        ("：【基建科】", ("基建科",)),
    ],
)
def test_words_around_sections_are_no_sections(text: str, names: tuple[str, ...]) -> None:
    assert fields.sections(text) == names


@pytest.mark.parametrize(
    "headings",
    [
        ("工作难点", "具体问题及诉求", "需协调解决层级", "补充说明"),
        ("难点问题", "诉求及建议", "呈报层级", "说明"),
        ("难点问题", "意见建议", "反馈领导或科室", "其他情况"),
    ],
)
def test_reworded_headings_are_known(headings: tuple[str, ...]) -> None:
    table = o.table(headings, (o.PROBLEM, o.DETAILS, o.levels(), "已报编办"))
    item = only(of_word(o.docx("难点问题报告表", o.PROBLEM_HEAD, table))).items[0]
    assert (item["levels"], item["sections"], item["remarks"]) == (("section",), ("基建科",), "已报编办")


def test_a_filled_column_that_may_be_the_remarks_is_doubted() -> None:
    table = o.table((*o.PROBLEM_HEADINGS[:3], "涉及年级"), (o.PROBLEM, o.DETAILS, o.levels(), "六年级"))
    form = only(of_word(o.docx("难点问题报告表", o.PROBLEM_HEAD, table)))
    assert "problems[0].remarks" in doubts(form)


def test_a_ticked_sample_row_is_no_heading() -> None:
    sample = ("（示例）教学楼漏水", "具体情况……", o.levels("☑", "□", ""), "")
    table = o.table(o.PROBLEM_HEADINGS, sample, (o.PROBLEM, o.DETAILS, o.levels(), ""))
    form = only(of_word(o.docx("难点问题报告表", o.PROBLEM_HEAD, table)))
    assert [item["problem"] for item in form.items] == [o.PROBLEM]


def test_another_list_of_problems_is_no_report() -> None:
    table = o.table(("问题", "具体情况", "责任人"), ("消防栓无水", "二楼东侧", P))
    assert of_word(o.docx("安全隐患排查表", f"学校：{U}", table)) == ()


@pytest.mark.parametrize("total", ["合计（3个校区）", "Total", "合计："])
def test_totals_are_no_rows_however_they_are_called(total: str) -> None:
    rows = ((f"{U}(本部)", "2", "1", "2", "4", ""), (f"{U}(分校)", "1", "1", "2", "3", ""))
    form = only(of_word(o.statistics_docx(*rows, (total, "3", "2", "4", "7", ""))))
    assert len(form.items) == 2
    assert verdict(form) == "complete"


def test_a_total_beside_schools_in_columns_is_no_row() -> None:
    columns = (
        (f"{U}(本部)", "2", "1", "2", "4", ""),
        (f"{U}(分校)", "1", "1", "2", "3", ""),
        ("合计", "3", "2", "4", "7", ""),
    )
    table = o.table(*zip(o.STATISTICS_HEADINGS, *columns, strict=True))
    form = only(of_word(o.docx(o.STATISTICS_TITLE, o.STATISTICS_HEAD, table)))
    assert [item["unit"] for item in form.items] == [f"{U}(本部)", f"{U}(分校)"]
    assert form.fields["reporting_unit"] == U
    assert verdict(form) == "complete"


def test_a_count_merged_over_two_rows_is_doubted() -> None:
    rows = (
        (f"{U}(本部)", o.C("7", merge="restart"), "1", "2", "4", ""),
        (f"{U}(分校)", o.C("", merge="continue"), "1", "2", "3", ""),
    )
    form = only(of_word(o.docx(o.STATISTICS_TITLE, o.STATISTICS_HEAD, o.table(o.STATISTICS_HEADINGS, *rows))))
    assert {"rows[0].party_branches", "rows[1].party_branches"} <= doubts(form)


def test_a_row_of_measures_is_no_row_of_numbers() -> None:
    form = only(
        of_word(
            o.statistics_docx(("", "（个）", "（个）", "（次）", "（个）", ""), (U, "2", "1", "2", "5", ""))
        )
    )
    assert len(form.items) == 1


def test_a_year_in_digits_may_stand_before_chinese_months() -> None:
    assert fields.day("2022年一月四日").value == date(2022, 1, 4)


def test_who_filled_the_form_in_is_not_another_contact() -> None:
    foot = "填表人：黄大山　　电话：0775-4560000"
    assert dict(only(of_word(o.docx("难点问题报告表", o.PROBLEM_HEAD, TABLE, foot))).fields) == HEAD


@pytest.mark.parametrize("problem", ["例行维护经费不足", "示范行动经费不足", "参考数据陈旧", "如厕难"])
def test_a_problem_that_begins_like_a_sample_is_kept(problem: str) -> None:
    rows = ((problem, o.DETAILS, o.levels(), ""), (o.PROBLEM, o.DETAILS, o.levels(), ""))
    form = only(of_word(o.docx("难点问题报告表", o.PROBLEM_HEAD, o.table(o.PROBLEM_HEADINGS, *rows))))
    assert [item["problem"] for item in form.items] == [problem, o.PROBLEM]
    assert verdict(form) == "complete"


@pytest.mark.parametrize("details", ["负责人：何俊未到位。", "联系人：请与总务处联系，电话4567890"])
def test_details_that_begin_like_a_head_stay_details(details: str) -> None:
    rows = zip(o.PROBLEM_HEADINGS, (o.PROBLEM, details, o.levels(), ""), strict=True)
    form = only(of_word(o.docx("难点问题报告表", o.PROBLEM_HEAD, o.table(*rows))))
    assert dict(form.fields) == HEAD
    assert form.items[0]["details"] == fields.long_text(details)


@pytest.mark.parametrize("name", ["郑和", "和平", "何及", "施及人"])
def test_a_name_may_hold_a_word_for_and(name: str) -> None:
    assert fields.contact(f"{name} {T}").name.value == name


@pytest.mark.parametrize(
    "text", [f"黄大山和覃小雨 {T}", f"黄大山 和 覃小雨 {T}", f"黄大山{T}和覃小雨13912345678"]
)
def test_and_parts_two_names(text: str) -> None:
    assert fields.contact(text).name.value == "黄大山、覃小雨"


def test_a_phone_on_the_next_line_belongs_to_the_contact() -> None:
    lines = (f"填报单位：{U}　　主要负责人签字：{P}　　联系人及电话：{C}", T)
    assert dict(only(of_word(o.docx("难点问题报告表", *lines, TABLE))).fields) == HEAD


def test_options_that_a_narrow_column_breaks_are_whole() -> None:
    level = "□市委教育工委\n书记\n（√）市局相关科\n室，具体\n是基建科"
    item = only(of_word(o.problem_docx(level))).items[0]
    assert (item["levels"], item["sections"]) == (("section",), ("基建科",))


def test_a_filled_form_without_its_grid_goes_to_a_person() -> None:
    lines = (
        "难点问题报告表",
        o.PROBLEM_HEAD,
        "难点问题　具体内容及诉求　反馈层级　备注",
        o.PROBLEM,
        "基建科",
    )
    found = read.read(o.docx(*lines), "报告表.docx", Limits())
    assert found.verdict.value == "uncertain"
    assert "需人工查看" in (found.parts[0].reason or "")


PROMPTS = ["单击此处输入文字。", "（请填写具体内容及诉求）", "请在此处填写", "×××", "……", "待补充", "（略）"]


@pytest.mark.parametrize("prompt", PROMPTS)
def test_a_text_that_only_asks_for_one_is_doubted_wherever_it_stands(prompt: str) -> None:
    head = o.PROBLEM_HEAD.replace(U, prompt).replace(C, f"{prompt} ")
    table = o.table(o.PROBLEM_HEADINGS, (prompt, prompt, o.levels(sections="XX科"), ""))
    form = only(of_word(o.docx("难点问题报告表", head, table)))
    assert {"reporting_unit", "problems[0].problem", "problems[0].details"} <= doubts(form)
    assert {"problems[0].sections"} <= doubts(form)


@pytest.mark.parametrize("problem", ["请补充心理教师", "待遇偏低", "在此就读的留守儿童多", "略阳路校门拥堵"])
def test_a_problem_that_only_begins_like_a_prompt_is_kept(problem: str) -> None:
    table = o.table(o.PROBLEM_HEADINGS, (problem, o.DETAILS, o.levels(), ""))
    assert verdict(only(of_word(o.docx("难点问题报告表", o.PROBLEM_HEAD, table)))) == "complete"
