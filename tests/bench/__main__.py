"""`make bench`: how fast the daemon is, as ratios to the unavoidable work within one run.

Absolute numbers say more about the machine than about the program; what counts is a ratio of two numbers that
were measured one after the other on the same machine. `python -m tests.bench intake sending` runs some only.
"""

from __future__ import annotations

import os
import smtplib
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import Any

from daemon import service
from daemon.config import load
from daemon.documents import Filling, blank_form
from daemon.envelope import Attachment
from daemon.model import Disposition
from daemon.store import questions
from daemon.store.questions import NewMail
from tests.bench import floor
from tests.bench.reading import measure_reading
from tests.journeys.town import ZONE, Town, directory, message, school_address
from tests.servers.mailstack import OFFICE, PASSWORD, MailStack, wait_until

SCHOOLS = 200
UNLIMITED = "[limits]\nletters_per_address_per_day = 100000\nanswers_per_hour = 1000000\n"


def small_workbook(index: int) -> Attachment:
    """A statistics return of some 6 KB."""
    row = {"party_branches": 3, "platforms": 1, "sessions_held": 2, "problems_solved": index % 90}
    unit = directory(SCHOOLS)[index % SCHOOLS].name
    return blank_form(
        "statistics", "xlsx", prefill=Filling({"reporting_unit": unit, **WHO}, [{"unit": unit, **row}])
    )


def large_document(index: int) -> Attachment:
    """A problem report that makes a mail of some 80 KB."""
    item: dict[str, Any] = {
        "problem": f"难点{index}",
        "details": f"第{index}号。" + os.urandom(9000).hex(),
        "levels": ("secretary",),
    }
    head = {"reporting_unit": directory(SCHOOLS)[index % SCHOOLS].name, "principal": "高红梅", **WHO}
    return blank_form("problem_report", "docx", prefill=Filling(head, [item]))


WHO: Mapping[str, str] = {"contact_name": "马嘉慧", "contact_phone": "13800001234"}


def mails(number: int, form: Callable[[int], Attachment], first: int = 0) -> list[bytes]:
    return [
        message(
            school_address(index % SCHOOLS),
            f"报送{index}",
            "请查收。",
            [form(index)],
            None,
            datetime.now(ZONE),
            (),
        ).as_bytes()
        for index in range(first, first + number)
    ]


@contextmanager
def town(settings: str = UNLIMITED) -> Iterator[tuple[Town, MailStack, Path]]:
    with MailStack() as stack, tempfile.TemporaryDirectory(prefix="djb-bench-") as folder:
        yield Town(stack, Path(folder) / "town", schools=SCHOOLS, settings=settings), stack, Path(folder)


def say(what: str, value: str, target: str = "") -> None:
    print(f"{what:<58} {value:>22}  {target}", flush=True)  # noqa: T201


# ------------------------------------------------------------------------------------------------ intake


def measure_intake() -> None:
    """Fetch → archive → read → file → answers rendered and in the outbox, against the floor."""
    number, first = 200, 10
    for name, form in (("small xlsx", small_workbook), ("80 KB docx", large_document)):
        raws = mails(first + number, form)
        with town() as (place, stack, folder), service.assembled(load(place.config)) as daemon:
            # Both have been at work before: the readers are started, the templates compiled, all is imported.
            stack.deposit(OFFICE, raws[:first])
            floor.intake(stack, folder / "floor0")
            daemon.collect(service.now)
            stack.deposit(OFFICE, raws[first:])
            bare = floor.intake(stack, folder / "floor1", after=first)
            begun, used = time.monotonic(), time.process_time()
            handled = daemon.collect(service.now)
            ours, used = time.monotonic() - begun, time.process_time() - used
            bare = min(bare, floor.intake(stack, folder / "floor2", after=first))
            assert handled == number, handled
            letters = place.rows("letters")
            assert sum(bool(letter["in_reply_to"]) for letter in letters) == first + number, len(letters)
        say(f"intake, {name} ({len(raws[0]) // 1024} KB): floor", f"{number / bare:.0f} mails/s")
        say(f"intake, {name}: daemon", f"{number / ours:.0f} mails/s", f"= {bare / ours:.0%} of floor (70 %)")
        say(f"intake, {name}: its main process", f"{used / number * 1000:.1f} ms a mail")


# ----------------------------------------------------------------------------------------------- sending


def measure_sending(number: int = 150) -> None:
    """The outbox over its kept connection, against a bare loop over smtplib."""
    with town() as (place, stack, _):
        stack.deposit(OFFICE, mails(number, small_workbook))
        with service.assembled(load(place.config)) as daemon:
            daemon.collect(service.now)
            with daemon.store.reading() as session:
                rows = [questions.raw_letter(session, row["id"]) for row in place.rows("letters")]
            raws = [raw for raw in rows if raw]
            bare = _bare_loop(stack, raws[:number])
            begun = time.monotonic()
            sent = daemon.outbox().drain(service.now)
            ours = time.monotonic() - begun
        say("sending: bare loop", f"{len(raws[:number]) / bare:.0f} letters/s")
        ratio = (sent / ours) / (len(raws[:number]) / bare)
        say(
            "sending: outbox, each outcome recorded",
            f"{sent / ours:.0f} letters/s",
            f"= {ratio:.0%} of bare (90 %)",
        )


