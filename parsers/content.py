"""The common shape of every file: paragraphs and tables, with ticks written as three plain glyphs.

Each format module (`word`, `sheet`, `html`, `pdf`, `picture`, `legacy`) turns bytes into a `Content`;
`extract` turns a `Content` into a form and never asks where it came from.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from parsers.values import Place

TICK_ON = "☑"
TICK_OFF = "☐"
TICK_UNKNOWN = "⍰"
"""A box was seen, but not whether it is ticked: a person must look."""


@dataclass(frozen=True, slots=True)
class Paragraph:
    """A line or paragraph of running text outside tables."""

    text: str
    place: Place
    emphasised: tuple[str, ...] = ()
    """Pieces of the text that are bold, underlined or highlighted: somebody's way to tick, perhaps."""
    struck: tuple[str, ...] = ()
    doubt: str | None = None
    """Why the text may be misread (poor scan …), in Chinese; None if it is certain."""


@dataclass(frozen=True, slots=True)
class Cell:
    """One cell of a table at its top left grid position; merged cells span several."""

    text: str
    row: int
    column: int
    place: Place
    row_span: int = 1
    column_span: int = 1
    emphasised: tuple[str, ...] = ()
    struck: tuple[str, ...] = ()
    doubt: str | None = None


@dataclass(frozen=True, slots=True)
class Table:
    """A table, a sheet's used range, or the ruled grid of a scan. Cells in reading order."""

    cells: tuple[Cell, ...]
    rows: int
    columns: int
    name: str | None = None
    """Name of the sheet, if it is one."""
    hidden_rows: frozenset[int] = frozenset()
    """Rows that the sheet hides; their cells are not in `cells`."""
    hidden_columns: frozenset[int] = frozenset()
    """Columns that the sheet hides; their cells are in `cells`, because a column may be hidden by width alone."""


IDENTITY_PROPERTY = "djb-identity"
"""Custom document property in which our own documents carry what they are about."""


@dataclass(frozen=True, slots=True)
class Content:
    """A file's visible content in reading order."""

    format: str
    blocks: tuple[Paragraph | Table, ...]
    notes: tuple[str, ...] = ()
    """Remarks about the file for people, in Chinese: macros seen, revisions skipped, …"""
    properties: Mapping[str, str] = field(default_factory=dict)
    """Custom document properties: our own hidden identity stands there."""
    scanned: bool = False
    """Read by OCR: texts may be wrong, a seal or signature may have been seen."""
    seal_seen: bool = False


ILLEGIBLE = "图片上有文字，但模糊得无法辨认"
"""A scan's note: text is seen, and cannot be read."""


class Unreadable(Exception):
    """The file cannot be read: damaged, encrypted, not what it claims. The message says why, in Chinese."""


class Refused(Exception):
    """The file is over a limit or dangerous and is not opened. The message says why, in Chinese."""


@dataclass(frozen=True, slots=True)
class Limits:
    """How much a reader may take in; beyond that a file is refused."""

    mail_bytes: int = 50 << 20
    part_bytes: int = 20 << 20
    """One member of an archive or of an office file, unpacked."""
    total_bytes: int = 200 << 20
    """All leaf files of one mail together."""
    members: int = 200
    depth: int = 5
    ratio: int = 200
    rows: int = 2_000
    columns: int = 60
    pages: int = 20
    pixels: int = 40_000_000
