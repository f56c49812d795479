"""Succeeded: not known while active, True or False at the end, never changed afterwards."""

from __future__ import annotations

from voxk8s.constants import SUCCEEDED
from voxk8s.controller.conditions.claim import Claim
from voxk8s.controller.stage import Phase, Stage


def succeeded(stage: Stage) -> Claim:
    """Say how the WorkPlan ended."""
    match stage.phase:
        case Phase.SUCCEEDED:
            return Claim(SUCCEEDED, "True", stage.reason, stage.message)
        case Phase.FAILED:
            return Claim(SUCCEEDED, "False", stage.reason, stage.message)
        case _:
            return Claim(SUCCEEDED, "Unknown", stage.reason, stage.message)
