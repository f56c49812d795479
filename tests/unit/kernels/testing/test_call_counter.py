"""Tests of the call counter for fault injection."""

from __future__ import annotations

import os
import tempfile
import time
from pathlib import Path

import pytest

from voxk8s.kernels.testing.call_counter import EXPIRES_AFTER_SECONDS, count_call, reset_calls


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Keep the files of the counter in a folder of the test."""
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    return tmp_path


def test_calls_are_counted_by_name() -> None:
    """Each name has its own count, from 1."""
    assert [count_call("a"), count_call("a"), count_call("b")] == [1, 2, 1]


def test_a_reset_count_starts_from_one() -> None:
    """After a reset the next call is the first."""
    count_call("a")
    reset_calls("a")
    assert count_call("a") == 1


def test_a_count_expires(folder: Path) -> None:
    """A count without calls for ten minutes starts anew."""
    count_call("a")
    (file,) = (path for path in folder.rglob("*") if path.is_file())
    old = time.time() - EXPIRES_AFTER_SECONDS - 1
    os.utime(file, (old, old))
    assert count_call("a") == 1


def test_without_files_the_process_counts(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """If the file cannot be written, calls are counted in memory."""
    (folder / "file").touch()
    monkeypatch.setattr(tempfile, "tempdir", str(folder / "file"))
    assert [count_call("memory"), count_call("memory")] == [1, 2]
    reset_calls("memory")
    assert count_call("memory") == 1
