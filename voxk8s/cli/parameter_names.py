"""The names and types of the parameters of kernels, from their code, which is not run for that."""

from __future__ import annotations

import ast
import importlib.util
import inspect
from collections.abc import Iterator, Sequence
from functools import cache
from pathlib import Path
from typing import Final

from voxk8s.imgql.types import ANY, expected_type
from voxk8s.kernels import KernelSpec
from voxk8s.kernels.simpleitk.function_table import Overload, load_functions

_OF_THE_ENGINE: Final = {
    "default.load": ("file",),
    "default.dir": ("folder", "pattern", "recursive", "full_paths"),
}
"""Kernels without a function of their own."""
_MADE: Final = {"_vs": ("i", "k"), "_sv": ("k", "i"), "num_": ("a", "b")}
"""Names where functions are made by others, by the beginning or the end of the kernel's name."""
_SIMPLEITK: Final = "simpleitk."


def described_parameters(spec: KernelSpec) -> Iterator[str]:
    """Yield `name: type` for each parameter; those that may be left out are in brackets.

    The last one ends with `…` if it repeats.
    """
    signature = spec.signature
    overloads = None
    if signature.qualified.startswith(_SIMPLEITK):
        overloads = _overloads().get(signature.qualified.removeprefix(_SIMPLEITK))
    if overloads:
        longest = max(overloads, key=lambda each: each.maximum)
        for parameter in longest.parameters:
            text = f"{parameter.name}: {parameter.kind}"
            yield f"[{text}]" if parameter.optional else text
        return
    count = len(signature.parameters)
    names = _names(spec)
    for place, plain in enumerate(signature.parameters):
        found = plain
        for given in ((), (ANY,) * count):
            found = expected_type(signature, place, given) if found == ANY else found
        name = names[place] if place < len(names) else ""
        text = f"{name}: {found}" if name else found
        if signature.maximum is None and place == count - 1:
            text += ", …"
        yield f"[{text}]" if place >= signature.minimum else text


@cache
def _overloads() -> dict[str, tuple[Overload, ...]]:
    return load_functions()


def _names(spec: KernelSpec) -> Sequence[str]:
    """Return the names of a function's positional parameters, none if they are not known."""
    qualified = spec.signature.qualified
    if qualified in _OF_THE_ENGINE:
        return _OF_THE_ENGINE[qualified]
    if not isinstance(spec.implementation, str):
        try:
            return [name.rstrip("_") for name in inspect.signature(spec.implementation).parameters]
        except (TypeError, ValueError):
            return ()
    module, _, function = spec.implementation.partition(":")
    if module and (known := _functions(module).get(function)):
        return known
    name = qualified.rpartition(".")[2]
    return next(
        (names for part, names in _MADE.items() if name.startswith(part) or name.endswith(part)), ()
    )


@cache
def _functions(module: str) -> dict[str, Sequence[str]]:
    """Return the positional parameters of the functions of a module, which is not imported."""
    try:
        found = importlib.util.find_spec(module)
        tree = ast.parse(Path(found.origin or "").read_bytes()) if found is not None else None
    except (ImportError, OSError, SyntaxError, ValueError):
        return {}
    return {
        node.name: _parameters(node.args)
        for node in (tree.body if tree is not None else ())
        if isinstance(node, ast.FunctionDef)
    }


def _parameters(arguments: ast.arguments) -> list[str]:
    names = [each.arg for each in (*arguments.posonlyargs, *arguments.args)]
    if arguments.vararg is not None:
        names.append(arguments.vararg.arg)
    return [name.rstrip("_") for name in names]
