"""The rules of filing one school's statistics return: which period, which version, what is doubtful. Pure.

A return is an `Arrival` until `decide_return` has made a `FiledReturn` of it. Whose form it is, and
whether its sender may file it, is decided before (`daemon.filing`); the answer comes in as `unit_id` and
`held_because`.
"""

from __future__ import annotations

import hashlib
import re
import unicodedata
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from typing import Any, Final

from daemon.clock import chinese_day, local_day
from daemon.model import ReturnState
from daemon.periods import Period, SchoolState, Timeline
from parsers.values import Finding, FindingKind, Form, Severity, Value

COUNT_NAMES: Final[Mapping[str, str]] = {
    "party_branches": "党支部数",
    "platforms": "建立平台数",
    "sessions_held": "举办次数",
    "problems_solved": "解决问题数量",
}

COUNTED: Final = frozenset({ReturnState.ACCEPTED, ReturnState.LATE})


@dataclass(frozen=True, slots=True)
class Counts:
    """The four figures of the table; of one row, one school, or all schools."""

    party_branches: int = 0
    platforms: int = 0
    sessions_held: int = 0
    problems_solved: int = 0

    def __add__(self, other: Counts) -> Counts:
        return Counts(*(mine + theirs for mine, theirs in zip(self.values, other.values, strict=True)))

    @property
    def values(self) -> tuple[int, int, int, int]:
        return (self.party_branches, self.platforms, self.sessions_held, self.problems_solved)

    @property
    def nil(self) -> bool:
        """Whether it reports that nothing was done; such a return is valid."""
        return self.sessions_held == 0 and self.problems_solved == 0

    def to_json(self) -> dict[str, int]:
        return dict(zip(COUNT_NAMES, self.values, strict=True))


@dataclass(frozen=True, slots=True)
class Row:
    """One row of the table as it was filed."""

    unit: str | None
    party_branches: int | None
    platforms: int | None
    sessions_held: int | None
    problems_solved: int | None
    remarks: str | None = None
    unit_id: int | None = None
    """The school of the directory that the row names, if it names one."""

    @property
    def counts(self) -> Counts:
        """Its figures; what is missing counts as nothing."""
        return Counts(*(getattr(self, name) or 0 for name in COUNT_NAMES))

    def to_json(self) -> dict[str, Any]:
        return {"unit": self.unit, **{n: getattr(self, n) for n in COUNT_NAMES}, "remarks": self.remarks}


def row_from_json(value: Mapping[str, Any], unit_id: int | None = None) -> Row:
    """The row of a form's item or of a stored return."""
    counts = {name: value.get(name) for name in COUNT_NAMES}
    return Row(unit=value.get("unit"), remarks=value.get("remarks"), unit_id=unit_id, **counts)


def total(rows: Iterable[Row]) -> Counts:
    """The sum of the rows."""
    return sum((row.counts for row in rows), Counts())


@dataclass(frozen=True, slots=True)
class Arrival:
    """One school's form as it came, before anything is decided about it."""

    unit_id: int | None
    unit_name: str
    received_at: datetime
    """The server's INTERNALDATE."""
    rows: tuple[Row, ...]
    reported_on: date | None = None
    contact_name: str | None = None
    contact_phone: str | None = None
    findings: tuple[Finding, ...] = ()
    """The reader's."""
    wording: tuple[str, ...] = ()
    """Texts that may name a period: subject, names of the files, the sender's own words."""
    identity: str | None = None
    """The hidden identity of a form that we had sent out prefilled."""
    digest: str | None = None
    """SHA-256 of the file, so that the very same file is known again."""
    held_because: str | None = None
    """Why a person must release it first: unknown sender, uncertain reading."""


def arrival_of(
    form: Form,
    unit_id: int | None,
    unit_name: str,
    received_at: datetime,
    *,
    row_units: Sequence[int | None] = (),
    wording: tuple[str, ...] = (),
    held_because: str | None = None,
) -> Arrival:
    """The arrival of a statistics form as it was read.

    `row_units` says for each row which school of the directory it names, as far as it names one.
    """
    owners = [*row_units, *[None] * (len(form.items) - len(row_units))]
    fields = form.fields
    reported_on = fields.get("reported_on")
    return Arrival(
        unit_id=unit_id,
        unit_name=unit_name,
        received_at=received_at,
        rows=tuple(row_from_json(item, owner) for item, owner in zip(form.items, owners, strict=True)),
        reported_on=reported_on if isinstance(reported_on, date) else None,
        contact_name=_text_or_none(fields.get("contact_name")),
        contact_phone=_text_or_none(fields.get("contact_phone")),
        findings=form.findings,
        wording=wording,
        identity=form.identity,
        digest=hashlib.sha256(form.document).hexdigest() if form.document else None,
        held_because=held_because,
    )


