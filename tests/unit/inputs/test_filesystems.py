"""Tests of file systems and of how their errors are converted."""

from __future__ import annotations

import socket
import sys

import pytest

from voxk8s.errors import InputNotAllowed, InputUnavailable, InputUnreachable
from voxk8s.inputs.filesystems import convert_errors, file_system, preload_s3
from voxk8s.inputs.input_options import InputOptions
from voxk8s.inputs.locations import Location

LOCAL = Location("/data/a.nii", "file", "/data/a.nii")
REMOTE = Location("s3://data/a.nii", "s3", "data/a.nii")


def test_preloading_makes_no_connection(monkeypatch: pytest.MonkeyPatch) -> None:
    """The S3 client is imported without any connection."""

    def refuse(*_: object) -> None:
        raise AssertionError("a connection was made")

    monkeypatch.setattr(socket.socket, "connect", refuse)
    preload_s3()
    assert "s3fs" in sys.modules


def test_equal_options_share_a_file_system() -> None:
    """Locations on one server with equal options have the same file system."""
    options = InputOptions(endpoint="http://localhost:1", key="a", secret="b")
    assert file_system(REMOTE, options) is file_system(REMOTE, options)


@pytest.mark.parametrize(
    ("location", "error", "kind", "words"),
    [
        (LOCAL, FileNotFoundError(2, "x"), InputUnavailable, r"a\.nii: it does not exist"),
        (LOCAL, IsADirectoryError(21, "x"), InputUnavailable, "it is a folder, not a file"),
        (LOCAL, OSError(5, "Input/output error"), InputUnavailable, "Input/output error"),
        (REMOTE, OSError("slow down"), InputUnreachable, r"s3://data/a\.nii: slow down"),
        (REMOTE, TimeoutError("10 s"), InputUnreachable, "TimeoutError: 10 s"),
        (LOCAL, InputNotAllowed("input x: no"), InputNotAllowed, "input x: no"),
    ],
)
def test_errors_are_converted(
    location: Location, error: Exception, kind: type[Exception], words: str
) -> None:
    """Local errors are permanent, those of a network transient, and our own are kept."""
    with pytest.raises(kind, match=words), convert_errors(location):
        raise error


def test_the_root_cause_decides() -> None:
    """A server's answer that a library wraps in its own errors is found."""

    class Answer(Exception):
        status = 503

    with pytest.raises(InputUnreachable, match="the server answers 503"), convert_errors(REMOTE):
        raise FileNotFoundError("wrapped") from Answer()


def test_other_errors_are_not_hidden() -> None:
    """A programming error is raised as it is."""
    with pytest.raises(ZeroDivisionError), convert_errors(LOCAL):
        raise ZeroDivisionError
