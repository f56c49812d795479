"""The command that editors start."""

from __future__ import annotations

import argparse
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


def test_a_person_at_a_terminal_is_told_what_it_is(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """It waits for messages that nobody types."""
    monkeypatch.setattr("sys.stdin.isatty", lambda: True)
    monkeypatch.setattr("voxk8s.cli.language_server.server.ImgqlServer.start_io", lambda _: None)

    assert lsp.run(argparse.Namespace()) == 0

    assert "docs/editors.md" in capsys.readouterr().err
