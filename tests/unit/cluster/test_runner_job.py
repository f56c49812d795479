"""Manifest of the runner's Job."""

from __future__ import annotations

from tests.support.example_runs import GOLDEN, STORE, only, work_plan
from tests.support.example_runs import PLAIN as DEFAULTS
from voxk8s.cluster.runner_job import build_runner_job
from voxk8s.constants import EXIT_CREDENTIALS


def test_each_cluster_has_its_own_runner_job() -> None:
    """The name of the Job depends on the DaskCluster that the runner connects to."""

    def name(cluster: str) -> str:
        job = build_runner_job(work_plan(), DEFAULTS, STORE, cluster=cluster, keys="c-tls")
        given: str = job["metadata"]["name"]
        return given

    assert name("c") == name("c") != name("d")


def test_pods_that_need_new_credentials_are_not_counted() -> None:
    """Evicted pods, and pods that exit for new credentials, do not use up the retries."""
    job = only(GOLDEN["plain"], "Job")["spec"]
    disruption, credentials = job["podFailurePolicy"]["rules"]
    assert (disruption["action"], credentials["action"]) == ("Ignore", "Ignore")
    assert credentials["onExitCodes"]["values"] == [EXIT_CREDENTIALS]
    assert job["backoffLimit"] == DEFAULTS.runner_retries
