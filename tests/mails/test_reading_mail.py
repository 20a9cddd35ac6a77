"""One door: what a whole mail says, its parts, its copies, its verdict."""

from __future__ import annotations

from dataclasses import replace

import pytest

from parsers import copies
from parsers.content import Limits
from parsers.read import read
from parsers.values import FindingKind, Form, PartOutcome, Reading, Value, Verdict
from tests.mails.letters import ADDRESS, mail, plain, problem_report, sample, zipped


def reading_of(raw: bytes) -> Reading:
    return read(raw, "a.eml", Limits(), ADDRESS)


def one_form(raw: bytes) -> Form:
    reading = reading_of(raw)
    assert len(reading.forms) == 1
    return reading.forms[0]


@pytest.mark.parametrize(
    ("number", "part"),
    [
        ("016", "正文"),
        ("025", "附件二(贵港市观音阁小学).csv"),
        ("029", "难点问题报告表（何镕）.docx"),
        ("030", "统计表_榕湖小学.xlsx"),
        ("031", "fwd.eml/开展情况统计表.xlsx"),
        ("032", "winmail.dat/附件1 难点问题报告表.docx"),
        ("033", "滨江职校.zip/附件1 难点问题报告表.docx"),
    ],
)
def test_a_form_is_found_wherever_the_mail_carries_it(number: str, part: str) -> None:
    reading = reading_of(sample(number))
    assert [form.part for form in reading.forms] == [part]
    assert reading.verdict is Verdict.COMPLETE


def test_site_photos_and_other_papers_are_set_aside() -> None:
    outcomes = {part.name: part.outcome for part in reading_of(sample("034")).parts}
    assert outcomes["现场照片1.jpg"] is PartOutcome.IGNORED
    assert outcomes["学校工作计划.docx"] is PartOutcome.IGNORED


@pytest.mark.parametrize("number", ["037", "038"])
def test_an_encrypted_or_damaged_form_is_unreadable(number: str) -> None:
    assert reading_of(sample(number)).verdict is Verdict.UNREADABLE


def test_a_bare_file_has_no_mail() -> None:
    reading = read(problem_report(), "附件1.docx", Limits())
    assert reading.mail is None
    assert [form.part for form in reading.forms] == ["附件1.docx"]


def test_a_docx_called_doc_is_read() -> None:
    assert one_form(mail(("附件1.doc", problem_report()))).format == "docx"


def test_the_same_file_twice_is_one_form() -> None:
    reading = reading_of(
        mail(("附件1.docx", problem_report()), ("a.zip", zipped(("副本.docx", problem_report()))))
    )
    assert [form.part for form in reading.forms] == ["附件1.docx"]
    assert "附件1.docx" in (reading.parts[1].reason or "")
    assert reading.verdict is Verdict.COMPLETE


TYPED = "填报单位：贵港市榕湖小学\n填报时间：2022年1月4日\n联系人及电话：何某 13800000000\n\n单位名称：贵港市榕湖小学\n党支部数：1\n" \
    "建立“难点问题书记一线办”党建工作平台数：1\n“难点问题书记一线办”举办次数：2\n解决问题数量：3\n备注：无\n"  # fmt: skip


def test_a_form_typed_into_the_body_is_read() -> None:
    form = one_form(mail(text=TYPED))
    assert (form.part, form.format) == ("正文", "body-text")


def test_an_old_form_quoted_under_an_answer_is_not_the_senders() -> None:
    quoted = f"收到\n\n-----原始邮件-----\n发件人: a@b.cn\n主题: 统计表\n\n{TYPED}"
    assert reading_of(mail(text=quoted, subject="回复: 统计表")).forms == ()


def test_a_form_in_a_mail_that_was_only_passed_on_is_read() -> None:
    passed = f"\n\n-------- 转发邮件信息 --------\n发件人: 校办 <a@b.cn>\n主题: 统计表\n\n{TYPED}"
    assert one_form(mail(text=passed, subject="转发: 统计表")).part == "正文"


def test_a_quotation_that_only_the_html_marks_is_still_a_quotation() -> None:
    head = 'From: a@b.cn\nIn-Reply-To: <1@djb>\nMIME-Version: 1.0\nContent-Type: multipart/alternative; boundary="B"'
    html = "<div>收到</div><blockquote><div>请回复:同意</div></blockquote>"
    body = f"--B\nContent-Type: text/plain; charset=utf-8\n\n收到\n\n    请回复:同意\n--B\nContent-Type: text/html; charset=utf-8\n\n{html}\n--B--\n"
    read_mail = reading_of(plain(head, body)).mail
    assert read_mail is not None
    assert read_mail.reply_text == "收到"


def test_our_own_letter_passed_on_is_not_a_report() -> None:
    passed = f"\n\n-------- 转发邮件信息 --------\n发件人: 工委办 <{ADDRESS}>\n主题: 统计表\n\n{TYPED}"
    assert reading_of(mail(text=passed, subject="转发: 统计表")).forms == ()


