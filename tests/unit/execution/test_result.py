"""The result of a run: a mapping of goal names to values, and what else is known of the goals."""

from __future__ import annotations

import pytest

from tests.support.plans_and_runs import image
from voxk8s.execution.events import Progress
from voxk8s.execution.result import ExecutionResult, GoalOutcome
from voxk8s.failure import Failure
from voxk8s.plan import Goal, OperationId
from voxk8s.values import Value

FAILURE = Failure("the mask is empty", kernel="vox1.near", operation=OperationId("a" * 64))


def _goal(name: str) -> Goal:
    return Goal("print", OperationId("a" * 64), name)


def _reached(name: str, value: Value) -> GoalOutcome:
    return GoalOutcome(_goal(name), OperationId("a" * 64), value=value, has_value=True)


def _failed(name: str, failure: Failure = FAILURE) -> GoalOutcome:
    return GoalOutcome(_goal(name), OperationId("a" * 64), failure=failure)


def _result(*goals: GoalOutcome, cancelled: bool = False) -> ExecutionResult:
    failures = tuple(goal.failure for goal in goals if goal.failure is not None)
    counts = Progress(total=7, cached=3, computed=2, failed=1)
    return ExecutionResult(goals, failures, counts, {}, 1.5, cancelled=cancelled)


def test_goals_are_a_mapping_in_their_order() -> None:
    """Goals that failed are absent from it, and listed in `goals`."""
    result = _result(_reached("b", 2.0), _failed("c"), _reached("a", 1.0))
    assert list(result.items()) == [("b", 2.0), ("a", 1.0)]
    assert len(result) == 2
    assert "c" not in result
    assert [goal.goal.name for goal in result.goals] == ["b", "c", "a"]


def test_the_last_goal_of_a_name_wins() -> None:
    """A failed goal does not hide an earlier one that was reached."""
    assert dict(_result(_reached("a", 1.0), _reached("a", 2.0))) == {"a": 2.0}
    assert dict(_result(_reached("a", 1.0), _failed("a"))) == {"a": 1.0}


def test_a_run_succeeds_with_all_its_goals() -> None:
    """One failed goal, or a cancellation, is not success."""
    assert _result(_reached("a", 1.0)).success
    assert not _result(_reached("a", 1.0), _failed("b")).success
    assert not _result(_reached("a", 1.0), cancelled=True).success


def test_failed_operations_have_their_messages() -> None:
    """They are found by the id of the operation."""
    assert _result(_failed("a")).failed_operations == {"a" * 64: str(FAILURE)}


def test_counts_are_those_of_the_progress() -> None:
    """Total, computed and cached operations."""
    result = _result()
    assert (result.total_operations, result.completed_operations, result.cached_operations) == (
        7,
        2,
        3,
    )


def test_a_value_at_hand_is_not_read_again() -> None:
    """The loader is for values that are only in the store."""

    def load() -> Value:
        raise AssertionError("read from the store")

    goal = _goal("a")
    held = GoalOutcome(goal, goal.id, value=1.0, has_value=True, loader=load)
    assert held.load() == 1.0


def test_a_stored_value_is_read_at_each_access() -> None:
    """The result itself stays small: it keeps no value."""
    reads: list[int] = []

    def load() -> Value:
        reads.append(1)
        return 3.0

    goal = _goal("a")
    result = _result(GoalOutcome(goal, goal.id, loader=load))
    assert [result["a"], result["a"]] == [3.0, 3.0]
    assert len(reads) == 2


def test_the_value_of_a_failed_goal_is_a_missing_key() -> None:
    """It is missing from the mapping as from the outcome."""
    with pytest.raises(KeyError, match="a"):
        _failed("a").load()
    with pytest.raises(KeyError, match="a"):
        _result(_failed("a"))["a"]


def test_a_failed_goal_says_why() -> None:
    """The error is the failure in one line; a reached goal has none."""
    failed = _failed("a")
    assert (failed.succeeded, failed.error, failed.transient) == (False, str(FAILURE), False)
    reached = _reached("a", 1.0)
    assert (reached.succeeded, reached.error, reached.transient) == (True, None, False)


def test_another_run_may_reach_a_goal_that_failed_for_now() -> None:
    """This depends on the failure alone."""
    assert _failed("a", Failure("the store is away", transient=True)).transient


def test_a_line_shows_small_values_and_describes_large_ones() -> None:
    """A summary, where there is one, is shown without reading the value."""
    goal = _goal("a")
    assert _reached("a", 2.5).line() == "2.5"
    assert _reached("a", image()).line() == "image 4x5x6 float32"
    assert GoalOutcome(goal, goal.id, text="summary", loader=lambda: 1.0).line() == "summary"
