"""A mail: who wrote it, what kind it is, the sender's own words, and the files it carries.

Built on mail-parser, which takes the MIME apart; everything that Chinese clients write differently from
the standards (labels, raw bytes, encoded names, boundaries) is decoded here from the original bytes.
"""

from __future__ import annotations

import binascii
import email
import logging
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta, timezone
from email.errors import MessageError
from email.message import Message
from email.utils import parsedate_tz

import mailparser
from mailparser.exceptions import MailParserError

from parsers import decoding, machine_mail, own_words
from parsers.content import Limits, Refused
from parsers.values import Authentication, BouncedRecipient, Mail, MailKind

# It warns of every media type it does not know; what becomes of each part is said in the Reading.
logging.getLogger("mailparser").setLevel(logging.CRITICAL)
logging.getLogger("flufl.bounce").setLevel(logging.CRITICAL)

CHINA = timezone(timedelta(hours=8))
MAX_DEPTH = 60
MAX_HEAD = 1 << 18
MAX_FIELD = 1 << 14
MAX_FIELDS = 600
MAX_PLAIN = 200_000
MAX_MARKUP = 2_000_000
"""Characters of a body that are looked at; a longer one is no letter."""
EMBEDDED_DATA = re.compile(r"data:[\w/+.-]{1,60};base64,[A-Za-z0-9+/=\s%]+")

