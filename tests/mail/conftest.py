"""Settings for the servers of the tests, and the servers themselves."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from daemon.connection import Security, ServerSettings
from daemon.mailbox import Mailbox
from daemon.sender import Sender, SenderSettings
from tests.servers.fixtures import imap_link, mail_stack, netease, scripted_smtp, smtp_link
from tests.servers.mailstack import OFFICE, PASSWORD, MailStack, wait_until
from tests.servers.scripted_smtp import ScriptedSmtp

__all__ = ["imap_link", "mail_stack", "netease", "scripted_smtp", "smtp_link"]

Connect = Callable[..., Mailbox]


@pytest.fixture
def mailbox_at(mail_stack: MailStack) -> Iterator[Connect]:
    """Makes a mailbox on a port of this machine, not yet connected; all are closed afterwards."""
    made: list[Mailbox] = []

    def connect(port: int | None = None, **changes: Any) -> Mailbox:
        values: dict[str, Any] = {
            "host": "localhost",
            "port": port or mail_stack.imaps_port,
            "security": Security.TLS,
            "username": OFFICE,
            "password": PASSWORD,
            "address": OFFICE,
            "ca_file": mail_stack.ca_file,
        }
        made.append(Mailbox(ServerSettings(**{**values, **changes})))
        return made[-1]

    yield connect
    for mailbox in made:
        mailbox.close()


@pytest.fixture
def sender_settings(mail_stack: MailStack) -> SenderSettings:
    """The stack's SMTP server, unthrottled."""
    return SenderSettings(
        host="localhost",
        port=mail_stack.smtps_port,
        security=Security.TLS,
        username=OFFICE,
        password=PASSWORD,
        address=OFFICE,
        ca_file=mail_stack.ca_file,
        seconds_between=0,
    )


@pytest.fixture
def scripted_settings(scripted_smtp: ScriptedSmtp) -> SenderSettings:
    """The scripted server, unthrottled, given up soon when it says nothing."""
    return SenderSettings(
        host="127.0.0.1",
        port=scripted_smtp.port,
        security=Security.NONE,
        username=OFFICE,
        password=PASSWORD,
        address=OFFICE,
        seconds_between=0,
        answer_timeout=1,
        final_timeout=1,
    )


@pytest.fixture
def scripted_sender(scripted_settings: SenderSettings) -> Iterator[Sender]:
    """A sender to the scripted server."""
    with Sender(scripted_settings) as sender:
        yield sender


@pytest.fixture
def settle() -> Callable[[Callable[[], object]], None]:
    """Waits until something holds that servers see a moment after clients."""
    return wait_until
