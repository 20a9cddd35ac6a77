"""反馈层级 in every way in which a school marks it: read right, or said to be doubtful."""

from __future__ import annotations

import pytest

from tests.forms import office_files as o
from tests.forms.reading import of_word, only, verdict

A, B = "市委教育工委书记", "市局相关科室，具体是"
H1, H2 = o.HINT_SECRETARY, o.HINT_SECTION
SECRETARY, SECTION, BOTH, NONE = ("secretary",), ("section",), ("secretary", "section"), ()
COMPLETE, UNCERTAIN, INCOMPLETE = {"complete"}, {"uncertain"}, {"incomplete"}
EITHER = {"complete", "uncertain"}
NEVER_COMPLETE = {"uncertain", "incomplete"}

TYPED = [
    # text of the cell, levels, sections, verdicts
    *[(o.levels(on, "□", "　　　"), SECRETARY, NONE, COMPLETE) for on in "☑√✓✔■●✅◉▣"],
    *[(o.levels("□", on, "基建科"), SECTION, ("基建科",), COMPLETE) for on in ("☑", "√", "[√]", "（√）", "【√】", "〔✓〕", "[ √ ]")],
    *[(o.levels("☐", on, "基建科"), SECTION, ("基建科",), COMPLETE) for on in ("☑️", "✔️", "√□", "□√", "☑ ", "√ ")],
    (o.levels("（ ）", "（√）"), SECTION, ("基建科",), COMPLETE),
    (o.levels("[ ]", "[v]"), SECTION, ("基建科",), COMPLETE),
    (o.levels("[]", "[V]"), SECTION, ("基建科",), COMPLETE),
    (o.levels("○", "●"), SECTION, ("基建科",), COMPLETE),
    (o.levels("☑", "☑", "基教科、计财科"), BOTH, ("基教科", "计财科"), COMPLETE),
    (o.levels("√", "√", "基教科,计财科"), BOTH, ("基教科", "计财科"), COMPLETE),
    (o.levels("×", "√"), SECTION, ("基建科",), COMPLETE),
    (o.levels("☒", "☑"), SECTION, ("基建科",), UNCERTAIN),
    (o.levels("□", "☒"), SECTION, ("基建科",), EITHER),
    (o.levels("☒", "□", ""), SECRETARY, NONE, EITHER),
    (o.levels("☒", "☒"), NONE, ("基建科",), NEVER_COMPLETE),
    (o.levels("×", "□"), NONE, ("基建科",), NEVER_COMPLETE),
    (o.levels("□", "□", "　　"), NONE, NONE, INCOMPLETE),
    (o.levels("□", "□", "基建科"), SECTION, ("基建科",), NEVER_COMPLETE),
    (o.levels("☑", "□", "基建科"), SECRETARY, ("基建科",), NEVER_COMPLETE),
    (o.levels("□", "☑", "　　　"), SECTION, NONE, INCOMPLETE),
    (o.levels("□", "☑", "____"), SECTION, NONE, INCOMPLETE),
    (o.levels("⍰", "□", ""), NONE, NONE, NEVER_COMPLETE),
    # the tick stands behind
    (f"{A} √\n{H1}\n{B}\n{H2}", SECRETARY, NONE, EITHER),
    (f"{A}√\n{B}______", SECRETARY, NONE, EITHER),
    (f"{A}□\n{H1}\n市局相关科室，具体是　人事科　☑\n{H2}", SECTION, ("人事科",), EITHER),
    (f"{A}（√）\n市局相关科室（ ），具体是", SECRETARY, NONE, EITHER),
    (f"□{A}√\n{H1}\n□{B}　　\n{H2}", SECRETARY, NONE, EITHER),
    (f"□{A}\n{H1}\n□{B} 基建科 √\n{H2}", SECTION, ("基建科",), EITHER),
    (f"□{A}（需报告工委书记协调解决的难点问题请勾选此项√）\n□{B}\n{H2}", SECRETARY, NONE, EITHER),
    (f"{A}  ☑　市局相关科室  □", SECRETARY, NONE, EITHER),
    # on one line
    (f"☑{A}  □{B}", SECRETARY, NONE, COMPLETE),
    (f"□{A} ☑{B}基建科", SECTION, ("基建科",), COMPLETE),
    (f"□{A}{H1}☑{B}基建科{H2}", SECTION, ("基建科",), COMPLETE),
    (f"□{A}；√{B}基建科", SECTION, ("基建科",), COMPLETE),
    # one option is gone, or both are typed over
    (f"☑{A}", SECRETARY, NONE, COMPLETE),
    (f"√{B}基建科", SECTION, ("基建科",), COMPLETE),
    (A, SECRETARY, NONE, EITHER),
    (f"{A}\n{H1}", SECRETARY, NONE, EITHER),
    ("市局相关科室，具体是基建科", SECTION, ("基建科",), EITHER),
    (f"□{B}基建科\n{H2}", SECTION, ("基建科",), NEVER_COMPLETE),
    (f"□{A}\n{H1}", SECRETARY, NONE, NEVER_COMPLETE),
    ("基建科", SECTION, ("基建科",), EITHER),
    ("市局基建科", SECTION, ("基建科",), EITHER),
    ("教育工委书记", SECRETARY, NONE, EITHER),
    ("书记", SECRETARY, NONE, EITHER),
    (f"{A}\n{B}基建科", SECTION, ("基建科",), NEVER_COMPLETE),
    (f"{A}\n□{B}\n{H2}", SECRETARY, NONE, NEVER_COMPLETE),
    ("√", NONE, NONE, NEVER_COMPLETE),
    ("", NONE, NONE, INCOMPLETE),
    ("见附件", NONE, NONE, NEVER_COMPLETE),
    # rewritten options
    ("□教育工委书记\n☑相关科室：基建科、人事科", SECTION, ("基建科", "人事科"), COMPLETE),
    ("☑市委教育工委\n□市教育局相关科室，具体是", SECRETARY, NONE, COMPLETE),
    ("1.□市委教育工委书记\n2.☑市局相关科室，具体是：基建科", SECTION, ("基建科",), COMPLETE),
    (f"□{A}\n☑市局相关科室，具体是：\n基建科\n{H2}", SECTION, ("基建科",), COMPLETE),
    (f"☑市局相关科室，具体是基建科\n{H2}\n□{A}\n{H1}", SECTION, ("基建科",), COMPLETE),
    (f"□{A}\n☑市局相关科室，具体是（基建科）{H2}", SECTION, ("基建科",), COMPLETE),
    (f"□{A}{H1}\n☑市局相关科室（需市局相关科室配合解决的难点问题请勾选此项，请列出具体科室：基建科）", SECTION, ("基建科",), COMPLETE),
    (f"□{A}\n☑市局相关科室：□基教科 ☑人事科 □计财科", SECTION, ("人事科",), COMPLETE),
    ("市委教育工委书记：否\n市局相关科室：是，具体是基建科", SECTION, ("基建科",), EITHER),
    ("□ 市 委 教 育 工 委 书 记\n☑ 市 局 相 关 科 室，具体是 基建科", SECTION, ("基建科",), EITHER),
    ("£市委教育工委书记\nR市局相关科室，具体是 基建科", SECTION, ("基建科",), EITHER),
    ("\uf0a3市委教育工委书记\n\uf052市局相关科室，具体是 基建科", SECTION, ("基建科",), COMPLETE),
    ("R市委教育工委书记\n市局相关科室，具体是", SECRETARY, NONE, NEVER_COMPLETE),
]  # fmt: skip


