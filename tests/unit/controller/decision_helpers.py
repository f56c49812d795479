"""Parts of a decision, as tests assert them."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from tests.unit.controller.observed_builders import START
from voxk8s.api.conditions import find_condition
from voxk8s.api.status import Outcome, WorkPlanStatus
from voxk8s.api.workplan import decode_status
from voxk8s.controller.decide.actions import (
    Action,
    ApplyAutoscaler,
    CreateAccess,
    CreateCluster,
    CreateRunner,
    CreateWorkerGroup,
    DeleteChild,
    RequeueAfter,
    WriteOperatorStatus,
)
from voxk8s.controller.decide.decide import decide
from voxk8s.controller.observe.observed import Observed

CHILDREN = (
    CreateAccess,
    CreateCluster,
    CreateWorkerGroup,
    CreateRunner,
    ApplyAutoscaler,
    DeleteChild,
)


def decided_actions(observed: Observed, now: datetime = START) -> tuple[Action, ...]:
    """Return the decided actions without RequeueAfter."""
    return tuple(a for a in decide(observed, now) if not isinstance(a, RequeueAfter))


def child_actions(observed: Observed, now: datetime = START) -> tuple[Action, ...]:
    """Return the decided actions on children."""
    return tuple(a for a in decided_actions(observed, now) if isinstance(a, CHILDREN))


def written_status(observed: Observed, now: datetime = START) -> WorkPlanStatus:
    """Return the operator's status that is written."""
    parts = [a.part for a in decided_actions(observed, now) if isinstance(a, WriteOperatorStatus)]
    assert len(parts) == 1
    return decode_status(parts[0])


def states(status: WorkPlanStatus) -> dict[str, tuple[str, str]]:
    """Return status and reason of each condition."""
    return {c.type: (c.status, c.reason) for c in status.conditions}


def run_outcome(state: str = "Succeeded", reason: str = "AllGoalsReached", **more: Any) -> Outcome:
    """Make the outcome that a runner writes."""
    return Outcome(state="Succeeded" if state == "Succeeded" else "Failed", reason=reason, **more)


def cluster_ready(observed: Observed, now: datetime) -> tuple[str, str]:
    """Return reason and message of ClusterReady."""
    found = find_condition(written_status(observed, now).conditions, "ClusterReady")
    assert found is not None
    return found.reason, found.message
