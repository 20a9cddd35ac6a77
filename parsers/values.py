"""The values that reading gives: what a mail or a file says, and what is doubtful about it.

Every value is frozen and picklable: it is made in a worker process and travels to the daemon.
`Reading.to_json` is the JSON of `djb read --json`.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from enum import StrEnum
from typing import Any

NOT_INSTALLED_HERE = re.compile(r"未安装|LibreOffice 未能")
Value = str | int | date | tuple[str, ...] | None
"""One field of a form: text, a count, a date, a set of names, or nothing."""


class FindingKind(StrEnum):
    MISSING = "missing"
    INVALID = "invalid"
    INCONSISTENT = "inconsistent"
    UNCERTAIN = "uncertain"


class Severity(StrEnum):
    ERROR = "error"
    """The school must correct it."""
    WARNING = "warning"
    """Kept, and shown to the office."""


class Verdict(StrEnum):
    COMPLETE = "complete"
    INCOMPLETE = "incomplete"
    UNCERTAIN = "uncertain"
    NO_FORM = "no_form"
    UNREADABLE = "unreadable"


class MailKind(StrEnum):
    PERSON = "person"
    AUTO_REPLY = "auto_reply"
    BOUNCE = "bounce"
    RECALL = "recall"
    LIST = "list"
    SELF = "self"


class PartOutcome(StrEnum):
    FORM = "form"
    IGNORED = "ignored"
    UNREADABLE = "unreadable"
    REFUSED = "refused"


class Authentication(StrEnum):
    """What the receiving server found out about the sender; unknown does not fail (product.md)."""

    PASS = "pass"  # noqa: S105 (not a password)
    FAIL = "fail"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Finding:
    """One fault or doubt about one field of a form, in words a school's clerk understands."""

    field: str
    """Path of the field: `reporting_unit`, `problems[0].levels`, `rows[1].platforms`."""
    kind: FindingKind
    severity: Severity
    text: str
    where: str | None = None
    """The place in the document: 表1第2行第3列, 工作表“附件2”C5, 第1页."""


@dataclass(frozen=True, slots=True)
class Place:
    """Where in a part a field's value stands. Indices count from 0; None where they mean nothing."""

    where: str
    """The same place in Chinese, for people."""
    sheet: str | None = None
    page: int | None = None
    table: int | None = None
    row: int | None = None
    column: int | None = None


@dataclass(frozen=True, slots=True)
class Form:
    """One form as read: the values of its head, its items (problems or rows), and the doubts."""

    kind: str
    """Name of the form in `parsers.forms`: `problem_report`, `statistics`, …"""
    part: str
    """Name of the part it stands in; 正文 for the body."""
    format: str
    fields: Mapping[str, Value]
    items_key: str
    """`problems` or `rows`: how the items are called in JSON and in field paths."""
    items: tuple[Mapping[str, Value], ...]
    findings: tuple[Finding, ...] = ()
    places: Mapping[str, Place] = field(default_factory=dict)
    document: bytes | None = None
    """The file the form was read from, so that a copy of it can be marked and sent back."""
    identity: str | None = None
    """The hidden identity of a document that we had sent out (number or period it belongs to)."""
    signed_copy: str | None = None
    """Name of the part that is the signed and sealed copy of this form, if one came along."""

    @property
    def uncertain(self) -> bool:
        return any(f.kind is FindingKind.UNCERTAIN for f in self.findings)

    @property
    def incomplete(self) -> bool:
        return any(f.severity is Severity.ERROR for f in self.findings)

    def to_json(self) -> dict[str, Any]:
        return {
            "form": self.kind,
            "part": self.part,
            "format": self.format,
            **{name: plain(value) for name, value in self.fields.items()},
            self.items_key: [{name: plain(value) for name, value in item.items()} for item in self.items],
            "findings": [
                {
                    "field": f.field,
                    "kind": f.kind.value,
                    "severity": f.severity.value,
                    "text": f.text,
                    "where": f.where,
                }
                for f in self.findings
            ],
            "places": {path: place.where for path, place in self.places.items()},
            "signed_copy": self.signed_copy,
        }


@dataclass(frozen=True, slots=True)
class Part:
    """One leaf file of a mail and what became of it."""

    name: str
    format: str
    outcome: PartOutcome
    reason: str | None = None
    """Why, in Chinese; None for a form."""

    @property
    def lacks_reader(self) -> bool:
        """Whether only this installation cannot read it, as every reader says in its reason."""
        return self.outcome is PartOutcome.UNREADABLE and bool(NOT_INSTALLED_HERE.search(self.reason or ""))

    def to_json(self) -> dict[str, Any]:
        return {
            "name": self.name,
            "format": self.format,
            "outcome": self.outcome.value,
            "reason": self.reason,
        }


