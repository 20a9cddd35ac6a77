"""A year of the two-monthly statistics on real servers: holidays, make-up days, every habit a school may have."""

from __future__ import annotations

import io
from collections import Counter
from collections.abc import Iterable
from datetime import date, datetime, timedelta
from email.message import EmailMessage
from pathlib import Path
from typing import Any

import openpyxl
import pytest

from daemon.envelope import Attachment
from tests.journeys import statistics_year as year
from tests.journeys.statistics_year import Act, Demand, after, before, code_of, on
from tests.journeys.town import BUREAU, CLERK, Town, files_of, parsed, school_address, text_of
from tests.servers.mailstack import OFFICE, MailStack

CALENDAR_KINDS = {
    *("statistics_opening", "statistics_reminder", "statistics_chase"),
    *("missing_list", "rollup", "circular_draft"),
}


@pytest.fixture
def town(mail_stack: MailStack, tmp_path: Path) -> Town:
    return Town(mail_stack, tmp_path / "town", schools=year.SCHOOLS)


def perform(town: Town, acts: Iterable[Act], due: date) -> None:
    """Lay the mails of these acts into the office's mailbox."""
    for act in acts:
        sender = school_address(act.school)
        if act.how == "claim":
            chase = letter_of(town, sender, "催报")
            town.write(sender, f"Re: {chase['Subject']}", "已报", answers=chase, at=act.at)
            continue
        answers = None
        attachment = year.form(act.school, act.figures)
        if act.how.startswith("prefilled"):
            answers = letter_of(town, sender, "请填报")
            name, data = next(pair for pair in files_of(answers).items() if pair[0].endswith(act.how[-4:]))
            attachment = year.filled_in(Attachment(name, data, "application/octet-stream"), act.figures)
        elif act.how == "correction":
            answers = letter_of(town, sender, "补正")
        elif act.how == "stranger":
            sender = town.stack.add_person(f"teacher{due.month:02d}@qq.com")
        town.write(sender, "报送统计表", "请查收。", [attachment], answers=answers, at=act.at)


def letter_of(town: Town, address: str, words: str) -> EmailMessage:
    return [mail for mail in town.letters_to(address) if words in mail["Subject"]][-1]


def walk(town: Town, due: date) -> None:
    """One period, cycle by cycle; what schools do lies in the mailbox when the next cycle comes."""
    acts = sorted(
        (a for school in range(year.SCHOOLS) for a in year.acts_of(school, due)), key=lambda a: a.at
    )
    done = datetime.min.replace(tzinfo=on(due).tzinfo)
    stops = [on(day) for day in year.days_of(due)]
    # A correction answers the letter that sent the form back: a cycle must have passed in between.
    stops += [on(before(due, 9), "17:30"), on(after(due, 5) + timedelta(days=2), "12:00")]
    for moment in sorted(stops):
        perform(town, (act for act in acts if done < act.at <= moment), due)
        done = moment
        town.once(moment)
        if moment.date() in year.days_of(due):
            count = len(town.rows("letters"))
            town.once(moment + timedelta(hours=3))
            assert len(town.rows("letters")) == count


def sent(town: Town, due: date) -> Counter[Demand]:
    """The letters of the calendar that really went out for a period."""
    found: Counter[Demand] = Counter()
    for row in town.rows("letters"):
        if code_of(due) not in row["about"] or row["state"] != "sent":
            continue
        circular = row["kind"] == "question" and "通报" in row["subject"]
        if row["kind"] not in CALENDAR_KINDS and not circular:
            continue
        if "更新" in row["subject"] or row["in_reply_to"]:
            continue
        found[_described(row, due)] += 1
    return found


def _described(row: dict[str, Any], due: date) -> Demand:
    (to,) = row["to"]
    kind = row["kind"]
    if kind == "statistics_chase":
        kind += " 2" if row["cc"] else " 1"
        assert row["cc"] in ([], [to.replace("school", "head", 1)])
    moment = datetime.fromisoformat(row["sent_at"])
    assert "09:00" <= f"{moment:%H:%M}" < "17:00"
    return code_of(due), kind, "office" if to in (CLERK, BUREAU) else to, moment.date()


