"""A store that release 0.1.0 wrote is known to this version, record by record.

`tests/data/stores/v0.1.0` holds a program, its inputs and the store that `voxk8s run` of release
0.1.0 wrote for it with VOXK8S_STORE_POLICY=all, so that every intermediate result has a record.
"""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from tests.support.paths import DATA
from voxk8s import ExecutionResult, compile_program, open_store
from voxk8s.execution import ExecutionEngine
from voxk8s.storage import ResultStore

SAMPLE = DATA / "stores" / "v0.1.0"
VOLATILE = ("created", "seconds", "voxk8s_version")
"""Fields of a record's provenance that differ from run to run."""


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


def test_everything_in_an_older_store_is_known(sample: Path) -> None:
    """A run over the older store computes nothing and gives the values of that time."""
    result = execute(sample, open_store(f"file://{sample}/store"))
    assert result.success
    assert result.completed_operations == 0
    assert result["volume"] == 955.0
    assert result["text"] == "volume 955.0"
    assert result["volumes"] == [909.0, 863.0, 809.0, 809.0]


def test_keys_layout_and_bytes_are_those_of_the_older_store(sample: Path) -> None:
    """A run into an empty store writes the same records and blobs under the same names."""
    older = files(sample / "store")
    assert execute(sample, open_store(f"file://{sample}/fresh")).success
    fresh = files(sample / "fresh")
    assert sorted(fresh) == sorted(older)
    for name, data in fresh.items():
        if name.startswith("cas/"):
            assert data == older[name], name
        else:
            assert stable(data) == stable(older[name]), name


def stable(data: bytes) -> dict[str, object]:
    """Return what of a record does not depend on when and how fast it was made."""
    record: dict[str, object] = json.loads(data)
    provenance = record.get("provenance")
    for fields in (record, provenance if isinstance(provenance, dict) else {}):
        for name in ("seal", *VOLATILE):
            fields.pop(name, None)
    return record
