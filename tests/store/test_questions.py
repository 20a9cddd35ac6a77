"""The named questions, asked of both engines."""

from __future__ import annotations

import itertools
import secrets
import threading
from collections import Counter
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given, strategies as st
from sqlalchemy import select

from daemon.model import (
    Disposition,
    LetterKind,
    LetterState,
    Measure,
    ReturnState,
    Source,
    State,
)
from daemon.store import questions, tables
from daemon.store.engine import Store
from daemon.store.numbers import ALPHABET
from tests.store.samples import DIRECTORY, LOTUS, MINUTE, NOW, fill, new_letter, new_mail, new_problem

UIDVALIDITY = 1_640_000_000


# ---------------------------------------------------------------- mails


def test_a_mail_is_stored_once_however_often_it_is_fetched(store: Store) -> None:
    with store.transaction() as session:
        first = questions.add_mails(session, [new_mail(1), new_mail(2)])
        again = questions.add_mails(session, [new_mail(2), new_mail(4_294_967_295)])
    assert len(set(first.values()) | set(again.values())) == 3
    with store.reading() as session:
        assert questions.known_uids(session, "INBOX", UIDVALIDITY, [1, 2, 3, 4_294_967_295]) == {
            1,
            2,
            4_294_967_295,
        }
        assert questions.known_uids(session, "INBOX", UIDVALIDITY + 1, [1, 2]) == frozenset()
        assert questions.known_uids(session, "垃圾邮件", UIDVALIDITY, [1, 2]) == frozenset()
        assert questions.known_uids(session, "INBOX", UIDVALIDITY, []) == frozenset()


def test_mails_wait_in_the_order_in_which_they_came_and_no_longer_than_needed(store: Store) -> None:
    with store.transaction() as session:
        ids = list(questions.add_mails(session, [new_mail(uid) for uid in range(1, 6)]).values())
        questions.begin_handling(session, ids[:2])
        questions.settle_mail(session, ids[0], Disposition.HELD, NOW, reason="无表格", text="您好")
    with store.reading() as session:
        waiting = questions.pending_mails(session, 3)
        assert [mail.id for mail in waiting] == ids[1:4]
        assert [mail.attempts for mail in waiting] == [1, 0, 0]
        assert questions.mail_counts(session) == {Disposition.HELD: 1, Disposition.PENDING: 4}
        held = questions.mail(session, ids[0])
        assert held is not None
        assert (held.reason, held.text, held.handled_at) == ("无表格", "您好", NOW)


@pytest.mark.parametrize(
    ("first_id", "second_id", "twins"),
    [("<a@x>", "<a@x>", True), (None, None, True), ("<a@x>", "<b@x>", False), ("<a@x>", None, False)],
)
def test_the_same_content_is_the_same_mail_if_its_message_id_says_so(
    store: Store, first_id: str | None, second_id: str | None, twins: bool
) -> None:
    with store.transaction() as session:
        first, second = questions.add_mails(
            session, [new_mail(1, message_id=first_id), new_mail(2, message_id=second_id)]
        ).values()
        for mail_id in (first, second):
            questions.settle_mail(session, mail_id, Disposition.FILED, NOW, content_key="same")
        assert questions.earlier_twins(session, [first, second]) == ({second: first} if twins else {})


def test_housekeeping_waits_until_a_mail_has_its_fate(store: Store) -> None:
    with store.transaction() as session:
        ids = list(questions.add_mails(session, [new_mail(uid) for uid in (7, 8, 9)]).values())
        for mail_id in ids[:2]:
            questions.settle_mail(session, mail_id, Disposition.FILED, NOW)
        assert questions.mails_to_move(session, "INBOX", UIDVALIDITY, 10) == [(ids[0], 7), (ids[1], 8)]
        questions.mark_moved(session, ids[:1])
        assert questions.mails_to_move(session, "INBOX", UIDVALIDITY, 10) == [(ids[1], 8)]


def test_a_folder_is_never_read_backwards(store: Store) -> None:
    with store.transaction() as session:
        assert questions.folder(session, "INBOX", 1).last_uid == 0
        questions.record_poll(session, "INBOX", 1, NOW, last_uid=7)
        questions.record_poll(session, "INBOX", 1, NOW + MINUTE, last_uid=3, swept=True)
        questions.record_poll(session, "INBOX", 2, NOW)
    with store.reading() as session:
        assert questions.last_poll(session) == NOW + MINUTE
        assert questions.known_uidvalidities(session, "INBOX") == (1, 2)
    with store.transaction() as session:
        row = questions.folder(session, "INBOX", 1)
        assert (row.last_uid, row.swept_at) == (7, NOW + MINUTE)


