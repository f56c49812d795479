"""Kernels on two threads of one process, against one thread.

Run `python -m tests.tools.bench.kernel_threads [NAME…]`, by default for all kernels on images.

`alone` is the processor time of a call on one thread, `beside` that of a call on each of two at the
same time, which differ by what the cores share: cache and memory. `waits` is the time of a call on
two threads in which a thread neither has a core nor wants one, as one that waits for the
interpreter's lock. `ratio` is how many times as much two threads compute as one on two idle cores:
2 (alone + waits alone) / (beside + waits). A kernel that holds the lock has 1.0. It does not depend
on what else the machine does, as the `wall` clock's ratio does: beside each is, as `machine`, that
of a hash, which needs neither the lock nor memory. The first row only streams memory: a copy of an
image. All are medians of interleaved rounds.
"""

from __future__ import annotations

import hashlib
import statistics
import sys
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, fields
from functools import partial
from typing import Final

import numpy as np

from tests.support.kernel_arguments import IMAGE_KERNELS
from tests.tools.bench.kernels import volumes
from voxk8s.kernels import registry
from voxk8s.values import Image, Value

_ROUNDS: Final = 5
_SECONDS: Final = 0.05
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
        numbers: dict[str, Value] = {"number": 3.0 if "mask" in words else 0.3, "bool": True}
        chosen.append(next(masks) if word == "mask" else numbers.get(word, flair))
    return tuple(chosen)


@dataclass(frozen=True)
class _Times:
    """Seconds of a thread: by the clock, on a core, and neither on one nor waiting for one."""

    wall: float
    core: float
    waits: float


def _scheduled() -> tuple[float, float]:
    """Return the seconds that this thread had a core, and those that it waited for one."""
    path = f"/proc/self/task/{threading.get_native_id()}/schedstat"
    with open(path, encoding="ascii") as file:
        queue = int(file.read().split()[1])
    return time.thread_time(), queue * 1e-9  # the file has the former as of the last tick only


def _measure(call: Call, repeats: int, pool: ThreadPoolExecutor, threads: int) -> _Times:
    """Let each of `threads` threads call `repeats` times; return the means of a call."""

    def work() -> tuple[float, float, float]:
        core, queue = _scheduled()
        start = time.perf_counter()
        for _ in range(repeats):
            call()
        wall = time.perf_counter() - start
        core_end, queue_end = _scheduled()
        return wall, core_end - core, queue_end - queue

    start = time.perf_counter()
    done = [future.result() for future in [pool.submit(work) for _ in range(threads)]]
    whole = time.perf_counter() - start
    core = statistics.mean(core for _, core, _ in done)
    waits = statistics.mean(max(0.0, wall - core - queue) for wall, core, queue in done)
    return _Times(whole / repeats, core / repeats, waits / repeats)


@dataclass(frozen=True)
class _Row:
    alone: float
    beside: float
    waits: float
    ratio: float
    wall: float
    machine: float


def _row(call: Call, spin: Call, pool: ThreadPoolExecutor) -> _Row:
    _measure(call, 1, pool, 2)
    repeats = max(1, round(_SECONDS / max(_measure(call, 1, pool, 1).core, 1e-5)))
    spins = max(1, round(_SECONDS / max(_measure(spin, 1, pool, 1).core, 1e-5)))
    rows = []
    for _ in range(_ROUNDS):
        one, two = (_measure(call, repeats, pool, threads) for threads in (1, 2))
        spin_one, spin_two = (_measure(spin, spins, pool, threads) for threads in (1, 2))
        rows.append(
            _Row(
                one.core,
                two.core,
                two.waits,
                2 * (one.core + one.waits) / (two.core + two.waits),
                2 * one.wall / two.wall,
                2 * spin_one.wall / spin_two.wall,
            )
        )
    median = {
        field.name: statistics.median(getattr(row, field.name) for row in rows)
        for field in fields(_Row)
    }
    return _Row(**median)


def main(wanted: list[str]) -> None:
    """Measure and print."""
    data, image = bytes(1 << 20), volumes()[0].array
    calls: dict[str, Call] = {"a copy of an image": lambda: np.copy(image)}
    for name in wanted or IMAGE_KERNELS:
        arguments = _arguments(name)
        if name not in _LEFT_OUT and any(isinstance(value, Image) for value in arguments):
            calls[name] = partial(registry().function(name), *arguments)
    print("\nKernels on one and on two threads")
    print(
        f"{'milliseconds':<28} {'alone':>8} {'beside':>8} {'waits':>8} {'ratio':>6} {'wall':>6}"
        f" {'machine':>8}"
    )
    with ThreadPoolExecutor(2) as pool:
        for name, call in calls.items():
            row = _row(call, lambda: hashlib.sha256(data), pool)
            print(
                f"{name:<28} {row.alone * 1e3:>8.2f} {row.beside * 1e3:>8.2f}"
                f" {row.waits * 1e3:>8.2f} {row.ratio:>6.2f} {row.wall:>6.2f} {row.machine:>8.2f}",
                flush=True,
            )


if __name__ == "__main__":
    main(sys.argv[1:])
