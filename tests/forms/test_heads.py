"""The head of a form: unit, signature, date and contact, in a line, in tabs, in cells, in a text box."""

from __future__ import annotations

from datetime import date

import pytest

from parsers import fields
from parsers.labels import head_pairs
from tests.forms import office_files as o
from tests.forms.reading import doubts, of_word, only, verdict

U, P, C, T = o.UNIT, o.PRINCIPAL, o.CONTACT, o.PHONE
ROW = (o.PROBLEM, o.DETAILS, o.levels(), "")
TABLE = o.table(o.PROBLEM_HEADINGS, ROW)

HEADS: dict[str, list[str | o.Xml]] = {
    "as printed": [o.PROBLEM_HEAD],
    "three lines": [f"填报单位（盖章）：{U}", f"主要负责人签字：{P}", f"联系人及电话：{C} {T}"],
    "tabs": [o.paragraph(o.run(f"填报单位（盖章）：{U}\t主要负责人签字：{P}\t联系人及电话：{C}{T}"))],
    "no blanks between": [f"填报单位（盖章）：{U}主要负责人签字：{P}联系人及电话：{C}{T}"],
    "underlined blanks": [f"填报单位（盖章）：__{U}__ 主要负责人签字：_{P}_ 联系人及电话：_{C}_{T}_"],
    "half-width": [f"填报单位(盖章):{U} 主要负责人签字:{P} 联系人及电话:{C}{T}"],
    "no colons": [f"填报单位（盖章）{U}　　主要负责人签字 {P}　　联系人及电话 {C}{T}"],
    "blanks in labels": [f"填 报 单 位：{U}　主要负责人 签字：{P}　联 系 人 及 电 话：{C}{T}"],
    "colon before the bracket": [f"填报单位：{U}（盖章）　主要负责人：{P}（签字）　联系人及电话：{C}{T}"],
    "seal on its own": [f"填报单位：（盖章）{U}　主要负责人签字：{P}　联系人及电话：{C}{T}"],
    "rewritten": [f"填报学校：{U}　　学校负责人：{P}　　联系人/电话：{C}/{T}"],
    "rewritten again": [f"报送单位：{U}　单位主要负责人：{P}　联系人及联系方式：{C}，{T}"],
    "separate contact": [f"填报单位：{U}　主要负责人签字：{P}", f"联系人：{C}　联系电话：{T}"],
    "headmaster signs": [f"学校名称（盖章）：{U}　校长签字：{P}　经办人及电话：{C} {T}"],
    "one-row table": [o.table((f"填报单位（盖章）：{U}", f"主要负责人签字：{P}", f"联系人及电话：{C}{T}"))],
    "labels and values in cells": [o.table(("填报单位（盖章）", U, "主要负责人签字", P, "联系人及电话", f"{C} {T}"))],
    "two rows of cells": [o.table(("填报单位", U, "主要负责人签字", P), ("联系人", C, "联系电话", T))],
    "name and phone in two cells": [o.table(("填报单位", U, "负责人签字", P), ("联系人及电话", C, T, ""))],
    "text box": [o.paragraph(o.text_box(o.paragraph(o.PROBLEM_HEAD)))],
    "label and value in different runs": [
        o.paragraph(
            "填报单位", o.run("（盖章）", o.BOLD), "：", o.run(f"　{U}　", o.UNDERLINE), "　主要负责人签字：",
            o.run(P, o.UNDERLINE), "　联系人及电话：", o.run(C), o.run(T),
        )
    ],
    "no colons and no blanks": [f"填报单位{U} 主要负责人签字{P} 联系人及电话{C}{T}"],
    "labels above the values": [o.table(("填报单位（盖章）", "主要负责人签字", "联系人及电话"), (U, P, f"{C} {T}"))],
    "labels left in a table": [o.table(("填报单位（盖章）：", U), ("主要负责人签字：", P), ("联系人及电话：", f"{C}{T}"))],
    "value on the next line": [f"填报单位（盖章）：\n{U}", f"主要负责人签字：\n{P}", f"联系人及电话：\n{C}{T}"],
}  # fmt: skip


