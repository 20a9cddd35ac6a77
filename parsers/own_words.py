"""What the sender wrote himself, parted from what his mail program quoted, in text and in HTML.

Commands and forms are read from a sender's own words only, so a doubtful line counts as quoted where a
quotation has begun, and as his own where none has.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

from lxml import etree, html as lxml_html

DASHES = r"[-_—–=*~﹣－]"
SEPARATOR_WORDS = (
    r"原始邮件信息|原始邮件|原始信息|原始訊息|原始郵件|原邮件|邮件原件|原件|回复的原邮件|回复的邮件|转发的邮件|转发邮件信息"
    r"|转发邮件|转发的原邮件|转发信息|轉寄郵件|转寄邮件|转发消息|被转发邮件|original message|original mail|original"
    r"|forwarded message|forwarded mail|forward message|replied message|reply message|weitergeleitete nachricht"
    r"|回复请写在此线以上|ursprüngliche nachricht|message d'origine|mensaje original|forwarded by [^-]*"
)
SEPARATORS = (
    re.compile(rf"^{DASHES}{{2,}}\s*(?:{SEPARATOR_WORDS})\s*{DASHES}{{2,}}$", re.IGNORECASE),
    re.compile(rf"^{DASHES}{{3,}}\s*(?:{SEPARATOR_WORDS})\s*[:：]?$", re.IGNORECASE),
    re.compile(
        r"^(?:begin forwarded message|开始转发的邮件|下面是被转发的邮件|以下是转发的邮件|以下为转发内容)\s*[:：]?$",
        re.IGNORECASE,
    ),
    re.compile(r"^原始邮件\s*[:：]?$|^回复的原邮件\s*[:：]?$"),
)
"""Lines after which all is quoted."""

FORWARDED = re.compile(r"转发|轉寄|转寄|forward|weitergeleitet", re.IGNORECASE)
FORWARD_SUBJECT = re.compile(r"^\s*(?:转发|轉寄|转寄|fw|fwd|wg|tr)\s*[:：]", re.IGNORECASE)

HEADER_LABELS: tuple[tuple[str, re.Pattern[str]], ...] = tuple(
    (name, re.compile(rf"^[*>\s]*(?:{words})\s*[*]*\s*[:：]", re.IGNORECASE))
    for name, words in (
        ("from", r"发\s*件\s*人|发信人|寄件者|寄件人|發件人|from|von|de"),
        (
            "date",
            r"发送时间|发送日期|发件时间|发件日期|寄件日期|傳送日期|发送于|日\s*期|时\s*间|date|sent|gesendet|datum",
        ),
        ("to", r"收\s*件\s*人|收信人|收件者|to|an"),
        ("cc", r"抄\s*送(?:人)?|副本|cc|密送|bcc"),
        ("subject", r"主\s*题|主\s*旨|标\s*题|邮件主题|subject|betreff"),
    )
)
"""Labels of the little head that clients put over a quoted mail."""
HEADER_WINDOW = 8

ATTRIBUTION_END = re.compile(
    r"(?:写道|寫道|编写|wrote|writes|schrieb|a écrit|escribió)\s*[:：]?\s*$", re.IGNORECASE
)
ATTRIBUTION_FACT = re.compile(r"\d{1,4}\s*[年/.-]\s*\d{1,2}|\d{1,2}:\d{2}|[\w.+-]+@[\w.-]+|<mailto:")
ATTRIBUTION_START = re.compile(
    r"^(?:在|于|於|on|at|am|le|el|发自|\d{4}|[^:：]{1,60}(?:于|在|<|＜|@))", re.IGNORECASE
)
ATTRIBUTION_LINES = 4

SIGNATURE_DELIMITER = re.compile(r"^--\s*$")
CLIENT_STAMPS = re.compile(
    r"^[\s|-]*(?:"
    r"发自(?:我的|网易|手机|新浪|小米|华为|vivo|oppo|荣耀|qq|foxmail|钉钉|移动|139|139邮箱|outlook|iphone|ipad|android|\s).{0,40}"
    r"|发送自\s*.{1,40}|从我的.{1,20}发送|来自我的.{1,20}|从\s*windows\s*版邮件发送|用我的.{1,20}发送"
    r"|sent from (?:my|mail|outlook|yahoo|samsung|huawei).{0,60}|sent via .{1,40}|get outlook for .{1,30}|获取\s*outlook for .{1,30}"
    r"|签名由\s*网易邮箱大师\s*定制|由\s*网易邮箱大师\s*发送|通过\s*.{1,20}邮箱(?:客户端)?发送|下载适用于.{1,30}"
    r"|(?:来自|自)\s*(?:qq邮箱|foxmail|网易邮箱大师).{0,20}"
    r")[\s|.。]*$",
    re.IGNORECASE,
)
"""Lines that the mail program adds, not the sender."""

QUOTE_CLASSES = re.compile(
    r"gmail_quote|gmail_extra|yahoo_quoted|moz-cite-prefix|moz-forward-container|protonmail_quote|tutanota_quote"
    r"|replymsg|qmbox_quote|ntes-mailmaster-quote|WordSection_quoted|x_gmail_quote",
    re.IGNORECASE,
)
QUOTE_IDS = re.compile(
    r"^(?:isReplyContent|isForwardContent|divRplyFwdMsg|reply-intro|appendonsend|mail-editor-reference-message-container"
    r"|ntes-pcmac-.*quote|oriMailContent|x_isReplyContent|origbody|spnEditorSign_quote)$",
    re.IGNORECASE,
)
TO_THE_END_IDS = re.compile(r"^(?:divRplyFwdMsg|appendonsend|isForwardContent)$", re.IGNORECASE)
QUOTE_TAGS = frozenset({"includetail"})
BREAKING = frozenset(
    "p div br tr li ul ol table h1 h2 h3 h4 h5 h6 blockquote pre hr dt dd section article center form title".split()  # noqa: SIM905
)
CONCEALED = re.compile(r"display\s*:\s*none", re.IGNORECASE)
INVISIBLE = frozenset({"script", "style", "head", "title", "meta", "link", "noscript", "template"})
MAX_PIECES = 100_000
NOT_XML = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")
"""Characters that a tree does not take back, though HTML may name them."""


@dataclass(frozen=True, slots=True)
class Parted:
    """A text, parted into the sender's own words and what was quoted below or between."""

    own: str
    quoted: str
    forwarded: bool = False
    """The quotation is marked as a forwarded mail."""


