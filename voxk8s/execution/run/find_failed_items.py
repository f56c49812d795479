"""Finds the items of loops that have failed in a run and may be skipped in the next one."""

from __future__ import annotations

from collections.abc import Mapping, Set

from voxk8s.execution.result import SkippedItem
from voxk8s.execution.run.run_state import RunState
from voxk8s.execution.run.run_tracker import RunTracker
from voxk8s.failure import Failure
from voxk8s.plan import OperationId, ResultKey
from voxk8s.plan.keys.failed_items import FailedItem, failed_items


def find_failed_items(
    state: RunState, tracker: RunTracker, skipped: Set[OperationId]
) -> Mapping[OperationId, SkippedItem]:
    """Return the items that failed for good, beside `skipped`, by the ids of their results.

    What may succeed at another time, such as an input whose server does not answer, is no reason to
    leave an item out.
    """
    failures: dict[str, Failure] = {}
    failed: set[ResultKey] = set()
    for key, report in tracker.failed.items():
        if report.failure is not None and _is_final(report.failure):
            failed.add(key)
            failures[key] = tracker.failure(report)
    blocked = {
        name: tracker.locate(each) for name, each in state.blocked().items() if _is_final(each)
    }
    if not failed and not blocked:
        return {}
    found = failed_items(state.graph, failed, blocked.keys(), skipped)
    causes = failures | blocked
    return {each.result: SkippedItem(_name(each), causes[each.cause]) for each in found}


def _is_final(failure: Failure) -> bool:
    return not failure.transient and not failure.is_recomputable


def _name(item: FailedItem) -> str:
    """Return the name of an item for people: positions count from 0, as in programs."""
    return f"item {item.position}" + (f" ({item.text})" if item.text else "")
