"""Shared work: of several runs that need the same expensive operation, one computes it.

The run that computes holds a lease in the store; the others wait and read its result. A lease is
only a hint: without one, when it is lost, or when the store does not answer, the operation is
computed. A run that waits holds no lease itself, so there is no deadlock. The wait is bounded: a
holder that takes several times the expected time, or does not renew its lease in time by the clock
of the run that waits, loses it.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from typing import Final

from voxk8s.errors import StoreError
from voxk8s.execution.inline_values import most_voxels
from voxk8s.execution.operation_reports import Report, Status
from voxk8s.execution.tasks.task import Step, StepKind
from voxk8s.execution.worker import runtime
from voxk8s.execution.worker.lease_renewer import lease_renewer
from voxk8s.execution.worker.task_context import TaskContext
from voxk8s.plan import ResultKey
from voxk8s.storage import MISS, Miss
from voxk8s.storage.lease import Holder, Lease
from voxk8s.values import Value

logger = logging.getLogger(__name__)

MIN_SHARED_SECONDS: Final = 0.5
"""Computing a shorter operation twice costs less than a lease."""
MIN_POLL_SECONDS: Final = 0.5
MAX_POLL_SECONDS: Final = 2.0
MIN_TIMEOUT_SECONDS = 600.0
"""A holder has at least this long; the cost of an operation may be unknown."""
TIMEOUT_FACTOR: Final = 4.0
"""A holder may take this many times the expected time, since its machine may be slower."""

_seconds: Final[dict[str, float]] = {}
"""Cost of each kernel in this process: its last call, or half of the value before, if larger."""


def record_seconds(step: Step, seconds: float) -> None:
    """Record how long the kernel of a step took."""
    if not step.rule.cheap:
        _seconds[step.rule.kernel] = max(seconds, _seconds.get(step.rule.kernel, 0.0) / 2)


def expected_seconds(step: Step, arguments: Sequence[Value], context: TaskContext) -> float:
    """Return the expected cost of a step: measured here, else that of its plan or of a hint."""
    measured = _seconds.get(step.rule.kernel)
    if measured is not None:
        return measured
    if step.rule.seconds > 0:
        return step.rule.seconds
    hint = context.kernels.spec(step.rule.kernel).cost
    return MIN_SHARED_SECONDS if hint is None else hint.estimate(most_voxels(arguments))


def lease_for(step: Step, arguments: Sequence[Value], context: TaskContext) -> ComputeLease | None:
    """Return a lease for a step whose result other runs should wait for, else None.

    These are the expensive ones, and those of unknown cost, whose results may be stored.
    """
    run, store = context.run, context.store
    if (
        step.rule.cheap
        or run.lease_seconds <= 0
        or step.rule.kind != StepKind.COMPUTE
        or store is None
    ):
        return None
    if not step.rule.must_store and run.store_policy == "goals":
        return None
    seconds = expected_seconds(step, arguments, context)
    if seconds < MIN_SHARED_SECONDS or not lease_renewer.supports(store):
        return None
    return ComputeLease(step, context, seconds)


class HolderTimeout:
    """Whether a holder has had its time, by the clock of the run that waits.

    It is exceeded when the lease was not renewed in the seconds for which it is valid, or when one
    holder was waited for longer than `timeout` seconds.
    """

    def __init__(self, elapsed: Callable[[], float], timeout: float) -> None:
        self._elapsed = elapsed
        self._timeout = timeout
        self._holder: Holder | None = None
        self._since = self._renewed = 0.0

    def is_exceeded(self, holder: Holder) -> bool:
        """Record the holder that was read just now; whether it has exceeded its time."""
        now = self._elapsed()
        if self._holder is None or holder.owner != self._holder.owner:
            self._since = now
        if holder != self._holder:
            self._renewed = now
        self._holder = holder
        is_expired = holder.seconds > 0 and now - self._renewed > holder.seconds
        return is_expired or now - self._since > self._timeout


class ComputeLease:
    """The lease to compute one operation, as a context manager.

    On entry it waits until the result is there, which is then `found`, or until the lease is
    acquired; on exit the lease is released.
    """

    def __init__(self, step: Step, context: TaskContext, expected_seconds: float) -> None:
        self._step = step
        self._context = context
        self._timeout = max(MIN_TIMEOUT_SECONDS, TIMEOUT_FACTOR * expected_seconds)
        self._lease: Lease | None = None
        self.found: Value | Miss = MISS

    def __enter__(self) -> ComputeLease:
        """Acquire the lease, or wait for the result of its holder."""
        try:
            self._acquire()
        except StoreError as error:
            logger.debug("%s is computed without a lease: %s", self._step.rule.kernel, error)
        return self

    def __exit__(self, *_: object) -> None:
        """Release the lease."""
        if self._lease is not None:
            lease_renewer.release(self._lease)

    def _acquire(self) -> None:
        context, step, run = self._context, self._step, self._context.run
        if context.store is None:
            return
        lease = context.store.lease(
            step.key,
            # A lease that an earlier attempt of this run left behind does not delay this attempt.
            run.lease_owner or run.id,
            seconds=run.lease_seconds,
            label=run.label,
        )
        holder = lease.acquire()
        if holder is not None:
            self._report_waiting(holder.label or "another run")
            timeout = HolderTimeout(context.clock.elapsed, self._timeout)
            with runtime.seceded():
                while holder is not None:
                    is_exceeded = timeout.is_exceeded(holder)
                    if not is_exceeded:
                        self._pause(holder.until)
                    self.found = context.store.get(ResultKey(step.key))
                    if self.found is not MISS or runtime.is_cancelled(run.id):
                        return
                    holder = lease.acquire(holder if is_exceeded else None)
                    if is_exceeded and holder is None:
                        logger.warning(
                            "%s takes too long elsewhere, it is computed here", step.rule.kernel
                        )
        self._lease = lease
        lease_renewer.hold(lease, run.lease_seconds)
        # Another run may have stored the result after this run's lookup.
        self.found = context.store.get(ResultKey(step.key))

    def _pause(self, until: float) -> None:
        spread = MAX_POLL_SECONDS - MIN_POLL_SECONDS
        pause = MIN_POLL_SECONDS + spread * self._context.clock.uniform()
        left = until - self._context.clock.now()
        self._context.clock.block(min(pause, max(left, 0.05)))

    def _report_waiting(self, holder: str) -> None:
        context, step = self._context, self._step
        report = Report(
            step.key, Status.WAITING, step.rule.kernel, holder=holder, worker=context.worker
        )
        context.report(report)
        context.flush()
