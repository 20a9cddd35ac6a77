"""A machine's mail is known as such, and a person's is never taken for one."""

from __future__ import annotations

import pytest

from parsers.content import Limits
from parsers.message import opened
from parsers.read import read
from parsers.values import Mail, MailKind, Verdict
from tests.mails.letters import ADDRESS, plain, problem_report, sample


def mail_of(raw: bytes) -> Mail:
    return opened(raw, Limits(), ADDRESS).mail


def report(status: str, action: str = "failed", returned: str = "") -> bytes:
    """A delivery report in the standard form."""
    return plain(
        "Return-Path: <>\nFrom: MAILER-DAEMON@mx.example.cn\nSubject: Delivery Status Notification\nMIME-Version: 1.0\n"
        'Content-Type: multipart/report; report-type=delivery-status; boundary="B"',
        "--B\nContent-Type: text/plain\n\nsee below\n--B\nContent-Type: message/delivery-status\n\n"
        f"Reporting-MTA: dns; mx\n\nFinal-Recipient: rfc822; x@school.test\nAction: {action}\nStatus: {status}\n"
        "Diagnostic-Code: smtp; 550 5.1.1 <x@school.test>: User\n unknown\n\n"
        f"--B\nContent-Type: message/rfc822\n\nFrom: {ADDRESS}\nMessage-ID: <letter.1@djb>\n{returned}\n\nbody\n--B--\n",
    )


def test_a_standard_report_names_the_address_the_code_and_our_letter() -> None:
    mail = mail_of(report("5.1.1"))
    assert mail.kind is MailKind.BOUNCE
    assert [(each.address, each.permanent, each.status) for each in mail.bounced] == [
        ("x@school.test", True, "5.1.1")
    ]
    assert mail.bounced[0].diagnostic == "smtp; 550 5.1.1 <x@school.test>: User unknown"
    assert mail.bounce_of == ("<letter.1@djb>",)


def test_a_delay_is_a_bounce_that_is_not_permanent() -> None:
    assert [each.permanent for each in mail_of(report("4.4.1", "delayed")).bounced] == [False]


def test_a_report_of_success_bounces_nothing() -> None:
    mail = mail_of(report("2.0.0", "delivered"))
    assert (mail.kind, mail.bounced) == (MailKind.AUTO_REPLY, ())


NETEASE = plain(
    "From: Postmaster@163.com\nSubject: 系统退信\nX-CM-Original-Message-ID: <letter.2@djb>\nMIME-Version: 1.0\n"
    'Content-Type: Multipart/report; report-type=delivery-status; boundary="B"',
    "--B\nContent-Type: Text/Plain; charset=utf-8\n\n抱歉,您的邮件被退回来了\n--B\nContent-Type: Message/delivery-status\n\n"
    "Final-Recipient: rfc822; x@school.test\nAction: failed\nStatus: 5.0.0\n"
    "Diagnostic-Code: SMTP; SMTP error, RCPT TO: 550 5.1.1 User unknown\n--B--\n",
)
QQ = plain(
    "From: PostMaster@qq.com\nSubject: 来自qq.com的退信\nContent-Type: text/html; charset=utf-8",
    "<table><tr><td>无法发送到 x@school.test</td></tr><tr><td>退信原因</td><td>收件人邮件地址不存在</td></tr>"
    "<tr><td>host mx said: 550 5.7.515 Access denied</td></tr></table>",
)
BOUNCES = {
    "163": NETEASE,
    "QQ": QQ,
    "Exchange": plain(
        "From: Microsoft Outlook <postmaster@school.test>\nSubject: 未送达: 统计表",
        "您的邮件未能送达以下收件人: x@school.test",
    ),
    "qmail": plain(
        "From: MAILER-DAEMON@mx.test\nSubject: failure notice",
        "Hi. This is the qmail-send program at mx.test.\nI'm afraid I wasn't able to deliver your message.\n\n"
        "<x@school.test>:\nSorry, no mailbox here by that name. (#5.1.1)\n\n--- Below this line is a copy of the message.\n",
    ),
    "exim": plain(
        "From: Mail Delivery System <Mailer-Daemon@mx.test>\nX-Failed-Recipients: x@school.test\n"
        "Subject: Mail delivery failed: returning message to sender\nAuto-Submitted: auto-replied",
        "This message was created automatically by mail delivery software.\n\n  x@school.test\n    550 No such user",
    ),
    "sina": plain(
        "From: MAILER-DAEMON@sina.com\nSubject: 邮件投递失败",
        "投递失败的收件人: <x@school.test> 原因: 邮箱已满",
    ),
    "139": plain(
        "From: postmaster@139.com\nSubject: 退信通知", "您发往 x@school.test 的邮件被退回,用户不存在"
    ),
    "nobody": plain(
        "From: relay@mx.test\nSubject: Undelivered Mail Returned to Sender",
        "<x@school.test>: host mx said: 550 5.1.1 unknown user",
    ),
}


@pytest.mark.parametrize("provider", BOUNCES)
def test_a_bounce_of_every_provider_is_known_and_names_who_was_not_reached(provider: str) -> None:
    mail = mail_of(BOUNCES[provider])
    assert mail.kind is MailKind.BOUNCE
    assert [each.address for each in mail.bounced] == ["x@school.test"]


def test_a_form_in_the_letter_that_a_bounce_returns_is_not_filed() -> None:
    raw = report("5.1.1", returned="Content-Type: text/html\n\n<table><tr><td>填报单位</td></tr></table>")
    reading = read(raw, "bounce.eml", Limits())
    assert (reading.forms, reading.verdict) == ((), Verdict.NO_FORM)


