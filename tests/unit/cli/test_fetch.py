"""Saved files that are fetched into a folder."""

from __future__ import annotations

import os
import resource
from collections.abc import Iterator
from pathlib import Path

import pytest

from voxk8s.cli.fetch import fetch_blob
from voxk8s.errors import InvalidUsage
from voxk8s.storage import ResultStore, open_store
from voxk8s.values import SavedFile

DATA = os.urandom(200_000)


@pytest.fixture
def store() -> ResultStore:
    """Return a store."""
    return open_store("memory://fetch")


@pytest.fixture
def digest(store: ResultStore) -> str:
    """Return the digest of a blob in it."""
    return store.put("0" * 64, SavedFile(DATA, ".nii", "image/nifti")).digest


@pytest.fixture
def small_disk() -> Iterator[None]:
    """Have writes fail after 100 kB."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, before[1]))
    yield
    resource.setrlimit(resource.RLIMIT_FSIZE, before)


def test_a_long_name_in_any_writing(store: ResultStore, digest: str, tmp_path: Path) -> None:
    """File systems count bytes, and the name of the unfinished file is longer."""
    target = tmp_path / f"{'核' * 80}.nii"
    assert fetch_blob(store, digest, target)
    assert target.read_bytes() == DATA
    assert os.listdir(tmp_path) == [target.name]


def test_a_folder_in_the_way_is_said_first(store: ResultStore, digest: str, tmp_path: Path) -> None:
    """Before anything is fetched, and with its name."""
    (tmp_path / "a.nii").mkdir()
    with pytest.raises(InvalidUsage, match=r"cannot write .*/a\.nii: a folder of this name"):
        fetch_blob(store, digest, tmp_path / "a.nii")
    assert os.listdir(tmp_path) == ["a.nii"]


def test_a_full_disk_is_said_with_the_file(
    store: ResultStore, digest: str, tmp_path: Path, small_disk: None
) -> None:
    """The system says no name when a write fails; what was there stays there."""
    target = tmp_path / "a.nii"
    target.write_bytes(b"old")
    with pytest.raises(InvalidUsage, match=r"cannot write .*/a\.nii: File too large"):
        fetch_blob(store, digest, target)
    assert target.read_bytes() == b"old"
