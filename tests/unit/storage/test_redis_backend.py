"""Objects in a real Redis server: parts, conditions, forks, and what its errors become."""

from __future__ import annotations

import hashlib
import multiprocessing
import os
import socket
import ssl
import subprocess
import threading
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from uuid import uuid4

import numpy as np
import pytest

from tests.support import redis
from tests.support.redis import RedisServer
from voxk8s.errors import StoreAccessDenied, StoreError, StoreUnreachable
from voxk8s.storage import StoreOptions
from voxk8s.storage.backend import ObjectInfo
from voxk8s.storage.redis_backend import PART, RedisBackend
from voxk8s.storage.store_options import parse_url

pytestmark = pytest.mark.redis

LARGE = np.random.default_rng(0).bytes(3 * PART + 5)


def backend_of(
    server: RedisServer, prefix: str = "", options: StoreOptions | None = None
) -> RedisBackend:
    """Open a store in a server."""
    url = server.url(prefix or uuid4().hex)
    return RedisBackend(parse_url(url), options or server.options)


@pytest.fixture
def backend(redis_server: RedisServer) -> RedisBackend:
    """Return an empty store."""
    return backend_of(redis_server)


@pytest.fixture
def own_server(tmp_path: Path) -> Iterator[RedisServer]:
    """A server for one test, which may change or end it."""
    with redis.serve(tmp_path) as server:
        yield server


def keys_of(backend: RedisBackend) -> list[str]:
    """Return the names of all keys of a store, those of parts too."""
    prefix = backend._objects.removeprefix("voxk8s:")
    return sorted(key.decode() for key in backend._redis.scan_iter(f"*{prefix}*"))


