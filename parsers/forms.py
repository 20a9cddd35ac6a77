"""The forms as data: what is printed on them, how people rewrite it, and what must hold.

A new form is one entry in `FORMS`. Labels are compared without blanks, quotation marks and brackets;
a pattern recognises rewritten labels and must match the whole of what is left.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from functools import cached_property, lru_cache

from parsers.fields import compact
from parsers.values import FindingKind, Severity, Value


class Kind(StrEnum):
    """How a field's text becomes a value."""

    UNIT = "unit"
    PERSON = "person"
    CONTACT = "contact"
    """Names and phones in one text; fills contact_name and contact_phone."""
    NAME = "name"
    PHONE = "phone"
    DAY = "day"
    COUNT = "count"
    TEXT = "text"
    REMARK = "remark"
    LEVELS = "levels"
    SECTIONS = "sections"


@dataclass(frozen=True)
class Field:
    """One blank of a form."""

    name: str
    label: str
    """As printed, and as shown to people."""
    kind: Kind
    labels: tuple[str, ...] = ()
    """Other wordings, exact."""
    pattern: str = ""
    """Further wordings, as a regular expression over the compact label."""
    missing: Severity | None = Severity.ERROR
    """What its absence is; None if it may be blank."""
    needs_colon: bool = False
    """The label is too common a word to be recognised in running text without a colon behind it."""

    @cached_property
    def exact(self) -> frozenset[str]:
        return frozenset({bare_label(self.label), *self.labels})

    @cached_property
    def loose(self) -> re.Pattern[str] | None:
        return re.compile(self.pattern) if self.pattern else None


@dataclass(frozen=True)
class Rule:
    """Something that should hold within one item; `broken` says when it does not."""

    field: str
    text: str
    broken: Callable[[Mapping[str, Value]], bool]
    kind: FindingKind = FindingKind.INCONSISTENT
    severity: Severity = Severity.WARNING


@dataclass(frozen=True, eq=False)  # each kind is itself only: cheap as the key of a cache
class FormKind:
    """One form of the notice or of the office."""

    name: str
    title: str
    """Title as printed, for letters."""
    titles: re.Pattern[str]
    """Recognises the title line, compact."""
    annex: str
    """附件1: how people call it."""
    head: tuple[Field, ...]
    items_key: str
    item: tuple[Field, ...]
    signature: tuple[frozenset[str], ...]
    """Sets of item fields; a table that has labels for all of one set is this form."""
    key: str
    """The item field that names the item."""
    foreign: frozenset[str] = frozenset()
    """Column headings that show that the table is another document, such as our own workbooks."""
    rules: tuple[Rule, ...] = ()
    summed: tuple[str, ...] = ()
    """Count fields that a 合计 row adds up."""
    unique: str | None = None
    """Item field that must not occur twice."""

    def field(self, name: str) -> Field:
        return next(field for field in (*self.head, *self.item) if field.name == name)


PARTING = re.compile(r"\([^()]*\)")
LABEL_NOISE = str.maketrans("", "", ":;。.*★※#“”\"'‘’「」《》〈〉<>_、,/ \t\n")


@lru_cache(maxsize=4096)
def bare_label(text: str) -> str:
    """A label for comparing: compact, without brackets, numbering and punctuation."""
    plain = PARTING.sub("", compact(text)).translate(LABEL_NOISE)
    return re.sub(
        r"^(?:[一二三四五六七八九十]|\d{1,2}|[(（][一二三四五六七八九十\d]+[)）])(?=[^\d一二三四五六七八九十年月个])",
        "",
        plain,
    )


# ---------------------------------------------------------------- the head of every form

