"""Fixtures of the operator's tests."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import pytest

from tests.unit.controller.scripted_operator import ScriptedOperator
from voxk8s.controller.resolve.process_pool import ProcessPool
from voxk8s.controller.resolve.resolution_state import Resolved
from voxk8s.controller.resolve.resolve_request import ResolveRequest


@pytest.fixture
async def operator(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[ScriptedOperator]:
    """An operator whose plans resolve to three operations in parallel."""
    made = ScriptedOperator([Resolved(threads=3)])

    async def resolve(self: ProcessPool, request: ResolveRequest, attempt: int = 0) -> Any:
        return made.answers.pop(0) if len(made.answers) > 1 else made.answers[0]

    monkeypatch.setattr(ProcessPool, "resolve", resolve)
    yield made
    await made.resolver.close()
