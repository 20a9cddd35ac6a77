"""Whether a person wrote a mail or a machine did, and what a delivery report says.

Every rule is a line in a table. The words of a machine count only where a person could not have written
them by quoting: in the head, or in a body whose sender or envelope is a machine's.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from email.message import Message

from parsers.values import BouncedRecipient, MailKind


def _any(*patterns: str) -> re.Pattern[str]:
    return re.compile("|".join(f"(?:{pattern})" for pattern in patterns), re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Evidence:
    """What the kind of a mail is judged by."""

    headers: Mapping[str, tuple[str, ...]]
    """Decoded values by lower-case name."""
    sender: str
    sender_name: str
    subject: str
    own_text: str
    text: str
    """The whole visible body, quotations included."""
    part_types: frozenset[str]
    """Media types of the mail's own parts, not of mails that it carries along."""
    has_files: bool = False
    """Real attachments came along; machines seldom send any."""

    def header(self, name: str) -> str:
        return next(iter(self.headers.get(name, ())), "").strip()


NULL_PATH = re.compile(r"^<?\s*>?$")

DAEMON_ADDRESS = _any(
    r"^(?:mailer-daemon|mailerdaemon|mail-daemon|postmaster|mdaemon|mail\.?delivery|maildelivery|mail-delivery)",
    r"^(?:mailsystem|mail-system|mail_system|bounces?|ndr|dsn|mailer|mail\.delivery\.system)@",
    r"^(?:mailer-daemon|postmaster|mdaemon|imss|inetgw\d*|exchange|microsoftexchange\w*)@",
)
DAEMON_NAME = _any(
    r"mail(?:er)?[ -]?delivery (?:sub)?system|mail delivery|delivery subsystem|mailer[- ]daemon|internet mail delivery",
    r"postmaster|microsoft outlook$|system administrator|mail administrator|jetmail system|mail system|系统管理员|邮件系统|退信",
)
BOUNCE_SUBJECT = _any(
    r"undeliver(?:ed|able)|un-?delivered mail|not delivered|non[- ]?delivery|delivery (?:has )?fail(?:ed|ure)|delivery error",
    r"delivery (?:status|report|notification|delayed|problem)|mail delivery|message delivery|failure delivery|delayed mail",
    r"returned mail|return(?:ed|ing) (?:to sender|message)|mail (?:system )?error|mail failed|failed mail|failure notice",
    r"could not be delivered|(?:mail|message) (?:delayed|rejected)|message .{0,40}delayed|delivery warning|permanent delivery",
    r"warning: (?:message|could not|.*user unknown)|automatically rejected mail|processing error|mail could not|mail error",
    r"delivery incomplete|email delivery failure|rejected:|blocked by our|message blocked|address not found",
    r"unzustellbar|nicht zugestellt|zustellung|non remis|non distribu|échec de (?:la )?remise|no se pudo entregar|недоставлен",
    r"utilisateur non recens|не доставлено|配信不能|返送",
    r"退信|退回邮件|邮件(?:被)?退回|退件|投递(?:失败|错误|未成功|不成功)|(?:发送|传递|传送|传输|送达|递送)失败|无法(?:投递|送达|传递|递送)",
    r"未(?:能)?(?:送达|投递|传递)|未送達|無法(?:投遞|傳遞|遞送)|傳遞失敗|(?:传递|投递|送达|发送)(?:状态|延迟|超时)|延迟(?:投递|发送|送达)",
    r"信件退回|邮件回退|邮件未发出",
)
BOUNCE_SUBJECT_STRONG = _any(
    r"^(?:undeliver(?:ed|able)(?: mail| message)?\b|undelivered mail returned to sender|non[- ]?delivery\b)",
    r"^(?:failure notice|returned mail\b|mail delivery (?:failed|failure)|delivery (?:status notification|failure|report)\b)",
    r"^(?:(?:mail|message) could not be delivered|delivery failure notification|email delivery failure)|\(delivery failed\)\s*$",
    r"^(?:系统退信|退信|退信通知|来自.{1,40}的退信|邮件(?:投递|发送|传递)失败|未送达[:：]|无法(?:投递|送达|传递)[:：]|投递失败)",
)
REPLY_PREFIX = re.compile(
    r"^\s*(?:re|回复|答复|回覆|答覆|fw|fwd|转发|轉寄|转寄|aw|wg|sv|tr)\s*(?:\[\d+\])?\s*[:：]", re.IGNORECASE
)
BOUNCE_BODY = _any(
    r"this is the (?:mail system at|postfix|qmail|machine generated)|qmail-send program|mail delivery software",
    r"permanent fatal errors|had (?:permanent|delivery|transient) |delivery to the following recipients?|undeliverable",
    r"could ?n[o']t be delivered|could not be delivered|was not delivered|not delivered|undelivered|unable to deliver|cannot deliver",
    r"can't be delivered|did not reach|did not receive|delivery (?:attempt|has|to .{1,80}) ?failed|delivery failure|delivery failed",
    r"returned (?:to sender|mail)|user unknown|unknown user|no such user|mailbox (?:is )?(?:full|unavailable|not found)|over quota",
    r"address(?:es)? (?:rejected|not found|failed)|failed recipients|failed addresses|recipient(?:s)? (?:address )?rejected",
    r"reason for (?:failure|return)|message (?:not|un)delivered|transcript of session|permanent failure|permanent error",
    r"still being retried|will be retried|delayed|has not yet been delivered|host not found|unrouteable|said: [45]\d\d",
    r"\b[45]\.\d\.\d{1,2}\b|\b55\d[ -]|mail(?:box)? quota|exceeded|does not exist|doesn't exist",
    r"退信|退回|(?:投递|发送|传递|送达|传送)(?:失败|不成功)|无法(?:投递|送达|发送|传递)|未能(?:送达|投递|发送)|收件人.{0,12}(?:不存在|已满|拒收)",
    r"(?:邮箱|用户|地址).{0,8}(?:不存在|已满|拒收|停用|被禁用)|拒绝接收|对方服务器|超过.{0,10}容量|退訊|無法遞送|系统找不到",
)
REPORT_SUCCESS = frozenset({"delivered", "relayed", "expanded"})