REPORTING_UNIT = Field(
    "reporting_unit",
    "填报单位",
    Kind.UNIT,
    labels=("填报学校", "报送单位", "报送学校", "上报单位", "上报学校", "填表单位", "报告单位", "申报单位", "填报部门", "反映单位", "呈报单位",
            "填报单位名称", "填报学校名称", "填报单位全称", "所在单位", "所在学校", "党组织", "党组织名称", "党组织全称", "基层党组织", "基层党组织名称", "学校党组织", "学校党组织名称", "单位", "学校", "单位名称", "学校名称", "单位全称", "学校全称"),
    pattern=r"(?:填报|报送|上报|填表|报告|申报|呈报|填写)(?:单位|学校|部门|党组织|党支部)(?:名称|全称)?",
)  # fmt: skip
PRINCIPAL = Field(
    "principal",
    "主要负责人签字",
    Kind.PERSON,
    labels=("主要负责人", "负责人", "校长", "园长", "书记", "校长签字", "校长签名", "书记签字", "园长签字", "领导签字", "主管领导", "法定代表人", "法人代表", "负责同志", "分管领导", "责任人"),
    pattern=r"(?:(?:填报)?单位|学校|党组织|党委|党总支|党支部)?(?:主要|党政)*(?:负责人|领导|负责同志|书记|校长|园长)(?:书记|校长)?(?:签字|签名|签章|审核|审签|姓名|签)?",
    missing=Severity.WARNING,
)  # fmt: skip
CONTACT = Field(
    "contact",
    "联系人及电话",
    Kind.CONTACT,
    pattern=r"(?:联系人|经办人|填报人|填表人|联络人|联络员|制表人|报送人|联系)(?:员)?(?:姓名)?(?:及|和|与|以及|加|\||-)*(?:其)?(?:联系|办公|手机|移动)*(?:电话|方式|手机|号码|号)+",
)
CONTACT_NAME = Field(
    "contact_name",
    "联系人",
    Kind.NAME,
    labels=("经办人", "联络人", "联络员", "联系人员"),
    pattern=r"(?:联系人|经办人|联络人|联络员)(?:姓名|签字|签名)?",
)
FILLER = Field("filler", "填表人", Kind.NAME, pattern=r"(?:填报人|填表人|制表人|报送人)(?:姓名|签字|签名)?")
"""Who filled the form in: the contact only where nobody else is named as such."""
CONTACT_PHONE = Field(
    "contact_phone",
    "联系电话",
    Kind.PHONE,
    labels=(
        "电话",
        "手机",
        "手机号",
        "手机号码",
        "电话号码",
        "联系方式",
        "办公电话",
        "固定电话",
        "座机",
        "移动电话",
        "联系手机",
    ),
    pattern=r"(?:联系|办公|移动|固定|手机|值班)*(?:电话|手机|方式|座机)(?:号码?)?",
)
REPORTED_ON = Field(
    "reported_on",
    "填报时间",
    Kind.DAY,
    labels=(
        "填报日期",
        "填表时间",
        "填表日期",
        "上报时间",
        "上报日期",
        "报送时间",
        "报送日期",
        "报告时间",
        "统计时间",
        "统计日期",
        "时间",
        "日期",
    ),
    pattern=r"(?:填报|填表|上报|报送|报告|统计|填写|制表)(?:的)?(?:时间|日期|年月日)",
    missing=Severity.WARNING,
)

REMARKS = Field(
    "remarks",
    "备注",
    Kind.REMARK,
    labels=(
        "备注栏",
        "附注",
        "备注说明",
        "其他",
        "其它",
        "其他说明",
        "其他情况",
        "补充说明",
        "情况备注",
        "备考",
        "说明",
        "备注情况",
    ),
    missing=None,
)

# ---------------------------------------------------------------- 附件1

