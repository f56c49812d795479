"""Every function of the table is called, and compared with the object of SimpleITK behind it."""

from __future__ import annotations

import itertools
from collections.abc import Iterator

import numpy as np
import pytest
import SimpleITK as sitk

from tests.support.images import call, image
from voxk8s.errors import KernelError
from voxk8s.formats.itk import from_itk, to_itk
from voxk8s.kernels.simpleitk import functions
from voxk8s.kernels.simpleitk.forms import Form, Parameter
from voxk8s.values import Image, Value

SHAPE = (5, 6, 6)
ALL = functions()
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


def _arguments(form: Form, first: Iterator[Image], others: Iterator[Image]) -> list[Value]:
    chosen: list[Value] = []
    for parameter in itertools.takewhile(lambda each: not each.optional, form.parameters):
        if parameter.kind in ("image", "labels"):
            chosen.append(next(others if chosen else first))
        elif parameter.kind in ("images", "labellings"):
            chosen.append([next(first), next(first)])
        elif parameter.kind == "enum":
            chosen.append(next(iter(parameter.choices)))
        else:
            chosen.append(_OTHERS[parameter.kind])
    return chosen


def _samples(form: Form) -> Iterator[list[Value]]:
    kinds: list[tuple[type[np.generic], int]] = [
        (np.float32, 1),
        (np.uint8, 1),
        (np.uint32, 1),
        (np.float64, 3),
        (np.float64, 1),
    ]
    for first, others in itertools.product(kinds, repeat=2):
        yield _arguments(form, _images(*first, label=1), _images(*others, label=255))


def _working(name: str) -> tuple[Form, list[Value], Value]:
    """Give a form of a function, arguments that it takes, and its result."""
    for form in ALL[name]:
        for arguments in _samples(form):
            try:
                return form, arguments, call(f"simpleitk.{name}", *arguments)
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
    form, arguments, result = _working(name)
    assert sitk.ProcessObject.GetGlobalDefaultNumberOfThreads() == 1
    filter_ = _object(name)
    inputs: list[object] = []
    for parameter, value in zip(form.parameters, arguments, strict=False):
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


def test_parameters_are_those_of_the_object() -> None:
    """Each parameter in the table can be set on the object, under its name."""
    missing: list[str] = []
    for name in ALL.keys() - {"Resample", "Cast", "Hash"}:
        for parameter in itertools.chain(*(form.parameters for form in ALL[name])):
            stem = parameter.name.lstrip("_")
            setter = f"Set{stem[0].upper()}{stem[1:]}"
            operand = parameter.kind in ("image", "images", "labels", "labellings")
            if not operand and stem != "constant" and not hasattr(_object(name), setter):
                missing.append(f"{name}.{stem}")
    assert missing == []
