"""List and watch, with the guarantees of client-go's Reflector.

- *Resume*: a watch that ends is resumed at its last resource version, which bookmarks move on.
- *Relist*: if the API server no longer has that version, or does not have it yet (its store was
  restored from a backup), the objects are listed again. They are listed from the store, not from
  the API server's cache, in pages.
- *Pauses*: whatever ends a watch early, its restart waits, doubled each time up to a limit, with
  jitter, and at least as long as the API server asks for. Only one that lasted is resumed at once.
- *Any answer*: whatever the API server, or a proxy before it, refuses a list or watch with, it is
  reported and tried again after a pause.
- *Silence*: after a watch without a line for longer than bookmarks take, the objects are listed
  again. Either the connection is dead, or the API server, whose store was restored, says nothing
  until it has reached the version that the watch asked for.
"""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import AsyncGenerator, Awaitable, Callable
from dataclasses import dataclass
from typing import TypeAlias

import msgspec

from voxk8s.cluster.kube_client import (
    WATCH_SILENCE,
    Bookmark,
    Decoder,
    KubeClient,
    ListPage,
    WatchEvent,
)
from voxk8s.cluster.kube_errors import ApiError, Expired, KubeUnreachable, Overloaded
from voxk8s.cluster.resources import ApiResource

_FAILURES_BEFORE_RELIST = 5
_LASTING_SECONDS = 20.0
"""Life of a watch after which earlier failures are forgotten."""


@dataclass(frozen=True, slots=True)
class ListStarted:
    """A list is about to be requested: pages that were received before do not belong to it."""


@dataclass(frozen=True, slots=True)
class WatchError:
    """Listing or watching failed; it is retried after a pause."""

    error: ApiError


ReflectorEvent: TypeAlias = ListStarted | ListPage | WatchEvent | Bookmark | WatchError
"""After the last ListPage any object that was in no page since ListStarted no longer exists."""


@dataclass(slots=True)
class Pauses:
    """Seconds to wait before a list or watch is tried again: doubled each time, with jitter.

    `clock` is in seconds, `chance` returns numbers in [0, 1).
    """

    first: float = 1.0
    most: float = 30.0
    clock: Callable[[], float] = time.monotonic
    chance: Callable[[], float] = random.random
    _next: float = 0.0
    _began: float = 0.0

    def begin(self) -> None:
        """Note that an attempt begins."""
        self._began = self.clock()

    def lasted(self) -> float:
        """Return the seconds since the last attempt began."""
        return self.clock() - self._began

    def after(self, error: ApiError | None) -> float:
        """Return the seconds to wait after an attempt that ended, by an error or by itself."""
        if self.lasted() >= _LASTING_SECONDS:
            self._next = 0.0
            if error is None:
                return 0.0
        wait = self._next or self.first
        self._next = min(wait * 2, self.most)
        asked = error.retry_after if error is not None else 0.0
        # Jitter only adds to what the API server asks for: it would be asked too early.
        return max(asked, wait / 2) + wait / 2 * self.chance()


async def list_and_watch(
    kube: KubeClient,
    resource: ApiResource,
    namespace: str | None = None,
    *,
    label_selector: str | None = None,
    field_selector: str | None = None,
    decode: Decoder = msgspec.json.decode,
    silence: float = WATCH_SILENCE,
    pauses: Pauses | None = None,
    sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
) -> AsyncGenerator[ReflectorEvent]:
    """Yield all objects in pages, then every change; never ends.

    A failure is yielded as `WatchError` and retried after a pause.
    """
    pauses = pauses or Pauses()
    version: str | None = None
    failures = 0
    while True:
        error: ApiError | None = None
        silent = False
        pauses.begin()
        try:
            if version is None:
                reached = ""
                yield ListStarted()
                async for page in kube.list_pages(
                    resource,
                    namespace,
                    label_selector=label_selector,
                    field_selector=field_selector,
                    decode=decode,
                ):
                    reached = page.resource_version
                    yield page
                    del page  # It would stay in memory as long as the watch.
                version = reached
                pauses.begin()
            stream = kube.watch(
                resource,
                namespace,
                resource_version=version,
                label_selector=label_selector,
                field_selector=field_selector,
                silence=silence,
                decode=decode,
            )
            silent = True
            async for event in stream:
                silent = False
                match event:
                    case WatchEvent(object=body):
                        version = str(body["metadata"]["resourceVersion"])
                        del body
                    case Bookmark(resource_version=reached):
                        version = reached
                failures = 0
                yield event
                del event
        except Expired as expired:
            error, version = expired, None
        except ApiError as failed:
            error = failed
            failures += 1
            silent = silent and pauses.lasted() >= silence
            if (
                silent
                or failures == _FAILURES_BEFORE_RELIST
                or not isinstance(error, KubeUnreachable | Overloaded)
            ):
                failures, version = 0, None  # the resource version itself may be the cause
        if error is not None:
            yield WatchError(error)
        wait = pauses.after(error)
        if wait:
            await sleep(wait)
