"""Whose code counts."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest

from voxk8s.kernels.own_modules import own_modules


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