@dataclass(frozen=True, slots=True)
class PartedMarkup:
    """An HTML body: the same text parted, and the markup of either part."""

    text: Parted
    own: str
    quoted: str


def parted(text: str) -> Parted:
    """The sender's own words in a plain text, and the quoted rest."""
    lines = text.replace("\r\n", "\n").replace("\r", "\n").split("\n")
    flags = _quoted_lines(lines)
    own = [line for line, quoted in zip(lines, flags, strict=True) if not quoted]
    rest = [line for line, quoted in zip(lines, flags, strict=True) if quoted]
    return Parted(
        own=without_signature("\n".join(own)),
        quoted="\n".join(line.lstrip("> ") if line.startswith(">") else line for line in rest).strip(),
        forwarded=any(FORWARDED.search(line) and _is_separator(line.strip()) for line in rest),
    )


def without_signature(text: str) -> str:
    """A text without the block below a signature delimiter and without the mail program's own lines."""
    kept: list[str] = []
    for line in text.split("\n"):
        if SIGNATURE_DELIMITER.match(line.strip("\xa0 \t\u3000")) and any(each.strip() for each in kept):
            break
        if not CLIENT_STAMPS.match(line.replace("\xa0", " ")):
            kept.append(line.replace("\xa0", " ").rstrip())
    return re.sub(r"\n{3,}", "\n\n", "\n".join(kept)).strip()


def _quoted_lines(lines: Sequence[str]) -> list[bool]:
    """For each line whether it is quoted."""
    flags = [False] * len(lines)
    index = 0
    while index < len(lines):
        line = lines[index].replace("\xa0", " ").strip()
        if line.startswith((">", "＞")):
            flags[index] = True
            index += 1
            continue
        if _is_separator(line) or _is_head(lines, index):
            return flags[:index] + [True] * (len(lines) - index)
        length = _attribution(lines, index)
        if not length:
            index += 1
            continue
        flags[index : index + length] = [True] * length
        index += length
        if not _marked_quotation_follows(lines, index):
            return flags[:index] + [True] * (len(lines) - index)
    return flags


def _is_separator(line: str) -> bool:
    return len(line) < 120 and any(pattern.match(line) for pattern in SEPARATORS)


def _is_head(lines: Sequence[str], index: int) -> bool:
    """Whether a quoted mail's head begins here: a sender's label and two more within a few lines."""
    first = _label(lines[index])
    if first not in ("from", "date", "subject", "to"):
        return False
    seen = {first}
    followed = 0
    for line in lines[index + 1 : index + 2 * HEADER_WINDOW]:
        if not line.strip("\xa0 \t|"):
            continue
        followed += 1
        if followed > HEADER_WINDOW:
            break
        label = _label(line)
        if label:
            seen.add(label)
    return "from" in seen and len(seen) >= 3 and (first == "from" or "subject" in seen)


