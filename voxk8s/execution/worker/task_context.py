"""What the parts of a task share: its context, its clock and what it has to report."""

from __future__ import annotations

import random
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TypeAlias

from voxk8s.execution.outcome import Failed, Report, Status
from voxk8s.execution.worker import runtime
from voxk8s.execution.worker.runtime import RunSpec
from voxk8s.kernels import KernelRegistry
from voxk8s.storage import ResultStore
from voxk8s.values import Value

SlotValue: TypeAlias = "Value | Failed"


@dataclass(slots=True)
class Clock:
    """Time and chance, given so that tests can script them."""

    now: Callable[[], float] = time.time
    elapsed: Callable[[], float] = time.perf_counter
    sleep: Callable[[float], None] = runtime.sleep
    uniform: Callable[[], float] = random.random
    wait: Callable[[float], None] = time.sleep
    """Sleeps in a thread that stands aside already."""


@dataclass(slots=True)
class TaskContext:
    """The state of one task."""

    context: RunSpec
    store: ResultStore | None
    clock: Clock
    worker: str
    kernels: KernelRegistry
    reports: list[Report] = field(default_factory=list)
    flushed: float = 0.0
    unstored_seconds: float = 0.0
    """Seconds of this task whose results are not stored."""

    def flush(self) -> None:
        """Send the reports that there are."""
        runtime.send_reports(self.context.id, self.reports)
        self.reports = []
        self.flushed = self.clock.elapsed()


@dataclass(frozen=True, slots=True)
class StepResult:
    """A value and how it was got."""

    value: Value
    seconds: float
    status: Status
