"""A plan as a plain Dask graph, for whoever wants to run it himself."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from voxk8s.execution.config import CacheMode, Config
from voxk8s.execution.executors.dask_graph import DaskGraph, build_plain_graph
from voxk8s.execution.executors.recompute import Recomputation
from voxk8s.execution.run.pin_inputs import digest_here, pin
from voxk8s.execution.tasks.fusion import FusionGroup
from voxk8s.execution.tasks.task import TaskOptions, build_tasks, task_key
from voxk8s.execution.worker import runtime
from voxk8s.execution.worker.task_context import RunSpec
from voxk8s.kernels import registry
from voxk8s.plan import InputRef, KeyOperation, OperationId, Pin, Prefetch, grow, key_graph, resolve

if TYPE_CHECKING:
    from voxk8s.plan import WorkPlan


def compile_graph(plan: WorkPlan, config: Config) -> DaskGraph:
    """Make one task per operation that is missing, and one per known result that is needed.

    Inputs are pinned, since their contents are part of the keys. Raises the error of an input that
    cannot be. What is known, and is gone or spoilt when it is read, is computed again. Work that
    depends on values of the run itself is not in the graph.
    """

    def pin_all(refs: Sequence[InputRef]) -> Mapping[OperationId, Pin]:
        pinned = pin(
            refs,
            config.inputs,
            config.store if config.cache is not CacheMode.BYPASS else None,
            lambda urls: digest_here(urls, config.inputs, config.retry),
            config.retry,
        )
        for error in pinned.errors.values():
            raise error
        return pinned.pins

    graph = grow(key_graph(plan, registry()), pin_all, lambda _graph, _pivots: {})
    ask = config.store.contains if config.cache is CacheMode.USE else lambda _: set[str]()
    asked = time.time()
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
    recipes = {
        task_key(group.exports): Recomputation(graph.nodes, group.exports[0]) for group in groups
    }
    groups += [FusionGroup([key], [key]) for key in resolution.compute]
    keep = frozenset(key for key in goals if isinstance(graph.nodes[key], KeyOperation))
    tasks = build_tasks(
        groups, graph.nodes, TaskOptions(goals=(), must_store=keep, cheap=frozenset(graph.nodes))
    )
    token = f"{config.store.url}#{id(config.store)}"
    runtime.register_store(token, config.store)
    context = RunSpec(
        id="",
        store_token=token,
        store=config.store,
        reads=config.cache is CacheMode.USE,
        writes=config.cache is not CacheMode.BYPASS,
        replaces=config.cache is CacheMode.REFRESH,
        store_policy="goals",
        retry=config.retry,
        looked_up_at=asked,
    )
    return build_plain_graph(tasks, context, recipes)
