"""Times as the office writes and means them. Nothing here asks what time it is."""

from __future__ import annotations

from datetime import date, datetime, time, timedelta
from typing import Final
from zoneinfo import ZoneInfo

WEEKDAYS: Final = "一二三四五六日"


def local(moment: datetime, zone: ZoneInfo) -> datetime:
    """The same moment on the office's clock. Raises ValueError if it has no time zone."""
    if moment.tzinfo is None:
        raise ValueError(f"a moment without time zone: {moment!r}")
    return moment.astimezone(zone)


def local_day(moment: datetime, zone: ZoneInfo) -> date:
    """The office's day in which a moment falls."""
    return local(moment, zone).date()


def start_of_day(day: date, zone: ZoneInfo) -> datetime:
    """The first moment of a day at the office."""
    return datetime.combine(day, time.min, zone)


def end_of_day(day: date, zone: ZoneInfo) -> datetime:
    """The first moment that no longer belongs to a day at the office."""
    return start_of_day(day + timedelta(days=1), zone)


def at(day: date, clock_time: time, zone: ZoneInfo) -> datetime:
    """A time of a day at the office."""
    return datetime.combine(day, clock_time, zone)


def iso(moment: datetime, zone: ZoneInfo) -> str:
    """ISO 8601 to the second with the office's offset: 2022-01-04T09:30:00+08:00."""
    return local(moment, zone).isoformat(timespec="seconds")


def chinese_day(day: date) -> str:
    """2022年1月5日."""
    return f"{day.year}年{day.month}月{day.day}日"


def chinese_day_with_weekday(day: date) -> str:
    """2022年1月5日（星期三）."""
    return f"{chinese_day(day)}（星期{WEEKDAYS[day.weekday()]}）"


def chinese_moment(moment: datetime, zone: ZoneInfo) -> str:
    """2022年1月5日（星期三）9:30."""
    shown = local(moment, zone)
    return f"{chinese_day_with_weekday(shown.date())}{shown.hour}:{shown.minute:02d}"


def chinese_month(first: date) -> str:
    """2022年1月."""
    return f"{first.year}年{first.month}月"
