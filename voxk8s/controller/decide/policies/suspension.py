"""Suspension: a suspended run has no cluster and no runner; its results are kept."""

from __future__ import annotations

from voxk8s import constants
from voxk8s.controller.decide.phase import Phase, PhaseState
from voxk8s.controller.observe.observed import Observed


def suspended(observed: Observed) -> PhaseState | None:
    """Return Suspended if the spec asks for it, or until what it began is done, else None.

    A run that resumes gets accounts and policies of its own: `store` and `cluster` may have changed
    while it was suspended. Those from before are there until the last pod has ended.
    """
    if is_resuming(observed):
        return PhaseState(
            Phase.SUSPENDED,
            constants.REASON_SUSPENDED,
            "Resumes when the last pod of the suspended run has ended and its access is deleted.",
        )
    if not observed.workplan.spec.suspend:
        return None
    return PhaseState(
        Phase.SUSPENDED,
        constants.REASON_SUSPENDED,
        "Suspended by spec.suspend: the cluster is deleted, results are kept.",
    )


def is_resuming(observed: Observed) -> bool:
    """Whether a run that was suspended waits for the end of what it had before."""
    workplan = observed.workplan
    was_suspended = workplan.status.phase == Phase.SUSPENDED.value
    return was_suspended and not workplan.spec.suspend and observed.access is not None
