"""Tests of calls: every function is compared with the SimpleITK object behind it."""

from __future__ import annotations

import itertools
from collections.abc import Iterator

import numpy as np
import pytest
import SimpleITK as sitk

from tests.support.images import call, image, voxels
from voxk8s.errors import KernelError
from voxk8s.formats.itk import from_itk, to_itk
from voxk8s.kernels.simpleitk.calls import call_itk
from voxk8s.kernels.simpleitk.function_table import Overload, Parameter, load_functions
from voxk8s.values import Image, Value

SHAPE = (5, 6, 6)

ALL = load_functions()

LEFT_OUT = {
    *("Resample", "Slice", "Hash", "Extract"),  # called otherwise than objects
    *("FFTPad", "JoinSeries", "Paste", "Cast"),
    *("Warp", "InverseDisplacementField", "IterativeInverseDisplacementField"),  # need fields
    *("PatchBasedDenoising", "StochasticFractalDimension", "MultiLabelSTAPLE"),  # take long
}

_OTHERS: dict[str, Value] = {
    "number": 1.5,
    "integer": 3.0,
    "integers": 2.0,
    "numbers": 2.0,
    "bool": True,
    "extents": 3.0,
    "layout": [1.0, 1.0, 1.0],
}


def _images(dtype: type[np.generic], channels: int, label: int) -> Iterator[Image]:
    random = np.random.default_rng(0)
    while True:
        waves = 100 + 20 * np.sin(np.indices(SHAPE).sum(0) / 3) + random.normal(0, 5, SHAPE)
        if np.issubdtype(dtype, np.integer):
            waves = (waves > 100) * label
        if channels == 1:
            yield image(waves.astype(dtype))
        else:
            fields = random.normal(0, 0.1, (*SHAPE, channels))
            yield image(fields.astype(dtype), channels=channels)


def _arguments(overload: Overload, first: Iterator[Image], others: Iterator[Image]) -> list[Value]:
    chosen: list[Value] = []
    for parameter in itertools.takewhile(lambda each: not each.optional, overload.parameters):
        if parameter.kind in ("image", "labels"):
            chosen.append(next(others if chosen else first))
        elif parameter.kind in ("images", "labellings"):
            chosen.append([next(first), next(first)])
        elif parameter.kind == "enum":
            chosen.append(next(iter(parameter.choices)))
        else:
            chosen.append(_OTHERS[parameter.kind])
    return chosen


def _samples(overload: Overload) -> Iterator[list[Value]]:
    kinds: list[tuple[type[np.generic], int]] = [
        (np.float32, 1),
        (np.uint8, 1),
        (np.uint32, 1),
        (np.float64, 3),
        (np.float64, 1),
    ]
    for first, others in itertools.product(kinds, repeat=2):
        yield _arguments(overload, _images(*first, label=1), _images(*others, label=255))


def _working(name: str) -> tuple[Overload, list[Value], Value]:
    """Return an overload of a function, arguments that it takes, and its result."""
    for overload in ALL[name]:
        for arguments in _samples(overload):
            try:
                return overload, arguments, call(f"simpleitk.{name}", *arguments)
            except KernelError:
                continue
    raise AssertionError(f"no sample works for {name}")


def _object(name: str) -> sitk.ImageFilter:
    stem = name.removesuffix("Source")
    owners = (f"{name}ImageFilter", f"{name}Filter", f"{stem}ImageSource", f"{stem}Source")
    found = next(getattr(sitk, owner) for owner in owners if hasattr(sitk, owner))
    made: sitk.ImageFilter = found()
    return made


def _set(filter_: sitk.ImageFilter, parameter: Parameter, value: Value) -> None:
    setter = getattr(filter_, f"Set{parameter.name[0].upper()}{parameter.name[1:]}")
    if isinstance(value, str):
        setter(parameter.choices[value])
    elif parameter.kind in ("integers", "extents", "numbers") and not isinstance(value, list):
        setter([int(value)] * 3)  # type: ignore[arg-type]  # a number
    elif parameter.kind == "integer":
        setter(int(value))  # type: ignore[arg-type]  # a number
    else:
        setter(value)


@pytest.mark.parametrize("name", sorted(ALL.keys() - LEFT_OUT))
def test_a_function_gives_what_its_object_gives(name: str) -> None:
    """Defaults are those of SimpleITK's object, on one thread whatever the process is set to."""
    sitk.ProcessObject.SetGlobalDefaultNumberOfThreads(8)
    overload, arguments, result = _working(name)
    assert sitk.ProcessObject.GetGlobalDefaultNumberOfThreads() == 1
    filter_ = _object(name)
    inputs: list[object] = []
    for parameter, value in zip(overload.parameters, arguments, strict=False):
        if parameter.kind in ("image", "images"):
            assert isinstance(value, Image | list)
            inputs.append(
                to_itk(value)
                if isinstance(value, Image)
                else [to_itk(each) for each in value if isinstance(each, Image)]
            )
        elif parameter.kind in ("labels", "labellings"):
            labels = value if isinstance(value, list) else [value]
            maps = [sitk.LabelImageToLabelMap(to_itk(each)) for each in labels]  # type: ignore[arg-type]  # images
            inputs.append(maps if isinstance(value, list) else maps[0])
        else:
            _set(filter_, parameter, value)
    expected = filter_.Execute(*inputs)
    if "label" in expected.GetPixelIDTypeAsString():
        expected = sitk.LabelMapToLabel(expected)
    assert isinstance(result, Image)
    np.testing.assert_array_equal(result.array, from_itk(expected).array)
    assert result.spacing == expected.GetSpacing()