# ---------------------------------------------------------------- numbers, what is done, notes


def test_each_year_and_kind_counts_for_itself(store: Store) -> None:
    with store.transaction() as session:
        got = [
            questions.next_number(session, *what)
            for what in [("ND", 2022), ("ND", 2022), ("ND", 2023), ("QC", 2022)]
        ]
    assert got == [1, 2, 1, 1]


@given(data=st.binary(min_size=64, max_size=64))
def test_a_code_has_only_letters_that_nobody_mistakes(data: bytes) -> None:
    chunks = itertools.chain((data[i : i + 8] for i in range(0, 64, 8)), itertools.repeat(b"\x00" * 8))
    code = questions.four_letter_code(lambda size: next(chunks))
    assert len(code) == 4
    assert set(code) <= set(ALPHABET)
    assert not set(ALPHABET) & set("0O1IL")


def test_all_letters_of_a_code_are_about_equally_likely() -> None:
    new_code = questions.code_source(secrets.token_bytes)
    seen = Counter("".join(new_code() for _ in range(4000)))
    assert set(seen) == set(ALPHABET)
    assert max(seen.values()) < 2 * min(seen.values())


def test_the_calendar_does_a_thing_once(store: Store) -> None:
    with store.transaction() as session:
        assert questions.do_once(session, "brief:2022-01-04", NOW)
        assert not questions.do_once(session, "brief:2022-01-04", NOW)
    with pytest.raises(RuntimeError), store.transaction() as session:
        assert questions.do_once(session, "brief:2022-01-05", NOW, outcome="skipped", text="放假")
        raise RuntimeError
    with store.transaction() as session:
        assert questions.done(session, "brief:2022-01-04")
        assert not questions.done(session, "brief:2022-01-05")
        assert questions.do_once(session, "100%_sure", NOW)
        assert questions.done_keys(session, "brief:") == {"brief:2022-01-04"}
        assert questions.done_keys(session, "100%") == {"100%_sure"}


def test_a_note_is_what_was_written_last(store: Store) -> None:
    with store.transaction() as session:
        assert questions.note(session, "alarm:imap") is None
        questions.set_note(session, "alarm:imap", "密码", NOW)
        questions.set_note(session, "alarm:imap", "网络", NOW + MINUTE)
        assert questions.note(session, "alarm:imap") == "网络"
        assert questions.note_taken_at(session, "alarm:imap") == NOW + MINUTE
        assert questions.drop_note(session, "alarm:imap")
        assert not questions.drop_note(session, "alarm:imap")


# ---------------------------------------------------------------- letters


def test_a_letter_is_written_once_for_its_key(store: Store) -> None:
    with store.transaction() as session:
        first = questions.add_letters(session, [new_letter("receipt:mail:1", "a@x.example", "b@x.example")])
        again = questions.add_letters(session, [new_letter("receipt:mail:1", "c@x.example")])
    assert first != [None]
    assert again == [None]
    with store.reading() as session:
        row = questions.letter_by_key(session, "receipt:mail:1")
        assert row is not None
        assert [delivery.address for delivery in row.deliveries] == ["a@x.example", "b@x.example"]


def test_a_letter_is_found_by_its_tag_its_number_and_its_message_id(store: Store) -> None:
    with store.transaction() as session:
        questions.add_letters(
            session,
            [
                new_letter("one", "a@x.example", about=("ND-2022-001", "ND-2022-002")),
                new_letter("two", "b@x.example", about=("ND-2022-001",)),
                new_letter("three", "b@x.example"),
                replace(
                    new_letter("four", "c@x.example", about=("ND-2022-002",)),
                    subject="[ND-2022-002#ABCD] 请示",
                ),
            ],
        )
    with store.reading() as session:
        assert [row.key for row in questions.letters_by_tag(session, "ND-2022-001", "k7q4")] == ["two", "one"]
        assert questions.letters_by_tag(session, "ND-2022-001", "ABCD") == []
        assert [row.key for row in questions.letters_by_tag(session, "ND-2022-002", "ABCD")] == ["four"]
        assert [row.key for row in questions.letters_about(session, "ND-2022-002")] == ["one", "four"]
        answered = questions.letter_by_message_ids(
            session, ["<not@ours>", "<two@djb.example>", "<one@djb.example>"]
        )
        assert answered is not None
        assert answered.key == "two"
        assert questions.letter_by_message_ids(session, []) is None


