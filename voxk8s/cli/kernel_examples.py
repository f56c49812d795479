"""The examples of kernels and library functions: one program, from which each takes its lines."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from importlib import resources
from types import MappingProxyType
from typing import Final

from voxk8s.kernels import registry

_COMMAND: Final = re.compile(
    r'(?P<command>(?:print|save) "(?P<name>.+?)(?P<suffix>\.nii\.gz|\.png|)" (?P<expression>.*?))'
    r"(?:  // (?P<value>.*))?"
)
_DEFINITION: Final = re.compile(r"let (\w+) = (.*)")
_IMPORT: Final = re.compile(r'import "(\w+)"')
_WORD: Final = re.compile(r"\w+")
_STRING: Final = re.compile(r'"[^"]*"')


@dataclass(frozen=True, slots=True)
class Example:
    """How a kernel is called.

    `command` is a goal of ImgQL, `expression` what it asks for, and `value` that in one line; empty
    for an image, which is saved. `uses` are the definitions before it that it needs, by name and
    in their order, and `imports` the namespaces.
    """

    command: str
    expression: str
    value: str
    uses: Mapping[str, str]
    imports: tuple[str, ...]

    def program(self) -> str:
        """Return a whole program, with the value as a comment."""
        lines = [f'import "{each}"' for each in self.imports]
        lines += [f"let {name} = {definition}" for name, definition in self.uses.items()]
        return "\n".join([*lines, self.command + (f"  // {self.value}" if self.value else "")])


def text() -> str:
    """Return the program that has all examples."""
    return (resources.files("voxk8s.cli") / "kernel_examples.imgql").read_text("utf-8")


def definitions() -> str:
    """Return the definitions that the examples use, as a program."""
    lines = [line for line in text().splitlines() if _DEFINITION.fullmatch(line)]
    return "\n".join(lines) + "\n"


@cache
def examples() -> Mapping[str, Example]:
    """Return the examples by the qualified names of what they show."""
    lines = text().splitlines()
    values = {match[1]: match[2] for match in map(_DEFINITION.fullmatch, lines) if match}
    namespaces = tuple(match[1] for match in map(_IMPORT.fullmatch, lines) if match)
    homes = {name: space for space, _, name in (each.partition(".") for each in registry().names())}
    found: dict[str, Example] = {}
    for match in filter(None, map(_COMMAND.fullmatch, lines)):
        needed = set(_needed(match["expression"], values))
        uses = {name: value for name, value in values.items() if name in needed}
        own = match["name"].partition(".")[0]
        called = {homes.get(word) for code in uses.values() for word in _words(code)}
        # Operators on images are those of vox1.
        called |= {own, "vox1"} if uses else {own}
        imports = tuple(each for each in namespaces if each in called)
        found[match["name"]] = Example(
            match["command"], match["expression"], match["value"] or "", uses, imports
        )
    return MappingProxyType(found)


def _needed(expression: str, values: Mapping[str, str]) -> Iterator[str]:
    """Yield the names of definitions that an expression uses, also through others."""
    for word in _words(expression):
        if word in values:
            yield word
            yield from _needed(values[word], values)


def _words(code: str) -> list[str]:
    """Return the names in code, without what is in strings."""
    return _WORD.findall(_STRING.sub("", code))
