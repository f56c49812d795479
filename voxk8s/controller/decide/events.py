"""Events: what a person who asks `kubectl describe` should read, each transition once. Pure."""

from __future__ import annotations

from collections.abc import Iterator

from voxk8s import constants
from voxk8s.api import Condition, WorkPlanStatus, find_condition
from voxk8s.controller.decide.actions import EmitEvent
from voxk8s.controller.decide.phase import Phase, PhaseState

_QUIET = frozenset(
    {
        constants.REASON_ACCEPTED,
        constants.REASON_CLUSTER_STARTING,
        constants.REASON_CLUSTER_NOT_NEEDED,
        constants.REASON_CLUSTER_RELEASED,
        constants.REASON_STORE_CONNECTED,
        constants.REASON_SUSPENDED,
    }
)
"""Reasons of StoreReady and ClusterReady that Ready tells already, or nobody needs to hear."""


def events(old: WorkPlanStatus, new: WorkPlanStatus, stage: PhaseState) -> Iterator[EmitEvent]:
    """Give an event for each condition that says something new."""
    told: set[str] = set()
    before = find_condition(old.conditions, constants.READY)
    after = find_condition(new.conditions, constants.READY)
    if after is not None and (before is None or before.reason != after.reason):
        told.add(after.reason)
        waits = stage.phase in (Phase.PENDING, Phase.FAILED)
        yield EmitEvent(waits, after.reason, after.message)
    for kind in (constants.STORE_READY, constants.CLUSTER_READY, constants.DETERMINISTIC):
        earlier = find_condition(old.conditions, kind)
        found = find_condition(new.conditions, kind)
        if found is None or found.reason in told or not _is_news(earlier, found):
            continue
        told.add(found.reason)
        yield EmitEvent(found.status == "False", found.reason, found.message)


def _is_news(before: Condition | None, after: Condition) -> bool:
    recovered = before is not None and before.status == "False" and after.status == "True"
    if after.reason == constants.REASON_STORE_CONNECTED:
        return recovered and before is not None and before.reason not in _QUIET
    if after.reason in _QUIET:
        return False
    return before is None or (before.status, before.reason) != (after.status, after.reason)
