"""The runner as a process, on a real API server and a Dask cluster, when its pod ends."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from distributed import LocalCluster

from tests.support.api_server import ApiServer
from tests.support.operators import eventually
from voxk8s import constants
from voxk8s.cluster.kube_client import KubeClient
from voxk8s.cluster.pod_template import TERMINATION_GRACE_SECONDS
from voxk8s.cluster.resources import WORK_PLANS
from voxk8s.runner.__main__ import EXIT_STOPPED
from voxk8s.storage import open_store

PROGRAM = """\
import "test"
print "quick" 1 + 2
print "slow" sleep(1000)
"""


@pytest.fixture(scope="module")
def scheduler() -> Iterator[str]:
    """The address of a scheduler with one worker process; test kernels are on."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("VOXK8S_TEST_KERNELS", "1")
        with LocalCluster(
            n_workers=1, threads_per_worker=4, processes=True, dashboard_address=":0"
        ) as cluster:
            yield cluster.scheduler_address


@pytest.fixture
def start(
    api_server: ApiServer, scheduler: str, namespace: str, tmp_path: Path
) -> Iterator[Callable[[str], subprocess.Popen[bytes]]]:
    """Start the runner of the WorkPlan `run` with a uid, as its pod does."""
    processes: list[subprocess.Popen[bytes]] = []

    def started(uid: str) -> subprocess.Popen[bytes]:
        environment = os.environ | {
            "KUBECONFIG": str(api_server.kubeconfig()),
            "VOXK8S_TEST_KERNELS": "1",
            constants.ENV_WORKPLAN_NAMESPACE: namespace,
            constants.ENV_WORKPLAN_NAME: "run",
            constants.ENV_WORKPLAN_UID: uid,
            constants.ENV_SCHEDULER_ADDRESS: scheduler,
            constants.ENV_STORE: (tmp_path / "store").as_uri(),
        }
        processes.append(subprocess.Popen([sys.executable, "-m", "voxk8s.runner"], env=environment))
        return processes[-1]

    yield started
    for process in processes:
        process.kill()
        process.wait()


async def _computes(direct: KubeClient, namespace: str) -> str:
    """Create the WorkPlan; returns its uid."""
    body = {
        "apiVersion": constants.API_VERSION,
        "kind": constants.KIND,
        "metadata": {"name": "run", "namespace": namespace},
        "spec": {"source": {"program": PROGRAM}},
    }
    made = await direct.create(WORK_PLANS, body, namespace)
    return str(made["metadata"]["uid"])


async def _status(direct: KubeClient, namespace: str) -> dict[str, Any]:
    found = await direct.get(WORK_PLANS, "run", namespace)
    status: dict[str, Any] = found["status"]
    return status


async def _half_way(
    direct: KubeClient, namespace: str, start: Callable[[str], subprocess.Popen[bytes]]
) -> tuple[str, subprocess.Popen[bytes]]:
    """Start a runner; return its WorkPlan's uid and it when one of two operations is computed."""
    uid = await _computes(direct, namespace)
    process = start(uid)

    async def probe() -> bool:
        counts = (await _status(direct, namespace)).get("operations", {})
        return bool(counts.get("computed"))

    await eventually(probe, "one of two operations is computed", 60)
    return uid, process


async def test_terminated_runner_leaves_a_partial_report(
    direct: KubeClient,
    namespace: str,
    start: Callable[[str], subprocess.Popen[bytes]],
    tmp_path: Path,
) -> None:
    """It is in the status before the pod is killed, although an operation goes on for long."""
    uid, process = await _half_way(direct, namespace, start)
    process.send_signal(signal.SIGTERM)
    assert await asyncio.to_thread(process.wait, TERMINATION_GRACE_SECONDS) == EXIT_STOPPED
    status = await _status(direct, namespace)
    path = f"runs/{namespace}/run/{uid}/report.html"
    assert status["report"]["url"].endswith(path)
    assert "outcome" not in status
    assert status["operations"]["running"] == 0
    page = open_store((tmp_path / "store").as_uri()).read_run_file(path.removeprefix("runs/"))
    assert b"This report is partial" in (page or b"")


async def test_report_of_a_deleted_workplan_lies_in_its_folder(
    direct: KubeClient,
    namespace: str,
    start: Callable[[str], subprocess.Popen[bytes]],
    tmp_path: Path,
) -> None:
    """There is no status any more; the runner ends in time."""
    uid, process = await _half_way(direct, namespace, start)
    await direct.delete(WORK_PLANS, "run", namespace)
    process.send_signal(signal.SIGTERM)
    assert await asyncio.to_thread(process.wait, TERMINATION_GRACE_SECONDS) == 0
    store = open_store((tmp_path / "store").as_uri())
    page = store.read_run_file(f"{namespace}/run/{uid}/report.html")
    assert b"This report is partial" in (page or b"")
