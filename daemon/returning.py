"""Workbooks of ours that came back, edited: their orders carried out row by row, and read back.

A workbook counts only from somebody to whom it was sent, in a reply to a letter of ours; the clue register
alone is a form of the office's own and may come by itself.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import date, datetime, time
from typing import Any

from daemon import dispatch, holding, ledgers, session_choice, standing, typesetting
from daemon.desk import Desk
from daemon.events import (
    Actor,
    CompletionReported,
    Event,
    MeasureDone,
    MeasuresSet,
    MechanismNoted,
    OnSite,
    Reassigned,
    Registered,
    handling_events,
    returned_measures,
)
from daemon.filing import Sender
from daemon.holding import Fate
from daemon.letters import Fact, Filed
from daemon.model import SOURCE_NAMES, Disposition, Problem, Source, State, Unit, UnitKind
from daemon.ordering import Done, Given, carry_out_each, section_event
from daemon.problems import Refusal
from daemon.store import questions, tables
from daemon.workflow import actor, happen
from parsers import replies
from parsers.forms import CLUE_REGISTER
from parsers.orders import Accept, Extend, Order
from parsers.values import Authentication, FindingKind, Reading, ReturnedRow, ReturnedWorkbook, Value, plain
from parsers.workbooks import MEASURES, SentWorkbook, changes, shortened, titled

PROGRESS = "办理进展"


@dataclass(frozen=True, slots=True)
class Back:
    """One workbook that came back, with the letter that had carried it."""

    desk: Desk
    mail: tables.Mail
    sender: Sender
    unit: Unit
    answered: tables.Letter | None
    letter: tables.Letter | None
    book: ReturnedWorkbook
    newest: bool = True
    """Whether its unit was sent no newer copy."""

    @property
    def sent(self) -> SentWorkbook:
        assert self.letter is not None
        return SentWorkbook.from_json(self.letter.context["workbook"])

    @property
    def taken(self) -> Taken:
        assert self.letter is not None
        return Taken(**self.letter.context.get("taken", {"fields": {}, "table": None, "measures": None}))


def returned(
    desk: Desk, mail: tables.Mail, reading: Reading, sender: Sender, answered: tables.Letter | None
) -> Fate | None:
    """The orders of the workbooks that came back, carried out; None if none of them orders anything."""
    books = (*reading.workbooks, *_typed_registers(reading))
    if not books:
        return None
    if doubt := _register_in_doubt(reading):
        return holding.unclear(desk, mail, sender, doubt, answered)
    if sender.authentication is Authentication.FAIL:
        why = "发件人身份核验未通过，可能系冒用他人邮箱，所附工作簿未予办理"
        return holding.unauthorised(desk, mail, why, answered)
    backs = [_back(desk, mail, sender, answered, book) for book in books]
    refused = [back for back in backs if isinstance(back, str)]
    good = [back for back in backs if not isinstance(back, str)]
    if not good:
        why = "；".join(dict.fromkeys(refused))
        if sender.known:
            # A section that forgot to reply in the thread should hear that its sheet was not taken.
            return holding.unclear(desk, mail, sender, why, answered, books=books)
        return holding.unauthorised(desk, mail, why, answered, books=books)
    whole = [back for back in good if back.book.kind in WHOLE]
    if whole:
        return WHOLE[whole[0].book.kind](whole[0])
    done = Done([], list(refused))
    _words(good[0], done, EARLY)
    for back in good:
        ROW_BY_ROW[back.book.kind](back, done)
    _words(good[0], done, LATE)
    return _conclude(good[0], done)


def _register_in_doubt(reading: Reading) -> str | None:
    """Why a clue register of the office's own making cannot be taken as it was read."""
    registers = [form for form in reading.forms if form.kind == CLUE_REGISTER.name]
    if registers and len(registers) < len(reading.forms):
        return "问题线索登记表与其他表格同在一信，请分开来信"
    doubts = [one.text for form in registers for one in form.findings if one.kind is FindingKind.UNCERTAIN]
    return f"问题线索登记表中有读不准的地方：{'；'.join(doubts)}" if doubts else None


def _typed_registers(reading: Reading) -> tuple[ReturnedWorkbook, ...]:
    """Clue registers of the office's own making, as the workbooks that they stand for."""
    labels = {field.name: field.label for field in CLUE_REGISTER.item}
    return tuple(
        ReturnedWorkbook(
            kind=form.kind,
            about="XS",
            version="1",
            part=form.part,
            rows=tuple(
                ReturnedRow(
                    identity="：".join(str(item.get(name) or "") for name in ("unit", "received_on")),
                    cells={labels[name]: _cell(value) for name, value in item.items() if name in labels},
                    where=f"“{form.part}”第{place}条",
                )
                for place, item in enumerate(form.items, start=1)
            ),
        )
        for form in reading.forms
        if form.kind == CLUE_REGISTER.name
    )


