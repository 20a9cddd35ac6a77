"""Filled forms on paper, drawn from invented values, and what scanners, telephones and stamps do to them."""

from __future__ import annotations

import io
import math
import random
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt
from PIL import Image, ImageDraw, ImageFont

FONT_FILES = {
    "song": "/usr/share/fonts/opentype/noto/NotoSerifCJK-Regular.ttc",
    "hei": "/usr/share/fonts/opentype/noto/NotoSansCJK-Regular.ttc",
    "kai": "/usr/share/fonts/truetype/wqy/wqy-zenhei.ttc",
}
CHINESE_FACE = {"song": 2, "hei": 2, "kai": 0}
PROBLEM_HEADINGS = ("难点问题", "具体内容及诉求", "反馈层级", "备注")
STATISTICS_HEADINGS = (
    "单位名称",
    "党支部数",
    "建立“难点问题书记一线办”党建工作平台数",
    "“难点问题书记一线办”举办次数",
    "解决问题数量",
    "备注",
)
HINTS = {
    "secretary": "（需报告工委书记协调解决的难点问题请勾选此项）",
    "section": "（需市局相关科室配合解决的难点问题请勾选此项，请列出具体科室）",
}


def fonts_present() -> bool:
    return all(Path(path).exists() for path in FONT_FILES.values())


@cache
def face(name: str, size: int) -> ImageFont.FreeTypeFont:
    return ImageFont.truetype(FONT_FILES[name], size, index=CHINESE_FACE[name])


@dataclass(frozen=True)
class ProblemPaper:
    """附件1 as filled in."""

    unit: str = "贵港市荷塘小学"
    principal: str = "韦青山"
    contact: str = "覃小雨"
    phone: str = "13812345678"
    problem: str = "北侧围墙开裂"
    details: str = "北侧围墙雨后倾斜12米，学生上下学经过有危险。\n请求安排资金8万元修缮。"
    ticked: tuple[str, ...] = ("section",)
    sections: str = "基建科"
    tick: str = "printed"
    """`printed`, `hand` (a stroke through the box), `cross`, `filled`, `half` (a dot in the corner)."""


@dataclass(frozen=True)
class StatisticsPaper:
    """附件2 as filled in."""

    unit: str = "贵港市荷塘小学"
    date: str = "2022年1月4日"
    contact: str = "覃小雨"
    phone: str = "13812345678"
    rows: tuple[tuple[str, str, str, str, str, str], ...] = (("贵港市荷塘小学", "3", "1", "2", "5", ""),)


class _Sheet:
    """A sheet of paper to draw on; sizes in points at the given resolution."""

    def __init__(self, width: float, height: float, dpi: int, font: str, pen: float = 1.0) -> None:
        self.scale = dpi / 72
        self.image = Image.new("RGB", (round(width * self.scale), round(height * self.scale)), "white")
        self.draw = ImageDraw.Draw(self.image)
        self.font = font
        self.pen = max(1, round(pen * self.scale))

    def text(self, x: float, y: float, text: str, size: float = 12, font: str | None = None) -> None:
        at = (x * self.scale, y * self.scale)
        self.draw.text(at, text, font=face(font or self.font, round(size * self.scale)), fill=(20, 20, 24))

    def width(self, text: str, size: float = 12) -> float:
        return float(face(self.font, round(size * self.scale)).getlength(text)) / self.scale

    def line(self, x0: float, y0: float, x1: float, y1: float, pen: int | None = None) -> None:
        s = self.scale
        self.draw.line((x0 * s, y0 * s, x1 * s, y1 * s), fill=(10, 10, 10), width=pen or self.pen)

    def wrapped(self, x: float, y: float, width: float, text: str, size: float = 12) -> float:
        """Draws a text in lines of this width; gives where it ends."""
        for paragraph in text.split("\n"):
            line = ""
            for char in paragraph:
                if line and self.width(line + char, size) > width:
                    self.text(x, y, line, size)
                    y += size * 1.35
                    line = ""
                line += char
            self.text(x, y, line, size)
            y += size * 1.35
        return y


def problem_page(paper: ProblemPaper, font: str = "song", dpi: int = 150, size: float = 12) -> Image.Image:
    """附件1 on an upright A4 sheet."""
    sheet = _Sheet(595, 842, dpi, font, 0.7)
    sheet.text(60, 60, "附件1", size)
    sheet.text(200, 76, "难点问题报告表", 20)
    sheet.text(60, 112, f"填报单位（盖章）：{paper.unit}", size)
    after = max(300.0, 70 + sheet.width(f"填报单位（盖章）：{paper.unit}", size))
    sheet.text(after, 112, "主要负责人签字：", size)
    sheet.text(after + sheet.width("主要负责人签字：", size) + 2, 108, paper.principal, size + 3, "kai")
    sheet.text(60, 130, f"联系人及电话：{paper.contact} {paper.phone}", size)
    edges = (55, 145, 345, 478, 540)
    top, head, bottom = 150, 176, 390
    for x in edges:
        sheet.line(x, top, x, bottom)
    for y in (top, head, bottom):
        sheet.line(edges[0], y, edges[-1], y)
    for heading, x, end in zip(PROBLEM_HEADINGS, edges, edges[1:], strict=False):
        sheet.text((x + end - sheet.width(heading, size)) / 2, top + 5, heading, size)
    sheet.wrapped(edges[0] + 5, head + 4, 80, paper.problem, size)
    sheet.wrapped(edges[1] + 5, head + 4, 190, paper.details, size)
    down = head + 4.0
    for level, label in (
        ("secretary", "市委教育工委书记"),
        ("section", f"市局相关科室，具体是{paper.sections}"),
    ):
        _box(sheet, edges[2] + 5, down, size, paper.tick if level in paper.ticked else "")
        down = _option(sheet, edges[2] + 5, down, 122, label, size)
        down = sheet.wrapped(edges[2] + 5, down, 122, HINTS[level], size - 1)
    sheet.wrapped(
        58,
        bottom + 4,
        480,
        "说明：（1）各市直学校如有需要市委教育工委书记，或市局相关科室配合解决的事项，请及时将此表报送工委办。",
        10,
    )
    return sheet.image


