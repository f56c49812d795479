"""Finds the syntax tree of code that is loaded, and checks that it is the tree of that very code.

A file may have been edited since it was imported, and a notebook cell may have been replaced: so
the text is compiled again, and only a tree whose code is equal to the loaded code is returned.
Statements of a module cannot be compared with what they have done: their text is read when a kernel
that may use them is declared, and again only if the module is loaded again.
"""

from __future__ import annotations
import __future__

import ast
import linecache
import weakref
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from importlib.machinery import ModuleSpec
from types import CodeType, FunctionType
from typing import Final, TypeAlias

from voxk8s.kernels.own_modules import module_space

FunctionNode: TypeAlias = ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda

_FUTURES: Final = sum(
    {getattr(__future__, name).compiler_flag for name in __future__.all_feature_names}
)
_DEFINITIONS: Final = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)


@dataclass(frozen=True, slots=True)
class _Text:
    """A text with its syntax tree, and the code and the trees of its functions by their names."""

    text: str
    tree: ast.Module = field(default_factory=lambda: ast.Module([], []))
    codes: Mapping[str, Sequence[CodeType]] = field(default_factory=dict)
    nodes: Mapping[tuple[int, str], Sequence[FunctionNode]] = field(default_factory=dict)

    def function(self, code: CodeType) -> FunctionNode | None:
        """Return the tree of a function with this code; None if there is none, or several."""
        for candidate in self.codes.get(code.co_qualname, ()):
            if _is_same(candidate, code):
                found = self.nodes.get((candidate.co_firstlineno, candidate.co_name), ())
                return found[0] if len(found) == 1 else None
        return None


_loaded: Final[dict[int, str]] = {}
"""Texts of modules by the identity of their specs, of which each load has a new one."""
_remembered: Final[dict[str, str]] = {}
"""The last texts that were read, by file name: of notebook cells, which have no spec."""


def remember_modules(names: Iterable[str]) -> None:
    """Read the texts of loaded modules now, as far as that was not done since they were loaded."""
    for name in names:
        space = module_space(name)
        spec = space.get("__spec__")
        if isinstance(spec, ModuleSpec) and id(spec) not in _loaded:
            _remember(spec, space)


def remember_source(function: object) -> None:
    """Read the file of a function now, while its text is that of the code that is being loaded."""
    code = getattr(function, "__code__", None)
    if isinstance(code, CodeType):
        _remembered[code.co_filename] = _read(
            code.co_filename, getattr(function, "__globals__", {})
        )


def function_source(function: FunctionType) -> FunctionNode | None:
    """Return the syntax tree of a function or lambda; None without the text of its very code."""
    code, space = function.__code__, function.__globals__
    file, flags = code.co_filename, code.co_flags & _FUTURES
    for text in (
        _loaded_text(space) if space.get("__file__") == file else "",
        _remembered.get(file),
    ):
        found = _parse(file, text, flags).function(code) if text else None
        if found is not None:
            return found
    # Not read yet, or loaded again since then.
    _remembered[file] = _read(file, space)
    return _parse(file, _remembered[file], flags).function(code)


def statements_about(name: str, space: Mapping[str, object]) -> list[ast.stmt] | None:
    """Return the statements of a module that mention a name, definitions left out.

    `space` are the module's globals. None if the module's text cannot be read, or for `__main__`,
    whose names may be defined anywhere.
    """
    file = space.get("__file__")
    if not isinstance(file, str) or space.get("__name__") == "__main__":
        return None
    text = _loaded_text(space) or _remembered.get(file) or _read(file, space)
    return [
        statement
        for statement in _parse(file, text, 0).tree.body
        if not isinstance(statement, _DEFINITIONS) and name in names_in(statement)
    ] or None


def fillers_of(name: str, space: Mapping[str, object]) -> tuple[list[str], list[ast.stmt]]:
    """Return what a module calls while it is loaded that mentions a name, directly or by calls.

    The names of functions and classes, and the statements with their calls: they may have put into
    a table what no statement about it shows. `space` are the module's globals. What is called below
    `if __name__ == "__main__"` is left out.
    """
    file = space.get("__file__")
    if not isinstance(file, str) or space.get("__name__") == "__main__":
        return [], []
    text = _loaded_text(space) or _remembered.get(file) or _read(file, space)
    called, statements = _calls_of_load(file, text)
    found: set[str] = set()
    wanted = {name}
    while wanted:
        new = {each for each, names in called.items() if names & wanted} - found - {name}
        found |= new
        wanted = new
    return sorted(found), [each for each in statements if found & _called_in(each)]


