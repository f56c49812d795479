"""Processes that are forked when a store or the shared client was in use already."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

_PROGRAM = """
import multiprocessing, sys
from voxk8s.execution import get_shared_dask_client
from voxk8s.storage import open_store

FOLDER = sys.argv[1]
KEYS = [f"{number:064x}" for number in range(8)]

def put():
    open_store(FOLDER).put(KEYS[0], 1.0)

def contains():
    STORE.contains(KEYS)

def compute():
    print(get_shared_dask_client().submit(int, 3).result(), flush=True)

def child(action):
    try:
        action()
        print("done", flush=True)
    except Exception as error:
        print(f"{type(error).__name__}: {error}", flush=True)

if __name__ == "__main__":
    start, before, after = sys.argv[2:]
    STORE = open_store(FOLDER)
    if before:
        globals()[before]()
    process = multiprocessing.get_context(start).Process(target=child, args=(globals()[after],))
    process.start()
    process.join(20)
    print("hangs" if process.is_alive() else "ended", flush=True)
    process.kill()
    if before:
        globals()[before]()
"""


def _run(folder: Path, *arguments: str) -> list[str]:
    program = folder / "program.py"
    program.write_text(_PROGRAM)
    command = [sys.executable, str(program), str(folder / "store"), *arguments]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=True)
    return done.stdout.splitlines()


@pytest.mark.parametrize(
    ("before", "after", "what"),
    [
        ("put", "put", "a result store was in use"),
        ("contains", "contains", "a result store was in use"),
        ("compute", "compute", "Dask was in use"),
    ],
)
def test_forked_process_is_told_what_it_cannot_use(
    tmp_path: Path, before: str, after: str, what: str
) -> None:
    """A forked child without its parent's threads gets an error at once; the parent continues."""
    lines = _run(tmp_path, "fork", before, after)
    [message] = [line for line in lines if line.startswith("InvalidUsage")]
    assert what in message
    assert "spawn" in message
    assert "ended" in lines


@pytest.mark.parametrize(
    ("start", "before"), [("spawn", "put"), ("fork", "")], ids=["spawned", "forked before"]
)
def test_other_processes_can_use_everything(tmp_path: Path, start: str, before: str) -> None:
    """A process that was spawned, or forked before anything was used, has what it needs."""
    assert _run(tmp_path, start, before, "put") == ["done", "ended"]
