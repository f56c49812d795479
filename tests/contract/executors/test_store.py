"""What every executor must do with a store: not use it, renew it, and bear its losses."""

from __future__ import annotations

import json
import math
import shutil
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from tests.support.plans_and_runs import (
    Memory,
    PlanMaker,
    engine_on,
)
from voxk8s.execution.events import NonDeterminism
from voxk8s.execution.executors.protocol import Executor
from voxk8s.kernels import registry
from voxk8s.plan import KeyOperation, ResultKey, key_graph
from voxk8s.storage import ResultStore, Selection, open_store
from voxk8s.storage.layout import record_path
from voxk8s.storage.record import encode_record
from voxk8s.storage.value_codec import digest_of
from voxk8s.values import SavedFile


def test_bypass_leaves_the_store_alone(
    executor: Executor, store: ResultStore, make: PlanMaker
) -> None:
    """Results are neither read nor written, and goals have their values all the same."""
    make.show("x", make("test.identity", make("addition", 1.0, 2.0)))
    make.save("x.json", make("addition", 1.0, 2.0))
    engine = engine_on(store, executor, cache="bypass", run_folder="ns/name/uid")
    for _ in range(2):
        result = engine.execute_workplan(make.plan())
        assert result["x"] == 3.0
        assert result.completed_operations == 3
        assert result.goals[1].load() == SavedFile(b"3.0\n", ".json", "application/json")
    assert store.stats().records == 0
    url = result.goals[1].url
    data = store.read_run_file(url.partition("/runs/")[2])
    assert data == b"3.0\n"


def test_refresh_sees_what_is_not_deterministic(
    executor: Executor, store: ResultStore, make: PlanMaker
) -> None:
    """Refresh computes known operations and reports those with another value."""
    make.show("x", make("test.nondeterministic", 1.0))
    make.show("y", make("addition", 1.0, 1.0))
    plan = make.plan()
    first = engine_on(store, executor).execute_workplan(plan)
    memory = Memory()
    engine = engine_on(store, executor, cache="refresh", listeners=[memory])
    second = engine.execute_workplan(plan)
    assert second.completed_operations == 2
    assert second["x"] != first["x"]
    assert len(second.nondeterministic) == 1
    assert len(memory.of(NonDeterminism)) == 1


def test_refresh_leaves_no_old_intermediate_result_behind(
    executor: Executor, store: ResultStore, make: PlanMaker
) -> None:
    """It replaces the results that the store has, worth storing or not, and reports differences."""
    inner = make("multiplication", 2.0, 1.0)
    outer = make("test.identity", make("addition", inner, 1.0))
    make.show("x", make("addition", outer, 1.0))
    plan = make.plan()
    assert engine_on(store, executor, policy="all").execute_workplan(plan)["x"] == 4.0
    graph = key_graph(plan, registry())
    keys = {node.kernel: key for key, node in graph.nodes.items() if isinstance(node, KeyOperation)}
    wrong = [keys["default.multiplication"], keys["test.identity"]]
    for key in wrong:
        store.put(key, 101.0, replace=True)
    memory = Memory()
    engine = engine_on(store, executor, cache="refresh", listeners=[memory])
    assert engine.execute_workplan(plan)["x"] == 4.0
    assert {event.key for event in memory.of(NonDeterminism)} == set(wrong)
    other = PlanMaker("vox1")
    inner = other("multiplication", 2.0, 1.0)
    other.show("x", other("multiplication", inner, 2.0))
    other.show("y", other("test.identity", other("addition", inner, 1.0)))
    result = engine_on(store, executor).execute_workplan(other.plan())
    assert dict(result) == {"x": 4.0, "y": 3.0}
    assert result.cached_operations > 0


def test_invalidation_reaches_goals_through_results_that_are_not_stored(
    executor: Executor, store: ResultStore, make: PlanMaker
) -> None:
    """Between a kernel and a goal lie operations whose results are worth no record."""
    make.show("x", make("addition", make("addition", make("test.identity", 2.0), 1.0), 1.0))
    make.show("y", make("addition", 1.0, 1.0))
    plan, engine = make.plan(), engine_on(store, executor, policy="goals")
    assert engine.execute_workplan(plan)["x"] == 4.0
    assert store.stats().records == 2
    done = store.invalidate(Selection("test.identity"))
    assert (done.selected, done.dependent, done.left) == (0, 1, 1)
    result = engine.execute_workplan(plan)
    assert (result["x"], result.completed_operations) == (4.0, 3)


