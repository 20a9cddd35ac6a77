"""Filling in a workbook as people do, and what a mail attaches of it."""

from __future__ import annotations

import io
from collections.abc import Mapping, Sequence
from email.message import EmailMessage
from typing import Any

import openpyxl

from daemon.envelope import Attachment
from tests.journeys.town import files_of


def sheet_of(letter: EmailMessage, part: str) -> tuple[str, bytes]:
    """The attached workbook whose name has this part."""
    return next(
        (name, data) for name, data in files_of(letter).items() if part in name and name.endswith("xlsx")
    )


def filled(
    letter: EmailMessage,
    part: str,
    *,
    labels: Mapping[str, str] | None = None,
    rows: Mapping[str, Mapping[str, str]] | None = None,
    table: Sequence[Mapping[str, str]] = (),
    again: bytes | None = None,
) -> Attachment:
    """The workbook of a letter with values beside labels, in rows found by a cell's text, or in a table.

    `again`: go on with the file as it was last sent back.
    """
    name, data = sheet_of(letter, part)
    book = openpyxl.load_workbook(io.BytesIO(again or data))
    sheet: Any = book.worksheets[0]
    headings = {
        str(cell.value): cell.column
        for row in sheet.iter_rows()
        for cell in row
        if cell.value is not None and len(str(cell.value)) < 12
    }
    for row in sheet.iter_rows():
        label = str(row[0].value or "").split("（")[0]
        if labels and label in labels and row[0].column == 1:
            sheet.cell(row=row[0].row, column=2).value = labels[label]
        for text, cells in (rows or {}).items():
            if any(str(cell.value or "") == text for cell in row):
                for heading, value in cells.items():
                    sheet.cell(row=row[0].row, column=headings[heading]).value = value
    if table:
        top = next(
            cell.row for row in sheet.iter_rows() for cell in row if str(cell.value) == next(iter(table[0]))
        )
        for place, cells in enumerate(table, start=top + 1):
            for heading, value in cells.items():
                sheet.cell(row=place, column=headings[heading]).value = value
    out = io.BytesIO()
    book.save(out)
    return Attachment(name, out.getvalue(), "application/octet-stream")


def filled_bytes(data: bytes, table: Sequence[Mapping[str, str]]) -> bytes:
    """A register with rows written below its headings."""
    book = openpyxl.load_workbook(io.BytesIO(data))
    sheet: Any = book.worksheets[0]
    top = next(row[0].row for row in sheet.iter_rows() if str(row[0].value) == "序号")
    headings = {str(cell.value): cell.column for cell in sheet[top] if cell.value is not None}
    for place, cells in enumerate(table, start=top + 1):
        for heading, value in cells.items():
            sheet.cell(row=place, column=headings[heading]).value = value
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()
