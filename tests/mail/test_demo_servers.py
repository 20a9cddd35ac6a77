"""The mail system of `djb demo`, used as the daemon and a person's mail program use it."""

from __future__ import annotations

import smtplib
import socket
import threading
from collections.abc import Iterator
from datetime import UTC, datetime

import pytest

from daemon.connection import Security
from daemon.demo.servers import DemoServers
from daemon.mailbox import Mailbox
from daemon.sender import Refused, Sender, SenderSettings, Sent
from tests.mail.test_mailbox import fetched

OFFICE = "djb3916@163.com"
SCHOOL = "office@school.test"
RAW = b"From: djb3916@163.com\r\nTo: office@school.test\r\nMessage-ID: <1@djb>\r\nSubject: =?utf-8?b?5Zue5omn?=\r\n\r\nok\r\n"
THEN = datetime(2022, 1, 4, 1, 30, tzinfo=UTC)


@pytest.fixture
def town() -> Iterator[DemoServers]:
    with DemoServers({OFFICE: "a", SCHOOL: "b"}, now=lambda: THEN) as servers:
        yield servers


def settings(town: DemoServers, port: int, address: str = OFFICE, password: str = "a") -> SenderSettings:
    return SenderSettings(
        host="127.0.0.1",
        port=port,
        security=Security.NONE,
        username=address,
        password=password,
        address=address,
        seconds_between=0,
    )


def test_a_letter_reaches_a_person_and_lies_in_the_sent_folder(town: DemoServers) -> None:
    with Sender(settings(town, town.smtp_port)) as sender:
        assert isinstance(sender.send(RAW, SCHOOL), Sent)
        assert isinstance(sender.send(RAW, "nobody@school.test"), Refused)
    (mail,) = town.wait_for(SCHOOL, 1)
    assert mail.raw.endswith(RAW)
    assert mail.received_at == THEN
    with Mailbox(settings(town, town.imap_port)) as mailbox:
        assert mailbox.sent_message_ids() == {"<1@djb>"}
    with Mailbox(settings(town, town.imap_port, SCHOOL, "b")) as mailbox:
        mailbox.open("INBOX")
        (found,) = fetched(mailbox, mailbox.uids_after(0))
        assert found.raw == mail.raw
        assert found.received_at == THEN


def test_the_daemon_hears_of_new_mail_at_once_and_can_move_it(town: DemoServers) -> None:
    with Mailbox(settings(town, town.imap_port)) as mailbox:
        assert {"INBOX", "已发送", "垃圾邮件"} <= set(mailbox.folders())
        mailbox.open("INBOX")
        assert mailbox.idles
        timer = threading.Timer(0.2, town.deliver, [OFFICE, RAW])
        timer.start()
        assert mailbox.wait(20)
        timer.join()
        mailbox.open("INBOX")
        (uid,) = mailbox.uids_after(0)
        mailbox.mark_seen([uid])
        mailbox.move([uid], "已处理")
        assert mailbox.open("INBOX").exists == 0


def test_a_person_may_send_with_an_ordinary_program(town: DemoServers) -> None:
    with smtplib.SMTP("127.0.0.1", town.smtp_port) as smtp:
        with pytest.raises(smtplib.SMTPSenderRefused, match="Authentication required"):
            smtp.sendmail(SCHOOL, [OFFICE], RAW)
        smtp.login(SCHOOL, "b")
        smtp.sendmail(SCHOOL, [OFFICE], RAW)
    assert len(town.wait_for(OFFICE, 1)) == 1


def test_the_servers_leave_nothing_behind() -> None:
    for _ in range(3):
        servers = DemoServers({OFFICE: "a"}).start()
        mailbox = Mailbox(settings(servers, servers.imap_port))
        mailbox.connect()
        mailbox.open("INBOX")
        servers.stop()
        mailbox.close()
        with pytest.raises(OSError, match="refused"):
            socket.create_connection(("127.0.0.1", servers.imap_port), timeout=5)
    assert not any(thread.name == "demo-mail" for thread in threading.enumerate())


def test_a_port_that_is_taken_is_said_to_be() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken, pytest.raises(OSError, match="in use"):
        DemoServers({OFFICE: "a"}, imap_port=taken.getsockname()[1]).start()


def test_ports_can_be_chosen(town: DemoServers) -> None:
    town.stop()
    with DemoServers({OFFICE: "a"}, town.imap_port, town.smtp_port) as again:
        assert (again.imap_port, again.smtp_port) == (town.imap_port, town.smtp_port)
