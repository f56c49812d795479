"""The files of a new package of kernels."""

from __future__ import annotations

import ast
import re
import tomllib

import pytest

from voxk8s import compile_program
from voxk8s.cli.kernel_package import package_files
from voxk8s.errors import InvalidUsage


def test_the_entry_point_names_the_module() -> None:
    """By it voxk8s finds the kernels after an installation."""
    files = package_files("lab", "1.2.3")
    project = tomllib.loads(files["pyproject.toml"])
    assert project["project"]["entry-points"]["voxk8s.kernels"] == {"lab": "lab_kernels"}
    for path in ("lab_kernels/__init__.py", "tests/test_lab_kernels.py"):
        assert ast.parse(files[path]).body


def test_images_are_those_of_the_release() -> None:
    """And nothing of the templates is left to fill in."""
    files = package_files("lab", "1.2.3")
    assert "ENGINE_IMAGE=ghcr.io/voxk8s/engine:1.2.3" in files["Dockerfile"]
    assert not [path for path, text in files.items() if re.search(r"\bNAME|VERSION", path + text)]


@pytest.mark.parametrize("name", ["Lab", "1lab", "lab-x", "class", "vox1", ""])
def test_a_name_that_is_no_namespace_is_refused(name: str) -> None:
    """With what was expected."""
    with pytest.raises(InvalidUsage, match="expected a name"):
        package_files(name, "1")


def test_the_example_needs_the_kernel() -> None:
    """Without the package it does not compile."""
    with pytest.raises(Exception, match=r"lab|window"):
        compile_program(package_files("lab", "1")["example.imgql"])
