"""docs/kernels.md: everything that programs may call, with signatures and definitions."""

from __future__ import annotations

from itertools import groupby

from voxk8s.cli.kernel_help import Entry, definition_of, entries
from voxk8s.imgql.lower.global_scope import SHIPPED

_HEAD = """\
<!-- Made from the code by `make generate`; do not edit. -->
# Kernels

Everything that programs may call, by namespace; [language.md](language.md) describes the language.
Parameters in brackets may be left out, `…` stands for any number more. `voxk8s help NAME` shows the
same.
"""
_ONE_LINE = ("simpleitk",)
"""Namespaces whose kernels are defined elsewhere: a line for each."""


def kernel_reference() -> str:
    """Return the page: one section for each namespace, one for each name."""
    parts = [_HEAD]
    # Not what a test registered in this process.
    known = [each for each in entries() if each.namespace in ("default", *SHIPPED)]
    for namespace, found in groupby(known, key=lambda each: each.namespace):
        parts.append(f"\n## `{namespace}`\n\n")
        parts += [_line(each) if namespace in _ONE_LINE else _section(each) for each in found]
    return "".join(parts)


def _line(entry: Entry) -> str:
    return f"- `{entry.signature}`: {entry.text}\n"


def _section(entry: Entry) -> str:
    signs = ", ".join(f"`` {sign} ``" for sign in entry.operators if sign != entry.name)
    also = f" (operators {signs})" if signs else ""
    text = definition_of(entry)
    if entry.kind != "kernel":
        text = f"{entry.text}\n\n{_indented(text)}" if text != entry.text else _indented(text)
    return f"### `{entry.signature}`{also}\n\n{text}\n\n"


def _indented(code: str) -> str:
    return "\n".join(f"    {line}".rstrip() for line in code.splitlines())
