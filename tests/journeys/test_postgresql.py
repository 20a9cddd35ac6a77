"""The main job with PostgreSQL as the memory, and two cities on one server."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.journeys.sheets import filled
from tests.journeys.test_main_job import report, statistics
from tests.journeys.test_workflow import letter, problem, reply
from tests.journeys.test_workflow_sessions import listed, problem_school
from tests.journeys.town import CLERK, SECRETARY, Town, school_address, section_address
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


def test_a_session_runs_from_its_opening_to_the_archive(
    mail_stack: MailStack, server: postgres.Server, tmp_path: Path
) -> None:
    town = Town(mail_stack, tmp_path / "town", database=server.fresh_url())
    numbers = listed(town)
    reply(
        town,
        SECRETARY,
        letter(town, SECRETARY, "难点问题清单"),
        "选定 2，其余转办。务必解决。",
        "2022-02-09T10:00:00",
    )
    sheet = letter(town, CLERK, "交办单")
    rows = {number: {"牵头科室": "基建科", "办结时限": "2022-04-15"} for number in numbers}
    reply(town, CLERK, sheet, "", "2022-02-09T15:00:00", [filled(sheet, "交办单", rows=rows)])
    assert {problem(town, number)["state"] for number in numbers} == {"assigned"}
    chosen, section = numbers[1], section_address(4)
    assignment = next(one for one in town.letters_to(section) if chosen in one["Subject"])
    for day in ("10", "11", "14"):
        town.once(f"2022-02-{day}T09:05+08:00")
    assert [one for one in town.letters_to(section) if "催办" in one["Subject"]]
    plan = filled(assignment, "办理单", labels={"工作方案": "分两批改造", "一线办理日期": "2022-02-22"})
    reply(town, section, assignment, "签收", "2022-02-15T10:00:00", [plan])
    measures = [{"任务措施": "更换灯具", "责任部门": "基建科", "完成时限": "2022-03-10"}]
    labels = {"一线办理结果": "制定解决方案"}
    visit = filled(assignment, "办理单", labels=labels, table=measures, again=plan.data)
    reply(town, section, assignment, "", "2022-02-22T17:00:00", [visit])
    done = [measures[0] | {"完成情况": "已更换"}]
    labels = {"完成情况": "全部达标", "长效机制": "每年检测"}
    last = filled(assignment, "办理单", labels=labels, table=done, again=visit.data)
    reply(town, section, assignment, "", "2022-03-09T10:00:00", [last])
    school = school_address(problem_school(town, chosen))
    reply(town, school, letter(town, school, "评价"), "满意", "2022-03-09T11:00:00")
    reply(town, CLERK, letter(town, CLERK, "办结待审核", chosen), "同意", "2022-03-09T12:00:00")
    assert problem(town, chosen)["state"] == "closed"
    town.once("2022-04-11T09:05+08:00")
    assert problem(town, chosen)["state"] == "archived"
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
