"""In which order tasks should run, so that few values wait for their last use at a time. Pure."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping

from voxk8s.execution.tasks.task import TaskKey, TaskSpec
from voxk8s.plan import topological_order


def depth_first_order(
    tasks: Mapping[TaskKey, TaskSpec], targets: Iterable[TaskKey]
) -> dict[TaskKey, int]:
    """Rank tasks: what one target needs comes before what only later ones need; 0 is the first.

    The branches of a sweep are so done one after the other, each with what it needs alone. The
    order that Dask finds by itself begins all branches before it ends the first one, and holds a
    value or more of each.
    """
    needs: dict[TaskKey, Collection[TaskKey]] = {
        key: task.dependencies for key, task in tasks.items()
    }
    return {key: rank for rank, key in enumerate(topological_order(needs, targets))}


def peak_live_values(tasks: Mapping[TaskKey, TaskSpec], ranks: Mapping[TaskKey, int]) -> int:
    """Count the values that wait for their last use when most of them do, run in this order."""
    order = sorted(ranks, key=ranks.__getitem__)
    last = {need: key for key in order for need in tasks[key].dependencies}
    ends: dict[TaskKey, int] = {}
    for key in last.values():
        ends[key] = ends.get(key, 0) + 1
    held = most = 0
    for key in order:
        held += key in last
        most = max(most, held)
        held -= ends.get(key, 0)
    return most
