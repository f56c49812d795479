"""What every executor must do, run on each of them."""

from __future__ import annotations

import json
import logging
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from distributed import Client, LocalCluster

from tests.support.executions import (
    QUICK,
    Memory,
    PlanMaker,
    RaisingExecutor,
    fresh_store,
    write_image,
)
from voxk8s.execution import ExecutionEngine, close_shared_dask_client
from voxk8s.execution.events import GoalFailed, NonDeterminism, OperationFailed, OperationRetried
from voxk8s.execution.executors import Executor, find_executor
from voxk8s.execution.executors.distributed import DistributedExecutor
from voxk8s.storage import ResultStore, open_store
from voxk8s.values import Image, SavedFile


@pytest.fixture(scope="module")
def environment() -> Iterator[None]:
    """Switch the test kernels on, here and in workers."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("VOXK8S_TEST_KERNELS", "1")
        yield


@pytest.fixture(scope="module", params=["synchronous", "local", "distributed"])
def executor(request: pytest.FixtureRequest, environment: None) -> Iterator[Executor]:
    """Every executor in turn."""
    if request.param != "distributed":
        yield find_executor(request.param)
        close_shared_dask_client()
        return
    with (
        LocalCluster(
            n_workers=2,
            threads_per_worker=2,
            processes=True,
            dashboard_address=None,
            silence_logs=logging.CRITICAL,
        ) as cluster,
        Client(cluster) as client,
    ):
        yield DistributedExecutor(client)


@pytest.fixture
def store(executor: Executor, tmp_path: Path) -> ResultStore:
    """A store of its own, in a folder where processes share it."""
    return fresh_store(None if executor.is_local else tmp_path)


@pytest.fixture
def make() -> PlanMaker:
    """An empty plan."""
    return PlanMaker("vox1")


def _engine(store: ResultStore, executor: Executor, **options: object) -> ExecutionEngine:
    options.setdefault("write_files", False)
    return ExecutionEngine(store, executor=executor, retry=QUICK, **options)  # type: ignore[arg-type]


def test_goals_have_their_values(executor: Executor, store: ResultStore, make: PlanMaker) -> None:
    """Values come by goal name in goal order, and counts say what was done."""
    total = make("addition", 5.0, 3.0)
    make.show("sum", total)
    make.show("product", make("multiplication", total, 2.0))
    result = _engine(store, executor).execute_workplan(make.plan())
    assert list(result.items()) == [("sum", 8.0), ("product", 16.0)]
    assert result.success
    assert (result.total_operations, result.completed_operations, result.cached_operations) == (
        2,
        2,
        0,
    )


def test_a_known_plan_computes_nothing(
    executor: Executor, store: ResultStore, make: PlanMaker
) -> None:
    """The second run finds everything in the store and never starts an executor."""
    make.show("sum", make("addition", make("addition", 1.0, 2.0), 3.0))
    plan = make.plan()
    _engine(store, executor).execute_workplan(plan)
    result = _engine(store, RaisingExecutor()).execute_workplan(plan)
    assert dict(result) == {"sum": 6.0}
    assert (result.completed_operations, result.cached_operations) == (0, 1)
    assert result.goals[0].cached


def test_arguments_keep_their_order(
    executor: Executor, store: ResultStore, make: PlanMaker
) -> None:
    """A call with more than ten arguments gets them in the order of their numbers."""
    items = [make("addition", float(number), 0.0) for number in range(13)]
    make.show("xs", make("sequence", *items))
    result = _engine(store, executor).execute_workplan(make.plan())
    assert result["xs"] == [float(number) for number in range(13)]


def test_a_failure_fails_only_what_needs_it(
    executor: Executor, store: ResultStore, make: PlanMaker
) -> None:
    """Goals above a failed operation are absent with a reason; all others have their values."""
    bad = make("test.fail", "no such luck")
    make.show("bad", make("addition", make("addition", bad, 1.0), 1.0))
    make.show("good", make("addition", 1.0, 1.0))
    memory = Memory()
    engine = _engine(store, executor, listeners=[memory])
    result = engine.execute_workplan(make.plan())
    assert dict(result) == {"good": 2.0}
    assert not result.success
    [message] = result.failed_operations.values()
    assert "test.fail" in message
    assert "no such luck" in message
    assert "no such luck" in (result.goals[0].error or "")
    assert result.progress.failed == 1
    assert len(memory.of(GoalFailed)) == 1


def test_a_transient_failure_is_tried_again(
    executor: Executor, store: ResultStore, make: PlanMaker
) -> None:
    """An operation that fails twice succeeds at the third attempt, and events say so."""
    make.show("x", make("test.fail_times", 2.0, 7.0))
    memory = Memory()
    result = _engine(store, executor, listeners=[memory]).execute_workplan(make.plan())
    assert dict(result) == {"x": 7.0}
    [metrics] = result.metrics.values()
    assert metrics.attempts == 3
    assert len(memory.of(OperationRetried)) == 2


def test_patience_is_measured(executor: Executor, store: ResultStore, make: PlanMaker) -> None:
    """Metrics tell the attempts of an operation that failed, too."""
    make.show("x", make("test.fail_times", 99, 7.0))
    result = _engine(store, executor).execute_workplan(make.plan())
    [measured] = result.metrics.values()
    assert measured.attempts == QUICK.limit + 1


def test_patience_ends(executor: Executor, store: ResultStore, make: PlanMaker) -> None:
    """An operation that keeps failing is given up after the limit, and is then transient."""
    make.show("x", make("test.fail_times", 9.0, f"patience {executor.name}"))
    result = _engine(store, executor).execute_workplan(make.plan())
    assert "after 4 attempts" in (result.goals[0].error or "")
    assert result.goals[0].transient


def test_a_permanent_failure_is_not_tried_again(
    executor: Executor, store: ResultStore, make: PlanMaker
) -> None:
    """A kernel's own error ends the operation at once."""
    make.show("x", make("test.fail", "never"))
    memory = Memory()
    result = _engine(store, executor, listeners=[memory]).execute_workplan(make.plan())
    assert not memory.of(OperationRetried)
    assert not result.goals[0].transient


