"""A driver and a worker with different versions of a package of kernels."""

from __future__ import annotations

import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

METADATA = "Metadata-Version: 2.1\nName: labkernels\nVersion: 1\n"
ENTRY_POINTS = "[voxk8s.kernels]\nlabkernels = labkernels\n"
KERNELS = """
from voxk8s.kernels import kernel

FACTORS = [{factor}]


@kernel("labkernels.scaled")
def scaled(x: float) -> float:
    return x * FACTORS[0]


@kernel("labkernels.numbered", version=1)
def numbered(x: float) -> float:
    return x * {factor}
"""
DRIVER = """
import logging, os, subprocess, sys
from distributed import Client, LocalCluster
import voxk8s
from tests.support.plans_and_runs import PlanMaker, engine_on

path, store = sys.argv[1:]
with (
    LocalCluster(n_workers=0, dashboard_address=None, silence_logs=logging.CRITICAL) as cluster,
    Client(cluster) as client,
):
    # A process of its own: those that a driver starts itself have its path.
    worker = subprocess.Popen(
        [sys.executable, "-m", "dask", "worker", cluster.scheduler_address, "--no-nanny",
         "--nthreads", "1", "--no-dashboard"],
        env={"PYTHONPATH": path + os.pathsep + os.environ["ROOT"]}, stderr=subprocess.DEVNULL,
    )
    try:
        client.wait_for_workers(1, timeout=60)
        make = PlanMaker("labkernels")
        make.show("scaled", make("scaled", 1.0))
        make.show("numbered", make("numbered", 1.0))
        result = engine_on(voxk8s.open_store(store), client).execute_workplan(make.plan())
        for goal in result.goals:
            print(goal.goal.name, goal.failure.message if goal.failure else goal.load())
    finally:
        worker.terminate()
        worker.wait()
"""


def _install(folder: Path, factor: int) -> Path:
    info = folder / "labkernels-1.dist-info"
    info.mkdir(parents=True)
    (info / "METADATA").write_text(METADATA)
    (info / "entry_points.txt").write_text(ENTRY_POINTS)
    (folder / "labkernels.py").write_text(KERNELS.format(factor=factor))
    return folder


@pytest.mark.parametrize("older", [False, True], ids=["the same package", "an older package"])
def test_a_worker_with_another_package_refuses(tmp_path: Path, older: bool) -> None:
    """A kernel that is versioned by its code; one with a version is believed."""
    ours = _install(tmp_path / "driver", 3)
    theirs = _install(tmp_path / "worker", 2 if older else 3)
    (tmp_path / "run.py").write_text(textwrap.dedent(DRIVER))
    done = subprocess.run(
        [sys.executable, str(tmp_path / "run.py"), str(theirs), str(tmp_path / "store")],
        capture_output=True,
        text=True,
        timeout=120,
        env={"PYTHONPATH": f"{ours}:{Path.cwd()}", "ROOT": str(Path.cwd()), "PATH": ""},
        check=False,
    )
    said = dict(line.split(" ", 1) for line in done.stdout.splitlines())
    assert said.keys() == {"scaled", "numbered"}, done.stderr
    if older:
        assert "kernel labkernels.scaled: expected version of code" in said["scaled"]
        assert said["numbered"] == "2.0"
    else:
        assert said == {"scaled": "3.0", "numbered": "3.0"}