def _cell(value: Value) -> str | None:
    shown = plain(value)
    return str(shown) if shown is not None else None


EARLY, LATE = (Accept,), (Extend,)
"""Words that may stand beside a returned sheet, since the sheet cannot say them."""


def _words(back: Back, done: Done, kinds: tuple[type[Order], ...]) -> None:
    """What the section wrote beside its sheet."""
    if back.unit.kind is not UnitKind.SECTION or back.answered is None:
        return
    given = replies.orders(back.mail.text or "", UnitKind.SECTION.value, back.desk.today).given
    wanted = tuple(order for order in given if isinstance(order, kinds))
    if wanted:
        one = Given(back.desk, back.mail, None, back.sender, back.unit, back.answered, wanted)
        said = carry_out_each(one, lambda order: section_event(one, order))
        done.carried += said.carried
        done.refused += said.refused


def _back(
    desk: Desk,
    mail: tables.Mail,
    sender: Sender,
    answered: tables.Letter | None,
    book: ReturnedWorkbook,
) -> Back | str:
    """The workbook with its letter, or why it may not order anything."""
    clerk = sender.unit_of(UnitKind.COMMITTEE_OFFICE)
    if book.kind == CLUE_REGISTER.name and clerk is None:
        return "问题线索登记表由工委办填报，未予登记；反映难点问题请填写附件1"
    if book.kind == CLUE_REGISTER.name and clerk is not None:
        return Back(desk, mail, sender, clerk, answered, None, book)
    if book.kind not in ROW_BY_ROW and book.kind not in WHOLE:
        return f"{titled(book)}不是可以办理的工作簿"
    if answered is None:
        return f"{titled(book)}不是随对我办来信的回复发来的，为防冒用，未予办理"
    letters_with = _letters_with(desk, sender, book)
    if not letters_with:
        return f"{titled(book)}不是我办发给来信单位的工作簿，未予办理"
    same = [one for one in letters_with if one.context["workbook"]["version"] == book.version]
    letter = (same or letters_with)[-1]
    unit = next((one for one in sender.units if one.id == letter.unit_id), None) or sender.units[0]
    return Back(desk, mail, sender, unit, answered, letter, book, newest=letter is letters_with[-1])


def _letters_with(desk: Desk, sender: Sender, book: ReturnedWorkbook) -> list[tables.Letter]:
    """The letters to this sender that carried the workbook in whatever version, the newest last."""
    units = {unit.id for unit in sender.units}
    return [
        letter
        for letter in questions.letters_about(desk.session, book.about)
        if (kept := letter.context.get("workbook"))
        and (kept["kind"], kept["about"]) == (book.kind, book.about)
        and (letter.unit_id in units or sender.address in (*letter.to, *letter.cc))
    ]


def _conclude(back: Back, done: Done) -> Fate:
    overtaken = done.refused and (done.carried or not back.newest)
    alone = {filed.number for filed in done.carried} <= {back.book.about}
    # Who keeps filling in a copy that others have overtaken gets the sheet as it stands now.
    row = questions.problem(back.desk.session, back.book.about) if overtaken and alone else None
    sheet = dispatch.handling_sheet(back.desk, row) if row and back.book.kind == "handling_sheet" else None
    if not done.carried and not done.refused:
        done.refused.append("表中没有新的改动")
    dispatch.read_back(back.desk, back.mail, back.unit, done.carried, done.refused, sheet)
    return Fate(Disposition.REPLIED, "；".join(dict.fromkeys(done.refused)) or None)


# ------------------------------------------------------------------------------------ the handling sheet


