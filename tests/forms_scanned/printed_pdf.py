"""附件1 as a PDF written by hand, so that a test can say how its boxes are drawn, ticked or filled in."""

from __future__ import annotations

from collections.abc import Sequence

PAGE_HEIGHT = 842


class Drawing:
    """The page under construction: PDF operators and annotations. y is measured from the top."""

    def __init__(self) -> None:
        self.operators: list[str] = []
        self.annotations: list[str] = []

    def text(self, x: float, y: float, text: str, size: int = 12) -> None:
        encoded = text.encode("utf-16-be").hex()
        self.operators.append(
            f"BT /F1 {size} Tf {x} {PAGE_HEIGHT - y - size * 0.85:.1f} Td <{encoded}> Tj ET"
        )

    def line(self, x0: float, y0: float, x1: float, y1: float) -> None:
        self.operators.append(f"0.6 w {x0} {PAGE_HEIGHT - y0} m {x1} {PAGE_HEIGHT - y1} l S")

    def square(self, x: float, y: float, side: float) -> None:
        self.operators.append(f"0.6 w {x} {PAGE_HEIGHT - y - side} {side} {side} re S")

    def tick(self, x: float, y: float, side: float) -> None:
        top = PAGE_HEIGHT - y
        self.operators.append(
            f"1.4 w {x + 1} {top - side / 2} m {x + side * 0.4} {top - side + 1} l {x + side - 1} {top - 1} l S"
        )

    def widget(self, x: float, y: float, width: float, height: float, entries: str) -> None:
        bottom = PAGE_HEIGHT - y - height
        box = f"[{x} {bottom} {x + width} {bottom + height}]"
        self.annotations.append(f"<< /Type /Annot /Subtype /Widget /Rect {box} /F 4 {entries} >>")

    def pdf(self) -> bytes:
        stream = "\n".join(self.operators).encode()
        first = 8
        widgets = " ".join(f"{first + number} 0 R" for number in range(len(self.annotations)))
        objects = [
            f"<< /Type /Catalog /Pages 2 0 R /AcroForm << /Fields [{widgets}] >> >>".encode(),
            b"<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
            f"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 {PAGE_HEIGHT}] /Contents 4 0 R /Annots [{widgets}]"
            " /Resources << /Font << /F1 5 0 R >> >> >>".encode(),
            b"<< /Length %d >>\nstream\n%s\nendstream" % (len(stream), stream),
            b"<< /Type /Font /Subtype /Type0 /BaseFont /STSong-Light /Encoding /UniGB-UCS2-H"
            b" /DescendantFonts [6 0 R] >>",
            b"<< /Type /Font /Subtype /CIDFontType0 /BaseFont /STSong-Light /DW 1000 /FontDescriptor 7 0 R"
            b" /CIDSystemInfo << /Registry (Adobe) /Ordering (GB1) /Supplement 2 >> >>",
            b"<< /Type /FontDescriptor /FontName /STSong-Light /Flags 6 /FontBBox [-25 -254 1000 880]"
            b" /ItalicAngle 0 /Ascent 880 /Descent -120 /CapHeight 880 /StemV 93 >>",
            *(annotation.encode() for annotation in self.annotations),
        ]
        return _file(objects)


def _file(objects: Sequence[bytes]) -> bytes:
    body = b"%PDF-1.5\n"
    offsets = []
    for number, content in enumerate(objects, 1):
        offsets.append(len(body))
        body += b"%d 0 obj\n%s\nendobj\n" % (number, content)
    table = b"".join(b"%010d 00000 n \n" % offset for offset in offsets)
    size = len(objects) + 1
    return (
        body
        + b"xref\n0 %d\n0000000000 65535 f \n%s" % (size, table)
        + (b"trailer << /Size %d /Root 1 0 R >>\nstartxref\n%d\n%%%%EOF\n" % (size, len(body)))
    )


def problem_form(levels: str = "drawn", ticked: str = "section", typed_unit: str | None = None) -> bytes:
    """附件1 with drawn boxes, with checkboxes of a fillable form, or with something unknown for boxes."""
    page = Drawing()
    page.text(200, 60, "难点问题报告表", 18)
    page.text(60, 100, "填报单位（盖章）：" + ("" if typed_unit else "贵港市荷塘小学"))
    if typed_unit:
        page.widget(168, 98, 120, 16, f"/FT /Tx /T (unit) /V <feff{typed_unit.encode('utf-16-be').hex()}>")
    page.text(300, 100, "主要负责人签字：韦青山")
    page.text(60, 120, "联系人及电话：覃小雨13812345678")
    edges = (55, 145, 330, 500, 545)
    for x in edges:
        page.line(x, 145, x, 330)
    for y in (145, 170, 330):
        page.line(edges[0], y, edges[-1], y)
    for heading, x in zip(("难点问题", "具体内容及诉求", "反馈层级", "备注"), edges, strict=False):
        page.text(x + 4, 150, heading)
    page.text(60, 175, "北侧围墙")
    page.text(60, 191, "开裂")
    page.text(150, 175, "围墙倾斜12米。")
    for y, level, label in (
        (176, "secretary", "市委教育工委书记"),
        (226, "section", "市局相关科室，是基建科"),
    ):
        page.text(350, y, label)
        _option_box(page, levels, y, level == ticked)
    return page.pdf()


def _option_box(page: Drawing, levels: str, y: float, ticked: bool) -> None:
    if levels == "drawn":
        page.square(337, y + 1, 10)
        if ticked:
            page.tick(337, y + 1, 10)
    elif levels == "checkbox":
        state = "/Yes" if ticked else "/Off"
        page.widget(337, y + 1, 10, 10, f"/FT /Btn /T (box{y}) /V {state} /AS {state}")
    elif levels == "scribble":
        page.line(337, y + 2, 346, y + 11)
        page.line(338, y + 10, 345, y + 3)
