"""What keeps pods from working, in words."""

from __future__ import annotations

import msgspec
import pytest

from tests.unit.controller import scenes
from tests.unit.controller.decisions import (
    children,
    finished,
    states,
    written,
)
from tests.unit.controller.scenes import START, WORK, later


@pytest.mark.parametrize(
    "reason", ["ImagePullFailed", "Unschedulable", "PodRejected", "OutOfMemory"]
)
def test_of_a_worker_that_is_not_ready(reason: str) -> None:
    """The trouble of the only worker is the cluster's."""
    bad = scenes.pod(ready=False, troubles=(scenes.trouble(reason, "why"),))
    observed = scenes.running(pods=(bad,))
    found = scenes.told(observed, later(1)).workplan.status
    assert states(found)["ClusterReady"] == ("False", reason)


def test_of_one_worker_among_others_is_no_matter() -> None:
    """While others work, a worker that finds no node does not make the cluster unready."""
    bad = scenes.pod(name="q", ready=False, troubles=(scenes.trouble("Unschedulable"),))
    found = scenes.told(scenes.running(pods=(scenes.pod(), bad))).workplan.status
    assert states(found)["ClusterReady"] == ("True", "ClusterRunning")


@pytest.mark.parametrize("reason", ["ImagePullFailed", "Unschedulable", "PodRejected"])
def test_of_the_runner_is_told_whatever_the_workers_do(reason: str) -> None:
    """Ready workers wait in vain for a runner that cannot start: that is said."""
    bad = scenes.pod("runner", "r", ready=False, troubles=(scenes.trouble(reason, "why"),))
    found = scenes.told(scenes.running(pods=(scenes.pod(), bad))).workplan.status
    assert states(found)["ClusterReady"] == ("False", reason)


def test_of_a_runner_that_was_replaced_is_over() -> None:
    """What ended an earlier runner pod is no trouble of the one that works."""
    old = scenes.pod(
        "runner", "r0", ready=False, finished=True, troubles=(scenes.trouble("WorkerLost"),)
    )
    pods = (scenes.pod(), old, scenes.pod("runner", "r1"))
    found = scenes.told(scenes.running(pods=pods, runner=scenes.job(attempts=2)))
    assert states(found.workplan.status)["ClusterReady"] == ("True", "ClusterRunning")


def test_of_a_runner_that_gets_no_pod() -> None:
    """A Job whose pods are refused (by a quota, say) is told after some seconds."""
    refused = scenes.job(attempts=0, active=0)
    observed = scenes.running(runner=refused, pods=(scenes.pod(),))
    found = scenes.told(observed, later(5)).workplan.status
    assert states(found)["ClusterReady"] == ("True", "ClusterRunning")
    status = written(observed, later(10))
    assert states(status)["ClusterReady"] == ("False", "PodRejected")
    told = next(c.message for c in status.conditions if c.type == "ClusterReady")
    assert "quota" in told
    assert "kubectl describe job/j" in told


def test_is_in_the_message_while_nothing_is_computed() -> None:
    """What keeps a run from its work stands where `kubectl describe` is read first."""
    killed = scenes.pod(ready=False, troubles=(scenes.trouble("OutOfMemory", "limit 1Gi"),))
    counts = msgspec.structs.replace(scenes.COUNTS, pending=10)
    observed = scenes.told(scenes.running(), operations=counts)
    assert observed.workplan.status.workers_ready_time is not None
    status = written(scenes.replace(observed, pods=(killed,)), later(5))
    assert status.message == "No worker is ready. limit 1Gi"
    status = written(scenes.replace(observed, pods=(scenes.pod(),)), later(5))
    assert status.message == "The runner is on its way."


def test_out_of_memory_is_remembered_while_the_run_goes_on() -> None:
    """A worker killed for memory is told until the end, also when others go on."""
    killed = scenes.pod(troubles=(scenes.trouble("OutOfMemory", "limit 1Gi"),))
    observed = scenes.told(scenes.running(pods=(killed,)))
    assert states(observed.workplan.status)["ClusterReady"] == ("True", "OutOfMemory")
    observed = scenes.told(scenes.replace(observed, pods=(scenes.pod(),)))
    assert states(observed.workplan.status)["ClusterReady"] == ("True", "OutOfMemory")


def test_lost_scheduler() -> None:
    """A scheduler that was there and is gone is told, and nothing is torn down."""
    gone = scenes.replace(scenes.running(), scheduler=scenes.scheduler(available=0), pods=())
    assert states(written(gone))["ClusterReady"] == ("False", "SchedulerLost")
    assert not children(gone)


def test_missing_dask_operator() -> None:
    """A cluster that nobody reacts to is told after a while, not waited for in silence."""
    observed = scenes.told(
        scenes.replace(
            scenes.told(scenes.fresh()), resolution=WORK, cluster=scenes.cluster(),
            runner=scenes.job(),
        )
    )  # fmt: skip
    assert states(observed.workplan.status)["ClusterReady"][1] == "ClusterStarting"
    found = written(observed, later(15))
    assert states(found)["ClusterReady"] == ("False", "DaskOperatorMissing")


def test_refused_children() -> None:
    """What the API server says no to is told in its words."""
    observed = scenes.replace(
        scenes.told(scenes.fresh()),
        resolution=WORK,
        refusals=(scenes.trouble("PodRejected", "exceeded quota"),),
    )
    assert states(written(observed))["ClusterReady"] == ("False", "PodRejected")


def test_cluster_that_cannot_go() -> None:
    """A finalizer that nobody takes away is told, also after the end."""
    observed = scenes.told(scenes.running(status={"outcome": finished()}), outcome=finished())
    observed = scenes.replace(observed, cluster=scenes.cluster(deleting=START))
    found = written(observed, later(31))
    assert states(found)["ClusterReady"] == ("False", "DaskOperatorMissing")
    assert states(found)["Succeeded"] == ("True", "AllGoalsReached")
