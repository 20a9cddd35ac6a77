"""Which problems are alike, and why: shared pieces of text, weighed by how rare they are. Pure.

A problem's text is cut into pairs of neighbouring characters, which need no dictionary. Only the rarest
pairs of each text are indexed, so that tens of thousands of problems are compared in seconds; the why is
told in words that stand in both texts.
"""

from __future__ import annotations

import math
import re
import unicodedata
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

PAIRS_KEPT = 28
"""How many of its rarest pairs stand for a text."""
COMMON = 400
"""A pair that more texts share tells nothing and is not indexed."""
THRESHOLD = 0.3
WORDS_SHOWN = 4
LONGEST_TEXT = 400
GENERIC = (
    *("我校", "学校", "问题", "建议", "希望", "请求", "解决", "协调", "支持", "目前", "存在", "有关", "相关"),
    *(
        "部门",
        "教育局",
        "市委",
        "工委",
        "书记",
        "进行",
        "需要",
        "上级",
        "情况",
        "难点",
        "工作",
        "不足",
        "贵港市",
    ),
)
"""Words of every report; they make no two problems alike."""
SHORTEST_PHRASE = 3
"""A shorter piece is shown only if it is known to be a word."""
LONGEST_SHOWN = 12
_WORDS = (
    "安全 编制 办公 班级 操场 厕所 草坪 产权 车辆 车位 程序 充电 宿舍 道路 灯具 电力 电脑 电梯 电网 地面"
    " 地块 队伍 儿童 风险 辅导 干部 岗位 隔音 公寓 公厕 供水 供电 管道 管理 管网 规划 护栏 环境"
    " 活动 饮水 基建 家长 家属 价格 建筑 健康 交通 教材 教辅 教师 教室 教学 教育 接送 节能 经费 课程 课后"
    " 空调 空间 老师 理论 楼顶 楼梯 漏水 路灯 路口 门口 门卫 门窗 面积 牌照 培训 跑道 配电 平台 器材 青年 球场"
    " 区域 渠道 热水 人员 人才 任务 设备 设施 师生 师资 施工 时段 食品 食堂 实验 视力 室外 室内 书籍 书本 水电"
    " 水管 水质 体育 天桥 停车 通道 图书 土地 屋顶 网络 网线 围墙 维修 卫生 污水 消防 校车 校服 校门 校区 校舍"
    " 校园 心理 信号 信息 学费 学籍 学科 学生 学位 学员 学历 学期 压力 隐患 用地 用电 用房 幼儿 雨水 园区 运动"
    " 照度 照明 征地 证书 职称 职工 质量 治安 住房 专业 专任 专职 资金 资料 噪声 噪音 周边 住宿 桌椅 走廊"
)
WORDS = frozenset(_WORDS.split())
"""Words of two characters, as reports of schools have them: a phrase that is shown cuts none in half."""
NOT_FIRST = frozenset("了或被把将已也都并但而该各每所个间等着")
NOT_LAST = frozenset("了或被把将已也都并但而该各每不未无没有在从向到于等着")
BETWEEN_PARTICLES = re.compile("[^ 的是和与及]+")
SEPARATOR = re.compile(r"[^\u4e00-\u9fffa-z0-9]+")
NUMBERS = re.compile(r"[0-9]+")


@dataclass(frozen=True, slots=True)
class Subject:
    """One problem as far as its likeness to others goes."""

    number: str
    problem: str
    details: str = ""
    unit: str = ""


@dataclass(frozen=True, slots=True)
class Likeness:
    """Another problem that is held similar, how much (0 to 1), and in Chinese why."""

    number: str
    score: float
    why: str


@dataclass(frozen=True, slots=True)
class Group:
    """Problems alike among themselves, the earliest first."""

    numbers: tuple[str, ...]
    units: int
    """How many different units report them: 普遍性."""
    why: str


@dataclass(frozen=True, slots=True)
class Index:
    """All known problems, ready to be asked."""

    subjects: Mapping[str, Subject]
    weights: Mapping[str, Mapping[str, float]]
    """Number -> its pairs with their weights, together of length 1."""
    postings: Mapping[str, tuple[str, ...]]
    """Pair -> numbers that have it."""
    rarity: Mapping[str, float]


