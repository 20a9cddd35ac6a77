"""What a person orders in the first lines of a reply; doubtful words order nothing.

`orders` knows the words of each role (product.md, "Replies people give"). A word counts only at the
beginning of a line, after greetings, and only if it stands alone: “同意” orders, “同意见” does not.
Everything that is not certain becomes `Unclear` with the reason, for a person to read.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, time
from enum import StrEnum
from functools import cache
from itertools import product

from parsers.orders import (
    Accept,
    Agree,
    AlreadyReported,
    Amend,
    Amendment,
    Archive,
    AskProcedure,
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
    Orders,
    Plan,
    Progress,
    Rate,
    ReferRest,
    RegisterAs,
    Resume,
    Role,
    RollUp,
    Satisfaction,
    Select,
    Suspend,
    Target,
    Unclear,
    Withdraw,
    Yes,
)


class Takes(StrEnum):
    """What may follow a command word."""

    NOTHING = "nothing"
    """The end, or a remark after a comma that takes nothing back."""
    TEXT = "text"
    """A reason or a result; may be empty."""
    NEEDED_TEXT = "needed_text"
    NAME = "name"
    """A name, with or without a colon before it."""
    NUMBER = "number"
    """A number of ours, with or without a colon before it."""
    DAY = "day"
    """A day, then a reason."""


Make = Callable[[Target, str | None], Order]


@dataclass(frozen=True, slots=True)
class Word:
    """One command with its synonyms."""

    synonyms: tuple[str, ...]
    takes: Takes
    make: Make
    needs_number: bool = False
    """Whether the order must name the problem, because a slip would strike the wrong one."""


def _with(kind: Callable[..., Order], name: str, **fixed: object) -> Make:
    return lambda target, text: kind(target=target, **{name: text}, **fixed)


def _bare(kind: Callable[..., Order], **fixed: object) -> Make:
    return lambda target, text: kind(target=target, remark=text, **fixed)


def _merge(target: Target, text: str | None) -> Order:
    return MergeInto(target=target, into=text or "")


# --- the words ---------------------------------------------------------------------------------

AGREE = Word(
    (
        *("同意", "同意办结", "同意结案", "同意延期", "同意延期申请", "同意登记", "同意受理", "同意转办"),
        *(
            "同意办理",
            "同意撤回",
            "同意归档",
            "同意印发",
            "同意通报",
            "同意发布",
            "同意发送",
            "发送",
            "印发",
            "可以",
            "准予",
            "批准",
        ),
    ),
    Takes.NOTHING,
    _bare(Agree),
)
DISAGREE = Word(
    (
        *("不同意", "暂不同意", "不予同意", "不批准", "不准予", "不可以", "不同意办结", "不同意延期"),
        *("暂不同意办结", "暂不同意延期", "不同意印发", "不同意通报", "不同意登记", "不同意撤回"),
    ),
    Takes.TEXT,
    _with(Disagree, "reason"),
)
CONFIRM = Word(("确认", "确认无误", "核对无误", "确认执行", "确定"), Takes.NOTHING, _bare(Confirm))
ALREADY_REPORTED = Word(
    (
        *("已报", "已上报", "已报送", "已报过", "已报了", "已经报过", "已经上报", "已经报送", "已经报了"),
        *("已填报", "已提交", "之前已报", "早已报送"),
    ),
    Takes.NOTHING,
    _bare(AlreadyReported),
)

OFFICE_WORDS = (
    AGREE,
    DISAGREE,
    CONFIRM,
    Word(("是", "是的", "对", "对的", "正确", "没错", "属实", "yes"), Takes.NOTHING, _bare(Yes)),
    Word(("否", "不是", "不对", "不属实", "no"), Takes.TEXT, _with(No, "reason")),
    Word(("登记为", "登记成", "登记到", "单位为"), Takes.NAME, _with(RegisterAs, "unit")),
    Word(("并入", "并案到", "并案至", "合并到", "合并至", "并到"), Takes.NUMBER, _merge),
    Word(("不予受理", "不受理", "不予登记"), Takes.TEXT, _with(DeclineProblem, "reason")),
    Word(
        ("时限定为", "办结时限定为", "时限改为", "办结时限改为", "延期至", "延至"),
        Takes.DAY,
        _with(Extend, "reason"),
    ),
    Word(
        (
            *(
                f"{what}{to}"
                for what in ("", "时间", "日期", "一线办理时间")
                for to in ("改到", "改为", "改至", "改在")
            ),
            *(
                "改期到",
                "改期至",
                "定在",
                "定于",
                "安排在",
                "时间定为",
                "一线办理时间定为",
                "推迟到",
                "提前到",
            ),
        ),
        Takes.DAY,
        _with(Extend, "reason"),
    ),
    Word(("开期", "开启新一期", "启动新一期", "新开一期", "开新一期"), Takes.NOTHING, _bare(OpenSession)),
    Word(("汇总", "生成汇总", "生成汇总表", "重新汇总"), Takes.NOTHING, _bare(RollUp)),
    Word(("催办",), Takes.NOTHING, _bare(Chase), needs_number=True),
    Word(("通报", "印发通报", "起草通报"), Takes.NOTHING, _bare(Circulate)),
    Word(("挂账", "挂帐", "暂缓办理"), Takes.TEXT, _with(Suspend, "reason")),
    Word(("恢复办理",), Takes.NOTHING, _bare(Resume)),
    Word(("归档", "予以归档"), Takes.NOTHING, _bare(Archive)),
    Word(("全程办理", "按一线办理程序办理"), Takes.NOTHING, _bare(AskProcedure)),
)
SECTION_WORDS = (
    Word(("签收", "已签收", "予以签收", "确认签收"), Takes.NOTHING, _bare(Accept)),
    Word(("退回", "申请退回", "退件"), Takes.TEXT, _with(DeclineAssignment, "reason")),
    Word(
        ("方案", "工作方案", "办理方案", "方案见附件", "方案如下", "工作方案如下", "工作方案见附件"),
        Takes.TEXT,
        _with(Plan, "text"),
    ),
    Word(
        ("进展", "办理进展", "进展情况", "办理进展情况", "进展如下", "进展情况如下"),
        Takes.NEEDED_TEXT,
        _with(Progress, "text"),
    ),
    Word(
        ("延期至", "延期到", "申请延期至", "申请延期到", "延至", "延期"),
        Takes.DAY,
        _with(Extend, "reason"),
    ),
    Word(("办结", "已办结", "办理完毕", "已办理完毕", "申请办结"), Takes.TEXT, _with(Complete, "result")),
    ALREADY_REPORTED,
)
SCHOOL_WORDS = (
    Word(
        ("满意", "非常满意", "很满意", "十分满意"),
        Takes.NOTHING,
        _bare(Rate, satisfaction=Satisfaction.SATISFIED),
    ),
    Word(
        ("基本满意", "比较满意", "较满意"),
        Takes.NOTHING,
        _bare(Rate, satisfaction=Satisfaction.MOSTLY_SATISFIED),
    ),
    Word(
        ("不满意", "不太满意", "很不满意", "非常不满意", "不够满意", "暂不满意", "还不满意", "不很满意"),
        Takes.TEXT,
        _with(Rate, "reason", satisfaction=Satisfaction.DISSATISFIED),
    ),
    Word(
        ("撤回", "申请撤回", "请撤回", "撤销", "撤回该问题", "撤回此问题", "申请撤回该问题"),
        Takes.TEXT,
        _with(Withdraw, "reason"),
    ),
    ALREADY_REPORTED,
)
BUREAU_OFFICE_WORDS = (
    AGREE,
    DISAGREE,
    CONFIRM,
    Word(
        ("督查", "督查情况", "督察", "督查发现"),
        Takes.NEEDED_TEXT,
        _with(Inspect, "text"),
        needs_number=True,
    ),
)
WORDS: Mapping[Role, tuple[Word, ...]] = {
    Role.SECRETARY: (),
    Role.COMMITTEE_OFFICE: OFFICE_WORDS,
    Role.SECTION: SECTION_WORDS,
    Role.SCHOOL: SCHOOL_WORDS,
    Role.BUREAU_OFFICE: BUREAU_OFFICE_WORDS,
}

OPPOSED: tuple[tuple[type[Order], type[Order]], ...] = (
    (Agree, Disagree),
    (Agree, No),
    (Agree, DeclineProblem),
    (Yes, No),
    (Yes, Disagree),
    (Confirm, Disagree),
    (Confirm, No),
    (RegisterAs, No),
    (RegisterAs, DeclineProblem),
    (Accept, DeclineAssignment),
    (Complete, DeclineAssignment),
    (Complete, Extend),
    (Suspend, Resume),
    (Withdraw, Rate),
    (Withdraw, Amend),
)

# Labels of both forms as schools write them: field of the form -> spellings.
COUNT_LABELS: Mapping[str, tuple[str, ...]] = {
    "party_branches": ("党支部数", "党支部数量", "支部数", "党支部个数", "党支部"),
    "platforms": (
        *("建立“难点问题书记一线办”党建工作平台数", "建立平台数", "平台数", "平台数量", "党建工作平台数"),
        *("“难点问题书记一线办”党建工作平台数", "工作平台数"),
    ),
    "sessions_held": ("举办次数", "“难点问题书记一线办”举办次数", "举办期数", "开展次数", "活动次数"),
    "problems_solved": ("解决问题数量", "解决问题数", "解决数量", "解决问题个数"),
}
TEXT_LABELS: Mapping[str, tuple[str, ...]] = {
    "reporting_unit": ("填报单位", "上报单位"),
    "principal": ("主要负责人", "主要负责人签字", "负责人"),
    "contact_name": ("联系人", "联系人姓名"),
    "contact_phone": ("联系电话", "联系人电话", "电话", "手机", "手机号"),
    "unit": ("单位名称", "单位"),
    "problem": ("难点问题", "问题名称"),
    "details": ("具体内容及诉求", "具体内容", "内容及诉求", "诉求"),
    "levels": ("反馈层级", "层级"),
    "sections": ("相关科室", "具体科室", "市局相关科室", "科室"),
    "reported_on": ("填报时间", "填报日期"),
    "remarks": ("备注",),
}
LEVELS: Mapping[str, str] = {"书记": "secretary", "科室": "section"}

GREETINGS = (
    r"[^\s,。:;!]{0,10}?(?:您|你|您们|你们|大家|领导|老师|主任|科长|书记|同志|校长)(?:上午|下午|早上|晚上|中午)?好",
    r"(?:上午|下午|早上|晚上|中午)好",
    r"尊敬的[^,。:;!]{1,20}",
    r"敬启者|各位领导|各位老师|工委办|市?教育局|教育工委|局办公室",
    r"(?:来信|来函|来件|邮件|通知|回访)?(?:均)?(?:已)?(?:收悉|收到了?)",
    r"好的?|嗯|哦|谢谢[您你]?|感谢[^,。:;!]{0,12}|辛苦了?|打扰了|不好意思",
    r"现?(?:将)?(?:有关情况)?(?:兹)?(?:回复|答复)(?:如下)?",
    r"经(?:会议|领导|集体)?(?:研究|请示|核实|核对|核查|审核|查|领导同意)",
    r"我校|我科室?|我办|我单位|我们(?:学校|科室?)?|我|本校|本科室?|本办|本单位",
    r"对(?:该|此|本|这个)?(?:问题)?的?(?:办理)?(?:结果|情况)(?:表示)?|表示",
)
"""What people write before the word that counts; it orders nothing and is passed over."""

LEAD_IN = re.compile(rf"^(?:(?:{'|'.join(GREETINGS)})[\s,。:;!~、]*)+")
POLITE_WORDS = (
    r"谢谢[^,。;!]{0,10}|感谢[^,。;!]{0,20}|多谢|辛苦了?|此致|敬礼|顺祝[^,。;!]{0,10}|祝[^,。;!]{0,12}",
    r"特此(?:回复|答复|说明|报告)|以上|收到|好的?|麻烦[您你]?了?|打扰了|请查收|请审阅|请知悉",
)
POLITE = re.compile(rf"^[\s,。:;!~]*(?:(?:{'|'.join(POLITE_WORDS)})[\s,。:;!~]*)+$")
COURTESIES = (
    r"(?:各位|尊敬的)?(?:领导|老师|主任|科长|书记|同志|校长|工委办|贵办|大家|您|你|你们|您们)?(?:们)?(?:上午|下午|早上|晚上|中午)?好",
    r"(?:我校|我科室?|我办|我单位|我们(?:学校|科室?)?|我|本校|本科室?|本单位)?(?:已经|均已|业已|已|均)?(?:收到|收悉|知悉|知晓|知道|了解|明白|阅悉|阅知|签阅)",
    r"(?:来信|来函|邮件|通知|回执|通报|信件|文件)(?:均|都)?(?:已经|已)?(?:收到|收悉|知悉)|了|啦",
    r"(?:非常|十分|万分|衷心|多|深表)?(?:感谢|谢谢|多谢|致谢|谢)(?:您|你|你们|您们|贵办|工委办|办公室|教育局|领导|老师|各位|大家|同志|们|对|我校|我科|工作|的"
    r"|关心|关怀|支持|帮助|指导|提醒|告知|通知|回复|答复|理解|重视|配合|和|与|、)*",
    r"(?:大家|您|你们?|领导|老师)?辛苦(?:您|你们?|大家)?|麻烦(?:您|你们?|大家)|打扰|不客气|不用谢|费心",
    r"(?:顺)?祝(?:您|你们?|各位|大家)?(?:工作|身体|一切|万事|节日|新年|元旦|春节|周末)?(?:顺利|愉快|健康|快乐|如意|安好|安康|好)|此致|敬礼|顺颂(?:商|时|公)祺",
    r"特此(?:回复|答复|告知)|thanks?(?: you)?|received|noted|[👍🙏😊🤝🌹👌]+",
)
"""What says no more than that a letter came and was welcome; unlike `POLITE`, nothing else fits in."""
ASSENTS = r"好的?|好嘞|嗯+|哦|噢|行|可以|没问题|同意|ok(?:ay)?|已?阅|照办|遵照执行|一定照办"
"""Words that agree to something: mere courtesy if nothing was asked."""
COURTEOUS = re.compile(rf"^(?:(?:{'|'.join(COURTESIES)})[\s,。:;!~、.]*)+$", re.IGNORECASE)
ASSENTING = re.compile(rf"^(?:(?:{'|'.join((*COURTESIES, ASSENTS))})[\s,。:;!~、.]*)+$", re.IGNORECASE)
UNEASY = re.compile(r"[不没未无否非勿莫但却仍还请求望盼需要缺差坏错漏迟早何怎为时案重]|\?")
"""Signs in a last line that is not just a name: 何时解决 begins like one."""
QUALIFIED = re.compile(
    r"但|不过|除(?!了)|如果|假如|前提|条件是|只是|暂[不缓]|可能|也许|大概|好像|似乎|再议|再说|再定|待定|未定|有保留|是否|能否|可否"
)
"""Words in a remark that take back part of what the command said."""
NEGATED_TEXT = re.compile(r"^(?:目前|现在|但)?(?:还|仍|尚|暂)?(?:未|没有?|无法|不能|不可)")
"""A text that denies its own command: 办结:尚未完成."""
QUESTION = re.compile(r"\?|[吗么嘛](?=$|[\s。,!;])|^是不是|^能不能|^可不可以|^要不要|^同不同意")
QUOTED = re.compile(
    r"^(?:[>|]|-{2,}\s*(?:原始邮件|转发邮件|回复的原邮件|original)|(?:发件人|from|发送时间|sent)\s*:|.{0,80}(?:写道|wrote)\s*:\s*$)"
)
SIGNATURE_START = re.compile(r"^--\s?$|^_{4,}$|^发自|^sent from|^来自(?:我的)?(?:iphone|手机|qq)")
SURNAMES = (
    "王李张刘陈杨黄赵吴周徐孙马朱胡郭何林高罗郑梁谢宋唐许韩冯邓曹彭曾肖田董袁潘蒋蔡余杜叶程苏魏吕丁任沈姚卢姜崔钟谭陆汪范金石廖贾夏韦"
    "付方邹熊孟秦邱江尹薛闫段雷侯龙史陶黎贺顾毛郝龚邵万钱严覃武戴莫孔汤蒙农甘岑欧庞施翁凌岳宁柳牙卓祝粟"
)
"""A short last line is a name only if it begins with one of these: 请抓紧 is none."""
SIGNATURE = re.compile(
    rf"^(?:[{SURNAMES}][\u4e00-\u9fff·×]{{1,3}}"
    r"|(?!.*[由请已转交给送报同与和到在将])[\u4e00-\u9fff()0-9]{0,24}(?:中学|小学|学校|幼儿园|科|科室|工委办|办公室|教育局|支部|党委|党总支)"
    r"|\d{4}\s*[-年./]\s*\d{1,2}\s*[-月./]\s*\d{1,2}\s*日?"
    r"|(?:联系)?(?:电话|手机|tel)?:?[\d\s-]{7,}"
    r"|(?:电话|手机|tel|联系人|地址|邮箱|单位|职务).{0,40})$",
    re.IGNORECASE,
)
STOP = " ,。:;!、~"
NUMBER = re.compile(r"(ND|QC|TJ)\s*-?\s*(\d{4})\s*-\s*(\d{1,5})(?!\d)", re.IGNORECASE)
NUMBER_LIST = re.compile(rf"^(?:\s*{NUMBER.pattern}号?[\s、,和及与]*)+", re.IGNORECASE)
CHINESE_NUMERAL = "[一二三四五六七八九十]{1,3}"
POSITION = re.compile(
    rf"^(?:第\s*([0-9]{{1,3}}|{CHINESE_NUMERAL})\s*[项号条个题]|([0-9]{{1,3}})\s*[.、)号])\s*[:,、]?\s*"
)
ALL = re.compile(r"^(?:以上)?(?:全部|均|都)\s*")
DAY = re.compile(
    r"^[\s:]*(?:(?:(\d{4})\s*[-年./]\s*)?(\d{1,2})\s*[-月./]\s*(\d{1,2})\s*[日号]?(?!\d)"
    r"|(\d{4})(\d{2})(\d{2})(?!\d))"
)
AFTER_DAY = re.compile(r"^(?:前|之前|止|底)?[\s,:;。、]*(?:(?:理由|原因)(?:是|为)?|因)?[\s:,]*")
TAG = re.compile(
    r"[\[【〔]\s*(ND|QC|TJ|WT|JB)\s*-?\s*(\d{4})\s*-\s*(\d{1,5})\s*#\s*([A-Z0-9]{4})\s*[\]】〕]",
    re.IGNORECASE,
)
"""Questions (WT) and briefs (JB) have numbers too, but nobody orders anything about those."""
TWO_DIGITS = frozenset({"QC", "TJ"})
DASHES = str.maketrans(dict.fromkeys("‐‑‒–—―−─", "-") | {"︰": ":", "﹒": "."})
INVISIBLE = re.compile("[\u200b-\u200f\u2060\ufeff\u00ad\u202a-\u202e]")
FULL_WIDTH: Mapping[str, str] = dict(zip(",:;!()", "，：；！（）", strict=True))
OUR_LINES = tuple("【│┃├┏┗━─")
"""How the headings, tables and boxes of our own letters begin, and no order of anybody's."""
NO_COMMAND = "来信开头不是约定的回复用语"
"""Why words are unclear that do not even begin like an order."""
CHINESE_DIGITS = {digit: value for value, digit in enumerate("零一二三四五六七八九")} | {"两": 2}


