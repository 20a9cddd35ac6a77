"""The visible content of a Word file (.docx, .docm, strict or transitional), read by a walker of our own.

Elements are matched by local name, because strict OOXML and WPS use other namespaces. What a reader of
the printed page would not see is left out: deleted and moved text, hidden text, comments, prompts of empty
content controls. Struck text is left out too, but kept aside, because striking out is a way to choose.
"""

from __future__ import annotations

import io
import re
import zipfile
import zlib
from collections.abc import Iterator, Mapping
from copy import deepcopy
from dataclasses import dataclass, field, replace

from lxml import etree

from parsers.content import (
    TICK_OFF,
    TICK_ON,
    TICK_UNKNOWN,
    Cell,
    Content,
    Limits,
    Paragraph,
    Refused,
    Table,
    Unreadable,
)
from parsers.glyphs import ON, shifted, symbol, through_font
from parsers.values import Place

Element = etree._Element

DELETED = frozenset({"del", "moveFrom", "delText", "delInstrText"})
INVISIBLE = DELETED | frozenset(
    {"rPr", "pPr", "sdtPr", "sdtEndPr", "tblPr", "tblGrid", "tcPr", "trPr", "fldSimplePr", "rt", "rubyPr"}
    | {"annotationRef", "commentReference", "footnoteReference", "endnoteReference", "sectPr", "docPr"}
)
WRAPPERS = frozenset(
    {"sdt", "sdtContent", "customXml", "smartTag", "ins", "moveTo", "AlternateContent", "Choice"}
)
EQUATION_BOX = re.compile(r"eq\s*\\o\s*(?:\\a[a-z]*\s*)?\(([^)]*)\)", re.IGNORECASE)
OTHER_EQUATION = re.compile(r"\s*eq\s*\\", re.IGNORECASE)
"""A field that draws what nobody can read here: a fraction, something raised."""
MAIN_PART = "word/document.xml"
DAMAGED = "文件已损坏，无法打开"
MAX_SPAN = 64
HIDDEN_TEXT = "有隐藏的文字“{}”，未读入，请核对"
COLOURLESS_TEXT = "文字“{}”的颜色与底色相同，看不见，请核对"
LOOKS = frozenset({"vertAlign", "position", "vanish", "color"})
"""Properties of a style of characters that change what a number means or whether it is seen."""
TINY = 4
"""Half points: letters that nobody can see."""
MAX_DEPTH = 60


def content(data: bytes, limits: Limits) -> Content:
    """What the document shows, in reading order; raises Unreadable or Refused with the reason in Chinese."""
    package = _Package(data, limits)
    walker = _Walker()
    for name in package.story_names():
        root = package.tree(name)
        _styled(root, package.styles())
        story = "正文" if name == package.main else ("页眉" if "header" in name else "页脚")
        walker.story(root, story)
    notes = list(walker.notes)
    if package.has("vbaProject.bin"):
        notes.append("文件带有宏，未运行")
    return Content(
        format="docx",
        blocks=tuple(walker.blocks),
        notes=tuple(notes),
        properties=package.properties(),
    )


def pictures(data: bytes, limits: Limits) -> tuple[tuple[str, bytes], ...]:
    """Names and bytes of the pictures in the document, for a document that is nothing but pictures."""
    package = _Package(data, limits)
    return tuple(
        (name.rpartition("/")[2], package.read(name))
        for name in package.names
        if name.startswith("word/media/")
    )


def embedded(data: bytes, limits: Limits) -> tuple[tuple[str, bytes], ...]:
    """Names and bytes of the documents that the document shows as a part of itself (altChunk)."""
    package = _Package(data, limits)
    names = [
        name for name in package.names if re.search(r"/(?:afchunk|altchunk|chunk)[^/]*$", name, re.IGNORECASE)
    ]
    return tuple((name, package.read(name)) for name in sorted(names))


