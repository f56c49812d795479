"""Statuses of WorkPlans as the API server returns them."""

from __future__ import annotations

import copy

from tests.support.fake_kube import Json

RUNNING: Json = {"phase": "Running", "progress": "1/2", "reason": "Progressing"}
DONE: Json = {
    "phase": "Succeeded",
    "progress": "2/2",
    "completionTime": "2026-01-01T00:01:00Z",
    "conditions": [
        {
            "type": "Succeeded",
            "status": "True",
            "reason": "AllGoalsReached",
            "message": "",
            "lastTransitionTime": "2026-01-01T00:01:00Z",
        }
    ],
    "results": [
        {"goal": "sum", "kind": "print", "value": 5},
        {"goal": "list", "kind": "print", "value": [1, 2], "truncated": True},
    ],
}
MESSAGE = "vox1.near (abababababab) failed: KernelError: no mask"
FAILED: Json = {
    "phase": "Failed",
    "completionTime": "2026-01-01T00:01:00Z",
    "conditions": [{**DONE["conditions"][0], "status": "False"}],
    "failures": [{"operation": "ab" * 32, "kernel": "vox1.near", "message": MESSAGE}],
}
UNMET: Json = {
    **FAILED,
    "conditions": [{**FAILED["conditions"][0], "reason": "ExpectationFailed"}],
    "failures": [],
}


def modified(body: Json, status: Json, version: str) -> Json:
    """Return the watch event of a WorkPlan with a new status."""
    new = copy.deepcopy(body)
    new["status"] = status
    new["metadata"]["resourceVersion"] = version
    return {"type": "MODIFIED", "object": new}
