from __future__ import annotations

import importlib.util
import io
import os
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from parsers.content import Limits, Refused, Table, Unreadable
from parsers.read import read
from parsers.values import Verdict
from tests.forms.reading import doubts, of, only, verdict

if importlib.util.find_spec("rapidocr") is None:
    pytest.skip("text recognition is not installed", allow_module_level=True)

import numpy as np
from PIL import Image, ImageDraw, ImageFilter

from parsers import pdf, picture
from tests.forms_scanned import paper
from tests.forms_scanned.paper import ProblemPaper, StatisticsPaper

pytestmark = pytest.mark.skipif(
    not paper.fonts_present(), reason="the fonts of the test paper are not installed"
)
FILES = Path(__file__).parent / "files"
LIMITS = Limits()
UNIT = "贵港市荷塘小学"
ROWS = ((f"{UNIT}（本部）", "3", "1", "2", "5", ""), (f"{UNIT}（分校）", "1", "1", "11", "0", ""))


def test_a_sealed_scan_of_the_problem_report_reads_right() -> None:
    page = paper.stamped(paper.problem_page(ProblemPaper()), UNIT, 0.3, 0.16)
    shown = pdf.content(paper.scan_pdf(paper.scanned(page, tilt=1.4)), LIMITS)
    form = only(of(shown))
    assert shown.format == "scan-pdf"
    assert shown.scanned
    assert shown.seal_seen
    assert form.fields["reporting_unit"] == UNIT
    assert form.fields["contact_name"] == "覃小雨"
    assert form.fields["contact_phone"] == "13812345678"
    item = form.items[0]
    assert item["problem"] == "北侧围墙开裂"
    assert item["levels"] == ("section",)
    assert item["sections"] == ("基建科",)
    assert verdict(form) == "uncertain"  # a signature is never trusted
    assert doubts(form) == {"principal"}


@pytest.mark.parametrize("quarter", [90, 180, 270])
def test_a_scan_that_lies_on_its_side_or_its_head_reads_right(quarter: int) -> None:
    page = paper.scanned(paper.statistics_page(StatisticsPaper(rows=ROWS)), tilt=0.8).rotate(
        quarter, expand=True
    )
    form = only(of(picture.content(paper.jpeg(page), LIMITS)))
    counts = [
        tuple(row[name] for name in ("party_branches", "platforms", "sessions_held", "problems_solved"))
        for row in form.items
    ]
    assert counts == [(3, 1, 2, 5), (1, 1, 11, 0)]
    assert form.fields["reporting_unit"] == UNIT


@pytest.mark.parametrize(
    ("tick", "ticked"),
    [("hand", ("secretary",)), ("cross", ("section",)), ("filled", ("secretary", "section"))],
)
def test_a_photograph_from_a_slant_shows_which_box_is_ticked(tick: str, ticked: tuple[str, ...]) -> None:
    page = paper.problem_page(ProblemPaper(ticked=ticked, tick=tick), dpi=200)
    form = only(of(picture.content(paper.jpeg(paper.photographed(page, seed=3)), LIMITS)))
    assert form.items[0]["levels"] == ticked or "problems[0].levels" in doubts(form)
    assert form.fields["contact_phone"] == "13812345678"


def test_a_faint_mark_in_a_box_is_for_a_person() -> None:
    page = paper.problem_page(ProblemPaper(ticked=("secretary",), tick="half", sections=""))
    form = only(of(picture.content(paper.jpeg(page), LIMITS)))
    assert form.items[0]["levels"] == ("secretary",) or "problems[0].levels" in doubts(form)


def test_digits_below_the_seal_are_read_or_doubted() -> None:
    page = paper.stamped(paper.statistics_page(StatisticsPaper(rows=ROWS)), UNIT, 0.33, 0.34, 0.3)
    form = only(of(picture.content(paper.jpeg(paper.scanned(page)), LIMITS)))
    for number, row in enumerate(ROWS):
        for name, written in zip(
            ("party_branches", "platforms", "sessions_held", "problems_solved"), row[1:5], strict=True
        ):
            assert form.items[number][name] == int(written) or f"rows[{number}].{name}" in doubts(form)


def test_a_table_that_runs_out_of_the_picture_is_doubted() -> None:
    page = paper.statistics_page(StatisticsPaper(rows=ROWS))
    cropped = page.crop((0, 0, page.width, round(page.height * 0.36)))
    shown = picture.content(paper.jpeg(cropped, 90), LIMITS)
    tables = [block for block in shown.blocks if isinstance(block, Table)]
    assert all(cell.doubt for table in tables for cell in table.cells)


def test_a_photograph_of_a_wall_is_no_form() -> None:
    wall = np.random.default_rng(5).normal(140, 20, (400, 560, 3)).clip(0, 255).astype(np.uint8)
    wall[::40] = 70
    shown = picture.content(paper.jpeg(Image.fromarray(wall)), LIMITS)
    assert shown.blocks == ()


def test_a_picture_over_the_limit_is_refused_before_it_is_unpacked() -> None:
    data = io.BytesIO()
    Image.new("1", (9000, 9000)).save(data, "PNG")
    with pytest.raises(Refused, match="限制"):
        picture.content(data.getvalue(), replace(LIMITS, pixels=1_000_000))


@pytest.mark.parametrize("data", [b"\xff\xd8\xff\xe0", b"\x89PNG\r\n\x1a\n", b"BM" + b"\0" * 60, b""])
def test_a_damaged_picture_is_unreadable_and_says_so(data: bytes) -> None:
    with pytest.raises(Unreadable):
        picture.content(data, LIMITS)


