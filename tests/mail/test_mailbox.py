"""The office's mailbox on a real server and on the emulation of 163.com."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable
from datetime import UTC, datetime

import pytest

from daemon.connection import Security
from daemon.errors import ConfigError, Permanent, Temporary
from daemon.mailbox import FetchedMail, FolderMissing, Mailbox, check
from tests.mail.conftest import Connect
from tests.servers.coremail import ImapProxy
from tests.servers.mailstack import OFFICE, MailStack


def letter(number: int, size: int = 0) -> bytes:
    return f"From: school@school.test\r\nSubject: {number}\r\n\r\n{'x' * size}\r\n".encode()


def fetched(mailbox: Mailbox, uids: list[int], **limits: int) -> list[FetchedMail]:
    return [mail for batch in mailbox.fetch(uids, **limits) for mail in batch]


def netease_mailbox(mailbox_at: Connect, netease: ImapProxy) -> Mailbox:
    mailbox = mailbox_at(netease.port)
    mailbox.connect()
    return mailbox


def test_new_mail_comes_with_its_bytes_and_time_and_stays_unseen(
    mail_stack: MailStack, mailbox_at: Connect
) -> None:
    mail_stack.deposit(OFFICE, [letter(1), letter(2)])
    with mailbox_at() as mailbox:
        state = mailbox.open("INBOX")
        mails = fetched(mailbox, mailbox.uids_after(0))
        assert [mail.raw for mail in mails] == [letter(1), letter(2)]
        assert {(mail.folder, mail.uidvalidity) for mail in mails} == {("INBOX", state.uidvalidity)}
        assert all(mail.received_at and mail.received_at.tzinfo is UTC for mail in mails)
        assert state.exists == 2
    assert not any("S" in path.name.rpartition(":2,")[2] for path in mail_stack._files(OFFICE, "INBOX"))


def test_163_opens_its_folders_because_we_introduce_ourselves(
    mail_stack: MailStack, mailbox_at: Connect, netease: ImapProxy
) -> None:
    mail_stack.deposit(OFFICE, [letter(1)], "垃圾邮件")
    mailbox = netease_mailbox(mailbox_at, netease)
    state = mailbox.open("垃圾邮件")
    assert (state.uidvalidity, state.uidnext, state.exists) == (1, None, 1)
    assert not mailbox.idles
    assert [mail.raw for mail in fetched(mailbox, mailbox.uids_after(0))] == [letter(1)]


@pytest.mark.parametrize("search", ["works", "empty", "error"])
def test_only_new_mail_is_listed_whatever_the_server_knows_of_searching(
    mail_stack: MailStack, mailbox_at: Connect, netease: ImapProxy, search: str
) -> None:
    netease.faults.range_search = search
    mail_stack.deposit(OFFICE, map(letter, range(5)))
    mailbox = netease_mailbox(mailbox_at, netease)
    mailbox.open("INBOX")
    first = mailbox.uids_after(0)
    assert len(first) == 5
    mail_stack.deposit(OFFICE, [letter(5)])
    mailbox.open("INBOX")
    assert mailbox.uids_after(first[-1]) == [first[-1] + 1]
    assert mailbox.uids_after(first[-1] + 1) == []
    assert mailbox.all_uids() == [*first, first[-1] + 1]


def test_of_an_oversized_mail_only_the_header_is_fetched(mail_stack: MailStack, mailbox_at: Connect) -> None:
    mail_stack.deposit(OFFICE, [letter(1), letter(2, 2_000_000), letter(3)])
    with mailbox_at() as mailbox:
        mailbox.open("INBOX")
        mails = {mail.uid: mail for mail in fetched(mailbox, mailbox.uids_after(0), max_bytes=1_000_000)}
    assert mails[2].raw == letter(2).partition(b"\r\n\r\n")[0] + b"\r\n\r\n"
    assert [mails[uid].raw for uid in (1, 3)] == [letter(1), letter(3)]
    assert mails[2].size > 2_000_000
    assert mails[2].reason == "邮件过大（1.9 MB），超过上限 1.0 MB"
    assert mails[2].received_at is not None


def test_batches_are_bounded_by_bytes(mail_stack: MailStack, mailbox_at: Connect) -> None:
    mail_stack.deposit(OFFICE, [letter(number, 100_000) for number in range(10)])
    with mailbox_at() as mailbox:
        mailbox.open("INBOX")
        batches = list(mailbox.fetch(mailbox.uids_after(0), batch_bytes=250_000))
    assert [len(batch) for batch in batches] == [2, 2, 2, 2, 2]


def test_a_mail_that_vanished_meanwhile_does_not_come(mail_stack: MailStack, mailbox_at: Connect) -> None:
    mail_stack.deposit(OFFICE, [letter(1)])
    with mailbox_at() as mailbox:
        mailbox.open("INBOX")
        assert [mail.uid for mail in fetched(mailbox, [1, 7, 8])] == [1]


def test_a_missing_folder_is_named_and_the_others_go_on(mailbox_at: Connect) -> None:
    with mailbox_at() as mailbox:
        with pytest.raises(FolderMissing, match="没有这个文件夹"):
            mailbox.open("不存在")
        assert mailbox.connected
        mailbox.open("INBOX")


@pytest.mark.parametrize("server", ["dovecot", "163"])
def test_handled_mail_is_moved_and_what_others_marked_for_deletion_stays(
    mail_stack: MailStack, mailbox_at: Connect, netease: ImapProxy, server: str
) -> None:
    mail_stack.deposit(OFFICE, map(letter, range(4)))
    mailbox = mailbox_at(netease.port if server == "163" else None)
    with mailbox, mailbox_at() as clerk:
        clerk.open("INBOX")
        with clerk._talk("mark") as client:
            client.delete_messages([4])
        mailbox.open("INBOX")
        mailbox.mark_seen([1])
        mailbox.move([1, 2], "已处理")
        mailbox.open("INBOX")
        assert mailbox.all_uids() == [3, 4]
        assert mailbox.open("已处理").exists == 2
        assert fetched(mailbox, mailbox.uids_after(0))[0].raw == letter(0)
    assert not any(command.upper().endswith(b" EXPUNGE") for command in netease.commands)


def test_the_sent_folder_tells_what_went_out(
    mail_stack: MailStack, mailbox_at: Connect, netease: ImapProxy
) -> None:
    mail_stack.deposit(
        OFFICE, [b"Message-ID: <%d@djb>\r\n\r\nx\r\n" % number for number in range(5)], "已发送"
    )
    mailbox = netease_mailbox(mailbox_at, netease)
    mailbox.open("INBOX")
    assert mailbox.sent_message_ids(newest=3) == {"<2@djb>", "<3@djb>", "<4@djb>"}
    assert mailbox.uids_after(0) == []  # INBOX is open again
    assert mailbox.append_sent(b"Message-ID: <5@djb>\r\n\r\nx\r\n", datetime(2022, 1, 4, tzinfo=UTC))
    assert "<5@djb>" in mailbox.sent_message_ids()


def test_arriving_mail_ends_the_wait_where_the_server_can_tell(
    mail_stack: MailStack, mailbox_at: Connect
) -> None:
    with mailbox_at() as mailbox:
        mailbox.open("INBOX")
        assert mailbox.idles
        timer = threading.Timer(0.2, mail_stack.deposit, [OFFICE, [letter(1)]])
        timer.start()
        assert mailbox.wait(30)
        timer.join()
        mailbox.open("INBOX")
        assert mailbox.uids_after(0) == [1]


def test_mail_that_came_between_search_and_wait_is_not_waited_for(
    mail_stack: MailStack, mailbox_at: Connect
) -> None:
    with mailbox_at() as mailbox:
        mailbox.open("INBOX")
        mail_stack.deposit(OFFICE, [letter(1)])
        assert mailbox.wait(30)


@pytest.mark.parametrize("idles", [True, False])
def test_a_wake_up_call_ends_the_wait(mailbox_at: Connect, netease: ImapProxy, idles: bool) -> None:
    reading, writing = os.pipe()
    try:
        with mailbox_at(None if idles else netease.port) as mailbox:
            mailbox.open("INBOX")
            os.write(writing, b"x")
            assert not mailbox.wait(30, wake=reading)
    finally:
        os.close(reading)
        os.close(writing)


def test_a_wrong_password_is_explained(mailbox_at: Connect, netease: ImapProxy) -> None:
    with pytest.raises(Permanent, match="password_file"):
        mailbox_at(password="wrong").connect()
    netease.faults.refuse_login = b"LOGIN Login error or password error"
    with pytest.raises(Permanent, match="Login error"):
        mailbox_at(netease.port).connect()
    netease.faults.refuse_login = b"[UNAVAILABLE] Temporary authentication failure"
    with pytest.raises(Temporary):
        mailbox_at(netease.port).connect()


def test_a_password_that_imap_cannot_say_is_explained(mailbox_at: Connect) -> None:
    with pytest.raises(Permanent, match="非 ASCII"):
        mailbox_at(password="密码").connect()


def test_a_server_that_nobody_vouches_for_is_not_trusted(mail_stack: MailStack, mailbox_at: Connect) -> None:
    with pytest.raises(Permanent, match="证书未通过验证"):
        mailbox_at(ca_file=None).connect()
    with pytest.raises(Permanent, match="证书未通过验证"):
        mailbox_at(mail_stack.imap_port, security=Security.STARTTLS, ca_file=None).connect()
    with pytest.raises(ConfigError, match="ca_file"):
        mailbox_at(ca_file=mail_stack.folder / "none.pem").connect()


def test_an_open_connection_leads_to_this_machine_only(mail_stack: MailStack, mailbox_at: Connect) -> None:
    mailbox_at(mail_stack.imap_port, security=Security.NONE).connect()
    with pytest.raises(ConfigError, match="未加密"):
        mailbox_at(143, security=Security.NONE, host="imap.example.cn")


def test_starttls_protects_the_connection(
    mail_stack: MailStack, mailbox_at: Connect, netease: ImapProxy
) -> None:
    with mailbox_at(mail_stack.imap_port, security=Security.STARTTLS) as mailbox:
        assert mailbox.open("INBOX").exists == 0


def test_the_check_names_each_folder_and_its_remedy(
    mailbox_at: Callable[..., Mailbox],
) -> None:
    steps = check(mailbox_at().settings, ["INBOX", "不存在"])
    assert [step.ok for step in steps] == [True, True, False]
    assert steps[2].remedy is not None
    assert "垃圾邮件" in steps[2].remedy
    (step,) = check(mailbox_at(password="wrong").settings, ["INBOX"])
    assert not step.ok
    assert step.remedy