# --- small readings ----------------------------------------------------------------------------


def normalised(text: str) -> str:
    """The text in half width, with plain dashes and quotes, single blanks, no invisible characters."""
    plain = INVISIBLE.sub("", unicodedata.normalize("NFKC", text)).translate(DASHES)
    plain = plain.replace("｡", "。").replace("—", "-")
    return re.sub(r"[^\S\n]+", " ", plain)


def in_print(text: str) -> str:
    """The text with full-width punctuation after Chinese characters again, as people write it."""
    return re.sub(r"(?<=[\u4e00-\u9fff）”])[,:;!()](?!\d)", lambda found: FULL_WIDTH[found[0]], text)


def whole_number(text: str) -> int | None:
    """A count written in digits or Chinese numerals up to 99, with or without a measure word."""
    found = re.fullmatch(r"\s*(\d{1,6}|[零一二三四五六七八九十两]{1,3})\s*[个次件项所条期]?\s*", text)
    if not found:
        return None
    digits = found[1]
    if digits.isdecimal():
        return int(digits)
    if "十" not in digits:
        return CHINESE_DIGITS[digits] if len(digits) == 1 else None
    tens, _, ones = digits.partition("十")
    if len(tens) > 1 or len(ones) > 1 or "十" in ones:
        return None
    return (CHINESE_DIGITS[tens] if tens else 1) * 10 + (CHINESE_DIGITS[ones] if ones else 0)