def test_a_lost_blob_is_computed_again(
    executor: Executor, store: ResultStore, make: PlanMaker, tmp_path: Path
) -> None:
    """A known result that turns out to be gone when it is needed is computed after all."""
    base = make("test.identity", make("addition", 1.0, 2.0))
    first = PlanMaker("vox1")
    first.show("base", first("test.identity", first("addition", 1.0, 2.0)))
    engine_on(store, executor).execute_workplan(first.plan())
    make.show("x", make("addition", base, 1.0))

    class Forgetful:
        """Deletes the keys that it has just reported as present."""

        def __init__(self) -> None:
            self.done = False

        def __getattr__(self, name: str) -> object:
            return getattr(store, name)

        def contains(self, keys: Iterable[ResultKey]) -> set[str]:
            found = store.contains(keys)
            if found and not self.done:
                self.done = True
                store.delete(found)
            return found

        def __reduce__(self) -> tuple[object, ...]:
            return store.__reduce__()

    forgetful: Any = Forgetful()
    result = engine_on(forgetful, executor).execute_workplan(make.plan())
    assert dict(result) == {"x": 4.0}


@pytest.mark.parametrize("harm", ["changed", "deleted"])
def test_goals_whose_bytes_are_spoilt_are_computed_again(
    executor: Executor, make: PlanMaker, tmp_path: Path, harm: str
) -> None:
    """Blobs of known goals that were changed or deleted: right values and files all the same."""
    numbers = [math.sin(number) for number in range(4000)]
    values = make("test.identity", make("sequence", *numbers))
    make.show("values", values)
    make.save("values.json", values)
    plan, folder = make.plan(), tmp_path / "store"
    engine_on(open_store(str(folder)), executor).execute_workplan(plan)
    blobs = [path for path in (folder / "cas").rglob("*") if path.is_file()]
    assert len(blobs) == 2
    for blob in blobs:
        data = blob.read_bytes()
        blob.unlink()
        if harm == "changed":
            blob.write_bytes(data[:-9] + bytes([data[-9] ^ 1]) + data[-8:])
    store = open_store(str(folder))
    engine = engine_on(store, executor, output=tmp_path / "out", write_files=True)
    result = engine.execute_workplan(plan)
    assert result.success
    assert result["values"] == numbers
    assert json.loads((tmp_path / "out" / "values.json").read_bytes()) == numbers
    assert result.completed_operations >= 1
    assert engine_on(open_store(str(folder)), executor).execute_workplan(plan)["values"] == numbers


def test_records_of_another_version_are_computed_again(
    executor: Executor, store: ResultStore, make: PlanMaker
) -> None:
    """A record with a value that this version cannot decode is not a result."""
    make.show("sum", make("addition", 1.0, 2.0))
    plan = make.plan()
    key = engine_on(store, executor).execute_workplan(plan).goals[0].key
    assert key is not None
    record = store.record(key)
    assert record is not None
    assert record.inline is not None
    value = b"LATER" + record.inline[5:]
    later = replace(record, inline=value, digest=digest_of((value,)))
    store._backend.write(record_path(key), (encode_record(later),), "application/json")
    for computed in (1, 0):
        result = engine_on(store, executor).execute_workplan(plan)
        assert dict(result) == {"sum": 3.0}
        assert result.completed_operations == computed


def test_results_that_go_between_two_runs_are_computed_again(
    executor: Executor, make: PlanMaker, tmp_path: Path
) -> None:
    """What an open store remembers to hold may be gone: goals, and sequences of loops."""
    make.show("sum", make("addition", 1.0, 2.0))
    plan, folder = make.plan(), tmp_path / "store"
    store = open_store(str(folder))
    for _ in range(2):
        result = engine_on(store, executor).execute_workplan(plan)
        assert dict(result) == {"sum": 3.0}
        assert (result.completed_operations, result.cached_operations) == (1, 0)
        shutil.rmtree(folder / "ac")
