"""How the daemon is: what `djb status` shows, and what is wrong, in sentences.

Plain data, so that the screen and `--json` are the same. `faults` is empty when all is well.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from datetime import date, datetime, timedelta
from typing import Any

from sqlalchemy.orm import Session

from daemon.clock import iso, start_of_day
from daemon.config import Config
from daemon.lights import light_at
from daemon.model import ENDED_STATES, Disposition, LetterState, Light, ReturnState
from daemon.periods import Period, Timeline
from daemon.rules import statistics_rules, working_calendar
from daemon.store import overview, questions
from daemon.store.engine import Store

Json = dict[str, Any]

AHEAD = timedelta(days=30)
"""How far the next deadlines reach."""
DEADLINES_LISTED = 50
STALE_POLLS = 5
"""Polls that may be missed before something is wrong."""
SLOW_OUTBOX = timedelta(minutes=30)
"""How long a letter that is due may lie about while nothing is paused."""
SLOW_MAIL = timedelta(minutes=30)
FORGOTTEN = timedelta(days=30)
"""After so long, a letter that did not reach a stranger is no longer a fault."""


def stale_after(config: Config) -> timedelta:
    """How old the last poll may be before something is wrong."""
    return timedelta(seconds=max(300, STALE_POLLS * config.mailbox.poll_seconds))


def condition(store: Store, config: Config, now: datetime) -> Json:
    """Everything that the one screen shows, at one moment."""
    with store.reading() as session:
        found: Json = {
            "at": iso(now, config.zone),
            "mailbox": config.mailbox.address,
            "office": config.office.name,
            **_polling(session, config, now),
            "mail": _mail(session, config),
            "outbox": _outbox(session, config, now),
            "open_questions": questions.open_question_count(session),
            "problems": _problems(session, config, now),
            "returns": _returns(session, config, now),
            "deadlines": _deadlines(session, config, now),
        }
        found["faults"] = list(_faults(session, found, config, now))
    return found


def _polling(session: Session, config: Config, now: datetime) -> Json:
    last = questions.last_poll(session)
    return {
        "last_poll": iso(last, config.zone) if last else None,
        "last_poll_seconds_ago": max(0, int((now - last).total_seconds())) if last else None,
    }


def _mail(session: Session, config: Config) -> Json:
    counts = questions.mail_counts(session)
    oldest = questions.oldest_pending(session)
    return {
        "total": sum(counts.values()),
        "pending": counts.get(Disposition.PENDING, 0),
        "held": counts.get(Disposition.HELD, 0),
        "quarantined": counts.get(Disposition.QUARANTINED, 0),
        "oldest_pending": iso(oldest, config.zone) if oldest else None,
    }


def _outbox(session: Session, config: Config, now: datetime) -> Json:
    counts = questions.letter_counts(session)
    waiting, due, oldest = overview.waiting_deliveries(session, now)
    paused = questions.paused_until(session, now)
    midnight = start_of_day(now.astimezone(config.zone).date(), config.zone)
    return {
        "queued": counts.get(LetterState.QUEUED, 0),
        "due": due,
        "later": waiting - due,
        "oldest_due": iso(oldest, config.zone) if oldest else None,
        "sent": counts.get(LetterState.SENT, 0),
        "sent_today": questions.sent_since(session, midnight),
        "daily_limit": config.mailbox.smtp.daily_limit,
        "failed": counts.get(LetterState.FAILED, 0),
        "paused_until": iso(paused, config.zone) if paused else None,
    }


def _problems(session: Session, config: Config, now: datetime) -> Json:
    states = questions.problem_counts(session)
    light = light_at(session, config, now)
    lights = Counter(light(problem) for problem in questions.open_problems(session))
    return {
        "total": sum(states.values()),
        "open": sum(count for state, count in states.items() if state not in ENDED_STATES),
        "by_state": {state.value: count for state, count in states.items() if state not in ENDED_STATES},
        "by_light": {light.value: lights[light] for light in Light if light is not Light.NONE},
    }


# ------------------------------------------------------------------------------- statistics and deadlines


def _timeline(session: Session, config: Config) -> Timeline:
    announced = {period.code: period.due for period in questions.opened_periods(session)}
    return Timeline(statistics_rules(config), working_calendar(config), announced)


def _returns(session: Session, config: Config, now: datetime) -> Json:
    timeline = _timeline(session, config)
    period = timeline.period_of(now)
    counts = questions.return_counts(session, period.code)
    return {
        "period": period.code,
        "covers": period.covers_in_chinese,
        "due": period.due.isoformat(),
        "schools": sum(counts.values()),
        **{state.value: counts.get(state, 0) for state in ReturnState},
        "skipped": [*_skipped(session, timeline.before(period).code), *_skipped(session, period.code)],
    }


def _skipped(session: Session, code: str) -> Iterator[str]:
    """What the calendar left out in a period because it came too late to be of use."""
    for line in questions.events_of(session, code):
        if line.event == "step_skipped" and line.text:
            yield line.text


def _deadlines(session: Session, config: Config, now: datetime) -> list[Json]:
    """What falls due in the next weeks: days of the statistics calendar and deadlines of problems."""
    today = now.astimezone(config.zone).date()
    last = today + AHEAD
    timeline = _timeline(session, config)
    around = timeline.between(today - 2 * AHEAD, last + 2 * AHEAD)
    found = [row for period in around for row in _days(period) if today <= row[0] <= last]
    for problem in questions.deadlines_between(session, today, last):
        if problem.deadline is not None:
            found.append((problem.deadline, "problem_deadline", problem.number, problem.problem))
    found.sort(key=lambda row: (row[0], row[1], row[2]))
    return [
        {"date": day.isoformat(), "kind": kind, "about": about, "what": what}
        for day, kind, about, what in found[:DEADLINES_LISTED]
    ]


def _days(period: Period) -> Iterator[tuple[date, str, str, str]]:
    months = period.covers_in_chinese
    yield period.opening, "statistics_opening", period.code, f"{months}统计表：发填报通知"
    yield period.reminder, "statistics_reminder", period.code, f"{months}统计表：提醒未报单位"
    yield period.due, "statistics_due", period.code, f"{months}统计表：报送截止"
    yield period.missing_list, "missing_list", period.code, f"{months}统计表：未报名单报工委办"


# --------------------------------------------------------------------------------------- what is wrong


def _faults(session: Session, found: Mapping[str, Any], config: Config, now: datetime) -> Iterator[str]:
    last = questions.last_poll(session)
    if last is None:
        yield "还没有收过信：守护进程没有运行，或连不上邮箱（djb check）"
    elif now - last > stale_after(config):
        yield f"已有 {_duration(now - last)}没有收信：守护进程没有运行，或连不上邮箱（djb check）"
    if quarantined := found["mail"]["quarantined"]:
        yield f"{quarantined} 封来信处理时出错，已隔离（djb mail、djb show 序号；改正后 djb replay 序号 --apply）"
    oldest = questions.oldest_pending(session)
    if oldest is not None and now - oldest > SLOW_MAIL:
        yield f"{found['mail']['pending']} 封来信已等了 {_duration(now - oldest)}还没有处理"
    yield from _outbox_faults(session, found["outbox"], now)


def _outbox_faults(session: Session, outbox: Mapping[str, Any], now: datetime) -> Iterator[str]:
    undelivered = [
        letter for letter in overview.undelivered(session) if letter.listed or now - letter.due_at < FORGOTTEN
    ]
    if undelivered:
        addresses = list(dict.fromkeys(letter.address for letter in undelivered))
        more = f" 等 {len(addresses)} 个邮箱" if len(addresses) > 1 else ""
        count = len({letter.letter_id for letter in undelivered})
        yield f"{count} 封信没有送到：{addresses[0]}{more}（djb letters；核对通讯录）"
    if paused := outbox["paused_until"]:
        yield f"发信暂停到 {paused[:16].replace('T', ' ')}：服务器要求稍后再发，或今日发信已达上限"
    elif oldest := outbox["oldest_due"]:
        waited = now - datetime.fromisoformat(oldest)
        if waited > SLOW_OUTBOX:
            yield f"{outbox['due']} 封信到时未发，最早的已等 {_duration(waited)}"


def _duration(span: timedelta) -> str:
    """3 天, 5 小时, 12 分钟; with a blank behind."""
    minutes = int(span.total_seconds() // 60)
    for size, name in ((24 * 60, "天"), (60, "小时")):
        if minutes >= 2 * size:
            return f"{minutes // size} {name}"
    return f"{minutes} 分钟"
