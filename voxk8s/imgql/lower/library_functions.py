"""The functions of the libraries, made for one program when it refers to them."""

from __future__ import annotations

from collections.abc import Container, Iterator

from voxk8s.imgql.lower import libraries
from voxk8s.imgql.lower.ir import Function, declare
from voxk8s.imgql.syntax.syntax_tree import Define


class LibraryFunctions:
    """Functions of one program; most programs refer to few of the definitions."""

    def __init__(self) -> None:
        self._functions: dict[libraries.Place, Function] = {}
        self._definitions: dict[Function, Define] = {}

    def known(self, namespaces: Container[str]) -> Iterator[str]:
        """Yield the names that the libraries of some namespaces define."""
        for namespace in libraries.NAMESPACES:
            if namespace in namespaces:
                for _, define in libraries.definitions(namespace):
                    yield define.header.name.text

    def namespaces(self, name: str) -> list[str]:
        """Return the namespaces whose libraries define a name."""
        return [each.namespace for each in libraries.names().get(name, ())]

    def find(self, name: str) -> list[tuple[str, Function]]:
        """Return the functions that a name may refer to, each with its namespace."""
        found = libraries.names().get(name, ())
        return [(each.namespace, self._function(each)) for each in found]

    def definition(self, function: Function) -> Define | None:
        """Return the definition of a library's function, None for other functions."""
        return self._definitions.get(function)

    def _function(self, found: libraries.LibraryDefinition) -> Function:
        function = self._functions.get(found.place)
        if function is None:
            function = self._functions[found.place] = declare(found.source, found.define)
            self._definitions[function] = found.define
        return function
