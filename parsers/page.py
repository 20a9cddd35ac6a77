"""A scanned or photographed page made upright, flat and free of its seal.

Order matters: which way up, the red seal out, the tilt, the perspective. Each step is found in the picture
itself: the direction of its text, the colour of the seal, the ruled lines of the form.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

from parsers import ocr
from parsers.ocr import Picture, Quad

Labels = npt.NDArray[Any]
Boxes = npt.NDArray[np.int32]

WORKING_SIDE = 2000
FEWEST_TEXTS = 3
LEGIBLE, LEGIBLE_LENGTH = 0.88, 5
"""Mean confidence, with so many characters, that no line reaches when it is read upside down."""
STEEPEST = 12.0
"""Degrees of tilt or convergence that a page may have; more is no page laid down to be read."""
FLAT_ENOUGH = 0.12
"""Degrees that a ruled line may lean without the page being squared."""
REDNESS = 25
GHOST, REAL = 0.18, 0.30
"""How much darker than the paper, in the red channel, the seal may be and black ink must be."""
SMALLEST_SEAL = 0.04
"""Side of a seal as a share of the page's longer side: smaller red things are ink or ornaments."""


FOCUS_SIDE = 800
PALE, LIGHT = 60, 130
"""Saturation and brightness of paper, also in a dim room."""
SOFT_EDGE = 8.0
FAINTEST_MARKS = 2.0


@dataclass(frozen=True, slots=True)
class Page:
    """A page as it can be read: grey without red, the same in black and white, and where red was."""

    grey: Picture
    sharp: Picture
    """The same with its strokes sharpened, for a second reading."""
    ink: Picture
    """255 where ink is, else 0."""
    red: Picture
    """255 where red was, seal or pen."""
    pen: Picture
    """255 where red ink was that is not the seal: somebody's red pen."""
    seal_seen: bool
    turned: int
    """Degrees clockwise by which the picture was turned to be upright."""
    texts: int
    """How many pieces of text were seen at first glance."""


def prepared(picture: Picture) -> Page | None:
    """The picture as a page to read; None if there is hardly any text in it."""
    picture = _at_working_size(picture)
    texts = ocr.glance(picture)
    if len(texts) < FEWEST_TEXTS:
        return None
    picture, turned = upright(picture, texts)
    picture = _straightened(picture)
    grey, red, pen, seal_seen = without_red(picture)
    return Page(grey, _sharpened(grey), inked(grey), red, pen, seal_seen, turned, len(texts))


def is_out_of_focus(picture: Picture) -> bool:
    """Whether the picture is mostly light paper with something on it, and no edge in it is sharp."""
    side = FOCUS_SIDE / max(picture.shape[:2])
    small = cv2.resize(picture, None, fx=side, fy=side, interpolation=cv2.INTER_AREA)
    grey = np.asarray(cv2.cvtColor(small, cv2.COLOR_BGR2GRAY), np.float32)
    colour = cv2.cvtColor(small, cv2.COLOR_BGR2HSV)
    paper = (colour[..., 1] < PALE) & (colour[..., 2] > LIGHT)
    edges = np.percentile(np.abs(cv2.Laplacian(grey, cv2.CV_32F)), 99)
    marks = (
        float((grey - cv2.GaussianBlur(grey, (0, 0), FOCUS_SIDE / 20))[paper].std()) if paper.any() else 0.0
    )
    return bool(paper.mean() > 0.5 and edges < SOFT_EDGE and marks > FAINTEST_MARKS)


def _sharpened(grey: Picture) -> Picture:
    soft = cv2.GaussianBlur(grey, (0, 0), 2)
    return np.asarray(cv2.addWeighted(grey, 1.6, soft, -0.6, 0), np.uint8)


def _at_working_size(picture: Picture) -> Picture:
    scale = WORKING_SIDE / max(picture.shape[:2])
    if 0.8 < scale <= 1.0:
        return picture
    way = cv2.INTER_AREA if scale < 1 else cv2.INTER_CUBIC
    scale = min(scale, 2.0)
    return np.asarray(cv2.resize(picture, None, fx=scale, fy=scale, interpolation=way), np.uint8)


# ---------------------------------------------------------------- which way up


def upright(picture: Picture, texts: Sequence[Quad]) -> tuple[Picture, int]:
    """The picture turned so that its text can be read, and by how many degrees clockwise."""
    sideways = _runs_downwards(texts)
    if sideways:
        picture = np.asarray(cv2.rotate(picture, cv2.ROTATE_90_CLOCKWISE), np.uint8)
        texts = [_quad_turned(quad, picture.shape[1]) for quad in texts]
    if _upside_down(picture, texts):
        return np.asarray(cv2.rotate(picture, cv2.ROTATE_180), np.uint8), 270 if sideways else 180
    return picture, 90 if sideways else 0