def _text_or_none(value: Value) -> str | None:
    return str(value) if value else None


@dataclass(frozen=True, slots=True)
class FiledReturn:
    """One version of one school's return for one period, as it is stored."""

    period: str
    unit_id: int | None
    unit_name: str
    state: ReturnState
    version: int
    received_at: datetime
    rows: tuple[Row, ...]
    late: bool = False
    superseded: bool = False
    reported_on: date | None = None
    contact_name: str | None = None
    contact_phone: str | None = None
    findings: tuple[Finding, ...] = ()
    digest: str | None = None

    @property
    def counts(self) -> Counts:
        return total(self.rows)

    @property
    def counted(self) -> bool:
        """Whether it goes into the sums, unless a later version supersedes it."""
        return self.state in COUNTED and not self.superseded

    @property
    def remarks(self) -> str:
        return "；".join(row.remarks for row in self.rows if row.remarks)


def current(versions: Iterable[FiledReturn]) -> FiledReturn | None:
    """The version that stands for a school in a period: the last counted one, else the last of all."""
    alive = [version for version in versions if not version.superseded]
    return max(alive, key=lambda version: (version.counted, version.version), default=None)


def school_states(
    schools: Iterable[tuple[int, str]],
    filed: Iterable[FiledReturn],
    *,
    claimed: Collection[int] = (),
    unreachable: Collection[int] = (),
    with_platform: Collection[int] | None = None,
) -> tuple[SchoolState, ...]:
    """How each school (id, name) stands in the one period whose returns are given."""
    versions: dict[int | None, list[FiledReturn]] = {}
    for one in filed:
        versions.setdefault(one.unit_id, []).append(one)

    def state(unit_id: int, name: str) -> SchoolState:
        stands = current(versions.get(unit_id, ()))
        return SchoolState(
            unit_id=unit_id,
            name=name,
            state=stands.state if stands is not None else ReturnState.MISSING,
            claimed=unit_id in claimed,
            reachable=unit_id not in unreachable,
            without_platform=with_platform is not None and unit_id not in with_platform,
        )

    return tuple(state(unit_id, name) for unit_id, name in schools)


@dataclass(frozen=True, slots=True)
class Question:
    """Something the office must decide about a return; answered 是/否 or 同意/不同意."""

    kind: str
    """`period`, `resent`, `remake_rollup`, `held_return`."""
    text: str
    if_yes: str | None = None
    """Code of the period in which it is filed then; None: it is set aside."""
    if_no: str | None = None


@dataclass(frozen=True, slots=True)
class Decision:
    """What becomes of one arrival."""

    filed: FiledReturn
    questions: tuple[Question, ...] = ()
    supersedes: tuple[int, ...] = ()
    """Versions of the same school and period that no longer stand."""
    changes: tuple[str, ...] = ()
    """What differs from the version that stood before, in Chinese."""


@dataclass(frozen=True, slots=True)
class Past:
    """What is known about the school when its return arrives."""

    same_period: Sequence[FiledReturn] = ()
    """All versions filed for the period that is decided about."""
    other_periods: Sequence[FiledReturn] = ()
    """Its returns for other periods (the last two years will do)."""
    frozen_at: datetime | None = None
    """When the period was frozen."""
    ledger_solved: int | None = None
    """How many of its problems our ledger closed in the months covered; None if not asked."""


@dataclass(frozen=True, slots=True)
class SoftRules:
    """When a figure is doubtful. Shown to the office, never an error of the school's."""

    platforms_over_branches: int = 1
    jump_factor: float = 3.0
    jump_least: int = 5
    """A change below this is never a jump, whatever its factor."""
    filled_ahead_days: int = 3
    """Calendar days before an opening from which a 填报时间 still means the opened period."""


