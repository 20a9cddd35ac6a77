"""Hostile and broken input ends as refused or unreadable with a reason in Chinese, and harms nobody."""

from __future__ import annotations

import bz2
import gzip
import io
import struct
import zipfile

import libarchive
import pytest

from parsers import sniff
from parsers.content import Limits
from parsers.read import read
from parsers.values import Part, PartOutcome, Reading, Verdict
from tests.mails.letters import mail, plain, problem_report, zipped

SMALL = Limits(part_bytes=1 << 20, total_bytes=3 << 20, members=20)


def reading_of(*files: tuple[str, bytes], limits: Limits = SMALL) -> Reading:
    return read(mail(*files), "a.eml", limits)


def only_part(reading: Reading) -> Part:
    assert len(reading.parts) == 1
    return reading.parts[0]


def encrypted_zip() -> bytes:
    data = bytearray(zipped(("附件1.docx", problem_report())))
    data[6] |= 1
    data[data.find(b"PK\x01\x02") + 8] |= 1
    return bytes(data)


def office(member: str, xml: bytes) -> bytes:
    return zipped(("[Content_Types].xml", b"<Types/>"), (member, xml))


ENTITIES = b'<?xml version="1.0"?><!DOCTYPE a [<!ENTITY a "aaaaaaaaaa">' + b"".join(
    b'<!ENTITY a%d "%s">' % (n, (b"&a%d;" % (n - 1) if n else b"&a;") * 10) for n in range(12)
)
ENTITY_BOMB = (
    ENTITIES
    + b']><w:document xmlns:w="x"><w:body><w:p><w:r><w:t>&a11;</w:t></w:r></w:p></w:body></w:document>'
)
LONG_DOCUMENT = b'<w:document xmlns:w="x"><w:body>' + b"<w:p/>" * 500_000
MILLION_ROWS = b"<worksheet><sheetData>" + b'<row r="1"><c r="A1"><v>1</v></c></row>' * 100_000

REFUSED_OR_UNREADABLE = {
    "a zip bomb": ("a.zip", zipped(("x.docx", b"0" * (30 << 20))), PartOutcome.REFUSED, "解压"),
    "many small bombs": (
        "a.zip",
        zipped(*[(f"{n}.bin", bytes(900_000)) for n in range(9)]),
        PartOutcome.REFUSED,
        "解压",
    ),
    "an encrypted zip": ("a.zip", encrypted_zip(), PartOutcome.UNREADABLE, "密码"),
    "a broken zip": (
        "a.zip",
        zipped(("附件1.docx", problem_report()))[:20_000],
        PartOutcome.UNREADABLE,
        "损坏",
    ),
    "a broken docx": ("附件1.docx", problem_report()[:9_000], PartOutcome.UNREADABLE, "损坏"),
    "noise under an office name": ("附件1.docx", bytes(range(256)) * 50, PartOutcome.UNREADABLE, "损坏"),
    "an empty file": ("附件1.docx", b"", PartOutcome.UNREADABLE, "空"),
    "a program": ("报表.exe", b"MZ" + bytes(900), PartOutcome.REFUSED, "可执行"),
    "a program under an office name": (
        "附件1.docx",
        b"MZ\x90\x00" + bytes(900),
        PartOutcome.REFUSED,
        "可执行",
    ),
    "a script": ("附件1.docx.js", b"var x = 1", PartOutcome.REFUSED, "可执行"),
    "a broken rar": ("a.rar", b"Rar!\x1a\x07\x01\x00" + bytes(50), PartOutcome.UNREADABLE, ""),
    "a broken 7z": ("a.7z", b"7z\xbc\xaf\x27\x1c\x00\x04" + bytes(50), PartOutcome.UNREADABLE, ""),
    "a broken winmail.dat": ("winmail.dat", b"\x78\x9f\x3e\x22" + bytes(5), PartOutcome.UNREADABLE, ""),
    "an entity bomb": ("a.docx", office("word/document.xml", ENTITY_BOMB), PartOutcome.UNREADABLE, ""),
    "an endless document": (
        "a.docx",
        office("word/document.xml", LONG_DOCUMENT),
        PartOutcome.REFUSED,
        "过大",
    ),
}