def _label(line: str) -> str | None:
    line = line.replace("\xa0", " ").strip(" \t|*>")
    if len(line) > 400:
        return None
    return next((name for name, pattern in HEADER_LABELS if pattern.match(line)), None)


def _attribution(lines: Sequence[str], index: int) -> int:
    """How many lines from here say “on … somebody wrote:”; 0 if none do."""
    first = lines[index].replace("\xa0", " ").strip()
    if not first or not ATTRIBUTION_START.match(first):
        return 0
    joined = ""
    for length in range(1, ATTRIBUTION_LINES + 1):
        if index + length > len(lines):
            return 0
        line = lines[index + length - 1].replace("\xa0", " ").strip()
        if not line and length > 1:
            return 0
        joined = f"{joined} {line}".strip()
        if len(joined) > 400:
            return 0
        if ATTRIBUTION_END.search(joined):
            return length if ATTRIBUTION_FACT.search(joined) else 0
    return 0


def _marked_quotation_follows(lines: Sequence[str], index: int) -> bool:
    for line in lines[index:]:
        if line.strip():
            return line.lstrip().startswith((">", "＞"))
    return True


# ------------------------------------------------------------------ HTML


@dataclass(slots=True)
class _Piece:
    """One text in the tree: an element's own text or what follows it."""

    element: etree._Element
    is_tail: bool
    text: str
    line: int
    quoted: bool = False


def parted_markup(markup: str, is_reply: bool = False) -> PartedMarkup:
    """The sender's own part of an HTML body and the quoted one, as text and as markup."""
    root = _tree(markup)
    if root is None:
        return PartedMarkup(Parted("", ""), "", "")
    pieces = list(_pieces(root, is_reply))
    lines = _lines(pieces)
    flags = _quoted_lines(lines)
    _spread(pieces, lines, flags)
    quoted_text = "\n".join(line for line, flag in zip(_lines(pieces, True), flags, strict=True)).strip()
    own_lines = [line for line, flag in zip(_lines(pieces, False), flags, strict=True) if not flag]
    text = Parted(
        own=without_signature(_squeezed(own_lines)),
        quoted=_squeezed(quoted_text.split("\n")),
        forwarded=any(FORWARDED.search(line) and _is_separator(line.strip()) for line in lines),
    )
    if not any(piece.quoted for piece in pieces):
        return PartedMarkup(text, markup, "")
    return PartedMarkup(text, _without(root, pieces, True), _without(_tree(markup), None, False, pieces))


def text_of(markup: str) -> str:
    """The visible text of an HTML body, a line a block."""
    root = _tree(markup)
    return "" if root is None else _squeezed(_lines(list(_pieces(root, False))))


def _tree(markup: str) -> etree._Element | None:
    if not markup.strip():
        return None
    parser = lxml_html.HTMLParser(huge_tree=False, remove_comments=True, remove_pis=True, encoding="utf-8")
    try:
        return lxml_html.document_fromstring(
            NOT_XML.sub(" ", markup).encode("utf-8", "replace"), parser=parser
        )
    except (etree.LxmlError, ValueError, AssertionError):
        return None


def _pieces(root: etree._Element, is_reply: bool) -> Iterator[_Piece]:
    """Every visible text in document order with its line and whether a quoting element holds it."""
    line = 0
    depth = 0
    to_the_end = False
    concealed = 0
    count = 0
    for event, element in etree.iterwalk(root, events=("start", "end")):
        tag = element.tag if isinstance(element.tag, str) else ""
        if event == "start":
            if tag in INVISIBLE:
                continue
            concealed += _concealed(element)
            quoting, rest = _quoting(element, tag, is_reply)
            depth += quoting
            to_the_end = to_the_end or rest
            line += tag in BREAKING
            text, is_tail = element.text, False
        else:
            if tag not in INVISIBLE:
                concealed -= _concealed(element)
                depth -= _quoting(element, tag, is_reply)[0]
                line += tag in BREAKING and tag != "br"
            text, is_tail = element.tail, True
        if concealed or _hidden(element, is_tail) or not text:
            continue
        count += 1
        if count > MAX_PIECES:
            return
        for number, part in enumerate(text.split("\n") if _preformatted(element, is_tail) else [text]):
            line += number > 0
            yield _Piece(element, is_tail, part, line, depth > 0 or to_the_end)


