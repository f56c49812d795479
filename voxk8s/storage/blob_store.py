"""Blobs: bytes under their own SHA-256, verified by every reader."""

from __future__ import annotations

import logging
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from typing import Final

from voxk8s import constants
from voxk8s.errors import CorruptBlob
from voxk8s.plan.model import Digest
from voxk8s.storage.backend import Backend, Move, ObjectInfo
from voxk8s.storage.byte_source import HashingReader
from voxk8s.storage.layout import blob_path
from voxk8s.storage.miss import MISS, Miss
from voxk8s.storage.quarantine import MOST_BYTES, Quarantine
from voxk8s.storage.value_codec import (
    HEAD_SIZE,
    Encoded,
    decode,
    decode_stream,
    digest_of,
    is_chunked,
)
from voxk8s.values import Value

_log = logging.getLogger(__name__)

_HEAD_FIRST_FROM: Final = 1024 * 1024
"""Larger blobs are not sent before the store was asked whether it has them."""
_COMPARE_UPTO: Final = 16 * 1024 * 1024
"""The bytes of larger blobs that exist are not compared with those that would be written."""


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

        # Until it is found to be sound: a writer then replaces it.
        def check(data: memoryview) -> None:
            self._corrupt.add(digest)
            if digest_of((data,)) != digest:
                raise CorruptBlob("its bytes do not have the SHA-256 of its name")
            self._corrupt.discard(digest)

        data = self._quarantine.read(
            blob_path(digest),
            check,
            bulk=True,
            most=sys.maxsize if size is None else max(2 * size, MOST_BYTES),
            move_larger=False,
        )
        # With another size, it is the record that is wrong.
        wrong = data is not None and size is not None and len(data) != size
        return None if wrong else data

    def load(self, digest: Digest, size: int) -> Value | Miss:
        """Return a large value, decoded while it is read, once all its bytes are verified.

        MISS when its blob is missing or corrupt, or this version cannot decode it.
        """
        source = self._backend.open_source(blob_path(digest), size)
        if source is None:
            return MISS
        with closing(source):
            reader = HashingReader(source)
            value: Value | Miss = MISS
            try:
                head = reader.read(HEAD_SIZE)
                if is_chunked(head):
                    value = decode_stream(head, reader)
            except CorruptBlob:
                value = MISS
            used = reader.size
            if value is not MISS and reader.finish() == (digest, size) and used == size:
                return value
        # Of the first version, or corrupt: then it is read once more, since the connection may be
        # at fault, and quarantined.
        del value
        data = self.read(digest, size)
        try:
            return MISS if data is None else decode(data)
        except CorruptBlob as error:
            # The bytes match their digest: another version wrote them.
            _log.warning("the blob %s cannot be decoded: %s", digest, error)
            return MISS

    def read_piece(self, digest: Digest, start: int, size: int) -> memoryview | None:
        """Return bytes of a blob as they are, for a reader that verifies the whole; None if none.

        At the blob's end there are fewer.
        """
        return self._backend.read_range(blob_path(digest), start, size)

    def head(self, digest: Digest) -> ObjectInfo | None:
        """Return the metadata of a blob, or None; its bytes are not read."""
        return self._backend.head(blob_path(digest))

    def is_sound(self, digest: Digest, size: int | None = None) -> bool:
        """Whether there is a blob whose bytes have this digest; a corrupt one is quarantined."""
        seen = self._backend.digest(blob_path(digest))
        if seen is None or seen[0] == digest:
            return seen is not None
        # It is read once more, since the connection may be at fault.
        return self.read(digest, size) is not None

    @contextmanager
    def staged(self, encoded: Encoded) -> Iterator[Move | None]:
        """Write a large value to where `write` can take it from, if the store has such a place.

        It is measured on the way, so that it is encoded only once.
        """
        if not encoded.is_stream:
            yield None
            return
        with self._backend.staged(encoded.measuring()) as move:
            yield move

    def write(
        self,
        encoded: Encoded,
        digest: Digest,
        media_type: str,
        *,
        replace: bool,
        staged: Move | None = None,
    ) -> str:
        """Write a blob unless it exists; one that is seen to be wrong is replaced.

        Overwriting is safe: every writer of this name writes the same bytes. Returns what the store
        calls the state of the blob; empty where the bytes of an existing one were not compared.
        """
        path = blob_path(digest)
        if not replace and digest not in self._corrupt:
            parts = encoded.parts
            if isinstance(parts, tuple) and encoded.size < _HEAD_FIRST_FROM:
                created = self._backend.create(path, parts, media_type)
                if created is not None:
                    return self._backend.version_of(created)
            found = self._backend.head(path)
            # An old blob without a record may be about to be collected: writing it again makes it
            # young.
            if found is not None and found.size == encoded.size and not self._is_old(found):
                compares = encoded.size <= _COMPARE_UPTO
                same = self._backend.has_bytes(found, parts) if compares else None
                if same is not False:
                    return self._backend.version_of(found) if same else ""
        if staged is None:
            written: ObjectInfo | None = self._backend.write(
                path, encoded.parts, media_type, size=encoded.size
            )
        else:
            staged(path)
            written = self._backend.head(path)
        self._corrupt.discard(digest)
        return "" if written is None else self._backend.version_of(written)

    def _is_old(self, found: ObjectInfo) -> bool:
        return self._clock() - found.modified > constants.STORE_GRACE_SECONDS / 2
