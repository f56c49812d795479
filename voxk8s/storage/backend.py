"""Objects at paths in S3, a folder or memory: one code path over obstore.

Only this module and `store_errors` import obstore. A missing object is None; every other failure
is a StoreError. Requests to a remote store are sent again as `request_retry` says. A store that
does not answer raises StoreUnreachable within about ten seconds, or a minute when large objects are
written or the store is listed.
"""

from __future__ import annotations

import hashlib
import re
import threading
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from functools import cached_property, partial
from pathlib import Path
from typing import TYPE_CHECKING, Final, TypeVar

import obstore
from obstore.exceptions import AlreadyExistsError, BaseError, PreconditionError
from obstore.store import LocalStore, MemoryStore, ObjectStore, S3Store

from voxk8s.errors import InvalidUsage, StoreError
from voxk8s.storage.byte_source import ByteSource, PieceSource
from voxk8s.storage.counters import Counters
from voxk8s.storage.fork_guard import ForkGuard
from voxk8s.storage.request_retry import Patience, RequestRetry
from voxk8s.storage.store_errors import (
    convert,
    is_beyond_end,
    is_inconclusive_404,
    is_not_s3,
    judge,
    missing_credentials,
)
from voxk8s.storage.store_options import Location, StoreOptions
from voxk8s.storage.thread_pool import ThreadPool
from voxk8s.storage.timeouts import UNLIMITED, Timeouts

if TYPE_CHECKING:
    from obstore import GetOptions, GetResult, ObjectMeta

T = TypeVar("T")

_PART: Final = 5 * 1024 * 1024
"""Size of the parts of an upload: the least that S3 takes, since a part is sent in one request."""
_MULTIPART_FROM: Final = 2 * _PART
_TRIES_SMALL: Final = 2
_QUICK_UPTO: Final = 256 * 1024
"""Larger objects may take long to send on a slow line."""
_CHUNK: Final = 8 * 1024 * 1024
_PIECE: Final = 1024 * 1024
_PIECES_AHEAD: Final = 3
_PLAIN_ETAG: Final = re.compile(r'"?[0-9a-f]{32}"?')
"""The MD5 of an object that was written by one request."""

# obstore raises its own errors and these built-in ones.
_OBSTORE_ERRORS: Final = (BaseError, OSError, NotImplementedError, ValueError)

_threads = ForkGuard("a result store")

_memories: dict[str, MemoryStore] = {}
_memories_lock = threading.Lock()


Move = Callable[[str], None]
"""Moves a file that is complete to the path of an object, in place of an existing one."""


class UnsupportedUpdate(StoreError):
    """The store cannot update an object on the condition that it has not changed."""


@dataclass(frozen=True, slots=True)
class ObjectInfo:
    """The metadata of an object; `modified` is in seconds since 1970, `tag` is the ETag."""

    path: str
    size: int
    modified: float = 0.0
    tag: str = ""

    def is_same(self, other: ObjectInfo) -> bool:
        """Whether two answers are about the same bytes, as far as ETag, size and time show."""
        if self.tag and other.tag:
            return self.tag == other.tag
        return self == other


class _Clients:
    """One store with several time-outs; opening a client of S3 costs milliseconds of CPU."""

    def __init__(self, location: Location, options: StoreOptions, timeouts: Timeouts) -> None:
        self._at = location, options
        self._is_remote = location.scheme == "s3"
        self._timeouts = timeouts
        self.small = _open(location, options, timeouts.connect, timeouts.small, timeouts.small)

    @cached_property
    def bulk(self) -> ObjectStore:
        """For objects of any size, and when a line is too slow for small requests."""
        if not self._is_remote:
            return self.small
        times = self._timeouts
        return _open(*self._at, times.connect_bulk, UNLIMITED, times.idle)

    @cached_property
    def upload(self) -> ObjectStore:
        """For large objects; a part that failed is sent again by obstore, not the whole object."""
        if not self._is_remote:
            return self.small
        times = self._timeouts
        return _open(*self._at, times.connect_bulk, UNLIMITED, times.sent, retries=10)

    def quick(self, failures: int) -> ObjectStore:
        """Return the client for a small request that has failed so often."""
        return self.small if failures < _TRIES_SMALL else self.bulk


