"""Whether a folder's UIDs still name the mails that they named when we read them.

A server that makes its numbers anew must change UIDVALIDITY; one that does not (163's is always 1) would let
new mails hide behind numbers that we know. So at each poll the last mail that we know is looked at again, now
and then a sample of all; once one of them turns out to be another mail, all are compared.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from hashlib import sha256

from daemon.journal import event
from daemon.mailbox import FolderState, Mailbox
from daemon.store import questions
from daemon.store.engine import Store

SAMPLE = 500
"""Mails of a folder that a sweep looks at again."""
LOOKED_INTO = 20
"""Mails whose bytes are fetched again, to see whether a server only tells sizes and times differently."""

log = logging.getLogger(__name__)


def still_names(store: Store, mailbox: Mailbox, state: FolderState, uids: Sequence[int]) -> bool:
    """Whether these UIDs of the opened folder, each known to us, are known by the same mails."""
    return not _others(store, mailbox, state, uids)


def number_anew(store: Store, mailbox: Mailbox, state: FolderState, uids: Sequence[int]) -> None:
    """Compare the UIDs of the opened folder, all or a sample; those that name other mails are unknown again.

    Their mails will be fetched: what we have had is then a duplicate, what is new is handled.
    """
    if not _others(store, mailbox, state, uids[:: -max(1, len(uids) // SAMPLE)]):
        return
    others = _others(store, mailbox, state, uids)
    with store.transaction() as session:
        known = questions.known_uids(session, state.name, state.uidvalidity, uids)
        count = questions.give_up_uids(session, state.name, state.uidvalidity, known - set(others))
    event(
        log,
        "uids_reused",
        "邮件编号被服务器改给了别的邮件，已逐封核对，已处理过的不会重复办理",
        level=logging.WARNING,
        folder=state.name,
        uidvalidity=state.uidvalidity,
        mails=count,
    )


def _others(store: Store, mailbox: Mailbox, state: FolderState, uids: Sequence[int]) -> list[int]:
    """Those of the UIDs that we know of another mail."""
    if not mailbox.heads_agree:
        return []
    with store.reading() as session:
        known = questions.stored_heads(session, state.name, state.uidvalidity, uids)
    suspects = [
        head.uid
        for head in mailbox.heads(uid for uid in uids if uid in known)
        if head.size != known[head.uid][0] or (known[head.uid][1] or head.received_at) != head.received_at
    ]
    if suspects and not _differ(mailbox, suspects[-LOOKED_INTO:], {uid: known[uid][2] for uid in suspects}):
        mailbox.heads_agree = False
        event(
            log,
            "imap_heads_differ",
            "服务器前后给出的邮件大小或时间不一致，不再据此核对编号",
            folder=state.name,
        )
        return []
    return suspects


def _differ(mailbox: Mailbox, uids: Sequence[int], digests: Mapping[int, str]) -> bool:
    """Whether any of these mails is another one, byte by byte; so is one of which we have no bytes."""
    return any(
        not digests[mail.uid] or mail.raw is None or sha256(mail.raw).hexdigest() != digests[mail.uid]
        for batch in mailbox.fetch(uids)
        for mail in batch
    )
