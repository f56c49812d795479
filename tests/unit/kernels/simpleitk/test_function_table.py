"""Tests of the table of SimpleITK's functions."""

from __future__ import annotations

from voxk8s.kernels import registry
from voxk8s.kernels.simpleitk.function_table import load_functions


def test_the_table_has_filters_and_nothing_that_touches_files() -> None:
    """Common filters are there, readers, writers and viewers are not."""
    names = set(load_functions())
    assert {"Median", "Cast", "Add", "BinaryThreshold", "OtsuThreshold", "Resample"} <= names
    assert len(names) > 250
    assert not {name for name in names if "Read" in name or "Write" in name or "Show" in name}
    text = str(load_functions())
    assert "fileName" not in text
    assert "filename" not in text


def test_complex_voxels_are_left_out() -> None:
    """Functions on complex voxels are not kernels: a plan with one is refused before it runs."""
    assert not {name for name in load_functions() if "Complex" in name or name.endswith("edFFT")}
    assert registry().find("simpleitk.ForwardFFT") is None
    assert registry().find("simpleitk.FFTConvolution") is not None
