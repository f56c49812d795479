"""`voxk8s store`: statistics, verification and garbage collection."""

from __future__ import annotations

import hashlib
import io
import os
import sys
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from tests.support.cli import Done
from voxk8s.cli.commands.store import Progress
from voxk8s.plan import ResultKey
from voxk8s.storage import Provenance, ResultStore, open_store

KEYS = [hashlib.sha256(b"%d" % number).hexdigest() for number in range(3)]


@pytest.fixture
def store(tmp_path: Path) -> ResultStore:
    """Return the store of the commands."""
    return open_store(str(tmp_path / "store"))


def test_stats_count_results_and_blobs(call: Callable[..., Done], store: ResultStore) -> None:
    """In words, and as JSON with sizes in bytes."""
    store.put(KEYS[0], np.random.default_rng(0).random(9000))
    store.put(KEYS[1], 1)
    words = call("store", "stats")
    assert words.status == 0
    lines = [line.split()[:2] for line in words.out.splitlines()]
    assert lines == [
        ["store", store.url],
        ["results", "2"],
        ["blobs", "1"],
        ["runs", "0"],
        ["pins", "0"],
        ["leases", "0"],
        ["costs", "0"],
        ["quarantined", "0"],
        ["unfinished", "0"],
    ]
    figures = call("store", "stats", "--json").json()
    assert (figures["url"], figures["records"], figures["blobs"]) == (store.url, 2, 1)
    assert figures["blob_bytes"] == store.stats().blob_bytes > 0


def test_sound_store_passes_verification(call: Callable[..., Done], store: ResultStore) -> None:
    """The exit status is 0."""
    store.put(KEYS[0], np.arange(9000))
    store.put(KEYS[1], 1)
    done = call("store", "verify", "--json")
    assert (done.status, done.json()["sound"], done.json()["records"]) == (0, True, 2)


def test_corrupt_store_fails_verification(
    call: Callable[..., Done], store: ResultStore, tmp_path: Path
) -> None:
    """The exit status is 1; paths of corrupt blobs and keys of their results are printed."""
    digest = store.put(KEYS[0], np.arange(9000)).digest
    blob = tmp_path / "store" / "cas" / "sha256" / digest[:2] / digest[2:]
    blob.write_bytes(blob.read_bytes()[:-1] + b"?")
    done = call("store", "verify")
    assert done.status == 1
    assert f"cas/sha256/{digest[:2]}/{digest[2:]} (moved to quarantine/)" in done.out
    assert KEYS[0] in done.out
    assert done.err.count("corrupt object") == 1


def test_invalidation_prints_what_it_deletes(call: Callable[..., Done], store: ResultStore) -> None:
    """How many results of the kernel, how many that depend on it, and by kernel."""
    store.put(KEYS[0], 1, Provenance("lab.f", 2, libraries={"torch": "2.1.0"}))
    store.put(KEYS[1], 2, Provenance("vox1.near", 1, (ResultKey(KEYS[0]),)))
    store.put(KEYS[2], 3, Provenance("lab.f", 1))
    words = ["store", "invalidate", "--kernel", "lab.f", "--version", "2", "--library", "torch<2.2"]
    tried = call(*words, "--dry-run", "--json").json()
    assert tried == {
        "url": store.url,
        "dry_run": True,
        "results_selected": 1,
        "results_dependent": 1,
        "results_left": 1,
        "by_kernel": {"lab.f": 1, "vox1.near": 1},
    }
    done = call(*words)
    assert done.status == 0
    assert done.out.splitlines()[1:] == [
        "deleted      1 results of the selected kernels, 1 computed from them",
        "           1 lab.f",
        "           1 vox1.near",
        "left         1 results",
    ]
    assert store.stats().records == 1


def test_an_invalidation_of_nothing_says_why(call: Callable[..., Done], store: ResultStore) -> None:
    """A name may be misspelt; scripts for many stores go on, as it is no error."""
    store.put(KEYS[0], 1, Provenance("lab.segment", 1))
    done = call("store", "invalidate", "--kernel", "lab.segmnt")
    assert done.status == 0
    assert "nothing is selected" in done.err
    assert "did you mean 'lab.segment'?" in done.err


@pytest.mark.parametrize(
    ("words", "text"),
    [
        ([], "expected a kernel"),
        (["--kernel", "lab.f", "--library", "torch"], "as in SimpleITK<2.5"),
    ],
)
def test_a_selection_that_cannot_be_read_is_refused(
    call: Callable[..., Done], store: ResultStore, words: list[str], text: str
) -> None:
    """Nothing is deleted."""
    store.put(KEYS[0], 1, Provenance("lab.f", 1))
    done = call("store", "invalidate", *words)
    assert done.status == 2
    assert text in done.err
    assert store.stats().records == 1


