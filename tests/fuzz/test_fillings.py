"""A few hundred fillings of both forms; `make fuzz` makes more of them."""

from __future__ import annotations

import pytest

from tests.fuzz.fillings import judged


@pytest.mark.parametrize("hundred", range(4))
def test_what_is_read_without_a_doubt_is_what_was_written(hundred: int) -> None:
    assert [error for seed in range(100 * hundred, 100 * hundred + 100) for error in judged(seed)] == []
