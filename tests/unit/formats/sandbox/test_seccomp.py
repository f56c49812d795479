"""Tests of the filter of system calls."""

from __future__ import annotations

import subprocess
import sys

import pytest

_CODE = """
import threading
from voxk8s.formats.sandbox.seccomp import refuse_calls
assert refuse_calls()
thread = threading.Thread(target=print, args=("a thread",))
thread.start(); thread.join()
{}
"""


@pytest.mark.parametrize(
    "call",
    ["__import__('socket').socket()", "__import__('os').fork()", "__import__('os').kill(1, 0)"],
)
def test_refused_calls_fail(call: str) -> None:
    """Threads may be started; sockets, processes and signals are refused."""
    done = subprocess.run(
        [sys.executable, "-c", _CODE.format(call)], capture_output=True, text=True
    )
    assert done.stdout == "a thread\n"
    assert "PermissionError" in done.stderr
