"""Random plans on a Dask cluster whose processes are killed: workers, nannies, the scheduler.

`python -m tests.tools.bench.dask_deaths [--seconds 300] [--seed 0]`. A run whose scheduler dies may
end with SchedulerLost; it is run again on a new cluster, with what was stored. The exit status is 1
if a value was wrong, a run hung, or a run failed otherwise. Like `faults`, it is no table of
`make bench`.
"""

from __future__ import annotations

import argparse
import logging
import os
import random
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from contextlib import suppress
from pathlib import Path
from typing import Final

import psutil
from distributed import Client

from tests.support.plans_and_runs import Unfused, engine_on
from tests.support.random_plans import FAILED, Inputs, Perhaps, RandomPlan, differs, random_plan
from tests.support.waiting import wait_until
from voxk8s.constants import ENV_TEST_KERNELS
from voxk8s.errors import SchedulerLost
from voxk8s.execution.executors.dask_executors import DistributedExecutor
from voxk8s.storage import ResultStore, open_store

HANG_SECONDS: Final = 300.0
VICTIMS: Final = ("worker", "worker", "nanny", "scheduler")
_WORKERS: Final = 2


class Cluster:
    """A scheduler and workers with nannies, each a process of its own."""

    def __init__(self, folder: str) -> None:
        self._folder = folder
        self._starts = 0
        self._nannies: list[subprocess.Popen[bytes]] = []
        self.start()

    def start(self) -> None:
        """Start all processes, and connect to the scheduler."""
        self._starts += 1
        self._address = f"{self._folder}/scheduler{self._starts}.json"
        self._scheduler = self._run("scheduler", "--port", "0", "--dashboard-address", ":0")
        wait_until(lambda: os.path.exists(self._address))
        self.fill()
        self.client = Client(scheduler_file=self._address, timeout=60)
        self.client.wait_for_workers(_WORKERS, timeout=120)

    def fill(self) -> None:
        """Start a nanny for each that is gone."""
        self._nannies = [each for each in self._nannies if each.poll() is None]
        while len(self._nannies) < _WORKERS:
            folder = ("--local-directory", self._folder)
            self._nannies.append(self._run("worker", "--nthreads", "2", "--nanny", *folder))

    def kill(self, victim: str, chance: random.Random) -> None:
        """Kill a process of a kind."""
        nanny = chance.choice(self._nannies)
        match victim:
            case "scheduler":
                self._scheduler.kill()
            case "nanny":
                nanny.kill()
            case _:
                for child in psutil.Process(nanny.pid).children():
                    if any("spawn_main" in word for word in child.cmdline()):
                        child.kill()

    def stop(self) -> None:
        """Kill all processes."""
        with suppress(OSError, TimeoutError):
            self.client.close(timeout=2)
        for nanny in self._nannies:
            if nanny.poll() is None:
                for child in psutil.Process(nanny.pid).children(recursive=True):
                    child.kill()
                nanny.kill()
        self._scheduler.kill()

    def _run(self, kind: str, *options: str) -> subprocess.Popen[bytes]:
        command = [sys.executable, "-m", f"distributed.cli.dask_{kind}", *options]
        command += ["--no-dashboard", "--scheduler-file", self._address]
        nowhere = subprocess.DEVNULL
        return subprocess.Popen(command, stdout=nowhere, stderr=nowhere)


class Attack:
    """One plan, run while a process is killed."""

    def __init__(self, plan: RandomPlan, store: ResultStore, chance: random.Random) -> None:
        self._plan, self._store = plan, store
        self._options: dict[str, object] = {
            "cache": chance.choice(("use", "bypass", "refresh")),
            "policy": chance.choice(("auto", "all", "goals")),
        }
        if chance.random() < 0.5:
            self._options["scheduling"] = Unfused()
        self._mistakes: list[str] = []
        self.error: BaseException | None = None

    def begin(self, client: Client) -> threading.Thread:
        """Start the run in a thread."""
        self.error = None
        thread = threading.Thread(target=self._work, args=(client,), daemon=True)
        thread.start()
        return thread

    def _work(self, client: Client) -> None:
        try:
            engine = engine_on(self._store, DistributedExecutor(client), **self._options)
            result = engine.execute_workplan(self._plan.plan)
            for outcome in result.goals:
                expected = self._plan.expected[outcome.goal.name]
                value = expected.value if isinstance(expected, Perhaps) else expected
                if outcome.failure is not None:
                    if value is not FAILED and not isinstance(expected, Perhaps):
                        self._mistakes.append(f"failed: {outcome.failure}")
                elif value is FAILED or differs(value, outcome.load()):
                    self._mistakes.append(f"wrong: {outcome.goal.name}")
        except BaseException as error:  # noqa: BLE001 - counted
            self.error = error

    def end(self, thread: threading.Thread, *, may_be_lost: bool) -> list[str]:
        """Wait for the end of the run; return what went wrong."""
        thread.join(HANG_SECONDS)
        if thread.is_alive():
            return ["hangs"]
        found, self._mistakes = self._mistakes, []
        if self.error is not None and not (may_be_lost and isinstance(self.error, SchedulerLost)):
            found.append(f"failed: {self.error!r}")
        return found


def main() -> int:
    """Attack runs for a while, and print the counts."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=300.0)
    parser.add_argument("--seed", type=int, default=0)
    given = parser.parse_args()
    os.environ[ENV_TEST_KERNELS] = "1"
    logging.disable(logging.CRITICAL)
    counts: Counter[str] = Counter()
    mistakes: list[str] = []
    with tempfile.TemporaryDirectory() as folder:
        inputs = Inputs.write(Path(folder) / "inputs")
        cluster, store = Cluster(folder), open_store(f"{folder}/store")
        seed, end = given.seed, time.monotonic() + given.seconds
        while time.monotonic() < end:
            seed += 1
            chance = random.Random(seed)
            plan = random_plan(inputs, chance.random(), chance.random(), size=30)
            attack, victim = Attack(plan, store, chance), chance.choice(VICTIMS)
            thread = attack.begin(cluster.client)
            time.sleep(chance.random() * 1.5)
            cluster.kill(victim, chance)
            counts[f"killed: {victim}"] += 1
            found = attack.end(thread, may_be_lost=victim == "scheduler")
            if victim == "scheduler":
                counts["runs that a scheduler's death ended"] += attack.error is not None
                cluster.stop()
                cluster.start()
                found += attack.end(attack.begin(cluster.client), may_be_lost=False)
            cluster.fill()
            counts["goals"] += len(plan.expected)
            mistakes += (f"seed {seed}, {victim}: {each}" for each in found)
        cluster.stop()
    print("\n".join(mistakes))
    for what, number in sorted(counts.items()):
        print(f"{what:<40} {number:>6}")
    print(f"{'mistakes':<40} {len(mistakes):>6}")
    return 1 if mistakes else 0


if __name__ == "__main__":
    sys.exit(main())
