"""Tests of what the store does when S3 fails in scripted ways."""

from __future__ import annotations

import hashlib
import socket
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import numpy as np
import pytest

from tests.support.scripted_http import Answer, Scripted, error, serving
from voxk8s.errors import StoreAccessDenied, StoreError, StoreUnreachable, TransientError
from voxk8s.storage import MISS, PutStatus, ResultStore, StoreOptions, open_store

KEY = hashlib.sha256(b"key").hexdigest()
LARGE = np.arange(20_000)
SECRET = "hunter2hunter2"


@contextmanager
def scripted(
    answer: Callable[[str, str, int], Answer | None],
) -> Iterator[tuple[Scripted, Callable[[], ResultStore]]]:
    """Run a script and give it with a function that opens a store on it."""
    with serving(answer) as script:
        options = StoreOptions(endpoint=script.endpoint, key="AKIAKEY", secret=SECRET)
        yield script, lambda: open_store("s3://bucket", options=options)


def test_ordinary_answers_make_a_store() -> None:
    """The scripted server is good enough: what is put comes back."""
    with scripted(lambda *_: None) as (script, opener):
        assert opener().put(KEY, LARGE).status is PutStatus.CREATED
        assert np.array_equal(opener().get(KEY), LARGE)  # type: ignore[arg-type]  # an array
        assert script.count("PUT", "/ac/") == 1


def test_conflict_that_nobody_won_is_tried_again() -> None:
    """A 409 without a record leads to another try, not to a result that is not there."""

    def answer(method: str, path: str, before: int) -> Answer | None:
        if method == "PUT" and "/ac/" in path and before < 2:
            return error(409, "ConditionalRequestConflict")
        return None

    with scripted(answer) as (script, opener):
        assert opener().put(KEY, 1).status is PutStatus.CREATED
        assert script.count("PUT", "/ac/") == 3
        assert opener().get(KEY) == 1


def test_conflict_without_end_is_an_error() -> None:
    """A store that always answers 409 ends with an error after a bounded number of requests."""

    def answer(method: str, path: str, before: int) -> Answer | None:
        return error(409, "ConditionalRequestConflict") if method == "PUT" else None

    with scripted(answer) as (script, opener):
        with pytest.raises(StoreError, match="neither created nor read"):
            opener().put(KEY, 1)
        assert script.count("PUT", "/ac/") == 8


def test_store_that_ignores_conditions_is_told() -> None:
    """A server that overwrites in spite of If-None-Match is usable, and known as such."""
    with scripted(lambda *_: None) as (script, opener):

        def forget(method: str, path: str, before: int) -> Answer | None:
            if method == "PUT":
                script.objects.pop(path, None)
            return None

        script.answer = forget
        assert opener().probe().conditional_writes is False


@pytest.mark.parametrize(
    ("call", "method"),
    [
        (lambda store: store.get(KEY), "GET"),
        (lambda store: store.put(KEY, 1), "PUT"),
        (lambda store: store.contains([KEY, "0" * 64]), "GET"),
        (lambda store: store.record(KEY), "GET"),
        (lambda store: store.delete([KEY]), "DELETE"),
        (lambda store: store.probe(), "GET"),
        (lambda store: store.ping()(), "GET"),
        (lambda store: store.stats(), "GET"),
    ],
)
def test_denied_is_never_a_miss(call: Callable[[ResultStore], object], method: str) -> None:
    """403 is StoreAccessDenied with the URL and the code, without the keys, for every call."""
    with scripted(lambda m, *_: error(403, "AccessDenied") if m == method else None) as (_, opener):
        with pytest.raises(StoreAccessDenied, match=r"s3://bucket.*AccessDenied") as caught:
            call(opener())
        assert SECRET not in str(caught.value)
        assert "AKIAKEY" not in str(caught.value)
        assert isinstance(caught.value, TransientError)


def test_denied_blob_is_never_a_miss() -> None:
    """A blob that may not be read is an error although its record can be read."""

    def answer(method: str, path: str, before: int) -> Answer | None:
        return error(403, "AccessDenied") if method in ("GET", "HEAD") and "/cas/" in path else None

    with scripted(answer) as (_, opener):
        opener().put(KEY, LARGE)
        with pytest.raises(StoreAccessDenied):
            opener().get(KEY)
        with pytest.raises(StoreAccessDenied):
            opener().contains([KEY])


