"""What is in a store, taken down in small rows, page by page: for verification and collection.

A result takes 80 bytes of memory and a blob 48, so that ten million results fit in a gigabyte.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from itertools import islice
from typing import Any, Final, TypeAlias, TypeVar

import numpy as np
from numpy.typing import NDArray

from voxk8s.storage.backend import ObjectInfo
from voxk8s.storage.record import Record

PAGE: Final = 1000
RESULT: Final = np.dtype([("key", "S32"), ("digest", "S32"), ("used", "f8"), ("size", "u8")])
"""`digest` is empty when the value lies in the record, whose size is `size`."""
BLOB: Final = np.dtype([("digest", "S32"), ("size", "u8"), ("modified", "f8")])

Rows: TypeAlias = NDArray[Any]
T = TypeVar("T")


def pages(items: Iterable[T]) -> Iterator[list[T]]:
    """Cut a listing into pages."""
    iterator = iter(items)
    while page := list(islice(iterator, PAGE)):
        yield page


def name_of(path: str) -> str | None:
    """Give the 64 digits that a record's or blob's path ends with, or None for another path."""
    name = "".join(path.split("/")[-2:])
    return name if len(name) == 64 and not name.strip("0123456789abcdef") else None


def pack(name: str) -> bytes:
    """Write 64 digits as 32 bytes (zero bytes at the end are lost in rows, and come back)."""
    return bytes.fromhex(name)


def unpack(data: bytes) -> str:
    """Give the 64 digits again."""
    return bytes(data).ljust(32, b"\0").hex()


def list_blobs(listing: Iterable[ObjectInfo]) -> Rows:
    """Take down all blobs, in the order of their digests."""
    parts = [
        np.array(
            [
                (pack(name), found.size, found.modified)
                for found in page
                if (name := name_of(found.path)) is not None
            ],
            BLOB,
        )
        for page in pages(listing)
    ]
    rows = np.concatenate(parts) if parts else np.empty(0, BLOB)
    return rows[np.argsort(rows["digest"], kind="stable")]


def list_results(
    listing: Iterable[ObjectInfo],
    read: Callable[[list[str]], dict[str, Record]],
    tell: Callable[[int], None] = lambda _: None,
) -> Rows:
    """Take down all results; `read` gives the records of many keys, without the corrupt ones."""
    parts = []
    count = 0
    for page in pages(listing):
        found = {name: each for each in page if (name := name_of(each.path)) is not None}
        records = read(list(found))
        parts.append(
            np.array(
                [
                    (
                        pack(key),
                        b"" if record.inline is not None else pack(record.digest),
                        found[key].modified,
                        found[key].size,
                    )
                    for key, record in records.items()
                ],
                RESULT,
            )
        )
        count += len(page)
        tell(count)
    return np.concatenate(parts) if parts else np.empty(0, RESULT)
