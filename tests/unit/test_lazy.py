"""Names that are loaded on first use."""

from __future__ import annotations

import sys
from types import ModuleType

import pytest

from voxk8s.lazy import lazy_names


@pytest.fixture
def package(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    """A package with one lazy name."""
    package = ModuleType("lazy_package")
    monkeypatch.setitem(sys.modules, "lazy_package", package)
    package.__getattr__, package.__dir__ = lazy_names(  # type: ignore[method-assign] # PEP 562
        "lazy_package", {"sqrt": "math"}
    )
    return package


def test_a_name_is_loaded_on_first_use(package: ModuleType) -> None:
    """The name is that of its module, and a member of the package from then on."""
    assert "sqrt" not in vars(package)
    assert package.sqrt(4) == 2
    assert "sqrt" in vars(package)


def test_other_names_are_attribute_errors(package: ModuleType) -> None:
    """A name without a module is no attribute."""
    with pytest.raises(AttributeError, match="'lazy_package' has no attribute 'cube'"):
        _ = package.cube


def test_lazy_names_are_listed(package: ModuleType) -> None:
    """`dir` lists a name before it is loaded."""
    assert {"sqrt", "__name__"} <= set(dir(package))
