"""Deletes what is neither a result nor a blob: files of runs, pins, costs, and what is left over.

Left behind are objects in quarantine, leases that nobody renews, and the unfinished files of killed
writers (in folders; an S3 server deletes unfinished uploads itself, by a lifecycle rule).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import partial

from voxk8s import constants
from voxk8s.storage.backend import Backend, ObjectInfo
from voxk8s.storage.thread_pool import ThreadPool
from voxk8s.storage.upkeep.gc_policy import Limits
from voxk8s.storage.upkeep.inventory import pages
from voxk8s.storage.upkeep.verify import Progress


@dataclass(frozen=True, slots=True)
class Remains:
    """What was deleted, or would be; `runs` is the number of folders."""

    runs: int
    pins: int
    other: int
    bytes: int


def collect_remains(
    backend: Backend,
    pool: ThreadPool,
    limits: Limits,
    now: float,
    *,
    dry_run: bool,
    progress: Progress,
) -> Remains:
    """Delete runs and pins that are older than `limits` says, and what was left behind long ago.

    A run is as old as the youngest of its files, and all of them are deleted.
    """

    def before(age: float) -> float:
        return now - max(age, limits.grace)

    def delete(
        found: Iterable[ObjectInfo], delete_one: Callable[[ObjectInfo], bool], what: str
    ) -> tuple[int, int]:
        """Return the number of objects deleted, and their bytes."""
        count = size = 0
        for page in pages(found):
            answers = dict.fromkeys(page, True) if dry_run else pool.map(delete_one, page)
            deleted = [each for each, is_deleted in answers.items() if is_deleted]
            count, size = count + len(deleted), size + sum(each.size for each in deleted)
            progress(what, count)
        return count, size

    def expired(prefix: str, limit: float, what: str) -> tuple[int, int]:
        return delete(_old(backend, prefix, limit), partial(_delete_if_old, backend, limit), what)

    runs = pins = size_of_runs = size_of_pins = 0
    if limits.runs_older_than is not None:
        limit = before(limits.runs_older_than)
        young, folders = _young_runs(backend, limit)
        runs = folders - len(young)
        files = _old(backend, constants.RUNS_PREFIX, limit)
        found = (each for each in files if _run(each) not in young)
        delete_one = partial(_delete_if_old, backend, limit)
        _, size_of_runs = delete(found, delete_one, "files of runs deleted")
    if limits.pins_older_than is not None:
        limit = before(limits.pins_older_than)
        pins, size_of_pins = expired(constants.PINS_PREFIX, limit, "pins deleted")
    left: list[tuple[int, int]] = []
    if limits.pins_older_than is not None:
        # Every run of some seconds writes costs again, so these are of no use any more.
        limit = before(limits.pins_older_than)
        left.append(expired(constants.COSTS_PREFIX, limit, "recorded costs deleted"))
    limit = before(0.0)
    left += [
        expired(prefix, limit, what)
        for prefix, what in (
            (constants.QUARANTINE_PREFIX, "corrupt objects deleted"),
            (constants.LEASES_PREFIX, "leases deleted"),
        )
    ]
    unfinished = (found for found in backend.unfinished() if found.modified <= limit)
    left.append(delete(unfinished, partial(_discard, backend), "unfinished files deleted"))
    return Remains(
        runs,
        pins,
        sum(count for count, _ in left),
        size_of_runs + size_of_pins + sum(size for _, size in left),
    )


def _old(backend: Backend, prefix: str, limit: float) -> Iterator[ObjectInfo]:
    return (found for found in backend.list(prefix) if found.modified <= limit)


def _young_runs(backend: Backend, limit: float) -> tuple[set[str], int]:
    """Return the runs with a file that was written after `limit`, and the number of all runs."""
    young: set[str] = set()
    runs: set[str] = set()
    for found in backend.list(constants.RUNS_PREFIX):
        runs.add(_run(found))
        if found.modified > limit:
            young.add(_run(found))
    return young, len(runs)


def _run(found: ObjectInfo) -> str:
    """Return the folder of a run's file: runs/NAMESPACE/NAME/UID."""
    return "/".join(found.path.split("/")[:4])


def _delete_if_old(backend: Backend, limit: float, found: ObjectInfo) -> bool:
    """Delete an object unless it was written, refreshed or deleted meanwhile."""
    now = backend.head(found.path)
    if now is None or now.modified > limit:
        return False
    backend.delete(found.path)
    return True


def _discard(backend: Backend, found: ObjectInfo) -> bool:
    backend.discard(found)
    return True
