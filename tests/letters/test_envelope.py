"""What goes out on the wire: any mail program reads it, nothing in it can forge a header."""

from __future__ import annotations

import email
import email.policy
import re
import secrets
from datetime import UTC, datetime
from email.message import EmailMessage
from typing import Any

import pytest
from hypothesis import given, settings, strategies as st

from daemon.envelope import XLSX, Attachment, Rendered, compose, new_message_id, sendable

LETTER = Rendered(
    "[ND-2022-013#K7Q4] 收件回执：《难点问题报告表》已登记", "你校来信收悉。\n", "<p>你校来信收悉。</p>\n"
)


def composed(rendered: Rendered = LETTER, **changed: Any) -> bytes:
    given: dict[str, Any] = {
        "sender_address": "djb3916@163.com",
        "sender_name": "中共贵港市委教育工委办公室",
        "to": ["daguan@example.cn"],
        "message_id": "<djb.abc@163.com>",
        "date": datetime(2022, 1, 4, 1, 30, tzinfo=UTC),
        "auto_submitted": "auto-replied",
    }
    return compose(rendered, **(given | changed))


def parsed(raw: bytes) -> EmailMessage:
    return email.message_from_bytes(raw, policy=email.policy.default)


def test_a_letter_arrives_as_it_was_written() -> None:
    message = parsed(composed(cc=["head@example.cn"]))
    assert message["Subject"] == LETTER.subject
    assert message["From"].addresses[0].display_name == "中共贵港市委教育工委办公室"
    assert message["From"].addresses[0].addr_spec == "djb3916@163.com"
    assert (message["To"], message["Cc"]) == ("daguan@example.cn", "head@example.cn")
    assert message["Auto-Submitted"] == "auto-replied"
    assert message["X-Auto-Response-Suppress"] == "All"
    text, html = message.get_body(("plain",)), message.get_body(("html",))
    assert text is not None and text.get_content() == LETTER.text.replace("\n", "\r\n")
    assert html is not None and html.get_content() == LETTER.html.replace("\n", "\r\n")
    assert not message.defects


@pytest.mark.parametrize(
    "name", ["附件1 难点问题报告表（请补正）.docx", "a.xlsx", "通报 “一线办”.docx", "长" * 200 + ".xlsx"]
)
def test_an_attachments_name_is_read_by_every_way_there_is(name: str) -> None:
    raw = composed(attachments=[Attachment(name, b"\x00\xff" * 500, XLSX)])
    (part,) = parsed(raw).iter_attachments()
    shown = name.replace("“", "“") if len(name) < 80 else name[:72] + ".xlsx"
    assert part.get_filename() == shown
    assert part.get_content() == b"\x00\xff" * 500
    old = next(p for p in email.message_from_bytes(raw).walk() if p.get_filename())
    assert old.get_filename() == shown
    words = str(email.header.make_header(email.header.decode_header(str(old.get_param("name")))))
    assert words == shown


def test_the_thread_is_kept_and_rubbish_is_left_out() -> None:
    raw = composed(
        in_reply_to="<b@x>", references=["<a@x>", "no", "<b@x>", "<c@\r\nBcc: e@x>", "<" + "l" * 200 + "@x>"]
    )
    message = parsed(raw)
    assert message["In-Reply-To"] == "<b@x>"
    assert message["References"].split() == ["<a@x>", "<" + "l" * 200 + "@x>", "<b@x>"]


def test_a_thread_of_hundreds_of_mails_stays_short() -> None:
    message = parsed(composed(references=[f"<{n}@x>" for n in range(500)]))
    assert len(message["References"].split()) == 20


@settings(max_examples=150, deadline=None)
@given(
    subject=st.text(max_size=200),
    text=st.text(max_size=300),
    name=st.text(max_size=100),
    reference=st.text(max_size=30),
)
def test_nothing_that_came_from_a_mail_adds_a_header_or_breaks_a_line(
    subject: str, text: str, name: str, reference: str
) -> None:
    raw = composed(
        Rendered(subject, text, text),
        sender_name=name,
        in_reply_to=f"<{reference}@x>",
        references=[reference],
        attachments=[Attachment(name, b"x", XLSX)],
    )
    assert raw.isascii()
    assert b"\n" not in raw.replace(b"\r\n", b"") and b"\r" not in raw.replace(b"\r\n", b"")
    assert max(map(len, raw.split(b"\r\n"))) < 998
    expected = {"From", "To", "Date", "Message-ID", "Subject", "In-Reply-To", "References"}
    expected |= {"Auto-Submitted", "X-Auto-Response-Suppress", "MIME-Version", "Content-Type"}
    message = email.message_from_bytes(raw)
    assert set(message.keys()) <= expected and len(message.keys()) == len(set(message.keys()))
    assert len(list(parsed(raw).iter_attachments())) == 1


@pytest.mark.parametrize(
    "address", ["a@b.cn\r\nBcc: e@x.cn", "a b@x.cn", "校@x.cn", "a@x", "", "<a@x.cn>", "a@x.cn,b@x.cn"]
)
def test_an_address_that_is_none_is_refused(address: str) -> None:
    assert not sendable(address)
    with pytest.raises(ValueError, match="addressed"):
        composed(to=[address])


def test_message_ids_cannot_be_guessed_or_repeated() -> None:
    made = {new_message_id(secrets.token_bytes, "163.com") for _ in range(100)}
    assert len(made) == 100
    assert all(re.fullmatch(r"<djb\.[a-z2-7]{32}@163\.com>", one) for one in made)
