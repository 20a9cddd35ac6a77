"""The one door: bytes of a mail or of a bare file in, a Reading out."""

from __future__ import annotations

import importlib
import logging
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from enum import Enum

from parsers import copies, fields, message, own_words, sniff, unpack
from parsers.content import ILLEGIBLE, Content, Limits, Paragraph, Refused, Table, Unreadable
from parsers.message import Body, Letter
from parsers.unpack import CarriedBody, Leaf
from parsers.values import (
    Form,
    Mail,
    MailKind,
    Part,
    PartOutcome,
    Reading,
    ReturnedDocument,
    ReturnedWorkbook,
    Value,
    Verdict,
)

log = logging.getLogger(__name__)

BODY = "正文"

CONTENT_OF: dict[str, tuple[str, str]] = {
    "docx": ("word", "content"),
    "xlsx": ("sheet", "xlsx_content"),
    "xls": ("sheet", "xls_content"),
    "et": ("sheet", "xls_content"),
    "csv": ("sheet", "csv_content"),
    "html": ("html", "html_content"),
    "pdf": ("pdf", "content"),
}
"""Format -> module and function that give its content from bytes and limits."""
LEGACY = frozenset({"doc", "wps", "odt", "ods", "rtf", "word-xml", "excel-xml", "xlsb"})
WORKBOOKS = frozenset({"xlsx", "xls", "et", "ods", "xlsb", "excel-xml"})
PICTURES = frozenset({"jpg", "png", "bmp", "tif", "webp"})

UNREADABLE_FORMATS = {
    sniff.ENCRYPTED_OFFICE: "文件设有打开密码,无法读取,请取消密码后重新发送",
    "heic": "苹果手机的HEIC照片无法读取,请改存为JPG后重新发送",
}
IGNORED_FORMATS = {
    "gif": "图片,不是表格",
    "pptx": "演示文稿,不是表格",
    "ppt": "演示文稿,不是表格",
    "odp": "演示文稿,不是表格",
    "video": "视频,不是表格",
    "audio": "音频,不是表格",
    "ics": "日程,不是表格",
    "vcf": "名片,不是表格",
    "json": "数据文件,不是表格",
    "xml": "数据文件,不是表格",
    "unknown": "不是可识别的表格文件",
}
NOT_OURS = "不是本平台的表格"
NOT_INSTALLED = "本系统未安装读取此类文件的组件,需人工查看"
LIKELY_FORM = "疑似表格但未能识别（请重新扫描或发送原表电子版）"
SMALL_PICTURE = "徽标、签名或小图片"
OVERSIZE_LINK = "超大附件只是下载链接,系统不下载,请作为普通附件重新发送"
DAMAGED = "文件已损坏,无法打开,请检查后重新发送"
OFFICE_NAME = re.compile(r"\.(?:docx?|wps|et|xlsx?|odt|ods|rtf|pdf|csv|docm|xlsm|jpe?g|png)$", re.IGNORECASE)
UNEXPECTED = "读取时出错,需人工查看"
MIN_PICTURE_SIDE = 480
MIN_PICTURE_AREA = 450_000
MAX_PICTURE_RATIO = 4
MAX_PICTURES = 20
MAX_TYPED = 50_000
"""Characters of a body in which a typed form is looked for."""
FEWEST_LABELS = 3
LABEL_END = re.compile(r"[:：\t|│┃｜]")
HEAD_OF_QUOTATION = re.compile(
    r"^[>| \t*]*(?:发件人|发信人|From)[ \t*]*[:：].*\n"
    r"(?:[>| \t*]*(?:发送?日期|日\s*期|发送时间|时\s*间|收\s*件\s*人|抄\s*送(?:人)?|主\s*题|答复|附件|Date|Sent|To|Cc|Subject|Reply-To)[ \t*]*[:：].*(?:\n|$))+",
    re.MULTILINE | re.IGNORECASE,
)
"""Who wrote the quoted mail, and when: its date is nobody's 填报时间."""
COLUMNS = re.compile(r"\S(?:[ \u3000\xa0]{2,}\S+){2}|支部\S*[ \u3000\xa0]\S*平台")
NUMBER = r"[\d０-９一二三四五六七八九十两零]+"
NO_COUNT = re.compile(
    r"一线|附件\s*[\d一二三]|第[\d一二三四五六七八九十]+[期次批]|[\d一二三四五六七八九十〇]+[年月日号]"
)
COUNTS_IN_PROSE = tuple(
    re.compile(
        rf"(?:{word})[^\d，。；,;?？]{{0,8}}?{NUMBER}|{NUMBER}\s*[个次项件场期][^\d，。；,;?？]{{0,8}}(?:{word})"
    )
    for word in ("支部", "平台", "举办|开展|活动|次数", "解决|办结|问题")
)
BARE_FIGURES = re.compile(
    r"(?:小学|中学|学校|幼儿园|高中|[一二三四五六七八九十]中)\S{0,6}(?:[ \t\u3000\xa0,，、:：;；]+\d{1,3}(?!\d)[个次件项]?){4}"
)
"""The name of a school and four figures behind it, of which nobody says what they count."""
TOLD_IN_PROSE = "正文中似用文字报送了统计数字，无法准确读取，需人工查看"

