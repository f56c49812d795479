"""Operations that wait for other runs or for the store."""

from __future__ import annotations

from voxk8s.api.status import Waiting
from voxk8s.errors import StoreUnreachable
from voxk8s.execution.events import (
    Event,
    OperationFailed,
    OperationFinished,
    OperationRetried,
    OperationWaits,
    RunStarted,
)
from voxk8s.failure import Failure, failure_of
from voxk8s.plan import OperationId, ResultKey
from voxk8s.runner.blocked_operations import BlockedOperations


def waits(key: str, holder: str = "WorkPlan a/b", kernel: str = "vox1.pdt") -> OperationWaits:
    """An operation that another run computes."""
    return OperationWaits(ResultKey(key), OperationId(f"id-{key}"), kernel, holder)


def retried(key: str, attempts: int, error: type[Exception] = StoreUnreachable) -> OperationRetried:
    """A failed attempt that is followed by another one."""
    failure = failure_of(error(f"{key}: no"), kernel="vox1.dt", attempts=attempts)
    return OperationRetried(ResultKey(key), failure)


def failed(key: str) -> OperationFailed:
    """An operation that failed."""
    return OperationFailed(ResultKey(key), Failure("no", kernel="vox1.pdt"))


def finished(key: str) -> OperationFinished:
    """An operation that was computed or found."""
    return OperationFinished(
        ResultKey(key), OperationId(f"id-{key}"), "vox1.pdt", 0.1, 1, 0.0, 8, True, "w", found=True
    )


def after(*events: Event) -> BlockedOperations:
    """The blocked operations after events."""
    blocked = BlockedOperations()
    for event in events:
        blocked = blocked.after(event)
    return blocked


def test_a_run_that_computes_everything_waits_for_nothing() -> None:
    """Operations that start and finish are not reported."""
    assert after(RunStarted("r", 1, 0.0), finished("k")).waiting() is None


def test_the_other_run_is_named() -> None:
    """The message has the label of the other run and the kernel of the operation."""
    waiting = after(waits("k")).waiting()
    assert waiting == Waiting(
        "Progressing", "Waiting for results of other runs: WorkPlan a/b computes vox1.pdt."
    )


def test_the_end_of_an_operation_ends_the_wait() -> None:
    """An operation that is found, computed or failed is not waited for."""
    assert after(waits("k"), waits("l"), finished("k")).by_run.keys() == {"l"}
    assert after(waits("k"), failed("k")).waiting() is None


def test_a_new_attempt_starts_without_blocked_operations() -> None:
    """After the loss of the scheduler the operations of the lost attempt do not count."""
    started = RunStarted("again", 1, 0.0)
    assert after(waits("k"), retried("a", 3), started).waiting() is None


def test_many_operations_are_counted() -> None:
    """The message names three kernels and the number of the others, so its length is bounded."""
    waiting = after(*(waits(f"k{n}", kernel=f"ns.k{n % 5}") for n in range(1000))).waiting()
    assert waiting is not None
    assert waiting.message.endswith("WorkPlan a/b computes ns.k2 (200 times), 2 more.")


def test_a_store_outage_is_reported() -> None:
    """From the third failed attempt of an operation on, with the message of the last one."""
    waiting = after(retried("a", 3), retried("b", 4)).waiting()
    assert waiting == Waiting("StoreUnreachable", "b: no")


def test_a_short_outage_is_not_reported() -> None:
    """One or two failed attempts are not reported, nor are other errors."""
    other = retried("b", 5, MemoryError)
    assert after(retried("a", 1), retried("a", 2), other).waiting() is None


def test_the_outage_ends_with_the_last_operation() -> None:
    """The store counts as unreachable as long as one operation cannot reach it."""
    events: list[Event] = [retried("a", 3), retried("b", 3), finished("a")]
    assert after(*events).waiting() is not None
    assert after(*events, finished("b")).waiting() is None
    assert after(*events, retried("b", 4, MemoryError)).waiting() is None


def test_a_store_outage_takes_precedence_over_other_runs() -> None:
    """What hinders the run is reported rather than what goes on by itself."""
    waiting = after(retried("a", 3), waits("k")).waiting()
    assert waiting is not None
    assert waiting.reason == "StoreUnreachable"


def test_events_that_change_nothing_return_the_same_object() -> None:
    """Most events do not concern blocked operations and cost nothing."""
    blocked = after(waits("k"))
    assert blocked.after(finished("other")) is blocked
