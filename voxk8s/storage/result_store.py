"""The result store: values under their result keys."""

from __future__ import annotations

import logging
import os
import time
from collections.abc import Callable, Iterable
from typing import Final

from voxk8s import constants
from voxk8s.errors import BlobMissing, StoreError
from voxk8s.plan.keys.pins import Pin
from voxk8s.plan.model import Digest, ResultKey
from voxk8s.storage import probe as probing
from voxk8s.storage.backend import Backend
from voxk8s.storage.blob_store import BlobStore
from voxk8s.storage.counters import Counters, Counts, StoreStats, store_stats
from voxk8s.storage.layout import blob_path, record_path, run_path
from voxk8s.storage.lease import Lease
from voxk8s.storage.miss import MISS, Miss
from voxk8s.storage.options import Location, StoreOptions
from voxk8s.storage.pin_store import PinStore
from voxk8s.storage.put_outcome import PutResult, PutStatus, compare
from voxk8s.storage.quarantine import Quarantine
from voxk8s.storage.record import FORMAT, Provenance, Record, encode_record
from voxk8s.storage.record_codec import make_record, read_value
from voxk8s.storage.record_store import RecordStore
from voxk8s.storage.thread_pool import ThreadPool
from voxk8s.storage.upkeep.gc import Collection, collect
from voxk8s.storage.upkeep.gc_policy import Limits
from voxk8s.storage.upkeep.verify import Tell, Verification, verify
from voxk8s.values import Value

_log = logging.getLogger(__name__)

_TRIES: Final = 8
_PAUSE: Final = 0.02
_REMOTE_WIDTH: Final = 32
_LOCAL_WIDTH: Final = 4


