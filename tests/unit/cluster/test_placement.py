"""Where Kueue admitted the pods of a run."""

from __future__ import annotations

from tests.support.example_runs import GROUPS, SHAPED, work_plan
from voxk8s.api.spec import Toleration
from voxk8s.cluster.placement import Placement, placed

SPOT = Toleration(key="spot", operator="Exists")


def test_pods_get_what_their_flavor_has() -> None:
    """Selectors, tolerations and labels are added to those of the WorkPlan; a flavor's win."""
    placement = Placement({"disk": "hdd", "pool": "spot"}, (SPOT,), {"a": "1"}, {"b": "2"}, 2)
    cluster = placed(SHAPED, {"worker": placement}).spec.cluster
    assert cluster.worker is not None
    assert SHAPED.spec.cluster.worker is not None
    assert cluster.worker.node_selector == {"disk": "hdd", "pool": "spot"}
    assert cluster.worker.tolerations == (*(SHAPED.spec.cluster.worker.tolerations or ()), SPOT)
    assert (cluster.worker.labels or {})["a"] == "1"
    assert (cluster.worker.annotations or {}) == {"note": "mine", "b": "2"}
    assert (cluster.min_workers, cluster.max_workers) == (1, 2)
    assert cluster.worker.resources == SHAPED.spec.cluster.worker.resources
    assert cluster.scheduler is None


def test_nothing_is_added_twice_or_for_nothing() -> None:
    """Without an admission, or with one that says nothing, a WorkPlan stays as it is."""
    assert placed(SHAPED, {}) is SHAPED
    assert placed(work_plan(), {"worker": Placement()}).spec.cluster.worker == (
        placed(work_plan(), {"worker": Placement(count=9)}).spec.cluster.worker
    )
    twice = Placement(tolerations=(SPOT,)).with_other(Placement(tolerations=(SPOT,), count=1))
    assert twice == Placement(tolerations=(SPOT,), count=1)


def test_a_worker_group_is_placed_by_its_own_pod_set() -> None:
    """The other groups and the default one stay as they are."""
    cluster = placed(GROUPS, {"worker-gpu": Placement({"pool": "a100"}, count=1)}).spec.cluster
    gpu, large = cluster.worker_groups or ()
    assert gpu.worker is not None
    assert gpu.worker.node_selector == {"accelerator": "a100", "pool": "a100"}
    assert large.worker is None or large.worker.node_selector is None
    assert cluster.worker is None
    assert (cluster.max_workers, gpu.max_workers) == (8, 2)
