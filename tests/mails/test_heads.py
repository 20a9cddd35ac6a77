"""Heads, names and dates as Chinese clients write them."""

from __future__ import annotations

import base64

import pytest

from parsers import decoding
from parsers.content import Limits
from parsers.message import Letter, opened
from parsers.values import Authentication
from tests.mails.letters import plain, sample

GB = base64.b64encode("何镕喆".encode("gb18030")).decode()


def letter(raw: bytes) -> Letter:
    return opened(raw, Limits())


def test_a_text_labelled_gb2312_keeps_its_rare_characters() -> None:
    read = letter(sample("029"))
    assert read.mail.from_name == "何镕"
    assert read.attachments[0].name == "难点问题报告表（何镕）.docx"


SENDERS = {
    f"=?gb2312?B?{GB}?= <a@b.cn>": ("a@b.cn", "何镕喆"),
    f"=?gb2312?B?{GB}?=<a@b.cn>": ("a@b.cn", "何镕喆"),
    f'"=?gb2312?B?{GB}?=" <A@B.cn>': ("a@b.cn", "何镕喆"),
    '"office@gov.cn" <evil@x.cn>': ("evil@x.cn", "office@gov.cn"),
    "a@b.cn (张三)": ("a@b.cn", "张三"),
    "<a@b.cn>": ("a@b.cn", None),
    "a@b.cn": ("a@b.cn", None),
    '"张,三" <a@b.cn>': ("a@b.cn", "张,三"),
    "张三": ("", "张三"),
    "=?utf-8?B?PGJvc3NAZ292LmNuPg==?= <evil@x.cn>": ("evil@x.cn", "boss@gov.cn"),
}


@pytest.mark.parametrize("value", SENDERS)
def test_the_senders_address_is_the_one_outside_quotes_and_encoded_names(value: str) -> None:
    mail = letter(plain(f"From: {value}\nSubject: x")).mail
    assert (mail.sender, mail.from_name) == SENDERS[value]


def test_raw_gbk_in_subject_name_and_file_name_is_understood() -> None:
    raw = (
        'From: "难点小学" <a@b.cn>\nSubject: 报送统计表\nContent-Type: application/octet-stream; name="附件2.xlsx"\n'
        'Content-Disposition: attachment; filename="附件2.xlsx"\n\nx'
    ).encode("gbk")
    read = letter(raw)
    assert (read.mail.from_name, read.mail.subject) == ("难点小学", "报送统计表")
    assert read.attachments[0].name == "附件2.xlsx"


def test_a_character_split_over_two_encoded_words_is_whole_again() -> None:
    data = "难点问题".encode()
    words = [f"=?utf-8?B?{base64.b64encode(part).decode()}?=" for part in (data[:4], data[4:])]
    assert decoding.words("\n ".join(words)) == "难点问题"
    assert decoding.words(f"[转] {words[0]} {words[1]} x") == "[转] 难点问题 x"


FILE_NAMES = (
    f'attachment; filename="=?GBK?B?{base64.b64encode("附件1.docx".encode("gbk")).decode()}?="',
    "attachment; filename*=utf-8''%E9%99%84%E4%BB%B61.docx",
    "attachment; filename*=gb2312''%B8%BD%BC%FE1.docx",
    "attachment; filename*0*=utf-8''%E9%99%84; filename*1*=%E4%BB%B61.docx",
    'attachment; filename="=?utf-8?B?6ZmE5Lu2?=1.docx"',
    f'attachment; filename*0="=?utf-8?B?{base64.b64encode("附件1.docx".encode()).decode()[:8]}";'
    f' filename*1="{base64.b64encode("附件1.docx".encode()).decode()[8:]}?="',
    'attachment; filename="%E9%99%84%E4%BB%B61.docx"',
    'attachment; filename="..\\..\\附件1.docx"',
    "attachment; filename=附件1.docx",
)


@pytest.mark.parametrize("disposition", FILE_NAMES)
def test_a_file_name_is_understood_however_it_is_encoded(disposition: str) -> None:
    raw = plain(
        f"From: a@b.cn\nContent-Type: application/octet-stream\nContent-Disposition: {disposition}", "x"
    )
    assert letter(raw).attachments[0].name == "附件1.docx"


DATES = {
    "Tue, 4 Jan 2022 09:30:00 +0800": "2022-01-04T09:30:00+08:00",
    "Tue, 4 Jan 2022 01:30:00 GMT": "2022-01-04T01:30:00+00:00",
    "Tue, 4 Jan 2022 09:30:00": "2022-01-04T09:30:00+08:00",
    "2022-01-04 09:30:00": "2022-01-04T09:30:00+08:00",
    "2022年1月4日 09:30": "2022-01-04T09:30:00+08:00",
    "Tue, 4 Jan 2022 09:30:00 +0800 (中国标准时间)": "2022-01-04T09:30:00+08:00",
    "Tue, 34 Foo 2022": None,
    "": None,
}


@pytest.mark.parametrize("value", DATES)
def test_a_date_is_read_in_every_usual_form_and_a_senseless_one_is_none(value: str) -> None:
    date = letter(plain(f"From: a@b.cn\nDate: {value}")).mail.date
    assert (date.isoformat() if date else None) == DATES[value]


