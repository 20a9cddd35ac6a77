"""Only what a sender typed himself counts; what his mail program quoted below does not."""

from __future__ import annotations

import pytest
from hypothesis import given, settings, strategies as st

from parsers import own_words

ORDER = "请回复:同意"
"""Words in the quoted letter that must never be read as the sender's."""

QUOTED_TEXTS = {
    "163 webmail": f'收到,已办理。\n\n\n\n在 2022-01-04 09:12:00,"工委办" <djb3916@163.com> 写道:\n\n各学校:\n{ORDER}',
    "163 webmail, English": f'收到,已办理。\n\nAt 2022-01-04 09:12:00, "工委办" <djb3916@163.com> wrote:\n{ORDER}',
    "QQ": f'收到,已办理。\n\n\n------------------ 原始邮件 ------------------\n发件人: "djb3916" <djb3916@163.com>;\n{ORDER}',
    "QQ, English": f'收到,已办理。\n\n------------------ Original ------------------\nFrom: "djb" <djb3916@163.com>;\n{ORDER}',
    "QQ on a phone": f'收到,已办理。\n\n---原始邮件---\n发件人: "djb3916"<djb3916@163.com>\n{ORDER}',
    "Foxmail": "收到,已办理。\n\n\n\n贵港市某某中学\n \n发件人： djb3916@163.com\n发送时间： 2022-01-04 09:12\n收件人： a@b.cn\n"
    f"主题： 统计表\n{ORDER}",
    "Outlook": "收到,已办理。\n\n发件人: 工委办 <djb3916@163.com> \n发送时间: 2022年1月4日 9:12\n收件人: a@b.cn\n主题: 统计表\n\n"
    f"{ORDER}",
    "Outlook, English": "收到,已办理。\n\nFrom: djb <djb3916@163.com>\nSent: Tuesday, January 4, 2022 9:12 AM\nTo: a@b.cn\n"
    f"Subject: x\n\n{ORDER}",
    "old Outlook": f"收到,已办理。\n\n-----邮件原件-----\n发件人: djb\n发送时间: 2022年1月4日\n{ORDER}",
    "old Outlook, English": f"收到,已办理。\n-----Original Message-----\nFrom: djb\n{ORDER}",
    "Outlook Express": f"收到,已办理。\n----- 原始邮件 ----- \n发件人: djb\n{ORDER}",
    "Apple Mail": f"收到,已办理。\n\n> 在 2022年1月4日，09:12，工委办 <djb3916@163.com> 写道：\n> \n> {ORDER}",
    "Apple Mail, outside": f"收到,已办理。\n\n2022年1月4日 09:12，工委办 <djb3916@163.com> 写道：\n\n{ORDER}",
    "iPhone": f"收到,已办理。\n\n发自我的iPhone\n\n> 在 2022年1月4日，09:12，djb3916 <djb3916@163.com> 写道：\n> {ORDER}",
    "Gmail": "收到,已办理。\n\nOn Tue, Jan 4, 2022 at 9:12 AM 工委办 <djb3916@163.com>\nwrote:\n\n> 各学校:\n"
    f"> {ORDER}",
    "Gmail, Chinese": f"收到,已办理。\n\n工委办 <djb3916@163.com> 于2022年1月4日周二 09:12写道：\n\n> {ORDER}",
    "Thunderbird": f"收到,已办理。\n\n在 2022/1/4 9:12, 工委办 写道:\n> {ORDER}",
    "网易邮箱大师": "收到,已办理。\n\n---- 回复的原邮件 ----\n| 发件人 | 工委办<djb3916@163.com> |\n| 日期 | 2022年01月04日 09:12 |\n"
    f"{ORDER}",
    "网易邮箱大师, older": f"收到,已办理。\n\n在2022年1月4日 09:12，工委办<djb3916@163.com>写道：\n{ORDER}",
    "Huawei": f"收到,已办理。\n\n-------- 原始邮件 --------\n发件人： 工委办 <djb3916@163.com>\n日期： 2022年1月4日周二 09:12\n{ORDER}",
    "Xiaomi": f"收到,已办理。\n\n发自我的小米手机\n在 工委办 <djb3916@163.com>，2022年1月4日 09:12写道：\n\n{ORDER}",
    "Samsung": f"收到,已办理。\n\n-------- 原始信息 --------\n由： 工委办\n{ORDER}",
    "阿里邮箱": "收到,已办理。\n------------------------------------------------------------------\n发件人：工委办 <djb3916@163.com>\n"
    f"发送时间：2022年1月4日(星期二) 09:12\n收件人：a <a@b.cn>\n主　题：统计表\n\n{ORDER}",
    "signature delimiter": f"收到,已办理。\n-- \n{ORDER}",
}


@pytest.mark.parametrize("client", QUOTED_TEXTS)
def test_the_letter_quoted_below_a_reply_is_not_the_senders_word(client: str) -> None:
    parted = own_words.parted(QUOTED_TEXTS[client])
    assert parted.own.startswith("收到,已办理。")
    assert ORDER not in parted.own
    assert "发自我的" not in parted.own


OWN_TEXTS = (
    "难点问题:操场积水\n具体内容:下雨就淹\n联系人:张三\n填报单位:某某中学",
    "他在报告中写道：操场积水严重。\n请解决。",
    "发件人写错了,请更正。\n收件人也是。",
    "一、党支部数 3\n二、平台数 1\n----------\n谢谢",
    "通知日期: 1月5日\n时间: 上午\n地点: 会议室",
    "原始邮件我找不到了,能否再发一次?",
)