def _bare_loop(stack: MailStack, raws: Sequence[bytes]) -> float:
    with smtplib.SMTP_SSL("localhost", stack.smtps_port, context=stack.certificates.client_context()) as smtp:
        assert smtp.sock is not None
        smtp.sock.setsockopt(6, 1, 1)
        smtp.login(OFFICE, PASSWORD)
        begun = time.monotonic()
        for index, raw in enumerate(raws):
            smtp.sendmail(OFFICE, [school_address(index % SCHOOLS)], raw)
        return time.monotonic() - begun


# ------------------------------------------------------------------------------------------ memory, polls


def measure_memory() -> None:
    """RSS of the running daemon's main process, answers sent, after 200 mails and after many."""
    more = int(os.environ.get("BENCH_MAILS", "1000"))
    backlog = mails(more - 200, small_workbook, first=200)
    with town() as (place, stack, _):
        stack.deposit(OFFICE, mails(200, small_workbook))
        # Not `place.run()`: nobody would read what it tells of so many mails.
        command = [sys.executable, "-m", "daemon", "--config", str(place.config), "run"]
        running = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        try:
            _wait_until_answered(place, 200)
            before = _resident(running.pid)
            begun = time.monotonic()
            stack.deposit(OFFICE, backlog)
            _wait_until_answered(place, more)
            seconds = time.monotonic() - begun
            after = _resident(running.pid)
        finally:
            running.terminate()
            running.wait(timeout=60)
    say("memory after 200 mails", f"{before:.0f} MB", "(under 150 MB)")
    say(f"memory after {more} mails", f"{after:.0f} MB", f"{after - before:+.0f} MB (±10 MB)")
    say(f"backlog of {len(backlog)} filed and answered", f"{seconds:.0f} s")


def _wait_until_answered(place: Town, number: int) -> None:
    """Until so many mails have been handled and no answer waits to be sent."""
    store = service.opened_store(load(place.config))

    def answered() -> bool:
        with store.reading() as session:
            counts = questions.mail_counts(session)
            handled = sum(counts.values()) - counts.get(Disposition.PENDING, 0)
            return handled >= number and not questions.overdue_deliveries(session, service.now())

    wait_until(answered, 600)
    store.close()


def _resident(process: int) -> float:
    for line in Path(f"/proc/{process}/status").read_text().splitlines():
        if line.startswith("VmRSS:"):
            return int(line.split()[1]) / 1024
    raise LookupError("VmRSS")


def measure_polls() -> None:
    """A poll that finds nothing new, with few and with many mails known."""
    costs = {}
    for known in (100, 20_000):
        with town() as (place, stack, _), service.assembled(load(place.config)) as daemon:
            stack.deposit(OFFICE, [b"Subject: x\r\n\r\nx\r\n"] * known)
            daemon.mailbox.connect()
            state = daemon.mailbox.open("INBOX")
            moment = service.now()
            rows = [
                NewMail(
                    "INBOX",
                    state.uidvalidity,
                    head.uid,
                    sha256="",
                    size=head.size,
                    received_at=head.received_at or moment,
                    fetched_at=moment,
                    disposition=Disposition.IGNORED,
                )
                for head in daemon.mailbox.heads(daemon.mailbox.all_uids())
            ]
            with daemon.store.transaction() as session:
                questions.add_mails(session, rows)
            daemon.collect(service.now)
            costs[known] = min(_timed(lambda: daemon.collect(service.now)) for _ in range(5))
    few, many = costs.values()
    say("poll with 100 known mails", f"{few * 1000:.1f} ms")
    say("poll with 20,000 known mails", f"{many * 1000:.1f} ms", f"= {many / few:.1f} × (about the same)")


def _timed(work: Callable[[], object]) -> float:
    begun = time.monotonic()
    work()
    return time.monotonic() - begun


# ---------------------------------------------------------------------------------------------- receipts


def measure_receipts(number: int = 20) -> None:
    """From a mail's arrival in the mailbox to its receipt in the school's, with IDLE."""
    with town() as (place, stack, _):
        text = place.config.read_text(encoding="utf-8")
        place.config.write_text(text.replace("poll_seconds = 1", "poll_seconds = 600"), encoding="utf-8")
        running = place.run()
        try:
            stack.deposit(OFFICE, mails(1, small_workbook))
            wait_until(lambda: stack.count(school_address(0)) >= 1, 60)
            seconds = []
            for index in range(1, number):
                raw = mails(1, small_workbook, first=index)
                begun = time.monotonic()
                stack.deposit(OFFICE, raw)
                wait_until(lambda index=index: stack.count(school_address(index)) >= 1, 30)  # type: ignore[misc]
                seconds.append(time.monotonic() - begun)
        finally:
            running.terminate()
            running.communicate(timeout=20)
    ordered = sorted(seconds)
    say("receipt with IDLE, median", f"{statistics.median(ordered):.2f} s")
    say("receipt with IDLE, p95", f"{ordered[int(len(ordered) * 0.95)]:.2f} s", "(1 s)")


MEASURES: dict[str, Callable[[], None]] = {
    "intake": measure_intake,
    "sending": measure_sending,
    "memory": measure_memory,
    "polls": measure_polls,
    "receipts": measure_receipts,
    "reading": lambda: measure_reading(say),
}


def main() -> None:
    wanted = sys.argv[1:] or list(MEASURES)
    unknown = [name for name in wanted if name not in MEASURES]
    if unknown:
        sys.exit(f"no measure {', '.join(unknown)}; there are {', '.join(MEASURES)}")
    say("load of the machine", f"{os.getloadavg()[0]:.1f}", f"{len(os.sched_getaffinity(0))} cores")
    for name in wanted:
        MEASURES[name]()


if __name__ == "__main__":
    main()
