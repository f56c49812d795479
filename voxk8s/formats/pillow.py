"""Pillow, for images that ITK reads wrongly or not at all; its errors as errors of an input."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from PIL import Image as Pillow

from voxk8s.errors import InputUnavailable

# The formats' modules check the sizes in headers; medical images exceed Pillow's limit.
Pillow.MAX_IMAGE_PIXELS = None

PILLOW_ERRORS: Final = (OSError, SyntaxError, ValueError, EOFError, NotImplementedError)


@contextmanager
def open_image(url: str, path: str, kind: str, detail: str = "") -> Iterator[Pillow.Image]:
    """Open a file with Pillow; its errors inside the block become InputUnavailable."""
    try:
        # Not by its name: what Pillow maps into memory it does not rotate as a TIFF asks.
        with Path(path).open("rb") as file, Pillow.open(file, formats=[kind]) as image:
            yield image
    except PILLOW_ERRORS as error:
        reason = str(error).replace(repr(path), "the file")
        raise InputUnavailable(
            f"input {url}: the {kind} file cannot be read{detail}; it may be corrupted or"
            f" truncated: {reason}"
        ) from error
