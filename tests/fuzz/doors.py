"""What fuzzing holds on to: whatever the bytes, reading ends with a Reading whose JSON can be written.

`python -m tests.fuzz.doors SECONDS` runs coverage-guided with atheris where it is installed, else mutates
the sample mails at random for that long. A failing input is written to the working directory.
"""

from __future__ import annotations

import contextlib
import hashlib
import importlib
import importlib.util
import json
import logging
import random
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

from parsers import decoding, message, own_words, sniff, unpack
from parsers.content import Limits, Refused
from parsers.read import read
from parsers.values import Reading
from tests.mails.letters import SAMPLES, problem_report, sample

LIMITS = Limits(
    mail_bytes=2 << 20, part_bytes=1 << 20, total_bytes=4 << 20, members=20, depth=3, rows=200, pages=1
)


def read_mail(data: bytes) -> None:
    """A mail is read, whatever it is, and can be told as JSON."""
    _told(read(data, "fuzz.eml", LIMITS, "djb3916@163.com"))


def read_file(data: bytes) -> None:
    """So is a bare file, under every name it may pretend to have."""
    for name in ("附件1.docx", "附件2.xlsx", "a.csv", "a.zip"):
        _told(read(data, name, LIMITS))


def part_words(data: bytes) -> None:
    """Any text and any markup are parted."""
    text = decoding.decoded(data)
    own_words.parted(text)
    own_words.parted_markup(text, is_reply=True)


def unpack_file(data: bytes) -> None:
    """Any container is opened within its limits."""
    found = list(unpack.file_leaves(data, "a.zip", LIMITS))
    assert sum(len(each.data) for each in found if isinstance(each, unpack.Leaf)) <= LIMITS.total_bytes + len(
        data
    )
    sniff.sniffed(data)


def take_apart(data: bytes) -> None:
    """Any head gives a mail."""
    with contextlib.suppress(Refused):
        message.opened(data, LIMITS)


DOORS: tuple[Callable[[bytes], None], ...] = (read_mail, read_file, part_words, unpack_file, take_apart)


def _told(reading: Reading) -> None:
    json.dumps(reading.to_json(), ensure_ascii=False).encode("utf-8")


def seeds() -> list[bytes]:
    """Honest inputs to start from."""
    mails = [path.read_bytes() for path in sorted(SAMPLES.glob("*.eml"))]
    return [*mails, problem_report(), sample("036")]


def mutated(seed: bytes, chance: random.Random) -> bytes:
    """The seed with a few bytes, stretches or lines changed."""
    data = bytearray(seed)
    for _ in range(chance.randint(1, 8)):
        at = chance.randrange(len(data) + 1)
        length = min(chance.choice((1, 4, 40, 400)), len(data) - at)
        match chance.randrange(5):
            case 0:
                data[at : at + length] = chance.randbytes(length)
            case 1:
                del data[at : at + length]
            case 2:
                data[at:at] = data[at : at + length]
            case 3:
                data[at:at] = chance.choice(TOKENS)
            case _:
                del data[at:]
        data = data or bytearray(b"x")
    return bytes(data)


TOKENS = (
    *(
        b"\r\n\r\n",
        b"--",
        b"\x00",
        b"=?gb2312?B?",
        b"?=",
        b"\xff\xfe",
        b"Content-Type: message/rfc822\n\n",
        b"<table><tr><td>",
    ),
    *(
        b"Content-Type: multipart/mixed; boundary=B\n\n--B\n",
        b"PK\x03\x04",
        b"PK\x05\x06",
        b"<blockquote>",
        b">",
        b'"',
        b"((",
    ),
)


def inputs(seconds: float, number: int = 0) -> Iterator[bytes]:
    """Mutated seeds for a bounded time."""
    chance = random.Random(number)
    starts = seeds()
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        yield mutated(chance.choice(starts), chance)


def run(seconds: float) -> int:
    """Tries all doors with random mutations; the first failing input is kept in a file."""
    tried = 0
    for data in inputs(seconds, int(time.time())):
        tried += 1
        for door in DOORS:
            try:
                door(data)
            except Exception:
                kept = Path(f"fuzz-{door.__name__}-{hashlib.sha256(data).hexdigest()[:12]}.bin")
                kept.write_bytes(data)
                sys.stderr.write(f"{door.__name__} failed; the input is in {kept}\n")
                raise
    sys.stdout.write(f"{tried} inputs, no failure\n")
    return 0


def run_guided(seconds: float) -> int:
    """The same, guided by coverage."""
    atheris = importlib.import_module("atheris")

    def one(data: bytes) -> None:
        for door in DOORS:
            door(data)

    atheris.instrument_all()
    atheris.Setup([sys.argv[0], f"-max_total_time={int(seconds)}", "-rss_limit_mb=4096", str(SAMPLES)], one)
    atheris.Fuzz()
    return 0


def main() -> int:
    """Guided fuzzing if atheris is here, random mutation else."""
    logging.disable(logging.CRITICAL)
    seconds = float(sys.argv[1]) if len(sys.argv) > 1 else 60.0
    return run_guided(seconds) if importlib.util.find_spec("atheris") else run(seconds)


if __name__ == "__main__":
    sys.exit(main())
