"""Reconciling: True while voxk8s works on the WorkPlan, suspended included (kstatus)."""

from __future__ import annotations

from voxk8s.constants import RECONCILING
from voxk8s.controller.conditions.claim import Claim
from voxk8s.controller.stage import Stage


def reconciling(stage: Stage) -> Claim:
    """Say whether there is more to come."""
    return Claim(RECONCILING, "False" if stage.ended else "True", stage.reason, stage.message)
