"""The spec of a WorkPlan."""

from __future__ import annotations

from typing import Any

import pytest

from voxk8s.api.spec import TimeToLive, WorkPlanSpec
from voxk8s.api.workplan import decode_resource


def decode(**spec: Any) -> WorkPlanSpec:
    """Return the decoded spec of a WorkPlan, with an inline plan as its source."""
    source = {"plan": {"nodes": [1.5], "goals": []}}
    return decode_resource({"metadata": {"name": "x"}, "spec": {"source": source, **spec}}).spec


def test_defaults_are_filled_in() -> None:
    """A WorkPlan that says only where its plan comes from gets the documented defaults."""
    spec = decode()
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
    source = decode(source={"plan": plan}).source
    assert source.plan == plan
    assert [type(node["value"]) for node in nodes] == [int, float]


@pytest.mark.parametrize(
    ("given", "succeeded", "failed"),
    [(None, None, None), (60, 60, 60), ({"failed": 5}, None, 5), ({"succeeded": 0}, 0, None)],
)
def test_time_to_live_by_outcome(given: Any, succeeded: int | None, failed: int | None) -> None:
    """One number holds for both outcomes; an outcome that is left out is kept for ever."""
    spec = decode(ttlSecondsAfterFinished=given)
    assert spec.time_to_live(succeeded=True) == succeeded
    assert spec.time_to_live(succeeded=False) == failed


def test_time_to_live_is_typed() -> None:
    """The object form has a type of its own."""
    spec = decode(ttlSecondsAfterFinished={"failed": 5})
    assert spec.ttl_seconds_after_finished == TimeToLive(failed=5)
