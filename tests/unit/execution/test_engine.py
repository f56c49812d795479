"""Calls of the engine that are wrong."""

from __future__ import annotations

import pytest

from tests.support.executions import fresh_store
from voxk8s.errors import InvalidUsage
from voxk8s.execution import ExecutionEngine


def test_unknown_policy_is_refused() -> None:
    """What is stored beside goals is one of three words."""
    with pytest.raises(InvalidUsage, match="auto, all, goals"):
        ExecutionEngine(fresh_store(), policy="some")


def test_what_is_no_store_and_no_plan_is_refused() -> None:
    """A URL and a document are told what makes a store and a plan of them."""
    with pytest.raises(InvalidUsage, match="open_store"):
        ExecutionEngine("memory://x")  # type: ignore[arg-type]  # as a caller without types may
    with pytest.raises(InvalidUsage, match="load_plan"):
        ExecutionEngine(fresh_store()).execute_workplan({"nodes": [], "goals": []})  # type: ignore[arg-type]  # the same
