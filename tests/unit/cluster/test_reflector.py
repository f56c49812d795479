"""Listing and watching."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from contextlib import suppress
from typing import Any

import pytest

from voxk8s.cluster.kube_client import Bookmark, KubeClient, ListPage, WatchEvent
from voxk8s.cluster.kube_errors import (
    Expired,
    KindMissing,
    KubeUnreachable,
    Overloaded,
    error_from_status,
)
from voxk8s.cluster.reflector import Pauses, list_and_watch
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

    async def list_pages(self, *_: Any, **__: Any) -> AsyncGenerator[ListPage]:
        """Yield or raise the next step of the script."""
        answer: ListPage = self._next("list")
        yield answer

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
    stream = list_and_watch(client, CONFIG_MAPS, pauses=Pauses(first=0.0, most=0.0))
    with suppress(asyncio.CancelledError):  # the end of the script
        while True:
            name = type(await anext(stream)).__name__
            seen += [name] if name != "ListStarted" else []
    return seen, client.asked


async def test_watch_is_resumed() -> None:
    """A watch that ends is resumed at the last resource version, of a change or a bookmark."""
    seen, asked = await followed(ListPage([], "1"), [change("2"), Bookmark("5")], [change("6")], [])
    assert seen == ["ListPage", "WatchEvent", "Bookmark", "WatchEvent"]
    assert asked == ["list", "watch 1", "watch 5", "watch 6", "watch 6"]


async def test_expired_watch_lists_again() -> None:
    """If the resource version is too old, the objects are listed again."""
    seen, asked = await followed(
        ListPage([], "1"), [Expired("too old", 410)], ListPage([], "9"), [change("10")]
    )
    assert seen == ["ListPage", "WatchError", "ListPage", "WatchEvent"]
    assert asked == ["list", "watch 1", "list", "watch 9", "watch 10"]


async def test_unreachable_api_server_is_retried() -> None:
    """Each failure is yielded; afterwards the watch is resumed, so that no change is missed."""
    seen, asked = await followed(
        KubeUnreachable("away"), ListPage([], "1"), [KubeUnreachable("away")], [change("2")]
    )
    assert seen == ["WatchError", "ListPage", "WatchError", "WatchEvent"]
    assert asked == ["list", "list", "watch 1", "watch 1", "watch 2"]


async def test_missing_kind_is_retried() -> None:
    """A CRD that is installed later is noticed."""
    seen, _ = await followed(KindMissing("no such kind", 404), ListPage([], "1"))
    assert seen == ["WatchError", "ListPage"]


@pytest.mark.parametrize("code", [400, 405, 406, 409, 413, 415, 422])
async def test_any_answer_is_retried(code: int) -> None:
    """One that no client is to get ends no watch, whether it is of the API server or a proxy."""
    odd = error_from_status(code, {"message": "odd"}, "/pods")
    seen, asked = await followed(
        odd, ListPage([], "1"), odd, ListPage([], "2"), [change("3"), odd], ListPage([], "4"), []
    )
    assert seen == [
        "WatchError", "ListPage", "WatchError", "ListPage", "WatchEvent", "WatchError", "ListPage",
    ]  # fmt: skip
    assert asked == ["list", "list", "watch 1", "list", "watch 2", "list", "watch 4", "watch 4"]


async def test_watch_that_keeps_failing_lists_again() -> None:
    """After five failures to resume, the objects are listed again."""
    away = [KubeUnreachable("broken", 500)]
    seen, asked = await followed(
        ListPage([], "1"), *([away] * 5), ListPage([], "9"), [change("10")]
    )
    assert seen == ["ListPage", *["WatchError"] * 5, "ListPage", "WatchEvent"]
    assert asked[-3:] == ["list", "watch 9", "watch 10"]


class Clock:
    """A clock that moves when something waits."""

    def __init__(self) -> None:
        self.seconds = 0.0
        self.waits: list[float] = []

    def __call__(self) -> float:
        """Return the time."""
        return self.seconds

    async def sleep(self, seconds: float) -> None:
        """Wait."""
        self.waits.append(seconds)
        self.seconds += seconds


async def waits(*script: Any) -> list[float]:
    """Return how long the reflector waits between the steps of a script."""
    clock = Clock()
    stream = list_and_watch(
        Scripted(*script), CONFIG_MAPS,
        pauses=Pauses(clock=clock, chance=lambda: 0.999999), sleep=clock.sleep,
    )  # fmt: skip
    with suppress(asyncio.CancelledError):
        async for _ in stream:
            pass
    return [round(wait, 3) for wait in clock.waits]


async def test_storm_of_expired_versions() -> None:
    """An API server that expires each watch at once is asked less and less often."""
    storm: list[Any] = []
    for _ in range(8):
        storm += [ListPage([], "1"), [change("2"), Expired("too old", 410)]]
    assert await waits(*storm) == [1, 2, 4, 8, 16, 30, 30, 30]


async def test_watches_that_are_closed_at_once() -> None:
    """A proxy that closes each watch at once does not cause requests without end."""
    assert await waits(ListPage([], "1"), *[[]] * 4) == [1, 2, 4, 8]


async def test_retry_after() -> None:
    """The time that the API server asks for is kept, with jitter on top."""
    busy = Overloaded("too many requests", 429)
    busy.retry_after = 40.0
    assert (await waits(busy, ListPage([], "1"), []))[0] == 40.5


def test_watch_that_lasted_is_resumed_at_once() -> None:
    """An API server ends watches after minutes: nobody needs to wait then."""
    clock = Clock()
    pauses = Pauses(clock=clock, chance=lambda: 0.0)
    pauses.begin()
    assert pauses.after(None) == 0.5
    pauses.begin()
    clock.seconds += 240
    assert pauses.after(None) == 0.0
    pauses.begin()
    clock.seconds += 240
    assert pauses.after(KubeUnreachable("away")) == 0.5


async def test_version_of_the_future_lists_again() -> None:
    """After a restore of its store the API server has lower versions than a watch asks for."""
    text = {"reason": "Timeout", "message": "Too large resource version: 900, current: 12"}
    error = error_from_status(504, text, "/p")
    _, asked = await followed(ListPage([], "900"), [error], ListPage([], "12"), [change("13")])
    assert asked == ["list", "watch 900", "list", "watch 12", "watch 13"]


async def test_silent_watch_lists_again() -> None:
    """Not even a bookmark: the API server may not have reached the version of the watch yet."""
    clock = Clock()

    class Silent(Scripted):
        async def watch(
            self, *_: Any, resource_version: str, **__: Any
        ) -> AsyncGenerator[WatchEvent | Bookmark]:
            for event in self._next(f"watch {resource_version}"):
                yield event
            clock.seconds += 100.0
            raise KubeUnreachable("the watch was interrupted")

    client = Silent(ListPage([], "900"), [], ListPage([], "12"), [])
    stream = list_and_watch(
        client, CONFIG_MAPS, pauses=Pauses(clock=clock), sleep=clock.sleep, silence=100.0
    )
    with suppress(asyncio.CancelledError):
        async for _ in stream:
            pass
    assert client.asked[:4] == ["list", "watch 900", "list", "watch 12"]