class Backend:
    """Objects at paths. Safe to use from many threads."""

    def __init__(
        self,
        location: Location,
        options: StoreOptions,
        *,
        timeouts: Timeouts | None = None,
        patience: Patience | None = None,
    ) -> None:
        """Open a store; `options` are complete (see `StoreOptions.filled`)."""
        self.url = location.url
        self.counters = Counters()
        self.remote = location.scheme == "s3"
        self.touch_needs_data = True
        self._takes_attributes = location.scheme != "file"
        self._open = partial(_Clients, location, options, timeouts or Timeouts())
        self._retry = RequestRetry(judge, patience) if self.remote else None
        self._opening = threading.Lock()
        self._opened: _Clients | None = None
        if self.remote:
            # Opened at first use: every task brings a store, which most processes have open.
            if (options.key is None) != (options.secret is None):
                raise missing_credentials(self.url)
            return
        try:
            self._opened = self._open()
        except _OBSTORE_ERRORS as error:
            raise convert(error, self.url, "open anything") from error

    @cached_property
    def _readers(self) -> ThreadPool:
        """Threads that read ahead."""
        return ThreadPool(_PIECES_AHEAD)

    @property
    def _clients(self) -> _Clients:
        opened = self._opened
        if opened is not None:
            return opened
        with self._opening:
            if self._opened is None:
                self._opened = self._open()
            return self._opened

    def get(self, path: str, *, bulk: bool = False) -> memoryview | None:
        """Return all bytes at a path, or None."""
        read = self.read(path, bulk=bulk)
        return None if read is None else read[0]

    def read(
        self, path: str, *, bulk: bool = False, most: int | None = None
    ) -> tuple[memoryview, ObjectInfo] | None:
        """Return all bytes at a path with their metadata, or None.

        Of an object of more than `most` bytes only so many are read: its metadata has the size.
        """

        def request(failures: int) -> tuple[memoryview, ObjectInfo]:
            clients = self._clients
            answer = obstore.get(clients.bulk if bulk else clients.quick(failures), path)
            found = _found(answer.meta)
            if most is not None and found.size > most:
                return _first(answer, most), found
            try:
                return memoryview(answer.bytes()), found
            except _OBSTORE_ERRORS as error:
                if not is_beyond_end(error):
                    raise
                # A file that was cut off after it was opened: nothing passes no check, and whoever
                # checks reads it once more.
                return memoryview(b""), found

        whole = _Download(lambda: self._clients.bulk, path, most).resume
        found = self._existing("read", whole if bulk and self.remote else request, with_body=True)
        if found is not None:
            self.counters.add("bytes_read", len(found[0]))
        return found

    def read_range(self, path: str, start: int, size: int) -> memoryview | None:
        """Return `size` bytes from `start`, fewer at the object's end, or None without object."""

        def request(_: int) -> memoryview:
            clients = self._clients
            try:
                answer = obstore.get(clients.bulk, path, options={"range": (start, start + size)})
                return memoryview(answer.bytes())
            except _OBSTORE_ERRORS as error:
                if is_beyond_end(error):
                    return memoryview(b"")
                raise

        data = self._existing("read", request, with_body=True)
        if data is not None:
            self.counters.add("bytes_read", len(data))
        return data

    def open_source(self, path: str, size: int) -> ByteSource | None:
        """Open an object of `size` bytes to read it once, in pieces, or return None.

        More bytes than that are read if there are any, but not all of them.
        """

        def piece(start: int) -> memoryview | None:
            return self.read_range(path, start, min(_CHUNK, size + 1 - start))

        first = piece(0)
        if first is None:
            return None
        starts = iter(range(len(first), size + 1, _CHUNK)) if len(first) == _CHUNK else iter(())
        ahead: deque[Callable[[], memoryview | None]] = deque([lambda: first])

        def next_piece() -> memoryview | None:
            # While one piece is used, the next ones are on the way.
            while len(ahead) < _PIECES_AHEAD and (start := next(starts, None)) is not None:
                ahead.append(self._readers.submit(partial(piece, start)))
            return ahead.popleft()() if ahead else None

        return PieceSource(next_piece)

    @contextmanager
    def staged(self, parts: Iterable[bytes | memoryview]) -> Iterator[Move | None]:  # noqa: ARG002 - for folders
        """Write a file whose path is not known yet, for a later move; None where that is none."""
        yield None

    def digest(self, path: str) -> tuple[str, int] | None:
        """Return SHA-256 and size of an object, read in chunks, or None."""
        state, size = hashlib.sha256(), 0
        while True:
            data = self.read_range(path, size, _CHUNK)
            if data is None:
                return None
            state.update(data)
            size += len(data)
            if len(data) < _CHUNK:
                return state.hexdigest(), size

    def head(self, path: str) -> ObjectInfo | None:
        """Return the metadata of an object, or None."""

        def request(failures: int) -> ObjectInfo:
            return _found(obstore.head(self._clients.quick(failures), path))

        return self._existing("look", request)

    def create(
        self, path: str, parts: Sequence[bytes | memoryview], media_type: str
    ) -> ObjectInfo | None:
        """Write an object unless there is one; None when there is, or on a conflict.

        S3 answers "conflict" when two writers meet, and neither may have won: None does not mean
        that the object exists.
        """
        try:
            return self._put(path, parts, media_type, create=True)
        except AlreadyExistsError:
            return None
        except _OBSTORE_ERRORS as error:
            raise self._converted(error, "write") from error

    def write(
        self,
        path: str,
        parts: Iterable[bytes | memoryview],
        media_type: str,
        *,
        size: int | None = None,
    ) -> ObjectInfo:
        """Write an object, replacing an existing one, and return its metadata.

        `parts` are iterated over more than once; `size` is that of all, if it takes long to know.
        """
        try:
            return self._put(path, parts, media_type, create=False, size=size)
        except _OBSTORE_ERRORS as error:
            raise self._converted(error, "write") from error

    def version_of(self, found: ObjectInfo) -> str:
        """Return what the store calls the state of an object: it differs after a change of bytes.

        Empty where it is not known.
        """
        return found.tag

    def has_bytes(self, found: ObjectInfo, parts: Iterable[bytes | memoryview]) -> bool | None:
        """Whether an object that was found has these bytes; None where that is not known.

        Of S3 it is known by the ETag, unless it was written in parts or is encrypted. Elsewhere the
        object is read.
        """
        if not self.remote:
            seen = self.digest(found.path)
            return None if seen is None else seen[0] == _hexdigest("sha256", parts)
        if not _PLAIN_ETAG.fullmatch(found.tag):
            return None
        return found.tag.strip('"') == _hexdigest("md5", parts)

    def update(self, found: ObjectInfo, data: bytes, media_type: str) -> ObjectInfo | None:
        """Write an object unless it has changed since it was found, and return its metadata.

        None when it has changed. Raises UnsupportedUpdate where the store has no conditional
        updates (some S3 servers).
        """
        if not found.tag:
            raise UnsupportedUpdate(f"the store {self.url} has no ETags")

        def request(failures: int) -> ObjectInfo:
            answer = obstore.put(
                self._clients.quick(failures),
                found.path,
                data,
                attributes={"Content-Type": media_type} if self._takes_attributes else None,
                mode={"e_tag": found.tag},
                use_multipart=False,
            )
            return ObjectInfo(found.path, len(data), tag=answer["e_tag"] or "")

        try:
            updated = self._send(request)
        except (PreconditionError, AlreadyExistsError, FileNotFoundError):
            return None
        except _OBSTORE_ERRORS as error:
            if isinstance(error, NotImplementedError) or "status code: 501" in str(error):
                text = f"the store {self.url} has no conditional updates"
                raise UnsupportedUpdate(text) from error
            raise self._converted(error, "write") from error
        self.counters.add("bytes_written", len(data))
        return updated

    def touch(self, found: ObjectInfo, data: bytes | memoryview, media_type: str) -> None:
        """Set an object's time of change to now, unless its content has changed."""
        self.update(found, bytes(data), media_type)

    def delete(self, path: str) -> None:
        """Delete an object if there is one."""

        def request(failures: int) -> None:
            obstore.delete(self._clients.quick(failures), path)

        self._existing("delete", request)

    def delete_unchanged(self, found: ObjectInfo) -> bool:
        """Delete an object unless it has changed since it was found; whether it was deleted.

        It is checked just before: S3 servers know no conditional delete.
        """
        now = self.head(found.path)
        if now is None or not now.is_same(found):
            return False
        self.delete(found.path)
        return True

    def is_foreign(self, path: str) -> bool:  # noqa: ARG002 - for folders
        """Whether a path leads out of the store, by a link that somebody else has made."""
        return False

    def unfinished(self) -> Iterator[ObjectInfo]:
        """Iterate over what killed writers have left behind, as far as it can be listed."""
        return iter(())

    def discard(self, found: ObjectInfo) -> None:
        """Delete something `unfinished`."""
        self.delete(found.path)

    def list(self, prefix: str) -> Iterator[ObjectInfo]:
        """Iterate over all objects below a prefix. Slow: for maintenance only."""
        stream: Iterator[Sequence[ObjectMeta]] | None = None
        last: str | None = None

        def request(_: int) -> Sequence[ObjectMeta] | None:
            nonlocal stream
            if stream is None:
                stream = obstore.list(self._clients.bulk, prefix, offset=last, chunk_size=1000)
            try:
                return next(stream, None)
            except _OBSTORE_ERRORS:
                # A listing that has failed goes on as if it had ended.
                stream = None
                raise

        while chunk := self._existing("list", request):
            yield from map(_found, chunk)
            last = chunk[-1]["path"]

    def _put(
        self,
        path: str,
        parts: Iterable[bytes | memoryview],
        media_type: str,
        *,
        create: bool,
        size: int | None = None,
    ) -> ObjectInfo:
        size = sum(map(len, parts)) if size is None else size
        # Multipart uploads cannot be conditional, and in folders are written without a rename.
        in_parts = self.remote and not create and size >= _MULTIPART_FROM

        def request(_: int) -> ObjectInfo:
            # What is sent in one request is in memory as a whole.
            content = iter(parts) if in_parts else tuple(parts)
            answer = obstore.put(
                # Not the short time-outs for small writes: a busy server may be slow, and the
                # result has cost more than the wait.
                self._clients.bulk if size < _QUICK_UPTO else self._clients.upload,
                path,
                content if not isinstance(content, tuple) or len(content) != 1 else content[0],
                attributes={"Content-Type": media_type} if self._takes_attributes else None,
                mode="create" if create else "overwrite",
                use_multipart=in_parts,
                chunk_size=_PART,
                max_concurrency=4,
            )
            return ObjectInfo(path, size, tag=answer["e_tag"] or "")

        written = self._send(request)
        self.counters.add("bytes_written", size)
        return written

    def _send(self, request: Callable[[int], T]) -> T:
        _threads.enter()
        self.counters.add("requests")
        if self._retry is None:
            return request(0)

        def attempt(failures: int) -> T:
            if failures:
                self.counters.add("retries")
            return request(failures)

        return self._retry.send(attempt)

    def _converted(self, error: BaseException, doing: str) -> StoreError:
        """Return our error for one of obstore's, and drop connections to something not S3.

        A starting server, or a proxy in front of it, may keep giving its first answer on an open
        connection, and connections in use are never closed.
        """
        if self.remote and is_not_s3(error):
            self._opened = None
        return convert(error, self.url, doing)

    def _existing(
        self, doing: str, request: Callable[[int], T], *, with_body: bool = False
    ) -> T | None:
        """Return what a request returns; None where the object is missing."""
        try:
            return self._send(request)
        except _OBSTORE_ERRORS as error:
            # "Not found" may be about something other than the object.
            is_missing = isinstance(error, FileNotFoundError) and not (
                self.remote and is_inconclusive_404(error, with_body=with_body)
            )
            if not is_missing:
                raise self._converted(error, doing) from error
            return None


