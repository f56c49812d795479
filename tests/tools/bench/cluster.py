"""Apply -> Succeeded on the real Kubernetes: new and known plans beside a DaskJob, many at once.

Run with `make bench`, or `python -m tests.tools.bench.cluster [ROUNDS] [--many 20]`, on an
installed cluster.
"""

from __future__ import annotations

import argparse
import random
import statistics
import time
import uuid
from collections.abc import Callable, Sequence
from typing import Any

import yaml

from tests.support import kstatus, workplans
from tests.support.kubectl import Kubectl, connect
from tests.support.paths import ROOT
from tests.support.waiting import wait_for
from tests.tools.bench.table import Row, show

JOB = """
from dask.distributed import Client
with Client() as client:
    print(client.submit(lambda a, b: a + b, {first}, 3.0).result())
"""


def restricted(container: dict[str, Any]) -> dict[str, Any]:
    """Return a pod spec of one container that meets Pod Security `restricted`."""
    safe = {
        "allowPrivilegeEscalation": False,
        "capabilities": {"drop": ["ALL"]},
        "readOnlyRootFilesystem": True,
    }
    mounts = [{"name": "tmp", "mountPath": "/tmp"}]
    home = [{"name": "HOME", "value": "/tmp"}]
    return {
        "automountServiceAccountToken": False,
        "terminationGracePeriodSeconds": 5,
        "securityContext": {
            "runAsNonRoot": True,
            "runAsUser": 65532,
            "seccompProfile": {"type": "RuntimeDefault"},
        },
        "containers": [
            {
                **container,
                "securityContext": safe,
                "volumeMounts": mounts,
                "env": [*home, *container.get("env", ())],
            }
        ],
        "volumes": [{"name": "tmp", "emptyDir": {}}],
    }


def dask_job(name: str, image: str, first: float) -> dict[str, Any]:
    """Return a DaskJob that adds two numbers on one worker, tuned as ours is (probe period 1 s)."""
    scheduler = {
        "name": "scheduler",
        "image": image,
        "args": ["dask", "scheduler", "--host", "0.0.0.0"],
        "ports": [
            {"name": "tcp-comm", "containerPort": 8786},
            {"name": "http-dashboard", "containerPort": 8787},
        ],
        "readinessProbe": {
            "httpGet": {"port": "http-dashboard", "path": "/health"},
            "periodSeconds": 1,
        },
    }
    worker = {
        "name": "worker",
        "image": image,
        "args": ["dask", "worker", "--name", "$(DASK_WORKER_NAME)", "--no-nanny"],
    }
    runner = {"name": "job", "image": image, "args": ["python", "-c", JOB.format(first=first)]}
    selector = {"dask.org/cluster-name": name, "dask.org/component": "scheduler"}
    ports = [
        {"name": "tcp-comm", "port": 8786, "targetPort": "tcp-comm"},
        {"name": "http-dashboard", "port": 8787, "targetPort": "http-dashboard"},
    ]
    return {
        "apiVersion": "kubernetes.dask.org/v1",
        "kind": "DaskJob",
        "metadata": {"name": name},
        "spec": {
            "job": {"spec": {"restartPolicy": "Never", **restricted(runner)}},
            "cluster": {
                "spec": {
                    "worker": {"replicas": 1, "spec": restricted(worker)},
                    "scheduler": {
                        "spec": restricted(scheduler),
                        "service": {"type": "ClusterIP", "selector": selector, "ports": ports},
                    },
                }
            },
        },
    }


def time_dask_job(kube: Kubectl, image: str, tries: int = 3) -> float:
    """Return the seconds from apply until a new DaskJob is Successful.

    A job that does not get there within a minute is tried again, as its users do: its controller
    waits that long after an error of its own.
    """
    name = f"job-{uuid.uuid4().hex[:8]}"
    start = time.perf_counter()
    kube.apply(dask_job(name, image, random.random()))
    try:
        wait_for(
            "the DaskJob is Successful",
            lambda: _is_successful(kube.get("daskjob", name)),
            timeout=60,
        )
        return time.perf_counter() - start
    except AssertionError:
        if tries <= 1:
            raise
        print(f"DaskJob {name} did not succeed within 60 s; another try")
    finally:
        kube.run("delete", "daskjob", name, "--wait=false")
    return time_dask_job(kube, image, tries - 1)


