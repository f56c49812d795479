"""The state of a run: targets, pivots, and the futures of operations."""

from __future__ import annotations

import pytest

from tests.support.plans_and_runs import PlanMaker
from voxk8s.execution import get_operation_future
from voxk8s.execution.futures import LazyFuture
from voxk8s.execution.operation_reports import Report, Status
from voxk8s.execution.result import GoalOutcome
from voxk8s.execution.run.run_state import RunState, is_failure
from voxk8s.failure import Failure
from voxk8s.kernels import registry
from voxk8s.plan import InputRef, KeyOperation, OperationId, ResultKey, Role, key_graph


def _state(make: PlanMaker) -> RunState:
    """Return the state of a run of a plan."""
    return RunState(key_graph(make.plan(), registry()))


def _two_goals() -> PlanMaker:
    make = PlanMaker()
    make.show("sum", make("addition", 1.0, 2.0))
    make.show("product", make("multiplication", 1.0, 2.0))
    make.show("sum again", make("addition", 1.0, 2.0))
    return make


def _loop() -> PlanMaker:
    """Return a loop over a computed range, and a goal beside it."""
    make = PlanMaker()
    make.show("loop", make.loop(make("range", make("addition", 1.0, 1.0)), "sequence"))
    make.show("sum", make("addition", 1.0, 2.0))
    return make


def test_targets_are_goals_and_then_pivots() -> None:
    """Each result is one target, however many goals ask for it."""
    goals = _state(_two_goals())
    assert goals.targets() == [goal.key for goal in goals.graph.goals[:2]]
    loop = _state(_loop())
    assert loop.targets() == [loop.graph.goals[1].key, loop.graph.deferred[0].pivot]


def test_all_goals_of_a_result_are_found() -> None:
    """They end together; a result that no goal asks for has none."""
    state = _state(_two_goals())
    first, second = state.targets()
    assert [goal.name for goal in state.goals_of(first)] == ["sum", "sum again"]
    assert [goal.name for goal in state.goals_of(second)] == ["product"]
    assert state.goals_of(ResultKey("f" * 64)) == []


def test_goals_are_found_in_a_graph_that_has_grown() -> None:
    """The index of goals is that of the present graph."""
    state = _state(_loop())
    pivot = state.graph.deferred[0].pivot
    assert state.goals_of(pivot) == []
    state.graph = _state(_two_goals()).graph
    assert [goal.name for goal in state.goals_of(state.targets()[0])] == ["sum", "sum again"]


def test_pivots_are_those_of_the_present_graph() -> None:
    """A value for which no operation waits is none."""
    state = _state(_loop())
    pivot = state.graph.deferred[0].pivot
    assert state.is_pivot(pivot)
    state.graph = _state(_two_goals()).graph
    assert not state.is_pivot(pivot)


def test_inputs_without_a_pin_and_rejected_operations_are_blocked() -> None:
    """An input that failed, but is no longer needed, blocks nothing."""
    make = PlanMaker()
    make.show("file", make("load", "/nothing"))
    make.show("bad", make("load", 3.0))
    state = _state(make)
    [(missing, ref)] = state.graph.unpinned.items()
    [rejected] = state.graph.rejected
    assert isinstance(ref, InputRef)
    assert ref.role is Role.LOAD
    state.input_failures = {missing: Failure("no file"), OperationId("old"): Failure("no file")}
    blocked = state.blocked()
    assert blocked.keys() == {missing, rejected}
    assert blocked[missing] == Failure("no file")
    assert blocked[rejected] == Failure(state.graph.rejected[rejected], operation=rejected)


def test_a_pivot_is_read_once_it_is_computed() -> None:
    """Not before, not when it failed, and not again."""
    state = _state(_loop())
    pivot = state.graph.deferred[0].pivot
    assert state.unread_pivots() == []
    state.settled[pivot] = Report(pivot, Status.FAILED)
    assert state.unread_pivots() == []
    state.settled[pivot] = None
    assert state.unread_pivots() == [pivot]
    state.pivots[pivot] = [0.0]
    assert state.unread_pivots() == []


@pytest.mark.parametrize(
    ("status", "expected"),
    [
        (Status.FAILED, True),
        (Status.SKIPPED, True),
        (Status.COMPUTED, False),
        (Status.FOUND, False),
    ],
)
def test_a_target_that_ended_without_a_value_is_a_failure(status: Status, expected: bool) -> None:
    """A target that the store holds has no report and is not one."""
    assert is_failure(Report("k", status)) is expected
    assert not is_failure(None)


def _registered(number: float) -> tuple[RunState, OperationId]:
    """Return a run of an operation that no other test has, with its future registered."""
    make = PlanMaker()
    make.show("x", make("addition", number, number))
    state = _state(make)
    state.register_futures(state.targets())
    node = state.graph.nodes[state.targets()[0]]
    assert isinstance(node, KeyOperation)
    return state, node.operation


def _outcome(state: RunState, **more: object) -> GoalOutcome:
    [goal] = state.graph.goals
    return GoalOutcome(goal.goal, goal.operation, goal.key, **more)  # type: ignore[arg-type]


def test_futures_end_with_the_values_of_goals() -> None:
    """They are registered by operation id and taken out of the table at the end."""
    state, operation = _registered(101.0)
    future = get_operation_future(operation)
    assert isinstance(future, LazyFuture)
    assert not future.done()
    state.register_futures(state.targets())
    assert get_operation_future(operation) is future
    state.resolve_futures((_outcome(state, value=202.0, has_value=True),))
    assert future.result() == 202.0
    state.drop_futures()
    assert get_operation_future(operation) is None


def test_the_future_of_a_failed_goal_raises() -> None:
    """The exception has the failure in one line."""
    state, operation = _registered(102.0)
    future = get_operation_future(operation)
    assert isinstance(future, LazyFuture)
    state.resolve_futures((_outcome(state, failure=Failure("no luck")),))
    with pytest.raises(RuntimeError, match="no luck"):
        future.result()
    state.drop_futures()


def test_a_future_without_a_value_is_cancelled() -> None:
    """Its caller does not wait for a run that has ended."""
    state, operation = _registered(103.0)
    future = get_operation_future(operation)
    assert isinstance(future, LazyFuture)
    state.drop_futures()
    assert future.cancelled()