class _Package:
    """A zip of XML parts, opened within limits."""

    def __init__(self, data: bytes, limits: Limits) -> None:
        self.limits = limits
        try:
            self.zip = zipfile.ZipFile(io.BytesIO(data))
        except (zipfile.BadZipFile, ValueError, OSError, NotImplementedError, UnicodeDecodeError) as error:
            raise Unreadable(DAMAGED) from error
        infos = self.zip.infolist()
        self.names = {info.filename.replace("\\", "/"): info for info in infos}
        if any(info.file_size > limits.part_bytes for info in infos):
            raise Refused(f"文件展开后过大（超过 {limits.part_bytes >> 20} MB），未打开")
        if sum(info.file_size for info in infos) > limits.total_bytes:
            raise Refused(f"文件展开后过大（超过 {limits.total_bytes >> 20} MB），未打开")
        self.main = self._main_part()
        self._styles: dict[str, list[Element]] | None = None

    def has(self, piece: str) -> bool:
        return any(piece in name for name in self.names)

    def read(self, name: str) -> bytes:
        try:
            with self.zip.open(self.names[name]) as part:
                data = part.read(self.limits.part_bytes + 1)
        except RuntimeError as error:
            raise Unreadable("文件已加密，请发送未加密的文件") from error
        except (zipfile.BadZipFile, zlib.error, EOFError, OSError, NotImplementedError, ValueError) as error:
            raise Unreadable(DAMAGED) from error
        if len(data) > self.limits.part_bytes:
            raise Refused(f"文件展开后过大（超过 {self.limits.part_bytes >> 20} MB），未打开")
        return data

    def tree(self, name: str) -> Element:
        parser = etree.XMLParser(
            resolve_entities=False,
            no_network=True,
            load_dtd=False,
            huge_tree=False,
            remove_comments=True,
            remove_pis=True,
        )
        try:
            root = etree.fromstring(self.read(name), parser)
        except (etree.XMLSyntaxError, ValueError) as error:
            raise Unreadable(DAMAGED) from error
        if getattr(root.getroottree().docinfo, "doctype", ""):
            raise Refused("文件内含外部实体声明，为安全起见未打开")
        return root

    def _main_part(self) -> str:
        if MAIN_PART in self.names:
            return MAIN_PART
        if "_rels/.rels" in self.names:
            for relation in self.tree("_rels/.rels"):
                target = (relation.get("Target") or "").lstrip("/")
                if (relation.get("Type") or "").endswith("/officeDocument") and target in self.names:
                    return target
        raise Unreadable("文件中没有可读的文档正文，可能已损坏")

    def styles(self) -> dict[str, list[Element]]:
        """What the styles of characters say of position, colour and visibility, by the style's identifier."""
        name = f"{self.main.rpartition('/')[0]}/styles.xml"
        if self._styles is None:
            part = self.read(name) if name in self.names else b""
            telling = any(word in part for word in (b"vertAlign", b":vanish", b":position"))
            self._styles = _looks_of_styles(self.tree(name)) if telling else {}
        return self._styles

    def story_names(self) -> list[str]:
        """Headers, the body, footers: the order in which a page is read."""
        folder = self.main.rpartition("/")[0]
        headers = sorted(n for n in self.names if re.fullmatch(rf"{re.escape(folder)}/header\d*\.xml", n))
        footers = sorted(n for n in self.names if re.fullmatch(rf"{re.escape(folder)}/footer\d*\.xml", n))
        return [*headers, self.main, *footers]

    def properties(self) -> dict[str, str]:
        if "docProps/custom.xml" not in self.names:
            return {}
        return {
            name: "".join(map(str, node.itertext()))
            for node in self.tree("docProps/custom.xml")
            if (name := node.get("name")) is not None
        }


def local(element: Element) -> str:
    """Name without namespace; empty for comments and instructions."""
    tag = element.tag
    return tag.rpartition("}")[2] if isinstance(tag, str) else ""


def attribute(element: Element, name: str) -> str | None:
    """The attribute of that local name, in whatever namespace."""
    for key, value in element.attrib.items():
        if str(key).rpartition("}")[2] == name:
            return str(value)
    return None


def child(element: Element | None, *names: str) -> Element | None:
    """The descendant reached by these local names, one step each."""
    for name in names:
        if element is None:
            return None
        element = next((node for node in element if local(node) == name), None)
    return element


def _is_on(element: Element | None) -> bool:
    """A toggle property: present without a value means on."""
    if element is None:
        return False
    value = attribute(element, "val")
    return value is None or value.lower() in {"1", "true", "on"}


def _looks_of_styles(styles: Element) -> dict[str, list[Element]]:
    found: dict[str, list[Element]] = {}
    for style in styles:
        properties = child(style, "rPr")
        name = attribute(style, "styleId")
        if name is not None and properties is not None and attribute(style, "type") == "character":
            looks = [node for node in properties if local(node) in LOOKS]
            if looks:
                found[name] = looks
    return found


