"""What is known of the text of one program: problems, names, definitions and goals.

Lines and columns count from 1, in characters.
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Callable, Iterator, Mapping
from typing import Final, Literal

import msgspec

from voxk8s.errors import Voxk8sError
from voxk8s.imgql import Diagnostic, NamePlace, NameUse, analyse_program
from voxk8s.imgql.lower.imports import ParsedProgram, program_variables
from voxk8s.imgql.syntax.syntax_tree import Define, OutputCommand
from voxk8s.kernels import registry, symbols

_REFERENCE: Final = re.compile(r"\$([^\W\d]\w*)")
_IMPORT: Final = re.compile(r'\bimport\s+"([^"\n]*)"')
_PLACEHOLDER: Final = "0"
"""Stands for a parameter without a value: a number, and a part of a path."""


class Problem(msgspec.Struct, frozen=True):
    """An error, a warning or a remark; `width` characters of the line are marked."""

    severity: Literal["error", "warning", "information"]
    line: int
    column: int
    width: int
    message: str


class Command(msgspec.Struct, frozen=True):
    """A definition or a goal: `header` is how it begins, `last_line` and `end` where it ends."""

    name: str
    kind: Literal["function", "value", "goal"]
    header: str
    place: NamePlace
    line: int
    column: int
    last_line: int
    end: int
    parameters: tuple[str, ...] = ()

    @property
    def signature(self) -> str:
        """Return the name with its parameters: the header without the word that begins it."""
        return self.header.partition(" ")[2]


class Document(msgspec.Struct, frozen=True):
    """The analysis of a text; `names` include those of the files that it imports.

    `texts` are these files.
    """

    name: str
    text: str
    problems: tuple[Problem, ...] = ()
    names: tuple[NameUse, ...] = ()
    commands: tuple[Command, ...] = ()
    imports: tuple[str, ...] = ()
    texts: Mapping[str, str] = {}

    def name_at(self, line: int, column: int) -> NameUse | None:
        """Return the name at a place, or the one that ends there."""
        found = None
        for use in self.names:
            place = use.place
            inside = place.column <= column <= place.column + place.length
            if place.file == self.name and place.line == line and inside:
                found = use
        return found

    def command_at(self, line: int) -> Command | None:
        """Return the command that a line is in: the last one that begins on it or before it."""
        before = [each for each in self.commands if each.line <= line]
        return before[-1] if before else None

    def uses_of(self, use: NameUse) -> list[NameUse]:
        """Return the places of all names that mean the same as one of them."""
        return [
            each
            for each in self.names
            if (each.kernel == use.kernel if use.kernel else each.declared == use.declared)
        ]


def analyse(
    name: str, text: str, read_file: Callable[[str], str], values: Mapping[str, str]
) -> Document:
    """Analyse a program: `values` are those of its parameters, as far as they are known.

    Others stand for a placeholder, so that the rest of the program can be checked.
    """
    texts: dict[str, str] = {name: text}

    def read(path: str) -> str:
        if path not in texts:
            texts[path] = read_file(path)
        return texts[path]

    try:
        known = dict(values)
        variables = program_variables(name).keys()
        while True:
            # Of the files that are read so far: an imported one may have more.
            references = _references(texts)
            known |= dict.fromkeys(references - known.keys() - variables, _PLACEHOLDER)
            analysis = analyse_program(
                text,
                index=registry(),
                symbols=symbols,
                name=name,
                parameters=known,
                read_file=read,
            )
            if _references(texts) == references:
                break
    except Voxk8sError as error:
        return Document(name, text, (Problem("error", 1, 1, 1, str(error)),))
    problems = [
        *(_problem(each, name, text) for each in analysis.diagnostics),
        *_absent(text, values, program_variables(name)),
    ]
    return Document(
        name,
        text,
        tuple(problems),
        analysis.names,
        tuple(_commands(analysis.parsed, name)),
        tuple(analysis.parsed.imports),
        texts,
    )


def _references(texts: Mapping[str, str]) -> set[str]:
    """Return the names of parameters in some texts."""
    return {each for text in texts.values() for each in _REFERENCE.findall(text)}


def _problem(found: Diagnostic, name: str, text: str) -> Problem:
    """Return a diagnostic; one of an imported file is shown where that is imported."""
    message = "\n".join([found.message, *(f"help: {hint}" for hint in found.hints)])
    if found.file == name:
        return Problem(found.severity, found.line, found.column, found.width, message)
    line, column, width = _import_of(text, found.file)
    where = f"{posixpath.basename(found.file)}:{found.line}:{found.column}"
    return Problem(found.severity, line, column, width, f"{where}: {message}")


def _import_of(text: str, file: str) -> tuple[int, int, int]:
    """Return line, column and width of what imports a file, else of the first line."""
    wanted = posixpath.basename(file).removesuffix(".imgql")
    for number, line in enumerate(text.split("\n"), 1):
        for match in _IMPORT.finditer(line):
            if posixpath.basename(match[1]).removesuffix(".imgql") == wanted:
                return number, match.start() + 1, match.end() - match.start()
    return 1, 1, 1


def _absent(
    text: str, values: Mapping[str, str], variables: Mapping[str, str]
) -> Iterator[Problem]:
    """Yield a remark for the first place of each parameter whose value is not known."""
    seen = {*values, *variables}
    for number, line in enumerate(text.split("\n"), 1):
        code = line.partition("//")[0]
        for match in _REFERENCE.finditer(code):
            name = match[1]
            if name not in seen:
                seen.add(name)
                message = f"${name} is a parameter: its value is given by --param {name}=VALUE"
                width = match.end() - match.start()
                yield Problem("information", number, match.start() + 1, width, message)


def _commands(parsed: ParsedProgram, name: str) -> Iterator[Command]:
    for source, command in parsed.commands:
        if source.name != name or not isinstance(command, Define | OutputCommand):
            continue
        line, column = source.position(command.start)
        last_line, end = source.position(command.value.end)
        if isinstance(command, Define):
            token, parameters = command.header.name, command.header.parameters
            inner = ", ".join(each.text for each in parameters or ())
            header = f"let {token.text}({inner})" if parameters else f"let {token.text}"
            kind: Literal["function", "value", "goal"] = "function" if parameters else "value"
        else:
            token, parameters, kind = command.label, (), "goal"
            header = f"{command.kind} {token.text}"
        place_line, place_column = source.position(token.start)
        yield Command(
            token.text,
            kind,
            header,
            NamePlace(name, place_line, place_column, len(token.text)),
            line,
            column,
            last_line,
            end,
            tuple([each.text for each in parameters or ()]),
        )