@pytest.mark.parametrize("what", REFUSED_OR_UNREADABLE)
def test_hostile_and_broken_files_are_named_with_the_reason(what: str) -> None:
    name, data, outcome, word = REFUSED_OR_UNREADABLE[what]
    reading = reading_of((name, data))
    parts = [part for part in reading.parts if part.outcome is outcome]
    assert parts, reading.parts
    assert word in (parts[0].reason or "")
    assert reading.verdict is Verdict.UNREADABLE
    assert not reading.forms


def test_a_sheet_of_a_million_rows_is_not_loaded() -> None:
    part = only_part(reading_of(("附件2.xlsx", office("xl/workbook.xml", MILLION_ROWS))))
    assert part.outcome in (PartOutcome.REFUSED, PartOutcome.UNREADABLE)


def test_a_bad_file_beside_a_good_form_leaves_the_form_and_asks_a_person() -> None:
    reading = reading_of(("附件1.docx", problem_report()), ("附件2.docx", problem_report()[:9_000]))
    assert len(reading.forms) == 1
    assert reading.verdict is Verdict.UNCERTAIN


def test_a_program_beside_a_good_form_does_not_hinder_it() -> None:
    reading = reading_of(("附件1.docx", problem_report()), ("看图.exe", b"MZ" + bytes(900)))
    assert (len(reading.forms), reading.verdict) == (1, Verdict.COMPLETE)


def nested(levels: int) -> bytes:
    data = zipped(("附件1.docx", problem_report()))
    for level in range(levels - 1):
        data = zipped((f"{level}.zip", data), method=zipfile.ZIP_STORED)
    return data


def test_a_form_three_archives_deep_is_read_and_twelve_deep_is_refused() -> None:
    assert len(reading_of(("a.zip", nested(3))).forms) == 1
    assert only_part(reading_of(("a.zip", nested(12)))).outcome is PartOutcome.REFUSED


def test_names_that_climb_out_of_the_archive_are_only_names() -> None:
    reading = reading_of(("a.zip", zipped(("../../etc/x.docx", problem_report()))))
    assert [part.name for part in reading.parts] == ["a.zip/etc/x.docx"]
    assert len(reading.forms) == 1


def test_more_files_than_anybody_sends_are_not_all_opened() -> None:
    reading = reading_of(("a.zip", zipped(*[(f"{n}.txt", b"x") for n in range(60)])))
    assert len(reading.parts) <= SMALL.members + 1
    assert any(part.outcome is PartOutcome.REFUSED for part in reading.parts)


def test_an_archive_that_claims_more_members_than_can_be_is_not_even_listed() -> None:
    data = zipped(*[(f"{n}", b"") for n in range(20 * SMALL.members + 1)])
    assert only_part(reading_of(("a.zip", data))).outcome is PartOutcome.REFUSED


ARCHIVE_FORMATS = {
    "7z": ("7zip", None),
    "tar": ("ustar", None),
    "tar.gz": ("ustar", "gzip"),
    "tar.xz": ("ustar", "xz"),
}


@pytest.mark.parametrize("ending", ARCHIVE_FORMATS)
def test_archives_other_than_zip_are_opened(ending: str) -> None:
    stream = io.BytesIO()

    def write(data: bytes) -> int:
        return stream.write(data)

    form, compression = ARCHIVE_FORMATS[ending]
    with libarchive.custom_writer(write, form, compression) as archive:
        archive.add_file_from_memory("report.docx", len(problem_report()), problem_report())
    reading = reading_of((f"a.{ending}", stream.getvalue()))
    assert len(reading.forms) == 1
    assert reading.forms[0].part.endswith("/report.docx")


def test_a_single_compressed_file_is_opened_and_a_bomb_is_refused() -> None:
    assert (
        reading_of(("附件1.docx.gz", gzip.compress(problem_report()))).forms[0].part
        == "附件1.docx.gz/附件1.docx"
    )
    for name, bomb in (("a.gz", gzip.compress(bytes(9 << 20))), ("a.bz2", bz2.compress(bytes(9 << 20)))):
        assert only_part(reading_of((name, bomb))).outcome is PartOutcome.REFUSED


