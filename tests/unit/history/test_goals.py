"""Goals as the report shows them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from voxk8s.errors import StoreUnreachable
from voxk8s.execution import ExecutionEngine, load_plan
from voxk8s.execution.result import GoalOutcome
from voxk8s.failure import NOT_REACHED, Failure
from voxk8s.history import known_since, show_goals
from voxk8s.plan import Goal, OperationId
from voxk8s.report import Origin, Preview
from voxk8s.storage import MISS, Provenance, ResultStore, open_store

PLAN = {
    "nodes": [
        {"id": "a", "type": "constant", "value": 5},
        {"id": "b", "type": "constant", "value": 3},
        {"id": "s", "type": "operation", "operator": "addition", "arguments": {"0": "a", "1": "b"}},
    ],
    "goals": [
        {"operation": "print", "id": "s", "name": "sum"},
        {"operation": "save", "id": "s", "name": "sum.json"},
        {"operation": "print", "id": "a", "name": "five"},
    ],
}


def run(store: ResultStore, folder: Path) -> tuple[GoalOutcome, ...]:
    """Run the plan."""
    return ExecutionEngine(store, output=folder).execute_workplan(load_plan(PLAN)).goals


@pytest.fixture
def store(tmp_path: Path) -> ResultStore:
    """A store in a folder."""
    return open_store(str(tmp_path / "store"))


def nothing(_: GoalOutcome) -> Preview | None:
    """Show no picture."""
    return None


def test_values_and_files(store: ResultStore, tmp_path: Path) -> None:
    """Values as they are printed; files with their links and digests."""
    outcomes = run(store, tmp_path)
    value, file, constant = show_goals(outcomes, lambda each: f"./{each.goal.name}", {}, nothing)
    assert (value.name, value.kind, value.value, value.known) == ("sum", "print", "8.0", False)
    assert (file.kind, file.link, file.size) == ("save", "./sum.json", 4)
    assert file.media_type == "application/json"
    assert (constant.value, constant.known) == ("5", True)


def test_known_results_tell_since_when(store: ResultStore, tmp_path: Path) -> None:
    """Their records say when they were computed, and by which version; nothing else is asked."""
    fresh = run(store, tmp_path)
    assert known_since(store, fresh) == {}
    keys = [goal.key for goal in fresh[:2] if goal.key is not None]
    for key, created in zip(keys, (1.7e9, 0.0), strict=True):
        value = store.get(key)
        assert value is not MISS
        store.delete([key])
        store.put(key, value, Provenance(created=created, voxk8s_version="0.0.9"))
    again = run(store, tmp_path)
    origins = known_since(store, again)
    assert origins == {keys[0]: Origin(1.7e9, "0.0.9")}, "a record without a time tells none"
    goal = show_goals(again, lambda _: "", origins, nothing)[0]
    assert (goal.known, goal.origin) == (True, Origin(1.7e9, "0.0.9"))


def test_a_store_that_fails_takes_no_report_away(
    store: ResultStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where the store does not answer at the end, the origins are missing, no more."""
    run(store, tmp_path)
    again = run(store, tmp_path)

    def away(*_: Any) -> Any:
        raise StoreUnreachable("away")

    monkeypatch.setattr(ResultStore, "records", away)
    assert known_since(store, again) == {}


def test_a_goal_that_failed_has_its_reason_only() -> None:
    """Neither link nor picture is asked for."""
    operation = OperationId("o" * 64)
    outcome = GoalOutcome(Goal("save", operation, "x.png"), operation, failure=Failure("no"))

    def refuse(_: GoalOutcome) -> Any:
        raise AssertionError("asked for what is not there")

    (goal,) = show_goals([outcome], refuse, {}, refuse)
    assert (goal.name, goal.error, goal.link, goal.unreached) == ("x.png", "no", "", False)


def test_values_without_a_line_get_one() -> None:
    """A value that came without its text is described."""
    operation = OperationId("o" * 64)
    outcome = GoalOutcome(Goal("print", operation, "x"), operation, value=[1, 2], has_value=True)
    assert show_goals([outcome], lambda _: "", {}, nothing)[0].value == "[1,2]"


def test_goal_of_a_stopped_run_was_not_reached() -> None:
    """It has not failed: the next run reaches it."""
    operation = OperationId("o")
    failure = Failure("the run was cancelled", NOT_REACHED)
    outcome = GoalOutcome(Goal("print", operation, "x"), operation, failure=failure)
    (goal,) = show_goals([outcome], lambda _: "", {}, lambda _: None)
    assert goal.unreached
