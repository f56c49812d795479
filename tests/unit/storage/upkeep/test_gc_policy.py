"""Tests of what a collection chooses."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from voxk8s.storage.upkeep.gc_policy import Limits, choose
from voxk8s.storage.upkeep.inventory import BLOB, RESULT, Rows, pack, unpack

NOW = 1000.0
TIMES = st.integers(0, 1000).map(float)


def digest(number: int) -> bytes:
    """Return a digest; those of small numbers end with zero bytes, as some do."""
    return pack(f"{number + 1:02x}".ljust(64, "0"))


def rows_of_results(items: list[tuple[float, int | None, int]]) -> Rows:
    """Return rows of (last use, number of the blob, size)."""
    return np.array(
        [
            (digest(place), b"" if blob is None else digest(blob), used, size)
            for place, (used, blob, size) in enumerate(items)
        ],
        RESULT,
    )


def rows_of_blobs(items: list[tuple[float, int]]) -> Rows:
    """Return rows of (time of writing, size)."""
    rows = [(digest(place), size, modified) for place, (modified, size) in enumerate(items)]
    return np.array(rows, BLOB)


def test_digits_come_back_from_rows() -> None:
    """Zero bytes at the end are not lost."""
    for name in ("00" * 32, "ab" + "00" * 31, "00" * 31 + "01"):
        rows = np.array([(pack(name), 1, 0.0)], BLOB)
        assert unpack(rows["digest"][0]) == name


def test_oldest_go_until_the_size_is_reached() -> None:
    """A blob counts once, and goes when the last result that names it goes."""
    results = rows_of_results([(10, 0, 1), (30, 1, 1), (20, 0, 1)])
    blobs = rows_of_blobs([(5, 100), (5, 100)])
    choice = choose(results, blobs, Limits(max_bytes=150, grace=100), NOW)
    assert choice.results.tolist() == [0, 2]
    assert choice.blobs.tolist() == [0]
    assert choice.bytes_left == 101


def test_results_go_by_age() -> None:
    """What was not used for longer than the limit goes, exactly at the limit it stays."""
    results = rows_of_results([(500, None, 1), (499, None, 1), (900, None, 1)])
    choice = choose(results, rows_of_blobs([]), Limits(older_than=500, grace=100), NOW)
    assert choice.results.tolist() == [1]


@given(
    results=st.lists(
        st.tuples(TIMES, st.none() | st.integers(0, 7), st.integers(0, 50)), max_size=12
    ),
    blobs=st.lists(st.tuples(TIMES, st.integers(0, 50)), max_size=6),
    limits=st.builds(
        Limits,
        older_than=st.none() | TIMES,
        max_bytes=st.none() | st.integers(0, 300),
        grace=TIMES,
    ),
)
def test_nothing_young_and_nothing_named_goes(
    results: list[tuple[float, int | None, int]], blobs: list[tuple[float, int]], limits: Limits
) -> None:
    """What is young stays, and every blob of a result that stays; the oldest go first."""
    choice = choose(rows_of_results(results), rows_of_blobs(blobs), limits, NOW)
    going = set(choice.results.tolist())
    assert all(NOW - results[place][0] >= limits.grace for place in going)
    assert all(NOW - blobs[place][0] >= limits.grace for place in choice.blobs.tolist())
    named = {blob for place, (_, blob, _) in enumerate(results) if place not in going}
    assert not named & set(choice.blobs.tolist())
    left = sum(size for place, (_, _, size) in enumerate(results) if place not in going)
    left += sum(s for place, (_, s) in enumerate(blobs) if place not in set(choice.blobs.tolist()))
    assert choice.bytes_left == left
    if limits.max_bytes is None and limits.older_than is None:
        assert not going
    if going and limits.older_than is None:
        youngest = max(going, key=lambda place: results[place][0])
        assert limits.max_bytes is not None
        assert left <= limits.max_bytes or all(
            NOW - used < limits.grace
            for place, (used, _, _) in enumerate(results)
            if place not in going
        )
        assert results[youngest][0] <= min(
            (used for place, (used, _, _) in enumerate(results) if place not in going),
            default=NOW,
        )