@pytest.mark.parametrize("text", OWN_TEXTS)
def test_words_that_only_look_like_a_quotation_stay_the_senders(text: str) -> None:
    assert own_words.parted(text).own == text


def test_an_answer_below_or_between_quoted_lines_is_kept() -> None:
    parted = own_words.parted(
        "On Tue, Jan 4, 2022 at 9:12 AM djb <djb3916@163.com> wrote:\n> 是否同意?\n同意\n> 何时?\n下周"
    )
    assert parted.own == "同意\n下周"


def test_the_phone_line_and_signature_block_are_dropped_and_the_name_is_kept() -> None:
    assert own_words.parted("已报\n\n某某中学 张三\n\n发自我的华为手机").own == "已报\n\n某某中学 张三"
    assert own_words.parted("已报\n\nSent from my iPhone").own == "已报"
    assert own_words.parted("已报\n--\n张三\n电话 1").own == "已报"


QUOTED_MARKUPS = {
    "163": '<div>收到</div><br><pre>At 2022-01-04 09:12:00, "djb" &lt;djb3916@163.com&gt; wrote:</pre>'
    f'<blockquote id="isReplyContent" style="PADDING-LEFT:1ex"><div>{ORDER}</div></blockquote>',
    "QQ": f"<div>收到</div><div><includetail><div>原始邮件</div><div>发件人: x</div><div>{ORDER}</div></includetail></div>",
    "QQ, plain divs": '<div>收到</div><div style="font-size:12px">------------------&nbsp;原始邮件&nbsp;------------------</div>'
    f"<div>发件人:&nbsp;x</div><div>{ORDER}</div>",
    "Foxmail": "<div>收到</div><hr><blockquote><div>发件人：&nbsp;<a>djb</a></div><div>发送时间：2022</div><div>收件人：x</div>"
    f"<div>主题：x</div><div>{ORDER}</div></blockquote>",
    "Outlook": '<p>收到</p><div style="border-top:solid #E1E1E1 1.0pt"><p><b>发件人:</b> djb<br><b>发送时间:</b> 2022<br>'
    f"<b>收件人:</b> a<br><b>主题:</b> x</p></div><p>{ORDER}</p>",
    "Outlook on the web": f'<div>收到</div><div id="appendonsend"></div><hr><div id="divRplyFwdMsg"><b>发件人:</b> d</div><div>{ORDER}</div>',
    "Gmail": f'<div>收到</div><div class="gmail_quote"><div class="gmail_attr">On 2022 djb wrote:</div><blockquote>{ORDER}</blockquote></div>',
    "Apple Mail": f'收到<br><div><blockquote type="cite"><div>在 2022年1月4日，djb 写道：</div>{ORDER}</blockquote></div>',
    "Thunderbird": '<p>收到</p><div class="moz-cite-prefix">在 2022/1/4 9:12, djb 写道:</div>'
    f'<blockquote type="cite">{ORDER}</blockquote>',
    "网易邮箱大师": f'<div>收到</div><div class="ntes-mailmaster-quote"><div>---- 回复的原邮件 ----</div><div>{ORDER}</div></div>',
}


@pytest.mark.parametrize("client", QUOTED_MARKUPS)
def test_the_quoted_letter_is_cut_from_an_html_reply_in_text_and_markup(client: str) -> None:
    parted = own_words.parted_markup(QUOTED_MARKUPS[client], is_reply=True)
    assert parted.text.own == "收到"
    assert ORDER not in parted.own
    assert "收到" in parted.own
    assert ORDER in parted.quoted


def test_a_table_in_the_quoted_letter_is_not_taken_for_a_form_of_the_reply() -> None:
    markup = "<p>收到</p><div>-----原始邮件-----</div><table><tr><td>填报单位</td></tr></table>"
    parted = own_words.parted_markup(markup)
    assert "<table" not in parted.own
    assert "填报单位" in parted.quoted


def test_an_indented_table_in_a_fresh_mail_is_the_senders_own() -> None:
    markup = (
        "<p>报告如下</p><blockquote><table><tr><td>填报单位</td><td>某中学</td></tr></table></blockquote>"
    )
    assert "某中学" in own_words.parted_markup(markup).own


def test_a_forwarded_letter_is_told_from_an_answered_one() -> None:
    assert own_words.parted("请阅\n-------- 转发邮件信息 --------\n发件人:a\n内容").forwarded
    assert not own_words.parted("请阅\n-------- 原始邮件 --------\n发件人:a\n内容").forwarded


@settings(max_examples=150, deadline=None)
@given(st.text(max_size=400))
def test_any_text_is_parted_without_failing_and_nothing_is_invented(text: str) -> None:
    own = own_words.parted(text).own
    assert set(own.split()) <= set(text.replace("\xa0", " ").split()) | {""}


@settings(max_examples=100, deadline=None)
@given(
    st.lists(
        st.sampled_from(
            [
                "<div>",
                "</div>",
                "<table>",
                "<td>",
                "字",
                "<blockquote>",
                "</p>",
                "写道:",
                "<br>",
                "&#0;",
                "<pre>\n",
            ]
        )
    )
)
def test_any_markup_is_parted_without_failing(pieces: list[str]) -> None:
    own_words.parted_markup("".join(pieces), is_reply=True)
