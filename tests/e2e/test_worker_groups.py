"""Worker groups on a real cluster: dask-kubernetes makes workers, Dask places operations."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.e2e.conftest import Watch, ended, succeeded
from tests.support import kstatus, workplans
from tests.support.kubectl import Kubectl
from tests.support.workplans import constant, operation
from voxk8s.constants import LABEL_COMPONENT, LABEL_WORKER_GROUP, LABEL_WORKPLAN

pytestmark = pytest.mark.cluster


def _plan(salt: float) -> workplans.Document:
    """An operation that needs a GPU, and one that does not."""
    return workplans.document(
        [
            constant("a", 1 + salt),
            constant("b", 1 + 2 * salt),
            operation("gpu", "test.on_gpu", "a"),
            operation("cpu", "test.sleep", "b"),
            operation("sum", "addition", "gpu", "cpu"),
        ],
        [workplans.show("sum")],
    )


def test_workers_of_a_group_run_what_needs_them(
    kube: Kubectl, watch: Callable[[Kubectl, str], Watch], salt: float
) -> None:
    """Only the group that is needed gets workers, and all of it goes with the run.

    Without such a group the WorkPlan is refused, and no pod is started.
    """
    seen = watch(kube, "pods")
    kube.apply(workplans.workplan("refused", _plan(2 * salt), cluster={"maxWorkers": 1}))
    found = kstatus.condition(ended(kube, "refused"), "Succeeded")
    assert (found["status"], found["reason"]) == ("False", "ResourcesNotOffered")
    assert "test.on_gpu needs a worker that offers GPU=1" in found["message"]
    groups = [
        {"name": "gpu", "maxWorkers": 3, "provides": {"GPU": 1}},
        {"name": "other", "provides": {"TPU": 1}},
    ]
    cluster = {"maxWorkers": 1, "workerGroups": groups}
    kube.apply(workplans.workplan("run", _plan(salt), cluster=cluster))
    assert workplans.results(succeeded(kube, "run")) == {"sum": 2 + 3 * salt}
    kube.run("wait", "--for=delete", "daskworkergroup", "--all", "--timeout=60s")
    labels = [pod["metadata"]["labels"] for pod in seen.stop()]
    assert {each[LABEL_WORKPLAN] for each in labels} == {"run"}
    groups_of_workers = {
        each.get(LABEL_WORKER_GROUP, "default")
        for each in labels
        if each[LABEL_COMPONENT] == "worker"
    }
    assert groups_of_workers == {"default", "gpu"}
