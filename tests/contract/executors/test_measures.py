"""What every executor must tell of a run: what happened at the store, and the work by kernel."""

from __future__ import annotations

from tests.support.plans_and_runs import PlanMaker, engine_on
from voxk8s.execution.executors.protocol import Executor
from voxk8s.storage import ResultStore


def _three(make: PlanMaker) -> list[str]:
    numbers = [make("test.identity", float(number)) for number in (2, 3, 4)]
    for number, node in enumerate(numbers):
        make.show(f"x{number}", node)
    return numbers


def test_computed_goals_are_counted_where_they_were_stored(
    executor: Executor, store: ResultStore, make: PlanMaker
) -> None:
    """Three keys are unknown, and three results are created, whichever process does that."""
    _three(make)
    result = engine_on(store, executor).execute_workplan(make.plan())
    counts = result.store
    assert (counts.known, counts.unknown, counts.created, counts.hits) == (0, 3, 3, 0)
    assert counts.bytes_written > 0
    assert counts.requests >= 6
    kernel = result.kernels["test.identity"]
    assert (kernel.computed, kernel.found, kernel.failed) == (3, 0, 0)
    assert kernel.seconds > 0
    assert kernel.bytes > 0


def test_known_results_that_a_task_reads_are_hits(
    executor: Executor, store: ResultStore, make: PlanMaker
) -> None:
    """A new operation on three known results reads each once."""
    _three(make)
    engine = engine_on(store, executor)
    engine.execute_workplan(make.plan())
    more = PlanMaker("vox1")
    first, second, third = (more("test.identity", float(number)) for number in (2, 3, 4))
    more.show("sum", more("addition", more("addition", first, second), third))
    result = engine.execute_workplan(more.plan())
    assert result["sum"] == 9.0
    counts = result.store
    assert (counts.hits, counts.misses, counts.known, counts.created) == (3, 0, 3, 1)
    assert counts.bytes_read > 0
    assert result.kernels["test.identity"].found == 3
    assert result.kernels["default.addition"].computed == 2


def test_what_happened_before_a_run_is_not_its_own(
    executor: Executor, store: ResultStore, make: PlanMaker
) -> None:
    """A run whose goals are all known looks them up, and nothing else."""
    _three(make)
    engine = engine_on(store, executor)
    engine.execute_workplan(make.plan())
    for _ in range(5):
        store.get("0" * 64)
    counts = engine.execute_workplan(make.plan()).store
    assert (counts.hits, counts.misses, counts.known, counts.unknown) == (0, 0, 3, 0)