@pytest.mark.parametrize(("text", "levels", "sections", "verdicts"), TYPED)
def test_a_typed_mark_is_read_or_doubted(
    text: str, levels: tuple[str, ...], sections: tuple[str, ...], verdicts: set[str]
) -> None:
    form = only(of_word(o.problem_docx(text)))
    [problem] = form.items
    assert verdict(form) in verdicts, form.findings
    doubtful = any(f.field.startswith("problems[0]") for f in form.findings)
    assert problem["levels"] == levels or (doubtful and verdict(form) != "complete")
    assert problem["sections"] == sections or (doubtful and verdict(form) != "complete")
    assert problem["details"] == "北侧围墙雨后倒塌12米。\n请求安排资金8万元。"


DRAWN = [
    ("content control on", [o.checkbox(False), o.checkbox(True)]),
    ("content control whose glyph lies", [o.checkbox(False, "☑"), o.checkbox(True, "☐")]),
    ("legacy form field", [o.legacy_checkbox(False), o.legacy_checkbox(True)]),
    ("legacy form field by default", [o.legacy_checkbox(False), o.legacy_checkbox(True, by_default=True)]),
    ("equation field", [o.run("□"), o.equation("eq \\o\\ac(□,√)")]),
    ("equation field with a space", [o.run("□"), o.equation("EQ \\o \\ac (□, √)")]),
    ("w:sym Wingdings FE", [o.symbol("Wingdings", "F0A8"), o.symbol("Wingdings", "F0FE")]),
    ("w:sym Wingdings FD", [o.symbol("Wingdings", "F06F"), o.symbol("Wingdings", "00FD")]),
    ("w:sym Wingdings 2 52", [o.symbol("Wingdings 2", "F0A3"), o.symbol("Wingdings 2", "F052")]),
    ("w:sym Wingdings 2 54", [o.symbol("Wingdings 2", "F0A3"), o.symbol("Wingdings 2", "F054")]),
    ("plain R in Wingdings 2", [o.run("£", o.font("Wingdings 2")), o.run("R", o.font("Wingdings 2"))]),
    ("U+F052 in Wingdings 2", [o.run("\uf0a3", o.font("Wingdings 2")), o.run("\uf052", o.font("Wingdings 2"))]),
    ("thorn in Wingdings", [o.run("¨", o.font("Wingdings")), o.run("þ", o.font("Wingdings"))]),
    ("check mark of Wingdings before a box", [o.run("□"), o.run("ü", o.font("Wingdings"))]),
    ("coloured run", [o.run("□"), o.run("√", '<w:color w:val="FF0000"/>')]),
]  # fmt: skip


