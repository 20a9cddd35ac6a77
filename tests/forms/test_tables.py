"""The tables of both forms as people lay them out, and tables that are no form."""

from __future__ import annotations

import pytest

from parsers import extract, word
from tests.forms import office_files as o
from tests.forms.office_files import C
from tests.forms.reading import LIMITS, doubts, of_word, only, verdict

U = o.UNIT
H = o.PROBLEM_HEADINGS
S = o.STATISTICS_HEADINGS
HEAD = o.PROBLEM_HEAD
GOOD = (U, "3", "1", "2", "5", "")


def problem(form_index: int, data: bytes) -> dict[str, object]:
    return dict(only(of_word(data)).items[form_index])


# ---------------------------------------------------------------- 附件1

VERTICAL = {
    "labels left": o.table(("难点问题", o.PROBLEM), ("具体内容及诉求", o.DETAILS), ("反馈层级", o.levels()), ("备注", "急")),
    "labels with colons": o.table(("难点问题：", o.PROBLEM), ("具体内容及诉求：", o.DETAILS), ("反馈层级：", o.levels()), ("备注：", "急")),
    "head in the same table": o.table(
        ("填报单位（盖章）", U, "联系人及电话", f"{o.CONTACT} {o.PHONE}"),
        ("难点问题", C(o.PROBLEM, span=3)),
        ("具体内容及诉求", C(o.DETAILS, span=3)),
        ("反馈层级", C(o.levels(), span=3)),
        ("备注", C("急", span=3)),
    ),
    "levels over two rows": o.table(
        ("难点问题", o.PROBLEM),
        ("具体内容及诉求", o.DETAILS),
        (C("反馈层级", merge="restart"), f"□市委教育工委书记\n{o.HINT_SECRETARY}"),
        (C("", merge="continue"), f"☑市局相关科室，具体是 基建科\n{o.HINT_SECTION}"),
        ("备注", "急"),
    ),
    "mark in a cell of its own": o.table(
        ("难点问题", C(o.PROBLEM, span=2)),
        ("具体内容及诉求", C(o.DETAILS, span=2)),
        (C("反馈层级", merge="restart"), "□", "市委教育工委书记"),
        (C("", merge="continue"), "☑", "市局相关科室，具体是 基建科"),
        ("备注", C("急", span=2)),
    ),
    "labels above": o.table(
        (C("难点问题", span=2),), (C(o.PROBLEM, span=2),), (C("具体内容及诉求", span=2),), (C(o.DETAILS, span=2),),
        ("反馈层级", o.levels()), ("备注", "急"),
    ),
    "label and value in one cell": o.table(
        (f"难点问题：{o.PROBLEM}",), (f"具体内容及诉求：{o.DETAILS}",), (f"反馈层级：{o.levels()}",), ("备注：急",)
    ),
    "numbered labels": o.table(("一、难点问题", o.PROBLEM), ("二、具体内容及诉求", o.DETAILS), ("三、反馈层级", o.levels()), ("四、备注", "急")),
    "columns": o.table(H, (o.PROBLEM, o.DETAILS, o.levels(), "急")),
    "columns with numbers": o.table(("序号", *H), ("1", o.PROBLEM, o.DETAILS, o.levels(), "急")),
    "columns in another order": o.table((H[2], H[0], H[1], H[3]), (o.levels(), o.PROBLEM, o.DETAILS, "急")),
    "rewritten": o.table(("存在的难点问题", "具体情况和诉求", "反馈层级", "备 注"), (o.PROBLEM, o.DETAILS, o.levels(), "急")),
    "rewritten again": o.table(("难点问题名称", "问题描述及诉求", "报送层级", "备注"), (o.PROBLEM, o.DETAILS, o.levels(), "急")),
    "labels with hints": o.table(("难点问题\n（一句话概括）", "具体内容及诉求（可另附页）", "反馈层级（请勾选）", "备注"), (o.PROBLEM, o.DETAILS, o.levels(), "急")),
    "broken labels": o.table(("难点\n问题", "具体内容\n及诉求", "反馈\n层级", "备\n注"), (o.PROBLEM, o.DETAILS, o.levels(), "急")),
    "two columns for contents and request": o.table(
        ("难点问题", "具体内容", "诉求", "反馈层级", "备注"),
        (o.PROBLEM, "北侧围墙雨后倒塌12米。", "请求安排资金8万元。", o.levels(), "急"),
    ),
    "in a content control": o.table(H, (o.PROBLEM, o.DETAILS, o.levels(), "急"), wrap="sdt"),
    "in a layout table": o.table((o.table(H, (o.PROBLEM, o.DETAILS, o.levels(), "急")),)),
    "in a text box": o.paragraph(o.text_box(o.table(H, (o.PROBLEM, o.DETAILS, o.levels(), "急")))),
    "sections in a column": o.table(
        ("难点问题", "具体内容及诉求", "反馈层级", "具体科室", "备注"),
        (o.PROBLEM, o.DETAILS, "□市委教育工委书记\n☑市局相关科室", "基建科", "急"),
    ),
    "blank rows follow": o.table(H, (o.PROBLEM, o.DETAILS, o.levels(), "急"), ("", "", o.levels("□", "□", "　　"), ""), ("", "", "", "")),
    "note inside": o.table(H, (o.PROBLEM, o.DETAILS, o.levels(), "急"), (C(o.PROBLEM_NOTE, span=4),)),
    "signature inside": o.table(H, (o.PROBLEM, o.DETAILS, o.levels(), "急"), (C("审核人：", span=4),)),
}  # fmt: skip


