"""Tests of how much memory this process may use."""

from __future__ import annotations

from pathlib import Path

from voxk8s.memory import data_bytes, memory_limit, usable_memory


def test_memory_limit_of_the_container(tmp_path: Path) -> None:
    """The limit is read from cgroup v2 or v1."""
    first, second = tmp_path / "v2", tmp_path / "v1"
    assert memory_limit((first, second)) is None
    second.write_text("1073741824\n")
    assert memory_limit((first, second)) == 1024**3
    first.write_text("max\n")
    assert memory_limit((first,)) is None
    second.write_text("9223372036854771712\n")
    assert memory_limit((second,)) is None


def test_usable_memory() -> None:
    """It is that of the container, or of the machine."""
    assert 2**28 < usable_memory() <= (memory_limit() or 2**60)


def test_bytes_of_data(tmp_path: Path) -> None:
    """What the limit of a process counts is what the kernel says, and 0 if it says nothing."""
    status = tmp_path / "status"
    assert data_bytes(status) == 0
    status.write_text("Name:\tpython\nVmData:\t    2048 kB\n")
    assert data_bytes(status) == 2 * 2**20
    assert data_bytes() > 2**20
