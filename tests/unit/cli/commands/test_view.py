"""`voxk8s view`."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from tests.support.cli import voxk8s
from voxk8s.formats.encode_file import encode_file
from voxk8s.values import Image

IDENTITY = (1.0, 0.0, 0.0, 0.0, 1.0, 0.0, 0.0, 0.0, 1.0)


@pytest.fixture
def scan(tmp_path: Path) -> Path:
    """A volume of noise."""
    array = np.random.default_rng(1).integers(0, 255, (20, 80, 90)).astype(np.uint8)
    value = Image(array, (1.0,) * 3, (0.0,) * 3, IDENTITY)
    (tmp_path / "scan.mha").write_bytes(encode_file(value, ".mha").data)
    return tmp_path / "scan.mha"


def test_export(scan: Path) -> None:
    """The page is written where it is wanted, and its name printed."""
    done = voxk8s(scan.parent, "view", "scan.mha", str(scan), "--export", "page.html")
    assert (done.status, done.out) == (0, "page.html\n")
    assert (scan.parent / "page.html").read_text().count('"name": "scan.mha"') == 2


def test_without_a_browser(scan: Path) -> None:
    """The page is in a temporary file, and it is said that nothing opens it."""
    env = {"TMPDIR": str(scan.parent), "BROWSER": "false", "PATH": "", "DISPLAY": ""}
    done = voxk8s(scan.parent, "view", "scan.mha", env=env)
    assert done.status == 0
    assert "no browser was found" in done.err
    assert Path(done.out.strip()).read_text().startswith("<!DOCTYPE html>")


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["none.nii"], "none.nii"),
        (["plan.json"], "expected an image, found a JSON document"),
        (["scan.mha", "--limit", "0"], "set --limit higher"),
        (["scan.mha", "--export", "scan.mha/page.html"], "--export scan.mha/page.html"),
    ],
)
def test_what_cannot_be_shown(scan: Path, arguments: list[str], words: str) -> None:
    """One line says what was wrong."""
    (scan.parent / "plan.json").write_text("{}")
    done = voxk8s(scan.parent, "view", *arguments)
    assert done.status == 2
    assert words in done.err
    assert done.err.count("\n") == 1
