"""A store that stopped answering while operations are computed: what a run says of it meanwhile."""

from __future__ import annotations

from collections.abc import Mapping

from voxk8s.api import Waiting
from voxk8s.constants import REASON_STORE_UNREACHABLE
from voxk8s.execution.events import (
    Event,
    OperationFailed,
    OperationFinished,
    OperationRetried,
    RunStarted,
)
from voxk8s.plan import ResultKey

_BLIPS = 2
"""So many tries of one operation may fail before anybody hears of it."""

Unanswered = Mapping[ResultKey, str]
"""Operations that ask the store again and again, and what it said last."""


def follow(unanswered: Unanswered, event: Event) -> Unanswered:
    """Give who asks the store again after an event; the same value where nothing changed."""
    match event:
        case RunStarted() if unanswered:
            return {}
        case OperationRetried(key=key, failure=failure) if (
            failure.reason == REASON_STORE_UNREACHABLE and failure.attempts > _BLIPS
        ):
            return {**unanswered, key: failure.message}
        case OperationRetried(key=key) | OperationFinished(key=key) | OperationFailed(key=key) if (
            key in unanswered
        ):
            return {other: text for other, text in unanswered.items() if other != key}
        case _:
            return unanswered


def in_words(unanswered: Unanswered) -> Waiting | None:
    """Say that the store is waited for; None where it answers."""
    if not unanswered:
        return None
    *_, message = unanswered.values()
    return Waiting(REASON_STORE_UNREACHABLE, message)
