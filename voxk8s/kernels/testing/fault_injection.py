"""Fault injection: kernels that sleep, fail, allocate memory or are nondeterministic."""

from __future__ import annotations

import random
import time

from voxk8s.describe import describe
from voxk8s.errors import KernelError, TransientError
from voxk8s.kernels.arguments import require_number
from voxk8s.kernels.kernel_spec import attempt
from voxk8s.kernels.testing.call_counter import count_call, reset_calls
from voxk8s.values import Value


def sleep(seconds: Value) -> Value:
    """Sleep with the GIL released, then return the argument."""
    duration = require_number("test.sleep", seconds)
    if duration < 0:
        raise KernelError(f"test.sleep: expected a number of seconds >= 0, got {duration}")
    time.sleep(duration)
    return seconds


def fail_times(n: Value, x: Value) -> Value:
    """Raise TransientError in the first `n` attempts, then return `x`.

    The number of an attempt is the larger of two counts: that of the engine (`kernels.attempt`),
    correct also if each attempt runs on another machine; and the calls with these arguments in this
    process group on this machine, counted over several runs until one has succeeded.
    """
    times = require_number("test.fail_times", n)
    name = f"{times!r} {describe(x)} {x if isinstance(x, str) else ''}"
    calls = max(count_call(name), attempt.get())
    if calls <= times:
        raise TransientError(f"test.fail_times: attempt {calls} of {times:g} that fail")
    reset_calls(name)
    return x


def fail(message: Value) -> Value:
    """Raise KernelError with the message."""
    raise KernelError(message if isinstance(message, str) else f"test.fail: {describe(message)}")


def identity(x: Value) -> Value:
    """Return the argument."""
    return x


def allocate(mib: Value) -> Value:
    """Allocate and write `mib` MiB of memory, free them and return the argument."""
    size = require_number("test.allocate", mib)
    block = bytearray(int(size * 2**20))
    block[::4096] = b"\1" * len(block[::4096])  # the system allocates only pages that are written
    return mib


def nondeterministic(x: Value) -> Value:
    """Return another value at each call: a number plus noise, or a pair of `x` and noise."""
    noise = random.SystemRandom().random()
    if isinstance(x, int | float) and not isinstance(x, bool):
        return float(x) + noise
    return [x, noise]
