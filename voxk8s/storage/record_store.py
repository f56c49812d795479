"""Records by result key: read, checked, looked up many at once, and remembered for a moment."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from voxk8s.plan.model import Digest
from voxk8s.storage.access_refresh import AccessRefresh
from voxk8s.storage.backend import Backend, ObjectInfo
from voxk8s.storage.blob_store import BlobStore
from voxk8s.storage.layout import record_path
from voxk8s.storage.quarantine import Quarantine
from voxk8s.storage.record import FORMAT, Record, decode_record
from voxk8s.storage.thread_pool import ThreadPool
from voxk8s.storage.ttl_cache import RecentResults, Seen


class RecordStore:
    """The part of a store that knows which bytes are the value of a key."""

    def __init__(
        self,
        backend: Backend,
        quarantine: Quarantine,
        blobs: BlobStore,
        pool: ThreadPool,
        clock: Callable[[], float],
    ) -> None:
        """Keep records in `backend`."""
        self._backend = backend
        self._quarantine = quarantine
        self._blobs = blobs
        self._pool = pool
        self._refresh = AccessRefresh(backend, pool, clock)
        self._recent = RecentResults()

    def read(self, key: str) -> Record | None:
        """Read a record that is used: an old one becomes young."""
        return self._read(key, self._refresh.consider)

    def read_quietly(self, key: str) -> Record | None:
        """Read a record without using it."""
        return self._read(key, None)

    def many(self, keys: Iterable[str], *, quietly: bool = False) -> dict[str, Record]:
        """Read the records of many keys side by side; those without one are left out."""
        found = self._pool.map(self.read_quietly if quietly else self.read, keys)
        return {key: record for key, record in found.items() if record is not None}

    def complete(self, keys: Iterable[str]) -> set[str]:
        """Those of the keys whose record is there, and its blob if it has one."""
        wanted = set(keys)
        known = {key for key in wanted if self._recent.get(key) is not None}
        found = self._pool.map(self._is_complete, wanted - known)
        return known | {key for key, complete in found.items() if complete}

    def delete(self, key: str) -> None:
        """Delete a record if there is one."""
        self._recent.drop(key)
        self._backend.delete(record_path(key))
        self._recent.drop(key)

    def seen(self, key: str) -> tuple[Digest, int] | None:
        """Give digest and size of a result's blob, if it was seen a moment ago and has one."""
        seen = self._recent.get(key)
        return None if seen is None or seen.digest is None else (seen.digest, seen.size)

    def remember(self, record: Record) -> None:
        """Remember for a moment that a result is complete."""
        digest = record.digest if record.inline is None else None
        self._recent.add(record.key, Seen(digest, record.size))

    def forget(self, key: str) -> None:
        """Remember no more of a key."""
        self._recent.drop(key)

    def _read(
        self, key: str, seen: Callable[[ObjectInfo, memoryview], None] | None
    ) -> Record | None:
        def check(data: memoryview) -> None:
            decode_record(bytes(data), key)

        data = self._quarantine.read(record_path(key), check, bulk=False, seen=seen)
        if data is None:
            self._recent.drop(key)
            return None
        return decode_record(bytes(data), key)

    def _is_complete(self, key: str) -> bool:
        record = self.read(key)
        if record is None or record.format != FORMAT:
            return False
        if record.inline is None and not self._blobs.exists(record.digest, record.size):
            return False
        self.remember(record)
        return True
