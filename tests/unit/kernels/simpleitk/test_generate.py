"""Tests of the generator of the function table."""

from __future__ import annotations

import itertools

import SimpleITK as sitk

from voxk8s.kernels.simpleitk import generate
from voxk8s.kernels.simpleitk.function_table import load_functions


def test_the_table_is_what_introspection_gives() -> None:
    """The table in the package belongs to the SimpleITK that is installed; else generate it."""
    assert generate.TABLE.read_text(encoding="utf-8") == generate.render()


ALL = load_functions()


def _object(name: str) -> sitk.ImageFilter:
    stem = name.removesuffix("Source")
    owners = (f"{name}ImageFilter", f"{name}Filter", f"{stem}ImageSource", f"{stem}Source")
    found = next(getattr(sitk, owner) for owner in owners if hasattr(sitk, owner))
    made: sitk.ImageFilter = found()
    return made


def test_parameters_are_those_of_the_object() -> None:
    """Each parameter in the table can be set on the object, under its name."""
    missing: list[str] = []
    for name in ALL.keys() - {"Resample", "Cast", "Hash"}:
        for parameter in itertools.chain(*(overload.parameters for overload in ALL[name])):
            stem = parameter.name.lstrip("_")
            setter = f"Set{stem[0].upper()}{stem[1:]}"
            operand = parameter.kind in ("image", "images", "labels", "labellings")
            if not operand and stem != "constant" and not hasattr(_object(name), setter):
                missing.append(f"{name}.{stem}")
    assert missing == []
