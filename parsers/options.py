"""Which options of 反馈层级 are chosen, and which sections are named, out of a cell's text.

People tick before the option and behind it, cross the box, delete the other option, type over both, make one
bold. Each mark is given to one option; what can be read in two ways carries a fault of kind uncertain.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import Enum

from parsers import fields, glyphs
from parsers.content import TICK_UNKNOWN
from parsers.fields import Fault, uncertain
from parsers.values import FindingKind, Severity

SECRETARY = "secretary"
SECTION = "section"
NAMES: Mapping[str, str] = {SECRETARY: "市委教育工委书记", SECTION: "市局相关科室"}
"""The options as the form prints them."""

OPTIONS: Mapping[str, re.Pattern[str]] = {
    SECRETARY: re.compile(
        r"(?:中共)?(?:贵港)?市?委?教育工委(?:主要)?(?:书记|领导)?|(?:市委)?工委书记|市委书记|(?<![\w])书记(?!一线)"
    ),
    SECTION: re.compile(
        r"(?:市教育局|市局|教育局|局)?(?:的|各)?(?:相关|有关|具体|职能|业务)+(?:职能|业务)?科室|市局科室|市教育局|市局|局科室"
    ),
}
PHRASES = (
    "市委教育工委书记",
    "教育工委书记",
    "市局相关科室",
    "相关科室",
    "具体是",
    "请勾选此项",
    "请列出具体科室",
)
BROKEN = re.compile("|".join(r"\s*".join(phrase) for phrase in PHRASES))
HINT = re.compile(r"\((?P<inside>[^()]*(?:勾选|此项|请列出|协调解决的|配合解决的)[^()]*)\)?")
BARE_HINT = re.compile(r"需(?:要)?(?:报告|市局)[^()\n]*?(?:请勾选此项|勾选)(?:[,、]?请列出具体科室)?")
FILLED_HINT = re.compile(r"具体科室[:,、 ]*(?P<typed>[^:,、 ].*)")
BRACKETED = re.compile(r"[(\[【〔{]\s*(?P<mark>[^\w\s()\[\]【】〔〕{}]|[vVxXyY对])?\s*[)\]】〕}]")
PRIVATE_GLYPHS = {
    0xF0FE: "☑", 0xF0FD: "☑", 0xF078: "☑", 0xF052: "☑", 0xF053: "☑", 0xF054: "☑", 0xF051: "☑", 0xF0FC: "√", 0xF050: "√",
    0xF0A3: "□", 0xF0A8: "□", 0xF06F: "□", 0xF071: "□", 0xF0FB: "×", 0xF04F: "×",
}  # fmt: skip
"""Symbol-font code points that lost their font on the way (PDF, some .doc)."""

UNKNOWN_GLYPH = re.compile("[\uf020-\uf0ff]")


class Mark(Enum):
    ON = "on"
    OFF = "off"
    CROSS = "cross"
    UNKNOWN = "unknown"


MARKS: Mapping[str, Mark] = (
    dict.fromkeys(glyphs.ON, Mark.ON)
    | dict.fromkeys(glyphs.OFF, Mark.OFF)
    | dict.fromkeys(glyphs.CROSS, Mark.CROSS)
    | {TICK_UNKNOWN: Mark.UNKNOWN, "\ufffd": Mark.UNKNOWN}
)
BOXED_CROSS = frozenset("☒⊠")


@dataclass(frozen=True, slots=True)
class Choice:
    """The chosen levels, the sections named, and the doubts about each."""

    levels: tuple[str, ...]
    sections: tuple[str, ...]
    level_faults: tuple[Fault, ...] = ()
    section_faults: tuple[Fault, ...] = ()
    untouched: bool = False
    """Nothing ticked and nothing typed: the cell is as printed."""


@dataclass(slots=True)
class _Option:
    """One option as found in the text."""

    start: int
    end: int
    marks: list[str] = field(default_factory=list)

    def has(self, mark: Mark) -> bool:
        return any(MARKS[char] is mark for char in self.marks)


def choice(text: str, emphasised: Sequence[str] = (), struck: Sequence[str] = ()) -> Choice:
    """What is chosen in the text of a 反馈层级 cell."""
    plain = _prepared(text)
    found = _located(plain)
    faults: list[Fault] = []
    named = _named_sections(plain, found)
    _assign(plain, found, faults)
    levels = _chosen(found, plain, named, emphasised, faults)
    if struck and levels:
        faults.append(uncertain("反馈层级中有划去的文字，请核对选择了哪一项"))
    section_faults: list[Fault] = []
    if SECTION in levels and not named:
        section_faults.append(
            Fault(FindingKind.MISSING, Severity.ERROR, "勾选了“市局相关科室”，但未列出具体科室")
        )
    if named and levels and SECTION not in levels:
        section_faults.append(uncertain("写了具体科室，但未勾选“市局相关科室”"))
    if not all(fields.is_section_like(name) for name in named):
        section_faults.append(uncertain("具体科室的写法不能确定，请核对"))
    if not levels and not faults:
        faults.append(Fault(FindingKind.MISSING, Severity.ERROR, "“反馈层级”未勾选"))
    untouched = (
        not levels and not named and all(MARKS.get(c) in {None, Mark.OFF} for c in plain) and not struck
    )
    return Choice(tuple(levels), named, tuple(faults), tuple(section_faults), untouched)


# ---------------------------------------------------------------- preparing


def _prepared(text: str) -> str:
    """The text normalised, with every mark one glyph and the printed hints gone."""
    drawn = UNKNOWN_GLYPH.sub(TICK_UNKNOWN, text.translate(PRIVATE_GLYPHS))
    plain = _whole(fields.normalise(drawn))
    plain = BRACKETED.sub(_unbracketed, plain)
    plain = HINT.sub(_kept_of_hint, plain)
    plain = BARE_HINT.sub(lambda match: "".join(c for c in match.group(0) if c in MARKS), plain)
    plain = re.sub(r"(?<![A-Za-z])[vV](?![A-Za-z])(?=\s*(?:市|教育|工委|书记|相关|局|$|\n))", "√", plain)
    plain = re.sub(r"(?<![A-Za-z])[xX](?![A-Za-z])(?=\s*(?:市|教育|工委|书记|相关|局))", "×", plain)
    if "£" in plain:
        plain = re.sub(r"(?<![A-Za-z])R(?=\s*(?:市|教育|工委|相关|局))", "☑", plain).replace("£", "□")
    else:
        plain = re.sub(r"(?<![A-Za-z])R(?=\s*(?:市|教育|工委|相关|局))", TICK_UNKNOWN, plain)
    plain = re.sub(r"(?<=书记|科室)[:(]?\s*(?:是|需要)\)?(?=\s|$|[;,、])", "√", plain)
    plain = re.sub(r"(?<=书记|科室)[:(]?\s*(?:否|不需要)\)?(?=\s|$|[;,、])", "×", plain)
    return "\n".join(line.strip() for line in plain.split("\n") if line.strip())


def _whole(text: str) -> str:
    """The text with the printed phrases whole again that a narrow column broke or somebody spaced out."""
    return BROKEN.sub(lambda match: re.sub(r"\s", "", match.group(0)), text)


def _unbracketed(match: re.Match[str]) -> str:
    mark = match.group("mark")
    if mark is None:
        return "□"
    if mark in "xX":
        return "☒"
    if mark in "vVyY对":
        return "√"
    return mark if mark in MARKS else match.group(0)


def _kept_of_hint(match: re.Match[str]) -> str:
    """Nothing of a printed hint but what somebody put into it: a tick, or the sections."""
    inside = match.group("inside")
    marks = "".join(char for char in inside if char in MARKS)
    typed = FILLED_HINT.search(inside)
    return marks + (f" {typed.group('typed')} " if typed else "")


def _located(text: str) -> dict[str, _Option]:
    """The options that stand in the text, in its order."""
    first: dict[str, _Option] = {}
    for name, pattern in OPTIONS.items():
        match = pattern.search(text)
        if match:
            first[name] = _Option(match.start(), match.end())
    return dict(sorted(first.items(), key=lambda item: item[1].start))


# ---------------------------------------------------------------- marks


def _assign(text: str, found: Mapping[str, _Option], faults: list[Fault]) -> None:
    """Gives every mark of the text to one option."""
    options = list(found.values())
    if not options:
        return
    first, last = options[0], options[-1]
    first.marks += _marks(text[: first.start])
    if last is not first:
        _between(text[first.end : last.start], first, last, faults, text[last.end :])
    tail = text[last.end :]
    if not _is_list_of_boxes(tail):
        last.marks += _marks(tail)


def _marks(text: str) -> list[str]:
    return [char for char in text if char in MARKS]


def _between(gap: str, first: _Option, second: _Option, faults: list[Fault], tail: str) -> None:
    """Parts the marks between two options into those behind the first and those before the second."""
    marks = _marks(gap)
    if not marks:
        return
    if "\n" in gap:
        upper, _, lower = gap.rpartition("\n")
        alone = upper.rpartition("\n")[2]
        if (
            first.marks
            and not _marks(lower)
            and alone
            and "\n" in upper
            and all(c in MARKS or c == " " for c in alone)
        ):
            upper, lower = upper[: -len(alone)], alone
        first.marks += _marks(upper)
        second.marks += _marks(lower)
        return
    boxed_first = bool(first.marks)
    if len(marks) == 1:
        _single(gap, marks[0], first, second, faults, boxed_first, bool(_marks(tail)))
        return
    if not boxed_first:
        first.marks += marks[:1]
        second.marks += marks[1:]
        if (
            not re.search(r"\s", gap.strip("".join(MARKS)))
            and MARKS[marks[0]] is Mark.ON
            and len(set(marks)) > 1
        ):
            faults.append(uncertain("勾选标记在两个选项之间，不能确定属于哪一项"))
        return
    first.marks += marks[:-1]
    second.marks += marks[-1:]
    touching = re.search(r"(\S)(\S)$", gap.rstrip())
    if touching and touching.group(1) in MARKS and MARKS[touching.group(1)] is not MARKS[touching.group(2)]:
        faults.append(uncertain("勾选标记在两个选项之间，不能确定属于哪一项"))


def _single(
    gap: str,
    mark: str,
    first: _Option,
    second: _Option,
    faults: list[Fault],
    boxed_first: bool,
    marked_behind: bool,
) -> None:
    if boxed_first:
        second.marks.append(mark)
        return
    before, _, behind = gap.partition(mark)
    if marked_behind or (
        behind.strip(" ,、;") != behind and before == before.rstrip() and not before.strip()
    ):
        first.marks.append(mark)
    elif not behind and before != before.rstrip():
        second.marks.append(mark)
    else:
        first.marks.append(mark)
        if MARKS[mark] is not Mark.OFF:
            faults.append(uncertain("勾选标记在两个选项之间，不能确定属于哪一项"))


def _is_list_of_boxes(tail: str) -> bool:
    """Whether the sections behind the option have boxes of their own."""
    return len(re.findall(rf"[{''.join(glyphs.ON | glyphs.OFF)}]\s*\w+?[{fields.SECTION_END}]", tail)) >= 2


# ---------------------------------------------------------------- deciding


def _chosen(
    found: Mapping[str, _Option],
    text: str,
    named: Sequence[str],
    emphasised: Sequence[str],
    faults: list[Fault],
) -> list[str]:
    """The levels that the marks choose, with a fault where they do not say it clearly."""
    if any(option.has(Mark.UNKNOWN) for option in found.values()) or (TICK_UNKNOWN in text and not found):
        faults.append(uncertain("看不清反馈层级的方框是否勾选"))
    on = [name for name, option in found.items() if option.has(Mark.ON)]
    crossed = [name for name, option in found.items() if option.has(Mark.CROSS)]
    if set(on) & set(crossed):
        faults.append(uncertain("反馈层级同一选项既有勾又有叉"))
    if on:
        if any(set(found[name].marks) & BOXED_CROSS for name in crossed):
            faults.append(uncertain("反馈层级一项打勾、一项打叉，请核对是否两项都选"))
        return _ordered(on)
    if crossed:
        boxed = all(set(found[name].marks) & BOXED_CROSS for name in crossed)
        faults.append(uncertain("反馈层级以“×”作标记，请核对是选择还是否定"))
        return _ordered(crossed) if len(crossed) == 1 and boxed else []
    if faults:
        return []
    if not found:
        return _typed_over(text, named, faults)
    return _unmarked(found, named, emphasised, faults)


def _ordered(levels: Sequence[str]) -> list[str]:
    return [name for name in (SECRETARY, SECTION) if name in levels]


def _typed_over(text: str, named: Sequence[str], faults: list[Fault]) -> list[str]:
    """Neither option stands there: somebody typed the sections, or something else."""
    if any(char in MARKS and MARKS[char] is not Mark.OFF for char in text):
        faults.append(uncertain("反馈层级有勾选标记，但不知道勾的是哪一项"))
        return []
    if named and all(re.search(rf"[{fields.SECTION_END}](?:\(牵头\))?$", name) for name in named):
        return [SECTION]
    if re.sub(r"\W", "", text) and text not in fields.NOTHING:
        faults.append(uncertain(f"反馈层级的填写“{text[:20]}”不能确定对应哪一项"))
        return [SECTION] if named else []
    return []


def _unmarked(
    found: Mapping[str, _Option], named: Sequence[str], emphasised: Sequence[str], faults: list[Fault]
) -> list[str]:
    """No box is ticked: the other option may be gone, one may be bold, or sections may be named all the same."""
    boxed = [name for name, option in found.items() if option.marks]
    if len(found) == 1:
        if boxed:
            faults.append(uncertain("另一选项已删去，但保留的方框未勾选，请核对"))
            return list(found) if _is_filled(found, named) else []
        return list(found)
    marked = _emphasised(found, emphasised)
    if len(marked) == 1:
        faults.append(uncertain(f"“反馈层级”未勾选，只有“{NAMES[marked[0]]}”加粗或加下划线，请核对"))
        return marked
    if len(boxed) == 1:
        faults.append(uncertain("反馈层级只有一项前有方框，且未勾选，请核对"))
        return [name for name in found if name not in boxed]
    if named:
        faults.append(uncertain("写了具体科室，但“反馈层级”未勾选"))
        return [SECTION]
    if not boxed:
        faults.append(uncertain("反馈层级两个选项前都没有方框，不能确定选择了哪一项"))
    return []


def _is_filled(found: Mapping[str, _Option], named: Sequence[str]) -> bool:
    return SECRETARY in found or bool(named)


def _emphasised(found: Mapping[str, _Option], emphasised: Sequence[str]) -> list[str]:
    pieces = [fields.normalise(piece) for piece in emphasised]
    pieces = [HINT.sub("", piece) for piece in pieces]
    return _ordered([name for name in found if any(OPTIONS[name].search(piece) for piece in pieces)])


# ---------------------------------------------------------------- sections


def _named_sections(text: str, found: Mapping[str, _Option]) -> tuple[str, ...]:
    """The sections named behind 市局相关科室, or in a text without options."""
    option = found.get(SECTION)
    if option is None:
        if SECRETARY in found:
            rest = text[: found[SECRETARY].start] + "\n" + text[found[SECRETARY].end :]
        else:
            rest = text
        return _names(rest) if re.search(r"具体是|[科室办](?:\W|$)", rest) else ()
    later = [other.start for other in found.values() if other.start > option.start]
    return _names(text[option.end : min(later, default=len(text))])


def _names(text: str) -> tuple[str, ...]:
    if _is_list_of_boxes(text):
        text = "、".join(re.findall(rf"[{''.join(glyphs.ON)}]\s*([^{''.join(MARKS)}]+)", text))
    plain = "".join(" " if char in MARKS else char for char in text)
    plain = re.sub(r"^[\s,、.:;()]*(?:具体是|具体为|具体科室|具体|即|是|为)?[\s,、:;]*", "", plain)
    return fields.sections(plain)
