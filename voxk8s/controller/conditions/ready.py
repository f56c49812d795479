"""Ready: True once the WorkPlan has succeeded, False after a failure, else not known (kstatus).

What keeps a WorkPlan waiting makes it False as well, so that `kubectl describe` shows it; kstatus
reads that as in progress, since it looks at Reconciling first.
"""

from __future__ import annotations

from voxk8s.constants import READY
from voxk8s.controller.conditions.claim import Claim
from voxk8s.controller.stage import Phase, Stage


def ready(stage: Stage) -> Claim:
    """Say whether the results are there."""
    match stage.phase:
        case Phase.SUCCEEDED:
            return Claim(READY, "True", stage.reason, stage.message)
        case Phase.FAILED | Phase.PENDING | Phase.SUSPENDED:
            return Claim(READY, "False", stage.reason, stage.message)
        case Phase.RESOLVING | Phase.STARTING | Phase.RUNNING:
            return Claim(READY, "Unknown", stage.reason, stage.message)