RECALL_SUBJECT = _any(
    r"^\s*通知[:：]\s*\[?撤回邮件|撤回邮件(?:成功|失败)|邮件撤回(?:成功|失败|通知|结果)|message recall (?:success|failure|report)",
    r"^\s*recall(?: failed| succeeded)?\s*[:：]|^\s*撤回\s*[:：]|^\s*回收\s*[:：]|^\s*rückruf\s*[:：]|^\s*(?:已)?撤回邮件[:：]",
)
RECALL_BODY = _any(
    r"would like to recall the message|(?:将|希望|想要|要求|正在)\s*撤回(?:此|该|这封|下列)?\s*邮件|将?撤回邮件\s*[“\"「]|已被发件人撤回",
    r"撤回(?:了)?(?:一封|该|此)?邮件|message recall|撤回失败|撤回成功",
)

AUTO_HEADERS: tuple[tuple[str, re.Pattern[str]], ...] = (
    ("auto-submitted", re.compile(r"^(?!no\b)\w", re.IGNORECASE)),
    *(
        (name, re.compile(r"^(?!no$|false$|0$)\S", re.IGNORECASE))
        for name in (
            *(
                "x-autoreply",
                "x-auto-reply",
                "x-autorespond",
                "x-auto-respond",
                "x-autoresponder",
                "x-autogenerated",
            ),
            *("x-auto-reply-from", "x-autoreply-from", "x-mail-autoreply", "x-vacation", "x-vacation-id"),
            *("x-away", "x-autoreply-domain", "auto-reply", "autoresponder", "x-tmda-fingerprint"),
            *("x-qq-autoreply", "x-netease-autoreply", "x-coremail-autoreply"),
        )
    ),
    ("precedence", re.compile(r"^auto[_-]?reply", re.IGNORECASE)),
    ("x-precedence", re.compile(r"^auto[_-]?reply", re.IGNORECASE)),
    ("x-post-messageclass", re.compile(r"^9\b")),
    ("delivered-to", re.compile(r"^autoresponder", re.IGNORECASE)),
    ("x-fc-machinegenerated", re.compile(r"^true", re.IGNORECASE)),
    ("x-cron-env", re.compile(r"\S")),
    ("x-delivery-agent", re.compile(r"^tmda", re.IGNORECASE)),
    ("x-ms-exchange-inbox-rules-loop", re.compile(r"\S")),
    ("x-mimeole", re.compile(r"auto-?reply", re.IGNORECASE)),
)
AUTO_SUBJECT = _any(
    r"^\s*(?:\[?(?:网易邮箱|qq邮箱|foxmail|系统)?\s*(?:自动(?:回复|答复|应答|回覆)|自動(?:回覆|回复|答覆|応答|返信)|假期(?:自动)?回复|外出回复)\]?)"
    r"\s*(?:[:：(（\-—]|$)",
    r"^\s*[\[【(（]自动(?:回复|答复|应答)[\]】)）]|[\[【(（]自动(?:回复|答复|应答)[\]】)）]\s*$",
    r"^\s*(?:休假|外出|出差|假期|节假日|离线|邮件|邮箱|系统)自动(?:回复|答复|应答)\s*(?:[:：(（]|$)",
    r"^\s*(?:auto(?:matic(?:ally)?)?[ -]?(?:re(?:ply|sponse|sponder))|autoresponse|autoreply)\s*(?:[:：(\-]|from\b|to\b|$)",
    r"^\s*(?:out[ -]of[ -](?:the[ -])?office|ooo)(?:\s+(?:auto(?:matic)?[ -]?reply|reply|notification|message))?\s*(?:[:：(\-]|$|re:)",
    r"^\s*(?:vacation|on vacation|away from (?:my )?(?:mail|office)|absence)(?:\s+(?:reply|message|notice))?\s*(?:[:：]|$)",
    r"^\s*(?:automatische antwort|abwesenheits(?:notiz|agent|meldung)|réponse automatique|respuesta automática)",
    r"^\s*(?:risposta automatica|resposta automática|automatisch antwoord|autosvar|автоответ|автоматический ответ)",
    r"^\s*auto\s*[:：]",
)
AUTO_BODY = _any(
    r"这是来自\s*.{0,20}邮箱的\s*(?:假期)?自动回复邮件|(?:这|此|本)(?:是一?封|邮件|信)?(?:为|是|由)?(?:系统)?自动(?:回复|答复|应答)(?:邮件|的|，|。|,|$)",
    r"(?:此|本)(?:邮件|信|信息)(?:为|由|是)?系统自动(?:发送|发出|生成|产生)|系统自动(?:发送|发出|回复).{0,6}(?:请)?勿(?:直接)?回复|[(（【\[]自动回复[)）】\]]",
    r"this is an auto(?:matic(?:ally)?|mated)[ -](?:generated )?(?:re(?:ply|sponse)|message|e-?mail|notification)",
    r"automatically generated (?:re(?:ply|sponse)|e-?mail|message)|auto-?generated (?:e-?mail|message|reply|response)",
    r"do not reply to this (?:automated )?(?:e-?mail|message)|(?:i am|i'm|i will be) (?:currently )?(?:out of (?:the )?office|on vacation)",
    r"your (?:message|e-?mail|mail) (?:requires|needs) (?:confirmation|verification)|please confirm your message",
    r"to complete this verification|(?:boxbe|spamarrest|spam arrest|mailblocks|sender verification)",
    r"(?:为防止垃圾邮件|反垃圾).{0,60}(?:请点击|点击|输入验证码|确认)",
)
NO_REPLY_ADDRESS = re.compile(
    r"^(?:no-?_?\.?reply|do-?not-?_?reply|donotreply|noreply[\w.+-]*|auto-?(?:reply|responder|mailer)?|autoanswer|autoreply[\w.+-]*)@",
    re.IGNORECASE,
)

