"""Printed text in pictures, by rapidocr with the models that lie in its wheel; nothing is downloaded.

One engine a process, loaded at the first page. Every text comes with a confidence for each character, so that
whoever uses it can say where it may be wrong.
"""

from __future__ import annotations

import logging
import os
import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

# Read when the library is loaded: without it, it reports to its maker and keeps a number of the machine on disk.
os.environ["ORT_DISABLE_TELEMETRY"] = "1"

from onnxruntime import SessionOptions  # type: ignore[import-untyped,unused-ignore]
from rapidocr import RapidOCR
from rapidocr.ch_ppocr_rec.typings import TextRecInput, WordInfo
from rapidocr.inference_engine.onnxruntime import OrtInferSession
from rapidocr.utils.process_img import get_rotate_crop_image

Picture = npt.NDArray[np.uint8]
Quad = npt.NDArray[np.float32]

THREADS = 2
DETECTION_SIDE = 1280
GLANCE_SIDE = 512
LINE_HEIGHT = 64
MARGIN = 12
NARROWEST = 64
"""Width in pixels to which a picture of a line is filled up: reading takes time in proportion to the width."""


@dataclass(frozen=True, slots=True)
class Glyph:
    """One character, how sure the engine is of it (0 to 1), and where it stands from left to right."""

    text: str
    score: float
    left: float
    right: float


@dataclass(frozen=True, slots=True)
class Line:
    """A piece of a line of text as the engine found it: never more than one visual line."""

    glyphs: tuple[Glyph, ...]
    left: float
    top: float
    right: float
    bottom: float

    @property
    def text(self) -> str:
        return "".join(glyph.text for glyph in self.glyphs)

    @property
    def height(self) -> float:
        return self.bottom - self.top

    @property
    def middle(self) -> float:
        return (self.top + self.bottom) / 2

    @property
    def score(self) -> float:
        """The confidence of its least certain character that is a letter, a figure or an ideograph."""
        return min((glyph.score for glyph in self.glyphs if is_word_character(glyph.text)), default=1.0)


def is_word_character(char: str) -> bool:
    return unicodedata.category(char)[0] in "LN"


@cache
def _engine() -> Any:
    cv2.setNumThreads(THREADS)
    logging.getLogger("RapidOCR").setLevel(logging.ERROR)
    # The package has no setting for it: threads that wait for each other by spinning eat a shared machine.
    setattr(OrtInferSession, "_init_sess_opts", staticmethod(_session_options))  # noqa: B010
    return RapidOCR(
        params={
            "Global.log_level": "error",
            "Det.limit_side_len": DETECTION_SIDE,
            "Det.limit_type": "max",
            "Rec.rec_img_shape": [3, 48, NARROWEST],
            # One by one, because a batch is as wide as its widest.
            "Rec.rec_batch_num": 1,
        }
    )


def _session_options(_: object) -> SessionOptions:
    options = SessionOptions()
    options.log_severity_level = 4
    options.enable_cpu_mem_arena = False
    options.intra_op_num_threads = THREADS
    options.inter_op_num_threads = 1
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    return options


def version() -> str:
    """Name and version of the engine, for `djb check`; raises ImportError where it is not installed."""
    from importlib.metadata import version as installed

    return f"rapidocr {installed('rapidocr')}, onnxruntime {installed('onnxruntime')}"


def places(grey: Picture, area: tuple[int, int, int, int]) -> list[Quad]:
    """Where lines of text stand in an area (top, bottom, left, right) of an upright page."""
    top, bottom, left, right = area
    part = np.asarray(cv2.cvtColor(grey[top:bottom, left:right], cv2.COLOR_GRAY2BGR), np.uint8)
    # Letters are looked for at the same scale, however little of the page there is to look at.
    side = max(GLANCE_SIDE, round(DETECTION_SIDE * max(part.shape) / max(grey.shape)))
    return [quad + np.array([left, top], np.float32) for quad in _detected(part, side)]


def _detected(picture: Picture, side: int) -> list[Quad]:
    model = _engine()._load_det_model()
    model.limit_side_len = side
    found = model(picture)
    return [] if found.boxes is None else [np.asarray(quad, np.float32) for quad in found.boxes]


