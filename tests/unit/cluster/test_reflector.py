"""Listing and watching."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from contextlib import suppress
from typing import Any

from voxk8s.cluster.kube_client import Bookmark, KubeClient, ObjectList, WatchEvent
from voxk8s.cluster.kube_errors import Expired, KindMissing, KubeUnreachable
from voxk8s.cluster.reflector import list_and_watch
from voxk8s.cluster.resources import CONFIG_MAPS


class Scripted(KubeClient):
    """A client whose lists and watches follow a script of responses and errors."""

    def __init__(self, *script: Any) -> None:
        self.script = list(script)
        self.asked: list[str] = []

    def _next(self, what: str) -> Any:
        self.asked.append(what)
        if not self.script:
            raise asyncio.CancelledError
        step = self.script.pop(0)
        if isinstance(step, Exception):
            raise step
        return step

    async def list(self, *_: Any, **__: Any) -> ObjectList:
        """Return or raise the next step of the script."""
        answer: ObjectList = self._next("list")
        return answer

    async def watch(
        self, *_: Any, resource_version: str, **__: Any
    ) -> AsyncGenerator[WatchEvent | Bookmark]:
        """Return or raise the next step of the script."""
        for event in self._next(f"watch {resource_version}"):
            if isinstance(event, Exception):
                raise event
            yield event


def change(version: str) -> WatchEvent:
    """Return a change at a resource version."""
    return WatchEvent("MODIFIED", {"metadata": {"name": "x", "resourceVersion": version}})


async def followed(*script: Any) -> tuple[list[str], list[str]]:
    """Return the classes of the events, and the calls, that a script leads to."""
    client = Scripted(*script)
    seen: list[str] = []
    stream = list_and_watch(client, CONFIG_MAPS, pause=0, max_pause=0)
    with suppress(asyncio.CancelledError):  # the end of the script
        while True:
            seen.append(type(await anext(stream)).__name__)
    return seen, client.asked


async def test_watch_is_resumed() -> None:
    """A watch that ends is resumed at the last resource version, of a change or a bookmark."""
    seen, asked = await followed(
        ObjectList([], "1"), [change("2"), Bookmark("5")], [change("6")], []
    )
    assert seen == ["ObjectList", "WatchEvent", "Bookmark", "WatchEvent"]
    assert asked == ["list", "watch 1", "watch 5", "watch 6", "watch 6"]


async def test_expired_watch_lists_again() -> None:
    """If the resource version is too old, the objects are listed again."""
    seen, asked = await followed(
        ObjectList([], "1"), [Expired("too old", 410)], ObjectList([], "9"), [change("10")]
    )
    assert seen == ["ObjectList", "WatchError", "ObjectList", "WatchEvent"]
    assert asked == ["list", "watch 1", "list", "watch 9", "watch 10"]


async def test_unreachable_api_server_is_retried() -> None:
    """Each failure is yielded; afterwards the watch is resumed, so that no change is missed."""
    seen, asked = await followed(
        KubeUnreachable("away"), ObjectList([], "1"), [KubeUnreachable("away")], [change("2")]
    )
    assert seen == ["WatchError", "ObjectList", "WatchError", "WatchEvent"]
    assert asked == ["list", "list", "watch 1", "watch 1", "watch 2"]


async def test_missing_kind_is_retried() -> None:
    """A CRD that is installed later is noticed."""
    seen, _ = await followed(KindMissing("no such kind", 404), ObjectList([], "1"))
    assert seen == ["WatchError", "ObjectList"]


async def test_watch_that_keeps_failing_lists_again() -> None:
    """After five failures to resume, the objects are listed again."""
    away = [KubeUnreachable("broken", 500)]
    seen, asked = await followed(
        ObjectList([], "1"), *([away] * 5), ObjectList([], "9"), [change("10")]
    )
    assert seen == ["ObjectList", *["WatchError"] * 5, "ObjectList", "WatchEvent"]
    assert asked[-3:] == ["list", "watch 9", "watch 10"]
