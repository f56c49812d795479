"""The engine: runs plans on an executor, with a store."""

from __future__ import annotations

import os
import socket
import threading
import uuid
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from voxk8s.errors import InvalidUsage
from voxk8s.execution.events import Listener
from voxk8s.execution.executors import Executor, find_executor
from voxk8s.execution.files import check_confined
from voxk8s.execution.log_listener import LogListener
from voxk8s.execution.result import ExecutionResult
from voxk8s.execution.retry import RetryPolicy
from voxk8s.execution.run.plan_run import PlanRun
from voxk8s.execution.run_config import CacheMode, OnFailure, RunConfig
from voxk8s.execution.tasks.scheduling import SchedulingPolicy, find_policy
from voxk8s.inputs.options import InputOptions
from voxk8s.plan import OperationId, WorkPlan
from voxk8s.settings import STORE_POLICIES, Settings
from voxk8s.storage import ResultStore, get_storage

if TYPE_CHECKING:
    from distributed import Client

    from voxk8s.execution.executors.dask_graph import DaskGraph


class ExecutionEngine:
    """Runs plans; safe to use from several threads, for several plans at once.

    `storage_backend` is a store (default: the one of this process). `executor` is an executor, the
    name of one, or a `distributed.Client` on whose workers operations run; by default they run on
    Dask threads in this process. `settings` are read from the environment when not given.

    `cache` is `use`, `refresh` or `bypass`; `on_failure` is `continue` or `failfast`; `retry`
    defaults to that of the settings; `policy` says what is stored beside goals (`auto`, `all`,
    `goals`), `scheduling` how operations become tasks (a policy or the name of one). Files of
    `save` goals are written below `output`; a name that leaves it is refused then. Without `output`
    they go below the current folder when operations run in this process, and nowhere otherwise:
    their bytes are in the store in any case. `run_folder` is the folder below `runs/` of the store
    that takes saved files when results are not stored. `label` is what other runs are told that
    wait for an operation of this one.
    """

    def __init__(
        self,
        storage_backend: ResultStore | None = None,
        *,
        executor: Executor | Client | str | None = None,
        settings: Settings | None = None,
        listeners: Iterable[Listener] = (),
        cache: CacheMode | str = CacheMode.USE,
        on_failure: OnFailure | str = OnFailure.CONTINUE,
        retry: RetryPolicy | None = None,
        policy: str | None = None,
        scheduling: SchedulingPolicy | str | None = None,
        inputs: InputOptions | None = None,
        output: str | os.PathLike[str] | None = None,
        write_files: bool | None = None,
        run_folder: str | None = None,
        label: str | None = None,
    ) -> None:
        settings = settings or Settings.from_env(os.environ)
        if policy is not None:
            _check("policy", policy, STORE_POLICIES)
        _check("cache", cache, CacheMode)
        _check("on_failure", on_failure, OnFailure)
        if storage_backend is not None and not hasattr(storage_backend, "contains"):
            raise InvalidUsage(
                f"{storage_backend!r} is no store: open one by its URL with voxk8s.open_store"
            )
        chosen = _executor(executor)
        writes = chosen.is_local or output is not None if write_files is None else write_files
        self._config = RunConfig(
            store=storage_backend if storage_backend is not None else get_storage(),
            executor=chosen,
            retry=retry or RetryPolicy.from_settings(settings),
            policy=policy or settings.store_policy,
            cache=CacheMode(cache),
            on_failure=OnFailure(on_failure),
            inputs=inputs or InputOptions.from_env(os.environ),
            output=Path(output or "") if writes else None,
            confine=output is not None,
            run_folder=run_folder,
            lease_seconds=settings.lease_seconds,
            scheduling=_scheduling(scheduling or settings.scheduling),
            label=label or f"process {os.getpid()} on {socket.gethostname()}",
        )
        self._listeners: tuple[Listener, ...] = (LogListener(), *listeners)
        self._lock = threading.Lock()
        self._runs: dict[str, PlanRun] = {}
        self._cancelled = False

    @property
    def storage(self) -> ResultStore:
        """The store that results go to."""
        return self._config.store

    def execute_workplan(
        self, plan: WorkPlan, *, places: Mapping[OperationId, object] | None = None
    ) -> ExecutionResult:
        """Compute what the goals need and the store does not hold; deliver the goals.

        Failures of operations are in the result. `places` says where in a program nodes of the plan
        and of its loops' bodies come from: messages of failures begin with that. Raises InvalidPlan
        for a file name that leaves the output folder, and transient errors: StoreUnreachable,
        StoreAccessDenied, SchedulerLost.
        """
        _check_plan(plan)
        if self._config.output is not None and self._config.confine:
            for number, goal in enumerate(plan.goals):
                if goal.operation == "save":
                    check_confined(self._config.output, goal.name, f"$.goals[{number}].name")
        run = PlanRun(uuid.uuid4().hex, plan, self._config, self._listeners, places=places)
        with self._lock:
            self._runs[run.name] = run
            if self._cancelled:
                run.cancel()
        try:
            return run.execute()
        finally:
            with self._lock:
                del self._runs[run.name]

    def compile_to_dask(self, plan: WorkPlan) -> DaskGraph:
        """Give the tasks of what is still missing, by result key; computes nothing.

        One task per operation; goals that are known have tasks that load them. `dask.get` and
        `Client.get` take the graph. A failing operation raises `OperationError` there.
        """
        from voxk8s.execution.to_dask import compile_graph

        _check_plan(plan)
        return compile_graph(plan, self._config)

    def cancel(self) -> None:
        """Stop all runs of this engine, those to come included; make a new engine to go on.

        Operations that run may end, nothing more is started.
        """
        with self._lock:
            self._cancelled = True
            runs = list(self._runs.values())
        for run in runs:
            run.cancel()


def _scheduling(given: SchedulingPolicy | str) -> SchedulingPolicy:
    if isinstance(given, str):
        return find_policy(given)
    if not isinstance(given, SchedulingPolicy):
        raise InvalidUsage(f"{given!r} is no scheduling policy: it has no fuse and schedule")
    return given


def _check(option: str, given: str, words: Iterable[str]) -> None:
    """Refuse a word that an option does not know."""
    known = [str(word) for word in words]
    if given not in known:
        raise InvalidUsage(f"{option} {given!r}: must be one of {', '.join(known)}")


def _check_plan(plan: object) -> None:
    if not isinstance(plan, WorkPlan):
        raise InvalidUsage("this is a plan's document: make the plan with voxk8s.load_plan")


def _executor(given: Executor | Client | str | None) -> Executor:
    if given is None or isinstance(given, str):
        return find_executor(given or "local")
    if isinstance(given, Executor):
        return given
    from distributed import Client

    from voxk8s.execution.executors.dask_executors import DistributedExecutor

    if not isinstance(given, Client):
        raise InvalidUsage(f"{given!r} is no executor: give one, its name, or a Dask client")
    return DistributedExecutor(given)