def test_what_a_mail_answers_is_in_reply_to_first_then_the_newest_reference() -> None:
    mail = letter(plain("From: a@b\nIn-Reply-To: <c@djb>\nReferences: <a@djb> <b@djb>\n <c@djb>")).mail
    assert mail.in_reply_to == ("<c@djb>", "<b@djb>", "<a@djb>")


def test_an_id_without_brackets_is_still_found() -> None:
    assert letter(plain("From: a@b\nIn-Reply-To: c@djb")).mail.in_reply_to == ("<c@djb>",)


def test_a_mail_without_message_id_has_none() -> None:
    assert letter(plain("From: a@b\nSubject: x")).mail.message_id is None


def test_a_wrong_boundary_does_not_lose_the_attachment() -> None:
    raw = plain(
        'From: a@b.cn\nMIME-Version: 1.0\nContent-Type: multipart/mixed; boundary="AAA"',
        "--BBB\nContent-Type: text/plain\n\n见附件\n--BBB\nContent-Type: application/octet-stream; name=a.csv\n\n1,2\n--BBB--\n",
    )
    read = letter(raw)
    assert read.mail.reply_text == "见附件"
    assert [each.name for each in read.attachments] == ["a.csv"]


def test_a_forwarded_mail_is_opened_even_when_it_was_encoded_in_base64() -> None:
    inner = base64.encodebytes(sample("025")).decode()
    raw = plain(
        'From: a@b.cn\nMIME-Version: 1.0\nContent-Type: multipart/mixed; boundary="B"',
        f"--B\nContent-Type: message/rfc822\nContent-Transfer-Encoding: base64\n\n{inner}\n--B--\n",
    )
    carried = letter(raw).attachments[0].letter
    assert carried is not None
    assert carried.attachments[0].name == "附件二(贵港市观音阁小学).csv"


def test_links_to_oversize_attachments_are_found() -> None:
    url = "https://mail.163.com/large-attachment-download/index.html?p=X&file=abc"
    html = f'<p>见附件</p><a href="{url.replace("&", "&amp;")}">下载</a>'
    mail = letter(plain("From: a@b.cn\nContent-Type: text/html; charset=utf-8", html)).mail
    assert mail.oversize_links == (url,)


COREMAIL = "Received: from x (unknown [1.2.3.4]) by mx25 (Coremail) with SMTP id TID1;\n Tue, 4 Jan 2022 09:30:00 +0800\n"
POSTFIX = "Received: from x (x [1.2.3.4]) by mx.example.cn (Postfix) with ESMTP id 1; Tue, 4 Jan 2022 09:30:00 +0800\n"
RESULTS = {
    COREMAIL + "From: a@b.cn": Authentication.UNKNOWN,
    COREMAIL
    + "From: a@b.cn\nX-CM-TRANSID: TID1\nAuthentication-Results: mx25; spf=pass smtp.mail=a@b.cn": Authentication.PASS,
    COREMAIL
    + "From: a@b.cn\nAuthentication-Results: mx25; spf=pa\n\tss smtp.mail=a@b\n\t.cn": Authentication.PASS,
    COREMAIL + "From: a@b.cn\nAuthentication-Results: mx25; dmarc=fail header.from=b.cn": Authentication.FAIL,
    COREMAIL
    + "From: a@b.cn\nAuthentication-Results: mx25; spf=fail smtp.mail=a@b.cn; dkim=none": Authentication.FAIL,
    COREMAIL
    + "From: a@b.cn\nAuthentication-Results: mx25; spf=fail; dkim=pass header.i=@b.cn": Authentication.PASS,
    COREMAIL
    + "From: a@b.cn\nAuthentication-Results: mx25; dkim=fail; spf=pass smtp.mail=a@b.cn": Authentication.PASS,
    COREMAIL + "From: a@b.cn\nAuthentication-Results: mx25; dkim=fail; spf=none": Authentication.FAIL,
    COREMAIL + "From: a@b.cn\nAuthentication-Results: mx25; spf=softfail; dkim=none": Authentication.UNKNOWN,
    COREMAIL
    + "From: a@b.cn\nAuthentication-Results: mx25; spf=pass smtp.mail=a@evil.cn": Authentication.UNKNOWN,
    COREMAIL + "Authentication-Results: mx25; spf=pass smtp.mail=a@b.cn\nFrom: a@b.cn\nX-CM-TRANSID: TID1\n"
    "Authentication-Results: mx25; spf=fail smtp.mail=a@b.cn": Authentication.FAIL,
    COREMAIL
    + "From: a@b.cn\nX-CM-TRANSID: OTHER\nAuthentication-Results: mx25; spf=pass smtp.mail=a@b.cn": Authentication.UNKNOWN,
    COREMAIL + "From: a@b.cn\nAuthentication-Results: mx99; spf=fail": Authentication.UNKNOWN,
    "Authentication-Results: mx.example.cn; dmarc=pass header.from=b.cn\n"
    + POSTFIX
    + "From: a@b.cn": Authentication.PASS,
    "Authentication-Results: forged.cn; dmarc=fail\n" + POSTFIX + "From: a@b.cn": Authentication.UNKNOWN,
}


@pytest.mark.parametrize("head", RESULTS)
def test_only_the_receiving_servers_own_result_speaks_about_the_sender(head: str) -> None:
    assert letter(plain(head)).mail.authentication is RESULTS[head]