@pytest.mark.parametrize("form_table", VERTICAL.values(), ids=VERTICAL.keys())
def test_one_problem_is_read_in_every_layout(form_table: o.Xml) -> None:
    form = only(of_word(o.docx("附件1", "难点问题报告表", HEAD, form_table, o.PROBLEM_NOTE)))
    assert [dict(item) for item in form.items] == [
        {
            "problem": o.PROBLEM,
            "details": o.DETAILS,
            "levels": ("section",),
            "sections": ("基建科",),
            "remarks": "急",
        }
    ]
    assert verdict(form) == "complete", form.findings
    assert form.fields["contact_phone"] == o.PHONE
    assert all(f"problems[0].{name}" in form.places for name in form.items[0])


THREE = [
    ("缺教师", "缺3人。", ("secretary",)),
    ("缺经费", "缺8万元。", ("section",)),
    ("操场破损", "塑胶脱落。", ("section",)),
]


def _three_columns() -> o.Xml:
    rows = [(name, text, _cell(level), "") for name, text, level in THREE]
    return o.table(H, *rows)


def _cell(level: tuple[str, ...]) -> str:
    return o.levels("☑", "□", "　　") if "secretary" in level else o.levels()


SEVERAL = {
    "rows": _three_columns(),
    "numbered rows with a total": o.table(
        ("序号", *H), *[(str(n), name, text, _cell(level), "") for n, (name, text, level) in enumerate(THREE, 1)]
    ),
    "a table a problem": o.Xml(
        "".join(o.table(H, (name, text, _cell(level), "")).text + "<w:p/>" for name, text, level in THREE)
    ),
    "repeated headings": o.table(H, (THREE[0][0], THREE[0][1], _cell(THREE[0][2]), ""), H, *[(n, t, _cell(v), "") for n, t, v in THREE[1:]]),
    "groups of labels": o.table(
        *[row for name, text, level in THREE for row in (("难点问题", name), ("具体内容及诉求", text), ("反馈层级", _cell(level)), ("备注", ""))]
    ),
    "numbered labels": o.table(
        *[
            row
            for number, (name, text, level) in enumerate(THREE, 1)
            for row in ((f"难点问题{number}", name), ("具体内容及诉求", text), ("反馈层级", _cell(level)))
        ]
    ),
    "a column a problem": o.table(
        ("难点问题", *[name for name, _t, _l in THREE]),
        ("具体内容及诉求", *[text for _n, text, _l in THREE]),
        ("反馈层级", *[_cell(level) for _n, _t, level in THREE]),
        ("备注", "", "", ""),
    ),
    "details over two rows": o.table(
        H,
        (C(THREE[0][0], merge="restart"), "缺", C(_cell(THREE[0][2]), merge="restart"), C("", merge="restart")),
        (C("", merge="continue"), "3人。", C("", merge="continue"), C("", merge="continue")),
        *[(name, text, _cell(level), "") for name, text, level in THREE[1:]],
    ),
}  # fmt: skip


