"""What a run says of operations that other runs compute."""

from __future__ import annotations

from voxk8s.api import Waiting
from voxk8s.execution.events import (
    Event,
    OperationFailed,
    OperationFinished,
    OperationWaits,
    Progress,
    ProgressChanged,
    RunStarted,
)
from voxk8s.failure import Failure
from voxk8s.plan import OperationId, ResultKey
from voxk8s.runner.awaited import Awaited, follow, in_words
from voxk8s.runner.status_reporter import StatusReporter


def waits(key: str, holder: str = "WorkPlan a/b", kernel: str = "vox1.pdt") -> OperationWaits:
    """An operation that another run computes."""
    return OperationWaits(ResultKey(key), OperationId(f"id-{key}"), kernel, holder)


def finished(key: str) -> OperationFinished:
    """The end of an operation."""
    return OperationFinished(
        ResultKey(key), OperationId(f"id-{key}"), "vox1.pdt", 0.1, 1, 0.0, 8, True, "w", found=True
    )


def failed(key: str) -> OperationFailed:
    """The other end of an operation."""
    return OperationFailed(ResultKey(key), Failure("no", kernel="vox1.pdt"))


def after(*events: Event) -> Awaited:
    """What is waited for after events."""
    awaited: Awaited = {}
    for event in events:
        awaited = follow(awaited, event)
    return awaited


def test_nothing_is_said_where_nothing_is_waited_for() -> None:
    """A run that computes everything itself has nothing to say of others."""
    assert in_words(after(RunStarted("r", 1, 0.0), finished("k"))) == ""


def test_who_computes_what_is_said() -> None:
    """The other run is named by its label, the operation by its kernel."""
    assert in_words(after(waits("k"))) == (
        "Results that other runs compute at this moment are waited for: WorkPlan a/b computes"
        " vox1.pdt."
    )


def test_the_end_of_an_operation_ends_the_wait() -> None:
    """Found, computed after all, or failed: it is waited for no more."""
    assert after(waits("k"), waits("l"), finished("k")).keys() == {"l"}
    assert after(waits("k"), failed("k")) == {}


def test_a_new_attempt_waits_for_nothing_yet() -> None:
    """What an attempt waited for that lost its scheduler is forgotten with it."""
    assert after(waits("k"), RunStarted("again", 1, 0.0)) == {}


def test_many_are_counted() -> None:
    """Of a thousand operations the message names a few, and it does not grow."""
    text = in_words(after(*(waits(f"k{n}", kernel=f"ns.k{n % 5}") for n in range(1000))))
    assert text.endswith("WorkPlan a/b computes ns.k2 (200 times), 2 more.")


def test_a_narrator_tells_of_it_beside_the_counts() -> None:
    """The status says what is waited for, with the reason of a run that goes on."""
    narrator = StatusReporter()
    narrator(ProgressChanged(Progress(total=3, running=1, pending=2)))
    narrator(waits("k"))
    part = narrator.news()
    assert part["waiting"]["reason"] == "Progressing"
    assert "vox1.pdt" in part["waiting"]["message"]
    assert part["operations"]["running"] == 1
    narrator(finished("k"))
    assert "waiting" not in narrator.news()


def test_what_keeps_a_run_from_its_work_is_told_first() -> None:
    """A store that is away matters more than a result that is awaited."""
    narrator = StatusReporter()
    narrator(waits("k"))
    narrator.waiting = Waiting(reason="StoreUnreachable", message="away")
    assert narrator.part()["waiting"]["reason"] == "StoreUnreachable"
