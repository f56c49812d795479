"""Objects at paths in S3, a folder or memory: one code path over obstore.

Only this module and `store_errors` import obstore. A missing object is None; every other failure
is a StoreError. Waiting is bounded: a store that does not answer raises StoreUnreachable within
about ten seconds.
"""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Final, TypeVar

import obstore
from obstore.exceptions import AlreadyExistsError, BaseError, PreconditionError
from obstore.store import LocalStore, MemoryStore, ObjectStore, S3Store

from voxk8s.errors import InvalidUsage, StoreError
from voxk8s.storage.fork_guard import ForkGuard
from voxk8s.storage.store_errors import convert, is_inconclusive_404, is_not_s3
from voxk8s.storage.store_options import Location, StoreOptions

if TYPE_CHECKING:
    from obstore import ObjectMeta

T = TypeVar("T")

_CONNECT: Final = timedelta(seconds=2)
_SMALL_REQUEST: Final = timedelta(seconds=5)
_BULK_REQUEST: Final = timedelta(seconds=600)
_RETRY_WITHIN: Final = timedelta(seconds=5)
# Each part must be sent within this time: at least 1 MB/s in all.
_BULK_READ_TIMEOUT: Final = timedelta(seconds=30)
_MULTIPART_FROM: Final = 16 * 1024 * 1024
_PART: Final = 8 * 1024 * 1024

# obstore raises its own errors and these built-in ones.
_OBSTORE_ERRORS: Final = (BaseError, OSError, NotImplementedError, ValueError)

_threads = ForkGuard("a result store")

_memories: dict[str, MemoryStore] = {}
_memories_lock = threading.Lock()


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


class Backend:
    """Objects at paths. Safe to use from many threads."""

    def __init__(self, location: Location, options: StoreOptions) -> None:
        """Open a store; `options` are complete (see `StoreOptions.filled`)."""
        self.url = location.url
        self.remote = location.scheme == "s3"
        self.touch_needs_data = True
        self._takes_attributes = location.scheme != "file"
        self._open = partial(_open, location, options)
        self._opening = threading.Lock()
        self._clients: tuple[ObjectStore, ObjectStore] | None = None
        if self.remote:
            # Opened at first use: every task brings a store, which most processes have open.
            return
        try:
            self._clients = self._open()
        except _OBSTORE_ERRORS as error:
            raise convert(error, self.url, "open anything") from error

    @property
    def _small(self) -> ObjectStore:
        """The client for small requests."""
        return (self._clients or self._opened())[0]

    @property
    def _bulk(self) -> ObjectStore:
        """The client for requests of any size."""
        return (self._clients or self._opened())[1]

    def _opened(self) -> tuple[ObjectStore, ObjectStore]:
        with self._opening:
            if self._clients is None:
                self._clients = self._open()
            return self._clients

    def get(self, path: str, *, bulk: bool = False) -> memoryview | None:
        """Return all bytes at a path, or None."""
        read = self.read(path, bulk=bulk)
        return None if read is None else read[0]

    def read(self, path: str, *, bulk: bool = False) -> tuple[memoryview, ObjectInfo] | None:
        """Return all bytes at a path with their metadata, or None."""

        def request() -> tuple[memoryview, ObjectInfo]:
            answer = obstore.get(self._bulk if bulk else self._small, path)
            return memoryview(answer.bytes()), _found(answer.meta)

        return self._existing("read", request, with_body=True)

    def digest(self, path: str) -> tuple[str, int] | None:
        """Return SHA-256 and size of an object, read in chunks, or None."""

        def request() -> tuple[str, int]:
            state, size = hashlib.sha256(), 0
            for chunk in obstore.get(self._bulk, path).stream(min_chunk_size=_PART):
                state.update(chunk)
                size += len(chunk)
            return state.hexdigest(), size

        return self._existing("read", request, with_body=True)

    def head(self, path: str) -> ObjectInfo | None:
        """Return the metadata of an object, or None."""
        return self._existing("look", lambda: _found(obstore.head(self._small, path)))

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

    def write(self, path: str, parts: Sequence[bytes | memoryview], media_type: str) -> None:
        """Write an object, replacing an existing one."""
        try:
            self._put(path, parts, media_type, create=False)
        except _OBSTORE_ERRORS as error:
            raise self._converted(error, "write") from error

    def update(self, found: ObjectInfo, data: bytes, media_type: str) -> ObjectInfo | None:
        """Write an object unless it has changed since it was found, and return its metadata.

        None when it has changed. Raises UnsupportedUpdate where the store has no conditional
        updates (some S3 servers).
        """
        if not found.tag:
            raise UnsupportedUpdate(f"the store {self.url} has no ETags")
        _threads.enter()
        try:
            answer = obstore.put(
                self._small,
                found.path,
                data,
                attributes={"Content-Type": media_type} if self._takes_attributes else None,
                mode={"e_tag": found.tag},
                use_multipart=False,
            )
        except (PreconditionError, AlreadyExistsError, FileNotFoundError):
            return None
        except _OBSTORE_ERRORS as error:
            if isinstance(error, NotImplementedError) or "status code: 501" in str(error):
                text = f"the store {self.url} has no conditional updates"
                raise UnsupportedUpdate(text) from error
            raise self._converted(error, "write") from error
        return ObjectInfo(found.path, len(data), tag=answer["e_tag"] or "")

    def touch(self, found: ObjectInfo, data: bytes | memoryview, media_type: str) -> None:
        """Set an object's time of change to now, unless its content has changed."""
        self.update(found, bytes(data), media_type)

    def delete(self, path: str) -> None:
        """Delete an object if there is one."""
        self._existing("delete", lambda: obstore.delete(self._small, path))

    def delete_unchanged(self, found: ObjectInfo) -> bool:
        """Delete an object unless it has changed since it was found; whether it was deleted.

        It is checked just before: S3 servers know no conditional delete.
        """
        now = self.head(found.path)
        if now is None or not now.is_same(found):
            return False
        self.delete(found.path)
        return True

    def unfinished(self) -> Iterator[ObjectInfo]:
        """Iterate over what killed writers have left behind, as far as it can be listed."""
        return iter(())

    def discard(self, found: ObjectInfo) -> None:
        """Delete something `unfinished`."""
        self.delete(found.path)

    def list(self, prefix: str) -> Iterator[ObjectInfo]:
        """Iterate over all objects below a prefix. Slow: for maintenance only."""
        stream = self._existing("list", lambda: obstore.list(self._bulk, prefix, chunk_size=1000))
        while stream is not None:
            chunk = self._existing("list", partial(next, stream, None))
            if chunk is None:
                return
            yield from map(_found, chunk)

    def _put(
        self, path: str, parts: Sequence[bytes | memoryview], media_type: str, *, create: bool
    ) -> ObjectInfo:
        size = sum(len(part) for part in parts)
        _threads.enter()
        answer = obstore.put(
            # Long time-outs for small writes too: a busy server may be slow, and the result has
            # cost more than the wait. An unreachable store has failed in a read before.
            self._bulk,
            path,
            parts if len(parts) != 1 else parts[0],
            attributes={"Content-Type": media_type} if self._takes_attributes else None,
            mode="create" if create else "overwrite",
            # Multipart uploads cannot be conditional, and in folders are written without a rename.
            use_multipart=self.remote and not create and size >= _MULTIPART_FROM,
            chunk_size=_PART,
            max_concurrency=4,
        )
        return ObjectInfo(path, size, tag=answer["e_tag"] or "")

    def _converted(self, error: BaseException, doing: str) -> StoreError:
        """Return our error for one of obstore's, and drop connections to something not S3.

        A starting server, or a proxy in front of it, may keep giving its first answer on an open
        connection, and connections in use are never closed.
        """
        if self.remote and is_not_s3(error):
            self._clients = None
        return convert(error, self.url, doing)

    def _existing(
        self, doing: str, request: Callable[[], T], *, with_body: bool = False
    ) -> T | None:
        """Return what a request returns; None where the object is missing."""
        _threads.enter()
        try:
            return request()
        except _OBSTORE_ERRORS as error:
            # "Not found" may be about something other than the object.
            is_missing = isinstance(error, FileNotFoundError) and not (
                self.remote and is_inconclusive_404(error, with_body=with_body)
            )
            if not is_missing:
                raise self._converted(error, doing) from error
            return None


