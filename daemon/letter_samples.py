"""One invented letter of every kind and variant: `djb check` renders them all, tests compare them.

Each name is the letter's kind, with the variant after a dot where there is one.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime
from zoneinfo import ZoneInfo

from daemon.errors import Permanent
from daemon.letters import (
    Alarm,
    Answer,
    Assignment,
    AssignmentSheet,
    Callback,
    Circular,
    CircularDraft,
    CorrectionRequest,
    DecisionReadback,
    ExtensionDecision,
    Fact,
    Figure,
    Filed,
    FileNote,
    HeldMail,
    HeldNotice,
    HeldReason,
    InspectionFinding,
    Ledger,
    Letter,
    ListedProblem,
    MechanismRequest,
    Mend,
    MissingList,
    MorningBrief,
    News,
    Offer,
    OverdueList,
    ProblemLine,
    ProblemList,
    ProblemNews,
    Question,
    QuestionKind,
    Receipt,
    Returned,
    Rework,
    Rollup,
    SchoolLine,
    SecretaryBrief,
    SectionChase,
    SectionDigest,
    SectionLoad,
    StatisticsChase,
    StatisticsOpening,
    StatisticsReceipt,
    StatisticsReminder,
    VisitInvitation,
    next_step,
)
from daemon.model import Light
from daemon.rendering import Letterhead, Templates

ZONE = ZoneInfo("Asia/Shanghai")
LETTERHEAD = Letterhead("中共贵港市委教育工委办公室", "0775-4573916", "djb3916@163.com", ZONE)
TODAY = date(2022, 1, 4)
RECEIVED = datetime(2022, 1, 4, 9, 30, tzinfo=ZONE)
SCHOOL = "贵港市达观中学"
COVERS = "2021年11—12月"
DUE = date(2022, 1, 5)

PROBLEM_FACTS = (
    Fact("填报单位", SCHOOL),
    Fact("主要负责人", "韦明理"),
    Fact("联系人", "覃小燕"),
    Fact("联系电话", "0775-4512345"),
    Fact("难点问题", "校门口上下学时段交通拥堵"),
    Fact(
        "具体内容及诉求",
        "学校位于城区主干道，上下学时段车辆与学生混行，存在安全隐患。\n请协调交警部门增设护学岗，并在校门两侧施划临时停车位。",
    ),
    Fact("反馈层级", "市委教育工委书记、市局相关科室"),
    Fact("涉及科室", "安全保卫科"),
    Fact("备注"),
)
STATISTICS_FACTS = (
    Fact("填报单位", SCHOOL),
    Fact("填报时间", "2022年1月4日（星期二）"),
    Fact("联系人", "覃小燕"),
    Fact("联系电话", "0775-4512345"),
    Fact("单位名称", SCHOOL),
    Fact("党支部数", "3"),
    Fact("建立平台数", "1"),
    Fact("举办次数", "2"),
    Fact("解决问题数量", "5"),
    Fact("备注"),
)
TO_MEND = Returned(
    "《难点问题报告表》",
    (Mend("“反馈层级”未勾选", "表1第2行第3列"), Mend("“联系电话”只有10位，疑有遗漏", "第2段")),
    (
        Fact("填报单位", SCHOOL),
        Fact("联系人", "覃小燕"),
        Fact("联系电话", "1390775123", mend=True),
        Fact("难点问题", "校门口上下学时段交通拥堵"),
        Fact("反馈层级", None, mend=True),
        Fact("备注"),
    ),
    "难点问题报告表（请补正）.docx",
    ("levels", "contact_phone"),
)
FILED_PROBLEM = Filed(
    "《难点问题报告表》",
    "ND-2022-013",
    PROBLEM_FACTS,
    "列入下一期难点问题清单，呈报市委教育工委书记研究，同时转安全保卫科办理",
)
UNREAD = (FileNote("现场照片.zip", "压缩包已加密，未能打开"),)


def receipts() -> dict[str, Letter]:
    return {
        "receipt": Receipt(
            to_name=SCHOOL, date=TODAY, number="ND-2022-013", code="K7Q4",
            received_at=RECEIVED, filed=(FILED_PROBLEM,), signed_copy="报告表扫描件.pdf",
        ),
        "receipt.combined": Receipt(
            to_name=SCHOOL, date=TODAY, number="ND-2022-013", code="K7Q4",
            received_at=RECEIVED,
            filed=(
                FILED_PROBLEM,
                Filed("《难点问题报告表》第2项", "ND-2022-014", PROBLEM_FACTS[:6], "转后勤管理科办理"),
                Filed("《“难点问题书记一线办”开展情况统计表》", "TJ-2022-01", STATISTICS_FACTS),
            ),
            to_mend=(TO_MEND,), correct_by=date(2022, 1, 7),
            notes=("“填报时间”未填，已按来信日期登记",), unread=UNREAD,
            attachments=("难点问题报告表（请补正）.docx",),
        ),
        "receipt.orders": Receipt(
            to_name="工委办", date=TODAY, number="ND-2022-013", code="K7Q4", received_at=RECEIVED, orders=True,
            filed=(Filed("催办", "ND-2022-013", (Fact("办理事项", "催办"), Fact("现状", "办理中"))),),
            notes=("没有编号为ND-2022-099的难点问题",),
        ),
        "receipt.refused": Receipt(
            to_name=SCHOOL, date=TODAY, number="ND-2022-013", code="K7Q4", received_at=RECEIVED, orders=True, filed=(),
            notes=("ND-2022-013的撤回申请未获同意，继续办理，理由：问题尚未解决",),
        ),
        "receipt.unknown_section": Receipt(
            to_name=SCHOOL, date=TODAY, number="ND-2022-013", code="K7Q4", received_at=RECEIVED,
            filed=(
                Filed(
                    "《难点问题报告表》", "ND-2022-013", PROBLEM_FACTS,
                    next_step(("secretary", "section"), ("安保办",), unknown=("安保办",)),
                ),
            ),
        ),
        "receipt.corrected": Receipt(
            to_name=SCHOOL, date=date(2022, 1, 6), number="ND-2022-013", code="K7Q4",
            received_at=RECEIVED, mended_at=datetime(2022, 1, 6, 15, 5, tzinfo=ZONE), filed=(FILED_PROBLEM,),
            corrected=True, version=2,
        ),
        "statistics_receipt": StatisticsReceipt(
            to_name=SCHOOL, date=TODAY, number="TJ-2022-01", code="M3PX", received_at=RECEIVED,
            covers=COVERS, due=DUE, filed=(Filed("开展情况统计表", "TJ-2022-01", STATISTICS_FACTS),),
        ),
        "statistics_receipt.late": StatisticsReceipt(
            to_name=SCHOOL, date=date(2022, 1, 13), number="TJ-2022-01", code="M3PX",
            received_at=datetime(2022, 1, 13, 10, 0, tzinfo=ZONE), covers=COVERS, due=DUE,
            filed=(Filed("开展情况统计表", "TJ-2022-01", STATISTICS_FACTS),),
            late=True, frozen=True, nil=True, version=2,
        ),
        "correction_request": CorrectionRequest(
            to_name=SCHOOL, date=TODAY, number="ND-2022-013", code="K7Q4", received_at=RECEIVED,
            to_mend=(TO_MEND,), correct_by=date(2022, 1, 7), attachments=("难点问题报告表（请补正）.docx",),
        ),
        "correction_request.again": CorrectionRequest(
            to_name=SCHOOL, date=TODAY, number="ND-2022-013", code="K7Q4", received_at=RECEIVED,
            to_mend=(TO_MEND,), correct_by=date(2022, 1, 7), again=True, filed=(FILED_PROBLEM,), unread=UNREAD,
        ),
    }  # fmt: skip


def held_notices() -> dict[str, Letter]:
    details: Mapping[HeldReason, Mapping[str, object]] = {
        HeldReason.UNKNOWN_SENDER: {"facts": PROBLEM_FACTS},
        HeldReason.UNCERTAIN: {
            "facts": STATISTICS_FACTS,
            "doubts": (Mend("“党支部数”字迹不清，可能是3或8", "第1页"),),
        },
        HeldReason.NO_FORM: {
            "files": (FileNote("活动照片.jpg", "照片，未见表格"),),
            "attachments": ("附件1 难点问题报告表.docx", "附件2 “难点问题书记一线办”开展情况统计表.xlsx"),
        },
        HeldReason.UNREADABLE: {
            "files": (
                FileNote("附件1.docx", "文件已加密，需要密码"),
                FileNote("附件2.xls", "文件已损坏，无法打开"),
            ),
            "attachments": ("附件1 难点问题报告表.docx",),
        },
        HeldReason.OVERSIZE: {
            "files": (FileNote("wx.mail.qq.com/ftn/download?…", "超大附件链接，2022年1月30日失效"),)
        },
        HeldReason.UNCLEAR_REPLY: {
            "facts": (Fact("编号", "ND-2022-013"), Fact("难点问题", "校门口上下学时段交通拥堵")),
            "answers": (
                Answer("满意", "对办理结果满意的"),
                Answer("基本满意", "对办理结果基本满意的"),
                Answer("不满意:护学岗尚未到位", "对办理结果不满意的，写明理由"),
            ),
        },
        HeldReason.PERIOD_UNCLEAR: {"facts": STATISTICS_FACTS},
        HeldReason.PLAIN_ANSWER: {
            "answers": (
                Answer("同意", "同意的"),
                Answer("不同意:理由", "不同意的，写明理由"),
            ),
        },
    }
    return {
        f"held_notice.{reason.value}": HeldNotice(
            to_name="来信单位" if reason is HeldReason.UNKNOWN_SENDER else SCHOOL,
            date=TODAY, reason=reason, received_at=RECEIVED, their_subject="报送难点问题报告表",
            **details.get(reason, {}),  # type: ignore[arg-type]
        )
        for reason in HeldReason
    }  # fmt: skip


def questions() -> dict[str, Letter]:
    problem = (
        Fact("编号", "ND-2022-013"),
        Fact("难点问题", "校门口上下学时段交通拥堵"),
        Fact("填报单位", SCHOOL),
    )
    sender = (
        Fact("来信邮箱", "daguan2021@qq.com"),
        Fact("来信时间", "2022年1月4日（星期二）9:30"),
        *PROBLEM_FACTS,
    )
    extra: Mapping[QuestionKind, Mapping[str, object]] = {
        QuestionKind.UNKNOWN_SENDER: {
            "about": "daguan2021@qq.com来信",
            "facts": sender,
            "suggestion": SCHOOL,
            "candidates": ("贵港市达开高级中学",),
        },
        QuestionKind.UNCERTAIN: {
            "facts": STATISTICS_FACTS,
            "doubts": (Mend("“党支部数”字迹不清，可能是3或8", "第1页"),),
        },
        QuestionKind.NO_FORM: {"facts": sender[:2], "quoted": "老师您好：\n想咨询一下，附件2几号之前报？"},
        QuestionKind.UNREADABLE: {"facts": (*sender[:2], Fact("附件", "附件1.docx（文件已加密，需要密码）"))},
        QuestionKind.UNCLEAR_REPLY: {
            "facts": problem,
            "quoted": "这个问题基本上解决了吧，但是护学岗还没有到位。",
        },
        QuestionKind.UNAUTHORISED: {"facts": (*problem, *sender[:2]), "quoted": "同意办结"},
        QuestionKind.SECTION_UNKNOWN: {
            "facts": (*problem, Fact("所填科室", "安保办")),
            "suggestion": "安全保卫科",
            "candidates": ("办公室",),
        },
        QuestionKind.PERIOD_UNCLEAR: {"facts": STATISTICS_FACTS, "suggestion": "TJ-2022-01（2021年11—12月）"},
        QuestionKind.REFERRAL: {"facts": problem, "suggestion": "安全保卫科"},
        QuestionKind.DECLINED_ASSIGNMENT: {
            "facts": (*problem, Fact("承办科室", "后勤管理科"), Fact("退回理由", "属安全保卫科职责"))
        },
        QuestionKind.EXTENSION: {
            "facts": (
                *problem,
                Fact("原定时限", "2022年3月1日"),
                Fact("申请延至", "2022年3月30日"),
                Fact("理由", "施工招标尚在公示期"),
            ),
            "detail": "2022年3月30日",
            "suggestion": "同意",
        },
        QuestionKind.COMPLETION: {
            "facts": (*problem, Fact("办理结果", "已增设护学岗2个，施划临时停车位12个。"))
        },
        QuestionKind.WITHDRAWAL: {"facts": problem, "quoted": "撤回，问题已自行协调解决。"},
        QuestionKind.REOPENING: {"facts": problem, "quoted": "护学岗上周起又没有人值守了。"},
        QuestionKind.CHOICE: {"quoted": "选定1、3、5，其余转办", "suggestion": "选定第1、3、5项"},
        QuestionKind.ORDER: {
            "facts": (
                Fact("来信邮箱", "gongweiban@example.cn"),
                Fact("办理事项", "并案 ND-2022-014 并入ND-2022-013"),
                Fact("ND-2022-014", "放学时段校门口拥堵（贵港市覃塘实验中学）\n家长车辆停放较乱，道路狭窄。"),
                Fact(
                    "并入的问题 ND-2022-013",
                    f"校门口上下学时段交通拥堵（{SCHOOL}）\n上下学时段车辆与学生混行。",
                ),
            )
        },
        QuestionKind.CIRCULAR_EDITED: {
            "about": CIRCULAR_TITLE,
            "facts": (Fact("拟发单位", "64 个"), Fact("采用的修改稿", "通报（送审稿）改.docx")),
            "doubts": (
                Mend("删去：请有关学校抓紧补报。", "通报（送审稿）改.docx"),
                Mend("增加：请有关学校于1月20日前补报。", "通报（送审稿）改.docx"),
            ),
        },
        QuestionKind.VISIT: {
            "facts": (
                *problem,
                Fact("拟定时间", "2022年1月26日（星期三）下午3:00"),
                Fact("参加人员", "书记、科长、校长"),
            )
        },
        QuestionKind.ASSIST_DECLINED: {
            "facts": (*problem, Fact("事由", "后勤管理科申请不再协办：不涉及我科职责"))
        },
        QuestionKind.DEADLINE: {"facts": problem, "suggestion": "定为2022年4月15日"},
        QuestionKind.WHICH_PROBLEM: {
            "facts": (
                Fact("第1项", f"ND-2022-013 校门口上下学时段交通拥堵（{SCHOOL}）"),
                Fact("第2项", f"ND-2022-009 教室照明不达标（{SCHOOL}）"),
            ),
            "quoted": "请本周内到校现场办理",
        },
        QuestionKind.LATE_RETURN: {"facts": (Fact("期次", "TJ-2022-01"), Fact("迟报单位", SCHOOL))},
    }
    return {
        f"question.{kind.value}": Question(
            to_name="工委办", date=TODAY, number="ND-2022-013", code="H8RT", question=kind, answer_by=date(2022, 1, 6),
            **{"about": "ND-2022-013 校门口上下学时段交通拥堵", **extra.get(kind, {})},  # type: ignore[arg-type]
        )
        for kind in QuestionKind
    }  # fmt: skip


LINES = (
    ProblemLine("ND-2022-013", "校门口上下学时段交通拥堵", SCHOOL, "安全保卫科", date(2022, 3, 1), Light.RED, "办理中", "已催办2次"),
    ProblemLine("ND-2022-014", "学生宿舍热水供应不足", "贵港市覃塘实验中学", "后勤管理科", date(2022, 1, 7), Light.BLUE, "已签收"),
    ProblemLine("ND-2022-016", "心理健康教师紧缺", "贵港市北城小学", "教师工作科", date(2022, 2, 25), Light.YELLOW, "已交办", "工作方案未报"),
)  # fmt: skip
LINE = LINES[0]
HANDLING = (Offer.PROGRESS, Offer.EXTEND, Offer.COMPLETE)
LOADS = (
    SectionLoad("安全保卫科", 6, 1, 1, 2),
    SectionLoad("后勤管理科", 4, 1),
    SectionLoad("教师工作科", 2, yellow=1),
)
SECTION = "安全保卫科"
RESULT = "已协调交警部门增设护学岗2个，校门两侧施划临时停车位12个，早晚高峰秩序明显改善。"
FIGURES = (Figure("在办", 12, 10), Figure("新收", 3, 5), Figure("超过时限", 2, 2), Figure("办结", 4))
SCHOOLS = (
    SchoolLine("贵港市东湖小学", "李明", "0775-4567001", "已催报2次"),
    SchoolLine("贵港市江北中学", None, None, "称已报送，经核对未收到"),
)


def news() -> dict[str, Letter]:
    extra: Mapping[News, Mapping[str, object]] = {
        News.SELECTED: {"instruction": "此问题涉及学生安全，务必本学期内解决。"},
        News.MEASURES: {
            "measures": (
                ("增设护学岗2个", "安全保卫科", date(2022, 2, 15)),
                ("施划临时停车位", "后勤管理科", None),
            )
        },
        News.RESULT: {"detail": RESULT},
        News.DECLINED: {"detail": "该事项属学校职权范围，请由学校研究解决。"},
        News.MERGED: {"detail": "ND-2022-003"},
        News.SUSPENDED: {"detail": "所需专项资金尚未下达。"},
        News.REOPENED: {"detail": "护学岗上周起又没有人值守。"},
        News.REASSIGNED: {"detail": "原承办科室职责调整。"},
        News.NOTICE: {
            "detail": "填报单位更正了所报内容：反馈层级由“市局相关科室”改为“市委教育工委书记、市局相关科室”"
        },
    }
    return {
        f"problem_news.{kind.value}": ProblemNews(
            to_name=SCHOOL, date=TODAY, number="ND-2022-013", code="K7Q4", news=kind, problem=LINE,
            reported_at=RECEIVED, session="QC-2022-01", **extra.get(kind, {}),  # type: ignore[arg-type]
        )
        for kind in News
    }  # fmt: skip


def to_schools() -> dict[str, Letter]:
    return {
        "visit_invitation": VisitInvitation(
            to_name=SCHOOL, date=TODAY, number="QC-2022-01", code="V2NM", session="QC-2022-01", problems=LINES[:2],
            day=date(2022, 1, 20), time="上午9:00", place="贵港市达观中学会议室",
            participants=("市委教育工委书记", "安全保卫科负责人", "达观中学党总支书记", "党员、群众教师代表"),
            attachments=("一线办理日程.ics",),
        ),
        "visit_invitation.secretary": VisitInvitation(
            to_name="书记同志", date=TODAY, number="QC-2022-01", code="V2NM", session="QC-2022-01",
            problems=LINES[:1], day=date(2022, 1, 26), time="下午3:00", place=SCHOOL, to_secretary=True,
            attachments=("一线办理日程.ics",),
        ),
        "visit_invitation.changed": VisitInvitation(
            to_name=SECTION, date=TODAY, number="QC-2022-01", code="V2NM", session="QC-2022-01", problems=LINES[:1],
            day=date(2022, 1, 21), changed=True,
        ),
        "callback": Callback(
            to_name=SCHOOL, date=TODAY, number="ND-2022-013", code="K7Q4", problem=LINE, result=RESULT,
            answer_by=date(2022, 1, 7),
        ),
        "statistics_opening": StatisticsOpening(
            to_name=SCHOOL, date=date(2021, 12, 21), number="TJ-2022-01", code="M3PX", covers=COVERS, due=DUE,
            prefilled=(Fact("填报单位", SCHOOL), Fact("党支部数", "3"), Fact("联系人", "覃小燕")),
            last_time=(Fact("举办次数", "2"), Fact("解决问题数量", "4")),
            attachments=("附件2 “难点问题书记一线办”开展情况统计表.xlsx", "附件2 “难点问题书记一线办”开展情况统计表.docx"),
        ),
        "statistics_opening.first": StatisticsOpening(
            to_name=SCHOOL, date=date(2021, 12, 30), number="TJ-2022-01", code="M3PX", covers=COVERS, due=DUE,
            without_platform=True, is_reminder=True,
        ),
        "statistics_reminder": StatisticsReminder(
            to_name=SCHOOL, date=date(2021, 12, 30), number="TJ-2022-01", code="M3PX", covers=COVERS, due=DUE,
            working_days_left=3,
        ),
        "statistics_reminder.correction": StatisticsReminder(
            to_name=SCHOOL, date=date(2021, 12, 30), number="TJ-2022-01", code="M3PX", covers=COVERS, due=DUE,
            working_days_left=3, awaiting_correction=True, without_platform=True,
        ),
        "statistics_chase.1": StatisticsChase(
            to_name=SCHOOL, date=date(2022, 1, 6), number="TJ-2022-01", code="M3PX", covers=COVERS, due=DUE, level=1,
        ),
        "statistics_chase.2": StatisticsChase(
            to_name=SCHOOL, date=date(2022, 1, 10), number="TJ-2022-01", code="M3PX", covers=COVERS, due=DUE, level=2,
            listed_on=date(2022, 1, 12), awaiting_correction=True,
        ),
    }  # fmt: skip


def to_the_secretary() -> dict[str, Letter]:
    listed = tuple(
        ListedProblem(
            order, line.number, line.unit, line.problem, "学校位于城区主干道，上下学时段车辆与学生混行，存在安全隐患。",
            "学校上报", "市委教育工委书记", "6所学校反映同类问题（均涉及校门口交通）；同类问题曾于ND-2021-004解决" if order == 1 else None,
        )
        for order, line in enumerate(LINES, 1)
    )  # fmt: skip
    on_session = {"date": TODAY, "number": "QC-2022-01", "code": "V2NM", "session": "QC-2022-01"}

    def problem_list(**changed: object) -> ProblemList:
        return ProblemList(
            to_name="书记同志", date=TODAY, number="QC-2022-01", code="V2NM", session="QC-2022-01", problems=listed,
            choose_by=date(2022, 1, 7), attachments=("QC-2022-01 难点问题清单.xlsx",), **changed,  # type: ignore[arg-type]
        )  # fmt: skip

    return {
        "problem_list": problem_list(),
        "problem_list.reminder": problem_list(reminder=True),
        "problem_list.doubt": problem_list(doubt="所选问题为3项，多于2项"),
        "decision_readback.secretary": DecisionReadback(
            to_name="书记同志", selected=LINES[:1], referred=LINES[1:], instruction="务必本学期内解决。", **on_session,  # type: ignore[arg-type]
        ),
        "decision_readback.office": DecisionReadback(
            to_name="工委办", selected=LINES[:2], instruction="务必本学期内解决。\n请安全保卫科牵头。", for_office=True,
            doubt="批示中未提及其余问题的办理方式，暂未转办", **on_session,  # type: ignore[arg-type]
        ),
        "secretary_brief": SecretaryBrief(
            to_name="书记同志", date=TODAY, figures=FIGURES, selected=LINES[:1], needs_secretary=LINES[2:],
            overdue=LINES[:1], closed=LINES[1:2],
        ),
    }  # fmt: skip


def to_sections() -> dict[str, Letter]:
    return {
        "assignment": Assignment(
            to_name=SECTION, date=TODAY, number="ND-2022-013", code="K7Q4", problem=LINE, facts=PROBLEM_FACTS,
            accept_by=date(2022, 1, 5), decline_by=date(2022, 1, 6), plan_by=date(2022, 1, 11), selected=True,
            assist_names=("后勤管理科",), instruction="务必本学期内解决。",
            attachments=("ND-2022-013 办理单.xlsx", "附件1 难点问题报告表.docx"),
        ),
        "assignment.assist": Assignment(
            to_name="后勤管理科", date=TODAY, number="ND-2022-013", code="K7Q4",
            problem=ProblemLine("ND-2022-013", "校门口上下学时段交通拥堵", SCHOOL),
            facts=(*PROBLEM_FACTS, Fact("由你科负责", "施划临时停车位（2022年2月15日前完成）")),
            accept_by=date(2022, 1, 5), decline_by=date(2022, 1, 6), lead=False, lead_name=SECTION,
        ),
        "assignment.reassigned": Assignment(
            to_name=SECTION, date=TODAY, number="ND-2022-013", code="K7Q4", problem=LINE, facts=PROBLEM_FACTS,
            accept_by=date(2022, 1, 5), decline_by=date(2022, 1, 6), reassigned_from="后勤管理科",
        ),
        "assignment.kept": Assignment(
            to_name=SECTION, date=TODAY, number="ND-2022-013", code="K7Q4", problem=LINE, facts=PROBLEM_FACTS,
            accept_by=date(2022, 1, 5), decline_by=date(2022, 1, 6), kept_because="校门口秩序属该科职责",
        ),
        "section_digest": SectionDigest(
            to_name=SECTION, date=TODAY, to_accept=LINES[1:2], due_soon=LINES[:1], progress_due=LINES[2:], in_hand=LINES[:1],
            offers=((Offer.ACCEPT, "ND-2022-014"), *((offer, "ND-2022-013") for offer in HANDLING)),
        ),
        **{
            f"section_chase.{level}": SectionChase(
                to_name=SECTION, date=TODAY, number="ND-2022-013", code="K7Q4", level=level, problems=LINES[: 4 - level],
                answer_by=date(2022, 1, 7), offers=tuple((offer, "ND-2022-013") for offer in (*HANDLING, Offer.REPORTED)),
            )
            for level in (1, 2, 3)
        },
        "section_chase.acceptance": SectionChase(
            to_name=SECTION, date=TODAY, number="ND-2022-013", code="K7Q4", level=1, problems=LINES[:1], answer_by=TODAY,
            offers=tuple((offer, "ND-2022-013") for offer in (Offer.ACCEPT, Offer.DECLINE, Offer.PROGRESS, Offer.REPORTED)),
        ),
        "section_chase.measure": SectionChase(
            to_name="后勤管理科", date=TODAY, number="ND-2022-013", code="K7Q4", level=1, problems=LINES[:1],
            answer_by=TODAY, offers=tuple((offer, "ND-2022-013") for offer in (Offer.MEASURE, Offer.SHEET, Offer.PROGRESS)),
        ),
        "extension_decision.granted": ExtensionDecision(
            to_name=SECTION, date=TODAY, number="ND-2022-013", code="K7Q4", problem=LINE, granted=True,
            asked_until=date(2022, 3, 30), deadline=date(2022, 3, 30),
        ),
        "extension_decision.refused": ExtensionDecision(
            to_name=SECTION, date=TODAY, number="ND-2022-013", code="K7Q4", problem=LINE, granted=False,
            asked_until=date(2022, 3, 30), deadline=date(2022, 3, 1), reason="开学前须完成。",
        ),
        "rework.school": Rework(
            to_name=SECTION, date=TODAY, number="ND-2022-013", code="K7Q4", problem=LINE, by_school=True,
            reason="护学岗尚未到位。", deadline=date(2022, 1, 18),
        ),
        "rework.office": Rework(
            to_name=SECTION, date=TODAY, number="ND-2022-013", code="K7Q4", problem=LINE, by_school=False,
            reason="停车位尚未施划。", deadline=date(2022, 1, 18),
        ),
        "inspection_finding": InspectionFinding(
            to_name=SECTION, date=TODAY, number="ND-2022-013", code="K7Q4", problem=LINE,
            finding="经现场查看，护学岗尚未到位。", rectify_by=date(2022, 1, 11), inspected_by="市教育局办公室",
        ),
        "mechanism_request": MechanismRequest(
            to_name=SECTION, date=TODAY, number="ND-2022-013", code="K7Q4", problem=LINE, result=RESULT,
            write_by=date(2022, 2, 8), attachments=("ND-2022-013 办理单.xlsx",),
        ),
    }  # fmt: skip


def to_the_offices() -> dict[str, Letter]:
    return {
        "assignment_sheet": AssignmentSheet(
            to_name="工委办", date=TODAY, number="QC-2022-01", code="V2NM", session="QC-2022-01", selected=LINES[:1],
            referred=LINES[1:], return_by=date(2022, 1, 6), instruction="务必本学期内解决。",
            attachments=("QC-2022-01 交办单.xlsx",),
        ),
        "assignment_sheet.reminder": AssignmentSheet(
            to_name="工委办", date=TODAY, number="QC-2022-01", code="V2NM", session="QC-2022-01", selected=LINES[:1],
            return_by=date(2022, 1, 6), reminder=True,
        ),
        "morning_brief": MorningBrief(
            to_name="工委办", date=TODAY, figures=FIGURES, new=LINES[1:], due_soon=LINES[1:2], overdue=LINES[:1],
            held=(HeldMail("第17号", "daguan2021@qq.com", "报送难点问题报告表", "发件邮箱不在通讯录中", RECEIVED),),
            sections=LOADS, returns=(Figure("已收齐", 41), Figure("待补正", 3), Figure("待核实", 1), Figure("未报", 15)),
            covers=COVERS, due=DUE, bounced=(SchoolLine("贵港市东湖小学", "donghu@example.cn", None, "邮箱不存在"),),
            failed=("催报信（贵港市江北中学）：邮箱已满，将继续重试",),
            skipped=("TJ-2022-01 第一次催报未发（12 件）：第二次催报已到期，不再补发第一次",),
        ),
        "morning_brief.quiet": MorningBrief(to_name="工委办", date=TODAY, figures=FIGURES),
        "missing_list": MissingList(
            to_name="工委办", date=date(2022, 1, 12), number="TJ-2022-01", code="M3PX", covers=COVERS, due=DUE,
            expected=60, missing=SCHOOLS, to_mend=SCHOOLS[:1], late=SCHOOLS[1:], bounced=SCHOOLS[:1],
            attachments=("TJ-2022-01 未报送单位名单.xlsx",),
        ),
        "rollup": Rollup(
            to_name="工委办", date=date(2022, 1, 12), number="TJ-2022-01", code="M3PX", covers=COVERS, due=DUE,
            expected=60, filed=58, missing=("贵港市东湖小学", "贵港市江北中学"), late=(SCHOOL,),
            figures=(
                Figure("党支部数", 182, 180), Figure("建立平台数", 61, 58), Figure("举办次数", 118, 121),
                Figure("解决问题数量", 203, 203),
            ),
            checks=(Mend("两个月内举办次数少于2次", "贵港市北城小学"),), attachments=("TJ-2022-01 汇总表.xlsx",),
        ),
        "rollup.again": Rollup(
            to_name="工委办", date=date(2022, 1, 14), number="TJ-2022-01", code="M3PX", covers=COVERS, due=DUE,
            expected=60, filed=59, figures=(Figure("党支部数", 185, 180),),
            changes=("新增贵港市东湖小学（迟报）：党支部3个，举办2次，解决问题1个",),
        ),
        "ledger": Ledger(to_name="工委办", date=TODAY, figures=FIGURES, as_of=RECEIVED, attachments=("难点问题台账.xlsx",)),
        "overdue_list": OverdueList(
            to_name="市教育局办公室", date=TODAY, problems=LINES[:2], sections=LOADS, attachments=("逾期清单.xlsx",)
        ),
        "circular_draft": CircularDraft(
            to_name="工委办", date=TODAY, number="TJ-2022-01", code="M3PX", title=CIRCULAR_TITLE,
            paragraphs=CIRCULAR_TEXT, recipients=64, frozen_at=RECEIVED, attachments=("通报.docx",),
        ),
        "circular": Circular(
            to_name="各市直学校、各科室", date=TODAY, number="TJ-2022-01", code="M3PX", title=CIRCULAR_TITLE,
            paragraphs=CIRCULAR_TEXT, attachments=("通报.docx", "通报数据.xlsx"),
        ),
        "alarm": Alarm(
            to_name="管理员", date=TODAY, what="收取邮件失败已持续30分钟", detail="imap.163.com 登录被拒绝：LOGIN Login error",
            remedy="请登录163邮箱网页版，核对“授权码”是否仍有效，更新密码文件后重新载入服务。", since=RECEIVED, host="djb-server",
        ),
    }  # fmt: skip


CIRCULAR_TITLE = "关于2021年11—12月“难点问题书记一线办”开展情况的通报"
CIRCULAR_TEXT = (
    "2021年11—12月，各市直学校认真落实“难点问题书记一线办”工作要求，共举办活动118次，解决问题203个。现将有关情况通报如下。",
    "一、总体情况。应报学校60所，按时报送57所，迟报1所，未报2所。",
    "二、存在问题。部分学校未按每月一次的要求开展活动，个别学校报送不及时。",
    "三、工作要求。请各校对照方案要求，常态化开展活动，按时报送数据。",
)


def samples() -> dict[str, Letter]:
    """Every kind of letter, and every variant, by name."""
    return {
        **receipts(),
        **held_notices(),
        **questions(),
        **news(),
        **to_schools(),
        **to_the_secretary(),
        **to_sections(),
        **to_the_offices(),
    }


def faults_of(templates: Templates) -> tuple[str, ...]:
    """What is wrong with the templates, in Chinese, one line a template; empty if all letters render."""
    faults: dict[str, None] = {}
    for letter in samples().values():
        try:
            templates.render(letter, LETTERHEAD)
        except Permanent as fault:
            faults[fault.message] = None
    return tuple(faults)
