"""A control group whose processes together get a share of the processors, as containers do.

A machine with two cores cannot show how work spreads over more: two workers, a scheduler, a runner
and a Kubernetes share them. Where each thread gets less than a core, the work is measured, and no
longer the machine. For benchmarks to use; it is none itself.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

_PERIOD = 100_000
"""Microseconds in which a share is given out: the kubelet's own."""


@contextmanager
def processor_share(cores: float) -> Iterator[Callable[[], None]]:
    """Create such a group for a share such as 0.4 cores; delete it at the end.

    Yields what puts a process into it: the `preexec_fn` of one that is to be started. Raises
    OSError where this user may not create control groups.
    """
    root = Path("/sys/fs/cgroup")
    quota = int(cores * _PERIOD)
    name = f"bench-{os.getpid()}"
    if (root / "cgroup.controllers").exists():
        group = root / name
        group.mkdir()
        (group / "cpu.max").write_text(f"{quota} {_PERIOD}")
    else:
        group = root / "cpu" / name
        group.mkdir()
        (group / "cpu.cfs_period_us").write_text(str(_PERIOD))
        (group / "cpu.cfs_quota_us").write_text(str(quota))
    try:
        yield lambda: _join(group)
    finally:
        group.rmdir()


def _join(group: Path) -> None:
    (group / "cgroup.procs").write_text(str(os.getpid()))
