"""What is said of a name: signatures and definitions, as Markdown."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache

from voxk8s.cli.kernel_help import Entry, definition_of, entries
from voxk8s.cli.language_server.document import Document
from voxk8s.imgql import NameUse


@cache
def known() -> Sequence[Entry]:
    """Return all kernels, functions of libraries and operators."""
    return tuple(entries())


def entry_of(use: NameUse) -> Entry | None:
    """Return the entry of a kernel, or of a definition of a library of this package."""
    if use.kernel:
        return next((each for each in known() if each.qualified == use.kernel), None)
    if use.declared is not None and use.declared.library:
        name = use.name.rpartition(".")[2] if use.name[:1].isalpha() else use.name
        return next((each for each in known() if each.name == name and each.kind != "kernel"), None)
    return None


def describe(use: NameUse, document: Document) -> str:
    """Return what is known of a name."""
    entry = entry_of(use)
    if entry is not None:
        return entry_text(entry)
    declared = use.declared
    if declared is None:
        return _code(use.name)
    lines = document.texts.get(declared.file, "").split("\n")
    line = lines[declared.line - 1].strip() if declared.line <= len(lines) else use.name
    where = "" if declared.file == document.name else f"\n\n{declared.file}:{declared.line}"
    if use.kind == "variable":
        return f"{_code(use.name)}\n\ndeclared on line {declared.line}:\n\n{_code(line)}"
    comment: list[str] = []
    for before in reversed(lines[: declared.line - 1]):
        if not before.lstrip().startswith("//"):
            break
        comment.insert(0, before.lstrip().lstrip("/").strip())
    text = "\n".join(comment)
    return "\n\n".join(part for part in (_code(line), text) if part) + where


def entry_text(entry: Entry) -> str:
    """Return signature, operators and definition of an entry."""
    signs = f"\n\noperator: {' '.join(f'`{each}`' for each in entry.operators)}"
    text = definition_of(entry)
    shown = text if entry.kind == "kernel" else f"{entry.text}\n\n{_code(text)}"
    called = _code(entry.signature)
    return f"{called}\n\n{shown}{signs if entry.operators else ''}\n\n*{entry.namespace}*"


def _code(text: str) -> str:
    return f"```imgql\n{text}\n```"
