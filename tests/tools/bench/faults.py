"""Random plans in concurrent runs while stores, lines and processes fail: counts what goes wrong.

`python -m tests.tools.bench.faults [--plans N] [--seed S] [--executor NAME] [--store s3]`

The exit status is 1 if a value was wrong, a run hung, or a run failed though it could be done. It
is no table of `make bench`: it measures nothing, and looks for faults as long as one lets it.
"""

from __future__ import annotations

import argparse
import itertools
import logging
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import warnings
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any, Final

from tests.support.dask_processes import worker_processes
from tests.support.hostile_runs import (
    Counts,
    Harm,
    batches,
    harm_by_api,
    harm_folder,
    hostile_batch,
)
from tests.support.random_plans import Inputs
from tests.support.s3 import S3Server, serve
from tests.support.s3_proxy import Fault, S3Proxy, proxied
from voxk8s.constants import ENV_TEST_KERNELS
from voxk8s.execution.executors import find_executor
from voxk8s.execution.executors.protocol import Executor
from voxk8s.storage import ResultStore, open_store

BATCHES_PER_STORE: Final = 25
LINE_FAULTS: Final = (
    Fault(503, "SlowDown"),
    Fault(503, "SlowDown"),
    Fault(503, "SlowDown", after=True),
    Fault(500, "InternalError"),
    Fault(),
    Fault(after=True),
    Fault(half=True),
)
WRITE_FAULTS: Final = (
    Fault(409, "ConditionalRequestConflict"),
    Fault(409, "ConditionalRequestConflict", after=True),
    Fault(412, "PreconditionFailed"),
)


def main() -> int:
    """Run and print the table."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--plans", type=int, default=200)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--executor", default="synchronous")
    parser.add_argument("--store", choices=("folder", "s3"), default="folder")
    parser.add_argument("--share", type=float, default=0.2, help="of requests that fail")
    parser.add_argument("--killed-writers", type=int, default=0)
    parser.add_argument("--minutes", type=float, default=60.0)
    parser.add_argument("--writer", help=argparse.SUPPRESS)
    options = parser.parse_args()
    os.environ[ENV_TEST_KERNELS] = "1"
    logging.disable(logging.CRITICAL)
    warnings.filterwarnings("ignore", category=UserWarning)
    if options.writer:
        return _write(options)
    counts, begin = Counts(), time.monotonic()
    with ExitStack() as stack:
        folder = Path(stack.enter_context(_scratch()))
        inputs = Inputs.write(folder / "inputs")
        executor, kill = stack.enter_context(_executor(options.executor))
        place = stack.enter_context(_places(options, folder))
        for _ in range(options.killed_writers):
            _killed_writer(options.seed + counts.plans, executor, place, inputs, counts)
        stores: list[ResultStore] = []
        harms: list[Harm] = []
        for seed, plans in batches(inputs, itertools.count(options.seed)):
            if counts.plans >= options.plans or time.monotonic() - begin > options.minutes * 60:
                break
            if seed % BATCHES_PER_STORE == 0 or not stores:
                opened = [place.open() for _ in range(2)]
                stores = [store for store, _ in opened]
                harms = [harm for _, harm in opened]
            chance = random.Random(seed)
            active = harms if chance.random() < 0.8 else []
            if kill is not None and chance.random() < 0.1:
                counts.faults["killed worker"] += kill(chance)
            before = len(counts.mistakes)
            hostile_batch(executor, stores, active, plans, chance, counts, output=folder / "output")
            for mistake in counts.mistakes[before:]:
                print(f"seed {seed}: {mistake}", flush=True)
            if seed % 10 == 0:
                shutil.rmtree(folder / "output", ignore_errors=True)
        place.count(counts)
    _show(options, counts, time.monotonic() - begin)
    return 1 if counts.mistakes else 0


class _Folders:
    """Stores in folders of their own."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._number = 0
        self.url = ""

    def open(self) -> tuple[ResultStore, Harm]:
        self._number += 1
        folder = self._folder / f"store{self._number}"
        if self._number > 2:
            shutil.rmtree(self._folder / f"store{self._number - 2}", ignore_errors=True)
        self.url = str(folder)
        store = open_store(self.url)
        return store, harm_folder(folder, open_store(self.url))

    def count(self, counts: Counts) -> None:
        """Nothing more has failed."""


