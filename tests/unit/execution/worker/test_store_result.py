"""What is stored of chains and sweeps whose operations are tasks of their own."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pytest

from tests.support.plans_and_runs import PlanMaker, fresh_store
from voxk8s.execution.operation_reports import Report
from voxk8s.execution.retry import RetryPolicy
from voxk8s.execution.tasks.fusion import FusionGroup
from voxk8s.execution.tasks.task import TaskOptions, build_tasks
from voxk8s.execution.worker import keeping, runtime
from voxk8s.execution.worker.run_task import run_task
from voxk8s.execution.worker.task_context import Clock, RunSpec
from voxk8s.kernels import kernel, registry
from voxk8s.plan import KeyConstant, key_graph
from voxk8s.values import Array

RUN = "run of test_store_result"
_time = [0.0]


@kernel("keep.first")
def first(seconds: float) -> Array:
    """Return 36 MB after some seconds of the scripted clock."""
    _time[0] += seconds
    return np.zeros(4_500_000)


@kernel("keep.next")
def following(array: Array, seconds: float) -> Array:
    """Return the array after some seconds of the scripted clock."""
    _time[0] += seconds
    return array


@pytest.fixture
def reports() -> Iterator[list[Report]]:
    """The reports of the run, in a process that has computed nothing before."""
    keeping._values.clear()
    keeping._budgets.clear()
    kept: list[Report] = []
    runtime.subscribe(RUN, lambda _, found: kept.extend(found))
    yield kept
    runtime.forget_run(RUN)


def _run_chain(length: int, seconds: float, store_bytes: float = 1e12) -> None:
    """Run a chain of operations on 36 MB, each a task of its own."""
    make = PlanMaker()
    node = make("keep.first", seconds)
    for number in range(1, length):
        node = make("keep.next", node, seconds + number * 1e-9)
    make.show("end", node)
    graph = key_graph(make.plan(), registry())
    groups = [
        FusionGroup([key], [key])
        for key, each in graph.nodes.items()
        if not isinstance(each, KeyConstant)
    ]
    tasks = build_tasks(groups, graph.nodes, TaskOptions(goals=(), must_store=(), cheap=()))
    store = fresh_store()
    run = RunSpec(
        RUN,
        store.url,
        store,
        True,
        True,
        False,
        "auto",
        RetryPolicy(),
        0.0,
        store_bytes=store_bytes,
    )
    value: list[object] = []
    for task in tasks.values():
        now = lambda: _time[0]  # noqa: E731  # both of its faces
        value = [run_task(task, run, *value, clock=Clock(now, now))]


def _stored(reports: list[Report]) -> list[int]:
    return [number for number, report in enumerate(reports, 1) if report.stored]


def test_a_chain_of_half_seconds_is_stored_now_and_then(reports: list[Report]) -> None:
    """No single operation is worth storing 36 MB, but four of them are."""
    _run_chain(8, 0.4)
    assert _stored(reports) == [4, 8]


def test_a_chain_of_milliseconds_is_not_stored(reports: list[Report]) -> None:
    """A hundred operations of a sweep are computed again faster than they are read."""
    _run_chain(100, 0.01)
    assert _stored(reports) == []


def test_a_run_stores_no_more_bytes_than_it_may(reports: list[Report]) -> None:
    """The limit of a run ends the storing of intermediate results."""
    _run_chain(8, 30.0, store_bytes=0.0)
    assert _stored(reports) == []
