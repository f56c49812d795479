"""Which WorkPlans wait while the number of clusters is limited."""

from __future__ import annotations

from collections import Counter

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support.properties import examples
from tests.unit.controller import observed_builders as build
from tests.unit.controller.decision_helpers import decided_actions, states, written_status
from tests.unit.controller.observed_builders import FULLY_CACHED, WORK_LEFT, later
from voxk8s.controller.decide.actions import EmitEvent, RequeueAfter, ResolvePlan, WriteRunnerStatus
from voxk8s.controller.decide.decide import decide
from voxk8s.controller.decide.policies.queueing import (
    Candidate,
    holds_cluster,
    next_to_start,
    wants_cluster,
)
from voxk8s.controller.limits import Limits
from voxk8s.controller.observe.observed import Observed
from voxk8s.controller.resolve.resolution_state import Blocked, Resolving, Unresolved

WAITS = "Waits for a Dask cluster: all 2 of limits.clusters are in use."


def waiting(name: str, namespace: str = "a", priority: int = 0, age: float = 0) -> Candidate:
    """Make one that waits since `age` seconds before the start."""
    return Candidate(namespace, name, f"u-{namespace}-{name}", priority, later(-age))


def order(candidates: list[Candidate], limits: Limits, held: dict[str, int]) -> list[str]:
    """Return the names of those that start, in their order, while none ends."""
    left, holding, started = list(candidates), Counter(held), []
    while (found := next_to_start(left, holding, limits)) is not None:
        left.remove(found)
        holding[found.namespace] += 1
        started.append(found.name)
    return started


def test_namespaces_take_turns() -> None:
    """A namespace with many WorkPlans does not keep another one waiting."""
    crowd = [waiting(f"a{place}", "a", age=100 - place) for place in range(5)]
    few = [waiting(f"b{place}", "b", age=10 - place) for place in range(2)]
    assert order([*crowd, *few], Limits(clusters=5), {}) == ["a0", "b0", "a1", "b1", "a2"]
    assert order([*crowd, *few], Limits(clusters=5), {"a": 2}) == ["b0", "b1", "a0"]


def test_priority_then_age_within_a_namespace() -> None:
    """The highest priority is next, of equal ones the oldest."""
    found = [waiting("old", age=50), waiting("new", age=5), waiting("urgent", priority=5)]
    assert order(found, Limits(clusters=9), {}) == ["urgent", "old", "new"]


def test_priority_of_one_namespace_does_not_matter_to_another() -> None:
    """Otherwise its users would only have to raise it."""
    found = [waiting("loud", "a", priority=1000, age=1), waiting("quiet", "b", age=2)]
    assert order(found, Limits(clusters=1), {}) == ["quiet"]


def test_each_limit_counts() -> None:
    """The limit of a namespace leaves room for others, that of all does not."""
    found = [waiting(f"{space}{place}", space) for space in "ab" for place in range(3)]
    assert order(found, Limits(clusters_per_namespace=1), {}) == ["a0", "b0"]
    assert order(found, Limits(clusters=4, clusters_per_namespace=3), {"c": 2}) == ["a0", "b0"]
    assert Limits(clusters_per_namespace=2).reached("a", {"a": 2, "b": 1}) == (
        "all 2 of limits.clustersPerNamespace"
    )


@examples(100)
@given(st.lists(st.tuples(st.sampled_from("ab"), st.integers(-1000, 1000)), max_size=8))
def test_none_waits_without_end(arrivals: list[tuple[str, int]]) -> None:
    """One cluster, and each minute another WorkPlan of any priority: the first one gets a turn."""
    left = [waiting("first", "a", priority=-1000)]
    for minute in range(4100):
        namespace, priority = arrivals[minute % len(arrivals)] if arrivals else ("b", 1000)
        left.append(Candidate(namespace, f"n{minute}", str(minute), priority, later(60 * minute)))
        found = next_to_start(left, {}, Limits(clusters=1))
        assert found is not None
        if found.name == "first":
            return
        left.remove(found)
    raise AssertionError("it never started")


SUSPENDED = build.workplan({"suspend": True})
ELSEWHERE = {"managedBy": "example.org/dispatcher"}


def deleted(**changes: object) -> Observed:
    """Make one that ran, was deleted, and has a finalizer of someone else."""
    plan = build.workplan(phase="Running")
    metadata = msgspec.structs.replace(plan.metadata, deletion_timestamp=later(1))
    plan = msgspec.structs.replace(plan, metadata=metadata)
    return build.applied(workplan=plan, **changes)


