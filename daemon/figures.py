"""The sums of a statistics period, and what they show: the frozen figures, trends, the platform registry.

Figures are plain values that go into JSON and back unchanged: frozen once, they are what the rollup, the
circular and the letters speak of. Pure.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import date, datetime
from typing import Any, Final

from daemon.clock import chinese_month
from daemon.model import ReturnState
from daemon.periods import Period, Timeline
from daemon.returns import (
    COUNT_NAMES,
    Counts,
    FiledReturn,
    SoftRules,
    current,
    soft_doubts,
)
from parsers.values import Finding, Severity


@dataclass(frozen=True, slots=True)
class School:
    """A school of the directory, in the directory's order."""

    unit_id: int
    name: str


@dataclass(frozen=True, slots=True)
class SchoolFigures:
    """One line of the rollup."""

    unit_id: int
    name: str
    state: ReturnState
    counts: Counts | None
    """None as long as nothing that counts was filed."""
    late: bool = False
    version: int = 0
    received_at: str | None = None
    """ISO 8601 with the office's offset."""
    remarks: str = ""
    previous: Counts | None = None
    ledger_solved: int | None = None
    doubts: tuple[str, ...] = ()
    """What the office should look at, in Chinese."""
    in_directory: bool = True
    claimed: bool = False
    """Says that it has filed; nobody has looked into it yet, or somebody found it true."""

    @property
    def only_claims(self) -> bool:
        """Whether nothing came of it but its word that it has filed."""
        return self.claimed and self.state is ReturnState.MISSING


@dataclass(frozen=True, slots=True)
class Sum:
    """All schools of one period together."""

    period: str
    expected: int
    filed: int
    late: int
    counts: Counts

    @property
    def rate(self) -> float:
        """Share of the schools that have filed."""
        return self.filed / self.expected if self.expected else 0.0


@dataclass(frozen=True, slots=True)
class Figures:
    """Everything that is said about one period."""

    period: str
    due: date
    covers: str
    as_of: str
    """When they were taken, ISO 8601."""
    total: Sum
    schools: tuple[SchoolFigures, ...]
    previous: Sum | None = None
    last_year: Sum | None = None
    trend: tuple[Sum, ...] = ()
    """The periods up to this one, oldest first."""
    without_platform: tuple[str, ...] = ()

    @property
    def missing(self) -> tuple[SchoolFigures, ...]:
        return tuple(school for school in self.schools if school.counts is None)

    @property
    def silent(self) -> tuple[SchoolFigures, ...]:
        """Schools from which nothing came: the only ones that may be told off for it."""
        return tuple(s for s in self.missing if s.state is ReturnState.MISSING and not s.claimed)

    @property
    def to_mend(self) -> tuple[SchoolFigures, ...]:
        """Schools whose form was sent back to be corrected."""
        return tuple(s for s in self.missing if s.state is ReturnState.RETURNED and not s.claimed)

    @property
    def unverified(self) -> tuple[SchoolFigures, ...]:
        """Schools whose form waits for the office, or that say they have filed."""
        return tuple(s for s in self.missing if s.claimed or s.state is ReturnState.HELD)

    @property
    def late(self) -> tuple[SchoolFigures, ...]:
        return tuple(school for school in self.schools if school.counts is not None and school.late)

    @property
    def doubtful(self) -> tuple[SchoolFigures, ...]:
        return tuple(school for school in self.schools if school.doubts)

    def to_json(self) -> dict[str, Any]:
        """Plain values for the period's stored figures; `figures_from_json` gives them back."""
        plain = asdict(self)
        plain["due"] = self.due.isoformat()
        return plain


def _counts_from(value: Mapping[str, int] | None) -> Counts | None:
    return Counts(**value) if value is not None else None


def _sum_from(value: Mapping[str, Any] | None) -> Sum | None:
    return Sum(**{**value, "counts": Counts(**value["counts"])}) if value is not None else None


def _school_from(value: Mapping[str, Any]) -> SchoolFigures:
    changed = {
        "state": ReturnState(value["state"]),
        "counts": _counts_from(value["counts"]),
        "previous": _counts_from(value["previous"]),
        "doubts": tuple(value["doubts"]),
    }
    return SchoolFigures(**{**value, **changed})


def figures_from_json(value: Mapping[str, Any]) -> Figures:
    """The figures that `Figures.to_json` wrote. Raises KeyError or TypeError if they are not whole."""
    total = _sum_from(value["total"])
    if total is None:
        raise KeyError("total")
    changed = {
        "due": date.fromisoformat(value["due"]),
        "total": total,
        "previous": _sum_from(value["previous"]),
        "last_year": _sum_from(value["last_year"]),
        "trend": tuple(one for one in map(_sum_from, value["trend"]) if one is not None),
        "schools": tuple(map(_school_from, value["schools"])),
        "without_platform": tuple(value["without_platform"]),
    }
    return Figures(**{**value, **changed})