def day_of(found: re.Match[str] | None, today: date | None) -> date | None:
    """The day that a match of `DAY` names; without a year, the next such day from `today` on."""
    if found is None:
        return None
    year, month, day = (found[1], found[2], found[3]) if found[2] else (found[4], found[5], found[6])
    try:
        if year:
            return date(int(year), int(month), int(day))
        if today is None:
            return None
        this_year = date(today.year, int(month), int(day))
        return this_year if this_year >= today else date(today.year + 1, int(month), int(day))
    except ValueError:
        return None


HOUR = re.compile(
    rf"(?P<half>上午|早上|中午|下午|晚上)?\s*(?P<hour>\d{{1,2}}|{CHINESE_NUMERAL})\s*[:点时]\s*(?P<minute>半|\d{{1,2}})?"
)


def hour_in(text: str) -> time | None:
    """The hour of a day that a text names: 下午3点半, 15:30; None if it names none."""
    found = HOUR.search(normalised(text))
    hour = whole_number(found["hour"]) if found else None
    if found is None or hour is None or hour > 23:
        return None
    minute = 30 if found["minute"] == "半" else int(found["minute"] or 0)
    later = found["half"] in ("下午", "晚上") and hour < 12
    return time(hour + 12 * later, minute) if minute < 60 else None


