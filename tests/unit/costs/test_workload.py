"""The work of a plan, and the threads that it keeps busy."""

from __future__ import annotations

import pytest

from tests.support.plans_and_runs import PlanMaker
from voxk8s.costs.cost_model import CostModel
from voxk8s.costs.workload import MIN_SECONDS, Workload, estimate_workload
from voxk8s.kernels import kernel, registry
from voxk8s.plan import KeyOperation, key_graph
from voxk8s.storage.kernel_costs import Cost, KernelCosts


@kernel("workload.work")
def work(x: float) -> float:
    """Return the argument."""
    return x


def _work(make: PlanMaker, costs: KernelCosts | None = None) -> Workload | None:
    nodes = key_graph(make.plan(), registry()).nodes
    compute = [key for key, node in nodes.items() if isinstance(node, KeyOperation)]
    return estimate_workload(nodes, compute, CostModel(registry(), costs))


def _two_chains() -> PlanMaker:
    make = PlanMaker()
    long = make("workload.work", make("workload.work", 1.0))
    make.show("long", long)
    make.show("short", make("workload.work", 2.0))
    return make


def test_work_is_the_sum_and_the_longest_chain() -> None:
    """Three operations of 7 s, two of which need each other."""
    costs = KernelCosts({"workload.work": {0: Cost(64, 7.0)}})
    assert _work(_two_chains(), costs) == Workload(21.0, 14.0)


def test_work_of_unknown_operations_is_unknown() -> None:
    """A kernel that was never measured and gives no hint may take for ever."""
    assert _work(_two_chains()) is None


@pytest.mark.parametrize(
    ("work", "width", "threads"),
    [
        (Workload(400.0, 10.0), 100, 40),
        (Workload(400.0, 10.0), 8, 8),
        (Workload(400.0, 390.0), 100, 2),
        (Workload(2 * MIN_SECONDS, 0.1), 1000, 2),
        (Workload(0.01, 0.01), 1000, 1),
        (Workload(0.0, 0.0), 0, 0),
    ],
    ids=["wide", "narrow", "one long chain", "short operations", "nearly nothing", "nothing"],
)
def test_threads_shorten_the_work(work: Workload, width: int, threads: int) -> None:
    """No more threads than the longest chain, the width and the start of a worker allow."""
    assert work.threads(width) == threads
