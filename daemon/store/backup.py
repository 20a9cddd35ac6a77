"""Backup of database and archive together into one file, and restoring it into an empty place.

The file is a tar: `rows/TABLE.jsonl` with one JSON object a row, `mail/ab/ab….eml` for every raw mail that
the rows speak of, and last `manifest.json` with the schema version and the SHA-256 of every table. The rows
are read in one transaction, so they agree with each other while the daemon goes on. Being neutral of the
engine, a backup made on SQLite can be restored into PostgreSQL, and needs no tool of the database's.
"""

from __future__ import annotations

import base64
import io
import json
import os
import re
import tarfile
import tempfile
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from datetime import date, datetime
from hashlib import sha256
from pathlib import Path
from typing import IO, Any, Final

from sqlalchemy import (
    JSON,
    Column,
    Connection,
    Date,
    DateTime,
    LargeBinary,
    MetaData,
    Table,
    func,
    insert,
    inspect,
    literal,
    select,
    text,
)

from daemon.errors import Permanent
from daemon.store import schema
from daemon.store.archive import Archive
from daemon.store.engine import Store
from daemon.store.integrity import check
from daemon.store.mails import RELEASED, record_released, releasable_digests

FORMAT: Final = 1
MANIFEST: Final = "manifest.json"
_VERSION_TABLE: Final = "alembic_version"
_BATCH: Final = 200
_MAIL_MEMBER = re.compile(r"^mail/[0-9a-f]{2}/([0-9a-f]{64})\.eml$")

Progress = Callable[[int, int], None]
"""Told how many mails of how many are copied."""


@dataclass(frozen=True, slots=True)
class TablePart:
    """One table in a backup."""

    rows: int
    sha256: str


@dataclass(frozen=True, slots=True)
class Manifest:
    """What a backup holds."""

    format: int
    schema: str
    made_at: str
    tables: dict[str, TablePart]
    mails: int
    missing: tuple[str, ...] = ()
    """Mails that the database speaks of and the archive did not have: the backup cannot have them either."""


# ---------------------------------------------------------------- making one


def backup(store: Store, target: Path, made_at: datetime, progress: Progress | None = None) -> Manifest:
    """Writes a backup and says what it holds; look at `missing`.

    Never overwrites. Raises Permanent if there is nothing to back up or the file cannot be written.
    """
    version = schema.schema_version(store)
    if version is None:
        raise Permanent("数据库不存在或为空，没有可备份的内容")
    if target.exists():
        raise Permanent(f"{target} 已存在，不会覆盖", "请换一个文件名")
    try:
        with _finished_file(target) as file, tarfile.open(fileobj=file, mode="w") as tar:
            tables, digests = _add_tables(store, tar, target.parent)
            missing = tuple(_add_mails(store.archive, tar, digests, progress))
            manifest = Manifest(
                FORMAT, version, made_at.isoformat(), tables, len(digests) - len(missing), missing
            )
            _add_bytes(tar, MANIFEST, json.dumps(asdict(manifest), ensure_ascii=False, indent=1).encode())
    except OSError as error:
        raise Permanent(
            f"备份文件 {target} 无法写入（{error.strerror}）", "请检查目录权限与剩余空间"
        ) from error
    return manifest


@contextmanager
def _finished_file(target: Path) -> Iterator[IO[bytes]]:
    """A file (0600) that appears under its name only once it is whole and on the disk."""
    descriptor, name = tempfile.mkstemp(prefix=f".{target.name}.", dir=target.parent)
    temporary = Path(name)
    try:
        with os.fdopen(descriptor, "wb") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        # A link, unlike a renaming, fails where meanwhile another file stands.
        os.link(temporary, target)
    finally:
        temporary.unlink(missing_ok=True)


def _add_tables(store: Store, tar: tarfile.TarFile, room: Path) -> tuple[dict[str, TablePart], list[str]]:
    """Every table, read in one transaction, and the SHA-256 of the mails that they speak of."""
    parts: dict[str, TablePart] = {}
    with store.reading() as session:
        connection = session.connection()
        tables = _tables(connection)
        for table in tables:
            parts[table.name] = _add_table(connection, table, tar, room)
        mail, done = (next(t for t in tables if t.name == name) for name in ("mail", "done"))
        released = literal(RELEASED).concat(mail.c.sha256).in_(select(done.c.key))
        found = select(mail.c.sha256).where(mail.c.sha256 != "", ~released).distinct()
        return parts, list(connection.scalars(found.order_by(mail.c.sha256)))


def _add_table(connection: Connection, table: Table, tar: tarfile.TarFile, room: Path) -> TablePart:
    """A tar wants the size before the content: the rows go through a file where there is room for the backup."""
    digest, count = sha256(), 0
    with tempfile.TemporaryFile(dir=room) as file:
        found = select(table).order_by(*table.primary_key.columns)
        for row in connection.execute(found.execution_options(yield_per=_BATCH)):
            line = json.dumps(_written(row._asdict()), ensure_ascii=False).encode() + b"\n"
            file.write(line)
            digest.update(line)
            count += 1
        size = file.tell()
        file.seek(0)
        member = _member(f"rows/{table.name}.jsonl", size)
        tar.addfile(member, file)
    return TablePart(count, digest.hexdigest())


