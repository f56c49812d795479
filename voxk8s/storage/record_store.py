"""The records of a store, by result key: verified, looked up in parallel, cached for a minute."""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import suppress
from functools import partial
from typing import Final

import msgspec

from voxk8s.errors import StoreError
from voxk8s.plan.model import Digest
from voxk8s.storage.access_refresh import AccessRefresh
from voxk8s.storage.backend import Backend, ObjectInfo
from voxk8s.storage.blob_store import BlobStore
from voxk8s.storage.layout import record_path
from voxk8s.storage.quarantine import Quarantine
from voxk8s.storage.record import FORMAT, Record, decode_record, encode_record
from voxk8s.storage.thread_pool import ThreadPool
from voxk8s.storage.ttl_cache import TTLCache

_MAX_CACHED: Final = 100_000
_CACHE_SECONDS: Final = 60.0
_MAX_RECORDS: Final = 20_000
_MAX_RECORD_BYTES: Final = 32 * 1024 * 1024
"""Of memory, for records in the cache: some 20,000 with numbers, or 3,500 with 8 KiB in each."""
_RECORD_BYTES: Final = 1024
"""Of memory, for a record without its value and its lists."""
_NAME_BYTES: Final = 120
"""Of memory, for each name in a list of a record."""


class RecordStore:
    """Maps a result key to the record that says which bytes are its value."""

    def __init__(
        self,
        backend: Backend,
        quarantine: Quarantine,
        blobs: BlobStore,
        pool: ThreadPool,
        refresh: AccessRefresh | None,
        *,
        root: str = "",
    ) -> None:
        """Read records; those of another domain have its `root`, and none is refreshed there."""
        self._backend = backend
        self._quarantine = quarantine
        self._blobs = blobs
        self._pool = pool
        self._refresh = refresh
        self._root = root
        # Positive answers only: a result never changes, it may only be deleted.
        # Each with the digest of its blob (None for an inline value) and its size.
        self._complete: TTLCache[tuple[Digest | None, int]] = TTLCache(_MAX_CACHED, _CACHE_SECONDS)
        # Of the youngest of these, the records, which are asked for after a look-up.
        self._recent: TTLCache[Record] = TTLCache(
            _MAX_RECORDS, _CACHE_SECONDS, max_weight=_MAX_RECORD_BYTES
        )

    def read(self, key: str, *, refresh: bool = True, move: bool = True) -> Record | None:
        """Read a record; with `refresh`, which maintenance leaves out, an old one is refreshed.

        A corrupt one is quarantined, unless `move` is off.
        """
        found = self._read(key, refresh=refresh, move=move)
        return None if found is None else found[0]

    def _read(
        self, key: str, *, refresh: bool = True, move: bool = True
    ) -> tuple[Record, ObjectInfo] | None:
        records: list[Record] = []
        objects: list[ObjectInfo] = []

        def check(data: memoryview) -> None:
            records.append(decode_record(bytes(data), key))

        def on_valid(found: ObjectInfo, data: memoryview) -> None:
            objects.append(found)
            if refresh and self._refresh is not None:
                self._refresh.refresh_if_old(found, data)

        path = record_path(key)
        if self._quarantine.read(path, check, bulk=False, on_valid=on_valid, move=move) is None:
            self.uncache(key)
            return None
        record = records[-1]
        if self._root:
            record = msgspec.structs.replace(record, root=self._root)
        return record, objects[-1]

    def read_many(
        self, keys: Iterable[str], *, refresh: bool = True, move: bool = True
    ) -> dict[str, Record]:
        """Read records in parallel; keys without one are left out."""
        found = self._pool.map(partial(self.read, refresh=refresh, move=move), keys)
        return {key: record for key, record in found.items() if record is not None}

    def recent(self, keys: Iterable[str], since: float) -> dict[str, Record]:
        """Return the records that were looked up since then, without a request."""
        found = {key: self._recent.get(key, since) for key in keys}
        return {key: record for key, record in found.items() if record is not None}

    def cached(self, keys: Iterable[str]) -> set[str]:
        """Return the keys that were found complete within the last minute."""
        return {key for key in keys if self._complete.get(key) is not None}

    def complete(self, keys: Iterable[str]) -> set[str]:
        """Return the keys whose record exists, and its blob, unchanged, if it has one."""
        wanted = set(keys)
        known = self.cached(wanted)
        found = self._pool.map(self._is_complete, wanted - known)
        return known | {key for key, complete in found.items() if complete}

    def delete(self, key: str) -> None:
        """Delete a record if there is one."""
        self.uncache(key)
        self._backend.delete(record_path(key))
        # Another thread may have read the record before it was deleted.
        self.uncache(key)

    def cached_blob(self, key: str) -> tuple[Digest, int] | None:
        """Return digest and size of a result's blob, if the result is cached and has one."""
        digest, size = self._complete.get(key) or (None, 0)
        return None if digest is None else (digest, size)

    def cache(self, record: Record) -> None:
        """Add a complete result to the cache."""
        digest = record.digest if record.inline is None else None
        self._complete.put(record.key, (digest, record.size))
        self._recent.put(record.key, record, _memory_of(record))

    def uncache(self, key: str) -> None:
        """Remove a result from the cache."""
        self._complete.drop(key)
        self._recent.drop(key)

    def _is_complete(self, key: str) -> bool:
        found = self._read(key)
        if found is None:
            return False
        record, at = found
        if record.format != FORMAT or (record.inline is None and not self._has_blob(record, at)):
            return False
        self.cache(record)
        return True

    def _has_blob(self, record: Record, at: ObjectInfo) -> bool:
        """Whether the blob of a record is there, as far as size and tag tell.

        With another tag it was changed in place, or copied here with the whole store. Then it is
        read, and the record of sound bytes gets the new tag.
        """
        blob = self._blobs.head(record.digest)
        if blob is None or blob.size != record.size:
            return False
        tag = self._backend.version_of(blob)
        if not record.tag or not tag or tag == record.tag:
            return True
        if not self._blobs.is_sound(record.digest, record.size):
            return False
        if self._refresh is not None:
            document = encode_record(msgspec.structs.replace(record, tag=tag))
            with suppress(StoreError):
                self._backend.update(at, document, "application/json")
        return True


def _memory_of(record: Record) -> int:
    """Return about how many bytes of memory a record takes."""
    made = record.provenance
    lists = made.arguments, made.ancestors, made.ancestor_codes, made.libraries
    names = sum(map(len, lists))
    return _RECORD_BYTES + _NAME_BYTES * names + len(record.inline or b"")
