"""The infix and prefix operators of ImgQL, by namespace, and the kernels they call.

Plan documents refer to kernels by name only; operators exist in programs. The class of an operator
is called `Symbol`, since the word "operator" by itself is used for the Kubernetes operator.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final


@dataclass(frozen=True, slots=True)
class Symbol:
    """An operator of ImgQL.

    `kernel` is the qualified name of the kernel that it calls. `operands` and `result` are types,
    those of the operands in the order of the program; if `swapped`, the right operand is the first
    argument of the kernel.
    """

    kernel: str
    operands: tuple[str, ...]
    result: str
    swapped: bool = False


def _binary(kernel: str, left: str, right: str, result: str, *, swapped: bool = False) -> Symbol:
    return Symbol(kernel, (left, right), result, swapped)


_ARITHMETIC: Final = {
    "+": ("addition", "add"),
    "-": ("subtraction", "sub"),
    "*": ("multiplication", "mul"),
    "/": ("division", "div"),
}
"""Names of kernels in `default` and, in part, in `vox1`, by their sign."""
_COMMUTATIVE: Final = ("+", "*")
_COMPARISONS: Final = {
    "<": ("less", "lt", "gt"),
    "<=": ("less_equal", "leq", "geq"),
    ">": ("greater", "gt", "lt"),
    ">=": ("greater_equal", "geq", "leq"),
    "=": ("equal", "eq", "eq"),
}
"""Names of kernels as in `_ARITHMETIC`, and of the comparison with its operands swapped."""


def _default() -> dict[str, Symbol]:
    table = {
        sign: _binary(f"default.{name}", "any", "any", "any")
        for sign, (name, _) in _ARITHMETIC.items()
    }
    for sign, (name, *_) in _COMPARISONS.items():
        if sign != "=":
            table[sign] = _binary(f"default.{name}", "any", "any", "bool")
    table["=="] = _binary("default.equal", "any", "any", "bool")
    table["!="] = _binary("default.not_equal", "any", "any", "bool")
    table["&&"] = _binary("default.both", "bool", "bool", "bool")
    table["||"] = _binary("default.either", "bool", "bool", "bool")
    return table


def _vox1() -> dict[str, Symbol]:
    table: dict[str, Symbol] = {}
    for sign, (_, name) in _ARITHMETIC.items():
        table[f"{sign}."] = _binary(f"vox1.{name}_vs", "image", "number", "image")
        table[f".{sign}"] = (
            _binary(f"vox1.{name}_vs", "number", "image", "image", swapped=True)
            if sign in _COMMUTATIVE
            else _binary(f"vox1.{name}_sv", "number", "image", "image")
        )
        table[f".{sign}."] = _binary(f"vox1.num_{name}", "number", "number", "number")
    for sign, (_, name, swapped) in _COMPARISONS.items():
        # The dot is on the side of the number: `v .<= i` is v <= i, which is i >= v.
        table[f".{sign}"] = _binary(f"vox1.{swapped}_sv", "number", "image", "mask")
        table[f"{sign}."] = _binary(f"vox1.{name}_sv", "image", "number", "mask", swapped=True)
        table[f".{sign}."] = _binary(f"vox1.num_{name}", "number", "number", "bool")
    table["&"] = _binary("vox1.and", "mask", "mask", "mask")
    table["|"] = _binary("vox1.or", "mask", "mask", "mask")
    table["\\"] = _binary("vox1.diff", "mask", "mask", "mask")
    table["~>"] = _binary("vox1.through", "mask", "mask", "mask", swapped=True)
    table[".&."] = _binary("vox1.bool_and_scalar", "bool", "bool", "bool")
    table[".|."] = _binary("vox1.bool_or_scalar", "bool", "bool", "bool")
    table["!"] = Symbol("vox1.not", ("mask",), "mask")
    table["!."] = Symbol("vox1.bool_not_scalar", ("bool",), "bool")
    return table


_TABLES: Final[Mapping[str, Mapping[str, Symbol]]] = MappingProxyType(
    {"default": MappingProxyType(_default()), "vox1": MappingProxyType(_vox1())}
)


def symbols(namespace: str) -> Mapping[str, Symbol]:
    """Return the operators of a namespace; empty if it has none."""
    return _TABLES.get(namespace, MappingProxyType({}))
