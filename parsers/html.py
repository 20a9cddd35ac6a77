"""The visible content of an HTML or plain-text body: paragraphs, tables, ticks.

Layout tables (one column, or a table whose cells hold tables) are opened, so that the form inside stands
by itself. Plain text may hold tables drawn with tabs, bars or aligned blanks.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace

from lxml import etree, html as lxml_html

from parsers.content import TICK_OFF, TICK_ON, Cell, Content, Limits, Paragraph, Table, Unreadable
from parsers.glyphs import shifted, through_font
from parsers.sheet import decoded
from parsers.values import Place

Element = etree._Element

SKIPPED = frozenset(
    {"script", "style", "head", "title", "meta", "link", "template", "noscript", "object", "del"}
)
BLOCKS = frozenset(
    {
        "address",
        "article",
        "aside",
        "blockquote",
        "body",
        "center",
        "dd",
        "div",
        "dl",
        "dt",
        "fieldset",
        "figure",
        "footer",
        "form",
        "h1",
        "h2",
        "h3",
        "h4",
        "h5",
        "h6",
        "header",
        "hr",
        "html",
        "li",
        "main",
        "nav",
        "ol",
        "p",
        "pre",
        "section",
        "ul",
        "caption",
        "legend",
    }
)
STRUCK = frozenset({"s", "strike"})
EMPHASISED = frozenset({"b", "strong", "u", "mark", "ins"})
FONT_FAMILY = re.compile(r"font-family\s*:\s*([^;]+)", re.IGNORECASE)
HIDDEN = re.compile(r"display\s*:\s*none|mso-hide\s*:\s*all|visibility\s*:\s*hidden", re.IGNORECASE)
LINE_THROUGH = re.compile(r"text-decoration[^;]*:\s*[^;]*line-through", re.IGNORECASE)
EMPHASIS_STYLE = re.compile(
    r"font-weight\s*:\s*(?:bold|[6-9]00)|text-decoration[^;]*:\s*[^;]*underline|background(?:-color)?\s*:\s*yellow",
    re.IGNORECASE,
)
COLOUR = re.compile(r"(?<![-\w])color\s*:", re.IGNORECASE)
WHITE = re.compile(
    r"(?<![-\w])color\s*:\s*(?:#fff(?:fff)?\b|white\b|rgba?\(\s*255\s*,\s*255\s*,\s*255\b)", re.IGNORECASE
)
GROUND = re.compile(r"background(?:-color|-image)?\s*:", re.IGNORECASE)
VERTICAL_SHIFT = re.compile(r"vertical-align\s*:\s*(super|sub)", re.IGNORECASE)
UNSEEN = "有看不见的文字“{}”，请核对"
MAX_DEPTH = 200
MAX_SPAN = 64


def html_content(markup: bytes | str, limits: Limits) -> Content:
    """What the markup shows, in reading order; raises Unreadable if there is nothing to parse."""
    text = markup if isinstance(markup, str) else _decoded_markup(markup)
    text = re.sub(r"^\s*<\?xml[^>]*\?>", "", text.replace("\0", ""))
    if not text.strip():
        return Content("html", ())
    try:
        parser = lxml_html.HTMLParser(huge_tree=False, remove_comments=True, remove_pis=True, no_network=True)
        root = lxml_html.document_fromstring(text, parser=parser)
    except (etree.ParserError, etree.XMLSyntaxError, ValueError) as error:
        raise Unreadable("网页格式有误，无法读取") from error
    walker = _Walker(limits)
    walker.walk(root, _Style(), 0)
    walker.end_line()
    return Content("html", tuple(walker.blocks))


def _decoded_markup(markup: bytes) -> str:
    """The markup in its declared charset where that holds, else as any text."""
    declared = re.search(rb"charset\s*=\s*[\"']?\s*([\w-]+)", markup[:4000], re.IGNORECASE)
    name = declared.group(1).decode("ascii", "ignore").lower() if declared else ""
    if name and name not in {"gb2312", "gbk", "utf-8", "utf8", "unicode"}:
        try:
            return markup.decode(name)
        except (LookupError, UnicodeDecodeError):
            pass
    return decoded(markup)


@dataclass(frozen=True, slots=True)
class _Style:
    font: str | None = None
    emphasised: bool = False
    struck: bool = False
    preformatted: bool = False
    position: str | None = None
    """super or sub, where it stands above or below its line."""
    white: bool = False
    coloured: bool = False
    """On a ground of its own, on which white letters are seen."""


@dataclass(slots=True)
class _Line:
    text: str = ""
    emphasised: list[str] = field(default_factory=list)
    struck: list[str] = field(default_factory=list)
    unseen: str = ""

    def add(self, text: str, style: _Style) -> None:
        if style.struck:
            if text.strip():
                self.struck.append(text.strip())
            return
        self.text += text
        if style.emphasised and text.strip():
            self.emphasised.append(text.strip())


class _Walker:
    """Collects paragraphs and tables of one body, or the text of one cell."""

    def __init__(self, limits: Limits, tables: list[Element] | None = None) -> None:
        self.limits = limits
        self.blocks: list[Paragraph | Table] = []
        self.line = _Line()
        self.lines = 0
        self.tables = 0
        self.unseen = ""
        """Hidden text, which is left out, and text in the colour of the paper, which is not."""
        self.nested = tables
        """Inside a cell: where nested tables are put; None outside cells."""

    def walk(self, element: Element, style: _Style, depth: int) -> None:
        name = element.tag if isinstance(element.tag, str) else ""
        css = element.get("style") or ""
        if not name or name in SKIPPED or depth > MAX_DEPTH:
            return
        if HIDDEN.search(css):
            self.unseen += "".join(map(str, element.itertext()))
            return
        if name == "br":
            self.line.add("\n", _Style())
            return
        if name == "input":
            self._input(element)
            return
        if name == "table":
            self._table(element, style)
            return
        block = name in BLOCKS
        if block:
            self.end_line()
        style = _inside(element, name, css, style)
        self._text(element.text, style)
        for node in element:
            self.walk(node, style, depth + 1)
            self._text(node.tail, style)
        if block:
            self.end_line()

    def _text(self, text: str | None, style: _Style) -> None:
        if not text:
            return
        if style.white and not style.coloured:
            self.unseen += text
        shown = text if style.preformatted else re.sub(r"[ \t\r\n\f]+", " ", text)
        self.line.add(shifted(through_font(shown, style.font), style.position), style)

    def _input(self, element: Element) -> None:
        kind = (element.get("type") or "text").lower()
        if kind in {"checkbox", "radio"}:
            self.line.add(TICK_ON if element.get("checked") is not None else TICK_OFF, _Style())
        elif kind == "text":
            self.line.add(element.get("value") or "", _Style())

    def end_line(self) -> None:
        """Closes the current paragraph, one Paragraph for each of its lines."""
        line, self.line = self.line, _Line()
        for text in line.text.split("\n"):
            stripped = text.strip(" \r\n\f")
            if stripped.strip():
                self.lines += 1
                emphasised = tuple(piece for piece in line.emphasised if piece in text)
                self.blocks.append(
                    Paragraph(stripped, Place(f"正文第{self.lines}行"), emphasised, tuple(line.struck))
                )

    def _table(self, element: Element, style: _Style) -> None:
        self.end_line()
        if self.nested is not None:
            self.nested.append(element)
            self._flattened(element, style)
            return
        self.tables += 1
        grid = _Grid(element, f"表{self.tables}", self.tables - 1, self.limits, style)
        if grid.is_layout:
            for holder in grid.holders:
                self.walk_inside(holder, style)
            return
        self.blocks.append(grid.table())
        for nested in grid.nested:
            self._table(nested, style)

    def walk_inside(self, element: Element, style: _Style) -> None:
        """The content of a layout cell as if it stood by itself."""
        self.end_line()
        self._text(element.text, style)
        for node in element:
            self.walk(node, style, 1)
            self._text(node.tail, style)
        self.end_line()

    def _flattened(self, element: Element, style: _Style) -> None:
        for row in _rows(element):
            if _is_hidden(row):
                continue
            texts = [_cell_line(cell, self.limits, style, None).text.strip() for cell in _row_cells(row)]
            self.line.add("\t".join(texts) + "\n", _Style())


def _inside(element: Element, name: str, css: str, style: _Style) -> _Style:
    """The style of what stands inside the element."""
    family = FONT_FAMILY.search(css)
    font = element.get("face") or (family.group(1) if family else None)
    shift = VERTICAL_SHIFT.search(css)
    first_font = font.split(",")[0].strip().strip("\"'") if font else style.font
    return _Style(
        font=first_font,
        emphasised=style.emphasised or name in EMPHASISED or bool(EMPHASIS_STYLE.search(css)),
        struck=style.struck or name in STRUCK or bool(LINE_THROUGH.search(css)),
        preformatted=style.preformatted or name == "pre" or "pre-wrap" in css,
        white=bool(WHITE.search(css)) if COLOUR.search(css) else style.white,
        coloured=style.coloured or GROUND.search(css) is not None or element.get("bgcolor") is not None,
        position={"sup": "super", "sub": "sub"}.get(name)
        or (shift.group(1).lower() if shift else style.position),
    )


def _rows(table: Element) -> list[Element]:
    rows: list[Element] = []
    for node in table:
        if node.tag == "tr":
            rows.append(node)
        elif node.tag in {"thead", "tbody", "tfoot"}:
            rows.extend(row for row in node if row.tag == "tr")
    return rows


def _is_hidden(row: Element) -> bool:
    return bool(HIDDEN.search(row.get("style") or "")) or row.get("hidden") is not None


def _row_cells(row: Element) -> list[Element]:
    return [node for node in row if node.tag in {"td", "th"}]


def _cell_line(cell: Element, limits: Limits, style: _Style, nested: list[Element] | None) -> _Line:
    """A cell's text with its line breaks, and what is emphasised or struck in it."""
    inner = _Walker(limits, [] if nested is None else nested)
    inner.walk_inside(cell, _inside(cell, "td", cell.get("style") or "", style))
    paragraphs = [block for block in inner.blocks if isinstance(block, Paragraph)]
    return _Line(
        "\n".join(paragraph.text for paragraph in paragraphs),
        [piece for paragraph in paragraphs for piece in paragraph.emphasised],
        list(dict.fromkeys(piece for paragraph in paragraphs for piece in paragraph.struck)),
        inner.unseen.strip(),
    )


