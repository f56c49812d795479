"""Programs in notebooks."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

import voxk8s
from voxk8s.errors import InvalidProgram, InvalidUsage
from voxk8s.formats.encode_file import encode_file
from voxk8s.notebook import image_html, load_ipython_extension
from voxk8s.storage import open_store
from voxk8s.values import Image

TEXT = """import "vox1"
load scan = "$SCAN"
let bright = intensity(scan) >. $LEVEL
print "volume" volume(bright)
save "bright.nii.gz" bright
"""


@pytest.fixture
def scan(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return the file of a small scan with a bright cube of 64 voxels, in the current folder."""
    monkeypatch.chdir(tmp_path)
    array = np.zeros((12, 12, 12), np.float32)
    array[4:8, 4:8, 4:8] = 9
    image = Image(array, (1.0,) * 3, (0.0,) * 3, (1.0, 0, 0, 0, 1.0, 0, 0, 0, 1.0))
    path = tmp_path / "scan.nii.gz"
    path.write_bytes(encode_file(image, ".nii.gz").data)
    return path


def test_a_program_runs_with_parameters_and_shows_its_results(scan: Path) -> None:
    """Numbers and paths are parameters; the table has values and the picture of a saved image."""
    store = open_store("memory://notebook")
    found = voxk8s.run(TEXT, store=store, SCAN=scan, LEVEL=5)
    assert found["volume"] == 64.0
    assert repr(found).splitlines()[0] == "volume: 64.0"
    assert list(found) == ["volume", "bright.nii.gz"]
    shown = found._repr_html_()
    assert "<pre style='margin:0'>64" in shown
    assert shown.count("<img") == 1
    assert scan.with_name("bright.nii.gz").exists(), "as `voxk8s run` does"
    again = voxk8s.run(TEXT, store=store, SCAN=scan, LEVEL=5)
    assert again.result.completed_operations == 0


def test_loops_go_on_without_items_that_fail() -> None:
    """If that is asked for, also folds over a list; what was left out is shown."""
    text = 'print "n" fold + 0 [1 / 1, index([1], 3), 4 / 2]'
    store = open_store("memory://notebook")
    assert not voxk8s.run(text, store=store)
    found = voxk8s.run(text, store=store, on_item_failure="skip")
    assert found["n"] == 3.0
    assert "item 1 is skipped: <program>:1:28" in repr(found)
    assert "<div>item 1 is skipped: &lt;program&gt;" in found._repr_html_()
    with pytest.raises(InvalidUsage, match="on_item_failure"):
        voxk8s.run(text, store=store, on_item_failure="never")


def test_a_file_with_a_program(tmp_path: Path) -> None:
    """By its path; one that is not there is said."""
    path = tmp_path / "p.imgql"
    path.write_text('print "n" $N + 1')
    assert voxk8s.run(str(path), store=open_store("memory://notebook"), N=2)["n"] == 3.0
    with pytest.raises(InvalidUsage, match=r"cannot read gone\.imgql"):
        voxk8s.run("gone.imgql")


class Shell:
    """What of IPython's shell an extension uses."""

    def __init__(self) -> None:
        self.magics: dict[str, Any] = {}
        self.types: dict[type, Any] = {}
        self.display_formatter = self
        self.formatters = {"text/html": self}

    def register_magic_function(self, function: Any, magic_kind: str, magic_name: str) -> None:
        """Take a magic."""
        self.magics[f"{magic_kind} {magic_name}"] = function

    def for_type(self, kind: type, function: Any) -> None:
        """Take what shows values of a type."""
        self.types[kind] = function


def test_the_extension_adds_a_cell_magic(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """`%%imgql NAME=VALUE`, and images are drawn."""
    monkeypatch.setenv("VOXK8S_STORE", str(tmp_path))
    voxk8s.set_storage(None)
    shell = Shell()
    load_ipython_extension(shell)
    assert shell.magics["cell imgql"]("N=2", 'print "n" $N + 1')["n"] == 3.0
    words = shell.magics["cell imgql"]("S='a b'", 'print "s" "$S"')
    assert words["s"] == "a b"
    for line in ("2", "S='a"):
        with pytest.raises(InvalidUsage, match="expected %%imgql NAME=VALUE"):
            shell.magics["cell imgql"](line, "")
    with pytest.raises(InvalidProgram) as wrong:
        shell.magics["cell imgql"]("", 'print "n" nope')
    (shown,) = wrong.value._render_traceback_()  # type: ignore[attr-defined]  # for IPython
    assert shown.startswith("InvalidProgram: <program>:1:11: error: unknown name `nope`")
    assert shell.types == {Image: image_html}
    voxk8s.set_storage(None)


def test_an_image_shows_itself(scan: Path) -> None:
    """As a picture with words, of which nothing is read as HTML."""
    image = Image(np.ones((4, 4), np.uint8), (1.0,) * 2, (0.0,) * 2, (1.0, 0, 0, 1.0))
    assert "<img alt='mask of 4 × 4 voxels" in image_html(image)
    assert "src='data:image/webp;base64," in image_html(image)
    assert scan.exists()