PROBLEM_REPORT = FormKind(
    name="problem_report",
    title="难点问题报告表",
    titles=re.compile(r".*(?:难点|难题|问题)(?:问题)?(?:情况)?(?:报告|上报|填报|报送|申报|反映|征集)(?:登记|统计|情况)?表(?:\(.*\))?"),
    annex="附件1",
    head=(REPORTING_UNIT, PRINCIPAL, CONTACT, CONTACT_NAME, CONTACT_PHONE),
    items_key="problems",
    item=(
        Field(
            "problem",
            "难点问题",
            Kind.TEXT,
            labels=("问题", "难点", "难题", "事项"),
            pattern=r"(?:存在|面临|反映|工作|办学|教学|突出|上报|主要|需解决|急需解决|需要解决|亟需解决|需协调解决|具体|学校|本校|我校)*(?:的)?(?:难点|难题|问题|困难)+(?:问题|难题|困难)*(?:名称|标题|题目|简述|概述|事项|清单|类别)?[一二三四五六七八九十\d]{0,2}",
        ),
        Field(
            "details",
            "具体内容及诉求",
            Kind.TEXT,
            labels=("诉求", "内容", "情况", "描述", "建议", "意见建议", "意见和建议", "意见与建议"),
            pattern=r"(?:难点|问题|难题)*(?:的)?(?:具体|详细|主要|基本|有关|简要)*(?:内容|情况|描述|说明|现状|表现)+(?:介绍|描述|说明)*(?:及|和|与|以及|、|,|/)*(?:有关|工作|相关|具体|主要|学校|解决|意见|建议)*(?:诉求|建议|请求|意见|需求|要求)*(?:事项)?|(?:具体|主要|突出)?(?:难点|难题)?问题(?:及|和|与|、)(?:有关|相关|具体|主要|解决)*(?:诉求|建议|需求|请求|意见)(?:建议)?|(?:具体|主要|工作|学校|相关)*(?:诉求|需求|请求)(?:及|和|与|、)?(?:建议|意见|事项|内容)*(?:及|和|与)?(?:具体)?(?:内容|情况|说明)?",
        ),
        Field(
            "levels",
            "反馈层级",
            Kind.LEVELS,
            labels=("层级", "反馈", "级别", "反馈对象", "反馈单位", "反馈部门", "反馈层面"),
            pattern=r".{0,8}(?:层级|层次)(?:选择)?|反馈.{0,4}科室|(?:需|拟|请|问题)?(?:反馈|报送|上报|反映|提交|解决|协调|提请)(?:的)?(?:至|到)?(?:层级|级别|层面|对象|层次)(?:选择)?",
        ),
        Field(
            "sections",
            "具体科室",
            Kind.SECTIONS,
            labels=("涉及科室", "责任科室", "科室名称", "对应科室", "承办科室", "科室", "需配合科室", "配合科室"),
            missing=None,
        ),
        REMARKS,
    ),
    signature=(
        frozenset({"problem", "details"}),
        frozenset({"problem", "levels"}),
        frozenset({"details", "levels"}),
    ),
    key="problem",
    foreign=frozenset({"书记意见", "办理方式", "牵头科室", "协办科室", "办结时限", "同类情况", "任务措施", "整改措施", "整改时限", "责任部门", "责任领导"}),
)  # fmt: skip

# ---------------------------------------------------------------- 附件2


def _number(item: Mapping[str, Value], name: str) -> int | None:
    value = item.get(name)
    return value if isinstance(value, int) else None


def _few_sessions(item: Mapping[str, Value]) -> bool:
    held = _number(item, "sessions_held")
    return held is not None and held < 2


def _solved_without_session(item: Mapping[str, Value]) -> bool:
    return _number(item, "sessions_held") == 0 and (_number(item, "problems_solved") or 0) > 0


def _too_many_platforms(item: Mapping[str, Value]) -> bool:
    platforms, branches = _number(item, "platforms"), _number(item, "party_branches")
    return platforms is not None and branches is not None and platforms > branches + 1


def _improbable(name: str, limit: int) -> Callable[[Mapping[str, Value]], bool]:
    return lambda item: (_number(item, name) or 0) > limit


