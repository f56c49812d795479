"""What a WorkPlan may ask of its pods."""

from __future__ import annotations

from typing import Any

import pytest

from tests.support.example_runs import work_plan
from voxk8s.cluster.policy import Policy, is_allowed, violations

ENGINE = "registry.example/engine:1"
OPEN = Policy(
    images=("registry.example/lab/*",),
    env=("MINE_*",),
    labels=("lab.example/*",),
    annotations=("note",),
    node_selectors=("disk",),
    tolerations=("gpu",),
    priority_classes=("low",),
    env_from=("configmap/settings-*",),
    runtime_classes=("gvisor",),
    schedulers=("volcano",),
    host_aliases=("pacs.example",),
    topology_keys=("zone",),
    volumes=("images-*",),
    affinity=True,
    max_workers=4,
    limits={"cpu": 4, "memory": "8Gi"},
)
LIMITS = {"cpu": 1, "memory": "1Gi"}


def test_all_worker_groups_together_have_the_most_workers() -> None:
    """And each violation of a group names it."""
    groups = [
        {"name": "gpu", "maxWorkers": 3, "image": "another"},
        {"name": "spot", "worker": {"labels": {"a": "b"}}},
    ]
    spec = work_plan(cluster={"maxWorkers": 1, "workerGroups": groups}).spec
    found = {each.field: each.message for each in violations(spec, OPEN, ENGINE)}
    assert found == {
        "spec.cluster.maxWorkers": "at most 4 workers in all worker groups, got 5",
        "spec.cluster.workerGroups[gpu].image": "the image another is not allowed",
        "spec.cluster.workerGroups[spot].worker.labels": "the label a is not allowed",
    }


def _found(policy: Policy, **cluster: Any) -> list[str]:
    """The fields that the policy does not allow."""
    spec = work_plan(cluster={"maxWorkers": 1, **cluster}).spec
    return [each.field for each in violations(spec, policy, ENGINE)]


@pytest.mark.parametrize(
    ("field", "refused", "allowed"),
    [
        ("env", [{"name": "DASK_DISTRIBUTED__WORKER__PRELOAD"}], [{"name": "MINE_A"}]),
        ("env", [{"name": "AWS_ENDPOINT_URL_S3"}], []),
        ("labels", {"dask.org/component": "scheduler"}, {"lab.example/team": "a"}),
        ("annotations", {"sidecar.istio.io/inject": "true"}, {"note": "x"}),
        ("nodeSelector", {"control-plane": ""}, {"disk": "ssd"}),
        ("tolerations", [{"operator": "Exists"}], [{"key": "gpu"}]),
        ("tolerations", [{"key": "", "operator": "Exists"}], []),
        ("tolerations", [{"key": "control-plane"}], []),
        ("priorityClassName", "system-node-critical", "low"),
        (
            "envFrom",
            [{"secretRef": {"name": "settings-a"}}],
            [{"configMapRef": {"name": "settings-a"}}],
        ),
        ("runtimeClassName", "runc-privileged", "gvisor"),
        ("schedulerName", "mine", "volcano"),
        (
            "hostAliases",
            [{"ip": "10.0.0.1", "hostnames": ["pacs.example", "s3.example"]}],
            [{"ip": "10.0.0.1", "hostnames": ["pacs.example"]}],
        ),
        ("topologySpreadConstraints", [{"topologyKey": "secret/zone"}], [{"topologyKey": "zone"}]),
        ("resources", {"limits": {"cpu": "4001m", "memory": "1Gi"}}, {"limits": LIMITS}),
        ("resources", {"limits": {"cpu": 1}}, {"limits": {"cpu": 4, "memory": "8192Mi"}}),
        ("resources", {"requests": {"cpu": 9}, "limits": LIMITS}, {}),
    ],
)
@pytest.mark.parametrize("component", ["worker", "scheduler", "runner"])
def test_pod_fields_outside_the_lists(
    component: str, field: str, refused: object, allowed: object
) -> None:
    """Each list refuses what it does not name, in the pods of every component."""
    found = _found(OPEN, **{component: {field: refused}})
    assert found
    assert all(each.startswith(f"spec.cluster.{component}.{field}") for each in found)
    if allowed:
        assert not _found(OPEN, **{component: {field: allowed}})


def test_images() -> None:
    """The chart's engine image is always allowed, others by their beginning or name."""
    assert not _found(Policy(), image=ENGINE)
    assert _found(Policy(), image=f"{ENGINE}0") == ["spec.cluster.image"]
    assert not _found(OPEN, image="registry.example/lab/engine:7")
    assert _found(OPEN, image="registry.example/laboratory") == ["spec.cluster.image"]


def test_number_of_workers() -> None:
    """At most so many workers as the policy says."""
    assert not _found(OPEN, maxWorkers=4)
    assert _found(OPEN, maxWorkers=5) == ["spec.cluster.maxWorkers"]


def test_affinity() -> None:
    """Affinity is refused unless it is allowed as a whole."""
    affinity: dict[str, Any] = {"worker": {"affinity": {"nodeAffinity": {}}}}
    assert _found(Policy(), **affinity) == ["spec.cluster.worker.affinity"]
    assert not _found(OPEN, **affinity)


def test_a_violation_names_field_and_rule() -> None:
    """The message says which field asks for what, and which value of the chart would allow it."""
    spec = work_plan(cluster={"runner": {"env": [{"name": "LD_PRELOAD"}]}}).spec
    (found,) = violations(spec, Policy(), ENGINE)
    assert str(found) == (
        "spec.cluster.runner.env: the variable LD_PRELOAD is not allowed"
        " (allowed by the chart's policy.env)"
    )


def test_entries_are_literal_but_for_a_last_asterisk() -> None:
    """An asterisk elsewhere, a dot and an empty list allow nothing more."""
    assert is_allowed("a.b", ["a.*"])
    assert not is_allowed("axb", ["a.*"])
    assert not is_allowed("anb", ["a*b"])
    assert not is_allowed("", [])


@pytest.mark.parametrize("amount", ["1e4294967296", "1e99999999999999999999", "9" * 5000])
def test_an_unreadable_amount_is_a_violation(amount: str) -> None:
    """An amount that cannot be compared with the limit is refused, and no error of the operator."""
    for resources in (
        {"limits": {"cpu": 1, "memory": amount}},
        {"requests": {"memory": amount}, "limits": LIMITS},
    ):
        spec = work_plan(cluster={"maxWorkers": 1, "worker": {"resources": resources}}).spec
        (found,) = violations(spec, OPEN, ENGINE)
        assert found.rule == "limits"
        assert "expected a Kubernetes quantity" in found.message


@pytest.mark.parametrize("none", [0, "0", "0Gi"])
def test_a_limit_of_nothing_is_none(none: int | str) -> None:
    """Kubernetes reads a limit of 0 as no limit, so it does not do where one is needed."""
    memory = {"limits": {"cpu": 1, "memory": none}}
    assert _found(OPEN, worker={"resources": memory}) == ["spec.cluster.worker.resources.limits"]
    without = Policy(limits={"nvidia.com/gpu": 0})
    assert not _found(without, worker={"resources": {"limits": {"nvidia.com/gpu": none}}})


def test_claims_outside_the_list() -> None:
    """By default no volume is mounted; the list names claims or how their names begin."""
    claims = [{"claimName": "images-a"}, {"claimName": "database"}]
    assert _found(OPEN, volumes=claims) == ["spec.cluster.volumes"]
    assert _found(OPEN, volumes=claims[:1]) == []
    assert _found(Policy(), volumes=claims) == ["spec.cluster.volumes"] * 2
