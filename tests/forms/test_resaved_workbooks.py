"""Workbooks of ours that somebody saved in another program's format are the orders that they were."""

from __future__ import annotations

import io
import subprocess
from datetime import date
from typing import Any

import openpyxl
import pytest

from daemon.ledgers import (
    SentFile,
    assignment_row,
    assignment_sheet,
    clue_register,
    handling_sheet,
    list_row,
    problem_list,
)
from daemon.model import State
from parsers import libreoffice
from parsers.read import read
from parsers.values import Reading, Verdict
from tests.forms.reading import LIMITS
from tests.workflow.conftest import problem

pytestmark = pytest.mark.skipif(libreoffice.installed() is None, reason="LibreOffice is not installed")


def _sent() -> dict[str, SentFile]:
    here = problem(State.SUBMITTED)
    return {
        "list": problem_list("QC-2022-01", 1, [list_row(1, here)]),
        "assignment": assignment_sheet(
            "QC-2022-01",
            1,
            [assignment_row(1, here, "转办", "基础教育科", [], date(2022, 4, 30))],
            ["基础教育科"],
        ),
        "handling": handling_sheet(here, 3, "基础教育科", []),
        "clues": clue_register("XS-2022-01"),
    }


WORK: dict[str, dict[str, Any]] = {
    "list": {"书记意见": "选定"},
    "assignment": {"办结时限": date(2022, 5, 10)},
    "handling": {"办理进展": "已完成一半"},
    "clues": {"来源": "12345热线", "难点问题": "校门口拥堵", "收到日期": date(2022, 1, 5)},
}


def _edited(file: SentFile, work: dict[str, Any], beside: bool) -> bytes:
    """The file with these values below their headings, or beside their labels."""
    book = openpyxl.load_workbook(io.BytesIO(file.data))
    sheet: Any = book.worksheets[0]
    for heading, value in work.items():
        at = next(cell for row in sheet.iter_rows() for cell in row if cell.value == heading)
        sheet.cell(at.row + (not beside), at.column + beside).value = value
    stream = io.BytesIO()
    book.save(stream)
    return stream.getvalue()


@pytest.fixture(scope="module")
def saved(tmp_path_factory: pytest.TempPathFactory) -> dict[str, dict[str, bytes]]:
    """Each workbook, filled in, as .xlsx and as other formats that LibreOffice wrote."""
    folder = tmp_path_factory.mktemp("resaved")
    made = {name: _edited(file, WORK[name], name == "handling") for name, file in _sent().items()}
    for name, data in made.items():
        (folder / f"{name}.xlsx").write_bytes(data)
    for ending in ("xls", "ods"):
        words = [f"-env:UserInstallation=file://{folder}/profile", "--headless", "--convert-to", ending]
        files = [str(folder / f"{name}.xlsx") for name in made]
        subprocess.run(
            ["soffice", *words, "--outdir", str(folder), *files], check=True, capture_output=True, timeout=120
        )
    return {
        name: {ending: (folder / f"{name}.{ending}").read_bytes() for ending in ("xlsx", "xls", "ods")}
        for name in made
    }


def _orders(reading: Reading) -> object:
    assert reading.verdict is Verdict.COMPLETE
    assert reading.forms == ()
    (book,) = reading.workbooks
    rows = [(row.identity, dict(row.cells)) for row in (*book.rows, *book.tables.get("任务措施", ()))]
    return book.kind, book.about, book.version, dict(book.fields), rows


@pytest.mark.parametrize(
    ("name", "ending"),
    [("list", "xls"), ("handling", "et"), ("assignment", "ods"), ("clues", "xls"), ("handling", "ods")],
)
def test_a_workbook_saved_in_another_format_orders_the_same(
    saved: dict[str, dict[str, bytes]], name: str, ending: str
) -> None:
    there = saved[name]["xls" if ending == "et" else ending]
    orders = _orders(read(there, f"表.{ending}", LIMITS))
    assert orders == _orders(read(saved[name]["xlsx"], "表.xlsx", LIMITS))
    for value in WORK[name].values():
        assert str(value) in repr(orders)
