"""Objects in Redis, or a server that speaks its protocol (Valkey, KeyDB, Dragonfly).

Conditions are checked by the server, in one step with the writing (`redis_scripts`). Objects larger
than a part are written in parts, so that neither a value's limit of 512 MB nor one long request
matters. One server, with or without replicas, not Redis Cluster: a store needs all keys in one
place.

Bytes are as durable as the server is set to be (`appendonly yes`). With a policy that evicts keys
under memory pressure an evicted object is a miss, and `noeviction` fails writes instead.
"""

from __future__ import annotations

import hashlib
import re
import secrets
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import suppress
from functools import partial
from typing import Any, Final, TypeVar

import redis
from redis import exceptions
from redis.backoff import ExponentialBackoff
from redis.retry import Retry

from voxk8s.constants import ENV_REDIS_PASSWORD, ENV_REDIS_USER
from voxk8s.errors import StoreAccessDenied, StoreError, StoreFull, StoreUnreachable
from voxk8s.storage import redis_scripts
from voxk8s.storage.backend import Backend, ObjectInfo
from voxk8s.storage.counters import Counters
from voxk8s.storage.store_options import Location, StoreOptions
from voxk8s.storage.value_codec import digest_of

T = TypeVar("T")

PART: Final = 1024 * 1024
"""Bytes of a part; an object of at most this size has none."""
_PARTS_A_REQUEST: Final = 8
_UPLOAD_SECONDS: Final = 24 * 3600
"""Parts to which no object refers after this time are deleted by the server."""
_CONNECT_SECONDS: Final = 3.0
_SILENCE_SECONDS: Final = 10.0
"""A server that sends or takes nothing for this long does not answer."""
_READ_BYTES: Final = 256 * 1024
"""Buffer of a connection: with the client's 64 KiB large objects take longer to read."""
_RETRIES: Final = 3
_CONNECTIONS: Final = 64
_PAGE: Final = 1000
_TRIES: Final = 4
_INFO: Final = ("size", "time", "tag")

_DENIED: Final = (
    exceptions.AuthenticationError,
    exceptions.AuthorizationError,
    exceptions.NoPermissionError,
)
_CLUSTER: Final = (exceptions.ClusterError, exceptions.ClusterCrossSlotError, exceptions.MovedError)
# Errors within a script come as its own, with these words.
_DENIED_WORDS: Final = re.compile(
    r"NOAUTH|WRONGPASS|NOPERM|invalid (username-)?password", re.IGNORECASE
)
_GLOB: Final = re.compile(r"[*?\[\]\\^]")


