"""Tests of the settings of the allocator."""

from __future__ import annotations

import ctypes

import pytest

from voxk8s.kernels.allocator import KEPT_BYTES, LARGEST_KEPT_BYTES, keep_freed_memory


class _Library:
    def __init__(self) -> None:
        self.calls: list[tuple[int, int]] = []

    def mallopt(self, parameter: int, value: int) -> int:
        """Record the call; report success."""
        self.calls.append((parameter, value))
        return 1


def test_the_thresholds_of_glibc_are_set(monkeypatch: pytest.MonkeyPatch) -> None:
    """Large arrays come from the heap, which keeps its freed memory."""
    library = _Library()
    monkeypatch.setattr(ctypes, "CDLL", lambda _: library)
    assert keep_freed_memory.__wrapped__()
    assert library.calls == [(-3, LARGEST_KEPT_BYTES), (-1, KEPT_BYTES)]


def test_other_allocators_are_left_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without mallopt nothing is changed."""
    monkeypatch.setattr(ctypes, "CDLL", lambda _: object())
    assert not keep_freed_memory.__wrapped__()
