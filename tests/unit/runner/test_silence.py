"""What a run says of a store that stopped answering while operations are computed."""

from __future__ import annotations

from voxk8s.api import Waiting
from voxk8s.errors import StoreUnreachable
from voxk8s.execution.events import OperationFinished, OperationRetried, RunStarted
from voxk8s.failure import failure_of
from voxk8s.plan import OperationId, ResultKey
from voxk8s.runner.status_reporter import StatusReporter


def retried(key: str, attempts: int, error: type[Exception] = StoreUnreachable) -> OperationRetried:
    """A try that failed."""
    failure = failure_of(error(f"{key}: no"), kernel="vox1.dt", attempts=attempts)
    return OperationRetried(ResultKey(key), failure)


def finished(key: str) -> OperationFinished:
    """The end of an operation."""
    return OperationFinished(
        ResultKey(key), OperationId(f"id-{key}"), "vox1.dt", 0.1, 9, 0.0, 8, True, "w"
    )


def told(*events: object) -> Waiting | None:
    """What the run says that it waits for after events."""
    narrator = StatusReporter()
    for event in events:
        narrator(event)  # type: ignore[arg-type]  # events of any kind
    return narrator._waits()


def test_a_store_that_stays_silent_is_told() -> None:
    """From the third try on, in the words of the last one."""
    assert told(retried("a", 3), retried("b", 4)) == Waiting("StoreUnreachable", "b: no")


def test_a_moment_of_silence_is_not_told() -> None:
    """One or two tries that fail are no news, nor are other errors."""
    assert told(retried("a", 1), retried("a", 2), retried("b", 5, MemoryError)) is None


def test_the_store_is_back_when_all_are_served() -> None:
    """It is waited for as long as anybody asks it in vain."""
    events = [retried("a", 3), retried("b", 3), finished("a")]
    assert told(*events) is not None
    assert told(*events, finished("b")) is None
    assert told(*events, retried("b", 4, MemoryError)) is None


def test_a_new_attempt_forgets() -> None:
    """What an attempt that was lost has waited for is nobody's any more."""
    assert told(retried("a", 3), RunStarted("r", 1, 0.0)) is None
