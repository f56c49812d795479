"""The names outside functions: definitions of the program, kernels, operators and libraries."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Final, Protocol, TypeAlias

import msgspec

from voxk8s.imgql.lower.ir import Function
from voxk8s.imgql.lower.libraries import importable
from voxk8s.imgql.lower.library_functions import LibraryFunctions
from voxk8s.imgql.types import ANY, clashes, expected_type
from voxk8s.plan.signature import KernelIndex, Role, Signature


class Symbol(Protocol):
    """The kernel of an operator.

    `kernel` is qualified; `operands` are the types of its one or two operands as the program reads;
    if `swapped`, the right operand is the kernel's first argument.
    """

    @property
    def kernel(self) -> str: ...  # noqa: D102
    @property
    def operands(self) -> tuple[str, ...]: ...  # noqa: D102
    @property
    def swapped(self) -> bool: ...  # noqa: D102


SymbolTable: TypeAlias = Callable[[str], Mapping[str, Symbol]]
"""Returns the operators of a namespace."""

_HIDDEN: Final = (Role.MAP, Role.FOLD, Role.SAVE)
"""Roles that programs use only by `for`, `fold` and `save`."""

_IMAGE_SIGNS: Final = {"==": "=", "&&": "&", "||": "|"}
"""Operators of numbers and truth values, and their counterparts for images."""

SHIPPED: Final = ("vox1", "strings", "arrays", "sequences", "simpleitk", "geom")
"""Namespaces of this package, in which names are looked up last, whether imported or not.