OVERSIZE_LINK = re.compile(
    r"https?://(?:mail\.163\.com/large-attachment-download|dashi\.163\.com/html/cloud-attachment-download"
    r"|(?:[\w-]+\.)?mail\.(?:126|yeah)\.(?:com|net)/large-attachment-download|fs\.(?:163|126)\.com/"
    r"|(?:wx\.|iwx\.|m\.)?mail\.qq\.com/(?:ftn/download|cgi-bin/ftnExs_download|cgi-bin/ftnDownload)"
    r"|(?:[\w-]+\.)?exmail\.qq\.com/(?:ftn/download|cgi-bin/ftnExs_download)|mail\.10086\.cn/\S*(?:largeattach|disk)"
    r"|mail\.sina\.\S*/filecenter|netdisk\.mail\.\S+|download\.ftn\.qq\.com/\S*)[^\s\"'<>)）】]*",
    re.IGNORECASE,
)
MESSAGE_ID = re.compile(r"<[^<>\s]{3,998}>")
BARE_MESSAGE_ID = re.compile(r"^[^<>\s@]+@[^<>\s@]+$")
ADDRESS = re.compile(r"[A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]+@[A-Za-z0-9.\-\u4e00-\u9fff]+")
MARKUP_MATTERS = re.compile(
    r"<table\b|blockquote|quote|includetail|isReplyContent|RplyFwd|appendonsend|large-attachment|ftn|cloud-attachment"
    r"|netdisk|fs\.163|largeattach|filecenter",
    re.IGNORECASE,
)
"""HTML that says more than the plain text beside it: tables, marked quotations, links to oversize attachments."""
BODY_TYPES = frozenset({"text/plain", "text/html", "text/richtext", "text/enriched"})
REAL_FILE = re.compile(r"^(?:application|audio|video)/", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Attachment:
    """A file that a mail carries, or a mail that it carries (`letter`)."""

    name: str | None
    media_type: str
    data: bytes
    inline: bool = False
    """Shown in the text, as logos and signatures are."""
    letter: Letter | None = None


@dataclass(frozen=True, slots=True)
class Body:
    """What was typed: as text and, if there is one, as HTML, parted into own and quoted words."""

    text: own_words.Parted
    markup: own_words.PartedMarkup | None = None


@dataclass(frozen=True, slots=True)
class Letter:
    """A mail taken apart."""

    mail: Mail
    body: Body
    attachments: tuple[Attachment, ...]
    is_forward: bool = False
    notes: tuple[str, ...] = ()
    """What was wrong with the mail's structure, in Chinese."""


@dataclass(slots=True)
class _Segment:
    """One stretch of the body: the same words as plain text, as HTML, or as both."""

    plain: str | None = None
    markup: str | None = None


@dataclass(slots=True)
class _Gathered:
    segments: list[_Segment] = field(default_factory=list)
    attachments: list[Attachment] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    parts: int = 0


def opened(raw: bytes, limits: Limits, own_address: str | None = None, depth: int = 0) -> Letter:
    """The mail in these bytes; raises Refused if its structure is not that of an honest mail."""
    raw = _trimmed(raw)
    try:
        parsed = mailparser.parse_from_bytes(raw)
    except (MailParserError, MessageError, RecursionError):
        parsed = None
    except (ValueError, LookupError, AttributeError, TypeError, AssertionError, OverflowError):
        # mail-parser stumbles over some broken heads that the standard library still reads.
        parsed = None
    if parsed is not None:
        return _letter(parsed.message, limits, own_address, depth, _parsed_date(parsed))
    try:
        return _letter(email.message_from_bytes(raw), limits, own_address, depth)
    except RecursionError:
        head = email.message_from_bytes(re.split(rb"\r?\n\r?\n", raw, maxsplit=1)[0] + b"\n\n")
        return _unopenable(head, own_address, "邮件嵌套层数过多,正文和附件未打开,请直接附上表格重新发送")


def head_only(raw: bytes, own_address: str | None = None) -> Mail:
    """The head of a mail that is too big to be opened."""
    head = email.message_from_bytes(_trimmed(raw[: 1 << 20]).split(b"\n\n", 1)[0] + b"\n\n")
    return _unopenable(head, own_address, "").mail


def _unopenable(head: Message, own_address: str | None, note: str) -> Letter:
    body = Body(own_words.Parted("", ""))
    mail = _mail(head, body, [], own_address, None, _headers(head))
    return Letter(mail, body, (), notes=(note,) if note else ())


def _letter(
    message: Message, limits: Limits, own_address: str | None, depth: int, date: datetime | None = None
) -> Letter:
    gathered = _Gathered()
    _gather(message, gathered, limits, own_address, depth, 0)
    headers = _headers(message)
    body = _body(gathered.segments, bool(headers.get("in-reply-to") or headers.get("references")))
    mail = _mail(message, body, gathered.attachments, own_address, date, headers)
    forward = bool(own_words.FORWARD_SUBJECT.match(mail.subject)) or body.text.forwarded
    return Letter(mail, body, tuple(gathered.attachments), forward, tuple(gathered.notes))


def _trimmed(raw: bytes) -> bytes:
    """The mail without what stands before its head, and with a head of bounded size."""
    raw = (
        raw.lstrip(b"\xef\xbb\xbf\r\n \t\x00")
        if raw[:1] in (b"\xef", b"\r", b"\n", b" ", b"\t", b"\x00")
        else raw
    )
    match = re.search(rb"\r?\n\r?\n", raw)
    end = match.start() if match else len(raw)
    if end <= MAX_FIELD and raw.count(b"\n", 0, end) <= MAX_FIELDS:
        return raw
    fields = re.split(rb"\n(?![ \t])", raw[:end])[:MAX_FIELDS]
    head = b"\n".join(each[:MAX_FIELD] for each in fields)[:MAX_HEAD]
    return head + raw[end:]


# ------------------------------------------------------------------ parts


def _gather(
    part: Message, into: _Gathered, limits: Limits, own_address: str | None, depth: int, level: int
) -> None:
    """Collects the body's segments and the attachments below a part."""
    into.parts += 1
    if level > MAX_DEPTH or into.parts > 20 * limits.members:
        if not into.notes:
            into.notes.append("邮件的结构过于复杂,部分内容未打开")
        return
    kind = part.get_content_type()
    if kind.startswith("message/") and kind != "message/delivery-status":
        _gather_message(part, into, limits, own_address, depth)
    elif part.is_multipart():
        if kind == "multipart/alternative":
            _gather_alternative(part, into, limits, own_address, depth, level)
            return
        for child in _children(part):
            _gather(child, into, limits, own_address, depth, level + 1)
    elif kind.startswith("multipart/"):
        _gather_broken(part, into, limits, own_address, depth, level)
    elif _is_body(part, kind):
        segment = _Segment()
        data = _payload(part)
        if kind == "text/plain" and b"\nend" in data:
            data = UUENCODED.sub(lambda match: _uudecoded(match, into), data)
        _set_text(segment, part, kind, data)
        into.segments.append(segment)
    elif kind != "message/delivery-status":
        into.attachments.append(_attachment(part, kind))


def _children(part: Message) -> list[Message]:
    payload = part.get_payload()
    return [child for child in payload if isinstance(child, Message)] if isinstance(payload, list) else []


def _gather_alternative(
    part: Message, into: _Gathered, limits: Limits, own_address: str | None, depth: int, level: int
) -> None:
    """One segment out of the versions of the same words."""
    versions = _Gathered(parts=into.parts)
    for child in _children(part):
        _gather(child, versions, limits, own_address, depth, level + 1)
    into.parts = versions.parts
    into.attachments += versions.attachments
    into.notes += versions.notes
    whole = _Segment()
    for segment in versions.segments:
        if segment.plain and not whole.plain:
            whole.plain = segment.plain
        if segment.markup and not whole.markup:
            whole.markup = segment.markup
    into.segments.append(whole)


def _gather_broken(
    part: Message, into: _Gathered, limits: Limits, own_address: str | None, depth: int, level: int
) -> None:
    """A multipart whose boundary is not the announced one: the one that stands in the body is used."""
    data = _payload(part)
    found = re.search(
        rb"^--([^\r\n]{1,200}?)[ \t]*\r?\n(?=(?:content-|mime-)[\w-]+:)", data, re.IGNORECASE | re.MULTILINE
    )
    if not found:
        segment = _Segment()
        _set_text(
            segment,
            part,
            "text/html" if re.search(rb"<(?:html|div|table|body)\b", data, re.IGNORECASE) else "text/plain",
            data,
        )
        into.segments.append(segment)
        return
    boundary = found[1].replace(b"\\", b"\\\\").replace(b'"', b'\\"')
    again = email.message_from_bytes(
        b'Content-Type: multipart/mixed; boundary="' + boundary + b'"\r\n\r\n' + data
    )
    if again.is_multipart():
        _gather(again, into, limits, own_address, depth, level + 1)


def _gather_message(
    part: Message, into: _Gathered, limits: Limits, own_address: str | None, depth: int
) -> None:
    """A mail inside the mail, also where it was (wrongly) encoded."""
    name = decoding.file_name(part)
    inner = _inner_message(part)
    if inner is None:
        into.attachments.append(Attachment(name, part.get_content_type(), _payload(part)))
        return
    if depth >= limits.depth:
        raise Refused(f"邮件里套邮件超过{limits.depth}层,未打开,请直接附上表格")
    letter = _letter(inner, limits, own_address, depth + 1)
    into.attachments.append(Attachment(name, "message/rfc822", b"", letter=letter))


def _inner_message(part: Message) -> Message | None:
    children = _children(part)
    inner = children[0] if children else None
    encoding = str(part.get("content-transfer-encoding", "")).strip().lower()
    text = inner.get_payload() if inner is not None and not inner.keys() else None
    if inner is None or isinstance(text, str):
        data = text.encode("utf-8", "surrogateescape") if isinstance(text, str) else _payload(part)
        if encoding == "base64" or (
            isinstance(text, str) and re.fullmatch(r"[A-Za-z0-9+/=\s]{40,}", text[:4000])
        ):
            data = decoding.base64_bytes(data)
        elif encoding == "quoted-printable":
            data = decoding.quoted_printable_bytes(data)
        if not data.strip():
            return None
        inner = email.message_from_bytes(data.lstrip())
    return inner if inner.keys() else None


def _is_body(part: Message, kind: str) -> bool:
    if kind not in BODY_TYPES:
        return False
    if (part.get_content_disposition() or "").lower() == "attachment":
        return False
    return decoding.file_name(part) is None


def _attachment(part: Message, kind: str) -> Attachment:
    disposition = (part.get_content_disposition() or "").lower()
    inline = disposition == "inline" or (bool(part.get("content-id")) and disposition != "attachment")
    return Attachment(decoding.file_name(part), kind, _payload(part), inline)


def _payload(part: Message) -> bytes:
    """The decoded bytes of a leaf part."""
    try:
        data = part.get_payload(decode=True)
    except (ValueError, AssertionError, LookupError):
        data = None
    if isinstance(data, bytes):
        return data
    text = part.get_payload()
    return text.encode("utf-8", "surrogateescape") if isinstance(text, str) else b""


UUENCODED = re.compile(
    rb"^begin [0-7]{3,4} (?P<name>[^\r\n]{1,200})\r?\n(?P<lines>(?:[ -`]{1,90}\r?\n)+?)(?:[` ]?\r?\n)?end[ \t]*$",
    re.MULTILINE,
)
"""A file typed into the running text, as old mail programs do."""


def _uudecoded(match: re.Match[bytes], into: _Gathered) -> bytes:
    """Nothing in the text's place, and the file among the attachments; the text as it is if it is no such file."""
    try:
        data = b"".join(_uudecoded_line(line) for line in match["lines"].splitlines())
    except binascii.Error:
        return match[0]
    into.attachments.append(Attachment(decoding.decoded(match["name"]), "application/octet-stream", data))
    return b""


def _uudecoded_line(line: bytes) -> bytes:
    """The line's bytes, also where a mail program cut the blanks at its end."""
    whole = (((line[0] - 32) & 63) * 4 + 5) // 3
    return binascii.a2b_uu(line.ljust(whole)[:whole])


def _set_text(segment: _Segment, part: Message, kind: str, data: bytes) -> None:
    label = decoding.parameter(part, "content-type", "charset")
    if kind == "text/html":
        markup = decoding.decoded(data, label or _meta_charset(data))
        segment.markup = (EMBEDDED_DATA.sub("data:,", markup) if "base64," in markup else markup)[:MAX_MARKUP]
    else:
        segment.plain = decoding.decoded(data, label)[:MAX_PLAIN]


def _meta_charset(data: bytes) -> str | None:
    found = re.search(rb"<meta[^>]{0,200}charset\s*=\s*[\"']?([\w-]+)", data[:4096], re.IGNORECASE)
    return found[1].decode("ascii") if found else None


def _body(segments: list[_Segment], is_reply: bool) -> Body:
    """The segments as one body; HTML stands in where there is no plain text, or hardly any."""
    markup = "\n<br>\n".join(segment.markup for segment in segments if segment.markup)
    texts: list[str] = []
    for segment in segments:
        if segment.plain and segment.plain.strip() and not _is_placeholder(segment):
            texts.append(segment.plain)
        elif segment.markup and len([each for each in segments if each.markup]) > 1:
            texts.append(own_words.text_of(segment.markup))
    parted = own_words.parted("\n".join(texts)) if texts else own_words.Parted("", "")
    if not markup or (parted.own and not MARKUP_MATTERS.search(markup)):
        return Body(parted)
    parted_markup = own_words.parted_markup(markup, is_reply)
    # HTML marks a quotation where the plain version of the same words may only indent it.
    knows_more = not parted.quoted and (parted_markup.text.quoted or not parted.own)
    return Body(parted_markup.text if not texts or knows_more else parted, parted_markup)


def _is_placeholder(segment: _Segment) -> bool:
    """Plain text that only says that the mail is HTML."""
    plain = segment.plain or ""
    return (
        bool(segment.markup)
        and len(plain) < 300
        and bool(
            re.search(
                r"不支持\s*html|不支持超文本|html 格式|view this (?:e-?mail|message) in html|html[- ]enabled",
                plain,
                re.IGNORECASE,
            )
        )
    )


# ------------------------------------------------------------------ head


def _headers(message: Message) -> dict[str, tuple[str, ...]]:
    """Decoded header values by lower-case name."""
    gathered: dict[str, list[str]] = {}
    for name, value in message.raw_items():
        values = gathered.setdefault(name.lower(), [])
        if len(values) < 50:
            values.append(decoding.words(str(value)))
    return {name: tuple(values) for name, values in gathered.items()}


def _mail(
    message: Message,
    body: Body,
    attachments: list[Attachment],
    own_address: str | None,
    date: datetime | None,
    headers: Mapping[str, tuple[str, ...]],
) -> Mail:
    sender, name = _sender(message)
    subject = next(iter(headers.get("subject", ())), "")
    evidence = machine_mail.Evidence(
        headers=headers,
        sender=sender,
        sender_name=name or "",
        subject=subject,
        own_text=body.text.own,
        text=_whole_text(body),
        part_types=frozenset(part.get_content_type() for part in machine_mail.own_parts(message)),
        has_files=any(REAL_FILE.match(each.media_type) for each in attachments),
    )
    kind = machine_mail.kind_of(evidence, own_address)
    bounced: tuple[BouncedRecipient, ...] = ()
    bounce_of: tuple[str, ...] = ()
    if kind is MailKind.BOUNCE:
        bounced = machine_mail.bounced_recipients(message, evidence.text, (own_address or "", sender))
        bounce_of = _reported_ids(message, headers, evidence.text, attachments)
        if not bounced and machine_mail.is_success_report(message):
            kind = MailKind.AUTO_REPLY
    return Mail(
        kind=kind,
        message_id=_message_id(headers),
        sender=sender,
        from_name=name,
        subject=subject,
        date=_date(message, date),
        reply_text=body.text.own,
        in_reply_to=_answered(headers),
        authentication=_authentication(message, sender),
        bounced=bounced,
        bounce_of=bounce_of,
        oversize_links=_oversize_links(body),
    )


def _whole_text(body: Body) -> str:
    text = f"{body.text.own}\n{body.text.quoted}".strip()
    return text or (f"{body.markup.text.own}\n{body.markup.text.quoted}" if body.markup else "")


def _sender(message: Message) -> tuple[str, str | None]:
    """Address and name of the From header; the address is the one outside quotes and encoded words."""
    values = [str(value) for name, value in message.raw_items() if name.lower() == "from"]
    if not values:
        return "", None
    value = decoding.unfolded(values[0])
    masked = re.sub(r'"(?:[^"\\]|\\.)*"', lambda quoted: "\x01" * len(quoted[0]), value)
    masked = decoding.ENCODED_WORD.sub(lambda word: "\x01" * len(word[0]), masked)
    bracketed = re.search(r"<\s*([^<>\s]*@[^<>\s]*)\s*>", masked)
    if bracketed:
        address, name = bracketed[1].replace("\x01", ""), value[: bracketed.start()]
        if not name.strip("\"' ,;"):
            name = ""
    else:
        bare = ADDRESS.search(masked)
        address = bare[0] if bare else ""
        outside = masked[: bare.start()] + masked[bare.end() :] if bare else masked
        comment = re.search(r"\(([^()]*)\)", value)
        name = comment[1] if comment and bare else (value if "\x01" in outside or not bare else outside)
        if bare and not comment:
            name = value.replace(bare[0], "")
    shown = decoding.words(name).strip("\"'“” \t,;<>").replace('\\"', '"').strip()
    return decoding.raw_text(address).strip("<>'\"").lower(), shown or None


def _message_id(headers: Mapping[str, tuple[str, ...]]) -> str | None:
    value = next(iter(headers.get("message-id", ())), "").strip()
    found = MESSAGE_ID.search(value)
    return found[0] if found else (value[:998] or None)


def _ids(value: str) -> list[str]:
    found = MESSAGE_ID.findall(value)
    return found or [f"<{word}>" for word in value.split() if BARE_MESSAGE_ID.match(word)]


def _answered(headers: Mapping[str, tuple[str, ...]]) -> tuple[str, ...]:
    """Ids in In-Reply-To, then in References, the newest first. Ids without brackets are given them."""
    answered = [each for value in headers.get("in-reply-to", ()) for each in _ids(value)]
    references = [each for value in headers.get("references", ()) for each in _ids(value)]
    return tuple(dict.fromkeys(answered + references[::-1]))[:100]


def _reported_ids(
    message: Message, headers: Mapping[str, tuple[str, ...]], text: str, attachments: list[Attachment]
) -> tuple[str, ...]:
    """Ids of the mails that a delivery report is about."""
    ids: list[str] = []
    for name in ("x-cm-original-message-id", "x-original-message-id", "original-message-id"):
        ids += [each for value in headers.get(name, ()) for each in _ids(value)]
    for attachment in attachments:
        if attachment.letter is not None and attachment.letter.mail.message_id:
            ids.append(attachment.letter.mail.message_id)
        elif attachment.media_type in ("text/rfc822-headers", "message/rfc822", "message/global-headers"):
            ids += _ids_in_head(decoding.decoded(attachment.data))
    for part in machine_mail.own_parts(message):
        if part.get_content_type() == "message/rfc822-headers":
            ids += [each for child in _children(part) for each in _ids(str(child.get("message-id", "")))]
    ids += _ids_in_head(text)
    own = headers.get("message-id", ())
    ids += [
        each
        for name in ("in-reply-to", "references")
        for value in headers.get(name, ())
        for each in _ids(value)
    ]
    return tuple(dict.fromkeys(each for each in ids if each not in own))


def _ids_in_head(text: str) -> list[str]:
    return re.findall(r"^[> ]*Message-ID:\s*(<[^<>\s]+>)", text, re.IGNORECASE | re.MULTILINE)


def _oversize_links(body: Body) -> tuple[str, ...]:
    own = body.markup.own if body.markup else ""
    links = OVERSIZE_LINK.findall(own.replace("&amp;", "&")) + OVERSIZE_LINK.findall(body.text.own)
    return tuple(dict.fromkeys(link.rstrip(".,;。，；") for link in links))[:20]


# ------------------------------------------------------------------ dates

WITH_ZONE = re.compile(r":\d\d\s*(?:[+-]\d{4}|[A-Z]{1,5})\b", re.IGNORECASE)
DATE_FORMATS = (
    "%Y-%m-%d %H:%M:%S %z",
    "%Y-%m-%dT%H:%M:%S%z",
    "%Y-%m-%d %H:%M:%S",
    "%Y-%m-%dT%H:%M:%S",
    "%Y-%m-%d %H:%M",
    "%Y/%m/%d %H:%M:%S",
    "%Y/%m/%d %H:%M",
    "%Y年%m月%d日 %H:%M:%S",
    "%Y年%m月%d日 %H:%M",
)


def _parsed_date(parsed: mailparser.MailParser) -> datetime | None:
    """mail-parser's date in the zone that the sender wrote."""
    date = parsed.date
    if not isinstance(date, datetime) or date.tzinfo is None:
        return None
    try:
        return date.astimezone(timezone(timedelta(hours=float(parsed.timezone))))
    except (ValueError, TypeError, OverflowError):
        return date


def _date(message: Message, parsed: datetime | None) -> datetime | None:
    """The Date header; a date without zone is a Chinese one. None if it says nothing that is a date."""
    raw = next((str(value) for name, value in message.raw_items() if name.lower() == "date"), None)
    if raw is None:
        return None
    raw = decoding.words(raw)
    fields = parsedate_tz(raw)
    if fields is not None:
        zoned = bool(WITH_ZONE.search(raw))
        if parsed is not None and zoned:
            return parsed
        found = _from_fields(fields, zoned)
        if found is not None:
            return found
    text = re.sub(r"\s*\(.*?\)\s*$", "", raw).strip()
    for form in DATE_FORMATS:
        try:
            found = datetime.strptime(text, form)  # noqa: DTZ007
        except ValueError:
            continue
        return found if found.tzinfo else found.replace(tzinfo=CHINA)
    return parsed


def _from_fields(fields: tuple[int | None, ...], zoned: bool) -> datetime | None:
    try:
        zone = timezone(timedelta(seconds=fields[9] or 0)) if zoned else CHINA
        return datetime(*(int(each or 0) for each in fields[:6]), tzinfo=zone)  # type: ignore[misc, arg-type]
    except (ValueError, OverflowError):
        return None


# ------------------------------------------------------------------ authentication

METHOD = re.compile(r"(?:^|[;\s])(spf|dkim|dmarc)\s*=\s*(\w+)([^;]*)", re.IGNORECASE)
PROPERTY = re.compile(
    r"(?:smtp\.(?:mail(?:from)?|helo)|header\.(?:i|d|from))\s*=\s*\"?([^\s;\"]+)", re.IGNORECASE
)


def _authentication(message: Message, sender: str) -> Authentication:
    """What the receiving server found; only its own results count, told by the host of the topmost Received.

    Coremail stamps its result below the sender's own headers, so of several the last may speak for the
    sender, and only if the transaction is that of the topmost Received; any may speak against him.
    """
    results, transaction_is_ours = _trusted_results(message)
    outcomes = [_outcome(result, sender.rpartition("@")[2]) for result in results]
    if Authentication.FAIL in outcomes:
        return Authentication.FAIL
    return outcomes[-1] if outcomes and transaction_is_ours else Authentication.UNKNOWN


def _outcome(result: str, domain: str) -> Authentication:
    """One Authentication-Results: failed, passed for the domain in From, or neither."""
    verdicts: dict[str, set[str]] = {}
    aligned = False
    for method, verdict, rest in METHOD.findall(re.sub(r"\([^()]*\)", "", result)):
        verdicts.setdefault(method.lower(), set()).add(verdict.lower())
        if verdict.lower() == "pass":
            about = [found.rpartition("@")[2].lower() for found in PROPERTY.findall(rest)]
            aligned = (
                aligned or method.lower() == "dmarc" or any(_same_domain(each, domain) for each in about)
            )
    spf, dkim, dmarc = (verdicts.get(name, set()) for name in ("spf", "dkim", "dmarc"))
    if "fail" in dmarc or ("fail" in spf and "pass" not in dkim):
        return Authentication.FAIL
    if "fail" in dkim and "pass" not in dkim and "pass" not in spf:
        return Authentication.FAIL
    return Authentication.PASS if aligned else Authentication.UNKNOWN


def _same_domain(first: str, second: str) -> bool:
    if not first or not second:
        return False
    return first == second or first.endswith("." + second) or second.endswith("." + first)


def _trusted_results(message: Message) -> tuple[list[str], bool]:
    """The results that the receiving server stamped, and whether they belong to this very transaction."""
    heads = [(name.lower(), decoding.raw_text(str(value))) for name, value in message.raw_items()]
    received = next((re.sub(r"\s+", " ", value) for name, value in heads if name == "received"), "")
    by = re.search(r"\bby\s+([\w.-]+)\s*(\(Coremail\))?(?:.*?\bid\s+([\w.$=-]+))?", received)
    if not by:
        return [], False
    glue = "" if by[2] else " "
    values = [
        re.sub(r"[\r\n]+[ \t]*", glue, value) for name, value in heads if name == "authentication-results"
    ]
    ours = [
        rest
        for server, _, rest in (value.strip().partition(";") for value in values)
        if _is_host(server, by[1])
    ]
    if not by[2]:
        return ours[:1], True
    transactions = [value.strip().rstrip(";") for name, value in heads if name == "x-cm-transid"]
    return ours, not transactions or transactions[-1] == by[3]


def _is_host(server: str, host: str) -> bool:
    return server.strip().split(" ")[0].lower() == host.lower()
