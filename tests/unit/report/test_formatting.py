"""Numbers and texts for people."""

from __future__ import annotations

import pytest

from voxk8s.report import GraphNode, formatting


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0, "0 s"),
        (4.2e-5, "42 µs"),
        (0.00042, "420 µs"),
        (0.0009999, "1 ms"),
        (0.0123, "12.3 ms"),
        (0.9999, "1 s"),
        (12.34, "12.3 s"),
        (99.94, "99.9 s"),
        (99.99, "1 min 40 s"),
        (3599.4, "59 min 59 s"),
        (3599.6, "1 h 00 min"),
        (7391, "2 h 03 min"),
        (-1.5, "−1.5 s"),
    ],
)
def test_durations(seconds: float, text: str) -> None:
    """Three digits, in a unit that fits; workers' clocks may be behind."""
    assert formatting.duration(seconds) == text


@pytest.mark.parametrize(
    ("count", "text"),
    [(0, "0 B"), (1023, "1023 B"), (1024, "1 KiB"), (35 << 20, "35 MiB"), (3 << 40, "3 TiB")],
)
def test_sizes(count: int, text: str) -> None:
    """Bytes in powers of 1024."""
    assert formatting.size(count) == text


def test_moments_are_in_utc() -> None:
    """The same page everywhere."""
    assert formatting.moment(0) == "1970-01-01 00:00:00 UTC"


@pytest.mark.parametrize("when", [-1.0, 1e300, float("nan"), 253_402_300_800.0])
def test_moments_that_no_calendar_has(when: float) -> None:
    """A clock that was never set is no reason to have no page."""
    assert "after 1970" in formatting.moment(when)


def test_long_texts_lose_their_middle() -> None:
    """Both ends say most; a text that fits stays."""
    assert formatting.cut("abcdefghij", 5) == "ab…ij"
    assert formatting.cut("abcde", 5) == "abcde"


@pytest.mark.parametrize("before", range(0, 60, 5))
def test_no_part_of_a_password_is_shown(before: int) -> None:
    """Also where the middle of a text begins or ends within it."""
    text = f"{'y' * before} https://user:{'beef' * 4}@host/ {'z' * (60 - before)}"
    assert "beef" not in formatting.clean(formatting.cut(text, 60))


def test_a_box_says_first_what_went_wrong() -> None:
    """States without room are left out, those of failures last."""
    assert formatting.brief(GraphNode("k", computed=2, known=1)) == "2 computed, 1 known"
    most = GraphNode("k", computed=98, known=100, failed=1, skipped=12, rest=7)
    assert formatting.brief(most) == "1 failed, 12 skipped…"
    huge = GraphNode("k", computed=123_456_789, known=123_456_789)
    assert formatting.brief(huge) == "123456789 computed…"


def test_the_line_of_a_box_has_room() -> None:
    """It comes after the states, of which fewer are shown."""
    node = GraphNode("k", "a.imgql:4:7", computed=37, known=1, rest=217)
    assert formatting.brief(node) == "37 computed… · line 4"
    late = GraphNode("k", "a.imgql:123456:7", computed=123_456, known=1)
    assert formatting.brief(late) == "123456 computed… · line 123456"
