"""Three months of the town, day by day: everybody does their part, some late, some wrongly."""

from __future__ import annotations

import re
from collections import Counter
from datetime import date, timedelta
from email.message import EmailMessage
from pathlib import Path

import pytest

from daemon.workdays import Calendar
from tests.journeys.sheets import filled
from tests.journeys.test_main_job import report
from tests.journeys.test_workflow import letter, problem, reply
from tests.journeys.town import (
    BUREAU,
    CLERK,
    NAMES,
    SECRETARY,
    Town,
    school_address,
    section_address,
    text_of,
)
from tests.servers.mailstack import MailStack

SECTION = section_address(0)
OTHER = section_address(4)


@pytest.fixture
def town(mail_stack: MailStack, tmp_path: Path) -> Town:
    return Town(mail_stack, tmp_path / "town", schools=6)


def live(town: Town, first: str, last: str) -> None:
    """A cycle every morning, and on some days one in the evening as well."""
    day, end = date.fromisoformat(first), date.fromisoformat(last)
    while day <= end:
        for hour in ("09:00", "18:30") if day.day % 10 == 0 else ("09:00",):
            town.once(f"{day.isoformat()}T{hour}+08:00")
        day += timedelta(days=1)


def filing(town: Town, school: int, at: str, **changes: object) -> str:
    """A school's report, filed; its number."""
    form = report(unit=f"贵港市{NAMES[school]}", **changes)  # type: ignore[arg-type]
    town.write(school_address(school), "难点问题", "", [form], at=f"{at}+08:00")
    town.once(f"{at}+08:00")
    return str(town.rows("problems")[-1]["number"])


def to_section(town: Town, address: str, number: str, word: str) -> EmailMessage:
    return letter(town, address, number, word)


