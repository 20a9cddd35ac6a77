"""What people's replies order, and that nothing else orders anything."""

from __future__ import annotations

from datetime import date

import pytest
from hypothesis import given, strategies as st

from parsers.orders import (
    Accept,
    Agree,
    AlreadyReported,
    Amend,
    Chase,
    Circulate,
    Complete,
    Confirm,
    DeclineAssignment,
    DeclineProblem,
    Disagree,
    Extend,
    Inspect,
    Instruct,
    MergeInto,
    No,
    OpenSession,
    Order,
    Plan,
    Progress,
    Rate,
    ReferRest,
    RegisterAs,
    Role,
    RollUp,
    Satisfaction,
    Select,
    Target,
    Withdraw,
    Yes,
)
from parsers.replies import orders, tag

TODAY = date(2022, 1, 10)
SECRETARY, OFFICE = Role.SECRETARY, Role.COMMITTEE_OFFICE
SECTION, SCHOOL, BUREAU = Role.SECTION, Role.SCHOOL, Role.BUREAU_OFFICE
ND3 = Target(numbers=("ND-2022-003",))
EVERY_ROLE = tuple(Role)


def given_by(text: str, role: Role) -> tuple[Order, ...]:
    return orders(text, role, TODAY).given


@pytest.mark.parametrize(
    ("role", "text", "expected"),
    [
        (SECRETARY, "选定 3、7", (Select(positions=(3, 7)),)),
        (SECRETARY, "选　定３、７。", (Select(positions=(3, 7)),)),
        (SECRETARY, "同意第3、7项", (Select(positions=(3, 7)),)),
        (SECRETARY, "选定第三项和第七项，其余转办。", (Select(positions=(3, 7)), ReferRest())),
        (SECRETARY, "选 ND-2022-003、nd-2022-7", (Select(numbers=("ND-2022-003", "ND-2022-007")),)),
        (SECRETARY, "其余转相关科室办理", (ReferRest(),)),
        (SECRETARY, "本期不选", (Select(),)),
        (SECRETARY, "此事要抓紧，一抓到底。", (Instruct(text="此事要抓紧，一抓到底"),)),
        (
            SECRETARY,
            "您好，选定2，其余转办。\n请基础教育科牵头，春节前见效。\n韦某某\n2022年1月6日",
            (Select(positions=(2,)), ReferRest(), Instruct(text="请基础教育科牵头，春节前见效")),
        ),
        (OFFICE, "同意", (Agree(),)),
        (OFFICE, "收到，同意。", (Agree(),)),
        (OFFICE, "同 意", (Agree(),)),
        (OFFICE, "您好！\n经研究，同意延期。\n\n李某\n工委办\n2022年1月5日", (Agree(),)),
        (OFFICE, "不同意：材料不全", (Disagree(reason="材料不全"),)),
        (OFFICE, "暂不同意", (Disagree(),)),
        (OFFICE, "是", (Yes(),)),
        (OFFICE, "否", (No(),)),
        (OFFICE, "登记为 贵港市青山中学", (RegisterAs(unit="贵港市青山中学"),)),
        (OFFICE, "登记为贵港市青山中学。谢谢", (RegisterAs(unit="贵港市青山中学"),)),
        (OFFICE, "确认", (Confirm(),)),
        (OFFICE, "并入 ND-2022-003", (MergeInto(into="ND-2022-003"),)),
        (OFFICE, "不予受理：属学校内部事务", (DeclineProblem(reason="属学校内部事务"),)),
        (OFFICE, "开期", (OpenSession(),)),
        (OFFICE, "汇总", (RollUp(),)),
        (OFFICE, "催办 ＮＤ－２０２２－００３", (Chase(target=ND3),)),
        (OFFICE, "通报。", (Circulate(),)),
        (SECTION, "签收", (Accept(),)),
        (SECTION, "收到，我科签收，谢谢！", (Accept(),)),
        (SECTION, "退回：不属我科职责", (DeclineAssignment(reason="不属我科职责"),)),
        (SECTION, "方案", (Plan(),)),
        (SECTION, "方案：先摸底，后改造", (Plan(text="先摸底，后改造"),)),
        (SECTION, "进展：已采购\n1. 灯具\n2. 线路", (Progress(text="已采购\n1. 灯具\n2. 线路"),)),
        (SECTION, "延期至 2022-03-30：厂家缺货", (Extend(until=date(2022, 3, 30), reason="厂家缺货"),)),
        (SECTION, "申请延期到3月30日，理由：缺货", (Extend(until=date(2022, 3, 30), reason="缺货"),)),
        (SECTION, "办结：已更换灯具120盏", (Complete(result="已更换灯具120盏"),)),
        (
            SECTION,
            "ND-2022-003 签收\nND-2022-004：进展：过半",
            (Accept(target=ND3), Progress(target=Target(numbers=("ND-2022-004",)), text="过半")),
        ),
        (
            SECTION,
            "1、签收\n2、办结：已装好",
            (Accept(target=Target(position=1)), Complete(target=Target(position=2), result="已装好")),
        ),
        (SECTION, "全部签收", (Accept(target=Target(all=True)),)),
        (SCHOOL, "满意", (Rate(satisfaction=Satisfaction.SATISFIED),)),
        (SCHOOL, "对办理结果基本满意。", (Rate(satisfaction=Satisfaction.MOSTLY_SATISFIED),)),
        (SCHOOL, "不满意：灯没换", (Rate(satisfaction=Satisfaction.DISSATISFIED, reason="灯没换"),)),
        (SCHOOL, "撤回", (Withdraw(),)),
        (SCHOOL, "我校已报。", (AlreadyReported(),)),
        (BUREAU, "督查 ND-2022-003：现场未见整改", (Inspect(target=ND3, text="现场未见整改"),)),
        (BUREAU, "同意", (Agree(),)),
    ],
)
def test_each_role_orders_with_its_own_words(role: Role, text: str, expected: tuple[Order, ...]) -> None:
    assert given_by(text, role) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("党支部数 4", [("party_branches", 4, None)]),
        ("更正 党支部数 4", [("party_branches", 4, None)]),
        ("党支部数：４，举办次数 两次", [("party_branches", 4, None), ("sessions_held", 2, None)]),
        ("更正：党支部数由3改为4", [("party_branches", 4, None)]),
        ("您好，我校党支部数应为4个，请更正。谢谢", [("party_branches", 4, None)]),
        (
            "更正 联系人：张某，电话 0775-1234567",
            [("contact_name", "张某", None), ("contact_phone", "0775-1234567", None)],
        ),
        ("第2个问题 具体内容：照明不足，急需改造", [("details", "照明不足，急需改造", 1)]),
        ("更正 反馈层级 书记和科室", [("levels", ("secretary", "section"), None)]),
    ],
)
def test_a_school_corrects_a_field_with_a_word(
    text: str, expected: list[tuple[str, object, int | None]]
) -> None:
    (amend,) = given_by(text, SCHOOL)
    assert isinstance(amend, Amend)
    assert [(a.field, a.value, a.item) for a in amend.amendments] == expected