def test_a_mail_of_ten_thousand_parts_is_read_as_far_as_an_honest_one_goes() -> None:
    part = b"--B\nContent-Type: text/plain; name=a.txt\n\nhello\n"
    raw = (
        b"From: a@b.cn\nMIME-Version: 1.0\nContent-Type: multipart/mixed; boundary=B\n\n"
        + part * 10_000
        + b"--B--\n"
    )
    reading = read(raw, "a.eml", Limits())
    assert reading.verdict is Verdict.UNREADABLE
    assert len(reading.parts) < 300


@pytest.mark.parametrize("levels", [50, 500, 3_000])
def test_a_mail_nested_in_itself_is_read_or_refused(levels: int) -> None:
    frames = b"".join(
        b"Content-Type: multipart/mixed; boundary=B%d\n\n--B%d\n" % (n, n) for n in range(levels)
    )
    reading = read(b"From: a@b.cn\nMIME-Version: 1.0\n" + frames + b"\nhi\n", "a.eml", Limits())
    assert reading.mail is not None
    assert reading.mail.sender == "a@b.cn"
    assert (reading.verdict is Verdict.NO_FORM) is (levels == 50)


LONG_HEADS = {
    "one long field": b"From: a@b.cn\nSubject: " + b"a" * 3_000_000,
    "endless encoded words": b"From: a@b.cn\nSubject: " + b"=?utf-8?B?5LiK?=\n " * 100_000,
    "a hundred thousand fields": b"From: a@b.cn\n" + b"".join(b"X-%d: a\n" % n for n in range(100_000)),
    "endless receivers": b"From: a@b.cn\nTo: " + b"a@b.c, " * 100_000,
    "endless references": b"From: a@b.cn\nReferences: " + b"<a@b> " * 100_000,
    "quotes": b"From: a@b.cn\nCc: " + b'"' * 200_000,
}


@pytest.mark.parametrize("what", LONG_HEADS)
def test_a_head_longer_than_any_honest_one_is_cut(what: str) -> None:
    reading = read(LONG_HEADS[what] + b"\n\nhello", "a.eml", Limits())
    assert reading.mail is not None
    assert reading.mail.sender == "a@b.cn"
    assert reading.mail.reply_text == "hello"


def test_a_mail_over_the_limit_is_not_opened_and_its_sender_is_known() -> None:
    reading = read(plain("From: a@b.cn\nSubject: x", "y" * 3000), "a.eml", Limits(mail_bytes=2000))
    assert reading.mail is not None
    assert reading.mail.sender == "a@b.cn"
    assert only_part(reading).outcome is PartOutcome.REFUSED


@pytest.mark.parametrize("raw", [b"", b"\x00" * 1000, b"\xff" * 100, b"\n\n\n", b"From: ", b"no mail at all"])
def test_bytes_that_are_no_mail_are_no_misfortune(raw: bytes) -> None:
    assert read(raw, "a.eml", Limits()).verdict in (Verdict.NO_FORM, Verdict.UNREADABLE)


def test_an_oversize_link_instead_of_an_attachment_is_said() -> None:
    text = "附件: https://wx.mail.qq.com/ftn/download?func=3&k=abc"
    reading = read(mail(text=text), "a.eml", Limits())
    assert reading.verdict is Verdict.UNREADABLE
    assert "超大附件" in (only_part(reading).reason or "")


FORMATS = {
    "附件1.doc": (problem_report(), "docx"),
    "a.docx": (b"{\\rtf1 x}", "rtf"),
    "a.xls": (b"<html><table><tr><td>1</td></tr></table></html>", "html"),
    "a.doc": (b"%PDF-1.4", "pdf"),
    "a.csv": ("单位,数".encode("gbk"), "csv"),
    "a.txt": ("填报单位:某校".encode(), "txt"),
    "a.bin": (b"From: a@b\nSubject: x\nDate: y\n\nz", "eml"),
    "a": (b"\x89PNG\r\n\x1a\n" + bytes(20), "png"),
    "b": (struct.pack("<I", 0x223E9F78), "tnef"),
}


@pytest.mark.parametrize("name", FORMATS)
def test_a_file_is_told_by_what_is_in_it(name: str) -> None:
    data, kind = FORMATS[name]
    assert sniff.sniffed(data, name).format == kind
