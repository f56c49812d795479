"""The costs of one run: read once, recorded, written at the end."""

from __future__ import annotations

import threading
from collections.abc import Mapping, Sequence

import pytest

from tests.support.plans_and_runs import PlanMaker, fresh_store
from tests.support.waiting import wait_until
from voxk8s.constants import COSTS_PATH
from voxk8s.errors import StoreUnreachable
from voxk8s.execution import ExecutionEngine
from voxk8s.execution.operation_reports import Report, Status
from voxk8s.execution.run.run_costs import FLUSH_SECONDS, WORTH_SECONDS, RunCosts
from voxk8s.execution.tasks.fusion import FusionGroup
from voxk8s.kernels import kernel, registry
from voxk8s.plan import KeyNode, KeyOperation, ResultKey, key_graph
from voxk8s.storage import ResultStore, open_store
from voxk8s.storage.kernel_costs import Cost, KernelCosts


@kernel("costs.work")
def work(x: float) -> float:
    """Return the argument."""
    return x


def _plan(*kernels: str) -> PlanMaker:
    make = PlanMaker()
    for number, name in enumerate(kernels):
        make.show(f"{name}{number}", make(name, float(number), *([1.0] if "add" in name else [])))
    return make


def _nodes(*kernels: str) -> tuple[Mapping[ResultKey, KeyNode], list[ResultKey]]:
    nodes = key_graph(_plan(*kernels).plan(), registry()).nodes
    return nodes, [key for key, node in nodes.items() if isinstance(node, KeyOperation)]


def _report(key: ResultKey, seconds: float, status: Status = Status.COMPUTED) -> Report:
    return Report(key, status, "costs.work", seconds)


class Scripted:
    """The costs of a store, with what happens to requests."""

    def __init__(self, store: ResultStore, *, silent: bool = False) -> None:
        self.costs = self
        self.reads = 0
        self.asked = threading.Event()
        self.added: list[KernelCosts] = []
        self._inner = store.costs
        self._answer = threading.Event()
        if not silent:
            self._answer.set()

    def cached(self) -> KernelCosts | None:
        """Return what was read."""
        return self._inner.cached()

    def read(self) -> KernelCosts:
        """Answer, or fail."""
        self.reads += 1
        self._answer.wait()
        return self._inner.read()

    def add(self, costs: KernelCosts) -> None:
        """Answer, and fail."""
        self.asked.set()
        self._answer.wait(30)
        self.added.append(costs)
        raise StoreUnreachable("away")

    def answer(self) -> None:
        """Let all requests be answered."""
        self._answer.set()


def _seconds(costs: RunCosts, nodes: Mapping[ResultKey, KeyNode], key: ResultKey) -> float | None:
    node = nodes[key]
    assert isinstance(node, KeyOperation)
    return costs.model.seconds(nodes, node)


def test_a_plan_is_estimated_by_what_earlier_runs_have_recorded() -> None:
    """A run reads the costs before it plans, and only once."""
    store = fresh_store()
    open_store(store.url).costs.add(KernelCosts({"costs.work": {0: Cost(9, 2.0)}}))
    scripted = Scripted(store)
    costs = RunCosts(scripted)  # type: ignore[arg-type]  # only its costs are used
    nodes, keys = _nodes("costs.work")
    assert _seconds(costs, nodes, keys[0]) is None
    costs.prepare(nodes, keys)
    costs.prepare(nodes, keys)
    assert _seconds(costs, nodes, keys[0]) == 2.0
    assert scripted.reads == 1


def test_cheap_plans_do_not_ask() -> None:
    """Sums of numbers are planned without a request."""
    scripted = Scripted(fresh_store())
    RunCosts(scripted).prepare(*_nodes("addition"))  # type: ignore[arg-type]  # as above
    assert scripted.reads == 0


def test_a_known_plan_does_not_ask(monkeypatch: pytest.MonkeyPatch) -> None:
    """A run whose goals are all in the store reads and writes no costs."""
    store = fresh_store()
    plan = _plan("costs.work").plan()
    ExecutionEngine(store, executor="synchronous", write_files=False).execute_workplan(plan)
    again = open_store(store.url)
    monkeypatch.setattr(again.costs, "read", lambda: pytest.fail("the costs were read"))
    result = ExecutionEngine(again, executor="synchronous").execute_workplan(plan)
    assert result.cached_operations == 1


def test_a_silent_store_is_not_waited_for() -> None:
    """The run goes on with hints; what comes later is for the next run."""
    store = fresh_store()
    scripted = Scripted(store, silent=True)
    costs = RunCosts(scripted, wait_seconds=0.0)  # type: ignore[arg-type]  # as above
    nodes, keys = _nodes("costs.work")
    costs.prepare(nodes, keys)
    assert scripted.reads == 1
    assert _seconds(costs, nodes, keys[0]) is None
    scripted.answer()