@pytest.mark.parametrize("form_table", SEVERAL.values(), ids=SEVERAL.keys())
def test_no_problem_of_several_is_lost(form_table: o.Xml) -> None:
    form = only(of_word(o.docx("难点问题报告表", HEAD, form_table)))
    assert [(i["problem"], str(i["details"]).replace("\n", ""), i["levels"]) for i in form.items] == THREE
    assert verdict(form) == "complete", form.findings


def test_a_row_that_only_goes_on_is_joined_and_doubted() -> None:
    rows = ((o.PROBLEM, "北侧围墙倒塌。", o.levels(), ""), ("", "请求安排资金。", "", ""))
    form = only(of_word(o.docx("难点问题报告表", HEAD, o.table(H, *rows))))
    assert form.items[0]["details"] == "北侧围墙倒塌。\n请求安排资金。"
    assert "problems[0].details" in doubts(form)


@pytest.mark.parametrize(
    ("row", "path"),
    [
        (("", o.DETAILS, o.levels(), ""), "problems[0].problem"),
        ((o.PROBLEM, "", o.levels(), ""), "problems[0].details"),
        ((o.PROBLEM, o.DETAILS, "", ""), "problems[0].levels"),
        (("无", "无", o.levels("□", "□", ""), ""), "problems[0].problem"),
        (("（示例）厕所改造", "填写示例", o.levels(), ""), "problems[0]"),
    ],
)
def test_a_blank_of_a_problem_is_said(row: tuple[str, ...], path: str) -> None:
    form = only(of_word(o.docx("难点问题报告表", HEAD, o.table(H, row))))
    assert any(name.startswith(path) for name in doubts(form))


def test_a_missing_column_is_said() -> None:
    form = only(of_word(o.docx("难点问题报告表", HEAD, o.table(H[:2], (o.PROBLEM, o.DETAILS)))))
    assert "problems[0].levels" in doubts(form)


def test_a_column_that_the_form_does_not_have_is_mentioned() -> None:
    data = o.docx(
        "难点问题报告表",
        HEAD,
        o.table((*H, "学校已采取的措施"), (o.PROBLEM, o.DETAILS, o.levels(), "", "已围挡")),
    )
    assert any("学校已采取的措施" in f.text for f in only(of_word(data)).findings)


def test_a_printed_example_is_no_problem() -> None:
    rows = (("示例：教室漏雨", "……", o.levels(), ""), (o.PROBLEM, o.DETAILS, o.levels(), ""))
    form = only(of_word(o.docx("难点问题报告表", HEAD, o.table(H, *rows))))
    assert [item["problem"] for item in form.items] == [o.PROBLEM]


def test_struck_text_is_left_out_and_doubted() -> None:
    cell = [o.paragraph(o.run("旧的说法", o.STRIKE), o.PROBLEM)]
    form = only(of_word(o.docx("难点问题报告表", HEAD, o.table(H, (cell, o.DETAILS, o.levels(), "")))))
    assert form.items[0]["problem"] == o.PROBLEM
    assert "problems[0].problem" in doubts(form)


