"""Reads everything in a store and reports what is wrong with it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from voxk8s import constants
from voxk8s.errors import CorruptBlob
from voxk8s.plan.model import Digest
from voxk8s.storage.backend import Backend, ObjectInfo
from voxk8s.storage.blob_store import BlobStore
from voxk8s.storage.record import FORMAT, Record, decode_record
from voxk8s.storage.thread_pool import ThreadPool
from voxk8s.storage.upkeep.inventory import list_blobs, name_of, pack, pages, unpack

_MAX_NAMED = 1000

Progress = Callable[[str, int], None]
"""Called with what is being read or deleted, and the number so far."""


@dataclass(frozen=True, slots=True)
class Verification:
    """What was found; `corrupt` are paths and `dangling` keys, at most 1,000 of each.

    Corrupt objects are in quarantine. A dangling record's blob is missing or has another size: its
    result is computed again when it is needed. Orphans are blobs without a record: harmless, and
    garbage collected in time. `costs` are objects with recorded costs of kernels.
    """

    records: int
    blobs: int
    blob_bytes: int
    costs: int
    pins: int
    corrupt_count: int
    dangling_count: int
    orphans: int
    orphan_bytes: int
    corrupt: tuple[str, ...]
    dangling: tuple[str, ...]

    @property
    def sound(self) -> bool:
        """Whether nothing is wrong."""
        return not self.corrupt_count and not self.dangling_count


def verify(
    backend: Backend,
    blobs: BlobStore,
    pool: ThreadPool,
    read_record: Callable[[str], Record | None],
    is_corrupt_pin: Callable[[str], bool],
    costs_valid: Callable[[], bool],
    progress: Progress,
) -> Verification:
    """Read all blobs, records, pins and costs; blobs are read in chunks, whatever their size.

    It finds what was damaged. What was forged by somebody who may write in this domain is whole,
    and not found: nothing in the domain could prove who wrote it.
    """
    corrupt: list[str] = []
    dangling: list[str] = []

    def is_valid(found: ObjectInfo) -> bool:
        name = name_of(found.path)
        if name is None:
            return True
        seen = backend.digest(found.path)
        # A corrupt blob is read once more, since the connection may be at fault, and quarantined.
        return seen is None or seen[0] == name or blobs.read(Digest(name)) is not None

    done = 0
    for page in pages(backend.list(constants.BLOBS_PREFIX)):
        verdicts = pool.map(is_valid, page)
        corrupt.extend(found.path for found, valid in verdicts.items() if not valid)
        done += len(page)
        progress("blobs", done)
    # Listed after they were read: blobs in quarantine do not count.
    rows = list_blobs(backend.list(constants.BLOBS_PREFIX))
    named = np.zeros(len(rows), bool)

    def valid_record(found: ObjectInfo) -> Record | None:
        """Return a valid record of this version; None for others and for deleted ones."""
        name = name_of(found.path)
        data = None if name is None else backend.get(found.path)
        if name is None or data is None:
            return None
        try:
            record: Record | None = decode_record(bytes(data), name)
        except CorruptBlob:
            record = read_record(name)
            if record is None:
                corrupt.append(found.path)
        return record if record is not None and record.format == FORMAT else None

    count = 0
    for each in pages(backend.list(constants.RECORDS_PREFIX)):
        for record in pool.map(valid_record, each).values():
            if record is None or record.inline is not None:
                continue
            place = int(np.searchsorted(rows["digest"], pack(record.digest)))
            known = place < len(rows) and unpack(rows["digest"][place]) == record.digest
            if known:
                named[place] = True
            if known and rows["size"][place] == record.size:
                continue
            blob = blobs.head(record.digest)
            if blob is None or blob.size != record.size:
                dangling.append(record.key)
        count += len(each)
        progress("records", count)
    costs = [found.path for found in backend.list(constants.COSTS_PREFIX)]
    if constants.COSTS_PATH in costs and not costs_valid():
        corrupt.append(constants.COSTS_PATH)
    pins = 0
    for each in pages(backend.list(constants.PINS_PREFIX)):
        verdicts = pool.map(lambda found: not is_corrupt_pin(found.path), each)
        corrupt.extend(found.path for found, valid in verdicts.items() if not valid)
        pins += len(each)
        progress("pins", pins)
    return Verification(
        records=count,
        pins=pins,
        blobs=len(rows),
        blob_bytes=int(rows["size"].sum()),
        costs=len(costs),
        corrupt_count=len(corrupt),
        dangling_count=len(dangling),
        orphans=int((~named).sum()),
        orphan_bytes=int(rows["size"][~named].sum()),
        corrupt=tuple(corrupt[:_MAX_NAMED]),
        dangling=tuple(dangling[:_MAX_NAMED]),
    )
