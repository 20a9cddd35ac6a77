"""Forms that came by mail are filed, returned or held, and their sender is answered in one letter.

`filing` and `returns` decide; what they decided is carried out here.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from typing import Any

from daemon import documents, letters, returns, statistics_answers, workflow
from daemon.desk import Desk
from daemon.events import Actor, Corrected
from daemon.filing import KnownProblem, Outcome, Ruling, Sender, match_problems, rule
from daemon.holding import Fate, ask_beside, unread_files
from daemon.model import ENDED_STATES, Disposition, LetterKind, ReturnState, State, Unit, UnitKind
from daemon.period_records import LATE_QUESTION, filed_return, ledger_solved, note_platform
from daemon.periods import Period
from daemon.problems import differences
from daemon.store import questions, tables
from daemon.stored_forms import finding_json, form_json, stored_form
from daemon.workflow import registered
from parsers.orders import Amendment
from parsers.values import (
    Authentication,
    Finding,
    FindingKind,
    Form,
    Reading,
    Severity,
    Value,
    plain,
)

CORRECTABLE = frozenset({State.NEEDS_CORRECTION, State.HELD})


@dataclass(frozen=True)
class Result:
    """What one form of a mail led to."""

    ruling: Ruling
    filing_id: int
    received_at: datetime
    """First receipt: a corrected form keeps the receipt of its first version."""
    numbers: tuple[str, ...] = ()
    """Problems, or the code of the period."""
    code: str | None = None
    """Of the first number, for the tag of the answer."""
    filed: tuple[letters.Filed, ...] = ()
    corrected: bool = False
    version: int = 1
    decision: returns.Decision | None = None
    """Of a statistics return."""

    @property
    def outcome(self) -> Outcome:
        return self.ruling.outcome


def receive(
    desk: Desk, mail: tables.Mail, reading: Reading, sender: Sender, answered: tables.Letter | None
) -> Fate:
    """File every form of a mail and answer it. `answered` is the letter of ours that the mail replies to."""
    decided = _period_to_mend(answered)
    results = [
        _receive_form(
            desk, mail, _wording(mail, reading), rule(form, sender, desk.directory), answered, decided
        )
        for form in reading.forms
    ]
    fate = conclude(desk, mail, sender, results, unread_files(reading))
    if fate.disposition is not Disposition.HELD:
        ask_beside(desk, mail, reading)
    return fate


def conclude(
    desk: Desk,
    mail: tables.Mail,
    sender: Sender,
    results: Sequence[Result],
    unread: tuple[letters.FileNote, ...] = (),
) -> Fate:
    """Answer the sender, ask the office where something is held, and say what became of the mail."""
    held = [result for result in results if result.outcome is Outcome.HELD]
    returned = [result for result in results if result.outcome is Outcome.RETURNED]
    filed = [result for result in results if result.outcome is Outcome.ACCEPTED]
    mail.unit_id = next((result.ruling.unit.id for result in results if result.ruling.unit), None)
    if filed or returned:
        _answer(desk, mail, filed, returned, unread)
    if held:
        _hold(desk, mail, sender, held, unread)
        return Fate(Disposition.HELD, "；".join(dict.fromkeys(r.ruling.reason or "" for r in held)))
    if returned:
        return Fate(Disposition.RETURNED)
    return Fate(Disposition.CORRECTED if any(r.corrected for r in filed) else Disposition.FILED)


def _period_to_mend(answered: tables.Letter | None) -> str | None:
    """The period of a return that went back for correction, if this is what a mail answers.

    An answer to any other letter of ours says nothing for certain: people write a new return by answering
    the receipt of an old one.
    """
    if answered is None or answered.kind != LetterKind.CORRECTION_REQUEST.value:
        return None
    return next((number for number in answered.about if number.startswith("TJ-")), None)


def _wording(mail: tables.Mail, reading: Reading) -> tuple[str, ...]:
    """The texts around a form that may name the period it is for."""
    return (mail.subject, reading.mail.reply_text if reading.mail else "")


def _receive_form(
    desk: Desk,
    mail: tables.Mail,
    wording: tuple[str, ...],
    ruling: Ruling,
    answered: tables.Letter | None,
    decided: str | None,
) -> Result:
    if ruling.form.kind == "problem_report":
        return _receive_report(desk, mail, ruling, answered)
    if ruling.form.kind == "statistics":
        arrival = arrival_of(desk, mail, wording, ruling)
        return file_statistics(desk, mail, ruling, arrival, decided)
    raise ValueError(f"no desk for a form of kind {ruling.form.kind!r}")


# ---------------------------------------------------------------------------------- 附件1, problems


def _receive_report(desk: Desk, mail: tables.Mail, ruling: Ruling, answered: tables.Letter | None) -> Result:
    form = ruling.form
    known = _known_problems(desk, ruling, answered)
    matches = match_problems(
        form.items,
        [KnownProblem(p.number, p.problem, p.details, State(p.state) in CORRECTABLE) for p in known.values()],
        answering=bool(answered) and bool(known),
    )
    refusal = next((r for m in matches if m and (r := _unchangeable(desk, known[m], ruling, mail))), None)
    if refusal is not None:
        ruling = replace(ruling, outcome=Outcome.HELD, reason=refusal)
    year = mail.received_at.astimezone(desk.config.zone).year
    numbers = tuple(number or desk.number("ND", year) for number in matches)
    spoken_of = [known[number] for number in matches if number]
    if not numbers:
        spoken_of = [row for row in known.values() if State(row.state) is State.NEEDS_CORRECTION]
    version = max((known[number].version + 1 for number in matches if number), default=1)
    first_received = min([mail.received_at, *(row.received_at for row in spoken_of)])
    filing_id = _file(desk, mail, ruling, version, first_received, numbers)
    rows: list[tables.Problem] = []
    corrected = False
    for index, number in enumerate(numbers):
        row = known.get(number)
        if row is None:
            row = _new_problem(desk, mail, ruling, filing_id, index, number)
        else:
            corrected = _new_version(desk, mail, ruling, filing_id, index, row) or corrected
        rows.append(row)
    rows = rows or spoken_of
    return Result(
        ruling,
        filing_id,
        first_received,
        tuple(row.number for row in rows),
        rows[0].code if rows else None,
        tuple(_filed_problem(desk, form, index, row) for index, row in enumerate(rows) if form.items),
        corrected,
        max((row.version for row in rows), default=1),
    )


def _known_problems(desk: Desk, ruling: Ruling, answered: tables.Letter | None) -> dict[str, tables.Problem]:
    """The problems that this form may speak of, by number: those of the letter it answers, or of its own unit."""
    unit = ruling.unit or ruling.suggestion
    numbers = [n for n in (answered.about if answered else ()) if n.startswith("ND-")]
    numbers += [n for n in (ruling.form.identity or "").split() if n.startswith("ND-")]
    if numbers:
        found = questions.problem_rows(desk.session, numbers)
        mine = [row for row in found if unit is None or row.unit_id in (unit.id, None)]
        if mine:
            return {row.number: row for row in mine if State(row.state) not in ENDED_STATES}
    if ruling.unit is None:
        return {}
    rows = questions.open_problem_rows(desk.session, ruling.unit.id)
    return {row.number: row for row in rows}


def _new_problem(
    desk: Desk, mail: tables.Mail, ruling: Ruling, filing_id: int, index: int, number: str
) -> tables.Problem:
    row = tables.Problem(
        number=number,
        code=desk.code(),
        state=State.RECEIVED.value,
        state_since=desk.now,
        received_at=mail.received_at,
        item=index,
        version=1,
        **_problem_values(ruling, index),
        mail_id=mail.id,
        filing_id=filing_id,
    )
    desk.session.add(row)
    desk.record(
        number, "received", by=mail.sender, mail=mail, to_state=State.RECEIVED, text=row.reporting_unit
    )
    _settle(desk, mail, ruling, row)
    return row


def _new_version(
    desk: Desk, mail: tables.Mail, ruling: Ruling, filing_id: int, index: int, row: tables.Problem
) -> bool:
    """The problem as the newer form has it; whether that completes a correction that was asked for."""
    state = State(row.state)
    if ruling.outcome is Outcome.HELD:
        # A doubtful form must not touch what is on file; the office decides about it as a whole.
        desk.record(row.number, "version_held", by=mail.sender, mail=mail, text=ruling.reason)
        return False
    if ruling.outcome is Outcome.RETURNED and state not in CORRECTABLE:
        desk.record(
            row.number, "version_returned", by=mail.sender, mail=mail, text="重报的表有缺项，退回补正"
        )
        return False
    values = _problem_values(ruling, index)
    changes = differences(row, values)
    row.filing_id, row.item = filing_id, index
    if state not in CORRECTABLE:
        workflow.amended(desk, row, values, _by(ruling, mail), mail)
        return False
    for name, value in values.items():
        setattr(row, name, value)
    row.version += 1
    completes = ruling.outcome is Outcome.ACCEPTED
    desk.record(
        row.number,
        "corrected" if completes else "amended",
        by=mail.sender,
        mail=mail,
        text=f"第{row.version}版：{'；'.join(changes) or '内容未变'}",
    )
    _settle(desk, mail, ruling, row)
    return completes and state is State.NEEDS_CORRECTION


def _unchangeable(desk: Desk, row: tables.Problem, ruling: Ruling, mail: tables.Mail) -> str | None:
    """Why a complete newer version may not touch a problem as it now stands; None if it may."""
    if State(row.state) in CORRECTABLE or ruling.outcome is not Outcome.ACCEPTED:
        return None
    return workflow.refusal_of(desk, row, Corrected(by=_by(ruling, mail)))


def _by(ruling: Ruling, mail: tables.Mail) -> Actor:
    """Who gives a newer version: the school itself, or the office on its behalf."""
    unit = ruling.unit
    return Actor(UnitKind.SCHOOL, unit.id, unit.name) if unit else Actor(None, None, mail.sender)


def _settle(desk: Desk, mail: tables.Mail, ruling: Ruling, row: tables.Problem) -> None:
    """Bring a received or corrected problem into the state that the ruling gives it."""
    if ruling.outcome is Outcome.ACCEPTED:
        registered(desk, row, mail)
        return
    state = State.HELD if ruling.outcome is Outcome.HELD else State.NEEDS_CORRECTION
    if State(row.state) is state:
        return
    text = ruling.reason if state is State.HELD else "；".join(_errors(ruling.form))
    desk.record(row.number, state.value, by="djb", mail=mail, from_state=row.state, to_state=state, text=text)
    row.state, row.state_since = state.value, desk.now


def _problem_values(ruling: Ruling, index: int) -> dict[str, Any]:
    item = ruling.form.items[index]
    unit = ruling.unit
    return {
        "unit_id": unit.id if unit else None,
        "reporting_unit": unit.name
        if unit
        else _text(ruling.form.fields.get("reporting_unit")) or "（未填）",
        "problem": _text(item.get("problem")),
        "details": _text(item.get("details")),
        "levels": plain(item.get("levels")) or [],
        "sections_asked": plain(item.get("sections")) or [],
        "remarks": _text(item.get("remarks")) or None,
    }


def _filed_problem(desk: Desk, form: Form, index: int, row: tables.Problem) -> letters.Filed:
    section = desk.directory.unit(row.lead_section_id)
    return letters.Filed(
        title=letters.FORM_TITLES[form.kind] + (f"第{index + 1}项" if len(form.items) > 1 else ""),
        number=row.number,
        facts=letters.facts_of(form, index),
        next_step=letters.next_step(
            row.levels,
            row.sections_asked,
            given_to=section.name if section else None,
            deadline=row.deadline,
            unknown=[name for name in row.sections_asked if desk.directory.section(name).unit is None],
        ),
    )


# ---------------------------------------------------------------------------------- 附件2, statistics


def file_statistics(
    desk: Desk,
    mail: tables.Mail,
    ruling: Ruling,
    arrival: returns.Arrival,
    decided: str | None,
    *,
    released: tables.Filing | None = None,
) -> Result:
    """File the returns of a form, one for each school in it; all of them are held if one is.

    `decided` is the period, if that is certain. `released` is filed already, as held, and a person has said
    that the form is genuine.
    """
    file = _StatisticsFile(desk)
    ruling = replace(ruling, form=replace(ruling.form, findings=returns.as_required(ruling.form.findings)))
    completes = _awaits_correction(desk, file, decided, arrival)
    decisions = _decisions(desk, file, _parts(desk, mail, arrival, trusted=released is not None), decided)
    worst = next((d for d in decisions if d.filed.state in _OUTCOMES), decisions[0])
    outcome = _OUTCOMES.get(worst.filed.state, Outcome.ACCEPTED)
    version = decisions[0].filed.version
    if released is None:
        received_at = mail.received_at
        filing_id = _file(desk, mail, replace(ruling, outcome=outcome), version, received_at)
    else:
        filing_id, received_at = released.id, released.received_at
        released.version, released.outcome = version, outcome.value
    rows = [_store_return(desk, file, mail, filing_id, decision) for decision in decisions]
    for decision, row in zip(decisions, rows, strict=True):
        statistics_answers.ask_to_count(desk, mail, decision, row)
    row = rows[0]
    reason = worst.questions[0].text if outcome is Outcome.HELD and worst.questions else ruling.reason
    faults = [f for f in worst.filed.findings if f.severity is Severity.ERROR]
    form = replace(ruling.form, findings=_merged(ruling.form.findings, faults))
    return Result(
        replace(ruling, form=form, outcome=outcome, reason=reason if outcome is Outcome.HELD else None),
        filing_id,
        received_at,
        (row.period,),
        row.code,
        (_filed_return(desk, form, row),) if form.items else (),
        outcome is Outcome.ACCEPTED and completes,
        row.version,
        worst,
    )


_OUTCOMES = {ReturnState.HELD: Outcome.HELD, ReturnState.RETURNED: Outcome.RETURNED}


@dataclass
class _StatisticsFile:
    """What is on file about the schools of one form, asked for once."""

    desk: Desk
    _returns: dict[int | None, list[tables.Return]] = field(default_factory=lambda: {None: []})
    _periods: dict[str, tables.Period | None] = field(default_factory=dict)

    def returns(self, unit_id: int | None) -> list[tables.Return]:
        """Every version of every return of a school."""
        if unit_id is not None and unit_id not in self._returns:
            self._returns[unit_id] = questions.returns_of_unit(self.desk.session, unit_id)
        return self._returns[unit_id]

    def period(self, code: str) -> tables.Period | None:
        if code not in self._periods:
            self._periods[code] = questions.period(self.desk.session, code)
        return self._periods[code]


def _decisions(
    desk: Desk, file: _StatisticsFile, parts: Sequence[returns.Arrival], decided: str | None
) -> list[returns.Decision]:
    """What becomes of the returns of one form: of all the same, if one of them is held."""
    decisions = [_decide(desk, file, part, decided) for part in parts]
    held = next((d for d in decisions if d.filed.state is ReturnState.HELD), None)
    if held is None or len(parts) == 1:
        return decisions
    because = parts[decisions.index(held)].held_because or held.questions[0].text
    return [
        _decide(desk, file, replace(part, held_because=part.held_because or because), decided)
        for part in parts
    ]


def _parts(
    desk: Desk, mail: tables.Mail, arrival: returns.Arrival, *, trusted: bool
) -> list[returns.Arrival]:
    """One arrival for each school in a form; a school may not speak for another unless a person says so."""
    names = {unit.id: unit.name for unit in desk.directory.schools}
    parts = returns.split_by_school(arrival, names)
    if trusted or _may_file_for_others(desk, mail):
        return list(parts)
    return [
        part
        if part.unit_id == arrival.unit_id
        else replace(part, held_because=f"表内含有{part.unit_name}的数据，由{arrival.unit_name}报来")
        for part in parts
    ]


def _awaits_correction(desk: Desk, file: _StatisticsFile, code: str | None, arrival: returns.Arrival) -> bool:
    """Whether the return that stands for this school went back for correction."""
    period = code or desk.timeline().period_of(arrival.received_at).code
    row = questions.standing(row for row in file.returns(arrival.unit_id) if row.period == period)
    return row is not None and row.state == ReturnState.RETURNED.value


def _may_file_for_others(desk: Desk, mail: tables.Mail) -> bool:
    return any(unit.kind is not UnitKind.SCHOOL for unit in desk.directory.at_address(mail.sender))


def arrival_of(desk: Desk, mail: tables.Mail, wording: tuple[str, ...], ruling: Ruling) -> returns.Arrival:
    """The statistics form as the rules of returns see it."""
    form = ruling.form
    reported_on = form.fields.get("reported_on")
    named = _text(form.fields.get("reporting_unit"))
    # A form of an unknown sender is held for the school that it names, so that this school is not chased.
    unit = ruling.unit or desk.directory.school(named).unit
    if unit is not None and unit.kind is not UnitKind.SCHOOL:
        unit = None
    return returns.Arrival(
        unit_id=unit.id if unit else None,
        unit_name=unit.name if unit else named or "（未填）",
        received_at=mail.received_at,
        rows=tuple(
            returns.row_from_json(
                {name: plain(value) for name, value in item.items()},
                _named_school(desk, item.get("unit"), unit),
            )
            for item in form.items
        ),
        reported_on=reported_on if isinstance(reported_on, date) else None,
        contact_name=_text(form.fields.get("contact_name")) or None,
        contact_phone=_text(form.fields.get("contact_phone")) or None,
        findings=form.findings,
        wording=(*wording, form.part),
        identity=form.identity,
        digest=hashlib.sha256(form.document).hexdigest() if form.document else None,
        held_because=ruling.reason if ruling.outcome is Outcome.HELD else None,
    )


def _named_school(desk: Desk, name: Value, own: Unit | None) -> int | None:
    """The other school of the directory that a row certainly names; None for a campus of the form's own."""
    match = desk.directory.school(_text(name)) if name else None
    if match is None or match.unit is None or match.unit.kind is not UnitKind.SCHOOL:
        return None
    return None if own is not None and match.unit.id == own.id else match.unit.id


