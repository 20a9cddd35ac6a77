"""What floats over the cells of a sheet: check boxes and text boxes, read or doubted."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Sequence
from pathlib import Path

import pytest

from parsers import sheet as sheet_reader
from parsers.content import Cell, Table
from tests.forms.office_files import CONTACT, DETAILS, PHONE, PRINCIPAL, PROBLEM, PROBLEM_HEADINGS, UNIT, xlsx
from tests.forms.reading import LIMITS, doubts, of_xlsx, only, verdict

FILES = Path(__file__).parent / "files"
RELATIONS = "http://schemas.openxmlformats.org/package/2006/relationships"
OFFICE = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
OPTIONS = "市委教育工委书记\n市局相关科室，具体是　基建科"


def control(caption: str, checked: bool, row: int, column: int = 2) -> str:
    """A check box of the form tools, as Excel writes it."""
    state = "<x:Checked>1</x:Checked>" if checked else ""
    return (
        '<v:shape type="#_x0000_t201"><v:textbox><div style="text-align:left">'
        f'<font face="宋体">{caption}</font><br></div></v:textbox><x:ClientData ObjectType="Checkbox">'
        f"<x:Anchor>{column}, 10, {row}, 2, {column}, 90, {row}, 20</x:Anchor>{state}</x:ClientData></v:shape>"
    )


def text_box(text: str, row: int, column: int) -> str:
    return (
        f"<xdr:twoCellAnchor><xdr:from><xdr:col>{column}</xdr:col><xdr:row>{row}</xdr:row></xdr:from><xdr:sp><xdr:txBody>"
        f"<a:p><a:r><a:t>{text}</a:t></a:r></a:p></xdr:txBody></xdr:sp></xdr:twoCellAnchor>"
    )


def sheet(
    level: str, controls: Sequence[str] = (), boxes: Sequence[str] = (), unit: str = UNIT, remark: str = ""
) -> bytes:
    """附件1 as a workbook over which these things float."""
    data = xlsx(
        ("难点问题报告表",),
        (f"填报单位：{unit}", f"主要负责人签字：{PRINCIPAL}", f"联系人及电话：{CONTACT} {PHONE}"),
        PROBLEM_HEADINGS,
        (PROBLEM, DETAILS, level, remark),
    )
    floating = {
        "xl/drawings/vmlDrawing1.vml": '<xml xmlns:v="urn:schemas-microsoft-com:vml" xmlns:x="urn:schemas-'
        f'microsoft-com:office:excel">{"".join(controls)}</xml>',
        "xl/drawings/drawing1.xml": '<xdr:wsDr xmlns:xdr="http://schemas.openxmlformats.org/drawingml/2006/'
        'spreadsheetDrawing" xmlns:a="http://schemas.openxmlformats.org/drawingml/2006/main">'
        f"{''.join(boxes)}</xdr:wsDr>",
        "xl/worksheets/_rels/sheet1.xml.rels": f'<Relationships xmlns="{RELATIONS}"><Relationship Id="r1" Type="{OFFICE}'
        f'/vmlDrawing" Target="../drawings/vmlDrawing1.vml"/><Relationship Id="r2" Type="{OFFICE}/drawing"'
        ' Target="../drawings/drawing1.xml"/></Relationships>',
    }
    target = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(data)) as before, zipfile.ZipFile(target, "w") as after:
        for name in before.namelist():
            after.writestr(name, before.read(name))
        for name, part in floating.items():
            after.writestr(name, part)
    return target.getvalue()


@pytest.mark.parametrize(
    ("secretary", "section", "level"), [(True, False, ("secretary",)), (False, True, ("section",))]
)
def test_check_boxes_over_an_empty_cell_stand_for_the_options(
    secretary: bool, section: bool, level: tuple[str, ...]
) -> None:
    named = "市局相关科室，具体是：基建科" if section else "市局相关科室，具体是："
    controls = [control("市委教育工委书记", secretary, 3), control(named, section, 3)]
    form = only(of_xlsx(sheet("", controls)))
    assert form.items[0]["levels"] == level
    assert verdict(form) == "complete"


def test_check_boxes_named_like_the_options_in_the_cell_are_their_ticks() -> None:
    controls = [control("市委教育工委书记", False, 3), control("市局相关科室", True, 3)]
    form = only(of_xlsx(sheet(OPTIONS, controls)))
    assert (form.items[0]["levels"], form.items[0]["sections"]) == (("section",), ("基建科",))
    assert verdict(form) == "complete"


@pytest.mark.parametrize("caption", ["", "复选框 1", "Check Box 3", "选这一项"])
def test_a_check_box_without_a_telling_caption_is_doubted(caption: str) -> None:
    form = only(of_xlsx(sheet(OPTIONS, [control(caption, True, 3), control(caption, False, 3)])))
    assert "problems[0].levels" in doubts(form)
    assert verdict(form) == "uncertain"


def test_a_text_box_over_a_filled_cell_is_doubted() -> None:
    form = only(of_xlsx(sheet("☑市委教育工委书记\n□市局相关科室，具体是", boxes=[text_box("作废", 3, 0)])))
    assert verdict(form) == "uncertain"


def test_a_text_box_with_the_instructions_is_nobodys_answer() -> None:
    form = only(
        of_xlsx(
            sheet(
                "☑市委教育工委书记\n□市局相关科室，具体是", boxes=[text_box("填写说明：每行一个问题", 3, 0)]
            )
        )
    )
    assert verdict(form) == "complete"


def test_an_xls_with_check_boxes_that_cannot_be_read_is_doubted() -> None:
    plain = (FILES / "problem.xls").read_bytes()
    assert not any(cell.doubt for cell in cells(plain))
    with_box = plain + b"\x5d\x00\x1a\x00\x15\x00\x12\x00\x0b\x00\x01\x00\x11\x60" + bytes(20)
    assert all(cell.doubt for cell in cells(with_box))


def cells(data: bytes) -> list[Cell]:
    content = sheet_reader.xls_content(data, LIMITS)
    return [cell for table in content.blocks if isinstance(table, Table) for cell in table.cells]