@pytest.mark.parametrize("head", HEADS.values(), ids=HEADS.keys())
def test_a_head_is_read_however_it_is_laid_out(head: list[str | o.Xml]) -> None:
    form = only(of_word(o.docx("附件1", "难点问题报告表", *head, TABLE, o.PROBLEM_NOTE)))
    values = dict(form.fields)
    assert values == {"reporting_unit": U, "principal": P, "contact_name": C, "contact_phone": T}
    assert verdict(form) == "complete"
    assert set(values) <= set(form.places)


def test_the_head_may_stand_in_the_page_header() -> None:
    data = o.docx("难点问题报告表", TABLE, header=[o.paragraph(o.PROBLEM_HEAD)])
    assert only(of_word(data)).fields["reporting_unit"] == U


def test_the_signature_may_stand_below_the_table() -> None:
    head = f"填报单位：{U}　联系人及电话：{C} {T}"
    form = only(
        of_word(o.docx("难点问题报告表", head, TABLE, f"主要负责人签字：{P}", "2022年1月4日", o.PROBLEM_NOTE))
    )
    assert form.fields["principal"] == P
    assert verdict(form) == "complete"


def test_the_head_may_be_rows_of_the_same_table() -> None:
    form = only(
        of_word(
            o.docx(
                "难点问题报告表",
                o.table(
                    (o.C(f"填报单位（盖章）：{U}", span=2), o.C(f"主要负责人签字：{P}", span=2)),
                    (o.C(f"联系人及电话：{C} {T}", span=4),),
                    o.PROBLEM_HEADINGS,
                    ROW,
                    (o.C(o.PROBLEM_NOTE, span=4),),
                ),
            )
        )
    )
    assert dict(form.fields) == {"reporting_unit": U, "principal": P, "contact_name": C, "contact_phone": T}
    assert len(form.items) == 1


CONTACTS = [
    (f"{C}{T}", C, T),
    (f"{C} {T}", C, T),
    (f"{C}　{T}", C, T),
    (f"{C}，{T}", C, T),
    (f"{C}、{T}", C, T),
    (f"{C}/{T}", C, T),
    (f"{C}：{T}", C, T),
    (f"{C}（{T}）", C, T),
    (f"{T}（{C}）", C, T),
    (f"{T} {C}", C, T),
    ("覃小雨 138 1234 5678", C, T),
    ("覃小雨 138-1234-5678", C, T),
    ("覃小雨 +86 138 1234 5678", C, T),
    ("覃小雨 86-13812345678", C, T),
    ("覃小雨 １３８１２３４５６７８", C, T),
    ("覃小雨\n13812345678", C, T),
    ("覃 小 雨 13812345678", C, T),
    ("姓名：覃小雨 电话：13812345678", C, T),
    ("覃小雨，手机13812345678", C, T),
    ("覃小雨 Tel:13812345678", C, T),
    ("覃小雨（办公室主任）13812345678", C, T),
    ("覃小雨，0775-4561234", C, "0775-4561234"),
    ("覃小雨，07754561234", C, "0775-4561234"),
    ("覃小雨，(0775)4561234", C, "0775-4561234"),
    ("覃小雨 4561234", C, "4561234"),
    ("覃小雨 4561234转801", C, "4561234-801"),
    ("覃小雨 0775—4561234", C, "0775-4561234"),
    ("覃小雨 13812345678/4561234", C, "13812345678/4561234"),
    ("覃小雨 13812345678、0775-4561234", C, "13812345678/0775-4561234"),
    ("韦一13812345678、黄二13912345678", "韦一、黄二", "13812345678/13912345678"),
    ("韦一 13812345678；黄二 13912345678", "韦一、黄二", "13812345678/13912345678"),
    ("韦一、黄二 13812345678、13912345678", "韦一、黄二", "13812345678/13912345678"),
    ("韦一 13812345678 黄二 13912345678", "韦一、黄二", "13812345678/13912345678"),
    ("韦一13812345678\n黄二13912345678", "韦一、黄二", "13812345678/13912345678"),
    ("韦一（13812345678）黄二（13912345678）", "韦一、黄二", "13812345678/13912345678"),
    ("欧阳小雨 13812345678", "欧阳小雨", T),
    ("覃老师 13812345678", "覃老师", T),
    ("覃小雨 13812345678 xiaoyu123@163.com", C, T),
    ("阿不都·热合曼 13812345678", "阿不都·热合曼", T),
]


