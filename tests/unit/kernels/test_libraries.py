"""Versions of libraries in this environment."""

from __future__ import annotations

import platform
from importlib import metadata

from voxk8s.kernels.libraries import installed_version, installed_versions


def test_a_version_is_that_of_the_installed_distribution() -> None:
    """Also when its modules are not imported."""
    assert installed_version("SimpleITK") == metadata.version("SimpleITK")


def test_what_is_not_installed_has_no_version() -> None:
    """It is left out where several are asked for."""
    assert installed_version("no-such-distribution") is None
    assert "no-such-distribution" not in installed_versions(["no-such-distribution"])


def test_python_and_numpy_take_part_in_every_result() -> None:
    """Whatever libraries a kernel names beside them."""
    found = installed_versions(["SimpleITK"])
    assert found.keys() == {"SimpleITK", "numpy", "python"}
    assert found["python"] == platform.python_version()