def _span(cell: Element, name: str) -> int:
    match = re.match(r"\s*(\d+)", cell.get(name) or "")
    return max(1, min(int(match.group(1)), MAX_SPAN)) if match else 1


class _Grid:
    """One table with its spans expanded."""

    def __init__(self, element: Element, name: str, index: int, limits: Limits, style: _Style) -> None:
        self.cells: list[Cell] = []
        self.nested: list[Element] = []
        self.holders: list[Element] = []
        self.columns = 0
        rows = _rows(element)[: limits.rows]
        self.rows = len(rows)
        taken: set[tuple[int, int]] = set()
        widest = 0
        self.hidden: set[int] = set()
        for number, row in enumerate(rows):
            if _is_hidden(row):
                if "".join(map(str, row.itertext())).strip():
                    self.hidden.add(number)
                continue
            column = 0
            cells = _row_cells(row)[: limits.columns]
            widest = max(widest, len(cells))
            for node in cells:
                while (number, column) in taken:
                    column += 1
                width = _span(node, "colspan")
                height = min(_span(node, "rowspan"), len(rows) - number)
                taken.update(
                    (number + down, column + right) for down in range(height) for right in range(width)
                )
                line = _cell_line(node, limits, style, self.nested)
                self.holders.append(node)
                self.cells.append(
                    Cell(
                        text=line.text.strip(),
                        row=number,
                        column=column,
                        place=Place(
                            f"{name}第{number + 1}行第{column + 1}列", table=index, row=number, column=column
                        ),
                        row_span=height,
                        column_span=width,
                        emphasised=tuple(line.emphasised),
                        struck=tuple(line.struck),
                        doubt=UNSEEN.format(line.unseen[:20]) if line.unseen else None,
                    )
                )
                column += width
                self.columns = max(self.columns, column)
        self.is_layout = bool(self.nested) and (widest <= 1 or _mostly_tables(self.holders))

    def table(self) -> Table:
        return Table(tuple(self.cells), self.rows, self.columns, hidden_rows=frozenset(self.hidden))


