"""Decompression of gzip and zlib data with their checksums."""

from __future__ import annotations

import zlib
from collections.abc import Iterator
from typing import IO, Final

from voxk8s.errors import InputUnavailable
from voxk8s.formats.decode_limits import Allow

_GZIP_OR_ZLIB: Final = 47  # wbits: the header decides
_GZIP: Final = 31  # only gzip files have further members
_READ: Final = 256 * 1024
_CHUNK: Final = 1024 * 1024


def inflate(
    url: str, kind: str, source: IO[bytes], allow: Allow, *, whole: bool = True
) -> Iterator[bytes]:
    """Yield the decompressed data of a file of some `kind` in chunks of at most 1 MiB.

    With `whole` the data extend to the end of `source`, as one gzip member or several, with zeros
    as padding; else what follows the first stream is ignored. `allow` is asked before each chunk,
    with the size up to its end. Raises InputUnavailable for data that are truncated or corrupted.
    """
    stream, total = zlib.decompressobj(_GZIP_OR_ZLIB), 0
    try:
        while True:
            if not stream.eof:
                data = stream.unconsumed_tail or source.read(_READ)
                if not data:
                    raise InputUnavailable(
                        f"input {url}: the {kind} file is truncated, or its compressed data are"
                        " corrupted"
                    )
            elif whole and (data := _next_member(stream.unused_data, source)):
                stream = zlib.decompressobj(_GZIP)
            else:
                return
            chunk = stream.decompress(data, _CHUNK)
            total += len(chunk)
            allow(total)
            yield chunk
    except zlib.error as error:
        raise InputUnavailable(
            f"input {url}: the {kind} file is corrupted, or has data after its end: {error}"
        ) from error


def _next_member(unused: bytes, source: IO[bytes]) -> bytes:
    """Return the beginning of the next gzip member, after zeros; empty at the end of `source`."""
    while not (data := unused.lstrip(b"\0")):
        unused = source.read(_READ)
        if not unused:
            break
    return data
