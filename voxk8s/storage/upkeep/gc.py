"""Garbage collection, safe while others read and write.

First the whole store is listed and the policy chooses; then records are deleted, and blobs last.
Each is checked once more before it is deleted: a record that was refreshed and a blob that was
written meanwhile are kept, and so are blobs that records written meanwhile name. A writer that
needs an old blob writes it again (see `BlobStore.write`), which makes it young. A reader that still
comes between finds a record without its blob: a miss.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import partial
from typing import TypeAlias

from voxk8s import constants
from voxk8s.storage.backend import Backend, ObjectInfo
from voxk8s.storage.layout import blob_path, record_path
from voxk8s.storage.record import Record
from voxk8s.storage.thread_pool import ThreadPool
from voxk8s.storage.upkeep.gc_policy import Limits, choose
from voxk8s.storage.upkeep.inventory import Rows, list_blobs, list_results, name_of, pages, unpack
from voxk8s.storage.upkeep.remains import collect_remains
from voxk8s.storage.upkeep.verify import Progress

Row: TypeAlias = tuple[str, float, int]
"""A key or digest, its time when it was chosen, and its bytes."""


@dataclass(frozen=True, slots=True)
class Collection:
    """What was deleted, or would be, and what is left.

    `runs` is the number of their folders. `other` are objects in quarantine, leases, recorded
    costs, and unfinished files of killed writers.
    """

    results: int
    blobs: int
    runs: int
    pins: int
    other: int
    bytes: int
    results_left: int
    blobs_left: int
    bytes_left: int


def collect(
    backend: Backend,
    pool: ThreadPool,
    records: Callable[[list[str]], dict[str, Record]],
    delete_result: Callable[[str], None],
    limits: Limits,
    clock: Callable[[], float],
    *,
    dry_run: bool,
    progress: Progress,
) -> Collection:
    """Delete what is beyond `limits`, blobs without a record, and what was left behind long ago.

    `delete_result` deletes the record of a key. With `dry_run` nothing is deleted.
    """
    start = clock()
    found = list_results(
        backend.list(constants.RECORDS_PREFIX), records, lambda count: progress("records", count)
    )
    blobs = list_blobs(backend.list(constants.BLOBS_PREFIX))
    choice = choose(found, blobs, limits, start)
    old_results, old_blobs = found[choice.results], blobs[choice.blobs]
    remains = collect_remains(backend, pool, limits, start, dry_run=dry_run, progress=progress)
    results, removed, freed = len(old_results), len(old_blobs), 0
    if dry_run:
        freed = int(old_results["size"].sum()) + int(old_blobs["size"].sum())
    else:
        rows = _rows(old_results, "key", "used")
        results, bytes_of_records = _delete(
            backend, pool, rows, record_path, delete_result, partial(progress, "results deleted")
        )
        still_named = _named_since(backend, records, start - limits.grace, found)
        rows = (row for row in _rows(old_blobs, "digest", "modified") if row[0] not in still_named)
        removed, bytes_of_blobs = _delete(
            backend,
            pool,
            rows,
            blob_path,
            lambda digest: backend.delete(blob_path(digest)),
            partial(progress, "blobs deleted"),
        )
        freed = bytes_of_records + bytes_of_blobs
    total = int(found["size"].sum()) + int(blobs["size"].sum())
    return Collection(
        results=results,
        blobs=removed,
        runs=remains.runs,
        pins=remains.pins,
        other=remains.other,
        bytes=freed + remains.bytes,
        results_left=len(found) - results,
        blobs_left=len(blobs) - removed,
        bytes_left=total - freed,
    )


def _named_since(
    backend: Backend,
    records: Callable[[list[str]], dict[str, Record]],
    since: float,
    known: Rows,
) -> set[str]:
    """Return the digests of blobs that records name which were written after the listing.

    Young records are read again unless they were listed in the same state.
    """
    before = {(bytes(row["key"]), float(row["used"])) for row in known if row["used"] > since}

    def is_new(found: ObjectInfo) -> bool:
        name = name_of(found.path)
        if name is None or found.modified <= since:
            return False
        key = bytes.fromhex(name).rstrip(b"\0")
        return (key, found.modified) not in before

    new = list_results(filter(is_new, backend.list(constants.RECORDS_PREFIX)), records)
    return {unpack(digest) for digest in new["digest"] if digest}


def _rows(rows: Rows, name: str, time: str) -> Iterator[Row]:
    return ((unpack(row[name]), float(row[time]), int(row["size"])) for row in rows)


def _delete(
    backend: Backend,
    pool: ThreadPool,
    rows: Iterable[Row],
    path_of: Callable[[str], str],
    delete: Callable[[str], None],
    progress: Callable[[int], None],
) -> tuple[int, int]:
    """Delete what rows name, in parallel; returns the number deleted and their bytes."""

    def delete_unchanged(row: Row) -> int | None:
        name, modified, size = row
        now = backend.head(path_of(name))
        if now is None or now.modified != modified:
            return None  # deleted, used or written meanwhile
        delete(name)
        return size

    count = freed = 0
    for page in pages(rows):
        found = pool.map(delete_unchanged, page)
        sizes = [size for size in found.values() if size is not None]
        count, freed = count + len(sizes), freed + sum(sizes)
        progress(count)
    return count, freed
