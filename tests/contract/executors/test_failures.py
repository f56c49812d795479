"""What every executor must do when operations fail: try again, go on, or stop."""

from __future__ import annotations

from pathlib import Path

from tests.support.plans_and_runs import (
    QUICK,
    Memory,
    PlanMaker,
    engine_on,
    write_image,
)
from voxk8s.execution.events import GoalFailed, OperationFailed, OperationRetried
from voxk8s.execution.executors.protocol import Executor
from voxk8s.storage import ResultStore
from voxk8s.values import Image


def test_a_failure_fails_only_what_needs_it(
    executor: Executor, store: ResultStore, make: PlanMaker
) -> None:
    """Goals above a failed operation are absent with a reason; all others have their values."""
    bad = make("test.fail", "no such luck")
    make.show("bad", make("addition", make("addition", bad, 1.0), 1.0))
    make.show("good", make("addition", 1.0, 1.0))
    memory = Memory()
    engine = engine_on(store, executor, listeners=[memory])
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
    """An operation that fails twice succeeds at the third attempt, with events for each."""
    make.show("x", make("test.fail_times", 2.0, 7.0))
    memory = Memory()
    result = engine_on(store, executor, listeners=[memory]).execute_workplan(make.plan())
    assert dict(result) == {"x": 7.0}
    [metrics] = result.metrics.values()
    assert metrics.attempts == 3
    assert len(memory.of(OperationRetried)) == 2


def test_patience_is_measured(executor: Executor, store: ResultStore, make: PlanMaker) -> None:
    """Metrics include the attempts of failed operations."""
    make.show("x", make("test.fail_times", 99, 7.0))
    result = engine_on(store, executor).execute_workplan(make.plan())
    [measured] = result.metrics.values()
    assert measured.attempts == QUICK.limit + 1


def test_patience_ends(executor: Executor, store: ResultStore, make: PlanMaker) -> None:
    """An operation that keeps failing is given up after the limit, and is then transient."""
    make.show("x", make("test.fail_times", 9.0, f"patience {executor.name}"))
    result = engine_on(store, executor).execute_workplan(make.plan())
    assert "after 4 attempts" in (result.goals[0].error or "")
    assert result.goals[0].transient


def test_a_permanent_failure_is_not_tried_again(
    executor: Executor, store: ResultStore, make: PlanMaker
) -> None:
    """A kernel's own error ends the operation at once."""
    make.show("x", make("test.fail", "never"))
    memory = Memory()
    result = engine_on(store, executor, listeners=[memory]).execute_workplan(make.plan())
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
    engine = engine_on(store, executor, on_failure="failfast")
    result = engine.execute_workplan(make.plan())
    assert not result.success
    assert "first" in str(result.goals[0].error)
    if executor.name != "synchronous":
        assert "slow" not in result
        assert result.completed_operations < 400


def test_what_was_reached_before_a_stop_can_be_had(
    executor: Executor, store: ResultStore, make: PlanMaker, tmp_path: Path
) -> None:
    """A run without a store that stops at a failure still delivers the images it has computed."""
    picture = make("load", write_image(tmp_path / "a.nii.gz", 3.0))
    make.show("picture", picture)
    late = make("test.sleep", make("subtraction", make("max", picture), 2.5))
    make.show("bad", make("test.fail", late))
    engine = engine_on(store, executor, on_failure="failfast", cache="bypass", write_files=False)
    result = engine.execute_workplan(make.plan())
    assert [goal.succeeded for goal in result.goals] == [True, False]
    value = result["picture"]
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
    result = engine_on(store, executor, listeners=[memory]).execute_workplan(make.plan())
    assert dict(result) == {"two": 2.0}
    assert missing in (result.goals[0].error or "")
    assert len(result.failed_operations) == 1
    assert [missing in str(event.failure) for event in memory.of(OperationFailed)] == [True]


def test_fail_fast_stops_at_a_missing_input(
    executor: Executor, store: ResultStore, make: PlanMaker, tmp_path: Path
) -> None:
    """An input that cannot be read is a failure like any other; what is known is still given."""
    known = make("test.identity", 4.0)
    before = PlanMaker("vox1")
    before.show("known", before("test.identity", 4.0))
    engine_on(store, executor).execute_workplan(before.plan())
    make.show("v", make("volume", make("load", str(tmp_path / "nothing.nii.gz"))))
    make.show("new", make("test.identity", 3.0))
    make.show("known", known)
    result = engine_on(store, executor, on_failure="failfast").execute_workplan(make.plan())
    assert dict(result) == {"known": 4.0}
    assert result.completed_operations == 0
    assert "does not exist" in (result.goals[0].error or "")


def test_counts_do_not_depend_on_how_an_input_fails(
    executor: Executor, store: ResultStore, tmp_path: Path
) -> None:
    """A missing file and a file that is not an image fail the same operations."""
    spoilt = tmp_path / "spoilt.nii.gz"
    spoilt.write_bytes(b"no image")
    seen = set()
    for address in (str(tmp_path / "nothing.nii.gz"), str(spoilt)):
        make = PlanMaker("vox1")
        mask = make("near", make("load", address))
        other = make("test.identity", 2.0)
        make.show("v", make("multiplication", make("volume", mask), other))
        make.save("mask.nii.gz", mask)
        result = engine_on(store, executor).execute_workplan(make.plan())
        [failure] = result.failures
        seen.add((result.progress.total, result.progress.failed, failure.kernel))
    assert seen == {(6, 1, "default.load")}