def _decide(
    desk: Desk, file: _StatisticsFile, arrival: returns.Arrival, decided_code: str | None
) -> returns.Decision:
    """What becomes of one school's return, by all that is on file about it."""
    timeline = desk.timeline()
    decided = timeline.period(decided_code) if decided_code else None
    period = decided or timeline.period_of(arrival.received_at)
    past = _past(desk, file, period, arrival.unit_id)
    return returns.decide_return(arrival, past, timeline, decided_period=decided)


def _store_return(
    desk: Desk, file: _StatisticsFile, mail: tables.Mail, filing_id: int, decision: returns.Decision
) -> tables.Return:
    """Store a return that was decided about as a new version of its period."""
    filed = decision.filed
    if file.period(filed.period) is None:
        questions.ensure_period(desk.session, filed.period, desk.timeline().period(filed.period).due)
    on_file = file.returns(filed.unit_id)
    earlier = [row for row in on_file if row.period == filed.period]
    for row in earlier:
        row.superseded = row.superseded or row.version in decision.supersedes
    row = tables.Return(
        period=filed.period,
        code=earlier[0].code if earlier else desk.code(),
        unit_id=filed.unit_id,
        unit_name=filed.unit_name,
        state=filed.state.value,
        version=filed.version,
        received_at=min([filed.received_at, *(r.received_at for r in earlier if r.state != "held")]),
        reported_on=filed.reported_on,
        contact_name=filed.contact_name,
        contact_phone=filed.contact_phone,
        rows=[r.to_json() for r in filed.rows],
        findings=[finding_json(f) for f in filed.findings],
        late=filed.late,
        digest=filed.digest,
        mail_id=mail.id,
        filing_id=filing_id,
    )
    desk.session.add(row)
    desk.session.flush()
    desk.record(
        f"{filed.period}/{filed.unit_name}",
        f"return_{filed.state.value}",
        by=mail.sender,
        mail=mail,
        to_state=filed.state.value,
        text="；".join((f"第{filed.version}版", *decision.changes)),
    )
    if filed.counted and filed.unit_id is not None:
        note_platform(desk, filed.unit_id, [*on_file, row])
        statistics_answers.settle_claims(desk, filed.period, filed.unit_id)
    return row