def _handling_sheet(back: Back, done: Done) -> None:
    """The living sheet against what was sent: what this copy ordered before and others overtook is not new."""
    desk, number = back.desk, back.book.about
    row = questions.problem(desk.session, number)
    if row is None:
        done.refused.append(f"没有编号为{number}的难点问题")
        return
    problem = questions.problem_value(row)
    sent, taken = back.sent, back.taken
    now = ledgers.handling_sheet(problem, int(sent.version), "").sent
    changed = changes(
        sent,
        _written(back.book, taken),
        sections=session_choice.section_index(desk),
        current=_overwritable(back, problem, now),
    )
    done.refused.extend(conflict.text for conflict in changed.conflicts)
    texts = {label: text for label, text in changed.fields.items() if text and text != now.fields.get(label)}
    if PROGRESS in texts:
        texts[PROGRESS] = _new_lines(texts[PROGRESS], sent.fields.get(PROGRESS), now.fields.get(PROGRESS))
    texts = {label: text for label, text in texts.items() if text}
    table = changed.tables.get(MEASURES)
    measures = returned_measures(table, problem.measures) if table is not None else None
    done.refused.extend(_taken_out(back, now.fields, otherwise_new=bool(texts or table or changed.conflicts)))
    events = handling_events(problem, texts, measures, actor(back.unit))
    _apply(back, row, events, _corrections(texts, now.fields), done)
    _remember(back, questions.problem_value(row), texts, table is not None)


@dataclass(frozen=True, slots=True)
class Taken:
    """What one copy of a sheet has ordered so far and was carried out."""

    fields: Mapping[str, str]
    table: Sequence[Mapping[str, str]] | None
    """The measures as the copy named them."""
    measures: Sequence[Any] | None
    """The measures that stood after it."""


def _written(book: ReturnedWorkbook, taken: Taken) -> ReturnedWorkbook:
    """What a copy says beyond what it had ordered before; a blank in it orders nothing."""
    fields = {label: text for label, text in book.fields.items() if text and text != taken.fields.get(label)}
    tables = {name: rows for name, rows in book.tables.items() if _plain_rows(book) != taken.table}
    return replace(book, fields=fields, tables=tables)


def _plain_rows(book: ReturnedWorkbook) -> list[dict[str, str]]:
    """The measures of a returned sheet, without the empty rows."""
    rows = ({name: text for name, text in one.cells.items() if text} for one in book.tables.get(MEASURES, ()))
    return [row for row in rows if row]


def _overwritable(back: Back, problem: Problem, now: SentWorkbook) -> SentWorkbook:
    """The sheet as it stands, with as much taken for unchanged as this copy may overwrite.

    A section may correct what it wrote itself, in its newest copy, as long as nobody else has changed it.
    """
    sent, taken = back.sent, back.taken
    own = {
        label: sent.fields.get(label)
        for label, text in taken.fields.items()
        if back.newest and now.fields.get(label) == text
    }
    measures_own = back.newest and taken.measures == _mark(problem)
    return replace(
        now,
        fields={**now.fields, **own, PROGRESS: sent.fields.get(PROGRESS)},
        tables=sent.tables if measures_own else now.tables,
    )


def _taken_out(back: Back, now: Mapping[str, str | None], *, otherwise_new: bool) -> list[str]:
    """Cells that had said something and do not any more: nothing is taken back by an empty cell.

    A sheet without anything that it had brought before is the old blank filled in once more: then only what
    it had been sent with can be missing, unless there is nothing else in it.
    """
    sent, back_fields, taken = back.sent.fields, back.book.fields, back.taken.fields
    goes_on = any(back_fields.get(label) == text != sent.get(label) for label, text in taken.items())
    found = []
    for label, stands in now.items():
        said = back_fields.get(label)
        undone = (
            label in taken
            and said == sent.get(label) != stands
            and bool(said or goes_on or not otherwise_new)
        )
        if stands and label in back_fields and (undone or (not said and sent.get(label))):
            which = f"表中仍为原来的“{shortened(said)}”" if said else "在表中已清空"
            found.append(f"“{label}”{which}，未作改动，现为“{shortened(stands)}”")
    return found


def _corrections(texts: Mapping[str, str], before: Mapping[str, str | None]) -> dict[str, str]:
    """The new texts as the read-back shows them: what replaced something says what it replaced."""
    return {
        label: f"由“{old}”改为“{text}”" if label != PROGRESS and (old := before.get(label)) else text
        for label, text in texts.items()
    }


def _new_lines(text: str, *known: str | None) -> str:
    """The lines that stand in none of the known texts."""
    seen = "\n".join(one for one in known if one)
    return "\n".join(line for line in text.split("\n") if line.strip() and line.strip() not in seen)


def _mark(problem: Problem) -> list[Any]:
    return [
        [m.measure, m.department, m.deadline.isoformat() if m.deadline else None, m.done, m.completion]
        for m in problem.measures
    ]


