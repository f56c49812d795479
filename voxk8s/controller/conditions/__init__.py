"""The conditions of a WorkPlan, one a module: each a pure function to one claim."""

from voxk8s.controller.conditions.claim import Claim
from voxk8s.controller.conditions.cluster_ready import cluster_ready
from voxk8s.controller.conditions.deterministic import deterministic
from voxk8s.controller.conditions.ready import ready
from voxk8s.controller.conditions.reconciling import reconciling
from voxk8s.controller.conditions.stalled import stalled
from voxk8s.controller.conditions.store_ready import store_ready
from voxk8s.controller.conditions.succeeded import succeeded

__all__ = [
    "Claim",
    "cluster_ready",
    "deterministic",
    "ready",
    "reconciling",
    "stalled",
    "store_ready",
    "succeeded",
]
