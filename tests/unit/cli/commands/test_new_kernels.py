"""`voxk8s new-kernels`."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from tests.support.cli import Done


def test_a_package_is_written(call: Callable[..., Done], folder: Path) -> None:
    """Into a folder of its name; what to do next is the last line."""
    done = call("new-kernels", "lab")
    assert done.status == 0
    assert done.out.splitlines()[-1].startswith("cd lab-kernels && ")
    assert (folder / "lab-kernels" / "lab_kernels" / "__init__.py").is_file()


def test_what_exists_is_left_alone(call: Callable[..., Done], folder: Path) -> None:
    """A folder of that name is not touched."""
    (folder / "lab-kernels").mkdir()
    done = call("new-kernels", "lab")
    assert done.status == 2
    assert "lab-kernels exists; nothing was written" in done.err
    assert list((folder / "lab-kernels").iterdir()) == []


def test_a_wrong_name_writes_nothing(call: Callable[..., Done], folder: Path) -> None:
    """One clear message."""
    assert call("new-kernels", "vox1").status == 2
    assert not (folder / "vox1-kernels").exists()
