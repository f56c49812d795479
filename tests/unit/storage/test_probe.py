"""What a store supports."""

from __future__ import annotations

import errno
import fcntl
from collections.abc import Sequence
from pathlib import Path
from uuid import uuid4

import pytest

from tests.unit.storage.memory import memory_backend
from voxk8s.constants import PROBE_PATH
from voxk8s.errors import StoreAccessDenied, StoreError
from voxk8s.storage.backend import Backend, ObjectInfo
from voxk8s.storage.folder_backend import FolderBackend
from voxk8s.storage.probe import Probe, probe
from voxk8s.storage.store_options import Location, StoreOptions


def test_memory_supports_everything() -> None:
    """A second probe finds the same."""
    backend = memory_backend()
    assert [probe(backend) for _ in range(2)] == [Probe(True, True, True)] * 2


def test_folders_support_everything(tmp_path: Path) -> None:
    """Also leases, by a lock."""
    backend = FolderBackend(Location("file", str(tmp_path)), StoreOptions())
    assert probe(backend) == Probe(True, True, True)


def test_folders_whose_files_cannot_be_locked_have_no_conditional_updates(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Two runs may compute the same at once."""

    def flock(file: int, operation: int) -> None:
        raise OSError(errno.ENOLCK, "No locks available")

    monkeypatch.setattr(fcntl, "flock", flock)
    backend = FolderBackend(Location("file", str(tmp_path)), StoreOptions())
    assert probe(backend) == Probe(True, True, False)


def test_a_probe_writes_one_object() -> None:
    """Nothing else in the store changes."""
    backend = memory_backend()
    probe(backend)
    probe(backend)
    assert [found.path for found in backend.list("")] == [PROBE_PATH]


class OddBackend(Backend):
    """A back end in memory that does not keep the promises of one."""

    def __init__(self, *, overwrites: bool = False, update: StoreError | None = None) -> None:
        super().__init__(Location("memory", uuid4().hex), StoreOptions())
        self.overwrites = overwrites
        self.error = update

    def create(
        self, path: str, parts: Sequence[bytes | memoryview], media_type: str
    ) -> ObjectInfo | None:
        """Overwrite an object that exists, if so asked."""
        if self.overwrites:
            self.delete(path)
        return super().create(path, parts, media_type)

    def update(self, found: ObjectInfo, data: bytes, media_type: str) -> ObjectInfo | None:
        """Raise the error."""
        if self.error is not None:
            raise self.error
        return super().update(found, data, media_type)


def test_a_store_that_overwrites_is_usable() -> None:
    """It has neither conditional writes nor updates."""
    assert probe(OddBackend(overwrites=True)) == Probe(True, False, False)


def test_a_failed_update_means_that_there_are_none() -> None:
    """The probe does not fail."""
    assert probe(OddBackend(update=StoreError("what?"))) == Probe(True, True, False)


def test_denied_updates_are_an_error() -> None:
    """Access is denied, which says nothing about what the store supports."""
    with pytest.raises(StoreAccessDenied):
        probe(OddBackend(update=StoreAccessDenied("no")))


def test_other_content_is_an_error() -> None:
    """A store has to return what was written to it."""
    backend = memory_backend()
    backend.write(PROBE_PATH, (b"other",), "text/plain")
    with pytest.raises(StoreError, match="does not return what was written"):
        probe(backend)
