"""The operator's part of the status."""

from __future__ import annotations

import dataclasses
from typing import Any

import msgspec
import pytest

from tests.unit.controller import observed_builders as build
from tests.unit.controller.decision_helpers import written_status
from tests.unit.controller.observed_builders import FULLY_CACHED, START, later
from voxk8s.api.runner_status import RUNNER_FIELDS
from voxk8s.api.status import WorkerGroupStatus
from voxk8s.controller.decide import status
from voxk8s.controller.decide.derive_phase import derive_phase
from voxk8s.controller.decide.phase import Phase, PhaseState
from voxk8s.controller.decide.policies import lost_pods
from voxk8s.controller.observe.observed import Observed

RUNNING = PhaseState(Phase.RUNNING, "Progressing", "why")


def test_runner_fields_are_left_out() -> None:
    """The operator never writes a field of the runner."""
    found = status.operator_status(build.running(), RUNNING, later(20))
    assert {name: getattr(found, name) for name in RUNNER_FIELDS} == dict.fromkeys(RUNNER_FIELDS)


def test_cluster_and_runner() -> None:
    """The status names cluster and runner; after the end it counts no workers."""
    observed = build.running(dashboard="http://c-scheduler:8787/status")
    found = status.operator_status(observed, RUNNING, later(20))
    assert found.cluster is not None
    assert (found.cluster.name, found.cluster.workers) == ("c", 1)
    assert found.runner is not None
    assert (found.runner.job, found.runner.attempts) == ("j", 1)
    ended = PhaseState(Phase.SUCCEEDED, "AllGoalsReached", "")
    found = status.operator_status(build.with_status(observed, found), ended, later(30))
    assert found.cluster is not None
    assert (found.cluster.workers, found.cluster.dashboard_url) == (0, None)


GROUPS = ({"name": "gpu", "maxWorkers": 4}, {"name": "spot"}, {"name": "idle"})


def with_groups(**changes: Any) -> Observed:
    """Return a run that has workers of two of its three groups."""
    cluster = build.cluster(groups={"spot": 1, "gpu": 3})
    return build.running(
        workplan=build.workplan({"cluster": {"workerGroups": GROUPS}}), cluster=cluster, **changes
    )


def test_workers_of_groups_are_counted() -> None:
    """Those of each group that the cluster has, in the order of the spec, until it goes."""
    pods = (build.pod(), build.pod(name="g", group="gpu"), build.pod("runner", "r"))
    waits = build.pod(name="h", group="gpu", ready=False)
    found = status.operator_status(with_groups(pods=(*pods, waits)), RUNNING, later(20))
    assert found.cluster is not None
    assert found.cluster.workers == 2
    assert found.cluster.worker_groups == (
        WorkerGroupStatus("gpu", 3, 1),
        WorkerGroupStatus("spot", 1, 0),
    )
    observed = build.with_status(with_groups(pods=pods), found)
    paused = PhaseState(Phase.SUSPENDED, "Suspended", "")
    found = status.operator_status(observed, paused, later(30))
    assert found.cluster is not None
    assert (found.cluster.workers, found.cluster.worker_groups) == (0, None)
    found = status.operator_status(build.running(), RUNNING, later(20))
    assert found.cluster is not None
    assert found.cluster.worker_groups is None


def test_a_number_of_a_group_waits_and_one_that_stays_is_not_written() -> None:
    """Like that of the default group: it is no change that users or tools wait for."""
    pods = (build.pod(), build.pod("runner", "r"))
    observed = build.with_operator_status(with_groups(pods=pods))
    old = observed.workplan.status
    state = derive_phase(observed, later(9))
    assert not status.has_changed(status.operator_status(observed, state, later(9)), old)
    more = build.replace(observed, pods=(*pods, build.pod(name="g", group="gpu")))
    new = status.operator_status(more, state, later(9))
    assert status.has_changed(new, old)
    assert not status.is_urgent(new, old)