@pytest.mark.parametrize(
    ("role", "text"),
    [
        (OFFICE, "同意，但要补充材料"),
        (OFFICE, "同意\n不同意"),
        (OFFICE, "同意，不同意第二条"),
        (OFFICE, "同意见附件"),
        (OFFICE, "同意吗"),
        (OFFICE, "是否同意"),
        (OFFICE, "同意？"),
        (OFFICE, "如同意，请回复"),
        (OFFICE, "请回复：同意"),
        (OFFICE, "催办"),
        (OFFICE, "> 同意"),
        (OFFICE, "在2022年1月5日，工委办 写道：\n同意"),
        (OFFICE, "好的"),
        (OFFICE, "办结：完成"),
        (SECTION, "未办结"),
        (SECTION, "办结：尚未完成"),
        (SECTION, "尚未签收"),
        (SECTION, "签收单已寄出"),
        (SECTION, "进展顺利"),
        (SECTION, "收到"),
        (SECTION, "签收\n退回：发错了"),
        (SECTION, "延期至 2022-02-30：缺货"),
        (SECTION, "同意"),
        (SCHOOL, "满意，但还有两间没换"),
        (SCHOOL, "满意\n不满意"),
        (SCHOOL, "满意度很高"),
        (SCHOOL, "党支部数怎么填"),
        (SCHOOL, "我们学校没有单独的党支部，附件2还要报吗？"),
        (SCHOOL, "请查收附件。"),
        (SCHOOL, "选定 3"),
        (SECRETARY, "不选第3项"),
        (SECRETARY, "同意第3项，不同意第7项"),
        (SECRETARY, "选定3、7？"),
        (SECRETARY, "选定2个问题"),
        (SECRETARY, "同意"),
        (SECRETARY, "收到，谢谢"),
        (BUREAU, "督查：没有写编号"),
        (BUREAU, "开期"),
        (OFFICE, ""),
    ],
)
def test_a_doubtful_reply_orders_nothing_and_says_why(role: Role, text: str) -> None:
    read = orders(text, role, TODAY)
    assert read.given == ()
    assert read.unclear is not None
    assert read.unclear.text == text
    assert read.unclear.why


def test_the_secretary_cannot_be_impersonated_by_another_role() -> None:
    assert orders("选定 3", "committee", TODAY).unclear is not None


