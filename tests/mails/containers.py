"""Archives and Outlook files that no free program writes, made from their published formats."""

from __future__ import annotations

import struct
import zlib
from collections.abc import Mapping, Sequence

# ---------------------------------------------------------------- rar


def _number(value: int) -> bytes:
    """An integer of RAR 5: seven bits a byte, the lowest first."""
    out = bytearray()
    while True:
        value, low = value >> 7, value & 0x7F
        out.append(low | (0x80 if value else 0))
        if not value:
            return bytes(out)


def _block5(body: bytes, data: bytes = b"") -> bytes:
    head = _number(len(body)) + body
    return struct.pack("<I", zlib.crc32(head)) + head + data


def rar5(*files: tuple[str, bytes]) -> bytes:
    """A RAR 5 archive whose files are stored, not packed."""
    out = b"Rar!\x1a\x07\x01\x00" + _block5(_number(1) + _number(0) + _number(0))
    for name, data in files:
        spelt = name.encode()
        body = _number(2) + _number(2) + _number(len(data)) + _number(4) + _number(len(data)) + _number(0x20)
        body += struct.pack("<I", zlib.crc32(data)) + _number(0) + _number(0) + _number(len(spelt)) + spelt
        out += _block5(body, data)
    return out + _block5(_number(5) + _number(0) + _number(0))


def _block4(kind: int, flags: int, body: bytes, data: bytes = b"") -> bytes:
    head = struct.pack("<BHH", kind, flags, 7 + len(body)) + body
    return struct.pack("<H", zlib.crc32(head) & 0xFFFF) + head + data


def rar4(*files: tuple[str, bytes]) -> bytes:
    """A RAR 4 archive as a Chinese Windows writes it: names in GBK, files stored."""
    out = b"Rar!\x1a\x07\x00" + _block4(0x73, 0, bytes(6))
    for name, data in files:
        spelt = name.encode("gbk")
        body = struct.pack(
            "<IIBIIBBHI", len(data), len(data), 2, zlib.crc32(data), 0x54210000, 20, 0x30, len(spelt), 0x20
        )
        out += _block4(0x74, 0x8000, body + spelt, data)
    return out + _block4(0x7B, 0x4000, b"")


# ---------------------------------------------------------------- Outlook's .msg

Storage = Mapping[str, "bytes | Storage"]
FREE, END, FAT = 0xFFFFFFFF, 0xFFFFFFFE, 0xFFFFFFFD
SECTOR, SMALL = 512, 64


def message(words: str, *files: tuple[str, bytes], passed_on: Sequence[Storage] = ()) -> Storage:
    """The storage of an Outlook message with these words, files and attached messages."""
    made: dict[str, bytes | Storage] = {
        "__properties_version1.0": bytes(32),
        "__substg1.0_0037001F": "报送".encode("utf-16-le"),
        "__substg1.0_1000001F": words.encode("utf-16-le"),
    }
    attached: list[Storage] = [
        {
            "__properties_version1.0": bytes(8),
            "__substg1.0_3707001F": name.encode("utf-16-le"),
            "__substg1.0_37010102": data,
        }
        for name, data in files
    ]
    attached += [{"__properties_version1.0": bytes(8), "__substg1.0_3701000D": inner} for inner in passed_on]
    return made | {f"__attach_version1.0_#{number:08X}": each for number, each in enumerate(attached)}


def compound(root: Storage) -> bytes:
    """A compound file (OLE) with these storages and streams; a storage's members hang together like a list."""
    entries: list[list[object]] = [["Root Entry", 5, FREE, FREE, b""]]  # name, type, right, child, data

    def add(parent: int, storage: Storage) -> None:
        before = None
        for name, value in sorted(storage.items(), key=lambda item: (len(item[0]), item[0].upper())):
            here = len(entries)
            entries.append(
                [name, 2, FREE, FREE, value] if isinstance(value, bytes) else [name, 1, FREE, FREE, b""]
            )
            if before is None:
                entries[parent][3] = here
            else:
                entries[before][2] = here
            before = here
            if not isinstance(value, bytes):
                add(here, value)

    add(0, root)
    chains: list[int] = []
    body = bytearray()

    def store(data: bytes) -> int:
        """The first sector of the data."""
        if not data:
            return END
        first, count = len(chains), -(-len(data) // SECTOR)
        chains.extend([*range(first + 1, first + count), END])
        body.extend(data.ljust(count * SECTOR, b"\0"))
        return first

    small, small_chains, starts = bytearray(), list[int](), dict[int, int]()
    for index, entry in enumerate(entries):
        data = entry[4]
        assert isinstance(data, bytes)
        if entry[1] == 2 and len(data) >= 4096:
            starts[index] = store(data)
        elif entry[1] == 2 and data:
            starts[index], count = len(small_chains), -(-len(data) // SMALL)
            small_chains.extend([*range(starts[index] + 1, starts[index] + count), END])
            small.extend(data.ljust(count * SMALL, b"\0"))
    starts[0] = store(bytes(small))
    small_table = store(b"".join(struct.pack("<I", each) for each in small_chains))
    directory = b"".join(
        _entry(entry, starts.get(index, END if entry[1] == 2 else 0), len(small))
        for index, entry in enumerate(entries)
    )
    directory_start = store(directory)
    tables = 1
    while (len(chains) + tables) * 4 > tables * SECTOR:
        tables += 1
    table = [*chains, *[FAT] * tables]
    fat = b"".join(struct.pack("<I", each) for each in table).ljust(tables * SECTOR, b"\xff")
    header = (
        b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
        + bytes(16)
        + struct.pack("<HHHHH", 0x3E, 3, 0xFFFE, 9, 6)
        + bytes(6)
    )
    header += struct.pack(
        "<IIIIIIIII", 0, tables, directory_start, 0, 4096, small_table, -(-len(small_chains) // 128), END, 0
    )
    header += b"".join(struct.pack("<I", len(chains) + number) for number in range(tables))
    return header.ljust(SECTOR, b"\xff") + bytes(body) + fat


def _entry(entry: Sequence[object], start: int, small: int) -> bytes:
    name, kind, right, child, data = entry
    assert isinstance(name, str) and isinstance(data, bytes)
    spelt = name.encode("utf-16-le") + b"\0\0"
    size = small if kind == 5 else len(data)
    links = struct.pack("<BBIII", kind, 1, FREE, right, child)
    return (
        spelt.ljust(64, b"\0")
        + struct.pack("<H", len(spelt))
        + links
        + bytes(36)
        + struct.pack("<IQ", start, size)
    )
