"""The trace of a run."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest

from voxk8s.execution import ExecutionEngine
from voxk8s.history.trace import COLUMNS, trace
from voxk8s.program import compile_with_places
from voxk8s.storage import ResultStore, open_store


def rows(text: str, store: ResultStore, *, skip: bool = False) -> list[dict[str, str]]:
    """Run a program and return its trace by the names of columns."""
    compiled = compile_with_places(text, name="a.imgql")
    engine = ExecutionEngine(
        store, executor="synchronous", on_item_failure="skip" if skip else "fail"
    )
    result = engine.execute_workplan(compiled.plan, places=compiled.origins)
    found = trace(result, compiled.origins)
    return [dict(zip(COLUMNS, row, strict=True)) for row in found]


def test_what_was_computed_has_times_and_what_was_known_has_none() -> None:
    """Each with its result key and its place, also within a loop."""
    store = open_store("memory://")
    text = 'let xs = for x in [1, 2] do x + 1\nprint "xs" xs'
    first = rows(text, store)
    assert {row["state"] for row in first} == {"computed"}
    assert [row["place"] for row in first if row["kernel"] == "default.addition"] == [
        "a.imgql:1:31",
        "a.imgql:1:31",
    ]
    assert all(float(row["seconds"]) >= 0 and int(row["bytes"]) > 0 for row in first)
    assert datetime.fromisoformat(first[0]["start"]).tzinfo is UTC
    (known,) = rows(text, store)
    assert (known["state"], known["seconds"], known["start"]) == ("known", "", "")
    assert known["key"] == first[-1]["key"]


def test_failures_are_there_even_without_a_start(tmp_path: Path) -> None:
    """Inputs that cannot be read, and what a loop went on without."""
    found = rows(f'print "x" [load("{tmp_path}/gone.json"), 1]', open_store("memory://"))
    failed = [row for row in found if row["state"] == "failed"]
    assert [(row["kernel"], row["key"], row["place"]) for row in failed] == [
        ("default.load", "", "a.imgql:1:12")
    ]
    text = 'print "xs" (for x in [1, 0] do 1 / x)'
    states = [row["state"] for row in rows(text, open_store("memory://"), skip=True)]
    assert sorted(states) == ["computed", "computed", "failed"]


def test_processor_time_is_that_of_the_kernels_own_thread(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Who waits uses none; what is known used none in this run."""
    monkeypatch.setenv("VOXK8S_TEST_KERNELS", "1")
    text = 'import "test"\nprint "slept" sleep(0.3)'
    store = open_store("memory://")
    (slept,) = rows(text, store)
    assert 0 < float(slept["cpu_seconds"]) < float(slept["seconds"]) / 2
    (known,) = rows(text, store)
    assert known["cpu_seconds"] == ""
