"""How much memory this process may use."""

from __future__ import annotations

import os
from functools import cache
from pathlib import Path
from typing import Final

_CGROUPS: Final = (
    Path("/sys/fs/cgroup/memory.max"),
    Path("/sys/fs/cgroup/memory/memory.limit_in_bytes"),
)


def memory_limit(roots: tuple[Path, ...] = _CGROUPS) -> int | None:
    """Return the memory limit of this container in bytes, or None without one."""
    for path in roots:
        try:
            text = path.read_text(encoding="ascii").strip()
        except OSError:
            continue
        # Without a limit cgroup v2 has "max", and v1 a number close to 2**63.
        if text.isdigit() and int(text) < 2**50:
            return int(text)
    return None


@cache
def usable_memory() -> int:
    """Return the bytes of memory of this container, or of this machine where there is no limit.

    It is read once a process.
    """
    machine = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    limit = memory_limit()
    return machine if limit is None else min(limit, machine)


def data_bytes(status: Path = Path("/proc/self/status")) -> int:
    """Return the bytes of this process that RLIMIT_DATA limits; 0 where the system does not say."""
    try:
        lines = status.read_text(encoding="ascii", errors="replace").splitlines()
    except OSError:
        return 0
    sizes = (line.split()[1] for line in lines if line.startswith("VmData:"))
    return int(next(sizes, "0")) * 1024


def resident_bytes(statm: Path = Path("/proc/self/statm")) -> int:
    """Return the bytes of memory that this process has; 0 where the system does not say."""
    try:
        return int(statm.read_text(encoding="ascii").split()[1]) * os.sysconf("SC_PAGE_SIZE")
    except (OSError, ValueError, IndexError):
        return 0
