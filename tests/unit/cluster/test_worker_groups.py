"""Worker groups beside the default one; the golden manifests have them whole."""

from __future__ import annotations

import json

from tests.support.example_runs import (
    GOLDEN,
    GROUPS,
    PLAIN,
    RICH,
    SCHEDULER,
    STORE,
    Manifest,
    container,
    env,
    only,
    work_plan,
)
from voxk8s.cluster.dask_cluster import build_dask_cluster
from voxk8s.cluster.worker_groups import (
    build_worker_group,
    find_group,
    group_template,
    offers_of_run,
    run_workers,
)
from voxk8s.costs.group_workers import WorkerKind

RUN = GOLDEN["groups"]
[GPU, LARGE] = [each for each in RUN if each["kind"] == "DaskWorkerGroup"]


def _option(name: str, *path: str) -> str:
    command = container(GPU if path[0] == "gpu" else LARGE, "spec", "worker", "spec")["command"]
    return str(command[command.index(name) + 1])


def test_workers_offer_what_their_group_has() -> None:
    """GPUs by the limit of the container, all else by `provides`, and the mark of a group."""
    assert _option("--resources", "gpu") == "GPU=1 _worker-group=1"
    assert _option("--resources", "large") == "MEMORY=64 _worker-group=1"
    assert (_option("--nthreads", "gpu"), _option("--nthreads", "large")) == ("1", "4")
    run = run_workers(GROUPS, PLAIN)
    assert run.default == WorkerKind("default", 8, 4)
    assert run.others == (
        WorkerKind("gpu", 2, 1, {"GPU": 1.0}),
        WorkerKind("large", 3, 4, {"MEMORY": 64.0}),
    )
    assert json.loads(
        env(container(only(RUN, "Job"), "spec", "template", "spec"))["VOXK8S_WORKER_OFFERS"]
    ) == [{"GPU": 1.0}, {"MEMORY": 64.0}]
    assert offers_of_run(GROUPS, PLAIN, {"large"}) == [{"MEMORY": 64.0}]
    least = work_plan(
        cluster={"workerGroups": [{"name": "spot", "minWorkers": 2, "maxWorkers": 3}]}
    )
    assert run_workers(least, PLAIN).others == (WorkerKind("spot", 3, 4, {}, 2),)


def test_default_workers_with_a_gpu_offer_it() -> None:
    """By the limit of the WorkPlan, or by that of the chart."""
    assert offers_of_run(work_plan(), RICH, ()) == [{"GPU": 1.0}]
    cluster = build_dask_cluster(work_plan(), RICH, STORE, workers=1)
    command = container(cluster, "spec", "worker", "spec")["command"]
    assert command[command.index("--resources") + 1] == "GPU=1"
    given = work_plan(cluster={"worker": {"resources": {"limits": {"amd.com/gpu": "2"}}}})
    assert offers_of_run(given, PLAIN, ()) == [{"GPU": 2.0}]
    assert offers_of_run(work_plan(), PLAIN, ()) == []
    negative = work_plan(cluster={"worker": {"resources": {"limits": {"nvidia.com/gpu": -4}}}})
    assert offers_of_run(negative, PLAIN, ()) == []


def test_a_group_goes_with_its_cluster() -> None:
    """The cluster owns it: dask-kubernetes would make it so only after the workers."""
    cluster = only(RUN, "DaskCluster")
    [owner] = GPU["metadata"]["ownerReferences"]
    assert (owner["kind"], owner["name"]) == ("DaskCluster", cluster["metadata"]["name"])
    assert GPU["spec"]["cluster"] == cluster["metadata"]["name"]
    assert json.loads(cluster["metadata"]["annotations"]["voxk8s.io/worker-groups"]) == {
        "gpu": 2,
        "large": 1,
    }


def test_a_scheduler_of_groups_knows_what_default_workers_offer() -> None:
    """Its answers to the autoscaler depend on it when no default worker is there."""
    gpus = {"worker": {"resources": {"limits": {"nvidia.com/gpu": 1}}}}
    for groups, offers in (([{"name": "spot"}], '[{"GPU": 1}]'), (None, None)):
        run = work_plan(cluster={**gpus, **({"workerGroups": groups} if groups else {})})
        cluster = build_dask_cluster(run, PLAIN, STORE, workers=1)
        found = env(container(cluster, "spec", "scheduler", "spec"))
        assert found.get("VOXK8S_WORKER_OFFERS") == offers


def _secrets(pod: Manifest) -> list[str]:
    return [each["secret"]["secretName"] for each in pod["volumes"] if "secret" in each]


