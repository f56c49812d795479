"""Settings of glibc's allocator: freed memory stays with the process.

By default glibc returns the pages of a large array to the system when it is freed, and the next
array of that size causes page faults again: 4 ms for the 9 MB of a mask of 155x240x240 voxels,
which takes 0.7 ms to compute. Kernels allocate and free such arrays all the time, so the process
keeps up to 256 MiB, even where Dask's nanny has set MALLOC_TRIM_THRESHOLD_ to the contrary.
"""

from __future__ import annotations

import ctypes
from functools import cache
from typing import Final

_M_TRIM_THRESHOLD: Final = -1
_M_MMAP_THRESHOLD: Final = -3
KEPT_BYTES: Final = 256 * 1024 * 1024
LARGEST_KEPT_BYTES: Final = 64 * 1024 * 1024


@cache
def keep_freed_memory() -> bool:
    """Set the thresholds of the allocator, once; return False if it is not glibc's."""
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    if mallopt is None:
        return False
    return bool(mallopt(_M_MMAP_THRESHOLD, LARGEST_KEPT_BYTES)) and bool(
        mallopt(_M_TRIM_THRESHOLD, KEPT_BYTES)
    )
