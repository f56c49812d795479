"""A sweep over the parameters of a segmentation: about 26,000 operations over four volumes.

Run `python -m tests.tools.bench.sweep [--quick] [--high N] [--threads 1 2] [--kernels]`. For each
number of threads a process of its own segments every volume for each combination of two thresholds,
a radius and an opening, and prints the best Dice coefficient of each volume. `--quick` takes a
fiftieth of the combinations, on one volume, `--high 3` those of three upper thresholds; `--kernels`
prints the seconds by kernel.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from contextlib import nullcontext
from pathlib import Path
from typing import Any

from tests.support.plans_and_runs import CountingPolicy
from tests.tools.bench.processor_share import processor_share
from tests.tools.bench.volumes import volume
from voxk8s import compile_program, open_store
from voxk8s.constants import ENV_DASK_THREADS
from voxk8s.execution import ExecutionEngine, ExecutionResult
from voxk8s.formats.encode_file import encode_file

WHOLE = {
    "high": (0.90, 0.91, 0.92, 0.93, 0.94, 0.95, 0.96),
    "low": (0.80, 0.82, 0.84, 0.86, 0.88, 0.89),
    "radius": (1.0, 1.5, 2.0, 2.5, 3.0),
    "opening": (1.0, 2.0, 3.0),
}
QUICK = {"high": (0.92, 0.95), "low": (0.84, 0.88), "radius": (1.0, 2.5), "opening": (1.0, 2.0)}

PROGRAM = """
import "stdlib.imgql"

let best(values) = values[argmax(values)]
let filled(a) = !touch(!a, border)
let dice(a, b) = (2 .*. volume(a & b)) ./. (volume(a) .+. volume(b))

let segmented(p, high, low, r) =
  let seed = smoothen(p >. high, r) in
  let area = smoothen(p >. low, r) in
  filled(maxvol(near(imclose(grow(seed, area), r))))

let score(p, truth) =
  best(for high in [{high}] do
    best(for low in [{low}] do
      best(for r in [{radius}] do
        best(for o in [{opening}] do dice(imopen(segmented(p, high, low, r), o), truth)))))
"""
CASE = """
load flair{case} = "{folder}/flair{case}.nii.gz"
load truth{case} = "{folder}/truth{case}.nii.gz"
let brain{case} = !touch(flair{case} <. {dark}, border)
print "best {case}" score(percentiles(flair{case}, brain{case}, 0), truth{case} >. 0)
"""


def main() -> None:
    """Print a line for each number of threads."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--high", type=int, help="number of upper thresholds, all by default")
    parser.add_argument("--kernels", action="store_true", help="print seconds by kernel")
    parser.add_argument("--volumes", type=int, help="number of volumes, 4 by default")
    parser.add_argument("--threads", type=int, nargs="+", default=[1, 2])
    parser.add_argument("--executor", default="threads")
    parser.add_argument("--inside", help=argparse.SUPPRESS)
    given = parser.parse_args()
    cases = range(1, 1 + (given.volumes or (1 if given.quick else 4)))
    if given.inside:
        folder = Path(given.inside)
        values = combinations(given.high, quick=given.quick)
        print(json.dumps(_measure(folder, program(str(folder), cases, values), given.executor)))
        return
    with tempfile.TemporaryDirectory() as name:
        write_volumes(Path(name), cases)
        if not given.quick and len(cases) == 4 and not given.high:
            print("Goal on two threads: 90 s; published for such a sweep on one worker: 610 s.\n")
        print("| threads | operations | tasks | wall s | CPU s | peak MiB | stored MB | times |")
        print("|---:|---:|---:|---:|---:|---:|---:|---:|")
        first, best = 0.0, None
        for threads in given.threads:
            row = in_process(name, threads, sys.argv[1:])
            if best not in (None, row["best"]):
                sys.exit(f"the results differ by the number of threads: {best}, {row['best']}")
            best = row["best"]
            first = first or row["wall"]
            print(
                f"| {threads} | {row['operations']} | {row['tasks']} | {row['wall']:.1f}"
                f" | {row['cpu']:.1f} | {row['peak']:.0f} | {row['stored']:.1f}"
                f" | {first / row['wall']:.2f} |",
                flush=True,
            )
            if given.kernels:
                _print_kernels(row["kernels"])
        for case, dice in sorted((best or {}).items()):
            print(f"{case}: Dice {dice:.6f}")