def _styled(root: Element, styles: Mapping[str, list[Element]]) -> None:
    """Writes what the styles of characters say into the runs that have them."""
    if not styles:
        return
    for properties in [node for node in root.iter() if local(node) == "rPr"]:
        style = child(properties, "rStyle")
        looks = styles.get(attribute(style, "val") or "", ()) if style is not None else ()
        own = {local(node) for node in properties}
        properties.extend(deepcopy(look) for look in looks if local(look) not in own)


@dataclass(slots=True)
class _Text:
    """Running text under construction."""

    pieces: list[str] = field(default_factory=list)
    emphasised: list[str] = field(default_factory=list)
    struck: list[str] = field(default_factory=list)
    fields: list[list[str | bool]] = field(default_factory=list)
    """Open complex fields: their code so far, and whether the result has begun."""
    last_emphasised: bool = False
    last_struck: bool = False
    floating_tick: bool = False
    unseen: list[str] = field(default_factory=list)
    """Hidden text, which is left out."""
    coloured: list[tuple[str, str]] = field(default_factory=list)
    """Text in a colour of its own, which may be that of the paper."""

    def add(self, text: str, emphasised: bool = False, struck: bool = False) -> None:
        if struck:
            _append(self.struck, text, self.last_struck)
        else:
            self.pieces.append(text)
            if emphasised:
                _append(self.emphasised, text, self.last_emphasised)
            self.last_emphasised = emphasised
        self.last_struck = struck

    @property
    def text(self) -> str:
        return "".join(self.pieces)

    def doubt(self, background: str = "ffffff") -> str | None:
        """Why not all of the text is what a reader of the page sees."""
        hidden = "".join(self.unseen).strip()
        if hidden:
            return HIDDEN_TEXT.format(hidden[:20])
        same = "".join(text for colour, text in self.coloured if _alike(colour, background)).strip()
        return COLOURLESS_TEXT.format(same[:20]) if same else None


def _append(pieces: list[str], text: str, continues: bool) -> None:
    if continues and pieces:
        pieces[-1] += text
    elif text.strip():
        pieces.append(text)


def _alike(colour: str, background: str) -> bool:
    """Whether letters of this colour cannot be seen on that ground, both as six hexadecimal digits."""
    try:
        pairs = [(int(colour[at : at + 2], 16), int(background[at : at + 2], 16)) for at in (0, 2, 4)]
    except ValueError:
        return False
    return all(abs(ink - paper) <= 12 for ink, paper in pairs)


def _is_emphasised(properties: Element | None) -> bool:
    """Bold, underlined, highlighted or red: what people do instead of ticking."""
    if properties is None:
        return False
    for node in properties:
        name = local(node)
        value = (attribute(node, "val") or "").lower()
        if name == "b" and _is_on(node):
            return True
        if name == "u" and value not in {"none", "0", "false"}:
            return True
        if name == "highlight" and value != "none":
            return True
        if name == "shd" and _filled(node):
            return True
        if name == "color" and value in {"ff0000", "c00000", "red"}:
            return True
    return False


class _Walker:
    """Collects the blocks of one document's stories."""

    def __init__(self) -> None:
        self.blocks: list[Paragraph | Table] = []
        self.notes: list[str] = []
        self.paragraphs = 0
        self.tables = 0

    def story(self, root: Element, story: str) -> None:
        body = child(root, "body") if local(root) == "document" else root
        if body is not None:
            self._blocks(body, story, 0)

    def _blocks(self, parent: Element, story: str, depth: int) -> None:
        carried: _Text | None = None
        for node in parent:
            name = local(node)
            if name == "p":
                carried = self._paragraph(node, story, carried)
            elif name == "tbl":
                self._table(node, story, depth)
            elif name in WRAPPERS and depth < MAX_DEPTH and not _is_prompt(node):
                self._blocks(node, story, depth + 1)

    def _paragraph(self, node: Element, story: str, carried: _Text | None) -> _Text | None:
        """Adds the paragraph, or gives its text back if its end mark was deleted and the next one joins it."""
        text = carried or _Text()
        boxes: list[Element] = []
        inline(node, text, boxes)
        for box in boxes:
            self._blocks(box, "文本框", 1)
        if _mark_deleted(node):
            return text
        self.paragraphs += 1
        if text.text.strip() or text.struck:
            where = f"第{self.paragraphs}段" if story == "正文" else story
            self.blocks.append(
                Paragraph(
                    text.text.strip("\n"),
                    Place(where),
                    tuple(text.emphasised),
                    tuple(text.struck),
                    text.doubt(),
                )
            )
        return None

    def _table(self, node: Element, story: str, depth: int) -> None:
        index = None
        if story == "正文":
            self.tables += 1
            index = self.tables - 1 if depth == 0 else None
            name = f"表{self.tables}"
        else:
            name = f"{story}内表格"
        grid = _Grid(node, name, index)
        if grid.is_layout:
            for holder in grid.holders:
                self._blocks(holder, story, depth + 1)
            return
        self.blocks.append(grid.table())
        for nested in grid.nested:
            self._table(nested, story, depth + 1)