def test_the_duration_is_written_with_the_end() -> None:
    """While a run lasts its duration is not in the status: it would have to be written again."""
    observed = build.with_operator_status(build.applied())
    assert status.operator_status(observed, RUNNING, later(75)).duration is None
    ended = PhaseState(Phase.SUCCEEDED, "AllGoalsReached", "")
    found = status.operator_status(observed, ended, later(75))
    assert found.duration == "1m15s"
    recorded = PhaseState(Phase.SUCCEEDED, "AllGoalsReached", "", recorded=True)
    observed = build.with_status(observed, found)
    assert status.operator_status(observed, recorded, later(999)).duration == "1m15s"


def test_long_messages_are_truncated() -> None:
    """A message fits into the status."""
    state = PhaseState(Phase.FAILED, "InvalidPlan", "x" * 10_000)
    found = status.operator_status(build.applied(), state, START)
    assert len(found.message or "") == 4096
    assert (found.message or "").endswith("…")
    assert all(len(condition.message) <= 4096 for condition in found.conditions)


def test_order_of_conditions_is_no_change() -> None:
    """A status whose conditions the API server reordered has not changed."""
    observed = build.with_operator_status(build.applied(resolution=FULLY_CACHED))
    old = observed.workplan.status
    reordered = msgspec.structs.replace(old, conditions=old.conditions[::-1])
    new = status.operator_status(observed, derive_phase(observed, START), START)
    assert not status.has_changed(new, reordered)
    assert status.has_changed(msgspec.structs.replace(new, phase="Other"), reordered)


def test_observed_generation_is_always_encoded() -> None:
    """The generation is written even if it has its default."""
    assert "observedGeneration" in status.encode_status(build.workplan().status)


def test_stopped_run_has_no_running_operations() -> None:
    """Running operations of a runner that is gone become pending; other fields are kept."""
    observed = build.running(status={"run_url": "s3://r/runs/x"})
    assert status.stopped_run_status(observed, START) is None
    part = status.stopped_run_status(build.replace(observed, runner=None), START)
    assert part is not None
    assert (part["operations"]["running"], part["operations"]["pending"]) == (0, 7)
    assert part["runURL"] == "s3://r/runs/x"


def test_runner_that_still_runs_writes_its_status_itself() -> None:
    """Its pod outlives its Job by some seconds, in which it may report; a lost one may not."""
    observed = build.running()
    pods = (dataclasses.replace(build.pod("runner", "r"), deleting=START),)
    gone = build.replace(observed, runner=None, live_pods=pods)
    assert status.stopped_run_status(gone, START) is None
    late = START + lost_pods.ABANDON_AFTER
    assert status.stopped_run_status(gone, late) is not None


@pytest.mark.parametrize(
    ("changes", "urgent"),
    [
        ({"pods": (build.pod(), build.pod(name="q"), build.pod("runner", "r"))}, False),
        ({"pods": (build.pod("runner", "r"),)}, False),
        ({"scheduler": None}, True),
        ({"create_errors": (build.problem("PodRejected"),)}, True),
    ],
)
def test_what_is_urgent(changes: dict[str, Any], urgent: bool) -> None:
    """Numbers and steps of a start may wait; conditions that tools act on do not."""
    observed = build.with_operator_status(build.running())
    counts = msgspec.structs.replace(build.COUNTS, computed=0)
    observed = build.with_status(
        observed, msgspec.structs.replace(observed.workplan.status, operations=counts)
    )
    changed = build.replace(observed, **changes)
    state = derive_phase(changed, later(9))
    new = status.operator_status(changed, state, later(9))
    assert status.has_changed(new, observed.workplan.status)
    assert status.is_urgent(new, observed.workplan.status) is urgent


def test_the_first_ready_worker_is_urgent() -> None:
    """The start deadline depends on it, and the worker's node may be lost a moment later."""
    observed = build.with_operator_status(build.running())
    assert observed.workplan.status.workers_ready_time is not None
    before = msgspec.structs.replace(observed.workplan.status, workers_ready_time=None)
    waits = build.replace(build.with_status(observed, before), status_wait=3.0)
    assert written_status(waits, later(9)).workers_ready_time == later(9)