RECEIPT_SUBJECT = _any(
    r"^\s*(?:已读|已阅|未读|已閱讀|讀取|读取|已读回执|阅读回执|邮件回执|收条|已显示)\s*(?:回执)?\s*(?:[:：(（]|$)",
    r"^\s*(?:read|not read|return receipt|read receipt|disposition notification|gelesen|lu)\s*(?:[:：(]|\(|$)",
)
RECEIPT_BODY = _any(
    r"was read on|has been (?:read|displayed|opened)|this is a (?:return|read) receipt|disposition|deleted without being read",
    r"(?:已|被)(?:于|在)?.{0,30}(?:阅读|读取|打开|查看|显示)|已读回执|阅读回执|(?:这|本|此).{0,6}(?:是|为).{0,10}回执|收条|未读.{0,6}(?:被)?删除",
)

LIST_HEADERS = (
    *(
        "list-id",
        "list-post",
        "list-unsubscribe",
        "list-help",
        "list-subscribe",
        "list-owner",
        "list-archive",
    ),
    *(
        "x-mailing-list",
        "mailing-list",
        "x-mailman-version",
        "x-listserver",
        "x-list-id",
        "x-campaign-id",
    ),
    *("x-csa-complaints", "x-ml-name", "x-beenthere", "x-mailinglist", "x-campaignid"),
)
LIST_PRECEDENCE = re.compile(r"^(?:list|bulk|junk)", re.IGNORECASE)
LIST_BODY = _any(
    r"(?:退订|取消订阅|不想再收到).{0,40}(?:点击|邮件|链接|请|此)|(?:点击|请).{0,20}(?:退订|取消订阅)",
    r"to unsubscribe|unsubscribe (?:from|here|link)|click here to unsubscribe|manage your (?:subscription|preferences)",
)


