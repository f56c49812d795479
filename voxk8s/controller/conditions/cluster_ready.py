"""ClusterReady: whether the run has a scheduler that is ready, and what keeps its pods from it."""

from __future__ import annotations

from datetime import datetime

from voxk8s import constants
from voxk8s.api import find_condition
from voxk8s.constants import CLUSTER_READY
from voxk8s.controller.conditions.claim import Claim
from voxk8s.controller.observed import Observed
from voxk8s.controller.policies import recovery
from voxk8s.controller.stage import Phase, Stage
from voxk8s.controller.troubles import HINT, ORDER, worst_trouble

_NOT_NEEDED = constants.REASON_CLUSTER_NOT_NEEDED


def cluster_ready(observed: Observed, stage: Stage, now: datetime) -> Claim:
    """Say how the cluster of the run is."""
    if not stage.working:
        return _idle(observed, stage, now)
    if observed.cluster is None and observed.runner is None and not observed.refusals:
        return _claim("Unknown", constants.REASON_CLUSTER_STARTING, "The cluster is on its way.")
    trouble = worst_trouble(observed, now)
    available = observed.scheduler is not None and observed.scheduler.available > 0
    if trouble is not None:
        # A pod that was killed for memory is worth knowing of, though others go on.
        survived = trouble.reason == constants.REASON_OUT_OF_MEMORY and observed.ready_workers
        return _claim(
            "True" if available and survived else "False", trouble.reason, trouble.message
        )
    if available:
        return _available(observed)
    if _was_available(observed):
        return _claim(
            "False",
            constants.REASON_SCHEDULER_LOST,
            "The scheduler is gone; a new one is on its way, and the run goes on from the store.",
        )
    return _claim("False", constants.REASON_CLUSTER_STARTING, "The scheduler is not ready yet.")


def _idle(observed: Observed, stage: Stage, now: datetime) -> Claim:
    if recovery.is_stuck(observed, now):
        return _claim(
            "False",
            constants.REASON_DASK_OPERATOR_MISSING,
            f"The DaskCluster is to be deleted, but its finalizer is not taken away. {HINT}",
        )
    old = find_condition(observed.workplan.status.conditions, CLUSTER_READY)
    match stage.phase:
        case Phase.SUSPENDED:
            return _claim("False", constants.REASON_SUSPENDED, "No cluster while suspended.")
        case Phase.SUCCEEDED if observed.cluster is None and (
            old is None or old.reason in (constants.REASON_ACCEPTED, _NOT_NEEDED)
        ):
            return _claim("False", _NOT_NEEDED, "Nothing had to be computed.")
        case Phase.FAILED if old is not None and old.reason in ORDER:
            # What made the run fail stays to be read; what was ready is not any more.
            return _claim("False", old.reason, old.message)
        case Phase.SUCCEEDED | Phase.FAILED:
            if old is None or old.reason in (constants.REASON_ACCEPTED, _NOT_NEEDED):
                return _claim("False", _NOT_NEEDED, "No cluster was started.")
            return _claim("False", constants.REASON_CLUSTER_RELEASED, "It was given back.")
        case _:
            return _claim(
                "Unknown", constants.REASON_ACCEPTED, "Whether one is needed is not known."
            )


def _available(observed: Observed) -> Claim:
    old = find_condition(observed.workplan.status.conditions, CLUSTER_READY)
    if old is not None and old.reason == constants.REASON_OUT_OF_MEMORY:
        # The killed pod may be gone by now; that it was killed is worth knowing until the end.
        return _claim("True", old.reason, old.message)
    return _claim("True", constants.REASON_CLUSTER_RUNNING, "The scheduler is ready.")


def _was_available(observed: Observed) -> bool:
    old = find_condition(observed.workplan.status.conditions, CLUSTER_READY)
    return old is not None and (
        old.status == "True" or old.reason == constants.REASON_SCHEDULER_LOST
    )


def _claim(status: str, reason: str, message: str) -> Claim:
    match status:
        case "True" | "False" | "Unknown":
            return Claim(CLUSTER_READY, status, reason, message)
        case _:
            raise AssertionError(status)