def _past(desk: Desk, file: _StatisticsFile, period: Period, unit_id: int | None) -> returns.Past:
    """What is known about a school when a return of its arrives."""
    row = file.period(period.code)
    frozen_at = row.frozen_at if row else None
    if unit_id is None:
        return returns.Past(frozen_at=frozen_at)
    filed = [filed_return(r) for r in file.returns(unit_id)]
    return returns.Past(
        [r for r in filed if r.period == period.code],
        [r for r in filed if r.period != period.code],
        frozen_at,
        ledger_solved(desk, period, unit_id),
    )


def _merged(mine: Sequence[Finding], others: Sequence[Finding]) -> tuple[Finding, ...]:
    return tuple(dict.fromkeys((*mine, *others)))


def _filed_return(desk: Desk, form: Form, row: tables.Return) -> letters.Filed:
    period = desk.timeline().period(row.period)
    facts = letters.facts_of(form, 0)
    for index in range(1, len(form.items)):
        facts += letters.facts_of(form, index)[len(form.fields) :]
    return letters.Filed(
        title=f"{period.covers_in_chinese}统计表", number=row.period, facts=facts, next_step=None
    )


# ---------------------------------------------------------------------------------- released by a person


def release(desk: Desk, mail: tables.Mail, unit: Unit, *, by: str, period: str | None = None) -> Fate:
    """File the held forms of a mail as this unit's, because a person said so, and answer the sender."""
    results = [
        _release_filing(desk, mail, filing, unit, by, period)
        for filing in questions.filings_of(desk.session, mail.id)
        if filing.outcome == Outcome.HELD.value
    ]
    sender = Sender(mail.sender, (unit,), Authentication.PASS)
    return conclude(desk, mail, sender, results)