def test_revisions_hidden_text_and_prompts_are_not_there() -> None:
    prompt = o.Xml(
        "<w:sdt><w:sdtPr><w:showingPlcHdr/></w:sdtPr><w:sdtContent><w:r><w:t>单击此处输入文字。</w:t></w:r></w:sdtContent></w:sdt>"
    )
    cell = [o.paragraph("围墙", o.deleted("（初稿）"), o.inserted("倒塌"), o.run("密", o.HIDDEN))]
    data = o.docx("难点问题报告表", HEAD, o.table(H, (cell, o.DETAILS, o.levels(), [o.paragraph(prompt)])))
    form = only(of_word(data))
    assert form.items[0]["problem"] == o.PROBLEM
    assert form.items[0]["remarks"] is None


def test_a_nested_table_stays_in_the_details() -> None:
    cell = [o.paragraph("缺口如下："), o.table(("学科", "缺"), ("音乐", "2")), o.paragraph("请求补充。")]
    form = only(of_word(o.docx("难点问题报告表", HEAD, o.table(H, (o.PROBLEM, cell, o.levels(), "")))))
    details = str(form.items[0]["details"])
    assert details.startswith("缺口如下") and details.endswith("请求补充。") and "音乐" in details


@pytest.mark.parametrize("remark", ["", "无", "/", "／", "—", "——", "　"])
def test_signs_for_nothing_are_no_remark(remark: str) -> None:
    form = only(
        of_word(o.docx("难点问题报告表", HEAD, o.table(H, (o.PROBLEM, o.DETAILS, o.levels(), remark))))
    )
    assert form.items[0]["remarks"] is None


# ---------------------------------------------------------------- 附件2

COUNTS = [
    ("3", 3), ("３", 3), ("三", 3), ("3个", 3), ("3 个", 3), ("三个", 3), ("共3个", 3), ("3次", 3), ("3件", 3), ("叁", 3), ("3项", 3), ("3期", 3),
    ("十二", 12), ("二十一", 21), ("10", 10), ("一百零五", 105), ("两个", 2), ("3.0", 3), ("03", 3), ("3。", 3), ("３个", 3), ("3个问题", 3),
    ("0", 0), ("无", 0), ("/", 0), ("／", 0), ("—", 0), ("——", 0), ("-", 0), ("零", 0), ("没有", 0), ("0次", 0), ("〇", 0),
]  # fmt: skip


@pytest.mark.parametrize(("written", "value"), COUNTS)
def test_a_count_is_read_however_it_is_written(written: str, value: int) -> None:
    form = only(of_word(o.statistics_docx((U, "3", "1", "2", written, ""))))
    assert form.items[0]["problems_solved"] == value
    assert not doubts(form)


UNSURE = ["约5", "5左右", "10余", "10余件", "十余", "3—4次", "3-4", "3~4", "三四次", "两三次", "若干", "多次", "数次", "2.5", "-1", "1/2", "½", "3②",
          "5+", "近10", "不少于3", "3（其中1个联合支部）", "每月1次", "1 2", "3/4", "O", "l", "3?", "待定", "见附件", "2022年1月", "第2次", "3、4", "99999999999"]  # fmt: skip


@pytest.mark.parametrize("written", UNSURE)
def test_a_count_that_is_no_plain_number_is_said(written: str) -> None:
    form = only(of_word(o.statistics_docx((U, "3", "1", "2", written, ""))))
    assert "rows[0].problems_solved" in doubts(form)
    assert form.items[0]["problems_solved"] in {None, 5, 10, 3}


@pytest.mark.parametrize("column", range(1, 5))
@pytest.mark.parametrize("blank", ["", "　", "___"])
def test_a_blank_count_is_missing(column: int, blank: str) -> None:
    row = list(GOOD)
    row[column] = blank
    form = only(of_word(o.statistics_docx(row)))
    name = ("unit", "party_branches", "platforms", "sessions_held", "problems_solved")[column]
    assert form.items[0][name] is None
    assert f"rows[0].{name}" in doubts(form)