@pytest.mark.parametrize(
    ("observed", "holds", "wants"),
    [
        pytest.param(build.applied(resolution=WORK_LEFT), False, True, id="resolved"),
        pytest.param(build.applied(resolution=FULLY_CACHED), False, False, id="known"),
        pytest.param(build.applied(), False, False, id="not looked up"),
        pytest.param(build.running(), True, True, id="running"),
        pytest.param(build.running(cluster=None, runner=None), True, True, id="cluster is lost"),
        pytest.param(
            build.applied(workplan=SUSPENDED, cluster=build.cluster(deleting=later(1))),
            True, False, id="suspended, cluster ends",
        ),
        pytest.param(build.applied(workplan=SUSPENDED), False, False, id="suspended"),
        pytest.param(deleted(), False, False, id="a finalizer keeps it"),
        pytest.param(deleted(cluster=build.cluster()), True, False, id="deleted, has a cluster"),
        pytest.param(deleted(runner=build.job()), True, False, id="deleted, has a runner"),
        pytest.param(
            build.applied(workplan=build.workplan(ELSEWHERE, phase="Running")), False, False,
            id="runs in another cluster",
        ),
        pytest.param(
            build.applied(workplan=build.workplan(phase="Queued")), False, True,
            id="queued before a restart",
        ),
        pytest.param(
            build.applied(
                workplan=build.workplan(phase="Queued"),
                resolution=Blocked("StoreUnreachable", "away", later(9)),
            ),
            False, False, id="queued, store is gone",
        ),
        pytest.param(
            build.applied(workplan=build.workplan(phase="Queued"), sync_error="forbidden"),
            False, False, id="queued, its children cannot be listed",
        ),
        pytest.param(
            build.applied(resolution=WORK_LEFT, status_error="denied"),
            False, False, id="its status is rejected",
        ),
    ],
)  # fmt: skip
def test_who_holds_and_who_wants(observed: Observed, holds: bool, wants: bool) -> None:
    """It follows from children, status and look-up, so that a restart changes nothing."""
    assert holds_cluster(observed) is holds
    assert wants_cluster(observed) is wants


def queued(**changes: object) -> Observed:
    """Make one that was told to wait."""
    observed = build.with_operator_status(build.applied(), later(0))
    return build.replace(observed, resolution=WORK_LEFT, queued=WAITS, **changes)


def test_queued_status() -> None:
    """It is in progress for kstatus, has one event, and no child."""
    status = written_status(queued(), later(1))
    assert (status.phase, status.reason, status.message) == ("Queued", "Queued", WAITS)
    found = states(status)
    assert found["Reconciling"] == ("True", "Queued")
    assert found["Ready"] == ("False", "Queued")
    assert found["Succeeded"] == ("Unknown", "Queued")
    assert found["ClusterReady"] == ("False", "Queued")
    events = [a for a in decided_actions(queued(), later(1)) if isinstance(a, EmitEvent)]
    assert events == [EmitEvent(False, "Queued", WAITS)]


def test_one_that_left_its_place_says_why() -> None:
    """Its status stays as it was when its cluster was refused, and nothing is created meanwhile."""
    refused = build.replace(
        queued(), queued="", create_errors=(build.problem("PodRejected", "exceeded quota"),)
    )
    said = build.with_operator_status(refused, later(1))
    assert states(said.workplan.status)["ClusterReady"] == ("False", "PodRejected")
    acts = decided_actions(build.replace(said, queued=WAITS), later(99))
    assert [type(action) for action in acts] == [WriteRunnerStatus]
    possible = build.replace(said, queued=WAITS, create_errors=())
    assert "when its turn comes" in (written_status(possible, later(99)).message or "")


def test_queue_causes_no_writes() -> None:
    """While others come and go nothing is written, also after a restart of the operator."""
    observed = build.with_operator_status(queued(), later(1))
    moved = build.replace(observed, queued="Waits for a Dask cluster: 7 others wait.")
    assert decide(moved, later(99)) == (RequeueAfter(60.0),)
    for resolution in (Unresolved(), Resolving()):
        restarted = build.replace(moved, resolution=resolution)
        assert set(decided_actions(restarted, later(99))) <= {ResolvePlan()}


def test_the_turn_comes() -> None:
    """Then the run starts as if it had not waited; a plan that became known ends at once."""
    observed = build.with_operator_status(queued(), later(1))
    assert written_status(build.replace(observed, queued=""), later(9)).phase == "Starting"
    known = build.replace(observed, queued="", resolution=FULLY_CACHED)
    assert written_status(known, later(9)).phase == "Succeeded"


def test_deadline_counts_while_it_waits() -> None:
    """The start deadline says what the WorkPlan waited for."""
    plan = build.workplan({"startDeadlineSeconds": 30})
    observed = build.with_operator_status(build.applied(workplan=plan))
    waits = build.replace(observed, resolution=WORK_LEFT, queued=WAITS)
    status = written_status(build.with_operator_status(waits, later(1)), later(31))
    assert status.reason == "StartDeadlineExceeded"
    assert "limits.clusters" in (status.message or "")
    assert status.phase == "Failed"
