"""Collects the runner's fields of the status from the engine's events, while the run lasts."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from voxk8s.api.runner_status import encode_runner_status, progress_text
from voxk8s.api.status import OperationCounts, Waiting
from voxk8s.api.status_limits import seconds_between_writes
from voxk8s.execution.events import Event, Progress, ProgressChanged
from voxk8s.runner.blocked_operations import BlockedOperations
from voxk8s.runner.status_fields import operation_counts

_SHORT_RUN_SECONDS = 60.0


@dataclass(slots=True)
class StatusReporter:
    """Listens to the engine and returns the fields to publish.

    `published_progress` and `published_counts` are what the operator or an earlier attempt wrote:
    users should not see finished operations become unfinished. `expected_end` changes with the
    counts only, so that it causes no writes of its own. `waiting` is what the run waits for before
    it can compute; `blocked` are the operations that wait during the computation. The engine calls
    from its own thread, so values are replaced, never changed.
    """

    published_progress: str | None = None
    published_counts: OperationCounts | None = None
    now: Callable[[], datetime] = lambda: datetime.now(UTC)
    progress: Progress | None = None
    expected_end: datetime | None = None
    waiting: Waiting | None = None
    blocked: BlockedOperations = field(default_factory=BlockedOperations)

    def __call__(self, event: Event) -> None:
        """Update the fields by an event."""
        if isinstance(event, ProgressChanged) and not self._is_outdated(event.progress):
            self._update(event.progress)
        self.blocked = self.blocked.after(event)

    def progress_text(self) -> str:
        """Return finished and total operations as `12/40`; the former never decrease."""
        if self.progress is not None:
            self.published_progress = progress_text(
                self.published_progress, self.progress.done, self.progress.total
            )
        return self.published_progress or "0/0"

    def fields_to_publish(self) -> dict[str, Any]:
        """Return the runner's fields, or nothing if there is no more to report than published."""
        has_news = self.progress is not None or self._current_wait() is not None
        return self.fields() if has_news else {}

    def fields(self, *, ended: bool = False, report_url: str = "") -> dict[str, Any]:
        """Return the runner's fields of the status; applying them removes those that are absent.

        When the run has `ended`, or waits, no end is to be expected. `report_url` is that of a
        partial report.
        """
        waiting = self._current_wait()
        has_progress = self.progress is not None or self.published_progress is not None
        return encode_runner_status(
            operations=(
                self.published_counts if self.progress is None else operation_counts(self.progress)
            ),
            progress=self.progress_text() if has_progress else None,
            estimated_completion_time=None if ended or waiting else self.expected_end,
            waiting=waiting,
            report_url=report_url,
        )

    def _update(self, progress: Progress) -> None:
        before = self.progress
        if before is None or operation_counts(before) != operation_counts(progress):
            left = progress.seconds_left
            end = None if not left else self.now() + timedelta(seconds=left)
            self.expected_end = None if end is None else end.replace(microsecond=0)
        self.progress = progress

    def _current_wait(self) -> Waiting | None:
        return self.waiting or self.blocked.waiting()

    def _is_outdated(self, progress: Progress) -> bool:
        """Whether the engine has not found yet all results that are published as cached."""
        published = self.published_counts
        if self.progress is not None or published is None or progress.computed or progress.failed:
            return False
        return progress.cached < published.cached


def write_interval(elapsed: float, size: int = 0) -> float:
    """Return the minimum seconds between two writes: one at first, two on long runs.

    They are more for a large object of `size` bytes, which each write stores as a whole.
    """
    return max(1.0 if elapsed < _SHORT_RUN_SECONDS else 2.0, seconds_between_writes(size))


@dataclass(slots=True)
class RateLimit:
    """Limits the rate of writes to the status; `clock` returns seconds.

    The start counts as a write: what takes less than the interval is only written when it ends.
    `size` is that of the WorkPlan in bytes.
    """

    clock: Callable[[], float]
    started: float = 0.0
    last: float = 0.0
    size: int = 0

    def __post_init__(self) -> None:
        """Begin now."""
        self.started = self.last = self.clock()

    def delay(self) -> float:
        """Return the seconds until the next write is allowed."""
        now = self.clock()
        return max(0.0, self.last + write_interval(now - self.started, self.size) - now)

    def record_write(self) -> None:
        """Record that the status was written now."""
        self.last = self.clock()
