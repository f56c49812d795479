"""The ImgQL files of this package: libraries of namespaces, and files that programs may import."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from pathlib import Path
from types import MappingProxyType
from typing import Final, NamedTuple, TypeAlias

from voxk8s.imgql.syntax import lexer, parser
from voxk8s.imgql.syntax.diagnostics import Diagnostics
from voxk8s.imgql.syntax.source_text import Source
from voxk8s.imgql.syntax.syntax_tree import Define

STANDARD: Final = "stdlib.imgql"
"""The library of the namespace `vox1`; programs may import it by this name too."""
_FOLDER: Final = Path(__file__).parents[1] / "library"
NAMESPACES: Final = {"vox1": STANDARD, "simpleitk": "simpleitk.imgql"}
"""The library of each namespace that has one."""
FILES: Final = frozenset({"RegionCalculus.imgql"})
"""Files that any program may import unless it has its own file of the same name."""


Place: TypeAlias = tuple[str, int]
"""A library's namespace, and the offset of a definition's name in its text."""


class LibraryDefinition(NamedTuple):
    """A definition of the library of a namespace."""

    namespace: str
    source: Source
    define: Define

    @property
    def place(self) -> Place:
        """What no other definition of a library has."""
        return self.namespace, self.define.header.name.start


def importable(namespace: str) -> str:
    """Return what a program imports for the library of a namespace."""
    return STANDARD if NAMESPACES[namespace] == STANDARD else namespace


def text(file: str) -> str:
    """Return the text of a library."""
    return (_FOLDER / file).read_text("utf-8")


@cache
def definitions(namespace: str) -> tuple[tuple[Source, Define], ...]:
    """Return the definitions of a namespace's library."""
    file = NAMESPACES[namespace]
    source = Source(file, text(file), library=True)
    diagnostics = Diagnostics()
    tokens = lexer.tokenize(source, diagnostics, lexer.suffixed_names(source.code))
    commands = parser.parse(source, tokens, diagnostics)
    diagnostics.raise_if_errors()
    return tuple((source, each) for each in commands if isinstance(each, Define))


@cache
def names() -> Mapping[str, tuple[LibraryDefinition, ...]]:
    """Return the definitions of all libraries by name, alone and with the namespace."""
    found: dict[str, tuple[LibraryDefinition, ...]] = {}
    for namespace in NAMESPACES:
        for source, define in definitions(namespace):
            bare = define.header.name.text
            for name in (bare, f"{namespace}.{bare}"):
                found[name] = (*found.get(name, ()), LibraryDefinition(namespace, source, define))
    return MappingProxyType(found)
