"""The door to Kubernetes, without a Kubernetes: errors, streams, and watches that go on."""

from __future__ import annotations

import asyncio
import pickle
from collections.abc import AsyncGenerator
from contextlib import suppress
from typing import Any

import pytest

from voxk8s.cluster import responses
from voxk8s.cluster.kube_client import Bookmark, KubeClient, ObjectList, WatchEvent
from voxk8s.cluster.kube_errors import (
    AlreadyExists,
    Conflict,
    Expired,
    Forbidden,
    Invalid,
    KindMissing,
    KubeConfigMissing,
    KubeUnreachable,
    NotFound,
    Overloaded,
    TooLarge,
)
from voxk8s.cluster.reflector import (
    ReflectorEvent,
    Snapshot,
    WatchError,
    list_and_watch,
)
from voxk8s.cluster.resources import CONFIG_MAPS, NAMESPACES, PODS, WORK_PLANS
from voxk8s.errors import PermanentError, TransientError

NAMED = {"details": {"name": "x"}}


@pytest.mark.parametrize(
    ("code", "status", "kind", "base"),
    [
        (404, {"reason": "NotFound", **NAMED}, NotFound, PermanentError),
        (404, {"message": "404 page not found"}, KindMissing, TransientError),
        (404, {"reason": "NotFound", "details": {}}, KindMissing, TransientError),
        (409, {"reason": "AlreadyExists"}, AlreadyExists, PermanentError),
        (409, {"reason": "Conflict"}, Conflict, TransientError),
        (410, {"reason": "Expired"}, Expired, TransientError),
        (401, {"reason": "Unauthorized"}, Forbidden, TransientError),
        (403, {"reason": "Forbidden"}, Forbidden, TransientError),
        (413, {"reason": "RequestEntityTooLarge"}, TooLarge, PermanentError),
        (422, {"reason": "Invalid"}, Invalid, PermanentError),
        (400, {"reason": "BadRequest"}, Invalid, PermanentError),
        (429, {"reason": "TooManyRequests"}, Overloaded, TransientError),
        (500, {"message": "etcdserver: request is too large"}, TooLarge, PermanentError),
        (500, {"reason": "InternalError"}, KubeUnreachable, TransientError),
        (503, {}, KubeUnreachable, TransientError),
    ],
)
def test_answers_become_errors(
    code: int, status: dict[str, Any], kind: type, base: type[Exception]
) -> None:
    """Every refusal says by its type whether another try may help, and survives pickling."""
    error = responses.error_from_status(code, status, "/api/v1/things")
    assert type(error) is kind
    assert isinstance(error, base)
    again = pickle.loads(pickle.dumps(error))
    assert (type(again), again.args) == (type(error), error.args)


def test_retry_after_is_kept() -> None:
    """An overloaded API server says when to come back."""
    error = responses.error_from_status(429, {}, "/", "7")
    assert isinstance(error, Overloaded)
    assert error.retry_after == 7


def test_paths() -> None:
    """Core and other groups, collections, objects and their parts have their paths."""
    assert PODS.path() == "/api/v1/pods"
    assert PODS.path("lab", "x", "log") == "/api/v1/namespaces/lab/pods/x/log"
    assert (
        WORK_PLANS.path("lab", "x", "status")
        == "/apis/voxk8s.io/v1alpha1/namespaces/lab/workplans/x/status"
    )
    assert NAMESPACES.path("ignored", "lab") == "/api/v1/namespaces/lab"
    assert PODS.path("a/b", "../x") == "/api/v1/namespaces/a%2Fb/pods/..%2Fx"


async def test_no_way_to_a_cluster_is_said(tmp_path: Any) -> None:
    """Without kubeconfig and outside a pod the error names the file and says what to do."""
    with pytest.raises(KubeConfigMissing, match=r"/\.kube/config does not exist; set KUBECONFIG"):
        await KubeClient.connect({"HOME": str(tmp_path)})
    with pytest.raises(KubeConfigMissing, match=r"/missing does not exist; set KUBECONFIG"):
        await KubeClient.connect({"KUBECONFIG": str(tmp_path / "missing")})


