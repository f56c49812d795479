"""Tests of the search for the operations where NaN and infinities began."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.plans_and_runs import fresh_store
from voxk8s.execution import ExecutionEngine, ExecutionResult
from voxk8s.program import compile_program
from voxk8s.storage import ResultStore


def run(text: str, store: ResultStore | None = None, **options: object) -> ExecutionResult:
    """Run a program in this process."""
    engine = ExecutionEngine(
        store or fresh_store(),
        executor="synchronous",
        write_files=False,
        **options,  # type: ignore[arg-type]  # options of an engine
    )
    return engine.execute_workplan(compile_program(text))


def said(result: ExecutionResult) -> list[tuple[str, str, str]]:
    """Return goal, what it has in it and the kernel where that began."""
    return [(each.goal, each.found, each.kernel) for each in result.not_finite]


ZERO = "let zero = blank(4, 4, 0)\n"
BAD = ZERO + "let bad = (blank(4, 4, 1) / zero) - (blank(4, 4, 2) / zero)\n"


def test_a_finite_result_says_nothing() -> None:
    """Also where an operation below it was not finite."""
    assert run(BAD + 'print "v" volume(bad > 3)\n').not_finite == ()


def test_what_began_before_is_found() -> None:
    """NaN is a difference of infinities here: these began it."""
    (found,) = run(BAD + 'print "m" max(bad + 1)\n').not_finite
    assert (found.found, found.began, found.kernel) == ("NaN", "an infinity", "default.division")
    assert str(found).startswith("m has NaN in it: an infinity began in default.division (")


def test_files_with_images_are_looked_into() -> None:
    """The second run finds the file in the store, and what was found out about it."""
    store = fresh_store()
    text = BAD + 'save "bad.nii.gz" bad\n'
    for _ in range(2):
        assert said(run(text, store)) == [("bad.nii.gz", "NaN", "default.division")]


def test_results_of_the_store_are_traced() -> None:
    """What is known may have been a part of another program, whose goal was finite."""
    store = fresh_store()
    run(BAD + 'print "v" volume(bad > 3)\n', store, policy="all")
    assert said(run(BAD + 'print "m" [max(bad)]\n', store)) == [("m", "NaN", "default.division")]


@pytest.mark.parametrize("items", ["[1, 0, 2]", 'split("1,0,2")'])
def test_items_of_loops_are_traced(items: str) -> None:
    """Of lists that are known before the run, and of others."""
    text = (
        'import "strings"\nlet pieces(x) = length(split(concat("", x), "2"))\n'
        "let one(x) = max(blank(2, 2, 1) / blank(2, 2, pieces(x) - 1))\n"
        f'print "xs" mean(for x in {items} do one(x))\n'
    )
    assert said(run(text)) == [("xs", "an infinity", "default.division")]


def test_a_long_chain_is_traced_to_its_start() -> None:
    """Hundreds of operations later."""
    text = BAD + 'print "m" max(fold + bad (range(0, 300)))\n'
    assert said(run(text)) == [("m", "NaN", "default.division")]


def test_an_input_is_named(tmp_path: Path) -> None:
    """It was not finite before the program did anything."""
    first = run(BAD + 'save "bad.mha" bad\n')
    data = first.goals[0].load()
    (tmp_path / "bad.mha").write_bytes(data.data)  # type: ignore[union-attr]  # a saved file
    (found,) = run(f'load a = "{tmp_path}/bad.mha"\nprint "m" max(a +. 1)\n').not_finite
    assert found.kernel == "default.load"
    assert f"m has NaN in it, which is in the input {tmp_path}/bad.mha" in str(found)


def test_other_values_of_what_fails_are_traced() -> None:
    """What could not be computed is not to blame."""
    text = BAD + 'print "m" recover(blank(2, 2, 0) + blank(3, 3, 0), max(bad))\n'
    assert said(run(text)) == [("m", "NaN", "default.division")]


def test_runs_without_results_in_the_store_are_traced() -> None:
    """They compute again what they need."""
    assert said(run(BAD + 'print "m" max(bad)\n', cache="bypass")) == [
        ("m", "NaN", "default.division")
    ]
