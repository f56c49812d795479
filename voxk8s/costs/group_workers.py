"""How many workers each worker group of a run gets, by what operations need. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from voxk8s.costs.resource_demand import Demand
from voxk8s.errors import ResourcesNotOffered
from voxk8s.kernels import KernelRegistry
from voxk8s.kernels.worker_resources import Resources, calls_at_once, describe
from voxk8s.plan import KeyGraph, ResultKey


@dataclass(frozen=True, slots=True)
class WorkerKind:
    """Equal workers: at most so many, each with so many threads, offering resources by name."""

    name: str
    max_workers: int
    threads: int
    offers: Mapping[str, float] = field(default_factory=dict)
    min_workers: int = 0

    def at_once(self, needed: Resources) -> int:
        """Return how many operations that need so much one worker runs at a time."""
        calls = calls_at_once(self.offers, needed)
        return self.threads if calls is None else min(self.threads, calls)


@dataclass(frozen=True, slots=True)
class RunWorkers:
    """The kinds of workers that a run may have: those of the default group, and the others."""

    default: WorkerKind
    others: tuple[WorkerKind, ...] = ()


def group_workers(
    run: RunWorkers, demands: Sequence[Demand] | None, threads: int | None
) -> dict[str, int]:
    """Return the number of workers of each other group that gets any.

    Operations that need something go to the first group that offers it, as many as run there at a
    time, and the rest to the next one. Groups that offer nothing take what keeps more `threads`
    busy than the default group may have. Where `demands` are not known, each group gets its
    most, since the number does not change during the run. No group gets less than its minimum.
    """
    if demands is None:
        return {kind.name: kind.max_workers for kind in run.others}
    found = dict.fromkeys((kind.name for kind in run.others), 0)
    for demand in demands:
        left = 0 if run.default.at_once(demand.resources) else demand.operations
        for kind in run.others:
            at_once = kind.at_once(demand.resources)
            if at_once and left > 0:
                wanted = min(kind.max_workers, -(-left // at_once))
                left -= wanted * at_once
                found[kind.name] = min(kind.max_workers, found[kind.name] + wanted)
    surplus = (threads or 0) - run.default.max_workers * run.default.threads
    for kind in run.others:
        if not kind.offers and surplus > 0:
            found[kind.name] = min(kind.max_workers, -(-surplus // kind.threads))
            surplus -= found[kind.name] * kind.threads
    numbers = {kind.name: max(kind.min_workers, found[kind.name]) for kind in run.others}
    return {name: workers for name, workers in numbers.items() if workers}


def runs_on_default(
    run: RunWorkers, graph: KeyGraph, compute: Sequence[ResultKey], kernels: KernelRegistry
) -> tuple[ResultKey, ...]:
    """Return the operations in `compute` that default workers can run."""
    able: dict[str, bool] = {}
    found = []
    for key in compute:
        kernel = getattr(graph.nodes[key], "kernel", "")
        if kernel not in able:
            able[kernel] = run.default.at_once(kernels.resources(kernel)) > 0
        if able[kernel]:
            found.append(key)
    return tuple(found)


def require_offers(run: RunWorkers, demands: Sequence[Demand]) -> None:
    """Raise ResourcesNotOffered, with the way out, for operations that no worker can run."""
    kinds = (run.default, *run.others)
    for demand in demands:
        if not any(kind.at_once(demand.resources) for kind in kinds):
            needed = describe(demand.resources)
            offered = ", ".join(
                f"{kind.name} {describe(tuple(sorted(kind.offers.items()))) or 'nothing'}"
                for kind in kinds
            )
            raise ResourcesNotOffered(
                f"{demand.kernel} needs a worker that offers {needed}, and the worker groups of the"
                f" run offer: {offered}. Add a group to spec.cluster.workerGroups that offers it:"
                " one whose containers have a limit of nvidia.com/gpu offers GPU, anything else is"
                " named in its field provides"
            )
