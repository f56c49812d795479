"""Copies of saved files under their own names."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from voxk8s.errors import InputUnreachable
from voxk8s.execution import ExecutionEngine, GoalOutcome, load_plan
from voxk8s.failure import Failure
from voxk8s.inputs.filesystems import file_system
from voxk8s.inputs.input_options import InputOptions
from voxk8s.runner import copy_outputs
from voxk8s.storage import ResultStore, open_store

PLAN = {
    "nodes": [{"id": "a", "type": "constant", "value": 5}],
    "goals": [
        {"operation": "save", "id": "a", "name": "sub/a.json"},
        {"operation": "print", "id": "a", "name": "x"},
    ],
}
OPTIONS = InputOptions(local_allowed=True)


def run(store: ResultStore, cache: str = "use") -> tuple[GoalOutcome, ...]:
    """Run the plan, with its files only in the store."""
    engine = ExecutionEngine(store, write_files=False, cache=cache, run_folder="ns/wp/u")
    return engine.execute_workplan(load_plan(PLAN)).goals


@pytest.fixture
def store(tmp_path: Path) -> ResultStore:
    """A store in a folder."""
    return open_store(str(tmp_path / "store"))


@pytest.mark.parametrize("cache", ["use", "bypass"])
def test_files_get_their_names(store: ResultStore, tmp_path: Path, cache: str) -> None:
    """A saved file is copied below the output under its own name, however results are kept."""
    target = tmp_path / "out"
    (target / "sub").mkdir(parents=True)
    assert copy_outputs.copy_outputs(run(store, cache), store, target.as_uri(), OPTIONS) == []
    assert (target / "sub" / "a.json").read_text().strip() == "5"


def test_missing_file_is_reported(store: ResultStore, tmp_path: Path) -> None:
    """The message about a file that cannot be copied names its target."""
    goals = run(store)
    broken = replace(goals[0], digest="0" * 64)
    pauses: list[float] = []
    problems = copy_outputs.copy_outputs([broken], store, tmp_path.as_uri(), OPTIONS, pauses.append)
    assert len(problems) == 1
    assert "sub/a.json" in problems[0]


def test_unreachable_target_is_retried(
    store: ResultStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A target that does not answer is retried, with increasing pauses."""
    calls, pauses = [], list[float]()

    def unsteady(*args: Any) -> object:
        calls.append(1)
        if len(calls) <= 3:
            raise InputUnreachable("away")
        return file_system(*args)

    (tmp_path / "sub").mkdir()
    monkeypatch.setattr("voxk8s.cluster.copy_files.file_system", unsteady)
    url = tmp_path.as_uri()
    assert copy_outputs.copy_outputs(run(store), store, url, OPTIONS, pauses.append) == []
    assert pauses == [1.0, 2.0, 4.0]


def test_nothing_to_copy(store: ResultStore, tmp_path: Path) -> None:
    """Printed goals and failed ones leave nothing to copy."""
    goals = [replace(goal, failure=Failure("failed")) for goal in run(store)]
    assert copy_outputs.copy_outputs(goals, store, tmp_path.as_uri(), OPTIONS) == []