ROW = {
    "unit": U,
    "party_branches": 3,
    "platforms": 1,
    "sessions_held": 2,
    "problems_solved": 5,
    "remarks": None,
}
STATISTICS = {
    "as printed": o.table(S, GOOD),
    "short headings": o.table(("单位", "支部数", "平台数", "举办次数", "解决问题数", "备注"), GOOD),
    "numbered": o.table(("序号", *S), ("1", *GOOD)),
    "two-row headings": o.table(
        (C(S[0], merge="restart"), C("组织建设情况", span=2), C("活动开展情况", span=2), C("备注", merge="restart")),
        (C("", merge="continue"), S[1], "建立平台数", "举办次数", S[4], C("", merge="continue")),
        GOOD,
    ),
    "two-row headings that repeat the words": o.table(
        (C(S[0], merge="restart"), C(S[1], merge="restart"), C("“难点问题书记一线办”党建工作平台", span=3), C("备注", merge="restart")),
        (C("", merge="continue"), C("", merge="continue"), "建立平台数", "举办次数", "解决问题数量", C("", merge="continue")),
        GOOD,
    ),
    "labels left": o.table(*[(label, value) for label, value in zip(S, GOOD, strict=True)]),
    "total": o.table(S, GOOD, ("合计", "3", "1", "2", "5", "")),
    "example first": o.table(S, ("示例：XX中学", "5", "1", "2", "8", ""), GOOD),
    "sample school": o.table(S, ("××中学", "5", "1", "2", "8", "例"), GOOD),
    "blank rows": o.table(S, GOOD, ("", "", "", "", "", ""), ("", "", "", "", "", "")),
    "headings with units": o.table(("单位名称", "党支部数（个）", "建立党建工作平台数（个）", "举办次数（次）", "解决问题数量（件）", "备注"), GOOD),
    "other words": o.table(("学校名称", "党支部数量", "“书记一线办”平台建立数", "活动开展次数", "已解决问题数量", "备注"), GOOD),
    "columns swapped": o.table((S[0], S[4], S[3], S[2], S[1], S[5]), (U, "5", "2", "1", "3", "")),
    "head in the table": o.table((C(f"填报单位：{U}", span=6),), S, GOOD),
    "note in the table": o.table(S, GOOD, (C(o.STATISTICS_NOTE, span=6),)),
    "sums under headings": o.table(S, ("甲", "乙", "丙", "丁", "戊", "己"), GOOD) if False else o.table(S, GOOD),
}  # fmt: skip


@pytest.mark.parametrize("form_table", STATISTICS.values(), ids=STATISTICS.keys())
def test_a_return_is_read_in_every_layout(form_table: o.Xml) -> None:
    form = only(
        of_word(o.docx("附件2", o.STATISTICS_TITLE, o.STATISTICS_HEAD, form_table, o.STATISTICS_NOTE))
    )
    assert [dict(item) for item in form.items] == [ROW]
    assert form.kind == "statistics"
    assert verdict(form) == "complete", form.findings


def test_campuses_are_rows_and_the_total_is_checked() -> None:
    rows = (
        ("本部", "3", "1", "2", "5", ""),
        ("东校区", "1", "1", "2", "3", ""),
        ("合计", "4", "2", "4", "8", ""),
    )
    form = only(of_word(o.statistics_docx(*rows)))
    assert [item["unit"] for item in form.items] == ["本部", "东校区"]
    assert verdict(form) == "complete"
    wrong = only(of_word(o.statistics_docx(*rows[:2], ("合计", "4", "2", "4", "9", ""))))
    assert "rows[0].problems_solved" in doubts(wrong)
    assert len(wrong.items) == 2


def test_a_unit_with_two_rows_is_said() -> None:
    assert "rows[1].unit" in doubts(only(of_word(o.statistics_docx(GOOD, GOOD))))