def _mostly_tables(cells: Sequence[Element]) -> bool:
    """Whether the cells hold tables and hardly anything else, as in the frame of a newsletter."""
    filled = [cell for cell in cells if "".join(map(str, cell.itertext())).strip()]
    framing = [cell for cell in filled if any(True for _ in cell.iter("table"))]
    return len(filled) <= 2 and len(framing) == len(filled)


def text_content(text: str, limits: Limits) -> Content:
    """What a plain text shows: a paragraph a line, and tables drawn with tabs, bars or aligned blanks."""
    lines = text.replace("\r\n", "\n").replace("\r", "\n").replace("\0", "").split("\n")
    blocks: list[Paragraph | Table] = []
    at = tables = 0
    while at < len(lines):
        run = _table_run(lines, at, limits)
        if run is None:
            stripped = lines[at].strip()
            if stripped:
                blocks.append(Paragraph(stripped, Place(f"正文第{at + 1}行")))
            elif blocks and isinstance(blocks[-1], Paragraph) and blocks[-1].text:
                blocks.append(Paragraph("", Place(f"正文第{at + 1}行")))
            at += 1
            continue
        tables += 1
        blocks.append(_drawn_table(run, tables))
        at += len(run)
    return Content("text", tuple(blocks))


def _by_tab(line: str) -> list[str] | None:
    return [part.strip() for part in line.rstrip("\t \n").split("\t")] if "\t" in line.strip() else None