def test_a_letter_is_sent_when_it_reached_everybody(store: Store) -> None:
    with store.transaction() as session:
        [letter_id] = questions.add_letters(session, [new_letter("one", "a@x.example", "b@x.example")])
    assert letter_id is not None
    with store.transaction() as session:
        due = questions.claim_deliveries(session, NOW, NOW + 5 * MINUTE, 10)
    assert [(one.address, one.attempts, one.interrupted) for one in due] == [
        ("a@x.example", 1, False),
        ("b@x.example", 1, False),
    ]
    with store.transaction() as session:
        row = questions.letter(session, letter_id)
        assert row is not None
        questions.record_sent(session, due[0].delivery_id, NOW)
        assert row.state == LetterState.QUEUED
        questions.record_retry(session, due[1].delivery_id, "450 later", NOW + MINUTE)
        assert (row.state, row.error) == (LetterState.QUEUED, "450 later")
        assert questions.claim_deliveries(session, NOW, NOW + 5 * MINUTE, 10) == []
        [again] = questions.claim_deliveries(session, NOW + MINUTE, NOW + 6 * MINUTE, 10)
        assert (again.attempts, again.interrupted) == (2, False)
        questions.record_sent(session, again.delivery_id, NOW + MINUTE)
        assert (row.state, row.sent_at, row.error) == (LetterState.SENT, NOW + MINUTE, None)
        assert questions.sent_since(session, NOW) == 2
        assert questions.sent_since(session, NOW + MINUTE) == 1


def test_a_letter_whose_sender_died_is_tried_again_and_known_to_be_doubtful(store: Store) -> None:
    with store.transaction() as session:
        questions.add_letters(session, [new_letter("one", "a@x.example")])
        questions.claim_deliveries(session, NOW, NOW + 5 * MINUTE, 10)
    with store.transaction() as session:
        assert questions.claim_deliveries(session, NOW + 4 * MINUTE, NOW + 9 * MINUTE, 10) == []
        [again] = questions.claim_deliveries(session, NOW + 5 * MINUTE, NOW + 10 * MINUTE, 10)
        assert again.interrupted
        questions.release_claims(session, [again.delivery_id], NOW + 6 * MINUTE)
        [released] = questions.claim_deliveries(session, NOW + 6 * MINUTE, NOW + 10 * MINUTE, 10)
        assert (released.interrupted, released.attempts) == (False, 2)


def test_a_letter_not_yet_due_stays(store: Store) -> None:
    with store.transaction() as session:
        questions.add_letters(session, [new_letter("one", "a@x.example", due_at=NOW + MINUTE)])
        assert questions.claim_deliveries(session, NOW, NOW + MINUTE, 10) == []
        assert questions.overdue_deliveries(session, NOW) == 0
        assert questions.next_due(session) == NOW + MINUTE


def test_refused_bounced_and_cancelled_letters_say_so(store: Store) -> None:
    with store.transaction() as session:
        ids = questions.add_letters(
            session, [new_letter(key, f"{key}@x.example") for key in ("refused", "bounced", "cancelled")]
        )
        for due in questions.claim_deliveries(session, NOW, NOW + MINUTE, 2):
            if due.address.startswith("refused"):
                questions.record_failed(session, due.delivery_id, "550 no such user")
            else:
                questions.record_sent(session, due.delivery_id, NOW)
        assert (
            questions.record_bounced(session, "<bounced@djb.example>", "Bounced@X.example", "5.1.1")
            is not None
        )
        assert questions.record_bounced(session, "<nobody@x>", "a@x.example", "5.1.1") is None
        assert questions.cancel_letter(session, ids[2] or 0, "对方已报送")
        assert not questions.cancel_letter(session, ids[0] or 0, "太迟")
        states = [row.state for row in session.scalars(select(tables.Letter).order_by(tables.Letter.id))]
        assert states == ["failed", "failed", "cancelled"]
        assert questions.letter_counts(session) == {LetterState.FAILED: 2, LetterState.CANCELLED: 1}
        assert [row.error for row in questions.failed_since(session, NOW)] == ["550 no such user", "5.1.1"]


