"""Failures of the database, named by what to do next."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from sqlalchemy.exc import DBAPIError, InterfaceError, OperationalError

from daemon.errors import Failure, Permanent, Temporary

_SQLITE_FAILURES: Final[tuple[tuple[str, type[Failure], str, str], ...]] = (
    ("locked", Temporary, "数据库正被另一个程序占用", "稍后会自动重试；如一直如此，请查找占用它的程序"),
    ("disk is full", Temporary, "磁盘已满，数据库无法写入", "请清理磁盘空间，之后会自动继续"),
    ("disk i/o", Temporary, "数据库读写磁盘出错", "请检查磁盘与文件系统，之后会自动重试"),
    ("readonly", Permanent, "数据库只读，无法写入", "请检查数据库文件及其目录的属主、权限和磁盘挂载方式"),
    ("unable to open", Permanent, "数据库文件不存在或无法打开", "请检查 store.database 的路径与权限"),
    ("malformed", Permanent, "数据库文件已损坏", "请停止服务，用 djb restore 从备份恢复"),
    ("not a database", Permanent, "该文件不是数据库", "请检查 store.database 的路径，或用 djb restore 恢复"),
)


@contextmanager
def named_failures() -> Iterator[None]:
    """Turns failures of the database into Temporary or Permanent; faults of our statements pass through."""
    try:
        yield
    except DBAPIError as error:
        failure = _failure_of(error)
        if failure is None:
            raise
        raise failure from error


def fails_for_all(error: Exception) -> bool:
    """Whether an error is the database's own failure, which no other mail or letter would escape either."""
    return isinstance(error, DBAPIError) and _failure_of(error) is not None


def _failure_of(error: DBAPIError) -> Failure | None:
    said = str(error.orig).strip()
    if isinstance(error.orig, sqlite3.Error):
        for sign, kind, message, remedy in _SQLITE_FAILURES:
            if sign in said.lower():
                return kind(f"{message}（{said}）", remedy)
        return None
    if getattr(error.orig, "sqlstate", None) == "42501":
        return Permanent(f"数据库用户权限不足（{said}）", "请授予该用户在此数据库建表、读写的权限")
    if not isinstance(error, OperationalError | InterfaceError):
        return None
    return Temporary(f"数据库服务器暂时无法使用（{said}）", "请检查 PostgreSQL 是否运行、地址与密码是否正确")