def _release_filing(
    desk: Desk, mail: tables.Mail, filing: tables.Filing, unit: Unit, by: str, period: str | None
) -> Result:
    form = stored_form(filing)
    outcome = Outcome.RETURNED if form.incomplete else Outcome.ACCEPTED
    ruling = Ruling(form, outcome, unit)
    filing.unit_id, filing.outcome = unit.id, outcome.value
    if form.kind == "statistics":
        for held in questions.returns_of_filing(desk.session, filing.id):
            held.superseded = True
        arrival = arrival_of(desk, mail, (mail.subject, mail.text or ""), ruling)
        return file_statistics(desk, mail, ruling, arrival, period, released=filing)
    rows = questions.problem_rows(desk.session, filing.values.get("numbers", ()))
    for index, problem in enumerate(rows):
        desk.record(problem.number, "released", by=by, mail=mail, text=f"核实为{unit.name}所报")
        twin = _twin(desk, problem, unit)
        if twin is not None:
            _merge_into(desk, mail, problem, twin, by)
            rows[index] = twin
        elif State(problem.state) is State.HELD and problem.filing_id == filing.id:
            for name, value in _problem_values(ruling, index).items():
                setattr(problem, name, value)
            _settle(desk, mail, ruling, problem)
        else:
            _new_version(desk, mail, ruling, filing.id, index, problem)
    return Result(
        ruling,
        filing.id,
        filing.received_at,
        tuple(row.number for row in rows),
        rows[0].code if rows else None,
        tuple(_filed_problem(desk, form, index, row) for index, row in enumerate(rows)),
        version=max((row.version for row in rows), default=1),
    )


