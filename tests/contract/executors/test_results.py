"""What every executor must do with a plan that goes well: values, files, counts."""

from __future__ import annotations

from pathlib import Path

from tests.support.plans_and_runs import (
    Memory,
    PlanMaker,
    RaisingExecutor,
    engine_on,
    write_image,
)
from voxk8s.execution.executors.protocol import Executor
from voxk8s.storage import ResultStore
from voxk8s.values import Image, SavedFile


def test_goals_have_their_values(executor: Executor, store: ResultStore, make: PlanMaker) -> None:
    """Values are mapped by goal name in goal order, and counts match the work done."""
    total = make("addition", 5.0, 3.0)
    make.show("sum", total)
    make.show("product", make("multiplication", total, 2.0))
    result = engine_on(store, executor).execute_workplan(make.plan())
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
    engine_on(store, executor).execute_workplan(plan)
    result = engine_on(store, RaisingExecutor()).execute_workplan(plan)
    assert dict(result) == {"sum": 6.0}
    assert (result.completed_operations, result.cached_operations) == (0, 1)
    assert result.goals[0].cached


def test_where_nan_began_is_found(executor: Executor, store: ResultStore, make: PlanMaker) -> None:
    """By asking for values where operations run."""
    zero = make("geom.blank", 2.0, 2.0, 0.0)
    make.show("max", make("vox1.max", make("addition", make("division", zero, zero), zero)))
    (found,) = engine_on(store, executor).execute_workplan(make.plan()).not_finite
    assert (found.goal, found.found, found.kernel) == ("max", "NaN", "default.division")


def test_measurements_are_of_the_operation(
    executor: Executor, store: ResultStore, make: PlanMaker
) -> None:
    """An operation whose value is saved is measured itself, not its file."""
    make.save("sum.json", make("addition", 5.0, 3.0))
    result = engine_on(store, executor).execute_workplan(make.plan())
    [measured] = result.metrics.values()
    assert (measured.kernel, result.completed_operations) == ("default.addition", 2)


def test_arguments_keep_their_order(
    executor: Executor, store: ResultStore, make: PlanMaker
) -> None:
    """A call with more than ten arguments gets them in the order of their numbers."""
    items = [make("addition", float(number), 0.0) for number in range(13)]
    make.show("xs", make("sequence", *items))
    result = engine_on(store, executor).execute_workplan(make.plan())
    assert result["xs"] == [float(number) for number in range(13)]


def test_saved_files_are_written(
    executor: Executor, store: ResultStore, make: PlanMaker, tmp_path: Path
) -> None:
    """A save goal's file lies below the output folder, also when its result was known."""
    make.save("deep/down/x.json", make("addition", 1.0, 2.0))
    plan = make.plan()
    for number in range(2):
        output = tmp_path / str(number)
        engine = engine_on(store, executor, output=output, write_files=True)
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
    outcome = engine_on(store, executor).execute_workplan(make.plan()).goals[0]
    assert outcome.line() == "image 20x30x40 float32"
    assert not outcome.has_value
    value = outcome.load()
    assert isinstance(value, Image)
    assert float(value.array.max()) == 3.0


def test_a_changed_input_is_another_result(
    executor: Executor, store: ResultStore, make: PlanMaker, tmp_path: Path
) -> None:
    """The content of a file is part of the key: the same path with other bytes is computed."""
    path = tmp_path / "a.nii.gz"
    make.show("max", make("max", make("load", write_image(path, 2.0))))
    plan = make.plan()
    assert engine_on(store, executor).execute_workplan(plan)["max"] == 2.0
    write_image(path, 5.0)
    assert engine_on(store, executor).execute_workplan(plan)["max"] == 5.0


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
    result = engine_on(store, executor, listeners=[memory]).execute_workplan(make.plan())
    assert result["total"] == sum(range(601))
    assert result["g599"] == 600.0
    assert result.completed_operations == result.total_operations == 600 + 599
    done = [counts.done for counts in memory.counts]
    assert done == sorted(done)
    assert memory.counts[-1].pending == 0


def test_a_known_goal_that_others_need_is_reached(
    executor: Executor, store: ResultStore, make: PlanMaker
) -> None:
    """A task reads it for them; the goal itself needs none."""
    first = PlanMaker("vox1")
    first.show("a", first("addition", 1.0, 2.0))
    engine_on(store, executor).execute_workplan(first.plan())
    known = make("addition", 1.0, 2.0)
    make.show("a", known)
    for number in (5.0, 6.0):
        make.show(f"a+{number:g}", make("addition", known, number))
    result = engine_on(store, executor).execute_workplan(make.plan())
    assert dict(result) == {"a": 3.0, "a+5": 8.0, "a+6": 9.0}