def in_process(
    folder: str, threads: int, options: Sequence[str], share: float = 0.0
) -> dict[str, Any]:
    """Run the sweep over the volumes in a folder, in a new process with so many threads.

    With a share, the process gets so much of a core for each of its threads.
    """
    with processor_share(share * threads) if share else nullcontext() as join:
        answer = subprocess.run(
            [sys.executable, "-m", "tests.tools.bench.sweep", *options, "--inside", folder],
            env={**os.environ, ENV_DASK_THREADS: str(threads)},
            stdout=subprocess.PIPE,
            check=True,
            preexec_fn=join,
        )
    row: dict[str, Any] = json.loads(answer.stdout)
    return row


def _measure(folder: Path, program: str, executor: str) -> dict[str, Any]:
    """Run the program on a new store; peak memory is that of this process."""
    plan = compile_program(program, name="sweep.imgql")
    policy = CountingPolicy()
    with tempfile.TemporaryDirectory(dir=folder) as name:
        store = open_store(name)
        engine = ExecutionEngine(store, executor=executor, scheduling=policy, write_files=False)
        begin, before = time.perf_counter(), time.process_time()
        result = engine.execute_workplan(plan)
        wall, cpu = time.perf_counter() - begin, time.process_time() - before
        children = resource.getrusage(resource.RUSAGE_CHILDREN)
        stored = sum(each.stat().st_size for each in Path(name).rglob("*") if each.is_file())
    if not result.success:
        sys.exit(f"the sweep failed: {result.failures[:3]}")
    return {
        "operations": result.total_operations,
        "tasks": policy.tasks,
        "wall": wall,
        "cpu": cpu,
        "process_cpu": time.process_time() + children.ru_utime + children.ru_stime,
        "peak": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
        "stored": stored / 1e6,
        "span": _span(result),
        "best": dict(result),
        "kernels": _by_kernel(result),
    }


def _span(result: ExecutionResult) -> float:
    """Return the seconds from the first result to the last."""
    ends = [each.started + each.seconds for each in result.metrics.values() if not each.cached]
    return max(ends) - min(ends)


def _by_kernel(result: ExecutionResult) -> dict[str, list[float]]:
    """Return the calls and the seconds of each kernel."""
    found: dict[str, list[float]] = defaultdict(lambda: [0, 0.0])
    for metrics in result.metrics.values():
        found[metrics.kernel][0] += 1
        found[metrics.kernel][1] += metrics.seconds
    return found


def _print_kernels(kernels: Mapping[str, Sequence[float]]) -> None:
    for name, (calls, seconds) in sorted(kernels.items(), key=lambda each: -each[1][1])[:20]:
        print(
            f"    {name:<24}{calls:>7.0f} calls {seconds:>8.2f} s {seconds / calls * 1e3:>8.2f} ms"
        )


def combinations(high: int | None, *, quick: bool = False) -> dict[str, tuple[float, ...]]:
    """Return the values of the parameters; of the upper thresholds the first `high`."""
    values = QUICK if quick else WHOLE
    return values | {"high": values["high"][:high]}


def program(
    folder: str, cases: Collection[int], values: Mapping[str, Sequence[float]], salt: float = 0.0
) -> str:
    """Return the program over the volumes of some cases in a folder or below a URL.

    `salt`, far below the distance of two voxels, makes all its operations but the loads new.
    """
    texts = {
        name: ", ".join(repr(each + (salt if name in ("high", "low") else 0.0)) for each in row)
        for name, row in values.items()
    }
    return PROGRAM.format(**texts) + "".join(
        CASE.format(case=case, folder=folder, dark=repr(0.1 + salt)) for case in cases
    )


def write_volumes(folder: Path, cases: Collection[int]) -> None:
    """Write the volumes of some cases as files."""
    for case in cases:
        for name, image in zip(("flair", "truth"), volume(case), strict=True):
            data = encode_file(image, ".nii.gz").data
            (folder / f"{name}{case}.nii.gz").write_bytes(data)


if __name__ == "__main__":
    main()
