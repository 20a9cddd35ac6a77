"""`djb once --dry-run`: a whole cycle on a throw-away copy. Shows what would happen; sends and changes nothing.

The mailbox is opened with EXAMINE and its mails are fetched with PEEK; everything else happens in a
temporary directory, by the very functions that the daemon works with.
"""

from __future__ import annotations

import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.text import Text

from daemon import display, intake, schedule, service
from daemon.config import Config
from daemon.desk import Office, open_office
from daemon.errors import Failure
from daemon.mailbox import Mailbox
from daemon.model import Disposition, LetterState
from daemon.reader import Reader
from daemon.store import lists, overview, schema
from daemon.store.copying import copied
from daemon.store.engine import Store, open_store
from daemon.store.opening import opened_store
from parsers.content import Limits

Row = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Rehearsed:
    """What one cycle would do."""

    mails: Sequence[Row]
    letters: Sequence[Row]
    unreachable: str | None
    """Why no mail could be fetched."""


def rehearse(config: Config, moment: datetime) -> int:
    """Print what a cycle at `moment` would do; 1 if the mailbox is out of reach, so that this is not all."""
    with tempfile.TemporaryDirectory(prefix="djb-dry-run-") as folder:
        store = _copy(config, Path(folder))
        try:
            with Console(stderr=True).status("正在试运行……"):
                found = rehearsed(store, open_office(config), moment)
        finally:
            store.close()
    _show(found, config, moment)
    return 1 if found.unreachable else 0


def _copy(config: Config, folder: Path) -> Store:
    """A copy of the database with the mails that wait; an empty one where there is no database yet."""
    source = open_store(config.store.database, config.store.archive)
    try:
        if schema.schema_version(source) is None:
            store = open_store(f"sqlite:///{folder / 'copy.sqlite3'}", folder / "mail")
            schema.create_if_empty(store)
            return store
    finally:
        source.close()
    source = opened_store(config)
    try:
        with source.reading() as session:
            waiting = overview.pending_digests(session)
        return copied(source, folder, waiting)
    finally:
        source.close()


def rehearsed(store: Store, office: Office, moment: datetime) -> Rehearsed:
    """What one cycle at `moment` does in this store, which is a copy."""
    config = office.config
    with store.reading() as session:
        before_mails = {
            row["id"]
            for row in lists.mails(session, config.zone)
            if row["disposition"] != Disposition.PENDING.value
        }
        before_letters = {row["id"] for row in lists.letters(session, config.zone)}
    service.begin(store, moment)
    unreachable = _collect(store, office, moment)
    limits = Limits(mail_bytes=config.mailbox.max_message_mb << 20)
    with Reader(workers=service.readers(), limits=limits, own_address=config.mailbox.address) as reader:
        intake.handle_pending(store, reader, office, moment)
    schedule.tick(store, office, moment)
    with store.reading() as session:
        mails = [row for row in lists.mails(session, config.zone) if row["id"] not in before_mails]
        letters = [
            row
            for row in lists.letters(session, config.zone)
            if row["id"] not in before_letters
            or (row["state"] == LetterState.QUEUED.value and _moment(row) <= moment)
        ]
    return Rehearsed(mails, letters, unreachable)


def _collect(store: Store, office: Office, moment: datetime) -> str | None:
    """Bring new mail into the copy; why it could not be had."""
    mailbox = Mailbox(service.mailbox_settings(office.config), read_only=True)
    try:
        mailbox.connect()
        intake.collect(store, mailbox, office, moment)
    except Failure as failure:
        return str(failure)
    finally:
        mailbox.close()
    return None


def _moment(row: Row) -> datetime:
    return datetime.fromisoformat(row["due_at"])


def _show(found: Rehearsed, config: Config, moment: datetime) -> None:
    out = display.console()
    out.print(
        f"[bold]试运行[/]：当作 {moment.astimezone(config.zone):%Y-%m-%d %H:%M}。"
        "不发信，不改动邮箱和数据库；编号为预计。"
    )
    display.mails(found.mails, "要处理的来信")
    now = [row for row in found.letters if _moment(row) <= moment]
    later = [row for row in found.letters if _moment(row) > moment]
    display.plan(now, "立即发出的信")
    if later:
        display.plan(later, "写好待发、到时发出的信")
    limit = config.mailbox.smtp.daily_limit
    if len(now) > limit:
        out.print(f"[yellow]多于每日发信上限 {limit} 封：余下的次日再发[/]")
    if found.unreachable:
        Console(stderr=True).print(Text(f"没有收到信：{found.unreachable}", style="red"), soft_wrap=True)
