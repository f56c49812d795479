"""The limit of what a plan may expand to."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from voxk8s.plan.expansion_limit import (
    BYTES_PER_OPERATION,
    MOST,
    expansion_limit,
    set_expansion_limit,
)


@pytest.fixture(autouse=True)
def limit() -> Iterator[None]:
    """Restore the limit of this process."""
    yield
    set_expansion_limit(MOST * BYTES_PER_OPERATION)


@pytest.mark.parametrize(
    ("memory", "expected"),
    [(300 * 1024**2, 153_600), (2**50, MOST), (0, 1)],
)
def test_it_follows_the_memory(memory: int, expected: int) -> None:
    """A process with little memory allows fewer operations; none allows more than the usual."""
    set_expansion_limit(memory)
    assert expansion_limit() == expected
