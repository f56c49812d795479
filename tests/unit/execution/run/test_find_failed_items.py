"""Runs that skip the items of loops that fail."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.support.plans_and_runs import fresh_store
from voxk8s.errors import InputUnreachable
from voxk8s.execution import ExecutionEngine, ExecutionResult
from voxk8s.execution.retry import RetryPolicy
from voxk8s.execution.worker import run_task
from voxk8s.plan import Pin
from voxk8s.program import compile_program
from voxk8s.storage import ResultStore

LOOP = "let ys = for x in [1, 0, 2] do 1 / x\n"


def run(store: ResultStore, text: str, policy: str = "skip", **options: Any) -> ExecutionResult:
    """Run a program in this process."""
    engine = ExecutionEngine(
        store, executor="synchronous", write_files=False, on_item_failure=policy, **options
    )
    return engine.execute_workplan(compile_program(text))


@pytest.mark.parametrize("cache", ["use", "refresh", "bypass"])
def test_a_bad_item_does_not_lose_the_table(cache: str) -> None:
    """The others are there, the item is named, and so is what failed."""
    found = run(
        fresh_store(), LOOP + 'print "ys" ys\nprint "m" mean(ys)\nprint "c" 3\n', cache=cache
    )
    assert dict(found) == {"ys": [1.0, 0.5], "m": 0.75, "c": 3.0}
    assert found.success
    assert [each.item for each in found.skipped] == ["item 1 (0.0)"]
    assert "division by zero" in str(found.skipped[0])


def test_the_result_of_a_part_is_never_that_of_the_whole() -> None:
    """After a run that skips, one that may not fails, and finds nothing under its keys."""
    store = fresh_store()
    text = LOOP + 'print "ys" ys\nprint "m" mean(ys)\nsave "ys.json" ys\n'
    assert run(store, text).success
    assert not run(store, text, "fail")
    short = run(store, text.replace("1, 0, 2", "1, 2"), "fail")
    assert dict(short)["m"] == 0.75
    assert short.completed_operations == 0, "the part is known by what it was computed from"


def test_a_filter_skips_what_its_condition_fails_for() -> None:
    """The flags of the others still belong to their items."""
    text = 'print "f" filter x in [1, 0, 4, 0.5] do (1 / x) > 0.6\n'
    assert dict(run(fresh_store(), text)) == {"f": [1.0, 0.5]}


def test_a_missing_file_is_an_item_that_failed(tmp_path: Path) -> None:
    """Also where its place in the table is only known by its name."""
    (tmp_path / "a.json").write_text("[3]")
    (tmp_path / "c.json").write_text("{")
    names = ", ".join(f'"{tmp_path / name}.json"' for name in "abc")
    found = run(fresh_store(), f'print "n" for x in [{names}] do length(load(x))\n')
    assert dict(found) == {"n": [1]}
    assert [Path(each.item.split("(")[1]).name for each in found.skipped] == ["b.json)", "c.json)"]


def test_a_loop_all_of_whose_items_fail_has_failed() -> None:
    """An empty table would hide that; items that another loop skips are no exception."""
    found = run(fresh_store(), LOOP + 'print "y" ys\nprint "n" for x in [0, 0] do 1 / x\n')
    assert list(found) == ["y"]
    assert not found.success


def test_what_may_succeed_at_another_time_is_not_skipped(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A server that does not answer is no reason for another table."""
    for name in "ab":
        (tmp_path / f"{name}.json").write_text(f'["{name}"]')  # equal files are one input

    def load(pin: Pin, _: object) -> list[int]:
        if pin.url.endswith("b.json"):
            raise InputUnreachable("no answer")
        return [3]

    monkeypatch.setattr(run_task, "load_input", load)
    names = ", ".join(f'"{tmp_path / name}.json"' for name in "ab")
    text = f'print "n" for x in [{names}] do length(load(x))\n'
    found = run(fresh_store(), text, retry=RetryPolicy(0, 0, 0))
    assert not found.success
    assert found.skipped == ()


def test_the_failure_of_another_goal_skips_no_item_that_is_recovered() -> None:
    """Nothing would have been skipped without that goal."""
    text = LOOP + 'print "r" for y in ys do recover(y, 7)\nprint "m" recover(mean(ys), 9)\n'
    found = run(fresh_store(), text + 'print "z" 2 / 0\n')
    assert dict(found) == {"r": [1.0, 7.0, 0.5], "m": 9.0}
    assert found.skipped == ()


def test_an_item_that_is_its_own_result_is_named() -> None:
    """As in a loop whose body is its variable; the run ends."""
    found = run(fresh_store(), f'{LOOP}print "z" for y in ys do y\n')
    assert dict(found) == {"z": [1.0, 0.5]}
    assert [each.item for each in found.skipped] == ["item 1 (0.0)"]
