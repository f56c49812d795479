"""How runs behave: chosen once for an engine, the same for all its runs."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path

from voxk8s.execution.executors import Executor
from voxk8s.execution.retry import RetryPolicy
from voxk8s.execution.tasks.scheduling import DefaultPolicy, SchedulingPolicy
from voxk8s.inputs.options import InputOptions
from voxk8s.storage import ResultStore


class CacheMode(StrEnum):
    """What a run does with the store."""

    USE = "use"
    """Read what is known, write what is new."""
    REFRESH = "refresh"
    """Compute everything, write it; another value than before is non-determinism."""
    BYPASS = "bypass"
    """Neither read nor write results."""


class OnFailure(StrEnum):
    """What a run does when an operation has failed."""

    CONTINUE = "continue"
    """Goals that do not need it are still reached."""
    FAIL_FAST = "failfast"
    """Nothing more is started."""


@dataclass(frozen=True, slots=True)
class RunConfig:
    """`output` is where files of `save` goals are written; None for nowhere.

    `confine` refuses paths that leave `output`. `run_folder` is where, below `runs/` in the store,
    saved files go when results are not stored (cache mode bypass); all attempts of a run have the
    same. `lease_seconds` is how long a run that died holds up others, which are told its `label`.
    """

    store: ResultStore
    executor: Executor
    retry: RetryPolicy
    policy: str
    cache: CacheMode
    on_failure: OnFailure
    inputs: InputOptions
    output: Path | None
    confine: bool
    run_folder: str | None
    lease_seconds: float = 0.0
    label: str = ""
    scheduling: SchedulingPolicy = field(default_factory=DefaultPolicy)
