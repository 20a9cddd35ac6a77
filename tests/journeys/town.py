"""A town for tests: invented schools, sections and an office on real mail servers, and the real `djb`.

People write with `write` (delivered at a moment of the test's choosing) or over SMTP with `send`, and read
what came with `letters_to`. `once` runs a whole cycle, `rows` the lists.
"""

from __future__ import annotations

import contextlib
import email
import email.policy
import io
import json
import os
import subprocess
import sys
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from email.message import EmailMessage
from email.utils import format_datetime, make_msgid
from pathlib import Path
from typing import Any, Self
from zoneinfo import ZoneInfo

from daemon.__main__ import main
from daemon.directory import write_workbook
from daemon.envelope import Attachment
from daemon.model import Unit, UnitKind
from tests.servers.mailstack import OFFICE, PASSWORD, MailStack

ZONE = ZoneInfo("Asia/Shanghai")
SECRETARY = "shuji@qq.com"
CLERK = "gongweiban@qq.com"
BUREAU = "juban@qq.com"
COMMITTEE = "gongwei@qq.com"

NAMES = (
    *("达观中学", "木格实验学校", "榕湖小学", "第三十一中学", "滨江职业技术学校", "仁爱特殊教育学校"),
    *("糖厂路小学", "翰林高级中学", "星河幼儿园", "观音阁小学", "蓝天幼儿园", "平南街小学", "清泉中学"),
    *("建筑工程学校", "荷城中学", "东湖小学", "西江高级中学", "覃塘路小学", "郁江幼儿园", "南山中学"),
)
SECTIONS = (
    *(("基础教育科", "基教科"), ("安全稳定科", "安稳科"), ("计划财务科", "计财科"), ("人事科", "人事")),
    *(("基本建设科", "基建科"), ("体育卫生与艺术教育科", "体卫艺科"), ("职业教育与成人教育科", "职成科")),
)


def school_address(number: int) -> str:
    return f"school{number:02d}@school.test"


def section_address(number: int) -> str:
    return f"section{number:02d}@qq.com"


def directory(schools: int = len(NAMES)) -> list[Unit]:
    """The town's directory."""
    units = [
        Unit(
            0,
            UnitKind.SCHOOL,
            f"贵港市{name}" if number < len(NAMES) else f"贵港市第{number}小学",
            (name.replace("第三十一中学", "三十一中"),),
            head=f"书记{number}",
            head_addresses=(f"head{number:02d}@school.test",),
            contact=f"联系人{number}",
            phone=f"1380000{number:04d}",
            addresses=(school_address(number),),
            order=number,
        )
        for number, name in enumerate([*NAMES, *(f"第{n}小学" for n in range(len(NAMES), schools))][:schools])
    ]
    units += [
        Unit(
            0,
            UnitKind.SECTION,
            name,
            (short,),
            head=f"科长{number}",
            head_addresses=(f"sectionhead{number:02d}@qq.com",),
            addresses=(section_address(number),),
            order=1000 + number,
        )
        for number, (name, short) in enumerate(SECTIONS)
    ]
    offices = (
        (UnitKind.SECRETARY, SECRETARY),
        (UnitKind.COMMITTEE_OFFICE, CLERK),
        (UnitKind.BUREAU_OFFICE, BUREAU),
        (UnitKind.COMMITTEE, COMMITTEE),
    )
    return units + [
        Unit(0, kind, kind.chinese, addresses=(address,), head_addresses=(address,), order=2000 + number)
        for number, (kind, address) in enumerate(offices)
    ]


