"""The reading processes: a hostile mail harms only itself, and the others go on."""

from __future__ import annotations

import os
import time

from daemon.reader import Outcome, Reader, ReadingFailed
from parsers.content import Limits
from parsers.values import Reading, Verdict
from tests.mails.letters import mail, plain, problem_report


def awkward(raw: bytes, name: str, limits: Limits, own_address: str | None) -> Reading:
    """A reader that meets what real libraries do to it."""
    match name:
        case "abort":
            os.abort()
        case "exit":
            os._exit(3)
        case "hang":
            time.sleep(60)
        case "spin":
            while True:
                pass
        case "memory":
            bytearray(3 << 30)
        case "error":
            raise ZeroDivisionError
        case "deep":
            raise RecursionError
    return Reading(name, None, (), (), Verdict.NO_FORM)


def read_with(reader: Reader, names: list[str]) -> dict[str, Outcome]:
    outcomes = dict(reader.read_all((number, b"x", name) for number, name in enumerate(names)))
    assert sorted(outcomes) == list(range(len(names)))
    return {name: outcomes[number] for number, name in enumerate(names)}


def test_mails_are_read_in_other_processes_and_the_reader_is_used_again() -> None:
    raw = mail(("附件1.docx", problem_report()))
    with Reader(workers=2) as reader:
        for _ in range(2):
            outcomes = dict(reader.read_all((number, raw, "a.eml") for number in range(20)))
            assert sorted(outcomes) == list(range(20))
            assert all(
                isinstance(each, Reading) and each.verdict is Verdict.COMPLETE for each in outcomes.values()
            )


def test_a_mail_that_kills_its_reader_fails_alone_and_the_others_are_read() -> None:
    names = ["1", "abort", "2", "exit", "3", "memory", "4", "error", "5", "deep", "6"]
    with Reader(workers=2, read=awkward) as reader:
        outcomes = read_with(reader, names)
    for name, outcome in outcomes.items():
        assert isinstance(outcome, Reading) is name.isdigit(), (name, outcome)
    assert "ZeroDivisionError" in str(outcomes["error"])


def test_a_mail_that_takes_too_long_is_given_up() -> None:
    with Reader(workers=2, read=awkward, seconds_per_mail=1.5) as reader:
        outcomes = read_with(reader, ["1", "hang", "2", "spin", "3"])
    assert isinstance(outcomes["hang"], ReadingFailed)
    assert isinstance(outcomes["spin"], ReadingFailed)
    assert "超时" in outcomes["hang"].reason
    assert all(isinstance(outcomes[name], Reading) for name in "123")


def test_workers_are_replaced_after_a_number_of_mails() -> None:
    with Reader(workers=1, read=awkward, mails_per_worker=3) as reader:
        outcomes = read_with(reader, [str(number) for number in range(10)])
    assert all(isinstance(each, Reading) for each in outcomes.values())


def test_large_mails_and_large_readings_do_not_block_one_another() -> None:
    raw = mail(("附件1.docx", problem_report()), ("大.bin", os.urandom(3 << 20)))
    with Reader(workers=1) as reader:
        outcomes = dict(reader.read_all((number, raw, "a.eml") for number in range(12)))
    assert all(isinstance(each, Reading) for each in outcomes.values())


def test_mails_are_taken_only_as_fast_as_they_are_read() -> None:
    taken = 0

    def endless() -> object:
        nonlocal taken
        for number in range(1_000):
            taken += 1
            yield number, b"x", "1"

    with Reader(workers=1, read=awkward) as reader:
        answers = reader.read_all(endless())  # type: ignore[arg-type]
        next(answers)
        assert taken < 30


def test_a_stopped_reading_leaves_no_answers_for_the_next_one() -> None:
    with Reader(workers=1, read=awkward) as reader:
        next(reader.read_all((number, b"x", "old") for number in range(10)))
        outcomes = dict(reader.read_all([(99, b"x", "new")]))
    assert [(number, each.file) for number, each in outcomes.items() if isinstance(each, Reading)] == [
        (99, "new")
    ]


def test_the_readers_own_limits_and_address_are_used() -> None:
    with Reader(workers=1, limits=Limits(mail_bytes=100), own_address="a@b.cn") as reader:
        outcome = reader.read(plain("From: a@b.cn\nSubject: x", "y" * 200), "a.eml")
    assert isinstance(outcome, Reading)
    assert outcome.verdict is Verdict.UNREADABLE
