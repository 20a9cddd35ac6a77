"""What people do besides: tables cut in two, posts beside names, rows between rows, schools side by side."""

from __future__ import annotations

import pytest

from tests.forms import office_files as o
from tests.forms.office_files import C
from tests.forms.reading import doubts, of_text, of_word, of_xlsx, only, verdict

U, P, T = o.UNIT, o.PRINCIPAL, o.PHONE
H, S = o.PROBLEM_HEADINGS, o.STATISTICS_HEADINGS
ROW = (o.PROBLEM, o.DETAILS, o.levels(), "")
GOOD = (U, "3", "1", "2", "5", "")


def report(*blocks: str | o.Xml, head: str = o.PROBLEM_HEAD) -> bytes:
    return o.docx("附件1", "难点问题报告表", head, *blocks, o.PROBLEM_NOTE)


def test_a_table_cut_in_two_goes_on() -> None:
    form = only(
        of_word(
            report(
                o.table(H, ROW), o.paragraph(""), o.table(("缺教师", "缺3人。", o.levels("☑", "□", ""), ""))
            )
        )
    )
    assert [item["problem"] for item in form.items] == [o.PROBLEM, "缺教师"]
    assert verdict(form) == "complete"


def test_another_table_below_the_form_is_not_its_continuation() -> None:
    budget = o.table(("项目", "单价", "数量", "金额"), ("砖", "1", "2", "3"))
    form = only(of_word(report(o.table(H, ROW), "附：经费预算", budget)))
    assert form.items[0]["problem"] == o.PROBLEM
    assert len(form.items) == 1 or verdict(form) != "complete"


def test_a_head_line_between_rows_loses_no_row() -> None:
    rows = (H, ROW, (C(f"主要负责人签字：{P}", span=4),), ("缺教师", "缺3人。", o.levels(), ""))
    form = only(of_word(report(o.table(*rows), head=f"填报单位：{U}　联系人及电话：{o.CONTACT}{T}")))
    assert [item["problem"] for item in form.items] == [o.PROBLEM, "缺教师"]
    assert form.fields["principal"] == P


def test_details_that_begin_with_an_example_are_details() -> None:
    form = only(of_word(report(o.table(H, (o.PROBLEM, "例如：北墙倒塌。", o.levels(), "")))))
    assert form.items[0]["details"] == "例如：北墙倒塌。"
    assert verdict(form) == "complete"


def test_a_problem_about_totals_is_no_total() -> None:
    form = only(of_word(report(o.table(H, ("经费缺口合计", o.DETAILS, o.levels(), "")))))
    assert form.items[0]["problem"] == "经费缺口合计"


def test_two_columns_for_one_count_are_a_doubt() -> None:
    headings = ("单位名称", "党支部数", "平台数", "举办次数", "3月举办次数", "解决问题数量")
    form = only(
        of_word(
            o.docx(o.STATISTICS_TITLE, o.STATISTICS_HEAD, o.table(headings, (U, "3", "1", "2", "1", "5")))
        )
    )
    assert "rows[0].sessions_held" in doubts(form)


def test_unsolved_problems_are_not_the_solved_ones() -> None:
    headings = ("单位名称", "党支部数", "平台数", "举办次数", "解决问题数量", "未解决问题数量", "备注")
    form = only(
        of_word(
            o.docx(o.STATISTICS_TITLE, o.STATISTICS_HEAD, o.table(headings, (U, "3", "1", "2", "5", "9", "")))
        )
    )
    assert form.items[0]["problems_solved"] == 5
    assert any("未解决" in f.text for f in form.findings)


def test_ditto_marks_are_a_doubt() -> None:
    form = only(of_word(o.statistics_docx(GOOD, ("同上", "1", "1", "2", "3", ""))))
    assert "rows[1].unit" in doubts(form)


CONTACTS = [
    ("办公室 覃小雨 13812345678", "覃小雨", True),
    ("覃小雨（办公室）13812345678", "覃小雨", True),
    ("覃小雨（微信同号）13812345678", "覃小雨", True),
    ("覃小雨 13812345678 QQ：12345678", "覃小雨", True),
    ("覃小雨 13812345678 邮箱：abc@163.com", "覃小雨", True),
    ("覃小雨 13812345678 传真：4561234", "覃小雨", True),
    ("覃主任 13812345678", "覃主任", True),
    ("办公室覃小雨 13812345678", "办公室覃小雨", False),
    ("荷塘小学覃小雨 13812345678", "荷塘小学覃小雨", False),
]