# --- one form, several schools -------------------------------------------------------------------


def split_by_school(arrival: Arrival, names: Mapping[int, str]) -> tuple[Arrival, ...]:
    """One arrival for each school whose rows the form holds; the reporting school's first.

    Rows that name no other school of the directory (a campus, a branch) stay with the reporting school.
    `names` maps unit ids to the directory's names.
    """
    groups: dict[int | None, list[tuple[int, Row]]] = {}
    for index, row in enumerate(arrival.rows):
        owner = row.unit_id if row.unit_id is not None else arrival.unit_id
        groups.setdefault(owner, []).append((index, row))
    if set(groups) <= {arrival.unit_id}:
        return (arrival,)
    ordered = sorted(groups.items(), key=lambda group: (group[0] != arrival.unit_id, group[1][0][0]))
    return tuple(
        replace(
            arrival,
            unit_id=owner,
            unit_name=names.get(owner, arrival.unit_name) if owner is not None else arrival.unit_name,
            rows=tuple(row for _, row in rows),
            findings=tuple(_moved_findings(arrival.findings, [index for index, _ in rows])),
        )
        for owner, rows in ordered
    )


def _moved_findings(findings: Iterable[Finding], indices: Sequence[int]) -> Iterator[Finding]:
    """The findings of the head and of these rows, renumbered as the rows now stand."""
    for finding in findings:
        match = re.match(r"rows\[(\d+)\](.*)", finding.field)
        if match is None:
            yield finding
        elif int(match[1]) in indices:
            yield replace(finding, field=f"rows[{indices.index(int(match[1]))}]{match[2]}")


# --- the decision --------------------------------------------------------------------------------


def decide_return(
    arrival: Arrival,
    past: Past,
    timeline: Timeline,
    *,
    soft: SoftRules | None = None,
    decided_period: Period | None = None,
) -> Decision:
    """What becomes of a return that arrived.

    With `decided_period` a person has said which period it is for (or it amends a return of that
    period), and nothing about the period is asked again; `past` must then be of that period.
    """
    soft = soft or SoftRules()
    period = decided_period or timeline.period_of(arrival.received_at)
    question = None if decided_period else _doubt_about_period(arrival, period, past, timeline, soft)
    question = _doubt_about_unit(arrival) or question
    findings = (*as_required(arrival.findings), *hard_faults(arrival))
    if question is not None:
        filed = _filed(arrival, period, past, ReturnState.HELD, findings)
        return Decision(filed, (question,))
    if any(finding.severity is Severity.ERROR for finding in findings):
        return Decision(_filed(arrival, period, past, ReturnState.RETURNED, findings))
    state = ReturnState.LATE if _is_late(arrival, period, past) else ReturnState.ACCEPTED
    previous = _previous(past.other_periods, timeline.before(period).code)
    doubts = soft_doubts(
        total(arrival.rows), period, previous.counts if previous else None, past.ledger_solved, soft
    )
    said = _said_better(findings, doubts)
    filed = _filed(arrival, period, past, state, (*said, *doubts, *_like_last_time(arrival, previous)))
    return _accepted(filed, period, past)


def _said_better(findings: Iterable[Finding], doubts: Iterable[Finding]) -> tuple[Finding, ...]:
    """The findings without the reader's own doubts about figures that the soft checks doubt as well."""
    doubted = {doubt.field.rpartition(".")[2] for doubt in doubts}
    return tuple(
        finding
        for finding in findings
        if finding.kind is not FindingKind.INCONSISTENT
        or finding.severity is not Severity.WARNING
        or finding.field.rpartition(".")[2] not in doubted
    )


def _accepted(filed: FiledReturn, period: Period, past: Past) -> Decision:
    before = current(v for v in past.same_period if v.counted)
    changed = before is None or _content(before) != _content(filed)
    question = (_remake_question(filed, period),) if past.frozen_at is not None and changed else ()
    return Decision(
        filed,
        question,
        tuple(version.version for version in past.same_period if not version.superseded),
        differences(before, filed) if before else (),
    )