def _apply(
    back: Back, row: tables.Problem, events: tuple[Event, ...], texts: Mapping[str, str], done: Done
) -> None:
    """Let the events happen in their order, a report of completion last of all."""
    ordered = sorted(events, key=lambda event: isinstance(event, (CompletionReported, MechanismNoted)))
    carried, refused = [], False
    for event in ordered:
        refusal = happen(back.desk, row, event, mail=back.mail)
        if isinstance(refusal, Refusal):
            refused = True
            done.refused.append(f"{row.number} {event.chinese}：{refusal.reason}")
        else:
            carried.append(event.chinese)
    if carried:
        shown = tuple(Fact(label, text) for label, text in texts.items()) if not refused else ()
        if any(isinstance(event, (MeasuresSet, OnSite, MeasureDone)) for event in events):
            shown += _measure_facts(questions.problem_value(row))
        facts = (
            Fact("办理事项", "、".join(dict.fromkeys(carried))),
            *shown,
            Fact("现状", State(row.state).chinese),
        )
        done.carried.append(Filed("难点问题办理单", row.number, facts))


def _measure_facts(problem: Problem) -> tuple[Fact, ...]:
    """The measures as they now stand, for the read-back."""
    return tuple(
        Fact(
            f"任务措施{place}",
            f"{one.measure}（{one.department}，{typesetting.chinese_date(one.deadline) if one.deadline else '未定'}"
            + (f"，已完成：{one.completion or ''}" if one.done else "")
            + "）",
        )
        for place, one in enumerate(problem.measures, start=1)
    )


def _remember(back: Back, problem: Problem, texts: Mapping[str, str], table_read: bool) -> None:
    """Keep what this copy ordered and now stands; what was refused is not kept, and is refused again."""
    if back.letter is None:
        return
    taken = back.taken
    stands = {label: text for label, text in texts.items() if problem.handling.get(label) == text}
    kept = Taken({**taken.fields, **stands}, taken.table, taken.measures)
    rows = _plain_rows(back.book)
    if table_read and [row["任务措施"] for row in rows] == [one.measure for one in problem.measures]:
        kept = replace(kept, table=rows, measures=_mark(problem))
    back.letter.context = {**back.letter.context, "taken": asdict(kept)}


# ----------------------------------------------------------------------------------- the clue register

SOURCES_BY_NAME: Mapping[str, Source] = {name: source for source, name in SOURCE_NAMES.items()}


def _clue_register(back: Back, done: Done) -> None:
    """Every row a problem, once: a row that was filed is not filed again."""
    desk = back.desk
    sent = SentWorkbook(back.book.kind, back.book.about, back.book.version)
    changed = changes(sent, back.book)
    done.refused.extend(f"{conflict.where}：{conflict.text}" for conflict in changed.conflicts)
    for place, clue in enumerate(changed.applied):
        cells = clue.cells
        key = f"clue:{back.book.about}:{clue.identity or ''}:{cells.get('难点问题')}:{cells.get('来源')}"
        if not questions.do_once(desk.session, key, desk.now):
            done.refused.append(f"{clue.where}：“{cells.get('难点问题')}”此前已登记")
            continue
        row = _new_clue(back, place, cells)
        happen(desk, row, Registered(by=actor(back.unit)), mail=back.mail)
        done.carried.append(
            Filed(
                "问题线索登记",
                row.number,
                (
                    Fact("来源", questions.problem_value(row).source.chinese),
                    Fact("反映单位", row.reporting_unit),
                    Fact("难点问题", row.problem),
                    Fact("具体内容及诉求", row.details or None),
                ),
            )
        )


def _new_clue(back: Back, place: int, cells: Mapping[str, str | None]) -> tables.Problem:
    desk = back.desk
    named = cells.get("反映单位") or ""
    match = desk.directory.school(named) if named else None
    school = match.unit if match and match.unit and match.unit.kind is UnitKind.SCHOOL else None
    received = _received(back, cells.get("收到日期"))
    row = tables.Problem(
        number=desk.number("ND", received.astimezone(desk.config.zone).year),
        code=desk.code(),
        state=State.RECEIVED.value,
        state_since=desk.now,
        unit_id=school.id if school else None,
        reporting_unit=school.name if school else named or "（未注明）",
        source=SOURCES_BY_NAME.get(cells.get("来源") or "", Source.LETTERS_AND_VISITS).value,
        problem=cells.get("难点问题") or "",
        details=cells.get("具体内容及诉求") or "",
        levels=["secretary"],
        sections_asked=[],
        remarks=cells.get("备注"),
        received_at=received,
        mail_id=back.mail.id,
        item=place,
        assist_section_ids=[],
        handling={},
        similar=[],
    )
    desk.session.add(row)
    desk.session.flush()
    text = f"工委办登记线索：{cells.get('来源')}"
    desk.record(row.number, "received", by=back.unit.name, mail=back.mail, to_state=row.state, text=text)
    return row