def _by_bar(line: str) -> list[str] | None:
    text = unicodedata.normalize("NFKC", line).translate(str.maketrans("│┃┆", "|||")).strip()
    if text.count("|") < 2:
        return None
    return [part.strip() for part in text.removeprefix("|").removesuffix("|").split("|")]


def _by_blanks(line: str) -> list[str] | None:
    parts = [part for part in re.split(r"[ \u3000]{2,}", line.strip()) if part]
    return parts if len(parts) >= 3 else None


RULE = re.compile(r"^[\s|+\-=:─━┄┈┬┴┼├┤┌┐└┘╔╗╚╝═╪╬]+$")
READERS: tuple[Callable[[str], list[str] | None], ...] = (_by_bar, _by_tab, _by_blanks)


@dataclass(frozen=True, slots=True)
class _Run:
    lines: list[tuple[int, list[str] | None]]
    """Line number and its cells; None for a ruled line."""
    aligned: list[list[int]] | None = None

    def __len__(self) -> int:
        return len(self.lines)


def _table_run(lines: Sequence[str], start: int, limits: Limits) -> _Run | None:
    """The lines from here on that are rows of one drawn table; None if there are not two."""
    for reader in READERS:
        taken: list[tuple[int, list[str] | None]] = []
        for number in range(start, min(len(lines), start + limits.rows)):
            line = lines[number]
            cells = None if RULE.match(line) and line.strip() else reader(line)
            if cells is None and not (line.strip() and RULE.match(line)):
                break
            if (
                cells is not None
                and any(":" in cell or "：" in cell for cell in cells)
                and reader is not _by_bar
            ):
                break
            taken.append((number, cells))
        rows = [cells for _number, cells in taken if cells is not None]
        if len(rows) >= 2 and len(rows[0]) >= 3:
            starts = [_starts(lines[number]) for number, _cells in taken] if reader is _by_blanks else None
            return _Run(taken, starts)
    return None


def _width(text: str) -> int:
    return sum(2 if unicodedata.east_asian_width(char) in "WF" else 1 for char in text)


def _starts(line: str) -> list[int]:
    """Display columns at which the blank-separated cells of a line begin."""
    return [
        _width(line[: match.start()])
        for match in re.finditer(r"(?:[^ \u3000]|(?<=[^ \u3000]) (?=[^ \u3000]))+", line)
    ]


def _drawn_table(run: _Run, number: int) -> Table:
    rows = [(at, line, cells) for at, (line, cells) in enumerate(run.lines) if cells is not None]
    header = rows[0][2]
    cells: list[Cell] = []
    for row, (at, line, texts) in enumerate(rows):
        columns: Sequence[int] = range(len(texts))
        doubt: str | None = None
        if run.aligned is not None and row and len(texts) < len(header):
            columns, doubt = _aligned_columns(run.aligned[at], run.aligned[0])
        for column, text in zip(columns, texts, strict=False):
            place = Place(f"正文第{line + 1}行第{column + 1}列", table=number - 1, row=row, column=column)
            cells.append(Cell(text, row, column, place, doubt=doubt if row else None))
    width = max((cell.column + 1 for cell in cells), default=0)
    return Table(tuple(replace(cell) for cell in cells), len(rows), width)


def _aligned_columns(starts: Sequence[int], header: Sequence[int]) -> tuple[list[int], str | None]:
    """The columns under whose headings the cells begin; a doubt when only the trailing remark can be missing."""
    if len(starts) == len(header) - 1:
        ordinal = list(range(len(starts)))
        if all(abs(starts[i] - header[i]) <= 2 for i in ordinal):
            return ordinal, None
    columns = [min(range(len(header)), key=lambda i: abs(header[i] - start)) for start in starts]
    if len(set(columns)) != len(columns):
        columns = list(range(len(starts)))
    return columns, "表格以空格对齐且有空缺，各列的对应关系不能确定"
