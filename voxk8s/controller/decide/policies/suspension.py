"""Suspension: a suspended run has no cluster and no runner; its results are kept."""

from __future__ import annotations

from voxk8s import constants
from voxk8s.controller.decide.phase import Phase, PhaseState
from voxk8s.controller.observe.observed import Observed


def suspended(observed: Observed) -> PhaseState | None:
    """Return Suspended if the spec asks for it, else None."""
    if not observed.workplan.spec.suspend:
        return None
    return PhaseState(
        Phase.SUSPENDED,
        constants.REASON_SUSPENDED,
        "Suspended by spec.suspend: the cluster is deleted, results are kept.",
    )
