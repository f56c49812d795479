"""Standard output and error: UTF-8 whatever the locale, and open whatever the caller closed."""

from __future__ import annotations

import io
import os
import sys


def prepare_streams() -> bool:
    """Make both streams fit for use; False, with a message, when there is no standard output.

    The first three descriptors are filled: otherwise the next file that is opened, one of the store
    perhaps, would be taken for a standard stream by whoever writes to that number.
    """
    fill_descriptors()
    if sys.stderr is None:
        sys.stderr = open(os.devnull, "w", encoding="utf-8")  # noqa: SIM115 - for good
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            # File names of other encodings stand in texts as surrogates.
            stream.reconfigure(encoding="utf-8", errors="backslashreplace")
    if sys.stdout is None:
        print("voxk8s: standard output is closed: there is nowhere to write to", file=sys.stderr)
        return False
    return True


def fill_descriptors() -> None:
    """Open the null device under each of the descriptors 0, 1 and 2 that is closed."""
    opened = os.open(os.devnull, os.O_RDWR)
    while opened <= 2:
        opened = os.open(os.devnull, os.O_RDWR)
    os.close(opened)


def drop_output() -> None:
    """Let what is still to be written to standard output vanish, also when the program ends."""
    try:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    except (OSError, ValueError):
        return  # no stream of the system: nothing is written at the end
