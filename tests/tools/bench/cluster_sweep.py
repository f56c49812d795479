"""A sweep on the real Kubernetes beside the same sweep on this machine, and tasks against S3.

`make bench-cluster` starts and stops what it needs; on an installed cluster run
`python -m tests.tools.bench.cluster_sweep [--high 3] [--volumes 1] [--rounds 1] [--tasks 1000]
[--share 0.4]`.

Every round runs the sweep of `sweep` five times in turn: here on one and two threads, and on the
cluster on one worker with one and with two threads, and on two workers with one. Times are from the
first result to the last, and ratios are medians of those within a round. CPU seconds are those of
whole processes: here of the one, on the cluster what the kubelet last counted for the containers of
each component. On a busy machine only they can be compared, because the pods of the test cluster
together may get no more of it than one other process.

With `--share`, each thread gets so much of a core, here and on the cluster, by limits that
Kubernetes sets as well: scheduler, runner and Kubernetes keep the rest, and walls can be compared
also on a machine that has no more cores than there are threads.

Then one worker with one thread runs small
operations that are all goals, so that each is a task of its own and a record in S3.
"""

from __future__ import annotations

import argparse
import json
import random
import re
import statistics
import sys
import tempfile
import time
import uuid
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final, NamedTuple

from obstore.store import S3Store

from tests.support import kstatus, workplans
from tests.support.kubectl import Kubectl, KubectlError, cluster_env, connect
from tests.support.waiting import wait_for
from tests.tools.bench import sweep
from tests.tools.demo import scan

RUN_SECONDS: Final = 1800.0
COMPONENTS: Final = ("worker", "scheduler", "runner")
_CPU: Final = re.compile(
    r'container_cpu_usage_seconds_total\{container="(\w+)",namespace="([^"]+)",pod="([^"]+)"\}'
    r" (\S+)"
)


class Place(NamedTuple):
    """Where a sweep runs; without workers, in a process of this machine."""

    name: str
    workers: int
    threads: int


HERE: Final = Place("here, 1 thread", 0, 1)
HERE_TWO: Final = Place("here, 2 threads", 0, 2)
ONE: Final = Place("cluster, 1 worker x 1 thread", 1, 1)
THREADS: Final = Place("cluster, 1 worker x 2 threads", 1, 2)
WORKERS: Final = Place("cluster, 2 workers x 1 thread", 2, 1)
PLACES: Final = (HERE, ONE, HERE_TWO, THREADS, WORKERS)
RATIOS: Final = (
    ("here: 1 thread over 2", HERE, HERE_TWO, "at least 1.8"),
    ("cluster: 1 thread over 2 of one worker", ONE, THREADS, "at least 1.8"),
    ("cluster: 1 worker over 2", ONE, WORKERS, "at least 1.8"),
    ("1 thread: cluster over here", ONE, HERE, "at most 1.15"),
    ("2 threads of one worker: cluster over here", THREADS, HERE_TWO, "at most 1.15"),
    ("2 workers over 2 threads here", WORKERS, HERE_TWO, "at most 1.15"),
)


class Spent(NamedTuple):
    """What a sweep took: seconds from the first result to the last, and CPU seconds by component.

    Here the only component is `worker`. `best` are the best Dice coefficients.
    """

    seconds: float
    cpu: Mapping[str, float]
    best: Mapping[str, float]


