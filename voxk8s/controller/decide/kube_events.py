"""The Kubernetes events of a WorkPlan: one for each transition of a condition. Pure."""

from __future__ import annotations

from collections.abc import Iterator

from voxk8s import constants
from voxk8s.api.conditions import find_condition
from voxk8s.api.status import Condition, WorkPlanStatus
from voxk8s.controller.decide.actions import EmitEvent
from voxk8s.controller.decide.phase import Phase, PhaseState

_SILENT = frozenset(
    {
        constants.REASON_ACCEPTED,
        constants.REASON_CLUSTER_STARTING,
        constants.REASON_CLUSTER_NOT_NEEDED,
        constants.REASON_CLUSTER_RELEASED,
        constants.REASON_CLUSTER_KEPT,
        constants.REASON_STORE_CONNECTED,
        constants.REASON_SUSPENDED,
        constants.REASON_QUEUED,
        constants.REASON_WAITING_FOR_QUOTA,
        constants.REASON_EVICTED,
        constants.REASON_NO_ROOM,
    }
)
"""Reasons of StoreReady and ClusterReady without an event: normal, or reported with Ready."""


def events(old: WorkPlanStatus, new: WorkPlanStatus, state: PhaseState) -> Iterator[EmitEvent]:
    """Yield an event for each condition with a new reason, at most one for each reason."""
    emitted: set[str] = set()
    before = find_condition(old.conditions, constants.READY)
    after = find_condition(new.conditions, constants.READY)
    # That it was accepted is in the status: for many WorkPlans at once, a fifth of all writes.
    news = after is not None and after.reason != constants.REASON_ACCEPTED
    if after is not None and news and (before is None or before.reason != after.reason):
        emitted.add(after.reason)
        warning = state.phase in (Phase.PENDING, Phase.FAILED)
        yield EmitEvent(warning, after.reason, after.message)
    for kind in (constants.STORE_READY, constants.CLUSTER_READY, constants.DETERMINISTIC):
        before = find_condition(old.conditions, kind)
        after = find_condition(new.conditions, kind)
        if after is None or after.reason in emitted or not _is_transition(before, after):
            continue
        emitted.add(after.reason)
        yield EmitEvent(after.status == "False", after.reason, after.message)


def _is_transition(before: Condition | None, after: Condition) -> bool:
    if after.reason == constants.REASON_STORE_CONNECTED:
        # Only a recovery is worth an event.
        return (
            before is not None
            and (before.status, after.status) == ("False", "True")
            and before.reason not in _SILENT
        )
    if after.reason in _SILENT:
        return False
    return before is None or (before.status, before.reason) != (after.status, after.reason)
