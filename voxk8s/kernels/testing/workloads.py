"""What the test kernels of VoxLogicA 1 and 2 compute: numbers that take time, and mappings."""

from __future__ import annotations

import numpy as np

from voxk8s.errors import KernelError
from voxk8s.kernels.arguments import require_number
from voxk8s.values import Value

_LARGEST_INDEX = 1476
"""The last Fibonacci number that is a float has this index."""


def fibonacci(n: Value) -> float:
    """Return the Fibonacci number of index `n`, a whole number from 0 on."""
    index = require_number("test.fibonacci", n)
    if index not in range(_LARGEST_INDEX + 1):
        raise KernelError(
            f"test.fibonacci: expected a whole number from 0 to {_LARGEST_INDEX}, got {index:g}"
        )
    first, second = 0, 1
    for _ in range(int(index)):
        first, second = second, first + second
    return float(first)


def fib(n: Value, label: Value) -> float:
    """Return fibonacci(n); the label makes operations different that compute the same."""
    del label
    return fibonacci(n)


def timewaste(size: Value, times: Value) -> float:
    """Return the mean of the sums of singular values of `times` random matrices.

    They have 5 `size` rows and columns, at least 10; sizes are cut to 1000, times to 10000.
    """
    rows = max(10, int(5 * min(1000.0, abs(require_number("test.timewaste", size)))))
    count = max(1, int(min(10000.0, abs(require_number("test.timewaste", times)))))
    random = np.random.default_rng(rows)
    sums = [np.linalg.norm(random.standard_normal((rows, rows)), "nuc") for _ in range(count)]
    return float(np.mean(sums))


def demo_data() -> Value:
    """Return a mapping with sequences, mappings, truth values and numbers in it."""
    return {
        "numbers": [1.0, 2.0, 3.0],
        "nested": {"level": {"message": "kept as it is"}},
        "booleans": {"yes": True, "no": False},
    }


def enqueue(name: Value, *arguments: Value) -> Value:
    """Return a mapping that describes a call of the kernel `name`; nothing is called."""
    return {"primitive": name, "arguments": list(arguments)}
