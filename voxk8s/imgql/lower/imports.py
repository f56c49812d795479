"""Gathers a program's texts: the program itself, the files it imports, the standard library."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Final

import msgspec

from voxk8s.errors import Voxk8sError
from voxk8s.imgql.lower import libraries
from voxk8s.imgql.syntax import lexer, parser
from voxk8s.imgql.syntax.diagnostics import Diagnostics
from voxk8s.imgql.syntax.source_text import Source
from voxk8s.imgql.syntax.syntax_tree import Command, Import, Token, string_value
from voxk8s.plan.suggest import nearest

_FIRST_NAMESPACE: Final = "vox1"
_LIBRARY_NAMES: Final = (libraries.STANDARD, "stdlib")
_SUFFIX: Final = ".imgql"
_IMPORT: Final = re.compile(r'\bimport\s+"([^"\n]*)"|"(?:\\.|[^"\\\n])*"|//[^\n]*')

ReadFile = Callable[[str], str]


class ParsedProgram(msgspec.Struct, frozen=True):
    """All commands of a program, imported ones in their places, each with its source.

    `imports` are namespaces in the order of import.
    """

    commands: Sequence[tuple[Source, Command]]
    imports: Sequence[str]


class ProgramReader:
    """Reads and parses the texts of one program."""

    def __init__(
        self,
        namespaces: Sequence[str],
        absent: Sequence[str],
        parameters: Mapping[str, str],
        read_file: ReadFile | None,
        diagnostics: Diagnostics,
    ) -> None:
        """Read by `read_file`; `absent` says why further namespaces cannot be had."""
        self._namespaces = namespaces
        self._absent = absent
        self._parameters = parameters
        self._read_file = read_file
        self._diagnostics = diagnostics
        self._sources: dict[str, Source | str] = {}
        self._imports: dict[str, None] = {}
        self._loads = False

    def read(self, name: str, text: str) -> ParsedProgram:
        """Read everything that a program consists of; what is wrong is reported."""
        main = Source(name, text, self._parameters)
        self._gather(main)
        mixed: frozenset[str] = frozenset()
        for each in self._sources.values():
            if isinstance(each, Source):
                mixed |= lexer.suffixed_names(each.code)
        library = lexer.suffixed_names(libraries.text(libraries.STANDARD))
        mixed |= {word for word in library if not _defines(main.code, word)}
        commands = list(self._commands(main, mixed))
        if self._loads and not self._imports:
            # Version 1 had no namespaces: all that it knew was there without an import.
            self._imports[_FIRST_NAMESPACE] = None
        return ParsedProgram(commands, tuple(self._imports))

    def _gather(self, main: Source) -> None:
        """Read all files that are imported, directly or not."""
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
        """Give the name of the file that is meant; the suffix may be left out."""
        path = posixpath.normpath(posixpath.join(posixpath.dirname(importer.name), target))
        if path.endswith(_SUFFIX) or isinstance(self._open(path), Source):
            return path
        longer = path + _SUFFIX
        return longer if isinstance(self._open(longer), Source) else path

    def _open(self, path: str) -> Source | str:
        """Read a file, once; gives the reason when it cannot be read."""
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
                return "there is no such file"
            if isinstance(error, UnicodeDecodeError):
                return "it is not UTF-8 text"
            return getattr(error, "strerror", None) or str(error) or type(error).__name__
        return Source(path, text, self._parameters)

    def _is_known(self, target: str) -> bool:
        return target in self._namespaces or target in _LIBRARY_NAMES

    def _commands(self, main: Source, mixed: frozenset[str]) -> Iterator[tuple[Source, Command]]:
        """Give all commands, those of an imported file where it is first imported."""
        stack = [(main, iter(self._parse(main, mixed)))]
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
                    self._error(source, command.target, f"files import each other: {cycle}")
                elif path not in seen and isinstance(found, Source):
                    seen.add(path)
                    stack.append((found, iter(self._parse(found, mixed))))
            else:
                yield source, command

    def _import(self, source: Source, token: Token) -> str | None:
        """Note an imported namespace; give the name of an imported file that could be read."""
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
            self._error(
                source,
                token,
                f'cannot import "{target}": it is no namespace, and as a file: {found}',
                f'did you mean "{near}"?'
                if near
                else f"namespaces are {', '.join(self._namespaces)}",
                *self._absent,
            )
            return None
        return path

    def _parse(self, source: Source, mixed: frozenset[str]) -> list[Command]:
        for missing in source.missing:
            near = nearest(missing.name, self._parameters)
            self._diagnostics.error(
                source,
                source.expanded(missing.start),
                source.expanded(missing.stop),
                f"the parameter `${missing.name}` is not given",
                f"did you mean `${near}`?"
                if near
                else f"give it by --param {missing.name}=VALUE"
                " (in a WorkPlan: spec.source.parameters)",
            )
        if source.missing:
            return []
        tokens = lexer.tokenize(source, self._diagnostics, mixed)
        self._loads |= any(token.type == "LOAD" for token in tokens)
        return parser.parse(source, tokens, self._diagnostics)

    def _error(self, source: Source, token: Token, message: str, *hints: str) -> None:
        self._diagnostics.error(source, token.start, token.end, message, *hints)


def _defines(code: str, word: str) -> bool:
    """Tell whether a program uses the letters of a library's mixed name for a name of its own."""
    letters = re.match(r"\w+", word)
    name = letters.group() if letters else word
    return (
        re.search(
            rf"\b(?:let|load|for)\s+{name}\b(?!\s*{re.escape(word[len(name) :])}\s*\()"
            rf"|^\s*{name}\s*=",
            code,
            re.MULTILINE,
        )
        is not None
    )
