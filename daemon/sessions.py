"""The rules of one session (期): when it opens, its list, the choice, the read-back, the assignment. Pure.

opened → submitted (list with the secretary) → chosen (read back) → confirmed (sheet with the office) →
assigned. The shell stores `Session`, feeds problems the `events` of an outcome and writes its letters.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from enum import StrEnum

from daemon.events import Actor, Assigned, Event, Instructed, Listed, Referred, Selected, Submitted
from daemon.model import Problem, State
from daemon.problems import WITH_SECTIONS, WorkflowRules
from daemon.similarity import Group
from daemon.workdays import Calendar
from parsers.orders import Instruct, Order, ReferRest, Select
from parsers.workbooks import Changes, SentWorkbook


class Stage(StrEnum):
    OPENED = "opened"
    SUBMITTED = "submitted"
    CHOSEN = "chosen"
    CONFIRMED = "confirmed"
    ASSIGNED = "assigned"
    CLOSED = "closed"


STAGE_NAMES: Mapping[Stage, str] = {
    Stage.OPENED: "已开期",
    Stage.SUBMITTED: "清单已呈报",
    Stage.CHOSEN: "书记已选定，待确认",
    Stage.CONFIRMED: "已确认，待交办",
    Stage.ASSIGNED: "已交办",
    Stage.CLOSED: "已结束",
}


@dataclass(frozen=True, slots=True)
class Choice:
    """What the secretary chose from the list."""

    selected: tuple[str, ...] = ()
    referred: tuple[str, ...] = ()
    instruction: str | None = None


@dataclass(frozen=True, slots=True)
class Session:
    """One session as the rules see it."""

    code: str
    stage: Stage
    opened_on: date
    numbers: tuple[str, ...] = ()
    """In the order of the list that the secretary saw; 选定 2 is the second."""
    version: int = 1
    choice: Choice = field(default_factory=Choice)
    questioned: bool = False
    """Whether an unusual number of picks was asked about already: once is enough."""


# --- when it opens -----------------------------------------------------------------------------


def session_day(year: int, month: int, calendar: Calendar) -> date:
    """The day a regular session is meant for: the month's first working day."""
    return calendar.workdays_after(date(year, month, 1), 0)


def next_opening(
    last_opened: date | None, started: date, every: int, rules: WorkflowRules, calendar: Calendar
) -> date | None:
    """When the next regular session opens, `session_list` working days before its day; None if never.

    Counted by months from January. A session opened by hand stands for the regular one if the last
    opening lies less than half an interval back; nothing before the daemon's first day is made up for.
    """
    if every <= 0:
        return None
    earliest = started
    if last_opened is not None:
        earliest = max(started, last_opened + timedelta(days=every * 15))
    for ahead in range(12 * 3 + every + 1):
        year, month = divmod(earliest.year * 12 + earliest.month - 1 + ahead, 12)
        if month % every:
            continue
        opening = calendar.workdays_before(session_day(year, month + 1, calendar), rules.session_list)
        if opening >= earliest:
            return opening
    return None


def next_code(year: int, codes: Sequence[str]) -> str:
    """`QC-2022-03` after `QC-2022-02`."""
    used = [int(code.rsplit("-", 1)[1]) for code in codes if code.startswith(f"QC-{year}-")]
    return f"QC-{year}-{max(used, default=0) + 1:02d}"


# --- the list ----------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Entry:
    """One line of the list, with what is said of similar problems."""

    position: int
    number: str
    similar: str


def for_list(problem: Problem) -> bool:
    """Whether a problem goes on the next list: for the secretary, registered, in no session yet.

    A clue of the office's own names no level and is for him; one with both levels comes even while a
    section has it in hand or is being sought.
    """
    for_secretary = "secretary" in problem.levels or not problem.levels
    if not for_secretary or problem.session:
        return False
    return problem.state is State.REGISTERED or (
        problem.state in WITH_SECTIONS and "secretary" in problem.levels
    )


def listing(
    problems: Sequence[Problem], groups: Sequence[Group], solved: Mapping[str, Sequence[str]] | None = None
) -> tuple[Entry, ...]:
    """The list in its order: the most widely reported groups first, similar ones together.

    `solved`: number -> numbers of similar problems of earlier days that were closed.
    """
    wanted = {problem.number: problem for problem in problems if for_list(problem)}
    gathered = [tuple(number for number in group.numbers if number in wanted) for group in groups]
    ranked = sorted(
        ((group, numbers) for group, numbers in zip(groups, gathered, strict=True) if numbers),
        key=lambda pair: (-pair[0].units, -len(pair[1]), wanted[pair[1][0]].received_at, pair[1][0]),
    )
    ordered = [(number, group, numbers) for group, numbers in ranked for number in numbers]
    missing = [number for number in wanted if number not in {number for number, _, _ in ordered}]
    entries = [(number, _similar_text(group, numbers, number, solved)) for number, group, numbers in ordered]
    entries += [(number, _solved_text(number, solved)) for number in sorted(missing)]
    return tuple(Entry(place, number, text) for place, (number, text) in enumerate(entries, start=1))


