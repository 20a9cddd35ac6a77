"""The schema of the database: which version it has, and how it is brought to the newest."""

from __future__ import annotations

import os
import re
from collections.abc import Callable
from typing import TYPE_CHECKING

from sqlalchemy import Connection, inspect, text

from daemon.errors import Permanent
from daemon.store.engine import Store
from daemon.store.opening import (
    MIGRATIONS,
    newest_version as newest_version,
    schema_version as schema_version,
    version_in,
)
from daemon.store.ownership import hand_over, make_directory

if TYPE_CHECKING:  # Alembic takes its time, and only who changes a schema needs it
    from alembic.config import Config


def is_current(store: Store) -> bool:
    """Whether the daemon can work with the database as it is."""
    return schema_version(store) == newest_version()


def known_versions() -> tuple[str, ...]:
    """Every schema version that this program can upgrade from, oldest first."""
    from alembic.script import ScriptDirectory

    scripts = ScriptDirectory.from_config(_config())
    return tuple(script.revision for script in reversed(list(scripts.walk_revisions())))


def create_if_empty(store: Store) -> bool:
    """Makes the newest schema where there is none; whether it did. An older schema is left alone.

    Raises Permanent if the database holds tables that are not ours.
    """
    if schema_version(store) is not None:
        return False
    from alembic import command

    _create_place(store)
    with store.migration() as connection:
        _wait_for_turn(connection)
        if version_in(connection) is not None:
            return False
        if foreign := inspect(connection).get_table_names():
            raise Permanent(
                f"数据库里已有别的表（{'、'.join(sorted(foreign)[:3])}…）",
                "请为 djb 使用一个空的数据库或 schema",
            )
        _run(connection, lambda config: command.upgrade(config, "head"))
    return True


def upgrade(store: Store, version: str = "head") -> tuple[str | None, str]:
    """Brings the schema to a version; gives the version before and the version after.

    All of it happens in one transaction. Raises Permanent if the database is newer than this program.
    """
    from alembic import command

    _create_place(store)
    with store.migration() as connection:
        _wait_for_turn(connection)
        before = version_in(connection)
        if before is not None and before not in known_versions():
            raise Permanent(f"数据库的结构版本 {before} 比本程序新", "请升级 djb 程序本身")
        _run(connection, lambda config: command.upgrade(config, version))
        after = version_in(connection)
    return before, after or ""


def downgrade(store: Store, version: str) -> None:
    """Brings the schema back to an earlier version; `base` removes every table."""
    from alembic import command

    with store.migration() as connection:
        _wait_for_turn(connection)
        _run(connection, lambda config: command.downgrade(config, version))


def differences(store: Store) -> list[object]:
    """What Alembic finds different between the tables of this program and those of the database."""
    from alembic.autogenerate import compare_metadata
    from alembic.migration import MigrationContext

    from daemon.store.tables import Base

    with store.migration() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        return list(compare_metadata(context, Base.metadata))


def _config(connection: Connection | None = None) -> Config:
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS).replace("%", "%%"))
    config.set_main_option("path_separator", "os")
    config.attributes["connection"] = connection
    return config


def _run(connection: Connection, step: Callable[[Config], None]) -> None:
    step(_config(connection))
    if connection.dialect.name != "sqlite":
        return
    # Foreign keys were off while tables were rebuilt.
    broken = connection.exec_driver_sql("PRAGMA foreign_key_check").fetchall()
    if broken:
        raise Permanent(
            f"升级会破坏 {len(broken)} 处数据关联，已放弃，数据库未改动",
            "请运行 djb database check 并联系开发者",
        )


def _create_place(store: Store) -> None:
    """The empty file, or the schema that the search path names, so that there is something to connect to."""
    if store.file is not None:
        try:
            make_directory(store.file.parent)
            there = store.file.exists()
            os.close(os.open(store.file, os.O_RDWR | os.O_CREAT, 0o600))
            if not there:
                hand_over(store.file)
        except OSError as error:
            raise Permanent(
                f"数据库 {store.file} 无法建立（{error.strerror}）", "请检查目录的属主、权限和剩余空间"
            ) from error
        return
    with store.migration() as connection:
        if connection.scalar(text("SELECT current_schema()")) is None:
            path = str(connection.scalar(text("SHOW search_path")))
            name = re.split(r"\s*,\s*", path)[0].strip('"')
            quoted = connection.dialect.identifier_preparer.quote_identifier(name)
            connection.execute(text(f"CREATE SCHEMA IF NOT EXISTS {quoted}"))


def _wait_for_turn(connection: Connection) -> None:
    """Two daemons that start together change the schema one after the other; BEGIN IMMEDIATE does it on SQLite."""
    if connection.dialect.name == "postgresql":
        connection.execute(text("SELECT pg_advisory_xact_lock(hashtext('djb schema ' || current_schema()))"))
