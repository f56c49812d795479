"""The context of a task: what its run asks for, its clock and its pending reports."""

from __future__ import annotations

import math
import random
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import NamedTuple, TypeAlias

from voxk8s.execution.operation_reports import Failed, Report, Status
from voxk8s.execution.retry import RetryPolicy
from voxk8s.execution.tasks.task import StepRule
from voxk8s.execution.worker import runtime
from voxk8s.execution.worker.keeping import Budget, budget_of
from voxk8s.kernels import KernelRegistry, registry
from voxk8s.kernels.kernel_spec import KernelFunction
from voxk8s.storage import ResultStore
from voxk8s.values import Value

SlotValue: TypeAlias = "Value | Failed"


@dataclass(frozen=True, slots=True)
class RunSpec:
    """The options of a run that its tasks need; each task carries them, so they are small.

    `store` travels with the task and is opened once per process, by its `store_token`; None stands
    for the store that the driver has registered in this process. `looked_up_at` is when the run
    last asked the store what it holds, in seconds since the epoch. `lease_seconds` is how long
    other runs wait for a run that died; 0 for a run without leases. `lease_owner` is the same in
    all attempts of a WorkPlan; `label` is what runs that wait for this one call it. At most
    `store_bytes` are stored beside goals, of which the driver knew `kept_bytes` when it sent the
    task.
    """

    id: str
    store_token: str
    store: ResultStore | None
    reads: bool
    writes: bool
    replaces: bool
    store_policy: str
    retry: RetryPolicy
    looked_up_at: float
    run_folder: str | None = None
    lease_seconds: float = 0.0
    lease_owner: str = ""
    label: str = ""
    store_bytes: float = math.inf
    kept_bytes: int = 0

    def shared_store(self) -> ResultStore | None:
        """Return this process's handle of the run's store; None when it has none."""
        return runtime.shared_store(self.store_token, self.store)


@dataclass(slots=True)
class Clock:
    """Time and randomness of a task; tests pass their own."""

    now: Callable[[], float] = time.time
    elapsed: Callable[[], float] = time.perf_counter
    sleep: Callable[[float], None] = runtime.sleep
    uniform: Callable[[], float] = random.random
    block: Callable[[float], None] = time.sleep
    """Sleeps without releasing the worker's thread to other tasks."""
    cpu: Callable[[], float] = time.thread_time


@dataclass(slots=True)
class TaskContext:
    """The state of one task."""

    run: RunSpec
    store: ResultStore | None
    clock: Clock
    worker: str
    kernels: KernelRegistry
    budget: Budget
    reports: list[Report] = field(default_factory=list)
    reported_bytes: int = 0
    """The bytes of values and messages in these reports."""
    flushed_at: float = 0.0
    _functions: dict[int, tuple[KernelFunction, bool]] = field(default_factory=dict)
    """By the identity of rules, which the task holds."""

    @classmethod
    def create(cls, run: RunSpec, clock: Clock | None = None) -> TaskContext:
        """Return the context of a task of this process."""
        clock = clock or Clock()
        context = cls(
            run, run.shared_store(), clock, runtime.worker_name(), registry(), budget_of(run.id)
        )
        context.flushed_at = clock.elapsed()
        return context

    def function(self, rule: StepRule) -> tuple[KernelFunction, bool]:
        """Return the function of a rule's kernel, and whether it is one of voxk8s.

        Raises KernelVersionMismatch if the kernel has another version in this process. It is looked
        up once for all steps of the task that have the rule.
        """
        found = self._functions.get(id(rule))
        if found is None:
            self.kernels.require_version(rule.kernel, rule.version)
            is_own = isinstance(self.kernels.spec(rule.kernel).implementation, str)
            found = self._functions[id(rule)] = (self.kernels.function(rule.kernel), is_own)
        return found

    def report(self, report: Report) -> None:
        """Add a report to those that the next flush sends."""
        self.reports.append(report)
        self.reported_bytes += report.payload_bytes

    def flush(self) -> None:
        """Send the pending reports, and what happened at the store, to the driver."""
        runtime.send_reports(self.run.id, self.reports, self.store)
        self.reports = []
        self.reported_bytes = 0
        self.flushed_at = self.clock.elapsed()


class StepResult(NamedTuple):
    """The value of a step, the seconds it took, and whether it was computed or found.

    `voxels`, `not_finite` and `cpu_seconds` are those of its report.
    """

    value: Value
    seconds: float
    status: Status
    voxels: int = 0
    not_finite: str = ""
    cpu_seconds: float = 0.0