@pytest.mark.parametrize("boxes", [boxes for _name, boxes in DRAWN], ids=[name for name, _boxes in DRAWN])
@pytest.mark.parametrize("strict", [False, True], ids=["transitional", "strict"])
def test_a_drawn_box_counts_by_its_state(boxes: list[o.Xml], strict: bool) -> None:
    cell = [
        o.paragraph(boxes[0], A),
        o.paragraph(H1),
        o.paragraph(boxes[1], B, o.run("　基建科　", o.UNDERLINE)),
        o.paragraph(H2),
    ]
    form = only(of_word(o.problem_docx(cell, strict=strict)))
    assert form.items[0]["levels"] == SECTION
    assert form.items[0]["sections"] == ("基建科",)
    assert verdict(form) == "complete"


def test_bold_and_underline_instead_of_a_tick_is_a_doubt() -> None:
    cell = [
        o.paragraph(f"□{A}"),
        o.paragraph(o.run(f"□{B}", o.BOLD + o.UNDERLINE), o.run("办公室", o.UNDERLINE)),
    ]
    form = only(of_word(o.problem_docx(cell)))
    assert form.items[0]["levels"] == SECTION
    assert any(f.field == "problems[0].levels" and f.kind.value == "uncertain" for f in form.findings)


@pytest.mark.parametrize(
    "style", ['<w:highlight w:val="yellow"/>', '<w:color w:val="FF0000"/>', o.BOLD, o.UNDERLINE]
)
def test_emphasis_of_the_secretary_without_tick_is_a_doubt(style: str) -> None:
    cell = [o.paragraph(o.run(f"□{A}", style)), o.paragraph(f"□{B}　　")]
    form = only(of_word(o.problem_docx(cell)))
    assert form.items[0]["levels"] == SECRETARY
    assert verdict(form) == "uncertain"


def test_a_struck_option_is_not_chosen() -> None:
    cell = [o.paragraph(o.run(f"□{A}", o.STRIKE)), o.paragraph(f"□{B}基建科")]
    form = only(of_word(o.problem_docx(cell)))
    assert form.items[0]["levels"] == SECTION
    assert verdict(form) == "uncertain"


