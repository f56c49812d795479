"""How the server counts lines, and what it calls documents without a file."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from lsprotocol import types
from pygls.workspace import PositionCodec, TextDocument, Workspace

from voxk8s.cli.language_server.document import Document, analyse
from voxk8s.cli.language_server.server import (
    ImgqlServer,
    client_units,
    lines_of,
    program_name,
    report_failure,
)


def test_lines_are_those_of_the_compiler() -> None:
    """A form feed or a Unicode separator does not begin a new one."""
    assert lines_of("a\fb\u2028c\r\nd") == ["a\fb\u2028c\r\n", "d\n"]


def test_programs_are_named_by_their_path() -> None:
    """Imports are relative to it; a new document has only the name that the editor gave it."""
    assert program_name(TextDocument("file:///p/a%20b.imgql", "")) == "/p/a b.imgql"
    assert program_name(TextDocument("untitled:Untitled-1", "")) == "untitled:Untitled-1"


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16", "utf-32"])
@pytest.mark.parametrize("line", ["abc\n", "é€😀\n", "a\ud800b\n", ""])
def test_units_are_those_of_the_protocol(line: str, encoding: str) -> None:
    """As the library counts them, also beyond the end of a line."""
    codec = PositionCodec(encoding)
    for characters in range(len(line) + 2):
        expected = codec.client_num_units(line[:characters])
        assert client_units(line, characters, codec.encoding) == expected


def _server() -> ImgqlServer:
    """Return a server without a client."""
    server = ImgqlServer()
    server.protocol._workspace = Workspace(None)
    return server


def _open(server: ImgqlServer, uri: str, text: str) -> None:
    server.workspace.put_text_document(types.TextDocumentItem(uri, "imgql", 1, text))


def test_places_in_a_text_that_has_become_shorter_are_its_end() -> None:
    """Names may be those of the text before."""
    server = _server()
    _open(server, "untitled:a", "let a = 1")

    found = server.range_between("untitled:a", 1, 5, 3, 2)

    assert (found.start, found.end) == (types.Position(0, 4), types.Position(1, 0))


def test_nothing_is_kept_of_closed_documents(monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither of those that are closed while they are analysed."""
    server = _server()

    def close_and_analyse(name: str, *given: Any) -> Document:
        server.workspace.remove_text_document(name)
        server.forget(name)
        return analyse(name, *given)

    for number in range(3):
        uri = f"untitled:{number}"
        _open(server, uri, "let a = 1\n")
        asyncio.run(server.document(uri))
        assert len(server._documents) == len(server._named) == 1
        server.workspace.remove_text_document(uri)
        server.forget(uri)
    monkeypatch.setattr("voxk8s.cli.language_server.server.analyse", close_and_analyse)
    _open(server, "untitled:9", "let a = 1\n")
    assert asyncio.run(server.document("untitled:9")).names

    assert not server._documents
    assert not server._named


def test_only_cancellations_are_no_failures() -> None:
    """Any other failed callback is reported as ever."""
    reported: list[dict[str, Any]] = []

    class Loop(asyncio.SelectorEventLoop):
        def default_exception_handler(self, context: dict[str, Any]) -> None:
            reported.append(context)

    loop = Loop()
    try:
        report_failure(loop, {"exception": asyncio.CancelledError()})
        report_failure(loop, {"exception": ValueError("a")})
        report_failure(loop, {"message": "b"})
    finally:
        loop.close()

    assert [context.get("message", "a") for context in reported] == ["a", "b"]