class _Grid:
    """One table: its cells on the grid, merged cells as one."""

    def __init__(self, table: Element, name: str, index: int | None) -> None:
        self.name = name
        self.index = index
        self.nested: list[Element] = []
        self.holders: list[Element] = []
        self.cells: list[Cell] = []
        self.columns = 0
        self.rows = 0
        self._open: dict[int, int] = {}
        self.hidden: set[int] = set()
        for row in _children(table, "tr"):
            properties = child(row, "trPr")
            if child(properties, "del") is not None:
                continue
            if child(properties, "hidden") is None:
                self._row(row, properties)
            elif "".join(map(str, row.itertext())).strip():
                self.hidden.add(self.rows)
            self.rows += 1
        self.is_layout = self.columns == 1 and bool(self.nested)

    def table(self) -> Table:
        return Table(tuple(self.cells), self.rows, self.columns, hidden_rows=frozenset(self.hidden))

    def _row(self, row: Element, properties: Element | None) -> None:
        column = _number(child(properties, "gridBefore"))
        for cell in _children(row, "tc"):
            cell_properties = child(cell, "tcPr")
            if child(cell_properties, "cellDel") is not None:
                continue
            span = max(1, _number(child(cell_properties, "gridSpan"), 1))
            merge = child(cell_properties, "vMerge")
            self.holders.append(cell)
            if merge is not None and attribute(merge, "val") != "restart" and column in self._open:
                at = self._open[column]
                upper = self.cells[at]
                self.cells[at] = replace(upper, row_span=self.rows - upper.row + 1)
            else:
                if merge is not None:
                    self._open[column] = len(self.cells)
                else:
                    self._open.pop(column, None)
                self.cells.append(self._cell(cell, column, span))
            column += span
        self.columns = max(self.columns, column)

    def _cell(self, node: Element, column: int, span: int) -> Cell:
        text = _Text()
        cell_text(node, text, self.nested, 0)
        where = f"{self.name}第{self.rows + 1}行第{column + 1}列"
        shading = child(node, "tcPr", "shd")
        fill = attribute(shading, "fill") if shading is not None else None
        doubt = text.doubt(fill if fill not in {None, "auto"} else "ffffff")
        if text.floating_tick:
            doubt = "勾选标记是浮动的文本框，不知道勾的是哪一项"
        return Cell(
            text=text.text.strip(),
            row=self.rows,
            column=column,
            place=Place(where, table=self.index, row=self.rows, column=column),
            column_span=span,
            emphasised=tuple(text.emphasised),
            struck=tuple(text.struck),
            doubt=doubt,
        )


def _number(element: Element | None, default: int = 0) -> int:
    value = attribute(element, "val") if element is not None else None
    return min(int(value), MAX_SPAN) if value and value.isdigit() else default


def _children(parent: Element, name: str, depth: int = 0) -> Iterator[Element]:
    """Children of that local name, looking through content controls and revision wrappers."""
    for node in parent:
        kind = local(node)
        if kind == name:
            yield node
        elif kind in WRAPPERS and depth < MAX_DEPTH:
            yield from _children(node, name, depth + 1)


def cell_text(node: Element, text: _Text, nested: list[Element], depth: int) -> None:
    """Adds a cell's paragraphs, one a line, and its nested tables as lines with tabs."""
    for part in node:
        name = local(part)
        if name == "p":
            boxes: list[Element] = []
            inline(part, text, boxes)
            for box in boxes:
                _floating(box, text)
            if not _mark_deleted(part):
                text.add("\n")
        elif name == "tbl":
            nested.append(part)
            _flattened(part, text, depth)
        elif name in WRAPPERS and depth < MAX_DEPTH and not _is_prompt(part):
            cell_text(part, text, nested, depth + 1)


