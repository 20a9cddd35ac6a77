"""A short fuzz of every door; `make fuzz` runs the long one."""

from __future__ import annotations

import random
from collections.abc import Callable

import pytest
from hypothesis import HealthCheck, given, settings, strategies as st

from tests.fuzz.doors import DOORS, mutated, seeds

SEEDS = seeds()


@pytest.mark.parametrize("door", DOORS, ids=lambda door: str(door.__name__))
@settings(max_examples=40, deadline=None, suppress_health_check=list(HealthCheck))
@given(number=st.integers(0, 1 << 30), seed=st.sampled_from(range(len(SEEDS))))
def test_a_damaged_mail_is_read_as_far_as_it_goes(
    door: Callable[[bytes], None], number: int, seed: int
) -> None:
    door(mutated(SEEDS[seed], random.Random(number)))


@pytest.mark.parametrize("door", DOORS, ids=lambda door: str(door.__name__))
@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
@given(st.binary(max_size=2_000))
def test_any_bytes_are_read(door: Callable[[bytes], None], data: bytes) -> None:
    door(data)
