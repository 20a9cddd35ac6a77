"""Servers that vanish, freeze, crawl and break off: what the mailbox and the sender say, and how they return."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest
from hypothesis import given, strategies as st

from daemon.connection import Security, backoff
from daemon.errors import Permanent, Temporary
from daemon.mailbox import DROPS_FORGIVEN, Mailbox
from daemon.sender import Deferred, Sender, SenderSettings, Sent, Uncertain
from tests.mail.conftest import Connect
from tests.mail.test_mailbox import fetched, letter
from tests.servers.coremail import ImapProxy
from tests.servers.link import Link
from tests.servers.mailstack import OFFICE, MailStack, free_ports

SCHOOL = "office@school.test"
Settle = Callable[[Callable[[], object]], None]


def poll(mailbox: Mailbox, known: set[int]) -> None:
    """One cycle as the daemon does it: reconnect if need be, take what is new."""
    mailbox.connect()
    mailbox.open("INBOX")
    for batch in mailbox.fetch(sorted(set(mailbox.all_uids()) - known)):
        known.update(mail.uid for mail in batch if mail.raw is not None)


def test_a_drop_in_the_middle_of_a_mail_loses_nothing(
    mail_stack: MailStack, mailbox_at: Connect, netease: ImapProxy
) -> None:
    mail_stack.deposit(OFFICE, [letter(number, 50_000) for number in range(5)])
    mailbox = mailbox_at(netease.port)
    known: set[int] = set()
    netease.faults.drop_in_fetch = 3
    for _ in range(3):
        with pytest.raises(Temporary):
            poll(mailbox, known)
        assert not mailbox.connected
    poll(mailbox, known)
    assert known == {1, 2, 3, 4, 5}
    assert netease.accepted == 4


def test_one_mail_that_breaks_every_connection_does_not_stop_the_others(
    mail_stack: MailStack, mailbox_at: Connect, netease: ImapProxy
) -> None:
    mail_stack.deposit(OFFICE, map(letter, range(5)))
    netease.faults.drop_on_uids = frozenset({2})
    mailbox = mailbox_at(netease.port)
    known: set[int] = set()
    for _ in range(DROPS_FORGIVEN):
        with pytest.raises(Temporary):
            poll(mailbox, known)
    assert known == {1, 3, 4, 5}
    mailbox.connect()
    mailbox.open("INBOX")
    (bad,) = fetched(mailbox, [2])
    assert bad.raw is None
    assert bad.reason == f"取这封信时服务器已 {DROPS_FORGIVEN} 次中断连接"


def test_one_mail_that_the_server_will_not_give_is_reported_and_the_others_come(
    mail_stack: MailStack, mailbox_at: Connect, netease: ImapProxy
) -> None:
    mail_stack.deposit(OFFICE, map(letter, range(3)))
    netease.faults.refuse_uids = frozenset({2})
    with mailbox_at(netease.port) as mailbox:
        mailbox.open("INBOX")
        mails = fetched(mailbox, [1, 2, 3])
    assert [mail.raw is not None for mail in mails] == [True, False, True]
    assert mails[1].reason is not None
    assert "服务器不给出这封信" in mails[1].reason


def test_a_server_that_was_gone_is_found_again(
    mail_stack: MailStack, mailbox_at: Connect, imap_link: Link
) -> None:
    mailbox = mailbox_at(imap_link.port)
    mailbox.connect()
    mailbox.open("INBOX")
    imap_link.close_port()
    with pytest.raises(Temporary):
        mailbox.wait(5)
    with pytest.raises(Temporary, match="拒绝连接"):
        mailbox.connect()
    imap_link.open_port()
    mailbox.connect()
    assert mailbox.open("INBOX").exists == 0


def test_a_frozen_server_is_given_up_and_found_again(mailbox_at: Connect, imap_link: Link) -> None:
    mailbox = mailbox_at(imap_link.port, answer_timeout=0.5, connect_timeout=0.5)
    mailbox.connect()
    imap_link.freeze()
    with pytest.raises(Temporary, match="迟迟不答复"):
        mailbox.open("INBOX")
    for _ in range(3):
        with pytest.raises(Temporary, match="迟迟不答复"):
            mailbox.connect()
    imap_link.thaw()
    mailbox.connect()
    assert mailbox.open("INBOX").exists == 0


def test_a_server_that_says_a_byte_a_second_does_not_hold_us(
    mail_stack: MailStack, mailbox_at: Connect, imap_link: Link
) -> None:
    mail_stack.deposit(OFFICE, [letter(1)])
    mailbox = mailbox_at(imap_link.port, answer_timeout=2, connect_timeout=1)
    mailbox.connect()
    mailbox.open("INBOX")
    imap_link.bytes_per_second = 1
    with pytest.raises(Temporary, match="迟迟不答复"):
        fetched(mailbox, [1])
    with pytest.raises(Temporary, match="迟迟不答复"):
        mailbox.connect()
    imap_link.bytes_per_second = None
    mailbox.connect()
    mailbox.open("INBOX")
    assert fetched(mailbox, [1])[0].raw == letter(1)


def test_a_server_that_is_always_slow_is_given_more_time_until_it_works(
    mail_stack: MailStack, mailbox_at: Connect, imap_link: Link
) -> None:
    mailbox = mailbox_at(imap_link.port, answer_timeout=0.2, connect_timeout=5)
    imap_link.bytes_per_second = 4000
    for _ in range(6):
        try:
            mailbox.connect()
            mailbox.open("INBOX")
            return
        except Temporary:
            continue
    raise AssertionError("never got through")


def test_connections_that_come_to_nothing_are_closed(
    mail_stack: MailStack, mailbox_at: Connect, imap_link: Link, settle: Settle
) -> None:
    for _ in range(5):
        imap_link.cut_after = 300
        with pytest.raises(Temporary):
            mailbox_at(imap_link.port).connect()
        with pytest.raises(Permanent):
            mailbox_at(imap_link.port, ca_file=None).connect()
        with pytest.raises(Permanent):
            mailbox_at(imap_link.port, password="wrong").connect()
    settle(lambda: imap_link.open_connections == 0)


def test_a_changed_password_is_told_and_works_again_when_mended(
    mail_stack: MailStack, mailbox_at: Connect
) -> None:
    mail_stack.change_password(OFFICE, "another")
    with pytest.raises(Permanent, match="未被接受"):
        mailbox_at().connect()
    mailbox_at(password="another").connect()


def test_a_changed_uidvalidity_is_seen_when_the_folder_is_opened(
    mail_stack: MailStack, mailbox_at: Connect, netease: ImapProxy
) -> None:
    with mailbox_at(netease.port) as mailbox:
        assert mailbox.open("INBOX").uidvalidity == 1
        netease.faults.uidvalidity = 2
        assert mailbox.open("INBOX").uidvalidity == 2


def test_a_renamed_folder_is_missed_until_it_is_back(mailbox_at: Connect, netease: ImapProxy) -> None:
    with mailbox_at(netease.port) as mailbox:
        netease.faults.missing_folder = "垃圾邮件"
        with pytest.raises(Temporary, match="没有这个文件夹"):
            mailbox.open("垃圾邮件")
        netease.faults.missing_folder = None
        mailbox.open("垃圾邮件")
    assert netease.accepted == 1


def test_work_without_a_connection_says_so(mailbox_at: Connect) -> None:
    mailbox = mailbox_at()
    with pytest.raises(Temporary, match="已断开"):
        mailbox.uids_after(0)
    with pytest.raises(Temporary, match="已断开"):
        mailbox.open("INBOX")


def test_a_wrong_kind_of_port_is_explained(mail_stack: MailStack, mailbox_at: Connect) -> None:
    with pytest.raises(Temporary, match="security"):
        mailbox_at(mail_stack.imap_port).connect()
    with pytest.raises(Temporary, match="拒绝连接"):
        mailbox_at(free_ports(1)[0]).connect()


def test_a_poll_of_thousands_of_known_mails_asks_for_nothing_but_the_new(
    mail_stack: MailStack, mailbox_at: Connect, netease: ImapProxy
) -> None:
    mail_stack.deposit(OFFICE, map(letter, range(5000)))
    with mailbox_at(netease.port) as mailbox:
        mailbox.open("INBOX")
        known = mailbox.uids_after(0)
        assert len(known) == 5000
        mail_stack.deposit(OFFICE, [letter(5000)])
        netease.commands.clear()
        mailbox.open("INBOX")
        new = mailbox.uids_after(known[-1])
        assert len(fetched(mailbox, new)) == 1
    verbs = [command.split(b" ", 1)[1][:16] for command in netease.commands]
    assert verbs == [
        b'SELECT "INBOX"',
        b"UID SEARCH UID 5",
        b"UID FETCH 5001 (",
        b"UID FETCH 5001 (",
        b"LOGOUT",
    ]


def test_a_poll_without_news_selects_nothing_where_the_server_would_tell(
    mail_stack: MailStack, mailbox_at: Connect
) -> None:
    with ImapProxy(mail_stack.imap_port, mail_stack.certificates.server_context(), netease=False) as proxy:
        mail_stack.deposit(OFFICE, map(letter, range(3)))
        with mailbox_at(proxy.port) as mailbox:
            for arrived in range(3, 6):
                state = mailbox.open("INBOX")
                assert mailbox.open("INBOX") is state
                assert (state.exists, mailbox.uids_after(arrived - 1)) == (arrived, [arrived])
                assert fetched(mailbox, [arrived])[0].raw == letter(arrived - 1)
                mail_stack.deposit(OFFICE, [letter(arrived)])
            assert mailbox.wait(30)
            assert mailbox.open("INBOX").exists == 6
            mailbox.move([1, 2], "已处理")
            assert mailbox.open("INBOX").exists == 4
        assert sum(b" SELECT " in command for command in proxy.commands) == 5


def test_a_sender_finds_its_server_again_without_leaving_connections(
    mail_stack: MailStack, sender_settings: SenderSettings, smtp_link: Link, settle: Settle
) -> None:
    mail_stack.add_person(SCHOOL)
    settings = replace(sender_settings, port=smtp_link.port, answer_timeout=1, connect_timeout=1)
    with Sender(settings) as sender:
        assert isinstance(sender.send(letter(1), SCHOOL), Sent)
        smtp_link.close_port()
        for _ in range(3):
            assert isinstance(sender.send(letter(2), SCHOOL), Deferred)
        smtp_link.open_port()
        assert isinstance(sender.send(letter(2), SCHOOL), Sent)
        smtp_link.freeze()
        assert isinstance(sender.send(letter(3), SCHOOL), Deferred | Uncertain)
        smtp_link.thaw()
        assert isinstance(sender.send(letter(4), SCHOOL), Sent)
        assert smtp_link.open_connections == 1
    settle(lambda: smtp_link.open_connections == 0)
    assert len(mail_stack.wait_for(SCHOOL, 3)) >= 3


def test_a_sender_does_not_hang_on_a_byte_a_second(sender_settings: SenderSettings, smtp_link: Link) -> None:
    smtp_link.bytes_per_second = 1
    settings = replace(sender_settings, port=smtp_link.port, answer_timeout=0.5, connect_timeout=0.5)
    with Sender(settings) as sender:
        outcome = sender.send(letter(1), SCHOOL)
    assert isinstance(outcome, Deferred)
    assert outcome.everything


def test_a_server_without_tls_on_a_tls_port_is_explained(
    mail_stack: MailStack, sender_settings: SenderSettings
) -> None:
    with Sender(replace(sender_settings, port=mail_stack.submission_port)) as sender:
        outcome = sender.send(letter(1), SCHOOL)
    assert isinstance(outcome, Deferred)
    assert outcome.remedy is not None
    assert "security" in outcome.remedy


def test_a_server_without_starttls_is_explained(scripted_settings: SenderSettings) -> None:
    with Sender(replace(scripted_settings, security=Security.STARTTLS)) as sender:
        outcome = sender.send(letter(1), SCHOOL)
    assert isinstance(outcome, Deferred)
    assert outcome.tell
    assert "STARTTLS" in outcome.text


@given(st.integers(0, 10_000), st.floats(0, 1, exclude_max=True))
def test_waits_between_attempts_grow_up_to_a_bound_and_differ(attempt: int, chance: float) -> None:
    wait = backoff(attempt, chance, first=1, longest=60)
    assert 0.5 <= wait <= 60
    assert backoff(attempt + 1, chance) >= wait
    assert attempt < 7 or wait >= 30
