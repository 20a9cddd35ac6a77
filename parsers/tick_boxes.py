"""Whether a printed box is ticked, by the ink inside its frame."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from parsers.content import TICK_OFF, TICK_ON, TICK_UNKNOWN
from parsers.ocr import Picture

EMPTY = 0.10
"""Share of ink inside the frame up to which a box is empty."""
TICKED = 0.26
"""Share of ink from which it is ticked; between the two a person must look."""
SIDE_INKED = 0.8
RED_INSIDE = 0.04


@dataclass(frozen=True, slots=True)
class Frame:
    """A square frame on the page and the share of ink inside it."""

    left: int
    top: int
    side: int
    ink: float

    @property
    def right(self) -> int:
        return self.left + self.side

    @property
    def mark(self) -> str:
        if self.ink <= EMPTY:
            return TICK_OFF
        return TICK_ON if self.ink >= TICKED else TICK_UNKNOWN


def frame_in(
    ink: Picture, area: tuple[float, float, float, float], em: float, last: bool = False
) -> Frame | None:
    """The first square frame from the left (or from the right) in an area of the page; None if there is none."""
    left, top = max(0, int(area[0])), max(0, int(area[1]))
    part = ink[top : max(0, int(area[3])), left : max(0, int(area[2]))] > 0
    if min(part.shape) < 8:
        return None
    candidates = _squares(_grown(part), em)
    if not candidates:
        return None
    edge = max(x for _, x, _, _ in candidates) if last else min(x for _, x, _, _ in candidates)
    near = [found for found in candidates if abs(found[1] - edge) <= 0.35 * em]
    _, x, y, side = max(near, key=lambda found: (round(found[0], 1), found[3]))
    return Frame(left + x, top + y, side, _ink_inside(part, x, y, side))


def _grown(part: npt.NDArray[np.bool_]) -> npt.NDArray[np.float32]:
    """The ink, one pixel thicker on each side, so that a frame a little askew is still straight."""
    padded = np.pad(part, 1)
    height, width = part.shape
    grown = np.zeros_like(part)
    for down in range(3):
        for across in range(3):
            grown |= padded[down : down + height, across : across + width]
    return grown.astype(np.float32)


def _squares(ink: npt.NDArray[np.float32], em: float) -> list[tuple[float, int, int, int]]:
    """Squares with ink along all four sides: how well inked, left, top, side."""
    along = np.cumsum(np.pad(ink, ((0, 0), (1, 0))), axis=1)
    down = np.cumsum(np.pad(ink, ((1, 0), (0, 0))), axis=0)
    height, width = ink.shape
    found = []
    for side in range(max(8, int(em * 0.5)), min(height, width, int(em * 1.35) + 1)):
        level = (along[:, side:] - along[:, :-side]) / side
        upright = (down[side:, :] - down[:-side, :]) / side
        top, bottom = level[: height - side, : width - side], level[side:, : width - side]
        near, far = upright[: height - side, : width - side], upright[: height - side, side:]
        weakest = np.minimum(np.minimum(top, bottom), np.minimum(near, far))
        total = top + bottom + near + far
        for y, x in zip(*np.nonzero(weakest >= SIDE_INKED), strict=True):
            found.append((float(total[y, x]), int(x), int(y), side))
    return found


def _ink_inside(part: npt.NDArray[np.bool_], x: int, y: int, side: int) -> float:
    inset = max(2, int(side * 0.2))
    inner = part[y + inset : y + side - inset + 1, x + inset : x + side - inset + 1]
    return float(inner.mean()) if inner.size else 0.0


def red_inside(red: Picture, frame: Frame) -> bool:
    """Whether a red pen wrote in or around the box: grey pictures without red do not show it."""
    reach = frame.side // 2
    around = red[
        max(0, frame.top - reach) : frame.top + frame.side + reach,
        max(0, frame.left - reach) : frame.right + reach,
    ]
    return around.size > 0 and float((around > 0).mean()) > RED_INSIDE