def _runs_downwards(texts: Sequence[Quad]) -> bool:
    spans = [np.ptp(quad, axis=0) for quad in texts]
    across = sum(float(width) for width, height in spans if width > 1.5 * height)
    down = sum(float(height) for width, height in spans if height > 1.5 * width)
    return down > across


def _quad_turned(quad: Quad, new_width: int) -> Quad:
    """The corners after the picture was turned by 90 degrees clockwise."""
    return np.stack([new_width - quad[:, 1], quad[:, 0]], axis=1).astype(np.float32)


def _upside_down(picture: Picture, texts: Sequence[Quad]) -> bool:
    """Whether the longest lines read better when turned by 180 degrees."""
    longest = sorted(texts, key=lambda quad: -float(np.ptp(quad[:, 0])))
    # Very long lines are slow to read; a few of middle length tell as much.
    chosen = [quad for quad in longest if np.ptp(quad[:, 0]) < picture.shape[1] * 0.45][:3] or longest[:2]
    grey = np.asarray(cv2.cvtColor(picture, cv2.COLOR_BGR2GRAY), np.uint8)
    crops = []
    for quad in chosen:
        left, top = quad.min(axis=0)
        right, bottom = quad.max(axis=0)
        crops.append(ocr.enlarged(grey, float(left), float(top), float(right), float(bottom)))
    as_it_is = []
    for crop in crops:
        [(text, score)] = ocr.read_again([crop])
        if score > LEGIBLE and len(text) >= LEGIBLE_LENGTH:
            return False
        as_it_is.append((text, score))
    turned = ocr.read_again([np.asarray(cv2.rotate(crop, cv2.ROTATE_180), np.uint8) for crop in crops])
    return _legibility(turned) > _legibility(as_it_is)


def _legibility(readings: Sequence[tuple[str, float]]) -> float:
    return sum(score * len(text) for text, score in readings if score > 0.5)


# ---------------------------------------------------------------- red


def without_red(picture: Picture) -> tuple[Picture, Picture, Picture, bool]:
    """The page in grey with everything red gone, where red was, where a red pen was, and whether a seal was seen."""
    blue, green, red = (channel.astype(np.int16) for channel in cv2.split(picture))
    mask = ((red - np.maximum(green, blue)) > REDNESS).astype(np.uint8) * 255
    grey = np.asarray(cv2.cvtColor(picture, cv2.COLOR_BGR2GRAY), np.uint8)
    # In the red channel the seal is nearly as light as the paper, and black ink below it as dark as ever.
    # What remains of the seal, and what JPEG left of its edges, is faded out lest it be read as strokes.
    near = cv2.dilate(mask, np.ones((7, 7), np.uint8)) > 0
    paper = cv2.blur(cv2.dilate(grey, np.ones((25, 25), np.uint8)), (51, 51)).astype(np.float32)
    darkness = np.clip(1 - red[near] / np.maximum(paper[near], 1), 0, 1)
    kept = np.interp(darkness, [0, GHOST, REAL, 1], [0, 0, REAL, 1])
    grey[near] = (paper[near] * (1 - kept)).astype(np.uint8)
    red_ink = np.asarray(mask, np.uint8)
    return grey, red_ink, *_parted_red(red_ink)


