"""Running numbers and the four letters that make a subject's tag hard to guess."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Final

from sqlalchemy import bindparam
from sqlalchemy.orm import Session
from sqlalchemy.sql.dml import ReturningInsert

from daemon.store.statements import insert_of, is_postgresql
from daemon.store.tables import Counter

ALPHABET: Final = "ABCDEFGHJKMNPQRSTUVWXYZ23456789"
"""Without 0 and O, 1, I and L, which people mistake for each other."""
CODE_LENGTH: Final = 4
_FAIR: Final = 256 - 256 % len(ALPHABET)


def counter_name(prefix: str, year: int) -> str:
    """The name under which the numbers of a prefix and year are counted: ND-2022."""
    return f"{prefix}-{year:04d}"


def next_number(session: Session, prefix: str, year: int) -> int:
    """The next running number of a prefix in a year, allotted once, whoever else asks at the same time.

    It is given back if the transaction is undone.
    """
    statement = _count(is_postgresql(session))
    return session.connection().execute(statement, {"name": counter_name(prefix, year)}).scalar_one()


@cache
def _count(postgresql: bool) -> ReturningInsert[int]:
    first = insert_of(postgresql, Counter).values(name=bindparam("name"), value=1)
    further = first.on_conflict_do_update(index_elements=["name"], set_={"value": Counter.value + 1})
    return further.returning(Counter.value)


def four_letter_code(random: Callable[[int], bytes]) -> str:
    """Four letters for a tag, from a source of random bytes such as `secrets.token_bytes`."""
    letters = ""
    while len(letters) < CODE_LENGTH:
        # Bytes beyond the last full round of the alphabet would favour its first letters.
        letters += "".join(ALPHABET[b % len(ALPHABET)] for b in random(8) if b < _FAIR)
    return letters[:CODE_LENGTH]


def code_source(random: Callable[[int], bytes]) -> Callable[[], str]:
    """A function that gives a new four-letter code at every call."""
    return lambda: four_letter_code(random)
