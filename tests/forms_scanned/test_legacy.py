from __future__ import annotations

import resource
from pathlib import Path

import pytest

from parsers import legacy, libreoffice
from parsers.content import Cell, Content, Limits, Table, Unreadable
from parsers.values import Place
from tests.forms import office_files as o
from tests.forms.reading import doubts, of, only, verdict

FILES = Path(__file__).parent / "files"
LIMITS = Limits()
needs_office = pytest.mark.skipif(libreoffice.installed() is None, reason="LibreOffice is not installed")


def read(name: str) -> Content:
    return legacy.content((FILES / name).read_bytes(), name.rpartition(".")[2], LIMITS)


def test_a_word_97_file_reads_like_its_docx() -> None:
    form = only(of(read("plain.doc")))
    assert form.fields["contact_phone"] == "13812345678"
    assert form.items[0]["levels"] == ("section",)
    assert form.items[0]["sections"] == ("基建科",)
    assert verdict(form) == "complete"


def test_a_wps_file_is_a_word_97_file_by_another_name() -> None:
    assert legacy.content((FILES / "plain.doc").read_bytes(), "wps", LIMITS).format == "wps"


@needs_office
@pytest.mark.parametrize("name", ["plain.odt", "plain.rtf"])
def test_open_document_and_rich_text_read_like_a_docx(name: str) -> None:
    form = only(of(read(name)))
    assert form.items[0]["levels"] == ("section",)
    assert form.fields["reporting_unit"] == "贵港市荷塘小学"


@needs_office
def test_a_box_of_a_protected_word_97_form_is_read_by_its_state() -> None:
    form = only(of(read("form_fields.doc")))
    assert form.items[0]["levels"] == ("section",)
    assert verdict(form) == "complete"


@needs_office
def test_an_open_document_sheet_gives_the_computed_values() -> None:
    row = only(of(read("formula.ods"))).items[0]
    assert (row["party_branches"], row["platforms"]) == (3, 1)


@needs_office
def test_libreoffice_runs_outside_of_the_reader_s_memory_limit() -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_AS)
    limit = 1 << 40
    resource.setrlimit(resource.RLIMIT_AS, (limit, hard))
    try:
        read("plain.odt")
        assert resource.getrlimit(resource.RLIMIT_AS)[0] == limit
    finally:
        resource.setrlimit(resource.RLIMIT_AS, (soft, hard))


@needs_office
def test_a_conversion_that_takes_too_long_is_ended_and_said() -> None:
    with pytest.raises(Unreadable, match="规定时间"):
        libreoffice.converted((FILES / "plain.odt").read_bytes(), "odt", "docx", LIMITS, seconds=0.01)


def test_without_libreoffice_the_administrator_learns_what_to_install(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("PATH", "/nonexistent")
    with pytest.raises(Unreadable, match="libreoffice-writer"):
        read("plain.odt")


def test_what_needs_libreoffice_is_doubted_when_it_is_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "/nonexistent")
    assert verdict(only(of(read("form_fields.doc")))) == "uncertain"


def _levels(text: str) -> Content:
    cell = Cell(text, 0, 0, Place("表1第1行第1列"))
    return Content("docx", (Table((cell,), 1, 1),))


@pytest.mark.parametrize(
    ("office", "quick", "expected"),
    [
        ("市委教育工委书记", "☑市委教育工委书记", "☑市委教育工委书记"),
        ("☑市委教育工委书记", "市委教育工委书记", "☑市委教育工委书记"),
        ("☐市委教育工委书记", "☑市委教育工委书记", "⍰市委教育工委书记"),
        ("√市委教育工委书记", "☑市委教育工委书记", "☑市委教育工委书记"),
    ],
)
def test_a_tick_that_one_translator_lost_is_taken_from_the_other(
    office: str, quick: str, expected: str
) -> None:
    table = legacy.merged(_levels(office), _levels(quick)).blocks[0]
    assert isinstance(table, Table)
    assert table.cells[0].text == expected


def rich_text(count: str) -> bytes:
    """附件2 as RTF with this 党支部数, written in RTF."""

    def escaped(text: str) -> str:
        return "".join(
            c if ord(c) < 128 else f"\\u{ord(c) - (65536 if ord(c) > 32767 else 0)}?" for c in text
        )

    def row(*cells: str) -> str:
        edges = "".join(f"\\cellx{(number + 1) * 1500}" for number in range(len(cells)))
        return f"\\trowd{edges}" + "".join(f"\\intbl {cell}\\cell" for cell in cells) + "\\row"

    head = f"{escaped(o.STATISTICS_TITLE)}\\par {escaped(o.STATISTICS_HEAD)}\\par "
    table = row(*map(escaped, o.STATISTICS_HEADINGS)) + row(escaped(o.UNIT), count, "1", "2", "5", "")
    colours = "{\\colortbl;\\red255\\green255\\blue255;}"
    return f"{{\\rtf1\\ansi\\uc1{colours}{head}{table}\\pard\\par}}".encode()


@needs_office
@pytest.mark.parametrize("count", ["3{\\super 2}", "3{\\up6 2}", "{\\v 4}3", "{\\cf1 3}"])
def test_raised_and_unseen_digits_of_rich_text_are_doubted(count: str) -> None:
    form = only(of(legacy.content(rich_text(count), "rtf", LIMITS)))
    assert form.items[0]["party_branches"] == 3
    assert "rows[0].party_branches" in doubts(form)