def test_missing_bucket_is_never_a_miss() -> None:
    """A 404 about the bucket is not a miss."""
    with scripted(lambda *_: error(404, "NoSuchBucket")) as (_, opener):
        calls: list[Callable[[ResultStore], object]] = [
            lambda s: s.get(KEY),
            lambda s: s.contains([KEY]),
            lambda s: s.probe(),
        ]
        for call in calls:
            with pytest.raises(StoreUnreachable, match="bucket does not exist"):
                call(opener())


def test_what_is_no_s3_server_is_not_believed() -> None:
    """A 404 of a web server without S3 is not a miss."""
    with scripted(lambda *_: Answer(404, b"<html>not found</html>")) as (_, opener):
        calls: list[Callable[[ResultStore], object]] = [
            lambda s: s.get(KEY),
            lambda s: s.contains([KEY]),
            lambda s: s.put(KEY, 1),
        ]
        for call in calls:
            with pytest.raises(StoreUnreachable, match="is not S3"):
                call(opener())


def test_connections_to_a_stranger_are_left() -> None:
    """A server that was asked too early is asked on new connections, and is S3 on these."""
    early = [True]

    def answer(method: str, path: str, before: int) -> Answer | None:
        return Answer(404, lasts=True) if early else None

    with scripted(answer) as (_, opener):
        store = opener()
        with pytest.raises(StoreUnreachable, match="is not S3"):
            store.put(KEY, LARGE)
        early.clear()
        assert store.put(KEY, LARGE).status is PutStatus.CREATED
        assert np.array_equal(store.get(KEY), LARGE)  # type: ignore[arg-type]  # an array


def test_half_credentials_are_said() -> None:
    """A key without its secret is StoreAccessDenied with what to set."""
    options = StoreOptions(endpoint="http://127.0.0.1:1", key="AKIAKEY")
    with pytest.raises(StoreAccessDenied, match="AWS_SECRET_ACCESS_KEY"):
        open_store("s3://bucket", options=options)


def test_missing_blob_is_a_miss() -> None:
    """404 of the blob under a sound record makes the result unknown."""

    def answer(method: str, path: str, before: int) -> Answer | None:
        missing = method in ("GET", "HEAD") and "/cas/" in path
        return error(404, "NoSuchKey") if missing else None

    with scripted(answer) as (_, opener):
        opener().put(KEY, LARGE)
        assert opener().get(KEY) is MISS
        assert opener().contains([KEY]) == set()


def test_short_trouble_is_bridged() -> None:
    """One 503 in between is not seen by the caller."""
    with scripted(lambda m, p, before: Answer(503) if before == 0 else None) as (script, opener):
        assert opener().get(KEY) is MISS
        assert script.count("GET", "/ac/") == 2


def test_long_trouble_is_said_within_seconds() -> None:
    """A server that always answers 500 raises StoreUnreachable soon."""
    start = time.monotonic()
    with scripted(lambda *_: Answer(500)) as (_, opener), pytest.raises(StoreUnreachable):
        opener().get(KEY)
    assert time.monotonic() - start < 10


def test_refused_connection_is_said_within_seconds() -> None:
    """A closed port raises StoreUnreachable, as soon for thousands of keys as for one."""
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        endpoint = f"http://127.0.0.1:{unused.getsockname()[1]}"
        options = StoreOptions(endpoint=endpoint, key="AKIAKEY", secret=SECRET)
        store = open_store("s3://bucket/p", options=options)
        start = time.monotonic()
        with pytest.raises(StoreUnreachable, match=r"s3://bucket/p.*Connection refused") as caught:
            store.contains(hashlib.sha256(b"%d" % i).hexdigest() for i in range(5000))
        assert time.monotonic() - start < 10
        assert SECRET not in str(caught.value)


@pytest.mark.timeout(60)
def test_silent_server_is_said_within_seconds() -> None:
    """A server that takes a request and never answers is StoreUnreachable in ten seconds."""
    start = time.monotonic()
    with (
        scripted(lambda *_: Answer(200, hang=True)) as (_, opener),
        pytest.raises(StoreUnreachable, match="time-out"),
    ):
        opener().get(KEY)
    assert time.monotonic() - start < 15


