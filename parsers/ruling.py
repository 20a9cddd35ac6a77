"""The ruled tables of a page: which cells there are, where they stand in the grid, which rules are broken."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import cv2
import numpy as np

from parsers.ocr import Picture
from parsers.page import patches

FEWEST_CELLS = 4
MOST_TABLES = 6
RIDGE, FAINT = 7, 5
"""Pixels beside a faint rule where the paper is looked at, and how much lighter in grey it is there."""
MUCH_SHORTER = 0.4
"""Share of the longest faint rule's length below which a faint stroke is taken for writing."""
COVERED = 0.3
"""Share of an inner boundary that must be ruled for a merged cell to be suspected of being two."""


@dataclass(frozen=True, slots=True)
class Box:
    """A cell: its place in the grid, its span, and its inner edges on the page."""

    row: int
    column: int
    row_span: int
    column_span: int
    left: int
    top: int
    right: int
    bottom: int
    broken: bool = False
    """A rule runs part of the way through it: it may be two cells."""

    def holds(self, x: float, y: float, margin: float = 0.0) -> bool:
        inside = self.left - margin <= x <= self.right + margin
        return inside and self.top - margin <= y <= self.bottom + margin


@dataclass(frozen=True, slots=True)
class Grid:
    """A table's cells in reading order, with its outer edges."""

    boxes: tuple[Box, ...]
    rows: int
    columns: int
    left: int
    top: int
    right: int
    bottom: int
    cut: bool = False
    """Its rules run out of the picture: rows or columns may be missing."""
    faint: bool = False
    """Its rules can hardly be seen."""

    @property
    def whole(self) -> bool:
        """Whether every place of the grid is a cell of its own."""
        return len(self.boxes) == self.rows * self.columns


@dataclass(frozen=True, slots=True)
class Rules:
    """The straight lines of a page, as pictures."""

    across: Picture
    down: Picture


