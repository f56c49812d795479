"""The result store: values under their result keys."""

from __future__ import annotations

import logging
import math
import os
import threading
import time
import weakref
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from functools import cached_property, partial
from typing import TYPE_CHECKING, Final

import msgspec

from voxk8s import constants
from voxk8s.errors import BlobMissing, StoreError
from voxk8s.plan.keys.pins import Pin
from voxk8s.plan.model import Digest, ResultKey
from voxk8s.storage import probe as probing
from voxk8s.storage.access_refresh import AccessRefresh
from voxk8s.storage.cost_store import CostStore
from voxk8s.storage.counters import Counts
from voxk8s.storage.domain_reader import DomainReader
from voxk8s.storage.layout import blob_path, record_path, run_path
from voxk8s.storage.lease import Lease
from voxk8s.storage.miss import MISS, Miss
from voxk8s.storage.open_backend import open_backend
from voxk8s.storage.put_outcome import PutResult, PutStatus, compare
from voxk8s.storage.recent_keys import RecentKeys
from voxk8s.storage.record import (
    FORMAT,
    Provenance,
    Record,
    encode_record,
    encode_result,
    make_record,
    read_value,
)
from voxk8s.storage.store_options import Location, StoreOptions, store_token
from voxk8s.storage.thread_pool import ThreadPool
from voxk8s.storage.trust_domain import TrustDomains, domain_root
from voxk8s.storage.trusted_backend import TrustedBackend
from voxk8s.storage.value_codec import Encoded
from voxk8s.values import Value

if TYPE_CHECKING:
    from voxk8s.storage.store_stats import StoreStats
    from voxk8s.storage.upkeep.adopt import Adoption
    from voxk8s.storage.upkeep.gc import Collection
    from voxk8s.storage.upkeep.gc_policy import Limits
    from voxk8s.storage.upkeep.invalidate import Invalidation
    from voxk8s.storage.upkeep.selection import Selection
    from voxk8s.storage.upkeep.verify import Progress, Verification

_log = logging.getLogger(__name__)

FLUSH_SECONDS: Final = 30.0
_TRIES: Final = 8
_PAUSE: Final = 0.02
_REMOTE_WIDTH: Final = 32
_LOCAL_WIDTH: Final = 4


