"""Tests of the paths in a store."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from voxk8s.errors import InvalidUsage
from voxk8s.plan.model import Digest
from voxk8s.storage.layout import blob_path, pin_path, quarantine_path, record_path, run_path

NAME = "ab" + "c" * 62


def test_paths_are_the_documented_ones() -> None:
    """Records, blobs and what is set aside lie where the layout says."""
    assert record_path(NAME) == f"ac/v1/ab/{'c' * 62}"
    assert blob_path(NAME) == f"cas/sha256/ab/{'c' * 62}"
    assert quarantine_path("cas/sha256/ab/x", Digest("d" * 64)).startswith("quarantine/cas/")


@given(
    st.tuples(st.text(), st.integers(), st.text()), st.tuples(st.text(), st.integers(), st.text())
)
def test_different_states_have_different_pins(
    one: tuple[str, int, str], other: tuple[str, int, str]
) -> None:
    """URL, size and version are distinct, also if their concatenations are equal."""
    assert (pin_path(*one) == pin_path(*other)) == (one == other)


@pytest.mark.parametrize("path", ["..", "a/..", ".", "", "/a", "a/", "a\\b", "a\nb", "a//b"])
def test_paths_of_runs_are_plain(path: str) -> None:
    """Nothing that leaves runs/ or surprises a file system is a path of a run."""
    with pytest.raises(InvalidUsage):
        run_path(path)
