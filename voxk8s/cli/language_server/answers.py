"""What the server answers to each message of the protocol."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Final

from lsprotocol import types
from pygls.exceptions import JsonRpcInvalidParams

from voxk8s.cli.language_server import help_texts
from voxk8s.cli.language_server.completion import call_hint, proposals
from voxk8s.cli.language_server.document import Command
from voxk8s.cli.language_server.rename import check_renamable, renamed
from voxk8s.cli.language_server.server import ImgqlServer, program_name, report_failure
from voxk8s.errors import InvalidProgram, InvalidUsage
from voxk8s.imgql import format_program

_PAUSE: Final = 0.15
"""Seconds without a change after which a text is analysed."""
_COMPLETIONS: Final = {
    "function": types.CompletionItemKind.Function,
    "kernel": types.CompletionItemKind.Function,
    "value": types.CompletionItemKind.Constant,
    "variable": types.CompletionItemKind.Variable,
    "keyword": types.CompletionItemKind.Keyword,
    "module": types.CompletionItemKind.Module,
    "file": types.CompletionItemKind.File,
}
_SYMBOLS: Final = {
    "function": types.SymbolKind.Function,
    "value": types.SymbolKind.Constant,
    "goal": types.SymbolKind.Event,
}


def make_server() -> ImgqlServer:
    """Return a server that answers everything below."""
    server = ImgqlServer()
    for name, (answer, options) in _ANSWERS.items():
        server.feature(name, options)(answer)
    return server


# --- documents --------------------------------------------------------------------------------


def _initialize(ls: ImgqlServer, params: types.InitializeParams) -> None:
    """Take the values of parameters from the editor's settings."""
    asyncio.get_running_loop().set_exception_handler(report_failure)
    options = params.initialization_options
    values = options.get("parameters") if isinstance(options, dict) else None
    if isinstance(values, dict):
        ls.values = {str(name): str(value) for name, value in values.items()}


async def _opened(ls: ImgqlServer, params: types.DidOpenTextDocumentParams) -> None:
    await ls.publish(params.text_document.uri)


async def _changed(ls: ImgqlServer, params: types.DidChangeTextDocumentParams) -> None:
    uri, version = params.text_document.uri, params.text_document.version
    await asyncio.sleep(_PAUSE)
    text = ls.workspace.text_documents.get(uri)
    if text is not None and text.version == version:
        await ls.publish(uri)


async def _saved(ls: ImgqlServer, _: types.DidSaveTextDocumentParams) -> None:
    """Look at all programs again: those that import the saved file may have become right."""
    for uri in list(ls.workspace.text_documents):
        ls.forget(uri)
        await ls.publish(uri)


def _closed(ls: ImgqlServer, params: types.DidCloseTextDocumentParams) -> None:
    uri = params.text_document.uri
    ls.forget(uri)
    ls.text_document_publish_diagnostics(types.PublishDiagnosticsParams(uri, []))


# --- names ------------------------------------------------------------------------------------


async def _hover(ls: ImgqlServer, params: types.HoverParams) -> types.Hover | None:
    uri = params.text_document.uri
    document, use = await ls.name_at(uri, params.position)
    if use is None:
        return None
    return types.Hover(_markdown(help_texts.describe(use, document)), ls.range_of(uri, use.place))


async def _definition(ls: ImgqlServer, params: types.DefinitionParams) -> types.Location | None:
    uri = params.text_document.uri
    document, use = await ls.name_at(uri, params.position)
    if use is None or use.declared is None:
        return None
    return ls.location(uri, document, use.declared)


async def _references(ls: ImgqlServer, params: types.ReferenceParams) -> list[types.Location]:
    uri = params.text_document.uri
    document, use = await ls.name_at(uri, params.position)
    if use is None:
        return []
    asked = params.context.include_declaration
    found = [
        ls.location(uri, document, each.place)
        for each in document.uses_of(use)
        if asked or each.declared != each.place
    ]
    return [each for each in found if each is not None]


async def _highlight(
    ls: ImgqlServer, params: types.DocumentHighlightParams
) -> list[types.DocumentHighlight]:
    uri = params.text_document.uri
    document, use = await ls.name_at(uri, params.position)
    return [
        types.DocumentHighlight(ls.range_of(uri, each.place))
        for each in (document.uses_of(use) if use is not None else ())
        if each.place.file == document.name
    ]


async def _prepare_rename(ls: ImgqlServer, params: types.PrepareRenameParams) -> types.Range:
    uri = params.text_document.uri
    document, use = await ls.name_at(uri, params.position)
    try:
        return ls.range_of(uri, check_renamable(document, use).place)
    except InvalidUsage as error:
        raise JsonRpcInvalidParams(str(error)) from error


async def _rename(ls: ImgqlServer, params: types.RenameParams) -> types.WorkspaceEdit:
    uri, new = params.text_document.uri, params.new_name
    document, use = await ls.name_at(uri, params.position)
    reader, values = ls.reader(), dict(ls.values)
    try:
        places = await asyncio.to_thread(renamed, document, use, new, reader, values)
    except InvalidUsage as error:
        raise JsonRpcInvalidParams(str(error)) from error
    if ls.text(uri).source != document.text:
        raise JsonRpcInvalidParams("the program has changed meanwhile: rename again")
    return types.WorkspaceEdit(
        {uri: [types.TextEdit(ls.range_of(uri, place), new) for place in places]}
    )


