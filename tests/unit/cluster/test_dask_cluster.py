"""Manifests of the DaskCluster and its autoscaler."""

from __future__ import annotations

from dataclasses import replace

from tests.support.example_runs import (
    GOLDEN,
    RUNNER,
    SCHEDULER,
    STORE,
    WORKER,
    container,
    env,
    only,
    work_plan,
)
from tests.support.example_runs import PLAIN as DEFAULTS
from voxk8s.cluster.dask_cluster import build_dask_autoscaler, build_dask_cluster, scheduler_address
from voxk8s.execution.worker.await_scheduler import dask_setup
from voxk8s.execution.worker.run_task import run_task


def test_memory_limit_of_workers() -> None:
    """Workers get the memory limit of their container in bytes, or `auto` if it has none."""
    command = WORKER["command"]
    assert command[command.index("--memory-limit") + 1] == str(4 * 2**30)
    unlimited = build_dask_cluster(
        work_plan(cluster={"worker": {"resources": {"requests": {"cpu": 1}}}}),
        DEFAULTS,
        STORE,
        workers=1,
    )
    command = container(unlimited, "spec", "worker", "spec")["command"]
    assert command[command.index("--memory-limit") + 1] == "auto"


def test_scheduler_serves_the_api_route() -> None:
    """Without this route dask-kubernetes removes the newest workers instead of the idle ones."""
    assert (
        "distributed.http.scheduler.api"
        in env(SCHEDULER)["DASK_DISTRIBUTED__SCHEDULER__HTTP__ROUTES"]
    )


def test_profile_is_off_unless_somebody_wants_it() -> None:
    """Dask's statistical profile, which costs a worker 2 % of a core, can be turned on."""
    variable = "DASK_DISTRIBUTED__WORKER__PROFILE__ENABLED"
    assert env(WORKER)[variable] == env(SCHEDULER)[variable] == "false"
    profiled = build_dask_cluster(
        work_plan(), replace(DEFAULTS, engine_env={variable: "true"}), STORE, workers=1
    )
    assert env(container(profiled, "spec", "worker", "spec"))[variable] == "true"


def test_schedulers_and_workers_keep_few_messages() -> None:
    """By default Dask keeps the last 1,000, with the tasks in them: some hundred MB."""
    variable = "DASK_DISTRIBUTED__ADMIN__LOW_LEVEL_LOG_LENGTH"
    assert env(WORKER)[variable] == env(SCHEDULER)[variable] == "20"


def test_workers_import_what_runs_tasks_before_they_take_any() -> None:
    """Dask imports the modules while it starts a worker: that of `run_task`, and one that waits."""
    command = WORKER["command"]
    modules = [command[place + 1] for place, word in enumerate(command) if word == "--preload"]
    assert modules == [run_task.__module__, dask_setup.__module__]


def test_the_scheduler_is_reached_as_soon_as_it_listens() -> None:
    """Its Service does not wait for a probe: that would add up to a second to every run."""
    assert only(GOLDEN["plain"], "DaskCluster")["spec"]["scheduler"]["service"][
        "publishNotReadyAddresses"
    ]


def test_readiness_probes_start_at_once() -> None:
    """Readiness is probed every second, without an initial delay."""
    for probed in (SCHEDULER, WORKER):
        probe = probed["readinessProbe"]
        assert (probe["initialDelaySeconds"], probe["periodSeconds"]) == (0, 1)


def test_autoscaler_stays_within_the_limits() -> None:
    """The minimum is never below minWorkers and never above maxWorkers."""
    workplan = work_plan(cluster={"minWorkers": 2, "maxWorkers": 3})

    def minimum(wanted: int) -> int:
        spec = build_dask_autoscaler(workplan, DEFAULTS, "c", minimum=wanted)["spec"]
        assert spec["maximum"] == 3
        return int(spec["minimum"])

    assert [minimum(wanted) for wanted in (0, 3, 9)] == [2, 3, 3]


def test_service_selects_the_scheduler_of_its_cluster() -> None:
    """The Service selects, and the runner connects to, the scheduler of the same cluster."""
    cluster = only(GOLDEN["plain"], "DaskCluster")
    selector = cluster["spec"]["scheduler"]["service"]["selector"]
    assert selector["dask.org/cluster-name"] == cluster["metadata"]["name"]
    assert env(RUNNER)["VOXK8S_SCHEDULER_ADDRESS"] == scheduler_address(
        cluster["metadata"]["name"], "lab", encrypted=True
    )


def test_name_depends_on_the_spec_but_not_on_the_size() -> None:
    """dask-kubernetes ignores changes of the spec, so a changed spec gets a new cluster."""

    def name(workers: int, **cluster: object) -> str:
        manifest = build_dask_cluster(work_plan(cluster=cluster), DEFAULTS, STORE, workers=workers)
        given: str = manifest["metadata"]["name"]
        return given

    assert name(1) == name(5)
    assert name(1) != name(1, threadsPerWorker=2)
    assert name(1) != name(1, image="other")
