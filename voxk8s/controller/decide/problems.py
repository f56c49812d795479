"""What keeps the children of a run from working, the worst first. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta

from voxk8s import constants
from voxk8s.controller.decide.policies import recovery
from voxk8s.controller.observe.observed import Observed, PodView, Trouble

HINT = "Is the dask-kubernetes operator installed and running?"
POD_GRACE = timedelta(seconds=10)
"""How long the runner's Job may take to make its first pod."""
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
    yield from _missing_pods(observed, now)
    for pod in observed.pods:
        yield from (trouble for trouble in pod.troubles if _matters(observed, pod, trouble))


def _missing_pods(observed: Observed, now: datetime) -> Iterator[Trouble]:
    """Give what keeps pods from being made at all."""
    if observed.scheduler is not None and not observed.scheduler.available:
        yield from observed.scheduler.troubles
    if not observed.ready_workers:
        for worker in observed.workers:
            yield from worker.troubles
    runner = observed.runner
    if runner is None or runner.attempts or runner.finished or runner.deleting:
        return
    # A Job does not say in its status what Deployments do: only its events have the reason.
    if observed.pod_refusal:
        yield Trouble(
            constants.REASON_POD_REJECTED,
            f"Job {runner.name} of the runner gets no pod: {observed.pod_refusal}",
        )
    elif now - runner.created >= POD_GRACE:
        yield Trouble(
            constants.REASON_POD_REJECTED,
            f"Job {runner.name} of the runner gets no pod: a quota or an admission policy may"
            f" refuse it. kubectl describe job/{runner.name} tells.",
        )


def _matters(observed: Observed, pod: PodView, trouble: Trouble) -> bool:
    """Say whether a pod's trouble keeps the run from its work, or foretells that it will."""
    if pod.deleting:
        return False
    if trouble.reason == constants.REASON_OUT_OF_MEMORY:
        return True
    match pod.component:
        case "worker":
            return not observed.ready_workers
        case "runner":
            return not pod.ready and not pod.finished  # a finished one is replaced by its Job
        case _:
            return not pod.ready


def _rank(reason: str) -> int:
    return ORDER.index(reason) if reason in ORDER else len(ORDER)
