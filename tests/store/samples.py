"""An invented office's records, to fill a store with."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Any

from sqlalchemy.orm import Session

from daemon.model import Disposition, LetterKind, Measure, Problem, State, Unit, UnitKind
from daemon.store import questions, tables
from daemon.store.engine import Store

NOW = datetime(2022, 1, 4, 1, 30, tzinfo=UTC)
MINUTE = timedelta(minutes=1)

LOTUS = Unit(
    0,
    UnitKind.SCHOOL,
    "贵港市荷塘中学",
    short_names=("荷塘中学",),
    head="韦书记",
    head_addresses=("wei@lotus.example",),
    contact="覃老师",
    phone="0775-4000001",
    addresses=("office@lotus.example", "wei@lotus.example"),
    order=1,
)
BANYAN = Unit(
    0,
    UnitKind.SCHOOL,
    "贵港市榕树小学",
    addresses=("a@banyan.example",),
    head_addresses=("a@banyan.example",),
    order=2,
)
BASICS = Unit(0, UnitKind.SECTION, "基础教育科", addresses=("basics@bureau.example",), order=3)
DIRECTORY = (LOTUS, BANYAN, BASICS)


def new_mail(uid: int, raw: str = "", **others: Any) -> questions.NewMail:
    digest = raw or f"{uid:064x}"
    return questions.NewMail("INBOX", 1_640_000_000, uid, digest, 1300, NOW, NOW, **others)


def new_letter(key: str, *addresses: str, about: tuple[str, ...] = (), **others: Any) -> questions.NewLetter:
    tag = f"[{about[0]}#K7Q4] " if about else ""
    return questions.NewLetter(
        key=key,
        kind=others.pop("kind", LetterKind.RECEIPT),
        to=addresses,
        subject=f"{tag}回执",
        message_id=f"<{key}@djb.example>",
        created_at=NOW,
        due_at=others.pop("due_at", NOW),
        raw=b"Subject: receipt\r\n\r\n",
        about=about,
        **others,
    )


def new_problem(number: str, **others: Any) -> questions.NewProblem:
    value = Problem(
        number=number,
        state=others.pop("state", State.REGISTERED),
        reporting_unit="贵港市荷塘中学",
        problem="校门口上下学时段拥堵",
        details="接送车辆多\n请协调交警",
        received_at=NOW,
        state_since=NOW,
        **others,
    )
    return questions.NewProblem(value, "K7Q4")


def fill(store: Store) -> None:
    """A little of everything: mails in the archive, directory, problem, return, letters, question."""
    digests = store.archive.store_many([b"Subject: 1\r\n\r\nfirst", b"Subject: 2\r\n\r\nsecond"])
    with store.transaction() as session:
        questions.apply_directory(session, DIRECTORY, {"贵港市荷塘中学": "寄宿制"})
        schools = {unit.name: unit.id for unit in questions.units(session)}
        mails = questions.add_mails(
            session,
            [new_mail(uid, digest, sender="office@lotus.example") for uid, digest in enumerate(digests, 1)],
        )
        first, second = mails.values()
        _file_problem(session, first, schools)
        _file_return(session, second, schools["贵港市荷塘中学"])
        questions.add_letters(
            session,
            [new_letter("receipt:mail:1", "office@lotus.example", about=("ND-2022-001",), mail_id=first)],
        )
        session.add(
            tables.Question(
                kind="held_mail",
                about=f"mail:{second}",
                code="ABCD",
                asked_at=NOW,
                text="是否为该校？",
                suggestion="贵港市荷塘中学",
                payload={"unit": 1},
                mail_id=second,
            )
        )
        questions.set_note(session, "first_cycle", "2022-01-04", NOW)
        questions.do_once(session, "morning_brief:2022-01-04", NOW)
        questions.record_poll(session, "INBOX", 1_640_000_000, NOW, last_uid=2)


def _file_problem(session: Session, mail_id: int, schools: dict[str, int]) -> None:
    number = f"ND-2022-{questions.next_number(session, 'ND', 2022):03d}"
    filing = questions.add_filing(
        session,
        {
            "mail_id": mail_id,
            "form": "problem_report",
            "part": "附件1.docx",
            "format": "docx",
            "outcome": "accepted",
            "received_at": NOW,
            "values": {"reporting_unit": "贵港市荷塘中学"},
            "findings": [],
            "document": b"PK\x03\x04\x00\xff",
            "document_name": "附件1.docx",
        },
    )
    problem = new_problem(
        number,
        unit_id=schools["贵港市荷塘中学"],
        levels=("section",),
        lead_section_id=schools["基础教育科"],
        deadline=date(2022, 2, 28),
        measures=(Measure("增设岗亭", "基础教育科", date(2022, 1, 20)), Measure("错峰放学", "学校", None)),
    )
    [problem_id] = questions.add_problems(session, [problem])
    row = session.get_one(tables.Problem, problem_id)
    row.mail_id, row.filing_id = mail_id, filing
    row.similar = [{"number": "ND-2021-004", "why": "同为校门拥堵"}]
    questions.add_events(
        session,
        [
            questions.NewEvent(
                number, NOW, "received", "office@lotus.example", to_state="received", mail_id=mail_id
            ),
            questions.NewEvent(number, NOW, "registered", "djb", "已登记", "received", "registered", mail_id),
        ],
    )
    questions.settle_mail(session, mail_id, Disposition.FILED, NOW, kind="person")


def _file_return(session: Session, mail_id: int, unit_id: int) -> None:
    questions.ensure_period(session, "TJ-2022-01", date(2022, 1, 5))
    questions.add_return(
        session,
        {
            "period": "TJ-2022-01",
            "code": "ABCD",
            "unit_id": unit_id,
            "unit_name": "贵港市荷塘中学",
            "state": "accepted",
            "received_at": NOW,
            "rows": [{"unit": "贵港市荷塘中学", "party_branches": 3}],
            "reported_on": date(2022, 1, 4),
            "mail_id": mail_id,
        },
    )
    questions.settle_mail(session, mail_id, Disposition.HELD, NOW, reason="发件地址不在通讯录")
