"""Standard output and error: always UTF-8, and open even if the caller closed them."""

from __future__ import annotations

import io
import os
import sys


def prepare_streams() -> bool:
    """Prepare both streams; return False, with a message, if standard output is closed.

    Closed descriptors 0 to 2 are opened on the null device. Otherwise the next file that is opened,
    perhaps one of the store, would get such a number, and messages would be written into it.
    """
    fill_descriptors()
    if sys.stderr is None:
        sys.stderr = open(os.devnull, "w", encoding="utf-8")  # noqa: SIM115 - for good
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            # File names in other encodings contain surrogates.
            stream.reconfigure(encoding="utf-8", errors="backslashreplace")
    if sys.stdout is None:
        print("voxk8s: standard output is closed", file=sys.stderr)
        return False
    return True


def fill_descriptors() -> None:
    """Open the null device under each of the descriptors 0, 1 and 2 that is closed."""
    opened = os.open(os.devnull, os.O_RDWR)
    while opened <= 2:
        opened = os.open(os.devnull, os.O_RDWR)
    os.close(opened)


def drop_output() -> None:
    """Discard what is still to be written to standard output, also at exit."""
    try:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    except (OSError, ValueError):
        return  # not a stream of the operating system: nothing is flushed at exit
