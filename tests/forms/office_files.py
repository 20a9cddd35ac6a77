"""Office files such as schools make them, built from a few words of XML, for the tests of the readers."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any
from xml.sax.saxutils import escape

import openpyxl

W = "http://schemas.openxmlformats.org/wordprocessingml/2006/main"
STRICT_W = "http://purl.oclc.org/ooxml/wordprocessingml/main"
NAMESPACES = (
    'xmlns:w="{w}" xmlns:w14="http://schemas.microsoft.com/office/word/2010/wordml"'
    ' xmlns:mc="http://schemas.openxmlformats.org/markup-compatibility/2006"'
    ' xmlns:wps="http://schemas.microsoft.com/office/word/2010/wordprocessingShape"'
    ' xmlns:v="urn:schemas-microsoft-com:vml"'
)

HINT_SECRETARY = "（需报告工委书记协调解决的难点问题请勾选此项）"
HINT_SECTION = "（需市局相关科室配合解决的难点问题请勾选此项，请列出具体科室）"
PROBLEM_NOTE = (
    "说明：（1）各市直学校如有需要市委教育工委书记，或市局相关科室配合解决的事项，请及时将此表报送工委办。"
    "邮箱：djb3916@163.com，联系人及电话：（工委办联系人），4573916。"
)
STATISTICS_NOTE = (
    "说明：（1）此表由各市直学校填报校本级平台开展情况；（2）此表每两个月报送一次，分别1月5日、3月5日、5月5、7月5日、"
    "9月5日、11月5日前报送至工委办。邮箱：djb3916@163.com，联系人及电话：（工委办联系人），4573916。"
)
PROBLEM_HEADINGS = ("难点问题", "具体内容及诉求", "反馈层级", "备注")
STATISTICS_HEADINGS = (
    "单位名称",
    "党支部数",
    "建立“难点问题书记一线办”党建工作平台数",
    "“难点问题书记一线办”举办次数",
    "解决问题数量",
    "备注",
)
STATISTICS_TITLE = "“难点问题书记一线办”开展情况统计表"
UNIT, PRINCIPAL, CONTACT, PHONE = "贵港市荷塘小学", "韦青山", "覃小雨", "13812345678"
PROBLEM_HEAD = f"填报单位（盖章）：{UNIT}　　主要负责人签字：{PRINCIPAL}　　联系人及电话：{CONTACT}{PHONE}"
STATISTICS_HEAD = f"填报单位：{UNIT}　　填报时间：2022年1月4日　　联系人及电话：{CONTACT}{PHONE}"
PROBLEM, DETAILS = "围墙倒塌", "北侧围墙雨后倒塌12米。\n请求安排资金8万元。"


def levels(secretary: str = "□", section: str = "☑", sections: str = "基建科") -> str:
    """The 反馈层级 cell as printed, with these marks before the options."""
    return f"{secretary}市委教育工委书记\n{HINT_SECRETARY}\n{section}市局相关科室，具体是　{sections}　\n{HINT_SECTION}"


# ---------------------------------------------------------------- Word


@dataclass(frozen=True)
class Xml:
    """A piece of WordprocessingML, taken as it is."""

    text: str


def run(text: str, properties: str = "") -> Xml:
    """A run; line breaks become w:br, tabs w:tab."""
    parts: list[str] = []
    for number, line in enumerate(text.split("\n")):
        if number:
            parts.append("<w:br/>")
        for place, piece in enumerate(line.split("\t")):
            parts.append("<w:tab/>" if place else "")
            parts.append(f'<w:t xml:space="preserve">{escape(piece)}</w:t>')
    return Xml(f"<w:r><w:rPr>{properties}</w:rPr>{''.join(parts)}</w:r>")


BOLD = "<w:b/>"
UNDERLINE = '<w:u w:val="single"/>'
STRIKE = "<w:strike/>"
HIDDEN = "<w:vanish/>"


def font(name: str) -> str:
    return f'<w:rFonts w:ascii="{name}" w:hAnsi="{name}" w:cs="{name}"/>'


def paragraph(*runs: str | Xml, properties: str = "") -> Xml:
    body = "".join(item.text if isinstance(item, Xml) else run(item).text for item in runs)
    return Xml(f"<w:p><w:pPr>{properties}</w:pPr>{body}</w:p>")


def paragraphs(text: str) -> list[Xml]:
    return [paragraph(line) for line in text.split("\n")]


@dataclass(frozen=True)
class C:
    """A table cell: text or XML blocks, with its merges."""

    content: str | Xml | Sequence[Xml] = ""
    span: int = 1
    merge: str = ""
    """`restart` or `continue` for a cell merged downwards."""

    def xml(self) -> str:
        if isinstance(self.content, str):
            inner = "".join(item.text for item in paragraphs(self.content))
        elif isinstance(self.content, Xml):
            inner = self.content.text
        else:
            inner = "".join(item.text for item in self.content)
        merge = {"": "", "restart": '<w:vMerge w:val="restart"/>', "continue": "<w:vMerge/>"}[self.merge]
        span = f'<w:gridSpan w:val="{self.span}"/>' if self.span > 1 else ""
        return f"<w:tc><w:tcPr>{span}{merge}</w:tcPr>{inner}</w:tc>"


def table(*rows: Sequence[str | C | Xml | Sequence[Xml]], wrap: str = "") -> Xml:
    xml = "".join(
        "<w:tr>" + "".join((cell if isinstance(cell, C) else C(cell)).xml() for cell in row) + "</w:tr>"
        for row in rows
    )
    xml = f"<w:tbl><w:tblPr/>{xml}</w:tbl>"
    return Xml(f"<w:sdt><w:sdtPr/><w:sdtContent>{xml}</w:sdtContent></w:sdt>" if wrap == "sdt" else xml)


def text_box(*blocks: Xml) -> Xml:
    """A run with a floating text box, in both of the ways in which Word stores it."""
    inner = "".join(block.text for block in blocks)
    return Xml(
        "<w:r><mc:AlternateContent><mc:Choice Requires='wps'><w:drawing><wps:wsp><wps:txbx><w:txbxContent>"
        f"{inner}</w:txbxContent></wps:txbx></wps:wsp></w:drawing></mc:Choice><mc:Fallback><w:pict><v:textbox>"
        f"<w:txbxContent>{inner}</w:txbxContent></v:textbox></w:pict></mc:Fallback></mc:AlternateContent></w:r>"
    )


def checkbox(on: bool, glyph: str | None = None) -> Xml:
    """A content-control box; the glyph may lie, the state counts."""
    shown = glyph or ("☒" if on else "☐")
    return Xml(
        f'<w:sdt><w:sdtPr><w14:checkbox><w14:checked w14:val="{int(on)}"/></w14:checkbox></w:sdtPr>'
        f"<w:sdtContent><w:r><w:t>{shown}</w:t></w:r></w:sdtContent></w:sdt>"
    )


def legacy_checkbox(on: bool, by_default: bool = False) -> Xml:
    state = (
        f'<w:default w:val="{int(on)}"/>'
        if by_default
        else f'<w:default w:val="0"/><w:checked w:val="{int(on)}"/>'
    )
    return Xml(
        f'<w:r><w:fldChar w:fldCharType="begin"><w:ffData><w:checkBox>{state}</w:checkBox></w:ffData></w:fldChar></w:r>'
        '<w:r><w:instrText> FORMCHECKBOX </w:instrText></w:r><w:r><w:fldChar w:fldCharType="separate"/></w:r>'
        '<w:r><w:fldChar w:fldCharType="end"/></w:r>'
    )


def equation(code: str) -> Xml:
    return Xml(
        '<w:r><w:fldChar w:fldCharType="begin"/></w:r>'
        f'<w:r><w:instrText xml:space="preserve"> {code} </w:instrText></w:r>'
        '<w:r><w:fldChar w:fldCharType="end"/></w:r>'
    )


def symbol(font_name: str, code: str) -> Xml:
    return Xml(f'<w:r><w:sym w:font="{font_name}" w:char="{code}"/></w:r>')


def inserted(text: str) -> Xml:
    return Xml(f'<w:ins w:id="1" w:author="办公室">{run(text).text}</w:ins>')


def deleted(text: str) -> Xml:
    return Xml(f'<w:del w:id="2" w:author="办公室"><w:r><w:delText>{escape(text)}</w:delText></w:r></w:del>')


def docx(
    *blocks: str | Xml,
    header: Sequence[Xml] = (),
    strict: bool = False,
    extra: dict[str, bytes] | None = None,
) -> bytes:
    """A .docx with these blocks in its body; strings are paragraphs."""
    w = STRICT_W if strict else W
    names = NAMESPACES.format(w=w)
    body = "".join(block.text if isinstance(block, Xml) else paragraph(block).text for block in blocks)
    relations = "http://schemas.openxmlformats.org/package/2006/relationships"
    office = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(
            "[Content_Types].xml",
            '<Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types">'
            '<Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/>'
            '<Override PartName="/word/document.xml" ContentType="application/vnd.openxmlformats-officedocument.'
            'wordprocessingml.document.main+xml"/></Types>',
        )
        archive.writestr(
            "_rels/.rels",
            f'<Relationships xmlns="{relations}"><Relationship Id="r1" Type="{office}/officeDocument"'
            ' Target="word/document.xml"/></Relationships>',
        )
        archive.writestr(
            "word/document.xml",
            f"<?xml version='1.0'?><w:document {names}><w:body>{body}</w:body></w:document>",
        )
        if header:
            inner = "".join(block.text for block in header)
            archive.writestr("word/header1.xml", f"<?xml version='1.0'?><w:hdr {names}>{inner}</w:hdr>")
        for name, data in (extra or {}).items():
            archive.writestr(name, data)
    return target.getvalue()


def problem_docx(
    level: str | Xml | Sequence[Xml] | None = None, head: str = PROBLEM_HEAD, **others: Any
) -> bytes:
    """附件1 with one problem and this 反馈层级."""
    row = (PROBLEM, DETAILS, levels() if level is None else level, "")
    return docx("附件1", "难点问题报告表", head, table(PROBLEM_HEADINGS, row), PROBLEM_NOTE, **others)


def statistics_docx(
    *rows: Sequence[str], head: str = STATISTICS_HEAD, headings: Sequence[str] = STATISTICS_HEADINGS
) -> bytes:
    """附件2 with these rows."""
    return docx("附件2", STATISTICS_TITLE, head, table(headings, *rows), STATISTICS_NOTE)


# ---------------------------------------------------------------- sheets


def xlsx(*rows: Sequence[object], edit: Callable[[Any], None] | None = None, title: str = "Sheet1") -> bytes:
    """A workbook of one sheet with these rows; `edit` does the rest to the workbook."""
    workbook = openpyxl.Workbook()
    sheet = workbook.active
    assert sheet is not None
    sheet.title = title
    for row in rows:
        sheet.append(list(row))
    if edit is not None:
        edit(workbook)
    target = io.BytesIO()
    workbook.save(target)
    return target.getvalue()


def statistics_rows(*rows: Sequence[object], head: Sequence[object] | None = None) -> list[Sequence[object]]:
    """Rows of 附件2 as they stand in a sheet."""
    line = head or (f"填报单位：{UNIT}", None, "填报时间：2022年1月4日", f"联系人及电话：{CONTACT} {PHONE}")
    return [("附件2",), (STATISTICS_TITLE,), line, STATISTICS_HEADINGS, *rows, (STATISTICS_NOTE,)]
