"""Documents of ours that were sent out as drafts and come back edited: what they say, and a clean copy.

A draft carries `circular:TJ-2022-01:K7Q4` as a custom property: of what it is a draft, and of which one. What
may not go out to everybody (macros, tracked changes, comments, links to elsewhere) is named as a fault.
"""

from __future__ import annotations

import hashlib
import io
import re
import zipfile
from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final

from lxml import etree

from parsers.content import IDENTITY_PROPERTY, Content, Limits, Paragraph, Refused, Unreadable
from parsers.values import ReturnedDocument

DRAFT: Final = re.compile(r"circular:((?:TJ|ND|QC)-\d{4}-\d{2,}):([A-Z0-9]{4})")
DRAFT_MARK: Final = "（送审稿）"
PROPERTIES: Final = "docProps/custom.xml"
WORD_TEXT: Final = "word/document.xml"
_W: Final = "{http://schemas.openxmlformats.org/wordprocessingml/2006/main}"
_CUSTOM: Final = "http://schemas.openxmlformats.org/officeDocument/2006/custom-properties"
_VALUE: Final = "http://schemas.openxmlformats.org/officeDocument/2006/docPropsVTypes"
FORMAT_ID: Final = "{D5CDD505-2E9C-101B-9397-08002B2CF9AE}"

FAULTS: Final[Mapping[str, Callable[[str], bool]]] = {
    "文件带有宏，请另存为不带宏的文件": lambda name: name.endswith("vbaProject.bin"),
    "文件中嵌有其他对象，请删去": lambda name: "/embeddings/" in name or "/activeX/" in name,
    "文件中有批注，请删去": lambda name: bool(
        re.search(r"/(?:comments|threadedComments)[^/]*(?:/|\.xml$)", name)
    ),
    "文件引用了其他文件的数据，请改为数值": lambda name: "/externalLinks/" in name,
}
PAGE_NUMBER: Final = re.compile(r"[—-]\s*\d*\s*[—-]")
TRACKED: Final = ("ins", "del", "moveFrom", "moveTo")


def returned(data: bytes, part: str, kind: str, limits: Limits) -> ReturnedDocument | None:
    """The edited draft that a docx or xlsx is; None if it is none of ours. Raises Unreadable, Refused."""
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            members = {member.filename: member.file_size for member in archive.infolist()}
            if PROPERTIES not in members or members[PROPERTIES] > limits.part_bytes:
                return None
            found = DRAFT.fullmatch(_identity(archive.read(PROPERTIES)))
            if found is None:
                return None
            if sum(members.values()) > limits.total_bytes or max(members.values()) > limits.part_bytes:
                raise Refused("文件过大,未打开")
            faults = [why for why, applies in FAULTS.items() if any(map(applies, members))]
            if kind == "docx" and _is_tracked(archive.read(WORD_TEXT)):
                faults.append("文件中有未接受的修订，请先全部接受")
    except (zipfile.BadZipFile, etree.XMLSyntaxError, KeyError) as fault:
        raise Unreadable("文件已损坏,无法打开,请检查后重新发送") from fault
    return ReturnedDocument(
        part=part,
        format=kind,
        about=found[1],
        code=found[2],
        lines=tuple(text_lines(data, kind, limits)),
        faults=tuple(faults),
        digest=hashlib.sha256(data).hexdigest(),
        data=marked(data, None),
    )


def _identity(properties: bytes) -> str:
    root = _root(properties)
    named = (node for node in root if node.get("name") == IDENTITY_PROPERTY)
    return next(("".join(map(str, node.itertext())).strip() for node in named), "")


def _root(part: bytes) -> etree._Element:
    return etree.fromstring(part, etree.XMLParser(resolve_entities=False, no_network=True))


def _is_tracked(document: bytes) -> bool:
    root = _root(document)
    return any(next(root.iter(f"{_W}{name}"), None) is not None for name in TRACKED)


def _content(data: bytes, kind: str, limits: Limits) -> Content:
    from parsers import sheet, word

    return word.content(data, limits) if kind == "docx" else sheet.xlsx_content(data, limits)


def text_lines(data: bytes, kind: str, limits: Limits | None = None) -> list[str]:
    """What a document of ours says, line by line. Raises Unreadable, Refused."""
    return list(_lines(_content(data, kind, limits or Limits())))


def _lines(content: Content) -> Iterator[str]:
    """Every paragraph and every row of a table, in reading order, but for the mark of the draft."""
    for block in content.blocks:
        if isinstance(block, Paragraph):
            text = " ".join(block.text.split())
            if text and text != DRAFT_MARK and not PAGE_NUMBER.fullmatch(text):
                yield text
            continue
        rows: dict[int, list[str]] = {}
        for cell in block.cells:
            rows.setdefault(cell.row, []).append(" ".join(cell.text.split()))
        yield from ("　".join(texts) for _, texts in sorted(rows.items()) if any(texts))


# --- a copy to be sent ---------------------------------------------------------------------------------


def marked(data: bytes, identity: str | None) -> bytes:
    """The file with another identity, or with none; without the mark of the draft, else byte for byte."""
    out = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(data)) as old, zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as new:
        for member in old.infolist():
            held = old.read(member.filename)
            if member.filename == PROPERTIES:
                held = with_identity(held, identity)
            elif member.filename == WORD_TEXT:
                held = _without_mark(held)
            new.writestr(zipfile.ZipInfo(member.filename, (1980, 1, 1, 0, 0, 0)), held, zipfile.ZIP_DEFLATED)
    return out.getvalue()


def with_identity(properties: bytes | None, identity: str | None) -> bytes:
    """docProps/custom.xml with this identity or none, and with all else that stands there; None: a new one."""
    root = _root(properties) if properties else etree.Element(f"{{{_CUSTOM}}}Properties", nsmap=_NAMES)
    for node in [node for node in root if node.get("name") == IDENTITY_PROPERTY]:
        root.remove(node)
    if identity is not None:
        taken = [int(pid) for node in root if (pid := node.get("pid") or "").isdigit()]
        node = etree.SubElement(root, f"{{{_CUSTOM}}}property")
        for name, value in (
            ("fmtid", FORMAT_ID),
            ("pid", str(max([1, *taken]) + 1)),
            ("name", IDENTITY_PROPERTY),
        ):
            node.set(name, value)
        etree.SubElement(node, f"{{{_VALUE}}}lpwstr").text = identity
    return bytes(etree.tostring(root, xml_declaration=True, encoding="UTF-8", standalone=True))


_NAMES: Final[Any] = {None: _CUSTOM, "vt": _VALUE}


def _without_mark(document: bytes) -> bytes:
    root = _root(document)
    for paragraph in list(root.iter(f"{_W}p")):
        parent = paragraph.getparent()
        if parent is not None and "".join(map(str, paragraph.itertext())).strip() == DRAFT_MARK:
            parent.remove(paragraph)
    return bytes(etree.tostring(root, xml_declaration=True, encoding="UTF-8", standalone=True))
