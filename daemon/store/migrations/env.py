"""Runs migrations on the connection that `daemon.store.schema` hands over; never by itself."""

from __future__ import annotations

from typing import Any, Literal

from alembic import context
from alembic.autogenerate.api import AutogenContext

from daemon.store.tables import Base, Moment


def _frozen(kind: str, item: Any, _context: AutogenContext) -> str | Literal[False]:
    """A moment is written as the column it is, so that a migration does not depend on today's code."""
    return "sa.DateTime()" if kind == "type" and isinstance(item, Moment) else False


context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=Base.metadata,
    render_as_batch=True,
    render_item=_frozen,
    compare_type=True,
    # SQLite, too, undoes a half-done migration, because our connection begins its transactions itself.
    transactional_ddl=True,
)
with context.begin_transaction():
    context.run_migrations()