def another_day(reason: str, today: date) -> Extend | None:
    """The day that a refusal names instead: 书记当日有会，请改到3月2日下午3点."""
    for clause in re.split(r"[,;。\n]", normalised(reason)):
        found = _command(re.sub(r"^(?:请|建议|可|拟|最好)+", "", clause.strip()), Role.COMMITTEE_OFFICE)
        if found is not None and found.word.takes is Takes.DAY:
            order, _why = _extension(found.target, found.tail, today)
            return order if isinstance(order, Extend) else None
    return None


def numbers_in(text: str) -> tuple[str, ...]:
    """Every problem, period or session number in the text, in the form `ND-2022-013`."""
    return tuple(dict.fromkeys(_number(match) for match in NUMBER.finditer(normalised(text))))


def _number(match: re.Match[str]) -> str:
    prefix = match[1].upper()
    return f"{prefix}-{match[2]}-{int(match[3]):0{2 if prefix in TWO_DIGITS else 3}d}"


def tag(subject: str) -> tuple[str, str] | None:
    """Number and code of `[ND-2022-013#K7Q4]` in a subject; None if there is none, or several."""
    found = {(_number(match), match[4].upper()) for match in TAG.finditer(normalised(subject))}
    return found.pop() if len(found) == 1 else None


def own_lines(text: str) -> list[str]:
    """The non-blank lines in normal form, up to the first quoted line or signature delimiter."""
    kept: list[str] = []
    for raw in normalised(text).splitlines():
        line = raw.strip()
        if QUOTED.match(line.lower()) or SIGNATURE_START.match(line.lower()):
            break
        if line:
            kept.append(line)
    return kept