def _filed(
    arrival: Arrival, period: Period, past: Past, state: ReturnState, findings: tuple[Finding, ...]
) -> FiledReturn:
    return FiledReturn(
        period=period.code,
        unit_id=arrival.unit_id,
        unit_name=arrival.unit_name,
        state=state,
        version=max((v.version for v in past.same_period if v.state is not ReturnState.HELD), default=0) + 1,
        received_at=arrival.received_at,
        rows=arrival.rows,
        late=_is_late(arrival, period, past),
        reported_on=arrival.reported_on,
        contact_name=arrival.contact_name,
        contact_phone=arrival.contact_phone,
        findings=findings,
        digest=arrival.digest,
    )


def _is_late(arrival: Arrival, period: Period, past: Past) -> bool:
    """Whether the school was late: the first receipt counts, but nothing is in time after the freeze."""
    if past.frozen_at is not None and arrival.received_at >= past.frozen_at:
        return True
    receipts = [v.received_at for v in past.same_period if v.state is not ReturnState.HELD]
    return min([arrival.received_at, *receipts]) >= period.closes


def _content(filed: FiledReturn) -> list[dict[str, Any]]:
    return [row.to_json() for row in filed.rows]


def _remake_question(filed: FiledReturn, period: Period) -> Question:
    return Question(
        "remake_rollup",
        f"{filed.unit_name}的统计表（{period.code}，{period.covers_in_chinese}）在数据封存后登记。"
        "是否据此重新生成汇总表？同意：重新汇总；不同意：仅登记备查，汇总数据不变。",
        if_yes=period.code,
    )


def _doubt_about_unit(arrival: Arrival) -> Question | None:
    """The question that holds a form whose school or sender is not certain."""
    because = arrival.held_because
    if because is None and arrival.unit_id is None:
        because = f"填报单位“{arrival.unit_name}”不在通讯录中"
    if because is None:
        return None
    return Question("held_return", f"{arrival.unit_name}的统计表暂存待核实：{because}。是否予以登记？")


# --- which period --------------------------------------------------------------------------------


def _doubt_about_period(
    arrival: Arrival, period: Period, past: Past, timeline: Timeline, soft: SoftRules
) -> Question | None:
    pointed = list(_pointers(arrival, period, timeline, soft))
    if pointed:
        target = pointed[0][0]
        reasons = "；".join(dict.fromkeys(reason for _, reason in pointed))
        return Question(
            "period",
            f"{_came(arrival, timeline)}，按收到时间属 {period.code}（{period.covers_in_chinese}），但{reasons}。"
            f"是否改计入 {target.code}（{target.covers_in_chinese}）？是：计入 {target.code}；否：计入 {period.code}。",
            if_yes=target.code,
            if_no=period.code,
        )
    twin = next((old for old in past.other_periods if _same_paper(arrival, old)), None)
    if twin is None:
        return None
    return Question(
        "resent",
        f"{_came(arrival, timeline)}，与该校 {twin.period} 期已报的统计表完全相同，可能误将上期表格重发。"
        f"是否计入 {period.code}（{period.covers_in_chinese}）？是：计入；否：不计入，请该校重新填报。",
        if_yes=period.code,
    )


def _came(arrival: Arrival, timeline: Timeline) -> str:
    return (
        f"{arrival.unit_name}{chinese_day(local_day(arrival.received_at, timeline.rules.zone))}报来的统计表"
    )


def _same_paper(arrival: Arrival, old: FiledReturn) -> bool:
    """Whether it is the very file, or the very table of the very day, that was filed before."""
    if old.unit_id != arrival.unit_id or old.state not in COUNTED:
        return False
    if arrival.digest is not None and arrival.digest == old.digest:
        return True
    same_day = arrival.reported_on is not None and arrival.reported_on == old.reported_on
    return same_day and [row.to_json() for row in arrival.rows] == _content(old)


def _pointers(
    arrival: Arrival, period: Period, timeline: Timeline, soft: SoftRules
) -> Iterator[tuple[Period, str]]:
    """Other periods that the form itself points to, each with the reason in Chinese."""
    for code in _CODE.findall(arrival.identity or ""):
        if code != period.code and _is_code(code):
            yield timeline.period(code), f"所用表格是发给该校填报 {code} 的预填表"
    if arrival.reported_on is not None:
        ahead = period.opening - timedelta(days=soft.filled_ahead_days)
        named = timeline.period_of_day(arrival.reported_on)
        if named.code != period.code and not ahead <= arrival.reported_on < period.opening:
            yield named, f"填报时间为{chinese_day(arrival.reported_on)}"
    for text in arrival.wording:
        for named, words in periods_named(text, period, timeline):
            if named.code != period.code:
                yield named, f"来件写明“{words}”"


