"""Operations that wait for other runs or for the store, as `status.waiting` reports them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import TypeVar

from voxk8s.api.status import Waiting
from voxk8s.constants import REASON_PROGRESSING, REASON_STORE_UNREACHABLE
from voxk8s.execution import events
from voxk8s.execution.events import Event
from voxk8s.plan import ResultKey

_V = TypeVar("_V")

_SHOWN = 3
"""Number of kernels that a message names; of the others it has only the number."""
_TOLERATED_RETRIES = 2
"""Failed attempts of an operation before an unreachable store is reported."""


@dataclass(frozen=True, slots=True)
class BlockedOperations:
    """Operations that wait at the moment, by result key.

    `by_run` are computed by other runs. `by_store` cannot reach the store; with its last message.
    """

    by_run: Mapping[ResultKey, events.OperationWaits] = field(default_factory=dict)
    by_store: Mapping[ResultKey, str] = field(default_factory=dict)

    def after(self, event: Event) -> BlockedOperations:
        """Return the blocked operations after an event; `self` if nothing changed."""
        match event:
            case events.RunStarted():
                return BlockedOperations()
            case events.OperationWaits(key=key):
                return replace(self, by_run={**self.by_run, key: event})
            case events.OperationRetried(key=key, failure=failure) if (
                failure.reason == REASON_STORE_UNREACHABLE and failure.attempts > _TOLERATED_RETRIES
            ):
                return replace(self, by_store={**self.by_store, key: failure.message})
            case events.OperationRetried(key=key) if key in self.by_store:
                return replace(self, by_store=_without(self.by_store, key))
            case events.OperationFinished(key=key) | events.OperationFailed(key=key) if (
                key in self.by_run or key in self.by_store
            ):
                return BlockedOperations(_without(self.by_run, key), _without(self.by_store, key))
            case _:
                return self

    def waiting(self) -> Waiting | None:
        """Return what the operations wait for; an unreachable store takes precedence."""
        if self.by_store:
            *_, message = self.by_store.values()
            return Waiting(REASON_STORE_UNREACHABLE, message)
        if self.by_run:
            return Waiting(REASON_PROGRESSING, self._describe_runs())
        return None

    def _describe_runs(self) -> str:
        found = Counter((waits.holder, waits.kernel) for waits in self.by_run.values())
        named = [
            f"{holder} computes {kernel}" + (f" ({count} times)" if count > 1 else "")
            for (holder, kernel), count in sorted(found.items())
        ]
        more = [f"{len(named) - _SHOWN} more"] if len(named) > _SHOWN else []
        return f"Waiting for results of other runs: {', '.join([*named[:_SHOWN], *more])}."


def _without(mapping: Mapping[ResultKey, _V], key: ResultKey) -> Mapping[ResultKey, _V]:
    return {other: value for other, value in mapping.items() if other != key}
