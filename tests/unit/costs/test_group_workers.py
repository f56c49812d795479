"""How many workers each group gets."""

from __future__ import annotations

import dataclasses

import pytest

from tests.support.plans_and_runs import PlanMaker
from voxk8s.costs.group_workers import (
    RunWorkers,
    WorkerKind,
    group_workers,
    require_offers,
    runs_on_default,
)
from voxk8s.costs.resource_demand import Demand
from voxk8s.errors import ResourcesNotOffered
from voxk8s.kernels import kernel, registry
from voxk8s.plan import key_graph

DEFAULT = WorkerKind("default", 2, 4)
GPU = WorkerKind("gpu", 4, 2, {"GPU": 1})
LARGE = WorkerKind("large", 3, 2, {"GPU": 4, "MEMORY": 64})
SPOT = WorkerKind("spot", 10, 4)
RUN = RunWorkers(DEFAULT, (GPU, LARGE, SPOT))


@kernel("groups.segment", version=1, resources={"GPU": 1})
def segment(x: float) -> float:
    """Return the argument."""
    return x


def _demand(operations: int, **resources: float) -> Demand:
    return Demand(tuple(sorted(resources.items())), operations, "lab.segment")


@pytest.mark.parametrize(
    ("demands", "threads", "workers"),
    [
        pytest.param((), 8, {}, id="nothing needs a group"),
        pytest.param((_demand(1, GPU=1),), 1, {"gpu": 1}, id="one operation"),
        pytest.param((_demand(3, GPU=1),), 1, {"gpu": 3}, id="one GPU, one operation at a time"),
        pytest.param((_demand(3, GPU=0.5),), 1, {"gpu": 2}, id="two share a GPU"),
        pytest.param((_demand(9, GPU=0.1),), 1, {"gpu": 4, "large": 1}, id="threads are limits"),
        pytest.param((_demand(9, GPU=1),), 1, {"gpu": 4, "large": 3}, id="the rest goes on"),
        pytest.param((_demand(10**6, GPU=1),), 1, {"gpu": 4, "large": 3}, id="within the most"),
        pytest.param((_demand(1, GPU=1, MEMORY=9),), 1, {"large": 1}, id="both are needed"),
        pytest.param((_demand(2, GPU=1), _demand(1, GPU=2)), 1, {"gpu": 2, "large": 1}, id="two"),
        pytest.param((), 9, {"spot": 1}, id="more threads than default workers have"),
        pytest.param((), 1000, {"spot": 10}, id="the most of a group that offers nothing"),
        pytest.param(None, None, {"gpu": 4, "large": 3, "spot": 10}, id="not known"),
    ],
)
def test_workers_of_groups(
    demands: tuple[Demand, ...] | None, threads: int | None, workers: dict[str, int]
) -> None:
    """As many as the operations that need a group keep busy, and none without any."""
    assert group_workers(RUN, demands, threads) == workers


@pytest.mark.parametrize(
    ("demands", "workers"),
    [
        pytest.param((), {"gpu": 2}, id="nothing needs the group"),
        pytest.param((_demand(1, GPU=1),), {"gpu": 2}, id="fewer are needed"),
        pytest.param((_demand(3, GPU=1),), {"gpu": 3}, id="more are needed"),
        pytest.param(None, {"gpu": 4, "spot": 10}, id="not known"),
    ],
)
def test_a_group_has_at_least_its_minimum(
    demands: tuple[Demand, ...] | None, workers: dict[str, int]
) -> None:
    """Whatever is left to compute, and no more than that where more are not needed."""
    run = RunWorkers(DEFAULT, (dataclasses.replace(GPU, min_workers=2), SPOT))
    assert group_workers(run, demands, 1) == workers


def test_default_workers_with_a_gpu_need_no_group() -> None:
    """What they offer is not looked for elsewhere."""
    run = RunWorkers(WorkerKind("default", 2, 4, {"GPU": 1}), (GPU,))
    assert group_workers(run, (_demand(9, GPU=1),), 9) == {}


def test_what_nobody_offers_is_refused() -> None:
    """The message names kernel, resource and groups, and the way out."""
    require_offers(RUN, (_demand(1, GPU=4),))
    with pytest.raises(ResourcesNotOffered) as caught:
        require_offers(RUN, (_demand(1, GPU=1), _demand(1, GPU=5)))
    text = str(caught.value)
    assert text.startswith("lab.segment needs a worker that offers GPU=5, and ")
    assert "default nothing, gpu GPU=1, large GPU=4 MEMORY=64, spot nothing" in text
    assert "spec.cluster.workerGroups" in text


def test_default_workers_run_all_else() -> None:
    """Operations that need another group do not keep default workers busy."""
    make = PlanMaker("groups")
    make.show("sum", make("addition", make("segment", 1.0), make("segment", 2.0)))
    graph = key_graph(make.plan(), registry())
    kernels = {
        getattr(graph.nodes[key], "kernel", "")
        for key in runs_on_default(RUN, graph, list(graph.nodes), registry())
    }
    assert kernels - {""} == {"default.addition"}