NOT_READ: dict[MailKind, str] = {
    MailKind.BOUNCE: "退信所附的原信",
    MailKind.AUTO_REPLY: "自动回复的附件",
    MailKind.RECALL: "撤回通知的附件",
    MailKind.SELF: "本邮箱自己发出的邮件",
}
"""Mails whose forms are nobody's report."""


class Doubt(Enum):
    """What an unread part means for the verdict."""

    NONE = "the part holds no form, or its forms were read"
    MAY_HOLD_FORM = "the sender must send it otherwise"
    DANGEROUS = "it is no form, but somebody who sent nothing else must hear that it was not opened"
    NEEDS_PERSON = "it may be in order, but here nobody but a person can read it"


@dataclass(frozen=True, slots=True)
class _PartReading:
    """What one part gave."""

    part: Part | None
    forms: tuple[Form, ...] = ()
    workbook: ReturnedWorkbook | None = None
    document: ReturnedDocument | None = None
    doubt: Doubt = Doubt.NONE


def read(raw: bytes, name: str, limits: Limits, own_address: str | None = None) -> Reading:
    """What a mail or a bare form file says. `name` is the file's name; a mail's should end in .eml."""
    if len(raw) > limits.mail_bytes:
        return _too_big(raw, name, limits, own_address)
    if not sniff.is_mail(raw, name):
        return _concluded(name, None, _read_found(unpack.file_leaves(raw, name, limits), limits))
    try:
        letter = message.opened(raw, limits, own_address)
    except Refused as refusal:
        part = Part(name, "eml", PartOutcome.REFUSED, str(refusal))
        return Reading(name, message.head_only(raw, own_address), (), (part,), Verdict.UNREADABLE)
    if letter.mail.kind in NOT_READ:
        return Reading(name, letter.mail, (), _set_aside(letter), Verdict.NO_FORM)
    return _concluded(name, letter.mail, _read_letter(letter, limits, own_address))


def _too_big(raw: bytes, name: str, limits: Limits, own_address: str | None) -> Reading:
    reason = f"邮件或文件超过{limits.mail_bytes >> 20}MB,未打开,请压缩图片或分次发送"
    mail = message.head_only(raw, own_address) if sniff.is_mail(raw[:4096], name) else None
    part = Part(name, "eml" if mail else "unknown", PartOutcome.REFUSED, reason)
    return Reading(name, mail, (), (part,), Verdict.UNREADABLE)


def _set_aside(letter: Letter) -> tuple[Part, ...]:
    """The attachments of a machine's mail, named but not opened."""
    reason = NOT_READ[letter.mail.kind]
    return tuple(
        Part(each.name, sniff.sniffed(each.data, each.name).format, PartOutcome.IGNORED, reason)
        for each in letter.attachments
        if each.name
    )


