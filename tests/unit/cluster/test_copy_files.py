"""Copies of saved files."""

from __future__ import annotations

from pathlib import Path

import pytest

from voxk8s.cluster.copy_files import SavedFile, copy_files
from voxk8s.errors import BlobMissing, InputNotAllowed, InputUnavailable
from voxk8s.inputs.input_options import InputOptions

OPTIONS = InputOptions(local_allowed=True)


class Flaky:
    """Reads bytes after some errors."""

    def __init__(self, *errors: Exception) -> None:
        self.errors = list(errors)

    def __call__(self) -> bytes:
        if self.errors:
            raise self.errors.pop(0)
        return b"5"


def test_files_get_their_names(tmp_path: Path) -> None:
    """Each file is written below the folder under its own name."""
    (tmp_path / "sub").mkdir()
    files = [SavedFile("a.json", lambda: b"1"), SavedFile("/sub/b.json", lambda: b"2")]
    assert copy_files(files, f"{tmp_path.as_uri()}/", OPTIONS) == []
    assert (tmp_path / "a.json").read_bytes() == b"1"
    assert (tmp_path / "sub" / "b.json").read_bytes() == b"2"


def test_transient_errors_are_retried(tmp_path: Path) -> None:
    """A transient error is retried after each pause; the last one is reported."""
    slept: list[float] = []
    files = [SavedFile("a.json", Flaky(BlobMissing("x"), BlobMissing("x")))]
    assert copy_files(files, tmp_path.as_uri(), OPTIONS, (1.0, 2.0), slept.append) == []
    assert slept == [1.0, 2.0]
    files = [SavedFile("b.json", Flaky(BlobMissing("x"), BlobMissing("y")))]
    (problem,) = copy_files(files, tmp_path.as_uri(), OPTIONS, (1.0,), slept.append)
    assert problem.startswith(f"cannot write {tmp_path.as_uri()}/b.json: y")


def test_permanent_errors_are_not_retried(tmp_path: Path) -> None:
    """A permanent error is reported at once, and other files are copied."""
    slept: list[float] = []
    files = [SavedFile("a", Flaky(InputUnavailable("no"))), SavedFile("b", lambda: b"2")]
    assert len(copy_files(files, tmp_path.as_uri(), OPTIONS, (1.0,), slept.append)) == 1
    assert slept == []
    assert (tmp_path / "b").read_bytes() == b"2"


def test_folder_that_is_not_allowed() -> None:
    """A folder outside the allowed prefixes is an error, and nothing is read."""
    options = InputOptions(allowed_prefixes=("s3://mine/",))
    with pytest.raises(InputNotAllowed):
        copy_files([SavedFile("a", Flaky())], "s3://other/out", options)