class ClusterBench:
    """Runs WorkPlans in a namespace of their own, on new plans each time."""

    def __init__(self, kube: Kubectl, folder: Path, share: float) -> None:
        """Upload the volumes in `folder`; each thread gets a share of a core, any with 0."""
        self._kube = kube
        self._share = share
        self._folder = folder
        self._files = scan.filesystem()
        self._cpu: dict[tuple[str, str], float] = {}
        nodes = json.loads(kube.run("get", "nodes", "-o", "json"))["items"]
        self._nodes = [node["metadata"]["name"] for node in nodes]
        # Runs may read below `inputs/` only.
        self._inputs = f"{cluster_env()['S3_BUCKET']}/inputs/bench-{uuid.uuid4().hex[:8]}"
        for path in folder.iterdir():
            self._files.put_file(str(path), f"{self._inputs}/{path.name}")

    def close(self) -> None:
        """Delete the volumes."""
        self._files.rm(self._inputs, recursive=True)

    def sweep(self, place: Place, volumes: int, high: int) -> Spent:
        """Run the sweep; return what it took."""
        text = sweep.program(
            f"s3://{self._inputs}",
            range(1, 1 + volumes),
            sweep.combinations(high),
            # The data are float32: such a difference is below that of two of its values.
            salt=random.SystemRandom().random() * 1e-9,
        )
        found = self.run(text, place)
        cpu: dict[str, float] = {}
        for (component, _), seconds in self._cpu.items():
            cpu[component] = cpu.get(component, 0.0) + seconds
        best = {each["goal"]: each["value"] for each in found["results"]}
        return Spent(found["last_result"] - found["first_result"], cpu, best)

    def run(self, text: str, place: Place) -> Mapping[str, Any]:
        """Run a program to its end; return its results.json."""
        name = f"bench-{uuid.uuid4().hex[:8]}"
        self._cpu = {}
        limits = {"cpu": f"{self._share * place.threads * 1000:.0f}m", "memory": "4Gi"}
        worker = {"worker": {"resources": {"limits": limits}}} if self._share else {}
        self._kube.apply(
            workplans.workplan(
                name,
                source={"program": text},
                cluster={
                    "minWorkers": place.workers,
                    "maxWorkers": place.workers,
                    "threadsPerWorker": place.threads,
                    **worker,
                },
            )
        )
        ended = wait_for(
            f"WorkPlan {name} ends", lambda: self._ended(name), timeout=RUN_SECONDS, pause=1.0
        )
        status = ended["status"]
        assert kstatus.condition(ended, "Succeeded")["status"] == "True", status
        results = self._files.cat_file(f"{status['runURL']}/results.json".removeprefix("s3://"))
        self._kube.delete("workplan", name)
        wait_for("its pods are gone", lambda: not self._kube.items("pods"))
        found: dict[str, Any] = json.loads(results)
        return found

    def _ended(self, name: str) -> dict[str, Any] | None:
        self._count_cpu()
        found = self._kube.get("workplan", name)
        return found if (found.get("status") or {}).get("completionTime") else None

    def _count_cpu(self) -> None:
        """Keep the CPU seconds of this namespace's containers; those that are gone stay as known.

        Nothing is counted where nodes may not be asked.
        """
        for node in self._nodes:
            try:
                text = self._kube.run(
                    "get", "--raw", f"/api/v1/nodes/{node}/proxy/metrics/resource"
                )
            except KubectlError:
                continue
            for component, namespace, pod, seconds in _CPU.findall(text):
                if namespace == self._kube.namespace and component in COMPONENTS:
                    self._cpu[component, pod] = float(seconds)


def sweeps(bench: ClusterBench, folder: Path, given: argparse.Namespace) -> None:
    """Run all sweeps and print times and ratios."""
    options = [f"--high={given.high}", f"--volumes={given.volumes}", "--executor=threads"]
    rounds: list[dict[Place, Spent]] = []
    operations = 0
    for number in range(given.rounds):
        spent: dict[Place, Spent] = {}
        for place in PLACES:
            if place.workers:
                spent[place] = bench.sweep(place, given.volumes, given.high)
            else:
                row = sweep.in_process(str(folder), place.threads, options, given.share)
                operations = row["operations"]
                cpu = {"worker": row["process_cpu"]}
                spent[place] = Spent(row["span"], cpu, row["best"])
            print(f"round {number + 1}: {place.name:<32} {_text(spent[place])}", flush=True)
        rounds.append(spent)
    if any(each.best != rounds[0][HERE].best for spent in rounds for each in spent.values()):
        sys.exit(f"the results differ by place: {[each.best for each in rounds[0].values()]}")
    if given.share:
        print(f"\nEach thread gets {given.share:g} of a core.")
    print(f"\nSweep of {operations} operations: seconds from first to last result, CPU seconds")
    print(f"{'place, medians':<32} {'wall':>9}" + "".join(f"{name:>12}" for name in COMPONENTS))
    for place in PLACES:
        print(f"{place.name:<32} {_text(_median([each[place] for each in rounds]))}")
    print(f"\n{'ratio, median of the rounds':<44} {'wall':>7} {'CPU':>7}  goal of wall")
    for what, first, second, goal in RATIOS:
        wall = statistics.median(each[first].seconds / each[second].seconds for each in rounds)
        print(f"{what:<44} {wall:>7.2f} {_cpu_ratio(rounds, first, second):>7}  {goal}")