@dataclass(frozen=True, slots=True)
class BouncedRecipient:
    """One address that a delivery report speaks of."""

    address: str
    permanent: bool
    """False for a delay or a 4.x.x status."""
    status: str | None = None
    """Enhanced status code, such as 5.1.1."""
    diagnostic: str | None = None


@dataclass(frozen=True, slots=True)
class Mail:
    """A mail's head and the sender's own words."""

    kind: MailKind
    message_id: str | None
    sender: str
    """Address in the From header, lower case; empty if there is none."""
    from_name: str | None
    subject: str
    date: datetime | None
    reply_text: str
    """The sender's own words, without quoted text and signature delimiter block."""
    in_reply_to: tuple[str, ...] = ()
    """Message-IDs that this mail answers: In-Reply-To first, then References, newest first."""
    authentication: Authentication = Authentication.UNKNOWN
    bounced: tuple[BouncedRecipient, ...] = ()
    bounce_of: tuple[str, ...] = ()
    """Message-IDs of the mails that a delivery report is about."""
    oversize_links: tuple[str, ...] = ()
    """Links of 超大附件 that the mail carries instead of attachments."""

    def to_json(self) -> dict[str, Any]:
        return {
            "kind": self.kind.value,
            "message_id": self.message_id,
            "from": self.sender,
            "from_name": self.from_name,
            "subject": self.subject,
            "date": self.date.isoformat() if self.date else None,
            "reply_text": self.reply_text,
        }


@dataclass(frozen=True, slots=True)
class ReturnedRow:
    """One row of a returned round-trip workbook."""

    identity: str | None
    """The hidden identity that we wrote into the row; None for a row that somebody added."""
    cells: Mapping[str, str | None]
    """Heading -> text of the cell, NFKC-normalised, None when empty. Dates are ISO."""
    where: str
    """工作表“问题清单”第5行."""


@dataclass(frozen=True, slots=True)
class ReturnedWorkbook:
    """A workbook of ours that came back, edited."""

    kind: str
    """`problem_list`, `assignment_sheet`, `handling_sheet`, `clue_register`, `ledger`."""
    about: str
    """Number of what it is about: `QC-2022-01`, `ND-2022-013`."""
    version: str
    """The version we wrote into it; compared with what we sent."""
    part: str
    rows: tuple[ReturnedRow, ...] = ()
    fields: Mapping[str, str | None] = field(default_factory=dict)
    """Label -> value of a sheet with labels left and values right (handling sheet)."""
    tables: Mapping[str, tuple[ReturnedRow, ...]] = field(default_factory=dict)
    """Further tables by their first heading (任务措施 of the handling sheet)."""
    data: bytes = field(default=b"", compare=False, repr=False)
    """The file as it came, so that a person can look at what could not be carried out."""


@dataclass(frozen=True, slots=True)
class ReturnedDocument:
    """A draft of ours that came back, edited or not."""

    part: str
    format: str
    about: str
    """Number of what it is a draft of: `TJ-2022-01`."""
    code: str
    """Which of its drafts it is."""
    lines: tuple[str, ...]
    """What it says, line by line, tables row by row."""
    faults: tuple[str, ...]
    """Why it cannot go out as it is, in Chinese: macros, tracked changes, comments."""
    digest: str
    """SHA-256 of the file as it came."""
    data: bytes
    """The file without the marks of a draft."""


@dataclass(frozen=True, slots=True)
class Reading:
    """All that one mail or one bare file says."""

    file: str
    mail: Mail | None
    forms: tuple[Form, ...]
    parts: tuple[Part, ...]
    verdict: Verdict
    workbooks: tuple[ReturnedWorkbook, ...] = ()
    documents: tuple[ReturnedDocument, ...] = ()

    def to_json(self) -> dict[str, Any]:
        return {
            "file": self.file,
            "mail": self.mail.to_json() if self.mail else None,
            "forms": [form.to_json() for form in self.forms],
            "parts": [part.to_json() for part in self.parts],
            "verdict": self.verdict.value,
        }


def plain(value: Value) -> str | int | list[str] | None:
    """The JSON form of a field's value."""
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, tuple):
        return list(value)
    return value
