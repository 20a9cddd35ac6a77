"""Photographs and scans of a filled form: ruled cells with the text that OCR reads in them, and its doubts.

The heavy libraries are optional and are loaded with the first picture. Nothing here is certain by itself:
what is read with little confidence, twice with different results, or not at all although there is ink,
carries a doubt that becomes a finding.
"""

from __future__ import annotations

import io
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

from parsers.content import Content, Limits, Paragraph, Refused, Table, Unreadable

if TYPE_CHECKING:
    from PIL.Image import Image

NOT_INSTALLED = "未安装文字识别组件，无法读取扫描件和照片；请管理员安装 djb[ocr]"
DAMAGED = "图片已损坏，无法打开"
NO_HEIC = "HEIC 照片无法打开，请另存为 JPG 后重新发送"
TOO_LARGE = "图片尺寸超过限制"
NO_RULES = "未找到表格线，文字可能不全，请对照原件核对"
LABELS = {"JPEG": "jpg", "MPO": "jpg", "TIFF": "tif"}
"""Pillow's name of a format -> ours, where they differ otherwise than by case."""
FEWEST_LINES = 3


def content(data: bytes, limits: Limits) -> Content:
    """What a picture shows, as a table if it is a ruled form; raises Unreadable or Refused, with the reason.

    A picture that is no page (a logo, a photo of a building) gives a Content without blocks.
    """
    picture = _opened(data, limits)
    label = LABELS.get(picture.format or "", (picture.format or "picture").lower())
    return of_pages(_frames(picture, limits), f"scan-{label}", _frame_count(picture) > 1)


def of_pages(pages: Iterable[Image], label: str, several: bool) -> Content:
    """What the pictures of pages show, one after the other; raises Unreadable where there is no OCR."""
    try:
        import cv2
        import numpy as np

        from parsers import page_reading
    except ImportError as error:
        raise Unreadable(NOT_INSTALLED) from error
    blocks: list[Paragraph | Table] = []
    notes: list[str] = []
    seal_seen = False
    for number, picture in enumerate(pages):
        tables = sum(isinstance(block, Table) for block in blocks)
        colours = np.asarray(cv2.cvtColor(np.asarray(picture.convert("RGB")), cv2.COLOR_RGB2BGR), np.uint8)
        reading = page_reading.read(colours, number if several else None, tables)
        blocks += reading.blocks
        seal_seen |= reading.seal_seen
        notes += [note for note in reading.notes if note not in notes]
    if seal_seen and blocks:
        notes.append("图片上可见红色印章")
    return Content(label, tuple(blocks), tuple(notes), scanned=True, seal_seen=seal_seen)


def _opened(data: bytes, limits: Limits) -> Image:
    from PIL import Image, UnidentifiedImageError

    try:
        picture = Image.open(io.BytesIO(data))
    except UnidentifiedImageError as error:
        heic = data[4:8] == b"ftyp"
        raise Unreadable(NO_HEIC if heic else DAMAGED) from error
    except Image.DecompressionBombError as error:
        raise Refused(TOO_LARGE) from error
    except (OSError, ValueError, SyntaxError, ArithmeticError, LookupError) as error:
        raise Unreadable(DAMAGED) from error
    if picture.width * picture.height > limits.pixels:
        raise Refused(TOO_LARGE)
    return picture


def _frame_count(picture: Image) -> int:
    return getattr(picture, "n_frames", 1) if picture.format == "TIFF" else 1


def _frames(picture: Image, limits: Limits) -> Iterator[Image]:
    """The pages of a picture, each turned as its camera says and on white paper where it is transparent."""
    from PIL import Image, ImageOps

    for number in range(min(_frame_count(picture), limits.pages)):
        try:
            picture.seek(number)
            if picture.width * picture.height > limits.pixels:
                raise Refused(TOO_LARGE)
            turned = ImageOps.exif_transpose(picture)
            if turned.mode in ("RGBA", "LA", "PA") or "transparency" in turned.info:
                layers = turned.convert("RGBA")
                paper = Image.new("RGBA", layers.size, "white")
                turned = Image.alpha_composite(paper, layers)
            yield turned.convert("RGB")
        except (OSError, ValueError, SyntaxError, ArithmeticError, LookupError, EOFError) as error:
            raise Unreadable(DAMAGED) from error
