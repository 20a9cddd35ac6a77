"""Every letter: its words against a golden copy, its safety against hostile values, its orders.

Regenerate the golden copies after a deliberate change, then read the difference:
    DJB_REGENERATE_GOLDEN=1 pytest tests/letters/test_letters.py
"""

from __future__ import annotations

import dataclasses
import os
import re
from datetime import date
from email.message import EmailMessage
from functools import cache
from pathlib import Path
from typing import Any

import lxml.html
import pytest
from hypothesis import given, settings, strategies as st

from daemon.envelope import Rendered
from daemon.errors import Permanent
from daemon.letter_samples import LETTERHEAD, faults_of, samples
from daemon.letters import LETTERS, Letter
from daemon.model import LetterKind
from daemon.rendering import PACKAGED, Templates, render
from parsers.content import Limits
from parsers.orders import Amend, Instruct, Role, Select
from parsers.own_words import text_of
from parsers.read import read
from parsers.replies import orders

GOLDEN = Path(__file__).parent / "golden"
REGENERATE = os.environ.get("DJB_REGENERATE_GOLDEN") == "1"
SAMPLES = samples()
TEMPLATES = Templates()
TODAY = date(2022, 1, 4)
BLOCK = re.compile(r"^┏.*?^┗.*?$", re.DOTALL | re.MULTILINE)
EXAMPLE = re.compile(r"^┃\s+例：(.+)$", re.MULTILINE)


def rendered(name: str) -> Rendered:
    return render(SAMPLES[name], LETTERHEAD, TEMPLATES)


@cache
def ordered(line: str) -> list[object]:
    """What anybody would order with this line; free words of the secretary order nothing by themselves."""
    found = (order for role in Role for order in orders(line, role, TODAY).given)
    return [order for order in found if not isinstance(order, Instruct)]


def compare(path: Path, text: str) -> None:
    if REGENERATE:
        path.parent.mkdir(exist_ok=True)
        path.write_text(text, encoding="utf-8", newline="\n")
    assert path.read_text(encoding="utf-8") == text


@pytest.mark.parametrize("name", SAMPLES)
def test_a_letter_reads_as_its_golden_copy(name: str) -> None:
    letter = rendered(name)
    compare(GOLDEN / f"{name}.subject", letter.subject + "\n")
    compare(GOLDEN / f"{name}.txt", letter.text)
    compare(GOLDEN / f"{name}.html", letter.html)


def test_every_kind_of_letter_has_values_a_folder_and_a_sample() -> None:
    assert set(LETTERS) == set(LetterKind)
    assert {letter.kind for letter in SAMPLES.values()} == set(LetterKind)
    assert all((PACKAGED / kind.value / "subject.txt").is_file() for kind in LetterKind)


def visible(html: str) -> str:
    """What a reader of the HTML sees, without blanks."""
    body: Any = lxml.html.fromstring(html).find("body")
    return re.sub(r"\s", "", "".join(body.itertext()))


@pytest.mark.parametrize("name", SAMPLES)
def test_text_and_html_say_the_same(name: str) -> None:
    letter = rendered(name)
    seen = visible(letter.html)
    for line in letter.text.splitlines():
        for piece in re.split(r"[│┃┏┗├┼─━【】]|←请补正|■+|\d\.|（\d）|；|（本信|）$", line):
            bare = re.sub(r"\s", "", piece)
            assert bare in seen, bare


@pytest.mark.parametrize("name", SAMPLES)
def test_no_line_outside_the_instruction_block_is_an_order(name: str) -> None:
    for line in BLOCK.sub("", rendered(name).text).splitlines():
        assert not ordered(line), line


@pytest.mark.parametrize("name", SAMPLES)
def test_the_instruction_block_quoted_whole_orders_nothing(name: str) -> None:
    for block in BLOCK.findall(rendered(name).text):
        assert not [order for line in block.splitlines() for order in ordered(line)]


@pytest.mark.parametrize("name", SAMPLES)
def test_every_example_is_an_order_that_is_understood(name: str) -> None:
    for example in EXAMPLE.findall(rendered(name).text):
        assert any(orders(example, role, TODAY).given for role in Role), example


def reply_without_quotation_marks(letter: Rendered, *, html: bool) -> bytes:
    """A reply from a mail program that repeats our letter below the words and says so nowhere."""
    message = EmailMessage()
    message["From"], message["To"], message["Subject"] = "a@example.cn", "djb3916@163.com", "回复"
    message["Message-ID"] = "<a@example.cn>"
    message.set_content("收到，谢谢。\n" if html else f"收到，谢谢。\n\n{letter.text}")
    if html:
        message.add_alternative(f"<div>收到，谢谢。</div>{letter.html}", subtype="html")
    return message.as_bytes()


@pytest.mark.parametrize("html", [False, True])
@pytest.mark.parametrize("name", SAMPLES)
def test_our_own_letter_quoted_without_any_mark_is_neither_form_nor_order(name: str, html: bool) -> None:
    mail = reply_without_quotation_marks(rendered(name), html=html)
    reading = read(mail, "回复.eml", Limits(), "djb3916@163.com")
    assert reading.mail is not None
    assert reading.forms == ()
    assert reading.mail.reply_text.strip() == "收到，谢谢。"


@pytest.mark.parametrize("name", SAMPLES)
def test_a_line_of_the_html_orders_nothing_either(name: str) -> None:
    lines = text_of(rendered(name).html).splitlines()
    # A row of a read-back (党支部数 3) and a lone number in a list are guarded by the line over the letter.
    assert not [order for line in lines for order in ordered(line) if not isinstance(order, Amend | Select)]


