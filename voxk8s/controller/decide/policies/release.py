"""Giving back what a run no longer needs: within seconds, and never results."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta

from voxk8s.controller.decide.actions import ChildKind, DeleteChild
from voxk8s.controller.decide.phase import PhaseState
from voxk8s.controller.decide.policies import scaling
from voxk8s.controller.observe.observed import Observed

EXIT_GRACE = timedelta(seconds=30)
"""How long the runner may take to exit after it has said how the run ended."""


def unneeded_children(
    observed: Observed, stage: PhaseState, now: datetime
) -> Iterator[DeleteChild]:
    """Give the deletions of children that a run in this stage does not need.

    The copy of the store's credentials goes first: nothing tells of it but who uses it.
    """
    scaler = observed.autoscaler
    if scaler is not None and not scaler.deleting:
        yield DeleteChild(ChildKind.AUTOSCALER, scaler.name, stage.reason)
    known = (*observed.extra_clusters, *((observed.cluster,) if observed.cluster else ()))
    clusters = [cluster for cluster in known if not cluster.deleting]
    runner = observed.runner
    if runner and (runner.finished or runner.deleting or _exits_by_itself(observed, stage, now)):
        runner = None
    secrets = {child.secret for child in (*clusters, runner) if child is not None and child.secret}
    for name in sorted(secrets):
        yield DeleteChild(ChildKind.CREDENTIALS, name, stage.reason)
    for cluster in () if scaling.autoscaler_may_poll(observed, now) else clusters:
        yield DeleteChild(ChildKind.CLUSTER, cluster.name, stage.reason)
    if runner is not None:
        yield DeleteChild(ChildKind.RUNNER, runner.name, stage.reason)


def _exits_by_itself(observed: Observed, stage: PhaseState, now: datetime) -> bool:
    """Say whether the runner wrote the end itself and is about to exit: its log stays then."""
    status = observed.workplan.status
    if not stage.ended or status.outcome is None:
        return False
    end = status.completion_time
    return end is None or now - end < EXIT_GRACE
