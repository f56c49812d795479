"""`@kernel`: registers an annotated function as a kernel."""

from __future__ import annotations

import inspect
import sys
import typing
from collections.abc import Callable, Mapping, Sequence
from types import SimpleNamespace
from typing import TYPE_CHECKING, Annotated, ParamSpec, TypeAlias, TypeVar

from voxk8s.errors import InvalidUsage
from voxk8s.kernels import registry
from voxk8s.kernels.kernel_spec import CostHint, KernelSpec, check_name, module_of
from voxk8s.kernels.own_modules import loaded_modules
from voxk8s.kernels.source_code import remember_modules, remember_source
from voxk8s.kernels.worker_resources import checked
from voxk8s.plan.signature import Signature

if TYPE_CHECKING:
    from voxk8s.values import Image

    Mask: TypeAlias = Annotated[Image, "mask"]
else:
    # A forward reference: declaring a kernel must not import numpy.
    Mask = Annotated[typing.ForwardRef("Image"), "mask"]

_ImagePlaceholder = type("Image", (), {})  # replaces the class while numpy is not imported

P = ParamSpec("P")
R = TypeVar("R")

_TYPE_NAMES: Mapping[object, str] = {
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
    version: int | None = None,
    libraries: Sequence[str] = (),
    cheap: bool = False,
    cost: CostHint | None = None,
    gpu: Callable[..., object] | None = None,
    resources: Mapping[str, float] | None = None,
) -> Callable[[Callable[P, R]], Callable[P, R]]:
    """Register the decorated function as the kernel `name` (`namespace.name`).

    Arity and types are those of the function: parameters with a default are optional, `*args` takes
    any number of arguments. Result keys contain what the values depend on. Without `version` this
    is the code: of the function, and of what it calls in its own package (see `code_digest`). With
    `version`, which is 1 or more, it is that number: increase it whenever the function returns
    different values than before. `libraries` are the distributions (`torch`, `scikit-image`) that
    define its values; their versions are part of the keys. The function must be pure and must not
    change its arguments. Registering a name again replaces the function if it has the same module
    and name (a notebook cell run twice); else InvalidUsage is raised. Workers in other processes
    find the kernel if an entry point in the group `voxk8s.kernels` refers to its module. Processes
    that have a GPU call `gpu` instead; it must return the same bits. `resources` are what a call
    needs of a worker while it runs, such as `{"GPU": 1}`: on a cluster it waits for a worker that
    offers so much; in one process they are not counted.
    """

    def register(function: Callable[P, R]) -> Callable[P, R]:
        needed = checked(resources or {}, f"kernel {name!r}")
        remember_source(function)
        remember_modules(loaded_modules(module_of(function).partition(".")[0]))
        registry.register(
            KernelSpec(
                signature=_signature(check_name(name), version, cheap, libraries, function),
                implementation=typing.cast("Callable[..., typing.Any]", function),
                cost=cost,
                gpu=typing.cast("Callable[..., typing.Any] | None", gpu),
                resources=needed,
                doc=(inspect.getdoc(function) or "").partition("\n")[0],
            )
        )
        return function

    return register


def _signature(
    qualified: str,
    version: int | None,
    cheap: bool,
    libraries: Sequence[str],
    function: Callable[..., object],
) -> Signature:
    if version is not None and version < 1:
        raise InvalidUsage(f"kernel {qualified!r}: expected a version >= 1, got {version}")
    if isinstance(libraries, str):
        raise InvalidUsage(
            f"kernel {qualified!r}: expected a sequence of names, as in libraries=({libraries!r},),"
            f" got the text {libraries!r}"
        )
    hints = _hints(function)
    types: list[str] = []
    minimum = 0
    maximum: int | None = 0
    for parameter in _parameters(qualified, function):
        if parameter.kind is parameter.VAR_POSITIONAL:
            maximum = None
        elif parameter.kind in (parameter.POSITIONAL_ONLY, parameter.POSITIONAL_OR_KEYWORD):
            minimum += parameter.default is parameter.empty
            maximum = None if maximum is None else maximum + 1
        elif parameter.kind is parameter.KEYWORD_ONLY and parameter.default is parameter.empty:
            raise InvalidUsage(
                f"kernel {qualified}: expected positional parameters, got the keyword-only"
                f" parameter {parameter.name!r}; plans pass arguments by position"
            )
        else:
            continue
        types.append(_type_name(hints.get(parameter.name)))
    return Signature(
        qualified=qualified,
        version=0 if version is None else version,
        minimum=minimum,
        maximum=maximum,
        parameters=tuple(types),
        result=_type_name(hints.get("return")),
        cheap=cheap,
        libraries=tuple(sorted(set(libraries))),
    )


def _parameters(qualified: str, function: Callable[..., object]) -> Sequence[inspect.Parameter]:
    try:
        return tuple(inspect.signature(function).parameters.values())
    except (TypeError, ValueError):
        raise InvalidUsage(
            f"kernel {qualified!r}: expected a function whose parameters can be seen, got"
            f" {function!r}; write a function in Python that calls it"
        ) from None


def _hints(function: Callable[..., object]) -> Mapping[str, object]:
    # One at a time, so that an annotation that cannot be resolved at run time (such as an import
    # under TYPE_CHECKING) does not affect the others.
    known = {"Image": getattr(sys.modules.get("voxk8s.values"), "Image", _ImagePlaceholder)}
    space = getattr(function, "__globals__", {})
    hints: dict[str, object] = {}
    for name, hint in getattr(function, "__annotations__", {}).items():
        holder = SimpleNamespace(__annotations__={name: hint})
        try:
            hints.update(typing.get_type_hints(holder, space, known, include_extras=True))
        except (NameError, TypeError, AttributeError, SyntaxError):
            hints[name] = hint
    return hints


def _type_name(hint: object) -> str:
    if isinstance(hint, str):
        return {"Image": "image", "Mask": "mask", "float": "number", "str": "string"}.get(
            hint.rpartition(".")[2], "any"
        )
    if typing.get_origin(hint) is Annotated:
        return (
            "mask" if "mask" in typing.get_args(hint)[1:] else _type_name(typing.get_args(hint)[0])
        )
    origin = typing.get_origin(hint) or hint
    if getattr(origin, "__name__", "") == "Image":
        return "image"
    return _TYPE_NAMES.get(origin, "any")
