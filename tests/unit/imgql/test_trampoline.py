"""Tests of the trampoline."""

from __future__ import annotations

import pytest

from voxk8s.imgql.trampoline import Trampolined, run


def _count(depth: int) -> Trampolined[int]:
    if depth == 0:
        return 0
    below: int = yield _count(depth - 1)
    return below + 1


def _fail(depth: int) -> Trampolined[int]:
    if depth == 0:
        raise ValueError("deep")
    below: int = yield _fail(depth - 1)
    return below


def test_calls_may_be_deeper_than_the_stack() -> None:
    """100,000 nested calls return."""
    assert run(_count(100_000)) == 100_000


def test_an_exception_ends_all_callers() -> None:
    """It leaves `run` as it was raised."""
    with pytest.raises(ValueError, match="deep"):
        run(_fail(3))