def test_daemons_that_drain_one_outbox_never_send_the_same_letter(store: Store) -> None:
    with store.transaction() as session:
        questions.add_letters(session, [new_letter(str(n), f"{n}@x.example") for n in range(60)])
    sent: list[int] = []

    def drain() -> None:
        while True:
            with store.transaction() as session:
                due = questions.claim_deliveries(session, NOW, NOW + 5 * MINUTE, 7)
            if not due:
                return
            sent.extend(one.delivery_id for one in due)

    threads = [threading.Thread(target=drain) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(sent) == len(set(sent)) == 60


def test_letters_to_one_address_are_counted_for_its_daily_cap(store: Store) -> None:
    with store.transaction() as session:
        first = questions.add_mails(session, [new_mail(1)])
        mail_id = next(iter(first.values()))
        questions.add_letters(
            session,
            [
                new_letter("1", "a@x.example", mail_id=mail_id),
                new_letter("2", "a@x.example", kind=LetterKind.QUESTION),
                new_letter("3", "b@x.example"),
            ],
        )
        assert questions.written_since(session, "a@x.example", NOW) == 2
        assert questions.written_since(session, "a@x.example", NOW, [LetterKind.QUESTION]) == 1
        assert questions.written_since(session, "a@x.example", NOW + MINUTE) == 0
        assert questions.answers_since(session, NOW) == 1


# ---------------------------------------------------------------- problems and history


def test_a_problem_comes_back_as_the_rules_wrote_it(store: Store) -> None:
    new = new_problem(
        "ND-2022-001",
        source=Source.HOTLINE_12345,
        levels=("secretary", "section"),
        sections_asked=("基础教育科", "安全科"),
        handling={"工作方案": "分三步", "责任人": "韦某"},
        deadline=date(2022, 2, 28),
        measures=(
            Measure("增设岗亭", "基础教育科", date(2022, 1, 20)),
            Measure("错峰放学", "学校", None, True),
        ),
        satisfaction="mostly_satisfied",
        last_progress_at=datetime(2022, 1, 9, tzinfo=UTC),
    )
    with store.transaction() as session:
        questions.add_problems(session, [new])
    with store.reading() as session:
        [value] = questions.problems(session)
        row = questions.problem(session, "ND-2022-001")
        assert row is not None
        assert questions.problem_value(row) == value
    forgotten = {f"measures[{i}].id": m.id for i, m in enumerate(value.measures)}
    assert all(forgotten.values())
    assert [(m.measure, m.department, m.deadline, m.done) for m in value.measures] == [
        (m.measure, m.department, m.deadline, m.done) for m in new.value.measures
    ]
    assert {f: getattr(value, f) for f in new.value.__slots__ if f != "measures"} == {
        f: getattr(new.value, f) for f in new.value.__slots__ if f != "measures"
    }


def test_a_decision_changes_just_what_it_names(store: Store) -> None:
    with store.transaction() as session:
        questions.add_problems(
            session,
            [new_problem("ND-2022-001", measures=(Measure("甲", "科", None), Measure("乙", "科", None)))],
        )
    with store.transaction() as session:
        row = questions.problem(session, "ND-2022-001")
        assert row is not None
        before = questions.problem_value(row)
        kept = before.measures[1]
        questions.apply_changes(
            row,
            {
                "state": State.ASSIGNED,
                "assist_section_ids": (3, 4),
                "measures": (Measure("丙", "科", None), Measure("乙乙", "科", None, id=kept.id)),
            },
        )
        with pytest.raises(ValueError, match="colour"):
            questions.apply_changes(row, {"colour": "red"})
    with store.reading() as session:
        [after] = questions.problems(session)
        assert (after.state, after.assist_section_ids, after.details) == (
            State.ASSIGNED,
            (3, 4),
            before.details,
        )
        assert [m.measure for m in after.measures] == ["丙", "乙乙"]
        assert after.measures[1].id == kept.id


def test_problems_are_found_by_what_is_asked_of_them(store: Store) -> None:
    fill(store)
    with store.transaction() as session:
        questions.add_problems(
            session,
            [
                new_problem("ND-2022-002", session="QC-2022-01"),
                new_problem("ND-2022-003", state=State.CLOSED, closed_at=NOW),
            ],
        )
    with store.reading() as session:
        assert [p.number for p in questions.open_problems(session)] == ["ND-2022-001", "ND-2022-002"]
        assert [p.number for p in questions.waiting_for_a_session(session)] == ["ND-2022-001"]
        assert [p.number for p in questions.problems(session, in_session="QC-2022-01")] == ["ND-2022-002"]
        assert questions.problem_counts(session) == {State.REGISTERED: 2, State.CLOSED: 1}
        section = next(unit.id for unit in questions.units(session) if unit.name == "基础教育科")
        [led] = questions.problems_of_section(session, section)
        assert [m.measure for m in led.measures] == ["增设岗亭", "错峰放学"]
        assert [
            row.number
            for row in questions.problem_rows(session, ["ND-2022-003", "ND-2022-001", "ND-1999-001"])
        ] == [
            "ND-2022-003",
            "ND-2022-001",
        ]
        assert [
            p.number for p in questions.deadlines_between(session, date(2022, 2, 1), date(2022, 3, 1))
        ] == ["ND-2022-001"]
        assert [event.event for event in questions.events_of(session, "ND-2022-001")] == [
            "received",
            "registered",
        ]


# ---------------------------------------------------------------- returns


def test_the_last_return_that_counts_stands_for_a_school(store: Store) -> None:
    fill(store)
    with store.transaction() as session:
        lotus = questions.unit_by_address(session, "OFFICE@lotus.example")
        assert lotus is not None
        base = {
            "period": "TJ-2022-01",
            "code": "X",
            "unit_id": lotus.id,
            "unit_name": lotus.name,
            "received_at": NOW,
            "rows": [],
        }
        questions.add_return(session, {**base, "version": 2, "state": "returned"})
        first = questions.latest_return(session, lotus.id, "TJ-2022-01")
        assert first is not None
        assert first.version == 1
        questions.add_return(session, {**base, "version": 3, "state": "accepted"})
        questions.supersede(session, [first.id])
        third = questions.latest_return(session, lotus.id, "TJ-2022-01")
        assert third is not None
        assert third.version == 3
        assert questions.return_counts(session, "TJ-2022-01") == {
            ReturnState.ACCEPTED: 1,
            ReturnState.MISSING: 1,
        }
        assert [unit.name for unit in questions.schools_without_return(session, "TJ-2022-01")] == [
            "贵港市榕树小学"
        ]


def test_a_period_keeps_the_due_day_it_was_announced_with(store: Store) -> None:
    with store.transaction() as session:
        questions.ensure_period(session, "TJ-2022-01", date(2022, 1, 5))
        assert questions.ensure_period(session, "TJ-2022-01", date(2022, 1, 6)).due == date(2022, 1, 5)
        assert questions.opened_periods(session) == []
        questions.ensure_period(session, "TJ-2022-01", date(2022, 1, 5)).opened_at = NOW
        assert [row.code for row in questions.opened_periods(session)] == ["TJ-2022-01"]


# ---------------------------------------------------------------- what the office was asked


def test_a_question_takes_one_answer(store: Store) -> None:
    fill(store)
    with store.transaction() as session:
        [asked] = questions.open_questions(session)
        assert questions.open_questions(session, "extension") == []
        assert questions.open_questions_about(session, asked.about) == [asked]
        assert questions.answer_question(session, asked.id, "是", "office@city.example", NOW)
        assert not questions.answer_question(
            session, asked.id, "否", "office@city.example", NOW + timedelta(1)
        )
        assert questions.open_question_count(session) == 0
        assert asked.answer == "是"


def test_the_sessions_of_the_office_are_known_by_their_code(store: Store) -> None:
    with store.transaction() as session:
        for month, stage in ((1, "closed"), (3, "opened")):
            session.add(
                tables.Session(
                    code=f"QC-2022-0{month}",
                    tag="K7Q4",
                    opened_at=NOW + timedelta(days=30 * month),
                    stage=stage,
                )
            )
        session.flush()
        latest = questions.latest_session(session)
        assert latest is not None
        assert latest.code == "QC-2022-03"
        assert questions.session_by_code(session, "QC-2022-01") is not None
        assert [row.code for row in questions.running_sessions(session)] == ["QC-2022-03"]


def test_a_school_is_known_by_each_of_its_addresses(store: Store) -> None:
    with store.transaction() as session:
        questions.apply_directory(session, DIRECTORY)
        for address in (*LOTUS.addresses, " Wei@Lotus.example "):
            found = questions.unit_by_address(session, address)
            assert found is not None
            assert found.name == LOTUS.name
        assert questions.unit_by_address(session, "nobody@lotus.example") is None
