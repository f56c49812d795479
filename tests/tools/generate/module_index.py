"""docs/modules.md: every module of the package with the first line of its docstring."""

from __future__ import annotations

import ast
from itertools import groupby
from pathlib import Path

from tests.support.paths import ROOT

_HEAD = """\
<!-- Made from the docstrings by `make generate`; do not edit. -->
# Modules

Every module of `voxk8s/` with the first line of its docstring.
[architecture.md](architecture.md) explains how they work together.
"""


def module_index() -> str:
    """Return the page: one section for each package, one line for each module."""
    files = sorted(
        (path for path in (ROOT / "voxk8s").rglob("*.py") if _is_listed(path)),
        key=lambda path: (path.parent, path.name),
    )
    sections = [_HEAD]
    for folder, modules in groupby(files, key=lambda path: path.parent):
        sections.append(f"\n## `{folder.relative_to(ROOT)}/`\n")
        package = folder / "__init__.py"
        sections.append(f"{_summary(package)}\n\n")
        sections.extend(f"- `{path.name}`: {_summary(path)}\n" for path in modules)
    return "".join(sections)


def _is_listed(path: Path) -> bool:
    return path.name == "__main__.py" or not path.name.startswith("__")


def _summary(path: Path) -> str:
    """Return the first paragraph of a module's docstring in one line."""
    text = ast.get_docstring(ast.parse(path.read_text("utf-8"))) or ""
    return " ".join(text.partition("\n\n")[0].split())
