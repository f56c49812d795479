"""Stores in folders that mark nothing as used before somebody waits for it."""

from __future__ import annotations

import threading
from typing import Any

import pytest

from voxk8s.storage.access_refresh import AccessRefresh
from voxk8s.storage.folder_backend import FolderBackend


def hold_refreshes(monkeypatch: pytest.MonkeyPatch) -> None:
    """Hold all refreshes until `AccessRefresh.flush` is called, in this process."""
    waited_for = threading.Event()
    touch, flush = FolderBackend.touch, AccessRefresh.flush

    def held_touch(self: FolderBackend, *arguments: Any) -> None:
        assert waited_for.wait(60)
        touch(self, *arguments)

    def releasing_flush(self: AccessRefresh, timeout: float) -> bool:
        waited_for.set()
        return flush(self, timeout)

    monkeypatch.setattr(FolderBackend, "touch", held_touch)
    monkeypatch.setattr(AccessRefresh, "flush", releasing_flush)
