"""The digest of a kernel's code: of its function, and of all that it calls in its own package.

It covers the functions, classes and constants that are reached by global names, closures, defaults
and attributes of the package's own modules. Of other packages only names count: a kernel declares
them as `libraries`. Source is taken as a syntax tree, so comments, docstrings, layout, annotations
and the minor version of Python do not matter; where there is none (a plain interactive session,
`exec`), the byte code counts, which differs between minor versions of Python.

Constants count by value where they cannot change (numbers, texts, tuples). In modules, everything
else counts by the statements that mention it, so that a cache that a function fills does not change
the digest, by what the module calls to fill it while it is loaded, and by the functions that it
holds; in `__main__`, whose cells have no such text, by value as far as possible. Names that code
makes up at run time (`globals()[name]`, `getattr`) are not followed.
"""

from __future__ import annotations

import ast
import dis
import enum
import functools
import hashlib
import importlib
import importlib.util
import re
import sys
import types
from collections import deque
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from pathlib import PurePath
from typing import Final

from voxk8s.kernels.held_code import (
    attributes_of,
    content_of,
    importable_name,
    is_code,
    pickled,
    referred_code,
    wrapped_function,
)
from voxk8s.kernels.source_code import (
    fillers_of,
    function_source,
    names_in,
    names_of_annotations,
    statements_about,
)
from voxk8s.kernels.syntax_tokens import function_tokens, tree_tokens

_PLAIN: Final = (type(None), bool, int, float, complex, str, bytes, type(Ellipsis))
_IGNORED_MEMBERS: Final = frozenset(
    {
        *("__module__", "__qualname__", "__dict__", "__weakref__", "__doc__", "__annotations__"),
        *("__annotate__", "__annotate_func__", "__annotations_cache__", "__static_attributes__"),
        *("__firstlineno__", "__dataclass_params__", "__dataclass_fields__", "__match_args__"),
        *("__abstractmethods__", "_abc_impl", "__parameters__", "__orig_bases__"),
    }
)
_GENERATED: Final = frozenset(
    {
        *("__init__", "__repr__", "__eq__", "__lt__", "__le__", "__gt__", "__ge__", "__hash__"),
        *("__setattr__", "__delattr__", "__new__", "__getnewargs__", "__getstate__"),
        *("__setstate__", "__replace__", "_make", "_replace", "_asdict"),
    }
)
"""Methods that dataclasses and named tuples generate from their fields."""
_DESCRIPTORS: Final = ("member_descriptor", "getset_descriptor", "_tuplegetter")
"""Types of attributes that only give access to a slot or an item."""


def code_digest(function: Callable[..., object], is_own: Callable[[str], bool]) -> str:
    """Return the SHA-256 of a kernel's code; `is_own` says whether a module's code counts."""
    walk = _Walk(is_own)
    walk.value(function)
    return walk.digest()


