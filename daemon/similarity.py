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
    """共同词语：教室照明、照度 — the rarest pieces of text that both have; empty if only generic ones."""
    words = _shared(known, first, second)
    return f"共同词语：{'、'.join(words)}" if words else ""


def _shared(known: Index, first: str, second: str) -> list[str]:
    other = _text(known.subjects[second])
    weighed: dict[str, float] = {}
    for run in _runs(_text(known.subjects[first]), other):
        weighed[run] = sum(known.rarity.get(run[at : at + 2], 0) for at in range(len(run) - 1))
    best: list[str] = []
    for run in sorted(weighed, key=lambda text: -weighed[text]):
        if not any(run in chosen for chosen in best):
            best.append(run)
    return best[:WORDS_SHOWN]


def _runs(text: str, other: str) -> Iterator[str]:
    """The longest pieces of the text, of two to twelve characters, that the other text has too."""
    start = 0
    while start < len(text) - 1:
        length = 0
        while start + length < len(text) and length < 12 and text[start : start + length + 1] in other:
            length += 1
        piece = text[start : start + length].strip()
        if len(piece) >= 2 and " " not in piece and not piece.isdecimal():
            yield piece
        start += max(length, 1)


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