def _floating(box: Element, text: _Text) -> None:
    """Adds the text of a text box that is anchored in a cell; a lone tick in it may belong anywhere."""
    inner = _Text()
    cell_text(box, inner, [], 0)
    content_text = inner.text.strip()
    if content_text and set(content_text) <= ON | {"☑", "v", "V", "✓"}:
        text.floating_tick = True
        text.add(TICK_UNKNOWN)
    elif content_text:
        text.add("\n" + content_text)


def _flattened(table: Element, text: _Text, depth: int) -> None:
    for row in _children(table, "tr"):
        for number, cell in enumerate(_children(row, "tc")):
            inner = _Text()
            if depth < MAX_DEPTH:
                cell_text(cell, inner, [], depth + 1)
            text.add(("\t" if number else "") + inner.text.strip())
            text.emphasised += inner.emphasised
            text.struck += inner.struck
            text.unseen += inner.unseen
            text.coloured += inner.coloured
        text.add("\n")


def _mark_deleted(paragraph: Element) -> bool:
    return child(paragraph, "pPr", "rPr", "del") is not None


def _is_prompt(node: Element) -> bool:
    """A content control that shows its prompt (单击此处输入文字) and holds nothing."""
    return local(node) == "sdt" and _is_on(child(node, "sdtPr", "showingPlcHdr"))


def inline(element: Element, text: _Text, boxes: list[Element], depth: int = 0) -> None:
    """Adds the visible text of runs, boxes and fields under the element; text boxes are only collected."""
    if depth > MAX_DEPTH:
        return
    for node in element:
        name = local(node)
        if name in INVISIBLE:
            continue
        if name == "r":
            properties = child(node, "rPr")
            if _is_on(child(properties, "vanish")) or 0 < _number(child(properties, "sz"), 99) <= TINY:
                hidden = _Text()
                _run(node, hidden, [], depth)
                text.unseen.append(hidden.text)
            else:
                _run(node, text, boxes, depth)
        elif name == "sdt":
            _control(node, text, boxes, depth)
        elif name == "txbxContent":
            boxes.append(node)
        elif name == "oMath":
            text.add(_formula(node, depth))
        elif name == "AlternateContent":
            chosen = child(node, "Choice")
            inline(chosen if chosen is not None else node, text, boxes, depth + 1)
        elif name == "t":
            text.add(node.text or "")
        else:
            equation = EQUATION_BOX.search(attribute(node, "instr") or "") if name == "fldSimple" else None
            if equation:
                text.add(_overlaid(equation.group(1)))
            inline(node, text, boxes, depth + 1)


def _formula(node: Element, depth: int) -> str:
    """A formula as a line: what is raised in it stays raised, and a fraction keeps its stroke."""
    if depth > MAX_DEPTH:
        return ""
    pieces: list[str] = []
    for part in node:
        name = local(part)
        if name == "t":
            pieces.append(part.text or "")
        elif name == "del" or name in {"rPr", "ctrlPr"}:
            continue
        else:
            shown = _formula(part, depth + 1)
            pieces.append(f"/{shown}" if name == "den" else shifted(shown, {"sup": "super"}.get(name, name)))
    return "".join(pieces)


def _control(node: Element, text: _Text, boxes: list[Element], depth: int) -> None:
    """A content control inside a line: a box by its state, never by its glyph; else what it holds."""
    checkbox = child(node, "sdtPr", "checkbox")
    if checkbox is not None:
        text.add(TICK_ON if _is_on(child(checkbox, "checked")) else TICK_OFF)
    elif not _is_prompt(node):
        inner = child(node, "sdtContent")
        if inner is not None:
            inline(inner, text, boxes, depth + 1)


