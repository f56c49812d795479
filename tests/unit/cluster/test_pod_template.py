"""Parts of the pod templates of a run."""

from __future__ import annotations

import pytest

from tests.support.example_runs import GOLDEN, env, only
from tests.support.example_runs import SHAPED as SHAPED_WORKPLAN
from tests.support.restricted import pods, violations
from voxk8s.api.spec import Resources
from voxk8s.cluster.child_names import label_value
from voxk8s.cluster.pod_template import resources_of


def test_every_pod_is_restricted() -> None:
    """Scheduler, worker and runner comply with Pod Security "restricted" and limit memory."""
    found = [
        (thing["kind"], path, violations(pod))
        for run in GOLDEN.values()
        for thing in run
        if thing["kind"] != "Workload"  # It only counts pods.
        for path, pod in pods(thing)
    ]
    assert len(found) == 11
    assert all(not broken for _, _, broken in found), found


def test_labels_and_variables_of_voxk8s_take_precedence() -> None:
    """A user cannot replace the labels that NetworkPolicies select, nor our variables."""
    worker = only(GOLDEN["shaped"], "DaskCluster")["spec"]["worker"]
    labels = worker["metadata"]["labels"]
    assert labels["team"] == "lab"
    assert labels["voxk8s.io/workplan"] == label_value(SHAPED_WORKPLAN.metadata.name)
    names = [item["name"] for item in worker["spec"]["containers"][0]["env"]]
    assert len(names) == len(set(names))
    assert env(worker["spec"]["containers"][0])["HOME"] == "/tmp"


def test_no_pod_can_fill_the_disk_of_its_node() -> None:
    """Every container has a limit of files, and its volume is no larger."""
    for thing in GOLDEN["plain"]:
        for path, pod in pods(thing):
            for each in pod["containers"]:
                limit = each["resources"]["limits"]["ephemeral-storage"]
                (scratch,) = (v for v in pod["volumes"] if v["name"] == "scratch")
                assert scratch["emptyDir"] == {"sizeLimit": limit}, path


@pytest.mark.parametrize(
    ("given", "limit"),
    [
        (None, "4Gi"),
        (Resources(limits={"memory": "1Gi"}), "4Gi"),
        (Resources(limits={"ephemeral-storage": "1Gi"}), "1Gi"),
        (Resources(requests={"ephemeral-storage": "1Gi"}), "4Gi"),
        (Resources(limits={"ephemeral-storage": "100Ti"}), "4Gi"),
        (Resources(limits={"ephemeral-storage": 0}), "4Gi"),
        (Resources(limits={"ephemeral-storage": 2**40}), "4Gi"),
    ],
)
def test_a_work_plan_that_names_no_disk_gets_that_of_the_chart(
    given: Resources | None, limit: str | None
) -> None:
    """One that names it has what it says, so that a request is not beyond a limit."""
    chart = Resources(
        requests={"ephemeral-storage": "64Mi"}, limits={"memory": "2Gi", "ephemeral-storage": "4Gi"}
    )
    found = resources_of(given, chart)
    assert (found.limits or {}).get("ephemeral-storage") == limit
    if given is not None and given.limits:
        assert (found.limits or {}).get("memory") == given.limits.get("memory")


def test_the_policy_may_allow_more_files() -> None:
    """A WorkPlan may have more than the chart's default up to the policy's limit."""
    chart = Resources(limits={"ephemeral-storage": "4Gi"})
    most = {"ephemeral-storage": "8Gi"}
    for given, limit in (("6Gi", "6Gi"), ("9Gi", "8Gi"), ("1Gi", "1Gi")):
        found = resources_of(Resources(limits={"ephemeral-storage": given}), chart, most)
        assert found.limits == {"ephemeral-storage": limit}


def test_a_request_for_files_stays_below_the_limit() -> None:
    """The API server refuses a pod that requests more than its limit."""
    chart = Resources(limits={"ephemeral-storage": "4Gi"})
    found = resources_of(Resources(requests={"ephemeral-storage": "5Gi", "cpu": 1}), chart)
    assert found.requests == {"ephemeral-storage": "4Gi", "cpu": 1}


def test_a_chart_without_a_limit_for_files() -> None:
    """Where the administrator wants no limit, that of the WorkPlan applies, if any."""
    given = Resources(limits={"ephemeral-storage": "5Gi"})
    assert resources_of(given, Resources()) == given
    assert resources_of(Resources(requests={"cpu": 1}), Resources()).limits is None
