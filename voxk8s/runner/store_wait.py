"""Waiting for a result store that is away, or that refuses the credentials of this pod."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Sequence

from voxk8s.api import Waiting
from voxk8s.constants import REASON_STORE_ACCESS_DENIED, REASON_STORE_UNREACHABLE
from voxk8s.errors import StoreAccessDenied, StoreError, StoreUnreachable
from voxk8s.failure import Failure
from voxk8s.runner.status_reporter import StatusReporter
from voxk8s.storage import ResultStore

FIRST_PAUSE = 1.0
LONGEST_PAUSE = 10.0
DENIED_SECONDS = 20.0
"""Seconds after which refused credentials are read anew, by a new pod."""
_MESSAGE_LIMIT = 4000


class CredentialsRefused(Exception):
    """The store refuses the credentials in this pod's environment: a new pod may have others."""


class StoreWait:
    """Asks a store until it can be used, and says meanwhile what is waited for."""

    def __init__(
        self,
        store: ResultStore,
        narrator: StatusReporter,
        *,
        sleep: Callable[[float], Awaitable[object]] = asyncio.sleep,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """Ask `store`, and tell by `narrator`."""
        self._store = store
        self._narrator = narrator
        self._sleep = sleep
        self._clock = clock

    async def until_it_answers(self) -> None:
        """Return as soon as the store can be used: at once, if it can.

        Raises CredentialsRefused.
        """
        try:
            await asyncio.to_thread(self._store.probe)
        except StoreError as error:
            await self.until_it_is_back(error, FIRST_PAUSE)

    async def silence(self, failures: Sequence[Failure]) -> StoreError | None:
        """Give why operations failed if that was the store, so that the plan may go on later.

        What else is away, such as an input, may lie on the same server.
        """
        for failure in failures:
            if failure.reason == REASON_STORE_UNREACHABLE:
                return StoreUnreachable(failure.message)
        if any(failure.transient for failure in failures):
            try:
                await asyncio.to_thread(self._store.probe)
            except StoreError as error:
                return error
        return None

    async def until_it_is_back(self, error: StoreError, wait: float) -> None:
        """Ask again every `wait` seconds after a failure; raises CredentialsRefused."""
        denied_since: float | None = None
        while True:
            denied = isinstance(error, StoreAccessDenied)
            reason = REASON_STORE_ACCESS_DENIED if denied else REASON_STORE_UNREACHABLE
            self._narrator.waiting = Waiting(reason=reason, message=str(error)[:_MESSAGE_LIMIT])
            now = self._clock()
            denied_since = (now if denied_since is None else denied_since) if denied else None
            if denied_since is not None and now - denied_since > DENIED_SECONDS:
                raise CredentialsRefused(str(error))
            await self._sleep(wait)
            try:
                await asyncio.to_thread(self._store.probe)
            except StoreError as still:
                error = still
            else:
                self._narrator.waiting = None
                return
