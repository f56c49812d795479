"""Reads the results and pins of one trust domain, verified."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Final

from voxk8s.plan.model import ResultKey
from voxk8s.storage.access_refresh import AccessRefresh
from voxk8s.storage.backend import Backend
from voxk8s.storage.blob_store import BlobStore
from voxk8s.storage.miss import MISS, Miss
from voxk8s.storage.pin_store import PinStore
from voxk8s.storage.quarantine import Quarantine
from voxk8s.storage.record import FORMAT, Record, read_value
from voxk8s.storage.record_store import RecordStore
from voxk8s.storage.thread_pool import ThreadPool
from voxk8s.values import Value

_STREAM_FROM: Final = 4 * 1024 * 1024
"""Larger blobs are decoded while they are read."""


class DomainReader:
    """The records, blobs and pins of one domain, and the values that they make."""

    def __init__(
        self,
        backend: Backend,
        pool: ThreadPool,
        access: AccessRefresh | None,
        clock: Callable[[], float] = time.time,
    ) -> None:
        """Read a domain; without `access` it is another one's: nothing is marked or moved there."""
        self.url = backend.url
        self._backend = backend
        self._pool = pool
        is_own = access is not None
        self.quarantine = Quarantine(backend, backend.counters, moves=is_own)
        self.blobs = BlobStore(backend, self.quarantine, clock)
        root = "" if is_own else backend.url
        self.records = RecordStore(backend, self.quarantine, self.blobs, pool, access, root=root)
        self.pins = PinStore(backend, self.quarantine, access)

    def read(self, key: str) -> Value | Miss:
        """Return the value of a key, or MISS."""
        cached = self.records.cached_blob(key) if self._backend.remote else None
        ahead = None
        if cached is not None and cached[1] < _STREAM_FROM:
            # The record says whether the result still exists; its blob is read at the same time.
            digest, size = cached
            ahead = self._pool.submit(lambda: self.blobs.read(digest, size))
        record = self.records.read(key)
        value: Value | Miss = MISS
        if record is not None and record.format == FORMAT:
            if record.inline is None and ahead is not None and record.digest == digest:
                data = ahead()
                value = MISS if data is None else read_value(record, data)
            else:
                value = self._value_of(record)
        if record is None or value is MISS:
            self.records.uncache(key)
            return MISS
        self.records.cache(record)
        return value

    def bytes_of(self, record: Record) -> memoryview | None:
        """Return the verified bytes of a record; None when its blob is missing or corrupt."""
        if record.inline is not None:
            return memoryview(record.inline)
        return self.blobs.read(record.digest, record.size)

    def is_cached(self, key: ResultKey | str) -> bool:
        """Whether a result was found complete here within the last minute."""
        return bool(self.records.cached([key]))

    def _value_of(self, record: Record) -> Value | Miss:
        if record.inline is None and record.size >= _STREAM_FROM and not record.is_file:
            return self.blobs.load(record.digest, record.size)
        data = self.bytes_of(record)
        return MISS if data is None else read_value(record, data)
