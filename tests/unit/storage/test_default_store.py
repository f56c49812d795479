"""Tests of the process's own store."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from voxk8s.storage import get_storage, open_store, set_storage


@pytest.fixture(autouse=True)
def _own_store(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[None]:
    monkeypatch.setenv("VOXK8S_STORE", str(tmp_path / "default"))
    set_storage(None)
    yield
    set_storage(None)


def test_default_store_is_opened_once(tmp_path: Path) -> None:
    """Without an argument everybody gets the same store, the one of VOXK8S_STORE."""
    assert get_storage() is get_storage()
    assert get_storage().url == (tmp_path / "default").as_uri()


def test_set_storage_decides() -> None:
    """What was set is what everybody gets; None goes back to the default."""
    mine = open_store("memory://mine")
    set_storage(mine)
    assert get_storage() is mine
    set_storage(None)
    assert get_storage() is not mine


def test_url_gives_another_store() -> None:
    """A URL opens that store and leaves the default alone."""
    assert get_storage("memory://other").url == "memory://other"
    assert get_storage().url != "memory://other"