def rules(ink: Picture) -> Rules:
    """The ruled lines of a page in black and white; upright strokes count only where they meet a level one."""
    height, width = ink.shape
    across = cv2.morphologyEx(
        cv2.dilate(ink, np.ones((3, 1), np.uint8)), cv2.MORPH_OPEN, np.ones((1, width // 24), np.uint8)
    )
    across = cv2.morphologyEx(across, cv2.MORPH_CLOSE, np.ones((3, width // 60), np.uint8))
    shortest = max(24, height // 65)
    strokes = cv2.morphologyEx(
        cv2.dilate(ink, np.ones((1, 3), np.uint8)), cv2.MORPH_OPEN, np.ones((shortest, 1), np.uint8)
    )
    return _meeting(np.asarray(across, np.uint8), np.asarray(strokes, np.uint8))


def _through(broken: Rules, seal: Picture) -> Rules:
    """The rules with their gaps closed below the seal."""
    height, width = seal.shape
    # The whole disc, also between its ring and its star; roughly is enough.
    small = cv2.resize(cv2.dilate(seal, np.ones((11, 11), np.uint8)), None, fx=1 / 8, fy=1 / 8)
    side = max(3, height // 80)
    disc = cv2.morphologyEx((small > 0).astype(np.uint8), cv2.MORPH_CLOSE, np.ones((side, side), np.uint8))
    patch = cv2.resize(disc, (width, height), interpolation=cv2.INTER_NEAREST)
    across = cv2.morphologyEx(broken.across, cv2.MORPH_CLOSE, np.ones((5, width // 7), np.uint8))
    down = cv2.morphologyEx(broken.down, cv2.MORPH_CLOSE, np.ones((height // 7, 5), np.uint8))
    return Rules(
        np.asarray(np.where(patch > 0, across, broken.across), np.uint8),
        np.asarray(np.where(patch > 0, down, broken.down), np.uint8),
    )


def faint_rules(grey: Picture) -> Rules:
    """The rules of a blurred or pale page: thin ridges along which it is a little darker than on both sides."""
    height, width = grey.shape
    across = cv2.morphologyEx(_ridges(grey), cv2.MORPH_OPEN, np.ones((1, width // 10), np.uint8))
    across = cv2.morphologyEx(across, cv2.MORPH_CLOSE, np.ones((3, width // 30), np.uint8))
    # Lines of small print look like short rules, and so do upright strokes above one another.
    across = _longest(np.asarray(across, np.uint8), cv2.CC_STAT_WIDTH)
    upright = cv2.transpose(_ridges(np.asarray(cv2.transpose(grey), np.uint8)))
    strokes = cv2.morphologyEx(upright, cv2.MORPH_OPEN, np.ones((height // 22, 1), np.uint8))
    strokes = cv2.morphologyEx(strokes, cv2.MORPH_CLOSE, np.ones((height // 60, 3), np.uint8))
    return _meeting(across, _longest(np.asarray(strokes, np.uint8), cv2.CC_STAT_HEIGHT))


def _longest(strokes: Picture, extent: int) -> Picture:
    """The strokes that are not much shorter than the longest of them."""
    _, labels, stats = patches(strokes)
    lengths = stats[:, extent].copy()
    lengths[0] = 0
    long = np.flatnonzero(lengths > MUCH_SHORTER * lengths.max())
    return np.asarray(np.where(np.isin(labels, long) & (strokes > 0), 255, 0), np.uint8)


def _ridges(grey: Picture) -> Picture:
    """255 where a level line is darker than what is above and below it, looked at along a stretch of it."""
    along = cv2.blur(grey.astype(np.float32), (grey.shape[1] // 40, 3))
    beside = np.minimum(np.roll(along, RIDGE, axis=0), np.roll(along, -RIDGE, axis=0))
    return np.where(beside - along > FAINT, 255, 0).astype(np.uint8)


def _meeting(across: Picture, strokes: Picture) -> Rules:
    """The rules across, and the upright strokes that meet one of them."""
    height = across.shape[0]
    near = cv2.dilate(across, np.ones((9, 9), np.uint8))
    count, labels, stats = patches(strokes)
    touching = np.unique(labels[(near > 0) & (strokes > 0)])
    long_enough = np.array([stats[number][3] > height // 45 for number in range(count)])
    wanted = np.zeros(count, bool)
    wanted[touching] = True
    wanted &= long_enough
    wanted[0] = False
    down = np.where(wanted[labels], 255, 0).astype(np.uint8)
    down = np.asarray(cv2.morphologyEx(down, cv2.MORPH_CLOSE, np.ones((height // 60, 3), np.uint8)), np.uint8)
    return Rules(across, down)


def found(ink: Picture, grey: Picture, seal: Picture | None) -> tuple[Rules, list[Grid]]:
    """The rules and tables of a page; where they make no whole table, those that show only on a closer look.

    Where the seal was taken away, the rules below it went with it: there they are drawn through.
    """
    first = rules(ink)
    if seal is not None:
        first = _through(first, seal)
    tables = grids(first)
    if any(table.whole for table in tables):
        return first, tables
    second = faint_rules(grey)
    if seal is not None:
        second = _through(second, seal)
    closer = [replace(table, faint=True) for table in grids(second)]
    if any(table.whole for table in closer) or not tables:
        return second, closer
    return first, tables


def grids(found: Rules) -> list[Grid]:
    """The tables of the page from top to bottom."""
    mesh = cv2.bitwise_or(
        cv2.dilate(found.across, np.ones((3, 9), np.uint8)),
        cv2.dilate(found.down, np.ones((11, 3), np.uint8)),
    )
    count, labels, stats = patches(np.asarray(mesh, np.uint8))
    largest = sorted(range(1, count), key=lambda number: -int(stats[number][2]) * int(stats[number][3]))
    tables = []
    for number in largest[:MOST_TABLES]:
        x, y, width, height = (int(value) for value in stats[number][:4])
        part = np.where(labels[y : y + height, x : x + width] == number, 255, 0).astype(np.uint8)
        holes = _holes(part, x, y, mesh.shape[:2])
        if len(holes) >= FEWEST_CELLS:
            tables.append(_grid(holes, found, (x, y, x + width, y + height)))
    tables.sort(key=lambda grid: grid.top)
    return [grid for grid in tables if not any(_inside(grid, other) for other in tables)]


def _inside(grid: Grid, other: Grid) -> bool:
    if grid is other:
        return False
    return (
        other.left <= grid.left
        and other.top <= grid.top
        and grid.right <= other.right
        and grid.bottom <= other.bottom
    )


Rectangle = tuple[int, int, int, int]


def _holes(mesh: Picture, x: int, y: int, page: Sequence[int]) -> list[Rectangle]:
    """The white patches inside a mesh of rules, as left, top, right, bottom on the page."""
    height, width = mesh.shape
    count, _, stats = patches(np.asarray(cv2.bitwise_not(mesh), np.uint8), connectivity=4)
    holes = []
    for number in range(1, count):
        left, top, across, down, area = (int(value) for value in stats[number])
        inner = left > 0 and top > 0 and left + across < width and top + down < height
        large = across > page[1] // 60 and down > page[0] // 110
        if inner and large and area > 0.55 * across * down:
            holes.append((x + left, y + top, x + left + across, y + top + down))
    return holes


def _grid(holes: Sequence[Rectangle], found: Rules, frame: Rectangle) -> Grid:
    left, top, right, _ = frame
    near = max(8, min(found.across.shape) // 110)
    columns = _edges([hole[0] for hole in holes] + [hole[2] for hole in holes], near)
    rows = _edges([hole[1] for hole in holes] + [hole[3] for hole in holes], near)
    boxes = sorted(
        (_box(hole, rows, columns, found) for hole in holes), key=lambda box: (box.row, box.column)
    )
    height, width = found.across.shape
    cut = (
        left <= 3
        or right >= width - 3
        or (top <= 3 and bool(found.down[:6, left:right].any()))
        or bool(found.down[height - 6 :, left:right].any())
    )
    return Grid(
        tuple(boxes),
        len(rows) - 1,
        len(columns) - 1,
        left=min(hole[0] for hole in holes),
        top=min(hole[1] for hole in holes),
        right=max(hole[2] for hole in holes),
        bottom=max(hole[3] for hole in holes),
        cut=cut,
    )


def _edges(values: Sequence[int], near: int) -> list[float]:
    """The positions of the rules, each the middle of the cell edges on its two sides."""
    groups: list[list[int]] = []
    for value in sorted(values):
        if groups and value - groups[-1][-1] <= near:
            groups[-1].append(value)
        else:
            groups.append([value])
    return [sum(group) / len(group) for group in groups]


def _box(hole: Rectangle, rows: Sequence[float], columns: Sequence[float], found: Rules) -> Box:
    left, top, right, bottom = hole
    first_column, last_column = _nearest(left, columns), _nearest(right, columns)
    first_row, last_row = _nearest(top, rows), _nearest(bottom, rows)
    broken = any(
        _covered(found.down, int(columns[number]), (top, bottom), upright=True)
        for number in range(first_column + 1, last_column)
    ) or any(
        _covered(found.across, int(rows[number]), (left, right), upright=False)
        for number in range(first_row + 1, last_row)
    )
    return Box(
        first_row,
        first_column,
        max(1, last_row - first_row),
        max(1, last_column - first_column),
        left,
        top,
        right,
        bottom,
        broken,
    )


def _nearest(value: int, edges: Sequence[float]) -> int:
    return min(range(len(edges)), key=lambda number: abs(edges[number] - value))


def _covered(mask: Picture, where: int, span: tuple[int, int], upright: bool) -> bool:
    """Whether a rule stands along part of a boundary."""
    start, end = span
    reach = 6
    if upright:
        band = mask[start:end, max(0, where - reach) : where + reach].max(axis=1, initial=0)
    else:
        band = mask[max(0, where - reach) : where + reach, start:end].max(axis=0, initial=0)
    return band.size > 0 and float((band > 0).mean()) > COVERED