class Stream:
    """A response whose content comes in given pieces."""

    def __init__(self, *pieces: bytes) -> None:
        self.content = self
        self.pieces = pieces

    async def iter_any(self) -> AsyncGenerator[bytes]:
        """Give the pieces."""
        for piece in self.pieces:
            yield piece


async def test_lines_of_any_length() -> None:
    """Lines are put together across pieces, however long, and a last one without an end counts."""
    long = b"x" * 3_000_000
    stream: Any = Stream(b"a", b"b\n", b"\nc\nd", long[:1_000_000], long[1_000_000:], b"\ne")
    lines = [line async for line in responses.iter_lines(stream)]
    assert lines == [b"ab", b"c", b"d" + long, b"e"]


class Scripted(KubeClient):
    """A door whose listings and watches follow a script of answers and errors."""

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
        """Answer as the script says."""
        answer: ObjectList = self._next("list")
        return answer

    async def watch(
        self, *_: Any, resource_version: str, **__: Any
    ) -> AsyncGenerator[WatchEvent | Bookmark]:
        """Answer as the script says."""
        for notice in self._next(f"watch {resource_version}"):
            if isinstance(notice, Exception):
                raise notice
            yield notice


def change(version: str) -> WatchEvent:
    """Give a change at a resource version."""
    return WatchEvent("MODIFIED", {"metadata": {"name": "x", "resourceVersion": version}})


async def followed(*script: Any) -> tuple[list[str], list[str]]:
    """Give the kinds of list_and_watch and the calls that a script leads to."""
    door = Scripted(*script)
    seen: list[str] = []
    stream = list_and_watch(door, CONFIG_MAPS, pause=0, max_pause=0)
    with suppress(asyncio.CancelledError):  # the end of the script
        while True:
            seen.append(type(await anext(stream)).__name__)
    return seen, door.asked


async def test_watch_resumes_where_it_was() -> None:
    """A watch that ends goes on at the last version seen, bookmarks included, without listing."""
    seen, asked = await followed(
        ObjectList([], "1"), [change("2"), Bookmark("5")], [change("6")], []
    )
    assert seen == ["Snapshot", "WatchEvent", "Bookmark", "WatchEvent"]
    assert asked == ["list", "watch 1", "watch 5", "watch 6", "watch 6"]


async def test_expired_watch_lists_again() -> None:
    """When the API server has forgotten the version, everything is listed anew."""
    seen, asked = await followed(
        ObjectList([], "1"), [Expired("too old", 410)], ObjectList([], "9"), [change("10")]
    )
    assert seen == ["Snapshot", "WatchError", "Snapshot", "WatchEvent"]
    assert asked == ["list", "watch 1", "list", "watch 9", "watch 10"]


async def test_api_server_that_is_away_is_waited_for() -> None:
    """Each failed try is said; afterwards the watch resumes, since no change can be missed."""
    seen, asked = await followed(
        KubeUnreachable("away"), ObjectList([], "1"), [KubeUnreachable("away")], [change("2")]
    )
    assert seen == ["WatchError", "Snapshot", "WatchError", "WatchEvent"]
    assert asked == ["list", "list", "watch 1", "watch 1", "watch 2"]


async def test_missing_kind_is_waited_for() -> None:
    """A CRD that is installed later is found."""
    seen, _ = await followed(KindMissing("no such kind", 404), ObjectList([], "1"))
    assert seen == ["WatchError", "Snapshot"]


def test_notices_are_told_apart() -> None:
    """A consumer matches on four kinds of notice."""
    assert {Snapshot, WatchEvent, Bookmark, WatchError} == set(ReflectorEvent.__args__)


async def test_place_that_keeps_failing_is_given_up() -> None:
    """When resuming fails again and again, listing anew gets a watch going."""
    away = [KubeUnreachable("broken", 500)]
    seen, asked = await followed(
        ObjectList([], "1"), *([away] * 5), ObjectList([], "9"), [change("10")]
    )
    assert seen == ["Snapshot", *["WatchError"] * 5, "Snapshot", "WatchEvent"]
    assert asked[-3:] == ["list", "watch 9", "watch 10"]
