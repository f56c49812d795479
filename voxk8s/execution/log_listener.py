"""Writes events to the log: DEBUG operations, INFO progress, WARNING retries, ERROR failures."""

from __future__ import annotations

import logging

from voxk8s.execution import events

logger = logging.getLogger("voxk8s.execution")


class LogListener:
    """A listener that writes events to the log; operations that succeed only at DEBUG."""

    def __call__(self, event: events.Event) -> None:
        """Log one event."""
        match event:
            case events.OperationFinished():
                if logger.isEnabledFor(logging.DEBUG):
                    text = "%s (%s) %.4f s"
                    logger.debug(text, event.kernel, event.operation[:12], event.seconds)
            case events.PlanResolved():
                logger.info(
                    "%d operations: %d known, %d to compute (%.2f s)",
                    event.total,
                    event.cached,
                    event.to_compute,
                    event.seconds,
                )
            case events.OperationRetried():
                logger.warning("%s; it is retried", event.failure)
            case events.OperationWaits():
                logger.info(
                    "%s (%s) waits for %s", event.kernel, event.operation[:12], event.holder
                )
            case events.OperationFailed():
                logger.error("%s", event.failure, extra={"place": event.failure.place})
            case events.NonDeterminism():
                found = (
                    "cannot be computed any more, and the store has a value"
                    if event.failed
                    else "returned a value that differs from the stored one"
                )
                logger.warning("%s (%s) %s", event.kernel, event.operation[:12], found)
            case events.KernelChanged():
                logger.warning("%s", event)
            case events.RunFinished():
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
