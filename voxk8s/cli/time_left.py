"""The time that a run is expected to take, for people."""

from __future__ import annotations

from typing import Final

_UNITS: Final = ((86_400, "d"), (3600, "h"), (60, "min"))


def time_left(seconds: float | None) -> str:
    """Return `about 2 min left`; nothing if it is not known or nearly over.

    It is as precise as an estimate can be: two digits at most.
    """
    if seconds is None or seconds < 1:
        return ""
    for size, unit in _UNITS:
        if seconds >= 1.5 * size:
            count = seconds / size
            return f"about {count:.0f} {unit} left"
    if seconds >= 10:
        return f"about {5 * round(seconds / 5)} s left"
    return f"about {seconds:.0f} s left"
