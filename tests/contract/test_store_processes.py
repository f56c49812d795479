"""Several processes at one store: a folder, and real servers."""

from __future__ import annotations

import pickle
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest

from tests.support.redis import RedisServer
from tests.support.s3 import S3Server
from voxk8s.storage import MISS, ResultStore, open_store

KEYS = [f"{number:064x}" for number in range(60)]

# Each process writes a value of its own under every second key and a common one under the others.
WRITER = """
import pickle, sys
import numpy as np
store, number, keys = pickle.load(sys.stdin.buffer)
sys.stdout.write("ready\\n"); sys.stdout.flush()
statuses = []
for at, key in enumerate(keys):
    value = np.full(4000, at * 1000 + (number if at % 2 else 0))
    statuses.append(str(store.put(key, value).status))
print(*statuses)
"""


def write_from_processes(store: ResultStore, count: int) -> list[list[str]]:
    """Put all keys from several processes at once; gives each one's statuses."""
    processes = [
        subprocess.Popen([sys.executable, "-c", WRITER], stdin=-1, stdout=-1) for _ in range(count)
    ]
    for number, process in enumerate(processes):
        assert process.stdin is not None
        process.stdin.write(pickle.dumps((store, number, KEYS)))
        process.stdin.close()
    outputs = [process.stdout.read().decode() for process in processes if process.stdout]
    assert [process.wait() for process in processes] == [0] * count
    return [output.split()[1:] for output in outputs]


@pytest.mark.parametrize(
    "place",
    [
        "folder",
        pytest.param("s3", marks=pytest.mark.s3),
        pytest.param("redis", marks=pytest.mark.redis),
    ],
)
def test_processes_do_not_disturb_each_other(
    place: str, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    """Every key is created exactly once, differences are reported, and every value is whole."""
    if place != "folder":
        server: S3Server | RedisServer = request.getfixturevalue(f"{place}_server")
        store = server.store()
    else:
        store = open_store(str(tmp_path))
    outcomes = write_from_processes(store, 3)
    for at, key in enumerate(KEYS):
        seen = Counter(outcome[at] for outcome in outcomes)
        other = "nondeterministic" if at % 2 else "exists"
        assert seen == {"created": 1, other: 2}
        value = store.get(key)
        assert value is not MISS
        assert set(value.tolist()) <= {at * 1000 + number for number in range(3)}  # type: ignore[union-attr]  # an array
    assert store.counts.corrupt == 0
