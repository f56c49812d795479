"""The server: the documents of an editor, their analysis, and places in both ways of counting."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Mapping
from functools import lru_cache
from importlib import resources
from pathlib import Path
from typing import Any, Final

from lsprotocol import types
from pygls.exceptions import JsonRpcException, JsonRpcInvalidParams
from pygls.lsp.server import LanguageServer
from pygls.protocol import json_rpc
from pygls.uris import from_fs_path, to_fs_path
from pygls.workspace import TextDocument

from voxk8s.cli.input_file import read_import
from voxk8s.cli.language_server.document import Document, analyse
from voxk8s.constants import RELEASE
from voxk8s.imgql import NamePlace, NameUse

_SEVERITIES: Final = {
    "error": types.DiagnosticSeverity.Error,
    "warning": types.DiagnosticSeverity.Warning,
    "information": types.DiagnosticSeverity.Information,
}
_UNITS: Final[dict[str | None, tuple[str, int]]] = {
    types.PositionEncodingKind.Utf8: ("utf-8", 1),
    types.PositionEncodingKind.Utf16: ("utf-16-le", 2),
}
"""Codec and bytes of a unit, of the encodings in which a character may have several units."""


class _Unanswered(logging.Filter):
    """Keeps the library from writing what editors are answered, such as that there is no name."""

    def filter(self, record: logging.LogRecord) -> bool:
        """Whether to write a record; an answer is the result of a handler."""
        error = record.exc_info[1] if record.exc_info else None
        return record.funcName != "_send_handler_result" or not isinstance(error, JsonRpcException)


def report_failure(loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
    """Report a failed callback, but not that the editor has ended before it was answered.

    The library does not foresee that what it waits for is cancelled then.
    """
    if not isinstance(context.get("exception"), asyncio.CancelledError):
        loop.default_exception_handler(context)


class ImgqlServer(LanguageServer):
    """A language server; `values` are those of parameters, from the editor's settings."""

    def __init__(self) -> None:
        super().__init__("voxk8s", RELEASE)
        logging.getLogger(json_rpc.__name__).addFilter(_Unanswered())
        self.values: dict[str, str] = {}
        self._documents: dict[str, tuple[int | None, Document]] = {}
        self._named: dict[str, Document] = {}

    async def document(self, uri: str) -> Document:
        """Return the analysis of a document as it is now; a large one does not stop the others."""
        text = self.text(uri)
        version, content = text.version, text.source
        known = self._documents.get(uri)
        if known is not None and known[0] == version and known[1].text == content:
            return known[1]
        found = await asyncio.to_thread(
            analyse, program_name(text), content, self.reader(), dict(self.values)
        )
        if uri in self.workspace.text_documents:
            # Of one that was closed meanwhile nothing is kept.
            self._documents[uri] = version, found
            if found.names:
                self._named[uri] = found
        return found

    async def named_document(self, uri: str) -> Document:
        """Return the analysis of a document, or the last one with names while it has none."""
        found = await self.document(uri)
        return found if found.names else self._named.get(uri, found)

    def reader(self) -> Callable[[str], str]:
        """Return what reads imported files; those that are open as they are in the editor.

        It takes the open documents of this moment: a thread must not look at changing ones.
        """
        opened: Mapping[str, str] = {
            path: each.source
            for each in self.workspace.text_documents.values()
            if (path := to_fs_path(each.uri))
        }

        def read_file(path: str) -> str:
            known = opened.get(str(Path(path).absolute()))
            return read_import(path) if known is None else known

        return read_file

    async def publish(self, uri: str) -> None:
        """Send the problems of a document, unless it has changed meanwhile."""
        text = self.workspace.text_documents.get(uri)
        if text is None:
            return
        version, lines = text.version, lines_of(text.source)
        document = await self.document(uri)
        now = self.workspace.text_documents.get(uri)
        if now is None or now.version != version:
            return
        found = [
            types.Diagnostic(
                self._range_in(lines, each.line, each.column, each.width),
                each.message,
                _SEVERITIES[each.severity],
                source="voxk8s",
            )
            for each in document.problems
        ]
        self.text_document_publish_diagnostics(types.PublishDiagnosticsParams(uri, found, version))

    def forget(self, uri: str) -> None:
        """Forget the analysis of a document, and if it is closed, what it was before."""
        self._documents.pop(uri, None)
        if uri not in self.workspace.text_documents:
            self._named.pop(uri, None)

    def text(self, uri: str) -> TextDocument:
        """Return a document of the editor; one that is not open is never read from its file."""
        found: TextDocument | None = self.workspace.text_documents.get(uri)
        if found is None:
            raise JsonRpcInvalidParams(f"{uri} is not open")
        return found

    def lines(self, uri: str) -> list[str]:
        """Return the lines of a document."""
        return lines_of(self.text(uri).source)

    async def name_at(self, uri: str, position: types.Position) -> tuple[Document, NameUse | None]:
        """Return a document and the name at a client's position in it."""
        document = await self.document(uri)
        return document, document.name_at(*self.spot(uri, position))

    def spot(self, uri: str, position: types.Position) -> tuple[int, int]:
        """Return line and column, from 1 and in characters, of a client's position."""
        found = self.workspace.position_codec.position_from_client_units(self.lines(uri), position)
        return found.line + 1, found.character + 1

    def before(self, uri: str, position: types.Position) -> tuple[int, str]:
        """Return the number of a line, and its text up to a client's position."""
        line, column = self.spot(uri, position)
        lines = self.lines(uri)
        return line, lines[line - 1][: column - 1] if line <= len(lines) else ""

    def range_of(self, uri: str, place: NamePlace) -> types.Range:
        """Return the client's range of a name in a document."""
        end = place.column + place.length
        return self._range(self.lines(uri), place.line, place.column, place.line, end)

    def range_between(
        self, uri: str, line: int, column: int, last_line: int, end: int
    ) -> types.Range:
        """Return the client's range between two places of a document."""
        return self._range(self.lines(uri), line, column, last_line, end)

    def location(self, uri: str, document: Document, place: NamePlace) -> types.Location | None:
        """Return where a name of a document is, in a library of this package too.

        None if it is in no file. The document itself need not be one.
        """
        if place.file == document.name and not place.library:
            return types.Location(uri, self.range_of(uri, place))
        if place.library:
            path = str(resources.files("voxk8s.imgql") / "library" / place.file)
            text = Path(path).read_text("utf-8")
        else:
            path, text = place.file, document.texts.get(place.file, "")
        found = from_fs_path(str(Path(path).absolute()))
        if found is None:
            return None
        lines = lines_of(text)
        end = place.column + place.length
        return types.Location(found, self._range(lines, place.line, place.column, place.line, end))

    def _range_in(self, lines: list[str], line: int, column: int, width: int) -> types.Range:
        """Return the client's range of a problem; what is after the end of a line is before it."""
        end = min(column + width, len(lines[line - 1]))
        return self._range(lines, line, max(1, min(column, end - 1)), line, end)

    def _range(
        self, lines: list[str], line: int, column: int, last_line: int, end: int
    ) -> types.Range:
        encoding = self.workspace.position_codec.encoding
        begin, stop = (
            types.Position(number - 1, client_units(lines[number - 1], characters - 1, encoding))
            # A text may have become shorter than the one whose names these are.
            if number <= len(lines)
            else types.Position(len(lines), 0)
            for number, characters in ((line, column), (last_line, end))
        )
        return types.Range(begin, stop)


@lru_cache(maxsize=8)
def lines_of(text: str) -> list[str]:
    """Return the lines of a text with their ends, as compilers and editors count them.

    Other separators, at which `splitlines` splits too, are characters of a line. They are kept,
    because an outline asks for them at each of its names; nobody may change them.
    """
    return [f"{line}\n" for line in text.split("\n")]


def client_units(line: str, characters: int, encoding: str | None) -> int:
    """Return how many units of an encoding so many characters of a line are.

    The library counts them one by one, which for thousands of names on a line takes minutes.
    """
    unit = _UNITS.get(encoding)
    if unit is None or line.isascii():
        return min(characters, len(line))
    codec, size = unit
    return len(line[:characters].encode(codec, "surrogatepass")) // size


def program_name(text: TextDocument) -> str:
    """Return the path of a document, or a name for one that is in no file."""
    return to_fs_path(text.uri) or text.uri.rpartition("/")[2] or "<program>"
