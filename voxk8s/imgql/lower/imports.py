"""Reads and parses all files of a program: its own, those it imports, and libraries."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import cached_property
from typing import Final

import msgspec

from voxk8s.errors import Voxk8sError
from voxk8s.imgql.lower import libraries
from voxk8s.imgql.syntax import hints, lexer, parser
from voxk8s.imgql.syntax.diagnostics import Diagnostics
from voxk8s.imgql.syntax.source_text import Source
from voxk8s.imgql.syntax.syntax_tree import Command, Import, Token, string_value
from voxk8s.plan.signature import KernelIndex
from voxk8s.plan.suggest import nearest

_FIRST_NAMESPACE: Final = "vox1"
_LIBRARY_NAMES: Final = (libraries.STANDARD, "stdlib")
_SUFFIX: Final = ".imgql"
_IMPORT: Final = re.compile(r'\bimport\s++"([^"\n]*+)"|"(?:\\.|[^"\\\n])*+"?|//[^\n]*')

ReadFile = Callable[[str], str]


def program_variables(name: str) -> dict[str, str]:
    """Return the values of `$stem`, `$file`, `$filename`, `$dir` and `$cwd` for a program's path.

    Paths are relative to the current folder, so that they do not depend on the machine: `$cwd` is
    always `.`.
    """
    file = posixpath.basename(name).strip("<>")
    folder = posixpath.dirname(name) or "."
    stem = file.removesuffix(_SUFFIX)
    return {"stem": stem, "file": file, "filename": file, "dir": folder, "cwd": "."}


class ParsedProgram(msgspec.Struct, frozen=True):
    """All commands of a program in order, each with its source; imported ones replace the import.

    `imports` are the imported namespaces in order.
    """

    commands: Sequence[tuple[Source, Command]]
    imports: Sequence[str]


class ProgramReader:
    """Reads and parses the files of one program."""

    def __init__(
        self,
        index: KernelIndex,
        parameters: Mapping[str, str],
        read_file: ReadFile | None,
        diagnostics: Diagnostics,
    ) -> None:
        """Read files by `read_file`; `index` has the namespaces that may be imported."""
        self._index = index
        self._parameters = parameters
        self._variables: Mapping[str, str] = {}
        self._read_file = read_file
        self._diagnostics = diagnostics
        self._sources: dict[str, Source | str] = {}
        self._imports: dict[str, None] = {}
        self._loads = False

    @cached_property
    def _namespaces(self) -> Sequence[str]:
        """The namespaces that a program may import; many programs import none."""
        return sorted({each.rpartition(".")[0] for each in self._index.names()} - {"voxk8s"})

    def read(self, name: str, text: str) -> ParsedProgram:
        """Read everything that a program consists of; errors are reported."""
        self._variables = program_variables(name)
        main = Source(name, text, self._parameters, variables=self._variables)
        self._read_imported(main)
        suffixed: frozenset[str] = frozenset()
        for each in self._sources.values():
            if isinstance(each, Source):
                suffixed |= lexer.suffixed_names(each.code)
        library = lexer.suffixed_names(libraries.text(libraries.STANDARD))
        suffixed |= {name for name in library if not _defines(main.code, name)}
        commands = list(self._commands(main, suffixed))
        if self._loads and not self._imports:
            # VoxLogicA 1 had no namespaces; its programs use these kernels without an import.
            self._imports[_FIRST_NAMESPACE] = None
        return ParsedProgram(commands, tuple(self._imports))

    def _read_imported(self, main: Source) -> None:
        """Read all files that are imported, directly or indirectly."""
        self._sources[main.name] = main
        waiting = [main]
        while waiting:
            source = waiting.pop()
            for match in _IMPORT.finditer(source.code):
                target = match.group(1)
                if target is None or self._is_known(target):
                    continue
                path = self._path(source, target)
                known = path in self._sources
                found = self._open(path)
                if isinstance(found, Source) and not known:
                    waiting.append(found)

    def _path(self, importer: Source, target: str) -> str:
        """Return the path of an imported file; the suffix may be omitted."""
        path = posixpath.normpath(posixpath.join(posixpath.dirname(importer.name), target))
        if path.endswith(_SUFFIX) or isinstance(self._open(path), Source):
            return path
        longer = path + _SUFFIX
        return longer if isinstance(self._open(longer), Source) else path

    def _open(self, path: str) -> Source | str:
        """Read a file once; return the reason if it cannot be read."""
        if path not in self._sources:
            found = self._read(path)
            file = posixpath.basename(path)
            if isinstance(found, str) and file in libraries.FILES:
                found = Source(path, libraries.text(file))
            self._sources[path] = found
        return self._sources[path]

    def _read(self, path: str) -> Source | str:
        if self._read_file is None:
            return "files cannot be imported here"
        try:
            text = self._read_file(path)
        except (OSError, ValueError, LookupError, Voxk8sError) as error:
            if isinstance(error, FileNotFoundError | LookupError):
                return "no such file"
            if isinstance(error, UnicodeDecodeError):
                return "not UTF-8 text"
            return getattr(error, "strerror", None) or str(error) or type(error).__name__
        return Source(path, text, self._parameters, variables=self._variables)

    def _is_known(self, target: str) -> bool:
        return target in self._namespaces or target in _LIBRARY_NAMES

    def _commands(self, main: Source, suffixed: frozenset[str]) -> Iterator[tuple[Source, Command]]:
        """Yield all commands, those of an imported file where it is first imported."""
        stack = [(main, iter(self._parse(main, suffixed)))]
        seen = {main.name}
        while stack:
            source, commands = stack[-1]
            command = next(commands, None)
            if command is None:
                stack.pop()
            elif isinstance(command, Import):
                path = self._import(source, command.target)
                if path is None:
                    continue
                found = self._sources[path]
                chain = [each.name for each, _ in stack]
                if path in chain:
                    cycle = " -> ".join([*chain[chain.index(path) :], path])
                    target = string_value(command.target)
                    hint = hints.NAMESPACES.get(target)
                    self._diagnostics.error(
                        source,
                        command.target,
                        f"circular import: {cycle}",
                        *((f'the namespace "{target}" is not here: {hint}',) if hint else ()),
                    )
                elif path not in seen and isinstance(found, Source):
                    seen.add(path)
                    stack.append((found, iter(self._parse(found, suffixed))))
            else:
                yield source, command

    def _import(self, source: Source, token: Token) -> str | None:
        """Record an imported namespace, or return the path of an imported file that is readable."""
        target = string_value(token)
        if target in self._namespaces:
            self._imports[target] = None
            return None
        if target in _LIBRARY_NAMES:
            self._imports[_FIRST_NAMESPACE] = None
            return None
        path = self._path(source, target)
        found = self._open(path)
        if isinstance(found, str):
            near = nearest(target, [*self._namespaces, libraries.STANDARD], cutoff=0.7)
            self._diagnostics.error(
                source,
                token,
                f'cannot import "{target}": not a namespace, and as a file: {found}',
                hints.NAMESPACES[target]
                if target in hints.NAMESPACES
                else f'did you mean "{near}"?'
                if near
                else f"namespaces are {', '.join(self._namespaces)}",
                *self._index.load_errors(),
            )
            return None
        return path

    def _parse(self, source: Source, suffixed: frozenset[str]) -> list[Command]:
        for missing in source.missing:
            name = missing.text[1:]
            near = nearest(name, self._parameters)
            self._diagnostics.error(
                source,
                missing,
                f"no value for the parameter `{missing.text}`",
                f"did you mean `${near}`?"
                if near
                else f"set it by --param {name}=VALUE (in a WorkPlan: spec.source.parameters)",
            )
        if source.missing:
            return []
        tokens = lexer.tokenize(source, self._diagnostics, suffixed)
        if not self._loads and "load" in source.code:
            self._loads = any(token.type == "LOAD" for token in tokens)
        return parser.parse(source, tokens, self._diagnostics)


def _defines(code: str, name: str) -> bool:
    """Whether a program itself defines the letters of a library's name, such as the `B` of `B+`."""
    letters = re.match(r"\w+", name)
    stem = letters.group() if letters else name
    return (
        re.search(
            rf"\b(?:let|load|for)\s++{stem}\b(?!\s*+{re.escape(name[len(stem) :])}\s*+\()"
            rf"|^[^\S\n]*+{stem}\s*+=",
            code,
            re.MULTILINE,
        )
        is not None
    )
