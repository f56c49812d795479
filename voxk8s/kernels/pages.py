"""The pages of a TIFF file: whether all are there, and of one size.

libtiff gives the pages before the first broken one and no error, and ITK takes the size of the
first page for all.
"""

from __future__ import annotations

import struct
from typing import IO, Final

_SUBFILE, _WIDTH, _LENGTH = 254, 256, 257
_SMALL: Final = {3: "H", 4: "I", 16: "Q"}  # types that these tags may have
_MOST_PAGES: Final = 100_000


def fault_in_pages(path: str) -> str | None:
    """Say what is wrong with the pages of a TIFF file; None if nothing is."""
    with open(path, "rb") as file:
        try:
            sizes = _page_sizes(file)
        except (struct.error, OverflowError):
            return "truncated"
    if len(sizes) > 1:
        shapes = " and ".join(f"{width}x{length}" for width, length in sorted(sizes)[:2])
        return f"made of pages of different sizes ({shapes}); save them one by one"
    return None


def _page_sizes(file: IO[bytes]) -> set[tuple[int, int]]:
    head = file.read(16)
    order = "<" if head[:2] == b"II" else ">"
    big = struct.unpack_from(f"{order}H", head, 2)[0] == 43
    word, count, entry = ("Q", "Q", "HH8x8s") if big else ("I", "H", "HH4x4s")
    (place,) = struct.unpack_from(order + word, head, 8 if big else 4)
    sizes: set[tuple[int, int]] = set()
    seen: set[int] = set()
    while place and place not in seen and len(seen) < _MOST_PAGES:
        seen.add(place)
        file.seek(place)
        (entries,) = _unpack(file, order + count)
        tags: dict[int, int] = {}
        for _ in range(entries):
            tag, kind, content = struct.unpack(
                order + entry, file.read(struct.calcsize(order + entry))
            )
            if tag in (_SUBFILE, _WIDTH, _LENGTH) and kind in _SMALL:
                tags[tag] = struct.unpack_from(order + _SMALL[kind], content)[0]
        (place,) = _unpack(file, order + word)
        if not tags.get(_SUBFILE, 0) & 1:  # a smaller copy of another page is passed over
            sizes.add((tags.get(_WIDTH, 0), tags.get(_LENGTH, 0)))
    return sizes


def _unpack(file: IO[bytes], form: str) -> tuple[int, ...]:
    found: tuple[int, ...] = struct.unpack(form, file.read(struct.calcsize(form)))
    return found