def kind_of(evidence: Evidence, own_address: str | None = None) -> MailKind:
    """The kind of a mail; a person's unless something says otherwise."""
    if own_address and evidence.sender == own_address.strip().lower():
        return MailKind.SELF
    for kind, says in RULES:
        if says(evidence):
            return kind
    return MailKind.PERSON


def _is_recall(mail: Evidence) -> bool:
    if not RECALL_SUBJECT.search(mail.subject) or mail.has_files:
        return False
    return bool(DAEMON_ADDRESS.search(mail.sender) or RECALL_BODY.search(mail.text))


def _is_bounce(mail: Evidence) -> bool:
    if mail.part_types & {"message/delivery-status", "message/global-delivery-status"}:
        return True
    if mail.header("x-failed-recipients") or mail.header("x-cm-original-message-id"):
        return True
    if "multipart/report" in mail.part_types and "delivery-status" in mail.header("content-type").lower():
        return True
    subject = bool(BOUNCE_SUBJECT.search(mail.subject))
    body = bool(BOUNCE_BODY.search(mail.text))
    if _from_daemon(mail):
        return subject or body
    if REPLY_PREFIX.search(mail.subject) and not mail.subject.rstrip().lower().endswith("(delivery failed)"):
        return False
    if BOUNCE_SUBJECT_STRONG.search(mail.subject):
        return body and bool(re.search(r"[\w.+-]+@[\w-]+", mail.text))
    return _null_path(mail) and subject and body


def _from_daemon(mail: Evidence) -> bool:
    if DAEMON_ADDRESS.search(mail.sender.lstrip('"')):
        return True
    return bool(DAEMON_NAME.search(mail.sender_name)) and (not mail.sender or _machine_envelope(mail))


def _machine_envelope(mail: Evidence) -> bool:
    path = mail.header("return-path").lower()
    return _null_path(mail) or "daemon" in path or bool(BOUNCE_SUBJECT_STRONG.search(mail.subject))


def _null_path(mail: Evidence) -> bool:
    return "return-path" in mail.headers and bool(NULL_PATH.match(mail.header("return-path")))