def _twin(desk: Desk, held: tables.Problem, unit: Unit) -> tables.Problem | None:
    """The problem of the same words that the unit has on file already, because it was mailed again."""
    known = [row for row in questions.open_problem_rows(desk.session, unit.id) if row.number != held.number]
    item: dict[str, Value] = {"problem": held.problem, "details": held.details}
    candidates = [KnownProblem(row.number, row.problem, row.details, correctable=False) for row in known]
    (number,) = match_problems([item], candidates, answering=False)
    return next((row for row in known if row.number == number), None)


def _merge_into(desk: Desk, mail: tables.Mail, held: tables.Problem, twin: tables.Problem, by: str) -> None:
    desk.record(
        held.number,
        "merged",
        by=by,
        mail=mail,
        from_state=held.state,
        to_state=State.MERGED,
        text=f"与 {twin.number} 内容相同，系重复报送",
    )
    held.state, held.state_since, held.merged_into = State.MERGED.value, desk.now, twin.number


def discard(desk: Desk, mail: tables.Mail, reason: str, by: str) -> None:
    """The held forms of a mail are set aside: its problems are declined, its returns no longer stand."""
    for filing in questions.filings_of(desk.session, mail.id):
        if filing.outcome != Outcome.HELD.value:
            continue
        filing.outcome = "set_aside"
        for held in questions.returns_of_filing(desk.session, filing.id):
            held.superseded = True
        for row in questions.problem_rows(desk.session, filing.values.get("numbers", ())):
            if State(row.state) is State.HELD and row.filing_id == filing.id:
                desk.record(
                    row.number,
                    "declined",
                    by=by,
                    mail=mail,
                    from_state=row.state,
                    to_state=State.DECLINED,
                    text=reason,
                )
                row.state, row.state_since = State.DECLINED.value, desk.now


