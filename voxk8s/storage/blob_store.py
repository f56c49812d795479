"""Blobs: bytes under their own SHA-256, verified by every reader."""

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

_HEAD_FIRST_FROM = 1024 * 1024
"""Larger blobs are not sent before the store was asked whether it has them."""


class BlobStore:
    """The content-addressed part of a store."""

    def __init__(
        self, backend: Backend, quarantine: Quarantine, clock: Callable[[], float] = time.time
    ) -> None:
        self._backend = backend
        self._clock = clock
        self._quarantine = quarantine
        # Blobs found corrupt here; they are still in place if they could not be moved.
        self._corrupt: set[Digest] = set()

    def read(self, digest: Digest, size: int | None = None) -> memoryview | None:
        """Return the verified bytes of a blob; None when it is missing or corrupt."""

        def check(data: memoryview) -> None:
            self._corrupt.add(digest)
            if size is not None and len(data) != size:
                raise CorruptBlob(f"expected {size} bytes, found {len(data)}")
            if digest_of((data,)) != digest:
                raise CorruptBlob("its bytes do not have the SHA-256 of its name")
            self._corrupt.discard(digest)

        return self._quarantine.read(blob_path(digest), check, bulk=True)

    def exists(self, digest: Digest, size: int) -> bool:
        """Whether there is a blob of this digest with the right size; its bytes are not read."""
        found = self._backend.head(blob_path(digest))
        return found is not None and found.size == size

    def write(self, encoded: Encoded, digest: Digest, media_type: str, *, replace: bool) -> None:
        """Write a blob unless it exists; one of the wrong size is replaced.

        Overwriting is safe: every writer of this name writes the same bytes.
        """
        path = blob_path(digest)
        if not replace and digest not in self._corrupt:
            small = encoded.size < _HEAD_FIRST_FROM
            if small and self._backend.create(path, encoded.parts, media_type) is not None:
                return
            found = self._backend.head(path)
            # An old blob without a record may be about to be collected: writing it again makes it
            # young.
            if found is not None and found.size == encoded.size and not self._is_old(found):
                return
        self._backend.write(path, encoded.parts, media_type)
        self._corrupt.discard(digest)

    def _is_old(self, found: ObjectInfo) -> bool:
        return self._clock() - found.modified > constants.STORE_GRACE_SECONDS / 2
