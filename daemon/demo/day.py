"""`djb demo`: a sample day, lived through by the real daemon on embedded loopback mail servers.

Schools mail forms in several shapes, one incomplete, one from an address nobody knows; a clerk and a
school answer; everything that goes in and comes out is shown. Then the demo serves until Ctrl-C.
"""

from __future__ import annotations

import email
import io
import logging
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from email.message import EmailMessage
from email.policy import SMTP, default
from email.utils import format_datetime, make_msgid
from pathlib import Path
from typing import Any

import docx
from rich.console import Console, Group
from rich.panel import Panel
from rich.table import Table

from daemon import display
from daemon.config import load
from daemon.demo import sample_town as town
from daemon.demo.servers import DemoServers
from daemon.documents import Filling, blank_form
from daemon.envelope import Attachment
from daemon.model import DISPOSITION_NAMES, Disposition
from daemon.service import Daemon, Service, assembled, now
from daemon.store import lists, questions

Json = dict[str, Any]


@dataclass(frozen=True)
class Scene:
    """One mail of the day: who sends it, what it is, and the fate it should have."""

    about: str
    sender: str
    subject: str
    text: str
    expected: Disposition
    attachments: tuple[Attachment, ...] = ()
    html: str | None = None
    headers: tuple[tuple[str, str], ...] = ()
    answers: EmailMessage | None = None


@dataclass
class Day:
    """The day's state: servers, daemon, and what was sent and expected."""

    servers: DemoServers
    daemon: Daemon
    folder: Path
    out: Console
    read: dict[str, int] = field(default_factory=dict)
    scenes: list[Scene] = field(default_factory=list)
    letters: int = 0
    """Id of the last letter that was shown."""

    def live(self, title: str, scenes: Sequence[Scene]) -> None:
        """Mail the scenes, run one cycle of the daemon, and show what became of each."""
        for scene in scenes:
            self.servers.deliver(town.MAILBOX, written(scene, now()).as_bytes(), now())
        first = len(self.scenes)
        self.scenes.extend(scenes)
        self.daemon.cycle(now)
        with self.daemon.store.reading() as session:
            mails = lists.mails(session, self.daemon.office.config.zone)[first:]
            letters = lists.letters(session, self.daemon.office.config.zone)
        self.out.rule(f"[bold]{title}")
        for scene, mail in zip(scenes, mails, strict=True):
            self.out.print(shown(scene, mail, [row for row in letters if answers(row, mail)]))
        others = [
            r for r in letters if r["id"] > self.letters and not any(answers(r, mail) for mail in mails)
        ]
        for row in others:
            self.out.print(
                rf"[dim]另发  [/] → {'、'.join(row['to'])}：{row['subject']}".replace("[N", r"\[N").replace(
                    "[W", r"\[W"
                )
            )
        self.letters = max((row["id"] for row in letters), default=0)

    def letter_to(self, address: str) -> EmailMessage:
        """The last letter that reached somebody."""
        raw = self.servers.mails(address)[-1].raw
        letter = email.message_from_bytes(raw, policy=default)
        assert isinstance(letter, EmailMessage)
        return letter

    def surprises(self) -> list[str]:
        """What did not go as it should have."""
        with self.daemon.store.reading() as session:
            mails = lists.mails(session, self.daemon.office.config.zone)
            letters = lists.letters(session, self.daemon.office.config.zone)
        found = [
            f"来信 {mail['id']}（{scene.about}）应为“{scene.expected.chinese}”，却是“{_fate(mail)}”：{mail['reason'] or ''}"
            for scene, mail in zip(self.scenes, mails, strict=True)
            if mail["disposition"] not in settled_as(scene.expected)
        ]
        return found + [
            f"信 {row['id']}（{row['subject']}）没有发出：{row['state']}"
            for row in letters
            if row["state"] != "sent"
        ]


def settled_as(expected: Disposition) -> tuple[str, ...]:
    """The fates that a mail may have at the end of the day: the held one is released later."""
    released = (Disposition.FILED.value,) if expected is Disposition.HELD else ()
    return (expected.value, *released)


def answers(letter: Json, mail: Json) -> bool:
    return bool(mail["message_id"]) and letter["in_reply_to"] == mail["message_id"]


def _fate(mail: Json) -> str:
    return DISPOSITION_NAMES[Disposition(mail["disposition"])]


