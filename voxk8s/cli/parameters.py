"""Programs with the values of their parameters, and warnings about unused values."""

from __future__ import annotations

import re
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Self

_PARAMETER = re.compile(r"\$(\w+)")


@dataclass(frozen=True, slots=True)
class Program:
    """A program before compilation; `read_file` reads its imports."""

    text: str
    name: str
    parameters: Mapping[str, str]
    read_file: Callable[[str], str]


class ParameterWarnings:
    """Prints a warning for every value that the program does not use, also after an error."""

    def __init__(self, program: Program, *, quiet: bool) -> None:
        """Watch the compilation of `program`; print nothing if `quiet`."""
        self._given = program.parameters
        self._read = program.read_file
        self._quiet = quiet
        self._asked = set(_PARAMETER.findall(program.text))

    def read_file(self, name: str) -> str:
        """Read an imported file and collect its parameters."""
        text = self._read(name)
        self._asked.update(_PARAMETER.findall(text))
        return text

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        if self._quiet:
            return
        if self._asked.issuperset(self._given):
            return
        # Imported here: most calls have no unused values.
        from voxk8s.imgql.syntax.prefix_table import PrefixTable
        from voxk8s.plan.suggest import suggest

        table = PrefixTable(self._given)
        taken = {table.longest(word) for word in self._asked}
        for name in self._given:
            if name not in taken:
                hint = suggest(name, sorted(self._asked))
                print(f"voxk8s: warning: no ${name} in the program{hint}", file=sys.stderr)