# ---------------------------------------------------------------------------------- corrected by words


def amend(
    desk: Desk,
    mail: tables.Mail,
    school: Unit,
    answered: tables.Letter,
    amendments: Sequence[Amendment],
) -> Fate | None:
    """The school's own words mend the form that a letter was about; None if they fit none of it.

    The form is read again with the new values, so that all checks hold for it too.
    """
    filing = _standing_filing(desk, school, answered)
    if filing is None:
        return None
    form = amended(stored_form(filing), amendments)
    if form is None:
        return None
    sender = Sender(mail.sender, (school,), Authentication.PASS)
    ruling = rule(form, sender, desk.directory)
    decided = next((number for number in answered.about if number.startswith("TJ-")), None)
    result = _receive_form(desk, mail, (mail.subject,), ruling, answered, decided)
    return conclude(desk, mail, sender, [result])


def _standing_filing(desk: Desk, school: Unit, answered: tables.Letter) -> tables.Filing | None:
    """The newest filing of what a letter was about, if it is this school's."""
    problems = questions.problem_rows(desk.session, [n for n in answered.about if n.startswith("ND-")])
    mine = [row for row in problems if row.unit_id == school.id and row.filing_id]
    if mine:
        return desk.session.get(tables.Filing, mine[0].filing_id)
    for code in answered.about:
        if code.startswith("TJ-"):
            row = questions.latest_return(desk.session, school.id, code)
            if row is not None and row.filing_id:
                return desk.session.get(tables.Filing, row.filing_id)
    return None


