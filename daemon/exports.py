"""The office's workbooks on demand: `djb export`."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Final

from daemon import registers
from daemon.config import Config
from daemon.desk import Desk, open_office
from daemon.directory import Directory
from daemon.errors import Permanent
from daemon.figures import Sum, figures
from daemon.period_records import (
    figures_now,
    frozen_figures,
    registry,
    schools_then,
    settled_returns,
)
from daemon.statistics_workbooks import returns_workbook, rollup_workbook
from daemon.store import questions
from daemon.store.engine import Store


def workbook(store: Store, config: Config, what: str, period: str | None, now: datetime) -> bytes:
    """The xlsx of `what`, as the data stand. Permanent: there is no such workbook.

    `period` is the code of a statistics period such as TJ-2022-01.
    """
    make = WORKBOOKS.get(what)
    if make is None:
        raise Permanent(f"没有“{what}”这种工作簿", f"可以导出：{'、'.join(WORKBOOKS)}")
    with store.reading() as session:
        desk = Desk(open_office(config), session, Directory(questions.units(session)), now)
        return make(desk, period)


def _returns(desk: Desk, code: str | None) -> bytes:
    """The summary of one period, or years of history in one workbook."""
    if code is not None:
        return rollup_workbook(figures_now(desk, desk.timeline().period(code)), registry(desk))
    settled = settled_returns(desk)
    codes = sorted({one.period for one in settled} | {row.code for row in questions.periods(desk.session)})
    timeline, frozen = desk.timeline(), frozen_figures(desk)

    def total(one: str) -> Sum:
        known = schools_then(desk, frozen.get(one))
        return figures(timeline.period(one), known, settled, timeline, desk.now).total

    sums = [total(one) for one in codes]
    return returns_workbook(sums, settled, registry(desk, settled), desk.config.zone)


WORKBOOKS: Final[Mapping[str, Callable[[Desk, str | None], bytes]]] = {
    "returns": _returns,
    "ledger": registers.ledger_workbook,
    "problem-list": registers.problem_list_workbook,
}
