"""Decoding of WorkPlans for the informer."""

from __future__ import annotations

from typing import Any

import msgspec

from voxk8s.api.workplan import WorkPlanResource, decode_source
from voxk8s.controller.observe.workplan_codec import (
    KEPT_BYTES,
    UndecodableWorkPlan,
    decode_slim,
    decode_workplan,
    kept_source,
)

BODY: dict[str, Any] = {
    "apiVersion": "voxk8s.io/v1alpha1",
    "kind": "WorkPlan",
    "metadata": {"name": "wp", "namespace": "ns", "uid": "u-1", "generation": 1},
    "spec": {"source": {"plan": {"nodes": [{"big": "x"}], "goals": []}}},
}


def test_plans_are_dropped() -> None:
    """The informer keeps a WorkPlan without its plan."""
    kept = decode_workplan(BODY)
    assert kept.spec.source.plan == {}
    program = {**BODY, "spec": {"source": {"program": "x" * 1000}}}
    assert decode_workplan(program).spec.source.program == ""


def test_undecodable_fields_of_the_status() -> None:
    """Fields of a status that do not decode are dropped; the others are kept."""
    status = {"phase": "Failed", "operations": {"total": "many"}}
    kept = decode_workplan({**BODY, "status": status})
    assert (kept.status.phase, kept.status.operations) == ("Failed", None)


def test_undecodable_spec() -> None:
    """A spec that does not decode is kept empty, with the error and its path."""
    found = decode_workplan({**BODY, "spec": {"source": {}, "cluster": {"maxWorkers": "many"}}})
    assert isinstance(found, UndecodableWorkPlan)
    assert "$.spec.cluster.maxWorkers" in found.decode_error
    assert found.metadata.name == "wp"


def test_slim_text() -> None:
    """Plans and managed fields are cut out of the text; all else is as it was."""
    metadata = {**BODY["metadata"], "managedFields": [{"manager": "m"}]}
    body = {**BODY, "metadata": metadata, "status": {"phase": "Running"}}
    body["spec"] = {**BODY["spec"], "priority": 3}
    body["status"]["conditions"] = [{"type": "Ready"}]
    slim = decode_slim(msgspec.Raw(msgspec.json.encode(body)))
    assert slim == {
        **BODY,
        "status": body["status"],
        "spec": {"source": {"plan": {}}, "priority": 3},
    }
    program = {**BODY, "spec": {"source": {"program": "x" * 1000, "parameters": {"A": "1"}}}}
    slim = decode_slim(msgspec.Raw(msgspec.json.encode(program)))
    assert slim["spec"] == {"source": {"program": "", "parameters": {"A": "1"}}}


def test_slim_text_of_an_unusual_object() -> None:
    """An object of another shape is decoded whole: what is wrong with it is said elsewhere."""
    odd = {**BODY, "spec": ["?"]}
    assert decode_slim(msgspec.Raw(msgspec.json.encode(odd))) == odd


def decoded(body: dict[str, Any]) -> WorkPlanResource:
    """Return a WorkPlan as the informer keeps it."""
    return decode_workplan(decode_slim(msgspec.Raw(msgspec.json.encode(body))))


def test_small_source_of_a_new_workplan_is_kept() -> None:
    """Until it has a status: then its plan is resolved, and it may stay for years."""
    new = decoded(BODY)
    assert decode_source(kept_source(new) or "").plan == BODY["spec"]["source"]["plan"]
    assert new.spec.source.plan == {}
    condition = {
        "type": "Ready", "status": "True", "reason": "R", "message": "",
        "lastTransitionTime": "2026-05-04T12:00:00Z",
    }  # fmt: skip
    accepted = decoded({**BODY, "status": {"observedGeneration": 1, "conditions": [condition]}})
    assert accepted.status.conditions
    assert kept_source(accepted) is None
    large = {**BODY, "spec": {"source": {"program": "x" * KEPT_BYTES}}}
    assert kept_source(decoded(large)) is None
    others = {**BODY, "spec": {**BODY["spec"], "managedBy": "example.org/dispatcher"}}
    assert kept_source(decoded(others)) is None
    assert kept_source(decode_workplan(BODY)) is None
