"""A fuzzer by seeds: each input follows from a seed alone, so that a failure can be repeated.

`python -m tests.support.fuzz SECONDS [SEED] [TARGET …]` runs for hours and prints the count;
`make fuzz` calls it. A target makes an input and does with it what the program does; it may raise
no error but those that are documented for its users.
"""

from __future__ import annotations

import logging
import random
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Final

from tests.support import fuzz_images, fuzz_plans, fuzz_store, fuzz_urls
from voxk8s.errors import Voxk8sError

_MOST_SECONDS: Final = 10.0
"""Processor time of one input, all of which are small."""


@dataclass(frozen=True)
class Target:
    """What is fuzzed: `make` returns an input, `run` uses it."""

    name: str
    make: Callable[[random.Random], object]
    run: Callable[[object], None]


TARGETS: Sequence[Target] = (
    Target("program", fuzz_plans.program, fuzz_plans.compile_text),
    Target("format", fuzz_plans.damaged_program, fuzz_plans.format_text),
    Target("json", fuzz_plans.document_json, fuzz_plans.decode_json),
    Target("yaml", fuzz_plans.document_yaml, fuzz_plans.decode_yaml),
    Target("record", fuzz_store.record, fuzz_store.read_record),
    Target("pin", fuzz_store.pin, fuzz_store.read_pin),
    Target("blob", fuzz_store.blob, fuzz_store.decode_blob),
    Target("url", fuzz_urls.url, fuzz_urls.use_url),
    *(
        Target(kind, partial(fuzz_images.damaged, kind), fuzz_images.decode_image)
        for kind in fuzz_images.FORMATS
    ),
)
"""All targets; add one here."""


def run_seed(target: Target, seed: int) -> None:
    """Run one target with one seed; raises AssertionError that tells how to repeat a failure."""
    source = random.Random(f"{target.name} {seed}")
    given = target.make(source)
    began = time.process_time()
    try:
        target.run(given)
    except Voxk8sError:
        pass
    except Exception as error:
        raise AssertionError(
            f"{target.name} with seed {seed}: {type(error).__name__}: {error};"
            f" input: {given!r:.2000}"
        ) from error
    seconds = time.process_time() - began
    if seconds > _MOST_SECONDS:
        raise AssertionError(
            f"{target.name} with seed {seed}: {seconds:.1f} s; input: {given!r:.2000}"
        )


def run_for(seconds: float, seed: int, targets: Sequence[Target]) -> int:
    """Run all targets in turn, each with one seed after the other; return the number of inputs."""
    end = time.monotonic() + seconds
    count = 0
    while time.monotonic() < end:
        run_seed(targets[count % len(targets)], seed + count // len(targets))
        count += 1
    return count


def main() -> None:
    """Run from the command line."""
    logging.disable()  # that something is damaged is no news here
    seconds, seed, *names = [*sys.argv[1:], "60", "0"][: max(2, len(sys.argv) - 1)]
    chosen = [target for target in TARGETS if not names or target.name in names]
    count = run_for(float(seconds), int(seed), chosen)
    print(f"{count} inputs, seeds {seed} to {int(seed) + count // len(chosen)}: no failure")


if __name__ == "__main__":
    main()