def _read_letter(letter: Letter, limits: Limits, own_address: str | None) -> list[_PartReading]:
    found = unpack.leaves(letter.attachments, limits, own_address)
    readings = [_read_body(letter, BODY, limits, own_address), *_read_found(found, limits)]
    if not any(reading.forms or reading.workbook for reading in readings) and _tells_counts(letter.body):
        told = Part(BODY, "body-text", PartOutcome.UNREADABLE, TOLD_IN_PROSE)
        readings.append(_PartReading(told, doubt=Doubt.NEEDS_PERSON))
    for note in letter.notes:
        readings.append(_PartReading(Part(BODY, "eml", PartOutcome.REFUSED, note), doubt=Doubt.MAY_HOLD_FORM))
    for link in letter.mail.oversize_links:
        part = Part(f"超大附件({link[:80]})", sniff.LINK, PartOutcome.UNREADABLE, OVERSIZE_LINK)
        readings.append(_PartReading(part, doubt=Doubt.MAY_HOLD_FORM))
    return readings


# ------------------------------------------------------------------ parts


def _read_found(found: Iterable[unpack.Found], limits: Limits) -> list[_PartReading]:
    """Each file read; pictures last, and no more of them than somebody would scan."""
    readings: list[_PartReading] = []
    pictures = 0
    for each in found:
        if isinstance(each, Part):
            readings.append(_PartReading(each, doubt=_doubt_of(each)))
        elif isinstance(each, CarriedBody):
            readings.append(_read_body(each.letter, f"{each.name}{unpack.SEPARATOR}{BODY}", limits, None))
        else:
            pictures += each.sniffed.format in PICTURES
            readings.append(_read_leaf(each, limits, pictures > MAX_PICTURES))
    return readings


def _doubt_of(part: Part) -> Doubt:
    """What a part that was not opened may have held."""
    if part.outcome is PartOutcome.IGNORED:
        return Doubt.NONE
    if part.format == "executable":
        return Doubt.DANGEROUS
    if part.lacks_reader:
        return Doubt.NEEDS_PERSON
    return Doubt.MAY_HOLD_FORM


def _read_leaf(leaf: Leaf, limits: Limits, enough_pictures: bool) -> _PartReading:
    """One file: its forms, or why there are none."""
    kind = leaf.sniffed.format
    if kind in UNREADABLE_FORMATS or leaf.sniffed.encrypted:
        reason = UNREADABLE_FORMATS.get(kind, UNREADABLE_FORMATS[sniff.ENCRYPTED_OFFICE])
        return _unread(leaf, PartOutcome.UNREADABLE, reason, Doubt.MAY_HOLD_FORM)
    if kind == sniff.UNKNOWN and OFFICE_NAME.search(leaf.name):
        return _unread(leaf, PartOutcome.UNREADABLE, DAMAGED, Doubt.MAY_HOLD_FORM)
    if kind in IGNORED_FORMATS:
        return _unread(leaf, PartOutcome.IGNORED, IGNORED_FORMATS[kind], Doubt.NONE)
    if kind in PICTURES and not _may_show_form(leaf.data):
        return _unread(leaf, PartOutcome.IGNORED, SMALL_PICTURE, Doubt.NONE)
    if kind in PICTURES and enough_pictures:
        return _unread(leaf, PartOutcome.REFUSED, f"图片超过{MAX_PICTURES}张,其余未识别", Doubt.MAY_HOLD_FORM)
    try:
        return _read_content(leaf, limits)
    except Unreadable as fault:
        unread = Part(leaf.name, kind, PartOutcome.UNREADABLE, str(fault))
        return _PartReading(unread, doubt=_doubt_of(unread))
    except Refused as refusal:
        return _unread(leaf, PartOutcome.REFUSED, str(refusal), Doubt.MAY_HOLD_FORM)
    except ImportError as fault:
        log.warning("reader of %s is not installed: %s", kind, fault)
        return _unread(leaf, PartOutcome.UNREADABLE, NOT_INSTALLED, Doubt.NEEDS_PERSON)
    except Exception:
        # Third-party readers raise anything on hostile bytes; one file's misfortune must not cost the mail.
        log.exception("reading a %s part failed", kind)
        return _unread(leaf, PartOutcome.UNREADABLE, UNEXPECTED, Doubt.MAY_HOLD_FORM)


def _unread(leaf: Leaf, outcome: PartOutcome, reason: str, doubt: Doubt) -> _PartReading:
    return _PartReading(Part(leaf.name, leaf.sniffed.format, outcome, reason), doubt=doubt)


