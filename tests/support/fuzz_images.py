"""Fuzzed images: sound files of every format, damaged by chance, are decoded as inputs are."""

from __future__ import annotations

import gzip
import io
import random
import tempfile
from functools import cache
from pathlib import Path
from typing import Final

import numpy as np
import SimpleITK as sitk
from PIL import Image as Pillow

from tests.support.images import image
from voxk8s.errors import InputUnavailable
from voxk8s.formats.decode_limits import DecodeLimits
from voxk8s.formats.encode_file import encode_file
from voxk8s.formats.sandbox.decoder import decode_input

FORMATS: Final = (
    *("nii", "nii.gz", "mha", "nrrd", "png", "jpg", "tif", "bmp", "dcm", "json", "json.gz"),
)
_LIMITS: Final = DecodeLimits(largest=64 * 2**20, expansion=None, seconds=20.0)
_NUMBERS: Final = (0, 1, 0x7F, 0x80, 0xFF, 0x7FFF, 0xFFFF, 0x7FFFFFFF, 0xFFFFFFFF)
_NAME: Final = "s3://fuzz/image"


@cache
def sample(kind: str) -> bytes:
    """Return a sound file of a format."""
    rng = np.random.default_rng(1)
    if kind in ("png", "jpg", "bmp", "tif"):
        out = io.BytesIO()
        pages = [Pillow.fromarray(rng.integers(0, 255, (9, 8, 3), np.uint8)) for _ in range(2)]
        names = {"jpg": "JPEG", "tif": "TIFF"}
        more = {"save_all": True, "append_images": pages[1:]} if kind == "tif" else {}
        pages[0].save(out, names.get(kind, kind.upper()), **more)
        return out.getvalue()
    if kind == "dcm":
        with tempfile.TemporaryDirectory() as folder:
            path = f"{folder}/a.dcm"
            sitk.WriteImage(sitk.GetImageFromArray(np.ones((1, 6, 5), np.int16)), path)
            return Path(path).read_bytes()
    if kind.startswith("json"):
        text = b'{"a": [1, 2.5, "x", null], "b": {"c": [true, -1e5]}}'
        return gzip.compress(text, mtime=0) if kind.endswith("gz") else text
    return encode_file(image(rng.random((4, 5, 6)).astype(np.float32)), f".{kind}").data


def damaged(kind: str, rng: random.Random) -> bytes:
    """Return a sample with some bytes, numbers or parts of it changed; most of all in its head."""
    return damaged_bytes(sample(kind), rng)


def damaged_bytes(sound: bytes, rng: random.Random) -> bytes:
    """Return bytes with some of them, numbers or parts changed; most of all at the beginning."""
    data = bytearray(sound)
    for _ in range(rng.randrange(1, 4)):
        place = min(int(rng.expovariate(3 / max(1, len(data)))), max(0, len(data) - 1))
        match rng.randrange(6):
            case 0:
                data[place : place + 1] = bytes([rng.randrange(256)])
            case 1:
                width = rng.choice((1, 2, 4))
                order = rng.choice(("little", "big"))
                number = rng.choice(_NUMBERS) & (256**width - 1)
                data[place : place + width] = number.to_bytes(width, order)
            case 2:
                del data[place:]
            case 3:
                del data[place : place + rng.randrange(1, 9)]
            case 4:
                data[place:place] = rng.randbytes(rng.randrange(1, 9))
            case _:
                other = rng.randrange(max(1, len(data)))
                data[place : place + 8] = data[other : other + 8]
    return bytes(data)


def decode_image(given: object) -> None:
    """Decode a file; an error begins with the name of the input and is short."""
    assert isinstance(given, bytes)
    with tempfile.TemporaryDirectory() as scratch:
        path = Path(scratch) / "file"
        path.write_bytes(given)
        try:
            decode_input(_NAME, [str(path)], scratch, _LIMITS)
        except InputUnavailable as error:
            assert str(error).startswith(f"input {_NAME}: "), str(error)  # noqa: PT017
            assert len(str(error)) < 5000, str(error)[:200]  # noqa: PT017
            raise
