"""Pods that should have ended and have not, since their node is lost: who waits for them, how long.

Kubernetes keeps such a pod until its node comes back or is deleted, and its Job starts no other one
before. It is safe to go on without it some time after its deletion timestamp: from a minute on the
API server refuses its token, and what it still writes into the store has the name of its content.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta

from voxk8s import constants
from voxk8s.controller.observe.observed import Observed, PodView, Problem

REPORT_AFTER = timedelta(seconds=30)
"""Time after its deletion timestamp at which a pod that has not ended is reported."""
ABANDON_AFTER = timedelta(minutes=2)
"""Time after it at which it is not waited for any more."""


def awaited_pods(observed: Observed, now: datetime) -> tuple[PodView, ...]:
    """Return the pods that the next step of a run has to wait for."""
    return tuple(pod for pod in observed.live_pods if not _is_late(pod, now, ABANDON_AFTER))


def lost_runner(observed: Observed, now: datetime) -> bool:
    """Whether the runner's Job waits for nothing but pods that are not waited for any more."""
    pods = _late_runners(observed, now)
    return bool(pods) and all(_is_late(pod, now, ABANDON_AFTER) for pod in pods)


def problems(observed: Observed, now: datetime) -> Iterator[Problem]:
    """Yield what is to be said of a runner whose node is probably lost."""
    for pod in _late_runners(observed, now):
        message = f"P{describe([pod], now)[1:]}. Another runner replaces it then."
        yield Problem(constants.REASON_WORKER_LOST, message)


def describe(pods: Iterable[PodView], now: datetime) -> str:
    """Return which pods are late, and when the wait for them ends; empty if none is."""
    late = [pod for pod in pods if _is_late(pod, now, REPORT_AFTER)]
    return "; ".join(_description(pod) for pod in late)


def _description(pod: PodView) -> str:
    deleting = pod.deleting
    assert deleting is not None  # noqa: S101 -- it is late
    place = f" on node {pod.node}" if pod.node else ""
    return (
        f"pod {pod.name}{place} should have ended at {_text(deleting)}: its node may be lost. It is"
        f" waited for until {_text(deleting + ABANDON_AFTER)}"
    )


def _late_runners(observed: Observed, now: datetime) -> list[PodView]:
    """Return the pods of the runner's Job if it has no other: those of an earlier Job are not."""
    runner = observed.runner
    if runner is None or runner.finished or runner.deleting:
        return []
    pods = [
        pod
        for pod in observed.pods
        if pod.component == "runner"
        and pod.owner == runner.name
        and not pod.finished
        and (pod.deleting is None or pod.deleting >= runner.created)
    ]
    return pods if all(_is_late(pod, now, REPORT_AFTER) for pod in pods) else []


def _is_late(pod: PodView, now: datetime, after: timedelta) -> bool:
    return pod.deleting is not None and now - pod.deleting >= after


def _text(time: datetime) -> str:
    return time.isoformat(timespec="seconds").replace("+00:00", "Z")
