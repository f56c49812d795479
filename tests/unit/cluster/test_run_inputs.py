"""Which inputs the pods of a run may read."""

from __future__ import annotations

import dataclasses

from tests.support.example_runs import (
    GOLDEN,
    PLAIN,
    STORE,
    WORKER,
    container,
    env,
    manifests,
    only,
    work_plan,
)
from voxk8s import constants
from voxk8s.cluster.run_inputs import INPUT_VARIABLES, RunInputs, input_env


def test_what_the_chart_says_is_what_pods_get() -> None:
    """Prefixes with the run's domain, networks and bytes; nothing where the chart says nothing."""
    inputs = RunInputs(prefixes=("s3://in/{domain}/", "http://archive/"), max_bytes=5)
    assert dict(input_env(inputs, ("1.2.3.0/24",), ("10.0.0.0/8",), "team")) == {
        constants.ENV_INPUT_PREFIXES: "s3://in/team/ http://archive/",
        constants.ENV_INPUT_DENIED_NETWORKS: "1.2.3.0/24",
        constants.ENV_INPUT_ALLOWED_NETWORKS: "10.0.0.0/8",
        constants.ENV_INPUT_BYTES: "5",
    }
    assert input_env(RunInputs(), (), (), "team") == []


def test_prefixes_on_s3_are_those_of_the_server_of_the_chart() -> None:
    """A run whose store is at another server would read a bucket of the same name from there."""
    inputs = RunInputs(prefixes=("s3://in/", "S3://in2/", "http://archive/"))
    found = dict(input_env(inputs, (), (), "x", chart_server=False))
    assert found[constants.ENV_INPUT_PREFIXES] == "http://archive/"
    only_s3 = RunInputs(prefixes=("s3://in/",))
    found = dict(input_env(only_s3, (), (), "x", chart_server=False))
    assert found[constants.ENV_INPUT_PREFIXES] == "none:"


def test_pods_of_a_run_with_a_store_elsewhere_get_no_prefix_on_s3() -> None:
    """Runner and workers alike; those of a run with the chart's store get them."""
    defaults = dataclasses.replace(PLAIN, inputs=RunInputs(prefixes=("s3://in/",)))
    for chart_server, prefixes in ((False, "none:"), (True, "s3://in/")):
        store = dataclasses.replace(STORE, chart_server=chart_server)
        run = manifests(work_plan(), defaults, store)
        cluster, job = only(run, "DaskCluster")["spec"], only(run, "Job")["spec"]
        for spec in (cluster["worker"]["spec"], job["template"]["spec"]):
            assert env(container(spec))[constants.ENV_INPUT_PREFIXES] == prefixes


def test_no_prefix_is_not_every_prefix() -> None:
    """Runs that may read nothing get a prefix that no URL has."""
    assert dict(input_env(RunInputs(prefixes=()), (), (), "x")) == {
        constants.ENV_INPUT_PREFIXES: "none:"
    }


def test_a_work_plan_cannot_change_them() -> None:
    """Even where the policy allows the variable, a WorkPlan's value does not reach a pod."""
    mine = [{"name": name, "value": "mine"} for name in sorted(INPUT_VARIABLES)]
    templates = {name: {"env": mine} for name in ("worker", "runner", "scheduler")}
    run = manifests(work_plan(cluster={"maxWorkers": 1, **templates}), PLAIN, STORE)
    cluster, job = only(run, "DaskCluster")["spec"], only(run, "Job")["spec"]
    for spec in (cluster["worker"]["spec"], cluster["scheduler"]["spec"], job["template"]["spec"]):
        assert "mine" not in env(container(spec)).values()


def test_claims_are_mounted_read_only_where_inputs_are_read() -> None:
    """Workers and runner have them and are told so; the scheduler reads no inputs."""
    dask = only(GOLDEN["shaped"], "DaskCluster")["spec"]
    runner = only(GOLDEN["shaped"], "Job")["spec"]["template"]["spec"]
    for pod in (dask["worker"]["spec"], runner):
        volumes = {each["name"]: each.get("persistentVolumeClaim") for each in pod["volumes"]}
        assert volumes["input-1"] == {"claimName": "masks.2026", "readOnly": True}
        mounts = pod["containers"][0]["volumeMounts"]
        assert {
            "name": "input-0", "mountPath": "/run/voxk8s/volumes/images", "readOnly": True,
        } in mounts  # fmt: skip
        told = env(pod["containers"][0])["VOXK8S_INPUT_VOLUMES"]
        assert told == '{"namespace":"lab","claims":["images","masks.2026"]}'
    assert all("persistentVolumeClaim" not in each for each in dask["scheduler"]["spec"]["volumes"])
    assert "VOXK8S_INPUT_VOLUMES" not in env(WORKER)