def hostile(value: Any, bad: str) -> Any:
    """The same letter with every value that may come from a mail replaced."""
    if isinstance(value, Letter):
        # Out of the directory, the calendar, or (the circular's paragraphs) written by the office itself.
        kept = {"to_name", "number", "code", "covers", "session", "title", "time", "date", "paragraphs"}
        names = [f.name for f in dataclasses.fields(value) if f.name not in kept]
        return dataclasses.replace(value, **{name: hostile(getattr(value, name), bad) for name in names})
    if type(value) is str:
        return bad
    if isinstance(value, tuple):
        return tuple(hostile(part, bad) for part in value)
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return dataclasses.replace(
            value, **{f.name: hostile(getattr(value, f.name), bad) for f in dataclasses.fields(value)}
        )
    return value


BAD_TEXTS = (
    "同意\n撤回\n\n满意\r\n签收\u2028办结:完成",
    "<script>alert(1)</script><img src=x onerror=y>&amp;\"'",
    "{{ 7 * 7 }}{% for x in y %}{# {{ office.phone }}",
    "撤回",
    "党支部数 9",
    "\x02</td>\x03\x1f\x00\ud800‮",
)


def tags(html: str) -> set[object]:
    return {element.tag for element in lxml.html.fromstring(html).iter()}


@pytest.mark.parametrize("name", SAMPLES)
def test_what_a_mail_says_stays_mere_text(name: str) -> None:
    usual = render(hostile(SAMPLES[name], "平常文字"), LETTERHEAD, TEMPLATES)
    usual_tags = tags(usual.html)
    for bad in BAD_TEXTS:
        letter = render(hostile(SAMPLES[name], bad), LETTERHEAD, TEMPLATES)
        assert not re.search(r"[\r\n\x00-\x1f]", letter.subject)
        assert tags(letter.html) <= {*usual_tags, "br"}
        assert not re.search(r"[\x00-\x08\x0b-\x1f\ud800-\udfff]", letter.text + letter.html)
        for line in BLOCK.sub("", letter.text).splitlines():
            assert not ordered(line), line


def test_template_syntax_in_a_value_is_shown_as_it_was_written() -> None:
    letter = render(hostile(SAMPLES["receipt"], "{{ 7 * 191 }}"), LETTERHEAD, TEMPLATES)
    assert "{{ 7 * 191 }}" in letter.text and "1337" not in letter.text + letter.html


@settings(max_examples=60, deadline=None)
@given(
    bad=st.text(max_size=60),
    name=st.sampled_from(["receipt", "question.unclear_reply", "held_notice.no_form"]),
)
def test_any_text_at_all_can_stand_in_a_letter(bad: str, name: str) -> None:
    letter = render(hostile(SAMPLES[name], bad), LETTERHEAD, TEMPLATES)
    for line in BLOCK.sub("", letter.text).splitlines():
        assert not ordered(line), line
    letter.html.encode()


def test_a_very_long_text_is_shortened_and_says_so() -> None:
    letter = render(hostile(SAMPLES["receipt"], "很长的内容" * 5000), LETTERHEAD, TEMPLATES)
    assert len(letter.subject) < 150
    assert len(letter.text) < 100_000
    assert "以下从略" in letter.text


def test_html_uses_inline_styles_only() -> None:
    for name in SAMPLES:
        html = rendered(name).html
        assert "<style" not in html and "class=" not in html and "<script" not in html


def test_an_administrators_template_takes_the_place_of_the_packaged_one(tmp_path: Path) -> None:
    (tmp_path / "receipt").mkdir()
    (tmp_path / "receipt" / "subject.txt").write_text("收悉 {{ letter.filed[0].number }}", encoding="utf-8")
    letter = render(SAMPLES["receipt"], LETTERHEAD, Templates(tmp_path))
    assert letter.subject == "[ND-2022-013#K7Q4] 收悉 ND-2022-013"
    assert letter.text == rendered("receipt").text


def test_a_faulty_template_is_named_with_its_line(tmp_path: Path) -> None:
    (tmp_path / "receipt").mkdir()
    (tmp_path / "receipt" / "subject.txt").write_text("一\n{% if %}", encoding="utf-8")
    with pytest.raises(Permanent, match=r"receipt/subject.txt 第 2 行"):
        render(SAMPLES["receipt"], LETTERHEAD, Templates(tmp_path))


def test_a_misspelt_name_in_a_template_is_an_error_not_a_blank(tmp_path: Path) -> None:
    (tmp_path / "receipt").mkdir()
    (tmp_path / "receipt" / "subject.txt").write_text("{{ letter.nubmer }}", encoding="utf-8")
    with pytest.raises(Permanent, match="nubmer"):
        render(SAMPLES["receipt"], LETTERHEAD, Templates(tmp_path))


def test_a_check_names_every_faulty_template_once(tmp_path: Path) -> None:
    assert faults_of(TEMPLATES) == ()
    (tmp_path / "held_notice").mkdir()
    (tmp_path / "held_notice" / "subject.txt").write_text("{{ letter.nubmer }}", encoding="utf-8")
    (tmp_path / "alarm").mkdir()
    (tmp_path / "alarm" / "body.j2").write_text("{% block %}", encoding="utf-8")
    assert len(faults_of(Templates(tmp_path))) == 2
