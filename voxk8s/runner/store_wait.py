"""Waits for a result store that is unreachable or denies access."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass

from voxk8s.api.status import Waiting
from voxk8s.constants import REASON_STORE_UNREACHABLE
from voxk8s.errors import StoreAccessDenied, StoreError, StoreFull, StoreUnreachable
from voxk8s.failure import Failure
from voxk8s.runner.status_reporter import StatusReporter
from voxk8s.storage import ResultStore

FIRST_PAUSE = 1.0
MAX_PAUSE = 10.0
DENIED_SECONDS = 20.0
"""Seconds of denied access after which a new pod is needed, which reads the credentials again."""
_MESSAGE_LIMIT = 4000


class CredentialsRefused(Exception):
    """The store denies access with the credentials of this pod; a new pod may get others."""


@dataclass(frozen=True, slots=True)
class StoreWait:
    """Probes a store until it is usable, and sets `reporter.waiting` meanwhile."""

    store: ResultStore
    reporter: StatusReporter
    sleep: Callable[[float], Awaitable[object]] = asyncio.sleep
    clock: Callable[[], float] = time.monotonic

    async def until_usable(self) -> None:
        """Return once the store is usable; raises CredentialsRefused."""
        try:
            await asyncio.to_thread(self.store.probe)
        except StoreError as error:
            await self.until_recovered(error, FIRST_PAUSE)

    async def outage_behind(self, failures: Sequence[Failure]) -> StoreError | None:
        """Return the store's error if an outage of the store caused the failures, else None.

        Transient failures of other kinds, such as an unreachable input, may have the same cause, as
        inputs may lie on the same server: the store is probed to find out.
        """
        for failure in failures:
            if failure.reason == REASON_STORE_UNREACHABLE:
                return StoreUnreachable(failure.message)
        if any(failure.transient for failure in failures):
            try:
                await asyncio.to_thread(self.store.probe)
            except StoreError as error:
                return error
        return None

    async def until_recovered(self, error: StoreError, wait: float) -> None:
        """Probe every `wait` seconds, after `error`, until the store is usable.

        Raises CredentialsRefused after DENIED_SECONDS of denied access.
        """
        denied_since: float | None = None
        while True:
            denied = isinstance(error, StoreAccessDenied)
            known = isinstance(error, StoreAccessDenied | StoreFull)
            reason = error.failure_reason if known else REASON_STORE_UNREACHABLE
            self.reporter.waiting = Waiting(reason=reason, message=str(error)[:_MESSAGE_LIMIT])
            now = self.clock()
            denied_since = (now if denied_since is None else denied_since) if denied else None
            if denied_since is not None and now - denied_since > DENIED_SECONDS:
                raise CredentialsRefused(str(error))
            await self.sleep(wait)
            try:
                await asyncio.to_thread(self.store.probe)
            except StoreError as latest:
                error = latest
            else:
                self.reporter.waiting = None
                return
