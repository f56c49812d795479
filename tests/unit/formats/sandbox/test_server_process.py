"""The process that forks decoders."""

from __future__ import annotations

import signal
import subprocess
import sys
from typing import NoReturn

import pytest

from voxk8s.errors import InputUnavailable
from voxk8s.formats.sandbox.server_process import _START, ServerProcess


def test_a_server_that_cannot_be_started_is_said_of_the_input_that_needs_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Preparing it is a guess: what needs no decoder goes on."""

    def refuse(*_: object, **__: object) -> NoReturn:
        raise BlockingIOError(11, "Resource temporarily unavailable")

    monkeypatch.setattr(subprocess, "Popen", refuse)
    server = ServerProcess()
    server.prepare()
    with pytest.raises(InputUnavailable, match=r"cannot be started: .*temporarily unavailable"):
        server.connect(1.0)


def test_an_interrupt_while_libraries_are_loaded_says_nothing() -> None:
    """Ctrl-C reaches all processes of a terminal, and this one writes to the log with -vv."""
    code = _START.split(" from ", 1)[0] + " signal.raise_signal(signal.SIGINT)"
    ended = subprocess.run(
        [sys.executable, "-I", "-c", code, "[]", "0"], capture_output=True, check=False
    )
    assert (ended.returncode, ended.stderr) == (-signal.SIGINT, b"")
