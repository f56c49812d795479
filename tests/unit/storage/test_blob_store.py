"""Blobs under their own SHA-256."""

from __future__ import annotations

from tests.unit.storage.memory import memory_backend, quarantine_of
from voxk8s.storage.blob_store import BlobStore
from voxk8s.storage.layout import blob_path
from voxk8s.storage.value_codec import Encoded

CONTENT = Encoded((b"some ", b"bytes"))
DAY = 86_400.0


def test_blobs_are_read_as_they_were_written() -> None:
    """A blob exists with its size only."""
    backend = memory_backend()
    blobs = BlobStore(backend, quarantine_of(backend)[0])
    digest = CONTENT.digest()
    assert blobs.read(digest) is None
    blobs.write(CONTENT, digest, "text/plain", replace=False)
    assert bytes(blobs.read(digest, 10) or b"") == b"some bytes"
    found = blobs.head(digest)
    assert found is not None
    assert found.size == 10
    assert blobs.is_sound(digest)


def test_blobs_with_other_bytes_are_missing_and_replaced() -> None:
    """A blob that does not have its digest is not returned; the next write repairs it."""
    backend = memory_backend()
    blobs = BlobStore(backend, quarantine_of(backend)[0])
    digest = CONTENT.digest()
    backend.write(blob_path(digest), (b"same bytes",), "text/plain")
    assert blobs.read(digest) is None
    blobs.write(CONTENT, digest, "text/plain", replace=False)
    assert bytes(blobs.read(digest) or b"") == b"some bytes"


def test_old_blobs_become_young_when_they_are_written_again() -> None:
    """Garbage collection may be about to delete an old blob without a record."""
    now = [0.0]
    backend = memory_backend()
    blobs = BlobStore(backend, quarantine_of(backend)[0], lambda: now[0])
    digest = CONTENT.digest()
    blobs.write(CONTENT, digest, "text/plain", replace=False)
    first = backend.head(blob_path(digest))
    assert first is not None
    now[0] = first.modified
    blobs.write(CONTENT, digest, "text/plain", replace=False)
    assert backend.head(blob_path(digest)) == first
    now[0] = first.modified + 2 * DAY
    blobs.write(CONTENT, digest, "text/plain", replace=False)
    again = backend.head(blob_path(digest))
    assert again is not None
    assert again.modified > first.modified
