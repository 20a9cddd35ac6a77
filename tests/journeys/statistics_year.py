"""What twelve invented schools do in a year of statistics, and what the rules demand of it, said a second time.

Holidays are written out by hand, so that a fault in the product's calendar cannot hide behind itself.
"""

from __future__ import annotations

import io
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from email.message import EmailMessage

import openpyxl

from daemon.documents import Filling, blank_form
from daemon.envelope import Attachment
from tests.journeys.town import NAMES, ZONE, parsed, school_address

SCHOOLS = 12
FREE = {
    *(date(2022, 1, 1) + timedelta(n) for n in range(3)),
    *(date(2022, 1, 31) + timedelta(n) for n in range(7)),
    *(date(2022, 4, 3) + timedelta(n) for n in range(3)),
    *(date(2022, 4, 30) + timedelta(n) for n in range(5)),
    *(date(2022, 6, 3) + timedelta(n) for n in range(3)),
    *(date(2022, 9, 10) + timedelta(n) for n in range(3)),
    *(date(2022, 10, 1) + timedelta(n) for n in range(7)),
    *(date(2022, 12, 31) + timedelta(n) for n in range(3)),
}
MADE_UP = {
    date(2022, 1, 29), date(2022, 1, 30), date(2022, 4, 2), date(2022, 4, 24), date(2022, 5, 7),
    date(2022, 10, 8), date(2022, 10, 9),
}  # fmt: skip
DAYS = [date(2021, 11, 1) + timedelta(n) for n in range(460)]
WORKED = [day for day in DAYS if day in MADE_UP or (day.weekday() < 5 and day not in FREE)]
DUE_DAYS = [date(2022, month, 5) for month in (1, 3, 5, 7, 9, 11)]
Demand = tuple[str, str, str, date]
"""Period, step, whose letter it is, the day on which it goes out."""


def before(due: date, count: int) -> date:
    return [day for day in WORKED if day < due][-count]


def after(due: date, count: int) -> date:
    return [day for day in WORKED if day > due][count - 1]


def code_of(due: date) -> str:
    return f"TJ-{due.year}-{due.month:02d}"


def on(day: date, clock: str = "09:30") -> datetime:
    return datetime.combine(day, time.fromisoformat(clock), ZONE)


def name_of(school: int) -> str:
    return f"贵港市{NAMES[school]}"


# --- what they do ----------------------------------------------------------------------------------------

HABITS = (
    *(
        "prefilled_xlsx",
        "prefilled_docx",
        "last_minute",
        "twice",
        "broken_then_right",
        "broken",
        "after_chase",
    ),
    *("after_freeze", "claims", "never", "nil", "unknown_sender"),
)


@dataclass(frozen=True)
class Act:
    """One mail of one school: `how` it is made, and the four figures in it (None: left empty)."""

    at: datetime
    school: int
    how: str
    figures: tuple[int | None, ...] = (3, 1, 2, 4)


def habit_of(school: int, due: date) -> str:
    return HABITS[(school + 5 * DUE_DAYS.index(due)) % len(HABITS)]


def acts_of(school: int, due: date) -> Iterator[Act]:
    """What a school does about the return that is due on a day."""
    branches, solved = 2 + school % 3, (school * due.month) % 7
    good = (branches, 1, 2 + school % 2, solved)
    opened, first, frozen = before(due, 10), after(due, 1), after(due, 5)
    match habit_of(school, due):
        case "prefilled_xlsx" | "prefilled_docx" as how:
            yield Act(on(opened + timedelta(days=1), "10:00"), school, how, good)
        case "last_minute":
            yield Act(on(due, "23:58"), school, "form", good)
        case "twice":
            yield Act(on(opened + timedelta(days=1), "20:00"), school, "form", good)
            yield Act(on(due, "08:00"), school, "form", (branches, 1, 2, solved + 1))
        case "broken_then_right":
            yield Act(on(opened + timedelta(days=1)), school, "form", (None, 1, 2, 3))
            yield Act(on(first, "14:00"), school, "correction", good)
        case "broken":
            yield Act(on(opened + timedelta(days=2)), school, "form", (None, 0, 2, 3))
        case "after_chase":
            yield Act(on(first, "11:00"), school, "form", good)
        case "after_freeze":
            yield Act(on(frozen + timedelta(days=1), "10:00"), school, "form", good)
        case "claims":
            yield Act(on(first, "15:00"), school, "claim")
        case "nil":
            yield Act(on(before(due, 4), "03:00"), school, "form", (branches, 0, 0, 0))
        case "unknown_sender":
            yield Act(on(before(due, 5)), school, "stranger", good)