class _Download:
    """An object that is read as a whole; after an error it goes on where it was."""

    def __init__(
        self, client: Callable[[], ObjectStore], path: str, most: int | None = None
    ) -> None:
        self._client = client
        self._path = path
        self._most = most
        self._found: ObjectInfo | None = None
        self._bytes = bytearray()

    def resume(self, _: int) -> tuple[memoryview, ObjectInfo]:
        """Read what is missing, and return all bytes."""
        found, start = self._found, len(self._bytes)
        if found is None or not found.tag or not start:
            answer = obstore.get(self._client(), self._path)
            found = self._found = _found(answer.meta)
            if self._most is not None and found.size > self._most:
                return _first(answer, self._most), found
            if found.size <= _CHUNK:
                return memoryview(answer.bytes()), found
            self._bytes = bytearray()
        else:
            rest: GetOptions = {"range": {"offset": start}, "if_match": found.tag}
            try:
                answer = obstore.get(self._client(), self._path, options=rest)
            except PreconditionError:  # it has been replaced
                self._found = None
                return self.resume(0)
        for piece in answer.stream(min_chunk_size=_PIECE):
            self._bytes += piece
        return memoryview(self._bytes).toreadonly(), found


def _hexdigest(name: str, parts: Iterable[bytes | memoryview]) -> str:
    state = hashlib.new(name, usedforsecurity=False)
    for part in parts:
        state.update(part)
    return state.hexdigest()


