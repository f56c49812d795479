"""List and watch, as client-go's Reflector: watches are resumed, or the objects listed again."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from dataclasses import dataclass
from typing import TypeAlias

from voxk8s.cluster.kube_client import Bookmark, KubeClient, ObjectList, WatchEvent
from voxk8s.cluster.kube_errors import (
    Expired,
    Forbidden,
    KindMissing,
    KubeUnreachable,
    NotFound,
    Overloaded,
)
from voxk8s.cluster.resources import ApiResource

_FAILURES_BEFORE_RELIST = 5


@dataclass(frozen=True, slots=True)
class WatchError:
    """Listing or watching failed; it is retried after a pause."""

    error: Exception


ReflectorEvent: TypeAlias = ObjectList | WatchEvent | Bookmark | WatchError
"""After an ObjectList any other object no longer exists."""


async def list_and_watch(
    kube: KubeClient,
    resource: ApiResource,
    namespace: str | None = None,
    *,
    label_selector: str | None = None,
    field_selector: str | None = None,
    pause: float = 1.0,
    max_pause: float = 30.0,
) -> AsyncGenerator[ReflectorEvent]:
    """Yield a list of all objects, then every change; never ends.

    A watch that ends is resumed at its last resource version; if the API server no longer has that
    version, the objects are listed again. A failure is yielded as `WatchError` and retried after
    `pause` seconds, doubled each time up to `max_pause`.
    """
    version: str | None = None
    failures = 0
    wait = pause
    while True:
        try:
            if version is None:
                listing = await kube.list(
                    resource,
                    namespace,
                    label_selector=label_selector,
                    field_selector=field_selector,
                )
                version = listing.resource_version
                yield listing
            stream = kube.watch(
                resource,
                namespace,
                resource_version=version,
                label_selector=label_selector,
                field_selector=field_selector,
            )
            async for event in stream:
                match event:
                    case WatchEvent(object=body):
                        version = body["metadata"]["resourceVersion"]
                    case Bookmark(resource_version=reached):
                        version = reached
                failures, wait = 0, pause
                yield event
        except Expired as error:
            version = None
            yield WatchError(error)
        except (KubeUnreachable, Overloaded, Forbidden, KindMissing, NotFound) as error:
            failures += 1
            if failures == _FAILURES_BEFORE_RELIST or not isinstance(
                error, KubeUnreachable | Overloaded
            ):
                failures, version = 0, None  # the resource version itself may be the cause
            yield WatchError(error)
            await asyncio.sleep(wait)
            wait = min(wait * 2, max_pause)
