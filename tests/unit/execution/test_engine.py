"""Calls of the engine that are wrong."""

from __future__ import annotations

import pytest

from tests.support.plans_and_runs import fresh_store
from voxk8s.errors import InvalidUsage
from voxk8s.execution import ExecutionEngine


@pytest.mark.parametrize(
    ("option", "words"),
    [
        ("policy", "auto, all, goals"),
        ("cache", "use, refresh, bypass"),
        ("on_failure", "continue, failfast"),
        ("on_item_failure", "fail, skip"),
        ("executor", "local, synchronous"),
    ],
)
def test_unknown_words_are_refused(option: str, words: str) -> None:
    """Options that are one of few words name them."""
    with pytest.raises(InvalidUsage, match=f"'some'.*{words}"):
        ExecutionEngine(fresh_store(), **{option: "some"})  # type: ignore[arg-type]  # the same


def test_unknown_options_are_refused() -> None:
    """A misspelt keyword is an error, as of any function."""
    with pytest.raises(TypeError, match="unexpected keyword argument 'cach'"):
        ExecutionEngine(fresh_store(), cach="use")  # type: ignore[call-arg]  # the same


def test_what_is_no_executor_is_refused() -> None:
    """An executor is one, the name of one, or a Dask client."""
    with pytest.raises(InvalidUsage, match="Dask client"):
        ExecutionEngine(fresh_store(), executor=3)  # type: ignore[arg-type]  # the same


def test_what_is_no_store_and_no_plan_is_refused() -> None:
    """The error for a URL or a document names the function that opens or loads it."""
    with pytest.raises(InvalidUsage, match="open_store"):
        ExecutionEngine("memory://x")  # type: ignore[arg-type]  # as a caller without types may
    engine = ExecutionEngine(fresh_store())
    for method in (engine.execute_workplan, engine.compile_to_dask):
        with pytest.raises(InvalidUsage, match="load_plan"):
            method({"nodes": [], "goals": []})  # type: ignore[arg-type]  # the same
