"""How to compute a result that was known and turns out to be gone or spoilt when it is read."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass

from voxk8s.execution.reports import Failed
from voxk8s.execution.tasks.fusion import FusionGroup
from voxk8s.execution.tasks.task import TaskOptions, TaskSpec, build_tasks
from voxk8s.execution.worker.run_task import run_task
from voxk8s.execution.worker.task_context import RunSpec
from voxk8s.plan import KeyConstant, KeyNode, ResultKey, reachable


@dataclass(frozen=True, slots=True)
class Recomputation:
    """The operations that a result needs, among those of a whole plan in topological order.

    In other processes it has its own operations only.
    """

    nodes: Mapping[ResultKey, KeyNode]
    key: ResultKey

    def __reduce__(self) -> tuple[object, ...]:
        needs = {key: node.arguments for key, node in self.nodes.items()}
        below = reachable(needs, [self.key])
        return (
            Recomputation,
            ({key: self.nodes[key] for key in self.nodes if key in below}, self.key),
        )

    def task(
        self,
        contains: Callable[[Collection[ResultKey]], Collection[str]],
        gone: Collection[ResultKey],
    ) -> TaskSpec:
        """Make one task of what is missing, without the results in `gone`."""
        missing: set[ResultKey] = set()
        known: set[ResultKey] = set()
        front = {self.key}
        while front:
            found = known | {ResultKey(key) for key in contains(front) if key not in gone}
            missing |= front - found
            known = found
            below = {argument for key in front - found for argument in self.nodes[key].arguments}
            front = {
                key
                for key in below - missing - known
                if not isinstance(self.nodes[key], KeyConstant)
            }
        members = [key for key in self.nodes if key in missing]
        fetches = [key for key in self.nodes if key in known]
        demand = TaskOptions(goals=(), must_store={self.key}, cheap=())
        [task] = build_tasks(
            [FusionGroup(members, [self.key], fetches)], self.nodes, demand
        ).values()
        return task


def recompute(recipe: Recomputation, context: RunSpec) -> object:
    """Compute a result that is gone, from what the store still holds."""
    store = context.shared_store()
    gone = {recipe.key}
    while True:
        contains = _nothing if store is None or not context.reads else store.contains
        value = run_task(recipe.task(contains, gone), context)
        if not isinstance(value, Failed) or not value.failure.is_recomputable:
            return value
        if value.key in gone:
            return value
        gone.add(value.key)


def _nothing(_: Collection[ResultKey]) -> Collection[str]:
    return ()
