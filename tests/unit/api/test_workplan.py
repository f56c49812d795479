"""Decoding and encoding WorkPlans."""

from __future__ import annotations

from typing import Any

import pytest

from voxk8s.api.workplan import decode_resource, encode
from voxk8s.errors import InvalidPlan


def document(**spec: Any) -> dict[str, Any]:
    """Return a WorkPlan as the API server sends it."""
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


def test_unknown_fields_are_ignored() -> None:
    """A field of a later version is ignored."""
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
    """An invalid field, which another CRD may admit, is rejected with its path."""
    with pytest.raises(InvalidPlan) as caught:
        decode_resource(document(**spec))
    assert caught.value.path == path


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