ByPeriod = Mapping[str, Mapping[int, FiledReturn]]
"""Period code -> unit id -> the return that stands."""


def standing(returns: Iterable[FiledReturn]) -> dict[str, dict[int, FiledReturn]]:
    """For each period and school the version that stands; returns of no known school are left out."""
    versions: dict[tuple[str, int], list[FiledReturn]] = {}
    for one in returns:
        if one.unit_id is not None:
            versions.setdefault((one.period, one.unit_id), []).append(one)
    found: dict[str, dict[int, FiledReturn]] = {}
    for (code, unit_id), candidates in versions.items():
        stands = current(candidates)
        if stands is not None:
            found.setdefault(code, {})[unit_id] = stands
    return found


def figures(
    period: Period,
    schools: Sequence[School],
    returns: Iterable[FiledReturn],
    timeline: Timeline,
    as_of: datetime,
    *,
    ledger_solved: Mapping[int, int] | None = None,
    platform_since: Mapping[int, date] | None = None,
    soft: SoftRules | None = None,
    frozen: Mapping[str, Sum] | None = None,
    claimed: Collection[int] = (),
) -> Figures:
    """The figures of a period as they stand, from the returns of all periods.

    `claimed`: the schools that say they have filed;
    `frozen`: the sums of other periods as they were settled, with the number of schools of that time;
    `ledger_solved` says per school how many problems our ledger closed in the months covered;
    `platform_since` comes from the registry (`platforms`), and without it is found in the returns.
    """
    returns = list(returns)
    by_period = standing(returns)
    before = by_period.get(timeline.before(period).code, {})
    lines = tuple(
        _line(
            school, by_period.get(period.code, {}), before, period, ledger_solved or {}, soft or SoftRules()
        )
        for school in _with_departed(schools, by_period.get(period.code, {}))
    )
    known = {school.unit_id for school in schools}
    lines = tuple(
        replace(line, in_directory=line.unit_id in known, claimed=line.unit_id in claimed) for line in lines
    )
    since = platform_since if platform_since is not None else platforms_since(returns, timeline)
    # Of a school that never filed nobody knows whether it has a platform: it is not named as having none.
    filers = {one.unit_id for one in returns if one.counted}
    sums = {code: _sum_of(code, by_period[code], len(schools)) for code in by_period} | dict(frozen or {})
    sums[period.code] = _total(period.code, lines, len(schools))
    return Figures(
        period=period.code,
        due=period.due,
        covers=period.covers_in_chinese,
        as_of=as_of.astimezone(timeline.rules.zone).isoformat(timespec="seconds"),
        total=sums[period.code],
        schools=lines,
        previous=sums.get(timeline.before(period).code),
        last_year=sums.get(timeline.year_before(period).code),
        trend=tuple(sums[code] for code in sorted(sums) if code <= period.code)[-TREND_PERIODS:],
        without_platform=tuple(
            school.name for school in schools if school.unit_id not in since and school.unit_id in filers
        ),
    )


TREND_PERIODS: Final = 13
"""Two years and the period itself."""


def _with_departed(schools: Sequence[School], filed: Mapping[int, FiledReturn]) -> list[School]:
    """The schools of the directory, then those that filed and have left it since."""
    known = {school.unit_id for school in schools}
    gone = [School(u, one.unit_name) for u, one in sorted(filed.items()) if u not in known and one.counted]
    return [*schools, *gone]


def _line(
    school: School,
    filed: Mapping[int, FiledReturn],
    before: Mapping[int, FiledReturn],
    period: Period,
    ledger: Mapping[int, int],
    soft: SoftRules,
) -> SchoolFigures:
    one, last = filed.get(school.unit_id), before.get(school.unit_id)
    previous = last.counts if last is not None and last.counted else None
    solved = ledger.get(school.unit_id)
    if one is None or not one.counted:
        state = one.state if one is not None else ReturnState.MISSING
        return SchoolFigures(
            school.unit_id, school.name, state, None, previous=previous, ledger_solved=solved
        )
    doubts = [doubt.text for doubt in soft_doubts(one.counts, period, previous, solved, soft)]
    doubts += [said.text for said in one.findings if _about_figures(said)]
    return SchoolFigures(
        unit_id=school.unit_id,
        name=school.name,
        state=one.state,
        counts=one.counts,
        late=one.late,
        version=one.version,
        received_at=one.received_at.astimezone(period.closes.tzinfo).isoformat(timespec="seconds"),
        remarks=one.remarks,
        previous=previous,
        ledger_solved=solved,
        doubts=tuple(dict.fromkeys(doubts)),
    )