def sums_of_mails(town: Town, due: date, late: bool) -> list[int]:
    """The four sums, from the raw mails: of every school the last whole table that came in the window."""
    window = (on(before(due, 10), "00:00"), on(before(_next_due(due), 10), "00:00"))
    frozen = on(after(due, 5))
    last: dict[str, tuple[int, ...]] = {}
    for path in town.stack._files(OFFICE, "INBOX"):
        raw = path.read_bytes()
        moment = datetime.fromtimestamp(path.stat().st_mtime, tz=frozen.tzinfo)
        sender = parsed(raw)["From"]
        if not (window[0] <= moment < window[1] and "school" in sender) or (moment >= frozen and not late):
            continue
        figures = year.figures_in(raw)
        if figures is not None:
            last[sender] = figures
    return [sum(column) for column in zip(*last.values(), strict=True)]


def _next_due(due: date) -> date:
    return year.DUE_DAYS[year.DUE_DAYS.index(due) + 1] if due != year.DUE_DAYS[-1] else date(2023, 1, 5)


def sums_of_rollup(mail: EmailMessage) -> list[int]:
    """The four sums as the workbook in a rollup shows them, and the daemon's own below them."""
    (data,) = files_of(mail).values()
    sheet = openpyxl.load_workbook(io.BytesIO(data), data_only=True)["汇总"]
    row = next(cell.row for cell in sheet["B"] if cell.value == "合计")
    shown = [int(str(sheet.cell(row, column).value)) for column in range(3, 7)]
    assert shown == [int(str(sheet.cell(row + 1, column).value)) for column in range(3, 7)]
    return shown


def test_a_year_of_days_sends_exactly_the_letters_that_the_rules_demand(town: Town) -> None:
    town.once(on(date(2021, 12, 20)))
    for due in year.DUE_DAYS:
        walk(town, due)
        assert sent(town, due) == year.demanded(due)
        rollups = [mail for mail in town.letters_to(CLERK) if "开展情况汇总" in mail["Subject"]]
        assert sums_of_rollup(rollups[-1]) == sums_of_mails(town, due, late=False)
        _agree_to_the_late_one(town, due)
        rollups = [mail for mail in town.letters_to(CLERK) if "开展情况汇总" in mail["Subject"]]
        assert sums_of_rollup(rollups[-1]) == sums_of_mails(town, due, late=True)
        assert "更新" in rollups[-1]["Subject"]
    _states_are_those_of_the_habits(town)
    keys = Counter(
        (row["kind"], *row["to"], *row["cc"], *row["about"])
        for row in town.rows("letters")
        if row["kind"] in CALENDAR_KINDS - {"rollup", "circular_draft"}
    )
    assert max(keys.values()) == 1


def _agree_to_the_late_one(town: Town, due: date) -> None:
    late = next(s for s in range(year.SCHOOLS) if year.habit_of(s, due) == "after_freeze")
    asked = [m for m in town.letters_to(CLERK) if "迟报" in m["Subject"]][-1]
    assert year.name_of(late) in text_of(asked)
    moment = on(after(due, 5) + timedelta(days=3), "10:00")
    town.write(CLERK, f"Re: {asked['Subject']}", "同意", answers=asked, at=moment)
    town.once(moment)


def _states_are_those_of_the_habits(town: Town) -> None:
    expected = {
        "after_chase": "late", "after_freeze": "late", "never": "missing", "claims": "missing",
        "broken": "returned", "unknown_sender": "held",
    }  # fmt: skip
    for row in town.rows("returns"):
        due = date.fromisoformat(row["due"])
        school = next(s for s in range(year.SCHOOLS) if year.name_of(s) == row["unit"])
        habit = year.habit_of(school, due)
        assert row["state"] == expected.get(habit, "accepted"), (row["period"], habit)
        assert row["version"] == {"twice": 2, "broken_then_right": 2}.get(habit, row["version"])
