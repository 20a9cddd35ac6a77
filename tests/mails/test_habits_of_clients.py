"""What mail programs add around a form: heads of passed-on mails, hidden text, signatures."""

from __future__ import annotations

import binascii
import io
import quopri
import zipfile
from pathlib import Path

import pytest

from parsers import read, sniff
from parsers.content import Limits
from parsers.values import Reading
from tests.forms.office_files import docx
from tests.mails.letters import plain

FORM = (
    "填报单位：贵港市荷塘小学\n联系人及电话：覃小雨 13812345678\n单位名称：贵港市荷塘小学\n党支部数：2\n"
    "平台数：1\n举办次数：2\n解决问题数量：5\n"
)


def reading(body: str, headers: str = "Subject: report", kind: str = "plain") -> Reading:
    head = f"From: a@163.com\nMIME-Version: 1.0\nContent-Type: text/{kind}; charset=utf-8\n{headers}"
    return read.read(plain(head, body), "a.eml", Limits())


def test_the_date_of_a_passed_on_mail_is_not_the_date_of_the_form() -> None:
    head = "发件人: 荷塘小学 <h@163.com>\n日期: 2022年1月3日 GMT+8 10:00\n收件人: x@163.com\n主题: 统计表\n\n"
    quoted = "".join(f"> {line}\n" for line in (head + FORM + "填报时间：2021年11月3日").split("\n"))
    form = reading(f"以下是转发的邮件：\n\n{quoted}", "Subject: Fwd: report").forms[0]
    assert str(form.fields["reported_on"]) == "2021-11-03"


def test_text_that_html_hides_is_nobodys_words() -> None:
    mail = reading("<div>您好</div><div style='display: none'>藏着的话</div>", kind="html").mail
    assert mail is not None
    assert mail.reply_text == "您好"


def test_an_ole_file_of_nothing_is_only_damaged() -> None:
    assert sniff.sniffed(b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(600), "a.doc").damaged


def kind(headers: str, body: str = "您好") -> str:
    mail = reading(body, headers).mail
    assert mail is not None
    return mail.kind.value


@pytest.mark.parametrize(
    "subject", ["[自动回复]提醒", "已收到(自动回复)", "休假自动回复", "邮件自动回复：提醒"]
)
def test_answers_of_machines_are_known_by_their_subjects(subject: str) -> None:
    assert kind(f"Subject: {subject}") == "auto_reply"


def test_a_question_about_automatic_answers_is_a_persons() -> None:
    assert kind("Subject: 回复: 关于自动回复设置") == "person"


def test_a_feedback_id_of_tencent_makes_no_list() -> None:
    feedback = "Subject: x\nFeedback-ID: webmail:qq.com:bgweb:bgweb9"
    assert kind(f"{feedback}\nX-QQ-mid: webmail1") == "person"
    assert kind(feedback) == "list"


def test_a_broken_encoded_word_in_the_head_harms_nothing() -> None:
    raw = (
        b"From: =?utf-8?B?5qaVv?= <a@163.com>\nTo: =?gbk?B?5?= <b@163.com>\nSubject: =?utf-8?B?x?=\n\nhello\n"
    )
    mail = read.read(raw, "a.eml", Limits()).mail
    assert mail is not None
    assert mail.sender == "a@163.com"


def test_a_member_without_a_name_harms_no_archive() -> None:
    with zipfile.ZipFile(target := io.BytesIO(), "w") as archive:
        archive.writestr("x", b"hello")
    nameless = target.getvalue().replace(b"x", b"\x00")
    assert read.read(nameless, "a.zip", Limits()).verdict.value in {"no_form", "unreadable"}


def test_a_file_uuencoded_in_the_running_text_is_an_attachment() -> None:
    data = (Path(__file__).parents[1] / "forms" / "files" / "hidden_row.xlsx").read_bytes()
    lines = b"".join(binascii.b2a_uu(data[at : at + 45]) for at in range(0, len(data), 45))
    stripped = b"\n".join(line.rstrip() for line in lines.split(b"\n"))
    for coded in (lines, lines.replace(b" ", b"`"), stripped):
        raw = (
            b"From: a@example.com\nTo: djb@example.com\nSubject: form\nContent-Type: text/plain; charset=gbk\n\n"
            + "您好，表格见后。\n\n".encode("gbk")
            + b"begin 644 tongji.xlsx\n"
            + coded
            + b"`\nend\n\n"
            + "此致\n".encode("gbk")
        )
        reading = read.read(raw, "a.eml", Limits())
        assert [form.part for form in reading.forms] == ["tongji.xlsx"]
        assert reading.mail is not None
        assert "begin" not in reading.mail.reply_text


@pytest.mark.parametrize("name", ["word/afchunk.mht", "word/afchunk1.html"])
def test_a_document_that_only_holds_a_web_page_shows_what_the_page_shows(name: str) -> None:
    page = (Path(__file__).parents[1] / "forms" / "files" / "pasted.html").read_bytes()
    if name.endswith("mht"):
        page = (
            b'MIME-Version: 1.0\nContent-Type: multipart/related; boundary="x"\n\n--x\n'
            b"Content-Type: text/html; charset=gb2312\nContent-Transfer-Encoding: quoted-printable\n\n"
            + quopri.encodestring(page)
            + b"\n--x--\n"
        )
    reading = read.read(docx("", extra={name: page}), "a.docx", Limits())
    assert [form.fields["reporting_unit"] for form in reading.forms] == ["贵港市榕湖小学"]
