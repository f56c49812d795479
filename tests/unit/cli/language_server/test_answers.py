"""A client over standard input and output, as an editor is one, gets what it asks for."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import AsyncIterator, Callable, Mapping
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from lsprotocol import types
from pygls.exceptions import JsonRpcException
from pygls.lsp.client import LanguageClient
from pygls.workspace import TextDocument

from voxk8s.cli.language_server import answers
from voxk8s.cli.language_server.document import Document, analyse
from voxk8s.imgql import NameUse
from voxk8s.imgql.lower import libraries

_PROGRAM = """\
let core(image, from) = touch(intensity(image) >. from, image >. 0.9)
load scan = "$FOLDER/😀.nii.gz"   let  big = core(scan,$FROM)
print "volume" volume(bigg)
"""
_SECONDS = 60.0


class Editor:
    """A client with one open document."""

    def __init__(self, folder: Path) -> None:
        self.client = LanguageClient("test", "1")
        self.problems: asyncio.Queue[types.PublishDiagnosticsParams] = asyncio.Queue()
        self.path = folder / "a.imgql"
        self.document = types.TextDocumentIdentifier(self.path.as_uri())
        self._version = 0

    async def start(self) -> None:
        """Start the server and tell it a value for a parameter."""

        @self.client.feature(types.TEXT_DOCUMENT_PUBLISH_DIAGNOSTICS)  # type: ignore[untyped-decorator]
        def keep(params: types.PublishDiagnosticsParams) -> None:
            self.problems.put_nowait(params)

        await self.client.start_io(sys.executable, "-m", "voxk8s.cli", "lsp")
        await self.client.initialize_async(
            types.InitializeParams(
                types.ClientCapabilities(), initialization_options={"parameters": {"FROM": "0.8"}}
            )
        )
        self.client.initialized(types.InitializedParams())

    async def write(self, text: str) -> list[types.Diagnostic]:
        """Open the document or replace its text; return its problems."""
        self._version += 1
        uri = self.document.uri
        if self._version == 1:
            item = types.TextDocumentItem(uri, "imgql", self._version, text)
            self.client.text_document_did_open(types.DidOpenTextDocumentParams(item))
        else:
            self.client.text_document_did_change(
                types.DidChangeTextDocumentParams(
                    types.VersionedTextDocumentIdentifier(self._version, uri),
                    [types.TextDocumentContentChangeWholeDocument(text)],
                )
            )
        while True:
            found = await asyncio.wait_for(self.problems.get(), _SECONDS)
            if found.uri == uri and found.version == self._version:
                return list(found.diagnostics)

    async def stop(self) -> None:
        """End the server as an editor does."""
        await self.client.shutdown_async(None)
        self.client.exit(None)
        await self.client.stop()  # type: ignore[no-untyped-call]


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def editor(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Editor]:
    """Return an editor whose server runs."""
    found = Editor(tmp_path_factory.mktemp("programs"))
    await found.start()
    try:
        yield found
    finally:
        await found.stop()


pytestmark = pytest.mark.asyncio(loop_scope="module")


def _at(line: int, character: int) -> types.Position:
    return types.Position(line, character)


def _columns(found: types.Range) -> tuple[int, int, int]:
    return found.start.line, found.start.character, found.end.character


async def test_problems_are_where_they_are_in_utf_16(editor: Editor) -> None:
    """An emoji in a string has two units; a parameter with a value in the settings is fine."""
    folder, unknown = sorted(await editor.write(_PROGRAM), key=lambda each: each.range.start.line)

    assert folder.severity is types.DiagnosticSeverity.Information
    assert _columns(folder.range) == (1, 13, 20)
    assert unknown.severity is types.DiagnosticSeverity.Error
    assert "did you mean `big`?" in unknown.message
    assert _columns(unknown.range) == (2, 22, 26)


async def test_names_are_explained_and_found(editor: Editor) -> None:
    """Hover, definition, references and highlights of one name behind an emoji."""
    await editor.write(_PROGRAM.replace("bigg", "big"))
    document, place = editor.document, _at(1, 46)

    hover = await editor.client.text_document_hover_async(types.HoverParams(document, place))
    definition = await editor.client.text_document_definition_async(
        types.DefinitionParams(document, place)
    )
    highlights = await editor.client.text_document_document_highlight_async(
        types.DocumentHighlightParams(document, place)
    )
    references = await editor.client.text_document_references_async(
        types.ReferenceParams(types.ReferenceContext(False), document, place)
    )

    assert hover is not None
    assert isinstance(hover.contents, types.MarkupContent)
    assert "let core(image, from) = touch(" in hover.contents.value
    assert isinstance(definition, types.Location)
    assert (definition.uri, _columns(definition.range)) == (document.uri, (0, 4, 8))
    assert [_columns(each.range) for each in highlights or ()] == [(0, 4, 8), (1, 45, 49)]
    assert [_columns(each.range) for each in references or ()] == [(1, 45, 49)]


async def test_a_library_of_this_package_can_be_opened(editor: Editor) -> None:
    """The definition of `N` is in a file that is installed."""
    await editor.write("let a = N(tt)\n")

    found = await editor.client.text_document_definition_async(
        types.DefinitionParams(editor.document, _at(0, 8))
    )

    assert isinstance(found, types.Location)
    assert found.uri.endswith("/voxk8s/imgql/library/stdlib.imgql")
    library = libraries.text("stdlib.imgql").split("\n")
    assert library[found.range.start.line].startswith("let N(a)")


async def test_a_name_is_renamed_or_the_reason_is_said(editor: Editor) -> None:
    """The answer has the edits of all places."""
    await editor.write(_PROGRAM.replace("bigg", "big"))
    document = editor.document

    edit = await editor.client.text_document_rename_async(
        types.RenameParams(document, _at(1, 39), "large")
    )
    with pytest.raises(JsonRpcException, match="from already means something here"):
        await editor.client.text_document_rename_async(
            types.RenameParams(document, _at(0, 9), "from")
        )
    with pytest.raises(JsonRpcException, match="volume is a kernel of voxk8s"):
        await editor.client.text_document_prepare_rename_async(
            types.PrepareRenameParams(document, _at(2, 17))
        )

    assert edit is not None
    assert edit.changes is not None
    (edits,) = edit.changes.values()
    assert [(_columns(each.range), each.new_text) for each in edits] == [
        ((1, 39, 42), "large"),
        ((2, 22, 25), "large"),
    ]


async def test_unfinished_text_is_completed(editor: Editor) -> None:
    """With the names of the text as it was last right, and the definition of what is chosen."""
    await editor.write(_PROGRAM.replace("bigg", "big"))
    await editor.write(_PROGRAM.replace("bigg)", ""))
    document = editor.document

    items = await editor.client.text_document_completion_async(
        types.CompletionParams(document, _at(2, 22))
    )
    hint = await editor.client.text_document_signature_help_async(
        types.SignatureHelpParams(document, _at(2, 22))
    )

    assert isinstance(items, list | tuple)
    assert [each.label for each in items][:3] == ["core", "scan", "big"]
    touch = next(each for each in items if each.label == "touch")
    resolved = await editor.client.completion_item_resolve_async(touch)
    assert isinstance(resolved.documentation, types.MarkupContent)
    assert "components" in resolved.documentation.value
    assert hint is not None
    assert hint.signatures[0].label.startswith("volume(")


async def test_a_document_is_outlined_and_formatted(editor: Editor) -> None:
    """One with an error is left as it is."""
    await editor.write(_PROGRAM)
    document = editor.document

    symbols = await editor.client.text_document_document_symbol_async(
        types.DocumentSymbolParams(document)
    )
    edits = await editor.client.text_document_formatting_async(
        types.DocumentFormattingParams(document, types.FormattingOptions(2, True))
    )
    await editor.write("let = (\n")
    none = await editor.client.text_document_formatting_async(
        types.DocumentFormattingParams(document, types.FormattingOptions(2, True))
    )

    assert [each.name for each in symbols or ()] == ["core", "scan", "big", "volume"]
    (edit,) = edits or ()
    assert 'load scan = "$FOLDER/😀.nii.gz"\nlet big = core(scan, $FROM)\n' in edit.new_text
    assert not none


@pytest.mark.parametrize(("text", "columns"), [("let blu𐐀x", (0, 9, 10)), ("let b\n", (0, 4, 5))])
async def test_what_is_missing_at_the_end_is_marked_within_the_text(
    editor: Editor, text: str, columns: tuple[int, int, int]
) -> None:
    """Some editors refuse marks after it."""
    (problem,) = await editor.write(text)
    assert _columns(problem.range) == columns


async def test_an_outline_is_within_the_text(editor: Editor) -> None:
    """While a program cannot be read, it is that of before, as far as the text has room for it."""
    await editor.write("let first = 1\nlet second =\n  first + 1\nlet third = 3\n")
    await editor.write("(\n)")
    symbols = await editor.client.text_document_document_symbol_async(
        types.DocumentSymbolParams(editor.document)
    )

    assert [each.name for each in symbols or ()] == []


async def test_a_document_without_a_file_is_a_document(editor: Editor) -> None:
    """Its names are in it, not in a file of the folder in which the server was started."""
    document = types.TextDocumentIdentifier("untitled:Untitled-1")
    item = types.TextDocumentItem(document.uri, "imgql", 1, "let a = 1\nlet b = a\n")
    editor.client.text_document_did_open(types.DidOpenTextDocumentParams(item))

    found = await editor.client.text_document_definition_async(
        types.DefinitionParams(document, _at(1, 8))
    )

    assert isinstance(found, types.Location)
    assert (found.uri, _columns(found.range)) == (document.uri, (0, 4, 5))


async def test_a_file_that_is_not_open_is_not_read(editor: Editor) -> None:
    """It may be no program, and have no end."""
    with pytest.raises(JsonRpcException, match="file:///dev/zero is not open"):
        await editor.client.text_document_hover_async(
            types.HoverParams(types.TextDocumentIdentifier("file:///dev/zero"), _at(0, 0))
        )


class _Changing:
    """What a server has while the text is another one than when it was analysed."""

    values: Mapping[str, str] = {}

    async def name_at(self, uri: str, position: types.Position) -> tuple[Document, NameUse | None]:
        document = analyse(uri, "let a = 1\n", _no_file, {})
        return document, document.name_at(position.line + 1, position.character + 1)

    def reader(self) -> Callable[[str], str]:
        return _no_file

    def text(self, uri: str) -> TextDocument:
        return TextDocument(uri, "\nlet a = 1\n")


def _no_file(path: str) -> str:
    raise FileNotFoundError(path)


async def test_a_rename_of_a_text_that_has_changed_is_refused() -> None:
    """Its places are those of the text before."""
    server: Any = _Changing()
    document = types.TextDocumentIdentifier("untitled:a")

    with pytest.raises(JsonRpcException, match="changed meanwhile"):
        await answers._rename(server, types.RenameParams(document, _at(0, 4), "large"))