class _Walk:
    """Feeds everything that is reached into one hash, each object once."""

    def __init__(self, is_own: Callable[[str], bool]) -> None:
        self._is_own = is_own
        self._hash = hashlib.sha256()
        self._seen: dict[int, int] = {}
        self._later: deque[types.FunctionType | type] = deque()
        self._alive: list[object] = []
        self._statements: set[tuple[int, str]] = set()

    def digest(self) -> str:
        """Return the hexadecimal digest of all that was fed."""
        while self._later:
            self._code(self._later.popleft())
        return self._hash.hexdigest()

    def _feed(self, *parts: object) -> None:
        for part in parts:
            data = str(part).encode("utf-8", "surrogatepass")
            self._hash.update(b"%d:" % len(data))
            self._hash.update(data)

    # --- values -------------------------------------------------------------------------------

    def value(self, value: object) -> None:
        """Feed a value: a constant, or code."""
        if type(value) in _PLAIN:
            self._feed(type(value).__name__, repr(value))
            return
        if _is_constant(value):  # equal ones may or may not be one object
            self._data(value)
            return
        if id(value) in self._seen:
            self._feed("seen", self._seen[id(value)])
            return
        self._seen[id(value)] = len(self._seen)
        self._alive.append(value)
        if isinstance(value, types.FunctionType | type):  # calls may lead farther than the stack
            self._feed("code", self._seen[id(value)])
            self._later.append(value)
        elif not self._code(value) and not self._data(value):
            self._object(value)

    def _code(self, value: object) -> bool:
        match value:
            case types.FunctionType():
                self._function(value)
            case types.MethodType():
                self._feed("method")
                self.value(value.__func__)
                self.value(value.__self__)
            case staticmethod() | classmethod():
                self._feed(type(value).__name__)
                self.value(value.__func__)
            case property():
                self._feed("property")
                for each in (value.fget, value.fset, value.fdel):
                    self.value(each)
            case functools.partial():
                self._feed("partial")
                for part in (value.func, value.args, value.keywords):
                    self.value(part)
            case functools.partialmethod():
                self._feed("partialmethod")
                for part in (value.func, value.args, value.keywords):
                    self.value(part)
            case functools.cached_property():
                self._feed("cached_property")
                self.value(value.func)
            case functools.singledispatchmethod():
                self._feed("singledispatchmethod")
                self.value(value.func)
                self.value(value.dispatcher.registry)
            case type():
                self._class(value)
            case types.ModuleType():
                self._feed("module", value.__name__)
            case _:
                return False
        return True

    def _data(self, value: object) -> bool:
        match value:
            case tuple() | list() if type(value) in (tuple, list):
                self._feed(type(value).__name__, len(value))
                for item in value:
                    self.value(item)
            case set() | frozenset():
                self._feed(type(value).__name__)
                self._feed(*sorted(map(self._digest_alone, value)))
            case dict() | types.MappingProxyType() if type(value) in (dict, types.MappingProxyType):
                self._feed("dict", len(value))
                for key, item in value.items():
                    self.value(key)
                    self.value(item)
            case enum.Enum():
                self._feed("enum", type(value).__qualname__, value.name)
                self.value(value.value)
                self.value(type(value))
            case re.Pattern():
                self._feed("pattern", repr(value.pattern), value.flags)
            case PurePath():
                self._feed("path", value)
            case _:
                return self._array(value)
        return True

    def _array(self, value: object) -> bool:
        numpy = sys.modules.get("numpy")
        if numpy is None or not isinstance(value, numpy.ndarray | numpy.generic):
            return False
        array = numpy.asarray(value)
        self._feed("array", array.dtype.str, array.shape)
        if array.dtype.hasobject:
            self.value(array.tolist())
        else:
            self._feed(hashlib.sha256(numpy.ascontiguousarray(array).tobytes()).hexdigest())
        return True

    def _digest_alone(self, value: object) -> str:
        walk = _Walk(self._is_own)
        walk._seen = dict(self._seen)  # a set may be in what its items refer to
        walk.value(value)
        self._alive += walk._alive
        return walk.digest()

    def _object(self, value: object) -> None:
        packed = getattr(sys.modules.get("voxk8s.values"), "PackedMask", None)
        if packed is not None and isinstance(value, packed):
            value = value.unpacked()  # an image, in whichever form kernels pass it on
        kind = type(value)
        is_own = self._is_own(kind.__module__)
        self._feed("object", "" if is_own else kind.__module__, kind.__qualname__)
        wrapped = wrapped_function(value)
        if wrapped is not None:
            self.value(wrapped)
            return
        named = importable_name(value)
        if named is not None:  # it is the one of its name
            self._feed(getattr(value, "__module__", ""), named)
            return
        if is_own:
            self.value(kind)
            self.value(content_of(value))
            for attribute, held in attributes_of(value):
                self._feed(attribute)
                self.value(held)
            return
        # A lock, an open file: it counts by its type, and the code that it holds.
        data, parts = pickled(value) or (b"opaque", referred_code(value))
        self._feed(hashlib.sha256(data).hexdigest())
        for part in parts:
            self.value(part)

    # --- code ---------------------------------------------------------------------------------

    def _function(self, function: types.FunctionType) -> None:
        if not self._is_own(function.__module__ or ""):
            self._feed("library", function.__module__, function.__qualname__)
            return
        node = function_source(function)
        if node is None:
            self._feed("byte code", "{}.{}".format(*sys.version_info))
            self._bytes(function.__code__, function.__doc__)
        else:
            self._feed("source")
            self._feed(*function_tokens(node))
        self.value(function.__defaults__)
        self.value(function.__kwdefaults__)
        for name, cell in zip(
            function.__code__.co_freevars, function.__closure__ or (), strict=True
        ):
            self._feed("captured", name)
            try:
                self.value(cell.cell_contents)
            except ValueError:
                self._feed("empty")
        for attribute, held in sorted(vars(function).items()):
            if isinstance(held, types.MappingProxyType) or is_code(held) or _is_constant(held):
                self._feed("attribute", attribute)
                self.value(held)
        attributes = set(_operands(function.__code__, ("LOAD_ATTR", "LOAD_METHOD")))
        names = set(_operands(function.__code__, ("LOAD_GLOBAL", "LOAD_NAME")))
        if node is not None:
            names -= names_of_annotations(node)
        for name in sorted(names):
            self._global(name, function.__globals__, attributes)
        if node is not None:
            self._imports(node, function.__globals__, attributes)

    def _global(self, name: str, space: Mapping[str, object], attributes: set[str]) -> None:
        """Feed what a global name refers to; `attributes` are the names of those that are used."""
        self._feed("global", name)
        if name not in space:
            return  # a built-in one, or not defined
        value = space[name]
        if isinstance(value, types.ModuleType):
            self._module(value, attributes)
        elif is_code(value) or _is_constant(value):
            self.value(value)
        elif (id(space), name) not in self._statements:
            self._statements.add((id(space), name))
            statements = statements_about(name, space)
            if statements is None:
                self.value(value)
                return
            for statement in statements:
                self._statement(statement, name, space, attributes)
            self._fillers(name, space, attributes)
            for held in _functions_in(value):  # registered by decorators, which are no statements
                self.value(held)

    def _fillers(self, name: str, space: Mapping[str, object], attributes: set[str]) -> None:
        """Feed what a module has called, while it was loaded, that may have filled a table."""
        definitions, statements = fillers_of(name, space)
        for statement in statements:
            self._statement(statement, name, space, attributes)
        for definition in definitions:
            if is_code(space.get(definition)):
                self._feed("filled by", definition)
                self.value(space[definition])

    def _statement(
        self, statement: ast.stmt, name: str, space: Mapping[str, object], attributes: set[str]
    ) -> None:
        """Feed a statement of a module that mentions a name, and what it refers to itself."""
        if isinstance(statement, ast.Import | ast.ImportFrom):
            self._imports(statement, space, attributes, only=name)
            return
        self._feed(*tree_tokens(statement))
        used = {each.attr for each in ast.walk(statement) if isinstance(each, ast.Attribute)}
        for other in sorted(names_in(statement) - {name}):
            self._global(other, space, attributes | used)

    def _module(self, module: types.ModuleType, attributes: set[str]) -> None:
        """Feed a module's name, and of an own one what the used attributes refer to."""
        self._feed("module", module.__name__)
        if not self._is_own(module.__name__) or (id(module), "") in self._statements:
            return
        self._statements.add((id(module), ""))
        for attribute in sorted(attributes & vars(module).keys()):
            self._global(attribute, vars(module), attributes)
        self._statements.discard((id(module), ""))

    def _imports(
        self,
        node: ast.AST,
        space: Mapping[str, object],
        attributes: set[str],
        only: str | None = None,
    ) -> None:
        """Feed what import statements in a tree bring in from own modules; `only` one name."""
        for each in ast.walk(node):
            if isinstance(each, ast.Import):
                wanted = {alias.name: attributes for alias in each.names}
            elif isinstance(each, ast.ImportFrom):
                names = {a.name for a in each.names if only in (None, a.asname or a.name)}
                relative = "." * each.level + (each.module or "")
                try:
                    package = str(space.get("__package__") or "")
                    wanted = {importlib.util.resolve_name(relative, package): names}
                except ImportError:
                    continue
            else:
                continue
            for module, used in wanted.items():
                if not self._is_own(module):
                    self._feed("import", module, *sorted(used if used is not attributes else ()))
                    continue
                with suppress(Exception):
                    for name in sorted(used) if isinstance(each, ast.ImportFrom) else ():
                        with suppress(ImportError):
                            importlib.import_module(f"{module}.{name}")
                    self._module(importlib.import_module(module), used | attributes)

    def _class(self, kind: type) -> None:
        if not self._is_own(kind.__module__):
            self._feed("library", kind.__module__, kind.__qualname__)
            return
        self._feed("class", kind.__qualname__)
        for base in (type(kind), *kind.__bases__):
            self.value(base)
        members: Mapping[str, object] = vars(kind)
        if issubclass(kind, enum.Enum):
            for choice in kind:
                self._feed(choice.name)
                self.value(choice.value)
            members = {
                name: each
                for name, each in members.items()
                if _is_defined_in(each, kind.__module__)
            }
        fields = getattr(kind, "__dataclass_fields__", None)
        for name, each in (fields or {}).items():
            self._feed("field", name, each.init, each.compare, each.kw_only)
            self.value(each.default)
            self.value(each.default_factory)
        is_generated = fields is not None or issubclass(kind, tuple)
        for name in sorted(members.keys() - _IGNORED_MEMBERS):
            member: object = members[name]
            if is_generated and name in _GENERATED and not _is_written_in(member, kind.__module__):
                continue
            self._feed("member", name)
            if type(member).__name__ not in _DESCRIPTORS:
                self.value(member)

    def _bytes(self, code: types.CodeType, doc: object = None) -> None:
        """Feed the byte code of a function, the constants in it, and how it is called."""
        self._feed(
            code.co_code.hex(),
            code.co_exceptiontable.hex(),
            (code.co_argcount, code.co_posonlyargcount, code.co_kwonlyargcount, code.co_flags),
            (code.co_names, code.co_varnames, code.co_freevars, code.co_cellvars),
        )
        for number, constant in enumerate(code.co_consts):
            if isinstance(constant, types.CodeType):
                self._bytes(constant)
            elif number or not isinstance(doc, str) or constant != doc:
                self.value(constant)