def _found(meta: ObjectMeta) -> ObjectInfo:
    tag = meta["e_tag"] or ""
    return ObjectInfo(meta["path"], meta["size"], meta["last_modified"].timestamp(), tag)


def _open(location: Location, options: StoreOptions) -> tuple[ObjectStore, ObjectStore]:
    """Open a store twice: with short time-outs for small requests, long ones for bulk."""
    match location.scheme:
        case "memory":
            with _memories_lock:
                memory = _memories.setdefault(location.root, MemoryStore())
            return memory, memory
        case "file":
            folder = Path(location.root)
            try:
                folder.mkdir(parents=True, exist_ok=True)
            except (FileExistsError, NotADirectoryError) as error:
                raise InvalidUsage(
                    f"expected a folder for the store {location.url}, found a file"
                ) from error
            local = LocalStore(folder)
            return local, local
        case "s3":
            small = _s3(location, options, _SMALL_REQUEST, _SMALL_REQUEST)
            return small, _s3(location, options, _BULK_REQUEST, _BULK_READ_TIMEOUT)
        case _:
            raise StoreError(f"expected s3://, file:// or memory://, found {location.scheme}://")


def _s3(
    location: Location, options: StoreOptions, request_timeout: timedelta, read_timeout: timedelta
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
            "connect_timeout": _CONNECT,
            "timeout": request_timeout,
            "read_timeout": read_timeout,
        },
        retry_config={
            "max_retries": 3,
            "retry_timeout": _RETRY_WITHIN,
            "backoff": {
                "init_backoff": timedelta(milliseconds=100),
                "max_backoff": timedelta(seconds=1),
                "base": 2,
            },
        },
    )
