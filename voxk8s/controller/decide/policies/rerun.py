"""Another run of a finished WorkPlan, which an annotation asks for once for each of its values."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from datetime import datetime

import msgspec

from voxk8s.api.status import WorkPlanStatus
from voxk8s.controller.decide.actions import ChildKind, DeleteChild
from voxk8s.controller.decide.phase import Phase, PhaseState
from voxk8s.controller.decide.policies import completion, release
from voxk8s.controller.observe.observed import Observed


def is_requested(observed: Observed) -> bool:
    """Whether a finished WorkPlan is to run again."""
    token = observed.workplan.retry_token
    if token is None or token == observed.workplan.status.retry:
        return False
    return completion.recorded_end(observed) is not None


def leftovers(observed: Observed, now: datetime) -> Iterator[DeleteChild]:
    """Yield the deletions of what the last run left: its Job would end the next one at once."""
    state = PhaseState(Phase.FAILED, "Retry", "The WorkPlan runs again.")
    yield from release.unneeded_children(observed, state, now)
    runner = observed.runner
    if runner is not None and runner.finished and not runner.deleting:
        yield DeleteChild(ChildKind.RUNNER, runner.name, runner.uid, state.reason)


def is_cleared(observed: Observed) -> bool:
    """Whether nothing is left of the last run but accounts and policies, which the next may use."""
    children = (observed.cluster, observed.autoscaler, observed.runner)
    return not observed.extra_clusters and all(child is None for child in children)


def as_new(observed: Observed) -> Observed:
    """Return a WorkPlan as it was before its first run."""
    resource = msgspec.structs.replace(observed.workplan, status=WorkPlanStatus())
    return dataclasses.replace(observed, workplan=resource)
