"""Calls of SimpleITK's functions by the table of their forms; made on demand, one an attribute."""

from __future__ import annotations

import re
from functools import cache
from typing import Final

import SimpleITK as sitk

from voxk8s.errors import KernelError
from voxk8s.kernels.simpleitk import functions
from voxk8s.kernels.simpleitk.arguments import Mismatch, converted
from voxk8s.kernels.simpleitk.forms import Form
from voxk8s.kernels.simpleitk.running import run
from voxk8s.kernels.spec import KernelFunction
from voxk8s.values import Image, Value

_table = cache(functions)
_REFUSED: Final = re.compile(r"argument (\d+) of type '(?:std::vector< )?([\w: ]*\w)")


def __getattr__(name: str) -> KernelFunction:
    forms = _table().get(name)
    if forms is None:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")

    def call(*arguments: Value) -> Value:
        return _call(name, forms, arguments)

    call.__name__ = call.__qualname__ = name
    call.__doc__ = f"Call SimpleITK's {name}: {' or '.join(map(str, forms))}."
    return call


def _call(name: str, forms: tuple[Form, ...], arguments: tuple[Value, ...]) -> Value:
    kernel = f"simpleitk.{name}"
    images = [argument for argument in arguments if isinstance(argument, Image)]
    size = images[0].size if images else ()
    reasons: list[str] = []
    for form in forms:
        if not form.minimum <= len(arguments) <= form.maximum:
            continue
        pairs = zip(form.parameters, arguments, strict=False)
        try:
            ready = [converted(parameter, value, size) for parameter, value in pairs]
        except Mismatch as error:
            reasons.append(str(error))
            continue
        return _performed(kernel, form, ready)
    wanted = " or ".join(map(str, forms))
    detail = f" ({'; '.join(reasons)})" if reasons else ""
    raise KernelError(f"{kernel}: takes {wanted}{detail}")


def _performed(kernel: str, form: Form, arguments: list[object]) -> Value:
    function = getattr(sitk, kernel.rpartition(".")[2])
    names = [parameter.name for parameter in form.parameters]
    try:
        if form.named:
            named = dict(zip(names, arguments, strict=False))
            return run(kernel, lambda: function(**named))
        return run(kernel, lambda: function(*arguments))
    except (TypeError, OverflowError) as error:
        # A number is beyond the range of its C++ type: only the call itself can tell.
        refused = _REFUSED.search(str(error))
        if refused is None:
            given = ", ".join(
                f"{name} {value}"
                for name, value in zip(names, arguments, strict=False)
                if isinstance(value, int | float | str)
            )
            raise KernelError(f"{kernel}: a number is out of range among {given}") from error
        place = int(refused[1]) - 1
        raise KernelError(
            f"{kernel}: {names[place]} cannot be {arguments[place]}: it is of the type {refused[2]}"
        ) from error