def _similar_text(
    group: Group, numbers: Sequence[str], number: str, solved: Mapping[str, Sequence[str]] | None
) -> str:
    parts = []
    if len(numbers) > 1:
        others = "、".join(other for other in numbers if other != number)
        parts.append(f"{group.units} 所学校反映（另见 {others}；{group.why}）")
    if earlier := _solved_text(number, solved):
        parts.append(earlier)
    return "；".join(parts)


def _solved_text(number: str, solved: Mapping[str, Sequence[str]] | None) -> str:
    earlier = (solved or {}).get(number, ())
    return f"同类问题曾于 {'、'.join(earlier)} 解决" if earlier else ""


def opening_events(session: Session) -> tuple[tuple[str, Event], ...]:
    """What happens to each listed problem when the list goes to the secretary."""
    return tuple(
        (number, event) for number in session.numbers for event in (Listed(session=session.code), Submitted())
    )


def reminder_day(submitted_on: date, rules: WorkflowRules, calendar: Calendar) -> date:
    """When the office is reminded if there is no choice yet."""
    return calendar.workdays_after(submitted_on, rules.session_choice_reminder)


# --- the choice --------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Chosen:
    """The choice as understood, to be read back; nothing takes effect before the office confirms."""

    session: Session
    readback: str


@dataclass(frozen=True, slots=True)
class Questioned:
    """An unusual choice: asked about once; the same again is taken."""

    session: Session
    text: str


@dataclass(frozen=True, slots=True)
class Refused:
    """Nothing changes, and why."""

    reason: str


def ordered_choice(session: Session, orders: Sequence[Order]) -> Choice | Refused:
    """The choice that the words of a reply make; places count in the list that he saw."""
    picked: list[str] = []
    words: list[str] = []
    chose = False
    for order in orders:
        match order:
            case Select(positions=positions, numbers=numbers):
                chose = True
                wrong = [place for place in positions if not 1 <= place <= len(session.numbers)]
                foreign = [number for number in numbers if number not in session.numbers]
                if wrong or foreign:
                    named = [*(f"第{place}项" for place in wrong), *foreign]
                    return Refused(f"清单共{len(session.numbers)}项，没有{'、'.join(named)}")
                picked += [session.numbers[place - 1] for place in positions] + list(numbers)
            case ReferRest():
                chose = True
            case Instruct(text=text):
                words.append(text)
            case _:
                return Refused("来信不是对清单的选择")
    if not chose:
        return Refused("来信没有选择")
    return choice(session, picked, "\n".join(words) or None)


def sheet_choice(session: Session, changed: Changes) -> Choice | Refused:
    """The choice that a returned problem list makes by its column 书记意见."""
    opinions = {row.identity: row.cells["书记意见"] for row in changed.applied if "书记意见" in row.cells}
    notes = [f"{row.identity}：{row.cells['备注']}" for row in changed.applied if row.cells.get("备注")]
    if not opinions:
        return Refused("“书记意见”栏没有填写")
    picked = [number for number in session.numbers if opinions.get(number) == "选定"]
    return choice(session, picked, "\n".join(notes) or None)


def choice(session: Session, picked: Sequence[str], instruction: str | None) -> Choice:
    """The picked problems in the order of the list; all others of the list are referred."""
    selected = tuple(number for number in session.numbers if number in set(picked))
    referred = tuple(number for number in session.numbers if number not in set(picked))
    return Choice(selected, referred, instruction)


def choose(session: Session, made: Choice, rules: WorkflowRules) -> Chosen | Questioned | Refused:
    """The choice to be read back; a new one replaces the old until the office has confirmed."""
    if session.stage not in (Stage.SUBMITTED, Stage.CHOSEN):
        return Refused(f"{session.code}{STAGE_NAMES[session.stage]}，不能再改选")
    count = len(made.selected)
    if not 1 <= count <= rules.session_picks and not session.questioned:
        text = f"选定{count}项" if count else "没有选定任何一项"
        asked = f"本次{text}，方案规定每期确定1至{rules.session_picks}个问题。如确系如此，请再次回复；否则请重新选定"
        return Questioned(replace(session, questioned=True), asked)
    chosen = replace(session, stage=Stage.CHOSEN, choice=made)
    return Chosen(chosen, readback(made))


def readback(made: Choice) -> str:
    """The choice in words, for the secretary and the office."""
    lines = [f"选定：{'、'.join(made.selected) or '无'}", f"转办：{'、'.join(made.referred) or '无'}"]
    if made.instruction:
        lines.append(f"批示：{made.instruction}")
    return "\n".join(lines)