def _run(run: Element, text: _Text, boxes: list[Element], depth: int) -> None:
    properties = child(run, "rPr")
    fonts = child(properties, "rFonts")
    font = (attribute(fonts, "ascii") or attribute(fonts, "hAnsi")) if fonts is not None else None
    emphasised = _is_emphasised(properties)
    struck = _is_on(child(properties, "strike")) or _is_on(child(properties, "dstrike"))
    colour, position = _own_colour(properties), _position(properties)
    for node in run:
        name = local(node)
        if name in INVISIBLE:
            continue
        if name == "fldChar":
            _field(node, text)
        elif name == "instrText":
            if text.fields:
                text.fields[-1][0] = str(text.fields[-1][0]) + (node.text or "")
        elif any(not begun for _code, begun in text.fields):
            continue
        elif name == "t":
            shown = shifted(through_font(node.text or "", font), position)
            text.add(shown, emphasised, struck)
            if colour is not None and not struck:
                text.coloured.append((colour, shown))
        elif name == "sym":
            text.add(_symbol(node), emphasised, struck)
        elif name in {"tab", "ptab"}:
            text.add("\t", emphasised)
        elif name in {"br", "cr"}:
            text.add("\n")
        elif name == "noBreakHyphen":
            text.add("-", emphasised, struck)
        elif name == "softHyphen":
            continue
        elif name == "txbxContent":
            boxes.append(node)
        elif name == "AlternateContent":
            chosen = child(node, "Choice")
            inline(chosen if chosen is not None else node, text, boxes, depth + 1)
        else:
            inline(node, text, boxes, depth + 1)


def _own_colour(properties: Element | None) -> str | None:
    """The colour of the letters, where they stand on the ground of their cell; None where they have no own."""
    colour, ground = child(properties, "color"), child(properties, "highlight")
    if colour is None or ground is not None or _filled(child(properties, "shd")):
        return None
    value = attribute(colour, "val")
    return value if value is not None and re.fullmatch("[0-9A-Fa-f]{6}", value) else None


def _filled(shading: Element | None) -> bool:
    return shading is not None and (attribute(shading, "fill") or "auto").lower() not in {"auto", "ffffff"}


def _position(properties: Element | None) -> str | None:
    """Whether the letters stand above or below their line."""
    aligned, moved = child(properties, "vertAlign"), child(properties, "position")
    if aligned is not None:
        return attribute(aligned, "val")
    value = (attribute(moved, "val") or "") if moved is not None else ""
    if not re.fullmatch(r"-?\d{1,4}", value) or abs(int(value)) < TINY:
        return None
    return "superscript" if int(value) > 0 else "subscript"


def _symbol(node: Element) -> str:
    try:
        code = int(attribute(node, "char") or "", 16)
    except ValueError:
        return TICK_UNKNOWN
    font = attribute(node, "font")
    drawn = symbol(font, code)
    if drawn:
        return drawn
    return TICK_UNKNOWN if 0xE000 <= code <= 0xF8FF else chr(code)


def _field(node: Element, text: _Text) -> None:
    """The start, middle or end of a complex field: legacy boxes and lists, and equations that draw a ticked box."""
    kind = attribute(node, "fldCharType")
    if kind == "begin":
        data = child(node, "ffData")
        box = child(data, "checkBox")
        if box is not None:
            checked = child(box, "checked")
            state = checked if checked is not None else child(box, "default")
            text.add(TICK_ON if _is_on(state) else TICK_OFF)
        choices = child(data, "ddList")
        if choices is not None:
            text.add(_chosen(choices))
        text.fields.append(["", False])
    elif kind == "separate" and text.fields:
        text.fields[-1][1] = True
    elif kind == "end" and text.fields:
        code = str(text.fields.pop()[0])
        equation = EQUATION_BOX.search(code)
        if equation:
            text.add(_overlaid(equation.group(1)))
        elif OTHER_EQUATION.match(code):
            text.add(TICK_UNKNOWN)


def _chosen(choices: Element) -> str:
    entries = [attribute(node, "val") or "" for node in choices if local(node) == "listEntry"]
    index = _number(child(choices, "result"), _number(child(choices, "default")))
    return entries[index] if index < len(entries) else ""


def _overlaid(arguments: str) -> str:
    """What an overlay of characters (EQ \\o) shows: a box with a tick in it is ticked."""
    pieces = re.split(r"[,，;]", arguments)
    if sum(any(char.isdigit() for char in piece) for piece in pieces) > 1:
        return "/".join(pieces)
    drawn = "".join(pieces).replace(" ", "")
    if re.search("[□○◯☐]", drawn) and re.search("[√✓✔xX×]", drawn):
        return TICK_ON
    return drawn
