"""`voxk8s store`: verification and collection as users call them."""

from __future__ import annotations

import hashlib
from pathlib import Path

import numpy as np
import pytest

from tests.support.cli import voxk8s
from voxk8s.cli.parser import build_parser
from voxk8s.storage import open_store

KEYS = [hashlib.sha256(b"%d" % number).hexdigest() for number in range(3)]


def test_verify_tells_what_is_wrong_by_its_status(tmp_path: Path) -> None:
    """0 for a sound store; 1, with paths and keys, for one that is not."""
    store = open_store(str(tmp_path / "store"))
    digest = store.put(KEYS[0], np.arange(9000)).digest
    store.put(KEYS[1], 1)
    sound = voxk8s(tmp_path, "store", "verify", "--json")
    assert (sound.status, sound.json()["sound"], sound.json()["records"]) == (0, True, 2)
    blob = tmp_path / "store" / "cas" / "sha256" / digest[:2] / digest[2:]
    blob.write_bytes(blob.read_bytes()[:-1] + b"?")
    wrong = voxk8s(tmp_path, "store", "verify")
    assert wrong.status == 1
    assert f"cas/sha256/{digest[:2]}/{digest[2:]} (moved to quarantine/)" in wrong.out
    assert KEYS[0] in wrong.out
    assert wrong.err.count("corrupt object") == 1


def test_gc_deletes_what_it_said_it_would(tmp_path: Path) -> None:
    """A dry run prints the same numbers as the run after it, and deletes nothing."""
    store = open_store(str(tmp_path / "store"))
    for key in KEYS:
        store.put(key, np.random.default_rng(int(key[:8], 16)).random(3000))
    assert voxk8s(tmp_path, "store", "gc", "--max-size", "0").err.startswith(
        "voxk8s: still larger than"
    )
    words = ["store", "gc", "--older-than", "0s", "--grace", "0s", "--json"]
    planned = voxk8s(tmp_path, *words, "--dry-run").json()
    assert (planned["results_deleted"], planned["blobs_deleted"], planned["results_left"]) == (
        3,
        3,
        0,
    )
    assert store.stats().blobs == 3
    done = voxk8s(tmp_path, *words).json()
    assert done == {**planned, "dry_run": False}
    assert (store.stats().records, store.stats().blobs) == (0, 0)


@pytest.mark.parametrize(
    ("words", "name", "value"),
    [
        (["--older-than", "90d"], "older_than", 90 * 86_400.0),
        (["--older-than", "1.5h"], "older_than", 5400.0),
        (["--max-size", "20GiB"], "max_size", 20 * 2**30),
        (["--max-size", "500GB"], "max_size", 500 * 10**9),
        (["--max-size", "1000"], "max_size", 1000),
        (["--grace", "45"], "grace", 45.0),
    ],
)
def test_limits_are_written_as_people_do(words: list[str], name: str, value: float) -> None:
    """Ages have s, m, h, d, w; sizes KB to TB and KiB to TiB."""
    assert getattr(build_parser().parse_args(["store", "gc", *words]), name) == value


@pytest.mark.parametrize("words", [["--older-than", "d"], ["--max-size", "-1"], ["--grace", "1y"]])
def test_limits_that_are_none_are_refused(
    words: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    """An invalid call, with an example of what is meant."""
    with pytest.raises(SystemExit) as caught:
        build_parser().parse_args(["store", "gc", *words])
    assert caught.value.code == 2
    assert "voxk8s store gc: argument" in capsys.readouterr().err
