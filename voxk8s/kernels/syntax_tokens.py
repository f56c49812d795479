"""A syntax tree as a sequence of texts: what it means, not how it is laid out.

Positions, docstrings, annotations, string prefixes and parentheses have no part in it. Fields that
are empty are left out, since later versions of Python add such: equal source gives equal tokens in
all of them.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from typing import Final

from voxk8s.kernels.source_code import FunctionNode

_IGNORED: Final = frozenset({"ctx", "kind", "returns", "annotation", "type_comment"})
_OF_DEFINITION: Final = frozenset({"decorator_list", "defaults", "kw_defaults"})
"""Evaluated when a function is defined."""


def tree_tokens(tree: ast.AST) -> Iterator[str]:
    """Return the tokens of a syntax tree."""
    return _tokens(tree, frozenset())


def function_tokens(tree: FunctionNode) -> Iterator[str]:
    """Return the tokens of a function that exists: without its decorators and default values."""
    return _tokens(tree, _OF_DEFINITION)


def _tokens(tree: object, left_out: frozenset[str]) -> Iterator[str]:
    if isinstance(tree, list):
        yield f"[{len(tree)}"
        for each in tree:
            yield from _tokens(each, frozenset())
    elif isinstance(tree, ast.AST):
        yield type(tree).__name__
        for name, value in ast.iter_fields(tree):
            if name in _IGNORED or name in left_out or value == []:
                continue
            if value is None and not isinstance(tree, ast.Constant):
                continue
            if name == "body" and isinstance(value, list):
                value = [each for each in value if not _is_docstring(each)]
            if isinstance(tree, ast.JoinedStr):
                # Some releases of Python 3.12 add them after a nested format.
                value = [each for each in value if not _is_empty_text(each)]
            yield f".{name}"
            yield from _tokens(value, left_out if isinstance(value, ast.arguments) else frozenset())
        yield "end"
    else:
        yield type(tree).__name__
        yield repr(tree)


def _is_docstring(statement: object) -> bool:
    return isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Constant)


def _is_empty_text(part: object) -> bool:
    return isinstance(part, ast.Constant) and part.value == ""