def test_pods_of_groups_are_those_of_workers() -> None:
    """Labels, which policies select them by, variables, account and keys are the same."""
    default = only(RUN, "DaskCluster")["spec"]["worker"]
    for group in (GPU, LARGE):
        worker = group["spec"]["worker"]
        labels = dict(worker["metadata"]["labels"])
        assert labels.pop("voxk8s.io/worker-group") == group["metadata"]["name"].rpartition("-")[2]
        assert labels == default["metadata"]["labels"]
        for field in ("serviceAccountName", "automountServiceAccountToken", "securityContext"):
            assert worker["spec"][field] == default["spec"][field]
        assert _secrets(worker["spec"]) == _secrets(default["spec"])
        assert env(worker["spec"]["containers"][0]) == env(default["spec"]["containers"][0])
        assert worker["spec"]["containers"][0]["command"][-1].startswith("tls://")


def test_the_longest_names_fit() -> None:
    """Of a group, and of its workers, whose names dask-kubernetes extends by 18 letters."""
    name = "g" * 16
    workplan = work_plan("x" * 200, cluster={"workerGroups": [{"name": name}]})
    group = find_group(workplan, name)
    assert group is not None
    cluster = build_dask_cluster(workplan, PLAIN, STORE, workers=1)["metadata"]["name"]
    made = build_worker_group(
        workplan, PLAIN, STORE, group, workers=1, cluster=cluster, uid="u", keys=""
    )
    assert len(made["metadata"]["name"]) <= 63  # a value of a label, too


def test_the_scheduler_knows_of_groups() -> None:
    """Only where there are some: it scales the default group alone."""
    module = "voxk8s.execution.scheduler_scaling"
    found = env(container(only(RUN, "DaskCluster"), "spec", "scheduler", "spec"))
    assert found["DASK_DISTRIBUTED__SCHEDULER__PRELOAD"].endswith(f", '{module}']")
    assert found["DASK_DISTRIBUTED__SCHEDULER__HTTP__ROUTES"].startswith(f"['{module}', ")
    assert module not in str(env(SCHEDULER))


def test_a_group_asks_for_quota_as_its_own_pod_set() -> None:
    """With requests and placement of its pods; Kueue may admit fewer default workers only."""
    sets = {each["name"]: each for each in only(RUN, "Workload")["spec"]["podSets"]}
    assert {name: each["count"] for name, each in sets.items()} == {
        "scheduler": 1, "runner": 1, "worker": 1, "worker-gpu": 2, "worker-large": 1,
    }  # fmt: skip
    counted = sets["worker-gpu"]["template"]["spec"]
    assert counted["nodeSelector"] == {"accelerator": "a100"}
    assert counted["containers"][0]["resources"]["limits"]["nvidia.com/gpu"] == 1
    assert not any("minCount" in each for each in sets.values())


def test_pods_are_spread_among_those_of_their_group() -> None:
    """A full zone of other workers says nothing of where those of a group are."""
    spread = {"topologySpreadConstraints": [{"topologyKey": "zone"}]}
    groups = [{"name": "gpu", "maxWorkers": 2, "worker": spread}]
    both = work_plan(cluster={"worker": spread, "workerGroups": groups})
    group = find_group(both, "gpu")
    assert group is not None

    def selector(pod: Manifest) -> Manifest:
        (found,) = pod["spec"]["topologySpreadConstraints"]
        return dict(found["labelSelector"])

    of_group = group_template(both, PLAIN, STORE, group)
    labels = selector(of_group).pop("matchLabels")
    assert labels.items() <= of_group["metadata"]["labels"].items()
    assert labels["voxk8s.io/worker-group"] == "gpu"
    default = build_dask_cluster(both, PLAIN, STORE, workers=1)["spec"]["worker"]
    assert "voxk8s.io/worker-group" not in default["metadata"]["labels"]
    assert selector(default)["matchExpressions"] == [
        {"key": "voxk8s.io/worker-group", "operator": "DoesNotExist"}
    ]
    alone = build_dask_cluster(work_plan(cluster={"worker": spread}), PLAIN, STORE, workers=1)
    assert "matchExpressions" not in selector(alone["spec"]["worker"])


def test_a_label_of_a_user_makes_no_worker_one_of_a_group() -> None:
    """Numbers and problems of groups are told by this label: it is the operator's alone."""
    label = {"voxk8s.io/worker-group": "gpu", "team": "a"}
    both = work_plan(
        cluster={
            "worker": {"labels": label},
            "workerGroups": [{"name": "a", "worker": {"labels": label}}],
        }
    )
    default = build_dask_cluster(both, PLAIN, STORE, workers=1)["spec"]["worker"]
    assert "voxk8s.io/worker-group" not in default["metadata"]["labels"]
    assert default["metadata"]["labels"]["team"] == "a"
    group = find_group(both, "a")
    assert group is not None
    labels = group_template(both, PLAIN, STORE, group)["metadata"]["labels"]
    assert labels["voxk8s.io/worker-group"] == "a"