def without_greeting(line: str) -> str:
    """The line after greetings, thanks and 收到."""
    return LEAD_IN.sub("", line).strip()


class Courtesy(StrEnum):
    """A reply that asks and orders nothing."""

    THANKS = "thanks"
    """收到, 谢谢: it came and was welcome."""
    ASSENT = "assent"
    """好的, 可以: no more than that either, unless something was asked."""


def courtesy(text: str) -> Courtesy | None:
    """Whether the writer's own words are mere courtesy; None for anything with the least content."""
    lines = own_lines(text)
    while len(lines) > 1 and SIGNATURE.match(lines[-1]) and not UNEASY.search(lines[-1]):
        lines.pop()
    said = "\n".join(lines)
    if COURTEOUS.match(said):
        return Courtesy.THANKS
    return Courtesy.ASSENT if ASSENTING.match(said) else None


FOUND_RIGHT = re.compile(
    r"^[\s,。]*(?:(?:核对|经核)?(?:无误|没有?问题)|确认|同意|可以|是的?|对的?|已阅|阅|好的?|收到|谢谢)"
    r"(?:[\s,。:;!、~]*(?:(?:核对)?无误|没有?问题|确认|同意|可以|执行|办理|按此(?:办理|执行)|谢谢))*[\s,。:;!、~]*$"
)


def found_right(text: str) -> bool:
    """Whether the writer says of what was read back no more than that it is right."""
    lines = own_lines(text)
    while len(lines) > 1 and SIGNATURE.match(lines[-1]):
        lines.pop()
    return bool(lines) and FOUND_RIGHT.match("\n".join(lines)) is not None


EVERYTHING = re.compile(r"^(?:对|就)?(?:以上|上述|所列)?(?:全部|各项|所有|各个|均|都)")


def target_of(text: str) -> Target:
    """The problems that free words begin with or name: numbers anywhere, else a place, else 全部."""
    plain = without_greeting(normalised(text).strip())
    if numbers := numbers_in(plain):
        return Target(numbers=numbers)
    if place := POSITION.match(plain):
        return Target(position=whole_number(place[1] or place[2]))
    return Target(all=bool(EVERYTHING.match(plain)))


# --- reading a reply ---------------------------------------------------------------------------


def orders(text: str, role: Role | str, today: date | None = None) -> Orders:
    """What the writer orders in the first lines of their own words.

    `today` gives the year to a day without one. A role without words of its own orders nothing.
    """
    lines = own_lines(text)
    if not lines:
        return _unclear(text, "来信没有正文")
    if role not in set(Role):
        return _unclear(text, "来信人没有可用的回复用语")
    if lines[0].startswith(OUR_LINES):
        return _unclear(text, NO_COMMAND)
    given, why = READERS[Role(role)](lines, Role(role), today)
    if why is None and _contradictory(given):
        why = "来信前后意思不一致"
    if why is None and not given:
        why = NO_COMMAND
    commanded = why != NO_COMMAND
    if any(QUESTION.search(line) for line in lines):
        why = "来信含有疑问，不按指令办理"
    return _unclear(text, why, commanded=commanded) if why else Orders(given=tuple(given))


Read = tuple[list[Order], str | None]
"""Orders, or the reason in Chinese why there are none."""


def _unclear(text: str, why: str, *, commanded: bool = False) -> Orders:
    return Orders(unclear=Unclear(text=text, why=why, commanded=commanded))


def _contradictory(given: Sequence[Order]) -> bool:
    return any(
        _same_target(first.target, second.target) and _opposed(first, second)
        for first, second in product(given, given)
    )


def _opposed(first: Order, second: Order) -> bool:
    if isinstance(first, Rate) and isinstance(second, Rate):
        return first.satisfaction != second.satisfaction
    if isinstance(first, Extend) and isinstance(second, Extend):
        return first.until != second.until
    return any(isinstance(first, a) and isinstance(second, b) for a, b in OPPOSED)


def _same_target(first: Target, second: Target) -> bool:
    if first.all or second.all or first == second:
        return True
    return bool(set(first.numbers) & set(second.numbers))


@dataclass(frozen=True, slots=True)
class _Found:
    """One command at the beginning of a line, and what follows it."""

    word: Word
    target: Target
    tail: str


def _command_orders(lines: Sequence[str], role: Role, today: date | None) -> Read:
    """The orders of a role whose replies are command words; a text runs on to the next command."""
    blocks: list[tuple[_Found, list[str]]] = []
    heading = Target()
    for line in lines:
        found = _command(line, role)
        if found:
            target = found.target if found.target != Target() else heading
            for one in _commands_of(replace(found, target=target), role):
                blocks.append((replace(one, target=one.target if one.target != Target() else target), []))
        elif (named := _heading(line)) is not None:
            heading = named
        elif blocks:
            blocks[-1][1].append(line)
        elif not _passed_over(line):
            return [], NO_COMMAND
    given: list[Order] = []
    for found, more in blocks:
        order, why = _order(found, more, role, today)
        if order is None:
            return [], why
        given.append(order)
    return given, None


JOINED = re.compile(r"^(?:并|且|现|另|同时|兹|随信|将|予以|已)*(?:报送|上报|报告|报|提交|附上?)?(?:工作)?")


def _commands_of(found: _Found, role: Role) -> list[_Found]:
    """A section's acceptance and what the same line says beside it: 签收，并报方案：…"""
    tail = found.tail.strip(STOP)
    if role is not Role.SECTION or found.word.takes is not Takes.NOTHING or not tail:
        return [found]
    second = next(filter(None, (_command(rest, role) for rest in (tail, JOINED.sub("", tail)))), None)
    if second is None or second.word.takes is Takes.NOTHING:
        return [found]
    return [replace(found, tail=""), second]


def _heading(line: str) -> Target | None:
    """The target that a line of nothing but a number names for the lines after it."""
    numbers = NUMBER_LIST.match(line)
    if numbers and not line[numbers.end() :].strip(STOP):
        return Target(numbers=numbers_in(line))
    return None


