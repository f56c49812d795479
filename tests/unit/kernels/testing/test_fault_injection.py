"""Tests of the kernels that wait and fail on purpose."""

from __future__ import annotations

import subprocess
import sys
import uuid
from collections.abc import Callable

import pytest

from voxk8s.errors import KernelError, TransientError
from voxk8s.kernels import attempt, registry
from voxk8s.settings import Settings
from voxk8s.values import Value


def _function(name: str) -> Callable[..., Value]:
    return registry(Settings(test_kernels=True)).function(f"test.{name}")


def test_fail_times_fails_so_often_and_then_gives_its_argument() -> None:
    """The first n calls fail with a transient error, the next one succeeds, and it starts anew."""
    fail_times, word = _function("fail_times"), uuid.uuid4().hex
    for _ in range(2):
        for _ in range(2):
            with pytest.raises(TransientError, match="of 2 that fail"):
                fail_times(2.0, word)
        assert fail_times(2, word) == word


def test_fail_times_counts_over_processes() -> None:
    """Calls in another process of the same group count too."""
    word = uuid.uuid4().hex
    script = (
        "import sys\n"
        "from voxk8s.kernels.testing.fault_injection import fail_times\n"
        f"fail_times(2, {word!r})\n"
    )
    for expected in (1, 1, 0):
        done = subprocess.run([sys.executable, "-c", script], capture_output=True, check=False)
        assert (done.returncode != 0) == bool(expected)


def test_fail_times_believes_the_engine() -> None:
    """An attempt that follows others on other machines does not fail again."""
    token = attempt.set(3)
    try:
        assert _function("fail_times")(2, uuid.uuid4().hex)
    finally:
        attempt.reset(token)


def test_fail_is_final() -> None:
    """A failure on purpose is permanent and has the message."""
    with pytest.raises(KernelError, match="as planned"):
        _function("fail")("as planned")


def test_identity_sleep_and_allocate_give_their_argument() -> None:
    """What waits or takes memory gives its argument back."""
    assert _function("identity")([1]) == [1]
    assert _function("sleep")(0) == 0
    assert _function("allocate")(1) == 1


def test_nondeterministic_differs() -> None:
    """Two calls never agree."""
    f = _function("nondeterministic")
    assert f(1) != f(1)
    assert f("a") != f("a")
