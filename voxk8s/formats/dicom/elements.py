"""The elements of a DICOM file: whether all that it announces is there.

GDCM allocates what an element says of its length before it looks for it: gigabytes for a file of a
kilobyte that was cut or has one wrong byte.
"""

from __future__ import annotations

import os
import struct
from typing import IO, Final

_START: Final = 132  # of the elements, behind the preamble
_IMPLICIT: Final = "1.2.840.10008.1.2"
_BIG_ENDIAN: Final = "1.2.840.10008.1.2.2"
_DEFLATED: Final = "1.2.840.10008.1.2.1.99"
_LONG: Final = b"OB OD OF OL OV OW SQ SV UC UN UR UT UV".split()
_UNDEFINED: Final = 0xFFFFFFFF
_PIXELS: Final = (0x7FE0, 0x0010)
_ITEM, _SEQUENCE_END = (0xFFFE, 0xE000), (0xFFFE, 0xE0DD)


def is_complete(path: str, syntax: str) -> bool:
    """Tell whether a file in a transfer syntax ends no earlier than its elements say.

    What is inside sequences of a known length, and files of which the elements are compressed, are
    not looked at.
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
                    return True  # in another syntax from here on
                # Go on inside; only the items of encoded pixels are no lists of elements.
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