@pytest.mark.parametrize(("written", "name", "phone"), CONTACTS)
def test_a_contact_is_parted_into_names_and_phones(written: str, name: str, phone: str) -> None:
    form = only(of_word(o.problem_docx(head=f"填报单位：{U}　主要负责人签字：{P}　联系人及电话：{written}")))
    assert (form.fields["contact_name"], form.fields["contact_phone"]) == (name, phone)
    assert form.fields["principal"] == P
    assert verdict(form) == "complete"


BAD_CONTACTS = [
    ("覃小雨 1381234567", "contact_phone"),
    ("覃小雨 138123456789", "contact_phone"),
    ("覃小雨 138****5678", "contact_phone"),
    ("覃小雨 23812345678", "contact_phone"),
    ("覃小雨", "contact_phone"),
    ("", "contact_phone"),
    ("XXX 13812345678", "contact_name"),
    ("负责日常联系工作的办公室的覃小雨同志 13812345678", "contact_name"),
]


@pytest.mark.parametrize(("written", "path"), BAD_CONTACTS)
def test_a_wrong_contact_is_said(written: str, path: str) -> None:
    form = only(of_word(o.problem_docx(head=f"填报单位：{U}　主要负责人签字：{P}　联系人及电话：{written}")))
    assert path in doubts(form)


def test_a_phone_without_a_name_is_kept_with_a_warning() -> None:
    form = only(of_word(o.problem_docx(head=f"填报单位：{U}　主要负责人签字：{P}　联系人及电话：{T}")))
    assert form.fields["contact_phone"] == T
    assert form.fields["contact_name"] is None
    assert any(f.field == "contact_name" and f.severity.value == "warning" for f in form.findings)


DATES = [
    "2022年1月4日", "2022年01月04日", "2022-01-04", "2022-1-4", "2022.1.4", "2022.01.04", "2022/1/4", "20220104", "２０２２年１月４日",
    "二〇二二年一月四日", "二○二二年一月四日", "二O二二年元月四日", "2022年元月4日", "22年1月4日", "2022 年 1 月 4 日", "2022年1月4号",
    "2022年1月4日上午", "2022年1月4日（星期二）", "2022-01-04 10:30", "2022-01-04 10:30:00", "2022、1、4", "2022。1。4", "2022．1．4",
    "2022年1月4日。", "（2022年1月4日）", "2022—01—04",
]  # fmt: skip


@pytest.mark.parametrize("written", DATES)
def test_a_date_is_read_in_every_usual_form(written: str) -> None:
    head = f"填报单位：{U}　　填报时间：{written}　　联系人及电话：{C}{T}"
    form = only(of_word(o.statistics_docx((U, "3", "1", "2", "5", ""), head=head)))
    if written == "2022。1。4":
        assert form.fields["reported_on"] in {None, date(2022, 1, 4)}
        return
    assert form.fields["reported_on"] == date(2022, 1, 4)
    assert verdict(form) == "complete"


BAD_DATES = ["2022年1月", "2022.1", "1月4日", "2022年2月30日", "2022年13月1日", "2022年1月上旬", "2022年11月-12月", "4/1/2022",
             "2022年1-2月", "2022年第一期", "1-4", "二〇二二年一月", "2022年1月4日至3月4日", "202214", "2022"]  # fmt: skip


@pytest.mark.parametrize("written", BAD_DATES)
def test_a_date_that_is_no_day_is_left_out_and_said(written: str) -> None:
    head = f"填报单位：{U}　　填报时间：{written}　　联系人及电话：{C}{T}"
    form = only(of_word(o.statistics_docx((U, "3", "1", "2", "5", ""), head=head)))
    assert form.fields["reported_on"] is None
    assert any(f.field == "reported_on" for f in form.findings)
    assert form.fields["contact_phone"] == T