def test_a_label_that_was_not_found_on_a_picture_is_for_a_person_not_for_the_school() -> None:
    page = paper.problem_page(ProblemPaper())
    page.paste("white", (0, round(page.height * 0.125), page.width, round(page.height * 0.17)))
    form = only(of(picture.content(paper.jpeg(page), LIMITS)))
    assert {"reporting_unit", "contact_phone"} <= doubts(form)
    assert not any(f.kind.value == "missing" for f in form.findings if f.field in form.fields)


def test_the_engine_neither_reports_to_its_maker_nor_marks_the_machine(tmp_path: Path) -> None:
    ask = "from parsers import ocr; ocr.version()"
    environment = {name: value for name, value in os.environ.items() if name != "ORT_DISABLE_TELEMETRY"}
    environment |= {"HOME": str(tmp_path), "XDG_CACHE_HOME": str(tmp_path)}
    subprocess.run([sys.executable, "-c", ask], env=environment, check=True)
    assert not [path for path in tmp_path.rglob("*") if "onnxruntime" in path.as_posix()]


HANDWRITTEN = {
    "reporting_unit": UNIT,
    "contact_name": "覃小雨",
    "contact_phone": "13812345678",
    "problems[0].problem": "北侧围墙开裂",
    "problems[0].details": "北侧围墙雨后倾斜12米，学生上下学经过有危险。请求安排资金8万元修缮。",
    "problems[0].levels": ("section",),
    "problems[0].sections": ("基建科",),
}


@pytest.mark.parametrize("name", ["handwritten_1.jpg", "handwritten_2.jpg"])
def test_handwriting_is_read_right_or_doubted(name: str) -> None:
    form = only(of(picture.content((FILES / name).read_bytes(), LIMITS)))
    read = {**form.fields, **{f"problems[0].{blank}": value for blank, value in form.items[0].items()}}
    wrong = {path for path, value in HANDWRITTEN.items() if read[path] != value}
    answered = doubts(form) | ({"problems[0].sections"} if "problems[0].levels" in doubts(form) else set())
    assert wrong <= answered


def test_one_stroke_through_both_boxes_is_for_a_person() -> None:
    page = paper.problem_page(ProblemPaper(ticked=()))
    scale = 150 / 72
    pen = [(348 * scale, 186 * scale), (357 * scale, 262 * scale), (376 * scale, 178 * scale)]
    ImageDraw.Draw(page).line(pen, fill=(20, 20, 40), width=4, joint="curve")
    form = only(of(picture.content(paper.jpeg(page), LIMITS)))
    assert "problems[0].levels" in doubts(form)


def test_a_tick_beside_an_empty_box_is_for_a_person() -> None:
    page = paper.problem_page(ProblemPaper(ticked=()))
    scale = 150 / 72
    pen = [(462 * scale, 188 * scale), (466 * scale, 194 * scale), (474 * scale, 180 * scale)]
    ImageDraw.Draw(page).line(pen, fill=(20, 20, 40), width=4, joint="curve")
    form = only(of(picture.content(paper.jpeg(page), LIMITS)))
    assert form.items[0]["levels"] == ("secretary",) or "problems[0].levels" in doubts(form)


def test_a_struck_number_is_for_a_person() -> None:
    page = paper.statistics_page(StatisticsPaper(rows=ROWS))
    scale = 150 / 72
    ImageDraw.Draw(page).line(
        (261 * scale, 181 * scale, 279 * scale, 179 * scale), fill=(20, 20, 40), width=3
    )
    form = only(of(picture.content(paper.jpeg(page), LIMITS)))
    assert "rows[0].party_branches" in doubts(form)
    assert "rows[1].sessions_held" not in doubts(form)


def test_a_blurred_photograph_is_read_and_doubted() -> None:
    page = paper.statistics_page(StatisticsPaper(rows=ROWS))
    photo = paper.photographed(page, seed=5).filter(ImageFilter.GaussianBlur(2.2))
    form = only(of(picture.content(paper.jpeg(photo), LIMITS)))
    assert len(form.items) == len(ROWS)
    assert form.items[1]["sessions_held"] == 11 or "rows[1].sessions_held" in doubts(form)


def test_rules_below_the_seal_part_the_rows_all_the_same() -> None:
    page = paper.stamped(paper.statistics_page(StatisticsPaper(rows=ROWS)), UNIT, 0.45, 0.31, 0.3)
    form = only(of(picture.content(paper.jpeg(paper.scanned(page)), LIMITS)))
    assert [row["platforms"] for row in form.items] == [1, 1] or any(
        "platforms" in path for path in doubts(form)
    )
    assert len(form.items) == len(ROWS)


@pytest.mark.parametrize(
    ("taken", "blur"), [(paper.scanned, 4), (paper.scanned, 8), (paper.photographed, 10)]
)
def test_a_form_too_blurred_to_be_read_is_asked_for_again_and_not_called_another_paper(
    taken: Callable[[Image.Image], Image.Image], blur: int
) -> None:
    page = taken(paper.problem_page(ProblemPaper())).filter(ImageFilter.GaussianBlur(blur))
    reading = read(paper.jpeg(page), "照片.jpg", LIMITS)
    assert [part.reason for part in reading.parts] == ["疑似表格但未能识别（请重新扫描或发送原表电子版）"]
    assert reading.verdict is Verdict.UNCERTAIN