def _may_show_form(data: bytes) -> bool:
    """Whether a picture is large and square enough to be a photographed page; unknown sizes may be."""
    import io

    from PIL import Image, UnidentifiedImageError

    try:
        with Image.open(io.BytesIO(data)) as picture:
            width, height = picture.size
    except (UnidentifiedImageError, OSError, ValueError, SyntaxError, Image.DecompressionBombError):
        return True
    short, long = sorted((width, height))
    return (
        short >= MIN_PICTURE_SIDE and short * long >= MIN_PICTURE_AREA and long <= MAX_PICTURE_RATIO * short
    )


def _read_content(leaf: Leaf, limits: Limits) -> _PartReading:
    workbook = _returned_workbook(leaf, limits)
    if workbook is not None:
        part = Part(leaf.name, leaf.sniffed.format, PartOutcome.FORM, "我方发出的工作表,已填写退回")
        return _PartReading(part, workbook=workbook)
    draft = _returned_draft(leaf, limits)
    if draft is not None:
        part = Part(leaf.name, leaf.sniffed.format, PartOutcome.FORM, "我方发出的文稿,已退回")
        return _PartReading(part, document=draft)
    contents = _contents(leaf, limits)
    forms = tuple(
        form for content in contents for form in _forms(content, leaf.name, _label(content, leaf), leaf.data)
    )
    content = contents[0]
    if forms:
        label = forms[0].format
        return _PartReading(
            Part(leaf.name, label, PartOutcome.FORM, "；".join(_notes(leaf, content)) or None), forms
        )
    extract = importlib.import_module("parsers.extract")
    if title := next((found for each in contents if (found := extract.resembles(each))), None):
        reason = f"像是《{title}》，但未能读出表格，需人工查看"
        part = Part(leaf.name, _label(content, leaf), PartOutcome.UNREADABLE, reason)
        return _PartReading(part, doubt=Doubt.NEEDS_PERSON)
    if _is_doubtful_scan(contents) or _is_empty_scan(content, leaf):
        part = Part(leaf.name, _label(content, leaf), PartOutcome.UNREADABLE, LIKELY_FORM)
        return _PartReading(part, doubt=Doubt.NEEDS_PERSON)
    reason = _why_no_form(content)
    return _PartReading(Part(leaf.name, _label(content, leaf), PartOutcome.IGNORED, reason))


def _notes(leaf: Leaf, content: Content) -> list[str]:
    notes = list(content.notes)
    if leaf.sniffed.macros and not any("宏" in note for note in notes):
        notes.append("文件带有宏,未运行")
    return notes


def _why_no_form(content: Content) -> str:
    extract = importlib.import_module("parsers.extract")
    title: str | None = extract.blank_form(content)
    return f"空白的《{title}》" if title else NOT_OURS


def _is_doubtful_scan(contents: Sequence[Content]) -> bool:
    """Whether OCR saw words of a form, or writing too blurred to be read, but no form."""
    words = re.compile(r"难点问题|填报单位|反馈层级|开展情况统计|党支部数|书记一线办")
    for content in contents:
        if content.scanned:
            if ILLEGIBLE in content.notes:
                return True
            texts = (
                block.text if isinstance(block, Paragraph) else "".join(cell.text for cell in block.cells)
                for block in content.blocks
            )
            if words.search(re.sub(r"\s", "", "".join(texts))):
                return True
    return False


def _is_empty_scan(content: Content, leaf: Leaf) -> bool:
    """Whether nothing can be read on the pictures of which a PDF consists: nobody sends blank pages."""
    return leaf.sniffed.format == "pdf" and content.scanned and not _has_text(content)


def _contents(leaf: Leaf, limits: Limits) -> list[Content]:
    """What the file shows; of a document that is nothing but pictures, what the pictures show."""
    content = _content(leaf.data, leaf.sniffed.format, limits)
    if leaf.sniffed.format != "docx":
        return [content]
    word = importlib.import_module("parsers.word")
    whole = [content] if _has_text(content) else []
    for name, data in word.embedded(leaf.data, limits):
        whole.append(_content(data, sniff.sniffed(data, name).format, limits))
    if whole:
        return whole
    pictures = [data for _, data in word.pictures(leaf.data, limits) if _may_show_form(data)][:MAX_PICTURES]
    return [_content(data, sniff.sniffed(data).format, limits) for data in pictures] or [content]


