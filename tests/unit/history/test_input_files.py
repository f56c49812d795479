"""The inputs of a run, as its report lists them."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from voxk8s.describe import describe_geometry
from voxk8s.execution import ExecutionEngine
from voxk8s.formats.encode_file import encode_file
from voxk8s.history import Scans
from voxk8s.history.input_files import input_files
from voxk8s.inputs.input_options import InputOptions
from voxk8s.program import compile_with_places
from voxk8s.report import InputFile
from voxk8s.storage import open_store
from voxk8s.values import Image

IDENTITY = (1.0, 0.0, 0.0, 0.0, 1.0, 0.0, 0.0, 0.0, 1.0)


def test_inputs_are_listed_without_their_folders(tmp_path: Path) -> None:
    """By name, digest, size and geometry, once each; one that is missing says so."""
    value = Image(np.zeros((2, 3, 4), np.uint8), (1.0,) * 3, (0.0,) * 3, IDENTITY)
    path = tmp_path / "scan.mha"
    path.write_bytes(encode_file(value, ".mha").data)
    text = f'''import "vox1"
load a = "{path}"
load b = "{tmp_path}/gone.mha"
print "a" volume(a >. 1)
print "b" volume(b >. 1)
'''
    compiled = compile_with_places(text, name="a.imgql")
    store = open_store("memory://")
    engine = ExecutionEngine(store, executor="synchronous", policy="all")
    result = engine.execute_workplan(compiled.plan)
    scans = Scans(compiled.plan, InputOptions())
    read, gone = input_files(result, store, scans)
    assert (read.name, read.size, len(read.digest)) == ("scan.mha", path.stat().st_size, 64)
    assert read.content == describe_geometry(value)
    assert gone == InputFile("gone.mha", content="not read")


def test_what_was_loaded_has_its_geometry(tmp_path: Path) -> None:
    """Also if the image was neither stored nor drawn: the worker tells it."""
    value = Image(np.zeros((2, 3, 4), np.uint8), (1.0, 1.0, 2.5), (0.0,) * 3, IDENTITY)
    path = tmp_path / "scan.mha"
    path.write_bytes(encode_file(value, ".mha").data)
    compiled = compile_with_places(f'import "vox1"\nload a = "{path}"\nprint "a" volume(a >. 1)')
    store = open_store("memory://")
    engine = ExecutionEngine(store, executor="threads", cache="bypass")
    (read,) = input_files(
        engine.execute_workplan(compiled.plan), store, Scans(compiled.plan, InputOptions())
    )
    assert read.content == describe_geometry(value)
    assert "spacing (1, 1, 2.5)" in read.content


def test_inputs_of_known_results_have_the_geometry_of_their_header(tmp_path: Path) -> None:
    """Nothing is loaded then; a format whose header is not read alone says that it was not read."""
    value = Image(np.zeros((2, 3, 4), np.uint8), (1.0, 1.0, 2.5), (0.0,) * 3, IDENTITY)
    (tmp_path / "scan.mha").write_bytes(encode_file(value, ".mha").data)
    flat = Image(np.zeros((3, 4), np.uint8), (1.0, 1.0), (0.0, 0.0), (1.0, 0.0, 0.0, 1.0))
    (tmp_path / "flat.png").write_bytes(encode_file(flat, ".png").data)
    text = f'''import "vox1"
load a = "{tmp_path}/scan.mha"
load b = "{tmp_path}/flat.png"
print "a" volume(a >. 1)
print "b" volume(intensity(b) >. 1)
'''
    compiled = compile_with_places(text, name="a.imgql")
    store = open_store("memory://")
    for _ in range(2):
        engine = ExecutionEngine(store, executor="synchronous", policy="goals")
        result = engine.execute_workplan(compiled.plan)
    assert result.cached_operations
    assert not result.progress.computed
    scan, picture = input_files(result, store, Scans(compiled.plan, InputOptions()))
    assert scan.content.startswith("image 2x3x4, spacing (1, 1, 2.5), origin (0, 0, 0), direction")
    assert picture.content == "not read again: what is computed from it was known"
