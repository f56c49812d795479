"""The architecture: imports go one way, and light parts stay light."""

from __future__ import annotations

import ast
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from tests.support.paths import ROOT
from voxk8s import constants

HEAVY = (
    "numpy",
    "dask",
    "distributed",
    "SimpleITK",
    "scipy",
    "numba",
    "kubernetes",
    "s3fs",
)
COMPUTING = ("dask", "distributed", "SimpleITK", "scipy", "numba")


def loaded(statement: str, among: tuple[str, ...]) -> list[str]:
    """Return those modules that a fresh interpreter has loaded after a statement."""
    code = f"{statement}\nimport sys\nprint(*[m for m in {among!r} if m in sys.modules])"
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=ROOT
    )
    return done.stdout.split()


def test_import_contracts_hold() -> None:
    """import-linter finds every contract of pyproject.toml kept."""
    linter = Path(sys.executable).with_name("lint-imports")
    done = subprocess.run([linter], capture_output=True, encoding="utf-8", check=False, cwd=ROOT)
    assert done.returncode == 0, done.stdout + done.stderr


def test_the_package_is_light() -> None:
    """`import voxk8s` loads nothing heavy."""
    assert loaded("import voxk8s", HEAVY) == []


def test_the_registry_is_light() -> None:
    """Finding a kernel loads no implementation, so that the operator can check plans."""
    statement = (
        "from voxk8s.kernels import registry\n"
        "assert registry().find('vox1.near', ()) and registry().find('addition', ())"
    )
    assert loaded(statement, COMPUTING) == []


def test_the_operator_computes_nothing() -> None:
    """Loading the controller loads no library that computes."""
    assert loaded("import voxk8s.controller.__main__", COMPUTING) == []


@pytest.mark.parametrize("name", ["ExecutionEngine", "load_plan", "open_store", "kernel"])
def test_public_names_come_from_the_package(name: str) -> None:
    """The names of the public API can be imported from the package itself."""
    code = f"from voxk8s import {name}; print({name}.__name__)"
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=ROOT
    )
    assert done.stdout.strip() == name


def test_every_module_says_what_it_is() -> None:
    """Every module of the package begins with a docstring."""
    silent = [
        str(path.relative_to(ROOT))
        for path in (ROOT / "voxk8s").rglob("*.py")
        if not path.read_text().lstrip().startswith(('"""', 'r"""'))
    ]
    assert silent == []


def test_nothing_is_imported_from_the_root_package() -> None:
    """What lies below imports modules, not the public names that the root package loads lazily."""
    modules = {path.stem for path in (ROOT / "voxk8s").iterdir()}
    taken = [
        f"{path.relative_to(ROOT)}: {name.name}"
        for path in (ROOT / "voxk8s").rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text("utf-8")))
        for name in imported_from_root(node)
        if name.name not in modules
    ]
    assert taken == []


def imported_from_root(node: ast.AST) -> list[ast.alias]:
    """Return what an import statement takes from the root package itself."""
    match node:
        case ast.ImportFrom(module="voxk8s", names=names):
            return names
        case ast.Import(names=names):
            return [name for name in names if name.name == "voxk8s"]
        case _:
            return []


def test_the_version_is_that_of_the_distribution() -> None:
    """pyproject.toml and the constant that records carry name one version."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    assert project["version"] == constants.RELEASE