class ResultStore:
    """Values by result key, in S3, a folder or memory. Safe in threads; pickles by its address.

    Blobs are written first and the record last, both only if absent, so a record that can be read
    is complete, and two writers cannot disturb each other. Whatever is read is verified.
    Keys are 64 lower-case hexadecimal digits.
    """

    def __init__(
        self,
        location: Location,
        options: StoreOptions,
        resolved: StoreOptions | None = None,
        *,
        clock: Callable[[], float] = time.time,
    ) -> None:
        """Use `open_store` instead; `resolved` is `options` completed from the environment."""
        self._clock = clock
        self._location = location
        self._options = options
        self._backend = Backend(location, resolved or options)
        self._counters = Counters()
        self._quarantine = Quarantine(self._backend, self._counters)
        self._blobs = BlobStore(self._backend, self._quarantine, clock)
        self._pins = PinStore(self._backend, self._quarantine)
        self._pool = ThreadPool(_REMOTE_WIDTH if self._backend.remote else _LOCAL_WIDTH)
        self._records = RecordStore(self._backend, self._quarantine, self._blobs, self._pool, clock)

    # --- results ----------------------------------------------------------------------------

    def get(self, key: str) -> Value | Miss:
        """Give the value of a key, or MISS. Arrays are read-only.

        Corrupt bytes are set aside and are a MISS; so is a record without its blob. Raises
        StoreUnreachable or StoreAccessDenied when the store cannot be asked.
        """
        seen = self._records.seen(key) if self._backend.remote else None
        ahead = None
        if seen is not None:
            # The record says whether the result is still there; its blob comes meanwhile.
            digest, size = seen
            ahead = self._pool.submit(lambda: self._blobs.read(digest, size))
        record = self._records.read(key)
        if record is None or record.format != FORMAT:
            return self._miss(key)
        if record.inline is None and ahead is not None and record.digest == digest:
            data = ahead()
        else:
            data = self._bytes_of(record)
        value = MISS if data is None else read_value(record, data)
        if value is MISS:
            return self._miss(key)
        self._records.remember(record)
        self._counters.add("hits")
        return value

    def put(
        self,
        key: str,
        value: Value,
        provenance: Provenance | None = None,
        *,
        replace: bool = False,
    ) -> PutResult:
        """Store a value under a key, unless the key has one.

        A different value under the key stays, and the status is NONDETERMINISTIC; with `replace`
        the new one takes its place (the status is the same). What is missing or corrupt of a result
        that exists is put right. Raises UnsupportedValue for what is no value.
        """
        path = record_path(key)
        record, encoded = make_record(ResultKey(key), value, provenance)
        if record.inline is None:
            self._blobs.write(encoded, record.digest, record.media_type, replace=replace)
        document = encode_record(record)
        status, held = None, record
        for attempt in range(_TRIES):
            if self._backend.create(path, (document,), "application/json"):
                status = PutStatus.CREATED
                break
            existing = self._records.read(key)
            if existing is not None:
                status = compare(existing, record, encoded, self._bytes_of, self._heal)
                if status is PutStatus.CREATED or (
                    replace and status is PutStatus.NONDETERMINISTIC
                ):
                    self._backend.write(path, (document,), "application/json")
                else:
                    held = existing
                break
            # A conflict that nobody won, or the record was corrupt and has been set aside.
            time.sleep(_PAUSE * attempt)
        if status is None:
            raise StoreError(f"the record of {key} in {self.url} can be neither made nor read")
        self._count(status, key)
        if status is PutStatus.CREATED or replace:
            self._records.remember(record)
        return PutResult(status, held.digest, held.size)

    def contains(self, keys: Iterable[str]) -> set[str]:
        """Those of the keys whose results are complete: the record, and its blob if it has one.

        Many keys are looked up side by side. A positive answer is remembered for a minute.
        """
        return self._records.complete(keys)

    def delete(self, keys: Iterable[str]) -> None:
        """Forget results. Their blobs stay, since others may share them."""
        self._pool.map(self._records.delete, keys)

    def record(self, key: str) -> Record | None:
        """Tell what the store knows about a result, without its value (inline ones excepted)."""
        return self._records.read(key)

    def records(self, keys: Iterable[str]) -> dict[str, Record]:
        """Give the records of many keys, read side by side; those without one are left out."""
        return self._records.many(keys)

    # --- blobs ------------------------------------------------------------------------------

    def url_of(self, digest: str) -> str:
        """URL of a blob, for any S3 client (or, for a folder, any program)."""
        return f"{self.url}/{blob_path(digest)}"

    def read_blob(self, digest: str) -> bytes:
        """Give the bytes of a blob, verified; raises BlobMissing."""
        data = self._blobs.read(Digest(digest))
        if data is None:
            raise BlobMissing(f"there is no (sound) blob {digest} in the store {self.url}")
        return bytes(data)

    # --- pins and the files of runs ---------------------------------------------------------

    def pin_get(self, url: str, size: int, version: str) -> Pin | None:
        """Give the remembered pin of an external input whose size and version are these."""
        return self._pins.get(url, size, version)

    def pin_put(self, pin: Pin, size: int, version: str) -> None:
        """Remember the pin of an external input in one state: `pin_get` will find it."""
        self._pins.put(pin, size, version)

    def write_run_file(self, path: str, data: bytes, media_type: str) -> str:
        """Write a file of a run below runs/, replacing an older one; gives its URL."""
        target = run_path(path)
        self._backend.write(target, (data,), media_type)
        return f"{self.url}/{target}"

    def read_run_file(self, path: str) -> bytes | None:
        """Give the bytes of a run's file, or None."""
        data = self._backend.get(run_path(path), bulk=True)
        return None if data is None else bytes(data)

    # --- the store itself -------------------------------------------------------------------

    @property
    def url(self) -> str:
        """The store's URL in normal form."""
        return self._backend.url

    @property
    def counts(self) -> Counts:
        """What happened here since this store was opened."""
        return self._counters.snapshot()

    def probe(self) -> probing.Probe:
        """Find out what the store can do; raises StoreUnreachable or StoreAccessDenied."""
        return probing.probe(self._backend)

    def ping(self) -> Callable[[], None]:
        """Start asking a remote store for one small object; call the result to hear the answer.

        The call raises StoreUnreachable or StoreAccessDenied. Folders and memory are not asked.
        """
        if not self._backend.remote:
            return _ready
        answer = self._pool.submit(lambda: self._backend.get(constants.PROBE_PATH))

        def wait() -> None:
            answer()

        return wait

    def stats(self) -> StoreStats:
        """Count what is in the store. Lists all of it: slow for large ones."""
        return store_stats(self._backend, self.counts)

    def verify(self, tell: Tell = lambda *_: None) -> Verification:
        """Read everything: corrupt objects are set aside, and what is wrong is told.

        `tell` hears how far it is. Memory is bounded by 48 bytes a blob and one corrupt blob.
        """
        return verify(self._backend, self._blobs, self._pool, self._records.read_quietly, tell)

    def collect(
        self, limits: Limits, *, dry_run: bool = False, tell: Tell = lambda *_: None
    ) -> Collection:
        """Delete results that were not used for long, and blobs that no record names.

        Safe while others use the store: what is used meanwhile stays, or is a miss. With `dry_run`
        only tells what would go.
        """
        return collect(
            self._backend,
            self._pool,
            lambda keys: self._records.many(keys, quietly=True),
            self._records.delete,
            limits,
            self._clock,
            dry_run=dry_run,
            tell=tell,
        )

    def lease(self, key: str, owner: str, *, seconds: float = 30.0, label: str = "") -> Lease:
        """Give the lease of a result key, not taken yet; `probe` tells whether there are leases.

        `owner` is unique to who computes, `label` is what those are told who wait.
        """
        return Lease(self._backend, key, owner, seconds=seconds, clock=self._clock, label=label)

    def __repr__(self) -> str:
        return f"ResultStore({self.url!r})"

    def __reduce__(self) -> tuple[object, ...]:
        return (reopen, (self._location, self._options))

    def __dask_tokenize__(self) -> tuple[str, str]:
        return ("voxk8s.ResultStore", self.url)

    # --- inside -----------------------------------------------------------------------------

    def _bytes_of(self, record: Record) -> memoryview | None:
        if record.inline is not None:
            return memoryview(record.inline)
        return self._blobs.read(record.digest, record.size)

    def _miss(self, key: str) -> Miss:
        self._records.forget(key)
        self._counters.add("misses")
        return MISS

    def _heal(self) -> None:
        self._counters.add("healed")

    def _count(self, status: PutStatus, key: str) -> None:
        match status:
            case PutStatus.CREATED:
                self._counters.add("created")
            case PutStatus.EXISTS:
                self._counters.add("existing")
            case PutStatus.NONDETERMINISTIC:
                self._counters.add("nondeterministic")
                _log.warning("result %s was computed twice with different values", key)


def _ready() -> None:
    """Wait for nothing."""


def reopen(location: Location, options: StoreOptions) -> ResultStore:
    """Open a pickled store in the process that unpickles it."""
    return ResultStore(location, options, options.filled(os.environ))