def _option(sheet: _Sheet, x: float, y: float, width: float, label: str, size: float) -> float:
    """An option behind its box: its first line begins after the box."""
    first = ""
    rest = label
    while rest and sheet.width(first + rest[0], size) < width - size - 2:
        first, rest = first + rest[0], rest[1:]
    sheet.text(x + size + 1, y, first, size)
    y += size * 1.35
    return sheet.wrapped(x, y, width, rest, size) if rest else y


def _box(sheet: _Sheet, x: float, y: float, size: float, tick: str) -> None:
    side = size * 0.78
    x, y = x + 1, y + size * 0.3
    for x0, y0, x1, y1 in (
        (x, y, x + side, y),
        (x, y + side, x + side, y + side),
        (x, y, x, y + side),
        (x + side, y, x + side, y + side),
    ):
        sheet.line(x0, y0, x1, y1, max(1, round(0.6 * sheet.scale)))
    if tick == "printed":
        _strokes(
            sheet,
            [
                (x + 0.2 * side, y + 0.5 * side),
                (x + 0.42 * side, y + 0.75 * side),
                (x + 0.85 * side, y + 0.2 * side),
            ],
            1.1,
        )
    elif tick == "hand":
        _strokes(
            sheet,
            [
                (x + 0.05 * side, y + 0.4 * side),
                (x + 0.4 * side, y + 0.95 * side),
                (x + 1.35 * side, y - 0.35 * side),
            ],
            1.5,
        )
    elif tick == "cross":
        _strokes(sheet, [(x + 0.1 * side, y + 0.1 * side), (x + 0.9 * side, y + 0.9 * side)], 1.3)
        _strokes(sheet, [(x + 0.9 * side, y + 0.1 * side), (x + 0.1 * side, y + 0.9 * side)], 1.3)
    elif tick == "filled":
        s = sheet.scale
        sheet.draw.rectangle(
            ((x + 0.15 * side) * s, (y + 0.15 * side) * s, (x + 0.85 * side) * s, (y + 0.85 * side) * s),
            fill=(15, 15, 15),
        )
    elif tick == "half":
        _strokes(sheet, [(x + 0.3 * side, y + 0.45 * side), (x + 0.65 * side, y + 0.55 * side)], 1.6)


def _strokes(sheet: _Sheet, points: Sequence[tuple[float, float]], pen: float) -> None:
    s = sheet.scale
    sheet.draw.line(
        [(a * s, b * s) for a, b in points], fill=(20, 20, 40), width=max(1, round(pen * s)), joint="curve"
    )


def statistics_page(
    paper: StatisticsPaper, font: str = "song", dpi: int = 150, size: float = 12
) -> Image.Image:
    """附件2 on a lying A4 sheet."""
    sheet = _Sheet(842, 595, dpi, font, 0.7)
    sheet.text(60, 56, "附件2", size)
    sheet.text(250, 70, "“难点问题书记一线办”开展情况统计表", 18)
    sheet.text(60, 106, f"填报单位：{paper.unit}", size)
    date = f"填报时间：{paper.date}"
    after = max(300.0, 85 + sheet.width(f"填报单位：{paper.unit}", size))
    sheet.text(after, 106, date, size)
    sheet.text(
        after + sheet.width(date, size) + 24, 106, f"联系人及电话：{paper.contact} {paper.phone}", size
    )
    edges = (55, 235, 305, 460, 600, 690, 787)
    top, head, step = 126, 164, 34
    bottom = head + step * len(paper.rows)
    for x in edges:
        sheet.line(x, top, x, bottom)
    for y in (top, *(head + step * number for number in range(len(paper.rows) + 1))):
        sheet.line(edges[0], y, edges[-1], y)
    for heading, x, end in zip(STATISTICS_HEADINGS, edges, edges[1:], strict=False):
        sheet.wrapped(x + 6, top + 3, end - x - 12, heading, size)
    for number, row in enumerate(paper.rows):
        for text, x, end in zip(row, edges, edges[1:], strict=False):
            left = x + 6 if len(text) > 4 else (x + end - sheet.width(text, size)) / 2
            sheet.wrapped(left, head + number * step + 8, end - x - 10, text, size)
    sheet.wrapped(
        58,
        bottom + 4,
        720,
        "说明：（1）此表由各市直学校填报校本级平台开展情况；（2）此表每两个月报送一次。",
        10,
    )
    return sheet.image


