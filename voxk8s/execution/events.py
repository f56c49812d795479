"""What happens during a run, as frozen values; progress, metrics, logs and status listen."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeAlias

from voxk8s.failure import Failure
from voxk8s.plan import Goal, OperationId, ResultKey


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a run is, in operations.

    `total` is what the goals need with an empty store, constants not counted; `cached` of them the
    store held, and `skipped` lie below those and are not needed at all. `pending` and `running`
    still need work. What cannot run since something below it failed stays in `pending`.
    """

    total: int = 0
    cached: int = 0
    computed: int = 0
    failed: int = 0
    running: int = 0
    pending: int = 0
    skipped: int = 0

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
    """The store was asked what it holds; `width` operations can run side by side at most."""

    total: int
    cached: int
    to_compute: int
    width: int
    seconds: float


@dataclass(frozen=True, slots=True)
class OperationFinished:
    """One operation ended well; `bytes` is the size of its value in memory.

    `found` says that its result was read from the store after all, since another run was faster.
    """

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


@dataclass(frozen=True, slots=True)
class OperationRetried:
    """An attempt failed and another one follows."""

    key: ResultKey
    failure: Failure


@dataclass(frozen=True, slots=True)
class OperationWaits:
    """Another run, called `holder`, computes an operation at this moment: its result is read."""

    key: ResultKey
    operation: OperationId
    kernel: str
    holder: str


@dataclass(frozen=True, slots=True)
class OperationFailed:
    """One operation failed for good; goals above it fail with it.

    `key` is empty for an input that cannot be read, which has none.
    """

    key: ResultKey
    failure: Failure


@dataclass(frozen=True, slots=True)
class NonDeterminism:
    """An operation gave another value than the one that the store holds under its key."""

    key: ResultKey
    operation: OperationId
    kernel: str


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
    """A process that computed was lost; what it held is computed again."""

    message: str


@dataclass(frozen=True, slots=True)
class RunFinished:
    """A run is over."""

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
    | ProgressChanged
    | GoalReached
    | GoalFailed
    | WorkerRecovered
    | RunFinished
)
Listener: TypeAlias = Callable[[Event], None]
