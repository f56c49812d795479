"""Reading and writing WorkPlans."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from voxk8s.api import (
    GoalResult,
    OperationCounts,
    TimeToLive,
    WorkPlanStatus,
    decode_resource,
    decode_status,
    encode,
)
from voxk8s.errors import InvalidPlan


def document(**spec: Any) -> dict[str, Any]:
    """Give a WorkPlan as the API server sends it."""
    return {
        "apiVersion": "voxk8s.io/v1alpha1",
        "kind": "WorkPlan",
        "metadata": {
            "name": "brain",
            "namespace": "lab",
            "uid": "7d3c",
            "generation": 2,
            "creationTimestamp": "2026-01-02T03:04:05Z",
            "managedFields": [{"manager": "kubectl"}],
        },
        "spec": {"source": {"plan": {"nodes": [1.5], "goals": []}}, **spec},
        "status": {"observedGeneration": -1},
    }


def test_defaults_are_filled_in() -> None:
    """A WorkPlan that says only where its plan comes from gets the documented defaults."""
    spec = decode_resource(document()).spec
    assert (spec.cluster.min_workers, spec.cluster.max_workers) == (0, 8)
    assert spec.cluster.threads_per_worker == 4
    assert (spec.cache, spec.on_failure, spec.suspend, spec.priority) == (
        "Use",
        "Continue",
        False,
        0,
    )
    retry = spec.effective_retry
    assert (retry.limit, retry.backoff_seconds, retry.max_backoff_seconds) == (3, 1, 60)


def test_inline_plan_is_kept_as_it_is() -> None:
    """The plan inside a WorkPlan is not looked into: numbers stay integers or floats."""
    nodes: list[dict[str, Any]] = [{"value": 5}, {"value": 5.0}]
    plan = {"nodes": nodes, "goals": "nonsense"}
    source = decode_resource(document(source={"plan": plan})).spec.source
    assert source.plan == plan
    assert [type(node["value"]) for node in nodes] == [int, float]


def test_unknown_fields_are_ignored() -> None:
    """A field that this version does not know does no harm."""
    assert decode_resource(document(later=1)).metadata.name == "brain"


@pytest.mark.parametrize(
    ("spec", "path"),
    [
        ({"cluster": {"maxWorkers": 0}}, "$.spec.cluster.maxWorkers"),
        ({"priority": 1001}, "$.spec.priority"),
        ({"cache": "use"}, "$.spec.cache"),
        ({"retry": {"limit": "3"}}, "$.spec.retry.limit"),
        ({"cluster": {"worker": {"env": [{"value": "x"}]}}}, "$.spec.cluster.worker.env[0]"),
    ],
)
def test_wrong_field_is_named_by_its_path(spec: dict[str, Any], path: str) -> None:
    """What a looser CRD lets through is refused with the path of the field."""
    with pytest.raises(InvalidPlan) as caught:
        decode_resource(document(**spec))
    assert caught.value.path == path


@pytest.mark.parametrize(
    ("given", "succeeded", "failed"),
    [(None, None, None), (60, 60, 60), ({"failed": 5}, None, 5), ({"succeeded": 0}, 0, None)],
)
def test_time_to_live_by_outcome(given: Any, succeeded: int | None, failed: int | None) -> None:
    """One number holds for both outcomes; an outcome that is left out is kept for ever."""
    spec = decode_resource(document(ttlSecondsAfterFinished=given)).spec
    assert spec.time_to_live(succeeded=True) == succeeded
    assert spec.time_to_live(succeeded=False) == failed


def test_time_to_live_is_typed() -> None:
    """The object form has a type of its own."""
    spec = decode_resource(document(ttlSecondsAfterFinished={"failed": 5})).spec
    assert spec.ttl_seconds_after_finished == TimeToLive(failed=5)


def test_status_round_trips() -> None:
    """What is written as a status is read back as the same status."""
    status = WorkPlanStatus(
        observed_generation=3,
        start_time=datetime(2026, 1, 2, tzinfo=UTC),
        operations=OperationCounts(total=2, cached=0, computed=2, failed=0, running=0, pending=0),
        results=(GoalResult(goal="sum", kind="print", value=5),),
    )
    assert decode_status(encode(status)) == status


def test_zero_counts_are_written() -> None:
    """A count of zero is a statement, not an absence."""
    counts = OperationCounts(total=0, cached=0, computed=0, failed=0, running=0, pending=0)
    assert set(encode(counts).values()) == {0}
    assert len(encode(counts)) == 6


def test_null_value_differs_from_no_value() -> None:
    """The value null of a goal is written, the value of a saved file is absent."""
    assert encode(GoalResult(goal="a", kind="print", value=None))["value"] is None
    assert "value" not in encode(GoalResult(goal="a", kind="save"))


def test_children_name_their_owner() -> None:
    """The owner reference makes Kubernetes delete children with their WorkPlan."""
    assert encode(decode_resource(document()).owner_reference()) == {
        "apiVersion": "voxk8s.io/v1alpha1",
        "kind": "WorkPlan",
        "name": "brain",
        "uid": "7d3c",
        "controller": True,
        "blockOwnerDeletion": True,
    }