def run(folder: Path | None, *, once: bool) -> int:
    """Live through the sample day; then serve, unless `once`. Exit status 0 only if all went as it should."""
    out = display.console()
    folder = folder or Path(tempfile.mkdtemp(prefix="djb-demo-"))
    folder.mkdir(parents=True, exist_ok=True)
    logging.getLogger("daemon").setLevel(logging.ERROR)
    # aiosmtpd warns of a deprecated attribute that it sets itself.
    logging.getLogger("mail.log").setLevel(logging.ERROR)
    out.print(
        Panel(
            "学校把《难点问题报告表》（附件1）和《开展情况统计表》（附件2）发到一个邮箱；"
            "守护程序读表、登记、逐一答复。\n下面是一个上午的来信：每封信、它的去向，以及答复。",
            title="难点问题书记一线办 · 演示",
            border_style="red",
        )
    )
    with DemoServers(town.people()) as servers:
        config = load(_configured(folder, servers))
        with assembled(config) as daemon:
            _fill_directory(daemon)
            day = Day(servers, daemon, folder, out)
            _live_through(day)
            surprises = day.surprises()
            _keep_letters(day)
            _summary(day, surprises)
        if surprises or once:
            return 1 if surprises else 0
        _say_how_to_write(out, servers, folder)
        return Service(config).run()


# -------------------------------------------------------------------------------------------- the day


def _live_through(day: Day) -> None:
    moment = now().astimezone(day.daemon.office.config.zone)
    day.live("上午 · 十封来信", _first_mails(moment))
    correction = day.letter_to(town.school_address(5))
    question = _letters_about_the_stranger(day)[0]
    day.live(
        "随后 · 学校补正，工委办答复",
        [
            Scene(
                "在退回的表上补勾反馈层级后回复",
                town.school_address(5),
                f"回复：{correction['Subject']}",
                "已补正，请查收。",
                Disposition.CORRECTED,
                (_mended(correction),),
                answers=correction,
            ),
            Scene(
                "工委办用一个字答复",
                town.CLERK,
                f"Re: {question['Subject']}",
                "是",
                Disposition.REPLIED,
                answers=question,
            ),
        ],
    )


def _letters_about_the_stranger(day: Day) -> list[EmailMessage]:
    found = []
    for mail in day.servers.mails(town.CLERK):
        letter = email.message_from_bytes(mail.raw, policy=default)
        assert isinstance(letter, EmailMessage)
        letter_text = letter.get_body(("plain",))
        if letter_text is not None and town.STRANGER in letter_text.get_content():
            found.append(letter)
    return found


def _first_mails(moment: datetime) -> list[Scene]:
    return [
        Scene(
            "附件1（docx），请书记协调",
            town.school_address(0),
            "报送难点问题报告表",
            "您好，报告表见附件。",
            Disposition.FILED,
            (
                _report(
                    0,
                    ("secretary",),
                    problem="校门外道路未硬化",
                    details="进校道路最后260米仍是泥路，雨天泥泞。请协调硬化。",
                ),
            ),
        ),
        Scene(
            "附件1（docx），请科室配合",
            town.school_address(1),
            "难点问题",
            "请查收。",
            Disposition.FILED,
            (
                _report(
                    1,
                    ("section",),
                    sections=("基础教育科",),
                    problem="音体美教师不足",
                    details="全校28个班，音乐教师1人、美术教师2人，课程难以开齐。请求在招聘计划中倾斜。",
                ),
            ),
        ),
        Scene(
            "附件2（xlsx）",
            town.school_address(2),
            "统计表",
            "",
            Disposition.FILED,
            (_statistics(2, moment, "xlsx"),),
        ),
        Scene(
            "附件2（docx）",
            town.school_address(3),
            "报统计表",
            "",
            Disposition.FILED,
            (_statistics(3, moment, "docx"),),
        ),
        Scene(
            "两张表在同一封信里",
            town.school_address(4),
            "附件1和附件2",
            "两张表一并报送。",
            Disposition.FILED,
            (
                _report(
                    4,
                    ("secretary", "section"),
                    sections=("人事科",),
                    problem="专业教师引进难",
                    details="两个专业招生580人，专任教师仅9人。请求放宽引进条件。",
                ),
                _statistics(4, moment, "xlsx"),
            ),
        ),
        Scene(
            "附件1缺反馈层级",
            town.school_address(5),
            "难点问题报告表",
            "见附件。",
            Disposition.RETURNED,
            (
                _report(
                    5,
                    (),
                    problem="午休场所不足",
                    details="中午在校学生760人，只能趴桌子午休。建议支持购置午休躺椅。",
                ),
            ),
        ),
        Scene(
            "自动回复",
            town.school_address(6),
            "自动回复: 您好，我正在休假",
            "您的邮件我已收到，我将尽快回复。",
            Disposition.AUTOMATIC,
            headers=(("Auto-Submitted", "auto-replied"),),
        ),
        Scene(
            "表格打在正文里（HTML）",
            town.school_address(7),
            "难点问题（星河幼儿园）",
            "",
            Disposition.FILED,
            html=_typed_report(7),
        ),
        Scene(
            "只提问，没有表格", town.school_address(8), "请问", "请问附件2本期还要报吗？", Disposition.HELD
        ),
        Scene(
            "通讯录里没有的邮箱",
            town.STRANGER,
            "翰林高中难点问题",
            "我是新来的办公室人员。",
            Disposition.HELD,
            (
                _report(
                    9,
                    ("secretary",),
                    problem="校内道路积水",
                    details="一遇大雨积水30厘米，师生要绕行。恳请改造排水管网。",
                ),
            ),
        ),
    ]