@pytest.mark.parametrize(
    ("row", "path"),
    [
        ((U, "3", "1", "1", "5", ""), "rows[0].sessions_held"),
        ((U, "3", "1", "0", "5", ""), "rows[0].problems_solved"),
        ((U, "1", "4", "2", "5", ""), "rows[0].platforms"),
    ],
)
def test_an_improbable_return_is_kept_with_a_warning(row: tuple[str, ...], path: str) -> None:
    form = only(of_word(o.statistics_docx(row)))
    assert any(f.field == path and f.severity.value == "warning" for f in form.findings)
    assert verdict(form) == "complete"


# ---------------------------------------------------------------- several forms, no form


def test_both_forms_in_one_file_are_two() -> None:
    data = o.docx(
        "附件1", "难点问题报告表", HEAD, o.table(H, (o.PROBLEM, o.DETAILS, o.levels(), "")), o.PROBLEM_NOTE,
        "附件2", o.STATISTICS_TITLE, o.STATISTICS_HEAD, o.table(S, GOOD), o.STATISTICS_NOTE,
    )  # fmt: skip
    first, second = of_word(data)
    assert (first.kind, second.kind) == ("problem_report", "statistics")
    assert first.fields["principal"] == o.PRINCIPAL
    assert str(second.fields["reported_on"]) == "2022-01-04"
    assert (verdict(first), verdict(second)) == ("complete", "complete")


def test_forms_of_several_schools_in_one_file_are_apart() -> None:
    blocks: list[str | o.Xml] = []
    for name in ("甲", "乙", "丙"):
        head = f"填报单位（盖章）：贵港市{name}小学　主要负责人签字：韦{name}　联系人及电话：覃{name} 1381234567{ord(name) % 10}"
        blocks += [
            "难点问题报告表",
            head,
            o.table(H, (f"{name}问题", o.DETAILS, o.levels(), "")),
            o.PROBLEM_NOTE,
        ]
    forms = of_word(o.docx(*blocks))
    assert [form.fields["reporting_unit"] for form in forms] == [
        "贵港市甲小学",
        "贵港市乙小学",
        "贵港市丙小学",
    ]
    assert [form.items[0]["problem"] for form in forms] == ["甲问题", "乙问题", "丙问题"]
    assert [form.fields["principal"] for form in forms] == ["韦甲", "韦乙", "韦丙"]


def test_a_blank_template_is_no_form() -> None:
    head = "填报单位（盖章）：　　主要负责人签字：　　联系人及电话："
    data = o.docx(
        "附件1", "难点问题报告表", head, o.table(H, ("", "", o.levels("□", "□", "　　"), "")), o.PROBLEM_NOTE
    )
    assert of_word(data) == ()
    assert extract.blank_form(word.content(data, LIMITS)) == "难点问题报告表"
    statistics = o.docx(
        o.STATISTICS_TITLE,
        "填报单位：　填报时间：　联系人及电话：",
        o.table(S, ("", "", "", "", "", "")),
        o.STATISTICS_NOTE,
    )
    assert of_word(statistics) == ()


UNRELATED = {
    "plan": o.docx("德育工作安排", o.table(("时间", "工作内容", "责任部门"), ("2月", "安全检查", "总务处"))),
    "rectification": o.docx("巡察整改台账", o.table(("序号", "存在问题", "整改措施", "整改时限"), ("1", "学习不够", "加强", "3月"))),
    "problems with causes": o.docx("民主生活会对照检查", o.table(("存在问题", "具体表现", "备注"), ("学习不够", "次数少", ""))),
    "roll": o.docx("通讯录", o.table(("单位名称", "联系人", "电话", "备注"), (U, "某", "13812345678", ""))),
    "branches": o.docx("党支部情况", o.table(("单位名称", "党支部数", "党员数", "备注"), (U, "3", "40", ""))),
    "prose": o.docx("关于难点问题的说明", "我校难点问题是围墙倒塌，具体内容及诉求见附件。", "联系人及电话：覃小雨 13812345678"),
    "the notice itself": o.docx(
        "关于建立“难点问题书记一线办”党建工作平台的方案", "各市直学校无法解决的难点问题要及时填写《难点问题报告表》（详见附件1）报告难点问题。",
        "附件：1.难点问题报告表", "2.“难点问题书记一线办”开展情况统计表",
    ),
    "our problem list": o.docx(
        "难点问题清单",
        o.table(
            ("序号", "编号", "填报单位", "难点问题", "具体内容及诉求", "来源", "反馈层级", "同类情况", "书记意见", "备注"),
            ("1", "ND-2022-001", U, "x", "y", "学校", "书记", "", "选定", ""),
        ),
    ),
    "empty": o.docx(""),
}  # fmt: skip


