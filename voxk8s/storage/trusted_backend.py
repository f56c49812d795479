"""Reads of another trust domain: nothing is written there, and what is refused is missing."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Final, NoReturn, TypeVar

from voxk8s.errors import StoreAccessDenied
from voxk8s.storage.backend import Backend, ObjectInfo
from voxk8s.storage.byte_source import ByteSource
from voxk8s.storage.counters import Counters
from voxk8s.storage.open_backend import open_backend
from voxk8s.storage.store_options import Location, StoreOptions

T = TypeVar("T")

_log = logging.getLogger(__name__)

_REFUSALS: Final = 64
"""After so many without an answer nothing more is asked for a while."""
_CLOSED_SECONDS: Final = 300.0


class TrustedBackend(Backend):
    """The objects of another domain, read only. Safe to use from many threads.

    A refusal counts as a missing object, with one warning: some servers refuse to say that one is
    missing.
    """

    def __init__(
        self,
        location: Location,
        options: StoreOptions,
        counters: Counters,
        *,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """Open the domain at its first use; its requests are counted in `counters`."""
        self.url = location.url
        self.counters = counters
        self.remote = location.scheme not in ("file", "memory")
        self.touch_needs_data = False
        self._at = location, options
        self._clock = clock
        self._lock = threading.Lock()
        self._inner: Backend | None = None
        self._refused = 0
        self._closed_until = float("-inf")
        self._warned = False

    def read(
        self, path: str, *, bulk: bool = False, most: int | None = None
    ) -> tuple[memoryview, ObjectInfo] | None:
        """Return all bytes at a path with their metadata, or None."""
        return self._ask(lambda inner: inner.read(path, bulk=bulk, most=most))

    def read_range(self, path: str, start: int, size: int) -> memoryview | None:
        """Return some bytes of an object, or None."""
        return self._ask(lambda inner: inner.read_range(path, start, size))

    def open_source(self, path: str, size: int) -> ByteSource | None:
        """Open an object to read it once, or return None."""
        return self._ask(lambda inner: inner.open_source(path, size))

    def digest(self, path: str) -> tuple[str, int] | None:
        """Return SHA-256 and size of an object, or None."""
        return self._ask(lambda inner: inner.digest(path))

    def head(self, path: str) -> ObjectInfo | None:
        """Return the metadata of an object, or None."""
        return self._ask(lambda inner: inner.head(path))

    def version_of(self, found: ObjectInfo) -> str:
        """Return what the store calls the state of an object."""
        inner = self._opened_backend()
        return "" if inner is None else inner.version_of(found)

    def list(self, prefix: str) -> Iterator[ObjectInfo]:
        """Iterate over all objects below a prefix; a refusal is an error here."""
        inner = self._opened_backend()
        return iter(()) if inner is None else inner.list(prefix)

    def create(self, *_: object, **__: object) -> NoReturn:
        """Refuse to write."""
        self._refuse()

    def write(self, *_: object, **__: object) -> NoReturn:
        """Refuse to write."""
        self._refuse()

    def update(self, *_: object, **__: object) -> NoReturn:
        """Refuse to write."""
        self._refuse()

    def delete(self, *_: object, **__: object) -> NoReturn:
        """Refuse to delete."""
        self._refuse()

    def _refuse(self) -> NoReturn:
        raise StoreAccessDenied(f"nothing is written in the trust domain at {self.url}")

    def _ask(self, request: Callable[[Backend], T | None]) -> T | None:
        if self._clock() < self._closed_until:
            return None
        try:
            inner = self._opened_backend()
            answer = None if inner is None else request(inner)
        except StoreAccessDenied as error:
            self._note_refusal(error)
            return None
        if answer is not None:
            self._refused = 0
        return answer

    def _opened_backend(self) -> Backend | None:
        """Return the back end; None for a folder that does not exist: it is not created here."""
        with self._lock:
            if self._inner is None:
                location, options = self._at
                if location.scheme == "file" and not Path(location.root).is_dir():
                    return None
                self._inner = open_backend(location, options)
                self._inner.counters = self.counters
            return self._inner

    def _note_refusal(self, error: StoreAccessDenied) -> None:
        with self._lock:
            self._refused += 1
            if self._refused >= _REFUSALS:
                self._refused = 0
                self._closed_until = self._clock() + _CLOSED_SECONDS
            if self._warned:
                return
            self._warned = True
        _log.warning("results of the trust domain at %s cannot be used: %s", self.url, error)
