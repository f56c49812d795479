"""A listener that keeps what a report needs and a result does not have."""

from __future__ import annotations

from collections import Counter
from operator import attrgetter
from typing import Final

from voxk8s import report
from voxk8s.execution.events import (
    Event,
    OperationFinished,
    OperationRetried,
    OperationWaits,
    RunStarted,
    WorkerRecovered,
)
from voxk8s.report.totals import by_kernel

MOST_OPERATIONS: Final = 100_000
"""Operations that are kept one by one; some 200 bytes each."""
_MOST_NOTES: Final = 1000


class Recorder:
    """Keeps operations, and what went wrong on the way, in bounded memory.

    It may listen to several attempts of one run. When there are more than `most` operations the
    shorter ones are summed by kernel.
    """

    def __init__(self, most: int = MOST_OPERATIONS) -> None:
        """Keep at most `most` operations one by one."""
        self._most = most
        self._finished: list[OperationFinished] = []
        self._incidents: Counter[tuple[str, str]] = Counter()
        self.folded: tuple[report.KernelTotal, ...] = ()
        """Sums of the operations that are not kept."""
        self.started: float | None = None
        """When the first attempt began, in seconds since the epoch."""
        self.continued = 0.0
        """Seconds from there to the start of the last one."""

    def __call__(self, event: Event) -> None:
        """Take note of an event."""
        match event:
            case OperationFinished():
                self._finished.append(event)
                if len(self._finished) > self._most:
                    self._fold()
            case OperationRetried():
                what = f"{event.failure.kernel} failed and was tried again"
                self._note(what, event.failure.cause)
            case OperationWaits():
                self._note(f"{event.kernel} was waited for", f"{event.holder} computed it")
            case WorkerRecovered():
                self._note("a worker was lost", event.message)
            case RunStarted():
                self._begin(event.time)
            case _:
                pass

    def operations(self) -> tuple[report.Operation, ...]:
        """Give the operations that were kept."""
        return tuple(map(_operation, self._finished))

    def incidents(self) -> tuple[report.Incident, ...]:
        """Give what went wrong on the way, in the order in which it first did."""
        return tuple(
            report.Incident(what, message, count)
            for (what, message), count in self._incidents.items()
        )

    def _begin(self, time: float) -> None:
        if self.started is None:
            self.started = time
            return
        self.continued = time - self.started
        self._note("the run began again, from the store", "what it had computed counts as known")

    def _note(self, what: str, message: str) -> None:
        if (what, message) not in self._incidents and len(self._incidents) >= _MOST_NOTES:
            what, message = "more of the kind", ""
        self._incidents[what, message] += 1

    def _fold(self) -> None:
        self._finished.sort(key=attrgetter("seconds"), reverse=True)
        kept = self._most // 2
        self.folded = by_kernel(map(_operation, self._finished[kept:]), self.folded)
        del self._finished[kept:]


def _operation(event: OperationFinished) -> report.Operation:
    return report.Operation(
        event.operation,
        event.kernel,
        event.started,
        event.seconds,
        event.bytes,
        event.worker,
        event.attempts,
        event.stored,
        event.found,
    )
