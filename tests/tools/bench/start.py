"""Short runs, Python's start included: `voxk8s run` of small programs beside the same on Dask.

Run `python -m tests.tools.bench.start`. Each row starts processes with an empty store, in turn with
the others. One runs a plan of 10,000 operations whose results are all known, the last one a script
that lets Dask compute the same again, as its users must. `import numpy` is a yardstick of the
machine: no run can be faster. A first round, which is not counted, compiles the modules, as they
are where a package was installed.
"""

from __future__ import annotations

import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

from tests.support.plans_and_runs import write_image
from voxk8s.plan import Goal, OperationId, WorkPlan, constant, encode, operation
from voxk8s.plan.model import Node

_ROUNDS = 7
_NUMBER = 'print "x" 1 + 2\n'
_IMAGE = (
    'import "vox1"\nload i = "a.nii.gz"\nprint "volume" volume(i >. 2)\nsave "m.nii.gz" i >. 2\n'
)
_CHAINS = 100
"""Chains of the known plan, each as many operations long."""
_ON_DASK = f"""
from operator import add
from dask.threaded import get
graph = {{}}
for chain in range({_CHAINS}):
    last = chain + 2.5
    for step in range({_CHAINS}):
        graph[chain, step] = (add, last, 1.0)
        last = (chain, step)
get(graph, [(chain, {_CHAINS} - 1) for chain in range({_CHAINS})])
"""
_GOALS = {"number.imgql": "0.60", "image.imgql": "0.60", "known.json": "0.80"}
_DASK = {"VOXLOGICA_ENABLE_DASHBOARD": "1"}


def main() -> None:
    """Measure and print the table."""
    os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        write_image(folder / "a.nii.gz", 3.0, (20, 30, 40))
        (folder / "number.imgql").write_text(_NUMBER)
        (folder / "image.imgql").write_text(_IMAGE)
        (folder / "known.json").write_bytes(_known_plan())
        rows: list[tuple[str, list[str], dict[str, str]]] = [
            ("python -c 'import numpy'", ["-c", "import numpy"], {}),
            ('voxk8s run: print "x" 1 + 2', _voxk8s("number.imgql"), {}),
            ("voxk8s run: threshold of an image", _voxk8s("image.imgql"), {}),
            ('the same on Dask: print "x" 1 + 2', _voxk8s("number.imgql"), _DASK),
            ("the same on Dask: threshold of an image", _voxk8s("image.imgql"), _DASK),
            ("voxk8s run: 10,000 known operations", _voxk8s("known.json"), {}),
            ("the same in a script for Dask's threads", ["-c", _ON_DASK], {}),
        ]
        known = str(folder / "known")
        _measure(_voxk8s("known.json"), {"VOXK8S_STORE": known}, folder)
        times: list[list[tuple[float, float]]] = [[] for _ in rows]
        for round_number in range(1 + _ROUNDS):
            for (_, command, env), column in zip(rows, times, strict=True):
                store = str(folder / f"store{round_number}-{len(env)}-{command[-1]}")
                if command[-1] == "known.json":
                    store = known
                taken = _measure(command, {**env, "VOXK8S_STORE": store}, folder)
                if round_number:
                    column.append(taken)
        print("| run | CPU s | elapsed s | times import numpy (CPU) | goal, elapsed s |")
        print("|---|---:|---:|---:|---:|")
        unit = statistics.median(cpu for cpu, _ in times[0])
        for (title, command, _), column in zip(rows, times, strict=True):
            cpu = statistics.median(each[0] for each in column)
            elapsed = statistics.median(each[1] for each in column)
            goal = _GOALS.get(command[-1], "") if title.startswith("voxk8s run") else ""
            print(f"| {title} | {cpu:.2f} | {elapsed:.2f} | {cpu / unit:.1f} | {goal} |")


def _known_plan() -> bytes:
    """Return the document of chains of cheap operations with a goal each."""
    one = constant(1.0)
    nodes: dict[OperationId, Node] = {one.id: one}
    goals = []
    for number in range(_CHAINS):
        start = constant(number + 2.5)
        last = nodes.setdefault(start.id, start)
        for _ in range(_CHAINS):
            step = operation("addition", [last.id, one.id])
            last = nodes.setdefault(step.id, step)
        goals.append(Goal("print", last.id, f"chain{number}"))
    return encode(WorkPlan(nodes, tuple(goals)))


def _voxk8s(program: str) -> list[str]:
    return ["-m", "voxk8s.cli", "run", "-q", program]


def _measure(command: Sequence[str], env: dict[str, str], folder: Path) -> tuple[float, float]:
    """Return CPU and elapsed seconds of a process."""
    before, begin = _children(), time.perf_counter()
    subprocess.run(
        [sys.executable, *command],
        cwd=folder,
        env={**os.environ, **env},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        check=True,
    )
    return _children() - before, time.perf_counter() - begin


def _children() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


if __name__ == "__main__":
    main()