def test_dry_run_prints_what_gc_deletes(call: Callable[..., Done], store: ResultStore) -> None:
    """It prints the same numbers as the collection after it, and deletes nothing."""
    for key in KEYS:
        store.put(key, np.random.default_rng(int(key[:8], 16)).random(3000))
    words = ["store", "gc", "--older-than", "0s", "--grace", "0s", "--json"]
    planned = call(*words, "--dry-run").json()
    assert (planned["results_deleted"], planned["blobs_deleted"]) == (3, 3)
    assert planned["results_left"] == 0
    assert store.stats().blobs == 3
    assert call(*words).json() == {**planned, "dry_run": False}
    assert (store.stats().records, store.stats().blobs) == (0, 0)


def test_gc_prints_what_it_deleted_and_what_is_left(
    call: Callable[..., Done], store: ResultStore
) -> None:
    """Of a dry run the same lines say what there is to delete."""
    store.put(KEYS[0], 1)
    words = ["store", "gc", "--older-than", "0s", "--grace", "0s"]
    assert (
        "to delete    1 results, 0 blobs, 0 runs, 0 pins, 0 other objects"
        in call(*words, "--dry-run").out
    )
    done = call(*words)
    assert "deleted      1 results, 0 blobs, 0 runs, 0 pins, 0 other objects" in done.out
    assert "left         0 results, 0 blobs (0 bytes)" in done.out


def test_gc_deletes_old_runs_and_pins(
    call: Callable[..., Done], store: ResultStore, tmp_path: Path
) -> None:
    """Runs follow --older-than, pins also go without it; both have an option of their own."""
    days = 86_400.0

    def deleted(*words: str) -> tuple[int, int]:
        for path in ("runs/ns/a/1/results.json", "pins/v1/ab/c"):
            store._backend.write(path, (b"1",), "application/json")
            os.utime(tmp_path / "store" / path, (time.time() - 100 * days,) * 2)
        done = call("store", "gc", "--json", *words).json()
        return done["runs_deleted"], done["pins_deleted"]

    assert deleted() == (0, 1)
    assert deleted("--older-than", "101d") == (0, 0)
    assert deleted("--older-than", "99d") == (1, 1)
    assert deleted("--runs-older-than", "99d", "--pins-older-than", "101d") == (1, 0)
    assert deleted("--older-than", "99d", "--runs-older-than", "101d") == (0, 1)


def test_limit_that_cannot_be_reached(call: Callable[..., Done], store: ResultStore) -> None:
    """What was used within the grace period is kept, and a message says so."""
    store.put(KEYS[0], 1)
    done = call("store", "gc", "--max-size", "0")
    assert done.status == 0
    assert done.err.startswith("voxk8s: still larger than --max-size")
    assert store.get(KEYS[0]) == 1


def test_empty_store_option_is_an_invalid_call(call: Callable[..., Done]) -> None:
    """An empty variable of a script does not mean the default store."""
    done = call("store", "stats", "--store", "")
    assert (done.status, done.out) == (2, "")
    assert "empty" in done.err


class Terminal(io.StringIO):
    """A terminal in memory."""

    def isatty(self) -> bool:
        return True


@pytest.mark.parametrize(
    ("stream", "quiet", "written"),
    [
        (Terminal(), False, "\r\x1b[Kblobs: 1,000\r\x1b[K"),
        (Terminal(), True, ""),
        (io.StringIO(), False, ""),
    ],
)
def test_progress_is_shown_on_terminals_only(
    monkeypatch: pytest.MonkeyPatch, stream: io.StringIO, quiet: bool, written: str
) -> None:
    """It is one line, which is removed at the end, and nothing with -q."""
    monkeypatch.setattr(sys, "stderr", stream)
    with Progress(quiet=quiet) as progress:
        progress("blobs", 1000)
    assert stream.getvalue() == written


def test_adopt_copies_results_into_a_domain(call: Callable[..., Done], store: ResultStore) -> None:
    """In words, and as JSON; a trial copies nothing."""
    store.put(KEYS[0], np.random.default_rng(0).random(9000))
    store.put(KEYS[1], 1)
    words = ["store", "adopt", "--from", "shared", "--into", "team-a"]
    tried = call(*words, "--dry-run")
    assert tried.status == 0
    assert tried.out.splitlines()[1].split()[:4] == ["to", "copy", "2", "results"]
    assert call("store", "stats", "--domain", "team-a", "--json").json()["records"] == 0
    done = call(*words, "--json").json()
    assert (done["results_copied"], done["url"]) == (2, f"{store.url}/domains/team-a")
    assert call("store", "stats", "--domain", "team-a", "--json").json()["records"] == 2
    assert call(*words, "--json").json()["results_existing"] == 2


def test_adopt_refuses_one_domain_twice(call: Callable[..., Done]) -> None:
    """Nothing would be copied."""
    done = call("store", "adopt", "--from", "team-a", "--into", "team-a")
    assert done.status == 2
    assert "expected two different trust domains in --from and --into" in done.err


def test_verify_says_what_it_cannot_show(call: Callable[..., Done], store: ResultStore) -> None:
    """A forged record is whole."""
    store.put(KEYS[0], 1)
    done = call("store", "verify")
    assert done.status == 0
    assert "It cannot show that a value is right" in done.out
    assert "trust domain shared may have forged it" in done.out
