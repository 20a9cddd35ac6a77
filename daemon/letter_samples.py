"""One invented letter of every kind and variant: `djb check` renders them all, tests compare them.

Each name is the letter's kind, with the variant after a dot where there is one.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime
from zoneinfo import ZoneInfo

from daemon.letters import (
    Answer,
    CorrectionRequest,
    Fact,
    Filed,
    FileNote,
    HeldNotice,
    HeldReason,
    Letter,
    Letterhead,
    Mend,
    Question,
    QuestionKind,
    Receipt,
    Returned,
    StatisticsReceipt,
)

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
        "receipt.corrected": Receipt(
            to_name=SCHOOL, date=date(2022, 1, 6), number="ND-2022-013", code="K7Q4",
            received_at=datetime(2022, 1, 6, 15, 5, tzinfo=ZONE), filed=(FILED_PROBLEM,), corrected=True, version=2,
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
            "facts": (Fact("来信邮箱", "gongweiban@example.cn"), Fact("指令", "催办 ND-2022-013"))
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


def samples() -> dict[str, Letter]:
    """Every kind of letter, and every variant, by name."""
    return {**receipts(), **held_notices(), **questions()}
