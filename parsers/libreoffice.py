"""Office files of other formats as .docx or .xlsx, converted by LibreOffice in a room of its own.

LibreOffice is a large program that opens hostile files for us: every conversion gets a fresh profile in a
temporary directory, no network (neither by its settings nor, where the kernel allows it, by its namespace),
no macros, a time limit, and an end with all its children when the time is over.
"""

from __future__ import annotations

import os
import resource
import shutil
import signal
import subprocess
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import cache
from pathlib import Path

from parsers.content import Limits, Refused, Unreadable

SECONDS = 60
GRACE = 5
"""After that many seconds more the program is killed by `timeout`, even when we are no longer there to do it."""
NOT_INSTALLED = (
    "未安装 LibreOffice，无法读取这种格式的文件；请管理员安装 libreoffice-writer 和 libreoffice-calc"
)
NOT_WORKING = "LibreOffice 未能启动或不完整，无法读取这种格式的文件；请管理员检查安装"
TOO_SLOW = "LibreOffice 未能在规定时间内转换此文件"
DAMAGED = "文件已损坏，无法打开"
TOO_LARGE = "文件展开后超过大小限制"

FILTERS: Mapping[str, str] = {"docx": "docx:MS Word 2007 XML", "xlsx": "xlsx:Calc MS Excel 2007 XML"}
"""Target -> full filter name: the short name alone picks another filter in some versions."""

SETTINGS: tuple[tuple[str, str, str], ...] = (
    ("/org.openoffice.Office.Common/Security/Scripting", "MacroSecurityLevel", "3"),
    ("/org.openoffice.Office.Common/Security/Scripting", "DisableMacrosExecution", "true"),
    ("/org.openoffice.Office.Common/Security/Scripting", "BlockUntrustedRefererLinks", "true"),
    ("/org.openoffice.Office.Common/Security/Scripting", "DisableActiveContent", "true"),
    ("/org.openoffice.Office.Writer/Content/Update", "Link", "0"),
    ("/org.openoffice.Office.Calc/Content/Update", "Link", "2"),
    ("/org.openoffice.Office.Calc/Formula/Load", "OOXMLRecalcMode", "0"),
    ("/org.openoffice.Office.Calc/Formula/Load", "ODFRecalcMode", "0"),
    ("/org.openoffice.Inet/Settings", "ooInetProxyType", "2"),
    ("/org.openoffice.Inet/Settings", "ooInetHTTPProxyName", "127.0.0.1"),
    ("/org.openoffice.Inet/Settings", "ooInetHTTPProxyPort", "9"),
    ("/org.openoffice.Inet/Settings", "ooInetHTTPSProxyName", "127.0.0.1"),
    ("/org.openoffice.Inet/Settings", "ooInetHTTPSProxyPort", "9"),
)
"""No macros, no links to elsewhere, formulas computed anew, and every request sent to a port nobody listens on."""


def installed() -> str | None:
    """Path of the LibreOffice program; None if there is none."""
    return shutil.which("soffice") or shutil.which("libreoffice")


def converted(data: bytes, ending: str, target: str, limits: Limits, seconds: float = SECONDS) -> bytes:
    """The file as .docx or .xlsx; raises Unreadable or Refused with the reason in Chinese.

    `ending` tells LibreOffice what the file is (doc, odt …), `target` is a key of FILTERS.
    """
    program = installed()
    if program is None:
        raise Unreadable(NOT_INSTALLED)
    try:
        return _once(program, data, ending, target, limits, seconds)
    except OSError as error:
        raise Unreadable(NOT_WORKING) from error
    except Unreadable as fault:
        # The program says nothing useful when it fails, so it is the sound file that tells whose fault it is.
        if str(fault) == DAMAGED and not _works(program, target, limits, seconds):
            raise Unreadable(NOT_WORKING) from fault
        raise


SOUND = {"docx": (b"{\\rtf1 x}", "rtf"), "xlsx": (b"1,2\n", "csv")}
"""For each target a file that is certainly in order."""


