"""Kernels whose code changed under the same version."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import pytest

from tests.support.plans_and_runs import Memory, PlanMaker, engine_on, fresh_store
from voxk8s.errors import StoreUnreachable
from voxk8s.execution.events import KernelChanged
from voxk8s.execution.executors.synchronous import SynchronousExecutor
from voxk8s.execution.run.changed_kernels import ChangedKernels
from voxk8s.kernels import kernel, registry
from voxk8s.plan import key_graph
from voxk8s.storage import Record, ResultStore

CELL = "@kernel('changed.f'{version})\ndef f(x: float) -> float:\n    return x * {factor}\n"


def _run_cell(factor: int, version: str = ", version=1") -> None:
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
    assert ChangedKernels(nothing).find(keys, graph.nodes) == []
