"""Kernels that wait, fail, take memory or differ, for tests and benchmarks."""

from __future__ import annotations

import random
import time

from voxk8s.describe import describe
from voxk8s.errors import KernelError, TransientError
from voxk8s.kernels.context import attempt
from voxk8s.kernels.images import number
from voxk8s.kernels.testing.counting import count_call, forget_calls
from voxk8s.values import Value


def sleep(seconds: Value) -> Value:
    """Wait with the GIL released, then give the argument back."""
    duration = number("test.sleep", seconds)
    if duration < 0:
        raise KernelError(f"test.sleep: cannot wait {duration} seconds")
    time.sleep(duration)
    return seconds


def fail_times(n: Value, x: Value) -> Value:
    """Raise TransientError for the first `n` attempts, then give `x`.

    An attempt's number is the larger of two counts: the one that the engine tells
    (`kernels.attempt`), right also when each attempt runs on another machine; and the calls with
    these arguments in this group of processes on this machine, which go on over several runs until
    one has succeeded.
    """
    times = number("test.fail_times", n)
    name = f"{times!r} {describe(x)} {x if isinstance(x, str) else ''}"
    calls = max(count_call(name), attempt.get())
    if calls <= times:
        raise TransientError(f"test.fail_times: attempt {calls} of {times:g} that fail")
    forget_calls(name)
    return x


def fail(message: Value) -> Value:
    """Raise KernelError with the message."""
    raise KernelError(message if isinstance(message, str) else f"test.fail: {describe(message)}")


def identity(x: Value) -> Value:
    """Give the argument back."""
    return x


def allocate(mib: Value) -> Value:
    """Fill so many MiB of memory, let go of them and give the argument back."""
    size = number("test.allocate", mib)
    block = bytearray(int(size * 2**20))
    block[::4096] = b"\1" * len(block[::4096])  # touch each page, or the kernel gives none
    return mib


def nondeterministic(x: Value) -> Value:
    """Give something else each time: a number plus noise, or a pair of `x` and noise."""
    noise = random.SystemRandom().random()
    if isinstance(x, int | float) and not isinstance(x, bool):
        return float(x) + noise
    return [x, noise]
