"""Fixtures of the resolution tests."""

from __future__ import annotations

import pytest

from tests.unit.controller.resolve.scripted_resolution import Script


@pytest.fixture
def script(monkeypatch: pytest.MonkeyPatch) -> Script:
    """A scripted resolution in the processes of pools."""
    script = Script()
    monkeypatch.setattr("voxk8s.controller.resolve.process_pool.resolve_plan", script)
    monkeypatch.setattr("voxk8s.controller.resolve.process_pool.resolve_within", script)
    return script
