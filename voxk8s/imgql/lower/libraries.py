"""The ImgQL texts of this package: what namespaces bring beside kernels, and files to import."""

from __future__ import annotations

from functools import cache
from importlib import resources
from typing import Final

from voxk8s.imgql.syntax import lexer, parser
from voxk8s.imgql.syntax.diagnostics import Diagnostics
from voxk8s.imgql.syntax.source_text import Source
from voxk8s.imgql.syntax.syntax_tree import Define

STANDARD: Final = "stdlib.imgql"
"""The library of the namespace `vox1`, which programs may import by this name, too."""
NAMESPACES: Final = {"vox1": STANDARD, "simpleitk": "simpleitk.imgql"}
"""Libraries that come with a namespace."""
FILES: Final = frozenset({"RegionCalculus.imgql"})
"""Files that any program may import, unless it has its own of this name."""


def importable(namespace: str) -> str:
    """Give what a program imports to have the library of a namespace."""
    return STANDARD if NAMESPACES[namespace] == STANDARD else namespace


def text(file: str) -> str:
    """Give the text of a library."""
    return (resources.files("voxk8s.imgql") / "library" / file).read_text("utf-8")


@cache
def definitions(namespace: str) -> tuple[tuple[Source, Define], ...]:
    """Give the definitions that a namespace brings."""
    file = NAMESPACES[namespace]
    source = Source(file, text(file), library=True)
    diagnostics = Diagnostics()
    tokens = lexer.tokenize(source, diagnostics, lexer.suffixed_names(source.code))
    commands = parser.parse(source, tokens, diagnostics)
    diagnostics.check()
    return tuple((source, each) for each in commands if isinstance(each, Define))
