"""Thumbnails of images."""

from __future__ import annotations

from io import BytesIO
from typing import Final

from voxk8s.formats.encode_file import to_uint8
from voxk8s.report.run_data import Preview
from voxk8s.values import Image

SIDE: Final = 256
"""Pixels of the longer side."""
_MOST_CHANNELS: Final = 4


def thumbnail(image: Image) -> Preview | None:
    """Return the middle slice in 8 bits, as `save` writes a PNG, in true proportions.

    None for an image without voxels, or with more than 4 channels.
    """
    # Imported here: most reports have no pictures.
    from PIL import Image as Pillow

    array = image.array
    if image.channels > _MOST_CHANNELS or not array.size:
        return None
    picture = Pillow.fromarray(to_uint8(array[len(array) // 2] if image.dimension == 3 else array))
    across, down = (abs(each) or 1.0 for each in image.spacing[:2])
    wide, high = picture.width * across, picture.height * down
    # Do not enlarge: at most one pixel for each voxel along the finer axis.
    scale = min(SIDE / max(wide, high), 1 / min(across, down))
    shape = max(1, round(wide * scale)), max(1, round(high * scale))
    data = BytesIO()
    picture.resize(shape, Pillow.Resampling.LANCZOS).save(data, "PNG")
    return Preview(data.getvalue(), "image/png")
