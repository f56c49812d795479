"""How much memory a value may take that is read: no more than this process may ever have."""

from __future__ import annotations

import os
from functools import lru_cache
from pathlib import Path
from typing import Final

_CGROUPS: Final = (
    Path("/sys/fs/cgroup/memory.max"),
    Path("/sys/fs/cgroup/memory/memory.limit_in_bytes"),
)


@lru_cache(maxsize=1)
def memory_limit() -> int:
    """Return the bytes of memory of this container, or else of this machine."""
    return min(_physical(), *map(_limit, _CGROUPS))


def _limit(path: Path) -> int:
    try:
        text = path.read_text(encoding="ascii").strip()
    except (OSError, ValueError):
        return _physical()
    # Without a limit cgroup v2 has "max", and v1 a number close to 2**63.
    return int(text) if text.isdigit() else _physical()


def _physical() -> int:
    try:
        return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    except (ValueError, OSError, AttributeError):
        return 1 << 62
