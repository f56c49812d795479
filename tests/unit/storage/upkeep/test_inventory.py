"""The records and blobs of a store as rows."""

from __future__ import annotations

from voxk8s.plan import ResultKey
from voxk8s.storage.backend import ObjectInfo
from voxk8s.storage.layout import blob_path, record_path
from voxk8s.storage.record import make_record
from voxk8s.storage.upkeep.inventory import list_blobs, list_results, name_of, pack, pages, unpack

NAMES = ["f" * 62 + "00", "a" * 64]


def test_names_survive_rows() -> None:
    """Zero bytes at the end, which rows drop, are restored."""
    assert [unpack(pack(name).rstrip(b"\0")) for name in NAMES] == NAMES
    assert [name_of(record_path(name)) for name in NAMES] == NAMES
    assert name_of("ac/v1/readme.txt") is None


def test_blobs_are_sorted_by_digest() -> None:
    """Objects that are not blobs are left out."""
    listing = [ObjectInfo(blob_path(name), 7, 5.0) for name in NAMES]
    rows = list_blobs([*listing, ObjectInfo("cas/sha256/other", 1, 1.0)])
    assert [unpack(row["digest"]) for row in rows] == sorted(NAMES)
    assert rows["size"].tolist() == [7, 7]


def test_results_are_listed_with_their_last_use() -> None:
    """An inline value has no digest; a record that cannot be read is left out."""
    record, _ = make_record(ResultKey(NAMES[0]), 1, None)
    listing = [ObjectInfo(record_path(name), 9, 5.0) for name in NAMES]
    counts: list[int] = []
    (row,) = list_results(listing, lambda keys: {NAMES[0]: record}, counts.append)
    assert (unpack(row["key"]), row["digest"], row["used"], row["size"]) == (NAMES[0], b"", 5.0, 9)
    assert counts == [2]


def test_listings_are_split_into_pages() -> None:
    """A page has a thousand objects."""
    assert [len(page) for page in pages(range(2500))] == [1000, 1000, 500]