def _is_receipt(mail: Evidence) -> bool:
    if "message/disposition-notification" in mail.part_types:
        return True
    if "disposition-notification" in mail.header("content-type").lower():
        return True
    return (
        bool(RECEIPT_SUBJECT.search(mail.subject))
        and bool(RECEIPT_BODY.search(mail.text))
        and not mail.has_files
    )


def _is_auto_reply(mail: Evidence) -> bool:
    for name, pattern in AUTO_HEADERS:
        if any(pattern.search(value.strip()) for value in mail.headers.get(name, ())):
            return True
    if AUTO_SUBJECT.search(mail.subject) or NO_REPLY_ADDRESS.search(mail.sender) or _null_path(mail):
        return True
    short = len(mail.own_text) < 600 and not mail.has_files
    return short and bool(AUTO_BODY.search(mail.own_text))


def _is_list(mail: Evidence) -> bool:
    if any(mail.headers.get(name) for name in LIST_HEADERS):
        return True
    # Tencent puts a Feedback-ID on what persons write, too.
    if mail.headers.get("feedback-id") and not any(name.startswith("x-qq-") for name in mail.headers):
        return True
    answers = bool(mail.header("in-reply-to"))
    if LIST_PRECEDENCE.search(mail.header("precedence")):
        return not answers or mail.header("precedence").lower().startswith("list")
    return not answers and not mail.has_files and bool(LIST_BODY.search(mail.own_text[-1500:]))


RULES: tuple[tuple[MailKind, Callable[[Evidence], bool]], ...] = (
    (MailKind.RECALL, _is_recall),
    (MailKind.BOUNCE, _is_bounce),
    (MailKind.AUTO_REPLY, _is_receipt),
    (MailKind.LIST, lambda mail: any(mail.headers.get(name) for name in LIST_HEADERS[:2])),
    (MailKind.AUTO_REPLY, _is_auto_reply),
    (MailKind.LIST, _is_list),
)
"""The first that speaks up decides."""


# ------------------------------------------------------------------ delivery reports

ADDRESS = re.compile(r"[A-Za-z0-9_.+=/'&-]+@[A-Za-z0-9-]+(?:\.[A-Za-z0-9-]+)+")
STATUS = re.compile(r"\b([245]\.\d{1,3}\.\d{1,3})\b")
REPLY_CODE = re.compile(r"(?<![\d.])([45]\d\d)(?:[ -]|$)")
FAILED_ADDRESS = _any(
    r"(?:无法(?:发送|投递|送达|传递)到?|收件人(?:邮件)?(?:地址)?|投递到|发往|发送给|目标地址|失败地址|以下(?:收件人|地址))[^\n@]{0,60}?[\s:：<“\"]*"
    r"(?P<a>[\w.+-]+@[\w-]+(?:\.[\w-]+)+)",
    r"(?:could not be delivered to|failed recipient|final-recipient|original-recipient|recipient|rcpt to|deliver(?:y)? to)"
    r"[^\n@]{0,60}?(?P<b>[\w.+-]+@[\w-]+(?:\.[\w-]+)+)",
    r"^\s*<(?P<c>[\w.+-]+@[\w-]+(?:\.[\w-]+)+)>\s*[:：]",
)
TEMPORARY_WORDS = re.compile(
    r"delayed|still being retried|not yet been delivered|will be retried|延迟|重试|继续尝试", re.IGNORECASE
)


def bounced_recipients(message: Message, text: str, ours: Iterable[str]) -> tuple[BouncedRecipient, ...]:
    """The addresses a delivery report speaks of, from its machine-readable part or else from its words."""
    reported = [recipient for block in _status_blocks(message) if (recipient := _reported(block))]
    if reported or _reports_success(message):
        return tuple({recipient.address: recipient for recipient in reported}.values())
    known = {address.lower() for address in ours if address}
    failed = [BouncedRecipient(address, True, *_diagnosis(text)) for address in _header_addresses(message)]
    if not failed:
        failed = list(_spoken(message, text))
    return tuple({each.address: each for each in failed if each.address not in known}.values())


