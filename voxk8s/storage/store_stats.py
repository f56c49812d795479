"""What a store holds, found by listing it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from voxk8s import constants
from voxk8s.storage.backend import Backend, ObjectInfo
from voxk8s.storage.counters import Counts
from voxk8s.storage.layout import DOMAIN_FOLDERS


@dataclass(frozen=True, slots=True)
class StoreStats:
    """What a store holds, found by listing it, and the counts of this process.

    `costs` are objects with recorded costs of kernels. `unfinished` files were begun by writers
    that still write, or were killed.
    """

    records: int
    record_bytes: int
    blobs: int
    blob_bytes: int
    run_files: int
    run_bytes: int
    pins: int
    leases: int
    costs: int
    cost_bytes: int
    quarantined: int
    quarantined_bytes: int
    unfinished: int
    unfinished_bytes: int
    counts: Counts = field(default_factory=Counts)


def store_stats(backend: Backend, counts: Counts) -> StoreStats:
    """Count the objects in a store by listing it, page by page."""
    records, record_bytes = _sum(backend.list(constants.RECORDS_PREFIX))
    blobs, blob_bytes = _sum(backend.list(constants.BLOBS_PREFIX))
    run_files, run_bytes = _sum(backend.list(constants.RUNS_PREFIX))
    costs, cost_bytes = _sum(backend.list(constants.COSTS_PREFIX))
    quarantined, quarantined_bytes = _sum(backend.list(constants.QUARANTINE_PREFIX))
    unfinished, unfinished_bytes = _sum(backend.unfinished())
    return StoreStats(
        records=records,
        record_bytes=record_bytes,
        blobs=blobs,
        blob_bytes=blob_bytes,
        run_files=run_files,
        run_bytes=run_bytes,
        pins=_sum(backend.list(constants.PINS_PREFIX))[0],
        leases=_sum(backend.list(constants.LEASES_PREFIX))[0],
        costs=costs,
        cost_bytes=cost_bytes,
        quarantined=quarantined,
        quarantined_bytes=quarantined_bytes,
        unfinished=unfinished,
        unfinished_bytes=unfinished_bytes,
        counts=counts,
    )


def store_bytes(backend: Backend) -> int:
    """Return the bytes of all objects of a trust domain, uploads included, by listing it."""
    return sum(_sum(backend.list(folder))[1] for folder in DOMAIN_FOLDERS)


def _sum(listing: Iterable[ObjectInfo]) -> tuple[int, int]:
    count = size = 0
    for found in listing:
        count, size = count + 1, size + found.size
    return count, size
