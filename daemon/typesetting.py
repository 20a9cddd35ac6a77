"""How values look in a Chinese letter: dates, bounded texts, and tables aligned for full-width type.

Pure functions; `letters` gives them to the templates as filters. Inside a value a line break travels as
LINE, so that it can never be taken for a line of the template.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Sequence
from datetime import date, datetime, time

from markupsafe import Markup, escape

LINE = "\x1f"
"""A line break within a value."""
OPEN, CLOSE = "\x02", "\x03"
"""Around what a macro has already laid out; the text between such blocks is set as paragraphs."""

LONGEST_TEXT = 3000
LONGEST_LABEL = 24
TEXT_WIDTH = 76
INDENT = "　　"
_WEEKDAYS = "一二三四五六日"
_INVISIBLE = re.compile(
    "[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u200b-\u200f\u202a-\u202e\u2060-\u2069\ufeff\ud800-\udfff]"
)
_LAID_OUT = re.compile(f"{OPEN}(.*?){CLOSE}", re.DOTALL)


def clean_text(text: str, longest: int = LONGEST_TEXT) -> str:
    """A text without control and direction characters, not longer than `longest`, its breaks as LINE."""
    flat = (text if text.isprintable() else _INVISIBLE.sub("", _plain_breaks(text))).strip()
    if len(flat) > longest:
        flat = flat[:longest].rstrip() + "……（以下从略，全文见附件或来信）"
    return re.sub(r"\n{2,}", "\n", flat).replace("\n", LINE) if "\n" in flat else flat


def _plain_breaks(text: str) -> str:
    return re.sub(r"\r\n?|[\u2028\u2029\x85\x0b\x0c]", "\n", text).replace("\t", " ")


def one_line(text: str) -> str:
    """The text with its line breaks turned into blanks."""
    return re.sub(rf"[\s{LINE}]+", " ", text).strip()


def short(text: str, longest: int = 30) -> str:
    """The beginning of a text, on one line."""
    flat = one_line(text)
    return flat if len(flat) <= longest else flat[: longest - 1] + "…"


def chinese_date(day: date) -> str:
    """2022年1月5日（星期三）."""
    return f"{signature_date(day)}（星期{_WEEKDAYS[day.weekday()]}）"


def visit_words(day: date, start: time | None) -> str:
    """When people are to come: 2022年1月26日（星期三）下午3:00."""
    return chinese_date(day) + (visit_hour(start) or "")


def visit_hour(start: time | None) -> str | None:
    """下午3:00."""
    if start is None:
        return None
    return f"{'上午' if start.hour < 12 else '下午'}{start.hour % 12 or 12}:{start.minute:02}"


def signature_date(day: date) -> str:
    """2022年1月5日."""
    return f"{day.year}年{day.month}月{day.day}日"


def chinese_moment(moment: datetime) -> str:
    """2022年1月4日（星期二）9:30, in the time zone that the moment carries."""
    return f"{chinese_date(moment)}{moment.hour}:{moment.minute:02d}"


def width(text: str) -> int:
    """How many half-width columns a text takes in Chinese type."""
    return sum(
        2 if unicodedata.east_asian_width(c) in "WFA" else 0 if unicodedata.combining(c) else 1 for c in text
    )


def padded(text: str, columns: int) -> str:
    """The text filled up to so many columns, with full-width blanks wherever they fit."""
    missing = max(0, columns - width(text))
    return text + " " * (missing % 2) + "　" * (missing // 2)


def text_facts(facts: Iterable[tuple[str, str]]) -> str:
    """Labels left and values right, each line behind a bar: it cannot be read as an order."""
    pairs = [(one_line(label), value) for label, value in facts]
    column = max((width(label) for label, _ in pairs), default=0)
    lines: list[str] = []
    for label, value in pairs:
        first, *rest = value.split(LINE)
        lines.append(f"│ {padded(label, column)} │ {first}")
        lines += [f"│ {padded('', column)} │ {line}" for line in rest]
    return "\n".join(lines)


def text_table(headings: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """An aligned table if it fits the width of a mail, else one small record a row."""
    cells = [[str(cell) for cell in row] for row in rows]
    columns = [max(width(cell) for cell in column) for column in zip(headings, *cells, strict=True)]
    fits = sum(columns) + 4 * len(columns) <= TEXT_WIDTH and not any(LINE in c for row in cells for c in row)
    if not fits:
        return "\n│\n".join(text_facts(zip(headings, row, strict=True)) for row in cells)
    rule = "├" + "┼".join("─" * (column // 2 + 1 + column % 2) for column in columns)
    body = [
        "│ " + " │ ".join(padded(c, w) for c, w in zip(row, columns, strict=True))
        for row in [headings, *cells]
    ]
    return "\n".join(line.rstrip("　 ") for line in (body[0], rule, *body[1:]))


def text_lines(text: str, prefix: str) -> str:
    """Every line of a value behind a prefix."""
    return "\n".join(prefix + line for line in text.split(LINE))


def text_right(text: str) -> str:
    """A line pushed to the right, as a signature block stands."""
    return "　" * max(0, (TEXT_WIDTH - 8 - width(text)) // 2) + text


def text_centred(text: str) -> str:
    """A line in the middle."""
    return "　" * max(0, (TEXT_WIDTH - 8 - width(text)) // 4) + text


def text_paragraphs(body: str) -> str:
    """The body of a plain letter: prose between laid-out blocks becomes indented paragraphs."""
    blocks: list[str] = []
    for index, piece in enumerate(_LAID_OUT.split(body)):
        blocks += [piece] if index % 2 else [INDENT + prose for prose in _prose(piece)]
    return "\n\n".join(blocks)


def html_paragraphs(body: str) -> Markup:
    """The body of an HTML letter; what arrives is already escaped."""
    style = "margin:0 0 12px 0;text-indent:2em;font-size:16px;line-height:1.8;color:#222222;"
    blocks: list[str] = []
    for index, piece in enumerate(_LAID_OUT.split(str(body))):
        blocks += [piece] if index % 2 else [f'<p style="{style}">{prose}</p>' for prose in _prose(piece)]
    return Markup("\n".join(blocks))  # noqa: S704 (escaped by the template that made it)


def html_lines(text: str) -> Markup:
    """A value with its own line breaks shown."""
    return Markup("<br>").join(escape(line) for line in text.split(LINE))


def _prose(piece: str) -> list[str]:
    """The paragraphs of a stretch of template text: parted by blank lines, joined within."""
    chunks = re.split(r"\n[ \t]*\n", piece)
    return [text for chunk in chunks if (text := _joined(chunk))]


def _joined(chunk: str) -> str:
    return "".join(line.strip(" \t") for line in chunk.split("\n")).replace(LINE, " ")


def session_name(code: str | None) -> str:
    """2022年第1期, of QC-2022-01; empty for what is no session."""
    found = re.fullmatch(r"QC-(\d{4})-(\d+)", code or "")
    return f"{found[1]}年第{int(found[2])}期" if found else ""
