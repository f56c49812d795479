"""Tests of rights on files."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

_CODE = """
from pathlib import Path
from voxk8s.formats.sandbox.landlock import restrict_files
if not restrict_files(["{0}/in"], ["{0}/out"]):
    print("missing"); raise SystemExit
print(Path("{0}/in").read_text())
Path("{0}/out/a").write_text("x")
for action in (Path("{0}/other").read_text, lambda: Path("{0}/in").write_text("x")):
    try:
        action()
    except PermissionError:
        print("refused")
"""


def test_only_named_paths_can_be_used(tmp_path: Path) -> None:
    """A readable file can be read, a writable folder written, and nothing else."""
    for name in ("in", "other"):
        (tmp_path / name).write_text("here")
    (tmp_path / "out").mkdir()
    code = _CODE.format(tmp_path)
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    if done.stdout == "missing\n":
        pytest.skip("this kernel has no Landlock")
    assert done.stdout.split() == ["here", "refused", "refused"]
    assert (tmp_path / "out" / "a").exists()