_CODE: Final = re.compile(r"TJ-\d{4}-\d{2}")
_SPAN: Final = re.compile(
    r"(?:(?P<year>\d{4})年)?(?<!\d)(?P<first>\d{1,2})月?份?(?:[-—–~～至到、和]|——)(?:(?P<year2>\d{4})年)?(?P<last>\d{1,2})月"
    r"(?!\d{1,2}[日号])"
)
_DUE_DAY: Final = re.compile(
    r"(?:(?P<year>\d{4})年)?(?<!\d)(?P<month>\d{1,2})月(?P<day>\d{1,2})[日号]?(?:之?前|截止|到期)"
)
_MONTH: Final = re.compile(
    r"(?:(?P<year>\d{4})年)?(?<![\d\-—–~～至到、和])(?P<month>\d{1,2})月份?(?:的?(?:填报|报送|开展|统计|报表|附件2|数据))"
)


def periods_named(text: str, near: Period, timeline: Timeline) -> tuple[tuple[Period, str], ...]:
    """The periods that a text names, each with the words that name it.

    Understood are TJ-2022-01, the months covered (11-12月), the due day (1月5日前) and the month of a
    return (1月份统计表). Where the year is missing, the period nearest to `near` is meant.
    """
    flat = re.sub(r"\s+", "", unicodedata.normalize("NFKC", text))
    around = timeline.between(near.due - timedelta(days=800), near.due + timedelta(days=800))
    found = [(timeline.period(code), code) for code in _CODE.findall(flat.upper()) if _is_code(code)]
    for pattern, fits in ((_SPAN, _fits_span), (_DUE_DAY, _fits_due_day), (_MONTH, _fits_month)):
        for match in pattern.finditer(flat):
            named = [period for period in around if fits(period, match)]
            if named:
                found.append((min(named, key=lambda p: abs((p.due - near.due).days)), match[0]))
    return tuple(found)


def _is_code(code: str) -> bool:
    return 1 <= int(code[-2:]) <= 12 and int(code[3:7]) >= 2000


def _fits_span(period: Period, match: re.Match[str]) -> bool:
    first, last = period.covers[0], period.covers[-1]
    if (first.month, last.month) != (int(match["first"]), int(match["last"])):
        return False
    years = [(match["year"], first.year), (match["year2"], last.year)]
    return all(given is None or int(given) == year for given, year in years)


def _fits_due_day(period: Period, match: re.Match[str]) -> bool:
    year_fits = match["year"] is None or int(match["year"]) == period.due.year
    return year_fits and (period.due.month, period.due.day) == (int(match["month"]), int(match["day"]))


def _fits_month(period: Period, match: re.Match[str]) -> bool:
    """A single month may be the one of the due day or one of those covered; the nearest period is meant."""
    months = [(period.due.year, period.due.month), *((day.year, day.month) for day in period.covers)]
    month = int(match["month"])
    return any(m == month and (match["year"] is None or y == int(match["year"])) for y, m in months)


# --- checks --------------------------------------------------------------------------------------


def as_required(findings: Iterable[Finding]) -> tuple[Finding, ...]:
    """The findings about a form with those as warnings for which no return is sent back: whom to call, and when."""
    return tuple(
        replace(finding, severity=Severity.WARNING) if finding.field in DISPENSABLE else finding
        for finding in findings
    )


DISPENSABLE: Final = frozenset({"contact_name", "contact_phone", "reported_on"})


def hard_faults(arrival: Arrival) -> tuple[Finding, ...]:
    """What the school must correct and the reader has not said yet: counts, one row a unit, no rows."""
    said = {finding.field for finding in arrival.findings if finding.severity is Severity.ERROR}
    faults = [fault for fault in _hard_faults(arrival) if fault.field not in said]
    return tuple(faults)


