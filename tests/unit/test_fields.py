"""What a field's text means: properties that hold for every number, day, contact and mark."""

from __future__ import annotations

import re
import unicodedata
from datetime import date

import pytest
from hypothesis import assume, given, settings, strategies as st

from parsers import fields, options
from parsers.values import FindingKind

UNITS = ("", "个", "次", "件", "项", "期", "个问题", " 个", "。")
NUMERALS = "零一二三四五六七八九"
NAMES = st.text(alphabet="韦覃黄梁卢莫甘蒙青山小雨月明德华", min_size=2, max_size=3)
MOBILES = st.from_regex(r"1[3-9][0-9]{9}", fullmatch=True)


def in_chinese(number: int) -> str:
    """The number below a thousand as people write it."""
    hundreds, rest = divmod(number, 100)
    tens, ones = divmod(rest, 10)
    text = f"{NUMERALS[hundreds]}百" if hundreds else ""
    if tens:
        text += ("" if tens == 1 and not hundreds else NUMERALS[tens]) + "十"
    elif hundreds and ones:
        text += "零"
    return text + (NUMERALS[ones] if ones or not number else "")


@given(st.integers(0, 99_999), st.sampled_from(UNITS), st.booleans())
def test_every_number_with_a_unit_is_that_number(number: int, unit: str, full_width: bool) -> None:
    digits = str(number)
    if full_width:
        digits = "".join(chr(ord(digit) + 0xFEE0) for digit in digits)
    assert fields.count(digits + unit) == fields.Read(number)


@given(st.integers(0, 999), st.sampled_from(UNITS))
def test_every_chinese_number_is_that_number(number: int, unit: str) -> None:
    assert fields.count(in_chinese(number) + unit) == fields.Read(number)


@given(
    st.integers(0, 999),
    st.sampled_from(
        ["约{}", "近{}", "{}余", "{}左右", "{}多", "不少于{}", "{}以上", "{}+", "约{}个", "{}余件"]
    ),
)
def test_about_a_number_is_always_said(number: int, wording: str) -> None:
    read = fields.count(wording.format(number))
    assert read.faults
    assert read.value in {number, None}


@given(
    st.integers(0, 99), st.integers(0, 99), st.sampled_from(["-", "—", "~", "～", "至", "、", "/", "或", " "])
)
def test_two_numbers_are_never_one(first: int, second: int, between: str) -> None:
    assert fields.count(f"{first}{between}{second}").faults


@given(st.text(max_size=12))
def test_a_count_without_a_fault_is_written_there(text: str) -> None:
    read = fields.count(text)
    if read.value is not None and not read.faults and read.value:
        plain = unicodedata.normalize("NFKC", text)
        assert any(
            char.isdigit() or char in "一二三四五六七八九十两俩壹贰叁肆伍陆柒捌玖拾百佰" for char in plain
        )


@given(st.dates(date(2018, 1, 1), date(2040, 12, 31)))
def test_every_day_is_read_from_every_usual_form(day: date) -> None:
    year, month, number = day.year, day.month, day.day
    for written in (
        f"{year}年{month}月{number}日",
        f"{year}年{month:02}月{number:02}日",
        f"{year}-{month:02}-{number:02}",
        f"{year}.{month}.{number}",
        f"{year}/{month}/{number}",
        f"{year} 年 {month} 月 {number} 日",
        f"{year}{month:02}{number:02}",
        f"{year % 100}年{month}月{number}日",
        f"{year}-{month:02}-{number:02} 09:30",
        f"{year}-{month:02}-{number:02}T09:30:00",
    ):
        assert fields.day(written) == fields.Read(day), written
    spelt = "".join("〇一二三四五六七八九"[int(digit)] for digit in str(year))
    assert fields.day(f"{spelt}年{in_chinese(month)}月{in_chinese(number)}日") == fields.Read(day)


@given(st.dates(date(2018, 1, 1), date(2040, 12, 31)))
def test_a_month_is_never_a_day(day: date) -> None:
    for written in (f"{day.year}年{day.month}月", f"{day.year}.{day.month}", f"{day.month}月{day.day}日"):
        read = fields.day(written)
        assert read.value is None and read.faults


def test_a_serial_number_of_a_spreadsheet_is_a_doubtful_day() -> None:
    read = fields.day("44565")
    assert read.value == date(2022, 1, 4)
    assert read.faults[0].kind is FindingKind.UNCERTAIN


@given(
    NAMES, MOBILES, st.sampled_from(["", " ", "　", "，", ",", "、", "/", "：", ":", "\n", "（", "-", "—"])
)
def test_a_name_and_a_phone_come_apart(name: str, phone: str, between: str) -> None:
    assume(not re.search(r"(\d)\1{6}", phone))
    read = fields.contact(f"{name}{between}{phone}")
    assert (read.name.value, read.phone.value, read.phone.faults) == (name, phone, ())


@given(NAMES, NAMES, MOBILES, MOBILES, st.sampled_from(["、", "；", "\n", "，", "/", " "]))
def test_two_persons_stay_two(first: str, second: str, one: str, two: str, between: str) -> None:
    read = fields.contact(f"{first}{one}{between}{second}{two}")
    assert set((read.name.value or "").split("、")) == {first, second}
    assert set((read.phone.value or "").split("/")) == {one, two}


@given(st.from_regex(r"1[3-9][0-9]{8}|1[3-9][0-9]{10}|1[12][0-9]{9}", fullmatch=True))
def test_a_phone_of_the_wrong_length_is_said(phone: str) -> None:
    assert fields.contact(f"韦青山{phone}").phone.faults


@settings(max_examples=300)
@given(
    st.text(
        alphabet=st.one_of(
            st.characters(), st.sampled_from("□☑√×☒市委教育工委书记局相关科室具体是（）()\n、:3一-/年月日. ")
        ),
        max_size=60,
    )
)
def test_no_text_crashes_a_reader_of_fields(text: str) -> None:
    for read in (
        fields.count,
        fields.day,
        fields.contact,
        fields.sections,
        fields.unit,
        fields.person,
        fields.remark,
    ):
        read(text)
    choice = options.choice(text, (text[:5],), (text[:3],))
    assert set(choice.levels) <= {"secretary", "section"}
    if not choice.levels:
        assert choice.level_faults


@pytest.mark.parametrize(
    ("written", "name"),
    [
        ("贵港市荷塘小学（盖章）", "贵港市荷塘小学"),
        ("（盖章）贵港市荷塘小学", "贵港市荷塘小学"),
        ("贵港市 荷塘 小学", "贵港市荷塘小学"),
        ("__贵港市荷塘小学__", "贵港市荷塘小学"),
        ("贵港市荷塘小学\n（公章）", "贵港市荷塘小学"),
        ("贵港市达观中学（东校区）", "贵港市达观中学(东校区)"),
        ("（盖章）", None),
        ("　　", None),
    ],
)
def test_a_unit_is_as_written_without_printed_words(written: str, name: str | None) -> None:
    assert fields.unit(written) == name


@pytest.mark.parametrize(
    ("written", "name"),
    [("韦 青 山", "韦青山"), ("韦青山（签字）", "韦青山"), ("＿＿韦青山＿＿", "韦青山"), ("韦青山、黄明", "韦青山、黄明"), ("（签字）", None), ("韦 明", "韦明")],
)  # fmt: skip
def test_a_person_is_named_without_blanks(written: str, name: str | None) -> None:
    assert fields.person(written) == name
