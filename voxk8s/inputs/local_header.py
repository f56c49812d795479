"""Headers of images on this machine, without their voxels."""

from __future__ import annotations

import tempfile

import msgspec

from voxk8s.formats.sandbox.decoder import decode_input
from voxk8s.inputs.contents import input_files, is_folder
from voxk8s.inputs.input_options import InputOptions
from voxk8s.inputs.locations import locate


class Extent(msgspec.Struct, frozen=True):
    """Size (x, y[, z]) and geometry of an image, in mm; `name` is the input that has it."""

    size: tuple[int, ...]
    spacing: tuple[float, ...]
    origin: tuple[float, ...]
    direction: tuple[float, ...]
    name: str = ""


def local_header(url: str, options: InputOptions) -> Extent | None:
    """Return size and geometry of an image; None if it is not on this machine.

    It takes some milliseconds. Raises InputUnavailable for an image whose header cannot be read
    alone, InputNotAllowed, and OSError.
    """
    location = locate(url, options)
    if not location.is_local:
        return None
    series = is_folder(location, options)
    paths = [each.path for each in input_files(location, options)] if series else [location.path]
    with tempfile.TemporaryDirectory(prefix="voxk8s-header-") as scratch:
        found = decode_input(url, paths, scratch, options.limits, series=series, header=True)
    return msgspec.convert({**found, "name": url}, Extent, strict=False)  # type: ignore[dict-item]
