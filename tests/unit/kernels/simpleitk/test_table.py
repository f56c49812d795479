"""Tests of SimpleITK's functions as kernels: the table, conversions and errors."""

from __future__ import annotations

import numpy as np
import pytest
import SimpleITK as sitk

from tests.support.images import call, image, voxels
from voxk8s.errors import KernelError
from voxk8s.formats.itk import to_itk
from voxk8s.kernels import registry
from voxk8s.kernels.simpleitk import functions, generate
from voxk8s.values import Image, Value

NOISE = image(np.random.default_rng(0).random((6, 7, 8)).astype(np.float32), (0.5, 1.0, 2.0))


def test_the_table_is_what_introspection_gives() -> None:
    """The table in the package belongs to the SimpleITK that is installed; else generate it."""
    assert generate.TABLE.read_text(encoding="utf-8") == generate.render()


def test_the_table_has_filters_and_nothing_that_touches_files() -> None:
    """Common filters are there, readers, writers and viewers are not."""
    names = set(functions())
    assert {"Median", "Cast", "Add", "BinaryThreshold", "OtsuThreshold", "Resample"} <= names
    assert len(names) > 250
    assert not {name for name in names if "Read" in name or "Write" in name or "Show" in name}
    text = str(functions())
    assert "fileName" not in text
    assert "filename" not in text


@pytest.mark.parametrize(
    ("name", "arguments", "expected"),
    [
        ("Median", (NOISE, 2.0), lambda i: sitk.Median(i, [2, 2, 2])),
        ("Median", (NOISE, [1, 2.0, 1]), lambda i: sitk.Median(i, [1, 2, 1])),
        (
            "SmoothingRecursiveGaussian",
            (NOISE, 1.5),
            lambda i: sitk.SmoothingRecursiveGaussian(i, 1.5),
        ),
        ("Cast", (NOISE, "sitkUInt16"), lambda i: sitk.Cast(i, sitk.sitkUInt16)),
        ("Add", (NOISE, 1), lambda i: sitk.Add(i, 1.0)),
        ("Add", (2.0, NOISE), lambda i: sitk.Add(2.0, i)),
        (
            "BinaryThreshold",
            (NOISE, 0.2, 0.7, 3.0, 1.0),
            lambda i: sitk.BinaryThreshold(i, 0.2, 0.7, 3, 1),
        ),
        ("Resample", (NOISE, NOISE, "sitkNearestNeighbor", -1), lambda i: i),
    ],
)
def test_functions_give_what_simpleitk_gives(
    name: str, arguments: tuple[Value, ...], expected: object
) -> None:
    """Arguments are converted by their parameters, results keep their geometry."""
    made = expected(to_itk(NOISE))  # type: ignore[operator]  # a function of the table above
    result = call(f"simpleitk.{name}", *arguments)
    assert isinstance(result, Image)
    np.testing.assert_array_equal(result.array, sitk.GetArrayFromImage(made))
    assert result.spacing == NOISE.spacing


def test_two_dimensions_take_two_numbers() -> None:
    """A number stands for a vector as long as the image has axes."""
    flat = image(np.random.default_rng(1).random((9, 9)).astype(np.float32))
    assert voxels("simpleitk.Median", flat, 1).shape == (9, 9)


@pytest.mark.parametrize(
    ("name", "arguments", "words"),
    [
        (
            "Median",
            ("a",),
            r"Median: takes \(image1: image, radius: integers\?\).*image1 is the str",
        ),
        ("Median", (NOISE, 1.5), "radius is the number 1.5"),
        ("Cast", (NOISE, "sitkNothing"), "not one of sitkUInt8"),
        ("Cast", (NOISE, "ReadImage"), "not one of sitkUInt8"),
        ("AdditiveGaussianNoise", (NOISE, 1.0, 0.0, 0), "clock"),
        ("JoinSeries", (NOISE, NOISE), "4-D"),
        ("Add", (NOISE, image(np.zeros((2, 2, 2)))), "simpleitk.Add"),
    ],
)
def test_errors_say_what_is_wanted(name: str, arguments: tuple[Value, ...], words: str) -> None:
    """A wrong argument names the parameter, an ITK error its last line."""
    with pytest.raises(KernelError, match=words):
        call(f"simpleitk.{name}", *arguments)


def test_random_functions_need_their_seed() -> None:
    """Without a seed the result would depend on the clock: the arity says so."""
    found = registry().find("simpleitk.AdditiveGaussianNoise", ())
    assert found is not None
    assert found.minimum == 4
    first = voxels("simpleitk.AdditiveGaussianNoise", NOISE, 1.0, 0.0, 7)
    np.testing.assert_array_equal(
        first, voxels("simpleitk.AdditiveGaussianNoise", NOISE, 1.0, 0.0, 7)
    )