def test_a_tick_floating_in_a_text_box_belongs_to_nobody() -> None:
    cell = [o.paragraph(f"□{A}", o.text_box(o.paragraph("√"))), o.paragraph(f"□{B}　　")]
    form = only(of_word(o.problem_docx(cell)))
    assert verdict(form) == "uncertain"


def test_boxes_in_a_nested_table_are_read() -> None:
    cell = [o.table(("□", A), ("☑", f"{B}基建科")), o.paragraph("")]
    form = only(of_word(o.problem_docx(cell)))
    assert form.items[0]["levels"] == SECTION
    assert form.items[0]["sections"] == ("基建科",)


def test_two_columns_of_ticks_under_the_heading_are_the_options() -> None:
    rows = (
        (o.C("难点问题", merge="restart"), o.C("具体内容及诉求", merge="restart"), o.C("反馈层级", span=2), o.C("备注", merge="restart")),
        (o.C("", merge="continue"), o.C("", merge="continue"), "市委教育工委书记", "市局相关科室", o.C("", merge="continue")),
        (o.PROBLEM, o.DETAILS, "", "√ 基建科", "急"),
        ("缺教师", "缺3人。", "√", "", ""),
    )  # fmt: skip
    form = only(of_word(o.docx("难点问题报告表", o.PROBLEM_HEAD, o.table(*rows))))
    assert [item["levels"] for item in form.items] == [SECTION, SECRETARY]
    assert [item["sections"] for item in form.items] == [("基建科",), ()]
    assert form.items[0]["remarks"] == "急"


SECTIONS = [
    ("安稳科（牵头）", ("安稳科(牵头)",)),
    ("基教科牵头、人事科配合", ("基教科(牵头)", "人事科")),
    ("由基教科牵头，人事科、计财科配合", ("基教科(牵头)", "人事科", "计财科")),
    ("基教科（牵头）、计财科（配合）", ("基教科(牵头)", "计财科")),
    ("牵头科室：基教科，配合科室：人事科", ("基教科(牵头)", "人事科")),
    ("体育卫生与艺术教育科", ("体育卫生与艺术教育科",)),
    ("职业教育与成人教育科和人事科", ("职业教育与成人教育科", "人事科")),
    ("基建科 计财科", ("基建科", "计财科")),
    ("基建科计财科", ("基建科", "计财科")),
    ("基建科/计财科", ("基建科", "计财科")),
    ("基建科；计财科", ("基建科", "计财科")),
    ("基建科\n计财科", ("基建科", "计财科")),
    ("基建科及计财科", ("基建科", "计财科")),
    ("1.基建科 2.计财科", ("基建科", "计财科")),
    ("党建办", ("党建办",)),
    ("局办公室", ("局办公室",)),
    ("安稳、计财", ("安稳", "计财")),
    ("体卫艺", ("体卫艺",)),
    ("基础教肓科", ("基础教肓科",)),
    ("请基教科和计财科配合解决", ("基教科", "计财科")),
    ("计财科、基建科等相关科室", ("计财科", "基建科")),
    ("学生资助管理中心", ("学生资助管理中心",)),
    ("教研室、招生考试院", ("教研室", "招生考试院")),
    ("商务科", ("商务科",)),
    ("___基建科___", ("基建科",)),
    ("“基建科”", ("基建科",)),
]  # fmt: skip


@pytest.mark.parametrize(("written", "names"), SECTIONS)
def test_sections_are_named_as_written(written: str, names: tuple[str, ...]) -> None:
    form = only(of_word(o.problem_docx(o.levels("□", "☑", written))))
    assert form.items[0]["sections"] == names
    assert form.items[0]["levels"] == SECTION


@pytest.mark.parametrize("written", ["基建科。请尽快解决", "基建科\n联系人：张三", "有关领导", "见备注"])
def test_words_beside_a_section_are_a_doubt(written: str) -> None:
    form = only(of_word(o.problem_docx(o.levels("□", "☑", written))))
    assert any(f.field == "problems[0].sections" and f.kind.value == "uncertain" for f in form.findings)
