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
from rapidocr.ch_ppocr_rec.typings import TextRecInput, TextRecOutput
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


def places(grey: Picture, ink: Picture) -> list[Quad]:
    """Where lines of text stand on an upright page. Only where there is ink is looked at."""
    top, bottom, left, right = _inked_area(ink)
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
    engine = _engine()
    found = engine._load_rec_model()(TextRecInput(img=crops, return_word_box=True))
    read = []
    for crop, quad, text, score, words in zip(
        crops, quads, found.txts, found.scores, found.word_results, strict=True
    ):
        if not text.strip():
            continue
        one = TextRecOutput(txts=(text,), scores=[score], word_results=(words,))
        boxed = engine.cal_rec_boxes([crop], quad[None], one, True).word_results[0]
        read.append(_line(quad, text, float(score), [word for word in boxed if word[2] is not None]))
    return read


def _inked_area(ink: Picture) -> tuple[int, int, int, int]:
    """Top, bottom, left and right of the part of a page that is not blank, with some room around it."""
    height, width = ink.shape
    strokes = cv2.morphologyEx(ink, cv2.MORPH_OPEN, np.ones((2, 2), np.uint8)) > 0
    # The edges of the sheet itself, on a desk or under a scanner's lid, are long and thin.
    count, labels, stats, _ = cv2.connectedComponentsWithStats(strokes.astype(np.uint8))
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


def _line(quad: Quad, text: str, score: float, characters: Sequence[Any]) -> Line:
    left, top = (float(value) for value in quad.min(axis=0))
    right, bottom = (float(value) for value in quad.max(axis=0))
    glyphs = tuple(
        Glyph(char, float(sure), float(min(x for x, _ in box)), float(max(x for x, _ in box)))
        for char, sure, box in characters
    )
    if "".join(glyph.text for glyph in glyphs) != text.replace(" ", ""):
        step = (right - left) / max(len(text), 1)
        glyphs = tuple(
            Glyph(char, score, left + number * step, left + (number + 1) * step)
            for number, char in enumerate(text)
        )
    return Line(glyphs, left, top, right, bottom)


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