def _status_blocks(message: Message) -> list[Message]:
    """The per-recipient groups of the report's own delivery-status parts."""
    blocks: list[Message] = []
    for part in own_parts(message):
        if part.get_content_type() in ("message/delivery-status", "message/global-delivery-status"):
            payload = part.get_payload()
            if isinstance(payload, list):
                blocks += [block for block in payload if isinstance(block, Message)]
    return blocks


def own_parts(message: Message, depth: int = 0) -> Iterable[Message]:
    """The parts of a mail without those of mails that it carries along."""
    yield message
    if depth < 30 and message.is_multipart() and message.get_content_maintype() != "message":
        for part in message.get_payload():
            if isinstance(part, Message):
                yield from own_parts(part, depth + 1)


def _reported(block: Message) -> BouncedRecipient | None:
    recipient = str(block.get("Final-Recipient") or block.get("Original-Recipient") or "")
    original = str(block.get("Original-Recipient") or "")
    match = ADDRESS.search(original) or ADDRESS.search(recipient)
    action = str(block.get("Action") or "").strip().lower().split(" ")[0]
    if not match or action in REPORT_SUCCESS:
        return None
    diagnostic = re.sub(r"\s+", " ", str(block.get("Diagnostic-Code") or "")).strip() or None
    found = STATUS.search(str(block.get("Status") or ""))
    status = found[1] if found else None
    inner = STATUS.search(diagnostic or "")
    if inner and (status is None or status.endswith(".0.0")):
        status = inner[1]
    temporary = action == "delayed" or (status or "").startswith("4")
    return BouncedRecipient(match[0].lower(), not temporary, status, diagnostic)


def _reports_success(message: Message) -> bool:
    actions = [str(block.get("Action") or "").strip().lower() for block in _status_blocks(message)]
    actions = [action for action in actions if action]
    return bool(actions) and all(action in REPORT_SUCCESS for action in actions)


def _header_addresses(message: Message) -> list[str]:
    return [address.lower() for address in ADDRESS.findall(str(message.get("X-Failed-Recipients") or ""))]


def _spoken(message: Message, text: str) -> Iterable[BouncedRecipient]:
    """Addresses named in prose: by the patterns of flufl.bounce, else by ours."""
    temporary, permanent = _by_known_formats(message)
    status, diagnostic = _diagnosis(text)
    for address in sorted(permanent):
        yield BouncedRecipient(address, True, status, diagnostic)
    for address in sorted(temporary - permanent):
        yield BouncedRecipient(address, False, status, diagnostic)
    if permanent or temporary:
        return
    match = re.search(FAILED_ADDRESS.pattern, text, re.IGNORECASE | re.MULTILINE)
    if match:
        address = next(group for group in match.groups() if group)
        lasting = not (TEMPORARY_WORDS.search(text) or (status or "").startswith("4"))
        yield BouncedRecipient(address.lower(), lasting, status, diagnostic)


def _by_known_formats(message: Message) -> tuple[set[str], set[str]]:
    from flufl.bounce import all_failures

    try:
        temporary, permanent = all_failures(message)
    except (ValueError, LookupError, AttributeError, TypeError, AssertionError):
        return set(), set()
    return _addresses(temporary), _addresses(permanent)


def _addresses(found: Iterable[bytes | str]) -> set[str]:
    texts = (each.decode("ascii", "replace") if isinstance(each, bytes) else each for each in found)
    return {text.strip("<> ").lower() for text in texts if "@" in text}


def _diagnosis(text: str) -> tuple[str | None, str | None]:
    """The enhanced status code and the line that says why."""
    status = STATUS.search(text)
    code = status or REPLY_CODE.search(text)
    if not code:
        return None, None
    start = text.rfind("\n", 0, code.start()) + 1
    end = text.find("\n", code.end())
    line = text[start : end if end >= 0 else len(text)].strip()
    return (status[1] if status else None), line[:300] or None


def is_success_report(message: Message) -> bool:
    """Whether a delivery report says that all went well, so that nothing has bounced."""
    return _reports_success(message)