@pytest.mark.parametrize(("written", "name", "certain"), CONTACTS)
def test_posts_and_other_addresses_are_no_names(written: str, name: str, certain: bool) -> None:
    form = only(of_word(o.problem_docx(head=f"填报单位：{U}　主要负责人签字：{P}　联系人及电话：{written}")))
    assert (form.fields["contact_name"], form.fields["contact_phone"]) == (name, T)
    assert (verdict(form) == "complete") is certain


SIGNATURES = [
    ("韦青山", True),
    ("韦 青 山", True),
    ("韦青山（校长）", True),
    ("韦青山 2022年1月4日", True),
    ("韦青山　　年　月　日", True),
    ("（签字）韦青山", True),
    ("韦青山（已签）", False),
    ("同意上报。韦青山", False),
    ("XXX", False),
]


@pytest.mark.parametrize(("written", "certain"), SIGNATURES)
def test_a_signature_is_a_name_or_a_doubt(written: str, certain: bool) -> None:
    form = only(
        of_word(
            o.problem_docx(head=f"填报单位：{U}　联系人及电话：{o.CONTACT}{T}　主要负责人签字：{written}")
        )
    )
    if certain:
        assert form.fields["principal"] == P
        assert verdict(form) == "complete", form.findings
    else:
        assert form.fields["principal"] == P or "principal" in doubts(form)


def test_schools_in_one_table_are_forms_of_their_own() -> None:
    headings = ("序号", "填报单位", *H, "联系人", "联系电话")
    rows = (
        ("1", "贵港市甲小学", *ROW, "韦一", "13812345671"),
        ("2", "贵港市乙小学", "缺教师", "缺3人。", o.levels(), "", "黄二", "13812345672"),
    )
    forms = of_word(o.docx("难点问题报告表", o.table(headings, *rows)))
    assert [form.fields["reporting_unit"] for form in forms] == ["贵港市甲小学", "贵港市乙小学"]
    assert [form.fields["contact_phone"] for form in forms] == ["13812345671", "13812345672"]
    assert [form.items[0]["problem"] for form in forms] == [o.PROBLEM, "缺教师"]


def test_one_head_for_both_tables_serves_both() -> None:
    head = f"填报单位：{U}　填报时间：2022年1月4日　主要负责人签字：{P}　联系人及电话：{o.CONTACT}{T}"
    first, second = of_word(
        o.docx(head, "附件1 难点问题报告表", o.table(H, ROW), "附件2 开展情况统计表", o.table(S, GOOD))
    )
    assert first.fields["reporting_unit"] == U
    assert second.fields["reporting_unit"] == U or "reporting_unit" in doubts(second)


def test_a_unit_merged_over_two_rows_is_said() -> None:
    rows = (
        (C(U, merge="restart"), "3", "1", "2", "5", "本部"),
        (C("", merge="continue"), "1", "1", "2", "3", "分校"),
    )
    form = only(of_word(o.docx(o.STATISTICS_TITLE, o.STATISTICS_HEAD, o.table(S, *rows))))
    assert [item["party_branches"] for item in form.items] == [3, 1]
    assert "rows[1].unit" in doubts(form)


def test_a_value_cell_merged_over_two_columns_is_a_doubt() -> None:
    form = only(
        of_word(o.docx(o.STATISTICS_TITLE, o.STATISTICS_HEAD, o.table(S, (U, C("3", span=2), "2", "5", ""))))
    )
    assert verdict(form) != "complete"


def test_levels_split_into_two_cells_are_one_field() -> None:
    rows = (
        (H[0], H[1], C(H[2], span=2), H[3]),
        (o.PROBLEM, o.DETAILS, "□市委教育工委书记", "☑市局相关科室，具体是基建科", ""),
    )
    form = only(of_word(report(o.table(*rows))))
    assert (form.items[0]["levels"], form.items[0]["sections"]) == (("section",), ("基建科",))
    assert verdict(form) == "complete"


def test_pairs_of_labels_side_by_side_are_read() -> None:
    rows = (
        ("单位名称", C(U, span=3)),
        ("党支部数", "3", "平台数", "1"),
        ("举办次数", "2", "解决问题数量", "5"),
        ("备注", C("", span=3)),
    )
    form = only(of_word(o.docx(o.STATISTICS_TITLE, o.STATISTICS_HEAD, o.table(*rows))))
    assert [
        form.items[0][name] for name in ("party_branches", "platforms", "sessions_held", "problems_solved")
    ] == [3, 1, 2, 5]
    assert verdict(form) == "complete", form.findings


