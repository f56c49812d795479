"""What libjpeg says of broken files: it prints that, and ITK hands out voxels all the same.

Neither ITK nor Pillow turns libjpeg's warnings into errors, so the lines are caught where they go:
to a standard stream of the process, which is other people's, too. It is only ever held while a
JPEG is decoded, one at a time, and lines that are not libjpeg's are passed on.
"""

from __future__ import annotations

import ctypes
import os
import re
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Final

_ALONE: Final = threading.Lock()
_FAULT: Final = re.compile(
    r"(Corrupt JPEG data: |Premature end of JPEG|Bogus |Invalid |Inconsistent progression"
    r"|Quantization table |Huffman table |Arithmetic table |Unsupported marker|Unsupported JPEG"
    r"|Empty JPEG|Improper call to JPEG|Not a JPEG file|Didn't expect more than one scan"
    r"|Missing Huffman code table|Cannot quantize|Image too wide|Fractional sampling"
    r"|Sorry, |Unknown Adobe color)"
)
_HARMLESS: Final = re.compile(
    r"(Warning: unknown JFIF revision"
    r"|Corrupt JPEG data: \d+ extraneous bytes before marker 0x(e[0-9a-f]|fe))"
)
"""Between two remarks of a camera there may be anything: no voxel is told by it."""


@contextmanager
def libjpeg_complaints(stream: int) -> Iterator[list[str]]:
    """Collect what libjpeg prints to the file descriptor 1 or 2 inside the block.

    ITK's own reader prints to the first, that of DICOM to the second. The list is filled when the
    block ends.
    """
    found: list[str] = []
    libc = ctypes.CDLL(None)
    with _ALONE, tempfile.TemporaryFile() as caught:
        libc.fflush(None)
        try:
            before = os.dup(stream)
        except OSError:  # the process has no such stream: nothing is printed
            yield found
            return
        os.dup2(caught.fileno(), stream)
        try:
            yield found
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