def _cpu_ratio(rounds: Sequence[Mapping[Place, Spent]], first: Place, second: Place) -> str:
    """Return the ratio of the CPU seconds of workers; a dash if the cluster did not count them."""
    found = [
        each[first].cpu["worker"] / each[second].cpu["worker"]
        for each in rounds
        if each[first].cpu.get("worker") and each[second].cpu.get("worker")
    ]
    return f"{statistics.median(found):.2f}" if found else "-"


def _text(spent: Spent) -> str:
    counted = "".join(
        f"{spent.cpu[name]:>10.1f} s" if name in spent.cpu else f"{'-':>12}" for name in COMPONENTS
    )
    return f"{spent.seconds:>7.1f} s{counted}"


def _median(all_spent: Sequence[Spent]) -> Spent:
    cpu = {
        name: statistics.median(each.cpu.get(name, 0.0) for each in all_spent)
        for name in all_spent[0].cpu
    }
    seconds = statistics.median(each.seconds for each in all_spent)
    return Spent(seconds, cpu, all_spent[0].best)


def tasks(bench: ClusterBench, count: int, rounds: int) -> None:
    """Measure tasks per second of one worker with one thread, and plain puts of as many bytes."""
    ours, plain = [], []
    for _ in range(rounds):
        salt = random.SystemRandom().random()
        lines = [f'print "n{each}" test.identity({each + salt!r})' for each in range(count)]
        found = bench.run("\n".join(lines), ONE)
        ours.append((count - 1) / (found["last_result"] - found["first_result"]))
        plain.append(count / _put_seconds(count))
    print(f"\nTasks against S3: {count} operations, each a task and a record of its own")
    print(f"{'what':<44} {'a second':>9}")
    print(f"{'tasks of one worker x 1 thread':<44} {statistics.median(ours):>9.0f}")
    print(f"{'plain obstore puts, one after the other':<44} {statistics.median(plain):>9.0f}")
    ratio = statistics.median(put / task for task, put in zip(ours, plain, strict=True))
    print(f"{'a task takes as long as so many puts':<44} {ratio:>9.2f}")


def _put_seconds(count: int) -> float:
    """Return the seconds of so many puts of small objects, one after the other."""
    env = cluster_env()
    store = S3Store(
        env["S3_BUCKET"],
        prefix=f"bench-{uuid.uuid4().hex[:8]}",
        endpoint=env["S3_ENDPOINT"],
        region=env["S3_REGION"],
        access_key_id=env["AWS_ACCESS_KEY_ID"],
        secret_access_key=env["AWS_SECRET_ACCESS_KEY"],
        client_options={"allow_http": True},
    )
    begin = time.perf_counter()
    for number in range(count):
        store.put(f"{number}.json", b"x" * 600, mode="create")
    seconds = time.perf_counter() - begin
    store.delete([f"{number}.json" for number in range(count)])
    return seconds


def main() -> None:
    """Measure everything and print the tables."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--high", type=int, default=3, help="number of upper thresholds, up to 7")
    parser.add_argument("--volumes", type=int, default=1, help="number of volumes, up to 4")
    parser.add_argument("--rounds", type=int, default=1)
    parser.add_argument("--tasks", type=int, default=1000, help="number of tasks against S3")
    parser.add_argument(
        "--share", type=float, default=0.0, help="of a core, for each thread; 0 for no limit"
    )
    given = parser.parse_args()
    cluster = connect()
    namespace = f"bench-{uuid.uuid4().hex[:8]}"
    cluster.make_namespace(namespace)
    with tempfile.TemporaryDirectory() as name:
        sweep.write_volumes(Path(name), range(1, 1 + given.volumes))
        bench = ClusterBench(cluster.within(namespace), Path(name), given.share)
        try:
            sweeps(bench, Path(name), given)
            tasks(bench, given.tasks, given.rounds)
        finally:
            bench.close()
            cluster.run("delete", "namespace", namespace, "--wait=false")


if __name__ == "__main__":
    main()