def _received(back: Back, day: str | None) -> datetime:
    """The day that the office wrote, or that of its mail; never one that is still to come."""
    if not day:
        return back.mail.received_at
    noon = datetime.combine(date.fromisoformat(day), time(12), back.desk.config.zone)
    return min(noon, back.mail.received_at)


# -------------------------------------------------------------------------------------------- the ledger


def _ledger(back: Back, done: Done) -> None:
    """The office's changes of sections and deadlines."""
    desk = back.desk
    if back.unit.kind is not UnitKind.COMMITTEE_OFFICE:
        done.refused.append("只有工委办可以修改台账")
        return
    numbers = [row.identity for row in back.book.rows if row.identity]
    current = {row.number: _ledger_cells(desk, row) for row in questions.problem_rows(desk.session, numbers)}
    sent = back.sent
    now = replace(sent, rows={key: {**cells, **current.get(key, {})} for key, cells in sent.rows.items()})
    changed = changes(sent, back.book, sections=session_choice.section_index(desk), current=now)
    done.refused.extend(conflict.text for conflict in changed.conflicts)
    for change in changed.applied:
        row = questions.problem(desk.session, change.identity or "")
        if row is None:
            continue
        _change_ledger(back, row, change.cells, actor(back.unit), done)


def _ledger_cells(desk: Desk, row: tables.Problem) -> dict[str, str | None]:
    return {
        "牵头科室": next(iter(standing.section_names(desk, (row.lead_section_id,))), None),
        "协办科室": "、".join(standing.section_names(desk, row.assist_section_ids)) or None,
        "办结时限": row.deadline.isoformat() if row.deadline else None,
        "备注": row.remarks,
    }


def _change_ledger(
    back: Back, row: tables.Problem, cells: Mapping[str, str | None], by: Actor, done: Done
) -> None:
    if "备注" in cells:
        row.remarks = cells["备注"]
        back.desk.record(
            row.number, "remarked", by=by.name, mail=back.mail, text=f"备注：{row.remarks or '无'}"
        )
    ids = {unit.name: unit.id for unit in back.desk.directory.sections}
    lead = ids.get(cells.get("牵头科室") or "", row.lead_section_id)
    assists = (
        tuple(ids[name] for name in (cells["协办科室"] or "").split("、") if name)
        if "协办科室" in cells
        else tuple(row.assist_section_ids)
    )
    deadline = date.fromisoformat(cells["办结时限"] or "") if cells.get("办结时限") else None
    if lead is not None and (lead != row.lead_section_id or assists != tuple(row.assist_section_ids)):
        event = Reassigned(by=by, lead=lead, assists=assists, deadline=deadline)
        refusal = happen(back.desk, row, event, mail=back.mail)
        if isinstance(refusal, Refusal):
            done.refused.append(f"{row.number}：{refusal.reason}")
            return
    elif deadline is not None and deadline != row.deadline:
        if row.lead_section_id is None or deadline < back.desk.today:
            done.refused.append(f"{row.number}：尚未交办或日期已过，不能调整时限")
            return
        text = f"工委办调整办结时限：{row.deadline} → {deadline}"
        row.deadline = deadline
        back.desk.record(row.number, "deadline_set", by=by.name, mail=back.mail, text=text)
    shown = tuple(Fact(heading, text) for heading, text in cells.items())
    done.carried.append(Filed("台账修改", row.number, shown))


ROW_BY_ROW: Mapping[str, Callable[[Back, Done], None]] = {
    "handling_sheet": _handling_sheet,
    "clue_register": _clue_register,
    "ledger": _ledger,
}


# -------------------------------------------------------------------------------------------- the session


def _problem_list(back: Back) -> Fate:
    if back.unit.kind is not UnitKind.SECRETARY:
        why = "只有市委教育工委书记可以在清单上选定"
        return holding.unauthorised(back.desk, back.mail, why, back.answered, books=(back.book,))
    return session_choice.chosen_in_workbook(back.desk, back.mail, back.sender, back.answered, back.book)


def _assignment_sheet(back: Back) -> Fate:
    return session_choice.assigned_by_workbook(back.desk, back.mail, back.sender, back.answered, back.book)


WHOLE: Mapping[str, Callable[[Back], Fate]] = {
    "problem_list": _problem_list,
    "assignment_sheet": _assignment_sheet,
}
"""Workbooks that are one decision; the others are many."""
