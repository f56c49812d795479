"""The process that forks decoders."""

from __future__ import annotations

import subprocess
from typing import NoReturn

import pytest

from voxk8s.errors import InputUnavailable
from voxk8s.formats.sandbox.server_process import ServerProcess


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
