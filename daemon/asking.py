"""Questions to the office about one problem, as a decision of the workflow orders them."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date

from daemon import letters, typesetting
from daemon.desk import Desk
from daemon.events import visit_moment
from daemon.letters import Fact, QuestionKind
from daemon.model import UnitKind
from daemon.problems import QuestionOrder
from daemon.recipients import TO_NAMES
from daemon.standing import problem_facts, section_names
from daemon.store import tables

QUESTION_KINDS: Mapping[str, QuestionKind] = {
    "extension": QuestionKind.EXTENSION,
    "completion": QuestionKind.COMPLETION,
    "close_alone": QuestionKind.CLOSE_ALONE,
    "referral": QuestionKind.REFERRAL,
    "unknown_section": QuestionKind.SECTION_UNKNOWN,
    "reassignment": QuestionKind.DECLINED_ASSIGNMENT,
    "withdrawal": QuestionKind.WITHDRAWAL,
    "claim": QuestionKind.CLAIM,
    "reopening": QuestionKind.REOPENING,
    "deadline": QuestionKind.DEADLINE,
    "visit": QuestionKind.VISIT,
    "assist_declined": QuestionKind.ASSIST_DECLINED,
    "correction_overdue": QuestionKind.CORRECTION_OVERDUE,
}


def ask(
    desk: Desk, row: tables.Problem, order: QuestionOrder, happening: int, mail: tables.Mail | None
) -> None:
    """Put one ordered question about a problem to the office."""
    kind = QUESTION_KINDS.get(order.kind)
    if kind is None:
        return
    desk.ask(
        letters.Question(
            to_name=TO_NAMES[UnitKind.COMMITTEE_OFFICE],
            date=desk.today,
            number=row.number,
            code=desk.code(),
            question=kind,
            about=f"{row.number} {row.problem}",
            facts=(*problem_facts(row)[:3], *_question_facts(desk, row, order)),
            quoted=mail.text if mail is not None and kind in QUOTING else None,
            suggestion=_suggestion(desk, order),
            candidates=tuple(order.payload.get("nearest", ()))[1:],
            answer_by=desk.workdays_on(desk.office.workflow_rules.registration),
            detail=_detail(order),
        ),
        kind=order.kind,
        about=row.number,
        text=order.text,
        payload=order.payload,
        mail=mail,
        key=f"question:{order.kind}:{row.number}:{happening}:{order.payload.get('name', '')}",
    )


QUOTING = frozenset({QuestionKind.WITHDRAWAL, QuestionKind.CLAIM, QuestionKind.REOPENING})


def _question_facts(desk: Desk, row: tables.Problem, order: QuestionOrder) -> tuple[Fact, ...]:
    lead = next(iter(section_names(desk, (row.lead_section_id,))), None)
    facts = [Fact("承办科室", lead)] if lead else []
    if row.deadline:
        facts.append(Fact("现办结时限", typesetting.chinese_date(row.deadline)))
    match order.kind:
        case "completion" | "close_alone":
            facts.append(Fact("办理结果", row.handling.get("完成情况")))
        case "unknown_section":
            facts.append(Fact("所填科室", order.payload.get("name")))
            if not order.payload.get("nearest"):
                facts.append(Fact("通讯录中的科室", "、".join(unit.name for unit in desk.directory.sections)))
        case "visit":
            facts += [
                Fact("拟定时间", typesetting.visit_words(*visit_moment(order.payload["when"]))),
                Fact("参加人员", order.payload.get("participants")),
            ]
        case "extension":
            # Its parts say all that the whole would say again.
            return (*facts, Fact("申请延至", _detail(order)), Fact("理由", order.payload.get("reason")))
        case _:
            pass
    return (*facts, Fact("事由", order.text))


def _suggestion(desk: Desk, order: QuestionOrder) -> str | None:
    if order.kind == "referral":
        return "、".join(section_names(desk, order.payload.get("sections", ()))) or None
    return order.suggestion


def _detail(order: QuestionOrder) -> str | None:
    until = order.payload.get("until")
    return typesetting.chinese_date(date.fromisoformat(until)) if until else None
