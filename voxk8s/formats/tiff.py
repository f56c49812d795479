"""TIFF: files that ITK reads wrongly or not at all, read with Pillow.

| TIFF | what ITK makes of it |
|---|---|
| tiles, planes, rotated, 1 bit, CMYK, YCbCr | 8-bit RGBA, whatever the voxels were |
| grey with alpha | every other voxel of a row |
| 16-bit floats | integers with the same bits |
| thumbnails or masks before or between pages | writes outside of its buffer |

What Pillow would change as well is refused.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Final

import numpy as np

from voxk8s.formats.decode_limits import Allow
from voxk8s.formats.tiff_pages import FLOAT, Page, read_pages
from voxk8s.values import Array, Image

if TYPE_CHECKING:
    from PIL import Image as Pillow

_WHITE_IS_ZERO, _BLACK_IS_ZERO, _RGB, _PALETTE, _YCBCR = 0, 1, 2, 3, 6
_JPEG: Final = 7
_PAGE_OF_SEVERAL, _MASK = 2, 4  # bits of the kind of a page
_LETTERS: Final = {1: "u", 2: "i", FLOAT: "f"}
_TO_RGB: Final = {"P": "RGB", "PA": "RGBA", "CMYK": "RGB", "YCbCr": "RGB", "RGBX": "RGB"}
_MODES: Final = (*_TO_RGB, "1", "L", "LA", "RGB", "RGBA", "I", "F", "I;16", "I;16B")
_TRANSPOSED: Final = (5, 6, 7, 8)  # orientations that turn rows into columns


def read_tiff(url: str, path: str, allow: Allow) -> Image | None:
    """Read the pages of a TIFF, all of one kind, as an image or a volume; None if ITK can.

    Pages are rotated as their orientation tag says. Raises InputUnavailable for damaged files, and
    for voxels that neither library reads as they are.
    """
    pages = read_pages(url, path, allow)
    if _itk_takes(pages):
        return None
    from voxk8s.formats.pillow import open_image

    page = pages[0]
    layout = "tiles" if page.tiled else "planes" if page.planar else "strips"
    detail = f" ({page.samples} samples of {page.bits} bits in {layout})"
    with open_image(url, path, "TIFF", detail) as image:
        planes = []
        for each in pages:
            image.seek(each.number)
            planes.append(_voxels(image, page))
    array = planes[0] if len(planes) == 1 else np.stack(planes)
    _, spacing = _grid(pages)
    rank = len(spacing)
    direction = tuple(float(i == j) for i in range(rank) for j in range(rank))
    channels = 1 if array.ndim == rank else array.shape[-1]
    return Image(array, spacing, (0.0,) * rank, direction, channels)


def tiff_grid(
    url: str, path: str, allow: Allow
) -> tuple[tuple[int, ...], tuple[float, ...]] | None:
    """Return size (x, y[, z]) and spacing in mm; None if ITK can. Raises as `read_tiff`."""
    pages = read_pages(url, path, allow)
    return None if _itk_takes(pages) else _grid(pages)


def _grid(pages: Sequence[Page]) -> tuple[tuple[int, ...], tuple[float, ...]]:
    page = pages[0]
    size, spacing = (page.width, page.length), page.spacing
    if page.orientation in _TRANSPOSED:
        size, spacing = size[::-1], spacing[::-1]
    return (size, spacing) if len(pages) == 1 else ((*size, len(pages)), (*spacing, 1.0))


def _itk_takes(pages: Sequence[Page]) -> bool:
    return _itk_finds(pages) and all(map(_itk_reads, pages))


def _itk_finds(pages: Sequence[Page]) -> bool:
    """Whether ITK's buffer has room for the pages: it allots one by their kinds, not by places."""
    if any(page.subfile & _MASK for page in pages):
        return False
    in_front = [page.number for page in pages] == list(range(len(pages)))
    return in_front and len({page.subfile & _PAGE_OF_SEVERAL for page in pages}) == 1


def _itk_reads(page: Page) -> bool:
    """Whether ITK reads the voxels of a page as they are."""
    grey = page.samples == 1 and page.photometric in (_WHITE_IS_ZERO, _BLACK_IS_ZERO, _PALETTE)
    colour = page.samples > 1 and (
        page.photometric == _RGB or (page.photometric, page.compression) == (_YCBCR, _JPEG)
    )
    known = (page.bits in (8, 16) and page.kind != FLOAT) or page.bits == 32
    plain = not page.tiled and page.orientation == 1 and (not page.planar or page.samples == 1)
    return plain and known and (grey or colour)


def _voxels(image: Pillow.Image, page: Page) -> Array:
    if (page.samples > 1 and page.bits != 8) or (page.kind == FLOAT and page.bits != 32):
        raise ValueError("such voxels are not supported; save grey or RGB voxels in strips")
    image.load()
    if image.mode not in _MODES:
        raise ValueError(f"voxels of mode {image.mode} are not supported")
    if image.mode in _TO_RGB:
        return np.array(image.convert(_TO_RGB[image.mode]))
    array: Array = np.array(image)
    if image.mode == "1":
        return array.astype(np.uint8) * np.uint8(255)
    if page.bits > 8 or page.kind == 2:
        return array.astype(f"{_LETTERS.get(page.kind, 'u')}{page.bits // 8}")
    return array