def test_a_form_and_its_copy_on_two_sheets_are_two() -> None:
    def edit(workbook: object) -> None:
        other = workbook.create_sheet("乙校")  # type: ignore[attr-defined]
        head = ("填报单位：贵港市乙小学", None, "填报时间：2022年1月4日", "联系人及电话：黄二 13912345678")
        for row in o.statistics_rows(("贵港市乙小学", 1, 1, 2, 2, None), head=head):
            other.append(list(row))

    forms = of_xlsx(o.xlsx(*o.statistics_rows((U, 3, 1, 2, 5, None)), edit=edit, title="甲校"))
    assert [form.fields["reporting_unit"] for form in forms] == [U, "贵港市乙小学"]


@pytest.mark.parametrize("unit", ["××中学", "XX学校", "某某小学", "○○小学"])
def test_a_sample_unit_left_in_the_head_is_a_doubt(unit: str) -> None:
    form = only(
        of_word(o.problem_docx(head=f"填报单位：{unit}　主要负责人签字：{P}　联系人及电话：{o.CONTACT}{T}"))
    )
    assert "reporting_unit" in doubts(form)


def test_several_problems_in_one_cell_are_a_doubt() -> None:
    form = only(of_word(report(o.table(H, ("1.围墙倒塌\n2.缺教师", "1.北墙。\n2.缺3人。", o.levels(), "")))))
    assert "problems[0].problem" in doubts(form)


def test_a_row_without_label_goes_on_with_the_row_above() -> None:
    rows = (
        ("难点问题", C(o.PROBLEM, span=2)),
        ("具体内容及诉求", C(o.DETAILS, span=2)),
        ("反馈层级", "市委教育工委书记", ""),
        ("", "市局相关科室，具体是基建科", "√"),
        ("备注", C("", span=2)),
    )
    form = only(of_word(report(o.table(*rows))))
    assert (form.items[0]["levels"], form.items[0]["sections"]) == (("section",), ("基建科",))


@pytest.mark.parametrize("mark", ["示例", "（示例）", "例", "示例，填写时删除"])
def test_a_row_marked_as_sample_in_any_cell_is_left_out(mark: str) -> None:
    form = only(of_word(o.statistics_docx(("贵港市第一小学", "9", "9", "9", "9", mark), GOOD)))
    assert [item["party_branches"] for item in form.items] == [3]


def test_rows_that_part_another_row_are_a_doubt() -> None:
    rows = (
        (U, "4", "2", "4", "8", ""),
        ("其中：本部", "3", "1", "2", "5", ""),
        ("东校区", "1", "1", "2", "3", ""),
    )
    assert "rows[1].unit" in doubts(only(of_word(o.statistics_docx(*rows))))


def test_a_typed_return_without_unit_is_the_reporting_units() -> None:
    text = f"填报单位：{U}\n填报时间：2022年1月4日\n联系人及电话：{o.CONTACT} {T}\n1.党支部数：3\n2.平台数：1\n3.举办次数：2\n4.解决问题数量：5\n谢谢！\n{U}\n2022年1月4日"
    form = only(of_text(text))
    assert tuple(form.items[0].values()) == (U, 3, 1, 2, 5, None)
    assert not form.incomplete


@pytest.mark.parametrize(
    "numbers",
    [("1", "2", "3", "4", "5", "6"), ("甲", "1", "2", "3", "4", "5"), ("A", "B", "C", "D", "E", "F")],
)
def test_a_row_that_numbers_the_columns_is_no_row(numbers: tuple[str, ...]) -> None:
    form = only(of_word(o.docx(o.STATISTICS_TITLE, o.STATISTICS_HEAD, o.table(S, numbers, GOOD))))
    assert [item["unit"] for item in form.items] == [U]


def test_two_forms_on_one_sheet_are_two() -> None:
    rows = [
        ("附件1",),
        ("难点问题报告表",),
        (o.PROBLEM_HEAD,),
        H,
        ROW,
        (o.PROBLEM_NOTE,),
        (),
        *o.statistics_rows((U, 3, 1, 2, 5, None)),
    ]
    first, second = of_xlsx(o.xlsx(*rows))
    assert (len(first.items), len(second.items)) == (1, 1)
    assert (verdict(first), verdict(second)) == ("complete", "complete")


def test_levels_in_two_rows_that_are_not_merged_belong_together() -> None:
    rows = (H, (o.PROBLEM, o.DETAILS, "□市委教育工委书记", ""), ("", "", "☑市局相关科室，具体是基建科", ""))
    form = only(of_word(report(o.table(*rows))))
    assert [(item["levels"], item["sections"]) for item in form.items] == [(("section",), ("基建科",))]


def test_a_remark_below_the_only_row_is_its_remark() -> None:
    form = only(
        of_word(
            o.docx(o.STATISTICS_TITLE, o.STATISTICS_HEAD, o.table(S, GOOD, (C("备注：因疫情延期", span=6),)))
        )
    )
    assert form.items[0]["remarks"] == "因疫情延期"
