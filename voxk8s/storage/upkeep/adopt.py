"""Copies results from one trust domain into another, with their blobs, each verified.

What is adopted is believed as if it had been computed in the new domain: whoever may write in the
old one may have forged it. Results that the new domain has stay as they are.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from enum import Enum, auto
from fnmatch import fnmatchcase
from functools import partial
from typing import Final

import msgspec

from voxk8s import constants
from voxk8s.storage.backend import Backend
from voxk8s.storage.domain_reader import DomainReader
from voxk8s.storage.layout import record_path
from voxk8s.storage.record import FORMAT, Record, encode_record
from voxk8s.storage.thread_pool import ThreadPool
from voxk8s.storage.upkeep.inventory import name_of, pages
from voxk8s.storage.upkeep.verify import Progress
from voxk8s.storage.value_codec import Encoded

_ONE_BY_ONE_FROM: Final = 32 * 1024 * 1024
"""Larger blobs are copied one after the other: each is in memory while it is verified."""


@dataclass(frozen=True, slots=True)
class Adoption:
    """What was copied, or would be.

    `existing` results are in the new domain already, `different` ones too, with another value,
    which stays. `unreadable` ones are corrupt or incomplete in the old domain.
    """

    results: int
    bytes: int
    existing: int
    different: int
    unreadable: int


class _Outcome(Enum):
    COPIED = auto()
    EXISTING = auto()
    DIFFERENT = auto()
    UNREADABLE = auto()


def adopt(
    backends: tuple[Backend, Backend],
    source: DomainReader,
    target: DomainReader,
    pool: ThreadPool,
    kernel: str | None,
    *,
    dry_run: bool,
    progress: Progress,
) -> Adoption:
    """Copy the results of kernels that match a pattern, or all; with `dry_run` nothing.

    `backends` are those of source and target.
    """
    counts: Counter[_Outcome] = Counter()
    size = read = 0
    copy_one = partial(_copy, backends[1], source, target, dry_run=dry_run)
    for page in pages(backends[0].list(constants.RECORDS_PREFIX)):
        keys = [name for found in page if (name := name_of(found.path)) is not None]
        records = source.records.read_many(keys, refresh=False, move=False)
        counts[_Outcome.UNREADABLE] += 0 if kernel else len(keys) - len(records)
        wanted = [each for each in records.values() if _matches(each, kernel)]
        by_key = {each.key: each for each in wanted}
        small = [each.key for each in wanted if each.size < _ONE_BY_ONE_FROM]
        outcomes = pool.map(lambda key: copy_one(by_key[key]), small)  # noqa: B023 - called here
        for key in by_key.keys() - outcomes.keys():
            outcomes[key] = copy_one(by_key[key])
        counts.update(outcomes.values())
        size += sum(by_key[key].size for key, how in outcomes.items() if how is _Outcome.COPIED)
        read += len(page)
        progress("records", read)
    return Adoption(
        results=counts[_Outcome.COPIED],
        bytes=size,
        existing=counts[_Outcome.EXISTING],
        different=counts[_Outcome.DIFFERENT],
        unreadable=counts[_Outcome.UNREADABLE],
    )


def _matches(record: Record, kernel: str | None) -> bool:
    return kernel is None or fnmatchcase(record.provenance.kernel, kernel)


def _copy(
    backend: Backend, source: DomainReader, target: DomainReader, record: Record, *, dry_run: bool
) -> _Outcome:
    if record.format != FORMAT:
        return _Outcome.UNREADABLE
    held = target.records.read(record.key, refresh=False, move=not dry_run)
    if held is not None and (held.digest, held.size) != (record.digest, record.size):
        return _Outcome.DIFFERENT
    blob = None if record.inline is not None else source.blobs.head(record.digest)
    if record.inline is None:
        there = target.blobs.head(record.digest)
        if held is not None and there is not None and there.size == record.size:
            return _Outcome.EXISTING
        if blob is None or blob.size != record.size:
            return _Outcome.UNREADABLE
    elif held is not None:
        return _Outcome.EXISTING
    if dry_run:
        return _Outcome.COPIED
    tag = ""
    if record.inline is None:
        data = source.blobs.read(record.digest, record.size)
        if data is None:
            return _Outcome.UNREADABLE
        tag = target.blobs.write(Encoded((data,)), record.digest, record.media_type, replace=False)
    if held is None:
        document = encode_record(msgspec.structs.replace(record, tag=tag))
        backend.create(record_path(record.key), (document,), "application/json")
    return _Outcome.COPIED
