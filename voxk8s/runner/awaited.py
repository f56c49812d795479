"""Operations that other runs compute at this moment: what a run says while it waits for them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping

from voxk8s.execution.events import (
    Event,
    OperationFailed,
    OperationFinished,
    OperationWaits,
    RunStarted,
)
from voxk8s.plan import ResultKey

_SHOWN = 3
"""Operations that are named; of more, how many there are says enough."""

Awaited = Mapping[ResultKey, OperationWaits]
"""What is waited for, by its result key."""


def follow(awaited: Awaited, event: Event) -> Awaited:
    """Give what is waited for after an event; the same value where nothing changed."""
    match event:
        case RunStarted() if awaited:
            return {}
        case OperationWaits(key=key):
            return {**awaited, key: event}
        case OperationFinished(key=key) | OperationFailed(key=key) if key in awaited:
            return {other: waits for other, waits in awaited.items() if other != key}
        case _:
            return awaited


def in_words(awaited: Awaited) -> str:
    """Say who computes what is waited for; empty where nothing is."""
    found = Counter((waits.holder, waits.kernel) for waits in awaited.values())
    named = [
        f"{holder} computes {kernel}" + (f" ({count} times)" if count > 1 else "")
        for (holder, kernel), count in sorted(found.items())
    ]
    if not named:
        return ""
    more = [f"{len(named) - _SHOWN} more"] if len(named) > _SHOWN else []
    listed = ", ".join([*named[:_SHOWN], *more])
    return f"Results that other runs compute at this moment are waited for: {listed}."
