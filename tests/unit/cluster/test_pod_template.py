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
        for path, pod in pods(thing)
    ]
    assert len(found) == 6
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
        (Resources(requests={"ephemeral-storage": "1Gi"}), None),
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