# --- what the rules demand -----------------------------------------------------------------------------


def in_peace(school: int, due: date, at: datetime) -> bool:
    """Whether nobody may be reminded: the form is here (good, or under examination), or is said to be."""
    mine = [act for act in acts_of(school, due) if act.at <= at]
    return any(act.how in ("claim", "stranger") or act.figures[0] is not None for act in mine)


def demanded(due: date) -> Counter[Demand]:
    """Every letter of the calendar for one period."""
    code, letters = code_of(due), Counter[Demand]()
    steps = {
        "statistics_opening": before(due, 10), "statistics_reminder": before(due, 3),
        "statistics_chase 1": after(due, 1), "statistics_chase 2": after(due, 3),
    }  # fmt: skip
    for step, day in steps.items():
        for school in range(SCHOOLS):
            if not in_peace(school, due, on(day, "09:00")):
                letters[code, step, school_address(school), day] += 1
    for step in ("missing_list", "rollup", "circular_draft", "question"):
        letters[code, step, "office", after(due, 5)] += 1
    return letters


def days_of(due: date) -> list[date]:
    """The days on which the calendar has something to do."""
    return [before(due, 10), before(due, 3), *(after(due, n) for n in (1, 3, 5))]


# --- forms -------------------------------------------------------------------------------------------------


def form(school: int, figures: tuple[int | None, ...], file: str = "xlsx") -> Attachment:
    """A form as a school fills it in by itself."""
    names = ("party_branches", "platforms", "sessions_held", "problems_solved")
    row = {"unit": name_of(school), **dict(zip(names, figures, strict=True))}
    head = {
        "reporting_unit": name_of(school),
        "contact_name": f"联系人{school}",
        "contact_phone": "13800001234",
    }
    return blank_form("statistics", file, prefill=Filling(head, [row]))  # type: ignore[arg-type]


def filled_in(blank: Attachment, figures: tuple[int | None, ...]) -> Attachment:
    """The prefilled form of an opening letter, with the four figures typed into it."""
    fill = _fill_workbook if blank.name.endswith(".xlsx") else _fill_document
    return Attachment(blank.name, fill(blank.data, figures), blank.mime)


def _fill_workbook(data: bytes, figures: tuple[int | None, ...]) -> bytes:
    book = openpyxl.load_workbook(io.BytesIO(data))
    page = book.worksheets[0]
    top = next(row for row in range(1, 20) if page.cell(row, 1).value == "单位名称")
    for column, figure in enumerate(figures, 2):
        page.cell(top + 1, column).value = figure
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


def _fill_document(data: bytes, figures: tuple[int | None, ...]) -> bytes:
    from docx import Document

    document = Document(io.BytesIO(data))
    for cell, figure in zip(document.tables[-1].rows[1].cells[1:5], figures, strict=True):
        cell.text = str(figure)
    out = io.BytesIO()
    document.save(out)
    return out.getvalue()


# --- the sums by other means ---------------------------------------------------------------------------


def figures_in(raw: bytes) -> tuple[int, ...] | None:
    """The four figures of the table in a mail, read without any code of the product; None without a whole one."""
    for part in parsed(raw).iter_attachments():
        name, data = str(part.get_filename()), part.get_payload(decode=True)
        assert isinstance(data, bytes) and isinstance(part, EmailMessage)
        cells = _cells_of_workbook(data) if name.endswith(".xlsx") else _cells_of_document(data)
        if all(cell.isdecimal() for cell in cells):
            return tuple(map(int, cells))
    return None


def _cells_of_workbook(data: bytes) -> list[str]:
    page = openpyxl.load_workbook(io.BytesIO(data)).worksheets[0]
    top = next(row for row in range(1, 20) if page.cell(row, 1).value == "单位名称")
    return [str(page.cell(top + 1, column).value) for column in range(2, 6)]


def _cells_of_document(data: bytes) -> list[str]:
    from docx import Document

    return [cell.text.strip() for cell in Document(io.BytesIO(data)).tables[-1].rows[1].cells[1:5]]
