"""Turns: of several runs that need the same expensive operation, one computes and others wait.

Who computes holds a lease in the store, and whoever finds one reads the result when it is there. A
lease is only a hint: without it, when it is lost, or when the store does not answer, the operation
is computed. While a run waits it holds no lease of its own, so that runs cannot wait in a circle.
Nobody waits without end: a holder that does not finish in several times the expected time, or whose
lease is not renewed in time by the clock of who waits, loses it.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence

import numpy as np

from voxk8s.errors import StoreError
from voxk8s.execution.outcome import Report, Status
from voxk8s.execution.tasks.task import Step, StepKind
from voxk8s.execution.worker import runtime
from voxk8s.execution.worker.lease_renewer import lease_renewer
from voxk8s.execution.worker.task_context import TaskContext
from voxk8s.plan import ResultKey
from voxk8s.storage import MISS, Miss
from voxk8s.storage.lease import Holder, Lease
from voxk8s.values import Image, Value

logger = logging.getLogger(__name__)

WORTH_SECONDS = 0.5
"""What costs less is computed twice rather than to ask the store who computes it."""
LEAST_PAUSE_SECONDS = 0.5
MOST_PAUSE_SECONDS = 2.0
MIN_TIMEOUT_SECONDS = 600.0
"""So long one holder is waited for at least: what nobody has measured may take its time."""
PATIENCE = 4.0
"""A holder may take so many times as long as is expected, since its machine may be slower."""

_seconds: dict[str, float] = {}
"""What kernels have cost in this process: the last call, or half of the one before, if larger."""


def learn(step: Step, seconds: float) -> None:
    """Remember what an operation has cost."""
    if not step.cheap:
        _seconds[step.kernel] = max(seconds, _seconds.get(step.kernel, 0.0) / 2)


def is_worth(step: Step, arguments: Sequence[Value], work: TaskContext) -> bool:
    """Say whether an operation is one that others should wait for: dear, or nobody knows."""
    run = work.run
    if step.cheap or run.lease_seconds <= 0 or step.kind != StepKind.COMPUTE:
        return False
    if work.store is None or not (step.must_store or run.store_policy != "goals"):
        return False
    return expect(step, arguments, work) >= WORTH_SECONDS and lease_renewer.supports(work.store)


def expect(step: Step, arguments: Sequence[Value], work: TaskContext) -> float:
    """Say how many seconds an operation is likely to take."""
    measured = _seconds.get(step.kernel)
    if measured is not None:
        return measured
    hint = work.kernels.spec(step.kernel).cost
    return WORTH_SECONDS if hint is None else hint.estimate(_voxels(arguments))


class HolderTimeout:
    """How long one holder has been waited for, by the clock of who waits."""

    def __init__(self, elapsed: Callable[[], float], patience: float) -> None:
        self._elapsed = elapsed
        self._patience = patience
        self._holder: Holder | None = None
        self._since = self._renewed = 0.0

    def is_over(self, holder: Holder) -> bool:
        """Say of the holder that was seen just now whether it has had its time."""
        now = self._elapsed()
        if self._holder is None or holder.owner != self._holder.owner:
            self._since = now
        if holder != self._holder:
            self._renewed = now
        self._holder = holder
        silent = holder.seconds > 0 and now - self._renewed > holder.seconds
        return silent or now - self._since > self._patience


class ComputeLease:
    """The turn to compute one operation: `found` is its value if somebody else was first."""

    def __init__(self, step: Step, work: TaskContext, expected: float) -> None:
        """Expect the operation to take `expected` seconds."""
        self._step = step
        self._work = work
        self._patience = max(MIN_TIMEOUT_SECONDS, PATIENCE * expected)
        self._lease: Lease | None = None
        self.found: Value | Miss = MISS

    def __enter__(self) -> ComputeLease:
        """Wait until the value is there, or it is for us to compute it."""
        try:
            self._take()
        except StoreError as error:
            logger.debug("%s is computed without a lease: %s", self._step.kernel, error)
        return self

    def __exit__(self, *_: object) -> None:
        """Let others have their turn."""
        if self._lease is not None:
            lease_renewer.release(self._lease)

    def _take(self) -> None:
        work, step = self._work, self._step
        if work.store is None:
            return
        run = work.run
        lease = work.store.lease(
            step.key,
            # Another attempt of this very run has died, or is of no more use: no need to wait.
            run.lease_owner or run.id,
            seconds=run.lease_seconds,
            label=run.label,
        )
        holder = lease.acquire()
        if holder is not None:
            self._tell(holder.label or "another run")
            watch = HolderTimeout(work.clock.elapsed, self._patience)
            with runtime.seceded():
                while holder is not None:
                    over = watch.is_over(holder)
                    if not over:
                        self._pause(holder.until)
                    self.found = work.store.get(ResultKey(step.key))
                    if self.found is not MISS or runtime.is_cancelled(run.id):
                        return
                    holder = lease.acquire(holder if over else None)
                    if over and holder is None:
                        logger.warning("%s is computed here after all", step.kernel)
        self._lease = lease
        lease_renewer.hold(lease, run.lease_seconds)
        # Somebody may have stored it between the run's question and our turn.
        self.found = work.store.get(ResultKey(step.key))

    def _pause(self, until: float) -> None:
        spread = MOST_PAUSE_SECONDS - LEAST_PAUSE_SECONDS
        pause = LEAST_PAUSE_SECONDS + spread * self._work.clock.uniform()
        left = until - self._work.clock.now()
        self._work.clock.block(min(pause, max(left, 0.05)))

    def _tell(self, holder: str) -> None:
        work, step = self._work, self._step
        report = Report(step.key, Status.WAITING, step.kernel, holder=holder, worker=work.worker)
        work.reports.append(report)
        work.flush()


def _voxels(arguments: Sequence[Value]) -> int:
    arrays = (each.array if isinstance(each, Image) else each for each in arguments)
    return max((each.size for each in arrays if isinstance(each, np.ndarray)), default=0)
