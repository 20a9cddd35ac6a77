from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from parsers import pdf
from parsers.content import Limits, Table, Unreadable
from tests.forms.reading import doubts, of, only, verdict
from tests.forms_scanned.printed_pdf import problem_form

FILES = Path(__file__).parent / "files"
LIMITS = Limits()


def test_a_form_printed_to_pdf_reads_like_its_original() -> None:
    table = next(
        block
        for block in pdf.content((FILES / "merged_rows.pdf").read_bytes(), LIMITS).blocks
        if isinstance(block, Table)
    )
    texts = {(cell.row, cell.column): cell for cell in table.cells}
    assert texts[1, 0].text == "校园安全"
    assert texts[1, 0].row_span == 2
    assert texts[1, 1].text == "围墙倒塌12米。\n请求拨款。"
    assert texts[2, 2].text.startswith("□市委教育工委书记")


@pytest.mark.parametrize("ticked", ["secretary", "section"])
@pytest.mark.parametrize("levels", ["drawn", "checkbox"])
def test_a_box_that_is_only_drawn_or_a_form_field_is_read_by_its_state(levels: str, ticked: str) -> None:
    form = only(of(pdf.content(problem_form(levels, ticked), LIMITS)))
    assert form.items[0]["levels"] == (ticked,)
    assert form.fields["reporting_unit"] == "贵港市荷塘小学"


def test_something_drawn_where_a_box_is_expected_is_for_a_person() -> None:
    form = only(of(pdf.content(problem_form("scribble"), LIMITS)))
    assert "problems[0].levels" in doubts(form)


def test_what_is_typed_into_a_fillable_form_is_read() -> None:
    form = only(of(pdf.content(problem_form(typed_unit="贵港市达观中学"), LIMITS)))
    assert form.fields["reporting_unit"] == "贵港市达观中学"


def test_a_table_without_rules_is_read_but_never_as_certain() -> None:
    form = only(of(pdf.content((FILES / "no_rules.pdf").read_bytes(), LIMITS)))
    row = form.items[0]
    assert (row["party_branches"], row["platforms"], row["sessions_held"], row["problems_solved"]) == (
        3,
        1,
        2,
        5,
    )
    assert verdict(form) == "uncertain"


def test_a_phone_number_that_wrapped_to_the_next_line_stays_with_its_label() -> None:
    form = only(of(pdf.content((FILES / "no_rules.pdf").read_bytes(), LIMITS)))
    assert form.fields["contact_phone"] == "13812345678"


@pytest.mark.parametrize(
    "data", [b"", b"%PDF-1.4", b"%PDF-1.7\n1 0 obj\n<< /Type /Catalog >>\nendobj\n%%EOF"]
)
def test_a_damaged_pdf_is_unreadable_and_says_so(data: bytes) -> None:
    with pytest.raises(Unreadable, match="PDF"):
        pdf.content(data, LIMITS)


def test_a_truncated_pdf_never_crashes() -> None:
    whole = (FILES / "merged_rows.pdf").read_bytes()
    for size in range(0, len(whole), len(whole) // 12):
        try:
            pdf.content(whole[:size], LIMITS)
        except Unreadable:
            continue


def test_pages_over_the_limit_are_left_out_and_that_is_noted() -> None:
    shown = pdf.content((FILES / "merged_rows.pdf").read_bytes(), replace(LIMITS, pages=0))
    assert shown.blocks == ()
    assert any("只读了前0页" in note for note in shown.notes)


def test_rows_under_one_merged_problem_that_choose_differently_are_problems_of_their_own() -> None:
    form = only(of(pdf.content((FILES / "merged_rows.pdf").read_bytes(), LIMITS)))
    assert [item["levels"] for item in form.items] == [("secretary",), ("section",)]
    assert [item["sections"] for item in form.items] == [(), ("基建科",)]
    assert {"problems[0].problem", "problems[1].problem"} <= doubts(form)
