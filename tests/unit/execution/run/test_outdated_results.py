"""Stored results that a refreshing run cannot compute any more."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import pytest

from tests.support.plans_and_runs import Memory, PlanMaker, engine_on, fresh_store
from voxk8s.errors import KernelVersionMismatch, StoreAccessDenied, TransientError
from voxk8s.execution import ExecutionResult
from voxk8s.execution.events import NonDeterminism
from voxk8s.execution.executors.synchronous import SynchronousExecutor
from voxk8s.execution.run_config import CacheMode, OnFailure
from voxk8s.kernels import kernel
from voxk8s.plan import WorkPlan
from voxk8s.storage import ResultStore

FAILS: list[BaseException] = []
"""What the kernel raises; it returns a value while there is nothing."""


@kernel("outdated.f", version=1)
def f(x: float) -> float:
    """Return twice a number, or fail."""
    if FAILS:
        raise FAILS[0]
    return 2 * x


@pytest.fixture(autouse=True)
def sound() -> None:
    """The kernel returns values."""
    FAILS.clear()


def _plan() -> WorkPlan:
    """Return a plan with the kernel's value, one that depends on it, and one that does not."""
    make = PlanMaker()
    value = make("outdated.f", 2.0)
    make.show("value", value)
    make.show("sum", make("addition", value, 1.0))
    make.show("other", make("addition", 3.0, 4.0))
    make.show("recovered", make("sequences.recover", value, 0.0))
    return make.plan()


def _run(
    store: ResultStore, cache: CacheMode = CacheMode.USE, **options: object
) -> tuple[ExecutionResult, list[str]]:
    """Run the plan; return its result and the kernels whose results differed."""
    memory = Memory()
    engine = engine_on(store, SynchronousExecutor(), listeners=[memory], cache=cache, **options)
    result = engine.execute_workplan(_plan())
    return result, [event.kernel for event in memory.of(NonDeterminism)]


def _values(result: ExecutionResult) -> dict[str, object]:
    return {goal.goal.name: goal.load() for goal in result.goals if goal.succeeded}


ALL = {"value": 4.0, "sum": 5.0, "other": 7.0, "recovered": 4.0}


def test_results_that_cannot_be_computed_any_more_are_deleted(
    caplog: pytest.LogCaptureFixture,
) -> None:
    """Those that depend on the operation that fails, too; each is reported as a difference."""
    store = fresh_store()
    assert _values(_run(store)[0]) == ALL
    FAILS.append(ValueError("no such thing"))
    result, different = _run(store, CacheMode.REFRESH)
    assert _values(result) == {"other": 7.0, "recovered": 0.0}
    assert sorted(different) == ["default.addition", "outdated.f", "sequences.recover"]
    assert len(result.nondeterministic) == 3
    assert "2 stored results that cannot be computed any more were deleted" in caplog.text
    after, different = _run(store)
    assert _values(after) == {"other": 7.0, "recovered": 0.0}
    assert different == []


def test_a_run_that_stops_at_the_first_failure_deletes_them_too() -> None:
    """Operations that were not started would have failed, or have had other values."""
    store = fresh_store()
    _run(store)
    FAILS.append(ValueError("no such thing"))
    _run(store, CacheMode.REFRESH, on_failure=OnFailure.FAIL_FAST)
    assert _values(_run(store)[0]) == {"other": 7.0, "recovered": 0.0}


@pytest.mark.parametrize(
    "error",
    [
        MemoryError(),
        TransientError("the worker is gone"),
        KernelVersionMismatch("another version"),
        ModuleNotFoundError("no torch"),
        OSError("no space left on device"),
    ],
)
def test_failures_that_say_nothing_of_the_value_delete_nothing(error: BaseException) -> None:
    """What surrounds a kernel may be the cause: the stored results may be right."""
    store = fresh_store()
    _run(store)
    FAILS.append(error)
    result, different = _run(store, CacheMode.REFRESH)
    assert not result.success
    assert not {"outdated.f", "default.addition"} & set(different)
    again = _values(_run(store)[0])
    assert (again["value"], again["sum"]) == (4.0, 5.0)


@pytest.mark.parametrize("cache", [CacheMode.USE, CacheMode.BYPASS])
def test_only_a_refresh_deletes(cache: CacheMode) -> None:
    """Other runs use what is there, or leave the store alone."""
    store = fresh_store()
    _run(store)
    FAILS.append(ValueError("no such thing"))
    assert _run(store, cache)[1] == []
    FAILS.clear()
    assert _values(_run(store)[0]) == ALL


def test_without_the_right_to_delete_it_is_only_reported(
    caplog: pytest.LogCaptureFixture,
) -> None:
    """The message says that later runs get the old values, and what to do."""
    store = fresh_store()
    _run(store)

    class CreateOnly:
        def __getattr__(self, name: str) -> object:
            return getattr(store, name)

        def delete(self, keys: Iterable[str]) -> None:
            raise StoreAccessDenied("DeleteObject is not allowed")

    FAILS.append(ValueError("no such thing"))
    refused: Any = CreateOnly()
    result, different = _run(refused, CacheMode.REFRESH)
    assert not result.success
    assert sorted(different) == ["default.addition", "outdated.f", "sequences.recover"]
    assert "cannot be computed any more and stay in the store" in caplog.text
    assert "DeleteObject is not allowed" in caplog.text
