"""The sample town of `djb demo`: invented schools, sections and an office, with their addresses."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from daemon.model import Unit, UnitKind

MAILBOX = "djb3916@163.com"
PASSWORD = "demo"  # noqa: S105 (opens nothing but the demo's own loopback servers)
STRANGER = "xuejian1980@qq.test"
CLERK = "gongweiban@guigang.test"
SECRETARY = "shuji@guigang.test"

_SCHOOLS = (
    ("达观中学", "达中", "高红梅", "马嘉慧"),
    ("木格实验学校", "木格学校", "何德胜", "孙德宁"),
    ("榕湖小学", "榕小", "朱倩", "周锦文"),
    ("第三十一中学", "三十一中", "朱雅婷", "胡红"),
    ("滨江职业技术学校", "滨江职校", "胡泽宇", "何倩"),
    ("糖厂路小学", "糖小", "马月", "高倩"),
    ("仁爱特殊教育学校", "仁爱特校", "周光", "林月"),
    ("星河幼儿园", "星河园", "林晓琳", "胡锦"),
    ("观音阁小学", "观小", "罗芳", "周红"),
    ("翰林高级中学", "翰林高中", "高晓琳", "何家豪"),
    ("蓝天幼儿园", "蓝天园", "郭家豪", "朱泽"),
    ("平南街小学", "平小", "徐卫", "朱健"),
    ("清泉中学", "清泉", "胡卫", "徐光"),
    ("建筑工程学校", "建工校", "马芷晴", "何淑"),
    ("荷城中学", "荷中", "韦清", "覃露"),
    ("东湖小学", "东小", "黄宁", "梁静"),
    ("西江高级中学", "西江高中", "陆川", "莫言礼"),
    ("覃塘路小学", "覃小", "苏明", "甘霖"),
)
_SECTIONS = (
    ("基础教育科", "基教科", "陈立"),
    ("安全稳定科", "安稳科", "李安"),
    ("计划财务科", "计财科", "钱明"),
    ("人事科", "人事", "赵任"),
    ("基本建设科", "基建科", "石磊"),
    ("体育卫生与艺术教育科", "体卫艺科", "方圆"),
    ("职业教育与成人教育科", "职成科", "江河"),
    ("党建工作办公室", "党建办", "党正"),
)
_OFFICES = (
    (UnitKind.SECRETARY, "书记", SECRETARY),
    (UnitKind.COMMITTEE_OFFICE, "钟文", CLERK),
    (UnitKind.BUREAU_OFFICE, "杜办", "juban@guigang.test"),
    (UnitKind.COMMITTEE, "教育工委", "gongwei@guigang.test"),
)


def school_name(index: int) -> str:
    return f"贵港市{_SCHOOLS[index][0]}"


def school_address(index: int) -> str:
    return f"school{index + 1:02d}@school.test"


def contact_of(index: int) -> tuple[str, str]:
    """Name and telephone of a school's contact."""
    return _SCHOOLS[index][3], f"1390000{index + 1:04d}"


def units() -> list[Unit]:
    """The town's directory, in its order."""
    schools = [
        Unit(
            0,
            UnitKind.SCHOOL,
            school_name(index),
            (name, short),
            head=head,
            head_addresses=(f"secretary{index + 1:02d}@school.test",),
            contact=contact,
            phone=contact_of(index)[1],
            addresses=(school_address(index),),
        )
        for index, (name, short, head, contact) in enumerate(_SCHOOLS)
    ]
    sections = [
        Unit(
            0,
            UnitKind.SECTION,
            name,
            (short,),
            head=head,
            head_addresses=(f"head{index + 1:02d}@guigang.test",),
            addresses=(f"section{index + 1:02d}@guigang.test",),
        )
        for index, (name, short, head) in enumerate(_SECTIONS)
    ]
    offices = [
        Unit(0, kind, kind.chinese, head=person, head_addresses=(address,), addresses=(address,))
        for kind, person, address in _OFFICES
    ]
    return [replace(unit, order=order) for order, unit in enumerate([*schools, *sections, *offices])]


def people() -> dict[str, str]:
    """Everybody with a mailbox, and the password to it."""
    addresses: Iterable[str] = (address for unit in units() for address in unit.all_addresses)
    return dict.fromkeys((MAILBOX, STRANGER, *addresses), PASSWORD)
