"""Forms inside .rar archives and mails that Outlook saved."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from parsers.content import Limits
from parsers.read import read
from parsers.values import PartOutcome, Verdict
from tests.mails.containers import compound, message, rar4, rar5
from tests.mails.letters import mail, problem_report

NAME = "附件1 难点问题报告表.docx"
TYPED = (
    "填报单位：贵港市荷塘小学\n联系人及电话：覃小雨 13812345678\n单位名称：贵港市荷塘小学\n党支部数：2\n"
    "平台数：1\n举办次数：2\n解决问题数量：5\n"
)


@pytest.mark.parametrize("archive", [rar4, rar5])
def test_a_form_in_a_rar_archive_is_read(archive: Callable[..., bytes]) -> None:
    packed = archive((NAME, problem_report()), ("说明.txt", b"readme"))
    reading = read(mail(("报送材料.rar", packed)), "a.eml", Limits())
    assert [form.part for form in reading.forms] == [f"报送材料.rar/{NAME}"]
    assert reading.verdict is Verdict.COMPLETE


@pytest.mark.parametrize("archive", [rar4, rar5])
def test_a_rar_archive_cut_off_is_said_to_be_damaged(archive: Callable[..., bytes]) -> None:
    packed = archive((NAME, problem_report()))
    reading = read(mail(("报送材料.rar", packed[: len(packed) // 2])), "a.eml", Limits())
    assert reading.forms == ()
    assert reading.verdict is Verdict.UNREADABLE
    assert any("损坏" in (part.reason or "") for part in reading.parts)


def test_a_form_attached_to_a_message_saved_by_outlook_is_read() -> None:
    saved = compound(message("请查收。", (NAME, problem_report()), ("小.txt", b"x")))
    reading = read(mail(("转发.msg", saved)), "a.eml", Limits())
    assert [form.part for form in reading.forms] == [f"转发.msg/{NAME}"]
    assert reading.verdict is Verdict.COMPLETE


def test_a_form_typed_into_a_message_saved_by_outlook_is_read() -> None:
    reading = read(compound(message(TYPED)), "统计.msg", Limits())
    assert [form.items[0]["platforms"] for form in reading.forms] == [1]


def test_a_form_in_a_message_attached_to_a_message_is_read() -> None:
    inner = message("见附件", (NAME, problem_report()))
    reading = read(compound(message("转发", passed_on=[inner])), "转发.msg", Limits())
    assert [form.kind for form in reading.forms] == ["problem_report"]


def test_messages_in_messages_end_at_the_limit() -> None:
    deep = message("底", (NAME, problem_report()))
    for _ in range(12):
        deep = message("层", passed_on=[deep])
    reading = read(compound(deep), "转发.msg", Limits())
    assert PartOutcome.REFUSED in {part.outcome for part in reading.parts}
    assert reading.verdict is Verdict.UNREADABLE
