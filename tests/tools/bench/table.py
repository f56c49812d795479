"""A table of measurements: what was measured, against what, and the ratio."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Row:
    """One measurement in seconds beside its peer, measured in the same run.

    `mark` is the goal in seconds, where there is one.
    """

    what: str
    seconds: float
    peer: str = ""
    peer_seconds: float | None = None
    mark: float | None = None


def show(title: str, rows: Sequence[Row]) -> None:
    """Print the rows under a title."""
    print(f"\n{title}")
    print(f"{'what':<44} {'here':>10} {'peer':>10} {'ratio':>7} {'goal':>9}  peer is")
    for row in rows:
        peer = _time(row.peer_seconds)
        ratio = f"{row.seconds / row.peer_seconds:.2f}" if row.peer_seconds else ""
        print(
            f"{row.what:<44} {_time(row.seconds):>10} {peer:>10} {ratio:>7}"
            f" {_time(row.mark):>9}  {row.peer}"
        )


def _time(seconds: float | None) -> str:
    if seconds is None:
        return ""
    for unit, size in (("s", 1.0), ("ms", 1e-3), ("us", 1e-6)):
        if seconds >= size:
            return f"{seconds / size:.2f} {unit}"
    return f"{seconds / 1e-9:.0f} ns"


def median(call: Callable[[], object], rounds: int = 5) -> float:
    """Return the median of the seconds that `call` takes."""
    times = []
    for _ in range(rounds):
        start = time.perf_counter()
        call()
        times.append(time.perf_counter() - start)
    return statistics.median(times)