def time_workplan(kube: Kubectl, plan: workplans.Document) -> float:
    """Return the seconds from apply until a WorkPlan is Succeeded."""
    name = f"plan-{uuid.uuid4().hex[:8]}"
    start = time.perf_counter()
    kube.apply(workplans.workplan(name, plan, cluster={"maxWorkers": 1}))
    wait_for("the WorkPlan is Succeeded", lambda: _is_succeeded(kube.get("workplan", name)))
    seconds = time.perf_counter() - start
    kube.run("wait", "--for=delete", "daskcluster", "--all", "--timeout=60s")
    return seconds


def time_many(kube: Kubectl, count: int) -> float:
    """Return the seconds from the apply of so many new plans until all are Succeeded."""
    bodies = [
        workplans.workplan(
            f"many-{number}",
            workplans.addition(random.random(), 3.0),
            cluster={"maxWorkers": 1},
        )
        for number in range(count)
    ]
    return _time_all(kube, bodies, "workplans", _is_succeeded)


def time_many_dask_jobs(kube: Kubectl, image: str, count: int) -> float:
    """Return the seconds from the apply of so many new DaskJobs until all are Successful."""
    bodies = [dask_job(f"many-{number}", image, random.random()) for number in range(count)]
    try:
        return _time_all(kube, bodies, "daskjobs", _is_successful)
    finally:
        kube.run("delete", "daskjobs", "--all", "--wait=false")


def _time_all(
    kube: Kubectl,
    bodies: Sequence[dict[str, Any]],
    kind: str,
    has_ended: Callable[[dict[str, Any]], bool],
) -> float:
    """Return the seconds from the apply of all objects of a kind until all have ended well."""
    start = time.perf_counter()
    kube.apply(*bodies)
    wait_for(
        f"all {kind} have ended well",
        lambda: sum(map(has_ended, kube.items(kind))) == len(bodies),
        timeout=600,
        pause=1,
    )
    return time.perf_counter() - start


def _is_succeeded(workplan: dict[str, Any]) -> bool:
    return kstatus.condition(workplan, "Succeeded").get("status") == "True"


def _is_successful(job: dict[str, Any]) -> bool:
    return (job.get("status") or {}).get("jobStatus") == "Successful"


def main(rounds: int, many: int) -> None:
    """Measure and print the table."""
    lines = (ROOT / ".cluster" / "images.env").read_text().splitlines()
    image = dict(line.split("=", 1) for line in lines if "=" in line)["ENGINE_IMAGE"]
    cluster = connect()
    name = f"bench-{uuid.uuid4().hex[:8]}"
    namespace = yaml.safe_load(f"{{apiVersion: v1, kind: Namespace, metadata: {{name: {name}}}}}")
    cluster.apply(namespace)
    kube = cluster.within(name)
    try:
        jobs, new, known = [], [], []
        for _ in range(rounds):
            plan = workplans.addition(random.random(), 3.0)
            jobs.append(time_dask_job(kube, image))
            new.append(time_workplan(kube, plan))
            known.append(time_workplan(kube, plan))
        job = statistics.median(jobs)
        rows = [
            Row("new small plan", statistics.median(new), "DaskJob, same content", job),
            Row("known plan", statistics.median(known), "DaskJob, same content", job, mark=1.0),
        ]
        show(f"apply -> Succeeded, median of {rounds}, kubectl's own start-up included", rows)
        if many:
            kube.run("delete", "workplans", "--all", "--timeout=60s")
            plans = time_many(kube, many)
            kube.run("delete", "workplans", "--all", "--timeout=60s")
            jobs_at_once = time_many_dask_jobs(kube, image, many)
            what, peer = f"{many} new small plans at once", f"{many} DaskJobs at once"
            show("apply -> all Succeeded", [Row(what, plans, peer, jobs_at_once, mark=70.0)])
    finally:
        cluster.run("delete", "namespace", name, "--wait=false")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("rounds", type=int, nargs="?", default=3)
    parser.add_argument("--many", type=int, default=20)
    options = parser.parse_args()
    main(options.rounds, options.many)
