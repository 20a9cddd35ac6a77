"""The floor: only what cannot be left out, in one process, by a script that understands nothing.

imapclient fetches in batches, the raw bytes are archived and synced, mail-parser takes the mail apart, openpyxl
or a bare walk through the document reads the file, one SQLite commit at synchronous FULL and one batched mark
end each batch.
"""

from __future__ import annotations

import base64
import hashlib
import io
import os
import sqlite3
import time
import zipfile
from collections.abc import Iterator
from pathlib import Path

import mailparser
import openpyxl
from imapclient import IMAPClient
from lxml import etree

from tests.servers.mailstack import OFFICE, PASSWORD, MailStack

BATCH = 100


def intake(stack: MailStack, folder: Path, after: int = 0) -> float:
    """Seconds for all mails of the office's mailbox but the first ones."""
    begun = time.monotonic()
    (folder / "mail").mkdir(parents=True)
    database = sqlite3.connect(folder / "floor.sqlite3", isolation_level=None)
    database.execute("PRAGMA journal_mode=WAL")
    database.execute("PRAGMA synchronous=FULL")
    database.execute(
        "CREATE TABLE mail (uid INTEGER PRIMARY KEY, sha TEXT, sender TEXT, subject TEXT, cells TEXT)"
    )
    context = stack.certificates.client_context()
    with IMAPClient("localhost", stack.imaps_port, ssl_context=context) as client:
        client.login(OFFICE, PASSWORD)
        client.select_folder("INBOX")
        uids = client.search(["ALL"])[after:]
        for start in range(0, len(uids), BATCH):
            some = uids[start : start + BATCH]
            answer = client.fetch(some, ["BODY.PEEK[]", "INTERNALDATE"])
            rows = [_row(folder, uid, answer[uid][b"BODY[]"]) for uid in some]
            os.sync()
            database.execute("BEGIN IMMEDIATE")
            database.executemany("INSERT INTO mail VALUES (?, ?, ?, ?, ?)", rows)
            database.execute("COMMIT")
            client.add_flags(some, [b"\\Flagged"], silent=True)
    database.close()
    return time.monotonic() - begun


def _row(folder: Path, uid: int, raw: bytes) -> tuple[int, str, str, str, str]:
    digest = hashlib.sha256(raw).hexdigest()
    (folder / "mail" / f"{digest}.eml").write_bytes(raw)
    mail = mailparser.parse_from_bytes(raw)
    cells = [cell for part in mail.attachments for cell in _cells(part["filename"], _payload(part))]
    return uid, digest, str(mail.from_), str(mail.subject), "\n".join(cells)


def _payload(part: dict[str, str]) -> bytes:
    text = part["payload"]
    return base64.b64decode(text) if part.get("binary", True) else text.encode()


def _cells(name: str, data: bytes) -> Iterator[str]:
    if name.endswith(".xlsx"):
        for sheet in openpyxl.load_workbook(io.BytesIO(data)):
            for row in sheet.iter_rows():
                yield from (str(cell.value) for cell in row if cell.value is not None)
        return
    with zipfile.ZipFile(io.BytesIO(data)) as package:
        root = etree.fromstring(package.read("word/document.xml"))
    for element in root.iter():
        if isinstance(element.tag, str) and element.tag.endswith("}t") and element.text:
            yield element.text
