"""Old runs and pins, and what killed writers left, in stores of several days ago."""

from __future__ import annotations

import os
import time
from pathlib import Path

import pytest

from voxk8s.storage import Limits, ResultStore, open_store

DAY = 86_400.0


@pytest.fixture
def store(tmp_path: Path) -> ResultStore:
    """Return an empty store in a folder."""
    return open_store(str(tmp_path))


def write(store: ResultStore, folder: Path, path: str, days: float) -> None:
    """Write an object some days ago."""
    store._backend.write(path, (b"1234",), "text/plain")
    os.utime(folder / path, (time.time() - days * DAY,) * 2)


def files(folder: Path) -> set[str]:
    """Return the paths of all files."""
    return {file.relative_to(folder).as_posix() for file in folder.rglob("*") if file.is_file()}


def test_a_run_is_as_old_as_its_youngest_file(store: ResultStore, tmp_path: Path) -> None:
    """Runs are deleted as a whole, with their folders."""
    write(store, tmp_path, "runs/ns/a/1/report.html", 30)
    write(store, tmp_path, "runs/ns/a/1/results.json", 30)
    write(store, tmp_path, "runs/ns/a/2/report.html", 30)
    write(store, tmp_path, "runs/ns/a/2/results.json", 1)
    limits = Limits(runs_older_than=10 * DAY)
    planned = store.collect(limits, dry_run=True)
    assert len(files(tmp_path)) == 4
    assert store.collect(limits) == planned
    assert (planned.runs, planned.bytes) == (1, 8)
    assert files(tmp_path) == {"runs/ns/a/2/report.html", "runs/ns/a/2/results.json"}
    assert os.listdir(tmp_path / "runs/ns/a") == ["2"]


def test_pins_that_are_not_used_are_deleted(store: ResultStore, tmp_path: Path) -> None:
    """By their last use."""
    write(store, tmp_path, "pins/v1/aa/old", 30)
    write(store, tmp_path, "pins/v1/aa/young", 5)
    done = store.collect(Limits(pins_older_than=10 * DAY))
    assert (done.pins, done.bytes) == (1, 4)
    assert files(tmp_path) == {"pins/v1/aa/young"}


def test_costs_that_no_run_has_written_for_long_are_deleted(
    store: ResultStore, tmp_path: Path
) -> None:
    """They are kept as long as pins; those of a store in use are written again and again."""
    write(store, tmp_path, "costs/v0/old", 30)
    write(store, tmp_path, "costs/v1/kernels", 5)
    assert store.collect(Limits()).other == 0
    done = store.collect(Limits(pins_older_than=10 * DAY))
    assert (done.pins, done.other, done.bytes) == (0, 1, 4)
    assert files(tmp_path) == {"costs/v1/kernels"}


def test_the_grace_period_protects_runs_and_pins(store: ResultStore, tmp_path: Path) -> None:
    """Whatever their limits."""
    write(store, tmp_path, "pins/v1/aa/young", 1)
    write(store, tmp_path, "runs/ns/a/2/results.json", 1)
    done = store.collect(Limits(pins_older_than=0, runs_older_than=0))
    assert (done.pins, done.runs, len(files(tmp_path))) == (0, 0, 2)


def test_a_pin_that_is_used_meanwhile_is_kept(store: ResultStore, tmp_path: Path) -> None:
    """Between the listing and the deletion it was refreshed."""
    for name in "ab":
        write(store, tmp_path, f"pins/v1/aa/{name}", 30)
    listing = store._backend.list

    def list_and_use(prefix: str) -> object:
        found = list(listing(prefix))
        if found:
            os.utime(tmp_path / "pins/v1/aa/b")
        return iter(found)

    store._backend.list = list_and_use  # type: ignore[method-assign,assignment]  # the test's own
    assert store.collect(Limits(pins_older_than=10 * DAY)).pins == 1
    assert files(tmp_path) == {"pins/v1/aa/b"}


def test_old_unfinished_files_are_deleted(store: ResultStore, tmp_path: Path) -> None:
    """Those of writers that may still write are kept."""
    for name, days in (("old#1", 3), ("young#2", 1)):
        path = tmp_path / "cas" / name
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(b"123")
        os.utime(path, (time.time() - days * DAY,) * 2)
    assert store.collect(Limits(), dry_run=True).other == 1
    done = store.collect(Limits())
    assert (done.other, done.bytes) == (1, 3)
    assert files(tmp_path) == {"cas/young#2"}
