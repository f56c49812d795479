"""Service accounts and permissions of a run's pods."""

from __future__ import annotations

from tests.support.example_runs import GOLDEN, only
from tests.support.example_runs import SHAPED as SHAPED_WORKPLAN
from tests.support.restricted import pods


def test_only_the_runner_has_a_token() -> None:
    """Pods that execute kernels cannot call the API server."""
    tokens = {
        (thing["kind"], path): pod["automountServiceAccountToken"]
        for thing in GOLDEN["plain"]
        for path, pod in pods(thing)
    }
    assert tokens == {
        ("DaskCluster", "$.spec.scheduler.spec"): False,
        ("DaskCluster", "$.spec.worker.spec"): False,
        ("Job", "$.spec.template.spec"): True,
    }


def test_runner_may_only_write_its_own_status() -> None:
    """Every rule of the Role names the one object that it permits."""
    rules = only(GOLDEN["shaped"], "Role")["rules"]
    own = SHAPED_WORKPLAN.metadata.name
    assert [(rule["resources"], rule["resourceNames"], rule["verbs"]) for rule in rules] == [
        (["workplans"], [own], ["get"]),
        (["workplans/status"], [own], ["patch"]),
        (["configmaps"], ["programs"], ["get"]),
    ]