# ---------------------------------------------------------------- what happens to paper


def stamped(page: Image.Image, name: str, x: float, y: float, share: float = 0.2) -> Image.Image:
    """The page with a round red seal whose middle is at this share of its width and height."""
    side = round(min(page.size) * share)
    layer = Image.new("RGBA", page.size, (0, 0, 0, 0))
    draw = ImageDraw.Draw(layer)
    cx, cy, radius = x * page.width, y * page.height, side / 2
    red = (214, 32, 40, 205)
    draw.ellipse((cx - radius, cy - radius, cx + radius, cy + radius), outline=red, width=max(2, side // 45))
    star = [
        (
            cx + radius * (0.3 if number % 2 == 0 else 0.12) * math.sin(number * math.pi / 5),
            cy - radius * (0.3 if number % 2 == 0 else 0.12) * math.cos(number * math.pi / 5),
        )
        for number in range(10)
    ]
    draw.polygon(star, fill=red)
    font = face("song", max(8, side // 9))
    for number, char in enumerate(name):
        angle = math.radians(-120 + 240 * (number + 0.5) / len(name))
        tile = Image.new("RGBA", (side // 6, side // 6), (*red[:3], 0))
        ImageDraw.Draw(tile).text((1, 0), char, font=font, fill=red)
        tile = tile.rotate(-math.degrees(angle), resample=Image.Resampling.BICUBIC)
        at = (cx + 0.78 * radius * math.sin(angle), cy - 0.78 * radius * math.cos(angle))
        layer.alpha_composite(tile, (max(0, round(at[0] - side / 12)), max(0, round(at[1] - side / 12))))
    paper, ink = np.asarray(page, np.float32), np.asarray(layer, np.float32)
    cover = ink[:, :, 3:] / 255
    mixed = paper * (1 - cover) + np.minimum(paper, paper * ink[:, :, :3] / 255 + 0.1 * ink[:, :, :3]) * cover
    return Image.fromarray(np.clip(mixed, 0, 255).astype(np.uint8))


def scanned(
    page: Image.Image, seed: int = 1, tilt: float = 1.0, blur: float = 0.5, noise: float = 5.0
) -> Image.Image:
    """The page as a flatbed scanner gives it: a little askew, grainy, soft."""
    chance = np.random.default_rng(seed)
    turned = page.rotate(tilt, resample=Image.Resampling.BICUBIC, fillcolor="white")
    pixels: npt.NDArray[Any] = np.asarray(turned, np.float32)
    if blur:
        pixels = cv2.GaussianBlur(pixels, (0, 0), blur)
    pixels = pixels * 0.96 + 6 + chance.normal(0, noise, pixels.shape)
    return Image.fromarray(np.clip(pixels, 0, 255).astype(np.uint8))


def photographed(page: Image.Image, seed: int = 1, lean: float = 0.04, side: int = 2000) -> Image.Image:
    """The page as a telephone gives it: on a dark desk, from a slant, with a shadow across."""
    chance = random.Random(seed)
    width, height = page.size
    desk = (round(width * 1.16), round(height * 1.14))

    def corner(x: float, y: float) -> tuple[float, float]:
        return (
            desk[0] * (0.07 + 0.86 * x) + chance.uniform(-lean, lean) * width,
            desk[1] * (0.07 + 0.86 * y) + chance.uniform(-lean, lean) * height,
        )

    target = np.array([corner(0, 0), corner(1, 0), corner(1, 1), corner(0, 1)], np.float32)
    source = np.array([(0, 0), (width, 0), (width, height), (0, height)], np.float32)
    matrix = cv2.getPerspectiveTransform(source, target)
    photo: npt.NDArray[Any] = cv2.warpPerspective(
        np.asarray(page), matrix, desk, flags=cv2.INTER_AREA, borderValue=(74, 62, 50)
    ).astype(np.float32)
    shade = (
        0.72 + 0.28 * np.linspace(0, 1, desk[0])[None, :, None] * np.linspace(1, 0.85, desk[1])[:, None, None]
    )
    photo = cv2.GaussianBlur(photo, (0, 0), 0.8) * shade + np.random.default_rng(seed).normal(
        0, 4, photo.shape
    )
    image = Image.fromarray(np.clip(photo, 0, 255).astype(np.uint8))
    image.thumbnail((side, side), Image.Resampling.LANCZOS)
    return image


def jpeg(page: Image.Image, quality: int = 75) -> bytes:
    target = io.BytesIO()
    page.save(target, "JPEG", quality=quality)
    return target.getvalue()


def scan_pdf(*pages: Image.Image) -> bytes:
    """A PDF that holds nothing but pictures of pages."""
    target = io.BytesIO()
    pages[0].save(target, "PDF", save_all=True, append_images=list(pages[1:]), resolution=150.0)
    return target.getvalue()
