"""The value of one field from its text: counts, dates, phones, names, units, sections, long texts.

Each function gives a `Read`: the value, and the faults that a person must know of. What is not understood
for certain becomes None or carries a fault; nothing is guessed in silence.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from functools import lru_cache
from typing import Generic, TypeVar

from parsers.glyphs import RAISED
from parsers.values import FindingKind, Severity

T = TypeVar("T")

INVISIBLE = dict.fromkeys(map(ord, "\u00ad\u200b\u200c\u200d\u200e\u200f\u2060\ufe0e\ufe0f\ufeff"))
COLONS = dict.fromkeys(map(ord, "∶ː꞉"), ":")
"""Characters that are colons to the eye, but not to NFKC."""
DASHES = str.maketrans(dict.fromkeys("‐‑‒–—―−﹘─━﹣－", "-") | dict.fromkeys("~∼〜～˜", "~"))
QUOTES = "“”\"'‘’「」『』《》〈〉<>〝〞＂`"
BLANKS = re.compile(r"[\s_]+")
WITHOUT_RAISED = dict.fromkeys(map(ord, RAISED))
KEPT_RAISED = {ord(char): chr(0xE100 + place) for place, char in enumerate(sorted(RAISED))}
"""Raised digits, each with a stand-in that NFKC leaves alone: 3² is not 32."""
RAISED_AGAIN = {ord(stand_in): chr(char) for char, stand_in in KEPT_RAISED.items()}
BESIDE_RAISED = "“{}”旁有上标或下标数字，请核对"


@dataclass(frozen=True, slots=True)
class Fault:
    """What is wrong or doubtful about one value, without its path and place."""

    kind: FindingKind
    severity: Severity
    text: str


@dataclass(frozen=True, slots=True)
class Read(Generic[T]):
    """A value with the faults found in reading it."""

    value: T
    faults: tuple[Fault, ...] = ()


def uncertain(text: str, severity: Severity = Severity.WARNING) -> Fault:
    """A doubt that a person must settle."""
    return Fault(FindingKind.UNCERTAIN, severity, text)


def invalid(text: str) -> Fault:
    """A value that the school must correct."""
    return Fault(FindingKind.INVALID, Severity.ERROR, text)


# ---------------------------------------------------------------- texts


@lru_cache(maxsize=2048)
def normalise(text: str) -> str:
    """NFKC, but raised digits stay raised; no invisible characters, lines trimmed, no empty lines."""
    visible = text.translate(INVISIBLE).translate(KEPT_RAISED)
    plain = unicodedata.normalize("NFKC", visible).translate(RAISED_AGAIN).translate(INVISIBLE | COLONS)
    lines = (
        re.sub(r"[ \t\u00a0]+", " ", line).strip() for line in re.split(r"[\n\v\f\r\u2028\u2029]", plain)
    )
    return "\n".join(line for line in lines if line)


NO_PART_OF_LABELS = {ord(char): None for char in QUOTES} | WITHOUT_RAISED


@lru_cache(maxsize=2048)
def compact(text: str) -> str:
    """For comparing labels: normalised, without white space, underscores, quotation marks and marks of notes."""
    return BLANKS.sub("", normalise(text)).translate(NO_PART_OF_LABELS)


CHINESE_MARKS = str.maketrans({mark: chr(0xE000 + place) for place, mark in enumerate("，；：！？（）～")})
"""Punctuation that people are quoted with, each with a stand-in that NFKC leaves alone."""
AS_WRITTEN = {ord(stand_in): chr(mark) for mark, stand_in in CHINESE_MARKS.items()}


@lru_cache(maxsize=2048)
def long_text(text: str) -> str | None:
    """A free text in normal form, but with the Chinese punctuation that its writer used; None if it is empty."""
    plain = normalise(text.translate(CHINESE_MARKS)).translate(AS_WRITTEN)
    plain = re.sub(r"_{2,}", "", plain).strip()
    return plain or None


HALF_WIDTH = dict(zip(",;:!?()~", "，；：！？（）～", strict=True))


def as_written(value: str, source: str) -> str:
    """The value with the punctuation that it has in the text it was taken from; itself if it is not found there."""
    pattern = "".join(
        f"[{re.escape(char)}{HALF_WIDTH[char]}]"
        if char in HALF_WIDTH
        else r"\s*"
        if char.isspace()
        else re.escape(char)
        for char in value
    )
    found = re.search(pattern, source)
    written = zip(value, found.group(), strict=True) if found and len(found.group()) == len(value) else ()
    return "".join(mark if char in HALF_WIDTH else char for char, mark in written) or value


NOTHING = frozenset(
    {
        "无",
        "无。",
        "没有",
        "暂无",
        "/",
        "\\",
        "-",
        "--",
        "---",
        "//",
        "無",
        "空",
        "-/-",
        "None",
        "none",
        "N/A",
    }
)


def remark(text: str) -> str | None:
    """A remark; None for the signs by which people say that there is none."""
    plain = long_text(text)
    return None if plain is None or compact(plain).translate(DASHES) in NOTHING else plain


SEAL_MARKS = re.compile(
    r"\((?:盖?公?印?章|盖章处|单位盖章|加盖公章|公章处|签章|印章|已签|已签字|已盖章|本人签字|全称|单位全称|签字|签名|手签|手写签名|章)\)"
)


SCHOOL = re.compile(
    r"[一-龥()·]{2,25}(?:学校|中学|小学|幼儿园|高中|初中|学院|校区|大学|[一二三四五六七八九十]中)(?:\([一-龥]{1,10}\))?"
)
"""What is clearly the name of a school."""
RUNNING_NUMBER = re.compile(
    r"(?:序号|编号|NO\.?)?:?(?:\((?:\d{1,3}|[一二三四五六七八九十]{1,3})\)[.、:]?|[一二三四五六七八九十]{1,3}[.、:)]"
    r"|\d{1,3}(?:[.、:)\-]|(?![号小中第月年日])))",
    re.IGNORECASE,
)
"""A number before a name in a list: 1. （1） 一、 ① 序号1、"""


def _unnumbered(name: str) -> str:
    """The name of a school without the running number before it."""
    number = RUNNING_NUMBER.match(name)
    rest = name[number.end() :].strip() if number else ""
    return rest if SCHOOL.fullmatch(rest) else name


def is_school(name: str) -> bool:
    """Whether the text is clearly the name of a school."""
    return SCHOOL.fullmatch(name) is not None


def unit(text: str) -> str | None:
    """Name of a school or office as written, without the printed words and the running number around it."""
    plain = SEAL_MARKS.sub("", re.sub(r"_{2,}", "", normalise(text).translate(WITHOUT_RAISED)))
    plain = _joined(plain).strip(" :;,。.、_")
    quoted = re.fullmatch(r"[“\"「『]([^“”\"「」『』]+)[”\"」』]", plain)
    return _unnumbered(quoted.group(1) if quoted else plain) or None


def person(text: str) -> str | None:
    """Name of a person, or several joined by 、, without blanks inside and without printed words."""
    plain = SEAL_MARKS.sub(" ", re.sub(r"_+", " ", normalise(text).translate(WITHOUT_RAISED)))
    plain = re.sub(r"\(?(?:\d{2,4}|[_ ]*)\s*[年./-]\s*\d{0,2}\s*[月./-]\s*\d{0,2}\s*日?\)?\s*$", "", plain)
    plain = re.sub(
        r"\((?:(?:党(?:委|总支|支部|组织))?书记|副?校长|副?园长|主任|院长|负责人|代)\)", " ", plain
    )
    plain = re.sub(r"^\(?(?:签字|签名|姓名)\)?[::]?", "", plain).strip(" :;,。.、/-")
    plain = re.sub(r"^(?:党(?:委|总支|支部|组织))?(?:书记|校长|园长|负责人)(?:[ :]+)(?=\S)", "", plain)
    names = [name for part in re.split(r"[、,;/\n]", plain) for name in _names_in(part)]
    return "、".join(names) or None


def _joined(text: str) -> str:
    """The text without the blanks that people put between Chinese characters."""
    return re.sub(r"(?<=[^\x00-\x7f])\s+(?=[^\x00-\x7f])|\n", "", text)


def _names_in(text: str) -> list[str]:
    """Names in a piece of text in which blanks may part names or the characters of one."""
    tokens = text.split()
    if not tokens:
        return []
    joined = "".join(tokens)
    if len(tokens) == 1 or (len(joined) <= 4 and any(len(token) == 1 for token in tokens)):
        return [joined]
    names: list[str] = []
    for token in tokens:
        if names and (re.fullmatch(r"\(.*\)", token) or len(token) == len(names[-1]) == 1):
            names[-1] += token
        else:
            names.append(token)
    return names


# ---------------------------------------------------------------- counts

DIGITS = {char: value for value, char in enumerate("零一二三四五六七八九")} | {
    "〇": 0, "○": 0, "两": 2, "俩": 2, "壹": 1, "贰": 2, "叁": 3, "肆": 4, "伍": 5, "陆": 6, "柒": 7, "捌": 8, "玖": 9,
}  # fmt: skip
TENS = {"十": 10, "拾": 10, "百": 100, "佰": 100}
NUMBER = r"(?:\d+(?:\.0+)?|\d{1,3}(?:,\d{3})+|[零〇一二三四五六七八九十百两俩壹贰叁肆伍陆柒捌玖拾佰]+)"
UNIT_WORD = r"(?:个|次|件|项|条|期|场|宗|起|回|支|家|处|所|例|桩|人次|余?)"
COUNTED = r"(?:党?总?支部|党组织|工作平台|平台|活动|难点问题|难题|问题|数)?"
EXACT_COUNT = re.compile(
    rf"(?:共计|合计|总计|共有|已有|现有|共|计|有|为|已)?(?:举办|开展|解决|建立|建成|召开)?了?({NUMBER}){UNIT_WORD}?{COUNTED}[。.,;]?"
)
ABOUT_COUNT = re.compile(
    rf"(?:大约|大概|约|近|将近|接近|超过|不少于|不低于|至少|最少|多于|逾|[><≥≤≈+])?({NUMBER})"
    rf"(?:多|余|来|几|\+|左右|上下|以上|以内)*{UNIT_WORD}?{COUNTED}(?:左右|上下|以上|以内|多|余)*"
)
NOTED_COUNT = re.compile(rf"({NUMBER}){UNIT_WORD}?{COUNTED}[(,;。:](.+)")
NIL = re.compile(
    r"(?:无|没有|暂无|尚无|零|〇|nil|none|无。|未开展|未举办|没有开展|未建立|未解决|暂未开展|尚未开展|/+|\\+|-+|×)",
    re.I,
)


def chinese_number(text: str) -> int | None:
    """The number that Chinese numerals below a thousand write; None if they are not one number."""
    if len(text) > 1 and all(char in DIGITS for char in text):
        # 二〇 is read digit by digit, but 三四 means "three or four".
        spelt = "〇" in text or "零" in text or "○" in text
        return int("".join(str(DIGITS[char]) for char in text)) if spelt and text[0] not in "零〇○" else None
    match = re.fullmatch(r"(?:(.)[百佰])?[零〇]?(?:(.)?[十拾])?(.)?", text)
    if not match or not text:
        return None
    hundreds, tens, ones = match.groups()
    if hundreds and ones and not re.search("[零〇十拾]", text):
        return None  # 二百五 may be 250 or 205
    total = 0
    for digit, weight in ((hundreds, 100), (ones, 1)):
        if digit is not None:
            if digit not in DIGITS:
                return None
            total += DIGITS[digit] * weight
    if re.search("[十拾]", text):
        if tens is not None and tens not in DIGITS:
            return None
        total += 10 * (DIGITS[tens] if tens is not None else 1)
    return total


def _number(text: str) -> int | None:
    plain = text.replace(",", "")
    if re.fullmatch(r"\d+(?:\.0+)?", plain):
        return int(plain.partition(".")[0]) if len(plain) <= 9 else None
    return chinese_number(plain)


def _beside_raised(shown: str, understood: Callable[[str], Read[T | None]]) -> Read[T | None]:
    """The value without the digits set above or below its line, and the doubt that they leave."""
    read = understood(shown.translate(WITHOUT_RAISED).strip() or unicodedata.normalize("NFKC", shown))
    return Read(read.value, (*read.faults, uncertain(BESIDE_RAISED.format(shown))))


def count(text: str) -> Read[int | None]:
    """A number of things; None and a fault where it is not one plain whole number."""
    shown = normalise(text)
    if RAISED.intersection(shown):
        return _beside_raised(shown, count)
    plain = BLANKS.sub("", shown).translate(DASHES)
    if not plain:
        return Read(None)
    refused = invalid(f"“{shown}”不是明确的整数，请填写阿拉伯数字")
    # NFKC turns 3② into 32 and ½ into 1/2: the number would not be the one that was written.
    if any(unicodedata.category(char) == "No" for char in text):
        return Read(None, (refused,))
    if re.search(r"\d[\s_]+\d", shown):
        return Read(None, (refused,))
    if NIL.fullmatch(plain):
        return Read(0)
    exact = EXACT_COUNT.fullmatch(plain)
    if exact and not exact.group(0).endswith("余"):
        value = _number(exact.group(1))
        return Read(value, () if value is not None else (refused,))
    about = ABOUT_COUNT.fullmatch(plain)
    if about:
        return Read(_number(about.group(1)), (invalid(f"“{shown}”是约数，请填写准确数字"),))
    noted = NOTED_COUNT.fullmatch(plain)
    if noted and (value := _number(noted.group(1))) is not None:
        return Read(value, (uncertain(f"数字后另有文字“{shown}”，请核对"),))
    return Read(None, (refused,))


# ---------------------------------------------------------------- dates

YEAR_DIGITS = str.maketrans("〇零○Ｏ一二三四五六七八九", "0000123456789")
PLAUSIBLE_YEARS = range(2018, 2041)
CHINESE_DATE = re.compile(
    r"([〇零○oO0一二三四五六七八九]{4}|[〇零○一二三四五六七八九]{2}|20\d\d)年(元|[一二三四五六七八九十]{1,3})月(?:([一二三四五六七八九十廿卅]{1,4})[日号]?)?"
)
NUMERIC_DATE = re.compile(r"(\d{4}|\d{2})[年./,、-](\d{1,2}|元)[月./,、-](\d{1,2})[日号]?")
SOLID_DATE = re.compile(r"(20\d\d)(\d\d)(\d\d)")
MONTH_ONLY = re.compile(r"(\d{4}|\d{2})[年./-](\d{1,2}|元)月?(?:[日号])?")
DAY_ONLY = re.compile(r"(\d{1,2})[月./-](\d{1,2})[日号]?")
AFTER_DATE = re.compile(
    r"(?:\(?(?:星期|周|礼拜)[一二三四五六日天]\)?)?(?:T?(?:上午|下午|早上|晚上|中午)?(?:\d{1,2}(?:[::时点]\d{0,2}(?:[::分]\d{0,2})?秒?分?)?)?(?:上午|下午|整|半)?)?[。.,;]?"
)


def day(text: str) -> Read[date | None]:
    """A calendar day; None and a fault where year, month or day is missing or impossible."""
    shown = normalise(text)
    if RAISED.intersection(shown):
        return _beside_raised(shown, day)
    plain = _arabic_date(re.sub(r"[\s_]+", "", _spaced_time(shown)).translate(DASHES).strip("()"))
    if not plain or re.fullmatch(r"[年月日./-]+", plain):
        return Read(None)
    for pattern in (NUMERIC_DATE, SOLID_DATE):
        match = pattern.match(plain)
        if match and AFTER_DATE.fullmatch(plain[match.end() :]):
            return _calendar_day(match.group(1), match.group(2), match.group(3), shown)
    if re.fullmatch(r"[34]\d{4}(?:\.\d+)?", plain):
        value = date(1899, 12, 30) + timedelta(days=int(float(plain)))
        return Read(value, (uncertain(f"“{shown}”是表格软件的日期序号，折合 {value.isoformat()}，请核对"),))
    if MONTH_ONLY.fullmatch(plain) and not DAY_ONLY.fullmatch(plain):
        return Read(None, (Fault(FindingKind.INVALID, Severity.WARNING, f"“{shown}”只有年月，没有具体日期"),))
    if DAY_ONLY.fullmatch(plain):
        return Read(None, (uncertain(f"“{shown}”没有年份"),))
    return Read(None, (Fault(FindingKind.INVALID, Severity.WARNING, f"“{shown}”不是明确的日期"),))


def _spaced_time(text: str) -> str:
    """The text with a clock time after a blank set apart, so that removing blanks does not join day and hour."""
    return re.sub(r"(?<=[\d日号]) +(?=\d{1,2}:\d\d)", "T", text)


def _arabic_date(text: str) -> str:
    """The date with Chinese numerals as digits; other texts unchanged."""
    match = CHINESE_DATE.match(text)
    if not match:
        return text.replace("元月", "1月")
    year, month, day_of_month = match.groups()
    number = 1 if month == "元" else chinese_number(month)
    days = _chinese_day(day_of_month) if day_of_month else None
    digits = re.sub("[oO]", "0", year).translate(YEAR_DIGITS)
    return f"{digits}年{number}月" + (f"{days}日" if days else "") + text[match.end() :]


def _chinese_day(text: str) -> int | None:
    return chinese_number(text.replace("廿", "二十").replace("卅", "三十"))


def _calendar_day(year: str, month: str, day_of_month: str, shown: str) -> Read[date | None]:
    try:
        value = date(
            int(year) if len(year) == 4 else 2000 + int(year),
            1 if month == "元" else int(month),
            int(day_of_month),
        )
    except ValueError:
        return Read(None, (invalid(f"“{shown}”不是有效的日期"),))
    if value.year not in PLAUSIBLE_YEARS:
        return Read(value, (uncertain(f"“{shown}”的年份似有误，请核对"),))
    return Read(value)


# ---------------------------------------------------------------- contacts

MOBILE = r"(?:(?:\+?86|0086)[- ]?)?1[3-9]\d(?:[- ]?\d{4}[- ]?\d{4}|[- ]?\d{3}[- ]?\d{5})(?!\d)"
AREA = r"\(?0\d{2,3}\)?[- ]{0,3}"
LANDLINE = rf"(?:\(?(?:\+?86|0086)\)?[- ]?)?(?:{AREA})?[2-9]\d{{2,3}}[- ]?\d{{4}}(?!\d)"
EXTENSION = r"(?:(?: ?\(?(?:转|分机号?|ext\.?) ?:?|-)(\d{1,6})\)?(?!\d))?"
PHONE = re.compile(rf"(?<![\d*])(?:({MOBILE})|({LANDLINE}){EXTENSION})", re.IGNORECASE)
SAMPLE_PHONE = re.compile(r"(?:^|-)(?:1\d\d)?(\d)\1{6,7}$|^2345678$|^23456789$")
"""Digits that are all the same, or count upwards: what a template has there."""
ANY_NUMBER = re.compile(r"\+?\d(?:[\d*xX ()-]*[\d*])?")
CONTACT_WORDS = re.compile(
    r"(?:联系人|经办人|填报人|填表人|联络人|联络员)?(?:姓名)?(?:联系|办公|移动|固定)?(?:电话|手机|方式|座机|固话|号码|Tel|TEL|tel|Mobile|mobile|Phone|phone)(?:号码?)?[.::]*|(?:联系人|经办人|填报人|填表人|联络人|联络员)(?:姓名)?[::]?|姓名[::]|(?<![\w])[办宅手固][:.](?=[ \d(])|[☎☏📞📱]"
)
OTHER_ADDRESSES = re.compile(
    r"(?:QQ|qq|微信|传真|[Ff]ax|邮编)号?\s*[::]?\s*[\w-]{4,}|(?:电子)?(?:邮箱|邮件)(?:地址)?[::]?|[Ee]-?mail[::]?|职务\s*[::]\s*\w+|\(?(?:微信同号|同微信)\)?"
)
OFFICES = re.compile(
    r"(?:学校|校|党政|党委|党|行政|综合)?(?:办公室|办)|(?:政教|德育|教务|总务|后勤|党务)处|办公室主任|校办主任"
)
MAIL_ADDRESS = re.compile(r"[\w.+-]+@[\w.-]+")
PEOPLE_PARTING = re.compile(
    r"[、,;:/\n|&]|(?<=[一-龥]{2})(?:以及|和|及|与)(?=[一-龥]{2})|\s(?:以及|和|及|与)\s|(?<=;)\s*(?:以及|和|及|与)(?=\s*[一-龥]{2})"
)
"""Between two names; 和 and 及 may be characters of one."""
TITLES = re.compile(r"\([^()]*\)")


@dataclass(frozen=True, slots=True)
class Contact:
    """Whom to ring: names joined by 、 and phones joined by /."""

    name: Read[str | None]
    phone: Read[str | None]


def contact(text: str) -> Contact:
    """Names and phones out of one text, however they are mixed."""
    shown = normalise(text)
    if RAISED.intersection(shown):
        read = contact(shown.translate(WITHOUT_RAISED))
        doubt = uncertain(BESIDE_RAISED.format(shown))
        return Contact(read.name, Read(read.phone.value, (*read.phone.faults, doubt)))
    plain = MAIL_ADDRESS.sub(" ", shown).translate(DASHES)
    plain = CONTACT_WORDS.sub(" ", OTHER_ADDRESSES.sub(" ", plain))
    phones: list[str] = []
    faults: list[Fault] = []

    def collect(match: re.Match[str]) -> str:
        phones.append(_phone(match))
        return ";"

    rest = PHONE.sub(collect, plain)
    faults += [
        Fault(FindingKind.INVALID, Severity.WARNING, f"电话“{phone}”似为示例号码，请核对")
        for phone in phones
        if SAMPLE_PHONE.search(phone)
    ]
    for match in ANY_NUMBER.finditer(rest):
        written = re.sub(r"[ ()]", "", match.group(0)).strip("-")
        digits = re.sub(r"\D", "", written)
        if len(digits) < 3:
            continue
        if not (phones and len(digits) <= 6 and "*" not in written):
            faults.append(invalid(f"电话“{match.group(0).strip()}”的位数或格式不对，请核对"))
        phones.append(written)
    rest = ANY_NUMBER.sub(";", rest)
    phone = "/".join(dict.fromkeys(phones)) or None
    return Contact(Read(_contact_names(rest)), Read(phone, tuple(faults)))


def _phone(match: re.Match[str]) -> str:
    mobile, landline, extension = match.groups()
    if mobile:
        return re.sub(r"\D", "", mobile)[-11:]
    written = re.sub(r"^\(?(?:\+?86|0086)\)?[- ]?", "", landline)
    area = re.match(r"\(?(0\d{2,3})\)?[- ]*(?=[2-9]\d{6,7}$)", re.sub(r"(?<=\d)[- ](?=\d{4}$)", "", written))
    digits = re.sub(r"\D", "", written)
    number = f"{area.group(1)}-{digits[len(area.group(1)) :]}" if area else digits
    return f"{number}-{extension}" if extension else number


def _contact_names(text: str) -> str | None:
    """Names left when the phones are gone; what stands in brackets is a post, unless there is nothing else."""
    plain = re.sub(r"_+", " ", text)
    names = _parted_names(TITLES.sub(" ", plain)) or _parted_names(plain)
    return "、".join(names) or None


def _parted_names(text: str) -> list[str]:
    names: list[str] = []
    for part in PEOPLE_PARTING.split(text):
        names += _names_in(re.sub(r"^[\s.。()\[\]+*-]+|[\s.。()\[\]+*-]+$", "", part))
    cleaned = [name.strip(".。()[]-+*") for name in names]
    found = list(dict.fromkeys(name for name in cleaned if name and name not in NOTHING))
    return [name for name in found if not OFFICES.fullmatch(name)] or found


# ---------------------------------------------------------------- sections

SECTION_END = "科室办处股站心组院"
LEAD_MARK = re.compile(r"\(?(?:为主|牵头|主办|负责牵头|牵头科室|主责|主要负责)\)?")
PLACEHOLDER = re.compile(
    r"\((?:如|例如|例|请|需|需要)[^()]*\)|等?(?:[一二两三四五六\d]个)?(?:有关|相关)?科室(?=$|[\s、,;.(:])|等?(?:市局)?(?:相关|有关)科室(?:配合|协助)?|(?:予以|给予)?(?:配合|协助|支持|协调|帮助)?(?:解决|处理|办理|落实)(?:此项|该|此)?(?:问题|事项)?|请列出具体科室"
)
ASSIST_MARK = re.compile(r"\(?(?:协办|配合|协助|会办|参与|协同)\)?")
LEAD_WORDS = re.compile(
    r"^(?:具体是|具体科室|科室名称|具体|为|是|由|请|需要?|拟请|恳请|建议|主要是|[:,、\s])+(?=\w)"
)


def sections(text: str) -> tuple[str, ...]:
    """Names of sections as written, in order, with (牵头) kept on the leading one."""
    plain = re.sub(r"_+", " ", normalise(text)).replace("\n", "、")
    plain = re.sub(r"(?:牵头|主办)(?:科室|单位)\s*:?\s*([^,、;\s:]+)", r"\1(牵头)", plain)
    plain = re.sub(r"(?:配合|协办|协助|责任|承办|会办|参与)(?:科室|单位)\s*:?", "、", plain)
    plain = PLACEHOLDER.sub(" ", plain)
    parts = _section_parts(plain)
    names = [_section_name(part) for part in parts]
    return tuple(dict.fromkeys(name for name in names if name))


def _section_parts(text: str) -> Sequence[str]:
    text = re.sub(r"(?<=\))(?=[^\s、,;，/(（)）.。:]{2,})", "、", text)
    text = re.sub(r"(?<=牵头|主办|协办|配合|协助|参与)(?=[^\s、,;，/)）])", "、", text)
    text = re.sub(rf"(?<=[{SECTION_END})])\s*(?:以及|和|与|及|并|同)\s*(?=\S{{2,}})", "、", text)
    text = re.sub(rf"(?<=[{SECTION_END})])\s+(?=[^\s(]{{2,}})", "、", text)
    text = re.sub(r"(?<=[科室办])(?=[^\s()、,;/]{2,}[科室办](?:$|[、,;/\s()]))", "、", text)
    return re.split(r"[、,;/|。.+&]|\d\s*[.、)]", text)


def _section_name(part: str) -> str | None:
    lead = bool(LEAD_MARK.search(part))
    bare = LEAD_MARK.sub("", ASSIST_MARK.sub("", part))
    bare = re.sub(r"[\s:]+", "", bare).strip("()[]【】〔〕-等" + QUOTES)
    stripped = LEAD_WORDS.sub("", bare)
    bare = stripped if len(stripped) >= 2 else bare
    if not bare or not re.search(r"\w", bare) or bare in NOTHING:
        return None
    return f"{bare}(牵头)" if lead else bare


SECTION_NICKNAMES = frozenset(
    [
        "安稳",
        "计财",
        "基教",
        "职成",
        "职教",
        "成教",
        "人事",
        "体卫艺",
        "基建",
        "党建",
        "德育",
        "语委",
        "督导",
        "财务",
        "审计",
        "电教",
        "教研",
        "师训",
        "师资",
        "宣传",
        "组织",
        "纪检",
        "工会",
        "团委",
        "法规",
        "资助",
        "后勤",
        "信息",
        "招生",
        "政工",
        "民办",
        "安全",
        "办公",
        "勤管",
        "思政",
        "幼教",
        "特教",
        "学前",
        "高教",
        "规划",
        "综治",
        "体卫",
        "体艺",
        "装备",
        "教科",
    ]
)
SECTION_NAME = re.compile(rf"[\w()]{{1,16}}[{SECTION_END}委会队所部]")


def is_section_like(section: str) -> bool:
    """Whether the name looks like that of a section, and not like words that stood beside one."""
    bare = leads(section)[0]
    if re.search(r"[xX×○*]{2}|^[某×]|示例|具体科室", bare):
        return False
    return bare in SECTION_NICKNAMES or bool(SECTION_NAME.fullmatch(bare))


def leads(section: str) -> tuple[str, bool]:
    """The bare name of a section as read, and whether it was named as the leading one."""
    bare = section.removesuffix("(牵头)")
    return bare, bare != section