def test_what_a_run_has_measured_is_written_at_its_end() -> None:
    """The next run of any process knows the costs; a short run is not worth a request."""
    store = fresh_store()
    nodes, keys = _nodes("costs.work", "costs.work")
    costs = RunCosts(store)
    costs.record(nodes, [_report(keys[0], WORTH_SECONDS / 2)])
    costs.flush()
    assert store._backend.get(COSTS_PATH) is None
    costs.record(nodes, [_report(keys[1], WORTH_SECONDS)])
    costs.flush()
    found = open_store(store.url).costs.read().find("costs.work", 0)
    assert found is not None
    assert found.seconds == WORTH_SECONDS / 2


def test_long_runs_write_now_and_then() -> None:
    """What a run of hours has measured is known before it ends."""
    store, now = fresh_store(), [0.0]
    nodes, keys = _nodes("costs.work")
    costs = RunCosts(store, clock=lambda: now[0])
    costs.record(nodes, [_report(keys[0], 5.0)])
    assert not len(store.costs.read())
    now[0] = FLUSH_SECONDS + 1
    costs.record(nodes, [_report(keys[0], 5.0)])
    wait_until(lambda: store._backend.get(COSTS_PATH) is not None)


def test_a_run_does_not_wait_for_a_store_that_takes_long_to_write() -> None:
    """It measures on; what was measured meanwhile is written after that, at last."""
    scripted, now = Scripted(fresh_store(), silent=True), [0.0]
    nodes, keys = _nodes("costs.work")
    costs = RunCosts(scripted, clock=lambda: now[0])  # type: ignore[arg-type]  # as above
    for _ in range(3):
        now[0] += FLUSH_SECONDS + 1
        costs.record(nodes, [_report(keys[0], 5.0)])
        assert scripted.asked.wait(30)
        assert not scripted.added
    costs.flush(wait_seconds=0.0)
    assert not scripted.added
    scripted.answer()
    costs.flush()
    first, rest = scripted.added
    assert [len(first), len(rest)] == [1, 1]


def test_a_store_that_fails_does_no_harm() -> None:
    """Measured costs that cannot be written are dropped."""
    costs = RunCosts(Scripted(fresh_store()))  # type: ignore[arg-type]  # as above
    nodes, keys = _nodes("costs.work")
    costs.record(nodes, [_report(keys[0], 2 * WORTH_SECONDS)])
    costs.flush()


def _tasks(keys: Sequence[ResultKey], seconds: float = float("inf")) -> list[FusionGroup]:
    return [FusionGroup([key], [key], seconds=seconds) for key in keys]


def test_time_left_is_known_as_soon_as_each_kernel_was_measured() -> None:
    """It is the work that is left, divided by the threads; it goes down to nothing."""
    costs = RunCosts(None, clock=lambda: 0.0)
    nodes, keys = _nodes(*["costs.work"] * 5)
    costs.planned(nodes, _tasks(keys))
    assert costs.seconds_left(2) is None
    costs.record(nodes, [_report(keys[0], 3.0)])
    assert costs.seconds_left(2) == 6.0
    costs.record(nodes, [_report(key, 3.0, Status.FOUND) for key in keys[1:]])
    assert costs.seconds_left(2) == 0.0


def test_time_left_passes_while_operations_run() -> None:
    """An estimate of minutes is not shown unchanged for minutes, and is never negative."""
    now = [100.0]
    costs = RunCosts(None, clock=lambda: now[0])
    nodes, keys = _nodes(*["costs.work"] * 3)
    costs.planned(nodes, _tasks(keys))
    costs.record(nodes, [_report(keys[0], 60.0)])
    assert costs.seconds_left(1) == 120.0
    now[0] = 150.0
    assert costs.seconds_left(1) == 70.0
    now[0] = 300.0
    assert costs.seconds_left(1) == 0.0


def test_without_a_thread_there_is_no_time_left() -> None:
    """Before the first worker is there, nothing says when a run will end."""
    costs = RunCosts(None)
    nodes, keys = _nodes("costs.work", "costs.work")
    costs.planned(nodes, _tasks(keys))
    costs.record(nodes, [_report(keys[0], 3.0)])
    assert costs.seconds_left(0) is None
    assert costs.seconds_left(1) is not None


def test_operations_that_need_each_other_are_not_divided_by_the_threads() -> None:
    """A chain takes its own time, by what its operations take in this run."""
    make = PlanMaker()
    value = make("costs.work", 1.0)
    for _ in range(4):
        value = make("costs.work", value)
    make.show("last", value)
    nodes = key_graph(make.plan(), registry()).nodes
    keys = [key for key, node in nodes.items() if isinstance(node, KeyOperation)]
    costs = RunCosts(None, clock=lambda: 0.0)
    costs.planned(nodes, _tasks(keys))
    costs.record(nodes, [_report(keys[0], 3.0)])
    assert costs.seconds_left(8) == 12.0
