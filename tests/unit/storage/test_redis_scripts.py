"""The programs that Redis runs, by themselves."""

from __future__ import annotations

from typing import Any
from uuid import uuid4

import pytest

from tests.support.redis import RedisServer
from voxk8s.storage import redis_scripts
from voxk8s.storage.redis_backend import RedisBackend
from voxk8s.storage.store_options import parse_url

pytestmark = pytest.mark.redis

KEY, BASE = "object", "part:"


@pytest.fixture
def client(redis_server: RedisServer) -> Any:
    """A client of an empty database."""
    url = parse_url(f"redis://127.0.0.1:{redis_server.port}/7/{uuid4().hex}")
    client = RedisBackend(url, redis_server.options)._redis
    client.flushdb()
    return client


def put(client: Any, mode: str, tag: str, data: str = "1", expected: str = "") -> bool:
    """Write an object without parts; whether it was written."""
    script = client.register_script(redis_scripts.PUT)
    answer = script(keys=[KEY], args=[BASE, mode, expected, tag, "a/b", len(data), 0, data])
    return answer is not None


def test_conditions_hold_in_the_same_step(client: Any) -> None:
    """Creation needs a free name, an update the tag that was found; a write needs nothing."""
    assert not put(client, "update", "t0", expected="t0")
    assert put(client, "create", "t1")
    assert not put(client, "create", "t2")
    assert not put(client, "update", "t2", expected="t0")
    assert client.hget(KEY, "tag") == b"t1"
    assert put(client, "update", "t2", expected="t1")
    assert put(client, "write", "t3")
    assert client.hget(KEY, "tag") == b"t3"


def test_a_request_that_is_sent_again_has_the_same_answer(client: Any) -> None:
    """It is known by its tag."""
    assert [put(client, "create", "t1"), put(client, "create", "t1")] == [True, True]
    assert [put(client, "update", "t2", expected="t1") for _ in range(2)] == [True, True]


def test_an_object_takes_its_parts_over_and_gives_them_back(client: Any) -> None:
    """They stop to expire, and go with the object."""
    for number in range(2):
        client.set(f"{BASE}u:{number}", "xx", ex=100)
    script = client.register_script(redis_scripts.PUT)
    script(keys=[KEY], args=[BASE, "create", "", "t1", "a/b", 4, 2, "u"])
    assert [client.ttl(f"{BASE}u:{number}") for number in range(2)] == [-1, -1]
    assert client.ttl(KEY) == -1
    delete = client.register_script(redis_scripts.DELETE)
    assert delete(keys=[KEY], args=[BASE, "t0"]) == 0
    assert client.dbsize() == 3
    assert delete(keys=[KEY], args=[BASE, "t1"]) == 1
    assert delete(keys=[KEY], args=[BASE, ""]) == 0
    assert client.dbsize() == 0


def test_a_touch_needs_the_tag(client: Any) -> None:
    """The time moves on, by the clock of the server."""
    put(client, "create", "t1")
    before = int(client.hget(KEY, "time"))
    touch = client.register_script(redis_scripts.TOUCH)
    assert [touch(keys=[KEY], args=[tag]) for tag in ("t0", "t1")] == [0, 1]
    assert before < int(client.hget(KEY, "time"))
