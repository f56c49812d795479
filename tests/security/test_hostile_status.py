"""A runner may write any status into its own WorkPlan: that harms no other one."""

from __future__ import annotations

from datetime import UTC, datetime

import msgspec
import pytest

from tests.unit.controller import observed_builders as build
from tests.unit.controller.observed_builders import WORK_LEFT, later
from voxk8s.api.status import KernelWork, Outcome, StoreCounts
from voxk8s.controller.limits import Limits
from voxk8s.controller.metrics import Metrics
from voxk8s.controller.observe.observed import Observed
from voxk8s.controller.start_queue import StartQueue
from voxk8s.controller.work_queue import ObjectKey

FIRST = datetime.min.replace(tzinfo=UTC)
LAST = datetime.max.replace(tzinfo=UTC)


def _waiting(name: str, created: int, start: datetime, priority: int = 0) -> Observed:
    """Make a WorkPlan in the namespace of its first letter that waits for a cluster."""
    plan = build.workplan({"priority": priority}, start_time=start)
    metadata = msgspec.structs.replace(
        plan.metadata, name=name, namespace=name[0], uid=name, creation_timestamp=later(created)
    )
    plan = msgspec.structs.replace(plan, metadata=metadata)
    return build.replace(build.applied(workplan=plan), resolution=WORK_LEFT)


@pytest.mark.parametrize(("start", "priority"), [(FIRST, 1000), (LAST, -1000)])
def test_a_time_that_cannot_be_counted_from_stops_nobody(start: datetime, priority: int) -> None:
    """The next WorkPlan to start is found all the same."""
    called: list[ObjectKey] = []
    queue = StartQueue(Limits(clusters=1), called.append)
    for name in ("evil", "eager"):
        queue.note(_waiting(name, 1, start, priority), later(0))
    queue.note(_waiting("good", 0, later(0)), later(0))
    queue.open()
    assert [key.name for key in called] == ["good"]


def test_an_early_time_is_no_better_place() -> None:
    """Nobody has waited since before the WorkPlan was created."""
    called: list[ObjectKey] = []
    queue = StartQueue(Limits(clusters=1), called.append)
    queue.note(_waiting("evil", 60, FIRST), later(0))
    queue.note(_waiting("good", 0, later(0)), later(0))
    queue.open()
    assert [key.name for key in called] == ["good"]


def test_metrics_have_a_bound_for_names_and_numbers() -> None:
    """Names of kernels that do not exist take no memory without end, and no sum is infinite."""
    metrics = Metrics(lambda: ["vox1.near"])
    for run in range(40):
        kernels = tuple(
            KernelWork(kernel=f"evil{run}.{number}", computed=10**40, seconds=1e308)
            for number in range(50)
        )
        outcome = Outcome(
            state="Succeeded", reason="r", kernels=kernels, store=StoreCounts(bytes_read=10**400)
        )
        metrics.count_run(outcome)
    near = KernelWork(kernel="vox1.near", computed=3)
    metrics.count_run(Outcome(state="Succeeded", reason="r", kernels=(near,)))
    text = metrics.text().decode()
    assert text.count("\n") < 2500
    assert 'voxk8s_kernel_operations_total{kernel="vox1.near",result="computed"} 3.0' in text
    assert 'kernel="other"' in text
    assert "Inf" not in text.replace('le="+Inf"', "")
