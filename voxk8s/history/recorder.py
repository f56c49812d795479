"""A listener that records what a report needs beyond the result of a run."""

from __future__ import annotations

from collections import Counter
from operator import attrgetter
from typing import Final

from voxk8s import report
from voxk8s.execution import events
from voxk8s.plan import OperationId
from voxk8s.report.totals import by_kernel

MOST_OPERATIONS: Final = 100_000
"""Largest number of operations kept one by one; about 200 bytes each."""
_MOST_NOTES: Final = 1000


class Recorder:
    """Records operations and incidents of a run in bounded memory.

    It may listen to several attempts of one run. Beyond `most` operations, the shorter ones are
    only kept as totals by kernel.
    """

    def __init__(self, most: int = MOST_OPERATIONS) -> None:
        """Keep at most `most` operations one by one."""
        self._most = most
        self._finished: list[events.OperationFinished] = []
        self._failed: dict[OperationId, events.OperationFailed] = {}
        self._incidents: Counter[tuple[str, str]] = Counter()
        self.folded: tuple[report.KernelTotal, ...] = ()
        """Totals of the operations that are not kept."""
        self.started: float | None = None
        """When the first attempt began, in seconds since the epoch."""
        self.continued = 0.0
        """Seconds from there to the start of the last attempt."""

    def __call__(self, event: events.Event) -> None:
        """Record an event."""
        match event:
            case events.OperationFinished():
                self._finished.append(event)
                if len(self._finished) > self._most:
                    self._fold()
            case events.OperationFailed() if event.failure.kernel and event.started:
                if len(self._failed) < _MOST_NOTES:
                    self._failed[event.failure.operation] = event
            case events.OperationRetried():
                what = f"{event.failure.kernel} failed and was tried again"
                self._note(what, event.failure.cause)
            case events.OperationWaits():
                self._note(f"{event.kernel} was waited for", f"{event.holder} computed it")
            case events.WorkerRecovered():
                self._note("a worker was lost", event.message)
            case events.KernelChanged():
                self._note(f"{event.kernel} changed under version {event.version}", str(event))
            case events.RunStarted():
                self._begin(event.time)
            case _:
                pass

    def operations(self) -> tuple[report.Operation, ...]:
        """Return the operations that were kept."""
        finished = {each.operation for each in self._finished} if self._failed else set()
        failed = (_failed(each) for name, each in self._failed.items() if name not in finished)
        return (*map(_operation, self._finished), *failed)

    def incidents(self) -> tuple[report.Incident, ...]:
        """Return the incidents, in the order of their first occurrence."""
        return tuple(
            report.Incident(what, message, count)
            for (what, message), count in self._incidents.items()
        )

    def _begin(self, time: float) -> None:
        if self.started is None:
            self.started = time
            return
        self.continued = time - self.started
        self._note(
            "the run was restarted from the store", "results of earlier attempts count as known"
        )

    def _note(self, what: str, message: str) -> None:
        if (what, message) not in self._incidents and len(self._incidents) >= _MOST_NOTES:
            what, message = "further incidents", ""
        self._incidents[what, message] += 1

    def _fold(self) -> None:
        self._finished.sort(key=attrgetter("seconds"), reverse=True)
        kept = self._most // 2
        self.folded = by_kernel(map(_operation, self._finished[kept:]), self.folded)
        del self._finished[kept:]


def _failed(event: events.OperationFailed) -> report.Operation:
    return report.Operation(
        event.failure.operation,
        event.failure.kernel,
        event.started,
        event.seconds,
        worker=event.worker,
        attempts=event.failure.attempts,
        failed=True,
    )


def _operation(event: events.OperationFinished) -> report.Operation:
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
        cpu_seconds=event.cpu_seconds,
    )
