"""The ledger and the list of problems as workbooks: for the office's monthly letter and on demand."""

from __future__ import annotations

from daemon import ledgers, session_office, standing
from daemon.clock import chinese_day, local_day
from daemon.desk import Desk
from daemon.letters import LIGHT_NAMES
from daemon.model import Light, Problem, State
from daemon.standing import lights_of
from daemon.store import questions

LETTER_ROWS = 2_000
"""The newest problems that a ledger by mail holds: one that comes back must be read whole."""


def ledger(desk: Desk, about: str, most: int | None = None) -> ledgers.SentFile:
    """Every problem on file, whatever became of it; of very many the newest."""
    found = [problem for problem in questions.problems(desk.session) if problem.state is not State.HELD]
    found = found[-most:] if most else found
    lights = lights_of(desk, found)
    rows = [_ledger_row(desk, place, one, lights[one.number]) for place, one in enumerate(found, start=1)]
    names = [unit.name for unit in desk.directory.sections]
    return ledgers.ledger(about, 1, rows, names, f"截至{chinese_day(desk.today)}")


def _ledger_row(desk: Desk, place: int, problem: Problem, light: Light) -> ledgers.Row:
    zone = desk.config.zone
    return ledgers.ledger_row(
        place,
        problem,
        received_on=local_day(problem.received_at, zone),
        lead=next(iter(standing.section_names(desk, (problem.lead_section_id,))), None),
        assists=standing.section_names(desk, problem.assist_section_ids),
        light=LIGHT_NAMES[light].split("（")[0] if light is not Light.NONE else "",
        closed_on=local_day(problem.closed_at, zone) if problem.closed_at else None,
    )


def ledger_workbook(desk: Desk, _period: str | None) -> bytes:
    """The ledger on demand."""
    return ledger(desk, f"LEDGER-{desk.today.isoformat()}").data


def problem_list_workbook(desk: Desk, _period: str | None) -> bytes:
    """What waits for the secretary's next list; if nothing does, the last list as it stands."""
    waiting = session_office.waiting_problems(desk)
    latest = questions.latest_session(desk.session)
    code = "下期"
    if not waiting and latest is not None:
        rows = questions.problem_rows(desk.session, latest.list_numbers)
        waiting, code = [questions.problem_value(row) for row in rows], latest.code
    similar = latest.choice.get("similar", {}) if latest is not None else {}
    lines = [
        ledgers.list_row(place, problem, similar.get(problem.number, ""), _opinion(problem))
        for place, problem in enumerate(waiting, start=1)
    ]
    return ledgers.problem_list(code, 1, lines, code).data


def _opinion(problem: Problem) -> str | None:
    if problem.state is State.SELECTED:
        return "选定"
    return "转办" if problem.state is State.REFERRED else None
