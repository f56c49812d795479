"""PNG: checksums of all chunks, and grey images with alpha, which ITK does not read."""

from __future__ import annotations

import zlib
from typing import Final

import numpy as np

from voxk8s.errors import InputUnavailable
from voxk8s.formats.decode_limits import Allow
from voxk8s.values import Image

_CHUNK: Final = 1024 * 1024
_COLOUR_TYPE: Final = 25  # its place in the file
_GREY: Final = (0, 4)


def check_png(url: str, path: str) -> None:
    """Read the chunks of a PNG to its end; raises InputUnavailable for a wrong checksum.

    Stays ours: Pillow's `verify()` takes as long, but does not check the last chunk (IEND), and so
    accepts 14 of 1,960 damaged files.
    """
    with open(path, "rb") as file:
        file.seek(8)
        kind = b""
        while kind != b"IEND":
            size, kind = int.from_bytes(file.read(4), "big"), file.read(4)
            checksum, left = zlib.crc32(kind), size
            while left and (chunk := file.read(min(left, _CHUNK))):
                checksum, left = zlib.crc32(chunk, checksum), left - len(chunk)
            expected = file.read(4)
            if left or len(expected) < 4:
                raise InputUnavailable(f"input {url}: the PNG file is truncated")
            if int.from_bytes(expected, "big") != checksum:
                raise InputUnavailable(
                    f"input {url}: the PNG file is corrupted: a checksum is wrong"
                )


def read_grey_png(url: str, path: str, head: bytes, allow: Allow) -> Image | None:
    """Read a grey PNG with alpha or a transparent grey as two channels; None for any other PNG.

    Raises InputUnavailable for 16 bits, of which Pillow would drop the lower 8.
    """
    if len(head) <= _COLOUR_TYPE or head[_COLOUR_TYPE] not in _GREY:
        return None
    from voxk8s.formats.pillow import open_image

    with open_image(url, path, "PNG") as image:
        if image.mode in ("1", "L", "I;16", "I") and "transparency" not in image.info:
            return None
        if image.mode not in ("1", "L", "LA"):
            raise InputUnavailable(
                f"input {url}: a grey PNG with alpha in 16 bits is not supported; save it in 8 bits"
            )
        allow(2 * image.width * image.height)
        array = np.array(image.convert("LA"))
    return Image(array, (1.0, 1.0), (0.0, 0.0), (1.0, 0.0, 0.0, 1.0), 2)
