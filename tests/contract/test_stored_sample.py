"""A store that release 0.1.0 wrote is known to this version, record by record.

`tests/data/stores/v0.1.0` holds a program, its inputs and the store that `voxk8s run` of release
0.1.0 wrote for it with VOXK8S_STORE_POLICY=all, so that every intermediate result has a record.
`tests/data/stores/chunked` holds one value of the second version of the encoding, which is used
from 256 KiB.
"""

from __future__ import annotations

import hashlib
import json
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.support.paths import DATA
from tests.support.values import same
from voxk8s import ExecutionResult, compile_program, open_store
from voxk8s.execution import ExecutionEngine
from voxk8s.storage import MISS, PutStatus, ResultStore
from voxk8s.values import Image, Value

SAMPLE = DATA / "stores" / "v0.1.0"
VOLATILE = ("created", "seconds", "voxk8s_version", "libraries", "ancestors")
"""Fields of a record's provenance that differ from run to run and from version to version."""
RENAMED = ("simpleitk.Median", "vox1.smoothen")
"""Kernels whose keys have changed since, as those of saved pictures have.

SimpleITK defines the median, and its version is in the keys of today. Kernels of distances have
version 2: where the spacing differs between axes, their values had been off in the last digits.
Pictures of volumes show a slice as radiologists look at it, and not as it lies in memory.
"""


@pytest.fixture
def sample(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy of the sample, as the current folder: reading a store may touch its records."""
    folder = Path(shutil.copytree(SAMPLE, tmp_path / "sample"))
    monkeypatch.chdir(folder)
    return folder


def execute(folder: Path, store: ResultStore) -> ExecutionResult:
    """Run the program of the sample in this process."""
    text = (folder / "program.imgql").read_text("utf-8")
    plan = compile_program(text, name="program.imgql")
    engine = ExecutionEngine(store, policy="all", executor="synchronous", output=folder / "out")
    return engine.execute_workplan(plan)


def files(store: Path) -> dict[str, bytes]:
    """Return the files of a store below its records and blobs, by relative path."""
    found = [path for part in ("ac", "cas") for path in (store / part).rglob("*")]
    return {str(path.relative_to(store)): path.read_bytes() for path in found if path.is_file()}


def test_what_our_kernels_define_is_known_in_an_older_store(sample: Path) -> None:
    """A run over the older store gives the values of that time.

    It computes nothing but the kernels with other keys, and what is made from their results.
    """
    older = files(sample / "store")
    again = kernels(older, renamed(older))
    result = execute(sample, open_store(f"file://{sample}/store"))
    assert result.success
    computed = sorted(each.kernel for each in result.metrics.values() if not each.cached)
    assert computed == sorted(name for name in again if name != "voxk8s.save")
    assert again.count("voxk8s.save") == 3
    assert again.count("vox1.smoothen") == again.count("simpleitk.Median") == 1
    assert result["volume"] == 955.0
    assert result["text"] == "volume 955.0"
    assert result["volumes"] == [909.0, 863.0, 809.0, 809.0]


def test_keys_layout_and_bytes_are_those_of_the_older_store(sample: Path) -> None:
    """A run into an empty store writes the same records and blobs under the same names.

    The blobs of kernels with other keys are the same, too: the sample has one spacing on all axes.
    """
    older = files(sample / "store")
    assert execute(sample, open_store(f"file://{sample}/fresh")).success
    fresh = files(sample / "fresh")
    same = older.keys() - renamed(older)
    assert fresh.keys() - renamed(fresh) == same
    for name in same:
        if name.startswith("cas/"):
            assert fresh[name] == older[name], name
        else:
            assert stable(fresh[name]) == stable(older[name]), name


def test_results_with_other_keys_are_of_the_same_kernels(sample: Path) -> None:
    """They are computed once more, as the same kernels on the same arguments."""
    older = files(sample / "store")
    assert execute(sample, open_store(f"file://{sample}/fresh")).success
    fresh = files(sample / "fresh")
    before, now = renamed(older), renamed(fresh)
    assert not before & now
    assert kernels(older, before) == kernels(fresh, now)


def test_all_values_of_an_older_store_can_be_read(sample: Path) -> None:
    """Under their keys, also those that no operation has today."""
    store = open_store(f"file://{sample}/store")
    keys = ["".join(name.split("/")[-2:]) for name in files(sample / "store") if is_record(name)]
    assert len(keys) > 50
    assert all(store.get(key) is not MISS for key in keys)


def is_record(name: str) -> bool:
    """Whether a file of a store is a record."""
    return name.startswith("ac/")


def provenance(data: bytes) -> dict[str, Any]:
    """Return where the value of a record comes from."""
    found: dict[str, Any] = json.loads(data)["provenance"]
    return found


def renamed(found: dict[str, bytes]) -> set[str]:
    """Return the names of the records of RENAMED kernels, and of all that depends on them."""
    records = {name: provenance(data) for name, data in found.items() if is_record(name)}
    chosen = {
        name
        for name, made in records.items()
        if made["kernel"] in RENAMED or json.loads(found[name]).get("suffix") == ".png"
    }
    while True:
        keys = {"".join(name.split("/")[-2:]) for name in chosen}
        users = {name for name, made in records.items() if keys & {*made.get("arguments", ())}}
        if users <= chosen:
            return chosen
        chosen |= users


def kernels(found: dict[str, bytes], names: set[str]) -> list[str]:
    """Return the kernels of some records, sorted."""
    return sorted(provenance(found[name])["kernel"] for name in names)


def stable(data: bytes) -> dict[str, object]:
    """Return what of a record does not depend on when and how fast it was made."""
    record: dict[str, object] = json.loads(data)
    provenance = record.get("provenance")
    for fields in (record, provenance if isinstance(provenance, dict) else {}):
        for name in ("seal", "tag", *VOLATILE):
            fields.pop(name, None)
    return record


CHUNKED = DATA / "stores" / "chunked"
CHUNKED_KEY = hashlib.sha256(b"chunked").hexdigest()


def chunked_value() -> Value:
    """Return the value in the second sample: a volume and a mask, by a formula in integers."""
    number = np.arange(80_000, dtype="int64")
    # A linear congruential generator: noise that no version of a library changes.
    noise = (number * 1_103_515_245 + 12_345) % (1 << 31) >> 24
    volume = (number // 400 * 3 + noise).astype("float32").reshape(20, 50, 80)
    geometry = ((1.0, 1.0, 2.0), (0.0, -7.5, 3.0), (1.0, 0.0, 0.0, 0.0, 1.0, 0.0, 0.0, 0.0, 1.0))
    return {"volume": Image(volume, *geometry), "mask": (volume > 300).astype("uint8")}


def test_a_value_in_chunks_is_known(tmp_path: Path) -> None:
    """What was stored in the second version of the encoding is read, and is the same value."""
    store = open_store(str(shutil.copytree(CHUNKED, tmp_path / "store")))
    assert same(store.get(CHUNKED_KEY), chunked_value())
    assert store.put(CHUNKED_KEY, chunked_value()).status is PutStatus.EXISTS


def test_a_value_in_chunks_is_written_as_it_was(tmp_path: Path) -> None:
    """Its blob has the same bytes under the same name."""
    open_store(str(tmp_path / "fresh")).put(CHUNKED_KEY, chunked_value())
    older = {name: data for name, data in files(CHUNKED).items() if name.startswith("cas/")}
    fresh = {name: data for name, data in files(tmp_path / "fresh").items() if name in older}
    assert len(older) == 1
    assert fresh == older
    (blob,) = older.values()
    assert blob[:5] == b"VXK8\x02"
