"""Short texts for terminals."""

from __future__ import annotations

import pytest

from voxk8s.cli.terminal_text import cut, elapsed, size_text


@pytest.mark.parametrize(
    ("size", "text"),
    [
        (0, "0 bytes"),
        (1023, "1,023 bytes"),
        (1536, "1.5 KiB"),
        (5 << 30, "5.0 GiB"),
        (3 << 50, "3,072.0 TiB"),
    ],
)
def test_sizes_have_binary_units(size: float, text: str) -> None:
    """From bytes to TiB."""
    assert size_text(size) == text


@pytest.mark.parametrize(
    ("seconds", "text"), [(7.9, "7 s"), (60, "1:00"), (125, "2:05"), (3609, "1:00:09")]
)
def test_times_are_as_clocks_show_them(seconds: float, text: str) -> None:
    """Seconds, minutes, hours."""
    assert elapsed(seconds) == text


@pytest.mark.parametrize(("columns", "text"), [(5, "abcde"), (4, "abc…"), (1, "…"), (0, "…")])
def test_a_line_is_cut_to_its_columns(columns: int, text: str) -> None:
    """An ellipsis says that there is more."""
    assert cut("abcde", columns) == text
