"""The engine: runs plans on an executor and keeps their results in a store."""

from __future__ import annotations

import logging
import threading
import time
import uuid
from collections.abc import Iterable, Mapping, Set
from dataclasses import replace
from typing import TYPE_CHECKING, Unpack

from voxk8s.errors import InvalidUsage
from voxk8s.execution.events import Listener
from voxk8s.execution.executors import find_executor
from voxk8s.execution.executors.protocol import Executor
from voxk8s.execution.files import check_confined
from voxk8s.execution.log_listener import LogListener
from voxk8s.execution.result import ExecutionResult, SkippedItem
from voxk8s.execution.run.plan_run import PlanRun
from voxk8s.execution.run_config import OnItemFailure, RunConfig, RunOptions
from voxk8s.plan import OperationId, WorkPlan
from voxk8s.storage import ResultStore, get_storage

if TYPE_CHECKING:
    from distributed import Client

    from voxk8s.execution.executors.dask_graph import DaskGraph

logger = logging.getLogger(__name__)
_NAMED_LENGTH = 400


class ExecutionEngine:
    """Runs plans; safe to use from several threads, for several plans at once.

    `storage_backend` is a store; by default the store of this process. `executor` is an executor,
    the name of one, or a `distributed.Client` on whose workers operations run; by default they run
    on Dask threads in this process. `listeners` receive the events of all runs. The other options
    are those of `RunOptions`, such as `cache`, `on_failure`, `retry` and `output`.
    """

    def __init__(
        self,
        storage_backend: ResultStore | None = None,
        *,
        executor: Executor | Client | str | None = None,
        listeners: Iterable[Listener] = (),
        **options: Unpack[RunOptions],
    ) -> None:
        if storage_backend is None:
            storage_backend = get_storage()
        elif not hasattr(storage_backend, "contains"):
            raise InvalidUsage(
                f"expected a store, got {storage_backend!r}: open it with voxk8s.open_store"
            )
        self._config = RunConfig.from_options(storage_backend, _executor(executor), options)
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
        """Compute what the goals need and the store does not hold; return the values of the goals.

        Failures of operations are part of the result. `places` are the places in a program of the
        plan's nodes and of the nodes in bodies of loops; failures carry them. Raises InvalidPlan
        for a file name that leaves the output folder, and the transient errors StoreUnreachable,
        StoreAccessDenied and SchedulerLost.
        """
        _check_plan(plan)
        if self._config.output is not None and self._config.confine:
            for number, goal in enumerate(plan.goals):
                if goal.operation == "save":
                    check_confined(self._config.output, goal.name, f"$.goals[{number}].name")
        if self._config.on_item_failure is OnItemFailure.FAIL:
            return self._say_not_finite(self._run(self._new_run(plan, places, None)), places)
        return self._run_skipping(plan, places)

    def _say_not_finite(
        self, result: ExecutionResult, places: Mapping[OperationId, object] | None
    ) -> ExecutionResult:
        """Return a result with what is said of goals that are not finite."""
        if result.graph is None or not any(each.not_finite for each in result.goals):
            return result
        # Imported here: most runs have finite results.
        from voxk8s.execution.run.find_not_finite import find_not_finite

        found = find_not_finite(result, result.graph, self._config, places)
        return replace(result, not_finite=found)

    def _run_skipping(
        self, plan: WorkPlan, places: Mapping[OperationId, object] | None
    ) -> ExecutionResult:
        """Run a plan, and again without the items of loops that failed, as long as there are some.

        Each run names its results by the items that are left, and finds those of the one before.
        """
        skipped: dict[OperationId, SkippedItem] = {}
        begin = time.perf_counter()
        while True:
            run = self._new_run(plan, places, skipped.keys())
            result = self._run(run)
            if result.success or run.failed_items.keys() <= skipped.keys():
                seconds = time.perf_counter() - begin
                items = tuple(skipped.values())
                result = self._say_not_finite(result, places)
                return replace(result, execution_time=seconds, skipped=items)
            skipped |= run.failed_items
            logger.warning(
                "loops go on without %s that failed: %s",
                "an item" if len(run.failed_items) == 1 else f"{len(run.failed_items)} items",
                ", ".join(each.item for each in run.failed_items.values())[:_NAMED_LENGTH],
            )

    def _new_run(
        self,
        plan: WorkPlan,
        places: Mapping[OperationId, object] | None,
        skipped: Set[OperationId] | None,
    ) -> PlanRun:
        return PlanRun(
            uuid.uuid4().hex, plan, self._config, self._listeners, places=places, skipped=skipped
        )

    def _run(self, run: PlanRun) -> ExecutionResult:
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
        """Return a Dask graph of what is missing, by result key; computes nothing.

        It has one task per operation; goals that are known have tasks that load them. `dask.get`
        and `Client.get` accept the graph. An operation that fails raises `OperationError` there.
        """
        from voxk8s.execution.to_dask import compile_graph

        _check_plan(plan)
        return compile_graph(plan, self._config)

    def cancel(self) -> None:
        """Stop all present and future runs of this engine; create a new engine to continue.

        Operations that are running may end; nothing more is submitted.
        """
        with self._lock:
            self._cancelled = True
            runs = list(self._runs.values())
        for run in runs:
            run.cancel()


def _check_plan(plan: object) -> None:
    if not isinstance(plan, WorkPlan):
        raise InvalidUsage(
            f"expected a plan, got {type(plan).__name__}: create it with voxk8s.load_plan"
        )


def _executor(given: Executor | Client | str | None) -> Executor:
    if given is None or isinstance(given, str):
        return find_executor(given or "local")
    if isinstance(given, Executor):
        return given
    from distributed import Client

    from voxk8s.execution.executors.dask_executors import DistributedExecutor

    if not isinstance(given, Client):
        raise InvalidUsage(
            f"expected an executor, the name of one, or a Dask client, got {given!r}"
        )
    return DistributedExecutor(given)
