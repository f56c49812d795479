"""`@kernel`: makes a kernel of an annotated function."""

from __future__ import annotations

import inspect
import sys
import typing
from collections.abc import Callable, Mapping, Sequence
from types import SimpleNamespace
from typing import TYPE_CHECKING, Annotated, ParamSpec, TypeAlias, TypeVar

from voxk8s.errors import InvalidUsage
from voxk8s.kernels import registry
from voxk8s.kernels.spec import CostHint, KernelSpec, check_name
from voxk8s.plan.signature import Signature

if TYPE_CHECKING:
    from voxk8s.values import Image

    Mask: TypeAlias = Annotated[Image, "mask"]
else:
    # The class is named, not imported: declaring a kernel must not cost an import of numpy.
    Mask = Annotated[typing.ForwardRef("Image"), "mask"]

_ImageName = type("Image", (), {})  # stands for the class while numpy is not imported

P = ParamSpec("P")
R = TypeVar("R")

_WORDS: Mapping[object, str] = {
    bool: "bool",
    int: "number",
    float: "number",
    str: "string",
    list: "sequence",
    tuple: "sequence",
    Sequence: "sequence",
    dict: "mapping",
    Mapping: "mapping",
}


def kernel(
    name: str,
    *,
    version: int = 1,
    cheap: bool = False,
    cost: CostHint | None = None,
    gpu: Callable[..., object] | None = None,
) -> Callable[[Callable[P, R]], Callable[P, R]]:
    """Register the decorated function as the kernel `name` (`namespace.name`).

    Arity and types are read from the function: parameters with a default may be left out, `*args`
    takes any number. `version` is part of every result key: raise it whenever the function gives
    different values than before. The function must be pure and must not change its arguments.
    Declaring a name again replaces the function if it has the same module and name (a notebook
    cell run twice); anything else raises InvalidUsage. Workers in other processes know the kernel
    if its module is named by an entry point in the group `voxk8s.kernels`. `gpu` is called in its
    place by processes that have a GPU; it must give the same bits.
    """

    def register(function: Callable[P, R]) -> Callable[P, R]:
        registry.declare(
            KernelSpec(
                signature=_signature(check_name(name), version, cheap, function),
                implementation=typing.cast("Callable[..., typing.Any]", function),
                cost=cost,
                gpu=typing.cast("Callable[..., typing.Any] | None", gpu),
                doc=(inspect.getdoc(function) or "").partition("\n")[0],
            )
        )
        return function

    return register


def _signature(
    qualified: str, version: int, cheap: bool, function: Callable[..., object]
) -> Signature:
    hints = _hints(function)
    words: list[str] = []
    minimum = 0
    maximum: int | None = 0
    for parameter in inspect.signature(function).parameters.values():
        if parameter.kind is parameter.VAR_POSITIONAL:
            maximum = None
        elif parameter.kind in (parameter.POSITIONAL_ONLY, parameter.POSITIONAL_OR_KEYWORD):
            minimum += parameter.default is parameter.empty
            maximum = None if maximum is None else maximum + 1
        elif parameter.kind is parameter.KEYWORD_ONLY and parameter.default is parameter.empty:
            raise InvalidUsage(
                f"kernel {qualified}: parameter {parameter.name!r} can only be given by name;"
                " plans give arguments by position"
            )
        else:
            continue
        words.append(_word(hints.get(parameter.name)))
    return Signature(
        qualified=qualified,
        version=version,
        minimum=minimum,
        maximum=maximum,
        parameters=tuple(words),
        result=_word(hints.get("return")),
        cheap=cheap,
    )


def _hints(function: Callable[..., object]) -> Mapping[str, object]:
    # One by one: an annotation that cannot be resolved at run time (a TYPE_CHECKING import, say)
    # must not hide the others.
    known = {"Image": getattr(sys.modules.get("voxk8s.values"), "Image", _ImageName)}
    space = getattr(function, "__globals__", {})
    hints: dict[str, object] = {}
    for name, hint in getattr(function, "__annotations__", {}).items():
        holder = SimpleNamespace(__annotations__={name: hint})
        try:
            hints.update(typing.get_type_hints(holder, space, known, include_extras=True))
        except (NameError, TypeError, AttributeError, SyntaxError):
            hints[name] = hint
    return hints


def _word(hint: object) -> str:
    if isinstance(hint, str):
        return {"Image": "image", "Mask": "mask", "float": "number", "str": "string"}.get(
            hint.rpartition(".")[2], "any"
        )
    if typing.get_origin(hint) is Annotated:
        return "mask" if "mask" in typing.get_args(hint)[1:] else _word(typing.get_args(hint)[0])
    origin = typing.get_origin(hint) or hint
    if getattr(origin, "__name__", "") == "Image":
        return "image"
    return _WORDS.get(origin, "any")
