"""Which problems are held alike, and how it is told."""

from __future__ import annotations

from daemon.similarity import Subject, groups, index, similar, why

TOWN = (
    Subject(
        "ND-2021-004", "教室照明不足", "教学楼灯具老化，照度检测不达标，请求更换护眼灯", "贵港市青山中学"
    ),
    Subject(
        "ND-2022-001",
        "教室照明照度不达标",
        "部分教室灯具老化，学生视力下降，请求更换护眼灯",
        "贵港市绿水中学",
    ),
    Subject("ND-2022-002", "校门口交通拥堵", "上学放学时段家长车辆多，校门口道路狭窄", "贵港市红旗小学"),
    Subject("ND-2022-003", "放学时段校门口拥堵", "家长车辆乱停，道路狭窄，有安全隐患", "贵港市东风小学"),
    Subject("ND-2022-004", "教师编制不足", "缺数学、英语教师共六名", "贵港市南江中学"),
    Subject("ND-2022-005", "学生食堂扩建用地", "食堂面积小，需要征用邻近地块", "贵港市北岸中学"),
)


def test_like_problems_of_other_schools_and_years_are_found_with_the_reason() -> None:
    known = index(TOWN)
    (first, *_) = similar(known, "ND-2022-001")
    assert first.number == "ND-2021-004"
    assert "共同词语" in first.why
    assert "灯具老化" in first.why
    assert [like.number for like in similar(known, "ND-2022-002")] == ["ND-2022-003"]


def test_unlike_problems_stay_apart_though_all_schools_ask_politely() -> None:
    polite = [
        Subject(
            f"ND-2022-{n:03d}",
            text,
            "我校目前存在上述问题，建议有关部门协调解决，希望得到上级支持",
            f"第{n}中学",
        )
        for n, text in enumerate(("教师编制", "操场塌陷", "供水管网", "网络带宽"), 1)
    ]
    known = index(polite)
    assert all(similar(known, subject.number) == () for subject in polite)


def test_groups_count_the_schools_and_each_problem_stands_in_one() -> None:
    known = index(TOWN)
    numbers = [subject.number for subject in TOWN]
    found = groups(known, numbers)
    assert sorted(number for group in found for number in group.numbers) == sorted(numbers)
    assert {group.numbers: group.units for group in found if len(group.numbers) > 1} == {
        ("ND-2021-004", "ND-2022-001"): 2,
        ("ND-2022-002", "ND-2022-003"): 2,
    }


def test_a_problem_without_words_is_like_nothing() -> None:
    known = index([Subject("ND-2022-001", "……"), Subject("ND-2022-002", "")])
    assert similar(known, "ND-2022-001") == ()
    assert similar(known, "ND-2022-009") == ()


def told(first: tuple[str, str], second: tuple[str, str]) -> str:
    """Why two problems are held alike, as the secretary reads it."""
    known = index([Subject("ND-2022-001", *first), Subject("ND-2022-002", *second)])
    return why(known, "ND-2022-001", "ND-2022-002")


def test_what_two_problems_share_is_told_in_whole_words() -> None:
    dining = told(
        ("学生食堂拥挤", "学生食堂面积小，需扩建"), ("师生食堂就餐难", "师生食堂面积小，座位少，需要扩建")
    )
    assert dining == "共同词语：食堂面积小"
    lamps = told(("教室照明差", "请求更换教室的灯具"), ("教师办公室照明差", "请求更换教师的灯具"))
    assert lamps == "共同词语：照明差、灯具"


def test_a_whole_text_that_two_schools_copied_is_told_by_its_beginning() -> None:
    copied = "校门外公交站台距离路口过近造成早高峰严重拥堵"
    assert told((copied, ""), (copied, "")) == "共同词语：校门外公交站台距离路口过……"


def test_where_no_whole_word_is_shared_nothing_is_made_up() -> None:
    assert told(("甲乙", ""), ("丙甲乙丁", "")) == "文字表述相近"
