"""pytest fixtures of the servers: `pytest_plugins = ["tests.servers.fixtures"]`."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.servers.coremail import ImapProxy
from tests.servers.link import Link
from tests.servers.mailstack import MailStack
from tests.servers.scripted_smtp import ScriptedSmtp


@pytest.fixture
def mail_stack() -> Iterator[MailStack]:
    """Dovecot and chasquid, empty."""
    with MailStack(keep_sent=True) as stack:
        yield stack


@pytest.fixture
def netease(mail_stack: MailStack) -> Iterator[ImapProxy]:
    """The stack's mailbox as imap.163.com would show it, in TLS."""
    with ImapProxy(mail_stack.imap_port, mail_stack.certificates.server_context()) as proxy:
        yield proxy


@pytest.fixture
def imap_link(mail_stack: MailStack) -> Iterator[Link]:
    """A stretch of network before the stack's IMAP (TLS) port."""
    with Link(mail_stack.imaps_port) as link:
        yield link


@pytest.fixture
def smtp_link(mail_stack: MailStack) -> Iterator[Link]:
    """A stretch of network before the stack's SMTP (TLS) port."""
    with Link(mail_stack.smtps_port) as link:
        yield link


@pytest.fixture
def scripted_smtp() -> Iterator[ScriptedSmtp]:
    """An SMTP server without TLS that answers as it is told."""
    with ScriptedSmtp() as server:
        yield server
