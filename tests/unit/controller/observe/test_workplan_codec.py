"""Decoding of WorkPlans for the informer."""

from __future__ import annotations

from typing import Any

import msgspec

from voxk8s.controller.observe.workplan_codec import (
    UndecodableWorkPlan,
    decode_slim,
    decode_workplan,
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
    slim = decode_slim(msgspec.Raw(msgspec.json.encode(body)))
    assert slim == {
        **BODY,
        "status": {"phase": "Running"},
        "spec": {"source": {"plan": {}}, "priority": 3},
    }
    program = {**BODY, "spec": {"source": {"program": "x" * 1000, "parameters": {"A": "1"}}}}
    slim = decode_slim(msgspec.Raw(msgspec.json.encode(program)))
    assert slim["spec"] == {"source": {"program": "", "parameters": {"A": "1"}}}


def test_slim_text_of_an_unusual_object() -> None:
    """An object of another shape is decoded whole: what is wrong with it is said elsewhere."""
    odd = {**BODY, "spec": ["?"]}
    assert decode_slim(msgspec.Raw(msgspec.json.encode(odd))) == odd