@pytest.mark.parametrize("size", [0, 1, PART, PART + 1, 3 * PART, 9 * PART + 7])
def test_objects_of_any_size_come_back_whole(backend: RedisBackend, size: int) -> None:
    """In one piece or in parts, whatever buffers the bytes were in."""
    data = np.random.default_rng(size).bytes(size)
    view = memoryview(data)
    found = backend.create(
        "cas/x", (data[:7], view[7 : size // 2], view[size // 2 :]) if size > 20 else (data,), "a/b"
    )
    assert found is not None
    answer = backend.read("cas/x")
    assert answer is not None
    assert bytes(answer[0]) == data
    assert answer[1] == found == backend.head("cas/x")
    assert backend.digest("cas/x") == (hashlib.sha256(data).hexdigest(), size)


@pytest.mark.parametrize("data", [b"0123456789", LARGE])
def test_ranges_are_read(backend: RedisBackend, data: bytes) -> None:
    """Across parts, and fewer bytes at the end."""
    backend.write("x", (data,), "a/b")
    for start, size in ((0, 3), (5, 100), (PART - 2, 5), (2 * PART - 1, PART + 9), (len(data), 4)):
        got = backend.read_range("x", start, size)
        assert bytes(got or b"") == data[start : start + size]
    assert backend.read_range("y", 0, 1) is None


def test_nothing_is_left_of_an_object(backend: RedisBackend) -> None:
    """Neither of one that is deleted, nor of one that is replaced, nor of a writer that lost."""
    backend.write("x", (LARGE,), "a/b")
    assert len(keys_of(backend)) == 5
    backend.write("x", (b"small",), "a/b")
    assert len(keys_of(backend)) == 1
    backend.delete("x")
    backend.delete("x")
    assert keys_of(backend) == []
    # The object appears while the parts are being sent.
    sending = backend._send_parts

    def send(*arguments: object) -> None:
        sending(*arguments)  # type: ignore[arg-type]  # as they are
        backend.write("x", (b"small",), "a/b")

    backend._send_parts = send  # type: ignore[method-assign,assignment]  # the test's own
    assert backend.create("x", (LARGE,), "a/b") is None
    assert len(keys_of(backend)) == 1


def test_only_unfinished_parts_expire(backend: RedisBackend) -> None:
    """Those of a killed writer go by themselves; objects and their parts never expire."""
    backend.write("x", (LARGE,), "a/b")
    backend._send_parts("0" * 32, [b"1"], 0)
    expiring = [key for key in keys_of(backend) if backend._redis.ttl(key) >= 0]
    assert [key.rsplit(":", 2)[1] for key in expiring] == ["0" * 32]


def test_an_object_without_one_of_its_parts_is_not_written(backend: RedisBackend) -> None:
    """A part that the server has dropped meanwhile is noticed."""
    sending = backend._send_parts

    def send(*arguments: object) -> None:
        sending(*arguments)  # type: ignore[arg-type]  # as they are
        backend._redis.delete(*(key for key in keys_of(backend) if key.endswith(":1")))

    backend._send_parts = send  # type: ignore[method-assign,assignment]  # the test's own
    with pytest.raises(StoreError, match="part of the object"):
        backend.write("x", (LARGE,), "a/b")
    assert backend.head("x") is None


def test_a_request_that_comes_twice_counts_once(backend: RedisBackend) -> None:
    """As when the connection was lost after the server has carried it out."""
    script = backend._put_script

    def twice(**arguments: object) -> object:
        script(**arguments)
        return script(**arguments)

    backend._put_script = twice
    found = backend.create("x", (b"1",), "a/b")
    assert found is not None
    assert backend.update(found, b"2", "a/b") is not None


def test_a_touch_changes_the_time_only(backend: RedisBackend) -> None:
    """And only of the object that was found."""
    found = backend.create("x", (b"1",), "a/b")
    assert found is not None
    backend.touch(found, b"", "a/b")
    young = backend.head("x")
    assert young is not None
    assert young.modified > found.modified
    assert young.tag == found.tag
    backend.touch(ObjectInfo("x", 1, 0.0, '"other"'), b"", "a/b")
    assert backend.head("x") == young
    backend.delete("x")
    backend.touch(found, b"", "a/b")
    assert backend.head("x") is None


def test_listings_have_each_object_below_a_prefix_once(redis_server: RedisServer) -> None:
    """Not those of other stores, though their names look alike, and whatever is added meanwhile."""
    mine, other = backend_of(redis_server, "lab"), backend_of(redis_server, "lab/more")
    names = [f"ac/v1/{number:04}" for number in range(2500)]
    for name in names:
        mine.write(name, (b"1",), "a/b")
    for backend, path in ((mine, "ac/v10"), (mine, "cas/[x]*"), (other, "ac/v1/x")):
        backend.write(path, (b"1",), "a/b")
    seen = []
    for found in mine.list("ac/v1"):
        seen.append(found.path)
        if len(seen) < 1000:
            other.write(f"ac/v1/{len(seen)}", (b"1",), "a/b")
    assert sorted(seen) == names
    assert [found.path for found in mine.list("cas/[x]*")] == []
    assert [found.path for found in mine.list("cas")] == ["cas/[x]*"]


def _read(backend: RedisBackend, answers: object) -> None:
    found = backend.get("x")
    answers.put(None if found is None else bytes(found))  # type: ignore[attr-defined]  # a queue


def test_a_forked_process_has_connections_of_its_own(backend: RedisBackend) -> None:
    """Both read the right answers at the same time."""
    backend.write("x", (LARGE,), "a/b")
    context = multiprocessing.get_context("fork")
    answers = context.Queue()
    processes = [context.Process(target=_read, args=(backend, answers)) for _ in range(3)]
    for process in processes:
        process.start()
    for _ in range(20):
        assert bytes(backend.get("x") or b"") == LARGE
    assert [answers.get(timeout=60) == LARGE for _ in processes] == [True] * 3
    for process in processes:
        process.join(60)


def test_many_threads_share_the_connections(backend: RedisBackend) -> None:
    """More than there are connections; none fails."""
    failures: list[BaseException] = []

    def work(number: int) -> None:
        try:
            for turn in range(5):
                backend.write(f"x/{number}", (b"%d" % turn,), "a/b")
                assert bytes(backend.get(f"x/{number}") or b"") == b"%d" % turn
        except BaseException as error:  # noqa: BLE001 - reported by the test
            failures.append(error)

    threads = [threading.Thread(target=work, args=(number,)) for number in range(100)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []


def calls(backend: RedisBackend) -> list[Callable[[], object]]:
    """Return all kinds of requests."""
    found = ObjectInfo("x", 1, 0.0, '"1"')
    return [
        lambda: backend.read("x"),
        lambda: backend.read_range("x", 0, 1),
        lambda: backend.digest("x"),
        lambda: backend.head("x"),
        lambda: backend.create("x", (b"1",), "a/b"),
        lambda: backend.write("x", (LARGE,), "a/b"),
        lambda: backend.update(found, b"1", "a/b"),
        lambda: backend.touch(found, b"1", "a/b"),
        lambda: backend.delete("x"),
        lambda: backend.delete_unchanged(found),
        lambda: list(backend.list("")),
    ]


@pytest.mark.parametrize("password", ["wrong-password", None])
def test_wrong_credentials_are_denied(redis_server: RedisServer, password: str | None) -> None:
    """The message says what to set, and has no password."""
    backend = backend_of(redis_server, options=StoreOptions(password=password))
    for call in calls(backend):
        with pytest.raises(StoreAccessDenied, match="REDIS_PASSWORD") as caught:
            call()
        assert "wrong-password" not in str(caught.value)


def test_a_user_without_rights_is_denied(own_server: RedisServer) -> None:
    """One that may read only can read."""
    administrator = backend_of(own_server, "x")
    administrator.write("x", (b"1",), "a/b")
    administrator._redis.acl_setuser(
        "reader",
        enabled=True,
        passwords=["+word"],
        keys=["voxk8s*"],
        categories=["+@read", "+@connection"],
    )
    reader = backend_of(own_server, "x", StoreOptions(user="reader", password="word"))
    assert bytes(reader.get("x") or b"") == b"1"
    with pytest.raises(StoreAccessDenied, match="access denied"):
        reader.write("x", (b"2",), "a/b")


def test_a_server_that_is_gone_is_unreachable(own_server: RedisServer) -> None:
    """Soon, by every request."""
    backend = backend_of(own_server)
    backend.write("x", (b"1",), "a/b")
    redis.end(own_server)
    for call in calls(backend):
        with pytest.raises(StoreUnreachable, match="does not answer"):
            call()


def test_a_server_that_has_started_anew_is_used_again(tmp_path: Path) -> None:
    """Its connections and scripts are made again without an error."""
    with redis.serve(tmp_path / "a") as first:
        backend = backend_of(first)
        backend.write("x", (b"1",), "a/b")
        backend._redis.script_flush()
        backend.write("x", (b"2",), "a/b")
        backend._redis.client_kill_filter(skipme=False, _type="normal")
        backend.write("x", (b"3",), "a/b")
        assert bytes(backend.get("x") or b"") == b"3"


def test_a_full_server_says_so(tmp_path: Path) -> None:
    """What is there stays readable, and nothing is left of what could not be written."""
    options = ("--maxmemory", "8mb", "--maxmemory-policy", "noeviction")
    with redis.serve(tmp_path, *options) as server:
        backend = backend_of(server)
        backend.write("x", (b"1",), "a/b")
        with pytest.raises(StoreError, match="memory is full"):
            backend.write("y", (os.urandom(20 * PART),), "a/b")
        assert len(keys_of(backend)) == 1
        assert bytes(backend.get("x") or b"") == b"1"


def test_a_replica_is_named_as_such(own_server: RedisServer) -> None:
    """Writes go to its primary only."""
    backend = backend_of(own_server)
    backend._redis.replicaof("127.0.0.1", "1")
    with pytest.raises(StoreAccessDenied, match="read-only replica"):
        backend.write("x", (b"1",), "a/b")


def test_a_cluster_is_refused(tmp_path: Path) -> None:
    """A store needs all keys in one place."""
    with (
        redis.serve(tmp_path, "--cluster-enabled", "yes") as server,
        pytest.raises(StoreError, match="Redis Cluster, expected one server"),
    ):
        backend_of(server).write("x", (b"1",), "a/b")


@pytest.fixture
def tls_port(redis_server: RedisServer, tmp_path: Path) -> Iterator[int]:
    """A port that takes TLS in front of the server, with a certificate of its own in cert.pem."""
    subprocess.run(
        [
            *("openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2"),
            *("-keyout", str(tmp_path / "key.pem"), "-out", str(tmp_path / "cert.pem")),
            *("-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost"),
        ],
        check=True,
        capture_output=True,
    )
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(tmp_path / "cert.pem", tmp_path / "key.pem")
    listener = socket.create_server(("127.0.0.1", 0))

    def forward(source: socket.socket, target: socket.socket) -> None:
        with suppress(OSError):
            while data := source.recv(65536):
                target.sendall(data)
        for each in (source, target):
            with suppress(OSError):
                each.shutdown(socket.SHUT_RDWR)

    def serve() -> None:
        with suppress(OSError):
            while True:
                plain, _ = listener.accept()
                with suppress(OSError):
                    client = context.wrap_socket(plain, server_side=True)
                    server = socket.create_connection(("127.0.0.1", redis_server.port))
                    for pair in ((client, server), (server, client)):
                        threading.Thread(target=forward, args=pair, daemon=True).start()

    threading.Thread(target=serve, daemon=True).start()
    yield listener.getsockname()[1]
    listener.close()


def test_connections_with_tls_trust_known_authorities_only(
    redis_server: RedisServer, tls_port: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Those of the system, or of SSL_CERT_FILE."""
    location = parse_url(f"rediss://localhost:{tls_port}/0/{uuid4().hex}")
    with pytest.raises(StoreUnreachable, match="certificate verify failed"):
        RedisBackend(location, redis_server.options).head("x")
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "cert.pem"))
    backend = RedisBackend(location, redis_server.options)
    backend.write("x", (LARGE,), "a/b")
    assert bytes(backend.get("x") or b"") == LARGE
    assert backend.url.startswith("rediss://localhost:")