def _add_mails(
    archive: Archive, tar: tarfile.TarFile, digests: list[str], progress: Progress | None
) -> Iterator[str]:
    """Copies the mails; gives those that are not there or not sound."""
    for done, digest in enumerate(digests, start=1):
        try:
            raw = archive.read(digest)
        except Permanent:
            yield digest
        else:
            _add_bytes(tar, f"mail/{digest[:2]}/{digest}.eml", raw)
        if progress is not None:
            progress(done, len(digests))


def _add_bytes(tar: tarfile.TarFile, name: str, content: bytes) -> None:
    tar.addfile(_member(name, len(content)), io.BytesIO(content))


def _member(name: str, size: int) -> tarfile.TarInfo:
    member = tarfile.TarInfo(name)
    member.size, member.mode = size, 0o600
    return member


# ---------------------------------------------------------------- reading one


def verify(source: Path) -> Manifest:
    """What a backup holds, once every byte of it is found sound. Raises Permanent if it is not."""
    with _opened(source) as tar:
        manifest = _manifest(tar, source)
        for name, part in manifest.tables.items():
            digest = sha256()
            for line in _lines(tar, name, source):
                digest.update(line)
            if digest.hexdigest() != part.sha256:
                raise Permanent(f"备份 {source} 已损坏（表 {name}）", "请使用另一份备份")
        count = sum(1 for _ in _mails(tar, source))
        if count != manifest.mails:
            raise Permanent(
                f"备份 {source} 不完整（应有 {manifest.mails} 封邮件，实有 {count} 封）", "请使用另一份备份"
            )
    return manifest


@contextmanager
def _opened(source: Path) -> Iterator[tarfile.TarFile]:
    try:
        with tarfile.open(source, mode="r:") as tar:
            yield tar
    except tarfile.TarError as error:
        raise Permanent(f"{source} 不是完整的 djb 备份（{error}）", "请使用另一份备份") from error
    except OSError as error:
        raise Permanent(f"{source} 无法读取（{error.strerror}）") from error


def _manifest(tar: tarfile.TarFile, source: Path) -> Manifest:
    try:
        file = tar.extractfile(MANIFEST)
        value = json.loads(file.read() if file else b"null")
        tables = {name: TablePart(**part) for name, part in value["tables"].items()}
        manifest = Manifest(**{**value, "tables": tables, "missing": tuple(value["missing"])})
    except (KeyError, TypeError, ValueError) as error:
        raise Permanent(f"{source} 不是完整的 djb 备份（缺少清单）", "请使用另一份备份") from error
    if manifest.format != FORMAT or manifest.schema not in schema.known_versions():
        raise Permanent(f"备份 {source} 由更新版本的 djb 写成（结构 {manifest.schema}）", "请先升级 djb 程序")
    return manifest


def _lines(tar: tarfile.TarFile, table: str, source: Path) -> Iterator[bytes]:
    try:
        file = tar.extractfile(f"rows/{table}.jsonl")
    except KeyError:
        file = None
    if file is None:
        raise Permanent(f"备份 {source} 不完整（缺少表 {table}）", "请使用另一份备份")
    yield from file


def _mails(tar: tarfile.TarFile, source: Path) -> Iterator[bytes]:
    """The raw mails, each compared with its name."""
    for member in tar:
        if not member.name.startswith("mail/"):
            continue
        name = _MAIL_MEMBER.match(member.name)
        file = tar.extractfile(member) if name else None
        raw = file.read() if file else b""
        if name is None or sha256(raw).hexdigest() != name[1]:
            raise Permanent(f"备份 {source} 已损坏（{member.name}）", "请使用另一份备份")
        yield raw


# ---------------------------------------------------------------- making room


def release(store: Store, export: Path, before: datetime, at: datetime) -> int:
    """Takes mails that came before a moment out of the archive, as far as this backup holds them; how many.

    The backup is read through first: nothing leaves the archive that it does not hold, byte by byte. What the
    database knows of the mails stays. Raises Permanent if the backup is not sound.
    """
    verify(export)
    with _opened(export) as tar:
        held = {name[1] for member in tar if (name := _MAIL_MEMBER.match(member.name))}
    with store.transaction() as session:
        leaving = releasable_digests(session, before) & held
        record_released(session, leaving, at, str(export))
    for digest in sorted(leaving):
        store.archive.remove(digest)
    return len(leaving)


# ---------------------------------------------------------------- restoring


