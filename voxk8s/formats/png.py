"""Whether PNG and BMP files are whole, which not every library that reads them looks at."""

from __future__ import annotations

import os
import struct
import zlib
from typing import Final

from voxk8s.errors import InputUnavailable

_CHUNK: Final = 1024 * 1024


def check_png(url: str, path: str) -> None:
    """Follow the chunks of a PNG to its end, with their checksums, which Pillow leaves out."""
    with open(path, "rb") as file:
        file.seek(8)
        kind = b""
        while kind != b"IEND":
            size, kind = int.from_bytes(file.read(4), "big"), file.read(4)
            check, left = zlib.crc32(kind), size
            while left and (chunk := file.read(min(left, _CHUNK))):
                check, left = zlib.crc32(chunk, check), left - len(chunk)
            told = file.read(4)
            if left or len(told) < 4:
                raise InputUnavailable(f"input {url}: the PNG file is truncated")
            if int.from_bytes(told, "big") != check:
                raise InputUnavailable(
                    f"input {url}: the PNG file is corrupted: a checksum is wrong"
                )


def check_bmp(url: str, path: str) -> None:
    """Count the bytes of a BMP: ITK takes for voxels what it has in memory for those missing."""
    with open(path, "rb") as file:
        head = file.read(34).ljust(34, b"\0")
    (start,) = struct.unpack_from("<I", head, 10)
    width, height, _, bits, packed = struct.unpack_from("<iiHHI", head, 18)
    row = (abs(width) * bits + 31) // 32 * 4
    if os.stat(path).st_size < start + (0 if packed else row * abs(height)):
        raise InputUnavailable(f"input {url}: the BMP file is truncated")