def _head(index: int) -> Json:
    contact, phone = town.contact_of(index)
    return {"reporting_unit": town.school_name(index), "contact_name": contact, "contact_phone": phone}


def _report(index: int, levels: tuple[str, ...], sections: tuple[str, ...] = (), **texts: str) -> Attachment:
    head = _head(index) | {"principal": town.units()[index].head}
    item = {"levels": levels, "sections": sections, "remarks": None, **texts}
    return blank_form("problem_report", prefill=Filling(head, [item]))


def _statistics(index: int, moment: datetime, file: Any) -> Attachment:
    row: Json = {
        "unit": town.school_name(index),
        "party_branches": 2 + index % 3,
        "platforms": 1,
        "sessions_held": 2,
        "problems_solved": 3 + index,
        "remarks": None,
    }
    return blank_form(
        "statistics", file, prefill=Filling(_head(index) | {"reported_on": moment.date()}, [row])
    )


def _typed_report(index: int) -> str:
    contact, phone = town.contact_of(index)
    cells = (
        "教室照明不达标",
        "18间活动室中有9间照度偏低。请求统一改造。",
        "☑市委教育工委书记<br>□市局相关科室，具体是",
        "",
    )
    return (
        f"<p>难点问题报告表</p><p>填报单位：{town.school_name(index)}　主要负责人签字：{town.units()[index].head}"
        f"　联系人及电话：{contact} {phone}</p><table border=1>"
        "<tr><th>难点问题</th><th>具体内容及诉求</th><th>反馈层级</th><th>备注</th></tr><tr>"
        + "".join(f"<td>{cell}</td>" for cell in cells)
        + "</tr></table>"
    )


def _mended(letter: EmailMessage) -> Attachment:
    """The marked copy of a correction request with the first box ticked, as the school would do in Word."""
    part = next(part for part in letter.iter_attachments() if str(part.get_filename()).endswith(".docx"))
    document = docx.Document(io.BytesIO(part.get_content()))
    cells = (cell for table in document.tables for row in table.rows for cell in row.cells)
    paragraphs = (paragraph for cell in cells for paragraph in cell.paragraphs)
    for paragraph in paragraphs:
        if "市委教育工委书记" in paragraph.text and "□" in paragraph.text:
            run = next(run for run in paragraph.runs if "□" in run.text)
            run.text = run.text.replace("□", "☑", 1)
            break
    out = io.BytesIO()
    document.save(out)
    return Attachment(str(part.get_filename()), out.getvalue(), "application/octet-stream")


def written(scene: Scene, moment: datetime) -> EmailMessage:
    """The scene's mail, as a client would send it."""
    mail = EmailMessage(policy=SMTP)
    mail["From"], mail["To"], mail["Subject"] = scene.sender, town.MAILBOX, scene.subject
    mail["Date"] = format_datetime(moment)
    mail["Message-ID"] = make_msgid(domain="school.test")
    if scene.answers is not None:
        mail["In-Reply-To"] = mail["References"] = scene.answers["Message-ID"]
    for name, value in scene.headers:
        mail[name] = value
    mail.set_content(scene.text)
    if scene.html is not None:
        mail.add_alternative(scene.html, subtype="html")
    for attachment in scene.attachments:
        main, _, sub = attachment.mime.partition("/")
        mail.add_attachment(attachment.data, maintype=main, subtype=sub, filename=attachment.name)
    return mail


# --------------------------------------------------------------------------------------- showing it


