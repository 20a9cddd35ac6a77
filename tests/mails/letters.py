"""Mails as schools and machines send them, made for the tests. All names are invented."""

from __future__ import annotations

import io
import zipfile
from email.message import EmailMessage
from pathlib import Path

from parsers.content import Limits
from parsers.message import opened

SAMPLES = Path(__file__).parent / "samples"
ADDRESS = "djb3916@163.com"


def sample(number: str) -> bytes:
    """The sample mail of that number."""
    return next(SAMPLES.glob(f"{number}-*.eml")).read_bytes()


def problem_report() -> bytes:
    """A filled 难点问题报告表 as docx."""
    return opened(sample("001"), Limits()).attachments[0].data


def mail(
    *files: tuple[str, bytes],
    text: str = "您好,见附件。",
    subject: str = "报送",
    sender: str = "school@example.cn",
) -> bytes:
    """A mail with attachments of the given names and bytes."""
    message = EmailMessage()
    message["From"] = sender
    message["To"] = ADDRESS
    message["Subject"] = subject
    message["Message-ID"] = "<20220104.1@example.cn>"
    message["Date"] = "Tue, 04 Jan 2022 09:30:00 +0800"
    message.set_content(text)
    for name, data in files:
        message.add_attachment(data, maintype="application", subtype="octet-stream", filename=name)
    return message.as_bytes()


def plain(headers: str, body: str = "", charset: str = "utf-8") -> bytes:
    """A mail written out by hand."""
    return f"{headers.strip()}\n\n{body}".encode(charset)


def zipped(*members: tuple[str, bytes], method: int = zipfile.ZIP_DEFLATED) -> bytes:
    """A zip archive in memory."""
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", method) as archive:
        for name, data in members:
            archive.writestr(name, data)
    return stream.getvalue()
