"""What keeps the children of a run from working, the worst first. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta

from voxk8s import constants
from voxk8s.controller.decide.policies import recovery
from voxk8s.controller.observe.observed import Observed, PodView, Problem

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


def worst_problem(observed: Observed, now: datetime) -> Problem | None:
    """Give the problem of the children that a person should hear of first."""
    found = sorted(_problems(observed, now), key=lambda problem: _rank(problem.reason))
    return found[0] if found else None


def _problems(observed: Observed, now: datetime) -> Iterator[Problem]:
    yield from observed.create_errors
    if recovery.is_unhandled(observed, now):
        yield Problem(
            constants.REASON_DASK_OPERATOR_MISSING,
            f"Nothing has reacted to DaskCluster {observed.cluster and observed.cluster.name}."
            f" {HINT}",
        )
    yield from _missing_pods(observed, now)
    for pod in observed.pods:
        yield from (problem for problem in pod.problems if _matters(observed, pod, problem))


def _missing_pods(observed: Observed, now: datetime) -> Iterator[Problem]:
    """Give what keeps pods from being made at all."""
    if observed.scheduler is not None and not observed.scheduler.available:
        yield from observed.scheduler.problems
    if not observed.ready_workers:
        for worker in observed.workers:
            yield from worker.problems
    runner = observed.runner
    if runner is None or runner.attempts or runner.finished or runner.deleting:
        return
    # A Job does not say in its status what Deployments do: only its events have the reason.
    if observed.runner_pod_error:
        yield Problem(
            constants.REASON_POD_REJECTED,
            f"Job {runner.name} of the runner gets no pod: {observed.runner_pod_error}",
        )
    elif now - runner.created >= POD_GRACE:
        yield Problem(
            constants.REASON_POD_REJECTED,
            f"Job {runner.name} of the runner gets no pod: a quota or an admission policy may"
            f" refuse it. kubectl describe job/{runner.name} tells.",
        )


def _matters(observed: Observed, pod: PodView, problem: Problem) -> bool:
    """Say whether a pod's problem keeps the run from its work, or foretells that it will."""
    if pod.deleting:
        return False
    if problem.reason == constants.REASON_OUT_OF_MEMORY:
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
