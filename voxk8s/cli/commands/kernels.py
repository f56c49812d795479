"""`voxk8s kernels` and `voxk8s help`: list what programs may call, or explain one name."""

from __future__ import annotations

import argparse
import sys

from voxk8s.cli.kernel_examples import examples
from voxk8s.cli.kernel_help import Entry, definition_of, entries, matching
from voxk8s.cli.run_output import dump
from voxk8s.describe import Json, one_line
from voxk8s.plan.suggest import nearest

_WIDTH = 44


def run(arguments: argparse.Namespace) -> int:
    """Print all kernels, those of a pattern, or everything about one name."""
    known = entries()
    pattern = arguments.pattern
    found = matching(pattern, known) if pattern else known
    if not found:
        near = nearest(pattern, [each.name for each in known])
        hint = f"did you mean {near}?" if near else "voxk8s kernels lists all"
        print(f"voxk8s: nothing is called {one_line(pattern)}; {hint}", file=sys.stderr)
        return 1
    exact = [
        each
        for each in found
        if pattern in (each.name, each.qualified) or pattern in each.operators
    ]
    if arguments.json:
        print(dump([_json(each, whole=bool(exact)) for each in found]))
    elif exact:
        print("\n\n".join(map(_page, exact)))
    else:
        print("\n".join(map(_line, found)))
    return 0


def _line(entry: Entry) -> str:
    call = f"{entry.namespace}.{entry.signature}"
    gap = " " * max(1, _WIDTH - len(call))
    return f"{call}{gap} {one_line(entry.text)}"


def _page(entry: Entry) -> str:
    lines = [f"{entry.signature}", f"  {entry.kind} of {entry.namespace}"]
    if entry.kind != "operator" and entry.operators:
        lines.append(f"  operators: {'  '.join(entry.operators)}")
    lines += ["", *(f"  {line}".rstrip() for line in _definition(entry).splitlines())]
    if entry.qualified in examples():
        program = examples()[entry.qualified].program()
        lines += ["", "  Example:", *(f"    {line}" for line in program.splitlines())]
    return "\n".join(lines)


def _definition(entry: Entry) -> str:
    text = definition_of(entry)
    if entry.kind == "kernel" or text == entry.text:
        return text
    return f"{entry.text}\n\n{text}"


def _json(entry: Entry, *, whole: bool) -> dict[str, Json]:
    fields: dict[str, Json] = {
        "name": entry.qualified,
        "kind": entry.kind,
        "signature": entry.signature,
        "operators": [*entry.operators],
        "text": entry.text,
    }
    if not whole:
        return fields
    example = examples().get(entry.qualified)
    return {
        **fields,
        "definition": definition_of(entry),
        "example": example.program() if example else None,
    }
