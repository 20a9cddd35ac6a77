"""The main job with PostgreSQL as the memory, and two cities on one server."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.journeys.test_main_job import report, statistics
from tests.journeys.town import CLERK, Town, school_address
from tests.servers.mailstack import MailStack
from tests.store import postgres


@pytest.fixture(scope="module")
def server() -> Iterator[postgres.Server]:
    with postgres.server() as running:
        yield running


def test_a_school_is_answered_and_a_stranger_asked_about(
    mail_stack: MailStack, server: postgres.Server, tmp_path: Path
) -> None:
    town = Town(mail_stack, tmp_path / "town", database=server.fresh_url(), schools=6)
    stranger = mail_stack.add_person("stranger@qq.com")
    town.write(school_address(0), "报表", "", [report(), statistics()])
    town.write(stranger, "报表", "", [report("贵港市榕湖小学")])
    town.once()
    (question,) = town.new_letters_to(CLERK, 1)
    town.write(CLERK, f"Re: {question['Subject']}", "是", answers=question)
    town.once()
    assert [mail["disposition"] for mail in town.rows("mail")] == ["filed", "filed", "replied"]
    assert [problem["state"] for problem in town.rows("problems")] == ["registered", "registered"]
    assert {letter["state"] for letter in town.rows("letters")} == {"sent"}
    assert "没有发现问题" in town.djb("database", "check")


def test_two_cities_on_one_server_know_nothing_of_each_other(
    mail_stack: MailStack, server: postgres.Server, tmp_path: Path
) -> None:
    first = Town(mail_stack, tmp_path / "first", database=server.fresh_url(), schools=3)
    second = Town(mail_stack, tmp_path / "second", database=server.fresh_url(), schools=3)
    first.write(school_address(0), "报表", "", [report()])
    first.once()
    assert len(first.rows("problems")) == 1
    assert second.rows("problems") == []
