"""The command that editors start."""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
from collections.abc import Iterable

import pytest

from voxk8s.cli.commands import lsp


def _message(call: dict[str, object]) -> bytes:
    text = json.dumps({"jsonrpc": "2.0", **call})
    return f"Content-Length: {len(text)}\r\n\r\n{text}".encode()


def _serve(calls: Iterable[dict[str, object]]) -> subprocess.CompletedProcess[bytes]:
    """Send messages to a server, and the end of the input; return how it ended."""
    return subprocess.run(
        [sys.executable, "-m", "voxk8s.cli", "lsp"],
        input=b"".join(map(_message, calls)),
        capture_output=True,
        timeout=60,
        check=False,
    )


def test_it_ends_with_its_input() -> None:
    """An editor that dies leaves no server behind."""
    ended = subprocess.run(
        [sys.executable, "-m", "voxk8s.cli", "lsp"],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        timeout=60,
        check=False,
    )

    assert (ended.returncode, ended.stdout) == (0, b"")


def test_it_ends_when_the_editor_says_so() -> None:
    """With status 0 and no message: editors show what a server complains of."""
    calls: list[dict[str, object]] = [
        {"id": 1, "method": "initialize", "params": {"capabilities": {}}},
        {"id": 2, "method": "shutdown"},
        {"method": "exit"},
    ]
    ended = _serve(calls)

    assert (ended.returncode, ended.stderr) == (0, b"")
    assert ended.stdout.count(b"Content-Length") == 2


def test_an_editor_that_is_answered_gets_no_complaint_as_well() -> None:
    """There is nothing to rename: that is an answer, without a trace on standard error."""
    document = {"uri": "untitled:a", "languageId": "imgql", "version": 1, "text": "\n"}
    begin = {"line": 0, "character": 0}
    rename = {"textDocument": document, "position": begin, "newName": "b"}
    calls: list[dict[str, object]] = [
        {"id": 1, "method": "initialize", "params": {"capabilities": {}}},
        {"method": "textDocument/didOpen", "params": {"textDocument": document}},
        {"id": 2, "method": "textDocument/rename", "params": rename},
    ]
    with subprocess.Popen(
        [sys.executable, "-m", "voxk8s.cli", "lsp"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    ) as server:
        assert server.stdin is not None
        assert server.stdout is not None
        server.stdin.write(b"".join(map(_message, calls)))
        server.stdin.flush()
        answer = b""
        while not answer.endswith(b"}") or b'"id": 2' not in answer:
            answer += server.stdout.read(1)
        _, complaints = server.communicate(timeout=60)

    assert b"there is no name here that can be renamed" in answer
    assert complaints == b""


def test_an_editor_that_ends_during_an_analysis_gets_no_complaint() -> None:
    """What was asked for is cancelled, and that is no error."""
    document = {"uri": "untitled:a", "languageId": "imgql", "version": 1, "text": "let a = 1\n"}
    change = {
        "textDocument": {"uri": "untitled:a", "version": 2},
        "contentChanges": [{"text": "let a = 2\n"}],
    }
    calls: list[dict[str, object]] = [
        {"id": 1, "method": "initialize", "params": {"capabilities": {}}},
        {"method": "textDocument/didOpen", "params": {"textDocument": document}},
        {"method": "textDocument/didChange", "params": change},
    ]
    ended = _serve(calls)

    assert (ended.returncode, ended.stderr) == (0, b"")


def test_an_editor_that_dies_before_its_answer_gets_no_complaint() -> None:
    """Nobody reads them; the status is that of all commands whose output is closed."""
    document = {"uri": "untitled:a", "languageId": "imgql", "version": 1, "text": "let a = b\n"}
    begin = {"line": 0, "character": 0}
    calls: list[dict[str, object]] = [
        {"id": 1, "method": "initialize", "params": {"capabilities": {}}},
        {"method": "textDocument/didOpen", "params": {"textDocument": document}},
        *(
            {"id": each, "method": f"textDocument/{name}", "params": params}
            for name in ("rename", "hover", "completion")
            for each in range(2, 5)
            for params in [{"textDocument": document, "position": begin, "newName": "c"}]
        ),
    ]
    with subprocess.Popen(
        [sys.executable, "-m", "voxk8s.cli", "lsp"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    ) as server:
        assert server.stdin is not None
        assert server.stdout is not None
        assert server.stderr is not None
        server.stdout.close()
        server.stdin.write(b"".join(map(_message, calls)))
        server.stdin.close()
        complaints = server.stderr.read()
        status = server.wait(60)

    assert complaints == b""
    assert status == 1


def test_a_person_at_a_terminal_is_told_what_it_is(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """It waits for messages that nobody types."""
    monkeypatch.setattr("sys.stdin.isatty", lambda: True)
    monkeypatch.setattr(
        "voxk8s.cli.language_server.server.ImgqlServer.start_io", lambda _, stdout: None
    )

    assert lsp.run(argparse.Namespace()) == 0

    assert "docs/editors.md" in capsys.readouterr().err
