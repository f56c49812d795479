"""What the run says of itself while it lasts: counts, told no more often than is useful."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from voxk8s.api import OperationCounts, Waiting, encode_runner_status, progress_text
from voxk8s.constants import REASON_PROGRESSING
from voxk8s.execution.events import Event, Progress, ProgressChanged
from voxk8s.runner import awaited, silence
from voxk8s.runner.awaited import Awaited
from voxk8s.runner.silence import Unanswered
from voxk8s.runner.status_fields import operation_counts

_FIRST_SECONDS = 60.0


@dataclass(slots=True)
class StatusReporter:
    """Listens to the engine and gives the status part to write.

    `before` and `told` are what the status says already, by the operator or an earlier attempt:
    what was done is never undone in the eyes of a user. `waiting` is what keeps the run from its
    work, `unanswered` who asks the store in vain, `awaited` what other runs compute for it. The
    engine calls from its own thread; values are replaced whole.
    """

    before: str | None = None
    told: OperationCounts | None = None
    progress: Progress | None = None
    waiting: Waiting | None = None
    unanswered: Unanswered = field(default_factory=dict)
    awaited: Awaited = field(default_factory=dict)

    def __call__(self, event: Event) -> None:
        """Take note of an event."""
        if isinstance(event, ProgressChanged) and not self._knows_less(event.progress):
            self.progress = event.progress
        self.unanswered = silence.follow(self.unanswered, event)
        self.awaited = awaited.follow(self.awaited, event)

    def text(self) -> str:
        """Give the progress text; it never goes down."""
        if self.progress is not None:
            self.before = progress_text(self.before, self.progress.done, self.progress.total)
        return self.before or "0/0"

    def news(self) -> dict[str, Any]:
        """Give the runner's part of the status if there is more to say than it says already."""
        return self.part() if self.progress is not None or self._waits() is not None else {}

    def part(self) -> dict[str, Any]:
        """Give the runner's part of the status as it is now; what is left out goes from there."""
        return encode_runner_status(
            operations=operation_counts(self.progress) if self.progress is not None else self.told,
            progress=(
                self.text() if self.progress is not None or self.before is not None else None
            ),
            waiting=self._waits(),
        )

    def _waits(self) -> Waiting | None:
        troubled = self.waiting or silence.in_words(self.unanswered)
        if troubled is not None or not self.awaited:
            return troubled
        return Waiting(REASON_PROGRESSING, awaited.in_words(self.awaited))

    def _knows_less(self, new: Progress) -> bool:
        """Say whether the engine has not found yet what the status says is known already."""
        if self.progress is not None or self.told is None or new.computed or new.failed:
            return False
        return new.cached < self.told.cached


def pause(elapsed: float) -> float:
    """Give the seconds between two writes: one at first, two on long runs."""
    return 1.0 if elapsed < _FIRST_SECONDS else 2.0


@dataclass(slots=True)
class RateLimit:
    """Says when to write: at once when there is news, but never too often."""

    clock: Callable[[], float]
    started: float = 0.0
    last: float = float("-inf")

    def wait(self) -> float:
        """Give the seconds until the next write is welcome."""
        now = self.clock()
        return max(0.0, self.last + pause(now - self.started) - now)

    def wrote(self) -> None:
        """Take note of a write."""
        self.last = self.clock()
