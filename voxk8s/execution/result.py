"""The result of a run: values of goals by name, failures, counts and metrics."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from voxk8s.describe import as_line
from voxk8s.execution.events import Progress
from voxk8s.failure import Failure
from voxk8s.not_finite import NotFinite
from voxk8s.plan import Goal, KeyGraph, OperationId, ResultKey
from voxk8s.storage import Counts
from voxk8s.values import Value

Loader = Callable[[], Value]


@dataclass(frozen=True, slots=True)
class OperationMetrics:
    """The cost of one operation; `bytes` is the size of its value in memory.

    `geometry` describes an image that was loaded. `cpu_seconds` is the processor time of the thread
    that computed it: what other threads and processes did for it, such as decoding an input, is not
    in it.
    """

    kernel: str
    seconds: float = 0.0
    attempts: int = 1
    bytes: int = 0
    cached: bool = False
    stored: bool = False
    started: float = 0.0
    worker: str = ""
    failed: bool = False
    geometry: str = ""
    cpu_seconds: float = 0.0


@dataclass(frozen=True, slots=True)
class KernelTotals:
    """The work of one kernel in a run.

    `computed` operations took `seconds` in all; their values have `bytes` in memory. The results of
    `found` ones were in the store.
    """

    computed: int = 0
    found: int = 0
    failed: int = 0
    seconds: float = 0.0
    bytes: int = 0


@dataclass(frozen=True, slots=True)
class GoalOutcome:
    """The outcome of one goal.

    `value` is there for plain small values only; `load()` gives any value. `digest` and `size` are
    of the stored bytes, of the file itself for a `save`, whose blob is at `url`. `path` is where a
    file was written by this process. `cached` says that nothing was computed for it. `failure` says
    why a goal failed. `not_finite` is what the value, or the image in a file, has in it: `NaN`, `an
    infinity` or nothing.
    """

    goal: Goal
    operation: OperationId
    key: ResultKey | None = None
    value: Value = None
    has_value: bool = False
    text: str = ""
    digest: str = ""
    size: int = 0
    media_type: str = ""
    url: str = ""
    path: Path | None = None
    cached: bool = False
    failure: Failure | None = None
    not_finite: str = ""
    loader: Loader | None = field(default=None, repr=False, compare=False)

    @property
    def succeeded(self) -> bool:
        """Whether the goal has its result."""
        return self.failure is None

    @property
    def error(self) -> str | None:
        """Why the goal has no result, in one line; None when it has one."""
        return None if self.failure is None else str(self.failure)

    @property
    def transient(self) -> bool:
        """Whether another run may reach a goal that failed."""
        return self.failure is not None and self.failure.transient

    def load(self) -> Value:
        """Return the value, reading it from the store if needed; raises KeyError for a failure."""
        if self.failure is not None:
            raise KeyError(self.goal.name)
        if self.has_value or self.loader is None:
            return self.value
        return self.loader()

    def line(self) -> str:
        """Return the value as `print` shows it; large values by a description."""
        if self.text:
            return self.text
        return as_line(self.load())


@dataclass(frozen=True, slots=True)
class SkippedItem:
    """An item that a loop went on without, by its position or its value, and why it failed."""

    item: str
    failure: Failure

    def __str__(self) -> str:
        return f"{self.item} is skipped: {self.failure}"


@dataclass(frozen=True, slots=True, eq=False)
class ExecutionResult(Mapping[str, Value]):
    """Goal name -> value, in the order of the goals; failed goals are absent.

    Where names repeat the last goal wins; `goals` lists all. Large values are read from the store
    on each access: the result itself stays small. `store` is what this process and the workers did
    at the store until the run's end; if several runs share a process at the same time, the counts
    of each are approximate, and their sum is right. `kernels` are the totals by kernel, that with
    the most seconds first. `skipped` are the items that loops went on without. `not_finite` are the
    goals with NaN or infinities in them.
    `graph` is what was run, with loops expanded as far as they were known at the end; `by_key`
    has the metrics of its operations.
    """

    goals: tuple[GoalOutcome, ...]
    failures: tuple[Failure, ...]
    progress: Progress
    metrics: Mapping[OperationId, OperationMetrics]
    execution_time: float
    nondeterministic: tuple[OperationId, ...] = ()
    cancelled: bool = False
    store: Counts = field(default_factory=Counts)
    kernels: Mapping[str, KernelTotals] = field(default_factory=dict)
    skipped: tuple[SkippedItem, ...] = ()
    not_finite: tuple[NotFinite, ...] = ()
    graph: KeyGraph | None = field(default=None, repr=False)
    by_key: Mapping[ResultKey, OperationMetrics] = field(default_factory=dict, repr=False)
    _names: Mapping[str, GoalOutcome] = field(init=False, repr=False)

    def __post_init__(self) -> None:
        """Index the goals by name."""
        names = {outcome.goal.name: outcome for outcome in self.goals if outcome.succeeded}
        object.__setattr__(self, "_names", names)

    def __getitem__(self, name: str) -> Value:
        return self._names[name].load()

    def __iter__(self) -> Iterator[str]:
        return iter(self._names)

    def __len__(self) -> int:
        return len(self._names)

    @property
    def success(self) -> bool:
        """Whether every goal has its result."""
        return not self.cancelled and all(outcome.succeeded for outcome in self.goals)

    @property
    def failed_operations(self) -> dict[OperationId, str]:
        """Messages by id of the operations that failed themselves, without their dependents."""
        return {failure.operation: str(failure) for failure in self.failures}

    @property
    def total_operations(self) -> int:
        """Distinct operations that the goals need, constants not counted."""
        return self.progress.total

    @property
    def completed_operations(self) -> int:
        """Distinct operations that this run performed."""
        return self.progress.computed

    @property
    def cached_operations(self) -> int:
        """Distinct operations whose results the store held; what lies below them is not counted."""
        return self.progress.cached