def lines(grey: Picture, quads: Sequence[Quad]) -> list[Line]:
    """The lines of text that stand in these places, in the same order; places without text are left out."""
    if not quads:
        return []
    page = cv2.cvtColor(grey, cv2.COLOR_GRAY2BGR)
    crops = [get_rotate_crop_image(page, quad.copy()) for quad in quads]
    found = _engine()._load_rec_model()(TextRecInput(img=crops, return_word_box=True))
    return [
        _line(quad, text, words)
        for quad, text, words in zip(quads, found.txts, found.word_results, strict=True)
        if text.strip()
    ]


def _line(quad: Quad, text: str, words: WordInfo) -> Line:
    """The line, with the place of each of its characters: the engine gives a column of its own grid for each."""
    columns = [column for word in words.word_cols for column in word]
    pitches = [np.diff(word).mean() for word in words.word_cols if len(word) > 1]
    column_width = 1 / words.line_txt_len
    half = (float(np.mean(pitches)) * column_width if pitches else 1 / len(text)) / 2
    middles = [(column + 0.5) * column_width for column in columns]
    starts = [max(0.0, middle - half) for middle in middles]
    ends = [min(1.0, middle + half) for middle in middles]
    for at in range(len(middles) - 1):
        if ends[at] > starts[at + 1]:
            ends[at] = starts[at + 1] = (ends[at] + starts[at + 1]) / 2
    shown = [(char, sure) for char, sure in zip(text, words.confs, strict=True) if not char.isspace()]
    glyphs = tuple(
        Glyph(char, float(sure), *_edges(quad, start, end))
        for (char, sure), start, end in zip(shown, starts, ends, strict=True)
    )
    (left, top), (right, bottom) = quad.min(axis=0), quad.max(axis=0)
    return Line(glyphs, float(left), float(top), float(right), float(bottom))


def _edges(quad: Quad, start: float, end: float) -> tuple[float, float]:
    """Left and right of the part of a line from one share of its length to another."""
    corners = [float(x) for x in quad[:, 0]]
    if np.ptp(quad[:, 1]) >= 1.5 * np.ptp(quad[:, 0]):
        return min(corners), max(corners)  # it was turned to be read: its characters stand below one another
    upper, lower = corners[1] - corners[0], corners[2] - corners[3]
    return (
        min(corners[0] + start * upper, corners[3] + start * lower),
        max(corners[0] + end * upper, corners[3] + end * lower),
    )


def glance(page: Picture) -> list[Quad]:
    """Where text stands, roughly and quickly: corners in the picture's own pixels, in reading order of a line."""
    scale = min(1.0, GLANCE_SIDE / max(page.shape[:2]))
    small = cv2.resize(page, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
    return [quad / scale for quad in _detected(np.asarray(small, np.uint8), GLANCE_SIDE)]


def read_again(crops: Sequence[Picture]) -> list[tuple[str, float]]:
    """Text and least confidence of pictures of one line each, without looking for text in them."""
    if not crops:
        return []
    found = _engine()._load_rec_model()(TextRecInput(img=list(crops), return_word_box=False))
    return [(text, float(score)) for text, score in zip(found.txts, found.scores, strict=True)]


def enlarged(grey: Picture, left: float, top: float, right: float, bottom: float) -> Picture:
    """The part of a page as a picture of one line, at a size of its own with white around it."""
    height, width = grey.shape[:2]
    x0, y0 = max(0, int(left)), max(0, int(top))
    x1, y1 = min(width, int(np.ceil(right))), min(height, int(np.ceil(bottom)))
    crop = grey[y0:y1, x0:x1]
    if crop.size == 0:
        return np.full((LINE_HEIGHT, LINE_HEIGHT, 3), 255, np.uint8)
    scale = LINE_HEIGHT / crop.shape[0]
    resized = cv2.resize(crop, None, fx=scale, fy=scale, interpolation=cv2.INTER_CUBIC)
    paper = int(np.percentile(resized, 90))
    framed = cv2.copyMakeBorder(
        resized, MARGIN // 2, MARGIN // 2, MARGIN, MARGIN, cv2.BORDER_CONSTANT, value=(paper,)
    )
    return np.asarray(cv2.cvtColor(framed, cv2.COLOR_GRAY2BGR), np.uint8)


def same(first: str, second: str) -> bool:
    """Whether two readings say the same, whatever their punctuation and widths."""
    return _bare(first) == _bare(second)


def _bare(text: str) -> str:
    plain = unicodedata.normalize("NFKC", text)
    return re.sub(r"[\W_]", "", plain).casefold()