def _has_text(content: Content) -> bool:
    return any(
        block.text.strip() if isinstance(block, Paragraph) else any(cell.text.strip() for cell in block.cells)
        for block in content.blocks
    )


def _content(data: bytes, kind: str, limits: Limits) -> Content:
    """The content of bytes of a known format; raises Unreadable, Refused, or ImportError without its reader."""
    if kind == "txt":
        from parsers.decoding import decoded

        text_content: Callable[[str, Limits], Content] = importlib.import_module("parsers.html").text_content
        return text_content(decoded(data), limits)
    if kind == "mht":
        return _web_archive(data, limits)
    if kind in LEGACY:
        legacy: Callable[[bytes, str, Limits], Content] = importlib.import_module("parsers.legacy").content
        return legacy(data, kind, limits)
    module, function = CONTENT_OF.get(kind, ("picture", "content"))
    content: Callable[[bytes, Limits], Content] = getattr(
        importlib.import_module(f"parsers.{module}"), function
    )
    shown = content(data, limits)
    if module == "sheet" and any(
        isinstance(block, Table) and any(cell.doubt for cell in block.cells) for block in shown.blocks
    ):
        recalculated: Callable[[bytes, str, Content, Limits], Content]
        recalculated = importlib.import_module("parsers.legacy").recalculated
        return recalculated(data, kind, shown, limits)
    return shown


def _web_archive(data: bytes, limits: Limits) -> Content:
    """A single-file web page, as Word and Excel save it under the name .doc or .xls."""
    markup = message.opened(data, limits).body.markup
    if markup is None:
        raise Unreadable("网页文件已损坏,无法读取,请另存为Word文档后重新发送")
    content: Content = importlib.import_module("parsers.html").html_content(markup.own, limits)
    return content


def _label(content: Content, leaf: Leaf) -> str:
    """The format as it is told: what the file is, and whether it was read by OCR."""
    if not content.scanned:
        return leaf.sniffed.format
    return content.format if content.format.startswith("scan") else f"scan-{leaf.sniffed.format}"


def _forms(content: Content, part: str, label: str, document: bytes | None) -> tuple[Form, ...]:
    extracted: Callable[[Content, str], tuple[Form, ...]] = importlib.import_module("parsers.extract").forms
    return tuple(replace(form, format=label, document=document) for form in extracted(content, part))


def _returned_workbook(leaf: Leaf, limits: Limits) -> ReturnedWorkbook | None:
    """The workbook of ours that came back, if the file is one, saved by whatever program."""
    if leaf.sniffed.format not in WORKBOOKS:
        return None
    workbooks = importlib.import_module("parsers.workbooks")
    data = leaf.data
    if leaf.sniffed.format != "xlsx" and workbooks.carries_mark(data):
        data = importlib.import_module("parsers.legacy").as_workbook(data, leaf.sniffed.format, limits)
    returned: ReturnedWorkbook | None = workbooks.returned(data, leaf.name)
    return returned


def _returned_draft(leaf: Leaf, limits: Limits) -> ReturnedDocument | None:
    """The draft of ours that came back, if the file is one."""
    if leaf.sniffed.format not in ("xlsx", "docx") or b"docProps/custom.xml" not in leaf.data:
        return None
    returned: Callable[[bytes, str, str, Limits], ReturnedDocument | None]
    returned = importlib.import_module("parsers.drafts").returned
    return returned(leaf.data, leaf.name, leaf.sniffed.format, limits)


# ------------------------------------------------------------------ body


def _read_body(letter: Letter, name: str, limits: Limits, own_address: str | None) -> _PartReading:
    """Forms typed into the body; of a mail that was only passed on, those in what it passes on."""
    forms = _body_forms(letter.body, name, limits, own=True)
    if not forms and _passes_on(letter, own_address):
        forms = _body_forms(letter.body, name, limits, own=False)
    if not forms or name == BODY:
        return _PartReading(None, forms)
    return _PartReading(Part(name, forms[0].format, PartOutcome.FORM), forms)


def _tells_counts(body: Body) -> bool:
    """Whether the letter tells the counts of the statistics in sentences, which nobody could read for certain."""
    text = body.text.own or (body.markup.text.own if body.markup else "")
    if BARE_FIGURES.search(text[:MAX_TYPED]):
        return True
    told = NO_COUNT.sub("", text[:MAX_TYPED])
    return sum(bool(pattern.search(told)) for pattern in COUNTS_IN_PROSE) >= 3


