"""What floats over the cells of an .xlsx sheet: check boxes, option buttons and text boxes, with where they lie.

Excel keeps controls in an old drawing format (VML) and text boxes in a new one; openpyxl reads neither.
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from lxml import etree

from parsers.content import TICK_OFF, TICK_ON, TICK_UNKNOWN

CONTROLS = frozenset({"Checkbox", "Radio"})
GENERIC = re.compile(r"(?:复选框|选项按钮|单选框?|check ?box|option ?button)?\s*\d*", re.IGNORECASE)
"""What a program calls a control to which nobody gave a caption."""
STATES = {"0": TICK_OFF, "1": TICK_ON}


@dataclass(frozen=True, slots=True)
class Float:
    """One floating thing; rows and columns count from 0."""

    text: str
    """Caption of a control, or text of a text box; empty where the program made the caption up."""
    tick: str | None
    """☑, ☐ or ⍰ of a control; None for a text box."""
    top: int
    left: int
    bottom: int
    right: int


def floats(members: Mapping[str, bytes]) -> dict[str, list[Float]]:
    """What floats over each sheet, by the sheet's name, out of the parts of a workbook."""
    if not any("drawing" in name.lower() for name in members):
        return {}
    found: dict[str, list[Float]] = {}
    targets = _targets(members, "xl/workbook.xml")
    for sheet in _parts(members.get("xl/workbook.xml"), "sheet"):
        path = targets.get(_attribute(sheet, "id"), "")
        here = [
            thing
            for target in _targets(members, path).values()
            for thing in _drawn(target, members.get(target))
        ]
        found[sheet.get("name") or ""] = here
    return found


def _drawn(path: str, data: bytes | None) -> Iterator[Float]:
    if path.endswith(".vml"):
        yield from _controls(data)
    elif "drawings/drawing" in path:
        yield from _text_boxes(data)


def _controls(data: bytes | None) -> Iterator[Float]:
    for shape in _parts(data, "shape"):
        client = next(_named(shape, "ClientData"), None)
        if client is None or client.get("ObjectType") not in CONTROLS:
            continue
        caption = " ".join(
            str(etree.tostring(box, method="text", encoding="unicode", with_tail=False))
            for box in _named(shape, "textbox")
        ).strip()
        state = next((node.text or "1" for node in _named(client, "Checked")), "0").strip()
        numbers = [
            int(n) for n in re.findall(r"-?\d+", next((a.text or "" for a in _named(client, "Anchor")), ""))
        ]
        if len(numbers) == 8:
            left, _, top, _, right, _, bottom, _ = numbers
            tick = STATES.get(state, TICK_UNKNOWN)
            yield Float("" if GENERIC.fullmatch(caption) else caption, tick, top, left, bottom, right)


def _text_boxes(data: bytes | None) -> Iterator[Float]:
    for anchor in (*_parts(data, "twoCellAnchor"), *_parts(data, "oneCellAnchor")):
        if next(_named(anchor, "compatExt"), None) is not None:
            continue  # the new format's shadow of a control
        corner = next(_named(anchor, "from"), None)
        text = "\n".join(
            "".join(piece.text or "" for piece in _named(line, "t"))
            for body in _named(anchor, "txBody")
            for line in _named(body, "p")
        ).strip()
        if corner is not None and text:
            row, column = (int(next(_named(corner, name)).text or 0) for name in ("row", "col"))
            yield Float(text, None, row, column, row, column)


# ---------------------------------------------------------------- parts and their relations


def _targets(members: Mapping[str, bytes], part: str) -> dict[str, str]:
    """Relation id -> the part that it leads to."""
    folder, name = posixpath.split(part)
    relations = members.get(f"{folder}/_rels/{name}.rels")
    found: dict[str, str] = {}
    for relation in _parts(relations, "Relationship"):
        target = relation.get("Target") or ""
        whole = (
            target.lstrip("/")
            if target.startswith("/")
            else posixpath.normpath(posixpath.join(folder, target))
        )
        found[relation.get("Id") or ""] = whole
    return found


def _parts(data: bytes | None, name: str) -> list[etree._Element]:
    """The elements of that local name; VML is HTML in places and often not well-formed, so that much is forgiven."""
    if not data:
        return []
    parser = etree.XMLParser(recover=True, resolve_entities=False, no_network=True, load_dtd=False)
    root = etree.fromstring(re.sub(rb"<br\s*>", b"<br/>", data), parser)
    return [] if root is None else list(_named(root, name))


def _named(root: etree._Element, name: str) -> Iterator[etree._Element]:
    for node in root.iter():
        if isinstance(node.tag, str) and node.tag.rpartition("}")[2] == name:
            yield node


def _attribute(node: etree._Element, name: str) -> str:
    return next(
        (
            str(value)
            for key, value in node.items()
            if str(key).rpartition("}")[2] == name and "}" in str(key)
        ),
        "",
    )
