"""The store as a configuration names it, opened at the schema that this program works with.

Light on purpose: the lists open the store in a fraction of a second, so nothing here imports Alembic.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from sqlalchemy import Connection, inspect, text

from daemon.config import Config
from daemon.errors import ConfigError, Permanent
from daemon.store.engine import Store, open_store

MIGRATIONS: Final = Path(__file__).parent / "migrations"
VERSION_TABLE: Final = "alembic_version"
_REVISION = re.compile(r"^(revision|down_revision)\b[^=]*=\s*(?:\"(\w+)\"|None)", re.MULTILINE)


def now() -> datetime:
    """The moment, for everything below the command line."""
    return datetime.now(UTC)


def opened_store(config: Config, *, create: bool = False) -> Store:
    """The store, at the schema this program works with.

    Raises ConfigError if the schema is older (or missing, unless `create`).
    """
    store = open_store(config.store.database, config.store.archive)
    version = schema_version(store)
    if version is None and create:
        from daemon.store import schema

        schema.create_if_empty(store)
        version = schema_version(store)
    if fault := fault_of(version, config):
        store.close()
        raise ConfigError([fault])
    return store


def fault_of(version: str | None, config: Config) -> str | None:
    """Why this program cannot work with a schema of that version, in Chinese; None if it can."""
    newest = newest_version()
    if version is None:
        return f"数据库还没有建立（{config.store.database}）。请先运行 djb once 或 djb run"
    if version > newest:
        return f"数据库结构版本 {version} 比本程序的 {newest} 新。请升级 djb 程序本身"
    if version != newest:
        return f"数据库结构版本为 {version}，本程序需要 {newest}。请先备份（djb backup），再运行 djb database upgrade"
    return None


def newest_version() -> str:
    """The schema version that this program works with: the migration that no other one follows."""
    revisions: set[str] = set()
    followed: set[str] = set()
    for path in (MIGRATIONS / "versions").glob("*.py"):
        for name, value in _REVISION.findall(path.read_text(encoding="utf-8")):
            if value:
                (revisions if name == "revision" else followed).add(value)
    newest = revisions - followed
    if len(newest) != 1:
        raise Permanent("程序包里缺少数据库迁移文件", "请重新安装 djb")
    return newest.pop()


def schema_version(store: Store) -> str | None:
    """The version of the schema in the database; None when there is no database or it is empty."""
    if store.file is not None and not store.file.exists():
        return None
    with store.reading() as session:
        return version_in(session.connection())


def version_in(connection: Connection) -> str | None:
    """The version of the schema that a connection sees; None when it is empty."""
    if not inspect(connection).has_table(VERSION_TABLE):
        return None
    found: str | None = connection.scalar(text(f"SELECT version_num FROM {VERSION_TABLE}"))  # noqa: S608
    return found
