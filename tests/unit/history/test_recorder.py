"""What is kept of a run while it lasts."""

from __future__ import annotations

from typing import Any

import pytest
from msgspec.structs import replace

from voxk8s.execution.events import (
    KernelChanged,
    NonDeterminism,
    OperationFailed,
    OperationFinished,
    OperationRetried,
    OperationWaits,
    RunStarted,
    WorkerRecovered,
)
from voxk8s.failure import failure_of
from voxk8s.history import Recorder
from voxk8s.plan import OperationId, ResultKey
from voxk8s.report import Incident, KernelTotal, Operation


def finished(number: int, **parts: Any) -> OperationFinished:
    """Make the end of an operation that took `number` seconds."""
    whole: dict[str, Any] = {
        "key": ResultKey(f"k{number}"),
        "operation": OperationId(f"o{number}"),
        "kernel": "vox1.near",
        "seconds": float(number),
        "attempts": 1,
        "started": 100.0 + number,
        "bytes": 10 * number,
        "stored": True,
        "worker": "w",
        **parts,
    }
    return OperationFinished(**whole)


def heard(*events: Any, most: int = 100) -> Recorder:
    """Return a recorder that has received events."""
    recorder = Recorder(most)
    for event in events:
        recorder(event)
    return recorder


def test_operations_are_kept() -> None:
    """With all that is known of them."""
    recorder = heard(finished(3, attempts=2, found=True))
    operation = OperationId("o3")
    assert recorder.operations() == (
        Operation(operation, "vox1.near", 103.0, 3.0, 30, "w", 2, stored=True, found=True),
    )
    assert recorder.folded == ()


def test_failed_operations_are_kept() -> None:
    """Those that a worker began, and that did not succeed in a later attempt of the run."""
    failure = failure_of(ValueError("no"), kernel="vox1.near", operation=OperationId("bad"))
    failed = OperationFailed(ResultKey("k"), failure, 2.0, 50.0, "w")
    mended = replace(failure, operation=OperationId("o3"))
    later = OperationFailed(ResultKey("k3"), mended, 2.0, 50.0)
    unread = OperationFailed(ResultKey(""), failure_of(OSError()))
    recorder = heard(failed, later, unread, finished(3))
    assert recorder.operations()[1:] == (
        Operation(OperationId("bad"), "vox1.near", 50.0, 2.0, worker="w", failed=True),
    )


def test_memory_is_bounded() -> None:
    """Of many operations the longest are kept, and the others summed; none is lost."""
    recorder = heard(*(finished(n, kernel=f"k{n % 2}") for n in range(1000)), most=10)
    kept = [each.seconds for each in recorder.operations()]
    assert len(kept) <= 10
    assert {995.0, 996.0, 997.0, 998.0, 999.0} <= set(kept)
    assert sum(total.count for total in recorder.folded) + len(kept) == 1000
    assert sum(total.seconds for total in recorder.folded) + sum(kept) == sum(range(1000))
    assert all(isinstance(total, KernelTotal) for total in recorder.folded)


def test_what_went_wrong_is_counted() -> None:
    """The same thing twice is one line."""
    retried = OperationRetried(ResultKey("k"), failure_of(OSError("away"), kernel="vox1.near"))
    waits = OperationWaits(ResultKey("k"), OperationId("o"), "vox1.pdt", "WorkPlan a/b")
    lost = WorkerRecovered("worker w is gone")
    changed = KernelChanged("lab.f", 3)
    assert heard(retried, waits, lost, retried, changed).incidents() == (
        Incident("vox1.near failed and was tried again", "OSError: away", 2),
        Incident("vox1.pdt was waited for", "WorkPlan a/b computed it", 1),
        Incident("a worker was lost", "worker w is gone", 1),
        Incident("lab.f changed under version 3", str(changed), 1),
    )


def test_incidents_are_bounded() -> None:
    """Thousands of different ones share a line at the end."""
    lost = [WorkerRecovered(f"worker {n} is gone") for n in range(5000)]
    incidents = heard(*lost).incidents()
    assert len(incidents) <= 1001
    assert sum(each.count for each in incidents) == 5000


def test_attempts_are_one_run() -> None:
    """It began with the first one, and what the earlier ones did is kept."""
    recorder = heard(RunStarted("a", 1, 50.0), finished(1), RunStarted("b", 1, 62.5), finished(2))
    assert (recorder.started, recorder.continued) == (50.0, 12.5)
    assert len(recorder.operations()) == 2
    (incident,) = recorder.incidents()
    assert "restarted" in incident.what


@pytest.mark.parametrize(
    "event", [NonDeterminism(ResultKey("k"), OperationId("o"), "vox1.near"), RunStarted("a", 1, 0)]
)
def test_other_events_are_passed_over(event: Any) -> None:
    """What the result of the run tells is not kept twice."""
    recorder = heard(event)
    assert (recorder.operations(), recorder.incidents()) == ((), ())