def _passes_on(letter: Letter, own_address: str | None) -> bool:
    quoted = letter.body.text.quoted or (letter.body.markup.text.quoted if letter.body.markup else "")
    if own_address and own_address.lower() in "\n".join(quoted.lower().split("\n")[:3]):
        return False
    return letter.is_forward or not letter.mail.reply_text.strip()


def _body_forms(body: Body, name: str, limits: Limits, own: bool) -> tuple[Form, ...]:
    html = importlib.import_module("parsers.html")
    markup = (body.markup.own if own else body.markup.quoted) if body.markup else ""
    text = body.text.own if own else body.text.quoted
    if body.markup and not text.strip():
        text = body.markup.text.own if own else body.markup.text.quoted
    if not own:
        text = HEAD_OF_QUOTATION.sub("", text)
    if re.search(r"<table\b", markup, re.IGNORECASE):
        try:
            forms = _forms(html.html_content(markup, limits), name, "body-html", None)
        except (Unreadable, Refused):
            forms = ()
        if forms:
            return forms
    forms = _typed_forms(text, name, "body-text", limits)
    if not forms and markup and own:
        return _typed_forms(own_words.text_of(markup), name, "body-html", limits)
    return forms


def _typed_forms(text: str, name: str, label: str, limits: Limits) -> tuple[Form, ...]:
    """Forms in running text; most letters have too few labels or columns to be one, and are not tried."""
    text = text[:MAX_TYPED]
    if not COLUMNS.search(text) and len(LABEL_END.findall(text)) < FEWEST_LABELS:
        return ()
    html = importlib.import_module("parsers.html")
    forms = _forms(html.text_content(text, limits), name, label, None)
    return tuple(replace(form, items=tuple(_as_typed(item, text) for item in form.items)) for form in forms)


def _as_typed(item: Mapping[str, Value], text: str) -> Mapping[str, Value]:
    """The values of one item, the free texts among them with the punctuation they were typed with."""
    free = ("problem", "details", "remarks")
    return {
        name: fields.as_written(value, text) if name in free and isinstance(value, str) else value
        for name, value in item.items()
    }


# ------------------------------------------------------------------ conclusion


def _concluded(name: str, mail: Mail | None, readings: Sequence[_PartReading]) -> Reading:
    combined = copies.combined([form for reading in readings for form in reading.forms])
    parts = tuple(
        _with_copy(reading.part, combined.copies) for reading in readings if reading.part is not None
    )
    workbooks = tuple(reading.workbook for reading in readings if reading.workbook is not None)
    documents = tuple(reading.document for reading in readings if reading.document is not None)
    verdict = _verdict(combined.forms, workbooks, [reading.doubt for reading in readings])
    return Reading(name, mail, combined.forms, parts, verdict, workbooks, documents)


def _with_copy(part: Part, copied: Mapping[str, str]) -> Part:
    reason = copied.get(part.name)
    return replace(part, reason=reason) if reason else part


def _may_be_misread(form: Form) -> bool:
    """Whether what is missing may well be there: read by OCR, or by where the words stand on a page."""
    return copies.is_scan(form) or form.format == "pdf"


def _verdict(
    forms: Sequence[Form], workbooks: Sequence[ReturnedWorkbook], doubts: Sequence[Doubt]
) -> Verdict:
    """Whether all can be filed as it stands; a school is asked to correct only what was surely read."""
    if not forms and not workbooks:
        if Doubt.NEEDS_PERSON in doubts:
            return Verdict.UNCERTAIN
        unopened = Doubt.MAY_HOLD_FORM in doubts or Doubt.DANGEROUS in doubts
        return Verdict.UNREADABLE if unopened else Verdict.NO_FORM
    if any(form.incomplete and not (_may_be_misread(form) and form.uncertain) for form in forms):
        return Verdict.INCOMPLETE
    if any(form.uncertain for form in forms) or {Doubt.MAY_HOLD_FORM, Doubt.NEEDS_PERSON}.intersection(
        doubts
    ):
        return Verdict.UNCERTAIN
    return Verdict.COMPLETE
