"""Events of a run, as frozen values; progress, history, log and status are listeners."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeAlias

import msgspec

from voxk8s.failure import Failure
from voxk8s.plan import Goal, OperationId, ResultKey


@dataclass(frozen=True, slots=True)
class Progress:
    """The progress of a run, in operations.

    `total` is what the goals need with an empty store, constants not counted; `cached` of them the
    store held, and `skipped` lie below those and are not needed at all. `pending` and `running`
    still need work. Operations that depend on a failed one stay in `pending`. `seconds_left` is the
    expected time until all operations have ended; None if some are not planned yet, or nothing is
    known of their costs.
    """

    total: int = 0
    cached: int = 0
    computed: int = 0
    failed: int = 0
    running: int = 0
    pending: int = 0
    skipped: int = 0
    seconds_left: float | None = None

    @property
    def done(self) -> int:
        """Operations that need no more work."""
        return self.cached + self.skipped + self.computed


@dataclass(frozen=True, slots=True)
class RunStarted:
    """A plan was accepted; `time` is in seconds since the epoch."""

    run: str
    goals: int
    time: float


@dataclass(frozen=True, slots=True)
class PlanResolved:
    """Known results were looked up; at most `width` operations can run in parallel."""

    total: int
    cached: int
    to_compute: int
    width: int
    seconds: float


class OperationFinished(msgspec.Struct, frozen=True, gc=False):
    """An operation succeeded; `bytes` is the size of its value in memory.

    `found` says that its result was read from the store, since another run was faster.
    `cpu_seconds` is the processor time of the thread that computed it.
    """

    # A run makes one for each operation, so it is of a kind that is made quickly.

    key: ResultKey
    operation: OperationId
    kernel: str
    seconds: float
    attempts: int
    started: float
    bytes: int
    stored: bool
    worker: str
    found: bool = False
    cpu_seconds: float = 0.0


@dataclass(frozen=True, slots=True)
class OperationRetried:
    """An attempt failed and another one follows."""

    key: ResultKey
    failure: Failure


@dataclass(frozen=True, slots=True)
class OperationWaits:
    """Another run, called `holder`, is computing an operation; its result will be read."""

    key: ResultKey
    operation: OperationId
    kernel: str
    holder: str


@dataclass(frozen=True, slots=True)
class OperationFailed:
    """An operation failed for good; goals that depend on it fail with it.

    `key` is empty for an input that cannot be read, which has none. `started` is 0 where no worker
    has begun it.
    """

    key: ResultKey
    failure: Failure
    seconds: float = 0.0
    started: float = 0.0
    worker: str = ""


@dataclass(frozen=True, slots=True)
class NonDeterminism:
    """An operation returned a value that differs from the stored one of the same key.

    `failed`: it has none, since it or one that it depends on failed for good.
    """

    key: ResultKey
    operation: OperationId
    kernel: str
    failed: bool = False


@dataclass(frozen=True, slots=True)
class KernelChanged:
    """The code of a kernel differs from that of stored results of the same version."""

    kernel: str
    version: int

    def __str__(self) -> str:
        """Return what happened and what to do."""
        return (
            f"kernel {self.kernel} changed under version {self.version}; its stored results are"
            " those of the earlier code: raise the version, or run"
            f" `voxk8s store invalidate --kernel {self.kernel}`"
        )


@dataclass(frozen=True, slots=True)
class ProgressChanged:
    """The counts of a run changed."""

    progress: Progress


@dataclass(frozen=True, slots=True)
class GoalReached:
    """A goal has its result."""

    goal: Goal
    key: ResultKey


@dataclass(frozen=True, slots=True)
class GoalFailed:
    """A goal has no result."""

    goal: Goal
    failure: Failure


@dataclass(frozen=True, slots=True)
class WorkerRecovered:
    """A worker died; the values that it held are recomputed."""

    message: str


@dataclass(frozen=True, slots=True)
class RunFinished:
    """A run has ended."""

    run: str
    success: bool
    seconds: float
    progress: Progress


Event: TypeAlias = (
    RunStarted
    | PlanResolved
    | OperationFinished
    | OperationRetried
    | OperationWaits
    | OperationFailed
    | NonDeterminism
    | KernelChanged
    | ProgressChanged
    | GoalReached
    | GoalFailed
    | WorkerRecovered
    | RunFinished
)
Listener: TypeAlias = Callable[[Event], None]
