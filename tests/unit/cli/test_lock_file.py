"""Tests of the manifest of a run."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

from tests.support.cli import Done


def test_a_run_is_compared_with_its_manifest(call: Callable[..., Done], tmp_path: Path) -> None:
    """The first run writes it; later ones say which input, version or result differs."""
    scan, program, lock = (tmp_path / name for name in ("a.json", "p.imgql", "run.lock"))
    scan.write_text("[3]")
    program.write_text('print "x" load("a.json")[0] + 1\nsave "o.json" load("a.json")')
    assert call("run", "p.imgql", "--lock", "run.lock").status == 0
    written = lock.read_text()
    document = json.loads(written)
    assert list(document["inputs"]) == ["a.json"]
    assert {"voxk8s", "python", "numpy"} <= document["versions"].keys()
    assert document["results"]["x"]["value"] == "4.0"
    assert call("run", "p.imgql", "--lock", "run.lock").status == 0
    scan.write_text("[4]")
    done = call("run", "p.imgql", "--lock", "run.lock", "-q")
    assert (done.status, done.out) == (3, "x=5.0\n")
    assert "voxk8s: run.lock: the input a.json was sha256:" in done.err
    assert "run.lock: the result x was 4.0 and is 5.0\n" in done.err
    program.write_text('print "y" 1')
    changed = call("run", "p.imgql", "--lock", "run.lock")
    assert "the result o.json is not there any more" in changed.err
    assert lock.read_text() == written


def test_another_file_is_not_taken_for_a_manifest(
    call: Callable[..., Done], tmp_path: Path
) -> None:
    """And not replaced."""
    (tmp_path / "p.imgql").write_text('print "x" 1')
    (tmp_path / "run.lock").write_text("mine")
    done = call("run", "p.imgql", "--lock", "run.lock")
    assert done.status == 2
    assert "run.lock: cannot be read as the manifest of a run" in done.err
    assert (tmp_path / "run.lock").read_text() == "mine"
