"""What is on file about statistics periods and the schools' returns, as the rules want to see it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import date, datetime
from functools import cached_property

from daemon import figures as sums, returns
from daemon.clock import start_of_day
from daemon.desk import Desk
from daemon.figures import Figures, Platform, School
from daemon.model import ReturnState, Unit
from daemon.periods import Period, SchoolState
from daemon.returns import FiledReturn
from daemon.store import questions, tables
from daemon.stored_forms import finding_from_json

LATE_QUESTION = "remake_rollup"
"""Kind of the question whether a return that came after the freeze is counted."""
CLAIM_QUESTION = "statistics_claim"
"""Kind of the question whether a school that wrote 已报 has really filed."""
COUNT_IT = ("同意", "随汇总计入")
"""Answers to the first with which the late return goes into the sums."""
CLAIM_HOLDS = "是"


# --- rows and values ---------------------------------------------------------------------------------


def filed_return(row: tables.Return) -> FiledReturn:
    """A stored return as the rules see it."""
    return FiledReturn(
        period=row.period,
        unit_id=row.unit_id,
        unit_name=row.unit_name,
        state=ReturnState(row.state),
        version=row.version,
        received_at=row.received_at,
        rows=tuple(returns.row_from_json(r) for r in row.rows),
        late=row.late,
        superseded=row.superseded,
        reported_on=row.reported_on,
        contact_name=row.contact_name,
        contact_phone=row.contact_phone,
        findings=tuple(finding_from_json(f) for f in row.findings),
        digest=row.digest,
    )


# --- the sums ------------------------------------------------------------------------------------------


def settled_returns(desk: Desk) -> list[FiledReturn]:
    """Every version of every return; what came after a freeze stands only once the office has agreed to it."""
    return _without_undecided(questions.all_returns(desk.session), _undecided(desk))


def _undecided(desk: Desk) -> frozenset[int]:
    """Ids of the late returns that the office has not agreed to count."""
    asked = questions.questions_of_kind(desk.session, LATE_QUESTION)
    return frozenset(q.payload["return"] for q in asked if q.answer not in COUNT_IT)


def _without_undecided(rows: Iterable[tables.Return], undecided: frozenset[int]) -> list[FiledReturn]:
    groups: dict[tuple[str, int | None], list[tables.Return]] = defaultdict(list)
    for row in rows:
        groups[row.period, row.unit_id].append(row)
    found: list[FiledReturn] = []
    for group in groups.values():
        kept = [filed_return(row) for row in group if row.id not in undecided]
        waiting = [replace(filed_return(row), superseded=True) for row in group if row.id in undecided]
        found += [*_last_stands(kept), *waiting] if waiting else kept
    return found


def _last_stands(versions: list[FiledReturn]) -> list[FiledReturn]:
    """What was superseded by an undecided version stands again."""
    last = max((v.version for v in versions if v.state in returns.COUNTED), default=None)
    return [
        replace(v, superseded=v.superseded and (v.version != last or v.state not in returns.COUNTED))
        for v in versions
    ]


def schools(desk: Desk) -> list[School]:
    """The schools of the directory in its order."""
    return [School(unit.id, unit.name) for unit in desk.directory.schools]


def frozen_figures(desk: Desk) -> dict[str, Figures]:
    """The figures of every period that was settled, by its code."""
    return {
        row.code: sums.figures_from_json(row.figures)
        for row in questions.periods(desk.session)
        if row.frozen_at is not None and row.figures
    }


def schools_then(desk: Desk, settled: Figures | None) -> list[School]:
    """The schools that had to report for a period: those of the directory when it was settled, else today's.

    The directory does not know since when a school is in it. A period that was never settled was due before
    the daemon's first cycle: its sums are of today's schools, and those that left it stand below the total.
    """
    if settled is None:
        return schools(desk)
    return [School(line.unit_id, line.name) for line in settled.schools if line.in_directory]


def figures_now(desk: Desk, period: Period, as_of: datetime | None = None) -> Figures:
    """The figures of a period as they stand."""
    frozen = frozen_figures(desk)
    return sums.figures(
        period,
        schools_then(desk, frozen.get(period.code)),
        settled_returns(desk),
        desk.timeline(),
        as_of or desk.now,
        ledger_solved={unit.id: ledger_solved(desk, period, unit.id) for unit in desk.directory.schools},
        frozen={code: settled.total for code, settled in frozen.items()},
        claimed=claimed(desk, period.code),
    )


def ledger_solved(desk: Desk, period: Period, unit_id: int) -> int:
    """How many of a school's problems our ledger closed in the months that a period covers."""
    zone = desk.config.zone
    last = period.covers[-1]
    after = date(last.year + last.month // 12, last.month % 12 + 1, 1)
    start, end = start_of_day(period.covers[0], zone), start_of_day(after, zone)
    return questions.solved_between(desk.session, unit_id, start, end)


def registry(desk: Desk, filed: Iterable[FiledReturn] | None = None) -> tuple[Platform, ...]:
    """Which schools have a platform of their own since when, and how active it is."""
    return sums.platforms(schools(desk), settled_returns(desk) if filed is None else filed, desk.timeline())


def note_platform(desk: Desk, unit_id: int, on_file: Iterable[tables.Return]) -> None:
    """Keep the registry in step with what is on file for a school, also when a correction takes a platform back."""
    filed = [filed_return(row) for row in on_file]
    since = sums.platforms_since(filed, desk.timeline()).get(unit_id)
    questions.note_platform(desk.session, unit_id, since)


# --- how the schools stand ---------------------------------------------------------------------------


class PeriodRecords:
    """What is on file about one period, read once for all its letters of one transaction."""

    def __init__(self, desk: Desk, period: Period) -> None:
        self.desk = desk
        self.period = period
        self.bounced = questions.bounced_addresses(desk.session)

    @cached_property
    def states(self) -> Mapping[int, SchoolState]:
        """How each school of the directory stands, by its id."""
        desk, code = self.desk, self.period.code
        filed = [filed_return(row) for row in questions.returns_of(desk.session, code)]
        found = returns.school_states(
            [(unit.id, unit.name) for unit in desk.directory.schools],
            filed,
            claimed=claimed(desk, code),
            unreachable=[unit.id for unit in desk.directory.schools if not self.addresses(unit)],
            with_platform=self._not_known_without_platform(),
        )
        return {state.unit_id: state for state in found}

    def _not_known_without_platform(self) -> frozenset[int]:
        """All schools but those that have filed and never named a platform: of the others nothing is known."""
        known = questions.schools_with_platform(self.desk.session)
        filers = {row.unit_id for row in questions.all_returns(self.desk.session) if row.state in _COUNTED}
        return frozenset(u.id for u in self.desk.directory.schools if u.id in known or u.id not in filers)

    @cached_property
    def figures(self) -> Figures:
        """The frozen figures of the period, or those of now as long as it is not frozen."""
        row = questions.period(self.desk.session, self.period.code)
        if row is not None and row.frozen_at is not None and row.figures:
            return sums.figures_from_json(row.figures)
        return figures_now(self.desk, self.period)

    def addresses(self, unit: Unit) -> tuple[str, ...]:
        """Where a school's contact is reached: the first of its addresses that does not bounce."""
        wanted = (*unit.addresses, *unit.learned_addresses)
        return tuple(address for address in wanted if address not in self.bounced)[:1]

    def last_return(self, unit: Unit) -> FiledReturn | None:
        """What a school filed last for an earlier period."""
        rows = questions.returns_of_unit(self.desk.session, unit.id)
        earlier = [filed_return(row) for row in rows if row.period < self.period.code]
        return max((one for one in earlier if one.counted), key=lambda one: one.period, default=None)


_COUNTED = frozenset(state.value for state in returns.COUNTED)


def claimed(desk: Desk, code: str) -> frozenset[int]:
    """The schools that wrote 已报 and that nobody has contradicted: they are left in peace."""
    asked = questions.questions_of_kind(desk.session, CLAIM_QUESTION, code)
    return frozenset(q.payload["unit"] for q in asked if q.answered_at is None or q.answer == CLAIM_HOLDS)
