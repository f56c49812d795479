"""Look-ups, reads and writes of the result store, beside s3fs and plain files in the same run.

`python -m tests.tools.bench.store`
"""

from __future__ import annotations

import hashlib
import os
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import s3fs

from tests.support import redis
from tests.support.s3 import S3Server, serve
from tests.tools.bench.table import Row, show
from voxk8s.storage import ResultStore, open_store
from voxk8s.storage.layout import record_path
from voxk8s.values import Image

COUNT = 10_000
PEER_COUNT = 500
KEYS = [hashlib.sha256(b"%d" % number).hexdigest() for number in range(COUNT)]
UNKNOWN = [hashlib.sha256(b"no %d" % number).hexdigest() for number in range(COUNT)]
SHAPE = (155, 240, 240)


class Stopwatch:
    """Takes the time of a block."""

    seconds = 0.0

    def __enter__(self) -> Stopwatch:
        self._start = time.perf_counter()
        return self

    def __exit__(self, *_: object) -> None:
        self.seconds = time.perf_counter() - self._start


def measure(opener: Callable[[], ResultStore], what: str) -> list[Row]:
    """Measure one back end."""
    store = opener()
    rows = []
    with Stopwatch() as watch:
        for at, key in enumerate(KEYS):
            store.put(key, at)
    rows.append(Row(f"{what}: put of a small value", watch.seconds / COUNT))
    fresh = opener()
    with Stopwatch() as watch:
        assert len(fresh.contains(KEYS)) == COUNT
    rows.append(Row(f"{what}: contains, {COUNT:,} known keys", watch.seconds))
    with Stopwatch() as watch:
        assert not fresh.contains(UNKNOWN)
    rows.append(Row(f"{what}: contains, {COUNT:,} unknown keys", watch.seconds))
    with Stopwatch() as watch:
        assert len(fresh.contains(KEYS)) == COUNT
    rows.append(Row(f"{what}: contains again", watch.seconds))
    with Stopwatch() as watch:
        for key in KEYS[:1000]:
            fresh.get(key)
    rows.append(Row(f"{what}: get of a small value", watch.seconds / 1000))
    rng = np.random.default_rng(0)
    noise = rng.normal(size=SHAPE).astype("float32")
    blobs = {
        "image of noise, 36 MB": noise,
        "mask, 9 MB": (noise > 1).astype("uint8"),
    }
    for name, array in blobs.items():
        image = Image(array, (1.0,) * 3, (0.0,) * 3, (1.0, 0, 0, 0, 1.0, 0, 0, 0, 1.0))
        key = hashlib.sha256(name.encode()).hexdigest()
        with Stopwatch() as watch:
            store.put(key, image)
        rows.append(Row(f"{what}: put, {name}", watch.seconds))
        with Stopwatch() as watch:
            opener().get(key)
        rows.append(Row(f"{what}: get, {name}", watch.seconds))
    return rows


def marked_as_used(server: S3Server, prefix: str) -> Row:
    """Look known results up a day later, so that each is marked as used, and wait for that."""
    young = server.store(prefix)
    with Stopwatch() as plain:
        young.contains(KEYS)
    later = ResultStore(young._location, young._options, clock=lambda: time.time() + 86_400)
    with Stopwatch() as watch:
        later.contains(KEYS)
        assert later.flush_access(600)
    return Row(
        f"contains, {COUNT:,} known keys, and a mark on each (S3)",
        watch.seconds,
        "without marks",
        plain.seconds,
    )


def beside_s3fs(server: S3Server, prefix: str) -> Row:
    """Look for known records by s3fs, as many users do."""
    files = s3fs.S3FileSystem(
        key=server.key, secret=server.secret, endpoint_url=server.endpoint, use_listings_cache=False
    )
    with Stopwatch() as watch:
        for key in KEYS[:PEER_COUNT]:
            assert files.exists(f"{server.bucket}/{prefix}/{record_path(key)}")
    peer = watch.seconds / PEER_COUNT
    fresh = server.store(prefix)
    with Stopwatch() as watch:
        fresh.contains(KEYS)
    return Row("one known key of many (S3)", watch.seconds / COUNT, "s3fs exists()", peer)


def main() -> None:
    """Measure all back ends and print the table."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        rows = measure(lambda: open_store("memory://bench"), "memory")
        rows += measure(lambda: open_store(str(folder / "store")), "folder")
        with redis.serve(folder / "redis") as memory:
            rows += measure(lambda: memory.store("bench"), "Redis")
        with serve(folder / "s3") as server:
            rows += measure(lambda: server.store("bench"), "S3")
            rows.append(marked_as_used(server, "bench"))
            rows.append(beside_s3fs(server, "bench"))
        show(f"Result store, {os.cpu_count()} cores, server on the same machine", rows)


if __name__ == "__main__":
    main()
