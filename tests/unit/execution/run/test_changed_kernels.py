"""Kernels whose code changed under the same version."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from pathlib import Path
from typing import Any

import pytest

from tests.support.plans_and_runs import Memory, PlanMaker, engine_on, fresh_store
from voxk8s.errors import StoreUnreachable
from voxk8s.execution.events import KernelChanged
from voxk8s.execution.executors.synchronous import SynchronousExecutor
from voxk8s.execution.run.changed_kernels import SAMPLE, ChangedKernels
from voxk8s.execution.run_config import CacheMode
from voxk8s.kernels import KernelRegistry, kernel, registry
from voxk8s.plan import WorkPlan, key_graph
from voxk8s.storage import Record, ResultStore, open_store

CELL = "@kernel('changed.f'{version})\ndef f(x: float) -> float:\n    return x * {factor}\n"


def _run_cell(factor: float, version: str = ", version=1") -> None:
    exec(CELL.format(version=version, factor=factor), {"kernel": kernel, "__name__": "__main__"})


def _plan() -> PlanMaker:
    make = PlanMaker()
    for number in range(3):
        make.show(f"x{number}", make("changed.f", float(number)))
    return make


def _run(store: ResultStore) -> tuple[object, list[KernelChanged]]:
    memory = Memory()
    engine = engine_on(store, SynchronousExecutor(), listeners=[memory])
    return engine.execute_workplan(_plan().plan())["x2"], memory.of(KernelChanged)


def test_a_change_under_one_version_is_reported_once_a_run(
    caplog: pytest.LogCaptureFixture,
) -> None:
    """At the first hit, with what to do; the stored values are used all the same."""
    store = fresh_store()
    _run_cell(2)
    assert _run(store) == (4.0, [])
    assert _run(store) == (4.0, [])
    _run_cell(3)
    assert _run(store) == (4.0, [KernelChanged("changed.f", 1)])
    [said] = [each.getMessage() for each in caplog.records if "changed.f" in each.getMessage()]
    assert "raise the version, or run `voxk8s store invalidate --kernel changed.f`" in said


def _sums(*goals: str) -> WorkPlan:
    make = PlanMaker()
    below = make("changed.f", 2.0)
    for number, goal in enumerate(goals):
        make.show(goal, make("addition", below, float(number)))
    return make.plan()


def _sum_of_known(
    store: ResultStore, *goals: str, cache: CacheMode = CacheMode.USE
) -> tuple[object, list[KernelChanged]]:
    """Run a plan whose goals are sums over the kernel, of which the store keeps the goals only."""
    memory = Memory()
    engine = engine_on(store, SynchronousExecutor(), listeners=[memory], cache=cache)
    return engine.execute_workplan(_sums(*goals))[goals[-1]], memory.of(KernelChanged)


def test_a_change_below_a_known_goal_is_reported() -> None:
    """The kernel itself is not looked up: what its code was is in the record of the goal."""
    store = fresh_store()
    _run_cell(2)
    assert _sum_of_known(store, "a") == (4.0, [])
    assert _sum_of_known(store, "a") == (4.0, [])
    _run_cell(3)
    assert _sum_of_known(store, "a") == (4.0, [KernelChanged("changed.f", 1)])
    _run_cell(2)
    assert _sum_of_known(store, "a") == (4.0, [])


def test_what_is_computed_from_an_old_value_is_reported_later_too() -> None:
    """A new goal over a stored result of the earlier code is not one of the present code."""
    store, make = fresh_store(), PlanMaker()
    _run_cell(2)
    make.show("f", make("changed.f", 2.0))
    engine_on(store, SynchronousExecutor()).execute_workplan(make.plan())
    _run_cell(3)
    changed = [KernelChanged("changed.f", 1)]
    assert _sum_of_known(store, "a", "b") == (5.0, changed)
    assert _sum_of_known(store, "a", "b") == (5.0, changed)


def test_a_refresh_records_the_code_that_gives_the_same_value(tmp_path: Path) -> None:
    """Without that, a change that alters no value would be reported for ever."""
    url = fresh_store(tmp_path).url
    _run_cell(2)
    assert _sum_of_known(open_store(url), "a") == (4.0, [])
    _run_cell(2.0)
    assert _sum_of_known(open_store(url), "a") == (4.0, [KernelChanged("changed.f", 1)])
    assert _sum_of_known(open_store(url), "a", cache=CacheMode.REFRESH) == (4.0, [])
    assert _sum_of_known(open_store(url), "a") == (4.0, [])
    _run_cell(2)
    assert _sum_of_known(open_store(url), "a") == (4.0, [KernelChanged("changed.f", 1)])


def test_what_was_invalidated_meanwhile_is_not_recorded_as_earlier_code(tmp_path: Path) -> None:
    """Another process did as it was told, while this one remembers what it has looked up."""
    store, changed = fresh_store(tmp_path), [KernelChanged("changed.f", 1)]
    _run_cell(2)
    assert _sum_of_known(store, "a", "b") == (5.0, [])
    _run_cell(3)
    assert _sum_of_known(store, "a", "b") == (5.0, changed)
    goals = key_graph(_sums("a", "b"), registry()).goals
    open_store(store.url).delete([goal.key for goal in goals if goal.key is not None])
    assert _sum_of_known(store, "a", "b")[0] == 7.0
    assert _sum_of_known(open_store(store.url), "a", "b") == (7.0, [])


def test_a_kernel_without_a_version_is_never_served_an_old_value() -> None:
    """Nothing needs to be reported."""
    store = fresh_store()
    for factor, value in ((2, 4.0), (3, 6.0), (2, 4.0)):
        _run_cell(factor, version="")
        assert _run(store) == (value, [])


def test_records_without_a_digest_are_not_compared() -> None:
    """Earlier versions wrote such."""
    store = fresh_store()
    _run_cell(2)
    graph = key_graph(_plan().plan(), registry())
    for goal in graph.goals:
        assert goal.key is not None
        store.put(goal.key, 1.0)
    keys = [goal.key for goal in graph.goals if goal.key is not None]
    assert ChangedKernels(store).find(keys, graph.nodes) == []


def test_a_store_that_does_not_answer_delays_nothing() -> None:
    """The comparison is left out."""

    class Silent:
        def looked_up(self, keys: Iterable[str]) -> dict[str, Record]:
            return {}

        def records(self, keys: Iterable[str], since: float) -> dict[str, Record]:
            raise StoreUnreachable("no answer")

    silent: Any = Silent()
    _run_cell(2)
    graph = key_graph(_plan().plan(), registry())
    keys = [goal.key for goal in graph.goals if goal.key is not None]
    assert ChangedKernels(silent).find(keys, graph.nodes) == []


def test_kernels_of_voxk8s_cost_no_requests() -> None:
    """Their versions change when their values do."""
    make = PlanMaker()
    make.show("x", make("addition", 1.0, 2.0))
    graph = key_graph(make.plan(), registry())
    keys = [goal.key for goal in graph.goals if goal.key is not None]
    nothing: Any = None
    own = KernelRegistry({name: registry().spec(name) for name in ("default.addition",)})
    assert ChangedKernels(nothing, own).find(keys, graph.nodes) == []
    assert ChangedKernels(nothing, own).codes(graph.nodes) == {}


def test_results_whose_look_up_is_remembered_cost_no_requests() -> None:
    """Of others, some of each kernel are asked for."""
    store = fresh_store()
    _run_cell(2)
    make = PlanMaker()
    for number in range(SAMPLE + 4):
        make.show(f"x{number}", make("changed.f", float(number)))
    engine_on(store, SynchronousExecutor()).execute_workplan(make.plan())
    graph = key_graph(make.plan(), registry())
    keys = [goal.key for goal in graph.goals if goal.key is not None]
    asked: list[int] = []

    class Counted:
        def __init__(self, remembered: int) -> None:
            self.remembered = remembered

        def looked_up(self, _: Iterable[str]) -> dict[str, Record]:
            return store.looked_up(keys[: self.remembered])

        def records(self, keys: Collection[str], since: float) -> dict[str, Record]:
            asked.append(len(keys))
            return store.records(keys, since)

    _run_cell(3)
    for remembered in (len(keys), 2, 0):
        counted: Any = Counted(remembered)
        changed = ChangedKernels(counted)
        assert changed.find(keys, graph.nodes) == [KernelChanged("changed.f", 1)]
        assert changed.find(keys, graph.nodes) == []
    assert asked == [SAMPLE, SAMPLE]


def test_code_without_a_digest_is_not_compared() -> None:
    """A kernel with a version may use values that are nested too deep to compare."""
    source = "deep = ()\nfor _ in range(100_000):\n    deep = (deep,)\n" + CELL.format(
        version=", version=1", factor=2
    ).replace("x * 2", "x * 2 + len(deep)")
    exec(source, {"kernel": kernel, "__name__": "__main__"})
    store = fresh_store()
    assert _run(store) == (5.0, [])
    assert _run(store) == (5.0, [])
    _run_cell(2)
    assert _run(store) == (5.0, [])
