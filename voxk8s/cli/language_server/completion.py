"""What can stand at a place: names with their signatures, keywords, files to import."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterator, Sequence
from typing import Final, Literal

import msgspec

from voxk8s.cli.kernel_help import Entry
from voxk8s.cli.language_server.document import Document
from voxk8s.cli.language_server.help_texts import known
from voxk8s.imgql.lower.global_scope import SHIPPED
from voxk8s.imgql.syntax.grammar import KEYWORDS

_MIRRORED_WORD: Final = re.compile(r"[\w.]*")
_MIRRORED_CALL: Final = re.compile(r"\s*([\w.]*)")
_WORD: Final = re.compile(r"[^\W\d][\w.]*")
_IMPORT_BEFORE: Final = re.compile(r'\bimport\s+"([^"]*)$')
_STRING: Final = re.compile(r'"(?:\\.|[^"\\\n])*"')
_TEXT: Final = re.compile(rf"{_STRING.pattern}|//[^\n]*")


class Proposal(msgspec.Struct, frozen=True):
    """A text that completes the word before a place; `qualified` names the entry of a kernel."""

    label: str
    kind: Literal["function", "value", "variable", "kernel", "keyword", "module", "file"]
    detail: str = ""
    qualified: str = ""


class CallHint(msgspec.Struct, frozen=True):
    """The call that a place is in: its signature, and which of its parameters is being written."""

    signature: str
    parameters: tuple[str, ...]
    active: int
    qualified: str = ""

    def spans(self) -> list[tuple[int, int]]:
        """Return where the parameters are in the signature: several may have one name."""
        found = []
        end = self.signature.index("(") + 1
        for each in self.parameters:
            start = self.signature.index(each, end)
            end = start + len(each)
            found.append((start, end))
        return found


def proposals(document: Document, line: int, before: str, files: Sequence[str]) -> list[Proposal]:
    """Return what may follow `before`, the text of a line up to the place.

    `files` are the programs in the folder, which may be imported.
    """
    importing = _IMPORT_BEFORE.search(before)
    if importing is not None:
        return _importable(document, importing[1], files)
    rest = _STRING.sub("", before)
    if '"' in rest or "//" in rest:
        return []
    mirrored = _MIRRORED_WORD.match(before[::-1])
    prefix = _word_of(mirrored[0] if mirrored is not None else "")
    namespace, dot, _ = prefix.rpartition(".")
    if dot:
        return [_entry(each) for each in known() if each.namespace == namespace and _named(each)]
    found: dict[str, Proposal] = {}
    for each in _of_program(document, line):
        found.setdefault(each.label, each)
    reachable = dict.fromkeys(("default", *document.imports, *SHIPPED))
    for namespace in reachable:
        for entry in known():
            if entry.namespace == namespace and _named(entry):
                found.setdefault(entry.name, _entry(entry))
    for keyword in KEYWORDS:
        found.setdefault(keyword, Proposal(keyword, "keyword"))
    return list(found.values())


def call_hint(document: Document, before: str) -> CallHint | None:
    """Return the innermost call that is open at the end of `before`, the text up to a place."""
    text = _TEXT.sub(lambda match: "x" * len(match[0]), before)
    # Searched from its end: a search for what ends at each of many brackets would take quadratic
    # time.
    mirrored = text[::-1]
    commas = depth = 0
    for offset in range(len(text) - 1, -1, -1):
        sign = text[offset]
        if sign in ")]":
            depth += 1
        elif sign in "([":
            if depth:
                depth -= 1
                continue
            named = _MIRRORED_CALL.match(mirrored, len(text) - offset)
            name = _word_of(named[1] if named is not None else "")
            if sign == "(" and name:
                return _hint(document, name, commas)
            commas = 0
        elif sign == "," and not depth:
            commas += 1
    return None


def _word_of(mirrored: str) -> str:
    """Return the name at the end of a text of letters, digits and dots that is given mirrored."""
    word = _WORD.search(mirrored[::-1])
    return word[0] if word is not None else ""


def _hint(document: Document, name: str, active: int) -> CallHint | None:
    for command in reversed(document.commands):
        if command.name == name and command.kind == "function":
            return CallHint(command.signature, command.parameters, active)
    if name in KEYWORDS:
        return None
    reachable = ("default", *document.imports, *SHIPPED)
    for entry in sorted(
        (each for each in known() if name in (each.name, each.qualified)),
        key=lambda each: each.namespace not in reachable,
    ):
        inside = entry.signature.partition("(")[2].rpartition(")")[0]
        parameters = tuple([each for each in inside.split(", ") if each])
        last = max(0, len(parameters) - 1)
        return CallHint(entry.signature, parameters, min(active, last), entry.qualified)
    return None


def _importable(document: Document, begun: str, files: Sequence[str]) -> list[Proposal]:
    namespaces = sorted({each.namespace for each in known()} - {"default"})
    found = [Proposal(each, "module") for each in namespaces if "/" not in begun]
    own = posixpath.basename(document.name)
    return found + [Proposal(each, "file") for each in files if each != own]


def _of_program(document: Document, line: int) -> Iterator[Proposal]:
    """Yield the variables of the command that a line is in, then the names of all commands."""
    command = document.command_at(line)
    # The first definition of a name, which is the one that is proposed.
    signatures = {
        each.name: each.signature for each in reversed(document.commands) if each.kind == "function"
    }
    for use in document.names:
        place = use.place
        if use.declared != place:
            continue
        if use.kind == "variable":
            inside = command is not None and command.line <= place.line <= line
            if inside and place.file == document.name:
                yield Proposal(use.name, "variable")
        elif use.kind == "function":
            yield Proposal(use.name, "function", signatures.get(use.name, use.name))
        elif use.kind == "value":
            yield Proposal(use.name, "value")


def _named(entry: Entry) -> bool:
    return entry.name[:1].isalpha()


def _entry(entry: Entry) -> Proposal:
    return Proposal(entry.name, "kernel", entry.signature, entry.qualified)
