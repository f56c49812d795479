"""Objects at paths, in memory and in a folder."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest

from tests.unit.storage.memory import memory_backend
from voxk8s.errors import InvalidUsage, StoreError
from voxk8s.storage.backend import Backend, ObjectInfo, UnsupportedUpdate
from voxk8s.storage.store_options import Location, StoreOptions


@pytest.fixture(params=["memory", "folder"])
def backend(request: pytest.FixtureRequest, tmp_path: Path) -> Backend:
    """Return an empty back end."""
    return memory_backend() if request.param == "memory" else folder_backend(tmp_path / "store")


def folder_backend(path: Path) -> Backend:
    """Return a back end in a folder."""
    return Backend(Location("file", str(path)), StoreOptions())


def put(backend: Backend, path: str, content: bytes) -> ObjectInfo:
    """Create an object."""
    found = backend.create(path, (content,), "text/plain")
    assert found is not None
    return found


def test_objects_are_read_as_they_were_written(backend: Backend) -> None:
    """The parts of an object are joined; its metadata are those of `head`."""
    assert backend.create("a/b", (b"some ", memoryview(b"bytes")), "text/plain") is not None
    read = backend.read("a/b")
    assert read is not None
    data, found = read
    assert bytes(data) == b"some bytes"
    assert (found.path, found.size) == ("a/b", 10)
    assert backend.head("a/b") == found


def test_missing_objects_are_none(backend: Backend) -> None:
    """Deleting one is not an error."""
    assert backend.get("a") is None
    assert backend.read("a", bulk=True) is None
    assert backend.head("a") is None
    assert backend.digest("a") is None
    backend.delete("a")


def test_an_object_is_created_once(backend: Backend) -> None:
    """The second writer gets None, and the first content stays."""
    put(backend, "a", b"1")
    assert backend.create("a", (b"2",), "text/plain") is None
    assert bytes(backend.get("a") or b"") == b"1"


def test_an_object_is_replaced(backend: Backend) -> None:
    """A write does not depend on what there is."""
    for content in (b"1", b"22"):
        backend.write("a", (content,), "text/plain")
        assert bytes(backend.get("a") or b"") == content


def test_a_deleted_object_is_missing(backend: Backend) -> None:
    """Others stay."""
    put(backend, "a", b"1")
    put(backend, "b", b"2")
    backend.delete("a")
    assert backend.get("a") is None
    assert bytes(backend.get("b") or b"") == b"2"


def test_digest_is_that_of_the_content(backend: Backend) -> None:
    """SHA-256 and size, of objects larger than a chunk, too."""
    content = b"0123456789abcdef" * 600_000
    put(backend, "a", content)
    assert backend.digest("a") == (hashlib.sha256(content).hexdigest(), len(content))


def test_a_listing_has_the_objects_below_a_prefix(backend: Backend) -> None:
    """At any depth."""
    for path in ("a/1", "a/b/2", "ab/3", "c"):
        put(backend, path, b"x")
    assert {found.path for found in backend.list("a")} == {"a/1", "a/b/2"}
    assert list(backend.list("none")) == []


def test_an_object_in_memory_is_updated_unless_it_has_changed() -> None:
    """The second of two updates of the same object gets None."""
    backend = memory_backend()
    found = put(backend, "a", b"1")
    updated = backend.update(found, b"22", "text/plain")
    assert updated is not None
    assert updated.size == 2
    assert backend.update(found, b"333", "text/plain") is None
    assert bytes(backend.get("a") or b"") == b"22"
    assert backend.update(updated, b"333", "text/plain") is not None


def test_a_deleted_object_is_not_updated() -> None:
    """It has changed."""
    backend = memory_backend()
    found = put(backend, "a", b"1")
    backend.delete("a")
    assert backend.update(found, b"2", "text/plain") is None
    assert backend.get("a") is None


def test_updates_need_an_etag() -> None:
    """An answer without one cannot be the condition of an update."""
    backend = memory_backend()
    put(backend, "a", b"1")
    with pytest.raises(UnsupportedUpdate, match="no ETags"):
        backend.update(ObjectInfo("a", 1), b"2", "text/plain")


def test_a_touched_object_in_memory_is_young() -> None:
    """It is written again, unless it has changed."""
    backend = memory_backend()
    put(backend, "a", b"1")
    old = backend.head("a")
    assert old is not None
    backend.touch(old, memoryview(b"1"), "text/plain")
    young = backend.head("a")
    assert young is not None
    assert young.modified > old.modified
    backend.write("a", (b"2",), "text/plain")
    backend.touch(young, memoryview(b"1"), "text/plain")
    assert bytes(backend.get("a") or b"") == b"2"


def test_stores_in_memory_are_shared_by_name() -> None:
    """Another name is another store."""
    one, same, other = (
        Backend(Location("memory", name), StoreOptions())
        for name in ("backend", "backend", "other")
    )
    one.write("a", (b"1",), "text/plain")
    assert bytes(same.get("a") or b"") == b"1"
    assert other.get("a") is None


def test_a_file_is_not_a_store(tmp_path: Path) -> None:
    """Neither is a path below a file."""
    (tmp_path / "file").touch()
    for path in (tmp_path / "file", tmp_path / "file" / "below"):
        with pytest.raises(InvalidUsage, match="expected a folder for the store"):
            folder_backend(path)


def test_unknown_schemes_are_refused() -> None:
    """The error has the schemes that exist."""
    with pytest.raises(StoreError, match="expected s3://, file:// or memory://, found ftp://"):
        Backend(Location("ftp", "host"), StoreOptions())


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        (ObjectInfo("a", 1, 5.0, "x"), ObjectInfo("a", 2, 6.0, "x"), True),
        (ObjectInfo("a", 1, 5.0, "x"), ObjectInfo("a", 1, 5.0, "y"), False),
        (ObjectInfo("a", 1, 5.0), ObjectInfo("a", 1, 5.0), True),
        (ObjectInfo("a", 1, 5.0), ObjectInfo("a", 1, 6.0), False),
        (ObjectInfo("a", 1, 5.0, "x"), ObjectInfo("a", 1, 5.0), False),
    ],
)
def test_objects_are_compared_by_etag_else_by_size_and_time(
    one: ObjectInfo, other: ObjectInfo, same: bool
) -> None:
    """The ETag decides if both have one."""
    assert one.is_same(other) is same


def test_requests_and_bytes_are_counted(backend: Backend) -> None:
    """Those that were written, and those that were read; a missing object has none."""
    put(backend, "a", b"12345")
    backend.write("b", (b"12", b"34"), "text/plain")
    backend.get("a")
    backend.read_range("b", 1, 2)
    backend.get("missing")
    assert backend.create("a", (b"other",), "text/plain") is None
    counts = backend.counters.snapshot()
    assert (counts.bytes_written, counts.bytes_read) == (9, 7)
    assert (counts.requests, counts.retries) == (6, 0)
