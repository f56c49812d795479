"""Conversion of WorkPlans between v1alpha1 and v1beta1, as JSON objects. Pure.

v1beta1 is not served yet: this is what its webhook will answer, and what each change of v1alpha1
until then must leave possible. In v1beta1

- `spec.ttlSecondsAfterFinished` is always an object: v1alpha1's "number or object" has no
  structural schema;
- `status.duration` is gone: readers compute it from start, end and suspensions;
- `spec.cluster.poolRef`, which only early versions of v1alpha1 had, is gone.

All other fields are the same, unknown ones included.
"""

from __future__ import annotations

import copy
from datetime import datetime
from typing import Any, Final

from voxk8s.api.run_time import active_time, duration_text
from voxk8s.api.workplan import decode_resource
from voxk8s.constants import API_VERSION, GROUP
from voxk8s.errors import InvalidUsage

Document = dict[str, Any]

V1BETA1: Final = f"{GROUP}/v1beta1"


def convert_workplan(document: Document, version: str) -> Document:
    """Return a WorkPlan in another version of the API group; the argument is not changed.

    Raises InvalidUsage for a version that does not exist.
    """
    have = document["apiVersion"]
    for each in (have, version):
        if each not in (API_VERSION, V1BETA1):
            raise InvalidUsage(f"expected {API_VERSION} or {V1BETA1}, got {each}")
    converted = copy.deepcopy(document) | {"apiVersion": version}
    if have != version:
        (_upgrade if version == V1BETA1 else _downgrade)(converted)
    return converted


def _upgrade(document: Document) -> None:
    spec = document["spec"]
    ttl = spec.get("ttlSecondsAfterFinished")
    if ttl is not None and not isinstance(ttl, dict):
        spec["ttlSecondsAfterFinished"] = {"succeeded": ttl, "failed": ttl}
    spec.get("cluster", {}).pop("poolRef", None)
    document.get("status", {}).pop("duration", None)


def _downgrade(document: Document) -> None:
    """Add the duration of a WorkPlan that has ended, which clients of v1alpha1 read."""
    end = document.get("status", {}).get("completionTime")
    if end is not None:
        resource = decode_resource(document)
        duration = active_time(resource, datetime.fromisoformat(end))
        document["status"]["duration"] = duration_text(duration)
