"""JPEG: libjpeg's warnings as errors, and sizes that a file cannot have.

libjpeg prints warnings about corrupted data, and neither ITK nor Pillow turns them into errors. So
they are captured from the standard streams of the process, while one JPEG at a time is decoded;
all other lines are passed on.
"""

from __future__ import annotations

import ctypes
import os
import re
import tempfile
import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from typing import Final

from voxk8s.errors import InputUnavailable

_LOCK: Final = threading.Lock()
_ERROR: Final = re.compile(
    r"(Corrupt JPEG data: |Premature end of JPEG|Empty JPEG|JPEG datastream contains no image"
    r"|Bogus (Huffman|DQT|DHT|DAC|marker length|sampling factors)"
    r"|Invalid (JPEG file structure|SOS parameters|component ID|progressive parameters)"
    r"|Inconsistent progression|(Quantization|Huffman|Arithmetic) table 0x|Missing Huffman code"
    r"|Unsupported (marker type|JPEG process|JPEG data|color conversion)|Not a JPEG file"
    r"|Didn't expect more than one scan|Unknown Adobe color|Sorry, (arithmetic|there are legal))"
)
_HARMLESS: Final = re.compile(
    r"(Warning: unknown JFIF revision"
    r"|Corrupt JPEG data: \d+ extraneous bytes before marker 0x(e[0-9a-f]|fe))"
)
"""Extra bytes between the comments of a camera do not affect voxels."""
_MAX_RATIO: Final = 1000
"""Voxels in a byte; images of one colour have about 250."""


def check_jpeg_size(url: str, path: str) -> None:
    """Raise InputUnavailable for a JPEG with a size for which its file is too short.

    ITK would allocate up to 12 GiB and fill them with grey.
    """
    from PIL import Image as Pillow

    from voxk8s.formats.pillow import PILLOW_ERRORS

    try:
        with Pillow.open(path, formats=["JPEG"]) as image:
            width, length = image.size
    except PILLOW_ERRORS:
        return  # other damage is found when ITK reads the file
    if width * length > os.stat(path).st_size * _MAX_RATIO:
        raise InputUnavailable(
            f"input {url}: the JPEG file is corrupted or truncated: it is too short for its size of"
            f" {width}x{length}"
        )


@contextmanager
def capture_libjpeg_errors(*streams: int) -> Iterator[list[str]]:
    """Collect the errors that libjpeg prints to file descriptors 1 and 2 inside the block.

    ITK's JPEG reader prints to 2 while it reads the header and to 1 afterwards, GDCM to 2. The
    list is filled when the block ends.
    """
    found: list[str] = []
    with _LOCK, ExitStack() as held:
        for stream in streams:
            held.enter_context(_captured(stream, found))
        yield found


@contextmanager
def _captured(stream: int, found: list[str]) -> Iterator[None]:
    libc = ctypes.CDLL(None)
    with tempfile.TemporaryFile() as captured:
        libc.fflush(None)
        try:
            before = os.dup(stream)
        except OSError:  # the process has no such stream, so nothing is printed
            yield
            return
        os.dup2(captured.fileno(), stream)
        try:
            yield
        finally:
            libc.fflush(None)
            os.dup2(before, stream)
            os.close(before)
            captured.seek(0)
            for line in captured.read().splitlines(keepends=True):
                text = line.decode("utf-8", "replace").strip()
                if _HARMLESS.match(text):
                    continue
                if _ERROR.match(text):
                    found.append(text)
                else:
                    with suppress(OSError):
                        os.write(stream, line)