def amended(form: Form, amendments: Sequence[Amendment]) -> Form | None:
    """The form with new values and only those findings that still hold; None if a field is not in it."""
    fields = dict(form.fields)
    items = [dict(item) for item in form.items]
    touched = set()
    for amendment in amendments:
        if amendment.field in fields:
            fields[amendment.field] = amendment.value
            touched.add(amendment.field)
            continue
        index = amendment.item if amendment.item is not None else 0
        if (amendment.item is None and len(items) != 1) or not 0 <= index < len(items):
            return None
        if amendment.field not in items[index]:
            return None
        items[index][amendment.field] = amendment.value
        touched.add(f"{form.items_key}[{index}].{amendment.field}")
    if any(path.endswith((".levels", ".sections")) for path in touched):
        touched |= {path.replace(".levels", ".sections") for path in touched}
        touched |= {path.replace(".sections", ".levels") for path in touched}
    kept = tuple(finding for finding in form.findings if finding.field not in touched)
    return replace(form, fields=fields, items=tuple(items), findings=kept)


# ---------------------------------------------------------------------------------- answers


def _file(
    desk: Desk,
    mail: tables.Mail,
    ruling: Ruling,
    version: int,
    received_at: datetime,
    numbers: Sequence[str] | None = None,
) -> int:
    """The id of the filing of a form; `numbers` are those of its problems."""
    form = ruling.form
    values = form_json(form) | ({"numbers": list(numbers)} if numbers is not None else {})
    return questions.add_filing(
        desk.session,
        {
            "mail_id": mail.id,
            "form": form.kind,
            "part": form.part,
            "format": form.format,
            "unit_id": ruling.unit.id if ruling.unit else None,
            "outcome": ruling.outcome.value,
            "version": version,
            "received_at": received_at,
            "values": values,
            "findings": [finding_json(finding) for finding in form.findings],
            "document": form.document,
            "document_name": form.part if form.document else None,
        },
    )


def _answer(
    desk: Desk,
    mail: tables.Mail,
    filed: Sequence[Result],
    returned: Sequence[Result],
    unread: tuple[letters.FileNote, ...],
) -> None:
    """One letter for all that was filed and all that must be corrected."""
    results = [*filed, *returned]
    first = results[0]
    unit = next((r.ruling.unit for r in results if r.ruling.unit), None)
    attachments: list[letters.Attachment] = []
    to_mend: list[letters.Returned] = []
    for result in returned:
        copy = documents.marked_copy(
            result.ruling.form, identity=" ".join(result.numbers), office=desk.office.contact
        )
        attachments.append(copy)
        to_mend.append(letters.returned_form(result.ruling.form, copy.name))
    common: dict[str, Any] = {
        "to_name": unit.name if unit else "贵单位",
        "date": desk.today,
        "number": next((r.numbers[0] for r in results if r.numbers), None),
        "code": next((r.code for r in results if r.code), None),
        "received_at": min(r.received_at for r in results),
        "filed": tuple(f for r in filed for f in r.filed),
        "unread": unread,
    }
    notes = tuple(note for r in filed for note in letters.notes_of(r.ruling.form))
    letter: letters.Letter
    if returned:
        letter = letters.CorrectionRequest(
            **common,
            to_mend=tuple(to_mend),
            correct_by=desk.workdays_on(desk.config.deadlines.correction),
            again=any(r.version > 1 for r in returned),
        )
    elif all(result.decision for result in filed):
        letter = _statistics_receipt(desk, first, common)
    else:
        letter = letters.Receipt(
            **common,
            notes=notes,
            corrected=any(r.corrected for r in filed),
            mended_at=mail.received_at,
            version=max(r.version for r in filed),
            signed_copy=next((r.ruling.form.signed_copy for r in filed if r.ruling.form.signed_copy), None),
        )
    desk.write(
        letter,
        key=f"{letter.kind}:mail:{mail.id}",
        to=(mail.sender,),
        about=[number for result in results for number in result.numbers],
        unit=unit,
        answers=mail,
        attachments=attachments,
        context={"filings": [r.filing_id for r in results]},
    )


def _statistics_receipt(desk: Desk, first: Result, common: dict[str, Any]) -> letters.Letter:
    decision = first.decision
    assert decision is not None
    period = desk.timeline().period(decision.filed.period)
    return letters.StatisticsReceipt(
        **common,
        covers=period.covers_in_chinese,
        due=period.due,
        late=decision.filed.late,
        frozen=any(q.kind == LATE_QUESTION for q in decision.questions),
        nil=decision.filed.counts.nil,
        notes=tuple(
            f"{finding.text}，请写明后回复本信，例：更正 {letters.FIELD_LABELS[finding.field]} {letters.EXAMPLES[finding.field]}"
            for finding in first.ruling.form.findings
            if finding.field in CONTACT and finding.kind is FindingKind.MISSING
        ),
        corrected=first.corrected,
        version=first.version,
    )