def test_fail_fast_starts_nothing_more(
    executor: Executor, store: ResultStore, make: PlanMaker
) -> None:
    """After the first failure goals that are not finished fail without being computed."""
    sleeping = make("test.sleep", 0.02)
    for _ in range(200):
        sleeping = make("test.sleep", make("test.identity", sleeping))
    make.show("bad", make("test.fail", "first"))
    make.show("slow", sleeping)
    engine = _engine(store, executor, on_failure="failfast")
    result = engine.execute_workplan(make.plan())
    assert not result.success
    assert "first" in str(result.goals[0].error)
    if executor.name != "synchronous":
        assert "slow" not in result
        assert result.completed_operations < 400


def test_saved_files_are_written(
    executor: Executor, store: ResultStore, make: PlanMaker, tmp_path: Path
) -> None:
    """A save goal's file lies below the output folder, also when its result was known."""
    make.save("deep/down/x.json", make("addition", 1.0, 2.0))
    plan = make.plan()
    for number in range(2):
        output = tmp_path / str(number)
        engine = _engine(store, executor, output=output, write_files=True)
        result = engine.execute_workplan(plan)
        assert (output / "deep/down/x.json").read_text() == "3.0\n"
        assert isinstance(result["deep/down/x.json"], SavedFile)
        assert result.goals[0].url.startswith(store.url)
        assert [path.name for path in (output / "deep/down").iterdir()] == ["x.json"]


def test_images_stay_in_the_store(
    executor: Executor, store: ResultStore, make: PlanMaker, tmp_path: Path
) -> None:
    """A large goal is shown by what it is and read from the store when asked for."""
    shape = (20, 30, 40)
    make.show("img", make("load", write_image(tmp_path / "a.nii.gz", 3.0, shape)))
    outcome = _engine(store, executor).execute_workplan(make.plan()).goals[0]
    assert outcome.line() == "image 20x30x40 float32"
    assert not outcome.has_value
    value = outcome.load()
    assert isinstance(value, Image)
    assert float(value.array.max()) == 3.0


def test_a_missing_input_fails_its_goals(
    executor: Executor, store: ResultStore, make: PlanMaker, tmp_path: Path
) -> None:
    """The URL of an input that is not there is in the message; other goals are reached."""
    missing = str(tmp_path / "nothing.nii.gz")
    make.show("v", make("volume", make("load", missing)))
    make.show("two", make("addition", 1.0, 1.0))
    memory = Memory()
    result = _engine(store, executor, listeners=[memory]).execute_workplan(make.plan())
    assert dict(result) == {"two": 2.0}
    assert missing in (result.goals[0].error or "")
    assert len(result.failed_operations) == 1
    assert [missing in event.message for event in memory.of(OperationFailed)] == [True]