def _hard_faults(arrival: Arrival) -> Iterator[Finding]:
    if not arrival.rows:
        yield Finding("rows", FindingKind.MISSING, Severity.ERROR, "统计表没有填写任何一行")
    seen: dict[str, int] = {}
    for index, row in enumerate(arrival.rows):
        for name, label in COUNT_NAMES.items():
            value = getattr(row, name)
            if value is None:
                yield Finding(
                    f"rows[{index}].{name}",
                    FindingKind.MISSING,
                    Severity.ERROR,
                    f"“{label}”未填写（没有的请填 0）",
                )
            elif value < 0:
                yield Finding(
                    f"rows[{index}].{name}",
                    FindingKind.INVALID,
                    Severity.ERROR,
                    f"“{label}”应为不小于 0 的整数",
                )
        unit = _flat(row.unit or arrival.unit_name)
        if unit in seen:
            yield Finding(
                f"rows[{index}].unit",
                FindingKind.INCONSISTENT,
                Severity.ERROR,
                f"“{row.unit or arrival.unit_name}”在表中出现不止一行，每个单位请只填一行",
            )
        seen[unit] = index


def soft_doubts(
    counts: Counts, period: Period, previous: Counts | None, ledger_solved: int | None, soft: SoftRules
) -> tuple[Finding, ...]:
    """What the office should look at in a school's figures; none of it is returned to the school."""
    return tuple(
        Finding(f"rows.{name}", FindingKind.INCONSISTENT, Severity.WARNING, text)
        for name, text in _soft_doubts(counts, period, previous, ledger_solved, soft)
    )


def _soft_doubts(
    counts: Counts, period: Period, previous: Counts | None, ledger_solved: int | None, soft: SoftRules
) -> Iterator[tuple[str, str]]:
    months = len(period.covers)
    if counts.sessions_held < months:
        yield "sessions_held", f"举办次数 {counts.sessions_held} 次，少于 {months} 次（每月应开展一次）"
    if counts.problems_solved and not counts.sessions_held:
        yield "problems_solved", f"未举办活动，却填报解决问题 {counts.problems_solved} 个"
    if counts.platforms > counts.party_branches + soft.platforms_over_branches:
        yield (
            "platforms",
            f"平台数 {counts.platforms} 多于党支部数 {counts.party_branches} 加 {soft.platforms_over_branches}",
        )
    if previous is not None:
        for (name, label), now, then in zip(COUNT_NAMES.items(), counts.values, previous.values, strict=True):
            if _jumps(now, then, soft):
                yield name, f"{label}由上期 {then} 变为 {now}，变化较大"
    if ledger_solved is not None and counts.problems_solved < ledger_solved:
        yield (
            "problems_solved",
            f"填报解决问题 {counts.problems_solved} 个，少于台账中该校本期已办结的 {ledger_solved} 个",
        )


def _jumps(now: int, then: int, soft: SoftRules) -> bool:
    small, large = sorted((now, then))
    return large - small >= soft.jump_least and large >= soft.jump_factor * small


def _previous(others: Iterable[FiledReturn], code: str) -> FiledReturn | None:
    return current(old for old in others if old.period == code and old.counted)


def _like_last_time(arrival: Arrival, previous: FiledReturn | None) -> tuple[Finding, ...]:
    """A doubt if every figure is that of the last period and the form has no date to tell them apart."""
    if previous is None or arrival.reported_on is not None or total(arrival.rows).nil:
        return ()
    if [row.counts for row in arrival.rows] != [row.counts for row in previous.rows]:
        return ()
    text = f"各项数字与 {previous.period} 期完全相同，且未写填报时间"
    return (Finding("rows", FindingKind.INCONSISTENT, Severity.WARNING, text),)


# --- corrections by words ------------------------------------------------------------------------

_LABELS: Final[Mapping[str, tuple[str, ...]]] = {
    "party_branches": ("party_branches", "党支部数", "支部数", "党支部", "支部", "党支部数量"),
    "platforms": (
        "platforms",
        "建立平台数",
        "平台数",
        "平台",
        "平台数量",
        "建立难点问题书记一线办党建工作平台数",
    ),
    "sessions_held": (
        "sessions_held",
        "举办次数",
        "次数",
        "活动次数",
        "开展次数",
        "难点问题书记一线办举办次数",
    ),
    "problems_solved": ("problems_solved", "解决问题数量", "解决问题数", "解决数量", "解决数", "解决问题"),
    "remarks": ("remarks", "备注"),
    "contact_name": ("contact_name", "联系人"),
    "contact_phone": ("contact_phone", "联系电话", "电话"),
}
_FIELD_OF: Final = {label: name for name, labels in _LABELS.items() for label in labels}
_NUMBER: Final = re.compile(r"(\d{1,6})[个次件项条]?")
_NIL_WORDS: Final = frozenset({"无", "没有", "零", "〇", "/", "-", "—"})


