"""Blobs: bytes under their own SHA-256, verified by everybody who reads them."""

from __future__ import annotations

import time
from collections.abc import Callable

from voxk8s import constants
from voxk8s.errors import CorruptBlob
from voxk8s.plan.model import Digest
from voxk8s.storage.backend import Backend, ObjectInfo
from voxk8s.storage.layout import blob_path
from voxk8s.storage.quarantine import Quarantine
from voxk8s.storage.value_codec import Encoded, digest_of

_LOOK_FIRST = 1024 * 1024


class BlobStore:
    """The content-addressed part of a store."""

    def __init__(
        self, backend: Backend, quarantine: Quarantine, clock: Callable[[], float] = time.time
    ) -> None:
        """Keep blobs in `backend`."""
        self._backend = backend
        self._clock = clock
        self._quarantine = quarantine
        # Found corrupt here; they may still be there if they could not be moved.
        self._suspects: set[Digest] = set()

    def read(self, digest: Digest, size: int | None = None) -> memoryview | None:
        """Read a blob and verify it; None when there is none, or none that is right."""

        def check(data: memoryview) -> None:
            self._suspects.add(digest)
            if size is not None and len(data) != size:
                raise CorruptBlob(f"it has {len(data)} bytes and should have {size}")
            if digest_of((data,)) != digest:
                raise CorruptBlob("its bytes do not have the SHA-256 of its name")
            self._suspects.discard(digest)

        return self._quarantine.read(blob_path(digest), check, bulk=True)

    def exists(self, digest: Digest, size: int) -> bool:
        """Whether there is a blob of this digest with the right size; its bytes are not read."""
        found = self._backend.head(blob_path(digest))
        return found is not None and found.size == size

    def write(self, encoded: Encoded, digest: Digest, media_type: str, *, replace: bool) -> None:
        """Make sure that a blob is there; one of the wrong size is replaced.

        Plain overwriting is safe: whoever writes this name writes these bytes.
        """
        path = blob_path(digest)
        if not replace and digest not in self._suspects:
            small = encoded.size < _LOOK_FIRST
            if small and self._backend.create(path, encoded.parts, media_type):
                return
            found = self._backend.head(path)
            # One that is old may be about to be collected, since nobody named it: written again it
            # is young.
            if found is not None and found.size == encoded.size and not self._is_old(found):
                return
        self._backend.write(path, encoded.parts, media_type)
        self._suspects.discard(digest)

    def _is_old(self, found: ObjectInfo) -> bool:
        return self._clock() - found.modified > constants.STORE_GRACE_SECONDS / 2