@lru_cache(maxsize=256)
def _calls_of_load(file: str, text: str) -> tuple[Mapping[str, frozenset[str]], Sequence[ast.stmt]]:
    """Return the definitions that a module calls while it is loaded, with the names in each.

    Also the statements that are executed then.
    """
    body = _parse(file, text, 0).tree.body
    definitions = {each.name: each for each in body if isinstance(each, _DEFINITIONS)}
    statements = [
        each
        for each in body
        if not isinstance(each, _DEFINITIONS)
        and not (isinstance(each, ast.If) and "__name__" in names_in(each.test))
    ]
    todo: list[ast.AST] = [*statements]
    for definition in definitions.values():
        todo += (ast.Call(each, [], []) for each in definition.decorator_list)
    called: dict[str, frozenset[str]] = {}
    while todo:
        for each in sorted(_called_in(todo.pop()) & definitions.keys() - called.keys()):
            called[each] = frozenset(names_in(definitions[each]))
            todo.append(definitions[each])
    return called, statements


def _called_in(tree: ast.AST) -> set[str]:
    """Return the names of what is called in a tree."""
    calls = [node for node in ast.walk(tree) if isinstance(node, ast.Call)]
    return {name for call in calls for name in names_in(call.func)}


def names_of_annotations(tree: ast.AST) -> set[str]:
    """Return the names that only annotations in a tree use."""
    inside: set[int] = set()
    for node in ast.walk(tree):
        for each in (getattr(node, "annotation", None), getattr(node, "returns", None)):
            if isinstance(each, ast.AST):
                inside |= {id(name) for name in ast.walk(each) if isinstance(name, ast.Name)}
    names = [node for node in ast.walk(tree) if isinstance(node, ast.Name)]
    others = {name.id for name in names if id(name) not in inside}
    return {name.id for name in names if id(name) in inside} - others


def names_in(statement: ast.AST) -> set[str]:
    """Return the names that a statement uses, binds or imports."""
    found: set[str] = set()
    for node in ast.walk(statement):
        if isinstance(node, ast.Name):
            found.add(node.id)
        elif isinstance(node, ast.alias):
            found.add((node.asname or node.name).partition(".")[0])
    return found


def _loaded_text(space: Mapping[str, object]) -> str:
    """Return the text from which a module was loaded; empty if that cannot be known."""
    spec = space.get("__spec__")
    if not isinstance(spec, ModuleSpec):
        return ""
    if id(spec) not in _loaded:
        _remember(spec, space)
    return _loaded[id(spec)]


def _remember(spec: ModuleSpec, space: Mapping[str, object]) -> None:
    file = space.get("__file__")
    _loaded[id(spec)] = _read(file, space) if isinstance(file, str) else ""
    weakref.finalize(spec, _loaded.pop, id(spec), None).atexit = False


def _read(file: str, space: object) -> str:
    linecache.checkcache(file)
    return "".join(linecache.getlines(file, space if isinstance(space, dict) else None))


@lru_cache(maxsize=256)
def _parse(file: str, text: str, flags: int) -> _Text:
    if not text:
        return _Text(text)
    flags |= ast.PyCF_ALLOW_TOP_LEVEL_AWAIT  # which notebooks have
    try:
        tree = ast.parse(text, file)
        code = compile(text, file, "exec", flags, dont_inherit=True)
    except (SyntaxError, ValueError, RecursionError):
        return _Text(text)
    codes: dict[str, list[CodeType]] = {}
    for each in _codes_in(code):
        codes.setdefault(each.co_qualname, []).append(each)
    nodes: dict[tuple[int, str], list[FunctionNode]] = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.Lambda):
            nodes.setdefault((node.lineno, "<lambda>"), []).append(node)
        elif isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            first = min([node.lineno, *(each.lineno for each in node.decorator_list)])
            nodes.setdefault((first, node.name), []).append(node)
    return _Text(text, tree, codes, nodes)


def _codes_in(code: CodeType) -> Iterator[CodeType]:
    for constant in code.co_consts:
        if isinstance(constant, CodeType):
            yield constant
            yield from _codes_in(constant)


def _is_same(one: CodeType, other: CodeType) -> bool:
    """Whether two codes do the same, wherever they are in their files."""
    return (
        one.co_code == other.co_code
        and one.co_exceptiontable == other.co_exceptiontable
        and one.co_flags == other.co_flags
        and one.co_argcount == other.co_argcount
        and one.co_posonlyargcount == other.co_posonlyargcount
        and one.co_kwonlyargcount == other.co_kwonlyargcount
        and one.co_names == other.co_names
        and one.co_varnames == other.co_varnames
        and one.co_freevars == other.co_freevars
        and one.co_cellvars == other.co_cellvars
        and len(one.co_consts) == len(other.co_consts)
        and all(map(_is_same_constant, one.co_consts, other.co_consts))
    )


def _is_same_constant(one: object, other: object) -> bool:
    if type(one) is not type(other):
        return False
    if isinstance(one, CodeType) and isinstance(other, CodeType):
        return _is_same(one, other)
    if isinstance(one, tuple) and isinstance(other, tuple):
        return len(one) == len(other) and all(map(_is_same_constant, one, other))
    return one == other and (isinstance(one, frozenset) or repr(one) == repr(other))
