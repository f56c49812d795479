"""The records and blobs of a store as small rows, for verification and garbage collection.

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
"""`digest` is empty for an inline value; `size` is that of the record."""
BLOB: Final = np.dtype([("digest", "S32"), ("size", "u8"), ("modified", "f8")])

Rows: TypeAlias = NDArray[Any]
T = TypeVar("T")


def pages(items: Iterable[T]) -> Iterator[list[T]]:
    """Split a listing into pages."""
    iterator = iter(items)
    while page := list(islice(iterator, PAGE)):
        yield page


def name_of(path: str) -> str | None:
    """Return the 64 hexadecimal digits of a record's or blob's path, or None for other paths."""
    name = "".join(path.split("/")[-2:])
    return name if len(name) == 64 and not name.strip("0123456789abcdef") else None


def pack(name: str) -> bytes:
    """Return 64 digits as 32 bytes; rows drop zero bytes at the end, `unpack` restores them."""
    return bytes.fromhex(name)


def unpack(data: bytes) -> str:
    """Return the 64 digits of `pack`."""
    return bytes(data).ljust(32, b"\0").hex()


def list_blobs(listing: Iterable[ObjectInfo]) -> Rows:
    """List all blobs, in the order of their digests."""
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
    progress: Callable[[int], None] = lambda _: None,
) -> Rows:
    """List all results; `read` returns the records of many keys, without corrupt ones."""
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
        progress(count)
    return np.concatenate(parts) if parts else np.empty(0, RESULT)