def _passed_over(line: str) -> bool:
    rest = without_greeting(line).strip(STOP)
    return not rest or bool(POLITE.match(rest)) or bool(re.fullmatch(r"[^\s,。]{1,16}:", line))


def _command(line: str, role: Role) -> _Found | None:
    """The command that the line begins with, perhaps after a greeting, a number or a place in a list."""
    for start in dict.fromkeys((line, without_greeting(line))):
        target, rest = _leading_target(start)
        for candidate in dict.fromkeys((rest, without_greeting(rest))):
            found = _word_at(candidate, role)
            if found is None:
                continue
            word, tail = found
            if word.takes is not Takes.NUMBER:
                named, tail = _trailing_target(tail)
                if target.numbers and named.numbers:
                    return None
                target = target if target != Target() else named
            return _Found(word, target, tail)
    return None


def _leading_target(line: str) -> tuple[Target, str]:
    if numbers := NUMBER_LIST.match(line):
        return Target(numbers=numbers_in(numbers[0])), line[numbers.end() :].lstrip(STOP)
    if place := POSITION.match(line):
        return Target(position=whole_number(place[1] or place[2])), line[place.end() :]
    if everything := ALL.match(line):
        return Target(all=True), line[everything.end() :]
    return Target(), line


def _trailing_target(tail: str) -> tuple[Target, str]:
    """A number written after the word: 催办 ND-2022-003, 督查 ND-2022-003:情况."""
    rest = tail.lstrip(STOP)
    numbers = NUMBER_LIST.match(rest)
    if not numbers:
        return Target(), tail
    return Target(numbers=numbers_in(numbers[0])), rest[numbers.end() :]


def _word_at(line: str, role: Role) -> tuple[Word, str] | None:
    """The longest command word that the line begins with and that stands alone, and what follows it."""
    for pattern, word in _patterns(role):
        found = pattern.match(line)
        if found and _stands_alone(line[found.end() :], word.takes):
            return word, line[found.end() :]
    return None


@cache
def _patterns(role: Role) -> tuple[tuple[re.Pattern[str], Word], ...]:
    pairs = sorted(
        ((synonym, word) for word in WORDS[role] for synonym in word.synonyms),
        key=lambda pair: -len(pair[0]),
    )
    return tuple(
        (re.compile(r"\s*".join(map(re.escape, synonym)), re.IGNORECASE), word) for synonym, word in pairs
    )


def _stands_alone(tail: str, takes: Takes) -> bool:
    if not tail or tail[0] in ",。:;!、.)~\"'“”" or NUMBER.match(tail.lstrip()):
        return True
    match takes:
        case Takes.DAY:
            return bool(DAY.match(tail))
        case Takes.NAME:
            return True
        case Takes.NOTHING:
            return bool(re.match(r"\s+(?:请|谢|感谢|尽快|按|并|望)", tail))
        case _:
            return tail[0] == " "


def _order(
    found: _Found, more: Sequence[str], role: Role, today: date | None
) -> tuple[Order | None, str | None]:
    """The order of one command with the lines that follow it, or the reason why it is none."""
    word = found.word
    if word.needs_number and not found.target.numbers:
        return None, f"“{word.synonyms[0]}”须写明问题编号"
    if word.takes is Takes.NOTHING:
        return _bare_order(found, more, role)
    body = "\n".join(part for part in (found.tail.strip(STOP), *_without_signature(more)) if part)
    body = "" if POLITE.match(body) else body
    if not body and word.takes is not Takes.TEXT:
        return None, f"“{word.synonyms[0]}”之后没有内容"
    match word.takes:
        case Takes.DAY:
            return _extension(found.target, body, today)
        case Takes.NUMBER:
            into = numbers_in(body)
            return (word.make(found.target, into[0]), None) if len(into) == 1 else (None, "须写明一个编号")
        case Takes.NAME:
            name, _, more_words = re.sub(r"[,。;!\n]", "\n", body, count=1).partition("\n")
            remark = "" if POLITE.match(more_words) else in_print(more_words)
            order = replace(word.make(found.target, name.strip(' :"“”')), remark=remark or None)
            return (order, None) if name.strip(' :"“”') else (None, "没有写明单位名称")
        case _:
            return _text_order(found, body)


def _bare_order(found: _Found, more: Sequence[str], role: Role) -> tuple[Order | None, str | None]:
    parts = (found.tail.strip(STOP), *(line for line in more if not _signature(line)))
    remark = "\n".join(part for part in parts if part and not POLITE.match(part))
    if QUALIFIED.search(remark) or _takes_back(remark, role):
        return None, f"“{found.word.synonyms[0]}”之后的话有保留或前后不一"
    return found.word.make(found.target, in_print(remark) or None), None


def _text_order(found: _Found, body: str) -> tuple[Order | None, str | None]:
    body = re.sub(r"^(?:理由|原因|因为|情况|结果|内容)\s*[是为]?\s*[:,]\s*", "", body)
    order = found.word.make(found.target, in_print(body) or None)
    if isinstance(order, Complete) and NEGATED_TEXT.match(body):
        return None, "写了办结，又说没有办完"
    return order, None


def _extension(target: Target, body: str, today: date | None) -> tuple[Order | None, str | None]:
    found = DAY.match(body)
    until = day_of(found, today)
    if found is None or until is None:
        return None, "延期的日期看不明白，请写成 2022-03-30 的样子"
    reason = AFTER_DAY.sub("", body[found.end() :], count=1).strip()
    return Extend(target=target, until=until, reason=in_print(reason) or None), None


def _takes_back(remark: str, role: Role) -> bool:
    """Whether a clause of a remark is a command itself, or a refusal."""
    clauses = [clause.strip() for clause in re.split(r"[,。;!\n]", remark)]
    return any(
        _command(clause, role) is not None or re.match(r"[暂先并还也]?不(?:同意|满意|签收|办理)", clause)
        for clause in clauses
        if clause
    )


def _signature(line: str) -> bool:
    return bool(SIGNATURE.match(line)) or bool(POLITE.match(line))