def _first(answer: GetResult, most: int) -> memoryview:
    """Return the first bytes of an object."""
    data = bytearray()
    for piece in answer.stream(min_chunk_size=_PIECE):
        data += piece
        if len(data) >= most:
            break
    return memoryview(data)[:most].toreadonly()


def _found(meta: ObjectMeta) -> ObjectInfo:
    tag = meta["e_tag"] or ""
    return ObjectInfo(meta["path"], meta["size"], meta["last_modified"].timestamp(), tag)


def _open(
    location: Location,
    options: StoreOptions,
    connect: float,
    whole: float,
    silence: float,
    *,
    retries: int = 0,
) -> ObjectStore:
    """Open a store; times in seconds: to connect, of a whole request, and of silence in it."""
    match location.scheme:
        case "memory":
            with _memories_lock:
                return _memories.setdefault(location.root, MemoryStore())
        case "file":
            folder = Path(location.root)
            try:
                # Results may come from private files: who shares a folder says so.
                folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            except (FileExistsError, NotADirectoryError) as error:
                raise InvalidUsage(
                    f"expected a folder for the store {location.url}, found a file"
                ) from error
            return LocalStore(folder)
        case "s3":
            return _s3(location, options, connect, whole, silence, retries)
        case _:
            raise StoreError(f"expected s3://, file:// or memory://, found {location.scheme}://")


def _s3(
    location: Location,
    options: StoreOptions,
    connect: float,
    whole: float,
    silence: float,
    retries: int,
) -> S3Store:
    config = {
        "endpoint": options.endpoint,
        "region": options.region,
        "access_key_id": options.key,
        "secret_access_key": options.secret,
        "session_token": options.token,
    }
    given: dict[str, str | bool] = {name: text for name, text in config.items() if text is not None}
    # The call for many at once is not known to every server, and reports failures less clearly.
    given["disable_bulk_delete"] = True
    is_http = (options.endpoint or "").startswith("http://")
    return S3Store(
        location.root,
        prefix=location.prefix or None,
        config=given,  # type: ignore[arg-type]  # a TypedDict, here without its absent members
        client_options={
            "allow_http": is_http if options.allow_http is None else options.allow_http,
            "connect_timeout": timedelta(seconds=connect),
            "timeout": timedelta(seconds=whole),
            "read_timeout": timedelta(seconds=silence),
        },
        retry_config={
            "max_retries": retries,
            "retry_timeout": timedelta(minutes=5),
            "backoff": {
                "init_backoff": timedelta(milliseconds=100),
                "max_backoff": timedelta(seconds=10),
                "base": 2,
            },
        },
    )
