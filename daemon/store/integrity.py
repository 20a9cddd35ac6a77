"""Whether what the store remembers is whole and agrees with itself: `djb database check`.

Every fault is a sentence for the administrator; a sound store gives none.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import Final

from sqlalchemy import func, select, text
from sqlalchemy.orm import Session

from daemon.errors import Permanent
from daemon.model import LetterState
from daemon.store.archive import Archive
from daemon.store.engine import Store
from daemon.store.letters import OPEN, state_of
from daemon.store.mails import archived_digests
from daemon.store.numbers import counter_name
from daemon.store.schema import newest_version, schema_version
from daemon.store.statements import is_postgresql
from daemon.store.tables import (
    Counter,
    Delivery,
    Letter,
    Mail,
    Period,
    Problem,
    Return,
    Session as OfficeSession,
)

Progress = Callable[[int, int], None]
"""Told how many mails of how many are checked."""

SHOWN: Final = 5
"""How many examples stand in one sentence."""

_NUMBER = re.compile(r"^([A-Z]{2})-(\d{4})-(\d+)$")


def check(store: Store, *, contents: bool = True, progress: Progress | None = None) -> list[str]:
    """Every fault that is found, in Chinese; none for a sound store.

    Without `contents` the archived mails are only looked for, not read. Raises Temporary or Permanent when
    the database cannot be read at all.
    """
    version = schema_version(store)
    if version is None:
        return ["数据库不存在或为空；djb run 或 djb once 首次运行时会自动建立"]
    if version != newest_version():
        return [f"数据库结构版本为 {version}，本程序需要 {newest_version()}；请运行 djb database upgrade"]
    with store.reading() as session:
        faults = [*_engine_faults(session), *_counter_faults(session), *_outbox_faults(session)]
        faults += _record_faults(session)
        digests = list(archived_digests(session))
    return faults + list(archive_faults(store.archive, digests, contents=contents, progress=progress))


def _engine_faults(session: Session) -> Iterator[str]:
    """What the engine itself finds wrong with its file. PostgreSQL checks its pages when it reads them."""
    if is_postgresql(session):
        return
    for row in session.execute(text("PRAGMA integrity_check(20)")):
        if row[0] != "ok":
            yield f"数据库文件损坏：{row[0]}；请停止服务，用 djb restore 从备份恢复"
    broken = session.execute(text("PRAGMA foreign_key_check")).all()
    if broken:
        named = "、".join(sorted({f"{row[0]}→{row[2]}" for row in broken}))
        yield f"有 {len(broken)} 处数据关联断开（{named}）；请用 djb restore 从备份恢复"


def _counter_faults(session: Session) -> Iterator[str]:
    """A counter behind its numbers would allot a number twice."""
    highest: dict[str, int] = {}
    for column in (Problem.number, OfficeSession.code):
        for number in session.scalars(select(column)):
            if found := _NUMBER.match(number):
                name = counter_name(found[1], int(found[2]))
                highest[name] = max(highest.get(name, 0), int(found[3]))
    counters = dict(session.execute(select(Counter.name, Counter.value)).all())
    for name, most in sorted(highest.items()):
        # Sessions may be numbered by their month instead of a counter.
        if (name in counters or name.startswith("ND-")) and counters.get(name, 0) < most:
            yield f"编号计数 {name} 为 {counters.get(name, 0)}，小于已有的最大编号 {most}，可能重号"


def _outbox_faults(session: Session) -> Iterator[str]:
    """Letters whose state does not follow from their deliveries."""
    without = select(Letter.id).where(~select(Delivery.id).where(Delivery.letter_id == Letter.id).exists())
    if ids := list(session.scalars(without)):
        yield f"有 {len(ids)} 封信没有投递记录，不会发出（{_some(ids)}）"
    waiting = select(Delivery.letter_id).where(Delivery.state.in_(OPEN))
    states = select(Letter.id, Letter.state, Delivery.state).join(Delivery, Delivery.letter_id == Letter.id)
    suspects = states.where((Letter.state == LetterState.QUEUED.value) | Letter.id.in_(waiting))
    found: dict[tuple[int, str], set[str]] = {}
    for letter_id, state, delivery in session.execute(suspects):
        found.setdefault((letter_id, state), set()).add(delivery)
    wrong = [letter_id for (letter_id, state), parts in found.items() if state_of(parts) != state]
    if wrong:
        yield f"有 {len(wrong)} 封信的状态与投递记录不一致（{_some(wrong)}）"


def _record_faults(session: Session) -> Iterator[str]:
    """Records that contradict each other without breaking a foreign key."""
    known = select(Period.code)
    lost = list(session.scalars(select(Return.period).where(Return.period.not_in(known)).distinct()))
    if lost:
        yield f"有报表属于没有登记的统计期：{'、'.join(sorted(lost))}"
    unsettled = select(func.count()).select_from(Mail).where(Mail.disposition == "")
    if count := session.scalars(unsettled).one():
        yield f"有 {count} 封邮件没有处理结果"


def _some(ids: list[int]) -> str:
    shown = "、".join(str(number) for number in ids[:SHOWN])
    return f"编号 {shown}{'…' if len(ids) > SHOWN else ''}"


def archive_faults(
    archive: Archive, digests: list[str], *, contents: bool = True, progress: Progress | None = None
) -> Iterator[str]:
    """Mails that the archive should hold and does not, or no longer as they came."""
    for done, digest in enumerate(digests, start=1):
        if not archive.holds(digest):
            yield f"归档中缺少邮件 {digest}.eml；如有备份，请从中恢复"
        elif contents:
            try:
                archive.read(digest)
            except Permanent as error:
                yield str(error)
        if progress is not None:
            progress(done, len(digests))
