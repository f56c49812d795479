"""Invalidation: deletes the records of results that are wrong, and of what was computed from them.

Blobs stay until they are garbage collected. A result depends on a wrong one if the selected kernels
are among its ancestors, or if one of its arguments is deleted. Memory: about 50 bytes a result and
12 an argument.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from voxk8s import constants
from voxk8s.storage.backend import Backend
from voxk8s.storage.record import Record
from voxk8s.storage.thread_pool import ThreadPool
from voxk8s.storage.upkeep.inventory import name_of, pack, pages, unpack
from voxk8s.storage.upkeep.selection import Selection
from voxk8s.storage.upkeep.selection_hint import MadeBy
from voxk8s.storage.upkeep.verify import Progress

_ROW: Final = np.dtype([("key", "S32"), ("short", "u8"), ("state", "u1")])
_EDGE: Final = np.dtype([("argument", "u8"), ("row", "u4")])
"""Keys of arguments by their first 64 bits: two alike would only cost a computation."""
_OTHER, _WRONG, _DEPENDENT = range(3)


@dataclass(frozen=True, slots=True)
class Invalidation:
    """What was deleted, or would be; `by_kernel` counts the results by the kernel that made them.

    `selected` are the results of the selected kernels, `dependent` those computed from them. `hint`
    says why there are neither, empty if there are.
    """

    selected: int
    dependent: int
    left: int
    by_kernel: dict[str, int]
    hint: str = ""


def invalidate(
    backend: Backend,
    pool: ThreadPool,
    records: Callable[[list[str]], dict[str, Record]],
    delete_result: Callable[[str], None],
    selection: Selection,
    *,
    dry_run: bool,
    progress: Progress,
) -> Invalidation:
    """Delete the selected results and all that depend on them; with `dry_run` nothing.

    `records` returns the records of many keys, `delete_result` deletes one.
    """
    makers = MadeBy()
    kernels: dict[str, int] = {}
    names: list[str] = []
    rows, edges, made_by = [], [], []
    count = 0
    for page in pages(backend.list(constants.RECORDS_PREFIX)):
        keys = [name for each in page if (name := name_of(each.path)) is not None]
        found = records(keys)
        for key, record in found.items():
            made = record.provenance
            makers.add(made)
            state = _OTHER
            if selection.matches(made):
                state = _WRONG
            elif selection.matches_below(made):
                state = _DEPENDENT
            if made.kernel not in kernels:
                kernels[made.kernel] = len(names)
                names.append(made.kernel)
            made_by.append(kernels[made.kernel])
            edges.append(np.array([(_short(each), count) for each in made.arguments], _EDGE))
            rows.append((pack(key), _short(key), state))
            count += 1
        progress("records", count)
    table = np.array(rows, _ROW)
    _follow(table, np.concatenate(edges) if edges else np.empty(0, _EDGE))
    chosen = np.flatnonzero(table["state"])
    by_kernel: dict[str, int] = {}
    for number in chosen.tolist():
        name = names[made_by[number]]
        by_kernel[name] = by_kernel.get(name, 0) + 1
    if not dry_run:
        deleted = 0
        for part in pages(unpack(table["key"][number]) for number in chosen.tolist()):
            pool.map(delete_result, part)
            deleted += len(part)
            progress("results deleted", deleted)
    states = np.bincount(table["state"], minlength=3)
    return Invalidation(
        selected=int(states[_WRONG]),
        dependent=int(states[_DEPENDENT]),
        left=int(states[_OTHER]),
        by_kernel=dict(sorted(by_kernel.items())),
        hint="" if chosen.size else makers.why_nothing(selection),
    )


def _follow(table: NDArray[Any], edges: NDArray[Any]) -> None:
    """Mark the results whose arguments are marked as dependent, and what depends on these."""
    edges = edges[np.argsort(edges["argument"], kind="stable")]
    front = table["short"][table["state"] != _OTHER]
    while front.size:
        first = np.searchsorted(edges["argument"], front, "left")
        last = np.searchsorted(edges["argument"], front, "right")
        reached = [edges["row"][a:b] for a, b in zip(first, last, strict=True) if a < b]
        users = np.unique(np.concatenate(reached)) if reached else np.empty(0, np.uint32)
        new = users[table["state"][users] == _OTHER]
        table["state"][new] = _DEPENDENT
        front = table["short"][new]


def _short(key: str) -> int:
    return int(key[:16], 16)
