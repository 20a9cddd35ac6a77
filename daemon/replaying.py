"""`djb replay`: archived mails are read again; what would now be read otherwise is shown before it is done.

Only mails that are not settled are handled again, and none of their letters is written twice: a letter has
a key, and their held forms keep their numbers.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from daemon import answering, clerk, deciding, display, intake, receiving, service
from daemon.config import Config
from daemon.desk import Desk, open_office
from daemon.errors import Failure
from daemon.filing import Outcome, Sender, rule
from daemon.model import Disposition
from daemon.reader import Reader, ReadingFailed
from daemon.rereading import Difference, differences, pairs, same_shape
from daemon.store import overview, questions, tables
from daemon.store.engine import Store
from daemon.stored_forms import finding_json, form_json, stored_form
from parsers.content import Limits
from parsers.values import Form, Reading

UNSETTLED = frozenset({Disposition.PENDING, Disposition.HELD, Disposition.QUARANTINED})
BODY = "正文"
REASON = "重新读取后与原来的表格不同，按新的读法重新办理"


@dataclass(slots=True)
class Reread:
    """A mail that was read again."""

    mail_id: int
    subject: str
    disposition: Disposition
    differences: list[Difference] = field(default_factory=list)
    failure: str | None = None
    """Why it could not be read at all."""
    reading: Reading | None = None
    now: Disposition | None = None
    """Its fate after it was handled again; None if it was not."""

    @property
    def differs(self) -> bool:
        return bool(self.differences or self.failure)

    def to_json(self) -> dict[str, Any]:
        return {
            "mail": self.mail_id,
            "subject": self.subject,
            "disposition": self.disposition.value,
            "differences": [difference.to_json() for difference in self.differences],
            "failure": self.failure,
            "applied": self.now is not None,
            "now": self.now.value if self.now else None,
        }


def replay(
    store: Store, config: Config, mail_ids: Sequence[int], now: datetime, *, apply: bool, as_json: bool
) -> int:
    """Read mails again (all of them, if none is named), show the differences, and carry them out if asked to.

    Failure: a mail is unknown. 1 if a mail could not be read.
    """
    mails = _wanted(store, mail_ids)
    limits = Limits(mail_bytes=config.mailbox.max_message_mb << 20)
    with Reader(workers=service.readers(), limits=limits, own_address=config.mailbox.address) as reader:
        rereads = _reread(store, reader, mails)
        waits = _apply(store, config, reader, rereads, now) if apply else False
    if as_json:
        sys.stdout.write(
            json.dumps([each.to_json() for each in rereads], ensure_ascii=False, indent=2) + "\n"
        )
    else:
        _show(rereads, applied=apply, waits=waits)
    return 1 if any(each.failure for each in rereads) else 0


def _wanted(store: Store, mail_ids: Sequence[int]) -> list[tables.Mail]:
    """The mails that can be read again; those that were never fetched cannot."""
    with store.reading() as session:
        if not mail_ids:
            return overview.archived_mails(session)
        found = questions.mails_with_ids(session, mail_ids)
    if unknown := sorted(set(mail_ids) - {mail.id for mail in found}):
        raise Failure(f"没有来信 {'、'.join(map(str, unknown))}", "用 djb mail 查看全部来信")
    if absent := [str(mail.id) for mail in found if not mail.sha256]:
        raise Failure(f"来信 {'、'.join(absent)} 没有取回原件（{found[0].reason or '过大'}），无法重新读取")
    return found


# --------------------------------------------------------------------------------------------- reading


def _reread(store: Store, reader: Reader, mails: Sequence[tables.Mail]) -> list[Reread]:
    rereads = {mail.id: Reread(mail.id, mail.subject, Disposition(mail.disposition)) for mail in mails}
    columns = (TextColumn("重新读取"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    errors = Console(stderr=True)
    with Progress(*columns, console=errors, transient=True, disable=not errors.is_terminal) as bar:
        task = bar.add_task("", total=len(mails))
        for mail_id, outcome in reader.read_all(_raw(store, mails, rereads)):
            bar.advance(task)
            if isinstance(outcome, ReadingFailed):
                rereads[mail_id].failure = outcome.reason
            else:
                rereads[mail_id].reading = outcome
                with store.reading() as session:
                    mail = session.get_one(tables.Mail, mail_id)
                    rereads[mail_id].differences = list(_differences(mail, _forms(session, mail_id), outcome))
    return list(rereads.values())


def _raw(
    store: Store, mails: Iterable[tables.Mail], rereads: Mapping[int, Reread]
) -> Iterator[tuple[int, bytes, str]]:
    for mail in mails:
        try:
            raw = store.archive.read(mail.sha256)
        except Failure as failure:
            rereads[mail.id].failure = str(failure)
            continue
        yield mail.id, raw, f"mail-{mail.id}.eml"


def _forms(session: Any, mail_id: int) -> list[Form]:
    return [stored_form(filing) for filing in questions.filings_of(session, mail_id)]


def _differences(mail: tables.Mail, filed: Sequence[Form], reading: Reading) -> Iterator[Difference]:
    if Disposition(mail.disposition) in {Disposition.PENDING, Disposition.DUPLICATE}:
        return  # nothing was filed of it, so there is nothing to differ from
    head = reading.mail
    if head is not None and mail.kind is not None and head.kind.value != mail.kind:
        yield Difference("", "mail.kind", "邮件类别", mail.kind, head.kind.value)
    if head is not None and (head.reply_text or "") != (mail.text or ""):
        yield Difference("", "mail.reply_text", "来信人所写", mail.text, head.reply_text)
    if mail.kind not in (None, "person"):
        return
    # Words that amended a form have a filing, too, but no form of their own.
    parts = {part.name for part in reading.parts} | {form.part for form in reading.forms}
    own = [form for form in filed if form.part in parts or (form.part == BODY and reading.forms)]
    yield from differences(own if reading.forms or own else [], reading)


# ---------------------------------------------------------------------------------------- carrying it out


def _apply(store: Store, config: Config, reader: Reader, rereads: Sequence[Reread], now: datetime) -> bool:
    """Handle the unsettled ones again; whether that is left to a daemon that is at work."""
    open_ones = [each for each in rereads if each.disposition in UNSETTLED and each.reading is not None]
    for each in open_ones:
        with clerk.desk_at(store, config, now) as desk:
            _handle_again(desk, each)
    waits = False
    with store.lease(service.LEASE) as lease:
        if lease:
            intake.handle_pending(store, reader, open_office(config), now)
        else:
            waits = True
    with clerk.desk_at(store, config, now) as desk:
        for each in open_ones:
            mail = desk.session.get_one(tables.Mail, each.mail_id)
            each.now = Disposition(mail.disposition)
            if each.now not in UNSETTLED:
                for question in clerk.open_questions(desk, mail):
                    deciding.close_question(desk, question, "重新读取后已办理", clerk.ADMINISTRATOR)
    return waits


def _handle_again(desk: Desk, reread: Reread) -> None:
    """Rule anew on the held forms where they stand; everything else waits its turn as a pending mail."""
    mail = desk.session.get_one(tables.Mail, reread.mail_id)
    reading = reread.reading
    if reading is None or Disposition(mail.disposition) not in UNSETTLED:
        return  # settled by somebody in the meantime
    filings = questions.filings_of(desk.session, mail.id)
    held = [filing for filing in filings if filing.outcome == Outcome.HELD.value]
    if held and len(held) < len(filings):
        return  # some of its forms are filed: a person must look
    if held and same_shape([stored_form(filing) for filing in held], reading.forms):
        _rule_anew(desk, mail, held, reading)
        return
    if held:
        receiving.discard(desk, mail, REASON, clerk.ADMINISTRATOR)
    mail.disposition, mail.attempts, mail.trouble = Disposition.PENDING.value, 0, None
    desk.record(f"mail:{mail.id}", "replayed", by=clerk.ADMINISTRATOR, mail=mail, text="重新读取")


def _rule_anew(desk: Desk, mail: tables.Mail, held: Sequence[tables.Filing], reading: Reading) -> None:
    """The held forms take their new values; if nothing speaks against them any more, they are filed."""
    head = reading.mail
    assert head is not None
    intake.note_head(mail, reading)
    sender = Sender(head.sender, desk.directory.at_address(head.sender), head.authentication)
    matched = pairs([stored_form(filing) for filing in held], reading.forms)
    rulings = []
    for filing, (_, form) in zip(held, matched, strict=True):
        assert form is not None
        _store_form(filing, form)
        rulings.append(rule(form, sender, desk.directory))
    desk.session.flush()
    desk.record(f"mail:{mail.id}", "replayed", by=clerk.ADMINISTRATOR, mail=mail, text="重新读取")
    units = {ruling.unit.id: ruling.unit for ruling in rulings if ruling.unit}
    if len(units) == 1 and all(ruling.outcome is not Outcome.HELD for ruling in rulings):
        answering.accept(desk, mail, next(iter(units.values())), by=clerk.ADMINISTRATOR)
    else:
        mail.reason = "；".join(dict.fromkeys(r.reason for r in rulings if r.reason)) or mail.reason


def _store_form(filing: tables.Filing, form: Form) -> None:
    numbers = filing.values.get("numbers")
    filing.values = form_json(form) | ({"numbers": numbers} if numbers is not None else {})
    filing.findings = [finding_json(finding) for finding in form.findings]


# ------------------------------------------------------------------------------------------ showing it


def _show(rereads: Sequence[Reread], *, applied: bool, waits: bool) -> None:
    out = display.console()
    for each in rereads:
        if each.differs or each.now is not None:
            _show_one(out, each, applied)
    differing = sum(each.differs for each in rereads)
    failed = sum(each.failure is not None for each in rereads)
    out.print(
        f"重新读取 {len(rereads)} 封来信：{differing} 封与原来不同"
        + (f"，{failed} 封读不了" if failed else "")
    )
    if waits:
        out.print("[yellow]守护进程正在运行：需要重新办理的来信由它接着办[/]")
    unsettled = [each for each in rereads if each.disposition in UNSETTLED]
    if not applied and unsettled:
        ids = " ".join(str(each.mail_id) for each in unsettled[:10])
        out.print(f"[dim]没有改动任何东西。未了结的来信可按新读法重新办理：djb replay {ids} --apply[/]")
    elif not applied and differing:
        out.print("[dim]没有改动任何东西。已了结的来信不会因重新读取而改变；需要更正的请与报送单位联系[/]")


def _show_one(out: Console, each: Reread, applied: bool) -> None:
    style = display.DISPOSITION_STYLES.get(each.disposition.value, "")
    fate = f"[{style}]{each.disposition.chinese}[/]" if style else each.disposition.chinese
    if each.now is not None and each.now is not each.disposition:
        fate += f" → [bold]{each.now.chinese}[/]"
    elif applied and each.now is None:
        fate += " [dim]已了结，不重新办理[/]"
    out.print(f"[bold]来信 {each.mail_id}[/]  {escape(each.subject or '（无主题）')}  {fate}")
    if each.failure:
        out.print(f"  [red]{escape(each.failure)}[/]")
    for difference in each.differences:
        part = f"[dim]{escape(difference.part)}[/]  " if difference.part else ""
        out.print(
            f"  {part}{escape(difference.name)}：{_value(difference.before)} → {_value(difference.after)}"
        )


def _value(value: Any) -> str:
    if value in (None, "", []):
        return "[dim]（空）[/]"
    text = (
        "、".join(LEVELS.get(str(one), str(one)) for one in value) if isinstance(value, list) else str(value)
    )
    return escape(text if len(text) <= 200 else text[:199] + "…")


LEVELS = {"secretary": "市委教育工委书记", "section": "市局相关科室"}
