"""Recorded costs are read without a long wait."""

from __future__ import annotations

import threading

import pytest

from tests.support.plans_and_runs import PlanMaker, fresh_store
from voxk8s.costs.recorded_costs import are_worth_reading, recorded_costs
from voxk8s.errors import StoreUnreachable
from voxk8s.kernels import kernel, registry
from voxk8s.plan import KeyOperation, key_graph
from voxk8s.storage import open_store
from voxk8s.storage.kernel_costs import Cost, KernelCosts

COSTS = KernelCosts({"lab.work": {0: Cost(9, 2.0)}})


@kernel("recorded.work")
def work(x: float) -> float:
    """Return the argument."""
    return x


def test_what_the_store_has_is_returned() -> None:
    """Costs that another process has written."""
    store = fresh_store()
    open_store(store.url).costs.add(COSTS)
    assert recorded_costs(store, 60.0) == COSTS


def test_a_silent_store_is_not_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    """What comes too late is there for the next call."""
    store, answer = fresh_store(), threading.Event()
    open_store(store.url).costs.add(COSTS)
    read = store.costs.read
    monkeypatch.setattr(store.costs, "read", lambda: answer.wait() and read())
    assert recorded_costs(store, 0.0) is None
    answer.set()
    for thread in threading.enumerate():
        if thread.name == "voxk8s-costs":
            thread.join()
    assert recorded_costs(store, 0.0) == COSTS


def test_a_store_that_fails_counts_as_silent(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing depends on recorded costs."""

    def fail() -> KernelCosts:
        raise StoreUnreachable("away")

    store = fresh_store()
    monkeypatch.setattr(store.costs, "read", fail)
    assert recorded_costs(store, 60.0) is None


@pytest.mark.parametrize(("kernel", "worth"), [("addition", False), ("recorded.work", True)])
def test_costs_of_cheap_operations_do_not_matter(kernel: str, worth: bool) -> None:
    """Sums of numbers are planned without a request."""
    make = PlanMaker()
    make.show("x", make(kernel, 1.0, *([2.0] if kernel == "addition" else [])))
    nodes = key_graph(make.plan(), registry()).nodes
    compute = [key for key, node in nodes.items() if isinstance(node, KeyOperation)]
    assert are_worth_reading(nodes, compute) is worth
