"""Pictures that ITK reads wrongly or not at all, read by Pillow.

| picture | what ITK makes of it |
|---|---|
| PNG of grey with alpha, or with a transparent grey | an error |
| TIFF in tiles, in planes, turned, of 1 bit, CMYK, YCbCr | 8-bit RGBA, whatever it was |
| TIFF of grey with alpha | every other voxel of a row |
| TIFF of 16-bit floats | integers of the same bits |

What Pillow would change as well is refused.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Final

import numpy as np
from PIL import Image as Pillow

from voxk8s.errors import InputUnavailable
from voxk8s.values import Array, Image

if TYPE_CHECKING:
    from voxk8s.formats.tiff import Page

# Sizes are told by headers that were checked, and images of this field are large.
Pillow.MAX_IMAGE_PIXELS = None

_WHITE_IS_ZERO, _BLACK_IS_ZERO, _RGB, _PALETTE, _YCBCR = 0, 1, 2, 3, 6
_JPEG: Final = 7
_MOST_PACKED: Final = 1000  # voxels a byte; of one colour all over there are about 250
_FLOAT: Final = 3
_LETTERS: Final = {1: "u", 2: "i", _FLOAT: "f"}
_IN_COLOUR: Final = {"P": "RGB", "PA": "RGBA", "CMYK": "RGB", "YCbCr": "RGB", "RGBX": "RGB"}
_SWAPPED: Final = (5, 6, 7, 8)  # orientations that turn rows into columns


def needs_pillow(page: Page) -> bool:
    """Tell whether ITK would read other voxels from a page of a TIFF file than it has."""
    grey = page.samples == 1 and page.photometric in (_WHITE_IS_ZERO, _BLACK_IS_ZERO, _PALETTE)
    colour = page.samples > 1 and (
        page.photometric == _RGB or (page.photometric, page.compression) == (_YCBCR, _JPEG)
    )
    known = (page.bits in (8, 16) and page.kind != _FLOAT) or page.bits == 32
    plain = not page.tiled and page.orientation == 1 and (not page.planar or page.samples == 1)
    return not (plain and known and (grey or colour))


def read_tiff(url: str, path: str, pages: list[Page]) -> Image:
    """Read the pages of a TIFF file, all of one kind: an image or a volume.

    Pages are turned as their tag of orientation says. Raises InputUnavailable for kinds of voxels
    that would be changed.
    """
    page = pages[0]
    try:
        with Pillow.open(path, formats=["TIFF"]) as picture:
            planes = []
            for each in pages:
                picture.seek(each.number)
                planes.append(_voxels(picture, page))
        array = planes[0] if len(planes) == 1 else np.stack(planes)
    except (OSError, SyntaxError, ValueError, EOFError, NotImplementedError) as error:
        layout = "tiles" if page.tiled else "planes" if page.planar else "strips"
        raise InputUnavailable(
            f"input {url}: the TIFF file cannot be read ({page.samples} samples of {page.bits}"
            f" bits in {layout}): {_told(error, path)}; it may be corrupted, or save it as grey or"
            " RGB in strips"
        ) from error
    across, down = reversed(page.spacing) if page.orientation in _SWAPPED else page.spacing
    spacing = (across, down) if len(planes) == 1 else (across, down, 1.0)
    rank = len(spacing)
    direction = tuple(float(i == j) for i in range(rank) for j in range(rank))
    channels = 1 if array.ndim == rank else array.shape[-1]
    return Image(array, spacing, (0.0,) * rank, direction, channels)


def _voxels(picture: Pillow.Image, page: Page) -> Array:
    if (page.samples > 1 and page.bits != 8) or (page.kind == _FLOAT and page.bits != 32):
        raise ValueError("such voxels are not handled")
    picture.load()
    if picture.mode not in (*_IN_COLOUR, "1", "L", "LA", "RGB", "RGBA", "I", "F", "I;16", "I;16B"):
        raise ValueError(f"voxels of the kind {picture.mode} are not handled")
    if picture.mode in _IN_COLOUR:
        return np.array(picture.convert(_IN_COLOUR[picture.mode]))
    array: Array = np.array(picture)
    if picture.mode == "1":
        return array.astype(np.uint8) * np.uint8(255)
    if page.bits > 8 or page.kind == 2:
        return array.astype(f"{_LETTERS.get(page.kind, 'u')}{page.bits // 8}")
    return array


def _told(error: Exception, path: str) -> str:
    return str(error).replace(repr(path), "the file")


def check_jpeg(url: str, path: str) -> None:
    """Raise InputUnavailable for a JPEG that says it has more voxels than its bytes can hold.

    ITK would allocate up to 12 GiB and fill them with grey. What else is wrong is left to it.
    """
    try:
        with Pillow.open(path, formats=["JPEG"]) as picture:
            width, length = picture.size
    except (OSError, SyntaxError, ValueError):
        return
    if width * length > os.stat(path).st_size * _MOST_PACKED:
        raise InputUnavailable(
            f"input {url}: the JPEG file is corrupted or truncated: it is too short for its size of"
            f" {width}x{length}"
        )


def read_grey_png(url: str, path: str) -> Image | None:
    """Read a PNG of grey and alpha as two channels; None if it has no alpha.

    Raises InputUnavailable for 16 bits, of which Pillow would cut the lower half off.
    """
    try:
        with Pillow.open(path, formats=["PNG"]) as picture:
            if picture.mode in ("1", "L", "I;16", "I") and "transparency" not in picture.info:
                return None
            if picture.mode not in ("1", "L", "LA"):
                raise InputUnavailable(
                    f"input {url}: a PNG of grey with alpha in 16 bits is not read; save it in 8"
                )
            array = np.array(picture.convert("LA"))
    except (OSError, SyntaxError, ValueError) as error:
        raise InputUnavailable(
            f"input {url}: the PNG file cannot be read; it may be corrupted or truncated:"
            f" {_told(error, path)}"
        ) from error
    return Image(array, (1.0, 1.0), (0.0, 0.0), (1.0, 0.0, 0.0, 1.0), 2)