ORDINARY = (
    "关于教室照明问题，我校已多次向有关部门反映",
    "请问附件2的平台数怎么填写",
    "附件是我校本期统计表，请查收",
    "我们同意见里提到的做法有些不同",
    "领导要求满意率达到百分之九十",
    "签收表放在门卫室了",
    "退回的表格已经重新盖章",
    "进展比较缓慢",
    "办结时限太短了",
    "不知道是否可以延期",
    "是这样的，我校有三个校区",
    "对于这个问题我们再研究一下",
    "撤回来的邮件怎么处理",
    "确认函另行寄送",
    "通报里的数字和我们的不一样",
)


@given(
    st.lists(st.sampled_from(ORDINARY), min_size=1, max_size=6),
    st.sampled_from([r for r in EVERY_ROLE if r is not SECRETARY and r is not OFFICE]),
)
def test_ordinary_sentences_order_nothing(lines: list[str], role: Role) -> None:
    assert given_by("\n".join(lines), role) == ()


COMMANDS = (
    "同意",
    "不同意:理由",
    "是",
    "确认",
    "签收",
    "办结:好了",
    "满意",
    "撤回",
    "已报",
    "选定 1",
    "其余转办",
    "开期",
    "党支部数 4",
)


@given(
    st.lists(st.sampled_from(COMMANDS), min_size=1, max_size=5),
    st.sampled_from(EVERY_ROLE),
    st.sampled_from(["> ", ">> ", "| ", ">", "＞ "]),
)
def test_quoted_lines_order_nothing(lines: list[str], role: Role, mark: str) -> None:
    assert given_by("\n".join(mark + line for line in lines), role) == ()


@given(st.text(max_size=200), st.sampled_from(EVERY_ROLE))
def test_any_text_is_read_without_failing(text: str, role: Role) -> None:
    read = orders(text, role, TODAY)
    assert bool(read.given) != bool(read.unclear)


@given(
    st.sampled_from(["同意", "满意", "签收", "是", "确认", "办结"]),
    st.sampled_from(["不", "未", "没", "暂不", "尚未", "不太", "还没"]),
    st.sampled_from(EVERY_ROLE),
)
def test_a_negated_word_never_reads_as_the_positive(word: str, negation: str, role: Role) -> None:
    positive = (Agree, Yes, Confirm, Accept, Complete)
    for order in given_by(negation + word, role):
        assert not isinstance(order, positive)
        assert not (isinstance(order, Rate) and order.satisfaction is not Satisfaction.DISSATISFIED)


@given(st.sampled_from(EVERY_ROLE), st.sampled_from(COMMANDS), st.sampled_from(["?", "？", "吗", "吗？"]))
def test_a_question_is_never_an_order(role: Role, command: str, mark: str) -> None:
    assert given_by(command + mark, role) == ()


def test_a_short_last_line_is_taken_for_a_name_only_if_it_is_one() -> None:
    assert given_by("选定 2\n请抓紧", SECRETARY) == (Select(positions=(2,)), Instruct(text="请抓紧"))
    assert given_by("选定 2\n韦某某", SECRETARY) == (Select(positions=(2,)),)
    assert given_by("进展：灯具已到\n已装好", SECTION) == (Progress(text="灯具已到\n已装好"),)
    assert given_by("进展：灯具已到\n已转计划财务科", SECTION) == (Progress(text="灯具已到\n已转计划财务科"),)


@pytest.mark.parametrize(
    ("subject", "expected"),
    [
        ("[ND-2022-013#K7Q4] 交办通知", ("ND-2022-013", "K7Q4")),
        ("回复：Re: ［ＮＤ－２０２２－０１３＃ｋ７ｑ４］交办通知", ("ND-2022-013", "K7Q4")),
        ("答复: 【TJ-2022-01#ABCD】", ("TJ-2022-01", "ABCD")),
        ("[ND-2022-013] 没有码", None),
        ("[ND-2022-013#K7Q4] [ND-2022-014#K7Q4]", None),
        ("附件1", None),
    ],
)
def test_a_subject_names_number_and_code(subject: str, expected: tuple[str, str] | None) -> None:
    assert tag(subject) == expected


@pytest.mark.parametrize(
    "text",
    [
        "签收，并报方案：增设护学岗",
        "签收。方案：增设护学岗",
        "已签收，现报方案如下：增设护学岗",
        "签收\n方案：增设护学岗",
    ],
)
def test_a_plan_beside_an_acceptance_on_the_same_line_is_a_plan(text: str) -> None:
    read = orders(text, "section", TODAY).given
    assert [type(order) for order in read] == [Accept, Plan]
    assert read[1] == Plan(text="增设护学岗")


def test_two_problems_in_one_line_are_doubted() -> None:
    assert orders("ND-2022-003 签收，ND-2022-004 方案：增设护学岗", "section", TODAY).unclear is not None