def _operands(code: types.CodeType, operations: tuple[str, ...]) -> Iterable[str]:
    """Return the names that instructions of code have as operands, inner functions included."""
    for instruction in dis.get_instructions(code):
        if instruction.opname in operations or (
            instruction.opname == "LOAD_FROM_DICT_OR_GLOBALS" and "LOAD_NAME" in operations
        ):
            yield str(instruction.argval)
    for constant in code.co_consts:
        if isinstance(constant, types.CodeType):
            yield from _operands(constant, operations)


def _is_constant(value: object) -> bool:
    """Whether a value is plain, or consists of plain values, and cannot change."""
    if type(value) in (tuple, frozenset):
        return all(map(_is_constant, value))  # type: ignore[call-overload]  # it is a container
    return type(value) in _PLAIN or isinstance(value, enum.Enum | re.Pattern | PurePath)


def _functions_in(value: object) -> Iterable[types.FunctionType]:
    """Return the functions in a container of a module."""
    items = value.values() if isinstance(value, dict) else value
    if isinstance(items, list | tuple | type({}.values())):
        yield from (each for each in items if isinstance(each, types.FunctionType))


def _is_defined_in(member: object, module: str) -> bool:
    """Whether a member of a class is a function or property that the class's own module defines."""
    for name in ("fget", "__func__"):
        member = getattr(member, name, None) or member
    return isinstance(member, types.FunctionType) and member.__module__ == module


def _is_written_in(member: object, module: str) -> bool:
    """Whether a method is in the text of a module, and not generated by another one."""
    function = getattr(member, "__func__", member)
    if not isinstance(function, types.FunctionType):
        return True
    is_text = function.__code__.co_filename != "<string>"
    return is_text and function.__globals__.get("__name__") == module
