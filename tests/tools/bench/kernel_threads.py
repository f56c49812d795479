"""Kernels on two threads of one process, against one thread.

Run `python -m tests.tools.bench.kernel_threads [NAME…]`, by default for all kernels on images.

The ratio says how many times as much two threads compute in the same time: 2.0 where cores are idle
and nothing is shared, 1.0 where a kernel holds the interpreter's lock. What the machine gives is
measured beside each kernel, by a hash that needs neither the lock nor memory: `machine` is its
ratio, `of it` the kernel's as a share. Kernels that only stream memory share its bandwidth: the
first row is the copy of an image. All are medians of interleaved rounds.
"""

from __future__ import annotations

import hashlib
import statistics
import sys
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Final

import numpy as np

from tests.support.kernel_arguments import IMAGE_KERNELS
from tests.tools.bench.kernels import volumes
from voxk8s.kernels import registry
from voxk8s.values import Image, Value

_ROUNDS: Final = 5
_SECONDS: Final = 0.1
"""What each thread computes in a round, at least."""
_LEFT_OUT: Final = frozenset({"vox1.slic", "vox1.n4"})
"""ITK's own filters that take minutes on such a volume."""

Call = Callable[[], object]


def _arguments(name: str) -> tuple[Value, ...]:
    flair, seg, head, noisy = volumes()
    special: dict[str, tuple[Value, ...]] = {
        "vox1.extract": (flair, [200, 200, 100], [3, 3, 3]),
        "vox1.crossCorrelation": (1.0, flair, flair, seg, 0.0, 1.0, 4),
        "vox1.otsu": (flair, head, 100),
        "vox1.percentiles": (flair, head, 0.5),
        "vox1.constant": (2.0, flair),
        "vox1.bconstant": (True, flair),
        "arrays.confusion_matrix": (seg, head),
        "arrays.count_pixels": (noisy,),
        "arrays.dice_score": (seg, head),
        "arrays.jaccard_index": (seg, head),
        "vox1.label_mean": (flair, noisy),
    }
    if name in special:
        return special[name]
    signature = registry().spec(name).signature
    masks = iter((seg, noisy, head))
    words = signature.parameters
    chosen: list[Value] = []
    for position in range(max(signature.minimum, 1)):
        word = words[min(position, len(words) - 1)]
        number = 3.0 if "mask" in words else 0.3
        chosen.append(next(masks) if word == "mask" else number if word == "number" else flair)
    return tuple(chosen)


def _seconds(call: Call, repeats: int, pool: ThreadPoolExecutor, threads: int) -> float:
    """Return the seconds that `threads` threads take for `repeats` calls each."""

    def work() -> None:
        for _ in range(repeats):
            call()

    start = time.perf_counter()
    for future in [pool.submit(work) for _ in range(threads)]:
        future.result()
    return time.perf_counter() - start


def _ratios(call: Call, spin: Call, pool: ThreadPoolExecutor) -> tuple[float, float, float]:
    """Return the seconds of a call on one thread, its ratio on two, and the machine's."""
    _seconds(call, 1, pool, 2)
    repeats = max(1, round(_SECONDS / max(_seconds(call, 1, pool, 1), 1e-5)))
    spins = max(1, round(_SECONDS / _seconds(spin, 1, pool, 1)))
    alone, ratios, machine = [], [], []
    for _ in range(_ROUNDS):
        one, two = (_seconds(call, repeats, pool, threads) for threads in (1, 2))
        spin_one, spin_two = (_seconds(spin, spins, pool, threads) for threads in (1, 2))
        alone.append(one / repeats)
        ratios.append(2 * one / two)
        machine.append(2 * spin_one / spin_two)
    return min(alone), statistics.median(ratios), statistics.median(machine)


def main(wanted: list[str]) -> None:
    """Measure and print."""
    data, image = bytes(1 << 20), volumes()[0].array
    calls: dict[str, Call] = {"a copy of an image": lambda: np.copy(image)}
    for name in wanted or IMAGE_KERNELS:
        arguments = _arguments(name)
        if name not in _LEFT_OUT and any(isinstance(value, Image) for value in arguments):
            calls[name] = partial(registry().function(name), *arguments)
    print("\nKernels on one and on two threads")
    print(f"{'what':<30} {'one thread':>12} {'ratio':>7} {'machine':>8} {'of it':>6}")
    with ThreadPoolExecutor(2) as pool:
        for name, call in calls.items():
            seconds, ratio, machine = _ratios(call, lambda: hashlib.sha256(data), pool)
            print(
                f"{name:<30} {seconds * 1e3:>9.2f} ms {ratio:>7.2f} {machine:>8.2f}"
                f" {ratio / machine:>6.2f}",
                flush=True,
            )


if __name__ == "__main__":
    main(sys.argv[1:])
