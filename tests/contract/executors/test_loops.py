"""What every executor must do with loops over sequences that only a run knows."""

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


def test_a_loop_over_a_listing(
    executor: Executor, store: ResultStore, make: PlanMaker, tmp_path: Path
) -> None:
    """A loop whose sequence is only known at run time gives one value per item, in order."""
    for number in range(3):
        write_image(tmp_path / f"v{number}.nii.gz", float(number + 1))
    files = make("dir", str(tmp_path), "*.nii.gz", False, True)
    make.show("maxima", make.loop(files, "load", "vox1.max"))
    plan = make.plan()
    assert engine_on(store, executor).execute_workplan(plan)["maxima"] == [1.0, 2.0, 3.0]
    again = engine_on(store, RaisingExecutor()).execute_workplan(plan)
    assert again["maxima"] == [1.0, 2.0, 3.0]


def test_a_loop_that_waits_holds_nothing_up(
    executor: Executor, store: ResultStore, make: PlanMaker
) -> None:
    """A loop over a computed range is written out when the range is known; all goals are right."""
    count = make("test.identity", make("addition", 2.0, 2.0))
    make.show("loop", make.loop(make("range", count), "test.identity"))
    make.show("other", make("addition", 1.0, 2.0))
    result = engine_on(store, executor).execute_workplan(make.plan())
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
    assert engine_on(store, executor).execute_workplan(make.plan())["maxima"] == [1.0, 2.0, 3.0]


def test_a_loop_above_a_failure_says_why(
    executor: Executor, store: ResultStore, make: PlanMaker
) -> None:
    """When the sequence of a loop cannot be computed the loop's goal has that reason."""
    make.show("loop", make.loop(make("range", make("test.fail", "no end")), "test.identity"))
    result = engine_on(store, executor).execute_workplan(make.plan())
    assert "no end" in (result.goals[0].error or "")


def test_a_failure_inside_a_loop_fails_the_loop(
    executor: Executor, store: ResultStore, make: PlanMaker
) -> None:
    """If the body fails for an item, the goal fails with the error of the body."""
    make.show("loop", make.loop(make("sequence", "a", "b"), "test.fail", "test.identity"))
    result = engine_on(store, executor).execute_workplan(make.plan())
    assert "loop" not in result
    assert "test.fail" in (result.goals[0].error or "")
    assert sorted(failure.kernel for failure in result.failures) == ["test.fail"] * 2


def test_what_a_sequence_is_made_of_counts(
    executor: Executor, store: ResultStore, make: PlanMaker
) -> None:
    """Operations below a loop's sequence are needed, too: counts agree, whether known or new."""
    make.show("loop", make.loop(make("range", make("test.identity", 4.0)), "test.identity"))
    plan = make.plan()
    for known in (False, True):
        memory = Memory()
        result = engine_on(store, executor, listeners=[memory]).execute_workplan(plan)
        counts = result.progress
        assert counts.total == counts.done == 1 + 1 + 4 + 1
        assert counts.computed == (0 if known else counts.total)
        assert all(count.done <= count.total for count in memory.counts)


def test_items_of_the_plan_need_no_sequence(
    executor: Executor, store: ResultStore, make: PlanMaker
) -> None:
    """A sequence that the plan spells out is not an operation that a loop over it needs."""
    make.show("loop", make.loop(make("range", 3.0), "test.identity"))
    counts = engine_on(store, executor).execute_workplan(make.plan()).progress
    assert counts.total == counts.computed == 3 + 1
    assert counts.skipped == 0
