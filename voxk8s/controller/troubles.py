"""What keeps the children of a run from working, the worst first. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from voxk8s import constants
from voxk8s.controller.observed import Observed, Trouble
from voxk8s.controller.policies import recovery

HINT = "Is the dask-kubernetes operator installed and running?"
ORDER = (
    constants.REASON_DASK_OPERATOR_MISSING,
    constants.REASON_POD_REJECTED,
    constants.REASON_IMAGE_PULL_FAILED,
    constants.REASON_OUT_OF_MEMORY,
    constants.REASON_UNSCHEDULABLE,
    constants.REASON_WORKER_LOST,
)
"""Reasons from the one that explains most to the one that explains least."""


def worst_trouble(observed: Observed, now: datetime) -> Trouble | None:
    """Give the trouble of the children that a person should hear of first."""
    found = sorted(_troubles(observed, now), key=lambda trouble: _rank(trouble.reason))
    return found[0] if found else None


def _troubles(observed: Observed, now: datetime) -> Iterator[Trouble]:
    yield from observed.refusals
    if recovery.is_ignored(observed, now):
        yield Trouble(
            constants.REASON_DASK_OPERATOR_MISSING,
            f"Nothing has reacted to DaskCluster {observed.cluster and observed.cluster.name}."
            f" {HINT}",
        )
    if observed.scheduler is not None:
        yield from observed.scheduler.troubles
    for worker in observed.workers:
        yield from worker.troubles
    if observed.runner is not None:
        yield from observed.runner.troubles
    for pod in observed.pods:
        if not pod.deleting:
            yield from pod.troubles


def _rank(reason: str) -> int:
    return ORDER.index(reason) if reason in ORDER else len(ORDER)