@pytest.mark.parametrize("data", UNRELATED.values(), ids=UNRELATED.keys())
def test_an_unrelated_document_is_no_form(data: bytes) -> None:
    assert of_word(data) == ()


def test_the_clue_register_is_one_entry_of_data() -> None:
    headings = ("序号", "来源", "反映单位", "难点问题", "具体内容及诉求", "收到日期", "备注")
    rows = (
        ("1", "12345热线", U, o.PROBLEM, o.DETAILS, "2022年1月4日", ""),
        ("2", "信访", "贵港市乙小学", "缺教师", "缺3人。", "2022-01-05", "急"),
    )
    form = only(of_word(o.docx("问题线索登记表", o.table(headings, *rows))))
    assert form.kind == "clue_register"
    assert [item["source"] for item in form.items] == ["12345热线", "信访"]
    assert [str(item["received_on"]) for item in form.items] == ["2022-01-04", "2022-01-05"]
    assert form.items[1]["remarks"] == "急"


def test_labels_and_values_four_to_a_row_are_no_headings() -> None:
    rows = (("填报单位", o.UNIT, "主要负责人签字", o.PRINCIPAL), ("联系人", o.CONTACT, "联系电话", o.PHONE))
    more = (("难点问题", o.PROBLEM, "备注", ""), ("具体内容及诉求", o.DETAILS, "反馈层级", o.levels()))
    form = only(of_word(o.docx("难点问题报告表", o.table(*rows, *more))))
    assert (form.items[0]["problem"], form.items[0]["levels"]) == (o.PROBLEM, ("section",))
    assert verdict(form) == "complete"


def test_a_value_that_reads_like_a_label_is_a_value_and_doubted() -> None:
    rows = (
        ("填报单位", o.UNIT),
        ("主要负责人签字", o.PRINCIPAL),
        ("联系人", o.CONTACT),
        ("联系电话", o.PHONE),
    )
    more = (("难点问题", "备注"), ("具体内容及诉求", "问题"), ("反馈层级", o.levels()))
    form = only(of_word(o.docx("难点问题报告表", o.table(*rows, *more))))
    assert (form.items[0]["problem"], form.items[0]["details"]) == ("备注", "问题")
    assert {"problems[0].problem", "problems[0].details"} <= doubts(form)


@pytest.mark.parametrize(
    "head",
    [
        f"填报单位：{o.UNIT}  填表人：韦青山  联系人：{o.CONTACT}  电话：{o.PHONE}",
        f"填报单位：{o.UNIT}  联系人：{o.CONTACT}  电话：{o.PHONE}  填表人：韦青山",
        f"填报单位：{o.UNIT}  填表人：{o.CONTACT}  电话：{o.PHONE}",
    ],
)
def test_who_filled_the_form_in_is_the_contact_only_where_nobody_else_is(head: str) -> None:
    form = only(of_word(o.statistics_docx((o.UNIT, "3", "1", "2", "5", ""), head=head)))
    assert (form.fields["contact_name"], form.fields["contact_phone"]) == (o.CONTACT, o.PHONE)
    assert verdict(form) == "complete"
