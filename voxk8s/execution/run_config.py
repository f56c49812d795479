"""The options of an engine, and the configuration that all its runs share."""

from __future__ import annotations

import os
import socket
from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import TypedDict

from voxk8s.errors import InvalidUsage
from voxk8s.execution.executors.protocol import Executor
from voxk8s.execution.retry import RetryPolicy
from voxk8s.execution.tasks.scheduling import SchedulingPolicy, find_policy
from voxk8s.inputs.input_options import InputOptions
from voxk8s.settings import STORE_POLICIES, Settings
from voxk8s.storage import ResultStore


class CacheMode(StrEnum):
    """What a run does with the store."""

    USE = "use"
    """Read what is known, write what is new."""
    REFRESH = "refresh"
    """Compute everything and write it; a value that differs from the stored one is reported."""
    BYPASS = "bypass"
    """Neither read nor write results."""


class OnFailure(StrEnum):
    """What a run does when an operation has failed."""

    CONTINUE = "continue"
    """Goals that do not depend on it are still reached."""
    FAIL_FAST = "failfast"
    """Nothing more is submitted."""


class OnItemFailure(StrEnum):
    """What a run does with an item of a loop that fails for good."""

    FAIL = "fail"
    """The loop fails."""
    SKIP = "skip"
    """The loop goes on without it. What is computed then is named by the items that are left, so no
    result of a part is ever stored as that of the whole."""


class RunOptions(TypedDict, total=False):
    """Options of an `ExecutionEngine`, all of them optional.

    `settings` are read from the environment when not given; they hold the defaults of `retry`,
    `policy` (which results are stored beside goals: `auto`, `all` or `goals`) and `scheduling` (how
    operations become tasks: a policy or the name of one). Files of `save` goals are written below
    `output`, and a name that leaves it is refused. Without `output` they go below the current
    folder when operations run in this process, and nowhere otherwise, unless `write_files` says so:
    their bytes are in the store in any case. `run_folder` is the folder below `runs/` of the store
    that takes saved files when results are not stored; all attempts of a run have the same.
    `store_bytes` is how much a run may store, beside goals. `label` is the name of this engine's
    runs for other runs that wait for their operations.
    """

    settings: Settings | None
    cache: CacheMode | str
    on_failure: OnFailure | str
    on_item_failure: OnItemFailure | str
    retry: RetryPolicy | None
    policy: str | None
    scheduling: SchedulingPolicy | str | None
    inputs: InputOptions | None
    output: str | os.PathLike[str] | None
    write_files: bool | None
    run_folder: str | None
    label: str | None
    store_bytes: float | None


@dataclass(frozen=True, slots=True)
class RunConfig:
    """The options of an engine, with every default filled in.

    `output` is the folder of saved files; None to write none. `confine` refuses paths that leave
    it. `lease_seconds` is how long other runs wait for a run that died. `store_bytes` is how much a
    run may store, beside goals.
    """

    store: ResultStore
    executor: Executor
    retry: RetryPolicy
    policy: str
    cache: CacheMode
    on_failure: OnFailure
    on_item_failure: OnItemFailure
    inputs: InputOptions
    output: Path | None
    confine: bool
    run_folder: str | None
    lease_seconds: float
    label: str
    scheduling: SchedulingPolicy
    store_bytes: float

    @classmethod
    def from_options(cls, store: ResultStore, executor: Executor, options: RunOptions) -> RunConfig:
        """Check options and fill in the defaults; raises InvalidUsage for an invalid value."""
        for name in options.keys() - RunOptions.__annotations__:
            raise TypeError(f"ExecutionEngine() got an unexpected keyword argument {name!r}")
        settings = options.get("settings") or Settings.from_env(os.environ)
        policy = options.get("policy") or settings.store_policy
        _check_choice("policy", policy, STORE_POLICIES)
        cache = options.get("cache", CacheMode.USE)
        _check_choice("cache", cache, CacheMode)
        on_failure = options.get("on_failure", OnFailure.CONTINUE)
        _check_choice("on_failure", on_failure, OnFailure)
        on_item_failure = options.get("on_item_failure", OnItemFailure.FAIL)
        _check_choice("on_item_failure", on_item_failure, OnItemFailure)
        output, write_files = options.get("output"), options.get("write_files")
        store_bytes = options.get("store_bytes")
        if write_files is None:
            write_files = executor.is_local or output is not None
        return cls(
            store=store,
            executor=executor,
            retry=options.get("retry") or RetryPolicy.from_settings(settings),
            policy=policy,
            cache=CacheMode(cache),
            on_failure=OnFailure(on_failure),
            on_item_failure=OnItemFailure(on_item_failure),
            inputs=options.get("inputs") or InputOptions.from_env(os.environ),
            output=Path(output or "") if write_files else None,
            confine=output is not None,
            run_folder=options.get("run_folder"),
            lease_seconds=settings.lease_seconds,
            label=options.get("label") or f"process {os.getpid()} on {socket.gethostname()}",
            scheduling=_scheduling(options.get("scheduling") or settings.scheduling),
            store_bytes=settings.store_bytes if store_bytes is None else store_bytes,
        )


def _scheduling(given: SchedulingPolicy | str) -> SchedulingPolicy:
    if isinstance(given, str):
        return find_policy(given)
    if not isinstance(given, SchedulingPolicy):
        raise InvalidUsage(
            f"expected a scheduling policy with the methods fuse and schedule, got {given!r}"
        )
    return given


def _check_choice(option: str, given: str, choices: Iterable[str]) -> None:
    known = [str(choice) for choice in choices]
    if given not in known:
        raise InvalidUsage(f"{option} {given!r}: must be one of {', '.join(known)}")