class RedisBackend(Backend):
    """Objects at paths as hashes in Redis. Safe in threads, and in forked processes."""

    def __init__(self, location: Location, options: StoreOptions) -> None:
        """Prepare connections, without a request; `options` are complete."""
        self.url = location.url
        self.counters = Counters()
        self.remote = True
        self.touch_needs_data = False
        host, _, database = location.root.partition("/")
        name, _, port = host.rpartition(":")
        self._objects = f"voxk8s:{location.prefix}:"
        self._parts = f"voxk8s-part:{location.prefix}:"
        is_secure = location.scheme == "rediss"
        pool = redis.BlockingConnectionPool(  # type: ignore[no-untyped-call]  # so it is
            connection_class=redis.SSLConnection if is_secure else redis.Connection,
            max_connections=_CONNECTIONS,
            timeout=_SILENCE_SECONDS,
            host=name.strip("[]"),
            port=int(port),
            db=int(database),
            username=options.user,
            password=options.password,
            socket_connect_timeout=_CONNECT_SECONDS,
            socket_timeout=_SILENCE_SECONDS,
            socket_keepalive=True,
            socket_read_size=_READ_BYTES,
            client_name="voxk8s",
            # The scripts take a request that comes twice for one.
            retry=Retry(ExponentialBackoff(cap=1.0, base=0.05), _RETRIES),
        )
        self._redis: Any = redis.Redis(connection_pool=pool)
        self._put_script: Any = self._redis.register_script(redis_scripts.PUT)
        self._touch_script: Any = self._redis.register_script(redis_scripts.TOUCH)
        self._delete_script: Any = self._redis.register_script(redis_scripts.DELETE)

    def read(
        self,
        path: str,
        *,
        bulk: bool = False,  # noqa: ARG002 - one kind of request
        most: int | None = None,
    ) -> tuple[memoryview, ObjectInfo] | None:
        """Return all bytes at a path with their metadata, or None; see `Backend.read`."""
        for _ in range(_TRIES):
            answer = self._call("read", partial(self._read_once, path, most))
            # Another writer may replace the object meanwhile. Or the server has evicted a part:
            # then whoever checks the bytes finds them corrupt.
            if answer is None or len(answer[0]) == min(answer[1].size, most or answer[1].size):
                break
        if answer is not None:
            self.counters.add("bytes_read", len(answer[0]))
        return answer

    def _read_once(self, path: str, most: int | None) -> tuple[memoryview, ObjectInfo] | None:
        fields = self._redis.hmget(self._objects + path, *_INFO, "data", "parts", "upload")
        found = _info(path, fields)
        if found is None:
            return None
        if fields[3] is not None:
            return memoryview(fields[3])[:most], found
        count = int(fields[4])
        if most is not None:
            count = min(count, most // PART + 1)
        return memoryview(b"".join(self._read_parts(fields[5], count)))[:most], found

    def read_range(self, path: str, start: int, size: int) -> memoryview | None:
        """Return some bytes of an object, fewer at its end; None if it is missing."""

        def request() -> memoryview | None:
            found = self._redis.hmget(self._objects + path, "data", "parts", "upload", "tag")
            if found[3] is None:
                return None
            if found[0] is not None:
                return memoryview(found[0])[start : start + size]
            first, last = start // PART, min((start + size - 1) // PART, int(found[1]) - 1)
            data = b"".join(self._read_parts(found[2], last + 1, first))
            return memoryview(data)[start - first * PART :][:size]

        data = self._call("read", request)
        if data is not None:
            self.counters.add("bytes_read", len(data))
        return data

    def digest(self, path: str) -> tuple[str, int] | None:
        """Return SHA-256 and size of an object, read in parts, or None."""

        def request() -> tuple[str, int] | None:
            fields = self._redis.hmget(self._objects + path, "data", "parts", "upload", "tag")
            if fields[3] is None:
                return None
            state, size = hashlib.sha256(), 0
            whole = [fields[0]]
            for part in whole if fields[1] is None else self._read_parts(fields[2], int(fields[1])):
                state.update(part)
                size += len(part)
            return state.hexdigest(), size

        return self._call("read", request)

    def head(self, path: str) -> ObjectInfo | None:
        """Return the metadata of an object, or None."""
        return self._call(
            "look", lambda: _info(path, self._redis.hmget(self._objects + path, *_INFO))
        )

    def create(
        self, path: str, parts: Sequence[bytes | memoryview], media_type: str
    ) -> ObjectInfo | None:
        """Write an object unless there is one; None when there is."""
        return self._put_if(path, parts, media_type, mode="create")

    def write(
        self,
        path: str,
        parts: Iterable[bytes | memoryview],
        media_type: str,
        *,
        size: int | None = None,
    ) -> ObjectInfo:
        """Write an object, replacing an existing one; `size` is that of all parts."""
        written = self._put_if(path, parts, media_type, mode="write", size=size)
        if written is None:
            raise AssertionError("a write has no condition")
        return written

    def has_bytes(self, found: ObjectInfo, parts: Iterable[bytes | memoryview]) -> bool | None:
        """Whether an object that was found has these bytes: it is read."""
        seen = self.digest(found.path)
        return None if seen is None else seen[0] == digest_of(parts)

    def update(self, found: ObjectInfo, data: bytes, media_type: str) -> ObjectInfo | None:
        """Write an object unless it has changed since it was found; None when it has."""
        return self._put_if(found.path, (data,), media_type, mode="update", tag=found.tag)

    def touch(
        self,
        found: ObjectInfo,
        data: bytes | memoryview,  # noqa: ARG002 - only the time is set
        media_type: str,  # noqa: ARG002 - the same
    ) -> None:
        """Set an object's time of change to now, unless it has changed."""
        key = self._objects + found.path
        self._call("write", lambda: self._touch_script(keys=[key], args=[found.tag]))

    def delete(self, path: str) -> None:
        """Delete an object if there is one."""
        self._delete(path, "")

    def delete_unchanged(self, found: ObjectInfo) -> bool:
        """Delete an object unless it has changed since it was found; whether it was deleted."""
        return self._delete(found.path, found.tag)

    def list(self, prefix: str) -> Iterator[ObjectInfo]:
        """Iterate over all objects below a prefix, each once; looks at all keys of the server."""
        folder = f"{prefix.rstrip('/')}/" if prefix else ""
        pattern = _GLOB.sub(r"\\\g<0>", self._objects + folder) + "*"
        cut = len(self._objects.encode())
        cursor, seen = 0, set[int]()
        while True:
            cursor, keys = self._call("list", partial(self._scan, cursor, pattern))
            # A server that grows or shrinks its table meanwhile gives some keys twice.
            fresh = [key for key in dict.fromkeys(keys) if hash(key) not in seen]
            seen.update(map(hash, fresh))
            for key, fields in zip(fresh, self._infos(fresh), strict=True):
                found = _info(key[cut:].decode(), fields)
                if found is not None:
                    yield found
            if cursor == 0:
                return

    def _scan(self, cursor: int, pattern: str) -> Any:
        return self._redis.scan(cursor, match=pattern, count=_PAGE)

    def _infos(self, keys: Sequence[bytes]) -> Sequence[Any]:
        if not keys:
            return ()

        def request() -> Sequence[Any]:
            pipeline = self._redis.pipeline(transaction=False)
            for key in keys:
                pipeline.hmget(key, *_INFO)
            answers: Sequence[Any] = pipeline.execute()
            return answers

        return self._call("list", request)

    def _put_if(
        self,
        path: str,
        parts: Iterable[bytes | memoryview],
        media_type: str,
        *,
        mode: str,
        tag: str = "",
        size: int | None = None,
    ) -> ObjectInfo | None:
        size = sum(map(len, parts)) if size is None else size
        new, upload, count = f'"{secrets.token_hex(16)}"', secrets.token_hex(16), 0
        if size > PART:
            if mode == "create" and self.head(path) is not None:
                return None
            for pieces in _groups(_pieces(parts), _PARTS_A_REQUEST):
                first, count = count, count + len(pieces)
                try:
                    self._call("write", partial(self._send_parts, upload, pieces, first))
                except StoreError:
                    self._drop_parts(upload, count)
                    raise
        last = upload if count else b"".join(parts)
        args = [self._parts, mode, tag, new, media_type, size, count, last]
        time = self._call("write", lambda: self._put_script(keys=[self._objects + path], args=args))
        if time is None:
            self._drop_parts(upload, count)
            return None
        self.counters.add("bytes_written", size)
        return ObjectInfo(path, size, int(time) / 1e6, new)

    def _send_parts(self, upload: str, pieces: Sequence[bytes], first: int) -> None:
        pipeline = self._redis.pipeline(transaction=False)
        for number, piece in enumerate(pieces, first):
            pipeline.set(f"{self._parts}{upload}:{number}", piece, ex=_UPLOAD_SECONDS)
        pipeline.execute()

    def _drop_parts(self, upload: str, count: int) -> None:
        """Delete parts that are of no use, as far as the server answers: the others expire."""
        for numbers in _groups(range(count), _PAGE):
            names = [f"{self._parts}{upload}:{number}" for number in numbers]
            with suppress(StoreError):
                self._call("delete", partial(self._redis.unlink, *names))

    def _read_parts(self, upload: bytes, count: int, first: int = 0) -> Iterator[bytes]:
        """Iterate over parts; ends early where one is missing."""
        names = [f"{self._parts}{upload.decode()}:{number}" for number in range(first, count)]
        for group in _groups(names, _PARTS_A_REQUEST):
            for part in self._redis.mget(group):
                if part is None:
                    return
                yield part

    def _delete(self, path: str, tag: str) -> bool:
        arguments = {"keys": [self._objects + path], "args": [self._parts, tag]}
        return bool(self._call("delete", lambda: self._delete_script(**arguments)))

    def _call(self, doing: str, request: Callable[[], T]) -> T:
        """Return what a request returns; raises our errors for those of Redis."""
        self.counters.add("requests")
        try:
            return request()
        except (exceptions.RedisError, OSError) as error:
            raise _converted(error, self.url, doing) from error


def _info(path: str, fields: Sequence[Any]) -> ObjectInfo | None:
    """Return the metadata of the fields of `_INFO`; None for an object that does not exist."""
    size, time, tag = fields[:3]
    return None if tag is None else ObjectInfo(path, int(size), int(time) / 1e6, tag.decode())


def _pieces(parts: Iterable[bytes | memoryview]) -> Iterator[bytes]:
    """Divide the bytes of several buffers into pieces of PART bytes."""
    piece = bytearray()
    for part in parts:
        view = memoryview(part).cast("B")
        while len(view):
            room = PART - len(piece)
            piece += view[:room]
            view = view[room:]
            if len(piece) == PART:
                yield bytes(piece)
                piece.clear()
    if piece:
        yield bytes(piece)


def _groups(items: Iterable[T], size: int) -> Iterator[list[T]]:
    group: list[T] = []
    for item in items:
        group.append(item)
        if len(group) == size:
            yield group
            group = []
    if group:
        yield group


def _converted(error: BaseException, url: str, doing: str) -> StoreError:
    """Return our error for one of Redis; the message has no credentials."""
    where, reason = f"cannot {doing} in the store {url}", str(error).split("\n", 1)[0][:200]
    if "READONLY" in reason or isinstance(error, exceptions.ReadOnlyError):
        return StoreAccessDenied(f"{where}: the server is a read-only replica; name its primary")
    if isinstance(error, _DENIED) or _DENIED_WORDS.search(reason):
        return StoreAccessDenied(
            f"{where}: access denied ({reason}); set {ENV_REDIS_USER} and {ENV_REDIS_PASSWORD}, and"
            f" let the user read, write and run scripts on keys voxk8s*"
        )
    if isinstance(error, _CLUSTER):
        return StoreError(f"{where}: it is a Redis Cluster, expected one server")
    if isinstance(error, (exceptions.ConnectionError, exceptions.TimeoutError, OSError)):
        return StoreUnreachable(f"{where}: it does not answer ({reason})")
    if "maxmemory" in reason or isinstance(error, exceptions.OutOfMemoryError):
        return StoreFull(f"{where}: the server's memory is full (maxmemory)")
    return StoreError(f"{where}: {reason}")