def test_fail_fast_stops_at_a_missing_input(
    executor: Executor, store: ResultStore, make: PlanMaker, tmp_path: Path
) -> None:
    """An input that cannot be read is a failure like any other; what is known is still given."""
    known = make("test.identity", 4.0)
    before = PlanMaker("vox1")
    before.show("known", before("test.identity", 4.0))
    _engine(store, executor).execute_workplan(before.plan())
    make.show("v", make("volume", make("load", str(tmp_path / "nothing.nii.gz"))))
    make.show("new", make("test.identity", 3.0))
    make.show("known", known)
    result = _engine(store, executor, on_failure="failfast").execute_workplan(make.plan())
    assert dict(result) == {"known": 4.0}
    assert result.completed_operations == 0
    assert "does not exist" in (result.goals[0].error or "")


def test_a_changed_input_is_another_result(
    executor: Executor, store: ResultStore, make: PlanMaker, tmp_path: Path
) -> None:
    """The content of a file is part of the key: the same path with other bytes is computed."""
    path = tmp_path / "a.nii.gz"
    make.show("max", make("max", make("load", write_image(path, 2.0))))
    plan = make.plan()
    assert _engine(store, executor).execute_workplan(plan)["max"] == 2.0
    write_image(path, 5.0)
    assert _engine(store, executor).execute_workplan(plan)["max"] == 5.0


def test_a_loop_over_a_listing(
    executor: Executor, store: ResultStore, make: PlanMaker, tmp_path: Path
) -> None:
    """A loop whose sequence is only known at run time gives one value per item, in order."""
    for number in range(3):
        write_image(tmp_path / f"v{number}.nii.gz", float(number + 1))
    files = make("dir", str(tmp_path), "*.nii.gz", False, True)
    make.show("maxima", make.loop(files, "load", "vox1.max"))
    plan = make.plan()
    assert _engine(store, executor).execute_workplan(plan)["maxima"] == [1.0, 2.0, 3.0]
    again = _engine(store, RaisingExecutor()).execute_workplan(plan)
    assert again["maxima"] == [1.0, 2.0, 3.0]


def test_a_loop_that_waits_holds_nothing_up(
    executor: Executor, store: ResultStore, make: PlanMaker
) -> None:
    """A loop over a computed range is written out when the range is known; all goals are right."""
    count = make("test.identity", make("addition", 2.0, 2.0))
    make.show("loop", make.loop(make("range", count), "test.identity"))
    make.show("other", make("addition", 1.0, 2.0))
    result = _engine(store, executor).execute_workplan(make.plan())
    assert result["loop"] == [0.0, 1.0, 2.0, 3.0]
    assert result["other"] == 3.0


def test_a_loop_over_images(
    executor: Executor, store: ResultStore, make: PlanMaker, tmp_path: Path
) -> None:
    """A loop over the images that another loop gives is written out; they stay with the workers."""
    for number in range(3):
        write_image(tmp_path / f"v{number}.nii.gz", float(number + 1), (20, 30, 40))
    images = make.loop(make("dir", str(tmp_path), "*.nii.gz", False, True), "load")
    make.show("maxima", make.loop(make("test.identity", images), "vox1.max"))
    assert _engine(store, executor).execute_workplan(make.plan())["maxima"] == [1.0, 2.0, 3.0]


def test_a_loop_above_a_failure_says_why(
    executor: Executor, store: ResultStore, make: PlanMaker
) -> None:
    """When the sequence of a loop cannot be computed the loop's goal has that reason."""
    make.show("loop", make.loop(make("range", make("test.fail", "no end")), "test.identity"))
    result = _engine(store, executor).execute_workplan(make.plan())
    assert "no end" in (result.goals[0].error or "")


def test_bypass_leaves_the_store_alone(
    executor: Executor, store: ResultStore, make: PlanMaker
) -> None:
    """Results are neither read nor written, and goals have their values all the same."""
    make.show("x", make("test.identity", make("addition", 1.0, 2.0)))
    make.save("x.json", make("addition", 1.0, 2.0))
    engine = _engine(store, executor, cache="bypass", run_folder="ns/name/uid")
    for _ in range(2):
        result = engine.execute_workplan(make.plan())
        assert result["x"] == 3.0
        assert result.completed_operations == 3
    assert store.stats().records == 0
    url = result.goals[1].url
    data = store.read_run_file(url.partition("/runs/")[2])
    assert data == b"3.0\n"


