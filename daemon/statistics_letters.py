"""The letters of the statistics calendar: from what is due to the letter, its readers and its files.

The forecast shows what these functions give, and the calendar sends it: there is no second way.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Final

from daemon import documents, letters
from daemon.clock import local_day
from daemon.desk import Desk
from daemon.envelope import Attachment
from daemon.figures import Figures, SchoolFigures, changes
from daemon.model import ReturnState, Unit, UnitKind
from daemon.period_records import PeriodRecords, registry
from daemon.periods import Order, Period, SchoolState, Step
from daemon.returns import COUNT_NAMES, FiledReturn
from daemon.statistics_workbooks import rollup_workbook

XLSX: Final = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
DOCX: Final = "application/vnd.openxmlformats-officedocument.wordprocessingml.document"


def _no_files() -> Sequence[Attachment]:
    return ()


@dataclass(frozen=True)
class Prepared:
    """A letter of the calendar as it would go out at its moment; its files are made only when it does."""

    letter: letters.Letter
    to: tuple[str, ...]
    cc: tuple[str, ...] = ()
    unit: Unit | None = None
    files: Callable[[], Sequence[Attachment]] = _no_files


def prepared(order: Order, records: PeriodRecords) -> Prepared:
    """The letter that an order of the calendar asks for; not for the freeze, which is none."""
    if order.unit_id is None:
        return OFFICE_LETTERS[order.step](order, records)
    unit = records.desk.directory.unit(order.unit_id)
    assert unit is not None
    return Prepared(
        letter=SCHOOL_LETTERS[order.step](order, records, unit),
        to=records.addresses(unit),
        cc=tuple(a for a in unit.head_addresses if a not in records.bounced) if order.copy_to_head else (),
        unit=unit,
        files=lambda: prefilled_forms(records, unit) if order.step is Step.OPENING else (),
    )


def _day(order: Order, desk: Desk) -> date:
    return local_day(order.goes_at, desk.config.zone)


# --- to a school -----------------------------------------------------------------------------------------


def _opening(order: Order, records: PeriodRecords, unit: Unit) -> letters.Letter:
    period, last = order.period, records.last_return(unit)
    filling = _filling(unit, last)
    row = filling.items[0]
    branches = [item.get("party_branches") for item in filling.items]
    known = [str(count) for count in branches if count is not None]
    prefilled = (
        letters.Fact("单位名称", "、".join(str(item["unit"]) for item in filling.items)),
        *([letters.Fact("党支部数", "、".join(known))] if known and row else []),
        letters.Fact("联系人", _text(filling.fields.get("contact_name"))),
        letters.Fact("联系电话", _text(filling.fields.get("contact_phone"))),
    )
    before = records.desk.timeline().before(period).code
    return letters.StatisticsOpening(
        to_name=unit.name,
        date=_day(order, records.desk),
        covers=period.covers_in_chinese,
        due=period.due,
        prefilled=prefilled,
        last_time=_last_time(last) if last is not None and last.period == before else (),
        without_platform=order.without_platform,
        is_reminder=order.is_reminder_too,
    )


def _last_time(last: FiledReturn) -> tuple[letters.Fact, ...]:
    pairs = zip(COUNT_NAMES.values(), last.counts.values, strict=True)
    return tuple(letters.Fact(label, str(value)) for label, value in pairs)


def _text(value: object) -> str | None:
    return str(value) if value else None


def _reminder(order: Order, records: PeriodRecords, unit: Unit) -> letters.Letter:
    day = _day(order, records.desk)
    return letters.StatisticsReminder(
        to_name=unit.name,
        date=day,
        covers=order.period.covers_in_chinese,
        due=order.period.due,
        working_days_left=records.desk.calendar.workdays_between(day, order.period.due),
        awaiting_correction=order.awaiting_correction,
        without_platform=order.without_platform,
    )


def _chase(order: Order, records: PeriodRecords, unit: Unit) -> letters.Letter:
    day = _day(order, records.desk)
    return letters.StatisticsChase(
        to_name=unit.name,
        date=day,
        covers=order.period.covers_in_chinese,
        due=order.period.due,
        # Its words: who was never chased is not told that he was.
        level=1 if order.first_chase else 2,
        listed_on=order.period.missing_list if order.period.missing_list > day else None,
        awaiting_correction=order.awaiting_correction,
    )


SCHOOL_LETTERS: Final[Mapping[Step, Callable[[Order, PeriodRecords, Unit], letters.Letter]]] = {
    Step.OPENING: _opening,
    Step.REMINDER: _reminder,
    Step.CHASE_1: _chase,
    Step.CHASE_2: _chase,
}


def prefilled_forms(records: PeriodRecords, unit: Unit) -> tuple[Attachment, ...]:
    """The form of a period for a school with what is known already, as xlsx and as docx."""
    filling = _filling(unit, records.last_return(unit))
    formats: tuple[documents.FileFormat, ...] = ("xlsx", "docx")
    return tuple(
        documents.blank_form(
            "statistics",
            format,
            prefill=filling,
            identity=records.period.code,
            office=records.desk.office.contact,
        )
        for format in formats
    )


def _filling(unit: Unit, last: FiledReturn | None) -> documents.Filling:
    """Unit, branches and contact of last time; figures of activity are never carried over."""
    head = {
        "reporting_unit": unit.name,
        "contact_name": (last.contact_name if last else None) or unit.contact,
        "contact_phone": (last.contact_phone if last else None) or unit.phone,
    }
    rows = [
        {"unit": row.unit or unit.name, "party_branches": row.party_branches}
        for row in (last.rows if last else ())
    ]
    return documents.Filling(head, rows or [{"unit": unit.name}])


# --- to the offices ----------------------------------------------------------------------------------------


def office_of(desk: Desk, kind: UnitKind = UnitKind.COMMITTEE_OFFICE) -> tuple[Unit | None, tuple[str, ...]]:
    """An office and its addresses; the administrator's for a committee office that the directory lacks."""
    unit = next(iter(desk.directory.of_kind(kind)), None)
    if unit is not None:
        return unit, unit.addresses
    admin = desk.config.office.admin if kind is UnitKind.COMMITTEE_OFFICE else None
    return None, (admin,) if admin else ()


