"""The time left of a run, for people."""

from __future__ import annotations

import pytest

from voxk8s.cli.time_left import time_left


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (None, ""),
        (0.4, ""),
        (4.2, "about 4 s left"),
        (42.0, "about 40 s left"),
        (88.0, "about 90 s left"),
        (130.0, "about 2 min left"),
        (5000.0, "about 83 min left"),
        (9000.0, "about 2 h left"),
        (400_000.0, "about 5 d left"),
    ],
)
def test_it_is_as_precise_as_an_estimate_can_be(seconds: float | None, text: str) -> None:
    """Seconds, minutes, hours or days, without digits that mean nothing."""
    assert time_left(seconds) == text