def test_refresh_sees_what_is_not_deterministic(
    executor: Executor, store: ResultStore, make: PlanMaker
) -> None:
    """Refresh computes what is known, and tells of an operation that gives another value."""
    make.show("x", make("test.nondeterministic", 1.0))
    make.show("y", make("addition", 1.0, 1.0))
    plan = make.plan()
    first = _engine(store, executor).execute_workplan(plan)
    memory = Memory()
    engine = _engine(store, executor, cache="refresh", listeners=[memory])
    second = engine.execute_workplan(plan)
    assert second.completed_operations == 2
    assert second["x"] != first["x"]
    assert len(second.nondeterministic) == 1
    assert len(memory.of(NonDeterminism)) == 1


def test_a_lost_blob_is_computed_again(
    executor: Executor, store: ResultStore, make: PlanMaker, tmp_path: Path
) -> None:
    """A known result that turns out to be gone when it is needed is computed after all."""
    base = make("test.identity", make("addition", 1.0, 2.0))
    first = PlanMaker("vox1")
    first.show("base", first("test.identity", first("addition", 1.0, 2.0)))
    _engine(store, executor).execute_workplan(first.plan())
    make.show("x", make("addition", base, 1.0))

    class Forgetful:
        """Deletes what it has just said to be there."""

        def __init__(self) -> None:
            self.done = False

        def __getattr__(self, name: str) -> object:
            return getattr(store, name)

        def contains(self, keys: object) -> set[str]:
            found = store.contains(keys)  # type: ignore[arg-type]
            if found and not self.done:
                self.done = True
                store.delete(found)
            return found

        def __reduce__(self) -> object:
            return store.__reduce__()

    result = _engine(Forgetful(), executor).execute_workplan(make.plan())  # type: ignore[arg-type]
    assert dict(result) == {"x": 4.0}


@pytest.mark.parametrize("harm", ["changed", "deleted"])
def test_goals_whose_bytes_are_spoilt_are_computed_again(
    executor: Executor, make: PlanMaker, tmp_path: Path, harm: str
) -> None:
    """Blobs of known goals that were changed or deleted: right values and files all the same."""
    numbers = [float(number) / 7 for number in range(4000)]
    values = make("test.identity", make("sequence", *numbers))
    make.show("values", values)
    make.save("values.json", values)
    plan, folder = make.plan(), tmp_path / "store"
    _engine(open_store(str(folder)), executor).execute_workplan(plan)
    for blob in [path for path in (folder / "cas").rglob("*") if path.is_file()]:
        data = blob.read_bytes()
        blob.unlink()
        if harm == "changed":
            blob.write_bytes(data[:-9] + bytes([data[-9] ^ 1]) + data[-8:])
    store = open_store(str(folder))
    engine = _engine(store, executor, output=tmp_path / "out", write_files=True)
    result = engine.execute_workplan(plan)
    assert result.success
    assert result["values"] == numbers
    assert json.loads((tmp_path / "out" / "values.json").read_bytes()) == numbers
    assert result.completed_operations >= 1
    assert _engine(open_store(str(folder)), executor).execute_workplan(plan)["values"] == numbers


def test_results_that_go_between_two_runs_are_computed_again(
    executor: Executor, make: PlanMaker, tmp_path: Path
) -> None:
    """What an open store remembers to hold may be gone: goals, and sequences of loops."""
    make.show("sum", make("addition", 1.0, 2.0))
    plan, folder = make.plan(), tmp_path / "store"
    store = open_store(str(folder))
    for _ in range(2):
        result = _engine(store, executor).execute_workplan(plan)
        assert dict(result) == {"sum": 3.0}
        assert (result.completed_operations, result.cached_operations) == (1, 0)
        shutil.rmtree(folder / "ac")


def test_many_cheap_operations(executor: Executor, store: ResultStore, make: PlanMaker) -> None:
    """Wide layers and long chains of cheap operations are all computed, each once."""
    layer = [make("addition", float(number), 1.0) for number in range(600)]
    for name, node in zip(range(600), layer, strict=True):
        make.show(f"g{name}", node)
    total = layer[0]
    for node in layer[1:]:
        total = make("addition", total, node)
    make.show("total", total)
    memory = Memory()
    result = _engine(store, executor, listeners=[memory]).execute_workplan(make.plan())
    assert result["total"] == sum(range(601))
    assert result["g599"] == 600.0
    assert result.completed_operations == result.total_operations == 600 + 599
    done = [counts.done for counts in memory.counts]
    assert done == sorted(done)
    assert memory.counts[-1].pending == 0