def test_a_blank_date_is_missing() -> None:
    head = f"填报单位：{U}　　填报时间：　　年　月　日　　联系人及电话：{C}{T}"
    form = only(of_word(o.statistics_docx((U, "3", "1", "2", "5", ""), head=head)))
    assert form.fields["reported_on"] is None
    assert any(f.field == "reported_on" and f.kind.value == "missing" for f in form.findings)


@pytest.mark.parametrize(
    "head",
    [
        f"填报单位（盖章）：　　主要负责人签字：{P}　　联系人及电话：{C}{T}",
        f"主要负责人签字：{P}　联系人及电话：{C}{T}",
    ],
)
def test_a_missing_unit_must_be_corrected(head: str) -> None:
    form = only(of_word(o.problem_docx(head=head)))
    assert form.fields["reporting_unit"] is None
    assert "reporting_unit" in doubts(form)
    assert form.fields["principal"] == P


def test_a_blank_signature_does_not_send_the_form_back() -> None:
    form = only(of_word(o.problem_docx(head=f"填报单位：{U}　　主要负责人签字：　　　联系人及电话：{C}{T}")))
    assert form.fields["principal"] is None
    assert not form.incomplete


def test_the_offices_own_contact_is_never_the_schools() -> None:
    form = only(of_word(o.problem_docx(head=f"填报单位：{U}　　主要负责人签字：{P}　　联系人及电话：")))
    assert form.fields["contact_phone"] is None
    assert "contact_phone" in doubts(form)


def test_two_different_units_in_one_head_are_a_doubt() -> None:
    data = o.docx("难点问题报告表", "填报单位：贵港市甲小学", "填报单位：贵港市乙小学", o.PROBLEM_HEAD, TABLE)
    assert "reporting_unit" in doubts(only(of_word(data)))


def test_a_school_s_name_is_whole_though_the_next_label_begins_right_behind_it() -> None:
    head = "填报单位：贵港市特殊教育学校负责人签字：韦青山  联系人及电话：覃小雨13812345679"
    form = only(of_word(o.problem_docx(head=head)))
    assert (form.fields["reporting_unit"], form.fields["principal"]) == ("贵港市特殊教育学校", "韦青山")


def test_slashes_between_the_blanks_belong_to_none_of_them() -> None:
    head = "填报单位：贵港市荷塘小学 / 填报时间：2022年1月4日 / 联系人及电话：覃小雨 13812345679"
    form = only(of_word(o.statistics_docx((o.UNIT, "3", "1", "2", "5", ""), head=head)))
    assert form.fields["reporting_unit"] == "贵港市荷塘小学"
    assert str(form.fields["reported_on"]) == "2022-01-04"


def test_a_text_with_a_heading_of_its_own_is_no_row_of_headings() -> None:
    details = "（一）基本情况：厕位不足\n（二）诉求：请求支持20万元。"
    row = (o.PROBLEM, details, "市局相关科室：人事科", "急")
    form = only(of_word(o.docx("难点问题报告表", o.PROBLEM_HEAD, o.table(o.PROBLEM_HEADINGS, row))))
    assert (form.items[0]["problem"], form.items[0]["sections"]) == (o.PROBLEM, ("人事科",))


@pytest.mark.parametrize(
    ("line", "phone"),
    [
        ("联系人及电话 (0775)4567891（马嘉慧）", "0775-4567891"),
        ("联系电话（11位）：13800001234", "13800001234"),
        ("【填报单位】贵港市达观中学 【联系人】马嘉慧 【联系电话】13800001234", "13800001234"),
    ],
)
def test_a_bracket_behind_a_label_is_a_hint_only_if_it_is_no_number(line: str, phone: str) -> None:
    pairs = dict(head_pairs(line))
    text = pairs.get("contact_phone") or pairs.get("contact") or ""
    assert fields.contact(text).phone.value == phone