STATISTICS = FormKind(
    name="statistics",
    title="“难点问题书记一线办”开展情况统计表",
    titles=re.compile(
        r".*(?:开展|活动|工作|举办)?情况(?:统计|汇总|填报|报送|报)表?(?:\(.*\))?|.*一线办.*统计表(?:\(.*\))?"
    ),
    annex="附件2",
    head=(REPORTING_UNIT, REPORTED_ON, CONTACT, CONTACT_NAME, CONTACT_PHONE),
    items_key="rows",
    item=(
        Field(
            "unit",
            "单位名称",
            Kind.UNIT,
            labels=(
                "单位",
                "学校",
                "学校名称",
                "校区",
                "名称",
                "填报单位",
                "单位全称",
                "学校全称",
                "校名",
                "单位学校",
                "学校单位",
            ),
            pattern=r"(?:单位|学校|校区|党组织)(?:名称|全称)?",
        ),
        Field(
            "party_branches",
            "党支部数",
            Kind.COUNT,
            pattern=r"(?!.*(?:平台|次数|解决|书记一线办)).*(?:支部|党组织)(?:总|个)?(?:数量?|数目|个数|情况)|党?支部",
        ),
        Field(
            "platforms",
            "建立“难点问题书记一线办”党建工作平台数",
            Kind.COUNT,
            pattern=r"(?!.*(?:次数|期数|场次|解决.*数)).*平台(?:总|个|建设|建立|搭建)*(?:数量?|数目|个数|情况)|(?:已?建立|建设|搭建).{0,20}平台|(?:党建)?(?:工作)?平台",
        ),
        Field(
            "sessions_held",
            "“难点问题书记一线办”举办次数",
            Kind.COUNT,
            labels=("举办", "开展"),
            pattern=r"(?!.*(?:解决.*数|平台数|上期|累计|计划)).*(?:次数|期数|场次|场数|(?:举办|开展|活动)(?:活动)?(?:数量?|情况))",
        ),
        Field(
            "problems_solved",
            "解决问题数量",
            Kind.COUNT,
            pattern=r"(?!.*(?:次数|未解决|待解决|正在解决|尚未|上期|累计)).*(?:解决|办结|化解).{0,8}(?:数量?|数目|个数|件数|情况)|已?(?:解决|办结|化解)(?:的)?(?:难点|难题)?问题",
        ),
        REMARKS,
    ),
    signature=(
        frozenset({"party_branches", "platforms", "sessions_held"}),
        frozenset({"party_branches", "platforms", "problems_solved"}),
        frozenset({"party_branches", "sessions_held", "problems_solved"}),
        frozenset({"platforms", "sessions_held", "problems_solved"}),
    ),
    key="unit",
    foreign=frozenset({"版本", "收到时间", "是否报送", "报送情况"}),
    rules=(
        Rule("sessions_held", "两个月内举办次数少于2次（方案要求每月开展一次）", _few_sessions),
        Rule("problems_solved", "举办次数为0，但填有解决问题数量", _solved_without_session),
        Rule("platforms", "平台数多于党支部数加1，请核对", _too_many_platforms),
        Rule("party_branches", "党支部数过大，请核对", _improbable("party_branches", 200)),
        Rule("platforms", "平台数过大，请核对", _improbable("platforms", 200)),
        Rule("sessions_held", "举办次数过大，请核对", _improbable("sessions_held", 200)),
        Rule("problems_solved", "解决问题数量过大，请核对", _improbable("problems_solved", 500)),
    ),
    summed=("party_branches", "platforms", "sessions_held", "problems_solved"),
    unique="unit",
)

# ---------------------------------------------------------------- the office's register of clues

CLUE_REGISTER = FormKind(
    name="clue_register",
    title="问题线索登记表",
    titles=re.compile(r".*线索(?:登记|汇总|统计|收集)?(?:表|簿|台账)(?:\(.*\))?"),
    annex="问题线索登记表",
    head=(),
    items_key="rows",
    item=(
        Field("source", "来源", Kind.TEXT, labels=("问题来源", "线索来源", "来源渠道", "渠道")),
        Field("unit", "反映单位", Kind.UNIT, labels=("涉及单位", "单位", "学校", "涉及学校", "反映学校", "相关单位", "被反映单位"), missing=None),
        Field("problem", "难点问题", Kind.TEXT, labels=("问题", "线索", "问题线索", "问题名称", "反映问题", "难点")),
        Field("details", "具体内容及诉求", Kind.TEXT, labels=("具体内容", "内容", "诉求", "内容及诉求", "具体情况", "线索内容"), missing=None),
        Field("received_on", "收到日期", Kind.DAY, labels=("收到时间", "登记日期", "登记时间", "接收日期", "接收时间", "来件日期", "日期"), missing=Severity.WARNING),
        REMARKS,
    ),
    signature=(frozenset({"source", "problem", "received_on"}), frozenset({"source", "unit", "problem"})),
    key="problem",
    foreign=frozenset({"反馈层级", "书记意见", "办理方式", "牵头科室"}),
)  # fmt: skip