AUTO_REPLIES = {
    "163": plain("From: a@163.com\nSubject: 网易邮箱自动回复: 统计表", "我在外出差"),
    "QQ": plain("From: a@qq.com\nSubject: 自动回复: 统计表", "您好,我最近正在休假中。"),
    "QQ, by its words": plain(
        "From: a@qq.com\nSubject: Re: 统计表", "这是来自QQ邮箱的假期自动回复邮件。\n\n您好,我在休假。"
    ),
    "Exchange": plain(
        "From: a@b.cn\nSubject: Automatic reply: x\nX-Auto-Response-Suppress: All\nAuto-Submitted: auto-generated",
        "Away",
    ),
    "vacation": plain("From: a@b.cn\nSubject: Re: x\nAuto-Submitted: auto-replied (vacation)", "away"),
    "vacation, old": plain("From: a@b.cn\nSubject: x\nPrecedence: auto_reply", "away"),
    "out of office": plain("From: a@b.cn\nSubject: Out of Office: x", "I am away"),
    "no reply address": plain("From: noreply@b.cn\nSubject: 通知", "系统通知"),
    "null path": plain("Return-Path: <>\nFrom: a@b.cn\nSubject: x", "thank you"),
    "receipt": plain(
        'From: a@b.cn\nSubject: 已读: 统计表\nMIME-Version: 1.0\nContent-Type: multipart/report; report-type=disposition-notification; boundary="B"',
        "--B\nContent-Type: text/plain\n\n已读\n--B\nContent-Type: message/disposition-notification\n\nDisposition: x\n--B--\n",
    ),
    "receipt without structure": plain(
        "From: a@b.cn\nSubject: 已读：统计表", "这是您的邮件的已读回执,邮件已被打开。"
    ),
    "challenge": plain(
        "From: a@b.cn\nSubject: Please confirm", "Your message requires confirmation before it is delivered."
    ),
}


@pytest.mark.parametrize("sort", AUTO_REPLIES)
def test_an_automatic_reply_is_known_as_one(sort: str) -> None:
    assert mail_of(AUTO_REPLIES[sort]).kind is MailKind.AUTO_REPLY


def test_recalls_lists_and_our_own_mail_are_known() -> None:
    recall = plain("From: Postmaster@163.com\nSubject: 通知：[撤回邮件失败]统计表", "您要撤回的邮件已被阅读")
    outlook = plain("From: 张三 <a@b.cn>\nSubject: 撤回: 统计表", "张三 将撤回邮件“统计表”。")
    newsletter = plain("From: news@shop.cn\nSubject: 特惠\nList-Unsubscribe: <mailto:u@shop.cn>", "买一送一")
    assert mail_of(recall).kind is MailKind.RECALL
    assert mail_of(outlook).kind is MailKind.RECALL
    assert mail_of(newsletter).kind is MailKind.LIST
    assert mail_of(plain(f"From: 工委办 <{ADDRESS.upper()}>\nSubject: x")).kind is MailKind.SELF


PERSONS = {
    "withdraws a report": plain("From: a@b.cn\nSubject: 撤回", "撤回"),
    "asks about a bounce": plain(
        "From: a@b.cn\nSubject: 请问退信", "我昨天发的邮件被退回了,550 5.1.1 是什么意思?"
    ),
    "answers a bounce": plain("From: a@b.cn\nSubject: 回复: 系统退信", "地址已改为 x@b.cn,请重发"),
    "forwards a bounce": plain(
        "From: a@b.cn\nSubject: 转发: Undelivered Mail Returned to Sender", "<x@b.cn>: 550 User unknown"
    ),
    "answers an automatic reply": plain("From: a@b.cn\nSubject: 回复: 自动回复: 统计表", "好的,等您回来"),
    "quotes an automatic reply": plain(
        "From: a@b.cn\nSubject: 回复: x\nIn-Reply-To: <1@djb>",
        "同意\n\n----- 原始邮件 -----\n这是来自QQ邮箱的自动回复邮件",
    ),
    "reports in bulk": plain("From: a@b.cn\nSubject: Re: x\nIn-Reply-To: <1@djb>\nPrecedence: bulk", "同意"),
    "was not auto-submitted": plain("From: a@b.cn\nSubject: x\nAuto-Submitted: no", "同意"),
    "has read it": plain("From: a@b.cn\nSubject: 已阅", "已阅,无意见。"),
    "suppresses answers": plain("From: a@b.cn\nSubject: Re: x\nX-Auto-Response-Suppress: OOF", "同意"),
    "writes about automation": plain("From: a@b.cn\nSubject: 自动回复功能怎样设置", "请教"),
}


@pytest.mark.parametrize("who", PERSONS)
def test_a_person_is_never_taken_for_a_machine(who: str) -> None:
    assert mail_of(PERSONS[who]).kind is MailKind.PERSON


def test_a_person_who_sends_a_form_is_a_person() -> None:
    from tests.mails.letters import mail

    assert mail_of(mail(("附件1.docx", problem_report()))).kind is MailKind.PERSON


def test_the_sample_bounce_of_postfix_is_read() -> None:
    mail = mail_of(sample("036"))
    assert mail.bounce_of == ("<20220104101000.k7q4@djb>",)
    assert mail.bounced[0].address == "83462674@qq.com"
