"""Standard output and error."""

from __future__ import annotations

import io
import os
import sys
from collections.abc import Iterator

import pytest

from voxk8s.cli.streams import drop_output, fill_descriptors, prepare_streams


def text_stream(encoding: str) -> io.TextIOWrapper:
    """Return a text stream in memory."""
    return io.TextIOWrapper(io.BytesIO(), encoding=encoding)


@pytest.fixture
def standard_input() -> Iterator[None]:
    """Restore descriptor 0 at the end."""
    saved = os.dup(0)
    yield
    os.dup2(saved, 0)
    os.close(saved)


def test_streams_become_utf_8(monkeypatch: pytest.MonkeyPatch) -> None:
    """The locale does not matter; surrogates in file names are escaped."""
    out, err = text_stream("ascii"), text_stream("latin-1")
    monkeypatch.setattr(sys, "stdout", out)
    monkeypatch.setattr(sys, "stderr", err)
    assert prepare_streams()
    for stream in (out, err):
        print("€\udcff", end="", file=stream, flush=True)
        assert stream.buffer.getvalue() == "€\\udcff".encode()  # type: ignore[attr-defined]  # a BytesIO


def test_closed_standard_output_is_reported(monkeypatch: pytest.MonkeyPatch) -> None:
    """The function returns False, with a message on standard error."""
    err = io.StringIO()
    monkeypatch.setattr(sys, "stdout", None)
    monkeypatch.setattr(sys, "stderr", err)
    assert not prepare_streams()
    assert err.getvalue() == "voxk8s: standard output is closed\n"


def test_closed_standard_error_is_replaced(monkeypatch: pytest.MonkeyPatch) -> None:
    """Messages are discarded."""
    monkeypatch.setattr(sys, "stdout", io.StringIO())
    monkeypatch.setattr(sys, "stderr", None)
    assert prepare_streams()
    with sys.stderr as opened:
        assert opened.name == os.devnull
        print("discarded", file=opened)


@pytest.mark.usefixtures("standard_input")
def test_closed_descriptors_are_filled() -> None:
    """A file that is opened later does not get the number of a standard stream."""
    os.close(0)
    fill_descriptors()
    assert os.fstat(0).st_rdev == os.stat(os.devnull).st_rdev


@pytest.mark.usefixtures("standard_input")
def test_no_descriptor_stays_open() -> None:
    """The null device is closed again if all three are open."""
    before = os.dup(0)
    os.close(before)
    fill_descriptors()
    after = os.dup(0)
    os.close(after)
    assert after == before


def test_pending_output_is_discarded(monkeypatch: pytest.MonkeyPatch) -> None:
    """Flushing does not fail although the reader has closed the pipe."""
    reader, writer = os.pipe()
    os.close(reader)
    with open(writer, "w", encoding="utf-8") as stream:
        monkeypatch.setattr(sys, "stdout", stream)
        print("text")
        drop_output()
        stream.flush()


def test_streams_in_memory_are_left_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    """They have no descriptor."""
    stream = io.StringIO("text")
    monkeypatch.setattr(sys, "stdout", stream)
    drop_output()
    assert stream.getvalue() == "text"