class _Buckets:
    """Stores on an S3 server, behind a line that fails."""

    def __init__(self, server: S3Server, proxy: S3Proxy) -> None:
        self._server, self._proxy = server, proxy
        self._number = 0
        self.url = ""

    def open(self) -> tuple[ResultStore, Harm]:
        self._number += 1
        prefix = f"faults{self._number}"
        self.url = self._server.url(prefix)
        return self._proxy.store(prefix), harm_by_api(self._server.store(prefix))

    def count(self, counts: Counts) -> None:
        for status, times in self._proxy.faults.items():
            counts.faults[f"answer {status}" if status else "cut connection"] += times


@contextmanager
def _places(options: argparse.Namespace, folder: Path) -> Iterator[_Folders | _Buckets]:
    if options.store == "folder":
        yield _Folders(folder)
        return
    chance = random.Random(options.seed)

    def fault(method: str, _: str) -> Fault | None:
        if chance.random() >= options.share:
            return None
        writes = method == "PUT" and chance.random() < 0.5
        return chance.choice(WRITE_FAULTS if writes else LINE_FAULTS)

    with serve(folder / "s3") as server, proxied(server, fault) as proxy:
        yield _Buckets(server, proxy)


@contextmanager
def _executor(name: str) -> Iterator[tuple[Executor, Callable[[random.Random], int] | None]]:
    if name != "distributed":
        yield find_executor(name), None
        return
    from distributed import Client

    from voxk8s.execution.executors.dask_executors import DistributedExecutor

    with (
        worker_processes() as cluster,
        Client(cluster) as client,
    ):

        def kill(chance: random.Random) -> int:
            scheduler: Any = cluster.scheduler
            if len(scheduler.workers) < len(cluster.workers):
                return 0  # a process that dies while it starts is not started again
            nanny = chance.choice(list(cluster.workers.values()))
            import threading

            threading.Timer(
                chance.random() * 0.2, os.kill, (nanny.process.pid, signal.SIGKILL)
            ).start()
            return 1

        yield DistributedExecutor(client), kill


@contextmanager
def _scratch() -> Iterator[str]:
    memory = Path("/dev/shm")
    with tempfile.TemporaryDirectory(dir=memory if memory.is_dir() else None) as folder:
        yield folder


def _killed_writer(
    seed: int, executor: Executor, place: _Folders | _Buckets, inputs: Inputs, counts: Counts
) -> None:
    """Kill a process in the middle of its runs, then run the same plans here."""
    store, _ = place.open()
    command = [sys.executable, "-m", "tests.tools.bench.faults", "--writer", place.url]
    command += ["--seed", str(seed)]
    env = dict(os.environ) | {"FAULTS_INPUTS": str(inputs.folder)}
    if isinstance(place, _Buckets):
        env |= place._proxy.server.env
    with subprocess.Popen(command, env=env, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        process.stdout.readline()
        time.sleep(random.Random(seed).random() * 0.5)
        process.kill()
    counts.faults["killed writer"] += 1
    for number, plans in batches(inputs, range(seed, seed + 6)):
        hostile_batch(executor, [store], [], plans, random.Random(number), counts)


def _write(options: argparse.Namespace) -> int:
    """Run plans until this process is killed."""
    inputs = Inputs.write(Path(os.environ["FAULTS_INPUTS"]))
    store = open_store(options.writer)
    executor = find_executor("threads")
    print("ready", flush=True)
    while True:
        for number, plans in batches(inputs, range(options.seed, options.seed + 6)):
            hostile_batch(executor, [store], [], plans, random.Random(number), Counts())


def _show(options: argparse.Namespace, counts: Counts, seconds: float) -> None:
    print(f"\n{options.executor} on {options.store}, seed {options.seed}, {seconds:.0f} s")
    rows: Sequence[tuple[str, int]] = [
        ("plans", counts.plans),
        ("runs", counts.runs),
        ("operations", counts.operations),
        ("goals", counts.goals),
        *((f"fault: {kind}", times) for kind, times in sorted(counts.faults.items())),
        ("wrong values", counts.wrong),
        ("hangs", counts.hangs),
        ("wrongly failed", counts.failed),
    ]
    for what, number in rows:
        print(f"{what:<28} {number:>10,}")


if __name__ == "__main__":
    sys.exit(main())