No name is in two of them.
"""
_TEST: Final = "test"
"""The namespace of kernels for tests, which comes after these where it is registered."""


class Definition(msgspec.Struct, frozen=True):
    """The function of a program or library, or the kernel, that a name refers to.

    `minimum` and `maximum` bound the number of arguments (None: any number). `rivals` are the
    kernels of other namespaces that the program has imported and that the name could mean too.
    `unimported` is the namespace where it was found if that is not imported.
    """

    name: str
    minimum: int
    maximum: int | None
    function: Function | None = None
    signature: Signature | None = None
    operator: str = ""
    swapped: bool = False
    operand_types: tuple[str, ...] = ()
    rivals: tuple[str, ...] = ()
    unimported: str = ""

    def accepts(self, count: int) -> bool:
        """Whether it can be applied to `count` arguments."""
        return self.minimum <= count and (self.maximum is None or count <= self.maximum)


def definition(function: Function) -> Definition:
    """Return the definition of a function of a program or library."""
    return Definition(function.name, function.parameters, function.parameters, function)


class GlobalScope:
    """All names outside functions, in the order in which they hide each other.

    A name refers to the definition before it in the program; else, in `default` and the imported
    namespaces, to a kernel, an operator, or a library's definition; else to a later definition of
    the program; else, as in versions of VoxLogicA that need no imports, to what one of the
    namespaces in `SHIPPED` has.
    """

    def __init__(
        self,
        index: KernelIndex,
        symbols: SymbolTable,
        imports: Sequence[str],
        library: LibraryFunctions,
    ) -> None:
        self.imports = tuple(imports)
        self._library = library
        self._index = index
        self._table = symbols
        self._shipped = tuple(each for each in (*SHIPPED, _TEST) if each not in self.imports)
        self._symbols = self._signs("default", *self.imports)
        self._shipped_symbols = self._signs(*self._shipped)
        self._defined: dict[str, tuple[list[int], list[Definition]]] = {}
        self._kernels: dict[str, Definition | None] = {}
        self._operators: dict[str, Definition | None] = {}
        self._library_definitions: dict[str, list[tuple[str, Definition]]] = {}
        self._shipped_definitions: dict[str, list[Definition]] = {}
        self._spelled: dict[str, str] = {}

    def define(self, order: int, definition: Definition) -> None:
        """Add a definition of the program; later ones have a higher `order`."""
        orders, found = self._defined.setdefault(definition.name, ([], []))
        orders.append(order)
        found.append(definition)

    def find(self, name: str, order: int, *, library: bool) -> Iterator[Definition]:
        """Yield what `name` may refer to in the definition number `order`, best first.

        `library`: the name is used in a library, which does not see definitions of programs.
        """
        orders, found = ((), ()) if library else self._defined.get(name, ((), ()))
        position = bisect_left(orders, order)
        yield from reversed(found[:position])
        kernel = self.kernel(name)
        if kernel is not None:
            yield kernel
        symbol = self._symbol(name)
        if symbol is not None:
            yield symbol
        for namespace, definition in self._in_libraries(name):
            if library or namespace in self.imports:
                yield definition
        for later, definition in zip(orders[position:], found[position:], strict=True):
            if later > order:
                yield definition
        yield from self._in_shipped(name)
        if position < len(orders) and orders[position] == order:
            yield found[position]

    def _in_shipped(self, name: str) -> list[Definition]:
        """Return what a name refers to in namespaces of this package that are not imported."""
        if name not in self._shipped_definitions:
            kernel = self._kernel(name, self._shipped)
            operator = self._operator(name, self._shipped_symbols.get(name))
            found = [
                (each.signature.qualified.rpartition(".")[0], each)
                for each in (kernel, operator)
                if each is not None and each.signature is not None
            ]
            found += [each for each in self._in_libraries(name) if each[0] in self._shipped]
            self._shipped_definitions[name] = [
                msgspec.structs.replace(definition, unimported=namespace)
                for namespace, definition in found
            ]
        return self._shipped_definitions[name]

    def _in_libraries(self, name: str) -> list[tuple[str, Definition]]:
        """Return what a name refers to in libraries, each with its namespace."""
        if name not in self._library_definitions:
            self._library_definitions[name] = [
                (namespace, definition(function))
                for namespace, function in self._library.find(name)
            ]
        return self._library_definitions[name]

    def kernel(self, name: str) -> Definition | None:
        """Return the kernel of a name in `default` or an import, None if there is none."""
        if name not in self._kernels:
            self._kernels[name] = self._kernel(name, self.imports)
        return self._kernels[name]

    def _kernel(self, name: str, namespaces: Sequence[str]) -> Definition | None:
        signature = self._index.find(name, namespaces)
        if signature is None or signature.role in _HIDDEN:
            return None
        named = [self._index.find(f"{each}.{name}", ()) for each in ("default", *namespaces)]
        rivals = {each.qualified for each in named if each is not None and "." not in name}
        return Definition(
            name,
            signature.minimum,
            signature.maximum,
            signature=signature,
            operator=self.spell(signature.qualified),
            rivals=tuple(sorted(rivals - {signature.qualified})),
        )

    def spell(self, qualified: str) -> str:
        """Return the shortest name by which a plan with these imports finds the kernel."""
        if qualified not in self._spelled:
            bare = qualified.rpartition(".")[2]
            found = self._index.find(bare, self.imports)
            same = found is not None and found.qualified == qualified
            self._spelled[qualified] = bare if same else qualified
        return self._spelled[qualified]

    def signature(self, qualified: str) -> Signature | None:
        """Return the signature of a kernel by its qualified name, hidden ones included."""
        return self._index.find(qualified, ())

    def operator(self, sign: str, namespace: str) -> Definition | None:
        """Return an operator of a namespace, imported or not, None if it has no such operator."""
        return self._operator(sign, self._table(namespace).get(sign))

    def _signs(self, *namespaces: str) -> dict[str, Symbol]:
        """Return the operators of namespaces; those of earlier ones hide those of later ones."""
        return {
            sign: symbol
            for namespace in reversed(namespaces)
            for sign, symbol in self._table(namespace).items()
        }

    def _symbol(self, name: str) -> Definition | None:
        if name not in self._operators:
            self._operators[name] = self._operator(name, self._symbols.get(name))
        return self._operators[name]

    def _operator(self, name: str, symbol: Symbol | None) -> Definition | None:
        signature = None if symbol is None else self.signature(symbol.kernel)
        if symbol is None or signature is None:
            return None
        count = len(symbol.operands)
        return Definition(
            name,
            count,
            count,
            signature=signature,
            operator=self.spell(signature.qualified),
            swapped=symbol.swapped,
            operand_types=symbol.operands,
        )

    def fitting(self, sign: str, value_types: Sequence[str]) -> list[str]:
        """Return the spellings of an operator, dotted or not, that fit operands of these types."""
        core = sign.strip(".")
        core = _IMAGE_SIGNS.get(core, core)
        return [
            spelling
            for spelling in (f"{core}.", f".{core}", f".{core}.", core)
            if spelling != sign and self._takes(spelling, value_types)
        ]

    def _takes(self, spelling: str, value_types: Sequence[str]) -> bool:
        symbol = self._symbols.get(spelling) or self._shipped_symbols.get(spelling)
        definition = self._operator(spelling, symbol)
        if (
            definition is None
            or definition.signature is None
            or len(definition.operand_types) != len(value_types)
        ):
            return False
        operand_types = definition.operand_types
        if set(operand_types) == {ANY}:
            operand_types = tuple(
                expected_type(definition.signature, place, value_types)
                for place in range(len(value_types))
            )
        return not any(map(clashes, operand_types, value_types))

    def known(self, name: str) -> Iterator[str]:
        """Yield every name that a misspelt `name` could have meant."""
        if "." in name.strip("."):
            yield from self._index.names()
        yield from self._symbols
        yield from self._shipped_symbols
        reachable = {"default", *self.imports, *self._shipped}
        yield from self._library.known(reachable)
        for qualified in self._index.names():
            namespace, _, bare = qualified.rpartition(".")
            if namespace in reachable:
                yield bare
        yield from reversed(self._defined)

    def load_errors(self) -> Sequence[str]:
        """Return which packages of kernels cannot be loaded, and why."""
        return self._index.load_errors()

    def homes(self, name: str) -> list[str]:
        """Return the namespaces or libraries to import for `name`."""
        homes = [
            qualified.rpartition(".")[0]
            for qualified in self._index.names()
            if qualified.rpartition(".")[2] == name and not qualified.startswith("voxk8s.")
        ]
        namespaces = {qualified.rpartition(".")[0] for qualified in self._index.names()}
        homes += [each for each in sorted(namespaces) if name in self._table(each)]
        homes += [importable(each) for each in self._library.namespaces(name)]
        return list(dict.fromkeys(homes))