def _about_figures(finding: Finding) -> bool:
    """Whether a stored warning is the reader's about a row; soft checks (`rows.name`) are made anew."""
    about_a_row = finding.field == "rows" or finding.field.startswith("rows[")
    return finding.severity is Severity.WARNING and about_a_row


def _total(code: str, lines: Sequence[SchoolFigures], expected: int) -> Sum:
    counted = [line for line in lines if line.counts is not None]
    filed = sum(line.in_directory for line in counted)
    counts = sum((line.counts for line in counted if line.counts is not None), Counts())
    return Sum(code, expected, filed, sum(line.late for line in counted), counts)


def _sum_of(code: str, filed: Mapping[int, FiledReturn], expected: int) -> Sum:
    """The sum of a period that was never settled: its number of schools is at least that of who filed."""
    counted = [one for one in filed.values() if one.counted]
    counts = sum((one.counts for one in counted), Counts())
    return Sum(code, max(expected, len(counted)), len(counted), sum(one.late for one in counted), counts)


def changes(before: Figures, after: Figures) -> tuple[str, ...]:
    """What differs between two states of a period's figures, in Chinese: for a rollup that is remade."""
    old = {school.unit_id: school for school in before.schools}
    lines: list[str] = []
    for school in after.schools:
        was = old.get(school.unit_id)
        if was is None or was.counts != school.counts:
            lines.append(
                f"{school.name}：{_in_words(was.counts if was else None)} → {_in_words(school.counts)}"
            )
    gone = {school.unit_id for school in after.schools}
    lines += [f"{was.name}：不再列入" for was in before.schools if was.unit_id not in gone]
    pairs = zip(COUNT_NAMES.values(), before.total.counts.values, after.total.counts.values, strict=True)
    return (*lines, *(f"合计{label}：{then} → {now}" for label, then, now in pairs if then != now))


def _in_words(counts: Counts | None) -> str:
    return "未报" if counts is None else " / ".join(map(str, counts.values))


# --- the schools' own platforms --------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Platform:
    """One school in the registry of the schools' own platforms."""

    unit_id: int
    name: str
    since: date | None
    """The day of the first return that named one; None: it has none yet."""
    platforms: int
    """As filed last."""
    activity: tuple[tuple[str, float | None], ...]
    """Period code and sessions a month, oldest first; None where it filed nothing."""


def platforms_since(returns: Iterable[FiledReturn], timeline: Timeline) -> dict[int, date]:
    """For each school that ever named a platform of its own: the day of its first return that did."""
    since: dict[int, date] = {}
    for one in returns:
        if one.unit_id is None or not one.counted or one.counts.platforms == 0:
            continue
        day = one.received_at.astimezone(timeline.rules.zone).date()
        since[one.unit_id] = min(day, since.get(one.unit_id, day))
    return since


def platforms(
    schools: Sequence[School],
    returns: Iterable[FiledReturn],
    timeline: Timeline,
    known_since: Mapping[int, date] | None = None,
) -> tuple[Platform, ...]:
    """The registry: who has a platform since when, and how active it is, in the directory's order."""
    returns = list(returns)
    since = platforms_since(returns, timeline)
    for unit_id, day in (known_since or {}).items():
        since[unit_id] = min(day, since.get(unit_id, day))
    by_period = standing(returns)
    codes = sorted(by_period)
    months = {code: len(timeline.period(code).covers) for code in codes}

    def registered(school: School) -> Platform:
        filed = [(code, by_period[code].get(school.unit_id)) for code in codes]
        counted = [(code, one.counts if one is not None and one.counted else None) for code, one in filed]
        activity = tuple(
            (code, counts.sessions_held / months[code] if counts is not None else None)
            for code, counts in counted
        )
        last = next((counts.platforms for _, counts in reversed(counted) if counts is not None), 0)
        return Platform(school.unit_id, school.name, since.get(school.unit_id), last, activity)

    return tuple(map(registered, schools))


def in_chinese(code: str, timeline: Timeline) -> str:
    """How a period is called in a heading: 2022年1月期（2021年11月至12月）."""
    period = timeline.period(code)
    year, month = int(code[3:7]), int(code[8:10])
    return f"{chinese_month(date(year, month, 1))}期（{period.covers_in_chinese}）"