@dataclass(frozen=True, slots=True)
class Amendment:
    """What a correction by words makes of a filed return."""

    arrival: Arrival | None
    """To be decided about as a new version; None if nothing could be applied."""
    applied: tuple[str, ...] = ()
    """党支部数：3 → 4."""
    refused: tuple[str, ...] = ()
    """Why something was not applied, in Chinese."""


def amend(
    filed: FiledReturn, corrections: Sequence[tuple[str, str]], received_at: datetime, unit: str | None = None
) -> Amendment:
    """The return with fields corrected by words, such as `[("党支部数", "4")]`.

    `unit` names the row if the table has several. All is applied or nothing: a correction of which a
    part is not understood goes to a person.
    """
    index = _row_index(filed.rows, unit)
    row = filed.rows[index] if index is not None else None
    head: dict[str, str | None] = {"contact_name": filed.contact_name, "contact_phone": filed.contact_phone}
    applied: list[str] = []
    refused: list[str] = []
    for label, text in corrections:
        name = _FIELD_OF.get(_flat(label))
        value = _new_value(name, text)
        if name is None:
            refused.append(f"不认识的项目“{label}”")
        elif value is None:
            refused.append(f"“{label}”应为不小于 0 的整数，来件写的是“{text}”")
        elif name in head:
            applied.append(f"{label}：{head[name] or '（空）'} → {value}")
            head[name] = str(value)
        elif row is None:
            refused.append(f"表中有 {len(filed.rows)} 行，未写明更正哪个单位的“{label}”")
        else:
            before = getattr(row, name)
            applied.append(f"{label}：{'（空）' if before is None else before} → {value}")
            row = _with_value(row, name, value)
    if refused or not applied:
        return Amendment(None, (), tuple(refused))
    rows = tuple(row if n == index and row is not None else old for n, old in enumerate(filed.rows))
    return Amendment(_amended(filed, rows, head, received_at), tuple(applied))


def _amended(
    filed: FiledReturn, rows: tuple[Row, ...], head: Mapping[str, str | None], received_at: datetime
) -> Arrival:
    return Arrival(
        unit_id=filed.unit_id,
        unit_name=filed.unit_name,
        received_at=received_at,
        rows=rows,
        reported_on=filed.reported_on,
        contact_name=head["contact_name"],
        contact_phone=head["contact_phone"],
    )


def _with_value(row: Row, name: str, value: int | str) -> Row:
    changes: dict[str, Any] = {name: value}
    return replace(row, **changes)


def _new_value(name: str | None, text: str) -> int | str | None:
    flat = _flat(text)
    if name not in COUNT_NAMES:
        return unicodedata.normalize("NFKC", text).strip() or None
    if flat in _NIL_WORDS:
        return 0
    match = _NUMBER.fullmatch(flat)
    return int(match[1]) if match else None


def _row_index(rows: Sequence[Row], unit: str | None) -> int | None:
    """Which row is meant: the only one, or the only one whose unit is so called."""
    if unit is None:
        return 0 if len(rows) == 1 else None
    named = [index for index, row in enumerate(rows) if _flat(unit) in _flat(row.unit or "")]
    return named[0] if len(named) == 1 else None


def differences(before: FiledReturn, after: FiledReturn) -> tuple[str, ...]:
    """What changed from one version to the next, in Chinese: 举办次数：2 → 3."""
    pairs = zip(COUNT_NAMES.values(), before.counts.values, after.counts.values, strict=True)
    changes = [f"{label}：{old} → {new}" for label, old, new in pairs if old != new]
    if before.remarks != after.remarks:
        changes.append(f"备注：{before.remarks or '（空）'} → {after.remarks or '（空）'}")
    return tuple(changes)


def _flat(text: str) -> str:
    """Text without blanks, quotes and trailing punctuation, as labels are compared."""
    return re.sub(r"[\s\"'“”‘’「」]|[:：。.;；，,]+$", "", unicodedata.normalize("NFKC", text))
