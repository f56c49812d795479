"""Parts of the pod templates of a run."""

from __future__ import annotations

from tests.support.example_runs import GOLDEN, env, only
from tests.support.example_runs import SHAPED as SHAPED_WORKPLAN
from tests.support.restricted import pods, violations
from voxk8s.cluster.child_names import label_value


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