def _parted_red(mask: Picture) -> tuple[Picture, bool]:
    """Red ink outside of seals, and whether there is a seal: a large, roundish patch of red."""
    side = max(mask.shape)
    joined = cv2.dilate(mask, np.ones((side // 100, side // 100), np.uint8))
    count, _, stats = patches(np.asarray(joined, np.uint8))
    pen, seal_seen = mask.copy(), False
    for number in range(1, count):
        x, y, width, height, _ = stats[number]
        if min(width, height) < SMALLEST_SEAL * side or max(width, height) > 3 * min(width, height):
            continue
        seal_seen = True
        pen[y : y + height, x : x + width] = 0
    return pen, seal_seen


def inked(grey: Picture) -> Picture:
    """255 where the page is darker than its surroundings."""
    block = max(15, (min(grey.shape) // 40) | 1)
    smooth = cv2.GaussianBlur(grey, (3, 3), 0)
    return np.asarray(
        cv2.adaptiveThreshold(smooth, 255, cv2.ADAPTIVE_THRESH_MEAN_C, cv2.THRESH_BINARY_INV, block, 12),
        np.uint8,
    )


def patches(mask: Picture, connectivity: int = 8) -> tuple[int, Labels, Boxes]:
    """The connected patches of a mask: how many, the number of each pixel's, and x, y, width, height, area of each.

    Number 0 is what lies between them. Labels of 16 bits, where they are enough, take a third of the time.
    """
    runs = np.count_nonzero(mask[:, 1:] > mask[:, :-1]) + mask.shape[0]
    labels = cv2.CV_16U if runs < 1 << 16 else cv2.CV_32S
    count, numbers, boxes, _ = cv2.connectedComponentsWithStats(mask, connectivity=connectivity, ltype=labels)
    return count, numbers, np.asarray(boxes, np.int32)


def inked_area(ink: Picture) -> tuple[int, int, int, int]:
    """Top, bottom, left and right of the part of a page that is not blank, with some room around it."""
    height, width = ink.shape
    strokes = cv2.morphologyEx(ink, cv2.MORPH_OPEN, np.ones((2, 2), np.uint8)) > 0
    # The edges of the sheet itself, on a desk or under a scanner's lid, are long and thin.
    count, labels, stats = patches(strokes.astype(np.uint8))
    for number in range(1, count):
        x, y, across, down, area = (int(value) for value in stats[number])
        if max(across / width, down / height) > 0.4 and area < 60 * (across + down):
            strokes[y : y + down, x : x + across] &= labels[y : y + down, x : x + across] != number
    rows = np.flatnonzero(strokes.sum(axis=1) > 0.002 * width)
    columns = np.flatnonzero(strokes.sum(axis=0) > 0.002 * height)
    if not rows.size or not columns.size:
        return 0, height, 0, width
    room = max(height, width) // 40
    return (
        max(0, int(rows[0]) - room),
        min(height, int(rows[-1]) + room),
        max(0, int(columns[0]) - room),
        min(width, int(columns[-1]) + room),
    )


# ---------------------------------------------------------------- tilt and perspective

Segments = npt.NDArray[np.float64]
"""One straight piece of ink a row: x, y of its middle, its angle in degrees, its length."""


Matrix = npt.NDArray[np.float64]
"""Where the points of a picture go, in homogeneous coordinates."""


def _straightened(picture: Picture) -> Picture:
    """The picture turned by its tilt and seen straight from above, in one step lest it lose sharpness twice."""
    height, width = picture.shape[:2]
    grey = np.asarray(cv2.cvtColor(picture, cv2.COLOR_BGR2GRAY), np.uint8)
    level = _levelling(grey)
    if level is not None:
        grey = np.asarray(
            cv2.warpPerspective(grey, level, (width, height), borderMode=cv2.BORDER_REPLICATE), np.uint8
        )
    square = _squaring(grey)
    steps = [step for step in (square, level) if step is not None]
    if not steps:
        return picture
    return np.asarray(
        cv2.warpPerspective(
            picture,
            steps[0] @ steps[1] if len(steps) == 2 else steps[0],
            (width, height),
            flags=cv2.INTER_CUBIC,
            borderMode=cv2.BORDER_REPLICATE,
        ),
        np.uint8,
    )


def _segments(grey: Picture) -> tuple[Segments, Segments]:
    """The long straight strokes of the page, those across with their tilt and those down with their lean."""
    ink = inked(grey)
    height, width = ink.shape
    across = _straight_strokes(ink, width // 9)
    down = _straight_strokes(np.asarray(cv2.transpose(ink), np.uint8), max(80, height // 24))
    # Transposed: x and y change places, and a stroke that leans to the right leans by a negative angle.
    return across, down[:, [1, 0, 2, 3]] * np.array([1.0, 1.0, -1.0, 1.0])


def _straight_strokes(ink: Picture, shortest: int) -> Segments:
    """Level strokes at least so long. The vertical growth lets a tilted one survive the cut into level runs."""
    runs = cv2.morphologyEx(
        cv2.dilate(ink, np.ones((5, 1), np.uint8)), cv2.MORPH_OPEN, np.ones((1, 31), np.uint8)
    )
    count, labels, stats = patches(np.asarray(runs, np.uint8))
    strokes = []
    for number in range(1, count):
        x, y, width, height, area = (int(value) for value in stats[number])
        if width < shortest or height > width / 4 or area > width * 20:
            continue
        rows, columns = np.nonzero(labels[y : y + height, x : x + width] == number)
        slope, start = np.polyfit(columns, rows, 1)
        if float(np.abs(rows - (slope * columns + start)).mean()) < 6:
            middle = start + slope * width / 2
            strokes.append((x + width / 2, y + middle, np.degrees(np.arctan(slope)), width))
    return np.array(strokes, np.float64).reshape(-1, 4)


def _levelling(grey: Picture) -> Matrix | None:
    """How to turn the page so that its horizontal rules are level; measured roughly, on half the pixels."""
    height, width = grey.shape
    small = np.asarray(cv2.resize(grey, (width // 2, height // 2), interpolation=cv2.INTER_AREA), np.uint8)
    across = _straight_strokes(inked(small), width // 18)
    if len(across) < 2:
        return None
    tilt = _weighted_median(across[:, 2], across[:, 3])
    if abs(tilt) < FLAT_ENOUGH:
        return None
    turn = cv2.getRotationMatrix2D((width / 2, height / 2), tilt, 1)
    return np.vstack([turn, [0.0, 0.0, 1.0]])


def _weighted_median(values: npt.NDArray[np.float64], weights: npt.NDArray[np.float64]) -> float:
    order = np.argsort(values)
    passed = np.cumsum(weights[order])
    return float(values[order][int(np.searchsorted(passed, passed[-1] / 2))])


def _squaring(grey: Picture) -> Matrix | None:
    """How to see the page straight from above: lines that are parallel on paper made parallel again."""
    across, down = _segments(grey)
    if len(across) < 2:
        return None
    down = _of_table(down, across)
    lean_of_y = _trend(across[:, 1], across[:, 2], across[:, 3])
    lean_of_x = _trend(down[:, 0], down[:, 2], down[:, 3]) if len(down) >= 2 else (0.0, 0.0)
    height, width = grey.shape
    top, bottom = (float(value) for value in np.percentile(across[:, 1], [0, 100]))
    left, right = (
        (float(value) for value in np.percentile(down[:, 0], [0, 100]))
        if len(down) >= 2
        else (0.1 * width, 0.9 * width)
    )
    if bottom - top < 0.05 * height or right - left < 0.2 * width:
        return None
    leans = [_at(lean_of_y, top), _at(lean_of_y, bottom), _at(lean_of_x, left), _at(lean_of_x, right)]
    if max(abs(lean) for lean in leans) < FLAT_ENOUGH or max(abs(lean) for lean in leans) > STEEPEST:
        return None
    return _warp((left, top, right, bottom), leans)


def _of_table(down: Segments, across: Segments) -> Segments:
    """The upright strokes that may be rules of the table: the edges of sheets and of pictures lean as they like."""
    top, bottom = across[:, 1].min(), across[:, 1].max()
    left = (across[:, 0] - across[:, 3] / 2).min()
    right = (across[:, 0] + across[:, 3] / 2).max()
    room = 0.1 * (bottom - top) + 20
    starts, ends = down[:, 1] - down[:, 3] / 2, down[:, 1] + down[:, 3] / 2
    within = (
        (starts > top - room) & (ends < bottom + room) & (down[:, 0] > left - 40) & (down[:, 0] < right + 40)
    )
    return np.asarray(down[within])


def _trend(
    where: npt.NDArray[np.float64], lean: npt.NDArray[np.float64], weight: npt.NDArray[np.float64]
) -> tuple[float, float]:
    """Slope and intercept of the lean along the page; strokes far off the trend are left out."""
    keep = np.ones(len(where), bool)
    slope, intercept = 0.0, float(np.median(lean))
    for _ in range(3):
        if keep.sum() < 2 or np.ptp(where[keep]) < 50:
            return 0.0, _weighted_median(lean[keep], weight[keep]) if keep.any() else 0.0
        slope, intercept = (float(v) for v in np.polyfit(where[keep], lean[keep], 1, w=weight[keep]))
        off = np.abs(lean - (slope * where + intercept))
        keep = off < max(0.3, float(np.median(off)) * 2.5)
    return slope, intercept


def _at(trend: tuple[float, float], where: float) -> float:
    return trend[0] * where + trend[1]


def _warp(frame: tuple[float, float, float, float], leans: Sequence[float]) -> Matrix:
    """How the four leaning lines around the frame are made straight."""
    left, top, right, bottom = frame
    across, down = (left + right) / 2, (top + bottom) / 2
    upper, lower = (_line_through(across, y, lean) for y, lean in zip((top, bottom), leans[:2], strict=True))
    near, far = (_line_through(x, down, lean + 90) for x, lean in zip((left, right), leans[2:], strict=True))
    corners = np.array(
        [_crossing(upper, near), _crossing(upper, far), _crossing(lower, far), _crossing(lower, near)],
        np.float32,
    )
    target = np.array([[left, top], [right, top], [right, bottom], [left, bottom]], np.float32)
    return np.asarray(cv2.getPerspectiveTransform(corners, target), np.float64)


def _line_through(x: float, y: float, degrees: float) -> npt.NDArray[np.float64]:
    """The line in homogeneous coordinates."""
    angle = np.radians(degrees)
    return np.cross([x, y, 1.0], [x + np.cos(angle), y + np.sin(angle), 1.0])


def _crossing(first: npt.NDArray[np.float64], second: npt.NDArray[np.float64]) -> list[float]:
    x, y, scale = np.cross(first, second)
    return [float(x / scale), float(y / scale)]
