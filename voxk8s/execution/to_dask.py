"""Compiles a plan to a plain Dask graph, which users run with `dask.get` or `Client.get`."""

from __future__ import annotations

import logging
import time
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING

from voxk8s.errors import StoreError
from voxk8s.execution.executors.dask_graph import DaskGraph, dask_task
from voxk8s.execution.executors.synchronous import SynchronousExecutor
from voxk8s.execution.operation_reports import Failed
from voxk8s.execution.run.changed_kernels import ChangedKernels
from voxk8s.execution.run.pin_inputs import pin_for_run
from voxk8s.execution.run.plan_run import recompute
from voxk8s.execution.run.run_spec import run_spec
from voxk8s.execution.run_config import CacheMode, RunConfig
from voxk8s.execution.tasks.fusion import FusionGroup
from voxk8s.execution.tasks.task import TaskKey, TaskOptions, TaskSpec, build_tasks
from voxk8s.execution.worker import runtime
from voxk8s.execution.worker.run_task import run_task
from voxk8s.execution.worker.task_context import RunSpec
from voxk8s.kernels import registry
from voxk8s.plan import (
    InputRef,
    KeyNode,
    KeyOperation,
    OperationId,
    Pin,
    Prefetch,
    ResultKey,
    grow,
    key_graph,
    resolve,
    result_graph,
)

if TYPE_CHECKING:
    from voxk8s.plan import WorkPlan

logger = logging.getLogger(__name__)


class OperationError(RuntimeError):
    """An operation of a graph from `compile_to_dask` failed."""


def compile_graph(plan: WorkPlan, config: RunConfig) -> DaskGraph:
    """Return one task per operation to compute, and one per known result that is needed.

    Inputs are pinned, since their contents are part of the keys; raises the error of an input that
    cannot be pinned. A known result that is gone or corrupt when it is read is computed again.
    Operations that depend on values of the run itself are not in the graph.
    """
    graph = grow(key_graph(plan, registry()), partial(_pin, config), lambda _graph, _pivots: {})
    contains = config.store.contains if config.cache is CacheMode.USE else _nothing
    looked_up_at, began = time.time(), time.monotonic()
    resolution = resolve(graph, Prefetch(graph, contains))
    goals = {goal.key for goal in graph.goals if goal.key is not None}
    needed = {
        argument for key in resolution.compute for argument in graph.nodes[key].arguments
    } | goals
    fetched = [key for key in graph.nodes if key in resolution.known and key in needed]
    groups = [FusionGroup([], [key], [key]) for key in fetched]
    groups += [FusionGroup([key], [key]) for key in resolution.compute]
    must_store = frozenset(key for key in goals if isinstance(graph.nodes[key], KeyOperation))
    changed_kernels = ChangedKernels(config.store, since=began)
    for event in changed_kernels.find(resolution.known, graph.nodes):
        logger.warning("%s", event)
    options = TaskOptions(
        goals=(),
        must_store=must_store,
        cheap=frozenset(graph.nodes),
        codes=changed_kernels.codes(graph.nodes),
    )
    # The tasks run after this call, in any process: they carry the store, and hold no leases.
    store_token = f"{config.store.token}#{id(config.store)}"
    runtime.register_store(store_token, config.store)
    run = replace(
        run_spec("", config, looked_up_at),
        store_token=store_token,
        store=config.store,
        store_policy="goals",
        run_folder=None,
        lease_seconds=0.0,
    )
    recomputations = {TaskKey(key): Recomputation(graph.nodes, key) for key in fetched}
    return {
        key: dask_task(task, run_plain_task, run, recomputations.get(key))
        for key, task in build_tasks(groups, graph.nodes, options).items()
    }


def _pin(config: RunConfig, refs: Sequence[InputRef]) -> Mapping[OperationId, Pin]:
    pinned = pin_for_run(config, refs)
    for error in pinned.errors.values():
        raise error
    return pinned.pins


def run_plain_task(
    task: TaskSpec, run: RunSpec, recomputation: Recomputation | None, *upstream: object
) -> object:
    """Run a task of one export; raises OperationError if an operation failed."""
    value = run_task(task, run, *upstream)
    if isinstance(value, Failed) and value.failure.is_recomputable and recomputation is not None:
        logger.warning("%s; it is computed again", value.failure.message)
        return recomputation.run(run)
    if isinstance(value, Failed):
        raise OperationError(f"{value.key}: {value.failure}")
    return value


@dataclass(frozen=True, slots=True)
class Recomputation:
    """How to compute a known result if it is gone when it is read.

    `nodes` are those of the plan, in topological order; only the ones that the result needs are
    pickled.
    """

    nodes: Mapping[ResultKey, KeyNode]
    key: ResultKey

    def __reduce__(self) -> tuple[object, ...]:
        return (Recomputation, (result_graph(self.nodes, self.key).nodes, self.key))

    def run(self, run: RunSpec) -> object:
        """Compute the result in this thread, from what the store still holds."""
        store = run.shared_store()
        if store is None:
            raise StoreError("the store of this graph is not open in this process")
        config = RunConfig.from_options(
            store, SynchronousExecutor(), {"retry": run.retry, "write_files": False}
        )
        return recompute(self.nodes, self.key, config)


def _nothing(_: Collection[ResultKey]) -> Collection[str]:
    return ()
