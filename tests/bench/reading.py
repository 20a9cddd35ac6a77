"""`python -m tests.bench reading`: what a file costs to read, beside the bare library that opens its format.

Times are CPU time (LibreOffice's included), the best of several runs after a first one. What a format's library alone does
(opening the file and touching every text in it) is measured in turn with ours in the same run.
"""

from __future__ import annotations

import io
import os
import pickle
import time
import zipfile
from collections.abc import Callable, Iterator
from email.message import EmailMessage
from pathlib import Path

import mailparser
import openpyxl
import pdfplumber
import pypdfium2
import xlrd
from lxml import etree, html
from PIL import Image

from parsers import libreoffice
from parsers.content import Limits
from parsers.read import read
from tests.forms_scanned import paper, printed_pdf

TESTS = Path(__file__).parents[1]
LIMITS = Limits()
Bare = Callable[[bytes], object]


def _docx(data: bytes) -> object:
    with zipfile.ZipFile(io.BytesIO(data)) as package:
        root = etree.fromstring(package.read("word/document.xml"))
    return etree.tostring(root, method="text", encoding="unicode")


def _xlsx(data: bytes) -> object:
    book = openpyxl.load_workbook(io.BytesIO(data), data_only=True)
    return [list(sheet.iter_rows(values_only=True)) for sheet in book]


def _xls(data: bytes) -> object:
    book = xlrd.open_workbook(file_contents=data, formatting_info=True)
    return [sheet.row_values(row) for sheet in book.sheets() for row in range(sheet.nrows)]


def _pdf(data: bytes) -> object:
    with pdfplumber.open(io.BytesIO(data)) as document:
        return [page.extract_tables() for page in document.pages]


def _html(data: bytes) -> object:
    return etree.tostring(html.fromstring(data), method="text", encoding="unicode")


def _page(data: bytes) -> object:
    """A scan's page in pixels: what is left to read of it has no bare library beside the models themselves."""
    if not data.startswith(b"%PDF"):
        return Image.open(io.BytesIO(data)).convert("RGB").tobytes()
    with pypdfium2.PdfDocument(data) as document:
        return document[0].render(scale=200 / 72).to_numpy()


def _odt(data: bytes) -> object:
    return libreoffice.converted(data, "odt", "docx", LIMITS)


def _samples() -> Iterator[tuple[str, str, bytes, Bare, int]]:
    """Format, name, the file, what opens it without understanding it, and how often to read it."""
    files = TESTS / "forms" / "files"
    yield "docx", "a.docx", (files / "vertical.docx").read_bytes(), _docx, 40
    yield "xlsx", "a.xlsx", (files / "hidden_row.xlsx").read_bytes(), _xlsx, 40
    yield "xls", "a.xls", (files / "statistics.xls").read_bytes(), _xls, 40
    yield "html", "a.html", (files / "pasted.html").read_bytes(), _html, 40
    yield "pdf with text", "a.pdf", printed_pdf.problem_form(), _pdf, 10
    if libreoffice.installed():
        yield "odt", "a.odt", (TESTS / "forms_scanned" / "files" / "plain.odt").read_bytes(), _odt, 2
    if paper.fonts_present():
        page = paper.scanned(paper.problem_page(paper.ProblemPaper()), tilt=1.0)
        yield "scanned page", "a.pdf", paper.scan_pdf(page), _page, 2


def _mail(name: str, data: bytes) -> bytes:
    mail = EmailMessage()
    mail["From"], mail["To"], mail["Subject"] = "hetang@example.com", "djb@example.com", "报送表格"
    mail.set_content("您好，现将我校表格报上，请查收。")
    mail.add_attachment(data, maintype="application", subtype="octet-stream", filename=name)
    return mail.as_bytes()


def _seconds(work: Callable[[], object], times: int) -> float:
    """CPU seconds of the quickest run, of this process and the programs it started."""
    work()
    costs = []
    for _ in range(times):
        own, others = time.process_time(), sum(os.times()[2:4])
        work()
        costs.append(time.process_time() - own + sum(os.times()[2:4]) - others)
    return min(costs)


def measure_reading(say: Callable[[str, str, str], None]) -> None:
    """Each format as a mail, beside the bare library; and what a reading weighs on its way to the daemon."""
    for format, name, data, bare, times in _samples():
        raw = _mail(name, data)

        def opened(raw: bytes = raw, data: bytes = data, bare: Bare = bare) -> None:
            mailparser.parse_from_bytes(raw)
            bare(data)

        library = _seconds(opened, times)
        ours = _seconds(lambda raw=raw: read(raw, "a.eml", LIMITS), times)  # type: ignore[misc]
        weight = len(pickle.dumps(read(raw, "a.eml", LIMITS), pickle.HIGHEST_PROTOCOL))
        say(
            f"reading, {format}, {len(raw) >> 10} KB (bare {library * 1000:.1f} ms)",
            f"{ours * 1000:.1f} ms",
            f"= {ours / library:.1f} × the bare library; {weight >> 10} KB go to the daemon",
        )
