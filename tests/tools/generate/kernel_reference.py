"""docs/kernels.md: everything that programs may call, with signatures and definitions."""

from __future__ import annotations

from itertools import groupby

from tests.tools.generate.kernel_pictures import FOLDER, arguments, file_name
from voxk8s.cli import kernel_examples
from voxk8s.cli.kernel_examples import examples
from voxk8s.cli.kernel_help import Entry, definition_of, entries
from voxk8s.imgql.lower.global_scope import SHIPPED

_HEAD = """\
<!-- Made from the code by `make generate`; do not edit. -->
# Kernels

Everything that programs may call, by namespace; [language.md](language.md) describes the language.
Parameters in brackets may be left out, `…` stands for any number more. `voxk8s help NAME` shows the
same.

Each has an example, which a test runs. The pictures show the images that the example takes, and the
one that it returns: masks in black and white, labels in colours, vectors by their length. The
examples use these definitions:

```
{definitions}
```
"""
_ONE_LINE = ("simpleitk",)
"""Namespaces whose kernels are defined elsewhere: a row for each."""
_TABLE = "| call | example | |\n|---|---|---|\n"


def kernel_reference() -> str:
    """Return the page: one section for each namespace, one for each name."""
    parts = [_HEAD.format(definitions=kernel_examples.definitions().strip())]
    # Not what a test registered in this process.
    known = [each for each in entries() if each.namespace in ("default", *SHIPPED)]
    for namespace, found in groupby(known, key=lambda each: each.namespace):
        parts.append(f"\n## `{namespace}`\n\n")
        if namespace in _ONE_LINE:
            parts += [_TABLE, *map(_row, found)]
        else:
            parts += map(_section, found)
    return "".join(parts)


def _row(entry: Entry) -> str:
    cells = [f"`{entry.signature}`", f"`{examples()[entry.qualified].expression}`", _result(entry)]
    if entry.text != f"SimpleITK's {entry.name}":
        cells[0] += f" {entry.text}"
    return f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in cells)} |\n"


def _result(entry: Entry) -> str:
    """Return what the example gives: a value or a picture."""
    example = examples()[entry.qualified]
    if example.value:
        return f"`{example.value}`"
    shown = ", ".join([*arguments(example), "result"])
    return f"![{shown}]({FOLDER.relative_to('docs')}/{file_name(entry.qualified)})"


def _section(entry: Entry) -> str:
    signs = ", ".join(f"`` {sign} ``" for sign in entry.operators if sign != entry.name)
    also = f" (operators {signs})" if signs else ""
    text = definition_of(entry)
    if entry.kind != "kernel":
        text = f"{entry.text}\n\n{_indented(text)}" if text != entry.text else _indented(text)
    example = examples()[entry.qualified]
    result = f"is {_result(entry)}" if example.value else f"\n\n{_result(entry)}"
    text += f"\n\nExample: `` {example.expression} `` {result}".rstrip()
    return f"### `{entry.signature}`{also}\n\n{text}\n\n"


def _indented(code: str) -> str:
    return "\n".join(f"    {line}".rstrip() for line in code.splitlines())