class ResultStore:
    """Values by result key, in any kind of store. Safe in threads; pickled by its address.

    Blobs are written first and the record last, both only if absent, so a record that can be read
    is complete, and two writers cannot disturb each other. Whatever is read is verified.

    The modules of upkeep are imported by its methods: runs do without them.
    Keys are 64 lower-case hexadecimal digits.
    """

    def __init__(
        self,
        location: Location,
        options: StoreOptions,
        resolved: StoreOptions | None = None,
        *,
        domains: TrustDomains | None = None,
        clock: Callable[[], float] = time.time,
    ) -> None:
        """Use `open_store` instead; `resolved` is `options` completed from the environment.

        `location` is that of the whole store, below which `domains` lie.
        """
        self._clock = clock
        self._location = location
        self._domains = domains or TrustDomains()
        self._options = options
        self._resolved = resolved or options
        self._backend = open_backend(domain_root(location, self._domains.own), self._resolved)
        self._counters = self._backend.counters
        self._pool = ThreadPool(_REMOTE_WIDTH if self._backend.remote else _LOCAL_WIDTH)
        self._access = AccessRefresh(self._backend, clock)
        self._own = DomainReader(self._backend, self._pool, self._access, clock)
        self._trusted = tuple(map(self._reader_of, self._domains.trusts))
        self._blobs = self._own.blobs
        self._records = self._own.records
        self._put_lately = RecentKeys()
        self.costs = CostStore(self._backend, self._own.quarantine)
        """The seconds of kernels that all runs have recorded in this domain."""

    # --- results ----------------------------------------------------------------------------

    def get(self, key: str) -> Value | Miss:
        """Return the value of a key, or MISS. Arrays are read-only.

        Corrupt bytes are quarantined and a MISS, and so is a record without its blob. Raises
        StoreUnreachable or StoreAccessDenied.
        """
        for reader in self._readers(key):
            value = reader.read(key)
            if value is not MISS:
                self._counters.add("hits")
                return value
        self._counters.add("misses")
        return MISS

    def put(
        self,
        key: str,
        value: Value,
        provenance: Provenance | None = None,
        *,
        replace: bool = False,
    ) -> PutResult:
        """Store a value under a key, unless the key has one.

        A different value under the key is kept and the status is NONDETERMINISTIC; with `replace`
        the new value replaces it (the status is the same), and shadows one of a trusted domain; the
        same value from other code gets a record with that code.
        Missing or corrupt parts of an existing result are repaired. Raises UnsupportedValue for an
        object that is not a value.
        """
        path = record_path(key)
        encoded = encode_result(value)
        with self._blobs.staged(encoded) as staged:
            record, _ = make_record(ResultKey(key), value, provenance, encoded)
            if record.inline is None:
                tag = self._blobs.write(
                    encoded, record.digest, record.media_type, replace=replace, staged=staged
                )
                record = msgspec.structs.replace(record, tag=tag)
        document = encode_record(record)
        status, held = None, record
        for attempt in range(_TRIES):
            if self._backend.create(path, (document,), "application/json") is not None:
                status = PutStatus.CREATED
                break
            existing = self._records.read(key)
            if existing is not None:
                healed = partial(self._counters.add, "healed")
                status = compare(existing, record, encoded, self._own.bytes_of, healed)
                if status is PutStatus.CREATED or (
                    replace
                    and (status is PutStatus.NONDETERMINISTIC or _codes(existing) != _codes(record))
                ):
                    self._backend.write(path, (document,), "application/json")
                else:
                    held = existing
                break
            # A conflict that neither writer won, or the record was corrupt and is in quarantine.
            time.sleep(_PAUSE * attempt)
        if status is None:
            raise StoreError(f"the record of {key} in {self.url} can be neither created nor read")
        if replace and status is PutStatus.CREATED and self._differs_from_trusted(record, encoded):
            status = PutStatus.NONDETERMINISTIC
        self._counters.add("existing" if status is PutStatus.EXISTS else status.value)
        if status is PutStatus.NONDETERMINISTIC:
            _log.warning("result %s was computed twice with different values", key)
        if status is PutStatus.CREATED or replace:
            self._records.cache(record)
        self._put_lately.add(key)
        return PutResult(status, held.digest, held.size)

    def contains(self, keys: Iterable[str]) -> set[str]:
        """Return the keys whose results are complete: the record, and its blob if it has one.

        Keys are looked up in parallel, in this domain first and then, those that it has not, in
        the trusted ones. A positive answer is cached for a minute.
        """
        asked = set(keys)
        complete: set[str] = set()
        if self._trusted:
            complete.update(*(reader.records.cached(asked) for reader in self._all))
        for reader in self._all:
            if len(complete) < len(asked):
                complete |= reader.records.complete(asked - complete)
        self._counters.add("known", len(complete))
        self._counters.add("unknown", len(asked) - len(complete))
        return complete

    def has_put(self, key: str) -> bool:
        """Whether this handle has put the key lately; asks nobody, so the result may be gone."""
        return key in self._put_lately

    def delete(self, keys: Iterable[str]) -> None:
        """Delete results. Their blobs stay, since other results may share them."""
        self._pool.map(self._delete, keys)

    def record(self, key: str) -> Record | None:
        """Return the record of a result, or None; it contains the value only if it is inline."""
        for reader in self._readers(key):
            record = reader.records.read(key)
            if record is not None:
                return record
        return None

    def records(self, keys: Iterable[str], since: float = math.inf) -> dict[str, Record]:
        """Return the records of many keys, read in parallel; keys without one are left out.

        Those that were looked up after `since` (`time.monotonic`) are not asked for again: a run
        that has just looked its goals up needs one request for each.
        """
        wanted = set(keys)
        found: dict[str, Record] = {}
        for reader in self._all:
            found |= reader.records.recent(wanted - found.keys(), since)
        for reader in self._all:
            if missing := wanted - found.keys():
                found |= reader.records.read_many(missing)
        return found

    def looked_up(self, keys: Iterable[str]) -> dict[str, Record]:
        """Return the records of keys that were looked up within a minute, without a request.

        Most of them: the cache of records is smaller than that of keys.
        """
        found: dict[str, Record] = {}
        wanted = set(keys)
        for reader in self._all:
            found |= reader.records.recent(wanted - found.keys(), -math.inf)
        return found

    def value_of(self, record: Record) -> Value | Miss:
        """Return the value of a record that was just read, or MISS.

        As `get`, but without another request for a value that is in the record itself.
        """
        if record.inline is None or record.format != FORMAT:
            return self.get(record.key)
        return read_value(record, memoryview(record.inline))

    # --- blobs ------------------------------------------------------------------------------

    def url_of(self, digest: str) -> str:
        """Return the URL of a blob of this domain, for any S3 client (of a folder, any program)."""
        return f"{self.url}/{blob_path(digest)}"

    def url_of_record(self, record: Record) -> str:
        """Return the URL of a record's blob in the domain in which the record was found."""
        return f"{record.root or self.url}/{blob_path(record.digest)}"

    def read_blob(self, digest: str) -> bytes:
        """Return the verified bytes of a blob, of a trusted domain too; raises BlobMissing."""
        for reader in self._all:
            data = reader.blobs.read(Digest(digest))
            if data is not None:
                return bytes(data)
        raise BlobMissing(f"the blob {digest} is missing or corrupt in the store {self.url}")

    def blob_size(self, digest: str) -> int | None:
        """Return the bytes of a blob, of a trusted domain too; None if there is none."""
        found = (reader.blobs.head(Digest(digest)) for reader in self._all)
        return next((each.size for each in found if each is not None), None)

    def read_blob_piece(self, digest: str, start: int, size: int) -> memoryview:
        """Return bytes of a blob that nobody has verified yet; fewer at its end.

        Raises BlobMissing.
        """
        for reader in self._all:
            data = reader.blobs.read_piece(Digest(digest), start, size)
            if data is not None:
                return data
        raise BlobMissing(f"the blob {digest} is missing in the store {self.url}")

    # --- pins and the files of runs ---------------------------------------------------------

    def pin_get(self, url: str, size: int, version: str, server: str = "") -> Pin | None:
        """Return the remembered pin of an input in the state (url, size, version), or None.

        `server` names the server of a URL that does not name it itself, such as that of a bucket.
        """
        for reader in self._all:
            pin = reader.pins.get(url, size, version, server)
            if pin is not None:
                return pin
        return None

    def pin_put(self, pin: Pin, size: int, version: str, server: str = "") -> None:
        """Remember the pin of an input in one state, for `pin_get`."""
        self._own.pins.put(pin, size, version, server)

    def write_run_file(self, path: str, data: bytes, media_type: str) -> str:
        """Write a file of a run below runs/, replacing an older one, and return its URL."""
        target = run_path(path)
        self._backend.write(target, (data,), media_type)
        return f"{self.url}/{target}"

    def read_run_file(self, path: str, *, most: int | None = None) -> bytes | None:
        """Return the bytes of a run's file, or None.

        Of a file of more than `most` bytes only the first `most` + 1 are read.
        """
        found = self._backend.read(
            run_path(path), bulk=True, most=None if most is None else most + 1
        )
        return None if found is None else bytes(found[0])

    def flush_access(self, timeout: float = FLUSH_SECONDS) -> bool:
        """Wait until all that was used is marked as used, for `collect`; at the end of a run.

        False, and a warning, if that takes longer than `timeout` seconds or is not possible.
        """
        return self._access.flush(timeout)

    # --- the store itself -------------------------------------------------------------------

    @property
    def url(self) -> str:
        """The URL of the store, or of its domain other than `shared`, in normal form."""
        return self._backend.url

    @property
    def domains(self) -> TrustDomains:
        """The trust domain that is written, and those that are read."""
        return self._domains

    @cached_property
    def token(self) -> str:
        """A name that only stores with the same URL, server and credentials have."""
        domains = (self._domains.own, *self._domains.trusts)
        return store_token(self._location, domains, self._options, self._resolved)

    @property
    def counts(self) -> Counts:
        """Counts of what happened since this store was opened."""
        return self._counters.snapshot()

    def take_counts(self) -> Counts | None:
        """Return what happened since the last call; None if nothing did."""
        return self._counters.take()

    def probe(self) -> probing.Probe:
        """Return what the store supports; raises StoreUnreachable or StoreAccessDenied."""
        return probing.probe(self._backend)

    def ping(self) -> Callable[[], object]:
        """Start to read one small object of a remote store; the returned callable waits for it.

        It raises StoreUnreachable or StoreAccessDenied. Folders and memory are not read.
        """
        if not self._backend.remote:
            return lambda: None
        return self._pool.submit(lambda: self._backend.get(constants.PROBE_PATH))

    def stats(self) -> StoreStats:
        """Count the objects in the store. Lists all of it: slow for large stores."""
        from voxk8s.storage.store_stats import store_stats

        return store_stats(self._backend, self.counts)

    def size(self) -> int:
        """Return the bytes of all that the trust domain has, by listing it: slow if it is much."""
        from voxk8s.storage.store_stats import store_bytes

        return store_bytes(self._backend)

    def verify(self, tell: Progress = lambda *_: None) -> Verification:
        """Read everything, quarantine corrupt objects, and return what is wrong.

        `tell` is called with the progress. Memory is bounded by 48 bytes a blob and one corrupt
        blob.
        """
        from voxk8s.storage.upkeep.verify import verify

        read_record = partial(self._records.read, refresh=False)
        return verify(
            self._backend,
            self._blobs,
            self._pool,
            read_record,
            self._own.pins.is_corrupt,
            self.costs.is_valid,
            tell,
        )

    def check_clock(self) -> None:
        """Raise StoreError where this machine's clock is ahead of the store's, before `collect`."""
        from voxk8s.storage.upkeep.clock_check import check_clock

        check_clock(self._backend, self._clock)

    def collect(
        self, limits: Limits, *, dry_run: bool = False, tell: Progress = lambda *_: None
    ) -> Collection:
        """Delete results that have not been used for long, and blobs without a record.

        Safe while others use the store: what is used meanwhile is kept, or is a miss. With
        `dry_run` return what would be deleted. `tell` is called with the progress.
        """
        from voxk8s.storage.upkeep.gc import collect

        return collect(
            self._backend,
            self._pool,
            partial(self._records.read_many, refresh=False, move=not dry_run),
            self._records.delete,
            limits,
            self._clock,
            dry_run=dry_run,
            progress=tell,
        )

    def invalidate(
        self, selection: Selection, *, dry_run: bool = False, tell: Progress = lambda *_: None
    ) -> Invalidation:
        """Delete the selected results and all that were computed from them; their blobs stay.

        With `dry_run` return what would be deleted. `tell` is called with the progress. Runs that
        compute at the same time may store results anew.
        """
        from voxk8s.storage.upkeep.invalidate import invalidate

        return invalidate(
            self._backend,
            self._pool,
            partial(self._records.read_many, refresh=False, move=not dry_run),
            self._records.delete,
            selection,
            dry_run=dry_run,
            progress=tell,
        )

    def adopt(
        self,
        domain: str,
        *,
        kernel: str | None = None,
        dry_run: bool = False,
        tell: Progress = lambda *_: None,
    ) -> Adoption:
        """Copy the results of another domain into this one, with their blobs, verified.

        Only those of kernels that match the pattern `kernel`, if there is one. With `dry_run`
        return what would be copied. `tell` is called with the progress.
        """
        from voxk8s.storage.upkeep.adopt import adopt

        root = domain_root(self._location, domain)
        backend = TrustedBackend(root, self._resolved, self._counters)
        return adopt(
            (backend, self._backend),
            DomainReader(backend, self._pool, None),
            self._own,
            self._pool,
            kernel,
            dry_run=dry_run,
            progress=tell,
        )

    def lease(self, key: str, owner: str, *, seconds: float = 30.0, label: str = "") -> Lease:
        """Return a lease of a result key, not acquired yet; some stores have none, see `probe`.

        `owner` must be unique to this holder; `label` is shown to those that wait.
        """
        return Lease(self._backend, key, owner, seconds=seconds, clock=self._clock, label=label)

    def __repr__(self) -> str:
        return f"ResultStore({self.url!r})"

    def __reduce__(self) -> tuple[object, ...]:
        endpoint = self._resolved.endpoint
        return (reopen, (self._location, self._options, endpoint, self._domains))

    def __dask_tokenize__(self) -> tuple[str, str]:
        return ("voxk8s.ResultStore", self.token)

    # --- inside -----------------------------------------------------------------------------

    def _differs_from_trusted(self, record: Record, encoded: Encoded) -> bool:
        """Whether a trusted domain has another value under the key of a record."""
        for reader in self._trusted:
            existing = reader.records.read(record.key)
            if existing is not None:
                status = compare(existing, record, encoded, reader.bytes_of, lambda: None)
                return status is PutStatus.NONDETERMINISTIC
        return False

    def _delete(self, key: str) -> None:
        self._put_lately.discard(key)
        self._records.delete(key)

    def _reader_of(self, domain: str) -> DomainReader:
        root = domain_root(self._location, domain)
        backend = TrustedBackend(root, self._resolved, self._counters)
        return DomainReader(backend, self._pool, None)

    @property
    def _all(self) -> tuple[DomainReader, ...]:
        return (self._own, *self._trusted)

    def _readers(self, key: str) -> Sequence[DomainReader]:
        """Return who is asked for a key, in order: first where it was seen lately."""
        if not self._trusted:
            return (self._own,)
        return sorted(self._all, key=lambda reader: not reader.is_cached(key))