@dataclass(frozen=True, slots=True)
class Settled:
    """The session one stage further, and what happens to its problems."""

    session: Session
    events: tuple[tuple[str, Event], ...] = ()
    faults: tuple[str, ...] = ()
    """Rows that cannot be assigned yet, in Chinese."""


def confirm(session: Session, by: Actor) -> Settled | Refused:
    """确认: the choice takes effect, and the assignment sheet goes to the office."""
    if session.stage is not Stage.CHOSEN:
        return Refused(f"{session.code}{STAGE_NAMES[session.stage]}，没有待确认的选择")
    made = session.choice
    events: list[tuple[str, Event]] = [(number, Selected(by=by)) for number in made.selected]
    events += [(number, Referred(by=by)) for number in made.referred]
    if made.instruction:
        events += [(number, Instructed(by=by, text=made.instruction)) for number in made.selected]
    return Settled(replace(session, stage=Stage.CONFIRMED), tuple(events))


# --- the assignment sheet ----------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Suggestion:
    """What the assignment sheet proposes for one problem."""

    number: str
    way: str
    lead: int | None
    assists: tuple[int, ...]
    deadline: date


def suggestions(
    session: Session,
    asked: Mapping[str, Sequence[int]],
    earlier: Mapping[str, int],
    today: date,
    rules: WorkflowRules,
    calendar: Calendar,
) -> tuple[Suggestion, ...]:
    """The sheet's prefilled rows: sections that the school named, else who solved a similar problem.

    `asked`: number -> known sections named in the form; `earlier`: number -> lead of a similar one.
    """
    deadline = calendar.workdays_after(today, rules.handling)
    found = []
    for number in (*session.choice.selected, *session.choice.referred):
        sections = tuple(asked.get(number, ()))
        lead = sections[0] if sections else earlier.get(number)
        way = "选定" if number in session.choice.selected else "转办"
        found.append(Suggestion(number, way, lead, sections[1:], deadline))
    return tuple(found)


def assign(
    session: Session,
    sent: SentWorkbook,
    changed: Changes,
    sections: Mapping[str, int],
    today: date,
    by: Actor,
) -> Settled | Refused:
    """A returned assignment sheet assigns every row that is whole; it also confirms an open choice.

    A row without changes counts as it was sent. `sections`: full name -> id. Rows that conflict, have
    no lead or a past deadline stay behind with the reason.
    """
    if session.stage not in (Stage.CHOSEN, Stage.CONFIRMED, Stage.ASSIGNED):
        return Refused(f"{session.code}{STAGE_NAMES[session.stage]}，尚不能交办")
    confirmed = confirm(session, by) if session.stage is Stage.CHOSEN else None
    edited = {row.identity: row.cells for row in changed.applied}
    held = {conflict.identity for conflict in changed.conflicts} | set(changed.deleted)
    faults = [f"{number}：表中没有这一行，暂不交办" for number in changed.deleted]
    faults += [conflict.text for conflict in changed.conflicts]
    events: list[tuple[str, Event]] = list(confirmed.events) if isinstance(confirmed, Settled) else []
    for number, before in sent.rows.items():
        if number in held:
            continue
        cells = {**before, **edited.get(number, {})}
        fault = _row_fault(cells, session, number, sections, today)
        if fault:
            faults.append(f"{number}：{fault}")
            continue
        events.append((number, _assignment(cells, sections, by)))
    return Settled(replace(session, stage=Stage.ASSIGNED), tuple(events), tuple(faults))


def _row_fault(
    cells: Mapping[str, str | None], session: Session, number: str, sections: Mapping[str, int], today: date
) -> str | None:
    """Why a row cannot be assigned as it stands."""
    chosen = "选定" if number in session.choice.selected else "转办"
    if cells.get("办理方式") not in (None, chosen):
        return f"书记的意见是“{chosen}”，表中为“{cells['办理方式']}”，请先由书记改选"
    if not cells.get("牵头科室"):
        return "没有填写牵头科室"
    names = [cells["牵头科室"] or "", *_names(cells.get("协办科室"))]
    unknown = [name for name in names if name not in sections]
    if unknown:
        return f"通讯录中没有{'、'.join(unknown)}"
    deadline = cells.get("办结时限")
    if deadline and date.fromisoformat(deadline) < today:
        return f"办结时限{deadline}已经过去"
    return None


def _names(text: str | None) -> list[str]:
    return [name for name in (text or "").split("、") if name]


def _assignment(cells: Mapping[str, str | None], sections: Mapping[str, int], by: Actor) -> Assigned:
    deadline = cells.get("办结时限")
    return Assigned(
        by=by,
        lead=sections[cells["牵头科室"] or ""],
        assists=tuple(sections[name] for name in _names(cells.get("协办科室"))),
        deadline=date.fromisoformat(deadline) if deadline else None,
    )
