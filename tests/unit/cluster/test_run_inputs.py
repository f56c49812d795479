"""Which inputs the pods of a run may read."""

from __future__ import annotations

from tests.support.example_runs import PLAIN, STORE, container, env, manifests, only, work_plan
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