def _works(program: str, target: str, limits: Limits, seconds: float) -> bool:
    try:
        return bool(_once(program, *SOUND[target], target, limits, seconds))
    except (OSError, Unreadable):
        return False


def _once(program: str, data: bytes, ending: str, target: str, limits: Limits, seconds: float) -> bytes:
    with tempfile.TemporaryDirectory(prefix="djb-office-", ignore_cleanup_errors=True) as name:
        room = Path(name)
        source = room / f"in.{ending}"
        source.write_bytes(data)
        _write_settings(room / "profile")
        _run(_command(program, room, source, target, seconds), room, seconds)
        return _result(room / "out" / f"in.{target}", limits)


def _result(path: Path, limits: Limits) -> bytes:
    """The file that came out. The exit status says nothing: it is 0 on failure as well."""
    if not path.is_file():
        raise Unreadable(DAMAGED)
    if path.stat().st_size > limits.total_bytes:
        raise Refused(TOO_LARGE)
    return path.read_bytes()


def _command(program: str, room: Path, source: Path, target: str, seconds: float) -> list[str]:
    guard = shutil.which("timeout")
    outlived = [guard, f"--kill-after={GRACE}", str(seconds + GRACE)] if guard else []
    return [
        *outlived,
        *_without_network(),
        program,
        f"-env:UserInstallation={(room / 'profile').as_uri()}",
        "--headless",
        "--norestore",
        "--nolockcheck",
        "--nodefault",
        "--convert-to",
        FILTERS[target],
        "--outdir",
        str(room / "out"),
        str(source),
    ]


@cache
def _without_network() -> tuple[str, ...]:
    """The words before a command that take the network from it; none where the kernel forbids it."""
    program = shutil.which("unshare")
    if program is None:
        return ()
    words = (program, "--map-root-user", "--net")
    try:
        # Fixed words, nothing of the file in them.
        tried = subprocess.run([*words, "true"], capture_output=True, timeout=5, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return ()
    return words if tried.returncode == 0 else ()


def _run(command: list[str], room: Path, seconds: float) -> None:
    """Runs the command to its end or to the end of its time, and leaves no child of it behind."""
    environment = {
        "HOME": str(room),
        "TMPDIR": str(room),
        "PATH": os.environ.get("PATH", os.defpath),
        "LANG": "C.UTF-8",
        "SAL_USE_VCLPLUGIN": "svp",
    }
    with _without_memory_limit():
        process = subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            cwd=room,
            env=environment,
            start_new_session=True,
        )
    try:
        process.wait(seconds)
    except subprocess.TimeoutExpired as error:
        raise Unreadable(TOO_SLOW) from error
    finally:
        _end(process)


def _end(process: subprocess.Popen[bytes]) -> None:
    try:
        os.killpg(process.pid, signal.SIGKILL)
    except ProcessLookupError:
        pass
    except PermissionError:  # macOS says so of a group that has ended
        pass
    process.wait()


@contextmanager
def _without_memory_limit() -> Iterator[None]:
    """Lifts this process's own soft limit while a child is started, which inherits what it finds.

    A reader lives under a small address space; LibreOffice maps more than that before it reads a byte.
    """
    soft, hard = resource.getrlimit(resource.RLIMIT_AS)
    resource.setrlimit(resource.RLIMIT_AS, (hard, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_AS, (soft, hard))


def _write_settings(profile: Path) -> None:
    items = "".join(
        f'<item oor:path="{path}"><prop oor:name="{name}" oor:op="fuse"><value>{value}</value></prop></item>'
        for path, name, value in SETTINGS
    )
    (profile / "user").mkdir(parents=True)
    (profile / "user" / "registrymodifications.xcu").write_text(
        '<?xml version="1.0" encoding="UTF-8"?><oor:items xmlns:oor="http://openoffice.org/2001/registry"'
        ' xmlns:xs="http://www.w3.org/2001/XMLSchema"'
        f' xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance">{items}</oor:items>',
        encoding="utf-8",
    )
