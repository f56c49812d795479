"""Following objects for ever: watches that resume, and list again where they cannot."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from dataclasses import dataclass
from typing import TypeAlias

from voxk8s.cluster.kube_client import Bookmark, KubeClient, KubeObject, WatchEvent
from voxk8s.cluster.kube_errors import (
    Expired,
    Forbidden,
    KindMissing,
    KubeUnreachable,
    NotFound,
    Overloaded,
)
from voxk8s.cluster.resources import ApiResource

_PATIENCE = 5
"""Failures in a row after which a watch lists again."""


@dataclass(frozen=True, slots=True)
class Snapshot:
    """All objects there are: what is not in it is gone."""

    items: list[KubeObject]
    resource_version: str


@dataclass(frozen=True, slots=True)
class WatchError:
    """The watch broke; it goes on by itself after a pause."""

    error: Exception


ReflectorEvent: TypeAlias = Snapshot | WatchEvent | Bookmark | WatchError


async def list_and_watch(
    kube: KubeClient,
    resource: ApiResource,
    namespace: str | None = None,
    *,
    labels: str | None = None,
    fields: str | None = None,
    pause: float = 1.0,
    longest_pause: float = 30.0,
) -> AsyncGenerator[ReflectorEvent]:
    """Give all objects, then every change, for ever.

    A watch that ends is resumed where it was; where the API server no longer knows that place,
    all objects are listed again. While the API server does not answer, `Lost` says so before
    each new try.
    """
    version: str | None = None
    failures = 0
    wait = pause
    while True:
        try:
            if version is None:
                listing = await kube.list(resource, namespace, labels=labels, fields=fields)
                version = listing.resource_version
                yield Snapshot(listing.items, version)
            stream = kube.watch(
                resource, namespace, resource_version=version, labels=labels, fields=fields
            )
            async for notice in stream:
                match notice:
                    case WatchEvent(object=body):
                        version = body["metadata"]["resourceVersion"]
                    case Bookmark(resource_version=reached):
                        version = reached
                failures, wait = 0, pause
                yield notice
        except Expired as error:
            version = None
            yield WatchError(error)
        except (KubeUnreachable, Overloaded, Forbidden, KindMissing, NotFound) as error:
            failures += 1
            if failures == _PATIENCE or not isinstance(error, KubeUnreachable | Overloaded):
                failures, version = 0, None  # perhaps this very place is what fails
            yield WatchError(error)
            await asyncio.sleep(wait)
            wait = min(wait * 2, longest_pause)