def test_our_own_letter_attached_is_not_a_report() -> None:
    ours = mail(("附件1.docx", problem_report()), sender=ADDRESS)
    reading = reading_of(mail(("原信.eml", ours)))
    assert reading.forms == ()
    assert reading.parts[0].outcome is PartOutcome.IGNORED


def test_what_we_sent_ourselves_is_not_read() -> None:
    reading = reading_of(mail(("附件1.docx", problem_report()), sender=ADDRESS))
    assert (reading.forms, reading.verdict) == ((), Verdict.NO_FORM)


def test_an_unnamed_attachment_is_named_by_what_it_is() -> None:
    import base64

    body = base64.encodebytes(problem_report()).decode()
    raw = plain(
        "From: a@b.cn\nContent-Type: application/octet-stream\nContent-Transfer-Encoding: base64", body
    )
    assert one_form(raw).part == "未命名附件1.docx"


# ------------------------------------------------------------------ copies


def electronic() -> Form:
    return one_form(mail(("附件1.docx", problem_report())))


def scanned(form: Form, **changes: Value) -> Form:
    item: dict[str, Value] = {**form.items[0], **changes}
    return replace(form, part="盖章.pdf", format="scan-pdf", items=(item,), findings=())


def test_a_scan_of_the_signed_print_is_noted_and_not_filed_again() -> None:
    combined = copies.combined([scanned(electronic()), electronic()])
    assert [(form.part, form.signed_copy) for form in combined.forms] == [("附件1.docx", "盖章.pdf")]
    assert not combined.forms[0].uncertain


def test_where_print_and_file_disagree_a_person_is_asked() -> None:
    scan = scanned(electronic(), levels=("secretary",))
    (form,) = copies.combined([electronic(), scan]).forms
    assert [(each.field, each.kind) for each in form.findings] == [
        ("problems[0].levels", FindingKind.UNCERTAIN)
    ]


def test_a_slip_of_the_eye_in_a_long_text_is_no_disagreement() -> None:
    details = str(electronic().items[0]["details"])
    scan = scanned(electronic(), details=details[:-2] + "口")
    assert not copies.combined([electronic(), scan]).forms[0].findings


def test_two_schools_or_two_problems_are_two_forms() -> None:
    form = electronic()
    other_school = replace(form, part="b.docx", fields={**form.fields, "reporting_unit": "贵港市星河幼儿园"})
    other_problem = replace(
        form, part="c.docx", items=({**form.items[0], "problem": "操场积水", "details": "雨后积水"},)
    )
    assert len(copies.combined([form, other_school, other_problem]).forms) == 3
    assert not any(each.findings for each in copies.combined([form, other_problem]).forms)


def test_two_versions_of_one_problem_are_both_doubted() -> None:
    form = electronic()
    version = replace(form, part="附件1(改).docx", items=({**form.items[0], "details": "另一种说法"},))
    combined = copies.combined([form, version])
    assert len(combined.forms) == 2
    assert combined.forms[1].uncertain


TYPED_HEADINGS = (
    "单位名称 党支部数 建立“难点问题书记一线办”党建工作平台数 “难点问题书记一线办”举办次数 解决问题数量 备注"
)
TYPED_HEAD = "填报单位：贵港市荷塘小学  填报时间：2022年1月4日  联系人及电话：覃小雨 13812345678"


@pytest.mark.parametrize(
    "line",
    ["贵港市荷塘小学 3 1 2 5", "贵港市荷塘小学 3 1 2 5 无", "贵港市 荷塘小学 3 1 2 5 已全部办结 下期继续"],
)
def test_figures_typed_below_their_headings_with_single_blanks_are_read(line: str) -> None:
    text = f"{TYPED_HEAD}\n{TYPED_HEADINGS}\n{line}\n此致"
    reading = reading_of(mail(text=text))
    assert reading.verdict is Verdict.COMPLETE
    [row] = reading.forms[0].items
    assert [row[name] for name in ("unit", "party_branches", "platforms", "sessions_held", "problems_solved")] == [
        "贵港市荷塘小学", 3, 1, 2, 5,
    ]  # fmt: skip


def test_figures_of_which_nobody_knows_the_column_are_doubted() -> None:
    form = one_form(mail(text=f"{TYPED_HEAD}\n{TYPED_HEADINGS}\n贵港市荷塘小学 3 1 5"))
    doubted = {finding.field for finding in form.findings if finding.kind is FindingKind.UNCERTAIN}
    assert doubted >= {"rows[0].party_branches", "rows[0].platforms", "rows[0].sessions_held"}


def test_figures_without_headings_go_to_a_person() -> None:
    reading = reading_of(mail(text="您好，我校本期统计如下：\n贵港市荷塘小学 3 1 2 5\n请查收"))
    assert reading.verdict is Verdict.UNCERTAIN
    assert not reading.forms