def _missing_list(order: Order, records: PeriodRecords) -> Prepared:
    desk = records.desk
    states = records.states
    unit, to = office_of(desk)
    letter = letters.MissingList(
        to_name="工委办",
        date=_day(order, desk),
        covers=order.period.covers_in_chinese,
        due=order.period.due,
        expected=len(states),
        missing=tuple(_school_lines(records, lambda s: s.state is ReturnState.MISSING)),
        to_mend=tuple(_school_lines(records, lambda s: s.state in (ReturnState.RETURNED, ReturnState.HELD))),
        late=tuple(_school_lines(records, lambda s: s.state is ReturnState.LATE)),
        bounced=tuple(_school_lines(records, lambda s: not s.reachable and not s.filed)),
    )
    return Prepared(letter, to, unit=unit)


def _school_lines(
    records: PeriodRecords, wanted: Callable[[SchoolState], bool]
) -> Iterator[letters.SchoolLine]:
    for unit in records.desk.directory.schools:
        state = records.states[unit.id]
        if wanted(state):
            yield letters.SchoolLine(unit.name, unit.contact, unit.phone, _note(state))


def _note(state: SchoolState) -> str | None:
    notes = (
        "已报来，待工委办核实" if state.state is ReturnState.HELD else None,
        "已退回补正，尚未重报" if state.state is ReturnState.RETURNED else None,
        "来信称已报，待核对" if state.claimed and not state.filed else None,
        None if state.reachable else "邮箱退信或缺邮箱",
    )
    return "；".join(note for note in notes if note) or None


def _rollup(order: Order, records: PeriodRecords) -> Prepared:
    desk = records.desk
    unit, to = office_of(desk)
    letter = rollup_letter(order.period, records.figures, _day(order, desk))
    return Prepared(letter, to, unit=unit, files=lambda: (rollup_file(desk, records.figures),))


def rollup_letter(
    period: Period, figures: Figures, day: date, before: Figures | None = None
) -> letters.Rollup:
    """The summary of a period in words; `before`, what it was when it was sent last."""
    previous = figures.previous.counts.values if figures.previous else (None,) * len(COUNT_NAMES)
    counts = zip(COUNT_NAMES.values(), figures.total.counts.values, previous, strict=True)
    return letters.Rollup(
        to_name="工委办",
        date=day,
        covers=period.covers_in_chinese,
        due=period.due,
        expected=figures.total.expected,
        filed=figures.total.filed,
        figures=tuple(letters.Figure(label, now, then) for label, now, then in counts),
        missing=tuple(_not_filed(school) for school in figures.missing),
        late=tuple(school.name for school in figures.late),
        checks=tuple(letters.Mend("；".join(school.doubts), school.name) for school in figures.doubtful),
        changes=changes(before, figures) if before is not None else (),
    )


def _not_filed(school: SchoolFigures) -> str:
    """A school that has not filed, with what the office should know before it takes it to task."""
    if school.only_claims:
        return f"{school.name}（声明已报，待核对）"
    known = {ReturnState.RETURNED: "已退回补正", ReturnState.HELD: "来件待核实"}.get(school.state)
    return f"{school.name}（{known}）" if known else school.name


def rollup_file(
    desk: Desk, figures: Figures, *, for_circular: bool = False, draft: str | None = None
) -> Attachment:
    """The summary of a period as a workbook. `draft`: the identity of a circular's draft."""
    registered = () if for_circular else registry(desk)
    book = rollup_workbook(figures, registered, for_circular=for_circular, draft=draft)
    return Attachment(f"{figures.covers}“难点问题书记一线办”开展情况汇总表.xlsx", book, XLSX)


OFFICE_LETTERS: Final[Mapping[Step, Callable[[Order, PeriodRecords], Prepared]]] = {
    Step.MISSING_LIST: _missing_list,
    Step.ROLLUP: _rollup,
}
