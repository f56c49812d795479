"""Which results and blobs may be deleted: by age, by total size, and without a record. Pure.

The *last use* of a result is when its record was written or refreshed: every use of a record that
is older than 12 hours refreshes it (see `access_refresh`). What was used within the grace
period is kept, whatever the limits, and so is every blob that such a record names.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from voxk8s.constants import STORE_GRACE_SECONDS
from voxk8s.storage.upkeep.inventory import Rows


@dataclass(frozen=True, slots=True)
class Limits:
    """The limits of a store; times in seconds, None for no limit.

    Results that were not used for `older_than` are deleted, then the least recently used ones until
    records and blobs have at most `max_bytes`; pins that were not used, and costs
    that were not written, for `pins_older_than`; runs
    whose files were not written for `runs_older_than`. Nothing younger than `grace` is deleted.
    """

    older_than: float | None = None
    max_bytes: int | None = None
    grace: float = STORE_GRACE_SECONDS
    runs_older_than: float | None = None
    pins_older_than: float | None = None


@dataclass(frozen=True, slots=True)
class Choice:
    """What to delete: positions in the rows of results and of blobs."""

    results: NDArray[np.intp]
    blobs: NDArray[np.intp]
    bytes_left: int


def choose(results: Rows, blobs: Rows, limits: Limits, now: float) -> Choice:
    """Choose what to delete; `blobs` are in the order of their digests."""
    order = np.argsort(results["used"], kind="stable")
    blob_of = _blob_of(results["digest"], blobs["digest"])
    users = np.bincount(blob_of[blob_of >= 0], minlength=len(blobs))
    young = blobs["modified"] > now - limits.grace
    orphans = (users == 0) & ~young
    left = int(results["size"].sum()) + int(blobs["size"].sum()) - int(blobs["size"][orphans].sum())
    going = orphans.copy()
    chosen: list[int] = []
    for position in order.tolist():
        age = now - float(results["used"][position])
        if age < limits.grace:
            break
        too_old = limits.older_than is not None and age > limits.older_than
        too_much = limits.max_bytes is not None and left > limits.max_bytes
        if not too_old and not too_much:
            break
        chosen.append(position)
        left -= int(results["size"][position])
        blob = int(blob_of[position])
        if blob >= 0:
            users[blob] -= 1
            if not users[blob] and not young[blob]:
                going[blob] = True
                left -= int(blobs["size"][blob])
    return Choice(np.array(chosen, np.intp), np.flatnonzero(going), left)


def _blob_of(wanted: NDArray[np.bytes_], digests: NDArray[np.bytes_]) -> NDArray[np.intp]:
    """Return the position of each result's blob; -1 for an inline value or a missing blob."""
    if not len(digests):
        return np.full(len(wanted), -1, np.intp)
    places = np.minimum(np.searchsorted(digests, wanted), len(digests) - 1)
    found = (digests[places] == wanted) & (wanted != b"")
    return np.where(found, places, -1)