def test_three_months_of_a_town(town: Town) -> None:
    lights = filing(town, 0, "2022-02-08T09:10:00", levels=("secretary",))
    traffic = filing(
        town,
        1,
        "2022-02-08T09:20:00",
        levels=("secretary", "section"),
        sections=("安稳科",),
        problem="校门口交通拥堵",
        details="上下学时段车辆与学生混行，请协调交警设护学岗。",
    )
    water = filing(
        town,
        2,
        "2022-02-08T09:30:00",
        levels=("section",),
        sections=("基教科",),
        problem="宿舍热水不足",
        details="晚间高峰热水只够三成学生使用，请求增设热泵。",
    )
    staff = filing(
        town,
        3,
        "2022-02-08T09:40:00",
        levels=("secretary",),
        problem="心理教师紧缺",
        details="全校1200名学生没有专职心理教师，请求核增编制。",
    )
    assert problem(town, traffic)["lead_section"] == "安全稳定科"
    live(town, "2022-02-09", "2022-02-11")
    assert len([m for m in town.letters_to(SECTION) if "催办" in m["Subject"]]) == 2

    # The section answers two of its problems in one reply, one of them wrongly.
    chase = letter(town, SECTION, "催办")
    text = f"{water} 签收\n{lights} 办结：不是我们的"
    assert reply(town, SECTION, chase, text, "2022-02-11T19:00:00")["disposition"] == "replied"
    assert lights in text_of(letter(town, SECTION, "来信办理情况回执"))
    assert problem(town, water)["state"] == "accepted"
    assert problem(town, lights)["state"] == "registered"

    # The regular session.
    live(town, "2022-02-12", "2022-02-15")
    offer = letter(town, SECRETARY, "难点问题清单")
    assert {problem(town, n)["session"] for n in (lights, traffic, staff)} == {"QC-2022-01"}
    live(town, "2022-02-16", "2022-02-18")
    assert letter(town, CLERK, "书记选题待提请")
    listed = sorted((lights, traffic, staff), key=text_of(offer).index)
    place = listed.index(lights) + 1
    reply(town, SECRETARY, offer, f"选定 {place}，其余转办\n请于五月前解决", "2022-02-18T20:00:00")
    sheet = letter(town, CLERK, "交办单")
    rows = {lights: {"牵头科室": "基建科", "办结时限": "2022-03-31"}, staff: {"牵头科室": "人事科"}}
    reply(town, CLERK, sheet, "", "2022-02-19T09:00:00", [filled(sheet, "交办单", rows=rows)])
    assert (problem(town, lights)["state"], problem(town, staff)["state"]) == ("assigned", "assigned")
    assert problem(town, traffic)["lead_section"] == "安全稳定科"

    # The chosen problem: plan, survey, visit, measures, each measure chased on its own.
    assignment = to_section(town, OTHER, lights, "交办")
    assert "请于五月前解决" in text_of(assignment)
    reply(town, OTHER, assignment, "签收", "2022-02-21T08:30:00")
    plan = filled(
        assignment, "办理单", labels={"工作方案": "分两批改造", "责任人": "韦明理", "攻坚队伍": "党员突击队"}
    )
    reply(town, OTHER, assignment, "", "2022-02-22T10:00:00", [plan])
    assert problem(town, lights)["state"] == "planned"
    labels = {"调研情况·实质": "灯具老化", "调研情况·症结": "经费未列入预算", "一线办理日期": "2022-03-02"}
    survey = filled(assignment, "办理单", labels=labels, again=plan.data)
    reply(town, OTHER, assignment, "", "2022-02-24T10:00:00", [survey])
    assert problem(town, lights)["state"] == "surveyed"
    reply(town, CLERK, letter(town, CLERK, "一线办理时间待审定"), "同意", "2022-02-24T11:00:00")
    assert letter(town, "head00@school.test", "现场办理通知")
    measures = [
        {"任务措施": "更换灯具", "责任部门": "基建科", "完成时限": "2022-03-10"},
        {"任务措施": "复测照度", "责任部门": "体卫艺科", "完成时限": "2022-03-25"},
    ]
    visit = filled(
        assignment, "办理单", labels={"一线办理结果": "制定解决方案"}, table=measures, again=survey.data
    )
    reply(town, OTHER, assignment, "", "2022-03-02T17:30:00", [visit])
    assert problem(town, lights)["state"] == "on_site"
    live(town, "2022-03-03", "2022-03-14")
    chased = [text_of(m) for m in town.letters_to(OTHER) if "催办" in m["Subject"]]
    assert any("更换灯具" in text for text in chased)
    assert not any("复测照度" in text for text in chased)
    done = [measures[0] | {"完成情况": "已更换"}, measures[1] | {"完成情况": "已达标"}]
    last = filled(assignment, "办理单", table=done, labels={"完成情况": "照明全部达标"}, again=visit.data)
    reply(town, OTHER, assignment, "", "2022-03-14T19:00:00", [last])
    assert problem(town, lights)["state"] == "completion_reported"
    assert all(one["done"] for one in problem(town, lights)["measures"])

    # The office agrees, the school is content, the section writes down the mechanism.
    reply(town, CLERK, letter(town, CLERK, "办结待审核", lights), "同意", "2022-03-15T08:00:00")
    reply(town, school_address(0), letter(town, school_address(0), "评价"), "满意", "2022-03-15T08:10:00")
    assert problem(town, lights)["state"] == "closed"
    request = letter(town, OTHER, "长效机制")
    note = filled(request, "办理单", labels={"长效机制": "每年秋季学期前检测教室照度"})
    reply(town, OTHER, request, "", "2022-03-16T08:30:00", [note])

    # Water: reported done, disliked, done again, closed, disputed within the time, closed again.
    owner = to_section(town, SECTION, water, "交办")
    reply(town, SECTION, owner, "办结：已增设一台热泵", "2022-03-16T08:40:00")
    reply(
        town,
        school_address(2),
        letter(town, school_address(2), "评价"),
        "不满意：仍不够用",
        "2022-03-16T09:30:00",
    )
    assert problem(town, water)["state"] == "rework"
    reply(town, SECTION, letter(town, SECTION, "请继续办理"), "办结：再增设两台", "2022-03-18T08:40:00")
    reply(town, school_address(2), letter(town, school_address(2), "评价"), "基本满意", "2022-03-18T09:00:00")
    reply(town, CLERK, letter(town, CLERK, "办结待审核", water), "同意", "2022-03-18T09:10:00")
    assert problem(town, water)["state"] == "closed"
    result = letter(town, school_address(2), "办理结果")
    reply(town, school_address(2), result, "上周起热泵又停了两台，请再查。", "2022-03-28T10:00:00")
    assert problem(town, water)["state"] == "closed"
    reply(town, CLERK, letter(town, CLERK, "重新办理待审核"), "同意", "2022-03-28T11:00:00")
    assert problem(town, water)["state"] == "reopened"

    live(town, "2022-03-29", "2022-04-29")
    assert problem(town, lights)["state"] == "archived"
    assert problem(town, traffic)["overdue"]
    assert letter(town, BUREAU, "逾期清单")
    once_a_day(town)
    everything_agrees(town)


def once_a_day(town: Town) -> None:
    """Nobody gets two digests or chases on one day, none on a rest day or outside working hours."""
    seen: Counter[tuple[str, str]] = Counter()
    for row in town.rows("letters"):
        if row["kind"] in ("section_digest", "section_chase", "morning_brief", "overdue_list"):
            day, hour = row["due_at"][:10], row["due_at"][11:13]
            assert Calendar().is_workday(date.fromisoformat(day)), row
            assert 9 <= int(hour) < 17, row
            kind = "section" if row["kind"].startswith("section") else row["kind"]
            seen[kind + row["to"][0], day] += 1
    again = {key: count for key, count in seen.items() if count > 1}
    assert not again


def everything_agrees(town: Town) -> None:
    """Every mail has its fate, every letter its recipient, every history leads to the state it has."""
    assert {row["disposition"] for row in town.rows("mail")} <= {"filed", "replied", "held"}
    assert {row["state"] for row in town.rows("letters")} == {"sent"}
    for row in town.rows("problems"):
        states = [line["to"] for line in row["history"] if line["to"]]
        assert states[-1] == row["state"]
        for one, two in zip(row["history"], row["history"][1:], strict=False):
            assert one["at"] <= two["at"]
    for row in town.rows("letters"):
        assert not re.search(r"None|undefined|\{\{", row["subject"])