def _concealed(element: etree._Element) -> bool:
    return CONCEALED.search(element.get("style") or "") is not None


def _hidden(element: etree._Element, is_tail: bool) -> bool:
    holder = element.getparent() if is_tail else element
    return holder is not None and holder.tag in INVISIBLE


def _preformatted(element: etree._Element, is_tail: bool) -> bool:
    holder = element.getparent() if is_tail else element
    return holder is not None and (holder.tag == "pre" or "pre-wrap" in (holder.get("style") or ""))


def _quoting(element: etree._Element, tag: str, is_reply: bool) -> tuple[int, bool]:
    """Whether the element holds a quotation (1 or 0), and whether all after it is quoted as well."""
    name = element.get("id") or ""
    if tag in QUOTE_TAGS:
        return 1, False
    if name and QUOTE_IDS.match(name):
        return 1, bool(TO_THE_END_IDS.match(name))
    if tag == "blockquote":
        cited = element.get("type") == "cite" or element.get("cite") is not None or is_reply
        return int(cited), False
    if QUOTE_CLASSES.search(element.get("class") or ""):
        return 1, False
    return 0, False


def _lines(pieces: Sequence[_Piece], quoted: bool | None = None) -> list[str]:
    """The pieces joined line by line; of the quoted or unquoted ones only, if asked."""
    last = pieces[-1].line if pieces else 0
    lines = [""] * (last + 1)
    for piece in pieces:
        if quoted is None or piece.quoted is quoted:
            lines[piece.line] += re.sub(r"[ \t\r\n\f]+", " ", piece.text)
    return lines


def _squeezed(lines: Sequence[str]) -> str:
    """Lines as text: blank ones between blocks once."""
    return re.sub(r"\n{3,}", "\n\n", "\n".join(line.replace("\xa0", " ").strip() for line in lines)).strip()


def _spread(pieces: list[_Piece], lines: Sequence[str], flags: list[bool]) -> None:
    """Marks pieces on quoted lines as quoted, and attribution lines over a quoting element too."""
    for piece in pieces:
        piece.quoted = piece.quoted or flags[piece.line]
    for before, after in pairwise(_by_line(pieces)):
        if after[0].quoted and not before[0].quoted and _is_attribution_tail(lines, before[0].line):
            for piece in before:
                piece.quoted = True


def _by_line(pieces: Sequence[_Piece]) -> list[list[_Piece]]:
    grouped: list[list[_Piece]] = []
    for piece in pieces:
        if not piece.text.strip():
            continue
        if grouped and grouped[-1][0].line == piece.line:
            grouped[-1].append(piece)
        else:
            grouped.append([piece])
    return grouped


def _is_attribution_tail(lines: Sequence[str], index: int) -> bool:
    line = lines[index].replace("\xa0", " ").strip()
    return bool(ATTRIBUTION_END.search(line) and ATTRIBUTION_FACT.search(line) and len(line) < 400)


def _without(
    root: etree._Element | None, pieces: Sequence[_Piece] | None, quoted: bool, flagged: Sequence[_Piece] = ()
) -> str:
    """The markup with the texts of one part taken out; its empty frame may remain."""
    if root is None:
        return ""
    if pieces is None:
        pieces = [
            _Piece(piece.element, piece.is_tail, piece.text, piece.line, flag.quoted)
            for piece, flag in zip(_pieces(root, False), flagged, strict=False)
        ]
    kept: dict[tuple[int, bool], list[str]] = {}
    for piece in pieces:
        texts = kept.setdefault((id(piece.element), piece.is_tail), [])
        if piece.quoted is not quoted:
            texts.append(piece.text)
    for piece in pieces:
        remaining = NOT_XML.sub(" ", "\n".join(kept[id(piece.element), piece.is_tail])) or " "
        if piece.is_tail:
            piece.element.tail = remaining
        else:
            piece.element.text = remaining
    _prune(root)
    markup: str = etree.tostring(root, encoding="unicode", method="html")
    return markup


def _prune(root: etree._Element) -> None:
    """Takes out tables that have lost all their text, so that they are not taken for blank forms."""
    for table in list(root.iter("table")):
        parent = table.getparent()
        if parent is None or "".join(map(str, table.itertext())).strip():
            continue
        if table.find(".//img") is not None:
            continue
        previous = table.getprevious()
        tail = table.tail or ""
        if previous is not None:
            previous.tail = (previous.tail or "") + tail
        else:
            parent.text = (parent.text or "") + tail
        parent.remove(table)