def shown(scene: Scene, mail: Json, letters: Sequence[Json]) -> Table:
    """One mail, what became of it, and its answers."""
    table = Table.grid(padding=(0, 1))
    table.add_column(width=6, style="dim")
    table.add_column(overflow="fold")
    files = "、".join(a.name for a in scene.attachments)
    table.add_row("来信", f"[bold]{scene.sender}[/] {scene.subject}" + (f"  📎 {files}" if files else ""))
    style = display.DISPOSITION_STYLES.get(mail["disposition"], "yellow")
    numbers = " ".join((*mail["problems"], *mail["returns"]))
    table.add_row(
        "去向", f"[{style}]{_fate(mail)}[/] {numbers or mail['reason'] or ''}  [dim]（{scene.about}）[/]"
    )
    for letter in letters:
        table.add_row("答复", f"→ {'、'.join(letter['to'])}：{letter['subject']}".replace("[", r"\["))
    if not letters:
        table.add_row("答复", "[dim]不答复[/]")
    table.add_row("", "")
    return table


def _keep_letters(day: Day) -> None:
    """Every letter as an .eml file, for a look with any mail program."""
    target = day.folder / "发出的信"
    target.mkdir(exist_ok=True)
    with day.daemon.store.reading() as session:
        for row in lists.letters(session, day.daemon.office.config.zone):
            raw = questions.raw_letter(session, row["id"])
            if raw is not None:
                (target / f"{row['id']:02d}-{row['kind']}-{row['to'][0]}.eml").write_bytes(raw)


def _summary(day: Day, surprises: Sequence[str]) -> None:
    zone = day.daemon.office.config.zone
    with day.daemon.store.reading() as session:
        problems = lists.problems(session, zone, lambda _: display.NO_LIGHT)
        returns = [row for row in lists.returns(session, zone) if row["state"] != "missing"]
    day.out.rule("[bold]登记结果")
    display.problems(problems)
    display.returns(returns)
    lines = [
        f"数据库      {day.folder / 'var' / 'djb.sqlite3'}",
        f"来信档案    {day.folder / 'var' / 'mail'}",
        f"发出的信    {day.folder / '发出的信'}（.eml，可用任何邮件程序打开）",
        f"配置        {day.folder / 'djb.toml'}（可用：djb --config 这个文件 mail / letters / problems / show …）",
    ]
    verdict = (
        "[green]全部如预期办理。[/]"
        if not surprises
        else "[red]有与预期不符之处：[/]\n" + "\n".join(surprises)
    )
    day.out.print(Panel(Group(*lines, "", verdict), title="看一看", border_style="red"))


def _say_how_to_write(out: Console, servers: DemoServers, folder: Path) -> None:
    out.print(
        Panel(
            f"邮件服务器正在运行，可以自己写信试试（任何邮件程序，不加密）：\n"
            f"  发信 SMTP  127.0.0.1:{servers.smtp_port}    收信 IMAP  127.0.0.1:{servers.imap_port}\n"
            f"  用户名如 {town.school_address(0)}（{town.school_name(0)}），密码都是 {town.PASSWORD}\n"
            f"  写给 {town.MAILBOX}；几秒内会收到答复\n"
            f"命令行也可以发：\n"
            f"  curl --url smtp://127.0.0.1:{servers.smtp_port} --user {town.school_address(0)}:{town.PASSWORD} "
            f"--mail-from {town.school_address(0)} --mail-rcpt {town.MAILBOX} --upload-file 信.eml\n"
            f"另开一个终端查看：djb --config {folder / 'djb.toml'} mail\n"
            f"按 Ctrl-C 结束。",
            title="自己试一试",
            border_style="green",
        )
    )


# ------------------------------------------------------------------------------------------ setting up


def _configured(folder: Path, servers: DemoServers) -> Path:
    (folder / "password").write_text(town.PASSWORD)
    server = 'host = "127.0.0.1"\nsecurity = "none"\npassword_file = "password"\n'
    file = folder / "djb.toml"
    file.write_text(
        f"""[office]
name = "中共贵港市委教育工委办公室"
phone = "0775-4573916"

[mailbox]
address = "{town.MAILBOX}"
poll_seconds = 2

[mailbox.imap]
port = {servers.imap_port}
{server}
[mailbox.smtp]
port = {servers.smtp_port}
seconds_between = 0
{server}""",
        encoding="utf-8",
    )
    return file


def _fill_directory(daemon: Daemon) -> None:
    with daemon.store.transaction() as session:
        questions.apply_directory(session, town.units())
