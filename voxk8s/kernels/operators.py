"""Which kernel an ImgQL operator stands for, by namespace.

Documents name kernels by words only; symbols belong to programs.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final


@dataclass(frozen=True, slots=True)
class Symbol:
    """The meaning of an operator.

    `kernel` is a qualified name; with `swapped` the right operand is the first argument.
    `operands` and `result` are words of the type system, as the program reads left to right.
    """

    kernel: str
    operands: tuple[str, ...]
    result: str
    swapped: bool = False


def _binary(kernel: str, left: str, right: str, result: str, *, swapped: bool = False) -> Symbol:
    return Symbol(kernel, (left, right), result, swapped)


_ARITHMETIC: Final = {
    "+": "addition",
    "-": "subtraction",
    "*": "multiplication",
    "/": "division",
}
_BY_KIND: Final = {
    "+": ("add", True),
    "*": ("mul", True),
    "-": ("sub", False),
    "/": ("div", False),
}
_COMPARISONS: Final = {
    "<": ("less", "lt"),
    "<=": ("less_equal", "leq"),
    ">": ("greater", "gt"),
    ">=": ("greater_equal", "geq"),
    "=": ("equal", "eq"),
}
_MIRRORED: Final = {"lt": "gt", "leq": "geq", "gt": "lt", "geq": "leq", "eq": "eq"}


def _default() -> dict[str, Symbol]:
    table = {
        sign: _binary(f"default.{word}", "any", "any", "any") for sign, word in _ARITHMETIC.items()
    }
    for sign, (word, _) in _COMPARISONS.items():
        if sign != "=":
            table[sign] = _binary(f"default.{word}", "any", "any", "bool")
    table["=="] = _binary("default.equal", "any", "any", "bool")
    table["!="] = _binary("default.not_equal", "any", "any", "bool")
    table["&&"] = _binary("default.both", "bool", "bool", "bool")
    table["||"] = _binary("default.either", "bool", "bool", "bool")
    return table


def _vox1() -> dict[str, Symbol]:
    table: dict[str, Symbol] = {}
    for sign, (word, commutes) in _BY_KIND.items():
        table[f"{sign}."] = _binary(f"vox1.{word}_vs", "image", "number", "image")
        table[f".{sign}"] = (
            _binary(f"vox1.{word}_vs", "number", "image", "image", swapped=True)
            if commutes
            else _binary(f"vox1.{word}_sv", "number", "image", "image")
        )
        table[f".{sign}."] = _binary(f"vox1.num_{word}", "number", "number", "number")
    for sign, (_, name) in _COMPARISONS.items():
        # The dot marks the number: `v .<= i` asks where v <= i, that is where i >= v.
        table[f".{sign}"] = _binary(f"vox1.{_MIRRORED[name]}_sv", "number", "image", "mask")
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
    """Give the operators that a namespace brings; empty if it brings none."""
    return _TABLES.get(namespace, MappingProxyType({}))
