"""A throw-away copy of the database, for trying out what would happen."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from sqlalchemy import Table, insert, select

from daemon.store.engine import Store, open_store
from daemon.store.schema import create_if_empty
from daemon.store.tables import Base

ROWS_AT_ONCE: Final = 500
LEFT_OUT: Final[Mapping[str, Mapping[str, Any]]] = {"letter": {"raw": b""}}
"""What a copy does without: letters as they went out are most of a database, and are not read again."""


def copied(source: Store, folder: Path, pending_digests: frozenset[str] = frozenset()) -> Store:
    """A store of its own in `folder`, SQLite whatever the source is, with the same rows.

    Its archive holds only those mails; what is put into it never reaches the source.
    """
    target = open_store(f"sqlite:///{folder / 'copy.sqlite3'}", folder / "mail")
    create_if_empty(target)
    with source.reading() as session, target.migration() as connection:
        for table in Base.metadata.sorted_tables:
            left_out = LEFT_OUT.get(table.name, {})
            found = (
                session.connection().execution_options(yield_per=ROWS_AT_ONCE).execute(_kept(table, left_out))
            )
            for rows in found.mappings().partitions():
                connection.execute(insert(table), [{**row, **left_out} for row in rows])
    for digest in pending_digests:
        target.archive.path(digest).parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        target.archive.path(digest).symlink_to(source.archive.path(digest))
    return target


def _kept(table: Table, left_out: Mapping[str, Any]) -> Any:
    return select(*(column for column in table.columns if column.name not in left_out))
