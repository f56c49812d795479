"""Whether this machine and the store agree about the time."""

from __future__ import annotations

import time

import pytest

from tests.unit.storage.memory import memory_backend
from voxk8s.errors import StoreError
from voxk8s.storage.upkeep.clock_check import check_clock


@pytest.mark.parametrize("ahead", [-1e6, 0.0, 200.0])
def test_clocks_that_agree_or_are_behind_are_accepted(ahead: float) -> None:
    """To one that is behind, everything looks younger than it is."""
    check_clock(memory_backend(), lambda: time.time() + ahead)


def test_a_clock_that_is_ahead_is_refused() -> None:
    """By more than a few minutes."""
    with pytest.raises(StoreError, match="400 s ahead"):
        check_clock(memory_backend(), lambda: time.time() + 400.5)
