"""Deterministic: there, and False, once an operation gave two values for one result key."""

from __future__ import annotations

from voxk8s import constants
from voxk8s.controller.conditions.claim import Claim
from voxk8s.controller.observed import Observed


def deterministic(observed: Observed) -> Claim | None:
    """Say whether a difference was seen; None where none was."""
    outcome = observed.workplan.status.outcome
    keys = outcome.non_deterministic if outcome else None
    if not keys:
        return None
    return Claim(
        constants.DETERMINISTIC,
        "False",
        constants.REASON_NON_DETERMINISTIC,
        f"{_operations(len(keys))} gave another value than the one in the store, which was kept:"
        f" {', '.join(key[:12] for key in keys[:4])}",
    )


def _operations(count: int) -> str:
    return "1 operation" if count == 1 else f"{count} operations"