def _without_signature(lines: Sequence[str]) -> list[str]:
    """The lines without name, unit, date and thanks at their end."""
    kept = list(lines)
    while kept and _signature(kept[-1]):
        kept.pop()
    return kept


# --- the secretary -----------------------------------------------------------------------------

PLACE = rf"(?:第\s*)?(?:\d{{1,3}}|{CHINESE_NUMERAL})\s*[项号条题]?"
PLACE_IN_LIST = rf"(?:{NUMBER.pattern}|(?:第\s*(?:\d{{1,3}}|{CHINESE_NUMERAL})\s*个(?:问题)?|{PLACE}))"
PLACES = rf"{PLACE_IN_LIST}(?:\s*(?:[、,和及与/ ]|至|到|-)\s*{PLACE_IN_LIST})*"
SELECT = re.compile(
    rf"^(?:同意)?(?:我)?(?:选定|选择|选取|选|确定|圈定|同意|研究|本期办理)\s*:?\s*(?P<places>{PLACES})\s*(?:问题)?(?:进行研究|研究解决|研究|办理)?$",
    re.IGNORECASE,
)
ONLY_PLACES = re.compile(rf"^(?P<places>{PLACES})$", re.IGNORECASE)
SELECT_NONE = re.compile(
    r"^(?:本期)?(?:都不选|均不选|不选定?|全部不选|全部转办|均转办|都转办|全部转(?:相关|有关)?科室办理)$"
)
REFER_REST = re.compile(
    r"^(?:请)?(?:其余|其他|其它|剩余|余下)(?:的)?(?:问题|各项|事项)?(?:都|均|全部|一律)?(?:转办|转(?:由|交)?(?:相关|有关|各)?(?:承办)?科室(?:办理)?|转科室办理|按程序转办)$"
)
NEGATED_CHOICE = re.compile(r"^(?:不|暂不|先不|别)(?:选|同意|确定|转办|办)")
PICKING = re.compile(r"选定|其余.{0,6}转")


def _secretary_orders(lines: Sequence[str], _role: Role, _today: date | None) -> Read:
    """The secretary's choice, and every other word of his as 批示."""
    given: list[Order] = []
    words: list[str] = []
    for clause in _clauses(_without_his_name(lines)):
        plain = without_greeting(clause).strip(STOP)
        if not plain or POLITE.match(plain):
            continue
        if words and ONLY_PLACES.match(plain):
            return [], "选定的内容看不明白"  # a bare figure behind other words is anything
        if order := _choice(plain):
            given.append(order)
        elif NEGATED_CHOICE.match(plain):
            return [], "来信否定了某项选择，请核实"
        elif PICKING.search(plain):
            return [], "选定的内容看不明白"
        elif plain in {"同意", "可以", "确认", "已阅", "阅"}:
            return [], "没有写明选定哪几项"
        else:
            words.append(clause.strip())
    if words:
        given.append(Instruct(text=in_print("\n".join(words))))
    return _one_choice(given), None


def _without_his_name(lines: Sequence[str]) -> list[str]:
    """The lines without a name and a date at their end; the first line is never taken for a name."""
    kept = list(lines)
    while len(kept) > 1 and _signature(kept[-1]) and not _choice(kept[-1].strip(STOP)):
        kept.pop()
    return kept


def _clauses(lines: Sequence[str]) -> list[str]:
    """Sentences, and clauses where a comma parts a choice from what follows it."""
    sentences = [piece for line in lines for piece in re.split(r"[。;!]", line)]
    clauses: list[str] = []
    for sentence in sentences:
        pieces = re.split(r",", sentence)
        whole = without_greeting(sentence).strip(STOP)
        if _choice(whole) or not any(_choice(without_greeting(piece).strip(STOP)) for piece in pieces):
            clauses.append(sentence)
        else:
            clauses.extend(_joined(pieces))
    return clauses


def _joined(pieces: Sequence[str]) -> list[str]:
    """Pieces between commas, with runs of places (选定3,7) and runs of other words put together again."""
    joined: list[str] = []
    for piece in pieces:
        both = f"{joined[-1]},{piece}" if joined else piece
        runs_on = joined and (
            _choice(without_greeting(both).strip(STOP))
            or (not _choice(joined[-1].strip(STOP)) and not _choice(piece.strip(STOP)))
        )
        if runs_on:
            joined[-1] = both
        else:
            joined.append(piece)
    return joined


def _choice(spaced: str) -> Order | None:
    clause = re.sub(r"(?<=[\u4e00-\u9fff]) (?=[\u4e00-\u9fff])", "", spaced)
    if SELECT_NONE.match(clause):
        return Select()
    if REFER_REST.match(clause):
        return ReferRest()
    found = SELECT.match(clause) or ONLY_PLACES.match(clause)
    if not found:
        return None
    numbers = numbers_in(found["places"])
    positions = _positions(NUMBER.sub(" ", found["places"]))
    if 0 in positions:
        return None
    return Select(positions=positions, numbers=numbers) if numbers or positions else None


def _positions(text: str) -> tuple[int, ...]:
    """The places named, with 3至5 spelt out."""
    pieces = re.findall(rf"\d{{1,3}}|{CHINESE_NUMERAL}|至|到|-", text)
    places: list[int] = []
    span = False
    for piece in pieces:
        if piece in ("至", "到", "-"):
            span = True
            continue
        place = whole_number(piece)
        if place is None:
            continue
        places.extend(range(places[-1] + 1, place + 1) if span and places else (place,))
        span = False
    return tuple(dict.fromkeys(places))


def _one_choice(given: Sequence[Order]) -> list[Order]:
    """The same orders with several choices of several lines made one."""
    chosen = [order for order in given if isinstance(order, Select)]
    rest = [order for order in given if not isinstance(order, Select)]
    if not chosen:
        return rest
    positions = tuple(dict.fromkeys(place for order in chosen for place in order.positions))
    numbers = tuple(dict.fromkeys(number for order in chosen for number in order.numbers))
    return [Select(positions=positions, numbers=numbers), *rest]