_reopened: Final[
    weakref.WeakValueDictionary[
        tuple[Location, StoreOptions, StoreOptions, TrustDomains], ResultStore
    ]
] = weakref.WeakValueDictionary()
_reopening: Final = threading.Lock()


def reopen(
    location: Location,
    options: StoreOptions,
    endpoint: str | None = None,
    domains: TrustDomains | None = None,
) -> ResultStore:
    """Return a pickled store, opened with the environment of the process that unpickles it.

    `endpoint` is that of the process that pickled it, for a process whose environment has none.
    While a store is in use, it is returned again: each task brings a copy.
    """
    resolved = options.filled(os.environ)
    if resolved.endpoint is None:
        resolved = replace(resolved, endpoint=endpoint)
    domains = domains or TrustDomains()
    address = (location, options, resolved, domains)
    with _reopening:
        store = _reopened.get(address)
        if store is None:
            store = _reopened[address] = ResultStore(location, options, resolved, domains=domains)
            if location.scheme == "s3" and resolved.endpoint != endpoint:
                _log.warning(
                    "the store %s is at %s by %s of this process, and at %s for the process that"
                    " uses it",
                    store.url,
                    resolved.endpoint,
                    constants.ENV_S3_ENDPOINT,
                    endpoint or "AWS",
                )
        return store


def _codes(record: Record) -> set[tuple[str, str]]:
    return set(record.provenance.codes())
