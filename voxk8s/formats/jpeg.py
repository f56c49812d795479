"""What libjpeg says of broken files: it prints that, and ITK hands out voxels all the same.

Neither ITK nor Pillow turns libjpeg's warnings into errors, so the lines are caught where they go:
to the standard streams of the process, which are other people's, too. They are only ever held while
a JPEG is decoded, one at a time, and lines that are not libjpeg's are passed on.
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

_ALONE: Final = threading.Lock()
_FAULT: Final = re.compile(
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
"""Between two remarks of a camera there may be anything: no voxel is told by it."""


@contextmanager
def capture_libjpeg_errors(*streams: int) -> Iterator[list[str]]:
    """Collect what libjpeg prints to file descriptors, of 1 and 2, inside the block.

    ITK's own reader prints to the second while it reads the header and to the first after that,
    that of DICOM to the second. The list is filled when the block ends.
    """
    found: list[str] = []
    with _ALONE, ExitStack() as held:
        for stream in streams:
            held.enter_context(_caught(stream, found))
        yield found


@contextmanager
def _caught(stream: int, found: list[str]) -> Iterator[None]:
    libc = ctypes.CDLL(None)
    with tempfile.TemporaryFile() as caught:
        libc.fflush(None)
        try:
            before = os.dup(stream)
        except OSError:  # the process has no such stream: nothing is printed
            yield
            return
        os.dup2(caught.fileno(), stream)
        try:
            yield
        finally:
            libc.fflush(None)
            os.dup2(before, stream)
            os.close(before)
            caught.seek(0)
            for line in caught.read().splitlines(keepends=True):
                text = line.decode("utf-8", "replace").strip()
                if _HARMLESS.match(text):
                    continue
                if _FAULT.match(text):
                    found.append(text)
                else:
                    with suppress(OSError):
                        os.write(stream, line)
