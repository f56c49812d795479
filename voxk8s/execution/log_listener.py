"""Writes events to the log: DEBUG operations, INFO progress, WARNING retries, ERROR failures."""

from __future__ import annotations

import logging

from voxk8s.execution.events import (
    Event,
    NonDeterminism,
    OperationFailed,
    OperationFinished,
    OperationRetried,
    OperationWaits,
    PlanResolved,
    RunFinished,
)

logger = logging.getLogger("voxk8s.execution")


class LogListener:
    """A listener that writes events to the log; operations that succeed only at DEBUG."""

    def __call__(self, event: Event) -> None:
        """Log one event."""
        match event:
            case OperationFinished():
                logger.debug("%s (%s) %.4f s", event.kernel, event.operation[:12], event.seconds)
            case PlanResolved():
                logger.info(
                    "%d operations: %d known, %d to compute (%.2f s)",
                    event.total,
                    event.cached,
                    event.to_compute,
                    event.seconds,
                )
            case OperationRetried():
                logger.warning("%s; it is retried", event.failure)
            case OperationWaits():
                logger.info(
                    "%s (%s) waits for %s", event.kernel, event.operation[:12], event.holder
                )
            case OperationFailed():
                logger.error("%s", event.failure, extra={"place": event.failure.place})
            case NonDeterminism():
                logger.warning(
                    "%s (%s) returned a value that differs from the stored one",
                    event.kernel,
                    event.operation[:12],
                )
            case RunFinished():
                logger.info(
                    "%s in %.2f s: %d computed, %d known, %d failed",
                    "all goals reached" if event.success else "not all goals reached",
                    event.seconds,
                    event.progress.computed,
                    event.progress.cached,
                    event.progress.failed,
                )
            case _:
                pass