async def _symbols(
    ls: ImgqlServer, params: types.DocumentSymbolParams
) -> list[types.DocumentSymbol]:
    uri = params.text_document.uri
    document = await ls.named_document(uri)
    lines = ls.lines(uri)
    return [
        types.DocumentSymbol(
            each.name.strip('"') or each.header,
            _SYMBOLS[each.kind],
            ls.range_between(uri, each.line, each.column, each.last_line, each.end),
            ls.range_of(uri, each.place),
            detail=each.header,
        )
        for each in document.commands
        if _is_within(lines, each)
    ]


def _is_within(lines: Sequence[str], command: Command) -> bool:
    """Whether a text, which may have changed since it could be read, has room for a command."""
    return all(
        line <= len(lines) and end <= len(lines[line - 1])
        for line, end in (
            (command.place.line, command.place.column + command.place.length),
            (command.last_line, command.end),
        )
    )


# --- writing ----------------------------------------------------------------------------------


async def _completion(
    ls: ImgqlServer, params: types.CompletionParams
) -> list[types.CompletionItem]:
    uri = params.text_document.uri
    document = await ls.named_document(uri)
    line, before = ls.before(uri, params.position)
    files = sorted(each.name for each in Path(document.name).parent.glob("*.imgql"))
    return [
        types.CompletionItem(
            each.label, kind=_COMPLETIONS[each.kind], detail=each.detail, data=each.qualified
        )
        for each in proposals(document, line, before, files)
    ]


def _resolve(_: ImgqlServer, params: types.CompletionItem) -> types.CompletionItem:
    """Add the definition of a kernel to what an editor shows of it."""
    params.documentation = _entry_help(str(params.data or ""))
    return params


async def _signature(
    ls: ImgqlServer, params: types.SignatureHelpParams
) -> types.SignatureHelp | None:
    uri = params.text_document.uri
    document = await ls.named_document(uri)
    line, before = ls.before(uri, params.position)
    command = document.command_at(line)
    first = command.line if command is not None else line
    hint = call_hint(document, "".join(ls.lines(uri)[first - 1 : line - 1]) + before)
    if hint is None:
        return None
    inner = [types.ParameterInformation(each) for each in hint.spans()]
    text = _entry_help(hint.qualified)
    information = types.SignatureInformation(hint.signature, text, inner, hint.active)
    return types.SignatureHelp([information], 0, hint.active)


def _format(ls: ImgqlServer, params: types.DocumentFormattingParams) -> list[types.TextEdit]:
    text = ls.text(params.text_document.uri)
    try:
        made = format_program(text.source, name=program_name(text))
    except InvalidProgram:
        # Its errors are shown where they are.
        return []
    if made == text.source:
        return []
    everything = types.Range(types.Position(0, 0), types.Position(text.source.count("\n") + 1, 0))
    return [types.TextEdit(everything, made)]


def _entry_help(qualified: str) -> types.MarkupContent | None:
    for entry in help_texts.known():
        if entry.qualified == qualified:
            return _markdown(help_texts.entry_text(entry))
    return None


def _markdown(text: str) -> types.MarkupContent:
    return types.MarkupContent(types.MarkupKind.Markdown, text)


_ANSWERS: Final[dict[str, tuple[Callable[..., Any], Any]]] = {
    types.INITIALIZE: (_initialize, None),
    types.TEXT_DOCUMENT_DID_OPEN: (_opened, None),
    types.TEXT_DOCUMENT_DID_CHANGE: (_changed, None),
    types.TEXT_DOCUMENT_DID_SAVE: (_saved, None),
    types.TEXT_DOCUMENT_DID_CLOSE: (_closed, None),
    types.TEXT_DOCUMENT_HOVER: (_hover, None),
    types.TEXT_DOCUMENT_DEFINITION: (_definition, None),
    types.TEXT_DOCUMENT_REFERENCES: (_references, None),
    types.TEXT_DOCUMENT_DOCUMENT_HIGHLIGHT: (_highlight, None),
    types.TEXT_DOCUMENT_PREPARE_RENAME: (_prepare_rename, None),
    types.TEXT_DOCUMENT_RENAME: (_rename, types.RenameOptions(prepare_provider=True)),
    types.TEXT_DOCUMENT_DOCUMENT_SYMBOL: (_symbols, None),
    types.TEXT_DOCUMENT_COMPLETION: (
        _completion,
        types.CompletionOptions(trigger_characters=[".", '"'], resolve_provider=True),
    ),
    types.COMPLETION_ITEM_RESOLVE: (_resolve, None),
    types.TEXT_DOCUMENT_SIGNATURE_HELP: (
        _signature,
        types.SignatureHelpOptions(trigger_characters=["(", ","]),
    ),
    types.TEXT_DOCUMENT_FORMATTING: (_format, None),
}