def index(subjects: Iterable[Subject]) -> Index:
    """The index of all problems; linear in their number."""
    known = {subject.number: subject for subject in subjects}
    counts = {number: _pairs(subject) for number, subject in known.items()}
    frequency: Counter[str] = Counter()
    for pairs in counts.values():
        frequency.update(pairs.keys())
    total = len(known)
    rarity = {pair: math.log(1 + total / count) for pair, count in frequency.items()}
    ceiling = max(COMMON, total // 50)
    weights: dict[str, dict[str, float]] = {}
    postings: defaultdict[str, list[str]] = defaultdict(list)
    for number, pairs in counts.items():
        weights[number] = _weighed(pairs, rarity)
        for pair in weights[number]:
            if 2 <= frequency[pair] <= ceiling:
                postings[pair].append(number)
    return Index(known, weights, {pair: tuple(numbers) for pair, numbers in postings.items()}, rarity)


def similar(known: Index, number: str, threshold: float = THRESHOLD, limit: int = 10) -> tuple[Likeness, ...]:
    """The problems most like one that is in the index, the most like first."""
    own = known.weights.get(number)
    if own is None:
        return ()
    scores: defaultdict[str, float] = defaultdict(float)
    for pair, weight in own.items():
        for other in known.postings.get(pair, ()):
            if other != number:
                scores[other] += weight * known.weights[other][pair]
    best = sorted(((score, other) for other, score in scores.items() if score >= threshold), reverse=True)
    found = (
        Likeness(other, round(min(score, 1.0), 3), why(known, number, other))
        for score, other in best[: limit * 2]
    )
    return tuple(likeness for likeness in found if likeness.why)[:limit]


def groups(known: Index, numbers: Sequence[str], threshold: float = THRESHOLD) -> tuple[Group, ...]:
    """The given problems gathered with those among them that are alike; each stands in one group.

    A problem joins the group of the earlier one that it is most like, not of whatever hangs together
    over many links: a chain of half-alike problems would end in one heap.
    """
    wanted = set(numbers)
    leader: dict[str, str] = {}
    for number in numbers:
        near = [like.number for like in similar(known, number, threshold, limit=30) if like.number in wanted]
        first = next((other for other in near if leader.get(other) == other), None)
        leader[number] = first or number
    members: defaultdict[str, list[str]] = defaultdict(list)
    for number in numbers:
        members[leader[number]].append(number)
    return tuple(_group(known, gathered) for gathered in members.values())


def _group(known: Index, numbers: Sequence[str]) -> Group:
    units = len({known.subjects[number].unit or number for number in numbers})
    reason = why(known, numbers[0], numbers[1]) if len(numbers) > 1 else ""
    return Group(tuple(numbers), units, reason)


def why(known: Index, first: str, second: str) -> str:
    """共同词语：教室照明、照度不达标 — the rarest phrases that both have; empty if they share nothing."""
    mine, other = _text(known.subjects[first]), _text(known.subjects[second])
    spans = list(_runs(mine, other))
    phrases = _rarest(known, {phrase for start, end in spans for phrase in _phrases(mine, start, end, other)})
    if phrases:
        return f"共同词语：{'、'.join(phrases)}"
    return "文字表述相近" if spans else ""


def _rarest(known: Index, phrases: Iterable[str]) -> list[str]:
    """The weightiest few of the phrases, none of them a part of another."""
    weighed = {
        phrase: sum(known.rarity.get(phrase[at : at + 2], 0) for at in range(len(phrase) - 1))
        for phrase in phrases
    }
    best: list[str] = []
    for phrase in sorted(weighed, key=lambda text: (-weighed[text], text)):
        if not any(phrase in chosen for chosen in best):
            best.append(phrase)
    return [f"{phrase[:LONGEST_SHOWN]}……" if len(phrase) > LONGEST_SHOWN else phrase for phrase in best][
        :WORDS_SHOWN
    ]


def _runs(text: str, other: str) -> Iterator[tuple[int, int]]:
    """Where the longest pieces of the text stand that the other text has too; none lies within another."""
    end = told = 0
    for start in range(len(text) - 1):
        end = max(end, start)
        while end < len(text) and text[start : end + 1] in other:
            end += 1
        if end > told and end - start >= 2:
            told = end
            yield start, end


def _phrases(text: str, start: int, end: int, other: str) -> Iterator[str]:
    """What a reader takes for words in a common piece: cut at particles, without half words at its ends."""
    shift = other.find(text[start:end]) - start
    for found in BETWEEN_PARTICLES.finditer(text, start, end):
        first, last = found.span()
        while first < last and (
            text[first] in NOT_FIRST or _cuts_a_word(text, first) or _cuts_a_word(other, first + shift)
        ):
            first += 1
        while first < last and (
            text[last - 1] in NOT_LAST or _cuts_a_word(text, last) or _cuts_a_word(other, last + shift)
        ):
            last -= 1
        phrase = text[first:last]
        if phrase in WORDS or (len(phrase) >= SHORTEST_PHRASE and not phrase.isdecimal()):
            yield phrase


def _cuts_a_word(text: str, at: int) -> bool:
    """Whether a border between two characters goes through a word."""
    return text[max(at - 1, 0) : at + 1] in WORDS


def _text(subject: Subject) -> str:
    """The words that count, with blanks where something generic stood."""
    whole = f"{subject.problem} {subject.details[:LONGEST_TEXT]}"
    plain = unicodedata.normalize("NFKC", whole).lower()
    if subject.unit:
        plain = plain.replace(subject.unit.lower(), " ")
    return SEPARATOR.sub(" ", GENERIC_WORDS.sub(" ", plain))


GENERIC_WORDS = re.compile("|".join(GENERIC))


def _pairs(subject: Subject) -> Counter[str]:
    """How often each pair of neighbouring characters stands in the text; the title counts twice."""
    title = _text(Subject(subject.number, subject.problem, unit=subject.unit))
    pairs: Counter[str] = Counter()
    for text, weight in ((title, 1), (_text(subject), 1)):
        for piece in NUMBERS.sub(" ", text).split():
            for at in range(len(piece) - 1):
                pairs[piece[at : at + 2]] += weight
    return pairs


def _weighed(pairs: Counter[str], rarity: Mapping[str, float]) -> dict[str, float]:
    """The weightiest pairs, scaled to length 1.

    The length is that of all pairs: two long texts that share a corner are not alike.
    """
    weights = {pair: (1 + math.log(count)) * rarity[pair] for pair, count in pairs.items()}
    length = math.sqrt(sum(weight * weight for weight in weights.values())) or 1.0
    kept = sorted(weights, key=lambda pair: (-pairs[pair], -weights[pair], pair))[:PAIRS_KEPT]
    return {pair: weights[pair] / length for pair in kept}
