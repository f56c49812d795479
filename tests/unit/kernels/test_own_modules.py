"""Whose code counts."""

from __future__ import annotations

import importlib.util
import json
import sys
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest

from voxk8s.kernels.own_modules import loaded_modules, module_space, own_modules


@pytest.fixture
def beside(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """A module that is not installed."""
    module = ModuleType("beside_the_notebook")
    module.__file__ = str(tmp_path / "beside_the_notebook.py")
    monkeypatch.setitem(sys.modules, module.__name__, module)
    return module.__name__


def test_a_package_of_kernels_owns_its_modules_only(beside: str) -> None:
    """Driver and workers agree, wherever each has it."""
    is_own = own_modules("lab.kernels", {"lab"})
    assert is_own("lab.helpers.deep")
    assert not is_own("labour")
    assert not is_own(beside)


def test_a_notebook_owns_the_modules_beside_it(beside: str) -> None:
    """Neither installed libraries, nor voxk8s, wherever it is."""
    is_own = own_modules("__main__", {"lab"})
    assert is_own("__main__")
    assert is_own(beside)
    assert not any(map(is_own, (np.__name__, json.__name__, "voxk8s.values", "sys")))


def test_libraries_of_the_system_and_of_the_user_are_installed(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """They are outside of the virtual environment that a notebook runs in."""
    for folder in ("/usr/lib/python3/dist-packages", "/home/u/.local/lib/python3/site-packages"):
        module = ModuleType("elsewhere")
        module.__file__ = f"{folder}/elsewhere.py"
        monkeypatch.setitem(sys.modules, module.__name__, module)
        assert not own_modules("__main__", set())("elsewhere")


def test_modules_that_a_kernel_may_own_are_found_without_loading_them(beside: str) -> None:
    """A module that waits for its first use goes on waiting."""
    spec = importlib.util.find_spec("this")
    assert spec is not None
    assert spec.loader is not None
    spec.loader = importlib.util.LazyLoader(spec.loader)
    waiting = importlib.util.module_from_spec(spec)
    sys.modules["this"] = waiting
    try:
        spec.loader.exec_module(waiting)
        found = set(loaded_modules("json"))
        assert object.__getattribute__(waiting, "__class__") is not ModuleType
    finally:
        del sys.modules["this"]
    assert {beside, "json.decoder"} <= found
    assert not any(name.startswith(("numpy", "voxk8s")) for name in found)


def test_what_is_no_module_has_no_globals(monkeypatch: pytest.MonkeyPatch) -> None:
    """Some libraries put other objects in the place of their modules."""
    monkeypatch.setitem(sys.modules, "odd", 3)
    assert module_space("odd") == {}
    assert module_space("absent") == {}
