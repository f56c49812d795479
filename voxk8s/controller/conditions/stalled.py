"""Stalled: True after a terminal failure, and only then (kstatus)."""

from __future__ import annotations

from voxk8s.constants import STALLED
from voxk8s.controller.conditions.claim import Claim
from voxk8s.controller.stage import Phase, Stage


def stalled(stage: Stage) -> Claim:
    """Say whether the WorkPlan failed for good."""
    failed = stage.phase is Phase.FAILED
    return Claim(STALLED, "True" if failed else "False", stage.reason, stage.message)