def test_wrong_bytes_on_the_line_are_read_again() -> None:
    """Bytes that were changed once under way do no harm, and nothing is set aside."""
    with scripted(lambda *_: None) as (script, opener):
        opener().put(KEY, LARGE)

        def answer(method: str, path: str, before: int) -> Answer | None:
            if method == "GET" and "/cas/" in path and before == 0:
                return Answer(200, script.objects[path][:-1] + b"?")
            return None

        script.answer = answer
        store = opener()
        assert np.array_equal(store.get(KEY), LARGE)  # type: ignore[arg-type]  # an array
        assert store.counts.corrupt == 0


def test_corrupt_blob_that_cannot_be_moved_is_still_replaced() -> None:
    """Without the right to delete, the corrupt blob is a miss and the next put overwrites it."""
    with scripted(lambda m, *_: error(403, "AccessDenied") if m == "DELETE" else None) as (
        script,
        opener,
    ):
        store = opener()
        put = store.put(KEY, LARGE)
        path = f"/bucket/cas/sha256/{put.digest[:2]}/{put.digest[2:]}"
        script.objects[path] = script.objects[path][:-1] + b"?"
        assert store.get(KEY) is MISS
        store.put(KEY, LARGE)
        assert np.array_equal(store.get(KEY), LARGE)  # type: ignore[arg-type]  # an array


def test_what_is_put_right_meanwhile_is_not_set_aside() -> None:
    """Between reading a corrupt blob and moving it away another process has replaced it."""
    with scripted(lambda *_: None) as (script, opener):
        put = opener().put(KEY, LARGE)
        path = f"/bucket/cas/sha256/{put.digest[:2]}/{put.digest[2:]}"
        sound = script.objects[path]
        script.objects[path] = sound[:-1] + b"?"

        def answer(method: str, path_: str, before: int) -> Answer | None:
            if method == "PUT" and "/quarantine/" in path_:
                script.objects[path] = sound
            return None

        script.answer = answer
        assert opener().get(KEY) is MISS
        assert script.objects[path] == sound
        assert np.array_equal(opener().get(KEY), LARGE)  # type: ignore[arg-type]  # an array


def test_known_key_costs_one_request_and_then_none() -> None:
    """`contains` reads an inline record once; a second call sends no request."""
    with scripted(lambda *_: None) as (script, opener):
        opener().put(KEY, 1)
        store = opener()
        for _ in range(3):
            assert store.contains([KEY]) == {KEY}
        assert script.count("GET", "/ac/") == 1


def test_ping_costs_one_request() -> None:
    """Whether a store can be used is asked once, also when nothing was ever written there."""
    with scripted(lambda *_: None) as (script, opener):
        opener().ping()()
        assert script.asked.total() == 1
    open_store("memory://ping").ping()()


def test_undisputed_lease_costs_one_request_a_step_and_two_to_release() -> None:
    """A release first asks whether the lease is still ours: S3 has no conditional deletion."""
    with scripted(lambda *_: None) as (script, opener):
        lease = opener().lease(KEY, "owner")
        assert lease.acquire() is None
        assert lease.renew()
        assert lease.renew()
        lease.release()
        methods = [method for method, _ in script.asked.elements()]
        assert methods == ["PUT"] * 3 + ["HEAD", "DELETE"]


def test_lookup_never_lists() -> None:
    """No call but stats lists a bucket."""
    with scripted(lambda *_: None) as (script, opener):
        store = opener()
        store.put(KEY, LARGE)
        store.contains([KEY, "0" * 64])
        store.get(KEY)
        store.records([KEY])
        store.delete([KEY])
        store.probe()
        assert script.count("GET", "list-type") == 0


def test_large_existing_blob_is_not_sent_again() -> None:
    """A blob of megabytes that is there costs a look, not an upload."""
    noise = np.frombuffer(np.random.default_rng(0).bytes(2 << 20), "uint8")
    with scripted(lambda *_: None) as (script, opener):
        opener().put(KEY, noise)
        opener().put("0" * 64, noise)
        assert script.count("PUT", "/cas/") == 1
