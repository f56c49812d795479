"""Renames what a program defines, if the program means the same afterwards."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Final

from voxk8s.cli.language_server.document import Document, analyse
from voxk8s.errors import InvalidUsage
from voxk8s.imgql import NamePlace, NameUse
from voxk8s.imgql.syntax.grammar import KEYWORDS, WORD

_NEW_NAME: Final = re.compile(WORD)


def check_renamable(document: Document, use: NameUse | None) -> NameUse:
    """Return a name of this program; raises InvalidUsage for any other."""
    if use is None:
        raise InvalidUsage("there is no name here that can be renamed")
    if use.kernel:
        raise InvalidUsage(f"{use.name} is a kernel of voxk8s ({use.kernel})")
    declared = use.declared
    if declared is None or declared.library:
        raise InvalidUsage(f"{use.name} is defined in a library of voxk8s")
    if declared.file != document.name:
        raise InvalidUsage(f"{use.name} is defined in {declared.file}: rename it there")
    if not use.name.isidentifier():
        raise InvalidUsage(f"{use.name} is an operator, or its name has a parameter in it")
    return use


def renamed(
    document: Document,
    use: NameUse | None,
    new: str,
    read_file: Callable[[str], str],
    values: Mapping[str, str],
) -> list[NamePlace]:
    """Return the places in which the new name is to be written.

    Raises InvalidUsage for what is no name, and where a name would then refer to something else.
    """
    use = check_renamable(document, use)
    if _NEW_NAME.fullmatch(new) is None or new in KEYWORDS:
        raise InvalidUsage(f"expected letters, digits and _ that are no keyword, found {new!r}")
    places = [each.place for each in document.uses_of(use) if each.place.file == document.name]
    lines = document.text.split("\n")
    for place in places:
        start = place.column - 1
        if lines[place.line - 1][start : start + place.length] != use.name:
            raise InvalidUsage(f"{use.name} comes from a parameter on line {place.line}")
    for place in sorted(places, reverse=True):
        line, start = lines[place.line - 1], place.column - 1
        lines[place.line - 1] = line[:start] + new + line[start + place.length :]
    after = analyse(document.name, "\n".join(lines), read_file, values)
    if _meaning(after) != _meaning(document) or _errors(after) > _errors(document):
        raise InvalidUsage(
            f"{new} already means something here: names would refer to other definitions"
        )
    return places


def _errors(document: Document) -> int:
    return sum(each.severity == "error" for each in document.problems)


def _meaning(document: Document) -> list[object]:
    """Return what each name of the text refers to: a kernel, or the number of its declaration."""
    numbers = {use.place: number for number, use in enumerate(document.names)}
    return [
        use.kernel or (numbers.get(use.declared, use.declared) if use.declared else None)
        for use in document.names
    ]
