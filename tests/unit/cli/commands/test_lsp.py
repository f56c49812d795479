"""The command that editors start."""

from __future__ import annotations

import argparse
import json
import subprocess
import sys

import pytest

from voxk8s.cli.commands import lsp


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
    texts = [json.dumps({"jsonrpc": "2.0", **each}) for each in calls]
    ended = subprocess.run(
        [sys.executable, "-m", "voxk8s.cli", "lsp"],
        input="".join(f"Content-Length: {len(text)}\r\n\r\n{text}" for text in texts).encode(),
        capture_output=True,
        timeout=60,
        check=False,
    )

    assert (ended.returncode, ended.stderr) == (0, b"")
    assert ended.stdout.count(b"Content-Length") == 2


def test_a_person_at_a_terminal_is_told_what_it_is(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """It waits for messages that nobody types."""
    monkeypatch.setattr("sys.stdin.isatty", lambda: True)
    monkeypatch.setattr("voxk8s.cli.language_server.server.ImgqlServer.start_io", lambda _: None)

    assert lsp.run(argparse.Namespace()) == 0

    assert "docs/editors.md" in capsys.readouterr().err
