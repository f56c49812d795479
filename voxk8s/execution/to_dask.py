"""A plan as a plain Dask graph, for users who run it themselves."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from voxk8s.execution.executors.dask_graph import DaskGraph, build_plain_graph
from voxk8s.execution.executors.recompute import Recomputation
from voxk8s.execution.run.pin_inputs import digest_locally, pin_inputs
from voxk8s.execution.run.run_spec import run_spec
from voxk8s.execution.run_config import CacheMode, RunConfig
from voxk8s.execution.tasks.fusion import FusionGroup
from voxk8s.execution.tasks.task import TaskOptions, build_tasks, task_key
from voxk8s.execution.worker import runtime
from voxk8s.kernels import registry
from voxk8s.plan import InputRef, KeyOperation, OperationId, Pin, Prefetch, grow, key_graph, resolve

if TYPE_CHECKING:
    from voxk8s.plan import WorkPlan


def compile_graph(plan: WorkPlan, config: RunConfig) -> DaskGraph:
    """Return one task for each missing operation, and one for each known result that is needed.

    Inputs are pinned, since their contents are part of the keys; raises the error of an input that
    cannot be pinned. A known result that is missing or corrupt when it is read is recomputed.
    Operations that depend on values of the run itself are not in the graph.
    """

    def pin_all(refs: Sequence[InputRef]) -> Mapping[OperationId, Pin]:
        pinned = pin_inputs(
            refs,
            config.inputs,
            config.store if config.cache is not CacheMode.BYPASS else None,
            lambda urls: digest_locally(urls, config.inputs, config.retry),
            config.retry,
        )
        for error in pinned.errors.values():
            raise error
        return pinned.pins

    graph = grow(key_graph(plan, registry()), pin_all, lambda _graph, _pivots: {})
    ask = config.store.contains if config.cache is CacheMode.USE else lambda _: set[str]()
    looked_up_at = time.time()
    resolution = resolve(graph, Prefetch(graph, ask))
    goals = {goal.key for goal in graph.goals if goal.key is not None}
    needed = {
        argument for key in resolution.compute for argument in graph.nodes[key].arguments
    } | goals
    groups = [
        FusionGroup([], [key], [key])
        for key in graph.nodes
        if key in resolution.known and key in needed
    ]
    recomputations = {
        task_key(group.exports): Recomputation(graph.nodes, group.exports[0]) for group in groups
    }
    groups += [FusionGroup([key], [key]) for key in resolution.compute]
    keep = frozenset(key for key in goals if isinstance(graph.nodes[key], KeyOperation))
    tasks = build_tasks(
        groups, graph.nodes, TaskOptions(goals=(), must_store=keep, cheap=frozenset(graph.nodes))
    )
    # The tasks run after this call, in any process: they carry the store, and hold no leases.
    token = f"{config.store.url}#{id(config.store)}"
    runtime.register_store(token, config.store)
    spec = replace(
        run_spec("", config, looked_up_at),
        store_token=token,
        store=config.store,
        store_policy="goals",
        run_folder=None,
        lease_seconds=0.0,
    )
    return build_plain_graph(tasks, spec, recomputations)
