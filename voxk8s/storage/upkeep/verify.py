"""Reads everything in a store and says what is wrong with it."""

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

_MOST_NAMED = 1000

Tell = Callable[[str, int], None]
"""Hears what is being read, and how many of it were."""


@dataclass(frozen=True, slots=True)
class Verification:
    """What was found; `corrupt` are paths, `dangling` are keys: at most 1,000 of each are named.

    Corrupt objects were set aside. A dangling record's blob is missing or has another size: its
    result is computed again when it is needed. Orphans are blobs that no record names: harmless,
    and collected in time.
    """

    records: int
    blobs: int
    blob_bytes: int
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
    tell: Tell,
) -> Verification:
    """Read all blobs and records. Blobs are read piece by piece, whatever their size."""
    corrupt: list[str] = []
    dangling: list[str] = []

    def is_sound(found: ObjectInfo) -> bool:
        name = name_of(found.path)
        if name is None:
            return True
        seen = backend.digest(found.path)
        # What is wrong is read once more, since the line may be at fault, and then set aside.
        return seen is None or seen[0] == name or blobs.read(Digest(name)) is not None

    done = 0
    for page in pages(backend.list(constants.BLOBS_PREFIX)):
        verdicts = pool.map(is_sound, page)
        corrupt.extend(found.path for found, sound in verdicts.items() if not sound)
        done += len(page)
        tell("blobs", done)
    # Taken down after they were read: what was set aside is no blob any more.
    rows = list_blobs(backend.list(constants.BLOBS_PREFIX))
    named = np.zeros(len(rows), bool)

    def judge(found: ObjectInfo) -> Record | None:
        """Give a sound record, None for one that is gone, or one of another version."""
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
        for record in pool.map(judge, each).values():
            if record is None or record.inline is not None:
                continue
            place = int(np.searchsorted(rows["digest"], pack(record.digest)))
            known = place < len(rows) and unpack(rows["digest"][place]) == record.digest
            if known:
                named[place] = True
            if known and rows["size"][place] == record.size:
                continue
            if not blobs.exists(record.digest, record.size):
                dangling.append(record.key)
        count += len(each)
        tell("records", count)
    return Verification(
        records=count,
        blobs=len(rows),
        blob_bytes=int(rows["size"].sum()),
        corrupt_count=len(corrupt),
        dangling_count=len(dangling),
        orphans=int((~named).sum()),
        orphan_bytes=int(rows["size"][~named].sum()),
        corrupt=tuple(corrupt[:_MOST_NAMED]),
        dangling=tuple(dangling[:_MOST_NAMED]),
    )