# --- the school --------------------------------------------------------------------------------

CORRECTION = re.compile(r"^(?:更正|修正|改正|订正|更改|补正|修改)(?:如下|为|内容)?[\s:,。]*")
CORRECTION_ASKED = re.compile(
    r"(?:[\s,。;]*(?:请|特此|请予|请帮忙)(?:予以)?(?:更正|修正|修改|改正|订正))?"
    r"(?:[\s,。;!]*(?:谢谢|感谢|辛苦)[^,。;!]{0,10})*[。!\s]*$"
)
"""请更正, 谢谢 after the correction itself."""
ITEM = re.compile(
    rf"^(?:第\s*(?P<a>\d{{1,2}}|{CHINESE_NUMERAL})\s*[个项行条](?:问题)?|问题\s*(?P<b>\d{{1,2}}|{CHINESE_NUMERAL}))的?[\s:,]*"
)
CHANGED_TO = r"(?:应?(?:更?改|更正|修改|改)?(?:为|成)|应是|是|有|共)"
OLD_VALUE = r"(?:\s*由\s*\S{1,20}?\s*)?"


def _school_orders(lines: Sequence[str], role: Role, today: date | None) -> Read:
    """A school's words: commands, or corrections of fields, never both mixed in one line."""
    first = next((line for line in lines if not _passed_over(line)), "")
    opening = CORRECTION_ASKED.sub("", without_greeting(first))
    if not CORRECTION.match(opening) and not _pairs(opening, strict=True):
        return _command_orders(lines, role, today)
    amendments: list[Amendment] = []
    for line in _without_signature(lines):
        if _passed_over(line):
            continue
        plain = CORRECTION.sub("", CORRECTION_ASKED.sub("", without_greeting(line)))
        if not plain.strip(STOP):
            continue
        pairs = _pairs(plain, strict=False)
        if pairs is None:
            return [], "更正的内容看不明白，请写成“党支部数 4”的样子"
        amendments.extend(pairs)
    return ([Amend(amendments=tuple(amendments))], None) if amendments else ([], "没有写明更正的内容")


@cache
def _labels() -> re.Pattern[str]:
    spellings = sorted(
        {spelling for table in (COUNT_LABELS, TEXT_LABELS) for group in table.values() for spelling in group},
        key=len,
        reverse=True,
    )
    loose = [re.escape(s).replace("“", '[“"]?').replace("”", '[”"]?') for s in spellings]
    return re.compile(rf"^(?:将|把)?[“\"]?(?P<label>{'|'.join(loose)})[”\"]?")


def _field_of(label: str) -> str:
    plain = re.sub('[“”"]', "", label)
    for table in (COUNT_LABELS, TEXT_LABELS):
        for name, spellings in table.items():
            if any(re.sub('[“”"]', "", spelling) == plain for spelling in spellings):
                return name
    raise LookupError(label)


def _pairs(line: str, *, strict: bool) -> list[Amendment] | None:
    """Every pair of label and value in the line; None if something in it is no such pair.

    `strict`: there is no 更正 before it, so that a text field needs a colon or 改为.
    """
    pairs: list[Amendment] = []
    item: int | None = None
    for piece in _pair_pieces(line):
        rest = piece.strip(STOP)
        if place := ITEM.match(rest):
            item = (whole_number(place["a"] or place["b"]) or 1) - 1
            rest = rest[place.end() :]
        pair = _pair(rest, item, strict=strict)
        if pair is None:
            return None
        pairs.append(pair)
    return pairs or None


def _pair_pieces(line: str) -> list[str]:
    """The line cut before each label that follows a separator; a comma inside a text cuts nothing."""
    cuts = [0]
    for match in re.finditer(r"[,;。、\s]\s*", line):
        rest = line[match.end() :]
        if ITEM.fullmatch(line[cuts[-1] : match.end()]):
            continue
        at = ITEM.match(rest)
        if _labels().match(rest[at.end() :] if at else rest) and not line[: match.start()].endswith(":"):
            cuts.append(match.end())
    return [
        line[start:end].strip(STOP)
        for start, end in zip(cuts, [*cuts[1:], len(line)], strict=True)
        if line[start:end].strip(STOP)
    ]


def _pair(piece: str, item: int | None, *, strict: bool) -> Amendment | None:
    found = _labels().match(piece)
    if not found:
        return None
    name = _field_of(found["label"])
    tail = piece[found.end() :]
    if name in COUNT_LABELS:
        count = re.fullmatch(rf"{OLD_VALUE}\s*(?:[:=]|{CHANGED_TO})?\s*[:]?\s*(?P<value>[^\s:]+)", tail)
        value = whole_number(count["value"]) if count else None
        return None if value is None else Amendment(name, value, found["label"], item)
    joint = (
        rf"{OLD_VALUE}\s*(?:[:=]|{CHANGED_TO}\s*:?)\s*"
        if strict
        else rf"{OLD_VALUE}\s*(?:[:=]|{CHANGED_TO}|\s)\s*:?\s*"
    )
    text = re.fullmatch(rf"{joint}(?P<value>.+)", tail, re.DOTALL)
    if not text:
        return None
    given = _field_value(name, text["value"].strip())
    return None if given is None else Amendment(name, given, found["label"], item)


def _field_value(name: str, text: str) -> str | date | tuple[str, ...] | None:
    match name:
        case "levels":
            return tuple(level for word, level in LEVELS.items() if word in text) or None
        case "sections":
            return tuple(piece for piece in re.split(r"[、,;和及与\s]+", text) if piece) or None
        case "reported_on":
            return day_of(DAY.match(text), None)
        case _:
            return in_print(text) or None


Reader = Callable[[Sequence[str], Role, "date | None"], Read]
READERS: Mapping[Role, Reader] = {
    Role.SECRETARY: _secretary_orders,
    Role.COMMITTEE_OFFICE: _command_orders,
    Role.SECTION: _command_orders,
    Role.SCHOOL: _school_orders,
    Role.BUREAU_OFFICE: _command_orders,
}
