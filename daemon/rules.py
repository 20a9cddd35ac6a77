"""The time rules that a configuration sets, as the pure modules want them. Light: the lists need them at once."""

from __future__ import annotations

from dataclasses import fields

from daemon.config import Config
from daemon.periods import StatisticsRules
from daemon.problems import WorkflowRules
from daemon.workdays import Calendar, calendar_with


def working_calendar(config: Config) -> Calendar:
    """The working days, with the administrator's own."""
    return calendar_with(config.deadlines.extra_holidays, config.deadlines.extra_workdays)


def statistics_rules(config: Config) -> StatisticsRules:
    """The settings of the two-monthly statistics."""
    deadlines = config.deadlines
    first, second = deadlines.statistics_chases
    return StatisticsRules(
        due_day=deadlines.statistics_due_day,
        due_months=tuple(sorted(set(deadlines.statistics_due_months))),
        move_due_to_workday=deadlines.statistics_move_to_workday,
        opening=deadlines.statistics_opening,
        reminder=deadlines.statistics_reminder,
        chases=(first, second),
        missing_list=deadlines.statistics_missing_list,
        freeze=deadlines.statistics_freeze,
        due_time=deadlines.statistics_due_time,
        working_hours=deadlines.working_hours,
        zone=config.zone,
    )


def workflow_rules(config: Config) -> WorkflowRules:
    """The time rules of problems."""
    names = {field.name for field in fields(WorkflowRules)} & set(type(config.deadlines).model_fields)
    return WorkflowRules(
        referral=config.workflow.referral, **{name: getattr(config.deadlines, name) for name in names}
    )