@dataclass
class Town:
    """The town, living in a temporary directory."""

    stack: MailStack
    folder: Path
    imap_port: int | None = None
    security: str = "tls"
    database: str | None = None
    settings: str = ""
    schools: int = len(NAMES)
    seen: dict[str, int] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.folder.mkdir(parents=True, exist_ok=True)
        self.config.write_text(self._configuration(), encoding="utf-8")
        (self.folder / "password").write_text(PASSWORD)
        for unit in directory(self.schools):
            for address in unit.all_addresses:
                self.stack.add_person(address)
        book = self.folder / "通讯录.xlsx"
        book.write_bytes(write_workbook(directory(self.schools)))
        self.djb("directory", "import", str(book))

    @property
    def config(self) -> Path:
        return self.folder / "djb.toml"

    def _configuration(self) -> str:
        server = (
            f'ca_file = "{self.stack.ca_file}"\npassword_file = "password"\nsecurity = "{self.security}"\n'
        )
        database = f'[store]\ndatabase = "{self.database}"\n' if self.database else ""
        return f"""
[office]
name = "中共贵港市委教育工委办公室"
phone = "0775-4573916"
admin = "admin@qq.com"
[mailbox]
address = "{OFFICE}"
poll_seconds = 1
[mailbox.imap]
host = "localhost"
port = {self.imap_port or self.stack.imaps_port}
{server}
[mailbox.smtp]
host = "localhost"
port = {self.stack.smtps_port}
seconds_between = 0
daily_limit = 100000
ca_file = "{self.stack.ca_file}"
password_file = "password"
{database}{self.settings}
"""

    # --- the daemon -----------------------------------------------------------------------------------

    def djb(self, *arguments: str, status: int = 0) -> str:
        """What a command prints; run in this process, which saves a second each time.

        AssertionError: it ended with another status.
        """
        out, errors = io.StringIO(), io.StringIO()
        with contextlib.redirect_stdout(out), contextlib.redirect_stderr(errors):
            try:
                ended: object = main(["--config", str(self.config), *arguments])
            except SystemExit as exit_:
                ended = exit_.code
        assert ended == status, f"{arguments}: {ended}\n{out.getvalue()}\n{errors.getvalue()}"
        return out.getvalue()

    def once(self, at: str | datetime | None = None) -> str:
        """One cycle, as if it were that moment."""
        moment = at.isoformat() if isinstance(at, datetime) else at
        return self.djb("once", *(("--at", moment) if moment else ()))

    def rows(self, *arguments: str) -> list[dict[str, Any]]:
        """One of the lists."""
        found: list[dict[str, Any]] = json.loads(self.djb(*arguments, "--json"))
        return found

    def run(self) -> subprocess.Popen[str]:
        """The daemon, running; the caller ends it."""
        return subprocess.Popen(
            [sys.executable, "-m", "daemon", "--config", str(self.config), "run"],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
            env=os.environ | {"PYTHONPATH": str(Path(__file__).parents[2])},
        )

    # --- its people -----------------------------------------------------------------------------------

    def write(
        self,
        sender: str,
        subject: str,
        text: str = "",
        attachments: Sequence[Attachment] = (),
        *,
        answers: EmailMessage | None = None,
        at: str | datetime | None = None,
        headers: Iterable[tuple[str, str]] = (),
    ) -> bytes:
        """A mail to the office, lying in its mailbox as if it had arrived at that moment."""
        moment = datetime.fromisoformat(at) if isinstance(at, str) else at or datetime.now(ZONE)
        raw = message(sender, subject, text, attachments, answers, moment, headers).as_bytes()
        before = set(self.stack._files(OFFICE, "INBOX"))
        self.stack.deposit(OFFICE, [raw])
        for path in set(self.stack._files(OFFICE, "INBOX")) - before:
            with contextlib.suppress(FileNotFoundError):  # a running daemon's server has renamed it already
                os.utime(path, (moment.timestamp(), moment.timestamp()))
        return raw

    def send(self, sender: str, subject: str, text: str, attachments: Sequence[Attachment] = ()) -> None:
        """A mail to the office over SMTP."""
        self.stack.send(
            message(sender, subject, text, attachments, None, datetime.now(ZONE), ()), sender, [OFFICE]
        )

    def letters_to(self, address: str) -> list[EmailMessage]:
        """Everything that has reached somebody, oldest first."""
        return [parsed(raw) for raw in self.stack.mails(address)]

    def new_letters_to(self, address: str, expected: int | None = None) -> list[EmailMessage]:
        """What has reached somebody since this was last asked; waits for `expected`."""
        start = self.seen.get(address, 0)
        if expected:
            self.stack.wait_for(address, start + expected)
        found = self.letters_to(address)[start:]
        self.seen[address] = start + len(found)
        return found

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        return None


def message(
    sender: str,
    subject: str,
    text: str,
    attachments: Sequence[Attachment],
    answers: EmailMessage | None,
    moment: datetime,
    headers: Iterable[tuple[str, str]],
) -> EmailMessage:
    """A mail as an ordinary client writes it, in the thread of the one it answers."""
    mail = EmailMessage(policy=email.policy.SMTP)
    mail["From"], mail["To"] = sender, OFFICE
    mail["Subject"] = subject
    mail["Date"] = format_datetime(moment)
    mail["Message-ID"] = make_msgid(domain=sender.partition("@")[2])
    if answers is not None:
        mail["In-Reply-To"] = answers["Message-ID"]
        mail["References"] = answers["Message-ID"]
    for name, value in headers:
        mail[name] = value
    mail.set_content(text)
    for attachment in attachments:
        main, _, sub = attachment.mime.partition("/")
        mail.add_attachment(attachment.data, maintype=main, subtype=sub, filename=attachment.name)
    return mail


def parsed(raw: bytes) -> EmailMessage:
    found = email.message_from_bytes(raw, policy=email.policy.default)
    assert isinstance(found, EmailMessage)
    return found


def text_of(mail: EmailMessage) -> str:
    """The plain text of a letter."""
    part = mail.get_body(("plain",))
    assert part is not None
    return str(part.get_content())


def files_of(mail: EmailMessage) -> dict[str, bytes]:
    """The files that came with a letter."""
    return {str(part.get_filename()): part.get_payload(decode=True) for part in mail.iter_attachments()}  # type: ignore[misc]
