"""The status of an object as kstatus computes it, and with it Flux.

Rules of sigs.k8s.io/cli-utils `pkg/kstatus`: deletion first, then the observed generation, then the
conditions Reconciling and Stalled, then Ready.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

Reading = Literal["Terminating", "InProgress", "Failed", "Current"]


def read(thing: Mapping[str, Any]) -> Reading:
    """Return the kstatus of an object."""
    metadata, status = thing["metadata"], thing.get("status") or {}
    if metadata.get("deletionTimestamp"):
        return "Terminating"
    observed = status.get("observedGeneration")
    if observed is not None and observed != metadata.get("generation"):
        return "InProgress"
    states = {c["type"]: c["status"] for c in status.get("conditions") or ()}
    if states.get("Reconciling") == "True":
        return "InProgress"
    if states.get("Stalled") == "True":
        return "Failed"
    if states.get("Ready", "True") in ("False", "Unknown"):
        return "InProgress"
    return "Current"


def condition(thing: Mapping[str, Any], kind: str) -> dict[str, Any]:
    """Return one condition of an object, or an empty mapping."""
    conditions = (thing.get("status") or {}).get("conditions") or ()
    return next((dict(c) for c in conditions if c["type"] == kind), {})
