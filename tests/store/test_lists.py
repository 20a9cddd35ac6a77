"""The lists, with exactly the keys that interfaces.md promises."""

from __future__ import annotations

import json
from datetime import date
from zoneinfo import ZoneInfo

from daemon import model
from daemon.model import LetterKind, Light
from daemon.store import lists, questions
from daemon.store.engine import Store
from tests.store.samples import NOW, fill

ZONE = ZoneInfo("Asia/Shanghai")


def light_of(problem: model.Problem) -> Light:
    return Light.RED if problem.deadline and problem.deadline < date(2022, 3, 1) else Light.NONE


def test_each_list_has_the_keys_of_the_interfaces_in_their_order(store: Store) -> None:
    fill(store)
    with store.reading() as session:
        found = {
            "mail": lists.mails(session, ZONE),
            "letters": lists.letters(session, ZONE),
            "problems": lists.problems(session, ZONE, light_of),
            "returns": lists.returns(session, ZONE),
            "held": lists.held(session, ZONE),
        }
    promised = {
        "mail": "id, folder, uidvalidity, uid, message_id, sha256, from, subject, received_at, kind, disposition, "
        "reason, problems, returns",
        "letters": "id, kind, to, cc, subject, about, state, message_id, in_reply_to, due_at, sent_at, attempts, error",
        "problems": "number, state, problem, details, reporting_unit, source, levels, sections_asked, lead_section, "
        "assist_sections, deadline, overdue, light, received_at, session, similar, measures, history",
        "returns": "period, due, unit, state, version, received_at, rows, findings",
        "held": "mail, since, reason, question, suggestion",
    }
    for name, keys in promised.items():
        assert found[name], name
        for line in found[name]:
            assert list(line) == keys.split(", "), name
    json.dumps(found)


def test_times_carry_the_offset_of_the_office(store: Store) -> None:
    fill(store)
    with store.reading() as session:
        [first, _] = lists.mails(session, ZONE)
        [problem] = lists.problems(session, ZONE, light_of)
        [letter] = lists.letters(session, ZONE)
    assert first["received_at"] == "2022-01-04T09:30:00+08:00"
    assert problem["history"][0]["at"] == "2022-01-04T09:30:00+08:00"
    assert (letter["due_at"], letter["sent_at"]) == ("2022-01-04T09:30:00+08:00", None)
    assert problem["deadline"] == "2022-02-28"


def test_a_mail_names_the_problems_and_periods_it_is_about(store: Store) -> None:
    fill(store)
    with store.reading() as session:
        first, second = lists.mails(session, ZONE)
    assert (first["disposition"], first["problems"], first["returns"]) == ("filed", ["ND-2022-001"], [])
    assert (second["disposition"], second["problems"], second["returns"]) == ("held", [], ["TJ-2022-01"])


def test_an_order_that_was_not_carried_out_is_about_nothing(store: Store) -> None:
    fill(store)
    with store.transaction() as session:
        event = questions.NewEvent("ND-2022-001", NOW, "order_refused", "x@forged.example", mail_id=2)
        questions.add_events(session, [event])
    with store.reading() as session:
        assert lists.mails(session, ZONE)[1]["problems"] == []


def test_a_problem_tells_its_section_measures_history_and_light(store: Store) -> None:
    fill(store)
    with store.reading() as session:
        [problem] = lists.problems(session, ZONE, light_of, "ND-2022-001")
        assert lists.problems(session, ZONE, light_of, "ND-2022-999") == []
    assert (problem["lead_section"], problem["overdue"], problem["light"]) == ("基础教育科", True, "red")
    assert problem["similar"] == ["ND-2021-004"]
    assert problem["measures"][0] == {
        "measure": "增设岗亭",
        "department": "基础教育科",
        "deadline": "2022-01-20",
        "done": False,
    }
    assert [(line["event"], line["from"], line["to"], line["mail"]) for line in problem["history"]] == [
        ("received", None, "received", 1),
        ("registered", "received", "registered", 1),
    ]


def test_a_school_that_has_not_filed_is_missing_in_every_period(store: Store) -> None:
    fill(store)
    with store.transaction() as session:
        questions.ensure_period(session, "TJ-2022-03", date(2022, 3, 5))
    with store.reading() as session:
        found = lists.returns(session, ZONE)
        assert (
            lists.returns(session, ZONE, "2022-01") == lists.returns(session, ZONE, "TJ-2022-01") == found[:2]
        )
        unknown = lists.returns(session, ZONE, "2022-05", date(2022, 5, 5))
    assert [(line["period"], line["due"], line["unit"], line["state"]) for line in found] == [
        ("TJ-2022-01", "2022-01-05", "贵港市荷塘中学", "accepted"),
        ("TJ-2022-01", "2022-01-05", "贵港市榕树小学", "missing"),
        ("TJ-2022-03", "2022-03-05", "贵港市荷塘中学", "missing"),
        ("TJ-2022-03", "2022-03-05", "贵港市榕树小学", "missing"),
    ]
    assert {(line["due"], line["state"]) for line in unknown} == {("2022-05-05", "missing")}


def test_a_return_of_nobody_we_know_is_listed_too(store: Store) -> None:
    fill(store)
    with store.transaction() as session:
        questions.add_return(
            session,
            {
                "period": "TJ-2022-01",
                "code": "X",
                "unit_name": "无名小学",
                "state": "held",
                "received_at": NOW,
                "rows": [],
            },
        )
    with store.reading() as session:
        last = lists.returns(session, ZONE)[-1]
    assert (last["unit"], last["state"]) == ("无名小学", "held")


def test_held_mail_shows_what_the_office_was_asked(store: Store) -> None:
    fill(store)
    with store.reading() as session:
        assert lists.held(session, ZONE) == [
            {
                "mail": 2,
                "since": "2022-01-04T09:30:00+08:00",
                "reason": "发件地址不在通讯录",
                "question": "是否为该校？",
                "suggestion": "贵港市荷塘中学",
            }
        ]


def test_a_letter_of_the_list_is_of_a_known_kind(store: Store) -> None:
    fill(store)
    with store.reading() as session:
        assert [LetterKind(letter["kind"]) for letter in lists.letters(session, ZONE)] == [LetterKind.RECEIPT]
