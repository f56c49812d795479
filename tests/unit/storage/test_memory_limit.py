"""How much memory a value may take."""

from __future__ import annotations

from pathlib import Path

import pytest

from voxk8s.storage import memory_limit as limits


@pytest.fixture(autouse=True)
def _forget() -> None:
    limits.memory_limit.cache_clear()


@pytest.mark.parametrize("text", ["max", "9223372036854771712", "no number"])
def test_without_a_limit_it_is_the_memory_of_the_machine(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, text: str
) -> None:
    """A container without a limit, and a machine without containers."""
    (tmp_path / "max").write_text(text)
    monkeypatch.setattr(limits, "_CGROUPS", (tmp_path / "max", tmp_path / "missing"))
    assert 1 << 26 < limits.memory_limit() < 1 << 50


def test_a_container_has_the_memory_that_it_may_use(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The machine may have more."""
    (tmp_path / "max").write_text(f"{1 << 26}\n")
    monkeypatch.setattr(limits, "_CGROUPS", (tmp_path / "max",))
    assert limits.memory_limit() == 1 << 26
    limits.memory_limit.cache_clear()