SPACED = image(np.random.default_rng(0).random((6, 7, 8)).astype(np.float32), (0.5, 1.0, 2.0))


@pytest.mark.parametrize(
    ("name", "arguments", "expected"),
    [
        ("Median", (SPACED, 2.0), lambda i: sitk.Median(i, [2, 2, 2])),
        ("Median", (SPACED, [1, 2.0, 1]), lambda i: sitk.Median(i, [1, 2, 1])),
        (
            "SmoothingRecursiveGaussian",
            (SPACED, 1.5),
            lambda i: sitk.SmoothingRecursiveGaussian(i, 1.5),
        ),
        ("Cast", (SPACED, "sitkUInt16"), lambda i: sitk.Cast(i, sitk.sitkUInt16)),
        ("Add", (SPACED, 1), lambda i: sitk.Add(i, 1.0)),
        ("Add", (2.0, SPACED), lambda i: sitk.Add(2.0, i)),
        (
            "BinaryThreshold",
            (SPACED, 0.2, 0.7, 3.0, 1.0),
            lambda i: sitk.BinaryThreshold(i, 0.2, 0.7, 3, 1),
        ),
        ("Resample", (SPACED, SPACED, "sitkNearestNeighbor", -1), lambda i: i),
        (
            "Flip",
            (SPACED, [True, False, 1.0], True),
            lambda i: sitk.Flip(i, [True, False, True], True),
        ),
    ],
)
def test_functions_give_what_simpleitk_gives(
    name: str, arguments: tuple[Value, ...], expected: object
) -> None:
    """Arguments are converted by their parameters, results keep their geometry."""
    made = expected(to_itk(SPACED))  # type: ignore[operator]  # a function of the table above
    result = call(f"simpleitk.{name}", *arguments)
    assert isinstance(result, Image)
    np.testing.assert_array_equal(result.array, sitk.GetArrayFromImage(made))
    assert result.spacing == SPACED.spacing


NOISE = image(np.random.default_rng(0).random((6, 7, 8)).astype(np.float32))

LABELS = image((NOISE.array * 3).astype(np.uint8))


@pytest.mark.parametrize(
    ("name", "arguments", "words"),
    [
        ("Median", (NOISE, -1), r"expected unsigned int for radius, got \[-1, -1, -1\]"),
        ("BinaryThreshold", (NOISE, 0.2, 0.7, 300, 0), "expected uint8_t for insideValue, got 300"),
        ("Cast", (NOISE, "sitkBall"), "expected pixelID to be one of .* got the string 'sitkBall'"),
        ("Cast", (NOISE, "sitkLabelUInt8"), "to be one of .* got the string 'sitkLabelUInt8'"),
        ("BinaryDilate", (LABELS, 1, "sitkLinear"), "kernelType .* sitkCross"),
        ("And", (NOISE, NOISE), r"simpleitk.And: Pixel type: 32-bit float .* in 3D\.?$"),
        ("Add", (NOISE, image(NOISE.array, (2.0, 1.0, 1.0))), "physical space.*Spacing.*2.0"),
        ("PatchBasedDenoising", (NOISE,), "^[^\n]*Patch is larger[^\n]*smaller patch[^\n]*$"),
        ("LabelVoting", (LABELS, LABELS, -1), "out of range among labelForUndecidedPixels -1"),
        ("Expand", (NOISE, 0), "the result is an image without voxels|finite"),
        ("Add", (NOISE, 10**400), "got an integer of 1329 bits for constant"),
    ],
)
def test_errors_are_one_line(name: str, arguments: tuple[Value, ...], words: str) -> None:
    """Errors name parameters, and neither files of ITK's source nor symbols and addresses."""
    with pytest.raises(KernelError, match=words) as caught:
        call(f"simpleitk.{name}", *arguments)
    for noise in ("0x", ".hxx", "N3itk", "allocator", "\n"):
        assert noise not in str(caught.value)


def test_too_little_memory_is_no_fault_of_the_arguments(monkeypatch: pytest.MonkeyPatch) -> None:
    """It is tried again, and a refresh deletes no stored value because of it."""

    def huge(*_: object) -> sitk.Image:
        return sitk.Image([10**5] * 3, sitk.sitkFloat64)

    with pytest.raises(MemoryError, match=r"^Failed to allocate memory for image\.$"):
        call_itk("simpleitk.Expand", huge)
    monkeypatch.setattr("voxk8s.kernels.simpleitk.conversions.to_itk", huge)
    with pytest.raises(MemoryError, match="Failed to allocate memory"):
        call("simpleitk.Add", NOISE, NOISE)


def test_geometries_may_differ_as_for_other_kernels() -> None:
    """Rounding of a file's header, up to 1e-5, is no other geometry to ITK either."""
    other = image(NOISE.array, (1.000008, 1.0, 1.0), origin=(0.000009, 0.0, 0.0))
    np.testing.assert_array_equal(voxels("simpleitk.Add", NOISE, other), NOISE.array * 2)


def test_noise_does_not_depend_on_threads() -> None:
    """Whatever the process is set to, functions run on one thread."""
    results = set()
    for threads in (1, 8):
        sitk.ProcessObject.SetGlobalDefaultNumberOfThreads(threads)
        results.add(voxels("simpleitk.ShotNoise", NOISE, 1.0, 7).tobytes())
    assert len(results) == 1