CONTACT = frozenset({"contact_name", "contact_phone"})


def _hold(
    desk: Desk,
    mail: tables.Mail,
    sender: Sender,
    held: Sequence[Result],
    unread: tuple[letters.FileNote, ...],
) -> None:
    """Tell the sender that a person looks at it, and ask the office what to do."""
    first = held[0]
    ruling, form = first.ruling, first.ruling.form
    unknown = not sender.known or ruling.unit is None
    doubts = tuple(
        letters.Mend(f.text, f.where)
        for f in form.findings
        if f.kind.value == "uncertain" or f.severity is Severity.ERROR
    )
    facts = letters.facts_of(form, 0) if form.items else ()
    asked = [q for r in held if r.decision for q in r.decision.questions]
    period_question = next((q for q in asked if q.kind in PERIOD_QUESTIONS), None) if not unknown else None
    notice = (
        letters.HeldReason.PERIOD_UNCLEAR
        if period_question
        else letters.HeldReason.UNKNOWN_SENDER
        if unknown
        else letters.HeldReason.UNCERTAIN
    )
    number = next((r.numbers[0] for r in held if r.numbers), None)
    code = next((r.code for r in held if r.code), None)
    about = [n for r in held for n in r.numbers]
    desk.write(
        letters.HeldNotice(
            to_name=ruling.unit.name if ruling.unit else "贵单位",
            date=desk.today,
            number=number,
            code=code,
            reason=notice,
            received_at=mail.received_at,
            their_subject=mail.subject,
            facts=facts,
            doubts=doubts,
            files=unread,
            why=ruling.reason if sender.known else None,
        ),
        key=f"held_notice:mail:{mail.id}",
        to=(mail.sender,),
        about=about,
        unit=ruling.unit,
        answers=mail,
        context={"filings": [r.filing_id for r in held]},
    )
    suggestion = ruling.suggestion.name if ruling.suggestion else None
    kind = (
        letters.QuestionKind.PERIOD_UNCLEAR
        if period_question
        else letters.QuestionKind.UNKNOWN_SENDER
        if unknown
        else letters.QuestionKind.UNCERTAIN
    )
    desk.ask(
        letters.Question(
            to_name="工委办",
            date=desk.today,
            number=number,
            code=code,
            question=kind,
            about=f"{_text(form.fields.get('reporting_unit')) or mail.sender} {letters.FORM_TITLES[form.kind]}",
            facts=(
                letters.Fact("发件邮箱", mail.sender),
                letters.Fact("邮件主题", mail.subject or None),
                *facts,
            ),
            quoted=mail.text or None,
            suggestion=_in_words(desk, period_question.if_yes) if period_question else suggestion,
            no_means=_in_words(desk, period_question.if_no) if period_question else None,
            doubts=doubts,
            detail=ruling.reason,
            known_sender=sender.known,
        ),
        kind="period" if kind is letters.QuestionKind.PERIOD_UNCLEAR else "held_mail",
        about=f"mail:{mail.id}",
        text=ruling.reason or "",
        payload={
            "suggestion_id": guessed.id if (guessed := ruling.suggestion or ruling.unit) else None,
            "if_yes": period_question.if_yes if period_question else None,
            "if_no": period_question.if_no if period_question else None,
            "resent": period_question is not None and period_question.kind == "resent",
        },
        mail=mail,
        attachments=_originals(held),
    )


PERIOD_QUESTIONS = frozenset({"period", "resent"})


def _in_words(desk: Desk, code: str | None) -> str | None:
    """A period as a question names it: TJ-2022-01（2021年11月至12月）."""
    return f"{code}（{desk.timeline().period(code).covers_in_chinese}）" if code else None


def _originals(held: Iterable[Result]) -> list[letters.Attachment]:
    """The files that a question is about, for the office to look at."""
    return [
        letters.Attachment(form.part, form.document, "application/octet-stream")
        for form in (result.ruling.form for result in held)
        if form.document
    ]


def _errors(form: Form) -> list[str]:
    return [finding.text for finding in form.findings if finding.severity is Severity.ERROR]


def _text(value: Value) -> str:
    return "、".join(value) if isinstance(value, tuple) else str(value) if value is not None else ""