FORMS: tuple[FormKind, ...] = (PROBLEM_REPORT, STATISTICS, CLUE_REGISTER)
BY_NAME: Mapping[str, FormKind] = {form.name: form for form in FORMS}

HEAD_FIELDS: tuple[Field, ...] = (
    CONTACT,
    REPORTING_UNIT,
    REPORTED_ON,
    PRINCIPAL,
    CONTACT_NAME,
    FILLER,
    CONTACT_PHONE,
)
"""Every field that a head may have, the longer labels first."""

# ---------------------------------------------------------------- words that are printed, or are no data

NOTE_START = re.compile(
    r"^(?:[*※★])?(?:填表|填报|填写|备注|注意|有关)?(?:说明|注|须知|要求|注意事项)[:：](?=.{0,3}[(（]?[1一①⑴]|.*(?:工委办|填报|报送|此表|本表))|^[(（]?\d[)）、.]?\s*(?:此表|本表|各市直学校如有)|^(?:此表|本表)(?:由|每|一式)|^各市直学校如有需要"
)
"""Begins the printed 说明, which names the office's own contact."""
OFFICE_LINE = re.compile(r"djb3916|4573916|报送至?工委办")
TOTAL = re.compile(
    r"^(?:合计|总计|小计|共计|累计|总数|合计数|总和|汇总|合计[::].*|.{0,12}(?:合计|总计|小计)|(?i:total|sum))(?:\([^()]*\))?[::]?$"
)
EXAMPLE = re.compile(
    r"^(?:填写)?(?:示例|样例|范例)|^(?:填写)?(?:例子|例|举例|例如|如|样表|模板|示范|参考)(?:\d|[:：(（]|$|填写|(?:行|数据)$)|[(（](?:示例|样例|例|例如|范例|填写示例|举例)[)）:：]|^[xX×＊*○〇某]{2,}(?:学校|中学|小学|幼儿园|高中|学院|单位)|^(?:贵港市)?(?:[xX×＊*○〇]{1,}|某某?)(?:第.)?(?:学校|中学|小学|幼儿园|高中|学院|单位)"
)
SAMPLE_ROW = re.compile(
    r"[(（【\[]?(?:填写|填报)?(?:示例|样例|范例|举例|例子?)(?:数据|行|[,，、;；].{0,12})?[)）】\]]?[。.]?"
)
"""A cell that marks its whole row as a sample."""
PROMPT = re.compile(
    r"[xX×*○〇…·.。?!-]{2,}(?:[(].*[)])?|[xX×*]|[xX×*○]{2,}年[xX×*○]{1,2}月.*"
    r"|[(【\[]?(?:(?:单击|点击|或)+(?:此处|这里)?|请(?:在)?(?:此处|这里|此)?|(?:在)?(?:此处|这里|此)|(?<=[(【\[]))"
    r"(?:输入|填写|键入|填入|录入|注明|列出)[^,。;]{0,16}[)】\]]?[。.…]*"
    r"|[(【\[]?(?:待补充|待填写?|待定|暂缺|此处略|从略|略|具体内容略)[)】\]]?[。.]?"
)
"""A text that only asks for one: 单击此处输入文字, （请填写）, ×××, 待补充."""
NUMBER_HEADINGS = frozenset({"序号", "编号", "序", "No", "no", "NO", "号"})
INSTRUCTION_SHEET = re.compile(r"说明|示例|样例|样表|范例|须知|字典|下拉|数据源|填写指南")
