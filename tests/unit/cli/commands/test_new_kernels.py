"""`voxk8s new-kernels`."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.support.cli import Done
from voxk8s.cli.commands import new_kernels


def test_a_package_is_written(call: Callable[..., Done], folder: Path) -> None:
    """Into a folder of its name; what to do next is the last line."""
    done = call("new-kernels", "lab")
    assert done.status == 0
    assert done.out.splitlines()[-1].startswith("cd lab-kernels && ")
    assert (folder / "lab-kernels" / "lab_kernels" / "__init__.py").is_file()


@pytest.mark.parametrize("pip", [None, object()])
def test_the_next_step_works_without_pip(
    call: Callable[..., Done], folder: Path, pip: object, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where the environment has no pip, that of another Python would be found: it is added."""
    monkeypatch.setattr(new_kernels, "find_spec", lambda _: pip)
    line = call("new-kernels", "lab").out.splitlines()[-1]
    assert ("ensurepip" in line) == (pip is None)


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
