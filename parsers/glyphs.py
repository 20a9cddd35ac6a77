"""The three plain tick glyphs for whatever stands in a file for a box, ticked or not.

Word, WPS and Outlook draw boxes with symbol fonts, in which an ordinary letter looks like a box;
people type a dozen different ticks. All of them are lines in the tables here.
"""

from __future__ import annotations

from collections.abc import Mapping

from parsers.content import TICK_OFF, TICK_ON

SYMBOL_FONTS: Mapping[str, Mapping[int, str]] = {
    "wingdings": {
        0xFE: TICK_ON,
        0xFD: TICK_ON,
        0x78: TICK_ON,
        0xFC: "√",
        0xFB: "×",
        0x6E: "■",
        0xA8: TICK_OFF,
        0x6F: TICK_OFF,
        0x71: TICK_OFF,
        0x72: TICK_OFF,
        0xA1: TICK_OFF,
    },
    "wingdings 2": {
        0x50: "√",
        0x4F: "×",
        0x51: TICK_ON,
        0x52: TICK_ON,
        0x53: TICK_ON,
        0x54: TICK_ON,
        0x2A: TICK_OFF,
        0x30: TICK_OFF,
        0xA3: TICK_OFF,
        0xA2: "■",
    },
    "webdings": {0x61: "√", 0x63: TICK_OFF, 0x67: "■"},
    "marlett": {0x61: "√", 0x62: "√"},
}
"""Low byte of the code point in a symbol font -> glyph."""

ON = frozenset("☑✓✔√🗸🗹✅■◼⬛▣●◉◆☆★")
OFF = frozenset("□☐◻▢⬜❏❑○◯◇")
CROSS = frozenset("☒×✗✘✕✖⊠☓🗵⊗")
"""A crossed box is a tick for some people and a refusal for others."""

SUPERSCRIPT = "⁰¹²³⁴⁵⁶⁷⁸⁹"
SUBSCRIPT = "₀₁₂₃₄₅₆₇₈₉"
RAISED = frozenset(SUPERSCRIPT + SUBSCRIPT)
"""Digits set above or below the line: the mark of a note or an exponent, never a digit of the number beside."""
_AS_SUPERSCRIPT = str.maketrans("0123456789", SUPERSCRIPT)
_AS_SUBSCRIPT = str.maketrans("0123456789", SUBSCRIPT)


def shifted(text: str, position: str | None) -> str:
    """The text with its digits raised or lowered, as CSS and office files call it: super, sub, superscript …"""
    if position is None or not position.startswith(("sub", "super")):
        return text
    return text.translate(_AS_SUBSCRIPT if position.startswith("sub") else _AS_SUPERSCRIPT)


def symbol(font: str | None, code: int) -> str | None:
    """The glyph that this code point of this symbol font draws; None if the font is no symbol font or has none."""
    table = SYMBOL_FONTS.get((font or "").strip().strip("\"'").lower())
    return table.get(code & 0xFF) if table else None


def through_font(text: str, font: str | None) -> str:
    """The text with letters of a symbol font replaced by the glyphs that they draw."""
    if (font or "").strip().strip("\"'").lower() not in SYMBOL_FONTS:
        return text
    return "".join(
        (symbol(font, ord(char)) or char) if ord(char) < 0x100 or 0xF000 <= ord(char) <= 0xF0FF else char
        for char in text
    )