def restore(store: Store, source: Path, progress: Progress | None = None) -> Manifest:
    """Fills an empty store from a backup and says what it held. The schema stays the backup's.

    Nothing is written before the whole backup was verified. Raises Permanent if it is not sound or the place
    is not empty.
    """
    manifest = verify(source)
    _refuse_unless_empty(store, source)
    schema.upgrade(store, manifest.schema)
    with _opened(source) as tar:
        _store_mails(store.archive, _mails(tar, source), manifest.mails, progress)
        with store.migration() as connection:
            for table in _tables(connection):
                if table.name in manifest.tables:
                    _fill(connection, table, _lines(tar, table.name, source))
            _continue_ids(connection)
    _compare(store, manifest)
    return manifest


def _refuse_unless_empty(store: Store, source: Path) -> None:
    if schema.schema_version(store) is not None:
        with store.reading() as session:
            connection = session.connection()
            full = [t.name for t in _tables(connection) if connection.execute(select(t).limit(1)).first()]
        if full:
            raise Permanent("数据库里已有数据，不会覆盖", "请把配置指向一个空的数据库再恢复")
    with _opened(source) as tar:
        ours = {name[1] for member in tar if (name := _MAIL_MEMBER.match(member.name))}
    # Files of this very backup are from an earlier attempt that was cut short.
    if any(digest not in ours for digest in store.archive.digests()):
        raise Permanent(
            f"邮件归档 {store.archive.directory} 里已有邮件，不会覆盖", "请指定一个空的归档目录再恢复"
        )


def _store_mails(archive: Archive, mails: Iterable[bytes], total: int, progress: Progress | None) -> None:
    done, batch = 0, list[bytes]()
    for raw in mails:
        batch.append(raw)
        if len(batch) == _BATCH:
            archive.store_many(batch)
            done += len(batch)
            batch.clear()
            if progress is not None:
                progress(done, total)
    archive.store_many(batch)
    if progress is not None:
        progress(total, total)


def _fill(connection: Connection, table: Table, lines: Iterable[bytes]) -> None:
    rows: list[dict[str, Any]] = []
    statement = insert(table)
    for line in lines:
        rows.append(_read(table, json.loads(line)))
        if len(rows) == _BATCH:
            connection.execute(statement, rows)
            rows.clear()
    if rows:
        connection.execute(statement, rows)


def _continue_ids(connection: Connection) -> None:
    """PostgreSQL hands out ids from sequences, which must go on after the highest id that was filled in."""
    if connection.dialect.name != "postgresql":
        return
    for table in _tables(connection):
        if "id" in table.c:
            connection.execute(
                text("SELECT setval(pg_get_serial_sequence(:name, 'id'), :highest, :used)"),
                {
                    "name": connection.dialect.identifier_preparer.quote(table.name),
                    "highest": (highest := connection.scalar(select(func.max(table.c.id)))) or 1,
                    "used": highest is not None,
                },
            )


def _compare(store: Store, manifest: Manifest) -> None:
    """The last proof: as many rows as were saved, and a store that finds itself sound."""
    with store.reading() as session:
        connection = session.connection()
        for table in _tables(connection):
            there = connection.scalar(select(func.count()).select_from(table))
            if (part := manifest.tables.get(table.name)) is not None and there != part.rows:
                raise Permanent(
                    f"恢复后表 {table.name} 有 {there} 行，应为 {part.rows} 行", "请重新恢复到空的位置"
                )
    if manifest.schema != schema.newest_version() or manifest.missing:
        return
    if faults := check(store, contents=False):
        raise Permanent("恢复后检查发现问题：" + "；".join(faults), "请使用另一份备份")


# ---------------------------------------------------------------- rows as JSON


def _tables(connection: Connection) -> list[Table]:
    """The tables as they are in this database, of whatever schema version, those referred to first."""
    metadata = MetaData()
    names = [name for name in inspect(connection).get_table_names() if name != _VERSION_TABLE]
    metadata.reflect(connection, only=names)
    for table in metadata.sorted_tables:
        for column in table.columns:
            if isinstance(column.type, JSON):
                column.type = JSON(none_as_null=True)
    return metadata.sorted_tables


def _written(row: dict[str, Any]) -> dict[str, Any]:
    return {name: _as_json(value) for name, value in row.items() if value is not None}


def _as_json(value: Any) -> Any:
    if isinstance(value, bytes | memoryview):
        return base64.b64encode(value).decode()
    if isinstance(value, date):
        return value.isoformat()
    return value


def _read(table: Table, row: dict[str, Any]) -> dict[str, Any]:
    return {column.name: _from_json(column, row.get(column.name)) for column in table.columns}


def _from_json(column: Column[Any], value: Any) -> Any:
    if value is None:
        return None
    if isinstance(column.type, LargeBinary):
        return base64.b64decode(value)
    if isinstance(column.type, DateTime):
        return datetime.fromisoformat(value)
    if isinstance(column.type, Date):
        return date.fromisoformat(value)
    return value
