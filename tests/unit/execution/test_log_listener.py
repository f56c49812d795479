"""Events in the log: the level and the text of each."""

from __future__ import annotations

import logging

import pytest

from voxk8s.execution.events import (
    Event,
    KernelChanged,
    NonDeterminism,
    OperationFailed,
    OperationFinished,
    OperationRetried,
    OperationWaits,
    PlanResolved,
    Progress,
    ProgressChanged,
    RunFinished,
    RunStarted,
)
from voxk8s.execution.log_listener import LogListener
from voxk8s.failure import Failure
from voxk8s.plan import OperationId, ResultKey

KEY, OPERATION = ResultKey("a" * 64), OperationId("0123456789abcdef" * 4)
FAILURE = Failure("the mask is empty", error="ValueError", kernel="vox1.near")
COUNTS = Progress(total=9, cached=3, computed=2, failed=1)
FINISHED = OperationFinished(KEY, OPERATION, "vox1.near", 0.5, 1, 0.0, 8, True, "worker")


@pytest.mark.parametrize(
    ("event", "level", "text"),
    [
        (FINISHED, logging.DEBUG, "vox1.near (0123456789ab) 0.5000 s"),
        (
            PlanResolved(9, 3, 6, 2, 0.25),
            logging.INFO,
            "9 operations: 3 known, 6 to compute (0.25 s)",
        ),
        (
            OperationRetried(KEY, FAILURE),
            logging.WARNING,
            "vox1.near failed: ValueError: the mask is empty; it is retried",
        ),
        (
            OperationWaits(KEY, OPERATION, "vox1.near", "WorkPlan a/b"),
            logging.INFO,
            "vox1.near (0123456789ab) waits for WorkPlan a/b",
        ),
        (
            OperationFailed(KEY, FAILURE),
            logging.ERROR,
            "vox1.near failed: ValueError: the mask is empty",
        ),
        (
            NonDeterminism(KEY, OPERATION, "vox1.near"),
            logging.WARNING,
            "vox1.near (0123456789ab) returned a value that differs from the stored one",
        ),
        (
            NonDeterminism(KEY, OPERATION, "vox1.near", failed=True),
            logging.WARNING,
            "vox1.near (0123456789ab) cannot be computed any more, and the store has a value",
        ),
        (
            KernelChanged("lab.f", 3),
            logging.WARNING,
            str(KernelChanged("lab.f", 3)),
        ),
        (
            RunFinished("run", True, 1.5, COUNTS),
            logging.INFO,
            "all goals reached in 1.50 s: 2 computed, 3 known, 1 failed",
        ),
        (
            RunFinished("run", False, 1.5, COUNTS),
            logging.INFO,
            "not all goals reached in 1.50 s: 2 computed, 3 known, 1 failed",
        ),
    ],
    ids=lambda value: type(value).__name__ if not isinstance(value, int | str) else None,
)
def test_an_event_is_one_record(
    caplog: pytest.LogCaptureFixture, event: Event, level: int, text: str
) -> None:
    """Successes are for debugging, progress is information, failures are errors."""
    with caplog.at_level(logging.DEBUG, "voxk8s.execution"):
        LogListener()(event)
    assert caplog.record_tuples == [("voxk8s.execution", level, text)]


def test_other_events_are_not_logged(caplog: pytest.LogCaptureFixture) -> None:
    """Counts change many times a second."""
    with caplog.at_level(logging.DEBUG, "voxk8s.execution"):
        LogListener()(RunStarted("run", 1, 0.0))
        LogListener()(ProgressChanged(COUNTS))
    assert not caplog.records


def test_the_record_of_a_failure_has_its_place(caplog: pytest.LogCaptureFixture) -> None:
    """The command line shows the line of the program there."""
    placed = Failure("no", place="a.imgql:2:5", kernel="vox1.near")
    LogListener()(OperationFailed(KEY, placed))
    [record] = caplog.records
    assert vars(record)["place"] == "a.imgql:2:5"
