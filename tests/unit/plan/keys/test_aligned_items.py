"""Tests of what is combined item by item with a sequence that items are left out of."""

from __future__ import annotations

import pytest

from tests.support.plans_and_runs import fresh_store
from voxk8s.execution import ExecutionEngine, ExecutionResult
from voxk8s.program import compile_with_places

LOOP = "let ys = for x in [1, 0, 2] do 1 / x\n"


def run(text: str) -> ExecutionResult:
    """Run a program that skips items, in this process."""
    engine = ExecutionEngine(
        fresh_store(), executor="synchronous", write_files=False, on_item_failure="skip"
    )
    return engine.execute_workplan(compile_with_places(LOOP + text, skips=True).plan)


@pytest.mark.parametrize("other", ["[10, 20, 30]", "for x in [1, 2, 3] do 10 * x"])
def test_items_of_equal_positions_are_combined(other: str) -> None:
    """Those of the other sequence at the positions that are left out are left out too."""
    assert dict(run(f'print "z" ys + ({other})\n')) == {"z": [11.0, 30.5]}


def test_a_number_is_combined_with_each_item() -> None:
    """Also one that is computed."""
    assert dict(run('print "z" ys + (mean(ys) + 1)\n')) == {"z": [2.75, 2.25]}


@pytest.mark.parametrize("items", ["[1, 0, 2]", "range(0, 3)"])
def test_folds_take_the_items_that_are_left(items: str) -> None:
    """Also over loops whose items the program spells out, and beside other values for failures."""
    ys = f"(for x in {items} do 1 / x)"
    program = f'print "s" fold + 0 {ys}\nprint "r" recover(fold + 0 ({ys} * 2), 7)\n'
    assert dict(run(program)) == {"s": 1.5, "r": 3.0}


@pytest.mark.parametrize("other", ["[10, 20]", "argsort([3, 1])", "argsort([3, 1, 2])"])
def test_items_of_other_positions_are_not_combined(other: str) -> None:
    """A sequence of another length was wrong before an item failed, and may not become right."""
    found = run(f'print "z" ys + ({other})\n')
    assert dict(found) == {}
    assert not found.success


def test_a_sequence_that_ends_before_a_gap_is_not_combined() -> None:
    """Without what stands at the gaps, both would be of one length."""
    found = run('let zs = for x in [1, 2, 0] do 1 / x\nprint "z" zs + [10, 20]\n')
    assert dict(found) == {}
    assert not found.success
