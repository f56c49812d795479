"""Calls of SimpleITK's functions by the table of their forms; made on demand, one an attribute."""

from __future__ import annotations

import math
from functools import cache
from typing import Final

import numpy as np
import SimpleITK as sitk

from voxk8s.errors import KernelError
from voxk8s.kernels.itk import from_itk, reason_of, to_itk
from voxk8s.kernels.simpleitk import functions
from voxk8s.kernels.simpleitk.forms import Form
from voxk8s.kernels.spec import KernelFunction
from voxk8s.kernels.text import describe
from voxk8s.values import Image, Value

_table = cache(functions)
_RANGES: Final = 2**63


def __getattr__(name: str) -> KernelFunction:
    forms = _table().get(name)
    if forms is None:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")

    def call(*arguments: Value) -> Value:
        return _call(name, forms, arguments)

    call.__name__ = call.__qualname__ = name
    call.__doc__ = f"Call SimpleITK's {name}: {' or '.join(map(str, forms))}."
    return call


class _Mismatch(Exception):
    """An argument is not what a form wants."""


def _call(name: str, forms: tuple[Form, ...], arguments: tuple[Value, ...]) -> Value:
    reasons: list[str] = []
    for form in forms:
        if not form.minimum <= len(arguments) <= form.maximum:
            continue
        try:
            converted = _converted(form, arguments)
        except _Mismatch as error:
            reasons.append(str(error))
            continue
        return _result(name, form, converted)
    wanted = " or ".join(map(str, forms))
    detail = f" ({'; '.join(reasons)})" if reasons else ""
    raise KernelError(f"simpleitk.{name}: takes {wanted}{detail}")


def _result(name: str, form: Form, arguments: list[object]) -> Value:
    function = getattr(sitk, name)
    try:
        if form.named:
            names = [parameter.name for parameter in form.parameters]
            result = function(**dict(zip(names, arguments, strict=False)))
        else:
            result = function(*arguments)
        return _value(result)
    except KernelError as error:
        raise KernelError(f"simpleitk.{name}: {error}") from error
    except (RuntimeError, TypeError, ValueError, NotImplementedError, OverflowError) as error:
        raise KernelError(f"simpleitk.{name}: {reason_of(error)}") from error


def _value(result: object) -> Value:
    if isinstance(result, sitk.Image):
        return from_itk(result)
    if isinstance(result, tuple | list):
        return [_value(item) for item in result]
    if isinstance(result, bool | int | float | str):
        return result
    raise KernelError(f"gives a {type(result).__name__}, which is no value")


def _converted(form: Form, arguments: tuple[Value, ...]) -> list[object]:
    images = [argument for argument in arguments if isinstance(argument, Image)]
    rank = images[0].dimension if images else 3
    return [
        _argument(parameter.name, parameter.kind, argument, rank)
        for parameter, argument in zip(form.parameters, arguments, strict=False)
    ]


def _argument(name: str, kind: str, value: Value, rank: int) -> object:
    match kind:
        case "image":
            if isinstance(value, Image):
                return to_itk(value)
        case "images":
            if isinstance(value, list) and all(isinstance(item, Image) for item in value):
                return [to_itk(item) for item in value if isinstance(item, Image)]
        case "bool":
            if isinstance(value, bool | int | float):
                return bool(value)
        case "string":
            if isinstance(value, str):
                return value
        case "enum":
            return _constant(name, value)
        case "number" | "integer":
            return _number(name, kind, value)
        case "numbers" | "integers":
            items = value.tolist() if isinstance(value, np.ndarray) else value
            whole = kind.removesuffix("s")
            if isinstance(items, list):
                return [_number(name, whole, item) for item in items]
            return [_number(name, whole, items)] * rank
    raise _Mismatch(f"{name} is {describe(value)}")


def _number(name: str, kind: str, value: Value) -> int | float:
    if isinstance(value, bool | int | float):
        if kind == "number":
            return float(value)
        if math.isfinite(value) and float(value).is_integer() and abs(value) < _RANGES:
            if name == "seed" and value == 0:
                raise _Mismatch("seed 0 is the clock's time: results would differ each time")
            return int(value)
    raise _Mismatch(f"{name} is {describe(value)}")


def _constant(name: str, value: Value) -> int:
    if isinstance(value, str) and value.startswith("sitk"):
        found = getattr(sitk, value, None)
        if isinstance(found, int):
            return found
    elif not isinstance(value, str):
        number = _number(name, "integer", value)
        return int(number)
    raise _Mismatch(f"{name} is {describe(value)}, no constant of SimpleITK")
