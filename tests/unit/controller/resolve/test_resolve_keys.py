"""Key graphs of plans as far as the store determines them."""

from __future__ import annotations

from typing import Any

import pytest

from tests.support import workplans
from voxk8s import compile_program
from voxk8s.controller.resolve.resolve_keys import resolve_keys
from voxk8s.execution import ExecutionEngine, load_plan
from voxk8s.inputs.input_options import InputOptions
from voxk8s.kernels import registry
from voxk8s.plan import WorkPlan
from voxk8s.storage import Miss, ResultStore, open_store
from voxk8s.values import Value

OPTIONS = InputOptions(local_allowed=False, allowed_prefixes=("s3://none/",))


@pytest.fixture
def store() -> ResultStore:
    """An empty store."""
    return open_store("memory://resolve-keys")


def plan() -> WorkPlan:
    """Make a plan of two operations."""
    nodes = [
        workplans.constant("a", 5),
        workplans.operation("s", "addition", "a", "a"),
        workplans.operation("p", "multiplication", "s", "a"),
    ]
    return load_plan(workplans.document(nodes, [workplans.show("p")]))


def test_new_plan_computes_all(store: ResultStore) -> None:
    """Every operation of a plan without results is to be computed."""
    graph, found = resolve_keys(plan(), store, "Use", OPTIONS, registry())
    assert not graph.unpinned
    assert (found.total, found.cached, len(found.compute)) == (2, 0, 2)


@pytest.mark.parametrize(("cache", "compute"), [("Use", 0), ("Refresh", 2), ("Bypass", 2)])
def test_results_of_the_store(store: ResultStore, cache: Any, compute: int) -> None:
    """Known results are used only with `cache: Use`."""
    assert ExecutionEngine(store, write_files=False).execute_workplan(plan()).success
    _, found = resolve_keys(plan(), store, cache, OPTIONS, registry())
    assert len(found.compute) == compute


def test_input_that_may_not_be_read_stays_unpinned(store: ResultStore) -> None:
    """An input outside the allowed prefixes has no key; the runner pins it."""
    nodes = [
        workplans.constant("u", "s3://elsewhere/x.nii"),
        workplans.operation("i", "load", "u"),
        workplans.operation("v", "vox1.volume", "i"),
    ]
    graph, _ = resolve_keys(
        load_plan(workplans.document(nodes, [workplans.show("v")])),
        store,
        "Use",
        OPTIONS,
        registry(),
    )
    assert [str(ref.arguments[0]) for ref in graph.unpinned.values()] == ["s3://elsewhere/x.nii"]


def test_unknown_sequences_are_not_read(
    store: ResultStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Sequences of loops are looked up together; only those in the store are read."""
    reads: list[str] = []

    def get(key: str) -> Value | Miss:
        reads.append(key)
        return ResultStore.get(store, key)

    monkeypatch.setattr(store, "get", get)
    loops = "".join(f'print "{n}" for i in range(0, {n} + 1) do i + 1\n' for n in range(1, 5))
    graph, _ = resolve_keys(compile_program(loops), store, "Use", OPTIONS, registry())
    assert len(graph.deferred) == 4
    assert reads == []
