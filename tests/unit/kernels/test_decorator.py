"""Tests of `@kernel`: signatures from annotations, names, replacement."""

from __future__ import annotations

import importlib
import sys
from contextlib import suppress
from pathlib import Path

import numpy as np
import pytest

from voxk8s.errors import InvalidUsage
from voxk8s.kernels import kernel, registry
from voxk8s.kernels.registry import _registered


def test_a_kernel_is_usable_at_once() -> None:
    """A decorated function is found by its name and called by position."""
    known = registry()

    @kernel("unit_now.twice", version=3)
    def twice(number: float, more: float = 2.0) -> float:
        """Return the double."""
        return number * more

    found = known.find("twice", ("unit_now",))
    assert found is not None
    assert (found.version, found.minimum, found.maximum) == (3, 1, 2)
    assert (found.parameters, found.result) == (("number", "number"), "number")
    assert not found.cheap
    assert known.spec("unit_now.twice").cost is None
    assert known.function("unit_now.twice")(4.0) == 8.0
    assert twice(1.0) == 2.0


def test_a_kernel_without_a_version_is_versioned_by_its_code() -> None:
    """An edited cell gives another version; one that runs again unchanged the same."""
    versions = []
    for number in (2, 3, 2):
        space: dict[str, object] = {"kernel": kernel, "__name__": "__main__"}
        text = f"@kernel('unit_edited.f')\ndef f(x: float) -> float:\n    return x * {number}\n"
        exec(text, space)
        found = registry().find("unit_edited.f")
        assert found is not None
        assert found.version == 0
        versions.append(registry().version_of(found))
    assert versions[0] == versions[2] != versions[1]
    assert len(versions[0].code) == 64


def test_libraries_are_part_of_the_version() -> None:
    """By the names of their distributions, in any order."""

    @kernel("unit_libraries.f", version=1, libraries=("numpy", "SimpleITK"))
    def f(x: float) -> float:
        return x

    version = registry().version_of(registry().spec("unit_libraries.f").signature)
    assert version.code == ""
    assert [name for name, _ in version.libraries] == ["SimpleITK", "numpy"]


def test_libraries_are_not_a_text() -> None:
    """A text would be a sequence of letters."""
    with pytest.raises(InvalidUsage, match=r"libraries=\('numpy',\)"):

        @kernel("unit_libraries.g", libraries="numpy")
        def g(x: float) -> float:
            return x


def test_types_are_read_from_annotations() -> None:
    """Images, masks, strings, sequences and mappings become words; anything else is any."""
    from voxk8s.kernels import Mask
    from voxk8s.values import Image

    @kernel("unit_types.f")
    def f(  # type: ignore[no-untyped-def]  # one parameter is left without a type on purpose
        i: Image, m: Mask, s: str, xs: list[float], d: dict[str, float], b: bool, free, *rest: int
    ) -> Image:
        """Return the image."""
        return i

    found = registry().spec("unit_types.f").signature
    assert found.parameters == (
        "image",
        "mask",
        "string",
        "sequence",
        "mapping",
        "bool",
        "any",
        "number",
    )
    assert (found.minimum, found.maximum, found.result) == (7, None, "image")


def test_a_cell_that_runs_twice_replaces_its_kernel() -> None:
    """Declaring the same function again takes the new one."""

    def declare(factor: float) -> None:
        @kernel("unit_again.f")
        def f(number: float) -> float:
            return number * factor

    declare(2)
    assert registry().function("unit_again.f")(1.0) == 2.0
    declare(3)
    assert registry().function("unit_again.f")(1.0) == 3.0


def test_two_kernels_of_one_name_are_refused() -> None:
    """Another function under a taken name is an error that names both."""

    @kernel("unit_twice.f")
    def first(number: float) -> float:
        return number

    def second(number: float) -> float:
        return number

    with pytest.raises(InvalidUsage, match=r"first.*second"):
        kernel("unit_twice.f")(second)


@pytest.mark.parametrize("name", ["near", "vox1.mine", "a b.c", ".f", "f.", "test.f", "a.1"])
def test_bad_names_are_refused(name: str) -> None:
    """A name needs a namespace, and the built-in ones are taken."""
    with pytest.raises(InvalidUsage, match="kernel"):
        kernel(name)(lambda number: number)


def test_arguments_by_name_are_refused() -> None:
    """A parameter that can only be given by name cannot be reached from a plan."""

    def f(number: float, *, option: int) -> float:
        return number * option

    with pytest.raises(InvalidUsage, match="option"):
        kernel("unit_named.f")(f)


def test_a_helper_that_is_edited_before_the_first_digest_is_the_loaded_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its tables count by the statements that have made them; after a reload, by the new ones."""
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setattr(sys, "dont_write_bytecode", True)
    helpers = tmp_path / "labhelpers.py"
    helpers.write_text("W = [1]\ndef double(x):\n    return 2 * x\n")
    (tmp_path / "labedited.py").write_text(
        "import labhelpers\nfrom voxk8s import kernel\n"
        "@kernel('labedited.weigh')\ndef weigh(x):\n"
        "    return labhelpers.double(x) * labhelpers.W[0]\n"
    )

    def fresh() -> str:
        for name in ("labhelpers", "labedited"):
            sys.modules.pop(name, None)
        importlib.invalidate_caches()
        importlib.import_module("labedited")
        return registry().code("labedited.weigh")

    monkeypatch.setitem(_registered, "labedited.weigh", None)
    old = fresh()
    sys.modules.pop("labhelpers")
    sys.modules.pop("labedited")
    module = importlib.import_module("labedited")
    helpers.write_text(helpers.read_text().replace("[1]", "[2000]"))
    assert registry().code("labedited.weigh") == old
    importlib.reload(module.labhelpers)
    new = registry().code("labedited.weigh")
    assert new != old
    assert fresh() == new


@pytest.mark.parametrize("function", [min, iter, 3, type("Odd", (), {})()])
def test_functions_whose_parameters_are_hidden_are_refused(function: object) -> None:
    """Built-in functions and objects that are no functions."""
    with pytest.raises(InvalidUsage, match=r"unit_hidden\.it.*write a function in Python"):
        kernel("unit_hidden.it")(function)  # type: ignore[arg-type]  # what users may do


def test_a_ufunc_is_a_kernel_or_refused() -> None:
    """Newer versions of NumPy tell the parameters of theirs."""
    with suppress(InvalidUsage):
        kernel("unit_ufunc.it")(np.sqrt)
        assert registry().code("unit_ufunc.it")
